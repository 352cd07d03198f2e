"""Stores by name, so that a command line or another process can open them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final, cast

from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.stores.protocol import Store
from azcn_events.testing.stand_ins import OpenStore, on_sqlite

__all__ = ["FULL", "NORMAL", "load_opener", "sqlite_full", "sqlite_normal"]

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


def load_opener(name: str) -> OpenStore:
    """Find an opener by name.

    Args:
        name: ``package.module:opener``, or ``path/to/file.py:opener`` for a file
            that cannot be imported, such as one among tests.

    Raises:
        InvalidValue: If it is not of this form.
        UnknownName: If there is no such thing in the module.
        ModuleNotFoundError, FileNotFoundError: If there is no such module or file.
    """
    place, _, attribute = name.rpartition(":")
    if not place or not attribute:
        expected = "package.module:opener or path/to/file.py:opener"
        raise InvalidValue(name, "this cannot name an opener", expected)
    module = _module_of(Path(place)) if place.endswith(".py") else import_module(place)
    opener = getattr(module, attribute, None)
    if not callable(opener):
        callables = [one for one, thing in vars(module).items() if callable(thing)]
        raise UnknownName("opener", attribute, tuple(callables))
    return cast("OpenStore", opener)


def _module_of(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
