"""What both importers share: rows in, facts out, a thousand at a time."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from azcn_events import Fact, Ledger

BATCH = 1000
"""Facts per atomic append: what has to fit into memory at once."""

_UNSAFE = {"Cc", "Zl", "Zp"}


def rows(file: BinaryIO) -> Iterator[dict[str, str]]:
    """Read a CSV file by its header, UTF-8 with or without a byte order mark.

    Raises:
        ValueError: If a row has more or fewer cells than the header.
    """
    with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        for row in reader:
            if None in row or None in row.values():
                msg = f"line {reader.line_num}: not as many cells as the header: {row}"
                raise ValueError(msg)
            yield row


def readable(text: str) -> str:
    """Put U+FFFD where a ledger takes no character: it stays visible that one was.

    Both sources have titles that went through a wrong encoding once, and hold
    control characters since.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNSAFE else c
        for c in text
    ).strip()


def load(
    ledger: Ledger,
    facts: Iterable[Fact],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Record facts in batches, each of them whole or not at all.

    Every fact has an id made from its row, so that a load that was broken off can
    be started again: batches that are stored already are recognised.

    Returns:
        How many facts there were.
    """
    rest, count = iter(facts), 0
    while batch := list(islice(rest, BATCH)):
        ledger.record_all(batch)
        count += len(batch)
        progress(count)
    return count
