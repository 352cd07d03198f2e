"""Commands of a witness: cosign others' checkpoints, and show what speaks against them.

For an institution outside of the operator's house; see
:mod:`azcn_events.audit.witness`. The operator asks with ``azcn checkpoint --witness``.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from azcn_events.cli.commands import Commands
from azcn_events.cli.terminal import hand_out, read_policy, say
from azcn_events.errors import AzcnEventsError

__all__ = ["add"]

_PORT_MAX: Final = 65535
_LOOK_S: Final = 1.0
"""How often to look for a signal where waiting is not interrupted by one (Windows)."""


def add(commands: Commands) -> None:
    """Add the commands of a witness."""
    witness = commands.add(
        "witness",
        _witness,
        "cosign the checkpoints of logs, and never two histories of one: answers over"
        " HTTP until it is stopped; what it cosigns it remembers first",
        "azcn witness --key-file sai.key --state sai.db --log log.example/azcn+1a2b…",
    )
    witness.add_argument(
        "--key-file",
        required=True,
        action="append",
        dest="keys",
        metavar="FILE",
        help="the witness's key, of a scheme for cosignatures; may be repeated",
    )
    witness.add_argument(
        "--state",
        required=True,
        metavar="FILE",
        help="what it remembers; never restore an old copy",
    )
    witness.add_argument(
        "--begin",
        metavar="NAME",
        help="make a new key and an empty state, print the public key, and end; the"
        " name is a URL without its scheme",
    )
    witness.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="VKEY",
        help="the public key of a log to cosign for; may be repeated",
    )
    witness.add_argument(
        "--policy",
        metavar="FILE",
        help="more of them: the lines 'log VKEY' of a policy; its other lines say"
        " nothing here",
    )
    witness.add_argument(
        "--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)"
    )
    witness.add_argument(
        "--port",
        type=_port,
        default=0,
        help="where to listen; 0, the default, takes any that is free",
    )
    forks = commands.add(
        "forks",
        _forks,
        "print what a witness keeps as proof that a log signed two histories; exit"
        " code 1 if there is any",
        "azcn forks sai.db > forks.txt",
    )
    forks.add_argument("state", help="what the witness remembers")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!a} is no port: 0 to {_PORT_MAX}")
    return int(text)


def _witness(options: argparse.Namespace) -> None:
    if options.begin is not None:
        _begin(options)
    else:
        _serve(options)


def _begin(options: argparse.Namespace) -> None:
    """Make key and state together: an old key with a new state would forget."""
    from azcn_events.audit.keys import SigningKey  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.notes import Scheme  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness_memory import WitnessMemory  # noqa: PLC0415 - see open_ledger

    if len(options.keys) != 1 or options.log or options.policy:
        problem = "--begin makes one key, and serves no logs yet: leave them out"
        raise AzcnEventsError(problem)
    key = SigningKey.make(options.begin, Scheme.COSIGNATURE)
    WitnessMemory.make(options.state).close()
    try:
        key.save(options.keys[0])
    except BaseException:
        Path(options.state).unlink()
        raise
    say(f"{options.keys[0]} is the key, {options.state} the state. Give away:")
    hand_out(f"{key.verifier}\n".encode())


def _serve(options: argparse.Namespace) -> None:
    from azcn_events.audit.keys import SigningKey  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness import Witness  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness_memory import WitnessMemory  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness_server import WitnessServer, serving  # noqa: PLC0415 - see open_ledger

    keys, logs = [SigningKey.load(path) for path in options.keys], _logs(options)
    with WitnessMemory.open(options.state) as memory, _stop_signals() as stop:
        witness = Witness(keys, logs, memory)
        known = {origin: memory.seen(origin).size for origin in logs}
        if memory.forks():
            _tell(f"a log signed two histories: see 'azcn forks {options.state}'")
        try:
            server = WitnessServer(witness, (options.host, options.port), tell=_tell)
        except OSError as error:
            problem = f"{options.host}, port {options.port}: cannot listen: {error}"
            raise AzcnEventsError(problem) from None
        with serving(server) as url:
            for key in keys:
                hand_out(f"key: {key.verifier}\n".encode())
            for origin, size in known.items():
                say(f"log: {origin}, cosigned up to event {size:,}")
            say(f"address: {url}")
            sys.stdout.flush()
            _wait(stop)


def _logs(options: argparse.Namespace) -> Any:  # noqa: ANN401 - keys by name; imported late
    """Give the logs to cosign for, each with its keys."""
    from attrs import evolve  # noqa: PLC0415 - see open_ledger

    from azcn_events.audit.policy import parse_policy  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness import logs_of  # noqa: PLC0415 - see open_ledger

    lines = [*(f"log {vkey}" for vkey in options.log), "quorum none", ""]
    policy = parse_policy("\n".join(lines).encode(), "--log")
    if options.policy:
        more = read_policy(options.policy).logs
        every = dict.fromkeys((*policy.logs, *more))
        policy = evolve(policy, logs=tuple(every))
    if not policy.logs:
        raise AzcnEventsError("for which logs? give --log or --policy")
    return logs_of(policy)


def _tell(line: str) -> None:
    """Write a line with its time; that nobody reads it keeps no answer back."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with suppress(OSError, ValueError):
        say(f"{now} {line}", file=sys.stderr)


@contextmanager
def _stop_signals() -> Generator[SimpleQueue[int]]:
    """Give a queue that SIGINT and SIGTERM are put into while the block runs."""
    # An Event may lock up when it is set by the signal that interrupts its wait.
    queue = SimpleQueue[int]()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda got, _: queue.put(got)) for one in numbers]
    try:
        yield queue
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _wait(queue: SimpleQueue[int]) -> None:
    while True:
        with suppress(Empty):
            queue.get(timeout=_LOOK_S)
            return


def _forks(options: argparse.Namespace) -> int:
    from azcn_events.audit.witness import parse_request  # noqa: PLC0415 - see open_ledger
    from azcn_events.audit.witness_memory import WitnessMemory  # noqa: PLC0415 - see open_ledger

    with WitnessMemory.open(options.state) as memory:
        forks = memory.forks()
    for fork in forks:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(fork.time))
        say(f"== {fork.origin} signed two histories of {fork.size:,} events ==\n")
        say("cosigned:\n")
        _hand_out_note(fork.note)
        say(f"shown on {when}:\n")
        _hand_out_note(parse_request(fork.request).note)
    return int(bool(forks))


def _hand_out_note(note: bytes) -> None:
    """Print a note that came from anywhere: as it is, or so that it can be looked at.

    With a character escaped it would prove nothing, and as it is it might act on a
    terminal.
    """
    if sys.stdout.isatty():
        say(note.decode(errors="backslashreplace"))
    else:
        hand_out(note + b"\n")
