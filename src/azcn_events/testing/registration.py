"""Tell Hypothesis how the library's classes are drawn: ``st.from_type`` then knows.

The built-in ones are registered by themselves: Hypothesis calls
:func:`register_built_in` when it is imported, by an entry point. That costs about a
tenth of a second, nearly all of it for importing the classes: Hypothesis wants them
themselves, not their names. The strategies are made when they are first asked for.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from azcn_events.core.events import Event, Look, Parameter
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.values import Amount, Citation, Sealed, When
from azcn_events.investment import INVESTMENT, Claim, GroupCount, Party

__all__ = ["register", "register_built_in"]


def register(lifecycle: Lifecycle) -> None:
    """Register the classes of a lifecycle's facts with Hypothesis.

    ``st.from_type`` and ``st.builds`` then draw what is legal, as awkward as it may
    be: news, and corrections of any record. The common facts, which all lifecycles
    share, name milestones of the lifecycle that was registered last.
    """

    def drawn(kind: type[Event]) -> st.SearchStrategy[Any]:
        from azcn_events.testing.strategies.classes import events  # noqa: PLC0415 - see above
        from azcn_events.testing.strategies.palettes import (  # noqa: PLC0415 - see above
            WIDE,
            palette_for,
        )

        return events(kind, palette_for(lifecycle, WIDE))

    for kind in lifecycle.kinds.values():
        st.register_type_strategy(kind, drawn)


def register_built_in() -> None:
    """Register the built-in lifecycle, and the values that events carry."""
    register(INVESTMENT)
    for value in (When, Amount, Citation, Sealed):
        st.register_type_strategy(value, _values)
    for part in (Claim, GroupCount, Look, Parameter, Party):
        st.register_type_strategy(part, _parts)


def _values(value: type[Any]) -> st.SearchStrategy[Any]:
    from azcn_events.testing.strategies.palettes import WIDE  # noqa: PLC0415 - see above

    return WIDE[value]


def _parts(part: type[Any]) -> st.SearchStrategy[Any]:
    from azcn_events.testing.strategies.classes import for_class  # noqa: PLC0415 - see above

    return for_class(part)
