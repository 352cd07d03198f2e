"""What a store can get wrong when several use it at once, as values."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from azcn_events.testing.concurrency.history import Operation

__all__ = ["Anomaly", "Kind"]


class Kind(StrEnum):
    """Which promise was broken."""

    LOST = "lost"
    """Acknowledged, and not in the log."""
    FOREIGN = "foreign"
    """In the log, and nobody appended it to this stream."""
    DOUBLED = "doubled"
    """Stored, or delivered to a follower, twice."""
    STORED_THOUGH_REFUSED = "stored-though-refused"
    """Refused, and in the log all the same."""
    TORN = "torn"
    """Stored in part, or not in one piece."""
    UNCHECKED = "unchecked"
    """Stored after another version than the expected one."""
    MISNUMBERED = "misnumbered"
    """Acknowledged with another version than it has."""
    WRONG_REFUSAL = "wrong-refusal"
    """Refused though the version was right, or at a version that never was."""
    WRONG_READ = "wrong-read"
    """A read of what the stream never was."""
    HALF_READ = "half-read"
    """A read of a part of one append."""
    STALE = "stale"
    """An answer older than what somebody had been told before the question."""
    FAILING = "failing"
    """Too many operations had no answer but an error."""
    SKIPPED = "skipped"
    """A follower never got an event that is in the log."""
    OUT_OF_ORDER = "out-of-order"
    """A follower got an event after one with a later position."""
    GAP = "gap"
    """The log's positions are not 1, 2, 3 and so on."""


@frozen
class Anomaly:
    """One promise that was broken.

    Attributes:
        kind: Which promise.
        stream: Where; empty if it concerns the whole log.
        words: What was seen, and what it contradicts.
        operations: Those that show it, the one at fault first; may be empty.
    """

    kind: Kind
    stream: str
    words: str
    operations: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        where = f"{self.stream}: " if self.stream else ""
        shown = (f"  client {one.client}: {one}" for one in self.operations)
        return "\n".join([f"{where}{self.words} ({self.kind})", *shown])
