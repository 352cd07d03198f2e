"""Bugs in read models: figures in a table, and the position in another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from attrs import frozen
from tests.zoo.bug import Bug, Check
from tests.zoo.projections import FACTS_BY_KIND

from azcn_events.core.events import Recorded
from azcn_events.testing.laws.read_models import (
    READ_MODEL_LAWS,
    ReadModel,
    agrees_with_projection,
)

__all__ = ["BUGS"]

_BY_LAWS: Final = Check(
    (*READ_MODEL_LAWS, agrees_with_projection(FACTS_BY_KIND)), examples=10
)


class Counts:
    """Facts by kind, in a SQLite file."""

    def __init__(self, directory: Path) -> None:
        self._db = sqlite3.connect(directory / "counts.db", isolation_level=None)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS counts (kind PRIMARY KEY, n)")
        self._db.execute("CREATE TABLE IF NOT EXISTS place (position)")

    def apply(self, records: Iterable[Recorded]) -> None:
        """See ``ReadModel``."""
        self._db.execute("BEGIN")
        try:
            for record in records:
                if record.position > self.position:
                    self._count(record)
                    self._move(record.position)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _count(self, record: Recorded) -> None:
        self._db.execute(
            "INSERT INTO counts VALUES (?, 1)"
            " ON CONFLICT (kind) DO UPDATE SET n = n + 1",
            [record.kind],
        )

    def _move(self, position: int) -> None:
        self._db.execute("DELETE FROM place")
        self._db.execute("INSERT INTO place VALUES (?)", [position])

    @property
    def position(self) -> int:
        """See ``ReadModel``."""
        row = self._db.execute("SELECT max(position) FROM place").fetchone()
        return int(row[0] or 0)

    def value(self) -> object:
        """See ``ReadModel``."""
        return dict(self._db.execute("SELECT kind, n FROM counts ORDER BY kind"))

    def close(self) -> None:
        """See ``ReadModel``."""
        self._db.close()


class _MovedAfterwards(Counts):
    def apply(self, records: Iterable[Recorded]) -> None:
        last = self.position
        for record in records:
            if record.position > last:
                self._count(record)
                last = record.position
        self._move(last)


class _MovedBefore(Counts):
    def apply(self, records: Iterable[Recorded]) -> None:
        for record in records:
            if record.position > self.position:
                self._move(record.position)
                self._count(record)


class _CountsAgain(Counts):
    def apply(self, records: Iterable[Recorded]) -> None:
        self._db.execute("BEGIN")
        try:
            for record in records:
                self._count(record)
                self._move(max(self.position, record.position))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


class _MovedInMemory(Counts):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._position = 0

    def _move(self, position: int) -> None:
        self._position = position

    @property
    def position(self) -> int:
        return self._position


class _PositionByNumber(Counts):
    def _move(self, position: int) -> None:
        del position
        super()._move(self.position + 1)


class _Ignoring(Counts):
    def _count(self, record: Recorded) -> None:
        self._db.execute("INSERT OR IGNORE INTO counts VALUES (?, 1)", [record.kind])


class _MadeAnew(Counts):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._db.execute("DELETE FROM counts")


class _Cached(Counts):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._value = super().value()

    def value(self) -> object:
        return self._value


class _KeepsTheRest(Counts):
    def apply(self, records: Iterable[Recorded]) -> None:
        self._db.execute("BEGIN")
        try:
            for record in records:
                if record.position > self.position:
                    self._move(record.position)
                    self._count(record)
        finally:
            self._db.execute("COMMIT")


class _PassesOver(Counts):
    def apply(self, records: Iterable[Recorded]) -> None:
        super().apply(r for r in records if r.version > 1)


@frozen
class _InFile:
    """Opens read models of one class."""

    kind: type[Counts]

    def __call__(self, directory: Path) -> ReadModel:
        return self.kind(directory)


_COUNTS: Final[Callable[[Path], ReadModel]] = _InFile(Counts)


def _bug(name: str, why: str, kind: type[Counts]) -> Bug:
    return Bug(name, why, _InFile(kind), _COUNTS, _BY_LAWS)


BUGS: Final = (
    _bug(
        "moved-afterwards",
        "Each count commits by itself, and the position after the last.",
        _MovedAfterwards,
    ),
    _bug(
        "moved-before",
        "The position commits before what it stands for.",
        _MovedBefore,
    ),
    _bug("counted-again", "What is delivered again is counted again.", _CountsAgain),
    _bug("moved-in-memory", "The position is not in the file.", _MovedInMemory),
    _bug(
        "position-by-number",
        "The position is the number of records, as if none were left out.",
        _PositionByNumber,
    ),
    _bug("or-ignore", "`INSERT OR IGNORE` counts the first of a kind.", _Ignoring),
    _bug("made-anew", "Opening clears the table, and not the position.", _MadeAnew),
    _bug("cached", "The value is what it was when the file was opened.", _Cached),
    _bug(
        "commit-in-finally",
        "What was counted before an error is committed, and the position beyond it.",
        _KeepsTheRest,
    ),
    _bug(
        "first-passed-over", "The first fact of each stream is left out.", _PassesOver
    ),
)
