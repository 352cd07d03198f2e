"""Appends that can be checked afterwards from nothing but their ids.

Every campaign records these batches, and every check makes them again from the ids
that it finds. So a check needs no memory of what was written, and a torn or altered
batch is seen even if nobody lived to acknowledge it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from azcn_events.stores.protocol import Draft, Row, Store
from azcn_events.testing.faults.findings import Problem, unusable
from azcn_events.testing.stand_ins import Clock, OpenStore

__all__ = [
    "EVENTS_IN_BATCH",
    "append",
    "batch",
    "last_number",
    "problems_in",
    "problems_on_opening",
]

EVENTS_IN_BATCH: Final = 3


def batch(number: int, size: int) -> list[Draft]:
    """Give an append: events of two streams, the same ones each time.

    Args:
        number: Which append, from 1.
        size: Bytes in each payload, >= 0.
    """
    return [_draft(number, place, size) for place in range(EVENTS_IN_BATCH)]


def append(store: Store, number: int, size: int) -> None:
    """Record an append; once it is stored, doing so again changes nothing.

    Raises:
        StoreError: As ``Store.append`` does.
    """
    drafts = batch(number, size)
    streams = {draft.stream for draft in drafts}
    store.append(drafts, {stream: store.version(stream) for stream in streams})


def last_number(store: Store) -> int:
    """Give the number of the newest append in a store; 0 if there is none."""
    rows = store.read_all(after=store.head() - 1)
    return max((_number(row.id) for row in rows), default=0)


def problems_in(store: Store, acknowledged: Collection[int]) -> list[Problem]:
    """Read a whole store and compare it with what must be in it.

    Args:
        store: It holds nothing but appends made by ``append``, numbered from 1.
        acknowledged: The appends that the store said were stored.

    Returns:
        At most one problem of each kind and cause; empty if all promises hold:
        positions and versions without gaps, every batch whole, no append
        missing before a later one, every byte as it was, nothing lost.
    """
    rows = list(store.read_all())
    batches: dict[int, list[Row]] = {}
    for row in rows:
        batches.setdefault(_number(row.id), []).append(row)
    checks = (
        _gaps(rows),
        _altered(rows),
        _torn(batches),
        _missing(batches, acknowledged),
    )
    return [problem for found in checks for problem in found]


def problems_on_opening(
    open_store: OpenStore, directory: Path, acknowledged: Collection[int]
) -> list[Problem]:
    """Open what a fault has left, compare it, and go on: a further append must work.

    Args:
        open_store: Opens the store kept in ``directory``.
        directory: What is left.
        acknowledged: See ``problems_in``.
    """
    try:
        with closing(open_store(directory, Clock())) as store:
            found = problems_in(store, acknowledged)
            if not found:
                more = last_number(store) + 1
                append(store, more, 40)
                found = problems_in(store, [more])
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return [unusable(error)]
    return found


def _draft(number: int, place: int, size: int) -> Draft:
    id_ = f"{number}-{place}-{size}"
    words = f"{id_} £ ".encode()
    return Draft(
        stream=f"fault/{(number + place) % 2}",
        id=id_,
        kind=f"noted/{place + 1}",
        payload=(words * (size // len(words) + 1))[:size],
        metadata=words,
        checksum=number,
    )


def _number(id_: str) -> int:
    return int(id_.partition("-")[0])


def _gaps(rows: list[Row]) -> Iterator[Problem]:
    """Compare positions and versions with counting."""
    versions: dict[str, int] = {}
    for position, row in enumerate(rows, 1):
        version = versions[row.stream] = versions.get(row.stream, 0) + 1
        if (row.position, row.version) != (position, version):
            yield Problem(
                "hole",
                f"event {row.id} should be position {position} and version"
                f" {version} of {row.stream}, and is {row.position} and {row.version}",
            )
            return


def _altered(rows: list[Row]) -> Iterator[Problem]:
    """Make every event again from its id, and compare the two."""
    for row in rows:
        number, place, size = map(int, row.id.split("-"))
        made = _draft(number, place, size)
        differing = [
            name
            for name in ("stream", "kind", "payload", "metadata", "checksum")
            if getattr(made, name) != getattr(row, name)
        ]
        if differing:
            names = ", ".join(differing)
            yield Problem("altered", f"event {row.id} came back with another {names}")
            return


def _torn(batches: Mapping[int, list[Row]]) -> Iterator[Problem]:
    """Compare each batch's events with the whole batch, in its order."""
    for number, rows in batches.items():
        places = [int(row.id.split("-")[1]) for row in rows]
        if places != list(range(EVENTS_IN_BATCH)):
            yield Problem(
                "torn",
                f"of append {number} the events {places} are stored, in this order,"
                f" and not all of 0 to {EVENTS_IN_BATCH - 1}",
            )
            return


def _missing(
    batches: Mapping[int, list[Row]], acknowledged: Collection[int]
) -> Iterator[Problem]:
    lost = sorted(set(acknowledged) - batches.keys())
    if lost:
        yield Problem(
            "lost",
            f"{len(lost)} of {len(acknowledged)} acknowledged appends are gone,"
            f" the first is {lost[0]}",
        )
    order = list(batches)
    if order != list(range(1, len(order) + 1)):
        yield Problem("hole", f"the appends stored are, in order, {order}")
