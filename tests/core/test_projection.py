"""Folds over the log: however it is delivered, the result is the same."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.logs import Step, fresh, play, steps

from azcn_events import Ledger, Progress, Projection, Recorded
from azcn_events.core.history import in_force
from azcn_events.core.lifecycle import Status
from azcn_events.investment import INVESTMENT


def _counted(seen: Counter[str], record: Recorded) -> Counter[str]:
    seen[record.kind] += 1
    return seen


KINDS: Projection[Counter[str]] = Projection(
    "kinds", Counter, _counted, lambda one, other: one + other
)

Streams = dict[str, list[Recorded]]


def _kept(streams: Streams, record: Recorded) -> Streams:
    streams.setdefault(record.stream, []).append(record)
    return streams


HISTORIES: Projection[Streams] = Projection(
    "histories", dict, _kept, lambda one, other: {**one, **other}
)

Ids = tuple[str, ...]
"""A value that no step can change in place."""

IDS: Projection[Ids] = Projection(
    "ids", tuple[str], lambda ids, record: (*ids, record.id)
)

BOTH: tuple[Projection[Any], ...] = (KINDS, HISTORIES)


def log_of(told: list[Step]) -> tuple[Ledger, list[Recorded]]:
    """Record steps; give the ledger and its log."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    return ledger, list(ledger.records())


def cuts(log: list[Recorded]) -> st.SearchStrategy[list[int]]:
    """Places at which to cut a log into batches."""
    return st.lists(st.integers(0, len(log)), max_size=4).map(sorted)


@given(steps(), st.data())
def test_any_split_into_batches(told: list[Step], data: st.DataObject) -> None:
    """Batch by batch, also empty ones, gives what one run gives."""
    _, log = log_of(told)
    places = [0, *data.draw(cuts(log)), len(log)]
    for projection in BOTH:
        whole = projection.run(log)
        progress: Progress[Any] = Progress(projection.start())
        for first, last in pairwise(places):
            progress = projection.resume(progress, log[first:last])
        assert whole == progress


@given(steps(), st.data())
def test_any_point_to_resume_at(told: list[Step], data: st.DataObject) -> None:
    """What a ledger folds on top of an earlier result is the whole."""
    ledger, log = log_of(told)
    cut = data.draw(st.integers(0, len(log)))
    for projection in BOTH:
        earlier = projection.run(log[:cut])
        assert projection.run(log) == ledger.fold(projection, earlier)
        assert projection.run(log) == ledger.fold(projection)


@given(steps(), st.data())
def test_any_window_delivered_again(told: list[Step], data: st.DataObject) -> None:
    """Records that are counted already are passed over."""
    _, log = log_of(told)
    cut = data.draw(st.integers(0, len(log)))
    back = data.draw(st.integers(0, cut))
    for projection in BOTH:
        progress = projection.resume(projection.run(log[:cut]), log[back:])
        assert projection.run(log) == progress


@given(steps(), st.integers(1, 4))
def test_any_number_of_shards(told: list[Step], shards: int) -> None:
    """Streams split over shards and merged, in either order, give the whole."""
    _, log = log_of(told)
    names = sorted({record.stream for record in log})
    for projection in BOTH:
        assert projection.merge is not None
        parts = [
            projection.run(
                r for r in log if names.index(r.stream) % shards == shard
            ).value
            for shard in range(shards)
        ]
        for order in (parts, parts[::-1]):
            merged = projection.start()
            for part in order:
                merged = projection.merge(
                    merged, projection.resume(Progress(part), ()).value
                )
            assert projection.run(log).value == merged


@given(steps(), st.randoms(use_true_random=False))
def test_any_interleaving_of_streams(told: list[Step], chance: object) -> None:
    """What is folded stream by stream does not see the order between streams."""
    _, log = log_of(told)
    queues = {
        name: [r for r in log if r.stream == name] for name in {r.stream for r in log}
    }
    mixed = list[Recorded]()
    while queues:
        name = chance.choice(sorted(queues))  # type: ignore[attr-defined] # random.Random
        mixed.append(queues[name].pop(0)._replace(position=len(mixed) + 1))
        if not queues[name]:
            del queues[name]
    assert KINDS.run(log).value == KINDS.run(mixed).value
    statuses = [
        {
            stream: [
                (name, milestone.status)
                for name, milestone in INVESTMENT.replay(
                    in_force(records)
                ).milestones.items()
            ]
            for stream, records in HISTORIES.run(delivered).value.items()
        }
        for delivered in (log, mixed)
    ]
    assert statuses[0] == statuses[1]


@given(steps())
def test_progress_says_where_it_stands(told: list[Step]) -> None:
    """The last position counted; 0 for nothing."""
    _, log = log_of(told)
    assert len(log) == KINDS.run(log).position
    assert Progress(Counter()) == KINDS.run([])


@given(steps(), st.data())
def test_progress_holds_what_the_steps_returned(
    told: list[Step], data: st.DataObject
) -> None:
    """Also if a step returns a new value and leaves the old one as it was."""
    _, log = log_of(told)
    cut = data.draw(st.integers(0, len(log)))
    first = IDS.run(log[:cut])
    assert tuple(record.id for record in log[:cut]) == first.value
    assert tuple(record.id for record in log) == IDS.resume(first, log).value


@given(steps())
def test_a_fresh_start_each_time(told: list[Step]) -> None:
    """Two runs share nothing."""
    _, log = log_of(told)
    first, second = HISTORIES.run(log).value, HISTORIES.run(log).value
    assert first == second
    assert first is not second
    assert Status.UNMENTIONED is INVESTMENT.replay(()).milestones["signed"].status
