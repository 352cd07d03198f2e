"""A pytest plugin for mutation testing: the quick tests first, and no more than tests.

Most mutants die of a quick test; the slow ones are then left out. A process tries one
mutant and ends: collecting its garbage would take longer than many of the tests.
"""

from __future__ import annotations

import gc
import json
from functools import cache
from pathlib import Path

import pytest

MEASURED = Path("mutmut-stats.json")
"""Where mutmut says how long each test took without a mutant."""


def pytest_configure() -> None:
    """Collect no garbage."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in the order of how long they take."""
    items.sort(key=lambda item: durations_s().get(item.nodeid, 0))


@cache
def durations_s() -> dict[str, float]:
    """Give how long each test takes; empty while that is still being measured."""
    if not MEASURED.exists():
        return {}
    durations: dict[str, float] = json.loads(MEASURED.read_text())["duration_by_test"]
    return durations
