"""Which records a figure rests on: folding these alone gives the figure again.

The facts that a figure shows are not enough for that. There must be such a thing at
all, what is one thing must be one, and a correction counts where the record stood
that it replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from azcn_events.core.events import Recorded

__all__ = ["Basis", "joined", "threads"]


@frozen
class Basis:
    """What every figure about one thing rests on, whatever else it shows.

    Attributes:
        threads: See :func:`threads`.
        positions: Positions of the records by which there is such a thing.
    """

    threads: Mapping[int, frozenset[int]]
    positions: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        records: Iterable[Recorded],
        facts: Iterable[Recorded],
        besides: Iterable[int] = (),
    ) -> Basis:
        """Rest on some facts.

        Args:
            records: All that is recorded of the thing, each stream in version order.
            facts: Those by which there is such a thing.
            besides: Positions of others, of other things.
        """
        whole = cls(threads(records))
        return cls(whole.threads, joined(whole.why(facts), besides))

    def why(self, *shown: Iterable[Recorded]) -> tuple[int, ...]:
        """Name the records that a figure about the thing rests on.

        Args:
            shown: The facts that the figure shows besides.

        Returns:
            The positions of the basis, of these facts, and of whatever replaced
            them or they replaced; rising, each once.
        """
        named = set(self.positions)
        for facts in shown:
            for record in facts:
                named |= self.threads.get(record.position, {record.position})
        return tuple(sorted(named))


def threads(records: Iterable[Recorded]) -> dict[int, frozenset[int]]:
    """Find what hangs together by corrections and retractions.

    Args:
        records: Every record of one stream or several, each in version order.

    Returns:
        For the position of each record that replaces another or was replaced: the
        positions of all in the same thread, its own included.
    """
    found: dict[tuple[str, str], set[int]] = {}
    for record in records:
        thread = found.get((record.stream, record.event.replaces), set())
        thread.add(record.position)
        found[record.stream, record.id] = thread
    return {
        position: frozenset(thread)
        for thread in found.values()
        if len(thread) > 1
        for position in thread
    }


def joined(*whys: Iterable[int]) -> tuple[int, ...]:
    """Join the positions that several figures rest on; rising, each once."""
    return tuple(sorted({position for why in whys for position in why}))
