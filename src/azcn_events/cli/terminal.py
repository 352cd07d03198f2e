"""What the commands share: a ledger to open, and ways to print and to read."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from azcn_events.errors import AzcnEventsError

__all__ = [
    "complain",
    "hand_out",
    "open_ledger",
    "print_lines",
    "print_table",
    "progress",
    "read_named",
    "read_note",
    "read_policy",
    "say",
    "stop_printing",
    "tell",
    "text_input",
    "width",
]


def open_ledger(url: str, *, create: bool = False) -> Any:  # noqa: ANN401 - a Ledger
    """Open a ledger; its code is imported here, so that ``--help`` stays quick."""
    from azcn_events.ledger import Ledger  # noqa: PLC0415 - see above

    return Ledger.open(url, create=create)


def text_input() -> Any:  # noqa: ANN401 - a text stream
    """Give the standard input.

    Raises:
        AzcnEventsError: If there is none.
    """
    if sys.stdin is None:
        raise AzcnEventsError("there is no input to read")
    return sys.stdin


def read_named(path: str, bytes_max: int) -> bytes:
    """Read a file that was named, and one byte more than it may have at most.

    Whoever reads what is in it says that it is too long.

    Raises:
        OSError: If it cannot be read, or is no file: a pipe would be waited for, and
            a device may have no end.
    """
    from azcn_events.audit.files import read_regular  # noqa: PLC0415 - see open_ledger

    data, _ = read_regular(path, bytes_max)
    return data


def read_note(path: str) -> Any:  # noqa: ANN401 - a Note
    """Read a note's file."""
    from azcn_events.audit.notes import (  # noqa: PLC0415 - see open_ledger
        NOTE_BYTES_MAX,
        parse_note,
    )

    return parse_note(read_named(path, NOTE_BYTES_MAX))


def read_policy(path: str) -> Any:  # noqa: ANN401 - a Policy
    """Read a policy's file."""
    from azcn_events.audit.policy import (  # noqa: PLC0415 - see open_ledger
        POLICY_BYTES_MAX,
        parse_policy,
    )

    return parse_policy(read_named(path, POLICY_BYTES_MAX), path)


def say(text: str, *, file: Any = None) -> None:  # noqa: ANN401 - a text stream
    """Print text that may come from anywhere: it cannot act on the terminal."""
    from azcn_events.reports.render import visible  # noqa: PLC0415 - see open_ledger

    shown = visible(text, keep="\n")
    if file is None:
        tell(shown)
    else:
        print(shown, file=file)


def complain(error: Exception) -> None:
    """Say on the standard error what went wrong."""
    say(f"azcn: {error}", file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that may come from anywhere."""
    for line in lines:
        say(line)


def print_table(table: Any, options: argparse.Namespace) -> None:  # noqa: ANN401 - a Table
    """Print a table in the form that was asked for."""
    if options.json:
        tell(table.json())
    elif options.csv:
        tell(table.csv(), end="")
    else:
        tell(table.text(width()))


def tell(text: str, *, end: str = "\n") -> None:
    """Print what was found; if the reader has gone, it is found all the same."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        stop_printing()


def hand_out(data: bytes) -> None:
    """Print what others check byte by byte: notes, proofs, public keys.

    As it is, in whatever encoding the terminal is, and with no line end changed; if
    the reader has gone, it was made all the same.
    """
    output: Any = sys.stdout
    try:
        output.flush()
        if hasattr(output, "buffer"):
            output.buffer.write(data)
        else:  # A program has put a stream of text in its place.
            output.write(data.decode())
        output.flush()
    except BrokenPipeError:
        stop_printing()


def stop_printing() -> None:
    """Have nothing more reach a reader that has gone (``azcn log | head``)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress(lines: int) -> None:
    """Show how many lines are read, if somebody is looking."""
    if sys.stderr.isatty():
        print(f"\r{lines:,} lines read", end="", file=sys.stderr, flush=True)


def width() -> int:
    """Give the columns of characters that the terminal has; 120 if nobody says."""
    return shutil.get_terminal_size((120, 24)).columns
