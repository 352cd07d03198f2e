"""Campaigns, for longer than a test may take: ``python -m azcn_events.testing.faults``.

``--help`` says which there are. The exit code is 1 if a promise was broken, and 2 if
the command line is wrong.
"""

from __future__ import annotations

import sys
import time
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from azcn_events.errors import AzcnEventsError
from azcn_events.testing.faults.findings import Findings
from azcn_events.testing.faults.io_faults import FAULTS, fail_io
from azcn_events.testing.faults.kills import kill_writers
from azcn_events.testing.faults.openers import FULL, NORMAL
from azcn_events.testing.faults.power_cuts import LONG, cut_power
from azcn_events.testing.faults.system_calls import INJECTIONS, fail_system_calls
from azcn_events.testing.stand_ins import load_opener

__all__ = ["main"]

_OURS: Final[Mapping[str, str]] = {"full": FULL, "normal": NORMAL}

_EXAMPLES: Final = """\
examples:
  python -m azcn_events.testing.faults power-cuts --images 10000
  python -m azcn_events.testing.faults power-cuts --store normal --may-lose
  python -m azcn_events.testing.faults kills --rounds 200 --store my_stores.py:opener
"""

_Runs: TypeAlias = Callable[[str, Namespace], Iterator[tuple[str, Findings]]]
"""Runs what a command asks for on an opener, one campaign after another."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign and print what it found.

    Args:
        arguments: As on a command line; None takes those of this process.

    Returns:
        0 if all promises were kept, 1 if not.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    store: str = options.store
    opener = _OURS.get(store, store)
    try:
        load_opener(opener)
    except (AzcnEventsError, ImportError, OSError) as error:
        parser.error(f"--store: {error}")
    runs: _Runs = options.runs
    allowed = ("lost",) if options.may_lose else ()
    is_kept = True
    begun_s = time.monotonic()
    for title, found in runs(opener, options):
        took_s, begun_s = time.monotonic() - begun_s, time.monotonic()
        print(f"{title}, {store} store, {took_s:.1f} s\n{found}")
        is_kept = is_kept and not found.other_than(*allowed)
    return 0 if is_kept else 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m azcn_events.testing.faults",
        description="Let processes, disks and power fail, and look at the store.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)

    def command(name: str, says: str, runs: _Runs) -> ArgumentParser:
        made = commands.add_parser(name, help=says, description=says)
        made.set_defaults(runs=runs, may_lose=False)
        made.add_argument(
            "--store",
            default="full",
            help="full or normal, our SQLite store with that durability; or"
            " package.module:opener or file.py:opener, an OpenStore of your own"
            " (default full)",
        )
        return made

    cuts = command(
        "power-cuts",
        "Open a store from what a power cut can leave at any moment.",
        _power_cuts,
    )
    _add_count(cuts, "--images", 10_000, "how many images of the disk to try")
    _add_seed(cuts)
    cuts.add_argument(
        "--may-lose",
        action="store_true",
        help="the store does not wait for its disk: what is lost is no failure",
    )
    kills = command("kills", "Kill processes that append, at any moment.", _kills)
    _add_count(kills, "--rounds", 100, "how many processes to kill")
    _add_seed(kills)
    faults = command(
        "io-faults",
        "Let one operation of the disk fail, each in turn, of some thousand.",
        _io_faults,
    )
    _add_count(faults, "--every", 7, "try only each so many-th write")
    calls = command(
        "system-calls",
        "Let one system call fail or be the last, each in turn. Needs strace.",
        _system_calls,
    )
    _add_count(calls, "--every", 1, "try only each so many-th call")
    return parser


def _add_count(parser: ArgumentParser, option: str, default: int, says: str) -> None:
    parser.add_argument(
        option, type=_count, default=default, help=f"{says} (default {default})"
    )


def _add_seed(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, help="another one tries others (default 0)"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"a whole number from 1 is expected, not {text!r}")
    return int(text)


def _power_cuts(opener: str, options: Namespace) -> Iterator[tuple[str, Findings]]:
    store = load_opener(opener)
    found = cut_power(store, count=options.images, seed=options.seed, sessions=LONG)
    yield "power cuts", found


def _kills(opener: str, options: Namespace) -> Iterator[tuple[str, Findings]]:
    yield "kills", kill_writers(opener, rounds=options.rounds, seed=options.seed)


def _io_faults(opener: str, options: Namespace) -> Iterator[tuple[str, Findings]]:
    store = load_opener(opener)
    for fault in FAULTS:
        every = 1 if fault == "sync" else options.every  # There are few syncs.
        found = fail_io(store, fault, every=every, sessions=LONG)
        yield f"{fault} faults", found


def _system_calls(opener: str, options: Namespace) -> Iterator[tuple[str, Findings]]:
    for injection in INJECTIONS:
        yield injection, fail_system_calls(opener, injection, every=options.every)


if __name__ == "__main__":
    sys.exit(main())
