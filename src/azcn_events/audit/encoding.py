"""Strict readers of what signed texts are made of: one spelling for each value.

Two spellings of one value would be two texts with one meaning, of which only one
was signed. Python's own readers are kinder: ``int`` takes any script's digits, and
``base64`` takes bits that mean nothing.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from typing import Final

from azcn_events.core.merkle import HASH_BYTES
from azcn_events.errors import ProofRefused

__all__ = [
    "NUMBER_MAX",
    "base64_of",
    "bytes_of",
    "hash_of",
    "is_clean",
    "is_name",
    "number_of",
    "text_of",
]

NUMBER_MAX: Final = 2**63 - 1
"""The largest number taken: what others' software keeps in a signed 64-bit integer."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL: Final = re.compile(r"[\0-\x09\x0b-\x1f]")


def base64_of(data: bytes) -> str:
    """Write bytes as base64 with padding (RFC 4648, section 4)."""
    return b64encode(data).decode()


def bytes_of(text: str, what: str) -> bytes:
    """Read base64, in the one spelling that :func:`base64_of` writes.

    Args:
        text: The base64.
        what: What is being read, for the message: ``"checkpoint"``.

    Raises:
        ProofRefused: If it is not base64, or another spelling of it.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:  # UnicodeEncodeError is one
        raise ProofRefused(what, f"no base64: {_shown(text)}") from None
    # Strict mode still takes AB== for AA==, and AAAA== for AAAA.
    if base64_of(data) != text:
        raise ProofRefused(what, f"another spelling of base64: {_shown(text)}")
    return data


def hash_of(text: str, what: str) -> bytes:
    """Read the base64 of a hash.

    Raises:
        ProofRefused: As for :func:`bytes_of`, and if it has not 32 bytes.
    """
    data = bytes_of(text, what)
    if len(data) != HASH_BYTES:
        problem = f"a hash has {HASH_BYTES} bytes, not {len(data)}"
        raise ProofRefused(what, problem)
    return data


def number_of(text: str, what: str) -> int:
    """Read a decimal number from 0 to 2**63 - 1, without sign or leading zero.

    Raises:
        ProofRefused: If it is none.
    """
    number = int(text) if _NUMBER.fullmatch(text) else NUMBER_MAX + 1
    if number > NUMBER_MAX:
        problem = f"no decimal number from 0 to 2**63 - 1: {_shown(text)}"
        raise ProofRefused(what, problem)
    return number


def text_of(data: bytes, what: str, bytes_max: int) -> str:
    """Read UTF-8 without control characters but for line feeds.

    Raises:
        ProofRefused: If it is not, or longer than ``bytes_max``.
    """
    if len(data) > bytes_max:
        problem = f"it has {len(data):,} bytes; at most {bytes_max:,} are read"
        raise ProofRefused(what, problem)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8"
        raise ProofRefused(what, problem) from None
    if found := _CONTROL.search(text):
        problem = f"control character {found.group()!r} at character"
        raise ProofRefused(what, f"{problem} {found.start() + 1}")
    return text


def is_clean(text: str) -> bool:
    """Say whether text can be written as UTF-8, and has no control characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL.search(text)


def is_name(text: str) -> bool:
    """Say whether this can name a key: not empty, no spaces, no plus sign.

    Source:
        C2SP, "Signed notes", https://c2sp.org/signed-note (format).
    """
    return bool(text) and is_clean(text) and "+" not in text and not _spaced(text)


def _spaced(text: str) -> bool:
    return any(map(str.isspace, text))


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else f"{text[:60]}...")
