"""A store in memory, for tests, examples and questions asked of a copied log."""

from __future__ import annotations

import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from threading import RLock

from attrs import define, field

from azcn_events.core.leaf import leaves_of
from azcn_events.stores import batch
from azcn_events.stores.protocol import Draft, Row, Stamp

__all__ = ["MemoryStore"]

_PAGE_ROWS = 1000
_RECORDED_US = attrgetter("recorded_us")


def _wall_clock_us() -> int:
    """Give microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@define(eq=False)
class MemoryStore:
    """Keeps events for as long as the object lives; any thread may use it.

    It keeps the laws of ``Store`` but for durability. Closing it changes
    nothing, so that a test may close and "reopen" it like a file.

    Attributes:
        clock: Gives microseconds since 1970 UTC.
    """

    clock: Callable[[], int] = _wall_clock_us
    _log: list[Row] = field(factory=list[Row], init=False, repr=False)
    _leaves: list[bytes] = field(factory=list[bytes], init=False, repr=False)
    _streams: dict[str, list[Row]] = field(
        factory=dict[str, list[Row]], init=False, repr=False
    )
    _by_id: dict[str, Row] = field(factory=dict[str, Row], init=False, repr=False)
    # Held by readers too: a batch must not be visible in one place before another.
    # Re-entrant, because a clock may well look at the store.
    _lock: RLock = field(factory=RLock, init=False, repr=False)

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """See ``Store.append``."""
        if not drafts:
            return []
        batch.check(drafts, expected)
        with self._lock:
            stored = {d.id: self._by_id[d.id] for d in drafts if d.id in self._by_id}
            repeated = batch.repetition(drafts, stored)
            if repeated is not None:
                return repeated
            versions = {stream: self.version(stream) for stream in expected}
            batch.check_versions(expected, versions)
            stamps = batch.stamped(
                drafts,
                versions=versions,
                head=len(self._log),
                newest_us=self._log[-1].recorded_us if self._log else None,
                clock=self.clock,
            )
            self._keep(map(_row, drafts, stamps))
            return stamps

    def _keep(self, rows: Iterator[Row]) -> None:
        kept = list(rows)
        self._leaves += list(leaves_of(kept))
        for row in kept:
            self._log.append(row)
            self._streams.setdefault(row.stream, []).append(row)
            self._by_id[row.id] = row

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """See ``Store.read``."""
        with self._lock:
            rows = self._streams.get(stream, [])
        yield from self._pages(rows, after, until)

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_all``."""
        return self._pages(self._log, after, until)

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        """See ``Store.leaves``."""
        start = max(after, 0)
        last = sys.maxsize if until is None else max(until, 0)
        while True:
            with self._lock:
                page = self._leaves[start : min(start + _PAGE_ROWS, last)]
            if not page:
                return
            yield from page
            start += len(page)

    def _pages(self, rows: list[Row], after: int, until: int | None) -> Iterator[Row]:
        """Yield ``rows[after:]`` up to position ``until``, as the list grows."""
        start = max(after, 0)
        while True:
            with self._lock:
                page = rows[start : start + _PAGE_ROWS]
            if not page:
                return
            for row in page:
                if until is not None and row.position > until:
                    return
                yield row
            start += len(page)

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_by_stream``."""
        with self._lock:
            head = len(self._log)
            streams = list(self._streams)
        last = head if until is None else min(until, head)
        return (row for stream in streams for row in self.read(stream, until=last))

    def streams(self) -> Iterator[str]:
        """See ``Store.streams``."""
        with self._lock:
            return iter(list(self._streams))

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """See ``Store.find``."""
        with self._lock:
            return self._by_id.get(id)

    def head(self) -> int:
        """See ``Store.head``."""
        with self._lock:
            return len(self._log)

    def version(self, stream: str) -> int:
        """See ``Store.version``."""
        with self._lock:
            return len(self._streams.get(stream, ()))

    def position_at(self, recorded_us: int) -> int:
        """See ``Store.position_at``."""
        with self._lock:
            return bisect_right(self._log, recorded_us, key=_RECORDED_US)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _row(draft: Draft, stamp: Stamp) -> Row:
    return Row(
        position=stamp.position,
        stream=draft.stream,
        version=stamp.version,
        id=draft.id,
        kind=draft.kind,
        recorded_us=stamp.recorded_us,
        # A caller's bytearray could change later; bytes are not copied.
        payload=bytes(draft.payload),
        metadata=bytes(draft.metadata),
        checksum=draft.checksum,
    )
