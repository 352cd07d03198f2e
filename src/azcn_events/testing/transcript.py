"""A log written down without a store: what the lifecycle admits, numbered and dated.

Pure, and quick enough for a thousand logs a second: strategies, laws and the search
for short counterexamples all write their logs here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import attrs

from azcn_events.core.codec import Codec
from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import Admission
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.values import day_of_us
from azcn_events.errors import AzcnEventsError
from azcn_events.testing.stand_ins import DAY_US, Clock

__all__ = [
    "Log",
    "Transcript",
    "changed",
    "days_before",
    "main_stream",
    "retold",
    "told",
]

E = TypeVar("E", bound=Event)

Log = tuple[Recorded, ...]
"""Records in position order: gapless, admitted, their recorded times never falling."""


@lru_cache(maxsize=64)
def _codec(lifecycle: Lifecycle) -> Codec:
    return Codec(lifecycle)


class Transcript:
    """Writes a log, fact by fact.

    Attributes:
        records: What was admitted so far, in position order.
        us: The time at which the next fact is recorded, in microseconds since 1970.
    """

    def __init__(self, lifecycle: Lifecycle, *, us: int | None = None) -> None:
        """Begin an empty log.

        Args:
            lifecycle: The rules.
            us: The time at which it begins, in microseconds since 1970 UTC.
        """
        self.records: list[Recorded] = []
        self._lifecycle = lifecycle
        self.us = Clock().us if us is None else us
        self._desks: dict[str, Admission] = {}

    def pass_days(self, days: int) -> None:
        """Let days go by before the next fact."""
        self.us += days * DAY_US

    def of(self, stream: str) -> list[Recorded]:
        """Give one stream's records, in version order."""
        desk = self._desks.get(stream)
        return desk.records if desk else []

    def tell(self, stream: str, event: Event, id: str = "") -> Recorded:  # noqa: A002 - the domain's word
        """Record a fact.

        Raises:
            AzcnEventsError: If the lifecycle refuses it; nothing is recorded then.
        """
        position = len(self.records) + 1
        desk = self._desks.get(stream)
        if desk is None:
            desk = Admission(self._lifecycle, stream)
        record = Recorded(
            position,
            stream,
            len(desk.records) + 1,
            id or f"r{position}",
            _codec(self._lifecycle).kind_of(event),
            self.us,
            event,
        )
        desk.admit(record)
        self._desks[stream] = desk
        self.records.append(record)
        return record

    def trial(self, streams: Iterable[str]) -> Transcript:
        """Make another one that goes on from here, for facts of these streams."""
        other = Transcript(self._lifecycle, us=self.us)
        other.records = list(self.records)
        for stream in streams:
            known = self.of(stream)
            other._desks[stream] = Admission(self._lifecycle, stream, known)
        return other

    @property
    def today(self) -> date:
        """The day on which the next fact is recorded, UTC."""
        return day_of_us(self.us)

    @property
    def log(self) -> Log:
        """All that was recorded."""
        return tuple(self.records)


def main_stream(lifecycle: Lifecycle) -> str:
    """Name a stream that has milestones."""
    has_categories = bool(lifecycle.category or lifecycle.streams)
    return f"{lifecycle.category}/a" if has_categories else "a"


def days_before(records: Iterable[Recorded]) -> list[date]:
    """Give, for every fact with a first possible day, the day before that."""
    firsts = {record.event.when.earliest for record in records}
    return sorted(day - timedelta(days=1) for day in firsts if day)


def changed(event: E, **fields: Any) -> E | None:  # noqa: ANN401 - the class's own fields
    """Give an event with other fields; None if its class refuses them together."""
    try:
        return attrs.evolve(event, **fields)
    except (ValueError, TypeError):
        return None


def told(lifecycle: Lifecycle, *facts: tuple[str, Event]) -> Log:
    """Write a log of facts, each with its stream, all at one time.

    Raises:
        AzcnEventsError: If the lifecycle refuses one.
    """
    transcript = Transcript(lifecycle)
    for stream, event in facts:
        transcript.tell(stream, event)
    return transcript.log


def retold(lifecycle: Lifecycle, records: Iterable[Recorded]) -> Log | None:
    """Write some of a log's records anew, numbered without gaps.

    Ids and recorded times stay. None if the lifecycle does not admit what is left.
    """
    transcript = Transcript(lifecycle)
    for record in records:
        transcript.us = record.recorded_us
        try:
            transcript.tell(record.stream, record.event, record.id)
        except AzcnEventsError:
            return None
    return transcript.log
