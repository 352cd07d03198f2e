"""Cut a store's power at every moment, and look at what may then be on its disk.

The store works on a recorded disk; from the recording come the images that a cut
can leave (``disk`` says which those are); each image is opened by the store again,
read, compared with what was acknowledged, and written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import apsw
from attrs import evolve

from azcn_events.errors import AzcnEventsError
from azcn_events.testing.faults import workload
from azcn_events.testing.faults.disk import Image, Operation, Written, images
from azcn_events.testing.faults.findings import Findings, Problem
from azcn_events.testing.faults.recorder import quick_scratch, recorded_disk
from azcn_events.testing.stand_ins import Clock, OpenStore

__all__ = [
    "LONG",
    "SHORT",
    "CheckImage",
    "NothingRecorded",
    "Sessions",
    "cut_power",
    "recorded_work",
    "try_images",
]

Sessions: TypeAlias = Sequence[Sequence[int]]
"""What is recorded: for each time that the store is opened, the sizes of the
appends until it is closed again; each a batch with so many bytes in each payload."""

SHORT: Final[Sessions] = ((40, 700, 5000, 0, 40), (40, 9000, 40))
"""The file is made, and closed and opened again: some hundred operations."""

LONG: Final[Sessions] = (
    *SHORT,
    (40, 700_000, 700_000, 40, 700, 5000, 40),
    (40, 40),
)
"""Also more than the 1,000 pages after which the log is moved into the file while
it is open, and begun anew: some thousand operations."""

CheckImage: TypeAlias = Callable[[Path, Sequence[int]], Iterable[Problem]]
"""Looks at a directory after a cut, given the acknowledged appends in order."""

_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_INTEGRITY_EVERY: Final = 10
_ANSWER_SHOWN: Final = 80


class NothingRecorded(AzcnEventsError):
    """A store was recorded, and was not seen to write anything."""

    def __str__(self) -> str:
        return (
            "nothing was seen of what the store wrote: only what it does by apsw, in"
            " this process and in the directory that it gets, can be recorded; try"
            " kill_writers or fail_system_calls, which take any store"
        )


def cut_power(
    open_store: OpenStore,
    *,
    count: int = 400,
    seed: int = 0,
    sessions: Sessions = SHORT,
    integrity_every: int = _INTEGRITY_EVERY,
) -> Findings:
    """Record a store at work, and open it from images that a power cut can leave.

    Args:
        open_store: Opens the store, which is made of SQLite files by ``apsw``.
        count: How many images to try, >= 1, all different.
        seed: Another seed tries other images.
        sessions: What the store does while it is recorded.
        integrity_every: SQLite's own check is made of each so many-th image, >= 1;
            it takes longer than the rest.

    Returns:
        What was found; ``lost`` in a store that does not wait for the disk.
    """
    operations = recorded_work(open_store, sessions)
    check = partial(workload.problems_on_opening, open_store)
    return try_images(
        operations, check, count=count, seed=seed, integrity_every=integrity_every
    )


def recorded_work(open_store: OpenStore, sessions: Sessions) -> list[Operation]:
    """Let a store work, and give all that it did to its disk.

    Raises:
        NothingRecorded: If it was not seen to write anything.
    """
    with quick_scratch() as directory, recorded_disk(directory) as recorder:
        number = 0
        for sizes in sessions:
            with closing(open_store(directory, Clock())) as store:
                for number, size in enumerate(sizes, number + 1):  # noqa: B020 - it counts on
                    workload.append(store, number, size)
                    recorder.acknowledge(number)
        if not any(isinstance(one, Written) for one in recorder.operations):
            raise NothingRecorded
    return recorder.operations


def try_images(
    operations: Sequence[Operation],
    check: CheckImage,
    *,
    count: int,
    seed: int = 0,
    integrity_every: int = _INTEGRITY_EVERY,
) -> Findings:
    """Check images of any recording, made by ``recorded_disk``.

    Args:
        operations: What was done to the disk, with the acknowledgements.
        check: Opens what is in the directory that it gets, and closes it again.
        count: How many images to try, >= 1, all different.
        seed: Another seed tries other images.
        integrity_every: See ``cut_power``.
    """
    problems: list[Problem] = []
    number = 0
    for number, image in enumerate(images(operations, count=count, seed=seed), 1):
        with quick_scratch() as directory:
            for name, content in image.files.items():
                path = directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            found = list(check(directory, image.acknowledged))
            if number % integrity_every == 0:
                found += _integrity(directory, image)
        where = (
            f"power cut after operation {image.cut} of {len(operations)}, of what was"
            f" unsynced survives {image.survival.value}; seed {seed}"
        )
        problems += [evolve(problem, where=where) for problem in found]
    return Findings({"operations": len(operations), "images": number}, problems)


def _integrity(directory: Path, image: Image) -> list[Problem]:
    """Ask SQLite itself about each of its files."""
    databases = [
        name
        for name, content in image.files.items()
        if content.startswith(_SQLITE_MAGIC)
    ]
    said = {name: _integrity_of(directory / name) for name in databases}
    return [
        Problem("corrupt", f"{name}: {answer[:_ANSWER_SHOWN]}")
        for name, answer in said.items()
        if answer != "ok"
    ]


def _integrity_of(path: Path) -> str:
    try:
        with closing(apsw.Connection(str(path))) as connection:
            return str(connection.pragma("integrity_check"))  # pyright: ignore[reportUnknownMemberType] - apsw's types need Python 3.12
    except apsw.Error as error:
        return str(error)
