"""Why a figure is another than before: a bridge of steps that adds up.

From the earlier moment to the later one leads a path of moments. Along ``known_by``
each record that was learned in between is a step, in the log's order. Then, along
``as_of``, each day on which facts came to be so, or surely so, is a step. Last, the
day to which ages and lateness are counted moves on. Every step that moves a figure is
kept, with the figure before and after; so the steps join, and their changes sum to the
whole change exactly. (Accountants: as first stated + adjustments = restated.)

Of a day on which several facts came, one step is made: nothing says which of them was
first. A vague date makes as many steps as it has turns: the figure is wider from its
first possible day, and settled from its last, or from when it was written down.

The report is made anew at every step: with n records known and m steps, the time is
that of m reports of n records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Context, Decimal, Inexact
from functools import reduce
from typing import Final, TypeAlias

import attrs
from attrs import frozen

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.core.lifecycle import occurred
from azcn_events.core.values import Amount, Range
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment.basis import joined
from azcn_events.reports.past import Past
from azcn_events.reports.places import Place, cells, place_of
from azcn_events.reports.table import Cell, CellValue, Column, Row, Table

__all__ = ["Bridge", "Change", "Step", "change_of", "diff"]

Report: TypeAlias = Callable[[Moment], Table]
"""A report whose own parameters are given already."""


@frozen
class Change:
    """By how much a figure moved: its lower bound, and its upper one.

    Changes add up, bound by bound, to the change of the whole.

    Attributes:
        unit: Of an amount; empty for a plain number.
        low: Difference of the lower bounds; None if one of the two is open, so that
            no number says it.
        high: Likewise of the upper bounds.
    """

    unit: str
    low: Decimal | None
    high: Decimal | None

    def __add__(self, other: Change) -> Change:
        """Add what happened next.

        Raises:
            InvalidValue: If the units differ.
        """
        if self.unit != other.unit:
            problem = f"changes in {self.unit!r} and {other.unit!r} cannot be added"
            raise InvalidValue(str(other), problem, f"a change in {self.unit!r}")
        low, high = _sum(self.low, other.low), _sum(self.high, other.high)
        return Change(self.unit, low, high)

    def __str__(self) -> str:
        if self.low == self.high:
            text = _signed(self.low)
        else:
            text = f"{_signed(self.low)} at least, {_signed(self.high)} at most"
        return f"{self.unit} {text}" if self.unit else text

    def plain(self) -> dict[str, str | None]:
        """Give the JSON form: numbers as text, null where there is none."""
        return {
            "unit": self.unit,
            "low": None if self.low is None else f"{self.low:f}",
            "high": None if self.high is None else f"{self.high:f}",
        }


_EXACT: Final = Context(prec=200, traps=[Inexact])
"""More digits than any sum of amounts has; should they not do, it fails loudly."""


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else _EXACT.add(one, other)


def _signed(number: Decimal | None) -> str:
    return "not in figures" if number is None else f"{number:+,f}"


@frozen
class Step:
    """What moved a figure once.

    Attributes:
        place: The figure's row and column.
        event: The record that did it, on the way along ``known_by``; None otherwise.
        day: The day that did it, along ``as_of``; None otherwise, and for the last
            step, to where every fact counts whatever its date.
        came: Positions of the facts that came to be so on that day.
        before: The figure before; None if the report had no such row.
        after: The figure after; None if the report has no such row.
    """

    place: Place
    event: Recorded | None
    day: date | None
    came: tuple[int, ...]
    before: Cell | None
    after: Cell | None

    @property
    def change(self) -> Change | None:
        """By how much; None where either is no figure: such a step is words."""
        return change_of(self.before, self.after)


def change_of(before: Cell | None, after: Cell | None) -> Change | None:
    """Subtract two figures, bound by bound.

    Returns:
        None if either is no figure, or is in another unit: unknown is not zero.
    """
    if before is None or after is None:
        return None
    told, now = _bounds(before.value), _bounds(after.value)
    if told is None or now is None or told[0] != now[0]:
        return None
    (unit, *earlier), (_, *later) = told, now
    low, high = map(_difference, earlier, later)
    return Change(unit, low, high)


_Bounds: TypeAlias = tuple[str, Decimal | None, Decimal | None]


def _bounds(value: CellValue) -> _Bounds | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return "", Decimal(value), Decimal(value)
        case Range():
            low, high = value.low, value.high
            return "", _decimal(low), _decimal(high)
        case Amount():
            return value.unit, value.low, value.high
        case _:
            return None


def _decimal(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _difference(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    if before is None or after is None:
        return None
    return _EXACT.subtract(after, before)


@frozen
class Bridge:
    """How a figure, or every figure of a report, went from one moment to another.

    Attributes:
        report: The report's name.
        places: The figures asked about: the one, or all that moved.
        steps: In the order in which they happened; each figure's join without a gap.
        first: The figures at the earlier moment, by place; None: no such row.
        last: Likewise at the later one.
        context: What the figures of both depend on.
    """

    report: str
    places: tuple[Place, ...]
    steps: tuple[Step, ...]
    first: Mapping[Place, Cell | None]
    last: Mapping[Place, Cell | None]
    context: tuple[tuple[str, str], ...]

    def steps_of(self, place: Place) -> tuple[Step, ...]:
        """Give the steps of one figure."""
        return tuple(step for step in self.steps if step.place == place)

    def total(self, place: Place) -> Change | None:
        """Sum up the changes of one figure; None where some step is not in figures."""
        changes = [step.change for step in self.steps_of(place)]
        known = [change for change in changes if change is not None]
        if len(known) < len(changes):
            return None
        if not known:
            return change_of(self.first[place], self.last[place])
        return reduce(Change.__add__, known)

    @property
    def table(self) -> Table:
        """The steps of each figure and, as a total, the whole of its change."""
        rows = [row for place in self.places for row in self._rows(place)]
        return Table(
            name="diff",
            title=f"What moved the figures of the report {self.report!r}",
            columns=_COLUMNS,
            rows=tuple(rows),
            context=self.context,
            notes=(_SUMS, _TIES),
        )

    def _rows(self, place: Place) -> Iterator[Row]:
        for step in self.steps_of(place):
            yield _row(place, _cause(step), step.before, step.after, step.change)
        if len(self.steps_of(place)) == 1:
            return  # One step is the whole.
        whole = ("in all", None, None, None, ())
        total = self.total(place)
        yield _row(place, whole, self.first[place], self.last[place], total, total=True)


_COLUMNS: Final = (
    Column("row"),
    Column("column"),
    Column("step"),
    Column("position", align="right"),
    Column("stream"),
    Column("why"),
    Column("before", align="right"),
    Column("after", align="right"),
    Column("change", align="right"),
)
_SUMS: Final = (
    "The changes of the steps sum to that of the whole, bound by bound. Where a figure"
    " begins or ends as no figure (no row, unknown), the step is words and no number."
)
_TIES: Final = "Facts that came on one day are one step, named by their positions."

_Cause: TypeAlias = tuple[str, int | None, str | None, str | None, tuple[int, ...]]


def _cause(step: Step) -> _Cause:
    if step.event is not None:
        event = step.event.event
        kind = step.event.kind.partition("/")[0]
        reason = f"replaces {event.replaces}: {event.reason}" if event.replaces else ""
        why = "; ".join(filter(None, (reason, str(event.cites))))
        position = step.event.position
        return kind, position, step.event.stream, why, (position,)
    if step.came and step.day:
        named = ", ".join(map(str, step.came))
        return f"{step.day}", None, None, f"came by then: positions {named}", step.came
    if step.came:
        named = ", ".join(map(str, step.came))
        return "every fact counts", None, None, f"positions {named}", step.came
    return "days went by", None, None, f"counted to {step.day}", ()


def _row(
    place: Place,
    cause: _Cause,
    before: Cell | None,
    after: Cell | None,
    change: Change | None,
    *,
    total: bool = False,
) -> Row:
    what, position, stream, because, why = cause
    head = (Cell(" / ".join(place.key)), Cell(place.column), Cell(what, why))
    told = (Cell(each, why) for each in (position, stream, because))
    ends = (Cell("no row") if c is None else c for c in (before, after))
    return Row((*head, *told, *ends, Cell(change)), total=total)


# The path


def diff(
    before: Moment, after: Moment, report: Report, *row: str, column: str = ""
) -> Bridge:
    """Find what moved a figure, or every figure of a report, between two moments.

    Args:
        before: The earlier moment, on either axis or both.
        after: The later moment of the same log.
        report: A report with its parameters, such as
            ``partial(pipeline, policy="committed")``.
        *row: What the row begins with, as in ``Table.row``; nothing for the whole
            report.
        column: The column's name; empty for every column.

    Raises:
        InvalidValue: If the earlier moment knows a record that the later one does
            not, or counts a later day; or if several rows begin so.
        UnknownName: If neither moment's report has such a row or column.
    """
    earlier = _checked(before, after)
    first, last = report(before), report(after)
    asked = _asked(first, last, row, column)
    now = dict(cells(first))
    start, steps = dict(now), list[Step]()
    for event, day, came, moment in _path(before, after, earlier):
        then, now = now, dict(cells(report(moment)))
        for place in dict.fromkeys([*now, *then]):
            told, found = then.get(place), now.get(place)
            if _differ(told, found) and _is_asked(place, asked, column, told, found):
                moved = _rests_on(came, told, found)
                steps.append(Step(place, event, day, moved, told, found))
    places = dict.fromkeys(step.place for step in steps)
    if asked and column:
        places = dict.fromkeys(asked)
    return Bridge(
        report=last.name,
        places=tuple(places),
        steps=tuple(steps),
        first={place: start.get(place) for place in places},
        last={place: now.get(place) for place in places},
        context=(
            *((f"before: {name}", value) for name, value in first.context),
            *last.context,
        ),
    )


def _asked(
    first: Table, last: Table, row: tuple[str, ...], column: str
) -> tuple[Place, ...]:
    """Give the places in the row that is asked for; none for the whole report."""
    names = tuple(each.name for each in last.columns)
    if column and column not in names:
        raise UnknownName("column", column, names)
    if not row:
        return ()
    columns = [column] if column else names
    try:
        return tuple(place_of(last, *row, column=name) for name in columns)
    except UnknownName as error:
        try:
            return tuple(place_of(first, *row, column=name) for name in columns)
        except UnknownName:
            raise error from None


def _is_asked(
    place: Place,
    asked: tuple[Place, ...],
    column: str,
    told: Cell | None,
    found: Cell | None,
) -> bool:
    if asked:
        return place in asked
    if column:
        return place.column == column
    # Of a row that comes or goes the figures are news; its names and dashes are not.
    come_or_gone = found if told is None else told if found is None else None
    if come_or_gone is None:
        return True
    return bool(come_or_gone.why) and come_or_gone.value is not None


def _differ(one: Cell | None, other: Cell | None) -> bool:
    if one is None or other is None:
        return one is not other
    return one.value != other.value


def _rests_on(came: tuple[int, ...], *looked_at: Cell | None) -> tuple[int, ...]:
    """Of the facts that came, give those that the figure rests on; all if none does."""
    why = joined(*(cell.why for cell in looked_at if cell is not None))
    return tuple(position for position in came if position in why) or came


def _checked(before: Moment, after: Moment) -> frozenset[int]:
    """Give the positions that the earlier moment knows, if it is the earlier one."""
    told = {record.position: record.id for record in before.read()}
    known = {record.position: record.id for record in after.read()}
    accepted = "the earlier moment first, and the later one of the same log"
    if not told.items() <= known.items():
        found = f"{len(told)} records and {len(known)}"
        raise InvalidValue(found, "the later moment knows less", accepted)
    if any(position < max(told, default=0) for position in known.keys() - told.keys()):
        found = f"{len(told)} records and {len(known)}"
        raise InvalidValue(found, "the earlier moment has gaps in its log", accepted)
    if after.as_of and (before.as_of is None or before.as_of > after.as_of):
        found = f"{before.as_of or 'all facts'} and {after.as_of}"
        raise InvalidValue(found, "the later moment counts an earlier day", accepted)
    return frozenset(told)


_Stop: TypeAlias = tuple[Recorded | None, date | None, tuple[int, ...], Moment]
"""What is different, and the moment at which it is so."""


def _path(before: Moment, after: Moment, earlier: frozenset[int]) -> Iterator[_Stop]:
    """Yield every moment between two, the later one last.

    What is learned comes first, then what came to be so, then the day that ages are
    counted to: so each step but the last ones has the day of the earlier moment.
    """
    past = Past(after)
    for record in past.records:
        if record.position not in earlier:
            known = past.at(record.position)
            looked = attrs.evolve(known, as_of=before.as_of, on=before.on)
            yield record, None, (), looked
    if before.as_of != after.as_of:
        for day, came in _days(past.records, before.as_of, after.as_of):
            moment = attrs.evolve(after, as_of=day, on=before.on)
            yield None, day, came, moment
        if after.as_of is None:
            whole = attrs.evolve(after, on=before.on)
            yield None, None, tuple(r.position for r in past.records), whole
    yield None, after.on, (), after


def _days(
    records: Iterable[Recorded], since: date | None, until: date | None
) -> Iterator[tuple[date, tuple[int, ...]]]:
    """Yield each day on which facts came, possibly or surely, with their positions."""
    if since is None:
        return
    came: dict[date, list[int]] = {}
    for record in records:
        when = record.event.when
        for day in {when.earliest, when.latest, record.recorded_on}:
            if day is None or day <= since or (until is not None and day > until):
                continue
            if occurred(record, day) is not occurred(record, day - _A_DAY):
                came.setdefault(day, []).append(record.position)
    for day in sorted(came):
        yield day, tuple(sorted(came[day]))


_A_DAY: Final = timedelta(days=1)
