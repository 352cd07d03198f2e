"""How a group of commands describes itself to the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

__all__ = ["Commands"]


class Commands:
    """The commands so far, and the options that several of them take.

    Attributes:
        axes: ``--as-of`` and ``--known-by``.
        form: ``--json`` or ``--csv``.
        ledger: ``--ledger``.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands: Any = parser.add_subparsers(metavar="COMMAND", required=True)
        self.axes, self.form, self.ledger = _axes(), _form(), _ledger()

    def add(
        self,
        name: str,
        run: Callable[[argparse.Namespace], int | None],
        text: str,
        example: str,
        *parents: argparse.ArgumentParser,
    ) -> argparse.ArgumentParser:
        """Add a command.

        Args:
            name: What is typed.
            run: What it does; it prints, and raises what it cannot do. It may
                give an exit code.
            text: What it does, in words that begin small.
            example: A whole command line.
            parents: The options that it has in common with others.

        Returns:
            Its parser, for its own options.
        """
        made: argparse.ArgumentParser = self._commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example: {example}",
            parents=list(parents),
        )
        # None is the type of all that asks for no other; a value that may be empty
        # asks for ``str``.
        made.register("type", None, _filled)
        made.set_defaults(run=run)
        return made


def _filled(text: str) -> str:
    """Refuse an empty value, which a variable that is not set leaves in a script."""
    if not text:
        raise argparse.ArgumentTypeError("this is empty: fill it in, or leave it out")
    return text


def _axes() -> argparse.ArgumentParser:
    axes = argparse.ArgumentParser(add_help=False)
    axes.add_argument("--as-of", metavar="DATE", help="count what was true by this day")
    axes.add_argument(
        "--known-by",
        metavar="DATE",
        help="count what was recorded by then: a day, or a date-time with a zone",
    )
    return axes


def _form() -> argparse.ArgumentParser:
    form = argparse.ArgumentParser(add_help=False)
    choice = form.add_mutually_exclusive_group()
    choice.add_argument("--json", action="store_true", help="print JSON")
    choice.add_argument("--csv", action="store_true", help="print CSV")
    return form


def _ledger() -> argparse.ArgumentParser:
    ledger = argparse.ArgumentParser(add_help=False)
    ledger.add_argument(
        "--ledger",
        metavar="URL",
        type=str,  # The store says what is wrong with it.
        default=os.environ.get("AZCN_LEDGER", "azcn.db"),
        help="a SQLite file (default: AZCN_LEDGER or azcn.db)",
    )
    return ledger
