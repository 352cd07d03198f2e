"""The law that takes other processes: no answer hangs on the order of hashes.

Python hashes texts differently in each process, and sets come in the order of their
hashes. So what was collected through a set can be one thing here and another there,
and nothing inside one process ever sees it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from attrs import frozen
from hypothesis import Phase, given, settings

from azcn_events.core.projection import Projection
from azcn_events.testing.laws.law import LEGAL_LOGS, Broken, Search, law
from azcn_events.testing.shrinking import shrink
from azcn_events.testing.transcript import Log

__all__ = ["same_in_every_process"]

_SEEDS: Final = ("1", "2", "3")


def _home(subject: object) -> tuple[str, str] | None:
    """Give the module and the name by which another process can import a value."""
    for name, module in list(sys.modules.items()):
        if not isinstance(cast("object", module), ModuleType):
            continue
        if module.__name__ == "__main__":  # It would be run again, not imported.
            continue
        for attribute, value in list(vars(module).items()):
            if value is subject:
                return name, attribute
    return None


@law(applies=lambda subject: _home(subject) is not None)
def same_in_every_process(projection: Projection[Any], search: Search) -> Broken | None:
    """Every process computes the same value, whatever its hash seed.

    It is asked of projections that another process can import: globals of a module.
    """
    one = same_in_every_process
    drawn = _drawn(search)
    with ExitStack() as stack:
        others = [
            stack.enter_context(_elsewhere(projection, drawn, seed)) for seed in _SEEDS
        ]

        def differs(log: Log) -> bool:
            here = projection.run(log).value
            return any(other.value(log) != here for other in others)

        found = next(filter(differs, drawn), None)
        if found is None:
            return None
        admit = partial(LEGAL_LOGS.admit, search.lifecycle)
        short = shrink(found, differs, admit)
        values = [projection.run(short).value, *(o.value(short) for o in others)]
    unlike = [
        repr(value) for at, value in enumerate(values) if value not in values[:at]
    ]
    how = "processes differ:\n" + "\n".join(f"     {value[:300]}" for value in unlike)
    return Broken(one.name, one.sentence, how, search.lifecycle, short)


def _drawn(search: Search) -> list[Log]:
    drawn = list[Log]()

    # As in every search for a case: what one log takes says nothing.
    @settings(
        max_examples=search.examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
    )
    @given(LEGAL_LOGS.logs(search.lifecycle))
    def draw(log: Log) -> None:
        drawn.append(log)

    draw()
    return drawn


@frozen
class _Elsewhere:
    """Another process that runs the projection over what it is sent."""

    process: subprocess.Popen[bytes]

    def value(self, log: Log) -> Any:  # noqa: ANN401 - the projection's own, or an error's text
        """Give what the log comes to there."""
        assert self.process.stdin is not None  # noqa: S101 - both are pipes
        assert self.process.stdout is not None  # noqa: S101 - likewise
        pickle.dump(log, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)  # noqa: S301 - our own child wrote it


_CHILD: Final = """
import importlib, importlib.util, os, pickle, sys
read, write = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # What is printed on import is no answer.
for name, file in {modules!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        spec = importlib.util.spec_from_file_location(name, file)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
projection = getattr(sys.modules[{module!r}], {name!r})
while True:
    try:
        log = pickle.load(read)
    except EOFError:
        break
    try:
        value = projection.run(log).value
        packed = pickle.dumps(value)
    except Exception as error:
        packed = pickle.dumps(f"it raised {{type(error).__name__}}: {{error}}")
    write.write(packed)
    write.flush()
"""


@contextmanager
def _elsewhere(
    projection: Projection[Any], logs: list[Log], seed: str
) -> Generator[_Elsewhere]:
    home = _home(projection)
    assert home is not None  # noqa: S101 - the law applies to no others
    classes = {type(record.event).__module__ for log in logs for record in log}
    names = dict.fromkeys([*sorted(classes), home[0]])
    modules = [(name, str(Path(sys.modules[name].__file__ or ""))) for name in names]
    program = _CHILD.format(modules=modules, module=home[0], name=home[1])
    path = os.pathsep.join(filter(None, sys.path))
    environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
    )
    try:
        yield _Elsewhere(process)
    finally:
        process.kill()
        process.communicate()
