"""Option roots: which underlying they belong to, how they settle, what a contract delivers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal

__all__ = [
    "AM_INDICES",
    "Root",
    "index_name",
    "root_facts",
    "same_underlying",
    "symbol_parts",
    "underlying_named",
]


@dataclass(frozen=True, slots=True)
class Root:
    """What is known of a root.

    Attributes
    ----------
    underlying : str
        Whose options they are.
    settlement : {"AM", "PM"} or None
        None where monthly and other expirations of the root differ, or nothing is known.
    multiplier : float or None
        Units of the underlying's price that a contract delivers; None is unknown.
    known : bool
        Whether the root is in the table, or is the underlying itself.
    """

    underlying: str
    settlement: Literal["AM", "PM"] | None
    multiplier: float | None
    known: bool = True


#: Indices whose monthly contracts settle at the open.
AM_INDICES: Final = frozenset(
    [
        "SPX",
        "NDX",
        "RUT",
        "DJX",
        "VIX",
        "MNX",
        "RLG",
        "RLV",
        "RUI",
        "RVX",
        "VXN",
        "VXD",
        "NQX",
        "RMN",
        "SML",
        "MID",
        "SGX",
        "SVX",
        "OIX",
        "BKX",
        "SOX",
        "XAU",
        "HGX",
        "OSX",
        "UTY",
        "XDA",
        "GSO",
        "VXEEM",
        "OVX",
        "GVZ",
        "VXEFA",
    ]
)
_AM: Final = {
    "SPX": "SPX SPB SPL SPQ SPT SPV SPZ SXB SXM SXY SXZ SYF SYG SYU SYV SYZ SZD SZJ SZP SZQ SZT "
    "SZU SZV SZW SAQ SAU SKQ SKR JXA JXB JXD JXE SLQ LSW LSX LSY LSZ",
    "NDX": "NDX NDU NDV NDW NDY NDZ NDT NDQ NDB NDF NQX",
    "RUT": "RUT RUZ RUV RUW RYT",
    "DJX": "DJX DJV DJW DJL DJZ YDJ",
    "VIX": "VIX VIXW",
}
_PM: Final = {
    "SPX": "SPXW SPXPM SPXQ SPXM JXQ",
    "NDX": "NDXP",
    "RUT": "RUTW",
    "DJX": "DJXW",
    "XSP": "XSP XSPW XSPAM",
    "OEX": "OEX OEXW",
    "XEO": "XEO XEOW",
    "MRUT": "MRUT MRUTW",
    "NANOS": "NANOS",
}
_TABLE: Final[dict[str, Root]] = {
    **{r: Root(index, "AM", 100.0) for index, roots in _AM.items() for r in roots.split()},
    **{r: Root(index, "PM", 100.0) for index, roots in _PM.items() for r in roots.split()},
    "NANOS": Root("NANOS", "PM", 1.0),
    "XSPAM": Root("XSP", "AM", 100.0),
}
#: Mini options of ten shares, March 2013 to December 2014.
_MINIS: Final = frozenset(("AAPL7", "AMZN7", "GOOG7", "GLD7", "SPY7"))
_PREFIX: Final = re.compile(r"^(?:[A-Z]{1,3}:|[\^$.])+")
_SUFFIX: Final = re.compile(r"(?: INDEX| US EQUITY| EQUITY|\.XO?|\.US)$")
_SYMBOL: Final = re.compile(
    r"^(?P<mark>(?:[A-Z]{1,4}:|[.^$])?)(?P<root>[A-Z0-9.^$/]{1,6}?)(?P<gap>[ _]*)"
    r"(?P<day>(?:20)?\d{6})(?P<right>[CP])(?P<strike>\d+(?:\.\d+)?)$"
)
#: BTC-30JUN23-26000-C, and 0d15 for 0.15.
_DASHED: Final = re.compile(
    r"^(?P<root>[A-Z0-9_]+)-(?P<day>\d{1,2}[A-Z]{3}\d{2}|\d{6}|\d{8})-(?P<strike>\d+(?:[.D]\d+)?)"
    r"-(?P<right>[CP])$"
)
#: BTC_USDC, ETH-USD
_PAIR: Final = re.compile(r"^[A-Z0-9]{2,}[_-](?:USD|USDC|USDT|EUR)$")
#: SPX US 01/19/24 C4750 Index
_SPACED: Final = re.compile(
    r"^(?P<root>[A-Z0-9./]{1,6})(?: [A-Z]{2})? (?P<day>\d{1,2}/\d{1,2}/\d{2}) "
    r"(?P<right>[CP])(?P<strike>\d+(?:\.\d+)?)(?: (?:INDEX|EQUITY))?$"
)


@lru_cache(maxsize=262_144)
def symbol_parts(text: str) -> tuple[str, date, str, float] | None:
    """Return root, expiration, right and strike of a whole option symbol, None for other text.

    Examples
    --------
    >>> symbol_parts("O:SPXW240119C04750000")
    ('SPXW', datetime.date(2024, 1, 19), 'C', 4750.0)
    >>> symbol_parts(".SPXW240119C4750") == symbol_parts("SPXW_011924C4750")
    True
    """
    said = text.strip().upper()
    found = _SYMBOL.match(said)
    if found is not None:
        digits, gap = found["strike"], found["gap"]
        # with an underscore the date is written month first (TDA, Schwab's older symbols)
        day = _day(found["day"], "%m%d%y" if "_" in gap else "%y%m%d")
        plain = found["mark"] == "." or "_" in gap or "." in digits
        packed = not plain and (len(digits) == 8 or " " in gap)
        strike = float(digits) / (1000 if packed else 1)
        return None if day is None else (found["root"], day, found["right"], strike)
    dashed = _DASHED.match(said)
    if dashed is not None:
        letters = any(c.isalpha() for c in dashed["day"])
        day = _day(dashed["day"], "%d%b%y" if letters else "%y%m%d")
        strike = float(dashed["strike"].replace("D", "."))
        return None if day is None else (dashed["root"], day, dashed["right"], strike)
    spaced = _SPACED.match(said)
    if spaced is not None:
        day = _day(spaced["day"], "%m/%d/%y")
        return None if day is None else (
            spaced["root"], day, spaced["right"], float(spaced["strike"])
        )  # fmt: skip
    return None


def _day(text: str, pattern: str) -> date | None:
    wide = len(text) == 8 and text.isdigit()
    try:
        return datetime.strptime(text, "%Y%m%d" if wide else pattern).date()  # noqa: DTZ007
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def index_name(text: str) -> str:
    """Return a name of an underlying without what vendors put around it.

    Examples
    --------
    >>> index_name("^SPX"), index_name("I:SPX"), index_name("SPX Index"), index_name("BRK/B")
    ('SPX', 'SPX', 'SPX', 'BRK.B')
    """
    name = _SUFFIX.sub("", _PREFIX.sub("", text.strip().upper()))
    name = {"GSPC": "SPX", "INX": "SPX", "RUT.X": "RUT", "DJI": "DJX"}.get(name, name)
    return re.sub(r"[/ ]", ".", name)


def same_underlying(text: str, underlying: str) -> bool:
    """Return whether a file's name for an underlying means the one that is asked for."""
    asked = underlying.upper()
    said = text.strip().upper()
    if said == asked:
        return True
    parts = symbol_parts(said)
    name = index_name(said if parts is None else parts[0])
    plain = index_name(asked)
    return name == plain or (name in _TABLE and _TABLE[name].underlying == plain)


def underlying_named(text: str) -> str:
    """Return the underlying that a file's cell names: as written, but of roots whose they are.

    Examples
    --------
    >>> underlying_named("Abt"), underlying_named("BRK/B"), underlying_named("SPXW")
    ('Abt', 'BRK/B', 'SPX')
    >>> underlying_named("AAPL240119C00185000")
    'AAPL'
    """
    parts = symbol_parts(text)
    name = text.strip() if parts is None else parts[0]
    return _TABLE[name].underlying if name in _TABLE else name


def _of_a_coin(root: str) -> bool:
    """Return whether a root, or a whole symbol, is spelled as exchanges of coins spell theirs.

    Their contracts deliver 1 coin, 0.1 or 0.01: no rule says which. (BTC and ETH are also funds
    with options of 100 shares, whose symbols are written as OCC's.)
    """
    said = root.strip().upper()
    return _DASHED.match(said) is not None or _PAIR.search(said) is not None


@lru_cache(maxsize=65_536)
def root_facts(root: str, underlying: str) -> Root:
    """Return what a root of an underlying is.

    Parameters
    ----------
    root : str
        The root, or a whole option symbol.
    underlying : str
        Whose chain it stands in.
    """
    plain = index_name(underlying)
    parts = symbol_parts(root)
    name = index_name(root if parts is None else parts[0])
    if name in _TABLE:
        return _TABLE[name]
    if name == plain or name == plain.replace(".", ""):
        return Root(plain, None, None if _of_a_coin(root) else 100.0)
    if name in _MINIS and name[:-1] == plain:
        return Root(plain, "PM", 10.0)
    return Root(plain, None, None, known=False)
