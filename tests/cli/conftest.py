"""Commands run in this process, each test in a directory of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.runner import Run

from azcn_events.cli import main
from azcn_events.demo import seed_files


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Give a runner of commands, in a directory of its own: code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AZCN_LEDGER", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: object) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


@pytest.fixture
def seeded(run: Run) -> Run:
    """Give the same, with the seed loaded into ``azcn.db``."""
    assert 0 == run("load", *seed_files())[0]
    return run
