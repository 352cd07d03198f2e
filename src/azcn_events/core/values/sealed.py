"""Values that stand in an event as a commitment only, so that they can be erased.

What an event says can never be changed or removed: its bytes are hashed into the log's
root. A value that may have to go one day, such as a person's name, is therefore kept
beside the log, and the event holds a digest of it. Once the value is erased, nothing
in the log is different.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, Self, TypeGuard, cast

import attrs

from azcn_events.core.values.names import shown
from azcn_events.errors import InvalidValue

__all__ = ["SALT_BYTES", "Sealed", "check_commitment", "resealed", "sealed_in"]

SALT_BYTES: Final = 32
"""Length of the salt. Without one, all phone numbers of a country are soon tried."""


class _Sealed(NamedTuple):
    commitment: str
    state: Literal["sealed", "erased"] = "sealed"


class Sealed(_Sealed):
    """Stands in an event for a value that is kept elsewhere, or is gone.

    Stored as ``["<commitment>", "sealed"]``. A named tuple and no attrs class: so
    msgspec can tell it from an amount, and the fields that may hold one are read as
    quickly as before.

    Attributes:
        commitment: Base64 (RFC 4648, 4, with padding) of SHA-256(salt || value), the
            salt 32 random bytes, the value as ``audit.sealing`` writes it. To the
            value and not to its cipher text: one text of AES-GCM can be made to open
            in two ways by two keys.
        state: ``"sealed"`` as it is stored; ``"erased"`` where a moment knows that
            the value is gone.

    Raises:
        InvalidValue: If the commitment is not base64 of 32 bytes.
    """

    __slots__ = ()

    # As for When: what is read back from a store was checked before it was written.
    def __new__(  # noqa: D102 - the class says it
        cls, commitment: str, state: Literal["sealed", "erased"] = "sealed"
    ) -> Self:
        check_commitment(commitment)
        return super().__new__(cls, commitment, state)

    @classmethod
    def of(cls, salt: bytes, value: bytes) -> Sealed:
        """Commit to a value.

        Raises:
            InvalidValue: If the salt has not 32 bytes: another length would let one
                commitment stand for two values.
        """
        if len(salt) != SALT_BYTES:
            accepted = f"{SALT_BYTES} random bytes"
            raise InvalidValue(f"{len(salt)} bytes", "this is no salt", accepted)
        return cls(b2a_base64(sha256(salt + value).digest(), newline=False).decode())

    @property
    def is_erased(self) -> bool:
        """Whether it is known that nobody can open it any more."""
        return self.state == "erased"

    def __str__(self) -> str:
        return "erased" if self.is_erased else "withheld"

    def plain(self) -> str:
        """Give the JSON form of a figure that is not shown: the same word."""
        return str(self)


def check_commitment(text: object) -> None:
    """Refuse what is no commitment, in its one spelling.

    Raises:
        InvalidValue: If it is not base64 of 32 bytes, with its padding.
    """
    if type(text) is str and _COMMITMENT.fullmatch(text):
        return
    accepted = "base64 of a SHA-256 digest: 43 characters and one '='"
    raise InvalidValue(shown(text)[:80], "this is no commitment", accepted)


# 32 bytes leave two bits of the last letter unused: zeros, or it is another spelling.
_COMMITMENT: Final = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def sealed_in(value: object) -> Iterator[Sealed]:
    """Yield every sealed value that an event, or a value in it, holds."""
    if isinstance(value, Sealed):
        yield value
    elif _is_tuple(value):
        for item in value:
            yield from sealed_in(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(cast("Any", type(value))):
            yield from sealed_in(getattr(value, field.name))


def resealed(value: Any, show: Callable[[Sealed], object]) -> Any:  # noqa: ANN401 - gives the type it is given
    """Give an event, or a value, with something else for each sealed value in it.

    What holds none is given back itself, unchecked and uncopied.
    """
    if isinstance(value, Sealed):
        return show(value)
    if _is_tuple(value):
        items = tuple(resealed(item, show) for item in value)
        return value if _are_same(items, value) else items
    cls = cast("Any", type(value))
    if not attrs.has(cls):
        return value
    fields = [field for field in attrs.fields(cls) if field.init]
    before = tuple(getattr(value, field.name) for field in fields)
    after = tuple(resealed(one, show) for one in before)
    if _are_same(after, before):
        return value
    return attrs.evolve(
        value,
        **{
            field.alias: one
            for field, was, one in zip(fields, before, after, strict=True)
            if one is not was
        },
    )


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _are_same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return all(mine is its for mine, its in zip(one, other, strict=True))
