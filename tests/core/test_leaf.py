"""Leaves: the text of an entry says every field, in one way only."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azcn_events.core.leaf import Entry, entry_of, leaf_of, leaves_of, parse_entry
from azcn_events.core.merkle import Frontier
from azcn_events.errors import InvalidValue, ProofRefused
from azcn_events.stores.protocol import Row

FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
FIRST = Row(
    position=1,
    stream="agreement/cardboard",
    version=1,
    id="018f0000000070008000000000000001",
    kind="AgreementIdentified",
    recorded_us=1_795_424_400_000_000,
    payload=b'{"field":"cardboard production"}',
    metadata=b'{"actor":"u17"}',
    checksum=0,
)
WRITTEN = b"""azcn-event/1
1
agreement/cardboard
1
AgreementIdentified
018f0000000070008000000000000001
2026-11-23T09:00:00.000000Z
32 31b58204ba11fa1fbb9508a27da07d73d2108438dd0e44c8e7ab50aabf8eabcb
15 1b94382474142d598c3023bf2d6977c8a41d4fff9c3efbc2b380f095500e4449
"""

names = st.text(
    st.characters(codec="utf-8", exclude_characters=[chr(n) for n in range(32)]),
    max_size=20,
)
rows = st.builds(
    Row,
    position=st.integers(1, 2**63 - 1),
    stream=names,
    version=st.integers(1, 2**63 - 1),
    id=names,
    kind=names,
    recorded_us=st.integers(FIRST_US, LAST_US),
    payload=st.binary(max_size=40),
    metadata=st.binary(max_size=40),
    checksum=st.just(0),
)


TIMES = [FIRST._replace(recorded_us=us) for us in (-1, -2, -1, 0, 1, -1, 2, 1)]
"""Those around the one with which many leaves begin, in several orders."""


def test_a_worked_example() -> None:
    """The text stands in the documentation, and other programs make the same hash."""
    assert WRITTEN == entry_of(FIRST)
    assert "68fe83a2ae516d92e115efbc560bd776d4d617ea377bec9790fd4163534db5f7" == (
        leaf_of(FIRST).hex()
    )


@given(rows)
def test_the_text_says_every_field(row: Row) -> None:
    """Read back, it is what was written: so two rows never have the same text."""
    payload, metadata = row.payload, row.metadata
    said = Entry(
        row.position,
        row.stream,
        row.version,
        row.kind,
        row.id,
        row.recorded_us,
        len(payload),
        sha256(payload).digest(),
        len(metadata),
        sha256(metadata).digest(),
    )
    assert said == parse_entry(entry_of(row))


@given(st.lists(rows, max_size=5))
def test_many_leaves_are_those_of_each(several: list[Row]) -> None:
    """Also where some rows share a recorded time, and others do not."""
    several = [*several, *several[:2], *TIMES, FIRST]
    assert list(map(leaf_of, several)) == list(leaves_of(several))
    for row in (*TIMES, FIRST._replace(metadata=b"")):
        assert [leaf_of(row)] == list(leaves_of([row]))


@given(rows, st.data())
def test_any_other_byte_is_another_entry_or_none(row: Row, data: st.DataObject) -> None:
    """A text that is read is the one text of what it says."""
    text = bytearray(entry_of(row))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] ^= data.draw(st.integers(1, 255))
    try:
        said = parse_entry(bytes(text))
    except ProofRefused:
        return
    assert said != parse_entry(entry_of(row))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        WRITTEN[:-1],
        WRITTEN + b"\n",
        b"\xef\xbb\xbf" + WRITTEN,
        WRITTEN.replace(b"\n", b"\r\n"),
        WRITTEN.replace(b"/1\n1\n", b"/1\n01\n"),
        WRITTEN.replace(b"/1\n1\n", b"/1\n+1\n"),
        WRITTEN.replace(b"/1\n1\n", "/1\n\u0661\n".encode()),
        WRITTEN.replace(b"/1\n1\n", b"/1\n0\n"),
        WRITTEN.replace(b"event/1", b"event/2"),
        WRITTEN.replace(b"09:00", b"29:00"),
        WRITTEN.replace(b"000Z", b"000+00:00"),
        WRITTEN.replace(b"abcb", b"ABCB"),
        WRITTEN.replace(b"cardboard\n", b"card\xffboard\n"),
    ],
)
def test_what_is_no_entry_is_refused(text: bytes) -> None:
    """Whatever is written in another way."""
    with pytest.raises(ProofRefused) as refused:
        parse_entry(text)
    assert "entry" == refused.value.what
    assert refused.value.problem.startswith(
        ("it has not the nine lines of an entry", "its recorded time: ")
    )


def test_why_an_entry_is_refused() -> None:
    """The error says which line cannot be."""
    for text, problem in [
        (b"\xff", "it has not the nine lines of an entry"),
        (b"azcn", "it has not the nine lines of an entry"),
        (
            WRITTEN.replace(b"09:00", b"29:00"),
            "its recorded time: '2026-11-23T29:00:00.000000Z'",
        ),
    ]:
        with pytest.raises(ProofRefused) as refused:
            parse_entry(text)
        assert refused.value.problem.startswith(problem)


@pytest.mark.parametrize("us", [FIRST_US - 1, LAST_US + 1, 2**63])
def test_a_time_out_of_range_has_no_leaf(us: int) -> None:
    """Nor has it a date-time."""
    with pytest.raises(InvalidValue) as refused:
        leaf_of(FIRST._replace(recorded_us=us))
    error = refused.value
    assert (
        str(us),
        "no leaf can say this recorded time",
        "microseconds since 1970 UTC, in the years 1 to 9999",
    ) == (error.found, error.problem, error.accepted)


def test_the_empty_tree_and_one_leaf() -> None:
    """The hash of nothing, and the leaf itself."""
    frontier = Frontier()
    assert sha256(b"").digest() == frontier.root()
    frontier.extend([leaf_of(FIRST)])
    assert leaf_of(FIRST) == frontier.root()
