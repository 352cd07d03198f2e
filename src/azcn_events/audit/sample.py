"""A sample by lot: drawn by the root of the log itself.

The numbers are SHA-256 of the texts ``azcn-sample/1 <root> <turn>``, the root in
lower-case hexadecimal and the turn a decimal number from 0 up: the first 15 of its
hexadecimal digits, taken as one number, modulo the log's size, are an index. Indexes
that were drawn already are passed over. Before a checkpoint is signed its maker can
change an event until a root comes out that suits him, which takes few tries if what is
to be missed is rare; afterwards nobody can.

With a shell::

    d=$(printf 'azcn-sample/1 %s %d' "$root" "$turn" | sha256sum | cut -c1-15)
    echo $((0x$d % size + 1))
"""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import Final

__all__ = ["SAMPLE_SIZE", "draw"]

SAMPLE_SIZE: Final = 50
"""How many events are drawn, where there are as many."""
_DIGITS: Final = 15
"""Fewer bits than a shell's numbers have; no log is so large that it would matter."""


def draw(root: bytes, size: int, wanted: int = SAMPLE_SIZE) -> list[int]:
    """Draw events out of a log.

    Args:
        root: The log's root, 32 bytes.
        size: How many events it has.
        wanted: How many to draw; all if there are no more.

    Returns:
        Positions from 1, all different, in the order in which they were drawn; where
        all are wanted, in their own.
    """
    if size <= wanted:
        return list(range(1, size + 1))
    drawn = dict[int, None]()
    for turn in count():
        if len(drawn) == wanted:
            break
        text = f"azcn-sample/1 {root.hex()} {turn}"
        digits = sha256(text.encode("ascii")).hexdigest()[:_DIGITS]
        drawn.setdefault(int(digits, 16) % size + 1)
    return list(drawn)
