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


def test_a_writer_that_never_ends_is_a_problem() -> None:
    """One that tries again for ever what the disk refused is ended, and named."""
    opener = f"{wrong_stores.__file__}:stubborn"
    found = fail_system_calls(opener, "error=EIO", appends=2, every=15, limit_s=5)
    problem = found.problems[-1]
    assert "unusable" == problem.kind
    assert "was still at work after 5 s, and was ended" in problem.detail
    assert found.tried["faults"] > found.tried["noticed"]


@pytest.mark.parametrize(
    ("name", "injection", "kind"),
    [("piecemeal", "signal=KILL", "torn"), ("swallowing", "error=EIO", "lost")],
)
def test_a_wrong_store_is_caught(name: str, injection: Injection, kind: Kind) -> None:
    """A store that tears its batches, and one that hides what the disk says."""
    opener = f"{wrong_stores.__file__}:{name}"
    found = fail_system_calls(opener, injection, appends=2, every=15)
    assert kind in found.counts()
