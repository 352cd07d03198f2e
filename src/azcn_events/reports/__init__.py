"""Reports: functions of a moment that return a table. Pure; they never print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from azcn_events.reports.changes import changes
from azcn_events.reports.deviations import deviations
from azcn_events.reports.funnel import funnel
from azcn_events.reports.milestones import milestones
from azcn_events.reports.package import package
from azcn_events.reports.pipeline import pipeline
from azcn_events.reports.status import status
from azcn_events.reports.table import Table

__all__ = ["REPORTS", "VERSIONS"]

REPORTS: Final[Mapping[str, Callable[..., Table]]] = {
    "package": package,
    "status": status,
    "milestones": milestones,
    "funnel": funnel,
    "pipeline": pipeline,
    "changes": changes,
    "deviations": deviations,
}
"""Every report by its name, in the order in which a reader wants them."""

VERSIONS: Final[Mapping[str, int]] = {
    "package": 1,
    "status": 1,
    "milestones": 1,
    "funnel": 1,
    "pipeline": 1,
    "changes": 1,
    "deviations": 1,
}
"""The version of each report's computation, and of how it writes its rows: one more
whenever the same events give another figure, text, column or order than before. Each
published report names the one that made it."""
