"""What was ever stored can be read for ever: one stored event of every version.

``wire.jsonl`` has a line for each kind and version that was ever recorded: its
kind, its payload as text, its checksum. Lines are never edited; add lines only. A
test here that fails says that ledgers which people have can no longer be read.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import attrs
import pytest
from tests.core.golden.reader import as_plain

from azcn_events.core.codec import Codec
from azcn_events.core.events import (
    Erased,
    Event,
    Look,
    MilestoneProgressed,
    MilestonePromised,
    MilestoneReverted,
    MilestoneWaived,
    Parameter,
    ReportContinued,
    ReportPublished,
    Resumed,
    Retracted,
    Suspended,
    Terminated,
)
from azcn_events.core.values import Amount, Citation, Missing, Qualifier, When
from azcn_events.investment import INVESTMENT
from azcn_events.investment.events import (
    AgreementIdentified,
    AgreementSigned,
    Amended,
    Claim,
    CompanyCreated,
    ConferenceReported,
    ConflictNoted,
    DateRefined,
    DocumentIdentified,
    DocumentKind,
    DocumentsReported,
    FieldsMentioned,
    FinancialModelAgreed,
    FinancialModelDiscussed,
    GroupCount,
    InvestmentCompleted,
    LandAllocated,
    LinkConfirmed,
    LinkProposed,
    LinkRejected,
    PartiesReported,
    Party,
    ProductionStarted,
    ProgressClaimed,
    SourceRegistered,
    ValueReported,
    WorkStarted,
)

FILE: Final = Path(__file__).with_name("wire.jsonl")
LINES: Final = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
NAMES: Final = [line["kind"] for line in LINES]

WHEN: Final = When("2025-04-17")
FROM: Final = Citation("source/a", "paragraph 4", "AZPROMO", "sha256:" + "0a" * 32)
AZPROMO: Final = Party(("AZPROMO",), "AZ", "organiser")
NDRC: Final = Party(("NDRC", "國家發展和改革委員會"), "CN")

EXPECTED: Final[dict[str, Event]] = {
    "source-registered/1": SourceRegistered(
        publisher="Trend",
        title='Title with "quotes", a \\ and Gəncə',
        url="https://example.org/?a=1&b=2",
        language="en",
        speaker="Somebody",
        digest="sha256:" + "ff" * 32,
        when=WHEN,
        cites=FROM,
    ),
    "conference-reported/1": ConferenceReported(
        title="a conference",
        organisers=(AZPROMO, NDRC, Party()),
        place="Beijing",
        when=When("[2025-04-15..2025-04-21]", "a few days before 22 April"),
        cites=FROM,
    ),
    "date-refined/1": DateRefined(place="Beijing", when=WHEN, cites=FROM),
    "documents-reported/1": DocumentsReported(
        number=13,
        groups=(GroupCount("institutional", 4), GroupCount("practical", 9)),
        words="13 documents",
        when=WHEN,
        cites=FROM,
    ),
    "value-reported/1": ValueReported(
        amount=Amount.exact("335000000.00", "USD", words="$335 million"),
        covers=("practical", "all"),
        nature="investment",
        adds=True,
        when=WHEN,
        cites=FROM,
    ),
    "fields-mentioned/1": FieldsMentioned(
        fields=("tea", "cardboard"), open_list=False, when=WHEN, cites=FROM
    ),
    "document-identified/1": DocumentIdentified(
        title="memorandum",
        group="institutional",
        kind=DocumentKind.MEMORANDUM,
        parties=(AZPROMO, NDRC),
        when=WHEN,
        cites=FROM,
    ),
    "progress-claimed/1": ProgressClaimed(
        claim="practical steps", when=When.unknown("recently"), cites=FROM
    ),
    "conflict-noted/1": ConflictNoted(
        about="organisers",
        claims=(Claim("AZPROMO", FROM), Claim("the ministry", Citation("source/b"))),
        when=WHEN,
        cites=FROM,
    ),
    "agreement-identified/1": AgreementIdentified(
        field="cardboard production",
        package="package/beijing-2025-04",
        group="practical",
        parties=(NDRC,),
        umbrella=True,
        when=WHEN,
        cites=FROM,
    ),
    "parties-reported/1": PartiesReported(
        parties=(AZPROMO, NDRC), when=WHEN, cites=FROM
    ),
    "agreement-signed/1": AgreementSigned(
        kind=DocumentKind.MEMORANDUM, when=WHEN, cites=FROM
    ),
    "agreement-signed/2": AgreementSigned(
        kind=DocumentKind.AGREEMENT, when=WHEN, cites=FROM
    ),
    "amended/1": Amended(what="the site", when=WHEN, cites=FROM),
    "work-started/1": WorkStarted(what="foundations", when=WHEN, cites=FROM),
    "land-allocated/1": LandAllocated(
        area=Amount.below("3.0", "ha", words="almost three hectares"),
        allottee=Party(("a company",), "AZ"),
        site="Sumgayit",
        when=When("[..2025-04-25]"),
        cites=FROM,
    ),
    "financial-model-discussed/1": FinancialModelDiscussed(
        finished=True, when=WHEN, cites=FROM
    ),
    "financial-model-agreed/1": FinancialModelAgreed(when=WHEN, cites=FROM),
    "investment-completed/1": InvestmentCompleted(
        amount=Missing.WITHHELD, when=When("2025-XX"), cites=FROM
    ),
    "company-created/1": CompanyCreated(
        name="a company", registration="1234567891", when=WHEN, cites=FROM
    ),
    "production-started/1": ProductionStarted(what="boxes", when=WHEN, cites=FROM),
    "link-proposed/1": LinkProposed(
        ours="agreement/cardboard",
        other="Baku Cardboard",
        speaks_for=("same trade",),
        speaks_against=("earlier", "no investor is named"),
        when=WHEN,
        cites=FROM,
    ),
    "link-confirmed/1": LinkConfirmed(basis="a register", when=WHEN, cites=FROM),
    "link-rejected/1": LinkRejected(basis="a register", when=WHEN, cites=FROM),
    "milestone-promised/1": MilestonePromised(
        milestone="company-created",
        target=When.unknown("in the near future"),
        when=WHEN,
        cites=FROM,
    ),
    "milestone-progressed/1": MilestoneProgressed(
        milestone="work-started", what="plans", when=WHEN, cites=FROM
    ),
    "milestone-reverted/1": MilestoneReverted(
        milestone="signed", what="withdrawn", when=When("2025-04~"), cites=FROM
    ),
    "milestone-waived/1": MilestoneWaived(
        milestone="land-allocated", what="leased", when=When("2025-21?"), cites=FROM
    ),
    "suspended/1": Suspended(what="by the parties", when=When("2025%"), cites=FROM),
    "resumed/1": Resumed(what="again", when=When("2025-04/2025-06"), cites=FROM),
    "terminated/1": Terminated(
        what="expired", when=WHEN, cites=FROM, replaces="an-id", reason="a slip"
    ),
    "retracted/1": Retracted(
        when=WHEN, cites=FROM, replaces="an-id", reason="told twice"
    ),
    "report-published/1": ReportPublished(
        report="changes",
        report_version=3,
        look=Look(17, date(2025, 4, 30), date(2025, 4, 25), "2025-04-30T09:00:00Z"),
        root="0b" * 32,
        digest="sha256:" + "0c" * 32,
        form="rows/1",
        rows=2,
        content='{"name":"changes","notes":["a \\ and Gəncə"]}',
        parts=1,
        parameters=(Parameter("policy", "committed"),),
        before=Look(0, date(2025, 4, 1)),
        when=WHEN,
        cites=FROM,
    ),
    "report-continued/1": ReportContinued(
        content=',"rows":[["none met",null]]}', when=WHEN, cites=FROM
    ),
    "erased/1": Erased(
        commitments=("A" * 43 + "=", "z" * 42 + "8="),
        ordered_by="The court",
        ground="Law on personal data, article 5.3",
        approved_by=("A. Person", "B. Person"),
        when=WHEN,
        cites=FROM,
    ),
}
"""What each line means."""


def test_every_version_of_every_kind_has_its_line() -> None:
    """No stored name or version lacks a line, none is gone, none has two."""
    stored = [
        f"{name}/{version}"
        for name in INVESTMENT.kinds
        for version in range(1, INVESTMENT.version_of(name) + 1)
    ]
    assert sorted(stored) == sorted(NAMES) == sorted(EXPECTED)


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_what_was_stored_still_means_the_same(line: dict[str, Any]) -> None:
    """Decoding gives the value that was meant, to the last digit's scale."""
    kind, payload, checksum = line["kind"], line["payload"].encode(), line["checksum"]
    event = Codec(INVESTMENT).decode(kind, payload, checksum)
    assert EXPECTED[kind] == event
    assert repr(EXPECTED[kind]) == repr(event)


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_the_newest_version_is_still_written_like_this(line: dict[str, Any]) -> None:
    """The bytes and the checksum of an event do not change between releases."""
    name, _, version = line["kind"].partition("/")
    stored = Codec(INVESTMENT).encode(EXPECTED[line["kind"]])
    if int(version) < INVESTMENT.version_of(name):
        assert f"{name}/{INVESTMENT.version_of(name)}" == stored[0]
        return
    assert (line["kind"], line["payload"].encode(), line["checksum"]) == stored


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_another_reader_sees_the_same_values(line: dict[str, Any]) -> None:
    """With a plain JSON reader alone, every field is found as it was meant."""
    plain = json.loads(line["payload"])
    if line["kind"] == "agreement-signed/1":
        plain["kind"] = {True: "memorandum", False: "unknown"}[plain.pop("memorandum")]
    assert as_plain(EXPECTED[line["kind"]]) == plain


def test_the_lines_use_every_shape_of_value() -> None:
    """A corpus of defaults would prove little: each field is given somewhere."""
    qualifiers = {event.when.qualifier for event in EXPECTED.values()}
    assert set(Qualifier) == qualifiers
    left_out = {
        f"{kind}.{field.name}"
        for kind, event in EXPECTED.items()
        for field in attrs.fields(type(event))
        if field.name not in {"replaces", "reason"}
        and getattr(event, field.name) == field.default
    }
    assert set() == left_out


def test_checksums_can_be_checked_by_others() -> None:
    """CRC-32 of kind and payload below, of the fields' names above, as documented."""
    (line,) = (line for line in LINES if line["kind"] == "company-created/1")
    names = (
        "{when{edtf,words},cites{source,at,speaker,digest},replaces,reason,"
        "name,registration}"
    )
    below = crc32(line["payload"].encode(), crc32(b"company-created/1"))
    above = crc32(names.encode()) & 0x7FFF_FFFF
    assert line["checksum"] == above << 32 | below


def test_decimals_keep_their_scale_on_disk() -> None:
    """335000000.00 is stored as it was said, as text."""
    (line,) = (line for line in LINES if line["kind"] == "value-reported/1")
    amount = json.loads(line["payload"])["amount"]
    assert ("335000000.00", "335000000.00") == (amount["low"], amount["high"])
