"""Packages, agreements and links, as a moment shows them.

Conclusions, never events: each can be computed again from the records, for any
moment, and names the records that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from attrs import frozen

from azcn_events.core.events import Event, Recorded
from azcn_events.core.history import Moment, in_force
from azcn_events.core.lifecycle import State, occurred
from azcn_events.core.values import Amount, Answer, Missing, Range, When
from azcn_events.investment import events as ev

__all__ = ["Agreement", "Link", "Package", "Portfolio", "Value", "portfolio"]

E = TypeVar("E", bound=Event)

Dated = Sequence[tuple[Recorded, Answer]]
"""Facts in force, each with whether it had surely or possibly come."""


@frozen
class Value:
    """What something is worth, as last reported. Units never mix.

    Attributes:
        amounts: An amount for each unit; empty if none is reported.
        missing: Why there is no amount, or UNKNOWN while it is not sure that any
            had been reported; None if there is one.
        records: The records that it rests on, in order.
    """

    amounts: Mapping[str, Amount]
    missing: Missing | None
    records: tuple[Recorded, ...] = ()

    def __str__(self) -> str:
        if self.missing:
            return str(self.missing)
        return " and ".join(str(amount) for amount in self.amounts.values())


_TWO: Final = 2
_NOTHING: Final = Value({}, Missing.UNKNOWN)


@frozen
class Agreement:
    """One agreement that sources spoke of individually.

    Attributes:
        stream: Its stream; of two that are confirmed to be one, the first.
        state: Where it stands.
        identified: What it is, as last said.
        kind: What was signed, as last said; UNKNOWN if nothing was.
        value: What it is worth.
        others: Streams confirmed to be the same agreement.
    """

    stream: str
    state: State
    identified: ev.AgreementIdentified
    kind: ev.DocumentKind
    value: Value
    others: tuple[str, ...] = ()


@frozen
class Package:
    """What was announced together.

    Attributes:
        stream: Its stream.
        dated: When the occasion was, as last said; unknown if nothing was.
        occasions: The records that say so, in order; the last one counts.
        documents: The reports of how many there are: the last that is sure, and
            any later ones that only possibly had come.
        identified: Its documents known by themselves that are no agreement.
        agreements: Its agreements.
        value: Its value in force.
        covers: The groups that the value may be of; several are an ambiguity.
        conflicts: Notes that sources differ.
        mentioned: Fields mentioned with it, as last said.
    """

    stream: str
    dated: When
    occasions: tuple[Recorded, ...]
    documents: tuple[Recorded, ...]
    identified: tuple[Recorded, ...]
    agreements: tuple[Agreement, ...]
    value: Value
    covers: tuple[str, ...]
    conflicts: tuple[Recorded, ...]
    mentioned: Recorded | None

    def reported(self, group: str | None = None) -> Range | None:
        """Give how many documents there are, of one group or of all (None).

        Returns:
            None if no source says; a range if reports differ at this moment.
        """
        numbers = [
            number
            for record in self.documents
            if (number := _reported(record.event, group)) is not None
        ]
        return Range(min(numbers), max(numbers)) if numbers else None

    @property
    def refinement(self) -> str:
        """Say how the last date stands to the one before it.

        Returns:
            ``"narrows"`` if it lies inside the earlier bounds; ``"contradicts"``
            if surely no day is in both; ``"widens"`` if it only overlaps them,
            which calls for a correction; empty if there is only one date.
        """
        if len(self.occasions) < _TWO:
            return ""
        earlier = self.occasions[-2].event.when
        if self.dated.within(earlier):
            return "narrows"
        apart = (self.dated.before(earlier), earlier.before(self.dated))
        return "contradicts" if Answer.YES in apart else "widens"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that sources count or name, in their order."""
        names: dict[str, None] = {}
        for record in self.documents:
            if isinstance(record.event, ev.DocumentsReported):
                names |= dict.fromkeys(count.group for count in record.event.groups)
        names |= dict.fromkeys(self._group_of_each())
        names.pop("", None)
        return tuple(names)

    def known(self, group: str | None = None) -> int:
        """Give how many documents are individually known.

        Args:
            group: Of one group; ``""`` for those of which no source says the
                group; None for all.
        """
        each = self._group_of_each()
        return len(each) if group is None else each.count(group)

    def anonymous(self, group: str | None = None) -> Range | None:
        """Give how many reported documents no source spoke of individually.

        A known document whose group is not said may belong to any: so the number
        of a single group is a range. Never below zero.

        Returns:
            None if no source says how many there are.
        """
        reported = self.reported(group)
        if reported is None or reported.low is None or reported.high is None:
            return None
        surely = self.known(group)
        perhaps = 0 if group is None else self.known("")
        low = max(reported.low - surely - perhaps, 0)
        return Range(low, max(reported.high - surely, low))

    @property
    def exceeded(self) -> bool:
        """Whether more documents are known than any source reports."""
        reported = self.reported()
        counts = [(self.known(), reported)]
        counts += [(self.known(group), self.reported(group)) for group in self.groups]
        return any(
            told is not None and told.high is not None and known > told.high
            for known, told in counts
        )

    def allocated(self, unit: str) -> Amount:
        """Give the sum of its agreements' known amounts in a unit.

        An umbrella is left out: what it contains is counted by itself.
        """
        amounts = (
            agreement.value.amounts.get(unit)
            for agreement in self.agreements
            if not agreement.identified.umbrella
        )
        return Amount.total((amount for amount in amounts if amount), unit)

    def unallocated(self, unit: str) -> Amount:
        """Give what of its value no agreement is known to hold. Never below zero."""
        return (self.value.amounts[unit] - self.allocated(unit)).at_least_zero()

    def overspent(self, unit: str) -> Answer:
        """Say whether its agreements' amounts exceed its value: a contradiction."""
        fits = self.allocated(unit).below_or_at(self.value.amounts[unit])
        return {
            Answer.YES: Answer.NO,
            Answer.NO: Answer.YES,
            Answer.MAYBE: Answer.MAYBE,
        }[fits]

    def _group_of_each(self) -> list[str]:
        documents = [
            record.event.group
            for record in self.identified
            if isinstance(record.event, ev.DocumentIdentified)
        ]
        return documents + [agreement.identified.group for agreement in self.agreements]


def _reported(event: Event, group: str | None) -> int | None:
    if not isinstance(event, ev.DocumentsReported):
        return None
    if group is None:
        return event.number
    return {count.group: count.number for count in event.groups}.get(group)


@frozen
class Link:
    """Two things that may be one.

    Attributes:
        stream: Its stream.
        proposed: What is proposed, and what speaks for and against it.
        confirmed: YES if confirmed, NO if rejected, MAYBE while neither.
    """

    stream: str
    proposed: ev.LinkProposed
    confirmed: Answer


@frozen
class Portfolio:
    """Everything that a moment shows.

    Attributes:
        packages: By stream, in the order of their first record.
        agreements: Likewise; those confirmed to be one appear once.
        links: Likewise.
        sources: The registered sources, by stream.
    """

    packages: Mapping[str, Package]
    agreements: Mapping[str, Agreement]
    links: Mapping[str, Link]
    sources: Mapping[str, ev.SourceRegistered]

    @property
    def anonymous(self) -> Range:
        """How many reported documents are not individually known, in all."""
        total = Range.exact(0)
        for package in self.packages.values():
            total += package.anonymous() or Range(0, None)
        return total


def portfolio(moment: Moment) -> Portfolio:
    """Fold the log, as a moment knows it, into packages, agreements and links."""
    facts: dict[str, list[tuple[str, list[Recorded]]]] = {}
    for history in moment.histories():
        dated = list(in_force(history.records))
        category = history.stream.partition("/")[0]
        facts.setdefault(category, []).append((history.stream, dated))
    links = _links(moment, facts.get("link", ()))
    agreements = _agreements(moment, facts.get("agreement", ()), links)
    packages = {
        stream: _package(stream, _dated(moment, records), agreements)
        for stream, records in facts.get("package", ())
    }
    sources = {
        stream: event
        for stream, records in facts.get("source", ())
        if (event := _last(_dated(moment, records), ev.SourceRegistered))
    }
    shown = {s: p for s, p in packages.items() if p is not None}
    return Portfolio(shown, agreements, links, sources)


def _dated(moment: Moment, records: Iterable[Recorded]) -> Dated:
    """Pair facts with whether they had come; those that surely had not are left out."""
    if moment.as_of is None:
        return [(record, Answer.YES) for record in records]
    paired = ((record, occurred(record, moment.as_of)) for record in records)
    return [(record, answer) for record, answer in paired if answer is not Answer.NO]


def _links(
    moment: Moment, streams: Iterable[tuple[str, list[Recorded]]]
) -> dict[str, Link]:
    links: dict[str, Link] = {}
    for stream, records in streams:
        dated = _dated(moment, records)
        proposed = _last(dated, ev.LinkProposed)
        if proposed:
            links[stream] = Link(stream, proposed, _confirmed(dated))
    return links


def _confirmed(dated: Dated) -> Answer:
    """Say what was last decided; what only possibly had come decides nothing."""
    confirmed = Answer.MAYBE
    for record, answer in dated:
        if answer is Answer.YES and isinstance(record.event, ev.LinkConfirmed):
            confirmed = Answer.YES
        elif answer is Answer.YES and isinstance(record.event, ev.LinkRejected):
            confirmed = Answer.NO
    return confirmed


def _agreements(
    moment: Moment,
    streams: Iterable[tuple[str, list[Recorded]]],
    links: Mapping[str, Link],
) -> dict[str, Agreement]:
    facts = dict(streams)
    same = _merged(facts, links)
    agreements: dict[str, Agreement] = {}
    for stream, records in facts.items():
        if stream in same:
            continue
        others = tuple(other for other, first in same.items() if first == stream)
        told = [*records, *(record for other in others for record in facts[other])]
        told.sort(key=lambda record: record.position)
        agreement = _agreement(moment, stream, told if others else records, others)
        if agreement:
            agreements[stream] = agreement
    return agreements


def _merged(facts: Mapping[str, object], links: Mapping[str, Link]) -> dict[str, str]:
    """Give for each stream that is confirmed to be another the first of them."""
    order = {stream: place for place, stream in enumerate(facts)}
    first = {stream: stream for stream in facts}

    def root(stream: str) -> str:
        while first[stream] != stream:
            stream = first[stream]
        return stream

    for link in links.values():
        ours, other = link.proposed.ours, link.proposed.other
        if link.confirmed is Answer.YES and ours in facts and other in facts:
            earlier, later = sorted((root(ours), root(other)), key=order.__getitem__)
            first[later] = earlier
    return {stream: root(stream) for stream in facts if root(stream) != stream}


def _agreement(
    moment: Moment, stream: str, records: Sequence[Recorded], others: tuple[str, ...]
) -> Agreement | None:
    dated = _dated(moment, records)
    identified = _last(dated, ev.AgreementIdentified)
    if identified is None:
        return None
    signed = _last(dated, ev.AgreementSigned)
    return Agreement(
        stream,
        moment.lifecycle.replay(records, as_of=moment.as_of),
        identified,
        signed.kind if signed else ev.DocumentKind.UNKNOWN,
        _value(dated),
        others,
    )


def _package(
    stream: str, dated: Dated, agreements: Mapping[str, Agreement]
) -> Package | None:
    if not dated:
        return None
    occasion = [
        record
        for record, _ in dated
        if isinstance(record.event, ev.ConferenceReported | ev.DateRefined)
    ]
    values = _of(dated, ev.ValueReported)
    mentioned = _of(dated, ev.FieldsMentioned)
    return Package(
        stream=stream,
        dated=occasion[-1].event.when if occasion else When.unknown(),
        occasions=tuple(occasion),
        documents=tuple(_latest(dated, ev.DocumentsReported)),
        identified=tuple(_of(dated, ev.DocumentIdentified)),
        agreements=tuple(
            agreement
            for agreement in agreements.values()
            if agreement.identified.package == stream
        ),
        value=_value(dated),
        covers=values[-1].event.covers if values else (),  # type: ignore[attr-defined] # chosen by class
        conflicts=tuple(_of(dated, ev.ConflictNoted)),
        mentioned=mentioned[-1] if mentioned else None,
    )


def _value(dated: Dated) -> Value:
    """Fold reports of value: the next replaces, only a new commitment adds.

    What only possibly had come widens the amount to hold either case.
    """
    value = _NOTHING
    for record, answer in dated:
        event = record.event
        if not isinstance(event, ev.ValueReported):
            continue
        after = _told(value, event, record)
        value = after if answer is Answer.YES else _either(value, after)
    return value


def _told(value: Value, event: ev.ValueReported, record: Recorded) -> Value:
    if not event.adds:
        value = _NOTHING
    records = (*value.records, record)
    if isinstance(event.amount, Missing):
        return Value(value.amounts, event.amount, records)
    amount, amounts = event.amount, dict(value.amounts)
    before = amounts.get(amount.unit)
    amounts[amount.unit] = amount if before is None else before + amount
    return Value(amounts, None, records)


def _either(one: Value, other: Value) -> Value:
    """Hold both cases: bounds wide enough for each."""
    if one.missing or other.missing or one.amounts.keys() != other.amounts.keys():
        return Value({}, Missing.UNKNOWN, other.records)
    amounts = {
        unit: amount.or_(other.amounts[unit]) for unit, amount in one.amounts.items()
    }
    return Value(amounts, None, other.records)


def _latest(dated: Dated, kind: type[Event]) -> Iterator[Recorded]:
    """Yield the last sure record of a kind, and possible ones after it."""
    found: list[Recorded] = []
    for record, answer in dated:
        if isinstance(record.event, kind):
            found = [record] if answer is Answer.YES else [*found, record]
    yield from found


def _of(dated: Dated, kind: type[Event]) -> list[Recorded]:
    return [record for record, _ in dated if isinstance(record.event, kind)]


def _last(dated: Dated, kind: type[E]) -> E | None:
    found = None
    for record, _ in dated:
        if isinstance(record.event, kind):
            found = record.event
    return found
