"""The check that every campaign makes sees each kind of damage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from attrs import define

from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.faults import workload
from azcn_events.testing.faults.workload import EVENTS_IN_BATCH, batch, problems_in
from azcn_events.testing.stand_ins import Clock, in_memory

APPENDS = 4


@define
class Rows:
    """A store of which only the rows are asked for."""

    rows: list[Row]

    def read_all(self) -> list[Row]:
        """Give them."""
        return self.rows


def stored() -> list[Row]:
    """Give what a good store holds after four appends."""
    store = MemoryStore(Clock())
    for number in range(1, APPENDS + 1):
        workload.append(store, number, 40 * number)
    return list(store.read_all())


def kinds(rows: list[Row]) -> list[str]:
    """Say which promises a store with these rows has broken."""
    store = cast("Store", Rows(rows))
    return [problem.kind for problem in problems_in(store, range(1, APPENDS + 1))]


def renumbered(rows: list[Row]) -> list[Row]:
    """Count positions and versions anew, so that there is no gap."""
    versions: dict[str, int] = {}
    new = list[Row]()
    for position, row in enumerate(rows, 1):
        versions[row.stream] = versions.get(row.stream, 0) + 1
        new.append(row._replace(position=position, version=versions[row.stream]))
    return new


def test_a_good_store_has_no_problems() -> None:
    """All is there: nothing is found, and the newest append is known."""
    assert [] == kinds(stored())
    store = MemoryStore(Clock())
    assert 0 == workload.last_number(store)
    workload.append(store, 1, 40)
    workload.append(store, 1, 40)
    assert (1, EVENTS_IN_BATCH) == (workload.last_number(store), store.head())


def test_every_append_is_of_two_streams() -> None:
    """So that a store must keep several streams in step."""
    for number in (1, 2):
        streams = {draft.stream for draft in batch(number, 40)}
        assert {"fault/0", "fault/1"} == streams
    assert {40} == {len(draft.payload) for draft in batch(1, 40)}


@pytest.mark.parametrize(
    ("damage", "due"),
    [
        (lambda rows: rows[:-EVENTS_IN_BATCH], ["lost"]),
        (lambda rows: rows[:-1], ["torn"]),
        (lambda rows: renumbered(rows[1:]), ["torn"]),
        (lambda rows: renumbered(rows[EVENTS_IN_BATCH:]), ["lost", "hole"]),
        (lambda rows: rows[EVENTS_IN_BATCH:], ["hole", "lost", "hole"]),
        (lambda rows: [rows[1], rows[0], *rows[2:]], ["hole", "torn"]),
        (lambda rows: renumbered([*rows, rows[-1]]), ["torn"]),
        (lambda rows: [rows[0]._replace(payload=b""), *rows[1:]], ["altered"]),
        (lambda rows: [rows[0]._replace(metadata=b""), *rows[1:]], ["altered"]),
        (lambda rows: [rows[0]._replace(kind="noted/9"), *rows[1:]], ["altered"]),
        (lambda rows: [rows[0]._replace(checksum=0), *rows[1:]], ["altered"]),
        (lambda rows: [*rows[:-1], rows[-1]._replace(version=9)], ["hole"]),
    ],
)
def test_damage_is_named(
    damage: Callable[[list[Row]], list[Row]], due: list[str]
) -> None:
    """Each kind of damage is found, and called what it is."""
    assert due == kinds(damage(stored()))


def test_what_is_not_acknowledged_may_be_there_or_not() -> None:
    """Only an acknowledged append must be there."""
    whole, less = stored(), stored()[:-EVENTS_IN_BATCH]
    for rows in (whole, less):
        assert [] == problems_in(cast("Store", Rows(rows)), range(1, APPENDS))


def test_a_store_must_go_on(tmp_path: Path) -> None:
    """One that opens and reads, and cannot append, is unusable."""
    opened = in_memory()
    assert [] == workload.problems_on_opening(opened, tmp_path, [])
    assert 1 == workload.last_number(opened(tmp_path, Clock()))

    @define
    class ReadOnly(MemoryStore):
        def append(
            self, drafts: Sequence[Draft], expected: Mapping[str, int]
        ) -> list[Stamp]:
            raise PermissionError(f"{len(drafts)} for {sorted(expected)}")

    def opened_read_only(_: Path, clock: Callable[[], int]) -> Store:
        return ReadOnly(clock)

    [problem] = workload.problems_on_opening(opened_read_only, tmp_path, [])
    due = "PermissionError: 3 for ['fault/0', 'fault/1']"
    assert ("unusable", due) == (problem.kind, problem.detail)
