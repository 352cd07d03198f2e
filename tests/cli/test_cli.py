"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.runner import Run, in_process

from azcn_events.cli.parser import parser
from azcn_events.demo import seed_files

CITED = '{"when": "2025-04-25", "cites": {"source": "source/s"}, '


# --- demo ---------------------------------------------------------------------


def test_demo_tells_what_was_known_then_and_now(run: Run, tmp_path: Path) -> None:
    """The figures of 25 April, what came later, and that the past stays."""
    code, out, err = run("demo")
    assert (0, "") == (code, err)
    assert [] == list(tmp_path.iterdir()), "it leaves nothing behind"
    then, now = out.split("== With everything known ==")
    for words in (
        "13 documents (4 institutional, 9 practical)",
        "2 individually identified, 11 anonymous",
        "USD 335,000,000, wholly unallocated",
        "none of it can be called committed",
        "land-allocated: met, below 3 ha",
        "company-created: promised, no due date, “in the near future”; overdue: no",
        "financial-model-agreed: in progress, not agreed",
        "overdue: nothing",
        "completed: nothing",
    ):
        assert words in then
    assert "2025-04-17" not in then
    assert "financial-model-agreed: met" not in out
    for words in (
        "dated 2025-04-17",
        "13 documents (4 institutional, 9 practical)",
        "3 individually identified, 10 anonymous",
        "one institutional document: AZPROMO (AZ) and",
        "(the sources differ on this)",
        "unconfirmed, changes no total",
        "USD 335,000,000, wholly unallocated",
        "overdue: nothing",
        "completed: nothing",
        "The view of 2025-04-25 is byte for byte what it was before the later news.",
    ):
        assert words in now


def test_demo_of_one_moment(run: Run) -> None:
    """With a moment it tells that one only."""
    code, out, _ = run("demo", "--known-by", "2025-05-02", "--as-of", "2025-04-30")
    assert 0 == code
    assert "dated 2025-04-17" in out
    assert "unconfirmed" not in out
    assert "as of: 2025-04-30; known by: 2025-05-02" in out


# --- init, load, record -------------------------------------------------------


def test_init_makes_a_ledger_once(run: Run, tmp_path: Path) -> None:
    """A second time it is still there."""
    assert (0, "azcn.db is a ledger (empty)\n", "") == run("init")
    assert (tmp_path / "azcn.db").exists()
    run("load", seed_files()[0])
    assert (0, "azcn.db is a ledger (16 records)\n", "") == run("init")


def test_load_says_what_is_new(run: Run) -> None:
    """Loading twice adds nothing."""
    first = seed_files()[0]
    assert (0, f"{first}: 16 facts, 16 new\n", "") == run("load", first)
    assert (0, f"{first}: 16 facts, 0 new\n", "") == run("load", first)


def test_load_lists_every_problem(run: Run, tmp_path: Path) -> None:
    """On standard error, with lines; nothing is stored and the code is 1."""
    (tmp_path / "bad.jsonl").write_text('nonsense\n{"stream": "x"}\n', encoding="utf-8")
    run("init")
    code, out, err = run("load", "bad.jsonl")
    assert (1, "") == (code, out)
    assert err.startswith("azcn: bad.jsonl: 3 problems, nothing was stored\n")
    assert 2 == err.count("line 2, ")
    assert "(empty)" in run("init")[1]


def test_load_tells_what_is_unexpected(run: Run, tmp_path: Path) -> None:
    """It is recorded all the same."""
    lines = [
        '{"stream": "agreement/a", "kind": "agreement-identified", "fact": '
        + CITED
        + '"field": "x"}}',
        '{"stream": "agreement/a", "kind": "land-allocated", "fact": '
        + CITED[:-2]
        + "}}",
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    code, out, _ = run("load", "a.jsonl")
    assert 0 == code
    assert "unexpected: agreement/a version 2: land-allocated is met, but signed" in out


def test_an_id_for_something_else_is_a_refusal(run: Run, tmp_path: Path) -> None:
    """The ledger can still be used: the code is 1, not 3."""
    line = '{"stream": "package/p", "kind": "documents-reported", "id": "one", "fact": '
    for number in (1, 2):
        (tmp_path / "a.jsonl").write_text(f'{line}{CITED}"number": {number}}}}}')
        code, _, err = run("load", "a.jsonl")
    assert 1 == code
    assert "line 1, $.id: event id 'one' is already used" in err
    again = (
        "record",
        "package/p",
        "documents-reported",
        CITED + '"number": 5}',
        "--id",
        "one",
    )
    assert 1 == run(*again)[0]


def test_record_one_fact(seeded: Run) -> None:
    """Fields as JSON or as options; what is unexpected is said."""
    code, out, err = seeded(
        *("record", "agreement/cardboard", "company-created", '{"name": "X"}'),
        *("--when", "2026-01", "--source", "source/registry", "--at", "page 3"),
        *("--id", "mine", "--by", "u17"),
    )
    assert (0, "agreement/cardboard version 6, id mine\n", "") == (code, out, err)
    (shown,) = (
        record
        for record in map(
            json.loads, seeded("log", "agreement/cardboard", "--json")[1].splitlines()
        )
        if record["id"] == "mine"
    )
    assert {"source": "source/registry", "at": "page 3"}.items() <= shown["fact"][
        "cites"
    ].items()
    assert {"by": "u17"} == shown["metadata"]
    code, out, _ = seeded(
        *("record", "agreement/cardboard", "production-started"),
        *("--when", "2026-02", "--source", "source/x"),
    )
    assert 0 == code
    assert "unexpected: agreement/cardboard version 7: producing is met, but" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("agreement/cardboard", "company-crated"), "did you mean 'company-created'"),
        (("agreement/x", "company-created"), "'agreement-identified' must come first"),
        (("agrement/x", "company-created"), "did you mean 'agreement'"),
        (("agreement/cardboard", "company-created", "{"), "JSON object"),
        (("agreement/cardboard", "company-created", "[]"), "no object"),
        (("agreement/cardboard", "company-created", '{"nme": "X"}'), "nme"),
        (("agreement/x", "company-created", '{"name": "X", "name": "Y"}'), "twice"),
        (("agreement/x", "company-created", "[" * 100_000), "JSON object"),
    ],
)
def test_record_refuses(seeded: Run, words: tuple[str, ...], said: str) -> None:
    """With the reason on standard error and code 1; nothing is stored."""
    code, out, err = seeded("record", *words, "--when", "2026", "--source", "source/x")
    assert (1, "") == (code, out)
    assert err.startswith("azcn: ")
    assert said in err
    assert "(27 records)" in seeded("init")[1]


# --- show, log, report --------------------------------------------------------


def test_show_an_agreement(seeded: Run) -> None:
    """Where it stands, and what was said of it."""
    code, out, _ = seeded("show", "agreement/cardboard")
    assert 0 == code
    assert "below 3 ha" in out
    assert "cardboard-land" in out
    tables = json.loads(seeded("show", "agreement/cardboard", "--json")[1])
    assert [1, 4, 5] == [len(table["rows"]) for table in tables]
    assert "date-refined/1" in seeded("show", "package/beijing-2025-04")[1]
    known = seeded("show", "package/beijing-2025-04", "--known-by", "2025-04-25")[1]
    assert "date-refined" not in known


def test_show_and_log_as_of_a_day_leave_out_what_came_later(seeded: Run) -> None:
    """As the context printed above them says."""
    for command in (("show", "package/beijing-2025-04"), ("log",)):
        out = seeded(*command, "--as-of", "2025-04-17")[1]
        assert "2025-04-17" in out
        assert "fields-mentioned" not in out
    lines = seeded("log", "--as-of", "2025-04-17", "--json")[1].splitlines()
    assert "beijing-fields" not in {json.loads(line)["id"] for line in lines}
    assert "beijing-dated" in {json.loads(line)["id"] for line in lines}


def test_log_is_read_back_by_load(seeded: Run, tmp_path: Path) -> None:
    """Every byte of it."""
    code, out, _ = seeded("log", "--json")
    (tmp_path / "copy.jsonl").write_bytes(out.encode())
    assert (0, 27) == (code, len(out.splitlines()))
    assert 0 == seeded("load", "copy.jsonl", "--ledger", "copy.db")[0]
    assert out == seeded("log", "--json", "--ledger", "copy.db")[1]


def test_log_of_one_stream_or_one_moment(seeded: Run) -> None:
    """As a table, as lines, as CSV."""
    assert 6 == len(seeded("log", "agreement/cardboard", "--json")[1].splitlines()) + 1
    assert 16 == len(
        seeded("log", "--known-by", "2025-04-25", "--json")[1].splitlines()
    )
    rows = list(csv.reader(io.StringIO(seeded("log", "--csv")[1])))
    assert 28 == len(rows)
    assert 1 == len({len(row) for row in rows})


REPORTS = ("package", "status", "milestones", "funnel", "pipeline")


@pytest.mark.parametrize("name", REPORTS)
def test_report_in_every_form(seeded: Run, name: str) -> None:
    """Text names its moment; JSON parses; CSV has a column for it."""
    moment = ("--as-of", "2025-04-25", "--known-by", "2025-04-25")
    code, text, err = seeded("report", name, *moment)
    assert (0, "") == (code, err)
    assert "as of: 2025-04-25; known by: 2025-04-25" in text
    plain = json.loads(seeded("report", name, *moment, "--json")[1])
    assert name == plain["name"]
    assert "2025-04-25" == plain["context"]["known by"]
    rows = list(csv.reader(io.StringIO(seeded("report", name, *moment, "--csv")[1])))
    assert 1 + len(plain["rows"]) == len(rows)


def test_report_with_its_own_options(seeded: Run) -> None:
    """A policy, an agreement, an earlier moment."""
    assert (
        "policy: committed" in seeded("report", "pipeline", "--policy", "committed")[1]
    )
    out = seeded("report", "milestones", "--agreement", "agreement/tractors")[1]
    assert "agreement/cardboard" not in out
    code, out, _ = seeded("report", "changes", "--since-known-by", "2025-04-25")
    assert 0 == code
    assert "2025-04-17" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "pipelin"), "did you mean 'pipeline'"),
        (("report", "pipeline", "--policy", "commited"), "did you mean 'committed'"),
        (
            ("report", "status", "--policy", "claims"),
            "parameter of the report 'status'",
        ),
        (("report", "milestones", "--agreement", "agreement/cardbord"), "did you mean"),
        (("report", "changes"), "--since-known-by"),
        (("report", "status", "--as-of", "april"), "2025-04-25"),
        (("report", "status", "--known-by", "2025-04-25T10:00"), "no time zone"),
        (("show", "agreement/cardbord"), "did you mean 'agreement/cardboard'"),
        (("log", "agreement/cardbord"), "did you mean 'agreement/cardboard'"),
        (("load", "nowhere.jsonl"), "nowhere.jsonl"),
        (("report", "status", "--ledger", "redis://x"), "known: sqlite, memory"),
    ],
)
def test_what_cannot_be_answered(
    seeded: Run, words: tuple[str, ...], said: str
) -> None:
    """Code 1, and what could be asked instead, on standard error."""
    code, out, err = seeded(*words)
    assert (1, "") == (code, out)
    assert err.startswith("azcn: ")
    assert said in err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("dance",),
        ("load",),
        ("report",),
        ("report", "status", "--json", "--csv"),
        ("record", "agreement/a"),
        ("show",),
        ("log", "--nonsense"),
    ],
)
def test_a_wrong_command_line_is_code_2(run: Run, words: tuple[str, ...]) -> None:
    """With its usage on standard error."""
    code, out, err = run(*words)
    assert (2, "") == (code, out)
    assert "usage: azcn" in err


@pytest.mark.parametrize(
    "words",
    [
        ("verify", ""),
        ("verify", "--policy", ""),
        ("verify", "--policy="),
        ("verify", "--kept", ""),
        ("evidence", ""),
        ("tiles", "", "--checkpoint", "x"),
        ("pack", "", "--checkpoint", "x", "--key", "x"),
        ("witness", "--key-file", "x", "--state", "x", "--host", ""),
        ("log", ""),
        ("log", "--source", ""),
        ("log", "--when-since", ""),
        ("log", "--when-until", ""),
        ("log", "--recorded-since", ""),
        ("demo", "--known-by", ""),
        ("report", "changes", "--since-known-by", "", "--since-as-of", "2025"),
        ("report", "status", "--agreement", ""),
        ("reproduce", "1", "--content", ""),
    ],
)
def test_an_empty_value_is_refused(
    seeded: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It would mean this folder, every network, no filter: nobody asked for that."""
    before = sorted(tmp_path.iterdir())
    code, out, err = seeded(*words)
    assert (2, "") == (code, out)
    assert "this is empty: fill it in, or leave it out" in err
    assert before == sorted(tmp_path.iterdir())


def test_a_cell_of_a_row_may_be_empty(seeded: Run) -> None:
    """Whoever copies a row from a report copies such a cell too."""
    words = ("explain", "status", "agreement/none", "", "--column", "activity")
    code, _, err = seeded(*words)
    assert 1 == code
    assert "no row" in err


@pytest.mark.parametrize("words", [("show", "a"), ("log",), ("report", "status")])
def test_a_missing_ledger_is_code_3(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """And asking does not make one."""
    code, out, err = run(*words)
    assert (3, "") == (code, out)
    assert "azcn.db (missing)" in err
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_no_ledger_is_code_3(run: Run, tmp_path: Path) -> None:
    """It stays as it was."""
    (tmp_path / "azcn.db").write_bytes(b"my holiday notes, not a database at all")
    for words in (("log",), ("init",), ("load", seed_files()[0])):
        code, out, err = run(*words)
        assert (3, "") == (code, out)
        assert err.startswith("azcn: azcn.db (")
    assert (
        b"my holiday notes, not a database at all"
        == (tmp_path / "azcn.db").read_bytes()
    )


def test_the_ledger_is_named_by_option_or_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option wins."""
    monkeypatch.setenv("AZCN_LEDGER", "here.db")
    assert "here.db is a ledger" in run("init")[1]
    assert "there.db is a ledger" in run("init", "--ledger", "there.db")[1]
    assert {"here.db", "there.db"} <= {path.name for path in tmp_path.iterdir()}


# --- diagram, help ------------------------------------------------------------


def test_diagram(run: Run) -> None:
    """Mermaid, or Graphviz."""
    assert run("diagram")[1].startswith("flowchart LR\n")
    assert run("diagram", "--dot")[1].startswith('digraph "investment" {\n')


COMMANDS = ("demo", "init", "load", "record", "show", "log", "report", "diagram")


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    """And shows how they are used."""
    code, out, _ = run("--help")
    assert 0 == code
    for command in COMMANDS:
        assert f"    {command}" in out
    for number in range(4):
        assert f"\n  {number}  " in out
    assert "examples:\n  azcn demo" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example(run: Run, command: str) -> None:
    """One that begins as it is typed."""
    code, out, _ = run(command, "--help")
    assert 0 == code
    assert f"example: azcn {command}" in out


# --- As processes -------------------------------------------------------------


def test_as_a_process(tmp_path: Path) -> None:
    """Codes, streams and standard input are those of the functions."""
    data = seed_files()[0].read_bytes()
    done = in_process("load", "-", at=tmp_path, input=data)
    assert (0, b"-: 16 facts, 16 new\n", b"") == (
        done.returncode,
        done.stdout.replace(b"\r", b""),
        done.stderr,
    )
    done = in_process("report", "nonsense", at=tmp_path)
    assert (1, b"") == (done.returncode, done.stdout)
    assert 3 == in_process("log", "--ledger", "none.db", at=tmp_path).returncode


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """As in ``azcn log | head``."""
    in_process("load", *seed_files(), at=tmp_path)
    program = "import sys; from azcn_events.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program, "log", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"" == process.stderr.read()
    assert 0 == process.returncode


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_verdict_does_not_hang_on_who_reads_it(
    tmp_path: Path, unbuffered: str
) -> None:
    """``azcn verify | head`` ends with the verdict's exit code."""
    in_process("load", *seed_files(), at=tmp_path)
    with closing(sqlite3.connect(tmp_path / "azcn.db")) as connection, connection:
        connection.execute("DROP TRIGGER event_is_not_changed")
        connection.execute("UPDATE event SET payload = x'7B7D' WHERE position = 3")
    program = "import sys; from azcn_events.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program, "verify"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"" == process.stderr.read()
    assert 1 == process.returncode


CLOSED = "import os; os.close({}); os.execv({!r}, [{!r}, '-m', 'azcn_events', *{!r}])"


def with_closed(
    stream: int, *words: str, at: Path
) -> subprocess.CompletedProcess[bytes]:
    """Run the command without one of its standard streams, as after ``2>&-``."""
    program = CLOSED.format(stream, sys.executable, sys.executable, words)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=at, capture_output=True, check=False)


def test_without_an_output_nothing_is_done(tmp_path: Path) -> None:
    """After ``>&-`` nobody would be told; so nothing is stored either."""
    for words in (("init",), ("--help",), ("nonsense",)):
        done = with_closed(1, *words, at=tmp_path)
        assert (2, b"") == (done.returncode, done.stdout)
        assert done.stderr.startswith(b"azcn: there is no standard output; ")
    assert [] == list(tmp_path.iterdir())


def test_without_a_place_for_complaints_none_is_made(tmp_path: Path) -> None:
    """After ``2>&-`` the output holds what was asked for and nothing else."""
    for words, code in ((("log",), 3), (("nonsense",), 2)):
        done = with_closed(2, *words, at=tmp_path)
        assert (code, b"", b"") == (done.returncode, done.stdout, done.stderr)
    in_process("load", *seed_files(), at=tmp_path)
    publish = ("publish", "status", "--json", "--source", "source/s")
    done = with_closed(2, *publish, at=tmp_path)
    assert (0, "status") == (done.returncode, json.loads(done.stdout)["name"])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_that_cannot_show_everything(tmp_path: Path, encoding: str) -> None:
    """Text is shown as well as it can be; JSON and CSV are UTF-8 and lose nothing."""
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    fact = CITED + '"claim": "\N{CYRILLIC SMALL LETTER YA} 中国"}'
    in_process("init", at=tmp_path)
    in_process("record", "package/p", "progress-claimed", fact, at=tmp_path)
    done = in_process("log", at=tmp_path, env=environ)
    assert (0, b"") == (done.returncode, done.stderr)
    for form in ("--json", "--csv"):
        done = in_process("log", form, at=tmp_path, env=environ)
        assert (0, b"") == (done.returncode, done.stderr)
        assert "中国" in done.stdout.decode("utf-8")


def test_every_argument_of_every_command_is_explained() -> None:
    """Its help says what each is; so nobody has to guess."""
    commands: Any = next(one for one in parser()._actions if one.choices).choices
    assert "verify" in commands
    assert [] == [
        f"{name} {one.dest}"
        for name, command in commands.items()
        for one in command._actions
        if not one.help
    ]
