"""What a store is told by laws, and a model of what it must then hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import cycle
from typing import Any, Final

from attrs import define, evolve, field

from azcn_events.core.codec import Codec
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.laws.stores.scene import opened
from azcn_events.testing.stand_ins import Clock, OpenStore
from azcn_events.testing.transcript import Log

__all__ = [
    "CONFUSABLE",
    "ODD_BYTES",
    "Told",
    "append",
    "dated",
    "draft",
    "drafts_of",
    "filled",
    "id_like",
]

CONFUSABLE: Final = (
    *("p1", "P10", "P1", "P_", "P1 ", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
    *("e\N{COMBINING ACUTE ACCENT}", " P1", "P", "P%", "P*", "P?", "[P1]", "P 1"),
    *("P.1", "P.*", "P.>", ">", "*", "%", "_", "", "a/b", "a\\b", "a'b", 'a"b', "a;b"),
    *("\N{LATIN SMALL LETTER DOTLESS I}", "ß", "ss", "SS", "'", '"', "\\", ";--"),
    *("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{RIGHT-TO-LEFT OVERRIDE}a"),
    *(
        "a\N{NEXT LINE}",
        "a\N{ZERO WIDTH SPACE}",
        "0",
        "00",
        "1e0",
        "null",
        "\N{GRINNING FACE}",
    ),
    *("\ufffe", "\N{FULLWIDTH LATIN SMALL LETTER A}", "\U0001f1e6\U0001f1ff"),
    *("x" * 199, "x" * 200, "x" * 5_000),
)
"""Texts that prefix searches, patterns, collations and paths take for each other."""

ODD_BYTES: Final = (
    *(b"{}", b"", b"\0", b"\xff", bytes(range(256)), b'{"a": 1 , "a": 2}', b"{} "),
    *(b"\xef\xbb\xbf{}", b"\r\n\r", b"\xed\xa0\x80", b"1.10", b"\x1f\x8b\x08", b"' --"),
    b"".join(bytes([one, other]) for one in range(256) for other in range(256)),
)
"""Bytes that are no JSON or no text, or that a reader of such would change."""


def id_like(name: str) -> str:
    """Give an id that is as easily confused as a name."""
    return f"id {name}"


def drafts_of(lifecycle: Lifecycle, log: Log) -> list[Draft]:
    """Encode a log; its streams and ids get confusable names, by their order."""
    codec = _codec(lifecycle)
    streams: dict[str, str] = {}
    drafts = list[Draft]()
    for at, record in enumerate(log):
        stream = streams.setdefault(record.stream, _name(len(streams)))
        id_ = id_like(_name(at))
        kind, payload, checksum = codec.encode(record.event)
        metadata = ODD_BYTES[at % len(ODD_BYTES)][:300]
        drafts.append(Draft(stream, id_, kind, payload, metadata, checksum))
    return drafts


def _name(at: int) -> str:
    return CONFUSABLE[at] if at < len(CONFUSABLE) else f"n{at}"


@lru_cache(maxsize=16)
def _codec(lifecycle: Lifecycle) -> Codec:
    return Codec(lifecycle)


@define
class Told:
    """What a store must hold after it was told something: the plainest model."""

    rows: list[Row] = field(factory=list[Row])
    reached: Counter[str] = field(factory=Counter[str])

    def versions(self, drafts: Iterable[Draft]) -> dict[str, int]:
        """Give the versions to expect of the streams of some drafts."""
        return {one.stream: self.reached[one.stream] for one in drafts}

    def take(self, drafts: Iterable[Draft], now_us: int) -> list[Stamp]:
        """Count drafts as stored; give their stamps."""
        stamps = list[Stamp]()
        newest_us = max([now_us, *[row.recorded_us for row in self.rows[-1:]]])
        for one in drafts:
            self.reached[one.stream] += 1
            stamp = Stamp(len(self.rows) + 1, self.reached[one.stream], newest_us)
            self.rows.append(_row(one, stamp))
            stamps.append(stamp)
        return stamps

    @property
    def streams(self) -> list[str]:
        """The streams, in the order of their first event."""
        return list(self.reached)


def _row(one: Draft, stamp: Stamp) -> Row:
    place = (stamp.position, one.stream, stamp.version, one.id, one.kind)
    return Row(*place, stamp.recorded_us, one.payload, one.metadata, one.checksum)


def _batches(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    """Split drafts into batches of 1, 2 and 3, in turns."""
    at = 0
    for size in cycle((1, 2, 3)):
        if at >= len(drafts):
            return
        yield list(drafts[at : at + size])
        at += size


def dated(
    lifecycle: Lifecycle, log: Log, clock: Clock
) -> Iterator[tuple[list[Draft], int]]:
    """Yield a log's batches, each with the time that the clock then shows."""
    at = 0
    for batch in _batches(drafts_of(lifecycle, log)):
        clock.us = log[at].recorded_us
        yield batch, clock.us
        at += len(batch)


@contextmanager
def filled(
    open_store: OpenStore, lifecycle: Lifecycle, log: Log
) -> Generator[tuple[Store, Told]]:
    """Tell a store a log, in batches; give it with what it must hold now."""
    clock, told = Clock(), Told()
    with opened(open_store, clock) as store:
        for batch, now_us in dated(lifecycle, log, clock):
            store.append(batch, told.versions(batch))
            told.take(batch, now_us)
        yield store, told


def draft(id: str, stream: str = "s", **given: Any) -> Draft:  # noqa: A002, ANN401 - the domain's word; a draft's fields
    """Make a draft in which only what matters is said."""
    return evolve(Draft(stream, id, "noted/1", b"{}"), **given)


def append(store: Store, *drafts: Draft) -> list[Stamp]:
    """Append with the versions that the store holds."""
    return store.append(
        drafts, {one.stream: store.version(one.stream) for one in drafts}
    )
