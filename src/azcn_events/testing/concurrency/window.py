"""The few operations around an anomaly, drawn so that one sees what overlapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Final

from azcn_events.testing.concurrency.anomaly import Anomaly
from azcn_events.testing.concurrency.history import Operation

__all__ = ["show_window"]

_WIDTH: Final = 88
_OPERATIONS_MAX: Final = 8
_STEP: Final = 4
"""Columns from one call or return to the next: room for a bar's number."""


def show_window(operations: Iterable[Operation], anomaly: Anomaly) -> str:
    """Draw the anomaly's operations and those of its stream that are nearest to them.

    Each client has a line, each operation a bar from its call to its return, open
    to the right if it never returned. From left to right calls and returns come in
    their order; distances mean nothing. Below is what was asked and answered; the
    operations that show the anomaly have a star.

    Args:
        operations: Those of the run.
        anomaly: One of those found in it.

    Returns:
        Lines of at most 88 characters, unless the clients' numbers are huge.
    """
    chosen = _nearest(operations, anomaly)
    moments = _moments(chosen)
    clients = sorted({one.client for one in chosen})
    label = max((len(str(client)) for client in clients), default=0)
    heading = wrap(str(anomaly).splitlines()[0], _WIDTH)
    bars = [
        f"  client {client:<{label}} {_bars(client, chosen, moments)}"
        for client in clients
    ]
    return "\n".join([*heading, *bars, *_legend(chosen, anomaly)])


def _nearest(operations: Iterable[Operation], anomaly: Anomaly) -> list[Operation]:
    """Choose what to draw, in the order of the calls."""
    shown = anomaly.operations[:_OPERATIONS_MAX]
    others = [
        one for one in operations if one.stream == anomaly.stream and one not in shown
    ]
    if shown:
        others.sort(key=lambda one: min(_apart_ns(one, other) for other in shown))
    chosen = [*shown, *others[: _OPERATIONS_MAX - len(shown)]]
    return sorted(chosen, key=lambda one: one.called_ns)


def _apart_ns(one: Operation, other: Operation) -> int:
    """Give the time from the end of the earlier to the call of the later."""
    earlier, later = sorted([one, other], key=lambda operation: operation.called_ns)
    ended_ns = earlier.called_ns if earlier.returned_ns is None else earlier.returned_ns
    return max(later.called_ns - ended_ns, 0)


def _moments(chosen: Sequence[Operation]) -> dict[tuple[int, bool], int]:
    """Give each call and return, as ``(index, is a return)``, its column."""
    calls = [(one.called_ns, False, index) for index, one in enumerate(chosen)]
    returns = [
        (one.returned_ns, True, index)
        for index, one in enumerate(chosen)
        if one.returned_ns is not None
    ]
    return {
        (index, is_return): _STEP * place
        for place, (_, is_return, index) in enumerate(sorted(calls + returns))
    }


def _bars(
    client: int, chosen: Sequence[Operation], moments: dict[tuple[int, bool], int]
) -> str:
    """Draw one client's line; a bar without a return stops short of the next."""
    own = [index for index, one in enumerate(chosen) if one.client == client]
    line = ""
    for index, following in zip_longest(own, own[1:]):
        start = moments[index, False]
        if (index, True) in moments:
            end, mark = moments[index, True], "]"
        elif following is None:
            end, mark = _STEP * len(moments), ">"
        else:
            end, mark = moments[following, False] - 1, ">"
        line = f"{line:{start}}[{index + 1}".ljust(end, "=") + mark
    return line


def _legend(chosen: Iterable[Operation], anomaly: Anomaly) -> Iterator[str]:
    """Say what was asked and answered; where, if the heading does not."""
    for number, one in enumerate(chosen, 1):
        star = "*" if one in anomaly.operations else " "
        where = "" if anomaly.stream else f"{one.stream}: "
        line = f"{star} {number}  {where}{one}"
        yield line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
