"""AidData's geocoded AIMS releases into a ledger with a lifecycle of its own.

    python examples/real_data/aims.py DATA_DIR LEDGER

DATA_DIR holds ``aiddata-aims/aiddata_aims.zip`` (see README.md here); LEDGER is
made. One fact for each thing a table says: a project, its status, each of its
dates, each transaction.
"""

import re
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import aid_project as aid
from loading import load, readable, rows

from azcn_events import Amount, Citation, Event, Fact, Ledger, MilestonePromised, When

Row = dict[str, str]


def facts(archive: Path) -> Iterator[Fact]:
    """Read every release, one after another, and yield a project at a time."""
    with zipfile.ZipFile(archive) as releases:
        for name in sorted({path.partition("/")[0] for path in releases.namelist()}):
            money = defaultdict[str, list[Row]](list)
            with releases.open(f"{name}/transactions.csv") as file:
                for row in rows(file):
                    money[row["project_id"]].append(row)
            with releases.open(f"{name}/projects.csv") as file:
                for row in rows(file):
                    yield from facts_of(name, row, money.pop(row["project_id"], []))
            if money:
                msg = f"{name}: transactions of projects that it does not list: {money}"
                raise ValueError(msg)


def facts_of(release: str, project: Row, transactions: list[Row]) -> Iterator[Fact]:
    """Say what one row of projects.csv, and its transactions, say.

    A project's number is unique only within its release: so both name it.
    """
    thing = f"{release}/{project['project_id']}"

    def fact(event: Event, cell: str) -> Fact:
        return Fact(f"project/{thing}", event, id=f"aims/{thing}/{cell}")

    def cites(table: str, place: str) -> Citation:
        return Citation(f"source/aims-{release}", at=f"{table}.csv {place}")

    listed = cites("projects", project["project_id"])
    title, donors = readable(project["project_title"]), readable(project["donors"])
    said = When.unknown()  # Nothing in the tables says when they were made.
    yield fact(aid.ProjectListed(title, donors, when=said, cites=listed), "listed")
    for side, milestone in (("start", "started"), ("end", "ended")):
        if project[f"{side}_actual_isodate"]:
            yield fact(dated(project, side, milestone, listed), side)
    for row in transactions:
        amount = Amount.exact(row["transaction_value"], row["transaction_currency"])
        year = When(row["transaction_year"])  # A year is a year, not its first day.
        paid = cites("transactions", row["transaction_id"])
        kind = aid.TRANSACTIONS[row["transaction_value_code"]]
        yield fact(kind(amount, when=year, cites=paid), row["transaction_id"])
    stage = aid.Stage(project["status"])
    yield fact(aid.StageCoded(stage, when=said, cites=listed), "stage")


def dated(project: Row, side: str, milestone: str, cites: Citation) -> Event:
    """Tell a plan from a fact by the type beside the date, and neither from its name.

    The column is called ``start_actual_isodate`` and holds plans as well.
    """
    day, kind = When(project[f"{side}_actual_isodate"]), project[f"{side}_actual_type"]
    match sorted(re.split("[-_ ]", kind.lower())):
        case ["planned", word] | [word, "planned"] if word == side:
            said = When.unknown()
            return MilestonePromised(milestone, target=day, when=said, cites=cites)
        case ["actual", word] if word == side:
            happened = aid.ProjectStarted if side == "start" else aid.ProjectEnded
            return happened(when=day, cites=cites)
        case _:  # Blank, or the column's own name.
            return aid.DateGiven(milestone, kind, when=day, cites=cites)


def main() -> None:
    """Load the releases, add up the money, and say what was found."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data, path = map(Path, sys.argv[1:])
    began = time.perf_counter()
    with Ledger.open(path, lifecycle=aid.AID_PROJECT) as ledger:
        count = load(ledger, facts(data / "aiddata-aims" / "aiddata_aims.zip"))
        loaded = time.perf_counter()
        sums = ledger.fold(aid.SUMS).value
        folded = time.perf_counter()
    print(f"{count:,} facts in {loaded - began:.1f} s, added up in", end=" ")
    print(f"{folded - loaded:.1f} s")
    for code, kind in aid.TRANSACTIONS.items():
        amounts = [amount for (_, its), amount in sums.items() if its == code]
        total = Amount.total(amounts, "USD")
        print(f"{kind.__name__}: {total} in {len(amounts):,} projects")


if __name__ == "__main__":
    main()
