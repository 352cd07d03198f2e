"""Signed notes: a text, and lines below it that say who signed it.

Whoever opens a note brings the keys that he believes. Lines of other keys mean
nothing; a line of a known key that does not verify spoils the whole note.

Source:
    C2SP, "Signed notes", https://c2sp.org/signed-note; the messages of cosignatures:
    C2SP, "Transparency Log Cosignatures", https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from hashlib import sha256
from typing import Final, NamedTuple

from attrs import evolve, field, frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import (
    NUMBER_MAX,
    base64_of,
    bytes_of,
    is_clean,
    is_name,
    text_of,
)
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = [
    "NAME_BYTES_MAX",
    "NOTE_BYTES_MAX",
    "SIGNATURES_MAX",
    "Note",
    "Opened",
    "OpenedCheckpoint",
    "Scheme",
    "Signature",
    "Signer",
    "VerifierKey",
    "open_checkpoint",
    "open_note",
    "parse_note",
    "signed_message",
]

NOTE_BYTES_MAX: Final = 1_000_000
"""The longest note that is read, in bytes."""
SIGNATURES_MAX: Final = 100
"""The most signatures read of one note. The specification asks for 16 at least; those
of Go's reader are as many as ours."""
NAME_BYTES_MAX: Final = 255
"""The longest name of a key, in bytes of UTF-8: what an ML-DSA-44 cosignature can
say."""

_DASH: Final = "\u2014"
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8


class Scheme(IntEnum):
    """How a key signs; the numbers are those of the specification."""

    ED25519 = 0x01
    """Ed25519 over the text: a log's own signature."""
    COSIGNATURE = 0x04
    """Ed25519 over a time and the text: a witness's."""
    COSIGNATURE_MLDSA44 = 0x06
    """ML-DSA-44 over names, a time, size and root: a witness's or a log's, for the
    time when Ed25519 has fallen."""

    @property
    def has_time(self) -> bool:
        """Whether a signature says when it was made."""
        return self is not Scheme.ED25519

    @property
    def public_bytes(self) -> int:
        """Length of a public key, in bytes."""
        return 1312 if self is Scheme.COSIGNATURE_MLDSA44 else 32

    @property
    def signature_bytes(self) -> int:
        """Length of what stands in a signature line after the key's id, in bytes."""
        raw = 2420 if self is Scheme.COSIGNATURE_MLDSA44 else 64
        return raw + (_TIME_BYTES if self.has_time else 0)


def _check_name(_: object, __: object, name: str) -> None:
    if not is_name(name) or len(name.encode()) > NAME_BYTES_MAX:
        accepted = (
            f"1 to {NAME_BYTES_MAX} bytes without spaces and plus signs, such as"
            " log.example/azcn"
        )
        raise InvalidValue(name, "a key cannot be called this", accepted)


@frozen
class VerifierKey:
    """A public key with the name of its owner.

    Attributes:
        name: The owner's; of a log's key, the log's origin.
        scheme: How it signs.
        public: The public key, 32 bytes of Ed25519 or 1,312 of ML-DSA-44.

    Raises:
        InvalidValue: If the name or the key's length cannot be.
    """

    name: str = field(validator=_check_name)
    scheme: Scheme
    public: bytes

    def __attrs_post_init__(self) -> None:
        if len(self.public) != self.scheme.public_bytes:
            problem = f"a public key of {len(self.public)} bytes"
            accepted = f"{self.scheme.public_bytes} bytes for {self.scheme.name}"
            raise InvalidValue(self.public.hex(), problem, accepted)

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart; anybody can make their like."""
        named = f"{self.name}\n".encode() + bytes([self.scheme]) + self.public
        return sha256(named).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Write it as a vkey: ``name+id+base64``."""
        encoded = base64_of(bytes([self.scheme]) + self.public)
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey.

        Raises:
            ProofRefused: If it is none, of a scheme that is not supported, or its
                id is not that of its key.
        """
        what = "verifier key"
        # A public key's base64 may hold plus signs; the name and the id may not.
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise ProofRefused(what, "it is not name+id+key, in base64")
        name, id_, encoded = parts
        number, public = _numbered(bytes_of(encoded, what), what)
        try:
            key = cls(name, _scheme_of(number, what), public)
        except InvalidValue as error:
            raise ProofRefused(what, str(error)) from None
        if key.id.hex() != id_:
            problem = f"its id is {id_[:60]!a}, and that of its key is {key.id.hex()}"
            raise ProofRefused(what, f"{problem}: was it copied whole?")
        return key


def _numbered(raw: bytes, what: str) -> tuple[int, bytes]:
    if not raw:
        raise ProofRefused(what, "it has a name and no key")
    return raw[0], raw[1:]


def _scheme_of(number: int, what: str) -> Scheme:
    try:
        return Scheme(number)
    except ValueError:
        known = ", ".join(f"{one:#04x}" for one in Scheme)
        problem = f"signatures of type {number:#04x}; known are {known}"
        raise ProofRefused(what, problem) from None


class Signature(NamedTuple):
    """A signature line, not verified.

    Attributes:
        name: The key's.
        key_id: The key's, four bytes.
        value: The signature, a cosignature's time before it.
    """

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Write it as it stands in a note, with its line feed."""
        return f"{_DASH} {self.name} {base64_of(self.key_id + self.value)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read a signature line, without its line feed.

        Raises:
            ProofRefused: If it is none.
        """
        what = "signature line"
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != _DASH or not is_name(name):
            raise ProofRefused(what, f"it is not {_DASH!r}, a name, and base64")
        raw = bytes_of(encoded, what)
        if len(raw) <= _KEY_ID_BYTES:
            raise ProofRefused(what, "it has no signature")
        return cls(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


@frozen
class Note:
    """A text with signatures; what they are worth says :func:`open_note`.

    Attributes:
        text: The text, ending with a line feed.
        signatures: Those below it, in order.
    """

    text: str
    signatures: tuple[Signature, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.text.endswith("\n") or not is_clean(self.text):
            accepted = "whole lines of UTF-8 without control characters"
            raise InvalidValue(self.text, "this text cannot be signed", accepted)

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(one.line() for one in self.signatures)

    def __bytes__(self) -> bytes:
        """Write it as it is handed on."""
        return str(self).encode()

    def plus(self, *signatures: Signature) -> Note:
        """Give the note with more signatures below those that it has."""
        return evolve(self, signatures=(*self.signatures, *signatures))


def parse_note(data: bytes) -> Note:
    """Read a note, strictly; nothing is verified yet.

    Raises:
        ProofRefused: If it is none, longer than ``NOTE_BYTES_MAX``, or has more
            signatures than ``SIGNATURES_MAX``.
    """
    what = "note"
    whole = text_of(data, what, NOTE_BYTES_MAX)
    text, blank, below = whole.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise ProofRefused(what, "it is not a text, an empty line, and signature lines")
    if below.count("\n") > SIGNATURES_MAX:
        raise ProofRefused(what, f"it has more than {SIGNATURES_MAX} signatures")
    # Not splitlines(), which splits at characters that names may hold.
    signatures = map(Signature.parse, below[:-1].split("\n"))
    return Note(f"{text}\n", tuple(signatures))


class Signer(NamedTuple):
    """Whose signature was verified.

    Attributes:
        key: The key that signed.
        time: When, as it says: POSIX seconds; None where the scheme has no time.
    """

    key: VerifierKey
    time: int | None


@frozen
class Opened:
    """A note's text, and who verifiably signed it.

    Attributes:
        text: The text.
        signers: The known keys that signed, at least one, in the note's order.
    """

    text: str
    signers: tuple[Signer, ...]


def open_note(note: Note | bytes, keys: Iterable[VerifierKey]) -> Opened:
    """Open a note: verify the signatures of all keys that are known.

    Args:
        note: The note, or its bytes.
        keys: The keys that the asker believes.

    Raises:
        ProofRefused: If it is no note; if a known key's signature does not verify;
            if no known key signed; if two keys cannot be told apart.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    if not isinstance(note, Note):
        note = parse_note(note)
    known = _by_id(keys)
    signers = [
        Signer(key, _verified(key, signature, note.text))
        for signature in note.signatures
        if (key := known.get((signature.name, signature.key_id)))
    ]
    if not signers:
        asked = _named((key.name, key.id) for key in known.values()) or "no key"
        found = _named((one.name, one.key_id) for one in note.signatures) or "nobody"
        problem = f"none of the keys known ({asked}) signed it, but {found}"
        raise ProofRefused("note", problem)
    return Opened(note.text, tuple(signers))


def _named(keys: Iterable[tuple[str, bytes]]) -> str:
    return ", ".join(f"{name}+{key_id.hex()}" for name, key_id in sorted(set(keys)))


def _by_id(keys: Iterable[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    known = dict[tuple[str, bytes], VerifierKey]()
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            problem = f"two known keys share the name {key.name} and the id"
            raise ProofRefused("note", f"{problem} {key.id.hex()}")
    return known


def _verified(key: VerifierKey, signature: Signature, text: str) -> int | None:
    """Verify a signature of a known key, and give its time."""
    from azcn_events.audit.signatures import is_signed  # noqa: PLC0415 - needs an extra

    value, time = signature.value, None
    if len(value) != key.scheme.signature_bytes:
        problem = f"a signature of {len(value)} bytes by {key.name}"
        raise ProofRefused("note", f"{problem}, not {key.scheme.signature_bytes}")
    if key.scheme.has_time:
        (time,) = struct.unpack(">Q", value[:_TIME_BYTES])
        value = value[_TIME_BYTES:]
        if time > NUMBER_MAX:
            raise ProofRefused("note", f"{key.name} signed at no time that can be")
    message = signed_message(key, text, time)
    if not is_signed(key.scheme, key.public, value, message):
        problem = f"this is not what {key.name} signed, or not its signature"
        raise ProofRefused("note", problem)
    return time


def signed_message(key: VerifierKey, text: str, time: int | None) -> bytes:
    """Give the bytes that a key signs for a note's text.

    Args:
        key: The key.
        text: The note's text.
        time: POSIX seconds; None if and only if the scheme has no time.

    Raises:
        InvalidValue: If a time is missing, or one too many, or cannot be.
        ProofRefused: If the scheme signs checkpoints, and this is none.

    Source:
        C2SP, tlog-cosignature, "Ed25519 signed message", "ML-DSA-44 signed message".
    """
    if key.scheme is Scheme.ED25519 and time is None:
        return text.encode()
    if not key.scheme.has_time or time is None or not 0 <= time <= NUMBER_MAX:
        problem = f"not a time to sign at for {key.scheme.name}"
        accepted = "POSIX seconds for cosignatures, and None for the others"
        raise InvalidValue(str(time), problem, accepted)
    checkpoint = Checkpoint.parse(text)
    if key.scheme is Scheme.COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    return b"".join(
        [
            b"subtree/v1\n\0",
            _counted(key.name),
            struct.pack(">Q", time),
            _counted(checkpoint.origin),
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        ]
    )


def _counted(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


@frozen
class OpenedCheckpoint:
    """A checkpoint, and who verifiably signed it.

    Attributes:
        checkpoint: The checkpoint.
        signers: The known keys that signed, the log's among them.
    """

    checkpoint: Checkpoint
    signers: tuple[Signer, ...]


def open_checkpoint(
    note: Note | bytes, keys: Iterable[VerifierKey], origin: str
) -> OpenedCheckpoint:
    """Open a note as a checkpoint of one log.

    Args:
        note: The note, or its bytes.
        keys: The keys that the asker believes; the log's are called as the log is.
        origin: The log's name.

    Raises:
        ProofRefused: As for :func:`open_note`; if it is no checkpoint, one of
            another log, or not signed by a key of the log.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    opened = open_note(note, keys)
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != origin:
        problem = f"it is about the log {checkpoint.origin!a}, not {origin!a}"
        raise ProofRefused("checkpoint", problem)
    if not any(_is_log(one.key, origin) for one in opened.signers):
        problem = f"no known key of the log {origin!a} itself signed it"
        raise ProofRefused("checkpoint", problem)
    return OpenedCheckpoint(checkpoint, opened.signers)


def _is_log(key: VerifierKey, origin: str) -> bool:
    """Say whether a key may speak for a log: so is called, and no mere cosigner."""
    return key.name == origin and key.scheme is not Scheme.COSIGNATURE
