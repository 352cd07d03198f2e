"""Logs with two histories that ask a witness; as a program, with a memory in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256

from azcn_events.audit.checkpoints import Checkpoint
from azcn_events.audit.keys import SigningKey, signed
from azcn_events.audit.notes import Note, Scheme
from azcn_events.audit.witness import Answer, Witness, write_request
from azcn_events.audit.witness_memory import WitnessMemory
from azcn_events.core.merkle import Tree

__all__ = [
    "ORIGIN",
    "cosigned_roots",
    "log_key",
    "note_of",
    "request_of",
    "tree",
    "witness_key",
]

ORIGIN = "log.example/azcn"
SIZE = 4000
"""How many leaves the trees here have."""


@cache
def log_key() -> SigningKey:
    """The key of the log: for these tests alone, and the same in every process."""
    return SigningKey._of(ORIGIN, Scheme.ED25519, sha256(b"log").digest())


@cache
def witness_key() -> SigningKey:
    """The key of the witness."""
    name = "witness.example/w"
    return SigningKey._of(name, Scheme.COSIGNATURE, sha256(b"witness").digest())


@cache
def tree(history: int) -> Tree:
    """Give the tree of one history; all differ from the first leaf on."""

    def leaves(low: int, high: int) -> Iterator[bytes]:
        for index in range(low, high):
            yield sha256(f"{history} {index}".encode()).digest()

    made = Tree(leaves)
    made.grow(SIZE)
    return made


def note_of(tree: Tree, size: int, key: SigningKey | None = None) -> Note:
    """Give the signed checkpoint of a tree."""
    key = key or log_key()
    return signed(Checkpoint(key.verifier.name, size, tree.root(size)), [key])


def request_of(tree: Tree, old: int, size: int, key: SigningKey | None = None) -> bytes:
    """Give the body of a request, with a proof if there can be one."""
    proof = tree.consistency(old, size) if 0 < old <= size else []
    return write_request(old, proof, note_of(tree, size, key))


def cosigned_roots(
    answer: Callable[[bytes], Answer], history: int, rounds: int
) -> Iterator[tuple[int, str]]:
    """Ask for one larger size after another; yield size and root of each cosigned."""
    old = 0
    for size in range(1, rounds + 1):
        if size < old:
            continue
        told = answer(request_of(tree(history), old, size))
        if told.status == 409 and int(told.body) <= size:
            old = int(told.body)
            told = answer(request_of(tree(history), old, size))
        if told.status == 200:
            yield size, tree(history).root(size).hex()
            old = size


def main() -> None:
    """Ask a witness whose memory is a file, and print what it cosigned."""
    path, history, rounds = sys.argv[1:]
    with WitnessMemory.open(path) as memory:
        witness = Witness([witness_key()], {ORIGIN: [log_key().verifier]}, memory)
        asked = cosigned_roots(witness.answer, int(history), min(int(rounds), SIZE))
        for size, root in asked:
            sys.stdout.write(f"{size} {root}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
