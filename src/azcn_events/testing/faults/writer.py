"""A process that appends: ``python -m azcn_events.testing.faults.writer``.

Its arguments are the name of an ``OpenStore``, a directory, and how many appends to
make; without that it goes on until it is killed. It prints the number of each append
on a line of its own when that is acknowledged.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count
from pathlib import Path

from azcn_events.testing.faults import workload
from azcn_events.testing.stand_ins import load_opener

__all__ = ["write", "writer_command"]

_SIZES = (40, 700, 0, 5000, 40, 20_000)


def writer_command(
    opener: str, directory: Path, appends: int | None = None
) -> list[str]:
    """Give the command that starts such a process.

    Args:
        opener: A name as ``load_opener`` takes it.
        directory: Where the store is.
        appends: How many appends to make, >= 1; None for no end.
    """
    end = [] if appends is None else [str(appends)]
    return [sys.executable, "-m", __spec__.name, opener, str(directory), *end]


def write(opener: str, directory: Path, appends: int | None = None) -> None:
    """Append after whatever a store holds, and say so; see ``writer_command``."""
    store = load_opener(opener)(directory, _wall_clock_us)
    for done, number in enumerate(count(workload.last_number(store) + 1)):
        if done == appends:
            break
        workload.append(store, number, _SIZES[number % len(_SIZES)])
        # At once, and not when Python's buffer is full: it is a promise.
        os.write(sys.stdout.fileno(), b"%d\n" % number)
    store.close()


def _wall_clock_us() -> int:
    return time.time_ns() // 1000  # noqa: TID251 - this is a program, with a clock


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
