"""Packs to look at, and to break."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from tests.audit.signing import LOG_KEY, ORIGIN
from tests.hostile.changes import changed
from tests.logs import Clock, us_of

from azcn_events import Citation, Ledger, When
from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.log import Log
from azcn_events.audit.notes import Note, VerifierKey
from azcn_events.audit.pack import MANIFEST, Basis, stage, write_pack
from azcn_events.audit.pack_checking import verify_pack
from azcn_events.audit.stored_zip import write_zip
from azcn_events.audit.verdict import Verdict
from azcn_events.core.events import Event
from azcn_events.demo import seed_files
from azcn_events.errors import ProofRefused
from azcn_events.investment import AgreementIdentified
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Row

__all__ = [
    "as_folder",
    "campaign_on_bytes",
    "campaign_on_events",
    "files_of",
    "forged",
    "list_again",
    "note_over",
    "seeded",
    "small",
    "zipped",
]


def seeded() -> Ledger:
    """Give a ledger with the demonstration's seed."""
    clock = Clock(us_of(date(2026, 3, 1)))
    ledger = Ledger(MemoryStore(clock), clock=clock)
    for path in seed_files():
        ledger.load(path)
    return ledger


def small(events: int = 3) -> Ledger:
    """Give a ledger with a few events, in names that try to act."""
    clock = Clock()
    ledger = Ledger(MemoryStore(clock), clock=clock)
    for number in range(events):
        event: Event = AgreementIdentified(
            field="=HYPERLINK(1)",
            when=When("2025-04"),
            cites=Citation("source/../../etc/passwd", at="| x | <b> | `rm -r ~` |"),
        )
        ledger.record(f"agreement/../{number}", event, ids=[f"../{number}"])
    return ledger


def note_over(
    ledger: Ledger, size: int | None = None, keys: Sequence[SigningKey] = (LOG_KEY,)
) -> Note:
    """Sign a ledger's checkpoint."""
    return signed(Log(ledger.store).checkpoint(ORIGIN, size), keys)


def as_folder(ledger: Ledger, target: Path, size: int | None = None) -> Path:
    """Write a pack."""
    return write_pack(ledger, target, note_over(ledger, size), keys=[LOG_KEY.verifier])


def files_of(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def list_again(folder: Path) -> None:
    """Make the manifest agree with the files, as whoever changed them would."""
    files = files_of(folder)
    files.pop(MANIFEST, None)
    lines = [
        f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        for name, data in sorted(files.items())
    ]
    (folder / MANIFEST).write_text("".join(lines))


def zipped(folder: Path, target: Path) -> Path:
    """Make an archive of a folder, whatever is in it."""
    with target.open("wb") as file:
        write_zip(file, {name: folder / name for name in files_of(folder)})
    return target


def forged(folder: Path, rows: Sequence[Row], key: SigningKey) -> None:
    """Make a pack that agrees with itself, of any events, signed by anybody's key."""
    store = MemoryStore(Clock())
    for row in rows:
        draft = Draft(
            row.stream,
            row.id,
            row.kind,
            row.payload,
            row.metadata,
            recorded_us=row.recorded_us,
        )
        store.append([draft], {row.stream: store.version(row.stream)})
    ledger = Ledger(store)
    note = signed(Log(store).checkpoint(key.verifier.name), [key])
    basis = Basis(note, (key.verifier,), b"", "investment")
    stage(ledger, folder, basis, with_tables=False)
    list_again(folder)


def judge(path: Path, keys: Sequence[VerifierKey] = ()) -> Verdict | ProofRefused:
    """Verify a pack, whatever it is; only these two may come of it."""
    try:
        return verify_pack(path, keys=keys)
    except ProofRefused as refused:
        return refused


# Campaigns


def campaign_on_bytes(tries: int, folder: Path, seed: int = 0) -> dict[str, int]:
    """Change files of a pack, or bytes of an archive, and verify what comes of it.

    What is changed is always found, and nothing else than a verdict or a refusal comes.

    Args:
        tries: How many changed packs.
        folder: An empty folder to work in.
        seed: Others are changed with another.

    Returns:
        How many were refused, and how many had findings, of folders and archives.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    good = as_folder(small(), folder / "good")
    archive = zipped(good, folder / "good.zip").read_bytes()
    counts = dict.fromkeys(("refused", "found", "the same"), 0)
    for _ in range(tries):
        if chance.random() < 0.2:
            bad = folder / "bad.zip"
            spoilt = changed(archive, chance)
            bad.write_bytes(spoilt)
            is_same = spoilt == archive
        else:
            bad = folder / "bad"
            shutil.rmtree(bad, ignore_errors=True)
            shutil.copytree(good, bad)
            _change_a_file(bad, chance)
            if chance.random() < 0.7:
                list_again(bad)
            is_same = files_of(bad) == files_of(good)
        found = judge(bad, [LOG_KEY.verifier])
        if isinstance(found, ProofRefused):
            counts["refused"] += 1
        elif is_same:
            counts["the same"] += 1
            assert () == found.findings, found.text()
        else:
            counts["found"] += 1
            assert found.findings, (seed, files_of(bad) if bad.is_dir() else spoilt)
            found.text()
            found.json()
    return counts


def _change_a_file(folder: Path, chance: random.Random) -> None:
    name = chance.choice(sorted(files_of(folder)))
    path = folder / name
    match chance.randrange(8):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(b"")
        case 2:
            path.write_bytes(chance.randbytes(chance.randrange(2000)))
        case 3:
            other = chance.choice(sorted(files_of(folder)))
            path.write_bytes((folder / other).read_bytes())
        case 4:
            lines = path.read_bytes().split(b"\n")
            chance.shuffle(lines)
            path.write_bytes(b"\n".join(lines))
        case _:
            path.write_bytes(changed(path.read_bytes(), chance))


def campaign_on_events(tries: int, folder: Path, seed: int = 0) -> dict[str, int]:
    """Make packs of events that nobody would record, signed by a key of their own.

    They agree with themselves, so all is read and the reports are made of them.

    Args:
        tries: How many packs.
        folder: An empty folder to work in.
        seed: Others are made with another.

    Returns:
        How many could not be read, how many were, and of how many no report was made.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    key = SigningKey.make("evil.example/log")
    rows = list(seeded().store.read_all())
    counts = dict.fromkeys(("unreadable", "read", "no report"), 0)
    for _ in range(tries):
        chosen = sorted(chance.sample(rows, chance.randrange(1, len(rows))))
        rate = chance.choice((1, 2)) / len(chosen)
        evil = [_evil(row, chance) if chance.random() < rate else row for row in chosen]
        shutil.rmtree(folder / "evil", ignore_errors=True)
        forged(folder / "evil", evil, key)
        found = judge(folder / "evil")
        assert isinstance(found, Verdict)
        assert not found.is_whole  # There are no reports in it.
        codes = {one.code for one in found.findings}
        what = "unreadable" if "unreadable" in codes else "read"
        counts["no report" if "pack" in codes else what] += 1
        found.text()
    return counts


_VALUES = (
    b'"1E+999999"',
    b'"-1E-999999"',
    b'"NaN"',
    b'"Infinity"',
    b'"0001-01-01"',
    b'"9999-12-31"',
    b'"[..9999-12-31]"',
    b'"\\u202e\\u0000"',
    b'""',
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"99999999999999999999999999",
    b"-1",
    b"[" * 2000 + b"]" * 2000,
    b'"' + b"x" * 100_000 + b'"',
)


def _evil(row: Row, chance: random.Random) -> Row:
    """Give an event with a value that its class may not have, or in a wrong stream."""
    match chance.randrange(6):
        case 0:
            return row._replace(stream=chance.choice(_STREAMS))
        case 1:
            return row._replace(kind=chance.choice(_KINDS))
        case 2:
            return row._replace(payload=changed(row.payload, chance))
        case _:
            places = list(_values_in(row.payload))
            low, high = chance.choice(places)
            new = chance.choice(_VALUES)
            return row._replace(payload=row.payload[:low] + new + row.payload[high:])


_STREAMS = ("agreement/x", "package/x", "link/x", "source/x", "report/x", "odd")
_KINDS = (
    "agreement-identified/1",
    "agreement-signed/1",
    "documents-reported/1",
    "value-reported/1",
    "retracted/1",
    "report-published/1",
    "erased/1",
    "none/1",
    "value-reported/99",
    "",
)


def _values_in(payload: bytes) -> Iterator[tuple[int, int]]:
    """Find values in JSON, roughly: from a colon to the next comma or brace."""
    start = payload.find(b":")
    while start >= 0:
        ends = [payload.find(mark, start) for mark in (b",", b"}", b"]")]
        yield start + 1, min([end for end in ends if end >= 0], default=len(payload))
        start = payload.find(b":", start + 1)
