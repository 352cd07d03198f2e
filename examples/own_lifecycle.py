"""An own lifecycle: a mine's concession, from event classes and one value."""

from attrs import frozen

from azcn_events import Citation, Event, Ledger, Lifecycle, Milestone, When
from azcn_events import TransitionRefused as Refused
from azcn_events.core import diagram


@frozen
class LicenceGranted(Event):
    """The state granted the licence."""

    number: str


@frozen
class FirstOre(Event):
    """Ore left the ground."""


@frozen
class FirstExport(Event):
    """Ore left the country."""


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


def main() -> None:
    """Record ore before the licence, try to export too early, draw the rules."""
    gazette = Citation("source/gazette")
    with Ledger.open("memory:", lifecycle=CONCESSION) as ledger:
        try:
            ledger.record("mine/7", FirstExport(when=When("2024"), cites=gazette))
        except Refused as refused:
            print(refused)
        receipt = ledger.record("mine/7", FirstOre(when=When("2024-05"), cites=gazette))
        print(*receipt.deviations)
        print(ledger.report("funnel"))
    print(diagram.mermaid(CONCESSION))


if __name__ == "__main__":
    main()
