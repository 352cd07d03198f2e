"""Investment agreements made by rule: the same on every machine, at any length.

Streams of twenty facts each: one that opens it, one that signs it, and then four
kinds in turn. Dates are as sources write them (days, months, "about", "by then"),
some facts keep the source's words, some texts are not ASCII, and a third of the
amounts are no exact number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from azcn_events.core.codec import Codec
from azcn_events.core.events import Event
from azcn_events.core.values import Amount, Citation, Missing, When
from azcn_events.investment.events import (
    AgreementIdentified,
    AgreementSigned,
    CompanyCreated,
    DocumentKind,
    FinancialModelDiscussed,
    LandAllocated,
    Party,
    ValueReported,
)
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.stores.protocol import Draft

__all__ = ["PER_STREAM", "draft", "event", "fold", "id_of", "stream_name", "streams"]

PER_STREAM: Final = 20

_FIRST_DAY: Final = date(2022, 1, 1)
_DAYS: Final = 1200
_SOURCES: Final = 700
_FIELDS: Final = ("cardboard", "tractors", "solar panels", "tea", "textiles", "glass")
_PLACES: Final = ("Ələt", "Şəmkir", "Gəncə", "Hajigabul", "Neftchala", "Alat")


def stream_name(number: int) -> str:
    """Give the name of stream *number*, 0 being the first."""
    return f"agreement/{_FIELDS[number % 6].replace(' ', '-')}-{number:06}"


def id_of(number: int, version: int) -> str:
    """Give an event's id: rising, 32 hexadecimal digits, as the ledger makes them."""
    return f"{0x0196_7000 << 96 | number * PER_STREAM + version:032x}"


def event(number: int, version: int) -> Event:
    """Give the fact at *version*, from 1, of stream *number*."""
    n = number * PER_STREAM + version
    said = _said(n)
    if version == 1:
        parties = (Party(("Ministry",), "AZ"), Party((f"Group {n % 911}",), "CN"))
        return AgreementIdentified(
            field=_FIELDS[number % 6],
            package=f"package/{number % 40}",
            parties=parties,
            **said,
        )
    if version == 2:
        return AgreementSigned(kind=list(DocumentKind)[n % 3], **said)
    match version % 4:
        case 3:
            return ValueReported(amount=_value(n), nature="investment", **said)
        case 0:
            allottee = Party((f"Company {number}",), "AZ")
            place = _PLACES[n % 6]
            return LandAllocated(area=_area(n), allottee=allottee, site=place, **said)
        case 1:
            return FinancialModelDiscussed(finished=n % 5 == 0, **said)
        case _:
            return CompanyCreated(
                name=f"Company {number}", registration=f"RC{n:07}", **said
            )


def streams(first: int, count: int) -> Iterator[tuple[str, list[Event]]]:
    """Yield *count* streams from number *first* on, with all their facts."""
    for number in range(first, first + count):
        facts = [event(number, version) for version in range(1, PER_STREAM + 1)]
        yield stream_name(number), facts


_CODEC: Final = Codec(INVESTMENT)


def draft(stream: str, event: Event, id_: str, codec: Codec = _CODEC) -> Draft:
    """Encode a fact and wrap it for a store, as the ledger does."""
    kind, payload, checksum = codec.encode(event)
    earliest, latest = event.when.earliest, event.when.latest
    return Draft(
        stream=stream,
        id=id_,
        kind=kind,
        payload=payload,
        checksum=checksum,
        earliest=None if earliest is None else earliest.toordinal(),
        latest=None if latest is None else latest.toordinal(),
    )


def fold(states: dict[Any, dict[str, Any]], stream: Any, event: Event) -> None:  # noqa: ANN401 - name or number
    """Count one fact of a stream: the replay's fold, ours and raw alike."""
    state = states.get(stream)
    if state is None:
        state = states[stream] = {"facts": 0, "land": 0, "value": None, "company": ""}
    state["facts"] += 1
    kind = type(event)
    if kind is ValueReported:
        state["value"] = event.amount
    elif kind is LandAllocated:
        area = event.area
        if type(area) is Amount and area.high is not None:
            state["land"] += area.high
    elif kind is CompanyCreated:
        state["company"] = event.name


def _said(n: int) -> dict[str, Any]:
    """Say when a fact was so, and who says it."""
    return {"when": _when(n), "cites": _cites(n)}


def _when(n: int) -> When:
    day = _FIRST_DAY + timedelta(days=n * 7919 % _DAYS)
    match n % 10:
        case 0:
            return When(f"[..{day}]", "by then")
        case 1 | 2:
            return When(f"{day:%Y-%m}")
        case 3:
            return When(f"{day:%Y-%m}~", f"about {day:%B}")
        case _:
            return When(day.isoformat())


def _cites(n: int) -> Citation:
    speaker = "the head of the agency" if n % 4 == 0 else ""
    return Citation(
        f"source/trend-{4_035_000 + n * 31 % _SOURCES}", f"paragraph {n % 9}", speaker
    )


def _value(n: int) -> Amount | Missing:
    number = Decimal(1_000_000 + n * 13 % 335_000_000)
    match n % 12:
        case 0:
            return Missing.WITHHELD
        case 1 | 2 | 3:
            return Amount.about(number, "USD", words="some “millions”")
        case _:
            return Amount.exact(number, "USD")


def _area(n: int) -> Amount:
    area = Decimal(100 + n % 90_000) / 100
    if n % 3 == 0:
        return Amount.below(area, "ha", words=f"almost {area} hectares")
    return Amount.exact(area, "ha")
