"""What one sees of an anomaly."""

from __future__ import annotations

import re

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.testing.concurrency.histories import History, asked, history, saw

from azcn_events.testing.concurrency import (
    Kind,
    Operation,
    Refused,
    Stored,
    Unknown,
    anomalies,
    failing,
    show_window,
)


def test_the_picture_of_a_lost_race() -> None:
    """Who overlapped with whom, what was asked and answered, and what shows it."""
    operations: list[Operation] = [
        evolve(asked(0, "x", Stored(1), 100, 220), client=0, ids=("c0.1",)),
        evolve(asked(0, "x", Stored(1), 130, 250), client=1, ids=("c1.1", "c1.2")),
        evolve(asked(1, "x", Unknown("StoreBusy"), 230), client=0, ids=("c0.2",)),
        evolve(asked(0, "x", Refused(1), 240, 260), client=7, ids=("c7.1",)),
        evolve(saw("", 270, 280), client=0),
        evolve(saw("elsewhere", 130, 140), client=3, stream="t"),
    ]
    final = {"s": ("c0.1", "c1.1", "c1.2")}
    [anomaly, *_] = anomalies(operations, final)
    assert PICTURE == show_window(operations, anomaly)


PICTURE = """\
s: expected version 0, but stored after 1 (unchecked)
  client 0 [1======]   [3=============>[5==]
  client 1     [2==============]
  client 7                 [4======]
* 1  append c0.1 after version 0 -> stored, now version 1
* 2  append c1.1, c1.2 after version 0 -> stored, now version 1
  3  append c0.2 after version 1 -> unknown: StoreBusy
  4  append c7.1 after version 0 -> refused, at version 1
  5  read -> version 0"""


def test_only_the_nearest_are_drawn() -> None:
    """Of a long run, those that overlap with what is wrong or come close to it."""
    reads: list[Operation] = [saw("", 10 * n, 10 * n + 1) for n in range(1, 100)]
    lost = asked(0, "a", Stored(1), 495, 505)
    [anomaly, *_] = [
        one for one in anomalies([*reads, lost], {}) if one.kind is Kind.LOST
    ]
    picture = show_window([*reads, lost], anomaly)
    assert {"495", *(f"{10 * n}" for n in range(46, 54))} >= set(
        re.findall(r"client (\d+)", picture)
    )
    assert 1 + 8 + 8 == len(picture.splitlines())


def test_what_concerns_the_whole_log_names_the_streams() -> None:
    """The failures of a run are drawn without their neighbours."""
    failed = evolve(asked(0, "a", Unknown("StoreBusy"), 5), client=2)
    operations: list[Operation] = [saw(""), failed]
    [anomaly] = failing(operations)
    assert (
        "1 of 2 operations failed (failing)\n"
        "  client 2 [1==>\n"
        "* 1  s: append a after version 0 -> unknown: StoreBusy"
    ) == show_window(operations, anomaly)


def test_a_line_that_is_too_long_is_cut() -> None:
    """An error may be long; the line says so."""
    failed = asked(0, "a", Unknown("StoreUnusable: " + "x" * 100))
    [anomaly] = failing([failed])
    *_, line = show_window([failed], anomaly).splitlines()
    assert 88 == len(line)
    assert line.endswith("xxx...")


@given(st.randoms(use_true_random=False).map(history))
def test_every_window_is_readable(made: History) -> None:
    """No line is longer than 88 characters, and all that shows it is in it."""
    operations, final = made
    for anomaly in anomalies(operations, final):
        lines = show_window(operations, anomaly).splitlines()
        assert all(len(line) <= 88 for line in lines)
        starred = [line for line in lines if re.match(r"\* \d  ", line)]
        assert len(anomaly.operations) == len(starred)
