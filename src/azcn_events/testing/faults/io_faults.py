"""Let one operation of the disk fail, every one in turn, and see the store go on.

Whatever fails: nothing may be half recorded, what was acknowledged must be there, the
store must say so with an error of its own, and the same append repeated with the
same ids must succeed, as it would when somebody has made room.

A failed sync is only an error here. What a real disk does with the data after one
is another matter: see A. Rebello et al., "Can Applications Recover from fsync
Failures?", USENIX ATC 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

import apsw
from attrs import define, evolve, field

from azcn_events.errors import StoreError, StoreFull
from azcn_events.stores.protocol import Store
from azcn_events.testing.faults import workload
from azcn_events.testing.faults.disk import Cut, Operation, Synced, Written
from azcn_events.testing.faults.findings import Findings, Problem, unusable
from azcn_events.testing.faults.power_cuts import SHORT, Sessions, recorded_work
from azcn_events.testing.faults.recorder import quick_scratch, recorded_disk
from azcn_events.testing.stand_ins import Clock, OpenStore

__all__ = ["FAULTS", "Fault", "fail_io"]

Fault: TypeAlias = Literal["full", "write", "sync"]
"""``full``: there is no room for a write; ``write``: a write or a cut fails; ``sync``:
a sync fails."""

FAULTS: Final[tuple[Fault, ...]] = ("full", "write", "sync")

_CODES: Final[Mapping[Fault, int]] = {
    "full": apsw.SQLITE_FULL,
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
}
_HIT: Final[Mapping[Fault, tuple[type[Operation], ...]]] = {
    "full": (Written,),
    "write": (Written, Cut),
    "sync": (Synced,),
}
_TRIES: Final = 3
"""The first fails, the second is on the same store, the third on one opened again."""


def fail_io(
    open_store: OpenStore,
    fault: Fault,
    *,
    every: int = 1,
    sessions: Sessions = SHORT,
) -> Findings:
    """Let a store work once for each operation that can fail, and fail that one.

    Args:
        open_store: Opens the store, which is made of SQLite files by ``apsw``.
        fault: What fails, once.
        every: Only each so many-th operation, >= 1, where all take too long.
        sessions: What the store does. An append that fails is repeated.

    Returns:
        What was found; ``wrong`` is an error of another kind than ``StoreFull`` for a
        full disk, ``StoreError`` otherwise. ``tried`` counts the faults, those
        of which the store told somebody, and how often it had to be opened again.
    """
    kinds = _HIT[fault]
    operations = recorded_work(open_store, sessions)
    points = range(1, sum(isinstance(one, kinds) for one in operations) + 1, every)
    tried = {"operations": len(operations), "faults": 0, "told": 0, "reopened": 0}
    problems: list[Problem] = []
    for number in points:
        with quick_scratch() as directory:
            trial = _Trial(open_store, directory, fault, number)
            where = f"{fault} fault at operation {number} of those that can have it"
            problems += [evolve(one, where=where) for one in trial.run(sessions)]
        tried["faults"] += trial.left <= 0
        tried["told"] += trial.is_told
        tried["reopened"] += trial.is_reopened
    return Findings(tried, problems)


@define
class _Trial:
    """A store at work, one operation of whose disk fails.

    Attributes:
        left: How many operations until the one that fails.
        is_told: Whether the store has told somebody.
        is_reopened: Whether the store had to be opened again to go on.
    """

    _open_store: OpenStore
    _directory: Path
    _fault: Fault
    left: int
    is_told: bool = field(default=False, init=False)
    is_reopened: bool = field(default=False, init=False)
    _acknowledged: list[int] = field(factory=list[int], init=False)

    def run(self, sessions: Sessions) -> list[Problem]:
        """Do all the work, and give what is wrong."""
        problems: list[Problem] = []
        with recorded_disk(self._directory, self._failing):
            try:
                for sizes in [*sessions, ()]:
                    problems += self._session(sizes)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
                problems.append(unusable(error))
        return problems

    def _failing(self, operation: Operation) -> int:
        if isinstance(operation, _HIT[self._fault]):
            self.left -= 1
            if self.left == 0:
                return _CODES[self._fault]
        return apsw.SQLITE_OK

    def _session(self, sizes: Sequence[int]) -> Iterator[Problem]:
        """Open, append, close; then what was acknowledged must be there."""
        store, problems = self._opened()
        yield from problems
        try:
            yield from workload.problems_in(store, self._acknowledged)
            for size in sizes:
                store, problems = self._appended(store, size)
                yield from problems
        finally:
            # SQLite goes on where it could not empty the log at the end. Yet apsw
            # passes on what our disk has raised, which a real disk would not.
            with suppress(apsw.FullError, apsw.IOError):
                store.close()

    def _opened(self) -> tuple[Store, list[Problem]]:
        """Open the store, at the second try if the first fails."""
        try:
            return self._open_store(self._directory, Clock()), []
        except Exception as error:  # noqa: BLE001 - it is judged
            problems = self._judged(error)
            return self._open_store(self._directory, Clock()), problems

    def _appended(self, store: Store, size: int) -> tuple[Store, list[Problem]]:
        """Append, and again if that fails; in between, nothing may be half there."""
        number = len(self._acknowledged) + 1
        problems: list[Problem] = []
        for attempt in range(_TRIES):
            try:
                workload.append(store, number, size)
            except Exception as error:  # noqa: BLE001 - it is judged
                problems += self._judged(error)
            else:
                self._acknowledged.append(number)
                return store, problems
            if attempt:
                self.is_reopened = True
                store.close()
                store = self._open_store(self._directory, Clock())
            problems += workload.problems_in(store, self._acknowledged)
        problems.append(Problem("unusable", f"append {number} fails again and again"))
        return store, problems

    def _judged(self, error: Exception) -> list[Problem]:
        """Compare an error with what the fault should be called."""
        self.is_told = True
        due = StoreFull if self._fault == "full" else StoreError
        if isinstance(error, due):
            return []
        detail = f"{due.__name__} was due, and this came: {error!r}"
        return [Problem("wrong", detail)]
