"""The records themselves, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

import attrs

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import Moment
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["records"]

_EVERYWHERE = {field.name for field in attrs.fields(Event)}


def records(moment: Moment, chosen: Iterable[Recorded]) -> Table:
    """List records: where, when recorded, what was said, by which source.

    Args:
        moment: What the list is a part of.
        chosen: The records, in the order to be shown; replaced ones included.
    """
    return Table(
        name="records",
        title="Records: what was said, as it was written down",
        columns=(
            Column("position", align="right"),
            Column("stream"),
            Column("version", align="right"),
            Column("recorded"),
            Column("kind"),
            Column("when"),
            Column("fact"),
            Column("source"),
            Column("id"),
        ),
        rows=tuple(map(_row, chosen)),
        context=moment.context,
    )


def _row(record: Recorded) -> Row:
    cells = (
        record.position,
        record.stream,
        record.version,
        f"{record.recorded_at:%Y-%m-%d %H:%M}",
        record.kind,
        record.event.when,
        "; ".join(_fields(record.event)),
        str(record.event.cites),
        record.id,
    )
    return Row(tuple(Cell(cell, (record.position,)) for cell in cells))


def _fields(event: Event) -> Iterator[str]:
    """Say what a fact adds to when and where: fields that say something."""
    for field in attrs.fields(type(event)):
        value: Any = getattr(event, field.name)
        if field.name not in _EVERYWHERE and value not in ("", ()):
            yield f"{field.name}: {_text(value)}"
    if event.replaces:
        yield f"replaces {event.replaces}: {event.reason}"


def _text(value: object) -> str:
    if _is_tuple(value):
        return ", ".join(map(_text, value))
    return str(getattr(value, "value", value))


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)
