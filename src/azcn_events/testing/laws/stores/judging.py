"""How a store's answers are judged: rows, refusals, traces, stamps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Final, TypeVar

from attrs import frozen

from azcn_events.errors import VersionConflict
from azcn_events.stores.protocol import Draft, Row, Stamp, Store
from azcn_events.testing.laws.law import Violation, ensure
from azcn_events.testing.laws.stores.scene import cut_short, names_of, said, versions_of

__all__ = [
    "equal",
    "equal_lists",
    "expect_conflict",
    "expect_error",
    "expect_refusal",
    "expect_stamps",
    "rows_of_id",
    "same_rows",
]

E = TypeVar("E", bound=Exception)


def equal(expected: object, found: object, what: str) -> None:
    """Raise unless an answer is as expected."""
    if expected != found:
        raise Violation(f"{what}: expected {_shown(expected)}, found {_shown(found)}")


def equal_lists(expected: Sequence[object], found: Sequence[object], what: str) -> None:
    """Raise unless a list is as expected; of a long one, say what differs first."""
    if len(expected) <= _FEW:
        equal(expected, found, what)
    for place, (one, other) in enumerate(zip_longest(expected, found), 1):
        equal(one, other, f"{what}, at place {place}")


_FEW: Final = 12


def _shown(value: object) -> str:
    return cut_short(value, most=200)


def same_rows(expected: Sequence[Row], found: Iterable[Row], what: str) -> None:
    """Raise unless rows are as expected; say what differs first."""
    # A store that repeats its pages for ever must not be listened to for ever.
    rows = list(islice(found, len(expected) + 1))
    for place, (one, other) in enumerate(zip_longest(expected, rows), 1):
        ensure(one == other, f"{what}: {_differs(one, other)}, at place {place}")


def _differs(expected: Row | None, found: Row | None) -> str:
    if expected and found and expected[:4] == found[:4]:
        for name, one, other in zip(Row._fields, expected, found, strict=True):
            if one != other:
                became = f"{cut_short(one)} became {cut_short(other)}"
                return f"the {name} of {_brief(found)}: {became}"
    return f"{_brief(expected)} was expected, {_brief(found)} was found"


def _brief(row: Row | None) -> str:
    if row is None:
        return "nothing"
    place = f"{cut_short(row.stream)} {row.version}, position {row.position}"
    return f"{cut_short(row.id)} ({place})"


def rows_of_id(store: Store, id: str) -> list[Row]:  # noqa: A002 - the domain's word
    """Give the event with this id, if there is one, as a list."""
    row = store.find(id)
    return [] if row is None else [row]


@frozen
class _Answers:
    """All that a store says of itself, and of some drafts."""

    log: list[Row]
    leaves: list[bytes]
    by_stream: list[Row]
    streams: list[str]
    head: int
    versions: dict[str, int]
    found: list[Row]

    @classmethod
    def of(cls, store: Store, drafts: Iterable[Draft]) -> _Answers:
        """Ask everything."""
        drafts, streams = list(drafts), list(store.streams())
        asked = [*streams, *[one.stream for one in drafts]]
        return cls(
            list(store.read_all()),
            list(store.leaves()),
            list(store.read_by_stream()),
            streams,
            store.head(),
            {stream: store.version(stream) for stream in asked},
            [row for one in drafts for row in rows_of_id(store, one.id)],
        )


def _unchanged(before: _Answers, after: _Answers, what: str) -> None:
    same_rows(before.log, after.log, f"{what} (read_all)")
    same_rows(before.by_stream, after.by_stream, f"{what} (read_by_stream)")
    same_rows(before.found, after.found, f"{what} (find)")
    equal_lists(before.leaves, after.leaves, f"{what} (leaves)")
    equal_lists(before.streams, after.streams, f"{what} (streams)")
    equal(before.versions, after.versions, f"{what} (version)")
    equal(before.head, after.head, f"{what} (head)")


def expect_refusal(
    store: Store,
    error: type[E],
    drafts: Sequence[Draft],
    expected: Mapping[str, int] | None = None,
) -> E:
    """Append, expect an error, and look for traces; give the error."""
    before = _Answers.of(store, drafts)
    if expected is None:
        expected = {one.stream: store.version(one.stream) for one in drafts}
    caught = expect_error(store, error, drafts, expected)
    what = f"the append refused with {type(caught).__name__} left a trace"
    _unchanged(before, _Answers.of(store, drafts), what)
    return caught


def expect_error(
    store: Store,
    error: type[E],
    drafts: Sequence[Draft],
    expected: Mapping[str, int],
) -> E:
    """Append and expect an error; give it."""
    told = f"append {names_of(drafts)} at {versions_of(expected)}"
    asked = f"{told}: {error.__name__} was expected"
    try:
        store.append(drafts, expected)
    except error as caught:
        return caught
    except Exception as other:
        raise Violation(f"{asked}, but {said(other)}") from other
    raise Violation(f"{asked}, but it was taken")


def expect_conflict(
    store: Store,
    drafts: Sequence[Draft],
    expected: Mapping[str, int],
    conflict: VersionConflict,
) -> None:
    """Expect a conflict that names its stream and both numbers."""
    caught = expect_refusal(store, VersionConflict, drafts, expected)
    numbers = (conflict.stream, conflict.expected, conflict.actual)
    found = (caught.stream, caught.expected, caught.actual)
    equal(numbers, found, "the conflict names another stream, or other versions")


def expect_stamps(
    store: Store,
    drafts: Sequence[Draft],
    expected: Mapping[str, int],
    stamps: Sequence[Stamp],
) -> None:
    """Append what is stored already, and expect the stamps that it got then."""
    found = list(store.append(drafts, expected))
    equal_lists(list(stamps), found, f"{names_of(drafts)}, repeated, got other stamps")
