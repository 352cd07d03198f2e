"""Whom to believe: which logs, and who else must have signed a checkpoint.

A policy is a text file, a line for each log, witness and group of them::

    # the supreme audit institution, and one of two archives
    log log.example/azcn+1a2b3c4d+AQID...
    witness sai sai.example+...
    witness city city.example+...
    witness state state.example+...
    group archives any city state
    group both all sai archives
    quorum both

Source:
    C2SP, "Transparency log trust policy", https://c2sp.org/tlog-policy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import define, field, frozen

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.notes import (
    Note,
    OpenedCheckpoint,
    Scheme,
    Signer,
    VerifierKey,
    open_note,
)
from azcn_events.errors import InvalidPolicy, Problem, ProofRefused

__all__ = [
    "POLICY_BYTES_MAX",
    "Group",
    "Policy",
    "open_by_policy",
    "parse_policy",
    "satisfied",
    "witnessed",
]

POLICY_BYTES_MAX: Final = 1_000_000
"""The longest policy that is read, in bytes: room for some hundred ML-DSA-44 keys."""

_NONE: Final = "none"
_LOGS: Final = (Scheme.ED25519, Scheme.COSIGNATURE_MLDSA44)
_WITNESSES: Final = (Scheme.COSIGNATURE, Scheme.COSIGNATURE_MLDSA44)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")


@frozen
class Group:
    """Witnesses, or groups of them, of whom some number must have signed.

    Attributes:
        least: How many of the members, 1 to all.
        members: Their names.
    """

    least: int
    members: tuple[str, ...]


@frozen
class Policy:
    """Whom to believe.

    Attributes:
        logs: The logs' keys; a log is called as its key is. May be empty.
        witnesses: The witnesses' keys by the policy's names for them.
        groups: The groups by name; members are defined before their group.
        quorum: The witness or group that must have signed; None if nobody need.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str | None

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """All keys that it names: what to open a note with."""
        return (*self.logs, *self.witnesses.values())

    def missing(self, signers: tuple[Signer, ...]) -> str:
        """Say who should have signed besides; empty if the quorum has."""
        if self.quorum is None:
            return ""
        signed = {signer.key for signer in signers}
        agreed = {name for name, key in self.witnesses.items() if key in signed}
        for name, group in self.groups.items():
            if sum(member in agreed for member in group.members) >= group.least:
                agreed.add(name)
        if self.quorum in agreed:
            return ""
        group = self.groups.get(self.quorum, Group(1, (self.quorum,)))
        absent = ", ".join(member for member in group.members if member not in agreed)
        present = sum(member in agreed for member in group.members)
        return (
            f"the quorum {self.quorum!a} asks for {group.least} of"
            f" {len(group.members)}, and {present} signed; not yet: {absent}"
        )


def satisfied(policy: Policy, opened: OpenedCheckpoint) -> bool:
    """Say whether a checkpoint is to be believed.

    It is if one of the policy's logs signed it, which is the one that it is about, and
    the quorum cosigned it. A policy may ask for no quorum: see :func:`witnessed`. And
    see :func:`open_by_policy`, which says what is missing.

    Args:
        policy: Whom to believe.
        opened: The checkpoint, opened with the policy's keys.
    """
    return not _why_not(policy, opened)


def witnessed(policy: Policy, opened: OpenedCheckpoint) -> bool:
    """Say whether a checkpoint is to be believed, and others than its log say so.

    A policy may name one key as a log and as a witness, which is the log's word twice;
    here it counts as the log's alone.
    """
    if policy.quorum is None or not satisfied(policy, opened):
        return False
    logs = {log.public for log in policy.logs}
    others = tuple(one for one in opened.signers if one.key.public not in logs)
    return not policy.missing(others)


def open_by_policy(
    note: Note | bytes, policy: Policy, origin: str | None = None
) -> OpenedCheckpoint:
    """Open a note as a checkpoint that a policy lets us believe.

    Args:
        note: The note, or its bytes.
        policy: Whom to believe.
        origin: The log that it must be about; None for any of the policy's.

    Raises:
        ProofRefused: As for ``open_note``, and if it is no checkpoint, one of another
            log, or not signed by all who must have.
        ExtraMissing: If the extra ``crypto`` is not installed.
    """
    note_opened = open_note(note, policy.keys)
    checkpoint = Checkpoint.parse(note_opened.text)
    if origin is not None and checkpoint.origin != origin:
        problem = f"it is about the log {checkpoint.origin!a}, not {origin!a}"
        raise ProofRefused("checkpoint", problem)
    opened = OpenedCheckpoint(checkpoint, note_opened.signers)
    if problem := _why_not(policy, opened):
        raise ProofRefused("checkpoint", problem)
    return opened


def _why_not(policy: Policy, opened: OpenedCheckpoint) -> str:
    origin = opened.checkpoint.origin
    signed = {signer.key for signer in opened.signers}
    if not any(log.name == origin and log in signed for log in policy.logs):
        return f"no log of the policy called {origin!a} signed it"
    return policy.missing(opened.signers)


def parse_policy(data: bytes, name: str = "policy") -> Policy:
    """Read a policy; lines are those of the specification, and nothing else.

    Names are taken as bytes, so those that look alike may differ.

    Args:
        data: The file's bytes.
        name: What to call it in messages.

    Raises:
        InvalidPolicy: With every problem found, each with its line.
    """
    if len(data) > POLICY_BYTES_MAX:
        problem = f"{len(data):,} bytes; at most {POLICY_BYTES_MAX:,} are read"
        raise InvalidPolicy(name, (Problem(0, "", problem),))
    reader = _Reader()
    # Bytes that are not UTF-8 are allowed in names and comments, as themselves.
    lines = data.decode(errors="surrogateescape").split("\n")
    for number, line in enumerate(lines, 1):
        reader.line(number, line)
    if lines[-1]:
        reader.problem(len(lines), "the last line does not end: add a line feed")
    if not reader.has_quorum:
        reader.problem(0, "no quorum: end it with 'quorum <name>' or 'quorum none'")
    if reader.problems:
        found = sorted(reader.problems, key=lambda problem: problem.line or len(data))
        raise InvalidPolicy(name, tuple(found))
    groups = reader.groups
    return Policy(tuple(reader.logs), reader.witnesses, groups, reader.quorum)


@define
class _Reader:
    """Reads line after line; problems are collected."""

    logs: list[VerifierKey] = field(factory=list[VerifierKey], init=False)
    witnesses: dict[str, VerifierKey] = field(
        factory=dict[str, VerifierKey], init=False
    )
    groups: dict[str, Group] = field(factory=dict[str, Group], init=False)
    quorum: str | None = field(default=None, init=False)
    has_quorum: bool = field(default=False, init=False)
    problems: list[Problem] = field(factory=list[Problem], init=False)
    # Names of lines that have problems too: what they hide is no second problem.
    _names: set[str] = field(factory=lambda: {_NONE}, init=False)
    _members: set[str] = field(factory=set[str], init=False)
    _number: int = field(default=0, init=False)

    def problem(self, number: int, message: str) -> None:
        self.problems.append(Problem(number, "", message))

    def line(self, number: int, line: str) -> None:
        self._number = number
        if found := _CONTROL.search(line):
            self._found(f"control character {found.group()!a}")
            return
        word, *rest = [part for part in _SPACES.split(line) if part] or ["#"]
        if word.startswith("#"):
            return
        read, form = _LINES.get(word, (None, ""))
        if read is None:
            known = "log, witness, group, quorum"
            self._found(f"{_shown(word)} begins no line of a policy: {known}")
        elif not read(self, rest):
            self._found(f"a line so begun reads: {form}")

    def log(self, rest: list[str]) -> bool:
        if not 1 <= len(rest) <= 2:
            return False
        key = self._key(rest[0], _LOGS, "log")
        if key and self._is_new(key, self.logs, "log"):
            self.logs.append(key)
        return True

    def witness(self, rest: list[str]) -> bool:
        if not 2 <= len(rest) <= 3:
            return False
        is_named = self._define(rest[0])
        key = self._key(rest[1], _WITNESSES, "witness")
        others = list(self.witnesses.values())
        if is_named and key and self._is_new(key, others, "witness"):
            self.witnesses[rest[0]] = key
        return True

    def group(self, rest: list[str]) -> bool:
        if len(rest) < 3:
            return False
        name, least, *members = rest
        for member in members:
            self._join(member)
        count = {"any": 1, "all": len(members)}.get(least, 0)
        if not count and _NUMBER.fullmatch(least):
            count = int(least)
        if not 1 <= count <= len(members):
            accepted = f"any, all, or 1 to {len(members)}"
            self._found(f"{_shown(least)} is no number of members: {accepted}")
        if self._define(name):
            self.groups[name] = Group(count, tuple(members))
        return True

    def quorum_of(self, rest: list[str]) -> bool:
        if len(rest) != 1:
            return False
        if self.has_quorum:
            self._found("a second quorum; there is exactly one")
        self.has_quorum = True
        if rest[0] not in self._names:
            self._found(f"{_shown(rest[0])} is not defined on a line above")
        self.quorum = None if rest[0] == _NONE else rest[0]
        return True

    def _found(self, message: str) -> None:
        self.problem(self._number, message)

    def _define(self, name: str) -> bool:
        if name in self._names:
            self._found(f"the name {_shown(name)} is taken already")
            return False
        self._names.add(name)
        return True

    def _join(self, member: str) -> None:
        if member == _NONE or member not in self._names:
            self._found(f"{_shown(member)} is not defined on a line above")
        elif member in self._members:
            self._found(f"{_shown(member)} is a member already, and may be one once")
        self._members.add(member)

    def _key(
        self, text: str, schemes: tuple[Scheme, ...], whose: str
    ) -> VerifierKey | None:
        try:
            key = VerifierKey.parse(text)
        except ProofRefused as error:
            self._found(f"the key of this {whose}: {error.problem}")
            return None
        if key.scheme not in schemes:
            accepted = " or ".join(scheme.name for scheme in schemes)
            problem = f"a {whose} does not sign by {key.scheme.name}, but by {accepted}"
            self._found(problem)
            return None
        return key

    def _is_new(self, key: VerifierKey, others: list[VerifierKey], what: str) -> bool:
        # Name and scheme do not make two of one key.
        if any(key.public == other.public for other in others):
            self._found(f"another {what} has the same public key")
            return False
        return True


_SPACES: Final = re.compile(r"[ \t]+")
_CONTROL: Final = re.compile(r"[\0-\x08\x0b-\x1f\x7f]")
_LINES: Final[dict[str, tuple[Callable[[_Reader, list[str]], bool], str]]] = {
    "log": (_Reader.log, "log <vkey> [<url>]"),
    "witness": (_Reader.witness, "witness <name> <vkey> [<url>]"),
    "group": (_Reader.group, "group <name> any|all|<number> <member>..."),
    "quorum": (_Reader.quorum_of, "quorum <name>, or quorum none"),
}


def _shown(word: str) -> str:
    return ascii(word if len(word) <= 60 else f"{word[:60]}...")
