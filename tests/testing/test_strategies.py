"""What is drawn is legal, reaches everywhere, and tries the edges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import pytest
from attrs import frozen
from attrs import validators as v
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from azcn_events import (
    Amount,
    Citation,
    Event,
    Ledger,
    Lifecycle,
    Milestone,
    Retracted,
    TransitionRefused,
    When,
)
from azcn_events.core.codec import Codec
from azcn_events.core.events import Recorded
from azcn_events.core.history import Admission, in_force
from azcn_events.core.values import check_name
from azcn_events.errors import RecordNotFound
from azcn_events.investment import INVESTMENT
from azcn_events.testing.explorer import explore, state_key
from azcn_events.testing.stand_ins import Clock
from azcn_events.testing.strategies import values
from azcn_events.testing.strategies.classes import events, for_class
from azcn_events.testing.strategies.palettes import NAMED, NEAR, WIDE
from azcn_events.testing.strategies.plain import simplest
from azcn_events.testing.transcript import Log
from azcn_events.testing.whole_logs import (
    Illegal,
    any_event,
    facts,
    histories,
    illegal_next,
    logs,
)

T = TypeVar("T")


def some(strategy: st.SearchStrategy[T], examples: int = 100) -> list[T]:
    """Draw examples, the same ones each time; what raises is a failure."""
    drawn: list[T] = []

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
    )
    @given(strategy)
    def draw(one: T) -> None:
        drawn.append(one)

    draw()
    return drawn


# Values


@given(values.texts(), values.names(), values.stream_names())
def test_texts_can_be_stored(text: str, name: str, stream: str) -> None:
    """A ledger takes every text and every name."""
    check_name(name, "a name")
    check_name(stream, "a stream's name")
    event = simplest(Retracted, replaces=name, reason=text)
    codec = Codec(INVESTMENT)
    assert event == codec.decode(*codec.encode(event))


def test_texts_are_awkward() -> None:
    """Most of what careless code gets wrong comes up in a few hundred texts."""
    assert set(values.AWKWARD) <= set(some(values.texts(), 600))


def test_names_are_confusable() -> None:
    """Names that differ in case, form or a wildcard come up, and the longest."""
    drawn = set(some(values.stream_names(), 400))
    pairs = [("P1", "p1"), ("P_", "P%"), ("P1", "P10"), ("\u0065\u0301", "\u00e9")]
    for one, other in pairs:
        assert {one, other} <= drawn
    assert 200 == max(map(len, drawn))


@given(values.edtf_texts())
def test_dates_are_read(text: str) -> None:
    """Every text that is drawn is a date, and is kept as it was written."""
    assert text == When(text).edtf


@given(values.decimals(), values.amounts("ha"))
def test_amounts_are_of_the_unit_asked_for(number: Decimal, amount: Amount) -> None:
    """Their bounds are in order, and numbers are finite."""
    assert number.is_finite()
    assert "ha" == amount.unit
    if amount.low is not None and amount.high is not None:
        assert amount.low <= amount.high


def test_amounts_have_every_shape() -> None:
    """Exact, bounded on one side or both, open or closed, and of unknown size."""
    found = [(one.low is None, one.high is None) for one in some(values.amounts())]
    both = {(a, b) for a in (True, False) for b in (True, False)}
    assert both == set(found)


@given(values.whens_nearby(), values.amounts_nearby())
def test_nearby_values_meet(when: When, amount: Amount) -> None:
    """They are of one time and of two currencies."""
    assert not when.earliest or when.earliest.year in {2024, 2025}
    assert amount.unit in {"USD", "AZN"}


# Classes


def holding(kind: object, validator: Any) -> type[Any]:
    """Make an attrs class with one field, ``x``."""
    body = {"__annotations__": {"x": kind}, "x": attrs.field(validator=validator)}
    return attrs.frozen(type("Holding", (), body))


DAY, LATER = date(2025, 1, 1), date(2025, 12, 31)
BOUNDS = [
    (int, [v.ge(3), v.le(9)], {3, 9}),
    (int, [v.gt(3), v.lt(9)], {4, 8}),
    (int, v.ge(0), {0, 1}),
    (int, v.lt(0), {-1}),
    (int, v.and_(v.ge(-5), v.and_(v.lt(7))), {-5, 6}),
    (int | None, v.optional([v.ge(3), v.le(9)]), {None, 3, 9}),
    (Decimal, [v.ge(Decimal(0)), v.le(Decimal(1))], {Decimal(0), Decimal(1)}),
    (Decimal, v.gt(Decimal(0)), {Decimal("0.01")}),
    (float, [v.ge(0.0), v.le(1.0)], {0.0, 1.0}),
    (date, [v.ge(DAY), v.le(LATER)], {DAY, LATER}),
    (date, v.gt(DAY), {date(2025, 1, 2)}),
    (str, v.in_(["a", "b", "c"]), {"a", "b", "c"}),
    (int, v.in_([1, 20]), {1, 20}),
    (bool, v.instance_of(bool), {True, False}),
]


@pytest.mark.parametrize(("kind", "validator", "wanted"), BOUNDS)
def test_bounds_are_kept_and_tried(
    kind: object, validator: object, wanted: set[Any]
) -> None:
    """Nothing drawn is refused, and each bound comes up in a hundred examples."""
    drawn = {one.x for one in some(for_class(holding(kind, validator)))}
    assert wanted <= drawn


@pytest.mark.parametrize(
    ("kind", "validator", "sizes"),
    [
        (str, v.min_len(3), {3}),
        (str, v.max_len(4), {0, 4}),
        (str, [v.min_len(1), v.max_len(8)], {1, 8}),
        (str, [v.min_len(40), v.max_len(400)], {40, 400}),
        (tuple[int, ...], [v.min_len(2), v.max_len(4)], {2, 4}),
        (list[str], v.max_len(2), {0, 2}),
        (frozenset[int], v.min_len(2), {2}),
        (
            tuple[int, ...],
            v.deep_iterable(v.ge(0), v.and_(v.min_len(1), v.max_len(3))),
            {1, 3},
        ),
    ],
)
def test_lengths_are_kept_and_tried(
    kind: object, validator: object, sizes: set[int]
) -> None:
    """Nothing drawn is too short or too long, and the limits come up."""
    drawn = some(for_class(holding(kind, validator)))
    assert sizes <= {len(one.x) for one in drawn}


def test_members_are_tried_at_their_bounds() -> None:
    """What a collection's members may be is read as for a field."""
    members = v.deep_iterable(v.and_(v.ge(3), v.le(5)), v.instance_of(tuple))
    drawn = some(for_class(holding(tuple[int, ...], members)))
    assert {3, 4, 5} == {number for one in drawn for number in one.x}


@pytest.mark.parametrize(
    ("pattern", "how"), [("[A-Z]{2}-[0-9]{1,3}", None), ("[a-c]x", re.match)]
)
def test_patterns_are_kept(pattern: str, how: Any) -> None:
    """Only texts that the pattern takes are drawn, of several kinds."""
    cls = holding(str, v.matches_re(pattern, func=how))
    assert len({one.x for one in some(for_class(cls))}) > 2


@pytest.mark.parametrize(
    "validator",
    [v.not_(v.in_([0, 1])), v.or_(v.ge(10), v.le(-10)), lambda _, __, x: odd(x)],
)
def test_other_validators_are_asked(validator: object) -> None:
    """What is known to nobody else is asked value by value."""
    cls = holding(int, validator)
    assert len({one.x for one in some(for_class(cls), 50)}) > 10


@pytest.mark.parametrize(
    ("kind", "validator"),
    [
        (float, [v.gt(0.0), v.lt(1.0)]),
        (Decimal, [v.ge(Decimal("0.001")), v.le(Decimal("0.004"))]),
        (bytes, v.min_len(3)),
        (datetime, v.gt(datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None))),
        (timedelta, v.ge(timedelta(0))),
        (date, v.ge(date.max)),
        (dict[str, int], v.min_len(1)),
        (int | None, v.ge(3)),
        (str, [v.min_len(2), v.matches_re("[a-z]*")]),
    ],
)
def test_any_bound_is_kept(kind: object, validator: object) -> None:
    """Where a bound cannot be made exact, values are asked, and none is refused."""
    assert some(for_class(holding(kind, validator)), 50)


@frozen
class Paired(Event):
    """Its texts stand in a pair and in a mapping."""

    pair: tuple[str, str]
    mixed: tuple[int, str]
    names: dict[str, str]


def test_pairs_and_mappings_are_looked_into() -> None:
    """Pairs have two members, and texts in them can be stored like any other."""
    codec = Codec(Lifecycle("pairs", {"paired": Paired}))
    for event in some(for_class(Paired)):
        assert (2, 2) == (len(event.pair), len(event.mixed))
        assert event == codec.decode(*codec.encode(event))


def odd(number: int) -> None:
    """Refuse even numbers."""
    if number % 2 == 0:
        raise ValueError("even")


@frozen
class Span:
    """A class whose fields depend on each other."""

    low: int = attrs.field(validator=[v.ge(0), v.le(9)])
    high: int = attrs.field(validator=[v.ge(0), v.le(9)])

    def __attrs_post_init__(self) -> None:
        """Refuse what is upside down."""
        if self.low > self.high:
            raise ValueError("upside down")


def test_fields_that_depend_on_each_other_agree() -> None:
    """What the class itself refuses is drawn again, and the edges stay."""
    drawn = some(for_class(Span))
    assert {(0, 0), (0, 9)} <= {(one.low, one.high) for one in drawn}


def test_a_palette_says_what_is_drawn() -> None:
    """For a type, or for one field of a class, which wins."""
    cls = holding(int, None)
    assert {7} == {one.x for one in some(for_class(cls, {int: st.just(7)}), 20)}
    by_field = {int: st.just(7), (cls, "x"): st.just(8)}
    assert {8} == {one.x for one in some(for_class(cls, by_field), 20)}


def test_other_classes_are_refused() -> None:
    """A class that attrs did not make is named."""
    with pytest.raises(TypeError, match=r"int.* is no attrs class"):
        for_class(int)


@pytest.mark.parametrize("kind", INVESTMENT.kinds.values(), ids=INVESTMENT.kinds)
def test_every_fact_can_be_stored(kind: type[Event]) -> None:
    """Of every class news and corrections are drawn, and come back as they were."""
    codec, corrections = Codec(INVESTMENT), Counter[bool]()
    for event in some(events(kind), 12):
        assert event == codec.decode(*codec.encode(event))
        corrections[bool(event.replaces)] += 1
        assert bool(event.replaces) == bool(event.reason)
    assert corrections[True] > 0
    assert (corrections[False] > 0) == (kind is not Retracted)


def test_facts_nearby_can_be_stored() -> None:
    """Those of few values too, and in 1,500 of them every class comes up."""
    codec = Codec(INVESTMENT)
    drawn = some(any_event(INVESTMENT, NEAR), 1_500)
    for event in drawn:
        assert event == codec.decode(*codec.encode(event))
    assert set(INVESTMENT.kinds.values()) == {type(event) for event in drawn}


# The plainest of a class


@pytest.mark.parametrize("kind", INVESTMENT.kinds.values(), ids=INVESTMENT.kinds)
def test_the_plainest_is_legal_and_always_the_same(kind: type[Event]) -> None:
    """It can be stored, and is the same when it is asked for again."""
    codec, plain = Codec(INVESTMENT), simplest(kind)
    assert plain == codec.decode(*codec.encode(plain))
    assert plain == simplest(kind) == simplest(kind, when=plain.when)
    assert (When("2025-01-01"), Citation("source/s")) == (plain.when, plain.cites)


@pytest.mark.parametrize(("kind", "validator", "wanted"), BOUNDS)
def test_the_plainest_keeps_bounds(
    kind: object, validator: object, wanted: set[Any]
) -> None:
    """It is made within any bounds at which something is wanted."""
    cls = holding(kind, validator)
    assert wanted
    assert simplest(cls) is simplest(cls)


def test_what_has_nothing_plain_says_so() -> None:
    """The message names the field to give."""
    cls = holding(object, None)
    with pytest.raises(ValueError, match="nothing is known for x, and "):
        simplest(cls)
    assert "given" == simplest(cls, x="given").x


# Histories


@frozen
class Opened(Event):
    """It comes first."""


@frozen
class Begun(Event):
    """It is on its way."""


@frozen
class Built(Event):
    """It stands."""

    floors: int = attrs.field(default=1, validator=v.ge(1))


@frozen
class Sold(Event):
    """It has an owner."""


@frozen
class Noted(Event):
    """It belongs to another category."""


HOUSE = Lifecycle(
    name="house",
    events={
        "opened": Opened,
        "begun": Begun,
        "built": Built,
        "sold": Sold,
        "noted": Noted,
    },
    milestones=(
        Milestone("standing", met_by=Built, begun_by=Begun),
        Milestone("sold", met_by=Sold, requires=["standing"]),
    ),
    opened_by=Opened,
    category="house",
    streams={"house": (Opened, Begun, Built, Sold), "note": (Noted,)},
)
LIFECYCLES = pytest.mark.parametrize(
    "lifecycle", [HOUSE, INVESTMENT], ids=["house", "investment"]
)


def check_admitted(lifecycle: Lifecycle, log: Log) -> None:
    """Record a log anew, fact by fact; a ledger would raise for what is refused."""
    desks: dict[str, Admission] = {}
    for position, record in enumerate(log, 1):
        desk = desks.setdefault(record.stream, Admission(lifecycle, record.stream))
        assert (position, len(desk.records) + 1) == (record.position, record.version)
        desk.admit(record)
    times = [record.recorded_us for record in log]
    assert sorted(times) == times
    assert len(log) == len({record.id for record in log})


@LIFECYCLES
@given(st.data())
def test_histories_are_admitted(lifecycle: Lifecycle, data: st.DataObject) -> None:
    """Every fact of a history and of a log may follow those before it."""
    check_admitted(lifecycle, data.draw(histories(lifecycle, corrections=True)))
    check_admitted(lifecycle, data.draw(logs(lifecycle)))


@given(logs(INVESTMENT, WIDE, names=values.stream_names()))
def test_a_ledger_takes_every_log(log: Log) -> None:
    """Whatever the facts say and the streams are called."""
    with Ledger.open("memory:", clock=Clock()) as ledger:
        for record in log:
            ledger.record(record.stream, record.event, ids=[record.id])
        assert [r.event for r in log] == [r.event for r in ledger.records()]


def states_of(lifecycle: Lifecycle, found: Iterable[Log]) -> set[Any]:
    """Give the keys of all states that logs of one stream pass through."""
    return {
        state_key(lifecycle.replay(in_force(log[:length])))
        for log in found
        for length in range(len(log) + 1)
    }


def test_histories_reach_nearly_every_state() -> None:
    """Nine in ten of the states that can be reached come up in 200 histories."""
    reachable = {state_key(node.state) for node in explore(HOUSE).nodes}
    reached = states_of(HOUSE, some(histories(HOUSE), 200)) & reachable
    assert len(reached) / len(reachable) >= 0.9


@LIFECYCLES
def test_histories_reach_every_milestone(lifecycle: Lifecycle) -> None:
    """Each milestone is met in some of 100 histories."""
    met = {
        name
        for log in some(histories(lifecycle))
        for name, one in lifecycle.replay(in_force(log)).milestones.items()
        if one.status.value == "met"
    }
    assert set(lifecycle.milestone_names) == met


def test_logs_are_as_untidy_as_life() -> None:
    """There are several streams, late news, corrections and retractions in them."""
    found = some(logs(INVESTMENT))
    seen = Counter[str]()
    for log in found:
        seen["several streams"] += len({r.stream for r in log}) > 2
        seen["other categories"] += any(not r.stream.startswith("agreem") for r in log)
        for number, record in enumerate(log):
            event, before = record.event, [r.event.when.earliest for r in log[:number]]
            seen["correction"] += bool(event.replaces)
            seen["retraction"] += isinstance(event, Retracted)
            seen["late news"] += any(
                event.when.latest and day and event.when.latest < day for day in before
            )
            seen["vague date"] += event.when.earliest != event.when.latest
    assert dict.fromkeys(seen, True) == {
        what: count >= 10 for what, count in seen.items()
    }


def test_logs_are_named_as_asked() -> None:
    """Names of streams are drawn from what is given, each within its category."""
    drawn = some(logs(HOUSE, names=st.sampled_from(["P1", "p1"])), 40)
    streams = {record.stream for log in drawn for record in log}
    assert {"house/P1", "house/p1", "note/P1", "note/p1"} == streams


@LIFECYCLES
def test_facts_are_of_the_category(lifecycle: Lifecycle) -> None:
    """All classes of a category come up, and promises name its milestones."""
    for category, kinds in lifecycle.streams.items():
        drawn = some(facts(lifecycle, category=category), 150)
        assert set(kinds) <= {type(fact) for fact in drawn}
        named = {fact.milestone for fact in drawn if isinstance(fact, NAMED)}
        assert named <= set(lifecycle.milestone_names)


def code_of(lifecycle: Lifecycle, illegal: Illegal) -> str:
    """Record a history and what cannot follow it; give the code of the refusal."""
    desk = Admission(lifecycle, illegal.stream)
    for record in illegal.log:
        desk.admit(record)
    version = len(illegal.log) + 1
    us = illegal.log[-1].recorded_us if illegal.log else Clock().us
    new = Recorded(version, illegal.stream, version, "new", "", us, illegal.event)
    try:
        desk.admit(new)
    except TransitionRefused as refusal:
        return refusal.code
    except RecordNotFound:
        return "not-found"
    return "admitted"


CODES = {"not-opened", "terminated", "misplaced", "no-record", "no-reason"}
CODES |= {"already-replaced", "not-found"}


@pytest.mark.parametrize(
    ("lifecycle", "codes"), [(HOUSE, CODES | {"requires"}), (INVESTMENT, CODES)]
)
def test_illegal_facts_break_the_rule_they_name(
    lifecycle: Lifecycle, codes: set[str]
) -> None:
    """Each is refused for just that reason, and every rule comes up."""
    drawn = some(illegal_next(lifecycle), 400)
    assert [one.code for one in drawn] == [code_of(lifecycle, one) for one in drawn]
    assert codes == {one.code for one in drawn}
