"""What the tests of several processes run in another process: ``child.py TASK ...``.

A child prints "ready", waits for a line, does its task and prints what it saw.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from azcn_events.errors import StoreError, StoreUnusable, VersionConflict
from azcn_events.stores.protocol import Draft
from azcn_events.stores.sqlite import SqliteStore
from azcn_events.stores.sqlite.inspection import Oddity, inspect


def say(what: object) -> None:
    """Print a line, all at once: it is a promise to the test."""
    os.write(1, json.dumps(what).encode() + b"\n")


def ready() -> None:
    """Wait for the start."""
    say("ready")
    sys.stdin.readline()


def slow_clock_us() -> int:
    """Take 2 ms, as a slow disk does: it is asked while the file is locked."""
    time.sleep(0.002)
    return time.time_ns() // 1000


def write(path: str, name: str, seconds: str) -> None:
    """Append to an own stream for some time, and say how often."""
    store = SqliteStore.open(path, clock=slow_clock_us)
    ready()
    end, slowest, number = time.monotonic() + float(seconds), 0.0, 0
    while (begun := time.monotonic()) < end:
        store.append([Draft(name, f"{name}-{number}", "k/1", b"{}")], {name: number})
        number += 1
        slowest = max(slowest, time.monotonic() - begun)
    store.close()
    say({"appended": number, "slowest_s": slowest})


def compete(path: str, name: str, times: str) -> None:
    """Append to a shared stream and an own one, each payload the version it saw."""
    store = SqliteStore.open(path)
    ready()
    conflicts = 0
    for number in range(int(times)):
        while True:
            seen = store.version("shared")
            drafts = [
                Draft("shared", f"{name}-s{number}", "k/1", str(seen).encode()),
                Draft(name, f"{name}-{number}", "k/1", str(number).encode()),
            ]
            try:
                store.append(drafts, {"shared": seen, name: number})
                break
            except VersionConflict:
                conflicts += 1
    store.close()
    say({"conflicts": conflicts})


def tail(path: str, last: str) -> None:
    """Follow the log until the event ``last`` is stored, and say what came."""
    store = SqliteStore.open(path)
    ready()
    positions: list[int] = []
    ids: list[str] = []
    while last not in ids[-1:]:
        for row in store.read_all(after=len(positions)):
            positions.append(row.position)
            ids.append(row.id)
    store.close()
    say({"positions": positions, "ids": ids})


def scan(path: str, seconds: str) -> None:
    """Read the log from its beginning, again and again."""
    store = SqliteStore.open(path)
    ready()
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for _ in store.read_all():
            pass
    store.close()
    say("over")


def triples(path: str, seed: str) -> None:
    """Append triples over two streams, and say each id only when it is stored."""
    store = SqliteStore.open(path)
    ready()
    for number in count():
        drafts = [
            Draft("ab"[n == 1], f"{seed}-{number}-{n}", "k/1", b"x" * (number % 50 * n))
            for n in range(3)
        ]
        while True:
            expected = {"a": store.version("a"), "b": store.version("b")}
            try:
                stamps = store.append(drafts, expected)
                break
            except VersionConflict:
                pass
        say([stamps[0].position, drafts[0].id])


def make(directory: str) -> None:
    """Make one store after another."""
    ready()
    for number in count():
        SqliteStore.open(str(Path(directory) / f"{number}.db")).close()
        say(number)


def add_one(path: str, name: str) -> None:
    """Open, append one event, close."""
    ready()
    store = SqliteStore.open(path)
    store.append([Draft(name, name, "k/1", b"{}")], {name: 0})
    store.close()
    say("stored")


def become_nobody() -> None:
    """Give up the rights of root, who may write everywhere."""
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def inspect_as_nobody(path: str) -> None:
    """Inspect without the rights of root, and say what is found."""
    become_nobody()
    ready()
    say([one.problem if isinstance(one, Oddity) else one[0] for one in inspect(path)])


def open_as_nobody(path: str) -> None:
    """Open without the rights of root, and say what is the matter."""
    become_nobody()
    ready()
    try:
        SqliteStore.open(path).close()
    except StoreUnusable as error:
        say(error.reason)
    else:
        say("opened")


def fill(path: str, limit: str) -> None:
    """Append until no file may grow any more, then with more room again."""
    store = SqliteStore.open(path, durability="normal")
    ready()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
    error = ""
    number = 0
    while not error:
        drafts = [
            Draft("s", f"{number}-{n}", "k/1", os.urandom(20_000)) for n in range(3)
        ]
        try:
            store.append(drafts, {"s": 3 * number})
            number += 1
        except StoreError as refusal:
            error = type(refusal).__name__
    head = store.head()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.append(drafts, {"s": 3 * number})
    read = len(list(store.read_all()))
    store.close()
    say({"error": error, "batches": number, "head": head, "read": read})


def fork(path: str) -> None:
    """Use a store after a fork, in the child and in the parent."""
    store = SqliteStore.open(path)
    store.append([Draft("s", "1", "k/1", b"{}")], {"s": 0})
    rows = store.read_all()
    ready()
    child = os.fork()
    if not child:
        said: list[str] = []
        asks: list[Callable[[], object]] = [
            store.head,
            lambda: list(rows),
            lambda: store.append([Draft("s", "2", "k/1", b"{}")], {"s": 1}),
        ]
        for ask in asks:
            try:
                said.append(str(ask()))
            except StoreUnusable as error:
                said.append(error.reason)
        store.close()
        other = SqliteStore.open(path)
        other.append([Draft("t", "3", "k/1", b"{}")], {"t": 0})
        other.close()
        say(said)
        os._exit(0)
    os.waitpid(child, 0)
    store.append([Draft("s", "4", "k/1", b"{}")], {"s": 1})
    say([row.id for row in rows])
    store.close()


def upgrade(path: str) -> None:
    """Open an old file, and say how many leaf hashes it has then."""
    ready()
    store = SqliteStore.open(path)
    say({"leaves": len(list(store.leaves()))})
    store.close()


TASKS: Final[dict[str, Callable[..., None]]] = {
    task.__name__: task
    for task in (
        write, compete, tail, scan, triples, make, add_one, open_as_nobody, fill, fork,
        upgrade, inspect_as_nobody,
    )
}  # fmt: skip

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
