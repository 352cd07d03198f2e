"""Laws of what is opened in a directory, such as stores: they look at fewer logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.testing.laws.law import Broken, Law, Search, find_all, over_logs
from azcn_events.testing.transcript import Log

__all__ = ["over_few_logs"]


def over_few_logs(check: Callable[[Any, Lifecycle, Log], None]) -> Law[Any]:
    """Make a law of a check of logs, as ``over_logs`` does, that looks at fewer.

    To open something takes its time, and such a check asks at every record of a log.
    Of 60 examples it looks at 5, of 2,000 at 37.
    """
    inner: Law[Any] = over_logs(check)

    def find(subject: object, search: Search) -> Broken | None:
        few = min(search.examples, _LOGS_MIN + search.examples // 60)
        fewer = evolve(search, examples=few)
        return next(iter(find_all(subject, [inner], fewer)), None)

    return Law(inner.name, inner.sentence, find=find)


_LOGS_MIN: Final = 4
