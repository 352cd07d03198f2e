"""Ask witnesses to cosign a checkpoint, and add what they answer to its note.

Source:
    C2SP, "Transparency Log Witnesses", https://c2sp.org/tlog-witness.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.encoding import number_of, text_of
from azcn_events.audit.log import Log
from azcn_events.audit.notes import (
    Note,
    Signature,
    VerifierKey,
    open_note,
    parse_note,
)
from azcn_events.audit.witness import write_request
from azcn_events.errors import InvalidValue, NotCosigned, ProofRefused

__all__ = ["ANSWER_BYTES_MAX", "ASK_S_MAX", "ask_witness", "cosigned_by"]

ANSWER_BYTES_MAX: Final = 100_000
"""The longest answer read, in bytes."""
ASK_S_MAX: Final = 20.0
"""How long a witness is waited for, from the first word to the last, in seconds."""


def ask_witness(
    url: str, log: Log, note: Note, *, old: int = 0, seconds_max: float = ASK_S_MAX
) -> tuple[Signature, ...]:
    """Ask a witness to cosign a checkpoint.

    A witness that has seen the log at another size than ``old`` says so, and is asked
    once more with a proof from there. So ``old`` only saves a question.

    Args:
        url: The witness's, without ``/add-checkpoint``.
        log: The log, to prove from.
        note: The checkpoint, signed by its log.
        old: The size that the witness has seen last, if it is known.
        seconds_max: How long to wait for each answer.

    Returns:
        The lines of the answer, not verified: see :func:`cosigned_by`.

    Raises:
        NotCosigned: If it cannot be reached, refuses, or answers nonsense; above all
            if it has seen more of the log than there is, or other events.
        InvalidValue: If this is no URL.
        ProofRefused: If the note is no checkpoint.
    """
    size = Checkpoint.parse(note.text).size
    answer = _ask(url, log, note, min(old, size), seconds_max)
    if answer.status == 409:
        seen = _size_seen(url, answer, size)
        answer = _ask(url, log, note, seen, seconds_max)
        if answer.status == 409:
            problem = _other_history(seen) if seen == size else "it was asked meanwhile"
            raise NotCosigned(url, 409, f"{problem}: {_said(answer)}")
    if answer.status != 200:
        raise NotCosigned(url, answer.status, _said(answer))
    return _lines(url, answer)


def cosigned_by(
    note: Note, signatures: Iterable[Signature], keys: Iterable[VerifierKey]
) -> Note:
    """Add a witness's cosignatures to a note, if they are what they say.

    Args:
        note: The note.
        signatures: What the witness answered. Of one key the last is taken: a note
            with too many is none.
        keys: The witness's keys; lines of other keys are left out.

    Raises:
        ProofRefused: If no line is of these keys, or one does not verify.
    """
    known = tuple(keys)
    ids = {(key.name, key.id) for key in known}
    theirs = [one for one in signatures if (one.name, one.key_id) in ids]
    open_note(Note(note.text, tuple(theirs)), known)
    last = {(one.name, one.key_id): one for one in theirs}
    return note.plus(*(one for one in last.values() if one not in note.signatures))


class _Reply(NamedTuple):
    status: int
    body: bytes


def _size_seen(url: str, answer: _Reply, size: int) -> int:
    try:
        text = text_of(answer.body, "answer", ANSWER_BYTES_MAX)
        seen = number_of(text.removesuffix("\n"), "answer")
    except ProofRefused as error:
        raise NotCosigned(url, answer.status, str(error)) from None
    if seen > size:
        problem = (
            f"it has cosigned this log at size {seen:,}, and the checkpoint has"
            f" {size:,}: an older checkpoint, a ledger restored from a backup, or one"
            " that lost events"
        )
        raise NotCosigned(url, answer.status, problem)
    return seen


def _other_history(size: int) -> str:
    return (
        f"it has cosigned this log at size {size:,} with another root: there are two"
        " histories, and the witness can prove it"
    )


def _lines(url: str, answer: _Reply) -> tuple[Signature, ...]:
    try:
        text = text_of(answer.body, "answer", ANSWER_BYTES_MAX)
        return parse_note(f"\n\n{text}".encode()).signatures
    except ProofRefused as error:
        raise NotCosigned(url, answer.status, str(error)) from None


def _said(answer: _Reply) -> str:
    said = answer.body[:200].decode(errors="replace").strip()
    return ascii(said) if said else "it does not say why"


def _ask(url: str, log: Log, note: Note, old: int, seconds_max: float) -> _Reply:
    size = Checkpoint.parse(note.text).size
    proof = log.consistency(old, size) if old else []
    body = write_request(old, proof, note)
    try:
        return _post(url, body, seconds_max)
    except (OSError, http.client.HTTPException) as error:
        problem = f"it cannot be asked: {error!r}"
        raise NotCosigned(url, 0, problem) from error


def _post(url: str, body: bytes, seconds_max: float) -> _Reply:
    made = _connection(url, seconds_max)
    path = f"{urlsplit(url).path.rstrip('/')}/add-checkpoint"
    try:
        made.connect()
        with _at_most(seconds_max, made.sock):
            made.request("POST", path, body, {"Content-Type": "text/plain"})
            response = made.getresponse()
            data = response.read(ANSWER_BYTES_MAX + 1)
            return _Reply(response.status, data)
    finally:
        made.close()


def _connection(url: str, seconds_max: float) -> http.client.HTTPConnection:
    accepted = "such as https://witness.example/azcn"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as a socket will: no part empty or too long
    except ValueError as error:
        raise InvalidValue(url, f"this is no URL: {error}", accepted) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or not host or parts.query or parts.fragment or parts.username:
        raise InvalidValue(url, "this is no URL of a witness", accepted)
    match parts.scheme:
        case "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, port, timeout=seconds_max, context=context
            )
        case "http":
            return http.client.HTTPConnection(host, port, timeout=seconds_max)
        case _:
            raise InvalidValue(url, "a witness speaks HTTP", accepted)


@contextmanager
def _at_most(seconds: float, connected: socket.socket) -> Generator[None]:
    """Cut a connection off after some time, however busy it is."""

    def cut() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
