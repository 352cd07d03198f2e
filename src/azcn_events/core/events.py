"""What every event carries, how a store's record wraps it, and the common facts.

An event is what a source said: frozen, in the past tense, silent about storage.
The facts below belong to no trade: any lifecycle may use them without listing
them. Facts of a trade, such as ``LandAllocated``, are classes of their own that
inherit :class:`Event`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from attrs import field, frozen, validators

from azcn_events.core.values import (
    Citation,
    When,
    check_commitment,
    datetime_of_us,
    day_of_us,
)
from azcn_events.errors import InvalidValue

__all__ = [
    "COMMON",
    "ERASURES",
    "LEDGER_FACTS",
    "LEDGER_STREAMS",
    "Erased",
    "Event",
    "Fact",
    "Look",
    "MilestoneProgressed",
    "MilestonePromised",
    "MilestoneReverted",
    "MilestoneWaived",
    "Parameter",
    "Recorded",
    "ReportContinued",
    "ReportPublished",
    "Resumed",
    "Retracted",
    "Suspended",
    "Terminated",
]


_UNDATED: Final = When.unknown()


@frozen(kw_only=True)
class Event:
    """One fact, as one source states it.

    Attributes:
        when: When it was so, by the source.
        cites: The source, and where in it.
        replaces: For a correction: id of the record in the same stream in whose
            place this fact now stands. Empty for news.
        reason: Why the record is replaced; required with ``replaces``.
    """

    when: When
    cites: Citation
    replaces: str = ""
    reason: str = ""


@frozen
class MilestonePromised(Event):
    """Somebody said that a milestone will be reached. It is not reached by that.

    Attributes:
        milestone: The milestone's name.
        target: By when; ``When.unknown(words)`` if no date was given.
    """

    milestone: str
    target: When = _UNDATED


@frozen
class MilestoneProgressed(Event):
    """A milestone is partly met, and no more than that was said.

    Attributes:
        milestone: The milestone's name.
        what: What was done, in our words.
    """

    milestone: str
    what: str = ""


@frozen
class MilestoneReverted(Event):
    """A milestone that was met, begun or promised is so no longer.

    Attributes:
        milestone: The milestone's name.
        what: What happened, in our words.
    """

    milestone: str
    what: str = ""


@frozen
class MilestoneWaived(Event):
    """The parties agreed to go on without a milestone.

    Attributes:
        milestone: The milestone's name.
        what: What was agreed, in our words.
    """

    milestone: str
    what: str = ""


@frozen
class Suspended(Event):
    """Work was formally put on hold.

    Attributes:
        what: By whom or why, in our words.
    """

    what: str = ""


@frozen
class Resumed(Event):
    """Work was taken up again after a suspension, or even a termination.

    Attributes:
        what: By whom or why, in our words.
    """

    what: str = ""


@frozen
class Terminated(Event):
    """It ended before its purpose was reached: cancelled, withdrawn, expired.

    Attributes:
        what: By whom or why, in our words.
    """

    what: str = ""


@frozen
class Retracted(Event):
    """A record should not have been made; nothing stands in its place.

    ``replaces`` names it. The record itself stays readable for ever. Retracting
    a correction, or a retraction, restores what that had replaced.
    """


# About the ledger itself


@frozen
class Look:
    """From where a report looked at the log; what it showed follows from it.

    Attributes:
        position: The last position that it knew, and so the size of the log; >= 0.
        on: The day to which ages and lateness were counted.
        as_of: What had come by the end of this day counted; None: all.
        known_by: The recorded time asked for, as asked; empty for all.
    """

    position: int = field(validator=validators.ge(0))
    on: date
    as_of: date | None = None
    known_by: str = ""


@frozen
class Parameter:
    """A parameter of a report, such as ``policy``, and what was given for it."""

    name: str
    value: str


@frozen
class ReportPublished(Event):
    """A report was given out: what was told, from which log, by which computation.

    ``when`` is the day on which it was given out; it cites where it stands.

    Attributes:
        report: The report's name, such as ``"pipeline"``.
        report_version: The version of its computation, >= 1.
        look: From where it looked at the log.
        root: The log's Merkle root at that size, 64 lower-case hexadecimal digits.
        digest: SHA-256 of what was told, ``sha256:`` and 64 hexadecimal digits.
        form: How what was told is written as bytes, such as ``"rows/1"``.
        rows: How many rows it had.
        content: What was told, in that form: all of it, or the beginning; empty if
            it is not kept here.
        parts: How many ``ReportContinued`` follow with the rest, >= 0.
        parameters: What was asked of the report.
        before: The earlier look of a report of changes; None for other reports.
    """

    report: str
    report_version: int = field(validator=validators.ge(1))
    look: Look
    root: str = field(validator=validators.matches_re(r"[0-9a-f]{64}"))
    digest: str = field(validator=validators.matches_re(r"sha256:[0-9a-f]{64}"))
    form: str
    rows: int = field(validator=validators.ge(0))
    content: str = ""
    parts: int = field(default=0, validator=validators.ge(0))
    parameters: tuple[Parameter, ...] = ()
    before: Look | None = None


@frozen
class ReportContinued(Event):
    """More of what a report told, where one event cannot hold all of it.

    Attributes:
        content: What follows on the content of the record before.
    """

    content: str


@frozen
class Erased(Event):
    """Sealed values were destroyed, by order. ``when`` is the day of the order.

    Recorded when they are gone, never before, in the stream ``ERASURES``, where every
    look at the log looks for it. It cites the order.

    Attributes:
        commitments: The commitments whose values are gone, at least one; see
            ``Sealed``.
        ordered_by: Who ordered it.
        ground: On what legal ground.
        approved_by: Who approved it: at least two different people.

    Raises:
        InvalidValue: If one of these is missing.
    """

    commitments: tuple[str, ...]
    ordered_by: str
    ground: str
    approved_by: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        for commitment in self.commitments:
            check_commitment(commitment)
        if not self.commitments:
            accepted = "the commitments of the values that are gone"
            raise InvalidValue("", "an erasure erases something", accepted)
        for name, text in (("ordered_by", self.ordered_by), ("ground", self.ground)):
            if not text.strip():
                accepted = "who ordered it, and on what legal ground"
                raise InvalidValue(text, f"{name} says nothing", accepted)
        people = {" ".join(name.split()).casefold() for name in self.approved_by}
        if len(people - {""}) < 2:
            accepted = "the names of at least two different people"
            found = ", ".join(self.approved_by)
            raise InvalidValue(found, "one person alone may not erase", accepted)


@frozen
class Fact:
    """An event on its way into a ledger.

    Attributes:
        stream: The stream it belongs to.
        event: What the source said.
        id: The record's id, unique in the store; empty has the ledger make one.
        recorded_us: Keep this recorded time (restoring a log), microseconds since
            1970 UTC; None takes the store's clock.
        metadata: JSON object about the recording, as bytes.
    """

    stream: str
    event: Event
    id: str = ""
    recorded_us: int | None = None
    metadata: bytes = b"{}"


COMMON: Final[Mapping[str, type[Event]]] = {
    "milestone-promised": MilestonePromised,
    "milestone-progressed": MilestoneProgressed,
    "milestone-reverted": MilestoneReverted,
    "milestone-waived": MilestoneWaived,
    "suspended": Suspended,
    "resumed": Resumed,
    "terminated": Terminated,
    "retracted": Retracted,
}
"""Stored names of the common facts. They are on disk: add, never rename."""


ERASURES: Final = "erasure/values"
"""The stream that says which sealed values are erased."""

LEDGER_FACTS: Final[Mapping[str, type[Event]]] = {
    "report-published": ReportPublished,
    "report-continued": ReportContinued,
    "erased": Erased,
}
"""Stored names of the facts about the ledger itself; likewise on disk."""

LEDGER_STREAMS: Final[Mapping[str, tuple[type[Event], ...]]] = {
    "report": (ReportPublished, ReportContinued),
    "erasure": (Erased,),
}
"""Categories of streams that are about the ledger itself, whatever the lifecycle, and
the facts that they take and no other stream does. They have no milestones, and no
report counts them."""


class Recorded(NamedTuple):
    """An event as a store holds it.

    A named tuple where everything else is an attrs class: one is made for each
    event that is replayed, and this costs a quarter of a frozen attrs class.

    Attributes:
        position: Place in the whole log, from 1, without gaps.
        stream: Name of its stream, such as ``"agreement/cardboard"``.
        version: Place in its stream, from 1, without gaps.
        id: The event's id, unique in the store.
        kind: Stored name and version, such as ``"land-allocated/1"``.
        recorded_us: When the store took it, in microseconds since 1970 UTC.
        event: The fact.
        metadata: JSON object about the recording (who, with what), as bytes.
    """

    position: int
    stream: str
    version: int
    id: str
    kind: str
    recorded_us: int
    event: Event
    metadata: bytes = b"{}"

    @property
    def recorded_at(self) -> datetime:
        """When the store took it, UTC, to the microsecond."""
        return datetime_of_us(self.recorded_us)

    @property
    def recorded_on(self) -> date:
        """The day on which the store took it, UTC."""
        return day_of_us(self.recorded_us)
