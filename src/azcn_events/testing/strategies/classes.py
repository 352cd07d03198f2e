"""Strategies for attrs classes: validators become bounds, and the bounds are tried.

Hypothesis builds attrs classes too, but knows few validators; a class with ``ge`` or
``min_len`` is then mostly refused by itself. Here every validator of attrs becomes an
exact bound, and its very edge is drawn often. A validator of one's own is asked value
by value.
"""

from __future__ import annotations

import enum
import operator
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar, cast

import attrs
from attrs import define, field
from hypothesis import strategies as st

from azcn_events.core.events import Event, Retracted
from azcn_events.testing.strategies.palettes import NEAR, WIDE, Palette
from azcn_events.testing.strategies.values import names, texts

__all__ = [
    "Limits",
    "accepts",
    "edges",
    "events",
    "for_class",
    "limits_of",
    "without_none",
]

C = TypeVar("C")
E = TypeVar("E", bound=Event)


def for_class(cls: type[C], palette: Palette = WIDE) -> st.SearchStrategy[C]:
    """Draw instances of an attrs class; of an event class, news only.

    Args:
        cls: The class. What its validators allow is drawn, and their edges often.
            Where fields depend on each other (``__attrs_post_init__``), what it
            refuses is drawn again; should that be most, say in the palette what to
            draw for those fields.
        palette: What is drawn for each type, and for ``(class, "field")``. A type
            that it does not have is drawn as ``hypothesis.strategies.from_type``
            does, so that what you register there counts here.

    Raises:
        TypeError: If it is no attrs class.
    """
    if not attrs.has(cls):
        raise TypeError(f"{cls!r} is no attrs class: give one, or use st.from_type")
    if palette is WIDE or palette is NEAR:
        return cast("st.SearchStrategy[C]", _cached(cast("Any", cls), palette is WIDE))
    return cast("st.SearchStrategy[C]", _for_class(cast("Any", cls), palette))


def events(kind: type[E], palette: Palette = WIDE) -> st.SearchStrategy[E]:
    """Draw events of one class: news, or a correction of some record."""
    news = for_class(kind, palette)
    pairs = st.tuples(names(), texts(min_size=1).filter(lambda text: text.strip()))

    def corrected(event: E, pair: tuple[str, str]) -> E:
        return attrs.evolve(event, replaces=pair[0], reason=pair[1])

    corrections = st.builds(corrected, news, pairs)
    return corrections if issubclass(kind, Retracted) else st.one_of(news, corrections)


@cache
def _cached(cls: type[Any], wide: bool) -> st.SearchStrategy[Any]:  # noqa: FBT001 - a palette cannot be hashed
    return _for_class(cls, WIDE if wide else NEAR)


_STANDING: Final = ("replaces", "reason")


def _for_class(cls: type[C], palette: Palette) -> st.SearchStrategy[C]:
    hints = typing.get_type_hints(cls, include_extras=True)
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for attribute in attrs.fields(cast("Any", cls)):
        if not attribute.init:
            continue
        if issubclass(cls, Event) and attribute.name in _STANDING:
            continue
        hint = hints[attribute.name]
        drawn[attribute.alias] = _of_field(cls, attribute, hint, palette)
    fields = attrs.fields(cast("Any", cls))
    has_rules = any(field.validator or field.converter for field in fields)
    if not has_rules and not hasattr(cls, "__attrs_post_init__"):
        return st.builds(cls, **drawn)
    made = st.fixed_dictionaries(drawn).map(lambda given: _made(cls, given))
    return cast("st.SearchStrategy[C]", made.filter(lambda one: one is not None))


def _made(cls: type[C], given: Mapping[str, Any]) -> C | None:
    try:
        return cls(**given)
    except (ValueError, TypeError, AssertionError, LookupError):
        return None


def _of_field(
    cls: type[Any], attribute: attrs.Attribute[Any], hint: object, palette: Palette
) -> st.SearchStrategy[Any]:
    for owner in cls.__mro__:
        told = palette.get((owner, attribute.name))
        if told is not None:
            return told
    drawn = _limited(hint, limits_of(attribute.validator), palette)
    if attribute.validator is None:
        return drawn
    # Exact bounds pass; what could not be made a bound is asked value by value.
    return drawn.filter(accepts(attribute.validator, attribute))


@define
class Limits:
    """What the validators of a field say of its value."""

    low: Any = None
    low_open: bool = False
    high: Any = None
    high_open: bool = False
    size_min: int = 0
    size_max: int | None = None
    pattern: str | None = None
    options: tuple[Any, ...] | None = None
    optional: bool = False
    member: object = None
    others: list[Callable[..., object]] = field(factory=list[Callable[..., object]])

    def admits(self, number: Any) -> bool:  # noqa: ANN401 - of the field's type
        """Say whether a number lies within the bounds."""
        above = self.low is None or (
            number > self.low if self.low_open else number >= self.low
        )
        below = self.high is None or (
            number < self.high if self.high_open else number <= self.high
        )
        return above and below


def limits_of(validator: object) -> Limits:
    """Read what the validators of a field say."""
    limits = Limits()
    for part in _parts(validator, limits):
        found = cast("Any", part)  # attrs keeps the classes of its validators to itself
        match type(part).__name__:
            case "_NumberValidator":
                _bound(limits, found)
            case "_MinLengthValidator":
                limits.size_min = found.min_length
            case "_MaxLengthValidator":
                limits.size_max = found.max_length
            case "_MatchesReValidator":
                limits.pattern = found.pattern.pattern
                limits.others.append(found)  # It may be a search, or a prefix.
            case "_InValidator":
                limits.options = _in_order(found)
            case "_DeepIterable":
                limits.member = found.member_validator
                for inner in _parts(found.iterable_validator, limits):
                    _sizes(limits, inner)
            case "_InstanceOfValidator" | "_IsCallableValidator":
                pass  # The annotation says it too.
            case _:
                limits.others.append(found)
    return limits


def _in_order(found: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a class of attrs
    """Give the options; those of a set by their text, for its own order is chance."""
    is_set = isinstance(getattr(found, "_original_options", ()), set | frozenset)
    return tuple(sorted(found.options, key=repr) if is_set else found.options)


def _parts(validator: object, limits: Limits) -> Iterator[object]:
    found = cast("Any", validator)
    match type(validator).__name__:
        case "NoneType":
            return
        case "_AndValidator":
            for part in found._validators:  # noqa: SLF001 - the only way to them
                yield from _parts(part, limits)
        case "_OptionalValidator":
            limits.optional = True
            yield from _parts(found.validator, limits)
        case _:
            yield validator


def _bound(limits: Limits, found: Any) -> None:  # noqa: ANN401 - a class of attrs
    compare = found.compare_func
    if compare in (operator.ge, operator.gt):
        limits.low, limits.low_open = found.bound, compare is operator.gt
    else:
        limits.high, limits.high_open = found.bound, compare is operator.lt


def _sizes(limits: Limits, part: object) -> None:
    found = cast("Any", part)
    if type(part).__name__ == "_MinLengthValidator":
        limits.size_min = found.min_length
    elif type(part).__name__ == "_MaxLengthValidator":
        limits.size_max = found.max_length
    elif type(part).__name__ != "_InstanceOfValidator":
        limits.others.append(found)


def accepts(
    validator: Callable[..., object], attribute: attrs.Attribute[Any]
) -> Callable[[object], bool]:
    """Give a test of values by a validator that is known to nobody else."""

    def accepted(value: object) -> bool:
        try:
            validator(None, attribute, value)
        except (AttributeError, NameError):
            return True  # It looks at the other fields: the class will say.
        except (ValueError, TypeError):
            return False
        return True

    return accepted


def _limited(hint: object, limits: Limits, palette: Palette) -> st.SearchStrategy[Any]:
    if limits.options is not None:
        return st.sampled_from(limits.options)
    bare, optional = without_none(hint)
    drawn = _of_kind(bare, limits, palette)
    return st.none() | drawn if optional or limits.optional else drawn


def without_none(hint: object) -> tuple[object, bool]:
    """Give the type in ``X | None``, and whether it may be None."""
    arguments = typing.get_args(hint)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    if is_union and type(None) in arguments and len(arguments) == 2:
        return next(one for one in arguments if one is not type(None)), True
    return hint, False


def _of_kind(hint: Any, limits: Limits, palette: Palette) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any annotation
    if limits.pattern is not None:
        legal = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
        return st.from_regex(limits.pattern, fullmatch=True, alphabet=legal)
    if hint is str and (limits.size_min or limits.size_max is not None):
        return _sized_texts(limits, palette)
    has_bounds = limits.low is not None or limits.high is not None
    if has_bounds and hint in (int, Decimal, float, date):
        return _numbers(hint, limits)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    is_fixed = origin is tuple and arguments[-1] is not ...
    if origin in (tuple, list, set, frozenset) and not is_fixed:
        return _collections(origin, arguments[0], limits, palette)
    if is_fixed or origin is dict:
        parts = [_limited(part, Limits(), palette) for part in arguments]
        return st.tuples(*parts) if is_fixed else st.dictionaries(*parts, max_size=3)
    return _of_type(hint, palette)


def _sized_texts(limits: Limits, palette: Palette) -> st.SearchStrategy[str]:
    least, most = limits.size_min, limits.size_max
    top = most if most is not None else max(least, 20)
    legal = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
    limit = [st.text(legal, min_size=size, max_size=size) for size in (least, top)]
    anything = st.text(legal, min_size=least, max_size=top)
    fits = palette.get(str, texts()).filter(lambda text: least <= len(text) <= top)
    return st.one_of(*limit, anything) if least > 5 else st.one_of(fits, *limit)


def _numbers(kind: object, limits: Limits) -> st.SearchStrategy[Any]:
    limit = [edge for edge in edges(kind, limits) if limits.admits(edge)]
    low, high = limits.low, limits.high
    anything: st.SearchStrategy[Any]
    if kind is int:
        anything = st.integers(low, high)
    elif kind is Decimal:
        # Two places: without a limit, laws would find the 28 digits of arithmetic.
        places = max(2, _places(low), _places(high))
        anything = st.decimals(low, high, allow_nan=False, places=places)
    elif kind is float:
        anything = st.floats(low, high, allow_nan=False, allow_infinity=False)
    else:
        anything = st.dates(low or date.min, high or date.max)
    within = anything.filter(limits.admits)
    return st.one_of(st.sampled_from(limit), within) if limit else within


def _places(bound: Decimal | int | None) -> int:
    """Count the digits after the point, and one more to go between two bounds."""
    exponent = Decimal(bound or 0).as_tuple().exponent
    return 1 - exponent if isinstance(exponent, int) and exponent < 0 else 0


def edges(kind: Any, limits: Limits) -> Iterator[Any]:  # noqa: ANN401 - a class
    """Yield the bounds of a number, and the next number on their inner sides."""
    step: Any = timedelta(days=1) if kind is date else 1
    if kind is Decimal:
        step = Decimal("0.01")
    for bound, inward in ((limits.low, step), (limits.high, -step)):
        if bound is not None:
            yield kind(bound) if kind in (Decimal, float) else bound
            with suppress(OverflowError):  # The calendar ends there.
                yield (
                    kind(bound + inward) if kind in (Decimal, float) else bound + inward
                )


def _collections(
    origin: Any,  # noqa: ANN401 - tuple, list, set or frozenset
    member: object,
    limits: Limits,
    palette: Palette,
) -> st.SearchStrategy[Any]:
    inner = _limited(member, limits_of(limits.member), palette)
    most = limits.size_max if limits.size_max is not None else limits.size_min + 3
    unique = origin in (set, frozenset)
    lists = st.lists(inner, min_size=limits.size_min, max_size=most, unique=unique)
    return lists.map(origin)


def _of_type(hint: Any, palette: Palette) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any annotation
    told = palette.get(hint) if typing.get_origin(hint) is None else None
    if told is not None:
        return told
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = typing.get_args(hint)
        return st.one_of(*(_limited(part, Limits(), palette) for part in parts))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(cast("Any", hint))
    if isinstance(hint, type) and attrs.has(hint):
        return _for_class(cast("Any", hint), palette)
    return st.from_type(cast("Any", hint))
