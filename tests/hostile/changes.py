"""Bytes that were good, changed as chance and malice would change them."""

from __future__ import annotations

import random

__all__ = ["changed"]

_PIECES = (
    b"[" * 5000,
    b'{"a":' * 5000,
    b"9" * 5000,
    b"1e999999",
    b'"position":1,',
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xff",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xe2\x80\xa8",
    b"../",
    b"NaN",
    b"-",
    b"0",
    b'"',
)


def changed(data: bytes, chance: random.Random) -> bytes:
    """Give bytes with a few of them changed, left out, put in, or doubled."""
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        low = chance.randrange(len(data) + 1)
        high = min(len(data), low + chance.choice((0, 1, 1, 2, 10, 100)))
        new = chance.choice(
            (
                b"",
                chance.randbytes(high - low),
                chance.choice(_PIECES),
                data[low:high] * 2,
            )
        )
        data = data[:low] + new + data[high:]
    return data
