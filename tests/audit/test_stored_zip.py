"""Archives of one form: the same files, the same bytes, and no other bytes are read."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azcn_events.audit import stored_zip
from azcn_events.audit.stored_zip import StoredZip, write_zip
from azcn_events.errors import InvalidValue, ProofRefused

FILES = {"a.txt": b"first", "b/c": b"", "b/d.json": b"{}"}
NAMES = st.text("abc/.", min_size=1, max_size=6)


def written(folder: Path, files: Mapping[str, bytes]) -> bytes:
    """Write files as an archive, and give its bytes."""
    paths = {}
    for number, (name, data) in enumerate(files.items()):
        paths[name] = folder / str(number)
        paths[name].write_bytes(data)
    target = BytesIO()
    write_zip(target, paths)
    return target.getvalue()


def read(path: Path) -> dict[str, bytes]:
    """Read all files of an archive."""
    archive = StoredZip.open(path)
    try:
        found = {}
        for name in archive.names():
            with archive.file(name) as file:
                found[name] = file.read()
            assert archive.size(name) == len(found[name])
        return found
    finally:
        archive.close()


@given(files=st.dictionaries(NAMES, st.binary(max_size=100), max_size=5))
def test_what_was_written_is_read(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Law: the files come back, and another program reads the same."""
    folder = tmp_path_factory.mktemp("zip")
    path = folder / "x.zip"
    path.write_bytes(written(folder, files))
    assert files == read(path)
    with zipfile.ZipFile(path) as theirs:
        assert theirs.testzip() is None
        assert files == {name: theirs.read(name) for name in theirs.namelist()}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """In whatever order they are given, and whenever they were written."""
    backwards = dict(reversed(FILES.items()))
    assert written(tmp_path, FILES) == written(tmp_path, backwards)


@pytest.mark.skipif(not shutil.which("unzip"), reason="UNZIP NOT ASKED: not installed")
def test_unzip_takes_it(tmp_path: Path) -> None:
    """The tool that everybody has finds no fault."""
    (tmp_path / "x.zip").write_bytes(written(tmp_path, FILES))
    subprocess.run(["unzip", "-tq", "x.zip"], cwd=tmp_path, check=True)


def test_no_other_byte_is_taken(tmp_path: Path) -> None:
    """Law: change a byte, leave one out or put one in: it is refused."""
    good = written(tmp_path, FILES)
    path = tmp_path / "x.zip"
    taken = list[bytes]()
    for place in range(len(good) + 1):
        before, at, after = good[:place], good[place : place + 1], good[place:]
        changed = before + bytes([*at, 0][:1]).translate(OTHER) + good[place + 1 :]
        for bad in {changed, before + good[place + 1 :], before + b"P" + after} - {
            good
        }:
            path.write_bytes(bad)
            with suppress(ProofRefused):
                read(path)
                taken.append(bad)
    assert [] == taken


OTHER = bytes(byte ^ 1 for byte in range(256))
"""Gives for each byte another."""


def other(make: Callable[[zipfile.ZipFile], None], prefix: bytes = b"") -> bytes:
    """Make an archive with Python's own writer."""
    target = BytesIO(prefix)
    target.seek(len(prefix))
    with zipfile.ZipFile(target, "w") as archive:
        make(archive)
    return target.getvalue()


def compressed(archive: zipfile.ZipFile) -> None:
    """Put in a file that unfolds to a thousand times its size."""
    archive.writestr("bomb", b"\0" * 10_000_000, zipfile.ZIP_DEFLATED)


def twice(archive: zipfile.ZipFile) -> None:
    """Put in two files of one name."""
    archive.writestr(zipfile.ZipInfo("same"), "one")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(zipfile.ZipInfo("same"), "two")


def link(archive: zipfile.ZipFile) -> None:
    """Put in a link out of the folder."""
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120_777 << 16
    archive.writestr(info, "/etc/passwd")


def plain(archive: zipfile.ZipFile) -> None:
    """Put in a file, as Python does."""
    archive.writestr(zipfile.ZipInfo("plain"), "text")


def commented(archive: zipfile.ZipFile) -> None:
    """Add a comment, in which another archive could lie."""
    archive.writestr(zipfile.ZipInfo("plain"), "text")
    archive.comment = b"PK\5\6" + bytes(18)


def outside(archive: zipfile.ZipFile) -> None:
    """Name a file outside of the folder, in letters of another script."""
    archive.writestr(zipfile.ZipInfo("../\u0430"), "text")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (compressed, "'bomb' is compressed"),
        (twice, "flags, times, modes"),
        (link, "flags, times, modes"),
        (plain, "flags, times, modes"),
        (commented, "follows on it|where it should be"),
        (outside, "ASCII"),
    ],
)
def test_other_archives_are_refused(
    make: Callable[[zipfile.ZipFile], None], problem: str, tmp_path: Path
) -> None:
    """What another program wrote is refused, and the message says what to do."""
    path = tmp_path / "x.zip"
    path.write_bytes(other(make))
    with pytest.raises(ProofRefused, match=problem) as refused:
        read(path)
    assert "verify the folder" in str(refused.value)


def test_an_archive_behind_something_is_refused(tmp_path: Path) -> None:
    """A program with an archive at its end is no pack."""
    path = tmp_path / "x.zip"
    path.write_bytes(b"MZ" + written(tmp_path, FILES))
    with pytest.raises(ProofRefused, match="where it should be"):
        read(path)


def test_a_directory_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    """No more is read into memory than the most files can need."""
    size = stored_zip.FILES_MAX * 300
    end = stored_zip._end(1, size, 0)
    with (tmp_path / "x.zip").open("wb") as file:
        file.seek(size)
        file.write(end)
    with pytest.raises(ProofRefused, match="its directory has"):
        read(tmp_path / "x.zip")


def test_too_much_for_the_form_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many files or bytes are not written in another form, but refused."""
    monkeypatch.setattr(stored_zip, "FILES_MAX", 2)
    with pytest.raises(InvalidValue, match="too many"):
        written(tmp_path, FILES)
    monkeypatch.setattr(stored_zip, "ARCHIVE_BYTES_MAX", 100)
    with pytest.raises(InvalidValue, match="too large"):
        written(tmp_path, {"a": b"x" * 90})
    (tmp_path / "x.zip").write_bytes(b"x" * 101)
    with pytest.raises(ProofRefused, match="at most 100"):
        read(tmp_path / "x.zip")


def test_files_must_be_in_order(tmp_path: Path) -> None:
    """The order is part of the form; so no name can be there twice."""
    path = tmp_path / "x.zip"
    first = stored_zip._Member("b", 0, 0, 0)
    for name in ("a", "b"):
        second = stored_zip._Member(name, 0, 0, first.end)
        directory = first.central() + second.central()
        end = stored_zip._end(2, len(directory), second.end)
        path.write_bytes(first.local() + second.local() + directory + end)
        with pytest.raises(ProofRefused, match="not in order"):
            read(path)


def test_an_archive_cut_off_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """What shrinks under the reader is no shorter file."""
    path = tmp_path / "x.zip"
    path.write_bytes(written(tmp_path, {"a": bytes(1 << 20)}))
    archive = StoredZip.open(path)
    with path.open("r+b") as file:
        file.truncate(50)
    with archive.file("a") as member, pytest.raises(ProofRefused, match="cut off"):
        member.read()
    archive.close()
