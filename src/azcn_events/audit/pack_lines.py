r"""Events as lines of a file, verbatim: anybody can compute their leaves again.

A line is a JSON object in ASCII, its keys in this order::

    {
        "position": 1,
        "stream": "agreement/cardboard",
        "version": 1,
        "kind": "land-allocated/1",
        "id": "e1",
        "recorded_at": "2025-04-25T16:00:00.000000Z",
        "payload": '{"area":...}',
        "metadata": "{}",
    }

``payload`` and ``metadata`` are texts that hold the stored bytes, read as UTF-8; where
they are not UTF-8, ``payload_base64`` or ``metadata_base64`` stands in its place. A
line is read only if it is, byte for byte, what would be written of what it says. So no
reader can see another event in it than we do: no key is there twice, and no number
means something else elsewhere.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import IO, Final

import msgspec
from attrs import define

from azcn_events.audit.verdict import Finding
from azcn_events.audit.verify import RawRow
from azcn_events.core.leaf import Hashable
from azcn_events.core.values import datetime_of_us, recorded_us_of
from azcn_events.errors import InvalidValue
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Row

__all__ = ["LINE_BYTES_MAX", "line_of", "rows_of_lines"]

LINE_BYTES_MAX: Final = 6 * EVENT_BYTES_MAX + 50_000
"""The longest line in bytes: each byte of an event may be six characters of JSON, and
four names of 200 characters may be twelve each."""


def line_of(row: Hashable) -> bytes:
    """Write a stored event as a line, with its line feed.

    Raises:
        InvalidValue: If its recorded time is not in the years 1 to 9999.
    """
    said: dict[str, object] = {
        "position": row.position,
        "stream": row.stream,
        "version": row.version,
        "kind": row.kind,
        "id": row.id,
        "recorded_at": _recorded_at(row.recorded_us),
        **_bytes("payload", row.payload),
        **_bytes("metadata", row.metadata),
    }
    return f"{json.dumps(said, separators=(',', ':'))}\n".encode("ascii")


def _recorded_at(recorded_us: int) -> str:
    try:
        moment = datetime_of_us(recorded_us).replace(tzinfo=None)
    except OverflowError:
        problem = "no leaf can say this recorded time"
        raise InvalidValue(str(recorded_us), problem, "the years 1 to 9999") from None
    return f"{moment.isoformat(timespec='microseconds')}Z"


def _bytes(key: str, data: bytes) -> dict[str, str]:
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {f"{key}_base64": b64encode(data).decode("ascii")}


@define
class _Said:
    """What a line says, before it is believed."""

    position: int
    stream: str
    version: int
    kind: str
    id: str
    recorded_at: str
    payload: str | None = None
    payload_base64: str | None = None
    metadata: str | None = None
    metadata_base64: str | None = None


def rows_of_lines(file: IO[bytes]) -> Iterator[RawRow | Finding]:
    """Read lines back, each as a row; a line that is none is a finding.

    Reads no more than ``LINE_BYTES_MAX`` of a line into memory.

    Args:
        file: Open in binary.
    """
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            _pass_over(file, line)
            found: RawRow | str = f"it is longer than {LINE_BYTES_MAX:,} bytes"
        else:
            found = _row(line)
        if isinstance(found, str):
            yield Finding("line", f"line {number:,} is no event: {found}", number)
        else:
            yield found


def _pass_over(file: IO[bytes], line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(LINE_BYTES_MAX)


def _row(line: bytes) -> RawRow | str:
    """Read a line: a row, or what is wrong."""
    try:
        said = _DECODER.decode(line)
        row = Row(
            said.position,
            said.stream,
            said.version,
            said.id,
            said.kind,
            recorded_us_of(said.recorded_at),
            _data(said.payload, said.payload_base64),
            _data(said.metadata, said.metadata_base64),
            checksum=0,
        )
        is_same = line_of(row) == line
    except _NOT_A_LINE as error:
        return str(error)[:200]
    if not is_same:
        return "it would be written in another way: keys, order, spelling or end"
    return RawRow(*row[:-1])


_NOT_A_LINE: Final = (
    msgspec.DecodeError,  # also what is JSON, and no such object
    RecursionError,
    InvalidValue,
    binascii.Error,
    UnicodeError,
)
_DECODER: Final = msgspec.json.Decoder(_Said)


def _data(text: str | None, encoded: str | None) -> bytes:
    if text is not None:
        return text.encode()
    return b64decode(encoded or "", validate=True)
