"""Verify a ledger's SQLite file as it lies there, damaged or not, unchanged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain

from azcn_events.audit.verdict import Finding, Severity, Verdict
from azcn_events.audit.verify import ABSENT, TOLERANCE_S, Claim, RawRow, verify_rows
from azcn_events.core.codec import Codec

__all__ = ["rows_of_file", "verify_file"]


def verify_file(
    path: str | os.PathLike[str],
    *,
    claims: Sequence[Claim] = (),
    refused: Sequence[Finding] = (),
    codec: Codec | None = None,
    strict: bool = False,
    tolerance_s: float = TOLERANCE_S,
) -> Verdict:
    """Verify a file, read as far as it can be; see ``verify.verify_rows``.

    Args:
        path: The file.
        claims: As there.
        refused: Findings about checkpoints that made no claim; they are passed on.
        codec: As there.
        strict: As there.
        tolerance_s: As there.

    Raises:
        InvalidValue: If the path cannot be one.
        StoreUnusable: If there is no such file, or reading it is not permitted.
    """
    return verify_rows(
        chain(refused, rows_of_file(path)),
        claims=claims,
        codec=codec,
        strict=strict,
        tolerance_s=tolerance_s,
        name=os.fspath(path),
    )


def rows_of_file(path: str | os.PathLike[str]) -> Iterator[RawRow | Finding]:
    """Yield the rows of a file, and a finding for all that is odd or unreadable."""
    from azcn_events.stores.sqlite import inspection  # noqa: PLC0415 - loads a driver

    for found in inspection.inspect(path):
        match found:
            case inspection.Stored():
                leaf = ABSENT if found.leaf is inspection.ABSENT else found.leaf
                yield RawRow(
                    found.position,
                    found.stream,
                    found.version,
                    found.id,
                    found.kind,
                    found.recorded_us,
                    found.payload,
                    found.metadata,
                    found.checksum,
                    leaf,
                    found.earliest,
                    found.latest,
                )
            case inspection.Unreadable(first, last, problem):
                until = f"to {last:,}" if last else "on"
                text = f"positions {first:,} {until} cannot be read: {problem}"
                yield Finding("unreadable", text, max(first, 0))
            case inspection.Oddity(code, problem):
                # An unused name is left by no append of ours; yet it changes nothing.
                doubtful = code == "name"
                severity = Severity.DOUBTFUL if doubtful else Severity.ALTERED
                yield Finding(code, problem, severity=severity)
