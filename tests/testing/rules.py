"""Small lifecycles that the tests of the kit share."""

from __future__ import annotations

from collections import Counter

from attrs import frozen

from azcn_events import Event, Lifecycle, Milestone, Projection, Recorded


@frozen
class Licensed(Event):
    """The state granted the licence."""


@frozen
class FirstOre(Event):
    """Ore left the ground."""

    tons: int = 1


@frozen
class FirstExport(Event):
    """Ore left the country."""


EVENTS: dict[str, type[Event]] = {
    "licensed": Licensed,
    "first-ore": FirstOre,
    "first-export": FirstExport,
}


def mine(*milestones: Milestone, **more: object) -> Lifecycle:
    """Make a lifecycle of the three facts."""
    return Lifecycle(name="mine", events=EVENTS, milestones=milestones, **more)  # type: ignore[arg-type] # each test's own


MINE = mine(
    Milestone("licensed", met_by=Licensed),
    Milestone("producing", met_by=FirstOre, expects=["licensed"]),
    Milestone("exporting", met_by=FirstExport, requires=["producing"]),
)
"""Nothing wrong with it."""


def count(seen: Counter[str], record: Recorded) -> Counter[str]:
    """Count a record by its kind."""
    seen[record.kind] += 1
    return seen


KINDS = Projection("kinds", Counter, count, lambda one, other: one + other)
"""Nothing wrong with it."""
