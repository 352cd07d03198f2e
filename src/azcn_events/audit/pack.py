"""Audit packs: one folder or archive that holds all an auditor needs, and no ledger.

A pack is made of a log up to a checkpoint: the events verbatim, proofs, the sources
that they cite, every report as of then, and a page that says how to check each with
others' software. The same log, checkpoint, keys and policy give the same bytes, in the
same release; so to verify a pack is, above all, to make it again: see
:mod:`azcn_events.audit.pack_checking`.

All names of files are ours: nothing that an event says is in one, or in the page.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Final, TypeGuard

from attrs import frozen

from azcn_events import __version__
from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.evidence import sources
from azcn_events.audit.files import fsync_folder
from azcn_events.audit.folders import walk
from azcn_events.audit.log import Log
from azcn_events.audit.notes import Note, VerifierKey, open_checkpoint
from azcn_events.audit.pack_lines import line_of
from azcn_events.audit.pack_page import page
from azcn_events.audit.policy import open_by_policy, parse_policy
from azcn_events.audit.proof_files import PROOF_FILE_SUFFIX, prove
from azcn_events.audit.sample import draw
from azcn_events.audit.stored_zip import write_zip
from azcn_events.audit.tiles import export_tiles
from azcn_events.core.history import Moment
from azcn_events.core.leaf import entry_of
from azcn_events.core.values import datetime_of_us
from azcn_events.errors import ProofRefused
from azcn_events.investment.counting import POLICIES
from azcn_events.ledger import Ledger
from azcn_events.reports import REPORTS, VERSIONS
from azcn_events.reports.table import Table

__all__ = [
    "ABOUT",
    "CHECKPOINT",
    "EVENTS",
    "FORM",
    "KEYS",
    "MANIFEST",
    "PAGE",
    "POLICY",
    "Basis",
    "about",
    "describes",
    "is_pack_name",
    "stage",
    "write_pack",
]

FORM: Final = "azcn-pack/1"
"""The form of packs; another form gets another number."""

PAGE: Final = "README.md"
ABOUT: Final = "pack.json"
CHECKPOINT: Final = "checkpoint"
EVENTS: Final = "events.jsonl"
KEYS: Final = "log.vkey"
MANIFEST: Final = "manifest.sha256"
POLICY: Final = "policy.txt"

_NAMES: Final = re.compile(
    r"README\.md|pack\.json|checkpoint|events\.jsonl|log\.vkey|manifest\.sha256"
    r"|policy\.txt|sources\.(?:json|csv)|reports/[a-z][a-z-]{0,60}\.(?:json|csv)"
    r"|proofs/[1-9][0-9]{0,18}\.(?:tlog-proof|entry)"
    r"|tile/(?:[0-9]|entries)/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
)


def is_pack_name(name: str) -> bool:
    """Say whether a file of a pack can be called this."""
    return _NAMES.fullmatch(name) is not None


@frozen
class Basis:
    """All that a pack is made of besides the events.

    Attributes:
        note: The checkpoint, as it was signed.
        keys: The log's keys.
        policy: The text of the policy; empty if there is none.
        lifecycle: The name of the ledger's lifecycle.
        release: The release that makes it, or made it.
    """

    note: Note
    keys: tuple[VerifierKey, ...]
    policy: bytes
    lifecycle: str
    release: str = __version__

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says.

        Raises:
            ProofRefused: If it is no checkpoint.
        """
        return Checkpoint.parse(self.note.text)


def write_pack(
    ledger: Ledger,
    target: str | os.PathLike[str],
    note: Note,
    *,
    keys: Sequence[VerifierKey],
    policy: bytes = b"",
) -> Path:
    """Write a pack, whole or not at all.

    Args:
        ledger: The ledger; later events than the checkpoint's are left out.
        target: A folder, or an archive if it ends in ``.zip``; must not be there.
        note: The checkpoint up to which it goes, with its signatures.
        keys: The log's keys, at least one that signed it.
        policy: The text of the policy that the checkpoint satisfies, if there is one.

    Returns:
        The target.

    Raises:
        ProofRefused: If the checkpoint is not one of this log, or not signed by one of
            the keys and as the policy says. Nothing was written.
        InvalidPolicy: If the policy is none.
        InvalidValue: If a checkpointed event cannot be said in a pack, or an archive
            would be too large: then write a folder.
        FileExistsError: If the target is there.
        OSError: If it cannot be written.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    target = Path(target)
    if os.path.lexists(target):
        raise _taken(target)
    basis = Basis(note, tuple(keys), policy, ledger.lifecycle.name)
    check_signed(basis)
    # Beside the target: only inside one file system a rename is all or nothing.
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}.", dir=target.parent
    ) as made:
        staged = Path(made, "pack")
        stage(ledger, staged, basis)
        if target.suffix == ".zip":
            archive = Path(made, "pack.zip")
            with archive.open("wb") as file:
                write_zip(file, {name: staged / name for name, _ in walk(staged)})
            staged = archive
        _settle(staged)
        _name(staged, target)
    fsync_folder(target.parent)
    return target


def check_signed(basis: Basis) -> None:
    open_checkpoint(basis.note, basis.keys, basis.checkpoint.origin)
    if basis.policy:
        policy = parse_policy(basis.policy, "the policy")
        open_by_policy(basis.note, policy, basis.checkpoint.origin)


def _settle(staged: Path) -> None:
    """Wait until everything is on the disk, and let others read it."""
    names = [name for name, _ in walk(staged)] if staged.is_dir() else [""]
    for name in names:
        path = staged / name
        path.chmod(0o644)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if staged.is_dir():
        staged.chmod(0o755)


def _name(staged: Path, target: Path) -> None:
    """Give what is staged its name; what has come to have it meanwhile is left."""
    try:
        if staged.is_dir():
            staged.rename(target)  # It replaces at most an empty folder: nothing.
        else:
            target.hardlink_to(staged)  # A rename would replace another archive.
    except OSError as error:
        if os.path.lexists(target):
            raise _taken(target) from error
        staged.rename(target)  # The disk may have no links; else this fails as well.


def _taken(target: Path) -> FileExistsError:
    return FileExistsError(17, "it is there already, and is not overwritten", target)


# What is in it


def stage(
    ledger: Ledger, folder: Path, basis: Basis, *, with_tables: bool = True
) -> None:
    """Write all files of a pack into a folder that is not there yet.

    Args:
        ledger: The ledger.
        folder: Where to.
        basis: What else it is made of.
        with_tables: Whether sources and reports are among them; without, nothing has
            to be known of the events' lifecycle.

    Raises:
        As for :func:`write_pack`; what was written so far is left.
    """
    checkpoint, log = basis.checkpoint, Log(ledger.store)
    export_tiles(log, folder, basis.note)  # Refuses a checkpoint of another log.
    _write_events(ledger, folder / EVENTS, checkpoint.size)
    _write_proofs(log, folder / "proofs", basis.note)
    for name, table in _tables(ledger, checkpoint.size) if with_tables else ():
        _write(folder / f"{name}.json", f"{table.json()}\n".encode())
        _write(folder / f"{name}.csv", table.csv().encode())
    _write(folder / KEYS, "".join(f"{key}\n" for key in basis.keys).encode())
    if basis.policy:
        _write(folder / POLICY, basis.policy)
    _write(folder / ABOUT, about(basis))
    _write(folder / PAGE, page(checkpoint, has_policy=bool(basis.policy)).encode())
    _write(folder / MANIFEST, _manifest(folder))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _write_events(ledger: Ledger, path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.writelines(map(line_of, ledger.store.read_all(until=size)))


def _write_proofs(log: Log, folder: Path, note: Note) -> None:
    checkpoint = Checkpoint.parse(note.text)
    for position in draw(checkpoint.root, checkpoint.size):
        proof = prove(log, position - 1, note)
        _write(folder / f"{position}{PROOF_FILE_SUFFIX}", bytes(proof))
        (row,) = log.store.read_all(after=position - 1, until=position)
        _write(folder / f"{position}.entry", entry_of(row))


def _tables(ledger: Ledger, size: int) -> Iterator[tuple[str, Table]]:
    """Yield the sources and every report, each as known at the checkpoint."""
    last = next(ledger.store.read_all(after=size - 1, until=size), None)
    if last is None:
        return  # There is nothing to report, and no day to count ages to.
    at = datetime_of_us(last.recorded_us)
    moment = ledger.moment(size, on=at.date(), known_by=at.isoformat())
    nothing = ledger.moment(0, on=at.date(), known_by="nothing")
    yield "sources", sources(moment)
    for name in REPORTS:
        for suffix, parameters in _variants(name, nothing):
            yield f"reports/{name}{suffix}", REPORTS[name](moment, **parameters)


def _variants(name: str, nothing: Moment) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the ways in which a report is asked for, each with its name's ending."""
    match name:
        case "pipeline":
            for policy in POLICIES:
                yield f"-{policy}", {"policy": policy}
        case "changes":
            yield "", {"before": nothing}
        case _:
            yield "", {}


def about(basis: Basis) -> bytes:
    """Say what a pack is, for programs: the bytes of ``pack.json``."""
    checkpoint = basis.checkpoint
    said = {
        "form": FORM,
        "release": basis.release,
        "lifecycle": basis.lifecycle,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "reports": dict(VERSIONS),
    }
    return f"{json.dumps(said, indent=2)}\n".encode("ascii")


def describes(data: bytes) -> Mapping[str, object]:
    """Read ``pack.json``.

    Raises:
        ProofRefused: If it is none, or of another form.
    """
    try:
        said: object = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ProofRefused(ABOUT, str(error)[:200]) from None
    if not _is_object(said) or said.get("form") != FORM:
        raise ProofRefused(ABOUT, f"it does not say that its form is {FORM}")
    return said


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _manifest(folder: Path) -> bytes:
    """List every file with its SHA-256, as ``sha256sum`` writes and reads it."""
    lines = list[str]()
    for name, _ in walk(folder):
        with (folder / name).open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {name}\n")
    return "".join(lines).encode("ascii")
