"""Several processes, and processes that are killed, on one SQLite file."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from azcn_events.stores.protocol import Draft
from azcn_events.stores.sqlite import SqliteStore

CRASH_ROUNDS = int(os.environ.get("AZCN_CRASH_ROUNDS", "12"))


if TYPE_CHECKING:
    from tests.stores.conftest import StartChild


def integrity(path: Path) -> Any:
    """Ask SQLite itself, over a connection of our own."""
    connection = apsw.Connection(str(path))
    try:
        assert not list(connection.execute("PRAGMA foreign_key_check"))
        return connection.pragma("integrity_check")
    finally:
        connection.close()


@pytest.mark.parametrize("writers", [2, 4, 8])
def test_no_writer_starves(start: StartChild, tmp_path: Path, writers: int) -> None:
    """Writers that append without pause each get a fair share of the file."""
    path, seconds = tmp_path / "ledger.db", 1.5
    children = [start("write", path, f"w{n}", seconds) for n in range(writers)]
    for child in children:
        child.go()
    told = [child.ends() for child in children]
    appended = [one["appended"] for one in told]
    # Measured: 0.8 and more. Without a line of waiting writers: 0.0 to 0.4.
    assert min(appended) >= max(appended) / 4, told
    store = SqliteStore.open(path)
    assert sum(appended) == store.head()
    assert appended == [store.version(f"w{n}") for n in range(writers)]
    assert list(range(1, sum(appended) + 1)) == [r.position for r in store.read_all()]
    store.close()


@pytest.mark.parametrize("writers", [2, 4, 8])
def test_writers_lose_and_double_nothing(
    start: StartChild, tmp_path: Path, writers: int
) -> None:
    """On a shared stream every event was decided upon exactly the one before it.

    Meanwhile a reader in another process sees every event once, in order.
    """
    path, times = tmp_path / "ledger.db", 160 // writers
    store = SqliteStore.open(path)
    reader = start("tail", path, "over")
    children = [start("compete", path, f"w{n}", times) for n in range(writers)]
    for child in [reader, *children]:
        child.go()
    for child in children:
        child.ends()
    total = 2 * times * writers
    assert total == store.head()
    store.append([Draft("end", "over", "k/1", b"{}")], {"end": 0})

    rows = list(store.read_all())
    assert list(range(1, total + 2)) == [row.position for row in rows]
    saw = [int(row.payload) for row in store.read("shared")]
    assert list(range(times * writers)) == saw
    for n in range(writers):
        own = [int(row.payload) for row in store.read(f"w{n}")]
        assert list(range(times)) == own
    read = reader.ends()
    assert [row.position for row in rows] == read["positions"]
    assert [row.id for row in rows] == read["ids"]
    store.close()
    assert "ok" == integrity(path)


@pytest.mark.parametrize("empty", [False, True])
def test_several_may_make_the_file_at_once(
    start: StartChild, tmp_path: Path, *, empty: bool
) -> None:
    """Six processes open an absent or empty file at the same moment: all succeed."""
    for round_ in range(3):
        path = tmp_path / f"{round_}.db"
        if empty:
            path.touch()
        children = [start("add_one", path, f"w{n}") for n in range(6)]
        for child in children:
            child.go()
        assert ["stored"] * 6 == [child.ends() for child in children]
        store = SqliteStore.open(path)
        assert {f"w{n}" for n in range(6)} == {row.id for row in store.read_all()}
        store.close()


def test_a_killed_writer_loses_nothing(start: StartChild, tmp_path: Path) -> None:
    """Killed at any moment: what was acknowledged is there, and no half batch."""
    path = tmp_path / "ledger.db"
    moments = random.Random(2025)  # noqa: S311 - moments, not secrets
    promised: dict[str, int] = {}
    unsaid = 0
    for round_ in range(CRASH_ROUNDS):
        victim, other = (start("triples", path, f"{round_}{c}") for c in "vo")
        victim.go()
        other.go()
        victim.hears()
        time.sleep(moments.random() * 0.08)
        for child in (victim, other):  # The other goes on after the first has died.
            promised.update({name: position for position, name in child.killed()})

        store = SqliteStore.open(path)
        rows = list(store.read_all())
        assert list(range(1, len(rows) + 1)) == [row.position for row in rows]
        parts = Counter(row.id.rpartition("-")[0] for row in rows)
        assert {3} == set(parts.values())
        stored = {row.id: row.position for row in rows if row.id.endswith("-0")}
        assert promised.items() <= stored.items()
        unsaid = len(stored) - len(promised)
        sorted_rows = sorted(rows, key=lambda row: (row.stream, row.version))
        assert sorted_rows == list(store.read_by_stream())
        name = f"{round_}p-0"
        again = [Draft("c", f"{name}-{n}", "k/1", b"{}") for n in range(3)]
        [stamp, *_] = store.append(again, {"c": store.version("c")})
        assert len(rows) + 1 == stamp.position
        promised[f"{name}-0"] = stamp.position
        store.close()
        assert "ok" == integrity(path)
    # For each that was killed at most one batch was stored and not yet told; and
    # what the victim said first, to show that it runs, is not among the promised.
    assert 0 <= unsaid <= 3 * CRASH_ROUNDS


def test_making_a_file_may_be_killed(start: StartChild, tmp_path: Path) -> None:
    """Killed while making a store: the next process can make or use it."""
    moments = random.Random(2025)  # noqa: S311 - moments, not secrets
    for round_ in range(max(CRASH_ROUNDS // 3, 4)):
        directory = tmp_path / str(round_)
        directory.mkdir()
        child = start("make", directory)
        child.go()
        child.hears()
        time.sleep(moments.random() * 0.05)
        child.killed()
        for path in list(directory.glob("*.db")):
            store = SqliteStore.open(path)
            store.append([Draft("s", "e", "k/1", b"{}")], {"s": 0})
            store.close()
            assert "ok" == integrity(path)


def longest_log(start: StartChild, path: Path) -> int:
    """Append while four processes read all the time; give the log's longest size."""
    store = SqliteStore.open(path, durability="normal")
    drafts = [Draft("s", f"{n}", "k/1", b"x" * 200) for n in range(5000)]
    store.append(drafts, {"s": 0})
    readers = [start("scan", path, 3) for _ in range(4)]
    for reader in readers:
        reader.go()
    longest, number, end = 0, 5000, time.monotonic() + 2.5
    while time.monotonic() < end:
        drafts = [Draft("s", f"{number + n}", "k/1", b"x" * 200) for n in range(100)]
        store.append(drafts, {"s": number})
        number += 100
        longest = max(longest, path.with_name(f"{path.name}-wal").stat().st_size)
    for reader in readers:
        reader.ends()
    store.close()
    return longest


def test_readers_do_not_make_the_log_grow(start: StartChild, tmp_path: Path) -> None:
    """While four processes read all the time, the write-ahead log stays short.

    A reader that a busy machine lets wait in the middle of a page holds the log up for
    as long: so one run of three is enough.
    """
    # 33 MB is where a writer begins to wait; without that, 100 MB in 5 seconds.
    assert any(
        longest_log(start, tmp_path / f"{number}.db") < 48_000_000
        for number in range(3)
    )


def test_a_forked_process_must_open_again(start: StartChild, tmp_path: Path) -> None:
    """In the child every use is refused; the parent goes on undisturbed."""
    child = start("fork", tmp_path / "ledger.db")
    child.go()
    assert ["forked", "forked", "forked"] == child.hears()
    assert ["1", "3", "4"] == child.ends()
