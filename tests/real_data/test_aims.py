"""AIMS: a lifecycle of its own, 195,915 facts, and sums that somebody else printed."""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

import pytest

from azcn_events import Amount, Ledger, Progress, Projection, Recorded, Status

Row = dict[str, str]
Sums = dict[tuple[str, str], Amount]

TOTALS = {"C": "total_commitments", "D": "total_disbursements"}
PRINTED_DIGITS = 12


def table(archive: Path, name: str) -> Iterator[tuple[str, Row]]:
    """Read one table of every release, by no code of the importer."""
    with zipfile.ZipFile(archive) as releases:
        for path in releases.namelist():
            if path.endswith(f"/{name}.csv"):
                text = releases.read(path).decode("utf-8")
                for row in csv.DictReader(io.StringIO(text, newline="")):
                    yield path.partition("/")[0], row


def _count(seen: Counter[str], record: Recorded) -> Counter[str]:
    seen[type(record.event).__name__] += 1
    return seen


KINDS = Projection[Counter[str]]("kinds", start=Counter, step=_count)


@pytest.fixture(scope="module")
def sums(aims: ModuleType, aims_ledger: Ledger) -> Sums:
    """The money, by project and code of transaction, in one fold."""
    found: Sums = aims_ledger.fold(aims.aid.SUMS).value
    return found


def test_every_row_is_a_fact_and_nothing_else_is(aims_ledger: Ledger) -> None:
    """Projects, statuses, dates and transactions come out in the source's numbers."""
    kinds = aims_ledger.fold(KINDS).value
    assert 195_915 == kinds.total() == aims_ledger.store.head()
    assert 37_543 == sum(1 for _ in aims_ledger.store.streams())
    transactions = {"Committed": 38_522, "Disbursed": 26_655, "Spent": 1_883}
    dates = {
        "ProjectStarted": 14_196,
        "ProjectEnded": 6_984,
        "MilestonePromised": 15_140 + 15_140 + 980,
        "DateGiven": 681 + 648,
    }
    assert 67_060 == sum(transactions.values())
    assert 30_017 + 23_752 == sum(dates.values())
    listed = {"ProjectListed": 37_543, "StageCoded": 37_543}
    assert {**listed, **transactions, **dates} == kinds


def test_the_ledgers_sums_are_the_tables_sums_to_the_last_digit(
    sums: Sums, aims_zip: Path
) -> None:
    """Storing and folding loses no digit of 67,060 decimals."""
    expected = Counter[tuple[str, str]]()
    for release, row in table(aims_zip, "transactions"):
        key = f"project/{release}/{row['project_id']}", row["transaction_value_code"]
        expected[key] += Decimal(row["transaction_value"])  # type: ignore[assignment] # a Counter adds anything
    found = {key: amount.low for key, amount in sums.items()}
    assert dict(expected) == found
    assert {"USD"} == {amount.unit for amount in sums.values()}
    assert all(amount.is_exact for amount in sums.values())


def test_the_ledgers_sums_are_the_totals_that_the_publisher_printed(
    sums: Sums, aims_zip: Path
) -> None:
    """50,104 of 50,104 agree in all 12 digits printed, 46,313 of them exactly."""
    agree = exactly = totals = 0
    for release, row in table(aims_zip, "projects"):
        for code, column in TOTALS.items():
            amount = sums.get((f"project/{release}/{row['project_id']}", code))
            assert bool(row[column]) == (amount is not None)
            if amount is None or amount.low is None:
                continue
            printed = Decimal(row[column])
            last_digit = Decimal(1).scaleb(printed.adjusted() + 1 - PRINTED_DIGITS)
            totals += 1
            exactly += printed == amount.low
            agree += 2 * abs(printed - amount.low) <= last_digit
    assert (50_104, 50_104, 46_313) == (totals, agree, exactly)


def test_batches_and_shards_give_the_same_sums(
    aims: ModuleType, aims_ledger: Ledger, sums: Sums
) -> None:
    """Stopped, resumed and redelivered, or split by project and merged: the same."""
    progress = Progress[Sums]({})
    while progress.position < aims_ledger.store.head():
        again, until = max(progress.position - 100, 0), progress.position + 12_345
        window = aims_ledger.records(after=again, until=until)
        progress = aims.aid.SUMS.resume(progress, window)
    assert sums == progress.value
    merged: Sums = {}
    for shard in (2, 0, 1):
        mine = (r for r in aims_ledger.records() if crc32(r[1].encode()) % 3 == shard)
        merged = aims.aid.SUMS.merge(merged, aims.aid.SUMS.run(mine).value)
    assert sums == merged


def test_a_year_stays_a_year(aims: ModuleType, aims_ledger: Ledger) -> None:
    """No transaction got a month or a day, as an export of the same data made up."""
    money = aims.aid.Committed | aims.aid.Disbursed | aims.aid.Spent
    events = (record.event for record in aims_ledger.records())
    forms = Counter(len(e.when.edtf) for e in events if isinstance(e, money))
    assert {len("2009"): 67_060} == forms


def test_states_follow_from_the_rows(aims_ledger: Ledger, aims_zip: Path) -> None:
    """A plan is a promise, and so is an "actual" end to come; blank is nothing."""
    codes: dict[str, set[str]] = {}
    for release, row in table(aims_zip, "transactions"):
        stream = f"project/{release}/{row['project_id']}"
        codes.setdefault(stream, set()).add(row["transaction_value_code"])
    seen = Counter[Status]()
    for release, row in islice(table(aims_zip, "projects"), None, None, 61):
        stream = f"project/{release}/{row['project_id']}"
        found = {
            name: milestone.status
            for name, milestone in aims_ledger.state(stream).milestones.items()
        }
        paid = codes.get(stream, set())
        expected = {
            "funded": Status.MET if "C" in paid else Status.UNMENTIONED,
            "started": status_of(row, "start"),
            "paid": Status.MET if "D" in paid else Status.UNMENTIONED,
            "ended": status_of(row, "end"),
        }
        assert expected == found, stream
        seen.update(found.values())
    assert {Status.MET, Status.PROMISED, Status.UNMENTIONED} == set(seen)


def status_of(row: Row, side: str) -> Status:
    """Say what a date and the type beside it come to, seen from early 2018."""
    day, kind = row[f"{side}_actual_isodate"], row[f"{side}_actual_type"].lower()
    if not day or not kind or kind == "start_actual_type":
        return Status.UNMENTIONED
    planned = "planned" in kind or day > "2018-01-02"
    return Status.PROMISED if planned else Status.MET


# A sample in the shape of the releases, with invented values, that is always there.

PROJECTS = """\
project_id,project_title,start_actual_isodate,start_actual_type,end_actual_isodate,\
end_actual_type,donors,status
7,A bridge,2009-03-01,start-actual,2012-06-30,Planned End,North|South,Completion
8,An old\x85title,2010-01-01,start_actual_type,2011-01-01,,,
9,=A school,2010-07-01,planned_start,,end-actual,North,Pipeline/identification
"""
TRANSACTIONS = """\
transaction_id,project_id,transaction_year,transaction_value_code,\
transaction_currency,transaction_value
a1,7,2009,C,USD,1000.1
a2,7,2010,C,USD,-0.2
a3,7,2010,D,USD,0.123456789012
a4,9,2011,E,USD,5
"""
OTHER_PROJECTS = """\
project_id,project_title,start_actual_isodate,start_actual_type,end_actual_isodate,\
end_actual_type,donors,status
7,A well,,,2013-05-05,end_actual,East,Suspended
"""
OTHER_TRANSACTIONS = TRANSACTIONS.splitlines()[0] + "\nb1,7,2012,C,USD,30\n"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Two small releases that both have a project 7, where a program finds them."""
    folder = tmp_path / "aiddata-aims"
    folder.mkdir()
    with zipfile.ZipFile(folder / "aiddata_aims.zip", "w") as archive:
        archive.writestr("Here/projects.csv", PROJECTS)
        archive.writestr("Here/transactions.csv", TRANSACTIONS)
        archive.writestr("There/projects.csv", OTHER_PROJECTS)
        archive.writestr("There/transactions.csv", OTHER_TRANSACTIONS)
    return folder / "aiddata_aims.zip"


@pytest.fixture
def small(aims: ModuleType, sample: Path) -> Iterator[Ledger]:
    """The sample in a ledger in memory."""
    with Ledger.open("memory:", lifecycle=aims.aid.AID_PROJECT) as ledger:
        assert 19 == aims.load(ledger, aims.facts(sample))
        yield ledger


def test_sample_sums(aims: ModuleType, small: Ledger) -> None:
    """Equal numbers in two releases are two projects; money taken back is deducted."""
    assert {
        ("project/Here/7", "C"): Amount.exact("999.9", "USD"),
        ("project/Here/7", "D"): Amount.exact("0.123456789012", "USD"),
        ("project/Here/9", "E"): Amount.exact(5, "USD"),
        ("project/There/7", "C"): Amount.exact(30, "USD"),
    } == small.fold(aims.aid.SUMS).value


@pytest.mark.parametrize(
    ("stream", "milestone", "status"),
    [
        ("Here/7", "started", Status.MET),
        ("Here/7", "ended", Status.PROMISED),
        ("Here/8", "started", Status.UNMENTIONED),
        ("Here/8", "ended", Status.UNMENTIONED),
        ("Here/9", "started", Status.PROMISED),
        ("Here/9", "ended", Status.UNMENTIONED),
        ("There/7", "started", Status.UNMENTIONED),
        ("There/7", "ended", Status.MET),
    ],
)
def test_sample_dates(
    small: Ledger, stream: str, milestone: str, status: Status
) -> None:
    """The type beside a date decides; where it says nothing, nothing follows."""
    state = small.state(f"project/{stream}")
    assert status is state.milestones[milestone].status


def test_sample_titles(small: Ledger) -> None:
    """A lost character leaves a mark, and what looks like a formula stays text."""
    titles = [_event(small, f"project/Here/{n}").title for n in (7, 8, 9)]
    assert ["A bridge", "An old\N{REPLACEMENT CHARACTER}title", "=A school"] == titles


def _event(ledger: Ledger, stream: str) -> Any:
    return ledger.history(stream).records[0].event


def test_loading_again_adds_nothing(
    aims: ModuleType, small: Ledger, sample: Path
) -> None:
    """A load that was broken off can be started again from the beginning."""
    aims.load(small, aims.facts(sample))
    assert 19 == small.store.head()


def test_a_load_broken_off_goes_on(aims: ModuleType, sample: Path) -> None:
    """Batches that are stored already are recognised, the others are stored."""
    loading = sys.modules["loading"]  # beside the importer, and imported by it
    with (
        pytest.MonkeyPatch.context() as patch,
        Ledger.open("memory:", lifecycle=aims.aid.AID_PROJECT) as ledger,
    ):
        patch.setattr(loading, "BATCH", 4)
        aims.load(ledger, islice(aims.facts(sample), 8))
        assert 8 == ledger.store.head()
        aims.load(ledger, aims.facts(sample))
        assert 19 == ledger.store.head()


def test_a_transaction_of_no_project_is_an_error(
    aims: ModuleType, tmp_path: Path
) -> None:
    """It is not dropped: it would be missing from a sum."""
    with zipfile.ZipFile(tmp_path / "orphan.zip", "w") as archive:
        archive.writestr("Here/projects.csv", PROJECTS)
        archive.writestr("Here/transactions.csv", TRANSACTIONS.replace(",9,", ",10,"))
    with pytest.raises(ValueError, match="does not list"):
        list(aims.facts(tmp_path / "orphan.zip"))


def test_a_row_too_short_is_an_error(aims: ModuleType, tmp_path: Path) -> None:
    """A cell that is missing would otherwise be read as something else."""
    with zipfile.ZipFile(tmp_path / "short.zip", "w") as archive:
        archive.writestr("Here/projects.csv", PROJECTS + "10,short\n")
        archive.writestr("Here/transactions.csv", TRANSACTIONS)
    with pytest.raises(ValueError, match="not as many cells"):
        list(aims.facts(tmp_path / "short.zip"))


def test_program(
    aims: ModuleType,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says how much there is of what."""
    folder, path = str(sample.parents[1]), str(tmp_path / "aims.db")
    monkeypatch.setattr("sys.argv", ["aims.py", folder, path])
    aims.main()
    printed = capsys.readouterr().out
    assert "19 facts" in printed
    assert "Committed: USD 1,029.9 in 2 projects" in printed


def test_program_without_arguments(
    aims: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how it is used."""
    monkeypatch.setattr("sys.argv", ["aims.py"])
    with pytest.raises(SystemExit, match="DATA_DIR LEDGER"):
        aims.main()
