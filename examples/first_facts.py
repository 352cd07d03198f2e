"""First facts: record what one article says, and read the state back."""

from azcn_events import Amount, Citation, Ledger, When
from azcn_events.investment import (
    AgreementIdentified,
    LandAllocated,
    MilestonePromised,
    SourceRegistered,
)

SOURCE = "source/trend-4035629"
SAID = {"when": When("2025-04-25"), "cites": Citation(SOURCE, at="paragraph 5")}


def main() -> None:
    """Record four facts and print where the agreement stands."""
    with Ledger.open("memory:") as ledger:
        ledger.record(
            SOURCE,
            SourceRegistered(
                publisher="Trend",
                title="AZPROMO's director on the agreements signed with China",
                url="https://en.trend.az/business/4035629.html",
                language="en",
                **SAID,
            ),
        )
        ledger.record(
            "agreement/cardboard",
            AgreementIdentified(field="cardboard production", **SAID),
            LandAllocated(
                area=Amount.below(3, "ha", words="almost three hectares"),
                when=When("[..2025-04-25]"),
                cites=Citation(SOURCE, at="paragraph 5"),
            ),
            MilestonePromised(
                "company-created", target=When.unknown("in the near future"), **SAID
            ),
        )
        state = ledger.state("agreement/cardboard")
        for name, milestone in state.milestones.items():
            print(f"{name}: {milestone.status.value}")
        print(ledger.report("milestones"))


if __name__ == "__main__":
    main()
