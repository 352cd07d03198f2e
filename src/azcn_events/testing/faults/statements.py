"""Let a program die before and after every statement that it gives to a database.

In process, and so hundreds of times a second: a connection is wrapped, counts its
statements, and raises ``Crash`` at one of them; a script counts as one statement.
From then on every statement raises it, because nothing that a dead program would have
tidied up may reach the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, Final, Self, TypeVar, cast
from weakref import WeakSet

from attrs import define, evolve, field

from azcn_events.testing.faults.findings import Findings, Problem, unusable

__all__ = ["Crash", "Place", "Statements", "crash_at_every_statement"]

_Connection = TypeVar("_Connection")
Place = TypeVar("Place")
"""Where a program keeps its data: mostly a directory."""

_GIVEN: Final = frozenset(
    {"commit", "execute", "executemany", "executescript", "pragma", "rollback"}
)
"""The methods of DB-API connections and cursors, and of ``apsw``, that do something."""


class Crash(BaseException):
    """The death of the program, made up.

    Not an ``Exception``: code under test that goes on after any of those would
    otherwise survive its own death.
    """


@define(eq=False)
class Statements:
    """Counts the statements of the connections it watches, and lets one be the last.

    Attributes:
        last: The program dies at this statement, counted from 1; 0 lets it live.
        is_done: Whether it dies after the statement, instead of before it.
        count: How many were given so far.
    """

    last: int = 0
    is_done: bool = False
    count: int = field(default=0, init=False)
    _is_dead: bool = field(default=False, init=False)
    _connections: list[Any] = field(factory=list[Any], init=False)
    # Weakly: a cursor that the program has dropped must end as it would unwatched.
    _cursors: WeakSet[_Watched] = field(factory=WeakSet["_Watched"], init=False)

    def watch(self, connection: _Connection) -> _Connection:
        """Wrap a connection; it is used as before.

        Args:
            connection: One of ``apsw``, ``sqlite3`` or any other DB-API driver.
        """
        self._connections.append(connection)
        return cast("_Connection", _Watched(connection, self))

    def watch_cursor(self, cursor: object) -> object:
        """Wrap a cursor that a watched connection gave."""
        watched = _Watched(cursor, self)
        self._cursors.add(watched)
        return watched

    def give(
        self, method: Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        """Call a method that gives a statement, or die.

        Raises:
            Crash: If this is the last one, or there was one already.
        """
        self.count += 1
        is_last = self.count == self.last
        self._is_dead = self._is_dead or (is_last and not self.is_done)
        self._refuse_if_dead()
        try:
            result = method(*args, **kwargs)
        finally:
            self._is_dead = is_last
        self._refuse_if_dead()
        return result

    def bury(self) -> None:
        """Close all connections, as the end of a process does: without a commit.

        Their cursors first, which the traceback of a death may hold on to: a
        connection that still has one open may stay open, and keep its lock.
        """
        for cursor in list(self._cursors):
            cursor.end()
        for connection in self._connections:
            _end(connection)

    def _refuse_if_dead(self) -> None:
        if self._is_dead:
            when = "after" if self.is_done else "before"
            raise Crash(f"{when} statement {self.last}")


def crash_at_every_statement(
    run: Callable[[Place, Statements], object],
    check: Callable[[Place], Iterable[Problem]],
    *,
    setup: Callable[[], AbstractContextManager[Place]],
    recover: Callable[[Place, Statements], object],
) -> Findings:
    """Let a program die at each of its statements, start it again, look at the result.

    Args:
        run: The program. It opens its connections through ``Statements.watch``, and
            gives the same statements each time.
        check: Looks at what is there in the end, over connections of its own.
        setup: Makes a fresh place for the data and takes it away again, such as
            ``scratch`` or ``quick_scratch``.
        recover: What happens after the death: mostly ``run`` again.

    Returns:
        What was found. ``tried`` counts the statements of a run without a death, and
        the deaths: before and after each.
    """
    living = Statements()
    problems = _outcome(run, check, setup, recover, living)
    deaths = 0
    for last in range(1, living.count + 1):
        for is_done in (False, True):
            dying = Statements(last, is_done=is_done)
            problems += _outcome(run, check, setup, recover, dying)
            deaths += 1
    return Findings({"statements": living.count, "deaths": deaths}, problems)


def _outcome(
    run: Callable[[Place, Statements], object],
    check: Callable[[Place], Iterable[Problem]],
    setup: Callable[[], AbstractContextManager[Place]],
    recover: Callable[[Place, Statements], object],
    statements: Statements,
) -> list[Problem]:
    """Run a program; if it died, recover; and check."""
    with setup() as place:
        where = _life(run, place, statements)
        try:
            if where:
                _life(recover, place, Statements())
            found = list(check(place))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            found = [unusable(error)]
    return [evolve(problem, where=where) for problem in found]


def _life(
    program: Callable[[Place, Statements], object], place: Place, statements: Statements
) -> str:
    """Run a program to its end, and say at which statement it died; "" if not."""
    try:
        program(place, statements)
    except Crash as crash:
        return str(crash)
    finally:
        statements.bury()
    return ""


def _end(resource: Any) -> None:  # noqa: ANN401 - a connection or cursor of any driver
    """Close it, whatever it is in the middle of."""
    # Some drivers refuse to close what they have closed.
    with suppress(Exception):
        try:
            resource.close(True)  # apsw: even if there is more to execute.
        except TypeError:
            resource.close()


class _Watched:
    """A connection or a cursor whose statements are counted."""

    _inner: Any
    _statements: Statements

    def __init__(self, inner: object, statements: Statements) -> None:
        # Not by assignment, which is handed on to the driver.
        self.__dict__.update(_inner=inner, _statements=statements)

    def end(self) -> None:
        """Close it, without giving a statement."""
        _end(self._inner)

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name in _GIVEN:
            return partial(self._given, found)
        if name == "cursor":
            return partial(self._made, found)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._inner, name, value)

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: object) -> bool | None:
        # Of a connection, this commits or rolls back.
        return cast("bool | None", self._statements.give(self._inner.__exit__, *error))

    def __iter__(self) -> Iterator[object]:
        return iter(self._inner)

    def __next__(self) -> object:
        return next(self._inner)

    def _given(
        self, method: Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        return self._watched(self._statements.give(method, *args, **kwargs))

    def _made(
        self, method: Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        return self._watched(method(*args, **kwargs))

    def _watched(self, result: object) -> object:
        """Watch a cursor that came back; give anything else as it is."""
        if result is self._inner:
            return self
        is_cursor = hasattr(result, "execute")
        return self._statements.watch_cursor(result) if is_cursor else result
