"""Runs of the kit whose other processes never come to an end; they leave a mark."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from azcn_events.core.events import Recorded
from azcn_events.core.projection import Projection
from azcn_events.stores.protocol import Store
from azcn_events.testing.concurrency import concurrent_anomalies, tail_anomalies
from azcn_events.testing.laws import check_laws
from azcn_events.testing.laws.processes import same_in_every_process
from azcn_events.testing.stand_ins import on_sqlite

MARKS: Final = "AZCN_TEST_MARKS"
"""The variable that names the directory for the marks."""

AWAY_SEEDS: Final = ("1", "2", "3")
"""The seeds for hashes that other processes are given."""


def clients_that_hang() -> None:
    """Have three clients that never get their stores."""
    concurrent_anomalies(_hanging, clients=3)


def clients_at_work() -> None:
    """Have three clients that take an hour."""
    concurrent_anomalies(_working, clients=3, operations=10**6)


def a_follower() -> None:
    """Have two writers that take an hour, and one who follows them."""
    tail_anomalies(_working, writers=2, appends=10**6)


def a_step_elsewhere() -> None:
    """Have three other processes compute a value; the first of them hangs."""
    check_laws(WAITING, laws=[same_in_every_process], examples=5)


def _hanging(_directory: Path, _clock: Callable[[], int]) -> Store:
    _mark()
    time.sleep(600)
    raise AssertionError("a process was left behind")


def _working(directory: Path, clock: Callable[[], int]) -> Store:
    _mark()
    return on_sqlite(directory, clock)


def _mark() -> None:
    (Path(os.environ[MARKS]) / str(os.getpid())).touch()


def _wait_elsewhere(count: int, _record: Recorded) -> int:
    if os.environ.get("PYTHONHASHSEED") in AWAY_SEEDS:
        _mark()
        time.sleep(600)
    return count + 1


def _exit_elsewhere(count: int, _record: Recorded) -> int:
    if os.environ.get("PYTHONHASHSEED") in AWAY_SEEDS:
        raise SystemExit(3)
    return count + 1


def _die_elsewhere(count: int, _record: Recorded) -> int:
    if os.environ.get("PYTHONHASHSEED") in AWAY_SEEDS:
        os._exit(7)
    return count + 1


WAITING: Final = Projection("waiting", start=int, step=_wait_elsewhere)
EXITING: Final = Projection("exiting", start=int, step=_exit_elsewhere)
DYING: Final = Projection("dying", start=int, step=_die_elsewhere)
