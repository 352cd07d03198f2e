"""A clinical trial as a lifecycle: a first draft with a dead end, and the repaired one.

Run it to see what the explorer says of both; ``test_trial.py`` beside it is how a team
would keep the repaired one right.
"""

from attrs import field, frozen, validators

from azcn_events import Event, Lifecycle, Milestone
from azcn_events.testing import check_laws, explore


@frozen
class TrialRegistered(Event):
    """The trial was entered into a public register. It opens the stream."""

    number: str = field(validator=validators.matches_re(r"NCT[0-9]{8}"))


@frozen
class EthicsApproved(Event):
    """The ethics committee approved the protocol."""


@frozen
class SiteActivated(Event):
    """A hospital may enrol patients."""


@frozen
class FirstPatientEnrolled(Event):
    """The first patient gave consent and was enrolled.

    Attributes:
        planned: How many patients are wanted in all.
    """

    planned: int = field(validator=validators.ge(1))


@frozen
class DatabaseLocked(Event):
    """The data were closed to changes."""


@frozen
class ResultsPublished(Event):
    """The results were made public."""


EVENTS = {
    "trial-registered": TrialRegistered,
    "ethics-approved": EthicsApproved,
    "site-activated": SiteActivated,
    "first-patient-enrolled": FirstPatientEnrolled,
    "database-locked": DatabaseLocked,
    "results-published": ResultsPublished,
}

FIRST_DRAFT = Lifecycle(
    name="clinical-trial",
    events=EVENTS,
    opened_by=TrialRegistered,
    milestones=(
        Milestone("approved", met_by=EthicsApproved),
        # "The committee's letter opens the hospital too, once the protocol is
        # approved." Read it again: the letter needs what only the letter brings.
        Milestone(
            "activated", met_by=[EthicsApproved, SiteActivated], requires=["approved"]
        ),
        Milestone("enrolling", met_by=FirstPatientEnrolled, requires=["activated"]),
        Milestone("locked", met_by=DatabaseLocked, requires=["enrolling"]),
        Milestone("published", met_by=ResultsPublished, expects=["locked"]),
    ),
)

TRIAL = Lifecycle(
    name="clinical-trial",
    events=EVENTS,
    opened_by=TrialRegistered,
    milestones=(
        Milestone("approved", met_by=EthicsApproved),
        Milestone("activated", met_by=SiteActivated, requires=["approved"]),
        Milestone("enrolling", met_by=FirstPatientEnrolled, requires=["activated"]),
        Milestone("locked", met_by=DatabaseLocked, requires=["enrolling"]),
        Milestone("published", met_by=ResultsPublished, expects=["locked"]),
    ),
)


def main() -> None:
    """Explore both, and say what is wrong with the first."""
    for broken in check_laws(FIRST_DRAFT, examples=20):
        print(broken)
        print()
    graph = explore(TRIAL)
    print(
        f"repaired: {len(graph.nodes)} states, {len(graph.dead_ends())} dead ends,"
        f" {len(check_laws(TRIAL, examples=20))} broken laws"
    )
    print("the shortest way to a locked database:")
    for event in graph.path("locked"):
        print(f"  {type(event).__name__}")


if __name__ == "__main__":
    main()
