"""Notes of all kinds, good and bad, the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from azcn_events.audit import Checkpoint, Scheme, Signature, SigningKey
from azcn_events.audit.notes import SIGNATURES_MAX

__all__ = ["NEW", "OLD", "ORIGIN", "TEXT", "changed_notes"]

ORIGIN: Final = "log.example/azcn"


def _key_of(name: str, word: str) -> SigningKey:
    """Make a key, the same for the same words, so that a failure can be repeated."""
    return SigningKey._of(name, Scheme.ED25519, sha256(word.encode()).digest())


OLD: Final = _key_of(ORIGIN, "old")
NEW: Final = _key_of(ORIGIN, "new")
_STRANGER: Final = _key_of("other.example", "stranger")
TEXT: Final = Checkpoint(ORIGIN, 3, sha256(b"root").digest()).text()

_ODD: Final = [
    *["", "\n", "\n\n", "\n\n\n", "\r", "\t", "\0", "\x0b", "\x0c", "\x1c", "\x1f"],
    *["\x7f", "\x85", "\u00a0", "\u1680", "\u180e", "\u2003", "\u200b", "\u2028"],
    *["\u2029", "\u3000", "\ufeff", "\ufffd", "\ufffe", "\U0010ffff", "é", "\u0663"],
    *[" ", "  ", "+", "/", "=", "==", "A", "AAAA", "AAAA==", "-", "_", "\u2013"],
    *["\u2014", "\u2014 ", "\u2014 a b\n", "\u2014 a AAAAAAA=\n", "a\n"],
]
_NO_UTF8: Final = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
_LIKELY: Final = (8, 4, 8, *[1] * 12)
"""How likely each of these lines is, compared with the others."""


def changed_notes(count: int, seed: int) -> Iterator[bytes]:
    """Give notes, most of them changed in some places."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    pool = [(text.encode(), _lines_under(text)) for text in _texts()]
    for _ in range(count):
        text, lines = chance.choice(pool)
        below = chance.choices(lines, _LIKELY, k=chance.choice([0, 0, 0, 1, 1, 2, 4]))
        if chance.random() < 0.9:
            below.insert(chance.randint(0, len(below)), lines[chance.randrange(2)])
        if chance.random() < 0.01:
            below += [lines[2]] * chance.randint(SIGNATURES_MAX - 3, SIGNATURES_MAX)
        note = text + b"\n" + b"".join(below)
        for _ in range(chance.choice([0, 0, 1, 1, 1, 2])):
            note = _changed(note, chance)
        yield note


def _texts() -> list[str]:
    """Give texts to sign: checkpoints, longer ones, and such as are none."""
    made = [Checkpoint(ORIGIN, size, bytes(32)).text() for size in (1, 40, 10**6)]
    made += [TEXT, f"{TEXT}more\n", "\n", "\n\n", "a\n\nb\n", "a\n\n\u2014 a b\n"]
    return made + [f"a{odd}b\n" for odd in ("\u2028", "\x85", "\ufeff", "é", "+", " ")]


def _lines_under(text: str) -> list[bytes]:
    """Give signature lines: good, bad and odd ones, the good ones first."""
    good = [key.sign(text) for key in (OLD, NEW, _STRANGER)]
    old, new, stranger = good
    made = [
        *good,
        OLD.sign(f"not {text}"),
        NEW.sign(f"not {text}"),
        old._replace(name="other.example"),
        old._replace(key_id=new.key_id),
        old._replace(value=old.value[:-1]),
        old._replace(value=b"x"),
        old._replace(value=old.value + b"\0"),
        stranger._replace(value=b"x"),
        Signature("odd\u200bname\u2014", b"abcd", b"xyz"),
        old._replace(value=b""),
        Signature("short", b"abcd", b""),
        Signature("short", b"abc", b""),
    ]
    return [one.line().encode() for one in made]


def _changed(note: bytes, chance: random.Random) -> bytes:
    """Change one place of a note, more often one where something begins or ends."""
    at = chance.randint(0, len(note))
    if chance.random() < 0.6:
        marks = [place for place, byte in enumerate(note) if byte in b"\n =+"]
        at = max(chance.choice(marks or [0]) + chance.randint(-2, 2), 0)
    match chance.randrange(8):
        case 0 | 1:
            return note[:at] + chance.choice(_ODD).encode() + note[at:]
        case 2 | 3:
            put = chance.choice(_ODD).encode()
            return note[:at] + put + note[at + chance.randint(1, 3) :]
        case 4:
            return note[:at] + chance.choice(_NO_UTF8) + note[at:]
        case 5:
            lines = note.split(b"\n")
            lines.insert(chance.randint(0, len(lines)), chance.choice(lines))
            return b"\n".join(lines)
        case 6:
            return _respelled(note, chance)
        case _:
            bit = 1 << chance.randrange(8)
            flipped = bytes(byte ^ bit for byte in note[at : at + 1])
            return note[:at] + flipped + note[at + 1 :]


def _respelled(note: bytes, chance: random.Random) -> bytes:
    """Change a line's last letter before the equals signs, by one or two."""
    ends = [at for at in range(1, len(note)) if note[at] == ord("=") != note[at - 1]]
    if not ends:
        return note
    at = chance.choice(ends) - 1
    return note[:at] + bytes([note[at] ^ chance.randint(1, 3)]) + note[at + 1 :]
