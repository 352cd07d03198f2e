"""Events as people write them: forgiving in form, never in meaning."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.golden.reader import as_plain
from tests.core.test_codec import Colour, Odd, Place

from azcn_events.core import conversion
from azcn_events.core.codec import Codec
from azcn_events.core.events import Event
from azcn_events.core.values import Amount, Citation, Missing, When
from azcn_events.errors import InvalidFields, Problem
from azcn_events.investment import INVESTMENT
from azcn_events.investment.events import (
    AgreementSigned,
    DocumentKind,
    FieldsMentioned,
    InvestmentCompleted,
    LandAllocated,
    Party,
)
from azcn_events.testing import any_event

BASE: dict[str, Any] = {"when": "2025-04-17", "cites": {"source": "source/a"}}
WHEN = When("2025-04-17")
NO_UNIT = {"low": None, "high": "3"}
CITES = Citation("source/a")


@pytest.fixture(autouse=True)
def converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a converter made while it runs.

    Else only importing would make one, and mutation testing could not see how.
    """
    monkeypatch.setattr(conversion, "_CONVERTER", conversion._converter())


def made(kind: str, /, **fields: Any) -> Event:
    """Structure a fact of a kind from the base and further fields."""
    return Codec(INVESTMENT).structure(kind, {**BASE, **fields})


def problems(kind: str, plain: Any) -> list[tuple[str, str]]:
    """Give every problem of plain values as path and message."""
    with pytest.raises(InvalidFields) as caught:
        Codec(INVESTMENT).structure(kind, plain)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@given(any_event(INVESTMENT))
def test_plain_values_make_the_event_again(event: Event) -> None:
    """Both roads write the same values, and either can be read back."""
    plain = conversion.unstructure(event)
    assert as_plain(event) == plain
    again = conversion.structure(plain, type(event))
    assert event == again
    assert repr(event) == repr(again)


@given(any_event(INVESTMENT))
def test_reading_does_not_change_what_it_reads(event: Event) -> None:
    """The caller's own values stay as they are."""
    plain = as_plain(event)
    before = deepcopy(plain)
    conversion.structure(plain, type(event))
    assert before == plain


def test_dates_may_be_plain_text_and_defaults_left_out() -> None:
    """What a person leaves out is what the class says by default."""
    expected = LandAllocated(when=WHEN, cites=CITES)
    assert expected == made("land-allocated")
    explicit = {"edtf": "2025-04-17", "words": ""}
    assert expected == made("land-allocated", when=explicit)
    assert (
        When("2025-04-17") == made("land-allocated", when={"edtf": "2025-04-17"}).when
    )


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("unknown", Missing.UNKNOWN),
        ("none", Missing.NONE),
        ("withheld", Missing.WITHHELD),
        ("void", Missing.VOID),
        ({"unit": "ha", "low": "2.70", "high": "2.70"}, Amount.exact("2.70", "ha")),
        ({"unit": "ha", "low": 2, "high": 3}, Amount.between(2, 3, "ha")),
        (
            {"unit": "ha", "low": None, "high": "3", "high_open": True},
            Amount.below(3, "ha"),
        ),
        (
            {"unit": "ha", "low": "1E+2", "high": None},
            Amount.above(100, "ha", inclusive=True),
        ),
    ],
)
def test_amounts_and_absences(area: Any, expected: Amount | Missing) -> None:
    """Numbers as text or whole numbers; the four words for their absence."""
    event = LandAllocated(area=expected, when=WHEN, cites=CITES)
    assert event == made("land-allocated", area=area)


@pytest.mark.parametrize(
    ("kind", "fields", "path", "message"),
    [
        ("land-allocated", {"area": 3}, "$.area", "this is int, not an object"),
        ("land-allocated", {"area": 2.7}, "$.area", "this is float, not an object"),
        ("land-allocated", {"area": []}, "$.area", "this is list, not an object"),
        ("land-allocated", {"area": None}, "$.area", "NoneType, not an object"),
        ("land-allocated", {"area": True}, "$.area", "this is bool, not an object"),
        (
            "land-allocated",
            {"area": "3 ha"},
            "$.area",
            "one of unknown, none",
        ),
        ("land-allocated", {"area": "Unknown"}, "$.area", "not a Missing"),
        (
            "land-allocated",
            {"area": NO_UNIT},
            "$.area.unit",
            "the field 'unit' is missing",
        ),
        ("land-allocated", {"site": 3}, "$.site", "this is int, not text"),
        ("land-allocated", {"site": None}, "$.site", "this is NoneType, not text"),
        ("land-allocated", {"site": ["x"]}, "$.site", "this is list, not text"),
        ("land-allocated", {"cites": "s"}, "$.cites", "this is str, not an object"),
        ("land-allocated", {"cites": None}, "$.cites", "NoneType, not an object"),
        ("land-allocated", {"cites": {}}, "$.cites.source", "'source' is missing"),
        ("land-allocated", {"cites": {"source": ""}}, "$.cites", "names its source"),
        ("land-allocated", {"when": 2025}, "$.when", "this is int, not an object"),
        ("land-allocated", {"when": None}, "$.when", "NoneType, not an object"),
        ("land-allocated", {"when": []}, "$.when", "this is list, not an object"),
        ("land-allocated", {"when": {}}, "$.when.edtf", "'edtf' is missing"),
        ("land-allocated", {"when": "2025-13"}, "$.when", "months run from 01 to 12"),
        ("land-allocated", {"when": {"edtf": "x"}}, "$.when", "this is not a date"),
        ("land-allocated", {"when": {"edtf": 3}}, "$.when.edtf", "int, not text"),
        ("land-allocated", {"acres": 3}, "$", "unknown field 'acres'"),
        ("land-allocated", {"b": 1, "a": 1}, "$", "unknown field 'a', 'b'"),
        ("fields-mentioned", {"fields": "tea"}, "$.fields", "this is str, not a list"),
        ("fields-mentioned", {"fields": {"a": 1}}, "$.fields", "dict, not a list"),
        ("fields-mentioned", {"fields": 3}, "$.fields", "this is int, not a list"),
        ("fields-mentioned", {"fields": None}, "$.fields", "NoneType, not a list"),
        ("fields-mentioned", {"fields": [1]}, "$.fields[0]", "this is int, not text"),
        (
            "fields-mentioned",
            {"fields": [], "open_list": 1},
            "$.open_list",
            "this is int, not true or false",
        ),
        (
            "fields-mentioned",
            {"fields": [], "open_list": "true"},
            "$.open_list",
            "this is str, not true or false",
        ),
        ("parties-reported", {"parties": "ab"}, "$.parties", "str, not a list"),
        ("parties-reported", {"parties": [1]}, "$.parties[0]", "int, not an object"),
        (
            "parties-reported",
            {"parties": [{}, {"names": "AZPROMO"}]},
            "$.parties[1].names",
            "this is str, not a list",
        ),
        ("documents-reported", {"number": "13"}, "$.number", "str, not a whole number"),
        ("documents-reported", {"number": 1.0}, "$.number", "float, not a whole"),
        ("documents-reported", {"number": True}, "$.number", "bool, not a whole"),
        (
            "documents-reported",
            {"number": 3, "groups": [{"group": "a", "number": 4}]},
            "$",
            "groups of 4 in all exceed it",
        ),
        (
            "documents-reported",
            {"number": 3, "groups": [{"group": "a", "number": -1}]},
            "$.groups[0]",
            "no such count",
        ),
        ("agreement-signed", {"kind": "treaty"}, "$.kind", "one of memorandum, agree"),
        ("agreement-signed", {"kind": 3}, "$.kind", "not a DocumentKind"),
        ("agreement-signed", {"kind": None}, "$.kind", "not a DocumentKind"),
        ("agreement-signed/1", {}, "$", "'memorandum' of version 1 is missing"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(
    kind: str, fields: dict[str, Any], path: str, message: str
) -> None:
    """Another type is never converted, and the message says what is wanted."""
    ((found, text),) = problems(kind, {**BASE, **fields})
    assert path == found
    assert message in text


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"low": 2.7}, "$.area.low", "a float is no exact number"),
        ({"low": True}, "$.area.low", "a bool is no exact number"),
        ({"low": []}, "$.area.low", "a list is no exact number"),
        ({"low": ""}, "$.area.low", "this is not a number"),
        ({"low": "two"}, "$.area.low", "this is not a number"),
        ({"low": " 2"}, "$.area.low", "this is not a number"),
        ({"low": "2\n"}, "$.area.low", "this is not a number"),
        ({"low": "1_0"}, "$.area.low", "this is not a number"),
        ({"low": "1,000"}, "$.area.low", "this is not a number"),
        ({"low": "٢"}, "$.area.low", "this is not a number"),
        ({"low": "1e9999999"}, "$.area.low", "this is not a number"),
        ({"low": "NaN"}, "$.area", "it is not finite"),
        ({"low": "sNaN"}, "$.area", "it is not finite"),
        ({"low": "-Infinity"}, "$.area", "it is not finite"),
        ({"low": "1e30"}, "$.area", "more than 30 digits"),
        ({"low": "1e-999999"}, "$.area", "more than 30 digits"),
        ({"low": 10**30}, "$.area", "more than 30 digits"),
        ({"low": "4"}, "$.area", "the bounds cross"),
        ({"low": None, "low_open": True}, "$.area", "a missing bound"),
        ({"high": "0", "low": None}, "$", "an area is more than nothing"),
        ({"unit": "acre"}, "$.area", "no unit or currency is called so"),
        ({"unit": "hectares"}, "$.area", "did you mean 'ha'"),
        ({"unit": None}, "$.area.unit", "this is NoneType, not text"),
        ({"qualifier": "sure"}, "$.area.qualifier", "not a Qualifier"),
        ({"low_open": 0}, "$.area.low_open", "this is int, not true or false"),
        ({"lower": "2"}, "$.area", "unknown field 'lower'"),
    ],
)
def test_a_wrong_amount_is_refused_with_its_path(
    change: dict[str, Any], path: str, message: str
) -> None:
    """The trouble is named where it is, down to the bound."""
    area = {"unit": "ha", "low": "2", "high": "3", **change}
    ((found, text),) = problems("land-allocated", {**BASE, "area": area})
    assert path == found
    assert message in text


@pytest.mark.parametrize("plain", [3, None, [], "text", True, 2.5])
def test_a_fact_is_an_object(plain: Any) -> None:
    """Anything else is refused as a whole, for an old version as well."""
    for kind in ("land-allocated", "agreement-signed/1"):
        ((path, message),) = problems(kind, plain)
        assert path == "$"
        assert "not an object with fields" in message


def test_every_problem_is_reported_at_once() -> None:
    """Nobody has to repair and repeat six times."""
    found = problems(
        "land-allocated",
        {
            "when": "2025-13",
            "cites": {"source": 3, "page": 4},
            "area": {"unit": "ha", "low": 2.7, "high": "x"},
            "allottee": {"names": "AZPROMO"},
            "site": 3,
            "acres": 1,
        },
    )
    paths = [
        "$",
        "$.allottee.names",
        "$.area.high",
        "$.area.low",
        "$.cites",
        "$.cites.source",
        "$.site",
        "$.when",
    ]
    assert paths == sorted(path for path, _ in found)


def test_one_of_two_classes_or_an_absence() -> None:
    """A party, an absence, or a list of what was wrong with either."""
    party = {"names": ["a company"], "country": "AZ"}
    expected = LandAllocated(
        allottee=Party(("a company",), "AZ"), when=WHEN, cites=CITES
    )
    assert expected == made("land-allocated", allottee=party)
    assert expected != made("land-allocated", allottee="none")


def test_enumerations_are_read_by_their_word() -> None:
    """The stored word, not the name in Python."""
    expected = AgreementSigned(kind=DocumentKind.AGREEMENT, when=WHEN, cites=CITES)
    assert expected == made("agreement-signed", kind="agreement")
    ((path, _),) = problems("agreement-signed", {**BASE, "kind": "AGREEMENT"})
    assert "$.kind" == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(any_event(INVESTMENT), st.data())
def test_any_values_make_an_event_or_are_refused(
    event: Event, data: st.DataObject
) -> None:
    """Whatever JSON stands in any field, nothing but InvalidFields comes out."""
    plain = as_plain(event)
    name = data.draw(st.sampled_from(sorted(plain)))
    plain[name] = data.draw(JSON)
    try:
        made_of = as_plain(conversion.structure(plain, type(event)))
        found: tuple[Problem, ...] = ()
    except InvalidFields as error:
        made_of, found = None, error.problems
    if made_of is None:
        assert found
    elif isinstance(plain[name], str | bool | int) and name not in {"when", "target"}:
        assert plain[name] == made_of[name]
    for problem in found:
        assert problem.path == "$" or problem.path.startswith(f"$.{name}")


@attrs.frozen
class Sometimes(Event):
    """A fact with counts, or none."""

    counts: dict[str, int] | None = None


NUMBER_WANTED = "a number as text, such as '2.7', or a whole number; never a float"
MOMENT_WANTED = "a date-time with a zone, like 2025-04-17T09:00:00Z"


@pytest.mark.parametrize(
    ("cls", "fields", "message"),
    [
        (
            LandAllocated,
            {"area": 3},
            (
                "'3': this is int, not an object with fields;"
                " accepted: an object with fields"
            ),
        ),
        (
            LandAllocated,
            {"area": "3 ha"},
            (
                "'3 ha': not a Missing;"
                " accepted: one of unknown, none, withheld, void, erased"
            ),
        ),
        (LandAllocated, {"site": 3}, "'3': this is int, not text; accepted: text"),
        (
            LandAllocated,
            {"area": "3 ha @ Baku"},
            (
                "'3 ha @ Baku': not a Missing;"
                " accepted: one of unknown, none, withheld, void, erased"
            ),
        ),
        (
            FieldsMentioned,
            {"fields": "tea"},
            "'tea': this is str, not a list; accepted: a list",
        ),
        (
            FieldsMentioned,
            {"fields": [], "open_list": 1},
            "'1': this is int, not true or false; accepted: true or false",
        ),
        (
            LandAllocated,
            {"area": {"unit": "ha", "low": 2.7, "high": None}},
            f"'2.7': a float is no exact number; accepted: {NUMBER_WANTED}",
        ),
        (
            LandAllocated,
            {"area": {"unit": "ha", "low": "x", "high": None}},
            f"'x': this is not a number; accepted: {NUMBER_WANTED}",
        ),
        (
            AgreementSigned,
            {"kind": "treaty"},
            (
                "'treaty': not a DocumentKind;"
                " accepted: one of memorandum, agreement, unknown"
            ),
        ),
        (LandAllocated, {"cites": {}}, "the field 'source' is missing"),
        (LandAllocated, {"b": 1, "a": 2}, "unknown field 'a', 'b'"),
        (
            Odd,
            {"at": "2025-04-17T09:00:00"},
            f"'2025-04-17T09:00:00': it has no time zone; accepted: {MOMENT_WANTED}",
        ),
        (
            Odd,
            {"at": "noon"},
            f"'noon': Invalid isoformat string: 'noon'; accepted: {MOMENT_WANTED}",
        ),
        (
            Odd,
            {"share": True},
            (
                "'True': this is bool, not a number with a point;"
                " accepted: a number with a point"
            ),
        ),
        (
            Odd,
            {"pair": [1]},
            "Not enough values in [1] to structure as tuple[int, str]",
        ),
        (
            Odd,
            {"counts": 3},
            "'int' object has no attribute 'items' (expected dict)",
        ),
        (
            Sometimes,
            {"counts": 3},
            "'int' object has no attribute 'items' (expected dict[str, int] | None)",
        ),
    ],
)
def test_a_problem_is_told_word_for_word(
    cls: type[Event], fields: dict[str, Any], message: str
) -> None:
    """What was found, what is wrong with it, and what would be accepted."""
    with pytest.raises(InvalidFields) as caught:
        conversion.structure({**BASE, **fields}, cls)
    (problem,) = caught.value.problems
    assert (0, message) == (problem.line, problem.message)


@pytest.mark.parametrize(
    "fields",
    [
        {"memorandum": "yes"},
        {"memorandum": None},
        {"memorandum": True, "kind": "memorandum"},
    ],
)
def test_version_1_of_a_signing_said_yes_or_no(fields: dict[str, Any]) -> None:
    """It had no kind, and nothing but true or false in its place."""
    with pytest.raises(InvalidFields) as caught:
        made("agreement-signed/1", **fields)
    message = (
        "this cannot be read as version 1:"
        " it has 'memorandum', true or false, and no 'kind'"
    )
    assert (Problem(0, "$", message),) == caught.value.problems


# Classes that are not plain


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"ends": "2025-W17-4"}, "$.ends", "this is not a day"),
        ({"ends": "20250417"}, "$.ends", "this is not a day"),
        ({"ends": 20250417}, "$.ends", "this is not a day"),
        ({"ends": "2025-02-30"}, "$.ends", "day is out of range"),
        ({"at": "2025-04-17T09:00:00"}, "$.at", "it has no time zone"),
        ({"at": "noon"}, "$.at", "Invalid isoformat"),
        ({"price": "x"}, "$.price", "this is not a number"),
        ({"price": 2.5}, "$.price", "a float is no exact number"),
        ({"share": "0.5"}, "$.share", "this is str, not a number with a point"),
        ({"share": True}, "$.share", "this is bool, not a number with a point"),
        ({"tags": "abc"}, "$.tags", "this is str, not a list"),
        ({"pair": [1]}, "$.pair", "Not enough values in"),
        ({"colours": ["blue"]}, "$.colours[0]", "one of red, green"),
        ({"counts": {"a": "b"}}, "$.counts['a']", "this is str, not a whole number"),
        ({"secret": ""}, "$", "unknown field 'secret'"),
    ],
)
def test_wrong_values_of_other_classes_are_refused(
    fields: dict[str, Any], path: str, message: str
) -> None:
    """The same strictness for what users define."""
    with pytest.raises(InvalidFields) as caught:
        conversion.structure({**BASE, **fields}, Odd)
    (problem,) = caught.value.problems
    assert path == problem.path
    assert message in problem.message


def test_the_members_of_a_set_are_written_in_one_order() -> None:
    """By what they are written as; words and other things may stand together."""
    event = Odd(
        when=WHEN,
        cites=CITES,
        tags=frozenset("hgfedcba"),
        colours=frozenset(Colour),
    )
    plain = conversion.unstructure(event)
    assert isinstance(plain, dict)
    assert list("abcdefgh") == plain["tags"]
    assert ["green", "red"] == plain["colours"]
    places = frozenset({Place("b"), Place("a", "1"), Place("a")})
    written = conversion.unstructure(places)
    assert isinstance(written, list)
    assert sorted(written, key=repr) == written
    assert 3 == len(written)


def test_days_times_and_numbers_are_written_as_text() -> None:
    """In the form in which they are read."""
    event = Odd(
        when=WHEN,
        cites=CITES,
        price=Decimal("2.70"),
        ends=date(2025, 4, 17),
        at=datetime(2025, 4, 17, 9, tzinfo=UTC),
    )
    plain = conversion.unstructure(event)
    assert isinstance(plain, dict)
    assert ["2.70", "2025-04-17", "2025-04-17T09:00:00+00:00"] == [
        plain[name] for name in ("price", "ends", "at")
    ]
    assert event == conversion.structure(plain, Odd)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, list[str]])
def test_a_text_is_no_list_of_its_letters(kind: Any) -> None:
    """Nor the second time, nor if the class does not say what it is a list of."""
    assert kind(["ab"]) == conversion.structure(["ab"], kind)
    for _ in range(2):
        with pytest.raises(InvalidFields, match="this is str, not a list"):
            conversion.structure("ab", kind)


def test_a_list_is_a_tuple_of_its_items() -> None:
    """JSON has lists, classes have tuples; order and repetition are kept."""
    plain = json.loads('{"fields": ["tea", "cotton", "tea"]}')
    expected = FieldsMentioned(fields=("tea", "cotton", "tea"), when=WHEN, cites=CITES)
    assert expected == made("fields-mentioned", **plain)


def test_a_word_for_an_absence_is_no_text() -> None:
    """Withheld in the place of an amount is an absence, and stays one."""
    event = made("investment-completed", amount="withheld")
    assert InvestmentCompleted(amount=Missing.WITHHELD, when=WHEN, cites=CITES) == event
