"""Rates of the property-testing kit, each beside the least that the same work takes.

python -m benchmarks.kit           every rate, about a minute
python -m benchmarks.kit --quick   a look: the figures mean little

A rate is per second of CPU. The ratio says how many times as long the kit takes as the
limit in the same run, turn by turn: that can be compared, a rate on another day cannot.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from attrs import frozen
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from azcn_events import INVESTMENT, Projection, Recorded
from azcn_events.testing import explore, facts_of, histories, lifecycle_machine, logs
from azcn_events.testing.concurrency import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    anomalies,
    linearizable,
)
from azcn_events.testing.laws import Law, check_laws
from azcn_events.testing.laws.projections import PROJECTION_LAWS
from azcn_events.testing.transcript import Log, retold
from azcn_events.testing.whole_logs import streams_of


@frozen
class Rate:
    """One line of the table.

    Attributes:
        name: What is counted.
        unit: One of it.
        count: How many are done in one turn.
        ours: Does them with the kit.
        limit: Does the least that the same takes.
        about: What that is.
    """

    name: str
    unit: str
    count: int
    ours: Callable[[], object]
    limit: Callable[[], object]
    about: str


def drawn(strategy: st.SearchStrategy[Log], examples: int) -> list[Log]:
    """Draw so many logs."""
    found: list[Log] = []

    # No deadline: this is the thing that is timed.
    @settings(
        max_examples=examples, phases=[Phase.generate], database=None, deadline=None
    )
    @given(strategy)
    def draw(log: Log) -> None:
        found.append(log)

    draw()
    return found


def count_kinds(seen: Counter[str], record: Recorded) -> Counter[str]:
    """Count a record."""
    seen[record.kind] += 1
    return seen


KINDS = Projection("kinds", Counter, count_kinds, lambda one, other: one + other)


class Idle(RuleBasedStateMachine):
    """As many rules as the derived machine has, which do nothing."""


for number in range(11):

    def idle(self: Idle, place: int) -> None:
        """Do nothing."""

    idle.__name__ = f"idle_{number}"
    setattr(Idle, idle.__name__, rule(place=st.integers(0, 30))(idle))


def rates(quick: bool) -> list[Rate]:  # noqa: FBT001 - the only switch
    """List what is measured."""
    many, runs = (20, 5) if quick else (300, 60)
    offered = facts_of(INVESTMENT)
    graph = explore(INVESTMENT, offered)
    written = drawn(histories(INVESTMENT), many)
    whole = drawn(logs(INVESTMENT), many)
    machine = lifecycle_machine(INVESTMENT, projections=[KINDS])
    # No deadline: as above.
    some = settings(
        max_examples=runs, database=None, deadline=None, stateful_step_count=25
    )

    def ask_the_rules() -> None:
        stream = streams_of(INVESTMENT, 1)[0]
        for node in graph.nodes:
            for fact in offered:
                INVESTMENT.refusal(node.state, fact, stream)

    def write_again(logs_: list[Log]) -> None:
        for log in logs_:
            retold(INVESTMENT, log)

    return [
        Rate(
            "explorer",
            "states",
            len(graph.nodes),
            lambda: explore(INVESTMENT, offered),
            ask_the_rules,
            "ask the rules about every fact in every state",
        ),
        Rate(
            "histories",
            "histories",
            many,
            lambda: drawn(histories(INVESTMENT), many),
            lambda: write_again(written),
            "record such histories, known beforehand",
        ),
        Rate(
            "logs",
            "logs",
            many,
            lambda: drawn(logs(INVESTMENT), many),
            lambda: write_again(whole),
            "record such logs, known beforehand",
        ),
        Rate(
            "projection laws",
            "logs",
            many,
            lambda: check_laws(KINDS, _in_process(), examples=many),
            lambda: drawn(logs(INVESTMENT), many),
            "draw the logs",
        ),
        Rate(
            "machine, in memory",
            "runs",
            runs,
            lambda: run_state_machine_as_test(machine, settings=some),
            lambda: run_state_machine_as_test(Idle, settings=some),
            "as many rules that do nothing, as many steps",
        ),
        _checkers(200 if quick else 10_000),
        _exhaustive(200 if quick else 10_000),
    ]


def _in_process() -> list[Law[Projection[Any]]]:
    return [law for law in PROJECTION_LAWS if law.name != "same_in_every_process"]


def answered(count: int) -> tuple[list[Operation], dict[str, list[str]]]:
    """Make what eight clients are told, each waiting for the answers of four others."""
    final: dict[str, list[str]] = {name: [] for name in "abcd"}
    operations: list[Operation] = []
    for at in range(count):
        stream = "abcd"[at % 4]
        known = final[stream]
        when = {"called_ns": 10 * at, "returned_ns": 10 * at + 45}
        asked = {"client": at % 8, "stream": stream, **when}
        if at % 10 == 9:
            operations.append(Read(answer=Seen(tuple(known)), **asked))
        elif at % 10 == 8:
            refused = Refused(len(known))
            ids = (f"r{at}",)
            operations.append(
                Append(expected=len(known) + 1, ids=ids, answer=refused, **asked)
            )
        else:
            known.append(f"e{at}")
            stored, ids = Stored(len(known)), (f"e{at}",)
            operations.append(
                Append(expected=len(known) - 1, ids=ids, answer=stored, **asked)
            )
    return operations, final


def _checkers(count: int) -> Rate:
    operations, final = answered(count)
    if anomalies(operations, final):
        raise AssertionError("the operations should fit together")

    def sort_twice() -> None:
        sorted(operations, key=attrgetter("called_ns"))
        sorted(operations, key=attrgetter("returned_ns"))

    return Rate(
        "checker of races",
        "operations",
        count,
        lambda: anomalies(operations, final),
        sort_twice,
        "sort the operations twice by time",
    )


def _exhaustive(count: int) -> Rate:
    operations, final = answered(count)
    return Rate(
        "exhaustive checker",
        "operations",
        count,
        lambda: linearizable(operations, final),
        lambda: anomalies(operations, final),
        "the fast checker",
    )


def main(arguments: list[str]) -> int:
    """Measure, turn by turn, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kit")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    quick = parser.parse_args(arguments).quick
    head = f"{'rate':20} {'per CPU second':>16}   {'x limit':>8}  min..max"
    print(f"{head}    the limit")
    for one in rates(quick):
        mine, ratios = [], []
        for _ in range(2 if quick else 5):
            limit, ours = cpu_s(one.limit), cpu_s(one.ours)
            mine.append(one.count / ours)
            ratios.append(ours / limit)
        spread = f"{min(ratios):.1f}..{max(ratios):.1f}"
        rate = f"{statistics.median(mine):,.0f} {one.unit}"
        print(
            f"{one.name:20} {rate:>16}   {statistics.median(ratios):8.1f}"
            f"  {spread:10}  {one.about}",
            flush=True,
        )
    return 0


def cpu_s(work: Callable[[], object]) -> float:
    """Give the seconds of CPU that work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
