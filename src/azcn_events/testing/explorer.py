"""Every state that a lifecycle can reach, and what can and cannot follow.

Nothing here is drawn by chance. From the empty stream on, each fact is offered in
each state; states count as one if their milestones, activity and opening agree. What
comes out is exact for the facts that were offered, and each finding comes with the
shortest history that leads to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Final

from attrs import define, field, frozen

from azcn_events.core.codec import Codec
from azcn_events.core.events import Event, Recorded, Resumed, Suspended, Terminated
from azcn_events.core.lifecycle import Activity, Lifecycle, State, Status
from azcn_events.core.values import recorded_us_of
from azcn_events.errors import TransitionRefused, UnknownName
from azcn_events.reports.table import Cell, Column, Row, Table
from azcn_events.testing.covered import unwatched
from azcn_events.testing.strategies.palettes import NAMED
from azcn_events.testing.strategies.plain import simplest
from azcn_events.testing.timelines import standing_of
from azcn_events.testing.transcript import main_stream

__all__ = [
    "Clash",
    "Graph",
    "Node",
    "Step",
    "explore",
    "facts_of",
    "milestone_facts",
    "state_key",
    "transition_table",
]

_LIVELY: Final = (Suspended, Resumed, Terminated)
_SETTLED: Final = (Status.MET, Status.WAIVED)


def facts_of(lifecycle: Lifecycle) -> tuple[Event, ...]:
    """Give the facts that are offered unless you choose: the plainest of each class.

    The lifecycle's own classes that agreements take, in its order, and then
    ``Suspended``, ``Resumed`` and ``Terminated``.
    """
    own = [kind for kind in lifecycle.events.values() if _belongs(lifecycle, kind)]
    return tuple(simplest(kind) for kind in (*own, *_LIVELY))


def milestone_facts(lifecycle: Lifecycle) -> tuple[Event, ...]:
    """Give a promise, a beginning, a reversal and a waiver of each milestone.

    Offer them too to reach every status: ``explore(it, facts_of(it) +
    milestone_facts(it))``. The states are then up to six for each milestone,
    multiplied.
    """
    return tuple(
        simplest(kind, milestone=name)
        for name in lifecycle.milestone_names
        for kind in NAMED
    )


def _belongs(lifecycle: Lifecycle, kind: type[Event]) -> bool:
    """Say whether a class is taken by agreements, or else by nothing at all."""
    here = lifecycle.streams.get(lifecycle.category)
    if here is None or kind in here:
        return True
    return all(kind not in kinds for kinds in lifecycle.streams.values())


@frozen(eq=False)
class Node:
    """One reachable state.

    Attributes:
        number: 0 for the empty stream; the others in the order of their distance.
        state: The state, as its shortest history leaves it.
        history: That history, oldest first; empty for the empty stream.
    """

    number: int
    state: State
    history: tuple[Event, ...]

    @property
    def name(self) -> str:
        """What is met, promised and so on there."""
        return standing_of(self.state)


@frozen(eq=False)
class Step:
    """A fact that is admitted in one state and leads to another, or back to it."""

    before: Node
    fact: Event
    after: Node


@frozen
class Clash:
    """Two facts, both admitted in one state, whose order matters there.

    Attributes:
        at: The state.
        one: Stored name of one fact.
        other: Stored name of the other.
        why: What happens, in words.
    """

    at: Node
    one: str
    other: str
    why: str


@frozen(eq=False)
class Graph:
    """What :func:`explore` found.

    Attributes:
        lifecycle: The rules.
        facts: What was offered in each state.
        nodes: Every reachable state, nearest first.
        steps: Every admitted fact in every state, in the order of the states.
        is_complete: Whether every state was looked at. If not (there were more than
            ``states_max``), "cannot" and "never" mean "not so far".
    """

    lifecycle: Lifecycle
    facts: tuple[Event, ...]
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    is_complete: bool
    _finished: Callable[[State], bool]

    def dead_ends(self) -> tuple[Node, ...]:
        """Give the unfinished states that no fact of its own leads out of.

        That somebody may suspend, resume or end it is no way out.
        """
        leaving = {
            step.before.number
            for step in self.steps
            if step.after is not step.before and not isinstance(step.fact, _LIVELY)
        }
        return tuple(node for node in self._open() if node.number not in leaving)

    def cannot_finish(self) -> tuple[Node, ...]:
        """Give the unfinished states from which nothing leads to a finished one."""
        into: dict[int, list[int]] = {}
        for step in self.steps:
            into.setdefault(step.after.number, []).append(step.before.number)
        reaching = {node.number for node in self.nodes if self._finished(node.state)}
        todo = deque(reaching)
        while todo:
            for number in into.get(todo.popleft(), ()):
                if number not in reaching:
                    reaching.add(number)
                    todo.append(number)
        return tuple(node for node in self._open() if node.number not in reaching)

    def unreachable_milestones(self) -> tuple[str, ...]:
        """Give the milestones that are met in no state, in the lifecycle's order."""
        return tuple(
            name
            for name in self.lifecycle.milestone_names
            if all(
                node.state.milestones[name].status is not Status.MET
                for node in self.nodes
            )
        )

    def never_admitted(self) -> tuple[str, ...]:
        """Give the stored names of the facts that are refused in every state."""
        admitted = {type(step.fact) for step in self.steps}
        offered = dict.fromkeys(type(fact) for fact in self.facts)
        name_of = self.lifecycle.name_of
        return tuple(name_of(kind) for kind in offered if kind not in admitted)

    def cycles(self) -> tuple[str, ...]:
        """Give the stored names of the facts that lead from a state back to it.

        A history may go round there for ever, which need not be wrong.
        """
        component = _components(len(self.nodes), self._next)
        found = dict.fromkeys(
            self.lifecycle.name_of(type(step.fact))
            for step in self.steps
            if step.before is not step.after
            and component[step.before.number] == component[step.after.number]
        )
        return tuple(found)

    def clashes(self) -> tuple[Clash, ...]:
        """Give the pairs of facts whose order matters, each where it first does.

        Both are admitted in one state; either one makes the other impossible, or
        the two orders lead to different states. Pairs with ``Suspended``,
        ``Resumed`` or ``Terminated`` are left out: their order always matters.
        """
        found: dict[tuple[type[Event], type[Event]], Clash] = {}
        for node in self.nodes:
            here = self._steps_from.get(node.number, {})
            for one, other in combinations(here, 2):
                pair = type(self.facts[one]), type(self.facts[other])
                if pair in found or set(pair) & set(_LIVELY):
                    continue
                why = self._difference(here, one, other)
                if why:
                    first, second = map(self.lifecycle.name_of, pair)
                    found[pair] = Clash(node, first, second, why)
        return tuple(found.values())

    def path(self, *milestones: str) -> tuple[Event, ...]:
        """Give the shortest history after which all these milestones are met.

        Raises:
            UnknownName: If the lifecycle has no such milestone.
            LookupError: If there is no such history.
        """
        known = self.lifecycle.milestone_names
        for name in milestones:
            if name not in known:
                raise UnknownName("milestone", name, known)
        for node in self.nodes:
            if all(
                node.state.milestones[name].status is Status.MET for name in milestones
            ):
                return node.history
        raise LookupError(f"no history meets {', '.join(milestones)} together")

    def table(self) -> Table:
        """Give one row for each step that changes the state: before, fact, after."""
        rows = (
            Row((Cell(step.before.name), Cell(name), Cell(step.after.name)))
            for step in self.steps
            if step.before is not step.after
            for name in [self.lifecycle.name_of(type(step.fact))]
        )
        return Table(
            name="transitions",
            title=f"{self.lifecycle.name}: what leads where",
            columns=(Column("before"), Column("fact"), Column("after")),
            rows=tuple(rows),
        )

    def mermaid(self) -> str:
        """Draw the states for Mermaid; facts that change nothing are left out."""
        lines = ["stateDiagram-v2"]
        lines += [f"    s{node.number}: {node.name}" for node in self.nodes]
        lines.append("    [*] --> s0")
        for step in self.steps:
            if step.before is not step.after:
                name = self.lifecycle.name_of(type(step.fact))
                lines.append(
                    f"    s{step.before.number} --> s{step.after.number}: {name}"
                )
        return "\n".join([*lines, ""])

    def _open(self) -> Iterator[Node]:
        for node in self.nodes:
            ended = node.state.activity is Activity.TERMINATED
            if not ended and not self._finished(node.state):
                yield node

    @cached_property
    def _steps_from(self) -> Mapping[int, Mapping[int, Node]]:
        """For each state and each fact's place in ``facts``: where it leads."""
        places = {id(fact): place for place, fact in enumerate(self.facts)}
        found: dict[int, dict[int, Node]] = {}
        for step in self.steps:
            place = places[id(step.fact)]
            found.setdefault(step.before.number, {})[place] = step.after
        return found

    def _next(self, number: int) -> Iterable[int]:
        return [node.number for node in self._steps_from.get(number, {}).values()]

    def _difference(self, here: Mapping[int, Node], one: int, other: int) -> str:
        first = self._steps_from.get(here[one].number, {}).get(other)
        second = self._steps_from.get(here[other].number, {}).get(one)
        name, other_name = (
            self.lifecycle.name_of(type(self.facts[place])) for place in (one, other)
        )
        if first is None or second is None:
            if first is second:
                return "each makes the other impossible"
            winner, loser = (name, other_name) if first is None else (other_name, name)
            return f"{winner} makes {loser} impossible"
        if first is not second:
            return f"one order leads to {first.name}; the other to {second.name}"
        return ""


def explore(
    lifecycle: Lifecycle,
    facts: Sequence[Event] = (),
    *,
    key: Callable[[State], Hashable] | None = None,
    finished: Callable[[State], bool] | None = None,
    states_max: int = 20_000,
) -> Graph:
    """Visit every state that facts can lead to, nearest first.

    Args:
        lifecycle: The rules; those of a subclass are asked as they are.
        facts: What to offer in each state; ``facts_of(lifecycle)`` if left out.
        key: When two states count as one: if this says the same of both. By
            itself: the milestones' statuses, the activity, and whether it is
            opened. Rules of your own that look at more need a finer key.
        finished: When an agreement is where it should come to; by itself, when
            every milestone is met or waived. A terminated one is over as well.
        states_max: Stop after so many states.
    """
    lifecycle = unwatched(lifecycle)  # To look around is not to exercise it.
    offered = tuple(facts) or facts_of(lifecycle)
    stream = main_stream(lifecycle)
    search = _Search(lifecycle, offered, key or state_key, stream, states_max)
    search.run()
    return Graph(
        lifecycle,
        offered,
        tuple(search.nodes.values()),
        tuple(search.steps),
        search.is_complete,
        finished or _all_settled,
    )


def _all_settled(state: State) -> bool:
    return all(one.status in _SETTLED for one in state.milestones.values())


def state_key(state: State) -> Hashable:
    """Give what a state is known by, unless you say otherwise."""
    statuses = tuple(one.status for one in state.milestones.values())
    return statuses, state.activity, state.opening is not None


_RECORDED_US: Final = recorded_us_of("9999-01-01T00:00:00Z")
"""Late enough: what is dated after its recording would only be a promise."""


@define
class _Search:
    """A breadth-first search over states."""

    lifecycle: Lifecycle
    facts: tuple[Event, ...]
    key: Callable[[State], Hashable]
    stream: str
    states_max: int
    nodes: dict[Hashable, Node] = field(factory=dict[Hashable, Node], init=False)
    steps: list[Step] = field(factory=list[Step], init=False)
    is_complete: bool = field(default=True, init=False)

    def run(self) -> None:
        codec, us = Codec(self.lifecycle), _RECORDED_US
        kinds = [codec.kind_of(fact) for fact in self.facts]
        start = self.lifecycle.replay(())
        self.nodes[self.key(start)] = Node(0, start, ())
        todo = deque[tuple[Node, tuple[Recorded, ...]]]()
        todo.append((self.nodes[self.key(start)], ()))
        while todo:
            node, records = todo.popleft()
            for fact, kind in zip(self.facts, kinds, strict=True):
                if self.refusal(node.state, fact):
                    continue
                number = len(records) + 1
                id_ = f"r{number}"
                new = Recorded(number, self.stream, number, id_, kind, us, fact)
                history = (*records, new)
                after = self.lifecycle.replay(history)
                found = self.nodes.get(self.key(after))
                if found is None:
                    if len(self.nodes) >= self.states_max:
                        self.is_complete = False
                        continue
                    facts = tuple(record.event for record in history)
                    found = Node(len(self.nodes), after, facts)
                    self.nodes[self.key(after)] = found
                    todo.append((found, history))
                self.steps.append(Step(node, fact, found))

    def refusal(self, state: State, fact: Event) -> TransitionRefused | None:
        return self.lifecycle.refusal(state, fact, self.stream)


def _components(size: int, following: Callable[[int], Iterable[int]]) -> list[int]:
    """Number the strongly connected components of a graph.

    Source: R. Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput.
    1(2), 1972; without recursion, for long graphs.
    """
    index, low = [-1] * size, [0] * size
    component, stack, on_stack = [-1] * size, list[int](), [False] * size
    counter = components = 0
    for root in range(size):
        if index[root] >= 0:
            continue
        work = [(root, iter(following(root)))]
        index[root] = low[root] = counter
        counter += 1
        stack.append(root)
        on_stack[root] = True
        while work:
            node, others = work[-1]
            for other in others:
                if index[other] < 0:
                    index[other] = low[other] = counter
                    counter += 1
                    stack.append(other)
                    on_stack[other] = True
                    work.append((other, iter(following(other))))
                    break
                if on_stack[other]:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    while True:
                        member = stack.pop()
                        on_stack[member] = False
                        component[member] = components
                        if member == node:
                            break
                    components += 1
    return component


def transition_table(lifecycle: Lifecycle) -> str:
    """Write a lifecycle's declaration as lines of text, to pin in a file.

    Tests that are derived from a declaration cannot see that the declaration itself
    was changed: compare this text with one that you keep, so that each change of a
    rule is seen and agreed to.
    """
    name_of = lifecycle.name_of
    opening = name_of(lifecycle.opened_by) if lifecycle.opened_by else "any fact"
    lines = [f"lifecycle {lifecycle.name}", f"opened by {opening}"]
    for milestone in lifecycle.milestones:
        lines.append(f"milestone {milestone.name}")
        for words, names in (
            ("met by", map(name_of, milestone.met_by)),
            ("begun by", map(name_of, milestone.begun_by)),
            ("requires", milestone.requires),
            ("expects", milestone.expects),
        ):
            lines += [f"    {words} {name}" for name in names]
    for category, kinds in lifecycle.streams.items():
        about = " (has milestones)" if category == lifecycle.category else ""
        lines.append(f"streams {category}/{about}")
        lines += [f"    takes {name_of(kind)}" for kind in kinds]
    if not lifecycle.streams:
        where = f"{lifecycle.category}/" if lifecycle.category else "all"
        lines.append(f"streams: {where} take every fact")
    for name, kind in lifecycle.events.items():
        lines.append(f"fact {name}/{lifecycle.version_of(name)} is {kind.__name__}")
    return "\n".join([*lines, ""])
