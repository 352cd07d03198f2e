"""Commands that ask: what the figures are, and why."""

from __future__ import annotations

import argparse

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import open_ledger, print_table
from azcn_events.errors import AzcnEventsError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add ``report``."""
    report = commands.add(
        "report",
        _report,
        "make a report: package, status, milestones, funnel, pipeline, changes,"
        " deviations",
        "azcn report pipeline --policy committed",
        commands.axes,
        commands.form,
        commands.ledger,
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


def _report(options: argparse.Namespace) -> None:
    since = options.since_known_by or options.since_as_of
    if options.name == "changes" and not since:
        raise AzcnEventsError(
            "changes since when? give --since-known-by or --since-as-of"
        )
    with open_ledger(options.ledger) as ledger:
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
        print_table(view.report(options.name, **parameters), options)
