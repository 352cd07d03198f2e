"""What Hypothesis draws for our classes by itself, and how hard it tries."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from azcn_events import (
    Amount,
    Citation,
    Event,
    Lifecycle,
    Milestone,
    MilestonePromised,
    When,
)
from azcn_events.core.codec import Codec
from azcn_events.core.events import Look, Parameter
from azcn_events.core.values import Sealed
from azcn_events.investment import INVESTMENT, Claim, GroupCount, Party
from azcn_events.testing.profiles import load_profile
from azcn_events.testing.registration import register, register_built_in


def in_a_new_interpreter(program: str) -> str:
    """Run a program and give what it printed."""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_needs_no_line_of_code() -> None:
    """In a new interpreter, Hypothesis knows our classes as soon as it is imported."""
    program = """
from hypothesis import Phase, given, settings, strategies as st
from azcn_events.investment import LandAllocated
found = set()

@settings(max_examples=20, phases=[Phase.generate], database=None)
@given(st.from_type(LandAllocated))
def draw(event):
    found.add((type(event).__name__, bool(event.replaces)))

draw()
print(*sorted(found))
"""
    expected = "('LandAllocated', False) ('LandAllocated', True)"
    assert expected == in_a_new_interpreter(program)


def test_it_loads_no_strategy_before_it_is_asked() -> None:
    """Importing Hypothesis loads the classes, and neither strategies nor stores."""
    program = """
import sys, hypothesis
loaded = sorted(name for name in sys.modules if name.startswith("azcn_events.testing"))
print(*loaded, "azcn_events.stores" in sys.modules, "apsw" in sys.modules)
"""
    expected = "azcn_events.testing azcn_events.testing.registration False False"
    assert expected == in_a_new_interpreter(program)


def test_hypothesis_can_leave_it_out() -> None:
    """Its own switch for plugins is heeded: nothing of ours is then loaded."""
    program = """
import os
os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"
import sys, hypothesis
print("azcn_events" in sys.modules)
"""
    assert "False" == in_a_new_interpreter(program)


@given(st.data())
def test_every_fact_is_drawn_and_stored(data: st.DataObject) -> None:
    """What is drawn for any class of the lifecycle can be stored, and comes back."""
    codec = Codec(INVESTMENT)
    kind = data.draw(st.sampled_from(list(INVESTMENT.kinds.values())))
    event = data.draw(st.from_type(kind))
    assert kind is type(event)
    assert event == codec.decode(*codec.encode(event))


@pytest.mark.parametrize(
    "value", [When, Amount, Citation, Claim, GroupCount, Party, Sealed, Look, Parameter]
)
def test_every_value_is_drawn(value: type[object]) -> None:
    """The values that events carry are drawn by their class, fit to be stored."""
    body = {"__annotations__": {"value": value}}
    held: Any = frozen(type("Held", (Event,), body))
    codec = Codec(Lifecycle("held", {"held": held}))

    @settings(max_examples=50, phases=[Phase.generate])
    @given(st.from_type(value))
    def drawn(one: object) -> None:
        event = held(value=one, when=When("2025"), cites=Citation("source/s"))
        assert event == codec.decode(*codec.encode(event))

    drawn()


@frozen
class Dug(Event):
    pass


HOLE = Lifecycle("hole", {"dug": Dug}, (Milestone("open", met_by=Dug),))


@pytest.fixture
def hole() -> Iterator[None]:
    """Register another lifecycle, and the built-in one again afterwards."""
    register(HOLE)
    yield
    register_built_in()


@pytest.mark.usefixtures("hole")
def test_a_lifecycle_of_ones_own() -> None:
    """Once registered, its facts are drawn, and promises name its milestones."""

    @settings(max_examples=20)
    @given(st.from_type(Dug), st.from_type(MilestonePromised))
    def drawn(dug: Dug, promise: MilestonePromised) -> None:
        codec = Codec(HOLE)
        assert dug == codec.decode(*codec.encode(dug))
        assert "open" == promise.milestone

    drawn()


def test_common_facts_name_milestones() -> None:
    """Those of the built-in lifecycle, while no other one is registered."""
    found: set[str] = set()

    @settings(max_examples=200)
    @given(st.from_type(MilestonePromised))
    def drawn(promise: MilestonePromised) -> None:
        found.add(promise.milestone)

    drawn()
    assert set(INVESTMENT.milestone_names) == found


@pytest.fixture
def profile() -> Iterator[None]:
    """Bring back the profile of this run."""
    before = settings.get_current_profile_name()
    yield
    settings.load_profile(before)


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("given_name", "asked", "is_ci", "expected"),
    [
        ("", "", "", "dev"),
        ("", "", "true", "ci"),
        ("", "short", "true", "short"),
        ("nightly", "short", "true", "nightly"),
    ],
)
def test_the_profile_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
    given_name: str,
    asked: str,
    is_ci: str,
    expected: str,
) -> None:
    """By name, else by HYPOTHESIS_PROFILE, else by CI, else for a developer."""
    monkeypatch.setenv("HYPOTHESIS_PROFILE", asked)
    monkeypatch.setenv("CI", is_ci)
    load_profile(given_name)
    assert expected == settings.get_current_profile_name()


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("name", "examples", "is_repeatable"),
    [
        ("dev", 60, False),
        ("ci", 100, True),
        ("short", 20, True),
        ("nightly", 2_000, False),
    ],
)
def test_a_profile_does_what_its_row_says(
    name: str, examples: int, *, is_repeatable: bool
) -> None:
    """How many examples, and whether they are the same each time; never a deadline."""
    load_profile(name)
    now = settings.default
    assert now is not None
    assert (examples, is_repeatable) == (now.max_examples, now.derandomize)
    assert now.deadline is None
