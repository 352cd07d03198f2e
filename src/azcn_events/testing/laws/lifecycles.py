"""Laws of lifecycles: the rules do what the declaration says, everywhere.

Most are asked of every reachable state, none left out; the others of drawn logs,
whose facts carry data. Each reads the declaration by itself: what is compared is the
lifecycle's answer with that reading.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import date
from difflib import unified_diff
from functools import lru_cache
from typing import Any, Final

from hypothesis.strategies import SearchStrategy

from azcn_events.core.events import (
    COMMON,
    Event,
    Recorded,
    Resumed,
    Retracted,
    Terminated,
)
from azcn_events.core.history import Admission, in_force
from azcn_events.core.lifecycle import (
    Activity,
    Fold,
    Lifecycle,
    State,
    Status,
    occurred,
)
from azcn_events.core.values import Answer
from azcn_events.errors import AzcnEventsError, UnknownName
from azcn_events.testing.covered import unwatched
from azcn_events.testing.explorer import (
    Graph,
    Node,
    explore,
    state_key,
    transition_table,
)
from azcn_events.testing.laws.codecs import ONE_EVENT
from azcn_events.testing.laws.law import (
    Broken,
    Draws,
    Law,
    Search,
    ensure,
    law,
    over_logs,
    same,
)
from azcn_events.testing.strategies.plain import variants
from azcn_events.testing.timelines import shown
from azcn_events.testing.transcript import (
    Log,
    Transcript,
    days_before,
    main_stream,
    retold,
)
from azcn_events.testing.whole_logs import next_facts

__all__ = [
    "LIFECYCLE_LAWS",
    "conforms_to",
    "pinned_by",
    "refuses_by_rule_not_by_data",
    "refuses_what_it_declares",
]

_SETTLED: Final = (Status.MET, Status.WAIVED)


@lru_cache(maxsize=64)
def _graph(lifecycle: Lifecycle) -> Graph:
    return explore(lifecycle, states_max=_STATES_MAX)


_STATES_MAX: Final = 3_000
"""Beyond it, laws about all states speak of these, and claim nothing of "never"."""


def _log(lifecycle: Lifecycle, history: Iterable[Event]) -> Log:
    transcript = Transcript(lifecycle)
    for event in history:
        transcript.tell(main_stream(lifecycle), event)
    return transcript.log


def _broken_at(one: Law[Any], node: Node, lifecycle: Lifecycle, how: str) -> Broken:
    log = _log(lifecycle, node.history)
    return Broken(one.name, one.sentence, how, lifecycle, log)


def _asked(lifecycle: Lifecycle, state: State, event: Event, stream: str) -> str:
    refusal = lifecycle.refusal(state, event, stream)
    return refusal.code if refusal else ""


def _declared(lifecycle: Lifecycle, state: State, event: Event, stream: str) -> str:
    """Read the declaration: which of its rules refuses a fact, if any does."""
    kind, category = type(event), stream.partition("/")[0]
    ruled = not lifecycle.category or category == lifecycle.category
    if lifecycle.streams:
        common = kind is Retracted or (ruled and kind in COMMON.values())
        if not common and kind not in lifecycle.streams[category]:
            return "misplaced"
    if not ruled:
        return ""
    if lifecycle.opened_by not in (None, kind) and state.opening is None:
        return "not-opened"
    ended = state.activity is Activity.TERMINATED and state.ending
    if ended and kind not in (Resumed, Terminated):
        is_late = event.when.before(ended.event.when) is Answer.YES
        if not is_late:
            return "terminated"
    for milestone in lifecycle.milestones:
        if kind in milestone.met_by and any(
            state.milestones[name].status not in _SETTLED for name in milestone.requires
        ):
            return "requires"
    return ""


@law
def everything_can_be_reached(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """Every milestone can be met, and every fact is admitted somewhere."""
    graph = _graph(lifecycle)
    if not graph.is_complete:
        return None  # What was not reached so far may be reached yet.
    for name in graph.unreachable_milestones():
        how = f"no history meets {name!r}: {_why_never(graph, name)}"
        return _broken_at(everything_can_be_reached, graph.nodes[0], lifecycle, how)
    for name in graph.never_admitted():
        how = f"{name!r} is refused in every state: {_why_refused(graph, name)}"
        return _broken_at(everything_can_be_reached, graph.nodes[0], lifecycle, how)
    return None


def _why_never(graph: Graph, milestone: str) -> str:
    found = next(m for m in graph.lifecycle.milestones if m.name == milestone)
    names = [graph.lifecycle.name_of(kind) for kind in found.met_by]
    return "; ".join(_why_refused(graph, name) for name in names) or "nothing meets it"


def _why_refused(graph: Graph, name: str) -> str:
    """Give the refusal in the state that has come furthest."""
    lifecycle = graph.lifecycle
    fact = next((f for f in graph.facts if lifecycle.name_of(type(f)) == name), None)
    if fact is None:
        return f"{name!r} is taken by other streams only"
    for node in reversed(graph.nodes):
        refusal = lifecycle.refusal(node.state, fact, main_stream(lifecycle))
        if refusal and refusal.code != "terminated":
            return f"{name!r} is refused, {refusal.reason}"
    return f"{name!r} is admitted, and does not meet it"


@law
def nothing_is_stuck(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """From every state that is not the end, a way leads on, and one to the end."""
    graph = _graph(lifecycle)
    if not graph.is_complete:
        return None
    for node in graph.dead_ends():
        how = f"dead end: nothing of its own leads on from “{node.name}”"
        return _broken_at(nothing_is_stuck, node, lifecycle, how)
    for node in graph.cannot_finish():
        how = f"from “{node.name}” no history settles every milestone"
        return _broken_at(nothing_is_stuck, node, lifecycle, how)
    return None


@law
def refuses_what_it_declares(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """In every state it refuses what its declaration forbids, and nothing else."""
    graph, stream = _graph(lifecycle), main_stream(lifecycle)
    offered = [fact for plain in graph.facts for fact in variants(plain)]
    for node in graph.nodes:
        for fact in offered:
            asked = _asked(lifecycle, node.state, fact, stream)
            declared = _declared(lifecycle, node.state, fact, stream)
            if asked != declared:
                how = _disagreement(fact, asked, declared)
                return _broken_at(refuses_what_it_declares, node, lifecycle, how)
    return None


def _disagreement(fact: Event, asked: str, declared: str) -> str:
    did = f"is refused ({asked})" if asked else "is admitted"
    should = f"forbids it ({declared})" if declared else "allows it"
    return f"{shown(fact)} {did} next, but the declaration {should}"


def _and_next(lifecycle: Lifecycle) -> SearchStrategy[Log]:
    return next_facts(lifecycle).map(lambda pair: (*pair[0], pair[1]))


def _admit_but_last(lifecycle: Lifecycle, records: Iterable[Recorded]) -> Log | None:
    given = list(records)
    history = retold(lifecycle, given[:-1])
    if history is None or not given:
        return None
    last = given[-1]
    number = len(history) + 1
    return (*history, last._replace(position=number, version=number))


@over_logs(draws=Draws(_and_next, _admit_but_last, times=5))
def refuses_by_rule_not_by_data(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """Which rule holds for a next fact, the last one here, hangs on no data of it."""
    *history, new = log
    state = lifecycle.replay(history)
    asked = _asked(lifecycle, state, new.event, new.stream)
    declared = _declared(lifecycle, state, new.event, new.stream)
    ensure(asked == declared, _disagreement(new.event, asked, declared))


def _by_stream(
    lifecycle: Lifecycle, log: Log
) -> Iterator[tuple[str, tuple[Recorded, ...]]]:
    """Yield the streams that have milestones, each with its records."""
    for stream in dict.fromkeys(record.stream for record in log):
        if lifecycle.has_milestones(stream):
            yield stream, tuple(r for r in log if r.stream == stream)


@over_logs
def hard_rules_hold(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """No fact in force breaks a rule at its place, corrections applied."""
    for stream, records in _by_stream(lifecycle, log):
        for cut in range(1, len(records) + 1):
            facts = in_force(records[:cut])
            for at, record in enumerate(facts):
                before = lifecycle.replay(facts[:at])
                code = _declared(lifecycle, before, record.event, stream)
                ensure(not code, f"{shown(record.event)} was admitted against {code!r}")


@law
def lists_what_it_admits(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """What it lists as admitted is what it admits, in every state."""
    graph, stream = _graph(lifecycle), main_stream(lifecycle)
    for node in graph.nodes:
        listed = set(lifecycle.admitted(node.state, stream))
        for fact in graph.facts:
            name = lifecycle.name_of(type(fact))
            is_admitted = not _asked(lifecycle, node.state, fact, stream)
            if is_admitted is not (name in listed):
                how = (
                    f"{name!r} is {'admitted' if is_admitted else 'refused'} and"
                    f" {'not ' if is_admitted else ''}listed as admitted"
                )
                return _broken_at(lists_what_it_admits, node, lifecycle, how)
    return None


@law
def refusals_change_nothing(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """A refused fact leaves records and state as they were; asking changes nothing."""
    graph, stream = _graph(lifecycle), main_stream(lifecycle)
    for node in graph.nodes:
        log = _log(lifecycle, node.history)
        desk, before = Admission(lifecycle, stream, log), lifecycle.replay(log)
        kept = deepcopy(before)
        for fact in graph.facts:
            first = _asked(lifecycle, before, fact, stream)
            how = ""
            if first and _admits(desk, fact):
                how = f"{shown(fact)} is refused ({first}), yet it was recorded"
            elif first != _asked(lifecycle, before, fact, stream):
                how = f"{shown(fact)} gets another answer when it is asked again"
            elif kept != before:
                how = f"asking for {shown(fact)} changed the state"
            elif len(desk.records) != len(log):
                how = f"refusing {shown(fact)} left a record"
            if how:
                return _broken_at(refusals_change_nothing, node, lifecycle, how)
    return None


def _admits(desk: Admission, fact: Event) -> bool:
    number = len(desk.records) + 1
    new = Recorded(number, desk.stream, number, "new", "", _us_of(desk), fact)
    try:
        desk.admit(new)
    except AzcnEventsError:
        return False
    return True


def _us_of(desk: Admission) -> int:
    return desk.records[-1].recorded_us if desk.records else 0


@over_logs
def recorded_is_replayed(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """Replaying a history gives what recording it gave, at every step."""
    for _stream, records in _by_stream(lifecycle, log):
        facts = in_force(records)
        fold = Fold(lifecycle)
        same(fold.state(), lifecycle.replay(()), "an empty history")
        for at, record in enumerate(facts, start=1):
            fold.step(record)
            what = f"replaying {at} facts, and counting them one by one"
            same(fold.state(), lifecycle.replay(facts[:at]), what)


@over_logs
def the_last_day_is_now(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """As of the last of all days, the state is the one that counts everything."""
    for _stream, records in _by_stream(lifecycle, log):
        facts = in_force(records)
        now, then = lifecycle.replay(facts), lifecycle.replay(facts, as_of=date.max)
        same(now, then, "now, and as of the last day")


@over_logs
def what_had_not_come_is_left_out(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """As of a day, facts that had surely not come by then count for nothing."""
    for _stream, records in _by_stream(lifecycle, log):
        facts = in_force(records)
        for day in days_before(facts):
            come = [r for r in facts if occurred(r, day) is not Answer.NO]
            asked = lifecycle.replay(facts, as_of=day)
            same(lifecycle.replay(come, as_of=day), asked, f"as of {day}")


@over_logs(draws=ONE_EVENT)
def asking_changes_no_event(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """Whether a fact is admitted is answered without changing the fact."""
    asked, stream = deepcopy(log[0].event), main_stream(lifecycle)
    with suppress(UnknownName):
        lifecycle.refusal(lifecycle.replay(()), asked, stream)
    same(log[0].event, asked, "asking changed the fact that it was asked about")


@over_logs
def deviations_name_their_facts(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """Every deviation is about a fact of the history, and is found again."""
    for _stream, records in _by_stream(lifecycle, log):
        facts = in_force(records)
        found = lifecycle.deviations(facts)
        same(found, lifecycle.deviations(facts), "the deviations, asked twice")
        for deviation in found:
            ensure(deviation.record in facts, f"{deviation} is about no fact of it")


@law
def independent_facts_commute(lifecycle: Lifecycle, _: Search) -> Broken | None:
    """Facts about different milestones, both admitted, may come in either order."""
    if not _graph(lifecycle).is_complete:
        return None
    graph, rules = _graph(lifecycle), unwatched(lifecycle)
    moved = {
        lifecycle.name_of(type(fact)): {name for name, _ in rules.moves(fact)}
        for fact in graph.facts
    }
    opening = lifecycle.opened_by and lifecycle.name_of(lifecycle.opened_by)
    for clash in graph.clashes():
        shared = moved[clash.one] & moved[clash.other]
        if not shared and opening not in (clash.one, clash.other):
            how = f"{clash.one} and {clash.other}: {clash.why}"
            return _broken_at(independent_facts_commute, clash.at, lifecycle, how)
    return None


@over_logs
def equal_states_answer_alike(lifecycle: Lifecycle, _: Lifecycle, log: Log) -> None:
    """Two states with the same milestones, activity and opening admit the same.

    What is said of "every state" rests on it: a rule that looks at other things needs
    a finer ``key`` for ``explore``.
    """
    graph = _graph(lifecycle)
    nodes: dict[Hashable, Node] = {state_key(node.state): node for node in graph.nodes}
    for stream, records in _by_stream(lifecycle, log):
        facts = in_force(records)
        for cut in range(1, len(facts) + 1):
            state = lifecycle.replay(facts[:cut])
            node = nodes.get(state_key(state))
            if node is None or state.activity is Activity.TERMINATED:
                continue  # What is late news depends on the day of the end.
            for fact in graph.facts:
                asked = _asked(lifecycle, state, fact, stream)
                plain = _asked(lifecycle, node.state, fact, stream)
                what = (
                    f"{shown(fact)} after {cut} of these facts, and after the shortest"
                    " history to the same milestones"
                )
                same(asked or "admitted", plain or "admitted", what)


def pinned_by(table: str) -> Law[Lifecycle]:
    """Make a law of a declaration that you keep: see ``transition_table``.

    Args:
        table: The text as it was when you agreed to it.
    """

    @law
    def pinned(lifecycle: Lifecycle, search: Search) -> Broken | None:
        """Its declaration is the one that was agreed to."""
        now = transition_table(lifecycle)
        if now == table:
            return None
        lines = unified_diff(
            table.splitlines(), now.splitlines(), "agreed", "now", n=1, lineterm=""
        )
        how = "it differs:\n" + "\n".join(f"       {line}" for line in lines)
        return Broken("pinned", pinned.sentence, how, search.lifecycle)

    return pinned


def conforms_to(reference: Callable[[State, Event], str]) -> Law[Lifecycle]:
    """Make a law of rules written by hand: the lifecycle decides as they do.

    Args:
        reference: Gives the code of the rule that refuses a fact in a state; empty
            if it is admitted.
    """

    @law
    def conforms(lifecycle: Lifecycle, _: Search) -> Broken | None:
        """It refuses what the reference refuses, in every reachable state."""
        graph = _graph(lifecycle)
        for node in graph.nodes:
            for fact in graph.facts:
                asked = _asked(lifecycle, node.state, fact, main_stream(lifecycle))
                wanted = reference(node.state, fact)
                if asked != wanted:
                    how = (
                        f"{shown(fact)} is {asked or 'admitted'} next; the reference"
                        f" says {wanted or 'admitted'}"
                    )
                    return _broken_at(conforms, node, lifecycle, how)
        return None

    return conforms


LIFECYCLE_LAWS: Final[tuple[Law[Lifecycle], ...]] = (
    everything_can_be_reached,
    nothing_is_stuck,
    refuses_what_it_declares,
    lists_what_it_admits,
    refusals_change_nothing,
    independent_facts_commute,
    refuses_by_rule_not_by_data,
    hard_rules_hold,
    recorded_is_replayed,
    the_last_day_is_now,
    what_had_not_come_is_left_out,
    asking_changes_no_event,
    deviations_name_their_facts,
    equal_states_answer_alike,
)
"""What every lifecycle should keep.

A subclass with rules of its own leaves out ``refuses_what_it_declares`` and
``refuses_by_rule_not_by_data``, and has a reference: ``conforms_to``.
"""
