"""A witness behind HTTP: ``POST <prefix>/add-checkpoint``, and nothing else.

Made for a small number of logs that ask now and then. It answers them at once, each in
a thread, and only so many; who is slow or sends too much is cut off, so that nobody
keeps the others waiting. Encryption, and who may connect, are for a proxy before it.

Source:
    C2SP, "Transparency Log Witnesses", https://c2sp.org/tlog-witness.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final, TypeAlias, cast

from azcn_events.audit.witness import REQUEST_BYTES_MAX, SIZE_TYPE, Witness
from azcn_events.errors import StoreError

__all__ = ["CLIENTS_MAX", "CONNECTION_S_MAX", "WitnessServer", "serving"]

CLIENTS_MAX: Final = 50
"""How many clients are served at once; the next is told to come later."""
CONNECTION_S_MAX: Final = 30.0
"""How long a connection may last, whatever is done with it, in seconds."""

_IDLE_S_MAX: Final = 10.0
_POLL_S: Final = 0.2
_TEXT_TYPE: Final = "text/plain; charset=utf-8"
_Given: TypeAlias = Any
"""What ``socketserver`` hands over: a socket, an address. Its own types say no more."""
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness until it is told to stop; :func:`serving` does both.

    Args:
        witness: Who answers.
        address: Host and port; port 0 takes any that is free.
        prefix: What comes before ``/add-checkpoint`` in the path.
        tell: Is given a line for every answer and every trouble. Called by many
            threads.
        clients_max: See ``CLIENTS_MAX``.
        connection_s_max: See ``CONNECTION_S_MAX``.
    """

    daemon_threads = False  # so that closing waits for those that are being answered

    def __init__(
        self,
        witness: Witness,
        address: tuple[str, int] = ("127.0.0.1", 0),
        *,
        prefix: str = "",
        tell: Callable[[str], object] = lambda _: None,
        clients_max: int = CLIENTS_MAX,
        connection_s_max: float = CONNECTION_S_MAX,
    ) -> None:
        """Listen; :meth:`serve_forever` answers."""
        self.witness = witness
        self.path = f"{prefix.rstrip('/')}/add-checkpoint"
        self.tell = tell
        self._places = threading.BoundedSemaphore(clients_max)
        self._connection_s_max = connection_s_max
        self._until = dict[socket.socket, float]()
        self._alone = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it is, as :func:`azcn_events.audit.witness_client.ask_witness` asks."""
        host, port = self.server_address[:2]
        named = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{named}:{port}{self.path.removesuffix('/add-checkpoint')}"

    def server_bind(self) -> None:
        """Bind, without asking the name service who we are as the base class does."""
        TCPServer.server_bind(self)

    def process_request(self, request: _Given, client_address: _Given) -> None:
        """Answer in a thread, if there is a place."""
        if not self._places.acquire(blocking=False):
            self.tell(f"{client_address[0]}: 503: too many clients")
            with suppress(OSError):
                request.settimeout(_POLL_S)
                request.sendall(_BUSY)
            self.shutdown_request(request)
            return
        with self._alone:
            self._until[request] = time.monotonic() + self._connection_s_max
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._leave(request)
            raise

    def process_request_thread(self, request: _Given, client_address: _Given) -> None:
        """Answer, and give the place free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._leave(request)

    def service_actions(self) -> None:
        """Cut off whoever has been here for too long."""
        now = time.monotonic()
        self._cut(socket.SHUT_RDWR, lambda until: until < now)

    def handle_error(self, request: _Given, client_address: _Given) -> None:
        """Say what happened; the others are served on."""
        del request
        error = sys.exception()
        self.tell(f"{client_address[0]}: broken off: {error!r}")

    def server_close(self) -> None:
        """Hear no more of anybody, answer what was asked, and release the port."""
        self._cut(socket.SHUT_RD, lambda _: True)
        super().server_close()

    def _leave(self, request: socket.socket) -> None:
        with self._alone:
            del self._until[request]
        self._places.release()

    def _cut(self, how: int, whom: Callable[[float], bool]) -> None:
        with self._alone:
            for request, until in self._until.items():
                if whom(until):
                    with suppress(OSError):  # It has gone by itself.
                        request.shutdown(how)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # so that what is no HTTP gets a status too
    server_version = "azcn-witness"
    sys_version = ""
    timeout = _IDLE_S_MAX
    error_content_type = _TEXT_TYPE
    error_message_format = "%(code)d %(message)s\n"

    def do_POST(self) -> None:
        if self.path != self._here.path:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        length = self._length()
        if length is None:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif length > REQUEST_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._answer(self.rfile.read(length), length)

    def do_GET(self) -> None:
        known = self.path == self._here.path
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND)

    @property
    def _here(self) -> WitnessServer:
        return cast("WitnessServer", self.server)

    def _length(self) -> int | None:
        """Give the body's length, if the headers state it once and in one way."""
        stated = self.headers.get_all("Content-Length", [])
        if len(stated) != 1 or self.headers.get_all("Transfer-Encoding"):
            return None
        number = stated[0].strip(" \t")
        if not (number.isascii() and number.isdigit()):
            return None
        return int(number[:10])

    def _answer(self, body: bytes, length: int) -> None:
        if len(body) < length:
            self.close_connection = True
            return
        try:
            answer = self._here.witness.answer(body)
        except StoreError as error:
            self._tell(503, str(error))
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._tell(answer.status, answer.reason)
        kind = SIZE_TYPE if answer.status == 409 else _TEXT_TYPE
        self._send(answer.status, answer.body, kind)

    def _send(self, status: int, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: HTTPStatus) -> None:
        """Refuse without having read the body, which ends the connection."""
        self.send_error(status)  # says Connection: close

    def _tell(self, status: int, reason: str) -> None:
        self._here.tell(f"{self.client_address[0]}: {status}: {reason}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say what the base class says of requests that are no HTTP."""
        self._here.tell(f"{self.client_address[0]}: {format % args}")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: every answer is told with its reason."""


@contextmanager
def serving(server: WitnessServer) -> Generator[str]:
    """Serve in a thread while the block runs, and give the URL.

    At the end nobody new is heard, whoever was asking is answered, and the port is
    free again.
    """
    thread = threading.Thread(
        target=server.serve_forever, args=(_POLL_S,), name="witness"
    )
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
