"""Whatever a stranger wrote is read or refused, and soon."""

from __future__ import annotations

import pytest
from tests.hostile.parsers import PARSERS, SECONDS_MAX, Parser, campaign

from azcn_events.errors import AzcnEventsError

EACH = [pytest.param(one, id=one.name) for one in PARSERS]


@pytest.mark.parametrize("parser", EACH)
def test_hostile_bytes_are_taken_or_refused_soon(parser: Parser) -> None:
    """A short campaign; ``python -m tests.hostile`` is the long one."""
    tally = campaign(parser, 300)
    assert tally.inputs == max(1, round(300 * parser.share))
    assert SECONDS_MAX > tally.slowest_s


def test_a_parser_that_crashes_is_noticed() -> None:
    """Any error but ours comes through."""

    def careless(data: bytes) -> int:
        if data == b"12 apples":
            return 12
        raise ValueError(data)

    with pytest.raises(ValueError, match="b"):
        campaign(Parser("apples", lambda: [b"12 apples"], careless), 30)


def test_what_is_refused_is_counted_by_its_error() -> None:
    """And so is what is taken."""

    def strict(data: bytes) -> None:
        if data != b"12 apples":
            raise AzcnEventsError("no apples")

    tally = campaign(Parser("apples", lambda: [b"12 apples"], strict), 200)
    assert {"AzcnEventsError"} == set(tally.refused)
    assert tally.taken == 200 - tally.refused.total()
