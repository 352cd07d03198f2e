"""Strategies for whole histories and logs, drawn from a lifecycle.

Facts drawn at random seldom get far: most are refused, and the last milestones are
hardly ever met. So a history is given a goal, any reachable state with the same
chance, and walks towards it with detours; late news and corrections come on top.
Everything drawn has been admitted, fact by fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import Any, Final

import attrs
from attrs import define, frozen
from hypothesis import strategies as st

from azcn_events.core.events import (
    COMMON,
    Event,
    Recorded,
    Resumed,
    Retracted,
    Suspended,
    Terminated,
)
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.values import When
from azcn_events.errors import RecordNotFound, TransitionRefused
from azcn_events.testing.covered import unwatched
from azcn_events.testing.explorer import Graph, explore
from azcn_events.testing.stand_ins import Clock
from azcn_events.testing.strategies.classes import events, for_class
from azcn_events.testing.strategies.palettes import NEAR, WIDE, Palette, palette_for
from azcn_events.testing.strategies.plain import simplest
from azcn_events.testing.transcript import Log, Transcript, changed, main_stream

__all__ = [
    "Illegal",
    "any_event",
    "facts",
    "histories",
    "illegal_next",
    "logs",
    "next_facts",
    "streams_of",
]

_DETOURS_MAX: Final = 4
_GOALS_STATES_MAX: Final = 3_000


@lru_cache(maxsize=64)
def _graph(lifecycle: Lifecycle) -> Graph:
    return explore(lifecycle, states_max=_GOALS_STATES_MAX)


def any_event(
    lifecycle: Lifecycle, palette: Palette = WIDE
) -> st.SearchStrategy[Event]:
    """Draw events of every class of a lifecycle, each as likely as another.

    News and corrections of any record: whatever could be stored, admitted or not.
    """
    told = palette_for(lifecycle, palette)
    kinds = [events(kind, told) for kind in lifecycle.kinds.values()]
    return st.sampled_from(kinds).flatmap(lambda drawn: drawn)


def facts(
    lifecycle: Lifecycle, palette: Palette = NEAR, *, category: str = ""
) -> st.SearchStrategy[Event]:
    """Draw news of any class that streams of a category take, admitted or not.

    Args:
        lifecycle: Whose classes, and whose milestones.
        palette: See ``for_class``.
        category: The category of streams; the one that has milestones if empty.
    """
    drawing = _drawing(lifecycle, palette)
    kinds = _kinds(lifecycle, category or lifecycle.category)
    return st.sampled_from(kinds).flatmap(drawing.of)


@define(eq=False)
class _Drawing:
    """The strategies of one lifecycle's classes, each made once."""

    palette: Palette
    _made: dict[type[Event], st.SearchStrategy[Any]]

    def of(self, kind: type[Event]) -> st.SearchStrategy[Any]:
        """Give the strategy for one class."""
        if kind not in self._made:
            self._made[kind] = for_class(kind, self.palette)
        return self._made[kind]


@lru_cache(maxsize=64)
def _near(lifecycle: Lifecycle) -> _Drawing:
    return _Drawing(palette_for(lifecycle, NEAR), {})


def _drawing(lifecycle: Lifecycle, palette: Palette) -> _Drawing:
    if palette is NEAR:
        return _near(lifecycle)
    return _Drawing(palette_for(lifecycle, palette), {})


@lru_cache(maxsize=256)
def _kinds(lifecycle: Lifecycle, category: str) -> tuple[type[Event], ...]:
    """Give the classes of news that streams of a category take."""
    common: tuple[type[Event], ...] = tuple(
        kind for kind in COMMON.values() if kind is not Retracted
    )
    if not lifecycle.milestones:
        common = _LIVELY
    if not lifecycle.streams:
        return (*lifecycle.events.values(), *common)
    own = lifecycle.streams[category]
    return (*own, *common) if category == lifecycle.category else own


_LIVELY: Final[tuple[type[Event], ...]] = (Suspended, Resumed, Terminated)


def histories(
    lifecycle: Lifecycle,
    palette: Palette = NEAR,
    *,
    stream: str = "",
    corrections: bool = False,
) -> st.SearchStrategy[Log]:
    """Draw the log of one stream that has milestones, on its way to some state.

    Args:
        lifecycle: The rules; every fact drawn is admitted by them.
        palette: See ``for_class``.
        stream: The stream's name; made up if empty.
        corrections: Whether some facts are corrected or retracted.

    Returns:
        Of 0 to about 15 records, in position order.
    """
    name = stream or main_stream(lifecycle)
    drawing = _drawing(lifecycle, palette)
    return _histories(lifecycle, drawing, (name,), corrections)


def logs(
    lifecycle: Lifecycle,
    palette: Palette = NEAR,
    *,
    streams: int = 3,
    names: st.SearchStrategy[str] | None = None,
    corrections: bool = True,
) -> st.SearchStrategy[Log]:
    """Draw whole logs: several streams side by side, late news, corrections.

    Args:
        lifecycle: The rules; every fact drawn is admitted by them.
        palette: See ``for_class``.
        streams: How many streams with milestones at the most; there is one besides
            for each other category that the lifecycle has.
        names: Draws the streams' own names, such as ``stream_names()`` for ones
            that careless stores confuse; a, b, c and so on if left out.
        corrections: Whether some facts are corrected or retracted.

    Returns:
        Of 0 to about 30 records, in position order.
    """
    drawing = _drawing(lifecycle, palette)
    if names is None:
        named = streams_of(lifecycle, streams)
        return _histories(lifecycle, drawing, named, corrections)
    drawn = st.lists(names, min_size=1, max_size=streams, unique=True).map(tuple)
    return drawn.flatmap(
        lambda chosen: _histories(
            lifecycle, drawing, tuple(_all_streams(lifecycle, chosen)), corrections
        )
    )


def streams_of(lifecycle: Lifecycle, count: int) -> tuple[str, ...]:
    """Name some streams with milestones, and one of each other category."""
    letters = tuple("abcdefghijklmnopqrstuvwxyz"[:count])
    return tuple(_all_streams(lifecycle, letters))


def _all_streams(lifecycle: Lifecycle, names: tuple[str, ...]) -> Iterator[str]:
    yield from _streams_of(lifecycle, lifecycle.category, names)
    for category in lifecycle.streams:
        if category != lifecycle.category:
            yield from _streams_of(lifecycle, category, names[:1])


def _streams_of(
    lifecycle: Lifecycle, category: str, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Put names into a category; 200 characters are the longest that is taken."""
    if not (lifecycle.category or lifecycle.streams):
        return names
    full = (f"{category}/{name}"[:200].rstrip() for name in names)
    return tuple(dict.fromkeys(full))


@st.composite
def _histories(
    draw: st.DrawFn,
    lifecycle: Lifecycle,
    drawing: _Drawing,
    streams: tuple[str, ...],
    corrections: bool,  # noqa: FBT001 - handed on
) -> Log:
    transcript = Transcript(lifecycle)
    plans = {
        stream: _plan(draw, lifecycle)
        for stream in streams
        if lifecycle.has_milestones(stream)
    }
    detours = draw(st.integers(0, _DETOURS_MAX + 2 * len(streams)))
    while detours or any(plans.values()):
        on_their_way = [name for name, plan in plans.items() if plan]
        stream = draw(st.sampled_from(streams if detours else on_their_way))
        plan = plans.get(stream, [])
        # A detour before the first step would only be refused as not opened.
        must_go_on = not detours or not transcript.of(stream)
        is_on_the_way = bool(plan) and (must_go_on or draw(_MOSTLY))
        if is_on_the_way:
            kind = plan.pop(0)
        else:
            detours -= 1
            kind = draw(st.sampled_from(_detours(lifecycle, stream.partition("/")[0])))
        event: Event = draw(drawing.of(kind))
        transcript.pass_days(draw(_DAYS))
        if is_on_the_way:
            event = _happened(event, transcript.today)
        if corrections and draw(_SELDOM):
            event = _corrected(draw, transcript, stream, event)
        _try(transcript, stream, event)
        if draw(_RARELY):  # One source may say the same of two agreements.
            _try(transcript, draw(st.sampled_from(streams)), event)
    return transcript.log


@lru_cache(maxsize=256)
def _detours(lifecycle: Lifecycle, category: str) -> tuple[type[Event], ...]:
    """Give the classes of detours, twice those that are on nobody's way.

    However few facts a lifecycle has of its own, half of the detours are of them.
    """
    kinds = _kinds(lifecycle, category)
    steps = {type(fact) for node in _graph(lifecycle).nodes for fact in node.history}
    own = [kind for kind in kinds if kind not in COMMON.values()]
    more = own * (len(kinds) // (2 * len(own))) if own else ()
    return (*kinds, *(kind for kind in kinds if kind not in steps), *more)


_MOSTLY: Final = st.sampled_from([True, True, False])
_SELDOM: Final = st.sampled_from([False, False, False, True])
_RARELY: Final = st.sampled_from([*[False] * 7, True])
_DAYS: Final = st.sampled_from([0, 0, 0, 1, 7, 15])


def _happened(event: Event, today: date) -> Event:
    """Date a fact no later than its recording: else it would count as a promise."""
    earliest = event.when.earliest
    if earliest is None or earliest <= today:
        return event
    return changed(event, when=When(today.isoformat())) or event


def _plan(draw: st.DrawFn, lifecycle: Lifecycle) -> list[type[Event]]:
    goal = draw(st.sampled_from(_graph(lifecycle).nodes))
    return [type(fact) for fact in goal.history]


def _corrected(
    draw: st.DrawFn, transcript: Transcript, stream: str, event: Event
) -> Event:
    """Make it a correction or a retraction of a record of its stream, if any."""
    known = transcript.of(stream)
    if not known:
        return event
    replaced = known[-1 - draw(st.integers(0, min(len(known) - 1, 4)))]
    if draw(st.booleans()):
        return Retracted(
            when=event.when, cites=event.cites, replaces=replaced.id, reason="a slip"
        )
    return attrs.evolve(event, replaces=replaced.id, reason="a slip")


def _try(transcript: Transcript, stream: str, event: Event) -> None:
    with suppress(TransitionRefused, RecordNotFound):  # Then the detour leads nowhere.
        transcript.tell(stream, event)


def next_facts(
    lifecycle: Lifecycle, palette: Palette = NEAR
) -> st.SearchStrategy[tuple[Log, Recorded]]:
    """Draw a history, and a record that may or may not be admitted next."""

    def proposed(log: Log, event: Event) -> tuple[Log, Recorded]:
        number = len(log) + 1
        stream = log[-1].stream if log else main_stream(lifecycle)
        us = log[-1].recorded_us if log else Clock().us
        return log, Recorded(number, stream, number, f"r{number}", "", us, event)

    return st.builds(proposed, histories(lifecycle, palette), facts(lifecycle, palette))


@frozen
class Illegal:
    """A history, and a fact that cannot follow it.

    Attributes:
        log: One stream's records.
        stream: Its name.
        event: The fact.
        code: The one rule that it breaks, as ``TransitionRefused.code`` names it;
            ``"not-found"`` for the correction of a record that is not there.
    """

    log: Log
    stream: str
    event: Event
    code: str


def illegal_next(
    lifecycle: Lifecycle, palette: Palette = NEAR
) -> st.SearchStrategy[Illegal]:
    """Draw a history and a fact that breaks exactly one rule.

    Each rule that the lifecycle has comes up with the same chance; all facts are of
    one day, so that none is late news.
    """
    drawing = _drawing(lifecycle, palette)
    codes = (*_refusals(lifecycle), *_REPLACING)
    return st.sampled_from(codes).flatmap(
        lambda code: _illegal(lifecycle, drawing, code)
    )


_REPLACING: Final = ("no-record", "no-reason", "already-replaced", "not-found")


@lru_cache(maxsize=64)
def _refusals(
    lifecycle: Lifecycle,
) -> dict[str, list[tuple[tuple[type[Event], ...], type[Event]]]]:
    """Give for each rule the histories and next facts, as classes, that break it."""
    found: dict[str, list[tuple[tuple[type[Event], ...], type[Event]]]] = {}
    stream = main_stream(lifecycle)
    plain = [simplest(kind) for kind in lifecycle.events.values()]
    for node in _graph(lifecycle).nodes:
        history = tuple(type(fact) for fact in node.history)
        for fact in plain:
            refusal = unwatched(lifecycle).refusal(node.state, fact, stream)
            if refusal:
                found.setdefault(refusal.code, []).append((history, type(fact)))
    return found


_ONE_DAY: Final = When("2025-01-01")


@st.composite
def _illegal(
    draw: st.DrawFn, lifecycle: Lifecycle, drawing: _Drawing, code: str
) -> Illegal:
    stream, transcript = main_stream(lifecycle), Transcript(lifecycle)

    def drawn(kind: type[Event]) -> Event:
        event: Event = draw(drawing.of(kind))
        return changed(event, when=_ONE_DAY) or event

    if code not in _REPLACING:
        history, kind = draw(st.sampled_from(_refusals(lifecycle)[code]))
        for earlier in history:
            transcript.tell(stream, drawn(earlier))
        return Illegal(transcript.log, stream, drawn(kind), code)
    goals = [node for node in _graph(lifecycle).nodes if node.history]
    for fact in draw(st.sampled_from(goals)).history:
        transcript.tell(stream, drawn(type(fact)))
    last = transcript.records[-1]
    replaces = {"no-record": "", "not-found": "nowhere"}.get(code, last.id)
    reason = "" if code == "no-reason" else "a slip"
    cites = last.event.cites
    again = Retracted(when=_ONE_DAY, cites=cites, replaces=replaces, reason=reason)
    if code == "already-replaced":
        transcript.tell(stream, again)
    return Illegal(transcript.log, stream, again, code)
