"""Whether answers fit together, judged by the log that is left in the end.

An append-only log is its own witness. It says in which order the appends took
effect, and a read or a refusal names the version that it found, so nearly
everything has one place. What remains is to see whether time allows that order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from azcn_events.errors import InvalidValue
from azcn_events.testing.concurrency.anomaly import Anomaly, Kind
from azcn_events.testing.concurrency.history import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    Unknown,
)

__all__ = ["FAILURE_RATE_MAX", "anomalies", "failing"]

FAILURE_RATE_MAX: Final = 0.01
"""The share of operations that may fail before it is an anomaly."""


def anomalies(
    operations: Iterable[Operation], final: Mapping[str, Sequence[str]]
) -> list[Anomaly]:
    """Find what no store that does one thing after another could have answered.

    The list is empty exactly if the history is linearizable and ``final`` is what
    it leaves: then every operation has a moment between its call and its return at
    which it can have taken effect. Streams are judged one by one, which is enough,
    as linearizability is a local property. Time: n log n for n operations, plus
    the ids that reads have seen.

    Args:
        operations: In any order; streams were empty before.
        final: For each stream the ids that it holds in the end, oldest first; a
            stream that is left out holds none.

    Returns:
        The operation at fault that was called first comes first; before it what
        no operation can be blamed for.

    Raises:
        InvalidValue: If two appends have an id in common.

    Source:
        Locality: Herlihy & Wing (1990), ACM TOPLAS 12(3), 463-492, theorem 1. That
        the order of versions and the order in time need only agree pair by pair
        follows from the former being a preorder in which any two are comparable.
    """
    by_stream = defaultdict[str, list[Operation]](list)
    for operation in operations:
        by_stream[operation.stream].append(operation)
    found = [
        anomaly
        for stream in sorted(by_stream.keys() | final.keys())
        for anomaly in _in_stream(
            stream, by_stream[stream], tuple(final.get(stream, ()))
        )
    ]
    return sorted(found, key=_called_ns)


def failing(operations: Sequence[Operation]) -> list[Anomaly]:
    """Find out whether more than 1 in 100 operations had no answer but an error.

    It is no fault of order to fail, but a store that fails all the time keeps every
    other promise.

    Returns:
        One anomaly, with the first failures, or none.
    """
    failed = [one for one in operations if isinstance(one.answer, Unknown)]
    if len(failed) <= FAILURE_RATE_MAX * len(operations):
        return []
    failed.sort(key=lambda one: one.called_ns)
    words = f"{len(failed):,} of {len(operations):,} operations failed"
    return [Anomaly(Kind.FAILING, "", words, tuple(failed[:3]))]


def _called_ns(anomaly: Anomaly) -> int:
    return anomaly.operations[0].called_ns if anomaly.operations else 0


@frozen
class _Placed:
    """An operation that the log has a place for.

    Attributes:
        before: The version that it found.
        after: The version that it left.
    """

    operation: Operation
    before: int
    after: int


_Verdict: TypeAlias = _Placed | Anomaly | None
"""None: it needs no place, for nobody can tell that it happened."""


def _in_stream(
    stream: str, operations: Sequence[Operation], log: tuple[str, ...]
) -> list[Anomaly]:
    """Judge one stream: its log, then each operation alone, then their times."""
    appends = [one for one in operations if isinstance(one, Append)]
    appended = Counter(id_ for append in appends for id_ in append.ids)
    for id_, times in appended.items():
        if times > 1:
            raise InvalidValue(id_, f"{times} appends have this id", "new ids each")
    found = list(_in_log(stream, log, appends))
    judge = _judge(stream, log, appends)
    placed: list[_Placed] = []
    for operation in operations:
        match judge.verdict(operation):
            case _Placed() as place:
                placed.append(place)
            case Anomaly() as anomaly:
                found.append(anomaly)
            case None:
                pass
    return found + list(_out_of_time(stream, placed))


def _in_log(
    stream: str, log: tuple[str, ...], appends: Iterable[Append]
) -> Iterator[Anomaly]:
    """Find ids that are there too often, and those that came from nowhere."""
    origins = {id_: append for append in appends for id_ in append.ids}
    for id_, times in Counter(log).items():
        if id_ not in origins:
            yield Anomaly(Kind.FOREIGN, stream, f"nobody appended {id_} to it")
        elif times > 1:
            words = f"{id_} is stored {times} times"
            yield Anomaly(Kind.DOUBLED, stream, words, (origins[id_],))


def _judge(stream: str, log: tuple[str, ...], appends: Iterable[Append]) -> _Judge:
    """Look up once where everything is."""
    places = dict[str, int]()
    for index, id_ in enumerate(log):
        places.setdefault(id_, index)
    parts = dict[int, Append]()
    for append in appends:
        start = places.get(append.ids[0])
        if start is not None and log[start : start + len(append.ids)] == append.ids:
            parts[start] = append
    edges = {0} | {start + len(append.ids) for start, append in parts.items()}
    return _Judge(stream, log, places, parts, edges)


@frozen
class _Judge:
    """Knows one stream's log, and which append each part of it comes from.

    Attributes:
        places: For each id its first index in the log.
        parts: For each version the append that is stored, in one piece, after it.
        edges: The versions between appends: those that the stream once had.
    """

    stream: str
    log: tuple[str, ...]
    places: dict[str, int]
    parts: dict[int, Append]
    edges: set[int]

    def verdict(self, operation: Operation) -> _Verdict:
        """Give the operation its place, or say why it can have none."""
        match operation:
            case Append(answer=Refused(actual)):
                return self._of_refused(operation, actual)
            case Append():
                return self._of_append(operation)
            case Read(answer=Seen(ids)):
                return self._of_read(operation, ids)
            case Read():
                return None

    def _of_append(self, append: Append) -> _Verdict:
        stored = [id_ for id_ in append.ids if id_ in self.places]
        if not stored and isinstance(append.answer, Unknown):
            return None
        if not stored:
            return self._anomaly(
                Kind.LOST, "an acknowledged append is not in the log", append
            )
        before = self.places.get(append.ids[0])
        if before is None or self.parts.get(before) is not append:
            words = "of one append only a part is stored, or not in one piece"
            return self._anomaly(Kind.TORN, f"{words}: {', '.join(stored)}", append)
        after = before + len(append.ids)
        if before != append.expected:
            words = f"expected version {append.expected}, but stored after {before}"
            first = self.parts.get(append.expected)
            rivals = (first,) if first else ()
            return self._anomaly(Kind.UNCHECKED, words, append, *rivals)
        match append.answer:
            case Stored(version) if version != after:
                words = f"acknowledged as version {version}, but it is {after}"
                return self._anomaly(Kind.MISNUMBERED, words, append)
            case _:
                return _Placed(append, before, after)

    def _of_refused(self, append: Append, actual: int) -> _Verdict:
        if any(id_ in self.places for id_ in append.ids):
            words = "a refused append is in the log"
            return self._anomaly(Kind.STORED_THOUGH_REFUSED, words, append)
        if actual == append.expected:
            words = f"refused at version {actual}, which is the expected one"
            return self._anomaly(Kind.WRONG_REFUSAL, words, append)
        if actual not in self.edges:
            words = f"refused at version {actual}, which the stream never had"
            return self._anomaly(Kind.WRONG_REFUSAL, words, append)
        return _Placed(append, actual, actual)

    def _of_read(self, read: Read, ids: tuple[str, ...]) -> _Verdict:
        version = len(ids)
        if self.log[:version] != ids:
            words = "a read saw what is not the beginning of the log"
            return self._anomaly(Kind.WRONG_READ, words, read)
        if version not in self.edges:
            words = f"a read ended at version {version}, in the middle of an append"
            return self._anomaly(Kind.HALF_READ, words, read)
        return _Placed(read, version, version)

    def _anomaly(self, kind: Kind, words: str, *operations: Operation) -> Anomaly:
        return Anomaly(kind, self.stream, words, operations)


def _out_of_time(stream: str, placed: Iterable[_Placed]) -> Iterator[Anomaly]:
    """Find operations that found less than was there before they were called."""
    by_call = sorted(placed, key=lambda place: place.operation.called_ns)
    returned = sorted(
        [
            (place.operation.returned_ns, number)
            for number, place in enumerate(by_call)
            if place.operation.returned_ns is not None
        ],
        reverse=True,
    )
    newest: _Placed | None = None
    for place in by_call:
        while returned and returned[-1][0] < place.operation.called_ns:
            earlier = by_call[returned.pop()[1]]
            if newest is None or earlier.after > newest.after:
                newest = earlier
        if newest is not None and place.before < newest.after:
            words = (
                f"worked on version {place.before} after client"
                f" {newest.operation.client} had been told of version {newest.after}"
            )
            yield Anomaly(
                Kind.STALE, stream, words, (place.operation, newest.operation)
            )
