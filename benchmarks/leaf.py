"""What the leaf hash beside every event costs an append: the same, with and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import apsw
from benchmarks import data
from benchmarks.cases import PER, Bench
from benchmarks.measure import RAW, Contestant, Figure, Target, compete

from azcn_events.core.codec import Codec
from azcn_events.core.events import Fact
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.ledger import Ledger
from azcn_events.stores.protocol import Draft, Stamp
from azcn_events.stores.sqlite import SqliteStore

__all__ = ["CASES"]

SIZE: Final = 1000
STORE: Final = "azcn_events.stores.sqlite.store"
INSERT: Final = """
    INSERT INTO event (position, stream, version, kind, recorded_us, earliest,
                       latest, id, payload, metadata, checksum)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10, ?11, ?12)
"""
"""As the store's, but for the leaf, which is the ninth value."""


def no_leaves(drafts: Sequence[Draft], stamps: Sequence[Stamp]) -> Iterator[bytes]:
    """Stand in for hashing."""
    del stamps
    return repeat(b"", len(drafts))


def leafless(path: Path) -> SqliteStore:
    """Open a store whose table of events has no column for leaves."""
    SqliteStore.open(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("ALTER TABLE event DROP COLUMN leaf")
    connection.close()
    return SqliteStore.open(path, durability="normal")


def leaves(bench: Bench) -> Iterator[Figure]:
    """Batches of a thousand, in three ways; the limit does the same without leaves."""
    codec = Codec(INVESTMENT)

    def encoded(facts: list[Any]) -> list[Draft]:
        return [data.draft(*fact, codec) for fact in facts]

    def append(store: SqliteStore, batches: list[list[Draft]]) -> None:
        for drafts in batches:
            store.append(drafts, {draft.stream: 0 for draft in drafts})

    def encode(store: SqliteStore, batches: list[list[Any]]) -> None:
        for facts in batches:
            append(store, [encoded(facts)])

    def record(store: SqliteStore, batches: list[list[Any]]) -> None:
        for facts in batches:
            Ledger(store).record_all(Fact(*fact) for fact in facts)

    def stored(turn: int) -> list[list[Draft]]:
        return [encoded(facts) for facts in _facts(bench, turn)]

    def constructed(turn: int) -> list[list[Any]]:
        return _facts(bench, turn)

    yield from _compared(bench, "store.append", append, stored)
    yield from _compared(bench, "codec.encode + store.append", encode, constructed)
    yield from _compared(bench, "ledger.record_all", record, constructed)


def _facts(bench: Bench, turn: int) -> list[list[Any]]:
    """Give the facts of a turn, in batches of new streams."""
    count = bench.sizes.batches
    return [
        [
            (stream, event, data.id_of(first + place, version))
            for place, (stream, events) in enumerate(data.streams(first, SIZE // PER))
            for version, event in enumerate(events, 1)
        ]
        for first in range(turn * count // PER, (turn + 1) * count // PER, SIZE // PER)
    ]


def _compared(
    bench: Bench,
    name: str,
    run: Callable[[SqliteStore, Any], None],
    prepare: Callable[[int], Any],
) -> list[Figure]:
    store = SqliteStore.open(bench.path(), durability="normal")
    without = leafless(bench.path())

    def run_without(given: object) -> None:
        with patch(f"{STORE}._INSERT", INSERT), patch(f"{STORE}._leaves", no_leaves):
            run(without, given)

    count = bench.sizes.batches
    figures = compete(
        f"leaves, {name}",
        [
            Contestant(RAW, run_without, prepare),
            Contestant("with leaves", partial(run, store), prepare, (Target(1.1),)),
        ],
        turns=bench.sizes.turns,
        count=count,
    )
    assert (bench.sizes.turns + 1) * count == store.head() == without.head()
    store.close()
    without.close()
    return figures


CASES: Final = {"leaves": leaves}
