"""A log that grows, in whose names is every character that a store takes."""

from __future__ import annotations

from itertools import chain, count
from typing import Final

from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft

__all__ = ["EVERY_CHARACTER", "grow", "new_store"]

EVERY_CHARACTER: Final = "".join(
    map(chr, chain(range(0x20, 0xD800), range(0xE000, 0x110000)))
)
"""All of Unicode but surrogates and what is below U+0020."""

EACH: Final = 16
"""How many of them are in an event's names: some 69,500 events have all."""
BATCH: Final = 1000
BEGAN_US: Final = 1_735_732_800_000_000
_PAYLOADS: Final = (b"", b"{}", bytes(range(256)), b'{"a": 1.10, "a": 1e2}', b"\n\n")


def new_store() -> MemoryStore:
    """Make a store with nothing in it, whose clock moves with each batch."""
    return MemoryStore(clock=count(BEGAN_US, 1_000_003).__next__)


def grow(store: MemoryStore, size: int) -> None:
    """Append events until there are so many; whatever the steps, the same ones."""
    for low in range(store.head(), size, BATCH):
        drafts = [_draft(number) for number in range(low, min(low + BATCH, size))]
        streams = {draft.stream for draft in drafts}
        store.append(drafts, {stream: store.version(stream) for stream in streams})


def _draft(number: int) -> Draft:
    text = EVERY_CHARACTER[number * EACH : (number + 1) * EACH]
    where = number % 3
    return Draft(
        stream=f"agreement/{number % 7}" + text * (where == 0),
        id=f"e{number}" + text * (where == 1),
        kind="told/1" + text * (where == 2),
        payload=_PAYLOADS[number % len(_PAYLOADS)],
        metadata=text.encode() if number % 2 else b"",
    )
