"""The plainest instance of a class, for examples, tables and short counterexamples.

It is made of known plain values, which can be done in the middle of a property test;
only a class that those do not fit is drawn.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice, product
from typing import Any, Final, TypeVar, cast

import attrs
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from azcn_events.core.events import Event
from azcn_events.core.values import Amount, Citation, When
from azcn_events.testing.strategies.classes import (
    Limits,
    accepts,
    edges,
    for_class,
    limits_of,
    without_none,
)
from azcn_events.testing.strategies.palettes import NEAR
from azcn_events.testing.strategies.patterns import plain_match

__all__ = ["plain_values", "simplest", "variants"]

C = TypeVar("C")
E = TypeVar("E", bound=Event)

_TRIES_MAX: Final = 5_000


def simplest(cls: type[C], **given: Any) -> C:  # noqa: ANN401 - the class's own fields
    """Make the plainest instance of an attrs class, always the same one.

    Args:
        cls: An attrs class, such as an event's.
        **given: Fields that you choose. The others keep their defaults; without one
            they have the plainest value that their validators admit: no text, the
            number 0 or the lowest, 1 January 2025, the first member.

    Raises:
        TypeError: If it is no attrs class, or has no field of a given name.
        ValueError: If no instance can be found: give the fields it asks for.
    """
    if not given:
        return cast("C", _simplest(cast("Any", cls)))
    return cast("C", _made(cls, given))


@cache
def _simplest(cls: type[Any]) -> object:
    return _made(cls, {})


def _made(cls: type[Any], given: Mapping[str, Any]) -> object:
    hints = typing.get_type_hints(cls, include_extras=True)
    open_fields = {
        attribute.alias: list(plain_values(attribute, hints[attribute.name]))
        for attribute in attrs.fields(cls)
        if attribute.init
        and attribute.alias not in given
        and attribute.default is attrs.NOTHING
    }
    problem: Exception | None = None
    # In the order of their plainness, taken together: first all the plainest.
    for choice in islice(product(*open_fields.values()), _TRIES_MAX):
        fields = dict(zip(open_fields, choice, strict=True))
        try:
            return cls(**fields, **given)
        except ValueError as error:
            problem = problem or error
    unknown = [name for name, values in open_fields.items() if not values]
    return _drawn(cls, given, unknown, problem)


def _drawn(
    cls: type[Any],
    given: Mapping[str, Any],
    unknown: Sequence[str],
    problem: Exception | None,
) -> object:
    """Give the first example that Hypothesis draws: it begins with the simplest."""
    chosen = {(cls, name): st.just(value) for name, value in given.items()}
    drawing = for_class(cls, {**NEAR, **chosen})
    # No deadline: the first text drawn loads Unicode's tables.
    plainly = settings(
        phases=[Phase.generate], database=None, derandomize=True, deadline=None
    )
    # In a thread of its own: where a test is drawing, nothing else may be drawn.
    with ThreadPoolExecutor(1) as elsewhere:
        search = elsewhere.submit(find, drawing, lambda _: True, settings=plainly)
        try:
            made = search.result()
        except Exception as error:  # noqa: BLE001 - what Hypothesis or the class raises
            why = problem or f"nothing is known for {', '.join(unknown)}, and {error}"
            advice = "give other values" if given else "give the fields"
            raise ValueError(f"{cls.__name__}: {why}; {advice}") from None
    return attrs.evolve(made, **given)


def variants(event: E) -> Iterator[E]:
    """Yield an event, and others with one own field set to another plain value."""
    yield event
    cls = cast("Any", type(event))
    hints = typing.get_type_hints(cls, include_extras=True)
    common = {attribute.name for attribute in attrs.fields(Event)}
    for attribute in attrs.fields(cls):
        if attribute.name in common or not attribute.init:
            continue
        for value in plain_values(attribute, hints[attribute.name]):
            try:
                other = attrs.evolve(event, **{attribute.alias: value})
            except (ValueError, TypeError):
                continue  # The other fields do not go with it.
            if other != event:
                yield other


def plain_values(attribute: attrs.Attribute[Any], hint: object) -> Iterator[Any]:
    """Yield values that a field may have, the plainest first."""
    limits = limits_of(attribute.validator)
    if limits.optional:
        yield None
    tests = [accepts(validator, attribute) for validator in limits.others]
    for value in _candidates(hint, limits):
        if all(test(value) for test in tests):
            yield value


def _candidates(hint: Any, limits: Limits) -> Iterable[Any]:  # noqa: ANN401 - any annotation
    hint, optional = without_none(hint)
    if optional:
        return [None, *_candidates(hint, limits)]
    if limits.options is not None:
        return limits.options
    if hint is str:
        return _texts(limits)
    if hint in _NUMBERS:
        numbers = [*_NUMBERS[hint], *edges(hint, limits)]
        return [number for number in numbers if limits.admits(number)]
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return [one for part in arguments for one in _candidates(part, limits)]
    if origin in (tuple, list, set, frozenset):
        return _groups(origin, arguments[0], limits)
    if origin is dict:
        return ({},)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return list(hint)
    if isinstance(hint, type) and attrs.has(hint):
        return (_simplest(hint),)
    return ()


def _texts(limits: Limits) -> Sequence[str]:
    if limits.pattern is not None:
        match = plain_match(limits.pattern)
        return [] if match is None else [match]
    if limits.size_min:
        return [text * limits.size_min for text in ("a", "1")]
    return ("", "a", "1", "A")


def _groups(origin: Any, member: object, limits: Limits) -> Iterator[Any]:  # noqa: ANN401 - tuple, list, set or frozenset
    members = list(islice(_candidates(member, limits_of(limits.member)), 3))
    for size in dict.fromkeys((limits.size_min, limits.size_min + 1, 2)):
        if members:
            group = [members[at % len(members)] for at in range(size)]
            yield origin(group)
        elif not size:
            yield origin()


_NUMBERS: Final[dict[Any, tuple[Any, ...]]] = {
    int: (0, 1, 2),
    Decimal: (Decimal(0), Decimal(1), Decimal("0.5")),
    float: (0.0, 1.0, 0.5),
    date: (date(2025, 1, 1),),
}
_PLAIN: Final[dict[Any, tuple[Any, ...]]] = {
    bool: (False, True),
    When: (When("2025-01-01"),),
    Amount: (Amount.exact(1, "USD"), Amount.exact(1, "ha")),
    Citation: (Citation("source/s"),),
}
