"""The oracle itself, on histories whose verdict one can see."""

from __future__ import annotations

import pytest
from tests.testing.concurrency.histories import asked, saw

from azcn_events.testing.concurrency import (
    Operation,
    SearchTooLong,
    Stored,
    Unknown,
    linearizable,
)


@pytest.mark.parametrize(
    ("expected", "operations", "log"),
    [
        (True, [], ""),
        (False, [], "a"),
        # The log is read when all is over, also if that was at the time 0.
        (False, [asked(0, "a", Stored(1), -5, 0)], ""),
        # Overlapping reads may see an append or not; later ones must.
        (True, [asked(0, "a", Stored(1), 0, 9), saw("", 1, 2), saw("a", 3, 4)], "a"),
        (False, [asked(0, "a", Stored(1), 0, 9), saw("a", 1, 2), saw("", 3, 4)], "a"),
        # The order that explains them is not the order of the calls.
        (True, [asked(1, "b", Stored(2), 0, 9), asked(0, "a", Stored(1), 1, 8)], "ab"),
        (False, [asked(1, "b", Stored(2), 0, 1), asked(0, "a", Stored(1), 2, 3)], "ab"),
        # An unknown append may happen after everything else, but not before its call.
        (True, [asked(0, "a", Unknown("busy"), 0), saw("", 5, 6)], "a"),
        (False, [saw("a", 0, 1), asked(0, "a", Unknown("busy"), 2)], "a"),
    ],
)
def test_small_histories(
    *, expected: bool, operations: list[Operation], log: str
) -> None:
    """Each operation takes effect between its call and its return, in some order."""
    assert expected == linearizable(operations, {"s": tuple(log)})


def test_a_search_that_takes_too_long_is_given_up() -> None:
    """Thirty lost answers to appends that may follow each other in any order."""
    operations = [
        asked(version, id_, Unknown("busy"), 0)
        for version in range(10)
        for id_ in (f"{version}", chr(ord("a") + version), chr(ord("A") + version))
    ]
    with pytest.raises(SearchTooLong, match="no verdict after 502 steps"):
        linearizable(operations, {"s": tuple("0aB")}, steps_max=500)
