"""Small histories: written by hand, or at random: true, with a fault, mere noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from attrs import define, evolve, field

from azcn_events.testing.concurrency import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    Unknown,
)

Final: TypeAlias = dict[str, tuple[str, ...]]
Answer: TypeAlias = Stored | Refused | Unknown
History: TypeAlias = tuple[list[Operation], Final]

STREAMS = ("a", "b")
LOST_WORD = Unknown("StoreBusy")


def asked(
    expected: int,
    ids: str,
    answer: Answer,
    called: int = 0,
    returned: int | None = 1,
) -> Append:
    """Append these ids, one for each letter, to the stream ``s``."""
    unknown = isinstance(answer, Unknown)
    return Append(
        client=called,
        stream="s",
        expected=expected,
        ids=tuple(ids),
        answer=answer,
        called_ns=called,
        returned_ns=None if unknown else returned,
    )


def saw(ids: str, called: int = 0, returned: int = 1) -> Read:
    """Read these ids, one for each letter, from the stream ``s``."""
    return Read(
        client=called,
        stream="s",
        answer=Seen(tuple(ids)),
        called_ns=called,
        returned_ns=returned,
    )


def history(random: Random) -> History:
    """Make a history: in three of eight cases nothing is wrong with it on purpose."""
    if random.random() < 1 / 8:
        return noise(random)
    made = simulated(random)
    return made if random.random() < 3 / 7 else planted(random, *made)


def simulated(random: Random) -> History:
    """Let a store that does one thing after another answer overlapping operations."""
    return _Simulation(random).run()


@define
class _Simulation:
    """Moments of effect are 10 apart; calls and returns lie up to 30 around them."""

    random: Random
    state: defaultdict[str, tuple[str, ...]] = field(
        factory=lambda: defaultdict[str, tuple[str, ...]](tuple)
    )

    def run(self) -> History:
        kinds = [self.append, self.append, self.read, self.read, self.unknown]
        operations = [
            self.random.choice(kinds)(number)
            for number in range(self.random.randint(1, 9))
        ]
        return operations, dict(self.state)

    def times(self, number: int) -> tuple[int, int]:
        moment = 10 * number
        return moment - self.random.randint(0, 30), moment + self.random.randint(0, 30)

    def append(self, number: int) -> Operation:
        stream, expected, ids = self.asked(number)
        version = len(self.state[stream])
        answer: Stored | Refused = Refused(version)
        if expected == version:
            self.state[stream] += ids
            answer = Stored(version + len(ids))
        called, returned = self.times(number)
        return Append(
            client=number,
            stream=stream,
            expected=expected,
            ids=ids,
            answer=answer,
            called_ns=called,
            returned_ns=returned,
        )

    def asked(self, number: int) -> tuple[str, int, tuple[str, ...]]:
        stream = self.random.choice(STREAMS)
        expected = len(self.state[stream]) + self.random.choice([0, 0, 0, -1, 1])
        ids = tuple(f"{number}.{n}" for n in range(self.random.randint(1, 2)))
        return stream, max(expected, 0), ids

    def unknown(self, number: int) -> Operation:
        stream, expected, ids = self.asked(number)
        if expected == len(self.state[stream]) and self.random.random() < 2 / 3:
            self.state[stream] += ids
        called, _ = self.times(number)
        return Append(
            client=number,
            stream=stream,
            expected=expected,
            ids=ids,
            answer=LOST_WORD,
            called_ns=called,
            returned_ns=None,
        )

    def read(self, number: int) -> Operation:
        stream = self.random.choice(STREAMS)
        called, returned = self.times(number)
        lost = self.random.random() < 1 / 8
        return Read(
            client=number,
            stream=stream,
            answer=LOST_WORD if lost else Seen(self.state[stream]),
            called_ns=called,
            returned_ns=None if lost else returned,
        )


def planted(random: Random, operations: list[Operation], final: Final) -> History:
    """Change one answer, one question, some times, or what is stored in the end."""
    if random.random() < 1 / 3:
        stream = random.choice(STREAMS)
        changed = random.choice(LOG_FAULTS)(random, list(final.get(stream, ())))
        return operations, {**final, stream: tuple(changed)}
    place = random.randrange(len(operations))
    fault = random.choice(FAULTS)
    changed_one = fault(random, operations[place])
    return [*operations[:place], changed_one, *operations[place + 1 :]], final


def _drop(random: Random, log: list[str]) -> list[str]:
    start = random.randint(0, len(log))
    return log[:start] + log[start + random.randint(1, 2) :]


def _swap(random: Random, log: list[str]) -> list[str]:
    start = random.randint(0, len(log))
    return log[:start] + log[start : start + 2][::-1] + log[start + 2 :]


def _repeat(random: Random, log: list[str]) -> list[str]:
    return [*log, random.choice(log)] if log else log


def _invent(random: Random, log: list[str]) -> list[str]:
    start = random.randint(0, len(log))
    return [*log[:start], "from nowhere", *log[start:]]


LOG_FAULTS: list[Callable[[Random, list[str]], list[str]]] = [
    _drop,
    _swap,
    _repeat,
    _invent,
]


def _later(random: Random, one: Operation) -> Operation:
    """Move an operation, so that it may come too late for its answer, or too early."""
    by = random.randint(-90, 90)
    returned = None if one.returned_ns is None else one.returned_ns + by
    return evolve(one, called_ns=one.called_ns + by, returned_ns=returned)


def _another_answer(random: Random, one: Operation) -> Operation:
    """Tell another number, or another kind of answer."""
    by = random.choice([-1, 1])
    match one:
        case Append(answer=Stored(version)):
            told: list[Answer] = [Stored(version + by), Refused(version)]
            return evolve(one, answer=random.choice(told))
        case Append(answer=Refused(actual)):
            told = [Refused(actual + by), Stored(actual + 1)]
            return evolve(one, answer=random.choice(told))
        case Read(answer=Seen(ids)):
            answer = random.choice([Seen(ids[:-1]), Seen(ids[:-1]), Seen(ids[::-1])])
            return evolve(one, answer=answer)
        case _:
            return one


def _another_question(random: Random, one: Operation) -> Operation:
    if isinstance(one, Append):
        return evolve(one, expected=max(one.expected + random.choice([-1, 1]), 0))
    return one


FAULTS: list[Callable[[Random, Operation], Operation]] = [
    _later,
    _later,
    _another_answer,
    _another_answer,
    _another_question,
]


def noise(random: Random) -> History:
    """Ask and answer anything, near enough to the truth to be true now and then."""
    operations: list[Operation] = []
    for number in range(random.randint(1, 4)):
        called, length = random.randint(0, 50), random.randint(0, 50)
        told: list[Answer] = [
            Stored(random.randint(1, 3)),
            Refused(random.randint(0, 2)),
            LOST_WORD,
        ]
        answer = random.choice(told)
        operations.append(
            Append(
                client=number,
                stream="a",
                expected=random.randint(0, 2),
                ids=(f"{number}.0", f"{number}.1")[: random.randint(1, 2)],
                answer=answer,
                called_ns=called,
                returned_ns=None if isinstance(answer, Unknown) else called + length,
            )
        )
    ids = [id_ for one in operations if isinstance(one, Append) for id_ in one.ids]
    return operations, {"a": tuple(random.sample(ids, random.randint(0, len(ids))))}
