"""Recorded time, and the days and times that people ask about."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from azcn_events.core.values.names import shown
from azcn_events.errors import InvalidValue

__all__ = [
    "check_recorded_us",
    "datetime_of_us",
    "day_of",
    "day_of_us",
    "known_from",
    "known_until",
    "ordinal_of_us",
    "recorded_us_of",
]


def day_of(text: str | date) -> date:
    """Read a day such as ``2025-04-25``, as asked of a view.

    Raises:
        InvalidValue: If it is anything else, a date-time included.
    """
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    try:
        if not isinstance(text, str) or not _DAY.fullmatch(text):
            raise ValueError("this is not a day")  # noqa: TRY301 - two roads, one refusal
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(shown(text), str(error), "a day like 2025-04-25") from None


def check_recorded_us(recorded_us: object) -> None:
    """Refuse what is no recorded time: microseconds of the years 1 to 9999.

    Raises:
        InvalidValue: If it is anything else.
    """
    if type(recorded_us) is int and _FIRST_US <= recorded_us <= _LAST_US:
        return
    accepted = "whole microseconds since 1970 UTC, in the years 1 to 9999"
    raise InvalidValue(shown(recorded_us), "this is no recorded time", accepted)


def datetime_of_us(recorded_us: int) -> datetime:
    """Give a time in microseconds since 1970 as a date-time, UTC."""
    return _EPOCH + timedelta(microseconds=recorded_us)


def day_of_us(recorded_us: int) -> date:
    """Give the day, UTC, of a time in microseconds since 1970."""
    return date.fromordinal(ordinal_of_us(recorded_us))


def ordinal_of_us(recorded_us: int) -> int:
    """Give that day's number, as ``date.toordinal()`` counts."""
    return _EPOCH_ORDINAL + recorded_us // _DAY_US


_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_US: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def recorded_us_of(text: object) -> int:
    """Read a recorded time such as ``2025-04-25T09:00:00Z``.

    Returns:
        Microseconds since 1970 UTC.

    Raises:
        InvalidValue: If it is no date-time, or has no time zone.
    """
    accepted = "a date-time with a zone, like 2025-04-25T09:00:00Z"
    try:
        moment = datetime.fromisoformat(shown(text))
        if moment.tzinfo is not None:
            return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidValue(shown(text), str(error), accepted) from None
    raise InvalidValue(shown(text), "it has no time zone", accepted)


def known_until(text: str | date) -> int:
    """Read up to when something was known: a day (to its end, UTC) or a date-time.

    Returns:
        Microseconds since 1970 UTC, the last that counts.

    Raises:
        InvalidValue: If it is neither, or a date-time without a zone.
    """
    return _time_of(text, time.max)


def known_from(text: str | date) -> int:
    """Read since when something was known: a day (from its start, UTC) or a date-time.

    Returns:
        Microseconds since 1970 UTC, the first that counts.

    Raises:
        InvalidValue: If it is neither, or a date-time without a zone.
    """
    return _time_of(text, time.min)


def _time_of(text: str | date, of_a_day: time) -> int:
    if isinstance(text, datetime) or (isinstance(text, str) and len(text) > _DAY_TEXT):
        return recorded_us_of(text)
    asked = datetime.combine(day_of(text), of_a_day, tzinfo=UTC)
    return (asked - _EPOCH) // _MICROSECOND


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_TEXT: Final = len("2025-04-25")
