"""Power cuts: our stores keep their promises, and those that do not are caught."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.testing.faults.wrong_stores import hasty, piecemeal, unsynced

from azcn_events.testing.faults.disk import Operation
from azcn_events.testing.faults.findings import Problem, unusable
from azcn_events.testing.faults.openers import sqlite_full, sqlite_normal
from azcn_events.testing.faults.power_cuts import (
    LONG,
    NothingRecorded,
    cut_power,
    recorded_work,
    try_images,
)
from azcn_events.testing.faults.recorder import quick_scratch, recorded_disk
from azcn_events.testing.stand_ins import OpenStore, in_memory


def test_a_store_that_waits_for_its_disk_loses_nothing() -> None:
    """At any moment, its making included, the acknowledged is there and whole."""
    found = cut_power(sqlite_full, count=400)
    assert () == found.problems
    assert 400 == found.tried["images"]


def test_a_store_that_does_not_wait_loses_only_the_last() -> None:
    """What was acknowledged may be gone, but nothing is torn, altered or damaged."""
    found = cut_power(sqlite_normal, count=400, integrity_every=3)
    assert found.counts().keys() == {"lost"}


@pytest.mark.parametrize("open_store", [sqlite_full, sqlite_normal])
def test_moving_the_log_into_the_file_may_be_cut(open_store: OpenStore) -> None:
    """Nor is anything torn while the log is moved and begun anew."""
    found = cut_power(open_store, count=40, sessions=LONG, integrity_every=5)
    allowed = () if open_store is sqlite_full else ("lost",)
    assert () == found.other_than(*allowed)


@pytest.mark.parametrize(
    ("open_store", "due"),
    [
        (hasty, {"lost"}),
        (piecemeal, {"torn"}),
        (unsynced, {"lost", "unusable", "corrupt"}),
    ],
)
def test_a_wrong_store_is_caught(open_store: OpenStore, due: set[str]) -> None:
    """Each store that breaks a promise is told which."""
    found = cut_power(open_store, count=200)
    assert due == found.counts().keys()


def test_a_finding_can_be_had_again() -> None:
    """The same seed finds the same, and another looks elsewhere."""
    found = [cut_power(hasty, count=30, seed=seed) for seed in (1, 1, 2)]
    assert str(found[0]) == str(found[1])
    assert found[0].problems != found[2].problems


def test_a_store_that_is_not_seen_is_refused() -> None:
    """What writes nothing by ``apsw`` has not passed: it was not tried."""
    with pytest.raises(NothingRecorded, match="kill_writers"):
        cut_power(in_memory())


COMMITS = 6


def plain_work(journal: str, synchronous: str) -> list[Operation]:
    """Commit some rows to a plain database, and acknowledge each."""
    with quick_scratch() as directory, recorded_disk(directory) as recorder:
        with closing(apsw.Connection(str(directory / "x.db"))) as connection:
            connection.pragma("synchronous", synchronous)
            connection.pragma("journal_mode", journal)
            connection.execute("CREATE TABLE t (x)")
            for number in range(1, COMMITS + 1):
                connection.execute("INSERT INTO t VALUES (zeroblob(9000))")
                recorder.acknowledge(number)
        return recorder.operations


def check_rows(directory: Path, acknowledged: Sequence[int]) -> list[Problem]:
    """Count the rows of the plain database."""
    try:
        with closing(apsw.Connection(str(directory / "x.db"))) as connection:
            answer = connection.pragma("integrity_check")
            if answer != "ok":
                return [Problem("corrupt", str(answer))]
            tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
            rows = connection.execute("SELECT 1 FROM t").fetchall() if tables else []
    except apsw.Error as error:
        return [unusable(error)]
    return [Problem("lost", "")] if len(rows) < len(acknowledged) else []


@pytest.mark.parametrize(
    ("journal", "synchronous", "due"),
    [
        ("wal", "full", set[str]()),
        ("truncate", "full", set[str]()),
        ("delete", "extra", set[str]()),
        ("delete", "full", {"lost"}),
        ("wal", "normal", {"lost"}),
    ],
)
def test_sqlite_keeps_what_it_promises(
    journal: str, synchronous: str, due: set[str]
) -> None:
    """The disk is as harsh as SQLite expects, and no harsher.

    Its pages say: FULL is durable with a log; with a journal that is deleted only
    EXTRA is (sqlite.org/pragma.html#pragma_synchronous).
    """
    operations = plain_work(journal, synchronous)
    assert due == try_images(operations, check_rows, count=300).counts().keys()


def test_sqlite_without_syncs_is_damaged() -> None:
    """With OFF there is no promise, and the damage is seen."""
    found = try_images(plain_work("wal", "off"), check_rows, count=300)
    assert {"corrupt", "unusable"} & found.counts().keys()


def test_the_recording_holds_every_acknowledgement() -> None:
    """The moments that matter most are in it, one for each append."""
    work = recorded_work(sqlite_full, [[40, 40], [40]])
    assert [1, 2, 3] == [n for one in work if (n := getattr(one, "number", 0))]
