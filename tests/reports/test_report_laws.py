"""Every report keeps the laws of reports: its figures explain themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

import attrs
import pytest
from examples.own_lifecycle import CONCESSION
from hypothesis import settings

from azcn_events import Lifecycle, Table
from azcn_events.core.history import Moment
from azcn_events.investment.counting import POLICIES
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.reports import REPORTS
from azcn_events.testing.laws import REPORT_LAWS, assert_lawful
from azcn_events.testing.laws.reports import Report

EARLIER: Final = timedelta(days=12)


def changes_since_a_day(moment: Moment) -> Table:
    """Compare with what had come some days earlier."""
    day = (moment.as_of or moment.on) - EARLIER
    return REPORTS["changes"](moment, before=attrs.evolve(moment, as_of=day))


def changes_since_then(moment: Moment) -> Table:
    """Compare with what was known some days earlier."""
    day = moment.on - EARLIER
    known = [record for record in moment.read() if record.recorded_on <= day]
    return REPORTS["changes"](moment, before=attrs.evolve(moment, read=lambda: known))


OF_ANY_LIFECYCLE: Final[Mapping[str, Report]] = {
    name: REPORTS[name] for name in ("status", "milestones", "funnel", "deviations")
}
OF_INVESTMENT: Final[Mapping[str, Report]] = {
    **OF_ANY_LIFECYCLE,
    "package": REPORTS["package"],
    **{
        f"pipeline, {name}": partial(REPORTS["pipeline"], policy=name)
        for name in POLICIES
    },
    "changes, as of": changes_since_a_day,
    "changes, known by": changes_since_then,
}


def keeps_the_laws(report: Report, lifecycle: Lifecycle) -> None:
    """Look at a tenth of the usual logs: each is reported on a hundred times."""
    examples = settings().max_examples // 10
    assert_lawful(report, REPORT_LAWS, lifecycle=lifecycle, examples=examples)


@pytest.mark.parametrize("name", OF_INVESTMENT)
def test_a_report_keeps_the_laws(name: str) -> None:
    """Its figures name records that are enough, and hold whatever turns out."""
    keeps_the_laws(OF_INVESTMENT[name], INVESTMENT)


@pytest.mark.parametrize("name", OF_ANY_LIFECYCLE)
def test_a_report_keeps_the_laws_for_an_own_lifecycle(name: str) -> None:
    """Whatever the events and the milestones are."""
    keeps_the_laws(OF_ANY_LIFECYCLE[name], CONCESSION)


def test_every_report_is_asked() -> None:
    """A new report keeps the laws as well."""
    asked = {name.partition(",")[0] for name in OF_INVESTMENT}
    assert set(REPORTS) == asked
