"""Read a table row by row, whatever is wrong with it.

Internal to ``inspection``.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias, cast

import apsw
from attrs import define, field

from azcn_events.stores.sqlite.driver import Connection

__all__ = [
    "ABSENT",
    "DAMAGE",
    "Absent",
    "Found",
    "Lost",
    "Raw",
    "Reader",
    "Unreadable",
    "limited",
]

DAMAGE: Final = (apsw.Error, UnicodeDecodeError)
"""What SQLite raises on damaged files; under a read transaction it raises no other."""


class Absent(Enum):
    """Stands for a column that the file does not have: its schema is older."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Lost(NamedTuple):
    """Stands for a value that cannot be read, though its row was found.

    Attributes:
        problem: What SQLite says of it.
    """

    problem: str


Raw: TypeAlias = int | float | str | bytes | Lost | Absent | None
"""What stands in a column. The class tells the storage class that SQLite found there,
which damage can change: INTEGER, REAL, TEXT, BLOB, NULL. Bytes of a text that are not
UTF-8 are kept as lone surrogates (``errors="surrogateescape"``)."""

Found: TypeAlias = tuple[int, Sequence[Raw]]
"""A row's key, and its columns."""


class Unreadable(NamedTuple):
    """Positions at which no row can be read; there may be fewer rows, or none.

    Attributes:
        first: The first of them.
        last: The last of them; None if it is not known how many there are.
        problem: What SQLite says.
    """

    first: int
    last: int | None
    problem: str


@define
class Reader:
    """Reads one table that has an integer key, and whose keys count from 1.

    Attributes:
        rows_max: More rows than there can be. Pages of a damaged file may refer to
            each other in a circle, and reading on would not come to an end.
    """

    _connection: Connection
    _table: str
    _columns: Sequence[str]
    rows_max: int
    _count: int = field(default=0, init=False)
    _last: int = field(default=0, init=False)

    def rows(self) -> Generator[Found | Unreadable]:
        """Yield rows in the order of the table's tree, and what cannot be read.

        Where reading on fails, rows are asked for one by one, by the keys that come
        next, until one is there or is certainly not; from it reading goes on.
        """
        problem = yield from self._onward(_KEY_MIN)
        if not problem:
            return
        end, is_known = self._end()
        asked = 0  # It only rises: so this ends, wherever keys lead.
        while problem and self._count < self.rows_max:
            first = key = max(asked, self._last) + 1
            row: Found | str | None = problem
            while key <= end and isinstance(row := self._one(key), str):
                key += 1
                problem = row
            if key > first or key > end:
                until = key - 1 if key > first and (is_known or key <= end) else None
                yield Unreadable(first, until, problem)
            if key > end:
                problem = yield from self._onward(key)
                if problem and (is_known or self._last >= key):
                    yield Unreadable(max(self._last + 1, key), None, problem)
                return
            if row is not None and not isinstance(row, str):
                yield self._taken(*row)
            asked = key
            problem = yield from self._onward(key + 1)
        if problem:
            yield Unreadable(self._last + 1, None, _CIRCLE)

    def _onward(self, key: int) -> Generator[Found, None, str]:
        """Yield rows from a key on; return why that ends early, or nothing."""
        sql = (
            f"SELECT {', '.join(['rowid', *self._columns])} FROM {self._table}"  # noqa: S608 - our own names
            " WHERE rowid >= ? ORDER BY rowid"
        )
        try:
            for row in self._connection.execute(sql, (key,)):
                if self._count >= self.rows_max:
                    return _CIRCLE
                key, *values = cast("tuple[Any, ...]", row)
                yield self._taken(key, values)
        except DAMAGE as error:
            return str(error)
        return ""

    def _taken(self, key: int, values: Sequence[Raw]) -> Found:
        """Count a row, and note its key, unless damage has made it impossibly large."""
        self._count += 1
        self._last = key if 0 < key <= self.rows_max else self._last + 1
        return key, values

    def _one(self, key: int) -> Found | str | None:
        """Give the row of a key; None if there is none, or why it cannot be read."""
        there = f"SELECT 1 FROM {self._table} WHERE rowid = ?"  # noqa: S608 - our own names
        try:
            if not self._connection.execute(there, (key,)).fetchall():
                return None
        except DAMAGE as error:
            return str(error)
        return key, [self._value(key, column) for column in self._columns]

    def _value(self, key: int, column: str) -> Raw:
        try:
            return cast("Raw", self._asked(key, column))
        except UnicodeDecodeError:
            text = cast("bytes", self._asked(key, f"CAST({column} AS BLOB)"))
            return text.decode("utf-8", "surrogateescape")
        except DAMAGE as error:
            return Lost(str(error))

    def _asked(self, key: int, what: str) -> object:
        sql = f"SELECT {what} FROM {self._table} WHERE rowid = ?"  # noqa: S608 - our own names
        [(value,)] = self._connection.execute(sql, (key,)).fetchall()
        return value

    def _end(self) -> tuple[int, bool]:
        """Give the last key to ask for, and whether it is known to be the last."""
        told = list[int]()
        for what in ("coalesce(max(rowid), 0)", "count(*)"):
            sql = f"SELECT {what} FROM {self._table}"  # noqa: S608 - our own names
            try:
                with limited(self._connection, self.rows_max):
                    told.append(
                        cast("int", self._connection.execute(sql).fetchall()[0][0])
                    )
            except DAMAGE:
                continue
        known = [number for number in told if number <= self.rows_max]
        return max(known, default=self.rows_max), bool(known)


_KEY_MIN: Final = -(2**63)
_CIRCLE: Final = (
    "there are more rows than the file has room for: its pages form a circle"
)


@contextmanager
def limited(connection: Connection, rows_max: int) -> Generator[None]:
    """Interrupt a statement that takes more steps than a whole file would need."""
    left = rows_max + 1000

    def is_enough() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(is_enough, _STEPS_A_ROW)
    try:
        yield
    finally:
        connection.set_progress_handler(None)


_STEPS_A_ROW: Final = 1000
"""Steps of SQLite's machine: its own check of a whole file takes some 100 a row."""
