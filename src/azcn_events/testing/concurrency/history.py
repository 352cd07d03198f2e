"""What clients asked of a store, what they were answered, and when: the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import field, frozen
from attrs.validators import min_len

from azcn_events.errors import InvalidValue

__all__ = ["Append", "Operation", "Read", "Refused", "Seen", "Stored", "Unknown"]

_IDS_SHOWN = 3


@frozen
class Stored:
    """The append was acknowledged.

    Attributes:
        version: The stream's version that it was told to have made.
    """

    version: int

    def __str__(self) -> str:
        return f"stored, now version {self.version}"


@frozen
class Refused:
    """The append was refused with ``VersionConflict``.

    Attributes:
        actual: The stream's version that the refusal named.
    """

    actual: int

    def __str__(self) -> str:
        return f"refused, at version {self.actual}"


@frozen
class Seen:
    """The read was answered.

    Attributes:
        ids: The ids of the whole stream, oldest first.
    """

    ids: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.ids[-_IDS_SHOWN:])
        earlier = "..., " if len(self.ids) > _IDS_SHOWN else ""
        return f"version {len(self.ids)}" + (shown and f": {earlier}{shown}")


@frozen
class Unknown:
    """No answer, or an error that does not say whether anything was stored.

    Attributes:
        error: The error in words.
    """

    error: str

    def __str__(self) -> str:
        return f"unknown: {self.error}"


@frozen(kw_only=True)
class _Asked:
    """What every operation has.

    Attributes:
        client: The client's number, from 0.
        stream: The one stream that was asked about.
        called_ns: When it was asked, by ``time.monotonic_ns``.
        returned_ns: When it was answered, by the same clock; None, which is never,
            exactly if the answer is ``Unknown``: it may take effect at any time.
    """

    client: int
    stream: str
    called_ns: int
    returned_ns: int | None


@frozen(kw_only=True)
class Append(_Asked):
    """Events that a client asked to be added to one stream.

    Attributes:
        expected: The version that the stream was expected to have.
        ids: The new events' ids, at least one; no other append has any of them.
        answer: What came back.
    """

    expected: int
    ids: tuple[str, ...] = field(validator=min_len(1))
    answer: Stored | Refused | Unknown

    def __attrs_post_init__(self) -> None:
        _check_times(self)

    def __str__(self) -> str:
        return f"append {_few(self.ids)} after version {self.expected} -> {self.answer}"


@frozen(kw_only=True)
class Read(_Asked):
    """A whole stream that a client asked for.

    Attributes:
        answer: What came back.
    """

    answer: Seen | Unknown

    def __attrs_post_init__(self) -> None:
        _check_times(self)

    def __str__(self) -> str:
        return f"read -> {self.answer}"


Operation: TypeAlias = Append | Read


def _check_times(operation: Operation) -> None:
    called_ns, returned_ns = operation.called_ns, operation.returned_ns
    if isinstance(operation.answer, Unknown):
        fits = returned_ns is None
    else:
        fits = returned_ns is not None and returned_ns >= called_ns
    if not fits:
        raise InvalidValue(
            f"called at {called_ns} ns, returned at {returned_ns} ns",
            f"this does not fit the answer ({operation.answer})",
            "a return after the call; None exactly if the answer is unknown",
        )


def _few(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_IDS_SHOWN])
    more = len(ids) - _IDS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
