"""Read a ledger's file that may be damaged, and write nothing to it.

A store refuses a damaged file. Here everything is given that can still be read: each
row as it stands, each gap with its reason, and whatever else is not as it should be.
What it means is for the reader to judge; ``audit.verify`` is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

__all__ = [
    "ABSENT",
    "Absent",
    "Lost",
    "Oddity",
    "Raw",
    "Stored",
    "Unreadable",
    "inspect",
]


class Absent(Enum):
    """Stands for a column that the file does not have: its schema is older."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Lost(NamedTuple):
    """Stands for a value that cannot be read, though its row was found.

    Attributes:
        problem: What SQLite says of it.
    """

    problem: str


Raw: TypeAlias = int | float | str | bytes | Lost | Absent | None
"""What stands in a column. The class tells the storage class that SQLite found there,
which damage can change: INTEGER, REAL, TEXT, BLOB, NULL. Bytes of a text that are not
UTF-8 are kept as lone surrogates (``errors="surrogateescape"``)."""


class Stored(NamedTuple):
    """A row of the table of events, whatever its columns hold.

    Attributes:
        position: The row's key; always a number, from -2**63 to 2**63 - 1.
        stream: The stream's name; None if the row's number of it has no name.
        version: Place in its stream.
        id: The event's id.
        kind: The kind's name; None as for the stream.
        recorded_us: When it was recorded, microseconds since 1970 UTC.
        payload: The event.
        metadata: What belongs to the record and not to the fact.
        checksum: What the codec wrote beside the payload.
        earliest: First possible day; None if open.
        latest: Last possible day, likewise.
        leaf: The hash that was stored with the row; ``ABSENT`` in files of version 1.
    """

    position: int
    stream: Raw
    version: Raw
    id: Raw
    kind: Raw
    recorded_us: Raw
    payload: Raw
    metadata: Raw
    checksum: Raw
    earliest: Raw
    latest: Raw
    leaf: Raw


class Unreadable(NamedTuple):
    """Positions at which no row can be read; there may be fewer rows, or none.

    Attributes:
        first: The first of them.
        last: The last of them; None if it is not known how many there are.
        problem: What SQLite says.
    """

    first: int
    last: int | None
    problem: str


class Oddity(NamedTuple):
    """Something besides the rows that is not as it should be.

    Attributes:
        code: What kind of thing, for programs: ``"file"`` (it is no ledger, its header
            is wrong, or a log beside it was left out), ``"table"`` (one is missing, or
            cannot be read to its end), ``"name"`` (a name that no event uses, or that
            has two numbers), ``"integrity"`` (a line of SQLite's own check).
        problem: What was expected and what was found.
    """

    code: str
    problem: str


def inspect(path: str | os.PathLike[str]) -> Iterator[Stored | Unreadable | Oddity]:
    """Yield all that can be read of a ledger's file, and all that cannot.

    Oddities of the file come first, then rows and gaps by rising position, then
    oddities of names, and what ``PRAGMA integrity_check`` says, at most 100 lines.
    An undamaged file gives rows only. The file is neither changed nor upgraded.

    Args:
        path: The file.

    Raises:
        InvalidValue: If the path cannot be one.
        StoreUnusable: If there is no such file, or reading it is not permitted.
    """
    raise NotImplementedError(os.fspath(path))
