from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.vectors.conftest import vectors
from tests.audit.witness_clients import (
    ORIGIN,
    cosigned_roots,
    log_key,
    note_of,
    request_of,
    tree,
    witness_key,
)

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import base64_of
from azcn_events.audit.keys import SigningKey
from azcn_events.audit.notes import Note, Scheme, VerifierKey, open_note, parse_note
from azcn_events.audit.policy import parse_policy
from azcn_events.audit.witness import (
    PROOF_HASHES_MAX,
    REQUEST_BYTES_MAX,
    Request,
    Witness,
    decide,
    logs_of,
    parse_request,
    write_request,
)
from azcn_events.audit.witness_memory import FORKS_MAX, NOTHING, Seen, WitnessMemory
from azcn_events.core.merkle import EMPTY_ROOT, Tree
from azcn_events.errors import AzcnEventsError, InvalidValue, StoreUnusable

TREE, OTHER = tree(0), tree(1)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[WitnessMemory]:
    """The memory of a witness that has seen nothing."""
    with WitnessMemory.make(tmp_path / "witness.db") as made:
        yield made


@pytest.fixture
def witness(memory: WitnessMemory) -> Witness:
    """A witness that knows one log."""
    logs = {ORIGIN: (log_key().verifier,)}
    return Witness([witness_key()], logs, memory, clock=lambda: 1_700_000_000)


# The decision


DECISIONS = [
    ("old above the size", Seen(3, TREE.root(3)), 5, 4, TREE, 400),
    ("what comes first: old", NOTHING, 5, 4, TREE, 400),
    ("not the size remembered", Seen(3, TREE.root(3)), 2, 5, TREE, 409),
    ("nothing said of it", Seen(3, TREE.root(3)), 0, 5, TREE, 409),
    ("never seen, and said to be", NOTHING, 2, 5, TREE, 409),
    ("another root of one size", Seen(5, TREE.root(5)), 5, 5, OTHER, 409),
    ("another history", Seen(3, TREE.root(3)), 3, 5, OTHER, 422),
    ("the first", NOTHING, 0, 5, TREE, 200),
    ("the next", Seen(3, TREE.root(3)), 3, 5, TREE, 200),
    ("the same", Seen(5, TREE.root(5)), 5, 5, TREE, 200),
    ("the same of nothing", NOTHING, 0, 0, TREE, 200),
]


@pytest.mark.parametrize(
    ("seen", "old", "size", "history", "status"),
    [pytest.param(*row[1:], id=row[0]) for row in DECISIONS],
)
def test_the_table_of_decisions(
    seen: Seen, old: int, size: int, history: Tree, status: int
) -> None:
    """Each line of the specification's table has its status."""
    checkpoint = Checkpoint(ORIGIN, size, history.root(size))
    proof = history.consistency(old, size) if 0 < old <= size else []
    assert status == decide(seen, old, proof, checkpoint).status


def test_an_empty_log_has_one_root() -> None:
    """Of no entries there is one root, whatever is stated."""
    stated = Checkpoint(ORIGIN, 0, b"\1" * 32)
    assert 422 == decide(NOTHING, 0, [], stated).status


def test_from_nothing_nothing_is_proved() -> None:
    """A proof with old 0 is refused."""
    checkpoint = Checkpoint(ORIGIN, 5, TREE.root(5))
    assert 422 == decide(NOTHING, 0, [TREE.root(1)], checkpoint).status


def test_what_proves_a_fork() -> None:
    """Two roots of one size do, whatever the log believes to be remembered."""
    checkpoint = Checkpoint(ORIGIN, 5, OTHER.root(5))
    for old in (0, 3, 5):
        ruling = decide(Seen(5, TREE.root(5)), old, [], checkpoint)
        assert (409, True) == (ruling.status, ruling.is_fork)
    assert not decide(Seen(4, TREE.root(4)), 0, [], checkpoint).is_fork


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 12))))
def test_what_is_cosigned_is_one_history(asked: list[tuple[int, int, int]]) -> None:
    """Whatever is asked, in whatever order: one root a size, and sizes only grow."""
    seen = NOTHING
    cosigned = dict[int, bytes]()
    for name, old, size in asked:
        history = tree(name)
        checkpoint = Checkpoint(ORIGIN, size, history.root(size))
        proof = history.consistency(old, size) if 0 < old <= size else []
        if decide(seen, old, proof, checkpoint).status == 200:
            assert seen.size <= size
            assert checkpoint.root == cosigned.setdefault(size, checkpoint.root)
            seen = Seen(size, checkpoint.root)
    histories = [
        all(tree(name).root(size) == root for size, root in cosigned.items())
        for name in (0, 1)
    ]
    assert any(histories)


# Requests


def test_a_request_comes_back() -> None:
    """What is written is read."""
    note = note_of(TREE, 9)
    proof = TREE.consistency(5, 9)
    expected = Request(5, tuple(proof), bytes(note))
    assert expected == parse_request(write_request(5, proof, note))


GOOD = request_of(TREE, 5, 9)
BAD = {
    "nothing": b"",
    "a note alone": bytes(note_of(TREE, 9)),
    "another word": GOOD.replace(b"old 5", b"Old 5"),
    "two spaces": GOOD.replace(b"old 5", b"old  5"),
    "a leading zero": GOOD.replace(b"old 5", b"old 05"),
    "a sign": GOOD.replace(b"old 5", b"old +5"),
    "another script": GOOD.replace(b"old 5", "old \u0665".encode()),
    "a huge number": GOOD.replace(b"old 5", b"old 9223372036854775808"),
    "a digit too many": GOOD.replace(b"old 5", b"old " + b"9" * 5000),
    "carriage returns": GOOD.replace(b"\n", b"\r\n"),
    "a short hash": GOOD.replace(b"\n\n", b"\nAAAA\n\n", 1),
    "no base64": GOOD.replace(b"\n\n", b"\n" + b"*" * 44 + b"\n\n", 1),
    "many hashes": GOOD.replace(
        b"\n\n", b"\n" + b"\n".join([base64_of(bytes(32)).encode()] * 64) + b"\n\n", 1
    ),
    "not UTF-8": b"\xff" + GOOD,
    "too long": GOOD + b"x" * REQUEST_BYTES_MAX,
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_malformed_is_400(witness: Witness, what: str) -> None:
    """What is no request changes nothing and is told what it is not."""
    answer = witness.answer(BAD[what])
    assert (400, NOTHING) == (answer.status, witness.memory.seen(ORIGIN))
    assert answer.body.endswith("\n")


def test_as_many_hashes_as_may_be(witness: Witness) -> None:
    """63 hashes are read, and prove nothing here."""
    body = write_request(0, [bytes(32)] * PROOF_HASHES_MAX, note_of(TREE, 9))
    assert 422 == witness.answer(body).status


def test_who_is_not_known_is_404(witness: Witness) -> None:
    """A log that the witness was not told of is told so, whatever it signs with."""
    key = SigningKey.make("log.example/other")
    assert 404 == witness.answer(request_of(TREE, 0, 9, key=key)).status


FIRST = request_of(TREE, 0, 9)
UNSIGNED = {
    "another's signature": request_of(TREE, 0, 9, key=SigningKey.make(ORIGIN)),
    "a damaged one": FIRST[:-6] + b"AAA=\n",
    "a changed size": FIRST.replace(b"\n9\n", b"\n8\n"),
    "another spelling of the size": FIRST.replace(b"\n9\n", b"\n09\n"),
    "no signature": FIRST.partition("— ".encode())[0],
    "not UTF-8": FIRST + b"\xff\n",
    "no last line feed": FIRST[:-1],
    "carriage returns in the note": FIRST.replace(b"\n9\n", b"\n9\r\n"),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_who_did_not_sign_is_403(witness: Witness, what: str) -> None:
    """What a known log has not verifiably signed is refused as such."""
    answer = witness.answer(UNSIGNED[what])
    assert (403, NOTHING) == (answer.status, witness.memory.seen(ORIGIN))


@pytest.mark.parametrize("lines", ["9\n", "09\n{}\n", "9\nAAAA\n", "0\nAAAA\n", "0\n"])
def test_what_is_signed_and_no_checkpoint_is_400(witness: Witness, lines: str) -> None:
    """A log may sign other texts; they are not cosigned."""
    text = f"{ORIGIN}\n{lines.format(base64_of(TREE.root(9)))}"
    note = Note(text, (log_key().sign(text),))
    assert 400 == witness.answer(write_request(0, [], note)).status


def test_a_signed_root_over_nothing_is_422(witness: Witness) -> None:
    """A signed checkpoint of no entries with a root of some is refused as such."""
    note = note_of(TREE, 0)
    text = note.text.replace(base64_of(EMPTY_ROOT), base64_of(bytes(32)))
    signed = Note(text, (log_key().sign(text),))
    assert 422 == witness.answer(write_request(0, [], signed)).status


@given(
    st.data(),
    st.sampled_from([GOOD, FIRST, *BAD.values(), *UNSIGNED.values()]),
)
def test_hostile_bodies_are_answered(data: st.DataObject, body: bytes) -> None:
    """Whatever comes has an answer, and what is not signed is not cosigned."""
    piece = st.sampled_from(
        [b"\n", b"\n\n", b"old ", b"\0", b"\xff", b"=", "—".encode(), b"9" * 30]
    ) | st.binary(max_size=8)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body)))
        gone = data.draw(st.sampled_from([0, 0, 1, 2, 50]))
        body = body[:at] + data.draw(piece) + body[at + gone :]
    witness = Witness([witness_key()], {ORIGIN: [log_key().verifier]}, _Forgetful())
    answer = witness.answer(body)
    assert answer.status in {200, 400, 403, 404, 409, 422}
    if answer.status == 200:
        open_note(parse_request(body).note, [log_key().verifier])


class _Forgetful(WitnessMemory):
    """A memory without a file, for one request."""

    def __init__(self) -> None:
        pass

    def turn(self, origin: str) -> Any:
        return _Once(origin)


class _Once:
    def __init__(self, origin: str) -> None:
        self.origin, self.seen = origin, NOTHING

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def keep(self, *_: object) -> None:
        pass

    keep_fork = keep


# What it does and remembers


def test_a_cosignature_verifies_and_is_remembered(witness: Witness) -> None:
    """The answer's line, below the note, verifies with the witness's key."""
    note = note_of(TREE, 9)
    answer = witness.answer(write_request(0, [], note))
    cosigned = parse_note(bytes(note) + answer.body.encode())
    opened = open_note(cosigned, [witness_key().verifier])
    assert 1_700_000_000 == opened.signers[0].time
    assert Seen(9, TREE.root(9)) == witness.memory.seen(ORIGIN)


def test_every_key_of_a_witness_signs(memory: WitnessMemory) -> None:
    """While a witness changes keys, both sign; one of them may be of ML-DSA-44."""
    new = SigningKey.make("witness.example/w", Scheme.COSIGNATURE_MLDSA44)
    keys = [new, witness_key()]
    witness = Witness(keys, {ORIGIN: [log_key().verifier]}, memory)
    note = note_of(TREE, 9)
    answer = witness.answer(write_request(0, [], note))
    cosigned = parse_note(bytes(note) + answer.body.encode())
    opened = open_note(cosigned, [key.verifier for key in keys])
    assert [key.verifier for key in keys] == [one.key for one in opened.signers]


@pytest.mark.parametrize("keys", [[], [log_key()]])
def test_a_witness_needs_a_key_of_cosignatures(
    memory: WitnessMemory, keys: list[SigningKey]
) -> None:
    """A log's key signs no time, so a witness cannot use it."""
    with pytest.raises(InvalidValue, match="COSIGNATURE"):
        Witness(keys, {}, memory)


def test_a_fork_is_refused_and_kept(witness: Witness) -> None:
    """The request that proves it is kept, verbatim, beside what was cosigned."""
    first = note_of(TREE, 9)
    witness.answer(write_request(0, [], first))
    fork = request_of(OTHER, 9, 9)
    for _ in range(2):
        answer = witness.answer(fork)
        assert (409, "9\n") == (answer.status, answer.body)
    (kept,) = witness.memory.forks()
    assert (ORIGIN, 9, bytes(first), fork) == (
        kept.origin, kept.size, kept.note, kept.request
    )  # fmt: skip
    known = [log_key().verifier]
    ours = open_note(kept.note, known).text
    theirs = open_note(parse_request(kept.request).note, known).text
    assert ours != theirs
    assert Seen(9, TREE.root(9)) == witness.memory.seen(ORIGIN)


def test_only_so_many_forks_are_kept(witness: Witness) -> None:
    """Who has the log's key cannot fill the witness's disk."""
    witness.answer(request_of(TREE, 0, 1))
    for number in range(FORKS_MAX + 5):
        checkpoint = Checkpoint(ORIGIN, 1, number.to_bytes(32, "big"))
        text = checkpoint.text()
        note = Note(text, (log_key().sign(text),))
        assert 409 == witness.answer(write_request(1, [], note)).status
    assert FORKS_MAX == len(witness.memory.forks())


def test_logs_do_not_know_of_each_other(memory: WitnessMemory) -> None:
    """What is remembered of one log says nothing of another."""
    other = SigningKey.make("log.example/other")
    logs = {key.verifier.name: [key.verifier] for key in (log_key(), other)}
    witness = Witness([witness_key()], logs, memory)
    assert 200 == witness.answer(request_of(TREE, 0, 9)).status
    assert 200 == witness.answer(request_of(OTHER, 0, 3, key=other)).status
    assert Seen(9, TREE.root(9)) == memory.seen(ORIGIN)


def test_a_policy_names_the_logs() -> None:
    """Two keys of one log are one log, while it changes keys."""
    old, new, other = (SigningKey.make(name).verifier for name in ("a", "a", "b"))
    text = f"log {old}\nlog {new} https://a\nlog {other}\nquorum none\n"
    expected = {"a": (old, new), "b": (other,)}
    assert expected == logs_of(parse_policy(text.encode()))


def test_the_recorded_conversation_of_another_witness(tmp_path: Path) -> None:
    """What torchwood's witness was asked, ours answers likewise, 9 times of 10.

    The tenth, a log that it does not know, is 403 there; the specification says 404 by
    now. Its texts of refusals are its own; statuses, sizes and cosignatures are not.
    From ``cmd/litewitness/testdata`` of github.com/FiloSottile/torchwood (ISC).
    """
    told = vectors("torchwood-litewitness", "add-checkpoint.jsonl")
    cases = [json.loads(line) for line in told.read_text("utf-8").splitlines()]
    witnesses, differ = dict[str, Witness](), []
    for case in cases:
        origin = case["known_origin"]
        if origin not in witnesses:
            memory = WitnessMemory.make(tmp_path / f"{len(witnesses)}.db")
            logs = {origin: [VerifierKey.parse(case["known_vkey"])]}
            key = SigningKey.make("example.com/witness", Scheme.COSIGNATURE)
            witnesses[origin] = Witness([key], logs, memory)
        answer = witnesses[origin].answer(case["request"].encode())
        same = (case["status"], case.get("answer_equals", answer.body))
        if same != (answer.status, answer.body):
            differ.append((case["status"], answer.status, case["answer_contains"]))
        elif answer.status == 200:
            assert case["answer_contains"] in answer.body
    for witness in witnesses.values():
        witness.memory.close()
    assert 10 == len(cases)
    assert [(403, 404, "unknown log")] == differ


# Memory


def test_a_memory_is_made_once(tmp_path: Path) -> None:
    """Neither is a missing one made by opening it, nor one that is there replaced."""
    path = tmp_path / "witness.db"
    with pytest.raises(StoreUnusable, match="may cosign a second history"):
        WitnessMemory.open(path)
    assert not path.exists()
    WitnessMemory.make(path).close()
    with pytest.raises(StoreUnusable, match="a file already"):
        WitnessMemory.make(path)
    WitnessMemory.open(path).close()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" * 99])
def test_what_is_no_memory_is_refused(tmp_path: Path, content: bytes) -> None:
    """A foreign file is refused, and left as it is."""
    path = tmp_path / "witness.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnusable):
        WitnessMemory.open(path)
    assert content == path.read_bytes()


def test_a_newer_memory_is_refused(tmp_path: Path) -> None:
    """A later release's file is not guessed at."""
    path = tmp_path / "witness.db"
    with WitnessMemory.make(path) as memory:
        memory._db.pragma("user_version", 2)
    with pytest.raises(StoreUnusable, match="newer"):
        WitnessMemory.open(path)


@pytest.mark.parametrize("path", ["", ":memory:", "file:x", "a\0b", "no/such/folder/x"])
def test_what_names_no_file_is_refused(path: str) -> None:
    """A memory that would not last is none."""
    with pytest.raises((InvalidValue, StoreUnusable)):
        WitnessMemory.make(path)


def test_it_remembers_after_it_was_closed(witness: Witness, tmp_path: Path) -> None:
    """Another process finds what was cosigned."""
    witness.answer(request_of(TREE, 0, 9))
    with WitnessMemory.open(tmp_path / "witness.db") as memory:
        assert Seen(9, TREE.root(9)) == memory.seen(ORIGIN)


def test_what_breaks_off_keeps_nothing(memory: WitnessMemory) -> None:
    """A turn that raises is taken back, and the next one goes on."""

    def break_off() -> None:
        with memory.turn(ORIGIN) as turn:
            turn.keep(Seen(1, TREE.root(1)), bytes(note_of(TREE, 1)))
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert NOTHING == memory.seen(ORIGIN)
    with memory.turn(ORIGIN) as turn:
        turn.keep(Seen(1, TREE.root(1)), bytes(note_of(TREE, 1)))
    assert Seen(1, TREE.root(1)) == memory.seen(ORIGIN)


def test_damage_never_makes_it_forget(tmp_path: Path) -> None:
    """One bit of each fifth byte is flipped: it remembers the same, or refuses.

    A witness that forgot would cosign a second history.
    """
    path, damaged = tmp_path / "witness.db", tmp_path / "damaged.db"
    kept = Seen(9, TREE.root(9))
    with WitnessMemory.make(path) as memory, memory.turn(ORIGIN) as turn:
        turn.keep(kept, bytes(note_of(TREE, 9)))
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 5):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << place % 8
        damaged.write_bytes(spoilt)
        try:
            with WitnessMemory.open(damaged) as memory:
                found = memory.seen(ORIGIN)
        except AzcnEventsError:
            refused += 1
        else:
            assert kept == found, place
    assert 20 < refused < len(whole) // 5


# Many at once


def test_threads_never_get_two_roots_of_one_size(tmp_path: Path) -> None:
    """Eight threads with two histories race; of each size one root is cosigned."""
    with WitnessMemory.make(tmp_path / "witness.db") as memory:
        witness = Witness([witness_key()], {ORIGIN: [log_key().verifier]}, memory)
        with ThreadPoolExecutor(8) as pool:
            told = pool.map(
                lambda name: cosigned_roots(witness.answer, name % 2, 30), range(8)
            )
            found = [one for each in told for one in each]
    _assert_one_history(found)


def test_processes_never_get_two_roots_of_one_size(tmp_path: Path) -> None:
    """Four processes with a memory in one file race likewise."""
    path = tmp_path / "witness.db"
    WitnessMemory.make(path).close()
    clients = [_client(path, name % 2, 30) for name in range(4)]
    found = list[tuple[int, str]]()
    for client in clients:
        told, _ = client.communicate(timeout=120)
        assert 0 == client.returncode
        found += [(int(size), root) for size, root in map(str.split, told.splitlines())]
    _assert_one_history(found)


def _assert_one_history(found: list[tuple[int, str]]) -> None:
    roots = dict[int, str]()
    for size, root in found:
        assert root == roots.setdefault(size, root)
    assert roots
    assert 1 == sum(
        all(tree(name).root(size).hex() == root for size, root in found)
        for name in (0, 1)
    )


def _client(path: Path, name: int, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.audit.witness_clients"]
    return subprocess.Popen(
        [*command, str(path), str(name), str(rounds)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_witness_remembers_all_it_told(tmp_path: Path) -> None:
    """Killed at any moment, it has on the disk whatever it has cosigned."""
    path = tmp_path / "witness.db"
    WitnessMemory.make(path).close()
    last = 0
    for round_ in range(6):
        client = _client(path, 0, 100_000)
        assert client.stdout is not None
        told = [client.stdout.readline() for _ in range(3 + 5 * round_)]
        client.send_signal(signal.SIGKILL)
        rest, _ = client.communicate(timeout=60)
        complete = [
            line
            for line in [*told, *rest.splitlines(keepends=True)]
            if line.endswith("\n")
        ]
        size = int(complete[-1].split()[0])
        with WitnessMemory.open(path) as memory:
            seen = memory.seen(ORIGIN)
        assert last < size <= seen.size
        assert TREE.root(seen.size) == seen.root
        last = size
