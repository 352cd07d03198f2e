"""Verify a log: that its events are those that were recorded, as far as can be shown.

Rows are read once, in order. Each is hashed anew and compared with the hash that was
stored beside it; all together are compared with every checkpoint at hand. What no
comparison can show is said as plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from enum import Enum
from functools import partial
from itertools import chain, islice, repeat
from operator import gt, ne
from typing import Any, Final, NamedTuple, TypeAlias, cast
from zlib import crc32

from attrs import define, field, frozen

from azcn_events.audit.verdict import Assurance, Finding, Findings, Severity, Verdict
from azcn_events.core.codec import Codec
from azcn_events.core.leaf import leaf_of, leaves_from
from azcn_events.core.merkle import HASH_BYTES, Frontier
from azcn_events.core.values import datetime_of_us
from azcn_events.errors import AzcnEventsError, InvalidValue, UndecodableEvent
from azcn_events.interop.jsonlines import check_metadata
from azcn_events.stores.protocol import Row, Store

__all__ = [
    "ABSENT",
    "Absent",
    "Claim",
    "RawRow",
    "rows_of",
    "unmarked",
    "unreadable",
    "verify_log",
    "verify_rows",
]


class Absent(Enum):
    """Stands for a column that the log's form does not have."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Raw: TypeAlias = object
"""What stands in a column, whatever type it should have."""


class RawRow(NamedTuple):
    """An event's columns as they were found; ``Row`` says what they should be.

    Attributes:
        leaf: The hash that was stored beside the event.
        earliest: First possible day, as stored for queries.
        latest: Last possible day, likewise.
    """

    position: Raw
    stream: Raw
    version: Raw
    id: Raw
    kind: Raw
    recorded_us: Raw
    payload: Raw
    metadata: Raw
    checksum: Raw = ABSENT
    leaf: Raw = ABSENT
    earliest: Raw = ABSENT
    latest: Raw = ABSENT


@frozen
class Claim:
    """That a log of some size had some root: a checkpoint whose signatures hold.

    Attributes:
        name: What to call it, such as its file's name.
        size: The log's size.
        root: Its root, 32 bytes.
        assurance: Whose word it is: ``SIGNED``, ``KEPT`` or ``WITNESSED``.
        times: When witnesses signed it, POSIX seconds; may be empty.
    """

    name: str
    size: int
    root: bytes
    assurance: Assurance = Assurance.SIGNED
    times: tuple[int, ...] = ()


TOLERANCE_S: Final = 600.0
"""How far a recorded time may lie on the wrong side of a witness's: clocks differ,
and events arrive between a checkpoint and its cosignature."""


def verify_log(
    store: Store,
    *,
    claims: Sequence[Claim] = (),
    codec: Codec | None = None,
    strict: bool = False,
    tolerance_s: float = TOLERANCE_S,
    name: str = "the log",
) -> Verdict:
    """Verify a store that can be opened; see :func:`verify_rows`.

    A SQLite file that is damaged cannot be opened as a store; see
    ``stores.sqlite.inspection``.
    """
    return verify_rows(
        rows_of(store),
        claims=claims,
        codec=codec,
        strict=strict,
        tolerance_s=tolerance_s,
        name=name,
    )


def rows_of(store: Store) -> Iterator[RawRow]:
    """Yield what a store holds, each event with the leaf hash that is stored."""
    # The log may grow meanwhile; what is verified is what it held at first.
    head = store.head()
    leaves = chain(store.leaves(until=head), repeat(None))
    for row, leaf in zip(store.read_all(until=head), leaves, strict=False):
        yield _raw_row((*row, leaf, ABSENT, ABSENT))


# RawRow._make would do the same, but through Python code for every event.
_raw_row: Final[Callable[[tuple[object, ...]], RawRow]] = partial(
    tuple[object].__new__, RawRow
)


def verify_rows(
    rows: Iterable[RawRow | Finding],
    *,
    claims: Sequence[Claim] = (),
    codec: Codec | None = None,
    strict: bool = False,
    tolerance_s: float = TOLERANCE_S,
    name: str = "the log",
) -> Verdict:
    """Verify rows in the order of the log, in memory that does not grow with it.

    Args:
        rows: What was found, and findings of whoever read it: they are passed on.
        claims: The checkpoints to compare with.
        codec: Reads the events, to compare what was stored besides them for queries;
            None leaves that out.
        strict: Whether each event must be such as could have been recorded, to its
            last field, as :func:`unreadable` says; needs a codec, and takes some ten
            times as long as all the rest.
        tolerance_s: How far recorded times and witnesses' times may disagree.
        name: What to call the log.

    Returns:
        All that was found, and what cannot be found.
    """
    ranks = sorted(claims, key=lambda claim: claim.size)
    check = _Check(codec, _Brackets(ranks, tolerance_s), strict)
    roots = dict.fromkeys([claim.size for claim in ranks if claim.size], b"")
    for run in _runs(rows, sorted(roots)):
        check.run(run)
        if check.frontier.size in roots:
            roots[check.frontier.size] = check.frontier.root()
    roots[0] = Frontier().root()
    held = [claim for claim in ranks if _holds(claim, roots, check)]
    _find_forks(ranks, check.findings)
    return _verdict(name, check, ranks, held)


_RUN_ROWS: Final = 250
"""Few enough to stay in the processor's cache, as a store's page is."""


def _runs(
    rows: Iterable[RawRow | Finding], ends: Sequence[int]
) -> Iterator[list[RawRow | Finding]]:
    """Cut rows into runs, none of which goes beyond the size that a claim is about."""
    coming, done = iter(rows), 0
    for end in (*ends, None):
        while end is None or done < end:
            room = _RUN_ROWS if end is None else min(_RUN_ROWS, end - done)
            run = list(islice(coming, room))
            if not run:
                return
            done += sum(not isinstance(row, Finding) for row in run)
            yield run


def _holds(claim: Claim, roots: dict[int, bytes], check: _Check) -> bool:
    """Say whether the events give the root that a checkpoint states."""
    size = check.frontier.size
    if claim.size > size:
        problem = (
            f"{claim.name} is signed over {claim.size:,} events, and there are"
            f" {size:,}: the end was cut off, or this is a backup from before, which"
            " is a second history until the missing events are shown"
        )
        check.findings.add(Finding("truncated", problem))
        return False
    if roots[claim.size] != claim.root:
        problem = (
            f"the first {claim.size:,} events have the root {roots[claim.size].hex()},"
            f" and {claim.name} states {claim.root.hex()}: one of them at least was"
            " changed, removed, moved or put in after it was signed"
        )
        check.findings.add(Finding("root", problem))
        return False
    return True


def _find_forks(claims: Sequence[Claim], findings: Findings) -> None:
    first = dict[int, Claim]()
    for claim in claims:
        if claim.assurance.rank < Assurance.SIGNED.rank:
            continue  # Whose key signed it, nobody knows: see pack_checking.
        other = first.setdefault(claim.size, claim)
        if other.root != claim.root:
            problem = (
                f"{other.name} and {claim.name} state two roots of {claim.size:,}"
                " events: two histories were signed. Keep both: they are the proof"
            )
            findings.add(Finding("fork", problem))


@define
class _Brackets:
    """When an event can have been recorded, by the witnesses' clocks."""

    _claims: Sequence[Claim]
    _tolerance_s: float
    _next: int = field(default=0, init=False)
    _after_s: float = field(default=float("-inf"), init=False)

    @property
    def matter(self) -> bool:
        """Whether any witness's time is known."""
        return any(claim.times for claim in self._claims)

    def problem(self, index: int, recorded_us: int) -> tuple[str, Severity]:
        """Say how an event's recorded time cannot be; empty if it can."""
        claims = self._claims
        while self._next < len(claims) and claims[self._next].size <= index:
            times = claims[self._next].times
            self._after_s = max(self._after_s, min(times, default=self._after_s))
            self._next += 1
        at_s = recorded_us / 1e6
        said = f"it says {_us_shown(recorded_us)}, and"
        if at_s < self._after_s - self._tolerance_s:
            signed = _us_shown(int(self._after_s) * 1_000_000)
            problem = (
                f"{said} what is before it was cosigned at {signed}: it is back-dated,"
                " or the checkpoint was cosigned late"
            )
            return problem, Severity.DOUBTFUL
        before_s = min(
            (time for claim in claims[self._next :] for time in claim.times),
            default=float("inf"),
        )
        if at_s > before_s + self._tolerance_s:
            signed = _us_shown(int(before_s) * 1_000_000)
            problem = (
                f"{said} it was signed over already at {signed}: it is dated too late"
            )
            return problem, Severity.ALTERED
        return "", Severity.ALTERED


_TYPES: Final[dict[str, type]] = {
    "position": int,
    "stream": str,
    "version": int,
    "id": str,
    "kind": str,
    "recorded_us": int,
    "payload": bytes,
    "metadata": bytes,
}
_LEAF: Final = RawRow._fields.index("leaf")
_EARLIEST: Final = RawRow._fields.index("earliest")
_LATEST: Final = RawRow._fields.index("latest")
_LOST: Final = bytes(HASH_BYTES)
"""Takes the leaf's place where the row cannot be hashed: then no root agrees."""


@define
class _Check:
    """One pass over rows: what was found, and the root so far."""

    _codec: Codec | None
    _brackets: _Brackets
    is_strict: bool = False
    findings: Findings = field(factory=Findings, init=False)
    frontier: Frontier = field(factory=Frontier, init=False)
    leaves_compared: int = field(default=0, init=False)
    leaves_equal: int = field(default=0, init=False)
    has_read_events: bool = field(default=False, init=False)
    _position: int = field(default=0, init=False)
    _newest_us: int | None = field(default=None, init=False)
    _versions: dict[str, int] = field(factory=dict[str, int], init=False)

    def run(self, run: Sequence[RawRow | Finding]) -> None:
        """Check the next rows: all at once, or one by one if anything is odd."""
        if self._is_in_order(run):
            return
        for row in run:
            if isinstance(row, Finding):
                self.findings.add(row)
            else:
                self.row(row)

    def _is_in_order(self, run: Sequence[RawRow | Finding]) -> bool:
        """Check rows together, column by column; do nothing if one has a fault.

        It asks the same as :meth:`row`, a tenth as dear, and cannot say what is wrong.
        """
        if self._brackets.matter or any(isinstance(row, Finding) for row in run):
            return False
        columns = list(zip(*cast("Sequence[RawRow]", run), strict=True))
        for column, kind in zip(columns, _TYPES.values(), strict=False):
            if set(map(type, column)) != {kind}:
                return False
        positions, streams, versions, ids, kinds, times = columns[:6]
        newest = times[0] if self._newest_us is None else self._newest_us
        first = self._position + 1
        if positions != tuple(range(first, first + len(run))) or any(
            map(gt, (newest, *times), times)
        ):
            return False
        reached = self._reached(streams, versions)
        if reached is None:
            return False
        fields = (positions, streams, versions, kinds, ids, times, *columns[6:8])
        try:
            leaves = tuple(leaves_from(zip(*fields, strict=True)))
        except (AzcnEventsError, UnicodeEncodeError):
            return False
        is_compared = columns[_LEAF] != (ABSENT,) * len(run)
        if is_compared and leaves != columns[_LEAF]:
            return False
        if self._codec and (
            self.is_strict or not self._are_readable(self._codec, columns)
        ):
            return False
        self.frontier.extend(leaves)
        self.leaves_compared += len(run) if is_compared else 0
        self.leaves_equal += len(run) if is_compared else 0
        self._position, self._newest_us = positions[-1], times[-1]
        self._versions.update(reached)
        return True

    def _reached(
        self, streams: Sequence[str], versions: Sequence[int]
    ) -> dict[str, int] | None:
        """Give the streams' versions after some rows; None if one is out of turn."""
        reached, before = dict[str, int](), self._versions
        for stream, version in zip(streams, versions, strict=True):
            if version != (reached.get(stream) or before.get(stream, 0)) + 1:
                return None
            reached[stream] = version
        return reached

    def _are_readable(self, codec: Codec, columns: Sequence[Sequence[Any]]) -> bool:
        kinds, payloads, checksums = columns[4], columns[6], columns[8]
        try:
            due = list(map(codec.checksum, kinds, payloads))
            if any(map(ne, due, checksums)):
                return False
            events = [
                record.event for record in codec.records(zip(*columns[:9], strict=True))
            ]
            days = [(event.when.earliest, event.when.latest) for event in events]
        except AzcnEventsError:
            return False
        self.has_read_events = True
        return all(
            stored is ABSENT or stored == (day and day.toordinal())
            for both, *columns in zip(
                days, columns[_EARLIEST], columns[_LATEST], strict=True
            )
            for stored, day in zip(columns, both, strict=True)
        )

    def row(self, raw: RawRow) -> None:
        """Check the next row."""
        row = self._typed(raw)
        if row is None:
            self.frontier.extend([_LOST])
            self._position += 1
            return
        self._check_place(row)
        is_altered = self._check_leaf(row, raw)
        problem, severity = self._brackets.problem(row.position - 1, row.recorded_us)
        if problem:
            self._find("bracket", problem, row, severity)
        if self._codec and not is_altered:
            self._check_event(self._codec, row, raw)

    def _find(
        self,
        code: str,
        problem: str,
        row: Row,
        severity: Severity = Severity.ALTERED,
    ) -> None:
        self.findings.add(Finding(code, problem, row.position, row.stream, severity))

    def _typed(self, raw: RawRow) -> Row | None:
        """Give the row, if every column has the type that it should have."""
        wrong = [
            f"{column} is {_shown(value)}, not {kind.__name__}"
            for column, kind in _TYPES.items()
            if type(value := getattr(raw, column)) is not kind
        ]
        if wrong:
            position = raw.position if type(raw.position) is int else self._position + 1
            stream = raw.stream if isinstance(raw.stream, str) else ""
            problem = f"it cannot be read: {'; '.join(wrong)}"
            self.findings.add(Finding("damaged", problem, position, stream))
            return None
        checksum = raw.checksum if type(raw.checksum) is int else 0
        return Row._make((*raw[: len(_TYPES)], checksum))

    def _check_place(self, row: Row) -> None:
        """Check what counts up without gaps, and what never falls."""
        if row.position != self._position + 1:
            due = self._position + 1
            problem = f"position {due:,} is due here: events were removed or moved"
            self._find("gap", problem, row)
        self._position = row.position
        version = self._versions.get(row.stream, 0) + 1
        if row.version != version:
            problem = f"it is version {row.version:,}, and {version:,} is due"
            self._find("version", problem, row)
        self._versions[row.stream] = row.version
        if self._newest_us is not None and row.recorded_us < self._newest_us:
            before = _us_shown(self._newest_us)
            problem = f"it was recorded at {_us_shown(row.recorded_us)}, after {before}"
            self._find("time", problem, row)
        self._newest_us = row.recorded_us

    def _check_leaf(self, row: Row, raw: RawRow) -> bool:
        """Hash the row, and say whether that shows that it was altered."""
        try:
            leaf = leaf_of(row)
        except (AzcnEventsError, UnicodeEncodeError) as error:
            self._find("damaged", f"it cannot be hashed: {error}", row)
            self.frontier.extend([_LOST])
            return True
        self.frontier.extend([leaf])
        if raw.leaf is ABSENT:
            return False
        self.leaves_compared += 1
        if raw.leaf == leaf:
            self.leaves_equal += 1
            return False
        problem = (
            f"its bytes have the hash {leaf.hex()}, and stored is {_hash(raw.leaf)}"
        )
        self._find("leaf", problem, row)
        return True

    def _check_event(self, codec: Codec, row: Row, raw: RawRow) -> None:
        """Check that the event can be read, and what was stored of it for queries."""
        if type(raw.checksum) is not int:
            self._find("column", f"its checksum is {_shown(raw.checksum)}", row)
            return
        if self.is_strict and (problem := unreadable(codec, row)):
            self._find("unreadable", problem, row)
            return
        try:
            event = codec.decode(row.kind, row.payload, row.checksum)
            days = (event.when.earliest, event.when.latest)
        except (UndecodableEvent, InvalidValue) as error:
            problem = f"{row.kind[:60]!a} cannot hold this: {error}"
            self._find("unreadable", problem, row)
            return
        self.has_read_events = True
        due = codec.checksum(row.kind, row.payload)
        if due is not None and row.checksum != due:
            problem = (
                f"its checksum is {row.checksum:#x}, and {due:#x} is due: another"
                " release wrote it, whose class had other fields, or it was changed"
            )
            self._find("checksum", problem, row, Severity.DOUBTFUL)
        self._check_days(days, row, raw)

    def _check_days(
        self, days: tuple[date | None, date | None], row: Row, raw: RawRow
    ) -> None:
        for column, day in zip(("earliest", "latest"), days, strict=True):
            stored = getattr(raw, column)
            due = None if day is None else day.toordinal()
            if stored is not ABSENT and stored != due:
                problem = (
                    f"its {column} day is stored as {_shown(stored)}, and is {due}"
                )
                self._find("column", problem, row)


def unreadable(codec: Codec, row: Row) -> str:
    """Say why an event could not have been recorded as it stands; empty if it could.

    It is read as strictly as what somebody types, for whoever can write a file can
    write an event that no class would make, with all its hashes.
    """
    try:
        codec.encode(codec.decode(row.kind, row.payload, unmarked(row)))
        if row.metadata:
            check_metadata(row.metadata)
    except (UndecodableEvent, InvalidValue) as error:
        return f"{row.kind[:60]!a} cannot hold this: {error}"
    return ""


def unmarked(row: Row) -> int:
    """Give the checksum that an event would have if nobody knew its class's fields.

    Its upper half marks them: without it, decoding takes nothing for granted.
    """
    return crc32(row.payload, crc32(row.kind.encode()))


def _shown(value: object) -> str:
    return "absent" if value is ABSENT else ascii(value)[:60]


def _hash(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else _shown(value)


def _us_shown(recorded_us: int) -> str:
    try:
        return datetime_of_us(recorded_us).isoformat()
    except OverflowError:
        return f"{recorded_us} us"


def _verdict(
    name: str, check: _Check, claims: Sequence[Claim], held: Sequence[Claim]
) -> Verdict:
    size = check.frontier.size
    assurance, covered, by = Assurance.NONE, 0, ""
    compared = check.leaves_compared
    if compared and compared == check.leaves_equal == size:
        assurance, covered = Assurance.STORED, size
    for claim in held:
        if claim.size and (claim.assurance.rank, claim.size) >= (
            assurance.rank,
            covered if assurance is claim.assurance else 0,
        ):
            assurance, covered, by = claim.assurance, claim.size, claim.name
    return Verdict(
        subject=name,
        size=size,
        root=check.frontier.root(),
        assurance=assurance,
        covered=covered,
        by=by,
        checked=tuple(_checked(check, claims, held)),
        cannot=tuple(_cannot(size, held, check)),
        findings=tuple(check.findings.kept),
        more=check.findings.more,
    )


def _checked(
    check: _Check, claims: Sequence[Claim], held: Sequence[Claim]
) -> Iterator[str]:
    yield (
        "whether positions and versions count up without gaps, and recorded times"
        " never fall"
    )
    if check.leaves_compared:
        yield (
            f"{check.leaves_compared:,} events were hashed anew:"
            f" {check.leaves_equal:,} agree with the hash stored beside them"
        )
    if check.has_read_events:
        yield (
            "whether each event that is as it was can be decoded, and agrees with what"
            " is stored for queries"
        )
    if claims:
        yield f"of {len(claims)} checkpoints {len(held)} agree with the events"


def _cannot(size: int, held: Sequence[Claim], check: _Check) -> Iterator[str]:
    """Say what the checks that held leave open."""
    for assurance, sentence in _LEFT_OPEN.items():
        by = [claim.size for claim in held if claim.assurance.rank >= assurance.rank]
        covered = max(by, default=0)
        if covered < size:
            yield f"{_events(covered + 1, size)}: {sentence}"
    if check.has_read_events and not check.is_strict:
        yield (
            "that every event could have been recorded as it stands: their fields were"
            " read as the ledger reads them, which trusts the checksums; --strict"
            " reads them as what somebody types"
        )
    yield "that what was recorded is true, or that all that happened was recorded"


def _events(first: int, last: int) -> str:
    return f"event {first:,}" if first == last else f"events {first:,} to {last:,}"


_LEFT_OPEN: Final = {
    Assurance.SIGNED: (
        "covered by no checkpoint, so whoever can write the file can have changed"
        " them, together with the hashes beside them"
    ),
    Assurance.KEPT: (
        "covered by no checkpoint that you had kept yourself, so whoever has the"
        " log's key can have changed them and signed again"
    ),
    Assurance.WITNESSED: (
        "covered by no checkpoint that witnesses signed, so others may have been"
        " shown another history, and events after them may have been cut off"
    ),
}
