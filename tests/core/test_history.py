"""Corrections, and the two time axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.logs import (
    CITES,
    FIRST,
    Clock,
    Step,
    at,
    every_report,
    fresh,
    play,
    steps,
    us_of,
    whens_nearby,
)

from azcn_events import Event, Ledger, Recorded, Retracted, When
from azcn_events.core.events import (
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Resumed,
    Suspended,
    Terminated,
)
from azcn_events.core.history import Admission, in_force
from azcn_events.core.lifecycle import Activity, Status, occurred
from azcn_events.core.values import Amount, Answer, Range, day_of_us
from azcn_events.errors import RecordNotFound, TransitionRefused
from azcn_events.investment import INVESTMENT
from azcn_events.investment.events import (
    AgreementIdentified,
    AgreementSigned,
    CompanyCreated,
    ConferenceReported,
    FinancialModelAgreed,
    FinancialModelDiscussed,
    LandAllocated,
)
from azcn_events.reports.table import Table

A = "agreement/a"


def fact(kind: type[Event], when: str = "2024-12-01", **fields: Any) -> Event:
    """Make a fact of a day."""
    return kind(when=When(when), cites=CITES, **fields)


def land(hectares: int, **fields: Any) -> Event:
    """Make an allocation that can be told from another."""
    return fact(LandAllocated, area=Amount.exact(hectares, "ha"), **fields)


def retraction(of: str, reason: str = "never said") -> Event:
    """Take a record back."""
    return fact(Retracted, replaces=of, reason=reason)


def hectares(ledger: Ledger) -> list[str]:
    """Give the areas in force, in the order in which they count."""
    facts = in_force(ledger.history(A).records)
    return [str(r.event.area) for r in facts if isinstance(r.event, LandAllocated)]


@pytest.fixture
def ledger() -> Ledger:
    """Give a ledger in which r1 identifies an agreement and r2 allots it land."""
    made, _ = fresh()
    made.record(A, fact(AgreementIdentified, field="cardboard"), land(3))
    return made


# --- What had come ------------------------------------------------------------


def test_facts_are_dated_by_whether_they_had_come(ledger: Ledger) -> None:
    """Surely, possibly or not: what surely had not is no fact at that moment."""
    days = ("2024-12-01", "[2024-12-10..2024-12-30]", "2024-12-25")
    ledger.record(A, *(fact(Suspended, day) for day in days))
    told = ledger.view(as_of="2024-12-20").history(A)
    dated = [(record.id, answer) for record, answer in told.dated()]
    assert [("r3", Answer.YES), ("r4", Answer.MAYBE), ("r5", Answer.NO)] == dated[2:]
    assert ["r1", "r2", "r3", "r4"] == [record.id for record in told.facts]


# --- Corrections --------------------------------------------------------------


def test_a_correction_stands_in_the_place_of_what_it_replaces(ledger: Ledger) -> None:
    """It counts where the record stood, and the record stays readable."""
    ledger.record(A, land(5))
    ledger.record(A, land(2, replaces="r2", reason="misread"))
    assert ["2 ha", "5 ha"] == hectares(ledger)
    assert ["r1", "r2", "r3", "r4"] == [r.id for r in ledger.history(A).records]


def test_a_refusal_says_what_the_stream_takes(ledger: Ledger) -> None:
    """With its name, the fact's stored name, and the rule."""
    ledger.record("package/p", fact(ConferenceReported, title="a forum"))
    with pytest.raises(TransitionRefused) as caught:
        ledger.record("package/p", fact(Retracted))
    error = caught.value
    assert ("package/p", "retracted") == (error.stream, error.kind)
    assert "no-record" == error.code
    expected = (*INVESTMENT.streams["package"], Retracted)
    assert set(map(INVESTMENT.name_of, expected)) == set(error.allowed)


@pytest.mark.parametrize(
    ("event", "code", "reason"),
    [
        (
            fact(Retracted),
            "no-record",
            "a retraction names the record that it takes back, in 'replaces'",
        ),
        (
            retraction("r2", " "),
            "no-reason",
            "a correction or retraction says why, in 'reason'",
        ),
        (
            land(1, replaces="r2", reason=""),
            "no-reason",
            "a correction or retraction says why, in 'reason'",
        ),
        (
            land(1, replaces="r2", reason="misread"),
            "already-replaced",
            "'r2' is already replaced: name what replaced it",
        ),
        (
            retraction("r1"),
            "not-opened",
            "'agreement-identified' must come first (so the record 'r3' rests on it)",
        ),
    ],
)
def test_a_refused_correction_is_told_why(
    ledger: Ledger, event: Event, code: str, reason: str
) -> None:
    """In words that say what to do, or what rests on the record."""
    ledger.record(A, land(2, replaces="r2", reason="misread"))
    with pytest.raises(TransitionRefused) as caught:
        ledger.record(A, event)
    assert (A, code, reason) == (
        caught.value.stream,
        caught.value.code,
        caught.value.reason,
    )


def test_the_category_of_a_stream_is_what_stands_before_its_first_slash(
    ledger: Ledger,
) -> None:
    """However many more there are in its name."""
    ledger.record("agreement/b/1", fact(AgreementIdentified, field="glass"))
    ledger.record("package/agreement/1", fact(ConferenceReported, title="a forum"))
    found = ledger.view().histories("agreement")
    assert [A, "agreement/b/1"] == [history.stream for history in found]


def test_a_chain_of_corrections(ledger: Ledger) -> None:
    """A correction is corrected by naming it, and stands in the first one's place."""
    ledger.record(A, land(5))
    ledger.record(A, land(2, replaces="r2", reason="misread"))
    ledger.record(A, land(1, replaces="r4", reason="misread again"))
    assert ["1 ha", "5 ha"] == hectares(ledger)


def test_a_correction_of_a_retraction_stands_in_the_place_of_both(
    ledger: Ledger,
) -> None:
    """It was right to take the record back, and this is what was said instead."""
    ledger.record(A, land(5), retraction("r2"), ids=["five", "gone"])
    ledger.record(A, land(2, replaces="gone", reason="found what was meant"))
    assert ["2 ha", "5 ha"] == hectares(ledger)


def test_retracting_the_last_of_a_chain_restores_the_one_before(
    ledger: Ledger,
) -> None:
    """Not the first of the chain, and not both."""
    ledger.record(A, land(2, replaces="r2", reason="misread"), ids=["two"])
    ledger.record(A, land(1, replaces="two", reason="misread again"), ids=["one"])
    ledger.record(A, retraction("one"))
    assert ["2 ha"] == hectares(ledger)


def test_retracting_a_correction_restores_the_exact_state(ledger: Ledger) -> None:
    """So does retracting what had retracted."""
    before = ledger.state(A).milestones
    ledger.record(A, land(2, replaces="r2", reason="misread"))
    corrected = ledger.state(A).milestones
    assert before != corrected
    ledger.record(A, retraction("r3"))
    assert before == ledger.state(A).milestones
    ledger.record(A, retraction("r4"))
    assert corrected == ledger.state(A).milestones


def test_a_retraction_leaves_nothing_in_its_place(ledger: Ledger) -> None:
    """Nobody ever said it; retracting that restores it."""
    ledger.record(A, retraction("r2"))
    assert [] == hectares(ledger)
    ledger.record(A, retraction("r3"))
    assert ["3 ha"] == hectares(ledger)


def _refused(ledger: Ledger, event: Event, code: str) -> TransitionRefused:
    head = ledger.store.head()
    with pytest.raises(TransitionRefused) as caught:
        ledger.record(A, event)
    assert code == caught.value.code
    assert head == ledger.store.head()
    return caught.value


def test_a_correction_that_breaks_a_hard_rule_is_refused(ledger: Ledger) -> None:
    """The error names the record that rests on what would go; nothing is stored."""
    error = _refused(ledger, retraction("r1"), "not-opened")
    assert "the record 'r2' rests on it" in str(error)
    ledger.record(
        A, fact(Terminated, "2025-01-05"), fact(AgreementSigned), ids=["end", "late"]
    )
    earlier = fact(Terminated, "2024-11-01", replaces="end", reason="a misprint")
    assert "'late' rests on it" in str(_refused(ledger, earlier, "terminated"))


def test_a_correction_needs_a_reason(ledger: Ledger) -> None:
    """Blanks are none."""
    _refused(ledger, land(2, replaces="r2"), "no-reason")
    _refused(ledger, retraction("r2", " "), "no-reason")


def test_a_retraction_names_a_record(ledger: Ledger) -> None:
    """There is no retraction in general."""
    _refused(ledger, fact(Retracted, reason="it was wrong"), "no-record")


def test_what_is_replaced_cannot_be_replaced_again(ledger: Ledger) -> None:
    """One corrects the correction instead, and the error says so."""
    ledger.record(A, land(2, replaces="r2", reason="misread"))
    error = _refused(ledger, land(1, replaces="r2", reason="again"), "already-replaced")
    assert "name what replaced it" in str(error)


@pytest.mark.parametrize("of", ["r9", "r2 ", "source/s"])
def test_a_correction_of_what_is_not_there(ledger: Ledger, of: str) -> None:
    """A record of another stream is not there either."""
    ledger.record("agreement/b", fact(AgreementIdentified, field="x"), ids=["source/s"])
    head = ledger.store.head()
    with pytest.raises(RecordNotFound, match="azcn log") as caught:
        ledger.record(A, retraction(of))
    assert (A, of) == (caught.value.stream, caught.value.id)
    assert head == ledger.store.head()


# --- Recording and replaying --------------------------------------------------


@given(steps(size=20))
def test_what_is_recorded_is_what_is_replayed(told: list[Step]) -> None:
    """The log is admissible fact by fact, and its state is that of its fold."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    desks: dict[str, Admission] = {}
    for record in ledger.records():
        desk = desks.setdefault(record.stream, Admission(INVESTMENT, record.stream))
        desk.admit(record)
    for stream, desk in desks.items():
        again = Admission(INVESTMENT, stream, desk.records)
        assert ledger.state(stream) == INVESTMENT.replay(in_force(again.records))
        for cut, record in enumerate(facts := in_force(desk.records)):
            state = INVESTMENT.replay(facts[:cut])
            assert INVESTMENT.refusal(state, record.event, stream) is None


@given(steps(size=20))
def test_a_refused_fact_changes_nothing(told: list[Step]) -> None:
    """Neither the log nor the desk: what was refused can be left out."""
    ledger, clock = fresh()
    desk = Admission(INVESTMENT, A)
    for step in told:
        head, before = ledger.store.head(), list(desk.records)
        event = step.event
        if step.corrects is not None:
            event = attrs.evolve(event, replaces=f"r{step.corrects}", reason="a slip")
        try:
            ledger.record(A, event)
        except (TransitionRefused, RecordNotFound):
            assert head == ledger.store.head()
            new = Recorded(head + 1, A, head + 1, "new", "k/1", clock(), event)
            with pytest.raises((TransitionRefused, RecordNotFound)):
                desk.admit(new)
            assert before == desk.records
        else:
            desk.admit(list(ledger.records())[-1])
    if desk.records:
        assert ledger.state(A) == INVESTMENT.replay(in_force(desk.records))


@given(steps(streams=(A,), size=16), st.data())
def test_retracting_a_correction_undoes_it(
    told: list[Step], data: st.DataObject
) -> None:
    """In any history, for any record that can be corrected or retracted at all."""
    ledger, clock = fresh()
    recorded = play(ledger, clock, told)
    assume(recorded)
    before = in_force(ledger.history(A).records)
    target = data.draw(st.sampled_from(recorded))
    again = data.draw(st.sampled_from([target.event, fact(Retracted)]))
    try:
        change = attrs.evolve(again, replaces=target.id, reason="a slip")
        (made,) = ledger.record(A, change).records
    except TransitionRefused:
        return
    assert before != in_force(ledger.history(A).records)
    ledger.record(A, retraction(made.id))
    assert before == in_force(ledger.history(A).records)


# --- What was known when ------------------------------------------------------


def everything(ledger: Ledger, as_of: str | None, known_by: str) -> list[str]:
    """Give every answer of a view, as bytes to be compared."""
    view = ledger.view(as_of=as_of, known_by=known_by)
    tables: list[Table] = list(every_report(view).values())
    told = [shown for t in tables for shown in (t.text(), t.csv(), t.json())]
    told += [str(view.state(h.stream)) for h in view.histories()]
    return told + [str(deviation) for deviation in view.deviations()]


@given(steps(), steps(size=20), st.none() | st.integers(-10, 60).map(at))
def test_what_was_known_stays_as_it_was(
    before: list[Step], after: list[Step], as_of: date | None
) -> None:
    """Whatever comes later, late news and corrections of the old included."""
    ledger, clock = fresh()
    play(ledger, clock, before)
    known_by = day_of_us(clock.us).isoformat()
    asked = as_of.isoformat() if as_of else None
    then, head = everything(ledger, asked, known_by), ledger.store.head()
    clock.pass_days(1)
    play(ledger, clock, after)
    assert then == everything(ledger, asked, known_by)
    view = ledger.view(as_of=asked, known_by=known_by)
    assert head == view.position
    assert all(r.position <= head for h in view.histories() for r in h.records)


@given(steps(corrections=True))
def test_the_last_moment_is_now(told: list[Step]) -> None:
    """As of a day after everything said, the view is that of all facts."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    clock.us = us_of(date(2027, 1, 1))
    view, last = ledger.view(), ledger.view(as_of="2027-01-01")
    for history in view.histories("agreement"):
        assert view.state(history.stream) == last.state(history.stream)
    now = {name: table.records() for name, table in every_report(view).items()}
    assert now == {name: table.records() for name, table in every_report(last).items()}


def test_a_view_stays_when_the_ledger_moves_on(ledger: Ledger) -> None:
    """Also one that asked for everything known."""
    view = ledger.view()
    before = view.state(A)
    ledger.record(A, fact(CompanyCreated))
    assert before == view.state(A)
    assert before != ledger.state(A)


# --- Certain, possible, not yet -----------------------------------------------

_MODEL = "financial-model-agreed"


@st.composite
def vague(draw: st.DrawFn) -> list[Step]:
    """Draw a history of one milestone of which hardly a day is sure."""
    told = [Step(A, fact(AgreementIdentified, field="x"))]
    for _ in range(draw(st.integers(1, 6))):
        low, days = draw(st.integers(-10, 10)), draw(st.sampled_from([0, 10, 30]))
        when = str(When.between(at(low), at(low + days)))
        kind = draw(
            st.sampled_from(
                [
                    FinancialModelDiscussed,
                    FinancialModelAgreed,
                    MilestonePromised,
                    MilestoneReverted,
                    MilestoneWaived,
                    Suspended,
                    Resumed,
                    Terminated,
                ]
            )
        )
        more = {"milestone": _MODEL} if hasattr(kind, "milestone") else {}
        told.append(
            Step(A, fact(kind, when, **more), days=draw(st.sampled_from([0, 9])))
        )
    return told


def choices(records: tuple[Recorded, ...], day: date) -> Iterator[tuple[Recorded, ...]]:
    """Yield what had come by a day, for each choice of days within the bounds.

    By brute force: a fact lies on some day between its bounds, a blurred one on
    any; if it can have happened by its recording, it had, and if it cannot, it
    was only said, and counts from its first day on.
    """
    cases = list[tuple[bool, ...]]()
    for record in records:
        when, last = record.event.when, record.recorded_on
        exact = When(when.edtf).qualifier.value == "exact"
        low = when.earliest if exact else None
        high = when.latest if exact else None
        low = low or date(2024, 1, 1)
        high = high or date(2026, 12, 31)
        high = min(high, last) if low <= last else low
        days = range((high - low).days + 1)
        cases.append(tuple({low + timedelta(days=n) <= day for n in days}))
    for had_come in itertools.product(*cases):
        yield tuple(itertools.compress(records, had_come))


@given(steps(streams=(A,), size=12) | vague(), st.integers(-25, 70).map(at))
def test_every_choice_of_days_lies_within_the_answer(
    told: list[Step], day: date
) -> None:
    """Each milestone, and whether it is alive, is among what is held possible."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    if not ledger.store.head():
        return
    records = in_force(ledger.history(A).records)
    state = INVESTMENT.replay(records, as_of=day)
    seen: dict[str, set[Status]] = {name: set() for name in state.milestones}
    for had_come in choices(records, day):
        concrete = INVESTMENT.replay(had_come)
        assert concrete.activity in {state.activity, *state.activity_maybe}
        for name, milestone in concrete.milestones.items():
            seen[name].add(milestone.status)
            claimed = state.milestones[name]
            assert milestone.status in {claimed.status, *claimed.maybe}
            assert claimed.is_(milestone.status) is not Answer.NO
            late, told_late = milestone.overdue(day), claimed.overdue(day)
            assert late is told_late or told_late is Answer.MAYBE
    for name, claimed in state.milestones.items():
        if claimed.maybe:
            assert len(seen[name]) > 1, "a doubt that no choice of days justifies"


@given(
    st.lists(st.sampled_from([LandAllocated, CompanyCreated, AgreementSigned])),
    st.data(),
)
def test_certain_facts_only_grow(kinds: list[type[Event]], data: st.DataObject) -> None:
    """What had surely come by a day has come by every later one."""
    whens = [data.draw(whens_nearby()) for _ in kinds]
    events = [
        kind(when=when, cites=CITES) for kind, when in zip(kinds, whens, strict=True)
    ]
    on = data.draw(st.integers(0, 60).map(at))
    records = [
        Recorded(n, A, n, f"r{n}", "k/1", us_of(on), event)
        for n, event in enumerate(events, 1)
    ]
    order = {Answer.NO: 0, Answer.MAYBE: 1, Answer.YES: 2}
    for record in records:
        answers = [order[occurred(record, at(n))] for n in range(-30, 500)]
        assert answers == sorted(answers)


def test_a_fact_is_certain_when_it_was_written_down() -> None:
    """Reported as having happened, it had by then, whatever its bounds leave open."""
    event = fact(LandAllocated, "[..2025-04-25]")
    record = Recorded(1, A, 1, "r1", "k/1", us_of(date(2025, 4, 25)), event)
    days = [date(2025, 4, 24), date(2025, 4, 25)]
    assert [Answer.MAYBE, Answer.YES] == [occurred(record, day) for day in days]


def test_every_possible_step_stays_possible() -> None:
    """Two doubtful steps in a row: neither, the first, the second, or both."""
    window = "[2025-01-10..2025-03-10]"
    events = [
        fact(AgreementIdentified, field="x"),
        fact(FinancialModelDiscussed, window),
        fact(FinancialModelAgreed, window),
    ]
    records = [
        Recorded(n, A, n, f"r{n}", "k/1", us_of(date(2025, 4, 1)), event)
        for n, event in enumerate(events, 1)
    ]
    state = INVESTMENT.replay(records, as_of=date(2025, 2, 1))
    model = state.milestones[_MODEL]
    assert Status.UNMENTIONED is model.status
    assert {Status.IN_PROGRESS, Status.MET} == model.maybe


def test_a_possible_end_leaves_both_activities_possible() -> None:
    """A hold from before an end that is only possible: suspended, or ended."""
    events = [
        fact(AgreementIdentified, field="x"),
        fact(Terminated, "[2025-01-10..2025-03-10]"),
        fact(Suspended, "2025-01-05"),
    ]
    records = [
        Recorded(n, A, n, f"r{n}", "k/1", us_of(date(2025, 4, 1)), event)
        for n, event in enumerate(events, 1)
    ]
    state = INVESTMENT.replay(records, as_of=date(2025, 2, 1))
    assert Activity.SUSPENDED is state.activity
    assert {Activity.TERMINATED} == state.activity_maybe


def test_the_two_axes_of_one_date() -> None:
    """True on the 17th, written down in May: known only from then on."""
    clock = Clock(us_of(date(2025, 4, 25)))
    ledger, _ = fresh()
    ledger = Ledger(ledger.store, clock=clock)
    ledger.store.clock = clock  # type: ignore[attr-defined] # a MemoryStore
    ledger.record(A, fact(AgreementIdentified, field="x"))
    clock.us = us_of(date(2025, 5, 2))
    ledger.record(A, fact(AgreementSigned, "2025-04-17"))
    asked = {
        (as_of, known_by): ledger.view(as_of=as_of, known_by=known_by)
        .state(A)
        .milestones["signed"]
        .status
        for as_of in ("2025-04-16", "2025-04-17")
        for known_by in ("2025-04-25", "2025-05-02")
    }
    assert [("2025-04-17", "2025-05-02")] == [
        times for times, status in asked.items() if status is Status.MET
    ]


def test_ages_are_counted_to_the_day_in_question() -> None:
    """As of a day to that day, else to the day up to which is known."""
    ledger, _ = fresh()
    ledger.record(A, fact(AgreementIdentified, field="x"))
    assert at(3) == ledger.view(as_of=at(3)).moment.on
    assert at(5) == ledger.view(known_by=at(5)).moment.on
    assert FIRST == ledger.view().moment.on
    assert Range.exact(0) == When.between(FIRST, FIRST).days_until(
        When.between(FIRST, FIRST)
    )
