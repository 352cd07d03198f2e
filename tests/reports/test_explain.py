"""A figure explained: its records, what they cite, the sources, and what is open."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
from examples.own_lifecycle import CONCESSION
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import CITES, fresh
from tests.reports.test_report_laws import OF_ANY_LIFECYCLE, OF_INVESTMENT

from azcn_events import Amount, Citation, Ledger, Lifecycle, Missing, Retracted, When
from azcn_events.core.events import ERASURES, Erased
from azcn_events.core.history import Moment, in_force
from azcn_events.core.values import Sealed
from azcn_events.demo import seed_files
from azcn_events.errors import InvalidValue, UnknownName
from azcn_events.investment import INVESTMENT
from azcn_events.investment import events as ev
from azcn_events.reports.explain import TRIED_MAX, explain
from azcn_events.reports.past import Past
from azcn_events.reports.pipeline import pipeline
from azcn_events.reports.render import shown
from azcn_events.reports.table import Cell, Column, Row, Table
from azcn_events.testing import logs
from azcn_events.testing.laws.reports import Report, moment_of
from azcn_events.testing.transcript import Log

A, P = "agreement/a", "package/p"
SAID: dict[str, Any] = {"when": When("2024-12-01"), "cites": CITES}
WORTH = ev.ValueReported(amount=Amount.exact(10, "USD"), **SAID)
UNALLOCATED = ("pipeline", "unallocated", "USD")


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger, on the first of January 2025."""
    return fresh()[0]


@pytest.fixture(scope="module")
def seed() -> Ledger:
    """Give a ledger with the seed."""
    ledger = Ledger.open("memory:")
    for path in seed_files():
        ledger.load(path)
    return ledger


def deeds(told: Any, what: str) -> list[str]:
    """Give a column of the records' table, as it is read."""
    return [shown(cell) for cell in told.tables[1].column(what)]


# --- The law ------------------------------------------------------------------


ANY_REPORT = [
    *((INVESTMENT, name, report) for name, report in OF_INVESTMENT.items()),
    *((CONCESSION, name, report) for name, report in OF_ANY_LIFECYCLE.items()),
]


# A tenth of the usual logs: a log has some hundred cells, each explained by itself.
@pytest.mark.parametrize(
    ("lifecycle", "name", "report"),
    ANY_REPORT,
    ids=[f"{lifecycle.name}, {name}" for lifecycle, name, _ in ANY_REPORT],
)
@settings(max_examples=max(settings().max_examples // 10, 2))
@given(data=st.data())
def test_every_cell_of_every_report_is_explained(
    lifecycle: Lifecycle, name: str, report: Report, data: st.DataObject
) -> None:
    """The report of the named records alone gives the same figure again."""
    log: Log = data.draw(logs(lifecycle))
    moment, known = moment_of(lifecycle, log), {record.position for record in log}
    table = report(moment)
    for row in table.rows:
        texts = tuple(map(shown, row.cells))
        for column in table.columns:
            try:
                told = explain(moment, report, *texts, column=column.name)
            except InvalidValue:
                continue  # Two rows read alike, to the last word.
            assert told.is_enough is not False, f"{name}: {texts}, {column.name}"
            assert (told.is_enough is None) == (not told.cell.why)
            named = {record.position for record in told.records}
            assert set(told.cell.why) <= named <= known


def test_a_report_that_names_too_few_is_found_out(ledger: Ledger) -> None:
    """Whether the records are enough is tried, not taken for granted."""
    ledger.record(P, WORTH)
    ledger.record("package/q", attrs.evolve(WORTH, amount=Amount.exact(5, "USD")))

    def shy(moment: Moment) -> Table:
        table = pipeline(moment)
        rows = tuple(
            Row(tuple(Cell(c.value, c.why[:1]) for c in row.cells)) for row in table
        )
        return attrs.evolve(table, rows=rows)

    moment = ledger.view().moment
    told = explain(moment, shy, "unallocated", "USD", column="counted")
    assert told.is_enough is False
    assert "NOT THE SAME" in told.text()
    assert explain(moment, pipeline, "unallocated", "USD", column="counted").is_enough


@settings(max_examples=max(settings().max_examples // 5, 5))
@given(logs(INVESTMENT), st.data())
def test_what_was_known_at_a_position_never_changes(log: Log, data: Any) -> None:
    """A look back out of a longer log reads like a look at the shorter one."""
    size = data.draw(st.integers(0, len(log)))
    moment = moment_of(INVESTMENT, log)
    back = Past(moment).at(log[size - 1].position if size else 0)
    then = attrs.evolve(
        moment_of(INVESTMENT, log[:size]), on=moment.on, known_by=back.known_by
    )
    assert list(then.read()) == list(back.read())
    for report in OF_INVESTMENT.values():
        assert report(then).json() == report(back).json()


# --- The seed -----------------------------------------------------------------


def test_the_unallocated_value_of_the_seed_leads_to_one_event(seed: Ledger) -> None:
    """To its citation, to its source, and to what the source leaves open."""
    told = seed.view().explain(*UNALLOCATED, column="counted")
    assert Amount.exact(335_000_000, "USD") == told.cell.value
    (event,) = told.decisive
    assert "beijing-value" == event.id
    cites = Citation("source/trend-4035629", "paragraph 3", "Yusif Abdullayev, AZPROMO")
    assert cites == event.event.cites
    (origin,) = told.origins
    assert "source/trend-4035629" == origin.source
    facts = dict(origin.facts)
    assert "https://en.trend.az/business/4035629.html" == facts["url"]
    assert "Trend" == facts["publisher"]
    assert told.is_enough
    scope = "it may be the value of practical, or of all: the source leaves it open"
    assert [f"Position 4, beijing-value: {scope}."] == [
        note for note in told.notes if "beijing-value" in note
    ]
    assert scope in " ".join(told.text().split())


def test_without_an_event_the_figure_is_another(seed: Ledger) -> None:
    """Each record says what the figure would be had it not been recorded."""
    told = seed.view().explain(*UNALLOCATED, column="counted")
    assert ["the same", "no such row"] == deeds(told, "without")


# --- What it says -------------------------------------------------------------


def test_a_correction_is_named_with_what_it_replaced(ledger: Ledger) -> None:
    """The record replaced is there too: by what, and why."""
    first = ledger.record(P, WORTH).records[0]
    better = attrs.evolve(
        WORTH, amount=Amount.exact(7, "USD"), replaces=first.id, reason="a typing slip"
    )
    ledger.record(P, better)
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    assert [
        "not in force; replaced by r2, position 2: a typing slip",
        "in force; replaces r1: a typing slip",
    ] == deeds(told, "standing")
    ledger.record(P, Retracted(replaces="r2", reason="it was right", **SAID))
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    assert Amount.exact(10, "USD") == told.cell.value
    first_again, taken_back, taker = deeds(told, "standing")
    assert "in force; replaced by r2, position 2: a typing slip" == first_again
    because = "replaces r1: a typing slip; taken back by r3, position 3: it was right"
    assert f"not in force; {because}" == taken_back
    assert "in force; takes back r2: it was right" == taker


def test_a_source_of_which_nothing_is_recorded_is_said_so(ledger: Ledger) -> None:
    """A citation leads on, or says that it does not."""
    ledger.record(P, WORTH)
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    assert [("source/s", ())] == [(each.source, each.facts) for each in told.origins]
    assert "nothing is recorded of this source" in told.text()


def test_it_says_who_recorded_it_and_the_digest_of_the_passage(ledger: Ledger) -> None:
    """From the recording's own metadata, and from the citation."""
    digest = "sha256:" + "ab" * 32
    cites = Citation("source/s", at="p. 4", digest=digest)
    worth = attrs.evolve(WORTH, cites=cites)
    ledger.record(P, worth, metadata={"by": "u17"})
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    said = [deeds(told, each) for each in ("by", "digest", "at", "source")]
    assert [["u17"], [digest], ["p. 4"], ["source/s"]] == said


def test_doubts_are_said_in_words(ledger: Ledger) -> None:
    """Bounds, a blurred date, disputed parties, and sources that differ."""
    parties = (ev.Party(("AZPROMO",)), ev.Party(("NDRC", "its centre")))
    ledger.record(
        P,
        attrs.evolve(
            WORTH,
            amount=Amount.below(3, "USD", words="almost three"),
            when=When("2024-12~"),
        ),
        ev.DocumentIdentified(title="a memorandum", parties=parties, **SAID),
        ev.ConflictNoted(
            about="attendance",
            claims=(ev.Claim("200", CITES), ev.Claim("250", Citation("source/t"))),
            **SAID,
        ),
    )
    view = ledger.view()
    notes = " ".join(view.explain("package", P, "value, USD", column="rest").notes)
    assert "amount is known by bounds, or roughly: USD below 3 “almost three”" in notes
    assert "its date is approximate: 2024-12~" in notes
    notes = " ".join(view.explain("package", P, "documents, all", column="known").notes)
    assert "the sources differ on a party: NDRC or its centre" in notes
    told = view.explain("package", P, "sources differ: attendance", column="reported")
    assert "sources differ about attendance" in " ".join(told.notes)
    assert ["source/s", "source/t"] == [origin.source for origin in told.origins]


def test_an_erased_value_leads_to_the_order(ledger: Ledger) -> None:
    """And a look back to before the erasure does not know of it."""
    sealed = Sealed.of(b"s" * 32, b"10 USD")
    ledger.record(P, attrs.evolve(WORTH, amount=sealed))
    ledger.record(
        ERASURES,
        Erased(
            commitments=(sealed.commitment,),
            ordered_by="a court",
            ground="Article 17",
            approved_by=("one", "other"),
            **SAID,
        ),
    )
    view = ledger.view()
    told = view.explain("package", P, "value", column="reported")
    assert Missing.ERASED == told.cell.value
    assert told.is_enough
    words = "a value in it was erased by order of a court (Article 17), position 2"
    assert words in " ".join(told.notes)
    then = Past(view.moment).at(1)
    assert list(ledger.moment(1, on=view.moment.on).read()) == list(then.read())
    told = explain(then, OF_INVESTMENT["package"], P, "value", column="reported")
    assert Missing.WITHHELD == told.cell.value


def test_a_cell_that_names_no_record_has_nothing_to_explain(seed: Ledger) -> None:
    """A label is a label: nothing is made again, nothing is claimed."""
    told = seed.view().explain(*UNALLOCATED, column="unit")
    assert (None, (), ()) == (told.is_enough, told.records, told.decisive)
    assert told.text()


def test_of_many_records_none_is_left_out_by_itself(ledger: Ledger) -> None:
    """Each would be a report; the figure is made again once all the same."""
    more = attrs.evolve(WORTH, adds=True)
    ledger.record(P, *[more] * (TRIED_MAX + 1))
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    assert Amount.exact(10 * (TRIED_MAX + 1), "USD") == told.cell.value
    assert told.is_enough
    assert {} == told.without
    assert {"not tried"} == set(deeds(told, "without"))


def test_it_is_json_of_three_tables(seed: Ledger) -> None:
    """The figure, the records and the sources, values as in every table."""
    told = seed.view().explain(*UNALLOCATED, column="counted")
    found = json.loads(told.json())
    assert ["figure", "records", "sources"] == list(found)
    assert "335000000" == found["figure"]["rows"][0]["value"]["low"]
    assert [2, 4] == [row["position"] for row in found["records"]["rows"]]


def test_a_text_cannot_act_on_the_terminal(ledger: Ledger) -> None:
    """Whatever a source, a name or a reason says."""
    evil = "\u202eevil\u200b"
    cites = Citation("source/x", at=evil)
    first = ledger.record(P, attrs.evolve(WORTH, cites=cites)).records[0]
    better = attrs.evolve(WORTH, replaces=first.id, reason=evil, cites=cites)
    ledger.record(P, better, metadata={"by": evil})
    ledger.record("source/x", ev.SourceRegistered(publisher=evil, title=evil, **SAID))
    told = ledger.view().explain(*UNALLOCATED, column="counted")
    for text in (told.text(), told.text(200), str(told), told.json()):
        assert not set(evil) & set(text) & {"\u202e", "\u200b"}


def test_it_outlives_the_ledger(tmp_path: Path) -> None:
    """An explanation is a value: it reads nothing when it is shown."""
    with Ledger.open(tmp_path / "azcn.db") as ledger:
        ledger.record(P, WORTH)
        told = ledger.view().explain(*UNALLOCATED, column="counted")
        before = told.text()
    assert before == told.text()


def test_what_hangs_together_is_named_though_the_report_does_not(
    ledger: Ledger,
) -> None:
    """A correction counts where the record stood that it replaces: both are needed."""
    vague = attrs.evolve(WORTH, amount=Amount.below(9, "USD"))
    ledger.record(P, vague)
    ledger.record(P, attrs.evolve(WORTH, replaces="r1", reason="a slip"))

    def terse(moment: Moment) -> Table:
        facts = in_force(moment.read())
        row = Row((Cell("count"), Cell(len(facts), tuple(r.position for r in facts))))
        return Table("terse", "Terse", (Column("what"), Column("number")), (row,))

    told = explain(ledger.view().moment, terse, "count", column="number")
    assert (2,) == told.cell.why
    assert ["r1", "r2"] == [record.id for record in told.records]
    assert () == told.notes, "what is replaced leaves nothing open"


def test_changes_are_explained_with_both_looks(seed: Ledger) -> None:
    """What the later look is not to see, the earlier one is not to see either."""
    before = seed.view(known_by="2025-04-25")
    row = ("package/beijing-2025-04", "revised", "date")
    told = seed.view().explain("changes", *row, column="after", before=before)
    assert "2025-04-17" == told.cell.value
    assert told.is_enough
    told = seed.view().explain("changes", *row, column="before", before=before)
    assert "[..2025-04-25~]" == str(told.cell.value).partition(" ")[0]
    assert told.without[2] is None, "without the conference neither look has a date"


def test_what_is_not_there_is_refused(seed: Ledger) -> None:
    """A row, a column, a report or a parameter; several rows that begin alike."""
    view = seed.view()
    for name, row, column, more in (
        ("pipeline", "nothing", "counted", {}),
        ("pipeline", "unallocated", "value", {}),
        ("pipelines", "unallocated", "counted", {}),
        ("pipeline", "unallocated", "counted", {"policies": "claims"}),
    ):
        with pytest.raises(UnknownName):
            view.explain(name, row, column=column, **more)
    with pytest.raises(InvalidValue, match="rows begin so"):
        view.explain("package", "package/beijing-2025-04", column="rest")


def test_a_report_of_ones_own_is_explained(seed: Ledger) -> None:
    """Any function of a moment that gives a table."""

    def own(moment: Moment, word: str) -> Table:
        why = tuple(r.position for r in moment.read() if r.stream.startswith(word))
        row = Row((Cell("count"), Cell(len(why), why)))
        return Table("own", "Own", (Column("what"), Column("number")), (row,))

    told = explain(
        seed.view().moment, partial(own, word="link"), "count", column="number"
    )
    assert (1, True) == (told.cell.value, told.is_enough)
    assert ["link-cardboard-baku-factory"] == [r.id for r in told.decisive]
