"""Bugs in stores: in memory by subclass, and in a small one on the standard SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, Final

from attrs import define, evolve, field
from tests.zoo.bug import Bug, Check

from azcn_events.core.leaf import leaves_of
from azcn_events.stores import batch
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.laws.stores import STORE_LAWS

__all__ = ["BUGS"]

_BY_LAWS: Final = Check(STORE_LAWS, examples=8)

Versions = Mapping[str, int]


@define(eq=False)
class _InMemory:
    """Opens stores of one class, and keeps each directory's."""

    kind: type[MemoryStore]
    _kept: dict[Path, MemoryStore] = field(factory=dict[Path, MemoryStore], init=False)

    def __call__(self, directory: Path, clock: Callable[[], int]) -> Store:
        store = self._kept.setdefault(directory, self.kind(clock))
        store.clock = clock
        return store


_MEMORY: Final = _InMemory(MemoryStore)


def _forgetting(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that is new each time."""
    del directory
    return MemoryStore(clock)


@define(eq=False)
class _IncludesAfter(MemoryStore):
    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        return super().read(stream, after=after - 1, until=until)


@define(eq=False)
class _IgnoresUntil(MemoryStore):
    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        del until
        return super().read(stream, after=after)


@define(eq=False)
class _ReadsByPrefix(MemoryStore):
    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        return (
            row
            for row in self.read_all(until=until)
            if row.stream.startswith(stream) and row.version > after
        )


@define(eq=False)
class _ReadsAPage(MemoryStore):
    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        page = self._log[max(after, 0) : max(after, 0) + 1000]
        return (row for row in page if until is None or row.position <= until)


@define(eq=False)
class _SortsByStream(MemoryStore):
    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        found = self.read_all(until=until)
        return iter(sorted(found, key=lambda row: (row.stream, row.version)))


@define(eq=False)
class _BeforeTheTime(MemoryStore):
    def position_at(self, recorded_us: int) -> int:
        return super().position_at(recorded_us - 1)


@define(eq=False)
class _FindsByCase(MemoryStore):
    def find(self, id: str) -> Row | None:  # noqa: A002 - the protocol's word
        lower = id.lower()
        return next((row for row in self._log if row.id.lower() == lower), None)


@define(eq=False)
class _Changing(MemoryStore):
    """Changes what it is given before it keeps it."""

    def _changed(self, draft: Draft) -> Draft:
        raise NotImplementedError

    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        return super().append([self._changed(draft) for draft in drafts], expected)


class _DropsMetadata(_Changing):
    def _changed(self, draft: Draft) -> Draft:
        return evolve(draft, metadata=b"{}")


class _CutsChecksums(_Changing):
    def _changed(self, draft: Draft) -> Draft:
        return evolve(draft, checksum=draft.checksum & 0xFFFF_FFFF)


class _SetsTimes(_Changing):
    def _changed(self, draft: Draft) -> Draft:
        return evolve(draft, recorded_us=None)


@define(eq=False)
class _ChecksWhatItWrites(MemoryStore):
    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        written = {draft.stream for draft in drafts}
        named = {name: number for name, number in expected.items() if name in written}
        return super().append(drafts, named)


@define(eq=False)
class _LastOneWins(MemoryStore):
    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        fresh = {stream: self.version(stream) for stream in expected}
        return super().append(drafts, fresh)


@define(eq=False)
class _RefusesRepetition(MemoryStore):
    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        versions = {stream: self.version(stream) for stream in expected}
        if drafts:
            batch.check_versions(expected, versions)
        return super().append(drafts, expected)


@define(eq=False)
class _TrustsTheFirstId(MemoryStore):
    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        known = [self.find(draft.id) for draft in drafts]
        if known and known[0]:
            rows = [row for row in known if row]
            return [Stamp(row.position, row.version, row.recorded_us) for row in rows]
        return super().append(drafts, expected)


@define(eq=False)
class _StampsNothing(MemoryStore):
    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        return super().append(drafts, expected) or [Stamp(self.head(), 0, 0)]


@define(eq=False)
class _HashesTheClock(MemoryStore):
    def _keep(self, rows: Iterator[Row]) -> None:
        kept, now_us = list(rows), self.clock()
        super()._keep(iter(kept))
        shown = [row._replace(recorded_us=now_us) for row in kept]
        self._leaves[-len(kept) :] = leaves_of(shown)


# On the standard library's SQLite.


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS log (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    recorded_us INTEGER NOT NULL,
    payload BLOB NOT NULL,
    metadata BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (stream, version)
)
"""
_PAGE: Final = 500
_LAST: Final = 2**62


class Shelf:
    """A store on the standard library's SQLite."""

    schema = _SCHEMA
    begin = "BEGIN IMMEDIATE"
    insert = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    of_stream = "stream = ?"

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._lock = RLock()
        self._db = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.execute(self.schema)

    def append(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        """See ``Store.append``."""
        if not drafts:
            return []
        batch.check(drafts, expected)
        with self._lock:
            self._db.execute(self.begin)
            try:
                stamps = self._add(drafts, expected)
            except BaseException:
                self._give_up()
                raise
            self._db.execute("COMMIT")
            return stamps

    def _add(self, drafts: Sequence[Draft], expected: Versions) -> list[Stamp]:
        stored = {
            draft.id: row
            for draft in drafts
            if (row := self.find(draft.id)) is not None
        }
        repeated = batch.repetition(drafts, stored)
        if repeated is not None:
            return repeated
        versions = {stream: self.version(stream) for stream in expected}
        batch.check_versions(expected, versions)
        stamps = batch.stamped(
            drafts,
            versions=versions,
            head=self.head(),
            newest_us=self._one("SELECT max(recorded_us) FROM log"),
            clock=self.clock,
        )
        for draft, stamp in zip(drafts, stamps, strict=True):
            self._db.execute(self.insert, self._values(draft, stamp))
        return stamps

    def _give_up(self) -> None:
        self._db.execute("ROLLBACK")

    def _values(self, draft: Draft, stamp: Stamp) -> tuple[object, ...]:
        return (
            stamp.position,
            draft.stream,
            stamp.version,
            draft.id,
            draft.kind,
            stamp.recorded_us,
            bytes(draft.payload),
            bytes(draft.metadata),
            draft.checksum,
        )

    def _one(self, sql: str, *values: object) -> Any:
        with self._lock:
            return self._db.execute(sql, values).fetchone()[0]

    def _rows(self, where: str, *values: object, order: str = "position") -> list[Row]:
        sql = f"SELECT * FROM log WHERE {where} ORDER BY {order}"  # noqa: S608 - our own words
        with self._lock:
            return [Row(*row) for row in self._db.execute(sql, values)]

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """See ``Store.read``."""
        if not _is_utf8(stream):
            return
        last = _LAST if until is None else _within(until)
        while True:
            page = self._rows(
                f"{self.of_stream} AND version > ? AND position <= ?",
                stream,
                _within(after),
                last,
                order=f"version LIMIT {_PAGE}",
            )
            if not page:
                return
            yield from page
            after = page[-1].version

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_all``."""
        last = _LAST if until is None else _within(until)
        while True:
            page = self._rows(
                "position > ? AND position <= ?",
                _within(after),
                last,
                order=f"position LIMIT {_PAGE}",
            )
            if not page:
                return
            yield from page
            after = page[-1].position

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        """See ``Store.leaves``; nobody alters rows in memory, so they are made anew."""
        return leaves_of(self.read_all(after=after, until=until))

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_by_stream``."""
        last = self.head() if until is None else min(until, self.head())
        known = list(self.streams())
        return (row for stream in known for row in self.read(stream, until=last))

    def streams(self) -> Iterator[str]:
        """See ``Store.streams``."""
        return iter([row.stream for row in self._rows("version = 1")])

    def find(self, id: str) -> Row | None:  # noqa: A002 - the protocol's word
        """See ``Store.find``."""
        return next(iter(self._rows("id = ?", id)), None) if _is_utf8(id) else None

    def head(self) -> int:
        """See ``Store.head``."""
        return int(self._one("SELECT coalesce(max(position), 0) FROM log"))

    def version(self, stream: str) -> int:
        """See ``Store.version``."""
        if not _is_utf8(stream):
            return 0
        sql = f"SELECT coalesce(max(version), 0) FROM log WHERE {self.of_stream}"  # noqa: S608 - our own words
        return int(self._one(sql, stream))

    def position_at(self, recorded_us: int) -> int:
        """See ``Store.position_at``."""
        sql = "SELECT coalesce(max(position), 0) FROM log WHERE recorded_us <= ?"
        return int(self._one(sql, _within(recorded_us)))

    def close(self) -> None:
        """See ``Store.close``."""

    def give_back(self) -> None:
        """Let go of what it holds."""
        self._db.close()


def _within(number: int) -> int:
    """Give the nearest number that SQLite can hold."""
    return max(-_LAST, min(number, _LAST))


def _is_utf8(name: str) -> bool:
    """Say whether a name can be asked of SQLite: nothing is stored under others."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class _LeavesFromZero(Shelf):
    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        rows = self.read_all(after=after, until=until)
        return leaves_of(row._replace(position=row.position - 1) for row in rows)


class _AsText(Shelf):
    def _values(self, draft: Draft, stamp: Stamp) -> tuple[object, ...]:
        values = list(super()._values(draft, stamp))
        values[6] = bytes(draft.payload).decode("utf-8", "replace").encode()
        return tuple(values)


class _OnePage(Shelf):
    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        if not _is_utf8(stream):
            return iter(())
        last = _LAST if until is None else _within(until)
        where = f"{self.of_stream} AND version > ? AND position <= ?"
        order = f"version LIMIT {_PAGE}"
        return iter(self._rows(where, stream, _within(after), last, order=order))


@define(eq=False)
class _OnShelf:
    """Opens stores of one class; a directory's is kept as long as the directory is.

    In memory: files would take most of the time, and no bug here is about files.
    """

    kind: type[Shelf]
    _kept: dict[Path, Shelf] = field(factory=dict[Path, Shelf], init=False)

    def __call__(self, directory: Path, clock: Callable[[], int]) -> Store:
        for gone in [known for known in self._kept if not known.exists()]:
            self._kept.pop(gone).give_back()
        if directory not in self._kept:
            self._kept[directory] = self.kind(clock)
        store = self._kept[directory]
        store.clock = clock
        return store


_SHELF: Final = _OnShelf(Shelf)


def _memory(name: str, why: str, kind: type[MemoryStore]) -> Bug:
    return Bug(name, why, _InMemory(kind), _MEMORY, _BY_LAWS)


def _shelf(name: str, why: str, kind: type[Shelf]) -> Bug:
    return Bug(name, why, _OnShelf(kind), _SHELF, _BY_LAWS)


BUGS: Final = (
    Bug(
        "kept-until-closed",
        "Nothing is written to the directory: the store is new whenever it is opened.",
        _forgetting,
        _MEMORY,
        _BY_LAWS,
    ),
    _memory("after-included", "`after` is included: off by one.", _IncludesAfter),
    _memory("until-ignored", "A stream is read beyond `until`.", _IgnoresUntil),
    _memory("read-by-prefix", "Streams are found by prefix.", _ReadsByPrefix),
    _memory("one-page", "The log is read up to the end of a page.", _ReadsAPage),
    _memory("log-by-name", "Stream after stream, sorted by name.", _SortsByStream),
    _memory(
        "before-the-time",
        "`position_at` leaves out what was recorded at that very time.",
        _BeforeTheTime,
    ),
    _memory("ids-without-case", "Ids are found without regard to case.", _FindsByCase),
    _memory("metadata-dropped", "There is no column for metadata.", _DropsMetadata),
    _memory("checksum-cut", "Checksums are kept in 32 bits.", _CutsChecksums),
    _memory(
        "times-set-anew",
        "Recorded times that are given, as when a log is restored, are set anew.",
        _SetsTimes,
    ),
    _memory(
        "only-written-checked",
        "Versions of streams that were only read are not compared.",
        _ChecksWhatItWrites,
    ),
    _memory(
        "last-one-wins",
        "The expected version is read from the store itself.",
        _LastOneWins,
    ),
    _memory(
        "retry-refused",
        "Versions are compared before ids, so a repeated append is refused.",
        _RefusesRepetition,
    ),
    _memory(
        "first-id-trusted",
        "If the first id is stored, the whole batch is taken for a repetition.",
        _TrustsTheFirstId,
    ),
    _memory("stamp-for-nothing", "Nothing appended gives a stamp.", _StampsNothing),
    _memory(
        "leaves-before-the-clock",
        "Leaf hashes are made of the clock's time, before it is overruled.",
        _HashesTheClock,
    ),
    _shelf(
        "leaves-from-zero",
        "Leaf hashes are made of indices from 0, not of positions.",
        _LeavesFromZero,
    ),
    _shelf("as-text", "The payload is kept as text.", _AsText),
    _shelf("limit", "A stream is read with a `LIMIT`, once.", _OnePage),
)
