"""Every check this project has, by one command.

    .ci/run              all of them, as a stranger would meet the project: in a
                         copy of the tree, with new environments and an empty HOME
    .ci/run lint types   only these, here and now, with the tools in .venv

Only the standard library is needed. Packages come from wherever pip is told to
look; pip's environment variables are passed on.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
COMMAND_S_MAX = 1_500

EXTRAS: dict[str, set[str]] = {
    "crypto": {"cryptography"},
    "testing": {"hypothesis", "pytest"},
}
"""What each extra brings: modules that may only be missing without it."""

ONCE = ("tests/audit/test_every_bit.py", "tests/benchmarks", "tests/zoo")
"""Slow, and the same on every Python: run by the command of the README only, as are
the examples in the pages."""

BY_CHANCE = (
    "tests/testing/concurrency",
    "tests/testing/faults",
    "tests/testing/test_other_processes.py",
    "tests/testing/test_store_laws.py",
)
"""The tests of races and faults: tracing would keep the races from being met."""

JUDGED = "tests/audit/go"
"""What asks Go; elsewhere it is skipped, and says so."""

CORE = "src/azcn_events/core"
"""Where every branch must have run; elsewhere coverage is only shown."""

IMPORT_ALL = """
import importlib, pkgutil, sys
import azcn_events
assert "site-packages" in azcn_events.__file__, azcn_events.__file__
absent_may_be, modules = set(sys.argv[1:]), 0
for module in pkgutil.walk_packages(azcn_events.__path__, "azcn_events."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
        modules += 1
    except ModuleNotFoundError as error:
        if error.name not in absent_may_be:
            raise
        print(f"{module.name} needs {error.name}, which an extra brings")
print(f"{modules} modules imported")
"""


class CheckFailed(Exception):
    """A check found something; its text says what."""


@dataclass(frozen=True)
class Workshop:
    """Where the checks run.

    Attributes:
        tree: The project: a copy of it, or the tree itself.
        python: The interpreter that has the tools.
        scratch: A directory that goes away.
        environ: The environment of every command.
        log: Where everything is printed.
    """

    tree: Path
    python: Path
    scratch: Path
    environ: dict[str, str]
    log: IO[str] = sys.stdout

    def run(self, *command: str | Path, at: Path | None = None) -> None:
        """Run a command in the tree, or elsewhere, and show what it prints."""
        words = [str(word) for word in command]
        print(f"$ {shlex.join(words)}", file=self.log, flush=True)
        process = subprocess.Popen(
            words,
            cwd=at or self.tree,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(COMMAND_S_MAX)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                msg = f"not finished after {COMMAND_S_MAX} s: {shlex.join(words)}"
                raise CheckFailed(msg) from None
            raise
        if code != 0:
            msg = f"exit code {code}: {shlex.join(words)}"
            raise CheckFailed(msg)

    def tools(self, *commands: tuple[str | Path, ...]) -> None:
        """Run modules of the tools' Python in the tree: all, even if one fails."""
        every(*(partial(self.run, self.python, "-m", *words) for words in commands))

    def groups(self, *names: str) -> list[str]:
        """Say to pip: these dependency groups of the project."""
        project = self.tree / "pyproject.toml"
        return [word for name in names for word in ("--group", f"{project}:{name}")]

    def venv(self, name: str, *install: str, base: str | Path = sys.executable) -> Path:
        """Make an environment and install into it; returns its interpreter."""
        home = self.scratch / name
        self.run(base, "-m", "venv", home)
        python = home / "bin" / "python"
        pip = ("-m", "pip", "install", "--quiet")
        self.run(python, *pip, "--upgrade", "pip")
        self.run(python, *pip, *install)
        return python


def readme(shop: Workshop) -> None:
    """The first two commands of README.md, as they stand: try it, and test it."""
    page = (shop.tree / "README.md").read_text("utf-8")
    commands = re.findall(r"^```sh\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)[:2]
    if len(commands) != 2 or any("\n" in command for command in commands):
        msg = f"the first two ```sh blocks are not one line each: {commands}"
        raise CheckFailed(msg)
    for number, command in enumerate(commands):
        clone = shop.scratch / f"readme-{number}"
        copy_tree(shop.tree, clone)
        shop.run("bash", "-c", command, at=clone)


def lint(shop: Workshop) -> None:
    """Ruff: what is likely a mistake, and the layout."""
    shop.tools(
        ("ruff", "check", "--output-format=concise"),
        ("ruff", "format", "--check"),
    )


def types(shop: Workshop) -> None:
    """Both type checkers, strict: each finds mistakes the other misses."""
    shop.tools(("mypy",), ("pyright", "--pythonpath", shop.python))


def layers(shop: Workshop) -> None:
    """Who may import whom."""
    shop.run(shop.python.with_name("lint-imports"))


def docs(shop: Workshop) -> None:
    """Examples are found in README.md and docs: the command of the README runs them."""
    found = ("pytest", "-q", "--collect-only", "--no-header", "--no-summary")
    shop.tools((*found, "README.md"), (*found, "docs"), (*found, "examples"))


def wheel(shop: Workshop) -> None:
    """The wheel alone works anywhere, and with each extra."""
    out = shop.scratch / "dist"
    shop.run(shop.python, "-m", "build", "--outdir", out)
    (built,) = out.glob("*.whl")
    project = tomllib.loads((shop.tree / "pyproject.toml").read_text("utf-8"))
    extras = set(project["project"].get("optional-dependencies", {}))
    if extras != set(EXTRAS):
        msg = f"extras are {sorted(extras)}, but {__file__} knows {sorted(EXTRAS)}"
        raise CheckFailed(msg)
    program = shop.scratch / "import_all.py"
    program.write_text(IMPORT_ALL)
    for extra in ("", *sorted(extras)):
        name, wanted = f"wheel-{extra or 'alone'}", f"[{extra}]" if extra else ""
        python = shop.venv(name, f"{built}{wanted}")
        absent = set[str]().union(*EXTRAS.values()) - EXTRAS.get(extra, set())
        elsewhere = shop.scratch / f"{name}-elsewhere"
        elsewhere.mkdir()
        shop.run(python, "-I", program, *sorted(absent), at=elsewhere)
        shop.run(python, "-m", "pip", "check", at=elsewhere)
        shop.run(python.with_name("azcn"), "demo", at=elsewhere)


def coverage(shop: Workshop) -> None:
    """All tests on other Pythons: measured, and briefly with the oldest packages."""
    found = [python for minor in (12, 13) if (python := interpreter(minor))]
    newest, *_, oldest = [*(found or [Path(sys.executable)])] * 2
    every(partial(measure, shop, newest), partial(try_oldest, shop, oldest))


def judge(shop: Workshop) -> None:
    """Go's own code, out of a wheel, says whether what we sign and prove is right."""
    install = ("--editable", str(shop.tree), *shop.groups("test", "judge"))
    python = shop.venv("judge", *install)
    cache = {"XDG_CACHE_HOME": str(shop.scratch / "judge-cache")}
    asking = replace(shop, environ={**shop.environ, **cache})
    asking.run(python, "-m", "pytest", "-q", JUDGED)


def mutants(shop: Workshop) -> None:
    """A few small faults planted in the core: the tests still notice them."""
    install = ("--editable", str(shop.tree), *shop.groups("mutation"))
    python = shop.venv("mutants", *install)
    shop.run(python, shop.tree / ".ci" / "mutation.py", "--short")


def try_oldest(shop: Workshop, base: Path) -> None:
    """Run the tests with the lower bounds of every package; few examples each."""
    install = ("--editable", str(shop.tree), *lower_bounds(shop.tree))
    python = shop.venv("oldest", *install, *shop.groups("test"), base=base)
    without = [f"--ignore={path}" for path in (*ONCE, "tests/testing", "tests/audit")]
    pytest = partial(short(shop).run, python, "-m", "pytest", "-q")
    # Of the kit only what the measured run leaves out; of the audit nothing, whose
    # extra has no part in the bounds that are tried here.
    every(partial(pytest, "tests", *without), partial(pytest, *BY_CHANCE))


def short(shop: Workshop) -> Workshop:
    """Have properties look at few examples: the command of the README looks at many."""
    return replace(shop, environ={**shop.environ, "HYPOTHESIS_PROFILE": "short"})


def measure(shop: Workshop, base: Path) -> None:
    """Run the tests; show what ran of the whole, and demand all of the core."""
    name = f"coverage-{base.parent.parent.name}"
    install = ("--editable", str(shop.tree), *shop.groups("test"))
    python = shop.venv(name, *install, base=base)
    coverage = (python, "-m", "coverage")
    data = f"--data-file={shop.scratch / name}.data"
    without = [f"--ignore={path}" for path in (*ONCE, *BY_CHANCE)]
    short(shop).run(*coverage, "run", data, "-m", "pytest", "-q", "tests", *without)
    shop.run(*coverage, "report", data)
    core = f"--include={shop.tree / CORE}/*"
    shop.run(*coverage, "report", data, core, "--fail-under=100")


STEPS: dict[str, Callable[[Workshop], None]] = {
    step.__name__: step
    for step in (lint, types, layers, docs, readme, wheel, judge, mutants, coverage)
}


ALONE = ("lint", "types", "layers", "docs")
LANES = (("readme",), ("wheel", "judge", "mutants", "coverage"))
"""All steps: those that come first, one by one, and those that then run at once."""


def every(*checks: Callable[[], None]) -> None:
    """Run all checks, even if one fails; then fail with all that was found."""
    problems = []
    for check in checks:
        try:
            check()
        except CheckFailed as error:
            problems.append(str(error))
    if problems:
        raise CheckFailed("; ".join(problems))


def interpreter(minor: int) -> Path | None:
    """Find a Python 3.*minor* that starts, on the path or among pyenv's."""
    on_path = shutil.which(f"python3.{minor}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    managed = sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python"))
    for python in [*managed, *([Path(on_path)] if on_path else [])]:
        ask = [str(python), "-c", "import ensurepip, sys; print(sys.version_info[1])"]
        answer = subprocess.run(ask, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == str(minor):
            return python
    print(f"(there is no Python 3.{minor} here)")
    return None


def lower_bounds(tree: Path) -> list[str]:
    """The oldest release that each dependency's lower bound admits."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))
    return [need.replace(">=", "==") for need in project["project"]["dependencies"]]


def copy_tree(source: Path, target: Path) -> None:
    """Copy what git tracks or would track, as a repository of its own."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=source, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)


def adopt_orphans() -> None:
    """Have processes that outlive their parents become ours, so that we see them."""
    if sys.platform == "linux":
        set_child_subreaper = 36  # PR_SET_CHILD_SUBREAPER in linux/prctl.h
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def left_running(patience_s: float = 2.0) -> list[str]:
    """End the processes that steps left behind; returns their command lines.

    To be called when no step runs: every child is one that was left.
    """
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    end, lines = time.monotonic() + patience_s, list[str]()
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return lines
        if time.monotonic() > end:
            for pid in own.read_text().split():
                line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                lines.append(b" ".join(line).decode(errors="replace").strip())
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)


Results = dict[str, tuple[str, float]]
"""For each step what went wrong, if anything, and the seconds taken."""


def side_by_side(lanes: Sequence[Sequence[str]], shop: Workshop) -> Results:
    """Run lanes of steps at once; print what each step printed when it has ended.

    Tests run in one process, so that the other core has nothing to do.
    """
    done, printing = Results(), Lock()

    def run(names: Sequence[str]) -> None:
        for name in names:
            path = shop.scratch / f"{name}.log"
            with path.open("w", encoding="utf-8") as log:
                done[name] = attempt(name, replace(shop, log=log))
            with printing:
                print(path.read_text("utf-8", errors="replace"), end="", flush=True)

    threads = [Thread(target=run, args=(names,)) for names in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = (name for names in lanes for name in names if name not in done)
    return done | dict.fromkeys(lost, ("it broke off: see above", 0.0))


def attempt(name: str, shop: Workshop) -> tuple[str, float]:
    """Run one step; returns what went wrong, if anything, and the seconds taken."""
    step = STEPS[name]
    head = (step.__doc__ or "").splitlines()[0]
    print(f"\n=== {name}: {head}", file=shop.log, flush=True)
    began, problem = time.monotonic(), ""
    try:
        step(shop)
    except (CheckFailed, OSError, subprocess.CalledProcessError) as error:
        problem = str(error).replace(f"{shop.scratch}/", "")
    seconds = time.monotonic() - began
    said = f"--- {name}: {problem or 'passed'} ({seconds:.0f} s)"
    print(said, file=shop.log, flush=True)
    return problem, seconds


def workshop(scratch: Path, *, quick: bool) -> Workshop:
    """Prepare the place to work in: this tree as it is, or a stranger's copy."""
    gone = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTEST_ADDOPTS"}
    environ = {name: text for name, text in os.environ.items() if name not in gone}
    own = ROOT / ".venv" / "bin" / "python"
    if quick and own.exists():
        return Workshop(ROOT, own, scratch, environ)
    (scratch / "home").mkdir()
    environ |= {"CI": "true", "HOME": str(scratch / "home")}
    copy_tree(ROOT, scratch / "tree")
    bare = Workshop(scratch / "tree", Path(sys.executable), scratch, environ)
    tools = bare.venv(
        "tools",
        *["--editable", f"{bare.tree}[testing]"],
        *bare.groups("test", "lint", "package"),
    )
    return Workshop(bare.tree, tools, scratch, environ)


def main() -> int:
    """Run the steps asked for; returns the exit code."""
    heads = {name: (step.__doc__ or "").splitlines()[0] for name, step in STEPS.items()}
    parser = argparse.ArgumentParser(
        prog=".ci/run",
        description=__doc__,
        epilog="steps:\n"
        + "\n".join(f"  {name:<10}{head}" for name, head in heads.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help="default: all")
    names = parser.parse_args().steps
    if unknown := set(names) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    adopt_orphans()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="azcn-check-") as scratch:
        try:
            shop = workshop(Path(scratch), quick=bool(names))
        except (CheckFailed, subprocess.CalledProcessError) as error:
            print(f"cannot set up: {error}")
            return 1
        done = {name: attempt(name, shop) for name in names or ALONE}
        if not names:
            done |= side_by_side(LANES, shop)
        if remains := left_running():
            done["the end"] = f"left running: {remains}", 0.0
    print(f"\n=== summary ({time.monotonic() - began:.0f} s)")
    for name, (problem, seconds) in done.items():
        verdict = "FAILED" if problem else "passed"
        print(f"{name:<10}{verdict:<8}{seconds:>6.0f} s  {problem}".rstrip())
    return int(any(problem for problem, _ in done.values()))


if __name__ == "__main__":
    sys.exit(main())
