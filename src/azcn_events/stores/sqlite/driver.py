"""What we use of ``apsw``: connections, its errors as ours, the log it keeps.

Internal to the store.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol, TypeAlias

import apsw
from attrs import define, field

from azcn_events.errors import StoreBusy, StoreError, StoreFull, StoreUnusable

__all__ = [
    "INTEGER_MAX",
    "REPAIR",
    "SIDE_FILES",
    "Connection",
    "Cursor",
    "LogKeeper",
    "Page",
    "askable",
    "clamped",
    "each",
    "explained",
    "milliseconds",
]

REPAIR: Final = "check it with 'PRAGMA integrity_check', or restore a copy"
SIDE_FILES: Final = "a ledger needs to write its file and beside it"

INTEGER_MAX: Final = 2**63 - 1
"""The largest number that SQLite can hold."""

_LOG_PAGES: Final = 1000
"""From how many pages on each commit moves the write-ahead log into the file."""
_LONG_LOG_PAGES: Final = 8000
"""How long the log may become before a writer waits for readers to let go of it."""
_READERS_WAIT_S: Final = 0.5

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION: Final = {errno.EACCES, errno.EPERM, errno.EROFS}

Page: TypeAlias = list[tuple[object, ...]]


class Cursor(Protocol):
    """What we use of ``apsw.Cursor``, whose own types need Python 3.12."""

    def __iter__(self) -> Iterator[tuple[object, ...]]: ...
    def fetchall(self) -> Page: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """What we use of ``apsw.Connection``, likewise."""

    @property
    def in_transaction(self) -> bool: ...
    @property
    def system_errno(self) -> int: ...
    def execute(
        self, sql: str, values: Sequence[str | int | None] = (), /
    ) -> Cursor: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> Cursor: ...
    def pragma(self, name: str, value: str | int = ..., /) -> object: ...
    def set_wal_hook(
        self, hook: Callable[[apsw.Connection, str, int], int], /
    ) -> None: ...
    def set_progress_handler(
        self, handler: Callable[[], bool] | None, steps: int = ..., /
    ) -> None: ...
    def config(self, option: int, value: int, /) -> int: ...
    def readonly(self, name: str, /) -> bool: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def close(self) -> None: ...


def each(writer: Connection, sql: str, names: Iterable[str]) -> Page:
    """Execute a statement for each name, and gather all its rows."""
    return writer.executemany(sql, [(name,) for name in names]).fetchall()


def clamped(number: int) -> int:
    """Keep a position or version within what SQLite can compare."""
    return min(max(number, 0), INTEGER_MAX)


def askable(name: str) -> str | None:
    """Give the name; None, which equals nothing, if no such name can be stored."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name


def milliseconds(seconds: float) -> int:
    """Give a time as ``set_busy_timeout`` takes it."""
    return min(round(seconds * 1000), 2**31 - 1)


@contextmanager
def explained(
    place: str, limit_s: float, connection: Connection | None = None
) -> Generator[None]:
    """Raise our errors in place of SQLite's."""
    try:
        yield
    except apsw.Error as error:
        number = connection.system_errno if connection else 0
        ours = _explanation(error, place, limit_s, number)
        if ours is None:
            raise
        raise ours from error
    except OSError as error:
        if connection:  # It is open: then this is the clock's, not the file's.
            raise
        raise StoreUnusable(place, "missing", f"{error}; is the path right?") from error
    except UnicodeDecodeError as error:
        detail = f"a text in it is not UTF-8; {REPAIR}"
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
            return StoreUnusable(place, "read-only", f"{error}; {SIDE_FILES}")
        case apsw.IOError() | apsw.CantOpenError() if number in _NO_ROOM:
            return StoreFull(place)
        case apsw.IOError() | apsw.CantOpenError() if number in _NO_PERMISSION:
            return StoreUnusable(place, "read-only", f"{error}; {SIDE_FILES}")
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
            return StoreUnusable(place, "damaged", f"{error}; {REPAIR}")
        case _:
            return None


@define
class LogKeeper:
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
                connection.set_busy_timeout(milliseconds(_READERS_WAIT_S))
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                self._wait_from = _LONG_LOG_PAGES
            elif pages >= _LOG_PAGES:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error:
            pass  # What was appended is stored; the next commit tries again.
        finally:
            connection.set_busy_timeout(0)
        return apsw.SQLITE_OK
