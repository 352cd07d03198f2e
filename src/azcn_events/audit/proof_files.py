"""A file that proves one event: its place, the path to the root, the checkpoint.

With the event's entry, the log's key and this file anybody can check, off line and with
other software, that the event is in the log that the checkpoint's signers have seen.

Source:
    C2SP, "Transparency Log Proofs", https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import (
    NUMBER_MAX,
    base64_of,
    bytes_of,
    hash_of,
    number_of,
    text_of,
)
from azcn_events.audit.log import Log
from azcn_events.audit.notes import NOTE_BYTES_MAX, Note, OpenedCheckpoint, parse_note
from azcn_events.audit.policy import Policy, open_by_policy
from azcn_events.core.merkle import verify_inclusion
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = [
    "PROOF_FILE_BYTES_MAX",
    "PROOF_FILE_SUFFIX",
    "ProofFile",
    "parse_proof_file",
    "prove",
    "verify_proof_file",
]

PROOF_FILE_SUFFIX: Final = ".tlog-proof"
PROOF_FILE_BYTES_MAX: Final = NOTE_BYTES_MAX + 10_000
"""The longest proof file that is read, in bytes."""

_TAG: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_PATH_MAX: Final = NUMBER_MAX.bit_length()


@frozen
class ProofFile:
    """What a proof file says; what it is worth says :func:`verify_proof_file`.

    Attributes:
        index: The entry's place in the log, from 0: its position less 1.
        path: The hashes beside the way from its leaf to the root.
        note: The checkpoint, with its signatures.
    """

    index: int
    path: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        path = "".join(f"{base64_of(one)}\n" for one in self.path)
        return f"{_TAG}\n{_INDEX}{self.index}\n{path}\n{self.note}"

    def __bytes__(self) -> bytes:
        """Write it as it is handed over."""
        return str(self).encode()


def prove(log: Log, index: int, note: Note) -> ProofFile:
    """Prove that an event is in the log that a checkpoint is about.

    Args:
        log: The log.
        index: The event's position less 1.
        note: The checkpoint, with its signatures; copied as it is.

    Raises:
        ProofRefused: If it is no checkpoint, or not one of this log: else the proof
            would be refused by whoever gets it.
        InvalidValue: If the index is not below the checkpoint's size.
    """
    checkpoint = Checkpoint.parse(note.text)
    try:
        root = log.root(checkpoint.size)
    except InvalidValue as error:
        raise ProofRefused("checkpoint", f"it is not of this log: {error}") from None
    if root != checkpoint.root:
        problem = f"the first {checkpoint.size:,} events of this log have another root"
        raise ProofRefused("checkpoint", problem)
    return ProofFile(index, tuple(log.inclusion(index, checkpoint.size)), note)


def parse_proof_file(data: bytes) -> ProofFile:
    """Read a proof file, strictly; nothing is verified yet.

    Extra data is let through and dropped: nobody has signed it.

    Raises:
        ProofRefused: If it is none, or longer than ``PROOF_FILE_BYTES_MAX``.
    """
    what = "proof file"
    text = text_of(data, what, PROOF_FILE_BYTES_MAX)
    head, blank, note = text.partition("\n\n")
    tag, *lines = head.split("\n")
    if tag != _TAG or not blank:
        raise ProofRefused(
            what, f"it is not {_TAG}, and a checkpoint after a blank line"
        )
    if lines and lines[0].startswith(_EXTRA):
        bytes_of(lines.pop(0).removeprefix(_EXTRA), what)
    if not lines or not lines[0].startswith(_INDEX):
        raise ProofRefused(what, "it does not say the index of its entry")
    if len(lines) - 1 > _PATH_MAX:
        raise ProofRefused(what, f"no tree is as high as {len(lines) - 1} hashes")
    index = number_of(lines[0].removeprefix(_INDEX), what)
    path = tuple(hash_of(line, what) for line in lines[1:])
    return ProofFile(index, path, parse_note(note.encode()))


def verify_proof_file(
    proof: ProofFile | bytes, leaf: bytes, policy: Policy, origin: str | None = None
) -> OpenedCheckpoint:
    """Check that an entry is in a log, by somebody's policy.

    Args:
        proof: The proof file, or its bytes.
        leaf: The entry's leaf hash: ``entry_hash`` of the entry's bytes.
        policy: Whom to believe.
        origin: The log that it must be; None for any of the policy's.

    Returns:
        The checkpoint that covers the entry, and who signed it.

    Raises:
        ProofRefused: If it is no proof file, its checkpoint is not to be believed, or
            it does not lead from the leaf to the root.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    if not isinstance(proof, ProofFile):
        proof = parse_proof_file(proof)
    opened = open_by_policy(proof.note, policy, origin)
    checkpoint = opened.checkpoint
    verify_inclusion(proof.index, checkpoint.size, leaf, proof.path, checkpoint.root)
    return opened
