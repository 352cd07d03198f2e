"""Kill a writing process at any moment, again and again, on the same data.

What this shows: an acknowledged append was handed to the operating system, and no
batch is torn. What it cannot show: that it would survive a power cut, since the
operating system lives on with all that it was given. For that, see ``power_cuts``
and ``syncs``.
"""

from __future__ import annotations

import os
import random  # noqa: TID251 - seeded: it chooses the moments
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from attrs import evolve, frozen

from azcn_events.testing.faults import workload
from azcn_events.testing.faults.findings import Findings, Problem
from azcn_events.testing.faults.writer import writer_command
from azcn_events.testing.stand_ins import load_opener, scratch

__all__ = ["CheckLines", "kill_loop", "kill_writers"]

CheckLines: TypeAlias = Callable[[Sequence[str]], Iterable[Problem]]
"""Looks at the data after a kill, given every line that was acknowledged so far."""

_ERROR_SHOWN: Final = 200
_LOOK_S: Final = 0.001


def kill_writers(
    opener: str, *, rounds: int = 20, longest_s: float = 0.05, seed: int = 0
) -> Findings:
    """Kill processes that append to a store, and read the store after each.

    Args:
        opener: The name of an ``OpenStore``, as ``load_opener`` takes it: another
            process must find it.
        rounds: How many processes are killed, >= 1, one after another.
        longest_s: See ``kill_loop``.
        seed: Another seed kills at other moments.
    """
    open_store = load_opener(opener)
    with scratch() as directory:

        def check(lines: Sequence[str]) -> list[Problem]:
            told = [int(line) for line in lines]
            return workload.problems_on_opening(open_store, directory, told)

        command = writer_command(opener, directory)
        return kill_loop(command, check, rounds=rounds, longest_s=longest_s, seed=seed)


def kill_loop(
    command: Sequence[str],
    check: CheckLines,
    *,
    rounds: int = 20,
    longest_s: float = 0.05,
    seed: int = 0,
    limit_s: float = 60.0,
) -> Findings:
    """Start a writer, kill it at some moment, check what it left; and again.

    Every other time it is killed at a moment between its start and its first line,
    so that the opening of what the last one left is interrupted, too.

    Args:
        command: A program that goes on with the data of the one before. It prints
            a line for each append, all at once, when that is acknowledged and not
            earlier. It finds what this process can import.
        check: Called after each kill.
        rounds: How many processes are killed, >= 1.
        longest_s: Seconds that a writer may go on after its first line, >= 0.
        seed: Another seed kills at other moments.
        limit_s: Seconds that a writer may take until its first line.

    Returns:
        What was found. ``tried`` counts the rounds, the lines and the kills: less
        than the rounds if a writer came to its end before. A writer that fails of
        its own accord is a problem, ``unusable``; so is one that prints nothing
        within the limit, and it is the last.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    lines: list[str] = []
    problems: list[Problem] = []
    begun = kills = 0
    first_line_s = 0.0
    for number in range(rounds):
        wait_s = chance.random() * (first_line_s if number % 2 else longest_s)
        killed = _killed(command, wait_s, limit_s, is_early=number % 2 == 1)
        first_line_s = killed.first_line_s or first_line_s
        lines += killed.lines
        begun += 1
        kills += killed.is_killed
        where = f"round {number}, seed {seed}, killed after {len(lines)} lines"
        problems += [evolve(one, where=where) for one in killed.problems()]
        if killed.is_silent:  # What hangs a writer would hang the check as well.
            break
        problems += [evolve(one, where=where) for one in check(lines)]
    tried = {"rounds": begun, "kills": kills, "acknowledged": len(lines)}
    return Findings(tried, problems)


@frozen
class _Killed:
    """What is left of a process.

    Attributes:
        lines: What it printed; a line that is not complete is not among them.
        is_killed: Whether it was still at work.
        code: How it ended, if it was not killed.
        error: What it printed to its standard error.
        first_line_s: Seconds until its first line; 0 if nobody waited for that.
        limit_s: Seconds that it had for that.
    """

    lines: list[str]
    is_killed: bool
    code: int
    error: str
    first_line_s: float
    limit_s: float

    @property
    def is_silent(self) -> bool:
        """Whether it had its time to print a line, and printed none."""
        return self.first_line_s > self.limit_s and not self.lines

    def problems(self) -> list[Problem]:
        if self.is_silent:
            detail = f"the writer printed no line in {self.limit_s:g} s; does it hang?"
            return [Problem("unusable", detail)]
        if self.is_killed or self.code == 0:
            return []
        shown = self.error.strip()[-_ERROR_SHOWN:]
        return [Problem("unusable", f"the writer ended with {self.code}: {shown}")]


def _killed(
    command: Sequence[str], wait_s: float, limit_s: float, *, is_early: bool
) -> _Killed:
    """Start a process and kill it: soon, or some time after its first line."""
    first_line_s, is_killed = 0.0, False
    with scratch() as directory:
        # Files, not pipes: nothing that it does or leaves undone can block us.
        said, error = directory / "said", directory / "error"
        with (
            said.open("wb") as out,
            error.open("wb") as err,
            subprocess.Popen(  # noqa: S603 - the command is the tester's own
                command,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            ) as process,
        ):
            try:
                if not is_early:
                    first_line_s = _first_line_s(process, said, limit_s)
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                is_killed = True
            finally:
                process.kill()
        *lines, _ = said.read_bytes().decode().split("\n")
        words = error.read_bytes().decode(errors="replace")
    code = process.returncode
    return _Killed(lines, is_killed, code, words, first_line_s, limit_s)


def _first_line_s(
    process: subprocess.Popen[bytes], said: Path, limit_s: float
) -> float:
    """Wait for a line, for the process's end or for the limit; give the seconds."""
    begun_s = time.monotonic()
    waited_s = 0.0
    while waited_s <= limit_s and b"\n" not in said.read_bytes():
        if process.poll() is not None:
            break
        time.sleep(_LOOK_S)
        waited_s = time.monotonic() - begun_s
    return waited_s
