"""The least work that gives the same result: what the machine allows.

The same file, driver, pragmas, tables, indexes, bytes and event classes; but no
checks of names, sizes and texts, no checksums or hashes, no records around the
events, no waiting line of writers, no rules. Nobody should keep a ledger like this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec
from benchmarks import data

from azcn_events.core.events import Event
from azcn_events.core.lifecycle import Effect, Status
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.stores.protocol import Draft
from azcn_events.stores.sqlite import SqliteStore

__all__ = ["Writer", "encoded", "fold_all", "load", "open_reader", "statuses"]

_INSERT: Final = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LEAF: Final = bytes(range(32))
"""Takes the place of a hash, which the limit does not compute."""
_NEWEST: Final = (
    "SELECT position, recorded_us FROM event ORDER BY position DESC LIMIT 1"
)
_NEW_STREAM: Final = "INSERT INTO stream (name) VALUES (?) RETURNING id"
_STREAM: Final = """
    SELECT id, (SELECT max(version) FROM event WHERE stream = stream.id)
    FROM stream WHERE name = ?
"""
_SCAN: Final = """
    SELECT position, stream, version, kind, recorded_us, payload
    FROM event ORDER BY position
"""
_LOAD: Final = """
    SELECT version, kind, recorded_us, payload FROM event
    WHERE stream = (SELECT id FROM stream WHERE name = ?) ORDER BY version
"""

_encode: Final = msgspec.json.Encoder(decimal_format="string").encode
_Bounds = tuple[int | None, int | None]


def encoded(events: Sequence[Event]) -> list[bytes]:
    """Encode events, all of them of plain classes."""
    return [_encode(event) for event in events]


class Writer:
    """Appends to a ledger's file, which it makes, as fast as apsw can."""

    def __init__(self, path: Path, durability: str) -> None:
        SqliteStore.open(path, durability=durability).close()
        self.connection = _connection(path)
        self.connection.pragma("synchronous", durability)
        self.connection.pragma("foreign_keys", True)
        self.kinds: dict[str, int] = {}
        for name, cls in INVESTMENT.kinds.items():
            kind = f"{name}/{INVESTMENT.version_of(name)}"
            self.connection.execute("INSERT INTO kind (name) VALUES (?)", (kind,))
            self.kinds[kind] = self.connection.last_insert_rowid()
            self.kinds[cls.__name__] = self.kinds[kind]

    def append(
        self,
        expected: dict[str, int],
        rows: Iterable[tuple[str, int, str, bytes, _Bounds]],
        recorded_us: int,
        *,
        checksum: int = 0,
    ) -> None:
        """Check the versions and insert stream, kind, id, payload and bounds."""
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        streams: dict[str, list[int]] = {}
        for name, version in expected.items():
            found = execute(_STREAM, (name,)).fetchall()
            found = found or [(*execute(_NEW_STREAM, (name,)).fetchall()[0], 0)]
            number, actual = found[0]
            if actual != version:
                raise AssertionError(name)
            streams[name] = [number, version]
        position = next(iter(execute(_NEWEST)), (0, 0))[0]
        batch = []
        for stream, kind, id_, payload, (earliest, latest) in rows:
            known = streams[stream]
            known[1] += 1
            position += 1
            at = (position, known[0], known[1], kind, recorded_us, earliest, latest)
            batch.append((*at, id_, _LEAF, payload, b"{}", checksum))
        self.connection.executemany(_INSERT, batch)
        execute("COMMIT")

    def row(self, draft: Draft) -> tuple[str, int, str, bytes, _Bounds]:
        """Give what ``append`` takes for a draft."""
        bounds = (draft.earliest, draft.latest)
        return draft.stream, self.kinds[draft.kind], draft.id, draft.payload, bounds


def open_reader(path: Path) -> apsw.Connection:
    """Open a ledger's file for reading, with the store's pragmas."""
    connection = _connection(path)
    connection.pragma("query_only", True)
    return connection


def _connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.pragma("cache_size", -32 * 1024)
    connection.pragma("cell_size_check", True)
    connection.pragma("trusted_schema", False)
    return connection


def decoders(reader: apsw.Connection) -> list[Callable[[bytes], Event] | None]:
    """Give a decoder for each number of a kind; None at 0."""
    found: list[Callable[[bytes], Event] | None] = [None]
    kinds = INVESTMENT.kinds
    for number, kind in reader.execute("SELECT id, name FROM kind ORDER BY id"):
        found += [None] * (number + 1 - len(found))
        cls = kinds[kind.partition("/")[0]]
        found[number] = msgspec.json.Decoder(cls).decode
    return found


def fold_all(reader: apsw.Connection) -> dict[int, dict[str, Any]]:
    """Replay the whole log into typed events and fold them, stream by number."""
    decode, fold = decoders(reader), data.fold
    states: dict[int, dict[str, Any]] = {}
    for _, stream, _, kind, _, payload in reader.execute(_SCAN):
        fold(states, stream, decode[kind](payload))
    return states


def load(
    reader: apsw.Connection, decode: list[Callable[[bytes], Event]], stream: str
) -> list[Event]:
    """Give the typed events of one stream."""
    return [
        decode[kind](payload)
        for _, kind, _, payload in reader.execute(_LOAD, (stream,))
    ]


_MOVES: Final = {cls: INVESTMENT._effects.get(cls, ()) for cls in INVESTMENT._names}
_AFTER: Final = {Effect.MEET: Status.MET, Effect.BEGIN: Status.IN_PROGRESS}


def statuses(events: Iterable[Event]) -> dict[str, Status]:
    """Fold one stream's events into the statuses of the milestones they move."""
    status: dict[str, Status] = {}
    for event in events:
        for name, effect in _MOVES[type(event)]:
            if status.get(name) is not Status.MET:
                status[name] = _AFTER[effect]
    return status


def stream_names(reader: apsw.Connection) -> Iterator[tuple[int, str]]:
    """Yield the number and name of every stream."""
    yield from reader.execute("SELECT id, name FROM stream")
