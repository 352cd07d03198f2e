"""The rules of an append that are the same in every store.

A store looks up what it holds and writes what it is told; what a batch must be
like, which stamps it gets and when it repeats an earlier one is decided here,
so that two stores cannot differ in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from azcn_events.core.values import check_recorded_us
from azcn_events.errors import IdCollision, InvalidValue, TooLarge, VersionConflict
from azcn_events.stores.protocol import EVENT_BYTES_MAX, Draft, Row, Stamp

__all__ = ["check", "check_names", "check_versions", "repetition", "stamped"]

_INTEGER_MAX: Final = 2**63 - 1
_CHECKSUM_MAX: Final = 2**63 - 1


def check(drafts: Sequence[Draft], expected: Mapping[str, int]) -> None:
    """Refuse a batch that no store could take, whatever it holds already.

    Raises:
        InvalidValue: If a stream has no expected version, a name holds what no
            name may, or a number or time is out of order or range.
        IdCollision: If an id occurs twice.
        TooLarge: If a payload and its metadata exceed ``EVENT_BYTES_MAX``.
    """
    ids = [draft.id for draft in drafts]
    streams = dict.fromkeys([draft.stream for draft in drafts])
    kinds = dict.fromkeys([draft.kind for draft in drafts])
    check_names([*streams, *expected, *kinds, *ids])
    if len(set(ids)) < len(ids):
        raise IdCollision(_first_twice(ids), "it occurs twice in this append")
    for stream in streams:
        if stream not in expected:
            raise InvalidValue(
                stream,
                "the append gives no expected version for this stream",
                "the version that was read; 0 for a new stream",
            )
    for draft in drafts:
        size = len(draft.payload) + len(draft.metadata)
        if size > EVENT_BYTES_MAX:
            raise TooLarge(draft.stream, size, EVENT_BYTES_MAX)
        _check_numbers(draft)


def check_versions(expected: Mapping[str, int], actual: Mapping[str, int]) -> None:
    """Refuse a batch that was decided upon an older state.

    Args:
        expected: For each stream, the version that the writer has read.
        actual: For at least the same streams, the version that is stored.

    Raises:
        VersionConflict: For the first stream, in the order of ``expected``,
            whose two versions differ.
    """
    for stream, version in expected.items():
        if actual[stream] != version:
            raise VersionConflict(stream, version, actual[stream])


def stamped(
    drafts: Sequence[Draft],
    *,
    versions: Mapping[str, int],
    head: int,
    newest_us: int | None,
    clock: Callable[[], int],
) -> list[Stamp]:
    """Number and date the drafts that follow what a store holds.

    The clock is asked once, so that a batch has one recorded time, and it may
    stand still but not go back: a clock behind the newest event is overruled.

    Args:
        drafts: What will be stored, in order; at least one.
        versions: The stored version of every stream in ``drafts``.
        head: The last stored position; 0 if there is none.
        newest_us: The recorded time at ``head``; None if there is none.
        clock: Gives microseconds since 1970 UTC.

    Returns:
        One stamp per draft, in order.

    Raises:
        InvalidValue: If a given recorded time lies before the one it follows, or
            the clock shows none of the years 1 to 9999.
    """
    reached = dict(versions)
    now_us = clock()
    stamps: list[Stamp] = []
    for position, draft in enumerate(drafts, head + 1):
        given_us = draft.recorded_us
        if given_us is None:
            given_us = now_us if newest_us is None else max(now_us, newest_us)
        elif newest_us is not None and given_us < newest_us:
            raise InvalidValue(
                str(given_us),
                "recorded times never fall, and the event before has"
                f" {newest_us} microseconds",
                f"{newest_us} or later, or None for the store's clock",
            )
        newest_us = given_us
        version = reached[draft.stream] + 1
        reached[draft.stream] = version
        stamps.append(Stamp(position, version, given_us))
    for outermost in (stamps[0], stamps[-1]):  # They never fall between.
        check_recorded_us(outermost.recorded_us)
    return stamps


def repetition(
    drafts: Sequence[Draft], stored: Mapping[str, Row]
) -> list[Stamp] | None:
    """Recognise an append that was stored before.

    Args:
        drafts: At least one, without repeated ids.
        stored: By id, those events of ``drafts`` that the store holds.

    Returns:
        The stamps of the first time; None if none of the ids is stored.

    Raises:
        IdCollision: If some ids are stored, yet this is not a repetition.
    """
    if not stored:
        return None
    stamps: list[Stamp] = []
    before = 0
    for draft in drafts:
        row = stored.get(draft.id)
        if row is None:
            known = next(iter(stored.values()))
            problem = (
                f"it is stored at position {known.position}, while"
                f" {draft.id!a} of the same append is not stored"
            )
            raise IdCollision(known.id, problem)
        if problem := _difference(draft, row):
            raise IdCollision(draft.id, problem)
        if row.position < before:
            problem = f"position {row.position} is out of this append's order"
            raise IdCollision(draft.id, problem)
        before = row.position
        stamps.append(Stamp(row.position, row.version, row.recorded_us))
    return stamps


def check_names(names: Iterable[str]) -> None:
    """Refuse what is not UTF-8, or would break the lines of an entry (``core.leaf``).

    Raises:
        InvalidValue: If a name holds such a character; ``place`` says where.
    """
    for name in names:
        # Nearly all names are printable, and then hold none of these.
        if not name.isprintable() and (found := _UNFIT.search(name)):
            raise InvalidValue(
                name,
                "a name cannot hold this character",
                "any Unicode text without lone surrogates and characters below U+0020",
                found.start(),
            )


_UNFIT: Final = re.compile("[\0-\x1f\ud800-\udfff]")
"""Characters below U+0020, and surrogates, which UTF-8 does not have."""


def _first_twice(ids: Iterable[str]) -> str:
    return next(one for one, count in Counter(ids).items() if count > 1)


def _check_numbers(draft: Draft) -> None:
    """Refuse bounds that are the wrong way round, and numbers out of range."""
    earliest, latest = draft.earliest, draft.latest
    if earliest is not None and latest is not None and earliest > latest:
        raise InvalidValue(
            f"{earliest}..{latest}",
            "the latest possible day lies before the earliest",
            "day numbers with earliest <= latest, or None for an open end",
        )
    if draft.recorded_us is not None:
        check_recorded_us(draft.recorded_us)
    for number in (earliest, latest):
        if number is not None and not -_INTEGER_MAX <= number <= _INTEGER_MAX:
            raise InvalidValue(
                str(number), "the number is too large", "a number below 2**63"
            )
    if not 0 <= draft.checksum <= _CHECKSUM_MAX:
        raise InvalidValue(
            str(draft.checksum), "this is no checksum", "a number from 0 to 2**63 - 1"
        )


def _difference(draft: Draft, row: Row) -> str:
    """Say how a draft differs from the stored event of its id; empty if not."""
    at = f"at position {row.position} it stands for"
    if draft.stream != row.stream:
        return f"{at} an event of the stream {row.stream!a}"
    if draft.kind != row.kind:
        return f"{at} an event of the kind {row.kind!a}"
    if draft.payload != row.payload:
        return f"{at} another payload"
    if draft.metadata != row.metadata:
        return f"{at} other metadata"
    if draft.recorded_us not in (None, row.recorded_us):
        return f"{at} an event recorded at {row.recorded_us} microseconds"
    return ""
