"""The whole command line, put together from its groups."""

from __future__ import annotations

import argparse
from typing import Final

from azcn_events import __version__
from azcn_events.cli import packs, proofs, questions, records, start, witness
from azcn_events.cli.commands import Commands

__all__ = ["parser"]

_GROUPS: Final = (start, records, questions, proofs, packs, witness)
"""Modules of commands, in the order in which the help lists them."""

_EPILOG: Final = """\
exit codes:
  0  done
  1  refused: a fact, a file of facts, a name or a date; nothing of it was stored;
     or what was verified, looked for or made again is not as it should be
  2  the command line itself is wrong
  3  the ledger cannot be used: missing, foreign, newer, damaged, busy or full

examples:
  azcn demo
  azcn init
  azcn load seeds/2025-04-25-first-article.jsonl
  azcn report pipeline --policy committed --as-of 2025-04-25
  azcn show agreement/cardboard --known-by 2025-04-30
  azcn explain pipeline unallocated USD --column counted
  azcn log --json > copy.jsonl
"""


def parser() -> argparse.ArgumentParser:
    """Make the parser of ``azcn``; ``options.run`` is then what a command does."""
    made = argparse.ArgumentParser(
        prog="azcn",
        description="A ledger of agreements and their milestones: what each source"
        " said, and what follows from it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=__version__)
    commands = Commands(made)
    for group in _GROUPS:
        group.add(commands)
    return made
