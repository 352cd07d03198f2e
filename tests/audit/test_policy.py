"""Policies: read by the letter, and asking for neither more nor less."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.signing import LOG_KEY, ORIGIN, QUANTUM_KEY, TIME, log_of, note_of

from azcn_events.audit import (
    Note,
    Policy,
    Scheme,
    SigningKey,
    open_by_policy,
    open_checkpoint,
    parse_policy,
    satisfied,
    witnessed,
)
from azcn_events.audit.policy import POLICY_BYTES_MAX
from azcn_events.errors import InvalidPolicy, ProofRefused

LOG = log_of(3)
NOTE = note_of(LOG)
WITNESSES = {
    name: SigningKey.make(f"{name}.example", Scheme.COSIGNATURE)
    for name in ("x1", "x2", "x3", "y1", "y2")
}
LINES = [f"log {LOG_KEY.verifier} https://log.example/"]
LINES += [f"witness {name} {key.verifier}" for name, key in WITNESSES.items()]


def policy_of(*lines: str) -> Policy:
    """Read a policy of the log and all witnesses, and more lines."""
    return parse_policy("\n".join([*LINES, *lines, ""]).encode())


def signed_by(*names: str) -> Note:
    """Give the checkpoint cosigned by some."""
    note = NOTE
    for name in names:
        note = WITNESSES[name].cosign(note, TIME)
    return note


def problems(text: str | bytes) -> list[tuple[int, str]]:
    """Give a policy's problems with their lines."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(data, "policy.txt")
    assert "policy.txt" in str(caught.value)
    return [(problem.line, problem.message) for problem in caught.value.problems]


RULES: dict[str, Callable[[dict[str, bool]], bool]] = {
    "quorum none": lambda _: True,
    "quorum x1": lambda has: has["x1"],
    "group g any x1 y1\nquorum g": lambda has: has["x1"] or has["y1"],
    "group g all x1 y1\nquorum g": lambda has: has["x1"] and has["y1"],
    "group g 2 x1 x2 x3\nquorum g": lambda has: has["x1"] + has["x2"] + has["x3"] >= 2,
    "group x 2 x1 x2 x3\ngroup y any y1 y2\ngroup both all x y\nquorum both": (
        lambda has: has["x1"] + has["x2"] + has["x3"] >= 2 and (has["y1"] or has["y2"])
    ),
    "group x all x1 x2\ngroup z 2 x y1 y2\nquorum z": (
        lambda has: (has["x1"] and has["x2"]) + has["y1"] + has["y2"] >= 2
    ),
    "group unused all x1 x2\nquorum x3": lambda has: has["x3"],
}


@pytest.mark.parametrize("rule", RULES)
def test_the_quorum_is_who_the_rule_says(rule: str) -> None:
    """Compared with the rule in Python, for every set of witnesses."""
    policy = policy_of(*rule.split("\n"))
    for signs in product([False, True], repeat=len(WITNESSES)):
        has = dict(zip(WITNESSES, signs, strict=True))
        note = signed_by(*(name for name in WITNESSES if has[name]))
        opened = open_checkpoint(note, policy.keys, ORIGIN)
        assert RULES[rule](has) == satisfied(policy, opened)
        assert (rule != "quorum none" and RULES[rule](has)) == witnessed(policy, opened)


def test_who_is_missing_is_said() -> None:
    """By the names of the policy."""
    policy = policy_of("group g 2 x1 x2 x3", "quorum g")
    with pytest.raises(ProofRefused, match="2 of 3, and 1 signed; not yet: x1, x3"):
        open_by_policy(signed_by("x2"), policy)
    assert (
        LOG.checkpoint(ORIGIN)
        == open_by_policy(bytes(signed_by("x2", "x1")), policy, ORIGIN).checkpoint
    )
    with pytest.raises(ProofRefused, match=r"'x1' asks for 1 of 1.*not yet: x1"):
        open_by_policy(NOTE, policy_of("quorum x1"))


def test_a_witness_twice_is_one_witness() -> None:
    """Two signatures by one do not make two of them."""
    policy = policy_of("group g 2 x1 x2 x3", "quorum g")
    with pytest.raises(ProofRefused, match="1 signed"):
        open_by_policy(WITNESSES["x1"].cosign(signed_by("x1"), TIME + 1), policy)


def test_a_log_speaks_for_itself_only() -> None:
    """A listed log's signature under another log's name makes nothing valid."""
    other = SigningKey.make("other.example")
    policy = parse_policy(f"log {other.verifier}\nquorum none\n".encode())
    note = Note(NOTE.text, (other.sign(NOTE.text),))
    with pytest.raises(ProofRefused, match="no log of the policy called"):
        open_by_policy(note, policy)
    opened = open_checkpoint(NOTE, [LOG_KEY.verifier], ORIGIN)
    assert not satisfied(policy, opened)
    with pytest.raises(ProofRefused, match="about the log"):
        open_by_policy(NOTE, policy_of("quorum none"), "other.example")
    with pytest.raises(ProofRefused, match="three lines"):
        open_by_policy(
            Note("hello\n", (LOG_KEY.sign("hello\n"),)), policy_of("quorum none")
        )


def test_only_its_witnesses_are_no_log() -> None:
    """All of them together do not make up for the log's own signature."""
    note = Note(NOTE.text, signed_by(*WITNESSES).signatures[1:])
    with pytest.raises(ProofRefused, match="no log of the policy"):
        open_by_policy(note, policy_of("quorum x1"))


def test_a_log_may_sign_by_mldsa_alone() -> None:
    """As new logs should, says the specification, where nobody needs Ed25519."""
    policy = parse_policy(f"log {QUANTUM_KEY.verifier}\nquorum none\n".encode())
    note = QUANTUM_KEY.cosign(Note(NOTE.text), TIME)
    assert LOG.checkpoint(ORIGIN) == open_by_policy(note, policy).checkpoint


@pytest.mark.parametrize("scheme", [Scheme.COSIGNATURE, Scheme.COSIGNATURE_MLDSA44])
def test_a_log_is_no_witness_of_its_own(scheme: Scheme) -> None:
    """One key as a log and as a witness, also of two types, is the log's word alone."""
    log = {Scheme.COSIGNATURE: LOG_KEY}.get(scheme, QUANTUM_KEY)
    itself = SigningKey._of(ORIGIN, scheme, log._seed)
    policy = parse_policy(
        f"log {log.verifier}\nwitness w {itself.verifier}\nquorum w\n".encode()
    )
    opened = open_by_policy(itself.cosign(NOTE, TIME), policy)
    assert (True, False) == (satisfied(policy, opened), witnessed(policy, opened))


def test_a_policy_reads_as_the_specification_allows() -> None:
    """Tabs, spaces, comments, empty lines, any bytes in names and comments."""
    key = WITNESSES["x1"].verifier
    data = (
        f"\n  # comment\n\t log\t{LOG_KEY.verifier}  \nwitness \u212a {key}\n"
        "group K any \u212a\n#".encode()
        + b"\xff\xfe\nquorum K\n"
    )
    policy = parse_policy(data)
    assert ((LOG_KEY.verifier,), {"\u212a": key}, "K") == (
        policy.logs,
        policy.witnesses,
        policy.quorum,
    )
    odd = parse_policy(f"witness \u00ff {key}\n".encode("latin-1") + b"quorum \xff\n")
    assert odd.quorum in odd.witnesses


def test_one_key_under_two_names_is_one_key() -> None:
    """Else a single witness, or one that is a log, could stand for two of a quorum."""
    witness = WITNESSES["x1"].verifier
    text = (
        f"log {evolve(LOG_KEY.verifier, name='other.example')}\n"
        f"witness again {evolve(witness, name='again.example')}\nquorum x1\n"
    )
    assert [
        (len(LINES) + 1, "another log has the same public key"),
        (len(LINES) + 2, "another witness has the same public key"),
    ] == problems("\n".join([*LINES, text]))


def test_names_are_bytes() -> None:
    """Those that no text can be made of differ; only spaces and tabs divide words."""
    x1, x2 = WITNESSES["x1"].verifier, WITNESSES["x2"].verifier
    names = (b"\xff", b"\xfe")
    lines = [b"witness %s %s\n" % (names[0], str(x1).encode())]
    lines += [b"witness %s %s\n" % (names[1], str(x2).encode())]
    policy = parse_policy(b"".join([*lines, b"quorum \xfe\n"]))
    assert x2 == policy.witnesses[policy.quorum or ""]
    odd = parse_policy(f"witness a\u00a0b\x85 {x1}\nquorum a\u00a0b\x85\n".encode())
    assert {"a\u00a0b\x85": x1} == odd.witnesses


def test_thirty_two_of_everything_are_read() -> None:
    """As many as the specification asks for, and more."""
    logs = [SigningKey.make(f"l{at}.example").verifier for at in range(40)]
    keys = [SigningKey.make(f"w{at}", Scheme.COSIGNATURE).verifier for at in range(40)]
    lines = [f"log {key}" for key in logs]
    lines += [f"witness w{at} {key}" for at, key in enumerate(keys)]
    lines += [f"group g{at} any w{at}" for at in range(40)]
    lines += ["group all all " + " ".join(f"g{at}" for at in range(40)), "quorum all"]
    policy = parse_policy("\n".join([*lines, ""]).encode())
    assert (40, 40, 41) == (
        len(policy.logs),
        len(policy.witnesses),
        len(policy.groups),
    )


def test_all_problems_are_told_with_their_lines() -> None:
    """In one message, in order."""
    key = WITNESSES["x1"].verifier
    text = "\n".join(
        [
            f"log {LOG_KEY.verifier}",
            f"log {LOG_KEY.verifier} https://again.example",
            "log name+00000000+AQ==",
            f"log {key}",
            "witness a",
            f"witness a {key}",
            f"witness b {key}",
            f"witness c {LOG_KEY.verifier}",
            f"witness none {WITNESSES['x2'].verifier}",
            "group g 2 a",
            "group a any a",
            "group h any none",
            "group i any later",
            "group j 01 c",
            "group k any",
            "quorum later",
            "quorum none",
            "trust me",
            "quorum a b",
            "a\rb",
            "last",
        ]
    )
    expected = [
        (2, "another log has the same public key"),
        (3, "the key of this log: '': a public key of 0 bytes"),
        (4, "a log does not sign by COSIGNATURE"),
        (5, "a line so begun reads: witness <name> <vkey>"),
        (7, "another witness has the same public key"),
        (8, "a witness does not sign by ED25519"),
        (9, "the name 'none' is taken already"),
        (10, "'2' is no number of members: any, all, or 1 to 1"),
        (11, "'a' is a member already"),
        (11, "the name 'a' is taken already"),
        (12, "'none' is not defined on a line above"),
        (13, "'later' is not defined on a line above"),
        (14, "'01' is no number of members"),
        (15, "a line so begun reads: group <name> any|all|<number>"),
        (16, "'later' is not defined on a line above"),
        (17, "a second quorum"),
        (18, "'trust' begins no line"),
        (19, "a line so begun reads: quorum <name>"),
        (20, "control character '\\r'"),
        (21, "'last' begins no line"),
        (21, "the last line does not end"),
    ]
    found = problems(text)
    assert [line for line, _ in expected] == [line for line, _ in found]
    for (_, beginning), (_, message) in zip(expected, found, strict=True):
        assert message.startswith(beginning)


def test_a_policy_without_a_quorum_is_none() -> None:
    """Nor is nothing at all, nor a file without end."""
    assert [(0, "no quorum: end it with 'quorum <name>' or 'quorum none'")] == (
        problems(f"log {LOG_KEY.verifier}\n")
    )
    assert 1 == len(problems(""))
    assert "at most" in problems(b"#" * (POLICY_BYTES_MAX + 1))[0][1]


@given(
    st.binary(max_size=200)
    | st.text("\n logwitnesquorumgp 123", max_size=200).map(str.encode)
)
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    """It never crashes, and its message can be printed."""
    told = ""
    try:
        parse_policy(data)
    except InvalidPolicy as error:
        told = str(error)
    assert told == told.encode().decode()
