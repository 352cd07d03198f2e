"""The store itself: its rows, its appends, and the SQL for both.

Internal; ``azcn_events.stores.sqlite`` exports the class.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import Final, Self, cast

import apsw
from attrs import define, field

from azcn_events.core.leaf import Fields, leaves_from
from azcn_events.errors import (
    InvalidValue,
    StoreUnusable,
    UnknownName,
    VersionConflict,
)
from azcn_events.stores import batch
from azcn_events.stores.protocol import Draft, Row, Stamp
from azcn_events.stores.sqlite.driver import (
    INTEGER_MAX,
    REPAIR,
    Connection,
    Cursor,
    Page,
    askable,
    clamped,
    each,
    explained,
)
from azcn_events.stores.sqlite.file import (
    SYNCHRONOUS,
    checked_path,
    connections,
    file_identity,
)
from azcn_events.stores.sqlite.line import LIMIT_MAX_S, Wait, begin_immediate, gate

__all__ = ["SqliteStore"]

_PAGE_ROWS: Final = 250
"""Few enough for a page to stay in the processor's cache until it is used."""
_PAGE_BYTES: Final = 8 * 1024 * 1024
_CHUNK_ROWS: Final = 25

_INSERT: Final = """
    INSERT INTO event (position, stream, version, kind, recorded_us, earliest,
                       latest, id, leaf, payload, metadata, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
_PAGE_OF_LEAVES: Final = """
    SELECT position, leaf FROM event WHERE position > ? AND position <= ?
    ORDER BY position LIMIT 1000
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

_LEAF_POSITION_COLUMN: Final = 0
_leaf_in: Final[Callable[[tuple[object, ...]], bytes]] = itemgetter(1)

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
        durability: What ``open`` was told.
    """

    place: str
    durability: str
    _path: str
    _clock: Callable[[], int]
    _limit_s: float
    _writer: Connection
    _reader: Connection
    _identity: tuple[int, int] = field(init=False)
    _pid: int = field(factory=os.getpid, init=False)
    _closed: bool = field(default=False, init=False)
    # A thread stands in line, then writes, and leaves the line as soon as it may
    # write; _begin says why. Readers have a connection and a lock of their own.
    _line: threading.Lock = field(factory=threading.Lock, init=False)
    _writing: threading.Lock = field(factory=threading.Lock, init=False)
    _reading: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self._identity = file_identity(self._path)

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
        if durability not in SYNCHRONOUS:
            raise UnknownName("durability", durability, tuple(SYNCHRONOUS))
        place = checked_path(path)
        real = os.path.realpath(place)
        limit_s = min(max(busy_timeout_s, 0.0), LIMIT_MAX_S)
        wait = Wait(place, limit_s)
        writer, reader = connections(connect, real, durability, wait)
        return cls(place, durability, real, clock, limit_s, writer, reader)

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """See ``Store.append``."""
        if not drafts:
            return []
        self._check_usable()
        batch.check(drafts, expected)
        with explained(self.place, self._limit_s, self._writer):
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
        found = cast("list[tuple[str, int, int]]", each(writer, _STREAMS, expected))
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
        kinds = dict(cast("list[tuple[str, int]]", each(writer, _KINDS, names)))
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
                leaf,
                draft.payload,
                draft.metadata,
                draft.checksum,
            )
            for draft, (position, version, recorded_us), leaf in zip(
                drafts, stamps, _leaves(drafts, stamps), strict=True
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
        wait = Wait(self.place, self._limit_s)
        with wait.hold(self._line), gate(self._path, wait):
            wait.acquire(self._writing)
            try:
                self._check_usable()
                self._check_same_file()
                begin_immediate(self._writer, wait)
            except BaseException:
                self._writing.release()
                raise

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """See ``Store.read``."""
        last = INTEGER_MAX if until is None else clamped(until)

        def page_after(version: int) -> tuple[Page, bool]:
            return self._page(_PAGE_OF_STREAM, (askable(stream), version, last))

        return self._pages(page_after, _VERSION_COLUMN, max(after, 0))

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_all``."""
        last = INTEGER_MAX if until is None else clamped(until)

        def page_after(position: int) -> tuple[Page, bool]:
            return self._page(_PAGE_OF_ALL, (position, last))

        return self._pages(page_after, _POSITION_COLUMN, max(after, 0))

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        """See ``Store.leaves``."""
        last = INTEGER_MAX if until is None else clamped(until)

        def pages() -> Iterator[Iterator[bytes]]:
            reached = clamped(after)
            while page := self._small_page(_PAGE_OF_LEAVES, (reached, last)):
                reached = self._reached(page, _LEAF_POSITION_COLUMN, reached)
                yield map(_leaf_in, page)

        return chain.from_iterable(pages())

    def _pages(
        self,
        page_after: Callable[[int], tuple[Page, bool]],
        column: int,
        after: int,
    ) -> Iterator[Row]:
        """Chain pages of rows whose ``column`` counts up from ``after``."""

        def pages() -> Iterator[Iterator[Row]]:
            last, more = after, True
            while more:
                page, more = page_after(clamped(last))
                if not page:
                    return
                last = self._reached(page, column, last)
                yield map(_as_row, page)
                del page  # Before the next one is read.

        return chain.from_iterable(pages())

    def _reached(self, page: Page, column: int, before: int) -> int:
        """Give how far a page goes whose ``column`` must count up from ``before``."""
        first, last = before + 1, before + len(page)
        if page[0][column] != first or page[-1][column] != last:
            raise self._damaged(f"some of the events {first} to {last} are lost")
        return last

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
    ) -> tuple[Page, bool]:
        """Read one page: at most ``_PAGE_ROWS``, and not far above ``_PAGE_BYTES``.

        Returns:
            The page, and whether there may be more after it.
        """
        page: Page = []
        room = _PAGE_BYTES
        with self._reading, explained(self.place, self._limit_s, self._reader):
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

        def pages() -> Iterator[Page]:
            last = 0
            while page := self._small_page(_PAGE_OF_STREAMS, (last,)):
                last = cast("int", page[-1][0])
                yield page

        return (cast("str", name) for _, name in chain.from_iterable(pages()))

    def _small_page(self, sql: str, arguments: tuple[int, ...]) -> Page:
        with self._reading, explained(self.place, self._limit_s, self._reader):
            self._check_usable()
            return self._reader.execute(sql, arguments).fetchall()

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """See ``Store.find``."""
        rows, _ = self._page(_BY_ID, (askable(id),))
        return _as_row(rows[0]) if rows else None

    def head(self) -> int:
        """See ``Store.head``."""
        return self._ask(_HEAD)

    def version(self, stream: str) -> int:
        """See ``Store.version``."""
        return self._ask(_VERSION, askable(stream))

    def position_at(self, recorded_us: int) -> int:
        """See ``Store.position_at``."""
        positions = range(1, self.head() + 1)
        return bisect_right(
            positions, recorded_us, key=partial(self._ask, _RECORDED_US)
        )

    def _ask(self, sql: str, *arguments: str | int | None) -> int:
        """Read one number."""
        with self._reading, explained(self.place, self._limit_s, self._reader):
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

    def _check_same_file(self) -> None:
        if file_identity(self._path) != self._identity:
            detail = "the file was deleted or replaced; open it again"
            raise StoreUnusable(self.place, "missing", detail)

    def _check_usable(self) -> None:
        if self._pid != os.getpid():
            detail = f"process {self._pid} opened it; open it again after a fork"
            raise StoreUnusable(self.place, "forked", detail)
        if self._closed:
            raise StoreUnusable(self.place, "closed", "open it again")

    def _damaged(self, what: str) -> StoreUnusable:
        return StoreUnusable(self.place, "damaged", f"{what}; {REPAIR}")


def _number_new(
    writer: Connection, sql: str, numbers: dict[str, int], names: Iterable[str]
) -> None:
    """Insert the names that have no number yet, in order, and note theirs."""
    new = [name for name in dict.fromkeys(names) if name not in numbers]
    if new:
        numbers.update(cast("list[tuple[str, int]]", each(writer, sql, new)))


def _leaves(drafts: Sequence[Draft], stamps: Sequence[Stamp]) -> Iterator[bytes]:
    """Yield the leaf hash of each draft; a function for each would cost a sixth."""
    fields: list[Fields] = [
        (
            position,
            draft.stream,
            version,
            draft.kind,
            draft.id,
            recorded_us,
            draft.payload,
            draft.metadata,
        )
        for draft, (position, version, recorded_us) in zip(drafts, stamps, strict=True)
    ]
    return leaves_from(fields)


def _number(cursor: Cursor) -> int:
    return cast("int", cursor.fetchall()[0][0])


def _ids(drafts: Iterable[Draft]) -> Iterator[str]:
    return (draft.id for draft in drafts)
