"""Sign the checkpoints of a log, and never two histories of it.

A signature cannot be taken back. So the last checkpoint that was signed is kept in a
file, which belongs on another disk than the ledger, and each new one must continue it:
a ledger restored from a backup does not, nor does one that somebody rewrote. Only what
no power failure can take back is signed, and by one process at a time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import define, field

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.files import read_regular, replace_durably
from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.log import Log
from azcn_events.audit.notes import (
    NOTE_BYTES_MAX,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_note,
)
from azcn_events.core.merkle import verify_consistency
from azcn_events.errors import ForkRefused, ProofRefused, SigningRefused

if sys.platform != "win32":
    import fcntl

__all__ = ["LogSigner"]

_DURABLE: Final = "full"


def _posix_seconds() -> int:
    return int(time.time())  # noqa: TID251 - the shell's default clock


@define
class LogSigner:
    """Signs for one log.

    Attributes:
        last: The file of the last signed checkpoint, a note as it was given out. Keep
            it on another disk than the ledger, and out of the ledger's backups. It may
            be a link there.
        keys: The log's keys, the newest first; all are called as the log is, and all
            sign. At least one.
        retired: Keys that may have signed the last checkpoint and sign no more.
        clock: Gives POSIX seconds, for signatures that say when.
    """

    last: Path = field(converter=Path)
    keys: Sequence[SigningKey]
    retired: Sequence[VerifierKey] = ()
    clock: Callable[[], int] = _posix_seconds

    @property
    def origin(self) -> str:
        """The log's name."""
        if not self.keys:
            raise SigningRefused("log", "no key was given to sign with")
        return self.keys[0].verifier.name

    def sign(
        self, log: Log, *, begin: bool = False, is_durable: bool | None = None
    ) -> Note:
        """Sign a checkpoint over all that the log holds now, and keep it as the last.

        If it breaks off, the last checkpoint is the old one or the new one, whole.

        Args:
            log: The log.
            begin: Whether nothing was signed of this log before. There must be no
                last checkpoint then, and else there must be one.
            is_durable: For a store that does not say so itself: whether what it has
                acknowledged survives a power failure.

        Raises:
            ForkRefused: If the log does not continue what was signed.
            SigningRefused: If the store may lose what it holds, another process is
                signing, the last checkpoint is missing or damaged, or cannot be
                replaced.
            InvalidValue: If a key is called otherwise than the log.
            ExtraMissing: If the extra ``crypto`` is not installed.
        """
        self._check_durable(log, is_durable=is_durable)
        with self._alone() as place:
            last = self._last(begin=begin)
            checkpoint = log.checkpoint(self.origin)
            if last:
                self._check_continues(log, last, checkpoint)
            note = signed(checkpoint, self.keys, self.clock())
            self._keep(note, place)
        return note

    def last_note(self) -> Note | None:
        """Give the last signed checkpoint, or None if there is no such file.

        Raises:
            SigningRefused: If it cannot be read, or is not what one of the keys
                signed.
        """
        try:
            data, _ = read_regular(self.last, NOTE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            problem = f"the last signed checkpoint cannot be read: {error}"
            raise SigningRefused(self.origin, problem) from None
        known = [key.verifier for key in self.keys]
        try:
            note = parse_note(data)
            open_checkpoint(note, [*known, *self.retired], self.origin)
        except ProofRefused as error:
            problem = (
                f"{self.last} should hold the last signed checkpoint: {error}; if"
                " other keys signed it, name them as retired; if it is damaged, put"
                " the newest published checkpoint in its place"
            )
            raise SigningRefused(self.origin, problem) from None
        return note

    def _check_durable(self, log: Log, *, is_durable: bool | None) -> None:
        durability: object = getattr(log.store, "durability", None)
        if durability is None and is_durable:
            return
        if durability != _DURABLE:
            problem = (
                f"the store's durability is {durability!a}, so a power failure may take"
                " back events that were signed, and the log would be taken for forged;"
                f" open it with durability={_DURABLE!r}"
            )
            raise SigningRefused(self.origin, problem)

    def _last(self, *, begin: bool) -> Checkpoint | None:
        note = self.last_note()
        if begin and note:
            problem = f"it was begun already: {self.last} is there"
            raise SigningRefused(self.origin, problem)
        if not begin and not note:
            problem = (
                f"{self.last} is missing, and without the last signed checkpoint a"
                " second history might be signed: put the newest published one there,"
                " or say that there was none yet"
            )
            raise SigningRefused(self.origin, problem)
        return Checkpoint.parse(note.text) if note else None

    def _check_continues(self, log: Log, last: Checkpoint, new: Checkpoint) -> None:
        if last.size > new.size:
            raise self._fork(last, new.size, b"", "it has lost events that were signed")
        root = log.root(last.size)
        if root != last.root:
            problem = "events that were signed are not the same"
            raise self._fork(last, new.size, root, problem)
        if last.size:  # by the rules that everybody else will check it by
            proof = log.consistency(last.size, new.size)
            verify_consistency(last.size, new.size, proof, last.root, new.root)

    def _fork(
        self, last: Checkpoint, size: int, root: bytes, problem: str
    ) -> ForkRefused:
        text = (
            f"the last signed checkpoint covers {last.size:,} events with the root"
            f" {last.root.hex()}, and the log has {size:,}"
            + (f", the first {last.size:,} with the root {root.hex()}" if root else "")
            + f": {problem}. This may be a backup from before, or altered: find the"
            " events that are missing, or go on as a new log with another name"
        )
        return ForkRefused(self.origin, text, last.size, last.root, size, root)

    @contextmanager
    def _alone(self) -> Generator[Path]:
        """Hold the lock of this log's signers, in a file beside the last checkpoint.

        Yields:
            Where the last checkpoint is: the path may be a link, and putting a file in
            the link's place would bring it back from the other disk.
        """
        try:
            place = Path(os.path.realpath(self.last))
            descriptor = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            problem = f"no lock can be taken beside {self.last}: {error}"
            raise SigningRefused(self.origin, problem) from None
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            problem = f"another process is signing ({place}.lock: {error}); try again"
            raise SigningRefused(self.origin, problem) from None
        try:
            yield place
        finally:
            os.close(descriptor)  # and so the lock is free

    def _keep(self, note: Note, place: Path) -> None:
        """Put the note in the last one's place, on the disk before it is given out."""
        try:
            replace_durably(place, bytes(note))
        except OSError as error:
            problem = f"the new checkpoint cannot be kept in {self.last}: {error}"
            raise SigningRefused(self.origin, problem) from None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt  # noqa: PLC0415 - not everywhere

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
