"""Bugs in lifecycles: wrong declarations, and rules written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import attrs
from attrs import evolve, field, frozen
from tests.zoo.bug import Bug, Check
from tests.zoo.worlds import (
    SHIPS,
    TRIAL,
    CrewMustered,
    KeelLaid,
    LastPatientOut,
    Launched,
    PatientsEnrolled,
    ProtocolWritten,
    Registered,
    ResultsPublished,
    SiteOpened,
    YardOpened,
)

from azcn_events import Event, Lifecycle, Milestone, Terminated
from azcn_events.core.events import Recorded
from azcn_events.core.lifecycle import Activity, State, Status
from azcn_events.errors import TransitionRefused
from azcn_events.testing.explorer import transition_table
from azcn_events.testing.laws import LIFECYCLE_LAWS, conforms_to, pinned_by

__all__ = ["BUGS"]

_BY_LAWS: Final = Check(examples=25)
_AS_OF: Final = Check(LIFECYCLE_LAWS, TRIAL, 25)
_ASKED: Final = Check(LIFECYCLE_LAWS, SHIPS)
_TRIAL_PINNED: Final = Check(
    (*LIFECYCLE_LAWS, pinned_by(transition_table(TRIAL))), examples=25
)
_SHIPS_PINNED: Final = Check(
    (*LIFECYCLE_LAWS, pinned_by(transition_table(SHIPS))), examples=25
)


def _with(lifecycle: Lifecycle, name: str, changed: Milestone) -> Lifecycle:
    """Change one milestone."""
    return evolve(
        lifecycle,
        milestones=tuple(
            changed if one.name == name else one for one in lifecycle.milestones
        ),
    )


# Declarations

_EXPECTS_FOR_REQUIRES: Final = _with(
    TRIAL,
    "recruiting",
    Milestone(
        "recruiting", PatientsEnrolled, begun_by=SiteOpened, expects=["approved"]
    ),
)
_REQUIRES_FORGOTTEN: Final = _with(
    TRIAL, "completed", Milestone("completed", met_by=LastPatientOut)
)
_MET_BY_ANOTHER: Final = _with(
    TRIAL,
    "published",
    Milestone("published", met_by=LastPatientOut, expects=["completed"]),
)
_SWAPPED: Final = _with(
    TRIAL,
    "recruiting",
    Milestone(
        "recruiting", SiteOpened, begun_by=PatientsEnrolled, requires=["approved"]
    ),
)
_ONE_FACT_TWO_MILESTONES: Final = _with(
    TRIAL,
    "completed",
    Milestone("completed", met_by=PatientsEnrolled, requires=["recruiting"]),
)
_OPENING_NEEDS_ANOTHER: Final = evolve(TRIAL, opened_by=LastPatientOut)
_UNOPENED: Final = evolve(TRIAL, opened_by=None)
_TAKEN_BY_NOBODY: Final = evolve(
    SHIPS,
    streams={"ship": (KeelLaid, Launched, Registered), "yard": (YardOpened,)},
)
_CATEGORY_FORGOTTEN: Final = evolve(
    SHIPS, streams={"ship": (KeelLaid, Launched, CrewMustered, Registered)}
)
_IN_ANOTHER_CATEGORY: Final = evolve(
    SHIPS,
    streams={
        "ship": (KeelLaid, CrewMustered, Registered),
        "yard": (YardOpened, Launched),
    },
)
_OPENING_ELSEWHERE: Final = evolve(SHIPS, opened_by=YardOpened)

# Rules by hand: for each, what its author would have liked to say.


class _ByHand(Lifecycle):
    """Refuses as the declaration does; overridden by those below."""

    def _refused(self, state: State, event: Event, why: str) -> TransitionRefused:
        allowed = tuple(self.admitted(state))
        return TransitionRefused("", self.name_of(type(event)), "own", why, allowed)


def _own(kind: type[Lifecycle], like: Lifecycle) -> Lifecycle:
    """Make a lifecycle of an own class with the declarations of another."""
    given = {
        one.name: getattr(like, one.name) for one in attrs.fields(Lifecycle) if one.init
    }
    return kind(**given)


@frozen(eq=False)
class _LooksAtTheData(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if isinstance(event, PatientsEnrolled) and event.number == 0:
            return self._refused(state, event, "nobody was enrolled")
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _ForgetsLateNews(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if state.activity is Activity.TERMINATED and type(event) not in {
            Terminated,
            *(self.kinds[name] for name in ("resumed", "retracted")),
        }:
            return self._refused(state, event, "it is terminated")
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _ForgetsTheEnd(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        found = super().refusal(state, event, stream)
        return None if found and found.code == "terminated" else found


@frozen(eq=False)
class _Remembers(_ByHand):
    _seen: set[str] = field(factory=set[str], init=False)

    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if isinstance(event, ResultsPublished):
            if event.journal in self._seen:
                return self._refused(state, event, "this was published already")
            self._seen.add(event.journal)
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _Sorts(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if isinstance(event, CrewMustered):
            event.names.sort()
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _ListsTheImpossible(_ByHand):
    def admitted(self, state: State, stream: str = "") -> Iterator[str]:
        del state, stream
        return iter(self.kinds)


@frozen(eq=False)
class _HidesTheEnd(_ByHand):
    def admitted(self, state: State, stream: str = "") -> Iterator[str]:
        return (
            name for name in super().admitted(state, stream) if name != "terminated"
        )


@frozen(eq=False)
class _Closes(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if state.milestones["published"].status is Status.MET:
            return self._refused(state, event, "the trial is closed")
        return super().refusal(state, event, stream)

    def admitted(self, state: State, stream: str = "") -> Iterator[str]:
        if state.milestones["published"].status is Status.MET:
            return iter(())
        return super().admitted(state, stream)


@frozen(eq=False)
class _Misspells(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        if (
            isinstance(event, LastPatientOut)
            and state.milestones["publised"].status is Status.MET
        ):
            return self._refused(state, event, "the results are out")
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _TakesNothingBack(_ByHand):
    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        moved = [name for name, _ in self.moves(event) if name in state.milestones]
        if any(state.milestones[name].status is Status.MET for name in moved):
            return self._refused(state, event, "that milestone is met already")
        return super().refusal(state, event, stream)


@frozen(eq=False)
class _ReplaysStrictly(_ByHand):
    def replay(
        self, records: Iterable[Recorded], *, as_of: date | None = None
    ) -> State:
        known = tuple(records)
        if self.deviations(known):
            msg = "this history is out of order"
            raise ValueError(msg)
        return super().replay(known, as_of=as_of)


@frozen(eq=False)
class _ReplaysEverything(_ByHand):
    def replay(
        self, records: Iterable[Recorded], *, as_of: date | None = None
    ) -> State:
        del as_of
        return super().replay(records)


_SETTLED: Final = (Status.MET, Status.WAIVED)


def _protocol_rules(state: State, event: Event) -> str:
    """Decide as the trial's handbook says, page by page."""
    kind = type(event)
    approved = state.milestones["approved"].status in _SETTLED
    recruited = state.milestones["recruiting"].status in _SETTLED
    if state.opening is None and kind is not ProtocolWritten:
        return "not-opened"
    if state.ending and kind not in {TRIAL.kinds["resumed"], Terminated}:
        before = event.when.before(state.ending.event.when)
        if before.value != "yes":
            return "terminated"
    if kind is PatientsEnrolled and not approved:
        return "requires"
    if kind is LastPatientOut and not recruited:
        return "requires"
    return ""


_BY_HANDBOOK: Final = Check(
    (*LIFECYCLE_LAWS, conforms_to(_protocol_rules)), examples=25
)

BUGS: Final = (
    Bug(
        "expects-for-requires",
        "Patients before the approval are reported and not refused: `expects` and"
        " `requires` were taken for synonyms.",
        _EXPECTS_FOR_REQUIRES,
        TRIAL,
        _BY_HANDBOOK,
    ),
    Bug(
        "requires-forgotten",
        "A trial completes without a patient: the milestone was written before the"
        " rule was known.",
        _REQUIRES_FORGOTTEN,
        TRIAL,
        _BY_HANDBOOK,
    ),
    Bug(
        "met-by-another-fact",
        "The last visit counts as the publication: a line was copied, and one class"
        " name stayed.",
        _MET_BY_ANOTHER,
        TRIAL,
        _TRIAL_PINNED,
    ),
    Bug(
        "begun-and-met-swapped",
        "An open site counts as recruiting, and a patient as a beginning: two"
        " arguments changed places.",
        _SWAPPED,
        TRIAL,
        _TRIAL_PINNED,
    ),
    Bug(
        "one-fact-for-two-milestones",
        "One class meets a milestone and the one that this requires: neither can be"
        " met, since the second is asked for before the first.",
        _ONE_FACT_TWO_MILESTONES,
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "opening-needs-another",
        "The stream opens with a fact that requires an earlier one: nothing can be"
        " recorded at all.",
        _OPENING_NEEDS_ANOTHER,
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "opening-forgotten",
        "Any fact may come first: `opened_by` was left out.",
        _UNOPENED,
        TRIAL,
        _TRIAL_PINNED,
    ),
    Bug(
        "fact-without-a-stream",
        "A class has a name, but no category of streams takes it: it was added to"
        " one of two lists.",
        _TAKEN_BY_NOBODY,
        SHIPS,
        _BY_LAWS,
    ),
    Bug(
        "category-forgotten",
        "The yards' streams are refused: the new category was not listed.",
        _CATEGORY_FORGOTTEN,
        SHIPS,
        _BY_LAWS,
    ),
    Bug(
        "fact-in-another-category",
        "The launch belongs to the yard's stream, so no ship is ever built.",
        _IN_ANOTHER_CATEGORY,
        SHIPS,
        _BY_LAWS,
    ),
    Bug(
        "opening-in-another-category",
        "A ship's stream must begin with the yard's opening, which it does not take.",
        _OPENING_ELSEWHERE,
        SHIPS,
        _BY_LAWS,
    ),
    Bug(
        "refusal-looks-at-the-data",
        "A fact is listed as admitted, but refused for one of its figures.",
        _own(_LooksAtTheData, TRIAL),
        TRIAL,
        Check(examples=60),
    ),
    Bug(
        "late-news-refused",
        "After the end all is refused, what happened before it too.",
        _own(_ForgetsLateNews, TRIAL),
        TRIAL,
        _BY_HANDBOOK,
    ),
    Bug(
        "end-forgotten",
        "Facts pass after the termination: an own rule ends with `return None`.",
        _own(_ForgetsTheEnd, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "rule-with-a-memory",
        "The rule keeps a set of what it saw: asked twice, it answers differently.",
        _own(_Remembers, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "rule-that-sorts",
        "The rule sorts a list of the event it is asked about, to compare it.",
        _own(_Sorts, SHIPS),
        SHIPS,
        _ASKED,
    ),
    Bug(
        "admitted-lists-all",
        "The list of what may follow holds what is refused: only one of two methods"
        " was overridden.",
        _own(_ListsTheImpossible, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "admitted-hides-the-end",
        "The list leaves out what is admitted: a menu was to be shorter.",
        _own(_HidesTheEnd, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "closed-for-ever",
        "After the publication everything is refused: a mistake there can never be"
        " put right.",
        _own(_Closes, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "milestone-misspelt",
        "A rule looks up a milestone by a name that does not exist.",
        _own(_Misspells, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "met-only-once",
        "What is met can be neither met again nor reverted: life was taken for a line.",
        _own(_TakesNothingBack, TRIAL),
        TRIAL,
        _BY_HANDBOOK,
    ),
    Bug(
        "replay-that-refuses",
        "Replaying raises on a deviation, so a log that was accepted cannot be read.",
        _own(_ReplaysStrictly, TRIAL),
        TRIAL,
        _BY_LAWS,
    ),
    Bug(
        "replay-without-a-day",
        "An own `replay` forgets to hand on `as_of`.",
        _own(_ReplaysEverything, TRIAL),
        TRIAL,
        _AS_OF,
    ),
)
