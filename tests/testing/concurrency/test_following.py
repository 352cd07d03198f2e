"""Whoever follows the log by position gets every event, once and in order."""

from __future__ import annotations

import os
import time

import pytest
from tests.testing.concurrency import racy

from azcn_events.errors import InvalidValue
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft
from azcn_events.testing.concurrency import (
    Followed,
    How,
    Kind,
    Place,
    following,
    tail_anomalies,
)
from azcn_events.testing.stand_ins import OpenStore, in_memory, on_sqlite

APPENDS = int(os.environ.get("AZCN_FOLLOWED_APPENDS", "100"))
"""How often each of four writers appends; more for a campaign."""

RUNS_MAX = 10
"""How often a racy store may be lucky."""

ONE, TWO, THREE = Place(1, "a"), Place(2, "b"), Place(3, "c")


@pytest.mark.parametrize(
    ("open_store", "how"),
    [
        (on_sqlite, "processes"),
        (on_sqlite, "threads"),
        (in_memory(), "threads"),
        (racy.opening(racy.Sketch), "processes"),
    ],
    ids=["sqlite-processes", "sqlite-threads", "memory-threads", "sketch-processes"],
)
def test_a_good_store_skips_nothing(open_store: OpenStore, how: How) -> None:
    """Four writers, one follower: it gets the whole log, in the log's order."""
    begun = time.monotonic()
    followed = tail_anomalies(open_store, appends=APPENDS, how=how)
    print(f"{how}: {followed}, {time.monotonic() - begun:.1f} s")  # noqa: T201 - figures
    assert [] == followed.anomalies, str(followed)
    assert followed.log == followed.seen
    assert sorted(followed.told) == sorted(followed.log)
    assert len(followed.log) >= 4 * APPENDS


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (
            racy.FromSequence,
            Kind.SKIPPED,
            "in the log, and never given to the follower",
        ),
        (racy.Deferred, Kind.FAILING, "OperationalError: database is locked"),
    ],
)
def test_a_racy_store_is_caught(
    fault: type[racy.Sketch], kind: Kind, words: str
) -> None:
    """Positions of which a lower one is committed later; a lock that is not got."""
    for seed in range(RUNS_MAX):
        followed = tail_anomalies(racy.opening(fault), seed=seed)
        if followed.anomalies:
            break
    assert [kind] == [one.kind for one in followed.anomalies]
    assert words in str(followed)


def test_a_store_in_memory_is_pointed_to_threads() -> None:
    """As processes each has its own: everything seems lost, and it is said why."""
    hint = 'it wants how="threads"'
    assert hint in str(tail_anomalies(in_memory(), writers=2, appends=5))
    assert hint not in str(tail_anomalies(on_sqlite, writers=2, appends=5))


@pytest.mark.parametrize(
    ("kinds", "told", "seen", "log"),
    [
        ([], [ONE, TWO], [ONE, TWO], [ONE, TWO]),
        ([Kind.GAP], [], [ONE, THREE], [ONE, THREE]),
        ([Kind.LOST], [ONE, TWO], [ONE], [ONE]),
        ([Kind.SKIPPED], [], [ONE, THREE], [ONE, TWO, THREE]),
        ([Kind.FOREIGN], [], [ONE, TWO], [ONE]),
        ([Kind.DOUBLED], [], [ONE, TWO, TWO], [ONE, TWO]),
        ([Kind.OUT_OF_ORDER], [], [ONE, THREE, TWO], [ONE, TWO, THREE]),
    ],
)
def test_each_anomaly_has_its_name(
    kinds: list[Kind], told: list[Place], seen: list[Place], log: list[Place]
) -> None:
    """A follower with one thing wrong gives that one anomaly."""
    followed = Followed(tuple(told), tuple(seen), tuple(log), ())
    assert kinds == [one.kind for one in followed.anomalies]


def test_an_anomaly_names_the_first_few_places() -> None:
    """And says how many more there are."""
    log = tuple(Place(number, f"e{number}") for number in range(1, 10))
    [anomaly] = Followed((), log[:1], log, ()).anomalies
    assert (
        "e2 at 2, e3 at 3, e4 at 4, e5 at 5 and 4 more:"
        " in the log, and never given to the follower (skipped)"
    ) == str(anomaly)


def test_the_follower_asks_once_more_when_the_writers_are_over() -> None:
    """What they appended last may have come after it had last asked."""
    store = MemoryStore()

    def is_over() -> bool:
        store.append([Draft("s", "the last", "k/1", b"{}")], {"s": 0})
        return True

    assert [Place(1, "the last")] == following._follow(store, is_over)


@pytest.mark.parametrize("what", ["writers", "appends"])
def test_nobody_and_nothing_to_follow(what: str) -> None:
    """Nothing would be skipped of nothing, whatever the store."""
    with pytest.raises(InvalidValue, match=f"there would be no {what}"):
        tail_anomalies(on_sqlite, **{what: 0})  # type: ignore[arg-type] # counts
