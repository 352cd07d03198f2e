"""Dates as sources give them: EDTF text to bounds, and bounds to EDTF text.

EDTF is the Extended Date/Time Format of ISO 8601-2:2019, also published by the
Library of Congress (https://www.loc.gov/standards/datetime/). Read here: levels
0 and 1, and the one-of-a-set form of level 2 (``[a..b]``, ``[..b]``, ``[a,b]``).
Years run from 0001 to 9999, those of Python's calendar.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Final, NoReturn

from attrs import frozen

from azcn_events.errors import InvalidValue

__all__ = ["Bounds", "parse", "write"]

ACCEPTED: Final = (
    "an EDTF date such as 2025-04-17, 2025-04, 2025, 2025-04-XX, 2025-04~ (about),"
    " 2025? (uncertain), 2025-04-15/2025-04-21, 2025-04-25/.., [..2025-04-25],"
    " [2025-04-15..2025-04-21], [2025-04-17,2025-04-21]"
)

_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4}|[0-9]{3}X|[0-9]{2}XX)"
    r"(?:-(?P<month>[0-9]{2}|XX)(?:-(?P<day>[0-9]{2}|XX))?)?"
    r"(?P<qualifier>[?~%])?"
)
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?P<zone>.*)",
    re.DOTALL,
)
_ZONE: Final = re.compile(r"Z|[+-](?:[01][0-9]|2[0-3])(?::[0-5][0-9])?")


@frozen
class Bounds:
    """What a date text says.

    Attributes:
        earliest: First possible day; None if open.
        latest: Last possible day; None if open.
        approximate: Whether any part is marked ``~`` or ``%``.
        uncertain: Whether any part is marked ``?`` or ``%``.
    """

    earliest: date | None
    latest: date | None
    approximate: bool = False
    uncertain: bool = False


@lru_cache(maxsize=16_384)  # A log repeats few dates very often.
def parse(text: str) -> Bounds:
    """Read an EDTF text; the empty text says nothing, so both bounds are open.

    Raises:
        InvalidValue: If it is none of the forms above; ``place`` says where.
    """
    if not text:
        return Bounds(None, None)
    if text[0] in "[{":
        return _one_of(text)
    if "T" in text:
        return _date_time(text)
    if "/" in text:
        return _interval(text)
    return _date(text, 0, len(text))


def write(earliest: date | None, latest: date | None) -> str:
    """Give the shortest EDTF text with exactly these bounds.

    Raises:
        InvalidValue: If ``earliest`` lies after ``latest``.
    """
    if earliest is None and latest is None:
        return ""
    if earliest is None or latest is None:
        return f"[{earliest or ''}..{latest or ''}]"
    if earliest > latest:
        _refuse(f"{earliest}..{latest}", 0, "it ends before it begins")
    if earliest == latest:
        return earliest.isoformat()
    month = earliest.isoformat()[:7]
    year = month[:4]
    for shorter in (month, year):
        bounds = _date(shorter, 0, len(shorter))
        if (bounds.earliest, bounds.latest) == (earliest, latest):
            return shorter
    return f"[{earliest}..{latest}]"


def _one_of(text: str) -> Bounds:
    """Read ``[a,b,c..d]``: one of these days, we do not know which."""
    if text[0] == "{":
        _refuse(text, 0, "a set in braces means all of its days, but a fact has one")
    if text[-1] != "]" or len(text) == 1:
        _refuse(text, len(text), "the closing ']' is missing")
    parts = list[Bounds]()
    start = 1
    for element in text[1:-1].split(","):
        parts.append(_element(text, start, start + len(element)))
        start += len(element) + 1
    return _joined(parts)


def _element(text: str, start: int, end: int) -> Bounds:
    """Read one element of a set: a date, ``a..b``, ``..b`` or ``a..``."""
    dots = text.find("..", start, end)
    if dots < 0:
        return _date(text, start, end)
    if end - start == len(".."):
        _refuse(text, start, "'..' needs a date on one side at least")
    before = _date(text, start, dots) if dots > start else Bounds(None, None)
    after = _date(text, dots + 2, end) if dots + 2 < end else Bounds(None, None)
    return _span(text, start, before, after)


def _interval(text: str) -> Bounds:
    """Read ``a/b``, where an end may be ``..`` (open) or empty (unknown)."""
    slash = text.index("/")
    ends = list[Bounds]()
    for start, end in ((0, slash), (slash + 1, len(text))):
        blank = text[start:end] in {"", ".."}
        ends.append(Bounds(None, None) if blank else _date(text, start, end))
    if text.strip("./") == "":
        _refuse(text, 0, "an interval needs a date on one side at least")
    return _span(text, 0, *ends)


def _date_time(text: str) -> Bounds:
    """Read a date-time for its day, as written, in its own zone."""
    form = _DATE_TIME.fullmatch(text)
    if not form:
        place = text.index("T")
        _refuse(text, place, "a date-time is written like 2025-04-25T10:30:00Z")
    if not _ZONE.fullmatch(form["zone"]):
        _refuse(text, form.start("zone"), "a date-time needs a zone, Z or +04:00")
    return _date(text, 0, len("2025-04-25"))


def _date(text: str, start: int, end: int) -> Bounds:
    """Read ``text[start:end]`` as one date of level 0 or 1."""
    form = _DATE.fullmatch(text, start, end)
    if not form:
        prefix = _DATE.match(text, start, end)
        _refuse(text, prefix.end() if prefix else start, "this is not a date")
    year, month, day = form["year"], form["month"], form["day"]
    first, last = int(year.replace("X", "0")), int(year.replace("X", "9"))
    if first == 0:
        _refuse(text, start, "years run from 0001 to 9999")
    approximate = form["qualifier"] in {"~", "%"}
    uncertain = form["qualifier"] in {"?", "%"}
    if month is None or month == "XX":
        if day not in (None, "XX"):
            _refuse(text, form.start("day"), "a day needs its month")
        return Bounds(date(first, 1, 1), date(last, 12, 31), approximate, uncertain)
    if first != last:
        _refuse(text, form.start("month"), "a month needs its whole year")
    if month in _SEASONS:
        if day is not None:
            _refuse(text, form.start("day"), "a season has no days")
        earliest, latest = _season(first, month)
        return Bounds(earliest, latest, approximate, uncertain)
    if not 1 <= int(month) <= 12:
        _refuse(text, form.start("month"), "months run from 01 to 12, seasons 21 to 24")
    days = monthrange(first, int(month))[1]
    if day is None or day == "XX":
        span = date(first, int(month), 1), date(first, int(month), days)
        return Bounds(*span, approximate, uncertain)
    if not 1 <= int(day) <= days:
        _refuse(text, form.start("day"), f"{year}-{month} has days 01 to {days}")
    exact = date(first, int(month), int(day))
    return Bounds(exact, exact, approximate, uncertain)


_SEASONS: Final = {"21", "22", "23", "24"}


def _season(year: int, code: str) -> tuple[date, date]:
    """Bound a season wherever on Earth it was meant, and by any reckoning.

    EDTF's 21 to 24 (spring to winter) do not say which hemisphere, nor whether
    summer begins on the 1st or at the solstice; northern and southern, by month
    and by sun, all lie inside these days. A winter may begin in the year before.
    """
    if code in {"21", "23"}:
        return date(year, 3, 1), date(year, 12, 31)
    before, after = max(year - 1, 1), min(year + 1, 9999)
    return date(before, 12, 1), date(after, 3, 31)


def _span(text: str, start: int, before: Bounds, after: Bounds) -> Bounds:
    first, last = before.earliest, after.latest
    if first and last and first > last:
        _refuse(text, start, "it ends before it begins")
    return Bounds(
        first,
        last,
        before.approximate or after.approximate,
        before.uncertain or after.uncertain,
    )


def _joined(parts: list[Bounds]) -> Bounds:
    firsts = [part.earliest for part in parts]
    lasts = [part.latest for part in parts]
    return Bounds(
        None if None in firsts else min(day for day in firsts if day),
        None if None in lasts else max(day for day in lasts if day),
        any(part.approximate for part in parts),
        any(part.uncertain for part in parts),
    )


def _refuse(text: str, place: int, problem: str) -> NoReturn:
    raise InvalidValue(text, problem, ACCEPTED, place)
