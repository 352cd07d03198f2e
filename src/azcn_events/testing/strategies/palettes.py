"""What is drawn for a type, or for one field of a class.

A field's type says what may stand in it; a palette says what to try. ``WIDE`` asks
whether a thing survives anything; ``NEAR`` has few values, of one time and place, so
that facts meet, repeat and contradict each other. Both are plain mappings: add to
them what only you know, as in ``{**NEAR, (LicenceGranted, "number"): numbers}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from azcn_events.core.events import (
    Erased,
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
)
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.values import Amount, Citation, Missing, Sealed, When
from azcn_events.investment import events as ev
from azcn_events.testing.strategies import values

__all__ = ["NAMED", "NEAR", "WIDE", "Palette", "palette_for"]

Palette = Mapping[Any, st.SearchStrategy[Any]]
"""For a type, or for a class and the name of its field: what is drawn."""

NAMED: Final = (
    MilestonePromised,
    MilestoneProgressed,
    MilestoneReverted,
    MilestoneWaived,
)
"""The common facts that name the milestone that they are about."""


def palette_for(lifecycle: Lifecycle, palette: Palette) -> Palette:
    """Give a palette whose common facts name milestones of this lifecycle."""
    known = lifecycle.milestone_names
    if not known:
        return palette
    names = st.sampled_from(known)
    return {**palette, **{(kind, "milestone"): names for kind in NAMED}}


def _few(strategy: st.SearchStrategy[Any], least: int, most: int) -> Any:  # noqa: ANN401 - a strategy of any tuples
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


_SOURCES: Final = (Citation("source/s"), Citation("source/t"))
_claims = st.builds(ev.Claim, st.sampled_from("ab"), st.sampled_from(_SOURCES))
_groups = st.builds(
    ev.GroupCount, st.sampled_from(["institutional", "practical"]), st.integers(0, 6)
)
_said = values.texts(min_size=1).filter(lambda text: bool(text.strip()))
_DOMAIN: Final[Palette] = {
    (ev.ConflictNoted, "claims"): _few(_claims, 2, 3),
    (ev.DocumentsReported, "groups"): st.lists(
        _groups, max_size=2, unique_by=lambda count: count.group
    ).map(tuple),
    (ev.DocumentsReported, "number"): st.integers(12, 17),
    (Erased, "commitments"): _few(
        values.sealed_values().map(lambda sealed: sealed.commitment), 1, 3
    ),
    (Erased, "ordered_by"): _said,
    (Erased, "ground"): _said,
    (Erased, "approved_by"): st.permutations("abc").map(tuple),
}
"""What the built-in classes ask of their fields together."""

WIDE: Final[Palette] = {
    str: values.texts(),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63),
    Decimal: values.decimals(),
    date: values.days(),
    When: values.whens(),
    Amount: values.amounts(),
    Citation: values.citations() | values.citations_sealed(),
    Sealed: values.sealed_values(),
    **_DOMAIN,
    (ev.ConflictNoted, "claims"): _few(
        st.builds(ev.Claim, values.texts(), values.citations()), 2, 3
    ),
}
"""Anything legal."""

_group = st.sampled_from(["", "institutional", "practical"])

NEAR: Final[Palette] = {
    str: st.sampled_from(["", "a", "b"]),
    bool: st.booleans(),
    int: st.integers(0, 5),
    Decimal: st.sampled_from([0, 5, 10, 25]).map(Decimal),
    date: st.integers(0, values.SPAN_DAYS).map(
        lambda number: values.FIRST_DAY + timedelta(days=number)
    ),
    When: values.whens_nearby(),
    Amount: values.amounts_nearby(),
    Citation: st.sampled_from(_SOURCES),
    Missing: st.sampled_from(Missing),
    Sealed: values.sealed_values(),
    **_DOMAIN,
    (ev.LandAllocated, "area"): st.one_of(
        st.integers(1, 4).map(lambda number: Amount.exact(number, "ha")),
        st.just(Amount.below(3, "ha")),
        st.sampled_from(Missing),
    ),
    (ev.AgreementIdentified, "package"): st.sampled_from(["package/a", ""]),
    (ev.AgreementIdentified, "group"): _group,
    (ev.DocumentIdentified, "group"): _group,
    (ev.LinkProposed, "ours"): st.just("agreement/a"),
    (ev.LinkProposed, "other"): st.sampled_from(["agreement/b", "elsewhere"]),
    (ev.ValueReported, "covers"): st.sampled_from(
        [("all",), (), ("practical",), ("practical", "institutional")]
    ),
    (ev.ValueReported, "amount"): st.one_of(
        values.amounts_nearby(),
        values.amounts_nearby(),
        st.sampled_from(Missing),
        values.sealed_values(),
    ),
    (ev.ValueReported, "adds"): st.sampled_from([False, False, True]),
    (ev.AgreementIdentified, "umbrella"): st.sampled_from([False, False, False, True]),
}
"""Few values, of one time and place."""
