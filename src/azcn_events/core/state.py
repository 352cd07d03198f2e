"""Where an agreement stands: statuses, what moves them, and the fold of records.

The tables say what each effect makes of each status; the lifecycle's rules say
which fact has which effect.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, Protocol

import attrs
from attrs import field, frozen

from azcn_events.core.events import (
    Event,
    MilestonePromised,
    Recorded,
    Resumed,
    Suspended,
    Terminated,
)
from azcn_events.core.values import Answer, Range, When, ordinal_of_us

__all__ = [
    "ADVANCE",
    "GRACE",
    "UNEXPECTED",
    "Activity",
    "Deviation",
    "Effect",
    "Fold",
    "MilestoneState",
    "Rules",
    "State",
    "Status",
    "counted",
    "impossible_date",
    "occurred",
    "surely_before",
]


class Status(enum.Enum):
    """How far one milestone has come, by what was said."""

    UNMENTIONED = "unmentioned"
    PROMISED = "promised"
    IN_PROGRESS = "in progress"
    MET = "met"
    REVERTED = "reverted"
    WAIVED = "waived"

    __hash__ = object.__hash__  # Enum's own is Python code, and tables ask often.


class Activity(enum.Enum):
    """Whether the agreement as a whole is alive."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class Effect(enum.Enum):
    """What a fact does to a milestone."""

    PROMISE = "promise"
    BEGIN = "begin"
    MEET = "meet"
    REVERT = "revert"
    WAIVE = "waive"

    __hash__ = object.__hash__  # As above.


_U, _P, _I, _M, _R, _W = Status
ADVANCE: Final[Mapping[Effect, Mapping[Status, Status]]] = MappingProxyType(
    {
        Effect.PROMISE: {_U: _P, _P: _P, _I: _I, _M: _M, _R: _P, _W: _P},
        Effect.BEGIN: {_U: _I, _P: _I, _I: _I, _M: _M, _R: _I, _W: _I},
        Effect.MEET: {_U: _M, _P: _M, _I: _M, _M: _M, _R: _M, _W: _M},
        Effect.REVERT: {_U: _R, _P: _R, _I: _R, _M: _R, _R: _R, _W: _R},
        Effect.WAIVE: {_U: _W, _P: _W, _I: _W, _M: _M, _R: _W, _W: _W},
    }
)
"""The status of a milestone after an effect: ``ADVANCE[effect][before]``."""

UNEXPECTED: Final[Mapping[tuple[Effect, Status], str]] = MappingProxyType(
    {
        (Effect.PROMISE, _M): "promised although already met",
        (Effect.PROMISE, _W): "promised although waived",
        (Effect.BEGIN, _M): "in progress although already met",
        (Effect.BEGIN, _W): "begun although waived",
        (Effect.MEET, _W): "met although waived",
        (Effect.REVERT, _U): "reverted although never mentioned before",
        (Effect.REVERT, _P): "a promise was withdrawn",
        (Effect.REVERT, _I): "progress was undone",
        (Effect.REVERT, _M): "what was met is so no longer",
        (Effect.REVERT, _W): "reverted although waived",
        (Effect.WAIVE, _M): "waived although already met",
    }
)
"""Effects that are recorded and reported, in words."""

_LIVELY: Final[Mapping[type[Event], Activity]] = {
    Suspended: Activity.SUSPENDED,
    Resumed: Activity.ACTIVE,
    Terminated: Activity.TERMINATED,
}

GRACE: Final = timedelta(days=1)
"""Sources write days of their own zone, stores record in UTC."""


@frozen
class MilestoneState:
    """Where one milestone stands, and the records that say so.

    Attributes:
        status: The status by what is certain.
        records: The records that bear on it, in the order in which they count.
        maybe: Further statuses it may have at the day in question, because some
            facts are only possibly earlier than that day; mostly empty.
        unsure: Those of ``records`` that are only possibly earlier.
    """

    status: Status = Status.UNMENTIONED
    records: tuple[Recorded, ...] = ()
    maybe: frozenset[Status] = frozenset()
    unsure: tuple[Recorded, ...] = ()

    def is_(self, status: Status) -> Answer:
        """Say whether it has this status."""
        if self.maybe:
            possible = status is self.status or status in self.maybe
            return Answer.MAYBE if possible else Answer.NO
        return Answer.YES if status is self.status else Answer.NO

    @property
    def promise(self) -> Recorded | None:
        """The record that promised it last, as they count; None if none does."""
        promises = self._promises()
        return promises[-1] if promises else None

    @property
    def target(self) -> When | None:
        """By when it was last promised; None if it was not."""
        promise = self.promise
        if promise is None or not isinstance(promise.event, MilestonePromised):
            return None
        return promise.event.target

    def overdue(self, on: date) -> Answer:
        """Say whether its target has passed on *on* without its being met.

        A promise without a target is never overdue.
        """
        today, answers = When.between(on, on), set[Answer]()
        for status in (self.status, *self.maybe):
            if status in _CLOSED:
                answers.add(Answer.NO)
        if self.status not in _CLOSED or not self.maybe <= _CLOSED:
            answers |= {_passed(target, today) for target in self._targets()}
        return answers.pop() if len(answers) == 1 else Answer.MAYBE

    def age_days(self, on: date) -> Range | None:
        """Give the days since it was first promised or begun; None if never."""
        if not self.records:
            return None
        return self.records[0].event.when.days_until(When.between(on, on))

    def _promises(self) -> list[Recorded]:
        return [r for r in self.records if isinstance(r.event, MilestonePromised)]

    def _targets(self) -> Iterator[When]:
        """Yield the target of every promise that may be the last one made."""
        for record in reversed(self._promises()):
            yield record.event.target  # type: ignore[attr-defined] # chosen by class
            if record not in self.unsure:
                return
        yield When.unknown()


_CLOSED: Final = frozenset({Status.MET, Status.WAIVED, Status.REVERTED})
"""Nothing is awaited of a milestone in these."""


def _passed(target: When, today: When) -> Answer:
    return target.before(today) if target.is_known else Answer.NO


def _unchanging(
    milestones: Mapping[str, MilestoneState],
) -> Mapping[str, MilestoneState]:
    return MappingProxyType(milestones)


@frozen
class State:
    """Where an agreement stands: a fold of its records.

    Attributes:
        stream: Name of its stream; empty if it has no record.
        version: Version of the newest record that counts; 0 if there is none.
        activity: Whether it is alive, by what is certain.
        activity_maybe: Further activities possible at the day in question.
        milestones: A state for every milestone, in the lifecycle's order.
        opening: The record that opened it, if the lifecycle asks for one.
        ending: The record that terminated it, while it is terminated.
    """

    stream: str
    version: int
    activity: Activity
    activity_maybe: frozenset[Activity]
    milestones: Mapping[str, MilestoneState] = field(converter=_unchanging)
    opening: Recorded | None = None
    ending: Recorded | None = None

    def __reduce__(self) -> tuple[type[State], tuple[object, ...]]:
        """Let it be copied and pickled, which a read-only mapping cannot be."""
        values = (getattr(self, one.name) for one in attrs.fields(type(self)))
        return type(self), tuple(dict(v) if v is self.milestones else v for v in values)

    def furthest(self) -> str | None:
        """Give the last milestone, in the lifecycle's order, that is surely met."""
        met = [
            name
            for name, milestone in self.milestones.items()
            if milestone.is_(Status.MET) is Answer.YES
        ]
        return met[-1] if met else None


@frozen
class Deviation:
    """An allowed but unexpected fact.

    Attributes:
        code: ``"skipped"``, ``"out-of-order"``, ``"regressed"``,
            ``"unexpected"``, ``"re-activated"``, ``"while-suspended"``,
            ``"impossible-date"`` or ``"dates-out-of-order"``.
        record: The record in question.
        milestone: The milestone in question; empty if none.
        message: What is unexpected, in words.
    """

    code: str
    record: Recorded
    milestone: str
    message: str

    def __str__(self) -> str:
        return f"{self.record.stream} version {self.record.version}: {self.message}"


class Rules(Protocol):
    """What a fold asks of a lifecycle."""

    @property
    def opened_by(self) -> type[Event] | None:
        """The fact that opens a stream; None if any may."""
        ...

    @property
    def milestone_names(self) -> tuple[str, ...]:
        """The milestones, in order."""
        ...

    def moves(self, event: Event) -> tuple[tuple[str, Effect], ...]:
        """Give the milestones that a fact moves, and how."""
        ...


class Fold:
    """The mutable half of :meth:`Lifecycle.replay`: count records, then freeze."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.stream = ""
        self.version = 0
        self.lives: list[_Life] = [_ALIVE]  # First what is sure, then what may be.
        self.opening: Recorded | None = None
        self.status: dict[str, Status] = {}
        self.possible: dict[str, set[Status]] = {}
        self.records: dict[str, list[Recorded]] = {}
        self.unsure: dict[str, list[Recorded]] = {}

    @property
    def activity(self) -> Activity:
        """Whether it is alive, by what is certain."""
        return self.lives[0][0]

    @property
    def ending(self) -> Recorded | None:
        """The record that terminated it, while it is surely terminated."""
        return self.lives[0][1]

    def step(self, record: Recorded, as_of: date | None = None) -> None:
        """Count one record; leave it out if it had surely not come by *as_of*."""
        happened = Answer.YES if as_of is None else occurred(record, as_of)
        if happened is Answer.NO:
            return
        event, rules = record.event, self.rules
        self.stream, self.version = record.stream, max(self.version, record.version)
        kind = type(event)
        if kind is rules.opened_by:
            self.opening = record
        if kind in _LIVELY and not impossible_date(record):
            self._enliven(record, _LIVELY[kind], happened)
        for name, effect in rules.moves(event):
            self._advance(name, effect, record, happened)

    def _enliven(self, record: Recorded, after: Activity, happened: Answer) -> None:
        lives = [_next_life(life, record, after) for life in self.lives]
        if happened is Answer.MAYBE:
            lives = [*self.lives, *lives]
        self.lives = [life for at, life in enumerate(lives) if life not in lives[:at]]

    def _advance(
        self, name: str, effect: Effect, record: Recorded, happened: Answer
    ) -> None:
        table = ADVANCE[counted(record, effect)]
        before = self.status.get(name, Status.UNMENTIONED)
        self.records.setdefault(name, []).append(record)
        possible = self.possible.get(name)
        if happened is Answer.YES:
            self.status[name] = table[before]
            if possible:
                self.possible[name] = {table[status] for status in possible}
        else:
            self.unsure.setdefault(name, []).append(record)
            possible = possible or {before}
            self.possible[name] = possible | {table[status] for status in possible}

    def state(self) -> State:
        """Freeze what has been counted."""
        milestones: dict[str, MilestoneState] = {}
        for name in self.rules.milestone_names:
            records = self.records.get(name)
            if not records:
                milestones[name] = _UNMENTIONED
                continue
            status = self.status.get(name, Status.UNMENTIONED)
            maybe = frozenset(self.possible.get(name, ())) - {status}
            unsure = tuple(self.unsure.get(name, ()))
            milestones[name] = MilestoneState(status, tuple(records), maybe, unsure)
        return State(
            self.stream,
            self.version,
            self.activity,
            frozenset(activity for activity, _ in self.lives) - {self.activity},
            milestones,
            self.opening,
            self.ending,
        )


_UNMENTIONED: Final = MilestoneState()
_ACHIEVES: Final = (Effect.BEGIN, Effect.MEET)

_Life = tuple[Activity, Recorded | None]
"""An activity, and the record that terminated it, if it is terminated."""

_ALIVE: Final[_Life] = (Activity.ACTIVE, None)


def _next_life(life: _Life, record: Recorded, after: Activity) -> _Life:
    ending = life[1]
    if after is Activity.TERMINATED:
        return after, record
    if ending and surely_before(record, ending):
        return life  # Late news from before the end does not undo the end.
    return after, None


def surely_before(record: Recorded, other: Recorded) -> bool:
    """Say whether one fact was surely so on an earlier day than another."""
    return record.event.when.before(other.event.when) is Answer.YES


def counted(record: Recorded, effect: Effect) -> Effect:
    """Give the effect that counts: what is dated after its recording is promised."""
    if effect in _ACHIEVES and impossible_date(record):
        return Effect.PROMISE
    return effect


def occurred(record: Recorded, day: date) -> Answer:
    """Say whether a recorded fact had come by the end of *day*.

    What a source reports as having happened had happened by the time we wrote it
    down: so once that day is reached, open or blurred bounds leave no doubt.
    """
    by = record.event.when.by(day)
    return Answer.YES if by is Answer.MAYBE and record.recorded_on <= day else by


def impossible_date(record: Recorded) -> bool:
    """Say whether a fact is dated after its recording, by more than zones explain."""
    # Day numbers: this is asked for every fact that is replayed.
    earliest = record.event.when.earliest
    return earliest is not None and (
        earliest.toordinal() > ordinal_of_us(record.recorded_us) + GRACE.days
    )
