"""Have everything that reads read hostile bytes: ``python -m tests.hostile``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from tests.audit.packs import campaign_on_bytes, campaign_on_events
from tests.hostile.parsers import PARSERS, SECONDS_MAX, campaign


def main(arguments: list[str]) -> int:
    """Print what became of the inputs, by parser; 1 if one of them took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--inputs", type=int, default=20_000, help="of each cheap one")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    began, slowest = process_time(), 0.0
    sys.stdout.write("read                    inputs    taken  refused  slowest (ms)\n")
    for one in PARSERS:
        tally = campaign(one, asked.inputs, asked.seed)
        slowest = max(slowest, tally.slowest_s)
        sys.stdout.write(
            f"{one.name:<22}{tally.inputs:>8}{tally.taken:>9}"
            f"{tally.refused.total():>9}{tally.slowest_s * 1000:>14.1f}\n"
        )
    packs = max(1, asked.inputs // 50)
    with TemporaryDirectory() as made:
        changed = campaign_on_bytes(packs, _folder(made, "bytes"), asked.seed)
        evil = campaign_on_events(packs, _folder(made, "events"), asked.seed)
    sys.stdout.write(f"packs with a changed file: {changed}\n")
    sys.stdout.write(f"packs of events that nobody would record: {evil}\n")
    sys.stdout.write(f"{process_time() - began:.0f} s of CPU\n")
    return int(slowest > SECONDS_MAX)


def _folder(place: str, name: str) -> Path:
    path = Path(place) / name
    path.mkdir()
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
