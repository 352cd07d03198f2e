"""Laws of what comes back: all of it, in order, verbatim, and also after reopening."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import InvalidValue, VersionConflict
from azcn_events.stores.protocol import Row, Store
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.stores.judging import (
    equal,
    equal_lists,
    expect_error,
    rows_of_id,
    same_rows,
)
from azcn_events.testing.laws.stores.scene import (
    at_place,
    cut_short,
    opened,
    scripted,
)
from azcn_events.testing.laws.stores.telling import (
    CONFUSABLE,
    ODD_BYTES,
    Told,
    append,
    dated,
    draft,
    filled,
    id_like,
)
from azcn_events.testing.stand_ins import Clock, OpenStore
from azcn_events.testing.transcript import Log

__all__ = [
    "an_empty_store",
    "bytes_verbatim",
    "comes_back_verbatim",
    "cut_exactly",
    "found_by_id",
    "found_by_time",
    "gapless_positions",
    "kept_when_reopened",
    "numbers_verbatim",
    "stamps_say_where",
    "stream_after_stream",
    "streams_stand_alone",
]


@over_few_logs
def comes_back_verbatim(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """The whole log comes back in the order of its appends, every field as it was."""
    with filled(open_store, lifecycle, log) as (store, told):
        same_rows(told.rows, store.read_all(), "read_all() gives another log")


@over_few_logs
def stamps_say_where(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """An append returns each event's position, version and recorded time, in order."""
    clock, told = Clock(), Told()
    with opened(open_store, clock) as store:
        for batch, now_us in dated(lifecycle, log, clock):
            stamps = store.append(batch, told.versions(batch))
            equal_lists(told.take(batch, now_us), list(stamps), "the stamps are wrong")


@over_few_logs
def gapless_positions(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """Positions and versions count from 1 without gaps, whatever was refused."""
    clock, told = Clock(), Told()
    with opened(open_store, clock) as store:
        for batch, now_us in dated(lifecycle, log, clock):
            versions = told.versions(batch)
            stale = {stream: version + 1 for stream, version in versions.items()}
            expect_error(store, VersionConflict, batch, stale)
            bad = [*batch, draft("last", recorded_us=-1)]
            expect_error(store, InvalidValue, bad, {**versions, "s": 0})
            store.append(batch, versions)
            store.append(batch, versions)
            told.take(batch, now_us)
        rows = list(islice(store.read_all(), len(told.rows) + 1))
        positions = [row.position for row in rows]
        equal_lists(list(range(1, len(log) + 1)), positions, "the positions have gaps")
        reached = [row.version for row in rows]
        equal_lists(
            [row.version for row in told.rows], reached, "the versions have gaps"
        )
        equal(len(log), store.head(), "the head is not the last position")


@over_few_logs
def streams_stand_alone(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """A stream is read alone, and its version is the number of its own events."""
    with filled(open_store, lifecycle, log) as (store, told):
        for stream in CONFUSABLE[:12]:
            own = [row for row in told.rows if row.stream == stream]
            same_rows(own, store.read(stream), f"read({stream!a}) is wrong")
            equal(len(own), store.version(stream), f"version({stream!a}) is wrong")


@over_few_logs
def cut_exactly(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """``after`` leaves out what it names, ``until`` is the last that is read."""
    with filled(open_store, lifecycle, log) as (store, told):
        rows = told.rows
        for cut in range(len(rows) + 1):
            tail, head = store.read_all(after=cut), store.read_all(until=cut)
            same_rows(rows[cut:], tail, f"read_all(after={cut}) is wrong")
            same_rows(rows[:cut], head, f"read_all(until={cut}) is wrong")
            window = store.read_all(after=cut, until=cut + 2)
            what = f"read_all(after={cut}, until={cut + 2}) is wrong"
            same_rows(rows[cut : cut + 2], window, what)
        for row in rows:
            _cut_at(store, rows, row)


def _cut_at(store: Store, rows: Sequence[Row], cut: Row) -> None:
    """Read one event's stream from it on, and up to it."""
    own = [row for row in rows if row.stream == cut.stream]
    asked = f"read({cut.stream!a}"
    later = store.read(cut.stream, after=cut.version)
    same_rows(own[cut.version :], later, f"{asked}, after={cut.version}) is wrong")
    early = store.read(cut.stream, until=cut.position)
    same_rows(own[: cut.version], early, f"{asked}, until={cut.position}) is wrong")


@over_few_logs
def stream_after_stream(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """Streams come in the order of their first event, events in version order."""
    with filled(open_store, lifecycle, log) as (store, told):
        equal_lists(
            told.streams, list(store.streams()), "streams() gives another order"
        )
        order = {stream: at for at, stream in enumerate(told.streams)}
        whole = sorted(told.rows, key=lambda row: (order[row.stream], row.version))
        same_rows(whole, store.read_by_stream(), "read_by_stream() is wrong")
        for cut in range(len(log) + 1):
            kept = [row for row in whole if row.position <= cut]
            found = store.read_by_stream(until=cut)
            same_rows(kept, found, f"read_by_stream(until={cut}) is wrong")


@over_few_logs
def found_by_id(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """An event is found by its own id, and by no other text."""
    with filled(open_store, lifecycle, log) as (store, told):
        rows = {row.id: row for row in told.rows}
        for id_ in dict.fromkeys([*rows, *map(id_like, CONFUSABLE), "id", ""]):
            expected = [rows[id_]] if id_ in rows else []
            found = rows_of_id(store, id_)
            same_rows(expected, found, f"find({cut_short(id_)}) is wrong")


@over_few_logs
def found_by_time(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """A moment's position is that of the last event recorded at or before it."""
    with filled(open_store, lifecycle, log) as (store, told):
        times = [row.recorded_us for row in told.rows]
        moments = {near for us in times for near in (us - 1, us, us + 1)}
        for moment in sorted(moments | {-(2**62), 0, 2**62}):
            expected = sum(us <= moment for us in times)
            what = f"position_at({moment}) is wrong"
            equal(expected, store.position_at(moment), what)


@over_few_logs
def kept_when_reopened(open_store: OpenStore, lifecycle: Lifecycle, log: Log) -> None:
    """Whatever was appended is there, and goes on, after closing and opening again."""
    clock, told = Clock(), Told()
    with at_place(open_store, clock) as place:
        store = place.open()
        for batch, now_us in dated(lifecycle, log, clock):
            store.append(batch, told.versions(batch))
            told.take(batch, now_us)
            store = place.reopen(store)
            equal(len(told.rows), store.head(), "the reopened store has another head")
            equal(dict(told.reached), _reached(store, told), "versions are lost")
        same_rows(told.rows, store.read_all(), "the reopened log is another")


def _reached(store: Store, told: Told) -> dict[str, int]:
    return {stream: store.version(stream) for stream in told.streams}


@scripted
def bytes_verbatim(open_store: OpenStore) -> None:
    """Any bytes come back as the same ``bytes``, JSON or not."""
    with opened(open_store) as store:
        for at, payload in enumerate(ODD_BYTES):
            metadata = ODD_BYTES[-1 - at]
            append(store, draft(f"e{at}", payload=payload, metadata=metadata))
            rows = list(islice(store.read_all(after=at), 2))
            found = [(row.payload, row.metadata) for row in rows]
            equal_lists(
                [(payload, metadata)], found, "payload or metadata became others"
            )
            types = {type(some) for pair in found for some in pair}
            equal({bytes}, types, "they came back as another type")


@scripted
def numbers_verbatim(open_store: OpenStore) -> None:
    """Checksums of 0 to 2**63 - 1 come back; bounds may be open or one day."""
    with opened(open_store) as store:
        sums = (0, 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1)
        append(store, *[draft(f"e{one}", checksum=one) for one in sums])
        found = [row.checksum for row in store.read_all()]
        equal_lists(list(sums), found, "the checksums became others")
        for earliest, latest in ((None, None), (1, None), (None, 1), (1, 1)):
            one = draft(f"{earliest}..{latest}", earliest=earliest, latest=latest)
            append(store, one)


@scripted
def an_empty_store(open_store: OpenStore) -> None:
    """Everything can be asked of an empty store, and the answer is nothing."""
    with opened(open_store) as store:
        equal_lists([], list(store.append([], {})), "appending nothing gives stamps")
        rows = [*store.read("s"), *store.read_all(), *store.read_by_stream()]
        same_rows([], rows, "it holds something")
        numbers = (store.head(), store.version("s"), store.position_at(2**62))
        equal((0, 0, 0), numbers, "head, version or position_at is wrong")
        equal_lists([], list(store.streams()), "it has streams")
        same_rows([], rows_of_id(store, "e"), "it finds something")
