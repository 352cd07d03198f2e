"""Strategies for the values that events carry: texts, days, dates, amounts, citations.

What they draw is legal: it can be made, and stored. Within that it is as awkward as
the real world: texts that other people's tools take for formulas, markup or escapes,
dates at the ends of the calendar, decimals whose scale matters.

``*_nearby`` draw few values, of one time and place, so that facts meet.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

from attrs import evolve
from hypothesis import strategies as st

from azcn_events.core.values import (
    SALT_BYTES,
    Amount,
    Citation,
    Qualifier,
    Sealed,
    When,
)

__all__ = [
    "AWKWARD",
    "FIRST_DAY",
    "SPAN_DAYS",
    "UNTIDY",
    "amounts",
    "amounts_nearby",
    "citations",
    "citations_sealed",
    "days",
    "decimals",
    "edtf_texts",
    "exact_days",
    "names",
    "sealed_values",
    "stream_names",
    "texts",
    "whens",
    "whens_nearby",
]

FIRST_DAY: Final = date(2025, 1, 1)
"""The first of the days nearby."""
SPAN_DAYS: Final = 60
"""How many of them there are."""

AWKWARD: Final = (
    "=1+1",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "a & b < c > d",
    "\"quoted\", and 'quoted'",
    "|cell|",
    "[link](javascript:x)",
    "\\n",  # a backslash and an n: no line feed
    "\\\\u0000",
    "\\u2028\\x1b[31m",
    "ends with \\",
    " spaces at the ends ",
    "\N{NO-BREAK SPACE}",
    "\N{ZERO WIDTH NO-BREAK SPACE}bom",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "\N{COMBINING ACUTE ACCENT}",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "Gəncə, İçərişəhər, ı",  # noqa: RUF001 - Azerbaijani has a dotless i
    "中国国家发展和改革委员会",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{EMOJI MODIFIER FITZPATRICK TYPE-6}",
    "\U0010ffff\ue000",
    "null",
    "unknown",
    "withheld",
    "0",
    "1e999",
    "NaN",
    "2025-04-17",
    "{}",
    "%s %(x)s {0} {x}",
    "'; DROP TABLE events; --",
    "../../etc/passwd",
)
"""Texts that are legal, and that careless code gets wrong."""

_AWKWARD_NAMES: Final = (
    "P1",
    "P10",
    "p1",
    "P_",
    "P%",
    "P*",
    "P?",
    "[P1]",
    "P 1",
    "P.1",
    "P.*",
    "P.>",
    "P/1",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "\N{LATIN SMALL LETTER DOTLESS I}",
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
    "ß",
    "SS",
    "\U0001f1e6\U0001f1ff",
    "'",
    '"',
    "\\",
    ";--",
    "x" * 200,
    "x" * 199,
)
"""Names that prefix searches, patterns, collations and subjects take for each other."""

UNTIDY: Final = (
    " Typed  In ",
    "\N{IDEOGRAPHIC SPACE}Copied From a Page\N{NO-BREAK SPACE}",
    "I\N{COMBINING DOT ABOVE} Is Not \N{LATIN CAPITAL LETTER I WITH DOT ABOVE} ",
)
"""Texts that whoever tidies them up will change: in white space, case or form."""

_LEGAL: Final = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))


@cache
def texts(*, min_size: int = 0) -> st.SearchStrategy[str]:
    """Draw texts that an event may carry."""
    anything = st.text(_LEGAL, min_size=min_size, max_size=max(20, min_size))
    pieces = st.lists(st.sampled_from(["\\", '"', "n", "u2028", "/", " ", "=", "é"]))
    escapes = pieces.map("".join).filter(lambda text: len(text) >= min_size)
    awkward = st.sampled_from([text for text in AWKWARD if len(text) >= min_size])
    if min_size > 5:
        return anything
    return st.one_of(anything, awkward, st.sampled_from(UNTIDY), escapes)


@cache
def names() -> st.SearchStrategy[str]:
    """Draw texts that can be a stream's name or an event's id."""
    return texts(min_size=1).map(str.strip).filter(bool)


@cache
def stream_names() -> st.SearchStrategy[str]:
    """Draw names of streams: mostly ones that careless stores confuse."""
    return st.one_of(st.sampled_from(_AWKWARD_NAMES), names())


@cache
def days() -> st.SearchStrategy[date]:
    """Draw calendar days: mostly of a few months, so that they meet, else any."""
    near = st.dates(date(2025, 1, 25), date(2025, 6, 5))
    return st.one_of(near, near, st.dates())


@cache
def exact_days() -> st.SearchStrategy[When]:
    """Draw dates of one day, of which the source is sure."""
    return st.builds(When, days().map(date.isoformat), st.just("") | texts())


@cache
def whens() -> st.SearchStrategy[When]:
    """Draw dates in every form that is read, unknown ones among them."""
    words = st.just("") | texts()
    return st.one_of(
        exact_days(),
        st.builds(When, edtf_texts(), words),
        st.builds(_between, days() | st.none(), days() | st.none(), words),
        st.builds(When.unknown, words),
    )


def _between(one: date | None, other: date | None, words: str) -> When:
    if one and other:
        one, other = min(one, other), max(one, other)
    return When.between(one, other, words=words)


@cache
def whens_nearby() -> st.SearchStrategy[When]:
    """Draw dates around the days nearby, in every degree of vagueness."""
    day = st.integers(-20, SPAN_DAYS).map(lambda n: FIRST_DAY + timedelta(days=n))

    def span(one: date, length: int) -> When:
        return When.between(one, one + timedelta(days=length))

    exact = day.map(lambda d: When(d.isoformat()))
    return st.one_of(
        exact,
        exact,
        st.builds(span, day, st.integers(0, 30)),
        day.map(lambda d: When.between(None, d)),
        day.map(lambda d: When.between(d, None)),
        day.map(lambda d: When(f"{d.isoformat()}~")),
        st.sampled_from(["2025-01", "2025-02", "2025"]).map(When),
        st.just(When.unknown("some day")),
    )


@cache
def decimals() -> st.SearchStrategy[Decimal]:
    """Draw numbers that a bound may be: of either sign, and of any scale.

    Hundreds of them can be added: a sum of more than 30 digits would be refused.
    """
    plain = st.decimals(-1_000, 1_000, places=2)
    huge = st.integers(-(10**27), 10**27).map(Decimal)
    fine = st.decimals(-1, 1, allow_nan=False, allow_infinity=False, places=30)
    edges = ["0", "-0", "0.00", "-0.10", "1.10", "1.1", "335000000", "1E+2"]
    return st.one_of(plain, huge, fine, st.sampled_from(edges).map(Decimal))


@cache
def amounts(unit: str | None = None) -> st.SearchStrategy[Amount]:
    """Draw quantities of every shape, all in one unit if it is given."""
    units = st.sampled_from(["ha", "USD", "CNY", "AZN", "m2", "jobs", "AZM"])
    return _amounts(units if unit is None else st.just(unit))


@cache
def _amounts(units: st.SearchStrategy[str]) -> st.SearchStrategy[Amount]:
    @st.composite
    def drawn(draw: st.DrawFn) -> Amount:
        unit, words = draw(units), draw(st.just("") | texts())
        qualifier = draw(st.sampled_from([Qualifier.EXACT, *Qualifier]))
        low, high = draw(decimals()), draw(decimals())
        if low > high:
            low, high = high, low
        shape = draw(st.sampled_from(["one", "one", "low", "high", "both", "none"]))
        if shape == "one":
            return Amount(unit, low, low, qualifier=qualifier, words=words)
        low_open = draw(st.booleans()) and shape in {"low", "both"}
        high_open = draw(st.booleans()) and shape in {"high", "both"}
        if low == high and shape == "both":
            low_open = high_open = False
        return Amount(
            unit,
            low if shape in {"low", "both"} else None,
            high if shape in {"high", "both"} else None,
            low_open,
            high_open,
            qualifier,
            words,
        )

    return drawn()


@cache
def amounts_nearby() -> st.SearchStrategy[Amount]:
    """Draw quantities of few sizes and two currencies, so that they add up."""
    number = st.sampled_from([5, 0, 10, 25]).map(Decimal)
    unit = st.sampled_from(["USD", "USD", "USD", "AZN"])
    exact = st.builds(Amount.exact, number, unit)

    def up_to_five_more(least: Decimal, unit: str) -> Amount:
        return Amount.between(least, least + 5, unit)

    def less(limit: Decimal, unit: str) -> Amount:
        return Amount.below(limit + 1, unit)

    spans = st.builds(up_to_five_more, number, unit)
    return st.one_of(exact, exact, spans, st.builds(less, number, unit))


@cache
def citations() -> st.SearchStrategy[Citation]:
    """Draw citations, with a digest or without."""
    sources = names().map(lambda name: f"source/{name}"[:200].strip())
    digests = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
    return st.builds(Citation, sources, texts(), texts(), st.just("") | digests)


@cache
def citations_sealed() -> st.SearchStrategy[Citation]:
    """Draw citations that do not say openly whose words they are."""
    return st.builds(_spoken_by, citations(), sealed_values())


def _spoken_by(citation: Citation, speaker: Sealed) -> Citation:
    return evolve(citation, speaker=speaker)


@cache
def sealed_values() -> st.SearchStrategy[Sealed]:
    """Draw commitments to values that are kept elsewhere, or nowhere any more."""
    few = st.sampled_from([_salted(number) for number in range(3)])
    salts = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)
    return few | salts.map(lambda salt: Sealed.of(salt, b"{}"))


def _salted(number: int) -> Sealed:
    return Sealed.of(bytes([number]) * SALT_BYTES, b"{}")


_MARKS: Final = ("", "?", "~", "%")


@cache
def edtf_texts() -> st.SearchStrategy[str]:
    """Draw EDTF texts of every form that is read; never the empty one."""
    return st.one_of(_dates(), _sets(), _intervals(), _date_times())


@cache
def _dates() -> st.SearchStrategy[str]:
    """Draw one date of level 0 or 1, qualified or not."""

    @st.composite
    def drawn(draw: st.DrawFn) -> str:
        year, month = draw(_years()), draw(st.integers(1, 12))
        day = draw(st.integers(1, monthrange(year, month)[1]))
        season = draw(st.integers(21, 24))
        forms = [
            f"{year:04}-{month:02}-{day:02}",
            f"{year:04}-{month:02}-XX",
            f"{year:04}-{month:02}",
            f"{year:04}-{season}",
            f"{year:04}-XX-XX",
            f"{year:04}-XX",
            f"{year:04}",
        ]
        if year >= 10:
            forms += [f"{year // 10:03}X", f"{year // 10:03}X-XX-XX"]
        if year >= 100:
            forms += [f"{year // 100:02}XX", f"{year // 100:02}XX-XX"]
        form, qualifier = draw(st.sampled_from(forms)), draw(st.sampled_from(_MARKS))
        return f"{form}{qualifier}"

    return drawn()


@cache
def _years() -> st.SearchStrategy[int]:
    return st.one_of(st.just(2025), st.integers(1, 9999), st.sampled_from([1, 9999]))


def _in_order(pair: tuple[str, str]) -> bool:
    first, last = (When(text) for text in pair)
    return bool(first.earliest and last.latest and first.earliest <= last.latest)


@cache
def _pairs() -> st.SearchStrategy[tuple[str, str]]:
    drawn = st.tuples(_dates(), _dates())
    return drawn.map(lambda pair: pair if _in_order(pair) else (pair[1], pair[0]))


@cache
def _sets() -> st.SearchStrategy[str]:
    elements = st.one_of(
        _dates(),
        _dates().map(lambda text: f"..{text}"),
        _dates().map(lambda text: f"{text}.."),
        _pairs().map("..".join),
    )
    return st.lists(elements, min_size=1, max_size=3).map(
        lambda parts: f"[{','.join(parts)}]"
    )


@cache
def _intervals() -> st.SearchStrategy[str]:
    open_ends = st.sampled_from(["", ".."])
    return st.one_of(
        _pairs().map("/".join),
        st.builds("{}/{}".format, open_ends, _dates()),
        st.builds("{}/{}".format, _dates(), open_ends),
    )


@cache
def _date_times() -> st.SearchStrategy[str]:
    clock = st.builds(
        "T{:02}:{:02}:{:02}".format,
        st.integers(0, 23),
        st.integers(0, 59),
        st.integers(0, 59),
    )
    zones = st.sampled_from(["Z", "+04:00", "+08", "-03:30", "+00:00"])
    return st.builds("{}{}{}".format, days(), clock, zones)
