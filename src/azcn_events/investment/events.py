"""What sources say about packages, agreements, links and themselves.

Four categories of streams: ``source/…`` (who says so), ``package/…`` (what was
announced together), ``agreement/…`` (what a source spoke of individually) and
``link/…`` (two things that may be one). Stored names are in ``lifecycle.py``.
"""

from __future__ import annotations

import enum

from attrs import field, frozen

from azcn_events.core.events import Event
from azcn_events.core.values import Amount, Citation, Missing, Sealed
from azcn_events.errors import InvalidValue

__all__ = [
    "AgreementIdentified",
    "AgreementSigned",
    "Amended",
    "Claim",
    "CompanyCreated",
    "ConferenceReported",
    "ConflictNoted",
    "DateRefined",
    "DocumentIdentified",
    "DocumentKind",
    "DocumentsReported",
    "FieldsMentioned",
    "FinancialModelAgreed",
    "FinancialModelDiscussed",
    "GroupCount",
    "InvestmentCompleted",
    "LandAllocated",
    "LinkConfirmed",
    "LinkProposed",
    "LinkRejected",
    "PartiesReported",
    "Party",
    "ProductionStarted",
    "ProgressClaimed",
    "SourceRegistered",
    "ValueReported",
    "WorkStarted",
]


class DocumentKind(enum.Enum):
    """What was signed. A memorandum is a pledge, any other document a commitment.

    Source: the coding rule of AidData's TUFF methodology for official finance
    reported by the press. "Signed" alone decides nothing.
    """

    MEMORANDUM = "memorandum"
    AGREEMENT = "agreement"
    UNKNOWN = "unknown"


@frozen
class Party:
    """One side of an agreement, or one organiser, as far as it is named.

    Attributes:
        names: No name: a party that no source names. One: its name. Several: one
            of these, the sources disagree which. A person's may be sealed.
        country: ISO 3166-1 alpha-2 code, or empty if no source says it.
        role: What it does in the matter, in our words.
    """

    names: tuple[str | Sealed, ...] = ()
    country: str = ""
    role: str = ""

    def __str__(self) -> str:
        named = " or ".join(map(str, self.names)) if self.names else "unnamed"
        return f"{named}{f' ({self.country})' if self.country else ''}"


@frozen
class Claim:
    """What one source says in a matter on which sources differ."""

    says: str
    cites: Citation


@frozen
class GroupCount:
    """How many documents of one group were reported.

    Attributes:
        group: The group's name, such as ``"institutional"``.
        number: How many, >= 0.
    """

    group: str
    number: int

    def __attrs_post_init__(self) -> None:
        if self.number < 0 or not self.group:
            accepted = "a group's name and a number from 0 up"
            raise InvalidValue(f"{self.group} {self.number}", "no such count", accepted)


# Sources


@frozen
class SourceRegistered(Event):
    """A document that facts are taken from. ``when`` is when it was published.

    It cites itself.

    Attributes:
        publisher: Who published it; sources of one publisher are not independent.
        title: Its title, or our description of it.
        url: Where it can be read; empty if nowhere public.
        language: ISO 639-1 code of its language.
        speaker: Whose words it mainly reports; empty if the publisher's own; may be
            sealed.
        digest: SHA-256 of the copy we keep, ``sha256:`` and 64 hex digits; empty
            if we keep none.
    """

    publisher: str
    title: str
    url: str = ""
    language: str = ""
    speaker: str | Sealed = ""
    digest: str = ""


# Packages


@frozen
class ConferenceReported(Event):
    """An occasion at which documents were signed. ``when`` is the occasion's date.

    Attributes:
        title: What it was, in our words.
        organisers: Who held it, by this source.
        place: Where; empty if this source does not say.
    """

    title: str
    organisers: tuple[Party, ...] = ()
    place: str = ""


@frozen
class DateRefined(Event):
    """The occasion's date is known better. ``when`` is that date.

    Attributes:
        place: Where it was held; empty if this source does not say.
    """

    place: str = ""


@frozen
class DocumentsReported(Event):
    """How many documents a package has, as a source counts them.

    Attributes:
        number: All of them, >= the sum of ``groups``.
        groups: How many of each group, as far as the source says.
        words: The source's words for what they are.
    """

    number: int
    groups: tuple[GroupCount, ...] = ()
    words: str = ""

    def __attrs_post_init__(self) -> None:
        grouped = sum(count.number for count in self.groups)
        if self.number < grouped:
            problem = f"groups of {grouped} in all exceed it"
            raise InvalidValue(str(self.number), problem, f"at least {grouped}")


@frozen
class ValueReported(Event):
    """The value of a package or an agreement, as a source states it.

    A new report replaces the value in force; only a new commitment adds to it.

    Attributes:
        amount: The value, or why there is none; sealed if it is to be withheld.
        covers: For a package: the groups it may be the value of, likeliest first;
            several are an ambiguity of the source. ``"all"`` is every document.
        nature: What is valued (investment, trade, loan), empty if not said.
        adds: Whether it is a new commitment on top of the value in force.
    """

    amount: Amount | Missing | Sealed
    covers: tuple[str, ...] = ()
    nature: str = ""
    adds: bool = False


@frozen
class FieldsMentioned(Event):
    """Fields named in one breath with a package. A field is not a document.

    Attributes:
        fields: The fields, in our words, in the source's order.
        open_list: Whether the source gave them as examples.
    """

    fields: tuple[str, ...]
    open_list: bool = True


@frozen
class DocumentIdentified(Event):
    """One of a package's documents, known by itself but no agreement of its own.

    Attributes:
        title: What it is, in our words.
        group: The group it is one of; empty if no source says.
        kind: Memorandum or agreement.
        parties: Who signed it; a party with several names is disputed.
    """

    title: str
    group: str = ""
    kind: DocumentKind = DocumentKind.UNKNOWN
    parties: tuple[Party, ...] = ()


@frozen
class ProgressClaimed(Event):
    """A source claims progress too vaguely to count. It changes no state.

    Attributes:
        claim: What it claims, in our words.
    """

    claim: str


@frozen
class ConflictNoted(Event):
    """Sources differ; nothing is decided by noting it.

    Attributes:
        about: The matter, such as ``"organisers"``.
        claims: What each says; at least two.
    """

    about: str
    claims: tuple[Claim, ...]

    def __attrs_post_init__(self) -> None:
        if len(self.claims) < 2:
            found = f"{len(self.claims)} claims about {self.about}"
            raise InvalidValue(found, "one claim is no conflict", "two or more")


# Agreements


@frozen
class AgreementIdentified(Event):
    """A source spoke of one agreement individually. It opens the stream.

    Attributes:
        package: Stream of the package it belongs to; empty if none is known.
        field: What it is about, in our words.
        group: The package's group it is one of; empty if no source says.
        parties: Its parties, as far as this source says.
        umbrella: Whether it contains others that are counted by themselves.
    """

    field: str
    package: str = ""
    group: str = ""
    parties: tuple[Party, ...] = ()
    umbrella: bool = False


@frozen
class PartiesReported(Event):
    """Who the parties are, by this source."""

    parties: tuple[Party, ...]


@frozen
class AgreementSigned(Event):
    """The document was signed.

    Version 1 had ``memorandum: true | false`` for ``kind``.

    Attributes:
        kind: Memorandum or agreement; unknown if the source does not say.
    """

    kind: DocumentKind = DocumentKind.UNKNOWN


@frozen
class Amended(Event):
    """The parties changed the agreement.

    Attributes:
        what: What was changed, in our words; a new value is a ``ValueReported``.
    """

    what: str


@frozen
class WorkStarted(Event):
    """Work on the ground, or in the plant, began.

    Attributes:
        what: What work, in our words.
    """

    what: str = ""


def _positive(_: object, __: object, area: Amount | Missing) -> None:
    if isinstance(area, Amount) and area.high is not None and area.high <= 0:
        raise InvalidValue(str(area), "an area is more than nothing", "above zero")


@frozen
class LandAllocated(Event):
    """Land was allocated. For a purpose; that there is an allottee is another fact.

    Attributes:
        area: Area in ``ha`` or another unit of area, or why it is absent.
        allottee: To whom, or why that is absent.
        site: Where, in our words; empty if no source says.
    """

    area: Amount | Missing = field(default=Missing.UNKNOWN, validator=_positive)
    allottee: Party | Missing = Missing.UNKNOWN
    site: str = ""


@frozen
class FinancialModelDiscussed(Event):
    """The parties discussed the financial model. That is not agreeing on it.

    Attributes:
        finished: Whether the source says that the discussion is over.
    """

    finished: bool = False


@frozen
class FinancialModelAgreed(Event):
    """The parties agreed the financial model."""


@frozen
class InvestmentCompleted(Event):
    """The investment was made in full.

    Attributes:
        amount: How much, or why that is absent; sealed if it is to be withheld.
    """

    amount: Amount | Missing | Sealed = Missing.UNKNOWN


@frozen
class CompanyCreated(Event):
    """The project company was created.

    Attributes:
        name: Its name; empty if no source says.
        registration: Its number in a register, as written there.
    """

    name: str = ""
    registration: str = ""


@frozen
class ProductionStarted(Event):
    """The plant produces.

    Attributes:
        what: What it makes, in our words.
    """

    what: str = ""


# Links


@frozen
class LinkProposed(Event):
    """Two things may be one. Until it is confirmed it changes no figure.

    Attributes:
        ours: Stream of our agreement.
        other: The other thing: a stream, or a name in our words.
        speaks_for: Signs that they are one.
        speaks_against: Signs that they are not.
    """

    ours: str
    other: str
    speaks_for: tuple[str, ...] = ()
    speaks_against: tuple[str, ...] = ()


@frozen
class LinkConfirmed(Event):
    """A source says that they are one.

    Attributes:
        basis: What it says, in our words.
    """

    basis: str = ""


@frozen
class LinkRejected(Event):
    """A source says that they are not.

    Attributes:
        basis: What it says, in our words.
    """

    basis: str = ""
