"""The ledger: the one seam where the rules of the core meet a store."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeVar

from attrs import evolve, frozen

from azcn_events.core.codec import Codec
from azcn_events.core.events import ERASURES, Event, Fact, Recorded
from azcn_events.core.history import (
    Admission,
    History,
    Moment,
    erased_in,
    in_force,
    marked,
)
from azcn_events.core.lifecycle import Deviation, Lifecycle, State
from azcn_events.core.projection import Progress, Projection
from azcn_events.core.values import (
    check_name,
    check_recorded_us,
    datetime_of_us,
    day_of,
    day_of_us,
    known_until,
)
from azcn_events.errors import (
    AzcnEventsError,
    IdCollision,
    InvalidValue,
    LoadRefused,
    Problem,
    StoreUnusable,
    TooLarge,
    UnknownName,
    VersionConflict,
)
from azcn_events.interop import jsonlines
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.reports import REPORTS
from azcn_events.reports.bisect import Rule, Turn, bisect, reads_otherwise, rule_named
from azcn_events.reports.blame import blame
from azcn_events.reports.diff import Bridge, diff
from azcn_events.reports.explain import Explanation, explain
from azcn_events.reports.past import only
from azcn_events.reports.table import Table
from azcn_events.stores.protocol import Draft, Row, Stamp, Store

__all__ = ["Ledger", "Receipt", "View"]

S = TypeVar("S")

_ATTEMPTS: Final = 50
"""How often a fact is decided anew when other writers keep coming first."""


@frozen
class Receipt:
    """What was recorded, and what is unexpected about it.

    Attributes:
        records: One for each fact, in the order given.
        deviations: Soft rules that these facts do not follow.
    """

    records: tuple[Recorded, ...]
    deviations: tuple[Deviation, ...]


@frozen
class View:
    """The ledger as true by one day and known by one moment.

    It is fixed when it is made: nothing recorded later changes its answers.

    Attributes:
        moment: The two times, and the records that they leave.
        position: The last position that it knows.
    """

    moment: Moment
    position: int
    _history: Callable[[str], History]

    def state(self, stream: str) -> State:
        """Give where one stream stands.

        Raises:
            UnknownName: If no record of this stream is known.
        """
        facts = in_force(self._history(stream).records)
        return self.moment.lifecycle.replay(facts, as_of=self.moment.as_of)

    def history(self, stream: str) -> History:
        """Give one stream's records as seen from here.

        Raises:
            UnknownName: If no record of this stream is known.
        """
        return self._history(stream)

    def histories(self, category: str = "") -> Iterator[History]:
        """Yield every stream known, of one category or all, one at a time."""
        return self.moment.histories(category)

    def deviations(self) -> Iterator[Deviation]:
        """Yield what is unexpected in the facts known, stream by stream."""
        for history in self.moment.histories(self.moment.lifecycle.category):
            yield from self.moment.lifecycle.deviations(history.facts)

    def report(self, name: str, **parameters: Any) -> Table:  # noqa: ANN401 - each report's own
        """Make a report.

        Args:
            name: One of ``REPORTS``, such as ``"pipeline"``.
            **parameters: The report's own, such as ``policy="committed"``.

        Raises:
            UnknownName: If there is no such report, policy or parameter.
        """
        return self._asked(name, parameters)(self.moment)

    def explain(
        self,
        name: str,
        *row: str,
        column: str,
        **parameters: Any,  # noqa: ANN401 - each report's own
    ) -> Explanation:
        """Explain one figure of a report: records, citations, sources, doubts.

        Args:
            name: The report's name.
            *row: What the row begins with, as in ``Table.row``.
            column: The column's name.
            **parameters: The report's own.

        Raises:
            UnknownName: As for :meth:`report`; or if there is no such row or column.
            InvalidValue: If several rows begin so.
        """
        report = self._asked(name, parameters)
        return explain(self.moment, report, *row, column=column)

    def blame(self, stream: str, field: str = "") -> Table:
        """Say of each part of a stream's state which record last set it.

        Raises:
            UnknownName: If there is no such stream, or no such part of it.
        """
        return blame(self.moment, stream, field)

    def diff(
        self,
        name: str,
        *row: str,
        before: View,
        column: str = "",
        **parameters: Any,  # noqa: ANN401 - each report's own
    ) -> Bridge:
        """Find what moved a figure, or every figure of a report, since an earlier view.

        Args:
            name: The report's name.
            *row: What the row begins with; nothing for the whole report.
            before: The earlier view, on either axis or both.
            column: The column's name; empty for every column.
            **parameters: The report's own.

        Raises:
            UnknownName: As for :meth:`report`; or if there is no such row or column.
            InvalidValue: If ``before`` is no earlier view of this ledger.
        """
        report = self._asked(name, parameters)
        return diff(before.moment, self.moment, report, *row, column=column)

    def bisect(
        self, rule: str | Rule, *, after: int = 0, exhaustive: bool = False
    ) -> Turn | None:
        """Find the record after which a rule fails; see :func:`reports.bisect.bisect`.

        Args:
            rule: One of ``reports.bisect.RULES``, or a predicate on a moment.
            after: A position at which it held.
            exhaustive: Look after every record.

        Raises:
            UnknownName: If there is no such rule.
            InvalidValue: If the rule fails at the start already.
        """
        holds = rule_named(rule) if isinstance(rule, str) else rule
        return bisect(self.moment, holds, after=after, exhaustive=exhaustive)

    def reads_otherwise(
        self,
        name: str,
        *row: str,
        column: str,
        **parameters: Any,  # noqa: ANN401 - each report's own
    ) -> Rule:
        """Make a rule to bisect by: a figure is not yet what it is at this view.

        Raises:
            As for :meth:`explain`.
        """
        report = self._asked(name, parameters)
        return reads_otherwise(self.moment, report, *row, column=column)

    def _asked(
        self, name: str, parameters: Mapping[str, Any]
    ) -> Callable[[Moment], Table]:
        """Give a report with its parameters, to be asked of any moment."""
        try:
            report = REPORTS[name]
        except KeyError:
            raise UnknownName("report", name, tuple(REPORTS)) from None
        known = tuple(inspect.signature(report).parameters)[1:]
        for parameter in parameters:
            if parameter not in known:
                what = f"parameter of the report {name!r}"
                raise UnknownName(what, parameter, known)
        before = parameters.get("before")
        if not isinstance(before, View | Moment):
            return partial(report, **parameters)
        earlier = before.moment if isinstance(before, View) else before

        def since(moment: Moment) -> Table:
            looked = earlier
            if moment is not self.moment:
                # What the one look is not to see, the other is not to see either.
                looked = only(earlier, (record.position for record in moment.read()))
            return report(moment, **{**parameters, "before": looked})

        return since


class Ledger:
    """A store, a lifecycle, and the only way in.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        store: Store,
        lifecycle: Lifecycle = INVESTMENT,
        *,
        clock: Callable[[], int] | None = None,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        """Put a ledger on an open store.

        Args:
            store: Where the bytes are kept.
            lifecycle: The rules.
            clock: Gives the time in microseconds since 1970 UTC; tells what day
                it is. (The recorded times are the store's.)
            new_id: Makes ids for facts that come without one.
        """
        self.store = store
        self.lifecycle = lifecycle
        self.codec = Codec(lifecycle)
        self._clock = clock or _wall_clock
        self._new_id = new_id or _time_ordered_id

    @classmethod
    def open(
        cls,
        url: str | os.PathLike[str] = "azcn.db",
        *,
        lifecycle: Lifecycle = INVESTMENT,
        create: bool = True,
        durability: str = "full",
        clock: Callable[[], int] | None = None,
        new_id: Callable[[], str] | None = None,
    ) -> Ledger:
        """Open a ledger.

        Args:
            url: A path of a SQLite file, ``sqlite:PATH``, or ``memory:``.
            lifecycle: The rules.
            create: Make it if it is missing; otherwise that is an error.
            durability: ``"full"``: what was acknowledged survives a power cut.
                ``"normal"``: the last commits may be lost in one, nothing else.
            clock: As in the constructor; the store uses it too.
            new_id: As in the constructor.

        Raises:
            StoreUnusable: If it is missing, foreign, newer, read-only or damaged.
            UnknownName: If the URL or the durability is of no known kind.
        """
        store = _open_store(os.fspath(url), durability, clock or _wall_clock, create)
        return cls(store, lifecycle, clock=clock, new_id=new_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the store. Calling it twice is fine."""
        self.store.close()

    # Writing

    def record(
        self,
        stream: str,
        *events: Event,
        ids: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Record what a source said about one thing, all or nothing.

        Args:
            stream: The thing, such as ``"agreement/cardboard"``.
            *events: The facts, in the order in which they count.
            ids: An id for each, to make a repetition safe: recording the same
                ids again returns the first result. Made up if left out.
            metadata: About the recording, such as ``{"by": "u17"}``.

        Raises:
            TransitionRefused: If the lifecycle does not admit one.
            RecordNotFound: If one replaces a record that is not there.
            InvalidValue: If a name or a text cannot be stored.
            IdCollision: If an id is used for something else.
        """
        if not events:
            raise InvalidValue(stream, "there is no event to record", "one or more")
        if ids and len(ids) != len(events):
            msg = f"{len(events)} events but {len(ids)} ids; give one for each"
            raise ValueError(msg)
        about = jsonlines.encode_metadata(metadata or {})
        given = ids or ("",) * len(events)
        return self.record_all(
            Fact(stream, event, id_, None, about)
            for event, id_ in zip(events, given, strict=True)
        )

    def record_all(self, facts: Iterable[Fact]) -> Receipt:
        """Record facts about several things in one atomic append.

        Raises:
            As for :meth:`record`.
        """
        return self._append([self._named(fact) for fact in facts], _raise_first)

    def load(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> Receipt:
        """Record a file of JSON Lines (see ``interop.jsonlines``), all or nothing.

        Args:
            source: A path, or a file open in binary.
            progress: Called with the number of lines read, now and then.

        Raises:
            LoadRefused: With every problem found; nothing was stored.
        """
        if isinstance(source, str | os.PathLike):
            with Path(source).open("rb") as file:
                return self._load(file, os.fspath(source), progress)
        return self._load(source, str(getattr(source, "name", "facts")), progress)

    def _load(
        self, file: BinaryIO, name: str, progress: Callable[[int], None] | None
    ) -> Receipt:
        facts, lines, problems = list[Fact](), list[int](), list[Problem]()
        first_line: dict[str, int] = {}
        newest_us: int | None = None
        for number, found in jsonlines.read(file, self.codec):
            if isinstance(found, list):
                problems += found
                continue
            try:
                facts.append(self._named(found))
                lines.append(number)
            except InvalidValue as error:
                problems.append(Problem(number, "$.recorded_at", str(error)))
                continue
            fact = facts[-1]
            if (line := first_line.setdefault(fact.id, number)) != number:
                message = f"the id {fact.id!a} is that of line {line} already"
                problems.append(Problem(number, "$.id", message))
            if fact.recorded_us is not None:
                if newest_us is not None and fact.recorded_us < newest_us:
                    message = _earlier(fact.recorded_us, newest_us, "a line above")
                    problems.append(Problem(number, "$.recorded_at", message))
                newest_us = max(newest_us or 0, fact.recorded_us)
            if progress and number % _PROGRESS_LINES == 0:
                progress(number)

        def settle(refusals: list[tuple[int, AzcnEventsError]]) -> None:
            found = [Problem(lines[at], "", str(error)) for at, error in refusals]
            if problems or found:
                every = sorted([*problems, *found], key=lambda problem: problem.line)
                raise LoadRefused(name, tuple(every))

        try:
            return self._append(facts, settle)
        except (InvalidValue, IdCollision, TooLarge) as error:
            raise LoadRefused(name, self._clashes(facts, lines, error)) from error

    def _clashes(
        self, facts: Sequence[Fact], lines: Sequence[int], error: AzcnEventsError
    ) -> tuple[Problem, ...]:
        """Say which lines do not go with what is stored."""
        newest = next(self.store.read_all(after=self.store.head() - 1), None)
        found = [
            Problem(line, "$.id", str(error))
            for line, fact in zip(lines, facts, strict=True)
            if isinstance(error, IdCollision) and fact.id == error.id
        ] or [
            Problem(line, "$.recorded_at", message)
            for line, fact in zip(lines, facts, strict=True)
            if isinstance(error, InvalidValue)
            and newest is not None
            and fact.recorded_us is not None
            and fact.recorded_us < newest.recorded_us
            and (message := _earlier(fact.recorded_us, newest.recorded_us, "the log"))
        ]
        return tuple(found) or (Problem(0, "", str(error)),)

    def _named(self, fact: Fact) -> Fact:
        check_name(fact.stream, "a stream's name")
        if fact.recorded_us is not None:
            check_recorded_us(fact.recorded_us)
        if fact.recorded_us is not None and fact.recorded_us > self._clock():
            at = datetime_of_us(fact.recorded_us).isoformat()
            accepted = "a time that has come, or none"
            raise InvalidValue(at, "nothing is recorded in the future", accepted)
        if fact.metadata != _NO_METADATA:
            jsonlines.check_metadata(fact.metadata)
        if fact.id:
            check_name(fact.id, "an event id")
            return fact
        return evolve(fact, id=self._new_id())

    def _append(self, facts: Sequence[Fact], settle: _Settle) -> Receipt:
        """Decide and append; decide anew if another writer was first."""
        drafts = [self._draft(fact) for fact in facts]
        for attempt in range(1, _ATTEMPTS + 1):
            desks: dict[str, Admission] = {}
            refusals: list[tuple[int, AzcnEventsError]] = []
            if not self._repeats(facts):
                desks, refusals = self._decide(facts, drafts)
            if refusals and self._repeats(facts):
                refusals = []  # Another writer stored these very facts just now.
            settle(refusals)
            expected = {fact.stream: 0 for fact in facts}
            expected |= {stream: desk.known for stream, desk in desks.items()}
            try:
                # Of ids that are stored already the store gives the first stamps,
                # or says how this append differs; it then asks for no version.
                stamps = self.store.append(drafts, expected)
            except VersionConflict:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return self._receipt(facts, drafts, stamps, desks)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _repeats(self, facts: Sequence[Fact]) -> bool:
        """Say whether facts were recorded before, to go by the first one's id."""
        return bool(facts) and self.store.find(facts[0].id) is not None

    def _draft(self, fact: Fact) -> Draft:
        kind, payload, checksum = self.codec.encode(fact.event)
        earliest, latest = fact.event.when.earliest, fact.event.when.latest
        return Draft(
            stream=fact.stream,
            id=fact.id,
            kind=kind,
            payload=payload,
            checksum=checksum,
            metadata=fact.metadata,
            earliest=None if earliest is None else earliest.toordinal(),
            latest=None if latest is None else latest.toordinal(),
            recorded_us=fact.recorded_us,
        )

    def _decide(
        self, facts: Sequence[Fact], drafts: Sequence[Draft]
    ) -> tuple[dict[str, Admission], list[tuple[int, AzcnEventsError]]]:
        """Ask the lifecycle about each fact, on top of what is stored.

        Returns:
            The desks by stream, and the refusals with the place of each fact.
        """
        desks: dict[str, Admission] = {}
        refusals: list[tuple[int, AzcnEventsError]] = []
        now = self._clock()
        for place, (fact, draft) in enumerate(zip(facts, drafts, strict=True)):
            desk = desks.get(fact.stream)
            if desk is None:
                known = self.codec.records(self.store.read(fact.stream))
                desk = desks[fact.stream] = Admission(
                    self.lifecycle, fact.stream, known
                )
            at = now if fact.recorded_us is None else fact.recorded_us
            version = len(desk.records) + 1
            new = Recorded(
                0, fact.stream, version, fact.id, draft.kind, at, fact.event, b"{}"
            )
            try:
                desk.admit(new)
            except AzcnEventsError as error:
                refusals.append((place, error))
        return desks, refusals

    def _receipt(
        self,
        facts: Sequence[Fact],
        drafts: Sequence[Draft],
        stamps: Sequence[Stamp],
        desks: Mapping[str, Admission],
    ) -> Receipt:
        records = tuple(
            Recorded(
                stamp.position,
                fact.stream,
                stamp.version,
                fact.id,
                draft.kind,
                stamp.recorded_us,
                fact.event,
                fact.metadata,
            )
            for fact, draft, stamp in zip(facts, drafts, stamps, strict=True)
        )
        by_stream: dict[str, list[Recorded]] = {}
        for record in records:
            by_stream.setdefault(record.stream, []).append(record)
        deviations = [
            deviation
            for stream, new in by_stream.items()
            for deviation in self._deviations(stream, new, desks.get(stream))
        ]
        return Receipt(records, tuple(deviations))

    def _deviations(
        self, stream: str, new: Sequence[Recorded], desk: Admission | None
    ) -> Iterator[Deviation]:
        """Yield what is unexpected in new records, on top of what was there.

        Without a desk the records were stored before; then what was there is read.
        """
        if not self.lifecycle.has_milestones(stream):
            return
        if desk is None:
            rows = self.store.read(stream, until=new[-1].position)
            known = list(self.codec.records(rows))
        else:
            known = [*desk.records[: desk.known], *new]
        ids = {record.id for record in new}
        for deviation in self.lifecycle.deviations(in_force(known)):
            if deviation.record.id in ids:
                yield deviation

    # Reading

    def records(
        self, *, after: int = 0, until: int | None = None
    ) -> Iterator[Recorded]:
        """Yield the log in position order, with ``after < position <= until``."""
        return self.codec.records(self.store.read_all(after=after, until=until))

    def fold(
        self, projection: Projection[S], progress: Progress[S] | None = None
    ) -> Progress[S]:
        """Run a projection over the log, from the start or from where it stands."""
        if progress is None:
            progress = Progress(projection.start())
        return projection.resume(progress, self.records(after=progress.position))

    def state(self, stream: str) -> State:
        """Give where one stream stands now, every fact counted.

        Raises:
            UnknownName: If there is no such stream.
        """
        records = tuple(self.codec.records(self.store.read(stream)))
        if not records:
            raise self._unknown(stream)
        return self.lifecycle.replay(in_force(records))

    def history(self, stream: str) -> History:
        """Give one stream's records, replaced ones included.

        Raises:
            UnknownName: If there is no such stream.
        """
        return self.view().history(stream)

    def view(
        self, *, as_of: str | date | None = None, known_by: str | date | None = None
    ) -> View:
        """Look at the log as true by one day, and as known by one moment.

        Args:
            as_of: Count what had come by the end of this day; all if left out.
            known_by: Count what was recorded by then: a day (to its end, UTC) or
                a date-time with a zone; everything so far if left out.

        Raises:
            InvalidValue: If either is no such text.
        """
        day = None if as_of is None else day_of(as_of)
        if known_by is None:
            position, asked, known = self.store.head(), self._clock(), ""
        else:
            asked, known = known_until(known_by), str(known_by)
            position = self.store.position_at(asked)
        on = day or day_of_us(asked)
        moment = self.moment(position, on=on, as_of=day, known_by=known)

        def history(stream: str) -> History:
            rows = self.store.read(stream, until=position)
            records = tuple(self._shown(rows, position))
            if not records and self.store.version(stream):
                problem = f"nothing of this stream was recorded by then ({known})"
                raise InvalidValue(stream, problem, "a later known_by, or none")
            if not records:
                raise self._unknown(stream)
            return History(stream, records, day)

        return View(moment, position, history)

    def moment(
        self, position: int, *, on: date, as_of: date | None = None, known_by: str = ""
    ) -> Moment:
        """Look at the log as it was known at a position: what a view is made of.

        Args:
            position: The last position that is known.
            on: The day to which ages and lateness are counted.
            as_of: Count what had come by the end of this day; all if None.
            known_by: The recorded time that was asked for, to be printed.
        """

        def read() -> Iterator[Recorded]:
            return self._shown(self.store.read_by_stream(until=position), position)

        return Moment(self.lifecycle, read, as_of, on, known_by)

    def _shown(self, rows: Iterable[Row], position: int) -> Iterator[Recorded]:
        """Give records as known at a position: what is erased by then says so."""
        said = self.codec.records(self.store.read(ERASURES, until=position))
        erased = erased_in(said)
        records = self.codec.records(rows)
        return marked(records, erased) if erased else records

    def report(self, name: str, **parameters: Any) -> Table:  # noqa: ANN401 - each report's own
        """Make a report of everything known now: ``view().report(...)``."""
        return self.view().report(name, **parameters)

    def _unknown(self, stream: str) -> UnknownName:
        return UnknownName("stream", stream, tuple(self.store.streams()))


_NO_METADATA: Final = b"{}"
_Settle = Callable[[list[tuple[int, AzcnEventsError]]], None]
_PROGRESS_LINES: Final = 1000


def _earlier(recorded_us: int, newest_us: int, where: str) -> str:
    at, newest = (datetime_of_us(us).isoformat() for us in (recorded_us, newest_us))
    return (
        f"{at} lies before {newest}, which {where} has; recorded times never fall:"
        " restore a log into an empty ledger, or leave recorded_at out"
    )


def _raise_first(refusals: list[tuple[int, AzcnEventsError]]) -> None:
    for _, error in refusals:
        raise error


def _open_store(
    url: str,
    durability: str,
    clock: Callable[[], int],
    create: bool,  # noqa: FBT001 - handed on
) -> Store:
    """Open the store that a URL names; a backend is imported when asked for."""
    scheme, colon, rest = url.partition(":")
    if url == "memory:":
        from azcn_events.stores.memory import MemoryStore  # noqa: PLC0415 - see above

        return MemoryStore(clock=clock)
    if colon and len(scheme) > 1 and scheme != "sqlite":  # One letter is a drive.
        raise UnknownName("kind of store", scheme, ("sqlite", "memory"))
    from azcn_events.stores.sqlite import SqliteStore  # noqa: PLC0415 - see above

    path = rest if scheme == "sqlite" and colon else url
    if not create and (not Path(path).exists() or _is_empty_file(path)):
        detail = "there is no ledger; make one with 'azcn init' or by opening it"
        raise StoreUnusable(path, "missing", detail)
    return SqliteStore.open(path, durability=durability, clock=clock)


def _is_empty_file(path: str) -> bool:
    return Path(path).is_file() and Path(path).stat().st_size == 0


def _wall_clock() -> int:
    return time.time_ns() // 1000


def _time_ordered_id() -> str:
    """Make an id: UUID version 7 (RFC 9562, 5.7), 32 hexadecimal digits.

    Ids that rise with time keep an index on them compact.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = milliseconds << 16 | 0x7000 | random >> 68
    low = 0x8000_0000_0000_0000 | random & 0x3FFF_FFFF_FFFF_FFFF
    return f"{high << 64 | low:032x}"
