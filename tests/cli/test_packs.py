"""Audit packs and evidence on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from tests.cli.runner import Run

ORIGIN = "log.example/azcn"


@pytest.fixture
def vkey(seeded: Run) -> str:
    """Make a key, sign what the seed is, and give the verifier key."""
    _, out, _ = seeded("key", ORIGIN, "azcn.key")
    words = ("--key-file", "azcn.key", "--last", "last.note", "--begin")
    assert 0 == seeded("checkpoint", *words)[0]
    return out.splitlines()[-1]


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_pack_is_handed_over_and_verified(seeded: Run, vkey: str, name: str) -> None:
    """The auditor needs the pack and the key, and no ledger."""
    words = ("--checkpoint", "last.note", "--key", vkey)
    code, out, err = seeded("pack", name, *words)
    assert (0, f"{name}: the log up to event 27, with its proofs\n", "") == (
        code,
        out,
        err,
    )
    Path("azcn.db").unlink()
    code, out, err = seeded("verify", name, "--key", vkey)
    assert (0, "") == (code, err)
    assert "assurance: signed, up to event 27, by the pack's checkpoint" in out
    code, out, _ = seeded(
        "verify", name, "--key", vkey, "--kept", "last.note", "--json"
    )
    assert 0 == code
    assert ("kept", []) == (json.loads(out)["assurance"], json.loads(out)["findings"])


def test_what_a_pack_holds_is_said_for_programs(seeded: Run, vkey: str) -> None:
    """JSON, with the size and the root."""
    words = ("--checkpoint", "last.note", "--key", vkey, "--json")
    _, out, _ = seeded("pack", "p", *words)
    about = json.loads(Path("p/pack.json").read_text())
    assert {"pack": "p", "size": 27, "root": about["root"]} == json.loads(out)


def test_a_policy_names_the_key(seeded: Run, vkey: str) -> None:
    """With a policy no key need be given, neither to write nor to verify."""
    Path("policy.txt").write_text(f"log {vkey}\nquorum none\n")
    words = ("--policy", "policy.txt")
    assert 0 == seeded("pack", "p", "--checkpoint", "last.note", *words)[0]
    code, out, _ = seeded("verify", "p", *words)
    assert 0 == code
    assert "assurance: signed" in out


def test_what_was_changed_is_exit_code_1(seeded: Run, vkey: str) -> None:
    """And the finding says which file it is."""
    assert 0 == seeded("pack", "p", "--checkpoint", "last.note", "--key", vkey)[0]
    with Path("p/reports/status.csv").open("a") as file:
        file.write("x")
    code, out, _ = seeded("verify", "p", "--key", vkey)
    assert 1 == code
    assert "reports/status.csv is not what follows from the events" in out


def test_what_is_no_pack_is_exit_code_3(run: Run) -> None:
    """Nothing there, an empty folder, a file of something."""
    Path("empty").mkdir()
    Path("x.zip").write_text("x")
    for name in ("none", "empty", "x.zip"):
        code, out, err = run("verify", name)
        assert (3, "") == (code, out)
        assert err.startswith("azcn: ")


def test_what_cannot_be_packed_is_refused(seeded: Run, vkey: str) -> None:
    """Without a key, with another's, over what is there, or without a ledger."""
    words = ("--checkpoint", "last.note")
    assert (1, "azcn: whose checkpoint? give --key or --policy\n") == seeded(
        "pack", "p", *words
    )[::2]
    assert 0 == seeded("key", ORIGIN, "other.key")[0]
    other = seeded("key", ORIGIN, "third.key")[1].splitlines()[-1]
    assert 1 == seeded("pack", "p", *words, "--key", other)[0]
    Path("there").mkdir()
    code, _, err = seeded("pack", "there", *words, "--key", vkey)
    assert 1 == code
    assert "not overwritten" in err
    code, _, err = seeded("pack", "p", *words, "--key", vkey, "--ledger", "none.db")
    assert 3 == code
    assert not Path("p").exists()
    code, _, err = seeded("verify", "p", "--checkpoint", "last.note")
    assert 3 == code
    assert "--kept" in err


SOURCE = (
    '{"when": "2025-04-25", "cites": {"source": "source/s"}, "publisher": "P",'
    ' "title": "T", "digest": "sha256:%s"}'
)


def test_evidence_is_looked_for_by_its_digest(seeded: Run) -> None:
    """Missing, then altered, then there."""
    digest = sha256(b"the document").hexdigest()
    words = ("source/s", "source-registered", SOURCE % digest)
    assert 0 == seeded("record", *words)[0]
    Path("documents").mkdir()
    for data, standing, code in (
        (None, "missing", 1),
        (b"another", "altered", 1),
        (b"the document", "present", 0),
    ):
        if data:
            Path("documents/s.txt").write_bytes(data)
        found, out, err = seeded("evidence", "documents", "--json")
        assert (code, "") == (found, err)
        (row,) = json.loads(out)["rows"]
        assert (standing, "source/s") == (row["standing"], row["source"])
    assert "present" in seeded("evidence", "documents")[1]
    assert seeded("evidence", "documents", "--csv")[1].startswith('"standing"')


def test_evidence_needs_a_folder_and_a_ledger(seeded: Run) -> None:
    """Without one of them it is exit code 3."""
    assert 3 == seeded("evidence", "none")[0]
    assert 3 == seeded("evidence", "azcn.db")[0]
    Path("documents").mkdir()
    assert 3 == seeded("evidence", "documents", "--ledger", "none.db")[0]


def test_help_loads_nothing_of_it() -> None:
    """The commands are imported when they are run, so that help stays quick."""
    program = (
        "import sys; from azcn_events.cli.parser import parser; parser().format_help();"
        " print([name for name in sys.modules if name.startswith('azcn_events.audit')])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
