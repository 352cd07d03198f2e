"""Value by milestone, under a named counting policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import define, field

from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import State, Status
from azcn_events.core.values import Amount, Answer, Missing, Range
from azcn_events.investment.counting import CountingPolicy
from azcn_events.investment.counting import policy as policy_named
from azcn_events.investment.portfolio import Agreement, Package, portfolio
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["pipeline"]


def pipeline(moment: Moment, policy: str = "claims") -> Table:
    """Add up values by the furthest milestone that each agreement has met.

    Each value is counted, left out, or neither can be said; value that no
    agreement is known to hold, and agreements whose value is unknown, are rows of
    their own. Every column adds up to its total, unit by unit; only an agreement
    whose furthest milestone is not sure at the day asked for is in each row where
    it may belong, from nothing up, and once in the total.

    Args:
        moment: The log at a moment.
        policy: Name of a counting policy: ``claims``, ``no-umbrellas``,
            ``committed``.

    Raises:
        UnknownName: If there is no such policy.
    """
    counting = policy_named(policy)
    shown = portfolio(moment)
    lines: _Lines = defaultdict(_Line)
    for agreement in shown.agreements.values():
        _add_agreement(lines, agreement, counting)
    for package in shown.packages.values():
        _add_unallocated(lines, package, counting)
    notes = [f"Policy {counting.name!r}: {counting.sentence}."]
    if shown.packages:
        notes.append(f"Documents not individually known: {shown.anonymous}.")
    notes.append("A total counts the agreements with an amount in its unit.")
    if any(len(_furthest(each.state)) > 1 for each in shown.agreements.values()):
        notes.append(_SEVERAL_ROWS)
    names = [milestone.name for milestone in moment.lifecycle.milestones]
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
        rows=tuple(_rows(lines, names)),
        context=(*moment.context, ("policy", counting.name)),
        notes=tuple(notes),
    )


_SEVERAL_ROWS: Final = (
    "An agreement whose furthest milestone is not sure at this day is in each row"
    " where it may belong; the total counts it once."
)
_ANSWERS: Final = (Answer.YES, Answer.MAYBE, Answer.NO)
_NONE_MET: Final = "none met"
_UNALLOCATED: Final = "unallocated"
_TOTAL: Final = "total"


@define
class _Line:
    """One row in the making: amounts and agreements by whether they count."""

    number: Range | None = None
    amounts: dict[Answer, Amount] = field(factory=dict[Answer, Amount])
    why: set[int] = field(factory=set[int])

    def count(self, *, sure: bool) -> None:
        self.number = (self.number or Range.exact(0)) + Range(1 if sure else 0, 1)

    def add(self, counts: Answer, amount: Amount | None, why: Iterable[int]) -> None:
        if amount is not None:
            zero = Amount.exact(0, amount.unit)
            self.amounts[counts] = self.amounts.get(counts, zero) + amount
        self.why.update(why)


_Lines = defaultdict[tuple[str, str], _Line]
"""Lines by what they begin with and their unit; no unit: value that is unknown."""


def _add_agreement(
    lines: _Lines, agreement: Agreement, counting: CountingPolicy
) -> None:
    value, standing = agreement.value, agreement.standing
    counts = counting.counts(agreement)
    furthest = _furthest(agreement.state)
    why = standing.basis.why(
        value.records, standing.steps, counting.rests_on(agreement)
    )
    units = [*value.amounts, ""] if value.missing else list(value.amounts)
    for unit in units:
        amount = value.within(unit)
        sure = agreement.present is Answer.YES and unit not in value.unsure
        lines[_TOTAL, unit].count(sure=sure)
        lines[_TOTAL, unit].add(counts, amount, why)
        if len(furthest) > 1:
            sure, amount = False, amount and amount.or_(Amount.exact(0, unit))
        for name in furthest:
            lines[name, unit].count(sure=sure)
            lines[name, unit].add(counts, amount, why)


def _furthest(state: State) -> tuple[str, ...]:
    """Give every milestone that may be the furthest one met; one if that is sure."""
    found = list[str]()
    for name, milestone in reversed(list(state.milestones.items())):
        met = milestone.is_(Status.MET)
        if met is not Answer.NO:
            found.append(name)
        if met is Answer.YES:
            return tuple(found)
    return (*found, _NONE_MET)


def _add_unallocated(lines: _Lines, package: Package, counting: CountingPolicy) -> None:
    value = package.value
    if value.is_open:
        lines[_UNALLOCATED, ""].add(
            counting.unallocated, None, package.basis.why(value.records)
        )
    for unit in value.amounts:
        rest = package.unallocated(unit)
        if unit in value.unsure:
            rest = rest.or_(Amount.exact(0, unit))
        for name in (_UNALLOCATED, _TOTAL):
            lines[name, unit].add(counting.unallocated, rest, package.why_value(unit))


def _rows(lines: Mapping[tuple[str, str], _Line], names: list[str]) -> Iterator[Row]:
    units = sorted({unit for _, unit in lines} - {""})
    first = [*reversed(names), _NONE_MET]
    places = [(name, unit) for unit in [*units, ""] for name in first]
    places.append((_UNALLOCATED, ""))
    places += [(name, unit) for unit in units for name in (_UNALLOCATED, _TOTAL)]
    for name, unit in places:
        if (name, unit) in lines:
            yield _row(name, unit, lines[name, unit])


def _row(name: str, unit: str, line: _Line) -> Row:
    why = tuple(sorted(line.why))
    amounts = (
        Cell(line.amounts.get(answer, Amount.exact(0, unit)), why)
        if unit
        else Cell(Missing.UNKNOWN, why)
        for answer in _ANSWERS
    )
    number = line.number
    if number is None and name == _TOTAL:
        number = Range.exact(0)
    head = (Cell(name), Cell(unit or Missing.UNKNOWN), Cell(number, why))
    return Row((*head, *amounts), total=name == _TOTAL)
