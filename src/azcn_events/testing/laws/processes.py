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
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from types import ModuleType
from typing import Any, Final

from attrs import frozen
from hypothesis import Phase, given, settings

from azcn_events.core.projection import Projection
from azcn_events.testing.laws.law import LEGAL_LOGS, Broken, Search, law
from azcn_events.testing.shrinking import shrink
from azcn_events.testing.transcript import Log

__all__ = ["ANSWER_S", "same_in_every_process"]

ANSWER_S: Final = 60.0
"""How long another process may take for one log, in seconds; for the first of them it
imports modules too."""

_SEEDS: Final = ("1", "2", "3")
_MARK: Final = "AZCN_EVENTS_ANOTHER_PROCESS"
"""The variable that other processes, and whatever they begin, are known by."""


def _home(subject: object) -> tuple[str, str] | None:
    """Give the module and the name by which another process can import a value.

    The module that made its step rather than one that has imported it since.
    """
    step = getattr(subject, "step", None)
    first = getattr(step, "__module__", "")
    for name in dict.fromkeys((first, *sys.modules)):
        module = sys.modules.get(name)
        if not isinstance(module, ModuleType) or module.__name__ == "__main__":
            continue  # What was run and not imported would be run again.
        for attribute, value in list(vars(module).items()):
            if value is subject:
                return name, attribute
    return None


def _can_be_asked(subject: object) -> bool:
    """Say whether another process can import a subject, and this is not another.

    A module that checks laws when it is imported does so in each of them as well: they
    would begin more of them without end.
    """
    return _MARK not in os.environ and _home(subject) is not None


@law(applies=_can_be_asked)
def same_in_every_process(projection: Projection[Any], search: Search) -> Broken | None:
    """Every process computes the same value, whatever its hash seed.

    It is asked of projections that another process can import (globals of a module),
    and only of logs and values that can be pickled, for they have to travel.
    """
    one = same_in_every_process
    drawn = [log for log in _drawn(search) if _travels(projection, log)]
    if not drawn:
        return None
    with ExitStack() as stack:
        others = [
            stack.enter_context(_elsewhere(projection, drawn, seed)) for seed in _SEEDS
        ]

        def differs(log: Log) -> bool:
            here = projection.run(log).value
            return any(other.value(log) != here for other in others)

        try:
            found = next(filter(differs, drawn), None)
            if found is None:
                return None
            short = shrink(found, differs, partial(LEGAL_LOGS.admit, search.lifecycle))
            values = [projection.run(short).value, *(o.value(short) for o in others)]
        except _Elsewhere.Failed as failed:
            how = f"another process could not compute it: {failed}"
            return Broken(one.name, one.sentence, how, search.lifecycle)
    unlike = [
        repr(value) for at, value in enumerate(values) if value not in values[:at]
    ]
    how = "processes differ:\n" + "\n".join(f"     {value[:300]}" for value in unlike)
    return Broken(one.name, one.sentence, how, search.lifecycle, short)


def _travels(projection: Projection[Any], log: Log) -> bool:
    """Say whether a log, and what it comes to, can be sent from process to process."""
    try:
        pickle.dumps((log, projection.run(log).value))
    except Exception:  # noqa: BLE001 - pickling raises what it likes; other laws see the rest
        return False
    return True


def _drawn(search: Search) -> list[Log]:
    drawn = list[Log]()

    # No deadline, as in every search for a case: what one log takes says nothing.
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

    class Failed(Exception):
        """It could not compute a value; the text says why."""

    process: subprocess.Popen[bytes]

    def value(self, log: Log) -> Any:  # noqa: ANN401 - the projection's own
        """Give what the log comes to there.

        Raises:
            Failed: If it raised an error there, or there is no answer in time.
        """
        end_s = time.monotonic() + ANSWER_S
        too_late = Timer(ANSWER_S, self.process.kill)  # So that _ask hears its end.
        too_late.start()
        try:
            problem, value = self._ask(log)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            if time.monotonic() < end_s:
                code = self.process.wait()
                raise self.Failed(f"it died (exit code {code})") from error
            raise self.Failed(_NO_ANSWER.format(ANSWER_S)) from error
        finally:
            too_late.cancel()
        if problem:
            raise self.Failed(problem)
        return value

    def _ask(self, log: Log) -> tuple[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 - both are pipes
        assert self.process.stdout is not None  # noqa: S101 - likewise
        pickle.dump(pickle.dumps(log), self.process.stdin)
        self.process.stdin.flush()
        answer: tuple[str, Any] = pickle.load(self.process.stdout)  # noqa: S301 - our own child wrote it
        return answer


_NO_ANSWER: Final = (
    "it gave no answer within {:.0f} s and was ended; does it wait for something when"
    " it is imported, or in a step?"
)


# Logs come as bytes in a pickle, so that they can be taken in before there are modules
# to make them of: what listens hears at once that the process which asks is gone, in
# whatever the rest hangs. And the rest never comes to an end by itself, for Python
# cannot end in good order while a thread waits for its input.
_CHILD: Final = """
import importlib, importlib.util, os, pickle, queue, sys, threading
read, write = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # What is printed on import is no answer.
asked = queue.SimpleQueue()
def listen():
    try:
        while True:
            asked.put(pickle.load(read))
    finally:
        os._exit(0)
def find():
    for name, file in {modules!r}:
        try:
            importlib.import_module(name)
        except ImportError:
            spec = importlib.util.spec_from_file_location(name, file)
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
    return getattr(sys.modules[{module!r}], {name!r})
def tell(error):
    return pickle.dumps((f"{{type(error).__name__}}: {{error}}", None))
threading.Thread(target=listen, daemon=True).start()
try:
    projection, unfound = find(), b""
except BaseException as error:
    unfound = tell(error)
while True:
    log = asked.get()
    try:
        answer = unfound or pickle.dumps(("", projection.run(pickle.loads(log)).value))
    except BaseException as error:
        answer = tell(error)
    write.write(answer)
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
    environ = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": path,
        _MARK: "yes",
    }
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
