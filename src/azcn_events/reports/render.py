r"""A table as text, HTML, CSV and JSON.

Whatever a cell holds, text and HTML show it and are not changed by it: characters
that act on a terminal, reorder a line or cannot be seen are written as escapes
such as ``\u202e``. CSV does the same and leaves tabs and line breaks, which belong
to the data. JSON holds every value exactly. The same table gives the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from csv import QUOTE_ALL, writer
from decimal import Decimal
from html import escape
from io import StringIO
from itertools import pairwise
from json import dumps
from math import ceil
from typing import TYPE_CHECKING, Final

from azcn_events.core.values import Range
from azcn_events.errors import InvalidValue

if TYPE_CHECKING:
    from azcn_events.reports.table import Cell, CellValue, Column, Row, Table

__all__ = ["csv", "html", "json", "plain", "shown", "text", "visible"]


# --- Text ---------------------------------------------------------------------


def text(table: Table, width: int) -> str:
    """Lay a table out in columns or, where they do not fit, in blocks of lines.

    Lines break at spaces and between Chinese, Japanese or Korean letters, never
    inside a word or a figure. No line is wider than *width* but one that holds a
    single longer word. Wide characters count as two, combining marks as none.

    Args:
        table: What to show.
        width: Columns of characters to fit into, >= 1.

    Returns:
        Lines joined by newlines, without one at the end.

    Raises:
        InvalidValue: If ``width`` is less than 1.
    """
    if width < 1:
        raise InvalidValue(str(width), "nothing fits into this width", "1 or more")
    headings = [visible(column.heading) for column in table.columns]
    grid = [[shown(cell) for cell in row.cells] for row in table.rows]
    widths = _widths(headings, grid, width) if grid else []
    context = "; ".join(f"{name}: {value}" for name, value in table.context)
    above = [
        line
        for paragraph in (table.title, context)
        for line in _wrap(visible(paragraph), width)
        if line
    ]
    if not grid:
        body = _wrap(f"no rows; columns: {', '.join(headings)}", width)
    elif widths:
        body = _columns(table, headings, grid, widths)
    else:
        body = _blocks(table, headings, grid, width)
    notes = [line for note in table.notes for line in _wrap(visible(note), width)]
    parts = ["\n".join(part) for part in (above, body, notes) if part]
    return "\n\n".join(parts)


_UNWRAPPED: Final = (24, 18, 12)
"""Cells up to this width stay on one line; the next if that does not fit."""

_LINES_MAX: Final = 16
"""About as many lines of a cell can still be read as one row."""

_GAP: Final = "  "


def _widths(headings: list[str], grid: list[list[str]], width: int) -> list[int]:
    """Choose widths so that rows stay low; none if columns do not fit decently."""
    room = width - len(_GAP) * (len(headings) - 1)
    columns = list(zip(headings, *grid, strict=True))
    natural = [max(map(_width, texts)) for texts in columns]
    for unwrapped in _UNWRAPPED:
        least = [
            max(
                min(max(map(_width, cells)), unwrapped), *map(_longest, (title, *cells))
            )
            for title, *cells in columns
        ]
        for lines in range(1, _LINES_MAX + 1):
            widths = [
                max(need, ceil(wanted / lines))
                for need, wanted in zip(least, natural, strict=True)
            ]
            if sum(widths) <= room:
                return widths
    return []


def _columns(
    table: Table, headings: list[str], grid: list[list[str]], widths: list[int]
) -> list[str]:
    """Lay rows out in columns: wide."""
    rule = _GAP.join("-" * width for width in widths)
    blocks = [list(_line_up(table.columns, texts, widths)) for texts in grid]
    apart = [""] if any(len(block) > 1 for block in blocks) else []
    lines = [*_line_up(table.columns, headings, widths), rule, *blocks[0]]
    for (before, row), block in zip(pairwise(table.rows), blocks[1:], strict=True):
        lines += [rule] if before.total != row.total else apart
        lines += block
    return lines


def _line_up(
    columns: Sequence[Column], texts: list[str], widths: list[int]
) -> Iterator[str]:
    """Yield the lines of one row; short cells stand at its top."""
    cells = [_wrap(text, width) for text, width in zip(texts, widths, strict=True)]
    for number in range(max(map(len, cells))):
        line = [
            _pad(cell[number] if number < len(cell) else "", width, column.align)
            for column, cell, width in zip(columns, cells, widths, strict=True)
        ]
        yield _GAP.join(line).rstrip(" ")


def _blocks(
    table: Table, headings: list[str], grid: list[list[str]], width: int
) -> list[str]:
    """Lay each row out as lines of "title: value", a blank line between: narrow."""
    lines = list[str]()
    previous = False
    for row, texts in zip(table.rows, grid, strict=True):
        if row.total != previous:
            lines += ["-" * min(width, 20)]
        elif lines:
            lines += [""]
        previous = row.total
        for heading, text in zip(headings, texts, strict=True):
            lines += _wrap(f"{heading}: {text}".rstrip(" "), width, indent="  ")
    return lines


def _pad(text: str, width: int, align: str) -> str:
    space = " " * (width - _width(text))
    return space + text if align == "right" else text + space


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break text into lines of at most *width*, or of one longer word."""
    if _width(text) <= width:
        return [text]
    lines = list[str]()
    line = ""
    for gap, word in _words(text):
        longer = f"{line}{gap}{word}" if line else word
        if line and _width(longer) > width:
            lines.append(line)
            line = f"{indent}{word}"
        else:
            line = longer
    return [*lines, line]


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield what must stay together, and the spaces before it."""
    for match in _WORD.finditer(text):
        gap, word = match[1], match[2]
        if not word.isascii():
            start = 0
            for place in range(1, len(word)):
                if _breaks(word[place - 1], word[place]):
                    yield gap, word[start:place]
                    gap, start = "", place
            word = word[start:]
        yield gap, word


_WORD: Final = re.compile(r"( *)([^ ]+)")


def _breaks(before: str, after: str) -> bool:
    """Say whether a line may end between two characters that no space parts.

    It may beside a Chinese, Japanese or Korean letter, but not before what closes
    and not after what opens (a small part of UAX 14).
    """
    if not (_is_wide_letter(before) or _is_wide_letter(after)):
        return False
    closes = unicodedata.category(after) in {"Mn", "Me", "Mc", "Pe", "Pf", "Po", "Lm"}
    return not closes and unicodedata.category(before) not in {"Ps", "Pi"}


def _is_wide_letter(character: str) -> bool:
    wide = unicodedata.east_asian_width(character) == "W"
    return wide and unicodedata.category(character) == "Lo"


def _longest(text: str) -> int:
    return max((_width(word) for _, word in _words(text)), default=0)


def _width(text: str) -> int:
    """Count the columns that a terminal gives to text that is all visible."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in {"Mn", "Me"}
        else 2
        if unicodedata.east_asian_width(character) in {"W", "F"}
        else 1
        for character in text
    )


# --- HTML ---------------------------------------------------------------------


def html(table: Table) -> str:
    """Write a table as an HTML fragment that is well-formed XML as well.

    It has no style, script, handler or link. A page can style the classes
    ``azcn-table``, ``azcn-right`` (figures) and ``azcn-total`` (rows).
    """
    context = "; ".join(f"{_bdi(name)}: {_bdi(value)}" for name, value in table.context)
    none = f'<tr><td colspan="{len(table.columns)}">no rows</td></tr>'
    return "\n".join(
        [
            '<div class="azcn-table">',
            "<table>",
            f"<caption><div>{_bdi(table.title)}</div>",
            f"<small>{context}</small>",
            "</caption>",
            "<thead>",
            f"<tr>{''.join(map(_html_heading, table.columns))}</tr>",
            "</thead>",
            "<tbody>",
            *([_html_row(table.columns, row) for row in table.rows] or [none]),
            "</tbody>",
            "</table>",
            *_html_notes(table.notes),
            "</div>",
        ]
    )


def _html_heading(column: Column) -> str:
    return f'<th scope="col"{_html_align(column)}>{_bdi(column.heading)}</th>'


def _html_row(columns: Sequence[Column], row: Row) -> str:
    aligns = map(_html_align, columns)
    texts = (_bdi(_text_of(cell.value)) for cell in row.cells)
    (align, head), *rest = zip(aligns, texts, strict=True)
    cells = [f'<th scope="row"{align}>{head}</th>']
    for align, shown in rest:
        strong = f"<strong>{shown}</strong>" if row.total else shown
        cells.append(f"<td{align}>{strong}</td>")
    total = ' class="azcn-total"' if row.total else ""
    return f"<tr{total}>{''.join(cells)}</tr>"


def _html_align(column: Column) -> str:
    return ' class="azcn-right"' if column.align == "right" else ""


def _html_notes(notes: Sequence[str]) -> list[str]:
    if not notes:
        return []
    return ["<ul>", *(f"<li>{_bdi(note)}</li>" for note in notes), "</ul>"]


def _bdi(text: str) -> str:
    return f"<bdi>{escape(visible(text))}</bdi>"


# --- CSV ----------------------------------------------------------------------


def csv(table: Table) -> str:
    """Write a table as CSV (RFC 4180): a header, then one record for each row.

    The table's own columns come first. Then, alike on every record: a column for
    each piece of the context, under its name, and ``notes``. The last,
    ``total-row``, is "yes" on rows that sum up others. A name that a column of the
    table has already is put after ``table:``. Of a table without rows only the
    header is left.

    What a spreadsheet could run gets an apostrophe in front, whatever is not a
    plain number and starts with ``= + - @``, a tab, a line break or a full-width
    form of these: ``-5`` stays, ``-5 to 3`` does not. Every field is quoted, so
    that a program that splits at semicolons does not find other fields. A count
    that is known exactly is digits only; None is an empty field.

    Write it with ``newline=""``, and as ``utf-8-sig`` if Excel shall read it.
    """
    names = [column.name for column in table.columns]
    extras = [*table.context, ("notes", "\n".join(table.notes))]
    more = [*(name for name, _ in extras), "total-row"]
    header = [*names, *(f"table: {name}" if name in names else name for name in more)]
    same = [value for _, value in extras]
    file = StringIO(newline="")
    out = writer(file, quoting=QUOTE_ALL, lineterminator="\r\n")
    out.writerow(map(_inert, header))
    for row in table.rows:
        texts = [*map(_csv_text, row.cells), *same, "yes" if row.total else "no"]
        out.writerow(map(_inert, texts))
    return file.getvalue()


def _csv_text(cell: Cell) -> str:
    match cell.value:
        case None:
            return ""
        case Range(low=int(low), high=int(high)) if low == high:
            return str(low)
        case Decimal() as number:
            return f"{number:f}"
        case int() as number if not isinstance(number, bool):
            return str(number)
        case value:
            return _text_of(value)


def _inert(text: str) -> str:
    """Make sure that a spreadsheet takes a field for text, or for a number."""
    shown = visible(text, keep="\t\n\r")
    runs = _RUNS.match(shown) and not _PLAIN_NUMBER.fullmatch(shown)
    return f"'{shown}" if runs else shown


# The second row: full-width, small, raised and lowered forms, and the minus sign.
_RUNS: Final = re.compile(
    r"[\t\n\r]|\s*[=+\-@"
    r"\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u207a-\u207c\u208a-\u208c\ufb29\u2212]"
)
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


# --- JSON ---------------------------------------------------------------------


def json(table: Table) -> str:
    """Write a table as JSON: one line for each column, row and entry of "why".

    ``rows`` are objects by column name, their values as in :func:`plain`.
    ``totals`` are the places in ``rows``, from 0, of those that sum up others.
    ``why`` are objects like ``rows``: positions of records, where there are any.

    Text is readable UTF-8, but for characters that cannot be seen or that act on a
    terminal; they are escaped as JSON escapes them, so nothing is lost.
    """
    names = [column.name for column in table.columns]
    columns = [
        {"name": column.name, "title": column.heading, "align": column.align}
        for column in table.columns
    ]
    why = [
        {
            name: cell.why
            for name, cell in zip(names, row.cells, strict=True)
            if cell.why
        }
        for row in table.rows
    ]
    totals = [place for place, row in enumerate(table.rows) if row.total]
    parts = [
        ("name", _json(table.name)),
        ("title", _json(table.title)),
        ("context", _json(dict(table.context))),
        ("columns", _json_lines(columns)),
        ("rows", _json_lines(table.records())),
        ("totals", _json(totals)),
        ("why", _json_lines(why)),
        ("notes", _json_lines(table.notes)),
    ]
    members = ",\n".join(f'  "{name}": {value}' for name, value in parts)
    return f"{{\n{members}\n}}"


def plain(cell: Cell) -> object:
    """Give a cell's value as JSON can hold it: a Decimal is text, never a float."""
    value = cell.value
    if value is None or isinstance(value, str | int):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else value.plain()


def _json_lines(values: Iterable[object]) -> str:
    lines = ",\n".join(f"    {_json(value)}" for value in values)
    return f"[\n{lines}\n  ]" if lines else "[]"


def _json(value: object) -> str:
    found = dumps(value, ensure_ascii=False, allow_nan=False)
    return _HIDDEN.sub(lambda match: dumps(match[0])[1:-1], found)


# --- What is shown ------------------------------------------------------------


def _text_of(value: CellValue) -> str:
    """Give the text of a cell's value, as it is: it may hold any character."""
    match value:
        case None:
            return "–"  # noqa: RUF001 - a dash, for "nothing applies"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Decimal():
            return f"{value:,f}"
        case _:
            return str(value)


def shown(cell: Cell) -> str:
    """Give a cell's text as readers see it; see :func:`visible`."""
    return visible(_text_of(cell.value))


def visible(text: str, *, keep: str = "") -> str:
    r"""Write escapes for characters that act on a terminal or cannot be seen.

    They are control characters, bidi controls, line and paragraph separators,
    everything that Unicode lets a program ignore (zero-width spaces and joiners,
    variation selectors, tags), lone surrogates, and what XML cannot hold.

    Args:
        text: Any text, from anywhere.
        keep: Characters to leave as they are.

    Returns:
        Text in which such a character reads like ``\u202e``. Text that had such an
        escape in plain letters looks the same: for reading, not for reading back.
    """
    return _HIDDEN.sub(
        lambda match: match[0] if match[0] in keep else _escaped(match[0]), text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


# Default_Ignorable_Code_Point and Bidi_Control of Unicode 16, DerivedCoreProperties
# and PropList, written out: the answer must not depend on Python's own tables.
_HIDDEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)
