"""A disk that notes what SQLite does to it, and fails when it is told to.

It stands between SQLite and the operating system (a *VFS*), as the default of this
process. So it watches any store on ``apsw``, which need not know. A store on the
standard library's ``sqlite3`` has another SQLite, and is not seen.

What SQLite leaves to the operating system's layer is noted as that layer does it:
the first sync of a new journal or write-ahead log syncs the directory, too.

Source:
    SQLite, src/os_unix.c: ``unixOpen`` (``UNIXFILE_DIRSYNC``), ``unixSync`` and
    ``unixDelete``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import apsw
from attrs import define, field

from azcn_events.testing.faults.disk import (
    Acknowledged,
    Created,
    Cut,
    Deleted,
    DirectorySynced,
    Operation,
    Synced,
    Written,
)

__all__ = ["Recorder", "quick_scratch", "recorded_disk"]

_JOURNALS: Final = (
    apsw.SQLITE_OPEN_MAIN_JOURNAL
    | apsw.SQLITE_OPEN_SUPER_JOURNAL
    | apsw.SQLITE_OPEN_WAL
)
_NUMBERS: Final = count(1)


def _never_fail(_: Operation) -> int:
    return apsw.SQLITE_OK


@define(eq=False)
class Recorder:
    """What was done to the files in a directory.

    Attributes:
        directory: The directory, without symbolic links in its path; files
            elsewhere are not looked at.
        operations: What was done, in order.
        failing: Asked before every operation that it gets; gives the SQLite result
            code with which it fails, 0 to let it happen. An operation that fails
            is not done and not noted.
    """

    directory: Path
    failing: Callable[[Operation], int] = _never_fail
    operations: list[Operation] = field(factory=list[Operation], init=False)

    def acknowledge(self, number: int) -> None:
        """Note that the store has just said that an append is stored."""
        self.operations.append(Acknowledged(number))

    def name_of(self, path: str) -> str | None:
        """Give a file's name in the directory; None if it is elsewhere."""
        file = Path(path)
        inside = file.is_relative_to(self.directory)
        return str(file.relative_to(self.directory)) if inside else None

    @contextmanager
    def noting(self, *operations: Operation) -> Generator[None]:
        """Fail before the block, or note the operations after it."""
        for operation in operations:
            code = self.failing(operation)
            if code:
                raise apsw.exception_for(code)
        yield
        self.operations += operations


@contextmanager
def recorded_disk(
    directory: Path, failing: Callable[[Operation], int] = _never_fail
) -> Generator[Recorder]:
    """Watch a directory while the block runs; stores are opened and closed in it.

    Every ``apsw`` connection that this process opens meanwhile goes through the
    recorder, so nothing else should be opened in another thread.

    Args:
        directory: An existing directory.
        failing: See ``Recorder``.
    """
    recorder = Recorder(directory.resolve(), failing)
    usual = apsw.vfs_names()[0]
    watched = _Watched(f"azcn-recorder-{next(_NUMBERS)}", usual, recorder)
    try:
        yield recorder
    finally:
        watched.unregister()


@contextmanager
def quick_scratch() -> Generator[Path]:
    """Make a directory in memory where there is such a place: it is synced often."""
    memory = "/dev/shm"  # noqa: S108 - TemporaryDirectory makes a private name there
    place = memory if os.access(memory, os.W_OK | os.X_OK) else None
    with TemporaryDirectory(prefix="azcn-", dir=place) as directory:
        yield Path(directory)


class _Watched(apsw.VFS):
    """The usual disk, but for what the recorder notes."""

    def __init__(self, name: str, base: str, recorder: Recorder) -> None:
        self._base = base
        self._recorder = recorder
        super().__init__(name, base, makedefault=True)

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = self._recorder.name_of(path) if path else None
        if path is None or known is None:
            return apsw.VFSFile(self._base, name, flags)
        made = [] if Path(path).exists() else [Created(known)]
        with self._recorder.noting(*made):
            return _WatchedFile(self._base, name, flags, known, self._recorder)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - SQLite's
        known = self._recorder.name_of(filename)
        if known is None:
            super().xDelete(filename, syncdir)
            return
        after = [DirectorySynced()] if syncdir else []
        with self._recorder.noting(Deleted(known), *after):
            super().xDelete(filename, syncdir)


class _WatchedFile(apsw.VFSFile):
    """A file that has a name in the recorder's directory."""

    def __init__(
        self,
        base: str,
        path: str | apsw.URIFilename | None,
        flags: list[int],
        name: str,
        recorder: Recorder,
    ) -> None:
        is_new_journal = flags[0] & _JOURNALS and flags[0] & apsw.SQLITE_OPEN_CREATE
        self._syncs_directory = bool(is_new_journal)
        self._name = name
        self._recorder = recorder
        super().__init__(base, path, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        with self._recorder.noting(Written(self._name, offset, bytes(data))):
            super().xWrite(data, offset)  # pyright: ignore[reportUnknownMemberType] - apsw's types need Python 3.12

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        with self._recorder.noting(Cut(self._name, newsize)):
            super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        after = [DirectorySynced()] if self._syncs_directory else []
        with self._recorder.noting(Synced(self._name), *after):
            super().xSync(flags)
        self._syncs_directory = False
