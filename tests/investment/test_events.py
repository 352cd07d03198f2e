"""Events of the domain: what no source can have meant is refused when it is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.logs import CITES

from azcn_events import Amount, Missing, When
from azcn_events.errors import InvalidValue
from azcn_events.investment.events import (
    Claim,
    ConflictNoted,
    DocumentsReported,
    GroupCount,
    LandAllocated,
    Party,
)

WHEN = When("2024-12-01")
CLAIM = Claim("AZPROMO", CITES)


def conflict(*claims: Claim) -> ConflictNoted:
    """Note that sources differ."""
    return ConflictNoted(when=WHEN, cites=CITES, about="organisers", claims=claims)


def documents(number: int, *groups: int) -> DocumentsReported:
    """Report documents in all, and in groups."""
    counts = tuple(GroupCount(f"group {n}", n) for n in groups)
    return DocumentsReported(when=WHEN, cites=CITES, number=number, groups=counts)


def land(area: Amount | Missing) -> LandAllocated:
    """Allocate an area."""
    return LandAllocated(when=WHEN, cites=CITES, area=area)


@pytest.mark.parametrize(
    ("make", "found", "problem", "accepted"),
    [
        (
            lambda: GroupCount("", 3),
            " 3",
            "no such count",
            "a group's name and a number from 0 up",
        ),
        (
            lambda: GroupCount("media", -1),
            "media -1",
            "no such count",
            "a group's name and a number from 0 up",
        ),
        (
            lambda: documents(3, 2, 2),
            "3",
            "groups of 4 in all exceed it",
            "at least 4",
        ),
        (
            conflict,
            "0 claims about organisers",
            "one claim is no conflict",
            "two or more",
        ),
        (
            lambda: conflict(CLAIM),
            "1 claims about organisers",
            "one claim is no conflict",
            "two or more",
        ),
        (
            lambda: land(Amount.exact(0, "ha")),
            "0 ha",
            "an area is more than nothing",
            "above zero",
        ),
        (
            lambda: land(Amount.below(-1, "ha")),
            "below -1 ha",
            "an area is more than nothing",
            "above zero",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    make: Callable[[], object], found: str, problem: str, accepted: str
) -> None:
    """With what was found, what is wrong with it, and what would be accepted."""
    with pytest.raises(InvalidValue) as caught:
        make()
    error = caught.value
    assert (found, problem, accepted) == (error.found, error.problem, error.accepted)


def test_what_is_just_possible_is_taken() -> None:
    """No document, as many as in the groups, two claims, little or unknown land."""
    assert 0 == GroupCount("media", 0).number
    assert 4 == documents(4, 2, 2).number
    assert 2 == len(conflict(CLAIM, CLAIM).claims)
    for area in (
        Amount.exact("0.0001", "ha"),
        Amount.above(0, "ha"),
        Amount.below(1, "ha"),
        Missing.WITHHELD,
    ):
        assert area == land(area).area


def test_a_party_is_shown_by_its_names_and_country() -> None:
    """Several names are sources that disagree; none is a party that nobody names."""
    shown = {
        "unnamed": Party(),
        "unnamed (CN)": Party(country="CN"),
        "AZPROMO": Party(("AZPROMO",)),
        "AZPROMO or NDRC (CN)": Party(("AZPROMO", "NDRC"), "CN", "organiser"),
    }
    assert list(shown) == [str(party) for party in shown.values()]
