"""JSON Lines: what is written can be read, and all that is wrong is said at once."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.test_codec import CITES, ODD, WHEN, Odd

from azcn_events.core.codec import Codec
from azcn_events.core.events import Fact, Recorded, Suspended
from azcn_events.core.values import Citation, When
from azcn_events.errors import InvalidValue, Problem
from azcn_events.interop.jsonlines import LINE_BYTES_MAX, encode_metadata, read, write
from azcn_events.investment import INVESTMENT
from azcn_events.testing import any_event
from azcn_events.testing.strategies.values import names

FACT: dict[str, Any] = {"when": "2025-04-17", "cites": {"source": "source/a"}}
LINE: dict[str, Any] = {"stream": "agreement/a", "kind": "suspended", "fact": FACT}
EVENT = Suspended(when=When("2025-04-17"), cites=Citation("source/a"))
GOOD = json.dumps(LINE).encode()


def found_in(*lines: bytes, codec: Codec | None = None) -> list[Any]:
    """Read lines joined by line feeds; give what was found, with line numbers."""
    return list(read(io.BytesIO(b"\n".join(lines)), codec or Codec(INVESTMENT)))


def problems_in(*lines: bytes) -> list[tuple[int, str, str]]:
    """Give line, path and message of every problem found."""
    return [
        (problem.line, problem.path, problem.message)
        for number, found in found_in(*lines)
        if isinstance(found, list)
        for problem in found
        if problem.line == number
    ]


def line(**changes: Any) -> bytes:
    """Write the good line with other keys or values; None takes a key away."""
    plain = {**LINE, **changes}
    return json.dumps({k: v for k, v in plain.items() if v is not None}).encode()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
RECORDS = st.builds(
    Recorded,
    position=st.integers(1, 2**40),
    stream=names().map(lambda name: name[:200].strip()),
    version=st.integers(1, 2**40),
    id=names().map(lambda name: name[:200].strip()),
    kind=st.just(""),
    recorded_us=st.integers(-60_000 * 10**12, 200_000 * 10**12),
    event=any_event(INVESTMENT),
    metadata=st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3).map(
        encode_metadata
    ),
)


@given(st.lists(RECORDS, max_size=3))
def test_what_is_written_is_read(records: list[Recorded]) -> None:
    """Stream, id, recorded time, metadata and fact come back, in their order."""
    codec = Codec(INVESTMENT)
    kinds = [codec.encode(record.event)[0] for record in records]
    records = [r._replace(kind=kind) for r, kind in zip(records, kinds, strict=True)]
    facts = [Fact(r.stream, r.event, r.id, r.recorded_us, r.metadata) for r in records]
    found = found_in(*(write(record, Codec(INVESTMENT)) for record in records))
    assert list(enumerate(facts, start=1)) == found
    assert repr(facts) == repr([fact for _, fact in found])


@given(RECORDS)
def test_a_line_is_one_line_of_json(record: Recorded) -> None:
    """Whatever an event says, it does not end its line, for no reader of lines."""
    written = write(record, Codec(INVESTMENT))
    plain = json.loads(written)
    assert 1 == len(written.decode().splitlines())
    assert [record.position, record.stream, record.version, record.id] == [
        plain[key] for key in ("position", "stream", "version", "id")
    ]
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=record.recorded_us
    )
    assert moment == datetime.fromisoformat(plain["recorded_at"])


def test_a_record_is_written_like_this() -> None:
    """Golden: keys and their order, the time in UTC to the microsecond."""
    record = Recorded(
        7,
        "agreement/a",
        2,
        "an-id",
        "suspended/1",
        1_745_571_600_000_001,
        EVENT,
        b'{"by":"x"}',
    )
    expected = (
        b'{"position":7,"stream":"agreement/a","version":2,"id":"an-id",'
        b'"kind":"suspended/1","recorded_at":"2025-04-25T09:00:00.000001Z","fact":'
        b'{"what":"","cites":{"at":"","digest":"","source":"source/a","speaker":""},'
        b'"reason":"","replaces":"","when":{"edtf":"2025-04-17","words":""}},'
        b'"metadata":{"by":"x"}}'
    )
    assert expected == write(record, Codec(INVESTMENT))


def test_years_have_four_digits() -> None:
    """Also those before 1000, or the line could not be read again."""
    recorded_us = -50_000 * 10**12
    record = Recorded(1, "a", 1, "i", "suspended/1", recorded_us, EVENT)
    ((_, fact),) = found_in(write(record, Codec(INVESTMENT)))
    assert recorded_us == fact.recorded_us


def test_sets_are_written_in_order() -> None:
    """A user's class with a set gives the same line each time, and comes back."""
    event = Odd(tags=frozenset(map(str, range(30))), when=WHEN, cites=CITES)
    written = write(Recorded(1, "a", 1, "i", "odd/1", 0, event), Codec(ODD))
    assert sorted(event.tags) == json.loads(written)["fact"]["tags"]
    ((_, fact),) = found_in(written, codec=Codec(ODD))
    assert event == fact.event


def test_what_has_a_default_may_be_left_out() -> None:
    """Stream, kind and fact are enough; the rest is the ledger's to give."""
    assert [(1, Fact("agreement/a", EVENT))] == found_in(GOOD)


def test_place_in_a_log_is_not_read() -> None:
    """Position and version are the store's; what a file says of them is nothing."""
    assert found_in(GOOD) == found_in(line(position=9, version="x"))


def test_an_older_version_is_read_as_such() -> None:
    """The kind may say its version, as an old export does."""
    old = line(kind="agreement-signed/1", fact={**FACT, "memorandum": True})
    new = line(kind="agreement-signed", fact={**FACT, "kind": "memorandum"})
    assert found_in(new) == found_in(old)


@pytest.mark.parametrize(
    "content",
    [
        GOOD + b"\n\n\n" + GOOD,
        GOOD + b"\r\n\r\n\r\n" + GOOD + b"\r\n",
        b"\xef\xbb\xbf" + GOOD + b"\n \t\n\n" + GOOD + b"\n",
        GOOD + b"\n\n\n  " + GOOD + b"  ",
    ],
)
def test_blank_lines_count_and_are_passed_over(content: bytes) -> None:
    """Line numbers are those that an editor shows; any line end, BOM or not."""
    fact = Fact("agreement/a", EVENT)
    assert [(1, fact), (4, fact)] == found_in(content)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\r\n "]
)
def test_an_empty_file_has_no_facts(content: bytes) -> None:
    """That is no problem."""
    assert [] == found_in(content)


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        (b"{", "", "the file may be cut off here"),
        (GOOD[:-1], "", "the file may be cut off here"),
        (GOOD[:40], "", "not JSON at character"),
        (GOOD + b",", "", "not JSON at character"),
        (GOOD + GOOD, "", "not JSON at character"),
        (b"[]", "$", "a line is an object with stream, kind and fact"),
        (b"3", "$", "not int"),
        (b"null", "$", "not NoneType"),
        (b'"x"', "$", "not str"),
        (b"\xff\xfe" + GOOD, "", "not UTF-8: byte 0xff at 1; save it as UTF-8"),
        (GOOD.replace(b"source/a", b"s\xe9"), "", "not UTF-8: byte 0xe9 at"),
        (GOOD.replace(b'"kind"', b'"stream"'), "", "the key 'stream' occurs twice"),
        (GOOD.replace(b'"when"', b'"cites":1,"when"'), "", "'cites' occurs twice"),
        (line(metadata={"a": 0.5}).replace(b"0.5", b"NaN"), "", "NaN is no JSON"),
        (
            line(metadata={"a": 0.5}).replace(b"0.5", b"-Infinity"),
            "",
            "-Infinity is no",
        ),
        (line(metadata={"a": 0.5}).replace(b"0.5", b"-1e999"), "", "is too large"),
        (line(metadata={"a": 0.5}).replace(b"0.5", b"9" * 5_000), "", "5,000 digits"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b'{"a":' * 100_000, "", "nested too deeply"),
        (line(stream="a\nb"), "$.stream", "U+000A cannot be in a stream's name"),
        (line(stream=3), "$.stream", "a stream's name is text, not int"),
        (line(stream=""), "$.stream", "it has 0 characters"),
        (line(stream="x" * 201), "$.stream", "it has 201 characters"),
        (line(stream=" x"), "$.stream", "a space at an end"),
        (line(stream="\ud800"), "$.stream", "U+D800 cannot be"),
        (line(id="a\x1b"), "$.id", "U+001B cannot be in an event id"),
        (line(id=""), "$.id", "it has 0 characters"),
        (line(id=7), "$.id", "an event id is text, not int"),
        (line(kind="suspendd"), "$.kind", "did you mean 'suspended'"),
        (line(kind="suspended/2"), "$.kind", "no version of 'suspended' is called"),
        (line(kind=3), "$.kind", "no kind of fact is called '3'"),
        (line(kind=[]), "$.kind", "no kind of fact is called '[]'"),
        (line(recorded_at="2025-04-25T09:00:00"), "$.recorded_at", "no time zone"),
        (line(recorded_at="2025-04-25"), "$.recorded_at", "no time zone"),
        (line(recorded_at="yesterday"), "$.recorded_at", "a date-time with a zone"),
        (line(recorded_at=0), "$.recorded_at", "a date-time with a zone"),
        (
            line(recorded_at="0001-01-01T00:00:00+14:00"),
            "$.recorded_at",
            "out of range",
        ),
        (line(metadata=[]), "$.metadata", "metadata is an object"),
        (line(metadata="x"), "$.metadata", "metadata is an object"),
        (line(metadata={"a": "\ud800"}), "$.metadata", "surrogates not allowed"),
        (line(note="x"), "$.note", "an unknown key"),
        (line(stream=None), "$.stream", "missing; a line has stream, kind and fact"),
        (line(kind=None), "$.kind", "missing"),
        (line(fact=None), "$.fact", "missing"),
        (line(fact=[]), "$.fact", "this is list, not an object"),
        (line(fact=3), "$.fact", "this is int, not an object"),
        (line(fact={**FACT, "what": 3}), "$.fact.what", "this is int, not text"),
        (line(fact={**FACT, "what": "a\x07"}), "$.fact", "$.what holds U+0007"),
        (line(fact={**FACT, "what": "a\u2028"}), "$.fact", "$.what holds U+2028"),
        (line(fact={**FACT, "what": "\ud800"}), "$.fact", "$.what holds U+D800"),
        (line(fact={**FACT, "when": "2025-02-30"}), "$.fact.when", "has days 01 to 28"),
        (line(fact={**FACT, "\x1b": 1}), "$.fact", "unknown field '\\x1b'"),
        (
            line(kind="agreement-signed/1"),
            "$.fact",
            "'memorandum' of version 1 is missing",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_problem_has_its_line_and_path(
    content: bytes, path: str, message: str
) -> None:
    """Said once, where it is, in words; the good lines around it are read."""
    found = found_in(GOOD, content, GOOD) if content != GOOD[:-1] else []
    ((number, where, text),) = problems_in(b"", content)
    assert (2, path) == (number, where)
    assert message in text
    assert text.isprintable()
    if found:
        fact = Fact("agreement/a", EVENT)
        assert [(1, fact), (3, fact)] == [found[0], found[-1]]


@pytest.mark.parametrize(
    ("area", "path", "message"),
    [
        (3, "$.fact.area", "this is int, not an object with fields"),
        (2.7, "$.fact.area", "this is float, not an object with fields"),
        ({"unit": "ha", "low": 2.7, "high": None}, "$.fact.area.low", "float"),
        ({"unit": "ha", "low": "3", "high": "2"}, "$.fact.area", "the bounds cross"),
    ],
)
def test_amounts_are_exact_or_refused(area: Any, path: str, message: str) -> None:
    """A bare number has no unit, and a float cannot hold 2.7."""
    content = line(kind="land-allocated", fact={**FACT, "area": area})
    ((_, where, text),) = problems_in(content)
    assert path == where
    assert message in text


def test_every_problem_of_every_line_is_reported() -> None:
    """All at once, in line order, and the facts of good lines as well."""
    bad = line(
        stream="a\n",
        id=3,
        recorded_at="now",
        metadata=[],
        note=1,
        kind="land-allocated",
        fact={"when": "x", "area": 3, "acres": 1},
    )
    paths = [
        "$.fact",
        "$.fact.area",
        "$.fact.cites",
        "$.fact.when",
        "$.id",
        "$.metadata",
        "$.note",
        "$.recorded_at",
        "$.stream",
    ]
    found = problems_in(bad, GOOD, b"{}", b"{", bad)
    assert paths == sorted(path for number, path, _ in found if number == 1)
    assert paths == sorted(path for number, path, _ in found if number == 5)
    keys = {"$.stream", "$.kind", "$.fact"}
    assert keys == {path for number, path, _ in found if number == 3}
    assert [1, 3, 4, 5] == sorted({number for number, _, _ in found})
    assert (2, Fact("agreement/a", EVENT)) in found_in(bad, GOOD, b"{}", b"{", bad)


def test_keys_cannot_act_on_a_terminal() -> None:
    """A key is text from outside: shown without its escapes, and cut."""
    found = problems_in(line(**{"\x1b[31m": 1, "x" * 9_999: 1}))
    assert ["$.'\\x1b[31m'", f"$.'{'x' * 80}'"] == [path for _, path, _ in found]


def padded(size: int, end: bytes = b"") -> bytes:
    """Write a good line of exactly this many bytes before its end."""
    bare = len(line(fact={**FACT, "what": ""}))
    return line(fact={**FACT, "what": "x" * (size - bare)}) + end


@pytest.mark.parametrize("end", [b"\n", b"", b"\r\n"])
def test_the_longest_line_is_read(end: bytes) -> None:
    """A megabyte is taken; one byte more is not, and the next line is read."""
    ((_, fact),) = found_in(padded(LINE_BYTES_MAX) + end)
    assert isinstance(fact, Fact)
    ((number, path, text),) = problems_in(b"", padded(LINE_BYTES_MAX + 1) + end)
    assert (2, "") == (number, path)
    assert "at most 2,097,152 are read" in text


@pytest.mark.parametrize("size", [LINE_BYTES_MAX + 2, 2 * LINE_BYTES_MAX, 10_000_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_huge_line_is_passed_over(size: int, end: bytes) -> None:
    """It is never held as a whole; its size is said, and the next line is read."""
    content = b"x" * size + end + GOOD
    (number, (problem,)), good = found_in(content)
    assert (1, 1) == (number, problem.line)
    assert f"a line of {size + len(end):,} bytes" in problem.message
    assert (2, Fact("agreement/a", EVENT)) == good


def test_a_line_that_does_not_end_is_passed_over() -> None:
    """A file of one endless line is one problem."""
    ((number, (problem,)),) = found_in(b"x" * (3 * LINE_BYTES_MAX))
    assert (1, 1) == (number, problem.line)
    assert "a line of 6,291,456 bytes" in problem.message


class Narrow(io.BytesIO):
    """A file that counts how much of it is asked for at a time."""

    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line, and remember the largest size asked for."""
        self.most = max(self.most, -1 if size is None else size)
        assert size not in (None, -1)
        return super().readline(size)


def test_memory_is_bounded_by_the_longest_line() -> None:
    """However long a line is, no more than a line's size is asked for."""
    file = Narrow(b"x" * 5_000_000 + b"\n" + GOOD)
    found = list(read(file, Codec(INVESTMENT)))
    assert [1, 2] == [number for number, _ in found]
    assert LINE_BYTES_MAX + 2 >= file.most


@given(st.binary(max_size=40), st.integers(0, len(GOOD)), st.integers(0, 9))
def test_any_bytes_are_facts_or_problems(put: bytes, place: int, cut: int) -> None:
    """Nothing but facts and problems comes out, whatever the file holds."""
    content = GOOD[:place] + put + GOOD[place + cut :]
    for number, found in found_in(content):
        assert number >= 1
        assert isinstance(found, Fact) or all(type(p) is Problem for p in found)
        assert found


@given(st.sampled_from([*sorted(LINE), "id", "recorded_at", "metadata"]), JSON_VALUES)
def test_any_value_of_any_key_is_taken_or_refused(key: str, value: Any) -> None:
    """A key with anything in its place is a problem of that key, or it is right."""
    for _, found in found_in(json.dumps({**LINE, key: value}).encode()):
        if not isinstance(found, Fact):
            assert all(problem.path.startswith(f"$.{key}") for problem in found)


@pytest.mark.parametrize(
    "metadata", [{"a": object()}, {"a": "\ud800"}, {"a": {1j: 1}}, {(1, 2): 3}]
)
def test_metadata_is_plain(metadata: Any) -> None:
    """What JSON cannot hold is refused where it is given."""
    with pytest.raises(InvalidValue, match="metadata of plain JSON values"):
        encode_metadata(metadata)


def test_metadata_acts_on_no_terminal_and_ends_no_line() -> None:
    """Control characters and separators are escaped, in keys as in texts."""
    text = "a\x1b\x7f\x85\x9b\u2028\u2029é"
    kept = encode_metadata({text: text})
    assert kept.decode().isprintable()
    assert {text: text} == json.loads(kept)
    assert kept == encode_metadata(json.loads(kept))


def test_deep_metadata_is_refused_or_kept() -> None:
    """Nesting that JSON readers give up on is a problem, never a crash."""
    for depth in (10, 500, 900, 2_000, 50_000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        content = GOOD[:-1] + b', "metadata": ' + deep + b"}"
        ((_, found),) = found_in(content)
        if isinstance(found, Fact):
            assert deep == found.metadata
        else:
            assert "nested too deeply" in found[0].message


@pytest.mark.parametrize(
    "metadata", [b'{}\n{"stream":"a"}', b'{"by": "\xff"}', b"{} ", b"[]", b""]
)
def test_metadata_that_nobody_recorded_is_not_written(metadata: bytes) -> None:
    """Put into a file by hand, it could be read as a line, and a fact, of its own."""
    record = Recorded(1, "a", 1, "i", "suspended/1", 0, EVENT, metadata)
    with pytest.raises(InvalidValue, match="this is no metadata"):
        write(record, Codec(INVESTMENT))
