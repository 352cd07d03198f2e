"""Evidence: do we still have the documents that the facts were taken from?

Two kinds of digests are in the log: that of the copy of a document that was kept
(``SourceRegistered.digest``) and that of the passage that was cited
(``Citation.digest``). A file is evidence by its content, whatever it is called: its
SHA-256 is compared. A name only serves to say which file was probably changed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeGuard, cast
from urllib.parse import unquote, urlsplit

import attrs
from attrs import define, field, frozen

from azcn_events.audit.folders import open_plain, problem_of, walk
from azcn_events.core.events import LEDGER_STREAMS, Recorded
from azcn_events.core.history import Moment, in_force
from azcn_events.core.values import Citation
from azcn_events.investment.events import SourceRegistered
from azcn_events.reports.table import Cell, Column, Row, Table

__all__ = [
    "FoundFile",
    "Standing",
    "files_in",
    "find_evidence",
    "is_whole",
    "sources",
]


class Standing(Enum):
    """What became of a document, a passage or a file."""

    PRESENT = "present"
    """A file has the very bytes."""
    ALTERED = "altered"
    """No file has them, but one has the name that is expected, and other bytes."""
    MISSING = "missing"
    """No file has them, and none has such a name."""
    UNREADABLE = "unreadable"
    """A file that could not be read: it may be anything."""
    UNCITED = "uncited"
    """A file that no digest in the log is of."""


@frozen
class FoundFile:
    """A file as it was found.

    Attributes:
        name: Its path from the folder on, with ``/`` between the parts.
        digest: ``sha256:`` and 64 hexadecimal digits; empty if it was not read.
        problem: Why it was not read; empty if it was.
    """

    name: str
    digest: str
    problem: str = ""


# What the log names


@define
class _Named:
    """A digest that the log names, and by which records.

    Attributes:
        what: ``"document"`` or ``"passage"``.
        why: Positions of the records that name it.
        is_in_force: Whether one of them still stands.
        file_names: What its file may be called, folded; may be empty.
    """

    what: str
    source: str
    at: str
    digest: str
    why: list[int] = field(factory=list[int])
    is_in_force: bool = False
    file_names: set[str] = field(factory=set[str])


def _named(moment: Moment) -> list[_Named]:
    """Collect the digests in the log, in the order in which they were recorded."""
    found: dict[tuple[str, str, str, str], _Named] = {}
    for record, stands in _records(moment):
        for what, source, at, digest in _digests(record):
            key = (what, source, at, digest)
            one = found.setdefault(key, _Named(*key))
            one.why.append(record.position)
            one.is_in_force |= stands
            if what == "document":
                one.file_names |= _expected_names(record)
    return sorted(found.values(), key=lambda one: (min(one.why), one.what, one.at))


def _records(moment: Moment) -> Iterator[tuple[Recorded, bool]]:
    """Yield every record known, and whether it stands; replaced ones do not."""
    # What is about the ledger itself is given only if asked for, and cites as well.
    for category in ("", *LEDGER_STREAMS):
        for history in moment.histories(category):
            standing = {record.id for record in in_force(history.records)}
            for record in history.records:
                yield record, record.id in standing


def _digests(record: Recorded) -> Iterator[tuple[str, str, str, str]]:
    event = record.event
    if isinstance(event, SourceRegistered) and event.digest:
        yield "document", record.stream, "", event.digest
    for citation in _citations(event):
        if citation.digest:
            yield "passage", citation.source, citation.at, citation.digest


def _citations(value: object) -> Iterator[Citation]:
    """Yield every citation inside an event, however deep."""
    if isinstance(value, Citation):
        yield value
    elif attrs.has(type(value)):
        for one in attrs.fields(cast("Any", type(value))):
            yield from _citations(getattr(value, one.name))
    elif _is_mapping(value):
        yield from _citations(tuple(value.values()))
    elif _is_many(value):
        for item in value:
            yield from _citations(item)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_many(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, list | tuple | set | frozenset)


def _expected_names(record: Recorded) -> set[str]:
    """Say what a document's file is probably called: after its stream, or its URL."""
    names = {record.stream.rpartition("/")[2]}
    if isinstance(record.event, SourceRegistered):
        names.add(_last_part(record.event.url))
    return {_folded(name) for name in names if name}


def _last_part(url: str) -> str:
    try:
        return PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:  # Brackets that are no address: nothing can be expected.
        return ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


# What the folder holds

_CHUNK_BYTES: Final = 1 << 20


def files_in(folder: str | os.PathLike[str]) -> Iterator[FoundFile]:
    """Read every file in a folder and below, a piece at a time.

    Links are not followed, wherever they lead, and what is no plain file is not
    opened; each is given with its problem, like a file that cannot be read.

    Args:
        folder: The folder; this path itself may be a link.

    Yields:
        Files ordered by name, whatever the file system's own order.

    Raises:
        OSError: If the folder itself cannot be read.
    """
    for name, problem in walk(folder):
        yield FoundFile(name, "", problem) if problem else _read(Path(folder), name)


def _read(folder: Path, name: str) -> FoundFile:
    digest = sha256()
    try:
        with open_plain(folder / name) as file:
            while piece := file.read(_CHUNK_BYTES):
                digest.update(piece)
    except OSError as error:
        return FoundFile(name, "", problem_of(error))
    return FoundFile(name, f"sha256:{digest.hexdigest()}")


# Both, compared


def find_evidence(moment: Moment, files: Iterable[FoundFile]) -> Table:
    """Compare the digests in the log with files.

    Args:
        moment: The log; records that were replaced count too, and say so.
        files: What there is, such as ``files_in(folder)``.

    Returns:
        A row for each document and each passage with a digest, in the order of the
        log; then one for each file that is none of them. ``why`` are the records
        that name the digest.
    """
    found = list(files)
    by_digest: dict[str, list[str]] = {}
    for file in found:
        if file.digest:
            by_digest.setdefault(file.digest, []).append(file.name)
    named = _named(moment)
    cited = {one.digest for one in named}
    others = [file for file in found if file.digest and file.digest not in cited]
    suspects: dict[str, FoundFile] = {}
    for file in others:
        for name in _names_of(file):
            suspects.setdefault(name, file)
    rows = list[Row]()
    altered = set[str]()
    for one in named:
        names = by_digest.get(one.digest, [])
        suspect = next(filter(None, map(suspects.get, sorted(one.file_names))), None)
        if names:
            rows.append(_row(Standing.PRESENT, one, names[0], _also(names)))
        elif suspect:
            altered.add(suspect.name)
            problem = f"the file has {suspect.digest}"
            rows.append(_row(Standing.ALTERED, one, suspect.name, problem))
        else:
            rows.append(_row(Standing.MISSING, one, "", "no file has these bytes"))
    for file in found:
        if file.problem:
            rows.append(_file_row(Standing.UNREADABLE, file, file.problem))
        elif file.digest not in cited and file.name not in altered:
            rows.append(_file_row(Standing.UNCITED, file, "no record names it"))
    return Table(
        name="evidence",
        title="Evidence: documents and passages with a digest, and files",
        columns=tuple(
            map(
                Column,
                (
                    "standing",
                    "what",
                    "source",
                    "at",
                    "in-force",
                    "file",
                    "digest",
                    "remark",
                ),
            )
        ),
        rows=tuple(rows),
        context=moment.context,
        notes=_notes(moment, rows),
    )


def is_whole(table: Table) -> bool:
    """Say whether every digest that is in force has its file, and all were read."""
    standing, in_force_ = table.column("standing"), table.column("in-force")
    return not any(
        one.value == Standing.UNREADABLE.value
        or (one.value in _BROKEN and stands.value is True)
        for one, stands in zip(standing, in_force_, strict=True)
    )


_BROKEN: Final = {Standing.ALTERED.value, Standing.MISSING.value}


def _names_of(file: FoundFile) -> set[str]:
    """Give the names under which a file may be expected: with and without suffix."""
    name = PurePosixPath(file.name)
    return {_folded(name.name), _folded(name.stem)}


def _also(names: list[str]) -> str:
    more = len(names) - 1
    return f"and {more} more cop{'ies' if more > 1 else 'y'}" if more else ""


def _row(standing: Standing, one: _Named, file: str, remark: str) -> Row:
    why = tuple(sorted(set(one.why)))
    values = (
        standing.value,
        one.what,
        one.source,
        one.at,
        one.is_in_force,
        file or None,
        one.digest,
        remark,
    )
    return Row(tuple(Cell(value, why) for value in values))


def _file_row(standing: Standing, file: FoundFile, remark: str) -> Row:
    digest = file.digest or None
    values = (standing.value, "file", None, None, None, file.name, digest, remark)
    return Row(tuple(map(Cell, values)))


def _notes(moment: Moment, rows: Iterable[Row]) -> tuple[str, ...]:
    counts = {standing.value: 0 for standing in Standing}
    for row in rows:
        counts[str(row.cells[0].value)] += 1
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    bare = sum(not has for has in _sources_with_digest(moment).values())
    return (
        f"In all: {said or 'nothing'}.",
        f"Sources of which no document's digest is recorded: {bare:,}.",
    )


def _sources_with_digest(moment: Moment) -> dict[str, bool]:
    """Say of each source that is cited or registered whether it has a digest."""
    found: dict[str, bool] = {}
    for record, stands in _records(moment):
        for citation in _citations(record.event):
            found.setdefault(citation.source, False)
        event = record.event
        if isinstance(event, SourceRegistered):
            has = bool(event.digest) and stands
            found[record.stream] = found.get(record.stream, False) or has
    return found


# Sources


@define
class _Source:
    """A source, as far as it is known: what it is recorded to be, and who cites it."""

    registered: Recorded | None = None
    cited_by: list[int] = field(factory=list[int])


def sources(moment: Moment) -> Table:
    """List every source that a record cites, what is recorded of it, and who cites it.

    Returns:
        A row for each, in the order of the first record that cites it. ``why`` of
        ``cited`` are the records that cite it; of the rest, the record of it.
    """
    found: dict[str, _Source] = {}
    for record, stands in _records(moment):
        if isinstance(record.event, SourceRegistered) and stands:
            found.setdefault(record.stream, _Source()).registered = record
        for name in {citation.source for citation in _citations(record.event)}:
            if name != record.stream:  # A source cites itself: that says nothing.
                found.setdefault(name, _Source()).cited_by.append(record.position)
    rows = sorted(found.items(), key=lambda item: (_first(item[1]), item[0]))
    names = ("source", "published", "publisher", "title", "url", "language", "digest")
    return Table(
        name="sources",
        title="Sources: what is recorded of each, and how many records cite it",
        columns=(*map(Column, names), Column("cited", align="right")),
        rows=tuple(_source_row(name, source) for name, source in rows),
        context=moment.context,
        notes=("Of a source without a publisher nothing is recorded but its name.",),
    )


def _first(source: _Source) -> int:
    own = [source.registered.position] if source.registered else []
    return min([*own, *source.cited_by])


def _source_row(name: str, source: _Source) -> Row:
    cited = tuple(sorted(source.cited_by))
    record = source.registered
    why = (record.position,) if record else cited
    event = record.event if record else None
    if isinstance(event, SourceRegistered):
        said = (event.when, event.publisher, event.title, event.url, event.language)
        known = [*(Cell(value, why) for value in said), Cell(event.digest or None, why)]
    else:
        known = [Cell(None)] * 6
    return Row((Cell(name, why), *known, Cell(len(cited), cited)))
