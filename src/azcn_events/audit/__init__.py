"""The audit: verify, prove, publish, erase; all of it checkable by others.

Names are loaded when they are first used. What signs, or checks a signature, needs the
extra ``crypto`` when it is called, not before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azcn_events.audit.checkpoints import Checkpoint
    from azcn_events.audit.claims import claims_of
    from azcn_events.audit.evidence import files_in, find_evidence, sources
    from azcn_events.audit.keys import SigningKey, signed
    from azcn_events.audit.ledger_files import verify_file
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
    from azcn_events.audit.pack import write_pack
    from azcn_events.audit.pack_checking import verify_pack
    from azcn_events.audit.pack_reading import Pack, read_pack
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
    from azcn_events.audit.publish import (
        Published,
        Reproduction,
        publications,
        reproduce,
        restated_since,
    )
    from azcn_events.audit.sealing import Vault, opened
    from azcn_events.audit.signer import LogSigner
    from azcn_events.audit.tiles import (
        export_tiles,
        read_checkpoint,
        read_tiles,
        tile_path,
    )
    from azcn_events.audit.verdict import Assurance, Finding, Severity, Verdict
    from azcn_events.audit.verify import Claim, RawRow, verify_log, verify_rows

_HOMES = {
    "claims": ("claims_of",),
    "ledger_files": ("verify_file",),
    "verdict": ("Assurance", "Finding", "Severity", "Verdict"),
    "verify": ("Claim", "RawRow", "verify_log", "verify_rows"),
    "checkpoints": ("Checkpoint",),
    "evidence": ("files_in", "find_evidence", "sources"),
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
    "pack": ("write_pack",),
    "pack_checking": ("verify_pack",),
    "pack_reading": ("Pack", "read_pack"),
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
    "publish": (
        "Published",
        "Reproduction",
        "publications",
        "reproduce",
        "restated_since",
    ),
    "sealing": ("Vault", "opened"),
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
    "Assurance",
    "Checkpoint",
    "Claim",
    "Finding",
    "Log",
    "LogSigner",
    "Note",
    "Opened",
    "OpenedCheckpoint",
    "Pack",
    "Policy",
    "ProofFile",
    "Published",
    "RawRow",
    "Reproduction",
    "Scheme",
    "Severity",
    "Signature",
    "Signer",
    "SigningKey",
    "Vault",
    "Verdict",
    "VerifierKey",
    "claims_of",
    "export_tiles",
    "files_in",
    "find_evidence",
    "open_by_policy",
    "open_checkpoint",
    "open_note",
    "opened",
    "parse_note",
    "parse_policy",
    "parse_proof_file",
    "prove",
    "publications",
    "read_checkpoint",
    "read_pack",
    "read_tiles",
    "reproduce",
    "restated_since",
    "satisfied",
    "signed",
    "sources",
    "tile_path",
    "verify_file",
    "verify_log",
    "verify_pack",
    "verify_proof_file",
    "verify_rows",
    "witnessed",
    "write_pack",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
