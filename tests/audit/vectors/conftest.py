"""Other projects' test vectors, where somebody has them; none are in the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def vectors(*parts: str) -> Path:
    """Find a folder or file of the vectors, or skip and say where it comes from."""
    told = os.environ.get("AZCN_VECTORS")
    folder = Path(told) if told else ROOT.parent / "shared" / "vectors"
    path = folder.joinpath(*parts)
    if not path.exists():
        whose = "the folder of AZCN_VECTORS" if told else "AZCN_VECTORS is not set"
        pytest.skip(
            f"PUBLIC VECTORS NOT CHECKED: {'/'.join(parts)} is missing ({whose});"
            " each test names the project that has them"
        )
    return path


@pytest.fixture(scope="session")
def merkle_vectors() -> Path:
    """``testdata`` of github.com/transparency-dev/merkle (Apache-2.0)."""
    return vectors("transparency-dev-merkle", "testdata")


@pytest.fixture(scope="session")
def golden_log() -> Path:
    """``testdata/log`` of github.com/transparency-dev/tessera (Apache-2.0)."""
    return vectors("tessera-golden-log", "testdata", "log")


@pytest.fixture(scope="session")
def note_vectors() -> Path:
    """Notes of C2SP, of Go and of sum.golang.org, each with its key."""
    return vectors("c2sp-signed-note")
