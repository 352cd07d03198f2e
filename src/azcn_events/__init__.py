"""An event-sourced ledger of agreements and their milestones.

It never claims more than is known, and every figure can be explained. Names are
loaded when they are first used: importing this package loads no database driver.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azcn_events.core.events import (
        Event,
        Fact,
        MilestoneProgressed,
        MilestonePromised,
        MilestoneReverted,
        MilestoneWaived,
        Recorded,
        Resumed,
        Retracted,
        Suspended,
        Terminated,
    )
    from azcn_events.core.history import History
    from azcn_events.core.lifecycle import (
        Activity,
        Deviation,
        Lifecycle,
        Milestone,
        MilestoneState,
        State,
        Status,
    )
    from azcn_events.core.projection import Progress, Projection
    from azcn_events.core.values import (
        Amount,
        Answer,
        Citation,
        Missing,
        Qualifier,
        Range,
        When,
    )
    from azcn_events.errors import (
        AzcnEventsError,
        InvalidValue,
        LoadRefused,
        RecordNotFound,
        StoreError,
        TransitionRefused,
        UnknownName,
    )
    from azcn_events.investment.lifecycle import INVESTMENT
    from azcn_events.ledger import Ledger, Receipt, View
    from azcn_events.reports.table import Table

__version__ = "0.1.0"

_HOMES = {
    "core.events": (
        "Event",
        "Fact",
        "MilestonePromised",
        "MilestoneProgressed",
        "MilestoneReverted",
        "MilestoneWaived",
        "Recorded",
        "Resumed",
        "Retracted",
        "Suspended",
        "Terminated",
    ),
    "core.history": ("History",),
    "core.lifecycle": (
        "Activity",
        "Deviation",
        "Lifecycle",
        "Milestone",
        "MilestoneState",
        "State",
        "Status",
    ),
    "core.projection": ("Progress", "Projection"),
    "core.values": (
        "Amount",
        "Answer",
        "Citation",
        "Missing",
        "Qualifier",
        "Range",
        "When",
    ),
    "errors": (
        "AzcnEventsError",
        "InvalidValue",
        "LoadRefused",
        "RecordNotFound",
        "StoreError",
        "TransitionRefused",
        "UnknownName",
    ),
    "investment.lifecycle": ("INVESTMENT",),
    "ledger": ("Ledger", "Receipt", "View"),
    "reports.table": ("Table",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - loaded by __getattr__
    "INVESTMENT",
    "Activity",
    "Amount",
    "Answer",
    "AzcnEventsError",
    "Citation",
    "Deviation",
    "Event",
    "Fact",
    "History",
    "InvalidValue",
    "Ledger",
    "Lifecycle",
    "LoadRefused",
    "Milestone",
    "MilestoneProgressed",
    "MilestonePromised",
    "MilestoneReverted",
    "MilestoneState",
    "MilestoneWaived",
    "Missing",
    "Progress",
    "Projection",
    "Qualifier",
    "Range",
    "Receipt",
    "RecordNotFound",
    "Recorded",
    "Resumed",
    "Retracted",
    "State",
    "Status",
    "StoreError",
    "Suspended",
    "Table",
    "Terminated",
    "TransitionRefused",
    "UnknownName",
    "View",
    "When",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
