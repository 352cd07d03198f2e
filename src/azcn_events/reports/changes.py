"""What is different between two moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Activity, Status
from azcn_events.core.values import Answer
from azcn_events.errors import UnknownName
from azcn_events.investment.basis import joined, threads
from azcn_events.investment.events import AgreementSigned
from azcn_events.investment.portfolio import (
    Agreement,
    Link,
    Package,
    Portfolio,
    portfolio,
)
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
                joined(old.why_anonymous, new.why_anonymous),
            )
        )
    # A record that the earlier look rests on may have been replaced since.
    whole = _together([*threads(moment.read()).values(), *_one_thing(old, new)])
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
        rows=tuple(_explained(row, whole) for row in rows),
        context=(
            *((f"before: {key}", value) for key, value in before.context),
            *moment.context,
        ),
    )


def _one_thing(old: Portfolio, new: Portfolio) -> Iterator[tuple[int, ...]]:
    """Yield what each agreement and each link rests on, at both moments together.

    Without what is known of a thing at the one, a figure of the other would hold for
    both.
    """
    streams = dict.fromkeys([*old.links, *new.links])
    for stream in streams:
        links = (look.links.get(stream) for look in (old, new))
        yield joined(*(link.why for link in links if link))
    held = [_held(look) for look in (old, new)]
    for stream in dict.fromkeys(stream for look in held for stream in look):
        agreements = (look.get(stream) for look in held)
        yield joined(*(each.basis.positions for each in agreements if each))


def _held(look: Portfolio) -> dict[str, Agreement]:
    """Give agreements by each of their streams."""
    return {
        stream: agreement
        for agreement in look.agreements.values()
        for stream in (agreement.stream, *agreement.others)
    }


def _together(groups: Iterable[Iterable[int]]) -> dict[int, set[int]]:
    """Give for each position all that belong to it, by one group or by several."""
    found: dict[int, set[int]] = {}
    for group in groups:
        whole = set(group)
        whole.update(*(found[position] for position in group if position in found))
        found |= dict.fromkeys(whole, whole)
    return found


def _explained(row: Row, whole: Mapping[int, Iterable[int]]) -> Row:
    """Let each cell name what belongs to the records that it names."""
    cells = (
        attrs.evolve(cell, why=joined(*(whole.get(at, (at,)) for at in cell.why)))
        for cell in row.cells
    )
    return attrs.evolve(row, cells=tuple(cells))


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
        why = joined(*(link.why for link in (was, now) if link))
        yield _row(stream, kind, "link", before, after, why)


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
            why, field = now.basis.positions, now.identified.field
            yield _row(stream, "new", field, None, "identified", why)
        elif was is not None and now is None:
            merged = any(stream in other.others for other in new.values())
            kind = "found to be another" if merged else "retracted"
            why = was.basis.positions
            yield _row(stream, kind, "agreement", "identified", None, why)
        elif was is not None and now is not None:
            found = [*_differences(stream, was, now)] or [*_others(stream, was, now)]
            yield from found or [_row(stream, "unchanged", "", None, None)]


def _others(stream: str, was: Agreement, now: Agreement) -> Iterator[Row]:
    """Yield a row if there are other facts, though nothing else is different."""
    then, later = ({fact.id for fact in each.standing.facts} for each in (was, now))
    if then != later:
        why = _why(was, now, lambda agreement: agreement.standing.facts)
        gone = f"{len(then - later)} no longer in force"
        more = f"{len(later - then)} new"
        yield _row(stream, "other facts", "", gone, more, why)


def _why(
    was: Agreement, now: Agreement, shown: Callable[[Agreement], Iterable[Recorded]]
) -> tuple[int, ...]:
    return joined(*(each.basis.why(shown(each)) for each in (was, now)))


def _differences(stream: str, was: Agreement, now: Agreement) -> Iterator[Row]:
    life, new_life = (
        either(state.activity, state.activity_maybe) for state in (was.state, now.state)
    )
    if life != new_life:
        change = _ALIVE[now.state.activity] - _ALIVE[was.state.activity]
        kind = "suspended or ended" if change < 0 else "restated"
        kind = "re-activated" if change > 0 else kind
        why = _why(was, now, lambda agreement: agreement.standing.turns)
        yield _row(stream, kind, "activity", life, new_life, why)
    for name, milestone in now.state.milestones.items():
        earlier = was.state.milestones[name]
        if (earlier.status, earlier.maybe) == (milestone.status, milestone.maybe):
            continue
        change = _RANK[milestone.status] - _RANK[earlier.status]
        kind = "progressed" if change > 0 else "regressed" if change < 0 else "restated"
        why = joined(was.basis.why(earlier.records), now.basis.why(milestone.records))
        then, shown = (either(one.status, one.maybe) for one in (earlier, milestone))
        yield _row(stream, kind, name, then, shown, why)
    if was.kind is not now.kind:
        why = _why(was, now, lambda each: each.standing.facts_of(AgreementSigned))
        kinds = was.kind.value, now.kind.value
        yield _row(stream, "revised", "kind of document", *kinds, why)
    why = _why(was, now, lambda _: ())
    for what, told, later in (
        ("field", was.identified.field, now.identified.field),
        ("group", was.identified.group, now.identified.group),
        ("package", was.identified.package, now.identified.package),
    ):
        if told != later:
            yield _row(stream, "revised", what, told, later, why)
    if str(was.value) != str(now.value):
        why = _why(was, now, lambda agreement: agreement.value.records)
        yield _row(stream, "value revised", "value", was.value, now.value, why)


def _packages(old: Mapping[str, Package], new: Mapping[str, Package]) -> Iterator[Row]:
    for stream in dict.fromkeys([*old, *new]):
        was, now = old.get(stream), new.get(stream)
        if was is None or now is None:
            kind = "new" if was is None else "retracted"
            why = joined(*(each.basis.positions for each in (was, now) if each))
            yield _row(stream, kind, "package", None, None, why)
            continue
        found = list(_revisions(was, now))
        yield from found or [_row(stream, "unchanged", "", None, None)]


def _revisions(was: Package, now: Package) -> Iterator[Row]:
    for what, shown, why in _OF_A_PACKAGE:
        earlier, later = shown(was), shown(now)
        if str(earlier) != str(later):
            kind = "value revised" if what == "value" else "revised"
            rests_on = joined(why(was), why(now))
            yield _row(now.stream, kind, what, earlier, later, rests_on)


_OF_A_PACKAGE: Final[
    tuple[
        tuple[str, Callable[[Package], object], Callable[[Package], tuple[int, ...]]],
        ...,
    ]
] = (
    ("date", lambda p: p.dated, lambda p: p.basis.why(p.occasions)),
    ("documents", Package.reported, lambda p: p.basis.why(p.documents)),
    ("individually known", Package.known, Package.why_documents),
    ("value", lambda p: p.value, lambda p: p.basis.why(p.value.records)),
    ("conflicts", lambda p: len(p.conflicts), lambda p: p.basis.why(p.conflicts)),
)
"""What may be revised: its name, what is shown of it, and what that rests on."""


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
