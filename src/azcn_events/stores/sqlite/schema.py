"""The tables: their text, and how those of an earlier version become such.

Internal to the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Final, cast

from azcn_events.core.leaf import Fields, leaves_from
from azcn_events.errors import InvalidValue, StoreUnusable
from azcn_events.stores import batch
from azcn_events.stores.sqlite.driver import REPAIR, Connection

__all__ = ["foreign_triggers", "schema", "upgrade_from_1"]


def schema() -> str:
    """Give the SQL that makes the tables in an empty file."""
    text = resources.files("azcn_events.stores.sqlite") / "schema.sql"
    return text.read_text("utf-8")


def foreign_triggers(connection: Connection) -> list[str]:
    """Name the triggers on our tables that are none of ours, in order.

    One of them can drop what is appended, or append more, and nothing would say so.
    """
    ours = {f"{table}_is_not_{done}" for table in _TABLES for done in _DONE}
    found = connection.execute(_TRIGGERS).fetchall()
    return sorted({str(name) for (name,) in found} - ours)


_DONE: Final = ("changed", "deleted")
_TRIGGERS: Final = """
    SELECT name FROM sqlite_schema
    WHERE type = 'trigger' AND tbl_name COLLATE nocase IN ('event', 'stream', 'kind')
"""


def upgrade_from_1(writer: Connection, place: str) -> None:
    """Make a file of version 1, which has no leaves, one of version 2.

    Inside a transaction. The tables are made anew, so that an upgraded file has the
    text and the order of columns of a new one.

    Raises:
        StoreUnusable: If an event has no leaf: version 1 took recorded times of any
            year, and names with line feeds.
    """
    # Otherwise renaming a table changes what the views of others say of it.
    writer.pragma("legacy_alter_table", True)
    for kind, name in writer.execute(_IN_THE_WAY).fetchall():
        writer.execute(f"DROP {kind} {_quoted(cast('str', name))}")
    for table in _TABLES:
        writer.execute(f"ALTER TABLE {table} RENAME TO {table}_of_1")
    writer.execute(schema()).fetchall()
    writer.execute("INSERT INTO stream SELECT id, name FROM stream_of_1")
    writer.execute("INSERT INTO kind SELECT id, name FROM kind_of_1")
    writer.executemany(_COPY, _leaves(writer, place))
    for table in _TABLES:
        writer.execute(f"DROP TABLE {table}_of_1")
    writer.pragma("legacy_alter_table", False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _leaves(writer: Connection, place: str) -> Iterator[tuple[bytes, int]]:
    """Yield each old event's leaf and position."""
    for row in writer.execute(_OLD_EVENTS):
        if None in row:
            position = row[0]
            detail = f"the stream or the kind of position {position} is lost; {REPAIR}"
            raise StoreUnusable(place, "damaged", detail)
        fields = cast("Fields", row)
        position, stream, _, kind, id_, *_ = fields
        try:
            batch.check_names((stream, kind, id_))
            (leaf,) = leaves_from([fields])
        except InvalidValue as error:
            detail = (
                f"no leaf can be made of position {position}, so the file was left at"
                f" version 1: {error}"
            )
            raise StoreUnusable(place, "damaged", detail) from error
        yield leaf, position


_TABLES: Final = ("event", "stream", "kind")  # event first: it refers to the others
_IN_THE_WAY: Final = """
    SELECT type, name FROM sqlite_schema
    WHERE type = 'trigger' AND tbl_name IN ('event', 'stream', 'kind')
       OR type = 'view' AND name = 'log'
"""
# The outer joins, so that an event without a name is refused and not left behind.
_OLD_EVENTS: Final = """
    SELECT position, stream.name, version, kind.name,
           event.id, recorded_us, payload, metadata
    FROM event_of_1 AS event
    LEFT JOIN stream_of_1 AS stream ON stream.id = event.stream
    LEFT JOIN kind_of_1 AS kind ON kind.id = event.kind
    ORDER BY position
"""
_COPY: Final = """
    INSERT INTO event (position, stream, version, kind, recorded_us, earliest,
                       latest, id, leaf, payload, metadata, checksum)
    SELECT position, stream, version, kind, recorded_us, earliest,
           latest, id, ?, payload, metadata, checksum
    FROM event_of_1 WHERE position = ?
"""
