"""The records themselves, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

import attrs

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import Moment, standing
from azcn_events.core.values import Amount
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["records"]

_EVERYWHERE = {field.name for field in attrs.fields(Event)}


def records(moment: Moment, chosen: Iterable[Recorded]) -> Table:
    """List records: where, when recorded, what was said, by which source.

    Args:
        moment: What the list is a part of.
        chosen: The records, in the order to be shown; replaced ones are marked.
    """
    known = tuple(chosen)
    replaced = {record.id for record in known} - _standing_ids(known)
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
        rows=tuple(_row(record, record.id in replaced) for record in known),
        context=moment.context,
    )


def _standing_ids(records: Iterable[Recorded]) -> set[str]:
    by_stream: dict[str, list[Recorded]] = {}
    for record in records:
        by_stream.setdefault(record.stream, []).append(record)
    return {r.id for stream in by_stream.values() for r in standing(stream)}


def _row(record: Recorded, replaced: bool) -> Row:  # noqa: FBT001 - a fact about it
    cells = (
        record.position,
        record.stream,
        record.version,
        f"{record.recorded_at:%Y-%m-%d %H:%M}",
        record.kind,
        record.event.when,
        "; ".join(
            [*(["no longer in force"] if replaced else []), *_fields(record.event)]
        ),
        str(record.event.cites),
        record.id,
    )
    return Row(tuple(Cell(cell, (record.position,)) for cell in cells))


def _fields(event: Event) -> Iterator[str]:
    """Say what a fact adds to when and where: fields that say something."""
    if event.replaces:
        yield f"replaces {event.replaces}"
    for field in attrs.fields(type(event)):
        value: Any = getattr(event, field.name)
        if field.name not in _EVERYWHERE and value not in ("", (), False):
            yield f"{field.name}: {_text(value)}"
    if event.reason:
        yield f"reason: {event.reason}"


def _text(value: object) -> str:
    if _is_tuple(value):
        return ", ".join(map(_text, value))
    if isinstance(value, Amount) and value.words:
        return f"{value} “{value.words}”"
    return str(getattr(value, "value", value))


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)
