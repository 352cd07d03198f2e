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

from attrs import frozen

from azcn_events.core.values import Citation, When, datetime_of_us, day_of_us

__all__ = [
    "COMMON",
    "Event",
    "Fact",
    "MilestoneProgressed",
    "MilestonePromised",
    "MilestoneReverted",
    "MilestoneWaived",
    "Recorded",
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
