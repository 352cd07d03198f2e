"""Packages, agreements and links, as a moment shows them.

Conclusions, never events: each can be computed again from the records, for any
moment, and names the records that it rests on.

What had only possibly come by the day asked for makes figures wider, never surer.
What something *is* has no date: an agreement's package, group and field, and that
two agreements are one, hold for every day once they are known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Final, TypeVar

from attrs import evolve, frozen

from azcn_events.core.events import (
    Event,
    Recorded,
    Resumed,
    Suspended,
    Terminated,
)
from azcn_events.core.history import History, Moment, in_force
from azcn_events.core.state import State, impossible_date, occurred
from azcn_events.core.values import Amount, Answer, Missing, Range, Sealed, When
from azcn_events.investment import events as ev
from azcn_events.investment.basis import Basis, joined

__all__ = [
    "Agreement",
    "Link",
    "Package",
    "Portfolio",
    "Standing",
    "Value",
    "portfolio",
    "standings",
]

E = TypeVar("E", bound=Event)

Dated = Sequence[tuple[Recorded, Answer]]
"""Facts in force, each with whether it had surely or possibly come."""


@frozen
class Value:
    """What something is worth, as last reported. Units never mix.

    Attributes:
        amounts: An amount for each unit; empty if none is reported.
        missing: Why there is no amount, or none for a part of it; None if all of
            it is reported.
        records: The records that it rests on, in order.
        unsure: Units whose amount had only possibly been reported; ``""`` among
            them if ``missing`` only possibly holds.
    """

    amounts: Mapping[str, Amount]
    missing: Missing | None
    records: tuple[Recorded, ...] = ()
    unsure: frozenset[str] = frozenset()

    def within(self, unit: str) -> Amount | None:
        """Give what is reported in a unit, from nothing up if it is not sure."""
        amount = self.amounts.get(unit)
        if amount is None or unit not in self.unsure:
            return amount
        return amount.or_(Amount.exact(0, unit))

    @property
    def is_open(self) -> bool:
        """Whether there is value, or a part of it, that no source says."""
        return self.missing in _OPEN

    def __str__(self) -> str:
        parts = [
            f"perhaps {amount}" if unit in self.unsure else str(amount)
            for unit, amount in self.amounts.items()
        ]
        if self.missing:
            parts.append(f"{'perhaps ' * ('' in self.unsure)}{self.missing}")
        return " and ".join(parts)


_OPEN: Final = (Missing.UNKNOWN, Missing.WITHHELD, Missing.ERASED)
"""There is a value that we do not know: whatever is added, it stays so in part."""

_TWO: Final = 2
_NOTHING: Final = Value({}, Missing.UNKNOWN)


@frozen
class Standing:
    """One thing that has milestones; of two that are confirmed to be one, both.

    Attributes:
        stream: Its stream, or the first of its streams.
        others: The other streams confirmed to be the same.
        dated: Its facts in force, in the order in which they count, and whether
            they had come; those that surely had not are left out.
        known: Those as well.
        state: Where it stands.
        basis: What every figure about it rests on: what it is, that anything about
            it had come, and what makes its streams one.
    """

    stream: str
    others: tuple[str, ...]
    dated: Dated
    known: tuple[Recorded, ...]
    state: State
    basis: Basis

    @property
    def facts(self) -> tuple[Recorded, ...]:
        """The facts that had come, surely or possibly."""
        return tuple(_known(self.dated))

    @property
    def turns(self) -> tuple[Recorded, ...]:
        """Those of the facts by which it was suspended, resumed or terminated."""
        return self.facts_of(Suspended, Resumed, Terminated)

    @property
    def steps(self) -> tuple[Recorded, ...]:
        """Those of the facts that bear on a milestone, milestone by milestone."""
        milestones = self.state.milestones.values()
        return tuple(record for each in milestones for record in each.records)

    def facts_of(self, *kinds: type[Event]) -> tuple[Recorded, ...]:
        """Give those of the facts that are of some classes."""
        return tuple(fact for fact in self.facts if isinstance(fact.event, kinds))

    @property
    def present(self) -> Answer:
        """Whether anything about it had come: YES or MAYBE."""
        sure = any(answer is Answer.YES for _, answer in self.dated)
        return Answer.YES if sure else Answer.MAYBE


@frozen
class Agreement:
    """One agreement that sources spoke of individually.

    Attributes:
        standing: Its facts, and where it stands.
        identified: What it is, as last said.
        kind: What was signed, as last said; UNKNOWN if nothing was, or if what
            had possibly come says otherwise.
        value: What it is worth.
    """

    standing: Standing
    identified: ev.AgreementIdentified
    kind: ev.DocumentKind
    value: Value

    @property
    def stream(self) -> str:
        """Its stream; of two that are confirmed to be one, the first."""
        return self.standing.stream

    @property
    def others(self) -> tuple[str, ...]:
        """The other streams confirmed to be the same agreement."""
        return self.standing.others

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.standing.state

    @property
    def present(self) -> Answer:
        """Whether anything about it had come: YES or MAYBE."""
        return self.standing.present

    @property
    def basis(self) -> Basis:
        """What every figure about it rests on."""
        return self.standing.basis


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
        basis: What every figure about it rests on: that anything was said of it.
        unsure: Ids of its records that had only possibly come.
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
    basis: Basis
    unsure: frozenset[str] = frozenset()

    def reported(self, group: str | None = None) -> Range | None:
        """Give how many documents there are, of one group or of all (None).

        Returns:
            None if no source says; a range if it is not sure which report holds
            at this moment, from 0 if it is not sure that there were any yet.
        """
        numbers = [
            number
            for record in self.documents
            if (number := _reported(record.event, group)) is not None
        ]
        if not numbers:
            return None
        sure = any(record.id not in self.unsure for record in self.documents)
        return Range(min(numbers) if sure else 0, max(numbers))

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
        names |= dict.fromkeys(group for group, _ in self._group_of_each())
        names.pop("", None)
        return tuple(names)

    def known(self, group: str | None = None) -> Range:
        """Give how many documents are individually known; exact if all had surely come.

        Args:
            group: Of one group; ``""`` for those of which no source says the
                group; None for all.
        """
        answers = [
            answer
            for its_group, answer in self._group_of_each()
            if group is None or its_group == group
        ]
        return Range(answers.count(Answer.YES), len(answers))

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
        surely = self.known(group).low or 0
        at_most = self.known(group).high or 0
        if group is not None:
            at_most += self.known("").high or 0
        low = max(reported.low - at_most, 0)
        return Range(low, max(reported.high - surely, low))

    @property
    def exceeded(self) -> bool:
        """Whether surely more documents are known than any source reports."""
        reported = self.reported()
        counts = [(self.known(), reported)]
        counts += [(self.known(group), self.reported(group)) for group in self.groups]
        return any(
            told is not None and (known.low or 0) > (told.high or 0)
            for known, told in counts
        )

    def allocated(self, unit: str) -> Amount:
        """Give the sum of its agreements' known amounts in a unit.

        An umbrella is left out: what it contains is counted by itself.
        """
        amounts = (
            agreement.value.within(unit)
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

    def why_documents(self, group: str | None = None) -> tuple[int, ...]:
        """Name the records that the numbers of its documents rest on.

        Args:
            group: Those of one group, and so of those of which no source says the
                group; None for all.
        """
        groups = None if group is None else ("", group)
        identified = (
            record
            for record in self.identified
            if isinstance(record.event, ev.DocumentIdentified)
            and (groups is None or record.event.group in groups)
        )
        agreements = (
            agreement.basis.positions
            for agreement in self.agreements
            if groups is None or agreement.identified.group in groups
        )
        return joined(self.basis.why(self.documents, identified), *agreements)

    def why_value(self, unit: str) -> tuple[int, ...]:
        """Name the records that its value in a unit, held and not, rests on."""
        held = (
            agreement.basis.why(agreement.value.records)
            for agreement in self.agreements
            if unit in agreement.value.amounts and not agreement.identified.umbrella
        )
        return joined(self.basis.why(self.value.records), *held)

    def _group_of_each(self) -> list[tuple[str, Answer]]:
        documents = [
            (
                record.event.group,
                Answer.MAYBE if record.id in self.unsure else Answer.YES,
            )
            for record in self.identified
            if isinstance(record.event, ev.DocumentIdentified)
        ]
        return documents + [
            (agreement.identified.group, agreement.present)
            for agreement in self.agreements
        ]


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
        why: Positions of the records that it rests on.
    """

    stream: str
    proposed: ev.LinkProposed
    confirmed: Answer
    why: tuple[int, ...]

    def unites(self, streams: Collection[str]) -> bool:
        """Say whether it makes two of these streams one."""
        both = self.proposed.ours in streams and self.proposed.other in streams
        return both and self.confirmed is Answer.YES


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

    @property
    def why_anonymous(self) -> tuple[int, ...]:
        """The positions of the records that this number rests on."""
        return joined(*(package.why_documents() for package in self.packages.values()))


def portfolio(moment: Moment) -> Portfolio:
    """Fold the log, as a moment knows it, into packages, agreements and links."""
    links = _links(moment)
    agreements = {
        standing.stream: agreement
        for standing in _standings(moment, links)
        if (agreement := _agreement(standing))
    }
    packages = {
        history.stream: package
        for history in moment.histories("package")
        if (package := _package(history, agreements))
    }
    sources = {
        history.stream: event
        for history in moment.histories("source")
        if (event := _last(_known(_dated(history)), ev.SourceRegistered))
    }
    return Portfolio(packages, agreements, links, sources)


def standings(moment: Moment) -> Iterator[Standing]:
    """Yield each thing that has milestones, streams confirmed to be one as one.

    Left out is that of which every fact is retracted, or lies after ``as_of``: at
    this moment there is no such thing.
    """
    return _standings(moment, _links(moment))


def _standings(moment: Moment, links: Mapping[str, Link]) -> Iterator[Standing]:
    histories = {h.stream: h for h in moment.histories(moment.lifecycle.category)}
    same = _merged(histories, links)
    for stream, history in histories.items():
        if stream in same:
            continue
        others = tuple(other for other, first in same.items() if first == stream)
        parts = [history, *(histories[other] for other in others)]
        known = _interleaved(parts) if others else in_force(history.records)
        dated = _had_come(known, moment.as_of)
        if dated:
            state = moment.lifecycle.replay(known, as_of=moment.as_of)
            state = evolve(state, stream=stream)
            basis = _basis(parts, known, dated, links)
            yield Standing(stream, others, dated, known, state, basis)


def _interleaved(histories: Sequence[History]) -> tuple[Recorded, ...]:
    """Join facts in force by when what they stand for was recorded.

    What was recorded at one time in several streams has no order of its own; the
    streams' names give it one.
    """
    placed = list[tuple[tuple[int, str, int], Recorded]]()
    for history in histories:
        stood: dict[str, int] = {}
        for record in history.records:
            stood[record.id] = stood.get(record.event.replaces, record.recorded_us)
        placed += [
            ((stood[record.id], history.stream, number), record)
            for number, record in enumerate(in_force(history.records))
        ]
    placed.sort(key=itemgetter(0))
    return tuple(record for _, record in placed)


def _basis(
    parts: Sequence[History],
    known: Sequence[Recorded],
    dated: Dated,
    links: Mapping[str, Link],
) -> Basis:
    """Say what every figure about a thing rests on.

    How each of its streams began, which gives it its place and its name; what it is;
    that anything about it had come; and what makes its streams one.
    """
    needed = [part.records[0] for part in parts]
    needed += [r for r in known if isinstance(r.event, ev.AgreementIdentified)][-1:]
    needed.append(_witness(dated))
    records = (record for part in parts for record in part.records)
    if len(parts) == 1:
        return Basis.of(records, needed)
    streams = {part.stream for part in parts}
    uniting = (link.why for link in links.values() if link.unites(streams))
    return Basis.of(records, needed, joined(*uniting))


def _witness(dated: Dated) -> Recorded:
    """Choose the fact that best shows that something had come: a sure one, if any."""
    sure = (record for record, answer in dated if answer is Answer.YES)
    return next(sure, dated[0][0])


def _dated(history: History) -> Dated:
    return _had_come(in_force(history.records), history.as_of)


def _had_come(records: Iterable[Recorded], as_of: date | None) -> Dated:
    """Pair facts with whether they had come; those that surely had not are left out."""
    if as_of is None:
        return [(record, Answer.YES) for record in records]
    paired = ((record, occurred(record, as_of)) for record in records)
    return [(record, answer) for record, answer in paired if answer is not Answer.NO]


def _known(dated: Dated) -> list[Recorded]:
    return [record for record, _ in dated]


def _links(moment: Moment) -> dict[str, Link]:
    """Give the links; whether two things are one does not depend on the day."""
    links: dict[str, Link] = {}
    for history in moment.histories("link"):
        known = in_force(history.records)
        proposed = _last(known, ev.LinkProposed)
        if proposed:
            confirmed = _confirmed(known)
            decisions = [r for r in known if isinstance(r.event, _DECISIONS)]
            why = Basis.of(history.records, decisions).positions
            links[history.stream] = Link(history.stream, proposed, confirmed, why)
    return links


_DECISIONS: Final = (ev.LinkProposed, ev.LinkConfirmed, ev.LinkRejected)


def _confirmed(known: Iterable[Recorded]) -> Answer:
    """Say what was last decided."""
    confirmed = Answer.MAYBE
    for record in known:
        if impossible_date(record):
            continue  # It will be said, perhaps; it is not said yet.
        if isinstance(record.event, ev.LinkProposed):
            confirmed = Answer.MAYBE
        elif isinstance(record.event, ev.LinkConfirmed):
            confirmed = Answer.YES
        elif isinstance(record.event, ev.LinkRejected):
            confirmed = Answer.NO
    return confirmed


def _merged(
    histories: Mapping[str, History], links: Mapping[str, Link]
) -> dict[str, str]:
    """Give for each stream that is confirmed to be another the first of them.

    The first is the one recorded first; of several at one time, the first by name.
    """
    first = {stream: stream for stream in histories}

    def root(stream: str) -> str:
        while first[stream] != stream:
            stream = first[stream]
        return stream

    def begun(stream: str) -> tuple[int, str]:
        return histories[stream].records[0].recorded_us, stream

    for link in links.values():
        ours, other = link.proposed.ours, link.proposed.other
        if link.unites(first):
            earlier, later = sorted((root(ours), root(other)), key=begun)
            first[later] = earlier
    return {stream: root(stream) for stream in first if root(stream) != stream}


def _agreement(standing: Standing) -> Agreement | None:
    identified = _last(standing.known, ev.AgreementIdentified)
    if identified is None:
        return None
    return Agreement(
        standing, identified, _kind(standing.dated), _value(standing.dated)
    )


def _kind(dated: Dated) -> ev.DocumentKind:
    possible = {ev.DocumentKind.UNKNOWN}
    for record, answer in dated:
        if isinstance(record.event, ev.AgreementSigned) and not impossible_date(record):
            kept = possible if answer is Answer.MAYBE else set[ev.DocumentKind]()
            possible = {*kept, record.event.kind}
    return possible.pop() if len(possible) == 1 else ev.DocumentKind.UNKNOWN


def _package(history: History, agreements: Mapping[str, Agreement]) -> Package | None:
    dated = _dated(history)
    if not dated:
        return None
    occasion = [
        record
        for record, _ in dated
        if isinstance(record.event, ev.ConferenceReported | ev.DateRefined)
    ]
    value = _value(dated)
    mentioned = _of(dated, ev.FieldsMentioned)
    return Package(
        stream=history.stream,
        dated=occasion[-1].event.when if occasion else When.unknown(),
        occasions=tuple(occasion),
        documents=tuple(_latest(dated, ev.DocumentsReported)),
        identified=tuple(_of(dated, ev.DocumentIdentified)),
        agreements=tuple(
            agreement
            for agreement in agreements.values()
            if agreement.identified.package == history.stream
        ),
        value=value,
        covers=value.records[-1].event.covers if value.records else (),  # type: ignore[attr-defined] # chosen by class
        conflicts=tuple(_of(dated, ev.ConflictNoted)),
        mentioned=mentioned[-1] if mentioned else None,
        basis=Basis.of(history.records, [_witness(dated)]),
        unsure=frozenset(r.id for r, answer in dated if answer is Answer.MAYBE),
    )


def _value(dated: Dated) -> Value:
    """Fold reports of value: the next replaces, only a new commitment adds.

    What only possibly had come widens the amount to hold either case.
    """
    value = _NOTHING
    for record, answer in dated:
        event = record.event
        if not isinstance(event, ev.ValueReported) or impossible_date(record):
            continue
        after = _told(value, event, record)
        value = after if answer is Answer.YES else _either(value, after)
    return value


def _told(value: Value, event: ev.ValueReported, record: Recorded) -> Value:
    if not event.adds:
        value = _NOTHING
    records = (*value.records, record)
    open_before = value.missing if value.records and value.missing in _OPEN else None
    amount = event.amount
    if isinstance(amount, Sealed):
        amount = Missing.ERASED if amount.is_erased else Missing.WITHHELD
    if isinstance(amount, Missing):
        if event.adds and amount not in _OPEN and value.records:
            return evolve(value, records=records)  # No new commitment at all.
        return Value(value.amounts, amount, records, value.unsure - {""})
    amounts = dict(value.amounts)
    before = value.within(amount.unit)
    amounts[amount.unit] = amount if before is None else before + amount
    unsure = value.unsure - {amount.unit} - ({""} if open_before is None else set())
    return Value(amounts, open_before, records, frozenset(unsure))


def _either(one: Value, other: Value) -> Value:
    """Hold both cases: bounds wide enough for each."""
    amounts, unsure = dict(other.amounts), set(one.unsure | other.unsure)
    for unit, amount in one.amounts.items():
        amounts[unit] = amount.or_(amounts[unit]) if unit in amounts else amount
    unsure |= one.amounts.keys() ^ other.amounts.keys()
    missing = one.missing or other.missing
    if not (one.missing and other.missing):
        unsure |= {""} if missing else set()
    elif one.missing is not other.missing:
        missing = Missing.UNKNOWN
    new = [record for record in other.records if record not in one.records]
    return Value(amounts, missing, (*one.records, *new), frozenset(unsure))


def _latest(dated: Dated, kind: type[Event]) -> Iterator[Recorded]:
    """Yield the last sure record of a kind, and possible ones after it."""
    found: list[Recorded] = []
    for record, answer in dated:
        if isinstance(record.event, kind):
            found = [record] if answer is Answer.YES else [*found, record]
    yield from found


def _of(dated: Dated, kind: type[Event]) -> list[Recorded]:
    return [record for record, _ in dated if isinstance(record.event, kind)]


def _last(known: Iterable[Recorded], kind: type[E]) -> E | None:
    found = None
    for record in known:
        if isinstance(record.event, kind):
            found = record.event
    return found
