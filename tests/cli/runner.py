"""How the tests run commands: in this process by ``run``, or in one of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["Run", "in_process"]

Run = Callable[..., tuple[int, str, str]]
"""Runs a command of ``azcn``: gives its exit code, its output, its errors."""


def in_process(
    *words: object, at: Path, **more: object
) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    program = "import sys; from azcn_events.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, cwd=at, capture_output=True, check=False, **more)  # type: ignore[call-overload,no-any-return] # handed on
