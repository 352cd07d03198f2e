"""Notes: one spelling, one text, and only what a known key signed."""

from __future__ import annotations

import base64
import subprocess
import sys
from hashlib import sha256

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from hypothesis import example, given
from hypothesis import strategies as st
from tests.audit.signing import (
    LOG_KEY,
    ORIGIN,
    QUANTUM_KEY,
    TIME,
    WITNESS_KEY,
)

from azcn_events import audit
from azcn_events.audit import (
    Checkpoint,
    Note,
    Scheme,
    Signature,
    SigningKey,
    VerifierKey,
    open_checkpoint,
    open_note,
    parse_note,
    signed,
)
from azcn_events.audit.encoding import base64_of, bytes_of, is_name, number_of
from azcn_events.audit.notes import NOTE_BYTES_MAX, SIGNATURES_MAX
from azcn_events.errors import InvalidValue, ProofRefused

CHECKPOINT = Checkpoint(ORIGIN, 3, sha256(b"root").digest())
NOTE = signed(CHECKPOINT, [LOG_KEY])
KEYS = [LOG_KEY.verifier, QUANTUM_KEY.verifier, WITNESS_KEY.verifier]
ALL_SIGNED = QUANTUM_KEY.cosign(WITNESS_KEY.cosign(NOTE, TIME), TIME + 1)

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
names = st.text(min_size=1, max_size=12).filter(is_name)
ODD = ["\n", "\n\n", "\r", "\x0b", "\x85", "\u2028", "\u00a0", " ", "+", "=", "A"]
ODD += ["\u2014", "\0", "\u0663", "\u00b2", "_", "\ufeff", "\u2014 a b\n", "é"]


def refused(data: bytes) -> str:
    """Give why a note is not read."""
    with pytest.raises(ProofRefused) as caught:
        parse_note(data)
    return str(caught.value)


def test_a_note_reads_as_the_specification_lays_it_out() -> None:
    """Text, an empty line, a dash, the name, and base64 of id and signature."""
    key, (signature,) = LOG_KEY.verifier, NOTE.signatures
    encoded = base64.b64encode(key.id + signature.value).decode()
    expected = f"{CHECKPOINT.text()}\n\u2014 {ORIGIN} {encoded}\n".encode()
    assert expected == bytes(NOTE)
    assert NOTE == parse_note(expected)


@given(
    st.lists(lines, min_size=1, max_size=5),
    st.lists(
        st.builds(
            Signature,
            names,
            st.binary(min_size=4, max_size=4),
            st.binary(min_size=1, max_size=80),
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_a_note_that_is_written_is_read_back(
    text: list[str], signatures: list[Signature]
) -> None:
    """Whatever the text: it may hold empty lines, and characters like line feeds."""
    note = Note("".join(f"{line}\n" for line in text), tuple(signatures))
    assert note == parse_note(bytes(note))


@given(st.binary(max_size=300))
@example(b"")
@example(b"\n\n\n")
@example("a\n\n\u2014 ".encode())
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    """And what is read, is written again to the byte."""
    try:
        note = parse_note(data)
    except ProofRefused:
        return
    assert data == bytes(note)


@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 3), st.sampled_from(ODD)),
        max_size=3,
    )
)
def test_a_changed_note_never_says_what_nobody_signed(
    changes: list[tuple[int, int, str]],
) -> None:
    """It is refused, or its text is still the one that was signed."""
    text = str(WITNESS_KEY.cosign(NOTE, TIME))
    for place, cut, put in changes:
        at = place % (len(text) + 1)
        text = text[:at] + put + text[at + cut :]
    try:
        opened = open_note(text.encode(), KEYS)
    except ProofRefused:
        return
    assert NOTE.text == opened.text


@pytest.mark.parametrize("at", range(len(bytes(NOTE))))
def test_one_flipped_bit_is_noticed(at: int) -> None:
    """Wherever it is: the text, the name, the id, the signature, the layout."""
    data = bytearray(bytes(NOTE))
    data[at] ^= 1
    with pytest.raises(ProofRefused):
        open_note(bytes(data), KEYS)


@pytest.mark.parametrize(
    "digits",
    ["\u0663", "1\u0663", "\u00b2", "\u0660", "01", "+1", "1_0", " 1", "1\n", ""],
)
def test_a_number_has_one_spelling(digits: str) -> None:
    """``int`` takes most of these, ``str.isdigit`` some."""
    with pytest.raises(ProofRefused, match="no decimal number"):
        number_of(digits, "size")


def test_a_number_has_an_end() -> None:
    """A size of a million digits is not computed, nor one that others cannot keep."""
    assert 2**63 - 1 == number_of(str(2**63 - 1), "size")
    assert 0 == number_of("0", "size")
    for text in (str(2**63), "9" * 19, "1" * 1_000_000):
        with pytest.raises(ProofRefused, match="no decimal number"):
            number_of(text, "size")


@pytest.mark.parametrize(
    "text", ["AB==", "AAAA==", "AA", "AA=", "AA==\n", " AA==", "A-__", "AA==AA==", "é"]
)
def test_base64_has_one_spelling(text: str) -> None:
    """Strict mode of the standard library takes the first two for others."""
    with pytest.raises(ProofRefused, match="base64"):
        bytes_of(text, "root")


@given(st.binary(max_size=40))
def test_base64_is_read_back(data: bytes) -> None:
    """And there is only the standard alphabet."""
    assert base64.b64encode(data).decode() == base64_of(data)
    assert data == bytes_of(base64_of(data), "data")


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\u2029"])
def test_lines_end_at_line_feeds_only(odd: str) -> None:
    """``splitlines`` would cut the text, or a signature line, in two."""
    text = f"a{odd}b\n"
    note = Note(text, (LOG_KEY.sign(text),))
    assert text == open_note(bytes(note), KEYS).text
    assert "base64" in refused(bytes(NOTE)[:-1] + odd.encode() + b"\n")


@pytest.mark.parametrize("odd", ["\0", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x1f"])
def test_there_is_no_control_character(odd: str) -> None:
    """Not in the text, nor in a name."""
    assert "control character" in refused(f"a{odd}b\n{NOTE}".encode())
    with pytest.raises(InvalidValue, match="cannot be signed"):
        Note(f"a{odd}\n")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\n\n", "not UTF-8"),
        (b"text\n", "not a text"),
        (b"text\n\n", "not a text"),
        (b"text\n\nno dash\n", "base64"),
        ("text\n\n\u2014 a b c\n".encode(), "base64"),
        ("text\n\n\u2014 a\u00a0b AAAAAAA=\n".encode(), "it is not"),
        ("text\n\n\u2014 a+b AAAAAAA=\n".encode(), "it is not"),
        ("text\n\n\u2014  AAAAAAA=\n".encode(), "it is not"),
        ("text\n\n\u2014 a AAAAAA==\n".encode(), "no signature"),
        ("text\n\n\u2014 a AAAAAAA=".encode(), "not a text"),
        ("text\n\n\u2014 a AAAAAAA=\n\n".encode(), "it is not"),
    ],
)
def test_what_is_no_note_is_refused(data: bytes, why: str) -> None:
    """With the reason."""
    assert why in refused(data)


def test_sixteen_signatures_are_read_and_a_hundred_and_no_more() -> None:
    """The specification asks for sixteen; a flood of them is refused unread."""
    other = [Signature(f"w{at}", b"abcd", b"x" * 64) for at in range(SIGNATURES_MAX)]
    note = NOTE.plus(*other[1:])
    assert SIGNATURES_MAX == len(parse_note(bytes(note)).signatures)
    assert CHECKPOINT.text() == open_note(bytes(note), KEYS).text
    assert "more than 100 signatures" in refused(bytes(note.plus(other[0])))


def test_a_huge_note_is_refused_by_its_length() -> None:
    """Before anything is made of it."""
    assert "1,000,001 bytes" in refused(b"a" * (NOTE_BYTES_MAX + 1))


def test_lines_of_unknown_keys_mean_nothing() -> None:
    """Even if they share a name or an id with a known one, and whatever they hold."""
    key = LOG_KEY.verifier
    junk = (Signature(key.name, b"none", b"x"), Signature("other", key.id, b"x"))
    note = evolve(NOTE, signatures=(*junk, *NOTE.signatures))
    opened = open_note(bytes(note), KEYS)
    assert [key] == [signer.key for signer in opened.signers]


def test_a_known_key_that_fails_spoils_the_note() -> None:
    """Although another one signed it well: in whatever order they come."""
    wrong = WITNESS_KEY.sign(Checkpoint(ORIGIN, 4, CHECKPOINT.root).text(), TIME)
    for signatures in ((*NOTE.signatures, wrong), (wrong, *NOTE.signatures)):
        with pytest.raises(ProofRefused, match=r"not what witness\.example/w1 signed"):
            open_note(evolve(NOTE, signatures=signatures), KEYS)
    again = Signature(ORIGIN, LOG_KEY.verifier.id, b"x" * 64)
    with pytest.raises(ProofRefused, match="not what"):
        open_note(NOTE.plus(again), KEYS)


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    """The message names who was asked for and who signed."""
    with pytest.raises(
        ProofRefused, match=r"\(witness.example/w1\+[0-9a-f]{8}\).*log.example/azcn\+"
    ):
        open_note(NOTE, [WITNESS_KEY.verifier])
    with pytest.raises(ProofRefused, match="no key"):
        open_note(NOTE, [])
    with pytest.raises(ProofRefused, match="nobody"):
        open_note(Note("text\n"), KEYS)


def test_two_keys_that_cannot_be_told_apart_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ids have four bytes, and anybody can make two keys with one."""
    monkeypatch.setattr(VerifierKey, "id", property(lambda _: b"same"))
    with pytest.raises(ProofRefused, match="share the name"):
        open_note(NOTE, [LOG_KEY.verifier, SigningKey.make(ORIGIN).verifier])
    same = signed(CHECKPOINT, [LOG_KEY])
    assert same.text == open_note(same, [LOG_KEY.verifier, LOG_KEY.verifier]).text


def test_cosignatures_say_when() -> None:
    """A log's own Ed25519 signature has no time."""
    times = [signer.time for signer in open_note(ALL_SIGNED, KEYS).signers]
    assert [None, TIME, TIME + 1] == times


def test_an_ed25519_cosignature_is_over_time_and_text() -> None:
    """Byte by byte as tlog-cosignature has it, checked without our code."""
    (_, signature) = WITNESS_KEY.cosign(NOTE, TIME).signatures
    message = f"cosignature/v1\ntime {TIME}\n{NOTE.text}".encode()
    public = Ed25519PublicKey.from_public_bytes(WITNESS_KEY.verifier.public)
    public.verify(signature.value[8:], message)
    assert TIME.to_bytes(8, "big") == signature.value[:8]


def test_an_mldsa_cosignature_is_over_names_time_and_tree() -> None:
    """Likewise; it does not cover further lines of the text."""
    text, name = f"{NOTE.text}more\n", "archive.example"
    key = SigningKey.make(name, Scheme.COSIGNATURE_MLDSA44)
    signature = key.sign(text, TIME)
    message = (
        b"subtree/v1\n\0"
        + bytes([len(name)])
        + name.encode()
        + TIME.to_bytes(8, "big")
        + bytes([len(ORIGIN)])
        + ORIGIN.encode()
        + bytes(8)
        + (3).to_bytes(8, "big")
        + CHECKPOINT.root
    )
    public = MLDSA44PublicKey.from_public_bytes(key.verifier.public)
    public.verify(signature.value[8:], message)
    assert 8 + 2420 == len(signature.value)
    note = Note(NOTE.text, (signature,))
    assert NOTE.text == open_note(note, [key.verifier]).text


@pytest.mark.parametrize("key", [WITNESS_KEY, QUANTUM_KEY], ids=["ed25519", "mldsa44"])
def test_a_time_cannot_be_changed(key: SigningKey) -> None:
    """It is signed; nor can it be one that signed 64-bit seconds do not reach."""
    name, id_, value = key.sign(NOTE.text, TIME)
    for time in (TIME + 1, 0, 2**63, 2**64 - 1):
        other = Signature(name, id_, time.to_bytes(8, "big") + value[8:])
        with pytest.raises(ProofRefused):
            open_note(Note(NOTE.text, (other,)), KEYS)
    same = Note(NOTE.text, (Signature(name, id_, value),))
    assert [TIME] == [one.time for one in open_note(same, KEYS).signers]


@pytest.mark.parametrize("key", [LOG_KEY, WITNESS_KEY, QUANTUM_KEY])
def test_a_signature_has_its_length(key: SigningKey) -> None:
    """A byte more or less is refused before it is computed with."""
    signature = key.sign(NOTE.text, TIME if key.verifier.scheme.has_time else None)
    for value in (signature.value[:-1], signature.value + b"\0", b"x"):
        with pytest.raises(ProofRefused, match=r"a signature of \d+ bytes"):
            open_note(Note(NOTE.text, (signature._replace(value=value),)), KEYS)


def test_only_checkpoints_are_cosigned() -> None:
    """A cosignature says that a tree was seen, and other text is none."""
    for key in (WITNESS_KEY, QUANTUM_KEY):
        with pytest.raises(ProofRefused, match="three lines"):
            key.sign("hello\n", TIME)


@given(names, st.sampled_from([Scheme.ED25519, Scheme.COSIGNATURE]), st.binary())
def test_a_verifier_key_is_read_back(name: str, scheme: Scheme, seed: bytes) -> None:
    """Its text is name, id and base64; its id is that of the specification."""
    public = sha256(seed).digest()
    try:
        key = VerifierKey(name, scheme, public)
    except InvalidValue:
        assert 255 < len(name.encode())
        return
    assert key == VerifierKey.parse(str(key))
    told = name.encode() + b"\n" + bytes([scheme]) + public
    assert sha256(told).digest()[:4] == key.id


@given(st.text(max_size=80) | st.text("+AB=0a\n", max_size=80))
def test_any_text_is_a_verifier_key_or_refused(text: str) -> None:
    """It never crashes, and is never read in two spellings."""
    try:
        key = VerifierKey.parse(text)
    except ProofRefused:
        return
    assert text == str(key)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name"),
        ("name+12345678", "name"),
        ("name+12345678+", "no key"),
        ("name+12345678+AQ==", "0 bytes"),
        ("name+12345678+AkFB", "type 0x02"),
        (str(LOG_KEY.verifier).replace("log", "lob"), "copied whole"),
        (str(LOG_KEY.verifier) + "\n", "base64"),
        (f"a b+12345678+{base64_of(bytes([1] + [0] * 32))}", "cannot be called"),
        (f"{'n' * 256}+12345678+{base64_of(bytes([1] + [0] * 32))}", "1 to 255 bytes"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(ProofRefused, match=why):
        VerifierKey.parse(text)


def test_a_checkpoint_is_opened_for_one_log() -> None:
    """Another log's is refused, and one that only a witness signed."""
    opened = open_checkpoint(ALL_SIGNED, KEYS, ORIGIN)
    assert CHECKPOINT == opened.checkpoint
    assert KEYS == sorted((one.key for one in opened.signers), key=KEYS.index)
    with pytest.raises(ProofRefused, match="about the log"):
        open_checkpoint(NOTE, KEYS, "other.example")
    witnessed = Note(NOTE.text, (WITNESS_KEY.sign(NOTE.text, TIME),))
    with pytest.raises(ProofRefused, match="itself signed"):
        open_checkpoint(witnessed, KEYS, ORIGIN)
    in_its_name = SigningKey.make(ORIGIN, Scheme.COSIGNATURE)
    note = in_its_name.cosign(Note(NOTE.text), TIME)
    with pytest.raises(ProofRefused, match="itself signed"):
        open_checkpoint(note, [in_its_name.verifier], ORIGIN)


def test_every_public_name_is_there() -> None:
    """Loaded when it is first asked for, and no other."""
    assert sorted(audit.__all__) == dir(audit)
    assert all(hasattr(audit, name) for name in audit.__all__)
    assert not hasattr(audit, "no_such_name")


def test_without_the_extra_everything_but_signatures_works() -> None:
    """All modules load, notes are read; opening says what to install."""
    program = f"""
import importlib, sys
sys.modules["cryptography"] = None
names = "checkpoints encoding files keys log notes policy proof_files signer tiles"
for name in names.split():
    importlib.import_module(f"azcn_events.audit.{{name}}")
from azcn_events.audit import VerifierKey, open_note, parse_note, SigningKey
from azcn_events.errors import ExtraMissing
note = parse_note({bytes(NOTE)!r})
key = VerifierKey.parse({str(LOG_KEY.verifier)!r})
for call in (lambda: open_note(note, [key]), lambda: SigningKey.make("a")):
    try:
        call()
    except ExtraMissing as error:
        print(error.extra, error.name)
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 2 == done.stdout.count("pip install 'azcn-events[crypto]'"), done.stdout
    assert 2 == done.stdout.count("crypto cryptography"), done.stdout
