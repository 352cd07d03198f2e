"""Commands about records: write them, and read them back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import (
    open_ledger,
    print_table,
    progress,
    say,
    text_input,
)
from azcn_events.errors import AzcnEventsError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add ``load``, ``record``, ``show`` and ``log``."""
    axes, form, ledger = commands.axes, commands.form, commands.ledger
    load = commands.add(
        "load",
        _load,
        "record files of facts (JSON Lines), each all or nothing",
        "azcn load seeds/*.jsonl",
        ledger,
    )
    load.add_argument("files", nargs="+", metavar="FILE", help="'-' reads the input")
    record = commands.add(
        "record",
        _record,
        "record one fact",
        "azcn record agreement/cardboard company-created --when 2026-01"
        " --source source/registry",
        ledger,
    )
    record.add_argument("stream", help="such as agreement/cardboard")
    record.add_argument(
        "kind", help="such as land-allocated; 'azcn diagram' shows some"
    )
    record.add_argument(
        "fact", nargs="?", default="{}", help="its fields as JSON; '-' reads the input"
    )
    record.add_argument("--when", help="when it was so (EDTF), such as 2025-04~")
    record.add_argument("--source", help="the source's stream")
    record.add_argument("--at", help="the place in the source")
    record.add_argument("--id", help="an id, to make repeating it safe")
    record.add_argument("--by", help="who records it")
    show = commands.add(
        "show",
        _show,
        "show one stream: where it stands and what was said",
        "azcn show agreement/cardboard --as-of 2025-04-25",
        axes,
        form,
        ledger,
    )
    show.add_argument("id", help="the stream, such as agreement/cardboard")
    log = commands.add(
        "log",
        _log,
        "list the records; --json gives lines that 'azcn load' reads",
        "azcn log agreement/cardboard --known-by 2025-04-30",
        axes,
        form,
        ledger,
    )
    log.add_argument("stream", nargs="?", help="one stream only")
    log.add_argument(
        "--kind",
        action="append",
        default=[],
        help="facts of this kind only, such as land-allocated; may be repeated",
    )
    log.add_argument("--source", help="what cites this source only")
    log.add_argument(
        "--recorded-since", metavar="DATE", help="what was recorded then or later"
    )
    log.add_argument(
        "--recorded-until", metavar="DATE", help="what was recorded by then"
    )
    log.add_argument(
        "--when-since", metavar="DATE", help="leave out what was surely so before"
    )
    log.add_argument(
        "--when-until", metavar="DATE", help="leave out what was surely so after"
    )


def _load(options: argparse.Namespace) -> None:
    for name in options.files:
        if name != "-":
            Path(name).stat()  # A wrong name leaves no empty ledger.
    with open_ledger(options.ledger, create=True) as ledger:
        for name in options.files:
            source = text_input().buffer if name == "-" else name
            before = ledger.store.head()
            receipt = ledger.load(source, progress=progress)
            new = ledger.store.head() - before
            say(f"{name}: {len(receipt.records)} facts, {new} new")
            for deviation in receipt.deviations:
                say(f"  unexpected: {deviation}")


def _record(options: argparse.Namespace) -> None:
    from azcn_events.errors import InvalidFields, InvalidValue  # noqa: PLC0415 - rare

    try:
        text = text_input().read() if options.fact == "-" else options.fact
    except UnicodeDecodeError as error:
        raise InvalidValue("-", str(error), "text in UTF-8") from error
    try:
        plain = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(text, str(error), "fields as a JSON object") from error
    if not isinstance(plain, dict):
        raise InvalidValue(text, "this is no object", "fields as a JSON object")
    if options.when:
        plain["when"] = options.when
    if options.source:
        plain["cites"] = {"source": options.source}
        if options.at:
            plain["cites"]["at"] = options.at
    with open_ledger(options.ledger) as ledger:
        try:
            event = ledger.codec.structure(options.kind, plain)
        except InvalidFields as error:
            lines = "\n".join(f"  {p.path}: {p.message}" for p in error.problems)
            raise AzcnEventsError(f"{options.kind} cannot be made:\n{lines}") from error
        ids = (options.id,) if options.id else ()
        metadata = {"by": options.by} if options.by else {}
        receipt = ledger.record(options.stream, event, ids=ids, metadata=metadata)
    for record in receipt.records:
        say(f"{record.stream} version {record.version}, id {record.id}")
    for deviation in receipt.deviations:
        say(f"unexpected: {deviation}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key occurs twice: one of the two would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        msg = f"the key {twice!r} occurs twice in one object"
        raise ValueError(msg)
    return found


def _show(options: argparse.Namespace) -> None:
    from azcn_events.reports.records import records  # noqa: PLC0415 - see open_ledger

    with open_ledger(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        said = records(view.moment, _come(view, view.history(options.id).records))
        if not ledger.lifecycle.has_milestones(options.id):
            print_table(said, options)
            return
        stands = view.report("status", agreement=options.id)
        steps = view.report("milestones", agreement=options.id)
        if options.json:
            tables = [json.loads(table.json()) for table in (stands, steps, said)]
            print(json.dumps(tables, indent=2))
            return
        print_table(stands, options)
        print()
        print_table(steps, options)
        print()
        print_table(said, options)


def _log(options: argparse.Namespace) -> None:
    from azcn_events.interop import jsonlines  # noqa: PLC0415 - see open_ledger
    from azcn_events.reports.records import records  # noqa: PLC0415 - see open_ledger

    with open_ledger(options.ledger) as ledger:
        choice = _choice(options, tuple(ledger.lifecycle.kinds))
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        chosen: Iterable[Any] = ledger.records(until=view.position)
        if options.stream:
            chosen = view.history(options.stream).records
        chosen = filter(choice.takes, _come(view, chosen))
        if options.json:
            for record in chosen:
                sys.stdout.write(jsonlines.write(record, ledger.codec).decode() + "\n")
        else:
            print_table(records(view.moment, chosen), options)


def _choice(options: argparse.Namespace, kinds: tuple[str, ...]) -> Any:  # noqa: ANN401 - a Choice; imported late
    """Read which records are asked for, all that is wrong with it before any work."""
    from azcn_events.core.values import day_of, known_from, known_until  # noqa: PLC0415 - see open_ledger
    from azcn_events.errors import UnknownName  # noqa: PLC0415 - rare
    from azcn_events.reports.records import Choice  # noqa: PLC0415 - see open_ledger

    for kind in options.kind:
        if kind not in kinds:
            raise UnknownName("kind of fact", kind, kinds)
    since, until = options.recorded_since, options.recorded_until
    return Choice(
        kinds=tuple(options.kind),
        source=options.source or "",
        recorded_since=None if since is None else known_from(since),
        recorded_until=None if until is None else known_until(until),
        when_since=options.when_since and day_of(options.when_since),
        when_until=options.when_until and day_of(options.when_until),
    )


def _come(view: Any, chosen: Iterable[Any]) -> Iterable[Any]:  # noqa: ANN401 - a View; imported late
    """Leave out the records that had surely not come by the day asked for."""
    from azcn_events.core.lifecycle import occurred  # noqa: PLC0415 - see open_ledger
    from azcn_events.core.values import Answer  # noqa: PLC0415 - see open_ledger

    day = view.moment.as_of
    if day is None:
        return chosen
    return (record for record in chosen if occurred(record, day) is not Answer.NO)
