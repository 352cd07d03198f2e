"""A log to tamper with: two hundred events, ten seconds apart."""

from __future__ import annotations

from azcn_events import Citation, Event, Ledger, When
from azcn_events.investment import (
    AgreementIdentified,
    MilestoneProgressed,
    MilestonePromised,
)
from azcn_events.stores.protocol import Store
from azcn_events.testing import Clock, numbered_ids

__all__ = ["EVENTS", "STEP_S", "told"]

EVENTS = 200
STEP_S = 10
STREAMS = 7
WHEN = When("2025-04~")


def told(
    store: Store, clock: Clock, events: int = EVENTS, *, after: int = 0, word: str = "e"
) -> Ledger:
    """Record a history, one event every ten seconds, in seven streams.

    Args:
        store: A store with the first ``after`` events, whose clock is ``clock``.
        clock: Moved before each event.
        events: How many there are to be.
        after: How many there are.
        word: What the ids of the new ones begin with.
    """
    ledger = Ledger(store, clock=clock, new_id=numbered_ids(f"{word}{after}-"))
    cites = Citation("source/gazette", at="page 3")
    for number in range(after, events):
        clock.us += STEP_S * 1_000_000
        stream, turn = f"agreement/{number % STREAMS}", number // STREAMS
        fact: Event
        if not turn:
            fact = AgreementIdentified(field=f"field {number}", when=WHEN, cites=cites)
        elif turn % 2:
            fact = MilestonePromised("land-allocated", when=WHEN, cites=cites)
        else:
            fact = MilestoneProgressed(
                "land-allocated", f"step {turn}", when=WHEN, cites=cites
            )
        ledger.record(stream, fact)
    return ledger
