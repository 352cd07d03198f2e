"""Let one system call of a program fail or be its last, every one in turn.

For stores of any kind, as they are: ``strace`` does it from outside.
It is slow, some runs a second, and it needs Linux.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Final, Literal, TypeAlias

from attrs import evolve

from azcn_events.testing.faults import workload
from azcn_events.testing.faults.findings import Findings, Problem
from azcn_events.testing.faults.recorder import quick_scratch
from azcn_events.testing.faults.strace import (
    LIMIT_S,
    ProgramHangs,
    straced,
    traced,
)
from azcn_events.testing.faults.writer import writer_command
from azcn_events.testing.stand_ins import load_opener

__all__ = ["INJECTIONS", "Injection", "fail_system_calls"]

Injection: TypeAlias = Literal["signal=KILL", "error=EIO", "error=ENOSPC"]
"""What happens at the call, in the words of strace(1): the program is killed, the
disk fails, or it is full."""

INJECTIONS: Final[tuple[Injection, ...]] = ("signal=KILL", "error=EIO", "error=ENOSPC")

_CALLS: Final = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
_CALL: Final = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)


def fail_system_calls(
    opener: str,
    injection: Injection,
    *,
    appends: int = 3,
    every: int = 1,
    limit_s: float = LIMIT_S,
) -> Findings:
    """Run a writer once for each call that changes a file, and inject a fault there.

    Args:
        opener: The name of an ``OpenStore``, as ``load_opener`` takes it.
        injection: What happens at the call.
        appends: How many appends each writer makes, >= 1.
        every: Only each so many-th call, >= 1, where all take too long.
        limit_s: How long each writer may take, in seconds.

    Returns:
        What was found in each store when it was opened again. ``tried`` counts the
        faults, and the writers that noticed: that did not end well. A writer that
        does not come to an end is a problem, ``unusable``, and it is the last.

    Raises:
        NoStrace: If ``strace`` is not installed.
        ProgramFailed: If the program fails without a fault, or may not be watched.
        ProgramHangs: If it does not come to an end without a fault.
    """
    open_store = load_opener(opener)
    tried = noticed = 0
    problems: list[Problem] = []
    for call, number in _calls_of(opener, appends, limit_s)[::every]:
        where = f"{injection} at {call} number {number}"
        tried += 1
        with quick_scratch() as directory:
            command = writer_command(opener, directory, appends)
            options = ["-o", os.devnull, "-e", f"trace={call}"]
            fault = ["-e", f"inject={call}:{injection}:when={number}"]
            try:
                ended = straced([*options, *fault], command, limit_s=limit_s)
            except ProgramHangs as hangs:
                problems.append(Problem("unusable", str(hangs), where))
                break
            noticed += ended.code != 0
            acknowledged = [int(line) for line in ended.lines]
            found = workload.problems_on_opening(open_store, directory, acknowledged)
        problems += [evolve(problem, where=where) for problem in found]
    return Findings({"faults": tried, "noticed": noticed}, problems)


def _calls_of(opener: str, appends: int, limit_s: float) -> list[tuple[str, int]]:
    """Give the calls of a writer without a fault: names, and numbers from 1."""
    with quick_scratch() as directory:
        command = writer_command(opener, directory, appends)
        _, trace = traced(",".join(_CALLS), command, limit_s=limit_s)
    counts = Counter(_CALL.findall(trace))
    return [(call, n) for call in _CALLS for n in range(1, counts[call] + 1)]
