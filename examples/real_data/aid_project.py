"""A small lifecycle of its own: what aid information systems say of a project."""

import enum

from attrs import frozen

from azcn_events import Amount, Event, Lifecycle, Milestone, Projection, Recorded


class Stage(enum.Enum):
    """A project's status as the releases spell it; any other word is an error."""

    PIPELINE = "Pipeline/identification"
    IMPLEMENTATION = "Implementation"
    COMPLETION = "Completion"
    SUSPENDED = "Suspended"
    CANCELLED = "Cancelled"
    UNSPECIFIED = "Unspecified"
    BLANK = ""


@frozen
class ProjectListed(Event):
    """A release lists the project.

    Attributes:
        title: Its title.
        donors: Who funds it, as written: several are separated by bars.
    """

    title: str
    donors: str


@frozen
class StageCoded(Event):
    """A release says how far the project is. It moves no milestone.

    The crosswalks beside the tables say why: what a country's system called
    "Closed / Terminated" or "Clôturé financièrement" is "Suspended" here.
    """

    stage: Stage


@frozen
class ProjectStarted(Event):
    """The project began."""


@frozen
class ProjectEnded(Event):
    """The project ended."""


@frozen
class DateGiven(Event):
    """A date of which nobody says whether it was planned or came to be.

    Attributes:
        milestone: What it is the date of.
        type: What stands where the release should say which.
    """

    milestone: str
    type: str


@frozen
class Committed(Event):
    """Money was committed; a negative amount takes some of it back."""

    amount: Amount


@frozen
class Disbursed(Event):
    """Money was paid to those who run the project, or came back."""

    amount: Amount


@frozen
class Spent(Event):
    """Those who run the project spent money, or got some back."""

    amount: Amount


TRANSACTIONS = {"C": Committed, "D": Disbursed, "E": Spent}

AID_PROJECT = Lifecycle(
    name="aid-project",
    events={
        "project-listed": ProjectListed,
        "stage-coded": StageCoded,
        "project-started": ProjectStarted,
        "project-ended": ProjectEnded,
        "date-given": DateGiven,
        "committed": Committed,
        "disbursed": Disbursed,
        "spent": Spent,
    },
    milestones=(
        Milestone("funded", met_by=Committed),
        Milestone("started", met_by=ProjectStarted),
        Milestone("paid", met_by=Disbursed),
        Milestone("ended", met_by=ProjectEnded, expects=["started"]),
    ),
    opened_by=ProjectListed,
)

Sums = dict[tuple[str, str], Amount]
"""By stream and code of transaction."""

_CODES = {kind: code for code, kind in TRANSACTIONS.items()}


def _add(sums: Sums, record: Recorded) -> Sums:
    event = record.event
    if isinstance(event, Committed | Disbursed | Spent):
        key = record.stream, _CODES[type(event)]
        before = sums.get(key)
        sums[key] = event.amount if before is None else before + event.amount
    return sums


SUMS = Projection[Sums]("sums", start=dict, step=_add, merge=lambda a, b: a | b)
"""What was committed, disbursed and spent on each project, to the last digit."""
