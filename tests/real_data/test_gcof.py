"""GCOF 1.0: the built-in lifecycle, and totals and a flag that AidData published."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from azcn_events import (
    Amount,
    Answer,
    Event,
    Ledger,
    MilestonePromised,
    Missing,
    Qualifier,
    Recorded,
    Status,
    Suspended,
    Terminated,
)
from azcn_events.investment import (
    AgreementIdentified,
    AgreementSigned,
    ConflictNoted,
    InvestmentCompleted,
    ValueReported,
    WorkStarted,
)
from azcn_events.investment.counting import policy
from azcn_events.investment.portfolio import portfolio

CLAIMED = "877655767899.49"
COMMITTED = "354354524736.97"
ROWS = 5_466
DATES = {
    "start_planned": 339,
    "start_actual": 770,
    "end_planned": 357,
    "end_actual": 918,
}


def table(path: Path) -> list[dict[str, str]]:
    """Read the table, by no code of the importer."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def total(ledger: Ledger, column: str, **parameters: str) -> Decimal:
    """Give the total of a column of the pipeline, every digit of it."""
    cell = ledger.report("pipeline", **parameters).cell("total", "USD", column=column)
    assert isinstance(cell.value, Amount)
    assert cell.value.is_exact
    assert cell.value.low is not None
    return cell.value.low


def to_the_cent(number: Decimal) -> str:
    """Round as the published totals are rounded."""
    return str(number.quantize(Decimal("0.01")))


def of_kind(ledger: Ledger, *kinds: type[Event]) -> list[Recorded]:
    """Pick the records of some classes, in the order of the log."""
    return [record for record in ledger.records() if isinstance(record.event, kinds)]


def test_the_sources_events_and_ours(gcof_ledger: Ledger) -> None:
    """13,316 by the source's count; ours has the value apart, and the source itself."""
    cells = Counter(record.id.rpartition("/")[2] for record in gcof_ledger.records())
    rows = {"registration": ROWS, "status": ROWS, **DATES}
    assert 13_316 == sum(rows.values())
    assert {**rows, "value": ROWS, "gcof": 1} == cells
    assert 13_316 + ROWS + 1 == gcof_ledger.store.head() == 18_783


def test_statuses_become_the_facts_that_they_state(gcof_ledger: Ledger) -> None:
    """A pledge is a promise to sign; only a commitment is a signature."""
    found = Counter(
        type(record.event)
        for record in gcof_ledger.records()
        if record.id.endswith("/status")
    )
    assert {
        InvestmentCompleted: 2_890,
        AgreementSigned: 1_162,
        MilestonePromised: 701,
        WorkStarted: 669,
        Terminated: 26,
        Suspended: 18,
    } == found


def test_the_published_total(gcof_ledger: Ledger) -> None:
    """What the readme states, and what a naive sum gives: 2.48 times too much."""
    claimed = total(gcof_ledger, "counted", policy="claims")
    assert Decimal("877655767899.4876226") == claimed
    assert CLAIMED == to_the_cent(claimed)


def test_the_countable_total(gcof_ledger: Ledger) -> None:
    """What counts for research; of the rest nothing is unclear."""
    counted = total(gcof_ledger, "counted", policy="committed")
    assert Decimal("354354524736.9718346") == counted
    assert COMMITTED == to_the_cent(counted)
    unclear = total(gcof_ledger, "unclear", policy="committed")
    left_out = total(gcof_ledger, "left out", policy="committed")
    assert 0 == unclear
    assert Decimal("877655767899.4876226") == counted + left_out


def test_the_policy_is_the_flag(gcof_ledger: Ledger, gcof_csv: Path) -> None:
    """``recommended_for_research`` comes out for each of 5,466 rows, from facts."""
    counts = policy("committed").counts
    found = {
        stream: counts(agreement)
        for stream, agreement in portfolio(gcof_ledger.view().moment).agreements.items()
    }
    flags = {
        f"agreement/gcof-{row['project_id']}": row["recommended_for_research"]
        for row in table(gcof_csv)
    }
    expected = {"True": Answer.YES, "False": Answer.NO}
    assert {stream: expected[flag] for stream, flag in flags.items()} == found
    assert {Answer.YES: 4_373, Answer.NO: 1_093} == Counter(found.values())


def test_unknown_amounts_stay_unknown(gcof_ledger: Ledger) -> None:
    """1,951 rows without an amount are a row of the report, and no zero."""
    records = of_kind(gcof_ledger, ValueReported)
    amounts = [getattr(record.event, "amount", None) for record in records]
    assert 1_951 == amounts.count(Missing.UNKNOWN)
    report = gcof_ledger.report("pipeline", policy="claims")
    rows = [row for row in report if row.cells[1].value is Missing.UNKNOWN]
    numbers = [getattr(row.cells[2].value, "low", 0) for row in rows]
    assert 1_951 == sum(numbers)


def test_uncertain_years_stay_uncertain(gcof_ledger: Ledger) -> None:
    """398 years carry a question mark, and no other date does."""
    opened = of_kind(gcof_ledger, AgreementIdentified)
    marks = Counter(record.event.when.qualifier for record in opened)
    assert {Qualifier.UNCERTAIN: 398, Qualifier.EXACT: ROWS - 398} == marks


def test_starts_before_the_commitment(gcof_ledger: Ledger) -> None:
    """Thirty began in an earlier year: six of them only maybe, the year is in doubt."""
    opened = {
        record.stream: record.event.when
        for record in of_kind(gcof_ledger, AgreementIdentified)
    }
    starts = [r for r in gcof_ledger.records() if r.id.endswith("/start_actual")]
    early = [
        record.event.when.before(opened[record.stream])
        for record in starts
        if (day := record.event.when.latest)
        and (year := opened[record.stream].earliest)
        and day < year
    ]
    assert {Answer.YES: 24, Answer.MAYBE: 6} == Counter(early)


def test_pledges_with_actual_dates_are_conflicts(gcof_ledger: Ledger) -> None:
    """Eighteen rows contradict themselves in nineteen cells; nothing follows."""
    notes = of_kind(gcof_ledger, ConflictNoted)
    assert 19 == len(notes)
    streams = {record.stream for record in notes}
    assert 18 == len(streams)
    for stream in streams:
        milestones = gcof_ledger.state(stream).milestones
        assert Status.PROMISED is milestones["signed"].status
        assert Status.MET not in {state.status for state in milestones.values()}


def test_azerbaijan(gcof: ModuleType, azerbaijan_csv: Path) -> None:
    """Eight rows, four of them countable, and an umbrella beside its part."""
    with Ledger.open("memory:") as ledger:
        gcof.load(ledger, gcof.facts(azerbaijan_csv))
        claims = total(ledger, "counted", policy="claims")
        counted = total(ledger, "counted", policy="committed")
        agreements = portfolio(ledger.view().moment).agreements
    assert Decimal("47897449.519") == claims
    assert Decimal("13402350.884") == counted
    counts = policy("committed").counts
    yes = [s for s, a in agreements.items() if counts(a) is Answer.YES]
    assert [f"agreement/gcof-{n}" for n in (41344, 41383, 41384, 41390)] == yes
    umbrellas = [s for s, a in agreements.items() if a.identified.umbrella]
    assert ["agreement/gcof-41345"] == umbrellas


def test_azerbaijan_in_the_whole_table(
    gcof_ledger: Ledger, azerbaijan_csv: Path
) -> None:
    """The same eight, picked from all rows, come to the same."""
    agreements = portfolio(gcof_ledger.view().moment).agreements
    mine = [
        agreements[f"agreement/gcof-{row['project_id']}"]
        for row in table(azerbaijan_csv)
    ]
    sums = {
        name: Amount.total((a.value.amounts["USD"] for a in chosen), "USD")
        for name, chosen in {
            "all": mine,
            "counted": [a for a in mine if policy("committed").counts(a) is Answer.YES],
        }.items()
    }
    assert {
        "all": Amount.exact("47897449.519", "USD"),
        "counted": Amount.exact("13402350.884", "USD"),
    } == sums


# A sample in the shape of the table, with invented values, that is always there.

HEADER = (
    "project_id,umbrella,year,year_uncertain,funding_agency,implementing_agency,"
    "all_recipients,title,status,flow,amount,currency,usd_defl_2014,start_planned,"
    "start_actual,end_planned,end_actual"
)
SAMPLE = [
    "1,0,2005,False,A Bank,,Here,A bridge,Pipeline: Commitment,Loan,8,CNY,1.005,,,,",
    "2,1,2005,True,A Bank,,Here,All bridges,Pipeline: Commitment,Loan,90,CNY,10,,,,",
    "3,0,2006,False,Unspecified,,Here,An offer,Pipeline: Pledge,Grant, ,, ,,,,",
    "4,0,2006,False,,,Here,A try,Pipeline: Pledge,Grant,,,20,,2007-01-02,,",
    "5,0,2007,False,,Us,Here,A road,Implementation,Loan,,,0.1,2008-01-01,2008-02,,",
    "6,0,2008,False,,,Here,A clinic,Completion,Grant,,,0.2,,,2009,2009-05-06",
    "7,0,2008,False,,,Here,A port,Suspended,Loan,,,300,,2009-01-01,,",
    "8,0,2008,False,,,Here,A dam,Cancelled,Loan,, D,4000,,2009-01-01,,",
]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The sample as a file, where a program finds it."""
    folder = tmp_path / "aiddata-gcof1"
    folder.mkdir()
    path = folder / "gcof_v1_slim.csv"
    path.write_text("\n".join(["\ufeff" + HEADER, *SAMPLE, ""]), "utf-8")
    return path


@pytest.fixture
def small(gcof: ModuleType, sample: Path) -> Iterator[Ledger]:
    """The sample in a ledger in memory."""
    with Ledger.open("memory:") as ledger:
        assert 1 + 8 * 3 + 7 == gcof.load(ledger, gcof.facts(sample))
        yield ledger


def test_sample_totals(small: Ledger) -> None:
    """No umbrella, no pledge, nothing suspended or cancelled is counted."""
    assert Decimal("4331.305") == total(small, "counted", policy="claims")
    assert Decimal("4321.305") == total(small, "counted", policy="no-umbrellas")
    assert Decimal("1.305") == total(small, "counted", policy="committed")
    assert 0 == total(small, "unclear", policy="committed")


@pytest.mark.parametrize(
    ("number", "milestone", "status"),
    [
        (1, "signed", Status.MET),
        (3, "signed", Status.PROMISED),
        (4, "signed", Status.PROMISED),
        (4, "work-started", Status.UNMENTIONED),
        (5, "signed", Status.UNMENTIONED),
        (5, "work-started", Status.MET),
        (6, "investment-completed", Status.MET),
        (6, "work-started", Status.UNMENTIONED),
    ],
)
def test_sample_states(
    small: Ledger, number: int, milestone: str, status: Status
) -> None:
    """Each status says one thing, and nothing of what usually comes before it."""
    state = small.state(f"agreement/gcof-{number}")
    assert status is state.milestones[milestone].status


def test_sample_plans_come_before_their_fulfilment(small: Ledger) -> None:
    """So no plan is reported as made after the fact."""
    found = [deviation.code for deviation in small.view().deviations()]
    assert "unexpected" not in found


def test_sample_words(small: Ledger) -> None:
    """The amount in the source's currency is kept beside the converted one."""
    (record,) = [r for r in of_kind(small, ValueReported) if r.id == "gcof/1/value"]
    assert isinstance(record.event, ValueReported)
    assert Amount.exact("1.005", "USD", words="8 CNY") == record.event.amount
    assert "Loan, in constant US dollars of 2014" == record.event.nature


def test_an_unknown_status_is_an_error(gcof: ModuleType, tmp_path: Path) -> None:
    """It is not guessed at."""
    path = tmp_path / "odd.csv"
    path.write_text("\n".join([HEADER, SAMPLE[0].replace("Commitment", "Talk")]))
    with pytest.raises(ValueError, match="unknown status 'Pipeline: Talk'"):
        list(gcof.facts(path))


def test_program(
    gcof: ModuleType,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It prints the pipeline under each policy."""
    folder, path = str(sample.parents[1]), str(tmp_path / "gcof.db")
    monkeypatch.setattr("sys.argv", ["gcof.py", folder, path])
    gcof.main()
    printed = capsys.readouterr().out
    assert "32 facts" in printed
    assert "policy: committed" in printed


def test_program_without_arguments(
    gcof: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how it is used."""
    monkeypatch.setattr("sys.argv", ["gcof.py"])
    with pytest.raises(SystemExit, match="DATA_DIR LEDGER"):
        gcof.main()
