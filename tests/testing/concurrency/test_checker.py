"""The fast checker finds what the slow one finds, and names it."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.testing.concurrency.histories import History, asked, history, saw, simulated

from azcn_events.errors import InvalidValue
from azcn_events.testing.concurrency import (
    Kind,
    Operation,
    Refused,
    Stored,
    Unknown,
    anomalies,
    failing,
    linearizable,
)

HISTORIES = int(os.environ.get("AZCN_HISTORIES", "20000"))
"""How many the two checkers are compared on; more for a campaign."""

KINDS_OF_ORDER = set(Kind) - {
    Kind.FAILING,
    Kind.SKIPPED,
    Kind.OUT_OF_ORDER,
    Kind.GAP,
}


def test_both_checkers_agree_on_many_histories() -> None:
    """On good ones and on bad ones, of which there are many of every kind."""
    good, kinds = 0, Counter[Kind]()
    for seed in range(HISTORIES):
        operations, final = history(Random(seed))  # noqa: S311 - no secrets
        found = anomalies(operations, final)
        assert linearizable(operations, final) == (not found), (seed, found)
        good += not found
        kinds.update({one.kind for one in found})
    bad = HISTORIES - good
    print(f"{HISTORIES:,} histories: {good:,} good, {bad:,} bad: {dict(kinds)}")  # noqa: T201 - the figures of a campaign
    assert min(good, bad) > HISTORIES / 4
    assert KINDS_OF_ORDER == kinds.keys()
    assert min(kinds.values()) > HISTORIES / 500


@given(st.randoms(use_true_random=False).map(history))
def test_both_checkers_agree(made: History) -> None:
    """The same, with the smallest history that they disagree on."""
    operations, final = made
    assert linearizable(operations, final) == (not anomalies(operations, final))


@given(st.randoms(use_true_random=False).map(simulated))
def test_a_store_that_does_one_thing_after_another_raises_no_alarm(
    made: History,
) -> None:
    """However its clients overlap, and whatever they are not told."""
    assert [] == anomalies(*made)


@given(st.randoms(use_true_random=False).map(history), st.randoms())
def test_the_order_of_the_evidence_does_not_matter(
    made: History, random: Random
) -> None:
    """Clients may be asked for what they saw in any order."""
    operations, final = made
    expected = Counter(one.kind for one in anomalies(operations, final))
    random.shuffle(operations)
    assert expected == Counter(one.kind for one in anomalies(operations, final))


@pytest.mark.parametrize(
    ("kind", "operations", "log"),
    [
        (Kind.LOST, [asked(0, "a", Stored(1))], ""),
        (Kind.FOREIGN, [], "a"),
        (Kind.DOUBLED, [asked(0, "a", Stored(1)), asked(1, "b", Stored(2))], "abb"),
        (Kind.STORED_THOUGH_REFUSED, [asked(0, "a", Refused(1))], "a"),
        (Kind.TORN, [asked(0, "ab", Stored(2))], "a"),
        (Kind.TORN, [asked(0, "ab", Unknown("busy"))], "b"),
        (Kind.TORN, [asked(0, "ab", Stored(2))], "ba"),
        (Kind.UNCHECKED, [asked(0, "a", Stored(1)), asked(0, "b", Stored(2))], "ab"),
        (
            Kind.UNCHECKED,
            [asked(0, "a", Stored(1)), asked(0, "b", Unknown("busy"))],
            "ab",
        ),
        (Kind.MISNUMBERED, [asked(0, "a", Stored(2))], "a"),
        (Kind.WRONG_REFUSAL, [asked(0, "a", Refused(0))], ""),
        (Kind.WRONG_REFUSAL, [asked(0, "a", Refused(3))], ""),
        (
            Kind.WRONG_REFUSAL,
            [asked(0, "ab", Stored(2)), asked(0, "c", Refused(1))],
            "ab",
        ),
        (Kind.WRONG_READ, [asked(0, "a", Stored(1)), saw("b")], "a"),
        (Kind.HALF_READ, [asked(0, "ab", Stored(2)), saw("a")], "ab"),
        (Kind.STALE, [asked(0, "a", Stored(1), 0, 1), saw("", 2, 3)], "a"),
        (
            Kind.STALE,
            [asked(0, "a", Stored(1), 0, 1), asked(5, "b", Refused(0), 2, 3)],
            "a",
        ),
        (
            Kind.STALE,
            [asked(1, "b", Stored(2), 0, 1), asked(0, "a", Stored(1), 2, 3)],
            "ab",
        ),
        (Kind.STALE, [saw("a", 0, 1), asked(0, "a", Unknown("busy"), 2)], "a"),
    ],
)
def test_each_anomaly_has_its_name(
    kind: Kind, operations: list[Operation], log: str
) -> None:
    """A history with one thing wrong gives that one anomaly."""
    final = {"s": tuple(log)}
    assert [kind] == [one.kind for one in anomalies(operations, final)]
    assert not linearizable(operations, final)


@pytest.mark.parametrize(
    ("operations", "log"),
    [
        ([asked(0, "a", Unknown("busy"))], ""),
        ([asked(0, "a", Unknown("busy"))], "a"),
        # It takes effect long after the client gave up, and a refusal notices.
        (
            [
                asked(0, "a", Unknown("busy"), 0),
                saw("", 10, 11),
                asked(0, "b", Refused(1), 20, 21),
            ],
            "a",
        ),
        # What is called at the moment of a return overlaps with it.
        ([asked(0, "a", Stored(1), 0, 5), saw("", 5, 6)], "a"),
    ],
)
def test_what_is_allowed_raises_no_alarm(operations: list[Operation], log: str) -> None:
    """An unknown append may happen, late, or not; only what is over must be seen."""
    assert [] == anomalies(operations, {"s": tuple(log)})


def test_an_anomaly_shows_the_operation_at_fault_and_its_rival() -> None:
    """The text says what was expected, what was found, and by whom."""
    first, second = asked(0, "a", Stored(1), 0, 9), asked(0, "b", Stored(1), 1, 8)
    [anomaly] = anomalies([first, second], {"s": ("a", "b")})
    assert (second, first) == anomaly.operations
    assert (
        "s: expected version 0, but stored after 1 (unchecked)\n"
        "  client 1: append b after version 0 -> stored, now version 1\n"
        "  client 0: append a after version 0 -> stored, now version 1"
    ) == str(anomaly)


def test_the_first_anomaly_is_the_one_that_was_called_first() -> None:
    """So that one reads on from where it began."""
    early, late = asked(0, "a", Stored(1), 1, 2), asked(0, "b", Stored(1), 7, 8)
    found = anomalies([late, early], {})
    assert [(early,), (late,)] == [one.operations for one in found]


def test_two_appends_with_one_id_are_no_evidence() -> None:
    """Nobody could tell which of the two was stored."""
    operations = [asked(0, "a", Stored(1)), asked(1, "a", Stored(2))]
    with pytest.raises(InvalidValue, match="2 appends have this id"):
        anomalies(operations, {})


@pytest.mark.parametrize(("failures", "kinds"), [(0, []), (1, []), (2, [Kind.FAILING])])
def test_more_than_one_failure_in_a_hundred_is_an_anomaly(
    failures: int, kinds: list[Kind]
) -> None:
    """A store that only ever fails keeps every other promise."""
    failed = [asked(0, "a", Unknown("StoreBusy"), n) for n in range(failures)]
    found = failing([*[saw("")] * (100 - failures), *failed])
    assert kinds == [one.kind for one in found]
