"""Plain JSON values to attrs classes and back, by cattrs, strictly.

The slow and forgiving road beside the codec's fast one: for events that people
write by hand, for old versions, and for classes that msgspec cannot carry. It is
forgiving in form only (a date as plain text, defaults left out); a value of the
wrong type is refused, never converted.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.errors import ForbiddenExtraKeysError

from azcn_events.core.values import Missing, Sealed, When, day_of
from azcn_events.errors import InvalidFields, InvalidValue, Problem

__all__ = ["structure", "unstructure"]

T = TypeVar("T")


def structure(data: object, cls: type[T]) -> T:
    """Make an instance of an attrs class from plain JSON values.

    Raises:
        InvalidFields: With every problem found, each with its field path.
    """
    try:
        return _CONVERTER.structure(data, cls)
    except Exception as error:
        lines = transform_error(error, format_exception=_in_words)
        problems = [line.rpartition(" @ ") for line in lines]
        raise InvalidFields(
            tuple(Problem(0, path, message) for message, _, path in problems)
        ) from error


def unstructure(value: object) -> object:
    """Give an attrs instance as plain JSON values; decimals as text."""
    return _CONVERTER.unstructure(value)


def _in_words(error: BaseException, expected: type[Any] | None) -> str:
    match error:
        case InvalidValue():
            return str(error)
        case ForbiddenExtraKeysError():
            names = ", ".join(sorted(map(repr, error.extra_fields)))
            return f"unknown field {names}"
        case KeyError():
            return f"the field {error.args[0]!r} is missing"
        case _:
            wanted = getattr(expected, "__name__", str(expected))
            return f"{error} (expected {wanted})" if expected else str(error)


def _exactly(kind: type[Any], wanted: str) -> Callable[[object, object], Any]:
    def check(value: object, _: object) -> object:
        if type(value) is not kind:
            found = type(value).__name__
            raise InvalidValue(str(value), f"this is {found}, not {wanted}", wanted)
        return value

    return check


def _decimal(value: object, _: object) -> Decimal:
    wanted = "a number as text, such as '2.7', or a whole number; never a float"
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        found = type(value).__name__
        raise InvalidValue(str(value), f"a {found} is no exact number", wanted)
    # Python would also read "1_000", " 1 " and the digits of other scripts.
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise InvalidValue(value, "this is not a number", wanted)
    return Decimal(value)


_NUMBER: Final = re.compile(
    r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[Ee][+-]?[0-9]{1,6})?|-?Infinity|-?s?NaN[0-9]*"
)
"""A number as ``str`` of a Decimal writes it."""


def _date(value: object, _: object) -> date:
    return day_of(cast("Any", value))


def _date_time(value: object, _: object) -> datetime:
    wanted = "a date-time with a zone, like 2025-04-17T09:00:00Z"
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidValue(str(value), str(error), wanted) from None
    if moment.tzinfo is None:
        raise InvalidValue(str(value), "it has no time zone", wanted)
    return moment


def _member(value: object, kind: type[enum.Enum]) -> enum.Enum:
    for member in kind:
        if value == member.value:
            return member
    wanted = "one of " + ", ".join(str(member.value) for member in kind)
    raise InvalidValue(str(value), f"not a {kind.__name__}", wanted)


def _has_missing(annotation: object) -> bool:
    is_union = get_origin(annotation) in (Union, UnionType)
    return is_union and Missing in get_args(annotation)


def _or_missing(annotation: Any, converter: Converter) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any union
    rest = tuple(arg for arg in get_args(annotation) if arg is not Missing)
    other: Any = Union[rest]  # noqa: UP007 - built from a tuple
    words = {member.value for member in Missing}

    def choose(value: object, _: object) -> object:
        if isinstance(value, str) and (value in words or attrs.has(other)):
            return _member(value, Missing)
        return converter.structure(value, other)

    return choose


def _has_sealed(annotation: object) -> bool:
    is_union = get_origin(annotation) in (Union, UnionType)
    return is_union and Sealed in get_args(annotation)


def _or_sealed(annotation: Any, converter: Converter) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any union
    rest = tuple(arg for arg in get_args(annotation) if arg is not Sealed)
    other: Any = Union[rest]  # noqa: UP007 - built from a tuple

    def choose(value: object, _: object) -> object:
        if isinstance(value, list | tuple):
            return _sealed(value, Sealed)
        return converter.structure(value, other)

    return choose


def _sealed(value: Any, _: object) -> Sealed:  # noqa: ANN401 - whatever is there
    """Read a sealed value as it is stored: its commitment, and the word "sealed"."""
    if len(value) != 2 or value[1] not in ("sealed", "erased"):
        wanted = "the two texts of a sealed value, such as ['<commitment>', 'sealed']"
        raise InvalidValue(str(value)[:80], "this is no sealed value", wanted)
    return Sealed(*value)


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, wanted in (
        (str, "text"),
        (int, "a whole number"),
        (bool, "true or false"),
        (float, "a number with a point"),
    ):
        converter.register_structure_hook(kind, _exactly(kind, wanted))
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(datetime, _date_time)
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook(enum.Enum, _member)
    _demand(converter, _is_many, (list, tuple), "a list")
    _demand(converter, attrs.has, (Mapping,), "an object with fields")
    by_fields = converter.get_structure_hook(When)
    converter.register_structure_hook(
        When,
        lambda value, kind: (
            When(value) if isinstance(value, str) else by_fields(value, kind)
        ),
    )
    converter.register_structure_hook_factory(_has_missing)(_or_missing)
    converter.register_structure_hook_factory(_has_sealed)(_or_sealed)
    converter.register_structure_hook(Sealed, _sealed)
    converter.register_unstructure_hook(Sealed, list)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook_func(
        lambda kind: _class_of(kind) in (set, frozenset),
        lambda items: _sorted(map(converter.unstructure, items)),
    )
    return converter


def _sorted(items: Iterable[object]) -> list[object]:
    """Order the members of a set: their own order is chance."""
    return sorted(items, key=repr)


def _demand(
    converter: Converter,
    fits: Callable[[Any], bool],
    shapes: tuple[type[Any], ...],
    wanted: str,
) -> None:
    """Refuse another shape before cattrs takes it apart: a text is no list."""
    inside = set[Any]()

    def demanding(annotation: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any type
        inside.add(annotation)
        make = converter.get_structure_hook(annotation, cache_result=False)
        inside.remove(annotation)

        def check(value: object, kind: object) -> object:
            if not isinstance(value, shapes):
                found = type(value).__name__
                raise InvalidValue(str(value), f"this is {found}, not {wanted}", wanted)
            return make(value, kind)

        return check

    converter.register_structure_hook_factory(
        lambda annotation: annotation not in inside and fits(annotation)
    )(demanding)


def _is_many(annotation: object) -> bool:
    return _class_of(annotation) in (tuple, list, set, frozenset)


def _class_of(annotation: Any) -> Any:  # noqa: ANN401 - any type
    return getattr(annotation, "__origin__", annotation)


_CONVERTER: Final = _converter()
