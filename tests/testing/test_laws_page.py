"""The page of laws lists every law, in the words of the law itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest

from azcn_events.testing.laws import (
    CODEC_LAWS,
    CONCURRENT_STORE_LAWS,
    LIFECYCLE_LAWS,
    PROJECTION_LAWS,
    READ_MODEL_LAWS,
    REPORT_LAWS,
    STORE_LAWS,
    Law,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "laws.md"
SETS: Final[dict[str, tuple[Law[Any], ...]]] = {
    "PROJECTION_LAWS": PROJECTION_LAWS,
    "LIFECYCLE_LAWS": LIFECYCLE_LAWS,
    "CODEC_LAWS": CODEC_LAWS,
    "REPORT_LAWS": REPORT_LAWS,
    "READ_MODEL_LAWS": READ_MODEL_LAWS,
    "STORE_LAWS": STORE_LAWS,
    "CONCURRENT_STORE_LAWS": CONCURRENT_STORE_LAWS,
}
MARK = "<!-- From here on the laws themselves: AZCN_WRITE=1 writes them. -->\n"


def written() -> str:
    """Write all laws as tables."""
    parts = list[str]()
    for name, laws in SETS.items():
        rows = [f"| `{law.name}` | {law.sentence} |" for law in laws]
        table = "\n".join(["| law | what it says |", "|---|---|", *rows])
        parts.append(f"\n## `{name}`\n\n{table}\n")
    return "".join(parts)


def test_the_page_has_every_law_in_its_own_words() -> None:
    """Whoever adds a law writes the page anew: AZCN_WRITE=1 pytest, this file."""
    head, mark, _ = PAGE.read_text("utf-8").partition(MARK)
    page = head + mark + written()
    if os.environ.get("AZCN_WRITE"):
        PAGE.write_text(page, "utf-8")
    assert page == PAGE.read_text("utf-8")


@pytest.mark.parametrize("laws", SETS.values(), ids=SETS)
def test_names_of_laws_are_their_own(laws: tuple[Law[Any], ...]) -> None:
    """Within its set a law is known by its name."""
    names = [law.name for law in laws]
    assert sorted(set(names)) == sorted(names)
