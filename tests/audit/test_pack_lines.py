"""Events as lines: what is written is read, and nothing else is."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azcn_events.audit.pack_lines import LINE_BYTES_MAX, line_of, rows_of_lines
from azcn_events.audit.verdict import Finding
from azcn_events.audit.verify import RawRow
from azcn_events.core.leaf import leaf_of
from azcn_events.errors import InvalidValue
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Row

NUMBERS = st.integers(1, 2**63 - 1)
TEXTS = st.text(max_size=20)
ROWS = st.builds(
    Row,
    NUMBERS,
    TEXTS,
    NUMBERS,
    TEXTS,
    TEXTS,
    st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    st.binary(max_size=30) | TEXTS.map(str.encode),
    st.binary(max_size=30) | TEXTS.map(str.encode),
    st.just(0),
)
ROW = Row(
    1, "agreement/ä", 1, "e1", "land-allocated/1", 0, b'{"a":"\xc3\xa4"}', b"{}", 0
)


def read(data: bytes) -> list[RawRow | Finding]:
    """Read lines."""
    return list(rows_of_lines(BytesIO(data)))


def problem(data: bytes) -> str:
    """Read what is one bad line, and give what is wrong."""
    (found,) = read(data)
    assert isinstance(found, Finding)
    return found.problem


@given(st.lists(ROWS, max_size=4))
def test_what_is_written_is_read(rows: list[Row]) -> None:
    """Law: every row comes back whole, and a line is one line for any reader."""
    data = b"".join(map(line_of, rows))
    assert [RawRow(*row[:-1]) for row in rows] == read(data)
    lines = data.decode("ascii").splitlines()
    assert len(rows) == len(lines)
    assert [row.stream for row in rows] == [
        json.loads(line)["stream"] for line in lines
    ]


@given(ROWS, st.data())
def test_another_spelling_is_refused(row: Row, data: st.DataObject) -> None:
    """Law: of a line that was changed anywhere, nothing is read as the event it was."""
    line = line_of(row)
    place = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.binary(max_size=2)).replace(b"\n", b"")
    bad = line[:place] + other + line[place + 1 :]
    found = read(bad)
    same = [one for one in found if isinstance(one, RawRow)]
    assert bad == line or RawRow(*row[:-1]) not in same


@given(st.binary(max_size=200))
@example(b"[" * 200_000 + b"\n")
@example(b'{"position":' + b"[" * 200_000 + b"\n")
@example(b'{"x":' * 100_000 + b"\n")
@example(b'{"position":' + b"9" * 100_000 + b"}\n")
@example(b'{"position":1e999999999}\n')
@example(b'{"stream":"\\ud800"}\n')
@example(b"\xff\xfe\n")
def test_whatever_a_line_holds_it_is_a_finding(data: bytes) -> None:
    """Nothing crashes the reader: nesting, numbers, surrogates, bytes of any kind."""
    assert all(isinstance(one, Finding) for one in read(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"position":1,', '"position":1,"position":1,'),
        ('"position":1,', '"position": 1,'),
        ('"position":1,', '"position":1.0,'),
        ('"position":1,', '"position":true,'),
        ('"position":1,', '"other":0,"position":1,'),
        ('"version":1,"kind"', '"kind":"x","version":1,"kind"'),
        ("\\u00e4", "ä"),
        ("000000Z", "000Z"),
        ("000000Z", "000000+00:00"),
        ('"metadata":"{}"', '"metadata":"{}","metadata_base64":"e30="'),
        ('"metadata":"{}"', '"metadata_base64":"e30="'),
        ('"metadata":"{}"', '"metadata":null'),
        ("\n", ""),
        ("\n", "\r\n"),
        ("\n", " \n"),
    ],
)
def test_one_event_has_one_line(old: str, new: str) -> None:
    """Other spellings of the same values are refused."""
    line = line_of(ROW).decode()
    assert old in line
    assert "line 1 is no event" in problem(line.replace(old, new).encode())


def test_an_endless_line_is_passed_over() -> None:
    """It is not read into memory, and the line behind it is read."""
    data = b"x" * (3 * LINE_BYTES_MAX) + b"\n" + line_of(ROW)
    found, row = read(data)
    assert isinstance(found, Finding)
    assert "longer than" in found.problem
    assert RawRow(*ROW[:-1]) == row
    assert "longer than" in problem(b"x" * (3 * LINE_BYTES_MAX))


def test_the_longest_event_has_a_line() -> None:
    """What a store takes at most can be written and read again, in its worst form."""
    name = "\U0001f600" * 200
    payload = b"\x01" * EVENT_BYTES_MAX
    row = Row(2**63 - 1, name, 2**63 - 1, name, name, 0, payload, b"", 0)
    assert len(line_of(row)) <= LINE_BYTES_MAX
    assert [RawRow(*row[:-1])] == read(line_of(row))


def test_a_time_that_no_leaf_can_say_has_no_line() -> None:
    """The year 10000 is refused, as for the leaf."""
    with pytest.raises(InvalidValue, match="no leaf can say"):
        line_of(ROW._replace(recorded_us=2**62))


def test_a_leaf_can_be_computed_from_a_line() -> None:
    """By the recipe, without our code."""
    said = json.loads(line_of(ROW))
    lines = [
        "azcn-event/1",
        *(str(said[key]) for key in ("position", "stream", "version", "kind", "id")),
        said["recorded_at"],
    ]
    for key in ("payload", "metadata"):
        data = said[key].encode()
        lines.append(f"{len(data)} {sha256(data).hexdigest()}")
    text = "".join(f"{line}\n" for line in lines)
    assert leaf_of(ROW) == sha256(b"\0" + text.encode()).digest()
