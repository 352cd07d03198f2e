"""A store in one SQLite file, for any number of threads and processes of one host.

The driver is ``apsw`` and not the standard library's ``sqlite3``:

- it brings its own, current SQLite. Versions before 3.51.3 can damage a file
  when a writer resets the write-ahead log while another connection checkpoints
  it, and the version below ``sqlite3`` is whatever the machine happens to have;
- it begins no transaction of its own accord;
- its errors keep SQLite's codes, so that a full disk is told from a damaged file;
- it is faster: 0.6 of the time for a scan, and as much for a batch of inserts.

Beside ``ledger.db`` there are ``ledger.db-wal`` and ``ledger.db-shm``, which are
SQLite's and part of the ledger while it is open, and ``ledger.db-gate``, which is
empty, ours, and only keeps the line of waiting writers.
"""

from __future__ import annotations

from azcn_events.stores.sqlite.file import APPLICATION_ID, SCHEMA_VERSION
from azcn_events.stores.sqlite.store import SqliteStore

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "SqliteStore"]
