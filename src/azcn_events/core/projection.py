"""Projections: pure folds over the log, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from attrs import evolve, frozen

from azcn_events.core.events import Recorded

__all__ = ["Progress", "Projection"]

S = TypeVar("S")


@frozen
class Progress(Generic[S]):
    """A projection's value, and the last position that is counted in it."""

    value: S
    position: int = 0


@frozen
class Projection(Generic[S]):
    """A fold as a value: a name, a fresh start, a step, and perhaps a merge.

    Laws: any split of the log into batches, any point to stop and resume at, and
    any record delivered again give the same value; so does any split of the
    streams into shards, if there is a merge.

    Attributes:
        name: Its name.
        start: Makes a fresh accumulator; called once for each run.
        step: Takes the accumulator and the next record, returns the accumulator.
            It may change it in place: nobody else holds it. It must not keep or
            change anything else.
        merge: Joins the accumulators of two shards, which hold different streams;
            None if that cannot be done.
    """

    name: str
    start: Callable[[], S]
    step: Callable[[S, Recorded], S]
    merge: Callable[[S, S], S] | None = None

    def run(self, records: Iterable[Recorded]) -> Progress[S]:
        """Fold *records*, in position order, from a fresh start."""
        return self.resume(Progress(self.start()), records)

    def resume(self, progress: Progress[S], records: Iterable[Recorded]) -> Progress[S]:
        """Fold *records* on top of *progress*, which must not be used afterwards.

        Records at or before ``progress.position`` are counted already and passed
        over, so a window may be delivered again.
        """
        value, position, step = progress.value, progress.position, self.step
        for record in records:
            if record[0] > position:
                position = record[0]
                value = step(value, record)
        return evolve(progress, value=value, position=position)
