"""Laws of read models: projections that are kept with the position they have counted.

Whatever is delivered, in whatever pieces, twice or interrupted, a read model holds what
one run over the log gives.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, cast

from attrs import define

from azcn_events.core.events import Recorded
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.core.projection import Projection
from azcn_events.testing.laws.few import over_few_logs
from azcn_events.testing.laws.law import Law, over_logs, same
from azcn_events.testing.stand_ins import scratch
from azcn_events.testing.transcript import Log

__all__ = [
    "READ_MODEL_LAWS",
    "Interrupted",
    "OpenReadModel",
    "ReadModel",
    "agrees_with_projection",
]


class ReadModel(Protocol):
    """A projection kept in a database, with the position up to which it has counted.

    Laws: ``READ_MODEL_LAWS``. They follow from one rule: what is counted and the
    position are written together, in one transaction.
    """

    def apply(self, records: Iterable[Recorded]) -> None:
        """Count records, which come in position order, perhaps with gaps between them.

        Those at or before ``position`` are counted already, and passed over. When it
        returns, the others are kept, whether this is ever closed or not.
        """
        ...

    @property
    def position(self) -> int:
        """The last position that is counted; 0 if none is."""
        ...

    def value(self) -> object:
        """Give what the records counted so far come to."""
        ...

    def close(self) -> None:
        """Release files and connections. Calling it twice is fine."""
        ...


OpenReadModel = Callable[[Path], ReadModel]
"""Opens the read model that is kept in a directory; makes it if there is none yet.

The directory exists. The same directory again is the same read model, also while it
is still open: one reads what another counts, and who died has closed nothing.
"""


class Interrupted(BaseException):
    """Ends a batch in the middle, as a crash would: no ``except Exception`` sees it."""


@define
class _Place:
    """A directory whose read model is opened as often as a law likes."""

    _open_model: OpenReadModel
    _directory: Path
    _closing: ExitStack

    def open(self) -> ReadModel:
        """Open the read model; it is closed when the law is done."""
        model = self._open_model(self._directory)
        self._closing.callback(model.close)
        return model

    def reopen(self, model: ReadModel) -> ReadModel:
        """Close a read model and open it again."""
        model.close()
        return self.open()


@contextmanager
def _place(open_model: OpenReadModel) -> Generator[_Place]:
    with scratch() as directory, ExitStack() as closing:
        yield _Place(open_model, directory, closing)


def _standing(model: ReadModel) -> tuple[object, int]:
    """Give value and position, as they are now."""
    return deepcopy(model.value()), model.position


def _at_once(open_model: OpenReadModel, records: Log) -> tuple[object, int]:
    """Count records in one batch, in a fresh directory."""
    with _place(open_model) as place:
        model = place.open()
        model.apply(records)
        return _standing(model)


@over_logs
def total(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """It takes every log that the lifecycle admits."""
    _at_once(open_model, log)


@over_few_logs
def counted_up_to_the_last(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """Its position is that of the last record counted; 0 before the first."""
    with _place(open_model) as place:
        model = place.open()
        model.apply(())
        same(0, model.position, "the position before the first record")
        for record in log:
            model.apply((record,))
            same(record.position, model.position, f"after record {record.position}")
        model.apply(())
        same(len(log), model.position, "the position after an empty batch")


@over_few_logs
def batches(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """One by one, in twos or in threes: the same as all at once."""
    whole = _at_once(open_model, log)
    for size in (1, 2, 3):
        with _place(open_model) as place:
            model = place.open()
            for batch in _cut(log, size):
                model.apply(batch)
            what = f"all at once, and in batches of {size}, differ"
            same(whole, _standing(model), what)


def _cut(log: Log, size: int) -> Iterator[Log]:
    return (log[at : at + size] for at in range(0, len(log), size))


@over_few_logs
def redelivery(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """Records delivered again change nothing, alone or together with new ones."""
    whole = _at_once(open_model, log)
    with _place(open_model) as place:
        model = place.open()
        for last in range(1, len(log) + 1):
            model.apply(log[max(0, last - 3) : last])
            before = _standing(model)
            for first in (last - 1, last // 2, 0):
                model.apply(log[first:last])
                what = f"delivering records {first + 1} to {last} again counts them"
                same(before, _standing(model), what)
        same(whole, _standing(model), "all at once, and with records again, differ")


@over_few_logs
def reopened(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """Closing and opening keep value and position, and counting goes on from there."""
    whole = _at_once(open_model, log)
    with _place(open_model) as place:
        model = place.open()
        for record in log:
            model.apply((record,))
            before = _standing(model)
            model = place.reopen(model)
            what = f"closing and opening after record {record.position} changes it"
            same(before, _standing(model), what)
        same(whole, _standing(model), "all at once, and reopened, differ")


@over_few_logs
def kept_unclosed(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """What is counted is kept at once: who opens it anew finds it, closed or not."""
    with _place(open_model) as place:
        model = place.open()
        for batch in _cut(log, 3):
            model.apply(batch)
            before = _standing(model)
            model = place.open()
            what = f"opened again after record {batch[-1].position}, without closing"
            same(before, _standing(model), what)


@over_few_logs
def rebuilt(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """One that has followed the log is what one that is made from it anew is."""
    with _place(open_model) as place:
        live = place.open()
        for at, record in enumerate(log, 1):
            live.apply((record,))
            if at in {1, 2, len(log)}:
                standing, anew = _standing(live), _at_once(open_model, log[:at])
                what = f"made anew from {at} records, and live, differ"
                same(anew, standing, what)


@over_few_logs
def broken_off_between_records(
    open_model: OpenReadModel, _: Lifecycle, log: Log
) -> None:
    """Broken off between two records of a batch, it goes on as if nothing had happened.

    It is closed, opened again, and given what follows its position. If the value and
    the position are written apart, something is lost then, or counted twice.
    """
    whole = _at_once(open_model, log)
    for after in (0, 1, 2):
        with _place(open_model) as place:
            model = place.open()
            for batch in _cut(log, 4):
                with suppress(Interrupted):
                    model.apply(_broken_off(batch, after))
                model = place.reopen(model)
                model.apply(_since(batch, model))
            what = f"broken off in each batch of 4 after {after} records, it differs"
            same(whole, _standing(model), what)


def _broken_off(batch: Log, after: int) -> Iterator[Recorded]:
    yield from islice(batch, after)
    raise Interrupted


def _since(batch: Log, model: ReadModel) -> Log:
    return tuple(record for record in batch if record.position > model.position)


@over_few_logs
def broken_off_at_a_record(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """Broken off while it looks at a record, it goes on as if nothing had happened.

    Each time it may look once more, at a field or at the whole. Between statements at
    which it looks at no record it is not broken off; ``faults.statements`` does that.
    """
    whole = _at_once(open_model, log)
    with _place(open_model) as place:
        model = place.open()
        for batch in _cut(log, 3):
            for looks in range(_LOOKS_MAX):
                left = _Looks(looks)
                rest = _since(batch, model)
                with suppress(Interrupted):
                    model.apply([_Fragile.of(record, left) for record in rest])
                model = place.reopen(model)
            model.apply(_since(batch, model))
        what = f"broken off {_LOOKS_MAX} times in each batch of 3, it differs"
        same(whole, _standing(model), what)


_LOOKS_MAX: Final = 12


@define
class _Looks:
    """How often records may still be looked at."""

    left: int

    def spend(self) -> None:
        """Look once; if that is too often, break off."""
        if not self.left:
            raise Interrupted
        self.left -= 1


class _Fragile(Recorded):
    """A record at which can be looked a few times only."""

    _looks: _Looks

    @classmethod
    def of(cls, record: Recorded, looks: _Looks) -> _Fragile:
        """Make a record fragile."""
        made = cls(*record)
        made._looks = looks
        return made

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - any field
        if name in Recorded._fields:
            self._looks.spend()
        return super().__getattribute__(name)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a place or a slice, as in a tuple
        self._looks.spend()
        return cast("Any", super().__getitem__(key))

    def __iter__(self) -> Iterator[Any]:
        self._looks.spend()
        return cast("Iterator[Any]", super().__iter__())


@over_few_logs
def gaps(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
    """A part of the log, such as some streams of it, is counted as well."""
    for stream in dict.fromkeys(record.stream for record in log):
        shard = tuple(record for record in log if record.stream != stream)
        whole = _at_once(open_model, shard)
        last = shard[-1].position if shard else 0
        what = f"the position after a log without {stream}"
        same(last, whole[1], what)
        with _place(open_model) as place:
            model = place.open()
            for batch in _cut(shard, 2):
                model.apply(batch)
                model.apply(batch)
            what = f"a log without {stream}, at once and in twos, differs"
            same(whole, _standing(model), what)


def agrees_with_projection(projection: Projection[Any]) -> Law[OpenReadModel]:
    """Make a law: at every record, the value is what a projection gives.

    Args:
        projection: What the read model keeps; its value must be equal.
    """

    @over_logs
    def agrees(open_model: OpenReadModel, _: Lifecycle, log: Log) -> None:
        """It holds what the projection gives."""
        with _place(open_model) as place:
            model = place.open()
            for at in range(len(log) + 1):
                model.apply(log[:at])
                value = projection.run(log[:at]).value
                what = f"after {at} records, {projection.name!r} says otherwise"
                same(value, model.value(), what)

    return agrees


READ_MODEL_LAWS: Final[tuple[Law[OpenReadModel], ...]] = (
    total,
    counted_up_to_the_last,
    batches,
    redelivery,
    reopened,
    kept_unclosed,
    rebuilt,
    broken_off_between_records,
    broken_off_at_a_record,
    gaps,
)
"""What every read model promises: see ``ReadModel``. The subject is its opener."""
