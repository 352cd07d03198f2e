"""Evidence that contradicts itself is refused when it is written down."""

from __future__ import annotations

import pytest
from attrs import evolve
from tests.testing.concurrency.histories import asked, saw

from azcn_events.errors import InvalidValue
from azcn_events.testing.concurrency import Operation, Stored, Unknown


@pytest.mark.parametrize(
    ("operation", "returned_ns"),
    [
        (asked(0, "a", Stored(1), 5, 6), 4),
        (asked(0, "a", Stored(1), 5, 6), 0),
        (asked(0, "a", Stored(1), 5, 6), None),
        (asked(0, "a", Unknown("busy"), 5), 6),
        (asked(0, "a", Unknown("busy"), 5), 4),
        (saw("a", 5, 6), 4),
        (saw("a", 5, 6), None),
    ],
)
def test_a_return_fits_its_answer(
    operation: Operation, returned_ns: int | None
) -> None:
    """After the call, and never exactly if nobody knows what came of it."""
    with pytest.raises(InvalidValue, match="does not fit the answer"):
        evolve(operation, returned_ns=returned_ns)


def test_an_append_appends_something() -> None:
    """One without events would leave no trace to judge it by."""
    with pytest.raises(ValueError, match="ids"):
        asked(0, "", Stored(0))


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("append a, b after version 3 -> stored, now version 5",
         asked(3, "ab", Stored(5))),
        ("append a, b, c and 2 more after version 0 -> unknown: StoreBusy",
         asked(0, "abcde", Unknown("StoreBusy"))),
        ("read -> version 0", saw("")),
        ("read -> version 5: ..., c, d, e", saw("abcde")),
    ],
)  # fmt: skip
def test_an_operation_tells_what_was_asked_and_answered(
    text: str, operation: Operation
) -> None:
    """In a line, however many events there are."""
    assert text == str(operation)
