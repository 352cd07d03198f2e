"""What a witness remembers: of each log a size and a root, and proofs of forks.

A small SQLite file. A witness that forgets, or is restored from a backup, may cosign a
second history: so the file is made once, on purpose, and never by opening it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self, cast

import apsw
from attrs import define, frozen

from azcn_events.audit.encoding import base64_of
from azcn_events.core.merkle import EMPTY_ROOT
from azcn_events.errors import InvalidValue, StoreBusy, StoreUnusable
from azcn_events.stores.sqlite.driver import Connection, explained, milliseconds

__all__ = ["FORKS_MAX", "NOTHING", "Fork", "Seen", "Turn", "WitnessMemory"]

FORKS_MAX: Final = 100
"""How many proofs of forks are kept of one log: one says it all, and whoever has the
log's key could go on for ever."""

_WAIT_S: Final = 10.0
_BEGIN_ANEW: Final = "begin a new witness, with a new key"
_APPLICATION_ID: Final = 0x617A6377  # "azcw"
_VERSION: Final = 1
_SCHEMA: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
CREATE TABLE seen (
  origin TEXT PRIMARY KEY,
  size   INTEGER NOT NULL CHECK (size >= 0),
  root   BLOB NOT NULL CHECK (length(root) = 32),
  note   BLOB NOT NULL
) STRICT;
CREATE TABLE fork (
  origin  TEXT NOT NULL,
  size    INTEGER NOT NULL,
  root    BLOB NOT NULL,
  time    INTEGER NOT NULL,
  note    BLOB NOT NULL,
  request BLOB NOT NULL,
  PRIMARY KEY (origin, size, root)
) STRICT;
"""


class Seen(NamedTuple):
    """The newest checkpoint of a log that was cosigned.

    Attributes:
        size: The log's size.
        root: Its root.
    """

    size: int
    root: bytes


NOTHING: Final = Seen(0, EMPTY_ROOT)
"""What is remembered of a log that was never seen."""


@frozen
class Fork:
    """A proof that a log signed two histories: two notes with one size.

    Attributes:
        origin: The log's name.
        size: The size that both notes say.
        time: When the second came, POSIX seconds.
        note: The note that was cosigned.
        request: The request with the other one, verbatim.
    """

    origin: str
    size: int
    time: int
    note: bytes
    request: bytes


@define
class Turn:
    """One request's turn with what is remembered of a log; nobody else has it then.

    Attributes:
        origin: The log's name.
        seen: What is remembered.
    """

    origin: str
    seen: Seen
    _db: Connection

    def keep(self, seen: Seen, note: bytes) -> None:
        """Remember a checkpoint in the place of the one before."""
        self._db.executemany(
            "INSERT INTO seen (origin, size, root, note) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (origin) DO UPDATE SET"
            " size = excluded.size, root = excluded.root, note = excluded.note",
            [(self.origin, seen.size, seen.root, note)],
        )

    def keep_fork(self, root: bytes, request: bytes, time: int) -> None:
        """Keep a request whose signed root is another than the one remembered."""
        count = "SELECT count(*) FROM fork WHERE origin = ?"
        ((known,),) = self._db.execute(count, (self.origin,)).fetchall()
        if cast("int", known) < FORKS_MAX:
            self._db.executemany(
                "INSERT INTO fork (origin, size, root, time, note, request)"
                " SELECT origin, size, ?2, ?3, note, ?4 FROM seen WHERE origin = ?1"
                " ON CONFLICT DO NOTHING",
                [(self.origin, root, time, request)],
            )


class WitnessMemory:
    """A witness's memory. Threads and processes may share it, each file once.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self, connection: Connection, place: str) -> None:
        """Take over a connection; :meth:`open` and :meth:`make` make one."""
        self._db = connection
        self._alone = threading.Lock()
        self.place = place

    @classmethod
    def make(cls, path: str | os.PathLike[str]) -> WitnessMemory:
        """Make the file of a witness that has seen nothing yet.

        Raises:
            StoreUnusable: If there is a file already, or none can be made.
        """
        place = _checked(path)
        try:
            # Not by SQLite, which would take a file that is there.
            os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            detail = "there is a file already; to go on with it, open it"
            raise StoreUnusable(place, "foreign", detail) from None
        except OSError as error:
            raise StoreUnusable(
                place, "missing", f"it cannot be made: {error}"
            ) from None
        return cls._connected(place, is_new=True)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> WitnessMemory:
        """Open a witness's memory.

        Raises:
            StoreUnusable: If it is missing, none, newer, or damaged.
            StoreBusy: If another process kept it for too long.
        """
        place = _checked(path)
        if not Path(place).exists():
            detail = (
                "a witness that forgets may cosign a second history: find the file; a"
                " new witness begins with a new one"
            )
            raise StoreUnusable(place, "missing", detail)
        return cls._connected(place, is_new=False)

    @classmethod
    def _connected(cls, place: str, *, is_new: bool) -> WitnessMemory:
        with explained(place, _WAIT_S):
            connection = cast("Connection", apsw.Connection(place))
            made = cls(connection, place)
            try:
                made._prepare(is_new=is_new)
            except BaseException:
                connection.close()
                raise
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file. Calling it twice is fine."""
        with self._alone:
            self._db.close()

    @contextmanager
    def turn(self, origin: str) -> Generator[Turn]:
        """Take a turn with a log; what is kept is on the disk when it ends.

        Raises:
            StoreBusy: If others took turns for too long.
            StoreError: If the file cannot be read or written; then nothing was kept.
        """
        with self._transaction():
            yield Turn(origin, self._seen(origin), self._db)

    def seen(self, origin: str) -> Seen:
        """Give what is remembered of a log."""
        with self._alone, explained(self.place, _WAIT_S, self._db):
            return self._seen(origin)

    def forks(self) -> tuple[Fork, ...]:
        """Give the proofs of forks, the oldest first."""
        sql = "SELECT origin, size, time, note, request FROM fork ORDER BY time, rowid"
        with self._alone, explained(self.place, _WAIT_S, self._db):
            rows = self._db.execute(sql).fetchall()
        return tuple(
            Fork(*cast("tuple[str, int, int, bytes, bytes]", row)) for row in rows
        )

    def _seen(self, origin: str) -> Seen:
        sql = "SELECT size, root, note FROM seen WHERE origin = ?"
        found = self._db.execute(sql, (origin,)).fetchall()
        if not found:
            return NOTHING
        size, root, note = cast("tuple[int, bytes, bytes]", found[0])
        # What the log signed says it once more; a damaged number is believed by nobody.
        if not note.startswith(f"{origin}\n{size}\n{base64_of(root)}\n".encode()):
            detail = f"what is kept of {origin!a} contradicts its note; {_BEGIN_ANEW}"
            raise StoreUnusable(self.place, "damaged", detail)
        return Seen(size, root)

    def _prepare(self, *, is_new: bool) -> None:
        self._db.set_busy_timeout(milliseconds(_WAIT_S))
        self._db.pragma("trusted_schema", False)
        if not is_new:
            self._check_identity()  # Before anything is written.
        # A commit survives a power cut, the file's name too.
        self._db.pragma("journal_mode", "DELETE")
        self._db.pragma("synchronous", "EXTRA")
        self._db.pragma("fullfsync", True)
        if is_new:
            with self._transaction():
                self._db.execute(_SCHEMA)

    def _check_identity(self) -> None:
        application, version = (
            self._db.pragma(name) for name in ("application_id", "user_version")
        )
        if application != _APPLICATION_ID:
            detail = "this is no witness's memory"
            raise StoreUnusable(self.place, "foreign", detail)
        if version != _VERSION:
            detail = f"its version is {version}, and this release reads {_VERSION}"
            raise StoreUnusable(self.place, "newer", detail)
        # Damage may hide a row, and a log that is not remembered may begin anew.
        found = self._db.pragma("integrity_check")
        if found != "ok":
            raise StoreUnusable(self.place, "damaged", f"{found}; {_BEGIN_ANEW}")

    @contextmanager
    def _transaction(self) -> Generator[None]:
        if not self._alone.acquire(timeout=_WAIT_S):
            raise StoreBusy(self.place, _WAIT_S)
        try:
            with explained(self.place, _WAIT_S, self._db):
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
        finally:
            self._alone.release()


def _checked(path: str | os.PathLike[str]) -> str:
    place = os.fspath(path)
    if not place or place.startswith((":memory:", "file:")) or "\0" in place:
        raise InvalidValue(place, "this cannot name a file", "a path")
    return place
