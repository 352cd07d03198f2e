"""Proof files: one event, checked by somebody's policy and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.signing import (
    LOG_KEY,
    ORIGIN,
    TIME,
    WITNESS_KEY,
    log_of,
    note_of,
)

from azcn_events.audit import (
    Checkpoint,
    Note,
    ProofFile,
    parse_policy,
    parse_proof_file,
    prove,
    signed,
    verify_proof_file,
)
from azcn_events.audit.encoding import base64_of
from azcn_events.audit.proof_files import PROOF_FILE_BYTES_MAX
from azcn_events.errors import InvalidValue, ProofRefused

SIZE = 13
LOG = log_of(SIZE)
NOTE = WITNESS_KEY.cosign(note_of(LOG), TIME)
POLICY = parse_policy(
    f"log {LOG_KEY.verifier}\nwitness w {WITNESS_KEY.verifier}\nquorum w\n".encode()
)
PROOF = prove(LOG, 4, NOTE)
hashes = st.binary(min_size=32, max_size=32)


def leaf(index: int) -> bytes:
    """Give an event's leaf hash."""
    return LOG.hashes(0, index, index + 1)


def test_a_proof_reads_as_the_specification_lays_it_out() -> None:
    """Tag, index, the path from the leaf up, a blank line, the checkpoint verbatim."""
    path = "".join(f"{base64_of(one)}\n" for one in LOG.inclusion(4, SIZE))
    expected = f"c2sp.org/tlog-proof@v1\nindex 4\n{path}\n{NOTE}".encode()
    assert expected == bytes(PROOF)


@pytest.mark.parametrize("index", range(SIZE))
def test_every_event_is_proved(index: int) -> None:
    """And to be no other."""
    proof = bytes(prove(LOG, index, NOTE))
    opened = verify_proof_file(proof, leaf(index), POLICY, ORIGIN)
    assert LOG.checkpoint(ORIGIN) == opened.checkpoint
    assert [None, TIME] == [signer.time for signer in opened.signers]
    for other in set(range(SIZE)) - {index}:
        with pytest.raises(ProofRefused):
            verify_proof_file(proof, leaf(other), POLICY)


def test_the_only_event_needs_no_path() -> None:
    """The root is its leaf."""
    log = log_of(1)
    note = WITNESS_KEY.cosign(note_of(log), TIME)
    proof = prove(log, 0, note)
    assert () == proof.path
    assert 1 == verify_proof_file(bytes(proof), leaf(0), POLICY).checkpoint.size


@given(st.integers(0, 2**63 - 1), st.lists(hashes, max_size=63), st.binary())
def test_a_proof_file_is_read_back(index: int, path: list[bytes], extra: bytes) -> None:
    """Extra data is let through and dropped: nobody signed it."""
    proof = ProofFile(index, tuple(path), NOTE)
    assert proof == parse_proof_file(bytes(proof))
    with_extra = bytes(proof).replace(
        b"\n", f"\nextra {base64_of(extra)}\n".encode(), 1
    )
    assert proof == parse_proof_file(with_extra)


@given(st.integers(0, 10_000), st.integers(0, 5), st.binary(max_size=5))
def test_a_changed_proof_proves_nothing_else(at: int, cut: int, put: bytes) -> None:
    """It is refused, or what it proves is what it proved before."""
    data = bytes(PROOF)
    at %= len(data)
    changed = data[:at] + put + data[at + cut :]
    try:
        opened = verify_proof_file(changed, leaf(4), POLICY)
    except ProofRefused:
        return
    assert LOG.checkpoint(ORIGIN) == opened.checkpoint
    assert parse_proof_file(changed).path == PROOF.path


@given(st.binary(max_size=200) | st.binary(max_size=99).map(lambda b: b"index " + b))
def test_any_bytes_are_a_proof_file_or_refused(data: bytes) -> None:
    """It never crashes."""
    for tagged in (data, b"c2sp.org/tlog-proof@v1\n" + data):
        with pytest.raises(ProofRefused):
            parse_proof_file(tagged)


def test_what_is_no_proof_file_is_refused() -> None:
    """Another version, a path that no tree has, too much of anything."""
    good = bytes(PROOF)
    high = ProofFile(0, (b"x" * 32,) * 64, NOTE)
    for data, why in (
        (good.replace(b"@v1", b"@v2"), "it is not"),
        (good.replace(b"\n\n", b"\n", 1), "index|hash|base64|not"),
        (good.replace(b"index 4", b"index 04"), "no decimal number"),
        (good.replace(b"index 4", b"index: 4"), "index"),
        (good.replace(b"\nindex", b"\nextra AB==\nindex"), "another spelling"),
        (good.replace(b"\nindex", b"\nextra \nextra \nindex"), "index"),
        (bytes(high), "as high as 64"),
        (b"x" * (PROOF_FILE_BYTES_MAX + 1), "at most"),
    ):
        with pytest.raises(ProofRefused, match=why):
            parse_proof_file(data)


def test_a_proof_is_no_better_than_its_checkpoint() -> None:
    """Without the witness, of another log, by another key: refused."""
    lone = prove(LOG, 4, note_of(LOG))
    with pytest.raises(ProofRefused, match="quorum 'w'"):
        verify_proof_file(lone, leaf(4), POLICY)
    with pytest.raises(ProofRefused, match="about the log"):
        verify_proof_file(PROOF, leaf(4), POLICY, "other.example")
    nobody = parse_policy(f"log {WITNESS_LOG}\nquorum none\n".encode())
    with pytest.raises(ProofRefused, match="none of the keys known"):
        verify_proof_file(PROOF, leaf(4), nobody)


WITNESS_LOG = (
    "example.com/other+"
    + sha256(b"example.com/other\n\x01" + b"k" * 32).hexdigest()[:8]
    + "+"
    + base64_of(b"\x01" + b"k" * 32)
)


def test_only_what_will_be_accepted_is_handed_out() -> None:
    """A checkpoint of another log, or no checkpoint, is refused at once."""
    other = signed(Checkpoint(ORIGIN, 5, sha256(b"other").digest()), [LOG_KEY])
    ahead = note_of(log_of(SIZE + 1))
    for note in (other, ahead, Note("hello\n")):
        with pytest.raises(ProofRefused, match="checkpoint"):
            prove(LOG, 4, note)
    with pytest.raises(InvalidValue, match="0 to 12"):
        prove(LOG, SIZE, NOTE)
