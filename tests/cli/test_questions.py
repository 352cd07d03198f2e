"""The commands that ask: why, since when, by whom, and what is different."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.cli.runner import Run

CELL = ("pipeline", "unallocated", "USD", "--column", "counted")
REST = ("package", "package/beijing-2025-04", "documents, all", "--column", "rest")


def test_explain_leads_to_the_event_its_citation_and_its_source(seeded: Run) -> None:
    """And names what the source leaves open."""
    code, out, err = seeded("explain", *CELL)
    assert (0, "") == (code, err)
    for words in (
        "USD 335,000,000",
        "beijing-value",
        "paragraph 3",
        "https://en.trend.az/business/4035629.html",
        "it may be the value of practical, or of all: the source leaves it open",
        "the figure without it: no such row",
        "the same",
    ):
        assert words in out


def test_explain_gives_json(seeded: Run) -> None:
    """Of the figure, the records and the sources; for the policy asked for."""
    code, out, _ = seeded("explain", *CELL, "--policy", "committed", "--json")
    found = json.loads(out)
    assert 0 == code
    assert "committed" == found["figure"]["context"]["policy"]
    assert [4] == [
        row["position"]
        for row in found["records"]["rows"]
        if row["fact"] == "value-reported"
    ]


def test_explain_changes_asks_since_when(seeded: Run) -> None:
    """Then it explains a change."""
    row = ("changes", "package/beijing-2025-04", "revised", "date", "--column", "after")
    code, _, err = seeded("explain", *row)
    assert 1 == code
    assert "changes since when?" in err
    code, out, _ = seeded("explain", *row, "--since-known-by", "2025-04-25")
    assert 0 == code
    assert "beijing-dated" in out


def test_blame_names_the_record_of_each_part(seeded: Run) -> None:
    """All parts, or one of them."""
    code, out, _ = seeded("blame", "agreement/cardboard", "--csv")
    rows = {row["part"]: row for row in csv.DictReader(io.StringIO(out))}
    assert 0 == code
    assert "cardboard-land" == rows["land-allocated"]["id"]
    assert "" == rows["producing"]["id"]
    code, out, _ = seeded("blame", "agreement/cardboard", "area", "--json")
    (row,) = json.loads(out)["rows"]
    assert ("cardboard-land", 0) == (row["id"], code)


def test_diff_lists_what_moved_a_figure(seeded: Run) -> None:
    """Along known_by, and along as_of."""
    code, out, _ = seeded("diff", *REST, "--since-known-by", "2025-04-25", "--json")
    (row,) = json.loads(out)["rows"]
    assert 0 == code
    assert (20, "-1") == (row["position"], row["change"]["low"])
    code, out, _ = seeded("diff", "pipeline", "--since-as-of", "2025-04-01")
    assert 0 == code
    assert "came by then: positions 2, 4" in out


def test_diff_asks_since_when(seeded: Run) -> None:
    """There is no difference from nothing."""
    code, out, err = seeded("diff", "pipeline")
    assert (1, "") == (code, out)
    assert "give --since-known-by or --since-as-of" in err


def test_bisect_finds_a_rule_broken_and_a_figure_since_when(seeded: Run) -> None:
    """By the rule's name, or by a cell of a report."""
    code, out, _ = seeded("bisect", "conflicts", "--json")
    (row,) = json.loads(out)["rows"]
    assert (21, 0) == (row["position"], code)
    code, out, _ = seeded("bisect", *CELL, "--exhaustive")
    assert 0 == code
    assert "up to position 3 and fails with this record" in out
    assert "Every record in between was tried" in out
    code, out, _ = seeded("bisect", "conflicts", "--after", "19")
    assert "up to position 20" in out


@pytest.mark.parametrize("more", [(), ("--exhaustive",)])
def test_bisect_says_that_a_rule_holds(seeded: Run, more: tuple[str, ...]) -> None:
    """And whether every record was tried."""
    code, out, _ = seeded("bisect", "deviations", *more)
    assert (0, True) == (code, out.startswith("the rule holds "))
    assert ("after every record" in out) == bool(more)


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "pipeline", "nothing", "--column", "counted"),
        ("explain", "pipeline", "unallocated", "--column", "nothing"),
        ("explain", "nothing", "unallocated", "--column", "counted"),
        ("explain", *CELL, "--policy", "nothing"),
        ("blame", "agreement/nothing"),
        ("blame", "agreement/cardboard", "nothing"),
        ("diff", "nothing", "--since-known-by", "2025-04-25"),
        ("diff", "pipeline", "nothing", "--since-known-by", "2025-04-25"),
        ("bisect", "nothing"),
        ("bisect", "conflicts", "--after", "21"),
        ("bisect", "pipeline", "nothing", "--column", "counted"),
        ("log", "--kind", "nothing"),
        ("log", "--recorded-since", "2025-13-01"),
        ("log", "--when-until", "yesterday"),
    ],
)
def test_what_is_not_there_is_refused(seeded: Run, words: tuple[str, ...]) -> None:
    """In a sentence, with exit code 1, and without a table."""
    code, out, err = seeded(*words)
    assert (1, "") == (code, out)
    assert err.startswith("azcn: ")


# --- log ----------------------------------------------------------------------


def ids(run: Run, *words: str) -> list[str]:
    """Give the ids of the records that are listed."""
    code, out, _ = run("log", *words, "--csv")
    assert 0 == code
    return [row["id"] for row in csv.DictReader(io.StringIO(out))]


def test_log_chooses_by_kind_and_source(seeded: Run) -> None:
    """Several kinds if asked; both conditions hold together."""
    assert ["cardboard-land", "tractors-model-discussed"] == ids(
        seeded, "--kind", "land-allocated", "--kind", "financial-model-discussed"
    )
    assert ["beijing-conflict-attendance"] == ids(
        seeded, "--kind", "conflict-noted", "--source", "source/trend-4032675"
    )
    assert [] == ids(
        seeded, "agreement/cardboard", "--source", "source/menafn-1107790388"
    )


def test_log_chooses_by_recorded_time(seeded: Run) -> None:
    """Days whole, from their start and to their end; and date-times."""
    first = ("--recorded-until", "2025-04-25")
    assert 16 == len(ids(seeded, *first))
    assert 16 == len(ids(seeded, "--recorded-until", "2025-04-25T16:00:00Z"))
    assert 11 == len(ids(seeded, "--recorded-since", "2025-05-02"))
    assert 7 == len(
        ids(seeded, "--recorded-since", "2025-05-02", "--recorded-until", "2025-05-02")
    )
    after = ("--recorded-since", "2025-05-02T09:00:00.000001Z")
    assert 4 == len(ids(seeded, *after))
    assert 7 == len(
        ids(seeded, *after[:1], "2025-05-02T09:00:00Z", *first[:1], "2025-05-03")
    )


def test_log_chooses_by_when_it_was_so(seeded: Run) -> None:
    """What may have been so in the span is listed, what surely was not is left out."""
    assert ["menafn-1107790388"] == ids(
        seeded, "--kind", "source-registered", "--when-until", "2024-12-31"
    )
    assert ["link-cardboard-baku-factory"] == ids(
        seeded, "--kind", "link-proposed", "--when-since", "2026-01-27"
    )
    assert [] == ids(seeded, "--kind", "link-proposed", "--when-since", "2026-01-28")
    assert ["cardboard-land"] == ids(
        seeded, "--kind", "land-allocated", "--when-until", "1999-01-01"
    ), "nobody says since when"
    assert [] == ids(
        seeded, "--kind", "land-allocated", "--when-since", "2025-04-26"
    ), "it was so by the 25th"


def test_log_marks_what_is_replaced_by_a_record_not_listed(seeded: Run) -> None:
    """What is chosen does not change what is in force."""
    fields = '{"area": {"unit": "ha", "low": "2", "high": "2"}'
    fields += ', "replaces": "cardboard-land", "reason": "measured"}'
    said = ("--when", "2025-06-01", "--source", "source/act", "--id", "measured")
    code, _, err = seeded(
        "record", "agreement/cardboard", "land-allocated", fields, *said
    )
    assert (0, "") == (code, err)
    _, out, _ = seeded(
        "log", "--source", "source/trend-4035629", "--kind", "land-allocated"
    )
    assert "no longer in force" in out
    _, out, _ = seeded("log", "agreement/cardboard", "--as-of", "2025-05-01")
    assert "no longer in force" in out


def test_log_as_lines_is_chosen_too(seeded: Run) -> None:
    """So that a part of a ledger can be loaded elsewhere."""
    _, out, _ = seeded("log", "--kind", "link-proposed", "--json")
    (line,) = out.splitlines()
    assert "link-cardboard-baku-factory" == json.loads(line)["id"]
