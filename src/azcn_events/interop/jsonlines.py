"""JSON Lines: one fact a line, to be written by hand or by a program.

A line is an object::

    {
        "stream": "agreement/cardboard",
        "kind": "land-allocated",
        "fact": {
            "when": "[..2025-04-25]",
            "cites": {"source": "source/trend-4035629"},
            "area": {"unit": "ha", "low": null, "high": "3", "high_open": true},
        },
    }

``id`` and ``metadata`` may be given; so may ``recorded_at``, to restore a log with
the times at which it was first recorded. ``kind`` may name a version
(``agreement-signed/1``). Dates may be plain text, and what has a default may be
left out. ``position`` and ``version`` are written, and not read: a store gives
them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import isinf
from typing import Any, BinaryIO, Final, cast

import msgspec

from azcn_events.core.codec import Codec, writable
from azcn_events.core.events import Fact, Recorded
from azcn_events.core.values import check_name, recorded_us_of
from azcn_events.core.values.names import shown
from azcn_events.errors import InvalidFields, InvalidValue, Problem, UnknownName

__all__ = ["LINE_BYTES_MAX", "check_metadata", "encode_metadata", "read", "write"]

LINE_BYTES_MAX: Final = 2_097_152
"""Longest line read, in bytes: twice what a store takes for an event, so that any
event that is stored can be written as a line and read again."""

_KEYS: Final = {"stream", "kind", "fact", "id", "recorded_at", "metadata"}
_WRITTEN: Final = {"position", "version"}


def read(file: BinaryIO, codec: Codec) -> Iterator[tuple[int, Fact | list[Problem]]]:
    """Read facts, line by line.

    Args:
        file: Open in binary; UTF-8, with or without a byte order mark.
        codec: Knows the kinds.

    Yields:
        ``(line number from 1, the fact)``, or every problem of that line. Blank
        lines are passed over.
    """
    for number, line in _lines(file):
        if isinstance(line, Problem):
            yield number, [line]
            continue
        try:
            plain = _parse(line)
        except (ValueError, RecursionError) as error:
            yield number, [Problem(number, "", _in_words(error, line))]
            continue
        yield number, _fact(number, plain, codec)


def write(record: Recorded, codec: Codec) -> bytes:
    """Give a record as one line, without the line's end.

    The kind is that in which its event would be recorded now: an event of an old
    version has been brought up to date when it was read.

    Raises:
        InvalidValue: If the metadata is not as :func:`encode_metadata` writes it: what
            somebody put into a file by hand could have lines, and so facts, of its own.
    """
    check_metadata(record.metadata)
    moment = record.recorded_at.replace(tzinfo=None)
    name = {
        "position": record.position,
        "stream": record.stream,
        "version": record.version,
        "id": record.id,
        "kind": codec.kind_of(record.event),
        "recorded_at": f"{moment.isoformat(timespec='microseconds')}Z",
    }
    fact = writable(record.event)
    return _ENCODER.encode(
        {**name, "fact": fact, "metadata": msgspec.Raw(record.metadata)}
    )


def check_metadata(metadata: bytes) -> None:
    """Refuse bytes that :func:`encode_metadata` would not give.

    Raises:
        InvalidValue: If they are no JSON object, or are written in another way.
    """
    try:
        plain = msgspec.json.decode(metadata, type=dict[str, Any])
        same = encode_metadata(plain) == metadata
    except (msgspec.DecodeError, TypeError, UnicodeDecodeError):
        same = False
    if not same:
        accepted = "a JSON object as encode_metadata() writes it"
        raise InvalidValue(shown(metadata)[:80], "this is no metadata", accepted)


def encode_metadata(metadata: Mapping[str, Any]) -> bytes:
    """Give an object about a recording as bytes, as stores keep it.

    Whatever a text in it holds, the bytes end no line and act on no terminal.

    Raises:
        InvalidValue: If it holds what JSON cannot.
    """
    try:
        return _UNSAFE.sub(_escaped, _ENCODER.encode(metadata))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        found = type(metadata).__name__
        raise InvalidValue(found, str(error), "metadata of plain JSON values") from None


def _escaped(found: re.Match[bytes]) -> bytes:
    return f"\\u{ord(found[0].decode()):04x}".encode()


_UNSAFE: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
"""DEL, C1, line and paragraph separators: JSON lets them stand, lines do not."""

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | Problem]]:
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 2):
        number += 1
        if len(line.removesuffix(b"\n").removesuffix(b"\r")) > LINE_BYTES_MAX:
            size = len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_BYTES_MAX)
                size += len(line)
            message = (
                f"a line of {size:,} bytes; at most {LINE_BYTES_MAX:,} are read: cite"
                " the document instead of copying it"
            )
            yield number, Problem(number, "", message)
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _parse(line: bytes) -> object:
    return json.loads(
        line.decode("utf-8"),
        object_pairs_hook=_object,
        parse_constant=_refuse_constant,
        parse_float=_float,
        parse_int=_int,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            msg = f"the key {key!r} occurs twice in one object; keep one of them"
            raise ValueError(msg)
        found[key] = value
    return found


def _int(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        msg = f"a number of {len(digits):,} digits; a fact holds none so long"
        raise ValueError(msg) from None


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        msg = f"{text[:40]} is too large for a number with a point"
        raise ValueError(msg)
    return number


def _refuse_constant(name: str) -> object:
    msg = f"{name} is no JSON; leave the value out or say why it is missing"
    raise ValueError(msg)


def _in_words(error: Exception, line: bytes) -> str:
    match error:
        case UnicodeDecodeError():
            byte = line[error.start]
            return (
                f"not UTF-8: byte 0x{byte:02x} at {error.start + 1}; save it as UTF-8"
            )
        case json.JSONDecodeError():
            cut = "" if line.endswith(b"\n") else " (the file may be cut off here)"
            return f"not JSON at character {error.pos + 1}: {error.msg}{cut}"
        case RecursionError():
            return "nested too deeply to be a fact"
        case _:
            return str(error)


def _fact(number: int, plain: object, codec: Codec) -> Fact | list[Problem]:
    if not isinstance(plain, dict):
        found = type(plain).__name__
        return [
            Problem(number, "$", f"a line is an object with {_WANTED}, not {found}")
        ]
    return _fact_of(number, cast("dict[str, Any]", plain), codec)


def _fact_of(number: int, plain: dict[str, Any], codec: Codec) -> Fact | list[Problem]:
    problems = [
        Problem(number, f"$.{_shown(key)}", f"an unknown key; a line has {_WANTED}")
        for key in plain
        if key not in _KEYS | _WRITTEN
    ]
    problems += [
        Problem(number, f"$.{key}", f"missing; a line has {_WANTED}")
        for key in ("stream", "kind", "fact")
        if key not in plain
    ]
    event = recorded_us = None
    for key, check in (("stream", "a stream's name"), ("id", "an event id")):
        try:
            if key in plain:
                check_name(plain[key], check)
        except InvalidValue as error:
            problems.append(Problem(number, f"$.{key}", str(error)))
    try:
        if "recorded_at" in plain:
            recorded_us = recorded_us_of(plain["recorded_at"])
    except InvalidValue as error:
        problems.append(Problem(number, "$.recorded_at", str(error)))
    metadata: dict[str, Any] = plain.get("metadata", {})
    about = b""
    try:
        about = encode_metadata(metadata)
    except InvalidValue as error:
        problems.append(Problem(number, "$.metadata", str(error)))
    if type(metadata) is not dict:  # A line may hold anything.
        problems.append(Problem(number, "$.metadata", "metadata is an object"))
    try:
        if "kind" in plain and "fact" in plain:
            event = codec.structure(str(plain["kind"]), plain["fact"])
            codec.encode(event)
    except UnknownName as error:
        problems.append(Problem(number, "$.kind", str(error)))
    except InvalidValue as error:
        problems.append(Problem(number, "$.fact", str(error)))
    except InvalidFields as error:
        problems += [
            Problem(number, f"$.fact{p.path[1:]}", p.message) for p in error.problems
        ]
    if problems or event is None:
        return problems
    return Fact(plain["stream"], event, plain.get("id", ""), recorded_us, about)


def _shown(key: str) -> str:
    """Show a key of somebody's without letting it act on a terminal or fill it."""
    return key if key.isprintable() and len(key) <= 80 else ascii(key[:80])


_WANTED: Final = "stream, kind and fact; id, recorded_at and metadata if wanted"
