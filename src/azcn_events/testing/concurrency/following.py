"""A reader that follows the log by position while others append to it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random  # noqa: TID251 - how much is appended is a matter of chance
from typing import Final, NamedTuple

from attrs import define, field, frozen

from azcn_events.errors import VersionConflict
from azcn_events.stores.protocol import Draft, Row, Store
from azcn_events.testing.concurrency.anomaly import Anomaly, Kind
from azcn_events.testing.concurrency.checker import FAILURE_RATE_MAX
from azcn_events.testing.concurrency.crew import (
    JITTER_S,
    LIMIT_S,
    NOTHING_LEFT,
    How,
    check_counts,
    together,
)
from azcn_events.testing.concurrency.pauses import Pauses
from azcn_events.testing.stand_ins import Clock, OpenStore, scratch

__all__ = ["Followed", "Place", "follow", "tail_anomalies"]

_BATCH_MAX: Final = 3
_SHOWN: Final = 4


_WORDS: Final = {
    Kind.GAP: "stored at positions that are not 1, 2, 3 and so on",
    Kind.LOST: "acknowledged, and not in the log",
    Kind.SKIPPED: "in the log, and never given to the follower",
    Kind.FOREIGN: "given to the follower, and not in the log",
    Kind.DOUBLED: "given to the follower more than once",
    Kind.OUT_OF_ORDER: "given to the follower after a later position",
}


class Place(NamedTuple):
    """An event's position in the log, from 1, and its id."""

    position: int
    id: str

    def __str__(self) -> str:
        return f"{self.id} at {self.position}"


@frozen
class Followed:
    """What a follower got, beside what there was to get.

    Attributes:
        told: What the writers were told that is stored, writer by writer.
        seen: What the follower got, in the order in which it got it.
        log: What the log held when all was over, in its order.
        failures: The errors of appends that had no other answer.
    """

    told: tuple[Place, ...]
    seen: tuple[Place, ...]
    log: tuple[Place, ...]
    failures: tuple[str, ...]

    @property
    def anomalies(self) -> list[Anomaly]:
        """Say what is wrong with the log, and with what the follower got of it."""
        log, seen = set(self.log), Counter(self.seen)
        at_fault = {
            Kind.GAP: [one for n, one in enumerate(self.log, 1) if one.position != n],
            Kind.LOST: [one for one in self.told if one not in log],
            Kind.SKIPPED: [one for one in self.log if one not in seen],
            Kind.FOREIGN: [one for one in seen if one not in log],
            Kind.DOUBLED: [one for one, times in seen.items() if times > 1],
            Kind.OUT_OF_ORDER: [
                one
                for before, one in pairwise(self.seen)
                if one.position < before.position
            ],
        }
        found = [
            Anomaly(kind, "", f"{_few(places)}: {_WORDS[kind]}")
            for kind, places in at_fault.items()
            if places
        ]
        asked = len(self.failures) + len(self.told)
        if len(self.failures) > FAILURE_RATE_MAX * asked:
            words = f"{len(self.failures):,} appends failed: {self.failures[0]}"
            found.append(Anomaly(Kind.FAILING, "", words))
        return found

    def __str__(self) -> str:
        found = [str(anomaly) for anomaly in self.anomalies] or ["no anomaly"]
        met = f"{len(self.log):,} events stored, {len(self.seen):,} followed"
        hint = [] if self.log or not self.told else [NOTHING_LEFT]
        return "\n".join([met, *found, *hint])


def follow(
    open_store: OpenStore,
    directory: Path,
    *,
    writers: int = 4,
    appends: int = 100,
    how: How = "processes",
    seed: int = 0,
    jitter_s: float = JITTER_S,
    limit_s: float = LIMIT_S,
) -> Followed:
    """Follow the log by position while writers append to it.

    The follower does what every live projection does: it asks again and again for
    what comes after the last position that it got. It must get every event once, in
    order, also where an event with a lower position is committed later.

    Args:
        open_store: Opens the store under test; see ``run_clients``.
        directory: Where it is kept; empty before.
        writers: How many append at once, each to a stream of its own.
        appends: How many times each of them does, 1 to 3 events at a time.
        how: ``"processes"``, or ``"threads"`` that share one store object.
        seed: Decides upon sizes and pauses.
        jitter_s: The longest pause, in seconds.
        limit_s: How long all of it may take, in seconds.

    Raises:
        ClientFailed: If a writer or the follower (whose number comes after those of
            the writers) cannot open the store, dies, or is not over in time, or if
            the follower cannot read.
        InvalidValue: If there is nobody or nothing to do.
    """
    check_counts(writers=writers, appends=appends)
    tasks = [
        partial(
            _write,
            number=number,
            appends=appends,
            pauses=Pauses(f"{seed} writer {number}", jitter_s),
            random_seed=f"{seed} sizes {number}",
        )
        for number in range(writers)
    ]
    *written, seen = together(
        open_store,
        directory,
        tasks,
        followers=[_follow],
        how=how,
        seed=seed,
        jitter_s=jitter_s,
        limit_s=limit_s,
    )
    with closing(open_store(directory, Clock())) as store:
        log = tuple(_place(row) for row in store.read_all())
    return Followed(
        told=tuple(place for one in written for place in one.told),
        seen=tuple(seen),
        log=log,
        failures=tuple(failure for one in written for failure in one.failures),
    )


def tail_anomalies(
    open_store: OpenStore,
    *,
    writers: int = 4,
    appends: int = 100,
    how: How = "processes",
    seed: int = 0,
) -> Followed:
    """Follow a new store; see ``follow`` for the arguments and what it raises.

    Returns:
        What the follower got; its text says what is wrong with it.
    """
    with scratch() as directory:
        return follow(
            open_store, directory, writers=writers, appends=appends, how=how, seed=seed
        )


@define
class _Written:
    """What came of one writer's appends."""

    told: list[Place] = field(factory=list[Place])
    failures: list[str] = field(factory=list[str])


def _write(
    store: Store,
    is_over: Callable[[], bool],
    *,
    number: int,
    appends: int,
    pauses: Pauses,
    random_seed: str,
) -> _Written:
    """Append this many times; fewer only if somebody calls it off."""
    random = Random(random_seed)  # noqa: S311 - sizes, not secrets
    stream, version, written = f"stream-{number}", 0, _Written()
    for turn in range(appends):
        if is_over():
            break
        ids = [f"w{number}.{turn}.{n}" for n in range(random.randint(1, _BATCH_MAX))]
        drafts = [Draft(stream, id_, "written/1", b"{}") for id_ in ids]
        try:
            stamps = store.append(drafts, {stream: version})
            version = stamps[-1].version
            written.told += map(Place, (stamp.position for stamp in stamps), ids)
        except VersionConflict as conflict:  # An append before it was stored after all.
            version = conflict.actual
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            written.failures.append(f"{type(error).__name__}: {error}")
        pauses.pause()
    return written


def _follow(store: Store, is_over: Callable[[], bool]) -> list[Place]:
    """Ask for what is new until the writers are over, and then once more."""
    seen: list[Place] = []
    last, over = 0, False
    while not over:
        over = is_over()
        for row in store.read_all(after=last):
            seen.append(_place(row))
            last = max(last, row.position)
        time.sleep(0)  # Threads of writers want to run as well.
    return seen


def _place(row: Row) -> Place:
    return Place(row.position, row.id)


def _few(places: Sequence[Place]) -> str:
    more = len(places) - _SHOWN
    shown = ", ".join(map(str, places[:_SHOWN]))
    return f"{shown} and {more:,} more" if more > 0 else shown
