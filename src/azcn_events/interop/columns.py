"""Columns: the log as a CSV file that any database loads, to check it without us.

A line is a stored event, verbatim: the six fields of its leaf's header as the leaf says
them (see ``azcn_events.core.leaf``), then the stored bytes of payload and metadata in
hexadecimal, since a database would change JSON by reading it. Every field is quoted, so
an empty text is told from none.

Source:
    RFC 4180, with line feeds alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from azcn_events.core.leaf import Hashable, entry_of

__all__ = ["COLUMNS", "write"]

COLUMNS: Final = (
    "position",
    "stream",
    "version",
    "kind",
    "id",
    "recorded_at",
    "payload",
    "metadata",
)


def write(rows: Iterable[Hashable]) -> Iterator[bytes]:
    """Yield the lines of a file, as UTF-8: the columns' names, then a line a row.

    Args:
        rows: In position order, such as ``store.read_all()``.

    Raises:
        InvalidValue: If a recorded time is not in the years 1 to 9999.
    """
    yield _line(COLUMNS)
    for row in rows:
        _, *header, _, _, _ = entry_of(row).decode().split("\n")
        yield _line([*header, row.payload.hex(), row.metadata.hex()])


def _line(fields: Iterable[str]) -> bytes:
    quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    return f"{quoted}\n".encode()
