"""Laws of leaf hashes: kept beside the events, and those of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from azcn_events.core.leaf import leaf_of
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.merkle import Frontier
from azcn_events.stores.protocol import Row
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.stores.judging import equal, equal_lists
from azcn_events.testing.laws.stores.paging import EDGES, LONG, kept, long_store
from azcn_events.testing.laws.stores.scene import at_place, opened, scripted
from azcn_events.testing.laws.stores.telling import (
    Told,
    append,
    dated,
    draft,
    filled,
)
from azcn_events.testing.stand_ins import Clock, OpenStore, in_memory
from azcn_events.testing.transcript import Log

__all__ = [
    "leaves_are_kept_when_reopened",
    "leaves_are_those_of_the_rows",
    "leaves_have_no_seams",
    "leaves_say_the_stored_time",
    "one_log_has_one_root",
]


def _same_leaves(rows: Sequence[Row], found: Iterable[bytes], what: str) -> None:
    """Raise unless leaves are those of some rows; say which is not, first of all."""
    leaves = list(islice(found, len(rows) + 1))
    equal_lists(
        [leaf_of(row).hex() for row in rows], [one.hex() for one in leaves], what
    )


@over_few_logs
def leaves_are_those_of_the_rows(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """Each event's leaf hash is kept beside it, and is the one that its row has."""
    with filled(open_store, lifecycle, log) as (store, told):
        _same_leaves(told.rows, store.leaves(), "leaves() is wrong")
        for cut in range(len(told.rows) + 1):
            window = store.leaves(after=cut, until=cut + 2)
            what = f"leaves(after={cut}, until={cut + 2}) is wrong"
            _same_leaves(told.rows[cut : cut + 2], window, what)


@over_few_logs
def leaves_are_kept_when_reopened(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """Leaf hashes outlive the store's object, and go on after it."""
    clock, told = Clock(), Told()
    with at_place(open_store, clock) as place:
        store = place.open()
        for batch, now_us in dated(lifecycle, log, clock):
            store.append(batch, told.versions(batch))
            told.take(batch, now_us)
            store = place.reopen(store)
            _same_leaves(told.rows, store.leaves(), "leaves(), reopened, is wrong")


@over_few_logs
def one_log_has_one_root(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """The same log has the same Merkle root as in any other store."""
    roots = list[bytes]()
    for opener in (in_memory(), open_store):
        with filled(opener, lifecycle, log) as (store, _):
            frontier = Frontier()
            frontier.extend(islice(store.leaves(), len(log) + 1))
            roots.append(frontier.root())
    expected, found = (root.hex() for root in roots)
    equal(expected, found, "the log has another root than in memory")


@scripted
def leaves_say_the_stored_time(open_store: OpenStore) -> None:
    """Leaf hashes are made of the times that are stored, not of the clock's."""
    clock = Clock(20)
    with opened(open_store, clock) as store:
        append(store, draft("1"), draft("2", recorded_us=30))
        append(store, draft("3"), draft("4", "t"))
        clock.us = 40
        append(store, draft("5"))
        _same_leaves(list(store.read_all()), store.leaves(), "leaves() is wrong")


@scripted
def leaves_have_no_seams(open_store: OpenStore) -> None:
    """Leaf hashes of a long log are read from anywhere to anywhere, and go on."""
    with long_store(open_store) as (store, rows):
        for at, after in enumerate(EDGES):
            for until in (None, -1, EDGES[(at + 3) % len(EDGES)]):
                found = store.leaves(after=after, until=until)
                what = f"leaves(after={after}, until={until}) is wrong"
                _same_leaves(kept(rows[max(after, 0) :], until), found, what)
        reader = store.leaves()
        _same_leaves(rows[:1], islice(reader, 1), "the first leaf is wrong")
        append(store, draft("late", "odd"))
        late = list(store.read_all(after=LONG))
        _same_leaves([*rows[1:], *late], reader, "leaves(), begun before, is wrong")
