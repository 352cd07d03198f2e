"""How laws are asked, and how what breaks them is shown; the zoo tests the laws."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from tests.testing.rules import KINDS, MINE, FirstExport, FirstOre, Licensed, mine

from azcn_events import INVESTMENT, Event, Milestone, Projection, Recorded, State
from azcn_events.core.codec import Codec
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.testing import (
    LIFECYCLE_LAWS,
    PROJECTION_LAWS,
    LawBroken,
    agrees_with,
    assert_lawful,
    check_laws,
    conforms_to,
    over_logs,
    pinned_by,
    reads_old_bytes,
    same,
    transition_table,
    wire_corpus,
)
from azcn_events.testing.laws.law import ensure
from azcn_events.testing.transcript import Log


def biggest(one: Counter[str], other: Counter[str]) -> Counter[str]:
    """Join two counts wrongly."""
    return one | other


WRONG = Projection("wrong", KINDS.start, KINDS.step, biggest)


@pytest.mark.parametrize("lifecycle", [MINE, INVESTMENT], ids=["mine", "investment"])
def test_what_is_right_breaks_no_law(lifecycle: Lifecycle) -> None:
    """Our lifecycle, its codec and an honest projection."""
    assert [] == check_laws(lifecycle)
    assert [] == check_laws(KINDS, lifecycle=lifecycle)
    assert [] == check_laws(Codec(lifecycle), lifecycle=lifecycle)


def test_a_broken_law_is_shown_with_the_shortest_case() -> None:
    """To the letter: this is what people read."""
    (broken,) = check_laws(WRONG, lifecycle=MINE, examples=100)
    assert "shard_merge" == broken.law
    kinds = [type(record.event) for record in broken.log]
    assert 2 == len(kinds)
    first, second = broken.log
    name = MINE.name_of(kinds[0])
    head, below, *_ = str(broken).splitlines()
    says = "Shards of the streams, merged in any order, give what one run gives."
    assert (f"shard_merge: {says}", "Broken by this log:") == (head, below)
    assert f"     one way:   {{'{name}/1': 2}}" in str(broken)
    assert f"     the other: {{'{name}/1': 1}}" in str(broken)
    assert kinds[0] is kinds[1]
    assert first.stream != second.stream


def test_all_broken_laws_are_raised_together() -> None:
    """The error has them, and its text shows them."""
    laws = [*PROJECTION_LAWS, agrees_with(lambda _: Counter({"nothing": 1}))]
    with pytest.raises(LawBroken) as raised:
        assert_lawful(WRONG, laws, lifecycle=MINE, examples=100)
    assert ["shard_merge", "oracle"] == [b.law for b in raised.value.broken]
    assert "oracle: It gives what the reference gives." in str(raised.value)


def crash(_: Counter[str], record: Recorded) -> Counter[str]:
    """Fail at the first ore."""
    if isinstance(record.event, FirstOre):
        raise KeyError(record.stream)
    return Counter()


def test_an_error_breaks_one_law_and_is_said_once() -> None:
    """Every law would be broken by it; that helps nobody."""
    (broken,) = check_laws(Projection("crash", Counter, crash), lifecycle=MINE)
    assert PROJECTION_LAWS[0].name == broken.law
    assert [FirstOre] == [type(record.event) for record in broken.log]
    assert "it raised KeyError: 'a'" == broken.message


CALLS: list[int] = []


def fickle(seen: Counter[str], record: Recorded) -> Counter[str]:
    """Count wrong, once."""
    CALLS.append(1)
    seen[record.kind] += 2 if len(CALLS) == 5 else 1
    return seen


def test_what_cannot_be_repeated_is_said_to_be_so() -> None:
    """It was seen; that it was not seen again is told, and no other reason made up."""
    CALLS.clear()
    laws = [law for law in PROJECTION_LAWS if law.name == "deterministic"]
    (broken,) = check_laws(Projection("f", Counter, fickle), laws, lifecycle=MINE)
    assert "it was broken once, and not when the same log was tried again" == (
        broken.message
    )


class Raising(Lifecycle):
    """Its rules fail."""

    def refusal(self, state: State, event: Event, stream: str = "") -> None:
        """Fail."""
        raise RuntimeError(f"no rules today for {event} in {stream}, {state}")


def test_rules_that_raise_are_reported_and_do_not_escape() -> None:
    """Nothing can be drawn from them, and that is what is said."""
    raising = Raising(name="mine", events=MINE.events, milestones=MINE.milestones)
    broken = check_laws(raising, [law for law in LIFECYCLE_LAWS if law.check])
    assert "RuntimeError" in str(broken[0])


@over_logs
def no_export(_: object, __: Lifecycle, log: Log) -> None:
    """Nothing is ever exported."""
    ensure(all(not isinstance(r.event, FirstExport) for r in log), "it is")


def test_a_law_of_ones_own_is_found_broken_by_the_shortest_history() -> None:
    """Its name and sentence are the function's; the history is one that can happen."""
    (broken,) = check_laws("anything", [no_export], lifecycle=MINE)
    assert ("no_export", "Nothing is ever exported.") == (broken.law, broken.sentence)
    assert [FirstOre, FirstExport] == [type(record.event) for record in broken.log]


def test_what_has_no_laws_is_asked_for_them() -> None:
    """A function may be a report or open a store: the error says what to give."""
    with pytest.raises(TypeError, match="laws=STORE_LAWS, REPORT_LAWS"):
        check_laws(print)


def test_values_that_differ_are_shown_where_they_differ() -> None:
    """Mappings by their entries, long values cut."""
    with pytest.raises(AssertionError) as raised:
        same({"a": 1, "b": 2}, {"a": 1, "c": "x" * 1000}, "two")
    assert "'a'" not in str(raised.value)
    assert "{'b': 2}" in str(raised.value)
    assert len(str(raised.value)) < 500


def test_the_profile_says_how_many_logs() -> None:
    """And an argument overrules it."""
    drawn = list[Log]()

    @over_logs
    def watched(_: object, __: Lifecycle, log: Log) -> None:
        """Nothing."""
        drawn.append(log)

    check_laws("x", [watched], lifecycle=MINE, examples=17)
    assert 17 == len(drawn)
    check_laws("x", [watched], lifecycle=MINE)
    assert 17 + settings().max_examples == len(drawn)


def test_a_pin_shows_what_was_changed() -> None:
    """The difference, line by line."""
    loose = mine(*MINE.milestones[:2], Milestone("exporting", met_by=FirstExport))
    assert [] == check_laws(MINE, [pinned_by(transition_table(MINE))])
    (broken,) = check_laws(loose, [pinned_by(transition_table(MINE))])
    assert "-    requires producing" in broken.message


def test_a_reference_is_compared_in_every_state() -> None:
    """The first state in which they differ is shown."""

    def strict(state: State, event: Event) -> str:
        licensed = state.milestones["licensed"].records
        if isinstance(event, FirstOre) and not licensed:
            return "unlicensed"
        refusal = MINE.refusal(state, event, "a")
        return refusal.code if refusal else ""

    (broken,) = check_laws(MINE, [conforms_to(strict)])
    assert () == broken.log
    assert "is admitted next; the reference says unlicensed" in broken.message


def test_bytes_that_were_kept_are_read_for_ever() -> None:
    """Ours are; a kind without any is named, and one that means another is shown."""
    corpus = wire_corpus(MINE)
    codec = Codec(MINE)
    assert [] == check_laws(codec, [reads_old_bytes(corpus)], lifecycle=MINE)
    (lacking,) = check_laws(codec, [reads_old_bytes(corpus[1:])], lifecycle=MINE)
    assert "nothing was kept of licensed/1" in lacking.message
    renamed = mine(*MINE.milestones, upcasts={("first-ore", 1): _double})
    (broken,) = check_laws(Codec(renamed), [reads_old_bytes(corpus)], lifecycle=renamed)
    assert "first-ore/1 is read as" in broken.message
    assert Licensed is type(corpus[0].event)


def _double(plain: dict[str, object]) -> dict[str, object]:
    return {**plain, "tons": 2}
