"""A moment's log as it was known before, position by position."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from azcn_events.core.events import ERASURES, Recorded
from azcn_events.core.history import Moment, erased_in, marked
from azcn_events.core.values import Sealed, resealed

__all__ = ["Past", "only"]


class Past:
    """The moments at which less was known, the day and all else being the same.

    Law: ``at`` the last position answers like the moment itself.

    Attributes:
        moment: The moment at which all of it is known.
        records: What it knows, in position order.
    """

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self._by_stream = tuple(moment.read())
        self._erasures = [r for r in self._by_stream if r.stream == ERASURES]
        if self._erasures:
            # What is erased by now was sealed before, and is to look so.
            self._by_stream = tuple(map(_as_written, self._by_stream))
        self.records = tuple(sorted(self._by_stream, key=_position))

    @property
    def last(self) -> int:
        """The last position; 0 if there is none."""
        return self.records[-1].position if self.records else 0

    def records_of(self, stream: str) -> list[Recorded]:
        """Give the records of one stream, in version order."""
        return [record for record in self._by_stream if record.stream == stream]

    def at(self, position: int) -> Moment:
        """Look at what was known up to a position, that record included."""
        known = [record for record in self._by_stream if record.position <= position]
        if self._erasures:
            said = (record for record in self._erasures if record.position <= position)
            known = list(marked(known, erased_in(said)))
        name = f"position {position}"
        return evolve(self.moment, read=lambda: known, known_by=name)


def only(moment: Moment, positions: Iterable[int]) -> Moment:
    """Look at some of the records that a moment knows, and at no others."""
    chosen = frozenset(positions)
    kept = [record for record in moment.read() if record.position in chosen]
    return evolve(moment, read=lambda: kept)


def _position(record: Recorded) -> int:
    return record.position


def _as_written(record: Recorded) -> Recorded:
    event = resealed(record.event, lambda sealed: Sealed(sealed.commitment))
    return record if event is record.event else record._replace(event=event)
