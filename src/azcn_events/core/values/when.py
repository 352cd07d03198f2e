"""Valid time as bounds."""

from __future__ import annotations

from datetime import date
from typing import Final

from attrs import frozen

from azcn_events.core import edtf as dates
from azcn_events.core.values.answers import Answer, Qualifier, Range
from azcn_events.core.values.names import shown
from azcn_events.errors import InvalidValue

__all__ = ["When"]


@frozen(init=False)
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

    # Checked here and not after attrs' own __init__, which is also run by msgspec:
    # stored bytes were checked before they were written, and carry a checksum.
    def __init__(self, edtf: str, words: str = "") -> None:
        if type(edtf) is not str:
            found = type(edtf).__name__
            raise InvalidValue(shown(edtf), f"{found} is no text", dates.ACCEPTED)
        dates.parse(edtf)
        self.__attrs_init__(edtf, words)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - attrs makes it

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
        return cls(dates.write(earliest, latest), words)

    @property
    def earliest(self) -> date | None:
        """First possible day; None if open."""
        return dates.parse(self.edtf).earliest

    @property
    def latest(self) -> date | None:
        """Last possible day; None if open."""
        return dates.parse(self.edtf).latest

    @property
    def qualifier(self) -> Qualifier:
        """How sure the source is."""
        bounds = dates.parse(self.edtf)
        return _QUALIFIERS[bounds.approximate, bounds.uncertain]

    @property
    def is_known(self) -> bool:
        """Whether at least one bound is known."""
        return bool(self.edtf)

    def before(self, other: When) -> Answer:
        """Say whether this lies on an earlier day than *other*."""
        mine, its = dates.parse(self.edtf), dates.parse(other.edtf)
        if _blurred(mine) or _blurred(its):
            return Answer.MAYBE
        if mine.latest and its.earliest and mine.latest < its.earliest:
            return Answer.YES
        if mine.earliest and its.latest and mine.earliest >= its.latest:
            return Answer.NO
        return Answer.MAYBE

    def by(self, day: date) -> Answer:
        """Say whether it had come by the end of *day*."""
        bounds = dates.parse(self.edtf)
        if _blurred(bounds):
            return Answer.MAYBE
        if bounds.latest and bounds.latest <= day:
            return Answer.YES
        if bounds.earliest and bounds.earliest > day:
            return Answer.NO
        return Answer.MAYBE

    def same_day(self, other: When) -> Answer:
        """Say whether both lie on one calendar day."""
        mine, its = dates.parse(self.edtf), dates.parse(other.edtf)
        if _blurred(mine) or _blurred(its):
            return Answer.MAYBE
        if Answer.YES in (self.before(other), other.before(self)):
            return Answer.NO
        pinned = mine.earliest is not None and mine.earliest == mine.latest
        same = (mine.earliest, mine.latest) == (its.earliest, its.latest)
        return Answer.YES if pinned and same else Answer.MAYBE

    def within(self, other: When) -> bool:
        """Say whether these bounds lie inside *other*'s: a refinement of it."""
        mine, its = dates.parse(self.edtf), dates.parse(other.edtf)
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
        mine, its = dates.parse(self.edtf), dates.parse(other.edtf)
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


def _blurred(bounds: dates.Bounds) -> bool:
    return bounds.approximate or bounds.uncertain


def _days(start: date | None, end: date | None) -> int | None:
    return None if start is None or end is None else (end - start).days
