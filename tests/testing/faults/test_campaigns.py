"""The command line."""

from __future__ import annotations

import pytest
from tests.testing.faults import wrong_stores

from azcn_events.testing.faults.__main__ import main
from azcn_events.testing.faults.findings import Findings, Problem

HASTY = f"{wrong_stores.__file__}:hasty"


def test_a_good_store_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and a table of what was tried."""
    assert 0 == main(["power-cuts", "--images", "12", "--seed", "5"])
    said = capsys.readouterr().out
    assert said.startswith("power cuts, full store, ")
    assert "        images        12\n      problems         0\n" in said


def test_what_may_be_lost_must_be_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    """A store that does not wait passes only where that is said."""
    cuts = ["power-cuts", "--images", "12", "--store", "normal"]
    assert [1, 0] == [main(cuts), main([*cuts, "--may-lose"])]
    assert "lost: 1 of 1 acknowledged appends are gone" in capsys.readouterr().out


def test_a_store_of_ones_own_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found by its file; its problems are counted, and some are shown."""
    assert 1 == main(["kills", "--rounds", "5", "--store", HASTY])
    said = capsys.readouterr().out
    assert f"kills, {HASTY} store, " in said
    assert "          lost " in said


def test_every_fault_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """One table for each kind of fault."""
    assert 0 == main(["io-faults", "--every", "900"])
    said = capsys.readouterr().out
    assert 3 == said.count(" faults, full store, ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["kills", "--rounds", "0"], "a whole number from 1 is expected, not '0'"),
        (["kills", "--store", "sqlite"], "package.module:opener"),
        (["kills", "--store", "no_such_module:opener"], "No module named"),
        (["kills", "--store", "no_such_file.py:opener"], "no_such_file.py"),
        ([], "required"),
    ],
)
def test_a_wrong_command_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    """Before anything is tried, with the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert reason in capsys.readouterr().err


def test_findings_are_counted() -> None:
    """What was tried, what was found, and the first examples, as a table."""
    problems = [Problem("lost", f"number {n}", "here") for n in range(4)]
    found = Findings({"rounds": 1200}, [Problem("torn", "half"), *problems])
    assert {"torn": 1, "lost": 4} == found.counts()
    assert (Problem("torn", "half"),) == found.other_than("lost")
    due = """\
        rounds     1,200
      problems         5
          torn         1
          lost         4
  torn: half
  lost: number 0 (here)
  lost: number 1 (here)"""
    assert due == str(found)
