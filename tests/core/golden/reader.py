"""A reader of stored events that shares no code with the library's codec."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

__all__ = ["as_plain"]


def as_plain(value: Any) -> Any:
    """Spell out a value by its class's fields, without any converter."""
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
        return {name: as_plain(getattr(value, name)) for name in names}
    match value:
        case tuple():
            return [as_plain(item) for item in value]
        case enum.Enum():
            return value.value
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            return value
