"""Sealed values: kept beside the log, and erased without changing it.

A vault is a SQLite file of its own. For each sealed value it holds a box, the value
and its salt encrypted with the key of the person it is about; the log holds only the
commitment. Erasing deletes the box and the key, physically, and records an ``Erased``
event. No byte of the log is different after that: every leaf, proof and checkpoint
still holds, and reports say "erased" where they said "withheld".

A commitment is SHA-256(salt || value). A box is a nonce of 12 bytes and what
AES-256-GCM (NIST SP 800-38D) makes of salt || value. A text is written as a JSON
string, an amount as a JSON object, in UTF-8 without spaces.

What is not in reach: copies of the vault, in backups above all; blocks that a disk has
put aside; values that were opened and copied. Keep backups of the vault for a shorter
time than you may take to erase.

Needs the extra ``crypto``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import apsw
from attrs import evolve, frozen

from azcn_events.core.codec import Codec
from azcn_events.core.conversion import structure
from azcn_events.core.events import ERASURES, Erased, Event, Recorded
from azcn_events.core.history import History
from azcn_events.core.values import (
    SALT_BYTES,
    Amount,
    Citation,
    Sealed,
    When,
    check_name,
    resealed,
)
from azcn_events.errors import (
    ExtraMissing,
    InvalidValue,
    NotOpened,
    ProofRefused,
    StoreUnusable,
)
from azcn_events.ledger import Ledger, View
from azcn_events.stores.sqlite.driver import Connection, each, explained, milliseconds

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as error:
    missing = error.name or "cryptography"
    raise ExtraMissing("crypto", "Sealing a value", missing, str(error)) from error

__all__ = ["COMMITMENTS_MAX", "Vault", "opened"]

COMMITMENTS_MAX: Final = 10_000
"""How many values are erased at once: their event must fit into any store."""

_CONTEXT: Final = b"azcn-sealed/1"
_NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256
_APPLICATION_ID: Final = 0x617A6376  # "azcv"
_VERSION: Final = 1
_WAIT_S: Final = 10.0
_SCHEMA: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
CREATE TABLE sealed (
  commitment TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person_key,
  box        BLOB NOT NULL
) STRICT;
CREATE INDEX sealed_of_person ON sealed (person);
CREATE TABLE person_key (
  person TEXT PRIMARY KEY,
  key    BLOB NOT NULL
) STRICT;
-- Values that are deleted, and whose erasure the log does not say yet.
CREATE TABLE erasure (
  id       TEXT PRIMARY KEY,
  person   TEXT NOT NULL,
  kind     TEXT NOT NULL,
  payload  BLOB NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
"""


class Vault:
    """The values that a ledger's events hold as commitments.

    Use it as a context manager, or call :meth:`close`. Processes may share the file.
    """

    def __init__(self, connection: Connection, place: str) -> None:
        """Take over a connection; :meth:`open` makes one."""
        self._db = connection
        self.place = place

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True) -> Vault:
        """Open a vault.

        Args:
            path: Its file. Not the ledger's: it is copied and kept by other rules.
            create: Make it if it is missing; otherwise that is an error.

        Raises:
            StoreUnusable: If it is missing, no vault, newer, or damaged.
            StoreBusy: If another process kept it for too long.
        """
        place = os.fspath(path)
        if not place or place == ":memory:" or "\0" in place:
            raise InvalidValue(place, "this cannot name a file", "a path")
        if not create and not Path(place).exists():
            raise StoreUnusable(place, "missing", "there is no vault; is it the path?")
        if not Path(place).exists():
            # Not by SQLite, which would let everybody read it; an empty file is new.
            with suppress(FileExistsError, FileNotFoundError):
                os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with explained(place, _WAIT_S):
            connection = cast("Connection", apsw.Connection(place))
            vault = cls(connection, place)
            try:
                vault._prepare()
            except BaseException:
                connection.close()
                raise
        return vault

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file. Calling it twice is fine."""
        self._db.close()

    def seal(self, value: str | Amount, *, person: str) -> Sealed:
        """Keep a value here, and give what an event may hold in its place.

        The value is stored when this returns: so no event is ever recorded whose value
        is nowhere. One that is then not recorded leaves a value that nothing names.

        Args:
            value: A text or an amount.
            person: Whom it is about, or what else shall be erased together; best a
                number that says nothing by itself.

        Raises:
            InvalidValue: If the value is of another type, or ``person`` is no name.
        """
        check_name(person, "a person")
        written, salt = _written(value), os.urandom(SALT_BYTES)
        sealed = Sealed.of(salt, written)
        with self._transaction():
            key = self._key(person) or self._new_key(person)
            nonce = os.urandom(_NONCE_BYTES)
            box = nonce + AESGCM(key).encrypt(nonce, salt + written, _CONTEXT)
            row = (sealed.commitment, person, box)
            self._db.executemany("INSERT INTO sealed VALUES (?, ?, ?)", [row])
        return sealed

    def unseal(self, sealed: Sealed) -> str | Amount:
        """Open a sealed value.

        Raises:
            NotOpened: If the vault does not hold it: it is erased, say.
            ProofRefused: If what the vault holds is not what was committed to.
        """
        found = self._rows(
            "SELECT box, key FROM sealed JOIN person_key USING (person)"
            " WHERE commitment = ?",
            sealed.commitment,
        )
        if not found:
            raise NotOpened(sealed.commitment, self.place)
        box, key = (cast("bytes", part) for part in found[0])
        nonce, cipher = box[:_NONCE_BYTES], box[_NONCE_BYTES:]
        try:
            plain = AESGCM(key).decrypt(nonce, cipher, _CONTEXT)
        except (InvalidTag, ValueError):
            problem = f"its box was altered ({sealed.commitment})"
            raise ProofRefused("sealed value", problem) from None
        salt, written = plain[:SALT_BYTES], plain[SALT_BYTES:]
        if len(salt) != SALT_BYTES or Sealed.of(salt, written) != _stored(sealed):
            problem = f"it is not the one committed to ({sealed.commitment})"
            raise ProofRefused("sealed value", problem)
        return _read(written)

    def holds(self, sealed: Sealed) -> bool:
        """Say whether it can be opened here."""
        sql = "SELECT 1 FROM sealed WHERE commitment = ?"
        return bool(self._rows(sql, sealed.commitment))

    def commitments(self, person: str) -> tuple[str, ...]:
        """Give the commitments of all that is kept of a person; may be empty."""
        sql = "SELECT commitment FROM sealed WHERE person = ? ORDER BY commitment"
        return tuple(str(row[0]) for row in self._rows(sql, person))

    def erase(
        self,
        ledger: Ledger,
        *,
        person: str = "",
        commitments: Iterable[str] = (),
        ordered_by: str,
        ground: str,
        approved_by: Iterable[str],
        cites: Citation,
        when: When | None = None,
    ) -> Recorded:
        """Erase values for ever, and record that, and on whose order, they were.

        First the values go, and in the same transaction the vault notes what is to be
        recorded; then the file is written anew; then the log says "erased"; then the
        note goes. So the log never says of a value that it is gone while it is there.
        Broken off at any moment, the erasure is completed by calling this again, or
        :meth:`finish`.

        Args:
            ledger: Whose events hold the commitments.
            person: Erase all that is kept of this person; or
            commitments: Erase these values.
            ordered_by: Who ordered it.
            ground: On what legal ground.
            approved_by: Who approved it: at least two different people.
            cites: The order.
            when: The day of the order; the ledger's today if left out.

        Returns:
            The record of the ``Erased`` event, in the stream ``ERASURES``; of
            commitments that are erased already, the record that says so.

        Raises:
            InvalidValue: If fewer than two people approve, if who or why is missing,
                or if the vault does not hold what is to be erased. Nothing is erased.
            StoreError: If the vault or the ledger fails: call it again later.
        """
        given = tuple(dict.fromkeys(commitments))
        if bool(person) == bool(given):
            accepted = "either a person or commitments"
            raise InvalidValue(person, "it is not said what to erase", accepted)
        broken_off = [
            record
            for order, record in self._finished(ledger)
            if person and person == order.person
        ]
        doomed = given or self.commitments(person)
        if not any(self.holds(Sealed(one)) for one in doomed):
            done = broken_off or _erasures_of(ledger, given)
            if done:
                return done[-1]
        _check_number(person, doomed)
        event = Erased(
            commitments=doomed,
            ordered_by=ordered_by,
            ground=ground,
            approved_by=tuple(approved_by),
            cites=cites,
            when=when or When(ledger.view().moment.on.isoformat()),
        )
        digest = sha256("\n".join(doomed).encode()).hexdigest()[:32]
        order = _Order(f"erased-{digest}", person, *ledger.codec.encode(event))
        self._delete(order, doomed)
        return self._complete(ledger, order)

    def finish(self, ledger: Ledger) -> tuple[Recorded, ...]:
        """Complete erasures that were broken off; does nothing if there are none.

        Returns:
            The records of their ``Erased`` events.
        """
        return tuple(record for _, record in self._finished(ledger))

    # Inside

    def _finished(self, ledger: Ledger) -> list[tuple[_Order, Recorded]]:
        return [(order, self._complete(ledger, order)) for order in self._orders()]

    def _complete(self, ledger: Ledger, order: _Order) -> Recorded:
        """Do what follows once the values are deleted; each step may be repeated."""
        self._wipe()
        event = ledger.codec.decode(order.kind, order.payload, order.checksum)
        receipt = ledger.record(ERASURES, event, ids=[order.id])
        self._done(order)
        return receipt.records[0]

    def _prepare(self) -> None:
        self._db.set_busy_timeout(milliseconds(_WAIT_S))
        self._db.pragma("trusted_schema", False)
        self._check_identity()  # Before anything is written, the journal's mode too.
        # Deleted bytes are overwritten; what is left of a journal is deleted; nothing
        # goes to a temporary file; a commit survives a power cut.
        self._db.pragma("secure_delete", True)
        self._db.pragma("journal_mode", "DELETE")
        self._db.pragma("temp_store", "MEMORY")
        self._db.pragma("synchronous", "EXTRA")
        self._db.pragma("fullfsync", True)
        self._db.pragma("foreign_keys", True)
        with self._transaction():
            if self._check_identity():
                self._db.execute(_SCHEMA)

    def _check_identity(self) -> bool:
        """Refuse what is no vault; say whether there is nothing in the file yet."""
        application, version = (
            self._db.pragma(name) for name in ("application_id", "user_version")
        )
        is_new = not self._rows("SELECT 1 FROM sqlite_schema LIMIT 1")
        if is_new and (application, version) == (0, 0):
            return True
        if application != _APPLICATION_ID:
            raise StoreUnusable(self.place, "foreign", "this SQLite file is no vault")
        if version != _VERSION:
            detail = f"its version is {version}, and this release reads {_VERSION}"
            raise StoreUnusable(self.place, "newer", detail)
        return False

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with explained(self.place, _WAIT_S, self._db):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, sql: str, *values: str) -> list[tuple[object, ...]]:
        with explained(self.place, _WAIT_S, self._db):
            return self._db.execute(sql, values).fetchall()

    def _key(self, person: str) -> bytes | None:
        found = self._rows("SELECT key FROM person_key WHERE person = ?", person)
        return cast("bytes", found[0][0]) if found else None

    def _new_key(self, person: str) -> bytes:
        key = AESGCM.generate_key(bit_length=_KEY_BITS)
        self._db.executemany("INSERT INTO person_key VALUES (?, ?)", [(person, key)])
        return key

    def _delete(self, order: _Order, commitments: Sequence[str]) -> None:
        """Delete values, and the keys that nothing needs then; note the order."""
        with self._transaction():
            row = (order.id, order.person, order.kind, order.payload, order.checksum)
            self._db.executemany("INSERT INTO erasure VALUES (?, ?, ?, ?, ?)", [row])
            sql = "DELETE FROM sealed WHERE commitment = ? RETURNING commitment"
            gone = {row[0] for row in each(self._db, sql, commitments)}
            missing = [one for one in commitments if one not in gone]
            if missing:
                problem = (
                    f"the vault does not hold {len(missing)} of {len(commitments)}"
                )
                raise InvalidValue(missing[0], problem, "values that it still holds")
            self._db.execute(
                "DELETE FROM person_key WHERE person NOT IN (SELECT person FROM sealed)"
            )

    def _wipe(self) -> None:
        """Write the file anew, with what is left: not a byte of the rest remains."""
        with explained(self.place, _WAIT_S, self._db):
            self._db.execute("VACUUM")

    def _orders(self) -> list[_Order]:
        rows = self._rows("SELECT id, person, kind, payload, checksum FROM erasure")
        return [_Order(*cast("Any", row)) for row in rows]

    def _done(self, order: _Order) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM erasure WHERE id = ?", (order.id,))


@frozen
class _Order:
    """An erasure under way: the values are deleted, the log does not say so yet."""

    id: str
    person: str
    kind: str
    payload: bytes
    checksum: int


def _erasures_of(ledger: Ledger, commitments: Sequence[str]) -> list[Recorded]:
    """Give the records that say that all of these are gone."""
    return [
        record
        for record in ledger.codec.records(ledger.store.read(ERASURES))
        if isinstance(record.event, Erased)
        and commitments
        and set(commitments) <= set(record.event.commitments)
    ]


def _check_number(person: str, commitments: Sequence[str]) -> None:
    if not commitments:
        problem = f"the vault keeps nothing of this person; see {ERASURES!r} in the log"
        raise InvalidValue(person, problem, "a person it keeps something of")
    if len(commitments) > COMMITMENTS_MAX:
        found = f"{len(commitments):,} values"
        accepted = f"at most {COMMITMENTS_MAX:,}, given as commitments"
        raise InvalidValue(found, "these are too many for one event", accepted)


def opened(view: View, vault: Vault) -> View:
    """Look at the log with the values that a vault holds; the others stay withheld.

    So does all of an event of which a value is of another type than its field's.
    What is seen so is no part of the log: do not publish it, keep no copy of it.

    Raises:
        ProofRefused: While reading, if the vault holds another value than was sealed.
    """

    def show(sealed: Sealed) -> object:
        try:
            return vault.unseal(sealed)
        except NotOpened:
            return sealed

    codec = Codec(view.moment.lifecycle)

    def shown(records: Iterable[Recorded]) -> Iterator[Recorded]:
        for record in records:
            event = resealed(record.event, show)
            if event is not record.event and _is_sound(event, codec):
                record = record._replace(event=event)  # noqa: PLW2901 - the same, opened
            yield record

    def history(stream: str) -> History:
        found = view.history(stream)
        return evolve(found, records=tuple(shown(found.records)))

    moment = evolve(view.moment, read=lambda: shown(view.moment.read()))
    return View(moment, view.position, history)


def _is_sound(event: Event, codec: Codec) -> bool:
    """Say whether opened values are of the types that their fields ask for.

    Nobody could tell when they were sealed; a text where an amount is asked for would
    break whatever adds it up.
    """
    try:
        codec.encode(event)
    except InvalidValue:
        return False
    return True


def _written(value: object) -> bytes:
    if not isinstance(value, str | Amount):
        accepted = "a text or an amount"
        raise InvalidValue(str(value), "this cannot be sealed", accepted)
    plain = value.plain() if isinstance(value, Amount) else value
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        accepted = "text without lone surrogates"
        found = ascii(value)
        raise InvalidValue(
            found, "it cannot be written", accepted, error.start
        ) from None


def _read(written: bytes) -> str | Amount:
    plain = json.loads(written)
    return plain if isinstance(plain, str) else structure(plain, Amount)


def _stored(sealed: Sealed) -> Sealed:
    return Sealed(sealed.commitment)
