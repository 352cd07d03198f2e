"""Clients at one store at once: good stores pass, each racy one is caught."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from attrs import define
from tests.testing.concurrency import racy

from azcn_events.errors import InvalidValue, StoreBusy, UnknownName
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Stamp, Store
from azcn_events.testing.concurrency import (
    Append,
    ClientFailed,
    How,
    Kind,
    Refused,
    Seen,
    Stored,
    Unknown,
    anomalies,
    concurrent_anomalies,
    run_clients,
)
from azcn_events.testing.concurrency.crew import together
from azcn_events.testing.stand_ins import OpenStore, in_memory, on_sqlite

OPERATIONS = int(os.environ.get("AZCN_CLIENT_OPERATIONS", "1500"))
"""How many operations the good stores must stand; 10,000 and more for a campaign."""

RUNS_MAX = 10
"""How often a racy store may be lucky."""


@pytest.mark.parametrize(
    ("open_store", "how"),
    [
        (on_sqlite, "processes"),
        (on_sqlite, "threads"),
        (in_memory(), "threads"),
        (racy.opening(racy.Sketch), "processes"),
    ],
    ids=["sqlite-processes", "sqlite-threads", "memory-threads", "sketch-processes"],
)
def test_a_good_store_raises_no_alarm(open_store: OpenStore, how: How) -> None:
    """Eight clients, many of whose appends are refused: all the answers fit."""
    begun = time.monotonic()
    found = concurrent_anomalies(open_store, operations=OPERATIONS, how=how)
    print(f"{how}: {found}, {time.monotonic() - begun:.1f} s")  # noqa: T201 - figures
    assert () == found.anomalies, str(found)
    answers = [type(one.answer) for one in found.run.operations]
    assert OPERATIONS == len(answers)
    # Otherwise there was no race to be lost, and the test would say nothing.
    assert answers.count(Stored) > OPERATIONS / 10
    assert answers.count(Refused) > OPERATIONS / 10


@pytest.mark.parametrize(
    ("open_store", "how", "kind"),
    [
        (racy.opening(racy.CheckThenInsert), "processes", Kind.UNCHECKED),
        (racy.opening(racy.NoTransaction), "processes", Kind.HALF_READ),
        (racy.opening(racy.StaleReads), "processes", Kind.STALE),
        (racy.opening(racy.Forgetful), "processes", Kind.LOST),
        (racy.opening(racy.Deferred), "processes", Kind.FAILING),
        (racy.unlocked(), "threads", Kind.UNCHECKED),
        (racy.bare(), "threads", Kind.UNCHECKED),
    ],
    ids=[
        "check-then-insert",
        "no-transaction",
        "stale-reads",
        "forgetful",
        "deferred",
        "unlocked-memory",
        "bare-dictionary",
    ],
)
def test_a_racy_store_is_caught(open_store: OpenStore, how: How, kind: Kind) -> None:
    """Within a few runs of 400 operations, and by the name of its fault."""
    for seed in range(RUNS_MAX):
        found = concurrent_anomalies(open_store, operations=400, how=how, seed=seed)
        if kind in {one.kind for one in found.anomalies}:
            break
    else:
        pytest.fail(f"not caught in {RUNS_MAX} runs; the last: {found}")


def test_what_a_client_meets_is_recorded(tmp_path: Path) -> None:
    """Every operation of every client, with its times and in its order."""
    run = run_clients(on_sqlite, tmp_path, clients=3, operations=100)
    assert {0: 34, 1: 33, 2: 33} == Counter(one.client for one in run.operations)
    for client in range(3):
        own = [one for one in run.operations if one.client == client]
        times = [time_ns for one in own for time_ns in (one.called_ns, one.returned_ns)]
        assert None not in times
        assert times == sorted(time_ns for time_ns in times if time_ns is not None)


def test_a_client_expects_what_it_was_told(tmp_path: Path) -> None:
    """Or now and then the version before or after it: too old, or not there yet."""
    run = run_clients(on_sqlite, tmp_path, operations=800)
    told = defaultdict[tuple[int, str], int](int)
    beside = Counter[int]()
    for one in run.operations:
        key = (one.client, one.stream)
        if isinstance(one, Append):
            beside[one.expected - told[key]] += 1
        match one.answer:
            case Seen(ids):
                told[key] = len(ids)
            case Stored(version) | Refused(version):
                told[key] = version
            case Unknown():
                pass
    assert {-1, 0, 1} == beside.keys()
    assert beside[0] > beside[-1] + beside[1]


@pytest.mark.parametrize("how", ["processes", "threads"])
def test_the_same_seed_asks_the_same(how: How) -> None:
    """Of one client alone: with others, its answers depend upon them."""
    one, same, other = (
        concurrent_anomalies(
            on_sqlite, clients=1, operations=30, how=how, seed=seed
        ).run.operations
        for seed in (1, 1, 2)
    )
    assert list(map(str, one)) == list(map(str, same))
    assert list(map(str, one)) != list(map(str, other))


@define
class Odd(MemoryStore):
    """Does something of its own after it has stored an append."""

    afterwards: Callable[[], object] = int

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Append, and do it."""
        stamps = super().append(drafts, expected)
        self.afterwards()
        return stamps


def that(afterwards: Callable[[], object]) -> OpenStore:
    """Make an opener of one and the same odd store."""
    store = Odd(afterwards=afterwards)
    return lambda _directory, _clock: store


def say_busy() -> None:
    """Claim that nothing was stored."""
    raise StoreBusy("here", 1)


def die() -> None:
    """End the process without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_error_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    """It is recorded in words and counts as a failure; no promise is broken by it."""
    run = run_clients(that(say_busy), tmp_path, operations=60, how="threads")
    failed = [one for one in run.operations if isinstance(one.answer, Unknown)]
    assert failed
    assert {None} == {one.returned_ns for one in failed}
    assert run.failure_rate == len(failed) / 60
    assert f"{run.failure_rate:.1%} failed" in str(run)
    assert "unknown: StoreBusy: here: still locked" in str(failed[0])
    assert [] == anomalies(run.operations, run.final)


def test_a_process_that_dies_is_reported(tmp_path: Path) -> None:
    """With its exit code; and the others are ended."""
    with pytest.raises(ClientFailed, match=r"it died \(exit code -9\)"):
        run_clients(that(die), tmp_path, operations=60)
    assert [] == multiprocessing.active_children()


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    """After the time limit, with all the others."""
    sleeps = partial(time.sleep, 60)
    begun = time.monotonic()
    with pytest.raises(ClientFailed, match="still at it when the time was over"):
        run_clients(that(sleeps), tmp_path, operations=60, limit_s=0.5)
    assert [] == multiprocessing.active_children()
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("how", ["processes", "threads"])
@pytest.mark.parametrize("limit_s", [0, 0.2])
def test_half_a_run_is_no_run(tmp_path: Path, how: How, limit_s: float) -> None:
    """When the time is over before the operations are, that is an error."""
    with pytest.raises(ClientFailed, match="still at it when the time was over"):
        run_clients(on_sqlite, tmp_path, operations=100_000, how=how, limit_s=limit_s)
    assert [] == multiprocessing.active_children()


def test_a_thread_that_hangs_is_reported(tmp_path: Path) -> None:
    """Nothing can end it, but nobody waits for it for ever."""
    released = threading.Event()
    before = set(threading.enumerate())
    try:
        with pytest.raises(ClientFailed, match="still at it when the time was over"):
            run_clients(
                that(released.wait), tmp_path, operations=60, how="threads", limit_s=0.5
            )
    finally:
        released.set()
        for thread in set(threading.enumerate()) - before:
            thread.join()


@pytest.mark.parametrize("how", ["processes", "threads"])
def test_a_store_that_cannot_be_opened_is_reported(how: How, tmp_path: Path) -> None:
    """With the whole error, as it happened over there."""

    def open_store(_directory: Path, _clock: Callable[[], int]) -> Store:
        raise StoreBusy("this file", 3)

    with pytest.raises(ClientFailed, match="this file: still locked"):
        run_clients(open_store, tmp_path, how=how)


@pytest.mark.parametrize("how", ["processes", "threads"])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("stop")], ids=repr)
def test_an_opener_that_wants_to_end_is_reported(
    how: How, error: BaseException, tmp_path: Path
) -> None:
    """What it raised is told, though it is no usual error."""

    def open_store(_directory: Path, _clock: Callable[[], int]) -> Store:
        raise error

    told = f"{type(error).__name__}: {error}"
    with pytest.raises(ClientFailed, match=f"it raised an error:(.|\n)*{told}"):
        run_clients(open_store, tmp_path, how=how)


def test_when_one_fails_the_others_close_their_stores(tmp_path: Path) -> None:
    """They hear that it is over, and come to an end in good order."""

    class Marking(MemoryStore):
        def close(self) -> None:
            """Leave a mark."""
            (tmp_path / str(os.getpid())).touch()

    def go_on(_store: Store, is_over: Callable[[], bool]) -> None:
        while not is_over():
            time.sleep(0.001)

    def fail(_store: Store, _is_over: Callable[[], bool]) -> None:
        raise StoreBusy("this file", 3)

    with pytest.raises(ClientFailed, match="this file: still locked"):
        together(
            lambda _directory, _clock: Marking(),
            tmp_path,
            [go_on, fail, go_on],
            how="processes",
            seed=0,
            jitter_s=0,
            limit_s=60,
        )
    assert 3 == len(list(tmp_path.iterdir()))


def test_a_shared_store_is_opened_and_closed_once(tmp_path: Path) -> None:
    """By the threads; and once more to see what it holds in the end."""
    told: list[str] = []

    class Told(MemoryStore):
        def close(self) -> None:
            """Tell it."""
            told.append("closed")

    store = Told()

    def open_store(_directory: Path, _clock: Callable[[], int]) -> Store:
        told.append("opened")
        return store

    run_clients(open_store, tmp_path, operations=16, how="threads")
    assert ["opened", "closed"] * 2 == told


def test_without_fork_the_opener_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: a new interpreter opens the store."""
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    run = run_clients(on_sqlite, tmp_path, clients=2, operations=20)
    assert 20 == len(run.operations)
    assert [] == anomalies(run.operations, run.final)


def test_on_macos_nothing_is_forked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an opener that cannot be imported is refused, and it is said why."""
    monkeypatch.setattr(sys, "platform", "darwin")

    def made_here(directory: Path, clock: Callable[[], int]) -> Store:
        return on_sqlite(directory, clock)

    with pytest.raises(ClientFailed, match="the opener must be a function of a module"):
        run_clients(made_here, tmp_path, clients=2, operations=20)
    assert [] == multiprocessing.active_children()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python warns from 3.12 on")
def test_beside_threads_it_does_not_warn(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Python's warning of forks beside threads is passed over: there is a limit."""
    released = threading.Event()
    thread = threading.Thread(target=released.wait)
    thread.start()
    try:
        run = run_clients(on_sqlite, tmp_path, clients=2, operations=20)
    finally:
        released.set()
        thread.join()
    assert 20 == len(run.operations)
    assert [] == [str(warning.message) for warning in recwarn]


def test_neither_processes_nor_threads(tmp_path: Path) -> None:
    """A wrong word is answered with the right ones."""
    how = cast("How", "coroutines")
    with pytest.raises(UnknownName, match="known: processes, threads"):
        run_clients(on_sqlite, tmp_path, how=how)


@pytest.mark.parametrize("what", ["clients", "operations", "streams"])
def test_nobody_nothing_nowhere(tmp_path: Path, what: str) -> None:
    """A run of which every store would do well is refused."""
    with pytest.raises(InvalidValue, match=f"there would be no {what}"):
        run_clients(on_sqlite, tmp_path, **{what: 0})  # type: ignore[arg-type] # counts


def test_a_store_in_memory_is_pointed_to_threads() -> None:
    """As processes each has its own: everything seems lost, and it is said why."""
    hint = 'it wants how="threads"'
    assert hint in str(concurrent_anomalies(in_memory(), operations=40))
    assert hint not in str(concurrent_anomalies(on_sqlite, operations=40))
    assert hint not in str(
        concurrent_anomalies(racy.opening(racy.Forgetful), operations=200)
    )


def test_the_findings_show_the_first_anomaly() -> None:
    """What was run, how many of which kind there are, and a picture."""
    text = str(concurrent_anomalies(racy.opening(racy.Forgetful), operations=200))
    assert "200 operations of 8 clients" in text
    assert re.search(r"anomalies: .*\d+ lost", text)
    assert re.search(r"client \d .*\[1", text)
    assert re.search(r"\n\* \d  append c", text)
