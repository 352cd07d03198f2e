"""The ``azcn`` command. The only package that prints.

``parser`` puts the command line together, ``terminal`` is what all commands print
and read with, and each other module holds a group of commands and describes them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path

from azcn_events.cli.parser import parser
from azcn_events.cli.terminal import complain, stop_printing
from azcn_events.errors import (
    AzcnEventsError,
    IdCollision,
    StoreError,
    TooLarge,
    UndecodableEvent,
)

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code (see ``azcn --help``)."""
    if not _has_streams():
        return 2
    options = parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int | None] = options.run
    _set_up_output(options)
    code: int | None = 0
    try:
        code = run(options)
        sys.stdout.flush()
    except (StoreError, UndecodableEvent) as error:
        complain(error)
        return 1 if isinstance(error, IdCollision | TooLarge) else 3
    except (AzcnEventsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            stop_printing()
            return code or 0
        complain(error)
        return 1
    return code or 0


def _has_streams() -> bool:
    """Say whether there is an output; complaints that nobody hears go nowhere.

    Python has None for a stream that was closed (``2>&-``), and ``print`` then takes
    the other one: a complaint would stand in the middle of a note. Without an output
    something would be stored, and nobody told.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        complain(AzcnEventsError("there is no standard output; > /dev/null drops it"))
    return sys.stdout is not None


def _set_up_output(options: argparse.Namespace) -> None:
    """Never fail over a character; data is UTF-8 wherever it goes."""
    output: object = sys.stdout
    if not isinstance(output, TextIOWrapper):
        return
    if getattr(options, "json", False) or getattr(options, "csv", False):
        output.reconfigure(encoding="utf-8", newline="")
    else:
        output.reconfigure(errors="backslashreplace")
