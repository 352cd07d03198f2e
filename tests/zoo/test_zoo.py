"""What the kit promises of the planted bugs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median
from typing import Final

import pytest
from hypothesis import settings
from tests.zoo.bug import Bug, false_alarms, finding
from tests.zoo.zoo import GROUPS, MISSED, PAGE

from azcn_events.testing.profiles import load_profile

BUGS: Final = [bug for bugs in GROUPS.values() for bug in bugs]
EACH: Final = [pytest.param(bug, id=bug.name) for bug in BUGS]
EVENTS_MAX: Final = 5
MEDIAN_MAX: Final = 3
SHARE_MIN: Final = 0.95


@pytest.fixture(scope="module", autouse=True)
def _same_examples() -> Iterator[None]:
    """Draw the same logs each time, as for the page."""
    before = settings.get_current_profile_name()
    load_profile("ci")
    yield
    settings.load_profile(before)


@pytest.mark.parametrize("bug", EACH)
def test_each_bug_is_caught_with_a_short_case(bug: Bug) -> None:
    """A one-line check finds it, by a case of at most five events."""
    found = finding(bug)
    assert found.laws or bug.name in MISSED
    assert EVENTS_MAX >= found.events


@pytest.mark.parametrize("bug", EACH)
def test_no_twin_raises_an_alarm(bug: Bug) -> None:
    """The same check finds nothing in the twin."""
    assert () == false_alarms(bug)


def test_most_are_caught_and_most_cases_are_tiny() -> None:
    """Of every hundred at least 95 are caught, half of them by three events or less."""
    sizes = [finding(bug).events for bug in BUGS if finding(bug).laws]
    assert SHARE_MIN <= len(sizes) / len(BUGS)
    assert MEDIAN_MAX >= median(sizes)


def test_names_are_unlike_each_other() -> None:
    """Each bug has its own name, and what is missed is one of them."""
    names = [bug.name for bug in BUGS]
    assert len(names) == len(set(names))
    assert set(names) >= MISSED


def test_the_page_lists_these_bugs() -> None:
    """The table in the docs is this zoo's; ``python -m tests.zoo --write`` writes it.

    Which law is named first may hang on the order of a set, and so on the process.
    """
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| (.*) \| (?:`\w+`|\*\*missed).* \|",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [(bug.name, bug.why.replace("|", "\\|")) for bug in BUGS] == rows
