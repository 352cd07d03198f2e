"""Signing keys: made, kept in a file that only its owner reads, and used to sign.

A key's file is one line of text, ``PRIVATE+KEY+name+id+base64``, as Go's package
``sumdb/note`` writes it. It belongs on a disk that the ledger is not on: who has both
can rewrite history and sign it again.

To change keys, let both sign for a while: ``signed(checkpoint, [new, old])``. Who
knows only one of them still finds it, and has time to learn the other.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import field, frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import base64_of, bytes_of
from azcn_events.audit.files import fsync_folder, read_regular
from azcn_events.audit.notes import (
    Note,
    Scheme,
    Signature,
    VerifierKey,
    signed_message,
)
from azcn_events.errors import InvalidValue, KeyUnusable, ProofRefused

__all__ = ["SigningKey", "signed"]

_PREFIX: Final = "PRIVATE+KEY+"
_SEED_BYTES: Final = 32
_FILE_BYTES_MAX: Final = 2000


@frozen
class SigningKey:
    """A private key; it shows itself only where it is saved.

    Attributes:
        verifier: The public key that belongs to it, to give away.
    """

    verifier: VerifierKey
    _seed: bytes = field(repr=False)

    @classmethod
    def make(cls, name: str, scheme: Scheme = Scheme.ED25519) -> SigningKey:
        """Make a new key, from the randomness of the operating system.

        Args:
            name: The owner's; for a log's key, the log's origin.
            scheme: How it signs.

        Raises:
            InvalidValue: If a key cannot be called this.
            ExtraMissing: If the extra ``crypto`` is not installed.
        """
        from azcn_events.audit.signatures import new_seed  # noqa: PLC0415 - an extra

        return cls._of(name, scheme, new_seed(scheme))

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read a key's text, as its file holds it but for the line feed.

        Raises:
            ProofRefused: If it is none; the message holds nothing of it.
            ExtraMissing: If the extra ``crypto`` is not installed.
        """
        what = "signing key"
        parts = text.removeprefix(_PREFIX).split("+", 2)
        if not text.startswith(_PREFIX) or len(parts) != 3:
            raise ProofRefused(what, f"it is not {_PREFIX}name+id+key")
        name, id_, encoded = parts
        try:
            raw = bytes_of(encoded, what)
            scheme, seed = Scheme(raw[0]), raw[1:]
            if len(seed) != _SEED_BYTES:
                raise ValueError  # noqa: TRY301 - all faults get one message
            key = cls._of(name, scheme, seed)
        except (ValueError, IndexError):  # InvalidValue and ProofRefused among them
            problem = "its name or its base64 is damaged, or its type not known"
            raise ProofRefused(what, problem) from None
        if key.verifier.id.hex() != id_:
            raise ProofRefused(what, "its id is not that of its key: it is damaged")
        return key

    @classmethod
    def _of(cls, name: str, scheme: Scheme, seed: bytes) -> SigningKey:
        from azcn_events.audit.signatures import public_of  # noqa: PLC0415 - an extra

        return cls(VerifierKey(name, scheme, public_of(scheme, seed)), seed)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SigningKey:
        """Read a key from its file.

        Raises:
            KeyUnusable: If there is none, it is not a key, or others may read it.
            ExtraMissing: If the extra ``crypto`` is not installed.
        """
        place = os.fspath(path)
        try:
            data, mode = read_regular(path, _FILE_BYTES_MAX)
        except (OSError, ValueError) as error:
            raise KeyUnusable(place, f"it cannot be read: {error}") from None
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            problem = f"others may read it (mode {stat.S_IMODE(mode):04o}): chmod 600,"
            raise KeyUnusable(place, f"{problem} and ask who has read it already")
        try:
            return cls.parse(data.decode().removesuffix("\n"))
        except (ProofRefused, UnicodeDecodeError):
            problem = f"it is not one line {_PREFIX}name+id+base64, as save() writes it"
            raise KeyUnusable(place, problem) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key to a new file that only its owner may read (mode 0600).

        Raises:
            KeyUnusable: If there is something already, or it cannot be written.
        """
        place = os.fspath(path)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            problem = "there is a file already, which is never overwritten"
            raise KeyUnusable(place, problem) from None
        except (OSError, ValueError) as error:
            raise KeyUnusable(place, f"it cannot be made: {error}") from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(f"{self._private_text()}\n".encode())
                file.flush()
                os.fsync(file.fileno())
            fsync_folder(Path(path).parent)
        except OSError as error:
            with suppress(OSError):
                Path(path).unlink()
            raise KeyUnusable(place, f"it cannot be written: {error}") from None

    def _private_text(self) -> str:
        encoded = base64_of(bytes([self.verifier.scheme]) + self._seed)
        return f"{_PREFIX}{self.verifier.name}+{self.verifier.id.hex()}+{encoded}"

    def sign(self, text: str, time: int | None = None) -> Signature:
        """Sign the text of a note.

        Args:
            text: The text, with its last line feed.
            time: When, in POSIX seconds, if the scheme is a cosignature's; else None.

        Raises:
            InvalidValue: If a time is missing, or one too many, or cannot be.
            ProofRefused: If a cosignature is asked for of what is no checkpoint.
        """
        from azcn_events.audit.signatures import sign  # noqa: PLC0415 - an extra

        key = self.verifier
        value = sign(key.scheme, self._seed, signed_message(key, text, time))
        if time is not None:
            value = struct.pack(">Q", time) + value
        return Signature(key.name, key.id, value)

    def cosign(self, note: Note, time: int) -> Note:
        """Give a checkpoint's note with this key's cosignature added.

        Whether the checkpoint deserves it is for the caller to know: see
        :mod:`azcn_events.audit.witness`.
        """
        return note.plus(self.sign(note.text, time))


def signed(
    checkpoint: Checkpoint, keys: Iterable[SigningKey], time: int | None = None
) -> Note:
    """Give a checkpoint's note, signed by keys of its log.

    Args:
        checkpoint: What to sign; nobody is asked whether it is true: see
            :mod:`azcn_events.audit.signer`.
        keys: The log's keys, the newest first; at least one, and all of them called
            as the log is.
        time: When, in POSIX seconds; for those keys that say it.

    Raises:
        InvalidValue: If there is no key, or one of another name.
    """
    text = checkpoint.text()
    signatures = list[Signature]()
    for key in keys:
        if key.verifier.name != checkpoint.origin:
            problem = f"this key cannot sign for the log {checkpoint.origin!a}"
            accepted = "a key that is called as the log is"
            raise InvalidValue(key.verifier.name, problem, accepted)
        signatures.append(
            key.sign(text, time if key.verifier.scheme.has_time else None)
        )
    if not signatures:
        raise InvalidValue("", "no key was given to sign with", "one key or more")
    return Note(text, tuple(signatures))
