"""What a log signs: its name, how many entries it has, and the root over them."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from azcn_events.audit.encoding import (
    NUMBER_MAX,
    base64_of,
    hash_of,
    is_clean,
    number_of,
)
from azcn_events.core.merkle import EMPTY_ROOT, HASH_BYTES
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = ["ORIGIN_BYTES_MAX", "Checkpoint"]

ORIGIN_BYTES_MAX: Final = 255
"""The longest name of a log, in bytes of UTF-8: what an ML-DSA-44 cosignature can
say (C2SP, tlog-cosignature: ``log_origin<1..2^8-1>``)."""


def _check_origin(_: object, __: object, origin: str) -> None:
    is_one_line = bool(origin) and "\n" not in origin and is_clean(origin)
    if not is_one_line or len(origin.encode()) > ORIGIN_BYTES_MAX:
        accepted = (
            f"one line of 1 to {ORIGIN_BYTES_MAX} bytes, such as log.example/azcn"
        )
        raise InvalidValue(origin, "a log cannot be called this", accepted)


def _check_size(_: object, __: object, size: int) -> None:
    if not 0 <= size <= NUMBER_MAX:
        raise InvalidValue(str(size), "a log cannot have this size", "0 to 2**63 - 1")


def _check_root(_: object, __: object, root: bytes) -> None:
    if len(root) != HASH_BYTES:
        raise InvalidValue(root.hex(), "this is no root", f"{HASH_BYTES} bytes")


@frozen
class Checkpoint:
    """A log's size and root: the text that is signed.

    Attributes:
        origin: The log's name, one line: by custom a URL without its scheme.
        size: How many entries the log has, 0 to 2**63 - 1.
        root: The Merkle root over them, 32 bytes.

    Source:
        C2SP, "Transparency Log Checkpoints", https://c2sp.org/tlog-checkpoint.

    Raises:
        InvalidValue: If one of the three cannot be.
    """

    origin: str = field(validator=_check_origin)
    size: int = field(validator=_check_size)
    root: bytes = field(validator=_check_root)

    def text(self) -> str:
        """Write the text that is signed: three lines, and nothing more.

        More lines are allowed by the specification, which advises against them.
        """
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note as a checkpoint.

        More lines than three are let through, and not looked at.

        Raises:
            ProofRefused: If it is none, or an empty log has a root of something.
        """
        what = "checkpoint"
        lines = text.split("\n")  # splitlines() would split at U+2028 as well
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise ProofRefused(
                what, "it has not three lines or more, none of them empty"
            )
        origin, size, root = (
            lines[0],
            number_of(lines[1], what),
            hash_of(lines[2], what),
        )
        if not size and root != EMPTY_ROOT:
            raise ProofRefused(what, "it states a root of something, over nothing")
        try:
            return cls(origin, size, root)
        except InvalidValue as error:
            raise ProofRefused(what, str(error)) from None
