"""What checkpoints claim about a log, each by the word of those who signed it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from azcn_events.audit.notes import OpenedCheckpoint, VerifierKey, open_checkpoint
from azcn_events.audit.verdict import Assurance, Finding
from azcn_events.audit.verify import Claim
from azcn_events.errors import ProofRefused

__all__ = ["Satisfied", "claims_of"]

Satisfied = Callable[[OpenedCheckpoint], bool]
"""Says whether all those signed a checkpoint whom a policy asks for."""


def _nobody_asked(_: OpenedCheckpoint) -> bool:
    return False


def claims_of(
    notes: Mapping[str, bytes],
    keys: Iterable[VerifierKey],
    origin: str,
    *,
    kept: Collection[str] = (),
    satisfied: Satisfied = _nobody_asked,
) -> Iterator[Claim | Finding]:
    """Open checkpoints, and say by whose word each is to be believed.

    Args:
        notes: Signed notes by name, such as that of their file.
        keys: The keys that the asker believes, the log's among them.
        origin: The log's name.
        kept: Names of the notes that the asker had kept since they were made.
        satisfied: Whether witnesses signed, as the asker's policy wants it.

    Yields:
        A claim for each note that opens, in the order given, and for each that does
        not a finding.

    Raises:
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    known = tuple(keys)
    for name, note in notes.items():
        try:
            opened = open_checkpoint(note, known, origin)
        except ProofRefused as error:
            yield Finding("signature", f"{name}: {error}")
            continue
        assurance = Assurance.KEPT if name in kept else Assurance.SIGNED
        if satisfied(opened):
            assurance = Assurance.WITNESSED
        times = tuple(
            one.time
            for one in opened.signers
            if one.time is not None and one.key.name != origin
        )
        found = opened.checkpoint
        yield Claim(name, found.size, found.root, assurance, times)
