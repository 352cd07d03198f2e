"""The judge, built or found once; where it cannot be had, every test says so."""

from __future__ import annotations

import pytest
from tests.audit.go.judge import Judge, the_judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Go's own reader of what we sign and prove."""
    return the_judge()
