"""The pytest plugin, in projects of its users."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

RECORDS = """
    from azcn_events.testing.scenario import fact
    from azcn_events.investment import AgreementIdentified, LandAllocated

    def test_it(ledger, azcn_clock):
        azcn_clock.pass_days(1)
        ledger.record("agreement/a", fact(AgreementIdentified, field="glass"))
        receipt = ledger.record("agreement/a", fact(LandAllocated))
        print("store:", type(ledger.store).__name__)
        print("record:", receipt.records[0].id, receipt.records[0].recorded_on)
"""


def test_it_is_silent_until_it_is_asked(pytester: pytest.Pytester) -> None:
    """The header says nothing in a project that chose no store."""
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("azcn_events: *")


@pytest.mark.parametrize("by", ["option", "setting"])
def test_the_header_names_the_stores(pytester: pytest.Pytester, by: str) -> None:
    """Where stores were chosen, the header says which."""
    pytester.makepyfile("def test_it(): pass")
    options = ["--azcn-store=memory:", "--azcn-store=sqlite:"]
    if by == "setting":
        options = []
        pytester.makeini("[pytest]\nazcn_store =\n    memory:\n    sqlite:\n")
    result = pytester.runpytest(*options)
    result.stdout.fnmatch_lines(["azcn_events: stores memory:, sqlite:"])


def test_a_ledger_is_fresh(pytester: pytest.Pytester) -> None:
    """By itself a ledger is kept in memory; clock and ids are the test's."""
    pytester.makepyfile(RECORDS)
    result = pytester.runpytest("-v", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*store: MemoryStore", "record: r2 2025-01-02"])
    result.stdout.fnmatch_lines_random(["*test_it[[]memory[]]*"])


def test_tests_run_on_each_store(pytester: pytest.Pytester) -> None:
    """With two stores each test that uses one runs twice, others once."""
    pytester.makepyfile(RECORDS, test_other="def test_other(): pass")
    stores = ["--azcn-store=memory:", "--azcn-store=sqlite:"]
    result = pytester.runpytest(*stores, "-v", "-s")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*test_it[[]memory[]]*",
            "*store: MemoryStore",
            "*test_it[[]sqlite[]]*",
            "*store: SqliteStore",
        ]
    )


def test_the_option_wins(pytester: pytest.Pytester) -> None:
    """What is asked for on the command line replaces the settings."""
    pytester.makepyfile(RECORDS)
    pytester.makeini("[pytest]\nazcn_store = memory:\n")
    result = pytester.runpytest("--azcn-store=sqlite:", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*store: SqliteStore"])


def test_a_store_of_ones_own(pytester: pytest.Pytester) -> None:
    """A store is named by the module and the function that opens it."""
    pytester.makepyfile(
        RECORDS,
        mine="""
            from azcn_events.stores.memory import MemoryStore

            class MyStore(MemoryStore):
                pass

            def opened(directory, clock):
                assert directory.is_dir()
                return MyStore(clock)
        """,
    )
    pytester.syspathinsert()
    result = pytester.runpytest("--azcn-store=mine:opened", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*store: MyStore"])


@pytest.mark.parametrize("store", ["postgres", "sqlite:a.db", "sqlite", ":opened", ""])
def test_what_is_no_store_is_refused(pytester: pytest.Pytester, store: str) -> None:
    """Before any test runs, with what was found and what would be right."""
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest(f"--azcn-store={store}")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([f"*{store!r} names no store; give memory:*"])


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("mine:open", "*mine:open: no opener is called 'open'; did you mean 'opened'*"),
        ("min:opened", "*min:opened: No module named 'min'"),
        ("mine:number", "*no opener is called 'number'*"),
    ],
)
def test_a_store_that_is_not_found_is_refused_once(
    pytester: pytest.Pytester, store: str, reason: str
) -> None:
    """Before any test runs, with what was not found; and only where one is used."""
    pytester.makepyfile(
        RECORDS,
        mine="def opened(directory, clock):\n    pass\nnumber = 1\n",
        test_more="def test_one(ledger): pass\ndef test_other(ledger): pass\n",
        test_without="def test_it(): pass\n",
    )
    pytester.syspathinsert()
    result = pytester.runpytest(f"--azcn-store={store}")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([reason])
    assert 1 == str(result.stderr).count("--azcn-store, or azcn_store")
    result = pytester.runpytest(f"--azcn-store={store}", "test_without.py")
    result.assert_outcomes(passed=1)


def test_a_store_in_a_file(pytester: pytest.Pytester) -> None:
    """A store is also named by a file that cannot be imported."""
    pytester.makepyfile(RECORDS)
    folder = pytester.mkdir("not-a-name")
    (folder / "mine.py").write_text(
        "from azcn_events.testing.stand_ins import on_sqlite as opened"
    )
    result = pytester.runpytest("--azcn-store=not-a-name/mine.py:opened", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*store: SqliteStore"])


OWN_LIFECYCLE = """
    import pytest
    from attrs import frozen
    from azcn_events import Event, Lifecycle, Milestone
    from azcn_events.testing.scenario import admitted, fact, refused

    @frozen
    class Dug(Event):
        pass

    @frozen
    class Filled(Event):
        pass

    @pytest.fixture
    def azcn_lifecycle():
        return Lifecycle(
            "hole",
            {"dug": Dug, "filled": Filled},
            (
                Milestone("open", met_by=Dug),
                Milestone("closed", met_by=Filled, requires=["open"]),
            ),
        )
"""


def test_a_lifecycle_of_ones_own(pytester: pytest.Pytester) -> None:
    """A fixture of the same name changes the rules of ledger and examples."""
    pytester.makepyfile(
        OWN_LIFECYCLE
        + """
    def test_ledger(ledger):
        ledger.record("hole/a", fact(Dug))

    def test_example(given):
        given(fact(Dug)).when(fact(Filled)).then_met("closed")
        given(stream="hole/b", on="2025-04-30").when(fact(Filled)).then_refused(
            "requires"
        )
"""
    )
    pytester.runpytest().assert_outcomes(passed=2)


def test_a_failed_comparison_is_explained(pytester: pytest.Pytester) -> None:
    """A failed ``assert`` shows what came of the example, and no insides of the kit."""
    pytester.makepyfile(
        OWN_LIFECYCLE
        + """
    def test_compared(given):
        assert given().when(fact(Filled)) == admitted()

    def test_chained(given):
        given(fact(Dug)).when(fact(Filled)).then_refused("requires")

    def test_begun(given):
        given(fact(Filled))
"""
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "E * assert expected admitted, found refused (requires)",
            "E *given",
            "E *(nothing)",
            "E *when",
            "E * ?  a  Filled(2025-01-01)",
            "E * -> refused: 'closed' requires 'open' first",
            "E *admitted now: dug, *",
            "E *expected refused (requires), found admitted",
        ]
    )
    result.stdout.no_fnmatch_line("*scenario.py*")
    result.stdout.no_fnmatch_line("*pytestplugin.py*")


def test_property_tests_can_open_stores(pytester: pytest.Pytester) -> None:
    """Hypothesis finds nothing wrong with the fixture that opens stores."""
    pytester.makepyfile(
        """
        from azcn_events import Ledger
        from azcn_events.investment import INVESTMENT
        from azcn_events.testing.whole_logs import histories
        from azcn_events.testing.stand_ins import Clock, scratch
        from hypothesis import given, settings

        # No deadline: it opens stores.
        @settings(max_examples=10, database=None, deadline=None)
        @given(histories(INVESTMENT))
        def test_it(azcn_open_store, log):
            with scratch() as directory:
                with Ledger(azcn_open_store(directory, Clock())) as ledger:
                    assert list(ledger.records()) == []
        """
    )
    result = pytester.runpytest("--azcn-store=memory:", "--azcn-store=sqlite:")
    result.assert_outcomes(passed=2)


def test_another_project_pays_nothing(pytester: pytest.Pytester) -> None:
    """A project that uses neither imports neither the library nor Hypothesis."""
    pytester.makepyfile(
        """
        import sys

        def test_it(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("azcn_events")
            assert "_azcn_events_pytestplugin" in sys.modules
            loaded = {name.partition(".")[0] for name in sys.modules}
            assert not loaded & {"azcn_events", "hypothesis", "attrs"}
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_kit_is_rewritten(pytester: pytest.Pytester) -> None:
    """An ``assert`` in the kit shows its values, as one in a test does."""
    pytester.makepyfile(
        """
        import azcn_events.testing.scenario
        import azcn_events.ledger

        def test_it():
            loader = azcn_events.testing.scenario.__loader__
            assert type(loader).__name__ == "AssertionRewritingHook"
        """
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    """Without the plugin there are no fixtures of it, and everything else works."""
    pytester.makepyfile(RECORDS, test_other="def test_other(): pass")
    result = pytester.runpytest("-p", "no:azcn_events")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'ledger' not found"])
