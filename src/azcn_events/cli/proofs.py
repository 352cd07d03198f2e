"""Commands that prove and verify: keys, checkpoints, published reports."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, Final

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import (
    complain,
    hand_out,
    open_ledger,
    print_table,
    read_named,
    read_note,
    read_policy,
    say,
    tell,
)
from azcn_events.errors import (
    AzcnEventsError,
    InvalidValue,
    NotCosigned,
    ProofRefused,
)

__all__ = ["add"]

_CONTENT_BYTES_MAX: Final = 1_000_000_000
"""The longest content of a published report that is read."""


def add(commands: Commands) -> None:
    """Add the commands that make and check proofs."""
    _add_verify(commands)
    key = commands.add(
        "key",
        _key,
        "make a key to sign checkpoints with, in a file outside of the ledger",
        "azcn key log.example/azcn ~/azcn.key",
    )
    key.add_argument("name", help="what the log is called: a URL without its scheme")
    key.add_argument("file", help="the new file; it is never overwritten")
    checkpoint = commands.add(
        "checkpoint",
        _checkpoint,
        "sign what the ledger holds now, if it continues what was signed before; exit"
        " code 1 if a witness does not cosign it, and the note is printed all the same",
        "azcn checkpoint --key-file ~/azcn.key --last /mnt/other/last.note",
        commands.ledger,
    )
    checkpoint.add_argument(
        "--key-file",
        required=True,
        action="append",
        dest="keys",
        metavar="FILE",
        help="a key that 'azcn key' made; may be repeated, the newest first",
    )
    checkpoint.add_argument(
        "--last",
        required=True,
        help="the file of the last signed checkpoint, on another disk than the ledger",
    )
    checkpoint.add_argument(
        "--begin", action="store_true", help="nothing was signed of this log before"
    )
    checkpoint.add_argument(
        "--witness",
        action="append",
        default=[],
        dest="witnesses",
        metavar="URL",
        help="ask this witness to cosign; may be repeated; needs --policy",
    )
    checkpoint.add_argument(
        "--policy", metavar="FILE", help="where the keys of the witnesses stand"
    )
    prove = commands.add(
        "prove",
        _prove,
        "write a file that proves one event against a checkpoint",
        "azcn prove 41 --checkpoint last.note > 41.tlog-proof",
        commands.ledger,
    )
    prove.add_argument("position", type=int, help="the event's place in the log")
    prove.add_argument(
        "--checkpoint", required=True, metavar="FILE", help="a signed note over it"
    )
    tiles = commands.add(
        "tiles",
        _tiles,
        "write the log as tiles, which other programs check; or bring them up to date",
        "azcn tiles public/ --checkpoint last.note",
        commands.ledger,
    )
    tiles.add_argument("folder", help="where to; made if it is missing")
    tiles.add_argument(
        "--checkpoint", required=True, metavar="FILE", help="how far: a signed note"
    )
    _add_published(commands)


def _add_verify(commands: Commands) -> None:
    verify = commands.add(
        "verify",
        _verify,
        "verify that the ledger, or an audit pack, holds what was recorded, and say"
        " what that proves; exit code 1 if it found anything, 3 if it could not look",
        "azcn verify --key 'log.example/azcn+1a2b3c4d+A…' --kept 2025.note",
        commands.ledger,
    )
    verify.add_argument(
        "pack", nargs="?", help="a pack, folder or archive; the ledger if left out"
    )
    verify.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY",
        help="a public key of the log, as 'azcn key' printed it; may be repeated",
    )
    verify.add_argument("--policy", metavar="FILE", help="whose signatures count")
    verify.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="FILE",
        help="a signed note, of whoever's keeping; may be repeated",
    )
    verify.add_argument(
        "--kept",
        action="append",
        default=[],
        metavar="FILE",
        help="a signed note that you have kept since it was made",
    )
    verify.add_argument(
        "--strict",
        action="store_true",
        help="check every field of every event, as is always done for a pack; takes"
        " ten times as long",
    )
    verify.add_argument("--json", action="store_true", help="print JSON")


def _add_published(commands: Commands) -> None:
    publish = commands.add(
        "publish",
        _publish,
        "make a report and record that it was given out",
        "azcn publish pipeline --policy committed --source source/bulletin-4",
        commands.axes,
        commands.form,
        commands.ledger,
    )
    publish.add_argument("name", help="which report")
    publish.add_argument("--policy", help="pipeline: claims, no-umbrellas or committed")
    publish.add_argument("--agreement", help="milestones: one agreement only")
    publish.add_argument(
        "--source", required=True, help="the stream of where it stands"
    )
    publish.add_argument("--at", help="the place in it")
    publish.add_argument("--by", help="who gives it out")
    reproduce = commands.add(
        "reproduce",
        _reproduce,
        "make a published report again from history; exit code 1 if it differs",
        "azcn reproduce 212",
        commands.form,
        commands.ledger,
    )
    reproduce.add_argument("which", help="the record's id or position")
    reproduce.add_argument("--content", metavar="FILE", help="what was told, if kept")


def _verify(options: argparse.Namespace) -> int:
    verified = _verified_ledger if options.pack is None else _verified_pack
    try:
        verdict = verified(options)
    except (AzcnEventsError, OSError) as error:
        complain(error)
        return 3  # 1 is for what was found: a slip is no tampering.
    tell(verdict.json() if options.json else verdict.text())
    return int(bool(verdict.findings))


def _verified_ledger(options: argparse.Namespace) -> Any:  # noqa: ANN401 - a Verdict
    from azcn_events.audit.claims import claims_of  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.ledger_files import verify_file  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.notes import (  # noqa: PLC0415 - see open_ledger
        NOTE_BYTES_MAX,
        VerifierKey,
    )
    from azcn_events.audit.verdict import Finding  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.verify import Claim  # noqa: PLC0415 - see open_ledger
    from azcn_events.core.codec import Codec  # noqa: PLC0415 - see open_ledger
    from azcn_events.investment.lifecycle import INVESTMENT  # noqa: PLC0415 - see open_ledger

    keys = [VerifierKey.parse(text) for text in options.key]
    policy = None
    if options.policy:
        policy = read_policy(options.policy)
        keys += policy.keys
    notes = {
        name: read_named(name, NOTE_BYTES_MAX)
        for name in (*options.checkpoint, *options.kept)
    }
    if notes and not keys:
        raise AzcnEventsError("whose checkpoints? give --key or --policy")
    found: list[Claim | Finding] = []
    if notes:
        logs = policy.logs if policy and policy.logs else keys
        origins = [key.name for key in logs]
        found += claims_of(notes, keys, *origins, kept=options.kept, policy=policy)
    return verify_file(
        options.ledger.removeprefix("sqlite:"),
        claims=[one for one in found if isinstance(one, Claim)],
        refused=[one for one in found if isinstance(one, Finding)],
        codec=Codec(INVESTMENT),
        strict=options.strict,
    )


def _verified_pack(options: argparse.Namespace) -> Any:  # noqa: ANN401 - a Verdict
    from azcn_events.audit.notes import (  # noqa: PLC0415 - see open_ledger
        NOTE_BYTES_MAX,
        VerifierKey,
    )
    from azcn_events.audit.pack_checking import verify_pack  # noqa: PLC0415 - see open_ledger

    if options.checkpoint:
        problem = "a pack has its checkpoint; give those of your own by --kept"
        raise AzcnEventsError(problem)
    keys = [VerifierKey.parse(text) for text in options.key]
    policy = read_policy(options.policy) if options.policy else None
    kept = {name: read_named(name, NOTE_BYTES_MAX) for name in options.kept}
    return verify_pack(options.pack, keys=keys, policy=policy, kept=kept)


def _key(options: argparse.Namespace) -> None:
    from azcn_events.audit.keys import SigningKey  # noqa: PLC0415 - see open_ledger

    key = SigningKey.make(options.name)
    key.save(options.file)
    say(f"{options.file} is the key; keep it out of the ledger's backups. Give away:")
    hand_out(f"{key.verifier}\n".encode())


def _checkpoint(options: argparse.Namespace) -> int:
    from azcn_events.audit.keys import SigningKey  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.log import Log  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.signer import LogSigner  # noqa: PLC0415 - see open_ledger

    keys = [SigningKey.load(path) for path in options.keys]
    known = _witness_keys(options)
    with open_ledger(options.ledger) as ledger:
        log = Log(ledger.store)
        note = LogSigner(options.last, keys).sign(log, begin=options.begin)
        note, refusals = _cosigned(note, log, options.witnesses, known)
    hand_out(bytes(note))
    for refusal in refusals:
        complain(refusal)
    return int(bool(refusals))


def _witness_keys(options: argparse.Namespace) -> list[Any]:
    """Give the keys of the policy's witnesses, before anything is signed."""
    if not options.witnesses:
        return []
    if not options.policy:
        raise AzcnEventsError("whose cosignatures? give --policy")
    return list(read_policy(options.policy).witnesses.values())


def _cosigned(
    note: Any,  # noqa: ANN401 - a Note; imported late
    log: Any,  # noqa: ANN401 - a Log; imported late
    urls: list[str],
    known: list[Any],
) -> tuple[Any, list[AzcnEventsError]]:
    """Ask witnesses; give the note with what they added, and why others did not."""
    from azcn_events.audit.witness_client import (  # noqa: PLC0415 - see open_ledger
        ask_witness,
        cosigned_by,
    )

    refusals = list[AzcnEventsError]()
    for url in urls:
        try:
            note = cosigned_by(note, ask_witness(url, log, note), known)
        except (NotCosigned, InvalidValue) as error:
            refusals.append(error)
        except ProofRefused as error:
            refusals.append(NotCosigned(url, 200, f"its answer does not hold: {error}"))
    return note, refusals


def _prove(options: argparse.Namespace) -> None:
    from azcn_events.audit.checkpoints import Checkpoint  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.log import Log  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.proof_files import prove  # noqa: PLC0415 - see open_ledger

    with open_ledger(options.ledger) as ledger:
        log, note = Log(ledger.store), read_note(options.checkpoint)
        size = Checkpoint.parse(note.text).size
        if not 1 <= options.position <= size:
            problem = f"{options.checkpoint} covers no event of this position"
            raise InvalidValue(
                str(options.position), problem, f"1 to {size}" if size else "none"
            )
        hand_out(bytes(prove(log, options.position - 1, note)))


def _tiles(options: argparse.Namespace) -> None:
    from azcn_events.audit.log import Log  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.tiles import export_tiles  # noqa: PLC0415 - see open_ledger

    with open_ledger(options.ledger) as ledger:
        export_tiles(Log(ledger.store), options.folder, read_note(options.checkpoint))
    say(f"{options.folder} holds the log as tiles")


def _publish(options: argparse.Namespace) -> None:
    from azcn_events.audit.publish import publish  # noqa: PLC0415 - see open_ledger
    from azcn_events.core.values import Citation  # noqa: PLC0415 - see open_ledger

    asked = {
        key: value
        for key in ("policy", "agreement")
        if (value := getattr(options, key)) is not None
    }
    with open_ledger(options.ledger) as ledger:
        published = publish(
            ledger,
            options.name,
            cites=Citation(options.source, options.at or ""),
            by=options.by or "",
            as_of=options.as_of,
            known_by=options.known_by,
            **asked,
        )
    print_table(published.table, options)
    record = published.record
    say(f"published at position {record.position}, id {record.id}", file=sys.stderr)


def _reproduce(options: argparse.Namespace) -> int:
    from azcn_events.audit.publish import reproduce  # noqa: PLC0415 - see open_ledger

    which = options.which
    content = None
    if options.content:
        content = read_named(options.content, _CONTENT_BYTES_MAX)
        if len(content) > _CONTENT_BYTES_MAX:
            problem = f"at most {_CONTENT_BYTES_MAX:,} bytes are read of a report"
            raise AzcnEventsError(f"{options.content}: {problem}")
    with open_ledger(options.ledger) as ledger:
        found = reproduce(
            ledger,
            # As a number that no position can be it is an id, and there is none.
            int(which) if re.fullmatch("[0-9]{1,18}", which) else which,
            content=content,
        )
    if options.json or options.csv or found.drift:
        print_table(found.table_of_drift(), options)
    else:
        say(found.explain())
    return int(not found.is_same)
