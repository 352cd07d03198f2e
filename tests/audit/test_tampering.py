"""The tamper matrix on real files: a SQLite ledger, signed notes, a policy.

Each file is changed as somebody would who can write it, and then read as it lies there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import apsw
import pytest
from attrs import frozen
from tests.audit.ledgers import STEP_S, told

from azcn_events import INVESTMENT
from azcn_events.audit.claims import claims_of
from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.ledger_files import verify_file
from azcn_events.audit.log import Log
from azcn_events.audit.notes import Scheme
from azcn_events.audit.policy import parse_policy
from azcn_events.audit.signer import LogSigner
from azcn_events.audit.verdict import Assurance, Finding, Verdict
from azcn_events.audit.verify import Claim
from azcn_events.core.codec import Codec
from azcn_events.core.leaf import leaf_of
from azcn_events.errors import ForkRefused
from azcn_events.stores.protocol import Row
from azcn_events.stores.sqlite import SqliteStore
from azcn_events.testing import Clock

ORIGIN: Final = "log.example/azcn"
SIZES: Final = (50, 100, 150, 200)
KEPT: Final = "kept-100.note"
CODEC: Final = Codec(INVESTMENT)


@frozen
class Honest:
    """What was there before anybody tampered.

    Attributes:
        ledger: The file, closed.
        key: The log's key, which the operator has.
        witness: The key of a witness.
        notes: Checkpoints as they were published, each cosigned, by size.
        backup: The file as it was at 150 events.
        began_s: When it began, POSIX seconds.
    """

    ledger: Path
    key: SigningKey
    witness: SigningKey
    notes: dict[int, bytes]
    backup: Path
    began_s: int

    @property
    def policy(self) -> bytes:
        """The log's key, and the witness, who must have signed."""
        lines = [
            f"log {self.key.verifier}",
            f"witness sai {self.witness.verifier}",
            "quorum sai\n",
        ]
        return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Honest:
    """Record two hundred events, and sign four times meanwhile."""
    folder = tmp_path_factory.mktemp("honest")
    clock = Clock()
    began_s = clock.us // 1_000_000
    key = SigningKey.make(ORIGIN)
    witness = SigningKey.make("sai.example/witness", Scheme.COSIGNATURE)
    path, notes = folder / "azcn.db", dict[int, bytes]()
    signer = LogSigner(folder / "last.note", [key])
    with closing(SqliteStore.open(path, clock=clock)) as store:
        for at, size in enumerate(SIZES):
            told(store, clock, size, after=SIZES[at - 1] if at else 0)
            note = signer.sign(Log(store), begin=not at)
            notes[size] = bytes(witness.cosign(note, clock.us // 1_000_000))
            if size == 150:
                shutil.copy(path, folder / "backup.db")
                shutil.copy(f"{path}-wal", folder / "backup.db-wal")
    return Honest(path, key, witness, notes, folder / "backup.db", began_s)


@frozen
class Tampered:
    """A copy of the file, and the checkpoints that the operator shows with it."""

    path: Path
    shown: dict[int, bytes]


def seen(honest: Honest, tampered: Tampered, who: str) -> Verdict:
    """Let somebody look: nobody else, the log's own notes, the keeper, the witness."""
    notes = {
        "file": {},
        "own": {f"own-{size}": note for size, note in tampered.shown.items()},
        "keeper": {KEPT: honest.notes[100]},
        "witness": {f"seen-{size}": note for size, note in honest.notes.items()},
    }[who]
    keys = [honest.key.verifier]
    policy = parse_policy(honest.policy)
    if who == "witness":
        keys += policy.keys[1:]
    found = list(
        claims_of(
            notes,
            keys,
            ORIGIN,
            kept={KEPT},
            policy=policy if who == "witness" else None,
        )
    )
    return verify_file(
        tampered.path,
        claims=[one for one in found if isinstance(one, Claim)],
        refused=[one for one in found if isinstance(one, Finding)],
        codec=CODEC,
        tolerance_s=60,
    )


Change = Callable[[apsw.Connection], None]


def sql(*statements: str) -> Change:
    """Change the file by statements."""

    def change(connection: apsw.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return change


def rewritten(at: int) -> Change:
    """Let one event say something else, with its checksum and hash made anew."""

    def change(connection: apsw.Connection) -> None:
        connection.execute(
            "UPDATE event SET payload = CAST(replace(CAST(payload AS TEXT),"
            " '2025-04', '2024-04') AS BLOB) WHERE position = ?",
            (at,),
        )
        hash_anew(connection)

    return change


def delete_carefully(connection: apsw.Connection) -> None:
    """Remove an event; move positions, versions and times up; hash anew."""
    connection.execute("DELETE FROM event WHERE position = 41")
    times = "SELECT position, recorded_us FROM event WHERE position > 41 ORDER BY 1"
    rows = list(connection.execute(times))
    for (position, _), (_, before) in zip(rows, [(41, None), *rows], strict=False):
        values = (position - 1, before, position)
        connection.execute(
            "UPDATE event SET position = ?, recorded_us = coalesce(?, recorded_us)"
            " WHERE position = ?",
            values,
        )
    connection.execute(
        "UPDATE event SET version = version - 1 WHERE position >= 41 AND stream ="
        " (SELECT id FROM stream WHERE name = 'agreement/5')"
    )
    hash_anew(connection)


def back_date(connection: apsw.Connection) -> None:
    """Give the last event a time in the past, and hash it anew."""
    connection.execute(
        "UPDATE event SET recorded_us = recorded_us - 1000000000 WHERE position = 200"
    )
    hash_anew(connection)


def hash_anew(connection: apsw.Connection) -> None:
    """Make every checksum and every hash again, and the days beside them."""
    names = "SELECT position, stream.name, version, event.id, kind.name, recorded_us"
    rows = connection.execute(
        f"{names}, payload, metadata, checksum FROM event"
        " JOIN stream ON stream.id = stream JOIN kind ON kind.id = kind"
    ).fetchall()
    for columns in rows:
        row = Row._make(cast("Any", columns))
        checksum = CODEC.checksum(row.kind, row.payload)
        when = CODEC.decode(row.kind, row.payload, checksum or 0).when
        days = [day and day.toordinal() for day in (when.earliest, when.latest)]
        connection.execute(
            "UPDATE event SET checksum = ?, leaf = ?, earliest = ?, latest = ?"
            " WHERE position = ?",
            (checksum, leaf_of(row), *days, row.position),
        )


SWAP = sql(
    "UPDATE event SET position = -41 WHERE position = 41",
    "UPDATE event SET position = 41 WHERE position = 42",
    "UPDATE event SET position = 42 WHERE position = -41",
)

MATRIX: dict[str, tuple[Change, bool, str]] = {
    # What is done; whether the operator signs anew; who sees it: anybody with the file
    # alone, by the log's own notes, by a note that was kept, by the witness's.
    "nothing": (sql(), False, "----"),
    "a payload byte": (
        sql("UPDATE event SET payload = x'7B7D' WHERE position = 41"),
        False,
        "FOKW",
    ),
    "a payload, hashed anew": (rewritten(41), False, "-OKW"),
    "a time": (
        sql("UPDATE event SET recorded_us = recorded_us + 1 WHERE position = 41"),
        False,
        "FOKW",
    ),
    "a position": (
        sql("UPDATE event SET position = 999 WHERE position = 41"),
        False,
        "FOKW",
    ),
    "two events swapped": (SWAP, False, "FOKW"),
    "one deleted": (sql("DELETE FROM event WHERE position = 41"), False, "FOKW"),
    "one deleted with care": (delete_carefully, True, "--KW"),
    "the end cut off": (sql("DELETE FROM event WHERE position > 150"), True, "---W"),
    "an early event rewritten": (rewritten(41), True, "--KW"),
    "a late event rewritten": (rewritten(171), True, "---W"),
    "back-dated": (back_date, True, "F--W"),
}


@contextmanager
def laid_open(path: Path) -> Iterator[apsw.Connection]:
    """Open a ledger's file as somebody who wants no trigger and no check."""
    with closing(apsw.Connection(str(path))) as connection:
        triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        for (trigger,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.pragma("ignore_check_constraints", True)
        yield connection


def tampered(honest: Honest, folder: Path, change: Change, *, signs: bool) -> Tampered:
    """Change a copy of the file; sign it anew, if the operator does."""
    path = folder / "azcn.db"
    shutil.copy(honest.ledger, path)
    with laid_open(path) as connection:
        change(connection)
        [(count,)] = connection.execute("SELECT count(*) FROM event").fetchall()
    shown = dict(honest.notes)
    if signs:
        shown = dict(signed_anew(honest, path, cast("int", count)))
    return Tampered(path, shown)


def signed_anew(honest: Honest, path: Path, count: int) -> Iterator[tuple[int, bytes]]:
    """Sign what is there now, as who has the key can: each note by a new signer."""
    with closing(SqliteStore.open(path)) as store:
        log = Log(store)
        for size in (*SIZES, count):
            if size <= count:
                text = log.checkpoint(ORIGIN, size)
                yield size, bytes(signed(text, [honest.key]))


@pytest.mark.parametrize("name", MATRIX)
def test_the_matrix(honest: Honest, tmp_path: Path, name: str) -> None:
    """Each tampering is seen by exactly those who can see it."""
    change, signs, expected = MATRIX[name]
    made = tampered(honest, tmp_path, change, signs=signs)
    alone = {one.code for one in seen(honest, made, "file").findings}
    found = "F" if alone else "-"
    for letter, who in (("O", "own"), ("K", "keeper"), ("W", "witness")):
        codes = {one.code for one in seen(honest, made, who).findings}
        found += letter if codes - alone else "-"
    assert expected == found


def test_the_word_is_that_of_the_strongest_comparison(
    honest: Honest, tmp_path: Path
) -> None:
    """And up to which event it holds."""
    made = tampered(honest, tmp_path, sql(), signs=False)
    words = {
        "file": (Assurance.STORED, 200),
        "own": (Assurance.SIGNED, 200),
        "keeper": (Assurance.KEPT, 100),
        "witness": (Assurance.WITNESSED, 200),
    }
    for who, word in words.items():
        verdict = seen(honest, made, who)
        assert (word, ()) == (
            (verdict.assurance, verdict.covered),
            verdict.findings,
        )


def test_a_forged_note_is_refused(honest: Honest, tmp_path: Path) -> None:
    """Whoever lacks the key can show no checkpoint."""
    forged = honest.notes[200].replace(b"\n200\n", b"\n199\n")
    made = Tampered(honest.ledger, {200: forged})
    shutil.copy(honest.ledger, tmp_path / "azcn.db")
    codes = [one.code for one in seen(honest, made, "own").findings]
    assert ["signature"] == codes


def test_a_restored_backup_is_not_signed(honest: Honest, tmp_path: Path) -> None:
    """It would be a second history: the signer refuses it, and the witness sees it."""
    path = tmp_path / "azcn.db"
    shutil.copy(honest.backup, path)
    shutil.copy(f"{honest.backup}-wal", f"{path}-wal")
    last = tmp_path / "last.note"
    last.write_bytes(honest.notes[200])
    clock = Clock()
    clock.us = (honest.began_s + STEP_S * 300) * 1_000_000
    with closing(SqliteStore.open(path, clock=clock)) as store:
        assert 150 == store.head()
        told(store, clock, 200, after=150, word="another")
        with pytest.raises(ForkRefused, match="backup from"):
            LogSigner(last, [honest.key]).sign(Log(store))
    verdict = seen(honest, Tampered(path, {}), "witness")
    assert ["root"] == [one.code for one in verdict.findings if one.code != "bracket"]
    assert (Assurance.WITNESSED, 150) == (verdict.assurance, verdict.covered)


def stored_bits(connection: apsw.Connection) -> Iterator[tuple[str, object]]:
    """Yield statements that flip each bit of each column of some rows."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(event)")]
    for position in (1, 7, 41, 200):
        for column in columns:
            select = f"SELECT {column} FROM event WHERE position = {position}"  # noqa: S608 - names of our own
            [(value,)] = cast("Any", connection.execute(select).fetchall())
            kind = "TEXT" if isinstance(value, str) else "BLOB"
            how = "?" if isinstance(value, int) else f"CAST(? AS {kind})"
            update = f"UPDATE event SET {column} = {how} WHERE position = {position}"  # noqa: S608 - likewise
            for flipped in flipped_bits(value):
                yield update, flipped


def flipped_bits(value: int | str | bytes | None) -> Iterator[int | bytes]:
    """Give a value with each of its bits flipped."""
    if isinstance(value, int):
        for bit in range(64):
            flipped = value ^ 1 << bit
            yield flipped - (flipped >> 63 << 64)
    elif value is not None:
        old = value.encode() if isinstance(value, str) else value
        for bit in range(len(old) * 8):
            new = bytearray(old)
            new[bit // 8] ^= 1 << bit % 8
            yield bytes(new)


def test_bits_flipped_in_the_file_are_seen(honest: Honest, tmp_path: Path) -> None:
    """Of some rows and every column; ``test_verify`` has all rows, without the file.

    What two events cannot both have, SQLite refuses; that is no finding of ours.
    """
    path, tried = tmp_path / "azcn.db", 0
    shutil.copy(honest.ledger, path)
    with laid_open(path) as connection:
        flips = list(stored_bits(connection))
    assert () == verify_file(path, codec=CODEC).findings
    for statement, value in flips[:: len(flips) // 100]:
        shutil.copy(honest.ledger, path)
        try:
            with laid_open(path) as connection:
                connection.execute(statement, (cast("Any", value),))
        except apsw.ConstraintError:
            continue
        assert verify_file(path, codec=CODEC).findings, (statement, value)
        tried += 1
    assert 80 < tried
