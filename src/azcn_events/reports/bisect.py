"""Find the record after which a rule no longer holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs
from attrs import frozen

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.core.values import Answer
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment.portfolio import portfolio, standings
from azcn_events.reports.deviations import deviations
from azcn_events.reports.past import Past
from azcn_events.reports.places import cell_at, place_of
from azcn_events.reports.records import records
from azcn_events.reports.table import Table

__all__ = ["RULES", "Rule", "Turn", "bisect", "reads_otherwise", "rule_named"]

Rule: TypeAlias = Callable[[Moment], bool]
"""Says of a moment whether all is as it should be."""


@frozen
class Turn:
    """The record with which a rule ceased to hold.

    Attributes:
        moment: The moment that was asked about; of its log, the record's stream.
        record: Just before it the rule held; with it, it does not.
        is_first: Whether surely no record in between broke the rule: every one since
            the position at which it was known to hold was tried. False: it is *a*
            turn, and the first one if the rule, once broken, stays broken.
        looks: How many moments were looked at.
    """

    moment: Moment
    record: Recorded
    is_first: bool
    looks: int

    @property
    def table(self) -> Table:
        """The record as a table, with what is known of its being the first."""
        listed = records(self.moment, [self.record])
        before = self.record.position - 1
        surely = (
            "Every record in between was tried: the rule held after each."
            if self.is_first
            else "Found by halving: the first such record if the rule, once broken,"
            " stays broken; otherwise one of several, and --exhaustive finds the first."
        )
        return Table(
            name="bisect",
            title=f"The rule held up to position {before} and fails with this record",
            columns=listed.columns,
            rows=listed.rows,
            context=(*listed.context, ("moments looked at", str(self.looks))),
            notes=(surely,),
        )


def bisect(
    moment: Moment, holds: Rule, *, after: int = 0, exhaustive: bool = False
) -> Turn | None:
    """Find the record after which a rule fails, as the log was known step by step.

    The day asked for, and that to which lateness is counted, stay those of *moment*.
    Halving takes about log2(n) looks at the log and is right about any rule in this:
    it holds before the record found, and fails after it. If the rule may hold again
    after having failed, an earlier record may have broken it too; if it holds at the
    end, nothing is found. Ask exhaustively then: n looks, and the very first.

    Args:
        moment: The log at a moment.
        holds: The rule.
        after: A position at which it held; 0: before the first record.
        exhaustive: Look after every record.

    Returns:
        None if the rule holds at the end (exhaustive: after every record).

    Raises:
        InvalidValue: If the rule fails at the start already.
    """
    past = Past(moment)
    if not holds(past.at(after)):
        accepted = "a position, in 'after', at which the rule held"
        raise InvalidValue(f"position {after}", "the rule fails already", accepted)
    positions = [r.position for r in past.records if r.position > after]
    find = _scan if exhaustive else _halve
    place, looks = find(positions, lambda position: holds(past.at(position)))
    if place is None:
        return None
    record = next(r for r in past.records if r.position == positions[place])
    kept = attrs.evolve(moment, read=lambda: past.records_of(record.stream))
    return Turn(kept, record, exhaustive or place == 0, looks + 1)


def _scan(positions: list[int], holds: Callable[[int], bool]) -> tuple[int | None, int]:
    for place, position in enumerate(positions):
        if not holds(position):
            return place, place + 1
    return None, len(positions)


def _halve(
    positions: list[int], holds: Callable[[int], bool]
) -> tuple[int | None, int]:
    """Keep a place before which the rule holds, and one at which it fails."""
    if not positions or holds(positions[-1]):
        return None, min(len(positions), 1)
    good, bad, looks = -1, len(positions) - 1, 1
    while bad - good > 1:
        middle = (good + bad) // 2
        looks += 1
        if holds(positions[middle]):
            good = middle
        else:
            bad = middle
    return bad, looks


def reads_otherwise(
    moment: Moment, report: Callable[[Moment], Table], *row: str, column: str
) -> Rule:
    """Make the rule that a cell does not read what it reads at a moment.

    So bisecting gives since when it does.

    Raises:
        UnknownName: If there is no such row or column at that moment.
        InvalidValue: If several rows begin so.
    """
    table = report(moment)
    cell = table.cell(*row, column=column)
    place = place_of(table, *row, column=column)

    def holds(earlier: Moment) -> bool:
        found = cell_at(report(earlier), place)
        return found is None or found.value != cell.value

    return holds


def rule_named(name: str) -> Rule:
    """Give one of ``RULES``.

    Raises:
        UnknownName: If there is no such rule.
    """
    if name not in RULES:
        raise UnknownName("rule", name, tuple(RULES))
    return RULES[name]


def _no_deviations(moment: Moment) -> bool:
    return not len(deviations(moment))


def _nothing_overdue(moment: Moment) -> bool:
    return all(
        milestone.overdue(moment.on) is not Answer.YES
        for standing in standings(moment)
        for milestone in standing.state.milestones.values()
    )


def _no_conflicts(moment: Moment) -> bool:
    return not any(each.conflicts for each in portfolio(moment).packages.values())


def _parts_within_totals(moment: Moment) -> bool:
    packages = portfolio(moment).packages.values()
    return not any(
        package.exceeded
        or any(package.overspent(unit) is Answer.YES for unit in package.value.amounts)
        for package in packages
    )


RULES: Final[Mapping[str, Rule]] = {
    "deviations": _no_deviations,
    "overdue": _nothing_overdue,
    "conflicts": _no_conflicts,
    "overspent": _parts_within_totals,
}
"""Rules by the name of what there should not be any of: no deviation, no milestone
surely overdue, no conflict noted of a package, and no package with more documents or
value in its agreements than is reported of it."""
