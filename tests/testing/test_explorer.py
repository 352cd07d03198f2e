"""The explorer: every state, and what cannot follow."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations

import pytest
from tests.testing.rules import EVENTS, MINE, FirstExport, FirstOre, Licensed, mine

from azcn_events import (
    INVESTMENT,
    Event,
    Lifecycle,
    Milestone,
    State,
    Status,
    TransitionRefused,
)
from azcn_events.core.events import MilestonePromised, MilestoneWaived, Suspended
from azcn_events.testing import (
    explore,
    fact,
    facts_of,
    milestone_facts,
    transition_table,
)
from azcn_events.testing.transcript import Transcript

OWN: tuple[Event, ...] = tuple(fact(kind) for kind in EVENTS.values())
LETTER = mine(
    Milestone("licensed", met_by=FirstOre, requires=["producing"]),
    Milestone("producing", met_by=FirstOre),
    Milestone("exporting", met_by=FirstExport),
)
"""Ore needs ore."""


def test_every_state_is_found_once() -> None:
    """By hand: any of the three met, but no export without ore: 6 of 8."""
    graph = explore(MINE, OWN)
    names = [node.name for node in graph.nodes]
    assert sorted(set(names)) == sorted(names)
    assert 6 == len(graph.nodes)
    assert graph.is_complete


def test_the_states_are_those_of_all_short_histories() -> None:
    """Whatever order facts come in, the state they leave is among those found."""
    graph = explore(MINE, OWN)
    found = {node.name for node in graph.nodes}
    for order in permutations(OWN):
        transcript = Transcript(MINE)
        for event in order:
            with suppress(TransitionRefused):  # Then it leaves no other state.
                transcript.tell("a", event)
            state = MINE.replay(transcript.log)
            met = [n for n, m in state.milestones.items() if m.status is Status.MET]
            assert (", ".join(met) or "nothing yet") in found


def test_a_history_is_the_shortest() -> None:
    """Two facts lead to an export, and no history is longer than it must be."""
    graph = explore(MINE, OWN)
    assert [FirstOre, FirstExport] == [type(e) for e in graph.path("exporting")]
    assert all(len(n.history) <= 3 for n in graph.nodes)
    with pytest.raises(LookupError, match="exporting"):
        explore(LETTER, OWN).path("producing", "exporting")


def test_a_lifecycle_without_fault_has_no_findings() -> None:
    """Nothing is unreachable, dead or stuck, in ours neither."""
    for lifecycle in (MINE, INVESTMENT):
        graph = explore(lifecycle)
        found = (graph.dead_ends(), graph.cannot_finish(), graph.never_admitted())
        assert ((), (), ()) == found
        assert () == graph.unreachable_milestones()


def test_a_dead_end_is_found_with_its_history() -> None:
    """A fact that needs what only it brings is never admitted, and nothing ends."""
    graph = explore(LETTER)
    assert ("licensed", "producing") == graph.unreachable_milestones()
    assert ("first-ore",) == graph.never_admitted()
    dead, *others = graph.dead_ends()
    assert [FirstExport] == [type(event) for event in dead.history]
    assert ["exporting, (suspended)"] == [node.name for node in others]
    assert {"nothing yet", "exporting"} == {
        node.name for node in graph.cannot_finish() if "(" not in node.name
    }


def test_what_no_stream_takes_is_never_admitted() -> None:
    """A category that forgets a fact makes its milestone unreachable."""
    forgetful = mine(
        *MINE.milestones,
        category="mine",
        streams={"mine": (Licensed, FirstOre)},
    )
    graph = explore(forgetful)
    assert ("first-export",) == graph.never_admitted()
    assert ("exporting",) == graph.unreachable_milestones()


class OneWay(Lifecycle):
    """A rule of its own: no licence once there is ore."""

    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        """Refuse a late licence."""
        ore = state.milestones["producing"].status is Status.MET
        if ore and isinstance(event, Licensed):
            return LATE
        return super().refusal(state, event, stream)


LATE = TransitionRefused("", "licensed", "late", "too late", ())
"""Why a late licence is refused."""


def test_a_rule_of_ones_own_is_explored_too() -> None:
    """It disables another fact, and leaves states that cannot finish."""
    own = OneWay(name="mine", events=EVENTS, milestones=MINE.milestones)
    graph = explore(own, OWN)
    assert [("licensed", "first-ore")] == [(c.one, c.other) for c in graph.clashes()]
    assert {"producing", "producing, exporting"} == {
        node.name for node in graph.cannot_finish()
    }


def test_what_can_go_round_is_named() -> None:
    """Suspending and resuming lead back; facts do not."""
    assert () == explore(MINE, OWN).cycles()
    assert {"suspended", "resumed", "terminated"} == set(explore(MINE).cycles())


def test_promises_and_waivers_can_be_offered_too() -> None:
    """Then every status comes up, and a waiver opens what is required."""
    graph = explore(MINE, facts_of(MINE) + milestone_facts(MINE))
    seen = {m.status for node in graph.nodes for m in node.state.milestones.values()}
    assert set(Status) == seen
    waived = [
        node for node in graph.nodes if node.name == "producing waived, exporting"
    ]
    assert [MilestoneWaived, FirstExport] == [type(e) for e in waived[0].history]


def test_an_unfinished_search_says_so() -> None:
    """It stops at the limit, and claims no more than it has seen."""
    graph = explore(INVESTMENT, states_max=10)
    assert 10 == len(graph.nodes)
    assert not graph.is_complete


def test_pictures_and_tables_have_the_same_steps() -> None:
    """A line for each step that changes the state."""
    graph = explore(MINE, OWN)
    changing = [step for step in graph.steps if step.after is not step.before]
    assert len(changing) == len(graph.table().rows)
    assert len(changing) == graph.mermaid().count(" --> ") - 1
    assert "    s0 --> s1: licensed\n" in graph.mermaid()


def test_every_rule_is_in_the_table_to_pin() -> None:
    """Changing any part of a declaration changes the text."""
    texts = {
        transition_table(lifecycle)
        for lifecycle in (
            MINE,
            mine(*MINE.milestones[:2]),
            mine(*MINE.milestones[:2], Milestone("exporting", met_by=FirstExport)),
            mine(*MINE.milestones, opened_by=Licensed),
            mine(*MINE.milestones, category="mine"),
            mine(*MINE.milestones, category="m", streams={"m": (Licensed,)}),
            mine(*MINE.milestones, upcasts={("licensed", 1): dict}),
            mine(
                *MINE.milestones[:2],
                Milestone("exporting", met_by=FirstExport, begun_by=Licensed),
            ),
        )
    }
    assert 8 == len(texts)


def test_a_promise_is_not_offered_unless_asked() -> None:
    """By itself only the lifecycle's own facts and the three about its life are."""
    kinds = {type(event) for event in facts_of(MINE)}
    assert Suspended in kinds
    assert MilestonePromised not in kinds
