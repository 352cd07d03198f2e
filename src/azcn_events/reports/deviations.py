"""What is allowed but unexpected, fact by fact."""

from __future__ import annotations

from collections.abc import Iterator

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Deviation
from azcn_events.investment.portfolio import Standing, standings
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["deviations"]


def deviations(moment: Moment) -> Table:
    """List every deviation: skipped, out of order, regressed, an impossible date.

    In the order of the agreements, and of the facts in each.
    """
    rows = [
        _row(moment, standing, deviation)
        for standing in standings(moment)
        for deviation in moment.lifecycle.deviations(standing.facts)
    ]
    return Table(
        name="deviations",
        title="Deviations: recorded, but unexpected",
        columns=tuple(
            map(Column, ("agreement", "deviation", "what", "when", "source"))
        ),
        rows=tuple(rows),
        context=moment.context,
    )


def _row(moment: Moment, standing: Standing, deviation: Deviation) -> Row:
    record = deviation.record
    why = standing.basis.why([record], _expected(moment, standing, deviation))
    shown = (
        record.stream,
        deviation.code,
        deviation.message,
        record.event.when,
        str(record.event.cites),
    )
    return Row(tuple(Cell(value, why) for value in shown))


def _expected(
    moment: Moment, standing: Standing, deviation: Deviation
) -> Iterator[Recorded]:
    """Yield the facts beside which a fact deviates."""
    if deviation.code == "impossible-date":
        return  # It deviates by itself.
    if not deviation.milestone:
        yield from standing.turns
    for milestone in moment.lifecycle.milestones:
        if milestone.name == deviation.milestone:
            for name in (milestone.name, *milestone.expects):
                yield from standing.state.milestones[name].records
