"""Facts about the ledger itself: where they go, and what they ask for."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest

from azcn_events import INVESTMENT, Citation, Lifecycle, When
from azcn_events.core.events import (
    LEDGER_FACTS,
    LEDGER_STREAMS,
    Erased,
    Event,
    Look,
    Recorded,
    ReportContinued,
    ReportPublished,
    Retracted,
    Terminated,
)
from azcn_events.core.history import Moment
from azcn_events.errors import InvalidLifecycle, InvalidValue
from azcn_events.testing import simplest

FREE = Lifecycle(name="free", events={})
"""A lifecycle that knows no categories: every stream takes every fact of its own."""

WHEN = When("2025-04-17")
FROM = Citation("source/order-7")
A = "A" * 43 + "="
B = "B" * 42 + "E="


def erased(**more: Any) -> Erased:
    """Make an erasure that lacks nothing, but for what is given."""
    given: dict[str, Any] = {
        "commitments": (A, B),
        "ordered_by": "the court",
        "ground": "article 5.3",
        "approved_by": ("A. Person", "B. Person"),
        "when": WHEN,
        "cites": FROM,
    }
    return Erased(**given | more)


def test_every_fact_about_the_ledger_has_its_streams() -> None:
    """None is left without, and none belongs to two categories."""
    placed = [kind for kinds in LEDGER_STREAMS.values() for kind in kinds]
    assert sorted(map(repr, LEDGER_FACTS.values())) == sorted(map(repr, placed))
    assert LEDGER_FACTS.items() <= INVESTMENT.kinds.items()
    assert LEDGER_FACTS.items() <= FREE.kinds.items()


@pytest.mark.parametrize("lifecycle", [INVESTMENT, FREE], ids=lambda one: one.name)
@pytest.mark.parametrize("category", LEDGER_STREAMS)
def test_their_streams_take_them_and_nothing_else(
    lifecycle: Lifecycle, category: str
) -> None:
    """Only them and retractions, in whatever state; they have no milestones."""
    taken = {*LEDGER_STREAMS[category], Retracted}
    stream = f"{category}/a"
    assert not lifecycle.has_milestones(stream)
    ended = Recorded(1, "s", 1, "1", "", 0, Terminated(when=WHEN, cites=FROM))
    for state in (lifecycle.replay([]), lifecycle.replay([ended])):
        admitted = set(lifecycle.admitted(state, stream))
        assert {lifecycle.name_of(kind) for kind in taken} == admitted
    found = lifecycle.refusal(
        lifecycle.replay([]), Terminated(when=WHEN, cites=FROM), stream
    )
    assert found is not None
    assert "misplaced" == found.code
    assert f"streams of category '{category}' do not take it" == found.reason


@pytest.mark.parametrize("lifecycle", [INVESTMENT, FREE], ids=lambda one: one.name)
@pytest.mark.parametrize("kind", LEDGER_FACTS.values())
@pytest.mark.parametrize("stream", ["agreement/a", "agreement", ""])
def test_no_other_stream_takes_them(
    lifecycle: Lifecycle, kind: type[Event], stream: str
) -> None:
    """Not even where a lifecycle takes everything everywhere."""
    found = lifecycle.refusal(lifecycle.replay([]), simplest(kind), stream)
    assert found is not None
    assert "misplaced" == found.code
    assert "it is about the ledger, and belongs in report/… or erasure/…" == (
        found.reason
    )


@attrs.frozen
class Own(Event):
    """A fact of one's own."""


@pytest.mark.parametrize("category", LEDGER_STREAMS)
def test_a_lifecycle_cannot_have_their_categories(category: str) -> None:
    """Neither for its milestones nor for other streams, nor take their names."""
    wanted = f"the category {category!r} is for facts about the ledger itself"
    with pytest.raises(InvalidLifecycle) as caught:
        Lifecycle(name="mine", events={"own": Own}, category=category)
    assert (wanted,) == caught.value.problems
    with pytest.raises(InvalidLifecycle) as caught:
        Lifecycle(
            name="mine",
            events={"own": Own},
            category="mine",
            streams={"mine": (Own,), category: ()},
        )
    assert (wanted,) == caught.value.problems


@pytest.mark.parametrize("name", LEDGER_FACTS)
def test_a_lifecycle_cannot_have_their_names(name: str) -> None:
    """They are on disk."""
    with pytest.raises(InvalidLifecycle, match="belongs to a common fact"):
        Lifecycle(name="mine", events={name: Own})


def test_a_moment_shows_them_when_asked_for() -> None:
    """Everything is everything that the ledger is about, and not the ledger."""
    log = [
        Recorded(n, stream, 1, str(n), "", 0, Own(when=WHEN, cites=FROM))
        for n, stream in enumerate(("a", "report/a", "reports/a", "erasure"), 1)
    ]
    moment = Moment(FREE, lambda: log, None, date(2025, 1, 1))
    assert ["a", "reports/a"] == [history.stream for history in moment.histories()]
    assert ["report/a"] == [h.stream for h in moment.histories("report")]
    assert ["erasure"] == [h.stream for h in moment.histories("erasure")]


# What they ask for


def published(**more: Any) -> ReportPublished:
    """Make a publication that lacks nothing, but for what is given."""
    given: dict[str, Any] = {
        "report": "pipeline",
        "report_version": 1,
        "look": Look(0, date(2025, 1, 1)),
        "root": "0a" * 32,
        "digest": "sha256:" + "0a" * 32,
        "form": "rows/1",
        "rows": 0,
        "when": WHEN,
        "cites": FROM,
    }
    return ReportPublished(**given | more)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("root", "0A" * 32),
        ("root", "0a" * 31),
        ("digest", "0a" * 32),
        ("report_version", 0),
        ("rows", -1),
        ("parts", -1),
    ],
)
def test_a_publication_is_checked(field: str, value: object) -> None:
    """Digests have their form, and numbers are counted from 0 or 1."""
    assert published() == published()
    with pytest.raises(ValueError, match=field):
        published(**{field: value})


def test_a_look_knows_no_position_below_zero() -> None:
    """Nothing is before the first event."""
    with pytest.raises(ValueError, match="position"):
        Look(-1, date(2025, 1, 1))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("commitments", (), "an erasure erases something"),
        ("commitments", (A, "B"), "this is no commitment"),
        ("commitments", ("A" * 42 + "B=",), "this is no commitment"),
        ("ordered_by", " ", "ordered_by says nothing"),
        ("ground", "", "ground says nothing"),
        ("approved_by", (), "one person alone may not erase"),
        ("approved_by", ("A. Person",), "one person alone may not erase"),
        ("approved_by", ("A. Person", " a.  PERSON "), "one person alone"),
        ("approved_by", ("A. Person", " "), "one person alone may not erase"),
    ],
)
def test_an_erasure_is_ordered_grounded_and_approved_by_two(
    field: str, value: object, problem: str
) -> None:
    """One person under two spellings is one person."""
    assert erased() == erased()
    with pytest.raises(InvalidValue, match=problem):
        erased(**{field: value})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        (
            "commitments",
            (),
            (
                "",
                "an erasure erases something",
                "the commitments of the values that are gone",
            ),
        ),
        (
            "ground",
            " ",
            (" ", "ground says nothing", "who ordered it, and on what legal ground"),
        ),
        (
            "approved_by",
            ("A. Person", "a.  person"),
            (
                "A. Person, a.  person",
                "one person alone may not erase",
                "the names of at least two different people",
            ),
        ),
    ],
)
def test_what_an_erasure_lacks_is_told(
    field: str, value: object, told: tuple[str, str, str]
) -> None:
    """With what was found, what is wrong with it, and what is asked for."""
    with pytest.raises(InvalidValue) as caught:
        erased(**{field: value})
    error = caught.value
    assert told == (error.found, error.problem, error.accepted)


def test_a_continuation_only_has_content() -> None:
    """It says nothing by itself."""
    assert "x" == ReportContinued(content="x", when=WHEN, cites=FROM).content
