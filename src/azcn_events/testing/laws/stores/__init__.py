"""Laws of stores: what ``stores/protocol.py`` promises, asked of any store.

Most are asked about logs, whose streams and ids get names that careless stores take
for one another; the others are short scripts.
"""

from __future__ import annotations

from typing import Final

from azcn_events.testing.laws.law import Law
from azcn_events.testing.laws.stores.appends import (
    a_failing_clock_stores_nothing,
    an_id_is_used_once,
    batches_are_atomic,
    no_append_without_a_version,
    one_stale_of_several,
    parts_of_appends_may_be_repeated,
    repeated_appends_change_nothing,
    stale_versions_refused,
    streams_only_read_are_checked,
)
from azcn_events.testing.laws.stores.contents import (
    an_empty_store,
    bytes_verbatim,
    comes_back_verbatim,
    cut_exactly,
    found_by_id,
    found_by_time,
    gapless_positions,
    kept_when_reopened,
    numbers_verbatim,
    stamps_say_where,
    stream_after_stream,
    streams_stand_alone,
)
from azcn_events.testing.laws.stores.leaves import (
    leaves_are_kept_when_reopened,
    leaves_are_those_of_the_rows,
    leaves_have_no_seams,
    leaves_say_the_stored_time,
    one_log_has_one_root,
)
from azcn_events.testing.laws.stores.limits import (
    a_clock_beyond_all_years_is_refused,
    a_clock_is_overruled_within_a_batch,
    impossible_numbers_are_refused,
    recorded_time_can_be_kept,
    recorded_time_cannot_be_changed,
    recorded_time_never_falls,
    the_size_of_an_event_is_limited,
)
from azcn_events.testing.laws.stores.names import (
    ids_and_kinds_never_confused,
    names_must_be_text,
    streams_never_confused,
)
from azcn_events.testing.laws.stores.paging import (
    pages_by_stream_have_no_seams,
    pages_have_no_seams,
    readers_do_not_disturb_each_other,
    readers_see_a_beginning,
    reads_what_comes_meanwhile,
)
from azcn_events.testing.laws.stores.sharing import (
    closing_twice_is_fine,
    errors_are_of_one_family,
    threads_may_share_a_store,
)
from azcn_events.testing.stand_ins import OpenStore

__all__ = ["STORE_LAWS"]

STORE_LAWS: Final[tuple[Law[OpenStore], ...]] = (
    an_empty_store,
    comes_back_verbatim,
    stamps_say_where,
    gapless_positions,
    streams_stand_alone,
    cut_exactly,
    stream_after_stream,
    found_by_id,
    found_by_time,
    kept_when_reopened,
    bytes_verbatim,
    numbers_verbatim,
    streams_never_confused,
    ids_and_kinds_never_confused,
    names_must_be_text,
    pages_have_no_seams,
    pages_by_stream_have_no_seams,
    reads_what_comes_meanwhile,
    readers_do_not_disturb_each_other,
    readers_see_a_beginning,
    leaves_are_those_of_the_rows,
    leaves_are_kept_when_reopened,
    leaves_have_no_seams,
    leaves_say_the_stored_time,
    one_log_has_one_root,
    stale_versions_refused,
    one_stale_of_several,
    streams_only_read_are_checked,
    no_append_without_a_version,
    repeated_appends_change_nothing,
    parts_of_appends_may_be_repeated,
    an_id_is_used_once,
    batches_are_atomic,
    a_failing_clock_stores_nothing,
    the_size_of_an_event_is_limited,
    impossible_numbers_are_refused,
    recorded_time_never_falls,
    a_clock_is_overruled_within_a_batch,
    a_clock_beyond_all_years_is_refused,
    recorded_time_can_be_kept,
    recorded_time_cannot_be_changed,
    closing_twice_is_fine,
    errors_are_of_one_family,
    threads_may_share_a_store,
)
"""What every store promises: see ``Store``. The subject is the store's opener."""
