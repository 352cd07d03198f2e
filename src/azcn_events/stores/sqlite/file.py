"""The file: refuse what is not ours, make what is missing, open connections to it.

Internal to the store, but for the two numbers by which a file is known as ours.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import apsw

from azcn_events.errors import InvalidValue, StoreUnusable, listed
from azcn_events.stores.sqlite.driver import (
    REPAIR,
    SIDE_FILES,
    Connection,
    LogKeeper,
    explained,
    milliseconds,
)
from azcn_events.stores.sqlite.line import Wait, begin_immediate, gate
from azcn_events.stores.sqlite.schema import (
    foreign_triggers,
    schema,
    upgrade_from_1,
)

__all__ = [
    "APPLICATION_ID",
    "HEADER_BYTES",
    "SCHEMA_VERSION",
    "SYNCHRONOUS",
    "TABLES",
    "checked_path",
    "connections",
    "cut_off",
    "file_identity",
    "first_bytes",
]

APPLICATION_ID: Final = 0x617A636E
"""``"azcn"``: what our files hold in SQLite's ``application_id``."""

SCHEMA_VERSION: Final = 2
"""The newest ``user_version``; older files become such when they are opened."""

SYNCHRONOUS: Final = {"full": "FULL", "normal": "NORMAL"}
"""SQLite's word for each durability."""

_MAGIC: Final = b"SQLite format 3\0"
_JOURNAL_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")
_JOURNAL_BYTES: Final = 20
HEADER_BYTES: Final = 100
TABLES: Final = ("event", "kind", "stream")
_CACHE_KIB: Final = 32 * 1024
_LOG_KEPT_BYTES: Final = 16 * 1024 * 1024


def checked_path(path: str | os.PathLike[str]) -> str:
    """Give a path as text.

    Raises:
        InvalidValue: If it is ``":memory:"``, cannot be a path, or is not UTF-8,
            which SQLite needs.
    """
    place = os.fspath(path)
    if not place or place == ":memory:" or "\0" in place:
        raise InvalidValue(
            place, "this cannot name a file", "a path; MemoryStore needs none"
        )
    real = os.path.realpath(place)  # A folder above may be what is called so.
    try:
        real.encode()
    except UnicodeEncodeError as error:
        problem = "this cannot name a file of SQLite's"
        raise InvalidValue(real, problem, "a path in UTF-8", error.start) from None
    return place


def connections(
    connect: Callable[[str], apsw.Connection], real: str, durability: str, wait: Wait
) -> tuple[Connection, Connection]:
    """Open a ledger's file, or make it: one connection to write, one to read."""
    place, limit_s = wait.place, wait.limit_s
    with explained(place, limit_s):
        _refuse_unusable(place, real)
        writer = _connected(connect, real)
    try:
        with explained(place, limit_s, writer):
            _prepare(writer, place, real, wait)
            _configure(writer, durability)
            reader = _open_reader(connect, real, wait)
    except BaseException:
        writer.close()
        raise
    return writer, reader


def _refuse_unusable(place: str, real: str) -> None:
    """Refuse what is certainly no ledger that can be written, without a trace."""
    directory = Path(real).parent
    if not directory.is_dir():
        detail = f"there is no directory {directory}; make it first"
        raise StoreUnusable(place, "missing", detail)
    if not os.access(directory, os.W_OK | os.X_OK):
        detail = f"{directory} cannot be written; {SIDE_FILES}"
        raise StoreUnusable(place, "read-only", detail)
    found = _stat(real)
    if found is None or not found.st_size:
        log = _stat(f"{real}-wal")
        if log is not None and log.st_size:
            detail = (
                "there is a write-ahead log, but its database is absent or empty;"
                " the two belong together: restore both, or move the log away"
            )
            raise StoreUnusable(place, "damaged", detail)
    if found is None:
        return
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnusable(place, "foreign", "this is not a regular file")
    if not os.access(real, os.R_OK | os.W_OK):
        detail = "reading and writing it is not permitted"
        raise StoreUnusable(place, "read-only", detail)
    if found.st_size and not _is_being_made(place, real):
        header = first_bytes(real, min(found.st_size, HEADER_BYTES))
        _refuse_header(place, header)
        # In this order: another process may just now be moving its log into the
        # file, which is only complete once the log is gone.
        log = _stat(f"{real}-wal")
        if log is None or not log.st_size:
            detail = cut_off(header, Path(real).stat().st_size)
            if detail:
                raise StoreUnusable(place, "damaged", f"{detail}; {REPAIR}")


def _is_being_made(place: str, real: str) -> bool:
    """Say whether a journal tells that the file was empty before its last change.

    Another process is just making the tables, or died doing so. Until the change is
    complete, or SQLite has undone it, the file may hold any part of it. A journal
    that is shorter than its header was cut off before the file was touched.

    Source: SQLite database file format, section 3: the journal's magic, and at 16
    the number of pages that the database had.

    Raises:
        StoreUnusable: If the journal cannot be read. SQLite could not undo by it
            what was left half done, and to guess which half would be worse.
    """
    try:
        with Path(f"{real}-journal").open("rb") as journal:
            header = journal.read(_JOURNAL_BYTES)
    except FileNotFoundError:
        return False
    except OSError as error:
        detail = (
            f"its journal, {real}-journal, cannot be read ({error.strerror}), and"
            " a change that was broken off is undone by it: permit reading and writing"
        )
        raise StoreUnusable(place, "read-only", detail) from error
    return (
        len(header) == _JOURNAL_BYTES
        and header.startswith(_JOURNAL_MAGIC)
        and not int.from_bytes(header[16:])
    )


def cut_off(header: bytes, size: int) -> str:
    """Say that a file is shorter than its header says; empty if it is not.

    Source: SQLite database file format, 1.3.2 and 1.3.7: page size, of which 1
    means 65536, and the number of pages, valid if two counters agree.
    """
    page = int.from_bytes(header[16:18]) or 1
    pages = int.from_bytes(header[28:32])
    is_valid = header[24:28] == header[92:96]
    expected = (65536 if page == 1 else page) * pages
    if not is_valid or size >= expected:
        return ""
    return f"{size:,} bytes, but its header says {expected:,}: cut off"


def file_identity(path: str) -> tuple[int, int]:
    """Tell a file from any other that may stand at its path later; none is (0, 0)."""
    found = _stat(path)
    return (0, 0) if found is None else (found.st_dev, found.st_ino)


def _stat(path: str) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def first_bytes(path: str, count: int) -> bytes:
    """Read from a file that this process may have open as a database.

    Not by ``open``: closing any descriptor of a file drops all the POSIX locks
    that the process has on it, and with them the locks of SQLite's connections.
    SQLite's own files know of each other.
    """
    flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY
    file = apsw.VFSFile("", path, [flags, 0])
    try:
        return file.xRead(count, 0)
    finally:
        file.xClose()


def _refuse_header(place: str, header: bytes) -> None:
    """Refuse by SQLite's header (sqlite.org/fileformat2.html, section 1.3)."""
    if not header.startswith(_MAGIC):
        detail = "this is not an SQLite database; nothing was changed"
        raise StoreUnusable(place, "foreign", detail)
    if len(header) < HEADER_BYTES:
        detail = f"the file ends after {len(header)} bytes; {REPAIR}"
        raise StoreUnusable(place, "damaged", detail)
    application = int.from_bytes(header[68:72])
    if application != APPLICATION_ID:
        detail = (
            "this is an SQLite database of another program (application id"
            f" {application:#x}, ours is {APPLICATION_ID:#x}); nothing was changed"
        )
        raise StoreUnusable(place, "foreign", detail)
    _refuse_version(place, int.from_bytes(header[60:64]))


def _refuse_version(place: str, version: int) -> None:
    if version < 1:
        detail = f"there is no schema version {version}; {REPAIR}"
        raise StoreUnusable(place, "damaged", detail)
    if version > SCHEMA_VERSION:
        detail = (
            f"its schema version is {version}, and this release knows"
            f" {SCHEMA_VERSION}: use a newer release of azcn_events"
        )
        raise StoreUnusable(place, "newer", detail)


def _prepare(writer: Connection, place: str, real: str, wait: Wait) -> None:
    """Make what is missing, and check that the result is a ledger."""
    # For reading the schema; from the first append on, begin_immediate waits.
    writer.set_busy_timeout(milliseconds(wait.limit_s))
    if writer.readonly("main"):
        raise StoreUnusable(place, "read-only", "SQLite can open it for reading only")
    if not writer.pragma("application_id"):
        _create(writer, real, wait)
    _refuse_version(place, cast("int", writer.pragma("user_version")))
    names = {row[0] for row in writer.execute("SELECT name FROM sqlite_schema")}
    missing = [table for table in TABLES if table not in names]
    if missing:
        detail = f"it has no table {listed(missing)}; {REPAIR}"
        raise StoreUnusable(place, "damaged", detail)
    if writer.pragma("user_version") != SCHEMA_VERSION:
        _upgrade(writer, real, wait)
    if foreign := foreign_triggers(writer):
        detail = (
            f"it has triggers that are not ours ({listed(foreign)}), which could change"
            " what is recorded: find out who made them, and drop them"
        )
        raise StoreUnusable(place, "damaged", detail)
    if writer.pragma("journal_mode") != "wal":
        with gate(real, wait):
            mode = writer.pragma("journal_mode", "wal")
        if mode != "wal":
            detail = "its file system cannot share memory; use a disk of this host"
            raise StoreUnusable(place, "read-only", detail)
    writer.set_busy_timeout(0)


def _create(writer: Connection, real: str, wait: Wait) -> None:
    """Make the tables, unless another process has just made them.

    Under the ordinary journal, in one transaction: so a file that is not empty
    bears our application id, whatever happens. The change to a write-ahead log
    cannot be part of it, and an opening that finds it undone does it again.
    """
    with _change(writer, real, wait):
        if not writer.pragma("application_id"):
            _refuse_tables(writer, wait.place)
            writer.execute(schema()).fetchall()


def _upgrade(writer: Connection, real: str, wait: Wait) -> None:
    """Give a file of version 1 what it lacks, unless another process has just done so.

    In one transaction, whatever the journal: a crash leaves a whole file of the one
    version or of the other, and who reads meanwhile sees the old one.
    """
    with _change(writer, real, wait):
        version = cast("int", writer.pragma("user_version"))
        _refuse_version(wait.place, version)
        if version == 1:
            upgrade_from_1(writer, wait.place)


@contextmanager
def _change(writer: Connection, real: str, wait: Wait) -> Generator[None]:
    """Hold the file's write lock; commit at the end, or leave no trace."""
    with gate(real, wait):
        begin_immediate(writer, wait)
        try:
            yield
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise


def _refuse_tables(writer: Connection, place: str) -> None:
    """Refuse what another program was just making when the file was looked at."""
    if writer.execute("SELECT 1 FROM sqlite_schema").fetchall():
        detail = "another program has just made its tables in it; nothing was changed"
        raise StoreUnusable(place, "foreign", detail)


def _configure(writer: Connection, durability: str) -> None:
    """Set what SQLite keeps for each connection and not in the file."""
    writer.pragma("synchronous", SYNCHRONOUS[durability])
    # macOS's fsync does not reach the disk without it; elsewhere it means nothing.
    writer.pragma("fullfsync", durability == "full")
    writer.pragma("foreign_keys", True)
    # A log that one large batch has stretched is cut when it is next begun.
    writer.pragma("journal_size_limit", _LOG_KEPT_BYTES)
    writer.set_wal_hook(LogKeeper())
    _set_alike(writer)


def _open_reader(
    connect: Callable[[str], apsw.Connection], real: str, wait: Wait
) -> Connection:
    reader = _connected(connect, real)
    try:
        reader.set_busy_timeout(milliseconds(wait.limit_s))
        reader.pragma("query_only", True)
        _set_alike(reader)
    except BaseException:
        reader.close()
        raise
    return reader


def _connected(connect: Callable[[str], apsw.Connection], real: str) -> Connection:
    return cast("Connection", connect(real))


def _set_alike(connection: Connection) -> None:
    # The ids' index when writing, and the rows of a stream when reading, lie all
    # over the file: they want room. Kibibytes are negative.
    connection.pragma("cache_size", -_CACHE_KIB)
    # Notice damage early, and run no code that a crafted file may hold.
    connection.pragma("cell_size_check", True)
    connection.pragma("trusted_schema", False)
