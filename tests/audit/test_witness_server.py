from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.odd_logs import odd_log
from tests.audit.witness_clients import (
    ORIGIN,
    cosigned_roots,
    log_key,
    note_of,
    request_of,
    tree,
    witness_key,
)

from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.log import Log
from azcn_events.audit.notes import Scheme, open_checkpoint
from azcn_events.audit.witness import REQUEST_BYTES_MAX, Answer, Witness
from azcn_events.audit.witness_client import (
    ANSWER_BYTES_MAX,
    ask_witness,
    cosigned_by,
)
from azcn_events.audit.witness_memory import WitnessMemory
from azcn_events.audit.witness_server import WitnessServer, serving
from azcn_events.errors import InvalidValue, NotCosigned, ProofRefused

WAIT_S = 30
TREE = tree(0)
FIRST = request_of(TREE, 0, 9)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """A witness that knows one log, and has seen nothing of it."""
    with WitnessMemory.make(tmp_path / "witness.db") as memory:
        yield Witness([witness_key()], {ORIGIN: [log_key().verifier]}, memory)


def post(url: str, body: bytes) -> tuple[int, str | None, str]:
    """Ask as any client does; give status, media type and text."""
    place, _, path = url.removeprefix("http://").partition("/")
    asked = http.client.HTTPConnection(place, timeout=WAIT_S)
    try:
        asked.request("POST", f"/{path}/add-checkpoint".replace("//", "/"), body)
        answer = asked.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        asked.close()


def raw(url: str, data: bytes, *, shut: bool = True) -> bytes:
    """Send bytes that may be no HTTP, and give all that comes back."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as asked:
        told = b""
        try:
            asked.sendall(data)
            if shut:
                asked.shutdown(socket.SHUT_WR)
            while piece := asked.recv(65536):
                told += piece
        except ConnectionError:
            pass  # It had heard enough.
        return told


# Served


def test_the_conversation_over_http(witness: Witness) -> None:
    """Statuses and media types are those of the specification."""
    with serving(WitnessServer(witness)) as url:
        status, kind, lines = post(url, FIRST)
        assert (200, True) == (status, lines.startswith("— witness.example/w "))
        assert (409, "text/x.tlog.size", "9\n") == post(url, FIRST)
        assert (404, 400, 403, 422) == tuple(
            post(url, body)[0]
            for body in (
                request_of(TREE, 0, 9, key=SigningKey.make("log.example/other")),
                b"old 0\n",
                request_of(TREE, 9, 9, key=SigningKey.make(ORIGIN)),
                request_of(tree(1), 9, 12),
            )
        )
        assert kind == "text/plain; charset=utf-8"


def test_a_connection_is_kept(witness: Witness) -> None:
    """A client asks again by the connection that it has."""
    with serving(WitnessServer(witness)) as url:
        asked = http.client.HTTPConnection(url.removeprefix("http://"), timeout=WAIT_S)
        asked.connect()
        port = asked.sock.getsockname()
        for _ in range(3):
            asked.request("POST", "/add-checkpoint", FIRST)
            asked.getresponse().read()
            assert port == asked.sock.getsockname()
        asked.close()


def test_a_prefix_is_part_of_the_path(witness: Witness) -> None:
    """A witness may live below a path, and only there."""
    with serving(WitnessServer(witness, prefix="/azcn/")) as url:
        assert url.endswith("/azcn")
        assert 404 == post(url.removesuffix("/azcn"), FIRST)[0]
        assert 200 == post(url, FIRST)[0]


HEAD = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n"
REQUESTS = {
    "another path": (b"POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404),
    "another path, read": (b"GET /other HTTP/1.1\r\n\r\n", 404),
    "read": (b"GET /add-checkpoint HTTP/1.1\r\n\r\n", 405),
    "another method": (b"PUT /add-checkpoint HTTP/1.1\r\n\r\n", 501),
    "no length": (HEAD + b"\r\n" + FIRST, 411),
    "two lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n", 411),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", 411),
    "no number": (HEAD + b"Content-Length: x\r\n\r\n", 411),
    "a superscript": (HEAD + b"Content-Length: \xb2\r\n\r\n", 411),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    "both": (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    "too long": (HEAD + b"Content-Length: %d\r\n\r\n" % (REQUEST_BYTES_MAX + 1), 413),
    "far too long": (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    "a long line": (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a long header": (HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "many headers": (HEAD + b"X: a\r\n" * 200 + b"\r\n", 431),
    "no HTTP": (b"\x16\x03\x01\0\0 hello\r\n\r\n", 400),
}


@pytest.mark.parametrize("what", REQUESTS)
def test_what_is_no_request_is_refused(witness: Witness, what: str) -> None:
    """Each has its status, and the next client is served."""
    data, status = REQUESTS[what]
    with serving(WitnessServer(witness)) as url:
        told = raw(url, data)
        assert f" {status} ".encode() in told.partition(b"\r\n")[0], told[:100]
        assert b"connection: close" in told.lower()
        assert 200 == post(url, FIRST)[0]


def test_a_body_that_ends_early_is_not_answered(witness: Witness) -> None:
    """Half a request is none."""
    data = HEAD + b"Content-Length: %d\r\n\r\n" % len(FIRST) + FIRST[:-1]
    with serving(WitnessServer(witness)) as url:
        assert b"" == raw(url, data)
        assert 200 == post(url, FIRST)[0]


@given(st.data())
def test_hostile_bytes_do_no_harm(fuzzed: str, data: st.DataObject) -> None:
    """Whatever is sent, the server answers HTTP or nothing, and goes on."""
    sent = HEAD + b"Content-Length: %d\r\n\r\n" % len(FIRST) + FIRST
    piece = st.sampled_from([b"\r\n", b"\r\n\r\n", b":", b"\0", b"HTTP/0.9"])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(sent)))
        gone = data.draw(st.sampled_from([0, 1, 40]))
        put = data.draw(piece | st.binary(max_size=6))
        sent = sent[:at] + put + sent[at + gone :]
    told = raw(fuzzed, sent)
    # HTTP/0.9 has no headers: who asks for it gets the text alone.
    assert not told or told.startswith(b"HTTP/1.1 ") or told[:3].isdigit()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for many examples, which serves still when all of them are through."""
    path = tmp_path_factory.mktemp("fuzzed") / "witness.db"
    with WitnessMemory.make(path) as memory:
        witness = Witness([witness_key()], {ORIGIN: [log_key().verifier]}, memory)
        with serving(WitnessServer(witness)) as url:
            yield url
            assert post(url, request_of(TREE, 0, 12))[0] in {200, 409}


def test_a_memory_that_fails_is_503(witness: Witness) -> None:
    """What cannot be remembered is not cosigned; why is told to the operator alone."""
    told = list[str]()
    with serving(WitnessServer(witness, tell=told.append)) as url:
        witness.memory._db.execute("DROP TABLE seen")
        status, _, text = post(url, FIRST)
    assert (503, True) == (status, "seen" not in text)
    assert any("503" in line for line in told)


# Slow and many


def test_who_is_slow_is_cut_off(witness: Witness) -> None:
    """A client that says a byte now and then has not more time than others."""
    with (
        serving(WitnessServer(witness, connection_s_max=0.5)) as url,
        socket.create_connection(_address(url), timeout=WAIT_S) as slow,
    ):
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            _dribble(slow, HEAD * 1000)
        assert time.monotonic() - began < WAIT_S
        assert 200 == post(url, FIRST)[0]


def _dribble(connected: socket.socket, data: bytes) -> None:
    for byte in data:
        connected.sendall(bytes([byte]))
        time.sleep(0.05)


def test_when_all_places_are_taken_the_next_is_told(witness: Witness) -> None:
    """Idle clients fill the places; who comes then hears 503, and later is served."""
    server = WitnessServer(witness, clients_max=2, connection_s_max=1.0)
    with serving(server) as url:
        idle = [socket.create_connection(_address(url), WAIT_S) for _ in range(2)]
        for one in idle:
            one.sendall(b"POST ")
        _until(lambda: post_status(url) == 503)
        _until(lambda: post_status(url) in {200, 409})
        for one in idle:
            one.close()


def post_status(url: str) -> int:
    """Give the status; 0 if the server hung up before it could be read."""
    try:
        return post(url, FIRST)[0]
    except (OSError, http.client.HTTPException):
        return 0


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def test_stopping_answers_who_was_asking_and_frees_the_port(witness: Witness) -> None:
    """Who has asked gets the answer; who idles does not keep the server from ending."""
    entered, go_on = threading.Event(), threading.Event()

    def clock() -> int:
        entered.set()
        assert go_on.wait(WAIT_S)
        return 1

    slow = Witness(witness.keys, witness.logs, witness.memory, clock)
    with ThreadPoolExecutor(1) as pool:
        with serving(WitnessServer(slow)) as url:
            idle = socket.create_connection(_address(url), WAIT_S)
            asked = pool.submit(post, url, FIRST)
            assert entered.wait(WAIT_S)
            threading.Timer(0.3, go_on.set).start()
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert 9 == witness.memory.seen(ORIGIN).size
        assert 200 == asked.result()[0]
    idle.close()
    again = WitnessServer(witness, _address(url))
    again.server_close()


def test_clients_of_two_histories_over_http(witness: Witness) -> None:
    """Ten clients at once: of each size one root is cosigned."""
    with serving(WitnessServer(witness)) as url, ThreadPoolExecutor(10) as pool:

        def ask(body: bytes) -> Answer:
            status, _, text = post(url, body)
            return Answer(status, text, "")

        told = pool.map(lambda name: list(cosigned_roots(ask, name % 2, 12)), range(10))
        roots = dict[int, str]()
        for size, root in (one for each in told for one in each):
            assert root == roots.setdefault(size, root)
    assert roots


# The client


def test_a_log_gets_its_checkpoints_cosigned(witness: Witness) -> None:
    """First, next, and again: whatever size the witness has, the client finds it."""
    log = Log(odd_log(70))
    with serving(WitnessServer(witness)) as url:
        for size in (3, 64, 64, 70):
            note = signed(log.checkpoint(ORIGIN, size), [log_key()])
            lines = ask_witness(url, log, note)
            cosigned = cosigned_by(note, lines, [witness_key().verifier])
            known = [log_key().verifier, witness_key().verifier]
            assert 2 == len(open_checkpoint(cosigned, known, ORIGIN).signers)
            assert cosigned == cosigned_by(cosigned, lines, known[1:])
    assert 70 == witness.memory.seen(ORIGIN).size


def test_a_restored_backup_is_told(witness: Witness) -> None:
    """A witness that has seen more than there is says how much."""
    log = Log(odd_log(70))
    with serving(WitnessServer(witness)) as url:
        ask_witness(url, log, signed(log.checkpoint(ORIGIN), [log_key()]))
        older = signed(log.checkpoint(ORIGIN, 60), [log_key()])
        for old in (0, 50, 60, 80):
            with pytest.raises(NotCosigned, match=r"at size 70.*60.*backup") as told:
                ask_witness(url, log, older, old=old)
            assert 409 == told.value.status


def test_a_fork_is_told(witness: Witness) -> None:
    """A witness that has seen another root of this size can prove it."""
    log = Log(odd_log(9))
    with serving(WitnessServer(witness)) as url:
        assert 200 == post(url, FIRST)[0]
        with pytest.raises(NotCosigned, match="two histories"):
            ask_witness(url, log, signed(log.checkpoint(ORIGIN), [log_key()]))
    assert 1 == len(witness.memory.forks())


def test_a_history_that_is_no_continuation_is_told(witness: Witness) -> None:
    """The proof from what the witness has seen does not verify."""
    log = Log(odd_log(20))
    with serving(WitnessServer(witness)) as url:
        assert 200 == post(url, FIRST)[0]
        with pytest.raises(NotCosigned, match="root of the smaller tree") as told:
            ask_witness(url, log, signed(log.checkpoint(ORIGIN), [log_key()]))
    assert 422 == told.value.status


@contextmanager
def answering(*answers: bytes) -> Generator[str]:
    """Listen, and give to each client in turn what is to be said, whatever it asks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for one in answers:
                client, _ = listener.accept()
                with client:
                    asked = b""
                    while b"\n\n" not in asked:
                        asked += client.recv(65536)
                    client.sendall(one)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(WAIT_S)


def _http(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


ODD_ANSWERS = {
    "no HTTP": b"hello\r\n\r\n",
    "nothing": b"",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no signature": _http(200, b""),
    "no line": _http(200, b"hello\n"),
    "half a line": _http(200, "— w AAAAAAAA".encode()),
    "not UTF-8": _http(200, b"\xff\n"),
    "too long": _http(200, b"x" * (ANSWER_BYTES_MAX + 1)),
    "moved": b"HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\n\r\n",
    "no size": _http(409, b"nine\n"),
    "a sign": _http(409, b"-1\n"),
    "another script": _http(409, "\u0665\n".encode()),
    "a huge size": _http(409, b"9" * 400),
    "no reason": _http(500, b""),
    "control characters": _http(500, b"\x1b[31mred\0"),
}


@pytest.mark.parametrize("what", ODD_ANSWERS)
def test_odd_answers_are_no_cosignatures(what: str) -> None:
    """Whatever a witness says, it is told plainly that it did not cosign."""
    log = Log(odd_log(9))
    note = signed(log.checkpoint(ORIGIN), [log_key()])
    with answering(ODD_ANSWERS[what]) as url, pytest.raises(NotCosigned) as told:
        ask_witness(url, log, note)
    assert str(told.value).isprintable()


def test_a_witness_that_changes_its_mind_is_asked_twice_only() -> None:
    """A second 409 is the end of it."""
    log = Log(odd_log(9))
    note = signed(log.checkpoint(ORIGIN), [log_key()])
    twice = (_http(409, b"3\n"), _http(409, b"4\n"))
    with answering(*twice) as url, pytest.raises(NotCosigned, match="meanwhile"):
        ask_witness(url, log, note)


def test_a_witness_that_dribbles_is_not_waited_for() -> None:
    """An answer that comes byte by byte has not more time than any other."""
    log = Log(odd_log(9))
    note = signed(log.checkpoint(ORIGIN), [log_key()])
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def dribble() -> None:
            client, _ = listener.accept()
            with client, pytest.raises(ConnectionError):
                _dribble(client, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)

        thread = threading.Thread(target=dribble)
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(NotCosigned):
            ask_witness(url, log, note, seconds_max=0.5)
        assert time.monotonic() - began < WAIT_S
        thread.join(WAIT_S)


def test_a_witness_that_is_not_there() -> None:
    """Nobody listens: that is told, with the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = Log(odd_log(9))
    note = signed(log.checkpoint(ORIGIN), [log_key()])
    with pytest.raises(NotCosigned, match=f"127.0.0.1:{port}") as told:
        ask_witness(f"http://127.0.0.1:{port}", log, note)
    assert 0 == told.value.status


@pytest.mark.parametrize(
    "url",
    [
        "",
        "witness.example",
        "ftp://witness.example",
        "file:///etc/passwd",
        "http://",
        "http://w:port/",
        "http://w:99999/",
        "http://w/a b",
        "http://w/\r\nX: y",
        "http://user@w/",
        "http://w/?q",
        "http://w/#f",
        "http://[::1",
        "http://ə.example/",
        "http://a..b/",
        "https://.a/",
        f"http://{'a' * 70}.example/",
    ],
)
def test_what_is_no_url_of_a_witness(url: str) -> None:
    """It is refused before anybody is asked, and named."""
    log = Log(odd_log(1))
    with pytest.raises(InvalidValue) as told:
        ask_witness(url, log, signed(log.checkpoint(ORIGIN), [log_key()]))
    assert url == told.value.found


def test_only_cosignatures_of_known_keys_are_added() -> None:
    """Others' lines are left out; without any, or with a false one, it is refused."""
    note, key = note_of(TREE, 9), witness_key()
    other = SigningKey.make("other.example/w", Scheme.COSIGNATURE)
    good, unknown = key.sign(note.text, 5), other.sign(note.text, 5)
    false = good._replace(value=good.value[:-1] + bytes([good.value[-1] ^ 1]))
    known = [key.verifier]
    assert note.plus(good) == cosigned_by(note, [unknown, good], known)
    often = [key.sign(note.text, time) for time in range(1, 101)]
    assert note.plus(often[-1]) == cosigned_by(note, often, known)
    for lines in ([], [unknown], [false], [good, false]):
        with pytest.raises(ProofRefused):
            cosigned_by(note, lines, known)
    elsewhere = key.sign(note_of(TREE, 8).text, 5)
    with pytest.raises(ProofRefused):
        cosigned_by(note, [elsewhere], known)
