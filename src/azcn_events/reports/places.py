"""Find a cell of a table again in another table of the same report.

Rows have no names of their own. One is known by the texts that it begins with and
that rest on no record, such as an agreement's stream or a milestone's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import frozen

from azcn_events.reports.render import shown
from azcn_events.reports.table import Cell, Row, Table

__all__ = ["Place", "cell_at", "cells", "key_of", "place_of"]


@frozen
class Place:
    """A row and a column, by what they are called.

    Attributes:
        key: The texts that the row begins with; all its texts if each rests on
            records, so that it is another row when one of them is another.
        number: Which of the rows with this key, from 0.
        column: The column's name.
    """

    key: tuple[str, ...]
    number: int
    column: str

    def __str__(self) -> str:
        more = f" ({self.number + 1})" if self.number else ""
        return f"{' / '.join(self.key)}{more}, {self.column}"


def key_of(row: Row) -> tuple[str, ...]:
    """Give the texts that a row begins with and that rest on no record."""
    texts = list[str]()
    for cell in row.cells:
        if cell.why or not isinstance(cell.value, str):
            break
        texts.append(cell.value)
    return tuple(texts)


def cells(table: Table) -> Iterator[tuple[Place, Cell]]:
    """Yield every cell with its place, row by row."""
    for key, number, row in _rows(table):
        for column, cell in zip(table.columns, row.cells, strict=True):
            yield Place(key, number, column.name), cell


def place_of(table: Table, *texts: str, column: str) -> Place:
    """Give the place of the cell that ``table.cell(*texts, column=column)`` gives.

    Raises:
        UnknownName: If there is no such row or column.
        InvalidValue: If several rows begin so.
    """
    table.cell(*texts, column=column)
    asked = table.row(*texts)
    return next(
        Place(key, number, column) for key, number, row in _rows(table) if row is asked
    )


def cell_at(table: Table, place: Place) -> Cell | None:
    """Give the cell at a place; None if the table has no such row."""
    for key, number, row in _rows(table):
        if (key, number) == (place.key, place.number):
            names = [column.name for column in table.columns]
            return row.cells[names.index(place.column)]
    return None


def _rows(table: Table) -> Iterator[tuple[tuple[str, ...], int, Row]]:
    seen = Counter[tuple[str, ...]]()
    for row in table.rows:
        key = key_of(row) or tuple(map(shown, row.cells))
        yield key, seen[key], row
        seen[key] += 1
