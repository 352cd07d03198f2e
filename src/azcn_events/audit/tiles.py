"""A log as a folder of static files, which others' software reads and checks.

The folder holds ``checkpoint``; the tree's hashes in tiles of 256, ``tile/<L>/<N>``;
and the entries in bundles of 256, ``tile/entries/<N>``. What is full never changes, so
a folder is brought up to date by adding to it, and any web server can serve it.

Payloads are not in it: entries hold their digests.

Source:
    C2SP, "Tiled Transparency Logs", https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.files import read_regular, replace_durably
from azcn_events.audit.log import Log
from azcn_events.audit.notes import NOTE_BYTES_MAX, Note, parse_note
from azcn_events.core.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    entry_hash,
    node_hash,
)
from azcn_events.errors import InvalidValue, ProofRefused

if sys.platform != "win32":
    import fcntl

__all__ = [
    "ENTRIES",
    "ENTRY_BYTES_MAX",
    "export_tiles",
    "read_checkpoint",
    "read_tiles",
    "tile_path",
]

ENTRY_BYTES_MAX: Final = 65_535
"""The longest entry that a bundle holds, in bytes: its length is written in 16 bits."""
ENTRIES: Final = "entries"
"""Stands for the level in the path of a bundle."""

_CHECKPOINT: Final = "checkpoint"
_BUNDLE_BYTES_MAX: Final = TILE_WIDTH * (ENTRY_BYTES_MAX + 2)


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Give the path of a tile or bundle inside the folder, with slashes.

    Args:
        level: The tile's level from 0, or ``ENTRIES``.
        index: The tile's place on its level, from 0.
        width: How many hashes or entries it holds, 1 to 256; 256 is full.
    """
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *leading, last = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["tile", str(level), *(f"x{group}" for group in leading), last])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def export_tiles(log: Log, folder: str | os.PathLike[str], note: Note) -> None:
    """Write a log as tiles, or bring a folder of them up to date.

    What is there already is read, and not written again if it is what the log's hashes
    say. The checkpoint comes last: if the export breaks off, the folder shows the log
    as of before.

    Args:
        log: The log.
        folder: Where to; made if it is missing.
        note: The checkpoint to export up to, with its signatures.

    Raises:
        ProofRefused: If the note is no checkpoint of this log, or what the folder
            shows is another log, or this one at a later time; if another export is
            writing it; if stored events do not have the hashes stored beside them.
        InvalidValue: If an entry is longer than ``ENTRY_BYTES_MAX``.
        OSError: If the folder cannot be written.
    """
    folder = Path(folder)
    checkpoint = _checked(log, Checkpoint.parse(note.text))
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if (folder / _CHECKPOINT).exists():
            shown = Checkpoint.parse(read_checkpoint(folder).text)
            _check_continued(log, shown, checkpoint)
        for tile in _tiles_of(checkpoint.size):
            if not _is_there(folder, tile, log):
                _put(folder / tile.path, tile.content(log))
        replace_durably(folder / _CHECKPOINT, bytes(note))
        for tile in _tiles_of(checkpoint.size):
            if tile.width == TILE_WIDTH:
                shutil.rmtree(folder / f"{tile.path}.p", ignore_errors=True)


def read_checkpoint(folder: str | os.PathLike[str]) -> Note:
    """Read the checkpoint of a folder; nothing is verified yet.

    Raises:
        ProofRefused: If there is none, or it is no note.
    """
    return parse_note(_read(Path(folder), _CHECKPOINT, NOTE_BYTES_MAX))


def read_tiles(
    folder: str | os.PathLike[str], checkpoint: Checkpoint
) -> Iterator[bytes]:
    """Read a log's entries from a folder, each verified before it is given.

    The folder is not trusted; the checkpoint is, so open its signatures first. It may
    be older than the folder's own. One tile of each level is in memory at a time.

    Args:
        folder: The folder.
        checkpoint: What the entries must add up to.

    Returns:
        All entries, in the order of the log.

    Raises:
        ProofRefused: As soon as a file is missing or is not what the checkpoint says.
    """
    place = Path(folder)
    edge = [
        (tile, _hashes(place, tile))
        for tile in _edge_of(checkpoint.size)
        if tile.level != ENTRIES
    ]
    if _root_of([hashes for _, hashes in edge]) != checkpoint.root:
        problem = "its right edge does not lead to the checkpoint's root"
        raise ProofRefused("folder of tiles", problem)
    for tile, hashes in edge:  # from left to right, that is, from the highest level
        yield from _below(place, tile, hashes)


@frozen
class _Tile:
    """A tile or a bundle: where it is, and how wide."""

    level: int | str
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, self.width)

    def content(self, log: Log) -> bytes:
        low = self.index * TILE_WIDTH
        if self.level == ENTRIES:
            return _bundle(log, low, low + self.width)
        return log.hashes(int(self.level), low, low + self.width)


def _tiles_of(size: int) -> Iterator[_Tile]:
    """Yield all tiles and bundles of a log, bundles first."""
    levels: list[int | str] = [ENTRIES, *range(_height(size))]
    for level in levels:
        count = size if level == ENTRIES else size // TILE_WIDTH ** int(level)
        for index in range(count // TILE_WIDTH):
            yield _Tile(level, index)
    yield from _edge_of(size)


def _edge_of(size: int) -> Iterator[_Tile]:
    """Yield the partial tiles, from the highest level, and the partial bundle."""
    levels: list[int | str] = [*reversed(range(_height(size))), ENTRIES]
    for level in levels:
        count = size if level == ENTRIES else size // TILE_WIDTH ** int(level)
        if count % TILE_WIDTH:
            yield _Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)


def _height(size: int) -> int:
    """Give the number of levels that have hashes."""
    height = 0
    while size:
        height, size = height + 1, size // TILE_WIDTH
    return height


def _checked(log: Log, checkpoint: Checkpoint) -> Checkpoint:
    try:
        root = log.root(checkpoint.size)
    except InvalidValue as error:
        raise ProofRefused("checkpoint", f"it is not of this log: {error}") from None
    if root != checkpoint.root:
        problem = f"the first {checkpoint.size:,} events of this log have another root"
        raise ProofRefused("checkpoint", problem)
    return checkpoint


def _check_continued(log: Log, old: Checkpoint, new: Checkpoint) -> None:
    what = "folder of tiles"
    if old.origin != new.origin:
        problem = f"it shows the log {old.origin!a}, not {new.origin!a}"
        raise ProofRefused(what, f"{problem}: take another folder")
    if old.size > new.size:
        problem = f"it shows {old.size:,} events already, and the checkpoint is over"
        raise ProofRefused(what, f"{problem} {new.size:,}")
    if log.root(old.size) != old.root:
        raise ProofRefused(what, "what it shows is not a beginning of this log")


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Lock a folder against other exports: an older one might end later.

    The folder itself is locked, as a file for it would be served with the others.
    """
    if sys.platform == "win32":  # pragma: no cover - a folder cannot be opened there
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = "another export is writing it: try again when that is done"
            raise ProofRefused("folder of tiles", problem) from None
        yield
    finally:
        os.close(descriptor)  # and so the lock is free


def _is_there(folder: Path, tile: _Tile, log: Log) -> bool:
    """Say whether a file is there and has what the log would write into it.

    An export that broke off may have left it, of another log even. For a bundle the
    log's hashes say so, and no event is read from the store, which takes longer.
    """
    try:
        data = _read(folder, tile.path, _BUNDLE_BYTES_MAX)
        if tile.level != ENTRIES:
            return data == tile.content(log)
        low = tile.index * TILE_WIDTH
        leaves = log.hashes(0, low, low + tile.width)
        for _ in _unpacked(tile, data, tile.width, leaves):
            pass
    except ProofRefused:
        return False
    return True


def _bundle(log: Log, low: int, high: int) -> bytes:
    leaves = log.hashes(0, low, high)
    parts = list[bytes]()
    for at, entry in enumerate(log.entries(low, high)):
        position = low + at + 1
        if len(entry) > ENTRY_BYTES_MAX:
            problem = f"the entry of position {position} has {len(entry):,} bytes"
            accepted = f"{ENTRY_BYTES_MAX:,} at most: shorten its stream's name"
            raise InvalidValue(entry[:60].decode(errors="replace"), problem, accepted)
        if entry_hash(entry) != leaves[at * HASH_BYTES : (at + 1) * HASH_BYTES]:
            problem = f"the event at position {position} is not what its hash says"
            raise ProofRefused("log", f"{problem}: verify it first")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(path, data)


def _root_of(edge: list[bytes]) -> bytes:
    """Give the root over the partial tiles' hashes, the highest level first."""
    roots = [root for hashes in edge for root in _perfect_roots(hashes)]
    if not roots:
        return EMPTY_ROOT
    root = roots.pop()
    while roots:
        root = node_hash(roots.pop(), root)
    return root


def _perfect_roots(hashes: bytes) -> Iterator[bytes]:
    """Yield the roots of the perfect trees that hashes fall into, the largest first."""
    nodes = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while nodes:
        width = 1 << (len(nodes).bit_length() - 1)
        tree, nodes = nodes[:width], nodes[width:]
        while len(tree) > 1:
            tree = [node_hash(tree[at], tree[at + 1]) for at in range(0, len(tree), 2)]
        yield tree[0]


def _below(folder: Path, tile: _Tile, hashes: bytes) -> Iterator[bytes]:
    """Yield the entries below a tile whose hashes are verified."""
    if tile.level == 0:
        bundle = _Tile(ENTRIES, tile.index, tile.width)
        yield from _entries(folder, bundle, hashes)
        return
    for at in range(tile.width):
        lower = _Tile(int(tile.level) - 1, tile.index * TILE_WIDTH + at)
        found = _hashes(folder, lower)
        (root,) = _perfect_roots(found)
        if root != hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]:
            problem = "its hashes are not those that the checkpoint is over"
            raise ProofRefused(f"tile {lower.path}", problem)
        yield from _below(folder, lower, found)


def _hashes(folder: Path, tile: _Tile) -> bytes:
    found, width = _read_tile(folder, tile, TILE_WIDTH * HASH_BYTES)
    if len(found) != width * HASH_BYTES:
        problem = f"it has {len(found)} bytes, not {width} hashes of {HASH_BYTES}"
        raise ProofRefused(f"tile {tile.path}", problem)
    return found[: tile.width * HASH_BYTES]


def _entries(folder: Path, bundle: _Tile, leaves: bytes) -> Iterator[bytes]:
    data, width = _read_tile(folder, bundle, _BUNDLE_BYTES_MAX)
    yield from _unpacked(bundle, data, width, leaves)


def _unpacked(bundle: _Tile, data: bytes, width: int, leaves: bytes) -> Iterator[bytes]:
    """Yield the entries of a bundle, or of the beginning of a wider one."""
    what, at = f"bundle {bundle.path}", 0
    for number in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise ProofRefused(what, f"it ends within entry {number}")
        entry, at = data[at + 2 : end], end
        if number >= bundle.width:
            continue  # later ones, which the checkpoint is not over
        if entry_hash(entry) != leaves[number * HASH_BYTES : (number + 1) * HASH_BYTES]:
            problem = f"entry {number} is not the one that the checkpoint is over"
            raise ProofRefused(what, problem)
        yield entry
    if at != len(data):
        raise ProofRefused(what, f"more follows after its {width} entries")


def _read_tile(folder: Path, tile: _Tile, bytes_max: int) -> tuple[bytes, int]:
    """Read a tile, or a wider one: what came after its checkpoint may have replaced it.

    Returns:
        Its bytes, and how many hashes or entries there should be.
    """
    for width in range(tile.width, TILE_WIDTH + 1):
        path = tile_path(tile.level, tile.index, width)
        if (folder / path).is_file():
            return _read(folder, path, bytes_max), width
    raise ProofRefused(f"file {tile.path}", "it is missing, and every wider one")


def _read(folder: Path, path: str, bytes_max: int) -> bytes:
    """Read a file; of one that is too long a byte more, which its reader refuses."""
    what = f"file {path}"
    try:
        return read_regular(folder / path, bytes_max)[0]
    except (OSError, ValueError) as error:
        raise ProofRefused(what, f"it cannot be read: {error}") from None
