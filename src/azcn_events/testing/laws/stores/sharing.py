"""Laws of sharing: handles, threads, closing, a family of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from threading import Event, Thread
from time import monotonic, sleep
from typing import Final

from attrs import define

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import AzcnEventsError, StoreError, VersionConflict
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Row, Store
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.law import Violation, ensure
from azcn_events.testing.laws.stores.judging import (
    equal_lists,
    expect_conflict,
    expect_refusal,
    expect_stamps,
    same_rows,
)
from azcn_events.testing.laws.stores.scene import (
    Place,
    at_place,
    opened,
    scripted,
)
from azcn_events.testing.laws.stores.telling import Told, append, dated, draft
from azcn_events.testing.stand_ins import Clock, OpenStore
from azcn_events.testing.transcript import Log

__all__ = [
    "closing_twice_is_fine",
    "errors_are_of_one_family",
    "threads_may_share_a_store",
    "two_handles_are_one_store",
]


@scripted
def closing_twice_is_fine(open_store: OpenStore) -> None:
    """A store may be closed twice, and be opened again after that."""
    with at_place(open_store) as place:
        store = place.open()
        stamps = append(store, draft("1"))
        store.close()
        again = place.reopen(store)
        equal_lists(
            list(stamps), list(again.append([draft("1")], {"s": 0})), "after closing"
        )


@over_few_logs
def two_handles_are_one_store(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """A directory opened twice is one store: each sees the other's appends."""
    clock, told = Clock(), Told()
    with at_place(open_store, clock) as place:
        writer, reader = place.open(), place.open()
        for batch, now_us in dated(lifecycle, log, clock):
            versions = told.versions(batch)
            expect_stamps(writer, batch, versions, told.take(batch, now_us))
            same_rows(told.rows, reader.read_all(), "the other handle sees another log")
            stream, stale = batch[0].stream, versions[batch[0].stream]
            conflict = VersionConflict(stream, stale, told.reached[stream])
            expect_conflict(reader, [draft("late", stream)], {stream: stale}, conflict)
            writer, reader = reader, writer


@scripted
def errors_are_of_one_family(open_store: OpenStore) -> None:
    """Who catches ``StoreError`` catches what a store refuses by its laws."""
    with opened(open_store) as store:
        append(store, draft("1"))
        expect_refusal(store, StoreError, [draft("2")], {"s": 0})
        expect_refusal(store, StoreError, [draft("1", "t")])
        expect_refusal(store, StoreError, [draft("2", payload=bytes(EVENT_BYTES_MAX))])
        expect_refusal(store, AzcnEventsError, [draft("2")], {})


_WRITERS: Final = "abc"
_APPENDS: Final = 8
_ROWS: Final = 2 * _APPENDS * len(_WRITERS)
_TRIES_MAX: Final = 1_000
_LIMIT_S: Final = 60.0
"""Far longer than threads need that do not wait for one another for ever."""


@define
class _SlowClock(Clock):
    """A clock that lets other threads run while an append is under way."""

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC, after a nap."""
        sleep(0.000_2)
        return self.us


@scripted
def threads_may_share_a_store(open_store: OpenStore) -> None:
    """Threads append and read: all is stored once, and nobody sees half a batch."""
    with at_place(open_store, _SlowClock()) as place:
        store = place.open()
        over, failures, seen = Event(), list[Exception](), list[Row]()
        tasks = [lambda name=name: _write(store, name) for name in _WRITERS]
        writers = [_thread(task, failures) for task in tasks]
        reader = _thread(lambda: _follow(store, seen, over), failures)
        end_s = monotonic() + _LIMIT_S
        try:
            _join(writers, end_s, place)
        finally:
            over.set()
        _join([reader], end_s, place)
        for failure in failures:
            raise failure
        positions = [row.position for row in seen]
        equal_lists(
            list(range(1, _ROWS + 1)), positions, "the reader got other positions"
        )
        same_rows(seen, store.read_all(), "the reader saw another log")
        shared = [int(row.payload) + 1 for row in store.read("shared")]
        versions = list(range(1, _ROWS // 2 + 1))
        equal_lists(versions, shared, "two appends to one stream expected one version")
        for name in _WRITERS:
            ids = [row.id for row in store.read(name)]
            equal_lists(
                [f"{name}{n}" for n in range(_APPENDS)], ids, f"the stream {name!r}"
            )


def _write(store: Store, name: str) -> None:
    """Append to an own stream and a shared one."""
    for n in range(_APPENDS):
        tries = (_is_appended(store, name, n) for _ in range(_TRIES_MAX))
        ensure(any(tries), f"{_TRIES_MAX} appends conflicted, one after the other")


def _is_appended(store: Store, name: str, n: int) -> bool:
    """Read and append; say whether nobody was faster."""
    version = store.version("shared")
    shared = draft(f"{name}-{n}", "shared", payload=str(version).encode())
    try:
        store.append([draft(f"{name}{n}", name), shared], {name: n, "shared": version})
    except VersionConflict:
        return False
    return True


def _follow(store: Store, seen: list[Row], over: Event) -> None:
    """Read on and on, until told that nothing will come."""
    while True:
        last_round = over.is_set()
        seen += islice(store.read_all(after=len(seen)), _ROWS + 1)
        ensure(len(seen) % 2 == 0, f"half a batch was seen at {len(seen)}")
        if last_round:
            return


def _thread(task: Callable[[], None], failures: list[Exception]) -> Thread:
    """Start a thread that keeps what it raises."""

    def run() -> None:
        try:
            task()
        except Exception as error:  # noqa: BLE001 - it is raised by the law
            failures.append(error)

    # One that hangs must not keep the tests' process from its end.
    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


def _join(threads: Iterable[Thread], end_s: float, place: Place) -> None:
    """Wait for threads, but not for ever."""
    for thread in threads:
        thread.join(max(end_s - monotonic(), 0))
        if thread.is_alive():
            place.leave_open()
            raise Violation(f"a thread still waits for the store after {_LIMIT_S:g} s")
