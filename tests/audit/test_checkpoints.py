"""Checkpoints: three lines that say one thing."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.signing import LOG_KEY, ORIGIN, QUANTUM_KEY, TIME, WITNESS_KEY

from azcn_events.audit import Checkpoint, open_note, signed
from azcn_events.core.merkle import EMPTY_ROOT
from azcn_events.errors import InvalidValue, ProofRefused

ROOT = sha256(b"root").digest()
origins = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40
)


def test_a_checkpoint_is_three_lines() -> None:
    """Name, size, and the root in base64."""
    expected = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert expected == Checkpoint(ORIGIN, 0, EMPTY_ROOT).text()


@given(origins, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), origins)
def test_a_checkpoint_is_read_back(
    origin: str, size: int, root: bytes, more: str
) -> None:
    """Further lines are let through, and mean nothing."""
    checkpoint = Checkpoint(origin, size, root)
    assert checkpoint == Checkpoint.parse(checkpoint.text())
    assert checkpoint == Checkpoint.parse(f"{checkpoint.text()}{more}\n")


@given(st.text() | st.text("a1\n=").map(lambda text: f"log\n1\n{text}"))
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    """And what is read begins with what would be written."""
    try:
        checkpoint = Checkpoint.parse(text)
    except ProofRefused:
        return
    assert text.startswith(checkpoint.text())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n1\n",
        "\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n",
        "log\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
        "log\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n\nmore\n",
        "log\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\nmore\n\n",
        "log\n01\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n",
        "log\n-1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n",
        "log\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4p=\n",
        "log\n1\nAAAA\n",
        "log\n0\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n",
        f"{'l' * 256}\n1\nRBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """An empty line, another spelling, a root of nothing that is one of something."""
    with pytest.raises(ProofRefused):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, ROOT),
        ("a\nb", 1, ROOT),
        ("a\tb", 1, ROOT),
        ("\ud800", 1, ROOT),
        ("é" * 128, 1, ROOT),
        ("log", -1, ROOT),
        ("log", 2**63, ROOT),
        ("log", 1, ROOT[1:]),
    ],
)
def test_no_checkpoint_is_made_that_could_not_be_read(
    origin: str, size: int, root: bytes
) -> None:
    """It is refused when it is made."""
    with pytest.raises(InvalidValue):
        Checkpoint(origin, size, root)


def test_a_log_signs_with_all_its_keys() -> None:
    """So whoever knows one of them, the old or the new, can open it."""
    checkpoint = Checkpoint(ORIGIN, 3, ROOT)
    note = signed(checkpoint, [LOG_KEY, QUANTUM_KEY], TIME)
    for key, time in ((LOG_KEY, None), (QUANTUM_KEY, TIME)):
        (signer,) = open_note(note, [key.verifier]).signers
        assert (key.verifier, time) == signer


def test_a_log_signs_only_as_itself() -> None:
    """A key of another name could not be told from a witness's."""
    checkpoint = Checkpoint(ORIGIN, 3, ROOT)
    with pytest.raises(InvalidValue, match=r"witness\.example"):
        signed(checkpoint, [LOG_KEY, WITNESS_KEY], TIME)
    with pytest.raises(InvalidValue, match="no key"):
        signed(checkpoint, [])


@pytest.mark.parametrize("time", [None, -1, 2**63])
def test_a_cosignature_has_a_time_that_can_be(time: int | None) -> None:
    """None or one that others cannot read is refused."""
    with pytest.raises(InvalidValue, match="not a time"):
        WITNESS_KEY.sign(Checkpoint(ORIGIN, 3, ROOT).text(), time)


def test_a_logs_own_signature_has_no_time() -> None:
    """Nothing would sign it."""
    with pytest.raises(InvalidValue, match="not a time"):
        LOG_KEY.sign("text\n", TIME)
