"""Files that are no ledgers, damaged ledgers, full disks; and what the file holds."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from azcn_events.audit import verify_file
from azcn_events.errors import (
    InvalidValue,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreUnusable,
    UnknownName,
)
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Draft
from azcn_events.stores.sqlite import APPLICATION_ID, SqliteStore

if TYPE_CHECKING:
    from tests.stores.conftest import StartChild


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "ledger.db"


def drafts(first: int, last: int, size: int = 100) -> list[Draft]:
    """Give events of one stream, which differ."""
    return [
        Draft("s", f"e{n}", f"k{n % 3}/1", f"{n:{size}}".encode())
        for n in range(first, last + 1)
    ]


def fill(path: Path, count: int = 3000) -> None:
    """Make a ledger of some pages."""
    with closing(SqliteStore.open(path)) as store:
        store.append(drafts(1, count), {"s": 0})


def connected(path: Path) -> apsw.Connection:
    """Open the file behind the store's back."""
    return apsw.Connection(str(path))


def run(path: Path, sql: str) -> None:
    """Change the file with the standard library's SQLite, and leave no log."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


def directory(path: Path) -> dict[str, bytes | None]:
    """Give all that lies in a file's directory, byte by byte."""
    return {
        entry.name: entry.read_bytes() if entry.is_file() else None
        for entry in path.parent.iterdir()
    }


def refusal(path: Path, **options: Any) -> StoreUnusable:
    """Open the file, which must be refused and must not be touched."""
    before = directory(path) if path.parent.is_dir() else {}
    with pytest.raises(StoreUnusable) as caught:
        SqliteStore.open(path, **options)
    assert before == (directory(path) if path.parent.is_dir() else {})
    assert str(path) == caught.value.place
    assert str(caught.value).startswith(f"{path} ({caught.value.reason}): ")
    return caught.value


# What is not a ledger


def _a_text(path: Path) -> None:
    path.write_text("position;stream\n1;s\n" * 500)


def _a_few_bytes(path: Path) -> None:
    path.write_bytes(b"SQLite")


def _another_database(path: Path) -> None:
    run(path, "CREATE TABLE event (position INTEGER PRIMARY KEY)")


def _another_database_with_a_log(path: Path) -> None:
    run(path, "PRAGMA journal_mode = wal; CREATE TABLE event (id)")


def _another_program(path: Path) -> None:
    run(path, "PRAGMA application_id = 1196444487; CREATE TABLE event (id)")


def _a_database_without_tables(path: Path) -> None:
    run(path, "PRAGMA journal_mode = wal")


def _a_directory(path: Path) -> None:
    path.mkdir()


def _a_pipe(path: Path) -> None:
    os.mkfifo(path)


def _a_file_for_parent(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


def _no_parent(path: Path) -> None:
    path.parent.rmdir()


def _of_a_newer_release(path: Path) -> None:
    fill(path, 3)
    run(path, "PRAGMA user_version = 3")


def _of_no_release(path: Path) -> None:
    fill(path, 3)
    run(path, "PRAGMA user_version = 0")


def _cut(path: Path, size: int) -> None:
    fill(path)
    os.truncate(path, size)


def _of_a_few_bytes(path: Path) -> None:
    _cut(path, 50)


def _of_a_header(path: Path) -> None:
    _cut(path, 100)


def _of_one_page(path: Path) -> None:
    _cut(path, 4096)


def _of_one_page_and_a_half(path: Path) -> None:
    _cut(path, 6000)


def _of_half_a_file(path: Path) -> None:
    _cut(path, 4096 * 60)


def _without_its_schema(path: Path) -> None:
    run(path, f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1")


def _with_another_schema(path: Path) -> None:
    _without_its_schema(path)
    run(path, "CREATE TABLE event (id); PRAGMA journal_mode = wal")


def _with_a_damaged_schema(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 200)


def _a_log_alone(path: Path) -> None:
    path.with_name("ledger.db-wal").write_bytes(b"x" * 5000)


def _a_log_of_an_empty_file(path: Path) -> None:
    _a_log_alone(path)
    path.touch()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (_a_text, "foreign"),
        (_a_few_bytes, "foreign"),
        (_another_database, "foreign"),
        (_another_database_with_a_log, "foreign"),
        (_another_program, "foreign"),
        (_a_database_without_tables, "foreign"),
        (_a_directory, "foreign"),
        (_a_pipe, "foreign"),
        (_a_file_for_parent, "missing"),
        (_no_parent, "missing"),
        (_of_a_newer_release, "newer"),
        (_of_no_release, "damaged"),
        (_of_a_few_bytes, "damaged"),
        (_of_a_header, "damaged"),
        (_of_one_page, "damaged"),
        (_of_one_page_and_a_half, "damaged"),
        (_of_half_a_file, "damaged"),
        (_without_its_schema, "damaged"),
        (_with_another_schema, "damaged"),
        (_with_a_damaged_schema, "damaged"),
        (_a_log_alone, "damaged"),
        (_a_log_of_an_empty_file, "damaged"),
    ],
)
def test_what_is_no_ledger_is_refused(
    tmp_path: Path, made: Callable[[Path], None], reason: str
) -> None:
    """The reason is given, and neither the file nor its directory changes."""
    folder = tmp_path / "folder"
    folder.mkdir()
    made(folder / "ledger.db")
    assert reason == refusal(folder / "ledger.db").reason


@pytest.mark.parametrize("name", ["", ":memory:", "a\0b", "a\udcff.db"])
def test_what_is_no_path_is_refused(name: str) -> None:
    """A file of that name would surprise."""
    with pytest.raises(InvalidValue, match="cannot name a file"):
        SqliteStore.open(name)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_folder_that_sqlite_cannot_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may hide behind a relative path."""
    (tmp_path / "d\udcff").mkdir()
    monkeypatch.chdir(tmp_path / "d\udcff")
    with pytest.raises(InvalidValue, match="cannot name a file"):
        SqliteStore.open("ledger.db")
    assert [] == list(Path().iterdir())


@pytest.mark.parametrize("name", ["x" * 300, "loop"])
def test_an_impossible_path_is_refused(tmp_path: Path, name: str) -> None:
    """Too long a name, a link to itself: the system's reason is passed on."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "missing" == refusal(tmp_path / name).reason


def test_a_durability_has_a_name(path: Path) -> None:
    """Another word is refused with the two that there are."""
    with pytest.raises(UnknownName, match="known: full, normal"):
        SqliteStore.open(path, durability="ful")
    assert not path.exists()


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
def test_durability_is_set(path: Path, durability: str, level: int) -> None:
    """SQLite is told to sync at every commit, or at checkpoints only."""
    with closing(SqliteStore.open(path, durability=durability)) as store:
        assert level == store._writer.pragma("synchronous")


@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_ledger_that_cannot_be_written(
    start: StartChild, open_folder: Path, what: str
) -> None:
    """Without permission to write the file or beside it: refused as read-only."""
    path = open_folder / "ledger.db"
    fill(path, 3)
    path.chmod(0o666)
    child = start("open_as_nobody", path)
    child.go()
    assert "opened" == child.ends()
    (path if what == "file" else open_folder).chmod(0o555)
    before = directory(path)
    child = start("open_as_nobody", path)
    child.go()
    assert "read-only" == child.ends()
    assert before == directory(path)


# What becomes damaged


@pytest.mark.parametrize("table", ["event", "EVENT", "kind", "stream"])
def test_a_trigger_of_others_is_refused(path: Path, table: str) -> None:
    """It could swallow what is appended; verification names it too."""
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            f"CREATE TRIGGER swallow BEFORE INSERT ON {table}"
            " BEGIN SELECT RAISE(IGNORE); END"
        )
    with pytest.raises(StoreUnusable, match=r"triggers that are not ours.*swallow"):
        SqliteStore.open(path)
    assert ["trigger"] == [one.code for one in verify_file(path).findings]


def everything(path: Path) -> list[object]:
    """Read a ledger in every way."""
    with closing(SqliteStore.open(path)) as store:
        return [
            list(store.read_all()),
            list(store.read("s")),
            list(store.read_by_stream()),
            list(store.streams()),
            [store.find(f"e{n}") for n in range(1, 601, 50)],
            store.version("s"),
        ]


@pytest.mark.parametrize("size", [8, 12, 16, 19])
def test_a_journal_that_is_cut_off_hides_nothing(path: Path, size: int) -> None:
    """Its file was not touched yet, so the file is looked at as any other."""
    _a_text(path)
    journal = path.with_name("ledger.db-journal")
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7").ljust(size, b"\0"))
    assert "foreign" == refusal(path).reason


def test_a_journal_that_cannot_be_read_is_named(path: Path) -> None:
    """What it would undo is not guessed: permission is asked for."""
    fill(path, 3)
    path.with_name("ledger.db-journal").mkdir()
    error = refusal(path)
    assert "read-only" == error.reason
    assert "ledger.db-journal, cannot be read" in str(error)
    assert "permit reading and writing" in str(error)


def test_damage_is_noticed_or_harmless(path: Path) -> None:
    """Wipe any page: reading gives all that was stored, or raises; never less."""
    fill(path, 600)
    whole, right = path.read_bytes(), everything(path)
    harmless = 0
    for start in range(0, len(whole), 4096):
        for filling in (b"\0", b"\xff", b"\x0d"):
            path.write_bytes(whole[:start] + filling * 4096 + whole[start + 4096 :])
            try:
                read = everything(path)
            except StoreUnusable as error:
                assert error.reason in {"damaged", "foreign"}  # noqa: PT017 - or right
            else:
                harmless += 1
                assert right == read
    assert harmless < len(whole) / 4096


@pytest.mark.parametrize("position", [1, 2, 1000, 1001, 1500, 2999])
def test_a_lost_event_is_noticed(path: Path, position: int) -> None:
    """An event that was cut out leaves a hole, and no reader passes over it."""
    fill(path)
    hole = f"DELETE FROM event WHERE position = {position}"  # noqa: S608 - a number
    run(path, f"DROP TRIGGER event_is_not_deleted; {hole}")
    with closing(SqliteStore.open(path)) as store:
        for rows in (store.read_all(), store.read_by_stream(), store.read("s")):
            with pytest.raises(StoreUnusable, match="damaged"):
                list(rows)


def test_a_lost_stream_is_noticed(path: Path) -> None:
    """A name that an event refers to must be there."""
    fill(path, 10)
    run(path, "DROP TRIGGER kind_is_not_deleted; DELETE FROM kind WHERE id = 2")
    with closing(SqliteStore.open(path)) as store:
        for rows in (store.read_all(), store.read_by_stream(), store.read("s")):
            with pytest.raises(StoreUnusable, match="damaged"):
                list(rows)


def test_a_name_that_is_no_text_any_more(path: Path) -> None:
    """Bytes that are not UTF-8 are damage, not an accident of Python's."""
    fill(path, 3)
    path.write_bytes(path.read_bytes().replace(b"k1/1", b"k\xff/1"))
    with (
        closing(SqliteStore.open(path)) as store,
        pytest.raises(StoreUnusable, match="not UTF-8"),
    ):
        list(store.read_all())


# What has no room


def refused_for_room(store: SqliteStore, append: list[Draft]) -> None:
    """Append until there is no room, and check that nothing of it was stored."""
    before = list(store.read_all())
    with pytest.raises(StoreFull, match="nothing was stored"):
        store.append(append, {"s": store.version("s")})
    assert before == list(store.read_all())
    assert len(before) == store.head() == store.version("s")


def test_a_full_file(path: Path) -> None:
    """What exceeds the file's limit is refused whole; what fits is stored after it."""

    def limited(name: str) -> apsw.Connection:
        connection = apsw.Connection(name)
        connection.pragma("max_page_count", 60)
        return connection

    with closing(SqliteStore.open(path, connect=limited)) as store:
        store.append(drafts(1, 100), {"s": 0})
        for _ in range(3):
            refused_for_room(store, drafts(101, 3000))
        store.append(drafts(101, 200), {"s": 100})
        assert 200 == store.head()
    with closing(SqliteStore.open(path)) as store:
        store.append(drafts(201, 3000), {"s": 200})
        assert drafts(1, 3000)[-1].payload == list(store.read("s"))[-1].payload


def test_no_room_for_an_empty_ledger(path: Path) -> None:
    """A ledger that cannot be made is refused, and can be made later."""

    def limited(name: str) -> apsw.Connection:
        connection = apsw.Connection(name)
        connection.pragma("max_page_count", 3)
        return connection

    with pytest.raises(StoreFull):
        SqliteStore.open(path, connect=limited)
    with closing(SqliteStore.open(path)) as store:
        assert 0 == store.head()


def test_a_file_that_may_not_grow(start: StartChild, path: Path) -> None:
    """The system's limit for files is one more way to have no room."""
    child = start("fill", path, 1_000_000)
    child.go()
    told = child.ends()
    assert "StoreFull" == told["error"]
    assert 3 * told["batches"] == told["head"] > 0
    assert told["head"] + 3 == told["read"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 1 MiB; skip where we may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("FULL DISK NOT TESTED: there is no mount")
    if done.returncode:
        pytest.skip(f"FULL DISK NOT TESTED: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    """Nothing of the batch is stored; with room again the same object goes on."""
    ballast = small_disk / "ballast"
    with closing(SqliteStore.open(small_disk / "ledger.db")) as store:
        store.append(drafts(1, 100), {"s": 0})
        ballast.write_bytes(b"x" * 600_000)
        for _ in range(3):
            refused_for_room(store, drafts(101, 2000, size=500))
        with pytest.raises(StoreFull):  # One by one it comes at some other write.
            all(store.append(drafts(n, n), {"s": n - 1}) for n in range(101, 2000))
        head = store.head()
        assert head == len(list(store.read_all()))
        ballast.unlink()
        [stamp] = store.append(drafts(head + 1, head + 1), {"s": head})
        assert head + 1 == stamp.position
    with closing(SqliteStore.open(small_disk / "ledger.db")) as store:
        assert list(range(1, head + 2)) == [row.position for row in store.read_all()]
        assert "ok" == store._reader.pragma("integrity_check")


def test_a_disk_without_any_room(small_disk: Path) -> None:
    """A ledger cannot be made there; nothing but an empty file may remain."""
    (small_disk / "ballast").write_bytes(b"x" * 1_044_480)
    path = small_disk / "ledger.db"
    with pytest.raises(StoreFull):
        SqliteStore.open(path)
    assert not path.exists() or not path.stat().st_size
    (small_disk / "ballast").unlink()
    fill(path, 3)


# Who keeps others waiting


def test_a_lock_that_is_held_too_long(path: Path) -> None:
    """Another program's transaction: the time limit holds, and nothing is stored."""
    with (
        closing(SqliteStore.open(path, busy_timeout_s=0.2)) as store,
        closing(connected(path)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"after 0.2 s"):
            store.append(drafts(1, 1), {"s": 0})
        assert 0 == store.head()
        other.execute("ROLLBACK")
        store.append(drafts(1, 1), {"s": 0})


def test_a_file_that_is_not_shared(path: Path) -> None:
    """Another program that keeps the file to itself: opening ends, and says why."""
    fill(path, 10)
    with closing(connected(path)) as other:
        other.pragma("locking_mode", "exclusive")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"after 0.2 s"):
            SqliteStore.open(path, busy_timeout_s=0.2)


def test_a_line_that_does_not_move(path: Path) -> None:
    """Who stands in line for too long is told so."""
    with (
        closing(SqliteStore.open(path, busy_timeout_s=0.2)) as store,
        path.with_name("ledger.db-gate").open("w") as gate,
    ):
        flock(gate, LOCK_EX)
        with pytest.raises(StoreBusy):
            store.append(drafts(1, 1), {"s": 0})
        gate.close()
        store.append(drafts(1, 1), {"s": 0})


def test_a_thread_that_does_not_move(path: Path) -> None:
    """The limit holds between the threads of one object, too."""
    with (
        closing(SqliteStore.open(path, busy_timeout_s=0.5)) as store,
        closing(connected(path)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        errors: list[type[Exception]] = []

        def append() -> None:
            try:
                store.append(drafts(1, 1), {"s": 0})
            except StoreError as error:
                errors.append(type(error))

        threads = [Thread(target=append) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
        assert [StoreBusy] * 4 == errors
        assert [] == list(store.read_all())


def test_readers_do_not_wait_for_writers(path: Path) -> None:
    """Reading goes on while somebody writes, and sees what was committed."""
    fill(path, 10)
    with (
        closing(SqliteStore.open(path, busy_timeout_s=0.0)) as store,
        closing(connected(path)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO stream (name) VALUES ('t')")
        assert 10 == len(list(store.read_all())) == store.head()


def test_a_gate_that_cannot_be_had(path: Path) -> None:
    """Without the side file appends succeed all the same: it is only manners."""
    path.with_name("ledger.db-gate").mkdir()
    fill(path, 10)
    assert 10 == len(everything(path)[0])  # type: ignore[arg-type]


def test_opening_does_not_drop_the_locks_of_others(path: Path) -> None:
    """A second store on the same file, in the same process, keeps the first's locks."""
    locks = Path("/proc/locks")
    if not locks.exists():
        pytest.skip("only Linux shows its locks")
    with closing(SqliteStore.open(path)) as store:
        store.append(drafts(1, 1), {"s": 0})
        mine = f" {os.getpid()} "
        number = f":{path.stat().st_ino} "

        def held() -> list[str]:
            lines = locks.read_text().splitlines()
            return [one for one in lines if mine in one and number in one]

        assert held()
        SqliteStore.open(path).close()
        assert held()


# What the file holds


def test_an_auditor_needs_no_library(path: Path) -> None:
    """The standard library reads names, days, times and text from the view."""
    with closing(SqliteStore.open(path, clock=lambda: 1_745_539_200_000_001)) as store:
        first = Draft("é", "1", "k/1", '{"a":"é"}'.encode(), earliest=739_366)
        second = Draft("é", "2", "l/1", b"{}", latest=739_366)
        store.append([first, second], {"é": 0})
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT * FROM log").fetchall()
    at = "2025-04-25T00:00:00.000001Z"
    assert [
        (1, "é", 1, "1", "k/1", at, "2025-04-25", None, '{"a":"é"}', "{}"),
        (2, "é", 2, "2", "l/1", at, None, "2025-04-25", "{}", "{}"),
    ] == rows


@pytest.mark.parametrize(
    ("us", "shown"),
    [(0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z")],
)
def test_any_time_can_be_shown(path: Path, us: int, shown: str) -> None:
    """The view rounds down before 1970 as after."""
    with closing(SqliteStore.open(path, clock=lambda: us)) as store:
        store.append(drafts(1, 1), {"s": 0})
    with closing(sqlite3.connect(path)) as connection:
        assert [(shown,)] == connection.execute("SELECT recorded FROM log").fetchall()


@pytest.mark.parametrize("table", ["event", "stream", "kind"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_nothing_is_changed_by_accident(path: Path, table: str, change: str) -> None:
    """Any SQLite refuses to change or delete a row."""
    fill(path, 3)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"never|keeps"),
    ):
        connection.execute(change.format(table))


def test_a_closed_ledger_is_one_file(path: Path) -> None:
    """The last to close moves the log into the file; only the empty gate remains."""
    with closing(SqliteStore.open(path)) as store:
        store.append(drafts(1, 1), {"s": 0})
    found = {name: len(content or b"") for name, content in directory(path).items()}
    assert {"ledger.db", "ledger.db-gate"} == set(found)
    assert 0 == found["ledger.db-gate"]


def test_a_copy_of_a_closed_ledger_is_a_ledger(path: Path) -> None:
    """Copy the one file, open the copy."""
    fill(path, 10)
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    assert everything(path) == everything(copy)


def test_a_link_leads_to_the_same_ledger(path: Path) -> None:
    """The gate and the log lie beside the file, not beside the link."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    with closing(SqliteStore.open(link)) as one, closing(SqliteStore.open(path)) as two:
        one.append(drafts(1, 1), {"s": 0})
        two.append(drafts(2, 2), {"s": 1})
        assert 2 == one.head()
    assert {"ledger.db", "ledger.db-gate", "link.db"} == set(directory(path))


def test_a_closed_store_says_so(path: Path) -> None:
    """Closing twice is fine; use after it is refused, also by an iterator."""
    store = SqliteStore.open(path)
    store.append(drafts(1, 2000), {"s": 0})
    rows = store.read_all()
    next(rows)
    store.close()
    store.close()
    uses: list[Callable[[], object]] = [
        store.head,
        lambda: list(rows),
        lambda: list(store.streams()),
        lambda: store.append(drafts(1, 1), {"s": 0}),
    ]
    for use in uses:
        with pytest.raises(StoreUnusable, match="closed"):
            use()


# How much memory and disk it takes


def test_the_log_is_moved_into_the_file(path: Path) -> None:
    """Where nobody reads, the write-ahead log stays at about 1000 pages."""
    longest = 0
    with closing(SqliteStore.open(path, durability="normal")) as store:
        for n in range(0, 60_000, 1000):
            store.append(drafts(n + 1, n + 1000), {"s": n})
            log = path.with_name("ledger.db-wal").stat().st_size
            longest = max(longest, log)
    assert longest < 8_000_000


def test_reading_takes_little_memory(path: Path) -> None:
    """A scan of large events holds a few of them at a time, not a page of 1000."""
    count = 60
    with closing(SqliteStore.open(path, durability="normal")) as store:
        for n in range(count):
            large = Draft("s", f"{n}", "k/1", b"x" * (EVENT_BYTES_MAX - 2))
            store.append([large], {"s": n})
        tracemalloc.start()
        assert count == sum(1 for _ in store.read_all())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 36_000_000


def test_a_file_that_was_cut_is_refused_at_once(tmp_path: Path) -> None:
    """Wherever it was cut: the header says how long it must be."""
    path = tmp_path / "cut.db"
    store = SqliteStore.open(path)
    drafts = [Draft("a", str(n), "k/1", b"{}" * 40) for n in range(200)]
    store.append(drafts, {"a": 0})
    store.close()
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - 3000, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(StoreUnusable, match="cut off"):
            SqliteStore.open(path)
    path.write_bytes(whole)
    SqliteStore.open(path).close()


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_acknowledged_by_a_file_that_is_gone(
    tmp_path: Path, *, replaced: bool
) -> None:
    """Deleted or replaced while open: an append is refused, not lost."""
    path = tmp_path / "gone.db"
    store = SqliteStore.open(path)
    store.append([Draft("a", "1", "k/1", b"{}")], {"a": 0})
    for side in ("", "-wal", "-shm"):
        Path(f"{path}{side}").unlink(missing_ok=True)
    other = SqliteStore.open(path) if replaced else None
    with pytest.raises(StoreUnusable, match="deleted or replaced"):
        store.append([Draft("a", "2", "k/1", b"{}")], {"a": 1})
    store.close()
    if other is not None:
        assert 0 == other.head()
        other.close()


def test_a_file_that_another_program_is_just_making_is_left_to_it(
    tmp_path: Path,
) -> None:
    """It was empty when we looked; then somebody else's tables were in it."""
    path = tmp_path / "ledger.db"
    path.touch()

    def connect_late(real: str) -> apsw.Connection:
        other = apsw.Connection(real)
        other.execute("CREATE TABLE theirs (x)")
        other.close()
        return apsw.Connection(real)

    with pytest.raises(StoreUnusable, match="foreign"):
        SqliteStore.open(path, connect=connect_late)
    names = apsw.Connection(str(path)).execute("SELECT name FROM sqlite_schema")
    assert [("theirs",)] == list(names)
