"""Other processes for the tests of stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define

CHILD = Path(__file__).with_name("child.py")


@define(eq=False)
class Child:
    """Another process that does one of the tasks of ``child.py``."""

    process: subprocess.Popen[str]

    def hears(self) -> Any:
        """Wait for the next thing that it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.endswith("\n"), f"a child ended with {self.process.wait()}"
        return json.loads(line)

    def go(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ends(self) -> Any:
        """Wait for its last word and its end."""
        out, _ = self.process.communicate(timeout=120)
        assert 0 == self.process.returncode
        return json.loads(out.splitlines()[-1])

    def killed(self) -> list[Any]:
        """Kill it without warning; give all that it had said."""
        self.process.kill()
        out, _ = self.process.communicate(timeout=60)
        return [
            json.loads(line)
            for line in out.splitlines(keepends=True)
            if line[-1:] == "\n"
        ]


StartChild = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[StartChild]:
    """Give a starter of children: they are ready when it returns, and end with us."""
    children: list[Child] = []

    def started(*task: object) -> Child:
        process = subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        children.append(Child(process))
        assert "ready" == children[-1].hears()
        return children[-1]

    yield started
    for child in children:
        if child.process.poll() is None:
            child.process.kill()
        child.process.communicate()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a directory that everybody may write: pytest closes those above its own."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o777)
        yield folder
        folder.chmod(0o777)
