"""A fresh process that replays a log once and says how much memory that took."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import raw
from benchmarks.cases import FOLD
from benchmarks.measure import peak_mib

from azcn_events.ledger import Ledger
from azcn_events.stores import sqlite

__all__ = ["main"]


def main(who: str, path: str) -> None:
    """Replay as *who*, ``"ours"`` or ``"raw"``, and print JSON."""
    assert sqlite  # The driver is part of the base.
    base = peak_mib()
    states: Mapping[Any, Mapping[str, Any]]
    if who == "ours":
        with Ledger.open(path) as ledger:
            states = ledger.fold(FOLD).value
    else:
        states = raw.fold_all(raw.open_reader(Path(path)))
    peak = peak_mib()
    found = {
        "base_mib": base,
        "peak_mib": peak,
        "fold_mib": _size(states) / 2**20,
        "streams": len(states),
        "events": sum(state["facts"] for state in states.values()),
    }
    print(json.dumps(found))


def _size(states: Mapping[Any, Mapping[str, Any]]) -> int:
    """Sum up what a fold keeps, shared objects once."""
    seen: dict[int, int] = {id(states): sys.getsizeof(states)}
    for stream, state in states.items():
        for kept in (stream, state, *state.values()):
            seen[id(kept)] = sys.getsizeof(kept)
            for name in getattr(type(kept), "__attrs_attrs__", ()):
                part = getattr(kept, name.name)
                seen[id(part)] = sys.getsizeof(part)
    return sum(seen.values())


if __name__ == "__main__":
    main(*sys.argv[1:])
