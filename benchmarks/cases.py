"""The cases: what is timed, against what, and what must come out of it."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from attrs import define, field, frozen
from benchmarks import data, measure, raw
from benchmarks.measure import RAW, Contestant, Figure, Target, compete

from azcn_events.core.codec import Codec
from azcn_events.core.events import Event, Fact, Recorded
from azcn_events.core.lifecycle import Status
from azcn_events.core.projection import Projection
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.ledger import Ledger
from azcn_events.stores.sqlite import SqliteStore

try:
    from benchmarks import peer as _peer
except ImportError:
    _peer = None

__all__ = ["CASES", "FULL", "QUICK", "Bench", "Sizes"]

PEER: Final[ModuleType | None] = _peer
ES: Final = "eventsourcing"
ES_1000: Final = "eventsourcing, pages of 1000"
PER: Final = data.PER_STREAM
ROOT: Final = Path(__file__).parents[1]


@frozen
class Sizes:
    """How much work.

    Attributes:
        commits: Single commits of a turn.
        batches: Events of a turn of batches, a multiple of 1000.
        loads: Streams loaded in a turn.
        stored: Events in the store that streams are loaded from.
        replays: Events replayed, for each size.
        memory: Events replayed for the peak of memory: fewer, more.
        starts: Processes started.
        turns: Turns of short cases.
        long_turns: Turns of a replay, for each size.
    """

    commits: int
    batches: int
    loads: int
    stored: int
    replays: tuple[int, ...]
    memory: tuple[int, int]
    starts: int
    turns: int
    long_turns: tuple[int, ...]


FULL: Final = Sizes(
    commits=100,
    batches=4000,
    loads=300,
    stored=100_000,
    replays=(100_000, 1_000_000),
    memory=(100_000, 1_000_000),
    starts=31,
    turns=15,
    long_turns=(7, 5),
)
QUICK: Final = Sizes(
    commits=10,
    batches=1000,
    loads=30,
    stored=4000,
    replays=(2000, 4000),
    memory=(2000, 4000),
    starts=2,
    turns=2,
    long_turns=(2, 2),
)


@define
class Bench:
    """A run: its sizes, its directory, and what is noted beside the figures."""

    sizes: Sizes
    directory: Path
    notes: dict[str, Any] = field(factory=dict)
    _names: Iterator[int] = field(factory=lambda: iter(range(10_000)))

    def path(self) -> Path:
        """Give a path that was not used before."""
        return self.directory / f"{next(self._names)}.db"

    def filled(self, count: int) -> Path:
        """Give a ledger's file with so many events; it is made once."""
        path = self.directory / f"filled-{count}.db"
        if not path.exists():
            store = SqliteStore.open(path, durability="normal")
            for first in range(0, count // PER, 50):
                batch = _drafts(first, min(50, count // PER - first))
                store.append(batch, {draft.stream: 0 for draft in batch})
            store.close()
        return path

    def filled_peer(self, count: int) -> Path:
        """Give the peer's file with so many events; it is made once."""
        path = self.directory / f"filled-peer-{count}.db"
        if not path.exists():
            app = PEER.opened(path)
            for first in range(0, count // PER, 50):
                made = PEER.aggregates(first, min(50, count // PER - first))
                app.save(*made)
            app.close()
        return path


def _drafts(first: int, streams: int) -> list[Any]:
    return [
        data.draft(stream, event, data.id_of(first + place, version))
        for place, (stream, events) in enumerate(data.streams(first, streams))
        for version, event in enumerate(events, 1)
    ]


# Appending

_Batches = list[list[tuple[str, Event, str]]]
"""For each batch: streams, events and their ids."""


def single(bench: Bench) -> Iterator[Figure]:
    """One event a commit, in streams that grow to twenty events."""
    count = bench.sizes.commits
    for durability in ("full", "normal"):
        ledger = Ledger.open(bench.path(), durability=durability)
        store = SqliteStore.open(bench.path(), durability=durability)
        writer = raw.Writer(bench.path(), durability)
        bench.notes[f"pragmas, {durability}"] = measure.pragmas(store._writer)
        bench.notes[f"pragmas, {durability}, raw"] = measure.pragmas(writer.connection)

        def prepare(turn: int, count: int = count) -> list[Any]:
            found = []
            for n in range(turn * count, turn * count + count):
                number, version = n // PER, n % PER
                stream, event = (
                    data.stream_name(number),
                    data.event(number, version + 1),
                )
                draft = data.draft(stream, event, data.id_of(number, version + 1))
                found.append((event, draft, {stream: version}))
            return found

        def record(given: list[Any], ledger: Ledger = ledger) -> None:
            for event, draft, _ in given:
                ledger.record(draft.stream, event)

        def append(given: list[Any], store: SqliteStore = store) -> None:
            for _, draft, expected in given:
                store.append([draft], expected)

        def limit(given: list[Any], writer: raw.Writer = writer) -> None:
            for _, draft, expected in given:
                writer.append(expected, [writer.row(draft)], time.time_ns() // 1000)

        contestants = [
            Contestant(RAW, limit, prepare),
            Contestant("store.append", append, prepare),
            Contestant("ledger.record", record, prepare),
        ]
        if PEER and durability == "full":
            app = PEER.opened(bench.path())
            bench.notes["pragmas, eventsourcing"] = PEER.pragmas(app)

            def prepare_peer(turn: int, count: int = count) -> list[Any]:
                return [PEER.single(n) for n in range(turn * count, (turn + 1) * count)]

            def save(given: list[Any], app: Any = app) -> None:  # noqa: ANN401
                for aggregate in given:
                    app.save(aggregate)

            contestants.append(Contestant(ES, save, prepare_peer))
        yield from compete(
            f"1 a commit, {durability}",
            contestants,
            turns=bench.sizes.turns,
            count=count,
            unit="us/commit",
        )
        stored = (bench.sizes.turns + 1) * count
        assert stored == ledger.store.head() == store.head()
        assert stored == _count(writer.connection)
        ledger.close()
        store.close()
        writer.connection.close()


def batch(bench: Bench) -> Iterator[Figure]:
    """Batches of new streams, from constructed events to stored rows."""
    for size, durability in ((100, "full"), (100, "normal"), (1000, "normal")):
        yield from _batch(bench, size, durability)


def _batch(bench: Bench, size: int, durability: str) -> Iterator[Figure]:
    count = bench.sizes.batches
    ledger = Ledger.open(bench.path(), durability=durability)
    store = SqliteStore.open(bench.path(), durability=durability)
    writer = raw.Writer(bench.path(), durability)
    codec = Codec(INVESTMENT)

    def prepare(turn: int) -> _Batches:
        batches = []
        for first in range(turn * count // PER, (turn + 1) * count // PER, size // PER):
            streams = data.streams(first, size // PER)
            batches.append(
                [
                    (stream, event, data.id_of(first + place, version))
                    for place, (stream, events) in enumerate(streams)
                    for version, event in enumerate(events, 1)
                ]
            )
        return batches

    def append(batches: _Batches) -> None:
        for facts in batches:
            drafts = [data.draft(*fact, codec) for fact in facts]
            store.append(drafts, {draft.stream: 0 for draft in drafts})

    def record(batches: _Batches) -> None:
        for facts in batches:
            ledger.record_all(Fact(*fact) for fact in facts)

    def prepare_raw(turn: int) -> list[Any]:
        # The limit is given the bounds of dates: to read them is no part of it.
        given = []
        for facts in prepare(turn):
            drafts = [data.draft(*fact) for fact in facts]
            given.append((facts, [(one.earliest, one.latest) for one in drafts]))
        return given

    def limit(batches: list[Any]) -> None:
        kinds = writer.kinds
        for facts, bounds in batches:
            payloads = raw.encoded([event for _, event, _ in facts])
            writer.append(
                {stream: 0 for stream, _, _ in facts},
                [
                    (stream, kinds[type(event).__name__], id_, payload, days)
                    for (stream, event, id_), payload, days in zip(
                        facts, payloads, bounds, strict=True
                    )
                ],
                time.time_ns() // 1000,
            )

    contestants = [
        Contestant(RAW, limit, prepare_raw),
        Contestant("codec.encode + store.append", append, prepare, (Target(3),)),
        Contestant("ledger.record_all", record, prepare),
    ]
    if PEER and durability == "full":
        app = PEER.opened(bench.path())

        def prepare_peer(turn: int) -> list[Any]:
            first, last = turn * count // PER, (turn + 1) * count // PER
            return [
                PEER.aggregates(n, size // PER) for n in range(first, last, size // PER)
            ]

        def save(batches: list[Any]) -> None:
            for aggregates in batches:
                app.save(*aggregates)

        contestants.append(Contestant(ES, save, prepare_peer))
    yield from compete(
        f"{size} a commit, {durability}",
        contestants,
        turns=bench.sizes.turns,
        count=count,
    )
    stored = (bench.sizes.turns + 1) * count
    assert stored == ledger.store.head() == store.head() == _count(writer.connection)
    ledger.close()
    store.close()
    writer.connection.close()


def _count(connection: Any) -> int:  # noqa: ANN401 - of apsw
    return connection.execute("SELECT count(*) FROM event").fetchall()[0][0]


# Loading


def load(bench: Bench) -> Iterator[Figure]:
    """Streams of twenty events, anywhere in a large store."""
    sizes = bench.sizes
    path = bench.filled(sizes.stored)
    ledger, reader = Ledger.open(path), raw.open_reader(path)
    decode = raw.decoders(reader)
    records, read = ledger.codec.records, ledger.store.read
    chosen = random.Random(20)  # noqa: S311 - a choice, not a secret

    def prepare(_: int) -> list[str]:
        numbers = chosen.sample(range(sizes.stored // PER), sizes.loads)
        return [data.stream_name(number) for number in numbers]

    for stream in prepare(0):
        ours, its = tuple(records(read(stream))), raw.load(reader, decode, stream)
        assert [record.event for record in ours] == its
        assert len(its) == PER
        state = ledger.state(stream)
        found = {name: one.status for name, one in state.milestones.items()}
        expected = dict.fromkeys(found, Status.UNMENTIONED) | raw.statuses(its)
        assert found == expected

    def typed(streams: list[str]) -> None:
        for stream in streams:
            tuple(records(read(stream)))

    def state_of(streams: list[str]) -> None:
        for stream in streams:
            ledger.state(stream)

    def limit(streams: list[str]) -> None:
        for stream in streams:
            raw.load(reader, decode, stream)

    def limit_folded(streams: list[str]) -> None:
        for stream in streams:
            raw.statuses(raw.load(reader, decode, stream))

    turns, count = sizes.turns, sizes.loads
    contestants = [
        Contestant(RAW, limit, prepare),
        Contestant("codec.records(store.read)", typed, prepare),
    ]
    yield from compete(
        "load 20, typed", contestants, turns=turns, count=count, unit="us/stream"
    )
    contestants = [
        Contestant(RAW, limit_folded, prepare),
        Contestant("ledger.state", state_of, prepare, (Target(2),)),
    ]
    if PEER:
        app = PEER.opened(bench.filled_peer(sizes.stored))
        section = app.recorder.select_notifications(1, sizes.stored)
        ids = [notification.originator_id for notification in section[::PER]]
        del section
        assert len(ids) == len(set(ids)) == sizes.stored // PER

        def prepare_peer(_: int) -> list[Any]:
            return chosen.sample(ids, sizes.loads)

        def get(chosen: list[Any]) -> None:
            for id_ in chosen:
                assert app.repository.get(id_).facts == PER

        contestants.append(Contestant(ES, get, prepare_peer))
    yield from compete(
        "load 20, state", contestants, turns=turns, count=count, unit="us/stream"
    )
    ledger.close()


# Replaying


def _count_fact(states: dict[str, Any], record: Recorded) -> dict[str, Any]:
    data.fold(states, record.stream, record.event)
    return states


FOLD: Final = Projection[dict[str, Any]]("what is known", dict, _count_fact)


def replay(bench: Bench) -> Iterator[Figure]:
    """The whole log into typed events and one state for each stream."""
    for place, count in enumerate(bench.sizes.replays):
        path = bench.filled(count)
        ledger, reader = Ledger.open(path), raw.open_reader(path)
        names = dict(raw.stream_names(reader))
        by_name = {names[n]: state for n, state in raw.fold_all(reader).items()}
        progress = ledger.fold(FOLD)
        assert progress.position == count
        assert len(by_name) == count // PER
        assert progress.value == by_name
        del by_name, progress, names

        def ours(_: int, ledger: Ledger = ledger) -> Any:  # noqa: ANN401
            return ledger.fold(FOLD)

        def limit(_: int, reader: Any = reader) -> Any:  # noqa: ANN401
            return raw.fold_all(reader)

        targets = [Target(1.5)]
        contestants = [Contestant(RAW, limit)]
        if place == 0:
            targets.append(Target(4, ES, faster=True))
            contestants += _peers(bench, count)
        contestants.insert(1, Contestant("ledger.fold", ours, targets=tuple(targets)))
        yield from compete(
            f"replay {count:,}",
            contestants,
            turns=bench.sizes.long_turns[place],
            count=count,
        )
        ledger.close()


def _peers(bench: Bench, count: int) -> Iterator[Contestant]:
    if not PEER:
        return
    path = bench.filled_peer(count)
    for name, page in ((ES, PEER.DEFAULT_PAGE), (ES_1000, 1000)):
        app = PEER.opened(path, page)
        states = PEER.replay(app, page)
        assert len(states) == count // PER
        assert all(state["facts"] == PER for state in states.values())
        yield Contestant(
            name,
            lambda _, app=app, page=page: PEER.replay(app, page),
        )


# Memory


def memory(bench: Bench) -> Iterator[Figure]:
    """Peak memory of a replay in a fresh process."""
    fewer, more = bench.sizes.memory
    found: dict[str, list[dict[str, float]]] = {}
    for who in ("ours", "raw"):
        found[who] = [
            json.loads(_child("benchmarks.child", who, str(bench.filled(count))))
            for count in (fewer, more)
        ]
        for count, one in zip((fewer, more), found[who], strict=True):
            assert one["events"] == count
            assert one["streams"] == count // PER
    for place, count in enumerate((fewer, more)):
        for who, name in (("raw", RAW), ("ours", "ledger.fold")):
            one, its = found[who][place], found["raw"][place]
            who_on_what = f"{name}, base {one['base_mib']:.0f}"
            figure = Figure(
                f"peak memory {count:,}", who_on_what, "MiB", [one["peak_mib"]]
            )
            figure.raw_cpu = [its["peak_mib"]]
            if who == "ours" and place:
                small = found["ours"][0]
                growth = one["peak_mib"] - small["peak_mib"]
                fold = one["fold_mib"] - small["fold_mib"]
                # A tenth more, and 2 MiB: what an allocator rounds up.
                words = f"growth {growth:.0f} <= 1.1 x the fold's {fold:.0f} + 2 MiB"
                figure.verdicts.append((words, growth <= fold * 1.1 + 2))
            yield figure
    bench.notes["memory"] = found


def _child(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, check=True, capture_output=True, text=True, cwd=ROOT
    )
    return done.stdout


# Importing

_LOADED: Final = "; import sys; print(*sys.modules)"
_FIRST_USE: Final = (
    "from azcn_events import Citation, When;"
    "from azcn_events.investment import AgreementSigned;"
    "AgreementSigned(when=When('2025-04-17'), cites=Citation('source/a'))"
)
_OPENING: Final = "from azcn_events import Ledger; Ledger.open('memory:')"
_HEAVY: Final = [
    "apsw",
    "asyncio",
    "azcn_events.reports",
    "azcn_events.stores",
    "cattrs",
    "hypothesis",
    "jinja2",
    "msgspec",
    "pytest",
    "rich",
    "sqlite3",
]
_PROGRAMS: Final = {
    "import azcn_events": ("import azcn_events", _HEAVY, 60.0),
    "first event": (_FIRST_USE, _HEAVY, None),
    "first ledger, in memory": (
        _OPENING,
        ["apsw", "asyncio", "cattrs", "hypothesis", "pytest", "sqlite3"],
        None,
    ),
}


def imports(bench: Bench) -> Iterator[Figure]:
    """What importing costs, over a bare interpreter; and what it loads."""
    for program, heavy, _ in _PROGRAMS.values():
        loaded = set(_output(program + _LOADED).split())
        assert not loaded.intersection(heavy), loaded.intersection(heavy)
    bare, cpu = list[float](), {name: list[float]() for name in _PROGRAMS}
    for _ in range(bench.sizes.starts):
        empty = _start_ms("pass")
        bare.append(empty)
        for name, (program, _, _) in _PROGRAMS.items():
            cpu[name].append(_start_ms(program) - empty)
    yield Figure("start, over a bare interpreter", "bare interpreter", "ms", bare)
    for name, (_, _, limit_ms) in _PROGRAMS.items():
        figure = Figure("start, over a bare interpreter", name, "ms", cpu[name])
        if limit_ms is not None:
            reached = statistics.median(cpu[name])
            figure.verdicts.append((f"< {limit_ms:g} ms", reached < limit_ms))
        yield figure


def _output(program: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, check=True, capture_output=True, text=True
    )
    return done.stdout


def _start_ms(program: str) -> float:
    """Start a fresh process; returns the CPU time that it took, in milliseconds."""
    child = os.posix_spawn(
        sys.executable, [sys.executable, "-c", program], dict(os.environ)
    )
    _, status, used = os.wait4(child, 0)
    assert status == 0, program
    return (used.ru_utime + used.ru_stime) * 1000


CASES: Final[dict[str, Callable[[Bench], Iterator[Figure]]]] = {
    "single": single,
    "batch": batch,
    "load": load,
    "replay": replay,
    "memory": memory,
    "import": imports,
}
"""Every case by the name for ``--only``."""
