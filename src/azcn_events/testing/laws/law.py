"""Laws: what must hold for every log, and how one that does not hold is shown."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Final, Generic, TypeGuard, TypeVar, overload

from attrs import frozen
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from azcn_events.core.events import Recorded
from azcn_events.core.lifecycle import Lifecycle
from azcn_events.testing.covered import Watched
from azcn_events.testing.shrinking import shrink
from azcn_events.testing.timelines import timeline
from azcn_events.testing.transcript import Log, retold
from azcn_events.testing.whole_logs import logs

__all__ = [
    "LEGAL_LOGS",
    "Broken",
    "Draws",
    "Law",
    "LawBroken",
    "Search",
    "Violation",
    "ensure",
    "find_all",
    "law",
    "over_logs",
    "same",
]

S = TypeVar("S")


class Violation(AssertionError):
    """What a law's check raises when it does not hold; its text says how."""


def ensure(holds: bool, message: str) -> None:  # noqa: FBT001 - the condition itself
    """Raise a violation unless something holds."""
    if not holds:
        raise Violation(message)


def same(one: object, other: object, what: str) -> None:
    """Raise a violation unless two values are equal, and say where they differ."""
    if one == other:
        return
    if one != one or other != other:  # noqa: PLR0124 - that is the question
        raise Violation(
            f"{what}, as far as can be said: the value does not equal itself, and laws"
            " compare with ==; give its class an __eq__, and no NaN"
        )
    if _is_mapping(one) and _is_mapping(other):
        one, other = _difference(one, other), _difference(other, one)
    raise Violation(
        f"{what}\n     one way:   {_cut(one)}\n     the other: {_cut(other)}"
    )


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _difference(
    one: Mapping[object, object], other: Mapping[object, object]
) -> dict[object, object]:
    return {
        key: value
        for key, value in one.items()
        if key not in other or other[key] != value
    }


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _CHARACTERS_MAX else f"{text[:_CHARACTERS_MAX]}…"


_CHARACTERS_MAX: Final = 300


@frozen
class Search:
    """Where laws look for cases, and how long.

    Attributes:
        lifecycle: Whose logs are drawn.
        examples: How many, at the most.
    """

    lifecycle: Lifecycle
    examples: int

    @classmethod
    def of(cls, lifecycle: Lifecycle, examples: int | None = None) -> Search:
        """Look as long as Hypothesis' profile says, unless a number is given."""
        many = settings().max_examples if examples is None else examples
        if many < 1:
            raise ValueError(f"{many} examples show nothing: give 1 or more")
        return cls(lifecycle, many)


@frozen(eq=False)
class Draws:
    """What is drawn for a law.

    Attributes:
        logs: Draws cases for a lifecycle.
        admit: Makes a case of some records of another, changed or not; None if they
            are none. So cases are made short.
        times: How many cases are drawn for one example that was asked for.
        always: Gives cases for a lifecycle that are asked before any is drawn.
    """

    logs: Callable[[Lifecycle], st.SearchStrategy[Log]]
    admit: Callable[[Lifecycle, Iterable[Recorded]], Log | None]
    times: int = 1
    always: Callable[[Lifecycle], Iterable[Log]] = lambda _: ()


LEGAL_LOGS: Final = Draws(logs, retold)
"""Whole logs that the lifecycle admits."""


@frozen
class Broken:
    """A law that does not hold, with the shortest case found.

    Attributes:
        law: Its name.
        sentence: What it says.
        message: How the case breaks it.
        lifecycle: Whose log the case is.
        log: The records of the case; empty if it needs none.
    """

    law: str
    sentence: str
    message: str
    lifecycle: Lifecycle
    log: Log = ()

    def __str__(self) -> str:
        lines = [f"{self.law}: {self.sentence}"]
        if self.log:
            lines += ["Broken by this log:", timeline(self.lifecycle, self.log)]
        return "\n".join([*lines, f"  => {self.message}"])


class LawBroken(AssertionError):
    """Some laws do not hold.

    Attributes:
        broken: Each of them, in the order of the laws; at least one.
    """

    def __init__(self, broken: Sequence[Broken]) -> None:
        super().__init__("\n\n".join(map(str, broken)))
        self.broken = tuple(broken)


Check = Callable[[S, Lifecycle, Log], None]
"""Raises if a law does not hold for a subject and one log."""


Find = Callable[[S, Search], Broken | None]
"""Looks for a case that breaks a law; gives that, or None."""


@frozen(eq=False)
class Law(Generic[S]):
    """What must hold for a subject: a projection, a store, a report and so on.

    Attributes:
        name: Its name, such as ``"batch_split"``.
        sentence: What it says, as one sentence.
        check: Raises if it does not hold for one log; then logs are drawn for it.
        find: For a law that is not about logs: looks for a case that breaks it.
        applies: Whether it says anything of this subject.
        draws: Which logs are drawn.
    """

    name: str
    sentence: str
    check: Check[S] | None = None
    find: Find[S] | None = None
    applies: Callable[[S], bool] = lambda _: True
    draws: Draws = LEGAL_LOGS


@overload
def over_logs(check: Check[S]) -> Law[S]: ...


@overload
def over_logs(
    *, applies: Callable[[Any], bool] = ..., draws: Draws = ...
) -> Callable[[Check[S]], Law[S]]: ...


def over_logs(
    check: Check[Any] | None = None,
    *,
    applies: Callable[[Any], bool] = lambda _: True,
    draws: Draws = LEGAL_LOGS,
) -> Law[Any] | Callable[[Check[Any]], Law[Any]]:
    r"""Make a law of a check: its name is the function's, its sentence the docstring's.

    ::

        @over_logs
        def counts_every_fact(projection, lifecycle, log):
            \"\"\"Every fact is counted once.\"\"\"
            same(projection.run(log).value.total(), len(log), "the count")

    The check gets the subject, the lifecycle and one log at a time, and raises if the
    law does not hold. Whatever it raises breaks the law.
    """
    if check is None:
        return lambda other: _over_logs(other, applies, draws)
    return _over_logs(check, applies, draws)


def _over_logs(check: Check[S], applies: Callable[[Any], bool], draws: Draws) -> Law[S]:
    name, sentence = check.__name__, _sentence(check)
    return Law(name, sentence, check=check, applies=applies, draws=draws)


@overload
def law(find: Find[S]) -> Law[S]: ...


@overload
def law(*, applies: Callable[[Any], bool]) -> Callable[[Find[S]], Law[S]]: ...


def law(
    find: Find[Any] | None = None,
    *,
    applies: Callable[[Any], bool] = lambda _: True,
) -> Law[Any] | Callable[[Find[Any]], Law[Any]]:
    """Make a law of a function that looks for a case by itself: see ``over_logs``."""
    if find is None:
        return lambda other: _law(other, applies)
    return _law(find, applies)


def _law(find: Find[S], applies: Callable[[Any], bool]) -> Law[S]:
    return Law(find.__name__, _sentence(find), find=find, applies=applies)


def _sentence(check: Callable[..., object]) -> str:
    doc = inspect.getdoc(check) or check.__name__.replace("_", " ")
    return " ".join(doc.split("\n\n")[0].split())


class _AllBroken(Exception):
    """Ends a search. Hypothesis tries the last log again before it gives in."""


def _find_in_logs(
    subject: Any,  # noqa: ANN401 - whatever the laws are about
    laws: Sequence[Law[Any]],
    search: Search,
) -> dict[Law[Any], Broken]:
    """Draw logs, ask each law about each, and make what breaks one short and plain.

    The laws all draw the same.
    """
    draws = laws[0].draws
    found: dict[Law[Any], Log] = {}

    # The search for a short case is ours: it knows what a history is. No deadline:
    # each log is put to every law, and what that takes says nothing of one of them.
    @settings(
        max_examples=search.examples * draws.times,
        phases=[Phase.generate],
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
        deadline=None,
    )
    @given(draws.logs(search.lifecycle))
    def draw(log: Log) -> None:
        ask(log)

    def ask(log: Log) -> None:
        kept = deepcopy(log)  # A subject that changes events spoils them for others.
        for one in laws:
            if one not in found and _message(one, subject, search, log):
                found[one] = kept
        if len(found) == len(laws):
            raise _AllBroken

    try:
        for log in draws.always(search.lifecycle):
            ask(log)
        draw()
    except _AllBroken:
        pass
    except HypothesisException:
        raise
    except Exception as error:  # noqa: BLE001 - rules that raise cannot even be drawn from
        how = f"{_RAISED}{type(error).__name__}: {error}, while a log was drawn"
        return {
            one: Broken(one.name, one.sentence, how, search.lifecycle) for one in laws
        }
    return {
        one: _shortened(one, subject, search, found[one])
        for one in laws
        if one in found
    }


def _shortened(one: Law[Any], subject: object, search: Search, log: Log) -> Broken:
    def fails(tried: Log) -> bool:
        return bool(_message(one, subject, search, tried))

    short = shrink(log, fails, partial(one.draws.admit, search.lifecycle))
    message = _message(one, subject, search, short) or _FICKLE
    return Broken(one.name, one.sentence, message, search.lifecycle, short)


_FICKLE: Final = "it was broken once, and not when the same log was tried again"


def _message(one: Law[Any], subject: object, search: Search, log: Log) -> str:
    """Say how a log breaks a law; empty if it does not."""
    if one.check is None:
        return ""
    try:
        one.check(subject, search.lifecycle, log)
    except AssertionError as violation:
        return str(violation) or "an assertion without words"
    except Exception as error:  # noqa: BLE001 - whatever it raises breaks the law
        return f"{_RAISED}{type(error).__name__}: {error}"
    return ""


_RAISED: Final = "it raised "


def find_all(
    subject: Any,  # noqa: ANN401 - whatever the laws are about
    laws: Iterable[Law[Any]],
    search: Search,
) -> list[Broken]:
    """Look for a case against each law that applies.

    What raises an error breaks nearly every law: for each kind of error one is given.
    """
    asked = [one for one in laws if one.applies(subject)]
    if isinstance(search.lifecycle, Watched):
        for one in asked:
            search.lifecycle.note_law(one.name)
    in_logs: dict[Law[Any], Broken] = {}
    for draws in dict.fromkeys(one.draws for one in asked if one.check):
        alike = [one for one in asked if one.check and one.draws is draws]
        in_logs |= _find_in_logs(subject, alike, search)
    found = list[Broken]()
    for one in asked:
        broken = _look(one, subject, search) if one.find else in_logs.get(one)
        if broken is None:
            continue
        raised = broken.message if broken.message.startswith(_RAISED) else ""
        if not raised or all(_kind(other) != _kind(broken) for other in found):
            found.append(broken)
    return found


def _look(one: Law[Any], subject: object, search: Search) -> Broken | None:
    """Have a law look for a case by itself; whatever it raises breaks it."""
    assert one.find is not None  # noqa: S101 - the caller asked
    try:
        return one.find(subject, search)
    except HypothesisException:
        raise
    except Exception as error:  # noqa: BLE001 - the subject's, whatever it is
        how = f"{_RAISED}{type(error).__name__}: {error}"
        return Broken(one.name, one.sentence, how, search.lifecycle)


def _kind(broken: Broken) -> str:
    """Give what was raised, without the words that differ from log to log."""
    return broken.message.partition(":")[0]
