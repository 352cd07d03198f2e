"""Other programs and what they ask of the operating system, by ``strace``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from attrs import define, frozen

from azcn_events.errors import AzcnEventsError
from azcn_events.testing.stand_ins import scratch

__all__ = [
    "LIMIT_S",
    "Ended",
    "NoStrace",
    "ProgramFailed",
    "ProgramHangs",
    "has_strace",
    "straced",
    "traced",
]

LIMIT_S: Final = 120.0
"""How long a program may take under ``strace``, in seconds."""
_ERROR_SHOWN: Final = 300


class NoStrace(AzcnEventsError):
    """The program ``strace``, which watches system calls, is not installed."""

    def __str__(self) -> str:
        return (
            "strace is not installed, and it exists for Linux only; what needs no"
            " strace: acknowledgements(recorded_work(...)), fail_io, cut_power"
        )


@frozen
class Ended:
    """A program that has come to its end.

    Attributes:
        lines: What it printed; a line that is not complete is not among them.
        code: Its exit code; negative for the signal that ended it.
        error: What it printed to its standard error.
    """

    lines: tuple[str, ...]
    code: int
    error: str


@define
class ProgramFailed(AzcnEventsError):
    """A program that should have come to a good end did not.

    Attributes:
        command: The program and its arguments.
        code: Its exit code; negative for the signal that ended it.
        error: The end of what it printed to its standard error.
    """

    command: tuple[str, ...]
    code: int
    error: str

    def __str__(self) -> str:
        return (
            f"{' '.join(self.command)} ended with {self.code}, not 0, before any fault"
            f" was made; it said: {self.error or 'nothing'}"
        )


@define
class ProgramHangs(AzcnEventsError):
    """A program did not come to an end, and was ended.

    Attributes:
        command: The program and its arguments.
        limit_s: How long it was waited for, in seconds.
    """

    command: tuple[str, ...]
    limit_s: float

    def __str__(self) -> str:
        return (
            f"{' '.join(self.command)} was still at work after {self.limit_s:g} s, and"
            " was ended; does it try again what fails, or wait for something?"
        )


def has_strace() -> bool:
    """Say whether ``strace`` is installed."""
    return shutil.which("strace") is not None


def straced(
    options: Sequence[str], command: Sequence[str], *, limit_s: float = LIMIT_S
) -> Ended:
    """Run a program and its children under ``strace``, to the end.

    Args:
        options: What to watch, as ``strace`` takes it.
        command: The program. It finds what this process can import.
        limit_s: How long it may take, in seconds.

    Raises:
        NoStrace: If ``strace`` is not installed.
        ProgramHangs: If it takes longer; it and its children are ended.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise NoStrace
    with subprocess.Popen(  # noqa: S603 - the command is the tester's own
        [strace, "-f", *options, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    ) as process:
        try:
            said, error = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise ProgramHangs(tuple(command), limit_s) from None
        finally:
            if process.poll() is None:
                # Of strace alone the program would not notice the end.
                os.killpg(process.pid, signal.SIGKILL)
    *lines, _ = said.split("\n")
    return Ended(tuple(lines), process.returncode, error.strip())


def traced(
    calls: str, command: Sequence[str], *, limit_s: float = LIMIT_S
) -> tuple[Ended, str]:
    """Run a program to a good end, and give what it asked of the operating system.

    Args:
        calls: The system calls to watch, with commas between them.
        command: As for ``straced``.
        limit_s: Likewise.

    Returns:
        The program, and a line for each call: process, name, arguments, result.

    Raises:
        NoStrace: If ``strace`` is not installed.
        ProgramFailed: If the program fails, or may not be watched.
        ProgramHangs: If it does not come to an end.
    """
    with scratch() as directory:
        trace = directory / "trace"
        options = ["-o", str(trace), "-e", f"trace={calls}"]
        ended = straced(options, command, limit_s=limit_s)
        if ended.code:
            shown = ended.error[-_ERROR_SHOWN:]
            raise ProgramFailed(tuple(command), ended.code, shown)
        return ended, trace.read_text(errors="replace")
