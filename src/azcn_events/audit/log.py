"""A store seen as a transparency log: entries, roots and proofs, by size."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.core.leaf import entry_of
from azcn_events.core.merkle import Tree
from azcn_events.errors import InvalidValue
from azcn_events.stores.protocol import Store

__all__ = ["Log"]


@define(eq=False)
class Log:
    """The Merkle tree over a store; it grows as the store does.

    One object may be kept for as long as the store is open: it reads every leaf once
    to grow, and after that only the few that a proof needs. Indexes count from 0; an
    event's is its position less 1.

    Attributes:
        store: The store.
    """

    store: Store
    _tree: Tree = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tree = Tree(self._leaves)

    def size(self) -> int:
        """Give the number of events now.

        They are settled: a store numbers without gaps and in commit order, so no
        event can come to stand before one that is there.
        """
        return self.store.head()

    def root(self, size: int) -> bytes:
        """Give the root over the first ``size`` events.

        Raises:
            InvalidValue: If there are not as many.
        """
        return self._grown(size).root(size)

    def checkpoint(self, origin: str, size: int | None = None) -> Checkpoint:
        """Give what there is to sign; see :mod:`azcn_events.audit.signer`.

        Args:
            origin: The log's name.
            size: Over how many events; None for all.
        """
        size = self.size() if size is None else size
        return Checkpoint(origin, size, self.root(size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that an event is one of the first ``size``; see ``Tree.inclusion``.

        Raises:
            InvalidValue: If there are not as many, or the index is not below.
        """
        if not 0 <= index < size:
            problem = f"no event has this index among the first {size}"
            raise InvalidValue(str(index), problem, f"0 to {size - 1}")
        return self._grown(size).inclusion(index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the log of size ``old`` is a beginning of that of size ``new``.

        Raises:
            InvalidValue: If there are not as many, or ``old`` is not 1 to ``new``.
        """
        if not 1 <= old <= new:
            problem = f"nothing can be proved of this size and the size {new}"
            raise InvalidValue(str(old), problem, f"1 to {new}")
        return self._grown(new).consistency(old, new)

    def entries(self, low: int, high: int) -> Iterator[bytes]:
        """Yield the entries with ``low <= index < high``; see ``core.leaf``."""
        return map(entry_of, self.store.read_all(after=low, until=high))

    def hashes(self, level: int, low: int, high: int) -> bytes:
        """Give hashes of one level of tiles; see ``Tree.hashes``.

        Raises:
            InvalidValue: If there are not as many events.
        """
        return self._grown(high * 256**level).hashes(level, low, high)

    def _leaves(self, low: int, high: int) -> Iterator[bytes]:
        return self.store.leaves(after=low, until=high)

    def _grown(self, size: int) -> Tree:
        if size > self._tree.size or size < 0:
            head = self.size()
            if not 0 <= size <= head:
                problem = "the log has not as many events"
                raise InvalidValue(str(size), problem, f"0 to {head}")
            self._tree.grow(size)
        return self._tree
