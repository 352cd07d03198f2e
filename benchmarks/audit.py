"""What proofs cost: verifying a whole log, and proving one event of it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.cases import ROOT, Bench
from benchmarks.measure import RAW, Contestant, Figure, Target, compete, peak_mib

from azcn_events.audit.verify import verify_log
from azcn_events.core.codec import Codec
from azcn_events.core.merkle import Frontier, Tree, verify_inclusion
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.stores.sqlite import SqliteStore

__all__ = ["CASES"]

MiB: Final = "MiB"
EVENTS: Final = "ledger.records"
"""Reading the events, decoded: the limit reads rows only."""


def verification(bench: Bench) -> Iterator[Figure]:
    """Every event read, hashed, put into the tree and compared with what is stored."""
    for place, count in enumerate(bench.sizes.replays):
        store, codec = SqliteStore.open(bench.filled(count)), Codec(INVESTMENT)

        def read(_: int, store: SqliteStore = store) -> None:
            deque(store.read_all(), maxlen=0)

        def events(_: int, store: SqliteStore = store, codec: Codec = codec) -> None:
            deque(codec.records(store.read_all()), maxlen=0)

        def root(_: int, store: SqliteStore = store) -> None:
            frontier = Frontier()
            frontier.extend(store.leaves())

        def hashed(_: int, store: SqliteStore = store, count: int = count) -> None:
            verdict = verify_log(store)
            assert (count, ()) == (verdict.size, verdict.findings)

        def decoded(
            _: int, store: SqliteStore = store, codec: Codec = codec, count: int = count
        ) -> None:
            verdict = verify_log(store, codec=codec)
            assert (count, ()) == (verdict.size, verdict.findings)

        yield from compete(
            f"verify {count:,}",
            [
                Contestant(RAW, read),
                Contestant(EVENTS, events),
                Contestant("root of the stored hashes", root),
                Contestant("verify", hashed, targets=(Target(2.5, EVENTS),)),
                Contestant(
                    "verify, every event decoded",
                    decoded,
                    targets=(Target(2.5, EVENTS),),
                ),
            ],
            turns=bench.sizes.long_turns[place],
            count=count,
        )
        store.close()


def proofs(bench: Bench) -> Iterator[Figure]:
    """A proof out of a tree that is built, beside reading 256 rows of the log."""
    count = bench.sizes.replays[-1]
    store = SqliteStore.open(bench.filled(count))
    tree = Tree(lambda low, high: store.leaves(after=low, until=high))
    tree.grow(count)
    root, chosen = tree.root(count), random.Random(4)  # noqa: S311 - places, not secrets

    def places(_: int) -> list[int]:
        return [chosen.randrange(1, count) for _ in range(bench.sizes.loads)]

    def read(given: list[int]) -> None:
        for place in given:
            deque(store.read_all(after=place, until=place + 256), maxlen=0)

    def inclusion(given: list[int]) -> None:
        for place in given:
            tree.inclusion(place, count)

    def consistency(given: list[int]) -> None:
        for place in given:
            tree.consistency(place, count)

    def prepared(turn: int) -> list[Any]:
        return [
            (place, count, next(iter(store.leaves(after=place, until=place + 1))), path)
            for place in places(turn)
            if (path := tree.inclusion(place, count))
        ]

    def checked(given: list[Any]) -> None:
        for case in given:
            verify_inclusion(*case, root)

    yield from compete(
        f"a proof of {count:,}",
        [
            Contestant(RAW, read, places),
            Contestant("inclusion", inclusion, places),
            Contestant("consistency", consistency, places),
            Contestant("verify inclusion", checked, prepared),
        ],
        turns=bench.sizes.turns,
        count=bench.sizes.loads,
        unit="us/proof",
    )
    store.close()


def memory(bench: Bench) -> Iterator[Figure]:
    """Peak of a verification in a fresh process: it should not grow with the log."""
    peaks: list[float] = []
    for count in bench.sizes.memory:
        command = [sys.executable, "-m", "benchmarks.audit", str(bench.filled(count))]
        done = subprocess.run(  # noqa: S603 - ourselves
            command, check=True, capture_output=True, text=True, cwd=ROOT
        )
        found = json.loads(done.stdout)
        assert found["size"] == count
        peaks.append(found["peak_mib"])
        name = f"verify, base {found['base_mib']:.0f}"
        figure = Figure(f"verify, peak memory {count:,}", name, MiB, [peaks[-1]])
        figure.raw_cpu = peaks[:1]
        if len(peaks) > 1:
            words = f"the names of {count // 20:,} streams, and no more"
            # A name, its number and its place in a dictionary take some 200 bytes.
            room = peaks[0] + count // 20 * 200 / 2**20 + 5
            figure.verdicts.append((words, peaks[-1] <= room))
        yield figure


CASES: Final = {"verify": verification, "prove": proofs, "verify-memory": memory}


def main(path: str) -> None:
    """Verify one file, and print how much memory that took."""
    store = SqliteStore.open(Path(path))
    base = peak_mib()
    verdict = verify_log(store, codec=Codec(INVESTMENT))
    found = {"size": verdict.size, "base_mib": base, "peak_mib": peak_mib()}
    print(json.dumps(found))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
