"""Random logs of the built-in domain, recorded through a ledger, and small helpers.

A log is drawn as a list of steps: news, corrections and retractions, with days
going by between them. :func:`play` offers each step to a ledger; what the
lifecycle refuses is left out, so what is stored has been admitted. Days are few
and vague, so that facts meet, overlap, contradict and come late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

import attrs
from attrs import define, frozen
from hypothesis import strategies as st

from azcn_events import Amount, Citation, Event, Ledger, Missing, Recorded, When
from azcn_events.core.events import (
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Resumed,
    Retracted,
    Suspended,
    Terminated,
)
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import RecordNotFound, TransitionRefused
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.reports.table import Table
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Store

__all__ = [
    "CITES",
    "DAY_US",
    "FIRST",
    "Clock",
    "Step",
    "at",
    "every_report",
    "fresh",
    "play",
    "steps",
    "us_of",
    "whens_nearby",
]

CITES: Final = Citation("source/s")
DAY_US: Final = 86_400_000_000
FIRST: Final = date(2025, 1, 1)
"""The first day on which these logs are written."""
SPAN: Final = 60
"""Days, counted from ``FIRST``, in which things happen."""


def us_of(day: date, hour: int = 12) -> int:
    """Give a time on a day, in microseconds since 1970 UTC."""
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000


def at(days: int) -> date:
    """Give the day that lies so many days after the first."""
    return FIRST + timedelta(days=days)


@define
class Clock:
    """A clock that shows what the test sets."""

    us: int = us_of(FIRST)

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC."""
        return self.us

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.us += days * DAY_US


def fresh(
    store: Callable[[Clock], Store] = MemoryStore, lifecycle: Lifecycle = INVESTMENT
) -> tuple[Ledger, Clock]:
    """Make an empty ledger whose clock stands, and whose ids are r1, r2 and so on."""
    clock, made = Clock(), iter(range(1, 1_000_000))
    return Ledger(
        store(clock), lifecycle, clock=clock, new_id=lambda: f"r{next(made)}"
    ), clock


@frozen
class Step:
    """One thing offered to a ledger.

    Attributes:
        stream: Where.
        event: What; for a retraction a ``Retracted``.
        corrects: For a correction: which of the stream's records, counted from
            its newest (0); None for news.
        days: How many days go by before it.
    """

    stream: str
    event: Event
    corrects: int | None = None
    days: int = 0


def play(ledger: Ledger, clock: Clock, told: Iterable[Step]) -> list[Recorded]:
    """Offer steps to a ledger; give what was recorded."""
    recorded = list[Recorded]()
    for step in told:
        clock.pass_days(step.days)
        event = step.event
        if step.corrects is not None:
            known = list(ledger.store.read(step.stream))
            if not known:
                continue
            replaced = known[-1 - step.corrects % len(known)].id
            event = attrs.evolve(event, replaces=replaced, reason="a slip")
        try:
            recorded += ledger.record(step.stream, event).records
        except (TransitionRefused, RecordNotFound):
            continue
    return recorded


def every_report(view: object) -> dict[str, Table]:
    """Make every report that needs nothing but a view, each policy of the pipeline."""
    report: Callable[..., Table] = view.report  # type: ignore[attr-defined] # a View or a Ledger
    tables = {
        name: report(name) for name in ("package", "status", "milestones", "funnel")
    }
    for policy in ("claims", "no-umbrellas", "committed"):
        tables[f"pipeline {policy}"] = report("pipeline", policy=policy)
    return tables


@cache
def whens_nearby() -> st.SearchStrategy[When]:
    """Days of the log's time, in every degree of vagueness."""
    day = st.integers(-20, SPAN).map(at)

    def span(one: date, length: int) -> When:
        return When.between(one, one + timedelta(days=length))

    return st.one_of(
        day.map(lambda d: When(d.isoformat())),
        day.map(lambda d: When(d.isoformat())),
        st.builds(span, day, st.integers(0, 30)),
        day.map(lambda d: When.between(None, d)),
        day.map(lambda d: When.between(d, None)),
        day.map(lambda d: When(f"{d.isoformat()}~")),
        st.sampled_from(["2025-01", "2025-02", "2025"]).map(When),
        st.just(When.unknown("some day")),
    )


_AGREEMENTS: Final = ("agreement/a", "agreement/b", "agreement/c")
_GROUPS: Final = ("institutional", "practical")


@cache
def _amounts() -> st.SearchStrategy[Amount | Missing]:
    number = st.sampled_from([0, 5, 10, 25]).map(Decimal)
    unit = st.sampled_from(["USD", "USD", "USD", "AZN"])
    return st.one_of(
        st.builds(Amount.exact, number, unit),
        st.builds(Amount.exact, number, unit),
        st.builds(lambda n, u: Amount.between(n, n + 5, u), number, unit),
        st.builds(lambda n, u: Amount.below(n + 1, u), number, unit),
        st.sampled_from(Missing),
    )


@cache
def _of_agreement() -> st.SearchStrategy[Event]:
    when, cites = whens_nearby(), st.just(CITES)
    milestone = st.sampled_from([m.name for m in INVESTMENT.milestones])
    simple = st.sampled_from(
        [
            ev.LandAllocated,
            ev.FinancialModelDiscussed,
            ev.FinancialModelAgreed,
            ev.InvestmentCompleted,
            ev.CompanyCreated,
            ev.ProductionStarted,
            ev.WorkStarted,
        ]
    )
    lively = st.sampled_from([Suspended, Resumed, Terminated])
    named = st.sampled_from([MilestoneProgressed, MilestoneReverted, MilestoneWaived])
    return st.one_of(
        st.builds(lambda kind, w: kind(when=w, cites=CITES), simple, when),
        st.builds(lambda kind, w: kind(when=w, cites=CITES), simple, when),
        st.builds(lambda kind, w: kind(when=w, cites=CITES), lively, when),
        st.builds(
            lambda kind, m, w: kind(milestone=m, when=w, cites=CITES),
            named,
            milestone,
            when,
        ),
        st.builds(
            MilestonePromised,
            when=when,
            cites=cites,
            milestone=milestone,
            target=whens_nearby(),
        ),
        st.builds(
            ev.AgreementSigned,
            when=when,
            cites=cites,
            kind=st.sampled_from(ev.DocumentKind),
        ),
        _values(),
        st.builds(ev.ProgressClaimed, when=when, cites=cites, claim=st.just("work")),
        _identified(),
    )


@cache
def _values() -> st.SearchStrategy[Event]:
    return st.builds(
        ev.ValueReported,
        when=whens_nearby(),
        cites=st.just(CITES),
        amount=_amounts(),
        adds=st.sampled_from([False, False, True]),
    )


@cache
def _identified() -> st.SearchStrategy[Event]:
    return st.builds(
        ev.AgreementIdentified,
        when=whens_nearby(),
        cites=st.just(CITES),
        package=st.sampled_from(["package/p", "package/p", ""]),
        field=st.sampled_from(["cardboard", "tractors"]),
        group=st.sampled_from(["", *_GROUPS]),
        umbrella=st.sampled_from([False, False, False, True]),
    )


@st.composite
def _counted(draw: st.DrawFn) -> Event:
    groups = [
        ev.GroupCount(group, draw(st.integers(0, 6)))
        for group in draw(st.sets(st.sampled_from(_GROUPS)).map(sorted))
    ]
    more = draw(st.integers(0, 5))
    number = sum(count.number for count in groups) + more
    when = draw(whens_nearby())
    return ev.DocumentsReported(
        when=when, cites=CITES, number=number, groups=tuple(groups)
    )


@cache
def _of_package() -> st.SearchStrategy[Event]:
    when, cites = whens_nearby(), st.just(CITES)
    return st.one_of(
        _counted(),
        _values(),
        st.builds(
            ev.DocumentIdentified,
            when=when,
            cites=cites,
            title=st.just("a memorandum"),
            group=st.sampled_from(["", *_GROUPS]),
        ),
        st.builds(ev.ConferenceReported, when=when, cites=cites, title=st.just("fair")),
        st.builds(ev.DateRefined, when=when, cites=cites),
        st.builds(ev.ProgressClaimed, when=when, cites=cites, claim=st.just("work")),
    )


@cache
def _of_link() -> st.SearchStrategy[Event]:
    when, cites = whens_nearby(), st.just(CITES)
    proposed = st.builds(
        ev.LinkProposed,
        when=when,
        cites=cites,
        ours=st.sampled_from(_AGREEMENTS),
        other=st.sampled_from([*_AGREEMENTS, "somebody else"]),
    )
    return st.one_of(
        proposed,
        st.builds(ev.LinkConfirmed, when=when, cites=cites),
        st.builds(ev.LinkRejected, when=when, cites=cites),
    )


_BY_STREAM: Final = {
    "agreement/a": _of_agreement,
    "agreement/b": _of_agreement,
    "package/p": _of_package,
    "link/l": _of_link,
}


@st.composite
def steps(
    draw: st.DrawFn,
    *,
    streams: tuple[str, ...] = tuple(_BY_STREAM),
    size: int = 14,
    corrections: bool = True,
) -> list[Step]:
    """Draw what sources say, in the order in which it is written down."""
    told = [
        Step(stream, draw(_identified()))
        for stream in streams
        if stream.startswith("agreement/")
    ]
    for _ in range(draw(st.integers(0, size))):
        stream = draw(st.sampled_from(streams))
        event = draw(_BY_STREAM[stream]())
        days = draw(st.sampled_from([0, 0, 1, 7, 15]))
        corrects = None
        if corrections and draw(st.integers(0, 3)) == 0:
            corrects = draw(st.integers(0, 5))
            if draw(st.booleans()):
                event = Retracted(when=When.unknown(), cites=CITES)
        told.append(Step(stream, event, corrects, days))
    return told
