"""Sealed values: what an event holds in place of one that may have to go."""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from hashlib import sha256
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import fresh

from azcn_events import INVESTMENT, Amount, Citation, Ledger, Missing, When
from azcn_events.core import conversion
from azcn_events.core.codec import Codec
from azcn_events.core.events import ERASURES, Erased, Event, Recorded, Retracted
from azcn_events.core.history import erased_in, marked
from azcn_events.core.values import Sealed, check_commitment, resealed, sealed_in
from azcn_events.errors import InvalidFields, InvalidValue, UndecodableEvent
from azcn_events.investment import (
    AgreementIdentified,
    InvestmentCompleted,
    LandAllocated,
    Party,
    SourceRegistered,
    ValueReported,
)
from azcn_events.testing import any_event

SALT = bytes(range(32))
SEALED = Sealed.of(SALT, b'"A. Person"')
OTHER = Sealed.of(SALT, b'"B. Person"')
WHEN = When("2025-01-01")
FROM = Citation("source/s", speaker=SEALED)


def value(amount: Amount | Missing | Sealed, **more: Any) -> ValueReported:
    """Say what an agreement is worth."""
    return ValueReported(amount=amount, when=WHEN, cites=Citation("source/s"), **more)


def test_a_commitment_is_a_digest_of_salt_and_value() -> None:
    """As anybody can compute it: base64 of SHA-256(salt || value)."""
    digest = sha256(SALT + b'"A. Person"').digest()
    assert b64encode(digest).decode() == SEALED.commitment
    assert SEALED != OTHER
    assert SEALED == Sealed(SEALED.commitment)


@pytest.mark.parametrize("salt", [b"", SALT[1:], SALT + b"\0"])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    """With it salt || value could be split in two ways."""
    with pytest.raises(InvalidValue) as caught:
        Sealed.of(salt, b"x")
    assert (f"{len(salt)} bytes", "this is no salt", "32 random bytes") == (
        caught.value.found,
        caught.value.problem,
        caught.value.accepted,
    )


def test_what_is_no_commitment_is_shown_and_what_one_is() -> None:
    """As far as a line goes."""
    with pytest.raises(InvalidValue) as caught:
        check_commitment("x" * 100)
    assert (
        "x" * 80,
        "this is no commitment",
        "base64 of a SHA-256 digest: 43 characters and one '='",
    ) == (caught.value.found, caught.value.problem, caught.value.accepted)


def test_sealed_values_are_found_wherever_they_are() -> None:
    """In fields, in tuples, and in tuples in these."""
    assert [SEALED] == list(sealed_in(SEALED))
    assert [SEALED, OTHER] == list(sealed_in((SEALED, "x", ((OTHER,),))))
    event = ValueReported(amount=OTHER, when=WHEN, cites=FROM)
    assert {SEALED, OTHER} == set(sealed_in(event))


@given(st.binary(min_size=32, max_size=32))
def test_base64_has_one_spelling(digest: bytes) -> None:
    """What decodes to the same bytes and is written otherwise is refused."""
    text = b64encode(digest).decode()
    check_commitment(text)
    last = text[42]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(last) ^ 1]
    for wrong in (f"{text[:42]}{other}=", text[:-1], text[1:], f"{text}\n", ""):
        with pytest.raises(InvalidValue, match="this is no commitment"):
            Sealed(wrong)
    with pytest.raises(InvalidValue):
        check_commitment(digest)


def test_it_is_shown_as_withheld_or_erased() -> None:
    """Neither as text nor as data does it give the commitment."""
    gone = Sealed(SEALED.commitment, "erased")
    assert ("withheld", "withheld", False) == (
        str(SEALED),
        SEALED.plain(),
        SEALED.is_erased,
    )
    assert ("erased", "erased", True) == (str(gone), gone.plain(), gone.is_erased)
    assert "source/s (withheld)" == str(FROM)
    assert {"source": "source/s", "at": "", "speaker": "withheld", "digest": ""} == (
        FROM.plain()
    )
    assert "B. Person or withheld (AZ)" == str(Party(("B. Person", SEALED), "AZ"))


# In events


@pytest.mark.parametrize(
    "event",
    [
        value(SEALED),
        InvestmentCompleted(amount=SEALED, when=WHEN, cites=FROM),
        SourceRegistered(
            publisher="p", title="t", speaker=SEALED, when=WHEN, cites=FROM
        ),
        AgreementIdentified(
            field="x", parties=(Party(("B", SEALED)),), when=WHEN, cites=FROM
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_events_that_hold_it_come_back(event: Event) -> None:
    """As bytes and as plain values, which are the same: the commitment, and a word."""
    codec = Codec(INVESTMENT)
    kind, payload, checksum = codec.encode(event)
    assert event == codec.decode(kind, payload, checksum)
    assert f'["{SEALED.commitment}","sealed"]'.encode() in payload
    plain = conversion.unstructure(event)
    assert event == codec.structure(kind, plain)


def test_what_was_stored_before_means_the_same() -> None:
    """That a field may hold a sealed value does not change the class's mark."""

    @attrs.frozen
    class Before(Event):
        amount: Amount | Missing

    @attrs.frozen
    class After(Event):
        amount: Amount | Missing | Sealed

    from azcn_events.core.lifecycle import Lifecycle

    before, after = (
        Codec(Lifecycle(name="one", events={"told": cls})) for cls in (Before, After)
    )
    amount = Amount.exact(5, "USD")
    told = Before(amount=amount, when=WHEN, cites=Citation("source/s"))
    stored = before.encode(told)
    assert After(amount=amount, when=WHEN, cites=told.cites) == after.decode(*stored)
    sealed = After(amount=SEALED, when=WHEN, cites=told.cites)
    with pytest.raises(UndecodableEvent, match="amount"):
        before.decode(*after.encode(sealed))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["x"],
        [SEALED.commitment],
        [SEALED.commitment, "open"],
        [SEALED.commitment, "sealed", "sealed"],
        ["AAAA", "sealed"],
        [7, "sealed"],
    ],
)
def test_what_is_no_sealed_value_is_refused(wrong: object) -> None:
    """With the field's path, in a file that people write."""
    plain = {**as_plain(value(SEALED)), "amount": wrong}
    with pytest.raises(InvalidFields) as caught:
        Codec(INVESTMENT).structure("value-reported", plain)
    assert ["$.amount"] == [problem.path for problem in caught.value.problems]


def as_plain(event: Event) -> dict[str, object]:
    """Give an event's plain values."""
    plain = conversion.unstructure(event)
    assert isinstance(plain, dict)
    return plain


@given(any_event(INVESTMENT))
def test_sealed_values_are_found_and_exchanged(event: Event) -> None:
    """Each of them and nothing else; without any, the event is the same object."""
    found = list(sealed_in(event))
    assert event is resealed(event, lambda sealed: sealed)
    shown = resealed(event, lambda sealed: Sealed(sealed.commitment, "erased"))
    assert type(event) is type(shown)
    assert [one.commitment for one in found] == [
        one.commitment for one in sealed_in(shown)
    ]
    assert all(one.is_erased for one in sealed_in(shown))
    assert (event is shown) == (not found)
    assert event == resealed(shown, lambda sealed: Sealed(sealed.commitment))


def test_fields_that_a_class_makes_itself_are_left_alone() -> None:
    """They follow from the others."""

    @attrs.frozen
    class Derived:
        name: str | Sealed
        length: int = attrs.field(init=False)

        def __attrs_post_init__(self) -> None:
            object.__setattr__(self, "length", len(str(self.name)))

    made = resealed(Derived(SEALED), lambda _: "ab")
    assert ("ab", 2) == (made.name, made.length)


# At a moment


def erasure(number: int, *sealed: Sealed, kind: str = "erased/1") -> Recorded:
    """Record that values are gone."""
    event = Erased(
        commitments=tuple(one.commitment for one in sealed),
        ordered_by="the court",
        ground="article 5.3",
        approved_by=("A", "B"),
        when=WHEN,
        cites=Citation("source/s"),
    )
    return Recorded(number, ERASURES, number, f"e{number}", kind, 0, event)


def test_erasures_in_force_name_what_is_gone() -> None:
    """One that was recorded by mistake and taken back names nothing."""
    back = Retracted(when=WHEN, cites=FROM, replaces="e2", reason="another order")
    log = [erasure(1, SEALED), erasure(2, OTHER)]
    assert {SEALED.commitment, OTHER.commitment} == erased_in(log)
    log.append(Recorded(3, ERASURES, 3, "e3", "retracted/1", 0, back))
    assert {SEALED.commitment} == erased_in(log)
    assert frozenset() == erased_in([])


def test_what_is_gone_is_marked_and_nothing_else() -> None:
    """A record without such a value is the same record."""
    log = [
        Recorded(1, "agreement/a", 1, "1", "", 0, value(SEALED)),
        Recorded(2, "agreement/a", 2, "2", "", 0, value(OTHER)),
    ]
    first, second = marked(log, frozenset({SEALED.commitment}))
    assert value(Sealed(SEALED.commitment, "erased")) == first.event
    assert log[1] is second


def worth(ledger: Ledger, **asked: str) -> list[str]:
    """Give what is shown of the values of packages."""
    table = ledger.view(**asked).report("package")
    return [
        str(row.cells[2].value) for row in table if "value" in str(row.cells[1].value)
    ]


def test_a_sealed_amount_is_unknown_to_every_sum() -> None:
    """It shows why, now and as known before it was erased, and is added to nothing."""
    ledger, clock = fresh()
    cites = Citation("source/s")
    ledger.record("package/p", value(SEALED))
    assert ["withheld"] == worth(ledger)
    ledger.record("package/p", value(Amount.exact(5, "USD"), adds=True))
    assert ["withheld", "USD 5"] == worth(ledger)
    clock.pass_days(5)
    ledger.record(ERASURES, erasure(1, SEALED).event)
    assert ["erased", "USD 5"] == worth(ledger)
    assert ["withheld", "USD 5"] == worth(ledger, known_by="2025-01-02")
    shown = ledger.view().history("package/p").records[0].event
    assert value(Sealed(SEALED.commitment, "erased")) == shown
    stored = next(iter(ledger.records())).event
    assert value(SEALED) == stored
    ledger.record(
        "agreement/a",
        AgreementIdentified(field="x", when=WHEN, cites=cites),
        value(SEALED),
    )
    rows = ledger.report("pipeline").rows
    assert [("unknown", Missing.UNKNOWN)] == [
        (str(row.cells[1].value), row.cells[3].value)
        for row in rows
        if row.cells[0].value == "none met"
    ]
    assert date(2025, 1, 6) == ledger.view().moment.on


def test_land_says_its_area_openly() -> None:
    """Areas are public; the type says so."""
    plain = as_plain(LandAllocated(when=WHEN, cites=FROM))
    with pytest.raises(InvalidFields):
        Codec(INVESTMENT).structure("land-allocated", {**plain, "area": [*SEALED]})
