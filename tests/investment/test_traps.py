"""The traps that a naive model falls into, each on the seed itself.

Numbered as in the handbook of the domain. Each holds on what was known by 25 April
2025 and on all that was ever written down.
"""

from __future__ import annotations

from datetime import date

import pytest
from tests.logs import every_report

from azcn_events import Amount, Ledger, Missing, Range, Status, View
from azcn_events.core.values import Answer
from azcn_events.demo import seed_files, told
from azcn_events.investment.events import (
    DocumentIdentified,
    DocumentKind,
    FinancialModelAgreed,
    LandAllocated,
    LinkProposed,
    ProgressClaimed,
    SourceRegistered,
    ValueReported,
)
from azcn_events.investment.portfolio import Package, Portfolio, portfolio

PACKAGE = "package/beijing-2025-04"
CARDBOARD, TRACTORS = "agreement/cardboard", "agreement/tractors"


@pytest.fixture(scope="module")
def seeded() -> Ledger:
    """Give a ledger with all that was ever written down."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    return ledger


@pytest.fixture(params=["2025-04-25", None], ids=["known by 25 April", "all known"])
def view(seeded: Ledger, request: pytest.FixtureRequest) -> View:
    """Give each of the two views."""
    return seeded.view(known_by=request.param)


@pytest.fixture
def shown(view: View) -> Portfolio:
    """Give packages and agreements."""
    return portfolio(view.moment)


@pytest.fixture
def package(shown: Portfolio) -> Package:
    """Give the package of Beijing."""
    assert [PACKAGE] == list(shown.packages)
    return shown.packages[PACKAGE]


def everything(view: View) -> str:
    """Give all that is said of a view."""
    tables = [table.text() + table.json() for table in every_report(view).values()]
    return told(view, 100) + "".join(tables)


def test_t01_the_total_is_not_divided(view: View, package: Package) -> None:
    """$335m is neither $335m / 13 nor / 9 nor / 6 for anything."""
    assert Amount.exact(0, "USD") == package.allocated("USD")
    assert all(not agreement.value.amounts for agreement in package.agreements)
    said = everything(view)
    for shares in (13, 11, 10, 9, 6, 2):
        assert f"{335_000_000 // shares:,}" not in said
        assert f'"{335_000_000 // shares}"' not in said


def test_t02_a_field_is_not_an_agreement(shown: Portfolio, package: Package) -> None:
    """Six fields are no six agreements, and nine documents get no field each."""
    assert {CARDBOARD, TRACTORS} == set(shown.agreements)
    rest = package.anonymous()
    assert rest is not None
    assert rest.low is not None
    assert rest.low >= 10


def test_t03_the_memorandum_is_one_of_the_four(view: View, package: Package) -> None:
    """AZPROMO's memorandum is not a fourteenth document."""
    assert Range.exact(13) == package.reported()
    found = [
        r.event for r in package.identified if isinstance(r.event, DocumentIdentified)
    ]
    if view.moment.known_by:
        assert [] == found
        assert Range.exact(11) == package.anonymous()
        return
    assert ["institutional"] == [document.group for document in found]
    assert Range.exact(10) == package.anonymous()
    assert Range(1, 3) == package.anonymous("institutional")
    assert 2 == len(found[0].parties[1].names), "the sources differ on the counterpart"


def test_t04_other_events_of_the_weeks_are_not_added(view: View) -> None:
    """The documents of 16 and 23 April are no part of the package."""
    dates = [
        (record.event.when.earliest, record.event.when.latest)
        for history in view.histories("package")
        for record in history.facts
    ]
    assert not {date(2025, 4, 16), date(2025, 4, 23)} & {
        day for pair in dates for day in pair
    }
    assert ["13"] == [
        str(cell.value)
        for cell in view.report("package").row(PACKAGE, "documents, all").cells[2:3]
    ]


def test_t05_the_signing_has_no_date_that_the_source_did_not_give(
    view: View, package: Package
) -> None:
    """Neither 25 April (publication) nor 17 April as if the first article said it."""
    for agreement in (CARDBOARD, TRACTORS):
        (signed,) = view.state(agreement).milestones["signed"].records
        assert (None, date(2025, 4, 25)) == (
            signed.event.when.earliest,
            signed.event.when.latest,
        )
    for record in package.occasions:
        on_the_17th = record.event.when.earliest == date(2025, 4, 17)
        assert on_the_17th == (record.event.cites.source == "source/trend-4033660")
    known = [str(record.event.when.edtf) for record in package.occasions]
    assert ["[..2025-04-25~]", "2025-04-17"][: len(known)] == known
    assert ("" if view.moment.known_by else "narrows") == package.refinement


def test_t06_almost_three_hectares_stay_below_three(view: View) -> None:
    """3.0 ha is never said, and 3 itself is not in the bounds."""
    (record,) = view.state(CARDBOARD).milestones["land-allocated"].records
    assert isinstance(record.event, LandAllocated)
    area = record.event.area
    assert isinstance(area, Amount)
    assert (None, True) == (area.low, area.high_open)
    assert Answer.NO is Amount.exact(3, "ha").below_or_at(area)
    assert "below 3 ha" in view.report("milestones").text()


def test_t07_the_land_has_no_owner_yet(view: View) -> None:
    """It was allocated for a purpose; the company does not exist."""
    (record,) = view.state(CARDBOARD).milestones["land-allocated"].records
    assert isinstance(record.event, LandAllocated)
    assert Missing.UNKNOWN is record.event.allottee
    assert Status.PROMISED is view.state(CARDBOARD).milestones["company-created"].status


def test_t08_discussed_is_not_agreed(view: View) -> None:
    """The tractors' financial model is in progress, and met by nothing."""
    model = view.state(TRACTORS).milestones["financial-model-agreed"]
    assert Answer.YES is model.is_(Status.IN_PROGRESS)
    assert Answer.NO is model.is_(Status.MET)
    assert not any(
        isinstance(record.event, FinancialModelAgreed) for record in model.records
    )
    cells = view.report("funnel").row("financial-model-agreed").cells
    assert ["0", "0", "1"] == [str(cell.value) for cell in cells[1:4]]


def test_t09_will_be_completed_is_not_created(view: View) -> None:
    """Company and investment are promised, and no figure counts them as reached."""
    for name in ("company-created", "investment-completed"):
        assert Answer.YES is view.state(CARDBOARD).milestones[name].is_(Status.PROMISED)
        cells = view.report("funnel").row(name).cells
        assert ["0", "0", "0", "1"] == [str(cell.value) for cell in cells[1:5]]


def test_t10_near_future_is_no_due_date(seeded: Ledger, view: View) -> None:
    """No alarm, no target, on that day or ten years later; it only ages."""
    for name in ("company-created", "investment-completed"):
        milestone = view.state(CARDBOARD).milestones[name]
        assert milestone.target is not None
        assert (False, "in the near future") == (
            milestone.target.is_known,
            milestone.target.words,
        )
        for day in (date(2025, 4, 25), date(2025, 5, 25), date(2035, 4, 25)):
            assert Answer.NO is milestone.overdue(day)
            age = (day - date(2025, 4, 25)).days
            assert Range.exact(age) == milestone.age_days(day)
    later = seeded.view(as_of="2035-01-01").report("milestones")
    assert {"no due date", "None"} >= {
        str(cell.value) for cell in later.column("overdue")
    }


def test_t11_nothing_is_called_committed(view: View) -> None:
    """No source says what was signed: the sum is unclear, neither in nor out."""
    table = view.report("pipeline", policy="committed")
    total = table.row("total", "USD")
    assert ["USD 0", "USD 335,000,000", "USD 0"] == [
        str(cell.value) for cell in total.cells[3:]
    ]
    for agreement in portfolio(view.moment).agreements.values():
        assert DocumentKind.UNKNOWN is agreement.kind
    natures = {
        record.event.nature
        for history in view.histories("package")
        for record in history.facts
        if isinstance(record.event, ValueReported)
    }
    assert {""} == natures


def test_t12_there_is_no_single_line(view: View) -> None:
    """Land without a model and a model without land are both no deviation."""
    assert [] == list(view.deviations())
    cardboard, tractors = view.state(CARDBOARD), view.state(TRACTORS)
    assert "land-allocated" == cardboard.furthest()
    assert Status.UNMENTIONED is cardboard.milestones["financial-model-agreed"].status
    assert Status.UNMENTIONED is tractors.milestones["land-allocated"].status


def test_t13_likeness_does_not_merge(view: View, shown: Portfolio) -> None:
    """The factory in Sumgayit stays a candidate, and changes no total."""
    links = list(shown.links.values())
    assert (0 if view.moment.known_by else 1) == len(links)
    for link in links:
        assert isinstance(link.proposed, LinkProposed)
        assert Answer.MAYBE is link.confirmed
        assert link.proposed.speaks_against
    assert () == shown.agreements[CARDBOARD].others
    assert "2.7" not in view.report("milestones").text()
    assert not any("ganja" in stream for stream in shown.agreements)


def test_t14_vague_progress_moves_nothing(view: View) -> None:
    """Three claims, and work has started on no agreement."""
    claims = [
        record
        for history in view.histories()
        for record in history.facts
        if isinstance(record.event, ProgressClaimed)
    ]
    assert 3 == len(claims)
    assert {PACKAGE} == {claim.stream for claim in claims}
    assert all(not view.moment.lifecycle.moves(claim.event) for claim in claims)
    for agreement in (CARDBOARD, TRACTORS):
        assert (
            Status.UNMENTIONED
            is view.state(agreement).milestones["work-started"].status
        )


def test_t15_one_agency_is_one_source(view: View, shown: Portfolio) -> None:
    """Articles name their publisher, so that those of one agency can be told."""
    by_publisher: dict[str, set[str]] = {}
    for stream, source in shown.sources.items():
        assert isinstance(source, SourceRegistered)
        by_publisher.setdefault(source.publisher, set()).add(stream)
    of_package = {
        record.event.cites.source
        for history in view.histories("package")
        for record in history.facts
    }
    assert of_package <= by_publisher["Trend"]
    assert (1 if view.moment.known_by else 3) == len(of_package)


def test_t16_no_conversion_of_a_source_is_taken_over(view: View) -> None:
    """Amounts are in the source's own currency, and nothing is converted."""
    units = {
        record.event.amount.unit
        for history in view.histories()
        for record in history.facts
        if isinstance(record.event, ValueReported)
        and isinstance(record.event.amount, Amount)
    }
    assert {"USD"} == units
    assert not {"AZN", "11,760", "11760"} & set(everything(view).split())
