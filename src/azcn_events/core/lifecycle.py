"""The rules: which facts move which milestones, and which are refused.

A :class:`Lifecycle` is one value. Recording, replaying, the deviations, the
diagrams and the generated tests all read the tables below and nothing else.

Life is not a line: a fact is refused only if it is impossible. What is merely
unexpected is recorded, and reported as a :class:`Deviation`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

import attrs
from attrs import field, frozen

from azcn_events.core.events import (
    COMMON,
    Event,
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Recorded,
    Resumed,
    Retracted,
    Suspended,
    Terminated,
)
from azcn_events.core.values import Answer, Range, When, ordinal_of_us
from azcn_events.errors import InvalidLifecycle, TransitionRefused, UnknownName, listed

__all__ = [
    "Activity",
    "Deviation",
    "Effect",
    "Fold",
    "Lifecycle",
    "Milestone",
    "MilestoneState",
    "State",
    "Status",
    "Upcast",
    "counted",
    "occurred",
]

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the plain JSON object of one version into that of the next."""


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

_NAMED: Final[Mapping[type[Event], Effect]] = {
    MilestonePromised: Effect.PROMISE,
    MilestoneProgressed: Effect.BEGIN,
    MilestoneReverted: Effect.REVERT,
    MilestoneWaived: Effect.WAIVE,
}
_LIVELY: Final[Mapping[type[Event], Activity]] = {
    Suspended: Activity.SUSPENDED,
    Resumed: Activity.ACTIVE,
    Terminated: Activity.TERMINATED,
}
_AFTER_THE_END: Final = (Resumed, Terminated)
"""The news that a terminated agreement admits."""

GRACE: Final = timedelta(days=1)
"""Sources write days of their own zone, stores record in UTC."""


def _classes(given: type[Event] | Iterable[type[Event]]) -> tuple[type[Event], ...]:
    return (given,) if isinstance(given, type) else tuple(given)


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen
class Milestone:
    """A named thing that an agreement can reach.

    Attributes:
        name: Its name, lower-case words joined by hyphens.
        met_by: The class of facts that meets it, or several.
        begun_by: Classes of facts that show it partly met.
        requires: Milestones without which meeting it is impossible: refused
            unless each is met or waived.
        expects: Milestones that usually come first: their lack is a deviation.
    """

    name: str
    met_by: tuple[type[Event], ...] = field(converter=_classes)
    begun_by: tuple[type[Event], ...] = field(converter=_classes, default=())
    requires: tuple[str, ...] = field(converter=_names, default=())
    expects: tuple[str, ...] = field(converter=_names, default=())


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
    milestones: Mapping[str, MilestoneState]
    opening: Recorded | None = None
    ending: Recorded | None = None

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


_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@frozen(eq=False)
class Lifecycle:
    """Events, milestones and rules, as one value.

    Attributes:
        name: Its name.
        events: Stored names and event classes. The names are on disk: add, never
            rename. The common facts are always there and need no listing.
        milestones: The milestones, in the order in which reports show them.
        opened_by: The fact that must come first; None if any may.
        category: The streams that have milestones: those whose names start with
            ``category/``; empty for every stream.
        streams: Which facts each category of streams takes; a category that is
            not listed is refused. Empty: every stream takes every fact. The
            common facts need no listing where there are milestones, and
            ``Retracted`` nowhere.
        upcasts: ``(stored name, n)`` and how its version n becomes version n + 1.
            The newest version, which is recorded, is one more than the last n.

    Raises:
        InvalidLifecycle: If it contradicts itself; lists every contradiction.
    """

    name: str
    events: Mapping[str, type[Event]]
    milestones: tuple[Milestone, ...] = ()
    opened_by: type[Event] | None = None
    category: str = ""
    streams: Mapping[str, tuple[type[Event], ...]] = field(
        factory=dict[str, tuple[type[Event], ...]]
    )
    upcasts: Mapping[tuple[str, int], Upcast] = field(
        factory=dict[tuple[str, int], Upcast]
    )
    _effects: Mapping[type[Event], tuple[tuple[str, Effect], ...]] = field(
        init=False, repr=False
    )
    _names: Mapping[type[Event], str] = field(init=False, repr=False)
    _by_name: Mapping[str, Milestone] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        problems = tuple(_contradictions(self))
        if problems:
            raise InvalidLifecycle(self.name, problems)
        effects: dict[type[Event], list[tuple[str, Effect]]] = {}
        for milestone in self.milestones:
            for kind in milestone.begun_by:
                effects.setdefault(kind, []).append((milestone.name, Effect.BEGIN))
            for kind in milestone.met_by:
                effects.setdefault(kind, []).append((milestone.name, Effect.MEET))
        table = {kind: tuple(moves) for kind, moves in effects.items()}
        names = {kind: name for name, kind in self.kinds.items()}
        by_name = {milestone.name: milestone for milestone in self.milestones}
        object.__setattr__(self, "_effects", table)
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_by_name", by_name)

    @property
    def kinds(self) -> Mapping[str, type[Event]]:
        """Every stored name and its class, the common facts included."""
        return {**self.events, **COMMON}

    def name_of(self, kind: type[Event]) -> str:
        """Give the stored name of an event class.

        Raises:
            UnknownName: If the lifecycle does not list it.
        """
        try:
            return self._names[kind]
        except KeyError:
            known = tuple(known.__name__ for known in self._names)
            raise UnknownName("event class", kind.__name__, known) from None

    def version_of(self, name: str) -> int:
        """Give the version in which facts of this stored name are recorded now."""
        return 1 + max((v for known, v in self.upcasts if known == name), default=0)

    def has_milestones(self, stream: str) -> bool:
        """Say whether the milestones are about this stream."""
        return not self.category or stream.partition("/")[0] == self.category

    def moves(self, event: Event) -> tuple[tuple[str, Effect], ...]:
        """Give the milestones that a fact moves, and how."""
        kind = type(event)
        effect = _NAMED.get(kind)
        if effect is None:
            return self._effects.get(kind, ())
        return ((event.milestone, effect),)  # type: ignore[attr-defined] # every class in _NAMED has it

    def replay(
        self, records: Iterable[Recorded], *, as_of: date | None = None
    ) -> State:
        """Fold records, corrections already applied, into the state they leave.

        Never fails: what is in the log has happened to the log.

        Args:
            records: One stream's records in the order in which they count.
            as_of: Count what had surely come by the end of this day, and note
                what possibly had; None counts everything.
        """
        fold = Fold(self)
        for record in records:
            fold.step(record, as_of)
        return fold.state()

    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        """Say why a fact cannot follow, or None if it can. The hard rules.

        Raises:
            UnknownName: If the fact's class or the milestone it names is unknown,
                or the stream's category is.
        """
        kind = type(event)
        name = self.name_of(kind)
        found = self._misplaced(kind, stream)
        if not found and self._ruled(stream):
            found = self._impossible(state, event)
        if not found:
            return None
        code, reason = found
        allowed = tuple(self.admitted(state, stream))
        return TransitionRefused(stream, name, code, reason, allowed)

    def admitted(self, state: State, stream: str = "") -> Iterator[str]:
        """Yield the stored names of the facts that may follow, whatever they say.

        A fact that names a milestone is listed if it may follow for some
        milestone.
        """
        ruled = self._ruled(stream)
        for name, kind in self.kinds.items():
            if self._misplaced(kind, stream) or (ruled and self._barred(state, kind)):
                continue
            yield name

    def deviations(self, records: Iterable[Recorded]) -> tuple[Deviation, ...]:
        """List what is unexpected in one stream's records: the soft rules.

        Args:
            records: As for :meth:`replay`.

        Returns:
            Deviations in the order of the records.
        """
        known = tuple(records)
        fold = Fold(self)
        found = list[Deviation]()
        for place, record in enumerate(known):
            found += self._unexpected(fold, record, known[place + 1 :])
            fold.step(record)
        return tuple(found)

    def _ruled(self, stream: str) -> bool:
        return not stream or self.has_milestones(stream)

    def _misplaced(self, kind: type[Event], stream: str) -> tuple[str, str] | None:
        if not self.streams:
            return None
        category = stream.partition("/")[0] if stream else self.category
        if category not in self.streams:
            raise UnknownName("category of streams", category, tuple(self.streams))
        common = kind is Retracted or (self._ruled(stream) and kind in _COMMON)
        if common or kind in self.streams[category]:
            return None
        return "misplaced", f"streams of category {category!r} do not take it"

    def _impossible(self, state: State, event: Event) -> tuple[str, str] | None:
        for name, _ in self.moves(event):
            if name not in self._by_name:
                raise UnknownName("milestone", name, tuple(self._by_name))
        found = self._barred(state, type(event))
        if not found or found[0] != "terminated" or not state.ending:
            return found
        ended = state.ending.event.when
        if event.when.before(ended) is Answer.YES:
            return self._unmet(state, type(event))  # Late news from before the end.
        return found

    def _barred(self, state: State, kind: type[Event]) -> tuple[str, str] | None:
        opening = self.opened_by
        if opening and not state.opening and kind is not opening:
            return "not-opened", f"{self.name_of(opening)!r} must come first"
        if state.activity is Activity.TERMINATED and kind not in _AFTER_THE_END:
            reason = (
                "it is terminated; record what happened before the end with a date"
                " before it, or that it resumed"
            )
            return "terminated", reason
        return self._unmet(state, kind)

    def _unmet(self, state: State, kind: type[Event]) -> tuple[str, str] | None:
        for name, effect in self._effects.get(kind, ()):
            if effect is not Effect.MEET:
                continue
            lacking = [
                required
                for required in self._by_name[name].requires
                if state.milestones[required].status not in _SETTLED
            ]
            if lacking:
                reason = f"{name!r} requires {listed(map(repr, lacking))} first"
                return "requires", reason
        return None

    def _unexpected(
        self, fold: Fold, record: Recorded, later: tuple[Recorded, ...]
    ) -> Iterator[Deviation]:
        event, kind = record.event, type(record.event)
        if _impossible_date(record):
            message = f"dated {event.when}, but recorded on {record.recorded_on}"
            yield Deviation("impossible-date", record, "", message)
        activity = fold.activity
        if fold.ending and _surely_before(record, fold.ending):
            pass  # Late news from before the end does not undo the end.
        elif kind is Resumed and activity is Activity.TERMINATED:
            message = "taken up again after its termination"
            yield Deviation("re-activated", record, "", message)
        elif kind is Resumed and activity is Activity.ACTIVE:
            message = "resumed although it was not on hold"
            yield Deviation("unexpected", record, "", message)
        elif activity is Activity.SUSPENDED and self.moves(event):
            message = f"{self.name_of(kind)} while it is suspended"
            yield Deviation("while-suspended", record, "", message)
        for name, said in self.moves(event):
            effect = counted(record, said)
            before = fold.status.get(name, Status.UNMENTIONED)
            words = UNEXPECTED.get((effect, before))
            if words:
                code = "regressed" if effect is Effect.REVERT else "unexpected"
                yield Deviation(code, record, name, f"{name}: {words}")
            if effect is Effect.MEET and before is not Status.MET:
                yield from self._out_of_order(fold, record, name, later)

    def _out_of_order(
        self, fold: Fold, record: Recorded, name: str, later: tuple[Recorded, ...]
    ) -> Iterator[Deviation]:
        for expected in self._by_name[name].expects:
            if fold.status.get(expected) not in _SETTLED:
                comes = any(
                    (expected, Effect.MEET) in self.moves(r.event) for r in later
                )
                code = "out-of-order" if comes else "skipped"
                message = f"{name} is met, but {expected} is expected before it"
                yield Deviation(code, record, name, message)
                continue
            for earlier in fold.records.get(expected, ()):
                meets = (expected, Effect.MEET) in self.moves(earlier.event)
                after = record.event.when.before(earlier.event.when)
                if meets and after is Answer.YES:
                    message = (
                        f"{name} is dated {record.event.when}, before {expected},"
                        f" which is expected earlier and dated {earlier.event.when}"
                    )
                    yield Deviation("dates-out-of-order", record, name, message)


_COMMON: Final = frozenset(COMMON.values())
_SETTLED: Final = (Status.MET, Status.WAIVED)


class Fold:
    """The mutable half of :meth:`Lifecycle.replay`: count records, then freeze."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
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
        event, lifecycle = record.event, self.lifecycle
        self.stream, self.version = record.stream, max(self.version, record.version)
        kind = type(event)
        if kind is lifecycle.opened_by:
            self.opening = record
        if kind in _LIVELY:
            self._enliven(record, _LIVELY[kind], happened)
        for name, effect in lifecycle.moves(event):
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
        for milestone in self.lifecycle.milestones:
            name = milestone.name
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
            MappingProxyType(milestones),
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
    if ending and _surely_before(record, ending):
        return life  # Late news from before the end does not undo the end.
    return after, None


def _surely_before(record: Recorded, other: Recorded) -> bool:
    return record.event.when.before(other.event.when) is Answer.YES


def counted(record: Recorded, effect: Effect) -> Effect:
    """Give the effect that counts: what is dated after its recording is promised."""
    if effect in _ACHIEVES and _impossible_date(record):
        return Effect.PROMISE
    return effect


def occurred(record: Recorded, day: date) -> Answer:
    """Say whether a recorded fact had come by the end of *day*.

    What a source reports as having happened had happened by the time we wrote it
    down: so once that day is reached, open or blurred bounds leave no doubt.
    """
    by = record.event.when.by(day)
    return Answer.YES if by is Answer.MAYBE and record.recorded_on <= day else by


def _impossible_date(record: Recorded) -> bool:
    # Day numbers: this is asked for every fact that is replayed.
    earliest = record.event.when.earliest
    return earliest is not None and (
        earliest.toordinal() > ordinal_of_us(record.recorded_us) + GRACE.days
    )


def _contradictions(lifecycle: Lifecycle) -> Iterator[str]:
    """Yield what is wrong with a lifecycle, one sentence each."""
    for name, kind in lifecycle.events.items():
        if not _NAME.fullmatch(name):
            yield f"the stored name {name!r} is not lower-case words joined by hyphens"
        if name in COMMON:
            yield f"the stored name {name!r} belongs to a common fact"
        if not _is_event_class(kind):
            yield f"{name!r} is no attrs class that inherits Event"
    classes = list(lifecycle.events.values())
    for kind in {kind for kind in classes if classes.count(kind) > 1}:
        yield f"{kind.__name__} has several stored names"
    yield from _contradictions_of_milestones(lifecycle)
    listed_kinds = {*classes, *COMMON.values()}
    for category, kinds in lifecycle.streams.items():
        for kind in kinds:
            if kind not in listed_kinds:
                yield f"category {category!r} takes {kind.__name__}, which has no name"
    if lifecycle.streams and lifecycle.category not in lifecycle.streams:
        yield f"the category {lifecycle.category!r} is not among its streams"
    if lifecycle.opened_by and lifecycle.opened_by not in classes:
        yield f"it opens with {lifecycle.opened_by.__name__}, which has no stored name"
    for name, version in lifecycle.upcasts:
        if name not in lifecycle.kinds:
            yield f"an upcast is for {name!r}, which is no stored name"
        if version != 1 and (name, version - 1) not in lifecycle.upcasts:
            yield f"{name!r} has an upcast from version {version} but not {version - 1}"


def _is_event_class(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Event) and attrs.has(kind)


def _contradictions_of_milestones(lifecycle: Lifecycle) -> Iterator[str]:
    names = [milestone.name for milestone in lifecycle.milestones]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"there are several milestones {name!r}"
    for milestone in lifecycle.milestones:
        if not _NAME.fullmatch(milestone.name):
            yield f"the milestone {milestone.name!r} is not words joined by hyphens"
        for kind in (*milestone.met_by, *milestone.begun_by):
            if kind not in lifecycle.events.values():
                yield f"{milestone.name!r} is moved by {kind.__name__}, not an event"
        for other in (*milestone.requires, *milestone.expects):
            if other not in names:
                yield f"{milestone.name!r} needs {other!r}, which is no milestone"
    requires = {
        milestone.name: milestone.requires for milestone in lifecycle.milestones
    }
    for name, direct in requires.items():
        seen, todo = set[str](), list(direct)
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += requires.get(other, ())
        if name in seen:
            yield f"{name!r} requires itself, by way of others"
