"""Small lifecycles of users: some deals, a clinical trial, a register of ships."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import field, frozen

from azcn_events import Event, Lifecycle, Milestone
from azcn_events.investment import (
    AgreementIdentified,
    AgreementSigned,
    LandAllocated,
    ValueReported,
)

__all__ = [
    "DEALS",
    "SHIPS",
    "TRIAL",
    "VALUES",
    "CrewMustered",
    "EthicsApproved",
    "KeelLaid",
    "LastPatientOut",
    "Launched",
    "PatientsEnrolled",
    "ProtocolWritten",
    "Registered",
    "ResultsPublished",
    "SiteOpened",
    "YardOpened",
]


DEALS: Final = Lifecycle(
    name="deals",
    events={
        "agreement-identified": AgreementIdentified,
        "agreement-signed": AgreementSigned,
        "land-allocated": LandAllocated,
        "value-reported": ValueReported,
    },
    milestones=(
        Milestone("signed", met_by=AgreementSigned),
        Milestone("land-allocated", met_by=LandAllocated, expects=["signed"]),
    ),
    category="agreement",
)
"""What an analyst needs of the built-in lifecycle, who is asked for land and worth."""

VALUES: Final = Lifecycle("values", {"value-reported": ValueReported})
"""Nothing but what sources say of a worth."""


@frozen
class ProtocolWritten(Event):
    """What will be tried, and how."""

    title: str


@frozen
class EthicsApproved(Event):
    """The ethics committee agreed."""


@frozen
class SiteOpened(Event):
    """A hospital may take patients."""

    site: str = ""


@frozen
class PatientsEnrolled(Event):
    """Patients entered the trial."""

    number: int = 1


@frozen
class LastPatientOut(Event):
    """The last patient's last visit."""


@frozen
class ResultsPublished(Event):
    """The results can be read."""

    journal: str = ""


TRIAL: Final = Lifecycle(
    name="trial",
    events={
        "protocol-written": ProtocolWritten,
        "ethics-approved": EthicsApproved,
        "site-opened": SiteOpened,
        "patients-enrolled": PatientsEnrolled,
        "last-patient-out": LastPatientOut,
        "results-published": ResultsPublished,
    },
    milestones=(
        Milestone("approved", met_by=EthicsApproved),
        Milestone(
            "recruiting",
            met_by=PatientsEnrolled,
            begun_by=SiteOpened,
            requires=["approved"],
        ),
        Milestone("completed", met_by=LastPatientOut, requires=["recruiting"]),
        Milestone("published", met_by=ResultsPublished, expects=["completed"]),
    ),
    opened_by=ProtocolWritten,
)


@frozen
class YardOpened(Event):
    """A shipyard takes orders."""


@frozen
class KeelLaid(Event):
    """A ship's building began."""

    yard: str = ""


@frozen
class Launched(Event):
    """The ship swims."""

    tonnage: Decimal = Decimal(100)


@frozen
class CrewMustered(Event):
    """Who sails on her, in the order in which they signed on."""

    names: list[str] = field(factory=list[str])


@frozen
class Registered(Event):
    """She flies the flag."""

    port: str = ""


SHIPS: Final = Lifecycle(
    name="ships",
    events={
        "yard-opened": YardOpened,
        "keel-laid": KeelLaid,
        "launched": Launched,
        "crew-mustered": CrewMustered,
        "registered": Registered,
    },
    milestones=(
        Milestone("built", met_by=Launched, begun_by=KeelLaid),
        Milestone("registered", met_by=Registered, requires=["built"]),
        Milestone("manned", met_by=CrewMustered, expects=["registered"]),
    ),
    category="ship",
    streams={
        "ship": (KeelLaid, Launched, CrewMustered, Registered),
        "yard": (YardOpened,),
    },
)
