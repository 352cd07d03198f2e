"""A state machine from a lifecycle: a real ledger does what a pure model does.

The model is a ``Transcript``: the rules and a list. The system is a ledger on a real
store, its projections kept up to date page by page, read models, reports. Every rule
does something to both; after every step they must agree. Hypothesis chooses the
steps, and shortens those that lead to a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import attrs
from attrs import frozen
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from azcn_events.core.events import Event, Fact, Recorded, Retracted
from azcn_events.core.history import in_force
from azcn_events.core.lifecycle import Lifecycle, State
from azcn_events.core.projection import Projection
from azcn_events.core.values import datetime_of_us, day_of_us
from azcn_events.errors import (
    AzcnEventsError,
    IdCollision,
    InvalidValue,
    RecordNotFound,
    TransitionRefused,
    UnknownName,
    VersionConflict,
)
from azcn_events.ledger import Ledger, Receipt
from azcn_events.stores.protocol import Draft, Stamp, Store
from azcn_events.testing.followers import (
    Follower,
    ProjectionFollower,
    ReadModelFollower,
)
from azcn_events.testing.laws.read_models import Interrupted, OpenReadModel
from azcn_events.testing.laws.reports import Report, moment_of
from azcn_events.testing.stand_ins import (
    Clock,
    OpenStore,
    in_memory,
    numbered_ids,
    scratch,
)
from azcn_events.testing.strategies.palettes import NEAR, Palette
from azcn_events.testing.strategies.values import FIRST_DAY
from azcn_events.testing.timelines import shown, timeline
from azcn_events.testing.transcript import Transcript
from azcn_events.testing.whole_logs import facts, logs, streams_of

__all__ = ["LedgerMachine", "lifecycle_machine"]

STEPS: Final = 25
"""How many steps a run has at the most."""


class _Interrupted:
    """A store that lets somebody else append just before it does: a lost race."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.first: Callable[[], object] | None = None

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Let the other one go first, once."""
        first, self.first = self.first, None
        if first:
            first()
        return self.store.append(drafts, expected)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the store's own
        return getattr(self.store, name)


@frozen
class _Question:
    """What was asked, and what was answered then; None for a stream not known."""

    as_of: date | None
    known_by: str
    answers: Mapping[str, State | None]


class LedgerMachine(RuleBasedStateMachine):
    """A ledger and its model, step by step: made by ``lifecycle_machine``.

    Subclass what that gives to add rules and invariants of your own; ``self.ledger``
    is the system, ``self.model`` the model.
    """

    lifecycle: Lifecycle
    open_store: OpenStore | None
    projections: tuple[Projection[Any], ...]
    read_models: tuple[OpenReadModel, ...]
    reports: tuple[Report, ...]
    streams: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._open_store = type(self).open_store or in_memory()
        self.directory: Path = self._scratch()
        self.clock = Clock()
        self.model = Transcript(self.lifecycle)
        self.followers: list[Follower] = [
            *map(ProjectionFollower, self.projections),
            *(ReadModelFollower(one, self._scratch()) for one in self.read_models),
        ]
        self.questions: list[_Question] = []
        self.receipts: list[tuple[tuple[Fact, ...], Receipt]] = []
        self._new_id = numbered_ids("m")
        self._open()

    def _scratch(self) -> Path:
        return self._stack.enter_context(scratch())

    def _open(self) -> None:
        self._checked, self._stood = 0, dict[str, int]()  # So all is looked at again.
        self._store = _Interrupted(self._opened())
        store = cast("Store", self._store)  # It hands on what it lacks itself.
        self.ledger = Ledger(store, self.lifecycle, clock=self.clock)

    def _opened(self) -> Store:
        return self._open_store(self.directory, self.clock)

    def teardown(self) -> None:
        """Ask every old question again, then close what is open."""
        try:
            self._ask_again()
        finally:
            self.ledger.close()
            for follower in self.followers:
                follower.close()
            self._stack.close()

    # What the steps are made of

    def _told(self, *told: tuple[str, Event], id_: str = "") -> tuple[Fact, ...]:
        return tuple(Fact(stream, fact, id_ or self._new_id()) for stream, fact in told)

    def _record(self, ledger: Ledger, told: tuple[Fact, ...]) -> None:
        """Record facts with the ledger and with the model; both must agree."""
        expected = self._expected(told)
        try:
            receipt = ledger.record_all(told)
        except Exception as error:  # noqa: BLE001 - whatever the store makes of it
            code = _code_of(error)
            event(f"refused: {code}")
            if code != expected:
                how = f"refused ({code}: {error}), not {expected or 'admitted'}"
                self._fail(f"{_shown(told)} was {how}")
            return
        if expected:
            self._fail(f"{_shown(told)} was recorded, not refused ({expected})")
        event("recorded")
        self.receipts.append((told, receipt))
        self._tell_model(told)
        recorded = self.model.records[-len(told) :]
        if list(receipt.records) != recorded:
            self._fail(f"the receipt says {receipt.records}, not {recorded}")

    def _expected(self, told: tuple[Fact, ...]) -> str:
        """Ask the model what should refuse these facts; empty if nothing."""
        trial = self.model.trial({fact.stream for fact in told})
        trial.us = self.clock.us
        for fact in told:
            try:
                trial.tell(fact.stream, fact.event, fact.id)
            except (TransitionRefused, RecordNotFound) as refusal:
                return _code_of(refusal)
        return ""

    def _tell_model(self, told: tuple[Fact, ...]) -> None:
        self.model.us = self.clock.us
        for fact in told:
            self.model.tell(fact.stream, fact.event, fact.id)

    def _fail(self, how: str) -> None:
        past = timeline(self.lifecycle, self.model.log)
        raise AssertionError(f"{how}\nwith these facts recorded:\n{past}")

    # Steps

    def begin(self, log: Sequence[Recorded]) -> None:
        """Start from a history that has come some way."""
        for record in log:
            self.clock.us = max(self.clock.us, record.recorded_us)
            told = Fact(record.stream, record.event, record.id)
            self._record(self.ledger, (told,))

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.clock.pass_days(days)

    def record(self, told: tuple[str, Event]) -> None:
        """Record a fact that may be refused."""
        self._record(self.ledger, self._told(told))

    def record_together(self, told: Sequence[tuple[str, Event]]) -> None:
        """Record several facts, all or none."""
        self._record(self.ledger, self._told(*told))

    def correct(self, place: int, fact: Event, retract: bool) -> None:  # noqa: FBT001 - drawn
        """Correct or retract a record."""
        record = self.model.records[place % len(self.model.records)]
        if retract:
            fact = Retracted(when=fact.when, cites=fact.cites)
        fact = attrs.evolve(fact, replaces=record.id, reason="a slip")
        self._record(self.ledger, self._told((record.stream, fact)))

    def lose_a_race(self, stream: str, fact: Event, other: Event) -> None:
        """Have another writer record first, between our reading and our appending."""
        rival = Ledger(self._opened(), self.lifecycle, clock=self.clock)
        theirs, ours = self._told((stream, other)), self._told((stream, fact))
        if self._expected(theirs) or self._expected(ours):
            self._leave(rival)
            return  # Nobody would append, so there is no race.
        self._store.first = partial(self._record, rival, theirs)
        try:
            receipt = self.ledger.record_all(ours)
        except AzcnEventsError as error:
            if _code_of(error) != self._expected(ours):
                self._fail(f"after a lost race {_shown(ours)} was refused: {error}")
        else:
            if self._expected(ours):
                self._fail(
                    f"after a lost race {_shown(ours)} was recorded all the same"
                )
            self.receipts.append((ours, receipt))
            self._tell_model(ours)
        finally:
            self._leave(rival)
        event("lost a race")

    def _leave(self, rival: Ledger) -> None:
        """Close the other writer's store, unless it is the very one that we have."""
        if rival.store is not self._store.store:
            rival.close()

    def repeat(self, place: int) -> None:
        """Record the same ids again: the first answer, and nothing more is stored."""
        told, receipt = self.receipts[place % len(self.receipts)]
        again = self.ledger.record_all(told)
        if again.records != receipt.records:
            self._fail(f"repeating {_shown(told)} gave {again.records}")

    def collide(self, place: int, told: tuple[str, Event]) -> None:
        """Use an id for something else: refused."""
        record = self.model.records[place % len(self.model.records)]
        if (record.stream, record.event) == told:
            return
        again = self._told(told, id_=record.id)
        try:
            self.ledger.record_all(again)
        except IdCollision:
            return
        self._fail(f"the id {record.id} was taken a second time, for {_shown(again)}")

    def append_stale(self, place: int, off: int) -> None:
        """Append upon a version that is not the stream's: refused."""
        record = self.model.records[place % len(self.model.records)]
        version = len(self.model.of(record.stream)) + off
        kind, payload, checksum = self.ledger.codec.encode(record.event)
        draft = Draft(record.stream, self._new_id(), kind, payload, b"{}", checksum)
        try:
            self._store.append([draft], {record.stream: max(version, 0)})
        except VersionConflict:
            return
        self._fail(f"an append upon version {version} of {record.stream} was taken")

    def reopen(self) -> None:
        """Close the ledger and open it again."""
        self.ledger.close()
        self._open()

    def catch_up(self, count: int) -> None:
        """Let whatever follows the log count some more records."""
        for follower in self.followers:
            self._deliver(follower, follower.position, count)

    def deliver_again(self, back: int, count: int) -> None:
        """Deliver records again that were counted, and perhaps new ones with them."""
        for follower in self.followers:
            self._deliver(follower, max(follower.position - back, 0), count)

    def break_off(self, after: int) -> None:
        """Break off a delivery, as a crash does; go on from what was kept."""
        for follower in self.followers:
            page = self.ledger.records(after=follower.position)
            with suppress(Interrupted):
                follower.take(_broken_off(page, after))
            follower.restart()
            # How much it has kept of the broken delivery is its own affair.
            follower.due = max(follower.due, follower.position)

    def restart_followers(self) -> None:
        """Go on with a copy of each projection, and with each read model reopened."""
        for follower in self.followers:
            follower.restart()

    def _deliver(self, follower: Follower, after: int, count: int) -> None:
        page = list(self.ledger.records(after=after, until=after + count))
        follower.take(page)
        follower.due = max([follower.due, *(record.position for record in page)])

    def ask(self, as_of: date | None) -> None:
        """Ask where every stream stands; the answer must stay for ever."""
        known_by = datetime_of_us(self.clock.us).isoformat()
        answers = self._answers(as_of, known_by)
        for stream, answer in answers.items():
            records = [r for r in self.model.records if r.stream == stream]
            state = self.lifecycle.replay(in_force(records), as_of=as_of)
            if answer != (state if records else None):
                self._fail(f"as of {as_of}, {stream} is {answer}, not {state}")
        self.questions.append(_Question(as_of, known_by, answers))
        self.clock.us += 1  # What is recorded from now on was not known then.

    def _answers(self, as_of: date | None, known_by: str) -> dict[str, State | None]:
        view = self.ledger.view(as_of=as_of, known_by=known_by)
        answers = dict[str, State | None]()
        for stream in self.streams:
            try:
                answers[stream] = view.state(stream)
            except (UnknownName, InvalidValue):
                answers[stream] = None
        return answers

    def _ask_again(self) -> None:
        for question in self.questions:
            again = self._answers(question.as_of, question.known_by)
            for stream, answer in question.answers.items():
                if again[stream] != answer:
                    when = f"as of {question.as_of}, known by {question.known_by}"
                    self._fail(f"{when}, {stream} was {answer}, and is {again[stream]}")

    # What always holds

    def check_log(self) -> None:
        """The ledger holds what the model holds, in the same order."""
        expected = self.model.records[self._checked :]
        if list(self.ledger.records(after=self._checked)) != expected:
            stored = timeline(self.lifecycle, self.ledger.records())
            self._fail(f"the ledger holds\n{stored}\n")
        self._checked = len(self.model.records)

    def check_states(self) -> None:
        """Each stream stands where a replay of the model puts it."""
        for stream in self.streams:
            records = self.model.of(stream)
            if len(records) == self._stood.get(stream, 0):
                continue
            if self.lifecycle.has_milestones(stream):
                state = self.lifecycle.replay(in_force(records))
                if self.ledger.state(stream) != state:
                    self._fail(f"{stream} is {self.ledger.state(stream)}, not {state}")
            self._stood[stream] = len(records)

    def check_followers(self) -> None:
        """What was counted page by page is what one run counts."""
        for follower in self.followers:
            position = follower.position
            if position != follower.due:
                self._fail(f"{follower.name} is at {position}, not {follower.due}")
            value, anew = follower.value(), follower.anew(self.model.log[:position])
            if value != anew:
                self._fail(f"{follower.name} is {value}, and anew {anew}")

    def check_reports(self) -> None:
        """A report of the ledger is the report of the model's log."""
        today = day_of_us(self.clock.us)
        moment = attrs.evolve(moment_of(self.lifecycle, self.model.log), on=today)
        for report in self.reports:
            of_ledger = report(self.ledger.view().moment)
            if of_ledger.rows != report(moment).rows:
                self._fail(f"the report reads\n{of_ledger}\nnot\n{report(moment)}")


def _code_of(error: Exception) -> str:
    """Give the rule that refuses, or the kind of the error."""
    if isinstance(error, TransitionRefused):
        return error.code
    return type(error).__name__


def _broken_off(records: Iterator[Recorded], after: int) -> Iterator[Recorded]:
    yield from islice(records, after)
    raise Interrupted


def _shown(told: Sequence[Fact]) -> str:
    return " and ".join(f"{fact.stream} {shown(fact.event)}" for fact in told)


def lifecycle_machine(
    lifecycle: Lifecycle,
    *,
    store: OpenStore | None = None,
    projections: Sequence[Projection[Any]] = (),
    read_models: Sequence[OpenReadModel] = (),
    reports: Sequence[Report] = (),
    streams: int = 3,
    palette: Palette = NEAR,
) -> type[LedgerMachine]:
    """Make a state machine that drives a ledger in every way that users do.

    ::

        TestConcession = lifecycle_machine(CONCESSION, store=on_sqlite).TestCase

    Facts, corrections, retractions, several facts at once, refused facts, repeated and
    colliding ids, stale versions, lost races, reopening, projections and read models
    kept page by page with redelivery, breaks and restarts, and questions whose answers
    must stay.

    Args:
        lifecycle: The rules.
        store: Opens the store; one in memory if left out.
        projections: Kept up to date and compared with a run from the start.
        read_models: Openers of read models, likewise; each keeps itself in a directory
            of its own, and is broken off and reopened.
        reports: Functions of a moment, compared with those of the model's log.
        streams: How many streams with milestones there are.
        palette: What the facts' fields hold: see ``for_class``.

    Returns:
        A ``RuleBasedStateMachine``; its ``TestCase`` is for pytest and unittest, and
        may be given other ``settings``.
    """
    names = streams_of(lifecycle, streams)
    told = st.sampled_from(names).flatmap(partial(_told_of, lifecycle, palette))
    of_agreement = facts(lifecycle, palette)
    agreement = st.sampled_from([n for n in names if lifecycle.has_milestones(n)])
    some, few = st.integers(0, 30), st.integers(1, 5)
    days = st.none() | st.integers(-20, 90).map(lambda n: FIRST_DAY + timedelta(days=n))
    made = LedgerMachine
    rules = {
        "begin": initialize(log=logs(lifecycle, palette, streams=streams))(made.begin),
        "pass_days": rule(days=st.integers(1, 20))(made.pass_days),
        "record": rule(told=told)(made.record),
        "record_together": rule(told=st.lists(told, min_size=2, max_size=3))(
            made.record_together
        ),
        "correct": _upon_records(
            rule(place=some, fact=of_agreement, retract=st.booleans())(made.correct)
        ),
        "lose_a_race": rule(stream=agreement, fact=of_agreement, other=of_agreement)(
            made.lose_a_race
        ),
        "repeat": _upon_receipts(rule(place=some)(made.repeat)),
        "collide": _upon_records(rule(place=some, told=told)(made.collide)),
        "append_stale": _upon_records(
            rule(place=some, off=st.sampled_from([-1, 1, 7]))(made.append_stale)
        ),
        "reopen": rule()(made.reopen),
        "ask": rule(as_of=days)(made.ask),
        "check_log": invariant()(made.check_log),
        "check_states": invariant()(made.check_states),
    }
    if projections or read_models:
        rules |= {
            "catch_up": rule(count=few)(made.catch_up),
            "deliver_again": rule(back=few, count=few)(made.deliver_again),
            "break_off": rule(after=st.integers(0, 3))(made.break_off),
            "restart_followers": rule()(made.restart_followers),
            "check_followers": invariant()(made.check_followers),
        }
    if reports:
        rules["check_reports"] = rule()(made.check_reports)
    name = f"{lifecycle.name.title().replace('-', '')}Machine"
    values = {
        "lifecycle": lifecycle,
        "open_store": staticmethod(store) if store else None,
        "projections": tuple(projections),
        "read_models": tuple(read_models),
        "reports": tuple(reports),
        "streams": names,
    }
    machine: Any = type(name, (LedgerMachine,), {**values, **rules})
    # Hypothesis would suppress every health check here. No deadline: a step may open
    # a file, and what that takes says nothing.
    machine.TestCase.settings = settings(
        settings(), stateful_step_count=STEPS, deadline=None
    )
    return cast("type[LedgerMachine]", machine)


def _has_records(machine: LedgerMachine) -> bool:
    return bool(machine.model.records)


def _has_receipts(machine: LedgerMachine) -> bool:
    return bool(machine.receipts)


_upon_records = precondition(_has_records)
_upon_receipts = precondition(_has_receipts)


def _told_of(
    lifecycle: Lifecycle, palette: Palette, stream: str
) -> st.SearchStrategy[tuple[str, Event]]:
    category = stream.partition("/")[0] if lifecycle.streams else ""
    return st.tuples(st.just(stream), facts(lifecycle, palette, category=category))
