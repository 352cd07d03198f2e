"""Bugs in projections, as an analyst writes them who has a figure to find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from attrs import define, field
from tests.zoo.bug import Bug, Check
from tests.zoo.worlds import DEALS, SHIPS, VALUES, CrewMustered

from azcn_events import Lifecycle, Projection
from azcn_events.core.events import Recorded
from azcn_events.core.history import in_force
from azcn_events.core.values import Amount
from azcn_events.investment import (
    AgreementIdentified,
    AgreementSigned,
    LandAllocated,
    ValueReported,
)
from azcn_events.testing.laws import PROJECTION_LAWS, agrees_with

__all__ = ["BUGS", "FACTS_BY_KIND"]

Log = tuple[Recorded, ...]
Counts = dict[str, int]

_BY_LAWS: Final = Check(lifecycle=DEALS)
_ON_ALL_KINDS: Final = Check()
_ON_SHIPS: Final = Check(lifecycle=SHIPS)
_CHANGES_NOTHING: Final = Check(lifecycle=SHIPS)


def _by_oracle(
    reference: Callable[[Any], object],
    lifecycle: Lifecycle = DEALS,
    examples: int = 40,
) -> Check:
    laws = (*PROJECTION_LAWS, agrees_with(reference))
    return Check(laws, lifecycle=lifecycle, examples=examples)


# Facts by kind: a dict that is counted up.


def _count(counts: Counts, record: Recorded) -> Counts:
    counts[record.kind] = counts.get(record.kind, 0) + 1
    return counts


def _add_counts(one: Counts, other: Counts) -> Counts:
    return {
        kind: one.get(kind, 0) + other.get(kind, 0) for kind in sorted({*one, *other})
    }


FACTS_BY_KIND: Final = Projection("facts-by-kind", dict[str, int], _count, _add_counts)

_EVERYBODYS: Final = Counts()
_SHARED_START: Final = Projection("facts-by-kind", lambda: _EVERYBODYS, _count)


def _merge_by_max(one: Counts, other: Counts) -> Counts:
    return {
        kind: max(one.get(kind, 0), other.get(kind, 0))
        for kind in sorted({*one, *other})
    }


_MAX_MERGE: Final = Projection("facts-by-kind", dict[str, int], _count, _merge_by_max)
_LEFT_MERGE: Final = Projection(
    "facts-by-kind", dict[str, int], _count, lambda one, other: {**other, **one}
)


def _count_on_first_sight() -> Callable[[Counts, Recorded], Counts]:
    seen = set[str]()

    def step(counts: Counts, record: Recorded) -> Counts:
        if record.id in seen:
            return counts
        seen.add(record.id)
        return _count(counts, record)

    return step


_SEEN_OUTSIDE: Final = Projection(
    "facts-by-kind", dict[str, int], _count_on_first_sight()
)


def _count_known_kinds(counts: Counts, record: Recorded) -> Counts:
    if record.kind.startswith(("source", "link")):
        return None  # type: ignore[return-value] # the bug: a bare return
    return _count(counts, record)


_BARE_RETURN: Final = Projection("facts-by-kind", dict[str, int], _count_known_kinds)


def _count_titles(counts: Counts, record: Recorded) -> Counts:
    title = _TITLES[record.kind.partition("/")[0]]
    counts[title] = counts.get(title, 0) + 1
    return counts


_TITLES: Final = {
    "agreement-identified": "Agreements",
    "agreement-signed": "Signings",
    "land-allocated": "Land",
    "source-registered": "Sources",
}


def _count_known_titles(counts: Counts, record: Recorded) -> Counts:
    title = _TITLES.get(record.kind.partition("/")[0], "Others")
    counts[title] = counts.get(title, 0) + 1
    return counts


_TITLES_RIGHT: Final = Projection("titles", dict[str, int], _count_known_titles)
_OTHER_KINDS: Final = Projection("titles", dict[str, int], _count_titles)


# How many facts.


def _one_more(number: int, record: Recorded) -> int:
    del record
    return number + 1


def _plus(one: int, other: int) -> int:
    return one + other


_FACTS: Final = Projection("facts", int, _one_more, _plus)
_POSITION: Final = Projection("facts", int, lambda _, record: record.position, _plus)


def _one_more_version(versions: set[int], record: Recorded) -> set[int]:
    return versions | {record.version}


def _one_more_id(ids: set[str], record: Recorded) -> set[str]:
    return ids | {record.id}


_IDS: Final = Projection("facts", set[str], _one_more_id, lambda a, b: a | b)
_VERSIONS: Final = Projection("facts", set[int], _one_more_version, lambda a, b: a | b)


@define
class _Told:
    number: int = 0
    last: str = field(default="", eq=False)


def _tell_once(told: _Told, record: Recorded) -> _Told:
    """Count what is said twice in a row once."""
    if str(record.event) != told.last:
        told.number += 1
    told.last = str(record.event)
    return told


def _tell(told: _Told, record: Recorded) -> _Told:
    told.number += 1
    told.last = str(record.event)
    return told


_TOLD: Final = Projection("told", _Told, _tell)
_TOLD_ONCE: Final = Projection("told", _Told, _tell_once)


@define
class _Streams:
    number: int = 0
    known: set[str] = field(factory=set[str], eq=False)
    last: str = field(default="", eq=False)


def _new_stream(streams: _Streams, record: Recorded) -> _Streams:
    streams.number += record.stream not in streams.known
    streams.known.add(record.stream)
    return streams


def _other_stream(streams: _Streams, record: Recorded) -> _Streams:
    streams.number += record.stream != streams.last
    streams.last = record.stream
    return streams


_BY_STREAM: Final = Projection("streams", _Streams, _new_stream)
_TURNS: Final = Projection("streams", _Streams, _other_stream)


def _names_of(streams: list[str], record: Recorded) -> list[str]:
    return list({*streams, record.stream})


def _names_in_order(streams: list[str], record: Recorded) -> list[str]:
    return sorted({*streams, record.stream})


_NAMES: Final = Projection(
    "names", list[str], _names_in_order, lambda a, b: sorted({*a, *b})
)
_NAMES_BY_CHANCE: Final = Projection("names", list[str], _names_of)
_NAMES_APPENDED: Final = Projection(
    "names", list[str], _names_in_order, lambda a, b: a + b
)


# Signings in force: corrections and retractions count.


@define
class _Kept:
    """What a figure of facts in force has to keep: the streams' records."""

    records: dict[str, list[Recorded]] = field(
        factory=dict[str, list[Recorded]], eq=False
    )
    figures: dict[str, Any] = field(factory=dict[str, Any])


def _keeping(
    figure: Callable[[tuple[Recorded, ...]], object],
) -> Callable[[_Kept, Recorded], _Kept]:
    """Make the step that computes a stream's figure from its facts in force."""

    def step(kept: _Kept, record: Recorded) -> _Kept:
        records = kept.records.setdefault(record.stream, [])
        records.append(record)
        kept.figures[record.stream] = figure(in_force(records))
        return kept

    return step


def _in_force_by_stream(
    figure: Callable[[tuple[Recorded, ...]], object],
) -> Callable[[Log], object]:
    """Make the oracle: every stream's figure, all at once."""

    def reference(log: Log) -> object:
        streams = dict.fromkeys(record.stream for record in log)
        return _Kept(
            figures={
                stream: figure(in_force([r for r in log if r.stream == stream]))
                for stream in streams
            }
        )

    return reference


def _signings(facts: tuple[Recorded, ...]) -> int:
    return sum(isinstance(record.event, AgreementSigned) for record in facts)


_SIGNED: Final = Projection("signed", _Kept, _keeping(_signings))
_BY_SIGNINGS: Final = _by_oracle(_in_force_by_stream(_signings))


def _count_all_signings(kept: _Kept, record: Recorded) -> _Kept:
    before = kept.figures.get(record.stream, 0)
    kept.figures[record.stream] = before + isinstance(record.event, AgreementSigned)
    return kept


_CORRECTED_TWICE: Final = Projection("signed", _Kept, _count_all_signings)


def _count_uncorrected_signings(kept: _Kept, record: Recorded) -> _Kept:
    before = kept.figures.get(record.stream, 0)
    new = isinstance(record.event, AgreementSigned) and not record.event.replaces
    kept.figures[record.stream] = before + new
    return kept


_UNRETRACTED: Final = Projection("signed", _Kept, _count_uncorrected_signings)


# Value in force, one amount for each currency.


def _value(facts: tuple[Recorded, ...]) -> dict[str, Amount] | None:
    """Give what a stream is worth; None as soon as a part of it is unknown."""
    worth: dict[str, Amount] | None = {}
    for record in facts:
        event = record.event
        if not isinstance(event, ValueReported):
            continue
        before = worth if event.adds else {}
        if before is None or not isinstance(event.amount, Amount):
            worth = None
            continue
        unit = event.amount.unit
        whole = before[unit] + event.amount if unit in before else event.amount
        worth = {**before, unit: whole}
    return worth


def _value_always_added(facts: tuple[Recorded, ...]) -> dict[str, Amount] | None:
    worth: dict[str, Amount] = {}
    for record in facts:
        event = record.event
        if isinstance(event, ValueReported):
            if not isinstance(event.amount, Amount):
                return None
            unit = event.amount.unit
            known = worth.get(unit)
            worth[unit] = event.amount if known is None else known + event.amount
    return worth


def _value_without_unknown(facts: tuple[Recorded, ...]) -> dict[str, Amount] | None:
    return _value(
        tuple(
            record
            for record in facts
            if not isinstance(record.event, ValueReported)
            or isinstance(record.event.amount, Amount)
        )
    )


_WORTH: Final = Projection("worth", _Kept, _keeping(_value))
_BY_WORTH: Final = _by_oracle(_in_force_by_stream(_value), VALUES, 200)
_ALWAYS_ADDED: Final = Projection("worth", _Kept, _keeping(_value_always_added))
_UNKNOWN_DROPPED: Final = Projection("worth", _Kept, _keeping(_value_without_unknown))


# The sum of all values in dollars, exact ones only.


def _exact_dollars(record: Recorded) -> Decimal:
    event = record.event
    if not isinstance(event, ValueReported) or not isinstance(event.amount, Amount):
        return Decimal(0)
    exact = event.amount.is_exact and event.amount.unit == "USD"
    return event.amount.low or Decimal(0) if exact else Decimal(0)


def _sum_dollars(log: Log) -> object:
    return sum(map(_exact_dollars, log), Decimal(0))


_DOLLARS: Final = Projection(
    "dollars", Decimal, lambda s, record: s + _exact_dollars(record), lambda a, b: a + b
)
_BY_DOLLARS: Final = _by_oracle(_sum_dollars, VALUES, 200)


def _add_any_currency(whole: Decimal, record: Recorded) -> Decimal:
    event = record.event
    if not isinstance(event, ValueReported) or not isinstance(event.amount, Amount):
        return whole
    return whole + (event.amount.low or 0) if event.amount.is_exact else whole


_ANY_CURRENCY: Final = Projection(
    "dollars", Decimal, _add_any_currency, lambda a, b: a + b
)


def _add_amount(whole: Decimal, record: Recorded) -> Decimal:
    if isinstance(record.event, ValueReported):
        amount: Any = record.event.amount
        if amount.is_exact and amount.unit == "USD":
            whole += amount.low
    return whole


_MISSING_AMOUNT: Final = Projection("dollars", Decimal, _add_amount)


@define
class _Mean:
    mean: Decimal = Decimal(0)
    whole: Decimal = field(default=Decimal(0), eq=False)
    number: int = field(default=0, eq=False)


def _mean(found: _Mean, record: Recorded) -> _Mean:
    dollars = _exact_dollars(record)
    if dollars:
        found.whole += dollars
        found.number += 1
        found.mean = found.whole / found.number
    return found


def _running_mean(found: _Mean, record: Recorded) -> _Mean:
    dollars = _exact_dollars(record)
    if dollars:
        found.mean = (found.mean + dollars) / 2
    return found


def _mean_of_all(log: Log) -> object:
    dollars = list(filter(None, map(_exact_dollars, log)))
    return _Mean(sum(dollars, Decimal(0)) / max(len(dollars), 1))


_AVERAGE: Final = Projection("average", _Mean, _mean)
_RUNNING: Final = Projection("average", _Mean, _running_mean)


# Dates.


@define
class _Years:
    """How many facts of a year; None for those without one."""

    facts: dict[int | None, int] = field(factory=dict[int | None, int])


def _year(years: _Years, record: Recorded) -> _Years:
    day = record.event.when.earliest
    year = None if day is None else day.year
    years.facts[year] = years.facts.get(year, 0) + 1
    return years


def _known_year(years: _Years, record: Recorded) -> _Years:
    day: Any = record.event.when.earliest
    years.facts[day.year] = years.facts.get(day.year, 0) + 1
    return years


def _year_recorded(years: _Years, record: Recorded) -> _Years:
    year = record.recorded_on.year
    years.facts[year] = years.facts.get(year, 0) + 1
    return years


def _count_years(log: Log) -> object:
    years = _Years()
    for record in log:
        day = record.event.when.earliest
        year = day.year if day else None
        years.facts[year] = years.facts.get(year, 0) + 1
    return years


_YEARS: Final = Projection("years", _Years, _year)
_OPEN_DATE: Final = Projection("years", _Years, _known_year)
_RECORDED_YEAR: Final = Projection("years", _Years, _year_recorded)


@define
class _Ages:
    days: dict[str, int] = field(factory=dict[str, int])


def _age_today(ages: _Ages, record: Recorded) -> _Ages:
    day = record.event.when.earliest
    if day:
        ages.days[record.stream] = (date.today() - day).days  # noqa: DTZ011 - the bug
    return ages


def _age_at_recording(ages: _Ages, record: Recorded) -> _Ages:
    day = record.event.when.earliest
    if day:
        ages.days[record.stream] = (record.recorded_on - day).days
    return ages


def _reference_ages(log: Log) -> object:
    dated = [(r, r.event.when.earliest) for r in log]
    return _Ages({r.stream: (r.recorded_on - d).days for r, d in dated if d})


_AGES: Final = Projection("ages", _Ages, _age_at_recording)
_AGES_TODAY: Final = Projection("ages", _Ages, _age_today)


# Packages and land.


@define
class _Fields:
    """Fields of agreements by package."""

    names: dict[str, list[str]] = field(factory=dict[str, list[str]])


def _field_of(fields: _Fields, record: Recorded) -> _Fields:
    event = record.event
    if isinstance(event, AgreementIdentified):
        fields.names.setdefault(event.package, []).append(event.field)
    return fields


_NO_FIELDS: Final[list[str]] = []


def _field_of_shared_list(fields: _Fields, record: Recorded) -> _Fields:
    event = record.event
    if isinstance(event, AgreementIdentified):
        fields.names.setdefault(event.package, _NO_FIELDS).append(event.field)
    return fields


_FIELDS: Final = Projection("fields", _Fields, _field_of)
_SHARED_LIST: Final = Projection("fields", _Fields, _field_of_shared_list)


@define
class _History:
    """How many facts there were after each fact."""

    steps: list[Counts] = field(factory=list[Counts])
    now: Counts = field(factory=dict[str, int])


def _after_each(history: _History, record: Recorded) -> _History:
    history.now = _count(dict(history.now), record)
    history.steps.append(history.now)
    return history


def _after_each_aliased(history: _History, record: Recorded) -> _History:
    history.now = _count(history.now, record)
    history.steps.append(history.now)
    return history


def _all_steps(log: Log) -> object:
    steps = [FACTS_BY_KIND.run(log[: place + 1]).value for place in range(len(log))]
    return _History(steps, steps[-1] if steps else {})


_STEPS: Final = Projection("steps", _History, _after_each)
_ALIASED: Final = Projection("steps", _History, _after_each_aliased)


@define
class _Land:
    hectares: Decimal = Decimal(0)


def _most_land(land: _Land, record: Recorded) -> _Land:
    event = record.event
    if isinstance(event, LandAllocated) and isinstance(event.area, Amount):
        land.hectares = max(land.hectares, event.area.low or Decimal(0))
    return land


def _upper_land(land: _Land, record: Recorded) -> _Land:
    event = record.event
    if isinstance(event, LandAllocated) and isinstance(event.area, Amount):
        land.hectares = max(land.hectares, event.area.high or Decimal(0))
    return land


def _land_for_sure(log: Log) -> object:
    areas = [r.event.area for r in log if isinstance(r.event, LandAllocated)]
    lows = [area.low or Decimal(0) for area in areas if isinstance(area, Amount)]
    return _Land(max(lows, default=Decimal(0)))


_MOST_LAND: Final = Projection("land", _Land, _most_land)
_ALMOST_THREE: Final = Projection("land", _Land, _upper_land)


# Crews: an event that holds a list.


@define
class _Crew:
    names: list[str] = field(factory=list[str])


def _crew(crew: _Crew, record: Recorded) -> _Crew:
    if isinstance(record.event, CrewMustered):
        crew.names += sorted(record.event.names)
    return crew


def _crew_sorted_in_place(crew: _Crew, record: Recorded) -> _Crew:
    if isinstance(record.event, CrewMustered):
        record.event.names.sort()
        crew.names += record.event.names
    return crew


def _crew_kept(crew: _Crew, record: Recorded) -> _Crew:
    if isinstance(record.event, CrewMustered):
        if crew.names:
            crew.names += record.event.names
        else:
            crew.names = record.event.names
    return crew


_CREWS: Final = Projection("crews", _Crew, _crew)
_SORTED_IN_PLACE: Final = Projection("crews", _Crew, _crew_sorted_in_place)
_KEPT_LIST: Final = Projection("crews", _Crew, _crew_kept)


def _crew_as_signed(crew: _Crew, record: Recorded) -> _Crew:
    if isinstance(record.event, CrewMustered):
        crew.names = crew.names + record.event.names
    return crew


_CREW_AS_SIGNED: Final = Projection("crews", _Crew, _crew_as_signed)

BUGS: Final = (
    Bug(
        "shared-start",
        "`start` gives the same dict to every run: a constant was handed over instead"
        " of a function that makes one.",
        _SHARED_START,
        FACTS_BY_KIND,
        _BY_LAWS,
    ),
    Bug(
        "seen-outside",
        "The ids seen are kept beside the projection and outlive a run: a second run"
        " counts nothing.",
        _SEEN_OUTSIDE,
        FACTS_BY_KIND,
        _BY_LAWS,
    ),
    Bug(
        "merge-by-max",
        "Two shards' counts are merged by the greater one.",
        _MAX_MERGE,
        FACTS_BY_KIND,
        _BY_LAWS,
    ),
    Bug(
        "merge-left-wins",
        "Two shards' counts are merged as dicts are: one of them wins.",
        _LEFT_MERGE,
        FACTS_BY_KIND,
        _BY_LAWS,
    ),
    Bug(
        "merge-concatenates",
        "Two shards' lists are put one behind the other, so their order tells which"
        " shard came first.",
        _NAMES_APPENDED,
        _NAMES,
        _BY_LAWS,
    ),
    Bug(
        "bare-return",
        "One branch of the step returns nothing.",
        _BARE_RETURN,
        FACTS_BY_KIND,
        _ON_ALL_KINDS,
    ),
    Bug(
        "other-kinds",
        "Kinds are looked up in a table that knows only some of them.",
        _OTHER_KINDS,
        _TITLES_RIGHT,
        _ON_ALL_KINDS,
    ),
    Bug(
        "position-as-count",
        "The last position is taken for the number of facts.",
        _POSITION,
        _FACTS,
        _BY_LAWS,
    ),
    Bug(
        "version-as-key",
        "Facts are told apart by their version alone, which every stream counts anew.",
        _VERSIONS,
        _IDS,
        _by_oracle(lambda log: {record.id for record in log}),
    ),
    Bug(
        "same-as-last",
        "A fact that reads like the one before is taken for a repetition, also in"
        " another stream.",
        _TOLD_ONCE,
        _TOLD,
        _by_oracle(lambda log: _Told(len(log))),
    ),
    Bug(
        "new-stream-by-turn",
        "A stream is counted whenever it differs from the one before.",
        _TURNS,
        _BY_STREAM,
        _by_oracle(lambda log: _Streams(len({record.stream for record in log}))),
    ),
    Bug(
        "order-of-a-set",
        "Names are listed in the order of a set, which differs from process to"
        " process.",
        _NAMES_BY_CHANCE,
        _NAMES,
        _BY_LAWS,
    ),
    Bug(
        "corrections-counted-too",
        "A correction is counted beside what it replaces.",
        _CORRECTED_TWICE,
        _SIGNED,
        _BY_SIGNINGS,
    ),
    Bug(
        "retractions-ignored",
        "Corrections are passed over, and so is what takes a fact back.",
        _UNRETRACTED,
        _SIGNED,
        _BY_SIGNINGS,
    ),
    Bug(
        "restatement-added",
        "A value that was restated is added to the value before.",
        _ALWAYS_ADDED,
        _WORTH,
        _BY_WORTH,
    ),
    Bug(
        "unknown-dropped",
        "A value that is missing is passed over, and the last known one stands.",
        _UNKNOWN_DROPPED,
        _WORTH,
        _BY_WORTH,
    ),
    Bug(
        "currencies-added",
        "Amounts of all currencies are added up.",
        _ANY_CURRENCY,
        _DOLLARS,
        _BY_DOLLARS,
    ),
    Bug(
        "missing-amount",
        "An amount is asked for its bounds although it may be `Missing`.",
        _MISSING_AMOUNT,
        _DOLLARS,
        _BY_DOLLARS,
    ),
    Bug(
        "running-mean",
        "The mean is the mean of the last mean and the new figure.",
        _RUNNING,
        _AVERAGE,
        _by_oracle(_mean_of_all, VALUES, 200),
    ),
    Bug(
        "open-date",
        "A date is asked for its year although it may be open.",
        _OPEN_DATE,
        _YEARS,
        _BY_LAWS,
    ),
    Bug(
        "recorded-for-valid",
        "Facts are counted by the year in which we learned them.",
        _RECORDED_YEAR,
        _YEARS,
        _by_oracle(_count_years),
    ),
    Bug(
        "age-today",
        "Ages are counted to the day on which the program runs.",
        _AGES_TODAY,
        _AGES,
        _by_oracle(_reference_ages),
    ),
    Bug(
        "shared-list",
        "`setdefault` is given one list for all packages.",
        _SHARED_LIST,
        _FIELDS,
        _BY_LAWS,
    ),
    Bug(
        "history-aliased",
        "Each step keeps the dict that the next one changes.",
        _ALIASED,
        _STEPS,
        _by_oracle(_all_steps),
    ),
    Bug(
        "almost-three-is-three",
        'Land is counted by its upper bound, so "almost three" is three.',
        _ALMOST_THREE,
        _MOST_LAND,
        _by_oracle(_land_for_sure),
    ),
    Bug(
        "list-sorted-in-place",
        "The list of an event is sorted where it stands.",
        _SORTED_IN_PLACE,
        _CREWS,
        _CHANGES_NOTHING,
    ),
    Bug(
        "list-kept-and-extended",
        "The first event's list becomes the accumulator, which later ones extend.",
        _KEPT_LIST,
        _CREW_AS_SIGNED,
        _ON_SHIPS,
    ),
)
