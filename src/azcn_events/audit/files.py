"""Files read with care, and replaced whole."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["fsync_folder", "read_regular", "replace_durably"]


def read_regular(path: str | os.PathLike[str], bytes_max: int) -> tuple[bytes, int]:
    """Read a file, and one byte more than it may have, so that the caller can tell.

    Returns:
        Its first bytes, ``bytes_max`` + 1 at most, and its mode.

    Raises:
        OSError: If it cannot be read, or is no file: a pipe would be waited for.
        ValueError: If this cannot be a path.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"{os.fspath(path)} is not a file")
        return file.read(bytes_max + 1), mode


def replace_durably(path: Path, data: bytes) -> None:
    """Put data in a file's place: after a power failure it is the old or the new.

    Raises:
        OSError: If it cannot be written; the old one is still there.
    """
    descriptor, made = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)  # it is to be shown; mkstemp would keep it hidden
        Path(made).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise
    fsync_folder(path.parent)


def fsync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
