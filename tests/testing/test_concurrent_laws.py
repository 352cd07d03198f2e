"""Laws of stores that several clients open at once, and what breaks them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.testing.concurrency import racy

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Row, Store
from azcn_events.testing.concurrency import Findings, Followed, Run
from azcn_events.testing.laws import CONCURRENT_STORE_LAWS, check_laws, concurrent
from azcn_events.testing.stand_ins import OpenStore, in_memory, on_sqlite

LAWS = {law.name: law for law in CONCURRENT_STORE_LAWS}
PLAIN = Lifecycle("plain", {})


@pytest.mark.parametrize("name", LAWS)
def test_our_store_is_lawful(name: str) -> None:
    """Several clients may open the store in a file."""
    assert [] == check_laws(on_sqlite, [LAWS[name]], lifecycle=PLAIN, examples=10)


def test_a_store_in_memory_can_be_opened_twice() -> None:
    """Within one process its two handles are one store."""
    two = LAWS["two_handles_are_one_store"]
    assert [] == check_laws(in_memory(), [two], examples=10)


class Copy(MemoryStore):
    """Reads the log when it is opened, and writes to it when it is closed."""

    def __init__(self, clock: Callable[[], int], kept: list[Row]) -> None:
        super().__init__(clock)
        self._keep(iter(kept))
        self.kept = kept

    def close(self) -> None:
        """Write what is new."""
        self.kept += self._log[len(self.kept) :]


def written_on_close() -> OpenStore:
    """Give an opener of copies."""
    logs = defaultdict[Path, list[Row]](list)
    return lambda directory, clock: Copy(clock, logs[directory])


def test_handles_that_do_not_see_each_other_are_caught() -> None:
    """A store that is written when it is closed is not one store when opened twice."""
    two = LAWS["two_handles_are_one_store"]
    [broken] = check_laws(written_on_close(), [two])
    assert 1 == len(broken.log)


@pytest.mark.parametrize(
    ("fault", "name"),
    [(racy.Forgetful, "linearizable"), (racy.FromSequence, "tail_skips_nothing")],
)
def test_a_racy_store_is_caught(fault: type[racy.Sketch], name: str) -> None:
    """What was found is the law's message; a race may be lost a few times."""
    tries = (check_laws(racy.opening(fault), [LAWS[name]]) for _ in range(10))
    [broken] = next(found for found in tries if found)
    assert name == broken.law


def die(_directory: Path, _clock: Callable[[], int]) -> Store:
    """End the process instead of opening a store."""
    os._exit(7)


@pytest.mark.parametrize("name", ["linearizable", "tail_skips_nothing"])
def test_a_client_that_fails_breaks_the_law(name: str) -> None:
    """A store that lets no client do its work is no shared store; others are asked."""
    [broken] = check_laws(die, [LAWS[name]], lifecycle=PLAIN, examples=10)
    # All of them die; which is seen first is a race.
    told = r"client \d was to work on the store, but it died \(exit code 7\)"
    assert re.search(told, str(broken))


def test_there_is_a_limit_to_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many examples are asked for, a slow store can come to the end."""
    asked = dict[str, int]()

    def run(_: OpenStore, *, clients: int, operations: int) -> Findings:
        asked.update(clients=clients, operations=operations)
        return Findings(Run((), {}), ())

    def follow(_: OpenStore, *, writers: int, appends: int) -> Followed:
        asked.update(writers=writers, appends=appends)
        return Followed((), (), (), ())

    monkeypatch.setattr(concurrent, "concurrent_anomalies", run)
    monkeypatch.setattr(concurrent, "tail_anomalies", follow)
    laws = [LAWS["linearizable"], LAWS["tail_skips_nothing"]]
    check_laws(on_sqlite, laws, lifecycle=PLAIN, examples=20)
    few = {"clients": 4, "operations": 300, "writers": 4, "appends": 20}
    assert few == asked
    check_laws(on_sqlite, laws, lifecycle=PLAIN, examples=1_000_000)
    many = {"clients": 4, "operations": 3_000, "writers": 4, "appends": 500}
    assert many == asked
