"""A stream's records, corrections applied; and a moment on both time axes.

Valid time (``as_of``) asks what was so; recorded time (``known_by``) asks what
had been written down. A correction replaces a record from the moment it is
known, whatever day it speaks of; the record itself stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter

from attrs import frozen

from azcn_events.core.events import (
    LEDGER_STREAMS,
    Erased,
    Event,
    Recorded,
    Retracted,
)
from azcn_events.core.lifecycle import Fold, Lifecycle, occurred
from azcn_events.core.values import Answer, Sealed, resealed
from azcn_events.errors import RecordNotFound, TransitionRefused

__all__ = [
    "Admission",
    "History",
    "Moment",
    "erased_in",
    "in_force",
    "marked",
    "standing",
]


def in_force(records: Iterable[Recorded]) -> tuple[Recorded, ...]:
    """Apply corrections and retractions to one stream's records.

    A record is in force unless a later record that is itself in force replaces
    it, directly or by a chain of corrections. A retraction ends such a chain: so
    retracting a correction restores exactly what it had replaced.

    Args:
        records: Records in version order.

    Returns:
        The facts in force in the order in which they count: a correction counts
        where the record stood that it replaces, directly or by a chain.
        Retractions are not among them.
    """
    known = tuple(records)
    if not any(record.event.replaces for record in known):
        return known
    kept = standing(known)
    place: dict[str, int] = {}
    for record in known:
        replaced = record.event.replaces
        place[record.id] = place.get(replaced, record.version)
    facts = [r for r in kept if not isinstance(r.event, Retracted)]
    return tuple(sorted(facts, key=lambda record: place[record.id]))


def standing(records: Sequence[Recorded]) -> list[Recorded]:
    """Give the records that nothing in force replaces, in version order."""
    # By a correction, which then stands for all that its target stood for? Or by
    # a retraction, which lets that stand again?
    corrected, kept = dict[str, bool](), list[Recorded]()
    for record in reversed(records):
        by_correction = corrected.get(record.id)
        if by_correction is None:
            kept.append(record)
            by_correction = not isinstance(record.event, Retracted)
        elif not by_correction:
            continue
        if record.event.replaces:
            corrected[record.event.replaces] = by_correction
    kept.reverse()
    return kept


def erased_in(records: Iterable[Recorded]) -> frozenset[str]:
    """Give the commitments whose values are gone, by the stream that says so."""
    return frozenset(
        commitment
        for record in in_force(records)
        if isinstance(record.event, Erased)
        for commitment in record.event.commitments
    )


def marked(records: Iterable[Recorded], erased: frozenset[str]) -> Iterator[Recorded]:
    """Yield records whose sealed values say that they are erased, where they are."""

    def mark(sealed: Sealed) -> Sealed:
        is_gone = sealed.commitment in erased
        return Sealed(sealed.commitment, "erased") if is_gone else sealed

    for record in records:
        event = resealed(record.event, mark)
        yield record if event is record.event else record._replace(event=event)


class Admission:
    """One stream's records, and the hard rules on what may follow them.

    Mutable: a writer's private desk. Law: the records it holds are always a
    history that the lifecycle admits fact by fact.
    """

    def __init__(
        self, lifecycle: Lifecycle, stream: str, records: Iterable[Recorded] = ()
    ) -> None:
        self.stream = stream
        self.records = list(records)
        self.known = len(self.records)
        self._lifecycle = lifecycle
        self._fold = Fold(lifecycle)
        for record in in_force(self.records):
            self._fold.step(record)

    def admit(self, new: Recorded) -> None:
        """Add the next record, or refuse it and stay as before.

        A correction or retraction must name a record in force, say why, and leave
        a history that the lifecycle would have admitted fact by fact.

        Raises:
            TransitionRefused: If the lifecycle does not admit it.
            RecordNotFound: If it replaces a record that the stream does not hold.
            UnknownName: If its class, its milestone or the stream's category is
                unknown to the lifecycle.
        """
        event = new.event
        if event.replaces or isinstance(event, Retracted):
            self._check_replacement(event)
            self._fold = self._refolded(in_force((*self.records, new)))
        else:
            state = self._fold.state()
            refusal = self._lifecycle.refusal(state, event, self.stream)
            if refusal:
                raise refusal
            self._fold.step(new)
        self.records.append(new)

    def _check_replacement(self, event: Event) -> None:
        if not event.replaces:
            reason = "a retraction names the record that it takes back, in 'replaces'"
            raise self._refused(event, "no-record", reason)
        if all(record.id != event.replaces for record in self.records):
            raise RecordNotFound(self.stream, event.replaces)
        if not event.reason.strip():
            reason = "a correction or retraction says why, in 'reason'"
            raise self._refused(event, "no-reason", reason)
        if all(record.id != event.replaces for record in standing(self.records)):
            reason = f"{event.replaces!r} is already replaced: name what replaced it"
            raise self._refused(event, "already-replaced", reason)

    def _refolded(self, facts: tuple[Recorded, ...]) -> Fold:
        """Fold a corrected history, fact by fact, as if recorded anew."""
        fold = Fold(self._lifecycle)
        for record in facts:
            refusal = self._lifecycle.refusal(fold.state(), record.event, self.stream)
            if refusal:
                refusal.reason += f" (so the record {record.id!r} rests on it)"
                raise refusal
            fold.step(record)
        return fold

    def _refused(self, event: Event, code: str, reason: str) -> TransitionRefused:
        kind = self._lifecycle.name_of(type(event))
        allowed = tuple(self._lifecycle.admitted(self._fold.state(), self.stream))
        return TransitionRefused(self.stream, kind, code, reason, allowed)


@frozen
class History:
    """One stream as seen at a moment.

    Attributes:
        stream: Its name.
        records: Every record known, replaced ones included, in version order.
        as_of: The day up to which facts count; None counts all.
    """

    stream: str
    records: tuple[Recorded, ...]
    as_of: date | None = None

    @property
    def facts(self) -> tuple[Recorded, ...]:
        """The facts in force that had come by ``as_of``, surely or possibly."""
        return tuple(
            record for record, answer in self.dated() if answer is not Answer.NO
        )

    def dated(self) -> Iterator[tuple[Recorded, Answer]]:
        """Yield the facts in force, each with whether it had come by ``as_of``."""
        for record in in_force(self.records):
            yield record, occurred(record, self.as_of) if self.as_of else Answer.YES


@frozen
class Moment:
    """The whole log as true by one day and known by one position.

    Nothing recorded later can change what a moment answers.

    Attributes:
        lifecycle: The rules.
        read: Gives the records known, one stream after another, streams in the
            order of their first record, records in version order; each call
            starts anew.
        as_of: The day up to which facts count; None counts all.
        on: The day to which ages and lateness are counted.
        known_by: The recorded time asked for, as asked; empty for all.
    """

    lifecycle: Lifecycle
    read: Callable[[], Iterable[Recorded]]
    as_of: date | None
    on: date
    known_by: str = ""

    def histories(self, category: str = "") -> Iterator[History]:
        """Yield each stream, of one category or all, in order of first record.

        Those about the ledger itself, such as ``report/…``, are only given when they
        are asked for by their category.
        """
        for stream, records in groupby(self.read(), attrgetter("stream")):
            its = stream.partition("/")[0]
            if its == category or not (category or its in LEDGER_STREAMS):
                yield History(stream, tuple(records), self.as_of)

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        """What every answer depends on, to be printed beside it."""
        as_of = self.as_of.isoformat() if self.as_of else "all facts recorded"
        return ("as of", as_of), ("known by", self.known_by or "now")
