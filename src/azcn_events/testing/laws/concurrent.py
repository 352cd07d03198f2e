"""Laws of stores that several clients use at once: by real processes.

They are no part of ``STORE_LAWS``, because they take seconds, and a store in memory
has no other processes.
"""

from __future__ import annotations

from typing import Final

from azcn_events.testing.concurrency import concurrent_anomalies, tail_anomalies
from azcn_events.testing.laws.law import Broken, Law, Search, law
from azcn_events.testing.stand_ins import OpenStore

__all__ = ["CONCURRENT_STORE_LAWS", "linearizable", "tail_skips_nothing"]

_CLIENTS: Final = 4
_OPERATIONS_AN_EXAMPLE: Final = 15


@law
def linearizable(open_store: OpenStore, search: Search) -> Broken | None:
    """Whatever several processes are told, one after another could have been told."""
    operations = _OPERATIONS_AN_EXAMPLE * search.examples
    found = concurrent_anomalies(open_store, clients=_CLIENTS, operations=operations)
    if not found.anomalies:
        return None
    one = linearizable
    return Broken(one.name, one.sentence, str(found), search.lifecycle)


@law
def tail_skips_nothing(open_store: OpenStore, search: Search) -> Broken | None:
    """Who follows the log by position gets every event once, in order."""
    found = tail_anomalies(open_store, writers=_CLIENTS, appends=search.examples)
    if not found.anomalies:
        return None
    one = tail_skips_nothing
    return Broken(one.name, one.sentence, str(found), search.lifecycle)


CONCURRENT_STORE_LAWS: Final[tuple[Law[OpenStore], ...]] = (
    linearizable,
    tail_skips_nothing,
)
"""What a store that several processes share keeps besides."""
