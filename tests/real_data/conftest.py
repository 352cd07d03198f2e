"""The importers of examples/real_data, and the data, where somebody has it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from azcn_events import Ledger

ROOT = Path(__file__).parents[2]
IMPORTERS = ROOT / "examples" / "real_data"
CLOCK_US = 1_514_764_800_000_000
"""The first moment of 2018, after both sources were published."""


def data(*parts: str) -> Path:
    """Find a file of the data, or skip and say where it comes from."""
    told = os.environ.get("AZCN_DATA")
    folder = Path(told) if told else ROOT.parent / "shared" / "data"
    path = folder.joinpath(*parts)
    if not path.is_file():
        whose = "the folder that AZCN_DATA names" if told else "AZCN_DATA is not set"
        pytest.skip(
            f"REAL DATA NOT CHECKED: {'/'.join(parts)} is missing ({whose});"
            " examples/real_data/README.md says where to get it"
        )
    return path


def importer(name: str) -> ModuleType:
    """Import a program as it finds its neighbours when it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(IMPORTERS), *sys.path])
        return import_module(name)


@pytest.fixture(scope="session")
def aims() -> ModuleType:
    """The importer of the AIMS releases."""
    return importer("aims")


@pytest.fixture(scope="session")
def gcof() -> ModuleType:
    """The importer of Global Chinese Official Finance."""
    return importer("gcof")


@pytest.fixture(scope="session")
def aims_zip() -> Path:
    """The AIMS releases themselves."""
    return data("aiddata-aims", "aiddata_aims.zip")


@pytest.fixture(scope="session")
def gcof_csv() -> Path:
    """The table of Global Chinese Official Finance itself."""
    return data("aiddata-gcof1", "gcof_v1_slim.csv")


@pytest.fixture(scope="session")
def azerbaijan_csv() -> Path:
    """Its eight rows about Azerbaijan, with more columns."""
    return data("aiddata-gcof1", "azerbaijan_rows.csv")


@pytest.fixture(scope="session")
def aims_ledger(
    aims: ModuleType, aims_zip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """All releases in a ledger on disk that was closed and opened again."""
    path = tmp_path_factory.mktemp("aims") / "ledger.db"
    with Ledger.open(
        path, lifecycle=aims.aid.AID_PROJECT, clock=lambda: CLOCK_US
    ) as ledger:
        aims.load(ledger, aims.facts(aims_zip))
    with Ledger.open(
        path, lifecycle=aims.aid.AID_PROJECT, create=False, clock=lambda: CLOCK_US
    ) as ledger:
        yield ledger


@pytest.fixture(scope="session")
def gcof_ledger(
    gcof: ModuleType, gcof_csv: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """The whole table in a ledger on disk that was closed and opened again."""
    path = tmp_path_factory.mktemp("gcof") / "ledger.db"
    with Ledger.open(path, clock=lambda: CLOCK_US) as ledger:
        gcof.load(ledger, gcof.facts(gcof_csv))
    with Ledger.open(path, create=False, clock=lambda: CLOCK_US) as ledger:
        yield ledger
