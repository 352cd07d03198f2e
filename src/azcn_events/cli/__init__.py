"""The ``azcn`` command. The only package that prints.

``parser`` puts the command line together, ``terminal`` is what all commands print
and read with, and each other module holds a group of commands and describes them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

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


def _set_up_output(options: argparse.Namespace) -> None:
    """Never fail over a character; data is UTF-8 wherever it goes."""
    output: object = sys.stdout
    if not isinstance(output, TextIOWrapper):
        return
    if getattr(options, "json", False) or getattr(options, "csv", False):
        output.reconfigure(encoding="utf-8", newline="")
    else:
        output.reconfigure(errors="backslashreplace")
