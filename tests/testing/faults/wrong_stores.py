"""Stores that break a promise each; every kit must notice those that it can."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from attrs import define, field

from azcn_events.errors import StoreError
from azcn_events.stores.protocol import Draft, Stamp, Store
from azcn_events.stores.sqlite import SqliteStore
from azcn_events.testing.faults.openers import sqlite_full


@define
class Wrapper:
    """A good store, but for what a subclass does wrong."""

    inner: Store

    def __getattr__(self, name: str) -> Any:
        """Give whatever the good store has."""
        return getattr(self.inner, name)


@define
class Hasty(Wrapper):
    """Acknowledges an append when the next one comes to be stored."""

    waiting: list[tuple[list[Draft], dict[str, int]]] = field(factory=list)

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Keep the batch in memory, and store the one before it."""
        self.flush()
        self.waiting.append((list(drafts), dict(expected)))
        return []

    def version(self, stream: str) -> int:
        """Count what is not yet stored, too."""
        waiting = [
            d for drafts, _ in self.waiting for d in drafts if d.stream == stream
        ]
        return self.inner.version(stream) + len(waiting)

    def flush(self) -> None:
        """Store what is waiting."""
        for drafts, expected in self.waiting:
            self.inner.append(drafts, expected)
        self.waiting.clear()

    def close(self) -> None:
        """Store what is waiting, and close."""
        self.flush()
        self.inner.close()


@define
class Piecemeal(Wrapper):
    """Stores each event of a batch in a transaction of its own."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Append one after another."""
        versions = dict(expected)
        stamps = list[Stamp]()
        for draft in drafts:
            stream = draft.stream
            stamps += self.inner.append([draft], {stream: versions[stream]})
            versions[stream] += 1
        return stamps


@define
class Swallowing(Wrapper):
    """Takes no notice of errors."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Append, and say that it went well."""
        try:
            return self.inner.append(drafts, expected)
        except Exception:  # noqa: BLE001 - this is what is wrong with it
            return []


@define
class Raw(Wrapper):
    """Lets the driver's errors out as they are."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Append, and raise what the driver raised."""
        try:
            return self.inner.append(drafts, expected)
        except StoreError as error:
            raise error.__cause__ or error from None


@define
class Stubborn(Wrapper):
    """Waits for ever for a disk that has failed."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Append; after an error, hope that it goes away."""
        try:
            return self.inner.append(drafts, expected)
        except StoreError:
            while True:
                time.sleep(1)


def hasty(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that acknowledges before it commits."""
    return cast("Store", Hasty(sqlite_full(directory, clock)))


def piecemeal(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that tears batches."""
    return cast("Store", Piecemeal(sqlite_full(directory, clock)))


def stubborn(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that does not give in."""
    return cast("Store", Stubborn(sqlite_full(directory, clock)))


def swallowing(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that hides its errors."""
    return cast("Store", Swallowing(sqlite_full(directory, clock)))


def raw(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store whose errors are the driver's."""
    return cast("Store", Raw(sqlite_full(directory, clock)))


def unsynced(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a store that never waits for its disk, not even for the log's sake."""
    store = SqliteStore.open(directory / "log.db", clock=clock)
    store._writer.pragma("synchronous", "OFF")
    return store
