"""Recording: once, whole or not at all, and never against the rules."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import CITES, Clock, Step, every_report, fresh, play, steps, us_of

from azcn_events import (
    Amount,
    Event,
    Ledger,
    Lifecycle,
    Milestone,
    MilestonePromised,
    Missing,
    Recorded,
    Retracted,
    Terminated,
    When,
)
from azcn_events.core.events import Fact, Resumed
from azcn_events.core.history import Admission
from azcn_events.errors import (
    AzcnEventsError,
    IdCollision,
    InvalidValue,
    TransitionRefused,
    UnknownName,
    VersionConflict,
)
from azcn_events.investment import events as ev
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Stamp, Store
from azcn_events.stores.sqlite import SqliteStore

A, P = "agreement/a", "package/p"
WHEN = When("2024-12-01")


def fact(cls: type[Event], when: When = WHEN, **fields: Any) -> Event:
    """Make a fact."""
    return cls(when=when, cites=CITES, **fields)


OPENED = fact(ev.AgreementIdentified, field="cardboard")
LAND = fact(ev.LandAllocated)
COUNTED = fact(ev.DocumentsReported, number=13)


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger."""
    return fresh()[0]


def log_of(ledger: Ledger) -> list[object]:
    """Give everything that is stored."""
    return list(ledger.store.read_all())


# --- Once ---------------------------------------------------------------------


def test_the_same_ids_again_give_the_first_answer(ledger: Ledger) -> None:
    """Also after other facts, and when the fact could not be recorded any more."""
    first = ledger.record(A, OPENED, LAND, ids=["one", "two"])
    ledger.record(A, fact(Terminated), ids=["end"])
    before = log_of(ledger)
    assert first == ledger.record(A, OPENED, LAND, ids=["one", "two"])
    assert before == log_of(ledger)


def test_an_id_stands_for_one_fact(ledger: Ledger) -> None:
    """The same id for another fact, or twice at once, is refused; nothing is stored."""
    ledger.record(A, OPENED, ids=["one"])
    before = log_of(ledger)
    for facts, ids in (
        ([LAND], ["one"]),
        ([OPENED, LAND], ["one", "two"]),
        ([LAND, LAND], ["x", "x"]),
    ):
        with pytest.raises(IdCollision):
            ledger.record(A, *facts, ids=ids)
    assert before == log_of(ledger)


def test_one_id_for_each_event(ledger: Ledger) -> None:
    """Fewer or more are a programmer's mistake."""
    with pytest.raises(ValueError, match="2 events but 1 ids"):
        ledger.record(A, OPENED, LAND, ids=["one"])


# --- Whole or not at all ------------------------------------------------------


def test_facts_about_several_things_are_recorded_together(ledger: Ledger) -> None:
    """In the order given, with one recorded time."""
    receipt = ledger.record_all([Fact(P, COUNTED), Fact(A, OPENED), Fact(P, COUNTED)])
    assert [(P, 1, 1), (A, 1, 2), (P, 2, 3)] == [
        (r.stream, r.version, r.position) for r in receipt.records
    ]
    assert 1 == len({record.recorded_us for record in receipt.records})
    assert list(receipt.records) == list(ledger.records())


@pytest.mark.parametrize(
    "bad",
    [
        Fact(A, LAND),
        Fact(P, LAND),
        Fact("nowhere/x", LAND),
        Fact(A, attrs.evolve(OPENED, replaces="r9", reason="x")),
        Fact(P, fact(ev.ProgressClaimed, claim="a\nb")),
        Fact("", COUNTED),
        Fact(P, COUNTED, recorded_us=us_of(date(2031, 1, 1))),
        Fact(P, COUNTED, id="a\x1b[0m"),
        Fact("agreement/z", OPENED, recorded_us=0),
    ],
)
def test_one_bad_fact_and_nothing_is_stored(ledger: Ledger, bad: Fact) -> None:
    """Whatever is wrong with it, and wherever it stands among the good ones."""
    ledger.record(P, COUNTED)
    before = log_of(ledger)
    for facts in ([bad, Fact(P, COUNTED)], [Fact(P, COUNTED), bad], [bad]):
        with pytest.raises(AzcnEventsError):
            ledger.record_all(facts)
        assert before == log_of(ledger)


def test_a_refusal_says_what_may_follow(ledger: Ledger) -> None:
    """Stream, fact, rule, and the way on."""
    with pytest.raises(TransitionRefused) as caught:
        ledger.record(A, LAND)
    text = str(caught.value)
    assert "agreement/a: 'land-allocated' is refused" in text
    assert "admitted now: agreement-identified" in text


def test_the_receipt_tells_what_is_unexpected(ledger: Ledger) -> None:
    """Only of the facts just recorded."""
    assert ["skipped"] == [d.code for d in ledger.record(A, OPENED, LAND).deviations]
    assert () == ledger.record(A, fact(ev.AgreementSigned)).deviations
    assert ["unexpected"] == [
        d.code for d in ledger.record(A, fact(Resumed)).deviations
    ]
    assert () == ledger.record(P, COUNTED).deviations
    found = [deviation.code for deviation in ledger.view().deviations()]
    assert ["out-of-order", "unexpected"] == found


# --- Several writers ----------------------------------------------------------


@attrs.define
class Interrupted:
    """A store in which somebody else is first, so many times."""

    store: Store
    others: list[Callable[[], object]]

    def append(
        self, drafts: Sequence[Draft], expected: Mapping[str, int]
    ) -> list[Stamp]:
        """Let somebody else act, and then append."""
        if self.others:
            self.others.pop(0)()
        return self.store.append(drafts, expected)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


def _interrupted(*others: Callable[[Ledger], object]) -> tuple[Ledger, Ledger]:
    clock = Clock()
    store = MemoryStore(clock)
    other = Ledger(store, clock=clock)
    calls = [lambda act=act: act(other) for act in others]
    return Ledger(Interrupted(store, calls), clock=clock), other  # type: ignore[arg-type] # a proxy


def test_a_writer_that_comes_second_decides_again() -> None:
    """On top of what the first has written: then it may be refused."""
    harmless, ending = (
        lambda other: other.record(A, fact(ev.ProgressClaimed, claim="x")),
        lambda other: other.record(A, fact(Terminated)),
    )
    ledger, other = _interrupted(lambda _: None, harmless, harmless, harmless)
    other.record(A, OPENED)
    ledger.record(A, LAND)
    assert 6 == ledger.record(A, LAND).records[0].version
    ledger, other = _interrupted(ending)
    other.record(A, OPENED)
    with pytest.raises(TransitionRefused, match="terminated"):
        ledger.record(A, LAND)
    assert 2 == ledger.store.head()


def test_a_twin_that_comes_second_gets_the_first_answer() -> None:
    """Two processes that record the same ids: the later one is not refused."""
    gone = attrs.evolve(fact(Retracted), replaces="land", reason="never said")
    ledger, other = _interrupted(lambda other: other.record(A, gone, ids=["gone"]))
    first = other.record(A, OPENED, LAND, ids=["open", "land"])
    receipt = ledger.record(A, gone, ids=["gone"])
    assert (3, 3) == (receipt.records[0].position, ledger.store.head())
    assert first.records[1].position == 2


def test_a_twin_seen_only_while_deciding_is_not_refused() -> None:
    """Stored after we looked for the id, and before we read the stream."""
    gone = attrs.evolve(fact(Retracted), replaces="land", reason="never said")
    clock = Clock()
    store = MemoryStore(clock)
    other = Ledger(store, clock=clock)
    other.record(A, OPENED, LAND, ids=["open", "land"])

    class Late:
        """A store in which it is stored just after we looked."""

        def find(self, id: str) -> object:  # noqa: A002 - the protocol's word
            found = store.find(id)
            if found is None:
                other.record(A, gone, ids=["gone"])
            return found

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    ledger = Ledger(Late(), clock=clock)  # type: ignore[arg-type] # a proxy
    assert 3 == ledger.record(A, gone, ids=["gone"]).records[0].position


def test_a_writer_that_never_comes_first_gives_up() -> None:
    """With both versions, and nothing of its own stored."""
    claim = fact(ev.ProgressClaimed, claim="x")
    ledger, other = _interrupted(*[lambda other: other.record(A, claim)] * 60)
    other.record(A, OPENED)
    with pytest.raises(VersionConflict, match=r"expected version \d+, found \d+"):
        ledger.record(A, LAND)
    assert not any(
        isinstance(record.event, ev.LandAllocated) for record in other.records()
    )


@attrs.frozen
class Started(Event):
    """It began."""


@attrs.frozen
class Step1(Event):
    """The first step."""


@attrs.frozen
class Step2(Event):
    """The second step, impossible without the first."""


STRICT = Lifecycle(
    name="strict",
    events={"started": Started, "step1": Step1, "step2": Step2},
    milestones=(
        Milestone("one", met_by=Step1),
        Milestone("two", met_by=Step2, requires=["one"]),
    ),
    opened_by=Started,
)


def _admissible(ledger: Ledger) -> None:
    desks: dict[str, Admission] = {}
    for record in ledger.records():
        desk = desks.setdefault(
            record.stream, Admission(ledger.lifecycle, record.stream)
        )
        desk.admit(record)


_TOLD = st.lists(
    st.sampled_from([Started, Step1, Step2, Terminated, Resumed, "take back"]),
    max_size=5,
)


@given(st.lists(_TOLD, min_size=2, max_size=3), st.data())
def test_no_interleaving_of_writers_breaks_a_hard_rule(
    programs: list[list[object]], data: st.DataObject
) -> None:
    """Reads and appends in any order: what is stored is admissible."""
    clock = Clock(us_of(date(2025, 6, 1)))
    store = MemoryStore(clock)
    turns: list[int] = data.draw(
        st.permutations(
            [n for n, program in enumerate(programs) for _ in range(3 * len(program))]
        )
    )
    desks: dict[int, tuple[Draft, int]] = {}
    ledgers = [Ledger(store, STRICT, clock=clock) for _ in programs]
    todo = [list(program) for program in programs]
    for who in turns:
        if who in desks:
            draft, version = desks.pop(who)
            try:
                store.append([draft], {"s": version})
            except VersionConflict:
                continue
        elif todo[who]:
            kind, ledger = todo[who].pop(0), ledgers[who]
            known = list(ledger.codec.records(store.read("s")))
            event = _event(kind, known)
            new = Fact("s", event, id=ledger._new_id())
            refused = ledger._decide([new], [ledger._draft(new)])[1]
            if not refused:
                desks[who] = ledger._draft(new), len(known)
    _admissible(ledgers[0])


def _event(kind: object, known: list[Recorded]) -> Event:
    if not isinstance(kind, str):
        return fact(kind)  # type: ignore[arg-type] # a class of events
    last = known[-1].id if known else "none"
    return attrs.evolve(fact(Retracted), replaces=last, reason="a slip")


@pytest.fixture(params=["memory", "sqlite"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Ledger]]:
    """Give an opener of ledgers on one store, for threads."""
    clock = Clock(us_of(date(2025, 6, 1)))
    shared = MemoryStore(clock)
    made = list[Ledger]()

    def ledger() -> Ledger:
        store: Store = shared
        if request.param == "sqlite":
            store = SqliteStore.open(
                tmp_path / "l.db", durability="normal", clock=clock
            )
        made.append(Ledger(store, STRICT, clock=clock))
        return made[-1]

    yield ledger
    for one in made:
        one.close()


def test_threads_break_no_hard_rule(opened: Callable[[], Ledger]) -> None:
    """Writers that end, resume and take back at once: all is admissible."""
    programs = [
        [Started, Step1, "take back", Step1, Step2] * 3,
        [Step2, Terminated, Resumed, Step2, "take back"] * 3,
        [Step1, "take back", Step2, Terminated, Resumed] * 3,
    ]
    failures = list[BaseException]()
    gate = threading.Barrier(len(programs))

    def write(program: Sequence[object]) -> None:
        ledger = opened()
        gate.wait()
        for kind in program:
            known = list(ledger.codec.records(ledger.store.read("s")))
            try:
                ledger.record("s", _event(kind, known))
            except (TransitionRefused, LookupError):
                continue
            except BaseException as error:  # noqa: BLE001 - told to the main thread
                failures.append(error)

    threads = [threading.Thread(target=write, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures
    last = opened()
    assert last.store.head() > 3
    assert list(range(1, last.store.head() + 1)) == [r.position for r in last.records()]
    _admissible(last)


# --- Two stores ---------------------------------------------------------------


@settings(max_examples=15)
@given(steps(size=15), st.none() | st.sampled_from(["2025-01-05", "2025-02-01"]))
def test_both_stores_give_the_same_reports(told: list[Step], day: str | None) -> None:
    """Byte for byte, whichever the facts are kept in."""
    with tempfile.TemporaryDirectory() as folder:

        def on_disk(clock: Clock) -> Store:
            return SqliteStore.open(
                Path(folder) / "l.db", durability="normal", clock=clock
            )

        found = list[object]()
        for make in (MemoryStore, on_disk):
            ledger, clock = fresh(make)
            play(ledger, clock, told)
            tables = every_report(ledger.view(as_of=day)).values()
            found.append(
                [(t.text(), t.csv(), t.json(), t.html()) for t in tables]
                + [
                    log_of(ledger),
                    [ledger.state(h.stream) for h in ledger.view().histories()],
                ]
            )
            ledger.close()
        assert found[0] == found[1]


# --- Asking -------------------------------------------------------------------


def test_known_by_a_day_means_its_end_in_utc() -> None:
    """The last microsecond counts, the next does not; a zone is heeded."""
    ledger, clock = fresh()
    clock.us = us_of(date(2025, 4, 26), 0) - 1
    ledger.record(P, COUNTED)
    clock.us += 1
    ledger.record(P, COUNTED)
    for known_by, head in (
        ("2025-04-24", 0),
        ("2025-04-25", 1),
        (date(2025, 4, 25), 1),
        ("2025-04-26", 2),
        ("2025-04-25T23:59:59.999999Z", 1),
        ("2025-04-25T23:59:59.999998Z", 0),
        ("2025-04-26T00:00:00+00:00", 2),
        ("2025-04-26T03:59:59.999999+04:00", 1),
        ("2025-04-26T04:00:00+04:00", 2),
        ("2025-04-25T20:00:00-04:00", 2),
    ):
        assert head == ledger.view(known_by=known_by).position


@pytest.mark.parametrize(
    "bad", ["2025-04", "yesterday", "", "2025-04-25T10:00:00", "2025-02-30"]
)
def test_a_moment_that_is_none_is_refused(ledger: Ledger, bad: str) -> None:
    """On either axis; a date-time without a zone is no moment."""
    with pytest.raises(InvalidValue):
        ledger.view(known_by=bad)
    with pytest.raises(InvalidValue):
        ledger.view(as_of=bad)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda x: x.state("agreement/cardbord"), "did you mean 'agreement/cardboard'"),
        (
            lambda x: x.history("agreement/cardbord"),
            "did you mean 'agreement/cardboard'",
        ),
        (lambda x: x.view().state("x"), "known: agreement/cardboard"),
        (lambda x: x.report("pipelin"), "did you mean 'pipeline'"),
        (lambda x: x.report("pipeline", policy="claim"), "did you mean 'claims'"),
        (lambda x: x.report("pipeline", polcy="claims"), "did you mean 'policy'"),
        (lambda x: x.report("status", policy="claims"), "known: agreement"),
        (
            lambda x: x.report("milestones", agreement="agreement/cardbord"),
            "did you mean",
        ),
        (lambda x: x.report("changes"), "earlier view"),
        (lambda x: x.record("agrement/x", OPENED), "did you mean 'agreement'"),
        (
            lambda x: x.record(
                "agreement/cardboard", fact(MilestonePromised, milestone="land")
            ),
            "land-allocated",
        ),
        (lambda _: Ledger.open("postgres://x"), "known: sqlite, memory"),
        (lambda _: Ledger.open("x.db", durability="ful"), "did you mean 'full'"),
    ],
)
def test_an_unknown_name_is_answered(
    ledger: Ledger, ask: Callable[[Ledger], object], words: str
) -> None:
    """With the nearest known one, and all of them."""
    ledger.record("agreement/cardboard", OPENED)
    with pytest.raises(UnknownName, match=re.escape(words)):
        ask(ledger)


def test_an_agreement_that_is_known_but_had_not_begun_has_no_steps() -> None:
    """That is an empty table, not an unknown name."""
    ledger, _ = fresh()
    ledger.record(A, OPENED, fact(ev.LandAllocated))
    table = ledger.view(as_of="2020-01-01").report("milestones", agreement=A)
    assert 0 == len(table)


def test_made_up_ids_rise(tmp_path: Path) -> None:
    """UUIDs of version 7: unique, and in order of time."""
    with Ledger.open(tmp_path / "a.db") as ledger:
        records = [ledger.record(P, COUNTED).records[0] for _ in range(3)]
    ids = [record.id for record in records]
    assert 3 == len(set(ids))
    assert all(
        re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", one) for one in ids
    )


def test_what_is_said_about_a_recording_is_kept(ledger: Ledger) -> None:
    """Who recorded it, as an object beside the fact."""
    receipt = ledger.record(P, COUNTED, metadata={"by": "u17"})
    assert [b'{"by":"u17"}'] * 2 == [
        receipt.records[0].metadata,
        next(ledger.records()).metadata,
    ]


def test_an_amount_of_area_is_more_than_nothing() -> None:
    """A value that cannot be is refused where it is made."""
    with pytest.raises(InvalidValue, match="more than nothing"):
        fact(ev.LandAllocated, area=Amount.exact(0, "ha"))
    assert Missing.UNKNOWN is fact(ev.LandAllocated).area  # type: ignore[attr-defined] # a LandAllocated


SAMPLE_SOURCE = ev.SourceRegistered(
    publisher="a press", title="a page", when=When("2025"), cites=CITES
)


@pytest.mark.parametrize("time", [-(2**62), 2**70, 1.5, "x", True])
def test_what_is_no_recorded_time_is_refused(time: Any) -> None:
    """Before anything is stored: later no report could be made."""
    ledger = Ledger.open("memory:")
    fact = Fact("source/s", SAMPLE_SOURCE, recorded_us=time)
    with pytest.raises(InvalidValue, match="no recorded time"):
        ledger.record_all([fact])
    assert 0 == ledger.store.head()


@pytest.mark.parametrize(
    "metadata", [b"not json", b"", b"[1]", b'{"a":\n1}', b"\xff", b'{"a":1,"a":2}']
)
def test_what_is_no_metadata_is_refused(metadata: bytes) -> None:
    """It would break the lines of an export."""
    ledger = Ledger.open("memory:")
    with pytest.raises(InvalidValue, match="no metadata"):
        ledger.record_all([Fact("source/s", SAMPLE_SOURCE, metadata=metadata)])
    assert 0 == ledger.store.head()
