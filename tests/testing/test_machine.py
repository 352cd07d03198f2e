"""The state machine: quiet where nothing is wrong, and loud where something is."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.testing.rules import KINDS, MINE

from azcn_events import INVESTMENT, Projection, Recorded
from azcn_events.reports import REPORTS
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row, Stamp
from azcn_events.testing import lifecycle_machine, on_sqlite


class Kept:
    """Facts by kind and the position, in one file that is replaced whole."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "kept"
        self.position, self._kinds = 0, Counter[str]()
        if self._path.exists():
            self.position, self._kinds = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file

    def apply(self, records: Iterable[Recorded]) -> None:
        """Count what is new; keep both together."""
        position, kinds = self.position, self._kinds.copy()
        for record in records:
            if record.position > position:
                position = record.position
                kinds[record.kind] += 1
        self._keep(position, kinds)

    def _keep(self, position: int, kinds: Counter[str]) -> None:
        self.position, self._kinds = position, kinds
        self._path.write_bytes(pickle.dumps((position, kinds)))

    def value(self) -> object:
        """Give the counts."""
        return self._kinds

    def close(self) -> None:
        """Nothing is open."""


TestMine = lifecycle_machine(MINE, projections=[KINDS]).TestCase
TestInvestment = lifecycle_machine(
    INVESTMENT, projections=[KINDS], reports=[REPORTS["funnel"], REPORTS["status"]]
).TestCase
TestOnSqlite = lifecycle_machine(
    MINE, store=on_sqlite, projections=[KINDS], read_models=[Kept]
).TestCase
TestOnSqlite.settings = settings(
    TestOnSqlite.settings, max_examples=settings().max_examples // 3
)


class Lossy(MemoryStore):
    """Forgets the second event of an append."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Say two, keep one."""
        stamps = super().append(drafts[:1], expected)
        return [*stamps, *stamps][: len(drafts)]


class Trusting(MemoryStore):
    """Does not look at versions."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Take whatever comes."""
        versions = {stream: self.version(stream) for stream in expected}
        return super().append(drafts, versions)


class Renaming(MemoryStore):
    """Gives what it repeats new numbers."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Store a repetition again, under other ids."""
        if all(self.find(draft.id) for draft in drafts):
            drafts = [evolve(draft, id=f"{draft.id}'") for draft in drafts]
            expected = {stream: self.version(stream) for stream in expected}
        return super().append(drafts, expected)


class Muddled(MemoryStore):
    """Takes any name that begins alike for the same stream."""

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """Give some event whose id begins so."""
        return next((row for row in self.read_all() if row.id[:2] == id[:2]), None)


def once(kind: type[MemoryStore]) -> Callable[[Path, Callable[[], int]], MemoryStore]:
    """Open the same store for the same directory."""
    kept: dict[Path, MemoryStore] = {}

    def opened(directory: Path, clock: Callable[[], int]) -> MemoryStore:
        store = kept.setdefault(directory, kind(clock))
        store.clock = clock
        return store

    return opened


def forgetful(_: Path, clock: Callable[[], int]) -> MemoryStore:
    """Open an empty store each time."""
    return MemoryStore(clock)


def found_by(machine: Any) -> str:
    """Run a machine that must fail; give what it says."""
    # Not shortened, which takes a minute, and with no deadline, as the machine has.
    looking = settings(
        machine.TestCase.settings,
        phases=[Phase.generate],
        max_examples=300,
        database=None,
        derandomize=True,
    )
    with pytest.raises(AssertionError) as failure:
        run_state_machine_as_test(machine, settings=looking)
    return str(failure.value)


@pytest.mark.parametrize("kind", [Lossy, Trusting, Renaming, Muddled])
def test_a_wrong_store_is_found(kind: type[MemoryStore]) -> None:
    """Whatever it does wrong, the ledger on it does not do what the model does."""
    said = found_by(lifecycle_machine(MINE, store=once(kind)))
    assert "with these facts recorded:" in said


def test_a_store_that_forgets_is_found() -> None:
    """Reopened, it is empty."""
    assert "the ledger holds" in found_by(lifecycle_machine(MINE, store=forgetful))


def count_again(seen: Counter[str], record: Recorded) -> Counter[str]:
    """Count in two places: one of them outlives the run."""
    OUTSIDE[record.kind] += 1
    return OUTSIDE + seen


OUTSIDE: Counter[str] = Counter()


def test_a_projection_that_keeps_more_than_its_value_is_found() -> None:
    """Counted page by page it is not what one run counts."""
    twice = Projection("twice", Counter[str], count_again)
    assert "twice is " in found_by(lifecycle_machine(MINE, projections=[twice]))


class CountsAgain(Kept):
    """Does not look at whether a record was counted."""

    def apply(self, records: Iterable[Recorded]) -> None:
        """Count whatever comes."""
        for record in records:
            self._kinds[record.kind] += 1
            self._keep(max(self.position, record.position), self._kinds)


class KeepsWhatIsNew(Kept):
    """Keeps nothing but what came last."""

    def _keep(self, position: int, kinds: Counter[str]) -> None:
        super()._keep(position, kinds)
        self._path.write_bytes(pickle.dumps((position, kinds - self._kinds)))


class MovesFirst(Kept):
    """Keeps its position before it counts."""

    def apply(self, records: Iterable[Recorded]) -> None:
        """Move with each record; count them all at the end."""
        new = []
        for record in records:
            if record.position > self.position:
                self._keep(record.position, self._kinds)
                new.append(record.kind)
        self._keep(self.position, self._kinds + Counter(new))


class StandsStill(Kept):
    """Has counted, and does not say so."""

    def _keep(self, position: int, kinds: Counter[str]) -> None:
        super()._keep(min(position, 2), kinds)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (CountsAgain, "CountsAgain is Counter("),
        (KeepsWhatIsNew, "KeepsWhatIsNew is Counter("),
        (MovesFirst, "MovesFirst is Counter("),
        (StandsStill, "StandsStill is at 2, not "),
    ],
)
def test_a_wrong_read_model_is_found(wrong: type[Kept], said: str) -> None:
    """Delivered again, broken off or reopened it is not what one run makes of it."""
    assert said in found_by(lifecycle_machine(MINE, read_models=[wrong]))
