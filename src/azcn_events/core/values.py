"""The values that events carry: dates, amounts, absences, citations.

Each keeps the source's own words and claims no more than they say. A date and
an amount are bounds; what follows from bounds is an :class:`Answer`, which may
be "maybe".
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation, Rounded
from typing import Final, NoReturn

from attrs import frozen

from azcn_events.core import edtf
from azcn_events.core.units import check_unit, is_currency
from azcn_events.errors import InvalidValue

__all__ = [
    "Amount",
    "Answer",
    "Citation",
    "Missing",
    "Qualifier",
    "Range",
    "When",
    "check_name",
    "datetime_of_us",
    "day_of",
    "day_of_us",
    "known_until",
    "ordinal_of_us",
    "recorded_us_of",
]


class Answer(enum.Enum):
    """An answer that may be "maybe". It is no boolean: compare it by name."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"

    def __bool__(self) -> bool:
        """Refuse to be taken for a boolean.

        Raises:
            TypeError: Always: "maybe" is neither true nor false.
        """
        msg = f"{self} may be MAYBE: compare it, as in `answer is Answer.YES`"
        raise TypeError(msg)


class Qualifier(enum.Enum):
    """How sure the source is of a date or an amount.

    The bounds of anything but EXACT are the source's best word, not a limit:
    nothing sure follows from them.
    """

    EXACT = "exact"
    APPROXIMATE = "approximate"
    UNCERTAIN = "uncertain"
    BOTH = "approximate and uncertain"


class Missing(enum.Enum):
    """Why a value is absent. Four different things; none of them is zero."""

    UNKNOWN = "unknown"
    """There is one, or may be; no source at hand says it."""
    NONE = "none"
    """A source says that there is none."""
    WITHHELD = "withheld"
    """A source says that it is not disclosed."""
    VOID = "void"
    """The question does not arise."""

    def __str__(self) -> str:
        return self.value

    def plain(self) -> str:
        """Give the JSON form: the value's own word."""
        return self.value


@frozen
class Range:
    """A whole number known by its bounds: a count, or a distance in days.

    Attributes:
        low: Least possible value; None if there is no bound.
        high: Greatest possible value, >= ``low``; None if there is no bound.
    """

    low: int | None
    high: int | None

    @classmethod
    def exact(cls, number: int) -> Range:
        """Make the range that holds one number."""
        return cls(number, number)

    def __add__(self, other: Range) -> Range:
        return Range(_sum(self.low, other.low), _sum(self.high, other.high))

    def __str__(self) -> str:
        low, high = self.low, self.high
        if low is None:
            return "unknown" if high is None else f"at most {high:,}"
        if high is None:
            return f"at least {low:,}"
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"

    def plain(self) -> dict[str, int | None]:
        """Give the JSON form: ``low`` and ``high``, null where open."""
        return {"low": self.low, "high": self.high}


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@frozen
class When:
    """Valid time: when something was so, as far as the source says.

    ``When("2025-04-17")``, ``When("2025-04~")``, ``When("[..2025-04-25]")``,
    ``When.unknown("in the near future")``. Resolution is the calendar day as the
    source writes it; there are no time zones between days.

    Attributes:
        edtf: EDTF text (ISO 8601-2), kept as written; empty if nothing is known.
        words: The source's own words for it; empty if it used a plain date.

    Raises:
        InvalidValue: If ``edtf`` is not level 0 or 1 or a one-of-a-set form.
    """

    edtf: str
    words: str = ""

    def __attrs_post_init__(self) -> None:
        if type(self.edtf) is not str:
            found = type(self.edtf).__name__
            raise InvalidValue(_shown(self.edtf), f"{found} is no text", edtf.ACCEPTED)
        edtf.parse(self.edtf)

    @classmethod
    def unknown(cls, words: str = "") -> When:
        """Make a date of which no source says anything but perhaps *words*."""
        return cls("", words)

    @classmethod
    def between(
        cls, earliest: date | None, latest: date | None, *, words: str = ""
    ) -> When:
        """Make a date from its bounds, None where open.

        Raises:
            InvalidValue: If ``earliest`` lies after ``latest``.
        """
        return cls(edtf.write(earliest, latest), words)

    @property
    def earliest(self) -> date | None:
        """First possible day; None if open."""
        return edtf.parse(self.edtf).earliest

    @property
    def latest(self) -> date | None:
        """Last possible day; None if open."""
        return edtf.parse(self.edtf).latest

    @property
    def qualifier(self) -> Qualifier:
        """How sure the source is."""
        bounds = edtf.parse(self.edtf)
        return _QUALIFIERS[bounds.approximate, bounds.uncertain]

    @property
    def is_known(self) -> bool:
        """Whether at least one bound is known."""
        return bool(self.edtf)

    def before(self, other: When) -> Answer:
        """Say whether this lies on an earlier day than *other*."""
        mine, its = edtf.parse(self.edtf), edtf.parse(other.edtf)
        if _blurred(mine) or _blurred(its):
            return Answer.MAYBE
        if mine.latest and its.earliest and mine.latest < its.earliest:
            return Answer.YES
        if mine.earliest and its.latest and mine.earliest >= its.latest:
            return Answer.NO
        return Answer.MAYBE

    def by(self, day: date) -> Answer:
        """Say whether it had come by the end of *day*."""
        bounds = edtf.parse(self.edtf)
        if _blurred(bounds):
            return Answer.MAYBE
        if bounds.latest and bounds.latest <= day:
            return Answer.YES
        if bounds.earliest and bounds.earliest > day:
            return Answer.NO
        return Answer.MAYBE

    def same_day(self, other: When) -> Answer:
        """Say whether both lie on one calendar day."""
        mine, its = edtf.parse(self.edtf), edtf.parse(other.edtf)
        if _blurred(mine) or _blurred(its):
            return Answer.MAYBE
        if Answer.YES in (self.before(other), other.before(self)):
            return Answer.NO
        pinned = mine.earliest is not None and mine.earliest == mine.latest
        same = (mine.earliest, mine.latest) == (its.earliest, its.latest)
        return Answer.YES if pinned and same else Answer.MAYBE

    def within(self, other: When) -> bool:
        """Say whether these bounds lie inside *other*'s: a refinement of it."""
        mine, its = edtf.parse(self.edtf), edtf.parse(other.edtf)
        starts = its.earliest is None or (
            mine.earliest is not None and mine.earliest >= its.earliest
        )
        ends = its.latest is None or (
            mine.latest is not None and mine.latest <= its.latest
        )
        return starts and ends

    def days_until(self, other: When) -> Range:
        """Give the distance in days to *other*: positive if it lies later.

        Exact bounds give a range that holds the true distance. A bound is None
        where either date is open; both are None if either is not exact.
        """
        mine, its = edtf.parse(self.edtf), edtf.parse(other.edtf)
        if _blurred(mine) or _blurred(its):
            return Range(None, None)
        return Range(_days(mine.latest, its.earliest), _days(mine.earliest, its.latest))

    def __str__(self) -> str:
        shown = self.edtf or "unknown"
        return f"{shown} “{self.words}”" if self.words else shown

    def plain(self) -> dict[str, str]:
        """Give the JSON form: ``edtf`` and ``words``."""
        return {"edtf": self.edtf, "words": self.words}


_QUALIFIERS: Final = {
    (False, False): Qualifier.EXACT,
    (True, False): Qualifier.APPROXIMATE,
    (False, True): Qualifier.UNCERTAIN,
    (True, True): Qualifier.BOTH,
}


def _blurred(bounds: edtf.Bounds) -> bool:
    return bounds.approximate or bounds.uncertain


def _days(start: date | None, end: date | None) -> int | None:
    return None if start is None or end is None else (end - start).days


_ACCEPTED_NUMBER: Final = (
    "a Decimal, an int, or text such as '335000000' or '2.7'; never a float, which"
    " cannot hold most decimal numbers"
)
_DIGITS_MAX: Final = 30
_LIMIT: Final = Decimal(10) ** _DIGITS_MAX
_FLOOR: Final = -_LIMIT
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_SMALLEST: Final = Decimal(10) ** -_DIGITS_MAX
_WHOLE: Final = Context(prec=2 * _DIGITS_MAX + 1, traps=[InvalidOperation, Rounded])
"""Holds every number that is taken, and the sum of any two: nothing is rounded."""


@frozen
class Amount:
    """A quantity known by its bounds, with its unit.

    Make one by name: :meth:`exact`, :meth:`below`, :meth:`above`,
    :meth:`between`, :meth:`about`. Amounts of different units never mix.

    Attributes:
        unit: ISO 4217 currency code or one of our units, such as ``"ha"``.
        low: Lower bound; None if there is none.
        high: Upper bound, >= ``low``; None if there is none.
        low_open: Whether ``low`` itself is excluded.
        high_open: Whether ``high`` itself is excluded ("almost three").
        qualifier: How sure the source is of the bounds.
        words: The source's own words; empty if it gave a plain number.

    Raises:
        InvalidValue: If a bound is no finite Decimal of at most 30 digits on each
            side of the point, the bounds cross, or the unit is unknown.
    """

    unit: str
    low: Decimal | None
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False
    qualifier: Qualifier = Qualifier.EXACT
    words: str = ""

    def __attrs_post_init__(self) -> None:
        # Runs for every amount that is replayed: the usual case takes few steps.
        check_unit(self.unit)
        low, high = self.low, self.high
        if low is not None:
            _check_number(low)
        if high is not None and high is not low:
            _check_number(high)
            if low is not None and low > high:
                _refuse_bounds(self, "the bounds cross")
        if self.low_open or self.high_open:
            _check_open(self)

    @classmethod
    def exact(
        cls, number: Decimal | int | str, unit: str, *, words: str = ""
    ) -> Amount:
        """Make a quantity that the source states outright."""
        value = _number(number)
        return cls(unit, value, value, words=words)

    @classmethod
    def below(
        cls,
        limit: Decimal | int | str,
        unit: str,
        *,
        inclusive: bool = False,
        words: str = "",
    ) -> Amount:
        """Make "almost three" (exclusive) or "up to three" (inclusive)."""
        return cls(unit, None, _number(limit), high_open=not inclusive, words=words)

    @classmethod
    def above(
        cls,
        limit: Decimal | int | str,
        unit: str,
        *,
        inclusive: bool = False,
        words: str = "",
    ) -> Amount:
        """Make "more than three" (exclusive) or "at least three" (inclusive)."""
        return cls(unit, _number(limit), None, low_open=not inclusive, words=words)

    @classmethod
    def between(
        cls,
        low: Decimal | int | str,
        high: Decimal | int | str,
        unit: str,
        *,
        words: str = "",
    ) -> Amount:
        """Make "two to three", both included."""
        return cls(unit, _number(low), _number(high), words=words)

    @classmethod
    def about(
        cls, number: Decimal | int | str, unit: str, *, words: str = ""
    ) -> Amount:
        """Make "about 250": the number is the source's, the margin nobody's."""
        value = _number(number)
        qualifier = Qualifier.APPROXIMATE
        return cls(unit, value, value, qualifier=qualifier, words=words)

    @classmethod
    def total(cls, amounts: Iterable[Amount], unit: str) -> Amount:
        """Add *amounts*, all in *unit*; zero if there are none."""
        whole = cls.exact(0, unit)
        for amount in amounts:
            whole += amount
        return whole

    @property
    def is_exact(self) -> bool:
        """Whether it is one number, and the source is sure of it."""
        return self.low == self.high is not None and self.qualifier is Qualifier.EXACT

    def __add__(self, other: Amount) -> Amount:
        """Add bounds to bounds, exactly; an excluded bound stays excluded.

        Raises:
            InvalidValue: If the units differ, or a sum has more than 30 digits
                before the point: nothing is rounded.
        """
        self._same_unit(other, "added")
        return Amount(
            self.unit,
            _plus(self.low, other.low),
            _plus(self.high, other.high),
            low_open=_either(self.low_open or other.low_open, self.low, other.low),
            high_open=_either(self.high_open or other.high_open, self.high, other.high),
            qualifier=_looser(self.qualifier, other.qualifier),
        )

    def __sub__(self, other: Amount) -> Amount:
        """Give what remains: least less greatest, greatest less least.

        Raises:
            InvalidValue: If the units differ.
        """
        self._same_unit(other, "subtracted")
        return self + Amount(
            self.unit,
            None if other.high is None else other.high.copy_negate(),
            None if other.low is None else other.low.copy_negate(),
            low_open=other.high_open,
            high_open=other.low_open,
            qualifier=other.qualifier,
        )

    def or_(self, other: Amount) -> Amount:
        """Give the narrowest bounds that hold this amount and *other*.

        Raises:
            InvalidValue: If the units differ.
        """
        self._same_unit(other, "joined")
        low = high = None
        low_open = high_open = False
        if self.low is not None and other.low is not None:
            low = min(self.low, other.low)
            low_open = (self.low_open or self.low > low) and (
                other.low_open or other.low > low
            )
        if self.high is not None and other.high is not None:
            high = max(self.high, other.high)
            high_open = (self.high_open or self.high < high) and (
                other.high_open or other.high < high
            )
        qualifier = _looser(self.qualifier, other.qualifier)
        return Amount(self.unit, low, high, low_open, high_open, qualifier)

    def below_or_at(self, other: Amount) -> Answer:
        """Say whether this is at most *other*.

        Raises:
            InvalidValue: If the units differ.
        """
        self._same_unit(other, "compared")
        if Qualifier.EXACT is not _looser(self.qualifier, other.qualifier):
            return Answer.MAYBE
        if self.high is not None and other.low is not None and self.high <= other.low:
            return Answer.YES
        if self.low is None or other.high is None or self.low < other.high:
            return Answer.MAYBE
        touches = self.low == other.high and not (self.low_open or other.high_open)
        return Answer.MAYBE if touches else Answer.NO

    def at_least_zero(self) -> Amount:
        """Cut off what lies below zero: a remainder is never negative."""
        zero = Decimal(0)
        if self.low is not None and self.low >= zero:
            return self
        if self.high is not None and self.high <= zero:
            return Amount(self.unit, zero, zero, qualifier=self.qualifier)
        if self.low is None:
            return self
        return Amount(self.unit, zero, self.high, False, self.high_open, self.qualifier)

    def _same_unit(self, other: Amount, verb: str) -> None:
        if self.unit != other.unit:
            problem = f"{self.unit} and {other.unit} cannot be {verb}"
            raise InvalidValue(str(other), problem, f"an amount in {self.unit}")

    def __str__(self) -> str:
        shown = self._bounds()
        text = (
            f"{self.unit} {shown}" if is_currency(self.unit) else f"{shown} {self.unit}"
        )
        if self.low is None and self.high is None:
            text = f"unknown {self.unit}"
        match self.qualifier:
            case Qualifier.EXACT:
                return text
            case Qualifier.APPROXIMATE:
                return f"about {text}"
            case other:
                return f"{text} ({other.value})"

    def _bounds(self) -> str:
        low = "" if self.low is None else f"{self.low:,f}"
        high = "" if self.high is None else f"{self.high:,f}"
        if self.low is None:
            return f"{'below' if self.high_open else 'at most'} {high}"
        if self.high is None:
            return f"{'above' if self.low_open else 'at least'} {low}"
        if self.low == self.high:
            return low
        if self.low_open or self.high_open:
            return (
                f"{'above' if self.low_open else 'from'} {low}"
                f" {'to below' if self.high_open else 'to'} {high}"
            )
        return f"{low} to {high}"

    def plain(self) -> dict[str, str | bool | None]:
        """Give the JSON form: numbers as text, so that no digit is lost."""
        return {
            "unit": self.unit,
            "low": None if self.low is None else str(self.low),
            "high": None if self.high is None else str(self.high),
            "low_open": self.low_open,
            "high_open": self.high_open,
            "qualifier": self.qualifier.value,
            "words": self.words,
        }


def _number(number: object) -> Decimal:
    if isinstance(number, bool) or not isinstance(number, Decimal | int | str):
        _refuse_number(number)
    if isinstance(number, str) and not _NUMBER.fullmatch(number):
        problem = f"this is no number of at most {_DIGITS_MAX} digits on each side"
        raise InvalidValue(number[:80], problem, _ACCEPTED_NUMBER)
    return Decimal(number)


def _check_number(number: object) -> None:
    try:
        if (
            type(number) is Decimal
            and _FLOOR < number < _LIMIT
            and number.adjusted() >= -_DIGITS_MAX
        ):
            number.quantize(_SMALLEST, None, _WHOLE)
            return
    except (InvalidOperation, Rounded):
        pass
    _refuse_number(number)


def _refuse_number(number: object) -> NoReturn:
    if type(number) is not Decimal:
        problem = f"a {type(number).__name__} is no amount"
    elif not number.is_finite():
        problem = "it is not finite"
    else:
        problem = f"more than {_DIGITS_MAX} digits before or after the point"
    raise InvalidValue(_shown(number)[:80], problem, _ACCEPTED_NUMBER)


def _shown(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no whole number of thousands of digits.
        return f"a very large {type(value).__name__}"


def _check_open(amount: Amount) -> None:
    low, high = amount.low, amount.high
    if (low is None and amount.low_open) or (high is None and amount.high_open):
        _refuse_bounds(amount, "a missing bound cannot be excluded")
    if low == high:
        _refuse_bounds(amount, "no number lies between the bounds")


def _refuse_bounds(amount: Amount, problem: str) -> NoReturn:
    accepted = "Amount.exact, .below, .above, .between or .about"
    raise InvalidValue(f"{amount.low} .. {amount.high}", problem, accepted)


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else _WHOLE.add(one, other)


def _either(flag: bool, one: Decimal | None, other: Decimal | None) -> bool:  # noqa: FBT001 - a fact about the bound, not an option
    return flag and one is not None and other is not None


def _looser(one: Qualifier, other: Qualifier) -> Qualifier:
    if one is other or other is Qualifier.EXACT:
        return one
    return other if one is Qualifier.EXACT else Qualifier.BOTH


@frozen
class Citation:
    """Where a fact can be checked by somebody who does not trust us.

    Attributes:
        source: The source's stream, such as ``"source/trend-4035629"``.
        at: Place inside it, such as ``"paragraph 4"``; empty for all of it.
        speaker: Whose words they are, if not the publisher's own.
        digest: SHA-256 of the passage as ``sha256:`` and 64 hex digits, or empty.

    Raises:
        InvalidValue: If ``source`` is empty or ``digest`` has another form.
    """

    source: str
    at: str = ""
    speaker: str = ""
    digest: str = ""

    def __attrs_post_init__(self) -> None:
        if type(self.source) is not str or not self.source:
            accepted = "the name of a source's stream, such as 'source/trend-4035629'"
            found = _shown(self.source)
            raise InvalidValue(found, "a citation names its source", accepted)
        if self.digest and not _DIGEST.fullmatch(_shown(self.digest)):
            accepted = "'sha256:' and 64 lower-case hexadecimal digits"
            raise InvalidValue(_shown(self.digest), "this is not a digest", accepted)

    def __str__(self) -> str:
        place = f", {self.at}" if self.at else ""
        return f"{self.source}{place}{f' ({self.speaker})' if self.speaker else ''}"

    def plain(self) -> dict[str, str]:
        """Give the JSON form."""
        return {
            "source": self.source,
            "at": self.at,
            "speaker": self.speaker,
            "digest": self.digest,
        }


_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")

NAME_CHARACTERS_MAX: Final = 200


def check_name(text: object, what: str) -> None:
    """Refuse a stream name or event id that could not be kept or shown safely.

    Accepted: 1 to 200 characters, none of them a control character, a lone
    surrogate or a line separator, no space at either end. Other people's tools
    read these names as lines, URLs and file names.

    Raises:
        InvalidValue: If it is none of that; ``place`` says where.
    """
    accepted = f"{what} of 1 to {NAME_CHARACTERS_MAX} printable characters"
    if not isinstance(text, str):
        kind = type(text).__name__
        raise InvalidValue(str(text), f"{what} is text, not {kind}", accepted)
    if not 1 <= len(text) <= NAME_CHARACTERS_MAX:
        raise InvalidValue(text, f"it has {len(text)} characters", accepted)
    # Nearly all names are printable; then no character of them is unsafe.
    for place, character in enumerate("" if text.isprintable() else text):
        if unicodedata.category(character) in _UNSAFE:
            name = f"U+{ord(character):04X}"
            raise InvalidValue(text, f"{name} cannot be in {what}", accepted, place)
    if text != text.strip():
        raise InvalidValue(text, "a space at an end is easily lost", accepted)


def day_of(text: str | date) -> date:
    """Read a day such as ``2025-04-25``, as asked of a view.

    Raises:
        InvalidValue: If it is anything else, a date-time included.
    """
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    try:
        if not isinstance(text, str) or not _DAY.fullmatch(text):
            raise ValueError("this is not a day")  # noqa: TRY301 - two roads, one refusal
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(_shown(text), str(error), "a day like 2025-04-25") from None


def datetime_of_us(recorded_us: int) -> datetime:
    """Give a time in microseconds since 1970 as a date-time, UTC."""
    return _EPOCH + timedelta(microseconds=recorded_us)


def day_of_us(recorded_us: int) -> date:
    """Give the day, UTC, of a time in microseconds since 1970."""
    return date.fromordinal(ordinal_of_us(recorded_us))


def ordinal_of_us(recorded_us: int) -> int:
    """Give that day's number, as ``date.toordinal()`` counts."""
    return _EPOCH_ORDINAL + recorded_us // _DAY_US


_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def recorded_us_of(text: object) -> int:
    """Read a recorded time such as ``2025-04-25T09:00:00Z``.

    Returns:
        Microseconds since 1970 UTC.

    Raises:
        InvalidValue: If it is no date-time, or has no time zone.
    """
    accepted = "a date-time with a zone, like 2025-04-25T09:00:00Z"
    try:
        moment = datetime.fromisoformat(_shown(text))
        if moment.tzinfo is not None:
            return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidValue(_shown(text), str(error), accepted) from None
    raise InvalidValue(_shown(text), "it has no time zone", accepted)


def known_until(text: str | date) -> int:
    """Read up to when something was known: a day (to its end, UTC) or a date-time.

    Returns:
        Microseconds since 1970 UTC, the last that counts.

    Raises:
        InvalidValue: If it is neither, or a date-time without a zone.
    """
    if isinstance(text, datetime) or (isinstance(text, str) and len(text) > _DAY_TEXT):
        return recorded_us_of(text)
    ends = datetime.combine(day_of(text), time.max, tzinfo=UTC)
    return (ends - _EPOCH) // _MICROSECOND


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_TEXT: Final = len("2025-04-25")
_UNSAFE: Final = {"Cc", "Cs", "Zl", "Zp"}
