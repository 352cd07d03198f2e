"""The benchmark still runs. How fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = {
    "1 a commit, full",
    "1 a commit, normal",
    "100 a commit, full",
    "100 a commit, normal",
    "1000 a commit, normal",
    "load 20, typed",
    "load 20, state",
    "replay 2,000",
    "replay 4,000",
    "peak memory 2,000",
    "peak memory 4,000",
    "start, over a bare interpreter",
    "leaves, store.append",
    "leaves, codec.encode + store.append",
    "leaves, ledger.record_all",
    "verify 2,000",
    "verify 4,000",
    "a proof of 4,000",
    "verify, peak memory 2,000",
    "verify, peak memory 4,000",
}


@pytest.mark.skipif(sys.platform == "win32", reason="it asks POSIX for CPU times")
def test_the_table_has_all_cases_each_with_its_limit(tmp_path: Path) -> None:
    """One command measures everything, also where the peer is not installed."""
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    kept = tmp_path / "figures.json"
    done = subprocess.run(
        [*command, "--dir", tmp_path, "--json", kept],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(kept.read_text("utf-8"))["figures"]
    assert CASES == {figure["case"] for figure in figures}
    assert all(figure["case"] in done.stdout for figure in figures)
    assert all(figure["cpu"] for figure in figures)
    compared = {figure["case"] for figure in figures if figure["ratio"]}
    assert CASES - {"start, over a bare interpreter"} == compared


def test_the_kit_has_its_rates() -> None:
    """One command measures every rate of the kit beside its limit."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kit", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line[:20].strip() for line in done.stdout.splitlines()[1:]]
    assert ["explorer", "histories", "logs", "projection laws"] == names[:4]
    assert ["machine, in memory", "checker of races", "exhaustive checker"] == names[4:]
