"""How many agreements have reached each milestone, as ranges."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Lifecycle, Status
from azcn_events.core.values import Answer, Missing, Range
from azcn_events.investment.basis import joined
from azcn_events.investment.portfolio import Standing, standings
from azcn_events.reports.common import anonymous
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["funnel"]


def funnel(moment: Moment) -> Table:
    """Count agreements by milestone.

    ``reached`` is "reached at least": the milestone itself is met, or one that
    expects or requires it, directly or by a chain. That a later one is met does
    not prove the earlier: ``met`` counts only what was said.
    """
    told = list(standings(moment))
    identified = _count((standing, standing.present, ()) for standing in told)
    rows = [Row((Cell("identified"), identified, *(Cell(None) for _ in range(5))))]
    after = _implied(moment.lifecycle)
    for milestone in moment.lifecycle.milestones:
        name = milestone.name
        asked = [(after[name], _MET), *(([name], statuses) for statuses in _COLUMNS)]
        cells = [
            _count((one, _any(one, names, statuses), names) for one in told)
            for names, statuses in asked
        ]
        rows.append(Row((Cell(name), *cells)))
    nameless = anonymous(moment)
    if nameless is not None:
        unknown = [Cell(Missing.UNKNOWN) for _ in range(5)]
        rows.append(Row((Cell("anonymous documents"), nameless, *unknown)))
    return Table(
        name="funnel",
        title="Funnel: agreements by milestone",
        columns=(
            Column("milestone"),
            Column("reached", align="right"),
            Column("met", align="right"),
            Column("in progress", align="right"),
            Column("promised", align="right"),
            Column("reverted or waived", align="right"),
            Column("unmentioned", align="right"),
        ),
        rows=tuple(rows),
        context=moment.context,
        notes=(_REACHED,),
    )


_REACHED = (
    "Reached: met, or a milestone is met that usually comes later. The latter"
    " does not show that this one was met: that is what 'met' counts."
)


_MET: Final = (Status.MET,)
_COLUMNS: Final = (
    _MET,
    (Status.IN_PROGRESS,),
    (Status.PROMISED,),
    (Status.REVERTED, Status.WAIVED),
    (Status.UNMENTIONED,),
)


def _count(asked: Iterable[tuple[Standing, Answer, Iterable[str]]]) -> Cell:
    """Count what has something by these milestones, and name what may have it."""
    found = [each for each in asked if each[1] is not Answer.NO]
    surely = sum(answer is Answer.YES for _, answer, _ in found)
    whys = (
        standing.basis.why(*(standing.state.milestones[name].records for name in names))
        for standing, _, names in found
    )
    return Cell(Range(surely, len(found)), joined(*whys))


def _any(
    standing: Standing, names: Iterable[str], statuses: Collection[Status]
) -> Answer:
    """Say whether any of these milestones has any of these statuses."""
    answers = [_among(standing, name, statuses) for name in names]
    if Answer.YES in answers:
        return standing.present
    return Answer.MAYBE if Answer.MAYBE in answers else Answer.NO


def _among(standing: Standing, name: str, statuses: Collection[Status]) -> Answer:
    milestone = standing.state.milestones[name]
    possible = {milestone.status, *milestone.maybe}
    if possible <= set(statuses):
        return Answer.YES
    return Answer.MAYBE if possible & set(statuses) else Answer.NO


def _implied(lifecycle: Lifecycle) -> dict[str, set[str]]:
    """Give for each milestone itself and those that come after it."""
    after = {milestone.name: {milestone.name} for milestone in lifecycle.milestones}
    changed = True
    while changed:
        changed = False
        for milestone in lifecycle.milestones:
            for earlier in (*milestone.expects, *milestone.requires):
                more = after[milestone.name] - after[earlier]
                after[earlier] |= more
                changed |= bool(more)
    return after
