"""The plainest text that a regular expression matches.

Hypothesis draws such texts, but nothing may be drawn in the middle of a property
test, and a plain example is wanted there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

__all__ = ["plain_match"]

# Python parses expressions in modules of its own, which have no public name;
# Hypothesis reads expressions through them too.
_parser: Final[Any] = import_module("re._parser")
_word: Final[Any] = import_module("re._constants")


def plain_match(pattern: str) -> str | None:
    """Give a short text of plain characters that the whole pattern matches.

    None if there is none that is found easily: with look-arounds, for example.
    """
    text = "".join(map(_text, _parser.parse(pattern)))
    return text if re.fullmatch(pattern, text) else None


def _text(part: tuple[Any, Any]) -> str:
    kind, content = part
    if kind is _word.LITERAL:
        return chr(content)
    if kind is _word.IN:
        return _one_of(content)
    if kind in (_word.MAX_REPEAT, _word.MIN_REPEAT, _word.POSSESSIVE_REPEAT):
        least, _, repeated = content
        return "".join(map(_text, repeated)) * int(least)
    if kind is _word.SUBPATTERN:
        return "".join(map(_text, content[-1]))
    if kind is _word.BRANCH:
        return "".join(map(_text, content[1][0]))
    return "a" if kind in (_word.ANY, _word.NOT_LITERAL) else ""


def _one_of(choices: Iterable[tuple[Any, Any]]) -> str:
    first, *_ = choices
    kind, content = first
    if kind is _word.RANGE:
        return chr(content[0])
    if kind is _word.CATEGORY:
        return _OF_CATEGORY.get(content, "-")
    return chr(content) if kind is _word.LITERAL else "a"


_OF_CATEGORY: Final[dict[Any, str]] = {
    _word.CATEGORY_DIGIT: "0",
    _word.CATEGORY_WORD: "a",
    _word.CATEGORY_SPACE: " ",
}
