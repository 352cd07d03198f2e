"""What is different between two moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Activity, Status
from azcn_events.core.values import Answer, Range
from azcn_events.errors import UnknownName
from azcn_events.investment.portfolio import Agreement, Link, Package, portfolio
from azcn_events.reports.common import either
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["changes"]

_RANK: Final = {
    Status.UNMENTIONED: 0,
    Status.REVERTED: 0,
    Status.PROMISED: 1,
    Status.IN_PROGRESS: 2,
    Status.WAIVED: 3,
    Status.MET: 3,
}
_ALIVE: Final = {Activity.TERMINATED: 0, Activity.SUSPENDED: 1, Activity.ACTIVE: 2}


def changes(moment: Moment, before: Moment | None = None) -> Table:
    """List what is new, progressed, regressed, re-activated, revised, unchanged.

    Args:
        moment: The later look.
        before: The earlier look, on either axis or both.

    Raises:
        UnknownName: If ``before`` is left out.
    """
    if before is None:
        raise UnknownName("earlier view", "", ("before=ledger.view(known_by=...)",))
    old, new = portfolio(before), portfolio(moment)
    rows = [
        *_packages(old.packages, new.packages),
        *_agreements(old.agreements, new.agreements),
        *_links(old.links, new.links),
    ]
    if new.packages or old.packages:
        unlike = old.anonymous != new.anonymous
        kind = "revised" if unlike else "unchanged"
        rows.append(
            _row(
                "not individually known",
                kind,
                "documents",
                old.anonymous,
                new.anonymous,
            )
        )
    return Table(
        name="changes",
        title="Changes between two moments",
        columns=(
            Column("stream"),
            Column("change"),
            Column("what"),
            Column("before", align="right"),
            Column("after", align="right"),
        ),
        rows=tuple(rows),
        context=(
            *((f"before: {key}", value) for key, value in before.context),
            *moment.context,
        ),
    )


def _links(old: Mapping[str, Link], new: Mapping[str, Link]) -> Iterator[Row]:
    for stream in dict.fromkeys([*old, *new]):
        was, now = old.get(stream), new.get(stream)
        before, after = (
            None if link is None else _LINKED[link.confirmed] for link in (was, now)
        )
        if was is None or now is None:
            kind = "new" if was is None else "retracted"
        else:
            kind = "unchanged" if was.confirmed is now.confirmed else "revised"
        yield _row(stream, kind, "link", before, after)


_LINKED: Final = {
    Answer.YES: "confirmed",
    Answer.MAYBE: "unconfirmed",
    Answer.NO: "rejected",
}


def _agreements(
    old: Mapping[str, Agreement], new: Mapping[str, Agreement]
) -> Iterator[Row]:
    for stream in dict.fromkeys([*old, *new]):
        was, now = old.get(stream), new.get(stream)
        if was is None and now is not None:
            yield _row(stream, "new", now.identified.field, None, "identified")
        elif now is None:
            merged = any(stream in other.others for other in new.values())
            kind = "found to be another" if merged else "retracted"
            yield _row(stream, kind, "agreement", "identified", None)
        elif was is not None:
            found = list(_differences(stream, was, now))
            if not found and was.facts != now.facts:
                more = f"{len(now.facts - was.facts)} new"
                gone = f"{len(was.facts - now.facts)} no longer in force"
                found = [_row(stream, "other facts", "", gone, more)]
            yield from found or [_row(stream, "unchanged", "", None, None)]


def _differences(stream: str, was: Agreement, now: Agreement) -> Iterator[Row]:
    life, new_life = (
        either(state.activity, state.activity_maybe) for state in (was.state, now.state)
    )
    if life != new_life:
        change = _ALIVE[now.state.activity] - _ALIVE[was.state.activity]
        kind = "suspended or ended" if change < 0 else "restated"
        kind = "re-activated" if change > 0 else kind
        yield _row(stream, kind, "activity", life, new_life)
    for name, milestone in now.state.milestones.items():
        earlier = was.state.milestones[name]
        if (earlier.status, earlier.maybe) == (milestone.status, milestone.maybe):
            continue
        change = _RANK[milestone.status] - _RANK[earlier.status]
        kind = "progressed" if change > 0 else "regressed" if change < 0 else "restated"
        why = tuple(record.position for record in milestone.records)
        then, shown = (either(one.status, one.maybe) for one in (earlier, milestone))
        yield _row(stream, kind, name, then, shown, why)
    for what, told, later in (
        ("kind of document", was.kind.value, now.kind.value),
        ("field", was.identified.field, now.identified.field),
        ("group", was.identified.group, now.identified.group),
        ("package", was.identified.package, now.identified.package),
    ):
        if told != later:
            yield _row(stream, "revised", what, told, later)
    if str(was.value) != str(now.value):
        why = tuple(record.position for record in now.value.records)
        yield _row(stream, "value revised", "value", was.value, now.value, why)


def _packages(old: Mapping[str, Package], new: Mapping[str, Package]) -> Iterator[Row]:
    for stream in dict.fromkeys([*old, *new]):
        was, now = old.get(stream), new.get(stream)
        if was is None or now is None:
            kind = "new" if was is None else "retracted"
            yield _row(stream, kind, "package", None, None)
            continue
        facts = (
            ("date", was.dated, now.dated),
            ("documents", was.reported(), now.reported()),
            ("individually known", was.known(), now.known()),
            ("value", was.value, now.value),
            (
                "conflicts",
                Range.exact(len(was.conflicts)),
                Range.exact(len(now.conflicts)),
            ),
        )
        found = [fact for fact in facts if str(fact[1]) != str(fact[2])]
        for what, earlier, later in found:
            kind = "value revised" if what == "value" else "revised"
            yield _row(stream, kind, what, earlier, later)
        if not found:
            yield _row(stream, "unchanged", "", None, None)


def _row(
    stream: str,
    change: str,
    what: str,
    before: object,
    after: object,
    why: tuple[int, ...] = (),
) -> Row:
    shown = (Cell(None if v is None else str(v), why) for v in (before, after))
    return Row((Cell(stream), Cell(change), Cell(what), *shown))
