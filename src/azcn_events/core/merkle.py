"""The Merkle tree over a log: roots, and proofs that anybody's software can check.

The tree is that of Certificate Transparency with SHA-256, so nothing here is ours but
the code. It sees hashes only: what a leaf is made of says ``leaf``.

Indexes count from 0: an event's is its position less 1.

Source:
    RFC 9162, "Certificate Transparency Version 2.0", section 2.1 (the tree and its
    proofs); C2SP, "Tiled Transparency Logs", https://c2sp.org/tlog-tiles (tiles).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final

from attrs import define, field

from azcn_events.errors import ProofRefused

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "TILE_WIDTH",
    "Frontier",
    "Tree",
    "entry_hash",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
"""How many hashes a full tile holds: the nodes of eight levels hang below them."""

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""


def entry_hash(entry: bytes) -> bytes:
    """Give the leaf hash of an entry (RFC 9162, 2.1.1)."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of a node above two others (RFC 9162, 2.1.1)."""
    return sha256(b"\1" + left + right).digest()


@define
class Frontier:
    """The right edge of a growing tree, in memory that grows with its logarithm.

    Law: after the same leaves, in pieces of whatever size, the same root.
    """

    _size: int = field(default=0, init=False)
    # Roots of the perfect subtrees that the leaves fall into, the largest first.
    _roots: list[bytes] = field(factory=list[bytes], init=False)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes, in order."""
        size, roots = self._size, self._roots
        for leaf in leaves:
            node, full = leaf, size
            while full & 1:
                node = sha256(b"\1" + roots.pop() + node).digest()
                full >>= 1
            roots.append(node)
            size += 1
        self._size = size

    def root(self) -> bytes:
        """Give the root over all leaves so far."""
        if not self._roots:
            return EMPTY_ROOT
        *larger, root = self._roots
        for left in reversed(larger):
            root = node_hash(left, root)
        return root


@define
class Tree:
    """Proofs about a log, out of its leaf hashes and the roots of its full tiles.

    Leaf hashes are asked for where they are needed; above them only the roots of full
    tiles are kept, an eighth of a byte for each leaf. ``grow`` makes them, whenever it
    suits; then a proof asks for some hundred leaves.

    Args:
        leaves: Gives the leaf hashes from one index up to another, which is left out.
    """

    _leaves: Callable[[int, int], Iterable[bytes]]
    _size: int = field(default=0, init=False)
    # For each level above the leaves, the roots of the full tiles below it.
    _levels: list[bytearray] = field(factory=list[bytearray], init=False)

    @property
    def size(self) -> int:
        """Up to how many leaves proofs can be asked for."""
        return self._size

    def grow(self, size: int) -> None:
        """Take in the leaves up to ``size``; nothing happens if they are."""
        level, count = 0, size // TILE_WIDTH
        while count:
            if level == len(self._levels):
                self._levels.append(bytearray())
            kept = self._levels[level]
            for tile in range(len(kept) // HASH_BYTES, count):
                low = tile * TILE_WIDTH
                kept += _perfect_root(self.hashes(level, low, low + TILE_WIDTH))
            level, count = level + 1, count // TILE_WIDTH
        self._size = max(self._size, size)

    def hashes(self, level: int, low: int, high: int) -> bytes:
        """Give hashes of one level of tiles, one after another.

        Args:
            level: 0 for leaves; one more for the roots of full tiles of the level
                below.
            low: The first index on that level.
            high: The index after the last.

        Raises:
            ValueError: If the tree has not grown as far.
        """
        if level:
            kept = self._levels[level - 1] if level <= len(self._levels) else b""
            found = bytes(kept[low * HASH_BYTES : high * HASH_BYTES])
        else:
            found = b"".join(self._leaves(low, high))
        if len(found) != (high - low) * HASH_BYTES:
            msg = f"there are no hashes {low} to {high} on level {level}: grow first"
            raise ValueError(msg)
        return found

    def root(self, size: int) -> bytes:
        """Give the root over the first ``size`` leaves."""
        return self._node(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that a leaf is one of the first ``size`` (RFC 9162, 2.1.3.1).

        Args:
            index: The leaf's, 0 <= index < size.
            size: How many leaves the tree has, that the proof is about.

        Returns:
            The hashes beside the path from the leaf up to the root.
        """
        low, high, siblings = 0, size, list[tuple[int, int]]()
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                siblings.append((middle, high))
                high = middle
            else:
                siblings.append((low, middle))
                low = middle
        return [self._node(*sibling) for sibling in reversed(siblings)]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the first ``old`` leaves are a beginning (RFC 9162, 2.1.4.1).

        Args:
            old: Size of the smaller tree, 1 <= old <= new.
            new: Size of the larger tree.
        """
        low, high, siblings = 0, new, list[tuple[int, int]]()
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                siblings.append((middle, high))
                high = middle
            else:
                siblings.append((low, middle))
                low = middle
        first = [self._node(low, high)] if low else []
        return [*first, *(self._node(*sibling) for sibling in reversed(siblings))]

    def _node(self, low: int, high: int) -> bytes:
        """Give the hash of a node of the tree, or of its right edge."""
        width = high - low
        if width & (width - 1):
            middle = low + _split(width)
            return node_hash(self._node(low, middle), self._node(middle, high))
        level = (width.bit_length() - 1) // _TILE_HEIGHT
        unit = TILE_WIDTH**level
        return _perfect_root(self.hashes(level, low // unit, high // unit))


_TILE_HEIGHT: Final = TILE_WIDTH.bit_length() - 1


def _split(width: int) -> int:
    """Give the largest power of two smaller than a width above 1."""
    return 1 << (width - 1).bit_length() - 1


def _perfect_root(hashes: bytes) -> bytes:
    """Give the root over hashes whose number is a power of two."""
    pair = 2 * HASH_BYTES
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            [
                sha256(b"\1" + hashes[at : at + pair]).digest()
                for at in range(0, len(hashes), pair)
            ]
        )
    return hashes


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in the tree, step by step as RFC 9162, 2.1.3.2 says.

    Args:
        index: Where the leaf is said to be, from 0.
        size: The tree's size.
        leaf: The leaf's hash.
        proof: See :meth:`Tree.inclusion`.
        root: The tree's root.

    Raises:
        ProofRefused: If it is not, or the proof is not exactly one.
    """
    what = "inclusion proof"
    if not 0 <= index < size:
        raise ProofRefused(what, f"index {index} is not within a tree of size {size}")
    _check_hashes(what, [leaf, root, *proof])
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise ProofRefused(what, f"{len(proof)} hashes are too many")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            place, last = _up_to_right(place, last)
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused(what, f"{len(proof)} hashes are too few")
    if found != root:
        raise ProofRefused(what, "it leads to another root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that one tree is a beginning of another, as RFC 9162, 2.1.4.2 says.

    Trees of the same size need the same root and no proof. That the empty tree is a
    beginning of every other proves nothing, and is refused.

    Args:
        old: The smaller tree's size.
        new: The larger tree's size.
        proof: See :meth:`Tree.consistency`.
        old_root: The smaller tree's root.
        new_root: The larger tree's root.

    Raises:
        ProofRefused: If it is not, or the proof is not exactly one.
    """
    what = "consistency proof"
    if not 1 <= old <= new:
        raise ProofRefused(what, f"nothing can be proved of sizes {old} and {new}")
    _check_hashes(what, [old_root, new_root, *proof])
    if old == new:
        if proof or old_root != new_root:
            problem = "trees of one size have the same root, and need no proof"
            raise ProofRefused(what, problem)
        return
    # The first hash is left out where the verifier has it: as the older root.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof:
        raise ProofRefused(what, "it is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in islice(path, 1, None):
        if not last:
            raise ProofRefused(what, f"{len(proof)} hashes are too many")
        if place & 1 or place == last:
            old_found = node_hash(sibling, old_found)
            new_found = node_hash(sibling, new_found)
            place, last = _up_to_right(place, last)
        else:
            new_found = node_hash(new_found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused(what, f"{len(proof)} hashes are too few")
    if old_found != old_root:
        raise ProofRefused(what, "it leads to another root of the smaller tree")
    if new_found != new_root:
        raise ProofRefused(what, "it leads to another root of the larger tree")


def _up_to_right(place: int, last: int) -> tuple[int, int]:
    """Climb over levels at which a last hash without neighbour went up unchanged."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _check_hashes(what: str, hashes: Iterable[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_BYTES:
            raise ProofRefused(what, f"a hash has {len(one)} bytes, not {HASH_BYTES}")
