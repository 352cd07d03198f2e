"""Processes that are killed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.testing.faults import wrong_stores

from azcn_events.testing.faults.findings import Kind, Problem
from azcn_events.testing.faults.kills import kill_loop, kill_writers
from azcn_events.testing.faults.openers import FULL, NORMAL

WRONG = wrong_stores.__file__


@pytest.mark.parametrize("opener", [FULL, NORMAL])
def test_our_stores_lose_nothing(opener: str) -> None:
    """Killed at any moment, on the same file again and again: all is there."""
    found = kill_writers(opener, rounds=6)
    assert () == found.problems
    assert (6, 6) == (found.tried["rounds"], found.tried["kills"])
    assert found.tried["acknowledged"] >= 3


@pytest.mark.parametrize(("name", "kind"), [("hasty", "lost"), ("piecemeal", "torn")])
def test_a_wrong_store_is_caught(name: str, kind: Kind) -> None:
    """A store that acknowledges too early, or tears its batches."""
    found = kill_writers(f"{WRONG}:{name}", rounds=12)
    assert found.counts().keys() == {kind}


def no_problem(_: Sequence[str]) -> list[Problem]:
    """Find nothing."""
    return []


def python(code: str) -> list[str]:
    """Give the command that runs some Python."""
    return [sys.executable, "-c", code]


def test_only_a_complete_line_is_an_acknowledgement() -> None:
    """What was cut off by the kill was not said; every check gets all so far."""
    seen: list[list[str]] = []

    def check(lines: Sequence[str]) -> list[Problem]:
        seen.append(list(lines))
        return []

    code = "import os, time; os.write(1, b'1\\n2\\n3'); time.sleep(60)"
    found = kill_loop(python(code), check, rounds=1)
    assert [["1", "2"]] == seen
    assert {"rounds": 1, "kills": 1, "acknowledged": 2} == found.tried


def test_the_data_stay_from_round_to_round(tmp_path: Path) -> None:
    """Each writer goes on with what the one before has left."""
    file = tmp_path / "count"
    code = (
        f"import time; f = open({str(file)!r}, 'a'); f.write('x'); f.flush();"
        "print('x', flush=True); time.sleep(60)"
    )
    found = kill_loop(python(code), no_problem, rounds=3)
    assert found.tried["acknowledged"] <= len(file.read_text()) <= 3


def test_a_writer_that_fails_is_a_problem() -> None:
    """One that ends in an error of its own is not taken for killed."""
    [problem] = kill_loop(
        python("raise SystemExit('no room')"), no_problem, rounds=1, longest_s=5
    ).problems
    assert "unusable" == problem.kind
    assert "the writer ended with 1: no room" == problem.detail


def test_a_writer_that_prints_nothing_is_ended() -> None:
    """It is a problem, and the campaign does not go on without an end."""
    seen: list[Sequence[str]] = []

    def check(lines: Sequence[str]) -> list[Problem]:
        seen.append(lines)
        return []

    found = kill_loop(
        python("import time; time.sleep(60)"), check, rounds=4, limit_s=0.3
    )
    [problem] = found.problems
    assert "unusable" == problem.kind
    assert "the writer printed no line in 0.3 s; does it hang?" == problem.detail
    assert {"rounds": 1, "kills": 1, "acknowledged": 0} == found.tried
    assert [] == seen


def test_a_writer_may_come_to_its_end() -> None:
    """One that has nothing more to do is neither killed nor a problem."""
    found = kill_loop(python("print(1)"), no_problem, rounds=1, longest_s=5)
    assert {"rounds": 1, "kills": 0, "acknowledged": 1} == found.tried
    assert () == found.problems


def test_a_problem_says_when() -> None:
    """What the check finds is told with the round, so that it can be had again."""
    found = kill_loop(
        python("print(1)"),
        lambda lines: [Problem("lost", f"of {len(lines)}")],
        rounds=2,
        seed=3,
    )
    told = [str(problem) for problem in found.problems]
    assert "lost: of 1 (round 0, seed 3, killed after 1 lines)" == told[0]
    assert 2 == len(told)
