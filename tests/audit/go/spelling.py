"""How Go's packages read more kindly than we do; in everything else we are alike.

Of notes two things. Base64 ends in bits that mean nothing, which Go lets be anything
and we want to be zero; RFC 4648, section 3.5, leaves it to the reader. And of several
signatures of one known key Go verifies the first and skips the others, while C2SP,
signed-note, wants each verified, and the note refused if one fails, as we do.

Of checkpoints two more. C2SP, tlog-checkpoint, wants an origin and no empty lines, and
tlog-cosignature an origin of 255 bytes at most; Go's package knows one log alone, and
looks at nothing below the root. And an empty log has one root (RFC 9162, 2.1.1), which
it does not ask for.

So what Go reads is what we read of the same text, spelled plainly.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from azcn_events.audit import VerifierKey
from azcn_events.audit.checkpoints import ORIGIN_BYTES_MAX
from azcn_events.audit.encoding import base64_of
from azcn_events.audit.notes import SIGNATURES_MAX
from azcn_events.core.merkle import EMPTY_ROOT, HASH_BYTES

__all__ = ["is_plain_checkpoint", "plain_checkpoint", "plainly"]

_BASE64: Final = "(?:LLLL)*(?:LLLL|LLL=|LL==)".replace("L", "[A-Za-z0-9+/]").encode()
_LINE: Final = re.compile("\u2014 ([^ ]+) (".encode() + _BASE64 + b")")
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MEANT: Final = {1: 0b111100, 2: 0b110000}
"""The bits that mean something, of the letter before so many equals signs."""


def plainly(note: bytes, keys: Iterable[VerifierKey] = ()) -> bytes:
    """Give a note with zeros after its base64, and one signature of each known key.

    Whatever is no signature line stays as it is, and so does what is no note, or has
    more lines than are read.
    """
    text, blank, below = note.rpartition(b"\n\n")
    lines = below.split(b"\n")
    if not blank or lines[-1] or len(lines) - 1 > SIGNATURES_MAX:
        return note
    known = {(key.name.encode(), key.id) for key in keys}
    seen, kept = set[tuple[bytes, bytes]](), list[bytes]()
    for line in lines:
        if found := _LINE.fullmatch(line):
            raw = b64decode(found[2])
            whose = (found[1], raw[:4])
            if whose in known and len(raw) > 4:
                if whose in seen:
                    continue
                seen.add(whose)
            kept.append(line[: found.start(2)] + _zeroed(found[2]))
        else:
            kept.append(line)
    return text + blank + b"\n".join(kept)


def plain_checkpoint(text: str) -> str:
    """Give a checkpoint as one of a log that has a name, with nothing after its root.

    The root of an empty log becomes the right one, whatever hash it was.
    """
    _, *lines = text.split("\n")
    if len(lines) < 3:
        return text
    size, root = lines[0], lines[1].encode()
    if re.fullmatch(_BASE64, root):
        root = _zeroed(root)
        if size == "0" and len(b64decode(root)) == HASH_BYTES:
            root = base64_of(EMPTY_ROOT).encode()
    return f"name\n{size}\n{root.decode()}\n"


def is_plain_checkpoint(text: str) -> bool:
    """Say whether a checkpoint has all that we ask for and Go's package does not."""
    lines = text.split("\n")
    return (
        lines.pop() == ""
        and all(lines)
        and len(lines[0].encode()) <= ORIGIN_BYTES_MAX
        and lines[1:3] == plain_checkpoint(text).split("\n")[1:3]
    )


def _zeroed(text: bytes) -> bytes:
    """Give base64 with zeros for the bits at its end that mean nothing."""
    letters = text.rstrip(b"=")
    padding = len(text) - len(letters)
    if not padding:
        return text
    last = _ALPHABET.index(letters[-1]) & _MEANT[padding]
    return letters[:-1] + _ALPHABET[last : last + 1] + b"=" * padding
