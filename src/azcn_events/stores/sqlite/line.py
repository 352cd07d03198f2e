"""The line of waiting writers: first threads, then processes, then SQLite's lock.

Internal to the store, whose ``SqliteStore._begin`` says why there is a line.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import apsw
from attrs import define, field

from azcn_events.errors import StoreBusy
from azcn_events.stores.sqlite.driver import Connection

if sys.platform != "win32":
    import fcntl

__all__ = ["LIMIT_MAX_S", "Wait", "begin_immediate", "gate"]

LIMIT_MAX_S: Final = min(threading.TIMEOUT_MAX, 1e9)
_NAP_S: Final = 0.000_1
"""How often the first in line looks whether it is its turn."""
_QUEUE_NAP_S: Final = 0.001
"""How often the others look whether they have become the first."""


@define
class Wait:
    """One time limit for everything that an append waits for."""

    place: str
    limit_s: float
    _deadline: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._deadline = time.monotonic() + self.limit_s

    def nap(self, seconds: float) -> None:
        """Sleep for a moment.

        Raises:
            StoreBusy: If the time is over.
        """
        if time.monotonic() >= self._deadline:
            raise StoreBusy(self.place, self.limit_s)
        time.sleep(seconds)

    def acquire(self, lock: threading.Lock) -> None:
        """Take a lock of this process.

        Raises:
            StoreBusy: If the time is over.
        """
        if not lock.acquire(timeout=max(self._deadline - time.monotonic(), 0.0)):
            raise StoreBusy(self.place, self.limit_s)

    @contextmanager
    def hold(self, lock: threading.Lock) -> Generator[None]:
        """Take a lock of this process for the length of the block."""
        self.acquire(lock)
        try:
            yield
        finally:
            lock.release()


@contextmanager
def gate(path: str, wait: Wait) -> Generator[None]:
    """Be the first of all processes in line to write ``path``.

    This is fairness, not safety: SQLite's own lock decides. So where the gate
    cannot be had (no ``fcntl``, no permission, a file system without ``flock``)
    writers simply compete.
    """
    if sys.platform == "win32":  # pragma: no cover
        yield
        return
    try:
        # Reading is enough for flock, and all that another user may have.
        descriptor = os.open(f"{path}-gate", os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        yield
        return
    try:
        while not _flocked(descriptor):
            wait.nap(_QUEUE_NAP_S)
        yield
    finally:
        with suppress(OSError):  # Closing is not enough, should a thread have forked.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _flocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # No flock on this file system: pass.
        return True
    return True


def begin_immediate(connection: Connection, wait: Wait) -> None:
    """Begin a transaction with the write lock taken.

    A transaction that takes it later can find that another has written since
    it began, and then has to fail whatever the time limit.
    """
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            # SQLite's own waiting naps for up to 100 ms; the first in line
            # holds up all the others, so it looks more often.
            wait.nap(_NAP_S)
        else:
            return
