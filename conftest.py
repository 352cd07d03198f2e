"""Run every Python example of README.md and docs as a test.

Each page is one story: its examples share their names, and no other page sees
them. A page is run in a temporary directory, so that a ledger it makes is gone
when the page ends.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


def _enter(names: dict[str, Any]) -> None:
    names["__here__"] = (Path.cwd(), tempfile.TemporaryDirectory())
    os.chdir(names["__here__"][1].name)


def _leave(names: dict[str, Any]) -> None:
    before, directory = names.pop("__here__")
    os.chdir(before)
    directory.cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],  # in what pytest is told to look at: README.md and docs
    setup=_enter,
    teardown=_leave,
).pytest()
