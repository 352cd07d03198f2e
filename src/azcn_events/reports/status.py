"""Where every agreement stands."""

from __future__ import annotations

from typing import cast

from azcn_events.core.history import Moment
from azcn_events.core.values import Missing
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment.portfolio import Standing, standings
from azcn_events.reports.common import anonymous, either, field_of
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["status"]


def status(moment: Moment, agreement: str = "") -> Table:
    """Give one row for each agreement: each milestone's status, and deviations.

    A status that is only possible at the day asked for follows the sure one after
    "or". Documents that no source spoke of individually are the last row.

    Args:
        moment: The log at a moment.
        agreement: One stream only; all if empty.

    Raises:
        UnknownName: If there is no such stream.
        InvalidValue: If the name is no text.
    """
    # It may come from a caller whose types nobody checks.
    given = cast("object", agreement)
    if not isinstance(given, str):
        accepted = "a stream's name, such as agreement/cardboard"
        raise InvalidValue(str(given), "this is no text", accepted)
    streams = tuple(h.stream for h in moment.histories(moment.lifecycle.category))
    if agreement and agreement not in streams:
        raise UnknownName("agreement", agreement, streams)
    names = tuple(milestone.name for milestone in moment.lifecycle.milestones)
    rows = [
        _row(moment, standing)
        for standing in standings(moment)
        if not agreement or agreement in (standing.state.stream, *standing.others)
    ]
    rest = None if agreement else anonymous(moment)
    if rest is not None:
        unknown = [Cell(Missing.UNKNOWN) for _ in names]
        shown = Cell(f"not individually known: {rest.value}", rest.why)
        rows.append(Row((shown, Cell(""), Cell(Missing.UNKNOWN), *unknown, Cell(None))))
    return Table(
        name="status",
        title="Agreements: where each stands",
        columns=(
            Column("agreement"),
            Column("about"),
            Column("activity"),
            *(Column(name, name.replace("-", " ")) for name in names),
            Column("deviations", align="right"),
        ),
        rows=tuple(rows),
        context=moment.context,
    )


def _row(moment: Moment, standing: Standing) -> Row:
    state, basis = standing.state, standing.basis
    deviations = moment.lifecycle.deviations(standing.facts)
    activity = either(state.activity, state.activity_maybe)
    milestones = (
        Cell(either(milestone.status, milestone.maybe), basis.why(milestone.records))
        for milestone in state.milestones.values()
    )
    return Row(
        (
            Cell(state.stream),
            Cell(field_of(standing.known), basis.positions),
            Cell(activity, basis.why(standing.turns)),
            *milestones,
            # Which facts are unexpected depends on all that were told before them.
            Cell(len(deviations), basis.why(standing.facts)),
        )
    )
