"""Everything that reads what a stranger may have written.

What is read is taken or refused, with an error of our own, and soon. Hostile bytes are
good ones with a few changes: pure noise would be refused at its first byte.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from attrs import Factory, define, frozen
from tests.audit.honest import CODEC
from tests.audit.packs import as_folder, files_of, seeded, small, zipped
from tests.audit.signing import (
    LOG_KEY,
    ORIGIN,
    QUANTUM_KEY,
    TIME,
    WITNESS_KEY,
    log_of,
    note_of,
)
from tests.hostile.changes import changed

from azcn_events.audit import (
    Checkpoint,
    VerifierKey,
    export_tiles,
    open_checkpoint,
    parse_note,
    parse_policy,
    parse_proof_file,
    prove,
    read_checkpoint,
    read_tiles,
    verify_file,
    verify_pack,
)
from azcn_events.audit.pack_lines import line_of, rows_of_lines
from azcn_events.audit.witness import parse_request, write_request
from azcn_events.core.leaf import entry_of, parse_entry
from azcn_events.demo import seed_files
from azcn_events.errors import AzcnEventsError
from azcn_events.interop import jsonlines
from azcn_events.ledger import Ledger

__all__ = ["PARSERS", "SECONDS_MAX", "Parser", "Tally", "campaign"]

SECONDS_MAX = 2.0
"""The most CPU time for one input; it is about a hundred times what most take."""


@frozen
class Parser:
    """Something that reads bytes.

    Attributes:
        name: What it reads.
        good: Gives some that are taken.
        read: Reads one; raises an error of ours if it is refused.
        share: How many inputs it gets, of those asked for: less if each is costly.
    """

    name: str
    good: Callable[[], list[bytes]]
    read: Callable[[bytes], object]
    share: float = 1.0


@define
class Tally:
    """What became of the inputs of one parser.

    Attributes:
        taken: How many were read.
        refused: How many were refused, by the class of the error.
        slowest_s: CPU time of the slowest, in seconds.
    """

    taken: int = 0
    refused: Counter[str] = Factory(Counter[str])
    slowest_s: float = 0.0

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.taken + self.refused.total()


def campaign(parser: Parser, tries: int, seed: int = 0) -> Tally:
    """Have a parser read changed bytes; an error of any other kind comes through."""
    chance = random.Random(f"{parser.name} {seed}")  # noqa: S311 - to be repeated
    good, tally = parser.good(), Tally()
    for one in good:
        parser.read(one)
    for _ in range(max(1, round(tries * parser.share))):
        data = changed(chance.choice(good), chance)
        began = process_time()
        try:
            parser.read(data)
        except AzcnEventsError as error:
            str(error).encode()
            tally.refused[type(error).__name__] += 1
        else:
            tally.taken += 1
        tally.slowest_s = max(tally.slowest_s, process_time() - began)
    return tally


# What is good

_LOG = log_of(300)
_ROWS = list(seeded().store.read_all())
_CHECKPOINT = _LOG.checkpoint(ORIGIN)


def _notes() -> list[bytes]:
    note = note_of(_LOG)
    cosigned = WITNESS_KEY.cosign(note, TIME)
    return [bytes(one) for one in (note, cosigned, QUANTUM_KEY.cosign(cosigned, TIME))]


def _policies() -> list[bytes]:
    log, witness, other = (key.verifier for key in (LOG_KEY, WITNESS_KEY, QUANTUM_KEY))
    lines = (
        f"log {log}",
        "# who watches",
        f"witness w1 {witness}",
        f"witness w2 {other}",
        "group g 1 w1 w2",
        "quorum g",
    )
    return ["".join(f"{line}\n" for line in lines).encode()]


def _keys() -> list[bytes]:
    return [str(key.verifier).encode() for key in (LOG_KEY, QUANTUM_KEY, WITNESS_KEY)]


def _proofs() -> list[bytes]:
    return [bytes(prove(_LOG, at, note_of(_LOG))) for at in (0, 150, 299)]


def _requests() -> list[bytes]:
    return [
        write_request(old, _LOG.consistency(old, 300) if old else (), note_of(_LOG))
        for old in (0, 7, 256)
    ]


def _entries() -> list[bytes]:
    return [entry_of(row) for row in _ROWS]


def _lines() -> list[bytes]:
    return [b"".join(map(line_of, _ROWS))]


def _facts() -> list[bytes]:
    return [path.read_bytes() for path in seed_files()]


def _payloads() -> list[bytes]:
    return [b"%b\n%b" % (row.kind.encode(), row.payload) for row in _ROWS]


# How it is read


def _open_checkpoint(data: bytes) -> None:
    """Whatever is opened, is what was signed."""
    opened = open_checkpoint(data, [LOG_KEY.verifier], ORIGIN)
    assert _CHECKPOINT == opened.checkpoint


def _read_lines(data: bytes) -> None:
    for _ in rows_of_lines(BytesIO(data)):
        pass


def _read_facts(data: bytes) -> None:
    for _ in jsonlines.read(BytesIO(data), CODEC):
        pass


def _decode(data: bytes) -> None:
    """Read a payload whose checksum is right: somebody made it with our own code."""
    kind, _, payload = data.partition(b"\n")
    name = kind.decode(errors="replace")
    CODEC.decode(name, payload, CODEC.checksum(name, payload) or 0)


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode(errors="replace"))


# Files and folders


def _as_file(look: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Have bytes read from a file."""

    def read(data: bytes) -> None:
        with TemporaryDirectory() as made:
            path = Path(made) / "file"
            path.write_bytes(data)
            look(path)

    return read


def _made(make: Callable[[Path], object]) -> dict[str, bytes]:
    with TemporaryDirectory() as made:
        make(Path(made))
        return files_of(Path(made))


@cache
def _tiles() -> dict[str, bytes]:
    return _made(lambda folder: export_tiles(_LOG, folder, note_of(_LOG)))


def _each_tile() -> list[bytes]:
    return [name.encode() + b"\n" + data for name, data in _tiles().items()]


def _read_tiles(data: bytes) -> None:
    """Put one file into a good folder: under its name, if the name is still whole."""
    name, _, content = data.partition(b"\n")
    with TemporaryDirectory() as made:
        for path, good in _tiles().items():
            file = Path(made) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if path.encode() == name else good)
        opened = open_checkpoint(read_checkpoint(made), [LOG_KEY.verifier], ORIGIN)
        for entry in read_tiles(made, opened.checkpoint):
            parse_entry(entry)


def _archives() -> list[bytes]:
    def archive(folder: Path) -> None:
        pack = as_folder(small(), folder / "pack")
        zipped(pack, folder / "pack.zip")

    return [_made(archive)["pack.zip"]]


def _ledgers() -> list[bytes]:
    def ledger(folder: Path) -> None:
        with Ledger.open(folder / "azcn.db") as made:
            for path in seed_files():
                made.load(path)

    return [_made(ledger)["azcn.db"]]


PARSERS: Final = (
    Parser("notes", _notes, parse_note),
    Parser("signed checkpoints", _notes, _open_checkpoint),
    Parser(
        "checkpoints", lambda: [_CHECKPOINT.text().encode()], _text(Checkpoint.parse)
    ),
    Parser("keys to verify", _keys, _text(VerifierKey.parse)),
    Parser("policies", _policies, parse_policy),
    Parser("proof files", _proofs, parse_proof_file),
    Parser("requests to a witness", _requests, parse_request),
    Parser("entries", _entries, parse_entry),
    Parser("events of a pack", _lines, _read_lines, share=0.2),
    Parser("facts (JSON Lines)", _facts, _read_facts, share=0.2),
    Parser("stored events", _payloads, _decode),
    Parser("tiles", _each_tile, _read_tiles, share=0.02),
    Parser("archives of packs", _archives, _as_file(verify_pack), share=0.02),
    Parser("files of ledgers", _ledgers, _as_file(verify_file), share=0.02),
)
"""All of them."""
