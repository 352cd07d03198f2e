"""Go accepts what we sign, prove and export of logs of every awkward size.

And it refuses the same with one bit changed, so that its yes means something.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve, frozen
from tests.audit.go.every_text import EVERY_CHARACTER, grow, new_store
from tests.audit.go.judge import Judge
from tests.audit.go.spelling import plainly
from tests.audit.ledgers import told
from tests.audit.signing import LOG_KEY, QUANTUM_KEY, TIME, WITNESS_KEY, note_of

from azcn_events.audit import (
    Checkpoint,
    Log,
    LogSigner,
    Note,
    export_tiles,
    prove,
    signed,
    tile_path,
    write_pack,
)
from azcn_events.audit.notes import Signature
from azcn_events.core.leaf import parse_entry
from azcn_events.core.merkle import verify_consistency, verify_inclusion
from azcn_events.errors import ProofRefused
from azcn_events.stores.sqlite import SqliteStore
from azcn_events.testing import Clock

pytestmark = pytest.mark.usefixtures("judge")  # before a log is made for it in vain

LARGE: Final = 70_000
SIZES: Final = (0, 1, 2, 3, 255, 256, 257, LARGE)
SMALL: Final = (*range(65), *SIZES[4:-1])
EDGES: Final = (0, 1, 2, 255, 256, 257, 65_535, 65_536, 69_887, 69_888, LARGE - 1)
PICKED: Final = 500
KEYS: Final = [key.verifier for key in (LOG_KEY, QUANTUM_KEY, WITNESS_KEY)]


@frozen
class Shown:
    """A log that was signed and exported at each of the sizes as it grew.

    Attributes:
        log: The log, of the largest size.
        notes: The checkpoint at each size, with three signatures.
        folders: One for each size, called by it; and ``grown``, brought up to date at
            each.
    """

    log: Log
    notes: dict[int, Note]
    folders: Path

    def root(self, size: int) -> bytes:
        """Give the root that was signed, or is now the root of, the first events."""
        note = self.notes.get(size)
        return Checkpoint.parse(note.text).root if note else self.log.root(size)

    def folder(self, name: int | str) -> dict[str, Any]:
        """Ask about an exported folder."""
        return {"Kind": "folder", "Keys": KEYS, "Folder": self.folders / str(name)}

    def inclusion(self, index: int, size: int) -> dict[str, Any]:
        """Ask about a proof that an event is in the log."""
        return {
            "Kind": "inclusion",
            "Index": index,
            "Size": size,
            "Path": self.log.inclusion(index, size),
            "Root": self.root(size),
            "Leaf": self.log.hashes(0, index, index + 1),
        }

    def consistency(self, old: int, size: int) -> dict[str, Any]:
        """Ask about a proof that an older log is a beginning of the log."""
        return {
            "Kind": "consistency",
            "Old": old,
            "Size": size,
            "Path": self.log.consistency(old, size),
            "Root": self.root(size),
            "Before": self.root(old),
        }

    def proof(self, index: int, note: Note) -> dict[str, Any]:
        """Ask about a proof file."""
        (entry,) = self.log.entries(index, index + 1)
        made = bytes(prove(self.log, index, note))
        return {"Kind": "proof", "Keys": KEYS, "File": made, "Entry": entry}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One log, in whose names is every character, shown at each of the sizes."""
    place = tmp_path_factory.mktemp("shown")
    store = new_store()
    log, notes = Log(store), dict[int, Note]()
    signer = LogSigner(place / "last", [LOG_KEY, QUANTUM_KEY], clock=lambda: TIME)
    for size in SIZES:
        grow(store, size)
        note = signer.sign(log, begin=not size, is_durable=True)
        notes[size] = WITNESS_KEY.cosign(note, TIME)
        for folder in (str(size), "grown"):
            export_tiles(log, place / folder, notes[size])
    return Shown(log, notes, place)


def asking(note: Note) -> dict[str, Any]:
    """Ask about a checkpoint with three signatures."""
    return {"Kind": "note", "Keys": KEYS, "Note": bytes(note)}


def picked(count: int, high: int) -> list[int]:
    """Pick numbers below another, the same each time."""
    chance = random.Random(high)  # noqa: S311 - to be repeated, not to be secret
    return [chance.randrange(high) for _ in range(count)]


def flipped(data: bytes, at: int, bit: int) -> bytes:
    """Give bytes with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def every_bit(data: bytes) -> Iterator[bytes]:
    """Give bytes with each of their bits changed, one at a time."""
    for at in range(len(data)):
        for bit in range(8):
            yield flipped(data, at, bit)


def test_all_kinds_of_text_are_judged(shown: Shown) -> None:
    """Every character that a name may hold is in a leaf."""
    found = set[str]()
    for entry in map(parse_entry, shown.log.entries(0, LARGE)):
        found.update(entry.stream, entry.id, entry.kind)
    assert set(EVERY_CHARACTER) == found


def test_go_opens_every_checkpoint(judge: Judge, shown: Shown) -> None:
    """With all three signatures: Ed25519, the witness's, and ML-DSA-44."""
    notes = list(shown.notes.values())
    answers = judge.answers(map(asking, notes))
    assert [n.text.encode() for n in notes] == [answer.text for answer in answers]
    assert [[0, 1, 2]] * len(SIZES) == [sorted(answer.signed) for answer in answers]


def test_go_reads_every_folder(judge: Judge, shown: Shown) -> None:
    """Its own tile reader finds the signed root, and every entry's leaf under it."""
    questions = [shown.folder(name) for name in (*SIZES, "grown")]
    assert [""] * len(questions) == judge.refusals(questions)


def test_go_reads_a_folder_as_it_grows(
    judge: Judge, shown: Shown, tmp_path: Path
) -> None:
    """After each step, with what the steps before have left in it."""
    for size in SIZES[:-1]:
        export_tiles(shown.log, tmp_path, shown.notes[size])
        question = {**shown.folder(size), "Folder": tmp_path}
        assert [""] == judge.refusals([question]), size


def test_go_looks_for_tiles_where_we_put_them(judge: Judge) -> None:
    """Those of logs as well that are too large to be made here."""
    tiles = [
        (level, index, width)
        for level in (0, 1, 7)
        for index in (0, 9, 999, 1000, 1001, 10**6, 1_234_067, 2**40)
        for width in (1, 17, 255, 256)
    ]
    names = ("Level", "Index", "Width")
    asked = [{"Kind": "tile", **dict(zip(names, one, strict=True))} for one in tiles]
    paths = [answer.text.decode() for answer in judge.answers(asked)]
    assert [tile_path(*one) for one in tiles] == paths


def test_go_accepts_inclusion_proofs(judge: Judge, shown: Shown) -> None:
    """All of the small logs, and some hundreds of the large one."""
    questions = [shown.inclusion(at, size) for size in SMALL for at in range(size)]
    places = {*EDGES, *picked(PICKED, LARGE)}
    questions += [shown.inclusion(at, LARGE) for at in sorted(places)]
    assert [""] * len(questions) == judge.refusals(questions)


def test_go_accepts_consistency_proofs(judge: Judge, shown: Shown) -> None:
    """From all earlier sizes to the small ones, and some hundreds in the large one."""
    pairs = [(old, size) for size in SMALL for old in range(1, size + 1)]
    pairs += [(at + 1, LARGE) for at in {*EDGES, *picked(PICKED, LARGE)}]
    news = picked(PICKED, LARGE + 1)
    pairs += [(1 + new // 3, new) for new in news if new]
    questions = [shown.consistency(old, size) for old, size in pairs]
    assert [""] * len(questions) == judge.refusals(questions)


def test_go_accepts_proof_files(judge: Judge, shown: Shown) -> None:
    """Of every event of the small logs, and some hundreds of the large one."""
    questions = [
        shown.proof(at, shown.notes[size])
        for size in SIZES
        for at in (range(size) if size < LARGE else {*EDGES, *picked(PICKED, LARGE)})
    ]
    assert [""] * len(questions) == judge.refusals(questions)


def test_go_accepts_an_audit_pack(judge: Judge, tmp_path: Path) -> None:
    """Of a ledger in a file: the pack is a folder of tiles, with proofs beside them."""
    clock = Clock()
    with closing(SqliteStore.open(tmp_path / "ledger.db", clock=clock)) as store:
        ledger = told(store, clock, 300)
        note = LogSigner(tmp_path / "last", [LOG_KEY]).sign(Log(store), begin=True)
        pack = write_pack(ledger, tmp_path / "pack", note, keys=KEYS[:1])
    asked: list[dict[str, Any]] = [{"Kind": "folder", "Folder": pack}]
    asked += [
        {
            "Kind": "proof",
            "File": path.read_bytes(),
            "Entry": path.with_suffix(".entry").read_bytes(),
        }
        for path in sorted(pack.glob("proofs/*.tlog-proof"))
    ]
    refusals = judge.refusals({"Keys": KEYS[:1], **one} for one in asked)
    assert 10 < len(asked)
    assert [""] * len(asked) == refusals


def test_one_bit_in_a_folder_and_go_refuses(judge: Judge, shown: Shown) -> None:
    """In every byte of the tiles, of the checkpoint, and all through the bundles."""
    question, asked = shown.folder(257), list[dict[str, Any]]()
    files = sorted(path for path in question["Folder"].rglob("*") if path.is_file())
    bits = chain.from_iterable(iter(lambda: range(8), None))
    for path in files:
        name = path.relative_to(question["Folder"]).as_posix()
        step = 29 if "entries" in name else 1
        asked += [
            {**question, "Flip": {"Path": name, "At": at, "Bit": next(bits)}}
            for at in range(0, path.stat().st_size, step)
        ]
    assert 6 == len(files)
    taken = [
        one["Flip"]
        for one, refused in zip(asked, judge.refusals(asked), strict=True)
        if not refused
    ]
    for flip in taken:
        whole = (question["Folder"] / flip["Path"]).read_bytes()
        changed = flipped(whole, flip["At"], flip["Bit"])
        assert "checkpoint" == flip["Path"]
        assert whole == plainly(changed, KEYS)


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/000",
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
        "tile/entries/000",
        "tile/entries/136",
        "tile/entries/273.p/112",
    ],
)
def test_one_bit_in_a_large_folder_and_go_refuses(
    name: str, judge: Judge, shown: Shown
) -> None:
    """In the first and the last byte of a file on every level."""
    question = shown.folder("grown")
    last = (question["Folder"] / name).stat().st_size - 1
    flips = [{"Path": name, "At": 0, "Bit": 7}, {"Path": name, "At": last, "Bit": 0}]
    assert all(judge.refusals({**question, "Flip": flip} for flip in flips))


def test_a_file_less_and_go_refuses(judge: Judge, shown: Shown, tmp_path: Path) -> None:
    """Whichever file it is; so every one of them is read."""
    export_tiles(shown.log, tmp_path, shown.notes[257])
    question = {**shown.folder(257), "Folder": tmp_path}
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        kept = path.read_bytes()
        path.unlink()
        (refused,) = judge.refusals([question])
        assert "no such file or directory" == refused.rpartition(": ")[2]
        path.write_bytes(kept)
    assert [""] == judge.refusals([question])


def test_a_file_of_another_length_and_go_refuses(
    judge: Judge, shown: Shown, tmp_path: Path
) -> None:
    """A byte less, a byte more, an entry more."""
    export_tiles(shown.log, tmp_path, shown.notes[257])
    question = {**shown.folder(257), "Folder": tmp_path}
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        kept = path.read_bytes()
        for changed in (kept[:-1], kept + b"\n", kept + b"\0\1x"):
            path.write_bytes(changed)
            assert [""] != judge.refusals([question]), path
        path.write_bytes(kept)


def test_an_empty_log_has_one_root(judge: Judge, shown: Shown, tmp_path: Path) -> None:
    """Zeros are none, though Go's package says so and somebody signed it."""
    checkpoint = Checkpoint(LOG_KEY.verifier.name, 0, bytes(32))
    (tmp_path / "checkpoint").write_bytes(bytes(signed(checkpoint, [LOG_KEY])))
    question = {**shown.folder(0), "Keys": KEYS[:1], "Folder": tmp_path}
    (refused,) = judge.refusals([question])
    assert refused.startswith("the root is")


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_one_bit_in_a_proof_and_go_refuses(
    kind: str, judge: Judge, shown: Shown
) -> None:
    """In its hashes, in the roots, in the leaf, in the number of what is proved.

    Not always in the log's size: near sizes have the same paths, and it is the root
    that is signed with the size.
    """
    good: dict[str, Any] = getattr(shown, kind)(4_321, LARGE)
    asked = list[dict[str, Any]]()
    for name, value in good.items():
        match value:
            case int() if name != "Size":
                asked += [{**good, name: value ^ 1 << bit} for bit in range(17)]
            case bytes():
                asked += [{**good, name: bad} for bad in every_bit(value)]
            case list():
                for at, one in enumerate(value):
                    paths = [value[:at], value[at + 1 :]]
                    asked += [
                        {**good, "Path": [*paths[0], bad, *paths[1]]}
                        for bad in every_bit(one)
                    ]
    assert [] == [
        one
        for one, refused in zip(asked, judge.refusals(asked), strict=True)
        if not refused
    ]
    assert 18 * 256 < len(asked)
    assert [""] == judge.refusals([good])


@pytest.mark.parametrize("what", ["note", "proof"])
def test_one_bit_in_a_signed_file_and_go_refuses(
    what: str, judge: Judge, shown: Shown
) -> None:
    """Each bit of a checkpoint and of a proof file; but bits that mean nothing."""
    keys = [LOG_KEY.verifier]
    note = note_of(shown.log)
    good = {**shown.proof(LARGE - 1, note), "Keys": keys, "Note": bytes(note)}
    name = {"note": "Note", "proof": "File"}[what]
    changed = list(every_bit(good[name]))
    refusals = judge.refusals({**good, "Kind": what, name: bad} for bad in changed)
    accepted = [
        bad for bad, refused in zip(changed, refusals, strict=True) if not refused
    ]
    assert [bad for bad in changed if plainly(bad, keys) == good[name]] == accepted


def test_every_signature_counts(judge: Judge, shown: Shown) -> None:
    """With one bit of any of the three changed, Go opens the checkpoint no more."""
    note, asked = shown.notes[257], list[Note]()
    for at, one in enumerate(note.signatures):
        for byte in range(0, len(one.value), 31):
            bad = Signature(one.name, one.key_id, flipped(one.value, byte, byte % 8))
            signatures = [*note.signatures[:at], bad, *note.signatures[at + 1 :]]
            asked.append(evolve(note, signatures=tuple(signatures)))
    assert all(judge.refusals(map(asking, asked)))


def test_go_and_we_refuse_the_same_proofs(judge: Judge, shown: Shown) -> None:
    """Proofs changed in any way: what one of us accepts, so does the other."""
    chance = random.Random(257)  # noqa: S311 - to be repeated, not to be secret
    asked = list[dict[str, Any]]()
    for number in range(6_000):
        size = chance.randint(1, 257)
        old = chance.randint(1, size)
        good = (
            shown.inclusion(old - 1, size)
            if number % 2
            else shown.consistency(old, size)
        )
        asked.append(_changed(good, chance))
    theirs = [not refused for refused in judge.refusals(asked)]
    assert list(map(_accepted, asked)) == theirs
    assert 500 < sum(theirs) < 5_500


def _changed(good: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Change a proof a little, or not at all."""
    path = list(good["Path"])
    at = chance.randint(0, len(path))
    match chance.randrange(9):
        case 0:
            path[at : at + 1] = []
        case 1:
            path[at:at] = [path[0] if path else good["Root"]]
        case 2:
            path.reverse()
        case 3:
            path[at : at + 1] = [good["Root"][:-1]]
        case 4:
            return {**good, "Size": good["Size"] + chance.choice([-2, -1, 1, 2, 128])}
        case 5:
            name = "Old" if "Old" in good else "Index"
            return {**good, name: good[name] + chance.choice([-2, -1, 1, 2, 128])}
        case 6:
            name = "Before" if "Old" in good else "Leaf"
            return {**good, name: good["Root"], "Root": good[name]}
        case 7:
            name = chance.choice(sorted({"Root", "Before", "Leaf"} & good.keys()))
            return {**good, name: chance.randbytes(32)}
        case _:
            pass
    return {**good, "Path": path}


def _accepted(question: dict[str, Any]) -> bool:
    """Say whether we accept a proof."""
    size, path, root = (question[name] for name in ("Size", "Path", "Root"))
    try:
        if question["Kind"] == "inclusion":
            verify_inclusion(question["Index"], size, question["Leaf"], path, root)
        else:
            verify_consistency(question["Old"], size, path, question["Before"], root)
    except ProofRefused:
        return False
    return True
