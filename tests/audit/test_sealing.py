"""Erasure: nothing of the value remains, and no byte of the log is different."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.audit import eraser
from tests.audit.eraser import PERSON
from tests.logs import every_report, fresh

from azcn_events import Amount, Citation, Ledger, Missing, When
from azcn_events.audit import sealing
from azcn_events.audit.publish import Outcome, publish, reproduce
from azcn_events.audit.sealing import Vault, opened
from azcn_events.core.events import ERASURES, Erased, Recorded
from azcn_events.core.leaf import leaves_of
from azcn_events.core.merkle import Frontier, Tree, verify_inclusion
from azcn_events.core.values import Range, Sealed, sealed_in
from azcn_events.errors import (
    InvalidValue,
    NotOpened,
    ProofRefused,
    StoreBusy,
    StoreUnusable,
)
from azcn_events.interop import jsonlines
from azcn_events.investment import AgreementIdentified, Party, ValueReported
from azcn_events.stores.protocol import Store
from azcn_events.testing.faults.strace import has_strace, straced, traced
from azcn_events.testing.strategies.values import amounts, texts

WHEN = When("2025-01-01")
NAME = "Aygün Nümunəvi, +994 50 000 00 00"
OPEN = "B. Public"
WORTH = Amount.exact("987654321", "USD")
ORDER: dict[str, Any] = {
    "ordered_by": "The court",
    "ground": "Law on personal data, article 5.3",
    "approved_by": ("A. Approver", "B. Approver"),
    "cites": Citation("source/order-7"),
}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """Give an empty vault."""
    with Vault.open(tmp_path / "vault.db") as made:
        yield made


def tell(ledger: Ledger, vault: Vault) -> None:
    """Record an agreement whose signatory and value are sealed, and another."""
    cites = Citation("source/s")
    ledger.record(
        "agreement/a",
        AgreementIdentified(
            field="cardboard",
            parties=(Party((vault.seal(NAME, person=PERSON),), "AZ"),),
            when=WHEN,
            cites=attrs.evolve(cites, speaker=vault.seal(NAME, person=PERSON)),
        ),
        ValueReported(amount=vault.seal(WORTH, person=PERSON), when=WHEN, cites=cites),
    )
    ledger.record(
        "agreement/b",
        AgreementIdentified(
            field="tractors",
            parties=(Party((vault.seal(OPEN, person="person/18"),), "CN"),),
            when=WHEN,
            cites=cites,
        ),
        ValueReported(amount=Amount.exact(5, "USD"), when=WHEN, cites=cites),
    )


def root_of(store: Store, size: int | None = None) -> bytes:
    """Give the Merkle root of a log, or of its beginning."""
    frontier = Frontier()
    frontier.extend(leaves_of(store.read_all(until=size)))
    return frontier.root()


# Sealing and opening


@given(st.data(), st.one_of(texts(), amounts()))
def test_what_is_sealed_can_be_opened(data: st.DataObject, value: str | Amount) -> None:
    """To the last digit's scale; and one value sealed twice is two commitments."""
    with Vault(_shared(), "a vault") as vault:
        vault._prepare()
        person = data.draw(st.sampled_from(["p", "q"]))
        first, second = (vault.seal(value, person=person) for _ in range(2))
        assert first != second
        assert repr(value) == repr(vault.unseal(first)) == repr(vault.unseal(second))
        assert sorted([first.commitment, second.commitment]) == list(
            vault.commitments(person)
        )
        assert vault.holds(first)
        assert () == vault.commitments("r")


def _shared() -> Any:
    import apsw

    return apsw.Connection(":memory:")


@pytest.mark.parametrize("value", [5, None, b"x", Missing.NONE, "\ud800"])
def test_what_cannot_be_sealed_is_refused(vault: Vault, value: Any) -> None:
    """And nothing is kept of it."""
    with pytest.raises(InvalidValue):
        vault.seal(value, person=PERSON)
    assert () == vault.commitments(PERSON)


@pytest.mark.parametrize("person", ["", " ", "a\nb"])
def test_a_person_has_a_name(vault: Vault, person: str) -> None:
    """One by which an erasure can find all that is kept of it."""
    with pytest.raises(InvalidValue, match="a person"):
        vault.seal("x", person=person)


def test_a_value_of_another_vault_is_not_opened(vault: Vault, tmp_path: Path) -> None:
    """It says which vault was asked, for which commitment, and where to look."""
    with Vault.open(tmp_path / "other.db") as other:
        sealed = other.seal(NAME, person=PERSON)
    with pytest.raises(NotOpened) as caught:
        vault.unseal(sealed)
    assert (sealed.commitment, vault.place) == (
        caught.value.commitment,
        caught.value.place,
    )
    assert "erasure/values" in str(caught.value)
    assert not vault.holds(sealed)


def test_another_value_than_was_committed_to_is_refused(vault: Vault) -> None:
    """Whoever can write the vault cannot put another value under a commitment."""
    one, other = (vault.seal(value, person=PERSON) for value in ("one", "other"))
    boxes = {
        sealed: vault._rows(
            "SELECT box FROM sealed WHERE commitment = ?", sealed.commitment
        )[0][0]
        for sealed in (one, other)
    }
    put(vault, one, boxes[other])
    with pytest.raises(ProofRefused, match="not the one committed to"):
        vault.unseal(one)
    box = boxes[one]
    assert isinstance(box, bytes)
    for place in range(len(box)):
        put(vault, one, box[:place] + bytes([box[place] ^ 1]) + box[place + 1 :])
        with pytest.raises(ProofRefused, match="its box was altered"):
            vault.unseal(one)
    for length in (0, 5, 20, len(box) - 1):
        put(vault, one, box[:length])
        with pytest.raises(ProofRefused, match="its box was altered"):
            vault.unseal(one)
    put(vault, one, box)
    assert "one" == vault.unseal(one)


def put(vault: Vault, sealed: Sealed, box: Any) -> None:
    """Put another box under a commitment."""
    sql = "UPDATE sealed SET box = ? WHERE commitment = ?"
    vault._db.executemany(sql, [(box, sealed.commitment)])


def test_a_box_without_room_for_a_salt_is_refused(vault: Vault) -> None:
    """Even one that the right key opens."""
    sealed = vault.seal("one", person=PERSON)
    key = vault._key(PERSON)
    assert key is not None
    cipher = AESGCM(key).encrypt(bytes(12), b"short", b"azcn-sealed/1")
    put(vault, sealed, bytes(12) + cipher)
    with pytest.raises(ProofRefused, match="not the one committed to"):
        vault.unseal(sealed)


# The file


def test_a_vault_is_told_from_other_files(tmp_path: Path) -> None:
    """A missing one, another database, a newer one, a damaged one, no file at all."""
    with pytest.raises(StoreUnusable) as caught:
        Vault.open(tmp_path / "none.db", create=False)
    assert "missing" == caught.value.reason
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreUnusable) as caught:
        Vault.open(tmp_path / "no" / "folder.db")
    assert "missing" == caught.value.reason
    Ledger.open(tmp_path / "azcn.db").close()
    before = (tmp_path / "azcn.db").read_bytes()
    for name, sql, reason in (
        ("azcn.db", "", "foreign"),
        ("notes.db", "CREATE TABLE note (text)", "foreign"),
        ("newer.db", "PRAGMA user_version = 2", "newer"),
    ):
        if name == "newer.db":
            Vault.open(tmp_path / name).close()
        if sql:
            with sqlite3.connect(tmp_path / name) as db:
                db.execute(sql)
            db.close()
        with pytest.raises(StoreUnusable) as caught:
            Vault.open(tmp_path / name)
        assert reason == caught.value.reason
    assert before == (tmp_path / "azcn.db").read_bytes()
    (tmp_path / "text.db").write_text("no database at all" * 100)
    with pytest.raises(StoreUnusable) as caught:
        Vault.open(tmp_path / "text.db")
    assert "damaged" == caught.value.reason
    for path in ("", ":memory:", "a\0b"):
        with pytest.raises(InvalidValue):
            Vault.open(path)


def test_a_vault_that_somebody_keeps_is_waited_for(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a while; then it says so, and nothing is half-done."""
    monkeypatch.setattr(sealing, "_WAIT_S", 0.1)
    with Vault.open(vault.place) as other:
        sealed = other.seal("x", person=PERSON)
        with vault._transaction(), pytest.raises(StoreBusy):
            other.seal("y", person=PERSON)
        assert (sealed.commitment,) == vault.commitments(PERSON)
        assert "x" == vault.unseal(sealed)


# Erasing


def test_an_erased_ledger_is_the_same_log(vault: Vault) -> None:
    """Each leaf, each proof, and the root of what was recorded before."""
    ledger, _ = fresh()
    tell(ledger, vault)
    size = ledger.store.head()
    before = list(ledger.store.read_all())
    leaves, root = list(leaves_of(before)), root_of(ledger.store)
    record = vault.erase(ledger, person=PERSON, **ORDER)
    assert before == list(ledger.store.read_all(until=size))
    assert leaves == list(leaves_of(ledger.store.read_all(until=size)))
    assert root == root_of(ledger.store, size)
    tree = Tree(lambda low, high: leaves[low:high])
    tree.grow(size)
    for at, leaf in enumerate(leaves_of(ledger.store.read_all(until=size))):
        verify_inclusion(at, size, leaf, tree.inclusion(at, size), root)
    assert (ERASURES, size + 1) == (record.stream, record.position)


def test_the_order_is_recorded(vault: Vault) -> None:
    """What is gone, on whose order, on what ground, approved by whom."""
    ledger, _ = fresh()
    tell(ledger, vault)
    doomed = vault.commitments(PERSON)
    record = vault.erase(ledger, person=PERSON, when=When("2024-12-30"), **ORDER)
    assert Erased(commitments=doomed, when=When("2024-12-30"), **ORDER) == record.event
    named = {
        sealed.commitment
        for record in ledger.records(until=2)
        for sealed in sealed_in(record.event)
    }
    assert named == set(doomed)
    assert (3, ()) == (len(doomed), vault.commitments(PERSON))
    assert [] == vault._orders()
    assert vault._key(PERSON) is None
    today = vault.erase(ledger, person="person/18", **ORDER)
    assert When("2025-01-01") == today.event.when


@pytest.mark.parametrize(
    "wrong",
    [
        {"approved_by": ("A. Approver",)},
        {"approved_by": ("A. Approver", "a. approver ")},
        {"approved_by": ()},
        {"ground": " "},
        {"ordered_by": ""},
        {"ground": "a\nb"},
        {"person": "person/99"},
        {"person": ""},
        {"commitments": ("A" * 43 + "=",)},
        {"person": "", "commitments": ("A" * 43 + "=",)},
        {"person": "", "commitments": ("A",)},
    ],
    ids=str,
)
def test_what_is_not_in_order_erases_nothing(
    vault: Vault, wrong: dict[str, Any]
) -> None:
    """Fewer than two people, no ground, an unknown person, both or neither."""
    ledger, _ = fresh()
    tell(ledger, vault)
    doomed, size = vault.commitments(PERSON), ledger.store.head()
    with pytest.raises(InvalidValue):
        vault.erase(ledger, **{"person": PERSON, **ORDER, **wrong})
    assert (doomed, size) == (vault.commitments(PERSON), ledger.store.head())
    assert all(vault.unseal(Sealed(one)) for one in doomed)
    assert [] == vault._orders()


def test_some_values_of_a_person_can_be_erased(vault: Vault) -> None:
    """The others are kept, and their key; with the last value it goes."""
    ledger, _ = fresh()
    one, other = (vault.seal(value, person=PERSON) for value in ("one", "other"))
    vault.erase(ledger, commitments=[one.commitment, one.commitment], **ORDER)
    assert "other" == vault.unseal(other)
    with pytest.raises(NotOpened):
        vault.unseal(one)
    again = vault.erase(ledger, commitments=[one.commitment], **ORDER)
    assert again in list(ledger.records())
    with pytest.raises(InvalidValue, match="does not hold 1 of 2"):
        vault.erase(ledger, commitments=[other.commitment, one.commitment], **ORDER)
    assert "other" == vault.unseal(other)
    vault.erase(ledger, commitments=[other.commitment], **ORDER)
    assert vault._key(PERSON) is None
    assert 2 == ledger.store.version(ERASURES)


def test_too_many_at_once_are_refused(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their event would not fit; they go in portions."""
    monkeypatch.setattr(sealing, "COMMITMENTS_MAX", 2)
    ledger, _ = fresh()
    sealed = [vault.seal(str(number), person=PERSON) for number in range(3)]
    with pytest.raises(InvalidValue, match="too many"):
        vault.erase(ledger, person=PERSON, **ORDER)
    assert all(vault.holds(one) for one in sealed)
    vault.erase(ledger, commitments=[one.commitment for one in sealed[:2]], **ORDER)
    vault.erase(ledger, person=PERSON, **ORDER)
    assert 2 == ledger.store.version(ERASURES)


def test_what_is_erased_fits_into_every_store(vault: Vault) -> None:
    """An event of the most values that go at once stays below the limit by half."""
    ledger, _ = fresh()
    commitment = vault.seal("x", person=PERSON).commitment
    event = Erased(
        commitments=(commitment,) * sealing.COMMITMENTS_MAX, when=WHEN, **ORDER
    )
    _, payload, _ = ledger.codec.encode(event)
    assert len(payload) < 500_000


# What remains


def bytes_in(directory: Path) -> bytes:
    """Give all bytes of all files in a folder."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return b"\0".join(path.read_bytes() for path in files)


def secrets_of(vault: Vault) -> list[bytes]:
    """Give what must not remain of person 17: values, key, salts, boxes, the name."""
    key = vault._key(PERSON)
    assert key is not None
    boxes = [
        row[0] for row in vault._rows("SELECT box FROM sealed WHERE person = ?", PERSON)
    ]
    found = [key, PERSON.encode(), NAME.encode(), b"987654321"]
    for box in boxes:
        assert isinstance(box, bytes)
        plain = AESGCM(key).decrypt(box[:12], box[12:], b"azcn-sealed/1")
        found += [plain[:32], plain, box, box[12:]]
    return found


def prepared(directory: Path) -> list[bytes]:
    """Make a ledger and its vault in a folder; give what must not remain."""
    directory.mkdir()
    with (
        Ledger.open(directory / "azcn.db") as ledger,
        Vault.open(directory / "vault.db") as vault,
    ):
        tell(ledger, vault)
        for number in range(30):  # Several pages, so that some become free.
            person = PERSON if number % 3 else "person/18"
            vault.seal(f"{number} {NAME}" * 20, person=person)
        return secrets_of(vault)


def remains(directory: Path, secrets: list[bytes]) -> list[bytes]:
    """Say which of the secrets stand in some file."""
    everything = bytes_in(directory)
    return [secret for secret in secrets if secret in everything]


def test_nothing_remains_in_any_file(tmp_path: Path) -> None:
    """Neither the value nor the key, its box or salt, in the open files or closed."""
    secrets = prepared(tmp_path / "data")
    present = remains(tmp_path / "data", secrets)
    assert {PERSON.encode(), secrets[0]} <= set(present)
    assert NAME.encode() not in present  # It was only ever written encrypted.
    with (
        Ledger.open(tmp_path / "data" / "azcn.db") as ledger,
        Vault.open(tmp_path / "data" / "vault.db") as vault,
    ):
        vault.erase(ledger, person=PERSON, **ORDER)
        assert [] == remains(tmp_path / "data", secrets)
        assert OPEN == vault.unseal(others(ledger)[0])
    assert [] == remains(tmp_path / "data", secrets)


def test_what_others_left_in_the_file_goes_too(tmp_path: Path) -> None:
    """A program that deletes without overwriting leaves bytes; erasing clears them."""
    secrets = prepared(tmp_path / "data")
    place = tmp_path / "data" / "vault.db"
    with sqlite3.connect(place) as db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("DELETE FROM sealed WHERE person = ? AND rowid > 4", (PERSON,))
    db.close()
    with (
        Ledger.open(tmp_path / "data" / "azcn.db") as ledger,
        Vault.open(place) as vault,
    ):
        vault.erase(ledger, person=PERSON, **ORDER)
    assert [] == remains(tmp_path / "data", secrets)


def others(ledger: Ledger) -> list[Sealed]:
    """Give what the log holds of person 18."""
    opening = next(ledger.records(after=2, until=3)).event
    return list(sealed_in(opening))


class Broken(Exception):
    """Stands for whatever breaks an erasure off."""


@pytest.mark.parametrize("step", ["_wipe", "record", "_done"])
def test_an_erasure_that_was_broken_off_is_completed(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same call, or by finish; it is recorded once, with its first words."""
    for way in ("erase", "finish"):
        place = tmp_path / way
        secrets = prepared(place)
        with (
            Ledger.open(place / "azcn.db") as ledger,
            Vault.open(place / "vault.db") as vault,
        ):

            def fail(*_: Any, **__: Any) -> None:
                raise Broken

            with monkeypatch.context() as patch:
                patch.setattr(Ledger if step == "record" else Vault, step, fail)
                with pytest.raises(Broken):
                    vault.erase(ledger, person=PERSON, when=WHEN, **ORDER)
            assert 1 == len(vault._orders())
            if step != "_done":
                assert 0 == ledger.store.version(ERASURES)
            if way == "erase":
                record = vault.erase(ledger, person=PERSON, **ORDER)
            else:
                (record,) = vault.finish(ledger)
            assert WHEN == record.event.when
            assert () == vault.finish(ledger)
            assert 1 == ledger.store.version(ERASURES)
        assert [] == remains(place, secrets)


def test_a_broken_off_erasure_of_values_is_completed(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one of something else is completed and then this one is done."""
    ledger, _ = fresh()
    one, other = (vault.seal(value, person=PERSON) for value in ("one", "other"))

    def fail(*_: Any, **__: Any) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "_done", fail)
        with pytest.raises(Broken):
            vault.erase(ledger, commitments=[one.commitment], **ORDER)
    again = vault.erase(ledger, commitments=[one.commitment], **ORDER)
    assert (one.commitment,) == commitments_of(again)
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "_wipe", fail)
        with pytest.raises(Broken):
            vault.erase(ledger, commitments=[other.commitment], **ORDER)
    third = vault.seal("third", person=PERSON)
    last = vault.erase(ledger, person=PERSON, **ORDER)
    assert (third.commitment,) == commitments_of(last)
    assert 3 == ledger.store.version(ERASURES)


def commitments_of(record: Recorded) -> tuple[str, ...]:
    """Give what a record says is gone."""
    event = record.event
    assert isinstance(event, Erased)
    return event.commitments


CALLS = "pwrite64,fsync,fdatasync,ftruncate,unlink"
EVERY = int(os.environ.get("AZCN_KILL_EVERY", "6"))
"""Kill at each so many-th call only; 1 for all, which takes two minutes."""
NOT_FOUND = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)


@pytest.mark.skipif(not has_strace(), reason="strace is not installed")
def test_killed_at_any_moment_it_is_completed(tmp_path: Path) -> None:
    """At each call that changes a file: the log never says so too early, and then all.

    Between two such calls nothing changes on the disk: so these are all moments. See
    ``EVERY`` for how many of them are tried.
    """
    secrets = prepared(tmp_path / "before")
    command = [sys.executable, eraser.__file__]

    def trial(name: str) -> Path:
        return shutil.copytree(tmp_path / "before", tmp_path / name)

    _, trace = traced(CALLS, [*command, str(trial("whole"))])
    counts = Counter(NOT_FOUND.findall(trace))
    moments = [(call, n) for call in counts for n in range(1, counts[call] + 1)]
    assert len(moments) > 30
    said_nothing = 0
    for call, number in moments[::EVERY]:
        place = trial("trial")
        fault = f"inject={call}:signal=KILL:when={number}"
        ended = straced(
            ["-o", os.devnull, "-e", f"trace={call}", "-e", fault],
            [*command, str(place)],
        )
        assert 0 != ended.code, (call, number)
        with Ledger.open(place / "azcn.db") as ledger:
            says_so = ledger.store.version(ERASURES)
            said_nothing += not says_so
        left = remains(place, [each for each in secrets if each != PERSON.encode()])
        assert not (says_so and left), (call, number)
        try:
            eraser.erase(place)
        except InvalidValue as error:  # It was over already.
            over = "keeps nothing of this person" in str(error) and says_so
        else:
            over = True
        assert over, (call, number)
        assert [] == remains(place, secrets), (call, number)
        with (
            Ledger.open(place / "azcn.db") as ledger,
            Vault.open(place / "vault.db") as vault,
        ):
            assert 1 == ledger.store.version(ERASURES), (call, number)
            assert () == vault.finish(ledger)
            assert OPEN == vault.unseal(others(ledger)[0])
        shutil.rmtree(place)
    assert 0 < said_nothing < len(moments[::EVERY])


# What is shown


def words(ledger: Ledger, **asked: str) -> str:
    """Give every report as one text."""
    tables = every_report(ledger.view(**asked))
    return "\n".join(table.json() for table in tables.values())


def test_an_opened_view_is_published_as_the_log_has_it(vault: Vault) -> None:
    """What is published stays in the log for ever, where no erasure reaches it."""
    ledger, _ = fresh()
    tell(ledger, vault)
    before = opened(ledger.view(), vault)
    assert "987" in ledger.view().report("changes", before=before).json()
    done = publish(ledger, "changes", before=before, cites=Citation("source/s"))
    assert "987" not in done.content.decode()


def test_a_vault_is_for_its_owner(tmp_path: Path) -> None:
    """It holds personal data, and the keys to them."""
    with Vault.open(tmp_path / "own.db"):
        assert 0o600 == stat.S_IMODE((tmp_path / "own.db").stat().st_mode)


def test_reports_say_withheld_and_then_erased(vault: Vault) -> None:
    """No report gives the value; who was told before the erasure is told the same."""
    ledger, clock = fresh()
    cites = Citation("source/s")
    ledger.record(
        "package/p",
        ValueReported(amount=vault.seal(WORTH, person=PERSON), when=WHEN, cites=cites),
    )
    tell(ledger, vault)
    before = words(ledger, known_by="2025-01-01")
    assert "withheld" in before
    assert "erased" not in before
    clock.pass_days(3)
    vault.erase(ledger, person=PERSON, **ORDER)
    after = words(ledger)
    assert '"erased"' in after
    assert before == words(ledger, known_by="2025-01-01")
    for secret in ("987654321", NAME):
        assert secret not in before + after


def test_a_look_with_the_vault_shows_what_it_holds(vault: Vault) -> None:
    """Amounts are added up, names shown; and what is erased stays erased."""
    ledger, _ = fresh()
    tell(ledger, vault)
    view = ledger.view()
    assert 1 == counted(view)["none met", "USD"]
    inside = opened(view, vault)
    assert 2 == counted(inside)["none met", "USD"]
    event = inside.history("agreement/a").records[0].event
    assert isinstance(event, AgreementIdentified)
    assert (NAME, NAME) == (event.parties[0].names[0], event.cites.speaker)
    assert view.history("agreement/b").records[1] is not None
    vault.erase(ledger, person=PERSON, **ORDER)
    assert 1 == counted(opened(ledger.view(), vault))["none met", "USD"]
    shown = opened(ledger.view(), vault).history("agreement/a").records[0].event
    assert "erased" == str(shown.cites.speaker)


def counted(view: Any) -> dict[tuple[str, str], int]:
    """Give how many agreements each row of the pipeline has."""
    return {
        (str(row.cells[0].value), str(row.cells[1].value)): row.cells[2].value.low or 0
        for row in view.report("pipeline")
        if isinstance(row.cells[2].value, Range)
    }


def test_a_text_where_an_amount_is_asked_for_is_no_figure(vault: Vault) -> None:
    """The log cannot tell what is sealed; whoever opens it sees no sum of it."""
    ledger, _ = fresh()
    ledger.record(
        "package/p",
        ValueReported(
            amount=vault.seal("much", person=PERSON),
            when=WHEN,
            cites=Citation("source/s"),
        ),
    )
    tables = every_report(opened(ledger.view(), vault))
    assert "withheld" in tables["package"].json()


def test_what_was_published_is_made_again_after_an_erasure(vault: Vault) -> None:
    """A publication holds no opened value, so there is nothing to take back."""
    ledger, _ = fresh()
    tell(ledger, vault)
    done = [
        publish(ledger, name, cites=ORDER["cites"]) for name in ("status", "pipeline")
    ]
    vault.erase(ledger, person=PERSON, **ORDER)
    for one in done:
        assert Outcome.SAME is reproduce(ledger, one.record.id).outcome
        assert NAME.encode() not in one.content
        assert b"987654321" not in one.content


def test_sealed_values_travel_as_they_are(vault: Vault, tmp_path: Path) -> None:
    """By JSON Lines into another ledger: the same bytes, and the vault opens them."""
    ledger, _ = fresh()
    tell(ledger, vault)
    vault.erase(ledger, person="person/18", **ORDER)
    path = tmp_path / "facts.jsonl"
    with path.open("wb") as file:
        for record in ledger.records():
            file.write(jsonlines.write(record, ledger.codec) + b"\n")
    other, _ = fresh()
    other.load(path)
    assert [(row.stream, row.kind, row.payload) for row in ledger.store.read_all()] == [
        (row.stream, row.kind, row.payload) for row in other.store.read_all()
    ]
    sealed = next(sealed_in(next(iter(other.records())).event))
    assert NAME == vault.unseal(sealed)
