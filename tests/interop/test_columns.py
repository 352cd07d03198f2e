from __future__ import annotations

import csv
import io
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from azcn_events.core.leaf import entry_of
from azcn_events.interop import columns


class Stored(NamedTuple):
    position: int
    stream: str
    version: int
    kind: str
    id: str
    recorded_us: int
    payload: bytes
    metadata: bytes


NUMBERS = st.integers(1, 2**63 - 1)
NAMES = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]))
ROWS = st.builds(
    Stored,
    NUMBERS,
    NAMES,
    NUMBERS,
    NAMES,
    NAMES,
    st.integers(-(2**55), 2**57),
    st.binary(max_size=40),
    st.binary(max_size=40),
)


@given(st.lists(ROWS, max_size=4))
def test_another_reader_finds_what_the_leaf_says_and_the_bytes(
    rows: list[Stored],
) -> None:
    """Python's own CSV reader gives every field of every row, to the byte."""
    text = b"".join(columns.write(rows)).decode()
    names, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert columns.COLUMNS == tuple(names)
    expected = [
        [
            *entry_of(row).decode().split("\n")[1:7],
            row.payload.hex(),
            row.metadata.hex(),
        ]
        for row in rows
    ]
    assert expected == lines


def test_a_line_is_what_it_was() -> None:
    """The layout does not change: others' programs read it."""
    row = Stored(1, 'a "b"', 2, "k/1", "id", 0, b"\0{}", b"")
    written = b"".join(columns.write([row]))
    expected = (
        b'"position","stream","version","kind","id","recorded_at","payload","metadata"\n'
        b'"1","a ""b""","2","k/1","id","1970-01-01T00:00:00.000000Z","007b7d",""\n'
    )
    assert expected == written
