"""Folders of tiles: as the specification lays them out, and believed in nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.audit.signing import LOG_KEY, ORIGIN, fill, log_of, note_of

from azcn_events.audit import (
    Checkpoint,
    Log,
    export_tiles,
    open_checkpoint,
    read_checkpoint,
    read_tiles,
    signed,
    tile_path,
)
from azcn_events.audit import tiles as tiles_module
from azcn_events.audit.files import read_regular, replace_durably
from azcn_events.core.merkle import EMPTY_ROOT, entry_hash
from azcn_events.errors import InvalidValue, ProofRefused
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft

SIZES: Final = (0, 1, 2, 255, 256, 257, 511, 512, 600)


def files_of(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder by their path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read_all(folder: Path, checkpoint: Checkpoint) -> None:
    """Read everything that a folder holds."""
    read_checkpoint(folder)
    list(read_tiles(folder, checkpoint))


def link_to_itself(path: Path) -> None:
    """Make a link that leads in a circle."""
    path.symlink_to(path)


def killed_before_the_checkpoint(path: Path, data: bytes) -> None:
    """Write as an export does, until only the checkpoint is missing."""
    if path.name == "checkpoint":
        raise KeyboardInterrupt
    replace_durably(path, data)


def exported(log: Log, folder: Path) -> Checkpoint:
    """Export all of a log; give the checkpoint."""
    export_tiles(log, folder, note_of(log))
    return log.checkpoint(ORIGIN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hundred events, exported."""
    folder = tmp_path_factory.mktemp("tiles") / "log"
    exported(log_of(600), folder)
    return folder


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be damaged."""
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (2, 1234067, 8, "tile/2/x001/x234/067.p/8"),
        (0, 999, 255, "tile/0/999.p/255"),
        (1, 1000, 256, "tile/1/x001/000"),
        ("entries", 5, 1, "tile/entries/005.p/1"),
    ],
)
def test_tiles_are_where_the_specification_wants_them(
    level: int | str, index: int, width: int, path: str
) -> None:
    """Groups of three digits, all but the last with an x."""
    assert path == tile_path(level, index, width)


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (256, {"0": (1, []), "1": (0, [1])}),
        (70_000, {"0": (273, [112]), "1": (1, [17]), "2": (0, [1])}),
    ],
)
def test_there_are_the_tiles_that_the_specification_counts(
    size: int, counts: dict[str, tuple[int, list[int]]], tmp_path: Path
) -> None:
    """Its two examples, and entries as level 0."""
    checkpoint = exported(log_of(size), tmp_path)
    found = {name for name in files_of(tmp_path) if name.startswith("tile/")}
    for level, (full, partial) in {**counts, "entries": counts["0"]}.items():
        of_level = [name for name in found if name.startswith(f"tile/{level}/")]
        assert full == sum(".p/" not in name for name in of_level)
        widths = [int(name.rpartition("/")[2]) for name in of_level if ".p/" in name]
        assert partial == widths
    assert set(counts) | {"entries"} == {name.split("/")[1] for name in found}
    assert size == sum(1 for _ in read_tiles(tmp_path, checkpoint))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_exported_is_read_back(size: int, tmp_path: Path) -> None:
    """All entries, in order; and the checkpoint, with its signature."""
    log = log_of(size)
    checkpoint = exported(log, tmp_path)
    assert list(log.entries(0, size)) == list(read_tiles(tmp_path, checkpoint))
    opened = open_checkpoint(read_checkpoint(tmp_path), [LOG_KEY.verifier], ORIGIN)
    assert checkpoint == opened.checkpoint


@given(
    st.lists(st.integers(0, 300), min_size=2, max_size=4),
    st.lists(st.integers(0, 1200), max_size=3),
)
@example([200, 60, 0, 252], [255, 256])
def test_a_folder_that_grew_is_one_made_at_once(
    steps: list[int], olds: list[int]
) -> None:
    """But for partial tiles of before; and it shows every earlier log as well."""
    from tempfile import TemporaryDirectory

    store = MemoryStore(clock=lambda: 1)
    log = Log(store)
    with TemporaryDirectory() as grown, TemporaryDirectory() as at_once:
        for step in steps:
            fill(store, step)
            exported(log, Path(grown))
        checkpoint = exported(Log(store), Path(at_once))
        ours, theirs = files_of(Path(grown)), files_of(Path(at_once))
        assert theirs == {name: ours[name] for name in theirs}
        assert all(".p/" in name for name in ours.keys() - theirs.keys())
        assert checkpoint.size == sum(1 for _ in read_tiles(grown, checkpoint))
        for old in olds:
            if old <= checkpoint.size:
                entries = read_tiles(grown, log.checkpoint(ORIGIN, old))
                assert list(log.entries(0, old)) == list(entries)


def test_what_is_full_is_not_written_again(tmp_path: Path) -> None:
    """Nor read from the store; partial ones go when the full one is there."""
    store = MemoryStore()
    fill(store, 300)
    log = Log(store)
    exported(log, tmp_path)
    full = [tmp_path / f"tile/{level}/000" for level in ("0", "entries")]
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in full]
    assert (tmp_path / "tile/0/001.p/44").is_file()
    fill(store, 300)
    exported(log, tmp_path)
    assert before == [(path.stat().st_ino, path.stat().st_mtime_ns) for path in full]
    assert not (tmp_path / "tile/0/001.p").exists()
    assert (tmp_path / "tile/0/001").is_file()
    assert {"checkpoint", "tile"} == {path.name for path in tmp_path.iterdir()}


def test_an_export_that_breaks_off_shows_the_log_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one completes it."""
    store = MemoryStore()
    fill(store, 300)
    log = Log(store)
    before = exported(log, tmp_path)
    fill(store, 500)
    left = iter(range(3))

    def breaking(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        replace_durably(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(tiles_module, "replace_durably", breaking)
        with pytest.raises(OSError, match="No space left"):
            exported(log, tmp_path)
    assert before.text() == read_checkpoint(tmp_path).text
    assert 300 == sum(1 for _ in read_tiles(tmp_path, before))
    assert 800 == sum(1 for _ in read_tiles(tmp_path, exported(log, tmp_path)))


def test_what_another_log_left_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its export was killed before the checkpoint, and its files are as many."""
    with monkeypatch.context() as patch:
        patch.setattr(tiles_module, "replace_durably", killed_before_the_checkpoint)
        with pytest.raises(KeyboardInterrupt):
            exported(log_of(600, word="other"), tmp_path)
    log = log_of(600)
    checkpoint = exported(log, tmp_path)
    assert list(log.entries(0, 600)) == list(read_tiles(tmp_path, checkpoint))


def test_what_was_damaged_is_written_again(copy: Path) -> None:
    """Whichever file it is, and whatever is in its place."""
    before, log = files_of(copy), log_of(600)
    others = b"", b"x", before["tile/0/000"], before["tile/entries/001"]
    for name, good in before.items():
        if name == "checkpoint":
            continue
        for data in (*others, good[:-1], good + b"x"):
            (copy / name).write_bytes(data)
            exported(log, copy)
            assert before == files_of(copy), name
        (copy / name).unlink()
        os.mkfifo(copy / name)
        exported(log, copy)
        assert before == files_of(copy), name


def test_a_wider_file_does_not_stand_for_a_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that went further was killed; readers ask for the exact width."""
    log = log_of(310)
    with monkeypatch.context() as patch:
        patch.setattr(tiles_module, "replace_durably", killed_before_the_checkpoint)
        with pytest.raises(KeyboardInterrupt):
            exported(log, tmp_path)
    export_tiles(log, tmp_path, note_of(log, 300))
    for level in ("0", "entries"):
        assert (tmp_path / f"tile/{level}/001.p/44").is_file()


def test_one_export_at_a_time_writes_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older one that ended later would show the log as of before."""
    log = log_of(600)
    refused = list[str]()

    def interrupted(path: Path, data: bytes) -> None:
        with pytest.raises(ProofRefused) as told:
            exported(log, tmp_path)
        refused.append(told.value.problem)
        replace_durably(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(tiles_module, "replace_durably", interrupted)
        export_tiles(log, tmp_path, note_of(log, 500))
    assert {"another export is writing it: try again when that is done"} == set(refused)
    assert 600 == exported(log, tmp_path).size
    assert note_of(log).text == read_checkpoint(tmp_path).text


@given(st.data())
def test_one_flipped_bit_anywhere_is_noticed(folder: Path, data: st.DataObject) -> None:
    """In whatever tile or bundle; and no entry is given that is not the log's."""
    log = log_of(600)
    entries, checkpoint = list(log.entries(0, 600)), log.checkpoint(ORIGIN)
    names = sorted(name for name in files_of(folder) if name != "checkpoint")
    path = folder / data.draw(st.sampled_from(names))
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= 1 << data.draw(st.integers(0, 7))
    given = list[bytes]()
    try:
        path.write_bytes(bytes(bad))
        with pytest.raises(ProofRefused):
            given.extend(read_tiles(folder, checkpoint))
        assert entries[: len(given)] == given
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("change", [-1, 1, -32, 32, -10_000, 3_000_000_000])
def test_a_file_of_another_length_is_refused(change: int, copy: Path) -> None:
    """Shorter, longer, empty; and one that has no end is not read to it."""
    checkpoint = log_of(600).checkpoint(ORIGIN)
    for name, good in files_of(copy).items():
        if name == "checkpoint":
            continue
        path = copy / name
        with path.open("r+b") as file:
            file.truncate(max(len(good) + change, 0))  # sparse: it takes no room
        with pytest.raises(ProofRefused):
            list(read_tiles(copy, checkpoint))
        path.write_bytes(good)


def test_a_bundle_that_ends_too_early_says_where(copy: Path) -> None:
    """Within an entry, or within its length."""
    path = copy / "tile/entries/002.p/88"
    good = path.read_bytes()
    last = 2 + int.from_bytes(good[:2], "big")
    for cut in (1, last - 1):
        path.write_bytes(good[: len(good) - cut])
        with pytest.raises(ProofRefused, match="it ends within entry 87"):
            read_all(copy, log_of(600).checkpoint(ORIGIN))


@pytest.mark.parametrize("name", ["000", "002.p/88"])
def test_an_entry_forged_with_its_leaf_hash_is_refused(name: str, copy: Path) -> None:
    """Bundle and tile agree with each other, and not with the checkpoint."""
    bundle, tile = copy / "tile/entries" / name, copy / "tile/0" / name
    data = bytearray(bundle.read_bytes())
    size = int.from_bytes(data[:2], "big")
    data[10] ^= 1
    bundle.write_bytes(data)
    tile.write_bytes(entry_hash(bytes(data[2 : 2 + size])) + tile.read_bytes()[32:])
    with pytest.raises(ProofRefused, match=r"that the checkpoint is over|right edge"):
        read_all(copy, log_of(600).checkpoint(ORIGIN))


def test_a_file_is_read_no_further_than_it_may_go(tmp_path: Path) -> None:
    """One byte more, so that whoever asked can tell."""
    path = tmp_path / "long"
    path.write_bytes(b"x" * 100)
    assert b"x" * 11 == read_regular(path, 10)[0]
    assert b"x" * 100 == read_regular(path, 100)[0]


def test_a_missing_file_is_named(copy: Path) -> None:
    """Whichever it is."""
    checkpoint = log_of(600).checkpoint(ORIGIN)
    for name, good in files_of(copy).items():
        (copy / name).unlink()
        with pytest.raises(ProofRefused, match=f"file {name}"):
            read_all(copy, checkpoint)
        (copy / name).write_bytes(good)


def test_what_is_no_file_is_not_waited_for(copy: Path) -> None:
    """A pipe in a tile's place, a folder, a link that leads in a circle."""
    checkpoint = log_of(600).checkpoint(ORIGIN)
    for name in ("tile/0/000", "tile/entries/001", "checkpoint"):
        path = copy / name
        good = path.read_bytes()
        makers: list[Callable[[Path], None]] = [os.mkfifo, os.mkdir, link_to_itself]
        for make in makers:
            path.unlink()
            make(path)
            with pytest.raises(ProofRefused):
                read_all(copy, checkpoint)
            path.rmdir() if path.is_dir() else path.unlink()
            path.write_bytes(good)


def test_another_checkpoint_is_refused_before_any_entry(folder: Path) -> None:
    """Other root, other size, more events than there can be."""
    root = log_of(600).root(600)
    for size, other in ((600, EMPTY_ROOT), (599, root), (601, root), (2**63 - 1, root)):
        entries = read_tiles(folder, Checkpoint(ORIGIN, size, other))
        with pytest.raises(ProofRefused):
            next(entries)


def test_entries_are_read_one_tile_at_a_time(folder: Path) -> None:
    """The first is given before later files are looked at."""
    entries: Iterator[bytes] = read_tiles(folder, log_of(600).checkpoint(ORIGIN))
    first = next(entries)
    later = folder / "tile/entries/001"
    good = later.read_bytes()
    later.unlink()
    try:
        assert log_of(600).hashes(0, 0, 1) == entry_hash(first)
        with pytest.raises(ProofRefused, match="entries/001"):
            list(entries)
    finally:
        later.write_bytes(good)


def test_a_folder_shows_one_log(copy: Path) -> None:
    """Another log, another history of it, or an earlier state is not put over it."""
    before = files_of(copy)
    other = log_of(700, word="other")
    with pytest.raises(ProofRefused, match="not a beginning of this log"):
        exported(other, copy)
    log = log_of(600)
    with pytest.raises(ProofRefused, match="600 events already"):
        export_tiles(log, copy, note_of(log, 500))
    named = log.checkpoint("other.example")
    with pytest.raises(ProofRefused, match="it shows the log"):
        export_tiles(log, copy, type(note_of(log))(named.text()))
    assert before == files_of(copy)


def test_only_a_checkpoint_of_the_log_is_exported(tmp_path: Path) -> None:
    """Not one over more than it has, nor with another root."""
    for checkpoint in (
        log_of(9).checkpoint(ORIGIN),
        Checkpoint(ORIGIN, 5, sha256(b"other").digest()),
    ):
        with pytest.raises(ProofRefused, match="checkpoint"):
            export_tiles(log_of(8), tmp_path / "new", signed(checkpoint, [LOG_KEY]))
    assert not (tmp_path / "new").exists()


def test_an_event_that_its_hash_does_not_fit_is_not_exported(tmp_path: Path) -> None:
    """It was changed in the store; readers would refuse it."""
    store = MemoryStore()
    fill(store, 8)
    store._log[4] = store._log[4]._replace(payload=b"{}")
    with pytest.raises(ProofRefused, match="position 5 is not what its hash says"):
        exported(Log(store), tmp_path)
    assert not (tmp_path / "checkpoint").exists()


def test_an_entry_that_no_bundle_can_hold_is_named(tmp_path: Path) -> None:
    """Its length would not fit into sixteen bits."""
    store = MemoryStore()
    stream = "s" * 65_535
    store.append([Draft(stream, "e1", "told/1", b"{}")], {stream: 0})
    with pytest.raises(InvalidValue, match="position 1 has 65,"):
        exported(Log(store), tmp_path)
