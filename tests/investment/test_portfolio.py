"""Counts and sums: they hold what is true, whatever it turns out to be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import CITES, Step, at, fresh, play, steps

from azcn_events import (
    Activity,
    Amount,
    Citation,
    Event,
    Ledger,
    Missing,
    Range,
    Recorded,
    Table,
    Terminated,
    When,
)
from azcn_events.core.history import Moment, in_force
from azcn_events.core.lifecycle import occurred
from azcn_events.core.values import Answer
from azcn_events.demo import seed_files
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.investment.portfolio import Package, Portfolio, portfolio
from azcn_events.reports import REPORTS

P, A, B = "package/p", "agreement/a", "agreement/b"
WHEN = When("2024-12-01")


def worth(amount: Amount | Missing, *, adds: bool = False, when: When = WHEN) -> Event:
    """Say what something is worth."""
    return ev.ValueReported(when=when, cites=CITES, amount=amount, adds=adds)


def usd(number: int) -> Amount:
    """Make an amount."""
    return Amount.exact(number, "USD")


def identified(*, group: str = "", umbrella: bool = False, package: str = P) -> Event:
    """Say that there is an agreement."""
    return ev.AgreementIdentified(
        when=WHEN,
        cites=CITES,
        package=package,
        field="x",
        group=group,
        umbrella=umbrella,
    )


def counted(number: int, **groups: int) -> Event:
    """Say how many documents there are."""
    counts = tuple(ev.GroupCount(group, n) for group, n in groups.items())
    return ev.DocumentsReported(when=WHEN, cites=CITES, number=number, groups=counts)


def document(group: str = "") -> Event:
    """Say that there is a document."""
    return ev.DocumentIdentified(when=WHEN, cites=CITES, title="memo", group=group)


def shown(**streams: list[Event]) -> Portfolio:
    """Record facts (``p=[…]`` about the package, ``a=[…]``) and look at them."""
    ledger, _ = fresh()
    names = {"p": P, "a": A, "b": B, "l": "link/l"}
    for short, events in streams.items():
        ledger.record(names[short], *events)
    return portfolio(ledger.view().moment)


# --- Values ----------------------------------------------------------------------


def _value(*events: Event) -> str:
    return str(shown(p=[counted(1), *events]).packages[P].value)


def test_a_restatement_replaces_and_a_new_commitment_adds() -> None:
    """100, next month 150, is 150; and 50 more is 200."""
    assert "USD 150" == _value(worth(usd(100)), worth(usd(150)))
    assert "USD 200" == _value(worth(usd(150)), worth(usd(50), adds=True))
    assert "USD 7" == _value(worth(usd(150)), worth(usd(50), adds=True), worth(usd(7)))


def test_currencies_never_mix() -> None:
    """They stand beside each other, and a restatement replaces them all."""
    manat = Amount.exact(20, "AZN")
    assert "USD 100 and AZN 20" == _value(worth(usd(100)), worth(manat, adds=True))
    assert "AZN 20" == _value(worth(usd(100)), worth(manat))


def test_an_unknown_part_stays_unknown_beside_the_known_one() -> None:
    """Neither hides the other, in whichever order they are told."""
    withheld = Missing.WITHHELD
    assert "USD 100 and withheld" == _value(worth(usd(100)), worth(withheld, adds=True))
    assert "USD 100 and withheld" == _value(worth(withheld), worth(usd(100), adds=True))
    assert "USD 100" == _value(worth(usd(100)), worth(Missing.NONE, adds=True))
    assert "USD 100" == _value(worth(Missing.NONE), worth(usd(100), adds=True))
    assert "USD 100" == _value(worth(usd(100), adds=True))
    assert "withheld" == _value(worth(usd(100)), worth(withheld))
    assert "unknown" == _value()


def test_a_value_rests_on_every_report_since_the_last_restatement() -> None:
    """Also on the one that says that nothing was added."""
    package = shown(
        p=[
            worth(usd(1)),
            worth(usd(100)),
            worth(Missing.NONE, adds=True),
            worth(usd(5), adds=True),
        ]
    ).packages[P]
    assert ["r2", "r3", "r4"] == [record.id for record in package.value.records]


def test_a_package_shows_what_was_said_last() -> None:
    """The groups that its value may be of, and the fields in one breath with it."""
    fields = [
        ev.FieldsMentioned(when=WHEN, cites=CITES, fields=(name,)) for name in "xy"
    ]
    values = [
        ev.ValueReported(when=WHEN, cites=CITES, amount=usd(335), covers=covers)
        for covers in [("media",), ("investment", "all")]
    ]
    package = shown(p=[counted(13), *fields, *values]).packages[P]
    assert ("investment", "all") == package.covers
    assert package.mentioned is not None
    assert fields[1] == package.mentioned.event
    bare = shown(p=[counted(13)]).packages[P]
    assert ((), None) == (bare.covers, bare.mentioned)


def test_an_agreement_names_the_records_that_it_rests_on() -> None:
    """Every fact in force, whatever it says."""
    found = shown(a=[identified(), worth(usd(1)), Terminated(when=WHEN, cites=CITES)])
    facts = found.agreements[A].standing.facts
    assert ["r1", "r2", "r3"] == [record.id for record in facts]


def test_sources_and_links_are_told_in_streams_of_theirs() -> None:
    """A lifecycle that lets them stand elsewhere makes none of them there."""
    ledger, _ = fresh(lifecycle=attrs.evolve(INVESTMENT, streams={}))
    source = ev.SourceRegistered(when=WHEN, cites=CITES, publisher="x", title="y")
    for name in ("source/s", "other/s"):
        ledger.record(name, source)
    for name in ("link/l", "other/l"):
        ledger.record(name, PROPOSED)
    found = portfolio(ledger.view().moment)
    assert (["source/s"], ["link/l"]) == (list(found.sources), list(found.links))


def test_of_two_that_are_one_the_first_is_the_one_recorded_first() -> None:
    """Whatever their names, and whichever of them the proposal calls ours."""
    ledger, clock = fresh()
    ledger.record(B, identified())
    clock.pass_days(1)
    ledger.record(A, identified())
    ledger.record("link/l", PROPOSED, CONFIRMED)
    found = portfolio(ledger.view().moment)
    assert [B] == list(found.agreements)
    assert (A,) == found.agreements[B].others


def test_agreements_after_two_that_are_one_are_there() -> None:
    """Leaving out the second of the two leaves out no other."""
    ledger, _ = fresh()
    for name in (A, B, "agreement/c"):
        ledger.record(name, identified())
    ledger.record("link/l", PROPOSED, CONFIRMED)
    found = portfolio(ledger.view().moment)
    assert [A, "agreement/c"] == list(found.agreements)


def test_the_report_that_counts_is_the_last_sure_one() -> None:
    """And each possible one after it."""
    ledger, _ = fresh()
    later = [attrs.evolve(counted(number), when=PERHAPS) for number in (15, 16)]
    ledger.record(P, counted(12), counted(13), *later)
    for day, ids in {"2024-12-05": ["r2"], "2024-12-20": ["r2", "r3", "r4"]}.items():
        package = portfolio(ledger.view(as_of=day).moment).packages[P]
        assert ids == [record.id for record in package.documents]
    assert Range(13, 16) == package.reported()


def test_what_nobody_identified_is_no_agreement() -> None:
    """Where a lifecycle lets other facts come first, they make none."""
    ledger, _ = fresh(lifecycle=attrs.evolve(INVESTMENT, opened_by=None))
    ledger.record(A, ev.WorkStarted(when=WHEN, cites=CITES))
    assert {} == portfolio(ledger.view().moment).agreements


def test_a_partly_unknown_value_is_in_both_rows_of_the_pipeline() -> None:
    """The known part counts, so the breakdown still adds up to the package's value."""
    ledger, _ = fresh()
    ledger.record(P, worth(usd(335)))
    ledger.record(A, identified(), worth(usd(100)), worth(Missing.WITHHELD, adds=True))
    table = ledger.report("pipeline")
    assert "USD 335" == str(table.cell("total", "USD", column="counted").value)
    assert Missing.UNKNOWN is table.cell("none met", "unknown", column="counted").value


def test_what_agreements_hold_is_taken_from_the_rest() -> None:
    """Known and unallocated make the whole; an umbrella holds nothing of its own."""
    package = shown(
        p=[worth(usd(335))],
        a=[identified(), worth(usd(35))],
        b=[identified(umbrella=True), worth(usd(300))],
    ).packages[P]
    assert (usd(35), usd(300)) == (package.allocated("USD"), package.unallocated("USD"))
    assert Answer.NO is package.overspent("USD")


def test_agreements_that_exceed_their_package_contradict_it() -> None:
    """Nothing is left, never less; and it is said."""
    ledger, _ = fresh()
    ledger.record(P, worth(usd(100)))
    ledger.record(A, identified(), worth(usd(101)))
    package = portfolio(ledger.view().moment).packages[P]
    assert (usd(0), Answer.YES) == (
        package.unallocated("USD"),
        package.overspent("USD"),
    )
    assert "sources contradict" in ledger.report("package").json()


def test_what_a_value_is_of_is_said_with_the_value_in_force() -> None:
    """Not with one that is dated after its recording, and only announced."""
    said: dict[str, Any] = {"cites": CITES, "amount": usd(1)}
    now = ev.ValueReported(when=WHEN, covers=("one",), **said)
    later = ev.ValueReported(when=When("2030-01-01"), covers=("two",), **said)
    assert ("one",) == shown(p=[now, later]).packages[P].covers


# --- Documents -------------------------------------------------------------------


@given(
    st.tuples(*[st.integers(0, 5)] * 3),
    st.lists(st.sampled_from(["", "one", "two"]), max_size=7),
)
def test_a_group_holds_the_truth_for_every_assignment(
    reported: tuple[int, int, int], groups: list[str]
) -> None:
    """However the documents of unsaid group belong, each group's rest is in range."""
    one, two, other = reported
    package = shown(
        p=[counted(one + two + other, one=one, two=two), *map(document, groups)]
    ).packages[P]
    unsaid = groups.count("")
    for split in itertools.product(["one", "two", "neither"], repeat=unsaid):
        for group, number in (("one", one), ("two", two)):
            known = groups.count(group) + split.count(group)
            rest = package.anonymous(group)
            assert rest is not None
            assert rest.low is not None
            assert rest.high is not None
            assert 0 <= rest.low <= rest.high
            if known <= number:
                assert rest.low <= number - known <= rest.high
    whole = package.anonymous()
    assert Range.exact(max(one + two + other - len(groups), 0)) == whole


def test_more_documents_than_reported_are_noted() -> None:
    """In a group or in all; the rest is 0, never less."""
    for told in (
        [counted(1), document(), document()],
        [counted(5, one=0), document("one")],
    ):
        package = shown(p=told).packages[P]
        assert package.exceeded
        assert all(
            (package.anonymous(group) or Range(0, 0)).low == 0
            for group in package.groups
        )
    assert not shown(p=[counted(2), document(), document()]).packages[P].exceeded


def test_a_package_of_which_no_count_is_told() -> None:
    """Nobody knows how many are anonymous."""
    whole = shown(p=[document()])
    assert whole.packages[P].anonymous() is None
    assert Range(0, None) == whole.anonymous


# --- Dates -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "word"),
    [
        ("[..2025-04-25~]", "2025-04-17", "narrows"),
        ("2025-04", "2025-04-17", "narrows"),
        ("2025-04-17", "2025-04", "widens"),
        ("2025-04", "[2025-04-20..2025-05-02]", "widens"),
        ("2025-04", "2025-05-01", "contradicts"),
        ("2025-04-17", "2025-03", "contradicts"),
    ],
)
def test_how_a_date_is_refined(first: str, then: str, word: str) -> None:
    """It narrows the bounds or says that it contradicts; widening asks a correction."""
    package = shown(
        p=[
            ev.ConferenceReported(when=When(first), cites=CITES, title="fair"),
            ev.DateRefined(when=When(then), cites=CITES),
        ]
    ).packages[P]
    assert word == package.refinement
    assert When(then) == package.dated


# --- Links -----------------------------------------------------------------------

PROPOSED = ev.LinkProposed(when=WHEN, cites=CITES, ours=B, other=A)
CONFIRMED = ev.LinkConfirmed(when=WHEN, cites=CITES)


def _two(**more: list[Event]) -> tuple[Portfolio, dict[str, Table]]:
    ledger, _ = fresh()
    ledger.record(P, counted(13))
    ledger.record(A, identified(), ev.LandAllocated(when=WHEN, cites=CITES))
    ledger.record(B, identified(), ev.WorkStarted(when=WHEN, cites=CITES))
    for events in more.values():
        ledger.record("link/l", *events)
    view = ledger.view()
    return portfolio(view.moment), {
        n: view.report(n) for n in ("funnel", "status", "milestones")
    }


def test_a_candidate_changes_nothing() -> None:
    """Proposed, or rejected, there are two agreements."""
    rejected = ev.LinkRejected(when=WHEN, cites=CITES)
    for more in ([], [rejected]):
        told: list[Event] = [PROPOSED, *more]
        found, tables = _two(l=told)
        assert [A, B] == list(found.agreements)
        assert {name: t.csv() for name, t in _two()[1].items()} == {
            name: t.csv() for name, t in tables.items()
        }


FUTURE = When("2031")
REJECTED = ev.LinkRejected(when=WHEN, cites=CITES)


@pytest.mark.parametrize(
    ("events", "confirmed"),
    [
        ([PROPOSED], Answer.MAYBE),
        ([attrs.evolve(PROPOSED, when=FUTURE)], Answer.MAYBE),
        ([PROPOSED, CONFIRMED], Answer.YES),
        ([PROPOSED, REJECTED], Answer.NO),
        ([PROPOSED, CONFIRMED, REJECTED], Answer.NO),
        ([PROPOSED, attrs.evolve(CONFIRMED, when=FUTURE)], Answer.MAYBE),
        ([PROPOSED, attrs.evolve(CONFIRMED, when=FUTURE), REJECTED], Answer.NO),
        ([PROPOSED, REJECTED, PROPOSED], Answer.MAYBE),
    ],
)
def test_a_link_is_what_was_last_decided(
    events: list[Event], confirmed: Answer
) -> None:
    """A new proposal opens it again; what is dated in the future decides nothing."""
    (link,) = _two(l=events)[0].links.values()
    assert ("link/l", confirmed) == (link.stream, link.confirmed)


def test_two_that_are_one_count_once_in_every_report() -> None:
    """Whatever counts agreements sees one, with the milestones of both."""
    found, tables = _two(l=[PROPOSED, CONFIRMED])
    assert [A] == list(found.agreements)
    assert (B,) == found.agreements[A].others
    assert Range.exact(12) == found.anonymous
    funnel = tables["funnel"]
    assert Range.exact(1) == funnel.cell("identified", column="reached").value
    assert Range.exact(1) == funnel.cell("work-started", column="met").value
    assert Range.exact(12) == funnel.rows[-1].cells[1].value
    first, rest = (row.cells[0].value for row in tables["status"].rows)
    assert A == first
    assert "12" in str(rest)
    assert {A} == {cell.value for cell in tables["milestones"].column("agreement")}


def test_the_order_of_two_that_are_one_is_that_of_their_recording() -> None:
    """A correction counts where what it corrects stood, not at the end."""
    ledger, clock = fresh()
    reverted = ev.LandAllocated(when=WHEN, cites=CITES)
    ledger.record(A, identified(), worth(usd(1)), ids=["a", "first"])
    clock.pass_days(1)
    ledger.record(B, identified(), worth(usd(2)), reverted)
    clock.pass_days(1)
    ledger.record(A, attrs.evolve(worth(usd(3)), replaces="first", reason="misread"))
    ledger.record("link/l", PROPOSED, CONFIRMED)
    (agreement,) = portfolio(ledger.view().moment).agreements.values()
    assert "USD 2" == str(agreement.value)


def test_two_that_are_one_are_told_in_the_order_of_their_recording() -> None:
    """Facts of two streams take turns as they were recorded, whichever came first."""
    ledger, clock = fresh()
    ledger.record(A, identified(), worth(usd(1)))
    clock.pass_days(1)
    ledger.record(B, identified(), worth(usd(2), adds=True))
    clock.pass_days(1)
    ledger.record(A, worth(usd(3), adds=True))
    ledger.record("link/l", PROPOSED, CONFIRMED)
    (agreement,) = portfolio(ledger.view().moment).agreements.values()
    assert "USD 6" == str(agreement.value)
    assert ["r2", "r4", "r5"] == [record.id for record in agreement.value.records]


# --- Not sure yet: what had only possibly come ---------------------------------------

PERHAPS = When("[2024-12-10..2024-12-30]")


def perhaps(amount: Amount | Missing, *, adds: bool = False) -> Event:
    """Say what something may be worth by the 20th of December."""
    return worth(amount, adds=adds, when=PERHAPS)


AZN_20 = Amount.exact(20, "AZN")


@pytest.mark.parametrize(
    ("events", "value", "unsure"),
    [
        ([worth(usd(100)), perhaps(usd(300))], "USD 100 to 300", set()),
        ([worth(usd(300)), perhaps(usd(100))], "USD 100 to 300", set()),
        ([worth(usd(100)), perhaps(usd(300), adds=True)], "USD 100 to 400", set()),
        ([perhaps(usd(300))], "perhaps USD 300 and perhaps unknown", {"", "USD"}),
        (
            [worth(usd(100)), perhaps(AZN_20)],
            "perhaps AZN 20 and perhaps USD 100",
            {"AZN", "USD"},
        ),
        (
            [worth(usd(100)), perhaps(AZN_20, adds=True)],
            "USD 100 and perhaps AZN 20",
            {"AZN"},
        ),
        (
            [
                worth(usd(100)),
                perhaps(AZN_20, adds=True),
                perhaps(usd(50), adds=True),
            ],
            "USD 100 to 150 and perhaps AZN 20",
            {"AZN"},
        ),
        (
            [worth(usd(100)), perhaps(Missing.WITHHELD)],
            "perhaps USD 100 and perhaps withheld",
            {"", "USD"},
        ),
        (
            [worth(usd(100)), perhaps(Missing.WITHHELD, adds=True)],
            "USD 100 and perhaps withheld",
            {""},
        ),
        (
            [
                worth(usd(100)),
                perhaps(Missing.WITHHELD, adds=True),
                perhaps(AZN_20, adds=True),
            ],
            "USD 100 and perhaps AZN 20 and perhaps withheld",
            {"", "AZN"},
        ),
        (
            [
                worth(usd(100)),
                perhaps(AZN_20, adds=True),
                perhaps(AZN_20, adds=True),
            ],
            "USD 100 and perhaps AZN 20 to 40",
            {"AZN"},
        ),
        (
            [
                worth(usd(100)),
                perhaps(AZN_20, adds=True),
                worth(Missing.WITHHELD, adds=True),
            ],
            "USD 100 and perhaps AZN 20 and withheld",
            {"AZN"},
        ),
        (
            [
                worth(usd(100)),
                perhaps(AZN_20, adds=True),
                worth(usd(5), adds=True),
            ],
            "USD 105 and perhaps AZN 20",
            {"AZN"},
        ),
        (
            [
                worth(usd(100)),
                perhaps(Missing.WITHHELD, adds=True),
                worth(Missing.UNKNOWN, adds=True),
            ],
            "USD 100 and unknown",
            set(),
        ),
        (
            [
                worth(usd(100)),
                perhaps(Missing.WITHHELD, adds=True),
                worth(usd(5), adds=True),
            ],
            "USD 105 and perhaps withheld",
            {""},
        ),
        (
            [worth(usd(100)), perhaps(Missing.NONE), worth(usd(5), adds=True)],
            "USD 5 to 105",
            set(),
        ),
        ([worth(Missing.WITHHELD), perhaps(Missing.NONE)], "unknown", set()),
        ([worth(Missing.WITHHELD), perhaps(Missing.WITHHELD)], "withheld", set()),
        (
            [worth(Missing.WITHHELD), perhaps(usd(5), adds=True)],
            "perhaps USD 5 and withheld",
            {"USD"},
        ),
    ],
)
def test_a_possible_report_leaves_room_for_either_value(
    events: list[Event], value: str, unsure: set[str]
) -> None:
    """With it or without it: bounds hold both, and what is in one only is unsure."""
    ledger, _ = fresh()
    ledger.record(A, identified(), *events)
    found = portfolio(ledger.view(as_of="2024-12-20").moment).agreements[A].value
    assert (value, unsure) == (str(found), set(found.unsure))
    assert [f"r{n}" for n in range(2, len(events) + 2)] == [r.id for r in found.records]


def test_what_an_agreement_perhaps_holds_is_counted_from_nothing_up() -> None:
    """The rest of the package is wide enough for both cases."""
    ledger, _ = fresh()
    ledger.record(P, worth(usd(500)))
    ledger.record(A, identified(), perhaps(usd(300)))
    found = portfolio(ledger.view(as_of="2024-12-20").moment)
    value = found.agreements[A].value
    assert Amount.between(0, 300, "USD") == value.within("USD")
    assert usd(500) == found.packages[P].value.within("USD")
    assert None is value.within("AZN")
    assert Amount.between(0, 300, "USD") == found.packages[P].allocated("USD")
    assert Amount.between(200, 500, "USD") == found.packages[P].unallocated("USD")


def test_a_document_that_perhaps_came_is_perhaps_known() -> None:
    """It counts from nothing to one, and so does what stays anonymous."""
    ledger, _ = fresh()
    later = attrs.evolve(document("media"), when=PERHAPS)
    ledger.record(P, counted(13, media=5), document("media"), later)
    package = portfolio(ledger.view(as_of="2024-12-20").moment).packages[P]
    assert Range(1, 2) == package.known("media")
    assert Range(3, 4) == package.anonymous("media")
    assert frozenset({"r3"}) == package.unsure


# --- Not sure yet: brute force over all days that are possible ----------------------


def _holds(claimed: object, concrete: object) -> bool:
    """Say whether a figure holds another."""
    if isinstance(claimed, Range) and isinstance(concrete, Range):
        low = claimed.low is None or (
            concrete.low is not None and claimed.low <= concrete.low
        )
        high = claimed.high is None or (
            concrete.high is not None and concrete.high <= claimed.high
        )
        return low and high
    if isinstance(claimed, Amount) and isinstance(concrete, Amount):
        low = claimed.low is None or (
            concrete.low is not None and claimed.low <= concrete.low
        )
        high = claimed.high is None or (
            concrete.high is not None and concrete.high <= claimed.high
        )
        return low and high and claimed.unit == concrete.unit
    return claimed == concrete


IDENTITIES = (
    ev.AgreementIdentified,
    ev.LinkProposed,
    ev.LinkConfirmed,
    ev.LinkRejected,
)
"""What something is has no date: once known it holds for every day."""


def _worlds(ledger: Ledger, day: date) -> Iterator[Moment]:
    """Yield the log as it would be for each choice of what had come by a day."""
    moment = ledger.view().moment
    facts = [record for h in moment.histories() for record in in_force(h.records)]
    cases = {
        Answer.YES: (True,),
        Answer.MAYBE: (True, False),
        Answer.NO: (False,),
    }
    for had_come in itertools.product(*(cases[occurred(fact, day)] for fact in facts)):
        come = list(itertools.compress(facts, had_come))
        there = {record.stream for record in come}
        world = [
            record
            for record in facts
            if record in come
            or (isinstance(record.event, IDENTITIES) and record.stream in there)
            or record.stream.startswith("link/")
        ]
        yield attrs.evolve(moment, read=partial(iter, _plain(world)), on=day)


def _plain(world: list[Recorded]) -> list[Recorded]:
    """Leave out that some are corrections: what they replaced is not there."""
    return [
        record._replace(event=attrs.evolve(record.event, replaces="", reason=""))
        for record in world
    ]


def _totals(table: Table, unit: str) -> list[Amount]:
    zero = Amount.exact(0, unit)
    for row in table.rows:
        if row.total and row.cells[1].value == unit:
            return [
                cell.value for cell in row.cells[3:] if isinstance(cell.value, Amount)
            ]
    return [zero, zero, zero]


DAYS = st.integers(-25, 60).map(at)


@given(steps(size=9), DAYS)
def test_the_funnel_holds_every_possible_count(told: list[Step], day: date) -> None:
    """For whatever had come by that day, each count lies in its range."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    claimed = ledger.view(as_of=day).report("funnel")
    for world in _worlds(ledger, day):
        concrete = REPORTS["funnel"](world)
        for row in concrete.rows:
            name = str(row.cells[0].value)
            number = row.cells[1].value
            if isinstance(number, Range) and number.high is None:
                continue  # In this world no source says how many there are.
            for ours, theirs in zip(claimed.row(name).cells, row.cells, strict=True):
                assert _holds(ours.value, theirs.value), (name, ours, theirs)


@given(steps(size=9), DAYS, st.sampled_from(["claims", "no-umbrellas", "committed"]))
def test_the_pipeline_holds_every_possible_sum(
    told: list[Step], day: date, policy: str
) -> None:
    """What counts lies between what surely counts and that with all that may."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    claimed = ledger.view(as_of=day).report("pipeline", policy=policy)
    for world in _worlds(ledger, day):
        concrete = REPORTS["pipeline"](world, policy=policy)
        for unit in ("USD", "AZN"):
            inside, unclear, outside = _totals(claimed, unit)
            may = unclear.or_(Amount.exact(0, unit))
            found = _totals(concrete, unit)
            assert _holds(inside + may, found[0])
            assert _holds(outside + may, found[2])
            assert _holds(inside + unclear + outside, found[0] + found[1] + found[2])


def _packages(claimed: Package, concrete: Package) -> Iterator[tuple[object, object]]:
    for group in (None, "", *concrete.groups):
        yield claimed.known(group), concrete.known(group)
        if concrete.reported(group) is not None:
            yield claimed.reported(group), concrete.reported(group)
            yield claimed.anonymous(group), concrete.anonymous(group)
    for unit in concrete.value.amounts:
        yield claimed.value.amounts[unit], concrete.value.amounts[unit]
        yield claimed.allocated(unit), concrete.allocated(unit)
        yield claimed.unallocated(unit), concrete.unallocated(unit)


@given(steps(size=9), DAYS)
def test_the_package_holds_every_possible_figure(told: list[Step], day: date) -> None:
    """Documents reported, known and anonymous; value, allocated and not."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    claimed = portfolio(ledger.view(as_of=day).moment)
    for world in _worlds(ledger, day):
        concrete = portfolio(world)
        for stream, package in concrete.packages.items():
            for ours, theirs in _packages(claimed.packages[stream], package):
                assert _holds(ours, theirs), (ours, theirs)


@given(steps(size=20))
def test_figures_are_exact_where_nothing_is_possible(told: list[Step]) -> None:
    """With every fact counted, no count is a range, and no amount is a perhaps."""
    ledger, clock = fresh()
    play(ledger, clock, told)
    found = portfolio(ledger.view().moment)
    for package in found.packages.values():
        known = package.known()
        assert known.low == known.high
        assert frozenset() == package.unsure | package.value.unsure
    for row in ledger.report("funnel").rows[:8]:
        for cell in row.cells[1:]:
            assert cell.value is None or cell.value.low == cell.value.high  # type: ignore[union-attr] # a Range


def test_as_of_the_week_between_the_seed_s_documents_may_have_been_signed() -> None:
    """On 20 April they may have been, by the first article: counts are ranges."""
    ledger = Ledger.open("memory:")
    ledger.load(seed_files()[0])
    view = ledger.view(as_of="2025-04-20")
    package = portfolio(view.moment).packages["package/beijing-2025-04"]
    assert (Range(0, 13), Range(0, 2)) == (package.reported(), package.known())
    assert Range(0, 2) == view.report("funnel").cell("signed", column="met").value


def test_what_is_dated_after_its_recording_decides_nothing() -> None:
    """Not the kind of document, not a value, not an end: it is announced."""
    ledger = Ledger.open("memory:", clock=lambda: 1_745_571_600_000_000)
    now: dict[str, Any] = {"when": When("2025-04-01"), "cites": Citation("source/s")}
    later = {**now, "when": When("2030-01-01")}
    ledger.record(
        "agreement/a",
        ev.AgreementIdentified(field="glass", **now),
        ev.ValueReported(amount=Amount.exact(100, "USD"), **now),
        ev.AgreementSigned(kind=ev.DocumentKind.MEMORANDUM, **now),
        ev.AgreementSigned(kind=ev.DocumentKind.AGREEMENT, **later),
        ev.ValueReported(amount=Amount.exact(900, "USD"), adds=True, **later),
        Terminated(**{**now, "when": When("2031~")}),
    )
    (agreement,) = portfolio(ledger.view().moment).agreements.values()
    assert "USD 100" == str(agreement.value)
    assert ev.DocumentKind.MEMORANDUM is agreement.kind
    assert Activity.ACTIVE is agreement.state.activity


def test_a_confirmation_is_of_the_last_proposal() -> None:
    """Another pair in the same stream is not confirmed by it."""
    ledger = Ledger.open("memory:")
    said: dict[str, Any] = {"when": When("2025-04-01"), "cites": Citation("source/s")}
    for name in "abcd":
        ledger.record(
            f"agreement/{name}", ev.AgreementIdentified(field="glass", **said)
        )
    ledger.record(
        "link/1",
        ev.LinkProposed(ours="agreement/a", other="agreement/b", **said),
        ev.LinkConfirmed(**said),
        ev.LinkProposed(ours="agreement/c", other="agreement/d", **said),
    )
    (link,) = portfolio(ledger.view().moment).links.values()
    assert Answer.MAYBE is link.confirmed
    assert 4 == len(portfolio(ledger.view().moment).agreements)


# --- What figures rest on ----------------------------------------------------------


def test_a_package_names_the_records_of_its_numbers() -> None:
    """All of them, or those of one group and of no said group: never of another."""
    package = shown(
        p=[
            ev.FieldsMentioned(when=WHEN, cites=CITES, fields=("x",)),  # position 1
            counted(9, media=4, trade=3),
            document("media"),
            document("trade"),
            document(),
        ],
        a=[identified(group="trade"), worth(usd(5))],  # positions 6 and 7
        b=[identified()],
    ).packages[P]
    assert (1, 2, 3, 4, 5, 6, 8) == package.why_documents()
    assert (1, 2, 3, 5, 8) == package.why_documents("media")
    assert (1, 2, 4, 5, 6, 8) == package.why_documents("trade")


def test_a_package_names_the_records_of_its_value() -> None:
    """Its own, and what its agreements hold of it; umbrellas hold nothing."""
    package = shown(
        p=[counted(3), worth(usd(335))],
        a=[identified(), worth(usd(5))],
        b=[identified(umbrella=True), worth(usd(7))],
    ).packages[P]
    assert (1, 2, 3, 4) == package.why_value("USD")
    assert (1, 2) == package.why_value("AZN")


def test_an_agreement_rests_on_how_it_began_and_what_it_is() -> None:
    """Its first record, and the last that identifies it; no other says so much."""
    second = identified(group="media")
    found = shown(a=[identified(), worth(usd(1)), identified(), worth(usd(2)), second])
    assert (1, 5) == found.agreements[A].standing.basis.positions


def test_two_that_are_one_rest_on_the_link_that_says_so() -> None:
    """A link to somebody else makes nothing one, and is not named."""
    other = ev.LinkProposed(when=WHEN, cites=CITES, ours=A, other="elsewhere")
    confirmed = ev.LinkConfirmed(when=WHEN, cites=CITES)
    both = ev.LinkProposed(when=WHEN, cites=CITES, ours=A, other=B)
    apart = shown(a=[identified()], b=[identified()], l=[other, confirmed])
    assert (1,) == apart.agreements[A].standing.basis.positions
    one = shown(a=[identified()], b=[identified()], l=[both, confirmed])
    assert (1, 2, 3, 4) == one.agreements[A].standing.basis.positions
