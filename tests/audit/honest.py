"""The rows of a log that nobody has tampered with."""

from __future__ import annotations

from typing import Any, cast

from tests.audit.ledgers import told

from azcn_events import INVESTMENT
from azcn_events.audit.verify import RawRow, rows_of
from azcn_events.core.codec import Codec
from azcn_events.stores.memory import MemoryStore
from azcn_events.testing import Clock

__all__ = ["BEGAN_S", "CODEC", "HONEST"]

CODEC = Codec(INVESTMENT)


def honest() -> tuple[list[RawRow], int]:
    """Give the rows of the log, with their days, and when it began in seconds."""
    clock = Clock()
    began_s = clock.us // 1_000_000
    store = MemoryStore(clock)
    told(store, clock)
    rows = []
    for row in rows_of(store):
        when = CODEC.decode(*cast("Any", (row.kind, row.payload, row.checksum))).when
        days = [day and day.toordinal() for day in (when.earliest, when.latest)]
        rows.append(row._replace(earliest=days[0], latest=days[1]))
    return rows, began_s


HONEST, BEGAN_S = honest()
