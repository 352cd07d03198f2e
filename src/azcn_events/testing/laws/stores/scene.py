"""How a law of stores is made, and where it happens.

A law opens stores in directories of its own. A case against it ends with a diary of
what the store was told there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final, cast

from attrs import define, field, frozen

from azcn_events.stores.protocol import Draft, Stamp, Store
from azcn_events.testing.laws.law import (
    Broken,
    Law,
    Search,
    Violation,
    ensure,
    law,
)
from azcn_events.testing.stand_ins import Clock, OpenStore, scratch

__all__ = [
    "Place",
    "at_place",
    "cut_short",
    "names_of",
    "opened",
    "said",
    "scripted",
    "versions_of",
]


def scripted(script: Callable[[OpenStore], None]) -> Law[OpenStore]:
    """Make a law of a script: its name is the function's, its sentence the docstring's.

    The script raises if the law does not hold.
    """

    @wraps(script)
    def find(open_store: OpenStore, search: Search) -> Broken | None:
        try:
            script(open_store)
        except Exception as error:  # noqa: BLE001 - whatever it raises breaks the law
            message = said(error)
            return Broken(made.name, made.sentence, message, search.lifecycle)
        return None

    made: Law[OpenStore] = law(find)
    return made


def said(error: Exception) -> str:
    """Say how a law was broken: a violation's own text, or what was raised."""
    if isinstance(error, Violation):
        return str(error)
    return f"it raised {type(error).__name__}: {error}"


@define
class Place:
    """A directory whose store is opened as often as a law likes."""

    clock: Callable[[], int]
    _open_store: OpenStore
    _directory: Path
    _closing: ExitStack
    _diary: list[str] = field(factory=list[str], init=False)

    def open(self) -> Store:
        """Open the store; it is closed when the law is done."""
        store = self._open_store(self._directory, self.clock)
        self._closing.callback(store.close)
        return cast("Store", _Noted(store, self._diary))

    def reopen(self, store: Store) -> Store:
        """Close a store and open it again."""
        store.close()
        self._diary.append("close it and open it again")
        return self.open()

    def leave_open(self) -> None:
        """Close no store when the law is done: one hangs, and closing it would too."""
        self._closing.pop_all()

    def story(self) -> str:
        """Say what happened here last, a line each."""
        if not self._diary:
            return ""
        left_out = len(self._diary) - _LINES_MAX
        lines = [f"({left_out} lines are left out)"] if left_out > 0 else []
        lines += self._diary[-_LINES_MAX:]
        return "".join(f"\n       {line}" for line in ["The store was told:", *lines])


_LINES_MAX: Final = 8


@frozen
class _Noted:
    """A store whose appends are noted in a diary, and which reads nothing for ever."""

    _store: Store
    _diary: list[str]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        answer = getattr(self._store, name)
        return _ending(answer) if name in _READS else answer

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """See ``Store.append``."""
        told = f"append {names_of(drafts)} at {versions_of(expected)}"
        try:
            stamps = self._store.append(drafts, expected)
        except Exception as error:
            self._diary.append(f"{told}: {type(error).__name__}")
            raise
        self._diary.append(f"{told}: {_few(str(stamp[0]) for stamp in stamps)}")
        return stamps


_READS: Final = frozenset({"leaves", "read", "read_all", "read_by_stream", "streams"})
_ANSWERS_MAX: Final = 10_000
"""More than any law tells a store."""


def _ending(read: Callable[..., Iterable[object]]) -> Callable[..., Iterator[object]]:
    """Let reading end with a violation that would not end otherwise."""

    def ended(*asked: object, **named: object) -> Iterator[object]:
        return _at_most(read(*asked, **named))

    return ended


def _at_most(answers: Iterable[object]) -> Iterator[object]:
    for count, answer in enumerate(answers):
        ensure(count < _ANSWERS_MAX, f"reading goes on after {_ANSWERS_MAX:,} answers")
        yield answer


def names_of(drafts: Iterable[Draft]) -> str:
    """Name the first few of some drafts, and say how many more there are."""
    return _few(f"{cut_short(one.id)} to {cut_short(one.stream)}" for one in drafts)


def versions_of(expected: Mapping[str, int]) -> str:
    """Name the first few of some expected versions."""
    named = ((cut_short(stream), version) for stream, version in expected.items())
    return _few(f"{stream} {version}" for stream, version in named)


def _few(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _SHOWN_MAX
    shown = known[:_SHOWN_MAX] + ([f"{more} more"] if more > 0 else [])
    return ", ".join(shown) or "nothing"


_SHOWN_MAX: Final = 5


def cut_short(value: object, *, most: int = 60) -> str:
    """Write a value in ASCII, and in not many more than ``most`` characters."""
    text = ascii(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


@contextmanager
def at_place(
    open_store: OpenStore, clock: Callable[[], int] | None = None
) -> Generator[Place]:
    """Make a place; what goes wrong there is told with what the store was told."""
    with scratch() as directory, ExitStack() as closing:
        place = Place(clock or Clock(), open_store, directory, closing)
        try:
            yield place
        except Exception as error:
            raise Violation(said(error) + place.story()) from error


@contextmanager
def opened(
    open_store: OpenStore, clock: Callable[[], int] | None = None
) -> Generator[Store]:
    """Open a store of its own for a law."""
    with at_place(open_store, clock) as place:
        yield place.open()
