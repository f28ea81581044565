"""Sections of the configuration file: what they may say, and their defaults."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from ...data import (
    CATALOGUE,
    DEFAULT_NAME,
    EXCHANGE_SESSIONS,
    PEER_RULES,
    SQL_PREFIX,
    Book,
    ConfigError,
    UnknownNameError,
    dealer_model,
    is_remote,
    promotable,
)
from ...strategies import make_strategy
from ..statistics.resampling import NORMAL_LEVEL
from .config_identity import checked_definition
from .section_base import Section

if TYPE_CHECKING:
    from ...strategies import Strategy

__all__ = [
    "ADDED_LATER",
    "AddressNearConfig",
    "Basis",
    "DataConfig",
    "DealerName",
    "DefinitionSaid",
    "InferenceConfig",
    "Instrument",
    "NearConfig",
    "PlaceNearConfig",
    "RegimeConfig",
    "Scalar",
    "SeriesConfig",
    "Setting",
    "StrategyConfig",
    "Zone",
]


Instrument = Literal["index", "etf", "future", "share"]


#: Keys of [data] that count as a setting where they are said alone.
ADDED_LATER: Final = ("multiplier", "settlement", "oi_lag_sessions")


Scalar = str | int | float | bool


#: Instruments that need not be named.
_INSTRUMENTS: dict[str, Instrument] = {
    **dict.fromkeys(("SPX", "XSP", "NDX", "RUT", "DJX", "VIX", "NIFTY", "DAX"), "index"),
    **dict.fromkeys(("SPY", "QQQ", "IWM", "DIA", "VOO", "TLT", "GLD"), "etf"),
    **dict.fromkeys(("ES", "NQ", "RTY", "YM"), "future"),
}


def _near_config(value: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / value.expanduser()).absolute()


def _address_near_config(value: str, info: ValidationInfo) -> str:
    return value if "://" in value else str(_near_config(Path(value), info))


def _place_near_config(value: Path, info: ValidationInfo) -> Path:
    return value if is_remote(value) else _near_config(value, info)


def _publication(value: str) -> str:
    if not re.fullmatch(r"close|next_open|([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(
            f"{value!r} is no publication time: say close, next_open or HH:MM of the next session"
        )
    return value


def _definition(value: str | dict[str, Any], info: ValidationInfo) -> str | dict[str, Any]:
    return checked_definition(value, (info.context or {}).get("folder", Path()))


def _zone(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(value, available_timezones(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "e.g. 'America/New_York'"
        raise ValueError(f"expected a time zone's IANA name, found {value!r}: {hint}") from None
    return value


def _dealer(value: str) -> str:
    if value != "signed" and not value.startswith(SQL_PREFIX):
        dealer_model(value)
    return value


Zone = Annotated[str | None, AfterValidator(_zone)]
DealerName = Annotated[str, AfterValidator(_dealer)]
DefinitionSaid = Annotated[str | dict[str, Any], AfterValidator(_definition)]


NearConfig = Annotated[Path, AfterValidator(_near_config)]


PlaceNearConfig = Annotated[Path, AfterValidator(_place_near_config)]
AddressNearConfig = Annotated[str, AfterValidator(_address_near_config)]


Basis = Annotated[float, Field(ge=0.0, lt=10_000.0, allow_inf_nan=False)]


#: A component: its name, or a table of name and parameters.
Setting = str | dict[str, Any]


class SeriesConfig(Section):
    """A named series: a file with a date and a value, and when the value is public.

    Attributes
    ----------
    path : Path
        Parquet or CSV.
    columns : mapping of str to str
        ``session`` and ``value`` to the file's column names; default the same names.
    known : str
        When the value dated t is public: ``close`` of t, ``next_open``, or ``HH:MM`` (exchange's
        time) of the next session.
    calendar : str or None
        Exchange calendar that its dates are of; None: that of the other data.
    where : mapping of str to scalar
        Rows to keep: column of the file = value.
    scheduled : bool
        Whether its values are announced long before their session, as a calendar of meetings is:
        ``leakcheck`` then does not ask whether they go with what comes.
    """

    path: NearConfig
    columns: dict[str, str] = Field(default={})
    known: Annotated[str, AfterValidator(_publication)]
    calendar: str | None = None
    where: dict[str, Scalar] = Field(default={})
    scheduled: bool = False


class DataConfig(Section):
    """What is tested.

    Attributes
    ----------
    lake : str or None
        Folder of the lake, or an address of the form ``s3://...``.
    underlying : str
    instrument : {"index", "etf", "future", "share"} or None
        None: as the lake says, else known for common underlyings (see `instrument_kind`).
    calendar, monthly, currency : str or None
        An ``exchange_calendars`` name; rule of the monthly expirations; ISO code of prices. None:
        as the lake says, else as the calendar has it. A lake that says otherwise is an error.
    multiplier : float or None
        What a contract delivers. It may repeat what the lake says; a contradiction is an error.
    settlement : {"PM", "AM", "third_friday"} or None
        How the lake's contracts settle, ``third_friday``: some AM, some PM; likewise.
    oi_lag_sessions : int or None
        How many sessions before its own the open interest of a session was settled; likewise.
    bars : Path
        Daily bars, Parquet or CSV.
    bars_columns, bars_where : mapping
        Canonical name to the file's column; column to the value of the rows to keep.
    bars_timezone : str or None
        Zone of time stamps without one.
    intraday : Path or None
        Intraday bars; with columns, rows and zone of their own.
    intraday_columns, intraday_where : mapping
    intraday_timezone : str or None
    intraday_hours : {"regular", "all"}
        Whether bars outside the session's hours are left out.
    start, end : date or None
        First and last session.
    simulated : bool
        Whether the market is a simulated one.
    total_return : bool
        Whether the bars' prices include dividends already.
    trusted : tuple of date
        Sessions whose bars and values were looked at and are right, whatever the checks say.
    traded_value : float or None
        Value of the underlying traded a day, futures included, in the currency of its prices:
        what "how much hedging could explain" assumes. None: about that of S&P 500 futures for the
        S&P 500, unknown for all others.
    """

    lake: AddressNearConfig | None = None
    underlying: Annotated[str, Field(min_length=1)]
    instrument: Instrument | None = None
    calendar: str | None = None
    monthly: str | None = None
    currency: str | None = None
    multiplier: Annotated[float, Field(gt=0.0)] | None = None
    settlement: Literal["PM", "AM", "third_friday"] | None = None
    oi_lag_sessions: Annotated[int, Field(ge=0, le=5)] | None = None
    bars: NearConfig
    bars_columns: dict[str, str] = Field(default={})
    bars_where: dict[str, Scalar] = Field(default={})
    bars_timezone: Zone = None
    intraday: NearConfig | None = None
    intraday_columns: dict[str, str] = Field(default={})
    intraday_where: dict[str, Scalar] = Field(default={})
    intraday_timezone: Zone = None
    intraday_hours: Literal["regular", "all"] = "regular"
    start: date | None = None
    end: date | None = None
    simulated: bool = False
    total_return: bool = False
    trusted: tuple[date, ...] = ()
    traded_value: Annotated[float, Field(gt=0.0)] | None = None

    @property
    def instrument_kind(self) -> Instrument:
        """What is traded: as configured or as the lake says, else as the underlying is known.

        Raises
        ------
        ConfigError
            If nothing says so.
        """
        known = self.known_instrument
        if known is None:
            raise ConfigError(self.lacks_instrument)
        return known

    @property
    def known_instrument(self) -> Instrument | None:
        """What is traded; None where only the lake may say so."""
        return self.instrument or _INSTRUMENTS.get(self.underlying.upper())

    @property
    def lacks_instrument(self) -> str:
        """What to do where nothing says what is traded."""
        kinds = ", ".join(get_args(Instrument))
        lake = "" if self.lake is None else ", or [timing] instrument in the lake's column map"
        return (
            f"instrument of {self.underlying!r} is not known: set data.instrument to one of "
            f"{kinds}{lake}"
        )

    @model_validator(mode="after")
    def _consistent(self) -> DataConfig:
        if self.known_instrument is None and self.lake is None:
            raise ValueError(self.lacks_instrument)
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} lies after end {self.end}: exchange them")
        return self

    def covers(self, session: date) -> bool:
        """Return whether a session lies in the period."""
        start, end = self.start, self.end
        return (start is None or session >= start) and (end is None or session <= end)


class RegimeConfig(Section):
    """Where the regime comes from.

    Attributes
    ----------
    source : {"lake", "series"}
    dealer_model : str
    positions : Path or None
        File of the dealers' positions, for the dealer model ``signed``: `nightly` rebuilds from
        it, reports evaluate their last session with it.
    book : {"as_of_close", "post_expiry"}
    band : float or None
        Neutral band on net/gross, 0 to 1; None: that of the definition.
    definition : str or mapping
        What is computed: ``default``, the name of a peer's rule, the path of a TOML file, or a
        table of what differs from the default (see `gexlab.data.Definition`).
    promote : tuple of str
        Quality checks whose findings make a session abstain, beyond the gate's own.
    series : SeriesConfig or None
        Needed with ``source = "series"``.
    """

    source: Literal["lake", "series"] = "lake"
    dealer_model: DealerName = "naive"
    positions: NearConfig | None = None
    book: Book = "post_expiry"
    band: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    definition: DefinitionSaid = DEFAULT_NAME
    promote: tuple[str, ...] = ()
    series: SeriesConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> RegimeConfig:
        for name in self.promote:
            if name not in promotable():
                raise ValueError(str(UnknownNameError("finding to promote", name, promotable())))
            chain = CATALOGUE[name].about in ("chain", "rebuild")
            if chain and self.source == "series":
                raise ValueError(
                    f"promote = {name!r} is about chains, and a series has none: leave it out, or "
                    'use source = "lake"'
                )
        if self.source == "series" and self.series is None:
            raise ValueError(
                'source is "series" but there is no [regime.series]: add its path, columns, known'
            )
        if (
            isinstance(self.definition, str)
            and self.definition in PEER_RULES
            and (self.book != "as_of_close" or self.dealer_model != "naive" or self.positions)
        ):
            raise ValueError(
                f"the definition {self.definition!r} is a peer's rule, which has naive dealers and "
                'the book as_of_close: set book = "as_of_close", leave out dealer_model, positions'
            )
        return self


class StrategyConfig(Section):
    """One strategy: a filter, a rule for each label, and sizing.

    Attributes
    ----------
    name : str
        A built-in name alone is enough; other keys then change that strategy.
    filter, long, short, neutral, sizing : str, table or None
        A component's name, or a table of its name and parameters. None: as in the built-in
        strategy of that name, else ``sign, fade, follow, flat, fixed``.
    on, window, enter, exit : str, int, float or None
        Shorthand for parameters of the filter; `on` is a named series read instead of the regime.
    lookback, scale : int, {"sign", "scaled"} or None
        Shorthand for parameters of the rules.
    size : float or None
        Shorthand for the sizing's: the position of a full signal, 1 is 100 % of equity.
    """

    name: Annotated[str, Field(min_length=1)]
    filter: Setting | None = None
    long: Setting | None = None
    short: Setting | None = None
    neutral: Setting | None = None
    sizing: Setting | None = None
    on: str | None = None
    lookback: Annotated[int, Field(ge=1, le=EXCHANGE_SESSIONS)] | None = None
    scale: Literal["sign", "scaled"] | None = None
    window: Annotated[int, Field(ge=2)] | None = None
    enter: Annotated[float, Field(ge=0.5, le=1.0)] | None = None
    exit: Annotated[float, Field(ge=0.5, le=1.0)] | None = None
    size: Annotated[float, Field(gt=0.0, le=20.0)] | None = None

    _folder: Path = PrivateAttr(default_factory=Path)

    def build(self) -> Strategy:
        """Return the strategy: the built-in one of that name, or a new one, as changed."""
        settings = self.model_dump(exclude={"name"}, exclude_none=True)
        return make_strategy(self.name, self._folder, **settings)

    @model_validator(mode="after")
    def _known(self, info: ValidationInfo) -> StrategyConfig:
        self._folder = (info.context or {}).get("folder", Path())
        self.build()
        return self


class InferenceConfig(Section):
    """Intervals, and the resamples of tests that draw some.

    Attributes
    ----------
    seed, bootstrap : int
        Seed and number of resamples. Intervals draw nothing.
    block : int
        Mean block length of resamples, sessions.
    level : float
        Coverage of the intervals.
    """

    seed: Annotated[int, Field(ge=0)] = 7
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2_000
    block: Annotated[int, Field(ge=1)] = 10
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = NORMAL_LEVEL
