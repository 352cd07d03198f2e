"""Laws of appending: expected versions, the same ids again, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define, evolve

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import (
    IdCollision,
    InvalidValue,
    TooLarge,
    VersionConflict,
)
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Draft, Stamp
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.stores.judging import (
    equal,
    equal_lists,
    expect_conflict,
    expect_refusal,
    expect_stamps,
    same_rows,
)
from azcn_events.testing.laws.stores.scene import (
    at_place,
    names_of,
    opened,
    scripted,
)
from azcn_events.testing.laws.stores.telling import (
    Told,
    append,
    dated,
    draft,
    drafts_of,
    filled,
)
from azcn_events.testing.stand_ins import Clock, OpenStore
from azcn_events.testing.transcript import Log

__all__ = [
    "a_failing_clock_stores_nothing",
    "an_id_is_used_once",
    "batches_are_atomic",
    "no_append_without_a_version",
    "one_stale_of_several",
    "parts_of_appends_may_be_repeated",
    "repeated_appends_change_nothing",
    "stale_versions_refused",
    "streams_only_read_are_checked",
]


@over_few_logs
def stale_versions_refused(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """A version that is not the stream's is refused, and both numbers are said."""
    with filled(open_store, lifecycle, log) as (store, told):
        for at, (stream, actual) in enumerate({**told.reached, "new": 0}.items()):
            new = draft(f"new{at}", stream)
            for wrong in {0, actual - 1, actual + 1, -1} - {actual}:
                conflict = VersionConflict(stream, wrong, actual)
                expect_conflict(store, [new], {stream: wrong}, conflict)
            versions = [stamp[1] for stamp in store.append([new], {stream: actual})]
            equal_lists(
                [actual + 1], versions, "the append after the refusals is wrong"
            )


@over_few_logs
def one_stale_of_several(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """One stale stream refuses a batch over several, whichever of them it is."""
    with filled(open_store, lifecycle, log) as (store, told):
        for stream, actual in told.reached.items():
            right = {**dict(list(told.reached.items())[:3]), stream: actual, "new": 0}
            drafts = [draft(f"new{at}", one) for at, one in enumerate(right)]
            conflict = VersionConflict(stream, actual - 1, actual)
            wrong = {**right, stream: actual - 1}
            expect_conflict(store, drafts, wrong, conflict)
            reverse = dict(reversed(wrong.items()))
            expect_conflict(store, drafts[::-1], reverse, conflict)


@over_few_logs
def streams_only_read_are_checked(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """A decision may rest upon a stream to which it adds nothing: it is checked too."""
    with filled(open_store, lifecycle, log) as (store, told):
        for at, (stream, actual) in enumerate(told.reached.items()):
            new, read = draft(f"new{at}", "written"), {"written": at, stream: actual}
            conflict = VersionConflict(stream, actual - 1, actual)
            expect_conflict(store, [new], {**read, stream: actual - 1}, conflict)
            versions = [stamp[1] for stamp in store.append([new], read)]
            equal_lists([at + 1], versions, "the append after the refusal is wrong")


@scripted
def no_append_without_a_version(open_store: OpenStore) -> None:
    """A batch that gives no version for one of its streams is refused."""
    with opened(open_store) as store:
        drafts = [draft("1", "a"), draft("2", "b")]
        expect_refusal(store, InvalidValue, drafts, {"a": 0})
        append(store, draft("0", "a"))
        expect_refusal(store, InvalidValue, [draft("1", "a")], {})


@over_few_logs
def repeated_appends_change_nothing(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """The same ids again get the first stamps, whatever versions are expected."""
    clock, told = Clock(), Told()
    with at_place(open_store, clock) as place:
        store, batches = place.open(), list[tuple[list[Draft], list[Stamp]]]()
        for batch, now_us in dated(lifecycle, log, clock):
            store.append(batch, told.versions(batch))
            batches.append((batch, told.take(batch, now_us)))
        clock.pass_days(1)
        for wrong in (0, 1, 99):
            for batch, stamps in batches:
                expected = {one.stream: wrong for one in batch}
                expect_stamps(store, batch, expected, stamps)
            store = place.reopen(store)
        same_rows(told.rows, store.read_all(), "the repetition was stored again")


@over_few_logs
def parts_of_appends_may_be_repeated(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> None:
    """Some events of earlier appends, in their order, are a repetition too."""
    with filled(open_store, lifecycle, log) as (store, told):
        drafts = drafts_of(lifecycle, log)
        stamps = [Stamp(r.position, r.version, r.recorded_us) for r in told.rows]
        timed = [
            evolve(one, recorded_us=stamp[2])
            for one, stamp in zip(drafts, stamps, strict=True)
        ]
        for step in (1, 2, 3):
            part = drafts[::step]
            expected = {one.stream: 0 for one in part}
            expect_stamps(store, part, expected, stamps[::step])
            expect_stamps(store, timed[::step], expected, stamps[::step])
        same_rows(told.rows, store.read_all(), "the repetition was stored again")


_STORED: Final = (draft("1", "a"), draft("2", "b", payload=b"2", metadata=b"m"))

_COLLISIONS: Final[tuple[tuple[str, list[Draft]], ...]] = (
    ("1", [draft("1", "b")]),
    ("1", [draft("1", "new")]),
    ("1", [draft("1", "a", kind="noted/2")]),
    ("1", [draft("1", "a", payload=b"{} ")]),
    ("1", [draft("1", "a", metadata=b"")]),
    ("1", [draft("1", "a", recorded_us=1)]),
    ("1", [draft("1", "a", recorded_us=2**57)]),
    ("1", [*_STORED[::-1]]),
    ("1", [*_STORED, draft("3", "a")]),
    ("2", [draft("3", "a"), _STORED[1]]),
    ("1", [_STORED[0], draft("3", "a"), _STORED[1]]),
    ("3", [draft("3", "a"), draft("3", "a")]),
    ("1", [_STORED[0], _STORED[0]]),
)
"""Appends that use an id again and are no repetition of ``_STORED``, and which id."""


@scripted
def an_id_is_used_once(open_store: OpenStore) -> None:
    """A stored id without a repetition is refused, whatever versions are expected."""
    with opened(open_store) as store:
        append(store, *_STORED)
        for used, drafts in _COLLISIONS:
            for expected in (None, {one.stream: 7 for one in drafts}):
                error = expect_refusal(store, IdCollision, drafts, expected)
                equal(used, error.id, f"{names_of(drafts)}: it names another id")


@over_few_logs
def batches_are_atomic(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """A batch that is refused, for whatever reason, leaves no trace."""
    clock, told = _FailingClock(), Told()
    with opened(open_store, clock) as store:
        for batch, now_us in dated(lifecycle, log, clock):
            versions = told.versions(batch)
            for error, last, version in _spoilers(told):
                expected = {**versions, last.stream: version}
                expect_refusal(store, error, [*batch, last], expected)
            clock.fails = True
            expect_refusal(store, OSError, batch, versions)
            clock.fails = False
            stamps = list(store.append(batch, versions))
            equal_lists(
                told.take(batch, now_us), stamps, "the right append got wrong stamps"
            )


def _spoilers(told: Told) -> Iterator[tuple[type[Exception], Draft, int]]:
    """Yield how a batch is refused that ends with a draft, at a version of its stream.

    The batch is of a recorded time after 1970.
    """
    yield VersionConflict, draft("last", "new"), 1
    yield InvalidValue, draft("\0", "new"), 0
    yield InvalidValue, draft("last", "new", earliest=2, latest=1), 0
    yield InvalidValue, draft("last", "new", recorded_us=-1), 0
    yield TooLarge, draft("last", "new", payload=bytes(EVENT_BYTES_MAX)), 0
    for row in told.rows[-1:]:
        yield IdCollision, draft(row.id, "new"), 0


@define
class _FailingClock(Clock):
    """A clock that fails when it is told to."""

    fails: bool = False

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC, or fail."""
        if self.fails:
            raise OSError("the clock stands still")
        return self.us


@scripted
def a_failing_clock_stores_nothing(open_store: OpenStore) -> None:
    """What the clock raises comes out, nothing is stored, and the store goes on."""
    clock = _FailingClock(us=1, fails=True)
    with opened(open_store, clock) as store:
        expect_refusal(store, OSError, [draft("1"), draft("2")])
        clock.fails = False
        stamps = list(append(store, draft("1")))
        equal_lists([Stamp(1, 1, 1)], stamps, "the append after the failure is wrong")
