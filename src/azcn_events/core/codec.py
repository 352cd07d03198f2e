"""Stored bytes to events and back: names, versions, upcasts.

An event is stored as compact JSON in UTF-8: its own fields and then those of
``Event``, each group by name, decimals as text. ``kind`` is the stored name and
version, ``land-allocated/1``.

Events of the newest version are decoded by msgspec straight into their attrs
classes, past their checks, for they were checked before they were written. What
msgspec passes over there (altered bytes, unknown and missing fields) shows in the
checksum that each event has: its lower 32 bits are the CRC-32 of the kind and then of
the bytes, its upper ones mark the names of the fields of the class that wrote them.
It is no proof against an adversary, who can compute it too.

Older versions go through their upcasts and cattrs, which is strict about fields;
so do classes with something that msgspec would ignore (a converter, an alias, a
private name, a set, whose order is chance).
"""

from __future__ import annotations

import re
import types
import typing
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeGuard, cast
from zlib import crc32

import attrs
import msgspec

from azcn_events.core.events import Event, Recorded
from azcn_events.errors import (
    InvalidFields,
    InvalidValue,
    Problem,
    UndecodableEvent,
    UnknownName,
)

if TYPE_CHECKING:
    from azcn_events.core.lifecycle import Lifecycle

__all__ = ["Codec", "StoredRow", "writable"]

StoredRow = tuple[int, str, int, str, str, int, bytes, bytes, int]
"""Position, stream, version, id, kind, recorded_us, payload, metadata, checksum."""

_Decoder = tuple[Callable[[bytes], Event], int, int]
"""How to decode a kind, the seed of its CRC, and its fields' mark; 0 if it is old."""
_Kind = tuple[str, bool, _Decoder]
_CRC: Final = 0xFFFF_FFFF

# Recorded._make would do the same, but through Python code for every event.
_recorded: Final[Callable[[tuple[object, ...]], Recorded]] = partial(
    tuple[object].__new__, Recorded
)

_UNSAFE: Final = re.compile(
    # C0 as JSON escapes them, DEL, C1, line and paragraph separators.
    rb"\\[bfnrtu]|\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]"
)


class Codec:
    """Turns the events of one lifecycle into bytes and back.

    Laws: ``decode(*encode(e)) == e``; every version that was ever recorded still
    decodes; what cannot be decoded raises, and is never skipped.
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._kinds: dict[type[Event], _Kind] = {}
        self._decoders: dict[str, _Decoder] = {}

    @property
    def lifecycle(self) -> Lifecycle:
        """Whose events it writes and reads."""
        return self._lifecycle

    def encode(self, event: Event) -> tuple[str, bytes, int]:
        """Give an event's kind, its bytes and their checksum.

        The bytes are read again at once: a field of another type than its class
        declares would be stored, and then could never be read.

        Raises:
            UnknownName: If the lifecycle does not list its class.
            InvalidValue: If a text in it holds a control character, a line
                separator or a lone surrogate, or a field holds another type.
        """
        known = self._kinds.get(type(event))
        if known is None:
            known = self._kinds[type(event)] = self._kind_of(type(event))
        kind, plain, (decode, seed, fields) = known
        try:
            payload = self._encoder.encode(event if plain else writable(event))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is refused
            _refuse_text(event, str(error))
        if _is_unsafe(payload):
            _refuse_text(event, "a control character or line separator")
        try:
            stored = decode(payload)
        except Exception as error:  # noqa: BLE001 - likewise
            path, problem = _explain(error)
            _refuse_type(event, f"{path}: {problem}")
        if stored != event or (plain and self._encoder.encode(stored) != payload):
            _refuse_type(event, f"it would be read as {stored}")
        return kind, payload, crc32(payload, seed) | fields

    def kind_of(self, event: Event) -> str:
        """Give the stored name and version in which an event is recorded now.

        Raises:
            UnknownName: If the lifecycle does not list its class.
        """
        name = self._lifecycle.name_of(type(event))
        return f"{name}/{self._lifecycle.version_of(name)}"

    def checksum(self, kind: str, payload: bytes) -> int | None:
        """Give the checksum with which these bytes would be stored now.

        Returns:
            None for an old version, which nothing writes any more.

        Raises:
            UnknownName: If there is no such kind or version.
        """
        _, seed, fields = self._decoders.get(kind) or self._decoder(kind)
        return crc32(payload, seed) | fields if fields else None

    def decode(self, kind: str, payload: bytes, checksum: int) -> Event:
        """Give the event that these bytes hold.

        Raises:
            UndecodableEvent: With position 0 and no stream.
        """
        row = (0, "", 0, "", kind, 0, payload, b"", checksum)
        return next(self.records([row])).event

    def records(self, rows: Iterable[StoredRow]) -> Iterator[Recorded]:
        """Decode stored rows, in their order.

        Raises:
            UndecodableEvent: If a row's kind is unknown or its bytes are damaged;
                names its stream, position and field path.
        """
        decoders = self._decoders
        for (
            position,
            stream,
            version,
            id_,
            kind,
            at,
            payload,
            metadata,
            checksum,
        ) in rows:
            try:
                decode, seed, fields = decoders.get(kind) or self._decoder(kind)
                if crc32(payload, seed) | fields == checksum:
                    event = decode(payload)
                else:
                    event = self._look_again(kind, payload, checksum)
            except Exception as error:
                path, problem = _explain(error)
                raise UndecodableEvent(stream, position, kind, path, problem) from error
            yield _recorded((position, stream, version, id_, kind, at, event, metadata))

    def structure(self, kind: str, data: object) -> Event:
        """Make an event from plain JSON values, as a person may write them.

        Dates may be plain text, defaults may be left out. A kind without a
        version means the newest.

        Raises:
            UnknownName: If there is no such kind or version.
            InvalidFields: With every problem and its field path.
        """
        name, _, version = kind.partition("/")
        newest = self._version(name, version)
        return self._structure(name, newest, data)

    def _version(self, name: str, version: str) -> int:
        kinds = self._lifecycle.kinds
        if name not in kinds:
            raise UnknownName("kind of fact", name, tuple(kinds))
        newest = self._lifecycle.version_of(name)
        known = tuple(str(number) for number in range(1, newest + 1))
        if version and version not in known:
            raise UnknownName(f"version of {name!r}", version, known)
        return int(version or newest)

    def _kind_of(self, cls: type[Event]) -> _Kind:
        name = self._lifecycle.name_of(cls)
        kind = f"{name}/{self._lifecycle.version_of(name)}"
        return kind, _is_plain(cls), self._decoder(kind)

    def _decoder(self, kind: str) -> _Decoder:
        name, _, version = kind.partition("/")
        number = self._version(name, version or "0")
        cls = self._lifecycle.kinds[name]
        is_newest = number == self._lifecycle.version_of(name)
        decode: Callable[[bytes], Event]
        if is_newest and _is_plain(cls):
            decode = cast("Callable[[bytes], Event]", msgspec.json.Decoder(cls).decode)
        else:
            decode = partial(self._decode_plainly, name, number)
        fields = _fields_mark(cls) if is_newest else 0
        self._decoders[kind] = decode, crc32(kind.encode()), fields
        return self._decoders[kind]

    def _decode_plainly(self, name: str, version: int, payload: bytes) -> Event:
        return self._structure(name, version, msgspec.json.decode(payload))

    def _look_again(self, kind: str, payload: bytes, checksum: int) -> Event:
        """Decode what is old, or was written by a class with other fields.

        Strictly: a field that the class does not have is refused; one that it has
        got since takes its default.
        """
        decode, seed, fields = self._decoders[kind]
        intact = crc32(payload, seed) == checksum & _CRC
        if fields:
            if not intact:
                self._refuse_altered(kind, decode, payload)
            return self._decode_strictly(kind, decode, payload)
        if not intact:
            raise _Unlike(_ALTERED)
        return decode(payload)

    def _decode_strictly(
        self, kind: str, decode: Callable[[bytes], Event], payload: bytes
    ) -> Event:
        theirs = msgspec.json.decode(payload)
        ours = msgspec.json.decode(self._encoder.encode(writable(decode(payload))))
        for path, problem in _differences(theirs, ours, "$"):
            if problem == _UNKNOWN:
                raise _Unlike((path, problem))
        return self.structure(kind, theirs)

    def _refuse_altered(
        self, kind: str, decode: Callable[[bytes], Event], payload: bytes
    ) -> NoReturn:
        """Say why bytes do not agree with their checksum."""
        theirs = msgspec.json.decode(payload)
        ours = msgspec.json.decode(self._encoder.encode(writable(decode(payload))))
        found = next(_differences(theirs, ours, "$"), None)
        if found is None:
            # Names a value that cannot be, or a text that may not be stored.
            self.encode(self.structure(kind, theirs))
        raise _Unlike(found or _ALTERED)

    def _structure(self, name: str, version: int, data: object) -> Event:
        from azcn_events.core import conversion  # noqa: PLC0415 - cattrs takes 40 ms, and only odd or hand-written events need it

        newest = self._lifecycle.version_of(name)
        if version < newest:
            data = deepcopy(data)  # An upcast may change what it is given.
        for number in range(version, newest):
            if not isinstance(data, dict):
                break
            upcast = self._lifecycle.upcasts[name, number]
            try:
                data = upcast(cast("dict[str, Any]", data))
            except Exception as error:
                raise InvalidFields((_not_upcast(number, error),)) from error
        return conversion.structure(data, self._lifecycle.kinds[name])


def writable(event: Event) -> object:
    """Give what msgspec writes as an event is stored: the event, if it can be."""
    if _is_known_plain(cast("Any", type(event))):
        return event
    from azcn_events.core import conversion  # noqa: PLC0415 - as above

    return conversion.unstructure(event)


def _is_unsafe(payload: bytes) -> bool:
    # Most are not even suspect, and the pattern takes longer than encoding them.
    suspect = b"\\" in payload or b"\x7f" in payload or not payload.isascii()
    # Without escaped backslashes, every backslash left begins an escape.
    return suspect and _UNSAFE.search(payload.replace(b"\\\\", b"")) is not None


def _not_upcast(version: int, error: Exception) -> Problem:
    if isinstance(error, KeyError):
        message = f"the field {error.args[0]!r} of version {version} is missing"
    else:
        message = f"this cannot be read as version {version}: {error}"
    return Problem(0, "$", message)


_UNKNOWN: Final = "an unknown field"
_ALTERED: Final = (
    "$",
    "the bytes are not those that were written: the checksum differs",
)


class _Unlike(Exception):
    """Bytes that do not agree with their checksum: field path, problem."""


def _fields_mark(cls: type[Event]) -> int:
    """Give the upper half of a checksum: never 0, which means "not known"."""
    return (crc32(_signature(cls).encode()) & 0x7FFF_FFFF or 1) << 32


def _signature(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    """Spell the names of the fields that a class stores, nested ones too."""
    if isinstance(annotation, type) and attrs.has(annotation):
        hints = typing.get_type_hints(annotation)
        names = (field.name for field in attrs.fields(annotation))
        return (
            "{" + ",".join(f"{name}{_signature(hints[name])}" for name in names) + "}"
        )
    return "".join(map(_signature, typing.get_args(annotation)))


def _is_plain(cls: type[Any]) -> bool:
    """Say whether msgspec builds and writes this attrs class as attrs would."""
    parts = set(_parts(cls))
    nested = [part for part in parts if attrs.has(part)]
    if parts & {set, frozenset} or not all(map(_has_plain_fields, nested)):
        return False
    try:
        msgspec.json.Decoder(cls)
    except TypeError:
        return False
    return True


_is_known_plain: Final = cache(_is_plain)


def _has_plain_fields(cls: type[Any]) -> bool:
    return all(
        field.init
        and field.alias == field.name
        and field.converter is None
        and not (isinstance(field.default, attrs.Factory) and field.default.takes_self)  # type: ignore[arg-type] # attrs.Factory is typed as a function
        for field in attrs.fields(cls)
    )


def _parts(annotation: Any) -> Iterator[type[Any]]:  # noqa: ANN401 - any annotation
    """Yield the classes that an annotation is made of, nested ones too."""
    origin = typing.get_origin(annotation)
    if origin is not None or isinstance(annotation, types.UnionType):
        if isinstance(origin, type):
            yield origin
        for argument in typing.get_args(annotation):
            yield from _parts(argument)
    elif isinstance(annotation, type):
        yield annotation
        if attrs.has(annotation):
            for hint in typing.get_type_hints(annotation).values():
                yield from _parts(hint)


def _explain(error: Exception) -> tuple[str, str]:
    """Give the field path and the problem in words."""
    if isinstance(error, _Unlike):
        path, problem = error.args[0]
        return path, problem
    if isinstance(error, InvalidFields):
        first = error.problems[0]
        return first.path, first.message
    if isinstance(error, msgspec.ValidationError):
        problem, _, path = str(error).partition(" - at `")
        return path.rstrip("`") or "$", problem
    return "$", str(error)


def _differences(theirs: object, ours: object, path: str) -> Iterator[tuple[str, str]]:
    if _is_object(theirs) and _is_object(ours):
        for key in theirs:
            if key not in ours:
                yield f"{path}.{key}", _UNKNOWN
        for key, value in ours.items():
            if key not in theirs:
                yield f"{path}.{key}", "a missing field"
            else:
                yield from _differences(theirs[key], value, f"{path}.{key}")
    elif _is_list(theirs) and _is_list(ours):
        for place, (its, mine) in enumerate(zip(theirs, ours, strict=False)):
            yield from _differences(its, mine, f"{path}[{place}]")
    elif theirs != ours:
        yield path, f"stored as {theirs!r}, which we would write as {ours!r}"


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, list | tuple | set | frozenset)


def _refuse_text(event: Event, problem: str) -> NoReturn:
    """Name the text that may not be stored, and where in it the trouble is."""
    accepted = "text without control characters, line separators or lone surrogates"
    for path, text in _texts(event, "$"):
        for place, character in enumerate(text):
            if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
                name = f"U+{ord(character):04X}"
                raise InvalidValue(text, f"{path} holds {name}", accepted, place)
    _refuse_type(event, problem)


def _refuse_type(event: Event, problem: str) -> NoReturn:
    raise InvalidValue(type(event).__name__, problem, "the types its class declares")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif attrs.has(type(value)):
        names = (field.name for field in attrs.fields(cast("Any", type(value))))
        for name in names:
            yield from _texts(getattr(value, name), f"{path}.{name}")
    elif _is_object(value):
        for key, item in value.items():
            yield from _texts(key, f"{path}[{key!r}]")
            yield from _texts(item, f"{path}[{key!r}]")
    elif _is_list(value):
        for place, item in enumerate(value):
            yield from _texts(item, f"{path}[{place}]")
