"""Stored bytes: what goes in comes out, and what is damaged never comes out."""

from __future__ import annotations

import enum
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Optional
from zlib import crc32

import attrs
import pytest
from attrs import field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core.golden.reader import as_plain

from azcn_events.core import codec as codec_module
from azcn_events.core.codec import Codec, StoredRow
from azcn_events.core.events import Event, Suspended
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.values import Amount, Citation, Missing, When
from azcn_events.errors import (
    InvalidFields,
    InvalidValue,
    UndecodableEvent,
    UnknownName,
)
from azcn_events.investment import INVESTMENT
from azcn_events.investment.events import (
    AgreementSigned,
    Claim,
    ConflictNoted,
    DocumentKind,
    DocumentsReported,
    FieldsMentioned,
    LandAllocated,
    PartiesReported,
    Party,
    ValueReported,
)
from azcn_events.testing import WIDE, any_event, events, simplest
from azcn_events.testing.strategies.palettes import palette_for
from azcn_events.testing.strategies.values import texts

WHEN = When("2025-04-17")
CITES = Citation("source/a", at="paragraph 4")


def crc(kind: str, payload: bytes) -> int:
    """Give the lower half of a checksum, which is all that an old version has."""
    return crc32(payload, crc32(kind.encode()))


def there_and_back(codec: Codec, event: Event) -> None:
    """Check that an event survives storage, as a value, as text and as bytes.

    Equality alone would not see that 1.10 had become 1.1.
    """
    kind, payload, checksum = codec.encode(event)
    again = codec.decode(kind, payload, checksum)
    assert event == again
    assert repr(event) == repr(again)
    assert (kind, payload, checksum) == codec.encode(again)


@pytest.mark.parametrize("kind", INVESTMENT.kinds)
@given(st.data())
def test_every_kind_of_event_comes_back(kind: str, data: st.DataObject) -> None:
    """What is decoded is what was encoded, whatever the fields hold."""
    drawn = events(INVESTMENT.kinds[kind], palette_for(INVESTMENT, WIDE))
    there_and_back(Codec(INVESTMENT), data.draw(drawn))


@given(any_event(INVESTMENT), any_event(INVESTMENT))
def test_a_codec_keeps_nothing_between_events(one: Event, other: Event) -> None:
    """The bytes of an event do not depend on what was encoded before it."""
    codec = Codec(INVESTMENT)
    codec.encode(one)
    assert Codec(INVESTMENT).encode(other) == codec.encode(other)


@given(any_event(INVESTMENT))
def test_bytes_are_compact_json_that_anybody_can_read(event: Event) -> None:
    """Another reader of JSON sees the same values, numbers as text among them."""
    _, payload, _ = Codec(INVESTMENT).encode(event)
    plain = json.loads(payload)
    assert as_plain(event) == plain
    assert "\n" not in payload.decode()
    compact = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    assert compact == payload.decode()


@pytest.mark.parametrize("kind", INVESTMENT.kinds)
def test_kinds_name_their_newest_version(kind: str) -> None:
    """The stored kind is the name and version that are recorded now."""
    versions = {"agreement-signed": 2}
    stored, _, _ = Codec(INVESTMENT).encode(simplest(INVESTMENT.kinds[kind]))
    assert f"{kind}/{versions.get(kind, 1)}" == stored


# What is not encoded


STORABLE = "text without control characters, line separators or lone surrogates"


@pytest.mark.parametrize(
    "code",
    [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xDFFF],
    ids="U+{:04X}".format,
)
def test_control_characters_are_refused_in_any_text(code: int) -> None:
    """Each names the field and the place, wherever in the event it stands."""
    bad = f"legal \\ é {chr(code)}"
    party = Party(names=("a", bad))
    cases: list[tuple[str, Event]] = [
        ("$.what", Suspended(what=bad, when=WHEN, cites=CITES)),
        ("$.reason", Suspended(when=WHEN, cites=CITES, reason=bad)),
        ("$.when.words", Suspended(when=When("2025", bad), cites=CITES)),
        ("$.cites.at", Suspended(when=WHEN, cites=Citation("s", at=bad))),
        ("$.fields[1]", FieldsMentioned(fields=("tea", bad), when=WHEN, cites=CITES)),
        (
            "$.parties[0].names[1]",
            PartiesReported(parties=(party,), when=WHEN, cites=CITES),
        ),
        (
            "$.amount.words",
            ValueReported(
                amount=Amount.exact(1, "USD", words=bad), when=WHEN, cites=CITES
            ),
        ),
    ]
    with pytest.raises(InvalidValue):
        Codec(INVESTMENT).encode(Suspended(what=chr(code), when=WHEN, cites=CITES))
    for path, event in cases:
        with pytest.raises(InvalidValue) as caught:
            Codec(INVESTMENT).encode(event)
        error = caught.value
        assert f"{path} holds U+{code:04X}" == error.problem
        assert (bad, len(bad) - 1) == (error.found, error.place)
        assert STORABLE == error.accepted


@given(st.text(max_size=8))
@example("\\n")
@example("\\\\u0000")
@example('\\"')
@example("\\\\")
@example("\u007f")
@example("\u00a0\u200b\u202e\ufeff")
def test_a_text_is_taken_exactly_if_it_holds_no_control_character(text: str) -> None:
    """Backslashes, quotes and every other script are legal, and come back."""
    codec = Codec(INVESTMENT)
    event = Suspended(what=text, when=WHEN, cites=CITES)
    if any(is_unsafe(character) for character in text):
        with pytest.raises(InvalidValue):
            codec.encode(event)
    else:
        there_and_back(codec, event)


def is_unsafe(character: str) -> bool:
    """Say by its number alone whether a character is C0, DEL, C1, a separator."""
    code = ord(character)
    return (
        code < 0x20
        or 0x7F <= code < 0xA0
        or code in (0x2028, 0x2029)
        or 0xD800 <= code < 0xE000
    )


def wrong(event: Event, **fields: Any) -> Event:
    """Put values into an event that its class does not declare."""
    for name, value in fields.items():
        object.__setattr__(event, name, value)
    return event


def suspended(**fields: Any) -> Event:
    """Make a suspension with values of any type."""
    return wrong(Suspended(when=WHEN, cites=CITES), **fields)


@pytest.mark.parametrize(
    ("problem", "event"),
    [
        (r"\$.what: Expected `str`, got `int`", suspended(what=3)),
        (r"\$.what: Expected `str`, got `null`", suspended(what=None)),
        (r"it would be read as", suspended(what=b"bytes")),
        (r"\$.when: Expected `object`, got `str`", suspended(when="2025")),
        (r"\$.cites: Expected `object`", suspended(cites=None)),
        (r"\$.cites.at: ", suspended(cites=Citation("s", at=[]))),  # type: ignore[arg-type] # on purpose
        ("is unsupported", suspended(what=object())),
        ("is unsupported", suspended(what=3j)),
        (
            "it would be read as",
            FieldsMentioned(fields=["tea"], when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            r"\$.fields: Expected `array`",
            FieldsMentioned(fields="tea", when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            r"\$.open_list: Expected `bool`",
            FieldsMentioned(fields=(), open_list=1, when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            r"\$.number: Expected `int`",
            DocumentsReported(number=2.5, when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            r"\$.kind: Invalid enum value",
            AgreementSigned(kind="treaty", when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            "it would be read as",
            AgreementSigned(kind="agreement", when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
        (
            r"\$.area",
            LandAllocated(area=Citation("s"), when=WHEN, cites=CITES),  # type: ignore[arg-type] # on purpose
        ),
    ],
    ids=lambda value: str(value).lstrip("\\")[:20],  # nothing that pytest escapes
)
def test_a_field_of_another_type_is_refused(problem: str, event: Event) -> None:
    """Nothing is stored that could not be read again: the log can only grow."""
    with pytest.raises(InvalidValue, match=problem) as caught:
        Codec(INVESTMENT).encode(event)
    error = caught.value
    assert type(event).__name__ == error.found
    assert "the types its class declares" == error.accepted


def test_a_class_that_the_lifecycle_does_not_list_is_refused() -> None:
    """Its events would have no stored name."""
    with pytest.raises(UnknownName, match="'Odd'"):
        Codec(INVESTMENT).encode(Odd(when=WHEN, cites=CITES))


# What is not decoded

SAMPLE: tuple[Event, ...] = (
    Suspended(what="a \\ b", when=When("2025-04~", "in April"), cites=CITES),
    LandAllocated(area=Amount.below("3.0", "ha"), when=WHEN, cites=CITES),
    AgreementSigned(kind=DocumentKind.MEMORANDUM, when=WHEN, cites=CITES),
    FieldsMentioned(fields=("tea", "画"), when=WHEN, cites=CITES, replaces="x"),
    ConflictNoted(
        about="organisers",
        claims=(Claim("AZPROMO", CITES), Claim("NDRC", CITES)),
        when=WHEN,
        cites=CITES,
    ),
)


@pytest.mark.parametrize("event", SAMPLE, ids=lambda event: type(event).__name__)
def test_every_single_flipped_bit_is_noticed(event: Event) -> None:
    """All bits of the payload and of the checksum, one after the other."""
    codec = Codec(INVESTMENT)
    kind, payload, checksum = codec.encode(event)
    for bit in range(8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UndecodableEvent):
            codec.decode(kind, bytes(damaged), checksum)
    for bit in range(32):
        with pytest.raises(UndecodableEvent):
            codec.decode(kind, payload, checksum ^ 1 << bit)


@pytest.mark.parametrize("event", SAMPLE, ids=lambda event: type(event).__name__)
def test_cut_off_and_lengthened_bytes_are_noticed(event: Event) -> None:
    """No beginning of a payload is one, nor is a payload with something behind it."""
    codec = Codec(INVESTMENT)
    kind, payload, checksum = codec.encode(event)
    damaged = [payload[:size] for size in range(len(payload))]
    damaged += [payload + extra for extra in (b" ", b"\n", b"{}", b"\x00", payload)]
    damaged += [b" " + payload]
    for each in damaged:
        with pytest.raises(UndecodableEvent):
            codec.decode(kind, each, checksum)


@given(any_event(INVESTMENT), st.data())
@settings(max_examples=100)
def test_altered_json_is_noticed(event: Event, data: st.DataObject) -> None:
    """Legal JSON of the same shape, with any one text changed, is not the event."""
    codec = Codec(INVESTMENT)
    kind, payload, checksum = codec.encode(event)
    plain = json.loads(payload)
    name = data.draw(st.sampled_from([k for k, v in plain.items() if type(v) is str]))
    plain[name] = data.draw(texts().filter(lambda text: text != plain[name]))
    altered = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    with pytest.raises(UndecodableEvent):
        codec.decode(kind, altered, checksum)


LAND = b"""{"allottee":"unknown","area":{"high":"3","high_open":true,"low":null,\
"low_open":false,"qualifier":"exact","unit":"ha","words":""},"site":"","cites":{"at":\
"","digest":"","source":"s","speaker":""},"reason":"","replaces":"","when":{"edtf":\
"2025","words":""}}"""


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        (b'"site":"",', b'"site":"","acres":1,', "$.acres", "an unknown field"),
        (b'"unit":"ha"', b'"unit":"ha","x":1', "$.area.x", "an unknown field"),
        (b'"site":"",', b"", "$.site", "a missing field"),
        (b'"speaker":""', b'"speaker_":""', "$.cites.speaker_", "an unknown field"),
        (b',"speaker":""', b"", "$.cites.speaker", "a missing field"),
        (
            b'"cites":{"at":"","digest":"","source":"s","speaker":""},',
            b"",
            "$",
            "cites",
        ),
        (b'"when":', b'"then":', "$", "missing required field `when`"),
        (b'"high":"3"', b'"high":3', "$.area.high", "stored as 3, which we would"),
        (b'"high":"3"', b'"high":"3.00000"', "$", "the checksum differs"),
        (b'"high":"3"', b'"high":"three"', "$.area.high", "Invalid decimal"),
        (b'"high_open":true', b'"high_open":1', "$.area.high_open", "Expected `bool`"),
        (b'"unit":"ha"', b'"unit":"acre"', "$.area", "no unit or currency"),
        (b'"site":""', b'"site":"","site":""', "$", "the checksum differs"),
        (b'"site":""', b'"site": ""', "$", "the checksum differs"),
        (b'"site":""', b'"site":3', "$.site", "Expected `str`, got `int`"),
        (b'"site":""', b'"site":"\\u000a"', "$", "holds U+000A"),
        (b'"edtf":"2025"', b'"edtf":"2025-13"', "$.when", "months run from"),
        (b'"unknown"', b'"unclear"', "$.allottee", "Invalid enum value 'unclear'"),
        (b'"low":null', b'"low":"4"', "$.area", "the bounds cross"),
        (LAND, b"[]", "$", "Expected `object`, got `array`"),
        (LAND, b"null", "$", "Expected `object`, got `null`"),
        (LAND, b"", "$", "Input data was truncated"),
        (LAND, b"\xff\xfe", "$", "JSON is malformed"),
        (LAND, b"[" * 100_000, "$", ""),
    ],
)
def test_damage_is_named(old: bytes, new: bytes, path: str, problem: str) -> None:
    """The error carries stream, position, kind, field path and what is wrong."""
    codec = Codec(INVESTMENT)
    good = codec.encode(codec.structure("land-allocated", json.loads(LAND)))
    assert LAND == good[1]
    payload = LAND.replace(old, new, 1)
    row = (7, "agreement/x", 3, "id", good[0], 0, payload, b"{}", good[2])
    with pytest.raises(UndecodableEvent) as caught:
        list(codec.records([row]))
    error = caught.value
    expected = ("agreement/x", 7, "land-allocated/1", path)
    assert expected == (error.stream, error.position, error.kind, error.path)
    assert problem in error.problem


PARTIES = b"""{"parties":[{"country":"","names":["a"],"role":""},{"country":"",\
"names":["b"],"role":""}],"cites":{"at":"","digest":"","source":"s","speaker":""},\
"reason":"","replaces":"","when":{"edtf":"2025","words":""}}"""


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        (
            b'"names":["b"]',
            b'"names":["b"],"x":1',
            "$.parties[1].x",
            "an unknown field",
        ),
        (b'"country":"",', b"", "$.parties[0].country", "a missing field"),
        (
            b'["b"]',
            b'["B"]',
            "$",
            "the bytes are not those that were written: the checksum differs",
        ),
        (
            b'["b"]',
            b"[3]",
            "$.parties[1].names[0]",
            "Expected `str | array`, got `int`",
        ),
    ],
)
def test_damage_in_a_list_is_named_with_its_place(
    old: bytes, new: bytes, path: str, problem: str
) -> None:
    """Places count from 0, at every depth; the rest of the list is as it was."""
    codec = Codec(INVESTMENT)
    good = codec.encode(codec.structure("parties-reported", json.loads(PARTIES)))
    assert PARTIES == good[1]
    with pytest.raises(UndecodableEvent) as caught:
        codec.decode(good[0], PARTIES.replace(old, new, 1), good[2])
    assert (path, problem) == (caught.value.path, caught.value.problem)


@pytest.mark.parametrize(
    "kind",
    [
        "land-allocatd/1",
        "land-allocated",
        "land-allocated/",
        "land-allocated/0",
        "land-allocated/2",
        "land-allocated/01",
        "land-allocated/1 ",
        "land-allocated/1/1",
        "land-allocated/-1",
        "land-allocated/١",  # noqa: RUF001 - a digit, but not ours
        "Land-Allocated/1",
        "agreement-signed/3",
        "/1",
        "",
    ],
)
def test_an_unknown_kind_or_version_is_never_skipped(kind: str) -> None:
    """Not even if the bytes and their checksum are as good as any."""
    codec = Codec(INVESTMENT)
    _, payload, checksum = codec.encode(SAMPLE[1])
    with pytest.raises(UndecodableEvent, match=r"no (kind|version)"):
        codec.decode(kind, payload, checksum)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("land-allocated", "no version of 'land-allocated' is called '0'"),
        ("land-allocated/1/1", "no version of 'land-allocated' is called '1/1'"),
        ("land/1", "no kind of fact is called 'land'"),
    ],
)
def test_an_unknown_kind_is_told_from_an_unknown_version(
    kind: str, problem: str
) -> None:
    """What stands before the first slash is the kind, the rest its version."""
    with pytest.raises(UndecodableEvent) as caught:
        Codec(INVESTMENT).decode(kind, b"{}", 0)
    assert caught.value.problem.startswith(problem)


def test_bytes_of_one_kind_are_not_those_of_another() -> None:
    """Resumed has the same fields as Suspended; the checksum knows the kind."""
    codec = Codec(INVESTMENT)
    _, payload, checksum = codec.encode(Suspended(when=WHEN, cites=CITES))
    for kind in ("resumed/1", "terminated/1"):
        with pytest.raises(UndecodableEvent, match="the checksum differs") as caught:
            codec.decode(kind, payload, checksum)
        assert ("", 0) == (caught.value.stream, caught.value.position)


def test_records_are_given_in_the_order_of_the_rows() -> None:
    """All of a row's values are kept; the good ones before a bad one are given."""
    codec = Codec(INVESTMENT)
    good: list[StoredRow] = []
    for number, event in enumerate(SAMPLE, start=1):
        kind, payload, checksum = codec.encode(event)
        name = f"s/{number}"
        good.append((number, name, 1, f"i{number}", kind, 9, payload, b"{}", checksum))
    found = codec.records([*good, (6, "s/6", 1, "i6", "x/1", 9, b"", b"{}", 0)])
    records = [next(found) for _ in good]
    assert records == list(codec.records(good))
    assert list(SAMPLE) == [record.event for record in records]
    assert [row[:6] for row in good] == [tuple(record)[:6] for record in records]
    assert {b"{}"} == {record.metadata for record in records}
    with pytest.raises(UndecodableEvent, match="s/6 at position 6, x/1"):
        next(found)


# Older versions


@pytest.mark.parametrize(
    ("memorandum", "kind"),
    [(True, DocumentKind.MEMORANDUM), (False, DocumentKind.UNKNOWN)],
)
def test_signed_1_says_no_more_than_it_said(
    *, memorandum: bool, kind: DocumentKind
) -> None:
    """That it was no memorandum does not say what it was: never an agreement."""
    plain = as_plain(SAMPLE[2])
    del plain["kind"]
    payload = json.dumps({"memorandum": memorandum, **plain}).encode()
    event = Codec(INVESTMENT).decode(
        "agreement-signed/1", payload, crc("agreement-signed/1", payload)
    )
    assert AgreementSigned(kind=kind, when=WHEN, cites=CITES) == event


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        ({"memorandum": None}, "$", "'memorandum' of version 1 is missing"),
        ({"memorandum": True, "acres": 3}, "$", "unknown field 'acres'"),
        ({"memorandum": True, "when": None}, "$.when", "the field 'when' is missing"),
    ],
)
def test_damaged_old_versions_are_noticed(
    change: dict[str, Any], path: str, problem: str
) -> None:
    """The fields of an old version are checked, even those that are no more."""
    plain = {**as_plain(SAMPLE[2]), **change}
    del plain["kind"]
    payload = json.dumps({k: v for k, v in plain.items() if v is not None}).encode()
    codec = Codec(INVESTMENT)
    with pytest.raises(UndecodableEvent) as caught:
        codec.decode("agreement-signed/1", payload, crc("agreement-signed/1", payload))
    error = caught.value
    assert ("agreement-signed/1", path) == (error.kind, error.path)
    assert problem in error.problem


def test_every_upcast_chain_is_total() -> None:
    """From each version below the newest a step is known, for every kind."""
    for name in INVESTMENT.kinds:
        steps = {version for known, version in INVESTMENT.upcasts if known == name}
        assert set(range(1, INVESTMENT.version_of(name))) == steps


@frozen
class Licensed(Event):
    """A licence was granted; once it had a fee as a number, then as a text."""

    fee: Amount | Missing = Missing.UNKNOWN


def _fee_1_to_2(plain: dict[str, Any]) -> dict[str, Any]:
    plain["fee"] = str(plain.pop("fee_usd"))
    return plain


def _fee_2_to_3(plain: dict[str, Any]) -> dict[str, Any]:
    fee = plain.pop("fee")
    return {**plain, "fee": {"unit": "USD", "low": fee, "high": fee}}


LICENSED = Lifecycle(
    name="licences",
    events={"licensed": Licensed},
    upcasts={("licensed", 1): _fee_1_to_2, ("licensed", 2): _fee_2_to_3},
)
VERSIONS: list[tuple[str, dict[str, Any]]] = [
    ("licensed/1", {"fee_usd": 250}),
    ("licensed/2", {"fee": "250"}),
    ("licensed/3", {"fee": {"unit": "USD", "low": "250", "high": "250"}}),
]
BASE: dict[str, Any] = {"when": "2025-04-17", "cites": {"source": "source/a"}}


@pytest.mark.parametrize(("kind", "fields"), VERSIONS)
def test_every_version_becomes_the_newest(kind: str, fields: dict[str, Any]) -> None:
    """Each step is taken once, in order, from whichever version it was."""
    fee = Amount.exact(250, "USD")
    expected = Licensed(fee=fee, when=WHEN, cites=Citation("source/a"))
    codec = Codec(LICENSED)
    plain = {**BASE, **fields}
    before = json.dumps(plain)
    assert expected == codec.structure(kind, plain)
    assert before == json.dumps(plain)
    assert "licensed/3" == codec.encode(expected)[0]
    if kind != "licensed/3":
        assert expected == codec.decode(
            kind, before.encode(), crc(kind, before.encode())
        )


def test_without_a_version_the_newest_is_meant() -> None:
    """As people write facts by hand."""
    codec = Codec(LICENSED)
    fields = {**BASE, **VERSIONS[2][1]}
    assert codec.structure("licensed/3", fields) == codec.structure("licensed", fields)
    with pytest.raises(UnknownName, match=r"version of 'licensed' .* '4'"):
        codec.structure("licensed/4", fields)
    with pytest.raises(UnknownName, match="did you mean 'licensed'"):
        codec.structure("licenced", fields)


def test_an_upcast_that_fails_is_a_problem_of_the_fact() -> None:
    """Whatever goes wrong in an upcast, the fact is named, and nothing escapes."""

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        msg = "the fee is no number"
        raise ValueError(msg)

    lifecycle = Lifecycle("l", {"licensed": Licensed}, upcasts={("licensed", 1): fail})
    with pytest.raises(InvalidFields, match=r"version 1.*the fee is no number"):
        Codec(lifecycle).structure("licensed/1", BASE)
    with pytest.raises(UndecodableEvent, match=r"version 1.*the fee is no number"):
        Codec(lifecycle).decode("licensed/1", b"{}", crc("licensed/1", b"{}"))
    with pytest.raises(InvalidFields, match="this is list"):
        Codec(lifecycle).structure("licensed/1", [])


def test_a_changed_class_is_noticed() -> None:
    """A field that a newer release renamed is not passed over in old bytes."""

    @frozen
    class Renamed(Event):
        price: str = ""

    @frozen
    class Original(Event):
        charge: str = ""

    for made in (Renamed, Original):
        made.__annotations__ = {next(iter(made.__annotations__)): str}
    original = Codec(Lifecycle("l", {"licensed": Original}))
    renamed = Codec(Lifecycle("l", {"licensed": Renamed}))
    stored = original.encode(Original(charge="5", when=WHEN, cites=CITES))
    with pytest.raises(UndecodableEvent, match=r"\$.charge: an unknown field"):
        renamed.decode(*stored)


# Classes that are not plain: they go the slower road, and no value is lost


def _upper(text: str) -> str:
    return text.upper()


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@frozen
class Place:
    """A nested class with a private name."""

    name: str
    _code: str = ""


@frozen
class Odd(Event):
    """Everything at once that msgspec would ignore or cannot carry."""

    code: str = field(converter=_upper, default="")
    other: str = field(alias="another", default="")
    _secret: str = ""
    tags: frozenset[str] = frozenset()
    colours: frozenset[Colour] = frozenset()
    places: tuple[Place, ...] = ()
    title: str = field(default=attrs.Factory(lambda self: self.code, takes_self=True))
    length: int = field(init=False, default=7)
    price: Decimal | Missing = Missing.UNKNOWN
    ends: date | Missing = Missing.UNKNOWN
    named: str | Missing = Missing.UNKNOWN
    at: datetime | None = None
    share: float = 0.5
    counts: dict[str, int] = field(factory=dict)
    pair: tuple[int, str] = (0, "")
    lines: list[str] = field(factory=list)


ODD = Lifecycle(name="odd", events={"odd": Odd})


@given(st.data())
def test_odd_classes_come_back(data: st.DataObject) -> None:
    """Converters, aliases, private names, sets, unions: nothing is lost."""
    codec = Codec(ODD)
    words = {member.value for member in Missing}
    moments = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))
    event = data.draw(
        st.builds(
            Odd,
            when=st.just(WHEN),
            cites=st.just(CITES),
            code=texts(),
            another=texts(),
            secret=texts(),
            tags=st.frozensets(texts()),
            colours=st.frozensets(st.sampled_from(Colour)),
            places=st.lists(st.builds(Place, texts(), texts()), max_size=2).map(tuple),
            title=texts(),
            price=st.sampled_from([Decimal("1.10"), Decimal("1E+3"), *Missing]),
            ends=st.dates() | st.sampled_from(Missing),
            named=texts().filter(lambda text: text not in words)
            | st.sampled_from(Missing),
            at=st.none() | moments,
            share=st.floats(allow_nan=False, allow_infinity=False),
            counts=st.dictionaries(texts(), st.integers()),
            pair=st.tuples(st.integers(), texts()),
            lines=st.lists(texts(), max_size=2),
        )
    )
    stored = codec.encode(event)
    again = codec.decode(*stored)
    assert event == again
    assert stored == codec.encode(again)


@frozen
class Textual(Event):
    """Plain but for unions that msgspec cannot tell apart."""

    named: str | Missing = Missing.UNKNOWN
    fee: Optional[int] = None  # noqa: UP045 - as some still write it


@frozen
class Wordy(Event):
    """A plain class with a table of texts."""

    words: dict[str, str] = field(factory=dict)
    code: Optional[str] = None  # noqa: UP045 - as some still write it


TRADE = Lifecycle("trade", {"textual": Textual, "wordy": Wordy})


@given(texts().filter(lambda text: text not in set(map(str, Missing))))
def test_unions_and_tables_come_back(text: str) -> None:
    """A text or an absence, an optional, a table: by whichever road."""
    there_and_back(Codec(TRADE), Textual(named=text, fee=3, when=WHEN, cites=CITES))
    there_and_back(Codec(TRADE), Textual(when=WHEN, cites=CITES))
    event = Wordy(words={text: text}, code=text, when=WHEN, cites=CITES)
    there_and_back(Codec(TRADE), event)


@pytest.mark.parametrize(
    ("words", "path"),
    [({"a\n": ""}, r"$.words['a\n']"), ({"a": "b\n"}, "$.words['a']")],
)
def test_control_characters_are_refused_in_tables(
    words: dict[str, str], path: str
) -> None:
    """In a key as in a value; the path shows a key without its escapes."""
    with pytest.raises(InvalidValue) as caught:
        Codec(TRADE).encode(Wordy(words=words, when=WHEN, cites=CITES))
    assert f"{path} holds U+000A" == caught.value.problem


def test_an_odd_class_with_nothing_given_comes_back() -> None:
    """Defaults that are made from other fields are stored like any value."""
    event = Odd(code="abc", when=WHEN, cites=CITES)
    assert ("ABC", "ABC") == (event.code, event.title)
    there_and_back(Codec(ODD), event)


@pytest.mark.parametrize(
    ("own", "plain"),
    [
        (field(default=""), True),
        (field(factory=str), True),
        (field(converter=_upper, default=""), False),
        (field(alias="another", default=""), False),
        (field(init=False, default=""), False),
        (field(default=attrs.Factory(lambda self: self.what, takes_self=True)), False),
    ],
)
def test_one_odd_field_makes_a_class_odd(own: Any, *, plain: bool) -> None:
    """Whatever it is that msgspec would do otherwise than attrs."""
    assert plain is codec_module._is_plain(with_a_field(own, str))


def with_a_field(own: Any, annotation: Any) -> type[Event]:
    """Make a class of events with a field."""
    cls = attrs.make_class("Made", {"own": own}, bases=(Suspended,), frozen=True)
    cls.__annotations__ = {"own": annotation}
    return cls


@pytest.mark.parametrize(
    ("annotation", "plain"),
    [
        (tuple[str, ...], True),
        (dict[str, int], True),
        (Citation, True),
        (Citation | None, True),
        (tuple[Citation, ...], True),
        (set[str], False),
        (frozenset[str], False),
        (list[set[str]], False),
        (Place, False),
        (Place | None, False),
        (Optional[Place], False),  # noqa: UP045 - the other way to write it
        (tuple[Place, ...], False),
        (dict[str, list[Place]], False),
    ],
    ids=str,
)
def test_one_odd_part_makes_a_class_odd(annotation: Any, *, plain: bool) -> None:
    """However deep it lies in what the class says of a field."""
    assert plain is codec_module._is_plain(
        with_a_field(field(kw_only=True), annotation)
    )


class Broken(enum.Enum):
    """A word over two lines, which may not be stored."""

    LINES = "a\nb"


def test_a_word_over_two_lines_is_refused() -> None:
    """Also where it is no text of the source, but a word of the class."""
    cls = with_a_field(field(kw_only=True), Broken)
    codec = Codec(Lifecycle("l", {"made": cls}))
    event = cls(own=Broken.LINES, when=WHEN, cites=CITES)  # type: ignore[call-arg] # made above
    with pytest.raises(InvalidValue) as caught:
        codec.encode(event)
    assert "a control character or line separator" == caught.value.problem


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        (
            b'["a"]',
            b'["a","a"]',
            "$",
            "the bytes are not those that were written: the checksum differs",
        ),
        (
            b'{"edtf":"2025-04-17","words":""}',
            b'"2025-04-17"',
            "$.when",
            (
                "stored as '2025-04-17', which we would write as"
                " {'edtf': '2025-04-17', 'words': ''}"
            ),
        ),
    ],
)
def test_what_is_written_otherwise_is_noticed(
    old: bytes, new: bytes, path: str, problem: str
) -> None:
    """Even where the forgiving road reads it as the same value."""
    codec = Codec(ODD)
    event = Odd(tags=frozenset("a"), when=WHEN, cites=CITES)
    kind, payload, checksum = codec.encode(event)
    with pytest.raises(UndecodableEvent) as caught:
        codec.decode(kind, payload.replace(old, new, 1), checksum)
    assert (path, problem) == (caught.value.path, caught.value.problem)


@pytest.mark.parametrize(
    "change",
    [
        {"named": "unknown"},  # would be read as Missing.UNKNOWN
        {"share": float("nan")},
        {"share": float("inf")},
        {"at": datetime(2025, 4, 17)},  # noqa: DTZ001 - without a zone, on purpose
        {"tags": frozenset({"a\n"})},
        {"counts": {"a\x1b": 1}},
        {"counts": {1: 1}},
        {"places": (3,)},
        {"ends": datetime(2025, 4, 17, tzinfo=UTC)},
    ],
    ids="-".join,
)
def test_an_odd_value_that_would_not_come_back_is_refused(
    change: dict[str, Any],
) -> None:
    """Ambiguous, not finite, without a zone, unsafe or of another type."""
    with pytest.raises(InvalidValue):
        Codec(ODD).encode(wrong(Odd(when=WHEN, cites=CITES), **change))


def test_sets_are_stored_in_the_same_order_by_every_process() -> None:
    """Their own order is chance, and differs from process to process."""
    program = (
        "from tests.core.test_codec import ODD, Odd, WHEN, CITES, Codec\n"
        "tags = frozenset(map(str, range(99)))\n"
        "print(Codec(ODD).encode(Odd(tags=tags, when=WHEN, cites=CITES))[1:])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert 1 == len(outputs)
    assert '"1","10","11"' in outputs.pop().replace("'", '"')


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (b'"other":""', b'"other":"","other":""', "$"),
        (b'"title"', b'"titel"', "$"),
        (b'"_secret":""', b'"secret":""', "$"),
        (b'"tags":[]', b'"tags":"ab"', "$.tags"),
        (b'"places":[]', b'"places":[{"name":"x","_code":3}]', "$.places[0]._code"),
    ],
)
def test_damage_in_odd_classes_is_noticed(old: bytes, new: bytes, path: str) -> None:
    """The slower road has a checksum as well, and is strict about fields."""
    codec = Codec(ODD)
    kind, payload, checksum = codec.encode(Odd(when=WHEN, cites=CITES))
    damaged = payload.replace(old, new)
    assert damaged != payload
    with pytest.raises(UndecodableEvent) as caught:
        codec.decode(kind, damaged, checksum)
    assert path == caught.value.path


@given(any_event(INVESTMENT))
def test_encoding_is_deterministic(event: Event) -> None:
    """The same event, the same bytes."""
    codec = Codec(INVESTMENT)
    assert codec.encode(event) == codec.encode(event) == Codec(INVESTMENT).encode(event)


def test_common_facts_need_no_listing() -> None:
    """A lifecycle that lists nothing still keeps what belongs to no trade."""
    there_and_back(Codec(Lifecycle("bare", {})), Suspended(when=WHEN, cites=CITES))


def test_damage_in_old_versions_is_noticed_by_the_checksum() -> None:
    """Also where every text would do: the bytes are not those that were written."""
    payload = (
        b'{"memorandum":true,"when":{"edtf":"2025","words":""},"cites":{"source":"s"}}'
    )
    kind = "agreement-signed/1"
    codec = Codec(INVESTMENT)
    codec.decode(kind, payload, crc(kind, payload))
    with pytest.raises(UndecodableEvent, match="checksum differs"):
        codec.decode(kind, payload.replace(b"2025", b"2026"), crc(kind, payload))


@pytest.mark.parametrize("kind", INVESTMENT.kinds)
@given(st.data())
def test_the_checksum_can_be_asked_for(kind: str, data: st.DataObject) -> None:
    """Of stored bytes it is the one with which they were stored."""
    codec = Codec(INVESTMENT)
    kind, payload, checksum = codec.encode(data.draw(events(INVESTMENT.kinds[kind])))
    assert checksum == Codec(INVESTMENT).checksum(kind, payload)


def test_nothing_writes_old_versions() -> None:
    """So there is no checksum with which they would be stored now."""
    codec = Codec(INVESTMENT)
    assert codec.checksum("agreement-signed/1", b"{}") is None
    with pytest.raises(UnknownName):
        codec.checksum("agreement-signed/99", b"{}")


def test_a_field_that_a_class_has_got_since_takes_its_default() -> None:
    """Bytes of the class as it was are read strictly, and kept."""

    @frozen
    class Licence(Event):
        number: str = ""

    Licence.__annotations__ = {"number": str}
    before = Codec(Lifecycle("l", {"licence": Licence}))
    kind, payload, checksum = before.encode(Licence("7", when=WHEN, cites=CITES))

    @frozen
    class Licence2(Event):
        number: str = ""
        area: str = "unknown"

    Licence2.__annotations__ = {"number": str, "area": str}
    after = Codec(Lifecycle("l", {"licence": Licence2}))
    expected = Licence2("7", "unknown", when=WHEN, cites=CITES)
    assert expected == after.decode(kind, payload, checksum)
