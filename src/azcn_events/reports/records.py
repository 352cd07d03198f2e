"""The records themselves, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, TypeGuard, cast

import attrs
from attrs import frozen

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import Moment, standing
from azcn_events.core.values import Amount
from azcn_events.investment.events import Claim
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = ["Choice", "fields_said", "records", "text_of", "who"]

_EVERYWHERE = {field.name for field in attrs.fields(Event)}


def records(moment: Moment, chosen: Iterable[Recorded]) -> Table:
    """List records: where, when recorded, what was said, by which source.

    Args:
        moment: What the list is a part of.
        chosen: The records, in the order to be shown; replaced ones are marked.
    """
    known = tuple(chosen)
    # What replaces a record may not have been chosen itself.
    streams = {record.stream for record in known}
    whole = (record for record in moment.read() if record.stream in streams)
    replaced = {record.id for record in known} - _standing_ids((*known, *whole))
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
    by_stream: dict[str, dict[int, Recorded]] = {}
    for record in records:
        by_stream.setdefault(record.stream, {})[record.version] = record
    streams = ([each[v] for v in sorted(each)] for each in by_stream.values())
    return {r.id for stream in streams for r in standing(stream)}


def _row(record: Recorded, replaced: bool) -> Row:  # noqa: FBT001 - a fact about it
    cells = (
        record.position,
        record.stream,
        record.version,
        f"{record.recorded_at:%Y-%m-%d %H:%M}",
        record.kind,
        record.event.when,
        "; ".join(
            [*(["no longer in force"] if replaced else []), *fields_said(record.event)]
        ),
        str(record.event.cites),
        record.id,
    )
    return Row(tuple(Cell(cell, (record.position,)) for cell in cells))


def fields_said(event: Event) -> Iterator[str]:
    """Say what a fact adds to when and where: fields that say something."""
    if event.replaces:
        yield f"replaces {event.replaces}"
    for field in attrs.fields(type(event)):
        value: Any = getattr(event, field.name)
        if field.name not in _EVERYWHERE and value not in ("", (), False):
            yield f"{field.name}: {text_of(value)}"
    if event.reason:
        yield f"reason: {event.reason}"


def text_of(value: object) -> str:
    """Give a field's value as text, with the source's own words if it has them."""
    if _is_tuple(value):
        return ", ".join(map(text_of, value))
    if isinstance(value, Amount) and value.words:
        return f"{value} “{value.words}”"
    if isinstance(value, Claim):
        return f"{value.says} ({value.cites})"
    return str(getattr(value, "value", value))


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def who(record: Recorded) -> str:
    """Give who recorded it, by the recording's own metadata; empty if nobody says."""
    try:
        about = cast("object", json.loads(record.metadata))
    except (ValueError, RecursionError):
        return ""
    by: object = cast("dict[str, object]", about).get("by") if _is_dict(about) else None
    return "" if by is None else str(by)


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return isinstance(value, dict)


@frozen
class Choice:
    """Which records to list; what is left empty leaves out nothing.

    Attributes:
        kinds: Stored names, such as ``"land-allocated"``.
        source: The stream of the source that is cited.
        recorded_since: The first recorded time that counts, microseconds since
            1970 UTC.
        recorded_until: The last that counts, likewise.
        when_since: What was surely so before this day is left out.
        when_until: What was surely so after this day is left out.
    """

    kinds: tuple[str, ...] = ()
    source: str = ""
    recorded_since: int | None = None
    recorded_until: int | None = None
    when_since: date | None = None
    when_until: date | None = None

    def takes(self, record: Recorded) -> bool:
        """Say whether a record is one of those asked for."""
        when, at = record.event.when, record.recorded_us
        return not (
            (self.kinds and record.kind.partition("/")[0] not in self.kinds)
            or (self.source and record.event.cites.source != self.source)
            or (self.recorded_since is not None and at < self.recorded_since)
            or (self.recorded_until is not None and at > self.recorded_until)
            or (self.when_since and when.latest and when.latest < self.when_since)
            or (self.when_until and when.earliest and when.earliest > self.when_until)
        )
