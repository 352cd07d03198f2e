"""Programs that die at a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from azcn_events.stores.sqlite import SqliteStore
from azcn_events.testing.faults import workload
from azcn_events.testing.faults.findings import Problem
from azcn_events.testing.faults.recorder import quick_scratch
from azcn_events.testing.faults.statements import (
    Crash,
    Statements,
    crash_at_every_statement,
)
from azcn_events.testing.stand_ins import Clock

APPENDS = 3
EVENTS = 7
PAGE = 3


def test_no_death_harms_our_store() -> None:
    """After a death at any statement all is there that was acknowledged, and whole."""
    acknowledged: list[int] = []

    @contextmanager
    def setup() -> Iterator[Path]:
        acknowledged.clear()
        with quick_scratch() as directory:
            yield directory

    def run(directory: Path, statements: Statements) -> None:
        def connect(path: str) -> apsw.Connection:
            return statements.watch(apsw.Connection(path))

        store = SqliteStore.open(directory / "log.db", clock=Clock(), connect=connect)
        for number in range(1, APPENDS + 1):
            workload.append(store, number, 40)
            acknowledged.append(number)
        store.close()

    def go_on(directory: Path, _: Statements) -> None:
        with closing(SqliteStore.open(directory / "log.db", clock=Clock())) as store:
            workload.append(store, workload.last_number(store) + 1, 40)

    def check(directory: Path) -> list[Problem]:
        with closing(SqliteStore.open(directory / "log.db")) as store:
            return workload.problems_in(store, acknowledged)

    found = crash_at_every_statement(run, check, setup=setup, recover=go_on)
    assert () == found.problems
    assert found.tried["statements"] > 13 * APPENDS


@contextmanager
def a_log() -> Iterator[Path]:
    """Make a database with events to be summed."""
    with quick_scratch() as directory:
        path = directory / "model.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE event (position INTEGER PRIMARY KEY, ha)")
            connection.execute("CREATE TABLE model (total, seen)")
            connection.execute("INSERT INTO model VALUES (0, 0)")
            for number in range(1, EVENTS + 1):
                connection.execute("INSERT INTO event (ha) VALUES (?)", (number,))
        yield path


def read_model(writes: tuple[str, ...]) -> Callable[[Path, Statements], None]:
    """Make a read model that sums a log, page by page, by these statements."""

    def run(path: Path, statements: Statements) -> None:
        connection = statements.watch(sqlite3.connect(path, isolation_level=None))
        while True:
            [seen] = connection.execute("SELECT seen FROM model").fetchone()
            cursor = connection.cursor()
            cursor.execute(
                "SELECT position, ha FROM event WHERE position > ? LIMIT ?",
                (seen, PAGE),
            )
            rows = list(cursor)
            if not rows:
                return
            values = {"seen": rows[-1][0], "sum": sum(ha for _, ha in rows)}
            for write in writes:
                connection.execute(write, values)

    return run


ADD = "UPDATE model SET total = total + :sum"
MARK = "UPDATE model SET seen = :seen"


def check_total(path: Path) -> list[Problem]:
    """Compare the model with the sum."""
    with closing(sqlite3.connect(path)) as connection:
        [total] = connection.execute("SELECT total FROM model").fetchone()
    due = sum(range(1, EVENTS + 1))
    return [] if total == due else [Problem("wrong", f"{total}, not {due}")]


def test_one_transaction_survives_every_death() -> None:
    """State and checkpoint in one transaction: every event is counted once."""
    run = read_model(("BEGIN", ADD, MARK, "COMMIT"))
    found = crash_at_every_statement(run, check_total, setup=a_log, recover=run)
    assert () == found.problems
    assert {"statements": 20, "deaths": 40} == found.tried


@pytest.mark.parametrize(
    ("writes", "total"), [((ADD, MARK), 34), ((MARK, ADD), 22)], ids=["late", "early"]
)
def test_two_transactions_are_caught(writes: tuple[str, ...], total: int) -> None:
    """A checkpoint written after or before the state counts a page twice or never."""
    run = read_model(writes)
    found = crash_at_every_statement(run, check_total, setup=a_log, recover=run)
    assert {"wrong": 6} == found.counts()
    first = found.problems[0]
    assert (f"{total}, not 28", "after statement 3") == (first.detail, first.where)


def test_a_block_that_commits_is_a_statement() -> None:
    """The driver's own ``with`` can be the last statement, and keeps nothing."""
    with a_log() as path:
        dying = Statements(last=2)
        connection = dying.watch(sqlite3.connect(path))
        with pytest.raises(Crash, match="before statement 2"), connection:
            connection.execute("UPDATE model SET total = 1")
        dying.bury()
        with closing(sqlite3.connect(path)) as after:
            assert (0,) == after.execute("SELECT total FROM model").fetchone()


def test_the_dead_say_nothing_more() -> None:
    """What tidies up after a death, as ``finally`` does, reaches no database."""
    with a_log() as path:
        dying = Statements(last=1)
        connection = dying.watch(sqlite3.connect(path, isolation_level=None))
        with pytest.raises(Crash):
            connection.execute("BEGIN")
        with pytest.raises(Crash):
            connection.execute("UPDATE model SET total = 1")
        dying.bury()
        assert check_total(path) == [Problem("wrong", "0, not 28")]


def test_the_dead_hold_no_lock() -> None:
    """What was begun and not committed is gone, and others may write at once."""
    with a_log() as path:
        dying = Statements(last=3)
        connection = dying.watch(sqlite3.connect(path, isolation_level=None))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE model SET total = 1")
        with pytest.raises(Crash):
            connection.execute("COMMIT")
        dying.bury()
        with closing(sqlite3.connect(path, timeout=0)) as after:
            after.execute("UPDATE model SET seen = 0")
            assert (0,) == after.execute("SELECT total FROM model").fetchone()


def unfinished_in_apsw(path: Path, dying: Statements) -> tuple[object, object]:
    """Begin a transaction, and leave a row unfetched and another not yet inserted."""
    connection = dying.watch(apsw.Connection(str(path)))
    connection.execute("BEGIN IMMEDIATE")
    insert = "INSERT INTO event (ha) VALUES (?) RETURNING position"
    return connection, connection.executemany(insert, [(8,), (9,)])


def unfinished_in_sqlite3(path: Path, dying: Statements) -> tuple[object, object]:
    """Begin a transaction, change something, and leave most rows unfetched."""
    connection = dying.watch(sqlite3.connect(path, isolation_level=None))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE model SET total = 1")
    cursor = connection.execute("SELECT ha FROM event")
    next(cursor)
    return connection, cursor


@pytest.mark.parametrize(
    ("begin", "connect"),
    [
        (unfinished_in_apsw, apsw.Connection),
        (unfinished_in_sqlite3, partial(sqlite3.connect, timeout=0)),
    ],
    ids=["apsw", "sqlite3"],
)
def test_a_cursor_of_the_dead_holds_no_lock(
    begin: Callable[[Path, Statements], tuple[object, object]],
    connect: Callable[[str], Any],
) -> None:
    """Nor do rows that were not fetched, though a traceback still holds the cursor.

    Asked by the same library, as two in one process do not see each other's locks.
    """
    with a_log() as path:
        dying = Statements()
        held = begin(path, dying)
        dying.bury()
        with closing(connect(str(path))) as after:
            after.execute("BEGIN IMMEDIATE")
        assert check_total(path) == [Problem("wrong", "0, not 28")]
        del held
