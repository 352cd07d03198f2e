"""A timeline for each agreement: who said what, in which words."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from azcn_events.core.events import MilestonePromised, Recorded
from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Effect, MilestoneState, counted
from azcn_events.core.values import Amount, Answer, When
from azcn_events.errors import UnknownName
from azcn_events.investment.portfolio import Standing, standings
from azcn_events.reports.common import anonymous
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["milestones"]

_DONE = {
    Effect.PROMISE: "promised",
    Effect.BEGIN: "begun",
    Effect.MEET: "met",
    Effect.REVERT: "reverted",
    Effect.WAIVE: "waived",
}


def milestones(moment: Moment, agreement: str = "") -> Table:
    """List every step of every milestone with its date, words and source.

    Args:
        moment: The log at a moment.
        agreement: One stream only; all if empty.

    Raises:
        UnknownName: If there is no such stream.
    """
    streams = tuple(h.stream for h in moment.histories(moment.lifecycle.category))
    if agreement and agreement not in streams:
        raise UnknownName("agreement", agreement, streams)
    rows = [
        row
        for standing in standings(moment)
        if not agreement or agreement in (standing.stream, *standing.others)
        for name, milestone in standing.state.milestones.items()
        for row in _rows(moment, standing, name, milestone)
    ]
    rest = None if agreement else anonymous(moment)
    notes = (
        () if rest is None else (f"Not individually known, so not here: {rest.value}.",)
    )
    return Table(
        name="milestones",
        title="Milestones: what was said, when, by whom",
        columns=(
            Column("agreement"),
            Column("milestone"),
            Column("step"),
            Column("when"),
            Column("target"),
            Column("overdue"),
            Column("said", "in the source's words"),
            Column("source"),
        ),
        rows=tuple(rows),
        context=(*moment.context, ("counted to", moment.on.isoformat())),
        notes=notes,
    )


def _rows(
    moment: Moment, standing: Standing, name: str, milestone: MilestoneState
) -> Iterator[Row]:
    unsure = {record.id for record in milestone.unsure}
    why_late = standing.basis.why(milestone.records)
    for record in milestone.records:
        target = None
        if isinstance(record.event, MilestonePromised):
            target = record.event.target
        step = _step(moment, record, name)
        why = standing.basis.why([record])
        promised = record is milestone.promise
        overdue = milestone.overdue(moment.on) if promised else None
        yield Row(
            (
                Cell(standing.stream),
                Cell(name),
                Cell(f"{step}, possibly" if record.id in unsure else step, why),
                Cell(record.event.when, why),
                Cell(target, why),
                Cell(None if overdue is None else _late(target, overdue), why_late),
                Cell(_words(record), why),
                Cell(str(record.event.cites), why),
            )
        )


def _late(target: When | None, overdue: Answer) -> str:
    return "no due date" if target and not target.is_known else _LATE[overdue]


_LATE = {Answer.YES: "yes", Answer.MAYBE: "maybe", Answer.NO: "no"}


def _step(moment: Moment, record: Recorded, name: str) -> str:
    effects = dict(moment.lifecycle.moves(record.event))
    return _DONE[counted(record, effects[name])]


def _words(record: Recorded) -> str:
    """Collect the source's words that a fact carries, amounts with their bounds."""
    said = list[str]()
    for field in attrs.fields(type(record.event)):
        value = getattr(record.event, field.name)
        if isinstance(value, Amount):
            said.append(f"{value} “{value.words}”" if value.words else str(value))
    return "; ".join(said)
