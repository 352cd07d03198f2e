"""The values that events carry: dates, amounts, absences, citations.

Each keeps the source's own words and claims no more than they say. A date and
an amount are bounds; what follows from bounds is an :class:`Answer`, which may
be "maybe".
"""

from azcn_events.core.values.amount import Amount
from azcn_events.core.values.answers import Answer, Missing, Qualifier, Range
from azcn_events.core.values.citation import Citation
from azcn_events.core.values.names import check_name
from azcn_events.core.values.sealed import (
    SALT_BYTES,
    Sealed,
    check_commitment,
    resealed,
    sealed_in,
)
from azcn_events.core.values.times import (
    check_recorded_us,
    datetime_of_us,
    day_of,
    day_of_us,
    known_from,
    known_until,
    ordinal_of_us,
    recorded_us_of,
)
from azcn_events.core.values.when import When

__all__ = [
    "SALT_BYTES",
    "Amount",
    "Answer",
    "Citation",
    "Missing",
    "Qualifier",
    "Range",
    "Sealed",
    "When",
    "check_commitment",
    "check_name",
    "check_recorded_us",
    "datetime_of_us",
    "day_of",
    "day_of_us",
    "known_from",
    "known_until",
    "ordinal_of_us",
    "recorded_us_of",
    "resealed",
    "sealed_in",
]
