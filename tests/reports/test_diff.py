"""The bridge between two moments: steps that join, and changes that add up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import CITES, Step, at, fresh, play, steps
from tests.reports.test_report_laws import OF_INVESTMENT

from azcn_events import Amount, Ledger, MilestonePromised, Missing, Range, When
from azcn_events.core.history import Moment
from azcn_events.demo import seed_files
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.reports.diff import Bridge, Change, change_of, diff
from azcn_events.reports.places import Place, cell_at, cells
from azcn_events.reports.render import shown
from azcn_events.reports.table import Cell, Column, Row, Table
from azcn_events.testing import logs
from azcn_events.testing.laws.reports import moment_of
from azcn_events.testing.transcript import Log

A, P = "agreement/a", "package/p"
SAID: dict[str, Any] = {"when": When("2024-12-01"), "cites": CITES}
OF_A_MOMENT = {
    name: report
    for name, report in OF_INVESTMENT.items()
    if not name.startswith("changes")
}
FEW = max(settings().max_examples // 5, 3)


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger, on the first of January 2025."""
    return fresh()[0]


def values(table: Table) -> dict[Place, object]:
    """Give every figure of a table by its place."""
    return {place: cell.value for place, cell in cells(table)}


def value(cell: Cell | None) -> object:
    """Give a figure; None also where there is no row."""
    return None if cell is None else cell.value


def ensure_joined(bridge: Bridge, first: Table, last: Table) -> None:
    """State that steps lead from the one table to the other without a gap."""
    for place in bridge.places:
        path = [cell_at(first, place)]
        for step in bridge.steps_of(place):
            assert value(path[-1]) == value(step.before)
            assert (path[-1] is None) == (step.before is None)
            path.append(step.after)
        assert value(cell_at(last, place)) == value(path[-1])
        assert (cell_at(last, place) is None) == (path[-1] is None)


def ensure_exact(bridge: Bridge) -> None:
    """State that the changes of each figure sum to its whole change, exactly."""
    for place in bridge.places:
        changes = [step.change for step in bridge.steps_of(place)]
        total = bridge.total(place)
        if None in changes:
            assert total is None
            continue
        if not changes:
            continue
        assert total is not None
        whole = change_of(bridge.first[place], bridge.last[place])
        assert whole is not None
        for bound in ("low", "high"):
            parts = [getattr(change, bound) for change in changes]
            if None in parts:
                assert getattr(total, bound) is None
            else:
                assert getattr(whole, bound) == sum(parts) == getattr(total, bound)


# --- The laws -----------------------------------------------------------------


@pytest.mark.parametrize("name", OF_A_MOMENT)
@settings(max_examples=FEW)
@given(
    log=logs(INVESTMENT), day=st.none() | st.integers(-20, 60).map(at), data=st.data()
)
def test_along_known_by_it_joins_and_adds_up(
    name: str, log: Log, day: date | None, data: st.DataObject
) -> None:
    """From any earlier position, record by record; what did not move is left out."""
    report = OF_A_MOMENT[name]
    size = data.draw(st.integers(0, len(log)))
    before = moment_of(INVESTMENT, log[:size], day)
    after = moment_of(INVESTMENT, log, day)
    bridge = diff(before, after, report)
    first, last = report(before), report(after)
    ensure_joined(bridge, first, last)
    ensure_exact(bridge)
    told, found = values(first), values(last)
    moved = {p for p in {**told, **found} if told.get(p, p) != found.get(p, p)}
    moved = {place for place in moved if names_figures(place, first, last)}
    assert moved <= set(bridge.places)
    known = [step.event.position for step in bridge.steps if step.event]
    assert known == sorted(known)
    assert {record.position for record in log[size:]} >= set(known)


def names_figures(place: Place, *tables: Table) -> bool:
    """Say whether a place is no label of a row that came or went, and no dash."""
    found = [cell_at(table, place) for table in tables]
    if None not in found:
        return True
    return any(cell and cell.why and cell.value is not None for cell in found)


@settings(max_examples=FEW)
@given(logs(INVESTMENT), st.data())
def test_it_is_the_bridge_of_the_plain_way(log: Log, data: st.DataObject) -> None:
    """Make the report of every prefix anew, and keep the records that moved it."""
    report = OF_A_MOMENT["pipeline, claims"]
    size = data.draw(st.integers(0, len(log)))
    before, after = (moment_of(INVESTMENT, told) for told in (log[:size], log))
    expected = list[tuple[int, str]]()
    then = values(report(before))
    for length in range(size + 1, len(log) + 1):
        now = values(report(moment_of(INVESTMENT, log[:length])))
        moved = [place for place in then if place in now and then[place] != now[place]]
        expected += sorted((log[length - 1].position, str(place)) for place in moved)
        then = now
    found = sorted(
        (step.event.position, str(step.place))
        for step in diff(before, after, report).steps
        if step.event and step.before and step.after
    )
    assert sorted(expected) == found


@pytest.mark.parametrize("name", OF_A_MOMENT)
@settings(max_examples=FEW)
@given(
    log=logs(INVESTMENT),
    days=st.lists(st.integers(-30, 90).map(at), min_size=2, max_size=2),
    last=st.sampled_from(["a day", "every fact"]),
)
def test_along_as_of_it_joins_and_adds_up(
    name: str, log: Log, days: list[date], last: str
) -> None:
    """From any earlier day, day by day, to a later one or to where all counts."""
    report = OF_A_MOMENT[name]
    since, until = sorted(days)
    before = moment_of(INVESTMENT, log, since)
    after = moment_of(INVESTMENT, log, until if last == "a day" else None)
    bridge = diff(before, after, report)
    ensure_joined(bridge, report(before), report(after))
    ensure_exact(bridge)
    for step in bridge.steps:
        assert step.event is None
        if step.came and step.day:
            assert since < step.day
            assert step.day <= until or last == "every fact"


@settings(max_examples=FEW)
@given(
    told=steps(), days=st.lists(st.integers(-30, 90).map(at), min_size=2, max_size=2)
)
def test_on_both_axes_at_once_it_joins_and_adds_up(
    told: list[Step], days: list[date]
) -> None:
    """First what was learned, then what came to be so; through a ledger."""
    ledger, clock = fresh()
    play(ledger, clock, told[: len(told) // 2])
    since, until = sorted(days)
    before = ledger.view(as_of=since)
    play(ledger, clock, told[len(told) // 2 :])
    after = ledger.view(as_of=until)
    for policy in ("claims", "committed"):
        bridge = after.diff("pipeline", before=before, policy=policy)
        tables = [view.report("pipeline", policy=policy) for view in (before, after)]
        ensure_joined(bridge, *tables)
        ensure_exact(bridge)


@settings(max_examples=FEW)
@given(logs(INVESTMENT), st.data())
def test_one_figure_is_bridged_as_in_the_whole_report(
    log: Log, data: st.DataObject
) -> None:
    """Asked alone, it has the steps that it has among the others."""
    report = OF_A_MOMENT["pipeline, claims"]
    before = moment_of(INVESTMENT, log[: data.draw(st.integers(0, len(log)))])
    after = moment_of(INVESTMENT, log)
    whole = diff(before, after, report)
    for row in report(after).rows:
        texts = tuple(map(shown, row.cells))
        alone = diff(before, after, report, *texts, column="counted")
        (place,) = alone.places
        assert whole.steps_of(place) == alone.steps
        assert value(alone.last[place]) == row.cells[3].value


# --- Worked examples ----------------------------------------------------------


def test_first_stated_plus_adjustments_is_restated(ledger: Ledger) -> None:
    """Three values, one of them misread, one entered late: 140, and then 85."""
    worth = {"a": 100, "b": 40}
    for name, number in worth.items():
        stream = f"agreement/{name}"
        ledger.record(stream, ev.AgreementIdentified(field="x", **SAID))
        ledger.record(
            stream, ev.ValueReported(amount=Amount.exact(number, "USD"), **SAID)
        )
    before = ledger.view()
    ledger.record(
        "agreement/a",
        ev.ValueReported(
            amount=Amount.exact(70, "USD"),
            replaces="r2",
            reason="annex 2 misread",
            **SAID,
        ),
    )
    ledger.record(
        "agreement/b",
        ev.ValueReported(
            amount=Amount.exact(0, "USD"), replaces="r4", reason="not signed", **SAID
        ),
    )
    ledger.record(
        "agreement/b", ev.ValueReported(amount=Amount.exact(15, "USD"), **SAID)
    )
    bridge = ledger.view().diff(
        "pipeline", "total", "USD", before=before, column="counted"
    )
    (place,) = bridge.places
    assert [(5, "-30"), (6, "-40"), (7, "+15")] == [
        (step.event.position if step.event else 0, str(step.change).split()[1])
        for step in bridge.steps
    ]
    assert Change("USD", Decimal(-55), Decimal(-55)) == bridge.total(place)
    text = bridge.table.text(200)
    assert "replaces r2: annex 2 misread; source/s" in text
    assert "USD 140" in text
    assert "USD 85" in text
    assert "USD -55" in text
    rows = json.loads(bridge.table.json())["rows"]
    assert {"unit": "USD", "low": "-55", "high": "-55"} == rows[-1]["change"]


def test_what_is_no_figure_is_words(ledger: Ledger) -> None:
    """Unknown is no zero: the step is shown, and has no number; nor has the whole."""
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    before = ledger.view()
    ledger.record(A, ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID))
    ledger.record(A, ev.ValueReported(amount=Amount.exact(6, "USD"), **SAID))
    bridge = ledger.view().diff(
        "pipeline", "total", "USD", before=before, column="counted"
    )
    (place,) = bridge.places
    assert [None, Change("USD", Decimal(1), Decimal(1))] == [
        step.change for step in bridge.steps
    ]
    assert bridge.total(place) is None
    assert "no row" in bridge.table.text(200)


def test_bounds_telescope_each_by_itself() -> None:
    """One bound may have a sum where the other is open."""
    below = Cell(Amount.below(3, "ha"))
    two, four = Cell(Amount.exact(2, "ha")), Cell(Amount.between(2, 4, "ha"))
    assert Change("ha", None, Decimal(-1)) == change_of(below, two)
    assert Change("ha", Decimal(0), Decimal(2)) == change_of(two, four)
    assert "ha not in figures at least, -1 at most" == str(change_of(below, two))
    assert Change("", Decimal(1), Decimal(-1)) == change_of(
        Cell(Range(0, 3)), Cell(Range(1, 2))
    )
    assert Change("", Decimal("0.5"), Decimal("0.5")) == change_of(
        Cell(1), Cell(Decimal("1.5"))
    )
    for other in (None, Cell("2 ha"), Cell(Missing.UNKNOWN), Cell(None)):
        assert change_of(two, other) is None
        assert change_of(other, two) is None
    assert change_of(two, Cell(Amount.exact(2, "USD"))) is None
    assert change_of(Cell(value=True), Cell(value=False)) is None
    with pytest.raises(InvalidValue, match="cannot be added"):
        Change("ha", None, None) + Change("USD", None, None)


def test_no_digit_is_lost() -> None:
    """Amounts have thirty digits on each side of the point; so has their change."""
    small = Cell(Amount.exact("0." + "0" * 29 + "1", "USD"))
    large = Cell(Amount.exact("9" * 30, "USD"))
    change = change_of(small, large)
    assert change is not None
    expected = Decimal("9" * 29 + "8." + "9" * 30)
    assert (expected, expected) == (change.low, change.high)
    back = change_of(large, small)
    assert back is not None
    assert (Decimal(0), Decimal(0)) == ((change + back).low, (change + back).high)


def test_facts_of_one_day_are_one_step(ledger: Ledger) -> None:
    """Along as_of; and a vague date makes two: possible, then sure."""
    ledger.record(
        P,
        ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID),
        ev.ValueReported(
            amount=Amount.exact(6, "USD"), when=When("2024-12-10"), cites=CITES
        ),
        ev.ValueReported(
            amount=Amount.exact(2, "USD"),
            adds=True,
            when=When("2024-12-10"),
            cites=CITES,
        ),
        ev.ValueReported(
            amount=Amount.exact(3, "USD"),
            when=When("[2024-12-20..2024-12-24]"),
            cites=CITES,
        ),
    )
    bridge = ledger.view(as_of="2024-12-31").diff(
        "pipeline",
        "unallocated",
        "USD",
        before=ledger.view(as_of="2024-12-05"),
        column="counted",
    )
    assert [
        ("2024-12-10", (2, 3), "USD 5", "USD 8"),
        ("2024-12-20", (4,), "USD 8", "USD 3 to 8"),
        ("2024-12-24", (4,), "USD 3 to 8", "USD 3"),
    ] == [
        (str(s.day), s.came, str(value(s.before)), str(value(s.after)))
        for s in bridge.steps
    ]
    assert "USD -2" in bridge.table.text(200)
    assert "came by then: positions 2, 3" in bridge.table.text(200)


def test_what_is_learned_is_looked_at_from_the_earlier_day(ledger: Ledger) -> None:
    """A fact of a later day moves nothing when it is learned, but when it comes."""
    ledger.record(P, ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID))
    before = ledger.view(as_of="2024-12-05")
    when = When("2024-12-10")
    ledger.record(
        P, ev.ValueReported(amount=Amount.exact(6, "USD"), when=when, cites=CITES)
    )
    bridge = ledger.view(as_of="2024-12-31").diff(
        "pipeline", "total", "USD", before=before, column="counted"
    )
    (step,) = bridge.steps
    assert (None, date(2024, 12, 10), (2,)) == (step.event, step.day, step.came)


def test_a_target_that_passes_is_a_step_of_its_own() -> None:
    """Nothing was said: days went by."""
    ledger, clock = fresh()
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    target = When("2025-01-10")
    ledger.record(A, MilestonePromised("producing", target=target, **SAID))
    before = ledger.view()
    clock.pass_days(30)
    bridge = ledger.view().diff("milestones", before=before, column="overdue")
    (step,) = bridge.steps
    assert (None, (), date(2025, 1, 31)) == (step.event, step.came, step.day)
    assert ("no", "yes") == (value(step.before), value(step.after))
    assert "days went by" in bridge.table.text(200)


def test_a_future_fact_counts_when_every_fact_does(ledger: Ledger) -> None:
    """The last day's step leads to the look that asks for no day."""
    when = When("2031-05-01")
    worth = ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID)
    ledger.record(P, worth, ev.DateRefined(when=when, cites=CITES))
    bridge = ledger.view().diff(
        "package", P, "date", before=ledger.view(as_of="2024-12-31"), column="reported"
    )
    (step,) = bridge.steps
    assert date(2031, 5, 1) == step.day
    assert "2031-05-01" == str(value(step.after))


def test_the_seed_lost_one_anonymous_document() -> None:
    """To a memorandum that was identified a week later."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    bridge = ledger.view().diff(
        "package",
        "package/beijing-2025-04",
        "documents, all",
        before=ledger.view(known_by="2025-04-25"),
        column="rest",
    )
    (step,) = bridge.steps
    assert step.event is not None
    assert ("beijing-memorandum", "-1") == (step.event.id, str(step.change))


def test_nothing_moved_is_no_step(ledger: Ledger) -> None:
    """A figure that was asked for is shown as it stands; of a whole report nothing."""
    ledger.record(P, ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID))
    view = ledger.view()
    assert 0 == len(view.diff("pipeline", before=view).table)
    bridge = view.diff("pipeline", "total", "USD", before=view, column="counted")
    (place,) = bridge.places
    assert Change("USD", Decimal(0), Decimal(0)) == bridge.total(place)
    assert "USD +0" in bridge.table.text(200)


# --- What is refused ----------------------------------------------------------


def test_the_earlier_moment_comes_first(ledger: Ledger) -> None:
    """On either axis; and both are of one log."""
    empty = ledger.view()
    ledger.record(P, ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID))
    full = ledger.view()
    with pytest.raises(InvalidValue, match="the later moment knows less"):
        empty.diff("pipeline", before=full)
    early, late = ledger.view(as_of="2024-01-01"), ledger.view(as_of="2025-01-01")
    for before in (late, full):
        with pytest.raises(InvalidValue, match="counts an earlier day"):
            early.diff("pipeline", before=before)
    other = fresh()[0]
    other.record(A, ev.AgreementIdentified(field="x", **SAID), ids=["other"])
    with pytest.raises(InvalidValue, match="knows less"):
        full.diff("pipeline", before=other.view())
    ledger.record(P, ev.ValueReported(amount=Amount.exact(6, "USD"), **SAID))
    kept = [r for r in ledger.view().moment.read() if r.position == 2]
    gap = attrs.evolve(full.moment, read=lambda: kept)
    with pytest.raises(InvalidValue, match="gaps"):
        diff(gap, ledger.view().moment, OF_A_MOMENT["status"])


def test_a_row_that_neither_has_is_refused(ledger: Ledger) -> None:
    """And a column; a row that only the earlier one has is bridged to nothing."""
    view = ledger.view()
    for row, column in ((("nothing",), ""), ((), "value"), (("total", "USD"), "value")):
        with pytest.raises(UnknownName):
            view.diff("pipeline", *row, before=view, column=column)
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    before = ledger.view()
    ledger.record(A, ev.AgreementSigned(**SAID))
    bridge = ledger.view().diff("pipeline", "none met", before=before)
    assert {"no row"} == {shown(cell) for cell in bridge.table.column("after")}
    assert {"agreements", "counted", "unclear", "left out"} <= {
        place.column for place in bridge.places
    }


def test_rows_that_begin_alike_are_told_apart_by_their_place() -> None:
    """And a row of which every cell rests on records is known by all its texts."""

    def own(moment: Moment) -> Table:
        def rows() -> Iterator[Row]:
            for record in moment.read():
                why = (record.position,)
                yield Row((Cell("fact"), Cell(record.position, why)))
                yield Row((Cell(record.kind, why), Cell(record.version, why)))

        columns = (Column("what"), Column("number"))
        return Table("own", "Own", columns, tuple(rows()))

    ledger = fresh()[0]
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    before = ledger.view().moment
    ledger.record(A, ev.AgreementSigned(**SAID))
    bridge = diff(before, ledger.view().moment, own)
    assert [
        "fact (2), number",
        "agreement-signed/2 / 2, what",
        "agreement-signed/2 / 2, number",
    ] == [str(place) for place in bridge.places]
