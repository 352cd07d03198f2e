"""Laws of sizes, numbers and recorded times."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from azcn_events.errors import InvalidValue, TooLarge
from azcn_events.stores.protocol import EVENT_BYTES_MAX
from azcn_events.testing.laws.law import ensure
from azcn_events.testing.laws.stores.judging import equal, equal_lists, expect_refusal
from azcn_events.testing.laws.stores.scene import opened, scripted
from azcn_events.testing.laws.stores.telling import append, draft
from azcn_events.testing.stand_ins import Clock, OpenStore

__all__ = [
    "a_clock_beyond_all_years_is_refused",
    "a_clock_is_overruled_within_a_batch",
    "impossible_numbers_are_refused",
    "recorded_time_can_be_kept",
    "recorded_time_cannot_be_changed",
    "recorded_time_never_falls",
    "the_size_of_an_event_is_limited",
]

FIRST_US: Final = -62_135_596_800_000_000
"""0001-01-01T00:00:00Z, in microseconds since 1970."""
LAST_US: Final = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z."""


@scripted
def the_size_of_an_event_is_limited(open_store: OpenStore) -> None:
    """Exactly the limit is stored; a byte more is refused, with its whole batch."""
    with opened(open_store) as store:
        most = draft("1", payload=b"x" * (EVENT_BYTES_MAX - 3), metadata=b"abc")
        append(store, most)
        found = [row.payload for row in store.read("s")]
        ensure([most.payload] == found, "the largest payload became another")
        more = evolve(most, id="2", payload=most.payload + b"x")
        error = expect_refusal(store, TooLarge, [draft("0"), more])
        sizes = (error.stream, error.size, error.limit)
        expected = ("s", EVENT_BYTES_MAX + 1, EVENT_BYTES_MAX)
        equal(expected, sizes, "it names other sizes")


@scripted
def impossible_numbers_are_refused(open_store: OpenStore) -> None:
    """Days the wrong way round, numbers and times out of range, are refused."""
    with opened(open_store) as store:
        days = ((2, 1), (2**63, None), (None, 2**63), (-(2**64), 1))
        bad = [draft("1", earliest=one, latest=other) for one, other in days]
        bad += [draft("1", checksum=one) for one in (-1, 2**63)]
        times = (-(2**64), FIRST_US - 1, LAST_US + 1, 2**62, 2**63)
        bad += [draft("1", recorded_us=one) for one in times]
        for one in bad:
            expect_refusal(store, InvalidValue, [one])
            expect_refusal(store, InvalidValue, [draft("0"), one])


@scripted
def recorded_time_never_falls(open_store: OpenStore) -> None:
    """A clock that goes back is overruled until it has caught up."""
    clock = Clock()
    with opened(open_store, clock) as store:
        times = list[int]()
        for at, us in enumerate((10, 7, 10, 12, -5, 12)):
            clock.us = us
            pair = [draft(f"{at}a"), draft(f"{at}b", "t")]
            times += [stamp[2] for stamp in append(store, *pair)]
        expected = [us for us in (10, 10, 10, 12, 12, 12) for _ in "ab"]
        equal_lists(expected, times, "the clock showed 10, 7, 10, 12, -5, 12")
        kept = [row.recorded_us for row in store.read_all()]
        equal_lists(expected, kept, "the stamps have other times than the rows")
        moments = (-6, 9, 10, 11, 12, 13)
        found = [store.position_at(us) for us in moments]
        equal_lists([0, 0, 6, 6, 12, 12], found, f"position_at of each of {moments}")


@scripted
def a_clock_is_overruled_within_a_batch(open_store: OpenStore) -> None:
    """Also a clock that goes back each time that it is asked makes no time fall."""
    clock = Clock()

    def falling() -> int:
        clock.us -= 1
        return clock.us

    with opened(open_store, falling) as store:
        append(store, draft("1"), draft("2"), draft("3", "t"))
        append(store, draft("4"), draft("5"))
        times = [row.recorded_us for row in store.read_all()]
        equal_lists(sorted(times), times, "recorded times fall as positions rise")


@scripted
def a_clock_beyond_all_years_is_refused(open_store: OpenStore) -> None:
    """A clock that shows none of the years 1 to 9999 stores nothing."""
    clock = Clock()
    with opened(open_store, clock) as store:
        for clock.us in (FIRST_US - 1, LAST_US + 1):
            expect_refusal(store, InvalidValue, [draft("1"), draft("2", "t")])
        for at, clock.us in enumerate((FIRST_US, LAST_US)):
            append(store, draft(f"{at}"))
        times = [row.recorded_us for row in store.read_all()]
        equal_lists([FIRST_US, LAST_US], times, "the first and last moments became")


@scripted
def recorded_time_can_be_kept(open_store: OpenStore) -> None:
    """Given times are stored; the clock fills the gaps, never going back."""
    with opened(open_store, Clock(20)) as store:
        given = (5, None, 30, None, 30)
        drafts = [draft(str(at), recorded_us=us) for at, us in enumerate(given)]
        times = [stamp[2] for stamp in append(store, *drafts)]
        equal_lists(
            [5, 20, 30, 30, 30], times, f"the clock showed 20, given was {given}"
        )


@scripted
def recorded_time_cannot_be_changed(open_store: OpenStore) -> None:
    """A given time before the newest, or before one in its own batch, is refused."""
    clock = Clock()
    with opened(open_store, clock) as store:
        append(store, draft("first", recorded_us=10))
        clock.us = 15
        for given in ((9,), (10, 12, 11), (None, 14)):
            drafts = [draft(str(at), recorded_us=us) for at, us in enumerate(given)]
            expect_refusal(store, InvalidValue, drafts)
