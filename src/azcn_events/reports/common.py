"""What several reports say in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from azcn_events.core.events import Recorded
from azcn_events.core.history import Moment
from azcn_events.investment.events import AgreementIdentified
from azcn_events.investment.portfolio import portfolio
from azcn_events.reports.table import Cell

__all__ = ["anonymous", "either", "field_of"]


def anonymous(moment: Moment) -> Cell | None:
    """Count the reported documents that no source spoke of individually.

    Returns:
        A range; None if the log has no packages at all: then nothing is reported.
    """
    shown = portfolio(moment)
    return Cell(shown.anonymous, shown.why_anonymous) if shown.packages else None


def either(sure: Enum, maybe: Iterable[Enum]) -> str:
    """Say what is sure and, after "or", what is possible besides."""
    return " or ".join([sure.value, *sorted(one.value for one in maybe)])


def field_of(facts: Iterable[Recorded]) -> str:
    """Say what an agreement is about, as last said; empty if nobody did."""
    words = ""
    for record in facts:
        if isinstance(record.event, AgreementIdentified):
            words = record.event.field
    return words
