"""Loading files of facts: all or nothing, every problem at once, and back again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.logs import every_report

from azcn_events import Ledger, LoadRefused
from azcn_events.core.codec import Codec
from azcn_events.demo import seed_files
from azcn_events.interop import jsonlines
from azcn_events.investment.events import LandAllocated
from azcn_events.investment.lifecycle import INVESTMENT

CITED = {"cites": {"source": "source/s"}, "when": "2025-04-25"}


def line(stream: str, kind: str, /, **more: object) -> str:
    """Write a line; what is not the line's own goes into the fact."""
    own = {k: more.pop(k) for k in ("id", "recorded_at", "metadata") if k in more}
    return json.dumps(
        {"stream": stream, "kind": kind, "fact": {**CITED, **more}, **own}
    )


GOOD = line("agreement/a", "agreement-identified", field="x")
COUNT = line("package/p", "documents-reported", number=3)


def refused(ledger: Ledger, data: str | bytes | Path) -> list[tuple[int, str, str]]:
    """Load what has problems; give them. Nothing was stored."""
    before = list(ledger.store.read_all())
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(LoadRefused) as caught:
        ledger.load(raw if isinstance(raw, Path) else io.BytesIO(raw))
    assert before == list(ledger.store.read_all())
    problems = caught.value.problems
    assert sorted(problem.line for problem in problems) == [p.line for p in problems]
    assert all(str(problem) in str(caught.value) for problem in problems)
    return [(problem.line, problem.path, problem.message) for problem in problems]


@pytest.fixture
def ledger() -> Ledger:
    """Give an empty ledger."""
    return Ledger.open("memory:")


def value(amount: object) -> str:
    """Write a line that reports a value."""
    return line("package/p", "value-reported", amount=amount)


@pytest.mark.parametrize(
    ("bad", "path", "words"),
    [
        (
            line("package/p", "documents-reported", number=1, when="25.04.2025"),
            "$.fact.when",
            "EDTF",
        ),
        (
            line("package/p", "documents-reported", number=1, when="2025-02-30"),
            "$.fact.when",
            "days 01 to 28",
        ),
        (
            line("package/p", "documents-reported", number="13"),
            "$.fact.number",
            "whole number",
        ),
        (
            value({"unit": "USD", "low": 335.5, "high": 335.5}),
            "$.fact.amount.low",
            "float",
        ),
        (
            value({"unit": "USD", "low": "a lot", "high": None}),
            "$.fact.amount.low",
            "not a number",
        ),
        (
            value({"unit": "USDD", "low": "1", "high": "1"}),
            "$.fact.amount",
            "no unit or currency",
        ),
        (
            value({"unit": "USD", "low": "3", "high": "2"}),
            "$.fact.amount",
            "bounds cross",
        ),
        (value({"unit": "USD", "low": "NaN", "high": "NaN"}), "$.fact.amount", ""),
        (
            line("package/p", "document-reported", number=1),
            "$.kind",
            "did you mean 'documents-reported'",
        ),
        (line("package/p", "documents-reported/7", number=1), "$.kind", "version"),
        (line("package/p", "documents-reported", numbr=1, number=1), "$.fact", "numbr"),
        (line("package/p", "documents-reported"), "$.fact", "'number' is missing"),
        (
            line(
                "package/p",
                "documents-reported",
                number=1,
                recorded_at="2025-04-25T10:00:00",
            ),
            "$.recorded_at",
            "no time zone",
        ),
        (
            line(
                "package/p",
                "documents-reported",
                number=1,
                recorded_at="2999-01-01T00:00:00Z",
            ),
            "$.recorded_at",
            "future",
        ),
        (
            line("package/p", "documents-reported", number=1, metadata=[1]),
            "$.metadata",
            "object",
        ),
        (line("package/p", "documents-reported", number=1, id=""), "$.id", "1 to 200"),
        (
            line("package/\x1b[31m", "documents-reported", number=1),
            "$.stream",
            "U+001B",
        ),
        (line("package/p", "progress-claimed", claim="a\u2028b"), "$.fact", "U+2028"),
        (line("nowhere/p", "documents-reported", number=1), "", "category of streams"),
        (line("package/p", "land-allocated"), "", "do not take it"),
        (line("agreement/z", "land-allocated"), "", "must come first"),
        (
            line("package/p", "retracted", replaces="none", reason="x"),
            "",
            "no record has the id",
        ),
        (
            '{"stream": "package/p", "kind": "k", "kind": "k", "fact": {}}',
            "",
            "'kind' occurs twice",
        ),
        ('{"stream": "package/p", "kind": "k", "fact": NaN}', "", "NaN is no JSON"),
        ('{"stream": "package/p", "kind"', "", "may be cut off here"),
        ('["a", "list"]', "$", "not list"),
        ("[" * 100_000, "", "too deeply"),
    ],
)
def test_what_a_line_gets_wrong(
    ledger: Ledger, bad: str, path: str, words: str
) -> None:
    """It is told with its number and its field; the good lines wait for it."""
    found = refused(ledger, f"{COUNT}\n\n{bad}")
    assert {3} == {number for number, _, _ in found}
    assert found[0][1].startswith(path)
    assert words in found[0][2]


def test_every_problem_is_told_at_once(ledger: Ledger) -> None:
    """Of every kind, refusals among them, in the order of the lines."""
    data = b"\n".join(
        [
            GOOD.encode(),
            line("agreement/a", "terminated").encode(),
            line("agreement/a", "land-allocated", when="2025-05-01").encode(),
            b"\xff\xfe not UTF-8",
            value({"unit": "USD", "low": 1.5, "high": 1.5}).encode(),
            line("agreement/a", "retracted", replaces="nobody", reason="x").encode(),
            b'{"pad": "' + b"x" * 10_000_000 + b'"}',
            COUNT.encode(),
            line("package/p", "documents-reported", numbr=1, when="soon").encode(),
            COUNT.encode()[:40],
        ]
    )
    found = refused(ledger, data)
    assert {3, 4, 5, 6, 7, 9, 10} == {number for number, _, _ in found}
    text = " ".join(message for _, _, message in found)
    for words in (
        "terminated",
        "not UTF-8",
        "float",
        "'nobody'",
        "10,000,0",
        "cut off",
    ):
        assert words in text


def test_a_file_that_was_loaded_and_then_spoiled_is_refused(ledger: Ledger) -> None:
    """Its first facts are known already; that does not excuse the rest."""
    with_id = line("package/p", "documents-reported", number=3, id="one")
    ledger.load(io.BytesIO(with_id.encode()))
    found = refused(ledger, f"{with_id}\nnonsense")
    assert [2] == [number for number, _, _ in found]


def test_ids_that_clash_are_told_by_line(ledger: Ledger) -> None:
    """Twice in one file, or once in the log and now for something else."""
    one = line("package/p", "documents-reported", number=3, id="one")
    other = line("package/p", "documents-reported", number=4, id="one")
    (found,) = refused(ledger, f"{COUNT}\n{one}\n{other}")
    assert (3, "$.id", "the id 'one' is that of line 2 already") == found
    ledger.load(io.BytesIO(one.encode()))
    (found,) = refused(ledger, f"{COUNT}\n{other}")
    assert (2, "$.id") == found[:2]
    assert "already used" in found[2]


def test_recorded_times_that_fall_are_told_by_line(ledger: Ledger) -> None:
    """Inside the file, or before what the log has: in words that a person reads."""
    late, early = (
        line(
            "package/p",
            "documents-reported",
            number=3,
            recorded_at=f"2025-0{n}-01T00:00:00Z",
        )
        for n in (5, 4)
    )
    (found,) = refused(ledger, f"{late}\n{early}")
    assert (2, "$.recorded_at") == found[:2]
    assert "2025-04-01T00:00:00+00:00 lies before 2025-05-01" in found[2]
    ledger.load(io.BytesIO(late.encode()))
    (found,) = refused(ledger, early)
    assert (1, "$.recorded_at") == found[:2]
    assert "which the log has" in found[2]


def test_currencies_stay_apart_in_a_load(ledger: Ledger) -> None:
    """Two currencies in one package are two amounts, never a sum."""
    data = "\n".join(
        value({"unit": unit, "low": "5", "high": "5"}) for unit in ("USD", "AZN")
    )
    added = data.replace(
        '"amount": {"unit": "AZN"', '"adds": true, "amount": {"unit": "AZN"'
    )
    ledger.load(io.BytesIO(added.encode()))
    totals = [row.cells[1].value for row in ledger.report("pipeline").rows if row.total]
    assert ["AZN", "USD"] == totals


def test_a_file_with_nothing_in_it(ledger: Ledger) -> None:
    """No facts, no problem."""
    for data in (b"", b"\n \n", b"\xef\xbb\xbf"):
        assert () == ledger.load(io.BytesIO(data)).records


def test_byte_order_mark_and_line_ends_of_elsewhere(ledger: Ledger) -> None:
    """A file from another system is the same file."""
    data = "\ufeff" + f"{GOOD}\r\n{COUNT}\r\n"
    assert 2 == len(ledger.load(io.BytesIO(data.encode())).records)


def test_loading_again_adds_nothing(ledger: Ledger) -> None:
    """Where the facts have ids; the answer is the first one."""
    for path in seed_files():
        first = ledger.load(path)
        head = ledger.store.head()
        assert first.records == ledger.load(path).records
        assert head == ledger.store.head()


def test_a_log_restores_itself(ledger: Ledger) -> None:
    """Positions, ids, recorded times and bytes, corrections included."""
    for path in seed_files():
        ledger.load(path)
    correction = line(
        "agreement/cardboard",
        "land-allocated",
        replaces="cardboard-land",
        reason="misread",
        area={"unit": "ha", "low": "2.7", "high": "2.70"},
        metadata={"by": "u17"},
    )
    ledger.load(io.BytesIO(correction.encode()))
    written = b"".join(
        jsonlines.write(record, Codec(INVESTMENT)) + b"\n"
        for record in ledger.records()
    )
    copy = Ledger.open("memory:")
    copy.load(io.BytesIO(written))
    assert list(ledger.store.read_all()) == list(copy.store.read_all())
    assert written == b"".join(
        jsonlines.write(record, Codec(INVESTMENT)) + b"\n" for record in copy.records()
    )
    for known_by in ("2025-04-25", "2025-05-02", "2026-01-30"):
        one, other = (
            every_report(one.view(known_by=known_by)) for one in (ledger, copy)
        )
        assert {n: t.json() for n, t in one.items()} == {
            n: t.json() for n, t in other.items()
        }
    assert isinstance(
        next(iter(copy.history("agreement/cardboard").facts[2:3])).event, LandAllocated
    )


def test_an_old_version_of_a_fact_is_read_and_brought_up_to_date(
    ledger: Ledger,
) -> None:
    """Its kind names the version; what it did not say stays unknown."""
    old = line("agreement/a", "agreement-signed/1", memorandum=False)
    records = ledger.load(io.BytesIO(f"{GOOD}\n{old}".encode())).records
    assert "agreement-signed/2" == records[1].kind
    assert "unknown" == records[1].event.kind.value  # type: ignore[attr-defined] # an AgreementSigned


def test_progress_is_told_now_and_then(ledger: Ledger) -> None:
    """By the number of lines read."""
    told = list[int]()
    ledger.load(io.BytesIO(f"{COUNT}\n".encode() * 2_500), progress=told.append)
    assert [1000, 2000] == told
