"""Pauses at random: they make likely what is rare, that two meet at a bad moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random  # noqa: TID251 - pauses are a matter of chance
from types import FrameType
from typing import Any, Final

from attrs import define, field

from azcn_events.testing.stand_ins import Clock

__all__ = ["Pauses"]

_LINES: Final = 40
"""After how many lines of code a thread pauses, on average."""
_OURS: Final = "azcn_events.testing."


@define
class Pauses:
    """Short pauses of random length.

    Attributes:
        seed: Decides upon them.
        longest_s: The longest pause, in seconds.
    """

    seed: str
    longest_s: float
    _random: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 - pauses, not secrets

    def pause(self) -> None:
        """Let others go first for a while; half of the times, not at all."""
        if self._random.random() < 1 / 2:
            time.sleep(self._random.random() * self.longest_s)

    def clock(self) -> int:
        """Pause, then give microseconds since 1970 UTC, always the same.

        A store asks for the time inside of an append, where others can do harm.
        """
        self.pause()
        return Clock().us

    def trace(
        self, frame: FrameType, event: str, _argument: object
    ) -> Callable[..., Any] | None:
        """Pause between two lines of code now and then; for ``sys.settrace``.

        Otherwise Python lets another thread run every 5 ms, while many a race is open
        for less than a thousandth of that.
        """
        if str(frame.f_globals.get("__name__")).startswith(_OURS):
            return None  # Pauses between two operations harm nobody.
        if event == "line" and self._random.random() * _LINES < 1:
            time.sleep(self._random.random() * self.longest_s)
        return self.trace
