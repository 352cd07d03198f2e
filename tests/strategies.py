"""Hypothesis strategies for the library's values and for every class of event.

What they draw is legal: it can be made, and stored. Within that it is as awkward
as the real world: texts that other people's tools take for formulas, markup or
escapes, dates at the ends of the calendar, decimals whose scale matters.

The strategies of events are derived from the attrs classes, so that a new field
or a new class is drawn without a line here. Only what a field's type does not say
is written down in ``_BY_FIELD``.
"""

from __future__ import annotations

import enum
import types
import typing
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

import attrs
from hypothesis import strategies as st

from azcn_events.core.events import Event
from azcn_events.core.values import Amount, Citation, Missing, Qualifier, When
from azcn_events.investment import INVESTMENT
from azcn_events.investment.events import Claim, GroupCount, Party

__all__ = [
    "KINDS",
    "amounts",
    "any_event",
    "citations",
    "days",
    "decimals",
    "edtf_texts",
    "events",
    "exact_days",
    "milestones",
    "names",
    "parties",
    "texts",
    "whens",
]

KINDS: Final = tuple(INVESTMENT.kinds)
"""Stored names of every fact of the built-in lifecycle, the common ones included."""

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

_LEGAL: Final = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))


@cache
def texts(*, min_size: int = 0) -> st.SearchStrategy[str]:
    """Texts that an event may carry."""
    anything = st.text(_LEGAL, min_size=min_size, max_size=20)
    pieces = st.lists(st.sampled_from(["\\", '"', "n", "u2028", "/", " ", "=", "é"]))
    escapes = pieces.map("".join).filter(lambda text: len(text) >= min_size)
    return st.one_of(anything, st.sampled_from(AWKWARD), escapes)


@cache
def names() -> st.SearchStrategy[str]:
    """Stream names and event ids."""
    return texts(min_size=1).map(str.strip).filter(bool)


@cache
def milestones() -> st.SearchStrategy[str]:
    """Names of the built-in lifecycle's milestones."""
    return st.sampled_from([milestone.name for milestone in INVESTMENT.milestones])


@cache
def days() -> st.SearchStrategy[date]:
    """Calendar days: mostly of a few months, so that they meet, else of any year."""
    near = st.dates(date(2025, 1, 25), date(2025, 6, 5))
    return st.one_of(near, near, st.dates())


@cache
def exact_days() -> st.SearchStrategy[When]:
    """Dates of one day, of which the source is sure."""
    return st.builds(When, days().map(date.isoformat), st.just("") | texts())


@cache
def whens() -> st.SearchStrategy[When]:
    """Dates in every form that is read, unknown ones among them."""
    words = st.just("") | texts()
    return st.one_of(
        exact_days(),
        st.builds(When, edtf_texts(), words),
        st.builds(_between, days() | st.none(), days() | st.none(), words),
        st.builds(When.unknown, words),
    )


@cache
def edtf_texts() -> st.SearchStrategy[str]:
    """EDTF texts of every form that is read; never the empty one."""
    return st.one_of(_dates(), _sets(), _intervals(), _date_times())


@cache
def decimals() -> st.SearchStrategy[Decimal]:
    """Numbers that a bound may be: of either sign, and of any scale.

    Hundreds of them can be added: a sum of more than 30 digits would be refused.
    """
    plain = st.decimals(-1_000, 1_000, places=2)
    huge = st.integers(-(10**27), 10**27).map(Decimal)
    fine = st.decimals(-1, 1, allow_nan=False, allow_infinity=False, places=30)
    edges = ["0", "-0", "0.00", "-0.10", "1.10", "1.1", "335000000", "1E+2"]
    return st.one_of(plain, huge, fine, st.sampled_from(edges).map(Decimal))


@cache
def amounts(unit: str | None = None) -> st.SearchStrategy[Amount]:
    """Quantities of every shape, all in one unit if it is given."""
    units = st.sampled_from(["ha", "USD", "CNY", "AZN", "m2", "jobs", "AZM"])
    return _amounts(units if unit is None else st.just(unit))


@cache
def citations() -> st.SearchStrategy[Citation]:
    """Citations, with a digest or without."""
    sources = names().map(lambda name: f"source/{name}"[:200].strip())
    digests = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
    return st.builds(Citation, sources, texts(), texts(), st.just("") | digests)


@cache
def parties() -> st.SearchStrategy[Party]:
    """Sides of an agreement: unnamed, named or disputed."""
    countries = st.sampled_from(["", "AZ", "CN"])
    return st.builds(
        Party, st.lists(texts(), max_size=3).map(tuple), countries, texts()
    )


@cache
def events(kind: str | type[Event]) -> st.SearchStrategy[Any]:
    """Events of one kind: by its stored name, or by its class.

    The class may be anybody's; it need not belong to the built-in lifecycle.
    """
    cls: type[Any] = INVESTMENT.kinds[kind] if isinstance(kind, str) else kind
    hints = typing.get_type_hints(cls)
    fields = {
        field.alias: _of_field(cls.__name__, field.name, hints[field.name])
        for field in attrs.fields(cls)
        if field.init and field.name not in {"replaces", "reason"}
    }
    news = st.just(("", ""))
    correction = st.tuples(names(), texts(min_size=1))
    is_retraction = cls.__name__ == "Retracted"
    standing = correction if is_retraction else st.one_of(news, correction)

    def made(values: dict[str, Any], stands: tuple[str, str]) -> Any:
        replaces, reason = stands
        return cls(**values, replaces=replaces, reason=reason)

    return st.builds(made, st.fixed_dictionaries(fields), standing)


@cache
def any_event() -> st.SearchStrategy[Any]:
    """Events of any kind of the built-in lifecycle, each as likely as another."""
    return st.sampled_from(KINDS).flatmap(events)


def _between(one: date | None, other: date | None, words: str) -> When:
    if one and other:
        one, other = min(one, other), max(one, other)
    return When.between(one, other, words=words)


_MARKS: Final = ("", "?", "~", "%")


@cache
def _years() -> st.SearchStrategy[int]:
    return st.one_of(st.just(2025), st.integers(1, 9999), st.sampled_from([1, 9999]))


@cache
def _dates() -> st.SearchStrategy[str]:
    """One date of level 0 or 1, qualified or not."""

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
def _areas() -> st.SearchStrategy[Amount | Missing]:
    positive = amounts("ha").filter(lambda area: area.high is None or area.high > 0)
    return st.one_of(positive, st.sampled_from(Missing))


@cache
def _groups() -> st.SearchStrategy[tuple[GroupCount, ...]]:
    counts = st.builds(GroupCount, texts(min_size=1), st.integers(0, 9))
    return st.lists(counts, max_size=3).map(tuple)


def _claims() -> st.SearchStrategy[tuple[Claim, ...]]:
    claims = st.builds(Claim, texts(), citations())
    return st.lists(claims, min_size=2, max_size=3).map(tuple)


_BY_FIELD: Final[dict[tuple[str, str], Callable[[], st.SearchStrategy[Any]]]] = {
    ("LandAllocated", "area"): _areas,
    ("ConflictNoted", "claims"): _claims,
    ("DocumentsReported", "groups"): _groups,
    ("DocumentsReported", "number"): lambda: st.integers(27, 2**53),
    ("MilestonePromised", "milestone"): milestones,
    ("MilestoneProgressed", "milestone"): milestones,
    ("MilestoneReverted", "milestone"): milestones,
    ("MilestoneWaived", "milestone"): milestones,
}
"""What a field's type does not say: ``(class, field)`` and its strategy."""

_BY_TYPE: Final[dict[Any, Callable[[], st.SearchStrategy[Any]]]] = {
    str: texts,
    bool: st.booleans,
    int: lambda: st.integers(-(2**63), 2**63),
    Decimal: decimals,
    date: days,
    When: whens,
    Amount: amounts,
    Citation: citations,
    Party: parties,
    GroupCount: lambda: st.builds(GroupCount, texts(min_size=1), st.integers(0, 9)),
}


def _of_field(cls: str, name: str, annotation: Any) -> st.SearchStrategy[Any]:
    special = _BY_FIELD.get((cls, name))
    return special() if special is not None else _of_type(annotation)


def _of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Derive a strategy from an annotation, nested attrs classes included."""
    known = _BY_TYPE.get(annotation)
    if known is not None:
        return known()
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return st.lists(_of_type(arguments[0]), max_size=3).map(tuple)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(_of_type, arguments))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(annotation)
    hints = typing.get_type_hints(annotation)
    return st.builds(
        annotation,
        **{
            field.alias: _of_field(annotation.__name__, field.name, hints[field.name])
            for field in attrs.fields(annotation)
        },
    )
