"""Go and we read the same notes, and the same in them; where not, it is said which.

``AZCN_JUDGED_NOTES`` says how many changed notes are compared, ``AZCN_JUDGED_SEED``
which.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, Final, TypeAlias

from tests.audit.go.every_text import EVERY_CHARACTER
from tests.audit.go.judge import Judge
from tests.audit.go.odd_notes import NEW, OLD, ORIGIN, TEXT, changed_notes
from tests.audit.go.spelling import is_plain_checkpoint, plain_checkpoint, plainly

from azcn_events.audit import (
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    open_note,
    parse_note,
)
from azcn_events.audit.encoding import base64_of, is_name
from azcn_events.audit.notes import NOTE_BYTES_MAX, SIGNATURES_MAX
from azcn_events.core.merkle import EMPTY_ROOT
from azcn_events.errors import ProofRefused

NOTES: Final = int(os.environ.get("AZCN_JUDGED_NOTES", "30000"))
SEED: Final = int(os.environ.get("AZCN_JUDGED_SEED", "0"))

KNOWN: Final = [OLD.verifier, NEW.verifier]
NOTE: Final = Note(TEXT, (OLD.sign(TEXT),))

Opened: TypeAlias = tuple[bytes, frozenset[int]] | None
"""A note's text and which known keys signed it; None if it is refused."""
Parsed: TypeAlias = tuple[bytes, tuple[bytes, ...]] | None
"""A note's text and the signatures below, each once; None if it is refused."""

MALFORMED: Final = "malformed note"
UNVERIFIED: Final = "note has no verifiable signatures"


def asking(note: bytes, keys: Sequence[VerifierKey] = KNOWN) -> dict[str, Any]:
    """Ask about a note."""
    return {"Kind": "note", "Keys": keys, "Note": note}


def opened(note: bytes) -> Opened:
    """Open a note with our library."""
    try:
        found = open_note(note, KNOWN)
    except ProofRefused:
        return None
    signed = frozenset(KNOWN.index(signer.key) for signer in found.signers)
    return found.text.encode(), signed


def opened_by(judge: Judge, notes: Iterable[bytes]) -> list[Opened]:
    """Have Go open notes."""
    return [
        None if answer.refused else (answer.text, frozenset(answer.signed))
        for answer in judge.answers(map(asking, notes))
    ]


def parsed(note: bytes) -> Parsed:
    """Take a note apart with our library."""
    try:
        found = parse_note(note)
    except ProofRefused:
        return None
    lines = [
        f"{one.name} ".encode() + one.key_id + one.value for one in found.signatures
    ]
    return found.text.encode(), tuple(dict.fromkeys(lines))


def parsed_by(judge: Judge, notes: Iterable[bytes]) -> list[Parsed]:
    """Have Go take notes apart; as it knows no keys, it verifies nothing."""
    answers = judge.answers(asking(note, []) for note in notes)
    assert {MALFORMED, UNVERIFIED} >= {answer.refused for answer in answers}
    return [
        (answer.text, tuple(dict.fromkeys(answer.others)))
        if answer.refused == UNVERIFIED
        else None
        for answer in answers
    ]


def counted(readings: Iterable[tuple[object, object]]) -> Counter[str]:
    """Count who accepts what, of our readings and Go's."""
    return Counter(
        "both" if we else "Go alone" if go else "nobody" for we, go in readings
    )


def is_plain(note: bytes) -> bool:
    """Say whether a note's base64 has its one spelling."""
    return note == plainly(note)


def test_go_and_we_open_the_same_changed_notes(judge: Judge) -> None:
    """Text and signers are the same, but for what ``plainly`` undoes."""
    notes = list(changed_notes(NOTES, SEED))
    ours, theirs = list(map(opened, notes)), opened_by(judge, notes)
    for note, we, go in zip(notes, ours, theirs, strict=True):
        assert go == opened(plainly(note, KNOWN)), note
        assert we in ({None, go} if is_plain(note) else {None}), note
    tally = counted(zip(ours, theirs, strict=True))
    assert NOTES // 5 < min(tally["both"], tally["nobody"]), tally
    assert NOTES // 50 < tally["Go alone"], tally


def test_go_and_we_take_the_same_changed_notes_apart(judge: Judge) -> None:
    """Whoever signed them: the text, and all that stands below it."""
    notes = list(changed_notes(NOTES, SEED + 1))
    ours, theirs = list(map(parsed, notes)), parsed_by(judge, notes)
    for note, we, go in zip(notes, ours, theirs, strict=True):
        assert go == parsed(plainly(note)), note
        assert we == (go if is_plain(note) else None), note
    tally = counted(zip(ours, theirs, strict=True))
    assert NOTES // 5 < min(tally["both"], tally["nobody"]), tally
    assert NOTES // 50 < tally["Go alone"], tally


def test_go_and_we_call_keys_by_the_same_names(judge: Judge) -> None:
    """Every character of Unicode: those that we take, and each one that we refuse."""
    taken = "".join(filter(is_name, EVERY_CHARACTER))
    good = [
        NOTE.plus(
            *(Signature(f"a{one}b", b"abcd", b"x") for one in taken[at : at + 99])
        )
        for at in range(0, len(taken), 99)
    ]
    assert [TEXT.encode()] * len(good) == [
        answer.text for answer in judge.answers(map(asking, map(bytes, good)))
    ]
    refused = sorted({*map(chr, range(0x20)), *EVERY_CHARACTER} - {*taken, "\n"})
    bad = [f"{NOTE}\u2014 a{one}b {base64_of(b'abcdx')}\n".encode() for one in refused]
    assert [MALFORMED] * len(bad) == judge.refusals(map(asking, bad))
    assert [None] * len(bad) == list(map(parsed, bad))
    assert 31 + len("+") + 20 == len(bad)


def test_go_and_we_sign_the_same_characters(judge: Judge) -> None:
    """Every character of Unicode may be in a text, but not those below U+0020."""
    step = 10_000
    texts = [
        f"{EVERY_CHARACTER[at : at + step]}\n"
        for at in range(0, len(EVERY_CHARACTER), step)
    ]
    notes = [bytes(Note(text, (OLD.sign(text),))) for text in texts]
    expected = [(text.encode(), frozenset([0])) for text in texts]
    assert expected == list(map(opened, notes))
    assert expected == opened_by(judge, notes)
    bad = [f"a{chr(one)}b\n{NOTE}".encode() for one in range(0x20) if one != 0x0A]
    assert [MALFORMED] * len(bad) == judge.refusals(map(asking, bad))
    assert [None] * len(bad) == list(map(parsed, bad))


def test_a_hundred_signatures_and_no_more(judge: Judge) -> None:
    """C2SP, signed-note, wants a limit, of sixteen at least; ours is Go's."""
    more = [Signature(f"w{at}", b"abcd", b"x") for at in range(SIGNATURES_MAX)]
    notes = [bytes(NOTE.plus(*more[:count])) for count in (15, 99, 100)]
    assert [True, True, False] == [bool(opened(note)) for note in notes]
    assert list(map(opened, notes)) == opened_by(judge, notes)


def test_only_we_limit_the_length_of_a_note(judge: Judge) -> None:
    """Which C2SP, signed-note, wants as well as the other limit, or in its place."""
    for length, taken in ((NOTE_BYTES_MAX, True), (NOTE_BYTES_MAX + 1, False)):
        text = f"{'a' * (length - len(bytes(NOTE)) + len(TEXT) - 1)}\n"
        note = bytes(Note(text, (OLD.sign(text),)))
        assert length == len(note)
        assert taken == bool(opened(note))
        assert [(text.encode(), frozenset([0]))] == opened_by(judge, [note])


def read_checkpoint(text: str) -> tuple[int, bytes] | None:
    """Read size and root of a checkpoint; an empty log's root is not compared."""
    try:
        found = Checkpoint.parse(text)
    except ProofRefused:
        return None
    return found.size, found.root if found.size else b""


def test_go_and_we_read_the_same_checkpoints(judge: Judge) -> None:
    """Good and odd lines in every combination."""
    root, empty = base64_of(bytes(31) + b"\1"), base64_of(EMPTY_ROOT)
    origins = [ORIGIN, "", " ", "\u0663", "go.sum database tree", "x" * 255, "x" * 256]
    sizes = ["3", "", " 3", "3 ", "\u0663", "\u00b2", str(2**63 - 1), str(2**63)]
    sizes += ["0", "00", "03", "+3", "-3", "-0", "3_0", "0x3", "3.0", "1e3", "9" * 20]
    roots = [root, empty, f"{root[:-2]}F=", f"{root[:-2]}H=", f"{root}=", root[:-1]]
    roots += ["", f" {root}", root.replace("A", "-", 1), base64_of(bytes(31)), "AAA="]
    ends = ["", "more\n", "more", "\n", "\nmore\n", "more\n\n", "\u2028\n", "a\nb\n"]
    texts = [
        "\n".join(parts[:3]) + "\n" + parts[3]
        for parts in product(origins, sizes, roots, ends)
    ]
    texts += [text[:-1] for text in texts]
    asked = [{"Kind": "checkpoint", "Note": text.encode()} for text in texts]
    theirs = [
        None if answer.refused else (answer.size, answer.root if answer.size else b"")
        for answer in judge.answers(asked)
    ]
    ours = list(map(read_checkpoint, texts))
    for text, we, go in zip(texts, ours, theirs, strict=True):
        assert go == read_checkpoint(plain_checkpoint(text)), text
        assert we == (go if is_plain_checkpoint(text) else None), text
    tally = counted(zip(ours, theirs, strict=True))
    assert 100 < min(tally["both"], tally["nobody"], tally["Go alone"]), tally
