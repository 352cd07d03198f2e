"""Turns, clocks and what the machine is: how a figure comes about.

Contestants take turns in one process, so that a busy moment of the machine hits
all of them alike; each turn gives one ratio to the raw limit. A figure is a median
over the turns.
"""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import apsw
from attrs import Factory, define, frozen

__all__ = [
    "RAW",
    "Contestant",
    "Figure",
    "Target",
    "compete",
    "fsync_us",
    "machine",
    "pragmas",
]

RAW: Final = "raw limit"


@frozen
class Target:
    """What a figure is measured by: ``at most`` or ``at least`` so many times.

    Attributes:
        times: The ratio of CPU time.
        against: The contestant's name.
        faster: Whether we must be ``times`` faster; else at most as much slower.
    """

    times: float
    against: str = RAW
    faster: bool = False

    def __str__(self) -> str:
        if self.faster:
            return f"{self.against} >= {self.times:g} x ours"
        return f"<= {self.times:g} x {self.against}"


@frozen
class Contestant:
    """One way to do a case's work.

    Attributes:
        name: Its name; the one called ``RAW`` is the limit.
        run: Does the work of one turn, timed.
        prepare: Makes the input of a turn, not timed.
        targets: What it must reach.
    """

    name: str
    run: Callable[[Any], object]
    prepare: Callable[[int], Any] = lambda turn: turn
    targets: tuple[Target, ...] = ()


@define
class Figure:
    """One line of the table.

    Attributes:
        case: The case, such as ``"append 100 a commit, normal"``.
        name: Who.
        unit: Of what ``cpu`` and ``wall`` are, such as ``"us/event"``.
        cpu: CPU time of each turn.
        wall: Elapsed time of each turn; empty if it was not measured.
        raw_cpu: The limit's CPU time in the same turns; empty if there is none.
        raw_wall: Likewise, elapsed.
        verdicts: Each target in words, and whether it is reached; None if it
            could not be measured.
    """

    case: str
    name: str
    unit: str
    cpu: list[float]
    wall: list[float] = Factory(list)
    raw_cpu: list[float] = Factory(list)
    raw_wall: list[float] = Factory(list)
    verdicts: list[tuple[str, bool | None]] = Factory(list)

    @property
    def ratio(self) -> float | None:
        """CPU time in times of the limit's: the median over the turns."""
        return _ratio(self.cpu, self.raw_cpu)

    @property
    def wall_ratio(self) -> float | None:
        """Elapsed time, likewise."""
        return _ratio(self.wall, self.raw_wall)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    if not theirs:
        return None
    return statistics.median(
        mine / its if its else 1.0 for mine, its in zip(ours, theirs, strict=True)
    )


def compete(
    case: str,
    contestants: Sequence[Contestant],
    *,
    turns: int,
    count: int,
    unit: str = "us/event",
) -> list[Figure]:
    """Let contestants do the same work in turns.

    Args:
        case: The case's name.
        contestants: Who; the order changes from turn to turn.
        turns: How often each; the first, which warms up, is not counted.
        count: Units of work of one turn.
        unit: The unit, for the table.

    Returns:
        A figure for each contestant, in the order given.
    """
    cpu: dict[str, list[float]] = {one.name: [] for one in contestants}
    wall: dict[str, list[float]] = {one.name: [] for one in contestants}
    for turn in range(turns + 1):
        first = turn % len(contestants)
        for one in [*contestants[first:], *contestants[:first]]:
            given = one.prepare(turn)
            gc.collect()
            started, worked = time.perf_counter(), time.process_time()
            result = one.run(given)
            worked, started = (
                time.process_time() - worked,
                time.perf_counter() - started,
            )
            del result, given
            if turn:
                cpu[one.name].append(worked / count * 1e6)
                wall[one.name].append(started / count * 1e6)
    return [
        Figure(
            case,
            one.name,
            unit,
            cpu[one.name],
            wall[one.name],
            cpu.get(RAW, []),
            wall.get(RAW, []),
            [_verdict(target, cpu[one.name], cpu) for target in one.targets],
        )
        for one in contestants
    ]


def _verdict(
    target: Target, ours: list[float], all_cpu: dict[str, list[float]]
) -> tuple[str, bool | None]:
    theirs = all_cpu.get(target.against)
    if theirs is None:
        return str(target), None
    if target.faster:
        reached = _ratio(theirs, ours) or 0.0
        return f"{target}: {reached:.2f}", reached >= target.times
    reached = _ratio(ours, theirs) or 0.0
    return f"{target}: {reached:.2f}", reached <= target.times


def fsync_us(directory: Path, times: int) -> dict[str, float]:
    """Probe the disk: microseconds to append 4 KiB to a file and fsync it."""
    path = directory / "fsync-probe"
    block, took = os.urandom(4096), list[float]()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _ in range(times):
            started = time.perf_counter()
            os.write(file, block)
            os.fsync(file)
            took.append((time.perf_counter() - started) * 1e6)
    finally:
        os.close(file)
        path.unlink()
    return {
        "median": round(statistics.median(took), 1),
        "min": round(min(took), 1),
        "max": round(max(took), 1),
    }


def pragmas(connection: Any) -> dict[str, Any]:  # noqa: ANN401 - apsw's or sqlite3's
    """Read durability and caches back from an open connection."""
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "cache_size")
    found = {}
    for name in names:
        row = connection.execute(f"PRAGMA {name}").fetchone()
        found[name] = row[0]
    return found


def machine(directory: Path) -> dict[str, Any]:
    """Say what the figures were taken on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _file_system(directory),
        "python": platform.python_version(),
        "sqlite_of_apsw": apsw.sqlite_lib_version(),
        "sqlite_of_python": sqlite3.sqlite_version,
        "packages": {
            name: _version(name)
            for name in ("apsw", "attrs", "cattrs", "msgspec", "eventsourcing")
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def _file_system(directory: Path) -> str | None:
    """Give the type of the file system, such as ``"ext4"``; None if unknown."""
    try:
        mounts = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:
        return None
    here, best = str(directory.resolve()), ("", "")
    for mount in mounts:
        _, place, kind, *_ = mount.split()
        inside = here == place or here.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1] or None


def peak_mib() -> float:
    """Give the peak resident memory of this process so far, in MiB.

    Linux's ``VmHWM``, which begins anew with each program; where there is none,
    what ``getrusage`` says.
    """
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        import resource  # noqa: PLC0415 - not on Windows

        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
