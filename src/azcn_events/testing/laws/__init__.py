"""Laws as values: what holds for every projection, lifecycle, codec, store, report.

:func:`check_laws` looks for a case against each and gives those that are broken, with
the shortest case found; :func:`assert_lawful` raises with the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from azcn_events.core.codec import Codec
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.projection import Projection
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.testing.laws.codecs import (
    CODEC_LAWS,
    OldBytes,
    reads_old_bytes,
    wire_corpus,
)
from azcn_events.testing.laws.concurrent import CONCURRENT_STORE_LAWS
from azcn_events.testing.laws.law import (
    Broken,
    Law,
    LawBroken,
    Search,
    Violation,
    ensure,
    find_all,
    law,
    over_logs,
    same,
)
from azcn_events.testing.laws.lifecycles import (
    LIFECYCLE_LAWS,
    conforms_to,
    pinned_by,
)
from azcn_events.testing.laws.projections import PROJECTION_LAWS, agrees_with
from azcn_events.testing.laws.read_models import (
    READ_MODEL_LAWS,
    OpenReadModel,
    ReadModel,
    agrees_with_projection,
)
from azcn_events.testing.laws.reports import (
    REPORT_LAWS,
    moment_of,
    report_agrees_with,
    what_had_not_come_moves_nothing,
)
from azcn_events.testing.laws.stores import STORE_LAWS

__all__ = [
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
    "Search",
    "Violation",
    "agrees_with",
    "agrees_with_projection",
    "assert_lawful",
    "check_laws",
    "conforms_to",
    "ensure",
    "law",
    "moment_of",
    "over_logs",
    "pinned_by",
    "reads_old_bytes",
    "report_agrees_with",
    "same",
    "what_had_not_come_moves_nothing",
    "wire_corpus",
]


def check_laws(
    subject: Any,  # noqa: ANN401 - whatever the laws are about
    laws: Iterable[Law[Any]] = (),
    *,
    lifecycle: Lifecycle = INVESTMENT,
    examples: int | None = None,
) -> list[Broken]:
    """Look for cases against laws.

    Args:
        subject: What the laws are about: a ``Projection``, a ``Lifecycle``, a
            ``Codec``; or a store's opener, a report or a read model's opener, for
            which ``laws`` must be given.
        laws: Such as ``STORE_LAWS``; by itself, those of the subject's kind, and
            for a lifecycle those of its codec as well.
        lifecycle: Whose logs are drawn; of a lifecycle or codec, its own.
        examples: How many logs, at the most; as Hypothesis' profile says if None.

    Returns:
        Those that are broken, in the order of the laws, each with the shortest case
        that was found.

    Raises:
        TypeError: If no laws are given and the subject's kind has none.
    """
    if isinstance(subject, Lifecycle):
        lifecycle = subject
    if isinstance(subject, Codec):
        lifecycle = subject.lifecycle
    if isinstance(laws, Law):
        raise TypeError(f"laws is one law, {laws.name!r}: give a list of laws")
    if not isinstance(cast("object", lifecycle), Lifecycle):
        raise TypeError(f"lifecycle is {lifecycle!r}: give a Lifecycle")
    search = Search.of(lifecycle, examples)
    asked = tuple(laws)
    found = find_all(subject, asked or _laws_of(subject), search)
    if isinstance(subject, Lifecycle) and not asked:
        found += find_all(Codec(subject), CODEC_LAWS, search)
    return found


def assert_lawful(
    subject: Any,  # noqa: ANN401 - as above
    laws: Iterable[Law[Any]] = (),
    *,
    lifecycle: Lifecycle = INVESTMENT,
    examples: int | None = None,
) -> None:
    """Raise unless every law holds: see :func:`check_laws`.

    Raises:
        LawBroken: With every law that is broken, and a case for each.
    """
    broken = check_laws(subject, laws, lifecycle=lifecycle, examples=examples)
    if broken:
        raise LawBroken(broken)


def _laws_of(subject: object) -> tuple[Law[Any], ...]:
    if isinstance(subject, Projection):
        return PROJECTION_LAWS
    if isinstance(subject, Lifecycle):
        return LIFECYCLE_LAWS
    if isinstance(subject, Codec):
        return CODEC_LAWS
    raise TypeError(
        f"which laws are meant for {subject!r}? A projection, a lifecycle and a codec"
        " have their own; for others give them: laws=STORE_LAWS, REPORT_LAWS or"
        " READ_MODEL_LAWS"
    )
