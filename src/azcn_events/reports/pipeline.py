"""Value by milestone, under a named counting policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, field

from azcn_events.core.history import Moment
from azcn_events.core.values import Amount, Answer, Missing, Range
from azcn_events.investment.counting import CountingPolicy
from azcn_events.investment.counting import policy as policy_named
from azcn_events.investment.portfolio import Agreement, Package, portfolio
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["pipeline"]

_ANSWERS: Final = (Answer.YES, Answer.MAYBE, Answer.NO)


_NONE: Final = Range.exact(0)


@define
class _Line:
    """One row in the making: amounts and agreements by whether they count."""

    number: Range = _NONE
    amounts: dict[Answer, Amount] = field(factory=dict[Answer, Amount])
    why: list[int] = field(factory=list[int])

    def add(self, counts: Answer, amount: Amount | None, why: tuple[int, ...]) -> None:
        if amount is not None:
            before = self.amounts.get(counts)
            self.amounts[counts] = amount if before is None else before + amount
        self.why += why


def pipeline(moment: Moment, policy: str = "claims") -> Table:
    """Add up values by the furthest milestone that each agreement has surely met.

    Each value is counted, left out, or neither can be said; value that no
    agreement is known to hold, and agreements whose value is unknown, are rows of
    their own. Every column adds up to its total, unit by unit.

    Args:
        moment: The log at a moment.
        policy: Name of a counting policy: ``claims``, ``no-umbrellas``,
            ``committed``.

    Raises:
        UnknownName: If there is no such policy.
    """
    counting = policy_named(policy)
    shown = portfolio(moment)
    names = [milestone.name for milestone in moment.lifecycle.milestones]
    lines = _lines(counting, shown.agreements)
    units = sorted(
        {unit for _, unit in lines if unit}
        | {unit for p in shown.packages.values() for unit in p.value.amounts}
    )
    rows = [row for unit in [*units, ""] for row in _rows(lines, unit, names)]
    for unit in units:
        loose = list(_unallocated(shown.packages, unit, counting))
        rows += loose
        rows.append(_total(rows, unit))
    rest = shown.anonymous if shown.packages else None
    notes = [f"Policy {counting.name!r}: {counting.sentence}."]
    if rest is not None:
        notes.append(f"Documents not individually known: {rest}.")
    notes.append("A total counts the agreements with an amount in its unit.")
    return Table(
        name="pipeline",
        title="Pipeline: value by furthest milestone met",
        columns=(
            Column("milestone"),
            Column("unit"),
            Column("agreements", align="right"),
            Column("counted", align="right"),
            Column("unclear", "not known whether it counts", align="right"),
            Column("left out", align="right"),
        ),
        rows=tuple(rows),
        context=(*moment.context, ("policy", counting.name)),
        notes=tuple(notes),
    )


_NONE_MET: Final = "none met"


def _lines(
    counting: CountingPolicy, agreements: Mapping[str, Agreement]
) -> dict[tuple[str, str], _Line]:
    """Sort agreements by furthest milestone and unit; no unit: value unknown."""
    lines: dict[tuple[str, str], _Line] = {}
    for agreement in agreements.values():
        counts = counting.counts(agreement)
        furthest = agreement.state.furthest() or _NONE_MET
        value = agreement.value
        why = tuple(record.position for record in value.records)
        units = [*value.amounts, ""] if value.missing else list(value.amounts)
        for unit in units:
            line = lines.setdefault((furthest, unit), _Line())
            sure = agreement.present is Answer.YES and unit not in value.unsure
            line.number += Range(1 if sure else 0, 1)
            line.add(counts, value.within(unit), why)
    return lines


def _rows(
    lines: Mapping[tuple[str, str], _Line], unit: str, names: list[str]
) -> Iterator[Row]:
    for name in [*reversed(names), _NONE_MET]:
        line = lines.get((name, unit))
        if line:
            yield _row(name, unit, line)


def _row(name: str, unit: str, line: _Line) -> Row:
    why = tuple(line.why)
    amounts = (
        Cell(line.amounts.get(answer, Amount.exact(0, unit)), why)
        if unit
        else Cell(Missing.UNKNOWN, why)
        for answer in _ANSWERS
    )
    number = Cell(line.number, why)
    return Row((Cell(name), Cell(unit or Missing.UNKNOWN), number, *amounts))


def _unallocated(
    packages: Mapping[str, Package], unit: str, counting: CountingPolicy
) -> Iterator[Row]:
    line = _Line()
    for package in packages.values():
        if unit in package.value.amounts:
            why = tuple(record.position for record in package.value.records)
            rest = package.unallocated(unit)
            if unit in package.value.unsure:
                rest = rest.or_(Amount.exact(0, unit))
            line.add(counting.unallocated, rest, why)
    if line.why:
        row = _row("unallocated", unit, line)
        yield Row((row.cells[0], row.cells[1], Cell(None), *row.cells[3:]))


def _total(rows: list[Row], unit: str) -> Row:
    mine = [row for row in rows if row.cells[1].value == unit]
    sums = [
        Amount.total(
            (v for row in mine if isinstance(v := row.cells[at].value, Amount)), unit
        )
        for at in (3, 4, 5)
    ]
    numbers = [row.cells[2].value for row in mine]
    number = sum((n for n in numbers if isinstance(n, Range)), _NONE)
    why = tuple(dict.fromkeys(at for row in mine for at in row.cells[3].why))
    cells = [Cell(amount, why) for amount in sums]
    head = (Cell("total"), Cell(unit), Cell(number, why))
    return Row((*head, *cells), total=True)
