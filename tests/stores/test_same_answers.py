"""Two stores that are told the same give the same answers, errors included."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from azcn_events.errors import StoreError
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Store
from azcn_events.stores.sqlite import SqliteStore

# Few ids, so that appends are repeated, overlap and collide.
drafts = st.lists(
    st.builds(
        Draft,
        stream=st.sampled_from(["a", "A", "", "é"]),
        id=st.sampled_from([f"e{n}" for n in range(12)]),
        kind=st.sampled_from(["k/1", "k/1", "l/1"]),
        payload=st.sampled_from([b"{}", b"{}", b"\xff"]),
        metadata=st.sampled_from([b"{}", b"{}", b""]),
        earliest=st.none(),
        latest=st.none() | st.integers(1, 3),
        recorded_us=st.none() | st.none() | st.integers(-5, 60),
    ),
    max_size=4,
)


def answer(ask: Callable[[], object]) -> object:
    """Give what is returned, or the error and its text."""
    try:
        return ask()
    except (StoreError, ValueError) as error:
        return type(error), str(error)


class SameAnswers(RuleBasedStateMachine):
    """The simple store is the oracle of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 0
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "ledger.db"
        self.memory: Store = MemoryStore(lambda: self.now_us)
        self.sqlite = self.opened()
        self.told: list[list[Draft]] = []

    def opened(self) -> Store:
        """Open the file."""
        return SqliteStore.open(
            self.path, durability="normal", clock=lambda: self.now_us
        )

    def ask(self, question: Callable[[Store], object]) -> None:
        """Ask both."""
        assert answer(lambda: question(self.memory)) == answer(
            lambda: question(self.sqlite)
        )

    @rule(batch=drafts, step=st.integers(-5, 10), off=st.sampled_from([0, 0, 0, 1, -1]))
    def append(self, batch: list[Draft], step: int, off: int) -> None:
        """Append anything, mostly with the right versions."""
        self.now_us += step
        expected = {one.stream: self.memory.version(one.stream) for one in batch}
        for stream in list(expected)[:1]:
            expected[stream] += off
        self.told.append(batch)
        self.ask(lambda store: store.append(batch, expected))

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Append again what was said before, or a part of it."""
        if not self.told:
            return
        batch = data.draw(st.sampled_from(self.told))
        batch = batch[: data.draw(st.integers(0, len(batch)))]
        expected = {one.stream: self.memory.version(one.stream) for one in batch}
        self.ask(lambda store: store.append(batch, expected))

    @rule(after=st.integers(-1, 9), until=st.none() | st.integers(-1, 9))
    def read(self, after: int, until: int | None) -> None:
        """Read a part."""
        self.ask(lambda store: list(store.read_all(after=after, until=until)))
        self.ask(lambda store: list(store.read_by_stream(until=until)))
        for stream in ("a", "A", "", "é", "none"):
            self.ask(lambda store: list(store.read(stream, after=after, until=until)))  # noqa: B023 - asked at once

    @rule(moment=st.integers(-10, 100))
    def ask_the_time(self, moment: int) -> None:
        """Ask what was known when."""
        self.ask(lambda store: store.position_at(moment))

    @rule()
    def reopen(self) -> None:
        """Close the file and open it again."""
        self.sqlite.close()
        self.sqlite = self.opened()

    @invariant()
    def same(self) -> None:
        """Everything that can be asked without an argument is the same."""
        self.ask(lambda store: store.head())
        self.ask(lambda store: list(store.streams()))
        self.ask(lambda store: list(store.read_all()))
        self.ask(lambda store: store.find("e1"))

    def teardown(self) -> None:
        """Remove the file."""
        self.sqlite.close()
        self.directory.cleanup()


def test_memory_and_sqlite_give_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any sequence of appends, repetitions, reads and reopenings."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_state_machine_as_test(SameAnswers, settings=settings(stateful_step_count=25))
