"""What a store must do: keep bytes, in order, and give back the same bytes.

A store knows nothing of events, lifecycles or dates. It numbers what it is
given, refuses what would break the numbering, and never changes a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from attrs import frozen

__all__ = ["EVENT_BYTES_MAX", "Draft", "Row", "Stamp", "Store"]

EVENT_BYTES_MAX: Final = 1_000_000
"""Largest payload plus metadata that any store takes, in bytes. With headers that
is below 1 MiB, the default message limit of NATS, so that a log can move."""


@frozen
class Draft:
    """An event on its way into a store.

    Attributes:
        stream: The stream's name, such as ``"agreement/cardboard"``.
        id: The event's id, unique in the whole store.
        kind: Stored name and version, such as ``"land-allocated/1"``.
        payload: The event as bytes; given back verbatim.
        metadata: What belongs to the record and not to the fact; verbatim too.
        checksum: Whatever the writer wants to find again beside the payload, 0 to
            2**63 - 1; the codec's checksum of it.
        earliest: First possible day as ``date.toordinal()``; None if open.
        latest: Last possible day, likewise; never below ``earliest``.
        recorded_us: Keep this recorded time (restoring a log), in microseconds
            since 1970 UTC, in the years 1 to 9999; None takes the store's clock.

    Days lie between -2**63 and 2**63, both left out.
    """

    stream: str
    id: str
    kind: str
    payload: bytes
    metadata: bytes = b"{}"
    checksum: int = 0
    earliest: int | None = None
    latest: int | None = None
    recorded_us: int | None = None


class Stamp(NamedTuple):
    """Where and when an event was stored: one for each draft, in order."""

    position: int
    version: int
    recorded_us: int


class Row(NamedTuple):
    """A stored event. ``position`` and ``version`` count from 1 without gaps."""

    position: int
    stream: str
    version: int
    id: str
    kind: str
    recorded_us: int
    payload: bytes
    metadata: bytes
    checksum: int


class Store(Protocol):
    """An append-only log with one ordered stream per thing.

    Laws: positions are gapless and the same for every reader, in commit order;
    versions are gapless in each stream; recorded times never fall as positions
    rise; an acknowledged append is durable as the store's setting says; a batch
    is stored whole or not at all; bytes come back verbatim; beside each event its
    leaf hash is kept, as ``core.leaf`` computes it.

    Threads may share a store. Names of streams, ids and kinds are any Unicode text
    without lone surrogates and characters below U+0020, and differ if they differ in
    anything; to ask for one that cannot be finds nothing. ``after`` and ``until`` are
    any whole numbers.
    """

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Add events, all or none, in the order given.

        Args:
            drafts: Events to add, of one stream or of several; may be empty.
            expected: For every stream in ``drafts``, the version the caller has
                read; 0 for a new stream. There is no way to skip the check. A
                stream that was only read may be given too, and is checked.

        Returns:
            One stamp per draft, in order. If *all* the ids are already stored,
            with the same streams, kinds, payloads and metadata, in the same
            order: the first append's stamps, whatever ``expected`` says, and
            nothing is stored again. Drafts with ``recorded_us`` set must match
            that too.

        Raises:
            VersionConflict: If a stream holds another number of events.
            IdCollision: If an id is stored already and this is not a repetition
                of that append, or occurs twice in ``drafts``. Ids are compared
                before versions and times: who tries again hears of the id.
            TooLarge: If a payload and its metadata exceed ``EVENT_BYTES_MAX``.
            InvalidValue: If a given ``recorded_us`` lies before the newest
                recorded time in the store or earlier in the batch, if it or the
                clock's lies outside of the years 1 to 9999, which no leaf could
                say, if a stream has no expected version, if ``earliest >
                latest``, if a number lies outside of what ``Draft`` says, or if
                a name holds a lone surrogate or a character below U+0020, which
                would break the lines of a leaf's text; its ``place`` says where.
            StoreFull, StoreBusy, StoreUnusable: If it cannot be written.
            Exception: Whatever the clock raises.

        What is refused, and what the clock breaks off, stores nothing; the store
        can be used further.
        """
        ...

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """Yield one stream's events with ``version > after``, oldest first.

        ``until`` is a *position*: later ones are left out. What is appended while
        it is read may be among them or not.
        """
        ...

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """Yield the log with ``after < position <= until``, in position order.

        Reads in pages, holds no transaction between them, and stops at the end
        of what is stored when it gets there.
        """
        ...

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        """Yield the leaf hashes of the log with ``after < position <= until``.

        In position order, 32 bytes each, as they were computed when the events were
        appended; whether they still fit the events is for an audit to say. Reads as
        ``read_all`` does.
        """
        ...

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """Yield every event up to position ``until``, one stream after another.

        Streams come in the order of their first event, events in version order.
        ``until`` None means the head at the time of the call.
        """
        ...

    def streams(self) -> Iterator[str]:
        """Yield the streams' names in the order of their first event."""
        ...

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """Give the event with this id, or None."""
        ...

    def head(self) -> int:
        """Give the last position; 0 if nothing is stored."""
        ...

    def version(self, stream: str) -> int:
        """Give a stream's version; 0 if there is no such stream."""
        ...

    def position_at(self, recorded_us: int) -> int:
        """Give the last position recorded at or before this time; 0 if none."""
        ...

    def close(self) -> None:
        """Release files and connections. Calling it twice is fine."""
        ...
