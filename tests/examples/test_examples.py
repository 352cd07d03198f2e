"""Every example runs, is short, and says what its docstring promises."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT_LINES_MAX = 59

SAYS = {
    "first_facts.py": ["land-allocated: met", "company-created: promised"],
    "the_seeds_month.py": [
        "2025-04-25-first-article.jsonl: 16 facts",
        "USD 335,000,000",
    ],
    "own_lifecycle.py": [
        "is refused",
        "licensed is expected before it",
        "flowchart LR",
    ],
    "what_was_known_when.py": [
        "known by 2025-04-25: [..2025-04-25~]",
        "known by 2025-05-02: 2025-04-17",
        "agreements known then: 0",
    ],
}


def test_every_example_has_a_promise() -> None:
    """An example that nobody checks is not there."""
    assert set(SAYS) == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It runs and prints what it is there to show."""
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capsys.readouterr().out
    assert [] == [words for words in SAYS[name] if words not in printed]


@pytest.mark.parametrize("name", SAYS)
def test_example_is_short(name: str) -> None:
    """It fits on a screen."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= SHORT_LINES_MAX
