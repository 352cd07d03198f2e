"""Reading a ledger's file that may be damaged; nothing is written to it."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw
import pytest
from tests.stores.test_sqlite_files import directory

from azcn_events.core.leaf import leaf_of
from azcn_events.errors import InvalidValue, StoreBusy, StoreUnusable
from azcn_events.stores.protocol import Draft, Row
from azcn_events.stores.sqlite import SqliteStore, inspection, salvage
from azcn_events.stores.sqlite.inspection import (
    ABSENT,
    Lost,
    Oddity,
    Stored,
    Unreadable,
    inspect,
)

if TYPE_CHECKING:
    from tests.stores.conftest import StartChild

DAMAGED_FILES = int(os.environ.get("AZCN_DAMAGED_FILES", "300"))
"""How many files are damaged at random; some thousands make a campaign."""

SCHEMA_1: Final = Path(__file__).with_name("version_1.sql")
COUNT: Final = 400
PAGE: Final = 4096


def drafts(count: int) -> list[Draft]:
    """Give events of several streams, every fiftieth too large for a page."""
    return [
        Draft(
            f"stream {n % 9}",
            f"e{n}",
            f"k{n % 3}/1",
            f"{n:60}".encode() * (201 if n % 50 == 0 else 1),
            earliest=n,
            latest=None if n % 2 else n + 1,
            checksum=n,
        )
        for n in range(count)
    ]


def make(path: Path, count: int = COUNT) -> list[Stored]:
    """Make a ledger; give what must be read of it."""
    with closing(SqliteStore.open(path)) as store:
        given = drafts(count)
        store.append(given, dict.fromkeys([one.stream for one in given], 0))
        rows = list(store.read_all())
    return [due(row, one) for row, one in zip(rows, given, strict=True)]


def due(row: Row, draft: Draft) -> Stored:
    """Give what is due for a row."""
    return Stored(*row, draft.earliest, draft.latest, leaf_of(row))


def run(path: Path, *sql: str) -> None:
    """Change a file behind everybody's back, triggers and checks put aside."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for one in sql:
            connection.execute(one)


def inspected(path: Path) -> list[Stored | Unreadable | Oddity]:
    """Inspect a file, whose bytes must stay what they are."""
    beside = [path, path.with_name(f"{path.name}-wal")]
    before = [one.read_bytes() if one.exists() else b"" for one in beside]
    found = list(inspect(path))
    after = [one.read_bytes() if one.exists() else b"" for one in beside]
    assert before == after
    return found


def rows_in(found: list[Stored | Unreadable | Oddity]) -> list[Stored]:
    """Give the rows alone."""
    return [one for one in found if isinstance(one, Stored)]


def gaps_in(found: list[Stored | Unreadable | Oddity]) -> list[Unreadable]:
    """Give the gaps alone."""
    return [one for one in found if isinstance(one, Unreadable)]


def oddities_in(found: list[Stored | Unreadable | Oddity]) -> list[Oddity]:
    """Give the oddities alone."""
    return [one for one in found if isinstance(one, Oddity)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "a ledger%20?#é.db"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Stored]]:
    """Give the bytes of an undamaged file, and what is in it."""
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    rows = make(path)
    return path.read_bytes(), rows


@pytest.mark.parametrize("count", [0, 1, COUNT])
def test_a_whole_file_gives_its_rows(path: Path, count: int) -> None:
    """Every column of every row, in order, and nothing else."""
    assert make(path, count) == inspected(path)


def test_an_old_file_has_no_leaves(path: Path) -> None:
    """In a file of version 1 that column is absent, and nothing is odd about it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1.read_text(encoding="utf-8"))
        connection.execute("INSERT INTO stream VALUES (1, 's')")
        connection.execute("INSERT INTO kind VALUES (1, 'k')")
        row = (1, 1, 1, 1, 9, 2, None, "e", b"\1", b"\2", 3)
        connection.execute("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)
        connection.commit()
    expected = Stored(1, "s", 1, "e", "k", 9, b"\1", b"\2", 3, 2, None, ABSENT)
    assert [expected] == inspected(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    odd = Oddity("table", "the table event has no column leaf")
    assert [odd, expected] == inspected(path)


def test_what_is_in_the_log_is_read(path: Path) -> None:
    """A file in use is read with its write-ahead log, as it was at the beginning."""
    rows = make(path)
    with closing(SqliteStore.open(path)) as store:
        late = Draft("late", "late", "k0/1", b"{}")
        store.append([late], {"late": 0})
        *_, row = store.read_all()
        with closing(apsw.Connection(str(path))) as connection:
            connection.pragma("user_version", 9)
        found = inspect(path)
        odd = next(found)
        store.append([Draft("later", "later", "k9/1", b"{}")], {"later": 0})
        assert isinstance(odd, Oddity)
        assert [*rows, due(row, late)] == list(found)


def test_a_log_left_behind_is_read_and_kept(path: Path) -> None:
    """The log of a process that died is used, and not moved into the file."""
    with closing(SqliteStore.open(path)) as store:
        rows = drafts(50)
        store.append(rows, dict.fromkeys([one.stream for one in rows], 0))
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    assert 50 == len(inspected(copy))
    assert Path(f"{copy}-wal").stat().st_size


def by_nobody(start: StartChild, path: Path) -> Any:
    """Inspect a file in a directory that cannot be written, without root's rights."""
    path.parent.chmod(0o555)
    child = start("inspect_as_nobody", path)
    child.go()
    found = child.ends()
    path.parent.chmod(0o777)
    return found


def test_a_directory_may_be_read_only(start: StartChild, open_folder: Path) -> None:
    """A file is read also where nothing can be written beside it."""
    path = open_folder / "a ledger%20?#é.db"
    make(path, 3)
    before = directory(path)
    assert [1, 2, 3] == by_nobody(start, path)
    assert before == directory(path)


def test_a_log_that_cannot_be_used_is_named(
    start: StartChild, path: Path, open_folder: Path
) -> None:
    """Without the log's latest events the file is not whole, and this is said."""
    make(path, 3)
    copy = open_folder / "copy.db"
    with closing(SqliteStore.open(path)) as store:
        store.append([Draft("late", "late", "k0/1", b"{}")], {"late": 0})
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    odd, *rows = by_nobody(start, copy)
    assert [1, 2, 3] == rows
    assert odd.startswith(f"{copy}-wal was left out")


def test_a_journal_is_not_undone(path: Path) -> None:
    """A change that was broken off is left as it is, and this is said."""
    make(path, 3)
    run(path, "PRAGMA journal_mode = delete")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA cache_size = 1; BEGIN; CREATE TABLE other (x)")
        connection.execute("INSERT INTO other VALUES (zeroblob(100000))")
        connection.cache_flush()
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-journal", f"{copy}-journal")
    journal = Path(f"{copy}-journal").read_bytes()
    assert journal.startswith(bytes.fromhex("d9d505f920a163d7"))
    odd = oddities_in(inspected(copy))[0]
    assert "file" == odd.code
    assert f"{copy}-journal was left out" in odd.problem
    assert journal == Path(f"{copy}-journal").read_bytes()


def test_what_is_not_there_is_refused(path: Path) -> None:
    """No file, a directory, what cannot be a path: refused at once."""
    for wrong in (path, path.parent):
        with pytest.raises(StoreUnusable) as caught:
            inspect(wrong)
        assert "missing" == caught.value.reason
    with pytest.raises(InvalidValue):
        inspect(":memory:")


def test_a_locked_file_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that keeps others out is waited for, and then named as the reason."""
    monkeypatch.setattr(inspection, "_LIMIT_S", 0.05)
    make(path, 3)
    run(path, "PRAGMA journal_mode = delete")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            list(inspect(path))


# Damage that SQLite lets through


TURNED: Final[list[tuple[str, str, Any]]] = [
    ("id = CAST(x'61ff' AS TEXT)", "id", "a\udcff"),
    ("payload = NULL", "payload", None),
    ("payload = 'text'", "payload", "text"),
    ("metadata = 1.5", "metadata", 1.5),
    ("checksum = x'00'", "checksum", b"\0"),
    ("recorded_us = -(1 << 62)", "recorded_us", -(2**62)),
    ("leaf = x'01'", "leaf", b"\1"),
    ("stream = 99", "stream", None),
    ("kind = 'k'", "kind", None),
    ("earliest = 'x' || char(0)", "earliest", "x\0"),
]


@pytest.mark.parametrize(("change", "column", "value"), TURNED)
def test_values_of_any_type_are_given(
    path: Path, change: str, column: str, value: Any
) -> None:
    """What stands in a column is given as it stands there, of whatever type."""
    rows = make(path, 60)
    change_schema(path, "STRICT", "")
    change_schema(path, " NOT NULL", "")
    change_schema(path, " TEXT", " BLOB")
    run(path, f"UPDATE event SET {change} WHERE position = 7")  # noqa: S608 - our own words
    rows[6] = rows[6]._replace(**{column: value})
    found = inspected(path)
    assert rows == rows_in(found)
    assert [] == gaps_in(found)


def test_rows_that_are_gone_leave_no_gap_to_read(path: Path) -> None:
    """A row that was deleted is not there; that it is due is for the reader to say."""
    rows = make(path)
    run(path, "DELETE FROM event WHERE position BETWEEN 5 AND 90")
    assert [*rows[:4], *rows[90:]] == inspected(path)


def test_odd_names_are_named(path: Path) -> None:
    """Names that no event has, and names that occur twice."""
    rows = make(path, 20)
    text = "SELECT replace(sql, ' UNIQUE', '') FROM sqlite_schema WHERE name = 'kind'"
    with closing(sqlite3.connect(path)) as connection:
        ((sql,),) = connection.execute(text).fetchall()
    run(
        path,
        "INSERT INTO stream VALUES (70, 'of\nnobody')",
        "ALTER TABLE kind RENAME TO old",
        sql,
        "INSERT INTO kind SELECT * FROM old",
        "DROP TABLE old",
        "INSERT INTO kind VALUES (9, 'k1/1')",
        "UPDATE event SET kind = 9 WHERE position = 2",
    )
    assert [
        Oddity("name", "the kind 'k1/1' has the numbers 2 and 9"),
        *rows,
        Oddity("name", "no event has the stream 'of\\nnobody'"),
    ] == [one for one in inspected(path) if "integrity" != one[0]]


def test_integrity_is_asked_of_sqlite(path: Path) -> None:
    """What SQLite's own check says is passed on, each line; at most a hundred."""
    rows = make(path)
    change_schema(path, "payload     BLOB NOT NULL", "payload     BLOB")
    run(path, "UPDATE event SET payload = NULL WHERE position < 300")
    change_schema(path, "payload     BLOB", "payload     BLOB NOT NULL")
    found = inspected(path)
    assert len(rows) == len(rows_in(found))
    line = Oddity("integrity", "NULL value in event.payload")
    assert [line] * 100 == oddities_in(found)


def change_schema(path: Path, old: str, new: str) -> None:
    """Change how the events' table is declared, and nothing of what is in it."""
    run(
        path,
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_schema SET sql = replace(sql, '{old}', '{new}')"  # noqa: S608 - our own words
        " WHERE name = 'event'",
    )


# Files that are something else


def test_other_files_are_odd(path: Path) -> None:
    """What is no ledger gives no rows, and says why."""
    path.write_bytes(b"")
    first, *_ = inspected(path)
    assert Oddity("file", "its application id is 0x0, ours is 0x617a636e") == first
    for other in (b"SQLite", b"position;stream\n" * 500, os.urandom(20_000)):
        path.write_bytes(other)
        found = inspected(path)
        assert [] == rows_in(found)
        assert "its header cannot be read: file is not a database" in [
            one.problem for one in oddities_in(found)
        ]


def test_a_view_is_not_a_table(path: Path) -> None:
    """What a crafted view would do for ever is not run."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE VIEW event AS WITH RECURSIVE"
            " n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id FROM n;"
            "CREATE TABLE stream (id INTEGER PRIMARY KEY, name);"
            "CREATE TABLE kind (id INTEGER PRIMARY KEY, nam)"
        )
    assert [
        Oddity("file", "its application id is 0x0, ours is 0x617a636e"),
        Oddity("file", "its schema version is 0, and this release knows 1 to 2"),
        Oddity("table", "there is no table event"),
        Oddity("table", "the table kind has no column name"),
        Unreadable(1, None, "its table cannot be found"),
    ] == inspected(path)


# Damaged pages


def check(found: list[Stored | Unreadable | Oddity], rows: list[Stored]) -> None:
    """What is not given must lie in a gap, or be odd at least."""
    positions = {one.position for one in rows_in(found)}
    lost = [row.position for row in rows if row.position not in positions]
    if lost:
        assert gaps_in(found) or oddities_in(found)
    for first, last, problem in gaps_in(found):
        assert problem
        assert 1 <= first <= (last or first)


def test_a_lost_page_loses_what_is_on_it(
    path: Path, whole: tuple[bytes, list[Stored]]
) -> None:
    """With any page of zeros, the rows of all other pages are given, unchanged."""
    data, rows = whole
    at_once = []
    for page in range(1, len(data) // PAGE):
        start = page * PAGE
        kind, cells = data[start], int.from_bytes(data[start + 3 : start + 5])
        path.write_bytes(data[:start] + bytes(PAGE) + data[start + PAGE :])
        found = inspected(path)
        check(found, rows)
        if kind == LEAF_OF_TABLE:
            known = {row.position: row for row in rows_in(found)}
            kept = [row for row in rows if known.get(row.position) == row]
            gaps = gaps_in(found)
            lost = [n for gap in gaps for n in range(gap.first, (gap.last or 0) + 1)]
            if kept == rows or not lost:
                continue  # The page of the names: rows are given, without them.
            assert cells == len(lost)
            assert len(rows) == len(kept) + len(lost)
            at_once.append(cells)
    assert 10 < len(at_once)


def test_a_cut_file_gives_its_beginning(
    path: Path, whole: tuple[bytes, list[Stored]]
) -> None:
    """Of a file that was cut off, what comes before is read, and the cut is named."""
    data, rows = whole
    path.write_bytes(data[: len(data) // PAGE // 2 * PAGE])
    odd, *found = inspected(path)
    assert isinstance(odd, Oddity)
    assert odd.problem.endswith(f"but its header says {len(data):,}: cut off")
    given = rows_in(found)
    assert 100 < len(given) < len(rows)
    assert rows[: len(given)] == given
    assert [(len(given) + 1, None)] == [gap[:2] for gap in gaps_in(found)]


LEAF_OF_TABLE: Final = 0x0D
"""First byte of such a page. Source: SQLite database file format, section 1.6."""


def test_a_lost_overflow_page_loses_one_value(
    path: Path, whole: tuple[bytes, list[Stored]]
) -> None:
    """Of a row whose payload cannot be read, the other columns are given."""
    data, rows = whole
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
    # The first large payload's overflow page is found by its text.
    text = f"{50:60}".encode()
    place = data.find(text * 30)
    page = place // PAGE * PAGE
    changed = data[:page] + b"\x7f\xff\xff\xff" + data[page + 4 :]
    path.write_bytes(changed)
    found = inspected(path)
    assert [] == gaps_in(found)
    given = rows_in(found)
    assert len(rows) == len(given)
    (lost,) = [row for row, other in zip(given, rows, strict=True) if row != other]
    assert Lost("database disk image is malformed") == lost.payload
    expected = rows[lost.position - 1]
    assert expected == lost._replace(
        payload=expected.payload, metadata=expected.metadata, checksum=expected.checksum
    )


def test_a_circle_of_pages_ends(path: Path, whole: tuple[bytes, list[Stored]]) -> None:
    """Pages that refer to each other, or twice to one, are read to an end."""
    data, rows = whole
    interior = [
        start
        for start in range(PAGE, len(data), PAGE)
        if data[start] == INTERIOR_OF_TABLE
    ]
    assert interior
    for start in interior:
        cells = int.from_bytes(data[start + 3 : start + 5])
        for target in (start // PAGE + 1, 2, 3):
            changed = bytearray(data)
            for cell in range(cells):
                at = start + 12 + 2 * cell
                pointer = start + int.from_bytes(data[at : at + 2])
                changed[pointer : pointer + 4] = target.to_bytes(4)
            changed[start + 8 : start + 12] = target.to_bytes(4)
            path.write_bytes(changed)
            found = inspected(path)
            check(found, rows)
            assert len(rows_in(found)) <= len(data) // 24 + 1


INTERIOR_OF_TABLE: Final = 0x05


def test_reading_ends_at_what_there_can_be(path: Path) -> None:
    """Of more rows than the file has room for, no more are read."""
    make(path, 50)
    with closing(apsw.Connection(str(path))) as connection:
        reader = salvage.Reader(connection, "event", ["id"], 20)
        *rows, gap = reader.rows()
    assert 20 == len(rows)
    assert isinstance(gap, Unreadable)
    assert (21, None) == gap[:2]
    assert "circle" in gap.problem


def damaged(data: bytes, chosen: random.Random) -> Iterator[bytes]:
    """Damage a file in one of the ways that files are damaged in."""
    pages = len(data) // PAGE
    while True:
        changed = bytearray(data)
        page = chosen.randrange(pages) * PAGE
        match chosen.randrange(8):
            case 0:
                place = chosen.randrange(len(data))
                changed[place] ^= 1 << chosen.randrange(8)
            case 1:
                for _ in range(chosen.choice((5, 50, 500))):
                    changed[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            case 2:
                for place in range(page, page + 100, 5):
                    changed[place] = chosen.randrange(256)
            case 3:
                del changed[chosen.randrange(len(data)) :]
            case 4:
                changed[page : page + PAGE] = chosen.randbytes(PAGE)
            case 5:
                for _ in range(3):
                    changed[chosen.randrange(100)] = chosen.randrange(256)
            case 6:
                changed[page : page + PAGE] = bytes(PAGE)
            case _:
                other = chosen.randrange(pages) * PAGE
                changed[page : page + PAGE] = data[other : other + PAGE]
        yield bytes(changed)


def test_no_damage_crashes_it(path: Path, whole: tuple[bytes, list[Stored]]) -> None:
    """Files flipped, cut, zeroed and filled with noise: each is read to an end."""
    data, rows = whole
    chosen = random.Random(11)  # noqa: S311 - damage, not secrets
    files = damaged(data, chosen)
    for _ in range(DAMAGED_FILES):
        for name in (path, f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)
        path.write_bytes(next(files))
        check(inspected(path), rows)


def test_no_damaged_log_crashes_it(tmp_path: Path) -> None:
    """A damaged write-ahead log likewise; it is left as it is."""
    path = tmp_path / "ledger.db"
    with closing(SqliteStore.open(path)) as store:
        given = drafts(60)
        store.append(given, dict.fromkeys([one.stream for one in given], 0))
        file, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    chosen = random.Random(12)  # noqa: S311 - damage, not secrets
    for place in range(DAMAGED_FILES // 4):
        copy = tmp_path / f"{place}.db"
        copy.write_bytes(file)
        changed = bytearray(log)
        for _ in range(chosen.choice((1, 20))):
            changed[chosen.randrange(len(log))] ^= 1 << chosen.randrange(8)
        Path(f"{copy}-wal").write_bytes(changed[: chosen.randrange(len(log) * 2)])
        inspected(copy)
