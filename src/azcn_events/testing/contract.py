"""Laws as tests: inherit a contract, and pytest runs one test for each law.

Without pytest, ``assert_lawful(open_my_store, STORE_LAWS)`` asks the same; nothing here
imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from azcn_events.core.lifecycle import Lifecycle
from azcn_events.investment.lifecycle import INVESTMENT
from azcn_events.testing.laws import Law, assert_lawful
from azcn_events.testing.laws.read_models import READ_MODEL_LAWS, OpenReadModel
from azcn_events.testing.laws.stores import STORE_LAWS
from azcn_events.testing.stand_ins import OpenStore

if TYPE_CHECKING:
    import pytest

__all__ = ["ReadModelContract", "StoreContract"]


class _Contract:
    """What the contracts share.

    Attributes:
        laws: What is promised; one test each, with the law's name in its id.
        lifecycle: Whose logs are drawn.
        examples: How many of them, at the most; as Hypothesis' profile says if None.
    """

    laws: ClassVar[Sequence[Law[Any]]]
    lifecycle: ClassVar[Lifecycle] = INVESTMENT
    examples: ClassVar[int | None] = None

    def subject(self) -> object:
        """Give what the laws are about."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each law."""
        if "law" in metafunc.fixturenames:
            metafunc.parametrize("law", self.laws, ids=[law.name for law in self.laws])

    def test_law(self, law: Law[Any]) -> None:
        """The law holds; if not, the shortest case against it is shown."""
        assert_lawful(
            self.subject(), [law], lifecycle=self.lifecycle, examples=self.examples
        )


class StoreContract(_Contract):
    """The tests that every store has to pass: one for each of ``STORE_LAWS``.

    ::

        class TestMyStore(StoreContract):
            open_store = staticmethod(open_my_store)

    pytest then runs ``TestMyStore::test_law[gapless_positions]`` and the others.

    Attributes:
        open_store: Opens the store that is kept in a directory: see ``OpenStore``.
    """

    open_store: OpenStore
    laws: ClassVar[Sequence[Law[Any]]] = STORE_LAWS

    def subject(self) -> OpenStore:
        """Give the store's opener."""
        return type(self).open_store


class ReadModelContract(_Contract):
    """The tests that every read model has to pass: one for each law.

    ::

        class TestMyModel(ReadModelContract):
            open_model = staticmethod(open_my_model)
            laws = (*READ_MODEL_LAWS, agrees_with_projection(MY_PROJECTION))

    Attributes:
        open_model: Opens the read model that is kept in a directory.
    """

    open_model: OpenReadModel
    laws: ClassVar[Sequence[Law[Any]]] = READ_MODEL_LAWS

    def subject(self) -> OpenReadModel:
        """Give the read model's opener."""
        return type(self).open_model
