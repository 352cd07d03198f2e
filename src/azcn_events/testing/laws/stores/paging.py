"""Laws of reading: long logs in pages, and logs that grow meanwhile."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.stores.protocol import Row, Store
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.law import ensure
from azcn_events.testing.laws.stores.judging import equal_lists, same_rows
from azcn_events.testing.laws.stores.scene import opened, scripted
from azcn_events.testing.laws.stores.telling import Told, append, dated, draft
from azcn_events.testing.stand_ins import Clock, OpenStore
from azcn_events.testing.transcript import Log

__all__ = [
    "EDGES",
    "LONG",
    "kept",
    "long_store",
    "pages_by_stream_have_no_seams",
    "pages_have_no_seams",
    "readers_do_not_disturb_each_other",
    "readers_see_a_beginning",
    "reads_what_comes_meanwhile",
]

LONG: Final = 2_100
"""More events than any store reads at once."""


@contextmanager
def long_store(open_store: OpenStore) -> Generator[tuple[Store, list[Row]]]:
    """Make a store of many events: every other in one stream, the rest in their own."""
    with opened(open_store) as store:
        told = Told()
        drafts = [
            draft(f"e{n}", "odd" if n % 2 else f"s{n * 7 % 2503}")
            for n in range(1, LONG + 1)
        ]
        store.append(drafts, told.versions(drafts))
        told.take(drafts, Clock().us)
        yield store, told.rows


def _near(page: int) -> tuple[int, int, int]:
    return page - 1, page, page + 1


EDGES: Final = (
    *(-(2**63), -1, 0, 1, 2**63, 2**64),
    *(near for page in (250, 500, 1_000, 1_050, 2_000, LONG) for near in _near(page)),
)
"""Positions at which pages may begin or end, and some that are none."""


@scripted
def pages_have_no_seams(open_store: OpenStore) -> None:
    """Wherever reading a long log starts and ends, nothing is lost or doubled."""
    with long_store(open_store) as (store, rows):
        odd = [row for row in rows if row.stream == "odd"]
        for at, after in enumerate(EDGES):
            last = EDGES[(at + 3) % len(EDGES)]
            for until in (None, last):
                asked = f"after={after}, until={until}"
                same_rows(
                    kept(rows[max(after, 0) :], until),
                    store.read_all(after=after, until=until),
                    f"read_all({asked}) is wrong",
                )
                same_rows(
                    kept(odd[max(after, 0) :], until),
                    store.read("odd", after=after, until=until),
                    f"read('odd', {asked}) is wrong",
                )


def kept(rows: Sequence[Row], until: int | None) -> list[Row]:
    """Give the rows up to a position."""
    return [row for row in rows if until is None or row.position <= until]


@scripted
def pages_by_stream_have_no_seams(open_store: OpenStore) -> None:
    """Many streams come one after the other, each whole, up to any position."""
    with long_store(open_store) as (store, rows):
        first = {row.stream: row.position for row in reversed(rows)}
        names = sorted(first, key=first.__getitem__)
        equal_lists(names, list(store.streams()), "streams() is wrong")
        whole = sorted(rows, key=lambda row: (first[row.stream], row.version))
        for until in (None, *EDGES):
            found = store.read_by_stream(until=until)
            what = f"read_by_stream(until={until}) is wrong"
            same_rows(kept(whole, until), found, what)


@scripted
def reads_what_comes_meanwhile(open_store: OpenStore) -> None:
    """A reader of a long log gets what is added meanwhile; one by stream does not."""
    with long_store(open_store) as (store, rows):
        log, by_stream = store.read_all(), store.read_by_stream()
        same_rows(rows[:1], islice(log, 1), "the first row is wrong")
        append(store, draft("late", "odd"), draft("later", "t"))
        late = list(store.read_all(after=LONG))
        same_rows([*rows[1:], *late], log, "read_all(), begun before, is wrong")
        found = [row.position for row in islice(by_stream, LONG + 1)]
        what = "read_by_stream(), called before, gives what came later"
        equal_lists(list(range(1, LONG + 1)), sorted(found), what)


@scripted
def readers_do_not_disturb_each_other(open_store: OpenStore) -> None:
    """Iterators over one store advance apart."""
    with long_store(open_store) as (store, _):
        half = LONG // 2
        one, other = store.read_all(), store.read_all(after=half)
        pairs = [(a.position, b.position) for a, b in zip(one, other, strict=False)]
        expected = [(n, n + half) for n in range(1, LONG - half + 1)]
        equal_lists(expected, pairs, "two readers in turns get other positions")


@over_few_logs
def readers_see_a_beginning(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """Who reads while others append gets all that there was, and then what follows."""
    clock, told = Clock(), Told()
    with opened(open_store, clock) as store:
        readers = list[tuple[int, Iterator[Row]]]()
        for batch, now_us in dated(lifecycle, log, clock):
            store.append(batch, told.versions(batch))
            told.take(batch, now_us)
            reader = iter(store.read_all())
            same_rows(told.rows[:1], islice(reader, 1), "the first row is wrong")
            readers.append((len(told.rows), reader))
        for known, reader in readers:
            rest = list(islice(reader, len(told.rows)))
            what = f"a reader begun at head {known} skipped or doubled something"
            same_rows(told.rows[1 : len(rest) + 1], rest, what)
            ensure(
                len(rest) + 1 >= known, f"a reader begun at head {known} missed some"
            )
