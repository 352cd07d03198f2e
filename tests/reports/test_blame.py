"""Who last set each part of a stream's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from examples.own_lifecycle import CONCESSION
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import CITES, at, fresh

from azcn_events import (
    Amount,
    Ledger,
    Lifecycle,
    MilestonePromised,
    Recorded,
    Retracted,
    State,
    Suspended,
    When,
)
from azcn_events.core.history import in_force
from azcn_events.demo import seed_files
from azcn_events.errors import UnknownName
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.reports.blame import blame
from azcn_events.reports.common import either
from azcn_events.testing import logs
from azcn_events.testing.laws.reports import moment_of
from azcn_events.testing.transcript import Log

A = "agreement/a"
SAID: dict[str, Any] = {"when": When("2024-12-01"), "cites": CITES}
OPENED = ev.AgreementIdentified(field="cardboard", package="package/p", **SAID)


@pytest.fixture
def ledger() -> Ledger:
    """Give a ledger with one agreement, on the first of January 2025."""
    ledger = fresh()[0]
    ledger.record(A, OPENED, metadata={"by": "u1"})
    return ledger


def row(ledger: Ledger, part: str, **axes: Any) -> dict[str, object]:
    """Give the one row of a part of the agreement."""
    (found,) = ledger.view(**axes).blame(A, part).records()
    return found


# --- The law ------------------------------------------------------------------


def parts(state: State) -> dict[str, str]:
    """Give the activity and each milestone as they are read."""
    return {
        "activity": either(state.activity, state.activity_maybe),
        **{n: either(m.status, m.maybe) for n, m in state.milestones.items()},
    }


def last_change(states: Sequence[dict[str, str]], part: str) -> int | None:
    """Give the place of the last state that is unlike the one before."""
    turns = [n for n in range(1, len(states)) if states[n][part] != states[n - 1][part]]
    return turns[-1] if turns else None


@pytest.mark.parametrize("lifecycle", [INVESTMENT, CONCESSION], ids=lambda x: x.name)
@given(data=st.data())
def test_it_names_the_record_with_which_the_part_became_so(
    lifecycle: Lifecycle, data: st.DataObject
) -> None:
    """Replayed up to the record the part reads as it does; before it, otherwise."""
    log: Log = data.draw(logs(lifecycle))
    day = data.draw(st.none() | st.integers(-20, 60).map(at))
    moment = moment_of(lifecycle, log, day)
    for stream in dict.fromkeys(record.stream for record in log):
        if not lifecycle.has_milestones(stream):
            continue
        facts: tuple[Recorded, ...] = in_force(r for r in log if r.stream == stream)
        states = [
            parts(lifecycle.replay(facts[:size], as_of=day))
            for size in range(len(facts) + 1)
        ]
        told = {str(r["part"]): r for r in blame(moment, stream).records()}
        for part, value in states[-1].items():
            turn = last_change(states, part)
            expected = None if turn is None else facts[turn - 1].position
            assert (value, expected) == (told[part]["value"], told[part]["position"])


@given(logs(INVESTMENT))
def test_a_field_is_as_the_last_fact_in_force_says(log: Log) -> None:
    """No later fact of its class in force says anything of it."""
    moment = moment_of(INVESTMENT, log)
    for stream in dict.fromkeys(record.stream for record in log):
        facts = in_force(r for r in log if r.stream == stream)
        for told in blame(moment, stream).records():
            if " " not in str(told["part"]):
                continue
            kind, *_, field = str(told["part"]).split(" ")
            of_kind = [f for f in facts if INVESTMENT.name_of(type(f.event)) == kind]
            of_kind = [
                f for f in of_kind if getattr(f.event, field) not in ("", (), False)
            ]
            if kind.startswith("milestone-"):
                name = str(told["part"]).split(" ")[1]
                of_kind = [f for f in of_kind if f.event.milestone == name]  # type: ignore[attr-defined] # chosen by kind
            assert of_kind[-1].position == told["position"]


# --- What it says -------------------------------------------------------------


def test_it_says_who_when_and_by_which_source(ledger: Ledger) -> None:
    """Of a field: the fact, the recording, and the citation."""
    told = row(ledger, "field")
    assert ("agreement-identified field", "cardboard") == (told["part"], told["value"])
    assert ("agreement-identified", "u1", "source/s", 1, "r1") == tuple(
        told[name] for name in ("fact", "by", "source", "position", "id")
    )
    assert "2025-01-01 12:00" == told["recorded"]


def test_a_correction_says_what_it_stands_instead_of(ledger: Ledger) -> None:
    """And a retraction of it gives the first record back."""
    better = attrs.evolve(OPENED, field="paper", replaces="r1", reason="misread")
    ledger.record(A, better)
    told = row(ledger, "field")
    assert ("paper", "r2", "r1: misread") == tuple(
        told[name] for name in ("value", "id", "instead of")
    )
    ledger.record(A, Retracted(replaces="r2", reason="no", **SAID))
    told = row(ledger, "field")
    assert ("cardboard", "r1", None) == tuple(
        told[name] for name in ("value", "id", "instead of")
    )


def test_what_was_not_set_by_anybody_has_no_record(ledger: Ledger) -> None:
    """The milestone is a row, and says so."""
    told = row(ledger, "land-allocated")
    assert ("unmentioned", None, None) == tuple(
        told[name] for name in ("value", "position", "source")
    )


def test_on_both_axes(ledger: Ledger) -> None:
    """What had only possibly come is said so; what was not recorded is not there."""
    ledger.record(A, ev.LandAllocated(area=Amount.exact(2, "ha"), **SAID))
    vague = When("[2024-12-10..2024-12-30]")
    area = Amount.exact(3, "ha")
    ledger.record(A, ev.LandAllocated(area=area, when=vague, cites=CITES))
    assert "3 ha" == row(ledger, "area")["value"]
    told = ledger.view(as_of="2024-12-20").blame(A, "area").records()
    assert ["2 ha", "perhaps 3 ha"] == [r["value"] for r in told]
    assert "2 ha" == row(ledger, "area", as_of="2024-12-05")["value"]
    with pytest.raises(UnknownName, match="agreement/a"):
        ledger.view(known_by="2024-12-31").blame(A)


def test_a_value_that_is_added_up_names_all_that_is_in_it(ledger: Ledger) -> None:
    """The last record set it; those before are in the figure's why."""
    worth = ev.ValueReported(amount=Amount.exact(5, "USD"), **SAID)
    ledger.record(A, worth, attrs.evolve(worth, adds=True))
    table = ledger.view().blame(A, "value")
    assert ["USD 10"] == [cell.value for cell in table.column("value")]
    assert [3] == [cell.value for cell in table.column("position")]
    assert (2, 3) == table.column("value")[0].why


def test_a_promise_names_its_milestone(ledger: Ledger) -> None:
    """Each milestone has a target of its own."""
    for name, year in (("producing", "2026"), ("work-started", "2025")):
        ledger.record(A, MilestonePromised(name, target=When(year), **SAID))
    told = ledger.view().blame(A, "target").records()
    assert [
        ("milestone-promised producing target", "2026"),
        ("milestone-promised work-started target", "2025"),
    ] == [(r["part"], r["value"]) for r in told]


def test_the_activity_is_a_part(ledger: Ledger) -> None:
    """Who suspended it."""
    ledger.record(A, Suspended(**SAID), metadata={"by": "u2"})
    told = row(ledger, "activity")
    assert ("suspended", "u2") == (told["value"], told["by"])


def test_a_package_and_a_source_have_parts_too() -> None:
    """Streams without milestones have the fields that their facts say."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    view = ledger.view()
    (worth,) = view.blame("package/beijing-2025-04", "value").records()
    assert ("USD 335,000,000", 4) == (worth["value"], worth["position"])
    (title,) = view.blame("source/trend-4033660", "title").records()
    assert "Report on the outcome of the conference of 17 April" == title["value"]


def test_what_is_not_there_is_refused(ledger: Ledger) -> None:
    """A stream, or a part; with the names that there are."""
    with pytest.raises(UnknownName, match="agreement/a"):
        ledger.view().blame("agreement/b")
    with pytest.raises(UnknownName, match="agreement-identified field"):
        ledger.view().blame(A, "fields")


def test_metadata_that_is_odd_names_nobody(ledger: Ledger) -> None:
    """Whatever a recording's metadata are, nothing fails."""
    (record,) = ledger.records()
    for metadata, by in (
        (b"[]", None),
        (b"{}", None),
        (b'{"by": 7}', "7"),
        (b'{"by": null}', None),
        (b"not JSON", None),
        (b"[" * 100_000, None),
    ):
        log = (record._replace(metadata=metadata),)
        (told,) = blame(moment_of(INVESTMENT, log), A, "field").records()
        assert by == told["by"]
