"""The rules: what is refused, what is noted, and how milestones move."""

from __future__ import annotations

import copy
import itertools
import pickle
from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import us_of

from azcn_events import Citation, Event, Lifecycle, Milestone, Recorded, When
from azcn_events.core.events import (
    COMMON,
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Resumed,
    Retracted,
    Suspended,
    Terminated,
)
from azcn_events.core.history import Admission
from azcn_events.core.lifecycle import (
    ADVANCE,
    UNEXPECTED,
    Activity,
    Deviation,
    Effect,
    MilestoneState,
    State,
    Status,
)
from azcn_events.core.values import Answer, Range
from azcn_events.errors import InvalidLifecycle, TransitionRefused, UnknownName
from azcn_events.investment import INVESTMENT, AgreementIdentified, CompanyCreated
from azcn_events.investment.events import (
    AgreementSigned,
    FinancialModelAgreed,
    InvestmentCompleted,
    LandAllocated,
    WorkStarted,
)

CITES = Citation("source/s")
LATER = date(2025, 6, 1)


@attrs.frozen
class Granted(Event):
    """The licence was granted. It opens the stream."""


@attrs.frozen
class FirstOre(Event):
    """The first ore was brought up."""


@attrs.frozen
class Surveyed(Event):
    """Surveyors were seen."""


@attrs.frozen
class FirstExport(Event):
    """The first shipload left."""


MINE = Lifecycle(
    name="mine",
    events={
        "granted": Granted,
        "surveyed": Surveyed,
        "first-ore": FirstOre,
        "first-export": FirstExport,
    },
    milestones=(
        Milestone("licensed", met_by=Granted),
        Milestone(
            "producing", met_by=FirstOre, begun_by=Surveyed, expects=["licensed"]
        ),
        Milestone("exporting", met_by=FirstExport, requires=["producing"]),
    ),
    opened_by=Granted,
)


def fact(kind: type[Event], when: str = "2025-01-10", **fields: Any) -> Event:
    """Make a fact of a day."""
    return kind(when=When(when), cites=CITES, **fields)


def recorded(
    *events: Event, on: date = date(2025, 6, 1), stream: str = "agreement/a"
) -> list[Recorded]:
    """Wrap facts as if they had been recorded one after another on one day."""
    return [
        Recorded(n, stream, n, f"r{n}", "k/1", us_of(on), event)
        for n, event in enumerate(events, 1)
    ]


def replayed(*events: Event, lifecycle: Lifecycle = INVESTMENT) -> State:
    """Fold facts into a state."""
    return lifecycle.replay(recorded(*events))


def refusal(lifecycle: Lifecycle, *events: Event) -> TransitionRefused | None:
    """Say why the last of these facts cannot follow the others."""
    *before, last = events
    return lifecycle.refusal(lifecycle.replay(recorded(*before)), last)


def codes(*events: Event, lifecycle: Lifecycle = INVESTMENT) -> list[str]:
    """Give the codes of what is unexpected."""
    return [found.code for found in lifecycle.deviations(recorded(*events))]


IDENTIFIED = fact(AgreementIdentified, field="cardboard")
SIGNED = fact(AgreementSigned)


# --- The table ----------------------------------------------------------------


def test_how_a_status_advances() -> None:
    """The whole table, as a picture of it: a change of one cell is seen here."""
    rows = [
        f"{effect.value:7}" + "".join(f" {after.value:11}" for after in row.values())
        for effect, row in ADVANCE.items()
    ]
    assert [
        "promise promised    promised    in progress met         promised    promised",
        "begin   in progress in progress in progress met         in progress in progress",  # noqa: E501 - a table
        "meet    met         met         met         met         met         met",
        "revert  reverted    reverted    reverted    reverted    reverted    reverted",
        "waive   waived      waived      waived      met         waived      waived",
    ] == [row.rstrip() for row in rows]
    assert [list(Status)] * len(Effect) == [list(row) for row in ADVANCE.values()]


def test_what_is_unexpected_is_a_part_of_the_table() -> None:
    """Every effect that goes back, or repeats what is over, is noted."""
    assert {
        (Effect.PROMISE, Status.MET),
        (Effect.PROMISE, Status.WAIVED),
        (Effect.BEGIN, Status.MET),
        (Effect.BEGIN, Status.WAIVED),
        (Effect.MEET, Status.WAIVED),
        (Effect.WAIVE, Status.MET),
    } | {
        (Effect.REVERT, before) for before in Status if before is not Status.REVERTED
    } == set(UNEXPECTED)


def test_met_comes_from_meeting_alone() -> None:
    """No other effect makes met of what was not."""
    made = {
        effect
        for effect, row in ADVANCE.items()
        for before, after in row.items()
        if after is Status.MET and before is not Status.MET
    }
    assert {Effect.MEET} == made


_SINGLE = st.sampled_from(
    [
        fact(MilestonePromised, milestone="producing", target=When("2025")),
        fact(MilestoneProgressed, milestone="producing"),
        fact(MilestoneReverted, milestone="producing"),
        fact(MilestoneWaived, milestone="producing"),
        fact(Surveyed),
        fact(FirstOre),
        fact(Suspended),
        fact(Resumed),
    ]
)


@given(st.lists(_SINGLE, max_size=12))
def test_promised_never_becomes_met_by_itself(told: list[Event]) -> None:
    """A milestone is met only from a fact that meets it on."""
    for cut in range(len(told) + 1):
        status = replayed(*told[:cut], lifecycle=MINE).milestones["producing"].status
        if status is Status.MET:
            assert any(isinstance(event, FirstOre) for event in told[:cut])


@given(
    st.permutations([LandAllocated, FinancialModelAgreed, WorkStarted, CompanyCreated])
)
def test_independent_milestones_commute(order: list[type[Event]]) -> None:
    """Facts about different milestones give the same statuses in any order."""
    state = replayed(IDENTIFIED, SIGNED, *(fact(kind) for kind in order))
    assert {
        "signed": Status.MET,
        "land-allocated": Status.MET,
        "financial-model-agreed": Status.MET,
        "company-created": Status.MET,
        "work-started": Status.MET,
        "investment-completed": Status.UNMENTIONED,
        "producing": Status.UNMENTIONED,
    } == {name: milestone.status for name, milestone in state.milestones.items()}


def test_a_later_milestone_does_not_prove_an_earlier_one() -> None:
    """A plant that produces may still have no land on record."""
    state = replayed(IDENTIFIED, fact(InvestmentCompleted))
    assert Status.UNMENTIONED is state.milestones["financial-model-agreed"].status
    assert "investment-completed" == state.furthest()


# --- What is refused ----------------------------------------------------------


def test_of_nothing_nothing_is_known() -> None:
    """No stream, no version, no opening; alive, and every milestone unmentioned."""
    state = INVESTMENT.replay([])
    assert ("", 0, None, None) == (
        state.stream,
        state.version,
        state.opening,
        state.ending,
    )
    assert (Activity.ACTIVE, frozenset()) == (state.activity, state.activity_maybe)
    assert list(INVESTMENT.milestone_names) == list(state.milestones)
    assert {MilestoneState()} == set(state.milestones.values())


def test_a_state_names_its_stream_its_version_and_its_turning_points() -> None:
    """The newest version that counts, in whichever order the records count."""
    told = recorded(IDENTIFIED, SIGNED, fact(Terminated))
    state = INVESTMENT.replay([told[0], told[2], told[1]])
    assert ("agreement/a", 3) == (state.stream, state.version)
    assert (told[0], told[2]) == (state.opening, state.ending)


def test_the_opening_fact_comes_first() -> None:
    """Nothing else opens a stream, and the refusal says what does."""
    found = refusal(MINE, fact(FirstOre))
    assert found is not None
    assert ("not-opened", ("granted",)) == (found.code, found.allowed)
    assert "'granted' must come first" in str(found)


def test_what_is_required_must_be_met_or_waived() -> None:
    """A hard rule refuses, and neither a promise nor a beginning satisfies it."""
    for lacking in (
        [],
        [fact(MilestonePromised, milestone="producing")],
        [fact(Surveyed)],
        [fact(FirstOre), fact(MilestoneReverted, milestone="producing")],
    ):
        found = refusal(MINE, fact(Granted), *lacking, fact(FirstExport))
        assert found is not None
        assert "requires" == found.code
    for settled in (fact(FirstOre), fact(MilestoneWaived, milestone="producing")):
        assert refusal(MINE, fact(Granted), settled, fact(FirstExport)) is None


def test_a_required_milestone_dated_in_the_future_is_not_met() -> None:
    """What is dated after its recording is a promise: nothing rests on it."""
    found = refusal(MINE, fact(Granted), fact(FirstOre, "2026"), fact(FirstExport))
    assert found is not None
    assert "requires" == found.code


def test_a_terminated_agreement_takes_only_its_resumption() -> None:
    """The refusal lists what may follow."""
    found = refusal(INVESTMENT, IDENTIFIED, fact(Terminated, "2025-03-01"), SIGNED)
    late = refusal(
        INVESTMENT, IDENTIFIED, fact(Terminated, "2025-01-09"), fact(LandAllocated)
    )
    assert found is None  # it is late news: 10 January lies before 1 March
    assert late is not None
    assert "terminated" == late.code
    assert {"resumed", "terminated"} <= set(late.allowed)
    assert "land-allocated" not in late.allowed


@pytest.mark.parametrize(
    ("when", "admitted"),
    [
        ("2025-02-28", True),
        ("[..2025-02-28]", True),
        ("2025-02", True),
        ("2025-03-01", False),
        ("2025-03-02", False),
        ("2025", False),
        ("2025-02-01~", False),
        ("", False),
    ],
)
def test_late_news_is_admitted_if_surely_from_before_the_end(
    when: str, *, admitted: bool
) -> None:
    """The day of the end itself, or a blurred day, is not surely before it."""
    ended = fact(Terminated, "2025-03-01")
    found = refusal(INVESTMENT, IDENTIFIED, ended, fact(LandAllocated, when))
    assert admitted == (found is None)


def test_late_news_keeps_the_hard_rules() -> None:
    """Coming late does not make the impossible possible."""
    ended = fact(Terminated, "2025-03-01")
    found = refusal(MINE, fact(Granted), ended, fact(FirstExport, "2025-02-01"))
    assert found is not None
    assert "requires" == found.code


def test_late_news_does_not_open_a_stream() -> None:
    """Nor does an end that stands where nothing was opened."""
    state = MINE.replay(recorded(fact(Terminated, "2025-03-01")))
    found = MINE.refusal(state, fact(FirstOre, "2025-02-01"))
    assert found is not None
    assert "not-opened" == found.code


def test_what_begins_one_milestone_may_still_lack_what_another_requires() -> None:
    """Every milestone that a fact meets is asked about."""
    mine = attrs.evolve(
        MINE,
        milestones=(
            Milestone("prepared", met_by=Surveyed, begun_by=FirstOre),
            Milestone("producing", met_by=FirstOre, requires=["prepared"]),
        ),
    )
    found = refusal(mine, fact(Granted), fact(FirstOre))
    assert found is not None
    assert "'producing' requires 'prepared' first" == found.reason


@pytest.mark.parametrize("kind", [Suspended, Resumed])
def test_late_news_does_not_undo_the_end(kind: type[Event]) -> None:
    """A hold, or its lifting, from before the termination leaves it terminated."""
    told = [IDENTIFIED, fact(Terminated, "2025-03-01"), fact(kind, "2025-02-01")]
    state = replayed(*told)
    assert Activity.TERMINATED is state.activity
    assert state.ending is not None
    assert [] == codes(*told)
    assert refusal(INVESTMENT, *told, fact(LandAllocated, "2025-04-01")) is not None


def test_the_facts_of_one_category_stay_in_it() -> None:
    """A package has no milestones, and an unknown category is answered."""
    empty = INVESTMENT.replay([])
    found = INVESTMENT.refusal(empty, fact(LandAllocated), "package/p")
    assert found is not None
    assert "misplaced" == found.code
    assert "streams of category 'package' do not take it" == found.reason
    assert ("package/p", "land-allocated") == (found.stream, found.kind)
    assert tuple(INVESTMENT.admitted(empty, "package/p")) == found.allowed
    with pytest.raises(UnknownName, match="did you mean 'agreement'") as caught:
        INVESTMENT.refusal(empty, IDENTIFIED, "agrement/a")
    assert "category of streams" == caught.value.what


@pytest.mark.parametrize("category", INVESTMENT.streams)
def test_a_category_takes_what_is_listed_for_it(category: str) -> None:
    """The common facts where there are milestones, a retraction everywhere."""
    listed = {*INVESTMENT.streams[category], Retracted}
    if category == INVESTMENT.category:
        listed |= set(COMMON.values())
    opened = replayed(IDENTIFIED)
    admitted = INVESTMENT.admitted(opened, f"{category}/a/b")
    assert {INVESTMENT.name_of(kind) for kind in listed} == set(admitted)


@pytest.mark.parametrize(
    ("stream", "has_them"),
    [
        ("agreement/a", True),
        ("agreement/a/b", True),
        ("agreement", True),
        ("package/p", False),
        ("package/agreement/a", False),
        ("agreements/a", False),
    ],
)
def test_milestones_are_about_one_category(stream: str, *, has_them: bool) -> None:
    """Its name is what stands before the first slash; without one, they are of all."""
    assert has_them is INVESTMENT.has_milestones(stream)
    assert MINE.has_milestones(stream)


def test_an_unknown_milestone_is_answered_with_the_nearest() -> None:
    """A promise of a milestone that the lifecycle does not have is a mistake."""
    promise = fact(MilestonePromised, milestone="company-crated")
    with pytest.raises(UnknownName, match="did you mean 'company-created'") as caught:
        refusal(INVESTMENT, IDENTIFIED, promise)
    assert "milestone" == caught.value.what


def test_a_class_that_the_lifecycle_does_not_list_is_unknown() -> None:
    """It has no stored name, so it cannot be recorded."""
    with pytest.raises(UnknownName, match="FirstOre") as caught:
        refusal(INVESTMENT, IDENTIFIED, fact(FirstOre))
    assert "event class" == caught.value.what


_MINED = st.sampled_from(
    [Granted, Surveyed, FirstOre, FirstExport, Terminated, Resumed]
)


@given(
    st.lists(
        st.tuples(_MINED, st.sampled_from(["2025-01-05", "2025-01-10", "2025-01"]))
    )
)
def test_admitted_lists_what_is_not_refused(
    told: list[tuple[type[Event], str]],
) -> None:
    """A fact whose kind is not listed is refused, whatever it says but late news."""
    desk = Admission(MINE, "s")
    for number, (kind, when) in enumerate(told, 1):
        state = MINE.replay(desk.records)
        event = fact(kind, when)
        found = MINE.refusal(state, event, "s")
        if found is None:
            desk.admit(
                Recorded(number, "s", number, str(number), "k/1", us_of(LATER), event)
            )
        else:
            assert found.kind not in found.allowed
            assert tuple(MINE.admitted(state)) == found.allowed


# --- Every small history, one by one ------------------------------------------

_ALPHABET = (Granted, Surveyed, FirstOre, FirstExport, Suspended, Terminated, Resumed)


def test_every_short_history_keeps_the_rules() -> None:
    """All 7^4 histories of four facts: written out again, the rules agree."""
    for kinds in itertools.product(_ALPHABET, repeat=4):
        desk = Admission(MINE, "s")
        opened = ended = produced = False
        for number, kind in enumerate(kinds, 1):
            may = opened or kind is Granted
            may &= not ended or kind in (Resumed, Terminated)
            may &= kind is not FirstExport or produced
            new = Recorded(
                number, "s", number, str(number), "k/1", us_of(LATER), fact(kind)
            )
            try:
                desk.admit(new)
            except TransitionRefused:
                assert not may, kinds
                continue
            assert may, kinds
            opened |= kind is Granted
            produced |= kind is FirstOre
            ended = kind is Terminated or (ended and kind is not Resumed)
        state = MINE.replay(desk.records)
        assert produced == (state.milestones["producing"].status is Status.MET)
        assert ended == (state.activity is Activity.TERMINATED)


# --- On hold, ended, taken up again -------------------------------------------


def test_a_hold_and_its_end() -> None:
    """A suspension refuses nothing, and is over when work resumes."""
    held = [IDENTIFIED, fact(Suspended, what="by the ministry")]
    assert Activity.SUSPENDED is replayed(*held).activity
    assert refusal(INVESTMENT, *held, fact(LandAllocated)) is None
    assert Activity.ACTIVE is replayed(*held, fact(Resumed)).activity


def test_an_ended_agreement_can_be_taken_up_again() -> None:
    """Milestones stand where they stood, and everything may follow again."""
    told = [
        IDENTIFIED,
        SIGNED,
        fact(Terminated, "2025-03-01"),
        fact(Resumed, "2025-04-01"),
    ]
    state = replayed(*told)
    assert (Activity.ACTIVE, None) == (state.activity, state.ending)
    assert Status.MET is state.milestones["signed"].status
    assert refusal(INVESTMENT, *told, fact(LandAllocated, "2025-05-01")) is None
    assert ["re-activated"] == codes(*told)


# --- Deviations ---------------------------------------------------------------


def _only(*events: Event) -> Deviation:
    (found,) = INVESTMENT.deviations(recorded(*events))
    return found


def test_deviation_skipped() -> None:
    """Land without a signature on record."""
    found = _only(IDENTIFIED, fact(LandAllocated))
    assert ("skipped", "land-allocated", 2) == (
        found.code,
        found.milestone,
        found.record.version,
    )
    assert (
        "agreement/a version 2: land-allocated is met, but signed is expected"
        in str(found)
    )


def test_deviation_out_of_order() -> None:
    """Land first, and the signature after it."""
    assert "out-of-order" == _only(IDENTIFIED, fact(LandAllocated), SIGNED).code


def test_deviation_regressed() -> None:
    """Land was taken back; also what was only begun or promised can go back."""
    for before in (
        [SIGNED, fact(LandAllocated)],
        [fact(MilestonePromised, milestone="land-allocated")],
        [fact(MilestoneProgressed, milestone="land-allocated")],
        [],
    ):
        back = fact(MilestoneReverted, milestone="land-allocated")
        assert "regressed" == _only(IDENTIFIED, *before, back).code


def test_deviation_re_activated() -> None:
    """Taken up again after its termination."""
    found = _only(IDENTIFIED, fact(Terminated), fact(Resumed, "2025-02-01"))
    assert "re-activated" == found.code


def test_deviation_while_suspended() -> None:
    """A step of a milestone during a hold; a step that moves none is no deviation."""
    assert "while-suspended" == _only(IDENTIFIED, fact(Suspended), SIGNED).code
    assert [] == codes(IDENTIFIED, fact(Suspended), IDENTIFIED)


def test_deviation_impossible_date() -> None:
    """Signed next year: it is recorded, noted, and not called met."""
    future = fact(AgreementSigned, "2026-03-01")
    assert "impossible-date" == _only(IDENTIFIED, future).code
    assert Status.PROMISED is replayed(IDENTIFIED, future).milestones["signed"].status


def test_what_is_dated_in_the_future_is_noted_once() -> None:
    """It is not also called met before what is expected first."""
    assert ["impossible-date"] == codes(IDENTIFIED, fact(LandAllocated, "2026-03-01"))


def test_a_day_of_grace_for_zones() -> None:
    """A source in Baku may write the next day of UTC; two days later it may not."""
    for day, status in (("02", Status.MET), ("03", Status.PROMISED)):
        state = replayed(IDENTIFIED, fact(AgreementSigned, f"2025-06-{day}"))
        assert status is state.milestones["signed"].status


def test_a_month_recorded_in_its_middle_is_met() -> None:
    """Only what lies wholly after its recording cannot have happened."""
    state = replayed(IDENTIFIED, fact(AgreementSigned, "2025-06"))
    assert Status.MET is state.milestones["signed"].status


def test_deviation_dates_out_of_order() -> None:
    """In order on record, in the other order by their dates."""
    land = fact(LandAllocated, "2024-12-01")
    assert "dates-out-of-order" == _only(IDENTIFIED, SIGNED, land).code
    assert [] == codes(IDENTIFIED, SIGNED, fact(LandAllocated, "[..2025-02-01]"))


def test_deviation_unexpected() -> None:
    """What repeats something that is over, or resumes what was never on hold."""
    assert "unexpected" == _only(IDENTIFIED, fact(Resumed)).code
    promise = fact(MilestonePromised, milestone="signed")
    assert "unexpected" == _only(IDENTIFIED, SIGNED, promise).code


LAND = "land-allocated"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (
            [fact(LandAllocated)],
            [(2, "skipped", LAND, f"{LAND} is met, but signed is expected before it")],
        ),
        (
            [fact(LandAllocated), SIGNED],
            [
                (
                    2,
                    "out-of-order",
                    LAND,
                    f"{LAND} is met, but signed is expected before it",
                )
            ],
        ),
        (
            [SIGNED, fact(MilestoneReverted, milestone="signed"), fact(LandAllocated)],
            [
                (3, "regressed", "signed", "signed: what was met is so no longer"),
                (
                    4,
                    "skipped",
                    LAND,
                    f"{LAND} is met, but signed is expected before it",
                ),
            ],
        ),
        (
            [SIGNED, fact(LandAllocated, "2024-12-01")],
            [
                (
                    3,
                    "dates-out-of-order",
                    LAND,
                    (
                        f"{LAND} is dated 2024-12-01, before signed,"
                        " which is expected earlier and dated 2025-01-10"
                    ),
                )
            ],
        ),
        (
            [fact(AgreementSigned, "2026-03-01")],
            [
                (
                    2,
                    "impossible-date",
                    "",
                    "dated 2026-03-01, but recorded on 2025-06-01",
                )
            ],
        ),
        (
            [fact(Terminated), fact(Resumed)],
            [(3, "re-activated", "", "taken up again after its termination")],
        ),
        (
            [fact(Resumed)],
            [(2, "unexpected", "", "resumed although it was not on hold")],
        ),
        (
            [fact(Suspended), SIGNED],
            [(3, "while-suspended", "", "agreement-signed while it is suspended")],
        ),
        (
            [SIGNED, fact(MilestonePromised, milestone="signed")],
            [(3, "unexpected", "signed", "signed: promised although already met")],
        ),
        (
            [fact(MilestoneReverted, milestone="signed")],
            [
                (
                    2,
                    "regressed",
                    "signed",
                    "signed: reverted although never mentioned before",
                )
            ],
        ),
        ([SIGNED, SIGNED, fact(LandAllocated), fact(LandAllocated)], []),
    ],
)
def test_a_deviation_names_its_record_milestone_and_reason(
    events: list[Event], found: list[tuple[int, str, str, str]]
) -> None:
    """All that is unexpected, in the order of the records, and in words."""
    deviations = INVESTMENT.deviations(recorded(IDENTIFIED, *events))
    assert found == [
        (
            deviation.record.version,
            deviation.code,
            deviation.milestone,
            deviation.message,
        )
        for deviation in deviations
    ]


@pytest.mark.parametrize(
    ("expects", "codes_found"),
    [
        (["licensed", "producing"], ["dates-out-of-order", "skipped"]),
        (["producing", "licensed"], ["skipped", "dates-out-of-order"]),
    ],
)
def test_each_that_is_expected_before_is_looked_for(
    expects: list[str], codes_found: list[str]
) -> None:
    """What is found of one says nothing of the next."""
    exporting = Milestone("exporting", met_by=FirstExport, expects=expects)
    mine = attrs.evolve(MINE, milestones=(*MINE.milestones[:2], exporting))
    told = recorded(fact(Granted), fact(FirstExport, "2025-01-09"))
    assert codes_found == [deviation.code for deviation in mine.deviations(told)]


def test_without_a_stream_the_milestones_own_are_meant() -> None:
    """What may follow in one of them, and what may not."""
    for events in ([], [IDENTIFIED], [IDENTIFIED, fact(Terminated)]):
        state = INVESTMENT.replay(recorded(*events))
        admitted = tuple(INVESTMENT.admitted(state, "agreement/a"))
        assert admitted == tuple(INVESTMENT.admitted(state))
        for event in (IDENTIFIED, SIGNED, fact(Resumed)):
            found = INVESTMENT.refusal(state, event)
            assert (INVESTMENT.refusal(state, event, "agreement/a") is None) == (
                found is None
            )
            assert found is None or "" == found.stream


ENDED = fact(Terminated, "2025-01-09")
IN_FORCE = (
    "it is terminated; record what happened before the end with a date before it, or"
    " that it resumed"
)


@pytest.mark.parametrize(
    ("lifecycle", "events", "kind", "code", "reason"),
    [
        (
            MINE,
            [fact(FirstOre)],
            "first-ore",
            "not-opened",
            "'granted' must come first",
        ),
        (
            MINE,
            [fact(Granted), fact(FirstExport)],
            "first-export",
            "requires",
            "'exporting' requires 'producing' first",
        ),
        (
            MINE,
            [fact(Granted), ENDED, fact(FirstOre)],
            "first-ore",
            "terminated",
            IN_FORCE,
        ),
    ],
)
def test_a_refusal_names_the_fact_the_rule_and_the_reason(
    lifecycle: Lifecycle, events: list[Event], kind: str, code: str, reason: str
) -> None:
    """And the stream that was asked about."""
    state = lifecycle.replay(recorded(*events[:-1]))
    found = lifecycle.refusal(state, events[-1], "mine/1")
    assert found is not None
    assert ("mine/1", kind, code, reason) == (
        found.stream,
        found.kind,
        found.code,
        found.reason,
    )
    assert tuple(lifecycle.admitted(state, "mine/1")) == found.allowed


def test_the_ordinary_way_has_no_deviation() -> None:
    """Cardboard with land and tractors with a model are both ordinary."""
    assert [] == codes(IDENTIFIED, SIGNED, fact(LandAllocated))
    assert [] == codes(IDENTIFIED, SIGNED, fact(FinancialModelAgreed))
    assert (
        [] == codes(IDENTIFIED, SIGNED, fact(MilestoneWaived, milestone="signed"))[1:]
    )


# --- Promises -----------------------------------------------------------------


def _promise(target: str, when: str = "2025-01-10") -> Event:
    return fact(
        MilestonePromised,
        when,
        milestone="company-created",
        target=When(target, "soon"),
    )


@pytest.mark.parametrize(
    ("target", "late"),
    [
        ("", Answer.NO),
        ("2025-05-31", Answer.YES),
        ("2025-06-01", Answer.NO),
        ("2025-05", Answer.YES),
        ("2025", Answer.MAYBE),
        ("2025-05-01~", Answer.MAYBE),
        ("[..2025-05-31]", Answer.YES),
        ("[2025-05-31..]", Answer.MAYBE),
        ("2026", Answer.NO),
    ],
)
def test_whether_a_promise_is_overdue(target: str, late: Answer) -> None:
    """Sure, maybe, or no; without a target it is never late."""
    state = replayed(IDENTIFIED, _promise(target))
    assert late is state.milestones["company-created"].overdue(date(2025, 6, 1))


def test_a_promise_ages_from_the_day_it_was_said() -> None:
    """A target is not needed for that."""
    state = replayed(IDENTIFIED, _promise(""), _promise("", "2025-05-01"))
    age = state.milestones["company-created"].age_days(date(2025, 1, 20))
    assert Range.exact(10) == age
    assert state.milestones["signed"].age_days(date(2025, 1, 20)) is None


def test_the_promise_that_counts_is_the_last_in_order() -> None:
    """Correcting an older promise does not bring its target back."""
    records = recorded(IDENTIFIED, _promise("2025-02"), _promise("2025-12"))
    corrected = Recorded(
        4, "agreement/a", 4, "r4", "k/1", us_of(date(2025, 6, 1)), _promise("2025-03")
    )
    milestone = INVESTMENT.replay([records[0], corrected, records[2]]).milestones[
        "company-created"
    ]
    assert When("2025-12", "soon") == milestone.target
    assert Answer.NO is milestone.overdue(date(2025, 6, 1))


def test_what_possibly_came_makes_lateness_possible() -> None:
    """A later promise that has only possibly been made does not excuse for sure."""
    told = recorded(
        IDENTIFIED, _promise("2025-02"), _promise("2025-12", "[2025-02-20..2025-03-20]")
    )
    milestone = INVESTMENT.replay(told, as_of=date(2025, 3, 10)).milestones[
        "company-created"
    ]
    assert Answer.MAYBE is milestone.overdue(date(2025, 3, 10))
    reverted = [
        *told[:2],
        *recorded(fact(MilestoneReverted, "2025-02-01", milestone="company-created")),
        told[2]._replace(event=_promise("2025-02-25", "[2025-02-20..2025-03-20]")),
    ]
    milestone = INVESTMENT.replay(reverted, as_of=date(2025, 3, 10)).milestones[
        "company-created"
    ]
    assert Status.REVERTED is milestone.status
    assert Answer.MAYBE is milestone.overdue(date(2025, 3, 10))


# --- A lifecycle that contradicts itself --------------------------------------


@attrs.frozen
class Unlisted(Event):
    """A fact that no lifecycle lists."""


def test_a_lifecycle_knows_its_names_and_moves() -> None:
    """Facts may move several milestones, and versions are one more than upcasts."""
    mine = Lifecycle(
        name="mine",
        events={"granted": Granted, "surveyed": Surveyed, "first-ore": FirstOre},
        milestones=(
            Milestone("licensed", met_by=Granted),
            Milestone("prepared", met_by=[Granted, Surveyed], begun_by=[FirstOre]),
            Milestone("producing", met_by=FirstOre, begun_by=[Surveyed, FirstOre]),
        ),
        upcasts={("surveyed", 1): dict, ("surveyed", 2): dict},
    )
    moves = {
        Granted: (("licensed", Effect.MEET), ("prepared", Effect.MEET)),
        Surveyed: (("prepared", Effect.MEET), ("producing", Effect.BEGIN)),
        FirstOre: (
            ("prepared", Effect.BEGIN),
            ("producing", Effect.BEGIN),
            ("producing", Effect.MEET),
        ),
        FirstExport: (),
    }
    assert moves == {kind: mine.moves(fact(kind)) for kind in moves}
    assert ("licensed", "prepared", "producing") == mine.milestone_names
    names = [mine.name_of(kind) for kind in (Granted, Surveyed, FirstOre, Suspended)]
    assert ["granted", "surveyed", "first-ore", "suspended"] == names
    assert [1, 3] == [mine.version_of(name) for name in ("granted", "surveyed")]


def test_every_contradiction_is_listed_at_once() -> None:
    """Whoever defines a lifecycle gets the whole list, not the first line of it."""
    with pytest.raises(InvalidLifecycle) as caught:
        Lifecycle(
            name="wrong",
            events={
                "number": int,  # type: ignore[dict-item] # on purpose
                "citation": Citation,  # type: ignore[dict-item] # on purpose
                "Not A Name": Granted,
                "suspended": FirstOre,
                "again": Granted,
            },
            milestones=(
                Milestone("twice", met_by=Granted),
                Milestone("twice", met_by=Granted),
                Milestone("No Name", met_by=Unlisted, requires=["nowhere"]),
                Milestone("a", met_by=Granted, requires=["b"]),
                Milestone("b", met_by=Granted, requires=["a"]),
            ),
            opened_by=Unlisted,
            category="mine",
            streams={"other": (Unlisted,)},
            upcasts={("gone", 1): dict, ("again", 2): dict},
        )
    problems = caught.value.problems
    assert "wrong" == caught.value.name
    for part in (
        "stored name 'Not A Name' is not lower-case",
        "'suspended' belongs to a common fact",
        "'number' is no attrs class",
        "'citation' is no attrs class",
        "Granted has several stored names",
        "several milestones 'twice'",
        "milestone 'No Name' is not words",
        "'No Name' is moved by Unlisted, not an event",
        "'No Name' needs 'nowhere'",
        "'a' requires itself",
        "'b' requires itself",
        "category 'other' takes Unlisted",
        "category 'mine' is not among its streams",
        "opens with Unlisted",
        "upcast is for 'gone'",
        "'again' has an upcast from version 2 but not 1",
    ):
        assert 1 == sum(part in problem for problem in problems), part
    assert 16 == len(problems)
    assert all(problem in str(caught.value) for problem in problems)


def test_the_built_in_lifecycle_forces_no_line() -> None:
    """No milestone is required before another, and no stored name is a common one."""
    assert [()] * 7 == [milestone.requires for milestone in INVESTMENT.milestones]
    assert set() == set(INVESTMENT.events) & set(COMMON)


def test_a_retraction_moves_nothing() -> None:
    """It is no milestone's fact, and the fold passes over it."""
    assert () == INVESTMENT.moves(fact(Retracted))


def test_no_field_hides_one_that_every_event_has() -> None:
    """A `reason` of one's own would stand where that of a correction is kept."""

    @attrs.frozen
    class Ended(Event):
        reason: str = "insolvency"

    with pytest.raises(InvalidLifecycle, match=r"Ended\.reason hides the field"):
        Lifecycle(name="l", events={"ended": Ended})


def test_a_status_that_is_not_possible_is_not_had() -> None:
    """Among several possible ones each is a maybe, and no other is."""
    promised = MilestoneState(Status.PROMISED)
    unclear = MilestoneState(Status.PROMISED, maybe=frozenset({Status.MET}))
    yes, maybe, no = Answer.YES, Answer.MAYBE, Answer.NO
    asked = (Status.PROMISED, Status.MET, Status.WAIVED)
    assert [yes, no, no] == [promised.is_(status) for status in asked]
    assert [maybe, maybe, no] == [unclear.is_(status) for status in asked]


def test_what_is_sure_moves_what_is_possible() -> None:
    """A sure step after a possible one moves both cases."""
    cites = Citation("source/s")
    events = (
        LandAllocated(when=When("[2025-04-15..2025-04-21]"), cites=cites),
        MilestoneReverted("land-allocated", when=When("2025-04-10"), cites=cites),
    )
    records = [
        Recorded(n, "agreement/a", n, str(n), "k/1", us_of(date(2025, 5, 1)), event)
        for n, event in enumerate(events, start=1)
    ]
    land = INVESTMENT.replay(records, as_of=date(2025, 4, 18)).milestones[
        "land-allocated"
    ]
    assert (Status.REVERTED, frozenset()) == (land.status, land.maybe)


def test_a_state_can_be_copied_and_pickled() -> None:
    """Programs hand states to other processes; a copy is equal, and as fixed."""
    granted = Granted(when=When("2025"), cites=CITES)
    record = Recorded(1, "mine/a", 1, "r1", "granted/1", us_of(LATER), granted)
    state = MINE.replay([record])
    for again in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):  # noqa: S301 - our own bytes
        assert state == again
        with pytest.raises(TypeError):
            again.milestones["licensed"] = None  # type: ignore[index] # it must fail


def test_nothing_met_is_no_furthest() -> None:
    """None, where nothing has been met yet."""
    assert None is MINE.replay(()).furthest()
