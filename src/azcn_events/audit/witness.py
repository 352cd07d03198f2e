"""The witness: it cosigns the checkpoints of logs, and never two histories of one.

Somebody outside of the operator's house runs it. Of each log it keeps how many events
it has seen and their root; it cosigns what continues that, and nothing else. So whoever
wants its cosignature on a checkpoint shows everybody the same log.

Source:
    C2SP, "Transparency Log Witnesses", https://c2sp.org/tlog-witness.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from attrs import evolve, field, frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import base64_of, hash_of, number_of, text_of
from azcn_events.audit.keys import SigningKey
from azcn_events.audit.notes import Note, VerifierKey, open_note
from azcn_events.audit.policy import Policy
from azcn_events.audit.witness_memory import Seen, WitnessMemory
from azcn_events.core.merkle import EMPTY_ROOT, verify_consistency
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = [
    "PROOF_HASHES_MAX",
    "REQUEST_BYTES_MAX",
    "SIZE_TYPE",
    "Answer",
    "Request",
    "Ruling",
    "Witness",
    "decide",
    "logs_of",
    "parse_request",
    "write_request",
]

PROOF_HASHES_MAX: Final = 63
"""The most hashes a proof may have (C2SP, tlog-witness, add-checkpoint)."""
REQUEST_BYTES_MAX: Final = 200_000
"""The longest request taken, in bytes: room for a proof and for some thirty signatures,
the long ones of ML-DSA-44 too."""

SIZE_TYPE: Final = "text/x.tlog.size"
"""The media type of an answer that is a size."""

_WHAT: Final = "request"


@frozen
class Request:
    """What a log asks a witness.

    Attributes:
        old: The size that the log believes the witness has seen.
        proof: That the log of that size is a beginning of the one now.
        note: The bytes that should be the log's signed checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @property
    def origin(self) -> str:
        """The name that stands where a log's does: whose keys to look for."""
        return self.note.partition(b"\n")[0].decode(errors="replace")


def parse_request(body: bytes) -> Request:
    """Read the body of a request; its note is not looked at yet.

    Raises:
        ProofRefused: If it is none.
    """
    if len(body) > REQUEST_BYTES_MAX:
        raise ProofRefused(_WHAT, f"it is longer than {REQUEST_BYTES_MAX:,} bytes")
    head, blank, note = body.partition(b"\n\n")
    word, *hashes = text_of(head, _WHAT, REQUEST_BYTES_MAX).split("\n")
    if not blank or not word.startswith("old "):
        problem = "it is not a line 'old <size>', a proof, an empty line, and a note"
        raise ProofRefused(_WHAT, problem)
    if len(hashes) > PROOF_HASHES_MAX:
        raise ProofRefused(_WHAT, f"its proof has more than {PROOF_HASHES_MAX} hashes")
    return Request(
        number_of(word.removeprefix("old "), _WHAT),
        tuple(hash_of(one, _WHAT) for one in hashes),
        note,
    )


def write_request(old: int, proof: Sequence[bytes], note: Note) -> bytes:
    """Write the body of a request; see :class:`Request`."""
    lines = [f"old {old}", *map(base64_of, proof)]
    return "\n".join(lines).encode() + b"\n\n" + bytes(note)


class Ruling(NamedTuple):
    """What a witness decides about a checkpoint that its log has signed.

    Attributes:
        status: The HTTP status of the answer: 200 means that it cosigns.
        reason: Why, in words.
        is_fork: Whether the request proves that the log signed two histories.
    """

    status: int
    reason: str
    is_fork: bool = False


def decide(
    seen: Seen, old: int, proof: Sequence[bytes], checkpoint: Checkpoint
) -> Ruling:
    """Decide whether to cosign, by what was cosigned before; the order matters.

    Args:
        seen: What is remembered of the log.
        old: The size that the log believes to be remembered.
        proof: That the log of that size is a beginning of the one now.
        checkpoint: What the log has signed.

    Source:
        C2SP, tlog-witness, add-checkpoint.
    """
    size, root = checkpoint.size, checkpoint.root
    if old > size:
        return Ruling(400, f"the old size {old} is above the checkpoint's, {size}")
    is_fork = size == seen.size and root != seen.root and size > 0
    if old != seen.size:
        return Ruling(409, f"the size remembered is {seen.size}, not {old}", is_fork)
    if not size and root != EMPTY_ROOT:
        return Ruling(422, "a log without entries has the root of an empty tree")
    if is_fork:
        return Ruling(409, f"another root was cosigned for the size {size}", is_fork)
    if not old and proof:
        return Ruling(422, "nothing is to be proved from the size 0")
    try:
        if old:
            verify_consistency(old, size, proof, seen.root, root)
    except ProofRefused as error:
        return Ruling(422, str(error))
    return Ruling(200, f"cosigned the size {size}")


class Answer(NamedTuple):
    """What a witness answers.

    Attributes:
        status: The HTTP status.
        body: Cosignature lines for 200, the size remembered for 409, else the reason.
        reason: Why, in words, for the witness's own log.
    """

    status: int
    body: str
    reason: str


def _posix_seconds() -> int:
    return int(time.time())  # noqa: TID251 - the shell's default clock


@frozen
class Witness:
    """Cosigns for the logs that it knows. Threads and processes may ask it at once.

    Attributes:
        keys: Its keys, all of cosignatures; at least one, and all of them sign.
        logs: For each log's name the keys that may sign for it: see :func:`logs_of`.
        memory: What it remembers.
        clock: Gives POSIX seconds.

    Raises:
        InvalidValue: If there is no key, or one that makes no cosignatures.
    """

    keys: Sequence[SigningKey]
    logs: Mapping[str, Sequence[VerifierKey]]
    memory: WitnessMemory
    clock: Callable[[], int] = field(default=_posix_seconds)

    def __attrs_post_init__(self) -> None:
        names = [key.verifier.scheme.name for key in self.keys]
        if not names or not all(key.verifier.scheme.has_time for key in self.keys):
            problem = "a witness cannot sign with these keys"
            accepted = "one key or more whose scheme is a COSIGNATURE"
            raise InvalidValue(", ".join(names), problem, accepted)

    def answer(self, body: bytes) -> Answer:
        """Answer a request to cosign a checkpoint.

        Whatever is asked: what is cosigned is remembered, on the disk, before this
        returns.

        Raises:
            StoreError: If the memory cannot be read or written; nothing is cosigned.
        """
        try:
            request = parse_request(body)
        except ProofRefused as error:
            return _refusal(400, str(error))
        known = self.logs.get(request.origin)
        if known is None:
            return _refusal(404, f"this log is not known here: {request.origin[:80]!a}")
        try:
            text = open_note(request.note, known).text
        except ProofRefused as error:
            return _refusal(403, str(error))
        try:
            checkpoint = _checkpoint_of(text)
        except ProofRefused as error:
            return _refusal(400, str(error))
        now = self.clock()
        with self.memory.turn(checkpoint.origin) as turn:
            ruling = decide(turn.seen, request.old, request.proof, checkpoint)
            if ruling.is_fork:
                turn.keep_fork(checkpoint.root, body, now)
            if ruling.status == 200:
                turn.keep(Seen(checkpoint.size, checkpoint.root), request.note)
        reason = f"{checkpoint.origin}: {ruling.reason}"
        match ruling.status:
            case 200:
                lines = [key.sign(text, now).line() for key in self.keys]
                return Answer(200, "".join(lines), reason)
            case 409:
                return Answer(409, f"{turn.seen.size}\n", reason)
            case status:
                return _refusal(status, reason)


def logs_of(policy: Policy) -> dict[str, tuple[VerifierKey, ...]]:
    """Give the logs that a policy names, each with its keys."""
    logs = dict[str, tuple[VerifierKey, ...]]()
    for key in policy.logs:
        logs[key.name] = (*logs.get(key.name, ()), key)
    return logs


def _checkpoint_of(text: str) -> Checkpoint:
    """Read a checkpoint; with size 0 it may state any root, which is judged later."""
    lines = text.split("\n")
    if lines[1:2] != ["0"] or len(lines) < 4:
        return Checkpoint.parse(text)
    stated = hash_of(lines[2], "checkpoint")
    lines[2] = base64_of(EMPTY_ROOT)
    return evolve(Checkpoint.parse("\n".join(lines)), root=stated)


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, f"{reason}\n", reason)
