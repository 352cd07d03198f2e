"""How many agreements have reached each milestone, as ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Lifecycle, State, Status
from azcn_events.core.values import Answer, Missing, Range
from azcn_events.investment.portfolio import standings
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
    states = [(standing.state, standing.present) for standing in told]
    identified = _count(standing.present for standing in told)
    rows = [
        Row((Cell("identified"), Cell(identified), *(Cell(None) for _ in range(5))))
    ]
    after = _implied(moment.lifecycle)
    for milestone in moment.lifecycle.milestones:
        name = milestone.name
        counts = [
            _count(_any(state, sure, [name], statuses) for state, sure in states)
            for statuses in _COLUMNS
        ]
        reached = _count(
            _any(state, sure, after[name], (Status.MET,)) for state, sure in states
        )
        why = tuple(
            record.position
            for state, _ in states
            for record in state.milestones[name].records
        )
        cells = [Cell(count, why) for count in (reached, *counts)]
        rows.append(Row((Cell(name), *cells)))
    nameless = anonymous(moment)
    if nameless is not None:
        unknown = [Cell(Missing.UNKNOWN) for _ in range(5)]
        rows.append(Row((Cell("anonymous documents"), Cell(nameless), *unknown)))
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


_COLUMNS: Final = (
    (Status.MET,),
    (Status.IN_PROGRESS,),
    (Status.PROMISED,),
    (Status.REVERTED, Status.WAIVED),
    (Status.UNMENTIONED,),
)


def _count(answers: Iterable[Answer]) -> Range:
    told = list(answers)
    surely = told.count(Answer.YES)
    return Range(surely, surely + told.count(Answer.MAYBE))


def _any(
    state: State, present: Answer, names: Iterable[str], statuses: tuple[Status, ...]
) -> Answer:
    """Say whether any of these milestones has any of these statuses."""
    answers = [_among(state, name, statuses) for name in names]
    if Answer.YES in answers:
        return present
    return Answer.MAYBE if Answer.MAYBE in answers else Answer.NO


def _among(state: State, name: str, statuses: tuple[Status, ...]) -> Answer:
    milestone = state.milestones[name]
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
