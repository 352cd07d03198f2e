"""Laws of stores that several clients open at once: mostly by real processes.

They are no part of ``STORE_LAWS``, because they take seconds, a store in memory has no
other processes, and one that lets in a single client is a store as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from azcn_events.testing.concurrency import (
    ClientFailed,
    Findings,
    Followed,
    concurrent_anomalies,
    tail_anomalies,
)
from azcn_events.testing.laws.law import Broken, Law, Search, law
from azcn_events.testing.laws.stores.sharing import two_handles_are_one_store
from azcn_events.testing.stand_ins import OpenStore

__all__ = [
    "CONCURRENT_STORE_LAWS",
    "linearizable",
    "tail_skips_nothing",
    "two_handles_are_one_store",
]

_CLIENTS: Final = 4
_OPERATIONS_AN_EXAMPLE: Final = 15
_OPERATIONS_MAX: Final = 3_000
_APPENDS_MAX: Final = 500
"""Of each writer. So many a store of 30 ms an append does within the clients' limit;
more belong into a campaign, which says how long it may take: see ``run_clients``."""


@law
def linearizable(open_store: OpenStore, search: Search) -> Broken | None:
    """Whatever several processes are told, one after another could have been told."""
    operations = min(_OPERATIONS_AN_EXAMPLE * search.examples, _OPERATIONS_MAX)
    return _broken(
        linearizable,
        search,
        partial(
            concurrent_anomalies, open_store, clients=_CLIENTS, operations=operations
        ),
    )


@law
def tail_skips_nothing(open_store: OpenStore, search: Search) -> Broken | None:
    """Who follows the log by position gets every event once, in order."""
    appends = min(search.examples, _APPENDS_MAX)
    return _broken(
        tail_skips_nothing,
        search,
        partial(tail_anomalies, open_store, writers=_CLIENTS, appends=appends),
    )


def _broken(
    one: Law[OpenStore], search: Search, run: Callable[[], Findings | Followed]
) -> Broken | None:
    """Run clients, and say what is wrong; also that one could not do its work."""
    try:
        found = run()
    except ClientFailed as failed:
        return Broken(one.name, one.sentence, str(failed), search.lifecycle)
    if not found.anomalies:
        return None
    return Broken(one.name, one.sentence, str(found), search.lifecycle)


CONCURRENT_STORE_LAWS: Final[tuple[Law[OpenStore], ...]] = (
    two_handles_are_one_store,
    linearizable,
    tail_skips_nothing,
)
"""What a store keeps besides that can be opened while it is open, here or elsewhere."""
