"""The property-testing kit: from one lifecycle value to laws that catch real bugs.

It is what this library tests itself with. It needs the extra ``testing``; names are
loaded when they are first used. Processes and crashes have modules of their own:
``azcn_events.testing.concurrency`` and ``azcn_events.testing.faults``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azcn_events.testing.contract import ReadModelContract, StoreContract
    from azcn_events.testing.covered import assert_covered, watch
    from azcn_events.testing.explorer import (
        Graph,
        explore,
        facts_of,
        milestone_facts,
        transition_table,
    )
    from azcn_events.testing.laws import (
        CODEC_LAWS,
        CONCURRENT_STORE_LAWS,
        LIFECYCLE_LAWS,
        PROJECTION_LAWS,
        READ_MODEL_LAWS,
        REPORT_LAWS,
        STORE_LAWS,
        Broken,
        Law,
        LawBroken,
        OldBytes,
        OpenReadModel,
        ReadModel,
        agrees_with,
        agrees_with_projection,
        assert_lawful,
        check_laws,
        conforms_to,
        ensure,
        over_logs,
        pinned_by,
        reads_old_bytes,
        report_agrees_with,
        same,
        wire_corpus,
    )
    from azcn_events.testing.machine import LedgerMachine, lifecycle_machine
    from azcn_events.testing.profiles import load_profile
    from azcn_events.testing.registration import register
    from azcn_events.testing.scenario import admitted, fact, given, refused
    from azcn_events.testing.stand_ins import (
        Clock,
        OpenStore,
        in_memory,
        numbered_ids,
        on_sqlite,
    )
    from azcn_events.testing.strategies.classes import events, for_class
    from azcn_events.testing.strategies.palettes import NEAR, WIDE
    from azcn_events.testing.strategies.plain import simplest
    from azcn_events.testing.strategies.values import stream_names
    from azcn_events.testing.timelines import timeline
    from azcn_events.testing.transcript import Log, told
    from azcn_events.testing.whole_logs import (
        any_event,
        facts,
        histories,
        illegal_next,
        logs,
    )

_HOMES = {
    "strategies.classes": ("events", "for_class"),
    "contract": ("ReadModelContract", "StoreContract"),
    "covered": ("assert_covered", "watch"),
    "explorer": ("Graph", "explore", "facts_of", "milestone_facts", "transition_table"),
    "whole_logs": ("any_event", "facts", "histories", "illegal_next", "logs"),
    "laws": (
        "CODEC_LAWS",
        "CONCURRENT_STORE_LAWS",
        "LIFECYCLE_LAWS",
        "PROJECTION_LAWS",
        "READ_MODEL_LAWS",
        "REPORT_LAWS",
        "STORE_LAWS",
        "Broken",
        "Law",
        "LawBroken",
        "OldBytes",
        "OpenReadModel",
        "ReadModel",
        "agrees_with",
        "agrees_with_projection",
        "assert_lawful",
        "check_laws",
        "conforms_to",
        "ensure",
        "over_logs",
        "pinned_by",
        "reads_old_bytes",
        "report_agrees_with",
        "same",
        "wire_corpus",
    ),
    "machine": ("LedgerMachine", "lifecycle_machine"),
    "strategies.palettes": ("NEAR", "WIDE"),
    "strategies.plain": ("simplest",),
    "profiles": ("load_profile",),
    "registration": ("register",),
    "scenario": ("admitted", "fact", "given", "refused"),
    "stand_ins": ("Clock", "OpenStore", "in_memory", "numbered_ids", "on_sqlite"),
    "timelines": ("timeline",),
    "transcript": ("Log", "told"),
    "strategies.values": ("stream_names",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - loaded by __getattr__
    "CODEC_LAWS",
    "CONCURRENT_STORE_LAWS",
    "LIFECYCLE_LAWS",
    "NEAR",
    "PROJECTION_LAWS",
    "READ_MODEL_LAWS",
    "REPORT_LAWS",
    "STORE_LAWS",
    "WIDE",
    "Broken",
    "Clock",
    "Graph",
    "Law",
    "LawBroken",
    "LedgerMachine",
    "Log",
    "OldBytes",
    "OpenReadModel",
    "OpenStore",
    "ReadModel",
    "ReadModelContract",
    "StoreContract",
    "admitted",
    "agrees_with",
    "agrees_with_projection",
    "any_event",
    "assert_covered",
    "assert_lawful",
    "check_laws",
    "conforms_to",
    "ensure",
    "events",
    "explore",
    "fact",
    "facts",
    "facts_of",
    "for_class",
    "given",
    "histories",
    "illegal_next",
    "in_memory",
    "lifecycle_machine",
    "load_profile",
    "logs",
    "milestone_facts",
    "numbered_ids",
    "on_sqlite",
    "over_logs",
    "pinned_by",
    "reads_old_bytes",
    "refused",
    "register",
    "report_agrees_with",
    "same",
    "simplest",
    "stream_names",
    "timeline",
    "told",
    "transition_table",
    "watch",
    "wire_corpus",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
