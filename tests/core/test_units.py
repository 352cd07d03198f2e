"""Units: the codes are those of ISO 4217, and a wrong one is answered helpfully."""

import iso4217
import pytest

from azcn_events.core.units import (
    CURRENCIES,
    HISTORIC,
    UNITS,
    check_unit,
    is_currency,
    is_historic,
)
from azcn_events.errors import InvalidValue


def test_current_codes_and_minor_units_are_those_of_the_standard() -> None:
    """Every code and its digits agree with the published list, none is missing.

    An older or newer list than ours is one more reason to update, so it fails.
    """
    published = {code.code: code.exponent for code in iso4217.Currency}
    assert dict(CURRENCIES) == published


def test_no_code_is_current_and_historic_and_a_unit() -> None:
    """The three tables share nothing, even when case is ignored within units."""
    tables = [set(CURRENCIES), set(HISTORIC), set(UNITS)]
    assert sum(map(len, tables)) == len(set[str]().union(*tables))
    assert len({unit.casefold() for unit in UNITS}) == len(UNITS)


@pytest.mark.parametrize("code", ["ROL", "GHC", "ZMK", "AZM", "RUR", "BGN", "ANG"])
def test_withdrawn_currencies_are_taken_and_told_apart(code: str) -> None:
    """An old source's currency is a currency, and marked as withdrawn."""
    check_unit(code)
    assert (is_currency(code), is_historic(code)) == (True, True)


@pytest.mark.parametrize("code", ["USD", "CNY", "AZN", "JPY", "XAU", "CLF"])
def test_current_currencies_are_taken(code: str) -> None:
    """A currency in use is a currency, and not withdrawn."""
    check_unit(code)
    assert (is_currency(code), is_historic(code)) == (True, False)


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_no_currencies(unit: str) -> None:
    """Every unit is taken and is not mistaken for money."""
    check_unit(unit)
    assert (is_currency(unit), is_historic(unit)) == (False, False)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("usd", "USD"),
        ("Usd ", "USD"),
        ("hectares", "ha"),
        ("Hectare", "ha"),
        ("square  metres", "m2"),
        ("sq  m", "m2"),
        ("km²", "km2"),
        ("mw", "MW"),
        ("megawats", "MW"),
        ("%", "percent"),
        ("tons", "t"),
        ("job", "jobs"),
        ("yuan", "CNY"),
        ("us$", "USD"),
        ("rol", "ROL"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(text: str, meant: str) -> None:
    """The refusal names the code to use and everything else that is taken."""
    with pytest.raises(InvalidValue, match=f"did you mean '{meant}'") as caught:
        check_unit(text)
    assert caught.value.found == text
    assert "ISO 4217" in caught.value.accepted
    assert "hectares" not in caught.value.accepted


@pytest.mark.parametrize("text", ["", "QQQ", "bananas", "usd/ha", "12"])
def test_no_guess_is_made_where_nothing_is_near(text: str) -> None:
    """A refusal without a good guess makes none."""
    with pytest.raises(InvalidValue) as caught:
        check_unit(text)
    assert "no unit or currency is called so" == caught.value.problem


def test_a_number_in_the_units_place_is_refused_like_any_text() -> None:
    """Swapped arguments end in our error, with the value in it."""
    with pytest.raises(InvalidValue, match="'3'"):
        check_unit(3)  # type: ignore[arg-type]  # what a swapped call does
