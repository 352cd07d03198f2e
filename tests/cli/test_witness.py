"""A witness as a real process, the operator who asks it, and the page about both."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import apsw
import pytest
from attrs import define, field
from tests.cli.runner import Run, in_process

from azcn_events.audit import (
    Checkpoint,
    Note,
    Scheme,
    SigningKey,
    VerifierKey,
    open_checkpoint,
    parse_note,
    signed,
)
from azcn_events.audit import witness_memory as memory_module
from azcn_events.audit.witness import write_request
from azcn_events.demo import seed_files

ORIGIN: Final = "log.example/azcn"
NAME: Final = "sai.example/witness"
PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "run-a-witness.md"
WAIT_S: Final = 30
STATE: Final = ("--key-file", "sai.key", "--state", "sai.db")


@define
class Served:
    """A witness's process, and what it prints."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        until = time.monotonic() + WAIT_S
        while not (found := re.search(r"^address: (.+)\n", self.told(), re.MULTILINE)):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until
            time.sleep(0.02)
        self.url = found[1]

    def told(self) -> str:
        """Give its standard output."""
        return (self.folder / "out").read_text("utf-8")

    def said(self) -> str:
        """Give its standard error."""
        return (self.folder / "err").read_text("utf-8")

    def end(self, number: int) -> int:
        """Send a signal, and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def post(self, old: int, note: Note) -> tuple[int, str]:
        """Ask without a proof; give status and text."""
        asked = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=WAIT_S)
        with closing(asked):
            asked.request("POST", "/add-checkpoint", write_request(old, [], note))
            answer = asked.getresponse()
            return answer.status, answer.read().decode()


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start witnesses; whatever a test does to them, none outlives it."""
    processes = list[subprocess.Popen[bytes]]()

    def start(*words: str) -> Served:
        folder = tmp_path / f"served-{len(processes)}"
        folder.mkdir()
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            command = [sys.executable, "-m", "azcn_events", "witness", *STATE, *words]
            started = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=err)
        processes.append(started)
        return Served(started, folder)

    yield start
    for process in processes:
        process.kill()
        process.wait(WAIT_S)


@pytest.fixture
def vkey(seeded: Run) -> str:
    """Make the keys of a log and of its witness, and a policy; give the log's."""
    code, out, _ = seeded("key", ORIGIN, "log.key")
    assert 0 == code
    vkey = out.splitlines()[-1]
    code, out, err = seeded("witness", "--begin", NAME, *STATE)
    assert (0, "") == (code, err)
    witness = out.splitlines()[-1]
    text = f"log {vkey}\nwitness sai {witness}\nquorum sai\n"
    Path("policy.txt").write_text(text, "utf-8")
    return vkey


def sign(
    run: Run, url: str, *words: str, last: str = "last.note"
) -> tuple[int, Note, str]:
    """Sign and have cosigned; give exit code, note and errors."""
    asked = ("--policy", "policy.txt", "--witness", url)
    begin = () if Path(last).exists() else ("--begin",)
    log = ("--key-file", "log.key", "--last", last, *begin)
    code, out, err = run("checkpoint", *log, *asked, *words)
    return code, parse_note(out.encode()), err


def record(run: Run, title: str, ledger: str = "azcn.db") -> None:
    """Record one fact more."""
    fact = f'{{"publisher": "P", "title": "{title}"}}'
    words = ("source/x", "source-registered", fact, "--when", "2025")
    code, _, err = run("record", "--ledger", ledger, *words, "--source", "source/x")
    assert (0, "") == (code, err)


def assurance(run: Run, note: Note) -> tuple[int, str]:
    """Verify by the policy; give the exit code and the last line."""
    Path("c.note").write_bytes(bytes(note))
    code, out, _ = run("verify", "--policy", "policy.txt", "--checkpoint", "c.note")
    return code, out.splitlines()[-1]


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that is served in this process, by mistake, ends at once."""
    monkeypatch.setattr("azcn_events.cli.witness._wait", lambda _: None)


# The conversation


def test_a_cosigned_checkpoint_is_witnessed(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """The operator asks by URL; whoever verifies by the policy sees who vouches."""
    served = serve("--log", vkey)
    for size in (27, 28, 28):
        code, note, err = sign(seeded, served.url)
        assert (0, "", 2) == (code, err, len(note.signatures))
        expected = f"assurance: witnessed, up to event {size}, by c.note"
        assert (0, expected) == assurance(seeded, note)
        if size == 27:
            record(seeded, "more")
    alone = Note(note.text, note.signatures[:1])
    expected = "assurance: signed, up to event 28, by c.note"
    assert (1, expected) == assurance(seeded, alone)
    assert 3 == served.said().count(": 200: log.example/azcn: cosigned the size 2")


def test_it_prints_where_it_stands(seeded: Run, vkey: str, serve: Serve) -> None:
    """Its key, its logs and how far each is, its address on a line, and no more."""
    Path("logs.txt").write_text(f"log {vkey}\nquorum none\n", "utf-8")
    key = str(SigningKey.load("sai.key").verifier)
    served = serve("--policy", "logs.txt")
    lines = [f"key: {key}", f"log: {ORIGIN}, cosigned up to event 0"]
    assert [*lines, f"address: {served.url}"] == served.told().splitlines()
    assert 0 == sign(seeded, served.url)[0]
    served.end(signal.SIGTERM)
    again = serve("--policy", "logs.txt", "--log", vkey)
    assert f"log: {ORIGIN}, cosigned up to event 27\n" in again.told()


def test_a_second_history_is_refused_and_kept(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """Two roots of one size are 409, and two notes that the log's own key signed."""
    served = serve("--log", vkey)
    assert 0 == sign(seeded, served.url)[0]
    Path("other.db").write_bytes(Path("azcn.db").read_bytes())
    record(seeded, "told to one")
    record(seeded, "told to another", "other.db")
    first = sign(seeded, served.url)[1]
    assert (0, "", "") == seeded("forks", "sai.db")
    code, second, err = sign(
        seeded, served.url, "--ledger", "other.db", last="other.note"
    )
    assert (1, 1) == (code, len(second.signatures))
    assert "(409)" in err
    assert "there are two histories, and the witness can prove it" in err
    assert (409, "28\n") == served.post(28, second)
    served.end(signal.SIGTERM)
    code, out, _ = seeded("forks", "sai.db")
    assert 1 == code
    for note in (first, second):
        printed = out[out.index(note.text) :]
        kept = parse_note("\n".join(printed.split("\n")[:5]).encode() + b"\n")
        opened = open_checkpoint(kept, [VerifierKey.parse(vkey)], ORIGIN)
        assert note.text == opened.checkpoint.text()
    assert "two histories" in serve("--log", vkey).said()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_proof_of_a_fork_is_what_was_signed(
    run: Run, tmp_path: Path, encoding: str
) -> None:
    """Byte for byte, in whatever encoding the terminal is, odd characters and all."""
    assert 0 == run("witness", "--begin", NAME, *STATE)[0]
    key = SigningKey.make("журнал.example/\u200bazcn")
    notes = [
        signed(Checkpoint(key.verifier.name, 1, root * 32), [key], 0)
        for root in (b"1", b"2")
    ]
    with (
        memory_module.WitnessMemory.open("sai.db") as memory,
        memory.turn(key.verifier.name) as turn,
    ):
        turn.keep(memory_module.Seen(1, b"1" * 32), bytes(notes[0]))
        turn.keep_fork(b"2" * 32, write_request(0, (), notes[1]), 0)
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    done = in_process("forks", "sai.db", at=tmp_path, env=environ)
    assert (1, b"") == (done.returncode, done.stderr)
    assert [1, 1] == [done.stdout.count(bytes(note)) for note in notes]


def test_a_rollback_is_refused(seeded: Run, vkey: str, serve: Serve) -> None:
    """A ledger that lost events is not cosigned, though its operator signs it."""
    served = serve("--log", vkey)
    Path("old.db").write_bytes(Path("azcn.db").read_bytes())
    record(seeded, "lost")
    assert 0 == sign(seeded, served.url)[0]
    code, note, err = sign(seeded, served.url, "--ledger", "old.db", last="old.note")
    assert (1, 1) == (code, len(note.signatures))
    assert "(409): it has cosigned this log at size 28, and the checkpoint" in err
    assert (409, "28\n") == served.post(27, note)


def test_a_longer_second_history_is_refused(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """However long it has become, it does not continue what was cosigned."""
    served = serve("--log", vkey)
    Path("other.db").write_bytes(Path("azcn.db").read_bytes())
    record(seeded, "told to one")
    assert 0 == sign(seeded, served.url)[0]
    record(seeded, "told to another", "other.db")
    record(seeded, "and more", "other.db")
    code, note, err = sign(
        seeded, served.url, "--ledger", "other.db", last="other.note"
    )
    assert (1, 1) == (code, len(note.signatures))
    assert "(422)" in err


def test_two_processes_with_one_state_are_one_witness(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """What one has cosigned the other knows, at once."""
    one, other = serve("--log", vkey), serve("--log", vkey)
    Path("other.db").write_bytes(Path("azcn.db").read_bytes())
    record(seeded, "told to one")
    record(seeded, "told to another", "other.db")
    assert 0 == sign(seeded, one.url)[0]
    code, note, _ = sign(seeded, other.url, "--ledger", "other.db", last="other.note")
    assert (1, 1) == (code, len(note.signatures))
    assert 1 == seeded("forks", "sai.db")[0]


# Ends and beginnings


def test_a_kill_between_requests_loses_nothing(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """Each new process knows what the killed one had cosigned, and goes on from it."""
    for size in range(27, 30):
        served = serve("--log", vkey)
        assert f"event {size - 1 if size > 27 else 0}\n" in served.told()
        code, note, _ = sign(seeded, served.url)
        assert (0, f"\n{size}\n") == (code, note.text[len(ORIGIN) :][: len("\n27\n")])
        assert -signal.SIGKILL == served.end(signal.SIGKILL)
        record(seeded, f"after {size}")
    assert (409, "29\n") == serve("--log", vkey).post(0, note)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_clean(vkey: str, serve: Serve, number: int) -> None:
    """Exit code 0, nothing said, and the port is free for the next."""
    served = serve("--log", vkey)
    assert (0, "") == (served.end(number), served.said())
    port = str(urlsplit(served.url).port)
    assert served.url == serve("--log", vkey, "--port", port).url


def test_that_nobody_reads_its_lines_keeps_no_answer_back(
    seeded: Run, vkey: str, tmp_path: Path
) -> None:
    """With its standard error closed at the other end it cosigns all the same."""
    read, write = os.pipe()
    os.close(read)
    with (tmp_path / "out").open("wb") as out:
        command = [sys.executable, "-m", "azcn_events", "witness", *STATE]
        process = subprocess.Popen([*command, "--log", vkey], stdout=out, stderr=write)
    os.close(write)
    (tmp_path / "err").touch()
    try:
        served = Served(process, tmp_path)
        assert 0 == sign(seeded, served.url)[0]
        assert 0 == served.end(signal.SIGTERM)
    finally:
        process.kill()
        process.wait(WAIT_S)


def test_key_and_state_begin_together_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """Neither is overwritten, and without one the other is not made."""
    words = ("witness", "--begin", NAME, *STATE)
    Path("sai.key").write_text("mine", "utf-8")
    code, _, err = run(*words)
    assert (1, False) == (code, Path("sai.db").exists())
    assert "never overwritten" in err
    Path("sai.key").unlink()
    assert 0 == run(*words)[0]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert {"sai.db", "sai.key"} == {path.name for path in before}
    assert (
        3 == run("witness", "--begin", NAME, "--key-file", "2", "--state", "sai.db")[0]
    )
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert 1 == run(*words, "--log", "x")[0]
    assert (
        1 == run("witness", "--begin", "no name", "--key-file", "3", "--state", "3")[0]
    )
    assert before.keys() == set(tmp_path.iterdir())


# What cannot be


def _log_key(name: str) -> None:
    Path(name).unlink()
    SigningKey.make(ORIGIN).save(name)


def _text(name: str, text: str = "no such thing\n") -> None:
    Path(name).write_text(text, "utf-8")
    Path(name).chmod(0o600)


def _cut(name: str) -> None:
    Path(name).write_bytes(Path(name).read_bytes()[:5000])


def _newer(name: str) -> None:
    with closing(sqlite3.connect(name)) as connection:
        connection.execute("PRAGMA user_version = 2")


TROUBLE: Final[dict[str, tuple[Callable[[], object], int, str]]] = {
    "a key that is missing": (Path("sai.key").unlink, 1, "it cannot be read"),
    "a key that is none": (lambda: _text("sai.key"), 1, "it is not one line PRIVATE"),
    "a key that others may read": (
        lambda: Path("sai.key").chmod(0o644),
        1,
        "others may read it",
    ),
    "a key of a log": (
        lambda: _log_key("sai.key"),
        1,
        "a witness cannot sign with these keys",
    ),
    "a state that is missing": (Path("sai.db").unlink, 3, "a witness that forgets"),
    "a state that is none": (lambda: _text("sai.db"), 3, "sai.db"),
    "a state that is a ledger": (
        lambda: Path("sai.db").write_bytes(Path("azcn.db").read_bytes()),
        3,
        "this is no witness's memory",
    ),
    "a state cut off": (lambda: _cut("sai.db"), 3, "sai.db"),
    "a state of another release": (lambda: _newer("sai.db"), 3, "its version is 2"),
}


@pytest.mark.parametrize("what", TROUBLE)
def test_a_bad_key_or_state_is_said(seeded: Run, vkey: str, what: str) -> None:
    """What is wrong, and with which file; nobody is served."""
    spoil, expected, words = TROUBLE[what]
    spoil()
    code, out, err = seeded("witness", *STATE, "--log", vkey)
    assert (expected, "", 1) == (code, out, err.count("azcn: "))
    assert words in err


def test_a_locked_state_is_said(
    seeded: Run, vkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the file for too long is waited for, and no longer."""
    monkeypatch.setattr(memory_module, "_WAIT_S", 0.1)
    # By the same SQLite: locks of another one in this process would be no hindrance.
    with closing(apsw.Connection("sai.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        code, out, err = seeded("witness", *STATE, "--log", vkey)
    assert (3, "") == (code, out)
    assert "sai.db" in err


def test_a_busy_port_is_said(seeded: Run, vkey: str) -> None:
    """With host and port; and no port that is none."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, out, err = seeded("witness", *STATE, "--log", vkey, "--port", port)
    assert (1, "") == (code, out)
    assert f"127.0.0.1, port {port}: cannot listen" in err
    for number in ("-1", "65536", "x", "9" * 5000, "٣"):
        words = ("witness", *STATE, "--log", vkey, "--port", number)
        assert 2 == seeded(*words)[0]


def test_it_serves_known_logs_alone(seeded: Run, vkey: str) -> None:
    """None is too few, and each key is one that a log signs with."""
    assert (1, "azcn: for which logs? give --log or --policy\n") == seeded(
        "witness", *STATE
    )[::2]
    witness = str(SigningKey.load("sai.key").verifier)
    for bad in ("x", witness, f"{vkey}\nlog {vkey}"):
        code, _, err = seeded("witness", *STATE, "--log", bad)
        assert 1 == code
        assert err.startswith("azcn: --log: 1 problem in this policy")


# The operator's side


def test_a_witness_that_does_not_cosign_is_said(
    seeded: Run, vkey: str, serve: Serve
) -> None:
    """The note is signed and printed all the same; the others are asked too."""
    served = serve("--log", vkey)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"http://127.0.0.1:{gone.getsockname()[1]}"
    code, note, err = sign(
        seeded, nobody, "--witness", "no url", "--witness", served.url
    )
    assert (1, 2, 2) == (code, len(note.signatures), err.count("azcn: "))
    assert f"{nobody} did not cosign: it cannot be asked" in err
    other = SigningKey.make(NAME, Scheme.COSIGNATURE).verifier
    Path("policy.txt").write_text(
        f"log {vkey}\nwitness sai {other}\nquorum sai\n", "utf-8"
    )
    code, note, err = sign(seeded, served.url)
    assert (1, 1) == (code, len(note.signatures))
    assert "its answer does not hold" in err


def test_whose_cosignatures_is_asked_before_anything_is_signed(
    seeded: Run, vkey: str
) -> None:
    """Without a policy, or with a bad one, there is no signature to take back."""
    assert vkey
    words = ("--key-file", "log.key", "--last", "last.note", "--begin")
    asked = ("checkpoint", *words, "--witness", "http://127.0.0.1:1")
    assert (1, "azcn: whose cosignatures? give --policy\n") == seeded(*asked)[::2]
    Path("bad.txt").write_text("quorum\n", "utf-8")
    assert 1 == seeded(*asked, "--policy", "bad.txt")[0]
    assert not Path("last.note").exists()


# The page


def test_the_page_can_be_typed(tmp_path: Path, serve: Serve) -> None:
    """Every command of it, in its order, with a port that is free."""
    blocks: list[str] = re.findall(
        r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    begin, start, ask, verify, forks = blocks
    programs = tmp_path / "bin"
    programs.mkdir()
    azcn = programs / "azcn"
    azcn.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m azcn_events "$@"\n')
    azcn.chmod(0o755)

    def typed(text: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", text],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    seeds = " ".join(f"'{path}'" for path in seed_files())
    typed(f"azcn load {seeds}; azcn key {ORIGIN} log.key | tail -n 1 > log.vkey")
    typed(begin)
    words = "azcn witness --key-file sai.key --state sai.db"
    assert f'{words} --log "$(cat log.vkey)" --port 8741\n' == start
    served = serve("--log", (tmp_path / "log.vkey").read_text().strip())
    typed(ask.replace("http://127.0.0.1:8741", served.url))
    last = typed(verify).splitlines()[-1]
    assert "assurance: witnessed, up to event 27, by cosigned.note" == last
    assert f"`{last}`" in PAGE.read_text("utf-8")
    assert "" == typed(forks)
