"""Verification: what was tampered with, and by what comparison it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from tests.audit.honest import BEGAN_S, CODEC, HONEST
from tests.audit.ledgers import EVENTS, STEP_S, told

from azcn_events.audit.verdict import Assurance, Finding, Severity
from azcn_events.audit.verify import (
    ABSENT,
    Claim,
    RawRow,
    _Check,
    verify_log,
    verify_rows,
)
from azcn_events.core.leaf import leaf_of
from azcn_events.core.merkle import EMPTY_ROOT, Frontier
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Row
from azcn_events.testing import Clock

SIZES = (50, 100, 150, 200)
KEPT = 100


def plain(row: RawRow) -> Row:
    """Give a row whose columns have their types."""
    return Row._make(cast("Any", row[:9]))


def root_of(rows: Sequence[RawRow]) -> bytes:
    """Give the root over rows as they are."""
    frontier = Frontier()
    frontier.extend(leaf_of(plain(row)) for row in rows)
    return frontier.root()


def signed(rows: Sequence[RawRow], sizes: Sequence[int] = SIZES) -> list[Claim]:
    """Sign checkpoints over rows, as who has the key can do at any time."""
    return [Claim(f"own {n}", n, root_of(rows[:n])) for n in sizes]


def witnessed(sizes: Sequence[int] = SIZES) -> list[Claim]:
    """Give what a witness signed in the honest days, and when."""
    return [
        Claim(
            f"witnessed {n}",
            n,
            root_of(HONEST[:n]),
            Assurance.WITNESSED,
            (BEGAN_S + STEP_S * n,),
        )
        for n in sizes
    ]


KEPT_CLAIM = Claim("kept 100", KEPT, root_of(HONEST[:KEPT]), Assurance.KEPT)


def resealed(rows: Sequence[RawRow]) -> list[RawRow]:
    """Number the rows anew, and hash them anew, as a careful forger does."""
    versions: dict[object, int] = {}
    made = []
    for position, row in enumerate(rows, 1):
        versions[row.stream] = versions.get(row.stream, 0) + 1
        new = row._replace(
            position=position,
            version=versions[row.stream],
            checksum=CODEC.checksum(*cast("Any", (row.kind, row.payload))),
        )
        made.append(new._replace(leaf=leaf_of(plain(new))))
    return made


def changed(rows: list[RawRow], place: int, **values: object) -> list[RawRow]:
    """Change columns of one row, counted from 1."""
    rows = list(rows)
    rows[place - 1] = rows[place - 1]._replace(**cast("Any", values))
    return rows


def forged(row: RawRow) -> bytes:
    """Give a payload that says something else."""
    return cast("bytes", row.payload).replace(b"2025-04", b"2024-04")


def untouched(rows: list[RawRow]) -> list[RawRow]:
    """Change nothing."""
    return rows


def update_payload(rows: list[RawRow]) -> list[RawRow]:
    """Another date in one payload."""
    return changed(rows, 41, payload=forged(rows[40]))


def update_payload_and_leaf(rows: list[RawRow]) -> list[RawRow]:
    """With all hashes and checksums made anew."""
    return resealed(update_payload(rows))


def update_time(rows: list[RawRow]) -> list[RawRow]:
    """One microsecond."""
    return changed(rows, 41, recorded_us=cast("int", rows[40].recorded_us) + 1)


def update_position(rows: list[RawRow]) -> list[RawRow]:
    """An event goes to the end."""
    return sorted(
        changed(rows, 41, position=9_041), key=lambda r: cast("int", r.position)
    )


def swap(rows: list[RawRow]) -> list[RawRow]:
    """Two events trade places, and keep the places' numbers and times."""
    one, other = rows[40], rows[41]
    first = other._replace(position=41, recorded_us=one.recorded_us)
    second = one._replace(position=42, recorded_us=other.recorded_us)
    return [*rows[:40], first, second, *rows[42:]]


def delete(rows: list[RawRow]) -> list[RawRow]:
    """An event is gone, and the numbers of the others stay."""
    return [*rows[:40], *rows[41:]]


def delete_carefully(rows: list[RawRow]) -> list[RawRow]:
    """Move numbers and times up as well, hash and sign anew."""
    times = [row.recorded_us for row in rows]
    moved = [
        row._replace(recorded_us=time)
        for row, time in zip(delete(rows), times, strict=False)
    ]
    return resealed(moved)


def rewrite_early(rows: list[RawRow]) -> list[RawRow]:
    """Before the checkpoint that somebody kept."""
    return update_payload_and_leaf(rows)


def rewrite_late(rows: list[RawRow]) -> list[RawRow]:
    """After it."""
    return resealed(changed(rows, 171, payload=forged(rows[170])))


def truncate(rows: list[RawRow]) -> list[RawRow]:
    """The last events are gone, as after restoring a backup."""
    return rows[:150]


def back_date(rows: list[RawRow]) -> list[RawRow]:
    """An event is put in with a time before its neighbours', and all sealed anew."""
    late = rows[199]._replace(recorded_us=(BEGAN_S + 15) * 1_000_000)
    return resealed([*rows[:199], late])


def alter_the_tail(rows: list[RawRow]) -> list[RawRow]:
    """After the last checkpoint nothing holds."""
    extra = rows[199]._replace(id="e-late", recorded_us=rows[199].recorded_us)
    return resealed([*rows, extra])


Tamper = Callable[[list[RawRow]], list[RawRow]]
"""Changes the log, as somebody would who can write the file."""

MATRIX: dict[Tamper, tuple[bool, str]] = {
    # Whether who tampers signs anew with the log's key; and what is seen by whom:
    # the hash beside each event, order and times, the log's own checkpoints, the one
    # that was kept, the witness's, the witness's clock.
    untouched: (False, "------"),
    update_payload: (False, "L-OKW-"),
    update_payload_and_leaf: (False, "--OKW-"),
    update_time: (False, "L-OKW-"),
    update_position: (False, "LPOKWB"),
    swap: (False, "L-OKW-"),
    delete: (False, "-POKW-"),
    delete_carefully: (True, "---KW-"),
    rewrite_early: (True, "---KW-"),
    rewrite_late: (True, "----W-"),
    truncate: (True, "----W-"),
    back_date: (True, "-P--WB"),
    alter_the_tail: (True, "------"),
}
"""What is seen by nobody but a witness is seen by nobody else, and says so."""

STORED = {"L": {"leaf"}, "P": {"gap", "version", "time"}}


def seen(rows: list[RawRow], claims: list[Claim]) -> set[str]:
    """Give the codes of what is found by these comparisons."""
    verdict = verify_rows(rows, claims=claims, codec=CODEC, tolerance_s=60)
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize("tamper", MATRIX)
def test_the_tamper_matrix(tamper: Tamper) -> None:
    """Each tampering is seen by exactly those who can see it."""
    signs, expected = MATRIX[tamper]
    rows = tamper(list(HONEST))
    sizes = [size for size in SIZES if size <= len(rows)]
    own = signed(rows if signs else HONEST, sizes if signs else SIZES)
    by_itself = seen(rows, [])
    found = "".join(
        letter if is_seen else "-"
        for letter, is_seen in {
            "L": bool(by_itself & STORED["L"]),
            "P": bool(by_itself & STORED["P"]),
            "O": bool(seen(rows, own) - by_itself),
            "K": bool(seen(rows, [KEPT_CLAIM]) - by_itself),
            "W": bool({"root", "truncated"} & (seen(rows, witnessed()) - by_itself)),
            "B": "bracket" in seen(rows, witnessed()),
        }.items()
    )
    assert expected == found


def test_a_slow_witness_accuses_nobody() -> None:
    """An event recorded before it cosigned, and after another did, is in order.

    If all of them were slow, it may be back-dated, or may not.
    """
    root, at_s = root_of(HONEST[:100]), BEGAN_S + 100 * STEP_S
    for times, severities in [
        ((at_s, at_s + 10_000), set()),
        ((at_s + 10_000, at_s + 20_000), {Severity.DOUBTFUL}),
    ]:
        claim = Claim("w", 100, root, Assurance.WITNESSED, times)
        verdict = verify_rows(HONEST, claims=[claim], codec=CODEC)
        assert severities == {one.severity for one in verdict.findings}
        assert verdict.is_whole


FORGED = [
    ("2025-04~", "2025-99-99", False),  # a date is only read when it is asked for
    ('"source/gazette"', '""', True),
    ('"step 2"', '"step\\u0007 2"', True),
]


@pytest.mark.parametrize(("old", "new", "only_strictly"), FORGED)
def test_what_could_not_have_been_recorded_is_told(
    old: str,
    new: str,
    only_strictly: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """Its hash and checksum are right, as of whoever writes them with our own code.

    What stands elsewhere is found all the same.
    """
    rows = list(HONEST)
    place = next(n for n, row in enumerate(rows) if old in str(row.payload))
    payload = cast("bytes", rows[place].payload).replace(old.encode(), new.encode())
    rows[place] = rows[place]._replace(payload=payload)
    forged = resealed(rows)
    forged[150] = forged[150]._replace(leaf=bytes(32))
    for strict in (False, True):
        verdict = verify_rows(forged, codec=CODEC, strict=strict)
        found = {one.code: one.position for one in verdict.findings}
        told = {"leaf": 151}
        if strict or not only_strictly:
            told["unreadable"] = place + 1
        assert told == found
        assert strict != any("--strict" in said for said in verdict.cannot)


def test_metadata_that_could_not_have_been_recorded_is_told() -> None:
    """A line feed in it would make one line of an export into two."""
    rows = list(HONEST)
    rows[9] = rows[9]._replace(metadata=b'{}\n{"stream":"agreement/forged"}')
    forged = resealed(rows)
    assert () == verify_rows(forged, codec=CODEC).findings
    (found,) = verify_rows(forged, codec=CODEC, strict=True).findings
    assert ("unreadable", 10) == (found.code, found.position)


def test_strictly_nothing_is_found_in_what_was_recorded() -> None:
    """And the verdict leaves less open."""
    assert () == verify_rows(HONEST, codec=CODEC, strict=True).findings


def test_what_was_not_altered_is_whole() -> None:
    """And the word for it is that of the strongest comparison."""
    for claims, word, covered in [
        ([], Assurance.STORED, 200),
        (signed(HONEST), Assurance.SIGNED, 200),
        ([*signed(HONEST), KEPT_CLAIM], Assurance.KEPT, 100),
        ([*signed(HONEST), KEPT_CLAIM, *witnessed()], Assurance.WITNESSED, 200),
    ]:
        verdict = verify_rows(HONEST, claims=claims, codec=CODEC)
        assert ((), word, covered, EVENTS) == (
            verdict.findings,
            verdict.assurance,
            verdict.covered,
            verdict.size,
        )
        assert root_of(HONEST) == verdict.root
        assert verdict.is_whole


def test_without_any_hash_there_is_no_assurance() -> None:
    """What compared nothing says none, never that all is well."""
    bare = [row._replace(leaf=ABSENT) for row in HONEST]
    assert Assurance.NONE is verify_rows(bare).assurance
    assert Assurance.NONE is verify_rows([]).assurance
    assert EMPTY_ROOT == verify_rows([]).root


def test_a_store_is_verified_as_it_was_at_first() -> None:
    """Whatever kind of store."""
    clock = Clock()
    store = MemoryStore(clock)
    told(store, clock)
    verdict = verify_log(store, claims=signed(HONEST), codec=CODEC)
    assert ((), Assurance.SIGNED) == (verdict.findings, verdict.assurance)


def test_it_says_what_it_cannot_show() -> None:
    """What no comparison covers is named, by event."""
    said = verify_rows(HONEST, claims=[*signed(HONEST[:150], [150]), KEPT_CLAIM]).text()
    for words in (
        "events 151 to 200: covered by no checkpoint, so",
        "events 101 to 200: covered by no checkpoint that you had kept",
        "events 1 to 200: covered by no checkpoint that witnesses signed",
        "that what was recorded is true",
        "assurance: kept, up to event 100, by kept 100",
    ):
        assert words in said


def test_a_backup_is_a_fork_until_shown_otherwise() -> None:
    """A checkpoint of more events than there are says so."""
    verdict = verify_rows(HONEST[:150], claims=witnessed())
    assert ["truncated"] == [finding.code for finding in verdict.findings]
    assert "this is a backup from before" in verdict.findings[0].problem
    assert (Assurance.WITNESSED, 150) == (verdict.assurance, verdict.covered)


def test_two_histories_that_were_signed_are_a_fork() -> None:
    """Both are kept, as the proof."""
    other = signed(rewrite_early(HONEST))
    codes = {
        f.code for f in verify_rows(HONEST, claims=[*signed(HONEST), *other]).findings
    }
    assert {"fork", "root"} == codes


def test_all_is_found_at_once_and_where() -> None:
    """Each with its position and stream."""
    rows = changed(update_payload(list(HONEST)), 7, id="another")
    found = verify_rows(rows, codec=CODEC).findings
    assert [("leaf", 7, "agreement/6"), ("leaf", 41, "agreement/5")] == [
        (one.code, one.position, one.stream) for one in found
    ]


def test_findings_have_an_end() -> None:
    """A log that is all damage fills no memory; what is not listed is counted."""
    rows = [row._replace(stream=None) for row in HONEST] * 6
    verdict = verify_rows(rows)
    assert (1000, 200) == (len(verdict.findings), verdict.more)
    assert "and 200 more" in verdict.text()


def test_what_a_reader_found_is_passed_on() -> None:
    """It may have met pages that cannot be read."""
    lost = Finding("unreadable", "page 7 cannot be read")
    assert lost in verify_rows([*HONEST[:3], lost, *HONEST[3:]]).findings


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": None},
        {"stream": b"agreement/5"},
        {"version": 5.0},
        {"kind": None},
        {"payload": "text"},
        {"metadata": None},
        {"recorded_us": 2**62},
        {"recorded_us": True},
        {"stream": "\ud800"},
        {"leaf": None},
        {"leaf": "0" * 32},
        {"checksum": None},
        {"earliest": "2025"},
    ],
)
def test_any_type_in_any_column_is_a_finding(wrong: dict[str, object]) -> None:
    """Damage makes anything of anything; the rest is still looked at."""
    rows = update_payload(changed(list(HONEST), 20, **wrong))
    found = verify_rows(rows, codec=CODEC, claims=witnessed()).findings
    assert {20, 41} <= {one.position for one in found}


def test_the_checksum_of_another_class_is_doubtful() -> None:
    """Another release may have written it; so it is told apart from damage."""
    checksum = cast("int", HONEST[8].checksum) ^ 1 << 40
    verdict = verify_rows(changed(list(HONEST), 9, checksum=checksum), codec=CODEC)
    assert [("checksum", Severity.DOUBTFUL)] == [
        (one.code, one.severity) for one in verdict.findings
    ]
    assert verdict.is_whole


def test_a_text_that_is_found_cannot_act() -> None:
    """Neither on the terminal nor as another line of the verdict."""
    rows = changed(list(HONEST), 3, stream="\x1b[31m\nassurance: witnessed")
    said = verify_rows(rows).text()
    assert "\x1b" not in said
    assert ["assurance: none"] == [
        line for line in said.splitlines() if line.startswith("assurance")
    ]


@pytest.mark.parametrize("tamper", MATRIX)
def test_together_and_one_by_one_is_the_same(
    tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in order are checked in runs; what is said hangs on that in nothing."""
    rows = tamper(list(HONEST))
    claims = [*signed(HONEST, (37, 150)), KEPT_CLAIM]
    together = verify_rows(rows, claims=claims, codec=CODEC)
    monkeypatch.setattr(_Check, "_is_in_order", lambda *_: False)
    assert verify_rows(rows, claims=claims, codec=CODEC) == together


def test_rows_in_order_are_checked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also up to a checkpoint in the middle; none is looked at one by one."""

    def row(_: _Check, raw: RawRow) -> None:
        raise AssertionError(raw)

    monkeypatch.setattr(_Check, "row", row)
    verdict = verify_rows(HONEST, claims=signed(HONEST, (37, 150)), codec=CODEC)
    assert ((), 150) == (verdict.findings, verdict.covered)
