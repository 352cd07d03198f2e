"""The table that every report returns: figures, and what they depend on.

A table is a value. It prints (``str(table)``), shows itself in a notebook, and
becomes text, HTML, CSV or JSON; each of them says as of when, and known by when,
its figures hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, Literal, Protocol, TypeAlias, cast, runtime_checkable

from attrs import frozen

from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.reports import render

__all__ = ["Cell", "CellValue", "Column", "Row", "Shown", "Table"]


@frozen
class Table:
    """The answer of a report.

    Attributes:
        name: The report's name, such as ``"pipeline"``.
        title: Its heading.
        columns: At least one, their names unlike each other.
        rows: In the order in which they are read; may be empty.
        context: What every figure depends on, as pairs in print order, such as
            ``("as of", "2025-04-25")``; their names unlike each other, and none
            ``notes`` or ``total-row``, which CSV has besides.
        notes: Footnotes, a sentence or more each.

    Raises:
        InvalidValue: If there is no column, a name repeats, or a row has more or
            fewer cells than there are columns.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    context: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        wide = len(self.columns)
        if not wide:
            raise InvalidValue(self.name, "a table without columns", "at least one")
        _unlike(self.name, "column", (column.name for column in self.columns))
        context = (name for name, _ in self.context)
        _unlike(self.name, "context", (*context, "notes", "total-row"))
        for number, row in enumerate(self.rows, start=1):
            if len(row.cells) != wide:
                problem = f"row {number} has {len(row.cells)} cells"
                raise InvalidValue(self.name, problem, f"{wide}, one for each column")

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> tuple[Cell, ...]:
        """Give the cells of a column, one for each row, totals included.

        Raises:
            UnknownName: If there is no such column.
        """
        place = self._place(name)
        return tuple(row.cells[place] for row in self.rows)

    def row(self, *texts: str) -> Row:
        """Give the one row whose first cells read *texts*.

        ``table.row("cardboard")``; ``table.row("land-allocated", "USD")`` where
        several rows begin alike.

        Raises:
            UnknownName: If no row begins so.
            InvalidValue: If several do.
        """
        asked = tuple(map(render.visible, texts))
        firsts = [
            tuple(map(render.shown, row.cells[: len(asked)])) for row in self.rows
        ]
        places = [place for place, first in enumerate(firsts) if first == asked]
        if len(places) == 1:
            return self.rows[places[0]]
        wanted = ", ".join(asked)
        if places:
            accepted = "the text of the next cells as well, to tell them apart"
            raise InvalidValue(wanted, f"{len(places)} rows begin so", accepted)
        raise UnknownName("row", wanted, tuple(dict.fromkeys(map(", ".join, firsts))))

    def cell(self, *texts: str, column: str) -> Cell:
        """Give the cell of *column* in the row that ``row(*texts)`` gives.

        Raises:
            UnknownName: If there is no such row or column.
            InvalidValue: If several rows begin so.
        """
        return self.row(*texts).cells[self._place(column)]

    def records(self, *, totals: bool = True) -> list[dict[str, object]]:
        """Give each row as plain values by column name, ready for JSON.

        Args:
            totals: Whether rows that are totals are among them. Leave them out
                before adding up a column.
        """
        names = [column.name for column in self.columns]
        return [
            dict(zip(names, map(render.plain, row.cells), strict=True))
            for row in self.rows
            if totals or not row.total
        ]

    def text(self, width: int | None = None) -> str:
        """Lay the table out for a terminal or a mail; see :func:`render.text`.

        Args:
            width: Columns of characters to fit into, >= 1; 100 if left out.

        Raises:
            InvalidValue: If ``width`` is less than 1.
        """
        return render.text(self, 100 if width is None else width)

    def html(self) -> str:
        """Write an HTML fragment; see :func:`render.html`."""
        return render.html(self)

    def csv(self) -> str:
        """Write CSV; see :func:`render.csv`."""
        return render.csv(self)

    def json(self) -> str:
        """Write JSON; see :func:`render.json`."""
        return render.json(self)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _place(self, name: str) -> int:
        names = tuple(column.name for column in self.columns)
        if name not in names:
            raise UnknownName("column", name, names)
        return names.index(name)


@frozen
class Column:
    """What the cells below each other have in common.

    Attributes:
        name: What programs call it: lower-case words and numbers, each joined to
            the next by a hyphen or a space.
        title: What readers see; the name if empty.
        align: The side to which its text is set; ``"right"`` for figures.

    Raises:
        InvalidValue: If ``name`` is anything else.
    """

    name: str
    title: str = ""
    align: Literal["left", "right"] = "left"

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            accepted = "lower-case words joined by hyphens or spaces, such as 'as-of'"
            raise InvalidValue(self.name, "this is no column's name", accepted)

    @property
    def heading(self) -> str:
        """What stands above the column."""
        return self.title or self.name


_NAME: Final = re.compile(r"[a-z0-9]+(?:[- ][a-z0-9]+)*")


@frozen
class Row:
    """Cells beside each other, one for each column.

    Attributes:
        cells: In the order of the columns.
        total: Whether the row sums up others; it is set apart from them.
    """

    cells: tuple[Cell, ...]
    total: bool = False


@frozen
class Cell:
    """One figure or text, and the records that make it.

    Attributes:
        value: What is shown. None where nothing applies: it prints as a dash.
        why: Positions in the log of the records that make the figure; not printed,
            but part of the JSON.

    Raises:
        InvalidValue: If the value is of any other kind, such as a float, or is a
            Decimal that is no finite number.
    """

    value: CellValue
    why: tuple[int, ...] = ()

    def __attrs_post_init__(self) -> None:
        value = cast("object", self.value)  # whatever a program gave
        if isinstance(value, Decimal) and not value.is_finite():
            raise InvalidValue(str(value), "this is no finite number", "a finite one")
        if value is None or isinstance(value, str | int | Decimal | Shown):
            return
        kind = type(value).__name__
        accepted = "text, int, Decimal, bool, None, or a value that has plain()"
        raise InvalidValue(str(value), f"a {kind} cannot be a cell", accepted)


@runtime_checkable
class Shown(Protocol):
    """A value that a cell can hold: ``str()`` is its text, ``plain()`` its data."""

    def plain(self) -> object:
        """Give it as dicts, lists, text, ints, bools and None; Decimals as text."""
        ...


CellValue: TypeAlias = str | int | Decimal | Shown | None
"""What a cell can hold; bool is an int and reads "yes" or "no"."""


def _unlike(table: str, what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            problem = f"{times} {what} names are {name!r}"
            raise InvalidValue(table, problem, "names unlike each other")
