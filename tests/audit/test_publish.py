"""Published reports: made again from history, to the byte; and drift, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import Clock, fresh, us_of

from azcn_events import Amount, Citation, Ledger, When
from azcn_events.audit import publish as publishing
from azcn_events.audit.publish import (
    Drift,
    Outcome,
    Published,
    content_of,
    publications,
    publish,
    reproduce,
    restated_since,
)
from azcn_events.core.events import Fact, Parameter, ReportContinued, ReportPublished
from azcn_events.core.history import Moment
from azcn_events.core.leaf import leaves_of
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.merkle import Frontier
from azcn_events.demo import seed_files
from azcn_events.errors import (
    InvalidValue,
    TransitionRefused,
    UnknownName,
)
from azcn_events.investment import INVESTMENT, AgreementIdentified, ValueReported
from azcn_events.reports import REPORTS, VERSIONS
from azcn_events.reports.table import Cell, Table
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Row
from azcn_events.testing import logs
from azcn_events.testing.transcript import Log

BULLETIN = Citation("source/bulletin-1", at="table 1")
TODAY = date(2026, 3, 1)
FREE = Lifecycle(
    name="free",
    events=INVESTMENT.events,
    milestones=INVESTMENT.milestones,
    opened_by=INVESTMENT.opened_by,
)
"""The same facts, in any stream at all."""


def told(log: Log, lifecycle: Lifecycle = INVESTMENT) -> tuple[Ledger, Clock]:
    """Record a log, at its times, in a ledger whose clock stands at its end."""
    clock = Clock()
    ledger = Ledger(MemoryStore(clock), lifecycle, clock=clock)
    add(ledger, clock, log)
    return ledger, clock


def add(ledger: Ledger, clock: Clock, log: Log) -> None:
    """Record more of a log."""
    clock.us = max([clock.us, *(record.recorded_us for record in log)])
    ledger.record_all(Fact(r.stream, r.event, r.id, r.recorded_us) for r in log)


def seeded() -> Ledger:
    """Give a ledger with the demonstration's seed."""
    clock = Clock(us_of(TODAY))
    ledger = Ledger(MemoryStore(clock), clock=clock)
    for path in seed_files():
        ledger.load(path)
    return ledger


def published(done: Published) -> ReportPublished:
    """Give the event."""
    event = done.record.event
    assert isinstance(event, ReportPublished)
    return event


def every_request(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    """Give each report, and what can be asked of it."""
    policies = ("claims", "no-umbrellas", "committed")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("pipeline", {"policy": policy}) for policy in policies
    ]
    earlier = ledger.view(as_of="2025-01-20")
    asked += [("changes", {"before": earlier})]
    asked += [(name, {}) for name in REPORTS if name not in {"changes", "pipeline"}]
    return asked


# Publishing


def test_a_publication_says_what_was_told_and_where_it_came_from() -> None:
    """Report and version, the look, the checkpoint, the digest, the rows."""
    ledger = seeded()
    size = ledger.store.head()
    frontier = Frontier()
    frontier.extend(leaves_of(ledger.store.read_all()))
    done = publish(
        ledger,
        "pipeline",
        policy="committed",
        cites=BULLETIN,
        by="u17",
        as_of="2025-06-30",
    )
    event = published(done)
    assert ("pipeline", VERSIONS["pipeline"]) == (event.report, event.report_version)
    assert (size, date(2025, 6, 30)) == (event.look.position, event.look.as_of)
    assert frontier.root().hex() == event.root
    assert f"sha256:{sha256(done.content).hexdigest()}" == event.digest
    assert (len(done.table), "rows/1") == (event.rows, event.form)
    assert done.content.decode() == event.content
    assert [("policy", "committed")] == [
        (one.name, one.value) for one in event.parameters
    ]
    assert (When("2026-03-01"), BULLETIN) == (event.when, event.cites)
    assert (size + 1, "report/pipeline") == (done.record.position, done.record.stream)
    assert {"by": "u17"} == json.loads(done.record.metadata)
    assert [(done.record, event)] == list(publications(ledger))
    assert [] == list(publications(ledger, "status"))


def test_what_was_told_is_written_without_the_positions() -> None:
    """Figures, words, context and notes: what a reader saw, one spelling only."""
    done = publish(seeded(), "pipeline", cites=BULLETIN)
    content = json.loads(done.content)
    table = done.table
    assert {
        "name": table.name,
        "title": table.title,
        "columns": [[column.name, column.heading] for column in table.columns],
        "context": [list(pair) for pair in table.context],
        "notes": list(table.notes),
        "rows": [list(row.values()) for row in table.records()],
        "totals": [at for at, row in enumerate(table.rows) if row.total],
    } == content
    assert content_of(table) == done.content
    compact = json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    assert compact.encode() == done.content
    unexplained = attrs.evolve(
        table,
        rows=tuple(
            attrs.evolve(row, cells=tuple(Cell(cell.value) for cell in row.cells))
            for row in table.rows
        ),
    )
    assert done.content == content_of(unexplained)


GOLDEN: dict[str, tuple[int, str]] = {
    "package": (1, "c8404c5b2eb069b7"),
    "status": (1, "40a4a166423012f1"),
    "milestones": (1, "9312b434524e5a6b"),
    "funnel": (1, "0fa667cc8e9e8a87"),
    "pipeline": (1, "26208bfa029651f8"),
    "changes": (1, "12fe5ceb75615467"),
    "deviations": (1, "129f1a98aebfed0d"),
}
"""Of each report its version, and the digest of what it tells of the seed."""


@pytest.mark.parametrize("name", REPORTS)
def test_a_computation_that_changes_gets_a_new_version(name: str) -> None:
    """If this fails: add one to the report's number in VERSIONS, and keep both here."""
    ledger = seeded()
    parameters: dict[str, Any] = {}
    if name == "changes":
        parameters["before"] = ledger.view(as_of="2025-04-20")
    table = ledger.view(as_of="2025-06-30").report(name, **parameters)
    digest = sha256(content_of(table)).hexdigest()[:16]
    assert GOLDEN[name] == (VERSIONS[name], digest)


def test_every_report_has_a_version() -> None:
    """And no version is of a report that is gone."""
    assert list(REPORTS) == list(VERSIONS)


@pytest.mark.parametrize(
    ("name", "parameters", "error"),
    [
        ("pipelines", {}, UnknownName),
        ("pipeline", {"policy": "hopes"}, UnknownName),
        ("pipeline", {"colour": "red"}, UnknownName),
        ("status", {"agreement": 7}, InvalidValue),
        ("changes", {"before": "2025-04-20"}, InvalidValue),
        ("changes", {}, UnknownName),
        ("pipeline", {"as_of": "soon"}, InvalidValue),
    ],
)
def test_what_cannot_be_published_records_nothing(
    name: str, parameters: dict[str, Any], error: type[Exception]
) -> None:
    """An unknown report or parameter, or one that could not be asked again."""
    ledger = seeded()
    size = ledger.store.head()
    with pytest.raises(error):
        publish(ledger, name, cites=BULLETIN, **parameters)
    assert size == ledger.store.head()


def test_other_facts_stay_out_of_the_reports_streams() -> None:
    """And publications out of all others, whatever the lifecycle."""
    for lifecycle in (INVESTMENT, FREE):
        ledger, _ = fresh(lifecycle=lifecycle)
        done = publish(ledger, "funnel", cites=BULLETIN)
        identified = AgreementIdentified(field="x", when=When(""), cites=BULLETIN)
        with pytest.raises(TransitionRefused, match="do not take it"):
            ledger.record("report/funnel", identified)
        ledger.record("agreement/a", identified)
        for stream in ("agreement/a", "erasure/values"):
            with pytest.raises(TransitionRefused) as caught:
                ledger.record(stream, done.record.event)
            assert "misplaced" == caught.value.code


# Reproducing


@given(logs(INVESTMENT), st.data())
def test_every_published_report_is_made_again_to_the_byte(
    log: Log, data: st.DataObject
) -> None:
    """Whatever is recorded later, and whatever else is published."""
    cut = data.draw(st.integers(0, len(log)), label="published after")
    as_of = data.draw(st.none() | st.just(date(2025, 1, 25)), label="as of")
    ledger, clock = told(log[:cut])
    done = [
        publish(ledger, name, cites=BULLETIN, as_of=as_of, **parameters)
        for name, parameters in every_request(ledger)
    ]
    add(ledger, clock, log[cut:])
    for one in done:
        again = reproduce(ledger, one.record.id)
        assert Outcome.SAME is again.outcome
        assert again.is_same
        assert again.table is not None
        assert one.content == content_of(again.table)
        assert () == again.drift
        assert "the same report" in again.explain()
        assert again == reproduce(ledger, one.record.position)


@given(logs(FREE), st.sampled_from([INVESTMENT, FREE]))
def test_publishing_changes_no_figure(log: Log, lifecycle: Lifecycle) -> None:
    """No report counts that it, or another, was published."""
    if lifecycle is INVESTMENT:
        log = tuple(
            record._replace(stream=f"agreement/{record.stream}") for record in log
        )
    try:
        ledger, _ = told(log, lifecycle)
    except TransitionRefused:
        return  # Not every fact goes into every category.
    requests = every_request(ledger)
    before = [ledger.report(name, **asked).json() for name, asked in requests]
    for name, asked in requests:
        publish(ledger, name, cites=BULLETIN, **asked)
    assert before == [ledger.report(name, **asked).json() for name, asked in requests]
    assert [] == [h.stream for h in ledger.view().histories() if "report" in h.stream]
    assert list(REPORTS) == sorted(
        (h.stream.removeprefix("report/") for h in ledger.view().histories("report")),
        key=list(REPORTS).index,
    )


def planted(report: Callable[..., Table]) -> Callable[..., Table]:
    """Give a report that tells something else in its first row's third column."""

    def changed(moment: Moment, **parameters: Any) -> Table:
        table = report(moment, **parameters)
        first = table.rows[0]
        cells = (*first.cells[:2], Cell(77, first.cells[2].why), *first.cells[3:])
        rows = (attrs.evolve(first, cells=cells), *table.rows[1:])
        return attrs.evolve(table, rows=rows)

    return changed


def test_a_changed_computation_is_shown_as_drift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log is the same, the code is another: which cell, from what to what."""
    ledger = seeded()
    done = publish(ledger, "pipeline", cites=BULLETIN)
    monkeypatch.setattr(
        publishing, "REPORTS", {**REPORTS, "pipeline": planted(REPORTS["pipeline"])}
    )
    monkeypatch.setattr(publishing, "VERSIONS", {**VERSIONS, "pipeline": 9})
    again = reproduce(ledger, done.record.id)
    assert Outcome.CODE_DIFFERS is again.outcome
    assert not again.is_same
    row = json.loads(done.content)["rows"][0]
    was = json.dumps(row[2], separators=(",", ":"), sort_keys=True)
    assert (Drift((row[0], row[1]), "agreements", was, "77"),) == again.drift
    assert "version 1, now by version 9: 1 differences" in again.explain()
    drift = again.table_of_drift()
    assert ["77"] == [cell.value for cell in drift.column("now")]
    assert (("outcome", "code differs"),) == drift.context


def remade(change: Callable[[Table], Table]) -> tuple[Drift, ...]:
    """Give the drift of a pipeline that a release changes like this."""
    ledger = seeded()
    done = publish(ledger, "pipeline", cites=BULLETIN)
    with pytest.MonkeyPatch.context() as patch:
        made = {**REPORTS, "pipeline": lambda m: change(REPORTS["pipeline"](m))}
        patch.setattr(publishing, "REPORTS", made)
        again = reproduce(ledger, done.record.id)
    assert Outcome.CODE_DIFFERS is again.outcome
    return again.drift


def test_rows_that_come_and_go_are_shown_whole() -> None:
    """With how they begin, so that a reader finds them."""
    rows = seeded().report("pipeline").rows
    gone = remade(lambda t: attrs.evolve(t, rows=t.rows[1:]))
    assert [("row", "")] == [(one.column, one.now) for one in gone]
    twice = remade(lambda t: attrs.evolve(t, rows=(*t.rows, t.rows[0])))
    assert [("row", "")] == [(one.column, one.told) for one in twice]
    assert "no. 2" == twice[0].row[-1]
    turned = remade(lambda t: attrs.evolve(t, rows=t.rows[::-1]))
    assert len(rows) > 1
    assert ["order"] == [one.column for one in turned]


def test_words_totals_and_columns_are_told_too() -> None:
    """A note, a heading, a column or a total that is another is drift."""
    noted = remade(lambda t: attrs.evolve(t, notes=("as it was",)))
    assert [((), "notes", '["as it was"]')] == [
        (one.row, one.column, one.now) for one in noted
    ]
    untitled = remade(lambda t: attrs.evolve(t, title="Sums"))
    assert [("title", "Sums")] == [(one.column, one.now) for one in untitled]
    plain = remade(
        lambda t: attrs.evolve(
            t, rows=tuple(attrs.evolve(row, total=False) for row in t.rows)
        )
    )
    assert [("totals", "[]")] == [(one.column, one.now) for one in plain]
    narrow = remade(
        lambda t: attrs.evolve(
            t,
            columns=t.columns[:-1],
            rows=tuple(attrs.evolve(row, cells=row.cells[:-1]) for row in t.rows),
        )
    )
    assert {"columns", "left out"} == {one.column for one in narrow}


class Altered(MemoryStore):
    """A store in which somebody has changed one event behind our back."""

    def __init__(self, rows: list[Row], clock: Clock) -> None:
        super().__init__(clock)
        self.rows = rows

    def read(self, stream: str, *, after: int = 0, until: int | None = None) -> Any:
        """Give the altered rows of one stream."""
        for row in self.read_all(until=until):
            if row.stream == stream and row.version > after:
                yield row

    def read_all(self, *, after: int = 0, until: int | None = None) -> Any:
        """Give the altered rows."""
        end = len(self.rows) if until is None else until
        yield from self.rows[after:end]

    def read_by_stream(self, *, until: int | None = None) -> Any:
        """Give the altered rows, a stream after the other."""
        rows = list(self.read_all(until=until))
        for stream in dict.fromkeys(row.stream for row in rows):
            yield from (row for row in rows if row.stream == stream)

    def find(self, id: str) -> Row | None:  # noqa: A002 - the store's word
        """Give the altered row of this id."""
        return next((row for row in self.rows if row.id == id), None)


def altered(ledger: Ledger, position: int, change: Callable[[Row], Row]) -> Ledger:
    """Change one event of a ledger, its checksum too."""
    rows = list(ledger.store.read_all())
    row = change(rows[position - 1])
    checksum = ledger.codec.checksum(row.kind, row.payload)
    rows[position - 1] = row._replace(checksum=checksum or row.checksum)
    return Ledger(Altered(rows, Clock(us_of(TODAY))), clock=Clock(us_of(TODAY)))


def three_agreements() -> Ledger:
    """Give a ledger with three agreements of 10, 20 and 30 million, at 1 to 6."""
    ledger, _ = fresh()
    for name, millions in (("a", 10), ("b", 20), ("c", 30)):
        ledger.record(
            f"agreement/{name}",
            AgreementIdentified(field=name, when=When("2024-12-01"), cites=BULLETIN),
            ValueReported(
                amount=Amount.exact(millions, "USD"),
                when=When("2024-12-01"),
                cites=BULLETIN,
            ),
        )
    return ledger


def test_an_altered_log_is_told_from_altered_code() -> None:
    """The root is another: which rows, between which events, and the first of them."""
    ledger = three_agreements()
    first = publish(ledger, "status", cites=BULLETIN)
    ledger.record(
        "agreement/a",
        ValueReported(
            amount=Amount.exact(11, "USD"), when=When("2024-12-02"), cites=BULLETIN
        ),
    )
    second = publish(ledger, "pipeline", cites=BULLETIN)
    theirs = altered(
        ledger,
        8,
        lambda row: row._replace(payload=row.payload.replace(b'"11"', b'"99"')),
    )
    untouched = reproduce(theirs, first.record.id)
    assert Outcome.SAME is untouched.outcome
    again = reproduce(theirs, second.record.id)
    assert Outcome.LOG_DIFFERS is again.outcome
    assert (6, 8) == (again.agrees_until, again.differs_by)
    assert [
        (("none met", "USD"), "counted", "61", "149", 8),
        (("total", "USD"), "counted", "61", "149", 8),
    ] == [
        (
            one.row,
            one.column,
            json.loads(one.told)["low"],
            json.loads(one.now)["low"],
            one.event,
        )
        for one in again.drift
    ]
    assert "the log is another (after event 6, by 8)" in again.explain()
    assert second.record.position == again.record.position


def test_a_log_that_differs_where_no_figure_does_is_told() -> None:
    """The same figures from another log are no proof that it was left alone."""
    ledger = three_agreements()
    done = publish(ledger, "funnel", cites=BULLETIN)
    theirs = altered(
        ledger,
        1,
        lambda row: row._replace(payload=row.payload.replace(b'"a"', b'"z"')),
    )
    again = reproduce(theirs, done.record.id)
    assert (Outcome.LOG_DIFFERS, ()) == (again.outcome, again.drift)
    assert published(done).digest == again.digest
    assert (0, 6) == (again.agrees_until, again.differs_by)
    assert "the same report" in again.explain()


def test_a_log_that_cannot_be_read_is_told() -> None:
    """Bytes that are no event any more: no table, and the reason."""
    ledger = three_agreements()
    done = publish(ledger, "funnel", cites=BULLETIN)
    theirs = altered(ledger, 2, lambda row: row._replace(payload=b"{}"))
    again = reproduce(theirs, done.record.id)
    assert Outcome.LOG_DIFFERS is again.outcome
    assert (None, "", ()) == (again.table, again.digest, again.drift)
    assert "it cannot be made again: agreement/a at position 2" in again.untold
    assert again.untold in again.explain()


def test_a_large_report_is_kept_in_several_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of it, in one append; and a part that is altered is noticed."""
    monkeypatch.setattr(publishing, "_CHARACTERS_MAX", 100)
    ledger = three_agreements()
    done = publish(ledger, "pipeline", cites=BULLETIN)
    event = published(done)
    assert -(-len(done.content) // 100) - 1 == event.parts
    records = list(ledger.codec.records(ledger.store.read("report/pipeline")))
    assert 1 + event.parts == len(records)
    assert all(isinstance(r.event, ReportContinued) for r in records[1:])
    assert reproduce(ledger, done.record.id).is_same
    monkeypatch.setattr(
        publishing, "REPORTS", {**REPORTS, "pipeline": planted(REPORTS["pipeline"])}
    )
    assert 1 == len(reproduce(ledger, done.record.id).drift)
    theirs = altered(
        ledger,
        done.record.position + 1,
        lambda row: row._replace(payload=row.payload.replace(b'":"', b'":"?', 1)),
    )
    again = reproduce(theirs, done.record.id)
    assert (Outcome.CODE_DIFFERS, ()) == (again.outcome, again.drift)
    assert "what the log keeps of it is not what its digest is of" == again.untold


def test_what_the_log_does_not_keep_can_be_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bytes from elsewhere show the drift; others are refused."""
    ledger = three_agreements()
    done = publish(ledger, "pipeline", cites=BULLETIN, keep=False)
    assert "" == published(done).content
    assert reproduce(ledger, done.record.id).is_same
    monkeypatch.setattr(
        publishing, "REPORTS", {**REPORTS, "pipeline": planted(REPORTS["pipeline"])}
    )
    again = reproduce(ledger, done.record.id)
    assert (Outcome.CODE_DIFFERS, ()) == (again.outcome, again.drift)
    assert "the log does not keep what was told; give it as content" == again.untold
    assert 1 == len(reproduce(ledger, done.record.id, content=done.content).drift)
    with pytest.raises(InvalidValue, match="this is not what was told"):
        reproduce(ledger, done.record.id, content=b"{}")


def test_another_way_of_writing_is_not_guessed() -> None:
    """What is written as a later release writes it is not compared."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    later = attrs.evolve(
        event,
        form="rows/2",
        digest=f"sha256:{sha256(b'?').hexdigest()}",
        content="?",
    )
    record = ledger.record("report/pipeline", later).records[0]
    again = reproduce(ledger, record.id)
    assert Outcome.CODE_DIFFERS is again.outcome
    assert "it is written as 'rows/2', and this release reads 'rows/1'" == again.untold


@pytest.mark.parametrize("which", ["nowhere", "r1", 1, 99, 0, -1])
def test_what_is_no_publication_is_refused(which: str | int) -> None:
    """Whether it is named by id or by position."""
    with pytest.raises(InvalidValue, match="no published report"):
        reproduce(three_agreements(), which)


def test_a_report_that_is_gone_is_named() -> None:
    """A published report of an earlier release, say, that this one does not make."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    other = attrs.evolve(event, report="horoscope")
    record = ledger.record("report/horoscope", other).records[0]
    with pytest.raises(UnknownName, match="horoscope"):
        reproduce(ledger, record.id)


def digest_of(content: str) -> str:
    """Give the digest that a publication states."""
    return f"sha256:{sha256(content.encode()).hexdigest()}"


def test_a_record_that_contradicts_itself_is_told() -> None:
    """Its digest is of what the log gives, and what it keeps says something else."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    other = attrs.evolve(event, content=event.content.replace("USD", "CNY"))
    assert other != event
    found = reproduce(ledger, ledger.record("report/pipeline", other).records[0].id)
    assert (Outcome.TOLD_DIFFERS, False) == (found.outcome, found.is_same)
    assert "what the log keeps of it is not what its digest is of" in found.explain()


@pytest.mark.parametrize(
    "content", ["junk", "{}", "[]", "3", '{"columns": 1}', "[" * 9999, "9" * 9999]
)
def test_a_record_of_anything_crashes_nothing(content: str) -> None:
    """Whoever records may say that anything was told."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    other = attrs.evolve(event, content=content, digest=digest_of(content))
    found = reproduce(ledger, ledger.record("report/pipeline", other).records[0].id)
    assert Outcome.CODE_DIFFERS is found.outcome
    assert "and is not" in found.untold
    assert found.explain()


@given(st.integers(0, 2000), st.integers(0, 40), st.text(max_size=9))
def test_a_record_that_is_nearly_right_crashes_nothing(
    at: int, cut: int, put: str
) -> None:
    """Changed anywhere, with the digest of what it is now."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    at %= len(event.content)
    content = event.content[:at] + put + event.content[at + cut :]
    other = attrs.evolve(event, content=content, digest=digest_of(content))
    try:
        record = ledger.record("report/pipeline", other).records[0]
    except InvalidValue:
        return  # It cannot be stored.
    found = reproduce(ledger, record.id)
    assert (content == event.content) == found.is_same
    assert found.explain()
    assert found.table_of_drift().text()


@pytest.mark.parametrize(("parts", "rows"), [(10**30, None), (0, 77)])
def test_a_record_that_miscounts_is_no_other_report(
    parts: int, rows: int | None
) -> None:
    """Whatever number of parts and rows it states; the digest decides."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    rows = event.rows if rows is None else rows
    other = attrs.evolve(event, parts=parts, rows=rows)
    found = reproduce(ledger, ledger.record("report/pipeline", other).records[0].id)
    assert Outcome.SAME is found.outcome


@pytest.mark.parametrize("name", ["moment", "before", "no such"])
def test_a_parameter_that_no_report_has_is_named(name: str) -> None:
    """A record may state any."""
    ledger = three_agreements()
    event = published(publish(ledger, "pipeline", cites=BULLETIN))
    other = attrs.evolve(event, parameters=(Parameter(name, "x"),))
    record = ledger.record("report/pipeline", other).records[0]
    with pytest.raises(UnknownName, match=name):
        reproduce(ledger, record.id)


# Restatement


@given(logs(INVESTMENT), st.data())
def test_without_late_news_a_report_of_a_day_stays_as_it_is(
    log: Log, data: st.DataObject
) -> None:
    """Where nothing is listed since, the same report of the same day is the same."""
    cut = data.draw(st.integers(0, len(log)), label="published after")
    as_of = data.draw(
        st.sampled_from([date(2024, 12, 25), date(2025, 1, 25)]), label="as of"
    )
    ledger, clock = told(log[:cut])
    done = publish(ledger, "pipeline", cites=BULLETIN, as_of=as_of)
    add(ledger, clock, log[cut:])
    found = restated_since(ledger, done.record)
    assert {r.id for r in found} <= {r.id for r in log[cut:]}
    now = content_of(ledger.view(as_of=as_of).report("pipeline"))
    assert found or now == done.content


def test_late_news_is_listed() -> None:
    """An earlier date, a correction, what something is; no later fact, no report."""
    ledger, clock = fresh()
    cites, day = BULLETIN, When("2024-12-01")
    opened = AgreementIdentified(field="a", when=day, cites=cites)
    ledger.record("agreement/a", opened)
    done = publish(ledger, "pipeline", cites=cites, as_of="2025-01-31")
    clock.pass_days(60)

    def value(when: str, **more: str) -> ValueReported:
        amount = Amount.exact(5, "USD")
        return ValueReported(amount=amount, when=When(when), cites=cites, **more)  # type: ignore[arg-type] # replaces and reason

    late = ledger.record("agreement/a", value("2025-01-15"), ids=["late"]).records
    after = ledger.record("agreement/a", value("2025-02-20")).records
    mended = value("2025-02-21", replaces=after[0].id, reason="a slip")
    mended_records = ledger.record("agreement/a", mended).records
    other = AgreementIdentified(field="b", when=When("2025-02-22"), cites=cites)
    identified = ledger.record("agreement/b", other).records
    publish(ledger, "status", cites=cites)
    assert (*late, *mended_records, *identified) == restated_since(ledger, done.record)
    with pytest.raises(InvalidValue):
        restated_since(ledger, late[0])
