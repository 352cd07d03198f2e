"""How a team keeps its lifecycle right: laws, a pin, examples, a state machine."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # An example is no package.

from trial import (
    FIRST_DRAFT,
    TRIAL,
    DatabaseLocked,
    EthicsApproved,
    FirstPatientEnrolled,
    ResultsPublished,
    SiteActivated,
    TrialRegistered,
)

from azcn_events.testing import (
    assert_lawful,
    check_laws,
    explore,
    fact,
    given,
    lifecycle_machine,
    pinned_by,
)

AGREED = Path(__file__).with_name("agreed.txt").read_text("utf-8")


def test_the_first_draft_had_a_dead_end() -> None:
    """The letter needs what only the letter brings, so nobody is ever enrolled."""
    laws = [broken.law for broken in check_laws(FIRST_DRAFT)]
    assert laws == ["everything_can_be_reached", "nothing_is_stuck"]


def test_the_repaired_lifecycle_is_lawful() -> None:
    """Every state has a way on, and every rule does what it says."""
    assert_lawful(TRIAL)


def test_the_rules_are_the_agreed_ones() -> None:
    """Who changes a rule changes this file too, and so is seen to do it."""
    assert_lawful(TRIAL, [pinned_by(AGREED)])


def test_no_state_is_a_trap() -> None:
    """Wherever a trial stands, its database can still be locked."""
    graph = explore(TRIAL)
    assert (graph.dead_ends(), graph.cannot_finish()) == ((), ())
    assert DatabaseLocked is type(graph.path("locked")[-1])


def test_nobody_is_enrolled_before_the_site_is_activated() -> None:
    """Not even if the protocol is approved."""
    approved = given(TRIAL, fact(TrialRegistered), fact(EthicsApproved))
    approved.when(fact(FirstPatientEnrolled)).then_refused("requires")
    approved.when(fact(SiteActivated), fact(FirstPatientEnrolled)).then_met("enrolling")


def test_publishing_first_is_odd_and_not_impossible() -> None:
    """It happens; it is recorded, and reported."""
    registered = given(TRIAL, fact(TrialRegistered))
    registered.when(fact(ResultsPublished)).then_met("published").then_deviates(
        "skipped"
    )


TestTrial = lifecycle_machine(TRIAL).TestCase
