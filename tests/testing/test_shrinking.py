"""Short cases: still broken, still possible, and as plain as can be."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from tests.testing.rules import MINE, FirstExport, FirstOre, Licensed

from azcn_events import INVESTMENT
from azcn_events.testing import fact, logs, told
from azcn_events.testing.shrinking import shrink
from azcn_events.testing.transcript import Log, retold

ADMIT = partial(retold, MINE)


def has(*kinds: type) -> partial[bool]:
    """Say whether a log has events of all these classes."""
    return partial(_has, kinds)


def _has(kinds: tuple[type, ...], log: Log) -> bool:
    return set(kinds) <= {type(record.event) for record in log}


LONG = told(
    MINE,
    *[("a", fact(Licensed, "2025-01-03")), ("b", fact(FirstOre, "2025-01-03"))] * 4,
    *[("a", fact(FirstOre, tons=7)), ("a", fact(FirstExport)), ("b", fact(Licensed))],
)


def test_only_what_it_takes_is_left() -> None:
    """One licence of five is enough to have one."""
    assert [Licensed] == [type(r.event) for r in shrink(LONG, has(Licensed), ADMIT)]


def test_what_is_left_can_happen() -> None:
    """An export needs ore before it, so ore stays."""
    short = shrink(LONG, has(FirstExport), ADMIT)
    assert [FirstOre, FirstExport] == [type(record.event) for record in short]


def test_facts_that_only_go_together_go_together() -> None:
    """Where any odd number of licences fails, three are not the fewest."""

    def is_odd(log: Log) -> bool:
        return len([r for r in log if isinstance(r.event, Licensed)]) % 2 == 1

    assert 1 == len(shrink(LONG, is_odd, ADMIT))


def test_fields_become_plain_unless_they_matter() -> None:
    """Seven tons matter, the day does not."""

    def has_seven(log: Log) -> bool:
        return any(r.event.tons == 7 for r in log if isinstance(r.event, FirstOre))

    (record,) = shrink(LONG, has_seven, ADMIT)
    assert fact(FirstOre, tons=7) == record.event
    assert ("r1", 1, 1) == (record.id, record.position, record.version)


@given(logs(INVESTMENT))
def test_it_fails_and_can_happen_still(log: Log) -> None:
    """Whatever the fault: what comes out shows it, and is no longer than before."""

    def has_many(tried: Log) -> bool:
        return len({record.stream for record in tried}) > 1

    if not has_many(log):
        return
    short = shrink(log, has_many, partial(retold, INVESTMENT))
    assert has_many(short)
    assert 2 == len(short)
    assert short == retold(INVESTMENT, short)


@given(logs(INVESTMENT))
def test_it_ends_where_nothing_can_be_taken_away(log: Log) -> None:
    """Without any one of its facts the log would not fail, or not be possible."""

    def has_correction(tried: Log) -> bool:
        return any(record.event.replaces for record in tried)

    if not has_correction(log):
        return
    short = shrink(log, has_correction, partial(retold, INVESTMENT))
    for at in range(len(short)):
        less = retold(INVESTMENT, [*short[:at], *short[at + 1 :]])
        assert less is None or not has_correction(less)
