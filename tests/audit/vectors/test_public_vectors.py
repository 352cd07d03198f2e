"""Vectors of other projects: every good one accepted, every bad one refused."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azcn_events.audit import (
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    open_note,
    parse_note,
    read_checkpoint,
    read_tiles,
)
from azcn_events.core.merkle import (
    EMPTY_ROOT,
    Tree,
    entry_hash,
    verify_consistency,
    verify_inclusion,
)
from azcn_events.errors import ProofRefused

GOLDEN_KEY = (
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
)
GOLDEN_ORIGIN = "example.com/log/testdata"

EXCEPTIONS = {
    # Its two roots have two bytes. A root that is no SHA-256 hash is nobody's: Go's
    # sumdb/tlog does not take it either.
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
}
OTHERS = {"subtreeinclusion": 204, "subtreeconsistency": 118}
"""Kinds of proofs that this library neither makes nor takes: of subtrees, which are
for certificates in batches (draft-ietf-plants-merkle-tree-certs)."""


def raw(text: str | None) -> bytes:
    """Decode base64 as the vectors have it."""
    return base64.b64decode(text or "")


def inclusion(case: dict[str, Any]) -> None:
    """Verify an inclusion case."""
    proof = list(map(raw, case["proof"] or []))
    index, size = case["leafIdx"], case["treeSize"]
    verify_inclusion(index, size, raw(case["leafHash"]), proof, raw(case["root"]))


def consistency(case: dict[str, Any]) -> None:
    """Verify a consistency case."""
    proof = list(map(raw, case["proof"] or []))
    old, new = case["size1"], case["size2"]
    verify_consistency(old, new, proof, raw(case["root1"]), raw(case["root2"]))


def cases(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the cases of one kind by the names of their files."""
    for path in sorted((folder / kind).rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        yield name, json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("kind", "check", "good"),
    [("inclusion", inclusion, 6), ("consistency", consistency, 6)],
)
def test_proofs_of_transparency_dev(
    kind: str, check: Callable[[dict[str, Any]], None], good: int, merkle_vectors: Path
) -> None:
    """98 of each kind, nearly all of which must be refused."""
    found = list(cases(merkle_vectors, kind))
    wrong, accepted = set[str](), 0
    for name, case in found:
        try:
            check(case)
            is_accepted = True
        except ProofRefused:
            is_accepted = False
        accepted += is_accepted
        if is_accepted == case["wantErr"]:
            wrong.add(name)
    assert {name for name in EXCEPTIONS if name.startswith(kind)} == wrong
    assert (98, good) == (len(found), accepted + len(wrong))


def test_no_other_kind_of_vectors_is_passed_over(merkle_vectors: Path) -> None:
    """All 518 are of a kind that is checked, or that we have nothing of."""
    kinds = Counter(
        path.relative_to(merkle_vectors).parts[0]
        for path in merkle_vectors.rglob("*.json")
    )
    assert {**OTHERS, "inclusion": 98, "consistency": 98} == kinds


def golden(folder: Path, size: int) -> Checkpoint:
    """Open the golden log's checkpoint of a size."""
    data = (folder / f"checkpoint.{size}").read_bytes()
    return open_checkpoint(
        data, [VerifierKey.parse(GOLDEN_KEY)], GOLDEN_ORIGIN
    ).checkpoint


def test_the_golden_log_of_tessera(golden_log: Path) -> None:
    """Its folder verifies at each of its sixteen sizes, and so do all pairs of them."""
    checkpoints = [golden(golden_log, size) for size in range(16)]
    assert list(range(16)) == [checkpoint.size for checkpoint in checkpoints]
    entries = list(read_tiles(golden_log, checkpoints[15]))
    leaves = list(map(entry_hash, entries))
    tree = Tree(lambda low, high: leaves[low:high])
    tree.grow(15)
    pairs = 0
    for new in checkpoints:
        assert entries[: new.size] == list(read_tiles(golden_log, new))
        assert new.root == tree.root(new.size)
        for old in checkpoints[1 : new.size + 1]:
            proof = tree.consistency(old.size, new.size)
            verify_consistency(old.size, new.size, proof, old.root, new.root)
            pairs += 1
    assert 120 == pairs
    assert EMPTY_ROOT == checkpoints[0].root
    newest = open_note(read_checkpoint(golden_log), [VerifierKey.parse(GOLDEN_KEY)])
    assert Checkpoint.parse(newest.text) in checkpoints


@pytest.mark.parametrize(
    ("note", "key"),
    [
        ("example.note", "example.vkey"),
        ("sum.golang.org.checkpoint", "sum.golang.org.vkey"),
    ],
)
def test_notes_that_others_signed(note: str, key: str, note_vectors: Path) -> None:
    """They open, are written as they were read, and bear no change of one bit."""
    data = (note_vectors / note).read_bytes()
    known = VerifierKey.parse((note_vectors / key).read_text("utf-8").strip())
    opened = open_note(data, [known])
    assert [known] == [signer.key for signer in opened.signers]
    assert data == bytes(parse_note(data))
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(ProofRefused):
            open_note(changed, [known])


def test_a_checkpoint_of_sum_golang_org(note_vectors: Path) -> None:
    """Its origin has spaces, and is not the name of its key: so it is told apart."""
    data = (note_vectors / "sum.golang.org.checkpoint").read_bytes()
    checkpoint = Checkpoint.parse(parse_note(data).text)
    assert ("go.sum database tree", 35_225_469) == (checkpoint.origin, checkpoint.size)


def test_a_key_of_gos_own_tests(note_vectors: Path) -> None:
    """It is read, and written as it was."""
    text = (note_vectors / "go-note-test.vkey").read_text("utf-8").strip()
    key = VerifierKey.parse(text)
    assert ("PeterNeumann", text) == (key.name, str(key))
