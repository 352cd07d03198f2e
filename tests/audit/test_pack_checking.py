"""Verifying packs: what was changed is found, whatever was changed with it."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.audit.packs import (
    as_folder,
    campaign_on_bytes,
    campaign_on_events,
    files_of,
    forged,
    list_again,
    note_over,
    seeded,
    small,
)
from tests.audit.signing import LOG_KEY, ORIGIN, TIME, WITNESS_KEY
from tests.logs import Clock

from azcn_events import Citation, Event, Ledger, When
from azcn_events.audit import pack_checking, pack_reading
from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.log import Log
from azcn_events.audit.pack import write_pack
from azcn_events.audit.pack_checking import verify_pack
from azcn_events.audit.pack_reading import read_pack
from azcn_events.audit.policy import parse_policy
from azcn_events.audit.verdict import Assurance, Severity, Verdict
from azcn_events.core.lifecycle import Lifecycle, Milestone
from azcn_events.errors import InvalidValue, ProofRefused, StoreFull
from azcn_events.investment import AgreementIdentified
from azcn_events.stores.memory import MemoryStore

KEYS = [LOG_KEY.verifier]
EVIL_KEY = SigningKey.make("evil.example/log")
FACT: Any = {"field": "x", "when": When("2025"), "cites": Citation("source/s")}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a pack of a small log; not to be changed."""
    return as_folder(small(), tmp_path_factory.mktemp("packs") / "pack")


@pytest.fixture
def pack(original: Path, tmp_path: Path) -> Path:
    """Give a copy of it, to be changed."""
    return Path(shutil.copytree(original, tmp_path / "pack"))


def codes(verdict: Verdict) -> set[str]:
    """Give what kinds of things were found."""
    return {finding.code for finding in verdict.findings}


# What is whole


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_pack_is_whole(tmp_path: Path, name: str) -> None:
    """A folder and an archive of the seed: nothing is found, all was looked at."""
    write_pack(seeded(), tmp_path / name, note_over(seeded()), keys=KEYS)
    verdict = verify_pack(tmp_path / name, keys=KEYS)
    assert () == verdict.findings
    assert (27, Log(seeded().store).root(27)) == (verdict.size, verdict.root)
    assert (Assurance.SIGNED, 27) == (verdict.assurance, verdict.covered)
    said = verdict.text()
    for sentence in ("made again out of its events", "strictly", "manifest"):
        assert sentence in said


def test_the_key_in_the_pack_is_not_believed(pack: Path) -> None:
    """Without a key from elsewhere nothing is signed, and the verdict says why."""
    verdict = verify_pack(pack)
    assert () == verdict.findings
    assert Assurance.STORED is verdict.assurance
    assert "the key came with the pack" in verdict.text()
    assert "the key came with the pack" not in verify_pack(pack, keys=KEYS).text()


def test_a_forger_signs_with_a_key_of_his_own(tmp_path: Path) -> None:
    """A pack of invented events, whole in itself, is refused by the log's key."""
    ledger = small()
    note = signed(Log(ledger.store).checkpoint("evil.example/log"), [EVIL_KEY])
    write_pack(ledger, tmp_path / "p", note, keys=[EVIL_KEY.verifier])
    assert verify_pack(tmp_path / "p").is_whole
    verdict = verify_pack(tmp_path / "p", keys=KEYS)
    assert {"signature"} == codes(verdict)
    assert Assurance.NONE is verdict.assurance
    assert "follows from the events: see what was found" in verdict.text()


def test_a_checkpoint_that_was_kept_is_compared(pack: Path) -> None:
    """An older one of the asker's own covers what it covers; another history shows."""
    mine = {"mine": bytes(note_over(small(), 2))}
    verdict = verify_pack(pack, keys=KEYS, kept=mine)
    assert () == verdict.findings
    assert (Assurance.KEPT, 2, "mine") == (
        verdict.assurance,
        verdict.covered,
        verdict.by,
    )
    assert Assurance.KEPT is verify_pack(pack, kept=mine).assurance
    other = {"mine": bytes(note_over(seeded(), 2))}
    assert {"root"} == codes(verify_pack(pack, keys=KEYS, kept=other))
    longer = {"mine": bytes(note_over(small(5)))}
    assert {"truncated"} == codes(verify_pack(pack, keys=KEYS, kept=longer))


def test_witnesses_are_asked_for_by_a_policy(tmp_path: Path) -> None:
    """What they signed is witnessed; that they have not is doubtful."""
    policy = parse_policy(
        f"log {LOG_KEY.verifier}\nwitness w {WITNESS_KEY.verifier}\nquorum w\n".encode()
    )
    ledger = small()
    time = next(iter(ledger.records())).recorded_us // 1_000_000
    plain = note_over(ledger)
    for name, note in (("no", plain), ("yes", WITNESS_KEY.cosign(plain, time))):
        write_pack(ledger, tmp_path / name, note, keys=KEYS)
    verdict = verify_pack(tmp_path / "no", policy=policy)
    assert [("policy", Severity.DOUBTFUL)] == [
        (one.code, one.severity) for one in verdict.findings
    ]
    assert Assurance.SIGNED is verdict.assurance
    verdict = verify_pack(tmp_path / "yes", policy=policy)
    assert () == verdict.findings
    assert Assurance.WITNESSED is verdict.assurance
    late = WITNESS_KEY.cosign(plain, TIME + 10**8)
    write_pack(ledger, tmp_path / "late", late, keys=KEYS)
    assert (
        Assurance.WITNESSED is verify_pack(tmp_path / "late", policy=policy).assurance
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.vkey", f"{EVIL_KEY.verifier}\n"),
        ("policy.txt", "hello\n"),
        ("policy.txt", f"log {EVIL_KEY.verifier}\nquorum none\n"),
        (
            "policy.txt",
            f"log {LOG_KEY.verifier}\nwitness w {WITNESS_KEY.verifier}\nquorum w\n",
        ),
    ],
)
def test_its_own_keys_and_policy_must_open_it(
    pack: Path, name: str, content: str
) -> None:
    """They are what its page tells the reader to believe."""
    (pack / name).write_text(content)
    list_again(pack)
    verdict = verify_pack(pack, keys=KEYS)
    assert {"signature"} <= codes(verdict)
    assert not verdict.is_whole


def test_a_key_too_many_is_named(pack: Path) -> None:
    """It is the log's only by the word of whoever made the pack."""
    assert "you did not give it" not in verify_pack(pack, keys=KEYS).text()
    both = f"{LOG_KEY.verifier}\n{EVIL_KEY.verifier}\n"
    (pack / "log.vkey").write_text(both)
    list_again(pack)
    said = verify_pack(pack, keys=KEYS).text()
    assert f"evil.example/log+{EVIL_KEY.verifier.id.hex()}" in said
    assert "you did not give it" in said


def test_a_strangers_key_proves_no_fork(pack: Path) -> None:
    """Nobody is accused by a note whose key came with the pack."""
    ledger = small(2)
    ledger.record("agreement/z", AgreementIdentified(**FACT))
    forger = SigningKey.make(ORIGIN)
    both = f"{forger.verifier}\n{LOG_KEY.verifier}\n"
    (pack / "log.vkey").write_text(both)
    (pack / "checkpoint").write_bytes(bytes(note_over(ledger, keys=[forger])))
    list_again(pack)
    verdict = verify_pack(pack, kept={"mine": bytes(note_over(small()))})
    assert "fork" not in codes(verdict)
    assert not verdict.is_whole


# What was changed


def each_file(folder: Path) -> list[str]:
    """Name the files of a pack."""
    return sorted(files_of(folder))


def test_a_changed_byte_of_any_file_is_found(original: Path, tmp_path: Path) -> None:
    """Law: although the manifest was made again to agree with it."""
    for name in each_file(original):
        pack = Path(shutil.copytree(original, tmp_path / "p"))
        data = bytearray((pack / name).read_bytes())
        data[len(data) // 2] ^= 1
        (pack / name).write_bytes(data)
        if name != "manifest.sha256":
            list_again(pack)
        assert verify_pack(pack, keys=KEYS).findings, name
        shutil.rmtree(pack)


def test_a_file_damaged_on_the_way_is_named(pack: Path) -> None:
    """By the manifest, whatever else is the matter with it."""
    (pack / "reports" / "status.csv").write_text("damaged")
    verdict = verify_pack(pack, keys=KEYS)
    assert {"manifest", "report"} == codes(verdict)


def test_a_file_that_is_missing_is_found(original: Path, tmp_path: Path) -> None:
    """Law: also if the manifest does not list it; without the events it is no pack."""
    for name in each_file(original):
        pack = Path(shutil.copytree(original, tmp_path / "p"))
        (pack / name).unlink()
        if name != "manifest.sha256":
            list_again(pack)
        if name == "events.jsonl":
            with pytest.raises(ProofRefused, match=r"no events\.jsonl"):
                verify_pack(pack)
        elif name != "manifest.sha256":
            assert verify_pack(pack, keys=KEYS).findings, name
        else:
            assert {"manifest"} == codes(verify_pack(pack, keys=KEYS))
        shutil.rmtree(pack)


@pytest.mark.parametrize(
    "name",
    [
        "proofs/9.tlog-proof",
        "reports/invented.csv",
        "tile/5/000",
        "policy.txt",
        "readme.md",
        "README.MD",
        "notes.txt",
        "more/pack.zip",
        unicodedata.normalize("NFD", "é.txt"),
        "-rf",
        "a\nb",
        "\x1b[31m",
    ],
)
def test_a_file_too_many_is_found(pack: Path, name: str) -> None:
    """Whether it may be in packs or not, and also if the manifest lists it."""
    (pack / name).parent.mkdir(parents=True, exist_ok=True)
    (pack / name).write_text("trust me")
    for _ in range(2):
        verdict = verify_pack(pack, keys=KEYS)
        assert not verdict.is_whole
        assert "\x1b" not in verdict.text() + verdict.json()
        list_again(pack)


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Put a text in the place of another, in a file and in the manifest."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    list_again(folder)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tile/0/000.p/3", "tile"),
        ("tile/entries/000.p/3", "tile"),
        ("proofs/1.tlog-proof", "proof"),
        ("proofs/1.entry", "proof"),
        ("reports/status.csv", "report"),
        ("sources.json", "sources"),
        ("README.md", "file"),
        ("log.vkey", "file"),
        ("pack.json", "file"),
    ],
)
def test_what_does_not_follow_is_named(pack: Path, name: str, code: str) -> None:
    """The finding says which file it is, and of what kind."""
    with (pack / name).open("ab") as file:
        file.write(b"x" if name != "pack.json" else b" ")
    list_again(pack)
    verdict = verify_pack(pack, keys=KEYS)
    assert code in codes(verdict)
    assert any(name in finding.problem for finding in verdict.findings)


def test_an_invented_event_shows(pack: Path) -> None:
    """With a line more, the checkpoint does not reach to the end."""
    lines = (pack / "events.jsonl").read_text().splitlines(keepends=True)
    more = lines[2].replace('"position":3', '"position":4').replace("../2", "../3")
    (pack / "events.jsonl").write_text("".join([*lines, more]))
    list_again(pack)
    verdict = verify_pack(pack, keys=KEYS)
    assert {"file"} == codes(verdict)
    assert "it has 4 events, and its checkpoint is over 3" in verdict.text()


def test_another_releases_reports_are_doubtful_and_its_tree_is_not(pack: Path) -> None:
    """What is computed may differ by release; what is hashed may not."""
    change(pack, "pack.json", '"release": "', '"release": "9')
    change(pack, "reports/status.csv", "agreement", "agrement")
    verdict = verify_pack(pack, keys=KEYS)
    assert {Severity.DOUBTFUL} == {one.severity for one in verdict.findings}
    assert "verify it with that one" in verdict.text()
    change(pack, "proofs/1.tlog-proof", "index 0", "index 1")
    assert not verify_pack(pack, keys=KEYS).is_whole


# What is not read


def test_links_and_pipes_are_not_followed(pack: Path, tmp_path: Path) -> None:
    """A link in a file's place is a finding; in the events' place it is a refusal."""
    outside = tmp_path / "outside"
    outside.write_bytes((pack / "README.md").read_bytes())
    (pack / "README.md").unlink()
    (pack / "README.md").symlink_to(outside)
    verdict = verify_pack(pack, keys=KEYS)
    assert not verdict.is_whole
    assert "not followed" in verdict.text()
    (pack / "proofs" / "1.entry").unlink()
    os.mkfifo(pack / "proofs" / "1.entry")
    assert "no plain file" in verify_pack(pack, keys=KEYS).text()
    (pack / "events.jsonl").rename(outside)
    (pack / "events.jsonl").symlink_to(outside)
    with pytest.raises(ProofRefused, match="not followed"):
        verify_pack(pack, keys=KEYS)


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    """An empty folder, a file of something, nothing at all."""
    with pytest.raises(ProofRefused):
        verify_pack(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"PK\3\4 and so on")
    with pytest.raises(ProofRefused, match="no archive"):
        verify_pack(tmp_path / "x.zip")
    with pytest.raises(FileNotFoundError):
        verify_pack(tmp_path / "none")


def test_too_many_files_are_not_listed(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names take memory: there is an end to them."""
    monkeypatch.setattr(pack_reading, "FILES_MAX", 5)
    with pytest.raises(InvalidValue, match="too many files"):
        verify_pack(pack)


@pytest.mark.parametrize("name", ["pack.json", "checkpoint", "log.vkey", "policy.txt"])
def test_small_files_that_are_large_are_not_read(pack: Path, name: str) -> None:
    """Of what is read whole no more than a megabyte is: a finding, not memory."""
    with (pack / name).open("wb") as file:
        file.truncate(10**10)  # a hole: it takes no room
    with read_pack(pack) as opened, pytest.raises(ProofRefused, match="longer than"):
        opened.read(name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"form": "azcn-pack/2"}',
        b"[" * 100_000,
        b'{"form": ' + b"9" * 100_000 + b"}",
        b"\xff",
        b'{"form": "azcn-pack/1"}',
        b'{"form": "azcn-pack/1", "lifecycle": {}, "release": []}',
    ],
)
def test_what_a_pack_says_of_itself_may_be_nonsense(pack: Path, data: bytes) -> None:
    """It is a finding."""
    (pack / "pack.json").write_bytes(data)
    list_again(pack)
    assert verify_pack(pack, keys=KEYS).findings


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\n",
        b"0" * 64 + b"  README.md",
        b"0" * 10_000_000,
        (b"0" * 64 + b"  a\n") * 2,
        b"0" * 64 + b"  ../../etc/passwd\n",
        b"0" * 64 + b"  \x1b[31m\n",
    ],
)
def test_a_manifest_may_be_nonsense(pack: Path, data: bytes) -> None:
    """It is a finding, and shows nothing on the terminal."""
    (pack / "manifest.sha256").write_bytes(data)
    verdict = verify_pack(pack, keys=KEYS)
    assert {"manifest"} == codes(verdict)
    assert "\x1b" not in verdict.text()


def test_a_line_feed_in_a_name_makes_no_other_leaf(pack: Path, tmp_path: Path) -> None:
    """A stream that holds lines, as if it were another event, is refused."""
    rows = list(small().store.read_all())
    evil = rows[0]._replace(stream="agreement/x\n1\nvalue-reported/1")
    with pytest.raises(InvalidValue):
        forged(tmp_path / "evil", [evil], EVIL_KEY)
    change(pack, "events.jsonl", '"agreement/../0"', '"agreement/x\\n1"')
    assert not verify_pack(pack).is_whole


# Reports of whatever events there are


def test_events_of_an_unknown_lifecycle_are_verified_without_reports(
    tmp_path: Path,
) -> None:
    """And the verdict says so; with the lifecycle everything is looked at."""
    from attrs import frozen

    @frozen
    class Granted(Event):
        """A licence was granted."""

    mine = Lifecycle(
        name="mine",
        events={"granted": Granted},
        milestones=(Milestone("licensed", met_by=Granted),),
    )
    clock = Clock()
    ledger = Ledger(MemoryStore(clock), mine, clock=clock)
    event = Granted(when=When("2025"), cites=Citation("source/s"))
    ledger.record("agreement/a", event)
    as_folder(ledger, tmp_path / "p")
    assert () == verify_pack(tmp_path / "p", keys=KEYS, lifecycle=mine).findings
    verdict = verify_pack(tmp_path / "p", keys=KEYS)
    assert ({"lifecycle"}, True) == (codes(verdict), verdict.is_whole)
    assert "they are of the lifecycle 'mine'" in verdict.text()
    assert "strictly" not in verdict.text()
    change(tmp_path / "p", "reports/status.csv", "agreement", "agrement")
    assert {"lifecycle"} == codes(verify_pack(tmp_path / "p", keys=KEYS))
    verdict = verify_pack(tmp_path / "p", keys=KEYS, lifecycle=mine)
    assert {"report"} == codes(verdict)
    change(tmp_path / "p", "proofs/1.entry", "granted", "Granted")
    assert {"lifecycle", "proof"} == codes(verify_pack(tmp_path / "p", keys=KEYS))


def test_an_event_that_no_class_would_make_is_unreadable(tmp_path: Path) -> None:
    """It is read as strictly as what somebody types: a signature does not help it."""
    row = next(
        row for row in seeded().store.read_all() if row.kind == "documents-reported/1"
    )
    payload = row.payload.replace(b'"number":13', b'"number":1')
    assert payload != row.payload
    forged(tmp_path / "p", [row._replace(payload=payload)], EVIL_KEY)
    verdict = verify_pack(tmp_path / "p")
    assert "unreadable" in codes(verdict)
    assert "groups of" in verdict.text()


def test_a_report_that_cannot_be_made_is_a_finding(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises; but a full disk says nothing about the pack."""

    def fail(error: Exception) -> Callable[..., None]:
        def staging(*_: object, **__: object) -> None:
            raise error

        return staging

    monkeypatch.setattr(pack_checking, "stage", fail(ZeroDivisionError("by zero")))
    verdict = verify_pack(pack, keys=KEYS)
    assert {"pack"} == codes(verdict)
    assert "ZeroDivisionError: by zero" in verdict.text()
    for error in (OSError(28, "No space left"), StoreFull("x")):
        monkeypatch.setattr(pack_checking, "stage", fail(error))
        with pytest.raises(type(error)):
            verify_pack(pack, keys=KEYS)


def test_two_events_with_one_id_cannot_be_in_a_ledger(pack: Path) -> None:
    """Signed or not, no store would have taken them."""
    rows = [*small().store.read_all()]
    lines = (pack / "events.jsonl").read_text().replace('"../1"', '"../0"')
    assert len(rows) == lines.count("\n")
    (pack / "events.jsonl").write_text(lines)
    list_again(pack)
    assert not verify_pack(pack).is_whole


# Chance


def test_what_is_changed_by_chance_is_found_and_crashes_nothing(tmp_path: Path) -> None:
    """A short campaign: see ``packs.campaign_on_bytes``."""
    counts = campaign_on_bytes(40, tmp_path)
    assert counts["refused"]
    assert counts["found"]


def test_events_made_by_chance_crash_nothing(tmp_path: Path) -> None:
    """A short campaign: see ``packs.campaign_on_events``."""
    counts = campaign_on_events(30, tmp_path)
    assert counts["unreadable"]
    assert counts["read"]
