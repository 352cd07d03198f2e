"""Processes that the kit begins: none is waited for for ever, and none is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from tests.testing import stuck

from azcn_events.core.projection import Projection
from azcn_events.testing.laws import check_laws, processes

PATIENCE_S: Final = 30
"""How long something may take on a slow machine; all of it takes a second."""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc of Linux")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda s: s.name)
@pytest.mark.parametrize(
    "run",
    ["clients_that_hang", "clients_at_work", "a_follower", "a_step_elsewhere"],
)
def test_whoever_is_killed_leaves_no_process_behind(
    tmp_path: Path, run: str, how: signal.Signals
) -> None:
    """Not even one that hangs."""
    marks = tmp_path / "marks"
    marks.mkdir()
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONHASHSEED": "0",
        "TMPDIR": str(tmp_path),
        stuck.MARKS: str(marks),
    }
    program = f"from tests.testing import stuck; stuck.{run}()"
    parent = subprocess.Popen([sys.executable, "-c", program], env=environ)
    begun = list[int]()
    try:
        wait_until(lambda: any(marks.iterdir()) and len(children(parent.pid)) == 3)
        begun = children(parent.pid)
        parent.send_signal(how)
        parent.wait(PATIENCE_S)
        wait_until(lambda: not any(map(is_running, begun)))
    finally:
        parent.kill()
        parent.wait()
        for pid in filter(is_running, begun):
            os.kill(pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, but not for ever."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def children(parent: int) -> list[int]:
    """Give the processes that one has begun."""
    found = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [pid for pid in found if stat(pid)[1:2] == [str(parent)]]


def is_running(pid: int) -> bool:
    """Say whether a process is still there; one that waits to be buried is not."""
    return stat(pid)[:1] not in ([], ["Z"], ["X"])


def stat(pid: int) -> list[str]:
    """Give a process' state, its parent, and so on; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


@pytest.mark.parametrize(
    ("projection", "told"),
    [
        (stuck.WAITING, "no answer within 1 s"),
        (stuck.EXITING, "SystemExit: 3"),
        (stuck.DYING, r"it died \(exit code 7\)"),
    ],
    ids=["waits", "exits", "dies"],
)
def test_an_answer_that_does_not_come_breaks_the_law(
    projection: Projection[Any],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is said what became of the other process, and none is left."""
    monkeypatch.setenv(stuck.MARKS, str(tmp_path))
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    if projection is stuck.WAITING:
        monkeypatch.setattr(processes, "ANSWER_S", 1.0)
    (broken,) = check_laws(projection, laws=[processes.same_in_every_process])
    assert re.search(told, broken.message)


def test_other_processes_begin_no_more_of_them(tmp_path: Path) -> None:
    """Not even if laws are checked where a module is imported."""
    # If that fails, it stops at 12 processes or so rather than fill the machine.
    (tmp_path / "checks_itself.py").write_text(
        """
import os
from pathlib import Path
from azcn_events.core.projection import Projection
from azcn_events.testing.laws import check_laws
from azcn_events.testing.laws.processes import same_in_every_process

COUNT = Projection("count", start=int, step=lambda count, _: count + 1)
begun = Path(__file__).with_name("begun")
begun.mkdir(exist_ok=True)
(begun / str(os.getpid())).touch()
if len(list(begun.iterdir())) < 12:
    assert not check_laws(COUNT, laws=[same_in_every_process], examples=2)
"""
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    subprocess.run(
        [sys.executable, "-c", "import checks_itself"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        check=True,
        timeout=PATIENCE_S,
    )
    assert 1 + 3 == len(list((tmp_path / "begun").iterdir()))
