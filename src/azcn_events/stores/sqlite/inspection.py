"""Read a ledger's file that may be damaged, and write nothing to it.

A store refuses a damaged file. Here everything is given that can still be read: each
row as it stands, each gap with its reason, and whatever else is not as it should be.
What it means is for the reader to judge; ``audit.verify`` is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple, cast
from urllib.parse import quote

import apsw
from attrs import define, field

from azcn_events.errors import StoreBusy, StoreUnusable, listed
from azcn_events.stores.sqlite.driver import Connection, milliseconds
from azcn_events.stores.sqlite.file import (
    APPLICATION_ID,
    HEADER_BYTES,
    SCHEMA_VERSION,
    TABLES,
    checked_path,
    cut_off,
    first_bytes,
)
from azcn_events.stores.sqlite.salvage import (
    ABSENT,
    DAMAGE,
    Absent,
    Found,
    Lost,
    Raw,
    Reader,
    Unreadable,
    limited,
)
from azcn_events.stores.sqlite.schema import foreign_triggers

__all__ = [
    "ABSENT",
    "Absent",
    "Lost",
    "Oddity",
    "Raw",
    "Stored",
    "Unreadable",
    "inspect",
]


class Stored(NamedTuple):
    """A row of the table of events, whatever its columns hold.

    Attributes:
        position: The row's key; always a number, from -2**63 to 2**63 - 1.
        stream: The stream's name; None if the row's number of it has no name.
        version: Place in its stream.
        id: The event's id.
        kind: The kind's name; None as for the stream.
        recorded_us: When it was recorded, microseconds since 1970 UTC.
        payload: The event.
        metadata: What belongs to the record and not to the fact.
        checksum: What the codec wrote beside the payload.
        earliest: First possible day; None if open.
        latest: Last possible day, likewise.
        leaf: The hash that was stored with the row; ``ABSENT`` in files of version 1.
    """

    position: int
    stream: Raw
    version: Raw
    id: Raw
    kind: Raw
    recorded_us: Raw
    payload: Raw
    metadata: Raw
    checksum: Raw
    earliest: Raw
    latest: Raw
    leaf: Raw


class Oddity(NamedTuple):
    """Something besides the rows that is not as it should be.

    Attributes:
        code: What kind of thing, for programs: ``"file"`` (it is no ledger, its header
            is wrong, or a log beside it was left out), ``"table"`` (one is missing, or
            cannot be read to its end), ``"name"`` (a name that no event uses, or that
            has two numbers), ``"integrity"`` (a line of SQLite's own check; of a file
            that it may only read, it leaves out CHECK constraints).
        problem: What was expected and what was found.
    """

    code: str
    problem: str


def inspect(path: str | os.PathLike[str]) -> Iterator[Stored | Unreadable | Oddity]:
    """Yield all that can be read of a ledger's file, and all that cannot.

    Oddities of the file come first; then rows and gaps in the order of the file's
    tree, which is by rising position unless a position is damaged; then oddities of
    names, and what ``PRAGMA integrity_check`` says, at most 100 lines. An undamaged
    file gives rows only. It is neither changed nor upgraded, and may be in use: what
    is given is what it held at the beginning. Beside a file that nobody has open
    SQLite may leave a ``-shm`` and an empty ``-wal``, its next user's.

    Args:
        path: The file.

    Raises:
        InvalidValue: If the path cannot be one.
        StoreUnusable: If there is no such file, or reading it is not permitted.
        StoreBusy: Likewise, once reading has begun, if another program locks the
            file for longer than half a minute.
    """
    place = checked_path(path)
    real = os.path.realpath(place)
    if not Path(real).is_file():
        raise StoreUnusable(
            place, "missing", "there is no such file; is the path right?"
        )
    if not os.access(real, os.R_OK):
        raise StoreUnusable(place, "read-only", "reading it is not permitted")
    return _inspected(place, real)


def _inspected(place: str, real: str) -> Iterator[Stored | Unreadable | Oddity]:
    try:
        connection, oddities = _opened(real)
        with closing(connection):
            yield from oddities
            yield from _all_of(connection, real)
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreBusy(place, _LIMIT_S) from error


def _opened(real: str) -> tuple[Connection, list[Oddity]]:
    """Open a file for reading only; say what had to be left out for that.

    SQLite needs to write beside a file that has a write-ahead log, to tell others of
    its reading, and into one with a journal, to undo what was broken off. Where it
    cannot, the file is read as it lies there.
    """
    connection = _connection(real, "mode=ro")
    try:
        connection.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        connection.close()
        raise
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        connection.close()
        left_out = [
            Oddity("file", f"{name} was left out, for SQLite cannot use it: {error}")
            for name in (f"{real}-wal", f"{real}-journal")
            if _size(name)
        ]
        return _connection(real, "immutable=1"), left_out
    except DAMAGE:
        pass  # What it is that cannot be read will be found out.
    return connection, []


_LIMIT_S: Final = 30.0


def _connection(real: str, how: str) -> Connection:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = cast(
        "Connection", apsw.Connection(f"file:{quote(os.fsencode(real))}?{how}", flags)
    )
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.set_busy_timeout(milliseconds(_LIMIT_S))
    # With it SQLite goes on after a schema or a size that contradicts the file.
    # Nothing can be written: the file is open for reading only.
    connection.execute("PRAGMA writable_schema = ON")
    # Run no code that a crafted file may hold.
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _all_of(
    connection: Connection, real: str
) -> Iterator[Stored | Unreadable | Oddity]:
    yield from _header_oddities(connection, real)
    columns, oddities = _declared(connection)
    yield from oddities
    size = _size(real) + _size(f"{real}-wal")

    def rows(table: str, due: Sequence[str]) -> Iterator[Found | Unreadable]:
        if table not in columns:  # An oddity says so already.
            return iter([Unreadable(1, None, "its table cannot be found")])
        rows_max = size // _ROW_BYTES_MIN[table] + 1
        return _filled(connection, table, columns[table], due, rows_max)

    streams, kinds = _Names("stream"), _Names("kind")
    yield from streams.gather(rows("stream", ("name",)))
    yield from kinds.gather(rows("kind", ("name",)))
    is_whole = True
    for row in rows("event", _COLUMNS):
        if isinstance(row, Unreadable):
            is_whole = False
            yield row
        else:
            position, (stream, version, id_, kind, *others) = row
            stream, kind = streams.name(stream), kinds.name(kind)
            yield Stored(position, stream, version, id_, kind, *others)
    if is_whole:  # Otherwise what was lost may have used them.
        yield from streams.unused()
        yield from kinds.unused()
    yield from _integrity(connection, size)


def _filled(
    connection: Connection,
    table: str,
    declared: Sequence[str],
    due: Sequence[str],
    rows_max: int,
) -> Iterator[Found | Unreadable]:
    """Yield a table's rows with all the columns that are due, absent ones as well."""
    there = [column for column in due if column in declared]
    for row in Reader(connection, table, there, rows_max).rows():
        if isinstance(row, Unreadable) or there == list(due):
            yield row
        else:
            found = dict(zip(there, row[1], strict=True))
            yield row[0], [found.get(column, ABSENT) for column in due]


_COLUMNS: Final = Stored._fields[1:]


def _declared(
    connection: Connection,
) -> tuple[dict[str, list[str]], list[Oddity]]:
    """Give the columns of our tables, as far as they are there, and what is missing."""
    columns, oddities = dict[str, list[str]](), list[Oddity]()
    for table in sorted(TABLES):
        try:
            is_there = connection.execute(_IS_A_TABLE, (table,)).fetchall()
            about = connection.execute(f"PRAGMA table_info({table})").fetchall()
            version = connection.pragma("user_version")
        except DAMAGE as error:
            text = f"how the table {table} is declared cannot be read: {error}"
            oddities.append(Oddity("table", text))
            is_there, about, version = [(1,)], [], 0
        if not is_there or not about:
            oddities.append(Oddity("table", f"there is no table {table}"))
            continue
        found = columns[table] = [cast("str", column[1]) for column in about]
        due = _COLUMNS if table == "event" else ("name",)
        missing = [column for column in due if column not in found]
        if missing and (missing, version) != (["leaf"], 1):
            text = f"the table {table} has no column {listed(missing)}"
            oddities.append(Oddity("table", text))
    with suppress(*DAMAGE):  # Then it is said already.
        if foreign := foreign_triggers(connection):
            text = f"triggers that are not ours can change rows: {listed(foreign)}"
            oddities.append(Oddity("trigger", text))
    return columns, oddities


# A view or a virtual table would run what a crafted file says.
_IS_A_TABLE: Final = """
    SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND rootpage > 0
"""


def _header_oddities(connection: Connection, real: str) -> Iterator[Oddity]:
    """Look at what the header says of the file."""
    size = _size(real)
    if size and not _size(f"{real}-wal"):
        detail = cut_off(first_bytes(real, min(size, HEADER_BYTES)), size)
        if detail:
            yield Oddity("file", detail)
    try:
        application = connection.pragma("application_id")
        version = cast("int", connection.pragma("user_version"))
        encoding = connection.pragma("encoding")
    except DAMAGE as error:
        yield Oddity("file", f"its header cannot be read: {error}")
        return
    if application != APPLICATION_ID:
        yield Oddity(
            "file",
            f"its application id is {application:#x}, ours is {APPLICATION_ID:#x}",
        )
    if not 1 <= version <= SCHEMA_VERSION:
        known = f"this release knows 1 to {SCHEMA_VERSION}"
        yield Oddity("file", f"its schema version is {version}, and {known}")
    if encoding != "UTF-8":
        yield Oddity("file", f"its texts are {encoding}, and ours are UTF-8")


def _size(path: str) -> int:
    """Give a file's size in bytes; 0 if there is none."""
    found = Path(path)
    return found.stat().st_size if found.exists() else 0


_ROW_BYTES_MIN: Final = {"event": 24, "stream": 6, "kind": 6}
"""Fewer than any row takes, so that a file's size says how many there can be."""


@define
class _Names:
    """The names of streams or of kinds, by their numbers."""

    table: str
    _names: dict[int, Raw] = field(factory=dict[int, Raw], init=False)
    _used: set[int] = field(factory=set[int], init=False)

    def gather(self, rows: Iterable[Found | Unreadable]) -> Iterator[Oddity]:
        """Read the names; say which cannot be read, and which occur twice."""
        first = dict[str, int]()
        for row in rows:
            if isinstance(row, Unreadable):
                until = "on" if row.last is None else f"to {row.last:,}"
                where = f"{self.table} {row.first:,} {until}"
                yield Oddity("table", f"{where} cannot be read: {row.problem}")
                continue
            number, (name,) = row
            self._names[number] = name
            if isinstance(name, str) and first.setdefault(name, number) != number:
                text = f"{_shown(name)} has the numbers {first[name]} and {number}"
                yield Oddity("name", f"the {self.table} {text}")

    def name(self, number: Raw) -> Raw:
        """Give the name of a number, which is used; None if it has none."""
        if not isinstance(number, int):
            return number if isinstance(number, Lost | Absent) else None
        self._used.add(number)
        return self._names.get(number)

    def unused(self) -> Iterator[Oddity]:
        """Say which names no event has."""
        for number, name in self._names.items():
            if number not in self._used:
                yield Oddity("name", f"no event has the {self.table} {_shown(name)}")


def _shown(name: Raw) -> str:
    return ascii(name)[:200]


def _integrity(connection: Connection, size: int) -> Iterator[Oddity]:
    """Ask SQLite what it finds, unless that takes for ever."""
    try:
        with limited(connection, size // _ROW_BYTES_MIN["event"]):
            lines = connection.execute("PRAGMA integrity_check(100)").fetchall()
    except DAMAGE as error:
        yield Oddity("integrity", f"SQLite's own check breaks off: {error}")
        return
    for (text,) in lines:
        if text != "ok":
            yield Oddity("integrity", str(text))
