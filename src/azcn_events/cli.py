"""The ``azcn`` command. The only module that prints."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from azcn_events import __version__
from azcn_events.errors import (
    AzcnEventsError,
    IdCollision,
    StoreError,
    TooLarge,
    UndecodableEvent,
)

__all__ = ["main"]

_EPILOG: Final = """\
exit codes:
  0  done
  1  refused: a fact, a file of facts, a name or a date; nothing of it was stored
  2  the command line itself is wrong
  3  the ledger cannot be used: missing, foreign, newer, damaged, busy or full

examples:
  azcn demo
  azcn init
  azcn load seeds/2025-04-25-first-article.jsonl
  azcn report pipeline --policy committed --as-of 2025-04-25
  azcn show agreement/cardboard --known-by 2025-04-30
  azcn log --json > copy.jsonl
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code (see ``azcn --help``)."""
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], None] = options.run
    _set_up_output(options)
    try:
        run(options)
        sys.stdout.flush()
    except (StoreError, UndecodableEvent) as error:
        _complain(error)
        return 1 if isinstance(error, IdCollision | TooLarge) else 3
    except (AzcnEventsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader has gone (`azcn log | head`): nothing is wrong.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        _complain(error)
        return 1
    return 0


def _set_up_output(options: argparse.Namespace) -> None:
    """Never fail over a character; data is UTF-8 wherever it goes."""
    output: object = sys.stdout
    if not isinstance(output, TextIOWrapper):
        return
    if getattr(options, "json", False) or getattr(options, "csv", False):
        output.reconfigure(encoding="utf-8", newline="")
    else:
        output.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="azcn",
        description="A ledger of agreements and their milestones: what each source"
        " said, and what follows from it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    axes, form, ledger = _axes(), _form(), _ledger()

    def command(
        name: str,
        run: Callable[[argparse.Namespace], None],
        text: str,
        example: str,
        *parents: argparse.ArgumentParser,
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example: {example}",
            parents=list(parents),
        )
        made.set_defaults(run=run)
        return made

    command("demo", _demo, "tell the seed's history, then and now", "azcn demo", axes)
    command("init", _init, "make an empty ledger", "azcn init", ledger)
    load = command(
        "load",
        _load,
        "record files of facts (JSON Lines), each all or nothing",
        "azcn load seeds/*.jsonl",
        ledger,
    )
    load.add_argument("files", nargs="+", metavar="FILE", help="'-' reads the input")
    record = command(
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
    record.add_argument("--id", default="", help="an id, to make repeating it safe")
    record.add_argument("--by", help="who records it")
    show = command(
        "show",
        _show,
        "show one stream: where it stands and what was said",
        "azcn show agreement/cardboard --as-of 2025-04-25",
        axes,
        form,
        ledger,
    )
    show.add_argument("id", help="the stream, such as agreement/cardboard")
    log = command(
        "log",
        _log,
        "list the records; --json gives lines that 'azcn load' reads",
        "azcn log agreement/cardboard --known-by 2025-04-30",
        axes,
        form,
        ledger,
    )
    log.add_argument("stream", nargs="?", default="", help="one stream only")
    report = command(
        "report",
        _report,
        "make a report: package, status, milestones, funnel, pipeline, changes,"
        " deviations",
        "azcn report pipeline --policy committed",
        axes,
        form,
        ledger,
    )
    report.add_argument("name", help="which report")
    report.add_argument("--policy", help="pipeline: claims, no-umbrellas or committed")
    report.add_argument("--agreement", help="milestones: one agreement only")
    report.add_argument(
        "--since-known-by", metavar="DATE", help="changes: since what was known then"
    )
    report.add_argument(
        "--since-as-of", metavar="DATE", help="changes: since what was true then"
    )
    diagram = command(
        "diagram", _diagram, "draw the lifecycle (Mermaid text)", "azcn diagram --dot"
    )
    diagram.add_argument("--dot", action="store_true", help="for Graphviz instead")
    return parser


def _axes() -> argparse.ArgumentParser:
    axes = argparse.ArgumentParser(add_help=False)
    axes.add_argument("--as-of", metavar="DATE", help="count what was true by this day")
    axes.add_argument(
        "--known-by",
        metavar="DATE",
        help="count what was recorded by then: a day, or a date-time with a zone",
    )
    return axes


def _form() -> argparse.ArgumentParser:
    form = argparse.ArgumentParser(add_help=False)
    choice = form.add_mutually_exclusive_group()
    choice.add_argument("--json", action="store_true", help="print JSON")
    choice.add_argument("--csv", action="store_true", help="print CSV")
    return form


def _ledger() -> argparse.ArgumentParser:
    ledger = argparse.ArgumentParser(add_help=False)
    ledger.add_argument(
        "--ledger",
        metavar="URL",
        default=os.environ.get("AZCN_LEDGER", "azcn.db"),
        help="a SQLite file (default: AZCN_LEDGER or azcn.db)",
    )
    return ledger


# Commands


def _demo(options: argparse.Namespace) -> None:
    from azcn_events.demo import seed_files, sentences, told  # noqa: PLC0415 - see _open

    width, day = _width(), "2025-04-25"
    first, *later = seed_files()
    with _open("memory:", create=True) as ledger:
        ledger.load(first)
        then = told(ledger.view(known_by=day), width)
        for path in later:
            ledger.load(path)
        if options.as_of or options.known_by:
            view = ledger.view(as_of=options.as_of, known_by=options.known_by)
            print(told(view, width))
            return
        print(f"== From the first article alone: known by {day} ==\n\n{then}\n")
        print("== With everything known ==\n")
        now, before = ledger.view(), ledger.view(known_by=day)
        _print_lines(sentences(now))
        print(f"\n{now.report('package').text(width)}")
        print(f"\n{now.report('changes', before=before).text(width)}\n")
        same = told(before, width) == then
        verdict = "is byte for byte" if same else "IS NOT"
        print(f"The view of {day} {verdict} what it was before the later news.")


def _init(options: argparse.Namespace) -> None:
    with _open(options.ledger, create=True) as ledger:
        count = ledger.store.head()
    state = f"{count} records" if count else "empty"
    _say(f"{options.ledger} is a ledger ({state})")


def _load(options: argparse.Namespace) -> None:
    for name in options.files:
        if name != "-":
            Path(name).stat()  # A wrong name leaves no empty ledger.
    with _open(options.ledger, create=True) as ledger:
        for name in options.files:
            source = _input().buffer if name == "-" else name
            before = ledger.store.head()
            receipt = ledger.load(source, progress=_progress)
            new = ledger.store.head() - before
            _say(f"{name}: {len(receipt.records)} facts, {new} new")
            for deviation in receipt.deviations:
                _say(f"  unexpected: {deviation}")


def _record(options: argparse.Namespace) -> None:
    from azcn_events.errors import InvalidFields, InvalidValue  # noqa: PLC0415 - rare

    try:
        text = _input().read() if options.fact == "-" else options.fact
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
    with _open(options.ledger) as ledger:
        try:
            event = ledger.codec.structure(options.kind, plain)
        except InvalidFields as error:
            lines = "\n".join(f"  {p.path}: {p.message}" for p in error.problems)
            raise AzcnEventsError(f"{options.kind} cannot be made:\n{lines}") from error
        ids = (options.id,) if options.id else ()
        metadata = {"by": options.by} if options.by else {}
        receipt = ledger.record(options.stream, event, ids=ids, metadata=metadata)
    for record in receipt.records:
        _say(f"{record.stream} version {record.version}, id {record.id}")
    for deviation in receipt.deviations:
        _say(f"unexpected: {deviation}")


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
    from azcn_events.reports.records import records  # noqa: PLC0415 - see _open

    with _open(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        said = records(view.moment, _come(view, view.history(options.id).records))
        if not ledger.lifecycle.has_milestones(options.id):
            _print_table(said, options)
            return
        stands = view.report("status", agreement=options.id)
        steps = view.report("milestones", agreement=options.id)
        if options.json:
            tables = [json.loads(table.json()) for table in (stands, steps, said)]
            print(json.dumps(tables, indent=2))
            return
        _print_table(stands, options)
        print()
        _print_table(steps, options)
        print()
        _print_table(said, options)


def _log(options: argparse.Namespace) -> None:
    from azcn_events.interop import jsonlines  # noqa: PLC0415 - see _open
    from azcn_events.reports.records import records  # noqa: PLC0415 - see _open

    with _open(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        chosen: Iterable[Any] = ledger.records(until=view.position)
        if options.stream:
            chosen = view.history(options.stream).records
        chosen = _come(view, chosen)
        if options.json:
            for record in chosen:
                sys.stdout.write(jsonlines.write(record, ledger.codec).decode() + "\n")
        else:
            _print_table(records(view.moment, chosen), options)


def _come(view: Any, chosen: Iterable[Any]) -> Iterable[Any]:  # noqa: ANN401 - a View; imported late
    """Leave out the records that had surely not come by the day asked for."""
    from azcn_events.core.lifecycle import occurred  # noqa: PLC0415 - see _open
    from azcn_events.core.values import Answer  # noqa: PLC0415 - see _open

    day = view.moment.as_of
    if day is None:
        return chosen
    return (record for record in chosen if occurred(record, day) is not Answer.NO)


def _report(options: argparse.Namespace) -> None:
    since = options.since_known_by or options.since_as_of
    if options.name == "changes" and not since:
        raise AzcnEventsError(
            "changes since when? give --since-known-by or --since-as-of"
        )
    with _open(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        parameters = {
            key: value
            for key in ("policy", "agreement")
            if (value := getattr(options, key)) is not None
        }
        if since:
            parameters["before"] = ledger.view(
                as_of=options.since_as_of or options.as_of,
                known_by=options.since_known_by or options.known_by,
            )
        _print_table(view.report(options.name, **parameters), options)


def _diagram(options: argparse.Namespace) -> None:
    from azcn_events.core import diagram  # noqa: PLC0415 - see _open
    from azcn_events.investment.lifecycle import INVESTMENT  # noqa: PLC0415 - see _open

    draw = diagram.dot if options.dot else diagram.mermaid
    sys.stdout.write(draw(INVESTMENT))


# What they share


def _open(url: str, *, create: bool = False) -> Any:  # noqa: ANN401 - a Ledger
    """Open a ledger; its code is imported here, so that ``--help`` stays quick."""
    from azcn_events.ledger import Ledger  # noqa: PLC0415 - see above

    return Ledger.open(url, create=create)


def _input() -> Any:  # noqa: ANN401 - a text stream
    if sys.stdin is None:
        raise AzcnEventsError("there is no input to read")
    return sys.stdin


def _say(text: str, *, file: Any = None) -> None:  # noqa: ANN401 - a text stream
    """Print text that may come from anywhere: it cannot act on the terminal."""
    from azcn_events.reports.render import visible  # noqa: PLC0415 - see _open

    print(visible(text, keep="\n"), file=file)


def _complain(error: Exception) -> None:
    _say(f"azcn: {error}", file=sys.stderr)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _print_table(table: Any, options: argparse.Namespace) -> None:  # noqa: ANN401 - a Table
    if options.json:
        print(table.json())
    elif options.csv:
        sys.stdout.write(table.csv())
    else:
        print(table.text(_width()))


def _progress(lines: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{lines:,} lines read", end="", file=sys.stderr, flush=True)


def _width() -> int:
    return shutil.get_terminal_size((120, 24)).columns
