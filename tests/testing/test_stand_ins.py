"""Stores for tests: how long they are kept, and how they are found by name."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from tests.testing.faults import wrong_stores

from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.testing.faults.openers import FULL, sqlite_full
from azcn_events.testing.stand_ins import Clock, in_memory, load_opener, scratch

HASTY = f"{wrong_stores.__file__}:hasty"


def test_a_store_in_memory_is_kept_with_its_directory(tmp_path: Path) -> None:
    """The same directory is the same store, until the directory is gone."""
    open_store = in_memory()
    kept = open_store(tmp_path, Clock())
    with scratch() as directory:
        gone = weakref.ref(open_store(directory, Clock()))
        assert gone() is open_store(directory, Clock())
    assert kept is open_store(tmp_path, Clock())
    gc.collect()
    assert gone() is None


def test_openers_have_names() -> None:
    """A module's or a file's; a wrong one is refused, and a close one suggested."""
    assert load_opener(FULL) is sqlite_full
    assert "hasty" == getattr(load_opener(HASTY), "__name__", "")
    with pytest.raises(UnknownName, match="did you mean 'hasty'"):
        load_opener(HASTY.replace("hasty", "hasti"))
    with pytest.raises(InvalidValue, match="opener"):
        load_opener("hasty")
