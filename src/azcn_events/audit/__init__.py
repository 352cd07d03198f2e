"""The audit: verify, prove, publish, erase; all of it checkable by others.

Names are loaded when they are first used. What signs, or checks a signature, needs the
extra ``crypto`` when it is called, not before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azcn_events.audit.checkpoints import Checkpoint
    from azcn_events.audit.keys import SigningKey, signed
    from azcn_events.audit.log import Log
    from azcn_events.audit.notes import (
        Note,
        Opened,
        OpenedCheckpoint,
        Scheme,
        Signature,
        Signer,
        VerifierKey,
        open_checkpoint,
        open_note,
        parse_note,
    )
    from azcn_events.audit.policy import (
        Policy,
        open_by_policy,
        parse_policy,
        satisfied,
        witnessed,
    )
    from azcn_events.audit.proof_files import (
        PROOF_FILE_SUFFIX,
        ProofFile,
        parse_proof_file,
        prove,
        verify_proof_file,
    )
    from azcn_events.audit.signer import LogSigner
    from azcn_events.audit.tiles import (
        export_tiles,
        read_checkpoint,
        read_tiles,
        tile_path,
    )

_HOMES = {
    "checkpoints": ("Checkpoint",),
    "keys": (
        "SigningKey",
        "signed",
    ),
    "log": ("Log",),
    "notes": (
        "Note",
        "Opened",
        "OpenedCheckpoint",
        "Scheme",
        "Signature",
        "Signer",
        "VerifierKey",
        "open_checkpoint",
        "open_note",
        "parse_note",
    ),
    "policy": (
        "Policy",
        "open_by_policy",
        "parse_policy",
        "satisfied",
        "witnessed",
    ),
    "proof_files": (
        "PROOF_FILE_SUFFIX",
        "ProofFile",
        "parse_proof_file",
        "prove",
        "verify_proof_file",
    ),
    "signer": ("LogSigner",),
    "tiles": (
        "export_tiles",
        "read_checkpoint",
        "read_tiles",
        "tile_path",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - loaded by __getattr__
    "PROOF_FILE_SUFFIX",
    "Checkpoint",
    "Log",
    "LogSigner",
    "Note",
    "Opened",
    "OpenedCheckpoint",
    "Policy",
    "ProofFile",
    "Scheme",
    "Signature",
    "Signer",
    "SigningKey",
    "VerifierKey",
    "export_tiles",
    "open_by_policy",
    "open_checkpoint",
    "open_note",
    "parse_note",
    "parse_policy",
    "parse_proof_file",
    "prove",
    "read_checkpoint",
    "read_tiles",
    "satisfied",
    "signed",
    "tile_path",
    "verify_proof_file",
    "witnessed",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
