"""Verify a pack: no ledger is needed, and nothing in the pack is trusted.

First the events are verified as those of any log are: see ``verify``. If they are
whole, the pack is made again out of them, and must be the same to the last byte: the
tree, the proofs, what was drawn by lot, sources, reports, the page. There is no second
way of reading a tile, a proof or a report that could be deceived.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, cast

from attrs import evolve, field, frozen

from azcn_events import __version__
from azcn_events.audit.claims import claims_of
from azcn_events.audit.folders import walk
from azcn_events.audit.notes import NOTE_BYTES_MAX, VerifierKey
from azcn_events.audit.pack import (
    CHECKPOINT,
    EVENTS,
    KEYS,
    MANIFEST,
    Basis,
    check_signed,
    stage,
)
from azcn_events.audit.pack_reading import Pack, read_pack
from azcn_events.audit.policy import Policy
from azcn_events.audit.verdict import (
    LISTED_MAX,
    Assurance,
    Finding,
    Findings,
    Severity,
    Verdict,
)
from azcn_events.audit.verify import (
    TOLERANCE_S,
    Claim,
    RawRow,
    unmarked,
    unreadable,
    verify_rows,
)
from azcn_events.core.codec import Codec
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.errors import (
    InvalidPolicy,
    ProofRefused,
    StoreFull,
)
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.ledger import Ledger
from azcn_events.stores.protocol import Draft, Row

__all__ = ["verify_pack"]


def verify_pack(
    path: str | os.PathLike[str],
    *,
    keys: Sequence[VerifierKey] = (),
    policy: Policy | None = None,
    kept: Mapping[str, bytes] | None = None,
    lifecycle: Lifecycle = INVESTMENT,
    tolerance_s: float = TOLERANCE_S,
) -> Verdict:
    """Verify a pack.

    Args:
        path: A folder, or an archive as ``azcn pack`` writes it.
        keys: The log's keys that the asker has from elsewhere.
        policy: Whom the asker believes; its keys count as well.
        kept: Checkpoints of this log that the asker had kept, by what to call them.
        lifecycle: The rules of the ledger that the pack is of; a pack of another's is
            verified without its reports.
        tolerance_s: As for ``verify_rows``.

    Returns:
        All that was found. Without keys of the asker's, those that came with the
        pack open the checkpoint, and its word is worth no more than ``STORED``.

    Raises:
        ProofRefused: If it is no pack: an archive of another form, or without events.
        InvalidValue: If it is a folder of too many files.
        OSError: If there is none, or it cannot be read.
        StoreFull: If there is no room to make it again in.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    trusted = (*keys, *(policy.keys if policy else ()))
    with read_pack(path) as pack:
        check = _Check(pack, trusted, policy, kept or {}, lifecycle, tolerance_s)
        return check.verdict()


@frozen
class _Check:
    """One verification of one pack."""

    _pack: Pack
    _trusted: tuple[VerifierKey, ...]
    _policy: Policy | None
    _kept: Mapping[str, bytes]
    _lifecycle: Lifecycle
    _tolerance_s: float
    _found: Findings = field(factory=Findings, init=False)

    def verdict(self) -> Verdict:
        """Verify the events, then all that follows from them."""
        basis = self._basis()
        codec = None
        if basis and basis.lifecycle == self._lifecycle.name:
            codec = Codec(self._lifecycle)
        claims = list(self._claims())
        verdict = verify_rows(
            chain(
                self._pack.findings,
                (one for one in claims if isinstance(one, Finding)),
                _with_unreadable(self._pack.rows(), codec),
            ),
            claims=[one for one in claims if isinstance(one, Claim)],
            tolerance_s=self._tolerance_s,
            name=self._pack.name,
        )
        self._take(_of_manifest(self._pack))
        checked = ["whether every file has the digest that the manifest states"]
        if codec:
            checked.append(
                "whether every event can be read, strictly, by the lifecycle"
            )
        elif basis:
            self._take([_of_another_lifecycle(basis, self._lifecycle)])
        cannot = list(self._cannot_be_known(basis, codec))
        if basis and verdict.is_whole and self._goes_to(basis, verdict):
            self._take(_of_the_rest(self._pack, basis, codec))
            self._take(_of_the_keys(basis))
            checked.append("the pack was made again out of its events, and compared")
        else:
            cannot.append("that the rest follows from the events: see what was found")
        return self._plus(verdict, checked, cannot)

    def _take(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._found.add(finding)

    def _basis(self) -> Basis | None:
        try:
            basis = self._pack.basis()
            _ = basis.checkpoint
        except ProofRefused as error:
            self._found.add(Finding("file", str(error)))
            return None
        return basis

    def _claims(self) -> Iterator[Claim | Finding]:
        """Open the checkpoints: that of the pack, and those that the asker had kept."""
        try:
            note = self._pack.read(CHECKPOINT, NOTE_BYTES_MAX)
            keys = self._trusted or self._pack.keys()
            origin = note.partition(b"\n")[0].decode(errors="replace")
        except ProofRefused:
            return  # What is wrong is said already: see _basis.
        its = f"{_ITS_CHECKPOINT}, {origin}"
        notes = {its: note, **self._kept}
        for found in claims_of(
            notes, keys, origin, kept=self._kept.keys(), policy=self._policy
        ):
            if isinstance(found, Claim) and found.name == its and not self._trusted:
                yield evolve(found, assurance=Assurance.STORED)
            else:
                yield found

    def _cannot_be_known(
        self, basis: Basis | None, codec: Codec | None
    ) -> Iterator[str]:
        if not self._trusted:
            yield (
                "who signed the checkpoint: the key came with the pack, so whoever made"
                " the one can have made the other; give a key that you have from"
                " elsewhere"
            )
        elif basis:
            for key in sorted(set(basis.keys) - set(self._trusted), key=str):
                named = f"{key.name}+{key.id.hex()}"
                yield f"that {named} in {KEYS} is a key of the log: you did not give it"
        if basis and codec is None:
            yield (
                "what the events say, and that sources and reports follow from it: they"
                f" are of the lifecycle {basis.lifecycle[:40]!a}, and this was asked to"
                f" know {self._lifecycle.name!a}"
            )

    def _goes_to(self, basis: Basis, verdict: Verdict) -> bool:
        checkpoint = basis.checkpoint
        if verdict.size > checkpoint.size:
            problem = f"it has {verdict.size:,} events, and its checkpoint is over"
            self._found.add(Finding("file", f"{problem} {checkpoint.size:,}"))
        return (verdict.size, verdict.root) == (checkpoint.size, checkpoint.root)

    def _plus(
        self, verdict: Verdict, checked: Sequence[str], cannot: Sequence[str]
    ) -> Verdict:
        found = (*verdict.findings, *self._found.kept)
        return evolve(
            verdict,
            findings=found[:LISTED_MAX],
            more=verdict.more + self._found.more + len(found[LISTED_MAX:]),
            checked=(*verdict.checked, *checked),
            cannot=(*cannot, *verdict.cannot),
        )


_ITS_CHECKPOINT: Final = "the pack's checkpoint"


def _of_another_lifecycle(basis: Basis, known: Lifecycle) -> Finding:
    problem = (
        f"it says that its lifecycle is {basis.lifecycle[:40]!a}, and this knows"
        f" {known.name!a}: sources and reports were not looked at; verify it with its"
        " own lifecycle"
    )
    return Finding("lifecycle", problem, severity=Severity.DOUBTFUL)


def _of_the_keys(basis: Basis) -> Iterator[Finding]:
    """Check what the page tells its reader to believe: the pack's keys and policy."""
    try:
        check_signed(basis)
    except (ProofRefused, InvalidPolicy) as error:
        yield Finding("signature", f"its own keys and policy do not open it: {error}")


# The events


def _with_unreadable(
    rows: Iterable[RawRow | Finding], codec: Codec | None
) -> Iterator[RawRow | Finding]:
    """Yield rows, and a finding after each whose event cannot be read."""
    for row in rows:
        yield row
        if codec and isinstance(row, RawRow):
            found = _row_of(row)
            if problem := unreadable(codec, found):
                yield Finding("unreadable", problem, found.position, found.stream)


def _row_of(raw: RawRow) -> Row:
    """Take a row for what it is: those of a pack have their types."""
    return Row._make((*cast("tuple[Any, ...]", raw[:8]), 0))


# The manifest


_LINE: Final = re.compile(rb"([0-9a-f]{64})  ([!-~]{1,200})\n")
_LINE_BYTES_MAX: Final = 300


def _of_manifest(pack: Pack) -> Iterator[Finding]:
    """Compare the manifest with the files, either way."""
    try:
        listed = _listed(pack)
    except ProofRefused as error:
        yield Finding("manifest", str(error))
        return
    due = [name for name in pack.names if name != MANIFEST]
    for name in sorted(listed.keys() - set(due)):
        yield Finding("manifest", f"{name} is listed, and is not there")
    for name in due:
        try:
            with pack.file(name) as file:
                digest = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # a BufferedReader is readable
        except (ProofRefused, OSError) as error:
            yield Finding("file", f"{name}: {error}")
            continue
        if name not in listed:
            yield Finding("manifest", f"{name} is there, and is not listed")
        elif digest != listed[name]:
            problem = f"{name} has the digest {digest}, and {listed[name]} is listed"
            yield Finding("manifest", problem)


def _listed(pack: Pack) -> dict[str, str]:
    listed, before = dict[str, str](), ""
    with pack.file(MANIFEST) as file:
        number = 0
        while line := file.readline(_LINE_BYTES_MAX):
            number += 1
            found = _LINE.fullmatch(line)
            if not found or (name := found[2].decode("ascii")) <= before:
                problem = f"line {number:,} is not a digest, two spaces and a name"
                raise ProofRefused(MANIFEST, f"{problem}, after those before it")
            listed[name], before = found[1].decode("ascii"), name
    return listed


# All else


def _of_the_rest(pack: Pack, basis: Basis, codec: Codec | None) -> Iterator[Finding]:
    """Make the pack again, and compare file by file."""
    with tempfile.TemporaryDirectory(prefix="azcn-pack-") as made:
        folder = Path(made, "pack")
        try:
            _make_again(pack, basis, codec, Path(made, "log.db"), folder)
        except (OSError, StoreFull):
            raise
        except Exception as error:  # noqa: BLE001 - no lifecycle admitted these events: what a report makes of them nobody knows
            problem = f"{type(error).__name__}: {error}"
            yield Finding("pack", f"it cannot be made again: {problem[:300]}")
            return
        ours = {name for name, _ in walk(folder)} - {MANIFEST}
        theirs = {name for name in pack.names if name != MANIFEST}
        if codec is None:
            theirs = {name for name in theirs if _code_of(name) not in _TABLES}
        for name in sorted(ours | theirs):
            if name not in theirs:
                yield _differing(basis, name, "is missing")
            elif name not in ours:
                yield _differing(basis, name, "does not belong to this pack")
            elif not _is_same(pack, name, folder / name):
                yield _differing(basis, name, "is not what follows from the events")


def _make_again(
    pack: Pack, basis: Basis, codec: Codec | None, path: Path, folder: Path
) -> None:
    lifecycle = codec.lifecycle if codec else INVESTMENT
    # Nothing is lost if the power fails: it is made again.
    with Ledger.open(path, lifecycle=lifecycle, durability="normal") as ledger:
        drafts = (_draft(row, codec) for row in pack.rows() if isinstance(row, RawRow))
        versions = dict[str, int]()
        while batch := list(islice(drafts, _BATCH)):
            expected = {one.stream: versions.get(one.stream, 0) for one in batch}
            for stamp, one in zip(
                ledger.store.append(batch, expected), batch, strict=True
            ):
                versions[one.stream] = stamp.version
        stage(ledger, folder, basis, with_tables=codec is not None)


_BATCH: Final = 1000


def _draft(raw: RawRow, codec: Codec | None) -> Draft:
    row = _row_of(raw)
    return Draft(
        stream=row.stream,
        id=row.id,
        kind=row.kind,
        payload=row.payload,
        metadata=row.metadata,
        checksum=_checksum(row, codec) if codec else 0,
        recorded_us=row.recorded_us,
    )


def _checksum(row: Row, codec: Codec) -> int:
    """Give a checksum with which an event is read quickly, if that is right for it."""
    event = codec.decode(row.kind, row.payload, unmarked(row))
    kind, payload, checksum = codec.encode(event)
    is_as_now = (kind, payload) == (row.kind, row.payload)
    return checksum if is_as_now else unmarked(row)


def _is_same(pack: Pack, name: str, ours: Path) -> bool:
    try:
        with pack.file(name) as file, ours.open("rb") as mine:
            while piece := mine.read(_CHUNK_BYTES):
                if file.read(_CHUNK_BYTES) != piece:
                    return False
            return not file.read(1)
    except (ProofRefused, OSError):  # Why, the manifest's pass has said.
        return False


_CHUNK_BYTES: Final = 1 << 20
_TABLES: Final = ("report", "sources")
_CODES: Final = {"tile": "tile", "proofs": "proof", "reports": "report"}


def _code_of(name: str) -> str:
    first = name.partition("/")[0]
    return _CODES.get(first, "sources" if first.startswith("sources.") else "file")


def _differing(basis: Basis, name: str, problem: str) -> Finding:
    """Say what differs; what another release computed may differ innocently."""
    code = _code_of(name)
    severity, hint = Severity.ALTERED, ""
    is_ours = code in {"tile", "proof"} or name in {CHECKPOINT, EVENTS}
    if basis.release != __version__ and not is_ours:
        severity = Severity.DOUBTFUL
        hint = (
            f"; it says that release {basis.release[:40]!a} made it, and this is"
            f" {__version__}: verify it with that one"
        )
    return Finding(code, f"{name} {problem}{hint}", severity=severity)
