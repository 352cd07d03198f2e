"""Folders from outside, read without following a link or waiting for a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import BinaryIO, Final

from azcn_events.errors import InvalidValue

__all__ = ["open_plain", "problem_of", "walk"]

_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for a writer
)


def walk(
    folder: str | os.PathLike[str], files_max: float = inf
) -> Iterator[tuple[str, str]]:
    """Name everything in a folder and below that is no folder itself.

    Args:
        folder: The folder; this path itself may be a link.
        files_max: How many names are taken into memory.

    Yields:
        Names from the folder on, with ``/`` between the parts, in order; and a
        problem where a folder below could not be listed, else an empty text.

    Raises:
        InvalidValue: If there are more files.
        OSError: If the folder itself cannot be listed.
    """
    start = Path(folder)
    found = list[tuple[str, str]]()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(start / inside) as entries:
                for entry in entries:
                    name = f"{inside}/{entry.name}" if inside else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(name)
                    else:
                        found.append((name, ""))
                    if len(found) + len(waiting) > files_max:
                        accepted = f"at most {files_max:,} files"
                        raise InvalidValue(str(start), "too many files", accepted)
        except OSError as error:
            if not inside:
                raise
            found.append((inside, problem_of(error)))
    yield from sorted(found)


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading in binary, if it is a plain file.

    Raises:
        OSError: If it cannot be read, is a link, or is no plain file; even to open a
            device may do something.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise OSError(f"a link to {path.readlink()}: not followed")
    if not stat.S_ISREG(mode):
        raise OSError(_NOT_PLAIN)
    file = open(os.open(path, _OPEN_FLAGS), "rb")  # noqa: PTH123, SIM115 - Path has no flags; the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # It was changed just now.
        file.close()
        raise OSError(_NOT_PLAIN)
    return file


_NOT_PLAIN: Final = "this is no plain file"


def problem_of(error: OSError) -> str:
    """Say what is wrong, without the path, which the caller knows."""
    return error.strerror or str(error)
