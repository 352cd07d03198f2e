"""Commands that ask: what the figures are, why, since when, and by whom."""

from __future__ import annotations

import argparse
from typing import Any

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import open_ledger, print_table, say, width
from azcn_events.errors import AzcnEventsError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add ``report``, ``explain``, ``blame``, ``diff`` and ``bisect``."""
    axes, form, ledger = commands.axes, commands.form, commands.ledger
    asked, since = _asked(), _since()
    report = commands.add(
        "report",
        _report,
        "make a report: package, status, milestones, funnel, pipeline, changes,"
        " deviations",
        "azcn report pipeline --policy committed",
        axes,
        form,
        ledger,
        asked,
        since,
    )
    report.add_argument("name", help="which report")
    explain = commands.add(
        "explain",
        _explain,
        "explain a figure: its records, their citations, the sources",
        "azcn explain pipeline unallocated USD --column counted",
        axes,
        _json(),
        ledger,
        asked,
        since,
    )
    explain.add_argument("name", help="which report")
    explain.add_argument("row", nargs="+", type=str, help="what its row begins with")
    explain.add_argument("--column", required=True, help="the column's name")
    blame = commands.add(
        "blame",
        _blame,
        "say which record last set each part of a stream's state",
        "azcn blame agreement/cardboard area",
        axes,
        form,
        ledger,
    )
    blame.add_argument("id", help="the stream, such as agreement/cardboard")
    blame.add_argument("field", nargs="?", help="one part only, such as area")
    diff = commands.add(
        "diff",
        _diff,
        "list what moved a figure, or a whole report, since an earlier moment",
        "azcn diff package package/beijing-2025-04 'documents, all' --column rest"
        " --since-known-by 2025-04-25",
        axes,
        form,
        ledger,
        asked,
        since,
    )
    diff.add_argument("name", help="which report")
    diff.add_argument(
        "row", nargs="*", type=str, help="what the row begins with; every row"
    )
    diff.add_argument("--column", help="the column's name; every column")
    bisect = commands.add(
        "bisect",
        _bisect,
        "find the record after which a rule fails: deviations, overdue, conflicts,"
        " overspent; or with --column since when a cell reads as it does",
        "azcn bisect deviations",
        axes,
        form,
        ledger,
        asked,
    )
    bisect.add_argument("rule", help="which of these there should be none of")
    bisect.add_argument(
        "row",
        nargs="*",
        type=str,
        help="with --column: of the report RULE, what the row begins",
    )
    bisect.add_argument("--column", help="a column of the report RULE")
    bisect.add_argument(
        "--after", type=int, default=0, metavar="N", help="a position at which it held"
    )
    bisect.add_argument(
        "--exhaustive", action="store_true", help="look after every record"
    )


def _asked() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument("--policy", help="pipeline: claims, no-umbrellas or committed")
    asked.add_argument("--agreement", help="milestones, status: one agreement only")
    return asked


def _since() -> argparse.ArgumentParser:
    since = argparse.ArgumentParser(add_help=False)
    since.add_argument(
        "--since-known-by", metavar="DATE", help="changes, diff: since what was known"
    )
    since.add_argument(
        "--since-as-of", metavar="DATE", help="changes, diff: since what was true then"
    )
    return since


def _json() -> argparse.ArgumentParser:
    form = argparse.ArgumentParser(add_help=False)
    form.add_argument("--json", action="store_true", help="print JSON")
    return form


def _report(options: argparse.Namespace) -> None:
    _check_since(options)
    with open_ledger(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        parameters = _parameters(options) | _earlier(ledger, options)
        print_table(view.report(options.name, **parameters), options)


def _explain(options: argparse.Namespace) -> None:
    _check_since(options)
    with open_ledger(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        parameters = _parameters(options) | _earlier(ledger, options)
        told = view.explain(
            options.name, *options.row, column=options.column, **parameters
        )
    print(told.json() if options.json else told.text(width()))


def _blame(options: argparse.Namespace) -> None:
    with open_ledger(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        print_table(view.blame(options.id, options.field or ""), options)


def _diff(options: argparse.Namespace) -> None:
    with open_ledger(options.ledger) as ledger:
        earlier = _earlier(ledger, options)
        if not earlier:
            raise AzcnEventsError(
                "different from when? give --since-known-by or --since-as-of"
            )
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        bridge = view.diff(
            options.name,
            *options.row,
            column=options.column or "",
            **earlier,
            **_parameters(options),
        )
        print_table(bridge.table, options)


def _bisect(options: argparse.Namespace) -> None:
    with open_ledger(options.ledger) as ledger:
        view = ledger.view(as_of=options.as_of, known_by=options.known_by)
        rule: Any = options.rule
        if options.column:
            parameters = _parameters(options)
            rule = view.reads_otherwise(
                rule, *options.row, column=options.column, **parameters
            )
        turn = view.bisect(rule, after=options.after, exhaustive=options.exhaustive)
    if turn is None:
        every = "after every record" if options.exhaustive else "at the end"
        say(f"the rule holds {every}")
        return
    print_table(turn.table, options)


def _check_since(options: argparse.Namespace) -> None:
    since = options.since_known_by or options.since_as_of
    if options.name == "changes" and not since:
        raise AzcnEventsError(
            "changes since when? give --since-known-by or --since-as-of"
        )


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Give the report's own parameters, those that were typed."""
    names = ("policy", "agreement")
    given = {name: getattr(options, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _earlier(ledger: Any, options: argparse.Namespace) -> dict[str, Any]:  # noqa: ANN401 - a Ledger
    """Give the earlier view, if one is asked for."""
    if not (options.since_known_by or options.since_as_of):
        return {}
    view = ledger.view(
        as_of=options.since_as_of or options.as_of,
        known_by=options.since_known_by or options.known_by,
    )
    return {"before": view}
