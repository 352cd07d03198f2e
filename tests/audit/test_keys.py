"""Signing keys: written once, for their owner only, and never shown."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.signing import LOG_KEY, ORIGIN, QUANTUM_KEY, WITNESS_KEY

from azcn_events.audit import Scheme, SigningKey
from azcn_events.errors import InvalidValue, KeyUnusable, ProofRefused

KEYS = [LOG_KEY, WITNESS_KEY, QUANTUM_KEY]


def kept(key: SigningKey, folder: Path) -> tuple[Path, str]:
    """Save a key; give its file and text."""
    path = folder / "log.key"
    key.save(path)
    return path, path.read_text("utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_read_back(key: SigningKey, tmp_path: Path) -> None:
    """From one line of text, which names its owner."""
    path, text = kept(key, tmp_path)
    assert key == SigningKey.load(path)
    prefix = f"PRIVATE+KEY+{key.verifier.name}+{key.verifier.id.hex()}+"
    assert text.startswith(prefix)
    assert "\n" == text[-1] == text[text.index("\n") :]


def test_no_two_keys_are_alike() -> None:
    """They come from the system's randomness."""
    assert 20 == len({SigningKey.make(ORIGIN).verifier.public for _ in range(20)})


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        path, _ = kept(LOG_KEY, tmp_path)
    finally:
        os.umask(before)
    assert 0o600 == path.stat().st_mode & 0o777


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    """It may have been read already; the message says what to do."""
    path, _ = kept(LOG_KEY, tmp_path)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        SigningKey.load(path)


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    """Whatever stands there, a key or the way to another."""
    path, text = kept(LOG_KEY, tmp_path)
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / "elsewhere")
    for place in (path, link):
        with pytest.raises(KeyUnusable, match="never overwritten"):
            SigningKey.make(ORIGIN).save(place)
    assert text == path.read_text("utf-8")
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half of a key, and no file in the way of the next attempt."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "log.key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(KeyUnusable, match="No space left"):
            LOG_KEY.save(path)
    assert [] == list(tmp_path.iterdir())
    LOG_KEY.save(path)
    with pytest.raises(KeyUnusable, match="cannot be made"):
        LOG_KEY.save(tmp_path / "missing" / "log.key")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """Nothing there, a folder, a pipe that nobody writes to, a name that cannot be."""
    os.mkfifo(tmp_path / "pipe")
    for place in ("missing", "", "pipe", "a\0b"):
        with pytest.raises(KeyUnusable, match="cannot be read"):
            SigningKey.load(tmp_path / place)


@given(st.data())
def test_a_damaged_key_is_refused_and_not_shown(data: st.DataObject) -> None:
    """No message holds any part of what may be a secret."""
    text = LOG_KEY._private_text()  # what is saved, without a file for each example
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "A", "+", "=", "é", "\n", "AB"]))
    damaged = text[:at] + put + text[at + 1 :]
    if damaged == text:
        return
    with pytest.raises(ProofRefused) as caught:
        SigningKey.parse(damaged)
    shown = "".join(traceback.format_exception(caught.value))
    secret = text.rpartition("+")[2]
    assert not any(secret[n : n + 8] in shown for n in range(4, len(secret) - 8))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE+KEY+",
        "PRIVATE+KEY+a+b+",
        "PRIVATE+KEY+a+b+AQ==",
        "PRIVATE+KEY+a+b+AkFB",
        f"PUBLIC+KEY+{LOG_KEY.verifier}",
        str(LOG_KEY.verifier),
        "PRIVATE+KEY+log.example/azcn+12345678+AQ" + "A" * 41 + "=",
    ],
)
def test_what_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    """The message names the file and the form, and nothing of what it holds."""
    path = tmp_path / "log.key"
    path.write_text(text + "\n", "utf-8")
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match=r"not one line PRIVATE\+KEY\+name") as caught:
        SigningKey.load(path)
    assert path.name in str(caught.value)


def test_a_file_of_anything_is_refused(tmp_path: Path) -> None:
    """Not UTF-8, or far longer than a key."""
    path = tmp_path / "log.key"
    for data in (b"\xff" * 50, LOG_KEY._private_text().encode() + b"\n" * 5000):
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(KeyUnusable, match="not one line"):
            SigningKey.load(path)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_does_not_show_itself(key: SigningKey) -> None:
    """Not in a traceback or a log: only its file holds it."""
    shown = f"{key} {key!r} {key.verifier}"
    assert key._seed.hex() not in shown
    assert repr(key._seed) not in shown


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "n" * 256])
def test_a_key_has_a_name_that_a_note_can_hold(name: str) -> None:
    """Without spaces of any script, plus signs, control characters."""
    with pytest.raises(InvalidValue, match="cannot be called"):
        SigningKey.make(name, Scheme.COSIGNATURE)
