"""What tests have exercised of a lifecycle, so that none passes by trying nothing.

A property that never met the rule it is about is green all the same. So watch the
lifecycle while the tests run, and ask afterwards what never came up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import attrs
from attrs import define, field, frozen

from azcn_events.core.events import Event, Recorded
from azcn_events.core.lifecycle import Deviation, Effect, Lifecycle, State, Status
from azcn_events.errors import TransitionRefused, UnknownName

__all__ = ["Seen", "Watched", "assert_covered", "unwatched", "watch"]


@define
class Seen:
    """What came up while a lifecycle was watched. Threads may share it.

    Attributes:
        kinds: Stored names of facts that were counted: a fact of it was recorded,
            or replayed from a log. That it would have been admitted is not enough.
        milestones: Milestones that were met in some state: one that was replayed,
            or one in which it was asked whether a fact may follow. So a milestone
            counts once anything looks at it: the next fact, or a test.
        refusals: Codes of refusals that were given.
        deviations: Codes of deviations that were reported.
        laws: Names of laws that were tried.
    """

    # Only ever added to: that needs no lock.
    kinds: set[str] = field(factory=set[str])
    milestones: set[str] = field(factory=set[str])
    refusals: set[str] = field(factory=set[str])
    deviations: set[str] = field(factory=set[str])
    laws: set[str] = field(factory=set[str])


def watch(lifecycle: Lifecycle) -> Watched:
    """Give a lifecycle that answers as this one does, and notes what came up.

    Use it in its place everywhere: for a ledger, to draw histories, to check laws.
    Where the kit itself explores a lifecycle, to find out what to draw, nothing is
    noted: only what happens to logs counts.
    """
    plain = unwatched(lifecycle)
    values = {
        attribute.name: getattr(plain, attribute.name)
        for attribute in attrs.fields(Lifecycle)
        if attribute.init
    }
    return Watched(**values, plain=plain)


def unwatched(lifecycle: Lifecycle) -> Lifecycle:
    """Give the lifecycle that is watched, to ask it something that shall not count."""
    return lifecycle.plain if isinstance(lifecycle, Watched) else lifecycle


@frozen(eq=False, kw_only=True)
class Watched(Lifecycle):
    """A lifecycle that notes what comes up; :func:`watch` makes it.

    Attributes:
        plain: The lifecycle that answers, so that rules of a subclass count too.
        seen: What came up so far.
    """

    plain: Lifecycle
    seen: Seen = field(factory=Seen, init=False)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a subclass has
        """Give what the plain lifecycle's own class has besides."""
        if name == "plain":  # Not there yet: this one is just being made.
            raise AttributeError(name)
        return getattr(self.plain, name)

    @property
    def kinds(self) -> Mapping[str, type[Event]]:
        """Answer as the plain lifecycle does."""
        return self.plain.kinds

    @property
    def milestone_names(self) -> tuple[str, ...]:
        """Answer as the plain lifecycle does."""
        return self.plain.milestone_names

    def name_of(self, kind: type[Event]) -> str:
        """Answer as the plain lifecycle does."""
        return self.plain.name_of(kind)

    def version_of(self, name: str) -> int:
        """Answer as the plain lifecycle does."""
        return self.plain.version_of(name)

    def note_law(self, name: str) -> None:
        """Note that a law was tried."""
        self.seen.laws.add(name)

    def has_milestones(self, stream: str) -> bool:
        """Answer as the plain lifecycle does."""
        return self.plain.has_milestones(stream)

    def moves(self, event: Event) -> tuple[tuple[str, Effect], ...]:
        """Answer as the plain lifecycle does, and note the fact.

        It is asked of facts that are counted, by folds and reports: questions about
        facts that might follow go to the plain lifecycle.
        """
        self.seen.kinds.add(self.name_of(type(event)))
        return self.plain.moves(event)

    def replay(
        self, records: Iterable[Recorded], *, as_of: date | None = None
    ) -> State:
        """Answer as the plain lifecycle does, and note the facts and what is met."""
        known = tuple(records)
        self.seen.kinds.update(self.name_of(type(record.event)) for record in known)
        state = self.plain.replay(known, as_of=as_of)
        self._note_met(state)
        return state

    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        """Answer as the plain lifecycle does, and note what is met and the refusal."""
        self._note_met(state)
        found = self.plain.refusal(state, event, stream)
        if found:
            self.seen.refusals.add(found.code)
        return found

    def admitted(self, state: State, stream: str = "") -> Iterator[str]:
        """Answer as the plain lifecycle does; what may follow has not come up."""
        return self.plain.admitted(state, stream)

    def deviations(self, records: Iterable[Recorded]) -> tuple[Deviation, ...]:
        """Answer as the plain lifecycle does, and note the deviations."""
        found = self.plain.deviations(records)
        self.seen.deviations.update(deviation.code for deviation in found)
        return found

    def _note_met(self, state: State) -> None:
        self.seen.milestones.update(
            name
            for name, milestone in state.milestones.items()
            if milestone.status is Status.MET
        )


def assert_covered(
    watched: Watched,
    laws: Iterable[str] = (),
    allow: Iterable[str] = (),
    *,
    deviations: Iterable[str] = (),
) -> None:
    """Raise if something of a lifecycle never came up.

    Asked for are each of its own kinds of facts, each milestone as met, each hard
    rule that it has as a refusal, and the laws. See :class:`Seen` for what counts.
    The rules are those of a ``Lifecycle`` value: codes by which a subclass refuses
    are not known here; look for them in ``watched.seen.refusals``.

    Args:
        watched: What the tests have used until now.
        laws: Names of the laws that should have been tried.
        allow: Names of kinds, milestones, refusals or laws that need not come up.
        deviations: Codes of the deviations that should have been reported, such as
            ``"skipped"``. None is asked for by itself: which are possible depends
            upon what is recorded.

    Raises:
        AssertionError: With everything that did not.
        UnknownName: If a name in ``allow`` is none of those asked for.
    """
    __tracebackhide__ = True
    wanted = {
        "facts recorded": (tuple(watched.events), watched.seen.kinds),
        "milestones met": (watched.milestone_names, watched.seen.milestones),
        "refusals": (tuple(_hard_rules(watched)), watched.seen.refusals),
        "deviations": (tuple(deviations), watched.seen.deviations),
        "laws tried": (tuple(laws), watched.seen.laws),
    }
    allowed = tuple(allow)
    known = tuple(name for names, _ in wanted.values() for name in names)
    for name in allowed:
        if name not in known:
            raise UnknownName("thing to cover", name, known)
    lines = list[str]()
    for what, (names, seen) in wanted.items():
        missing = [name for name in names if name not in seen and name not in allowed]
        if missing:
            lines.append(f"  {what}: {', '.join(missing)}")
    if lines:
        first = f"of the lifecycle {watched.name!r} these never came up:"
        raise AssertionError("\n".join([first, *lines, _ADVICE]))


_ADVICE = (
    "Draw more examples, or ones that reach further (histories, illegal_next); what"
    " cannot come up is named in allow"
)


def _hard_rules(lifecycle: Lifecycle) -> Iterator[str]:
    """Yield the codes of the refusals that a lifecycle can give its own facts."""
    if lifecycle.opened_by:
        yield "not-opened"
    yield "terminated"
    if any(milestone.requires for milestone in lifecycle.milestones):
        yield "requires"
    own = set(lifecycle.events.values())
    if any(own - set(taken) for taken in lifecycle.streams.values()):
        yield "misplaced"
