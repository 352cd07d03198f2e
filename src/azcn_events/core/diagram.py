"""A lifecycle as a picture, drawn from the table that the code runs on."""

from __future__ import annotations

from collections.abc import Iterator

from azcn_events.core.lifecycle import Lifecycle

__all__ = ["dot", "mermaid"]


def mermaid(lifecycle: Lifecycle) -> str:
    """Draw the milestones as a Mermaid flowchart.

    Solid arrows: required before. Dotted arrows: expected before. Rounded boxes:
    the facts that begin (dotted) or meet (solid) a milestone.
    """
    lines = ["flowchart LR"]
    lines += [f'    {_id(m.name)}["{m.name}"]' for m in lifecycle.milestones]
    for before, after, hard in _order(lifecycle):
        lines.append(f"    {_id(before)} {'-->' if hard else '-.->'} {_id(after)}")
    for kind, milestone, meets in _facts(lifecycle):
        arrow = "-->" if meets else "-.->"
        lines.append(f'    fact_{_id(kind)}(["{kind}"]) {arrow} {_id(milestone)}')
    return "\n".join([*lines, ""])


def dot(lifecycle: Lifecycle) -> str:
    """Draw the same as a graph for Graphviz."""
    lines = [f'digraph "{lifecycle.name}" {{', "    rankdir=LR;"]
    lines += [f'    "{m.name}" [shape=box];' for m in lifecycle.milestones]
    for before, after, hard in _order(lifecycle):
        style = "solid" if hard else "dotted"
        lines.append(f'    "{before}" -> "{after}" [style={style}];')
    for kind, milestone, meets in _facts(lifecycle):
        style = "solid" if meets else "dotted"
        lines.append(f'    "fact {kind}" [label="{kind}", shape=ellipse];')
        lines.append(f'    "fact {kind}" -> "{milestone}" [style={style}];')
    return "\n".join([*lines, "}", ""])


def _order(lifecycle: Lifecycle) -> Iterator[tuple[str, str, bool]]:
    """Yield milestone before, milestone after, whether it is required."""
    for milestone in lifecycle.milestones:
        for before in milestone.requires:
            yield before, milestone.name, True
        for before in milestone.expects:
            if before not in milestone.requires:
                yield before, milestone.name, False


def _facts(lifecycle: Lifecycle) -> Iterator[tuple[str, str, bool]]:
    """Yield stored name of a fact, the milestone it moves, whether it meets it."""
    for milestone in lifecycle.milestones:
        for kind in milestone.begun_by:
            yield lifecycle.name_of(kind), milestone.name, False
        for kind in milestone.met_by:
            yield lifecycle.name_of(kind), milestone.name, True


def _id(name: str) -> str:
    return name.replace("-", "_")
