"""Logs of any size, whose names and bytes are as odd as a store takes them."""

from __future__ import annotations

from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft
from azcn_events.testing import Clock

__all__ = ["SIZES", "odd_log"]

SIZES = (0, 1, 2, 3, 255, 256, 257)
"""Around nothing, powers of two, and the edge of a full tile."""

_STREAMS = (
    "agreement/cardboard",
    'a "quoted", one',
    "back\\slash\\N\\.",
    "=1+1|%s$1{}",
    "Şəki \u2028 \u0085 \u00a0 \U0001f4a1",
    " spaces ",
    "NULL",
)
_PAYLOADS = (b"", b"{}", bytes(range(256)), b'{"a": 1.10, "a": 1e2}', "ə\n".encode())


def odd_log(size: int) -> MemoryStore:
    """Make a log of some size."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    drafts = [
        Draft(
            stream=_STREAMS[number % len(_STREAMS)],
            id=f'id "{number}"',
            kind=f"kind's, {number % 3}/1",
            payload=_PAYLOADS[number % len(_PAYLOADS)] * (number % 4),
            metadata=_PAYLOADS[number % 3],
        )
        for number in range(size)
    ]
    for low in range(0, size, 97):
        clock.us += 1_000_003
        batch = drafts[low : low + 97]
        store.append(batch, {one.stream: store.version(one.stream) for one in batch})
    return store
