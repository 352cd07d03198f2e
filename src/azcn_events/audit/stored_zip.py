"""ZIP archives of one form: what is in them is the only thing that can differ.

Files lie one after another, sorted by name, as they are, with one time and one mode;
then comes the directory, and nothing else. So the same files give the same bytes on
any machine, whatever compressor it has. And what is read must be, to the last byte,
what would be written of its contents: then nothing can unfold to more than it is, hide
between files, stand there twice, be a link or encrypted, or look otherwise to another
program. That is why this is not left to ``zipfile``, which reads all of that.

Source:
    PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT) 6.3.10, sections 4.3.7
    (local header), 4.3.12 (central directory), 4.3.16 (end of it).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from io import SEEK_END, BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple, cast
from zlib import crc32

from attrs import define, field

from azcn_events.audit.folders import open_plain
from azcn_events.errors import InvalidValue, ProofRefused

__all__ = ["ARCHIVE_BYTES_MAX", "FILES_MAX", "NAME_BYTES_MAX", "StoredZip", "write_zip"]

FILES_MAX: Final = 0xFFFE
"""The most files: more need other headers (ZIP64)."""
ARCHIVE_BYTES_MAX: Final = 0xFFFF_FFFE
"""The largest archive in bytes, likewise."""
NAME_BYTES_MAX: Final = 200
"""The longest name of a file, in bytes; names are ASCII."""

_VERSION: Final = 20
_MADE_BY_UNIX: Final = 3 << 8 | _VERSION
_TIME: Final = 0
_DATE: Final = 1 << 5 | 1
"""1980-01-01 00:00, the first moment that the format can say."""
_MODE: Final = 0o100_644 << 16

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")


class _Member(NamedTuple):
    name: str
    size: int
    crc: int
    offset: int

    @property
    def content(self) -> int:
        return self.offset + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        return self.content + self.size

    def local(self) -> bytes:
        fields = (_VERSION, 0, 0, _TIME, _DATE, self.crc, self.size, self.size)
        name = self.name.encode("ascii")
        return _LOCAL.pack(b"PK\3\4", *fields, len(name), 0) + name

    def central(self) -> bytes:
        name = self.name.encode("ascii")
        fields = (_MADE_BY_UNIX, _VERSION, 0, 0, _TIME, _DATE)
        sizes = (self.crc, self.size, self.size, len(name), 0, 0, 0, 0)
        return _CENTRAL.pack(b"PK\1\2", *fields, *sizes, _MODE, self.offset) + name


def _end(count: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, count, count, size, offset, 0)


# Writing


def write_zip(target: BinaryIO, files: Mapping[str, Path]) -> None:
    """Write files as an archive.

    Args:
        target: Open in binary, and empty.
        files: By their names in the archive: ASCII, at most ``NAME_BYTES_MAX``.

    Raises:
        InvalidValue: If they are too many, or too large, for the form.
        OSError: If one cannot be read, or the archive not written.
    """
    if len(files) > FILES_MAX:
        accepted = f"at most {FILES_MAX:,}; or write a folder instead"
        raise InvalidValue(f"{len(files):,} files", "too many for a .zip", accepted)
    offset, directory = 0, list[bytes]()
    for name, path in sorted(files.items()):
        size, crc = _measured(path)
        member = _Member(name, size, crc, offset)
        if member.end + _END.size > ARCHIVE_BYTES_MAX:
            accepted = f"at most {ARCHIVE_BYTES_MAX:,} bytes; or write a folder instead"
            raise InvalidValue(name, "the .zip becomes too large", accepted)
        target.write(member.local())
        with open_plain(path) as file:
            target.writelines(_pieces(file))
        directory.append(member.central())
        offset = member.end
    whole = b"".join(directory)
    target.write(whole)
    target.write(_end(len(files), len(whole), offset))


def _measured(path: Path) -> tuple[int, int]:
    size = crc = 0
    with open_plain(path) as file:
        for piece in _pieces(file):
            size, crc = size + len(piece), crc32(piece, crc)
    return size, crc


_CHUNK_BYTES: Final = 1 << 20


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK_BYTES):
        yield piece


# Reading


@define
class StoredZip:
    """An archive, open for reading; it has the one form.

    Use it as a context manager, or call :meth:`close`.
    """

    _file: BinaryIO
    _members: dict[str, _Member] = field(factory=dict[str, _Member])

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StoredZip:
        """Open an archive and read its directory.

        Raises:
            ProofRefused: If it is no archive, or has not the one form.
            OSError: If there is no such file, or it cannot be read.
        """
        file = open_plain(Path(path))
        try:
            return cls(file, {one.name: one for one in _directory(file)})
        except BaseException:
            file.close()
            raise

    def names(self) -> tuple[str, ...]:
        """Give the names of the files, in order; all are different."""
        return tuple(self._members)

    def size(self, name: str) -> int:
        """Give a file's length in bytes."""
        return self._members[name].size

    def file(self, name: str) -> BufferedReader:
        """Open a file for reading.

        Raises:
            ProofRefused: At its end, if its bytes are not those that the directory
                speaks of.
            OSError: If it cannot be read.
        """
        return BufferedReader(_Window(self._file, self._members[name]), 1 << 16)

    def close(self) -> None:
        """Close the archive. Calling it twice is fine."""
        self._file.close()


def _directory(file: BinaryIO) -> Iterable[_Member]:
    """Read the directory, and see that the whole is as it would be written."""
    length = file.seek(0, SEEK_END)
    if length > ARCHIVE_BYTES_MAX:
        raise _refused(f"it has {length:,} bytes; at most {ARCHIVE_BYTES_MAX:,}")
    file.seek(max(length - _END.size, 0))
    end = file.read()
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise _refused("it is no archive, or something follows on it")
    *_, count, size, offset, _comment = _END.unpack(end)
    if end != _end(count, size, offset) or offset + size + _END.size != length:
        raise _refused("its directory is not where it should be")
    if size > FILES_MAX * (_CENTRAL.size + NAME_BYTES_MAX):
        raise _refused(f"its directory has {size:,} bytes")
    file.seek(offset)
    return _members(file, memoryview(file.read(size)), count, offset)


def _members(
    file: BinaryIO, directory: memoryview, count: int, offset: int
) -> list[_Member]:
    found, due, before = list[_Member](), 0, ""
    while directory:
        member = _member(directory, due)
        if member.name <= before:
            raise _refused("its files are not in order, or one is there twice")
        file.seek(member.offset)
        if file.read(member.content - member.offset) != member.local():
            raise _refused(f"{member.name}: its two headers do not agree")
        found.append(member)
        directory, due, before = (
            directory[len(member.central()) :],
            member.end,
            member.name,
        )
    if len(found) != count or due != offset:
        raise _refused("its directory does not say all that is in it")
    return found


def _member(directory: memoryview, due: int) -> _Member:
    """Read the next record of the directory, whose file should begin at *due*."""
    if len(directory) < _CENTRAL.size:
        raise _refused("its directory is cut off")
    fields = _CENTRAL.unpack_from(directory)
    method, crc, size, name_bytes = fields[4], fields[7], fields[9], fields[10]
    name = bytes(directory[_CENTRAL.size : _CENTRAL.size + name_bytes])
    if not 1 <= len(name) <= NAME_BYTES_MAX or not name.isascii():
        raise _refused(f"a file's name is not 1 to {NAME_BYTES_MAX} ASCII characters")
    member = _Member(name.decode("ascii"), size, crc, due)
    if bytes(directory[: _CENTRAL.size + name_bytes]) != member.central():
        problem = (
            "is compressed"
            if method
            else "has flags, times, modes or a place of its own"
        )
        raise _refused(f"{member.name!a} {problem}")
    return member


class _Window(RawIOBase):
    """A part of a file, read as if it were one; its checksum is verified at the end."""

    def __init__(self, file: BinaryIO, member: _Member) -> None:
        super().__init__()
        self._file, self._member = file, member
        self._at, self._crc = member.content, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = memoryview(cast("bytearray", buffer))
        self._file.seek(self._at)
        piece = self._file.read(min(len(room), self._member.end - self._at))
        room[: len(piece)] = piece
        if not piece and self._at < self._member.end:
            raise _refused("it was cut off while it was read")
        self._at, self._crc = self._at + len(piece), crc32(piece, self._crc)
        if self._at == self._member.end and self._crc != self._member.crc:
            raise _refused(f"{self._member.name!a} has not the checksum that is stated")
        return len(piece)


def _refused(problem: str) -> ProofRefused:
    advice = (
        "only archives as 'azcn pack' writes them are read; if you trust another"
        " program to unpack it, verify the folder that it gives"
    )
    return ProofRefused("archive", f"{problem}; {advice}")
