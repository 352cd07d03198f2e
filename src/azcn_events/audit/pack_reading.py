"""Reading a pack that may come from anybody, without unpacking it.

A folder or an archive is the same to a reader: names and bytes. No name leads anywhere:
only those that a pack can have are taken, and nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

from attrs import define, field, frozen

from azcn_events.audit.encoding import text_of
from azcn_events.audit.folders import open_plain, problem_of, walk
from azcn_events.audit.notes import NOTE_BYTES_MAX, VerifierKey, parse_note
from azcn_events.audit.pack import (
    ABOUT,
    CHECKPOINT,
    EVENTS,
    KEYS,
    POLICY,
    Basis,
    describes,
    is_pack_name,
)
from azcn_events.audit.pack_lines import rows_of_lines
from azcn_events.audit.policy import POLICY_BYTES_MAX
from azcn_events.audit.stored_zip import StoredZip
from azcn_events.audit.verdict import Finding
from azcn_events.audit.verify import RawRow
from azcn_events.errors import ProofRefused

__all__ = ["FILES_MAX", "Pack", "read_pack"]

FILES_MAX: Final = 1_000_000
"""The most files that are read of a folder: those of a hundred million events."""
_SMALL_BYTES_MAX: Final = 1_000_000


class _Container(Protocol):
    """Where the files are."""

    def names(self) -> tuple[str, ...]: ...
    def file(self, name: str) -> BinaryIO | BufferedReader: ...
    def close(self) -> None: ...


@define
class Pack:
    """A pack, open for reading; nothing in it is verified yet.

    Use it as a context manager, or call :meth:`close`.

    Attributes:
        name: Its path, as given.
        names: The files that a pack can have, in order.
        findings: What else is there, and should not be.
    """

    name: str
    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    _container: _Container
    _known: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._known = frozenset(self.names)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Calling it twice is fine."""
        self._container.close()

    def file(self, name: str) -> BinaryIO | BufferedReader:
        """Open one of its files for reading.

        Raises:
            ProofRefused: If there is no such file, or it cannot be read.
        """
        if name not in self._known:
            raise ProofRefused("audit pack", f"it has no {name}")
        try:
            return self._container.file(name)
        except OSError as error:
            problem = f"{name} cannot be read: {problem_of(error)}"
            raise ProofRefused("audit pack", problem) from None

    def read(self, name: str, bytes_max: int = _SMALL_BYTES_MAX) -> bytes:
        """Read a file whole.

        Raises:
            ProofRefused: As for :meth:`file`, and if it is longer than this.
        """
        with self.file(name) as file:
            data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise ProofRefused(name, f"it is longer than {bytes_max:,} bytes")
        return data

    def rows(self) -> Iterator[RawRow | Finding]:
        """Yield the events as they stand in it, and a finding for each that is none.

        Raises:
            ProofRefused: As for :meth:`file`.
        """
        with self.file(EVENTS) as file:
            yield from rows_of_lines(file)

    def about(self) -> dict[str, object]:
        """Say what made it: the fields of ``pack.json``.

        Raises:
            ProofRefused: If it is missing, none, or of another form.
        """
        return dict(describes(self.read(ABOUT)))

    def keys(self) -> tuple[VerifierKey, ...]:
        """Give the keys that came with it: the log's, if it is to be believed.

        Raises:
            ProofRefused: If one is none.
        """
        text = text_of(self.read(KEYS), KEYS, _SMALL_BYTES_MAX)
        try:
            return tuple(map(VerifierKey.parse, text.removesuffix("\n").split("\n")))
        except ProofRefused as error:
            raise ProofRefused(KEYS, error.problem) from None

    def basis(self) -> Basis:
        """Give all that it was made of besides the events.

        Raises:
            ProofRefused: If a part is missing, or none.
        """
        has_policy = POLICY in self.names
        said = self.about()
        return Basis(
            parse_note(self.read(CHECKPOINT, NOTE_BYTES_MAX)),
            self.keys(),
            self.read(POLICY, POLICY_BYTES_MAX) if has_policy else b"",
            str(said.get("lifecycle", "")),
            str(said.get("release", "")),
        )


def read_pack(path: str | os.PathLike[str]) -> Pack:
    """Open a pack, a folder or an archive.

    Raises:
        ProofRefused: If it is an archive of another form than ``azcn pack`` writes.
        InvalidValue: If it is a folder of more than ``FILES_MAX`` files.
        OSError: If there is none, or it cannot be read.
    """
    name = os.fspath(path)
    is_folder = Path(path).is_dir()
    container = _Folder.open(Path(path)) if is_folder else StoredZip.open(path)
    names, findings = list[str](), list[Finding]()
    for one in container.names():
        if is_pack_name(one):
            names.append(one)
        else:
            problem = f"{one[:200]!a} is no file of a pack: nobody has verified it"
            findings.append(Finding("file", problem))
    return Pack(name, tuple(names), tuple(findings), container)


@frozen
class _Folder:
    """A folder as a container."""

    _path: Path
    _names: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> _Folder:
        return cls(path, tuple(name for name, _ in walk(path, FILES_MAX)))

    def names(self) -> tuple[str, ...]:
        return self._names

    def file(self, name: str) -> BinaryIO:
        return open_plain(self._path / name)

    def close(self) -> None:
        """Nothing is kept open."""
