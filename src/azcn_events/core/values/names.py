"""Names that can be kept and shown safely."""

from __future__ import annotations

import unicodedata
from typing import Final

from azcn_events.errors import InvalidValue

__all__ = ["NAME_CHARACTERS_MAX", "check_name", "shown"]

NAME_CHARACTERS_MAX: Final = 200


def check_name(text: object, what: str) -> None:
    """Refuse a stream name or event id that could not be kept or shown safely.

    Accepted: 1 to 200 characters, none of them a control character, a lone
    surrogate or a line separator, no space at either end. Other people's tools
    read these names as lines, URLs and file names.

    Raises:
        InvalidValue: If it is none of that; ``place`` says where.
    """
    accepted = f"{what} of 1 to {NAME_CHARACTERS_MAX} printable characters"
    if not isinstance(text, str):
        kind = type(text).__name__
        raise InvalidValue(str(text), f"{what} is text, not {kind}", accepted)
    if not 1 <= len(text) <= NAME_CHARACTERS_MAX:
        raise InvalidValue(text, f"it has {len(text)} characters", accepted)
    # Nearly all names are printable; then no character of them is unsafe.
    for place, character in enumerate("" if text.isprintable() else text):
        if unicodedata.category(character) in _UNSAFE:
            name = f"U+{ord(character):04X}"
            raise InvalidValue(text, f"{name} cannot be in {what}", accepted, place)
    if text != text.strip():
        raise InvalidValue(text, "a space at an end is easily lost", accepted)


_UNSAFE: Final = {"Cc", "Cs", "Zl", "Zp"}


def shown(value: object) -> str:
    """Give what was found as text for a message, whatever it is."""
    try:
        return str(value)
    except ValueError:  # Python writes no whole number of thousands of digits.
        return f"a very large {type(value).__name__}"
