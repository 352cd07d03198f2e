"""Pictures of a lifecycle: they show its table, all of it, and nothing else."""

from __future__ import annotations

import re

import attrs
import pytest

from azcn_events import Event, Lifecycle, Milestone
from azcn_events.core.diagram import dot, mermaid
from azcn_events.investment import INVESTMENT

PICTURE = """\
flowchart LR
    signed["signed"]
    land_allocated["land-allocated"]
    financial_model_agreed["financial-model-agreed"]
    company_created["company-created"]
    work_started["work-started"]
    investment_completed["investment-completed"]
    producing["producing"]
    signed -.-> land_allocated
    signed -.-> financial_model_agreed
    signed -.-> company_created
    signed -.-> work_started
    financial_model_agreed -.-> investment_completed
    investment_completed -.-> producing
    fact_agreement_signed(["agreement-signed"]) --> signed
    fact_land_allocated(["land-allocated"]) --> land_allocated
    fact_financial_model_discussed(["financial-model-discussed"]) -.-> \
financial_model_agreed
    fact_financial_model_agreed(["financial-model-agreed"]) --> financial_model_agreed
    fact_company_created(["company-created"]) --> company_created
    fact_work_started(["work-started"]) --> work_started
    fact_investment_completed(["investment-completed"]) --> investment_completed
    fact_production_started(["production-started"]) --> producing
"""


@attrs.frozen
class One(Event):
    """A fact."""


@attrs.frozen
class Two(Event):
    """Another fact."""


SMALL = Lifecycle(
    name="small",
    events={"one": One, "two-done": Two},
    milestones=(
        Milestone("first-step", met_by=One),
        Milestone("end", met_by=[One, Two], begun_by=One, requires=["first-step"]),
        Milestone("last", met_by=Two, requires=["end"], expects=["first-step", "end"]),
    ),
)

SMALL_DOT = """\
digraph "small" {
    rankdir=LR;
    "first-step" [shape=box];
    "end" [shape=box];
    "last" [shape=box];
    "first-step" -> "end" [style=solid];
    "end" -> "last" [style=solid];
    "first-step" -> "last" [style=dotted];
    "fact one" [label="one", shape=ellipse];
    "fact one" -> "first-step" [style=solid];
    "fact one" [label="one", shape=ellipse];
    "fact one" -> "end" [style=dotted];
    "fact one" [label="one", shape=ellipse];
    "fact one" -> "end" [style=solid];
    "fact two-done" [label="two-done", shape=ellipse];
    "fact two-done" -> "end" [style=solid];
    "fact two-done" [label="two-done", shape=ellipse];
    "fact two-done" -> "last" [style=solid];
}
"""

Edge = tuple[str, str, bool]


def table(lifecycle: Lifecycle) -> set[Edge]:
    """Read the edges from the lifecycle itself: before, after, solid."""
    edges = set[Edge]()
    for milestone in lifecycle.milestones:
        for name, kind in lifecycle.kinds.items():
            if kind in milestone.met_by:
                edges.add((f"fact {name}", milestone.name, True))
            if kind in milestone.begun_by:
                edges.add((f"fact {name}", milestone.name, False))
        edges |= {(other, milestone.name, True) for other in milestone.requires}
        expected = set(milestone.expects) - set(milestone.requires)
        edges |= {(other, milestone.name, False) for other in expected}
    return edges


def drawn(text: str) -> set[Edge]:
    """Read the edges from a Mermaid text."""
    names = {
        m[1]: m[2] for m in re.finditer(r'^    (\w+)\["(.+)"\]$', text, re.MULTILINE)
    }
    edges = re.findall(
        r'^    (\w+)(?:\(\["(.+)"\]\))? (-->|-\.->) (\w+)$', text, re.MULTILINE
    )
    assert len(edges) == text.count(">")
    return {
        (f"fact {fact}" if fact else names[before], names[after], arrow == "-->")
        for before, fact, arrow, after in edges
    }


def drawn_in_dot(text: str) -> set[Edge]:
    """Read the edges from a text for Graphviz."""
    edges = re.findall(
        r'^    "(.+)" -> "(.+)" \[style=(solid|dotted)\];$', text, re.MULTILINE
    )
    assert len(edges) == text.count("->")
    return {(before, after, style == "solid") for before, after, style in edges}


@pytest.mark.parametrize("lifecycle", [INVESTMENT, SMALL], ids=lambda one: one.name)
def test_the_picture_has_exactly_the_edges_of_the_table(lifecycle: Lifecycle) -> None:
    """Not one more, not one less, solid where the table is hard."""
    assert table(lifecycle) == drawn(mermaid(lifecycle))
    assert table(lifecycle) == drawn_in_dot(dot(lifecycle))


@pytest.mark.parametrize("lifecycle", [INVESTMENT, SMALL], ids=lambda one: one.name)
def test_every_milestone_is_a_box(lifecycle: Lifecycle) -> None:
    """In the order of the lifecycle, once each."""
    names = [milestone.name for milestone in lifecycle.milestones]
    assert names == re.findall(r'^    \w+\["(.+)"\]$', mermaid(lifecycle), re.MULTILINE)
    assert names == re.findall(
        r'^    "(.+)" \[shape=box\];$', dot(lifecycle), re.MULTILINE
    )


def test_the_same_picture_for_graphviz() -> None:
    """The whole text of a small one."""
    assert SMALL_DOT == dot(SMALL)


def test_the_picture_of_the_built_in_lifecycle() -> None:
    """The whole text, as it stands in the documentation."""
    assert PICTURE == mermaid(INVESTMENT)
