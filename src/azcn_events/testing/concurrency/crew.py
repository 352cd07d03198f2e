"""Several at work on one store at once, as processes or as threads.

Processes are forked, so that the opener of a store may be any function, also one made
inside a test; it is called in the child, for what was opened before a fork must not be
used after it. On Windows, which cannot fork, and on macOS, whose own libraries do not
survive it, a new interpreter is started, and the opener must be a function of a module
that it can import. However the process that began them ends, they end with it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import (
    AbstractContextManager,
    closing,
    contextmanager,
    suppress,
)
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from pickle import PicklingError
from threading import Lock, Thread
from typing import Any, Final, Literal, TypeAlias, get_args

from attrs import define, field, frozen

from azcn_events.errors import AzcnEventsError, InvalidValue, UnknownName
from azcn_events.stores.protocol import Store
from azcn_events.testing.concurrency.pauses import Pauses
from azcn_events.testing.stand_ins import OpenStore

__all__ = [
    "JITTER_S",
    "LIMIT_S",
    "NOTHING_LEFT",
    "ClientFailed",
    "How",
    "Task",
    "check_counts",
    "together",
]

JITTER_S: Final = 0.000_5
"""The longest pause: long beside an append, short beside a test."""
LIMIT_S: Final = 120.0
"""How long clients may take in all."""

NOTHING_LEFT: Final = (
    "When all was over the store was empty. One that is kept in memory is another in"
    ' each process: it wants how="threads", and an opener that gives the same store'
    " for the same directory."
)
"""What to think of when everything that was stored is lost."""

How: TypeAlias = Literal["processes", "threads"]
"""Each client a process that opens the store itself, or a thread that shares one
store object with the others."""

Task: TypeAlias = Callable[[Store, Callable[[], bool]], Any]
"""What a client does with the store. The second argument says whether to come to an
end; what it returns must be picklable."""

_OVER: Final = "over"
_TOO_LONG: Final = (
    "it was still at it when the time was over: a call hangs, or the limit is too"
    " short for so many operations"
)
_GRACE_S: Final = 1.0
_HEAD_START_NS: Final = 5_000_000
"""From the word to the start, so that all have heard it and begin together."""


@define
class ClientFailed(AzcnEventsError):
    """A client did not do its work, so nothing can be said of the store.

    Attributes:
        client: Its number, from 0.
        problem: What became of it, and what to do.
    """

    client: int
    problem: str

    def __str__(self) -> str:
        return f"client {self.client} was to work on the store, but {self.problem}"


def together(
    open_store: OpenStore,
    directory: Path,
    tasks: Sequence[Task],
    *,
    followers: Sequence[Task] = (),
    how: How,
    seed: int,
    jitter_s: float,
    limit_s: float,
) -> list[Any]:
    """Let clients do their tasks on one store, beginning at the same moment.

    None is at work any more when it returns or raises, except for a thread that
    hangs, which nothing can end.

    Args:
        open_store: Opens the store: in each process, or once for all threads.
        directory: Where the store is kept.
        tasks: One for each client.
        followers: Those of further clients, who are told to come to an end when
            all others have.
        how: As processes or as threads.
        seed: Decides upon the pauses.
        jitter_s: The longest pause inside of an append, in seconds.
        limit_s: How long all of it may take, in seconds.

    Returns:
        What the tasks returned, then what the followers did, in their order.

    Raises:
        ClientFailed: If one raises, dies, or is not over in time.
        UnknownName: If ``how`` is neither.
    """
    if how not in get_args(How):
        raise UnknownName("way to work at once", how, get_args(How))
    every_task = [*tasks, *followers]
    pauses = [
        Pauses(f"{seed} crew {number}", jitter_s) for number in range(len(every_task))
    ]
    members: list[_Member] = []
    openers: list[_Opener]
    begin: Callable[[int, _Opener, Task, float], _Member]
    if how == "processes":
        begin = partial(_begin_process, members)
        openers = [partial(_opened, open_store, directory, one) for one in pauses]
    else:
        begin = _begin_thread
        shared = _Shared(partial(open_store, directory, pauses[0].clock))
        openers = [shared.opened] * len(pauses)
        every_task = list(map(_stumbling, every_task, pauses))
    end_s = time.monotonic() + limit_s
    try:
        for work in zip(openers, every_task, strict=True):
            members.append(begin(len(members), *work, end_s))
        _hear(members, end_s)  # That they have opened the store.
        _say(members, time.monotonic_ns() + _HEAD_START_NS)
        answers = _hear(members[: len(tasks)], end_s)
        _say(members[len(tasks) :], _OVER)
        return answers + _hear(members[len(tasks) :], end_s)
    finally:
        _end(members)


def check_counts(**counts: int) -> None:
    """Refuse a run in which nobody would do anything.

    Raises:
        InvalidValue: If a count is below 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise InvalidValue(str(count), f"there would be no {name}", "1 and more")


def _opened(open_store: OpenStore, directory: Path, pauses: Pauses) -> closing[Store]:
    return closing(open_store(directory, pauses.clock))


@define
class _Shared:
    """One store for all threads: the first opens it, and the last closes it.

    If one hangs it stays open: to close it might wait for what that thread holds.
    """

    _open: Callable[[], Store]
    _lock: Lock = field(factory=Lock, init=False)
    _stores: list[Store] = field(factory=list[Store], init=False)
    _users: int = field(default=0, init=False)

    @contextmanager
    def opened(self) -> Generator[Store]:
        with self._lock:
            if not self._users:
                self._stores.append(self._open())
            self._users += 1
        try:
            yield self._stores[-1]
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._stores[-1].close()


def _stumbling(task: Task, pauses: Pauses) -> Task:
    """Make a task during which its thread pauses between lines of code."""

    def stumble(store: Store, is_over: Callable[[], bool]) -> object:
        sys.settrace(pauses.trace)  # Of this thread, which does nothing else.
        return task(store, is_over)

    return stumble


@define
class _Member:
    """A client at work, as seen from outside.

    Attributes:
        number: The client's, from 0.
        worker: What does its work.
        line: Where it hears when to start, and says what came of it.
    """

    number: int
    worker: BaseProcess | Thread
    line: Connection


_Opener: TypeAlias = Callable[[], AbstractContextManager[Store]]


def _begin_process(
    earlier: Sequence[_Member], number: int, opener: _Opener, task: Task, end_s: float
) -> _Member:
    here, there = multiprocessing.Pipe()
    context = _context()
    ends = [here, *(one.line for one in earlier)]
    inherited = ends if isinstance(context, ForkContext) else []
    worker = context.Process(
        target=_work_as_process,
        args=(inherited, there, opener, task, end_s),
        daemon=True,
    )
    try:
        with _forking_beside_threads():
            worker.start()
    except (PicklingError, AttributeError, TypeError) as error:
        here.close()
        raise ClientFailed(number, f"{_NOT_SENT}: {error}") from error
    finally:
        there.close()  # Or nobody would notice when the process dies.
    return _Member(number, worker, here)


_NOT_SENT: Final = (
    "it could not be sent to a new process; where none are forked (Windows, macOS), the"
    " opener must be a function of a module that can be imported"
)


def _context() -> ForkContext | SpawnContext:
    methods = multiprocessing.get_all_start_methods()
    if "fork" in methods and sys.platform != "darwin":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


@contextmanager
def _forking_beside_threads() -> Generator[None]:
    """Pass over the warning of Python 3.12 and later that a child may hang.

    It can, if another thread holds a lock at this moment that the child wants: a
    runner of tests has threads. Then the client is not over in time, and is ended.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", ".*multi-threaded, use of fork", DeprecationWarning
        )
        yield


def _work_as_process(
    inherited: Sequence[Connection],
    line: Connection,
    opener: _Opener,
    task: Task,
    end_s: float,
) -> None:
    """Be a client, for as long as there is somebody to hear what came of it."""
    for end in inherited:
        end.close()  # Or no line is at its end before the last client is.
    Thread(target=_end_with_parent, daemon=True).start()
    _work(line, opener, task, end_s)


def _end_with_parent() -> None:
    """End this process when the one that began it is gone, even if it was killed.

    A store that hangs would otherwise keep it for ever: it looks at nothing else.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - no client is the first process
    parent.join()
    os._exit(1)


def _begin_thread(number: int, opener: _Opener, task: Task, end_s: float) -> _Member:
    here, there = multiprocessing.Pipe()
    worker = Thread(target=_work, args=(there, opener, task, end_s), daemon=True)
    worker.start()
    return _Member(number, worker, here)


def _work(line: Connection, opener: _Opener, task: Task, end_s: float) -> None:
    """Be a client: open the store, wait for the start, do the task, tell the answer."""

    def is_over() -> bool:
        if time.monotonic() > end_s:
            raise TimeoutError(_TOO_LONG)
        return line.poll()

    with suppress(OSError), line:  # Perhaps nobody listens any more.
        try:
            with opener() as store:
                line.send(_Answer(None))
                if not line.poll(_remaining_s(end_s)):
                    return
                start_ns = line.recv()
                time.sleep(max(start_ns - time.monotonic_ns(), 0) / 1e9)
                answer = task(store, is_over)
            line.send(_Answer(answer))
        except BaseException:  # noqa: BLE001 - it is told, and raised over there
            line.send(_Failure(traceback.format_exc()))


@frozen
class _Answer:
    value: Any


@frozen
class _Failure:
    traceback: str


def _say(members: Iterable[_Member], word: object) -> None:
    for member in members:
        with suppress(BrokenPipeError):  # It has died; _hear will say so.
            member.line.send(word)


def _hear(members: Sequence[_Member], end_s: float) -> list[Any]:
    """Wait for the next word of each, and give them in order."""
    heard = dict[int, Any]()
    while silent := [one for one in members if one.number not in heard]:
        ready = wait([one.line for one in silent], _remaining_s(end_s))
        if not ready:
            raise ClientFailed(silent[0].number, _TOO_LONG)
        heard.update({m.number: _word_of(m) for m in silent if m.line in ready})
    return [heard[member.number] for member in members]


def _remaining_s(end_s: float) -> float:
    return max(end_s - time.monotonic(), 0)


def _word_of(member: _Member) -> object:
    """Take what a client says, and raise if it has failed."""
    try:
        word = member.line.recv()
    except (EOFError, ConnectionResetError):
        member.worker.join(_GRACE_S)
        code = getattr(member.worker, "exitcode", None)
        problem = f"it died (exit code {code}); did the store end the process?"
        raise ClientFailed(member.number, problem) from None
    match word:
        case _Failure(text):
            raise ClientFailed(member.number, f"it raised an error:\n{text}")
        case _:
            return word.value


def _end(members: Sequence[_Member]) -> None:
    """Let those go who are over, and end the others that can be ended."""
    for member in members:
        member.line.close()  # To those at work it means: come to an end.
    end_s = time.monotonic() + _GRACE_S
    for member in members:
        member.worker.join(_remaining_s(end_s))
        if isinstance(member.worker, BaseProcess):
            member.worker.kill()
            member.worker.join()
            member.worker.close()
