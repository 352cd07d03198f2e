"""Bugs in what is stored: event classes, upcasts, and codecs of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from zlib import crc32

from attrs import asdict, evolve, field, fields_dict, frozen
from tests.zoo.bug import Bug

from azcn_events import Citation, Event, Lifecycle, When
from azcn_events.core.codec import Codec
from azcn_events.testing.laws import (
    CODEC_LAWS,
    Broken,
    OldBytes,
    check_laws,
    reads_old_bytes,
    wire_corpus,
)

__all__ = ["BUGS"]


class Grade(Enum):
    """How clean ore is."""

    RAW = "raw"
    WASHED = "washed"


class GradeRenamed(Enum):
    """The same, in nicer words."""

    RAW = "raw ore"
    WASHED = "washed ore"


@frozen
class Sold(Event):
    """Ore was sold."""

    price: Decimal
    buyer: str = ""
    grade: Grade = Grade.RAW


@frozen
class SoldForFloat(Event):
    """The same, with the price as a float."""

    price: Decimal = field(converter=float)
    buyer: str = ""
    grade: Grade = Grade.RAW


@frozen
class SoldOfNicerGrade(Event):
    """The same, with the grades' words changed."""

    price: Decimal
    buyer: str = ""
    grade: GradeRenamed = GradeRenamed.RAW


@frozen
class SoldAbroad(Event):
    """The same, with a field more and no new version."""

    price: Decimal
    buyer: str = ""
    grade: Grade = Grade.RAW
    country: str = field(kw_only=True)


@frozen
class SoldInConfidence(Event):
    """The same; the buyer is not compared."""

    price: Decimal
    buyer: str = field(default="", eq=False)
    grade: Grade = Grade.RAW


@frozen(eq=False)
class SoldUncompared(Event):
    """The same; no two are ever equal."""

    price: Decimal
    buyer: str = ""
    grade: Grade = Grade.RAW


def _titled(name: str) -> str:
    return f"Messrs {name}"


@frozen
class SoldToTitled(Event):
    """The same; the buyer's title is put before the name."""

    price: Decimal
    buyer: str = field(default="", converter=_titled)
    grade: Grade = Grade.RAW


@frozen
class Weighed(Event):
    """Trucks were weighed."""

    day: date
    trucks: tuple[str, ...] = ()


@frozen
class WeighedAtATime(Event):
    """The same, with the time; nothing asks for its zone."""

    day: datetime
    trucks: tuple[str, ...] = ()


@frozen
class WeighedOnText(Event):
    """The same, the day as text or as a date."""

    day: date | str
    trucks: tuple[str, ...] = ()


def _mine(
    sold: type[Event], upcast: Callable[[dict[str, Any]], dict[str, Any]]
) -> Lifecycle:
    """Make the ledger of a mine that once stored prices in cents."""
    return Lifecycle(
        name="mine",
        events={"sold": sold, "weighed": Weighed},
        upcasts={("sold", 1): upcast},
    )


def _priced(plain: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had whole cents."""
    cents = plain.pop("cents")
    return {**plain, "price": str(Decimal(cents) / 100)}


def _priced_without_buyer(plain: dict[str, Any]) -> dict[str, Any]:
    price = str(Decimal(plain["cents"]) / 100)
    kept = ("grade", "when", "cites", "replaces", "reason")
    return {"price": price, "buyer": "", **{name: plain[name] for name in kept}}


def _priced_in_cents(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "price": str(plain.pop("cents"))}


def _priced_still_with_cents(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "price": str(Decimal(plain["cents"]) / 100)}


def _priced_by_buyer(plain: dict[str, Any]) -> dict[str, Any]:
    if plain["buyer"].split()[0] == "State":
        plain["buyer"] = "State"
    return _priced(plain)


_FILLED: dict[str, Any] = {}


def _priced_into_one_dict(plain: dict[str, Any]) -> dict[str, Any]:
    for name, value in _priced(plain).items():
        _FILLED.setdefault(name, value)
    return dict(_FILLED)


MINE: Final = _mine(Sold, _priced)
_NEW: Final = Codec(MINE)

_SAID: Final[dict[str, Any]] = {
    "when": When("2024-05"),
    "cites": Citation("source/scales"),
}


def _by_laws(codec: Codec) -> list[Broken]:
    laws = CODEC_LAWS
    return check_laws(codec, laws, lifecycle=codec._lifecycle, examples=60)


def _by_corpus(codec: Codec) -> list[Broken]:
    laws = (*CODEC_LAWS, reads_old_bytes(_corpus(codec._lifecycle)))
    return check_laws(codec, laws, lifecycle=codec._lifecycle, examples=20)


def _corpus(lifecycle: Lifecycle) -> Iterator[OldBytes]:
    """Yield what was stored by every release, and what the class of today makes of it.

    In a test of the user's these are a file of bytes, and events beside them.
    """
    sold: Any = lifecycle.events.get("sold", Sold)
    more = {"country": ""} if "country" in fields_dict(sold) else {}
    yield _stored_by_release_1(sold, 1250, "State smelter", "WASHED", more)
    yield _stored_by_release_1(sold, 300, "", "RAW", more)
    for kept in wire_corpus(MINE):
        event = kept.event
        if isinstance(event, Sold):
            event = sold(price=event.price, when=event.when, cites=event.cites, **more)
        yield evolve(kept, event=event)


def _stored_by_release_1(
    sold: type[Any], cents: int, buyer: str, grade: str, more: dict[str, str]
) -> OldBytes:
    said = {name: asdict(value) for name, value in _SAID.items()}
    plain = {"buyer": buyer, "cents": cents, "grade": Grade[grade].value, **said}
    payload = json.dumps({**plain, "replaces": "", "reason": ""}).encode()
    grades: Any = type(fields_dict(sold)["grade"].default)
    price = Decimal(cents) / 100
    meant = sold(price=price, buyer=buyer, grade=grades[grade], **_SAID, **more)
    return OldBytes("sold/1", payload, meant)


class _Own(Codec):
    """A codec that changes what it writes."""

    change: Callable[[Event], Event]

    def encode(self, event: Event) -> tuple[str, bytes, int]:
        """See ``Codec``."""
        return super().encode(self.change(event))


class _Stripping(_Own):
    @staticmethod
    def change(event: Event) -> Event:
        return (
            evolve(event, buyer=event.buyer.strip())
            if isinstance(event, Sold)
            else event
        )


class _LowerCasing(_Own):
    @staticmethod
    def change(event: Event) -> Event:
        return (
            evolve(event, buyer=event.buyer.lower())
            if isinstance(event, Sold)
            else event
        )


class _Rounding(_Own):
    @staticmethod
    def change(event: Event) -> Event:
        if not isinstance(event, Sold):
            return event
        return evolve(event, price=round(event.price, 2))


class _Unscaling(_Own):
    @staticmethod
    def change(event: Event) -> Event:
        if not isinstance(event, Sold):
            return event
        return evolve(event, price=event.price.normalize())


class _Ascii(Codec):
    def encode(self, event: Event) -> tuple[str, bytes, int]:
        """See ``Codec``."""
        kind, payload, checksum = super().encode(event)
        ascii_only = payload.decode().encode("ascii", "replace")
        checksum ^= crc32(payload, crc32(kind.encode()))
        return kind, ascii_only, checksum | crc32(ascii_only, crc32(kind.encode()))


class _Skipping(Codec):
    def decode(self, kind: str, payload: bytes, checksum: int) -> Event:
        """See ``Codec``."""
        try:
            return super().decode(kind, payload, checksum)
        except Exception:  # noqa: BLE001 - the bug
            return Sold(price=Decimal(0), **_SAID)


_RENAMED: Final = Lifecycle(
    name="mine",
    events={"ore-sold": Sold, "weighed": Weighed},
    upcasts={("ore-sold", 1): _priced},
)


def _class(sold: type[Event]) -> Codec:
    return Codec(_mine(sold, _priced))


def _upcast(upcast: Callable[[dict[str, Any]], dict[str, Any]]) -> Codec:
    return Codec(_mine(Sold, upcast))


BUGS: Final = (
    Bug(
        "float-for-money",
        "The price is declared as a decimal and converted to a float.",
        _class(SoldForFloat),
        _NEW,
        _by_laws,
    ),
    Bug(
        "field-not-compared",
        "A field is left out of `==`, so nobody sees that it is lost or changed.",
        _class(SoldInConfidence),
        _NEW,
        _by_laws,
    ),
    Bug(
        "never-equal",
        "The class was made with `eq=False`, so no event equals what was stored.",
        _class(SoldUncompared),
        _NEW,
        _by_laws,
    ),
    Bug(
        "converter-twice",
        "A converter adds a title, and adds it again when the event is read.",
        _class(SoldToTitled),
        _NEW,
        _by_laws,
    ),
    Bug(
        "time-without-a-zone",
        "A field is a time, and nothing asks for its zone; the codec refuses it.",
        Codec(evolve(MINE, events={"sold": Sold, "weighed": WeighedAtATime})),
        _NEW,
        _by_laws,
    ),
    Bug(
        "day-or-text",
        "A field is a day or a text: a text that looks like a day becomes one.",
        Codec(evolve(MINE, events={"sold": Sold, "weighed": WeighedOnText})),
        _NEW,
        _by_laws,
    ),
    Bug(
        "strips",
        "An own codec strips the texts that it writes.",
        _Stripping(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "lower-cases",
        "An own codec writes names in lower case.",
        _LowerCasing(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "rounds-to-cents",
        "An own codec rounds prices to two places.",
        _Rounding(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "drops-the-scale",
        'An own codec writes "2.50" as "2.5": equal, but not what was said.',
        _Unscaling(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "ascii-only",
        "An own codec writes a question mark for every letter that ASCII lacks.",
        _Ascii(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "damage-replaced",
        "An own codec gives a default event for what cannot be read.",
        _Skipping(MINE),
        _NEW,
        _by_laws,
    ),
    Bug(
        "upcast-forgets",
        "The upcast builds the new version from the fields it thought of.",
        _upcast(_priced_without_buyer),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "upcast-changes-the-meaning",
        "Cents become whole money.",
        _upcast(_priced_in_cents),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "upcast-leaves-a-field",
        "The upcast leaves the old field beside the new one.",
        _upcast(_priced_still_with_cents),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "upcast-raises",
        "The upcast takes the first word of a text that may be empty.",
        _upcast(_priced_by_buyer),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "upcast-remembers",
        "The upcast fills one dict, which keeps what the event before said.",
        _upcast(_priced_into_one_dict),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "version-forgotten",
        "A class has a field more, but no new version.",
        _class(SoldAbroad),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "name-changed",
        "A stored name was made nicer.",
        Codec(_RENAMED),
        _NEW,
        _by_corpus,
    ),
    Bug(
        "member-renamed",
        "The values of an enumeration were made nicer; they are on disk.",
        _class(SoldOfNicerGrade),
        _NEW,
        _by_corpus,
    ),
)
