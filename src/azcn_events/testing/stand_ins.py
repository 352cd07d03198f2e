"""What a test puts in place of the world: a clock it sets, ids it knows, its stores."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final, cast

from attrs import define, field

from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Store

__all__ = [
    "DAY_US",
    "Clock",
    "OpenStore",
    "in_memory",
    "load_opener",
    "numbered_ids",
    "on_sqlite",
    "scratch",
]

DAY_US: Final = 86_400_000_000
"""Microseconds in a day."""

OpenStore = Callable[[Path, Callable[[], int]], Store]
"""Opens the store that is kept in a directory; makes it if there is none yet.

It gets the directory, which exists, and a clock that gives microseconds since
1970 UTC. The same directory again is the same store: so a test closes and reopens.
"""


@define
class Clock:
    """A clock that shows what the test sets.

    Attributes:
        us: What it shows, in microseconds since 1970 UTC; 2025-01-01 at noon until
            it is set.
    """

    us: int = 1_735_732_800_000_000

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC."""
        return self.us

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.us += days * DAY_US


def numbered_ids(prefix: str = "r") -> Callable[[], str]:
    """Make a maker of ids: ``r1``, ``r2`` and so on."""
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers)}"


@define
class in_memory:  # noqa: N801 - read as a phrase: check_laws(in_memory())
    """An ``OpenStore`` that keeps each directory's store as long as the directory.

    Of a directory that is gone it forgets the store the next time that it opens one.
    """

    _kept: dict[Path, MemoryStore] = field(
        factory=dict[Path, MemoryStore], init=False, repr=False
    )

    def __call__(self, directory: Path, clock: Callable[[], int]) -> Store:
        """Give the directory's store, with this clock from now on."""
        for known in list(self._kept):
            if not known.exists():
                del self._kept[known]
        store = self._kept.setdefault(directory, MemoryStore(clock))
        store.clock = clock
        return store


def on_sqlite(directory: Path, clock: Callable[[], int]) -> Store:
    """Open a SQLite file: an ``OpenStore`` that waits for no disk."""
    from azcn_events.stores.sqlite import SqliteStore  # noqa: PLC0415 - loads a driver

    return SqliteStore.open(directory / "log.db", durability="normal", clock=clock)


def load_opener(name: str) -> OpenStore:
    """Find an opener by name, for a command line, a setting or another process.

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


@contextmanager
def scratch() -> Generator[Path]:
    """Make a directory for a test, and take it away afterwards."""
    with TemporaryDirectory(prefix="azcn-") as directory:
        yield Path(directory)
