"""The shell scripts of docs/how-to/sign-and-prove.md, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.audit.signing import (
    LOG_KEY,
    ORIGIN,
    QUANTUM_KEY,
    TIME,
    WITNESS_KEY,
    log_of,
)

from azcn_events.audit import Note, SigningKey, signed

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sign-and-prove.md"
CHECKPOINT = log_of(3).checkpoint(ORIGIN)
# The newest key first, and a line of another scheme by the same name.
OTHER_KEY = SigningKey.make(ORIGIN)
NOTE = WITNESS_KEY.cosign(
    signed(CHECKPOINT, [OTHER_KEY, QUANTUM_KEY, LOG_KEY], TIME), TIME
)

needs_openssl = pytest.mark.skipif(
    not shutil.which("openssl"), reason="OPENSSL NOT FOUND: the page's scripts not run"
)


def script(name: str) -> str:
    """Give the block of the page that begins with this name."""
    blocks: list[tuple[str, str]] = re.findall(
        r"^```sh\n(# (\S+?): .*?)^```$",
        PAGE.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    (found,) = [text for text, called in blocks if called == name]
    return found


def check(note: bytes, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run check.sh on a note."""
    (folder / "check.sh").write_text(script("check.sh"), "utf-8")
    (folder / "checkpoint").write_bytes(note)
    command = ["sh", "check.sh", "checkpoint", key]
    environ = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


@needs_openssl
def test_a_checkpoint_is_verified_by_hand(tmp_path: Path) -> None:
    """By the key asked for, wherever its line stands; and nothing is left behind."""
    for key in (LOG_KEY, OTHER_KEY):
        done = check(bytes(NOTE), str(key.verifier), tmp_path)
        assert (0, "Signature Verified Successfully") == (
            done.returncode,
            done.stdout.strip(),
        ), done.stderr
    assert {"check.sh", "checkpoint"} == {path.name for path in tmp_path.iterdir()}


@needs_openssl
@pytest.mark.parametrize(
    "change",
    [
        (b"\n3\n", b"\n4\n"),
        (b"\n3\n", b"\n3\nmore\n"),
        (b"log.example/azcn\n3", b"log.example/azcm\n3"),
    ],
)
def test_a_changed_checkpoint_is_refused_by_hand(
    change: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Another size, a line more, another log."""
    note = bytes(NOTE).replace(*change)
    assert note != bytes(NOTE)
    assert 0 != check(note, str(LOG_KEY.verifier), tmp_path).returncode


@needs_openssl
def test_another_key_is_refused_by_hand(tmp_path: Path) -> None:
    """One that did not sign, a damaged one, and one that does not sign like this."""
    keys = [
        str(SigningKey.make(ORIGIN).verifier),
        str(LOG_KEY.verifier).replace("azcn", "azcm"),
        str(QUANTUM_KEY.verifier),
        str(WITNESS_KEY.verifier),
    ]
    for key in keys:
        assert 0 != check(bytes(NOTE), key, tmp_path).returncode
    unsigned = bytes(Note(NOTE.text, NOTE.signatures[:1]))
    done = check(unsigned, str(LOG_KEY.verifier), tmp_path)
    assert (1, True) == (done.returncode, "no signature by log.example" in done.stderr)


AUTHORITY = """
[ req ]
distinguished_name = name
x509_extensions = authority
prompt = no
[ name ]
CN = time.example
[ authority ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[ tsa ]
default_tsa = stamps
[ stamps ]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
"""


@needs_openssl
def test_a_checkpoint_is_stamped(tmp_path: Path) -> None:
    """With an authority of our own in place of the one on the network."""
    (tmp_path / "tsa.cnf").write_text(AUTHORITY, "utf-8")
    (tmp_path / "checkpoint").write_bytes(bytes(NOTE))
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem"
        " -days 2 -config tsa.cnf"
    )
    text, count = re.subn(
        r"curl .*?\"\$TSA\"",
        "openssl ts -reply -config tsa.cnf -queryfile checkpoint.tsq"
        " -out checkpoint.tsr",
        script("stamp.sh"),
        flags=re.DOTALL,
    )
    assert 1 == count
    run = "set -eu\n" + text
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        ["sh", "-c", run], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (0, "Verification: OK") == (done.returncode, done.stdout.strip()), (
        done.stderr
    )
    (tmp_path / "checkpoint").write_bytes(bytes(NOTE).replace(b"\n3\n", b"\n4\n"))
    verify = text[text.index("openssl ts -verify") :]
    refused = subprocess.run(
        ["sh", "-c", verify], cwd=tmp_path, capture_output=True, check=False
    )
    assert 0 != refused.returncode
