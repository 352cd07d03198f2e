"""Our own stores by name, so that a command line or another process can open them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from azcn_events.stores.protocol import Store
from azcn_events.testing.stand_ins import OpenStore, on_sqlite

__all__ = ["FULL", "NORMAL", "sqlite_full", "sqlite_normal"]

FULL: Final = "azcn_events.testing.faults.openers:sqlite_full"
"""The name of ``sqlite_full``, for ``load_opener``."""
NORMAL: Final = "azcn_events.testing.faults.openers:sqlite_normal"
"""The name of ``sqlite_normal``, for ``load_opener``."""


def sqlite_full(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a SQLite file that waits for the disk at every append: an ``OpenStore``."""
    from azcn_events.stores.sqlite import SqliteStore  # noqa: PLC0415 - loads a driver

    return SqliteStore.open(directory / "log.db", durability="full", clock=clock)


sqlite_normal: Final[OpenStore] = on_sqlite
"""Opens a SQLite file that waits for no disk: an ``OpenStore``."""
