"""A disk that fails once: our stores go on, and those that hide it are caught."""

from __future__ import annotations

import pytest
from tests.testing.faults.wrong_stores import hasty, piecemeal, raw, swallowing

from azcn_events.testing.faults.findings import Kind
from azcn_events.testing.faults.io_faults import FAULTS, Fault, fail_io
from azcn_events.testing.faults.openers import sqlite_full, sqlite_normal
from azcn_events.testing.stand_ins import OpenStore

WORK = ((40, 5000, 40), (40,))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("open_store", [sqlite_full, sqlite_normal])
def test_our_stores_go_on(open_store: OpenStore, fault: Fault) -> None:
    """Whatever fails, the error is ours, nothing is half there, and it goes on."""
    every = 1 if fault == "sync" else 3
    found = fail_io(open_store, fault, sessions=WORK, every=every)
    assert () == found.problems
    assert found.tried["faults"] >= found.tried["told"] > 5
    assert 0 == found.tried["reopened"]  # The same object goes on.


@pytest.mark.parametrize(
    ("open_store", "fault", "kind"),
    [
        (swallowing, "write", "lost"),
        (piecemeal, "full", "torn"),
        (hasty, "sync", "lost"),
        (raw, "full", "wrong"),
        (raw, "write", "wrong"),
    ],
)
def test_a_wrong_store_is_caught(
    open_store: OpenStore, fault: Fault, kind: Kind
) -> None:
    """Each store that does wrong when its disk fails is told what."""
    every = 1 if fault == "sync" else 5
    assert kind in fail_io(open_store, fault, sessions=WORK, every=every).counts()


def test_every_so_many_is_tried() -> None:
    """Where all take too long, some do."""
    each, fifth = (
        fail_io(sqlite_normal, "sync", every=every, sessions=WORK).tried["faults"]
        for every in (1, 5)
    )
    assert -(-each // 5) == fifth
