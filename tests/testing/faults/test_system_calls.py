"""System calls that fail, or are a program's last."""

from __future__ import annotations

import pytest
from tests.testing.faults import wrong_stores

from azcn_events.testing.faults.findings import Kind
from azcn_events.testing.faults.openers import NORMAL
from azcn_events.testing.faults.strace import has_strace
from azcn_events.testing.faults.system_calls import (
    INJECTIONS,
    Injection,
    fail_system_calls,
)

pytestmark = pytest.mark.skipif(not has_strace(), reason="strace is not installed")


@pytest.mark.parametrize("injection", INJECTIONS)
def test_our_store_stays_whole(injection: Injection) -> None:
    """Whatever call is hit: what was acknowledged is there, and it can go on."""
    found = fail_system_calls(NORMAL, injection, appends=2, every=20)
    assert () == found.problems
    assert found.tried["faults"] >= found.tried["noticed"] > 2


@pytest.mark.parametrize(
    ("name", "injection", "kind"),
    [("piecemeal", "signal=KILL", "torn"), ("swallowing", "error=EIO", "lost")],
)
def test_a_wrong_store_is_caught(name: str, injection: Injection, kind: Kind) -> None:
    """A store that tears its batches, and one that hides what the disk says."""
    opener = f"{wrong_stores.__file__}:{name}"
    found = fail_system_calls(opener, injection, appends=2, every=15)
    assert kind in found.counts()
