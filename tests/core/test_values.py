"""Values: what follows from bounds is what follows from every value within them."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st

from azcn_events.core.edtf import ACCEPTED
from azcn_events.core.events import Recorded, Suspended
from azcn_events.core.values import (
    Amount,
    Answer,
    Citation,
    Missing,
    Qualifier,
    Range,
    When,
    check_name,
    check_recorded_us,
    day_of,
    day_of_us,
    known_from,
    known_until,
    recorded_us_of,
)
from azcn_events.errors import InvalidValue
from azcn_events.testing.strategies.values import (
    amounts,
    citations,
    days,
    decimals,
    exact_days,
    whens,
)

# When: brute force over a window of days, in which an open end is a far day

WINDOW = [date(2025, 4, 20) + timedelta(days=number) for number in range(12)]


@st.composite
def near(draw: st.DrawFn) -> When:
    """Sure dates inside a small window, their ends open or not."""
    first, last = sorted(draw(st.tuples(*[st.sampled_from(WINDOW[2:-2])] * 2)))
    ends = draw(st.sampled_from([(first, last), (first, None), (None, last)]))
    return When.between(*ends)


def members(when: When) -> list[date]:
    """List the days of the window on which it may have been.

    The window reaches beyond every bound drawn, so an open end has room there.
    """
    return [
        day
        for day in WINDOW
        if (when.earliest is None or when.earliest <= day)
        and (when.latest is None or day <= when.latest)
    ]


def asked_of_all(holds: Callable[[date, date], bool], one: When, other: When) -> Answer:
    """Answer for every pair of days: all say yes, all say no, or neither."""
    said = {holds(*pair) for pair in product(members(one), members(other))}
    return Answer.MAYBE if len(said) > 1 else [Answer.NO, Answer.YES][said.pop()]


@given(near(), near())
def test_before_asks_every_pair_of_days(one: When, other: When) -> None:
    """YES if each day of one precedes each of the other, NO if none does."""
    assert asked_of_all(operator.lt, one, other) is one.before(other)


@given(near(), near())
def test_same_day_asks_every_pair_of_days(one: When, other: When) -> None:
    """YES if both are pinned to one day, NO if they share none."""
    assert asked_of_all(operator.eq, one, other) is one.same_day(other)


@pytest.mark.parametrize("text", ["2025-04", "[2025-04-01..]", "[..2025-04-01]"])
def test_the_same_vague_date_is_perhaps_another_day(text: str) -> None:
    """Two facts of one month, or of no day at all, need not share a day."""
    when, unbounded = When(text), When.between(None, None)
    assert Answer.MAYBE is when.same_day(when)
    assert Answer.MAYBE is unbounded.same_day(unbounded)
    assert Answer.MAYBE is unbounded.same_day(when)


def test_what_begins_on_a_day_has_perhaps_come_by_then() -> None:
    """Only once its last possible day is here it surely has."""
    first, second, third = WINDOW[:3]
    when = When.between(second, third)
    answers = [Answer.NO, Answer.MAYBE, Answer.YES]
    assert answers == [when.by(day) for day in (first, second, third)]


@given(near(), st.sampled_from(WINDOW[1:-1]))
def test_by_asks_every_day(when: When, day: date) -> None:
    """YES if each of its days has come by the end of that day, NO if none has."""
    on = When.between(day, day)
    assert asked_of_all(operator.le, when, on) is when.by(day)


@given(near(), near(), st.data())
def test_distance_holds_the_true_distance(
    one: When, other: When, data: st.DataObject
) -> None:
    """Whichever days it truly was, their distance is within the range."""
    mine, its = (data.draw(st.sampled_from(members(when))) for when in (one, other))
    distance, true = one.days_until(other), (its - mine).days
    assert distance.low is None or distance.low <= true
    assert distance.high is None or true <= distance.high


SPANS = st.tuples(*[st.sampled_from(WINDOW)] * 2).map(
    lambda ends: When.between(min(ends), max(ends))
)


@given(SPANS, SPANS)
def test_distance_is_no_wider_than_needed(one: When, other: When) -> None:
    """Where both dates are bounded, both ends of the range are possible."""
    pairs = product(members(one), members(other))
    distances = {(its - mine).days for mine, its in pairs}
    assert Range(min(distances), max(distances)) == one.days_until(other)


@given(whens(), whens())
def test_before_is_antisymmetric(one: When, other: When) -> None:
    """Two things are never each before the other; what is before is not after."""
    if one.before(other) is Answer.YES:
        assert other.before(one) is Answer.NO


@given(whens(), whens(), whens())
def test_before_is_transitive(one: When, other: When, third: When) -> None:
    """Surely before what is surely before a third is surely before that."""
    if one.before(other) is Answer.YES is other.before(third):
        assert one.before(third) is Answer.YES


QUALIFIED = st.one_of(
    st.builds(lambda day, mark: When(f"{day}{mark}"), days(), st.sampled_from("?~%")),
    st.sampled_from([When("[2025-04-17?,2025-05]"), When("../2025~"), When("202X%")]),
)


@given(QUALIFIED, whens(), days())
def test_nothing_sure_follows_from_a_qualified_date(
    one: When, other: When, day: date
) -> None:
    """What is about or perhaps so answers with maybe, and gives no distance."""
    answers = {
        one.before(other),
        other.before(one),
        one.same_day(other),
        other.same_day(one),
        one.by(day),
    }
    assert {Answer.MAYBE} == answers
    assert Range(None, None) == one.days_until(other) == other.days_until(one)


@given(whens(), days(), days())
def test_what_has_come_stays_so(when: When, one: date, other: date) -> None:
    """With later days the answer goes from no over maybe to yes, never back."""
    earlier, later = sorted((one, other))
    order = [Answer.NO, Answer.MAYBE, Answer.YES]
    assert order.index(when.by(earlier)) <= order.index(when.by(later))


@given(whens(), whens(), whens())
def test_within_is_a_partial_order(one: When, other: When, third: When) -> None:
    """Each is within itself; within is transitive; both ways means same bounds."""
    assert one.within(one)
    assert one.within(When.unknown())
    if one.within(other) and other.within(third):
        assert one.within(third)
    if one.within(other) and other.within(one):
        assert (one.earliest, one.latest) == (other.earliest, other.latest)


@given(near(), near())
def test_within_asks_every_day(one: When, other: When) -> None:
    """A date refines another if each of its days is one of the other's."""
    expected = set(members(one)) <= set(members(other))
    assert expected is one.within(other)


@given(near(), near(), near())
@example(When("[2025-04-22..2025-04-28]"), When("2025-04-24"), When("2025-04-26"))
def test_refining_a_date_takes_back_no_sure_answer(
    one: When, refined: When, other: When
) -> None:
    """What was sure of wide bounds is sure of bounds inside them."""
    refined = refined if refined.within(one) else one
    for answer, again in (
        (one.before(other), refined.before(other)),
        (other.before(one), other.before(refined)),
        (one.same_day(other), refined.same_day(other)),
    ):
        assert answer is Answer.MAYBE or answer is again


@given(exact_days(), exact_days())
def test_of_single_days_everything_is_sure(one: When, other: When) -> None:
    """Two known days: before, same day and distance are those of the calendar."""
    mine, its = one.earliest, other.earliest
    assert mine
    assert its
    assert [Answer.NO, Answer.YES][mine < its] is one.before(other)
    assert [Answer.NO, Answer.YES][mine == its] is one.same_day(other)
    assert Range.exact((its - mine).days) == one.days_until(other)


@given(days() | st.none(), days() | st.none(), st.text(max_size=5))
def test_between_has_the_bounds_it_was_given(
    one: date | None, other: date | None, words: str
) -> None:
    """Bounds go in and come out; crossed ones are refused."""
    if one and other and one > other:
        with pytest.raises(InvalidValue):
            When.between(one, other)
        return
    when = When.between(one, other, words=words)
    assert (one, other, words) == (when.earliest, when.latest, when.words)
    assert (one is not None or other is not None) is when.is_known


@pytest.mark.parametrize(
    ("edtf", "qualifier"),
    [
        ("2025-04", Qualifier.EXACT),
        ("2025-04~", Qualifier.APPROXIMATE),
        ("2025-04?", Qualifier.UNCERTAIN),
        ("2025-04%", Qualifier.BOTH),
        ("[2025-04?,2025-05~]", Qualifier.BOTH),
        ("", Qualifier.EXACT),
    ],
)
def test_marks_become_qualifiers(edtf: str, qualifier: Qualifier) -> None:
    """~ is approximate, ? uncertain, % both; no mark is exact."""
    assert qualifier is When(edtf).qualifier


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (When("2025-04-17"), "2025-04-17"),
        (When("2025-04~", "about April"), "2025-04~ “about April”"),
        (When.unknown("in the near future"), "unknown “in the near future”"),
        (When.unknown(), "unknown"),
    ],
)
def test_dates_are_shown_as_written(when: When, shown: str) -> None:
    """The text as it stands, and the source's words beside it."""
    assert shown == str(when)


@pytest.mark.parametrize("text", [None, 3, [], b"2025", date(2025, 4, 17)])
def test_a_date_is_text(text: Any) -> None:
    """Whatever is no text is refused, even where it says nothing, like None."""
    with pytest.raises(InvalidValue, match="is no text"):
        When(text)


def test_of_an_unknown_date_the_words_are_kept() -> None:
    """If there are any; it has no bounds."""
    for words in ("", "in the near future"):
        when = When.unknown(words)
        assert ("", words, None, None) == (
            when.edtf,
            when.words,
            when.earliest,
            when.latest,
        )
    assert When.unknown() == When("")


def test_a_date_is_kept_as_plain_values() -> None:
    """The JSON form of a date is its two texts."""
    expected = {"edtf": "2025-04~", "words": "spring"}
    assert expected == When("2025-04~", "spring").plain()


# Answer, Missing, Range


@pytest.mark.parametrize("answer", Answer)
def test_an_answer_is_no_boolean(answer: Answer) -> None:
    """Not even YES: code that would take maybe for yes fails at once."""
    with pytest.raises(TypeError, match="may be MAYBE"):
        bool(answer)


def test_five_ways_to_be_absent() -> None:
    """Each has its own word, which is how it is stored and shown."""
    words = ["unknown", "none", "withheld", "void", "erased"]
    assert words == [str(member) for member in Missing]
    assert words == [member.plain() for member in Missing]


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Ranges of small numbers, their ends open or not."""
    low, high = sorted(draw(st.tuples(*[st.integers(-9, 9)] * 2)))
    return draw(
        st.sampled_from([Range(low, high), Range(low, None), Range(None, high)])
    )


def numbers(of: Range) -> range:
    """Give the numbers of a range, cut off far outside."""
    low, high = (
        (-30 if of.low is None else of.low),
        (30 if of.high is None else of.high),
    )
    return range(low, high + 1)


@given(ranges(), ranges(), st.data())
def test_the_sum_of_ranges_holds_every_sum(
    one: Range, other: Range, data: st.DataObject
) -> None:
    """Any number of one plus any of the other is in the sum."""
    mine, its = (data.draw(st.sampled_from(numbers(each))) for each in (one, other))
    whole = one + other
    assert whole.low is None or whole.low <= mine + its
    assert whole.high is None or mine + its <= whole.high


@given(st.integers(), st.integers())
def test_the_sum_of_single_numbers_is_one_number(one: int, other: int) -> None:
    """Exact and exact make exact."""
    assert Range.exact(one + other) == Range.exact(one) + Range.exact(other)


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Range(None, None), "unknown"),
        (Range(None, 1_234), "at most 1,234"),
        (Range(1_234, None), "at least 1,234"),
        (Range(0, None), "at least 0"),
        (Range(None, 0), "at most 0"),
        (Range.exact(13), "13"),
        (Range.exact(0), "0"),
        (Range(-1, 1_000), "-1 to 1,000"),
    ],
)
def test_ranges_are_shown_in_words(found: Range, shown: str) -> None:
    """Nobody has to read an interval."""
    assert shown == str(found)
    assert {"low": found.low, "high": found.high} == found.plain()


# Amount: a set of numbers, and what is said of it is said of its members


def holds(amount: Amount, number: Fraction) -> bool:
    """Say whether a number lies within the bounds."""
    low, high = amount.low, amount.high
    above = low is None or (number > low if amount.low_open else number >= low)
    below = high is None or (number < high if amount.high_open else number <= high)
    return above and below


def member(amount: Amount, data: st.DataObject) -> Fraction:
    """Draw a number within the bounds; close to them, or anywhere."""
    low = None if amount.low is None else Fraction(amount.low)
    high = None if amount.high is None else Fraction(amount.high)
    if low is None:
        low = Fraction(0) if high is None else high - 10**6
    if high is None:
        high = low + 10**6
    shares = [Fraction(n, d) for n, d in [(0, 1), (1, 1), (1, 2), (1, 10**9)]]
    shares.append(1 - shares[-1])
    inside = [low + share * (high - low) for share in shares]
    return data.draw(
        st.sampled_from([number for number in inside if holds(amount, number)])
    )


USD = amounts("USD")


@given(USD, USD, st.data())
def test_sums_and_remainders_hold_those_of_any_members(
    one: Amount, other: Amount, data: st.DataObject
) -> None:
    """Whatever the numbers truly are, their sum and difference are within."""
    mine, its = member(one, data), member(other, data)
    assert holds(one + other, mine + its)
    assert holds(one - other, mine - its)


@given(USD, USD)
def test_bounds_of_a_sum_are_sums_of_bounds(one: Amount, other: Amount) -> None:
    """No wider than needed, to the last digit, and open only where one is open."""
    whole, rest = one + other, one - other
    assert whole.low == exact_sum(one.low, other.low)
    assert whole.high == exact_sum(one.high, other.high)
    assert rest.low == exact_sum(one.low, negated(other.high))
    assert rest.high == exact_sum(one.high, negated(other.low))
    if whole.low is not None:
        assert (one.low_open or other.low_open) is whole.low_open
    if rest.high is not None:
        assert (one.high_open or other.low_open) is rest.high_open


def exact_sum(one: Decimal | None, other: Decimal | None) -> Fraction | None:
    """Add without any limit; nothing if a bound is missing."""
    return None if one is None or other is None else Fraction(one) + Fraction(other)


def negated(number: Decimal | None) -> Decimal | None:
    """Turn a bound's sign, exactly."""
    return None if number is None else number.copy_negate()


@given(USD, USD)
def test_addition_commutes(one: Amount, other: Amount) -> None:
    """The order of adding does not matter."""
    assert one + other == other + one


@given(st.lists(USD, max_size=4))
def test_a_total_is_the_sum_in_any_order(found: list[Amount]) -> None:
    """Totals do not depend on the order in which facts arrived."""
    total = Amount.total(found, "USD")
    assert total == Amount.total(reversed(found), "USD")
    if not found:
        assert Amount.exact(0, "USD") == total


@given(USD, USD, st.data())
def test_either_holds_both(one: Amount, other: Amount, data: st.DataObject) -> None:
    """One or the other: each member of either is within, and an end is of one."""
    either = one.or_(other)
    assert holds(either, member(one, data))
    assert holds(either, member(other, data))
    if either.low is not None:
        assert either.low in (one.low, other.low)
        bound = Fraction(either.low)
        assert either.low_open is not (holds(one, bound) or holds(other, bound))
    else:
        assert None in (one.low, other.low)
    if either.high is not None:
        assert either.high in (one.high, other.high)
        bound = Fraction(either.high)
        assert either.high_open is not (holds(one, bound) or holds(other, bound))
    else:
        assert None in (one.high, other.high)


EXACT, ABOUT = Qualifier.EXACT, Qualifier.APPROXIMATE


def ha(
    low: int | None, high: int | None, flags: str = "", sure: Qualifier = EXACT
) -> Amount:
    """Make an amount from its bounds, and "(" or ")" where one is excluded."""
    least, most = (None if n is None else Decimal(n) for n in (low, high))
    return Amount("ha", least, most, "(" in flags, ")" in flags, sure)


@pytest.mark.parametrize(
    ("amount", "rest"),
    [
        (ha(0, 1), ha(0, 1)),
        (ha(0, 1, "("), ha(0, 1, "(")),
        (ha(-1, 1, "("), ha(0, 1)),
        (ha(-1, 1, ")"), ha(0, 1, ")")),
        (ha(None, 1), ha(0, 1)),
        (ha(None, 0), ha(0, 0)),
        (ha(None, 0, ")"), ha(0, 0)),
        (ha(-2, -1, "()"), ha(0, 0)),
        (ha(-1, None), ha(0, None)),
        (ha(None, None), ha(0, None)),
        (ha(-1, -1, sure=ABOUT), ha(0, 0, sure=ABOUT)),
        (ha(-1, 1, sure=ABOUT), ha(0, 1, sure=ABOUT)),
    ],
    ids=str,
)
def test_a_remainder_is_cut_off_at_zero(amount: Amount, rest: Amount) -> None:
    """Zero is included, whatever was cut off; nothing else changes."""
    assert repr(rest) == repr(amount.at_least_zero())


@pytest.mark.parametrize(
    ("whole", "part", "rest"),
    [
        (ha(5, 5), ha(2, 3), ha(2, 3)),
        (ha(5, 5), ha(2, 3, "("), ha(2, 3, ")")),
        (ha(5, 5), ha(2, 3, ")"), ha(2, 3, "(")),
        (ha(5, 6), ha(None, 3, ")"), ha(2, None, "(")),
        (ha(5, 6), ha(2, None, "("), ha(None, 4, ")")),
        (ha(5, 6, "()"), ha(2, 2), ha(3, 4, "()")),
        (ha(5, 5, sure=ABOUT), ha(2, 2), ha(3, 3, sure=ABOUT)),
        (ha(5, 5), ha(2, 2, sure=ABOUT), ha(3, 3, sure=ABOUT)),
    ],
    ids=str,
)
def test_what_remains_is_bounded_by_the_other_s_far_ends(
    whole: Amount, part: Amount, rest: Amount
) -> None:
    """The least less the greatest, and an excluded end excludes its opposite."""
    assert repr(rest) == repr(whole - part)


@given(USD, st.data())
def test_a_remainder_is_never_negative(amount: Amount, data: st.DataObject) -> None:
    """What lies below zero is cut off, nothing else is lost, nothing is added."""
    rest = amount.at_least_zero()
    true = member(amount, data)
    assert holds(rest, max(true, Fraction(0)))
    assert rest.low is None or rest.low >= 0
    assert rest.high is None or rest.high >= 0
    assert amount.qualifier is rest.qualifier
    if amount.low is not None and amount.low >= 0:
        assert amount == rest
    if amount.high is not None and amount.high > 0:
        assert (amount.high, amount.high_open) == (rest.high, rest.high_open)
    elif amount.high is not None:
        assert Decimal(0) == rest.low == rest.high


@given(USD, USD, st.data())
def test_comparing_is_right_for_any_members(
    one: Amount, other: Amount, data: st.DataObject
) -> None:
    """A sure answer is the answer for whichever numbers it truly was."""
    mine, its = member(one, data), member(other, data)
    answer = one.below_or_at(other)
    if answer is Answer.YES:
        assert mine <= its
    if answer is Answer.NO:
        assert mine > its


SMALL_BOUNDS = [None, *map(Decimal, range(3))]
SMALL_AMOUNTS = [
    Amount("ha", low, high, low_open, high_open)
    for low, high in product(SMALL_BOUNDS, repeat=2)
    if low is None or high is None or low <= high
    for low_open, high_open in product([False, True], repeat=2)
    if not (low_open and low is None) and not (high_open and high is None)
    if not (low == high and (low_open or high_open))
]
QUARTERS = [Fraction(number, 4) for number in range(-12, 21)]


@pytest.mark.parametrize("one", SMALL_AMOUNTS, ids=str)
def test_either_holds_what_lies_between_members_of_both(one: Amount) -> None:
    """Every pair of bounds, open or not: not one number more, and flags are flags."""
    for other in SMALL_AMOUNTS:
        either = one.or_(other)
        inside = [n for n in QUARTERS if holds(one, n) or holds(other, n)]
        expected = [n for n in QUARTERS if inside[0] <= n <= inside[-1]]
        assert expected == [n for n in QUARTERS if holds(either, n)]
        assert {bool} == {type(either.low_open), type(either.high_open)}


@pytest.mark.parametrize("one", SMALL_AMOUNTS, ids=str)
def test_comparing_asks_every_pair_of_numbers(one: Amount) -> None:
    """YES if each number of one is at most each of the other, NO if none is."""
    for other in SMALL_AMOUNTS:
        pairs = product(
            [number for number in QUARTERS if holds(one, number)],
            [number for number in QUARTERS if holds(other, number)],
        )
        said = {mine <= its for mine, its in pairs}
        expected = (
            Answer.MAYBE if len(said) > 1 else [Answer.NO, Answer.YES][said.pop()]
        )
        assert expected is one.below_or_at(other)


@given(USD, USD, st.sampled_from([q for q in Qualifier if q is not Qualifier.EXACT]))
def test_nothing_sure_follows_from_a_qualified_amount(
    one: Amount, other: Amount, qualifier: Qualifier
) -> None:
    """About 250 may be more than 200 or not: nobody gave the margin."""
    doubtful = evolve(one, qualifier=qualifier)
    assert Answer.MAYBE is doubtful.below_or_at(other)
    assert Answer.MAYBE is other.below_or_at(doubtful)


LOOSER = {
    (Qualifier.EXACT, Qualifier.EXACT): Qualifier.EXACT,
    (Qualifier.EXACT, Qualifier.APPROXIMATE): Qualifier.APPROXIMATE,
    (Qualifier.EXACT, Qualifier.UNCERTAIN): Qualifier.UNCERTAIN,
    (Qualifier.EXACT, Qualifier.BOTH): Qualifier.BOTH,
    (Qualifier.APPROXIMATE, Qualifier.APPROXIMATE): Qualifier.APPROXIMATE,
    (Qualifier.APPROXIMATE, Qualifier.UNCERTAIN): Qualifier.BOTH,
    (Qualifier.APPROXIMATE, Qualifier.BOTH): Qualifier.BOTH,
    (Qualifier.UNCERTAIN, Qualifier.UNCERTAIN): Qualifier.UNCERTAIN,
    (Qualifier.UNCERTAIN, Qualifier.BOTH): Qualifier.BOTH,
    (Qualifier.BOTH, Qualifier.BOTH): Qualifier.BOTH,
}


@pytest.mark.parametrize(("pair", "looser"), LOOSER.items())
def test_doubts_add_up(pair: tuple[Qualifier, Qualifier], looser: Qualifier) -> None:
    """A result is as doubtful as its parts together, whichever comes first."""
    one, other = (evolve(Amount.exact(2, "ha"), qualifier=each) for each in pair)
    results = [one + other, other + one, one - other, other - one]
    results += [one.or_(other), other.or_(one)]
    assert {looser} == {result.qualifier for result in results}


@given(amounts("USD"), amounts("CNY"))
def test_units_never_mix(one: Amount, other: Amount) -> None:
    """No operation takes two units, and the message names both."""
    for combine in (
        operator.add,
        operator.sub,
        Amount.or_,
        Amount.below_or_at,
    ):
        with pytest.raises(InvalidValue, match="USD and CNY cannot be"):
            combine(one, other)


def test_a_total_takes_one_unit() -> None:
    """Not even a single stray amount is added to another currency's total."""
    with pytest.raises(InvalidValue, match="USD and CNY cannot be added"):
        Amount.total([Amount.exact(1, "CNY")], "USD")


def test_sums_do_not_depend_on_the_decimal_context() -> None:
    """A program that rounds to three digits elsewhere changes nothing here."""
    with localcontext(Context(prec=3)):
        total = Amount.exact("335000000.25", "USD") + Amount.exact("0.50", "USD")
        rest = Amount.exact("335000000.25", "USD") - Amount.exact("0.50", "USD")
    assert ("335000000.75", "334999999.75") == (str(total.low), str(rest.low))


def test_the_longest_sums_are_exact() -> None:
    """Sixty digits and a carry: not one is rounded away."""
    long = Amount.exact("4" * 30 + "." + "9" * 30, "USD")
    assert Decimal("8" * 29 + "9." + "9" * 29 + "8") == (long + long).low


def test_a_sum_that_is_too_long_is_refused() -> None:
    """No digit is rounded away: a sum that cannot be held is none."""
    longest = Amount.exact("9" * 30, "USD")
    with pytest.raises(InvalidValue, match="more than 30 digits"):
        longest + Amount.exact(1, "USD")


def test_scale_is_kept() -> None:
    """1.10 is what the source wrote, and 1.1 is not."""
    assert "1.10" == str(Amount.exact("1.10", "ha").low)
    assert "2.20" == str((Amount.exact("1.10", "ha") + Amount.exact("1.1", "ha")).low)


TOO_LONG = [
    Decimal("1E+30"),
    Decimal("-1E+30"),
    Decimal("1E+999999"),
    Decimal("1E-31"),
    Decimal("0E-31"),
    Decimal("1E-999999999"),
    Decimal("1." + "0" * 30 + "1"),
    Decimal("0E-999999999"),
    10**30,
    -(10**30),
    "1" * 31,
    "0." + "1" * 31,
]
NO_NUMBERS: list[Any] = [
    2.7,
    0.0,
    float("nan"),
    float("inf"),
    True,
    False,
    None,
    b"2",
    [],
    {},
    3j,
    Fraction(1, 2),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-sNaN12"),
    Decimal("Infinity"),
    Decimal("-Infinity"),
    "",
    " ",
    "1 ",
    " 1",
    "1\n",
    "1,000",
    "1_000",
    "1e5",
    "1E5",
    "+1",
    "--1",
    ".5",
    "5.",
    "0x10",
    "NaN",
    "Infinity",
    "١٢",
    "１",  # noqa: RUF001 - a digit, but not ours
    "three",
]


NUMBER_WANTED = (
    "a Decimal, an int, or text such as '335000000' or '2.7'; never a float, which"
    " cannot hold most decimal numbers"
)
BOUNDS_WANTED = "Amount.exact, .below, .above, .between or .about"


@pytest.mark.parametrize(
    ("make", "found", "problem", "accepted"),
    [
        (
            lambda: Amount.exact(2.5, "ha"),  # type: ignore[arg-type] # on purpose
            "2.5",
            "a float is no amount",
            NUMBER_WANTED,
        ),
        (
            lambda: Amount.exact(81 * "x", "ha"),
            80 * "x",
            "this is no number of at most 30 digits on each side",
            NUMBER_WANTED,
        ),
        (
            lambda: Amount("ha", Decimal("NaN"), None),
            "NaN",
            "it is not finite",
            NUMBER_WANTED,
        ),
        (
            lambda: Amount("ha", None, Decimal(10**80)),
            "1" + 79 * "0",
            "more than 30 digits before or after the point",
            NUMBER_WANTED,
        ),
        (
            lambda: Amount.between(3, 2, "ha"),
            "3 .. 2",
            "the bounds cross",
            BOUNDS_WANTED,
        ),
        (
            lambda: Amount("ha", None, Decimal(2), low_open=True),
            "None .. 2",
            "a missing bound cannot be excluded",
            BOUNDS_WANTED,
        ),
        (
            lambda: Amount("ha", Decimal(2), Decimal(2), high_open=True),
            "2 .. 2",
            "no number lies between the bounds",
            BOUNDS_WANTED,
        ),
        (
            lambda: Amount.exact(1, "ha") + Amount.exact(2, "m"),
            "2 m",
            "ha and m cannot be added",
            "an amount in ha",
        ),
        (
            lambda: Amount.exact(1, "ha") - Amount.exact(2, "m"),
            "2 m",
            "ha and m cannot be subtracted",
            "an amount in ha",
        ),
        (
            lambda: Amount.exact(1, "ha").or_(Amount.exact(2, "m")),
            "2 m",
            "ha and m cannot be joined",
            "an amount in ha",
        ),
        (
            lambda: Amount.exact(1, "ha").below_or_at(Amount.exact(2, "m")),
            "2 m",
            "ha and m cannot be compared",
            "an amount in ha",
        ),
        (
            lambda: When(3),  # type: ignore[arg-type] # on purpose
            "3",
            "int is no text",
            ACCEPTED,
        ),
        (
            lambda: Citation(3),  # type: ignore[arg-type] # on purpose
            "3",
            "a citation names its source",
            "the name of a source's stream, such as 'source/trend-4035629'",
        ),
        (
            lambda: Citation("source/a", digest="md5:0"),
            "md5:0",
            "this is not a digest",
            "'sha256:' and 64 lower-case hexadecimal digits",
        ),
        (
            lambda: check_name(3, "a stream's name"),
            "3",
            "a stream's name is text, not int",
            "a stream's name of 1 to 200 printable characters",
        ),
        (
            lambda: check_name("", "an id"),
            "",
            "it has 0 characters",
            "an id of 1 to 200 printable characters",
        ),
        (
            lambda: check_name("a\tb", "an id"),
            "a\tb",
            "U+0009 cannot be in an id",
            "an id of 1 to 200 printable characters",
        ),
        (
            lambda: check_name("a ", "an id"),
            "a ",
            "a space at an end is easily lost",
            "an id of 1 to 200 printable characters",
        ),
        (
            lambda: day_of("2025"),
            "2025",
            "this is not a day",
            "a day like 2025-04-25",
        ),
        (
            lambda: check_recorded_us(10**5_000),
            "a very large int",
            "this is no recorded time",
            "whole microseconds since 1970 UTC, in the years 1 to 9999",
        ),
        (
            lambda: check_recorded_us(0.5),
            "0.5",
            "this is no recorded time",
            "whole microseconds since 1970 UTC, in the years 1 to 9999",
        ),
        (
            lambda: recorded_us_of("2025-04-25T09:00:00"),
            "2025-04-25T09:00:00",
            "it has no time zone",
            "a date-time with a zone, like 2025-04-25T09:00:00Z",
        ),
        (
            lambda: recorded_us_of("noon"),
            "noon",
            "Invalid isoformat string: 'noon'",
            "a date-time with a zone, like 2025-04-25T09:00:00Z",
        ),
    ],
)
def test_a_refusal_says_what_was_found_and_what_is_accepted(
    make: Callable[[], object], found: str, problem: str, accepted: str
) -> None:
    """Word for word, and no longer than a person reads."""
    with pytest.raises(InvalidValue) as caught:
        make()
    error = caught.value
    assert (found, problem, accepted) == (error.found, error.problem, error.accepted)


def legible(number: object) -> str:
    """Give a short id without what pytest escapes, anew each time that it collects."""
    text = str(number)[:9].replace("\n", "?")
    return text.encode("ascii", "replace").decode()


@pytest.mark.parametrize("number", [*TOO_LONG, *NO_NUMBERS], ids=legible)
def test_what_is_no_exact_number_is_refused(number: Any) -> None:
    """Floats, booleans, NaN, infinities, odd spellings, endless digits."""
    for make in (Amount.exact, Amount.below, Amount.above, Amount.about):
        with pytest.raises(InvalidValue):
            make(number, "ha")
    with pytest.raises(InvalidValue):
        Amount.between(0, number, "ha")
    with pytest.raises(InvalidValue):
        Amount.between(number, 10**29, "ha")


@pytest.mark.parametrize(
    "number",
    [n for n in [*TOO_LONG, *NO_NUMBERS] if n is not None],
    ids=legible,
)
def test_a_bound_is_a_decimal_of_bearable_length(number: Any) -> None:
    """The same is refused where it is given as a bound, whichever bound it is."""
    for low, high in [(number, None), (None, number), (number, number)]:
        with pytest.raises(InvalidValue):
            Amount("ha", low, high)
    for low, high in [(number, Decimal(1)), (Decimal(1), number)]:
        with pytest.raises(InvalidValue) as caught:
            Amount("ha", low, high)
        assert "1" != caught.value.found


def test_numbers_too_long_to_be_shown_are_refused_like_others() -> None:
    """Python writes no whole number of 5,000 digits; the message does without."""
    endless: Any = 10**5_000
    attempts: list[Callable[[], object]] = [
        lambda: Amount.exact(endless, "ha"),
        lambda: Amount("ha", endless, None),
        lambda: Amount("ha", None, endless),
        lambda: When(endless),
        lambda: Citation(endless),
        lambda: day_of(endless),
        lambda: recorded_us_of(endless),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidValue):
            attempt()


@pytest.mark.parametrize(
    "number", ["1E+29", "9" * 30, "0." + "0" * 29 + "1", "0E-30", "-0.0", "0E+999999"]
)
def test_the_longest_numbers_are_taken(number: str) -> None:
    """Thirty digits on each side of the point are enough, and they are taken."""
    value = Decimal(number)
    amount = Amount("ha", value, value)
    assert value == amount.low == amount.high
    assert len(str(amount)) <= 45


@pytest.mark.parametrize(
    ("problem", "make"),
    [
        ("the bounds cross", lambda: Amount.between(3, 2, "ha")),
        ("the bounds cross", lambda: Amount("ha", Decimal(3), Decimal(2), True, True)),
        ("cannot be excluded", lambda: Amount("ha", None, Decimal(2), low_open=True)),
        ("cannot be excluded", lambda: Amount("ha", Decimal(2), None, high_open=True)),
        ("cannot be excluded", lambda: Amount("ha", None, None, low_open=True)),
        ("cannot be excluded", lambda: Amount("ha", None, None, high_open=True)),
        (
            "no number lies between",
            lambda: Amount("ha", Decimal(2), Decimal(2), low_open=True),
        ),
        (
            "no number lies between",
            lambda: Amount("ha", Decimal("2.0"), Decimal(2), high_open=True),
        ),
        ("no unit or currency", lambda: Amount.exact(1, "acre-foot")),
        ("no unit or currency", lambda: Amount.exact(1, "")),
        ("no unit or currency", lambda: Amount([], None, None)),  # type: ignore[arg-type] # on purpose
        ("no unit or currency", lambda: Amount(None, None, None)),  # type: ignore[arg-type] # on purpose
    ],
)
def test_impossible_bounds_are_refused(
    problem: str, make: Callable[[], Amount]
) -> None:
    """Bounds that hold no number, exclude nothing, or have no unit."""
    with pytest.raises(InvalidValue, match=problem):
        make()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Amount.exact(335_000_000, "USD"), "USD 335,000,000"),
        (Amount.exact("2.70", "ha"), "2.70 ha"),
        (Amount.exact("1000.5", "AZN"), "AZN 1,000.5"),
        (Amount.exact(Decimal("1E+3"), "jobs"), "1,000 jobs"),
        (Amount.below(3, "ha"), "below 3 ha"),
        (Amount.below(3, "ha", inclusive=True), "at most 3 ha"),
        (Amount.above(3, "ha"), "above 3 ha"),
        (Amount.above(3, "ha", inclusive=True), "at least 3 ha"),
        (Amount.above(0, "USD"), "USD above 0"),
        (Amount.between(2, 3, "ha"), "2 to 3 ha"),
        (Amount("ha", Decimal(2), Decimal(3), True, False), "above 2 to 3 ha"),
        (Amount("ha", Decimal(2), Decimal(3), False, True), "from 2 to below 3 ha"),
        (Amount("ha", Decimal(2), Decimal(3), True, True), "above 2 to below 3 ha"),
        (Amount("USD", None, None), "unknown USD"),
        (Amount.about(250, "jobs"), "about 250 jobs"),
        (
            Amount("ha", Decimal(2), Decimal(2), qualifier=Qualifier.UNCERTAIN),
            "2 ha (uncertain)",
        ),
        (
            Amount("USD", None, Decimal(2), qualifier=Qualifier.BOTH),
            "USD at most 2 (approximate and uncertain)",
        ),
    ],
)
def test_amounts_are_shown_in_words(amount: Amount, shown: str) -> None:
    """What is almost three is shown as below three, money with its code first."""
    assert shown == str(amount)


def test_constructors_say_what_the_source_said() -> None:
    """Each keeps the words, and only the stated bounds; exclusive by default."""
    two, three = Decimal(2), Decimal(3)
    made = [
        Amount.exact(3, "ha", words="three"),
        Amount.below(3, "ha", words="almost three"),
        Amount.below("3", "ha", inclusive=True, words="up to three"),
        Amount.above(two, "ha", words="more than two"),
        Amount.above(2, "ha", inclusive=True, words="two or more"),
        Amount.between(2, 3, "ha", words="two to three"),
        Amount.about(3, "ha", words="about three"),
        Amount.about(3, "ha"),
    ]
    exact, about = Qualifier.EXACT, Qualifier.APPROXIMATE
    assert made == [
        Amount("ha", three, three, False, False, exact, "three"),
        Amount("ha", None, three, False, True, exact, "almost three"),
        Amount("ha", None, three, False, False, exact, "up to three"),
        Amount("ha", two, None, True, False, exact, "more than two"),
        Amount("ha", two, None, False, False, exact, "two or more"),
        Amount("ha", two, three, False, False, exact, "two to three"),
        Amount("ha", three, three, False, False, about, "about three"),
        Amount("ha", three, three, False, False, about, ""),
    ]


def test_almost_three_is_not_three() -> None:
    """The bound that "almost" excludes stays excluded through every operation."""
    almost = Amount.below(3, "ha")
    one = Amount.exact(1, "ha")
    assert Amount.below(4, "ha") == almost + one
    assert Amount.below(2, "ha") == almost - one
    assert Amount.above(-2, "ha") == one - almost
    assert Amount.below(3, "ha") == almost.or_(one)
    assert Amount.below(3, "ha", inclusive=True) == almost.or_(Amount.exact(3, "ha"))
    assert Answer.NO is Amount.exact(3, "ha").below_or_at(almost)


@given(amounts())
def test_an_amount_is_exact_if_it_is_one_sure_number(amount: Amount) -> None:
    """One number and no doubt; nothing open is exact."""
    is_one = amount.low is not None and amount.low == amount.high
    assert (is_one and amount.qualifier is Qualifier.EXACT) is amount.is_exact


@given(amounts())
def test_amounts_come_back_from_plain_values(amount: Amount) -> None:
    """The JSON form loses no digit, no scale, no bound and no word."""
    plain = amount.plain()
    low, high = plain["low"], plain["high"]
    again = Amount(
        str(plain["unit"]),
        None if low is None else Decimal(str(low)),
        None if high is None else Decimal(str(high)),
        bool(plain["low_open"]),
        bool(plain["high_open"]),
        Qualifier(plain["qualifier"]),
        str(plain["words"]),
    )
    assert repr(amount) == repr(again)


@given(decimals(), decimals())
def test_equal_numbers_make_equal_amounts(one: Decimal, other: Decimal) -> None:
    """Amounts of numbers are equal as their numbers are."""
    made = Amount.exact(one, "ha"), Amount.exact(other, "ha")
    assert (one == other) is (made[0] == made[1])


# Citation


@given(citations())
def test_citations_show_source_place_and_speaker(citation: Citation) -> None:
    """The text begins with the source and holds whatever else is known."""
    shown = str(citation)
    assert shown.startswith(citation.source)
    assert citation.at in shown
    assert str(citation.speaker) in shown
    assert Citation(**citation.plain()) == citation


@pytest.mark.parametrize(
    ("citation", "shown"),
    [
        (Citation("source/a"), "source/a"),
        (Citation("source/a", at="paragraph 4"), "source/a, paragraph 4"),
        (Citation("source/a", speaker="AZPROMO"), "source/a (AZPROMO)"),
        (Citation("source/a", "line 1", "AZPROMO"), "source/a, line 1 (AZPROMO)"),
    ],
)
def test_citations_are_shown_in_words(citation: Citation, shown: str) -> None:
    """Only what is known is shown."""
    assert shown == str(citation)


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha256:" + "0" * 64 + "\n",
        "sha256:" + "٠" * 64,  # noqa: RUF001 - a digit, but not ours
        "md5:" + "0" * 64,
        "0" * 64,
        " ",
        3,
        b"sha256:" + b"0" * 64,
    ],
)
def test_a_digest_is_sha_256_in_lower_case(digest: Any) -> None:
    """One form, so that equal digests are equal texts."""
    with pytest.raises(InvalidValue, match="this is not a digest"):
        Citation("source/a", digest=digest)


@pytest.mark.parametrize("source", ["", None, 3, b"source/a", []])
def test_a_citation_names_its_source(source: Any) -> None:
    """There is no fact that nobody said."""
    with pytest.raises(InvalidValue, match="a citation names its source"):
        Citation(source)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "agreement/cardboard",
        "x" * 200,
        "a b",
        "Gəncə",
        "%",
        "\\",
        "=1+1",
        "a\u200db",
    ],
)
def test_names_are_taken(name: str) -> None:
    """Whatever can be shown on a line may be a name."""
    check_name(name, "a name")


@pytest.mark.parametrize(
    ("name", "place", "problem"),
    [
        ("", -1, "it has 0 characters"),
        ("x" * 201, -1, "it has 201 characters"),
        (" a", -1, "a space at an end"),
        ("a ", -1, "a space at an end"),
        ("a\N{NO-BREAK SPACE}", -1, "a space at an end"),
        ("a\nb", 1, r"U\+000A cannot be in a name"),
        ("a\x00", 1, r"U\+0000 cannot be"),
        ("a\x7f", 1, r"U\+007F cannot be"),
        ("a\x9bb", 1, r"U\+009B cannot be"),
        ("ab\u2028", 2, r"U\+2028 cannot be"),
        ("\u2029a", 0, r"U\+2029 cannot be"),
        ("a\ud800", 1, r"U\+D800 cannot be"),
        (3, -1, "a name is text, not int"),
        (None, -1, "a name is text, not NoneType"),
        (b"a", -1, "a name is text, not bytes"),
    ],
)
def test_unsafe_names_are_refused(name: Any, place: int, problem: str) -> None:
    """What would end a line, a URL or a terminal's patience is no name."""
    with pytest.raises(InvalidValue, match=problem) as caught:
        check_name(name, "a name")
    assert place == caught.value.place


# Days and recorded times


@given(days())
def test_days_are_read_as_written(day: date) -> None:
    """A day, or its text."""
    assert day == day_of(day) == day_of(day.isoformat())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "2025-04",
        "20250425",
        "2025-W17-5",
        "2025-115",
        "2025-02-30",
        "2025-4-25",
        "2025-04-25 ",
        "2025-04-25T09:00:00Z",
        "٢٠٢٥-٠٤-٢٥",
        "today",
        20250425,
        None,
        datetime(2025, 4, 25, tzinfo=UTC),
    ],
)
def test_anything_else_is_no_day(text: Any) -> None:
    """A date-time, a week or eight digits are not what was asked for."""
    with pytest.raises(InvalidValue, match="accepted: a day like 2025-04-25"):
        day_of(text)


MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - likewise
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=4)), timezone(timedelta(hours=-11))]
    ),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(MOMENTS)
def test_recorded_times_come_back(moment: datetime) -> None:
    """To the microsecond, whatever the zone, before 1970 as after."""
    recorded_us = recorded_us_of(moment.isoformat())
    record = Recorded(1, "s", 1, "i", "suspended/1", recorded_us, EVENT)
    assert moment == record.recorded_at
    assert moment.astimezone(UTC).date() == record.recorded_on == day_of_us(recorded_us)
    assert moment == EPOCH + timedelta(microseconds=recorded_us)


EVENT = Suspended(when=When("2025"), cites=Citation("source/a"))
FIRST, LAST = "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"


def test_the_first_and_the_last_moment_are_taken() -> None:
    """The years 1 to 9999, to the microsecond; one more is none."""
    first, last = recorded_us_of(FIRST), recorded_us_of(LAST)
    check_recorded_us(first)
    check_recorded_us(last)
    for outside in (first - 1, last + 1):
        with pytest.raises(InvalidValue):
            check_recorded_us(outside)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the machine into a zone that is behind UTC."""
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_the_zone_of_the_machine_plays_no_part() -> None:
    """There the first moment would lie in a year that there is not."""
    first = datetime(1, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert first == timedelta(microseconds=recorded_us_of(FIRST))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2025-04-25T09:00:00", "it has no time zone"),
        ("2025-04-25", "it has no time zone"),
        ("2025-02-30T09:00:00Z", "day is out of range"),
        ("0001-01-01T00:00:00+14:00", "out of range"),
        ("9999-12-31T23:00:00-02:00", "out of range"),
        ("noon", "Invalid isoformat"),
        ("", "Invalid isoformat"),
        (None, "Invalid isoformat"),
    ],
)
def test_other_recorded_times_are_refused(text: Any, problem: str) -> None:
    """No zone, no moment; and every moment that is taken can be shown in UTC."""
    with pytest.raises(InvalidValue, match=problem):
        recorded_us_of(text)


@given(days())
def test_known_by_a_day_includes_its_last_microsecond(day: date) -> None:
    """The day counts to its end, and not a moment of the next."""
    last = known_until(day)
    assert last == known_until(day.isoformat())
    assert day == day_of_us(last)
    assume(day < date.max)
    assert day + timedelta(days=1) == day_of_us(last + 1)


@given(days())
def test_known_from_a_day_includes_its_first_microsecond(day: date) -> None:
    """The day counts from its start, and not a moment of the one before."""
    first = known_from(day)
    assert first == known_from(day.isoformat())
    assert day == day_of_us(first)
    assume(day > date.min)
    assert day - timedelta(days=1) == day_of_us(first - 1)


@given(MOMENTS)
def test_known_by_a_moment_includes_it(moment: datetime) -> None:
    """A date-time, or its text, counts up to itself, and from itself."""
    assert recorded_us_of(moment) == known_from(moment)
    assert recorded_us_of(moment) == known_until(moment)
    assert recorded_us_of(moment) == known_until(moment.isoformat())


@pytest.mark.parametrize(
    "text", ["2025", "2025-W17-5", "yesterday", "2025-04-25T09", ""]
)
def test_other_answers_to_known_by_are_refused(text: str) -> None:
    """Neither a day nor a date-time with its zone."""
    with pytest.raises(InvalidValue):
        known_until(text)
