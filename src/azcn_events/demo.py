"""The demonstration: the seed's history in a ledger in memory, told in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from azcn_events.core.lifecycle import MilestoneState, Status
from azcn_events.core.values import Answer
from azcn_events.investment.counting import policy
from azcn_events.investment.events import LandAllocated
from azcn_events.investment.portfolio import Agreement, Package, Portfolio, portfolio
from azcn_events.ledger import View

__all__ = ["seed_files", "sentences", "told"]


def seed_files() -> list[Path]:
    """Give the seed's files in the order in which they were written down.

    They lie beside the package where it is installed, and at the top of the
    repository where it is run from a checkout.
    """
    package = Path(__file__).parent
    places = (package / "seeds", package.parents[1] / "seeds")
    return next(found for place in places if (found := sorted(place.glob("*.jsonl"))))


def told(view: View, width: int) -> str:
    """Tell a view in sentences, and then in tables *width* characters wide."""
    tables = [
        view.report(name).text(width)
        for name in ("package", "status", "milestones", "funnel")
    ]
    tables.append(view.report("pipeline", policy="committed").text(width))
    return "\n\n".join(["\n".join(sentences(view)), *tables])


def sentences(view: View) -> Iterator[str]:
    """Say what a view of the ledger shows, and what it does not."""
    shown = portfolio(view.moment)
    for package in shown.packages.values():
        yield from _package(package)
    for agreement in shown.agreements.values():
        yield from _agreement(agreement, view)
    yield from _whole(shown, view)


def _package(package: Package) -> Iterator[str]:
    yield f"{package.stream}, dated {package.dated}"
    groups = ", ".join(f"{package.reported(group)} {group}" for group in package.groups)
    yield f"  {package.reported()} documents ({groups})"
    known, rest = package.known(), package.anonymous()
    yield f"  {known} individually identified, {rest} anonymous"
    for unit, amount in package.value.amounts.items():
        rest_of_value = package.unallocated(unit)
        whole = rest_of_value == amount or str(rest_of_value) == str(amount)
        part = "wholly unallocated" if whole else f"{rest_of_value} unallocated"
        yield f"  {amount}, {part}"
    committed = policy("committed")
    answers = {committed.counts(agreement) for agreement in package.agreements}
    if package.value.amounts and Answer.YES not in answers:
        yield "  none of it can be called committed: no source says what was signed"
    for record in package.identified:
        event = record.event
        parties = " and ".join(map(str, getattr(event, "parties", ())))
        disputed = any(len(p.names) > 1 for p in getattr(event, "parties", ()))
        doubt = " (the sources differ on this)" if disputed else ""
        yield f"  one {getattr(event, 'group', '')} document: {parties}{doubt}"


def _agreement(agreement: Agreement, view: View) -> Iterator[str]:
    yield f"{agreement.stream}, {agreement.identified.field}"
    for name, milestone in agreement.state.milestones.items():
        if milestone.status is not Status.UNMENTIONED:
            yield f"  {name}: {milestone.status.value}{_detail(name, milestone, view)}"
    value = agreement.value
    yield f"  value: {value}"


def _detail(name: str, milestone: MilestoneState, view: View) -> str:
    last = milestone.records[-1].event
    if isinstance(last, LandAllocated):
        return f", {last.area}"
    if milestone.status is Status.IN_PROGRESS:
        return f", not {name.rpartition('-')[2]}"
    target = milestone.target
    if milestone.status is Status.PROMISED and target is not None:
        late = milestone.overdue(view.moment.on)
        due = f"due {target}" if target.is_known else f"no due date, “{target.words}”"
        return f", {due}; overdue: {late.value}"
    return ""


def _whole(shown: Portfolio, view: View) -> Iterator[str]:
    milestones = [
        (agreement, name, milestone)
        for agreement in shown.agreements.values()
        for name, milestone in agreement.state.milestones.items()
    ]
    overdue = [
        f"{agreement.stream} {name}"
        for agreement, name, milestone in milestones
        if milestone.overdue(view.moment.on) is not Answer.NO
    ]
    completed = [
        agreement.stream
        for agreement, name, milestone in milestones
        if name in {"investment-completed", "producing"}
        and milestone.is_(Status.MET) is not Answer.NO
    ]
    yield f"overdue: {', '.join(overdue) or 'nothing'}"
    yield f"completed: {', '.join(completed) or 'nothing'}"
    for link in shown.links.values():
        standing = {Answer.YES: "confirmed", Answer.NO: "rejected"}
        word = standing.get(link.confirmed, "unconfirmed, changes no total")
        yield f"{link.stream}: {link.proposed.ours} ~ {link.proposed.other}: {word}"
