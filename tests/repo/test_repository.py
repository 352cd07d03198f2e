"""Promises about the repository as a whole: names, imports, pages, paths."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import azcn_events

ROOT = Path(__file__).parents[2]
PUBLIC_NAMES_MAX = 40
HEAVY = {
    "apsw",
    "asyncio",
    "cattrs",
    "hypothesis",
    "jinja2",
    "msgspec",
    "pytest",
    "rich",
    "sqlite3",
}
"""What `import azcn_events` must not load: whoever needs one pays for it then."""

MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:home|root|tmp|Users|work)/\w")
"""A path of the machine that somebody worked on, such as a home directory."""

MODULES = [
    module.name
    for module in pkgutil.walk_packages(azcn_events.__path__, "azcn_events.")
    if not module.name.endswith("__main__")
]


def in_fresh_process(program: str) -> str:
    """Run a program with nothing imported before; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout


def tracked_texts() -> list[tuple[str, str]]:
    """Every text file that git tracks or would track, with its content."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so nothing says which files belong")
    texts = []
    for name in filter(None, listed.stdout.split("\0")):
        try:
            texts.append((name, (ROOT / name).read_text("utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # Not a text, or deleted and not committed yet.
    return texts


def test_public_names_are_exactly_all() -> None:
    """dir() and __all__ say the same, and each name is really there."""
    visible = {name for name in dir(azcn_events) if not name.startswith("_")}
    public = {name for name in azcn_events.__all__ if not name.startswith("_")}
    assert public == visible
    assert all(hasattr(azcn_events, name) for name in azcn_events.__all__)


def test_public_names_are_few_and_listed_once() -> None:
    """The names to learn fit on one page."""
    names = list(azcn_events.__all__)
    assert len(names) == len(set(names))
    assert len(names) <= PUBLIC_NAMES_MAX


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A lazy module answers a wrong name like any other module."""
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(azcn_events, "no_such_name")  # noqa: B009  # as a user's typo would


def test_importing_the_package_loads_nothing_heavy() -> None:
    """No driver, no codec, no test tools, no event loop."""
    loaded = in_fresh_process("import azcn_events, sys; print(*sys.modules)").split()
    assert set() == HEAVY & set(loaded)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name: str) -> None:
    """No module is broken, or only works after another was imported."""
    assert import_module(name).__doc__, "each module says what it is for"


def test_the_first_two_commands_of_the_readme_are_single_lines() -> None:
    """Each can be pasted, and is run by the checks as it stands."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```$",
        (ROOT / "README.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert [1, 1] == [len(block.splitlines()) for block in blocks[:2]]


def test_no_file_mentions_the_machine_it_was_made_on() -> None:
    """Nobody else has those directories."""
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked_texts()
        for match in MACHINE_PATH.finditer(text)
        if name != Path(__file__).relative_to(ROOT).as_posix()
    ]
    assert found == []


def test_no_health_check_is_off_and_no_deadline_without_a_reason() -> None:
    """Hypothesis says what is wrong with a test; whoever hushes it says why."""
    off = "suppress_" + "health_check="
    for name, text in tracked_texts():
        if not name.endswith(".py"):
            continue
        assert off not in text, name
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if "deadline=None" in line:
                above = "\n".join(lines[max(0, number - 9) : number])
                assert "deadline" in above.lower(), f"{name}:{number + 1}"
