"""What every store promises, asked of each: see ``stores/protocol.py``."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from azcn_events.errors import (
    IdCollision,
    InvalidValue,
    StoreError,
    TooLarge,
    VersionConflict,
)
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Draft, Row, Stamp, Store
from azcn_events.stores.sqlite import SqliteStore

FEWER = settings().max_examples // 3  # a store in a file takes its time
PAGE = 1000  # rows that the stores read at a time: their edges are worth a look


@define
class Clock:
    """A clock that shows what the test sets."""

    us: int = 1_700_000_000_000_000

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC."""
        return self.us


@define
class _ReopenedStore:
    """A store in a file that is opened for each operation, and then closed."""

    path: Path
    clock: Callable[[], int]

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        store = SqliteStore.open(self.path, durability="normal", clock=self.clock)
        try:
            yield store
        finally:
            store.close()

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        with self._opened() as store:
            return store.append(drafts, expected)

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        with self._opened() as store:
            yield from store.read(stream, after=after, until=until)

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        with self._opened() as store:
            yield from store.read_all(after=after, until=until)

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        head = self.head()
        last = head if until is None else min(until, head)

        def rows() -> Iterator[Row]:
            with self._opened() as store:
                yield from store.read_by_stream(until=last)

        return rows()

    def streams(self) -> Iterator[str]:
        with self._opened() as store:
            yield from store.streams()

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        with self._opened() as store:
            return store.find(id)

    def head(self) -> int:
        with self._opened() as store:
            return store.head()

    def version(self, stream: str) -> int:
        with self._opened() as store:
            return store.version(stream)

    def position_at(self, recorded_us: int) -> int:
        with self._opened() as store:
            return store.position_at(recorded_us)

    def close(self) -> None:
        """Nothing is open."""


NewStore = Callable[[Clock], AbstractContextManager[Store]]


@pytest.fixture(params=["memory", "sqlite", "sqlite reopened"], scope="session")
def new_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewStore:
    """Give a maker of empty stores, of the kind that is asked."""

    def made(clock: Clock) -> Store:
        if request.param == "memory":
            return MemoryStore(clock)
        path = tmp_path_factory.mktemp("ledger") / "ledger.db"
        if request.param == "sqlite":
            return SqliteStore.open(path, durability="normal", clock=clock)
        return _ReopenedStore(path, clock)

    @contextmanager
    def new(clock: Clock) -> Iterator[Store]:
        store = made(clock)
        try:
            yield store
        finally:
            store.close()

    return new


@pytest.fixture
def clock() -> Clock:
    """Give a clock that a test can set."""
    return Clock()


@pytest.fixture
def store(new_store: NewStore, clock: Clock) -> Iterator[Store]:
    """Give an empty store that reads ``clock``."""
    with new_store(clock) as made:
        yield made


def draft(  # noqa: D103 - a short way to say it
    id: str,  # noqa: A002 - the domain's word
    stream: str = "s",
    *,
    kind: str = "noted/1",
    payload: bytes = b"{}",
    metadata: bytes = b"{}",
    recorded_us: int | None = None,
) -> Draft:
    return Draft(stream, id, kind, payload, metadata=metadata, recorded_us=recorded_us)


def append(store: Store, *drafts: Draft) -> list[Stamp]:
    """Append with the versions that the store holds."""
    streams = dict.fromkeys(one.stream for one in drafts)
    return store.append(drafts, {stream: store.version(stream) for stream in streams})


def ids(rows: Iterator[Row]) -> list[str]:
    """Give the ids of rows, in their order."""
    return [row.id for row in rows]


# Names that some databases take for one another, or for patterns or nothing.
STREAMS = [
    *(
        "a",
        "A",
        "a ",
        " a",
        "a%",
        "a_",
        "%",
        "_",
        "",
        "a/b",
        "a\\b",
        "a'b",
        'a"b',
        "a;b",
    ),
    *("é", "e\u0301", "\u0131", "\u0130", "ß", "ss", "SS", "\u202ea", "a\n", "a\u200b"),
    *("0", "00", "1e0", "null", "\U0001f600", "\ufffe", "\uff41", "x" * 5000),
]

batches = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(STREAMS),
            st.sampled_from(["noted/1", "noted/2", "Noted/1", "é/1"]),
            st.binary(max_size=40),
            st.binary(max_size=10),
            st.sampled_from([0, 1, 2**32 - 1]),
        ),
        max_size=6,
    ),
    max_size=6,
)


@settings(max_examples=FEWER)
@given(
    batches=batches,
    steps=st.lists(st.integers(-9, 9), min_size=6, max_size=6),
    data=st.data(),
)
def test_everything_comes_back(
    new_store: NewStore,
    batches: list[list[tuple[str, str, bytes, bytes, int]]],
    steps: list[int],
    data: st.DataObject,
) -> None:
    """Any batches, any clock: every way of reading gives them, in order, verbatim."""
    clock, number, reached = Clock(), count(1), Counter[str]()
    log: list[Row] = []
    with new_store(clock) as store:
        for batch, step in zip(batches, steps, strict=False):
            clock.us += step
            drafts = [
                Draft(stream, f"e{next(number)}", kind, payload, metadata, checksum)
                for stream, kind, payload, metadata, checksum in batch
            ]
            expected = {stream: reached[stream] for stream, *_ in batch}
            stamps = store.append(drafts, expected)
            recorded = max([clock.us, *[row.recorded_us for row in log[-1:]]])
            for one in drafts:
                reached[one.stream] += 1
                at = (len(log) + 1, one.stream, reached[one.stream], one.id, one.kind)
                log.append(Row(*at, recorded, one.payload, one.metadata, one.checksum))
            said = [Stamp(row.position, row.version, row.recorded_us) for row in log]
            assert said[len(said) - len(drafts) :] == stamps

        assert log == list(store.read_all())
        assert len(log) == store.head()
        for stream in STREAMS:
            assert reached[stream] == store.version(stream)
            assert [r for r in log if r.stream == stream] == list(store.read(stream))
        streams = list(dict.fromkeys(row.stream for row in log))
        assert streams == list(store.streams())
        until = data.draw(st.none() | st.integers(-1, len(log) + 1), label="until")
        kept = [r for r in log if until is None or r.position <= until]
        kept.sort(key=lambda row: (streams.index(row.stream), row.version))
        assert kept == list(store.read_by_stream(until=until))
        for row in log:
            assert row == store.find(row.id)
        moment = data.draw(st.integers(clock.us - 60, clock.us + 60), label="moment")
        times = [row.recorded_us for row in log]
        assert bisect_right(times, moment) == store.position_at(moment)


@settings(max_examples=FEWER)
@given(payload=st.binary(max_size=3000), metadata=st.binary(max_size=300))
def test_bytes_are_verbatim(
    new_store: NewStore, payload: bytes, metadata: bytes
) -> None:
    """What is neither JSON nor UTF-8 comes back just the same."""
    with new_store(Clock()) as store:
        append(store, draft("e", payload=payload, metadata=metadata))
        [row] = store.read("s")
        assert (payload, metadata) == (row.payload, row.metadata)
        assert (bytes, bytes) == (type(row.payload), type(row.metadata))


def test_an_empty_store(store: Store) -> None:
    """Everything can be asked of it, and the answer is nothing."""
    assert [] == [*store.read("s"), *store.read_all(), *store.read_by_stream()]
    assert (0, 0, 0) == (store.head(), store.version("s"), store.position_at(2**62))
    assert [] == list(store.streams())
    assert store.find("e") is None
    assert [] == store.append([], {})
    assert 0 == store.head()


# Paging


EDGES = [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 499, 2 * PAGE + 500]


@pytest.fixture(scope="session")
def long_store(new_store: NewStore) -> Iterator[Store]:
    """Give a store of 2500 events: two of three in one stream, one in another."""
    with new_store(Clock()) as store:
        drafts = [draft(f"e{n}", "ab"[n % 3 == 0]) for n in range(1, 2 * PAGE + 501)]
        append(store, *drafts)
        yield store


@pytest.mark.parametrize("after", [-1, *EDGES, 2**64])
def test_pages_have_no_seams(long_store: Store, after: int) -> None:
    """Wherever reading starts and ends, nothing is lost or doubled between pages."""
    everything = [*range(1, 2 * PAGE + 501)]
    for until in [None, -1, *EDGES, 2**64]:
        last = 2**64 if until is None else until
        rows = long_store.read_all(after=after, until=until)
        kept = [n for n in everything if after < n <= last]
        assert kept == [row.position for row in rows]
        rows = long_store.read("a", after=after, until=until)
        kept = [n for n in everything if n % 3][max(after, 0) :]
        assert [n for n in kept if n <= last] == [row.position for row in rows]


@pytest.mark.parametrize("until", [None, -1, *EDGES, 2**64])
def test_pages_by_stream_have_no_seams(long_store: Store, until: int | None) -> None:
    """One stream after the other, whole, up to a position."""
    last = 2**64 if until is None else until
    numbers = [n for n in range(1, 2 * PAGE + 501) if n <= last]
    in_order = [n for n in numbers if n % 3] + [n for n in numbers if n % 3 == 0]
    rows = long_store.read_by_stream(until=until)
    assert in_order == [row.position for row in rows]


def test_reading_while_appending(store: Store) -> None:
    """Who reads the log gets what is added meanwhile; who reads by stream does not."""
    append(store, *[draft(f"e{n}") for n in range(PAGE)])
    log, stream, by_stream = store.read_all(), store.read("s"), store.read_by_stream()
    assert ["e0", "e0"] == [next(log).id, next(stream).id]
    append(store, draft("late"), draft("later", "t"))
    assert ["late", "later"] == ids(log)[-2:]
    assert ["late"] == ids(stream)[-1:]
    assert [f"e{n}" for n in range(PAGE)] == ids(by_stream)


def test_two_readers_do_not_disturb_each_other(long_store: Store) -> None:
    """Iterators over one store advance apart."""
    one, other = long_store.read_all(), long_store.read_all(after=PAGE)
    pairs = [(a.position, b.position) for a, b in zip(one, other, strict=False)]
    assert [(n, n + PAGE) for n in range(1, PAGE + 501)] == pairs


# Refusals


def refused(
    store: Store,
    error: type[Exception],
    drafts: Sequence[Draft],
    expected: Mapping[str, int] | None = None,
) -> pytest.ExceptionInfo[Exception]:
    """Append, expect the error, and check that nothing has changed."""
    before = list(store.read_all())
    if expected is None:
        expected = {one.stream: store.version(one.stream) for one in drafts}
    with pytest.raises(error) as caught:
        store.append(drafts, expected)
    assert before == list(store.read_all())
    assert before == sorted(store.read_by_stream())
    return caught


@pytest.mark.parametrize("expected", [0, 1, 3, -1])
def test_a_stale_version_is_refused(store: Store, expected: int) -> None:
    """The error names the stream and both numbers, and nothing is stored."""
    append(store, draft("1"), draft("2"))
    caught = refused(store, VersionConflict, [draft("3")], {"s": expected})
    assert VersionConflict("s", expected, 2).args == caught.value.args
    assert f"s: expected version {expected}, found 2;" in str(caught.value)


def test_one_stale_stream_refuses_them_all(store: Store) -> None:
    """A batch over several streams is stored whole or not at all."""
    append(store, draft("1", "a"), draft("2", "b"))
    drafts = [draft("3", "c"), draft("4", "a"), draft("5", "b")]
    caught = refused(store, VersionConflict, drafts, {"c": 0, "a": 1, "b": 0})
    assert "b: expected version 0, found 1" in str(caught.value)
    assert (0, 1, 1) == (store.version("c"), store.version("a"), store.version("b"))
    [stamp] = append(store, draft("6", "c"))
    assert (3, 1) == stamp[:2]


def test_a_stream_that_is_only_read_is_checked_too(store: Store) -> None:
    """A decision may rest upon a stream to which it adds nothing."""
    append(store, draft("1", "read"))
    refused(store, VersionConflict, [draft("2", "w")], {"w": 0, "read": 0})
    [stamp] = store.append([draft("2", "w")], {"w": 0, "read": 1})
    assert (2, 1) == stamp[:2]


def test_many_streams_are_all_found(store: Store) -> None:
    """More streams than a page holds, in the order of their first event."""
    names = [f"s{n * 7 % 2503}" for n in range(2503)]
    store.append([draft(name, name) for name in names], dict.fromkeys(names, 0))
    append(store, draft("again", names[5]))
    assert names == list(store.streams())


def test_there_is_no_append_without_a_version(store: Store) -> None:
    """A stream for which no version is given is refused."""
    refused(store, InvalidValue, [draft("1", "a"), draft("2", "b")], {"a": 0})


def test_an_append_may_be_repeated(store: Store, clock: Clock) -> None:
    """The same ids again get the first stamps, whatever else has happened."""
    drafts = [draft("1", "a"), draft("2", "b"), draft("3", "a")]
    first = store.append(drafts, {"a": 0, "b": 0})
    append(store, draft("4", "a"))
    clock.us += 5
    for version in (0, 2, 3, 99):
        assert first == store.append(drafts, {"a": version, "b": version})
    kept = [evolve(one, recorded_us=first[0].recorded_us) for one in drafts]
    assert first == store.append(kept, {"a": 3, "b": 1})
    assert 4 == store.head()


def test_a_part_of_an_append_may_be_repeated(store: Store) -> None:
    """What matters is that all is stored, in this order."""
    stamps = append(store, draft("1"), draft("2"), draft("3"))
    assert stamps[::2] == store.append([draft("1"), draft("3")], {"s": 0})


STORED = [draft("1", "a"), draft("2", "b", payload=b"2", metadata=b"m")]


@pytest.mark.parametrize(
    ("drafts", "used", "problem"),
    [
        ([draft("1", "b")], "1", "stream 'a'"),
        ([draft("1", "new")], "1", "stream 'a'"),
        ([draft("1", "a", kind="noted/2")], "1", "kind 'noted/1'"),
        ([draft("1", "a", payload=b"{} ")], "1", "another payload"),
        ([draft("1", "a", metadata=b"")], "1", "other metadata"),
        ([draft("1", "a", recorded_us=1)], "1", "recorded at"),
        ([draft("1", "a", recorded_us=2**62)], "1", "recorded at"),
        (STORED[::-1], "1", "order"),
        ([*STORED, draft("3", "a")], "1", "'3' of the same append is not stored"),
        ([draft("3", "a"), STORED[1]], "2", "'3' of the same append is not stored"),
        ([STORED[0], draft("3", "a"), STORED[1]], "1", "'3' of the same append"),
        ([draft("3", "a"), draft("3", "a")], "3", "twice"),
        ([STORED[0], STORED[0]], "1", "twice"),
    ],
)
@pytest.mark.parametrize("stale", [False, True])
def test_an_id_is_used_once(
    store: Store, drafts: list[Draft], used: str, problem: str, *, stale: bool
) -> None:
    """A stored id that is not a repetition is refused, and the error says why."""
    append(store, *STORED)
    expected = {one.stream: 7 for one in drafts} if stale else None
    caught = refused(store, IdCollision, drafts, expected)
    assert f"event id '{used}' is already used" in str(caught.value)
    assert problem in str(caught.value)


def test_the_size_of_an_event_is_limited(store: Store) -> None:
    """Exactly the limit is stored; a byte more is refused, with its whole batch."""
    most = draft("1", payload=b"x" * (EVENT_BYTES_MAX - 3), metadata=b"abc")
    append(store, most)
    [row] = store.read("s")
    assert most.payload == row.payload
    more = evolve(most, id="2", payload=most.payload + b"x")
    caught = refused(store, TooLarge, [draft("0"), more])
    assert "1,000,001 bytes; at most 1,000,000" in str(caught.value)


@pytest.mark.parametrize("text", ["a\0", "\0", "a\ud800", "\udfff"], ids=ascii)
def test_a_name_that_is_no_text_is_refused(store: Store, text: str) -> None:
    """NUL and lone surrogates, which not every store could give back, are refused."""
    assert [] == list(store.read(text))
    assert store.find(text) is None
    for bad in (draft("2", text), draft(text), draft("2", kind=text)):
        caught = refused(store, InvalidValue, [draft("1"), bad])
        assert f"at character {len(text)}: " in str(caught.value)


@pytest.mark.parametrize(
    ("earliest", "latest"), [(2, 1), (2**63, None), (None, 2**63), (-(2**64), 1)]
)
def test_impossible_days_are_refused(
    store: Store, earliest: int | None, latest: int | None
) -> None:
    """Bounds the wrong way round or beyond 64 bits are refused."""
    refused(store, InvalidValue, [evolve(draft("1"), earliest=earliest, latest=latest)])


@pytest.mark.parametrize("checksum", [-1, 2**63])
def test_a_checksum_is_no_larger_than_stores_take(store: Store, checksum: int) -> None:
    """What a store of 32 bits could not keep is refused by all."""
    refused(store, InvalidValue, [evolve(draft("1"), checksum=checksum)])


def test_open_and_equal_days_are_stored(store: Store) -> None:
    """Either bound may be open, and both may be one day."""
    for n, (earliest, latest) in enumerate(
        [(None, None), (1, None), (None, 1), (1, 1)]
    ):
        append(store, evolve(draft(str(n)), earliest=earliest, latest=latest))
    assert 4 == store.head()


# Recorded time


def test_recorded_time_never_falls(store: Store, clock: Clock) -> None:
    """A clock that goes back is overruled until it has caught up."""
    times = []
    for n, us in enumerate([10, 7, 10, 12, -5, 12]):
        clock.us = us
        times += [stamp.recorded_us for stamp in append(store, draft(str(n)))]
    assert [10, 10, 10, 12, 12, 12] == times
    assert times == [row.recorded_us for row in store.read_all()]
    at = {us: store.position_at(us) for us in (-6, 9, 10, 11, 12, 13)}
    assert {-6: 0, 9: 0, 10: 3, 11: 3, 12: 6, 13: 6} == at


def test_recorded_time_can_be_kept(store: Store, clock: Clock) -> None:
    """Given times are stored; the clock fills the gaps, never going back."""
    clock.us = 20
    given = [5, None, 30, None, 30]
    stamps = append(
        store, *[draft(str(n), recorded_us=us) for n, us in enumerate(given)]
    )
    assert [5, 20, 30, 30, 30] == [stamp.recorded_us for stamp in stamps]


@pytest.mark.parametrize("given", [[9], [10, 12, 11], [None, 14], [2**63]])
def test_recorded_time_cannot_be_changed(
    store: Store, clock: Clock, given: list[int | None]
) -> None:
    """A given time before the newest, or before one in its own batch, is refused."""
    append(store, draft("first", recorded_us=10))
    clock.us = 15
    drafts = [draft(str(n), recorded_us=us) for n, us in enumerate(given)]
    refused(store, InvalidValue, drafts)


def test_a_clock_that_fails_stores_nothing(new_store: NewStore) -> None:
    """What the clock raises comes out, and the store goes on."""

    @define
    class Broken(Clock):
        right: bool = False

        def __call__(self) -> int:
            if not self.right:
                raise OSError
            return 1

    clock = Broken()
    with new_store(clock) as store:
        refused(store, OSError, [draft("1")])
        clock.right = True
        assert [Stamp(1, 1, 1)] == append(store, draft("1"))


# Threads


@define
class Tail:
    """Follows a store from a thread of its own, until told that nothing will come."""

    store: Store
    rows: list[Row] = field(factory=list)
    over: Event = field(factory=Event)

    def __call__(self) -> None:
        """Read on and on; what was read is in ``rows``."""
        while True:
            last_round = self.over.is_set()
            self.rows += self.store.read_all(after=len(self.rows))
            if last_round:
                return


@define
class SlowClock(Clock):
    """A clock that lets other threads run while an append is under way."""

    def __call__(self) -> int:
        """Give microseconds since 1970 UTC, after a nap."""
        sleep(0.000_2)
        return self.us


@pytest.fixture
def slow_store(new_store: NewStore) -> Iterator[Store]:
    """Give a store whose appends can be interrupted."""
    with new_store(SlowClock()) as made:
        yield made


def test_threads_may_share_a_store(slow_store: Store) -> None:
    """Four writers on one stream: all is stored once, and a reader misses nothing."""
    store = slow_store
    conflicts = Counter[str]()

    def write(name: str) -> None:
        for n in range(25):
            own, shared = draft(f"{name}{n}", name), draft(f"{name}-{n}", "shared")
            while True:
                version = store.version("shared")
                told = evolve(shared, payload=str(version).encode())
                try:
                    store.append([own, told], {name: n, "shared": version})
                    break
                except VersionConflict:
                    conflicts[name] += 1

    tail = Tail(store)
    reader = Thread(target=tail)
    writers = [Thread(target=write, args=[name]) for name in "abcd"]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    tail.over.set()
    reader.join()
    assert list(range(1, 201)) == [row.position for row in tail.rows]
    assert tail.rows == list(store.read_all())
    shared = [int(row.payload) + 1 for row in store.read("shared")]
    assert list(range(1, 101)) == shared
    for name in "abcd":
        assert [f"{name}{n}" for n in range(25)] == ids(store.read(name))


def test_errors_are_of_one_family(store: Store) -> None:
    """Whoever catches ``StoreError`` catches what a store refuses by its laws."""
    append(store, draft("1"))
    refused(store, StoreError, [draft("2")], {"s": 0})
    refused(store, StoreError, [draft("1", "t")])
    refused(store, StoreError, [draft("2", payload=b"x" * EVENT_BYTES_MAX)])
