"""Measure the package against the raw limit of the machine, and against a peer.

python -m benchmarks                    every case, some minutes
python -m benchmarks --quick            a look: tiny sizes, figures mean little
python -m benchmarks --only replay      one case; may be given several times
python -m benchmarks --json FILE        keep the raw figures as well
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from attrs import asdict
from benchmarks import audit, cases, leaf, measure
from benchmarks.measure import Figure

CASES = {**cases.CASES, **leaf.CASES, **audit.CASES}


def main(arguments: list[str]) -> int:
    """Run the cases asked for and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--only", action="append", choices=tuple(CASES))
    parser.add_argument("--json", type=Path, help="keep the raw figures here")
    parser.add_argument("--dir", help="where the ledgers are made: the disk to measure")
    asked = parser.parse_args(arguments)
    sizes = cases.QUICK if asked.quick else cases.FULL
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=asked.dir) as directory:
        bench = cases.Bench(sizes, Path(directory))
        about = measure.machine(bench.directory)
        probes = 20 if asked.quick else 200
        about["fsync_us_before"] = measure.fsync_us(bench.directory, probes)
        _introduce(about)
        started = time.monotonic()
        for name in asked.only or CASES:
            for figure in CASES[name](bench):
                if not figures or figures[-1].case != figure.case:
                    print()
                figures.append(figure)
                print(_line(figure), flush=True)
        about["fsync_us_after"] = measure.fsync_us(bench.directory, probes)
        about["seconds"] = round(time.monotonic() - started)
    print(f"\nfsync after: {_spread(about['fsync_us_after'])}; {about['seconds']} s")
    for what, found in bench.notes.items():
        if what.startswith("pragmas"):
            print(f"{what}: {', '.join(f'{k}={v}' for k, v in found.items())}")
    if asked.json:
        kept = {"machine": about, "notes": bench.notes, "figures": []}
        for figure in figures:
            kept["figures"].append({**asdict(figure), "ratio": figure.ratio})
        asked.json.write_text(json.dumps(kept, indent=1), "utf-8")
    return 0


def _introduce(about: dict[str, Any]) -> None:
    packages = ", ".join(f"{name} {v}" for name, v in about["packages"].items() if v)
    print(f"{about['processor']}, {about['cores']} cores, {about['system']}")
    print(f"Python {about['python']}, SQLite {about['sqlite_of_apsw']}, {packages}")
    print(f"fsync before: {_spread(about['fsync_us_before'])}", end="")
    print(f", on {about['file_system'] or 'an unknown file system'}")
    if about["file_system"] in {"tmpfs", "ramfs"}:
        print("THIS IS A MEMORY FILE SYSTEM: durable figures mean nothing; use --dir")
    if cases.PEER is None:
        print("SKIPPED: eventsourcing is not installed (dependency group 'bench')")
    print()
    print(_HEADER)


def _spread(probe: dict[str, float]) -> str:
    return f"{probe['median']:.0f} us ({probe['min']:.0f}..{probe['max']:.0f})"


_HEADER = (
    f"{'case':32} {'who':28} {'CPU':>8} {'wall':>8} {'unit':10}"
    f" {'x raw':>6} {'x wall':>6}  {'CPU min..max':16} target"
)

_VERDICTS = {True: "pass", False: "FAIL", None: "not run"}


def _line(figure: Figure) -> str:
    cpu = f"{statistics.median(figure.cpu):.2f}"
    wall = f"{statistics.median(figure.wall):.2f}" if figure.wall else ""
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    slower = "" if figure.wall_ratio is None else f"{figure.wall_ratio:.2f}"
    noise = f"{min(figure.cpu):.2f}..{max(figure.cpu):.2f}"
    verdicts = "; ".join(
        f"{_VERDICTS[reached]} ({words})" for words, reached in figure.verdicts
    )
    return (
        f"{figure.case:32} {figure.name:28} {cpu:>8} {wall:>8} {figure.unit:10}"
        f" {ratio:>6} {slower:>6}  {noise:16} {verdicts}"
    ).rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
