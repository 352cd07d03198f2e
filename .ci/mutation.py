"""Mutation testing: break the core and the domain in small ways; do the tests notice?

    .venv/bin/python .ci/mutation.py            every module; half an hour on two cores
    .venv/bin/python .ci/mutation.py --short    two small ones; about a minute
    .venv/bin/python .ci/mutation.py core/history investment/counting

Mutmut makes the mutants and runs the tests, in a copy of the tree. A mutant that
survives must stand in tests/mutation/survivors.txt, under the reason why that is all
right. Fails if one does not, or if too few are killed.

Needs the dependency group ``mutation``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from check import ROOT, CheckFailed, copy_tree
from mutmut.mutation.diff_apply import get_diff_for_mutant

SHARE_MIN = 0.95
"""Of all mutants, how many the tests must kill."""

SHORT = ("core/projection", "core/units")
"""Small modules that show soon whether all of this still works."""

SURVIVORS = ROOT / "tests" / "mutation" / "survivors.txt"
SOURCE = Path("src", "azcn_events")
WORKERS = 2
RUN_S_MAX = 2 * 60 * 60

# What mutmut keeps of the tests of a mutant: pytest's exit code, or a code of its own.
FAILED = {1, 3}
OUT_OF_TIME = {-24, 24, 36, 152}
PASSED = {0}
WITHOUT_TESTS = {5, 33}


@dataclass(frozen=True)
class Mutant:
    """One change of the source, and what came of it.

    Attributes:
        name: Mutmut's name for it, with a number that changes with the code.
        module: Such as ``core/history``.
        code: What mutmut keeps of its tests; None if they did not run.
    """

    name: str
    module: str
    code: int | None

    @property
    def killed(self) -> bool:
        """Whether a test failed, or ran for much longer than it should."""
        return self.code in FAILED | OUT_OF_TIME

    @property
    def survived(self) -> bool:
        """Whether every test passed, or there was none."""
        return self.code in PASSED | WITHOUT_TESTS

    def change(self) -> str:
        """Give the function, the lines that the mutant takes out and those it puts in.

        To be called in the tree in which mutmut ran.
        """
        path = SOURCE / f"{self.module}.py"
        _, _, *lines = get_diff_for_mutant(self.name, path=path).splitlines()
        edits = [f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-"]
        mangled = self.name.rpartition(".")[2].rpartition("__mutmut_")[0]
        function = mangled.removeprefix("x").strip("ǁ").replace("ǁ", ".")
        return "\n".join([f"{self.module} {function.removeprefix('_')}", *edits])


def run_mutmut(modules: Sequence[str], scratch: Path) -> None:
    """Run mutmut in the current directory; say each minute how far it has come."""
    names = [f"azcn_events.{module.replace('/', '.')}.*" for module in modules]
    mutmut = Path(sys.executable).with_name("mutmut")
    log = scratch / "mutmut.log"
    environ = os.environ | {
        "HYPOTHESIS_PROFILE": "mutation",
        "PYTHONHASHSEED": "0",  # the same tests in the same order each time
        "PYTHONPATH": str(ROOT / ".ci"),  # where the plugin quick_first is
    }
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [mutmut, "run", f"--max-children={WORKERS}", *names],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environ,
            start_new_session=True,
        )
        try:
            while process.poll() is None and time.monotonic() < began + RUN_S_MAX:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                done = [mutant for mutant in read_mutants() if mutant.code is not None]
                print(f"{time.monotonic() - began:5.0f} s: {len(done)} mutants tried")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode != 0:
        tail = log.read_text("utf-8", "replace")[-4_000:]
        msg = f"mutmut ended with {process.returncode}:\n{tail}"
        raise CheckFailed(msg)


def read_mutants(modules: Sequence[str] = ()) -> list[Mutant]:
    """Read what mutmut keeps of some modules, or of all."""
    kept = Path("mutants") / SOURCE
    mutants = list[Mutant]()
    for path in sorted(kept.rglob("*.py.meta")):
        module = path.relative_to(kept).as_posix().removesuffix(".py.meta")
        if not modules or module in modules:
            codes = json.loads(path.read_text())["exit_code_by_key"]
            mutants += [Mutant(name, module, code) for name, code in codes.items()]
    return mutants


def read_survivors(text: str) -> dict[str, str]:
    """Read the list: each change that may survive, and why.

    A reason is lines that begin with ``#``; it holds for the changes below it, up to
    the next. Blank lines part the changes.
    """
    reasons, reason = dict[str, str](), ""
    for block in text.strip().split("\n\n"):
        if block.startswith("#"):
            reason = block
        elif block in reasons:
            msg = f"{SURVIVORS.name} has this twice:\n{block}"
            raise CheckFailed(msg)
        else:
            reasons[block] = reason
    return reasons


def table(mutants: Iterable[Mutant]) -> str:
    """Count the mutants of each module, and of all: one line each."""
    rows = [f"{'module':<24}{'mutants':>8}{'killed':>8}{'survived':>10}{'share':>9}"]
    by_module = dict[str, list[Mutant]]()
    for mutant in mutants:
        by_module.setdefault(mutant.module, []).append(mutant)
        by_module.setdefault("all", []).append(mutant)
    by_module["all"] = by_module.pop("all")  # as the last line
    for module, those in by_module.items():
        killed = sum(mutant.killed for mutant in those)
        survived = sum(mutant.survived for mutant in those)
        share = f"{share_killed(those):.1%}"
        rows.append(f"{module:<24}{len(those):>8}{killed:>8}{survived:>10}{share:>9}")
    return "\n".join(rows)


def share_killed(mutants: Sequence[Mutant]) -> float:
    """Give the share of mutants that the tests killed."""
    return sum(mutant.killed for mutant in mutants) / len(mutants)


def judge(mutants: Sequence[Mutant], listed: dict[str, str]) -> list[str]:
    """Print the figures and what is new; returns what is wrong."""
    survivors = {mutant.change() for mutant in mutants if mutant.survived}
    print(table(mutants))
    modules = {mutant.module for mutant in mutants}
    for change in [*listed]:
        if change.split()[0] in modules and change not in survivors:
            print(f"\nlisted, but not among the survivors any more:\n{change}")
    new = sorted(survivors - listed.keys())
    for change in new:
        print(f"\nsurvived, and is not listed:\n{change}")
    problems = list[str]()
    if new:
        where = SURVIVORS.relative_to(ROOT)
        problems.append(
            f"survivors that are not in {where}: {len(new)}; write the test that"
            " notices each, or list it there with the reason"
        )
    unclear = [m for m in mutants if not m.killed and not m.survived]
    if unclear:
        names = ", ".join(f"{mutant.name} ({mutant.code})" for mutant in unclear)
        problems.append(f"the tests of {len(unclear)} mutants did not end: {names}")
    if share_killed(mutants) < SHARE_MIN:
        problems.append(f"{share_killed(mutants):.1%} killed, not {SHARE_MIN:.0%}")
    return problems


def main() -> int:
    """Try the modules asked for; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="default: all")
    parser.add_argument("--short", action="store_true", help=f"try {', '.join(SHORT)}")
    asked = parser.parse_args()
    modules = [*asked.modules, *(SHORT if asked.short else ())]
    for module in modules:
        if not (ROOT / SOURCE / f"{module}.py").is_file():
            parser.error(f"there is no module {SOURCE}/{module}.py")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="azcn-mutation-") as scratch:
        tree = Path(scratch, "tree")
        copy_tree(ROOT, tree)
        with contextlib.chdir(tree):
            try:
                listed = read_survivors(SURVIVORS.read_text("utf-8"))
                run_mutmut(modules, Path(scratch))
                problems = judge(read_mutants(modules), listed)
            except CheckFailed as error:
                problems = [str(error)]
    verdict = "\n".join(problems) or "passed"
    print(f"\n{verdict} ({time.monotonic() - began:.0f} s)")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
