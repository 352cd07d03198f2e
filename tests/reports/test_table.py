"""A table says the same in every form, and no cell can make it say anything else."""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azcn_events.core.values import Amount, Missing, Range, When
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.reports import render
from azcn_events.reports.table import Cell, Column, Row, Table

DASH = "\u2013"
CONTEXT = (("as of", "2025-04-25"), ("known by", "2025-04-30"))

PIPELINE = Table(
    name="pipeline",
    title="Pipeline",
    columns=(
        Column("milestone"),
        Column("unit"),
        Column("agreements", align="right"),
        Column("value", "stated value", align="right"),
    ),
    rows=(
        Row(
            (
                Cell("signed"),
                Cell("USD"),
                Cell(Range(7, 9), why=(3, 4)),
                Cell(Amount.exact(335_000_000, "USD"), why=(5,)),
            )
        ),
        Row((Cell("signed"), Cell("ha"), Cell(None), Cell(Amount.below(3, "ha")))),
        Row(
            (Cell("total"), Cell(Missing.VOID), Cell(1234), Cell(Decimal("-0.50"))),
            total=True,
        ),
    ),
    context=CONTEXT,
    notes=("Policy 'claims'.",),
)


def one(*values: Any, title: str = "") -> Table:
    """Make a table of one column."""
    rows = tuple(Row((Cell(value),)) for value in values)
    return Table("one", "One", (Column("what", title),), rows)


# --- Any table ----------------------------------------------------------------

HOSTILE = [
    "\x1b]0;owned\x07",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\u2028",
    "\u200b",
    "\ufeff",
    "\U000e0041",
    "\ud800",
    "\x00",
    "\r\n",
    "\t",
    " ",
    "=1+1",
    "@x",
    "-2",
    "\uff1dx",
    "\ufe62x",
    "'",
    '"',
    ";",
    "</td><script>x</script>",
    "&amp;",
    "<b onclick='x'>",
    "纸板",
    "\uff0c",
    "\uff08",
    "e\u0301",
    "{{7*7}}",
]
TEXT = st.lists(
    st.sampled_from(HOSTILE)
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.text("ab1,. -", max_size=30),
    max_size=6,
).map("".join)
VALUES = (
    TEXT
    | st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(-(10**20), 10**20, places=3)
    | st.sampled_from([*Missing])
    | st.builds(Range.exact, st.integers())
    | st.builds(lambda low, more: Range(low, low + more), st.integers(), st.integers(0))
    | st.builds(Amount.about, st.integers(-(10**9), 10**9), st.just("USD"), words=TEXT)
    | st.builds(When.unknown, TEXT)
)
NAMES = st.from_regex(r"[a-z0-9]{1,8}([- ][a-z0-9]{1,8}){0,2}", fullmatch=True)


@st.composite
def tables(draw: st.DrawFn, wide_max: int = 4) -> Table:
    """Make any table, its texts as hostile as they come."""
    names = draw(st.lists(NAMES, min_size=1, max_size=wide_max, unique=True))
    columns = tuple(
        Column(name, draw(TEXT), draw(st.sampled_from(["left", "right"])))
        for name in names
    )
    cells = st.builds(Cell, VALUES, st.lists(st.integers(1)).map(tuple))
    rows = st.builds(
        Row, st.tuples(*[cells for _ in names]), total=st.booleans() | st.just(False)
    )
    context = draw(st.dictionaries(st.sampled_from(["as of", "policy"]), TEXT))
    return Table(
        draw(TEXT),
        draw(TEXT),
        columns,
        tuple(draw(st.lists(rows, max_size=4))),
        tuple(context.items()),
        tuple(draw(st.lists(TEXT, max_size=2))),
    )


def said(table: Table) -> list[str]:
    """Give every text that any form of a table has to show, as it is shown."""
    pairs = [text for pair in table.context for text in pair]
    cells = [render.shown(cell) for row in table for cell in row.cells]
    raw = [table.title, *pairs, *table.notes, *(c.heading for c in table.columns)]
    return [*map(render.visible, raw), *cells]


def squeezed(text: str) -> str:
    """Take all whitespace away."""
    return "".join(text.split())


def width_of(text: str) -> int:
    """Count terminal columns, by the book."""
    return sum(
        {"W": 2, "F": 2}.get(unicodedata.east_asian_width(character), 1)
        for character in text
        if unicodedata.category(character) not in {"Mn", "Me"}
    )


def acts(character: str) -> bool:
    """Say whether a character acts on a terminal or on the order of a line."""
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or 0x202A <= ord(character) <= 0x202E
        or 0x2066 <= ord(character) <= 0x2069
        or character in "\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff"
    )


# --- The value ----------------------------------------------------------------


def test_rows_are_as_wide_as_the_table() -> None:
    """A row with another number of cells is refused, and the message says which."""
    rows = (Row((Cell("a"), Cell("b"))), Row((Cell("a"),)))
    with pytest.raises(InvalidValue, match="row 2 has 1 cells; accepted: 2, one for"):
        Table("t", "T", (Column("x"), Column("y")), rows)


def test_a_table_has_columns_of_different_names() -> None:
    """No column, or two of one name, is refused."""
    with pytest.raises(InvalidValue, match="a table without columns"):
        Table("t", "T", (), ())
    with pytest.raises(InvalidValue, match="2 column names are 'x'"):
        Table("t", "T", (Column("x"), Column("x", "y")), ())


@pytest.mark.parametrize("names", [("as of", "as of"), ("notes",), ("total-row",)])
def test_context_names_are_unlike_each_other(names: tuple[str, ...]) -> None:
    """Nothing that a figure depends on hides behind another thing's name."""
    with pytest.raises(InvalidValue, match="2 context names are"):
        Table("t", "T", (Column("x"),), (), tuple((name, "") for name in names))


@pytest.mark.parametrize("name", ["", "As of", "as_of", "a  b", "-a", "a-", "ä", "a\n"])
def test_column_names_are_plain(name: str) -> None:
    """A column's name can be typed, and is a name in every form."""
    with pytest.raises(InvalidValue, match="no column's name"):
        Column(name)


@pytest.mark.parametrize("value", [1.5, b"x", [1], object(), Decimal("NaN")])
def test_cells_hold_no_floats_nor_objects(value: Any) -> None:
    """What could be shown only by guessing is refused."""
    with pytest.raises(InvalidValue):
        Cell(value)


def test_columns_rows_and_cells_are_found_by_name() -> None:
    """A column by its name, a row by how it begins, a cell by both."""
    assert ("USD", "ha", Missing.VOID) == tuple(
        cell.value for cell in PIPELINE.column("unit")
    )
    assert PIPELINE.rows[2] == PIPELINE.row("total")
    assert PIPELINE.rows[1] == PIPELINE.row("signed", "ha")
    assert (5,) == PIPELINE.cell("signed", "USD", column="value").why
    assert (3, list(PIPELINE.rows)) == (len(PIPELINE), list(PIPELINE))


def test_names_that_are_not_there_are_answered_with_those_that_are() -> None:
    """A slip of the finger gets a hint; a name for several rows, a question."""
    with pytest.raises(UnknownName, match="did you mean 'value'"):
        PIPELINE.column("valeu")
    with pytest.raises(UnknownName, match=r"did you mean 'total'\? \(known: signed, t"):
        PIPELINE.row("totl")
    with pytest.raises(InvalidValue, match="2 rows begin so; accepted: the text of"):
        PIPELINE.row("signed")
    with pytest.raises(UnknownName):
        PIPELINE.row("total", "void", "1,234", "-0.50", "and more")


def test_rows_are_found_by_what_is_shown_and_by_what_is_meant() -> None:
    """A name with a hidden character is found as it is and as it reads."""
    table = one("a\u200bb")
    assert table.row("a\u200bb") == table.row(r"a\u200bb") == table.rows[0]
    with pytest.raises(UnknownName) as caught:
        table.row("\x1b")
    assert not any(map(acts, str(caught.value)))


def test_records_are_plain_values_with_or_without_totals() -> None:
    """Programs get dicts ready for JSON, and can add up without counting twice."""
    records = PIPELINE.records()
    assert [3, 2] == [len(records), len(PIPELINE.records(totals=False))]
    assert {
        "milestone": "total",
        "unit": "void",
        "agreements": 1234,
        "value": "-0.50",
    } == records[2]
    assert [{"low": 7, "high": 9}, None] == [row["agreements"] for row in records[:2]]


# --- Text ---------------------------------------------------------------------


def test_text_in_columns() -> None:
    """Context above, figures to the right, totals set apart, notes below."""
    expected = f"""\
Pipeline
as of: 2025-04-25; known by: 2025-04-30

milestone  unit  agreements     stated value
---------  ----  ----------  ---------------
signed     USD       7 to 9  USD 335,000,000
signed     ha             {DASH}       below 3 ha
---------  ----  ----------  ---------------
total      void       1,234            -0.50

Policy 'claims'."""
    assert expected == str(PIPELINE) == PIPELINE.text(44)


def test_text_in_blocks_where_columns_do_not_fit() -> None:
    """One line for each cell, and nothing is left out."""
    expected = f"""\
Pipeline
as of: 2025-04-25; known by:
2025-04-30

milestone: signed
unit: USD
agreements: 7 to 9
stated value: USD 335,000,000

milestone: signed
unit: ha
agreements: {DASH}
stated value: below 3 ha
--------------------
milestone: total
unit: void
agreements: 1,234
stated value: -0.50

Policy 'claims'."""
    assert expected == PIPELINE.text(30)


def test_text_wraps_long_cells_between_words() -> None:
    """A wordy column gives way first; rows of several lines are set apart."""
    said = "almost three hectares were allocated to it at the end of the month"
    table = Table(
        "t",
        "T",
        (Column("agreement"), Column("said"), Column("days", align="right")),
        (
            Row((Cell("cardboard"), Cell(said), Cell(Range(0, None)))),
            Row((Cell("tractors"), Cell(""), Cell(None))),
        ),
    )
    expected = f"""\
T

agreement  said                            days
---------  ------------------------  ----------
cardboard  almost three hectares     at least 0
           were allocated to it at
           the end of the month

tractors                                      {DASH}"""
    assert expected == table.text(48)


def test_text_lines_wide_characters_up() -> None:
    """Chinese takes two columns a letter, a combining accent none."""
    rows = (("纸板", 1), ("cafe\u0301", 22), ("plain", 333))
    table = Table(
        "t",
        "T",
        (Column("what"), Column("n", align="right")),
        tuple(Row((Cell(what), Cell(number))) for what, number in rows),
    )
    expected = """\
T

what     n
-----  ---
纸板     1
cafe\u0301    22
plain  333"""
    assert expected == table.text()


def test_text_breaks_chinese_between_letters_but_not_before_a_full_stop() -> None:
    """Text without spaces wraps too; what closes stays with what it closes."""
    table = one("建设纸板生产线的项目。已经开始", title="项目")
    expected = """\
One

项目
---------------
建设纸板生产线
的项目。已经开
始"""
    assert expected == table.text(16)
    title = "建设纸板生产线的项目。已经\uff08开始\uff09"
    heading = Table("t", title, (Column("x"),), ())
    for width in range(8, 40):
        lines = heading.text(width).split("\n\n", maxsplit=1)[0].split("\n")
        assert title == "".join(lines)
        assert not any(line.startswith(("。", "\uff09")) for line in lines)
        assert not any(line.endswith("\uff08") for line in lines)
        assert max(map(width_of, lines)) <= width


def test_text_never_breaks_a_figure() -> None:
    """A number longer than the width stays whole; only its line is longer."""
    number = Decimal("123456789012345678901234567890.12")
    figure = "123,456,789,012,345,678,901,234,567,890.12"
    assert figure in [line.strip() for line in one(number).text(20).splitlines()]


def test_text_of_no_rows_says_so() -> None:
    """Nothing found is an answer, with the context it depends on."""
    table = Table("t", "T", (Column("x"), Column("y")), (), CONTEXT, ("A note.",))
    expected = """\
T
as of: 2025-04-25; known by: 2025-04-30

no rows; columns: x, y

A note."""
    assert expected == str(table)
    assert "no rows" in table.html()


def test_text_needs_a_width() -> None:
    """A width that nothing fits into is a mistake, not a layout."""
    with pytest.raises(InvalidValue, match="nothing fits into this width"):
        PIPELINE.text(0)


@given(tables(wide_max=1), st.integers(20, 200))
def test_text_of_one_column_reads_as_it_was_said(table: Table, width: int) -> None:
    """At any width every text is there, in order, whatever the line breaks."""
    text = squeezed(table.text(width))
    for words in said(table):
        assert squeezed(words) in text


@given(tables(), st.integers(1, 200))
def test_text_loses_no_character(table: Table, width: int) -> None:
    """At any width, in columns or in blocks, all that is said is shown."""
    lost = Counter("".join(map(squeezed, said(table))))
    lost.subtract(squeezed(table.text(width)))
    assert {} == {character: n for character, n in lost.items() if n > 0}


@given(tables(), st.integers(1, 200))
def test_text_fits_or_the_line_is_one_word(table: Table, width: int) -> None:
    """No line is wider than asked for, unless a single word is."""
    for line in table.text(width).split("\n"):
        assert width_of(line) <= width or " " not in line.strip(" ")


@given(tables())
def test_totals_stand_apart_in_every_form(table: Table) -> None:
    """Rows that sum up others can be told from them everywhere."""
    totals = [place for place, row in enumerate(table) if row.total]
    changes = [a.total != b.total for a, b in zip(table, [*table][1:], strict=False)]
    rules = [
        line for line in table.text(500).split("\n") if re.match(r"-+($|  -)", line)
    ]
    assert len(rules) >= changes.count(True)
    assert len(totals) == table.html().count('<tr class="azcn-total">')
    assert totals == json.loads(table.json())["totals"]
    flags = [record[-1] for record in parsed(table.csv())[1:]]
    assert totals == [place for place, flag in enumerate(flags) if flag == "yes"]


# --- What is shown ------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\u202eevil", r"\u202eevil"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("\x85\x7f\x00", r"\x85\x7f\x00"),
        ("Gəncə, 纸板, é, “so”, \u00a0", "Gəncə, 纸板, é, “so”, \u00a0"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_hidden_characters_are_shown(raw: str, expected: str) -> None:
    """What acts or hides is spelled out; what can be read is left alone."""
    assert expected == render.visible(raw)
    assert expected in one(raw).text()
    assert expected in one(raw).html()


def test_every_format_character_is_shown_but_those_that_have_a_shape() -> None:
    """No format or control character of Unicode is forgotten."""
    with_shape = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}
    with_shape |= {0x110BD, 0x110CD, *range(0x13430, 0x13440)}  # hieroglyphs' layout
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    for point in range(sys.maxunicode + 1):
        if unicodedata.category(chr(point)) in hidden and point not in with_shape:
            assert render.visible(chr(point)).startswith("\\"), hex(point)


@given(tables(), st.integers(1, 200))
def test_nothing_acts_on_a_terminal_or_a_page(table: Table, width: int) -> None:
    """No text, HTML or JSON has a character that acts, whatever the cells hold."""
    for shown in (table.text(width), table.html(), table.json()):
        assert not any(map(acts, shown.replace("\n", "")))
    assert not any(map(acts, re.sub(r"[\t\r\n]", "", table.csv())))


@given(tables())
def test_every_form_can_be_written_as_utf_8(table: Table) -> None:
    """The same table gives the same text, and no form fails to be saved."""
    again = Table(
        table.name, table.title, table.columns, table.rows, table.context, table.notes
    )
    for form in ("text", "html", "csv", "json"):
        written = getattr(table, form)()
        assert written.encode() == getattr(again, form)().encode()


# --- HTML ---------------------------------------------------------------------

TAGS = {
    *("div", "table", "caption", "small", "thead", "tbody", "tr", "th", "td"),
    *("bdi", "strong", "ul", "li"),
}


class Tags(HTMLParser):
    """Collects what a browser would see as tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and refuse any attribute that data could have brought."""
        assert {name for name, _ in attrs} <= {"class", "scope", "colspan"}
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        """Refuse a comment: there is none."""
        raise AssertionError(data)


def test_html_is_a_table_that_can_be_heard() -> None:
    """A caption with the context, and headings that say what they head."""
    tree = ET.fromstring(PIPELINE.html())  # noqa: S314 - our own
    caption = "".join(tree.find("table/caption").itertext())  # type: ignore[union-attr]
    assert "Pipeline\nas of: 2025-04-25; known by: 2025-04-30" == caption.strip()
    assert 4 == len(tree.findall("table/thead/tr/th[@scope='col']"))
    assert 3 == len(tree.findall("table/tbody/tr/th[@scope='row']"))
    figures = tree.findall("table/thead/tr/th[@class='azcn-right']")
    assert ["agreements", "stated value"] == ["".join(th.itertext()) for th in figures]
    assert 6 == len(tree.findall("table/tbody/tr/td[@class='azcn-right']"))
    assert "Policy 'claims'." == "".join(tree.find("ul").itertext()).strip()  # type: ignore[union-attr]
    assert PIPELINE.html() == PIPELINE._repr_html_()


@given(tables())
def test_html_is_well_formed_and_data_is_only_text(table: Table) -> None:
    """Two parsers see our tags only, and each cell's text in its place."""
    html = table.html()
    tree = ET.fromstring(html)  # noqa: S314 - our own
    assert {element.tag for element in tree.iter()} <= TAGS
    assert [element.tag for element in tree.iter()] == Tags(html).found
    rows = [
        ["".join(cell.itertext()) for cell in row]
        for row in tree.findall("table/tbody/tr")
    ]
    expected = [[render.shown(cell) for cell in row.cells] for row in table]
    assert (expected or [["no rows"]]) == rows
    text = "".join(tree.itertext())
    assert all(words in text for words in said(table))


# --- CSV ----------------------------------------------------------------------


def parsed(text: str) -> list[list[str]]:
    """Read CSV as any program would."""
    return list(csv.reader(StringIO(text, newline=""), strict=True))


def test_csv_is_a_rectangle_with_the_context_in_it() -> None:
    """Context, notes and which rows are totals are columns after the data."""
    more = ["2025-04-25", "2025-04-30", "Policy 'claims'."]
    names = ["as of", "known by", "notes", "total-row"]
    assert [
        ["milestone", "unit", "agreements", "value", *names],
        ["signed", "USD", "7 to 9", "USD 335,000,000", *more, "no"],
        ["signed", "ha", "", "below 3 ha", *more, "no"],
        ["total", "void", "1234", "-0.50", *more, "yes"],
    ] == parsed(PIPELINE.csv())


def test_csv_ends_lines_and_quotes_fields_as_excel_expects() -> None:
    """RFC 4180: CR LF at the end of each record; quotes are doubled."""
    assert '"what","notes","total-row"\r\n"a ""b""","","no"\r\n' == one('a "b"').csv()


def test_csv_tells_its_own_columns_from_the_tables() -> None:
    """A column that is called like a piece of the context does not hide it."""
    columns = (Column("as of"), Column("notes"))
    table = Table("t", "T", columns, (), CONTEXT)
    header = ["as of", "notes", "table: as of", "known by", "table: notes", "total-row"]
    assert [header] == parsed(table.csv())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+5", "'+5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-5", "-5"),
        ("-5.25", "-5.25"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\ufeff=1", r"\ufeff=1"),
        ("", ""),
        (None, ""),
        (True, "yes"),
        (-1234, "-1234"),
        (Decimal("-12345.60"), "-12345.60"),
        (Range(-5, 3), "'-5 to 3"),
        (Range.exact(-12345), "-12345"),
        (Range(1234, None), "at least 1,234"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_csv_cells_are_inert(value: Any, expected: str) -> None:
    """No cell is a formula; a plain number stays one; an empty cell stays empty."""
    assert expected == parsed(one(value).csv())[1][0]


@given(tables())
@example(one("\u207b1", "\ufe63x"))
def test_csv_is_read_back_and_no_field_begins_a_formula(table: Table) -> None:
    """The same rectangle comes back, each field as shown but for an apostrophe."""
    header, *records = parsed(table.csv())
    assert len(set(header)) == len(header)
    assert [len(header)] * len(table) == [len(record) for record in records]
    for field in [*header, *(field for record in records for field in record)]:
        start = unicodedata.normalize("NFKC", field.lstrip()[:1])[:1]
        runs = start in {"=", "+", "-", "@", "\u2212"} or field[:1] in {
            "\t",
            "\r",
            "\n",
        }
        assert not runs or re.fullmatch(r"-?\d+(\.\d+)?", field)
    for row, record in zip(table, records, strict=True):
        for cell, field in zip(row.cells, record, strict=False):
            if isinstance(cell.value, str):
                shown = render.visible(cell.value, keep="\t\n\r")
                assert field in {shown, f"'{shown}"}


# --- JSON ---------------------------------------------------------------------


def no_float(text: str) -> None:
    """Refuse a number that a program would round."""
    raise AssertionError(text)


def test_json_has_everything_that_the_table_has() -> None:
    """Plain values, and for each figure the records that make it."""
    found = json.loads(PIPELINE.json(), parse_float=no_float)
    keys = ["name", "title", "context", "columns", "rows", "totals", "why", "notes"]
    assert keys == list(found)
    assert {"as of": "2025-04-25", "known by": "2025-04-30"} == found["context"]
    assert {"name": "value", "title": "stated value", "align": "right"} == found[
        "columns"
    ][3]
    assert "335000000" == found["rows"][0]["value"]["low"]
    assert [{"agreements": [3, 4], "value": [5]}, {}, {}] == found["why"]
    assert ["Policy 'claims'."] == found["notes"]


def test_json_is_readable_and_one_row_is_one_line() -> None:
    """A person can read it, and a difference shows the row it is in."""
    lines = one("Gəncə 纸板", "b\u202e").json().splitlines()
    assert '    {"what": "Gəncə 纸板"},' in lines
    assert r'    {"what": "b\u202e"}' in lines


@given(tables())
def test_json_holds_every_cell_exactly(table: Table) -> None:
    """What is read back is what the table's records say, to the character."""
    found = json.loads(table.json(), parse_float=no_float)
    assert table.records() == found["rows"]
    assert dict(table.context) == found["context"]
    assert (table.name, table.title) == (found["name"], found["title"])
    assert [*table.notes] == found["notes"]
    names = [column.name for column in table.columns]
    for row, why in zip(table, found["why"], strict=True):
        assert [cell.why for cell in row.cells] == [
            tuple(why.get(n, ())) for n in names
        ]
