"""AidData's Global Chinese Official Finance 1.0 into the built-in lifecycle.

    python examples/real_data/gcof.py DATA_DIR LEDGER

DATA_DIR holds ``aiddata-gcof1/gcof_v1_slim.csv`` (see README.md here); LEDGER is
made. Each row says what it is, its value, its dates and its status.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from loading import load, readable, rows

from azcn_events import (
    Amount,
    Citation,
    Event,
    Fact,
    Ledger,
    MilestonePromised,
    Missing,
    Suspended,
    Terminated,
    When,
)
from azcn_events.investment import events as ev

Row = dict[str, str]

SOURCE = "source/aiddata-gcof-1.0"
BY_THEN = When("[..2017]")
"""When what the edition says without a date of its own had come to be."""

PLEDGE = "Pipeline: Pledge"
DATES = {
    "start_planned": "work-started",
    "end_planned": "investment-completed",
    "start_actual": "work-started",
    "end_actual": "investment-completed",
}
"""Columns of dates: plans before facts, so that no plan follows its fulfilment."""


def facts(table: Path) -> Iterator[Fact]:
    """Yield the source, and then what each of its rows says."""
    registered = ev.SourceRegistered(
        publisher="AidData",
        title="Global Chinese Official Finance Dataset, 2000-2014, Version 1.0",
        url="http://aiddata.org/data/chinese-global-official-finance-dataset",
        language="en",
        when=When("2017"),
        cites=Citation(SOURCE),
    )
    yield Fact(SOURCE, registered, id="gcof")
    with table.open("rb") as file:
        for row in rows(file):
            yield from facts_of(row)


def facts_of(row: Row) -> Iterator[Fact]:
    """Say what one row says; each fact cites the columns that it rests on."""
    stream = f"agreement/gcof-{row['project_id']}"

    def fact(event: Event, cell: str) -> Fact:
        return Fact(stream, event, id=f"gcof/{row['project_id']}/{cell}")

    yield fact(identified(row), "registration")
    yield fact(valued(row), "value")
    for column, milestone in DATES.items():
        if row[column]:
            yield fact(dated(row, column, milestone), column)
    yield fact(status(row), "status")


def identified(row: Row) -> ev.AgreementIdentified:
    """Say what it is. Parties are as written; who is not specified has no name."""
    funder, implementer = row["funding_agency"], row["implementing_agency"]
    unnamed = not funder or funder.startswith("Unspecified")
    parties = [ev.Party(() if unnamed else (readable(funder),), "CN", "funder")]
    if implementer:
        parties.append(ev.Party((readable(implementer),), role="implementer"))
    parties.append(ev.Party((readable(row["all_recipients"]),), role="recipient"))
    return ev.AgreementIdentified(
        field=readable(row["title"]),
        parties=tuple(parties),
        umbrella=row["umbrella"] == "1",
        when=year(row),
        cites=cites(row, "title"),
    )


def valued(row: Row) -> ev.ValueReported:
    """Give the value in constant dollars of 2014, as AidData computed it.

    That is what the published totals add up. The amount in the currency of the
    source is kept in words: it cannot be added to others.
    """
    number, original = row["usd_defl_2014"].strip(), row["amount"].strip()
    words = f"{original} {row['currency'].strip()}".strip()
    return ev.ValueReported(
        Amount.exact(number, "USD", words=words) if number else Missing.UNKNOWN,
        nature=f"{row['flow']}, in constant US dollars of 2014",
        when=year(row),
        cites=cites(row, "usd_defl_2014"),
    )


def status(row: Row) -> Event:
    """Turn a status into the fact that it states, and nothing that it implies.

    A pledge is not a signature: it promises one. Work, and its completion, say
    nothing of what was signed before.
    """
    said = cites(row, "status")
    match row["status"]:
        case "Pipeline: Pledge":
            return MilestonePromised("signed", when=year(row), cites=said)
        case "Pipeline: Commitment":
            signed = ev.DocumentKind.AGREEMENT
            return ev.AgreementSigned(signed, when=year(row), cites=said)
        case "Implementation":
            return ev.WorkStarted(when=BY_THEN, cites=said)
        case "Completion":
            return ev.InvestmentCompleted(when=BY_THEN, cites=said)
        case "Suspended":
            return Suspended(when=BY_THEN, cites=said)
        case "Cancelled":
            return Terminated(what="cancelled", when=BY_THEN, cites=said)
        case unknown:
            msg = f"project {row['project_id']}: unknown status {unknown!r}"
            raise ValueError(msg)


def dated(row: Row, column: str, milestone: str) -> Event:
    """Turn a date into a promise or a fact.

    Eighteen rows give an actual date to what their status calls a mere pledge. A
    row that contradicts itself decides nothing: the conflict is noted.
    """
    day, said = When(row[column]), cites(row, column)
    if column.endswith("_planned"):
        return MilestonePromised(milestone, target=day, when=BY_THEN, cites=said)
    if row["status"] == PLEDGE:
        claims = (
            ev.Claim(f"status: {PLEDGE}", cites(row, "status")),
            ev.Claim(f"{column}: {row[column]}", said),
        )
        return ev.ConflictNoted(milestone, claims, when=day, cites=said)
    happened = ev.WorkStarted if milestone == "work-started" else ev.InvestmentCompleted
    return happened(when=day, cites=said)


def year(row: Row) -> When:
    """Give the year of the pledge or commitment; AidData marks some as uncertain."""
    return When(row["year"] + ("?" if row["year_uncertain"] == "True" else ""))


def cites(row: Row, column: str) -> Citation:
    """Say where in the table it is written."""
    return Citation(SOURCE, at=f"project {row['project_id']}, {column}")


def main() -> None:
    """Load the table and print what it comes to, counted in three ways."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data, path = map(Path, sys.argv[1:])
    began = time.perf_counter()
    with Ledger.open(path) as ledger:
        count = load(ledger, facts(data / "aiddata-gcof1" / "gcof_v1_slim.csv"))
        print(f"{count:,} facts in {time.perf_counter() - began:.1f} s\n")
        for policy in ("claims", "no-umbrellas", "committed"):
            print(ledger.report("pipeline", policy=policy), end="\n\n")


if __name__ == "__main__":
    main()
