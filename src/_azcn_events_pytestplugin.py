"""The pytest plugin of ``azcn_events``: fixtures, stores to choose, clear failures.

It stands outside the package, since pytest loads it in every project of the
environment: loading it imports neither the package nor Hypothesis, and it does
nothing until a test asks for one of its fixtures. ``-p no:azcn_events`` leaves it out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from azcn_events import Ledger, Lifecycle
    from azcn_events.testing.scenario import Given
    from azcn_events.testing.stand_ins import Clock, OpenStore

__all__ = ["azcn_clock", "azcn_lifecycle", "azcn_open_store", "given", "ledger"]

# What is imported already cannot be rewritten, and pytest would warn of it.
if "azcn_events.testing" not in sys.modules:
    pytest.register_assert_rewrite("azcn_events.testing")

_BUILT_IN: Final = ("memory:", "sqlite:")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--azcn-store`` and the setting ``azcn_store``."""
    which = "memory:, sqlite:, or module:name of an azcn_events.testing OpenStore"
    parser.getgroup("azcn_events").addoption(
        "--azcn-store",
        action="append",
        metavar="STORE",
        help=f"a store for the fixtures of azcn_events: {which}; may be repeated",
    )
    help_ = f"the stores for the fixtures of azcn_events, one a line: {which}"
    parser.addini("azcn_store", help_, type="linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a store that cannot be one, before any test runs."""
    for store in _chosen(config):
        module, _, name = store.rpartition(":")
        if store not in _BUILT_IN and not (module and name.isidentifier()):
            raise pytest.UsageError(
                f"--azcn-store, or azcn_store: {store!r} names no store; give memory:,"
                " sqlite:, or module:name of a function that opens one"
            )


def _chosen(config: pytest.Config) -> list[str]:
    """Give the stores that were chosen: on the command line, or else in settings."""
    stores: list[str] = config.getoption("--azcn-store") or []
    return stores or config.getini("azcn_store")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a store that cannot be found, once, where tests use it."""
    used = {
        item.callspec.params.get("_azcn_store")
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    for store in _chosen(session.config):
        if store in used and store not in _BUILT_IN:
            _load(store)


def _load(store: str) -> OpenStore:
    """Find a store's opener by name."""
    from azcn_events.errors import AzcnEventsError  # noqa: PLC0415 - as above
    from azcn_events.testing.stand_ins import load_opener  # noqa: PLC0415 - as above

    try:
        return load_opener(store)
    except (AzcnEventsError, ImportError, OSError) as error:
        message = f"--azcn-store, or azcn_store: {store}: {error}"
        raise pytest.UsageError(message) from error


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which stores are used, where a project or a person chose them."""
    stores = _chosen(config)
    return f"azcn_events: stores {', '.join(stores)}" if stores else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that use a store once with each."""
    if "_azcn_store" in metafunc.fixturenames:
        stores = _chosen(metafunc.config) or ["memory:"]
        names = [store.rstrip(":") for store in stores]
        metafunc.parametrize("_azcn_store", stores, ids=names, scope="module")


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed comparison of an example with what was expected of it."""
    # Where nobody imported it, nobody compares any.
    scenario: Any = sys.modules.get("azcn_events.testing.scenario")
    return scenario.explained(op, left, right) if scenario else None


@pytest.fixture(scope="module")
def azcn_open_store(_azcn_store: str) -> OpenStore:
    """Give a function that opens the chosen store, in a directory that you give.

    Property tests can use it: it lives as long as the module, and
    ``tempfile.TemporaryDirectory`` makes a directory for each example.
    """
    from azcn_events.testing.stand_ins import (  # noqa: PLC0415 - only when asked for
        in_memory,
        on_sqlite,
    )

    if _azcn_store in _BUILT_IN:
        return in_memory() if _azcn_store == "memory:" else on_sqlite
    return _load(_azcn_store)


@pytest.fixture
def azcn_clock() -> Clock:
    """Give the clock of the ledger: it shows what the test sets."""
    from azcn_events.testing.stand_ins import Clock  # noqa: PLC0415 - as above

    return Clock()


@pytest.fixture
def azcn_lifecycle() -> Lifecycle:
    """Give the built-in lifecycle; give yours by a fixture of the same name."""
    from azcn_events.investment import INVESTMENT  # noqa: PLC0415 - as above

    return INVESTMENT


@pytest.fixture
def ledger(
    azcn_open_store: OpenStore,
    azcn_lifecycle: Lifecycle,
    azcn_clock: Clock,
    tmp_path: Path,
) -> Iterator[Ledger]:
    """Give an empty ledger on the chosen store; it numbers ids: ``r1``, ``r2``."""
    from azcn_events.ledger import Ledger  # noqa: PLC0415 - as above
    from azcn_events.testing.stand_ins import numbered_ids  # noqa: PLC0415 - as above

    store = azcn_open_store(tmp_path, azcn_clock)
    with Ledger(
        store, azcn_lifecycle, clock=azcn_clock, new_id=numbered_ids()
    ) as opened:
        yield opened


@pytest.fixture
def given(azcn_lifecycle: Lifecycle) -> Callable[..., Given]:
    """Give ``scenario.given`` without its first argument, the lifecycle."""
    from azcn_events.testing import scenario  # noqa: PLC0415 - as above

    def begin(*facts: Any, stream: str = "", on: Any = "") -> Given:  # noqa: ANN401 - as there
        __tracebackhide__ = True
        return scenario.given(azcn_lifecycle, *facts, stream=stream, on=on)

    return begin
