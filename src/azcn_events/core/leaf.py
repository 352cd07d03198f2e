"""What is hashed of a record: its header, and digests of its stored bytes.

An entry is UTF-8 text of nine lines, each ended by one line feed::

    azcn-event/1
    <position>
    <stream>
    <version>
    <kind>
    <id>
    <recorded_at, UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ>
    <payload: its length in bytes, a space, its SHA-256 in hexadecimal>
    <metadata: likewise>

Numbers are decimal, without sign or leading zero; stores take no name that holds a
line feed. So the text tells every field, and no two records have the same text. Never
the payload itself, and never anything encoded anew: what was stored is what counts.

The layout is ours. What becomes of it is not: see ``merkle``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from operator import attrgetter
from typing import Final, NamedTuple, Protocol, TypeAlias

from azcn_events.core.merkle import entry_hash
from azcn_events.core.values import datetime_of_us, recorded_us_of
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = [
    "Entry",
    "Fields",
    "Hashable",
    "entry_of",
    "leaf_of",
    "leaves_from",
    "leaves_of",
    "parse_entry",
]


class Hashable(Protocol):
    """What an entry is made of: a row of any store."""

    @property
    def position(self) -> int: ...
    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def recorded_us(self) -> int: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def metadata(self) -> bytes: ...


Fields: TypeAlias = tuple[int, str, int, str, str, int, bytes, bytes]
"""The same in the order of an entry's lines."""


class Entry(NamedTuple):
    """What the text of an entry says.

    Attributes:
        position: Place in the log, from 1.
        stream: Name of its stream.
        version: Place in its stream, from 1.
        kind: Stored name and version of the event.
        id: The event's id.
        recorded_us: When it was recorded, microseconds since 1970 UTC.
        payload_bytes: Length of the payload.
        payload_digest: SHA-256 of the payload, 32 bytes.
        metadata_bytes: Length of the metadata.
        metadata_digest: SHA-256 of the metadata, 32 bytes.
    """

    position: int
    stream: str
    version: int
    kind: str
    id: str
    recorded_us: int
    payload_bytes: int
    payload_digest: bytes
    metadata_bytes: int
    metadata_digest: bytes


def entry_of(row: Hashable) -> bytes:
    """Give the text of a row's entry, as UTF-8.

    Raises:
        InvalidValue: If its recorded time is not in the years 1 to 9999.
    """
    payload, metadata = row.payload, row.metadata
    return (
        f"{_TAG}\n{row.position}\n{row.stream}\n{row.version}\n{row.kind}\n{row.id}\n"
        f"{_recorded_at(row.recorded_us)}\n"
        f"{len(payload)} {sha256(payload).hexdigest()}\n"
        f"{len(metadata)} {sha256(metadata).hexdigest()}\n"
    ).encode()


def leaf_of(row: Hashable) -> bytes:
    """Give a row's leaf hash, 32 bytes.

    Raises:
        InvalidValue: As for :func:`entry_of`.
    """
    return entry_hash(entry_of(row))


def leaves_of(rows: Iterable[Hashable]) -> Iterator[bytes]:
    """Yield the leaf hash of each row; quicker where neighbours are alike.

    Raises:
        InvalidValue: As for :func:`entry_of`.
    """
    return leaves_from(map(_fields, rows))


def leaves_from(rows: Iterable[Fields]) -> Iterator[bytes]:
    """Yield the leaf hash of each tuple of fields, as :func:`leaves_of` does.

    This is in the way of every append, so it says once more what an entry is: what
    the rows of a batch have in common, their time and often their metadata, is
    written down once.

    Raises:
        InvalidValue: As for :func:`entry_of`.
    """
    last_us, recorded_at = -1, _recorded_at(-1)
    last_metadata, about = b"", f"0 {sha256(b'').hexdigest()}"
    for position, stream, version, kind, id_, recorded_us, payload, metadata in rows:
        if recorded_us != last_us:
            last_us, recorded_at = recorded_us, _recorded_at(recorded_us)
        if metadata != last_metadata:
            last_metadata = metadata
            about = f"{len(metadata)} {sha256(metadata).hexdigest()}"
        yield sha256(
            f"\0{_TAG}\n{position}\n{stream}\n{version}\n{kind}\n{id_}\n{recorded_at}\n"
            f"{len(payload)} {sha256(payload).hexdigest()}\n{about}\n".encode()
        ).digest()


def _recorded_at(recorded_us: int) -> str:
    try:
        moment = datetime_of_us(recorded_us).replace(tzinfo=None)
    except OverflowError:
        accepted = "microseconds since 1970 UTC, in the years 1 to 9999"
        problem = "no leaf can say this recorded time"
        raise InvalidValue(str(recorded_us), problem, accepted) from None
    return f"{moment.isoformat(timespec='microseconds')}Z"


def parse_entry(text: bytes) -> Entry:
    """Read an entry back: its text says every field, and in one way only.

    Raises:
        ProofRefused: If it is no entry, byte for byte as :func:`entry_of` writes it.
    """
    try:
        found = _LAYOUT.fullmatch(text.decode())
    except UnicodeDecodeError:
        found = None
    if not found:
        raise ProofRefused("entry", "it has not the nine lines of an entry")
    position, stream, version, kind, id_, at, size, digest, m_size, m_digest = (
        found.groups()
    )
    try:
        recorded_us = recorded_us_of(at)
    except InvalidValue as error:
        raise ProofRefused("entry", f"its recorded time: {error}") from None
    return Entry(
        int(position),
        stream,
        int(version),
        kind,
        id_,
        recorded_us,
        int(size),
        bytes.fromhex(digest),
        int(m_size),
        bytes.fromhex(m_digest),
    )


_TAG: Final = "azcn-event/1"
_fields: Final[Callable[[Hashable], Fields]] = attrgetter(
    *("position", "stream", "version", "kind"),
    *("id", "recorded_us", "payload", "metadata"),
)
_LAYOUT: Final = re.compile(
    rf"{_TAG}\n"
    r"([1-9][0-9]{0,18})\n([^\n]*)\n([1-9][0-9]{0,18})\n([^\n]*)\n([^\n]*)\n"
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)\n"
    r"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})\n(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})\n"
)
