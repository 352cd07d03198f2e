"""The invariants of the domain, each a law about random logs.

Numbered as in the handbook of the domain.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.logs import (
    CITES,
    Step,
    at,
    every_report,
    fresh,
    play,
    steps,
    us_of,
    whens_nearby,
)

from azcn_events import (
    Amount,
    Ledger,
    MilestonePromised,
    Missing,
    Range,
    Recorded,
    Retracted,
    Status,
    Table,
    When,
)
from azcn_events.core.codec import Codec
from azcn_events.core.history import in_force
from azcn_events.core.lifecycle import occurred
from azcn_events.core.values import Answer
from azcn_events.errors import InvalidValue, TransitionRefused
from azcn_events.interop import jsonlines
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.investment.portfolio import portfolio

WHEN = When("2024-12-01")
DAYS = st.none() | st.integers(-20, 60).map(at)


def played(told: list[Step]) -> Ledger:
    """Record what a list of steps tells."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    return ledger


def seen(ledger: Ledger) -> dict[str, list[str]]:
    """Give every report as sorted lines, without what only names an order."""
    return {
        name: sorted(table.csv().splitlines())
        for name, table in every_report(ledger).items()
    }


_PARTS = st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5)


@given(st.integers(0, 100), _PARTS, st.integers(0, 100), st.booleans())
def test_i01_known_parts_and_the_rest_make_the_total(
    total: int,
    parts: list[tuple[int, bool]],
    later: int,
    adds: bool,  # noqa: FBT001 - drawn
) -> None:
    """Known + unallocated == the total in force; no more than it is ever split."""
    ledger, _ = fresh()

    def worth(number: int, *, adds: bool = False) -> ev.ValueReported:
        amount = Amount.exact(number, "USD")
        return ev.ValueReported(when=WHEN, cites=CITES, amount=amount, adds=adds)

    ledger.record("package/p", worth(total), worth(later, adds=adds))
    held = 0
    for number, (part, restated) in enumerate(parts):
        opened = ev.AgreementIdentified(
            when=WHEN, cites=CITES, package="package/p", field="x"
        )
        told = [worth(99), worth(part)] if restated else [worth(part)]
        ledger.record(f"agreement/{number}", opened, *told)
        held += part
    in_force_now = Decimal(total + later if adds else later)
    package = portfolio(ledger.view().moment).packages["package/p"]
    known, rest = package.allocated("USD"), package.unallocated("USD")
    assert Amount.exact(held, "USD") == known
    assert rest.low is not None
    assert rest.low >= 0
    if held <= in_force_now:
        assert Amount.exact(in_force_now, "USD") == known + rest
        assert Answer.NO is package.overspent("USD")
    else:
        assert (Amount.exact(0, "USD"), Answer.YES) == (rest, package.overspent("USD"))
    counted = ledger.report("pipeline").cell("total", "USD", column="counted").value
    assert Amount.exact(max(in_force_now, Decimal(held)), "USD") == counted


@given(steps(size=20), DAYS)
def test_i02_anonymous_documents_are_never_negative(
    told: list[Step], day: date | None
) -> None:
    """Known and anonymous make the reported number, or too many are known."""
    for package in portfolio(played(told).view(as_of=day).moment).packages.values():
        for group in (None, *package.groups):
            rest, reported = package.anonymous(group), package.reported(group)
            assert (rest is None) == (reported is None)
            if rest is None or reported is None:
                continue
            assert rest.low is not None
            assert rest.high is not None
            assert 0 <= rest.low <= rest.high
            assert rest.high <= (reported.high or 0)
        whole, rest = package.reported(), package.anonymous()
        if day is None and whole is not None and not package.exceeded:
            assert whole == package.known() + rest  # type: ignore[operator] # told above


@given(whens_nearby(), whens_nearby())
def test_i03_a_refined_date_narrows_or_says_that_it_does_not(
    first: When, then: When
) -> None:
    """What is called narrower lies inside; what contradicts shares no day."""
    ledger, _ = fresh()
    ledger.record(
        "package/p",
        ev.ConferenceReported(when=first, cites=CITES, title="fair"),
        ev.DateRefined(when=then, cites=CITES),
    )
    word = portfolio(ledger.view().moment).packages["package/p"].refinement
    low = max(first.earliest or date.min, then.earliest or date.min)
    high = min(first.latest or date.max, then.latest or date.max)
    inside = (low, high) == (then.earliest or date.min, then.latest or date.max)
    assert inside == (word == "narrows")
    if word == "contradicts":
        assert low > high
    assert word in {"narrows", "contradicts", "widens"}


@given(steps(size=20))
def test_i04_nothing_is_met_before_it_could_be_recorded(told: list[Step]) -> None:
    """What was reached rests on a fact not wholly after its recording."""
    ledger = played(told)
    for history in ledger.view().histories("agreement"):
        for milestone in ledger.state(history.stream).milestones.values():
            if milestone.status in (Status.MET, Status.IN_PROGRESS):
                firsts = [
                    (r.event.when.earliest, r.recorded_on) for r in milestone.records
                ]
                assert any(day is None or (day - on).days <= 1 for day, on in firsts)
    for record in ledger.records():
        when = record.event.when
        assert (
            when.earliest is None or when.latest is None or when.earliest <= when.latest
        )


@given(steps(size=20), DAYS, st.integers(-1, 40).map(at))
def test_i05_a_view_uses_nothing_recorded_later(
    told: list[Step], day: date | None, known_by: date
) -> None:
    """Nor do its reports: every position that a cell names is known by then."""
    ledger = played(told)
    view = ledger.view(as_of=day, known_by=known_by)
    assert all(r.recorded_on <= known_by for h in view.histories() for r in h.records)
    for table in every_report(view).values():
        for row in table.rows:
            assert all(
                place <= view.position for cell in row.cells for place in cell.why
            )


@given(steps(size=10), steps(size=10), DAYS)
def test_i06_a_past_report_stays_as_it_was(
    before: list[Step], after: list[Step], day: date | None
) -> None:
    """Text, CSV and JSON, byte for byte, whatever is appended."""
    ledger, clock = fresh()
    play(ledger, clock, before)
    known_by = date.fromtimestamp(clock.us / 1e6)  # noqa: DTZ012 - noon, in any zone

    def bytes_of() -> list[str]:
        tables = every_report(ledger.view(as_of=day, known_by=known_by)).values()
        return [shown for t in tables for shown in (t.text(), t.csv(), t.json())]

    then = bytes_of()
    clock.pass_days(1)
    play(ledger, clock, after)
    assert then == bytes_of()


@given(steps(size=25))
def test_i07_what_is_met_has_an_event_of_its_own(told: list[Step]) -> None:
    """A promise, alone or repeated, never becomes an achievement."""
    ledger = played(told)
    meets = {kind for milestone in INVESTMENT.milestones for kind in milestone.met_by}
    for history in ledger.view().histories("agreement"):
        for name, milestone in ledger.state(history.stream).milestones.items():
            if milestone.status is Status.MET:
                kinds = {type(record.event) for record in milestone.records}
                own = next(m for m in INVESTMENT.milestones if m.name == name).met_by
                assert kinds & set(own) & meets


@given(
    st.sampled_from(INVESTMENT.milestones),
    st.integers(0, 20_000),
    st.text("ab ", max_size=5),
)
def test_i08_a_promise_without_a_target_only_ages(
    milestone: object, days: int, words: str
) -> None:
    """It is never overdue, on whatever day one asks."""
    ledger, _ = fresh()
    name = milestone.name  # type: ignore[attr-defined] # a Milestone
    ledger.record(
        "agreement/a",
        ev.AgreementIdentified(when=WHEN, cites=CITES, field="x"),
        MilestonePromised(
            milestone=name,
            target=When.unknown(words),
            when=When("2025-01-01"),
            cites=CITES,
        ),
    )
    state = ledger.view(as_of=at(days)).state("agreement/a").milestones[name]
    assert Answer.NO is state.overdue(at(days))
    assert Range.exact(days) == state.age_days(at(days))


@given(steps(size=16), st.randoms(use_true_random=False))
def test_i09_the_order_between_streams_does_not_matter(
    told: list[Step], chance: object
) -> None:
    """At one recorded time, any interleaving of streams gives the same reports."""
    told = [attrs.evolve(step, days=0) for step in told]
    order = [step.stream for step in told]
    chance.shuffle(order)  # type: ignore[attr-defined] # random.Random
    queues = {name: iter([s for s in told if s.stream == name]) for name in set(order)}
    mixed = [next(queues[name]) for name in order]

    def listed(ledger: Ledger) -> dict[str, list[str]]:
        either = "agreement/b(.{1,2})agreement/a"  # a list of both, in either order
        return {
            name: sorted(
                re.sub(either, r"agreement/a\1agreement/b", line) for line in lines
            )
            for name, lines in seen(ledger).items()
        }

    assert listed(played(told)) == listed(played(mixed))


@given(steps(streams=("agreement/a", "agreement/b", "package/p"), size=12))
def test_i10_a_candidate_link_changes_no_total(told: list[Step]) -> None:
    """Until it is confirmed; and confirming and then retracting restores everything."""
    ledger = played(told)
    plain = seen(ledger)
    proposed = ev.LinkProposed(
        when=WHEN, cites=CITES, ours="agreement/a", other="agreement/b"
    )
    ledger.record("link/l", proposed)
    assert plain == seen(ledger)
    confirmed = ledger.record(
        "link/l", ev.LinkConfirmed(when=WHEN, cites=CITES)
    ).records[0]
    known = len(list(ledger.view().histories("agreement")))
    both = portfolio(ledger.view().moment).agreements
    assert len(both) <= max(known - 1, 0) or known < 2
    undone = Retracted(when=WHEN, cites=CITES, replaces=confirmed.id, reason="a slip")
    ledger.record("link/l", undone)
    assert plain == seen(ledger)


@given(steps(size=25))
def test_i11_a_later_milestone_does_not_prove_an_earlier_one(told: list[Step]) -> None:
    """A milestone without a fact of its own is unmentioned, whatever else is met."""
    ledger = played(told)
    for history in ledger.view().histories("agreement"):
        facts = in_force(history.records)
        moved = {name for record in facts for name, _ in INVESTMENT.moves(record.event)}
        for name, milestone in ledger.state(history.stream).milestones.items():
            assert (milestone.status is Status.UNMENTIONED) == (name not in moved)
    funnel = ledger.report("funnel")
    for rule in INVESTMENT.milestones:
        reached, met = (
            funnel.cell(rule.name, column=column).value for column in ("reached", "met")
        )
        assert isinstance(reached, Range)
        assert isinstance(met, Range)
        assert (reached.low or 0) >= (met.low or 0)


def _comes_back(table: Table) -> None:
    head, *body = csv.reader(io.StringIO(table.csv()))
    assert [column.name for column in table.columns] == head[: len(table.columns)]
    assert len(table.rows) == len(body)
    assert {len(head)} >= {len(line) for line in body}
    plain = json.loads(table.json())
    assert table.name == plain["name"]
    assert [column.name for column in table.columns] == [
        c["name"] for c in plain["columns"]
    ]
    assert table.records() == plain["rows"]
    assert [n for n, row in enumerate(table.rows) if row.total] == plain["totals"]


@given(steps(size=15))
def test_i12_every_export_comes_back_whole(told: list[Step]) -> None:
    """JSON Lines with every record, position and byte; reports with every row."""
    ledger = played(told)
    records = list(ledger.records())
    lines = b"".join(
        jsonlines.write(record, Codec(INVESTMENT)) + b"\n" for record in records
    )
    copy, _ = fresh()
    copy._clock = ledger._clock
    copy.load(io.BytesIO(lines))
    assert records == list(copy.records())
    assert list(ledger.store.read_all()) == list(copy.store.read_all())
    for table in every_report(ledger).values():
        _comes_back(table)


@given(steps(size=20), DAYS, st.sampled_from(["claims", "no-umbrellas", "committed"]))
def test_i13_every_breakdown_sums_to_its_total(
    told: list[Step], day: date | None, policy: str
) -> None:
    """Milestones to the agreements identified, rows to totals, the unknown included."""
    view = played(told).view(as_of=day)
    funnel = view.report("funnel")
    (identified, *milestones), size = funnel.rows, len(INVESTMENT.milestones)
    for row in milestones[:size]:
        whole = identified.cells[1].value
        parts = [cell.value for cell in row.cells[2:] if isinstance(cell.value, Range)]
        total = sum(parts, Range.exact(0))
        assert isinstance(whole, Range)
        assert (
            (total.low or 0)
            <= (whole.low or 0)
            <= (whole.high or 0)
            <= (total.high or 0)
        )
        if day is None:
            assert whole == total
    table = view.report("pipeline", policy=policy)
    for last in (row for row in table.rows if row.total):
        unit = last.cells[1].value
        mine = [r for r in table.rows if r.cells[1].value == unit and not r.total]
        for place in (3, 4, 5):
            amounts = [v for r in mine if isinstance(v := r.cells[place].value, Amount)]
            assert len(mine) == len(amounts)
            summed, sum_shown = (
                Amount.total(amounts, str(unit)),
                last.cells[place].value,
            )
            assert isinstance(sum_shown, Amount)
            # What may belong to either of two rows is in both, from nothing up.
            assert summed in (summed.or_(sum_shown), sum_shown)
            if day is None:
                assert summed == sum_shown
    if day is None:
        agreements = portfolio(view.moment).agreements
        unknown = [a for a in agreements.values() if a.value.missing]
        shown = [
            r.cells[2].value for r in table.rows if r.cells[1].value is Missing.UNKNOWN
        ]
        assert Range.exact(len(unknown)) == sum(
            (n for n in shown if isinstance(n, Range)), Range.exact(0)
        )


@given(steps(size=15), st.sampled_from(["agreement/a", "package/p"]), whens_nearby())
def test_i14_a_claim_of_progress_changes_no_milestone(
    told: list[Step], stream: str, when: When
) -> None:
    """However vague or grand it is."""
    ledger = played(told)
    before = {
        h.stream: ledger.state(h.stream).milestones for h in ledger.view().histories()
    }
    assume(stream in before)
    claim = ev.ProgressClaimed(when=when, cites=CITES, claim="all done")
    try:
        ledger.record(stream, claim)
    except TransitionRefused:
        return  # Terminated: nothing is claimed of it any more.
    after = {
        h.stream: ledger.state(h.stream).milestones for h in ledger.view().histories()
    }
    assert before == after


def test_dates_that_end_before_they_begin_cannot_be_made() -> None:
    """I4 once more, at its root."""
    with pytest.raises(InvalidValue):
        When.between(at(1), at(0))


def test_a_possible_fact_is_possible_until_it_was_recorded() -> None:
    """I4: its latest bound is cut to the recording."""
    event = ev.LandAllocated(when=When("2025"), cites=CITES)
    record = Recorded(1, "agreement/a", 1, "r1", "k/1", us_of(at(20)), event)
    assert [Answer.MAYBE, Answer.YES] == [occurred(record, at(day)) for day in (19, 20)]
