"""Stores that break one promise each, and the law that says so."""

# ruff: noqa: D102 - a class's docstring says what its one method does wrong

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice, pairwise
from pathlib import Path
from threading import Event as Signal
from typing import Any, cast

import pytest
from attrs import evolve, frozen

from azcn_events.core.events import Event
from azcn_events.core.leaf import leaves_of
from azcn_events.core.lifecycle import Lifecycle, Milestone
from azcn_events.core.merkle import entry_hash
from azcn_events.errors import (
    InvalidValue,
    StoreBusy,
    StoreError,
    TooLarge,
    VersionConflict,
)
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.contract import StoreContract
from azcn_events.testing.laws import LawBroken, assert_lawful, check_laws
from azcn_events.testing.laws.stores import STORE_LAWS, sharing
from azcn_events.testing.laws.stores.limits import FIRST_US, LAST_US
from azcn_events.testing.stand_ins import OpenStore

LAWS = {law.name: law for law in STORE_LAWS}


@frozen(kw_only=True)
class LicenceGranted(Event):
    """The host authority granted a licence."""

    number: str


@frozen(kw_only=True)
class FirstOre(Event):
    """The mine produced ore."""


CONCESSION = Lifecycle(
    name="concession",
    events={"licence-granted": LicenceGranted, "first-ore": FirstOre},
    milestones=(
        Milestone("licensed", met_by=LicenceGranted),
        Milestone("producing", met_by=FirstOre, expects=("licensed",)),
    ),
)
"""A small one: stores read no events, and its cases are short at once."""


def opener(kind: type[MemoryStore]) -> OpenStore:
    """Make an opener that keeps one store of a class for each directory."""
    kept: dict[Path, MemoryStore] = {}

    def open_store(directory: Path, clock: Callable[[], int]) -> Store:
        store = kept.setdefault(directory, kind(clock))
        store.clock = clock
        return store

    return open_store


# Reading.


class InclusiveAfter(MemoryStore):
    """Gives the row after which it should begin, too."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        return super().read_all(after=after - 1, until=until)


class ExclusiveUntil(MemoryStore):
    """Leaves out the last row that was asked for."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        last = None if until is None else until - 1
        return super().read_all(after=after, until=last)


class UntilByVersion(MemoryStore):
    """Takes a position for a version."""

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        rows = super().read(stream, after=after)
        return (row for row in rows if until is None or row.version <= until)


class Unordered(MemoryStore):
    """Reads the log in the order of an index over streams."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        rows = super().read_all(after=after, until=until)
        return iter(sorted(rows, key=lambda row: (row.stream, row.version)))


class LosesTheSeam(MemoryStore):
    """Begins each page a row too late."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        rows = super().read_all(after=after, until=until)
        return (row for at, row in enumerate(rows, 1) if at % 1000)


class ReadsForEver(MemoryStore):
    """Reads the first page again and again."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        while page := list(super().read_all(after=after, until=until)):
            yield from page


class OnePage(MemoryStore):
    """Lists the first page of streams only."""

    def streams(self) -> Iterator[str]:
        return iter(list(super().streams())[:1000])


class ReadsAtOnce(MemoryStore):
    """Reads the whole log at the beginning: what comes later is missed."""

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        return iter(list(super().read_all(after=after, until=until)))


class ReadsOnByStream(MemoryStore):
    """Reads by stream whatever comes meanwhile."""

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        for stream in self.streams():
            yield from self.read(stream, until=until)


class OneCursor(MemoryStore):
    """Has one place in the log for all its readers."""

    place = 0

    def read_all(self, *, after: int = 0, until: int | None = None) -> Iterator[Row]:
        self.place = max(after, 0)
        while self.place < len(self._log):
            row = self._log[self.place]
            if until is not None and row.position > until:
                return
            self.place += 1
            yield row


class SortsStreams(MemoryStore):
    """Reads streams in the order of their names."""

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        rows = list(super().read_by_stream(until=until))
        return iter(sorted(rows, key=lambda row: (row.stream, row.version)))


class FindsByPrefix(MemoryStore):
    """Finds ids with LIKE."""

    def find(self, id: str) -> Row | None:  # noqa: A002 - the protocol's name
        return next((row for row in self._log if row.id.startswith(id)), None)


class FindsOrRaises(MemoryStore):
    """Takes for granted that an id is there."""

    def find(self, id: str) -> Row | None:  # noqa: A002 - the protocol's name
        return self._by_id[id]


class BeforeTheMoment(MemoryStore):
    """Leaves out what was recorded at the very moment."""

    def position_at(self, recorded_us: int) -> int:
        return super().position_at(recorded_us - 1)


# Names.


class Confusing(MemoryStore):
    """Takes streams for one another, as its key says."""

    def key(self, name: str) -> str:
        raise NotImplementedError

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        key = self.key(stream)
        rows = (row for row in self._log if self.key(row.stream) == key)
        kept = (row for row in rows if until is None or row.position <= until)
        return iter(list(kept)[max(after, 0) :])

    def version(self, stream: str) -> int:
        return len(list(self.read(stream)))


class FoldsCase(Confusing):
    """Has a collation that ignores case."""

    def key(self, name: str) -> str:
        return name.casefold()


class Strips(Confusing):
    """Compares names without the spaces at their ends, as CHAR does."""

    def key(self, name: str) -> str:
        return name.strip()


class Normalises(Confusing):
    """Compares names as some file systems do."""

    def key(self, name: str) -> str:
        return unicodedata.normalize("NFC", name)


class CutsNames(Confusing):
    """Has a column for 200 characters."""

    def key(self, name: str) -> str:
        return name[:200]


class ReadsByPrefix(MemoryStore):
    """Reads streams with LIKE."""

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        rows = list(self.read_all(until=until))
        return iter([r for r in rows if r.stream.startswith(stream)][max(after, 0) :])


class LowerKinds(MemoryStore):
    """Keeps kinds in lower case."""

    def _keep(self, rows: Iterator[Row]) -> None:
        super()._keep(row._replace(kind=row.kind.lower()) for row in rows)


class DropsNul(MemoryStore):
    """Repairs names that it should refuse."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        kept = [evolve(one, stream=one.stream.replace("\0", "")) for one in drafts]
        right = {name.replace("\0", ""): version for name, version in expected.items()}
        return super().append(kept, right)


# Appending.


class OnlyTheFirstStream(MemoryStore):
    """Checks the version of the first stream, and forgets the others."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        first, *others = expected
        forgiven = {stream: self.version(stream) for stream in others}
        return super().append(drafts, {first: expected[first], **forgiven})


class OnlyWrittenStreams(MemoryStore):
    """Checks no stream to which nothing is added."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        written = {one.stream for one in drafts}
        return super().append(
            drafts, {s: version for s, version in expected.items() if s in written}
        )


class AllowsOlder(MemoryStore):
    """Refuses only versions that are too new."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        newer = {s: max(version, self.version(s)) for s, version in expected.items()}
        return super().append(drafts, newer)


class SwapsNumbers(MemoryStore):
    """Says the two versions of a conflict the wrong way round."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except VersionConflict as error:
            raise VersionConflict(error.stream, error.actual, error.expected) from error


class Swallows(MemoryStore):
    """Takes no notice of errors."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except StoreError:
            return []


class OwnErrors(MemoryStore):
    """Raises errors of its own for what all stores refuse."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except TooLarge as error:
            raise OverflowError(str(error)) from error


class FillsInVersions(MemoryStore):
    """Takes a missing version for any version."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        known = {one.stream: self.version(one.stream) for one in drafts}
        return super().append(drafts, {**known, **expected})


class Piecemeal(MemoryStore):
    """Stores a batch one by one."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        versions, stamps = dict(expected), list[Stamp]()
        for one in drafts:
            [stamp] = super().append([one], versions)
            if stamp.position == len(self._log):
                versions[one.stream] = stamp.version
            stamps.append(stamp)
        return stamps


class CountsFirst(MemoryStore):
    """Stores an event before it asks the clock."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except OSError:
            clock, self.clock = self.clock, lambda: 0
            super().append(drafts, expected)
            self.clock = clock
            raise


class StoresTwice(MemoryStore):
    """Does not look whether an id is there."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        known = dict(self._by_id)
        self._by_id.clear()
        try:
            now = {stream: self.version(stream) for stream in expected}
            is_known = any(one.id in known for one in drafts)
            return super().append(drafts, now if is_known else expected)
        finally:
            self._by_id.update(known)


class ComparesTheBatch(MemoryStore):
    """Knows whole batches again, and no parts of them."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        stamps = super().append(drafts, expected)
        if any(b.position - a.position != 1 for a, b in pairwise(stamps)):
            raise VersionConflict(drafts[0].stream, 0, 0)
        return stamps


class LooksAtTheFirstId(MemoryStore):
    """Takes every append whose first id is stored for a repetition."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        known = [self.find(one.id) for one in drafts]
        if known[:1] != [None] and drafts:
            return [Stamp(r.position, r.version, r.recorded_us) for r in known if r]
        return super().append(drafts, expected)


class BurnsPositions(MemoryStore):
    """Takes a number from a sequence, and does not give it back."""

    burnt = 0

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except (StoreError, InvalidValue):
            self.burnt += 1
            raise

    def _keep(self, rows: Iterator[Row]) -> None:
        super()._keep(row._replace(position=row.position + self.burnt) for row in rows)


class OneCounter(MemoryStore):
    """Numbers versions over all streams."""

    def _keep(self, rows: Iterator[Row]) -> None:
        super()._keep(row._replace(version=row.position) for row in rows)


class StampsFromZero(MemoryStore):
    """Acknowledges positions that count from 0."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        stamps = super().append(drafts, expected)
        return [stamp._replace(position=stamp.position - 1) for stamp in stamps]


# Bytes, numbers and times.


class TidiesJson(MemoryStore):
    """Keeps payloads as JSON would be written, without spaces at the end."""

    def _keep(self, rows: Iterator[Row]) -> None:
        super()._keep(row._replace(payload=row.payload.strip()) for row in rows)


class Checksum32(MemoryStore):
    """Has a column of 32 bits."""

    def _keep(self, rows: Iterator[Row]) -> None:
        cut = (row._replace(checksum=row.checksum & 0xFFFF_FFFF) for row in rows)
        super()._keep(cut)


class NoLargeObjects(MemoryStore):
    """Cuts off what is too large."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except TooLarge:
            return super().append(
                [evolve(one, payload=one.payload[:1000]) for one in drafts], expected
            )


class TurnsDays(MemoryStore):
    """Puts days in order instead of refusing them."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        def turned(one: Draft) -> Draft:
            if one.earliest is None or one.latest is None:
                return one
            days = sorted([one.earliest, one.latest])
            return evolve(one, earliest=days[0], latest=days[1])

        return super().append([turned(one) for one in drafts], expected)


class AsksForEachEvent(MemoryStore):
    """Asks the clock for each event, and believes it."""

    def _keep(self, rows: Iterator[Row]) -> None:
        super()._keep(row._replace(recorded_us=self.clock()) for row in rows)


class OwnTimes(MemoryStore):
    """Keeps no given time."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        untimed = [evolve(one, recorded_us=None) for one in drafts]
        return super().append(untimed, expected)


class PullsTimesUp(MemoryStore):
    """Changes given times that come too early."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        try:
            return super().append(drafts, expected)
        except InvalidValue as error:
            if "recorded times" not in str(error):
                raise
            untimed = [evolve(one, recorded_us=None) for one in drafts]
            return super().append(untimed, expected)


class MakesTimesFit(MemoryStore):
    """Takes the nearest time that a leaf can say."""

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        shows, self.clock = self.clock, lambda: min(max(shows(), FIRST_US), LAST_US)
        try:
            return super().append(drafts, expected)
        finally:
            self.clock = shows


# Leaf hashes.


class HashesPayloads(MemoryStore):
    """Hashes the payload alone."""

    def _keep(self, rows: Iterator[Row]) -> None:
        kept = list(rows)
        super()._keep(iter(kept))
        hashes = [entry_hash(row.payload) for row in kept]
        self._leaves[-len(kept) :] = hashes


class HashesTheClock(MemoryStore):
    """Hashes before the clock is overruled."""

    def _keep(self, rows: Iterator[Row]) -> None:
        kept, now_us = list(rows), self.clock()
        super()._keep(iter(kept))
        shown = [row._replace(recorded_us=now_us) for row in kept]
        self._leaves[-len(kept) :] = leaves_of(shown)


class LeavesInMemory(MemoryStore):
    """Keeps leaf hashes with the object that made them."""

    def close(self) -> None:
        self._leaves.clear()


class LeavesByPage(MemoryStore):
    """Reads a page of leaf hashes, and no other."""

    def leaves(self, *, after: int = 0, until: int | None = None) -> Iterator[bytes]:
        return islice(super().leaves(after=after, until=until), 1000)


# Sharing.


class ForgetsTheLastBatch(MemoryStore):
    """Does not write what was appended last before closing."""

    size = 0

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        self.size = len(self._log)
        return super().append(drafts, expected)

    def close(self) -> None:
        rows = self._log[: self.size]
        self._log.clear()
        self._leaves.clear()
        self._streams.clear()
        self._by_id.clear()
        self._keep(iter(rows))


class ClosesOnce(MemoryStore):
    """Cannot be closed twice."""

    is_closed = False

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        self.is_closed = False
        return super().append(drafts, expected)

    def close(self) -> None:
        if self.is_closed:
            raise ValueError("closed")
        self.is_closed = True


class Unlocked(MemoryStore):
    """Lets threads append at once."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self._lock = cast("Any", nullcontext())


WRONG: list[tuple[type[MemoryStore], str]] = [
    (InclusiveAfter, "cut_exactly"),
    (ExclusiveUntil, "cut_exactly"),
    (UntilByVersion, "cut_exactly"),
    (Unordered, "comes_back_verbatim"),
    (LosesTheSeam, "pages_have_no_seams"),
    (ReadsForEver, "comes_back_verbatim"),
    (ReadsForEver, "an_id_is_used_once"),
    (OnePage, "pages_by_stream_have_no_seams"),
    (ReadsAtOnce, "reads_what_comes_meanwhile"),
    (ReadsOnByStream, "reads_what_comes_meanwhile"),
    (OneCursor, "readers_do_not_disturb_each_other"),
    (OneCursor, "readers_see_a_beginning"),
    (SortsStreams, "stream_after_stream"),
    (FindsByPrefix, "found_by_id"),
    (FindsByPrefix, "ids_and_kinds_never_confused"),
    (FindsOrRaises, "an_empty_store"),
    (BeforeTheMoment, "found_by_time"),
    (FoldsCase, "streams_stand_alone"),
    (FoldsCase, "streams_never_confused"),
    (Strips, "streams_never_confused"),
    (Normalises, "streams_never_confused"),
    (CutsNames, "streams_never_confused"),
    (ReadsByPrefix, "streams_stand_alone"),
    (LowerKinds, "ids_and_kinds_never_confused"),
    (DropsNul, "names_must_be_text"),
    (OnlyTheFirstStream, "one_stale_of_several"),
    (OnlyWrittenStreams, "streams_only_read_are_checked"),
    (AllowsOlder, "stale_versions_refused"),
    (SwapsNumbers, "stale_versions_refused"),
    (Swallows, "stale_versions_refused"),
    (OwnErrors, "errors_are_of_one_family"),
    (FillsInVersions, "no_append_without_a_version"),
    (Piecemeal, "batches_are_atomic"),
    (CountsFirst, "a_failing_clock_stores_nothing"),
    (StoresTwice, "repeated_appends_change_nothing"),
    (ComparesTheBatch, "parts_of_appends_may_be_repeated"),
    (LooksAtTheFirstId, "an_id_is_used_once"),
    (BurnsPositions, "gapless_positions"),
    (OneCounter, "gapless_positions"),
    (StampsFromZero, "stamps_say_where"),
    (TidiesJson, "bytes_verbatim"),
    (Checksum32, "numbers_verbatim"),
    (NoLargeObjects, "the_size_of_an_event_is_limited"),
    (TurnsDays, "impossible_numbers_are_refused"),
    (AsksForEachEvent, "recorded_time_never_falls"),
    (AsksForEachEvent, "a_clock_is_overruled_within_a_batch"),
    (OwnTimes, "recorded_time_can_be_kept"),
    (PullsTimesUp, "recorded_time_cannot_be_changed"),
    (MakesTimesFit, "a_clock_beyond_all_years_is_refused"),
    (HashesPayloads, "leaves_are_those_of_the_rows"),
    (HashesPayloads, "one_log_has_one_root"),
    (HashesTheClock, "leaves_say_the_stored_time"),
    (LeavesInMemory, "leaves_are_kept_when_reopened"),
    (LeavesByPage, "leaves_have_no_seams"),
    (ForgetsTheLastBatch, "kept_when_reopened"),
    (ClosesOnce, "closing_twice_is_fine"),
    (Unlocked, "threads_may_share_a_store"),
]


@pytest.mark.parametrize(
    ("kind", "name"), WRONG, ids=[f"{kind.__name__}-{name}" for kind, name in WRONG]
)
def test_a_wrong_store_is_caught(kind: type[MemoryStore], name: str) -> None:
    """The law finds it, and its log is short; a race may take some tries."""
    tries = (
        check_laws(opener(kind), [LAWS[name]], lifecycle=CONCESSION) for _ in range(8)
    )
    [broken] = next(filter(None, tries))
    assert name == broken.law
    assert len(broken.log) <= 5


def test_every_law_catches_something() -> None:
    """No law is there for show: each has a wrong store that it notices."""
    assert set(LAWS) == {name for _, name in WRONG}


def test_a_case_tells_its_story() -> None:
    """What the store was told is said, with the names that it was told."""
    [broken] = check_laws(
        opener(ReadsByPrefix), [LAWS["streams_stand_alone"]], lifecycle=CONCESSION
    )
    assert str(broken).endswith(
        "  => read('P1') is wrong: nothing was expected, 'id P10' ('P10' 1, position 2)"
        " was found, at place 1\n"
        "       The store was told:\n"
        "       append 'id p1' to 'p1' at 'p1' 0: 1\n"
        "       append 'id P10' to 'P10' at 'P10' 0: 2"
    )


def test_a_contract_shows_the_case() -> None:
    """A contract's test of a law that does not hold fails with the case against it."""

    class Contract(StoreContract):
        open_store = staticmethod(opener(ReadsByPrefix))
        lifecycle = CONCESSION

    with pytest.raises(LawBroken, match=r"read\('P1'\) is wrong"):
        Contract().test_law(LAWS["streams_stand_alone"])


class Twin(MemoryStore):
    """Answers from the log alone, and keeps every promise."""

    def streams(self) -> Iterator[str]:
        """Look through the log."""
        return iter(list(dict.fromkeys(row.stream for row in self._log)))

    def read_by_stream(self, *, until: int | None = None) -> Iterator[Row]:
        """Sort a copy of the log."""
        place = {stream: at for at, stream in enumerate(self.streams())}
        rows = self._log if until is None else self._log[: max(until, 0)]
        return iter(sorted(rows, key=lambda row: (place[row.stream], row.version)))

    def find(self, id: str) -> Row | None:  # noqa: A002 - the protocol's name
        """Look through the log."""
        return next((row for row in self._log if row.id == id), None)

    def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> Iterator[Row]:
        """Read a stream at once: of what comes meanwhile nothing is promised."""
        return iter(list(super().read(stream, after=after, until=until)))

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Insist upon the types of a draft's fields."""
        for one in drafts:
            assert {bytes} == {type(one.payload), type(one.metadata)}
            assert {str} == {type(one.stream), type(one.id), type(one.kind)}
        return super().append(drafts, expected)


def test_a_right_store_is_clean() -> None:
    """A store that works otherwise breaks no law."""
    assert_lawful(opener(Twin), STORE_LAWS, lifecycle=CONCESSION, examples=10)


class Exclusive(MemoryStore):
    """Lets in one client at a time."""

    is_open = False

    def close(self) -> None:
        """Let in the next."""
        self.is_open = False


def exclusive() -> OpenStore:
    """Give an opener that refuses what is open."""
    kept: dict[Path, Exclusive] = {}

    def open_store(directory: Path, clock: Callable[[], int]) -> Store:
        store = kept.setdefault(directory, Exclusive())
        if store.is_open:
            raise StoreBusy(str(directory), 0)
        store.clock, store.is_open = clock, True
        return store

    return open_store


def test_a_store_may_be_for_one_client() -> None:
    """To be opened twice at once is promised by stores that clients share only."""
    assert_lawful(exclusive(), STORE_LAWS, lifecycle=CONCESSION, examples=10)


class Hangs(MemoryStore):
    """Waits for itself where two threads meet, and from then on for ever."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.released = Signal()
        self.is_at_work = self.hangs = False

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        self.hangs = self.hangs or self.is_at_work
        self.is_at_work = True
        self.close()
        try:
            return super().append(drafts, expected)
        finally:
            self.is_at_work = False

    def close(self) -> None:
        if self.hangs:
            self.released.wait()


def test_a_store_that_hangs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law waits for its threads only so long, and does not close the store."""
    monkeypatch.setattr(sharing, "_LIMIT_S", 0.5)
    opened = list[Hangs]()

    def open_store(_: Path, clock: Callable[[], int]) -> Store:
        opened.append(Hangs(clock))
        return opened[-1]

    before = set(threading.enumerate())
    try:
        [broken] = check_laws(
            open_store, [LAWS["threads_may_share_a_store"]], lifecycle=CONCESSION
        )
        assert "a thread still waits for the store after 0.5 s" in str(broken)
        assert {True} == {one.daemon for one in set(threading.enumerate()) - before}
    finally:
        for store in opened:
            store.released.set()
        for thread in set(threading.enumerate()) - before:
            thread.join()
