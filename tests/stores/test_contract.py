"""What every store promises, asked of each: see ``stores/protocol.py``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from azcn_events.errors import IdCollision, InvalidValue, TooLarge, VersionConflict
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Draft, Row, Stamp, Store
from azcn_events.testing.contract import StoreContract
from azcn_events.testing.stand_ins import Clock, OpenStore, in_memory, on_sqlite


@frozen
class ReopenedStore:
    """A store in a file that is opened for each operation, and then closed."""

    directory: Path
    clock: Callable[[], int]

    @contextmanager
    def opened(self) -> Generator[Store]:
        """Open it, and close it again."""
        store = on_sqlite(self.directory, self.clock)
        try:
            yield store
        finally:
            store.close()

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """See ``Store.append``."""
        with self.opened() as store:
            return store.append(drafts, expected)

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """See ``Store.read``."""
        with self.opened() as store:
            yield from store.read(stream, after=after, until=until)

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_all``."""
        with self.opened() as store:
            yield from store.read_all(after=after, until=until)

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        """See ``Store.leaves``."""
        with self.opened() as store:
            yield from store.leaves(after=after, until=until)

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """See ``Store.read_by_stream``."""
        head = self.head()
        last = head if until is None else min(until, head)

        def rows() -> Iterator[Row]:
            with self.opened() as store:
                yield from store.read_by_stream(until=last)

        return rows()

    def streams(self) -> Iterator[str]:
        """See ``Store.streams``."""
        with self.opened() as store:
            yield from store.streams()

    def find(self, id: str) -> Row | None:  # noqa: A002 - the domain's word
        """See ``Store.find``."""
        with self.opened() as store:
            return store.find(id)

    def head(self) -> int:
        """See ``Store.head``."""
        with self.opened() as store:
            return store.head()

    def version(self, stream: str) -> int:
        """See ``Store.version``."""
        with self.opened() as store:
            return store.version(stream)

    def position_at(self, recorded_us: int) -> int:
        """See ``Store.position_at``."""
        with self.opened() as store:
            return store.position_at(recorded_us)

    def close(self) -> None:
        """Nothing is open."""


class TestMemory(StoreContract):
    """The store in memory."""

    open_store = in_memory()


class TestSqlite(StoreContract):
    """The store in a file."""

    open_store = staticmethod(on_sqlite)


class TestSqliteReopened(StoreContract):
    """The store in a file that is opened anew for each operation."""

    open_store = ReopenedStore
    examples = 2  # each asks hundreds of questions, and each question opens a file


# The texts of refusals are the library's own: other stores may say it otherwise.


@pytest.fixture(params=[in_memory(), on_sqlite], ids=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    open_store: OpenStore = request.param
    made = open_store(tmp_path, Clock())
    yield made
    made.close()


def draft(id: str, stream: str = "s", **given: bytes | str | int) -> Draft:  # noqa: A002 - the domain's word
    """Make a draft in which only what matters is said."""
    fields = {"kind": "noted/1", "payload": b"{}", **given}
    return Draft(stream, id, **fields)  # type: ignore[arg-type] # each has its own type


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
        ([draft("1", "a", recorded_us=2**57)], "1", "recorded at"),
        (STORED[::-1], "1", "order"),
        ([*STORED, draft("3", "a")], "1", "'3' of the same append is not stored"),
        ([draft("3", "a"), STORED[1]], "2", "'3' of the same append is not stored"),
        ([STORED[0], draft("3", "a"), STORED[1]], "1", "'3' of the same append"),
        ([draft("3", "a"), draft("3", "a")], "3", "twice"),
        ([STORED[0], STORED[0]], "1", "twice"),
    ],
)
@pytest.mark.parametrize("stale", [False, True])
def test_a_collision_says_why(
    store: Store, drafts: list[Draft], used: str, problem: str, *, stale: bool
) -> None:
    """The error says how the append differs from what is stored."""
    store.append(STORED, {"a": 0, "b": 0})
    versions = {one.stream: 7 if stale else store.version(one.stream) for one in drafts}
    with pytest.raises(IdCollision) as caught:
        store.append(drafts, versions)
    assert f"event id '{used}' is already used" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("expected", [0, 1, 3, -1])
def test_a_conflict_says_both_versions(store: Store, expected: int) -> None:
    """The error names the stream and both numbers."""
    store.append([draft("1"), draft("2")], {"s": 0})
    with pytest.raises(VersionConflict) as caught:
        store.append([draft("3")], {"s": expected})
    assert f"s: expected version {expected}, found 2;" in str(caught.value)


def test_too_large_says_the_limit(store: Store) -> None:
    """The error says how large the event is, and how large it may be."""
    with pytest.raises(TooLarge) as caught:
        store.append([draft("1", payload=b"x" * EVENT_BYTES_MAX)], {"s": 0})
    assert "1,000,002 bytes; at most 1,000,000" in str(caught.value)


@pytest.mark.parametrize("text", ["a\0", "\0", "a\ud800", "\udfff"], ids=ascii)
def test_a_name_that_is_no_text_says_where(store: Store, text: str) -> None:
    """The error says which character it is."""
    for bad in (draft("2", text), draft(text), draft("2", kind=text)):
        with pytest.raises(InvalidValue) as caught:
            store.append([draft("1"), bad], {"s": 0, bad.stream: 0})
        assert f"at character {len(text)}: " in str(caught.value)
