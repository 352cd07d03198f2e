"""Date texts: every form says exactly the days that it says, or is refused."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import product

import edtf as other_reader
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from azcn_events.core.edtf import ACCEPTED, Bounds, parse, write
from azcn_events.core.values import When
from azcn_events.errors import InvalidValue
from azcn_events.testing.strategies.values import days, edtf_texts

YEARS = range(1, 10_000)


def first_and_last(year: str, month: str = "", day: str = "") -> tuple[date, date]:
    """Say which days a date of level 0 or 1 may mean, by trying them one by one.

    Slow and simple on purpose: digits are compared, nothing is reckoned.
    """
    years = [y for y in YEARS if fits(year, f"{y:04}")]
    months = range(1, 13)
    fitting = [
        date(y, m, d)
        for y in (years[0], years[-1])
        for m in months
        if not month or fits(month, f"{m:02}")
        for d in range(1, monthrange(y, m)[1] + 1)
        if not day or fits(day, f"{d:02}")
    ]
    return fitting[0], fitting[-1]


def fits(pattern: str, digits: str) -> bool:
    """Say whether digits agree with a pattern in which X is any digit."""
    return all(p in ("X", d) for p, d in zip(pattern, digits, strict=True))


@given(st.integers(1, 9999), st.integers(1, 12), st.data())
def test_dates_mean_the_days_that_fit_them(
    year: int, month: int, data: st.DataObject
) -> None:
    """A day, a month and a year mean each day whose digits agree, and no other."""
    day = data.draw(st.integers(1, monthrange(year, month)[1]))
    whole = f"{year:04}", f"{month:02}", f"{day:02}"
    parts = data.draw(
        st.sampled_from(
            [whole, (*whole[:2], "XX"), whole[:2], (whole[0], "XX", "XX"), whole[:1]]
        )
    )
    assert first_and_last(*parts) == bounds_of("-".join(parts))


@pytest.mark.parametrize("year", ["20XX", "202X", "01XX", "001X", "99XX", "999X"])
@pytest.mark.parametrize("rest", ["", "-XX", "-XX-XX"])
def test_decades_and_centuries_mean_all_their_days(year: str, rest: str) -> None:
    """A year with unknown digits spans every year that fits."""
    assert first_and_last(year) == bounds_of(year + rest)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2025-21", "2025-03-01", "2025-12-31"),
        ("2025-22", "2024-12-01", "2026-03-31"),
        ("2025-23", "2025-03-01", "2025-12-31"),
        ("2025-24", "2024-12-01", "2026-03-31"),
        ("0001-22", "0001-12-01", "0002-03-31"),
        ("9999-24", "9998-12-01", "9999-03-31"),
    ],
)
def test_seasons_hold_both_hemispheres(text: str, earliest: str, latest: str) -> None:
    """A season is bounded wherever it was meant, within the calendar."""
    expected = date.fromisoformat(earliest), date.fromisoformat(latest)
    assert expected == bounds_of(text)


@pytest.mark.parametrize("season", [21, 22, 23, 24])
def test_a_season_holds_its_months_by_the_calendar_and_by_the_sun(season: int) -> None:
    """North and south, by month and by solstice: every such day is in the bounds."""
    earliest, latest = bounds_of(f"2025-{season}")
    assert earliest
    assert latest
    northern = (season - 20) * 3  # The month in which it begins in the north.
    for month in (northern, northern + 6):
        begins = date(2025, (month - 1) % 12 + 1, 1)
        assert earliest <= begins
        assert begins + timedelta(days=80) <= latest


def bounds_of(text: str) -> tuple[date | None, date | None]:
    """Give both bounds of a text."""
    bounds = parse(text)
    return bounds.earliest, bounds.latest


def in_set(element: str, day: date) -> bool:
    """Say whether a day is in one element of a set, by its text."""
    first, dots, last = element.partition("..")
    if not dots:
        return element == day.isoformat()
    return (not first or first <= day.isoformat()) and (
        not last or day.isoformat() <= last
    )


SMALL = [date(2025, 4, 28) + timedelta(days=number) for number in range(7)]
ELEMENTS = st.one_of(
    st.sampled_from(SMALL).map(date.isoformat),
    st.lists(st.sampled_from(SMALL), min_size=2, max_size=2).map(
        lambda pair: "..".join(day.isoformat() for day in sorted(pair))
    ),
)


@given(st.lists(ELEMENTS, min_size=1, max_size=4))
def test_a_set_is_bounded_by_its_first_and_last_day(elements: list[str]) -> None:
    """One of a set: the bounds are the ends of its days, all written out."""
    expanded = [d for d in SMALL if any(in_set(element, d) for element in elements)]
    assert (expanded[0], expanded[-1]) == bounds_of(f"[{','.join(elements)}]")


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("[..2025-04-25]", None, "2025-04-25"),
        ("[2025-04-25..]", "2025-04-25", None),
        ("[..2025-04]", None, "2025-04-30"),
        ("[2025-04..]", "2025-04-01", None),
        ("[2025-04-01,2025-05..]", "2025-04-01", None),
        ("[..2025-04-01,2025-05]", None, "2025-05-31"),
        ("[..2025-04-01,2025-05..]", None, None),
        ("[2025-04..2025-05]", "2025-04-01", "2025-05-31"),
        ("[202X]", "2020-01-01", "2029-12-31"),
        ("2025-04-15/2025-04-21", "2025-04-15", "2025-04-21"),
        ("2025-04/2025", "2025-04-01", "2025-12-31"),
        ("2025-04-25/..", "2025-04-25", None),
        ("2025-04-25/", "2025-04-25", None),
        ("../2025-04-25", None, "2025-04-25"),
        ("/2025-04-25", None, "2025-04-25"),
        ("2025-04-25T23:59:59Z", "2025-04-25", "2025-04-25"),
        ("2025-04-25T00:30:00+14:00", "2025-04-25", "2025-04-25"),
        ("2025-04-25T10:30:00-03", "2025-04-25", "2025-04-25"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("0001", "0001-01-01", "0001-12-31"),
        ("9999-12-31", "9999-12-31", "9999-12-31"),
        ("", None, None),
    ],
)
def test_bounds(text: str, earliest: str | None, latest: str | None) -> None:
    """Golden examples: open ends stay open, and a day is the one written."""
    expected = tuple(day and date.fromisoformat(day) for day in (earliest, latest))
    assert expected == bounds_of(text)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("2025-04-17", (False, False)),
        ("2025-04~", (True, False)),
        ("2025?", (False, True)),
        ("2025-04-17%", (True, True)),
        ("2025-21~", (True, False)),
        ("2025-XX?", (False, True)),
        ("202X%", (True, True)),
        ("[2025-04-17,2025-05~]", (True, False)),
        ("[2025-04-17?,2025-05]", (False, True)),
        ("[2025-04~..2025-05?]", (True, True)),
        ("[..2025-05?]", (False, True)),
        ("2025-04?/2025-05", (False, True)),
        ("2025-04/2025-05~", (True, False)),
        ("2025-04-25T10:30:00Z", (False, False)),
    ],
)
def test_a_mark_on_any_part_marks_the_whole(
    text: str, marks: tuple[bool, bool]
) -> None:
    """Neither "about" nor "perhaps" is lost, wherever in the text it stands."""
    bounds = parse(text)
    assert marks == (bounds.approximate, bounds.uncertain)


@given(edtf_texts())
def test_bounds_are_in_order(text: str) -> None:
    """The earliest day is never after the latest."""
    earliest, latest = bounds_of(text)
    assert earliest is None or latest is None or earliest <= latest


@given(edtf_texts())
def test_text_is_kept_as_written(text: str) -> None:
    """Reading a date does not rewrite it."""
    assert text == When(text).edtf


@given(days() | st.none(), days() | st.none())
def test_bounds_that_are_written_are_read_again(
    one: date | None, other: date | None
) -> None:
    """What is written from bounds has exactly those bounds, and is sure of them."""
    first, last = (min(one, other), max(one, other)) if one and other else (one, other)
    assert Bounds(first, last) == parse(write(first, last))


@given(edtf_texts())
def test_writing_what_was_read_changes_no_bound(text: str) -> None:
    """Bounds of any text survive being written again."""
    earliest, latest = bounds_of(text)
    assert (earliest, latest) == bounds_of(write(earliest, latest))


@pytest.mark.parametrize(
    ("earliest", "latest", "text"),
    [
        ("2025-04-17", "2025-04-17", "2025-04-17"),
        ("2025-04-01", "2025-04-30", "2025-04"),
        ("2024-02-01", "2024-02-29", "2024-02"),
        ("2024-02-01", "2024-02-28", "[2024-02-01..2024-02-28]"),
        ("2025-01-01", "2025-12-31", "2025"),
        ("2025-01-01", "2026-12-31", "[2025-01-01..2026-12-31]"),
        ("2025-04-15", "2025-04-21", "[2025-04-15..2025-04-21]"),
        ("0001-01-01", "0001-12-31", "0001"),
        (None, "2025-04-25", "[..2025-04-25]"),
        ("2025-04-25", None, "[2025-04-25..]"),
        (None, None, ""),
    ],
)
def test_the_shortest_text_is_written(
    earliest: str | None, latest: str | None, text: str
) -> None:
    """A month is written as a month, a year as a year, open as open."""
    bounds = [day and date.fromisoformat(day) for day in (earliest, latest)]
    assert text == write(bounds[0] or None, bounds[1] or None)


def test_crossed_bounds_are_not_written() -> None:
    """A date that ends before it begins is refused."""
    with pytest.raises(InvalidValue) as caught:
        write(date(2025, 4, 26), date(2025, 4, 25))
    error = caught.value
    assert ("2025-04-26..2025-04-25", 0) == (error.found, error.place)
    assert "it ends before it begins" == error.problem


MALFORMED = [
    ("2025-13", 5, "months run from 01 to 12"),
    ("2025-00", 5, "months run from 01 to 12"),
    ("2025-20", 5, "months run from 01 to 12"),
    ("2025-25", 5, "months run from 01 to 12"),
    ("2025-02-30", 8, "2025-02 has days 01 to 28"),
    ("2025-02-29", 8, "2025-02 has days 01 to 28"),
    ("2024-02-30", 8, "2024-02 has days 01 to 29"),
    ("2025-04-31", 8, "2025-04 has days 01 to 30"),
    ("2025-04-00", 8, "days 01 to 30"),
    ("0000", 0, "years run from 0001"),
    ("0000-01-01", 0, "years run from 0001"),
    ("00XX", 0, "years run from 0001"),
    ("000X", 0, "years run from 0001"),
    ("2025-XX-15", 8, "a day needs its month"),
    ("202X-04", 5, "a month needs its whole year"),
    ("20XX-21", 5, "a month needs its whole year"),
    ("202X-04-05", 5, "a month needs its whole year"),
    ("2025-21-15", 8, "a season has no days"),
    ("2025-21-XX", 8, "a season has no days"),
    ("202X-21-15", 5, "a month needs its whole year"),
    ("XXXX", 0, "this is not a date"),
    ("2XXX", 0, "this is not a date"),
    ("20X5", 0, "this is not a date"),
    ("2025-4-1", 4, "this is not a date"),
    ("2025-04-1", 7, "this is not a date"),
    ("2025-04-1X", 7, "this is not a date"),
    ("2025-04-17~?", 11, "this is not a date"),
    ("2025~-04", 5, "this is not a date"),
    ("?2025", 0, "this is not a date"),
    ("25", 0, "this is not a date"),
    ("20250417", 4, "this is not a date"),
    ("-2025", 0, "this is not a date"),
    ("Y12025", 0, "this is not a date"),
    ("17.04.2025", 0, "this is not a date"),
    ("near future", 0, "this is not a date"),
    (" 2025", 0, "this is not a date"),
    ("2025 ", 4, "this is not a date"),
    ("2025\n", 4, "this is not a date"),
    ("2025-04-17\n", 10, "this is not a date"),
    ("２０２５", 0, "this is not a date"),  # noqa: RUF001 - digits, but not ours
    ("٢٠٢٥", 0, "this is not a date"),
    ("2025-٠٤", 4, "this is not a date"),
    ("2025‐04‐17", 4, "this is not a date"),  # noqa: RUF001 - hyphens, but not ours
    ("{2025-04-17,2025-04-21}", 0, "means all of its days"),
    ("{2025", 0, "means all of its days"),
    ("[", 1, "the closing ']' is missing"),
    ("[2025", 5, "the closing ']' is missing"),
    ("[2025]]", 5, "this is not a date"),
    ("[[2025]", 1, "this is not a date"),
    ("[]", 1, "this is not a date"),
    ("[,]", 1, "this is not a date"),
    ("[2025,]", 6, "this is not a date"),
    ("[2025,,2026]", 6, "this is not a date"),
    ("[2025, 2026]", 6, "this is not a date"),
    ("[..]", 1, "needs a date on one side"),
    ("[2025-04,..]", 9, "needs a date on one side"),
    ("[2025..2024]", 1, "ends before it begins"),
    ("[2020,2025..2024]", 6, "ends before it begins"),
    ("[2024..2025..2026]", 11, "this is not a date"),
    ("[2025-13..2026]", 6, "months run"),
    ("[2025..2]", 7, "this is not a date"),
    ("[2..2025]", 1, "this is not a date"),
    ("[2024..2026-02-29]", 15, "2026-02 has days"),
    ("[2025...2026]", 7, "this is not a date"),
    ("[2025/2026]", 5, "this is not a date"),
    ("/", 0, "needs a date on one side"),
    ("../", 0, "needs a date on one side"),
    ("/..", 0, "needs a date on one side"),
    ("../..", 0, "needs a date on one side"),
    ("..", 0, "this is not a date"),
    (".", 0, "this is not a date"),
    ("./2025", 0, "this is not a date"),
    ("2025/2024", 0, "ends before it begins"),
    ("2025/2026/2027", 9, "this is not a date"),
    ("2025/2026-13", 10, "months run"),
    ("2025//", 5, "this is not a date"),
    ("2025-04-17T10:30:00", 19, "needs a zone"),
    ("2025-04-17T10:30:00+4", 19, "needs a zone"),
    ("2025-04-17T10:30:00+24:00", 19, "needs a zone"),
    ("2025-04-17T10:30:00+04:60", 19, "needs a zone"),
    ("2025-04-17T10:30:00Z\n", 19, "needs a zone"),
    ("2025-04-17T10:30:00\nZ", 19, "needs a zone"),
    ("2025-04-17T10:30:00.5Z", 19, "needs a zone"),
    ("2025-04-17T10:30Z", 10, "a date-time is written like"),
    ("2025-04-17T24:00:00Z", 10, "a date-time is written like"),
    ("2025-04-17T10:60:00Z", 10, "a date-time is written like"),
    ("2025-04-17T10:30:60Z", 10, "a date-time is written like"),
    ("2025-02-30T10:30:00Z", 8, "2025-02 has days 01 to 28"),
    ("2025-13-01T10:30:00Z", 5, "months run"),
    ("0000-01-01T10:30:00Z", 0, "years run"),
    ("2025-21-01T10:30:00Z", 8, "a season has no days"),
    ("2025-04-17T10:30T", 10, "a date-time is written like"),
    ("T", 0, "a date-time is written like"),
]


@pytest.mark.parametrize(
    "form", ["2025", "202X", "20XX", "2025-04", "2025-XX", "2025-21", "2025-04-17"]
)
def test_every_form_takes_every_mark(form: str) -> None:
    """About, uncertain or both; a mark moves no bound."""
    plain = parse(form)
    for mark, flags in {
        "": (False, False),
        "~": (True, False),
        "?": (False, True),
        "%": (True, True),
    }.items():
        expected = Bounds(plain.earliest, plain.latest, *flags)
        assert expected == parse(form + mark)


IN_FULL = {
    *(
        f"2025-{month} has days 01 to {days}"
        for month, days in [("02", 28), ("04", 30)]
    ),
    "2024-02 has days 01 to 29",
    "2026-02 has days 01 to 28",
    "'..' needs a date on one side at least",
    "a date-time is written like 2025-04-25T10:30:00Z",
    "a date-time needs a zone, Z or +04:00",
    "a day needs its month",
    "a month needs its whole year",
    "a season has no days",
    "a set in braces means all of its days, but a fact has one",
    "an interval needs a date on one side at least",
    "it ends before it begins",
    "months run from 01 to 12, seasons 21 to 24",
    "the closing ']' is missing",
    "this is not a date",
    "years run from 0001 to 9999",
}


@pytest.mark.parametrize(("text", "place", "problem"), MALFORMED)
def test_malformed_texts_are_refused(text: str, place: int, problem: str) -> None:
    """The message says what is wrong, and the place is where it is wrong."""
    with pytest.raises(InvalidValue, match=problem) as caught:
        parse(text)
    error = caught.value
    assert (text, place, ACCEPTED) == (error.found, error.place, error.accepted)
    assert error.problem in IN_FULL


_TYPED = "0123456789X-/.,[]{}?~%TZ:+ \n\uff12\u0663"
"""What people type into dates; last a full-width two and an Arabic three."""
_OTHER_ZEROS = "\u0660\u0966\uff10\U0001d7ce"
"""Arabic, Devanagari, full-width and mathematical: digits to Python, not to EDTF."""


@st.composite
def nearly_legal(draw: st.DrawFn) -> str:
    """A legal text with a few characters put in, taken out, doubled or moved."""
    text = draw(edtf_texts())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        end = draw(st.integers(place, min(place + 2, len(text))))
        put = draw(st.text(_TYPED, max_size=2))
        text = text[:place] + put + text[end:]
    return text


@given(nearly_legal() | st.text(max_size=12))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    """Nothing but a value or InvalidValue comes out, and the place is in the text."""
    try:
        bounds = parse(text)
    except InvalidValue as error:
        found, place = error.found, error.place
    else:
        found, place = text, 0
        assert bounds == parse(write(bounds.earliest, bounds.latest)) or (
            bounds.approximate or bounds.uncertain
        )
    assert text == found
    assert 0 <= place <= len(text)


@given(edtf_texts(), st.sampled_from(_OTHER_ZEROS), st.data())
def test_only_ascii_digits_are_digits(
    text: str, zero: str, data: st.DataObject
) -> None:
    """Digits of other scripts, which Python would take as numbers, are refused."""
    digits = [place for place, digit in enumerate(text) if digit.isdigit()]
    place = data.draw(st.sampled_from(digits))
    other = chr(ord(zero) + int(text[place]))
    with pytest.raises(InvalidValue):
        parse(text[:place] + other + text[place + 1 :])


def test_a_very_long_text_is_refused_at_once() -> None:
    """No text makes the reader slow: work grows with its length and no faster."""
    texts = ["[" + ",".join(["2025"] * 100_000) + "X]", "." * 200_000, "[" * 200_000]
    for text in texts:
        with pytest.raises(InvalidValue):
            parse(text)


# Another reader of the same format


def other_accepts(text: str) -> bool:
    """Say whether the package edtf takes a text for EDTF."""
    try:
        other_reader.parse_edtf(text)
    except (other_reader.EDTFParseException, AttributeError, TypeError):
        return False  # It fails on a few forms in other ways than it means to.
    return True


FORMS = [
    "{}",
    "{}~",
    "{}?",
    "{}%",
    "[{}]",
    "[{},{}]",
    "[{}..{}]",
    "[..{}]",
    "[{}..]",
    "{}/{}",
    "{}/..",
    "../{}",
    "{}/",
    "/{}",
]


X_DATES = ["2025-XX", "2025-04-XX", "2025-XX-XX", "202X", "20XX"]
WHOLE_DATES = ["2025", "2025-04", "2025-04-17", "2025-21"]
MARKED, SETS = {"{}~", "{}?", "{}%"}, {"[{},{}]", "[{}..{}]", "[..{}]", "[{}..]"}
NOT_READ_BY_EDTF = {
    *product(["[{}]"], WHOLE_DATES + X_DATES),
    *product(["{}/..", "../{}", "{}/", "/{}"], X_DATES),
    *product(SETS - {"[{},{}]"}, X_DATES),
    *product(MARKED | SETS, ["2025-21"]),
    *product(["[{},{}]", "{}/{}"], ["2025-XX"]),
}
"""What edtf 5.0.2 does not read, or fails on: sets of one, unknown digits at an
open end or in a range, marked seasons. It is legal all the same (ISO 8601-2)."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("day", WHOLE_DATES + X_DATES)
def test_another_reader_takes_what_we_take(form: str, day: str) -> None:
    """What we read is EDTF by the package edtf too, but for what it cannot read."""
    text = form.format(day, day)
    parse(text)
    assert ((form, day) not in NOT_READ_BY_EDTF) is other_accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "2025-13",
        "2025-1",
        "2025-04-32",
        "2025-04-17T25:00:00Z",
        "[2025",
        "[]",
        "2025/2026/2027",
        "25",
        " ",
        "near future",
        "2025-04-17~?",
        "2025-04-17T10:30",
        "17.04.2025",
        "2025..2026",
    ],
)
def test_another_reader_refuses_what_we_refuse(text: str) -> None:
    """What is no EDTF by the package edtf is none by us."""
    assert not other_accepts(text)
    with pytest.raises(InvalidValue):
        parse(text)


@given(st.sampled_from(["{:%Y-%m-%d}", "{:%Y-%m}", "{:%Y}", "{:%Y-%m}-XX"]), days())
def test_another_reader_finds_the_same_bounds(form: str, day: date) -> None:
    """Where the package edtf bounds a date strictly, it finds our days."""
    assume(day.year >= 1000)  # Below, strftime writes fewer than four digits.
    text = form.format(day)
    read = other_reader.parse_edtf(text)
    theirs = [read.lower_strict(), read.upper_strict()]
    assert [(day.year, day.month, day.day) for day in bounds_of(text) if day] == [
        bound[:3] for bound in theirs
    ]


def test_every_pair_of_forms_is_read_as_an_interval_or_refused() -> None:
    """All pairs of dates of level 0 and 1: an interval in order is read, else not."""
    singles = [*WHOLE_DATES, *X_DATES, "2024", "2025-05", "2025-04-18"]
    for first, last in product(singles, repeat=2):
        before, after = parse(first).earliest, parse(last).latest
        assert before
        assert after
        if before <= after:
            assert (before, after) == bounds_of(f"{first}/{last}")
            assert (before, after) == bounds_of(f"[{first}..{last}]")
            continue
        with pytest.raises(InvalidValue):
            parse(f"{first}/{last}")
