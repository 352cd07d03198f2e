"""What a campaign of faults tried, and which promises it saw broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

__all__ = ["Findings", "Kind", "Problem", "unusable"]

Kind: TypeAlias = Literal[
    "lost", "torn", "hole", "altered", "corrupt", "unusable", "wrong"
]
"""Which promise is broken:

- ``lost``: an acknowledged append is gone;
- ``torn``: a part of a batch is stored without the rest;
- ``hole``: positions, versions or appends are missing before others;
- ``altered``: what comes back is not what went in;
- ``corrupt``: the database's own check complains;
- ``unusable``: the store does not open, read or append any more;
- ``wrong``: whatever else a user's own check finds.
"""

_EXAMPLES_SHOWN: Final = 3


@frozen
class Problem:
    """A broken promise.

    Attributes:
        kind: Which promise.
        detail: What was expected and what was found, as a sentence.
        where: At which fault; enough to do the same again. "" if not known.
    """

    kind: Kind
    detail: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" + (
            f" ({self.where})" if self.where else ""
        )


def unusable(error: Exception) -> Problem:
    """Give the problem that a store raised this error where it should not."""
    return Problem("unusable", f"{type(error).__name__}: {error}")


@frozen
class Findings:
    """The result of a campaign; it passed if there are no ``problems``.

    Attributes:
        tried: What was done how often, such as ``{"images": 400}``.
        problems: All that was found, in the order of the faults.
    """

    tried: Mapping[str, int]
    problems: tuple[Problem, ...] = field(converter=tuple[Problem, ...])

    def counts(self) -> dict[Kind, int]:
        """Give how often each promise was broken; only those that were."""
        return dict(Counter(problem.kind for problem in self.problems))

    def other_than(self, *kinds: Kind) -> tuple[Problem, ...]:
        """Give the problems of no such kind: what is not allowed to happen.

        A store that does not wait for the disk may lose its last appends in a
        power cut, so its test asserts ``not findings.other_than("lost")``.
        """
        return tuple(one for one in self.problems if one.kind not in kinds)

    def __str__(self) -> str:
        counts = [
            *self.tried.items(),
            ("problems", len(self.problems)),
            *self.counts().items(),
        ]
        lines = [f"{name:>14} {count:>9,}" for name, count in counts]
        lines += [f"  {problem}" for problem in self.problems[:_EXAMPLES_SHOWN]]
        return "\n".join(lines)
