"""Laws of projections: pure folds that may stop, resume, repeat and be split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from itertools import product
from typing import Any, Final

from azcn_events.core.events import Recorded
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.projection import Projection
from azcn_events.testing.laws.law import Law, over_logs, same
from azcn_events.testing.laws.processes import same_in_every_process
from azcn_events.testing.transcript import Log

__all__ = [
    "PROJECTION_LAWS",
    "agrees_with",
    "batch_split",
    "deterministic",
    "interleaving",
    "past_views_stable",
    "redelivery",
    "same_in_every_process",
    "shard_merge",
    "snapshot_and_tail",
    "total",
]

Any_ = Projection[Any]


def _run(projection: Any_, log: Log) -> Any:  # noqa: ANN401 - the projection's own
    return projection.run(log).value


@over_logs
def total(projection: Any_, _: Lifecycle, log: Log) -> None:
    """It takes every log that the lifecycle admits."""
    _run(projection, log)


@over_logs
def deterministic(projection: Any_, _: Lifecycle, log: Log) -> None:
    """The same log gives the same value, each time from a fresh start."""
    first = deepcopy(_run(projection, log))
    same(first, _run(projection, log), "two runs over one log differ")


@over_logs
def past_views_stable(projection: Any_, _: Lifecycle, log: Log) -> None:
    """What was given out for an earlier moment is not changed by later runs."""
    for cut in range(len(log)):
        early = _run(projection, log[:cut])
        kept = deepcopy(early)
        _run(projection, log)
        same(kept, early, f"the value of the first {cut} records changed later")


@over_logs
def pure(projection: Any_, _: Lifecycle, log: Log) -> None:
    """It changes nothing but its own accumulator: no record, no event."""
    given = deepcopy(log)
    _run(projection, given)
    same(log, given, "it changed the records that it was given")


@over_logs
def batch_split(projection: Any_, _: Lifecycle, log: Log) -> None:
    """Stopping anywhere and going on gives what one run gives."""
    whole = _run(projection, log)
    for cut in range(len(log) + 1):
        stopped = projection.run(log[:cut])
        value = projection.resume(stopped, log[cut:]).value
        same(whole, value, f"one run, and stopping after {cut} records, differ")


@over_logs
def snapshot_and_tail(projection: Any_, _: Lifecycle, log: Log) -> None:
    """A copy of an earlier value and the records since give what one run gives."""
    whole = _run(projection, log)
    for cut in range(len(log) + 1):
        snapshot = deepcopy(projection.run(log[:cut]))
        value = projection.resume(snapshot, log[cut:]).value
        same(whole, value, f"one run, and a snapshot after {cut} records, differ")


@over_logs
def redelivery(projection: Any_, _: Lifecycle, log: Log) -> None:
    """Any window of records delivered again changes nothing.

    Of the windows up to each record, the whole, the half and the last are tried: all
    of them would take the square of the log's length in runs.
    """
    whole = _run(projection, log)
    for last in range(1, len(log) + 1):
        for first in {0, last // 2, last - 1}:
            progress = projection.run(log[:last])
            progress = projection.resume(progress, log[first:last])
            value = projection.resume(progress, log[last:]).value
            what = f"delivering records {first + 1} to {last} again changes the value"
            same(whole, value, what)


def _can_merge(projection: Any_) -> bool:
    return projection.merge is not None


@over_logs
def interleaving(projection: Any_, _: Lifecycle, log: Log) -> None:
    """Streams may come in any order, as long as each keeps its own.

    For a figure that should not hang on which stream was heard of first. It is none
    of ``PROJECTION_LAWS``, for a figure may: the newest record of all does.
    """
    flat = _at_one_time(log)
    whole = _run(projection, flat)
    for order in _orders(flat):
        same(
            whole, _run(projection, order), f"in the order {_places(order)} it differs"
        )


def _at_one_time(log: Log) -> Log:
    """Give all records one recorded time: else the order of streams could not vary."""
    return tuple(record._replace(recorded_us=log[-1].recorded_us) for record in log)


def _orders(log: Log) -> Iterator[Log]:
    """Yield other orders: one stream after another, both ways, and in turns."""
    by_stream: dict[str, list[Recorded]] = {}
    for record in log:
        by_stream.setdefault(record.stream, []).append(record)
    streams = list(by_stream.values())
    turns = [
        stream[at]
        for at in range(max(map(len, streams), default=0))
        for stream in reversed(streams)
        if at < len(stream)
    ]
    for order in (
        [record for stream in streams for record in stream],
        [record for stream in reversed(streams) for record in stream],
        turns,
    ):
        yield _numbered(order)


def _numbered(records: list[Recorded]) -> Log:
    return tuple(
        record._replace(position=position) for position, record in enumerate(records, 1)
    )


def _places(order: Log) -> str:
    return ", ".join(f"{record.stream} {record.version}" for record in order)


_SHARDED_STREAMS_MAX: Final = 5


@over_logs(applies=_can_merge)
def shard_merge(projection: Any_, _: Lifecycle, log: Log) -> None:
    """Shards of the streams, merged in any order, give what one run gives."""
    merge = projection.merge
    assert merge is not None  # noqa: S101 - the law applies to no others
    whole = _run(projection, log)
    streams = list(dict.fromkeys(record.stream for record in log))
    for split in product((0, 1), repeat=min(len(streams), _SHARDED_STREAMS_MAX)):
        shard_of = dict(zip(streams, split, strict=False))

        def shard(number: int, shard_of: Mapping[str, int] = shard_of) -> Any:  # noqa: ANN401 - a value
            mine = (r for r in log if shard_of.get(r.stream, 1) == number)
            return _run(projection, tuple(mine))

        names = [name for name in streams if not shard_of.get(name, 1)]
        what = f"a shard of {names or 'nothing'}, merged with the rest, differs"
        same(whole, merge(shard(0), shard(1)), what)
        same(whole, merge(shard(1), shard(0)), f"{what} the other way round")


def agrees_with(reference: Callable[[Log], object]) -> Law[Any_]:
    """Make a law of a slower, plainer way to compute the same.

    Nothing else sees that a figure means the wrong thing.

    Args:
        reference: Gives the value that a log should have.
    """

    @over_logs
    def oracle(projection: Any_, _: Lifecycle, log: Log) -> None:
        """It gives what the reference gives."""
        same(reference(log), _run(projection, log), "the reference says otherwise")

    return oracle


PROJECTION_LAWS: Final[tuple[Law[Any_], ...]] = (
    pure,  # First, while nothing has been changed yet.
    total,
    deterministic,
    past_views_stable,
    batch_split,
    snapshot_and_tail,
    redelivery,
    shard_merge,
    same_in_every_process,
)
"""What every projection promises: see ``Projection``.

``batch_split`` and ``redelivery`` hold for every plain ``Projection`` whose step is
deterministic: they are for subclasses with a ``resume`` of their own.
"""
