"""How often a store waits for its disk."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from tests.testing.faults.wrong_stores import unsynced

from azcn_events.testing.faults.disk import (
    Acknowledged,
    Created,
    DirectorySynced,
    Operation,
    Synced,
    Written,
)
from azcn_events.testing.faults.openers import (
    FULL,
    NORMAL,
    sqlite_full,
    sqlite_normal,
)
from azcn_events.testing.faults.power_cuts import SHORT, recorded_work
from azcn_events.testing.faults.strace import (
    NoStrace,
    ProgramFailed,
    ProgramHangs,
    has_strace,
)
from azcn_events.testing.faults.syncs import (
    Acknowledgement,
    acknowledgements,
    audit_syncs,
)
from azcn_events.testing.faults.writer import writer_command

APPENDS = 30

needs_strace = pytest.mark.skipif(not has_strace(), reason="strace is not installed")


def test_syncs_and_what_is_left_are_counted() -> None:
    """Syncs since the last acknowledgement; changes of files and names not synced."""
    done: list[Operation] = [
        Created("a"),
        Written("a", 0, b"1"),
        Acknowledged(1),
        Synced("a"),
        Synced("a"),
        Acknowledged(2),
        DirectorySynced(),
        Acknowledged(3),
    ]
    due = [Acknowledgement(1, 0, 2), Acknowledgement(2, 2, 1), Acknowledgement(3, 0, 0)]
    assert due == acknowledgements(done)


def test_our_store_waits_before_it_acknowledges() -> None:
    """At least one sync for each append, and nothing is left for a cut to undo."""
    told = acknowledgements(recorded_work(sqlite_full, SHORT))
    assert {0} == {one.unsynced for one in told}
    assert min(one.syncs for one in told) >= 1


def test_our_other_store_does_not_wait() -> None:
    """Most appends wait for nothing, as ``normal`` says."""
    told = acknowledgements(recorded_work(sqlite_normal, SHORT))
    assert sum(one.syncs == 0 for one in told) > len(told) / 2
    assert all(one.unsynced for one in told)


def test_a_store_that_never_waits_is_seen() -> None:
    """With ``synchronous=OFF`` nothing is synced once the file is open."""
    told = acknowledgements(recorded_work(unsynced, [[40, 40, 40]]))
    assert [0, 0] == [one.syncs for one in told[1:]]
    assert all(one.unsynced for one in told)


@needs_strace
@pytest.mark.parametrize("opener", [FULL, NORMAL])
def test_the_syncs_are_seen_from_outside(opener: str, tmp_path: Path) -> None:
    """The operating system sees a sync for each append, or hardly any."""
    found = audit_syncs(writer_command(opener, tmp_path, APPENDS))
    assert APPENDS == found.acknowledged
    assert (opener == FULL) == (found.syncs >= found.acknowledged)


@needs_strace
def test_a_program_that_fails_is_not_counted() -> None:
    """It has proved nothing, and its own words say why."""
    with pytest.raises(ProgramFailed, match=r"ended with 3, not 0.*it said: oh no"):
        audit_syncs(
            [sys.executable, "-c", "import sys; sys.stderr.write('oh no'); sys.exit(3)"]
        )


@needs_strace
def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    """With all that it has started, and with words that say so."""
    told = tmp_path / "told"
    code = (
        f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid()));"
        "time.sleep(60)"
    )
    with pytest.raises(ProgramHangs, match="still at work after 1 s, and was ended"):
        audit_syncs([sys.executable, "-c", code], limit_s=1)
    end = time.monotonic() + 20  # What was killed needs a moment to be gone.
    while is_alive(int(told.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(int(told.read_text()))


def is_alive(process: int) -> bool:
    """Say whether a process is there and at work."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_without_strace_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And names what can be done without."""
    monkeypatch.setenv("PATH", "")
    assert not has_strace()
    with pytest.raises(NoStrace, match="acknowledgements"):
        audit_syncs([sys.executable, "-c", ""])
