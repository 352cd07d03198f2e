"""What is allowed but unexpected, fact by fact."""

from __future__ import annotations

from azcn_events.core.history import Moment
from azcn_events.investment.portfolio import standings
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["deviations"]


def deviations(moment: Moment) -> Table:
    """List every deviation: skipped, out of order, regressed, an impossible date.

    In the order of the agreements, and of the facts in each.
    """
    found = [
        deviation
        for standing in standings(moment)
        for deviation in moment.lifecycle.deviations(standing.facts)
    ]
    rows = [
        Row(
            tuple(
                Cell(text, (deviation.record.position,))
                for text in (
                    deviation.record.stream,
                    deviation.code,
                    deviation.message,
                    deviation.record.event.when,
                    str(deviation.record.event.cites),
                )
            )
        )
        for deviation in found
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
