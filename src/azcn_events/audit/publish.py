"""Published reports: what was told, recorded so that it can be told again.

Publishing records an event that binds the figures to the log they came from (its size
and Merkle root), to the computation that made them (the report's version) and to a
digest of what was told. Reproducing makes the report again out of the same part of the
log, and says what is different and why: the log, or the code.

What was told is kept in the log too, in as many events as it takes: so the log alone
shows an auditor the difference, row by row, and it is hashed with everything else. A
published report never holds an opened value: what is sealed is told as withheld.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from enum import Enum
from hashlib import sha256
from inspect import signature
from typing import Any, Final, TypedDict

import msgspec
from attrs import evolve, frozen

from azcn_events.core.events import (
    LEDGER_STREAMS,
    Look,
    Parameter,
    Recorded,
    ReportContinued,
    ReportPublished,
)
from azcn_events.core.history import Moment
from azcn_events.core.leaf import leaves_of
from azcn_events.core.merkle import Frontier
from azcn_events.core.values import Answer, Citation, When
from azcn_events.errors import InvalidValue, UndecodableEvent, UnknownName
from azcn_events.investment.events import (
    AgreementIdentified,
    LinkConfirmed,
    LinkProposed,
    LinkRejected,
)
from azcn_events.ledger import Ledger, View
from azcn_events.reports import REPORTS, VERSIONS
from azcn_events.reports.render import plain
from azcn_events.reports.table import Cell, Column, Row, Table
from azcn_events.stores.protocol import Store

__all__ = [
    "FORM",
    "Drift",
    "Outcome",
    "Published",
    "Reproduction",
    "content_of",
    "publications",
    "publish",
    "reproduce",
    "restated_since",
]

FORM: Final = "rows/1"
"""How what was told is written: see :func:`content_of`."""

_CHARACTERS_MAX: Final = 200_000
"""Of content in one event: at most 4 bytes each, so it fits into any store."""


@frozen
class Published:
    """A report that was given out.

    Attributes:
        record: The record of it; its event is a ``ReportPublished``.
        table: The report.
        content: What was told, as bytes: those that the digest is of.
    """

    record: Recorded
    table: Table
    content: bytes


def publish(
    ledger: Ledger,
    name: str,
    *,
    cites: Citation,
    by: str = "",
    as_of: str | date | None = None,
    known_by: str | date | None = None,
    when: When | None = None,
    keep: bool = True,
    **parameters: Any,  # noqa: ANN401 - each report's own
) -> Published:
    """Make a report and record that it was given out, in the stream ``report/<name>``.

    Args:
        ledger: Where it is made and recorded.
        name: One of ``REPORTS``, such as ``"pipeline"``.
        cites: Where it stands, such as a bulletin.
        by: Who gives it out; goes into the record's metadata.
        as_of: As for ``Ledger.view``.
        known_by: Likewise.
        when: The day on which it is given out; the ledger's today if left out.
        keep: Whether the log keeps what was told. Without it, keep the bytes
            yourself, to see one day where they differ.
        **parameters: The report's own; for ``changes``, ``before`` is a ``View``.

    Raises:
        UnknownName: If there is no such report, policy or parameter.
        InvalidValue: If a date or a parameter is none, or ``before`` is no view.
    """
    view = ledger.view(as_of=as_of, known_by=known_by)
    before: object = parameters.get("before")
    if before is not None and not isinstance(before, View):
        accepted = "a view, such as ledger.view(known_by='2025-04-30')"
        raise InvalidValue(str(before), "this is no earlier view", accepted)
    if before is not None:  # As the log has it: that view may be opened, or another's.
        parameters["before"] = evolve(before, moment=_moment(ledger, _look(before)))
    table = view.report(name, **parameters)
    content = content_of(table)
    first, *rest = _pieces(content) if keep else [""]
    given = {key: value for key, value in parameters.items() if key != "before"}
    position = view.position
    event = ReportPublished(
        report=name,
        report_version=VERSIONS[name],
        look=_look(view),
        root=_roots(ledger.store, [position])[position],
        digest=_digest(content),
        form=FORM,
        rows=len(table),
        content=first,
        parts=len(rest),
        parameters=tuple(_parameter(key, value) for key, value in given.items()),
        before=None if before is None else _look(before),
        when=when or When(ledger.view().moment.on.isoformat()),
        cites=cites,
    )
    more = [
        ReportContinued(content=piece, when=event.when, cites=cites) for piece in rest
    ]
    about = {"by": by} if by else None
    receipt = ledger.record(f"report/{name}", event, *more, metadata=about)
    return Published(receipt.records[0], table, content)


def content_of(table: Table) -> bytes:
    """Write what a report tells: its figures and words, and what they depend on.

    JSON in UTF-8 without spaces, objects by key: ``name``, ``title``, ``columns``
    (pairs of name and heading), ``context``, ``notes``, ``rows`` (the cells' values as
    ``render.plain`` gives them) and ``totals`` (the places, from 0, of rows that sum
    up others). Without the positions that make a figure: nobody was told them, they
    follow from the log, and a total's are most of the log.
    """
    told = {
        "name": table.name,
        "title": table.title,
        "columns": [[column.name, column.heading] for column in table.columns],
        "context": [list(pair) for pair in table.context],
        "notes": list(table.notes),
        "rows": [[plain(cell) for cell in row.cells] for row in table.rows],
        "totals": [place for place, row in enumerate(table.rows) if row.total],
    }
    return _json(told).encode()


def _json(value: object) -> str:
    return json.dumps(
        value,
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def _pieces(content: bytes) -> list[str]:
    text = content.decode()
    starts = range(0, len(text), _CHARACTERS_MAX)
    return [text[start : start + _CHARACTERS_MAX] for start in starts]


def _look(view: View) -> Look:
    moment = view.moment
    return Look(view.position, moment.on, moment.as_of, moment.known_by)


def _parameter(name: str, value: object) -> Parameter:
    if not isinstance(value, str):
        accepted = "text: a published report must be asked for in the same way again"
        raise InvalidValue(str(value), f"the parameter {name!r} is no text", accepted)
    return Parameter(name, value)


def _roots(store: Store, sizes: Iterable[int]) -> dict[int, str]:
    """Give the log's root at some sizes, in one pass; without those it has not."""
    roots, frontier = dict[int, str](), Frontier()
    for size in sorted(set(sizes)):
        rows = store.read_all(after=frontier.size, until=size)
        frontier.extend(leaves_of(rows))
        if frontier.size == size:
            roots[size] = frontier.root().hex()
    return roots


# Reproducing


class Outcome(Enum):
    """What became of a published report when it was made again."""

    SAME = "same"
    """The same log, and to the last byte the same report."""
    CODE_DIFFERS = "code differs"
    """The same log gives another report: it is computed in another way now."""
    TOLD_DIFFERS = "told differs"
    """The record contradicts itself: what it keeps is not what its digest is of."""
    LOG_DIFFERS = "log differs"
    """The events it was made of are not those that are there now: they were changed,
    removed or moved. No release of ours does that."""


@frozen
class Drift:
    """One thing that was told and is told otherwise now.

    Attributes:
        row: How the row begins, to find it; empty for what is not in the rows.
        column: The column's name; for a whole row ``row``; for what is not in the
            rows its name, such as ``notes``.
        told: What was told, as text; empty if it was not there.
        now: What is told now; empty if it is not there.
        event: Where the log differs: the position of the first event that this
            figure rests on now and that may be another than it was; 0 if none is
            known.
    """

    row: tuple[str, ...]
    column: str
    told: str
    now: str
    event: int = 0


@frozen
class Reproduction:
    """A published report, made again.

    Attributes:
        record: The record of the publication.
        published: What it says.
        outcome: What became of it.
        report_version: The version of the report's computation now.
        root: The root, now, of as many events as the log had then; empty if it has
            fewer today.
        digest: The digest of what is told now; empty if it cannot be made.
        table: The report as it is now; None if it cannot be made.
        drift: What is told otherwise now; empty if nothing is, or if what was told
            is not at hand.
        untold: Why there is no drift although the digest is another; else empty.
        agrees_until: Where the log differs: up to here it agrees with what an
            earlier published report says of it.
        differs_by: Where the log differs: by here it does not agree.
    """

    record: Recorded
    published: ReportPublished
    outcome: Outcome
    report_version: int
    root: str
    digest: str
    table: Table | None
    drift: tuple[Drift, ...]
    untold: str = ""
    agrees_until: int = 0
    differs_by: int = 0

    @property
    def is_same(self) -> bool:
        """Whether the log and the report are the same to the last byte."""
        return self.outcome is Outcome.SAME

    def explain(self) -> str:
        """Say what came out, in a sentence or two."""
        told = self.published
        what = f"{told.report} of {told.when}, published at {self.record.position:,}"
        computed = f"by version {told.report_version}"
        if self.report_version != told.report_version:
            computed += f", now by version {self.report_version}"
        figures = "the same report"
        if self.digest != told.digest:
            figures = f"{len(self.drift)} differences" if self.drift else self.untold
        match self.outcome:
            case Outcome.SAME:
                return f"{what}: the same log and the same report, {computed}"
            case Outcome.CODE_DIFFERS:
                return f"{what}: the same log, computed {computed}: {figures}"
            case Outcome.TOLD_DIFFERS:
                return f"{what}: {self.untold}"
            case Outcome.LOG_DIFFERS:
                place = f"after event {self.agrees_until:,}, by {self.differs_by:,}"
                return f"{what}: the log is another ({place}): {figures}"

    def table_of_drift(self) -> Table:
        """Give the drift as a table."""
        return Table(
            name="drift",
            title=f"Published and now: {self.explain()}",
            columns=(
                Column("row"),
                Column("column"),
                Column("told"),
                Column("now"),
                Column("event", "first event in question", align="right"),
            ),
            rows=tuple(
                Row(
                    (
                        Cell(", ".join(one.row)),
                        Cell(one.column),
                        Cell(one.told),
                        Cell(one.now),
                        Cell(one.event or None, (one.event,) if one.event else ()),
                    )
                )
                for one in self.drift
            ),
            context=(("outcome", self.outcome.value),),
        )


def reproduce(
    ledger: Ledger, which: str | int, *, content: bytes | None = None
) -> Reproduction:
    """Make a published report again, from the log as it was known then.

    Args:
        ledger: Where it was published, or a copy of the log.
        which: The record of the publication: its id or its position.
        content: What was told, if the log does not keep it.

    Raises:
        InvalidValue: If there is no such publication, or ``content`` is not what its
            digest is of.
        UnknownName: If there is no such report, policy or parameter any more.
    """
    record, event = _publication(ledger, which)
    told, untold = _told(ledger, record, event, content)
    agrees_until, roots = _agreement(ledger, event)
    position = event.look.position
    is_same_log = roots.get(position) == event.root
    doubtful = range(0) if is_same_log else range(agrees_until + 1, position + 1)
    table, now = None, b""
    try:
        table = _again(ledger, event)
        now = content_of(table)
    except UndecodableEvent as error:
        told, untold = b"", f"it cannot be made again: {error}"
    digest = _digest(now) if now else ""
    is_same = digest == event.digest
    return Reproduction(
        record=record,
        published=event,
        outcome=_outcome(
            is_same_log=is_same_log,
            is_same=is_same,
            is_contradicted=untold == _CONTRADICTED,
        ),
        report_version=VERSIONS[event.report],
        root=roots.get(position, ""),
        digest=digest,
        table=table,
        drift=_drift(told, now, table, doubtful) if table and told else (),
        untold=untold if untold == _CONTRADICTED or not is_same else "",
        agrees_until=0 if is_same_log else agrees_until,
        differs_by=0 if is_same_log else position,
    )


def publications(
    ledger: Ledger, name: str = ""
) -> Iterator[tuple[Recorded, ReportPublished]]:
    """Yield what was published, of one report or of one after another, oldest first."""
    for stream in [f"report/{each}" for each in ([name] if name else REPORTS)]:
        for record in ledger.codec.records(ledger.store.read(stream)):
            if isinstance(record.event, ReportPublished):
                yield record, record.event


def _publication(ledger: Ledger, which: str | int) -> tuple[Recorded, ReportPublished]:
    if isinstance(which, str):
        row = ledger.store.find(which)
        found = next(ledger.codec.records([row]), None) if row else None
    else:
        found = next(ledger.records(after=which - 1, until=which), None)
    if found is None or not isinstance(found.event, ReportPublished):
        accepted = "the id or the position of a 'report-published' record"
        raise InvalidValue(str(which), "this is no published report", accepted)
    if found.event.report not in REPORTS:
        raise UnknownName("report", found.event.report, tuple(REPORTS))
    return found, found.event


def _told(
    ledger: Ledger, record: Recorded, event: ReportPublished, given: bytes | None
) -> tuple[bytes, str]:
    """Give what was told, or say why it is not at hand."""
    if given is not None:
        if _digest(given) != event.digest:
            problem = f"this is not what was told: its digest is {_digest(given)}"
            raise InvalidValue(event.report, problem, event.digest)
        told = given
    elif not event.content:
        return b"", "the log does not keep what was told; give it as content"
    else:
        rows = ledger.store.read(record.stream, after=record.version)
        pieces = [event.content]
        following = ledger.codec.records(rows)
        for _, more in zip(range(event.parts), following, strict=False):
            pieces += [getattr(more.event, "content", "")]
        told = "".join(pieces).encode()
        if _digest(told) != event.digest:
            return b"", _CONTRADICTED
    if event.form != FORM:
        return b"", f"it is written as {event.form!r}, and this release reads {FORM!r}"
    content = _content(told)
    if content is None:
        return b"", f"it says that it is written as {FORM!r}, and is not"
    if (count := len(content["rows"])) != event.rows:
        return b"", f"it has {count} rows, and is said to have {event.rows}"
    return told, ""


_CONTRADICTED: Final = "what the log keeps of it is not what its digest is of"


class _Content(TypedDict):
    """What :func:`content_of` writes."""

    name: str
    title: str
    columns: list[tuple[str, str]]
    context: list[tuple[str, str]]
    notes: list[str]
    rows: list[list[Any]]
    totals: list[int]


def _content(told: bytes) -> _Content | None:
    """Read what was told; None if it is written in another way: anybody may record."""
    try:
        said = msgspec.json.decode(told, type=_Content)
        json.loads(told)
    except (ValueError, RecursionError):
        return None
    width = len(said["columns"])
    return said if all(len(row) == width for row in said["rows"]) else None


def _agreement(ledger: Ledger, event: ReportPublished) -> tuple[int, dict[int, str]]:
    """Say up to where earlier publications agree with the log, and give its roots."""
    position = event.look.position
    earlier = [
        other for _, other in publications(ledger) if other.look.position < position
    ]
    roots = _roots(
        ledger.store, [position, *(other.look.position for other in earlier)]
    )
    agreeing = (
        other.look.position
        for other in earlier
        if roots.get(other.look.position) == other.root
    )
    return max(agreeing, default=0), roots


def _again(ledger: Ledger, event: ReportPublished) -> Table:
    parameters: dict[str, Any] = {one.name: one.value for one in event.parameters}
    if event.before:
        parameters["before"] = _moment(ledger, event.before)
    report = REPORTS[event.report]
    known = tuple(signature(report).parameters)[1:]
    for one in event.parameters:
        if one.name not in known or one.name == "before":
            raise UnknownName(f"parameter of {event.report!r}", one.name, known)
    return report(_moment(ledger, event.look), **parameters)


def _moment(ledger: Ledger, look: Look) -> Moment:
    return ledger.moment(
        look.position, on=look.on, as_of=look.as_of, known_by=look.known_by
    )


def _outcome(*, is_same_log: bool, is_same: bool, is_contradicted: bool) -> Outcome:
    if not is_same_log:
        return Outcome.LOG_DIFFERS
    if is_same and is_contradicted:
        return Outcome.TOLD_DIFFERS
    return Outcome.SAME if is_same else Outcome.CODE_DIFFERS


# What is different


def _drift(told: bytes, now: bytes, table: Table, doubtful: range) -> tuple[Drift, ...]:
    """Compare what was told with what is told now, row by row."""
    was, is_ = json.loads(told), json.loads(now)
    found = [
        Drift((), name, _text(was.get(name)), _text(is_.get(name)))
        for name in ("name", "title", "columns", "context", "notes")
        if was.get(name) != is_.get(name)
    ]
    before, after = _by_key(was), _by_key(is_)
    first = dict(zip(after, _first_events(table, doubtful), strict=True))
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            gone, new = ("" if row is None else _text(row) for row in (one, other))
            found.append(Drift(key, "row", gone, new, first.get(key, 0)))
            continue
        found += [
            Drift(
                key,
                column,
                _text(one.get(column)),
                _text(other.get(column)),
                first[key],
            )
            for column in dict.fromkeys([*one, *other])
            if one.get(column) != other.get(column)
        ]
    shared = [key for key in before if key in after]
    if shared != [key for key in after if key in before]:
        found.append(Drift((), "order", "as told", "the rows come in another order"))
    if not found and told != now:
        found.append(Drift((), "totals", _text(was["totals"]), _text(is_["totals"])))
    return tuple(found)


def _by_key(content: dict[str, Any]) -> dict[tuple[str, ...], dict[str, object]]:
    """Give each row by how it begins, and which of those that begin so it is."""
    names = [name for name, _ in content["columns"]]
    seen, rows = Counter[tuple[str, ...]](), dict[tuple[str, ...], dict[str, object]]()
    for row in content["rows"]:
        key = tuple(_text(cell) for cell in row[:2])
        seen[key] += 1
        number = (f"no. {seen[key]}",) if seen[key] > 1 else ()
        rows[(*key, *number)] = dict(zip(names, row, strict=True))
    return rows


def _first_events(table: Table, doubtful: range) -> Iterator[int]:
    """Yield for each row the first event in doubt that it rests on, or 0."""
    for row in table.rows:
        why = (position for cell in row.cells for position in cell.why)
        yield min((position for position in why if position in doubtful), default=0)


def _text(value: object) -> str:
    return value if isinstance(value, str) else _json(value)


# Restatement


def restated_since(ledger: Ledger, record: Recorded) -> tuple[Recorded, ...]:
    """List the records that may restate a published report: late news for its day.

    They were recorded after it, and are dated by its day, perhaps or surely, or stand
    in the place of another record. What something is has no date: news of that is
    listed too. Without them, the same report of the same day is the same today.

    Args:
        ledger: Where it was published.
        record: The record of the publication.

    Returns:
        The records in position order; those about the ledger itself are left out.

    Raises:
        InvalidValue: If the record is none of a publication.
    """
    _, event = _publication(ledger, record.id)
    day = event.look.as_of or event.look.on
    return tuple(
        new
        for new in ledger.records(after=event.look.position)
        if new.stream.partition("/")[0] not in LEDGER_STREAMS
        and (
            isinstance(new.event, _UNDATED)
            or new.event.replaces
            or new.event.when.by(day) is not Answer.NO
        )
    )


_UNDATED: Final = (AgreementIdentified, LinkProposed, LinkConfirmed, LinkRejected)
"""What they say holds for every day once it is known."""
