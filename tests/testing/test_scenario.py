"""Given, when, then: what such an example shows, and what it does not let pass."""

from __future__ import annotations

import pytest
from attrs import frozen

from azcn_events import (
    Activity,
    Event,
    Lifecycle,
    Milestone,
    MilestonePromised,
    Retracted,
    Status,
    Suspended,
    Terminated,
    UnknownName,
    When,
)
from azcn_events.investment import INVESTMENT, AgreementIdentified, LandAllocated
from azcn_events.testing.scenario import (
    Verdict,
    admitted,
    explained,
    fact,
    given,
    refused,
)


@frozen
class LicenceGranted(Event):
    number: str


@frozen
class FirstOre(Event):
    pass


@frozen
class FirstExport(Event):
    pass


CONCESSION = Lifecycle(
    name="concession",
    events={
        "licence-granted": LicenceGranted,
        "first-ore": FirstOre,
        "first-export": FirstExport,
    },
    milestones=(
        Milestone("licensed", met_by=LicenceGranted),
        Milestone("producing", met_by=FirstOre, expects=["licensed"]),
        Milestone("exporting", met_by=FirstExport, requires=["producing"]),
    ),
)
LICENCE, ORE, EXPORT = fact(LicenceGranted), fact(FirstOre), fact(FirstExport)


def test_a_fact_says_only_what_matters() -> None:
    """A text becomes a date, what is not said is plain, and what is said stays."""
    made = fact(LicenceGranted, "2024", number="7")
    assert (When("2024"), "7") == (made.when, made.number)
    assert When("2025-01-01") == fact(FirstOre).when
    assert When("2024", "last year") == fact(FirstOre, When("2024", "last year")).when


def test_an_example_reads_as_a_sentence() -> None:
    """Each "then" that holds gives the outcome back, so that they chain."""
    outcome = given(CONCESSION, LICENCE).when(ORE)
    assert outcome is (
        outcome.then_admitted()
        .then_met("licensed", "producing")
        .then_status(Status.UNMENTIONED, "exporting")
        .then_activity(Activity.ACTIVE)
        .then_deviates()
    )


def test_facts_are_recorded_one_after_another() -> None:
    """The second fact builds on the first."""
    given(CONCESSION).when(ORE, EXPORT).then_met("producing", "exporting")


def test_the_first_refusal_ends_it() -> None:
    """What was admitted before a refusal is recorded, what comes after it is not."""
    outcome = given(CONCESSION).when(LICENCE, EXPORT, ORE).then_refused("requires")
    assert [LICENCE] == [record.event for record in outcome.log]
    assert EXPORT is outcome.refused_fact


def test_a_promise_is_not_an_achievement() -> None:
    """What is promised is not met, and the other way round."""
    promised = given(CONCESSION).when(fact(MilestonePromised, milestone="producing"))
    promised.then_promised("producing")
    with pytest.raises(AssertionError, match="is met, found producing is promised"):
        promised.then_met("producing")
    with pytest.raises(AssertionError, match="is promised, found producing is met"):
        given(CONCESSION).when(ORE).then_promised("producing")


@pytest.mark.parametrize(
    ("correction", "code"),
    [
        (fact(Retracted, replaces="r1", reason="a slip"), ""),
        (fact(Retracted, replaces="r2", reason="a slip"), "not-found"),
        (fact(Retracted, replaces="r1"), "no-reason"),
        (fact(Retracted), "no-record"),
    ],
)
def test_a_correction_names_a_record(correction: Event, code: str) -> None:
    """Records are called r1, r2 and so on, and corrections keep the real rules."""
    assert Verdict(code) == given(CONCESSION, ORE).when(correction).verdict


def test_what_is_retracted_is_undone() -> None:
    """The state is that of the facts in force."""
    retracted = fact(Retracted, replaces="r1", reason="a slip")
    outcome = given(CONCESSION, ORE).when(retracted)
    outcome.then_status(Status.UNMENTIONED, "producing")


def test_it_can_end() -> None:
    """The activity is what the facts say, and no other passes."""
    on_hold = given(CONCESSION, ORE).when(fact(Suspended))
    on_hold.then_activity(Activity.SUSPENDED)
    with pytest.raises(AssertionError, match="expected it is active, found it is susp"):
        on_hold.then_activity(Activity.ACTIVE)
    given(CONCESSION).when(fact(Terminated), ORE).then_refused("terminated")


def test_just_these_deviations() -> None:
    """Those of the new facts, all of them, and none of the facts before."""
    given(CONCESSION).when(ORE).then_deviates("skipped")
    given(CONCESSION, ORE).when(EXPORT).then_deviates()
    for expected in ((), ("skipped", "regressed"), ("regressed",)):
        with pytest.raises(AssertionError, match="found unexpected: skipped\n"):
            given(CONCESSION).when(ORE).then_deviates(*expected)


def test_what_is_refused_shows_nothing() -> None:
    """No "then" about the state passes after a refusal."""
    outcome = given(CONCESSION, ORE).when(fact(Terminated), EXPORT)
    for look in (
        outcome.then_admitted,
        lambda: outcome.then_met("producing"),
        lambda: outcome.then_activity(Activity.TERMINATED),
        outcome.then_deviates,
    ):
        with pytest.raises(AssertionError, match="expected admitted, found refused"):
            look()


def test_the_rule_that_refuses_counts() -> None:
    """A refusal by another rule, or none, is a failure."""
    with pytest.raises(AssertionError, match=r"expected refused \(terminated\), found"):
        given(CONCESSION).when(EXPORT).then_refused("terminated")
    with pytest.raises(AssertionError, match=r"requires\), found admitted"):
        given(CONCESSION).when(ORE).then_refused("requires")


def test_what_is_given_must_be_possible() -> None:
    """An example that starts with what cannot be is none."""
    with pytest.raises(AssertionError, match=r"found refused \(requires\)"):
        given(CONCESSION, EXPORT)


def test_an_unknown_milestone_is_named() -> None:
    """A slip of the pen in a milestone's name is no passing test."""
    with pytest.raises(UnknownName, match="did you mean 'producing'"):
        given(CONCESSION).when(ORE).then_met("produsing")


def test_facts_are_recorded_when_they_are_so() -> None:
    """Without a day they are no promises of the future; with one they may be."""
    later = fact(FirstOre, "2025-03")
    given(CONCESSION).when(later).then_met("producing").then_deviates("skipped")
    early = given(CONCESSION).when(later, on="2025-02-01")
    early.then_promised("producing").then_deviates("impossible-date")


def test_recorded_days_never_fall() -> None:
    """A day before what is recorded already is refused, with both days."""
    known = given(CONCESSION, LICENCE, on="2025-04-30")
    with pytest.raises(ValueError, match=r"on 2025-04-25, but .* on 2025-04-30"):
        known.when(ORE, on="2025-04-25")
    known.when(ORE, on="2025-04-30").then_met("producing")


def test_asked_as_of_a_day() -> None:
    """Only what had surely come by then is met; a day later it may be."""
    outcome = given(CONCESSION).when(fact(FirstOre, "2025-03"), on="2025-04-30")
    outcome.as_of("2025-03-31").then_met("producing")
    outcome.as_of("2025-02-28").then_status(Status.UNMENTIONED, "producing")
    outcome.as_of("2025-02-28").then_deviates()
    with pytest.raises(AssertionError, match="unmentioned or met, as of 2025-03-15"):
        outcome.as_of("2025-03-15").then_met("producing")


def test_the_stream_is_one_with_milestones() -> None:
    """By itself the facts are about what has milestones; any stream may be named."""
    begun = given(INVESTMENT, fact(AgreementIdentified, field="glass"))
    assert "agreement/a" == begun.stream
    begun.when(fact(LandAllocated)).then_met("land-allocated")
    elsewhere = given(INVESTMENT, stream="source/s").when(fact(LandAllocated))
    elsewhere.then_refused("misplaced")


def test_it_compares_with_a_verdict() -> None:
    """An outcome equals what became of it, whichever side it stands on."""
    outcome = given(CONCESSION).when(EXPORT)
    assert outcome == refused("requires")
    assert refused("requires") == outcome
    assert outcome != refused("terminated")
    assert outcome != admitted()
    assert given(CONCESSION).when(ORE) == admitted()
    assert outcome == outcome  # noqa: PLR0124 - that is the promise
    assert outcome != given(CONCESSION).when(EXPORT)


def test_nothing_new_is_no_fact() -> None:
    """Without a new fact an example asks about what is given."""
    given(CONCESSION, LICENCE).when().then_met("licensed").then_deviates()


FAILURE = """\
expected admitted, found refused (terminated)
given
   1  a  LicenceGranted(number='', 2025-01-01)
        -> licensed
when
  recorded on 2025-02-03:
   2  a  FirstOre(2025-02-03)
        -> licensed, producing
   3  a  Terminated(2025-02-03)
        -> licensed, producing, (terminated)
   ?  a  FirstExport(2025-02-03)
        -> refused: it is terminated; record what happened before the end with a \
date before it, or that it resumed
admitted now: resumed, terminated"""


def test_a_failure_tells_the_whole_story() -> None:
    """It shows what was given, what came, what it led to, and what may follow."""
    news = [fact(kind, "2025-02-03") for kind in (FirstOre, Terminated, FirstExport)]
    with pytest.raises(AssertionError) as failed:
        given(CONCESSION, LICENCE).when(*news).then_met("exporting")
    assert FAILURE == str(failed.value)


def test_it_explains_only_its_own_comparisons() -> None:
    """Other comparisons are left to pytest, and the sides may be exchanged."""
    outcome = given(CONCESSION).when(EXPORT)
    lines = explained("==", outcome, admitted())
    assert lines is not None
    assert "expected admitted, found refused (requires)" == lines[0]
    assert lines == explained("==", admitted(), outcome)
    assert explained("!=", outcome, admitted()) is None
    assert explained("==", admitted(), admitted()) is None
    assert explained("==", 1, 2) is None
