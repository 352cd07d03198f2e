"""Explain a figure: the records that make it, what they cite, and the sources.

Whether these records are enough is not taken for granted: the report is made again of
them alone, and the answer says whether the same figure came out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias, TypeGuard

import attrs
from attrs import frozen

from azcn_events.core.events import ERASURES, Erased, Event, Recorded, Retracted
from azcn_events.core.history import Moment, in_force, standing
from azcn_events.core.values import Amount, Citation, Qualifier, sealed_in
from azcn_events.investment.basis import threads
from azcn_events.investment.events import ConflictNoted, Party, ValueReported
from azcn_events.reports.past import only
from azcn_events.reports.places import Place, cell_at, cells, place_of
from azcn_events.reports.records import fields_said, text_of, who
from azcn_events.reports.table import Cell, CellValue, Column, Row, Table

__all__ = ["TRIED_MAX", "Explanation", "Origin", "explain"]

Report: TypeAlias = Callable[[Moment], Table]
"""A report whose own parameters are given already."""


@frozen
class Origin:
    """A source, and what is recorded of it.

    Attributes:
        source: Its stream.
        facts: What is recorded of it, in words: ``("url", "https://…")``; empty if
            nothing is.
        positions: Positions of the records that say so.
    """

    source: str
    facts: tuple[tuple[str, str], ...]
    positions: tuple[int, ...]


@frozen
class Explanation:
    """One figure, and everything it rests on. It prints; see :attr:`tables`.

    Attributes:
        moment: The moment for which the figure holds.
        title: The report's heading.
        report: The report's name.
        place: The row and the column.
        cell: The figure; its ``why`` are the positions that the report names.
        records: These records, and those that replaced them or that they replaced,
            in position order.
        origins: Each source that they cite, in the order in which they do.
        notes: What is ambiguous in them, and the report's own footnotes.
        is_enough: Whether the report, made of these records alone, gives the figure
            again; None if the figure names no record.
        without: What the figure would be without one of these records, by its
            position; None: there would be no such row. Empty if there are more than
            ``TRIED_MAX`` of them, for each is a report to be made.
        context: What every figure of the report depends on.
    """

    moment: Moment
    title: str
    report: str
    place: Place
    cell: Cell
    records: tuple[Recorded, ...]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...]
    is_enough: bool | None
    without: Mapping[int, Cell | None]
    context: tuple[tuple[str, str], ...]

    @property
    def decisive(self) -> tuple[Recorded, ...]:
        """The records without any one of which the figure would be another."""
        return tuple(
            record
            for record in self.records
            if record.position in self.without
            and not _is_same(self.without[record.position], self.cell)
        )

    @property
    def tables(self) -> tuple[Table, Table, Table]:
        """The figure, the records, the sources: each a table."""
        return self._figure(), self._records(), self._sources()

    def text(self, width: int | None = None) -> str:
        """Lay it out for a terminal or a mail, as ``Table.text`` does.

        Raises:
            InvalidValue: If ``width`` is less than 1.
        """
        return "\n\n".join(table.text(width) for table in self.tables)

    def json(self) -> str:
        """Write JSON: an object of three tables, as ``Table.json`` writes them."""
        names = ("figure", "records", "sources")
        members = (
            f'"{name}": {table.json()}'
            for name, table in zip(names, self.tables, strict=True)
        )
        return "{" + ",\n".join(members) + "}"

    def __str__(self) -> str:
        return self.text()

    def _figure(self) -> Table:
        count = Cell(len(self.records), self.cell.why)
        same = None if self.is_enough is None else _SAME[self.is_enough]
        row = " / ".join(self.place.key)
        told = (Cell(self.report), Cell(row), Cell(self.place.column))
        return Table(
            name="figure",
            title=f"Why? {self.title}",
            columns=(
                Column("report"),
                Column("row"),
                Column("column"),
                Column("value", align="right"),
                Column("records", align="right"),
                Column("enough", "made again of these records alone"),
            ),
            rows=(Row((*told, self.cell, count, Cell(same))),),
            context=self.context,
            notes=self.notes,
        )

    def _records(self) -> Table:
        return Table(
            name="why",
            title="The records that it rests on",
            columns=_OF_A_RECORD,
            rows=tuple(_rows_of(self)),
            context=self.moment.context,
        )

    def _sources(self) -> Table:
        rows = [
            Row(tuple(Cell(text, origin.positions) for text in (origin.source, *fact)))
            for origin in self.origins
            for fact in origin.facts or ((_NOTHING, ""),)
        ]
        return Table(
            name="sources",
            title="The sources that they cite",
            columns=(Column("source"), Column("what"), Column("says", "what it says")),
            rows=tuple(rows),
            context=self.moment.context,
        )


_NOTHING: Final = "nothing is recorded of this source"
_SAME: Final = {True: "the same", False: "NOT THE SAME: its report names too few"}


def explain(moment: Moment, report: Report, *row: str, column: str) -> Explanation:
    """Explain one cell of a report.

    Args:
        moment: The log at a moment.
        report: A report with its parameters, such as
            ``partial(pipeline, policy="committed")``.
        *row: What the row begins with, as in ``Table.row``.
        column: The column's name.

    Raises:
        UnknownName: If there is no such row or column.
        InvalidValue: If several rows begin so.
    """
    table = report(moment)
    cell = table.cell(*row, column=column)
    place = place_of(table, *row, column=column)
    whole = tuple(moment.read())
    moment = attrs.evolve(moment, read=lambda: whole)  # Read once, and kept.
    hanging_together = threads(whole)
    named = frozenset(cell.why).union(
        *(hanging_together.get(position, ()) for position in cell.why)
    )
    records = tuple(
        sorted((r for r in whole if r.position in named), key=lambda r: r.position)
    )
    return Explanation(
        moment=moment,
        title=table.title,
        report=table.name,
        place=place,
        cell=cell,
        records=records,
        origins=tuple(_origins(whole, records)),
        notes=(*_doubts(whole, records), *table.notes),
        is_enough=_is_enough(moment, report, place, cell, named),
        without=_without(moment, report, place, named),
        context=table.context,
    )


TRIED_MAX: Final = 100
"""Up to so many records, each is left out once, to see what it does to the figure."""


def _without(
    moment: Moment, report: Report, place: Place, named: frozenset[int]
) -> dict[int, Cell | None]:
    if len(named) > TRIED_MAX:
        return {}
    return {
        position: cell_at(report(only(moment, named - {position})), place)
        for position in sorted(named)
    }


def _is_same(found: Cell | None, cell: Cell) -> bool:
    return found is not None and found.value == cell.value


def _is_enough(
    moment: Moment, report: Report, place: Place, cell: Cell, named: frozenset[int]
) -> bool | None:
    """Make the report of the named records alone, and look for the figure in it."""
    if not named:
        return None
    again = report(only(moment, named))
    return any(
        found.value == cell.value
        for where, found in cells(again)
        if (where.key, where.column) == (place.key, place.column)
    )


# The records


_OF_A_RECORD: Final = (
    Column("position", align="right"),
    Column("stream"),
    Column("fact"),
    Column("when"),
    Column("says", "what it says"),
    Column("standing"),
    Column("without", "the figure without it", align="right"),
    Column("source"),
    Column("at"),
    Column("speaker"),
    Column("digest"),
    Column("recorded"),
    Column("by"),
    Column("id"),
)


def _rows_of(told: Explanation) -> Iterator[Row]:
    streams: dict[str, list[Recorded]] = {record.stream: [] for record in told.records}
    for record in told.moment.read():
        if record.stream in streams:
            streams[record.stream].append(record)
    stands = {
        (stream, record.id)
        for stream, known in streams.items()
        for record in standing(known)
    }
    for record in told.records:
        cites = record.event.cites
        shown = (
            record.position,
            record.stream,
            record.kind.partition("/")[0],
            record.event.when,
            "; ".join(_says(record.event)),
            _standing(record, streams[record.stream], stands),
            _otherwise(told, record.position),
            cites.source,
            cites.at or None,
            str(cites.speaker) or None,
            cites.digest or None,
            f"{record.recorded_at:%Y-%m-%d %H:%M}",
            who(record) or None,
            record.id,
        )
        yield Row(tuple(Cell(each, (record.position,)) for each in shown))


def _otherwise(told: Explanation, position: int) -> CellValue:
    if position not in told.without:
        return "not tried"
    found = told.without[position]
    if _is_same(found, told.cell):
        return "the same"
    return "no such row" if found is None else found.value


def _says(event: Event) -> Iterator[str]:
    for text in fields_said(event):
        if not text.startswith(("replaces ", "reason: ")):
            yield text


def _standing(
    record: Recorded, stream: Iterable[Recorded], stands: set[tuple[str, str]]
) -> str:
    """Say whether a record is in force, and what replaced it or what it replaces."""
    words = ["in force" if (record.stream, record.id) in stands else "not in force"]
    if record.event.replaces:
        verb = "takes back" if isinstance(record.event, Retracted) else "replaces"
        words.append(f"{verb} {record.event.replaces}: {record.event.reason}")
    words += [
        f"{_verb(later.event)} by {later.id}, position {later.position}:"
        f" {later.event.reason}"
        for later in stream
        if later.event.replaces == record.id
    ]
    return "; ".join(words)


def _verb(event: Event) -> str:
    return "taken back" if isinstance(event, Retracted) else "replaced"


# The sources


def _origins(
    whole: Iterable[Recorded], records: Iterable[Recorded]
) -> Iterator[Origin]:
    cited = dict.fromkeys(
        citation.source for record in records for citation in _citations(record.event)
    )
    told: dict[str, list[Recorded]] = {source: [] for source in cited}
    for record in whole:
        if record.stream in told:
            told[record.stream].append(record)
    for source, known in told.items():
        facts = in_force(known)
        said: dict[str, str] = {}
        for record in facts:
            said["when"] = str(record.event.when)
            for field in attrs.fields(type(record.event)):
                value = getattr(record.event, field.name)
                if field.name not in _EVERYWHERE and value not in ("", (), False):
                    said[field.name] = text_of(value)
        positions = tuple(record.position for record in facts)
        yield Origin(source, tuple(said.items()), positions)


def _citations(event: Event) -> Iterator[Citation]:
    yield event.cites
    if isinstance(event, ConflictNoted):
        yield from (claim.cites for claim in event.claims)


_EVERYWHERE: Final = {field.name for field in attrs.fields(Event)}


# What is ambiguous


def _doubts(whole: Iterable[Recorded], records: Iterable[Recorded]) -> Iterator[str]:
    """Yield what the records that are in force leave open, in words."""
    named = tuple(records)
    streams = {record.stream for record in named}
    facts = dict[str, list[Recorded]]()
    erasures = list[Recorded]()
    for record in whole:
        if record.stream in streams:
            facts.setdefault(record.stream, []).append(record)
        if record.stream == ERASURES:
            erasures.append(record)
    stands = {id(record) for known in facts.values() for record in in_force(known)}
    for record in named:
        if id(record) in stands:
            for doubt in (*_left_open(record.event), *_erased(record, erasures)):
                yield f"Position {record.position}, {record.id}: {doubt}."


def _left_open(event: Event) -> Iterator[str]:
    if isinstance(event, ValueReported) and len(event.covers) > 1:
        groups = ", or of ".join(event.covers)
        yield f"it may be the value of {groups}: the source leaves it open"
    if isinstance(event, ConflictNoted):
        yield f"sources differ about {event.about}"
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        if isinstance(value, Amount) and not value.is_exact:
            yield f"{field.name} is known by bounds, or roughly: {text_of(value)}"
        for party in value if _is_tuple(value) else ():
            if isinstance(party, Party) and len(party.names) > 1:
                yield f"the sources differ on a party: {party}"
    if event.when.qualifier is not Qualifier.EXACT:
        yield f"its date is {event.when.qualifier.value}: {event.when}"


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _erased(record: Recorded, erasures: Iterable[Recorded]) -> Iterator[str]:
    gone = {sealed.commitment for sealed in sealed_in(record.event) if sealed.is_erased}
    for erasure in erasures:
        event = erasure.event
        if isinstance(event, Erased) and gone & set(event.commitments):
            yield (
                f"a value in it was erased by order of {event.ordered_by}"
                f" ({event.ground}), position {erasure.position}"
            )
