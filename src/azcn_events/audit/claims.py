"""What checkpoints claim about a log, each by the word of those who signed it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from azcn_events.audit.notes import VerifierKey, open_checkpoint
from azcn_events.audit.policy import Policy, witnessed
from azcn_events.audit.verdict import Assurance, Finding, Severity
from azcn_events.audit.verify import Claim
from azcn_events.errors import ProofRefused

__all__ = ["claims_of"]


def claims_of(
    notes: Mapping[str, bytes],
    keys: Iterable[VerifierKey],
    origin: str,
    *others: str,
    kept: Collection[str] = (),
    policy: Policy | None = None,
) -> Iterator[Claim | Finding]:
    """Open checkpoints, and say by whose word each is to be believed.

    Args:
        notes: Signed notes by name, such as that of their file.
        keys: The keys that the asker believes, the log's among them.
        origin: The log's name.
        *others: Further names, if it was signed under several.
        kept: Names of the notes that the asker had kept since they were made.
        policy: Which witnesses must have signed; those that the asker kept himself
            are believed without.

    Yields:
        A claim for each note that opens, in the order given. A finding for each that
        does not, and for each that the policy's quorum has not signed.

    Raises:
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    known = tuple(keys)
    for name, note in notes.items():
        stated = note.partition(b"\n")[0].decode(errors="replace")
        name_of_log = stated if stated in others else origin
        try:
            opened = open_checkpoint(note, known, name_of_log)
        except ProofRefused as error:
            yield Finding("signature", f"{name}: {error}")
            continue
        assurance = Assurance.KEPT if name in kept else Assurance.SIGNED
        if policy and witnessed(policy, opened):
            assurance = Assurance.WITNESSED
        elif policy and policy.quorum and assurance is Assurance.SIGNED:
            problem = (
                f"{name}: the quorum {policy.quorum!a} of the policy has not signed"
            )
            yield Finding("policy", problem, severity=Severity.DOUBTFUL)
        times = tuple(
            one.time
            for one in opened.signers
            if one.time is not None and one.key.name != name_of_log
        )
        found = opened.checkpoint
        yield Claim(name, found.size, found.root, assurance, times)
