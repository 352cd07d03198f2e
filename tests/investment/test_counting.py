"""Counting policies: what is in a total, what is not, and what cannot be said."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from tests.logs import CITES, fresh

from azcn_events import Amount, Event, Milestone, When
from azcn_events.core.events import MilestonePromised, Resumed, Suspended, Terminated
from azcn_events.core.values import Answer
from azcn_events.errors import UnknownName
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.investment.counting import POLICIES, policy
from azcn_events.investment.events import DocumentKind
from azcn_events.investment.portfolio import portfolio

WHEN = When("2024-12-01")


def fact(cls: type[Event], when: When = WHEN, **fields: Any) -> Event:
    """Make a fact."""
    return cls(when=when, cites=CITES, **fields)


def signed(kind: str) -> Event:
    """Say what was signed."""
    return fact(ev.AgreementSigned, kind=DocumentKind(kind))


MODEL, WORK, LAND = (
    fact(kind) for kind in (ev.FinancialModelAgreed, ev.WorkStarted, ev.LandAllocated)
)
HELD, RESUMED, ENDED = (fact(kind) for kind in (Suspended, Resumed, Terminated))


def column(
    name: str, *events: Event, umbrella: bool = False, as_of: str | None = None
) -> str:
    """Say in which column of the pipeline an agreement of 5 dollars is."""
    ledger, _ = fresh()
    opened = fact(ev.AgreementIdentified, field="x", umbrella=umbrella)
    worth = fact(ev.ValueReported, amount=Amount.exact(5, "USD"))
    ledger.record("agreement/a", opened, worth, *events)
    view = ledger.view(as_of=as_of)
    total = view.report("pipeline", policy=name).row("total", "USD")
    (found,) = (
        where
        for where, cell in zip(("in", "unclear", "out"), total.cells[3:], strict=True)
        if cell.value == Amount.exact(5, "USD")
    )
    return found


@pytest.mark.parametrize(
    ("events", "where"),
    [
        ([], "unclear"),
        ([signed("unknown")], "unclear"),
        ([signed("memorandum")], "out"),
        ([signed("agreement")], "in"),
        ([signed("agreement"), signed("memorandum")], "out"),
        ([signed("memorandum"), MODEL], "in"),
        ([WORK], "in"),
        ([LAND], "unclear"),
        ([fact(MilestonePromised, milestone="signed")], "out"),
        ([fact(MilestonePromised, milestone="company-created")], "unclear"),
        ([signed("memorandum"), LAND], "out"),
        ([signed("agreement"), HELD], "out"),
        ([signed("agreement"), HELD, RESUMED], "in"),
        ([signed("agreement"), ENDED], "out"),
        ([signed("agreement"), fact(ev.FinancialModelDiscussed)], "in"),
        ([signed("memorandum"), fact(ev.FinancialModelDiscussed)], "out"),
    ],
)
def test_what_is_committed(events: list[Event], where: str) -> None:
    """A memorandum pledges, another document commits; unknown stays unknown."""
    assert where == column("committed", *events)


def test_what_was_possibly_signed_decides_nothing() -> None:
    """A memorandum, and then perhaps an agreement: unclear on a day between."""
    then = fact(
        ev.AgreementSigned,
        When("[2024-12-10..2024-12-30]"),
        kind=DocumentKind.AGREEMENT,
    )
    told = [signed("memorandum"), then]
    days = {"2024-12-05": "out", "2024-12-20": "unclear", "2024-12-30": "in"}
    assert days == {day: column("committed", *told, as_of=day) for day in days}


@pytest.mark.parametrize(
    ("name", "where"), [("claims", "in"), ("no-umbrellas", "out"), ("committed", "out")]
)
def test_umbrellas(name: str, where: str) -> None:
    """What contains others is counted only where every claim is."""
    assert where == column(name, signed("agreement"), umbrella=True)


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_signed_and_no_umbrella_is_counted(name: str) -> None:
    """By every policy that there is."""
    assert "in" == column(name, signed("agreement"))


def test_what_is_perhaps_on_hold_is_perhaps_committed() -> None:
    """And in full, or not at all, on the days before and after."""
    told = [signed("agreement"), fact(Suspended, When("[2024-12-10..2024-12-30]"))]
    days = {"2024-12-05": "in", "2024-12-20": "unclear", "2024-12-30": "out"}
    assert days == {day: column("committed", *told, as_of=day) for day in days}


def test_a_lifecycle_without_a_signing_has_no_pledges() -> None:
    """What was signed is not a question then; what presupposes it still decides."""
    lifecycle = attrs.evolve(
        INVESTMENT, milestones=(Milestone("work-started", met_by=ev.WorkStarted),)
    )
    ledger, _ = fresh(lifecycle=lifecycle)
    opened = fact(ev.AgreementIdentified, field="x")
    ledger.record("agreement/a", opened, signed("memorandum"))
    ledger.record("agreement/b", opened, WORK)
    counts = policy("committed").counts
    found = portfolio(ledger.view().moment).agreements.values()
    assert [Answer.MAYBE, Answer.YES] == [counts(agreement) for agreement in found]


def test_every_total_names_its_policy() -> None:
    """In the context and in a sentence."""
    ledger, _ = fresh()
    for name, counting in POLICIES.items():
        table = ledger.report("pipeline", policy=name)
        assert ("policy", name) in table.context
        assert counting.sentence in table.text(300)


def test_an_unknown_policy_is_answered_with_the_nearest() -> None:
    """And lists those that there are."""
    with pytest.raises(
        UnknownName, match=r"did you mean 'committed'.*claims, no-umb"
    ) as caught:
        policy("comitted")
    assert "counting policy" == caught.value.what
