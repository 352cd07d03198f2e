"""Laws of names: whatever differs is different, and what is no text is refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import islice

from azcn_events.errors import InvalidValue
from azcn_events.testing.laws.stores.judging import (
    equal,
    equal_lists,
    expect_refusal,
    rows_of_id,
    same_rows,
)
from azcn_events.testing.laws.stores.scene import cut_short, opened, scripted
from azcn_events.testing.laws.stores.telling import CONFUSABLE, append, draft
from azcn_events.testing.stand_ins import OpenStore

__all__ = [
    "ids_and_kinds_never_confused",
    "names_must_be_text",
    "streams_never_confused",
]


@scripted
def streams_never_confused(open_store: OpenStore) -> None:
    """Names that differ in anything, however little, name different streams."""
    with opened(open_store) as store:
        for at, name in enumerate(CONFUSABLE):
            version = store.version(name)
            equal(0, version, f"version({cut_short(name)}), not yet told, is wrong")
            store.append([draft(f"e{at}", name)], {name: 0})
        equal_lists(
            list(CONFUSABLE), list(store.streams()), "streams() gives other names"
        )
        for at, name in enumerate(CONFUSABLE):
            ids = [row.id for row in islice(store.read(name), 3)]
            equal_lists([f"e{at}"], ids, f"read({cut_short(name)}) gives other events")
            equal(1, store.version(name), f"version({cut_short(name)}) is wrong")
        for name in _lookalikes():
            rows = list(islice(store.read(name), 3))
            same_rows([], rows, f"read({cut_short(name)}), never told, is wrong")
            equal(0, store.version(name), f"version({cut_short(name)}) is wrong")


@scripted
def ids_and_kinds_never_confused(open_store: OpenStore) -> None:
    """Ids and kinds that differ in anything, however little, are different ones."""
    with opened(open_store) as store:
        for name in CONFUSABLE:
            what = f"find({cut_short(name)}), not yet told, is wrong"
            same_rows([], rows_of_id(store, name), what)
            append(store, draft(name, kind=name))
        found = [(row.id, row.kind) for row in store.read_all()]
        equal_lists([(name, name) for name in CONFUSABLE], found, "ids or kinds differ")
        for name in CONFUSABLE:
            ids = [row.id for row in rows_of_id(store, name)]
            equal_lists([name], ids, f"find({cut_short(name)}) is wrong")
        for name in _lookalikes():
            same_rows([], rows_of_id(store, name), f"find({cut_short(name)}) is wrong")


def _lookalikes() -> Iterator[str]:
    """Yield names that were not told, and are like one that was."""
    for name in CONFUSABLE:
        for other in (
            *(name.upper(), name.casefold(), name.strip(), name + " ", name + "%"),
            *(unicodedata.normalize(form, name) for form in ("NFC", "NFKD")),
            *(name[:-1], name + "*", name.replace("1", "_")),
        ):
            if other not in CONFUSABLE:
                yield other


@scripted
def names_must_be_text(open_store: OpenStore) -> None:
    """Lone surrogates and characters below U+0020, line feeds too, are refused."""
    with opened(open_store) as store:
        for text in ("\0", "a\n", "\t", "a\x1b", "\x1f", "a\ud800", "\udfff"):
            same_rows([], store.read(text), f"read({text!a}) gives something")
            same_rows([], rows_of_id(store, text), f"find({text!a}) gives something")
            for bad in (draft("2", text), draft(text), draft("2", kind=text)):
                error = expect_refusal(store, InvalidValue, [draft("1"), bad])
                equal(len(text) - 1, error.place, f"where {text!a} is wrong")
