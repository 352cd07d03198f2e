"""Quantities as bounds, with their unit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, Rounded
from typing import Final, NoReturn

from attrs import frozen

from azcn_events.core.units import check_unit, is_currency
from azcn_events.core.values.answers import Answer, Qualifier
from azcn_events.core.values.names import shown
from azcn_events.errors import InvalidValue

__all__ = ["Amount"]

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


@frozen(init=False)
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

    # As for When: what is read back from a store was checked before it was written.
    def __init__(
        self,
        unit: str,
        low: Decimal | None,
        high: Decimal | None,
        low_open: bool = False,  # noqa: FBT001, FBT002 - a fact about the bound
        high_open: bool = False,  # noqa: FBT001, FBT002 - likewise
        qualifier: Qualifier = Qualifier.EXACT,
        words: str = "",
    ) -> None:
        self.__attrs_init__(unit, low, high, low_open, high_open, qualifier, words)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - attrs makes it
        check_unit(unit)
        if low is not None:
            _check_number(low)
        if high is not None and high is not low:
            _check_number(high)
            if low is not None and low > high:
                _refuse_bounds(self, "the bounds cross")
        if low_open or high_open:
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
    raise InvalidValue(shown(number)[:80], problem, _ACCEPTED_NUMBER)


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
