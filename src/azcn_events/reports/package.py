"""What was announced together: what is known of it, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from azcn_events.core.history import Moment
from azcn_events.core.values import Answer, Missing, Range, When
from azcn_events.investment.events import (
    ConflictNoted,
    DocumentIdentified,
    FieldsMentioned,
    ValueReported,
)
from azcn_events.investment.portfolio import Package, portfolio
from azcn_events.reports.table import Cell, CellValue, Column, Row, Table

__all__ = ["package"]

_COLUMNS = (
    Column("package"),
    Column("what"),
    Column("reported", align="right"),
    Column("known", align="right"),
    Column("rest", align="right"),
    Column("note"),
)


def package(moment: Moment) -> Table:
    """Set reported counts and totals against what is individually known.

    One block of rows for each package: its date, its documents by group, its value.
    A document whose group no source says has a row of its own; the value that no
    agreement is known to hold is always shown.
    """
    rows = [row for each in portfolio(moment).packages.values() for row in _rows(each)]
    return Table(
        name="package",
        title="Packages: reported, individually known, and the rest",
        columns=_COLUMNS,
        rows=tuple(rows),
        context=moment.context,
        notes=_NOTES,
    )


_KNOWN = (
    "Of documents, known: spoken of individually by some source; the rest are"
    " anonymous. Of a value, known: what agreements are known to hold; how the rest"
    " is divided among all the documents is not known."
)
_NOTES = (
    _KNOWN,
    "A field mentioned is not a document; a total is not split among documents.",
)


def _rows(package: Package) -> Iterator[Row]:
    basis = package.basis
    date = When(package.dated.edtf) if package.dated.is_known else Missing.UNKNOWN
    why = basis.why(package.occasions)
    yield _row(package, "date", date, why, note=_occasion(package))
    yield from _documents(package)
    yield from _values(package)
    if package.mentioned and isinstance(package.mentioned.event, FieldsMentioned):
        event = package.mentioned.event
        more = "; the list is open" if event.open_list else ""
        note = f"{', '.join(event.fields)}{more}"
        why = basis.why([package.mentioned])
        yield _row(package, "fields mentioned", len(event.fields), why, note=note)
    for record in package.conflicts:
        if isinstance(record.event, ConflictNoted):
            note = "; ".join(
                f"{claim.says} ({claim.cites})" for claim in record.event.claims
            )
            what = f"sources differ: {record.event.about}"
            claims = len(record.event.claims)
            yield _row(package, what, claims, basis.why([record]), note=note)


def _occasion(package: Package) -> str:
    words = package.dated.words
    said = f"of the occasion{f': “{words}”' if words else ''}"
    if not package.refinement:
        return said
    earlier = package.occasions[-2].event.when
    return f"{said}; {package.refinement} the earlier {earlier}"


def _documents(package: Package) -> Iterator[Row]:
    for group in package.groups:
        named = _named(package, group)
        yield _row(
            package,
            f"documents, {group}",
            package.reported(group) or Missing.UNKNOWN,
            package.why_documents(group),
            known=package.known(group),
            rest=package.anonymous(group) or Missing.UNKNOWN,
            note=named,
        )
    yield _row(
        package,
        "documents, group not said",
        None,
        package.why_documents(""),
        known=package.known(""),
        note=", ".join(a.stream for a in package.agreements if not a.identified.group),
    )
    yield _row(
        package,
        "documents, all",
        package.reported() or Missing.UNKNOWN,
        package.why_documents(),
        known=package.known(),
        rest=package.anonymous() or Missing.UNKNOWN,
        note="more are known than any source reports" if package.exceeded else "",
        total=True,
    )


def _named(package: Package, group: str) -> str:
    """Name the known documents of a group, disputed parties with both names."""
    shown = list[str]()
    for record in package.identified:
        event = record.event
        if isinstance(event, DocumentIdentified) and event.group == group:
            parties = " and ".join(map(str, event.parties))
            disputed = any(len(party.names) > 1 for party in event.parties)
            doubt = ", disputed" if disputed else ""
            shown.append(f"{event.title}: {parties or 'parties unknown'}{doubt}")
    shown += [a.stream for a in package.agreements if a.identified.group == group]
    return "; ".join(shown)


def _values(package: Package) -> Iterator[Row]:
    if package.value.missing:
        missing = package.value.missing
        why = package.basis.why(package.value.records)
        yield _row(package, "value", missing, why, rest=missing, total=True)
    for unit, amount in package.value.amounts.items():
        notes = [_scope(package)]
        if package.overspent(unit) is Answer.YES:
            notes.append("its agreements' amounts exceed it: sources contradict")
        yield _row(
            package,
            f"value, {unit}",
            amount,
            package.why_value(unit),
            known=package.allocated(unit),
            rest=package.unallocated(unit),
            note="; ".join(filter(None, notes)),
            total=True,
        )


def _scope(package: Package) -> str:
    natures = {
        record.event.nature
        for record in package.value.records
        if isinstance(record.event, ValueReported)
    }
    nature = ", ".join(sorted(natures - {""})) or "nature not said"
    if len(package.covers) > 1:
        groups = ", or of ".join(package.covers)
        return f"of {groups}: the source leaves it open; {nature}"
    return "; ".join(filter(None, [*(f"of {g}" for g in package.covers), nature]))


def _row(
    package: Package,
    what: str,
    reported: CellValue,
    why: tuple[int, ...],
    *,
    known: CellValue = None,
    rest: CellValue = None,
    note: str = "",
    total: bool = False,
) -> Row:
    cells = (
        Cell(package.stream),
        Cell(what),
        Cell(_shown(reported), why),
        Cell(_shown(known), why),
        Cell(_shown(rest), why),
        Cell(note, why),
    )
    return Row(cells, total=total)


def _shown(value: CellValue) -> CellValue:
    return Range.exact(value) if isinstance(value, int) else value
