"""A disk that loses its power: what may be on it, given what was done to it.

The model, which is on the side of the pessimist:

- What was written to or cut from a file is surely on the disk once the *same* file
  was synced afterwards. Until then any part of it may be there, whatever its order.
- A write is made of sectors of 512 bytes. Each may be there or not. Where the file
  grew, a sector may hold garbage instead: the new size may arrive before the data.
  Bytes beside those that were written stay as they were ("powersafe overwrite").
- A name that was made may be missing, and one that was deleted may be back, until
  the *directory* was synced; syncing the file itself does not help. Changes of one
  name arrive in their order, those of two names in any.

It leaves out disks that lie about syncing, and sectors that rot.

Source:
    SQLite, "Atomic Commit In SQLite", section 2 (hardware assumptions) and section
    9 (what can go wrong), https://sqlite.org/atomiccommit.html; the crash test of
    SQLite, src/test6.c, which writes, drops or garbles each write since the last
    sync; T. S. Pillai et al., "All File Systems Are Not Created Equal" (ALICE), OSDI
    2014, for what directories do; fsync(2) for the file and its name.
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded: it chooses which of the legal images to try
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Final, TypeAlias, assert_never

from attrs import define, field, frozen

__all__ = [
    "SECTOR_BYTES",
    "Acknowledged",
    "Created",
    "Cut",
    "Deleted",
    "DirectorySynced",
    "Disk",
    "Image",
    "Operation",
    "Survival",
    "Synced",
    "Written",
    "images",
]

SECTOR_BYTES: Final = 512

_BARREN_ROUNDS: Final = 20
"""After so many rounds without a new image, chance is taken to have found all."""


@frozen
class Created:
    """A file was made; ``name`` is its path in the directory."""

    name: str


@frozen
class Written:
    """Bytes were written at an offset, and the file grew if need be."""

    name: str
    offset: int
    data: bytes = field(repr=lambda data: f"{len(data)} bytes")


@frozen
class Cut:
    """A file was cut to a size in bytes."""

    name: str
    size: int


@frozen
class Synced:
    """All that was done to a file's content has reached the disk."""

    name: str


@frozen
class Deleted:
    """A file was deleted."""

    name: str


@frozen
class DirectorySynced:
    """All names made and deleted so far have reached the disk."""


@frozen
class Acknowledged:
    """The store said that append ``number`` is stored."""

    number: int


Operation: TypeAlias = (
    Created | Written | Cut | Synced | Deleted | DirectorySynced | Acknowledged
)


class Survival(Enum):
    """How much of what was not synced is on the disk after the cut."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    PREFIX = "prefix"
    """Of each file, what was done first."""
    SUBSET = "subset"
    """Any of it."""
    TORN = "torn"
    """Of each file, what was done first, and parts of the write after that."""


@frozen
class Image:
    """What may be on the disk after a cut.

    Attributes:
        cut: After how many operations.
        survival: How much of what was not synced is there.
        acknowledged: The appends acknowledged before the cut, in order.
        files: Each file's content, by name.
    """

    cut: int
    survival: Survival
    acknowledged: tuple[int, ...]
    files: dict[str, bytes] = field(repr=lambda files: str(sorted(files)))


@define
class _File:
    """What is surely on the disk of a file, and what may be."""

    content: bytearray = field(factory=bytearray)
    pending: list[Written | Cut] = field(factory=list[Written | Cut])

    def settle(self) -> None:
        for change in self.pending:
            _change(self.content, change)
        self.pending.clear()


@define
class Disk:
    """A directory to which operations are done, one after another."""

    # What each name stands for: first on the disk, and last for who asks now.
    _names: dict[str, list[_File | None]] = field(
        factory=dict[str, list[_File | None]], init=False
    )

    def do(self, operation: Operation) -> None:
        """Do the next operation."""
        match operation:
            case Created(name):
                self._names.setdefault(name, [None]).append(_File())
            case Deleted(name):
                self._names[name].append(None)
            case Written(name) | Cut(name):
                self._open(name).pending.append(operation)
            case Synced(name):
                self._open(name).settle()
            case DirectorySynced():
                self._names = {name: said[-1:] for name, said in self._names.items()}
            case Acknowledged():
                pass
            case _:
                assert_never(operation)

    def _open(self, name: str) -> _File:
        """Give the file that was opened last by this name, even if it is deleted."""
        return next(file for file in reversed(self._names[name]) if file is not None)

    def unsynced(self) -> int:
        """Give how many changes of files and names may still be lost."""
        changes = sum(len(said) - 1 for said in self._names.values())
        files = [said[-1] for said in self._names.values()]
        return changes + sum(len(file.pending) for file in files if file is not None)

    def after_cut(self, survival: Survival, chance: random.Random) -> dict[str, bytes]:
        """Give the files of one legal image."""
        files: dict[str, bytes] = {}
        for name, said in self._names.items():
            file = _survivor(said, survival, chance)
            if file is not None:
                content = bytearray(file.content)
                for change in _surviving(file, survival, chance):
                    _change(content, change)
                files[name] = bytes(content)
        return files


def images(
    operations: Sequence[Operation], *, count: int, seed: int = 0
) -> Iterator[Image]:
    """Draw images that differ from each other, over all moments of a recording.

    Every moment is looked at with nothing surviving, then everything, then by
    chance, until there are enough. If ``count`` allows fewer than about one image
    of each kind for every moment, only some moments are looked at, those after an
    acknowledgement always.

    Args:
        operations: What was done, in order.
        count: How many images to give at most, >= 1; fewer if chance finds no more.
        seed: Another seed draws other moments and images.
    """
    moments = _moments(operations, count, seed)
    seen: set[tuple[int, int]] = set()
    number = barren = 0
    while barren < _BARREN_ROUNDS:
        before = len(seen)
        for image in _once_over(operations, moments, number, seed):
            content = hash(frozenset(image.files.items()))
            key = (content, len(image.acknowledged))
            if key not in seen:
                seen.add(key)
                yield image
                if len(seen) == count:
                    return
        number += 1
        barren = barren + 1 if len(seen) == before else 0


def _moments(operations: Sequence[Operation], count: int, seed: int) -> set[int]:
    """Choose the cuts to look at, each a number of operations done before it."""
    cuts = range(len(operations) + 1)
    chance = random.Random(seed)  # noqa: S311 - a choice of examples, not a secret
    some = chance.sample(cuts, min(len(cuts), max(1, count // len(Survival))))
    told = [n for n, one in enumerate(operations, 1) if isinstance(one, Acknowledged)]
    return {*some, *told}


def _once_over(
    operations: Sequence[Operation], moments: set[int], number: int, seed: int
) -> Iterator[Image]:
    """Give one image for each moment; ``number`` counts these rounds from 0."""
    disk = Disk()
    acknowledged: list[int] = []
    for cut in range(len(operations) + 1):
        if cut in moments:
            chance = random.Random(f"{seed}-{number}-{cut}")  # noqa: S311 - as above
            survival = _survival(number, chance)
            files = disk.after_cut(survival, chance)
            yield Image(cut, survival, tuple(acknowledged), files)
        if cut < len(operations):
            operation = operations[cut]
            disk.do(operation)
            if isinstance(operation, Acknowledged):
                acknowledged.append(operation.number)


def _survival(number: int, chance: random.Random) -> Survival:
    first = (Survival.NOTHING, Survival.EVERYTHING)
    by_chance = (Survival.PREFIX, Survival.SUBSET, Survival.TORN)
    return first[number] if number < len(first) else chance.choice(by_chance)


def _survivor(
    said: Sequence[_File | None], survival: Survival, chance: random.Random
) -> _File | None:
    """Give what a name stands for after the cut."""
    match survival:
        case Survival.NOTHING:
            return said[0]
        case Survival.EVERYTHING:
            return said[-1]
        case _:
            return chance.choice(said)


def _surviving(
    file: _File, survival: Survival, chance: random.Random
) -> Iterable[Written | Cut]:
    """Give what of a file's pending changes is on the disk, in order."""
    pending = file.pending
    match survival:
        case Survival.NOTHING:
            return ()
        case Survival.EVERYTHING:
            return pending
        case Survival.PREFIX:
            return pending[: chance.randint(0, len(pending))]
        case Survival.SUBSET:
            return [change for change in pending if chance.random() < 0.5]
        case Survival.TORN:
            whole = chance.randint(0, len(pending))
            parts = [
                part
                for change in pending[whole : whole + 1]
                for part in _sectors(change, len(file.content), chance)
            ]
            return [*pending[:whole], *parts]
        case _:
            assert_never(survival)


def _sectors(
    change: Written | Cut, size: int, chance: random.Random
) -> Iterator[Written]:
    """Give some of a write's sectors, some of those beyond ``size`` as garbage."""
    if isinstance(change, Cut):
        return
    end = change.offset + len(change.data)
    first = change.offset - change.offset % SECTOR_BYTES
    for sector in range(first, end, SECTOR_BYTES):
        begin = max(sector, change.offset)
        data = change.data[
            begin - change.offset : sector + SECTOR_BYTES - change.offset
        ]
        fate = chance.choice(("new", "old", "garbage"))
        if fate == "new":
            yield Written(change.name, begin, data)
        elif fate == "garbage" and begin >= size:
            yield Written(change.name, begin, chance.randbytes(len(data)))


def _change(content: bytearray, change: Written | Cut) -> None:
    match change:
        case Cut(_, size):
            del content[size:]
        case Written(_, offset, data):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data
        case _:
            assert_never(change)
