# ruff: noqa: ARG002 - the arguments of a command method are its event's fields
"""The same facts kept with ``eventsourcing``, in its documented default style.

An aggregate with decorated command methods, its own ids, its JSON transcoder, its
SQLite module with its own settings. Dates, sources and places are plain text
there, which is checked by nobody; amounts are decimals.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks import data, measure
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from azcn_events.core.events import Event
from azcn_events.core.values import Amount
from azcn_events.investment import events as ev

__all__ = ["Agreement", "Agreements", "aggregates", "opened", "replay", "single"]

DEFAULT_PAGE: Final = Application.log_section_size


class Agreement(Aggregate):
    """An agreement, each of its methods a fact."""

    @event("Identified")
    def __init__(
        self,
        when: str,
        source: str,
        place: str,
        field: str,
        package: str,
        group: str,
        parties: str,
        umbrella: bool,  # noqa: FBT001 - a fact
    ) -> None:
        self.facts, self.land, self.value, self.company = 1, Decimal(0), None, ""

    @event("Signed")
    def sign(self, when: str, source: str, place: str, kind: str) -> None:
        """The document was signed."""
        self.facts += 1

    @event("ValueReported")
    def report_value(
        self,
        when: str,
        source: str,
        place: str,
        amount: Decimal | None,
        covers: str,
        nature: str,
        adds: bool,  # noqa: FBT001 - a fact
    ) -> None:
        """A source stated the value."""
        self.facts += 1
        self.value = amount

    @event("LandAllocated")
    def allocate_land(
        self,
        when: str,
        source: str,
        place: str,
        area: Decimal,
        allottee: str,
        site: str,
    ) -> None:
        """Land was allocated."""
        self.facts += 1
        self.land += area

    @event("FinancialModelDiscussed")
    def discuss_model(
        self,
        when: str,
        source: str,
        place: str,
        finished: bool,  # noqa: FBT001 - a fact
    ) -> None:
        """The parties discussed the financial model."""
        self.facts += 1

    @event("CompanyCreated")
    def create_company(
        self, when: str, source: str, place: str, name: str, registration: str
    ) -> None:
        """The project company was created."""
        self.facts += 1
        self.company = name


class Agreements(Application):
    """The application; nothing is set but the file."""


def opened(path: Path, page: int = DEFAULT_PAGE) -> Agreements:
    """Open an application on a SQLite file."""
    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(path),
    }
    app = Agreements(env=settings)
    app.notification_log.section_size = page
    return app


def pragmas(app: Agreements) -> dict[str, Any]:
    """Read durability and caches back from its connection."""
    with app.factory.datastore.get_connection(commit=False) as connection:
        return measure.pragmas(connection._sqlite_conn)


def single(number: int) -> Agreement:
    """Make an aggregate with one new event."""
    return _opened(data.event(number, 1))


def aggregates(first: int, count: int) -> list[Agreement]:
    """Make aggregates with twenty new events each."""
    made = []
    for _, facts in data.streams(first, count):
        agreement = _opened(facts[0])
        for fact in facts[1:]:
            _tell(agreement, fact)
        made.append(agreement)
    return made


def replay(app: Agreements, page: int) -> dict[UUID, dict[str, Any]]:
    """Read the whole log as typed events and fold them as we do."""
    states: dict[UUID, dict[str, Any]] = {}
    for fact in _events(app, page):
        state = states.get(fact.originator_id)
        if state is None:
            state = states[fact.originator_id] = {
                "facts": 0,
                "land": 0,
                "value": None,
                "company": "",
            }
        state["facts"] += 1
        kind = type(fact)
        if kind is Agreement.ValueReported:
            state["value"] = fact.amount
        elif kind is Agreement.LandAllocated:
            state["land"] += fact.area
        elif kind is Agreement.CompanyCreated:
            state["company"] = fact.name
    return states


def _events(app: Agreements, page: int) -> Iterator[Any]:
    select, decode, start = app.notification_log.select, app.mapper.to_domain_event, 1
    while notifications := select(start, page):
        for notification in notifications:
            yield decode(notification)
        start = notifications[-1].id + 1


def _opened(fact: Event) -> Agreement:
    parties = ", ".join(map(str, fact.parties))
    return Agreement(
        *_said(fact), fact.field, fact.package, fact.group, parties, fact.umbrella
    )


def _tell(agreement: Agreement, fact: Event) -> None:
    said = _said(fact)
    match fact:
        case ev.AgreementSigned():
            agreement.sign(*said, fact.kind.value)
        case ev.ValueReported():
            amount = _decimal(fact.amount)
            covers = ", ".join(fact.covers)
            agreement.report_value(*said, amount, covers, fact.nature, fact.adds)
        case ev.LandAllocated():
            area, allottee = _decimal(fact.area), str(fact.allottee)
            agreement.allocate_land(*said, area, allottee, fact.site)
        case ev.FinancialModelDiscussed():
            agreement.discuss_model(*said, fact.finished)
        case ev.CompanyCreated():
            agreement.create_company(*said, fact.name, fact.registration)


def _said(fact: Event) -> tuple[str, str, str]:
    return fact.when.edtf, fact.cites.source, fact.cites.at


def _decimal(amount: object) -> Decimal | None:
    return amount.high if isinstance(amount, Amount) else None
