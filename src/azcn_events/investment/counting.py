"""Counting policies: what goes into a total. Every total names its policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import frozen

from azcn_events.core.events import Recorded
from azcn_events.core.lifecycle import Activity, MilestoneState, Status
from azcn_events.core.values import Answer
from azcn_events.errors import UnknownName
from azcn_events.investment.events import DocumentKind
from azcn_events.investment.portfolio import Agreement

__all__ = ["POLICIES", "CountingPolicy", "policy"]


@frozen
class CountingPolicy:
    """A rule for what counts.

    Attributes:
        name: Its name.
        sentence: The rule in one sentence, printed with every total.
        counts: Says whether an agreement counts.
        unallocated: Whether value that no agreement is known to hold counts.
        rests_on: Gives the facts of an agreement by which it counts or does not,
            besides those by which it is one.
    """

    name: str
    sentence: str
    counts: Callable[[Agreement], Answer]
    unallocated: Answer
    rests_on: Callable[[Agreement], Iterable[Recorded]] = lambda _: ()


def _always(_: Agreement) -> Answer:
    return Answer.YES


def _no_umbrella(agreement: Agreement) -> Answer:
    return Answer.NO if agreement.identified.umbrella else Answer.YES


_PRESUPPOSE_COMMITMENT: Final = (
    "financial-model-agreed",
    "company-created",
    "work-started",
    "investment-completed",
    "producing",
)


def _committed(agreement: Agreement) -> Answer:
    """Apply TUFF's rule: no umbrella, no pledge, not cancelled, not suspended.

    Source: AidData, TUFF methodology, "recommended for research". A memorandum
    pledges, and so does the promise to sign; another signed document commits, and
    so does reaching a milestone that presupposes commitment. Where no source says
    what was signed, nothing follows.
    """
    state = agreement.state
    possible = {state.activity, *state.activity_maybe}
    if agreement.identified.umbrella or Activity.ACTIVE not in possible:
        return Answer.NO
    reached = [
        state.milestones[name].is_(Status.MET)
        for name in _PRESUPPOSE_COMMITMENT
        if name in state.milestones
    ]
    signed = state.milestones.get("signed", MilestoneState())
    pledged = [signed.is_(Status.PROMISED)]
    if agreement.kind is DocumentKind.AGREEMENT:
        reached.append(signed.is_(Status.MET))
    elif agreement.kind is DocumentKind.MEMORANDUM:
        pledged.append(signed.is_(Status.MET))
    if Answer.YES in reached:
        return Answer.MAYBE if state.activity_maybe else Answer.YES
    only_pledged = Answer.YES in pledged and Answer.MAYBE not in reached
    return Answer.NO if only_pledged else Answer.MAYBE


def _turns_and_steps(agreement: Agreement) -> tuple[Recorded, ...]:
    return agreement.standing.turns + agreement.standing.steps


POLICIES: Final[Mapping[str, CountingPolicy]] = {
    counting.name: counting
    for counting in (
        CountingPolicy(
            "claims",
            "the last value that a source states, for each agreement",
            _always,
            Answer.YES,
        ),
        CountingPolicy(
            "no-umbrellas",
            "the same, agreements that contain others left out",
            _no_umbrella,
            Answer.YES,
        ),
        CountingPolicy(
            "committed",
            "no umbrellas, no pledges (promises, memoranda), nothing suspended or"
            " terminated",
            _committed,
            Answer.MAYBE,
            _turns_and_steps,
        ),
    )
}


def policy(name: str) -> CountingPolicy:
    """Give a policy by its name.

    Raises:
        UnknownName: If there is none of that name.
    """
    try:
        return POLICIES[name]
    except KeyError:
        raise UnknownName("counting policy", name, tuple(POLICIES)) from None
