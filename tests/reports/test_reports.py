"""The reports: what they show, in which words, and that they are the same bytes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import CITES, Step, at, every_report, fresh, play, steps

from azcn_events import (
    Amount,
    Event,
    Ledger,
    Lifecycle,
    Milestone,
    MilestonePromised,
    Missing,
    Range,
    Retracted,
    Table,
    Terminated,
    When,
)
from azcn_events.core.events import Resumed, Suspended
from azcn_events.demo import seed_files
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment import events as ev
from azcn_events.reports import REPORTS
from azcn_events.reports.records import records

A, B, P = "agreement/a", "agreement/b", "package/p"


def fact(cls: type[Event], when: str = "2024-12-01", **fields: Any) -> Event:
    """Make a fact."""
    return cls(when=When(when), cites=CITES, **fields)


OPENED = fact(ev.AgreementIdentified, package=P, field="cardboard")
LAND = fact(ev.LandAllocated)


def texts(table: Table, column: str) -> list[str]:
    """Give a column as it is read."""
    return [str(cell.value) for cell in table.column(column)]


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger, on the first of January 2025."""
    return fresh()[0]


@given(steps(), st.none() | st.integers(-20, 60).map(at))
def test_the_same_facts_give_the_same_bytes(told: list[Step], day: object) -> None:
    """From another ledger with the same log, in text, CSV, JSON and HTML."""
    found = []
    for _ in range(2):
        ledger, clock = fresh()
        play(ledger, clock, told)
        tables = every_report(ledger.view(as_of=day)).values()  # type: ignore[arg-type] # a date
        found.append([(t.text(), t.csv(), t.json(), t.html()) for t in tables])
    assert found[0] == found[1]


@given(steps())
def test_a_replaced_record_is_named_with_what_replaced_it(told: list[Step]) -> None:
    """No "why" leads to what is no longer in force, and not on to what is."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    place = {record.id: record.position for record in ledger.records()}
    later = {
        place[record.event.replaces]: record.position
        for record in ledger.records()
        if record.event.replaces
    }
    for table in every_report(ledger).values():
        for row in table.rows:
            for cell in row.cells:
                named = set(cell.why)
                assert named <= set(place.values())
                assert named >= {later[at] for at in named if at in later}


@pytest.mark.parametrize("name", REPORTS)
def test_an_empty_ledger_has_every_report(ledger: Ledger, name: str) -> None:
    """Nothing is known, and no report fails over that."""
    more = {"before": ledger.view()} if name == "changes" else {}
    table = ledger.report(name, **more)
    assert name == table.name
    assert "known by: now" in table.text()


def test_every_report_takes_a_moment_first() -> None:
    """And says what else it takes."""
    for report in REPORTS.values():
        first, *rest = inspect.signature(report).parameters.values()
        assert "moment" == first.name
        assert all(parameter.default is not parameter.empty for parameter in rest)
        assert report.__doc__


# --- status -------------------------------------------------------------------


def test_status_shows_possible_statuses_after_the_sure_one(ledger: Ledger) -> None:
    """Of a milestone, and of the agreement itself."""
    ledger.record(
        A,
        OPENED,
        fact(ev.LandAllocated, "[2024-12-10..2024-12-30]"),
        fact(Suspended, "[2024-12-10..2024-12-30]"),
    )
    row = ledger.view(as_of="2024-12-20").report("status").rows[0]
    shown = [str(cell.value) for cell in row.cells]
    assert "unmentioned or met" in shown
    assert "active or suspended" in shown


def test_status_counts_deviations(ledger: Ledger) -> None:
    """One for each, the anonymous documents in a row of their own."""
    ledger.record(P, fact(ev.DocumentsReported, number=5))
    ledger.record(A, OPENED, LAND)
    table = ledger.report("status")
    assert [1, None] == [cell.value for cell in table.column("deviations")]
    assert "4" in str(table.rows[-1].cells[0].value)
    assert Missing.UNKNOWN is table.rows[-1].cells[2].value


@pytest.mark.parametrize("name", ["status", "milestones"])
def test_an_agreement_that_nobody_told_of_is_refused(ledger: Ledger, name: str) -> None:
    """An empty report would say that it stands nowhere."""
    ledger.record(A, OPENED, LAND)
    with pytest.raises(UnknownName, match="no agreement is called 'agreement/x'"):
        ledger.report(name, agreement="agreement/x")
    assert ledger.report(name, agreement=A).rows


def test_the_status_of_what_is_no_text_is_refused(ledger: Ledger) -> None:
    """The message can be read: a name's neighbours are only looked for in text."""
    number: Any = 7
    with pytest.raises(InvalidValue, match="'7': this is no text"):
        ledger.report("status", agreement=number)


# --- milestones ---------------------------------------------------------------


def test_milestones_tell_each_step_and_who_said_it(ledger: Ledger) -> None:
    """With the source's words, a promise's target, and whether it is late."""
    promise = fact(
        MilestonePromised, milestone="land-allocated", target=When("2024-12")
    )
    area = Amount.below(3, "ha", words="almost three hectares")
    ledger.record(A, OPENED, promise)
    assert ["yes"] == texts(ledger.report("milestones"), "overdue")
    ledger.record(A, fact(ev.LandAllocated, area=area))
    table = ledger.report("milestones")
    assert ["promised", "met"] == texts(table, "step")
    assert ["no", "None"] == texts(table, "overdue")
    assert ["", "below 3 ha “almost three hectares”"] == texts(table, "said")


def test_milestones_mark_what_only_possibly_came(ledger: Ledger) -> None:
    """A step that may lie after the day asked for."""
    ledger.record(A, OPENED, fact(ev.LandAllocated, "[2024-12-10..2024-12-30]"))
    table = ledger.view(as_of="2024-12-20").report("milestones")
    assert ["met, possibly"] == texts(table, "step")


def test_milestones_do_not_call_met_what_lies_in_the_future(ledger: Ledger) -> None:
    """Dated after its recording, it is a promise in every column."""
    ledger.record(A, OPENED, fact(ev.LandAllocated, "2026-12-10"))
    table = ledger.report("milestones")
    assert ["promised"] == texts(table, "step")
    assert "promised" in texts(ledger.report("status"), "land-allocated")


# --- funnel -------------------------------------------------------------------


def test_reached_at_least_is_more_than_met(ledger: Ledger) -> None:
    """A producing plant has reached the steps before, which nobody reported met."""
    ledger.record(A, OPENED, fact(ev.ProductionStarted))
    table = ledger.report("funnel")
    for name, met in (("signed", 0), ("investment-completed", 0), ("producing", 1)):
        assert Range.exact(1) == table.cell(name, column="reached").value
        assert Range.exact(met) == table.cell(name, column="met").value
    assert Range.exact(0) == table.cell("land-allocated", column="reached").value


def test_the_funnel_of_an_own_lifecycle() -> None:
    """Reports read the lifecycle, not the built-in one."""
    own = Lifecycle(
        name="own",
        events={"land": ev.LandAllocated, "work": ev.WorkStarted},
        milestones=(
            Milestone("ground", met_by=ev.LandAllocated),
            Milestone("building", met_by=ev.WorkStarted, requires=["ground"]),
        ),
    )
    ledger, _ = fresh(lifecycle=own)
    ledger.record("site/1", LAND, fact(ev.WorkStarted))
    ledger.record("site/2", LAND)
    assert ["2", "2", "1"] == texts(ledger.report("funnel"), "reached")
    assert ["site/1", "site/2"] == texts(ledger.report("status"), "agreement")


# --- pipeline -----------------------------------------------------------------


def test_the_furthest_milestone_is_no_surer_than_what_is_known(ledger: Ledger) -> None:
    """An agreement is in each row where it may belong, and in the total once."""
    ledger.record(
        A,
        OPENED,
        fact(ev.ValueReported, amount=Amount.exact(5, "USD")),
        fact(ev.LandAllocated, "[2024-12-10..2024-12-30]"),
    )
    table = ledger.view(as_of="2024-12-20").report("pipeline")
    five = Amount.exact(5, "USD")
    perhaps = five.or_(Amount.exact(0, "USD"))
    assert [
        ("land-allocated", Range(0, 1), perhaps),
        ("none met", Range(0, 1), perhaps),
        ("total", Range.exact(1), five),
    ] == [tuple(row.cells[at].value for at in (0, 2, 3)) for row in table.rows]
    assert "the total counts it once" in table.notes[-1]


@pytest.mark.parametrize("missing", Missing)
def test_value_that_no_source_says_is_a_row(ledger: Ledger, missing: Missing) -> None:
    """Unless a source says that there is none."""
    ledger.record(P, fact(ev.ValueReported, amount=missing))
    firsts = texts(ledger.report("pipeline"), "milestone")
    there = missing in (Missing.UNKNOWN, Missing.WITHHELD, Missing.ERASED)
    assert (["unallocated"] if there else []) == firsts


# --- changes ------------------------------------------------------------------


def changed(ledger: Ledger, before: object, **now: str) -> list[tuple[str, ...]]:
    """Give stream, change, what, before and after of each row that is a change."""
    table = ledger.view(**now).report("changes", before=before)
    return [
        tuple(str(cell.value) for cell in row.cells)
        for row in table.rows
        if "unchanged" not in str(row.cells[1].value)
    ]


def test_changes_on_the_axis_of_knowledge(ledger: Ledger) -> None:
    """New, progressed, revised, re-activated, regressed."""
    ledger.record(A, OPENED, LAND, fact(Terminated, "2024-12-20"))
    before = ledger.view()
    ledger.record(B, OPENED)
    ledger.record(
        A,
        fact(Resumed, "2024-12-25"),
        fact(ev.AgreementSigned),
        fact(ev.ValueReported, amount=Amount.exact(5, "USD")),
    )
    assert [
        (A, "re-activated", "activity", "terminated", "active"),
        (A, "progressed", "signed", "unmentioned", "met"),
        (A, "value revised", "value", "unknown", "USD 5"),
        (B, "new", "cardboard", "None", "identified"),
    ] == changed(ledger, before)


def test_changes_on_the_axis_of_validity(ledger: Ledger) -> None:
    """What came between two days, all of it known."""
    ledger.record(A, OPENED, fact(ev.LandAllocated, "2024-12-20"))
    found = changed(ledger, ledger.view(as_of="2024-12-10"), as_of="2024-12-31")
    assert [(A, "progressed", "land-allocated", "unmentioned", "met")] == found


def test_changes_since_now_are_none() -> None:
    """Everything is listed as unchanged."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    assert [] == changed(ledger, ledger.view())
    table = ledger.report("changes", before=ledger.view())
    assert {"unchanged"} == set(texts(table, "change"))


def test_what_kind_of_document_it_is_is_a_change(ledger: Ledger) -> None:
    """It moves a sum from one column of the pipeline to another."""
    ledger.record(A, OPENED, fact(ev.AgreementSigned))
    before = ledger.view()
    ledger.record(A, fact(ev.AgreementSigned, kind=ev.DocumentKind.AGREEMENT))
    assert [(A, "revised", "kind of document", "unknown", "agreement")] == changed(
        ledger, before
    )


def test_what_is_only_possible_is_a_change_too(ledger: Ledger) -> None:
    """A hold that may have begun is shown as such."""
    ledger.record(A, OPENED, fact(Suspended, "[2024-12-10..2024-12-30]"))
    before = ledger.view(as_of="2024-12-05")
    assert [(A, "restated", "activity", "active", "active or suspended")] == changed(
        ledger, before, as_of="2024-12-20"
    )


# --- package, records ---------------------------------------------------------


def test_a_package_without_counts_or_value(ledger: Ledger) -> None:
    """Unknown is a row, and is never left out."""
    ledger.record(P, fact(ev.ProgressClaimed, claim="work"))
    table = ledger.report("package")
    assert Missing.UNKNOWN is table.cell(P, "documents, all", column="reported").value
    assert Missing.UNKNOWN is table.cell(P, "value", column="reported").value


def test_a_list_of_records_shows_what_was_replaced(ledger: Ledger) -> None:
    """With the reason, in the order of the log."""
    ledger.record(A, OPENED, LAND, ids=["one", "two"])
    ledger.record(A, fact(ev.WorkStarted, replaces="two", reason="misread"))
    view = ledger.view()
    table = records(view.moment, view.history(A).records)
    assert ["one", "two"] == texts(table, "id")[:2]
    assert "replaces two; reason: misread" in texts(table, "fact")[2]


# --- why ----------------------------------------------------------------------


def test_a_count_names_what_may_count_and_nothing_else(ledger: Ledger) -> None:
    """What opened each, and the facts about the milestone in question."""
    ledger.record(A, OPENED, LAND, fact(ev.WorkStarted))
    ledger.record(B, OPENED)
    table = ledger.report("funnel")
    assert (1, 4) == table.cell("identified", column="reached").why
    assert (1, 2) == table.cell("land-allocated", column="met").why
    assert (4,) == table.cell("land-allocated", column="unmentioned").why
    assert () == table.cell("land-allocated", column="promised").why


def test_that_a_promise_is_not_late_rests_on_what_came_of_it(ledger: Ledger) -> None:
    """What the promise itself says rests on the promise."""
    promise = fact(
        MilestonePromised, milestone="land-allocated", target=When("2024-12")
    )
    ledger.record(A, OPENED, promise, LAND)
    told = ledger.report("milestones").rows[0].cells
    assert ("promised", (1, 2)) == (told[2].value, told[2].why)
    assert ("no", (1, 2, 3)) == (told[5].value, told[5].why)


def test_two_that_are_one_name_what_links_them(ledger: Ledger) -> None:
    """How each began, the proposal and its confirmation."""
    ledger.record(A, OPENED, fact(ev.WorkStarted))
    ledger.record(B, OPENED, LAND)
    ledger.record("link/l", fact(ev.LinkProposed, ours=A, other=B))
    ledger.record("link/l", fact(ev.LinkConfirmed))
    cell = ledger.report("status").cell(A, column="land-allocated")
    assert ("met", (1, 3, 4, 5, 6)) == (cell.value, cell.why)


def test_a_correction_names_what_it_replaces(ledger: Ledger) -> None:
    """It counts where that stood; and what takes it back is named with both."""

    def found() -> tuple[object, tuple[int, ...]]:
        cell = ledger.report("status").cell(A, column="land-allocated")
        return cell.value, cell.why

    ledger.record(A, OPENED, LAND, ids=["one", "two"])
    assert ("met", (1, 2)) == found()
    corrected = fact(ev.LandAllocated, replaces="two", reason="misread")
    ledger.record(A, corrected, ids=["three"])
    assert ("met", (1, 2, 3)) == found()
    ledger.record(A, fact(Retracted, replaces="three", reason="it was right"))
    assert ("met", (1, 2, 3, 4)) == found()


def test_a_deviation_names_what_it_deviates_from(ledger: Ledger) -> None:
    """What was expected before it and came later; what it came in the midst of."""
    ledger.record(A, OPENED, LAND, fact(Suspended), fact(ev.AgreementSigned))
    rows = ledger.report("deviations").rows
    assert [
        ("out-of-order", (1, 2, 4)),
        ("while-suspended", (1, 3, 4)),
    ] == [(row.cells[1].value, row.cells[1].why) for row in rows]


def test_the_seed_s_unallocated_value_leads_to_who_said_it() -> None:
    """To the reports of it, and to how the package began."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    package = ledger.history("package/beijing-2025-04").records
    told = {r.position for r in package if isinstance(r.event, ev.ValueReported)}
    cell = ledger.report("pipeline").cell("unallocated", "USD", column="counted")
    assert told | {package[0].position} == set(cell.why)


def test_a_change_names_what_was_known_before_and_since(ledger: Ledger) -> None:
    """A retraction leads to what it takes back."""
    ledger.record(A, OPENED, LAND, ids=["one", "two"])
    before = ledger.view()
    ledger.record(A, fact(Retracted, replaces="two", reason="it was another"))
    table = ledger.report("changes", before=before)
    (cell,) = (
        row.cells[4] for row in table.rows if row.cells[2].value == "land-allocated"
    )
    assert ("unmentioned", (1, 2, 3)) == (cell.value, cell.why)
