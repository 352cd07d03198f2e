"""Answers that may be "maybe", absences that differ, counts as ranges."""

from __future__ import annotations

import enum

from attrs import frozen

__all__ = ["Answer", "Missing", "Qualifier", "Range"]


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
    """Why a value is absent. Five different things; none of them is zero."""

    UNKNOWN = "unknown"
    """There is one, or may be; no source at hand says it."""
    NONE = "none"
    """A source says that there is none."""
    WITHHELD = "withheld"
    """A source says that it is not disclosed."""
    VOID = "void"
    """The question does not arise."""
    ERASED = "erased"
    """There was one, and it was destroyed by order; see ``Sealed``. No source says
    this: it is what a look at the log makes of a sealed value that is gone."""

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
