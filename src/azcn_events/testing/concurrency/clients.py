"""Clients that append and read at once, and what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - what a client asks is a matter of chance
from typing import Final

from attrs import define, field, frozen

from azcn_events.errors import VersionConflict
from azcn_events.stores.protocol import Draft, Store
from azcn_events.testing.concurrency.anomaly import Anomaly
from azcn_events.testing.concurrency.checker import anomalies, failing
from azcn_events.testing.concurrency.crew import (
    JITTER_S,
    LIMIT_S,
    NOTHING_LEFT,
    How,
    check_counts,
    together,
)
from azcn_events.testing.concurrency.history import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    Unknown,
)
from azcn_events.testing.concurrency.pauses import Pauses
from azcn_events.testing.concurrency.window import show_window
from azcn_events.testing.stand_ins import Clock, OpenStore, scratch

__all__ = ["Findings", "Run", "concurrent_anomalies", "run_clients"]

_READS: Final = 1 / 4
"""The share of reads among the operations."""
_BATCH_MAX: Final = 3
_MISTAKES: Final = (0, 0, 0, 0, 0, 0, -1, 1)
"""What is added to the version that a client knows: mostly it asks for the right
one, sometimes for one that is over or has not come yet."""


@frozen
class Run:
    """What clients did to one store.

    Attributes:
        operations: All that they asked, client by client, each in its order.
        final: For each stream the ids that it held when all was over.
    """

    operations: tuple[Operation, ...]
    final: dict[str, tuple[str, ...]]

    @property
    def failure_rate(self) -> float:
        """Give the share of operations that had no answer but an error."""
        failed = sum(isinstance(one.answer, Unknown) for one in self.operations)
        return failed / max(len(self.operations), 1)

    def __str__(self) -> str:
        counts = Counter(type(one.answer).__name__.lower() for one in self.operations)
        told = ", ".join(f"{count:,} {answer}" for answer, count in counts.items())
        clients = len({one.client for one in self.operations})
        return (
            f"{len(self.operations):,} operations of {clients} clients: {told};"
            f" {self.failure_rate:.1%} failed"
        )


def run_clients(
    open_store: OpenStore,
    directory: Path,
    *,
    clients: int = 8,
    operations: int = 1_000,
    streams: int = 4,
    how: How = "processes",
    seed: int = 0,
    jitter_s: float = JITTER_S,
    limit_s: float = LIMIT_S,
) -> Run:
    """Let clients append to the same few streams at once, and read them.

    They do it without regard for each other: each expects the version that it was
    last told of, so that many appends must be refused. Between their operations,
    and inside of appends whenever the store asks its clock, they pause at random.

    Args:
        open_store: Opens the store under test. With processes it is called in each
            of them; a store that lives in one process needs threads.
        directory: Where it is kept; empty before.
        clients: How many are at it at once.
        operations: How many there will be in all, shared out evenly.
        streams: How many streams they use. With fewer more appends are refused, and
            streams grow longer, which reads must carry.
        how: ``"processes"``, or ``"threads"`` that share one store object.
        seed: Decides upon what is asked and upon the pauses; not upon the order in
            which the system lets clients run.
        jitter_s: The longest pause, in seconds.
        limit_s: How long all of it may take, in seconds.

    Raises:
        ClientFailed: If a client cannot open the store, dies, or is not over in
            time. Whatever an operation raises is an answer, and recorded.
        InvalidValue: If there is nobody, nothing or nowhere to do it.
    """
    check_counts(clients=clients, operations=operations, streams=streams)
    names = [f"stream-{number}" for number in range(streams)]
    tasks = [
        partial(
            _be_client,
            number=number,
            streams=names,
            operations=len(range(number, operations, clients)),
            pauses=Pauses(f"{seed} client {number}", jitter_s),
            random_seed=f"{seed} choices {number}",
        )
        for number in range(clients)
    ]
    answers = together(
        open_store,
        directory,
        tasks,
        how=how,
        seed=seed,
        jitter_s=jitter_s,
        limit_s=limit_s,
    )
    with closing(open_store(directory, Clock())) as store:
        final = {name: tuple(row.id for row in store.read(name)) for name in names}
    return Run(tuple(one for answer in answers for one in answer), final)


@frozen
class Findings:
    """What was wrong with a run.

    Attributes:
        run: The run.
        anomalies: What ``anomalies`` and ``failing`` say of it.
    """

    run: Run
    anomalies: tuple[Anomaly, ...]

    def __str__(self) -> str:
        if not self.anomalies:
            return f"{self.run}; no anomaly"
        kinds = Counter(str(anomaly.kind) for anomaly in self.anomalies)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        window = show_window(self.run.operations, self.anomalies[0])
        found = f"{self.run}; anomalies: {counts}; the first:\n\n{window}"
        is_empty = not any(self.run.final.values())
        return f"{found}\n\n{NOTHING_LEFT}" if is_empty else found


def concurrent_anomalies(
    open_store: OpenStore,
    *,
    clients: int = 8,
    operations: int = 1_000,
    how: How = "processes",
    seed: int = 0,
) -> Findings:
    """Run clients on a new store, and check that their answers fit together.

    See ``run_clients`` for the arguments and what it raises.

    Returns:
        What was found; its text shows the first anomaly.
    """
    with scratch() as directory:
        run = run_clients(
            open_store,
            directory,
            clients=clients,
            operations=operations,
            how=how,
            seed=seed,
        )
    found = anomalies(run.operations, run.final) + failing(run.operations)
    return Findings(run, tuple(found))


def _be_client(
    store: Store,
    is_over: Callable[[], bool],
    *,
    number: int,
    streams: list[str],
    operations: int,
    pauses: Pauses,
    random_seed: str,
) -> list[Operation]:
    """Ask for this many things; fewer only if somebody calls it off."""
    client = _Client(number, store, Random(random_seed))  # noqa: S311 - no secrets
    done: list[Operation] = []
    while len(done) < operations and not is_over():
        done.append(client.ask(streams))
        pauses.pause()
    return done


@define
class _Client:
    """Asks a store for things, and remembers the versions that it is told of."""

    number: int
    store: Store
    random: Random
    known: Counter[str] = field(factory=Counter[str])
    events: int = 0

    def ask(self, streams: list[str]) -> Operation:
        """Choose a stream and read it or append to it."""
        stream = self.random.choice(streams)
        if self.random.random() < _READS:
            return self._read(stream)
        return self._append(stream)

    def _read(self, stream: str) -> Read:
        called_ns = time.monotonic_ns()
        answer: Seen | Unknown
        try:
            answer = Seen(tuple(row.id for row in self.store.read(stream)))
            self.known[stream] = len(answer.ids)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            answer = Unknown(_in_words(error))
        return Read(
            client=self.number,
            stream=stream,
            answer=answer,
            called_ns=called_ns,
            returned_ns=_returned_ns(answer),
        )

    def _append(self, stream: str) -> Append:
        ids = tuple(self._new_id() for _ in range(self.random.randint(1, _BATCH_MAX)))
        drafts = [Draft(stream, id_, "asked/1", b"{}") for id_ in ids]
        expected = max(self.known[stream] + self.random.choice(_MISTAKES), 0)
        called_ns = time.monotonic_ns()
        answer: Stored | Refused | Unknown
        try:
            answer = Stored(self.store.append(drafts, {stream: expected})[-1].version)
            self.known[stream] = answer.version
        except VersionConflict as conflict:
            answer = Refused(conflict.actual)
            self.known[stream] = answer.actual
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            answer = Unknown(_in_words(error))
        return Append(
            client=self.number,
            stream=stream,
            expected=expected,
            ids=ids,
            answer=answer,
            called_ns=called_ns,
            returned_ns=_returned_ns(answer),
        )

    def _new_id(self) -> str:
        self.events += 1
        return f"c{self.number}.{self.events}"


def _returned_ns(answer: Stored | Refused | Seen | Unknown) -> int | None:
    return None if isinstance(answer, Unknown) else time.monotonic_ns()


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
