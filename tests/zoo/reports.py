"""Bugs in reports, as an analyst writes them who has a table to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

from attrs import evolve
from tests.zoo.bug import Bug, Check
from tests.zoo.worlds import DEALS

from azcn_events.core.events import Recorded
from azcn_events.core.history import History, Moment, in_force
from azcn_events.core.lifecycle import MilestoneState, State, Status
from azcn_events.core.values import Amount, Answer, Missing, Range, Sealed
from azcn_events.investment import ValueReported
from azcn_events.reports.common import either
from azcn_events.reports.table import Cell, CellValue, Column, Row, Table
from azcn_events.testing.laws import (
    REPORT_LAWS,
    report_agrees_with,
    what_had_not_come_moves_nothing,
)

__all__ = ["BUGS"]

Report = Callable[[Moment], Table]

_BY_LAWS: Final = Check(REPORT_LAWS, lifecycle=DEALS)
_BY_DAYS: Final = Check(
    (*REPORT_LAWS, what_had_not_come_moves_nothing), lifecycle=DEALS
)


def _by_oracle(reference: Callable[[Moment], object], examples: int = 40) -> Check:
    laws = (*REPORT_LAWS, report_agrees_with(reference))
    return Check(laws, lifecycle=DEALS, examples=examples)


def _states(moment: Moment) -> Iterator[tuple[History, State]]:
    """Yield every agreement that the moment knows, and where it stands."""
    for history in moment.histories("agreement"):
        facts = tuple(record for record, _ in evolve(history, as_of=None).dated())
        yield history, moment.lifecycle.replay(facts, as_of=moment.as_of)


def _positions(records: tuple[Recorded, ...]) -> tuple[int, ...]:
    return tuple(record.position for record in records)


def _table(moment: Moment, name: str, columns: str, rows: list[Row]) -> Table:
    return Table(
        name=name,
        title=name.capitalize(),
        columns=tuple(map(Column, columns.split())),
        rows=tuple(rows),
        context=moment.context,
    )


# Where the land stands: one row for each agreement.


def _land_cell(land: MilestoneState) -> Cell:
    return Cell(either(land.status, land.maybe), _positions(land.records))


def _land_with(cell: Callable[[MilestoneState], Cell]) -> Report:
    def land(moment: Moment) -> Table:
        rows = [
            Row((Cell(history.stream), cell(state.milestones["land-allocated"])))
            for history, state in _states(moment)
        ]
        return _table(moment, "land", "agreement land", rows)

    return land


_LAND: Final = _land_with(_land_cell)
_NO_WHY: Final = _land_with(lambda land: Cell(either(land.status, land.maybe)))
_FIRST_WHY: Final = _land_with(
    lambda land: Cell(either(land.status, land.maybe), _positions(land.records[:1]))
)
_LAST_WHY: Final = _land_with(
    lambda land: Cell(either(land.status, land.maybe), _positions(land.records[-1:]))
)
_VERSION_WHY: Final = _land_with(
    lambda land: Cell(
        either(land.status, land.maybe), tuple(r.version for r in land.records)
    )
)


def _land_of_all(moment: Moment) -> Table:
    rows = [
        Row((Cell(stream), _land_cell(state.milestones["land-allocated"])))
        for stream, state in (
            (history.stream, moment.lifecycle.replay(in_force(history.records)))
            for history in moment.histories("agreement")
        )
    ]
    return _table(moment, "land", "agreement land", rows)


def _land_by_chance(moment: Moment) -> Table:
    lands = {
        history.stream: _land_cell(state.milestones["land-allocated"])
        for history, state in _states(moment)
    }
    rows = [Row((Cell(stream), lands[stream])) for stream in set(lands)]
    return _table(moment, "land", "agreement land", rows)


_REMEMBERED: dict[str, Cell] = {}


def _land_remembered(moment: Moment) -> Table:
    for history, state in _states(moment):
        land = _land_cell(state.milestones["land-allocated"])
        _REMEMBERED.setdefault(history.stream, land)
    rows = [Row((Cell(stream), land)) for stream, land in _REMEMBERED.items()]
    return _table(moment, "land", "agreement land", rows)


def _land_stamped(moment: Moment) -> Table:
    made = datetime.now(UTC).isoformat()
    return evolve(_LAND(moment), notes=(f"Made at {made}.",))


def _land_without_context(moment: Moment) -> Table:
    return evolve(_LAND(moment), context=())


def _land_mentioned(moment: Moment) -> Table:
    table = _LAND(moment)
    kept = [row for row in table.rows if row.cells[1].value != "unmentioned"]
    return evolve(table, rows=tuple(kept))


def _land_uncorrected(moment: Moment) -> Table:
    rows = [
        Row((Cell(history.stream), _land_cell(state.milestones["land-allocated"])))
        for history, state in (
            (history, moment.lifecycle.replay(history.records, as_of=moment.as_of))
            for history in moment.histories("agreement")
        )
    ]
    return _table(moment, "land", "agreement land", rows)


def _land_by_status(moment: Moment) -> object:
    """Give what the table of the land should read."""
    return [
        (history.stream, either(land.status, land.maybe))
        for history, state in _states(moment)
        for land in [state.milestones["land-allocated"]]
    ]


# How many agreements have met each milestone, as a range.


def _met(answers: list[Answer]) -> Range:
    surely = answers.count(Answer.YES)
    return Range(surely, surely + answers.count(Answer.MAYBE))


def _counts_with(figure: Callable[[list[MilestoneState]], CellValue]) -> Report:
    def counts(moment: Moment) -> Table:
        states = [state for _, state in _states(moment)]
        rows = [
            Row(
                (
                    Cell(name),
                    Cell(
                        figure([state.milestones[name] for state in states]),
                        tuple(
                            position
                            for state in states
                            for position in _positions(state.milestones[name].records)
                        ),
                    ),
                )
            )
            for name in moment.lifecycle.milestone_names
        ]
        return _table(moment, "counts", "milestone met", rows)

    return counts


def _figures_of(figure: Callable[[list[MilestoneState]], CellValue]) -> Any:
    def reference(moment: Moment) -> object:
        states = [state for _, state in _states(moment)]
        return [
            (name, str(figure([state.milestones[name] for state in states])))
            for name in moment.lifecycle.milestone_names
        ]

    return reference


def _range_met(found: list[MilestoneState]) -> Range:
    return _met([one.is_(Status.MET) for one in found])


_COUNTS: Final = _counts_with(_range_met)
_BY_COUNTS: Final = _by_oracle(_figures_of(_range_met))
_MAYBE_IS_YES: Final = _counts_with(
    lambda found: sum(one.is_(Status.MET) is not Answer.NO for one in found)
)
_PROMISED_IS_MET: Final = _counts_with(
    lambda found: _met(
        [
            Answer.YES if one.status is Status.PROMISED else one.is_(Status.MET)
            for one in found
        ]
    )
)
_REVERTED_STAYS: Final = _counts_with(
    lambda found: _met(
        [
            Answer.YES if one.status is Status.REVERTED else one.is_(Status.MET)
            for one in found
        ]
    )
)


def _share_met(found: list[MilestoneState]) -> str:
    return f"{100 * _range_met(found).low // len(found)} %"  # type: ignore[operator] # never open


def _share_met_of_any(found: list[MilestoneState]) -> str:
    return _share_met(found) if found else "no agreements"


def _shares_with(figure: Callable[[list[MilestoneState]], str]) -> Report:
    """Make shares: every cell rests on all that is known of any agreement."""

    def shares(moment: Moment) -> Table:
        told = [(history, state) for history, state in _states(moment) if history.facts]
        why = tuple(r.position for history, _ in told for r in history.facts)
        rows = [
            Row(
                (
                    Cell(name),
                    Cell(figure([state.milestones[name] for _, state in told]), why),
                )
            )
            for name in moment.lifecycle.milestone_names
        ]
        return _table(moment, "shares", "milestone share", rows)

    return shares


_SHARES: Final = _shares_with(_share_met_of_any)
_DIVIDED_BY_NONE: Final = _shares_with(_share_met)


# What agreements are worth: as last reported, one row each.

Worth = Amount | Missing | Sealed


def _last_value(history: History) -> tuple[Worth, tuple[int, ...]]:
    worth: Worth = Missing.UNKNOWN
    why: tuple[int, ...] = ()
    for record in history.facts:
        if isinstance(record.event, ValueReported):
            worth, why = record.event.amount, (record.position,)
    return worth, why


def _worth(moment: Moment) -> Table:
    rows = []
    for history in moment.histories("agreement"):
        worth, why = _last_value(history)
        rows.append(Row((Cell(history.stream), Cell(worth, why))))
    return _table(moment, "worth", "agreement value", rows)


def _worth_known(moment: Moment) -> Table:
    table = _worth(moment)
    known = [row for row in table.rows if isinstance(row.cells[1].value, Amount)]
    return evolve(table, rows=tuple(known))


def _worth_as_number(moment: Moment) -> Table:
    rows = []
    for history in moment.histories("agreement"):
        worth, why = _last_value(history)
        amount: Any = worth
        rows.append(Row((Cell(history.stream), Cell(amount.low, why))))
    return _table(moment, "worth", "agreement value", rows)


def _worth_low(moment: Moment) -> Table:
    rows = []
    for history in moment.histories("agreement"):
        worth, why = _last_value(history)
        low = worth.low if isinstance(worth, Amount) else worth
        rows.append(Row((Cell(history.stream), Cell(low, why))))
    return _table(moment, "worth", "agreement value", rows)


def _worth_by_history(moment: Moment) -> object:
    return [
        (history.stream, str(_last_value(history)[0]))
        for history in moment.histories("agreement")
    ]


# How long agreements have been known.


def _ages_on(day: Callable[[Moment], date]) -> Report:
    def ages(moment: Moment) -> Table:
        rows = []
        for history in moment.histories("agreement"):
            first = history.records[0]
            days = (day(moment) - first.recorded_on).days
            rows.append(Row((Cell(history.stream), Cell(days, (first.position,)))))
        return _table(moment, "ages", "agreement days", rows)

    return ages


_AGES: Final = _ages_on(lambda moment: moment.on)
_AGES_TODAY: Final = _ages_on(lambda _: date.today())  # noqa: DTZ011 - the bug


def _ages_by_moment(moment: Moment) -> object:
    return [
        (history.stream, str((moment.on - history.records[0].recorded_on).days))
        for history in moment.histories("agreement")
    ]


# The newest record of all.


def _newest(moment: Moment) -> Table:
    records = [r for history in moment.histories() for r in history.records]
    newest = sorted(records, key=lambda record: record.position)[-1:]
    rows = [Row((Cell(r.stream), Cell(r.position, (r.position,)))) for r in newest]
    return _table(moment, "newest", "stream position", rows)


def _newest_of_some(moment: Moment) -> Table:
    records = [r for history in moment.histories() for r in history.records]
    newest = max(records, key=lambda record: record.position)
    row = Row((Cell(newest.stream), Cell(newest.position, (newest.position,))))
    return _table(moment, "newest", "stream position", [row])


BUGS: Final = (
    Bug(
        "no-why",
        "The cells name no records: `why` has a default, so nothing asked for it.",
        _NO_WHY,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "why-is-the-first",
        "Only the first record that bears on a status is named.",
        _FIRST_WHY,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "why-is-the-last",
        "Only the last record that bears on a status is named.",
        _LAST_WHY,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "why-by-version",
        "The cells name versions, which count in a stream, for positions in the log.",
        _VERSION_WHY,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "as-of-ignored",
        "The state is replayed without the day that was asked for.",
        _land_of_all,
        _LAND,
        _BY_DAYS,
    ),
    Bug(
        "rows-by-chance",
        "Rows come in the order of a set.",
        _land_by_chance,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "last-call-remembered",
        "Cells are kept by stream for the next call, whichever moment that is about.",
        _land_remembered,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "stamped",
        "The table says when it was made.",
        _land_stamped,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "context-left-out",
        "The table does not say as of when it holds.",
        _land_without_context,
        _LAND,
        _BY_LAWS,
    ),
    Bug(
        "unmentioned-left-out",
        "Agreements of which nothing was said have no row.",
        _land_mentioned,
        _LAND,
        _by_oracle(_land_by_status),
    ),
    Bug(
        "corrections-not-applied",
        "All records of a stream are replayed, those that were replaced too.",
        _land_uncorrected,
        _LAND,
        _by_oracle(_land_by_status),
    ),
    Bug(
        "maybe-is-yes",
        "What is met perhaps is counted: the figure is a number and no range.",
        _MAYBE_IS_YES,
        _COUNTS,
        _BY_COUNTS,
    ),
    Bug(
        "promised-is-met",
        "A promise is counted as an achievement.",
        _PROMISED_IS_MET,
        _COUNTS,
        _BY_COUNTS,
    ),
    Bug(
        "reverted-stays-met",
        "What was reverted is still counted.",
        _REVERTED_STAYS,
        _COUNTS,
        _BY_COUNTS,
    ),
    Bug(
        "divided-by-none",
        "A share is divided by the number of agreements, which may be none.",
        _DIVIDED_BY_NONE,
        _SHARES,
        _BY_LAWS,
    ),
    Bug(
        "unknown-left-out",
        "Agreements without a known value have no row.",
        _worth_known,
        _worth,
        _by_oracle(_worth_by_history),
    ),
    Bug(
        "missing-as-amount",
        "A value is asked for its bounds although it may be `Missing`.",
        _worth_as_number,
        _worth,
        _BY_LAWS,
    ),
    Bug(
        "low-bound-only",
        "The lower bound is shown for the value, without its currency.",
        _worth_low,
        _worth,
        _by_oracle(_worth_by_history, 150),
    ),
    Bug(
        "age-to-today",
        "Ages are counted to the day on which the program runs.",
        _AGES_TODAY,
        _AGES,
        _by_oracle(_ages_by_moment),
    ),
    Bug(
        "newest-of-none",
        "The newest record is asked for although there may be none.",
        _newest_of_some,
        _newest,
        _BY_LAWS,
    ),
)
