"""Read models as users write them: right ones, and wrong ones, each caught by a law."""

# ruff: noqa: D102 - a class's docstring says what its methods do wrong

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from attrs import define, field, frozen

from azcn_events.core.events import Event, MilestonePromised, Recorded
from azcn_events.core.lifecycle import Lifecycle, Milestone
from azcn_events.core.projection import Projection
from azcn_events.testing.contract import ReadModelContract
from azcn_events.testing.laws import check_laws
from azcn_events.testing.laws.read_models import (
    READ_MODEL_LAWS,
    OpenReadModel,
    ReadModel,
    agrees_with_projection,
)


@frozen(kw_only=True)
class LicenceGranted(Event):
    """The host authority granted a licence."""

    number: str


@frozen(kw_only=True)
class FirstOre(Event):
    """The mine produced ore."""


CONCESSION = Lifecycle(
    name="concession",
    events={"licence-granted": LicenceGranted, "first-ore": FirstOre},
    milestones=(
        Milestone("licensed", met_by=LicenceGranted),
        Milestone("producing", met_by=FirstOre, expects=("licensed",)),
    ),
)


def counted(counts: Counter[str], record: Recorded) -> Counter[str]:
    """Count a record's stream."""
    counts[record.stream] += 1
    return counts


FACTS_BY_STREAM = Projection("facts-by-stream", Counter[str], counted)
LAWS = {
    law.name: law for law in (*READ_MODEL_LAWS, agrees_with_projection(FACTS_BY_STREAM))
}


# Right ones.


@define
class in_memory:  # noqa: N801 - called like the function that it is
    """Opens read models that are kept as long as it lives itself."""

    _kept: dict[Path, InMemory] = field(factory=dict[Path, "InMemory"], init=False)

    def __call__(self, directory: Path) -> ReadModel:
        return self._kept.setdefault(directory, InMemory())


class InMemory:
    """Counts in a copy, and takes it over at the end."""

    def __init__(self) -> None:
        self._progress = FACTS_BY_STREAM.run(())

    def apply(self, records: Iterable[Recorded]) -> None:
        known = self._progress
        copy = FACTS_BY_STREAM.resume(
            type(known)(Counter(known.value), known.position), records
        )
        self._progress = copy

    @property
    def position(self) -> int:
        return self._progress.position

    def value(self) -> object:
        return self._progress.value

    def close(self) -> None:
        """Keep everything."""


class InFile:
    """Counts in a SQLite file: counts and position in one transaction."""

    def __init__(self, directory: Path) -> None:
        self.file = sqlite3.connect(
            directory / "model.db", isolation_level=None, timeout=0.1
        )
        self.file.executescript(
            """
            PRAGMA synchronous = OFF;
            CREATE TABLE IF NOT EXISTS facts (stream TEXT PRIMARY KEY, count INTEGER);
            CREATE TABLE IF NOT EXISTS checkpoint (position INTEGER);
            INSERT INTO checkpoint SELECT 0 WHERE NOT EXISTS (SELECT * FROM checkpoint);
            """
        )

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Write all or nothing."""
        self.file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.file.execute("ROLLBACK")
            raise
        self.file.execute("COMMIT")

    def apply(self, records: Iterable[Recorded]) -> None:
        with self.transaction():
            for record in records:
                if record.position > self.position:
                    self.count(record)
                    self.reach(record.position)

    def count(self, record: Recorded) -> None:
        self.file.execute(
            "INSERT INTO facts VALUES (?, 1)"
            " ON CONFLICT (stream) DO UPDATE SET count = count + 1",
            (record.stream,),
        )

    def reach(self, position: int) -> None:
        self.file.execute("UPDATE checkpoint SET position = ?", (position,))

    @property
    def position(self) -> int:
        [position] = self.file.execute("SELECT position FROM checkpoint").fetchone()
        return int(position)

    def value(self) -> object:
        return dict(self.file.execute("SELECT stream, count FROM facts").fetchall())

    def close(self) -> None:
        self.file.close()


class TestInMemory(ReadModelContract):
    """A right read model in memory keeps every law."""

    open_model = in_memory()
    laws = tuple(LAWS.values())
    lifecycle = CONCESSION


class TestInFile(ReadModelContract):
    """A right read model in a file keeps every law."""

    open_model = InFile
    laws = tuple(LAWS.values())
    lifecycle = CONCESSION
    examples = 5


# Wrong ones.


class CheckpointFirst(InFile):
    """Writes where it will be, and then counts, a transaction each."""

    def apply(self, records: Iterable[Recorded]) -> None:
        known, batch = self.position, list(records)
        if batch:
            self.reach(max(known, batch[-1].position))
        for record in batch:
            if record.position > known:
                self.count(record)


class CheckpointBeforeEach(InFile):
    """Writes each record's position before it counts it."""

    def apply(self, records: Iterable[Recorded]) -> None:
        for record in records:
            if record.position > self.position:
                self.reach(record.position)
                self.count(record)


class CheckpointLast(InFile):
    """Counts each record at once, and writes where it is at the end of the batch."""

    def apply(self, records: Iterable[Recorded]) -> None:
        reached = self.position
        for record in records:
            if record.position > reached:
                self.count(record)
                reached = record.position
        self.reach(reached)


class TwoTransactions(InFile):
    """Counts the batch in one transaction, and writes where it is in another."""

    def apply(self, records: Iterable[Recorded]) -> None:
        known, batch = self.position, list(records)
        with self.transaction():
            for record in batch:
                if record.position > known:
                    self.count(record)
        if batch:
            self.reach(max(known, batch[-1].position))


class NoCheckpoint(InFile):
    """Keeps the position in memory only."""

    reached = 0

    def reach(self, position: int) -> None:
        self.reached = position

    @property
    def position(self) -> int:
        return self.reached


class BelievesInTheReader(InFile):
    """Counts whatever comes: whoever delivers will know what is new."""

    def apply(self, records: Iterable[Recorded]) -> None:
        with self.transaction():
            for record in records:
                self.count(record)
                self.reach(record.position)


class InsertsOrIgnores(InFile):
    """Counts a stream's first fact, and ignores the others with the doubles."""

    def count(self, record: Recorded) -> None:
        self.file.execute("INSERT OR IGNORE INTO facts VALUES (?, 1)", (record.stream,))


class NextPosition(InFile):
    """Writes the position to come for the one that is counted."""

    def reach(self, position: int) -> None:
        super().reach(position + 1)


class InclusivePosition(InFile):
    """Counts the record at its position again."""

    def apply(self, records: Iterable[Recorded]) -> None:
        with self.transaction():
            for record in records:
                if record.position >= self.position:
                    self.count(record)
                    self.reach(record.position)


class CountsPositions(InFile):
    """Takes the number of records for the position of the last."""

    def reach(self, position: int) -> None:  # noqa: ARG002 - this is what is wrong
        self.file.execute("UPDATE checkpoint SET position = position + 1")


class CachesItsValue(InFile):
    """Keeps its counts in memory, and the file only gets the position."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.cache = Counter[str]()

    def count(self, record: Recorded) -> None:
        self.cache[record.stream] += 1

    def value(self) -> object:
        return self.cache


class CommitsOnClose(InFile):
    """Leaves its transaction open until it is closed."""

    def apply(self, records: Iterable[Recorded]) -> None:
        if not self.file.in_transaction:
            self.file.execute("BEGIN")
        reached = self.position
        for record in records:
            if record.position > reached:
                self.count(record)
                reached = record.position
        self.reach(reached)

    def close(self) -> None:
        if self.file.in_transaction:
            self.file.execute("COMMIT")
        self.file.close()


class BatchOfOne(InFile):
    """Counts the first record of a batch only."""

    def apply(self, records: Iterable[Recorded]) -> None:
        super().apply(islice(records, 1))


class WantsTheNext(InFile):
    """Refuses records with gaps between them."""

    def count(self, record: Recorded) -> None:
        if record.position != self.position + 1:
            raise ValueError(f"where is record {self.position + 1}?")
        super().count(record)


class TakesNoPromises(InFile):
    """Fails at a kind of fact of which its author did not think."""

    def count(self, record: Recorded) -> None:
        if isinstance(record.event, MilestonePromised):
            raise NotImplementedError
        super().count(record)


class SharesItsCounts(InFile):
    """Has its counts in the class: all read models of the process share them."""

    counts = Counter[str]()  # noqa: RUF012 - this is what is wrong

    def count(self, record: Recorded) -> None:
        self.counts[record.stream] += 1

    def value(self) -> object:
        return self.counts


WRONG: list[tuple[OpenReadModel, str]] = [
    (CheckpointFirst, "broken_off_at_a_record"),
    (CheckpointBeforeEach, "broken_off_at_a_record"),
    (CheckpointLast, "broken_off_between_records"),
    (TwoTransactions, "broken_off_at_a_record"),
    (NoCheckpoint, "reopened"),
    (BelievesInTheReader, "redelivery"),
    (InsertsOrIgnores, "agrees"),
    (NextPosition, "counted_up_to_the_last"),
    (InclusivePosition, "redelivery"),
    (CountsPositions, "gaps"),
    (CachesItsValue, "reopened"),
    (CommitsOnClose, "kept_unclosed"),
    (BatchOfOne, "batches"),
    (WantsTheNext, "gaps"),
    (TakesNoPromises, "total"),
    (SharesItsCounts, "rebuilt"),
]


@pytest.mark.parametrize(
    ("open_model", "name"),
    WRONG,
    ids=[f"{getattr(kind, '__name__', kind)}-{name}" for kind, name in WRONG],
)
def test_a_wrong_read_model_is_caught(open_model: OpenReadModel, name: str) -> None:
    """The law finds it, and its log is short."""
    [broken] = check_laws(open_model, [LAWS[name]], lifecycle=CONCESSION)
    assert name == broken.law
    assert 1 <= len(broken.log) <= 5


def test_every_law_catches_something() -> None:
    """No law is there for show: each has a wrong read model that it notices."""
    assert set(LAWS) == {name for _, name in WRONG}
