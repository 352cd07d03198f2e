"""The rules: which facts move which milestones, and which are refused.

A :class:`Lifecycle` is one value. Recording, replaying, the deviations, the
diagrams and the generated tests all read the tables below and nothing else.

Life is not a line: a fact is refused only if it is impossible. What is merely
unexpected is recorded, and reported as a :class:`Deviation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

import attrs
from attrs import field, frozen

from azcn_events.core.events import (
    COMMON,
    LEDGER_FACTS,
    LEDGER_STREAMS,
    Event,
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Recorded,
    Resumed,
    Retracted,
    Terminated,
)
from azcn_events.core.state import (
    ADVANCE,
    GRACE,
    UNEXPECTED,
    Activity,
    Deviation,
    Effect,
    Fold,
    MilestoneState,
    State,
    Status,
    counted,
    impossible_date,
    occurred,
    surely_before,
)
from azcn_events.core.values import Answer
from azcn_events.errors import InvalidLifecycle, TransitionRefused, UnknownName, listed

__all__ = [
    "ADVANCE",
    "GRACE",
    "UNEXPECTED",
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


_NAMED: Final[Mapping[type[Event], Effect]] = {
    MilestonePromised: Effect.PROMISE,
    MilestoneProgressed: Effect.BEGIN,
    MilestoneReverted: Effect.REVERT,
    MilestoneWaived: Effect.WAIVE,
}
_AFTER_THE_END: Final = (Resumed, Terminated)
"""The news that a terminated agreement admits."""


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
            ``Retracted`` nowhere. ``report`` and ``erasure`` are always there, for
            facts about the ledger itself, and cannot be listed.
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
        """Every stored name and its class: its own, the common, and the ledger's."""
        return {**self.events, **COMMON, **LEDGER_FACTS}

    @property
    def milestone_names(self) -> tuple[str, ...]:
        """The names of the milestones, in their order."""
        return tuple(self._by_name)

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
        category = stream.partition("/")[0]
        if category in LEDGER_STREAMS:
            return False
        return not self.category or category == self.category

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
        for place in range(len(known)):
            found += self._unexpected(fold, known, place)
            fold.step(known[place])
        return tuple(found)

    def _ruled(self, stream: str) -> bool:
        return not stream or self.has_milestones(stream)

    def _misplaced(self, kind: type[Event], stream: str) -> tuple[str, str] | None:
        category = stream.partition("/")[0] if stream else self.category
        taken = LEDGER_STREAMS.get(category)
        if taken is not None:
            if kind is Retracted or kind in taken:
                return None
            return "misplaced", f"streams of category {category!r} do not take it"
        if kind in _ABOUT_THE_LEDGER:
            places = listed(f"{name}/…" for name in LEDGER_STREAMS)
            return "misplaced", f"it is about the ledger, and belongs in {places}"
        if not self.streams:
            return None
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
        self, fold: Fold, known: tuple[Recorded, ...], place: int
    ) -> Iterator[Deviation]:
        record = known[place]
        event, kind = record.event, type(record.event)
        if impossible_date(record):
            message = f"dated {event.when}, but recorded on {record.recorded_on}"
            yield Deviation("impossible-date", record, "", message)
        activity = fold.activity
        if fold.ending and surely_before(record, fold.ending):
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
                yield from self._out_of_order(fold, known, place, name)

    def _out_of_order(
        self, fold: Fold, known: tuple[Recorded, ...], place: int, name: str
    ) -> Iterator[Deviation]:
        record = known[place]
        for expected in self._by_name[name].expects:
            if fold.status.get(expected) not in _SETTLED:
                later = islice(known, place + 1, None)
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
_ABOUT_THE_LEDGER: Final = frozenset(LEDGER_FACTS.values())
_SETTLED: Final = (Status.MET, Status.WAIVED)


def _contradictions(lifecycle: Lifecycle) -> Iterator[str]:
    """Yield what is wrong with a lifecycle, one sentence each."""
    for name, kind in lifecycle.events.items():
        if not _NAME.fullmatch(name):
            yield f"the stored name {name!r} is not lower-case words joined by hyphens"
        if name in COMMON or name in LEDGER_FACTS:
            yield f"the stored name {name!r} belongs to a common fact"
        if not _is_event_class(kind):
            yield f"{name!r} is no attrs class that inherits Event"
            continue
        for field_name in sorted(_shadows(kind)):
            yield f"{kind.__name__}.{field_name} hides the field that every event has"
    classes = list(lifecycle.events.values())
    for kind in {kind for kind in classes if classes.count(kind) > 1}:
        yield f"{kind.__name__} has several stored names"
    yield from _contradictions_of_milestones(lifecycle)
    for category in LEDGER_STREAMS:
        if category == lifecycle.category or category in lifecycle.streams:
            yield f"the category {category!r} is for facts about the ledger itself"
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


def _shadows(kind: type[Event]) -> set[str]:
    own = {field.name for field in attrs.fields(kind) if not field.inherited}
    return own & {field.name for field in attrs.fields(Event)}


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
