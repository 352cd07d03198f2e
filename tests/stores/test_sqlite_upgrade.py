"""Files of version 1, which had no leaf hashes: they become files of version 2."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from azcn_events.core.leaf import leaf_of
from azcn_events.errors import StoreFull, StoreUnusable
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row
from azcn_events.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.stores.conftest import StartChild

SCHEMA_1 = Path(__file__).with_name("version_1.sql")
"""How release 0.1 made its files; never edited."""


def some_rows(count: int) -> list[Row]:
    """Give the rows of a log: several streams, kinds, times and texts."""
    store = MemoryStore(lambda: 1_764_147_600_000_000)
    for n in range(count):
        stream = f"agreement/{n % 7} é"
        payload = f"{{{n:{n % 300}}}}".encode()
        draft = Draft(stream, f"id{n}", f"k{n % 3}/1", payload, b"\xff" * (n % 3), n)
        store.append([draft], {stream: store.version(stream)})
    return list(store.read_all())


def old_file(path: Path, rows: list[Row]) -> None:
    """Make a file as release 0.1 did; its days are made of the positions."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA_1.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("BEGIN")
        for table, names in (
            ("stream", dict.fromkeys(row.stream for row in rows)),
            ("kind", dict.fromkeys(row.kind for row in rows)),
        ):
            sql = f"INSERT INTO {table} (name) VALUES (?)"  # noqa: S608 - two names of ours
            connection.executemany(sql, [(name,) for name in names])
        connection.executemany(
            """INSERT INTO event VALUES (
                   :position, (SELECT id FROM stream WHERE name = :stream),
                   :version, (SELECT id FROM kind WHERE name = :kind),
                   :recorded_us, :position % 5 - 9, nullif(:position, 3),
                   :id, :payload, :metadata, :checksum)""",
            [row._asdict() for row in rows],
        )
        connection.execute("COMMIT")


def asked(path: Path, sql: str) -> list[Any]:
    """Ask the file behind the store's back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return connection.execute(sql).fetchall()


def schema_of(path: Path) -> list[Any]:
    """Give the text of everything that is declared in a file."""
    return asked(path, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 2")


def check_upgraded(path: Path, rows: list[Row]) -> None:
    """Open a file; it must hold the rows, with their leaf hashes."""
    with closing(SqliteStore.open(path)) as store:
        assert rows == list(store.read_all())
        assert [leaf_of(row) for row in rows] == list(store.leaves())
    assert [(2,)] == asked(path, "PRAGMA user_version")
    assert [(b"ok",)] == asked(path, "PRAGMA integrity_check")
    assert [] == asked(path, "PRAGMA foreign_key_check")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "ledger.db"


@pytest.mark.parametrize("count", [0, 1, 2500])
def test_an_old_file_gets_its_leaves(path: Path, count: int) -> None:
    """Nothing of its rows changes, and it is as if it had been made now."""
    rows = some_rows(count)
    old_file(path, rows)
    days = "SELECT position, earliest, latest FROM event ORDER BY position"
    log, bounds = asked(path, "SELECT * FROM log"), asked(path, days)
    check_upgraded(path, rows)
    assert log == asked(path, "SELECT * FROM log")
    assert bounds == asked(path, days)
    new = path.with_name("new.db")
    SqliteStore.open(new).close()
    assert schema_of(new) == schema_of(path)
    with closing(SqliteStore.open(path)) as store:
        store.append([Draft("new", "new", "k/1", b"")], {"new": 0})
        *_, last = store.read_all()
        assert [leaf_of(last)] == list(store.leaves(after=count))


def test_views_of_others_stay(path: Path) -> None:
    """A view that somebody made for himself is left as it is, and works."""
    rows = some_rows(10)
    old_file(path, rows)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE VIEW mine AS SELECT id FROM event JOIN kind USING (id)"
        )
        connection.execute(
            'CREATE TRIGGER "a ""trigger" BEFORE DELETE ON kind BEGIN SELECT 1; END'
        )
    mine = "SELECT sql FROM sqlite_schema WHERE name = 'mine'"
    before = asked(path, mine)
    check_upgraded(path, rows)
    assert before == asked(path, mine)
    assert [] == asked(path, "SELECT * FROM mine")


class Stopped(Exception):
    """An upgrade was broken off."""


def stopping(after: int) -> tuple[Callable[[str], apsw.Connection], list[str]]:
    """Give an opener of connections that break off at a statement, and what ran."""
    ran: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        ran.append(sql)
        if len(ran) > after:
            raise Stopped
        return True

    def connect(path: str) -> apsw.Connection:
        connection = apsw.Connection(path)
        connection.exec_trace = trace
        return connection

    return connect, ran


def test_broken_off_anywhere_it_is_an_old_file(path: Path) -> None:
    """Wherever an upgrade breaks off, the file is whole, of version 1 or 2."""
    rows = some_rows(12)
    old_file(path, rows)
    versions, after = [], 0
    while True:
        copy = path.with_name(f"{after}.db")
        shutil.copy(path, copy)
        connect, ran = stopping(after)
        try:
            SqliteStore.open(copy, connect=connect).close()
        except Stopped:
            versions += asked(copy, "PRAGMA user_version")
            assert [(b"ok",)] == asked(copy, "PRAGMA integrity_check")
            assert [(12,)] == asked(copy, "SELECT count(*) FROM log")
            check_upgraded(copy, rows)
        else:
            assert len(ran) == after
            break
        after += 1
    assert sorted(versions) == versions
    assert {(1,), (2,)} == set(versions)
    assert versions.count((1,)) > len(rows)


def test_a_killed_upgrade_leaves_a_whole_file(start: StartChild, path: Path) -> None:
    """Whenever a process is killed while it upgrades, the next one opens the file."""
    rows, chosen, seen = some_rows(4000), random.Random(5), set[Any]()  # noqa: S311 - moments, not secrets
    for _ in range(6):
        path.unlink(missing_ok=True)
        old_file(path, rows)
        child = start("upgrade", path)
        child.go()
        time.sleep(chosen.random() * 0.12)
        child.killed()
        seen.update(asked(path, "PRAGMA user_version"))
        check_upgraded(path, rows)
    assert seen <= {(1,), (2,)}


def test_processes_may_upgrade_at_once(start: StartChild, path: Path) -> None:
    """Several that open an old file at the same moment all get the upgraded one."""
    rows = some_rows(3000)
    old_file(path, rows)
    children = [start("upgrade", path) for _ in range(4)]
    for child in children:
        child.go()
    assert [{"leaves": 3000}] * 4 == [child.ends() for child in children]
    check_upgraded(path, rows)


BAD: dict[str, tuple[str, str]] = {
    "a line feed": (
        "UPDATE event SET id = 'a' || char(10) WHERE position = 5",
        "U+0020",
    ),
    "a late time": (
        "UPDATE event SET recorded_us = 1 << 60 WHERE position = 5",
        "9999",
    ),
    "a lost name": ("DELETE FROM stream WHERE id = 5", "position 5 is lost"),
    "no UTF-8": ("UPDATE kind SET name = CAST(x'ff' AS TEXT) WHERE id = 2", "UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_can_have_no_leaf_is_refused(path: Path, name: str) -> None:
    """An old file with a row that cannot be hashed is left as it was."""
    sql, said = BAD[name]
    old_file(path, some_rows(10))
    with closing(sqlite3.connect(path)) as connection:
        for trigger in asked(
            path, "SELECT name FROM sqlite_schema WHERE type='trigger'"
        ):
            connection.execute(f"DROP TRIGGER {trigger[0].decode()}")
        connection.execute(sql)
        connection.commit()
    before = list(dumped(path))
    with pytest.raises(StoreUnusable, match=said.replace("+", r"\+")) as caught:
        SqliteStore.open(path)
    assert "damaged" == caught.value.reason
    assert before == list(dumped(path))


def test_a_full_disk_leaves_an_old_file(path: Path) -> None:
    """An upgrade needs room for the table once more; without it nothing changes."""
    old_file(path, some_rows(2000))
    before = list(dumped(path))

    def connect(path: str) -> apsw.Connection:
        connection = apsw.Connection(path)
        connection.pragma("max_page_count", 150)
        return connection

    with pytest.raises(StoreFull):
        SqliteStore.open(path, connect=connect)
    assert before == list(dumped(path))


def dumped(path: Path) -> Iterator[Any]:
    """Give all that a file declares and holds."""
    yield asked(path, "PRAGMA user_version")
    yield schema_of(path)
    for table in ("event", "stream", "kind"):
        columns = [
            row[1].decode() for row in asked(path, f"PRAGMA table_info({table})")
        ]
        quoted = ", ".join(f"quote(CAST({column} AS BLOB))" for column in columns)
        yield asked(path, f"SELECT {quoted} FROM {table}")  # noqa: S608 - our own names
