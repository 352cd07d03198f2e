"""Keys, checkpoints, proofs and published reports on the command line."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.runner import Run, in_process

from azcn_events.audit import (
    VerifierKey,
    open_checkpoint,
    parse_proof_file,
)

ORIGIN = "log.example/azcn"


@pytest.fixture
def vkey(seeded: Run) -> str:
    """Make a key, sign what the seed is, and give the verifier key."""
    code, out, _ = seeded("key", ORIGIN, "azcn.key")
    assert 0 == code
    code, note, _ = seeded(
        "checkpoint", "--key-file", "azcn.key", "--last", "last.note", "--begin"
    )
    assert 0 == code
    assert Path("last.note").read_text("utf-8") == note
    return out.splitlines()[-1]


def test_what_is_whole_says_how_sure_that_is(seeded: Run, vkey: str) -> None:
    """By the hashes alone, by a checkpoint, by one that was kept."""
    for words, assurance in [
        ((), "assurance: stored, up to event 27"),
        (("--checkpoint", "last.note"), "assurance: signed, up to event 27, by last"),
        (("--kept", "last.note"), "assurance: kept, up to event 27, by last.note"),
    ]:
        code, out, err = seeded("verify", "--key", vkey, *words)
        assert (0, "") == (code, err)
        assert out.splitlines()[-1].startswith(assurance)
        assert "this does not show:" in out


def test_what_was_altered_is_found_and_not_changed(seeded: Run, vkey: str) -> None:
    """The exit code says so, and the findings say where."""
    with closing(sqlite3.connect("azcn.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER event_is_not_changed")
        connection.execute("UPDATE event SET payload = x'7B7D' WHERE position = 3")
    before = Path("azcn.db").read_bytes()
    code, out, _ = seeded("verify", "--json", "--key", vkey, "--kept", "last.note")
    found = json.loads(out)
    assert (1, False, "none") == (code, found["whole"], found["assurance"])
    places = {(one["code"], one["position"]) for one in found["findings"]}
    assert {("root", 0)} < places
    assert 3 in {position for _, position in places}
    assert before == Path("azcn.db").read_bytes()


def test_a_slip_is_no_tampering(seeded: Run, vkey: str) -> None:
    """What cannot be looked at has an exit code of its own."""
    Path("log.vkey").write_text(vkey, "utf-8")
    for words in (
        ("--checkpoint", "last.note"),
        ("--key", vkey, "--kept", "nowhere.note"),
        ("--key", "log.vkey", "--kept", "last.note"),
        ("--ledger", "nowhere.db"),
        ("nowhere.zip",),
    ):
        code, out, err = seeded("verify", *words)
        assert (3, "") == (code, out)
        assert err.startswith("azcn: ")


def test_strictly_every_field_is_checked(seeded: Run) -> None:
    """It is said that it was not, where it was not."""
    for words, is_open in ((), True), (("--strict",), False):
        code, out, _ = seeded("verify", *words)
        assert (0, is_open) == (code, "--strict" in out)


def test_a_policy_asks_for_witnesses(seeded: Run, vkey: str) -> None:
    """Without them a checkpoint is signed and no more."""
    Path("policy").write_text(f"log {vkey}\nquorum none\n", "utf-8")
    code, out, _ = seeded("verify", "--policy", "policy", "--checkpoint", "last.note")
    assert 0 == code
    assert "assurance: signed" in out


def test_a_note_that_does_not_open_is_a_finding(seeded: Run, vkey: str) -> None:
    """All are looked at; the others still count."""
    note = Path("last.note").read_text("utf-8")
    Path("forged.note").write_text(note.replace("27", "26"), "utf-8")
    code, out, _ = seeded(
        "verify", "--key", vkey, "--kept", "last.note", "--checkpoint", "forged.note"
    )
    assert 1 == code
    assert "altered (signature): forged.note" in out
    assert "assurance: kept" in out


def test_notes_without_a_key_mean_nothing(seeded: Run, vkey: str) -> None:
    """It asks whose they are."""
    assert vkey
    code, _, err = seeded("verify", "--checkpoint", "last.note")
    assert (3, "azcn: whose checkpoints? give --key or --policy\n") == (code, err)


def test_a_second_history_is_not_signed(seeded: Run, vkey: str) -> None:
    """A ledger that does not continue what was signed is refused."""
    assert vkey
    Path("azcn.db").rename("old.db")
    seeded("init")
    code, out, err = seeded(
        "checkpoint", "--key-file", "azcn.key", "--last", "last.note"
    )
    assert (1, "") == (code, out)
    assert "may be a backup from before, or altered" in err


def test_proofs_and_tiles_are_written(seeded: Run, vkey: str) -> None:
    """For other programs to check."""
    assert vkey
    code, proof, _ = seeded("prove", "3", "--checkpoint", "last.note")
    assert 0 == code
    assert proof.startswith("c2sp.org/tlog-proof@v1\nindex 2\n")
    assert 1 == seeded("prove", "0", "--checkpoint", "last.note")[0]
    assert 0 == seeded("tiles", "public", "--checkpoint", "last.note")[0]
    assert Path("public/tile/0/000.p/27").is_file()


def test_a_published_report_is_made_again(seeded: Run) -> None:
    """The same log and the same report; what was no publication is refused."""
    code, out, err = seeded(
        "publish", "pipeline", "--policy", "committed", "--source", "source/bulletin"
    )
    assert 0 == code
    assert "policy: committed" in out
    assert "published at position 28, id " in err
    code, out, _ = seeded("reproduce", "28")
    assert 0 == code
    assert "the same log and the same report" in out
    code, _, err = seeded("reproduce", "3")
    assert 1 == code
    assert "this is no published report" in err


@pytest.mark.parametrize("digits", [1, 18, 19, 20, 5000])
def test_a_position_may_be_beyond_all_numbers(seeded: Run, digits: int) -> None:
    """What is no publication is refused, however many digits it has."""
    code, out, err = seeded("reproduce", "9" * digits)
    assert (1, "") == (code, out)
    assert "this is no published report" in err


def test_what_cannot_be_reported_is_not_published(seeded: Run) -> None:
    """An agreement that nobody told of leaves no record of an empty report."""
    asked = ("status", "--agreement", "agreement/cardbord")
    for words in (("report", *asked), ("publish", *asked, "--source", "source/s")):
        code, out, err = seeded(*words)
        assert (1, "") == (code, out)
        assert "did you mean 'agreement/cardboard'" in err
    assert "(27 records)" in seeded("init")[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_others_check_is_utf8_wherever_it_is_made(
    seeded: Run, tmp_path: Path, encoding: str
) -> None:
    """Keys, notes and proofs are bytes: the terminal's encoding changes none."""
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    name = "журнал.example/azcn"
    words = ("--key-file", "azcn.key", "--last", "last.note", "--begin")
    commands = [
        ("key", name, "azcn.key"),
        ("checkpoint", *words),
        ("prove", "3", "--checkpoint", "last.note"),
    ]
    assert 0 == seeded("log")[0]
    done = [in_process(*one, at=tmp_path, env=environ) for one in commands]
    assert [(0, b"")] * 3 == [(one.returncode, one.stderr) for one in done]
    key, note, proof = (one.stdout for one in done)
    vkey = VerifierKey.parse(key.split(b"\n")[-2].decode())
    assert name == vkey.name
    assert Path("last.note").read_bytes() == note
    opened = open_checkpoint(parse_proof_file(proof).note, [vkey], name)
    assert 27 == opened.checkpoint.size


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in a folder")
@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--key", "VKEY", "--kept", "pipe"),
        ("verify", "--key", "VKEY", "--kept", "/dev/zero"),
        ("verify", "--key", "VKEY", "--checkpoint", "pipe"),
        ("verify", "--policy", "pipe"),
        ("verify", "pack", "--key", "VKEY", "--kept", "pipe"),
        ("verify", "pack", "--policy", "pipe"),
        ("prove", "3", "--checkpoint", "pipe"),
        ("tiles", "public", "--checkpoint", "pipe"),
        ("pack", "pack", "--key", "VKEY", "--checkpoint", "pipe"),
        ("pack", "pack", "--policy", "pipe", "--checkpoint", "last.note"),
        ("reproduce", "3", "--content", "pipe"),
        (
            *("checkpoint", "--key-file", "azcn.key", "--last", "last.note"),
            *("--witness", "http://127.0.0.1:1", "--policy", "pipe"),
        ),
        ("witness", "--key-file", "azcn.key", "--state", "x", "--policy", "pipe"),
    ],
)
def test_what_is_no_file_is_not_waited_for(
    seeded: Run, vkey: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A pipe might hang for ever, and a device has no end: it is refused at once."""
    assert 0 == seeded("log")[0]
    os.mkfifo("pipe")
    meant = (vkey if word == "VKEY" else word for word in words)
    done = in_process(*meant, at=tmp_path, timeout=60)
    code = 3 if words[0] == "verify" else 1
    assert (code, b"") == (done.returncode, done.stdout)
    assert re.fullmatch(rb"azcn: \S+ is not a file\n", done.stderr)


def test_what_is_too_long_is_not_read(
    seeded: Run, vkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note is a finding beside others; the content of a report is refused."""
    Path("long").write_bytes(b"x" * 1_000_001)
    words = ("verify", "--key", vkey, "--kept", "last.note", "--kept", "long")
    code, out, _ = seeded(*words)
    assert 1 == code
    assert "1,000,001 bytes; at most 1,000,000 are read" in out
    monkeypatch.setattr("azcn_events.cli.proofs._CONTENT_BYTES_MAX", 1_000_000)
    refused = "azcn: long: at most 1,000,000 bytes are read of a report\n"
    assert (1, "", refused) == seeded("reproduce", "3", "--content", "long")
