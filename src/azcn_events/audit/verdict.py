"""What a verification found, how sure it can be, and what it cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Final

from attrs import define, field, frozen

from azcn_events.reports.render import visible

__all__ = ["Assurance", "Finding", "Findings", "Severity", "Verdict"]


class Severity(Enum):
    """How grave a finding is."""

    ALTERED = "altered"
    """What is stored is not what was recorded, or cannot be read."""
    DOUBTFUL = "doubtful"
    """It has an innocent explanation as well, which the finding names."""


class Assurance(Enum):
    """How strong the strongest check was that was made, and that held.

    In rising order. Each says by whose word the events are what they were.
    """

    NONE = "none"
    """Nothing was compared with anything."""
    STORED = "stored"
    """The hashes beside the events: whoever can change one can change both."""
    SIGNED = "signed"
    """A checkpoint with the log's signature: whoever has its key can sign again."""
    KEPT = "kept"
    """A checkpoint that the asker had kept since: nobody else could change it."""
    WITNESSED = "witnessed"
    """A checkpoint that others signed too, as a policy asks; they sign no second
    history."""

    @property
    def rank(self) -> int:
        """Its place in the order, from 0."""
        return list(Assurance).index(self)


@frozen
class Finding:
    """One thing that is not as it should be.

    Attributes:
        code: What kind of thing, for programs, such as ``"leaf"``.
        problem: What was expected and what was found.
        position: Where in the log, from 1; 0 if it concerns the whole.
        stream: Of which stream; empty if not known.
        severity: How grave it is.
    """

    code: str
    problem: str
    position: int = 0
    stream: str = ""
    severity: Severity = Severity.ALTERED

    def __str__(self) -> str:
        words = [f"position {self.position}" if self.position else "", self.stream]
        where = ", ".join(filter(None, words))
        return f"{self.severity.value} ({self.code}): " + ": ".join(
            filter(None, [where, self.problem])
        )


LISTED_MAX: Final = 1000
"""How many findings are kept; of a file that is all damage there may be millions."""


@define
class Findings:
    """Findings as they are made, with an end to what is kept of them."""

    kept: list[Finding] = field(factory=list[Finding], init=False)
    more: int = field(default=0, init=False)

    def add(self, finding: Finding) -> None:
        """Keep a finding, or only count it."""
        if len(self.kept) < LISTED_MAX:
            self.kept.append(finding)
        else:
            self.more += 1


@frozen
class Verdict:
    """What a verification came to.

    Attributes:
        subject: What was verified.
        size: How many events were read.
        root: The Merkle root over what was read, 32 bytes.
        assurance: The strongest check that was made and held.
        covered: Up to which event it held, from 1; 0 if up to none.
        by: What was compared with: a checkpoint's name; empty if nothing.
        checked: What was looked at, a sentence each.
        cannot: What this does not show, a sentence each; never empty.
        findings: What is not as it should be, the first thousand.
        more: How many findings there were besides.
    """

    subject: str
    size: int
    root: bytes
    assurance: Assurance
    covered: int
    by: str
    checked: tuple[str, ...]
    cannot: tuple[str, ...]
    findings: tuple[Finding, ...]
    more: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found that is altered; what is doubtful may be there."""
        return not any(one.severity is Severity.ALTERED for one in self.findings)

    def text(self) -> str:
        """Write it for people, safe to print; ends with the word of assurance."""
        return visible("\n".join(self._lines()), keep="\n")

    def __str__(self) -> str:
        return self.text()

    def _lines(self) -> Iterator[str]:
        count = len(self.findings) + self.more
        found = f"{count:,} finding{'s' if count != 1 else ''}" if count else "whole"
        yield f"{self.subject}: {self.size:,} events, {found}"
        yield f"root: {self.root.hex()}"
        yield from (f"  {visible(str(finding))}" for finding in self.findings)
        if self.more:
            yield f"  and {self.more:,} more"
        yield "checked:"
        yield from (f"  - {sentence}" for sentence in self.checked)
        yield "this does not show:"
        yield from (f"  - {sentence}" for sentence in self.cannot)
        against = f", up to event {self.covered:,}" if self.covered else ""
        against += f", by {self.by}" if self.by else ""
        yield f"assurance: {self.assurance.value}{against}"

    def json(self) -> str:
        """Write it for programs."""
        found = [
            {
                "code": one.code,
                "severity": one.severity.value,
                "position": one.position,
                "stream": one.stream,
                "problem": one.problem,
            }
            for one in self.findings
        ]
        plain = {
            "subject": self.subject,
            "size": self.size,
            "root": self.root.hex(),
            "whole": self.is_whole,
            "assurance": self.assurance.value,
            "covered": self.covered,
            "by": self.by,
            "checked": self.checked,
            "cannot": self.cannot,
            "findings": found,
            "more": self.more,
        }
        return json.dumps(plain, indent=2)
