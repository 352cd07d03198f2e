"""Evidence: digests in the log against a folder of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azcn_events import Citation, Ledger, When
from azcn_events.audit.evidence import (
    FoundFile,
    Standing,
    files_in,
    find_evidence,
    is_whole,
    sources,
)
from azcn_events.core.events import Event
from azcn_events.investment import AgreementIdentified
from azcn_events.investment.events import Claim, ConflictNoted, SourceRegistered
from azcn_events.reports.table import Table
from azcn_events.testing import Clock, numbered_ids

DAY = When("2025-04-25")


def digest(data: bytes) -> str:
    """Give a digest as the log writes it."""
    return f"sha256:{sha256(data).hexdigest()}"


def document(name: str, content: bytes, url: str = "", replaces: str = "") -> Event:
    """Register a source with the digest of its document."""
    return SourceRegistered(
        publisher="P",
        title=name,
        url=url,
        digest=digest(content),
        when=DAY,
        cites=Citation(f"source/{name}"),
        replaces=replaces,
        reason="another edition" if replaces else "",
    )


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Give an empty ledger in memory, whose ids count up."""
    clock = Clock()
    with Ledger.open("memory:", clock=clock, new_id=numbered_ids("e")) as opened:
        yield opened


def compared(ledger: Ledger, folder: Path) -> Table:
    """Compare a ledger with a folder."""
    return find_evidence(ledger.view().moment, files_in(folder))


def standings(table: Table) -> list[tuple[object, object, object]]:
    """Give what the rows say: standing, source and file."""
    names = ("standing", "source", "file")
    return [
        (row["standing"], row["source"], row["file"])
        for row in table.records()
        if set(names) <= set(row)
    ]


def test_a_document_is_known_by_its_bytes_whatever_its_name(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A file with the digest is the document, in any folder and under any name."""
    ledger.record("source/gazette", document("gazette", b"the gazette"))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "x.bin").write_bytes(b"the gazette")
    table = compared(ledger, tmp_path)
    assert [("present", "source/gazette", "deep/er/x.bin")] == standings(table)
    assert (1,) == table.rows[0].cells[0].why
    assert is_whole(table)


def test_a_document_that_no_file_has_is_missing(ledger: Ledger, tmp_path: Path) -> None:
    """Without the bytes and without the name, it is missing."""
    ledger.record("source/gazette", document("gazette", b"the gazette"))
    table = compared(ledger, tmp_path)
    assert [("missing", "source/gazette", None)] == standings(table)
    assert not is_whole(table)


@pytest.mark.parametrize(
    "name", ["gazette", "gazette.pdf", "GAZETTE.html", "4035629.html"]
)
def test_a_file_of_the_expected_name_with_other_bytes_is_altered(
    ledger: Ledger, tmp_path: Path, name: str
) -> None:
    """The name is that of the stream, or the last part of the URL's path."""
    url = "https://example.org/business/4035629.html?x=1#y"
    ledger.record("source/gazette", document("gazette", b"the gazette", url))
    (tmp_path / name).write_bytes(b"another gazette")
    table = compared(ledger, tmp_path)
    assert [("altered", "source/gazette", name)] == standings(table)
    assert digest(b"another gazette") in str(table)
    assert not is_whole(table)


def test_a_file_that_is_another_document_is_not_taken_for_altered(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A file called as one document with the bytes of another is that other."""
    ledger.record("source/a", document("a", b"of a"))
    ledger.record("source/b", document("b", b"of b"))
    (tmp_path / "a.txt").write_bytes(b"of b")
    assert [
        ("missing", "source/a", None),
        ("present", "source/b", "a.txt"),
    ] == standings(compared(ledger, tmp_path))


def test_files_that_nothing_cites_are_listed(ledger: Ledger, tmp_path: Path) -> None:
    """What is in the folder and in no record is said, and is no fault."""
    (tmp_path / "b.txt").write_bytes(b"b")
    (tmp_path / "a.txt").write_bytes(b"a")
    table = compared(ledger, tmp_path)
    assert [("uncited", None, "a.txt"), ("uncited", None, "b.txt")] == standings(table)
    assert is_whole(table)


def test_passages_are_looked_for_too_however_deep_they_are_cited(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A citation inside a claim counts like that of the event."""
    own = Citation("source/a", at="page 3", digest=digest(b"passage"))
    others = Citation("source/b", at="page 4", digest=digest(b"claimed"))
    ledger.record(
        "package/p",
        ConflictNoted(
            about="organisers",
            claims=(Claim("one", others), Claim("two", own)),
            when=DAY,
            cites=own,
        ),
    )
    (tmp_path / "x").write_bytes(b"claimed")
    table = compared(ledger, tmp_path)
    assert [
        ("missing", "source/a", None),
        ("present", "source/b", "x"),
    ] == standings(table)
    assert ["passage", "passage"] == [cell.value for cell in table.column("what")]


def test_a_digest_that_was_corrected_is_asked_for_no_more(
    ledger: Ledger, tmp_path: Path
) -> None:
    """The old edition's digest is shown, not in force; its absence is no fault."""
    first = ledger.record("source/a", document("a", b"old")).records[0]
    ledger.record("source/a", document("a", b"new", replaces=first.id))
    (tmp_path / "a").write_bytes(b"new")
    table = compared(ledger, tmp_path)
    new = ("present", "source/a", "a")
    assert [("missing", "source/a", None), new] == standings(table)
    assert [False, True] == [cell.value for cell in table.column("in-force")]
    assert is_whole(table)
    (tmp_path / "b").write_bytes(b"old")
    assert [("present", "source/a", "b"), new] == standings(compared(ledger, tmp_path))


def test_links_are_not_followed(ledger: Ledger, tmp_path: Path) -> None:
    """A link is a row of its own, wherever it leads, and a folder's is not entered."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "secret").write_bytes(b"the gazette")
    (folder / "file").symlink_to(outside / "secret")
    (folder / "more").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    ledger.record("source/gazette", document("gazette", b"the gazette"))
    table = compared(ledger, folder)
    assert [
        ("missing", "source/gazette", None),
        ("unreadable", None, "file"),
        ("unreadable", None, "loop"),
        ("unreadable", None, "more"),
    ] == standings(table)
    assert 3 == str(table.csv()).count("not followed")
    assert not is_whole(table)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in a folder")
def test_a_pipe_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no plain file is a row, and is not opened."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.delattr(os, "open")
    assert [FoundFile("pipe", "", "this is no plain file")] == list(files_in(tmp_path))


def test_what_cannot_be_read_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file or a folder that may not be opened is said, and the rest is read."""
    (tmp_path / "closed").mkdir()
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"content")
    scan, open_ = os.scandir, os.open

    def refuse(path: Path, *rest: int) -> int:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return open_(path, *rest)

    def refuse_folder(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    assert [
        FoundFile("a", "", "Permission denied"),
        FoundFile("b", digest(b"content")),
        FoundFile("closed", "", "Permission denied"),
    ] == list(files_in(tmp_path))


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    """Nothing can be said of a folder that is not there."""
    with pytest.raises(FileNotFoundError):
        list(files_in(tmp_path / "nowhere"))


def test_names_cannot_act(ledger: Ledger, tmp_path: Path) -> None:
    """A file's name is data: no escape in it reaches a terminal."""
    name = "\x1b[31mred\u202e.txt"
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"y")
    table = compared(ledger, tmp_path)
    assert 2 == len(table)
    for written in (str(table), table.json(), table.csv(), table.html()):
        assert "\x1b" not in written
        written.encode()


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    """The digest is that of the whole, however many pieces it takes."""
    data = bytes(range(256)) * 10_000
    (tmp_path / "large").write_bytes(data)
    assert [FoundFile("large", digest(data))] == list(files_in(tmp_path))


def test_an_odd_url_expects_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """A URL that cannot be taken apart gives no name, and no crash."""
    ledger.record("source/a", document("a", b"x", "http://[odd/b.html"))
    assert [("missing", "source/a", None)] == standings(compared(ledger, tmp_path))


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from([b"1", b"2", b"3"])),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([b"1", b"2", b"3"])),
        max_size=6,
    ),
)
def test_every_digest_and_every_file_is_accounted_for(
    registered: dict[str, bytes], held: list[tuple[str, bytes]]
) -> None:
    """Law: each digest has one row, present if and only if a file has the bytes.

    And each file is named by a row, unless it is one more copy of what is cited.
    """
    files = [FoundFile(name, digest(data)) for name, data in dict(held).items()]
    with Ledger.open("memory:", clock=Clock()) as opened:
        for name, data in registered.items():
            opened.record(f"source/{name}", document(name, data))
        table = find_evidence(opened.view().moment, files)
    rows = table.records()
    have = {file.digest for file in files}
    told = {row["source"]: row["standing"] for row in rows if row["what"] == "document"}
    assert set(told) == {f"source/{name}" for name in registered}
    for name, data in registered.items():
        is_there = told[f"source/{name}"] == Standing.PRESENT.value
        assert is_there == (digest(data) in have)
    cited = {digest(data) for data in registered.values()}
    assert {file.name for file in files if file.digest not in cited} == {
        row["file"] for row in rows if row["standing"] in {"uncited", "altered"}
    }


def test_sources_say_what_is_recorded_and_who_cites_them(ledger: Ledger) -> None:
    """A source is listed whether or not anything is recorded of it."""
    ledger.record("source/a", document("a", b"x", "https://example.org/a"))
    for number, source in enumerate(("a", "b", "a")):
        event = AgreementIdentified(
            field="f", when=DAY, cites=Citation(f"source/{source}")
        )
        ledger.record(f"agreement/{number}", event)
    table = sources(ledger.view().moment)
    assert ["source/a", "source/b"] == [row["source"] for row in table.records()]
    assert ["P", None] == [row["publisher"] for row in table.records()]
    assert [2, 1] == [row["cited"] for row in table.records()]
    assert [(2, 4), (3,)] == [cell.why for cell in table.column("cited")]
