"""The record after which a rule fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.logs import CITES, fresh

from azcn_events import Amount, Ledger, MilestonePromised, Retracted, When
from azcn_events.core.history import Moment
from azcn_events.demo import seed_files
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.reports.bisect import RULES, Rule, bisect
from azcn_events.reports.past import Past
from azcn_events.testing import logs
from azcn_events.testing.laws.reports import moment_of
from azcn_events.testing.transcript import Log

A, P = "agreement/a", "package/p"
SAID: dict[str, Any] = {"when": When("2024-12-01"), "cites": CITES}


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger, on the first of January 2025."""
    return fresh()[0]


def linear(moment: Moment, holds: Rule) -> list[int]:
    """Give every position at which a rule fails, having held just before."""
    past, before, found = Past(moment), True, []
    for record in past.records:
        now = holds(past.at(record.position))
        if before and not now:
            found.append(record.position)
        before = now
    return found


@given(logs(INVESTMENT), st.integers(0, 30), st.sampled_from(["agreement", "package"]))
def test_of_a_rule_that_stays_broken_it_is_the_first(
    log: Log, most: int, category: str
) -> None:
    """Halving finds the same record as trying each."""

    def few(moment: Moment) -> bool:
        records = (r for r in moment.read() if r.stream.startswith(category))
        return sum(1 for _ in records) <= most

    moment = moment_of(INVESTMENT, log)
    turns = linear(moment, few)
    for exhaustive in (False, True):
        turn = bisect(moment, few, exhaustive=exhaustive)
        assert turns == ([] if turn is None else [turn.record.position])


@given(logs(INVESTMENT), st.sampled_from(sorted(RULES)))
def test_of_any_rule_it_is_a_turn(log: Log, name: str) -> None:
    """Before the record the rule holds, with it it fails; each tried: the first."""
    moment, holds = moment_of(INVESTMENT, log), RULES[name]
    turns = linear(moment, holds)
    found = bisect(moment, holds)
    if found is None:
        assert holds(moment)
    else:
        assert found.record.position in turns
        if found.is_first:
            assert turns[0] == found.record.position
    each = bisect(moment, holds, exhaustive=True)
    assert turns[:1] == ([] if each is None else [each.record.position])


@given(broken=st.sets(st.integers(1, 40)), after=st.integers(0, 40))
@example(broken=set(range(2, 41)), after=1)
def test_of_whatever_rule_it_is_a_turn(broken: set[int], after: int) -> None:
    """Also of one that fails and holds again at every other record."""
    ledger = fresh()[0]
    ledger.record(A, *[ev.AgreementIdentified(field="x", **SAID)] * 40)
    moment = ledger.view().moment

    def holds(earlier: Moment) -> bool:
        return max((r.position for r in earlier.read()), default=0) not in broken

    if after in broken:
        with pytest.raises(InvalidValue, match="fails already"):
            bisect(moment, holds, after=after)
        return
    turns = [at for at in sorted(broken) if at > after and at - 1 not in broken]
    found = bisect(moment, holds, after=after)
    assert (found is not None) == (40 in broken and after < 40)
    if found is not None:
        assert found.record.position in turns
        assert found.is_first or found.record.position > after + 1
    each = bisect(moment, holds, after=after, exhaustive=True)
    assert turns[:1] == ([] if each is None else [each.record.position])
    assert each is None or each.is_first


def test_halving_looks_at_few_moments(ledger: Ledger) -> None:
    """Ten times for a thousand records, not a thousand times."""
    ledger.record(A, *[ev.AgreementIdentified(field="x", **SAID)] * 1000)
    turn = bisect(ledger.view().moment, lambda m: sum(1 for _ in m.read()) < 700)
    assert turn is not None
    assert (700, False) == (turn.record.position, turn.is_first)
    assert turn.looks <= 12


def test_a_rule_that_holds_has_no_turn(ledger: Ledger) -> None:
    """Neither has an empty log."""
    for exhaustive in (False, True):
        assert ledger.view().bisect("deviations", exhaustive=exhaustive) is None
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    assert ledger.view().bisect("deviations") is None


# --- The rules by name --------------------------------------------------------


def test_the_first_deviation_is_found(ledger: Ledger) -> None:
    """Production without an investment."""
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    ledger.record(A, ev.AgreementSigned(**SAID))
    ledger.record(A, ev.ProductionStarted(**SAID))
    turn = ledger.view().bisect("deviations")
    assert turn is not None
    assert "production-started/1" == turn.record.kind
    assert "up to position 2 and fails with this record" in turn.table.title


def test_a_deviation_that_was_taken_back_is_found_by_trying_each(
    ledger: Ledger,
) -> None:
    """Halving sees that all is well at the end, and says no more."""
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    odd = ledger.record(A, ev.ProductionStarted(**SAID)).records[0]
    ledger.record(A, Retracted(replaces=odd.id, reason="another project", **SAID))
    assert ledger.view().bisect("deviations") is None
    turn = ledger.view().bisect("deviations", exhaustive=True)
    assert turn is not None
    assert (odd.id, True) == (turn.record.id, turn.is_first)
    assert "no longer in force" in turn.table.text(200)


def test_what_made_something_overdue_is_found(ledger: Ledger) -> None:
    """By the day of the view; the promise that its target was missed."""
    ledger.record(A, ev.AgreementIdentified(field="x", **SAID))
    target = When("2024-12-20")
    promise = MilestonePromised("company-created", target=target, **SAID)
    ledger.record(A, promise)
    turn = ledger.view().bisect("overdue")
    assert turn is not None
    assert 2 == turn.record.position
    assert ledger.view(as_of="2024-12-10").bisect("overdue") is None


def test_what_made_the_parts_exceed_the_total_is_found(ledger: Ledger) -> None:
    """In money, and in documents."""
    ledger.record(P, ev.ValueReported(amount=Amount.exact(10, "USD"), **SAID))
    ledger.record(A, ev.AgreementIdentified(field="x", package=P, **SAID))
    ledger.record(A, ev.ValueReported(amount=Amount.exact(11, "USD"), **SAID))
    turn = ledger.view().bisect("overspent")
    assert turn is not None
    assert 3 == turn.record.position
    ledger.record(P, ev.DocumentsReported(number=0, **SAID))
    turn = ledger.view().bisect("overspent", exhaustive=True)
    assert turn is not None
    assert 3 == turn.record.position
    view = fresh()[0]
    view.record(P, ev.DocumentsReported(number=0, **SAID))
    view.record(A, ev.AgreementIdentified(field="x", package=P, **SAID))
    turn = view.view().bisect("overspent")
    assert turn is not None
    assert 2 == turn.record.position


def test_the_first_conflict_of_the_seed_is_found(tmp_path: Path) -> None:
    """Who organised the conference; and since when the pipeline reads as it does."""
    ledger = Ledger.open(tmp_path / "azcn.db")
    for path in seed_files():
        ledger.load(path)
    view = ledger.view()
    turn = view.bisect("conflicts")
    assert turn is not None
    assert "beijing-conflict-organisers" == turn.record.id
    rule = view.reads_otherwise("pipeline", "unallocated", "USD", column="counted")
    turn = view.bisect(rule)
    assert turn is not None
    assert "beijing-value" == turn.record.id
    before = turn.table.text()
    ledger.close()
    assert before == turn.table.text(), "it outlives the ledger"


def test_an_unknown_rule_is_refused(ledger: Ledger) -> None:
    """With the names that there are."""
    with pytest.raises(UnknownName, match="deviations, overdue, conflicts, overspent"):
        ledger.view().bisect("deviation!")
