"""A store in one SQLite file, for any number of threads and processes of one host.

The driver is ``apsw`` and not the standard library's ``sqlite3``:

- it brings its own, current SQLite. Versions before 3.51.3 can damage a file
  when a writer resets the write-ahead log while another connection checkpoints
  it, and the version below ``sqlite3`` is whatever the machine happens to have;
- it begins no transaction of its own accord;
- its errors keep SQLite's codes, so that a full disk is told from a damaged file;
- it is faster: 0.6 of the time for a scan, and as much for a batch of inserts.

Beside ``ledger.db`` there are ``ledger.db-wal`` and ``ledger.db-shm``, which are
SQLite's and part of the ledger while it is open, and ``ledger.db-gate``, which is
empty, ours, and only keeps the line of waiting writers.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import resources
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Final, Protocol, Self, TypeAlias, cast

import apsw
from attrs import define, field

from azcn_events.errors import (
    InvalidValue,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreUnusable,
    UnknownName,
    VersionConflict,
    listed,
)
from azcn_events.stores import batch
from azcn_events.stores.protocol import Draft, Row, Stamp

if sys.platform != "win32":
    import fcntl

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "SqliteStore"]

APPLICATION_ID: Final = 0x617A636E
"""``"azcn"``: what our files hold in SQLite's ``application_id``."""

SCHEMA_VERSION: Final = 1
"""The newest ``user_version`` that this release can read."""

_SYNCHRONOUS: Final = {"full": "FULL", "normal": "NORMAL"}
_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100
_TABLES: Final = ("event", "kind", "stream")

_INTEGER_MAX: Final = 2**63 - 1
_PAGE_ROWS: Final = 250
"""Few enough for a page to stay in the processor's cache until it is used."""
_PAGE_BYTES: Final = 8 * 1024 * 1024
_CHUNK_ROWS: Final = 25
_CACHE_KIB: Final = 32 * 1024
_LOG_PAGES: Final = 1000
"""From how many pages on each commit moves the write-ahead log into the file."""
_LONG_LOG_PAGES: Final = 8000
"""How long the log may become before a writer waits for readers to let go of it."""
_LOG_KEPT_BYTES: Final = 16 * 1024 * 1024
_READERS_WAIT_S: Final = 0.5

_LIMIT_MAX_S: Final = min(threading.TIMEOUT_MAX, 1e9)
_NAP_S: Final = 0.000_1
"""How often the first in line looks whether it is its turn."""
_QUEUE_NAP_S: Final = 0.001
"""How often the others look whether they have become the first."""

_Page: TypeAlias = list[tuple[object, ...]]


class _Cursor(Protocol):
    """What we use of ``apsw.Cursor``, whose own types need Python 3.12."""

    def __iter__(self) -> Iterator[tuple[object, ...]]: ...
    def fetchall(self) -> _Page: ...
    def close(self) -> None: ...


class _Connection(Protocol):
    """What we use of ``apsw.Connection``, likewise."""

    @property
    def in_transaction(self) -> bool: ...
    @property
    def system_errno(self) -> int: ...
    def execute(
        self, sql: str, values: Sequence[str | int | None] = (), /
    ) -> _Cursor: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> _Cursor: ...
    def pragma(self, name: str, value: str | int = ..., /) -> object: ...
    def set_wal_hook(
        self, hook: Callable[[apsw.Connection, str, int], int], /
    ) -> None: ...
    def readonly(self, name: str, /) -> bool: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def close(self) -> None: ...


_INSERT: Final = """
    INSERT INTO event (position, stream, version, kind, recorded_us,
                       earliest, latest, id, payload, metadata, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_HEAD: Final = "SELECT coalesce(max(position), 0) FROM event"
_VERSION: Final = """
    SELECT coalesce(max(version), 0) FROM event
    WHERE stream = (SELECT id FROM stream WHERE name = ?)
"""
_NEWEST: Final = (
    "SELECT position, recorded_us FROM event ORDER BY position DESC LIMIT 1"
)
_RECORDED_US: Final = "SELECT recorded_us FROM event WHERE position = ?"
_STREAMS: Final = """
    SELECT name, id,
           (SELECT coalesce(max(version), 0) FROM event WHERE stream = stream.id)
    FROM stream WHERE name = ?
"""
_NEW_STREAM: Final = "INSERT INTO stream (name) VALUES (?) RETURNING name, id"
_KINDS: Final = "SELECT name, id FROM kind WHERE name = ?"
_NEW_KIND: Final = "INSERT INTO kind (name) VALUES (?) RETURNING name, id"

# Joining the two small tables costs less than looking the names up in Python.
_ROWS: Final = """
    SELECT event.position, stream.name, event.version, event.id, kind.name,
           event.recorded_us, event.payload, event.metadata, event.checksum
    FROM event
    JOIN stream ON stream.id = event.stream
    JOIN kind ON kind.id = event.kind
"""
_STREAM: Final = "(SELECT id FROM stream WHERE name = ?)"
_BY_ID: Final = f"{_ROWS} WHERE event.id = ?"
_PAGE_OF_ALL: Final = f"""{_ROWS}
    WHERE event.position > ? AND event.position <= ?
    ORDER BY event.position LIMIT {_PAGE_ROWS}
"""
_PAGE_OF_STREAM: Final = f"""{_ROWS}
    WHERE event.stream = {_STREAM} AND event.version > ?
      AND event.position <= ?
    ORDER BY event.version LIMIT {_PAGE_ROWS}
"""
_PAGE_BY_STREAM: Final = f"""{_ROWS}
    WHERE (event.stream, event.version)
        > (coalesce({_STREAM}, 0), ?)
      AND event.position <= ?
    ORDER BY event.stream, event.version LIMIT {_PAGE_ROWS}
"""

_PAGE_OF_STREAMS: Final = (
    "SELECT id, name FROM stream WHERE id > ? ORDER BY id LIMIT 1000"
)

_POSITION_COLUMN: Final = Row._fields.index("position")
_VERSION_COLUMN: Final = Row._fields.index("version")
_payload_of: Final[Callable[[tuple[object, ...]], bytes]] = itemgetter(
    Row._fields.index("payload")
)

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
_REPAIR: Final = "check it with 'PRAGMA integrity_check', or restore a copy"
_SIDE_FILES: Final = "a ledger needs to write its file and beside it"

# Row._make would do the same, but through Python code for every row.
_as_row: Final[Callable[[tuple[object, ...]], Row]] = partial(
    tuple[object].__new__, Row
)


def _wall_clock_us() -> int:
    """Give microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@define(eq=False)
class SqliteStore:
    """An append-only log in one file; made by ``open``.

    Threads may share an object: one appends at a time, others read meanwhile.
    A forked process may not use it, and must open the file again.

    Attributes:
        place: The path as it was given.
    """

    place: str
    _path: str
    _clock: Callable[[], int]
    _limit_s: float
    _writer: _Connection
    _reader: _Connection
    _pid: int = field(factory=os.getpid, init=False)
    _closed: bool = field(default=False, init=False)
    # A thread stands in line, then writes, and leaves the line as soon as it may
    # write; _begin says why. Readers have a connection and a lock of their own.
    _line: threading.Lock = field(factory=threading.Lock, init=False)
    _writing: threading.Lock = field(factory=threading.Lock, init=False)
    _reading: threading.Lock = field(factory=threading.Lock, init=False)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        durability: str = "full",
        clock: Callable[[], int] = _wall_clock_us,
        busy_timeout_s: float = 30.0,
        connect: Callable[[str], apsw.Connection] = apsw.Connection,
    ) -> Self:
        """Open a ledger's file, or make it if it is absent or empty.

        A file that is not a ledger is refused after a look at its first 100
        bytes; nothing is written to it or beside it.

        Args:
            path: A file in an existing directory, on a disk of this host.
            durability: ``"full"`` waits for the disk at every append;
                ``"normal"`` does not, and a power failure (not a crash) may
                take back the last appends, each of them whole.
            clock: Gives microseconds since 1970 UTC.
            busy_timeout_s: How long an append may wait for other writers, in
                seconds: in line and for the file's lock, together.
            connect: Opens a connection to the path it gets; called twice.

        Raises:
            UnknownName: If there is no such durability.
            InvalidValue: If the path is ``":memory:"`` or cannot be a path.
            StoreUnusable: If the file is foreign, newer, damaged or read-only,
                or its directory is missing.
            StoreFull, StoreBusy: If the file cannot be made.
        """
        if durability not in _SYNCHRONOUS:
            raise UnknownName("durability", durability, tuple(_SYNCHRONOUS))
        place = _checked_path(path)
        real = os.path.realpath(place)
        limit_s = min(max(busy_timeout_s, 0.0), _LIMIT_MAX_S)
        wait = _Wait(place, limit_s)
        with _explained(place, limit_s):
            _refuse_unusable(place, real)
            writer = _connected(connect, real)
        try:
            with _explained(place, limit_s, writer):
                _prepare(writer, place, real, wait)
                _configure(writer, durability)
                reader = _open_reader(connect, real, wait)
        except BaseException:
            writer.close()
            raise
        return cls(place, real, clock, limit_s, writer, reader)

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """See ``Store.append``."""
        if not drafts:
            return []
        self._check_usable()
        batch.check(drafts, expected)
        with _explained(self.place, self._limit_s, self._writer):
            try:
                with self._transaction():
                    return self._insert(drafts, expected)
            except (VersionConflict, InvalidValue, apsw.ConstraintError):
                # A repetition always ends here, by its old versions or its ids.
                # To look for one before every append would cost all of them.
                stored = {row.id: row for row in map(self.find, _ids(drafts)) if row}
                stamps = batch.repetition(drafts, stored)
                if stamps is None:
                    raise
                return stamps

    def _insert(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Check and write one batch inside a transaction."""
        writer = self._writer
        found = cast("list[tuple[str, int, int]]", _each(writer, _STREAMS, expected))
        versions = dict.fromkeys(expected, 0)
        versions.update({stream: version for stream, _, version in found})
        batch.check_versions(expected, versions)
        newest = cast("list[tuple[int, int]]", writer.execute(_NEWEST).fetchall())
        head, newest_us = newest[0] if newest else (0, None)
        stamps = batch.stamped(
            drafts,
            versions=versions,
            head=head,
            newest_us=newest_us,
            clock=self._clock,
        )
        streams = {stream: number for stream, number, _ in found}
        _number_new(writer, _NEW_STREAM, streams, [draft.stream for draft in drafts])
        names = dict.fromkeys([draft.kind for draft in drafts])
        kinds = dict(cast("list[tuple[str, int]]", _each(writer, _KINDS, names)))
        _number_new(writer, _NEW_KIND, kinds, names)
        rows = [
            (
                position,
                streams[draft.stream],
                version,
                kinds[draft.kind],
                recorded_us,
                draft.earliest,
                draft.latest,
                draft.id,
                draft.payload,
                draft.metadata,
                draft.checksum,
            )
            for draft, (position, version, recorded_us) in zip(
                drafts, stamps, strict=True
            )
        ]
        writer.executemany(_INSERT, rows)
        return stamps

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """Hold the file's write lock; commit at the end, or leave no trace."""
        self._begin()
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:  # Some errors have ended it already.
                self._writer.execute("ROLLBACK")
            raise
        finally:
            self._writing.release()

    def _begin(self) -> None:
        """Take this object's writing lock and the file's, within the time limit.

        SQLite hands its lock to whoever asks at the right moment, and so does a
        lock file: a process that appends without pause asks again before those
        who wait have woken, and they starve. So writers stand in line, and only
        the first in line asks for the lock; who has just written must join the
        line again, behind its first. Threads do likewise before processes.
        """
        wait = _Wait(self.place, self._limit_s)
        with wait.hold(self._line), _gate(self._path, wait):
            wait.acquire(self._writing)
            try:
                self._check_usable()
                _begin_immediate(self._writer, wait)
            except BaseException:
                self._writing.release()
                raise

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """See ``Store.read``."""
        last = _INTEGER_MAX if until is None else _clamped(until)

        def page_after(version: int) -> tuple[_Page, bool]:
            return self._page(_PAGE_OF_STREAM, (_askable(stream), version, last))

        return self._pages(page_after, _VERSION_COLUMN, max(after, 0))

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_all``."""
        last = _INTEGER_MAX if until is None else _clamped(until)

        def page_after(position: int) -> tuple[_Page, bool]:
            return self._page(_PAGE_OF_ALL, (position, last))

        return self._pages(page_after, _POSITION_COLUMN, max(after, 0))

    def _pages(
        self,
        page_after: Callable[[int], tuple[_Page, bool]],
        column: int,
        after: int,
    ) -> Iterator[Row]:
        """Chain pages of rows whose ``column`` counts up from ``after``."""

        def pages() -> Iterator[Iterator[Row]]:
            last, more = after, True
            while more:
                page, more = page_after(_clamped(last))
                if not page:
                    return
                first, last = last + 1, last + len(page)
                if page[0][column] != first or page[-1][column] != last:
                    raise self._damaged(
                        f"some of the events {first} to {last} are lost"
                    )
                yield map(_as_row, page)
                del page  # Before the next one is read.

        return chain.from_iterable(pages())

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_by_stream``.

        What is appended after the call is left out, whatever ``until`` says.
        """
        head = self.head()
        last = head if until is None else min(max(until, 0), head)

        def pages() -> Iterator[Iterator[Row]]:
            stream: str | None = None  # Not "", which a stream may be called.
            version, count, more = 0, 0, True
            while more:
                page, more = self._page(_PAGE_BY_STREAM, (stream, version, last))
                if not page:
                    break
                count += len(page)
                newest = _as_row(page[-1])
                stream, version = newest.stream, newest.version
                yield map(_as_row, page)
                del page  # Before the next one is read.
            if count != last:
                raise self._damaged(f"of {last} events only {count} can be found")

        return chain.from_iterable(pages())

    def _page(
        self, sql: str, arguments: tuple[str | int | None, ...]
    ) -> tuple[_Page, bool]:
        """Read one page: at most ``_PAGE_ROWS``, and not far above ``_PAGE_BYTES``.

        Returns:
            The page, and whether there may be more after it.
        """
        page: _Page = []
        room = _PAGE_BYTES
        with self._reading, _explained(self.place, self._limit_s, self._reader):
            self._check_usable()
            cursor = self._reader.execute(sql, arguments)
            while chunk := list(islice(cursor, _CHUNK_ROWS)):
                page += chunk
                room -= sum(map(len, map(_payload_of, chunk)))
                if room < 0:
                    cursor.close()
                    break
        return page, room < 0 or len(page) == _PAGE_ROWS

    def streams(self) -> Iterator[str]:
        """See ``Store.streams``."""

        def pages() -> Iterator[_Page]:
            last = 0
            while page := self._small_page(_PAGE_OF_STREAMS, (last,)):
                last = cast("int", page[-1][0])
                yield page

        return (cast("str", name) for _, name in chain.from_iterable(pages()))

    def _small_page(self, sql: str, arguments: tuple[int, ...]) -> _Page:
        with self._reading, _explained(self.place, self._limit_s, self._reader):
            self._check_usable()
            return self._reader.execute(sql, arguments).fetchall()

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """See ``Store.find``."""
        rows, _ = self._page(_BY_ID, (_askable(id),))
        return _as_row(rows[0]) if rows else None

    def head(self) -> int:
        """See ``Store.head``."""
        return self._ask(_HEAD)

    def version(self, stream: str) -> int:
        """See ``Store.version``."""
        return self._ask(_VERSION, _askable(stream))

    def position_at(self, recorded_us: int) -> int:
        """See ``Store.position_at``."""
        positions = range(1, self.head() + 1)
        return bisect_right(
            positions, recorded_us, key=partial(self._ask, _RECORDED_US)
        )

    def _ask(self, sql: str, *arguments: str | int | None) -> int:
        """Read one number."""
        with self._reading, _explained(self.place, self._limit_s, self._reader):
            self._check_usable()
            return _number(self._reader.execute(sql, arguments))

    def close(self) -> None:
        """Release files and connections. Calling it twice is fine.

        The last connection to the file, of any process, moves what is in the
        write-ahead log into it.
        """
        if self._pid != os.getpid():
            return  # The files are the parent's; to close them here does harm.
        with self._line, self._writing, self._reading:
            if not self._closed:
                self._closed = True
                self._reader.close()
                self._writer.close()

    def _check_usable(self) -> None:
        if self._pid != os.getpid():
            detail = f"process {self._pid} opened it; open it again after a fork"
            raise StoreUnusable(self.place, "forked", detail)
        if self._closed:
            raise StoreUnusable(self.place, "closed", "open it again")

    def _damaged(self, what: str) -> StoreUnusable:
        return StoreUnusable(self.place, "damaged", f"{what}; {_REPAIR}")


@define
class _Wait:
    """One time limit for everything that an append waits for."""

    place: str
    limit_s: float
    _deadline: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._deadline = time.monotonic() + self.limit_s

    def nap(self, seconds: float) -> None:
        """Sleep for a moment.

        Raises:
            StoreBusy: If the time is over.
        """
        if time.monotonic() >= self._deadline:
            raise StoreBusy(self.place, self.limit_s)
        time.sleep(seconds)

    def acquire(self, lock: threading.Lock) -> None:
        """Take a lock of this process.

        Raises:
            StoreBusy: If the time is over.
        """
        if not lock.acquire(timeout=max(self._deadline - time.monotonic(), 0.0)):
            raise StoreBusy(self.place, self.limit_s)

    @contextmanager
    def hold(self, lock: threading.Lock) -> Generator[None]:
        """Take a lock of this process for the length of the block."""
        self.acquire(lock)
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _gate(path: str, wait: _Wait) -> Generator[None]:
    """Be the first of all processes in line to write ``path``.

    This is fairness, not safety: SQLite's own lock decides. So where the gate
    cannot be had (no ``fcntl``, no permission, a file system without ``flock``)
    writers simply compete.
    """
    if sys.platform == "win32":  # pragma: no cover
        yield
        return
    try:
        # Reading is enough for flock, and all that another user may have.
        gate = os.open(f"{path}-gate", os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        yield
        return
    try:
        while not _flocked(gate):
            wait.nap(_QUEUE_NAP_S)
        yield
    finally:
        with suppress(OSError):  # Closing is not enough, should a thread have forked.
            fcntl.flock(gate, fcntl.LOCK_UN)
        os.close(gate)


def _flocked(gate: int) -> bool:
    try:
        fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # No flock on this file system: pass.
        return True
    return True


def _begin_immediate(connection: _Connection, wait: _Wait) -> None:
    """Begin a transaction with the write lock taken.

    A transaction that takes it later can find that another has written since
    it began, and then has to fail whatever the time limit.
    """
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            # SQLite's own waiting naps for up to 100 ms; the first in line
            # holds up all the others, so it looks more often.
            wait.nap(_NAP_S)
        else:
            return


def _checked_path(path: str | os.PathLike[str]) -> str:
    place = os.fspath(path)
    if not place or place == ":memory:" or "\0" in place:
        raise InvalidValue(
            place, "this cannot name a file", "a path; MemoryStore needs none"
        )
    return place


def _refuse_unusable(place: str, real: str) -> None:
    """Refuse what is certainly no ledger that can be written, without a trace."""
    directory = Path(real).parent
    if not directory.is_dir():
        detail = f"there is no directory {directory}; make it first"
        raise StoreUnusable(place, "missing", detail)
    if not os.access(directory, os.W_OK | os.X_OK):
        detail = f"{directory} cannot be written; {_SIDE_FILES}"
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
    if found.st_size:
        _refuse_header(place, _first_bytes(real, min(found.st_size, _HEADER_BYTES)))


def _stat(path: str) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _first_bytes(path: str, count: int) -> bytes:
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
    if len(header) < _HEADER_BYTES:
        detail = f"the file ends after {len(header)} bytes; {_REPAIR}"
        raise StoreUnusable(place, "damaged", detail)
    application = int.from_bytes(header[68:72])
    if application != APPLICATION_ID:
        detail = (
            "this is an SQLite database of another program (application id"
            f" {application:#x}, ours is {APPLICATION_ID:#x}); nothing was changed"
        )
        raise StoreUnusable(place, "foreign", detail)
    _refuse_newer(place, int.from_bytes(header[60:64]))


def _refuse_newer(place: str, version: int) -> None:
    if version > SCHEMA_VERSION:
        detail = (
            f"its schema version is {version}, and this release knows"
            f" {SCHEMA_VERSION}: use a newer release of azcn_events"
        )
        raise StoreUnusable(place, "newer", detail)


def _prepare(writer: _Connection, place: str, real: str, wait: _Wait) -> None:
    """Make what is missing, and check that the result is a ledger."""
    # For reading the schema; from the first append on, _begin_immediate waits.
    writer.set_busy_timeout(_milliseconds(wait.limit_s))
    if writer.readonly("main"):
        raise StoreUnusable(place, "read-only", "SQLite can open it for reading only")
    if not writer.pragma("application_id"):
        _create(writer, real, wait)
    _refuse_newer(place, cast("int", writer.pragma("user_version")))
    names = {row[0] for row in writer.execute("SELECT name FROM sqlite_schema")}
    missing = [table for table in _TABLES if table not in names]
    if missing:
        detail = f"it has no table {listed(missing)}; {_REPAIR}"
        raise StoreUnusable(place, "damaged", detail)
    if writer.pragma("journal_mode") != "wal":
        with _gate(real, wait):
            mode = writer.pragma("journal_mode", "wal")
        if mode != "wal":
            detail = "its file system cannot share memory; use a disk of this host"
            raise StoreUnusable(place, "read-only", detail)
    writer.set_busy_timeout(0)


def _create(writer: _Connection, real: str, wait: _Wait) -> None:
    """Make the tables, unless another process has just made them.

    Under the ordinary journal, in one transaction: so a file that is not empty
    bears our application id, whatever happens. The change to a write-ahead log
    cannot be part of it, and an opening that finds it undone does it again.
    """
    with _gate(real, wait):
        _begin_immediate(writer, wait)
        try:
            if not writer.pragma("application_id"):
                schema = resources.files("azcn_events.stores") / "sql" / "sqlite.sql"
                writer.execute(schema.read_text("utf-8")).fetchall()
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise


def _configure(writer: _Connection, durability: str) -> None:
    """Set what SQLite keeps for each connection and not in the file."""
    writer.pragma("synchronous", _SYNCHRONOUS[durability])
    # macOS's fsync does not reach the disk without it; elsewhere it means nothing.
    writer.pragma("fullfsync", durability == "full")
    writer.pragma("foreign_keys", True)
    # A log that one large batch has stretched is cut when it is next begun.
    writer.pragma("journal_size_limit", _LOG_KEPT_BYTES)
    writer.set_wal_hook(_LogKeeper())
    _set_alike(writer)


def _open_reader(
    connect: Callable[[str], apsw.Connection], real: str, wait: _Wait
) -> _Connection:
    reader = _connected(connect, real)
    try:
        reader.set_busy_timeout(_milliseconds(wait.limit_s))
        reader.pragma("query_only", True)
        _set_alike(reader)
    except BaseException:
        reader.close()
        raise
    return reader


def _connected(connect: Callable[[str], apsw.Connection], real: str) -> _Connection:
    return cast("_Connection", connect(real))


def _set_alike(connection: _Connection) -> None:
    # The ids' index when writing, and the rows of a stream when reading, lie all
    # over the file: they want room. Kibibytes are negative.
    connection.pragma("cache_size", -_CACHE_KIB)
    # Notice damage early, and run no code that a crafted file may hold.
    connection.pragma("cell_size_check", True)
    connection.pragma("trusted_schema", False)


def _milliseconds(seconds: float) -> int:
    return min(round(seconds * 1000), 2**31 - 1)


def _number_new(
    writer: _Connection, sql: str, numbers: dict[str, int], names: Iterable[str]
) -> None:
    """Insert the names that have no number yet, in order, and note theirs."""
    new = [name for name in dict.fromkeys(names) if name not in numbers]
    if new:
        numbers.update(cast("list[tuple[str, int]]", _each(writer, sql, new)))


@define
class _LogKeeper:
    """Moves the write-ahead log into the file, so that it does not grow for ever.

    SQLite does the same of its own accord, but never waits for a reader, and
    begins the log anew only when nobody is reading from it. Where several
    processes read all the time that moment does not come: four of them let it
    grow by 20 MB a second. Pages are short, so a short wait finds the moment.
    """

    _wait_from: int = field(default=_LONG_LOG_PAGES, init=False)

    def __call__(self, connection: apsw.Connection, _database: str, pages: int) -> int:
        """See ``apsw.Connection.set_wal_hook``: called after each commit."""
        try:
            if pages >= self._wait_from:
                # Should somebody hold on to the log for minutes, then wait
                # seldom: only when it has doubled.
                self._wait_from = pages * 2
                connection.set_busy_timeout(_milliseconds(_READERS_WAIT_S))
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                self._wait_from = _LONG_LOG_PAGES
            elif pages >= _LOG_PAGES:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error:
            pass  # What was appended is stored; the next commit tries again.
        finally:
            connection.set_busy_timeout(0)
        return apsw.SQLITE_OK


def _each(writer: _Connection, sql: str, names: Iterable[str]) -> _Page:
    """Execute a statement for each name, and gather all its rows."""
    return writer.executemany(sql, [(name,) for name in names]).fetchall()


def _number(cursor: _Cursor) -> int:
    return cast("int", cursor.fetchall()[0][0])


def _clamped(number: int) -> int:
    """Keep a position or version within what SQLite can compare."""
    return min(max(number, 0), _INTEGER_MAX)


def _askable(name: str) -> str | None:
    """Give the name; None, which equals nothing, if no such name can be stored."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name


def _ids(drafts: Iterable[Draft]) -> Iterator[str]:
    return (draft.id for draft in drafts)


@contextmanager
def _explained(
    place: str, limit_s: float, connection: _Connection | None = None
) -> Generator[None]:
    """Raise our errors in place of SQLite's."""
    try:
        yield
    except apsw.Error as error:
        number = connection.system_errno if connection else 0
        explained = _explanation(error, place, limit_s, number)
        if explained is None:
            raise
        raise explained from error
    except OSError as error:
        if connection:  # It is open: then this is the clock's, not the file's.
            raise
        raise StoreUnusable(place, "missing", f"{error}; is the path right?") from error
    except UnicodeDecodeError as error:
        detail = f"a text in it is not UTF-8; {_REPAIR}"
        raise StoreUnusable(place, "damaged", detail) from error


def _explanation(
    error: apsw.Error, place: str, limit_s: float, number: int
) -> StoreError | None:
    """Give our error for SQLite's; None for what only a fault of ours can cause."""
    match error:
        case apsw.FullError():
            return StoreFull(place)
        case apsw.BusyError() | apsw.LockedError():
            return StoreBusy(place, limit_s)
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return StoreUnusable(place, "read-only", f"{error}; {_SIDE_FILES}")
        case apsw.IOError() | apsw.CantOpenError() if number in _NO_ROOM:
            return StoreFull(place)
        case apsw.IOError() | apsw.CantOpenError() if number in _NO_PERMISSION:
            return StoreUnusable(place, "read-only", f"{error}; {_SIDE_FILES}")
        case apsw.CantOpenError():
            return StoreUnusable(place, "missing", f"{error}; is the path right?")
        case apsw.IOError():
            detail = (
                f"{error}: the disk failed; whether the last append was stored is"
                " not known: repeat it with the same ids when the disk is well"
            )
            return StoreUnusable(place, "damaged", detail)
        case (
            apsw.CorruptError()
            | apsw.NotADBError()
            | apsw.SQLError()
            | apsw.ConstraintError()
        ):
            return StoreUnusable(place, "damaged", f"{error}; {_REPAIR}")
        case _:
            return None
