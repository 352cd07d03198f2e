"""How a counterexample is shown: one line a fact, with what it did."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

import attrs

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import in_force
from azcn_events.core.lifecycle import Activity, Lifecycle, State, Status
from azcn_events.core.values import Citation

__all__ = ["shown", "standing_of", "timeline"]

_FIELD_CHARACTERS_MAX: Final = 40
_PLAIN: Final = (Citation("source/s"), Citation("source/t"))
"""What is cited where it does not matter."""


def shown(event: Event) -> str:
    """Write an event on one line: what differs from its class's defaults."""
    parts = list[str]()
    for attribute in attrs.fields(type(event)):
        value = getattr(event, attribute.name)
        if attribute.name == "when" or value in (_default(attribute), *_PLAIN):
            continue
        text = repr(value) if isinstance(value, str) else str(value)
        if len(text) > _FIELD_CHARACTERS_MAX:
            text = f"{text[:_FIELD_CHARACTERS_MAX]}…"
        parts.append(f"{attribute.name}={text}")
    dated = str(event.when)
    return f"{type(event).__name__}({', '.join([*parts, dated])})"


def _default(attribute: attrs.Attribute[Any]) -> object:
    default: Any = attribute.default
    is_made = isinstance(default, attrs.Factory)  # type: ignore[arg-type] # typed as a function
    return default.factory() if is_made and not default.takes_self else default


def standing_of(state: State) -> str:
    """Write where an agreement stands: its milestones that were mentioned."""
    told = [
        name if milestone.status is Status.MET else f"{name} {milestone.status.value}"
        for name, milestone in state.milestones.items()
        if milestone.records
    ]
    if state.activity is not Activity.ACTIVE:
        told.append(f"({state.activity.value})")
    return ", ".join(told) or ("opened" if state.opening else "nothing yet")


def timeline(lifecycle: Lifecycle, records: Iterable[Recorded]) -> str:
    """Write records one below the other, oldest first, each with what it led to.

    ::

        1  agreement/a  AgreementIdentified(field='a', 2025-01-01)
        2  agreement/a  LandAllocated(2025-01-01)
              -> land-allocated

    The line after ``->`` says where the stream stands then, where that changed.
    """
    lines, known = list[str](), dict[str, list[Recorded]]()
    before = dict[str, str]()
    for day, of_day in groupby(records, key=lambda record: record.recorded_on):
        if lines or day.isoformat() != "2025-01-01":
            lines.append(f"  recorded on {day}:")
        for record in of_day:
            stream = record.stream
            lines.append(f"  {record.position:>2}  {stream}  {shown(record.event)}")
            if not lifecycle.has_milestones(stream):
                continue
            known.setdefault(stream, []).append(record)
            state = lifecycle.replay(in_force(known[stream]))
            after = standing_of(state)
            if after != before.get(stream, "nothing yet"):
                lines.append(f"        -> {after}")
            before[stream] = after
    return "\n".join(lines) or "  (an empty log)"
