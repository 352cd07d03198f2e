"""Stores with one fault each, of the kind that shows only with several clients."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, cast

from azcn_events.errors import VersionConflict
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.stand_ins import OpenStore

SCHEMA = """
    CREATE TABLE IF NOT EXISTS event
        (position INTEGER PRIMARY KEY, stream, version, id);
    CREATE TABLE IF NOT EXISTS sequence (one INTEGER PRIMARY KEY, position);
    INSERT OR IGNORE INTO sequence VALUES (1, 0);
"""


class Sketch:
    """The least of a store, over sqlite3; it is correct, its subclasses are not."""

    begin: ClassVar[str] = "BEGIN IMMEDIATE"

    def __init__(self, directory: Path, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.database = sqlite3.connect(
            directory / "sketch.db", timeout=30, isolation_level=None
        )
        self.database.execute("PRAGMA synchronous = OFF")
        with self.transaction("BEGIN IMMEDIATE"):
            for statement in SCHEMA.split(";"):
                self.database.execute(statement)

    @contextmanager
    def transaction(self, begin: str) -> Generator[None]:
        """Commit at the end, or leave no trace."""
        self.database.execute(begin)
        try:
            yield
            self.database.execute("COMMIT")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store all after the expected version."""
        with self.transaction(self.begin):
            version = self.checked(expected)
            self.clock()
            return self.insert(drafts, version)

    def checked(self, expected: Mapping[str, int]) -> int:
        """Give the one stream's version if it is the expected one."""
        [(stream, version)] = expected.items()
        if version != self.version(stream):
            raise VersionConflict(stream, version, self.version(stream))
        return version

    def insert(self, drafts: Sequence[Draft], version: int) -> list[Stamp]:
        """Store all, after this version."""
        return [
            self.insert_one(draft, number)
            for number, draft in enumerate(drafts, version + 1)
        ]

    def insert_one(self, draft: Draft, version: int) -> Stamp:
        """Store one, at the next position."""
        position = self.database.execute(
            "INSERT INTO event (stream, version, id) VALUES (?, ?, ?)",
            (draft.stream, version, draft.id),
        ).lastrowid
        assert position is not None
        return Stamp(position, version, 0)

    def version(self, stream: str) -> int:
        """Give the stream's version."""
        return len(list(self.read(stream)))

    def read(self, stream: str) -> Iterator[Row]:
        """Give one stream, oldest first."""
        return self.rows("stream = ? ORDER BY version, position", stream)

    def read_all(self, *, after: int = 0) -> Iterator[Row]:
        """Give the log after a position."""
        return self.rows("position > ? ORDER BY position", after)

    def rows(self, which: str, argument: Any) -> Iterator[Row]:
        """Give the events that a condition selects."""
        sql = f"SELECT position, stream, version, id FROM event WHERE {which}"  # noqa: S608 - ours
        found = self.database.execute(sql, (argument,)).fetchall()
        for position, stream, version, id_ in found:
            yield Row(position, stream, version, id_, "asked/1", 0, b"{}", b"{}", 0)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class CheckThenInsert(Sketch):
    """Looks at the version first, and begins the transaction afterwards."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store all after the expected version."""
        version = self.checked(expected)
        self.clock()
        with self.transaction(self.begin):
            return self.insert(drafts, version)


class NoTransaction(Sketch):
    """Stores the events of an append one by one."""

    @contextmanager
    def transaction(self, begin: str) -> Generator[None]:  # noqa: ARG002 - that is it
        """Begin nothing: each statement is a transaction of its own."""
        yield

    def insert_one(self, draft: Draft, version: int) -> Stamp:
        """Take some time for each."""
        self.clock()
        return super().insert_one(draft, version)


class StaleReads(Sketch):
    """Answers every other read of a stream from its memory."""

    def __init__(self, directory: Path, clock: Callable[[], int]) -> None:
        super().__init__(directory, clock)
        self.remembered: dict[str, list[Row]] = {}

    def read(self, stream: str) -> Iterator[Row]:
        """Give what was read before, or read and remember."""
        if stream in self.remembered:
            return iter(self.remembered.pop(stream))
        self.remembered[stream] = list(super().read(stream))
        return iter(self.remembered[stream])

    def version(self, stream: str) -> int:
        """Give the stream's version, which is never remembered."""
        return len(list(super().read(stream)))


class Forgetful(Sketch):
    """Acknowledges appends, and drops each that begins at a tenth position."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store all after the expected version."""
        stamps = super().append(drafts, expected)
        if stamps[0].position % 10 == 0:
            self.database.execute(
                "DELETE FROM event WHERE position >= ?", (stamps[0].position,)
            )
        return stamps


class Deferred(Sketch):
    """Asks for the write lock when it has read already, and often gets none."""

    begin: ClassVar[str] = "BEGIN DEFERRED"


class FromSequence(Sketch):
    """Takes positions from a sequence: a lower one may be committed later."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store all after the expected version."""
        with self.transaction("BEGIN IMMEDIATE"):
            [[last]] = self.database.execute(
                "UPDATE sequence SET position = position + ? RETURNING position",
                (len(drafts),),
            ).fetchall()
        self.clock()
        with self.transaction("BEGIN IMMEDIATE"):
            version = self.checked(expected)
            first = last - len(drafts) + 1
            stamps = [
                Stamp(first + number, version + number + 1, 0)
                for number in range(len(drafts))
            ]
            self.database.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?)",
                [
                    (stamp.position, draft.stream, stamp.version, draft.id)
                    for stamp, draft in zip(stamps, drafts, strict=True)
                ],
            )
            return stamps


class Bare:
    """A dictionary without a lock: the check and the change are some lines apart."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store all after the expected version."""
        [(stream, version)] = expected.items()
        found = len(self.ids.setdefault(stream, []))
        if found != version:
            raise VersionConflict(stream, version, found)
        self.ids[stream] += [draft.id for draft in drafts]
        return [Stamp(0, version + n, 0) for n, _ in enumerate(drafts, 1)]

    def read(self, stream: str) -> Iterator[Row]:
        """Give one stream, oldest first."""
        for version, id_ in enumerate(self.ids.get(stream, []), 1):
            yield Row(0, stream, version, id_, "asked/1", 0, b"{}", b"{}", 0)

    def close(self) -> None:
        """Do nothing."""


def opening(kind: type[Sketch]) -> OpenStore:
    """Make an opener. Clients ask a store for no more than a sketch can."""

    def open_store(directory: Path, clock: Callable[[], int]) -> Store:
        return cast("Store", kind(directory, clock))

    return open_store


def unlocked() -> OpenStore:
    """Make an opener of memory stores without their lock, one for each directory."""
    kept: dict[Path, MemoryStore] = {}

    def open_store(directory: Path, clock: Callable[[], int]) -> Store:
        if directory not in kept:
            kept[directory] = MemoryStore(clock)
            kept[directory]._lock = nullcontext()  # type: ignore[assignment] # the fault
        return kept[directory]

    return open_store


def bare() -> OpenStore:
    """Make an opener of bare dictionaries, one for each directory."""
    kept: defaultdict[Path, Bare] = defaultdict(Bare)
    return lambda directory, _clock: cast("Store", kept[directory])
