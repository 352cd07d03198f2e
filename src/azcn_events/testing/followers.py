"""What follows a log: projections in memory, and read models in a database.

Each takes the log page by page, is given records again, broken off and restarted, as
happens to whatever is kept up to date; and must hold what one run over the log gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field

from azcn_events.core.events import Recorded
from azcn_events.core.projection import Progress, Projection
from azcn_events.testing.laws.read_models import OpenReadModel, ReadModel
from azcn_events.testing.stand_ins import scratch

__all__ = ["Follower", "ProjectionFollower", "ReadModelFollower"]


class Follower(Protocol):
    """Something that follows a log.

    Attributes:
        due: Up to which position it should have counted, as its driver knows.
    """

    due: int

    @property
    def name(self) -> str:
        """What it is called when it is wrong."""
        ...

    @property
    def position(self) -> int:
        """The last position that it has counted; 0 if none."""
        ...

    def take(self, records: Iterable[Recorded]) -> None:
        """Count records, in position order; those that are counted are passed over."""
        ...

    def restart(self) -> None:
        """Go on from what was kept."""
        ...

    def value(self) -> object:
        """Give what the records counted so far come to."""
        ...

    def anew(self, log: Sequence[Recorded]) -> object:
        """Give what one run over a log comes to."""
        ...

    def close(self) -> None:
        """Release what is open."""
        ...


@define
class ProjectionFollower:
    """A projection whose value is kept in memory; a snapshot is a copy of it."""

    projection: Projection[Any]
    due: int = field(default=0, init=False)
    _progress: Progress[Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._progress = Progress(self.projection.start())

    @property
    def name(self) -> str:
        """See ``Follower.name``."""
        return self.projection.name

    @property
    def position(self) -> int:
        """See ``Follower.position``."""
        return self._progress.position

    def take(self, records: Iterable[Recorded]) -> None:
        """See ``Follower.take``; what is broken off counts nothing."""
        # Of a copy, as a step may change the value in place before it is broken off.
        self._progress = self.projection.resume(deepcopy(self._progress), records)

    def restart(self) -> None:
        """See ``Follower.restart``."""
        self._progress = deepcopy(self._progress)

    def value(self) -> object:
        """See ``Follower.value``."""
        return self._progress.value

    def anew(self, log: Sequence[Recorded]) -> object:
        """See ``Follower.anew``."""
        return self.projection.run(log).value

    def close(self) -> None:
        """See ``Follower.close``."""


@define
class ReadModelFollower:
    """A read model, which keeps itself in a directory of its own."""

    _open_model: OpenReadModel
    _directory: Path
    due: int = field(default=0, init=False)
    _model: ReadModel = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._model = self._open_model(self._directory)

    @property
    def name(self) -> str:
        """See ``Follower.name``."""
        opener: Any = self._open_model
        return str(getattr(opener, "__name__", opener))

    @property
    def position(self) -> int:
        """See ``Follower.position``."""
        return self._model.position

    def take(self, records: Iterable[Recorded]) -> None:
        """See ``Follower.take``."""
        self._model.apply(records)

    def restart(self) -> None:
        """See ``Follower.restart``: close it and open it again."""
        self._model.close()
        self._model = self._open_model(self._directory)

    def value(self) -> object:
        """See ``Follower.value``."""
        return self._model.value()

    def anew(self, log: Sequence[Recorded]) -> object:
        """See ``Follower.anew``: by a read model made for it."""
        with scratch() as directory:
            model = self._open_model(directory)
            try:
                model.apply(log)
                return deepcopy(model.value())
            finally:
                model.close()

    def close(self) -> None:
        """See ``Follower.close``."""
        self._model.close()
