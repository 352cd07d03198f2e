"""Count how often a store waits for its disk before it acknowledges.

The cheapest proof that an acknowledgement is not durable: fewer syncs than
acknowledgements. (The reverse is no proof: a sync may be of another file.)
Either from a recording (``disk``, ``recorder``), which also knows what is still
unsynced at each acknowledgement; or from outside, for any program on Linux, by the
system calls that ``strace`` sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from azcn_events.testing.faults.disk import Acknowledged, Disk, Operation, Synced
from azcn_events.testing.faults.strace import LIMIT_S, traced

__all__ = [
    "Acknowledgement",
    "SyncAudit",
    "acknowledgements",
    "audit_syncs",
]

_CALLS: Final = "fsync,fdatasync,sync_file_range,syncfs,msync"
# A call that is interrupted by another thread's has a second line, without bracket.
_SYNC_CALL: Final = re.compile(rf"\b(?:{_CALLS.replace(',', '|')})\(")


@frozen
class Acknowledgement:
    """The moment at which a store said that an append is stored.

    Attributes:
        number: The append.
        syncs: Syncs of files since the acknowledgement before, or the beginning.
        unsynced: Changes of files and names that a power cut could still undo.
    """

    number: int
    syncs: int
    unsynced: int


@frozen
class SyncAudit:
    """What a program said and what it asked of the disk.

    Attributes:
        acknowledged: Lines that it printed.
        syncs: System calls that wait for a disk, of it and its children.
    """

    acknowledged: int
    syncs: int


def acknowledgements(operations: Sequence[Operation]) -> list[Acknowledgement]:
    """Give every acknowledgement of a recording, in order."""
    disk = Disk()
    syncs = 0
    found: list[Acknowledgement] = []
    for operation in operations:
        disk.do(operation)
        match operation:
            case Synced():
                syncs += 1
            case Acknowledged(number):
                found.append(Acknowledgement(number, syncs, disk.unsynced()))
                syncs = 0
            case _:
                pass
    return found


def audit_syncs(command: Sequence[str], *, limit_s: float = LIMIT_S) -> SyncAudit:
    """Run a program to its end, and count its lines and its syncs.

    Args:
        command: A program that prints a line for each acknowledged append. It
            finds what this process can import.
        limit_s: How long it may take, in seconds.

    Raises:
        NoStrace: If ``strace`` is not installed.
        ProgramFailed: If the program fails, or may not be watched.
        ProgramHangs: If it does not come to an end.
    """
    ended, trace = traced(_CALLS, command, limit_s=limit_s)
    return SyncAudit(len(ended.lines), len(_SYNC_CALL.findall(trace)))
