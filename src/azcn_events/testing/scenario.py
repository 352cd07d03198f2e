"""Examples that read as a sentence: given these facts, when that one comes, then so.

::

    given(CONCESSION, fact(LicenceGranted)).when(fact(FirstOre)).then_met("producing")
    given(CONCESSION).when(fact(FirstExport)).then_refused("requires")
    assert given(CONCESSION).when(fact(FirstExport)) == refused("requires")

The facts go the way of all facts, past the same rules that a ledger asks. The records
are called ``r1``, ``r2`` and so on, which a correction can name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, Self, TypeVar, cast

from attrs import evolve, frozen

from azcn_events.core.events import Event
from azcn_events.core.history import History
from azcn_events.core.lifecycle import Activity, Lifecycle, State, Status
from azcn_events.core.values import When, day_of, day_of_us
from azcn_events.errors import RecordNotFound, TransitionRefused, UnknownName
from azcn_events.testing.stand_ins import Clock
from azcn_events.testing.strategies.plain import simplest
from azcn_events.testing.timelines import shown, timeline
from azcn_events.testing.transcript import Log, Transcript, main_stream

__all__ = [
    "Given",
    "Outcome",
    "Verdict",
    "admitted",
    "explained",
    "fact",
    "given",
    "refused",
]

E = TypeVar("E", bound=Event)


def fact(kind: type[E], when: str | When = "2025-01-01", **fields: Any) -> E:  # noqa: ANN401 - the class's own fields
    """Make a fact of which only what matters is said.

    Args:
        kind: Its class.
        when: When it was so; a text is read as EDTF, such as ``"2024"``.
        **fields: What else matters. The rest is as plain as ``simplest`` makes it,
            the citation too.

    Raises:
        TypeError: If the class has no such field.
        ValueError: If these fields cannot stand together.
    """
    dated = when if isinstance(when, When) else When(when)
    return simplest(kind, when=dated, **fields)


def given(
    lifecycle: Lifecycle, *facts: Event, stream: str = "", on: str | date = ""
) -> Given:
    """Begin an example with what is known already.

    Args:
        lifecycle: The rules.
        *facts: What was recorded before, oldest first.
        stream: The stream's name; if empty, one that has milestones.
        on: The day on which they were recorded. If empty, each is recorded as soon
            as it is surely so, but none before 2025-01-01.

    Raises:
        AssertionError: If the lifecycle refuses one: then it is no example.
        UnknownName: If the lifecycle does not know a fact's class or milestone.
    """
    __tracebackhide__ = True
    name = stream or main_stream(lifecycle)
    start = Given(lifecycle, name, ())
    outcome = start.when(*facts, on=on)
    outcome.then_admitted()
    return evolve(start, log=outcome.log)


@frozen(eq=False)
class Given:
    """What is known before the facts in question come.

    Attributes:
        lifecycle: The rules.
        stream: The stream that all facts are about.
        log: What was recorded.
    """

    lifecycle: Lifecycle
    stream: str
    log: Log

    def when(self, *facts: Event, on: str | date = "") -> Outcome:
        """Record facts one after another, up to the first that is refused.

        Args:
            *facts: The facts, oldest first; without one, it stays as it is.
            on: The day on which they are recorded; see :func:`given`.

        Raises:
            TypeError: If one is no event: a class is none, ``fact`` makes one of it.
            ValueError: If that day lies before what is recorded already.
            UnknownName: If the lifecycle does not know a fact's class or milestone.
        """
        for each in facts:
            if not isinstance(cast("object", each), Event):
                raise TypeError(f"{each!r} is no event; fact({each!r}) may make one")
        desk = _Desk(self)
        for each in facts:
            refusal = desk.tell(each, on)
            if refusal:
                return Outcome(self, desk.log, each, refusal)
        return Outcome(self, desk.log)


class _Desk:
    """Records the facts of an example, each on its day."""

    def __init__(self, start: Given) -> None:
        self._stream = start.stream
        self._transcript = Transcript(start.lifecycle)
        self._today = day_of_us(Clock().us)
        for record in start.log:
            self._turn_to(record.recorded_on)
            self._transcript.tell(record.stream, record.event, record.id)

    @property
    def log(self) -> Log:
        return self._transcript.log

    def tell(self, event: Event, on: str | date) -> _Refusal | None:
        """Record a fact, or give why it is refused."""
        if on:
            self._turn_to(day_of(on))
        elif so := event.when.latest or event.when.earliest:
            self._turn_to(max(self._today, so))
        try:
            self._transcript.tell(self._stream, event)
        except (TransitionRefused, RecordNotFound) as error:
            return error
        return None

    def _turn_to(self, day: date) -> None:
        if self.log and day < self._today:
            raise ValueError(
                f"recorded on {day}, but what came before on {self._today}: recorded"
                " times never fall; give the facts in the order of their recording"
            )
        self._transcript.pass_days((day - self._today).days)
        self._today = day


_Refusal = TransitionRefused | RecordNotFound


@frozen
class Verdict:
    """Whether facts are admitted: what an outcome is compared with.

    Attributes:
        code: The rule that refuses one, as ``TransitionRefused.code`` names it, or
            ``"not-found"``; empty if all are admitted.
    """

    code: str = ""

    def __str__(self) -> str:
        return f"refused ({self.code})" if self.code else "admitted"


def admitted() -> Verdict:
    """Give what ``given(...).when(...)`` equals if every fact is admitted."""
    return Verdict()


def refused(code: str) -> Verdict:
    """Give what ``given(...).when(...)`` equals if a fact is refused by this rule.

    Args:
        code: Such as ``"requires"``, ``"not-opened"``, ``"terminated"`` or
            ``"misplaced"``; of corrections ``"no-record"``, ``"no-reason"``,
            ``"already-replaced"`` or ``"not-found"``.
    """
    return Verdict(code)


@frozen(eq=False)
class Outcome:
    """What came of the facts. Each ``then_...`` gives it back, so that they chain.

    Attributes:
        start: What was known before.
        log: What is recorded now: what was known, and what was admitted.
        refused_fact: The fact that was refused; None if all were admitted.
        refusal: Why it was.
        day: The day as of which the next ``then_...`` asks; None for all facts.
    """

    start: Given
    log: Log
    refused_fact: Event | None = None
    refusal: _Refusal | None = None
    day: date | None = None

    # It is equal to a verdict that it cannot share a hash with.
    __hash__ = None  # type: ignore[assignment] # Python's own way to say so

    def __eq__(self, other: object) -> bool:
        return self.verdict == other if isinstance(other, Verdict) else self is other

    @property
    def verdict(self) -> Verdict:
        """Whether all were admitted, or which rule refuses one."""
        if isinstance(self.refusal, RecordNotFound):
            return refused("not-found")
        return refused(self.refusal.code) if self.refusal else admitted()

    @property
    def state(self) -> State:
        """Where the stream stands, by what was admitted, as of the day asked for."""
        facts = History(self.start.stream, self.log).facts
        return self.start.lifecycle.replay(facts, as_of=self.day)

    def as_of(self, day: str | date) -> Self:
        """Ask the following as of the end of a day.

        What had only possibly come by then is neither met nor promised.
        """
        return evolve(self, day=day_of(day))

    def then_admitted(self) -> Self:
        """Expect that every fact is admitted."""
        __tracebackhide__ = True
        return self._expect(str(admitted()), str(self.verdict))

    def then_refused(self, code: str) -> Self:
        """Expect that a fact is refused, by this rule: see :func:`refused`."""
        __tracebackhide__ = True
        return self._expect(str(refused(code)), str(self.verdict))

    def then_met(self, *milestones: str) -> Self:
        """Expect that these milestones are surely met."""
        __tracebackhide__ = True
        return self.then_status(Status.MET, *milestones)

    def then_promised(self, *milestones: str) -> Self:
        """Expect that these milestones are promised, and no more than that."""
        __tracebackhide__ = True
        return self.then_status(Status.PROMISED, *milestones)

    def then_status(self, status: Status, *milestones: str) -> Self:
        """Expect that these milestones surely have a status.

        Raises:
            AssertionError: If one has not, or if a fact was refused.
            UnknownName: If the lifecycle has no such milestone.
        """
        __tracebackhide__ = True
        self.then_admitted()
        state = self.state
        for name in milestones:
            found = _standing(state, name)
            self._expect(f"{name} is {status.value}", f"{name} is {found}")
        return self

    def then_activity(self, activity: Activity) -> Self:
        """Expect that it is surely active, suspended or terminated."""
        __tracebackhide__ = True
        self.then_admitted()
        state = self.state
        found = _one_of(state.activity, state.activity_maybe)
        return self._expect(f"it is {activity.value}", f"it is {found}")

    def then_deviates(self, *codes: str) -> Self:
        """Expect that the new facts are unexpected in just these ways.

        Args:
            *codes: As ``Deviation.code`` names them, in any order; without one,
                nothing about the new facts is unexpected.
        """
        __tracebackhide__ = True
        self.then_admitted()
        known = History(self.start.stream, self.log, self.day).facts
        new = {record.id for record in self.log[len(self.start.log) :]}
        found = {
            deviation.code
            for deviation in self.start.lifecycle.deviations(known)
            if deviation.record.id in new
        }
        return self._expect(_deviating(codes), _deviating(found))

    def _expect(self, expected: str, found: str) -> Self:
        __tracebackhide__ = True
        if expected != found:
            raise AssertionError("\n".join(_told(self, expected, found)))
        return self


def _standing(state: State, name: str) -> str:
    if name not in state.milestones:
        raise UnknownName("milestone", name, tuple(state.milestones))
    milestone = state.milestones[name]
    return _one_of(milestone.status, milestone.maybe)


def _one_of(sure: Status | Activity, maybe: frozenset[Any]) -> str:
    """Write a status, and what it may be instead."""
    return " or ".join([sure.value, *sorted(other.value for other in maybe)])


def _deviating(codes: Sequence[str] | set[str]) -> str:
    return f"unexpected: {', '.join(sorted(set(codes))) or 'nothing'}"


def explained(operator: str, left: object, right: object) -> list[str] | None:
    """Explain a failed ``assert`` that compares an outcome with a verdict.

    Returns:
        The lines that pytest shows; None if the comparison is about other things.
    """
    if operator != "==":
        return None
    if isinstance(left, Verdict) and isinstance(right, Outcome):
        left, right = right, left
    if isinstance(left, Outcome) and isinstance(right, Verdict):
        return list(_told(left, str(right), str(left.verdict)))
    return None


def _told(outcome: Outcome, expected: str, found: str) -> Iterator[str]:
    """Yield an example, line by line, with what was expected of it."""
    asked = f", as of {outcome.day}" if outcome.day else ""
    yield f"expected {expected}, found {found}{asked}"
    lifecycle, stream = outcome.start.lifecycle, outcome.start.stream
    before, after = (
        timeline(lifecycle, log).splitlines() if log else []
        for log in (outcome.start.log, outcome.log)
    )
    yield "given"
    yield from before or [_NOTHING]
    # The timeline of a log begins with the timeline of its beginning.
    new = [*after[len(before) :], *_refusal_of(outcome)]
    yield "when"
    yield from new or [_NOTHING]
    now = lifecycle.replay(History(stream, outcome.log).facts)
    allowed = ", ".join(lifecycle.admitted(now, stream))
    yield f"admitted now: {allowed or 'nothing'}"


_NOTHING: Final = "  (nothing)"


def _refusal_of(outcome: Outcome) -> Iterator[str]:
    """Yield the fact that was refused, and why, as a timeline would show it."""
    refusal = outcome.refusal
    if outcome.refused_fact and refusal:
        why = refusal.reason if isinstance(refusal, TransitionRefused) else refusal
        yield f"   ?  {outcome.start.stream}  {shown(outcome.refused_fact)}"
        yield f"        -> refused: {why}"
