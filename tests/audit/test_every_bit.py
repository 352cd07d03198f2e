"""Every single bit of every column of two hundred events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import copy, deepcopy
from typing import cast

from tests.audit.honest import CODEC, HONEST

from azcn_events.audit.verdict import Findings
from azcn_events.audit.verify import RawRow, _Brackets, _Check


def flips(row: RawRow) -> Iterator[RawRow]:
    """Give the row with every single bit of every column flipped, one by one."""
    for column, value in row._asdict().items():
        if isinstance(value, int):
            for bit in range(64):
                yield row._replace(**{column: value ^ 1 << bit})
        elif value is not None:
            old = value.encode() if isinstance(value, str) else cast("bytes", value)
            for at in range(len(old) * 8):
                new = bytearray(old)
                new[at // 8] ^= 1 << at % 8
                flipped: object = bytes(new)
                if isinstance(value, str):
                    # Else it stays bytes, as a reader of the file gives it.
                    with suppress(UnicodeDecodeError):
                        flipped = new.decode()
                yield row._replace(**{column: flipped})


def as_it_is(check: _Check) -> _Check:
    """Copy a check that has found nothing, to go on with it apart."""
    trial = copy(check)
    trial.findings, trial.frontier = Findings(), deepcopy(check.frontier)
    trial._versions = dict(check._versions)
    return trial


def test_every_single_bit_is_seen() -> None:
    """Of all two hundred events, in all columns, without any checkpoint."""
    count = 0
    check = _Check(CODEC, _Brackets((), 0))
    for row in HONEST:
        for flipped in flips(row):
            trial = as_it_is(check)
            trial.row(flipped)
            assert trial.findings.kept, flipped
            count += 1
        check.row(row)
    assert [] == check.findings.kept
    assert 450_000 < count
