"""Commands for an audit: a pack to hand over, and the documents to look for."""

from __future__ import annotations

import argparse
import json

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import (
    complain,
    open_ledger,
    print_table,
    read_named,
    read_note,
    say,
)
from azcn_events.errors import AzcnEventsError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands that hand over and look for documents."""
    pack = commands.add(
        "pack",
        _pack,
        "write an audit pack: the log up to a checkpoint, its proofs and reports, and"
        " how to check them; a folder, or an archive if its name ends in .zip",
        "azcn pack 2025.zip --checkpoint 2025.note --key log.example/azcn+1a2b3c4d+A…",
        commands.ledger,
    )
    pack.add_argument(
        "target", help="must not be there; is written whole or not at all"
    )
    pack.add_argument(
        "--checkpoint", required=True, metavar="FILE", help="how far: a signed note"
    )
    pack.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY",
        help="the log's public key, the newest first; those of the policy if left out",
    )
    pack.add_argument(
        "--policy",
        metavar="FILE",
        help="whose signatures the checkpoint has, and needs",
    )
    pack.add_argument("--json", action="store_true", help="print JSON")
    evidence = commands.add(
        "evidence",
        _evidence,
        "look in a folder for the documents and passages whose digests are recorded;"
        " exit code 1 if one is missing, altered or cannot be read, 3 without a folder",
        "azcn evidence ~/documents",
        commands.form,
        commands.ledger,
    )
    evidence.add_argument("folder", help="where they are kept, in whatever order")


def _pack(options: argparse.Namespace) -> None:
    from azcn_events.audit.checkpoints import Checkpoint  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.notes import VerifierKey  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.pack import write_pack  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.policy import (  # noqa: PLC0415 - see open_ledger
        POLICY_BYTES_MAX,
        parse_policy,
    )

    keys = [VerifierKey.parse(text) for text in options.key]
    policy = b""
    if options.policy:
        policy = read_named(options.policy, POLICY_BYTES_MAX)
        keys = keys or list(parse_policy(policy, options.policy).logs)
    if not keys:
        raise AzcnEventsError("whose checkpoint? give --key or --policy")
    note = read_note(options.checkpoint)
    with open_ledger(options.ledger) as ledger:
        write_pack(ledger, options.target, note, keys=keys, policy=policy)
    found = Checkpoint.parse(note.text)
    if options.json:
        made = {"pack": options.target, "size": found.size, "root": found.root.hex()}
        print(json.dumps(made, indent=2))
    else:
        say(f"{options.target}: the log up to event {found.size:,}, with its proofs")


def _evidence(options: argparse.Namespace) -> int:
    from azcn_events.audit.evidence import (  # noqa: PLC0415 - see open_ledger
        files_in,
        find_evidence,
        is_whole,
    )

    try:
        files = list(files_in(options.folder))
    except OSError as error:
        complain(error)
        return 3
    with open_ledger(options.ledger) as ledger:
        table = find_evidence(ledger.view().moment, files)
    print_table(table, options)
    return int(not is_whole(table))
