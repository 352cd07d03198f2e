"""What an amount may be counted in: currencies of ISO 4217, and a few units.

Codes are data of the standard, not ours: ISO 4217 list one (current currencies
and funds, with their minor units) and list three (withdrawn ones), both as
published on 2026-01-01 by its maintenance agency, SIX.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from azcn_events.errors import InvalidValue

__all__ = [
    "CURRENCIES",
    "HISTORIC",
    "UNITS",
    "check_unit",
    "is_currency",
    "is_historic",
]

_BY_DIGITS: Final[Mapping[int | None, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN
        BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP
        ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
        IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
        MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
        PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
        SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD
        XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    # "N.A." in the list: metals, bond market units, SDR, testing, no currency.
    None: "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
}

CURRENCIES: Final[Mapping[str, int | None]] = MappingProxyType(
    {code: digits for digits, codes in _BY_DIGITS.items() for code in codes.split()}
)
"""Current ISO 4217 codes (list one), and the digits of each one's minor unit: 2
for cents, 0 if there is no minor unit, None where the notion does not apply."""

HISTORIC: Final = frozenset(
    """
    ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEF BEL BGJ BGK BGL
    BGN BOP BRB BRC BRE BRN BRR BUK BYB BYR CHC CSD CSJ CSK CUC CYP DDM DEM ECS ECV
    EEK ESA ESB ESP FIM FRF GEK GHC GHP GNE GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR
    ISJ ITL LAJ LSM LTL LTT LUC LUF LUL LVL LVR MGF MLF MRO MTL MTP MVQ MXP MZE MZM
    NIC NLG PEH PEI PES PLZ PTE RHD ROK ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR
    TMM TPE TRL UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM YUN
    ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR
    """.split()
)
"""Withdrawn ISO 4217 codes (list three). Old sources use them, so they are taken
as they stand: converting, or dropping the zeros of a reform, would be invention."""

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ha": "hectares",
        "m2": "square metres",
        "km2": "square kilometres",
        "m3": "cubic metres",
        "m": "metres",
        "km": "kilometres",
        "kg": "kilograms",
        "t": "tonnes",
        "kW": "kilowatts",
        "MW": "megawatts",
        "MWh": "megawatt-hours",
        "percent": "percent",
        "jobs": "jobs",
        "persons": "persons",
        "companies": "companies",
        "projects": "projects",
        "documents": "documents",
        "units": "units",
    }
)
"""Units that are no currency: how each is written, and its name in English."""

_SPELLINGS: Final[Mapping[str, str]] = {
    "hectare": "ha",
    "m²": "m2",
    "sq m": "m2",
    "sqm": "m2",
    "square meters": "m2",
    "km²": "km2",
    "sq km": "km2",
    "square kilometers": "km2",
    "m³": "m3",
    "cubic meters": "m3",
    "meters": "m",
    "kilometers": "km",
    "kilos": "kg",
    "kgs": "kg",
    "tons": "t",
    "tonne": "t",
    "%": "percent",
    "per cent": "percent",
    "people": "persons",
    "workers": "jobs",
    "$": "USD",
    "us$": "USD",
    "dollars": "USD",
    "us dollars": "USD",
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "manat": "AZN",
    "manats": "AZN",
    "₼": "AZN",
    "yuan": "CNY",
    "rmb": "CNY",
    "renminbi": "CNY",
}
"""Hints only: what a person may write, and what they probably mean."""

_KNOWN: Final = frozenset(UNITS) | HISTORIC | frozenset(CURRENCIES)
_ACCEPTED: Final = (
    "an ISO 4217 currency code such as USD, CNY or AZN (in capitals), or one of "
    + ", ".join(UNITS)
)


def check_unit(text: str) -> None:
    """Refuse what is neither a currency nor one of our units.

    Raises:
        InvalidValue: If it is neither; the message says what was probably meant.
    """
    if type(text) is not str or text not in _KNOWN:
        found = str(text)  # A number in the unit's place deserves an answer too.
        meant = _meant(found)
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise InvalidValue(found, f"no unit or currency is called so{hint}", _ACCEPTED)


def is_currency(code: str) -> bool:
    """Tell whether *code* is a currency of ISO 4217, current or withdrawn."""
    return code in CURRENCIES or code in HISTORIC


def is_historic(code: str) -> bool:
    """Tell whether *code* is a currency that ISO 4217 has withdrawn."""
    return code in HISTORIC


def _meant(text: str) -> str:
    """Guess the unit behind a spelling; empty if there is no good guess."""
    written = " ".join(text.split()).casefold()
    for known in (*UNITS, *CURRENCIES, *HISTORIC):
        if written == known.casefold():
            return known
    spellings = {**_SPELLINGS, **{name: code for code, name in UNITS.items()}}
    close = get_close_matches(written, spellings, n=1, cutoff=0.8)
    return spellings[close[0]] if close else ""
