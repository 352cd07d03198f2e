"""The disk that notes what SQLite does, and fails when it is told to."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from azcn_events.testing.faults.disk import (
    Acknowledged,
    Created,
    Deleted,
    DirectorySynced,
    Disk,
    Operation,
    Survival,
    Synced,
    Written,
)
from azcn_events.testing.faults.openers import sqlite_full, sqlite_normal
from azcn_events.testing.faults.power_cuts import LONG, recorded_work
from azcn_events.testing.faults.recorder import recorded_disk
from azcn_events.testing.stand_ins import OpenStore


def kinds(operations: list[Operation], name: str) -> list[str]:
    """Say in words what was done to one file, and when the directory was synced."""
    return [
        type(one).__name__
        for one in operations
        if isinstance(one, DirectorySynced) or getattr(one, "name", "") == name
    ]


def everything(operations: list[Operation]) -> dict[str, bytes]:
    """Give the files of a disk that loses nothing."""
    disk = Disk()
    for operation in operations:
        disk.do(operation)
    return disk.after_cut(Survival.EVERYTHING, random.Random(0))  # noqa: S311 - no secret


def test_the_recording_is_what_is_on_the_disk(tmp_path: Path) -> None:
    """At the end of any session, all that was noted gives the very same files."""
    path = tmp_path / "x.db"
    with recorded_disk(tmp_path) as recorder:
        for mode in ("wal", "delete", "wal"):
            with closing(apsw.Connection(str(path))) as connection:
                connection.pragma("journal_mode", mode)
                connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
                connection.execute("INSERT INTO t VALUES (zeroblob(20000))")
                connection.execute("DELETE FROM t WHERE rowid < 2; VACUUM")
            here = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
            assert here == everything(recorder.operations)


def test_a_new_journal_brings_its_directory(tmp_path: Path) -> None:
    """The first sync of a journal syncs the directory; its deletion does not."""
    path = str(tmp_path / "x.db")
    with recorded_disk(tmp_path) as recorder, closing(apsw.Connection(path)) as made:
        made.execute("CREATE TABLE t (x)")
    done = kinds(recorder.operations, "x.db-journal")
    assert ["Created", "Written", "Synced", "DirectorySynced"] == done[:4]
    assert ["Deleted"] == done[-1:]
    assert 1 == done.count("DirectorySynced")


def test_a_careful_deletion_syncs_the_directory(tmp_path: Path) -> None:
    """With ``synchronous=EXTRA`` SQLite asks for it, and that is noted."""
    path = str(tmp_path / "x.db")
    with recorded_disk(tmp_path) as recorder, closing(apsw.Connection(path)) as made:
        made.pragma("synchronous", "EXTRA")
        made.execute("CREATE TABLE t (x)")
    done = kinds(recorder.operations, "x.db-journal")
    assert ["Deleted", "DirectorySynced"] == done[-2:]


def test_other_directories_are_not_looked_at(tmp_path: Path) -> None:
    """Nor is anything opened after the block, even if a connection outlives it."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    before = apsw.vfs_names()
    path = str(outside / "x.db")
    with recorded_disk(inside) as recorder:
        left = apsw.Connection(path)
    with closing(left):
        left.execute("CREATE TABLE t (x)")
        assert before == apsw.vfs_names()
    with closing(apsw.Connection(str(inside / "x.db"))) as made:
        made.execute("CREATE TABLE t (x)")
    assert [] == recorder.operations


def test_a_failing_operation_is_not_done(tmp_path: Path) -> None:
    """SQLite gets the error, the file is as before, and nothing is noted."""
    path = tmp_path / "x.db"

    def failing(operation: Operation) -> int:
        is_hit = isinstance(operation, Written) and operation.name == "x.db"
        return apsw.SQLITE_FULL if is_hit else apsw.SQLITE_OK

    with (
        recorded_disk(tmp_path, failing) as recorder,
        closing(apsw.Connection(str(path))) as connection,
        pytest.raises(apsw.FullError),
    ):
        connection.execute("CREATE TABLE t (x)")
    assert b"" == path.read_bytes()
    assert not [one for one in recorder.operations if failing(one)]


@pytest.mark.parametrize("open_store", [sqlite_full, sqlite_normal])
def test_the_work_makes_moves_and_restarts_the_log(open_store: OpenStore) -> None:
    """The long work does all that SQLite does: otherwise no cut could hit it."""
    done = recorded_work(open_store, LONG)
    log = [one for one in done if getattr(one, "name", "") == "log.db-wal"]
    assert {Created, Written, Synced, Deleted} <= {type(one) for one in log}
    begun = [one for one in log if isinstance(one, Written) and one.offset == 0]
    opened = [one for one in log if isinstance(one, Created)]
    assert len(begun) == len(opened) + 1  # Once it was begun anew while open.
    told = [one.number for one in done if isinstance(one, Acknowledged)]
    assert list(range(1, sum(map(len, LONG)) + 1)) == told
