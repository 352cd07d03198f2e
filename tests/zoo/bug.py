"""What a planted bug is: what is broken, its right twin, and the check that both get.

The check is one line of the kit, as a user would write it: it knows no bug.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import process_time
from typing import Any

from attrs import frozen

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.investment import INVESTMENT
from azcn_events.testing.laws import Broken, Law, check_laws

__all__ = ["Bug", "Check", "Finding", "false_alarms", "finding"]


@frozen
class Check:
    """One call of ``check_laws``.

    Attributes:
        laws: As there; by itself, those of the subject's kind.
        lifecycle: As there.
        examples: As there.
    """

    laws: tuple[Law[Any], ...] = ()
    lifecycle: Lifecycle = INVESTMENT
    examples: int = 40

    def __call__(self, subject: Any) -> list[Broken]:
        """Look for cases against the laws."""
        given: dict[str, Any] = {"lifecycle": self.lifecycle, "examples": self.examples}
        return check_laws(subject, self.laws, **given)


@frozen
class Bug:
    """A mistake that a user could make.

    Attributes:
        name: Unique in the zoo, lower-case words joined by hyphens.
        why: What was done, and how one comes to do it, in a sentence.
        broken: The subject with the mistake.
        twin: The same without it.
        check: What looks at both.
    """

    name: str
    why: str
    broken: Any
    twin: Any
    check: Callable[[Any], list[Broken]]


@frozen
class Finding:
    """What the check says of a bug.

    Attributes:
        laws: Those that are broken, in the order of the laws.
        events: Events in the shortest of their cases; 0 if nothing was caught,
            or if the case needs none.
        seconds: CPU time of the search.
        cases: The cases, printed.
    """

    laws: tuple[str, ...]
    events: int
    seconds: float
    cases: tuple[str, ...]


@cache
def finding(bug: Bug) -> Finding:
    """Run a bug's check on what is broken."""
    started = process_time()
    found = bug.check(bug.broken)
    return Finding(
        laws=tuple(broken.law for broken in found),
        events=min((len(broken.log) for broken in found), default=0),
        seconds=process_time() - started,
        cases=tuple(map(str, found)),
    )


def false_alarms(bug: Bug) -> tuple[str, ...]:
    """Run a bug's check on the right twin: every case is a false alarm."""
    return _alarms(bug.check, bug.twin)


@cache  # Many bugs share a twin.
def _alarms(check: Callable[[Any], list[Broken]], twin: Any) -> tuple[str, ...]:
    return tuple(map(str, check(twin)))
