"""Commands to begin with: the demonstration, an empty ledger, the rules."""

from __future__ import annotations

import argparse
import sys

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import open_ledger, print_lines, say, width

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add ``demo``, ``init`` and ``diagram``."""
    commands.add(
        "demo",
        _demo,
        "tell the seed's history, then and now",
        "azcn demo",
        commands.axes,
    )
    commands.add("init", _init, "make an empty ledger", "azcn init", commands.ledger)
    diagram = commands.add(
        "diagram", _diagram, "draw the lifecycle (Mermaid text)", "azcn diagram --dot"
    )
    diagram.add_argument("--dot", action="store_true", help="for Graphviz instead")


def _demo(options: argparse.Namespace) -> None:
    from azcn_events.demo import seed_files, sentences, told  # noqa: PLC0415 - see open_ledger

    wide, day = width(), "2025-04-25"
    first, *later = seed_files()
    with open_ledger("memory:", create=True) as ledger:
        ledger.load(first)
        then = told(ledger.view(known_by=day), wide)
        for path in later:
            ledger.load(path)
        if options.as_of or options.known_by:
            view = ledger.view(as_of=options.as_of, known_by=options.known_by)
            print(told(view, wide))
            return
        print(f"== From the first article alone: known by {day} ==\n\n{then}\n")
        print("== With everything known ==\n")
        now, before = ledger.view(), ledger.view(known_by=day)
        print_lines(sentences(now))
        print(f"\n{now.report('package').text(wide)}")
        print(f"\n{now.report('changes', before=before).text(wide)}\n")
        same = told(before, wide) == then
        verdict = "is byte for byte" if same else "IS NOT"
        print(f"The view of {day} {verdict} what it was before the later news.")


def _init(options: argparse.Namespace) -> None:
    with open_ledger(options.ledger, create=True) as ledger:
        count = ledger.store.head()
    state = f"{count} records" if count else "empty"
    say(f"{options.ledger} is a ledger ({state})")


def _diagram(options: argparse.Namespace) -> None:
    from azcn_events.core import diagram  # noqa: PLC0415 - see open_ledger
    from azcn_events.investment.lifecycle import INVESTMENT  # noqa: PLC0415 - see open_ledger

    draw = diagram.dot if options.dot else diagram.mermaid
    sys.stdout.write(draw(INVESTMENT))
