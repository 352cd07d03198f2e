"""Logs and keys to sign with; keys are made once, and are worth nothing."""

from __future__ import annotations

from azcn_events.audit import Log, LogSigner, Note, Scheme, SigningKey, signed
from azcn_events.stores.memory import MemoryStore
from azcn_events.stores.protocol import Draft, Store

__all__ = [
    "LOG_KEY",
    "ORIGIN",
    "QUANTUM_KEY",
    "TIME",
    "WITNESS_KEY",
    "LogSigner",
    "fill",
    "log_of",
    "note_of",
]

ORIGIN = "log.example/azcn"
TIME = 1_795_000_000
LOG_KEY = SigningKey.make(ORIGIN)
QUANTUM_KEY = SigningKey.make(ORIGIN, Scheme.COSIGNATURE_MLDSA44)
WITNESS_KEY = SigningKey.make("witness.example/w1", Scheme.COSIGNATURE)


def fill(store: Store, count: int, *, word: str = "event") -> None:
    """Append events to a stream of their own; as many logs of one size as words."""
    before = store.version("agreement/a")
    drafts = [
        Draft("agreement/a", f"{word}-{before + at}", "told/1", b'{"n":%d}' % at)
        for at in range(count)
    ]
    store.append(drafts, {"agreement/a": before})


def log_of(count: int, *, word: str = "event") -> Log:
    """Give a log of so many events, the same for the same word."""
    store = MemoryStore(clock=lambda: TIME * 1_000_000)
    fill(store, count, word=word)
    return Log(store)


def note_of(log: Log, size: int | None = None) -> Note:
    """Give a signed checkpoint of a log."""
    return signed(log.checkpoint(ORIGIN, size), [LOG_KEY])
