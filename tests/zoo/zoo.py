"""All bugs, what their checks say of them, and the page that tells it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from attrs import frozen
from tests.zoo import codecs, lifecycles, projections, read_models, reports, stores
from tests.zoo.bug import Bug, Finding, false_alarms, finding

__all__ = ["GROUPS", "MISSED", "PAGE", "Visit", "page", "summary", "visit"]

GROUPS: Final = {
    "Lifecycles": lifecycles.BUGS,
    "Projections": projections.BUGS,
    "Reports": reports.BUGS,
    "Events, codecs and upcasts": codecs.BUGS,
    "Read models": read_models.BUGS,
    "Stores": stores.BUGS,
}
MISSED: Final = frozenset({"no-why", "rows-by-chance", "float-for-money"})
"""Bugs that no check catches so far."""

PAGE: Final = Path(__file__).parents[2] / "docs/reference/zoo.md"


@frozen
class Visit:
    """A bug, and what its check says of it and of its twin."""

    bug: Bug
    finding: Finding
    alarms: tuple[str, ...]


def visit(bug: Bug) -> Visit:
    """Run a bug's check on both."""
    return Visit(bug, finding(bug), false_alarms(bug))


def summary(visits: Sequence[Visit]) -> str:
    """Say how many were caught, missed and falsely accused, and how short the cases."""
    caught = [one.finding for one in visits if one.finding.laws]
    sizes = sorted(found.events for found in caught)
    share = 100 * len(caught) / len(visits)
    alarms = sum(bool(one.alarms) for one in visits)
    return (
        f"{len(caught)} of {len(visits)} bugs are caught ({share:.1f} %),"
        f" {len(visits) - len(caught)} missed; {alarms} of their twins raise a false"
        f" alarm. Half of the cases have {median(sizes):g} events or fewer, and none"
        f" has more than {sizes[-1]}."
    )


def page(visits: Sequence[Visit]) -> str:
    """Write the page of the documentation."""
    found = {one.bug.name: one.finding for one in visits}
    lines = [_INTRO, summary(visits), ""]
    for title, bugs in GROUPS.items():
        lines += [f"## {title}", "", *_HEAD]
        lines += [_row(bug, found[bug.name]) for bug in bugs]
        lines.append("")
    return "\n".join(lines)


_INTRO: Final = """\
# The zoo: what the checks catch

These are mistakes as users make them in lifecycles, projections, reports, codecs, read
models and stores. Each stands in `tests/zoo` beside its correct twin. Both get the same
one line, such as `assert_lawful(MY_PROJECTION)`, with an oracle or a pin where nothing
else could know what was meant; the kit knows none of them. The last column counts the
records of the shortest case, 0 where it is no log but a declaration, the empty log, or
a script of appends that the law always follows.

The table is written by `python -m tests.zoo --write`, and a test compares it.
"""
_HEAD: Final = ("| bug | in words | caught by | events |", "|---|---|---|---|")


def _row(bug: Bug, found: Finding) -> str:
    laws = f"`{found.laws[0]}`" if found.laws else "**missed**"
    more = f" and {len(found.laws) - 1} more" if len(found.laws) > 1 else ""
    events = str(found.events) if found.laws else ""
    words = bug.why.replace("|", "\\|")
    return f"| {bug.name} | {words} | {laws}{more} | {events} |"
