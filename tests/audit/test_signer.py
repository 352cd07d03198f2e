"""The signer: one history, of durable events, by one process at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from tests.audit.signing import LOG_KEY, ORIGIN, QUANTUM_KEY, TIME, fill, log_of

from azcn_events.audit import (
    Checkpoint,
    Log,
    LogSigner,
    Note,
    Scheme,
    SigningKey,
    open_checkpoint,
    parse_note,
    signed,
)
from azcn_events.errors import (
    ForkRefused,
    InvalidValue,
    ProofRefused,
    SigningRefused,
    StoreUnusable,
)
from azcn_events.stores.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A durable store of ten events."""
    store = SqliteStore.open(tmp_path / "ledger.db")
    fill(store, 10)
    yield store
    store.close()


@pytest.fixture
def signer(tmp_path: Path) -> LogSigner:
    """A signer that keeps its last checkpoint in another folder."""
    (tmp_path / "elsewhere").mkdir()
    return LogSigner(tmp_path / "elsewhere" / "last", [LOG_KEY], clock=lambda: TIME)


def opened(note: Note) -> Checkpoint:
    """Open a note of our log."""
    return open_checkpoint(note, [LOG_KEY.verifier], ORIGIN).checkpoint


def test_what_is_signed_is_the_log_as_it_stands(
    store: SqliteStore, signer: LogSigner
) -> None:
    """Size and root; and it is kept as it was given out."""
    note = signer.sign(Log(store), begin=True)
    assert Log(store).checkpoint(ORIGIN, 10) == opened(note)
    assert bytes(note) == signer.last.read_bytes()
    fill(store, 5)
    note = signer.sign(Log(store))
    assert (15, bytes(note)) == (opened(note).size, signer.last.read_bytes())
    assert note == signer.sign(Log(store)), "nothing new, and nothing wrong"


def test_an_empty_log_is_signed_as_such(tmp_path: Path, signer: LogSigner) -> None:
    """And continued by any other."""
    with_nothing = SqliteStore.open(tmp_path / "empty.db")
    log = Log(with_nothing)
    assert 0 == opened(signer.sign(log, begin=True)).size
    fill(with_nothing, 3)
    assert 3 == opened(signer.sign(log)).size
    with_nothing.close()


def test_a_restored_backup_is_found_out(
    store: SqliteStore, signer: LogSigner, tmp_path: Path
) -> None:
    """It has fewer events; grown again to more, it has others."""
    store.close()
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    with_more = SqliteStore.open(tmp_path / "ledger.db")
    fill(with_more, 5)
    before = signer.sign(Log(with_more), begin=True)
    with_more.close()
    restored = SqliteStore.open(tmp_path / "backup.db")
    with pytest.raises(ForkRefused, match="lost events") as caught:
        signer.sign(Log(restored))
    assert (15, opened(before).root, 10, b"") == (
        caught.value.signed_size,
        caught.value.signed_root,
        caught.value.size,
        caught.value.root,
    )
    fill(restored, 7, word="another")
    with pytest.raises(ForkRefused, match="are not the same") as caught:
        signer.sign(Log(restored))
    assert Log(restored).root(15) == caught.value.root
    assert bytes(before) == signer.last.read_bytes(), "the last one stays"
    restored.close()


def test_without_the_last_checkpoint_nothing_is_signed(
    store: SqliteStore, signer: LogSigner
) -> None:
    """Unless it is said that there was none; which is refused if there was."""
    log = Log(store)
    with pytest.raises(SigningRefused, match="is missing"):
        signer.sign(log)
    signer.sign(log, begin=True)
    with pytest.raises(SigningRefused, match="begun already"):
        signer.sign(log, begin=True)
    signer.last.unlink()
    with pytest.raises(SigningRefused, match="newest published one"):
        signer.sign(log)
    assert not signer.last.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"a" * 2_000_000,
        bytes(signed(Checkpoint("other.example", 0, sha256().digest()),
                     [SigningKey.make("other.example")])),
    ],
)  # fmt: skip
def test_a_damaged_last_checkpoint_is_no_checkpoint(
    data: bytes, store: SqliteStore, signer: LogSigner
) -> None:
    """Nor is one that somebody else signed."""
    signer.last.write_bytes(data)
    for begin in (False, True):
        with pytest.raises(SigningRefused, match="should hold the last signed"):
            signer.sign(Log(store), begin=begin)
    assert data == signer.last.read_bytes()


def test_what_cannot_be_read_is_not_overwritten(
    store: SqliteStore, signer: LogSigner
) -> None:
    """Such as a pipe in the file's place, which is not waited for."""
    os.mkfifo(signer.last)
    with pytest.raises(SigningRefused, match="cannot be read"):
        signer.sign(Log(store), begin=True)


def test_only_what_is_durable_is_signed(tmp_path: Path, signer: LogSigner) -> None:
    """Else a power failure would make a forger of an honest operator."""
    quick = SqliteStore.open(tmp_path / "quick.db", durability="normal")
    for is_durable in (None, False, True):
        with pytest.raises(SigningRefused, match=r"'normal'.*durability='full'"):
            signer.sign(Log(quick), begin=True, is_durable=is_durable)
    quick.close()
    assert not signer.last.exists()


def test_a_store_that_does_not_say_is_not_believed(signer: LogSigner) -> None:
    """Somebody has to say so for it."""
    for is_durable in (None, False):
        with pytest.raises(SigningRefused, match="None"):
            signer.sign(log_of(3), begin=True, is_durable=is_durable)
    assert 3 == opened(signer.sign(log_of(3), begin=True, is_durable=True)).size


def test_one_process_signs_at_a_time(store: SqliteStore, signer: LogSigner) -> None:
    """Another is refused at once, and may try again when the first is done."""
    program = (
        "import fcntl, sys; lock = open(sys.argv[1], 'w');"
        "fcntl.flock(lock, fcntl.LOCK_EX); print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", program, f"{signer.last}.lock"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert "held\n" == other.stdout.readline()
        with pytest.raises(SigningRefused, match="another process is signing"):
            signer.sign(Log(store), begin=True)
        other.stdin.write("\n")
    assert 10 == opened(signer.sign(Log(store), begin=True)).size


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_is_not_kept_is_not_given_out(
    call: str, store: SqliteStore, signer: LogSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: the last checkpoint is the old one, and no file is left."""
    before = signer.sign(Log(store), begin=True)
    fill(store, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        patch.setattr(Path, call, full, raising=False)
        with pytest.raises(SigningRefused, match="No space left"):
            signer.sign(Log(store))
    assert bytes(before) == signer.last.read_bytes()
    assert {"last", "last.lock"} == {path.name for path in signer.last.parent.iterdir()}
    assert 11 == opened(signer.sign(Log(store))).size


def test_nowhere_to_keep_it_is_nothing_to_sign(
    store: SqliteStore, tmp_path: Path
) -> None:
    """A folder that is missing is not made: it may be a disk that is not mounted."""
    signer = LogSigner(tmp_path / "unmounted" / "last", [LOG_KEY])
    with pytest.raises(SigningRefused, match="no lock can be taken"):
        signer.sign(Log(store), begin=True)


def test_a_link_to_the_last_checkpoint_is_followed(
    store: SqliteStore, signer: LogSigner, tmp_path: Path
) -> None:
    """It stays on the other disk, and so does the lock that all of its signers take."""
    link = tmp_path / "last"
    link.symlink_to(Path("elsewhere", "last"))
    by_link = LogSigner(link, [LOG_KEY], clock=lambda: TIME)
    by_link.sign(Log(store), begin=True)
    fill(store, 1)
    note = by_link.sign(Log(store))
    assert link.is_symlink()
    assert note == signer.last_note() == by_link.last_note()
    assert {"last", "last.lock"} == {path.name for path in signer.last.parent.iterdir()}
    assert not (tmp_path / "last.lock").exists()


def test_a_link_to_nowhere_is_left(store: SqliteStore, tmp_path: Path) -> None:
    """The disk that it leads to may not be mounted."""
    link = tmp_path / "last"
    link.symlink_to(Path("unmounted", "last"))
    with pytest.raises(SigningRefused, match="no lock can be taken"):
        LogSigner(link, [LOG_KEY]).sign(Log(store), begin=True)
    assert link.is_symlink()


def test_keys_are_changed_by_signing_with_both(
    store: SqliteStore, signer: LogSigner
) -> None:
    """Whoever knows the old one only still opens it; then the new one signs alone."""
    signer.sign(Log(store), begin=True)
    new = SigningKey.make(ORIGIN)
    signer.keys = [new, LOG_KEY, QUANTUM_KEY]
    both = signer.sign(Log(store))
    for key in signer.keys:
        (signer_found,) = open_checkpoint(both, [key.verifier], ORIGIN).signers
        assert key.verifier == signer_found.key
    signer.keys = [new]
    alone = signer.sign(Log(store))
    with pytest.raises(ProofRefused):
        opened(alone)


def test_after_a_key_was_lost_its_public_half_is_enough(
    store: SqliteStore, signer: LogSigner
) -> None:
    """To read the last checkpoint; without it nothing is signed."""
    signer.sign(Log(store), begin=True)
    signer.keys = [SigningKey.make(ORIGIN)]
    with pytest.raises(SigningRefused, match="retired"):
        signer.sign(Log(store))
    signer.retired = [LOG_KEY.verifier]
    assert 10 == Checkpoint.parse(signer.sign(Log(store)).text).size


def test_keys_are_those_of_the_log(store: SqliteStore, signer: LogSigner) -> None:
    """All of one name, and one at least."""
    signer.keys = [LOG_KEY, SigningKey.make("other.example")]
    with pytest.raises(InvalidValue, match=r"other\.example"):
        signer.sign(Log(store), begin=True)
    signer.keys = []
    with pytest.raises(SigningRefused, match="no key"):
        signer.sign(Log(store), begin=True)
    assert not signer.last.exists()


def test_a_signature_that_says_when_takes_the_clocks_word(
    store: SqliteStore, signer: LogSigner
) -> None:
    """As ML-DSA-44's does."""
    signer.keys = [LOG_KEY, QUANTUM_KEY]
    note = parse_note(bytes(signer.sign(Log(store), begin=True)))
    keys = [key.verifier for key in signer.keys]
    signers = open_checkpoint(note, keys, ORIGIN).signers
    assert [(Scheme.ED25519, None), (Scheme.COSIGNATURE_MLDSA44, TIME)] == [
        (one.key.scheme, one.time) for one in signers
    ]


def test_a_log_asked_for_more_than_it_has_says_so() -> None:
    """Roots and proofs are of events that there are."""
    log = log_of(5)
    calls = (
        lambda: log.root(6),
        lambda: log.root(-1),
        lambda: log.inclusion(5, 5),
        lambda: log.inclusion(-1, 5),
        lambda: log.inclusion(1, 6),
        lambda: log.consistency(0, 5),
        lambda: log.consistency(3, 2),
        lambda: log.consistency(3, 6),
        lambda: log.hashes(1, 0, 1),
    )
    for call in calls:
        with pytest.raises(InvalidValue):
            call()


def test_a_closed_store_is_not_signed(store: SqliteStore, signer: LogSigner) -> None:
    """Its own error says why, and nothing is kept."""
    store.close()
    with pytest.raises(StoreUnusable):
        signer.sign(Log(store), begin=True)
    assert not signer.last.exists()
