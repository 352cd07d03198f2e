"""The seed: what was known of it on 25 April 2025, exactly, and for ever."""

from __future__ import annotations

import pytest
from tests.logs import every_report

from azcn_events import Amount, Ledger, Range, Status, View
from azcn_events.core.values import Answer
from azcn_events.demo import seed_files
from azcn_events.investment.portfolio import Portfolio, portfolio

PACKAGE = "package/beijing-2025-04"
DAY = "2025-04-25"


@pytest.fixture(scope="module")
def seeded() -> Ledger:
    """Give a ledger with all that was ever written down."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    return ledger


@pytest.fixture(scope="module")
def then(seeded: Ledger) -> View:
    """Give what was known by 25 April."""
    return seeded.view(known_by=DAY)


@pytest.fixture(scope="module")
def shown(then: View) -> Portfolio:
    """Give packages and agreements as they were known by 25 April."""
    return portfolio(then.moment)


def every_byte(view: View) -> dict[str, tuple[str, str, str, str]]:
    """Give each report as text, CSV, JSON and HTML."""
    return {
        name: (table.text(), table.csv(), table.json(), table.html())
        for name, table in every_report(view).items()
    }


def test_what_was_known_that_day_stays_byte_for_byte() -> None:
    """Every report, before and after the later files, on both stores of time."""
    first, *later = seed_files()
    with Ledger.open("memory:") as ledger:
        ledger.load(first)
        asked = [
            (None, DAY),
            (DAY, DAY),
            ("2025-04-20", DAY),
            (DAY, f"{DAY}T16:00:00Z"),
        ]
        before = [every_byte(ledger.view(as_of=v, known_by=r)) for v, r in asked]
        for path in later:
            ledger.load(path)
            after = [every_byte(ledger.view(as_of=v, known_by=r)) for v, r in asked]
            assert before == after


def test_what_changed_since_stays_byte_for_byte() -> None:
    """So does a report of changes between two moments of the past."""
    *known, last = seed_files()
    with Ledger.open("memory:") as ledger:
        for path in known:
            ledger.load(path)

        def changed() -> str:
            before = ledger.view(known_by=DAY)
            return (
                ledger.view(known_by="2025-05-02")
                .report("changes", before=before)
                .json()
            )

        early = changed()
        ledger.load(last)
        assert early == changed()


def test_the_documents_of_that_day(shown: Portfolio) -> None:
    """13 of them, 4 and 9; 2 individually identified, 11 anonymous."""
    package = shown.packages[PACKAGE]
    assert [Range.exact(n) for n in (13, 4, 9)] == [
        package.reported(group) for group in (None, "institutional", "practical")
    ]
    assert (Range.exact(2), Range.exact(11)) == (package.known(), package.anonymous())
    assert Range(2, 4) == package.anonymous("institutional")
    assert Range(7, 9) == package.anonymous("practical")
    assert () == package.identified
    assert {"agreement/cardboard", "agreement/tractors"} == set(shown.agreements)
    assert all(
        not any(party.names for party in agreement.identified.parties)
        and not agreement.value.amounts
        for agreement in shown.agreements.values()
    )


def test_the_value_of_that_day(then: View, shown: Portfolio) -> None:
    """USD 335,000,000, wholly unallocated, none of it known to be committed."""
    package = shown.packages[PACKAGE]
    whole = Amount.exact(335_000_000, "USD")
    assert ["USD 335,000,000"] == [
        str(amount) for amount in package.value.amounts.values()
    ]
    assert (Amount.exact(0, "USD"), whole) == (
        package.allocated("USD"),
        package.unallocated("USD"),
    )
    total = then.report("pipeline", policy="committed").row("total", "USD")
    assert ["total", "USD", "0", "USD 0", "USD 335,000,000", "USD 0"] == [
        str(cell.value) for cell in total.cells
    ]


def test_the_agreements_of_that_day(shown: Portfolio) -> None:
    """Cardboard has land and promises, tractors a model discussed; nothing else."""
    said = {
        name: {
            milestone: state.status
            for milestone, state in agreement.state.milestones.items()
            if state.status is not Status.UNMENTIONED
        }
        for name, agreement in shown.agreements.items()
    }
    assert {
        "agreement/cardboard": {
            "signed": Status.MET,
            "land-allocated": Status.MET,
            "company-created": Status.PROMISED,
            "investment-completed": Status.PROMISED,
        },
        "agreement/tractors": {
            "signed": Status.MET,
            "financial-model-agreed": Status.IN_PROGRESS,
        },
    } == said


def test_the_other_fields_are_only_mentioned(shown: Portfolio) -> None:
    """Six fields, an open list, two of them agreements that were spoken of."""
    mentioned = shown.packages[PACKAGE].mentioned
    assert mentioned is not None
    assert (6, True) == (len(mentioned.event.fields), mentioned.event.open_list)  # type: ignore[attr-defined] # FieldsMentioned


def test_nothing_was_overdue_or_completed(then: View, shown: Portfolio) -> None:
    """And nothing was against the rules."""
    for agreement in shown.agreements.values():
        for milestone in agreement.state.milestones.values():
            assert Answer.NO is milestone.overdue(then.moment.on)
        for name in ("investment-completed", "producing"):
            assert Answer.NO is agreement.state.milestones[name].is_(Status.MET)
    assert [] == list(then.deviations())


def test_the_seed_has_no_deviation_and_can_be_loaded_again(seeded: Ledger) -> None:
    """Each file twice is each file once."""
    head = seeded.store.head()
    for path in seed_files():
        assert () == seeded.load(path).deviations
    assert head == seeded.store.head() == 27
