"""Whether a history can be explained at all, by trying every order: the oracle.

It knows nothing of logs that are their own witness. It is slow where many outcomes
are unknown, and simple enough to be believed: ``checker`` is tested against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from attrs import define

from azcn_events.errors import AzcnEventsError
from azcn_events.testing.concurrency.history import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    Unknown,
)

__all__ = ["SearchTooLong", "linearizable"]


@define
class SearchTooLong(AzcnEventsError):
    """So many orders are possible that the search was given up.

    Attributes:
        stream: The stream whose operations were being ordered.
        steps: How many configurations were looked at.
    """

    stream: str
    steps: int

    def __str__(self) -> str:
        return (
            f"{self.stream}: no verdict after {self.steps:,} steps; look at fewer"
            " operations or unknown outcomes, or ask anomalies()"
        )


def linearizable(
    operations: Iterable[Operation],
    final: Mapping[str, Sequence[str]],
    *,
    steps_max: int = 200_000,
) -> bool:
    """Say whether some order of the operations explains every answer.

    In that order each takes effect at one moment between its call and its return,
    a stream starts empty, and ``final`` is read when all is over. Streams are
    judged one by one, which is enough: linearizability is a local property.

    Args:
        operations: In any order.
        final: For each stream the ids that it holds in the end, oldest first; a
            stream that is left out holds none.
        steps_max: How many configurations of one stream to look at, at most.

    Raises:
        SearchTooLong: If that was not enough.

    Source:
        Locality: Herlihy & Wing (1990), ACM TOPLAS 12(3), 463-492. The search:
        Wing & Gong (1993), J. Parallel Distrib. Comput. 17(1-2), 164-182. Not
        looking at a configuration twice, and putting an operation in its place only
        when a return demands one: Lowe (2017), "Testing for linearizability",
        Concurrency Computat. Pract. Exper. 29(4), e3928.
    """
    by_stream = defaultdict[str, list[Operation]](list)
    for operation in operations:
        by_stream[operation.stream].append(operation)
    return all(
        _explained(
            [*by_stream[stream], _last_read(stream, by_stream[stream], final)],
            steps_max,
        )
        for stream in by_stream.keys() | final.keys()
    )


def _last_read(
    stream: str, operations: Sequence[Operation], final: Mapping[str, Sequence[str]]
) -> Read:
    """Make the read that sees, after everything else, what the log holds."""
    times_ns = [
        one.called_ns if one.returned_ns is None else one.returned_ns
        for one in operations
    ]
    over_ns = max(times_ns, default=0)
    seen = Seen(tuple(final.get(stream, ())))
    return Read(
        client=-1,
        stream=stream,
        answer=seen,
        called_ns=over_ns + 1,
        returned_ns=over_ns + 1,
    )


class _Turn(NamedTuple):
    """A return, and all operations that were called before it and not returned."""

    returning: int
    open: tuple[int, ...]


class _Configuration(NamedTuple):
    """How far the search has come.

    Attributes:
        passed: How many returns lie behind.
        early: The operations that took effect and have not returned yet.
        state: The stream's ids.
    """

    passed: int
    early: frozenset[int]
    state: tuple[str, ...]


def _explained(operations: Sequence[Operation], steps_max: int) -> bool:
    """Search, depth first, for a way past every return."""
    turns = _turns(operations)
    unsettled = [_Configuration(0, frozenset(), ())]
    seen = set(unsettled)
    while unsettled:
        configuration = unsettled.pop()
        if configuration.passed == len(turns):
            return True
        if len(seen) > steps_max:
            raise SearchTooLong(operations[0].stream, len(seen))
        turn = turns[configuration.passed]
        for following in _following(configuration, turn, operations):
            if following not in seen:
                seen.add(following)
                unsettled.append(following)
    return False


def _turns(operations: Sequence[Operation]) -> list[_Turn]:
    """List the returns in order of time; what is simultaneous overlaps."""
    calls = [(one.called_ns, False, n) for n, one in enumerate(operations)]
    returns = [
        (one.returned_ns, True, n)
        for n, one in enumerate(operations)
        if one.returned_ns is not None
    ]
    opened = dict[int, None]()
    turns: list[_Turn] = []
    for _, is_return, number in sorted(calls + returns):
        if is_return:
            turns.append(_Turn(number, tuple(opened)))
            del opened[number]
        else:
            opened[number] = None
    return turns


def _following(
    configuration: _Configuration, turn: _Turn, operations: Sequence[Operation]
) -> Iterator[_Configuration]:
    """Pass the return if its operation took effect; else let any open one do so."""
    passed, early, state = configuration
    if turn.returning in early:
        yield _Configuration(passed + 1, early - {turn.returning}, state)
        return
    for number in turn.open:
        if number not in early:
            after = _after(state, operations[number])
            if after is not None:
                yield _Configuration(passed, early | {number}, after)


def _after(state: tuple[str, ...], operation: Operation) -> tuple[str, ...] | None:
    """Give the stream's ids after the operation; None if it cannot come here.

    An unknown append that is never placed is one that never happened.
    """
    version = len(state)
    match operation:
        case Read(answer=Seen(ids)):
            return state if ids == state else None
        case Append(expected=expected, answer=Refused(actual)):
            return state if actual == version != expected else None
        case Append(expected=expected, ids=ids, answer=Stored(made)):
            fits = version == expected and made == version + len(ids)
            return state + ids if fits else None
        case Append(expected=expected, ids=ids, answer=Unknown()):
            return state + ids if version == expected else None
        case _:
            return None  # A read without an answer.
