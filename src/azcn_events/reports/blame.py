"""Who last set each part of where a stream stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
from attrs import frozen

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import History, Moment, in_force
from azcn_events.core.lifecycle import Lifecycle, occurred
from azcn_events.core.state import Fold
from azcn_events.core.values import Answer
from azcn_events.errors import UnknownName
from azcn_events.investment.basis import threads
from azcn_events.investment.portfolio import portfolio
from azcn_events.reports.common import either
from azcn_events.reports.records import text_of, who
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["blame"]


def blame(moment: Moment, stream: str, field: str = "") -> Table:
    """Say of each part of a stream's state which record last set it.

    Parts are the activity, each milestone, the value, and each field that some fact
    in force says, such as ``land-allocated area``. A milestone was last set by the
    record that last changed its status; a field by the last fact of its class that
    says it. What had only possibly come by the day asked for follows what had surely.

    Args:
        moment: The log at a moment.
        stream: Whose parts, such as ``"agreement/cardboard"``.
        field: One part only, by its name or the last word of it; all if empty.

    Raises:
        UnknownName: If there is no such stream, or no such part of it.
    """
    history = _history(moment, stream)
    parts = list(_parts(moment, history))
    names = tuple(dict.fromkeys(part.name for part in parts))
    if field:
        parts = [part for part in parts if _is_called(part.name, field)]
        if not parts:
            raise UnknownName(f"part of {stream}", field, names)
    hanging_together = threads(history.records)
    return Table(
        name="blame",
        title=f"{stream}: what last set each part of it",
        columns=_COLUMNS,
        rows=tuple(_row(part, hanging_together) for part in parts),
        context=moment.context,
    )


_COLUMNS: Final = (
    Column("part"),
    Column("value"),
    Column("position", align="right"),
    Column("fact"),
    Column("when"),
    Column("recorded"),
    Column("by"),
    Column("source"),
    Column("instead of"),
    Column("id"),
)


@frozen
class _Part:
    """A part of the state, its value, and the record that last set it."""

    name: str
    value: str
    record: Recorded | None
    besides: tuple[Recorded, ...] = ()


def _history(moment: Moment, stream: str) -> History:
    category = stream.partition("/")[0]
    known = dict.fromkeys(record.stream for record in moment.read())
    for history in moment.histories(category):
        if history.stream == stream:
            return history
    raise UnknownName("stream", stream, tuple(known))


def _is_called(name: str, asked: str) -> bool:
    return asked in {name, name.rpartition(" ")[2]}


def _parts(moment: Moment, history: History) -> Iterator[_Part]:
    lifecycle = moment.lifecycle
    if lifecycle.has_milestones(history.stream):
        yield from _standing(lifecycle, history)
    shown = portfolio(moment)
    thing = shown.packages.get(history.stream) or shown.agreements.get(history.stream)
    if thing and thing.value.records:
        *before, last = thing.value.records
        yield _Part("value", str(thing.value), last, tuple(before))
    yield from _fields(lifecycle, history)


def _standing(lifecycle: Lifecycle, history: History) -> Iterator[_Part]:
    """Fold the facts, and keep for each part the last one that changed it."""
    fold = Fold(lifecycle)
    setters: dict[str, Recorded] = {}
    before = _shown(fold)
    for record in in_force(history.records):
        fold.step(record, history.as_of)
        after = _shown(fold)
        setters |= {name: record for name in after if after[name] != before[name]}
        before = after
    for name, shown in before.items():
        yield _Part(name, shown, setters.get(name))


def _shown(fold: Fold) -> dict[str, str]:
    state = fold.state()
    return {
        "activity": either(state.activity, state.activity_maybe),
        **{
            name: either(each.status, each.maybe)
            for name, each in state.milestones.items()
        },
    }


def _fields(lifecycle: Lifecycle, history: History) -> Iterator[_Part]:
    """Give for each field the last sure fact that says it, and possible ones after."""
    found: dict[str, list[tuple[Recorded, Answer]]] = {}
    for record in in_force(history.records):
        answer = Answer.YES
        if history.as_of:
            answer = occurred(record, history.as_of)
        if answer is Answer.NO:
            continue
        for name in _names(lifecycle, record.event):
            earlier = [] if answer is Answer.YES else found.get(name, [])
            found[name] = [*earlier, (record, answer)]
    for name, told in found.items():
        field = name.rpartition(" ")[2]
        for record, answer in told:
            text = text_of(getattr(record.event, field))
            perhaps = "perhaps " if answer is Answer.MAYBE else ""
            yield _Part(name, f"{perhaps}{text}", record)


def _names(lifecycle: Lifecycle, event: Event) -> Iterator[str]:
    kind = lifecycle.name_of(type(event))
    of_one = getattr(event, "milestone", "")
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        if field.name in _EVERYWHERE or field.name == "milestone":
            continue
        if value not in ("", (), False):
            yield " ".join(filter(None, (kind, of_one, field.name)))


_EVERYWHERE: Final = {field.name for field in attrs.fields(Event)}


def _row(part: _Part, hanging_together: Mapping[int, frozenset[int]]) -> Row:
    record = part.record
    if record is None:  # Nobody said anything of it.
        return Row((Cell(part.name), Cell(part.value), *(Cell(None) for _ in _ABOUT)))
    why = {record.position, *(before.position for before in part.besides)}
    why = why.union(*(hanging_together.get(position, ()) for position in why))
    told = (
        part.value,
        record.position,
        record.kind.partition("/")[0],
        record.event.when,
        f"{record.recorded_at:%Y-%m-%d %H:%M}",
        who(record) or None,
        str(record.event.cites),
        _instead(record.event),
        record.id,
    )
    return Row((Cell(part.name), *(Cell(each, tuple(sorted(why))) for each in told)))


_ABOUT: Final = _COLUMNS[2:]


def _instead(event: Event) -> str | None:
    return f"{event.replaces}: {event.reason}" if event.replaces else None
