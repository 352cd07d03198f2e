"""What was exercised: what counts, what does not, and what is reported as missing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import frozen
from hypothesis import Phase, settings
from hypothesis import given as given_
from hypothesis import strategies as st

from azcn_events import (
    Event,
    Ledger,
    Lifecycle,
    Milestone,
    State,
    Terminated,
    TransitionRefused,
    UnknownName,
)
from azcn_events.core.codec import Codec
from azcn_events.core.events import Recorded
from azcn_events.core.state import Fold
from azcn_events.investment import INVESTMENT
from azcn_events.testing.covered import (
    Seen,
    Watched,
    assert_covered,
    unwatched,
    watch,
)
from azcn_events.testing.explorer import explore
from azcn_events.testing.scenario import fact, given
from azcn_events.testing.transcript import told
from azcn_events.testing.whole_logs import histories, illegal_next


@frozen
class Opened(Event):
    pass


@frozen
class Built(Event):
    pass


@frozen
class Sold(Event):
    pass


@frozen
class Noted(Event):
    """It moves no milestone, and belongs to another category."""


HOUSE = Lifecycle(
    name="house",
    events={"opened": Opened, "built": Built, "sold": Sold, "noted": Noted},
    milestones=(
        Milestone("standing", met_by=Built),
        Milestone("handed-over", met_by=Sold, requires=["standing"]),
    ),
    opened_by=Opened,
    category="house",
    streams={"house": (Opened, Built, Sold), "note": (Noted,)},
)
OPENED, BUILT, SOLD = fact(Opened), fact(Built), fact(Sold)


def use_all(watched: Watched) -> None:
    """Bring up everything that there is."""
    told(watched, ("house/a", OPENED), ("note/a", fact(Noted)))
    given(watched, OPENED, BUILT).when(SOLD).then_met("standing", "handed-over")
    given(watched).when(BUILT).then_refused("not-opened")
    given(watched, OPENED).when(SOLD).then_refused("requires")
    given(watched, OPENED).when(fact(Noted)).then_refused("misplaced")
    given(watched, OPENED, fact(Terminated)).when(BUILT).then_refused("terminated")
    watched.note_law("batch_split")


def test_all_that_came_up_is_covered() -> None:
    """Nothing is reported where everything was exercised."""
    watched = watch(HOUSE)
    use_all(watched)
    assert_covered(watched, laws=["batch_split"])


def test_nothing_came_up() -> None:
    """Of an unused lifecycle everything is reported, by category."""
    with pytest.raises(AssertionError) as failed:
        assert_covered(watch(HOUSE), laws=["total", "pure"])
    expected = """\
of the lifecycle 'house' these never came up:
  facts recorded: opened, built, sold, noted
  milestones met: standing, handed-over
  refusals: not-opened, terminated, requires, misplaced
  laws tried: total, pure
"""
    assert str(failed.value).startswith(expected)
    assert "Draw more examples" in str(failed.value)


@pytest.mark.parametrize(
    ("category", "name", "line"),
    [
        ("kinds", "noted", "facts recorded: noted"),
        ("milestones", "handed-over", "milestones met: handed-over"),
        ("refusals", "requires", "refusals: requires"),
        ("refusals", "terminated", "refusals: terminated"),
        ("refusals", "not-opened", "refusals: not-opened"),
        ("refusals", "misplaced", "refusals: misplaced"),
        ("laws", "batch_split", "laws tried: batch_split"),
    ],
)
def test_each_missing_thing_is_reported(category: str, name: str, line: str) -> None:
    """One thing that did not come up is named alone, and can be allowed."""
    watched = watch(HOUSE)
    use_all(watched)
    getattr(watched.seen, category).remove(name)
    with pytest.raises(AssertionError, match=f"came up:\n  {line}\nDraw more"):
        assert_covered(watched, laws=["batch_split"])
    assert_covered(watched, laws=["batch_split"], allow=[name])


def test_what_is_allowed_must_exist() -> None:
    """An exception for a name that is not there is a mistake, and is named."""
    with pytest.raises(UnknownName, match="'sould'; did you mean 'sold'"):
        assert_covered(watch(HOUSE), allow=["sould"])


def test_only_rules_that_it_has_are_asked_for() -> None:
    """A lifecycle that refuses nothing but what follows its end need show no more."""
    plain = watch(Lifecycle("plain", {"built": Built}))
    given(plain, BUILT, fact(Terminated)).when(BUILT).then_refused("terminated")
    assert_covered(plain)


def test_what_no_stream_can_misplace_is_not_asked_for() -> None:
    """Where every category takes every fact, none of its facts is refused so."""
    events = {"built": Built}
    one = Lifecycle("one", events, category="house", streams={"house": (Built,)})
    watched = watch(one)
    with pytest.raises(AssertionError, match="refusals: terminated\nDraw"):
        assert_covered(watched)


def test_deviations_can_be_asked_for() -> None:
    """Those that are named must have been reported; none is asked for otherwise."""
    watched = watch(HOUSE)
    use_all(watched)
    assert_covered(watched)
    with pytest.raises(
        AssertionError, match="up:\n  deviations: impossible-date\nDraw"
    ):
        assert_covered(watched, deviations=["impossible-date"])
    watched.deviations(
        told(HOUSE, ("house/a", OPENED), ("house/a", fact(Built, "9999")))
    )
    assert_covered(watched, deviations=["impossible-date"])


def test_a_refused_fact_was_not_recorded() -> None:
    """A fact that is only refused does not count as its kind, nor does it meet."""
    watched = watch(HOUSE)
    given(watched, OPENED).when(SOLD).then_refused("requires")
    assert {"opened"} == watched.seen.kinds
    assert set() == watched.seen.milestones
    assert {"requires"} == watched.seen.refusals


def test_what_would_be_admitted_was_not_recorded() -> None:
    """To ask whether a fact may follow is not to record it."""
    watched = watch(HOUSE)
    state = unwatched(watched).replay(told(HOUSE, ("house/a", OPENED)))
    assert watched.refusal(state, BUILT, "house/a") is None
    assert "built" in watched.admitted(state, "house/a")
    assert Seen() == watched.seen


def test_recording_counts() -> None:
    """What a ledger records comes up, with what it refuses and finds unexpected."""
    watched = watch(HOUSE)
    with Ledger.open("memory:", lifecycle=watched) as ledger:
        ledger.record("house/a", OPENED, fact(Built, "9999"))
        with pytest.raises(TransitionRefused):
            ledger.record("house/a", SOLD)
        ledger.record("house/a", BUILT)
        ledger.record("note/a", fact(Noted))
        ledger.state("house/a")
    expected = Seen(
        kinds={"opened", "built", "noted"},
        milestones={"standing"},
        refusals={"requires"},
        deviations={"impossible-date"},
    )
    assert expected == watched.seen


def test_replaying_counts() -> None:
    """What is replayed from a log comes up, whoever recorded it."""
    watched = watch(HOUSE)
    watched.replay(told(HOUSE, ("house/a", OPENED), ("house/a", BUILT)))
    assert Seen(kinds={"opened", "built"}, milestones={"standing"}) == watched.seen


def test_a_promise_of_the_future_meets_nothing() -> None:
    """A milestone counts when its status is met, not when a fact could meet it."""
    watched = watch(HOUSE)
    given(watched, OPENED).when(fact(Built, "2026"), on="2025-01-01").then_promised(
        "standing"
    )
    assert set() == watched.seen.milestones


def test_exploring_does_not_count() -> None:
    """The kit looks around to find out what to draw; that exercises nothing."""
    watched = watch(HOUSE)
    assert len(explore(HOUSE).nodes) == len(explore(watched).nodes)
    assert Seen() == watched.seen


@settings(phases=[Phase.generate])
@given_(st.data())
def test_drawing_counts_only_what_is_drawn(data: st.DataObject) -> None:
    """What the kit finds out before it draws is not taken for what it drew."""
    watched = watch(HOUSE)
    log = data.draw(histories(watched))
    assert {record.kind.partition("/")[0] for record in log} == watched.seen.kinds
    watched = watch(HOUSE)
    illegal = data.draw(illegal_next(watched))
    drawn = {record.kind.partition("/")[0] for record in illegal.log}
    assert drawn - {"retracted"} == watched.seen.kinds
    assert set() == watched.seen.refusals


def test_it_answers_as_the_plain_one() -> None:
    """Every reachable state takes and refuses the same, for the same reasons."""
    watched = watch(INVESTMENT)
    for node in explore(INVESTMENT, states_max=40).nodes:
        stream = "agreement/a"
        assert list(INVESTMENT.admitted(node.state, stream)) == list(
            watched.admitted(node.state, stream)
        )
        for kind in INVESTMENT.events.values():
            one = INVESTMENT.refusal(node.state, fact_of(kind), stream)
            other = watched.refusal(node.state, fact_of(kind), stream)
            assert (one and str(one)) == (other and str(other))
    for name in INVESTMENT.kinds:
        assert INVESTMENT.version_of(name) == watched.version_of(name)
    for stream in ("agreement/a", "source/s"):
        assert INVESTMENT.has_milestones(stream) == watched.has_milestones(stream)


def fact_of(kind: type[Event]) -> Event:
    """Give the plainest fact of any class."""
    return fact(kind)


def test_it_is_stored_as_the_plain_one() -> None:
    """A codec of the watched lifecycle writes and reads the same bytes."""
    for kind in HOUSE.events.values():
        written = Codec(HOUSE).encode(fact_of(kind))
        assert written == Codec(watch(HOUSE)).encode(fact_of(kind))
        assert fact_of(kind) == Codec(watch(HOUSE)).decode(*written)


class Stricter(Lifecycle):
    """It has a rule of its own."""

    def refusal(
        self, state: State, event: Event, stream: str = ""
    ) -> TransitionRefused | None:
        """Refuse every sale."""
        if isinstance(event, Sold):
            return TransitionRefused(stream, "sold", "not-for-sale", "never", ())
        return super().refusal(state, event, stream)


def test_rules_of_ones_own_are_asked() -> None:
    """A lifecycle with rules in code refuses as before, and that is noted."""
    watched = watch(Stricter("house", HOUSE.events, HOUSE.milestones))
    given(watched, BUILT).when(SOLD).then_refused("not-for-sale")
    assert {"not-for-sale"} == watched.seen.refusals


class Renaming(Lifecycle):
    """It names its kinds, their versions and its milestones otherwise."""

    @property
    def kinds(self) -> Mapping[str, type[Event]]:
        """Leave out the common facts."""
        return self.events

    @property
    def milestone_names(self) -> tuple[str, ...]:
        """Leave out the milestones."""
        return ()

    def name_of(self, kind: type[Event]) -> str:
        """Give the name in capitals."""
        return super().name_of(kind).upper()

    def version_of(self, name: str) -> int:
        """Count from seven."""
        return super().version_of(name) + 6

    def floors(self) -> int:
        """Say something that a lifecycle does not."""
        return 3


def test_methods_of_ones_own_are_asked() -> None:
    """Whatever a lifecycle's own class has or says otherwise, the watched one has."""
    plain = Renaming("house", HOUSE.events, HOUSE.milestones)
    watched = watch(plain)
    assert 3 == watched.floors()
    assert plain.kinds == watched.kinds
    assert () == watched.milestone_names
    assert "BUILT" == watched.name_of(Built)
    assert 7 == watched.version_of("built")
    with pytest.raises(AttributeError, match="cellars"):
        watched.cellars()
    assert 3 == copy.copy(watched).floors()


def test_watching_the_watched_starts_anew() -> None:
    """It is watched once, and what came up before is not carried over."""
    first = watch(HOUSE)
    use_all(first)
    second = watch(first)
    assert HOUSE is unwatched(second)
    assert Seen() == second.seen


def test_it_folds() -> None:
    """A fold by the watched lifecycle leaves the plain one's state."""
    log: tuple[Recorded, ...] = told(HOUSE, ("house/a", OPENED), ("house/a", BUILT))
    fold = Fold(watch(HOUSE))
    for record in log:
        fold.step(record)
    assert HOUSE.replay(log) == fold.state()


def test_threads_may_share_it() -> None:
    """Nothing is lost that many threads note at once."""
    watched = watch(HOUSE)
    names = [f"law-{number}" for number in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(watched.note_law, names))
    assert set(names) == watched.seen.laws
