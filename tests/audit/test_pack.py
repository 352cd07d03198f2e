"""Writing packs: what is in one, the same bytes each time, whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.packs import as_folder, files_of, note_over, seeded, small
from tests.audit.signing import LOG_KEY, ORIGIN, TIME, WITNESS_KEY
from tests.logs import Clock

from azcn_events import Ledger
from azcn_events.audit import pack as packing
from azcn_events.audit.keys import SigningKey
from azcn_events.audit.log import Log
from azcn_events.audit.pack import is_pack_name, write_pack
from azcn_events.audit.pack_checking import verify_pack
from azcn_events.audit.sample import draw
from azcn_events.core.leaf import entry_of
from azcn_events.errors import InvalidPolicy, ProofRefused
from azcn_events.reports import REPORTS
from azcn_events.stores.memory import MemoryStore

OTHER_KEY = SigningKey.make(ORIGIN)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a pack of the seed; not to be changed."""
    return as_folder(seeded(), tmp_path_factory.mktemp("packs") / "pack")


# What is in it


def test_a_pack_has_all_that_an_auditor_needs(pack: Path) -> None:
    """Events, checkpoint, tree, proofs, sources, reports, keys, page and manifest."""
    names = set(files_of(pack))
    assert {
        "README.md",
        "checkpoint",
        "events.jsonl",
        "log.vkey",
        "manifest.sha256",
        "pack.json",
        "sources.csv",
        "sources.json",
        "tile/0/000.p/27",
        "tile/entries/000.p/27",
        "proofs/1.tlog-proof",
        "proofs/27.entry",
    } <= names
    for report in REPORTS:
        assert any(name.startswith(f"reports/{report}") for name in names)
    assert all(map(is_pack_name, names))
    assert f"{LOG_KEY.verifier}\n" == (pack / "log.vkey").read_text()


def test_the_events_are_those_of_the_store(pack: Path) -> None:
    """Each text is what was stored, and the entries are those of the tree."""
    rows = list(seeded().store.read_all())
    lines = (pack / "events.jsonl").read_text("ascii").splitlines()
    said = [json.loads(line) for line in lines]
    assert [row.payload.decode() for row in rows] == [one["payload"] for one in said]
    assert [row.metadata.decode() for row in rows] == [one["metadata"] for one in said]
    for row in rows:
        assert entry_of(row) == (pack / f"proofs/{row.position}.entry").read_bytes()


def test_the_same_log_gives_the_same_bytes(pack: Path, tmp_path: Path) -> None:
    """Law: same events, checkpoint and keys, same bytes; the archive has the same."""
    ledger = seeded()
    note = note_over(ledger)
    again = write_pack(ledger, tmp_path / "a", note, keys=[LOG_KEY.verifier])
    assert files_of(pack) == files_of(again)
    archives = [
        write_pack(ledger, tmp_path / name, note, keys=[LOG_KEY.verifier])
        for name in ("a.zip", "b.zip")
    ]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        assert archive.testzip() is None
        assert files_of(pack) == {
            name: archive.read(name) for name in archive.namelist()
        }


@given(size=st.integers(0, 27))
def test_what_was_recorded_later_is_in_no_file(
    size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Law: the pack up to a checkpoint is the same, whatever came after."""
    folder = tmp_path_factory.mktemp("later")
    whole, part = seeded(), MemoryStore(Clock())
    copy_beginning(whole, part, size)
    note = note_over(whole, size)
    keys = [LOG_KEY.verifier]
    write_pack(whole, folder / "a", note, keys=keys)
    write_pack(Ledger(part), folder / "b", note, keys=keys)
    assert files_of(folder / "a") == files_of(folder / "b")


def copy_beginning(whole: Ledger, part: MemoryStore, size: int) -> None:
    """Copy the first events of a ledger into another store."""
    from azcn_events.stores.protocol import Draft

    for row in whole.store.read_all(until=size):
        draft = Draft(
            row.stream,
            row.id,
            row.kind,
            row.payload,
            row.metadata,
            row.checksum,
            recorded_us=row.recorded_us,
        )
        part.append([draft], {row.stream: row.version - 1})


def test_an_empty_log_has_a_pack(tmp_path: Path) -> None:
    """There is nothing to report, and all the rest is there."""
    as_folder(small(0), tmp_path / "p")
    assert {
        "README.md",
        "checkpoint",
        "events.jsonl",
        "log.vkey",
        "manifest.sha256",
        "pack.json",
    } == set(files_of(tmp_path / "p"))
    assert verify_pack(tmp_path / "p", keys=[LOG_KEY.verifier]).is_whole


def test_no_text_of_an_event_acts(tmp_path: Path) -> None:
    """Names of files and the page are the same, whatever the events say."""
    tame, wild = small(), small()
    root = {"tame": Log(tame.store).root(3)}
    wild.record(
        "agreement/<script>",
        next(iter(wild.records())).event,
        ids=["; rm -r ~ #"],
    )
    as_folder(tame, tmp_path / "tame")
    as_folder(wild, tmp_path / "wild")
    root["wild"] = Log(wild.store).root(4)
    pages = [
        (tmp_path / name / "README.md")
        .read_text()
        .replace(root[name].hex(), "ROOT")
        .replace(f"event {size}", "event SIZE")
        for name, size in (("tame", 3), ("wild", 4))
    ]
    assert pages[0] == pages[1]
    for name, data in files_of(tmp_path / "wild").items():
        assert is_pack_name(name)
        if name.endswith((".csv", ".json", ".jsonl", ".md")):
            assert b"\x1b" not in data


# Whole or not at all


def test_a_target_that_is_there_is_left(tmp_path: Path) -> None:
    """Neither a folder nor an archive nor a broken link is overwritten."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.zip").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "file.zip", "link"):
        with pytest.raises(FileExistsError):
            as_folder(small(), tmp_path / name)
    assert {"folder", "file.zip", "link"} == {one.name for one in tmp_path.iterdir()}
    assert "mine" == (tmp_path / "file.zip").read_text()


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_a_target_that_came_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, has_links: bool
) -> None:
    """Two packs are made at once: one is told that the other has the name."""
    target = tmp_path / name
    first = as_folder(small(2), tmp_path / f"first-{name}")
    before = first.read_bytes() if first.is_file() else files_of(first)
    settle = packing._settle

    def late(staged: Path) -> None:
        settle(staged)
        first.rename(target)

    monkeypatch.setattr(packing, "_settle", late)
    if not has_links:
        monkeypatch.setattr(os, "link", refuse_links)
    with pytest.raises(FileExistsError, match="not overwritten"):
        as_folder(small(3), target)
    assert [target] == list(tmp_path.iterdir())
    assert before == (target.read_bytes() if target.is_file() else files_of(target))


def refuse_links(*_: object, **__: object) -> None:
    """Do as a disk that has no hard links, such as a stick's."""
    raise PermissionError(1, "Operation not permitted")


def test_an_archive_is_written_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sticks have none, and packs are handed over on them."""
    linked = as_folder(small(), tmp_path / "linked.zip")
    monkeypatch.setattr(os, "link", refuse_links)
    renamed = as_folder(small(), tmp_path / "renamed.zip")
    assert linked.read_bytes() == renamed.read_bytes()
    assert {linked, renamed} == set(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
@pytest.mark.parametrize("step", ["_write_events", "_manifest", "_settle"])
def test_what_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: str
) -> None:
    """A full disk, or an interruption, at any step: there is no pack, and no rest."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, step, fail)
    with pytest.raises(KeyboardInterrupt):
        as_folder(small(), tmp_path / name)
    assert [] == list(tmp_path.iterdir())


def test_a_checkpoint_of_another_log_is_refused(tmp_path: Path) -> None:
    """No pack is handed over that would not be whole."""
    note = note_over(small(2))
    with pytest.raises(ProofRefused):
        write_pack(seeded(), tmp_path / "p", note, keys=[LOG_KEY.verifier])
    note = note_over(seeded())
    with pytest.raises(ProofRefused):
        write_pack(small(), tmp_path / "p", note, keys=[LOG_KEY.verifier])
    with pytest.raises(ProofRefused):
        write_pack(seeded(), tmp_path / "p", note, keys=[OTHER_KEY.verifier])
    assert [] == list(tmp_path.iterdir())


def test_a_policy_goes_in_only_if_it_is_satisfied(tmp_path: Path) -> None:
    """The checkpoint must be signed as the policy asks."""
    ledger = small()
    note = note_over(ledger)
    policy = (
        f"log {LOG_KEY.verifier}\nwitness w {WITNESS_KEY.verifier}\nquorum w\n".encode()
    )
    keys = [LOG_KEY.verifier]
    with pytest.raises(ProofRefused, match="quorum"):
        write_pack(ledger, tmp_path / "p", note, keys=keys, policy=policy)
    with pytest.raises(InvalidPolicy):
        write_pack(ledger, tmp_path / "p", note, keys=keys, policy=b"nonsense\n")
    note = WITNESS_KEY.cosign(note, TIME)
    write_pack(ledger, tmp_path / "p", note, keys=keys, policy=policy)
    assert policy == (tmp_path / "p" / "policy.txt").read_bytes()
    assert "`policy.txt`" in (tmp_path / "p" / "README.md").read_text()


# The sample


@given(st.binary(min_size=32, max_size=32), st.integers(0, 200), st.integers(0, 60))
def test_a_sample_is_of_different_events_that_are_there(
    root: bytes, size: int, wanted: int
) -> None:
    """Law: as many as are wanted, or all; each once, and within the log."""
    drawn = draw(root, size, wanted)
    assert min(size, wanted) == len(drawn) == len(set(drawn))
    assert all(1 <= position <= size for position in drawn)


def test_every_event_may_be_drawn() -> None:
    """Over many roots, each of ten events is drawn about as often as the others."""
    counts = Counter(draw(root.to_bytes(32, "big"), 10, 1)[0] for root in range(10_000))
    assert set(range(1, 11)) == set(counts)
    assert all(900 < count < 1100 for count in counts.values())


# The page, run as it stands


def blocks(pack: Path, language: str) -> list[str]:
    """Give the examples of the page in one language."""
    text = (pack / "README.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell(
    script: str, folder: Path, by: str = "sh"
) -> subprocess.CompletedProcess[str]:
    """Run a script of the page in the pack's folder."""
    command = [by, "-eu", "-c", script]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def own(pack: Path, tmp_path: Path) -> Path:
    """Give a copy of the pack that may be changed."""
    return Path(shutil.copytree(pack, tmp_path / "own"))


needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "sha256sum", "openssl", "awk", "base64", "od"))),
    reason="THE PAGE'S COMMANDS NOT RUN: coreutils, awk or openssl is missing",
)


@needs_tools
def test_the_page_checks_the_files(own: Path) -> None:
    """By sha256sum: whole, and not after a byte was changed."""
    script = blocks(own, "sh")[0]
    assert 0 == shell(script, own).returncode
    (own / "reports" / "status.csv").write_text("changed")
    told = shell(script, own)
    assert 0 != told.returncode
    assert "reports/status.csv: FAILED" in told.stdout


@needs_tools
def test_the_page_checks_the_signature(own: Path) -> None:
    """By openssl: signed, and not after the size was changed."""
    script = blocks(own, "sh")[1]
    told = shell(script, own)
    assert (0, "Signature Verified Successfully\n") == (told.returncode, told.stdout)
    text = (own / "checkpoint").read_text()
    (own / "checkpoint").write_text(text.replace("\n27\n", "\n28\n"))
    told = shell(script, own)
    assert 0 != told.returncode
    assert "Verified Successfully" not in told.stdout


def computed(folder: Path) -> str:
    """Run the page's program with nothing but Python."""
    (program,) = blocks(folder, "python")
    path = folder / "check.py"
    path.write_text(program)
    done = subprocess.run(
        [sys.executable, "-I", "check.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_page_computes_the_root(own: Path) -> None:
    """By Python alone, from the events; and sees that one was changed."""
    assert "the same\n" == computed(own)
    text = (own / "events.jsonl").read_text()
    (own / "events.jsonl").write_text(text.replace("tractor", "Tractor", 1))
    assert "NOT THE SAME\n" == computed(own)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_the_page_computes_small_roots(tmp_path: Path, size: int) -> None:
    """Trees without leaves, of one, and of odd numbers."""
    assert "the same\n" == computed(as_folder(small(size), tmp_path / "p"))


@needs_tools
def test_the_page_draws_the_sample(tmp_path: Path) -> None:
    """By sha256sum and arithmetic: the same events, in the same order."""
    ledger = small(60)
    folder = as_folder(ledger, tmp_path / "p")
    lines = shell(blocks(folder, "sh")[2], folder).stdout.split()
    drawn = list(islice(dict.fromkeys(map(int, lines)), 50))
    assert draw(Log(ledger.store).root(60), 60) == drawn
    proofs = {path.stem for path in folder.glob("proofs/*.tlog-proof")}
    assert set(map(str, drawn)) == proofs


@needs_tools
def test_the_page_runs_nothing_that_a_pack_says(tmp_path: Path) -> None:
    """Bash runs the commands in a text that it reckons with."""
    folder = as_folder(small(3), tmp_path / "p")
    note = (folder / "checkpoint").read_text()
    evil = note.replace("\n3\n", "\nturn[$(touch evil)0]\n", 1)
    assert evil != note
    (folder / "checkpoint").write_text(evil)
    for block in blocks(folder, "sh"):
        shell(block, folder, by="bash")
    assert not (folder / "evil").exists()
