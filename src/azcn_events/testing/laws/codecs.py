"""Laws of codecs: what is written comes back, and nothing else is read."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, cast
from zlib import crc32

import attrs
from attrs import frozen
from hypothesis import strategies as st

from azcn_events.core.codec import Codec
from azcn_events.core.events import Event, Recorded
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import AzcnEventsError
from azcn_events.testing.laws.law import (
    Broken,
    Draws,
    Law,
    Search,
    Violation,
    ensure,
    law,
    over_logs,
    same,
)
from azcn_events.testing.stand_ins import Clock
from azcn_events.testing.strategies.plain import simplest, variants
from azcn_events.testing.strategies.values import UNTIDY
from azcn_events.testing.transcript import Log, changed
from azcn_events.testing.whole_logs import any_event

__all__ = ["CODEC_LAWS", "OldBytes", "reads_old_bytes", "wire_corpus"]


@lru_cache(maxsize=64)
def _one_event(lifecycle: Lifecycle) -> st.SearchStrategy[Log]:
    """Draw one event of any class, whatever could be stored: as a log of one record."""
    return any_event(lifecycle).map(lambda event: (_record(event),))


def _record(event: Event) -> Recorded:
    return Recorded(1, "a", 1, "r1", "", Clock().us, event)


def _as_it_is(_: Lifecycle, records: Iterable[Recorded]) -> Log | None:
    return tuple(records) or None


def _telling_events(lifecycle: Lifecycle) -> Iterator[Log]:
    """Yield plain events of each class, and such as differ in one field from them."""
    for plain in _plain_events(lifecycle):
        for event in (*variants(plain), *_neighbours(plain)):
            yield (_record(event),)


def _plain_events(lifecycle: Lifecycle) -> Iterator[Event]:
    names = lifecycle.milestone_names
    for cls in lifecycle.kinds.values():
        named = names and "milestone" in {field.name for field in attrs.fields(cls)}
        yield simplest(cls, milestone=names[0]) if named else simplest(cls)


def _neighbours(event: Event) -> Iterator[Event]:
    """Yield events that differ in one text or one number."""
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        for other in _OTHERS.get(cast("Any", type(value)), ()):
            # 1.50 equals 1.5, and both may be said.
            is_another = field.init and other != value
            neighbour = changed(event, **{field.alias: other}) if is_another else None
            if neighbour is not None:
                yield neighbour


_OTHERS: Final[dict[type, tuple[object, ...]]] = {
    str: ("another", *UNTIDY),
    Decimal: (Decimal("1.5"), Decimal("1.50"), Decimal("0.005"), Decimal("1E+3")),
}


ONE_EVENT: Final = Draws(_one_event, _as_it_is, times=5, always=_telling_events)


@over_logs(draws=ONE_EVENT)
def comes_back(codec: Codec, _: Lifecycle, log: Log) -> None:
    """Whatever can be made can be stored, and comes back equal, to the last digit."""
    event = log[0].event
    back = codec.decode(*codec.encode(event))
    same(type(event), type(back), "the class")
    same(event, back, "what was written, and what is read")
    # 1.10 equals 1.1, and is not the same thing to say.
    same(_spelt(event), _spelt(back), "what was written, and what is read, as text")


def _spelt(value: object) -> str:
    """Write a value out; the members of a set by their text, for they have no order."""
    if isinstance(value, set | frozenset):
        members = cast("Iterable[object]", value)
        return f"{{{', '.join(sorted(map(_spelt, members)))}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_spelt, cast('Iterable[object]', value)))}]"
    cls = cast("Any", type(value))
    if attrs.has(cls):
        fields = attrs.fields(cls)
        inner = (f"{f.name}={_spelt(getattr(value, f.name))}" for f in fields)
        return f"{cls.__name__}({', '.join(inner)})"
    return repr(value)


@over_logs(draws=ONE_EVENT)
def one_form_for_each_event(codec: Codec, _: Lifecycle, log: Log) -> None:
    """An event has one form in bytes, whoever writes it, and however often."""
    first = codec.encode(log[0].event)
    same(first, codec.encode(log[0].event), "the bytes, written twice")
    back = codec.decode(*first)
    same(first, codec.encode(back), "the bytes, and those of what they were read as")


@over_logs(draws=ONE_EVENT)
def damage_is_noticed(codec: Codec, _: Lifecycle, log: Log) -> None:
    """Bytes that were changed, cut or lengthened are refused, not read."""
    kind, payload, checksum = codec.encode(log[0].event)
    for what, damaged in _damages(payload):
        try:
            event = codec.decode(kind, damaged, checksum)
        except AzcnEventsError:
            continue
        raise Violation(f"with {what}, it was read all the same, as {event}")


def _damages(payload: bytes) -> Iterator[tuple[str, bytes]]:
    yield "its last byte cut off", payload[:-1]
    yield "a space added", payload + b" "
    yield "nothing left", b""
    step = max(1, len(payload) // 12)
    for place in range(0, len(payload), step):
        changed = bytearray(payload)
        changed[place] ^= 1
        yield f"a bit of byte {place + 1} changed", bytes(changed)


@over_logs(draws=ONE_EVENT)
def the_unknown_is_never_read(codec: Codec, _: Lifecycle, log: Log) -> None:
    """A kind or version that is not known raises; it is never taken for another."""
    kind, payload, checksum = codec.encode(log[0].event)
    name, version = kind.split("/")
    for other in (f"{name}-too/{version}", f"{name}/{int(version) + 1}", f"{name}/0"):
        try:
            event = codec.decode(other, payload, checksum)
        except AzcnEventsError:
            continue
        raise Violation(f"as {other!r} it was read all the same, as {event}")


@over_logs(draws=ONE_EVENT)
def is_plain_json(codec: Codec, _: Lifecycle, log: Log) -> None:
    """The bytes are one JSON object in UTF-8 that any program can read."""
    payload = codec.encode(log[0].event)[1]

    def refuse(word: str) -> None:
        raise Violation(f"{word} is no JSON, and other programs refuse it")

    found = json.loads(payload.decode("utf-8"), parse_constant=refuse)
    ensure(isinstance(found, dict), f"it is no object but {found!r}")
    floats = [] if _has_floats(type(log[0].event)) else _fractions(payload)
    ensure(not floats, f"{floats} are binary fractions to most programs: write text")


def _fractions(payload: bytes) -> list[str]:
    found = list[str]()
    json.loads(payload, parse_float=found.append)
    return found


def _has_floats(annotation: object) -> bool:
    """Say whether a class declares floats, in itself or in what it is made of."""
    if annotation is float:
        return True
    parts = typing.get_args(annotation)
    if isinstance(annotation, type) and attrs.has(annotation):
        parts = tuple(typing.get_type_hints(annotation).values())
    return any(map(_has_floats, parts))


@over_logs(draws=ONE_EVENT)
def tells_events_apart(codec: Codec, _: Lifecycle, log: Log) -> None:
    """Events that are stored as different bytes are not equal."""
    event = log[0].event
    for other in _neighbours(event):
        if codec.encode(event)[1] != codec.encode(other)[1]:
            ensure(event != other, f"it equals {other}, which is stored otherwise")


CODEC_LAWS: Final[tuple[Law[Codec], ...]] = (
    comes_back,
    one_form_for_each_event,
    damage_is_noticed,
    the_unknown_is_never_read,
    is_plain_json,
    tells_events_apart,
)
"""What every codec keeps; those of a lifecycle are asked with it."""


@frozen
class OldBytes:
    """What some release stored, and what it means.

    Attributes:
        kind: Stored name and version, such as ``"agreement-signed/1"``.
        payload: The bytes.
        event: What they must be read as now.
    """

    kind: str
    payload: bytes
    event: Event


def wire_corpus(lifecycle: Lifecycle) -> tuple[OldBytes, ...]:
    """Write one event of each kind as it is stored now, to keep and never change.

    A later release that reads all of them (``reads_old_bytes``) reads every ledger.
    """
    codec = Codec(lifecycle)
    found = list[OldBytes]()
    for event in _plain_events(lifecycle):
        kind, payload, _ = codec.encode(event)
        found.append(OldBytes(kind, payload, event))
    return tuple(found)


def reads_old_bytes(corpus: Iterable[OldBytes]) -> Law[Codec]:
    """Make a law of bytes that were stored by earlier releases.

    Args:
        corpus: At least one of each version of each kind that was ever recorded.
    """
    kept = tuple(corpus)

    @law
    def old_bytes(codec: Codec, search: Search) -> Broken | None:
        """Everything that was ever stored is read as what it meant."""
        sentence, lifecycle = old_bytes.sentence, search.lifecycle
        for old in kept:
            how = _misread(codec, old)
            if how:
                log = (_record(old.event)._replace(kind=old.kind),)
                return Broken("old_bytes", sentence, how, lifecycle, log)
        told = {old.kind for old in kept}
        lacking = [kind for kind in _every_kind(lifecycle) if kind not in told]
        if lacking:
            how = f"nothing was kept of {', '.join(lacking)}: so nobody knows"
            return Broken("old_bytes", sentence, how, lifecycle)
        return None

    return old_bytes


def _misread(codec: Codec, old: OldBytes) -> str:
    checksum = crc32(old.payload, crc32(old.kind.encode()))
    try:
        found = [codec.decode(old.kind, old.payload, checksum) for _ in range(2)]
    except Exception as error:  # noqa: BLE001 - an upcast can raise anything
        return f"{old.kind} cannot be read: {type(error).__name__}: {error}"
    if found[0] != found[1]:
        return f"{old.kind} is read as {found[0]}, and then as {found[1]}"
    if found[0] != old.event:
        return f"{old.kind} is read as {found[0]}, and meant {old.event}"
    return ""


def _every_kind(lifecycle: Lifecycle) -> Iterator[str]:
    for name in lifecycle.kinds:
        for version in range(1, lifecycle.version_of(name) + 1):
            yield f"{name}/{version}"
