"""From a log that breaks a law to a short and plain one that breaks it too.

Whole facts go first, then what stands in those that are left. The caller says which
logs may be tried: mostly those that the lifecycle admits, so that a counterexample is
a history that can happen.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from string import ascii_lowercase
from time import monotonic
from typing import Any, Final

import attrs
from attrs import define, field

from azcn_events.core.events import Event, Recorded
from azcn_events.errors import InvalidValue
from azcn_events.testing.stand_ins import Clock
from azcn_events.testing.strategies.palettes import NAMED
from azcn_events.testing.strategies.plain import plain_values, simplest
from azcn_events.testing.transcript import Log

__all__ = ["Admit", "shrink"]

_ATTEMPTS_MAX: Final = 3_000
_SECONDS_MAX: Final = 20.0
_TOGETHER_MAX: Final = 12
"""Up to this many facts, all pairs and triples are tried to be left out as well."""


Admit = Callable[[Iterable[Recorded]], Log | None]
"""Numbers records anew; None if they are no case that may be tried."""


def shrink(log: Log, fails: Callable[[Log], bool], admit: Admit) -> Log:
    """Give a log that fails too and cannot easily be made shorter or plainer.

    Args:
        log: A log that fails.
        fails: Whether a log fails; asked up to some 3,000 times, and for some 20
            seconds: what is slow is not made as short.
        admit: Makes a log of some of the records, changed or not: mostly
            ``partial(retold, lifecycle)``, which gives only what can happen.

    Source of the first part: A. Zeller, R. Hildebrandt, Simplifying and isolating
    failure-inducing input, IEEE Trans. Softw. Eng. 28(2), 2002 (ddmin).
    """
    search = _Search(admit, fails, log)
    while search.left > 0 and (search.drop() or search.simplify()):
        pass
    return search.best


@define
class _Search:
    admit: Admit
    fails: Callable[[Log], bool]
    best: Log
    left: int = _ATTEMPTS_MAX
    end: float = field(factory=lambda: monotonic() + _SECONDS_MAX)

    def accepts(self, records: Iterable[Recorded]) -> bool:
        """Try a log; keep it if it is admitted and fails."""
        if self.left <= 0 or monotonic() > self.end:
            return False
        log = self.admit(records)
        if log is None or log == self.best:
            return False
        self.left -= 1
        if not self.fails(log):
            return False
        self.best = log
        return True

    def drop(self) -> bool:
        """Leave out facts: half of them at a time, then fewer, then one by one."""
        is_shorter = False
        size = max(1, len(self.best) // 2)
        while size:
            at = 0
            while at < len(self.best):
                gone = {record.id for record in self.best[at : at + size]}
                if self.accepts(_without(self.best, gone)):
                    is_shorter = True
                else:
                    at += size
            size //= 2
        for together in (2, 3):
            is_shorter |= self._drop_together(together)
        return is_shorter

    def _drop_together(self, count: int) -> bool:
        is_shorter = False
        progress = len(self.best) <= _TOGETHER_MAX
        while progress:
            ids = [record.id for record in self.best]
            progress = any(
                self.accepts(_without(self.best, set(gone)))
                for gone in combinations(ids, count)
            )
            is_shorter |= progress
        return is_shorter

    def simplify(self) -> bool:
        """Make the facts plainer: all at once, then field by field."""
        at_once = (r._replace(recorded_us=Clock().us) for r in self.best)
        is_plainer = self.accepts(at_once)
        is_plainer |= self.accepts(_renamed(self.best))
        is_plainer |= self.accepts(_with_plain_streams(self.best))
        for at in range(len(self.best)):
            while at < len(self.best) and self._simplify_at(at):
                is_plainer = True
        return is_plainer

    def _simplify_at(self, at: int) -> bool:
        """Make one fact plainer in one way, if it can be."""
        for event in _plainer(self.best[at].event):
            records = list(self.best)
            records[at] = records[at]._replace(event=event)
            if self.accepts(records):
                return True
        return False


def _renamed(log: Log) -> Iterator[Recorded]:
    """Number the ids by position, as in a log that was never longer."""
    names = {record.id: f"r{record.position}" for record in log}
    for record in log:
        event = record.event
        if event.replaces:
            event = attrs.evolve(event, replaces=names.get(event.replaces, ""))
        yield record._replace(id=names[record.id], event=event)


def _with_plain_streams(log: Log) -> Iterator[Recorded]:
    """Call the streams of each category a, b, c and so on, in their order."""
    names, letters = dict[str, str](), dict[str, Iterator[str]]()
    for record in log:
        category, slash, _ = record.stream.rpartition("/")
        if record.stream not in names:
            letter = next(letters.setdefault(category, iter(ascii_lowercase)), "z")
            names[record.stream] = f"{category}{slash}{letter}"
        yield record._replace(stream=names[record.stream])


def _without(log: Log, gone: set[str]) -> Iterator[Recorded]:
    """Leave records out, and what corrects them."""
    for record in log:
        if record.id in gone or record.event.replaces in gone:
            gone.add(record.id)
        else:
            yield record


def _plainer(event: Event) -> Iterator[Event]:
    """Yield plainer events of the same class: never one that is less plain."""
    kind = type(event)
    keep: dict[str, Any] = {"replaces": event.replaces, "reason": event.reason}
    if isinstance(event, NAMED):
        keep["milestone"] = event.milestone
    try:
        plain = simplest(kind, **keep)
    except ValueError:
        plain = event  # Nothing plain is known of its class.
    if plain != event:
        yield plain
    hints = typing.get_type_hints(kind, include_extras=True)
    for attribute in attrs.fields(kind):
        now = getattr(event, attribute.name)
        if attribute.name in keep or not attribute.init:
            continue
        candidates = [*plain_values(attribute, hints[attribute.name])]
        if attribute.default is not attrs.NOTHING:
            candidates.insert(0, getattr(plain, attribute.name))
        for value in candidates:
            if value == now:
                break  # What comes next is less plain.
            try:
                yield attrs.evolve(event, **{attribute.alias: value})
            except (InvalidValue, ValueError):
                continue
