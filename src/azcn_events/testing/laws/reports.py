"""Laws of reports: every figure explains itself, and claims no more than is known.

A report is a function of a moment that returns a table. What a law needs to know of a
table is how to find a row again: by the cells it begins with that name no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final, cast, get_args, get_type_hints

import attrs

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import Lifecycle, occurred
from azcn_events.core.values import Amount, Answer, Missing, Qualifier, Range, When
from azcn_events.investment.basis import threads
from azcn_events.reports.render import shown
from azcn_events.reports.table import Cell, Column, Row, Table
from azcn_events.testing.laws.law import Law, Violation, ensure, over_logs, same
from azcn_events.testing.transcript import Log, changed, days_before, retold

__all__ = [
    "REPORT_LAWS",
    "Report",
    "moment_of",
    "report_agrees_with",
    "what_had_not_come_moves_nothing",
]

Report = Callable[..., Table]
"""Takes a moment, and gives a table."""


def moment_of(lifecycle: Lifecycle, log: Log, as_of: date | None = None) -> Moment:
    """Make the moment at which all of a log is known.

    Args:
        lifecycle: The rules.
        log: Records in position order.
        as_of: Count what had come by the end of this day; None counts all.
    """
    order = {stream: at for at, stream in enumerate(_streams(log))}
    by_stream = sorted(log, key=lambda record: (order[record.stream], record.version))
    last = log[-1].recorded_on if log else _FIRST
    return Moment(lifecycle, lambda: by_stream, as_of, as_of or last)


_FIRST: Final = date(2025, 1, 1)


def _streams(log: Log) -> Iterator[str]:
    yield from dict.fromkeys(record.stream for record in log)


def _moments(lifecycle: Lifecycle, log: Log) -> Iterator[Moment]:
    """Yield the moment itself, and some days at which not all had come."""
    yield moment_of(lifecycle, log)
    for day in sorted({record.recorded_on for record in log})[:2]:
        yield moment_of(lifecycle, log, day - timedelta(days=10))
        yield moment_of(lifecycle, log, day)


def _at(moment: Moment) -> str:
    return f"as of {moment.as_of}" if moment.as_of else "with everything counted"


@over_logs
def takes_every_log(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """It gives a table of every log, at every moment."""
    for moment in _moments(lifecycle, log):
        table = cast("object", report(moment))
        ensure(isinstance(table, Table), f"it gave {table!r} {_at(moment)}")


@over_logs
def same_bytes(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """The same facts give the same bytes, whatever was asked in between."""
    for moment in _moments(lifecycle, log):
        first = _bytes(report(moment))
        report(moment_of(lifecycle, ()))
        report(moment_of(lifecycle, log[: len(log) // 2]))
        same(first, _bytes(report(moment)), f"the report, made twice {_at(moment)},")


def _bytes(table: Table) -> tuple[str, ...]:
    return table.text(), table.html(), table.csv(), table.json()


@over_logs
def earlier_calls_leave_no_trace(
    report: Report, lifecycle: Lifecycle, log: Log
) -> None:
    """What was asked before does not show: it is not kept for the next call.

    Asked with streams of names that never occurred before, once after a shorter log
    with the same names, and once without.
    """
    after, alone = (f"~{number:07}" for number in (next(_MARKS), next(_MARKS)))
    report(moment_of(lifecycle, _marked(log[: len(log) // 2], after)))
    told = _rows(report(moment_of(lifecycle, _marked(log, after))))
    fresh = _rows(report(moment_of(lifecycle, _marked(log, alone))))
    what = "the report, asked after another one and asked alone"
    same(_unmarked(fresh, alone), _unmarked(told, after), what)


_MARKS: Final = count()


def _marked(log: Log, mark: str) -> Log:
    return tuple(record._replace(stream=f"{record.stream}{mark}") for record in log)


def _unmarked(rows: list[tuple[str, ...]], mark: str) -> list[tuple[str, ...]]:
    return [tuple(text.replace(mark, "") for text in row) for row in rows]


@over_logs
def shows_what_depends(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """It says for which moment its figures hold."""
    for moment in _moments(lifecycle, log):
        table = report(moment)
        lacking = [pair for pair in moment.context if pair not in table.context]
        ensure(not lacking, f"the table's context lacks {lacking}")


@over_logs
def why_names_known_records(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """A figure is explained by records that are known at its moment."""
    positions = {record.position for record in log}
    for moment in _moments(lifecycle, log):
        for row, column, cell in _cells(report(moment)):
            strangers = set(cell.why) - positions
            what = f"{_words(row, column)} rests on positions {sorted(strangers)}"
            ensure(not strangers, f"{what}, where nothing is")


@over_logs
def no_figure_without_why(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """A figure that says more than nothing names the records that make it."""
    for moment in _moments(lifecycle, log):
        for row, column, cell in _cells(report(moment)):
            if _claims(cell.value) and not cell.why:
                what = f"{_words(row, column)} is {cell.value} {_at(moment)}"
                raise Violation(f"{what}, and names no record")


@over_logs
def why_is_enough(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """Folding only the records that a figure names gives the figure.

    With them goes what corrected or retracted them, and what they correct: a
    correction counts where the record stood that it replaces.
    """
    hanging_together = threads(log)
    for moment in _moments(lifecycle, log):
        tables: dict[frozenset[int], Table] = {}
        for row, column, cell in _cells(report(moment)):
            if not cell.why:
                continue
            named = frozenset(cell.why).union(
                *(hanging_together.get(position, ()) for position in cell.why)
            )
            if named not in tables:
                kept = tuple(r for r in log if r.position in named)
                only = attrs.evolve(moment, read=moment_of(lifecycle, kept).read)
                tables[named] = report(only)
            again = [found.value for found in _found(tables[named], row, column)]
            what = (
                f"{_words(row, column)} {_at(moment)}, from all records (one way) and"
                " from those that its why names:"
            )
            ensure(bool(again), f"{what} {sorted(named)}: the row is not there")
            if cell.value not in again:
                same(cell.value, again[0], f"{what} {sorted(named)}")


@over_logs
def bounds_hold_the_truth(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """When a vague date turns out exact, no figure leaves the bounds it had."""
    for moment in _moments(lifecycle, log):
        if moment.as_of is None:
            continue
        before = report(moment)
        for at, record in enumerate(log):
            for day in _days_within(record):
                exact = changed(record.event, when=When(day.isoformat()))
                if exact is None:
                    continue
                other = (*log[:at], record._replace(event=exact), *log[at + 1 :])
                if retold(lifecycle, other) is None:
                    continue
                after = report(moment_of(lifecycle, other, moment.as_of))
                told = f"if {record.id} was on {day}, {_at(moment)}"
                _ensure_within(before, after, told)


def _days_within(record: Recorded) -> Iterator[date]:
    """Yield the ends of a vague date that is no more than vague.

    What was reported as having happened had happened when it was written down.
    """
    when = record.event.when
    if when.qualifier is not Qualifier.EXACT or when.earliest == when.latest:
        return
    latest = min(when.latest or record.recorded_on, record.recorded_on)
    earliest = when.earliest or latest - timedelta(days=40)
    if earliest <= latest:
        yield from {earliest, latest}


def _ensure_within(before: Table, after: Table, told: str) -> None:
    for row, column, cell in _cells(before):
        if not isinstance(cell.value, Range):
            continue
        for later in _found(after, row, column):
            what = f"{_words(row, column)} was {cell.value}, and would be {later.value}"
            ensure(_is_within(cell.value, later.value), f"{what} {told}")


def _is_within(outer: Range, inner: object) -> bool:
    if isinstance(inner, Missing) or inner == Range(0, None):
        return True  # Nobody had said it: what is no figure leaves no bounds.
    if not isinstance(inner, Range):
        return False
    above = outer.low is None or (inner.low is not None and inner.low >= outer.low)
    below = outer.high is None or (inner.high is not None and inner.high <= outer.high)
    return above and below


@over_logs
def the_unknown_keeps_its_row(report: Report, lifecycle: Lifecycle, log: Log) -> None:
    """A value that becomes unknown takes no row away and becomes no figure."""
    before = report(moment_of(lifecycle, log))
    for at, record in enumerate(log):
        for name in _may_be_missing(record):
            unknown = changed(record.event, **{name: Missing.UNKNOWN})
            if unknown is None:
                continue
            other = (*log[:at], record._replace(event=unknown), *log[at + 1 :])
            after = report(moment_of(lifecycle, other))
            unit = getattr(record.event, name).unit  # Of what is unknown there is none.
            gone = _firsts(before) - _firsts(after) - {unit}
            ensure(not gone, f"the row {gone} is gone if {record.id} has no {name}")


def _firsts(table: Table) -> set[str]:
    """Give what the rows begin with; further words may be the unit of a figure."""
    return {str(row.cells[0].value) for row in table.rows if not row.total}


def _may_be_missing(record: Recorded) -> Iterator[str]:
    hints = get_type_hints(type(record.event))
    for field in attrs.fields(type(record.event)):
        is_known = isinstance(getattr(record.event, field.name), Amount)
        if is_known and Missing in get_args(hints[field.name]):
            yield field.name


Key = tuple[str, ...]
"""What a row is known by: the texts it begins with that name no record."""


def _cells(table: Table) -> Iterator[tuple[Key, Column, Cell]]:
    """Yield every cell, with its row's key and its column."""
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            yield _key(row), column, cell


def _key(row: Row) -> Key:
    words = list[str]()
    for cell in row.cells:
        if cell.why or not isinstance(cell.value, str):
            break
        words.append(cell.value)
    return tuple(words)


def _found(table: Table, key: Key, column: Column) -> list[Cell]:
    """Give the cells of a column in the rows with this key: one for each row."""
    place = table.columns.index(column)
    return [row.cells[place] for row in table.rows if _key(row) == key]


def _words(key: Key, column: Column) -> str:
    return f"“{' / '.join(key)}”, {column.name},"


def _claims(value: Any) -> bool:  # noqa: ANN401 - what a cell may hold
    """Say whether a value is a figure that claims more than nothing."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | Decimal):
        return value != 0
    if isinstance(value, Range):
        return value != Range.exact(0)
    if isinstance(value, Amount):
        return value.low is not None or value.high is not None
    return False


@over_logs
def what_had_not_come_moves_nothing(
    report: Report, lifecycle: Lifecycle, log: Log
) -> None:
    """As of a day, a milestone's fact that had surely not come by then moves nothing.

    Openings are left out, since what something is has no date, and so are facts that
    were corrected. It is none of ``REPORT_LAWS``, for a report may as well show what
    is known of later days.
    """
    touched = {record.event.replaces for record in log}
    for at, record in enumerate(log):
        earliest, event = record.event.when.earliest, record.event
        moves = lifecycle.moves(event) and lifecycle.has_milestones(record.stream)
        first = record.version == 1 or type(event) is lifecycle.opened_by
        corrects = event.replaces or record.id in touched
        if earliest is None or not moves or first or corrects:
            continue
        day = earliest - timedelta(days=1)
        if occurred(record, day) is not Answer.NO:
            continue
        without = (*log[:at], *log[at + 1 :])
        rows = _rows(report(moment_of(lifecycle, log, day)))
        told = f"as of {day}, without {record.id} and with it"
        same(_rows(report(moment_of(lifecycle, without, day))), rows, told)


def _rows(table: Table) -> list[tuple[str, ...]]:
    return [tuple(map(shown, row.cells)) for row in table.rows]


def report_agrees_with(reference: Callable[[Moment], object]) -> Law[Report]:
    """Make a law of a slower, plainer way to compute what a table reads.

    Args:
        reference: Gives the rows that a moment should have: a list with a tuple for
            each row, the text of its cells.
    """

    @over_logs
    def oracle(report: Report, lifecycle: Lifecycle, log: Log) -> None:
        """It reads what the reference says, now and as of earlier days."""
        for day in (None, *days_before(log)):
            moment = moment_of(lifecycle, log, day)
            what = f"the reference says otherwise {_at(moment)}"
            same(reference(moment), _rows(report(moment)), what)

    return oracle


REPORT_LAWS: Final[tuple[Law[Report], ...]] = (
    takes_every_log,
    same_bytes,
    earlier_calls_leave_no_trace,
    shows_what_depends,
    why_names_known_records,
    no_figure_without_why,
    why_is_enough,
    bounds_hold_the_truth,
    the_unknown_keeps_its_row,
)
"""What every report should keep."""
