"""Every error that azcn_events raises on purpose.

    AzcnEventsError
    ├── InvalidValue            a date, amount, name or text cannot be taken
    ├── InvalidFields           plain values do not make an event
    ├── InvalidLifecycle        a lifecycle value contradicts itself
    ├── UnknownName             no such report, policy, milestone, kind, stream
    ├── TransitionRefused       the lifecycle does not admit the fact
    ├── RecordNotFound          a correction or retraction names no record
    ├── LoadRefused             a file of facts has problems; nothing was stored
    ├── UndecodableEvent        stored bytes cannot be read as an event
    ├── ProofRefused            a proof, note, tile or key is not what it should be
    ├── InvalidPolicy           a policy of whom to believe has problems
    ├── KeyUnusable             a file of a signing key cannot be read or made
    ├── SigningRefused          nothing was signed: it might not be true for ever
    │   └── ForkRefused         the log is no continuation of what was signed
    ├── NotCosigned             a witness did not cosign a checkpoint
    ├── ExtraMissing            a package is needed that only an extra brings
    ├── NotOpened               the vault does not hold a sealed value
    └── StoreError
        ├── VersionConflict     another writer appended first
        ├── IdCollision         an event id is already used for something else
        ├── TooLarge            an event is larger than any store takes
        ├── StoreUnusable       foreign, newer, read-only or damaged
        ├── StoreFull           the disk has no room; nothing was stored
        └── StoreBusy           another process kept the file for too long

Each carries its values as attributes; its text says what was expected, what was
found, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from attrs import define

__all__ = [
    "AzcnEventsError",
    "ExtraMissing",
    "ForkRefused",
    "IdCollision",
    "InvalidFields",
    "InvalidLifecycle",
    "InvalidPolicy",
    "InvalidValue",
    "KeyUnusable",
    "LoadRefused",
    "NotCosigned",
    "NotOpened",
    "Problem",
    "ProofRefused",
    "RecordNotFound",
    "SigningRefused",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreUnusable",
    "TooLarge",
    "TransitionRefused",
    "UndecodableEvent",
    "UnknownName",
    "VersionConflict",
]


class AzcnEventsError(Exception):
    """The root: catch it to catch everything this library raises on purpose."""


@define
class InvalidValue(AzcnEventsError, ValueError):
    """A value cannot be taken as it is.

    Attributes:
        found: The value as given, as text.
        problem: What is wrong with it.
        accepted: What would be accepted.
        place: Index into ``found`` where the trouble starts, from 0; -1 if it
            concerns the value as a whole.
    """

    found: str
    problem: str
    accepted: str
    place: int = -1

    def __str__(self) -> str:
        at = f" at character {self.place + 1}" if self.place >= 0 else ""
        return f"{_quote(self.found)}{at}: {self.problem}; accepted: {self.accepted}"


@define
class InvalidLifecycle(AzcnEventsError, ValueError):
    """A lifecycle value contradicts itself; found when it is made.

    Attributes:
        name: The lifecycle's name.
        problems: Each contradiction, one sentence each; at least one.
    """

    name: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"lifecycle {self.name!r}: " + "; ".join(self.problems)


@define
class UnknownName(AzcnEventsError, LookupError):
    """A name that should be one of a known few is none of them.

    Attributes:
        what: What kind of name was asked for, such as ``"report"``.
        name: The name as given.
        known: The names that would be accepted, in their natural order.
    """

    what: str
    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        close = get_close_matches(self.name, self.known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        shown = self.known[:_NAMES_SHOWN]
        more = len(self.known) - len(shown)
        known = ", ".join(shown) + (f" and {more} more" if more else "")
        known = known or "there is none"
        return f"no {self.what} is called {_quote(self.name)}{hint} (known: {known})"


_NAMES_SHOWN = 40


@define
class TransitionRefused(AzcnEventsError):
    """The lifecycle does not admit this fact now; nothing was stored.

    Attributes:
        stream: The stream it was meant for; empty if asked outside a ledger.
        kind: Stored name of the refused fact.
        code: Short stable name of the rule that refuses it.
        reason: The rule, in words.
        allowed: Stored names of the facts that would be admitted now.
    """

    stream: str
    kind: str
    code: str
    reason: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        where = f"{self.stream}: " if self.stream else ""
        allowed = ", ".join(self.allowed) or "nothing"
        return (
            f"{where}{self.kind!r} is refused: {self.reason}; admitted now: {allowed}"
        )


@define
class RecordNotFound(AzcnEventsError, LookupError):
    """A correction or retraction names a record that its stream does not hold.

    Attributes:
        stream: The stream that was searched.
        id: The event id that was named.
    """

    stream: str
    id: str

    def __str__(self) -> str:
        return (
            f"{self.stream}: no record has the id {_quote(self.id)}; a correction"
            " names the id of a record in its own stream ('azcn log' shows ids)"
        )


@define
class Problem:
    """One thing wrong in a file of facts.

    Attributes:
        line: Line number from 1; 0 if it concerns the whole file.
        path: Field path such as ``$.fact.area.high``; empty for the whole line.
        message: What is wrong and what would be accepted.
    """

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "file"
        return f"{where}{', ' + self.path if self.path else ''}: {self.message}"


@define
class InvalidFields(AzcnEventsError, ValueError):
    """Plain values do not make an event.

    Attributes:
        problems: Every problem found, each with its field path; at least one.
    """

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(f"{p.path}: {p.message}" for p in self.problems)


@define
class LoadRefused(AzcnEventsError):
    """A file of facts has problems; all are listed and nothing was stored.

    Attributes:
        name: The file's name as given.
        problems: Every problem found, in line order; at least one.
    """

    name: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.name}: {count} problem{'s' * (count != 1)}, nothing was stored"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


@define
class UndecodableEvent(AzcnEventsError):
    """Stored bytes cannot be read as an event; they are never skipped.

    Attributes:
        stream: The stream they are in.
        position: Their place in the log, from 1; 0 if they are not stored.
        kind: Stored name and version, such as ``"land-allocated/1"``.
        path: Field path such as ``$.area.high``; ``$`` for the whole.
        problem: What is wrong.
    """

    stream: str
    position: int
    kind: str
    path: str
    problem: str

    def __str__(self) -> str:
        return (
            f"{self.stream or 'an event'} at position {self.position},"
            f" {self.kind}, {self.path}: {self.problem}"
        )


@define
class ProofRefused(AzcnEventsError, ValueError):
    """Something that should prove something does not.

    Attributes:
        what: What it should be, such as ``"inclusion proof"`` or ``"checkpoint"``.
        problem: Why it is refused.
    """

    what: str
    problem: str

    def __str__(self) -> str:
        return f"this {self.what} proves nothing: {self.problem}"


@define
class NotOpened(AzcnEventsError, LookupError):
    """A sealed value cannot be opened: this vault does not hold it.

    Attributes:
        commitment: What the event holds in its place.
        place: The vault's path.
    """

    commitment: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.place} does not hold the value sealed as {self.commitment}: it was"
            " erased, or sealed in another vault; the stream 'erasure/values' says"
            " what was erased"
        )


@define
class InvalidPolicy(AzcnEventsError, ValueError):
    """A policy of whom to believe has problems; all are listed.

    Attributes:
        name: The policy's file as given, or what else to call it.
        problems: Every problem found, in line order; at least one.
    """

    name: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.name}: {count} problem{'s' * (count != 1)} in this policy"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


@define
class KeyUnusable(AzcnEventsError):
    """A file of a signing key cannot be read or made; nothing was changed.

    Attributes:
        place: The file's path.
        problem: What is wrong, and what to do. Never a part of the key.
    """

    place: str
    problem: str

    def __str__(self) -> str:
        return f"signing key {self.place}: {self.problem}"


@define
class SigningRefused(AzcnEventsError):
    """Nothing was signed, because it might turn out untrue.

    Attributes:
        origin: The log's name.
        problem: Why, and what to do.
    """

    origin: str
    problem: str

    def __str__(self) -> str:
        return f"{self.origin}: nothing was signed: {self.problem}"


@define
class ForkRefused(SigningRefused):
    """The log does not continue what was signed of it before.

    Two signed histories would be proof that one of them is false.

    Attributes:
        signed_size: How many events the last checkpoint covers.
        signed_root: Its root.
        size: How many events the log has now.
        root: The root of its first ``signed_size`` events; empty if it has fewer.
    """

    signed_size: int
    signed_root: bytes
    size: int
    root: bytes


@define
class NotCosigned(AzcnEventsError):
    """A witness did not cosign a checkpoint.

    Attributes:
        url: The witness's.
        status: The HTTP status of its answer; 0 if there was none.
        problem: What it said, and what that may mean.
    """

    url: str
    status: int
    problem: str

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return f"the witness {self.url} did not cosign{status}: {self.problem}"


@define
class ExtraMissing(AzcnEventsError, ModuleNotFoundError):
    """A package is needed that only an extra brings.

    Attributes:
        extra: The extra's name, such as ``"crypto"``.
        purpose: What needs it.
        name: The module that was not found, or that cannot do it.
        detail: What was said of it.
    """

    extra: str
    purpose: str
    name: str | None
    detail: str

    def __str__(self) -> str:
        return (
            f"{self.purpose} needs the extra {self.extra!r}: python -m pip install"
            f" 'azcn-events[{self.extra}]' ({self.detail})"
        )


class StoreError(AzcnEventsError):
    """What a store can refuse or fail at."""


@define
class VersionConflict(StoreError):
    """Another writer appended first: read again, decide again, append again.

    Attributes:
        stream: The stream that has moved.
        expected: The version that the writer had read.
        actual: The version that the store holds.
    """

    stream: str
    expected: int
    actual: int

    def __str__(self) -> str:
        return (
            f"{self.stream}: expected version {self.expected}, found {self.actual};"
            " read it again, decide again, append again"
        )


@define
class IdCollision(StoreError):
    """An event id is already used, and not for the same append.

    Attributes:
        id: The event id.
        problem: How this append differs from what is stored.
    """

    id: str
    problem: str

    def __str__(self) -> str:
        return (
            f"event id {_quote(self.id)} is already used: {self.problem};"
            " repeat an append exactly, or give new events new ids"
        )


@define
class TooLarge(StoreError):
    """An event is larger than any store takes.

    Attributes:
        stream: The stream it was meant for.
        size: Its size in bytes.
        limit: The largest size accepted, in bytes.
    """

    stream: str
    size: int
    limit: int

    def __str__(self) -> str:
        return (
            f"{self.stream}: an event of {self.size:,} bytes; at most {self.limit:,}"
            " are taken: cite the document instead of copying it"
        )


@define
class StoreUnusable(StoreError):
    """This is not a ledger that this release can use; nothing was written.

    Attributes:
        place: The path or URL.
        reason: ``"foreign"``, ``"newer"``, ``"read-only"``, ``"damaged"``,
            ``"missing"``, ``"closed"`` or ``"forked"``.
        detail: What was found, and what to do.
    """

    place: str
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place} ({self.reason}): {self.detail}"


@define
class StoreFull(StoreError):
    """The disk or the file's limit has no room left; nothing was stored."""

    place: str

    def __str__(self) -> str:
        return f"{self.place}: no room left; nothing was stored; free some and repeat"


@define
class StoreBusy(StoreError):
    """Another process kept the store for longer than we may wait.

    Attributes:
        place: The path or URL.
        waited_s: Seconds waited.
    """

    place: str
    waited_s: float

    def __str__(self) -> str:
        return (
            f"{self.place}: still locked by another process after"
            f" {self.waited_s:g} s; nothing was stored; repeat with the same ids"
        )


def _quote(text: str, limit: int = 120) -> str:
    """Show text from outside without letting it act on a terminal or fill it."""
    shown = text if len(text) <= limit else f"{text[:limit]}…"
    return ascii(shown) if not shown.isprintable() else repr(shown)


def listed(names: Iterable[str]) -> str:
    """Join names for a message: ``a, b or c``."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
