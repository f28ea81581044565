"""From a configuration to the dataset that hypotheses run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import assumed_volume
from ..run.load_market import load_market
from ..run.market import Market
from ..statistics.intraday import intraday_grid
from .protocol import Dataset

if TYPE_CHECKING:
    from ...data import TradingCalendar
    from ..run.config import Config
    from ..statistics.intraday import IntradayGrid
    from .protocol import Traded

__all__ = ["dataset_of", "known_before_next_open", "load_dataset", "rows_before_next_open"]

Floats = npt.NDArray[np.float64]

#: Dealer models whose net and gross tell calls from puts: factor of calls in the net.
_CALL_SIGN = {"naive": 1.0, "inverted": -1.0}


def load_dataset(config: Config, *, recheck: bool = True, traded: bool = False) -> Dataset:
    """Read everything that a configuration names into a dataset; see `dataset_of`.

    Parameters
    ----------
    config : Config
    recheck : bool
        Whether the regime is re-evaluated at intraday bars.
    traded : bool
        Whether the main strategy is run too, which `fade-follow` needs.

    Returns
    -------
    Dataset

    Raises
    ------
    ConfigError, InputFileError, LakeError, DefinitionError
        As `load_market`.
    """
    return dataset_of(config, load_market(config), recheck=recheck, traded=traded)


def dataset_of(
    config: Config, market: Market, *, recheck: bool = True, traded: bool = False
) -> Dataset:
    """Return the dataset of a configuration whose inputs are loaded.

    Bars are put on the exchange's calendar (a missing one is a row of NaN). Every daily value is
    put on the last session before whose next open it is known. Sessions that abstain have no GEX.
    What lies before the first session tested warms up ranks and lookbacks and counts in nothing.

    Parameters
    ----------
    config : Config
        Series named ``vix``, ``other_gex`` and ``letf`` have a meaning to hypotheses. Where no
        ``vix`` is named, the chains' own 30-day volatility stands for it.
    market : Market
    recheck : bool
        Whether to reprice the morning's book at every intraday bar (takes a rebuild's time).
    traded : bool
        Whether the main strategy is run too, which `fade-follow` needs.

    Returns
    -------
    Dataset
    """
    bars = _on_calendar(market.bars, market.calendar)
    first, last = market.sessions[0], market.sessions[-1]
    table = market.regime.table
    placed = known_before_next_open(table, "regime", market.calendar)
    values = known_before_next_open(table, "value", market.calendar)
    history = pd.to_numeric(values).where(placed != "abstain").astype(np.float64)
    history = history[history.index <= last]
    labels = placed.reindex(bars.index)
    gex = history.reindex(bars.index).where(bars.index >= first)
    named = {
        name: pd.to_numeric(known_before_next_open(s, "value", market.calendar))
        for name, s in market.series.items()
    }
    volatility, note = _implied(market, named.get("vix"), bars)
    grid = None if market.intraday is None else _grid(market)
    chains = config.regime.source == "lake"
    known_rows = _regime_rows(config, market) if chains else None
    rows = None if known_rows is None else known_rows.reindex(bars.index)
    earned, untraded = _traded(config, market) if traded else (None, "")
    frozen, dynamic, unchecked = None, None, ""
    if chains and recheck:
        frozen, dynamic, unchecked = _rechecked(config, market, grid)
    return Dataset(
        bars=bars,
        gex=gex,
        regime=labels,
        vix=volatility,
        vix_note=note,
        intraday=grid,
        stale_opens=config.data.instrument_kind == "index" and not market.simulated,
        table=rows,
        legs=None if rows is None else _legs(rows[rows.index >= first], config.regime.dealer_model),
        other_gex=named.get("other_gex"),
        letf=named.get("letf"),
        frozen=frozen,
        dynamic=dynamic,
        unchecked=unchecked,
        strike_step=float("nan") if known_rows is None else _strike_step(config, market, bars),
        simulated=market.simulated,
        facts=market.facts,
        first=first,
        history=history,
        traded_value=traded_value(config),
        traded=earned,
        untraded=untraded,
    )


def _traded(config: Config, market: Market) -> tuple[Traded | None, str]:
    """Return what the main strategy earned, or why it cannot be traded."""
    from ...data import LookAheadError
    from .main_strategy import traded_by_config

    try:
        return traded_by_config(config, market), ""
    except LookAheadError as error:
        return None, str(error)


def traded_value(config: Config) -> float:
    """Return the value traded a day that is assumed, NaN where nothing is known."""
    assumed = config.data.traded_value or assumed_volume(config.data.underlying)
    return float("nan") if assumed is None else assumed


#: Share of sessions that must have the chains' own volatility for it to be a control.
_ENOUGH: Final = 0.8
#: Days to the later expiration beyond which a month is read from a quarter's cycle.
_COARSE_DAYS: Final = 70.0
_WORDS: Final = {"swap_30d": "a variance swap's, by Cboe's method", "atm_30d": "at the money"}


def _implied(
    market: Market, named: pd.Series[Any] | None, bars: pd.DataFrame
) -> tuple[pd.Series[float] | None, str]:
    """Return the series named ``vix``, else the chains' own volatility, in percent, and its words.

    The variance swap's where most sessions have it, else that at the money; nothing where neither
    has.
    """
    table = market.regime.table
    if named is not None:
        return _in_percent(named, bars, market.facts.sessions_per_year)
    for column, words in _WORDS.items():
        if column in table and table[column].notna().mean() >= _ENOUGH:
            placed = known_before_next_open(table, column, market.calendar)
            later = table.loc[table[column].notna(), column.replace("30d", "next_days")]
            coarse = float((later.isna() | (later > _COARSE_DAYS)).mean())
            note = (
                "no volatility series was named: the chains' own 30-day volatility is used "
                f"({words}"
                + (
                    f"; on {coarse:.0%} of sessions from expirations months apart)"
                    if coarse
                    else ")"
                )
            )
            return 100.0 * placed.astype(np.float64), note
    return None, ""


def _in_percent(
    named: pd.Series[Any], bars: pd.DataFrame, year: int
) -> tuple[pd.Series[float], str]:
    """Return a volatility series in percent, and a note where it is written as decimals.

    The unit is the one in which its median lies nearer to the volatility of the bars, in logs.
    """
    level = named.where(named > 0.0).median()
    realised = float(np.sqrt(year) * np.log(bars["close"].astype(np.float64)).diff().std())
    if not (level > 0.0 and realised > 0.0) or level > 10.0 * realised:
        return named, ""
    return 100.0 * named, f"series.vix is read as decimals, a median of {100.0 * level:.3g} percent"


def known_before_next_open(
    table: pd.DataFrame, column: str, calendar: TradingCalendar
) -> pd.Series[Any]:
    """Return a column by the session at whose next open it is the last value known.

    A value dated t that is public by the open of t + 1 stays on t; one that is published later
    moves on to the session before the first open at which it is known. A value that becomes public
    after that of a later session says nothing new and is left out.
    """
    return rows_before_next_open(table[["known_at", column]], calendar)[column]


def rows_before_next_open(table: pd.DataFrame, calendar: TradingCalendar) -> pd.DataFrame:
    """Return the rows of a table on the sessions of `known_before_next_open`.

    Parameters
    ----------
    table : DataFrame
        By session, with ``known_at`` (UTC).
    calendar : TradingCalendar
    """
    dated = table.sort_index(kind="stable")
    stamps = pd.DatetimeIndex(dated["known_at"]).tz_convert("UTC").tz_localize(None)
    at = np.searchsorted(calendar.opens, stamps.as_unit("ns").to_numpy(), side="left") - 1
    at = np.clip(at, 0, len(calendar.sessions) - 1)
    # of the rows in the order of their sessions, those that a later one was not public before
    newest = np.minimum.accumulate(at[::-1])[::-1] >= at
    index = pd.DatetimeIndex(calendar.sessions[at].astype("datetime64[ns]"), name="session")
    moved = dated.set_axis(index, axis=0)[newest]
    return moved[~moved.index.duplicated(keep="last")]


def _on_calendar(bars: pd.DataFrame, calendar: TradingCalendar) -> pd.DataFrame:
    days = calendar.sessions.astype("datetime64[ns]")
    inside = (days >= bars.index[0].to_datetime64()) & (days <= bars.index[-1].to_datetime64())
    return bars.reindex(pd.DatetimeIndex(days[inside], name="session"))


def _grid(market: Market) -> IntradayGrid | None:
    assert market.intraday is not None
    minutes = market.intraday.minutes
    if not np.isfinite(minutes) or minutes < 1:
        return None
    return intraday_grid(market.intraday.frame, market.calendar, round(minutes))


def _regime_rows(config: Config, market: Market) -> pd.DataFrame:
    """Return the regime table of the configured book, pins with their signed gamma.

    Each row stands on the last session before whose next open it is known, as every daily value.
    """
    rows = market.regime.rows.table("regimes", config.regime.book)
    strikes = market.regime.rows.table("exposure_by_strike", config.regime.book)
    pin = strikes.rename(columns={"strike": "pin_strike", "net_gex": "pin_net"})
    merged = rows.merge(
        pin[["session", "pin_strike", "pin_net"]], on=["session", "pin_strike"], how="left"
    )
    merged["pin_gamma"] = merged["pin_net"] / merged["gross_gex"]
    merged = merged.set_index(pd.DatetimeIndex(merged["session"], name="session"))
    merged.loc[merged["regime"] == "abstain", ["flip", "pin_strike", "pin_gamma"]] = np.nan
    return rows_before_next_open(merged.drop(columns="session"), market.calendar)


def _legs(rows: pd.DataFrame, dealer_model: str) -> pd.DataFrame | None:
    """Return gamma of calls and of puts, where the dealer model tells them apart."""
    if dealer_model not in _CALL_SIGN:
        return None
    net = _CALL_SIGN[dealer_model] * rows["net_gex"].astype(np.float64)
    gross = rows["gross_gex"].astype(np.float64)
    kept = rows["regime"] != "abstain"
    both = pd.DataFrame({"call": (gross + net) / 2.0, "put": (gross - net) / 2.0})
    return both.where(kept)


def _strike_step(config: Config, market: Market, bars: pd.DataFrame) -> float:
    """Return the most frequent distance of strikes within 2 % of the last spot.

    Of the last chain that is public by the open after the last bar.
    """
    strikes = market.regime.rows.table("exposure_by_strike", config.regime.book)
    rows = market.regime.rows.table("regimes", config.regime.book)
    closes = bars["close"].dropna()
    last = np.datetime64(closes.index[-1], "D")
    opened = market.calendar.opens[np.searchsorted(market.calendar.sessions, last) + 1]
    known = rows["known_at"].dt.tz_convert("UTC").dt.tz_localize(None) <= opened
    strikes = strikes[strikes["session"].isin(rows.loc[known, "session"])]
    strikes = strikes[strikes["session"] <= closes.index[-1]]
    last = strikes[strikes["session"] == strikes["session"].max()]
    spot = float(closes.iloc[-1])
    near = np.sort(last.loc[(last["strike"] / spot - 1.0).abs() <= 0.02, "strike"].to_numpy())
    steps = np.diff(near)
    if not len(steps):
        return float("nan")
    values, counts = np.unique(steps, return_counts=True)
    return float(values[counts.argmax()])


def _rechecked(
    config: Config, market: Market, grid: IntradayGrid | None
) -> tuple[Floats | None, Floats | None, str]:
    """Return net/gross of the morning's book, frozen and repriced, on the intraday grid.

    Where there is none, the last value says why: no chain before these bars, bars of another
    instrument, a peer's rule that cannot be repriced, a curve that has changed since.
    """
    from ...data import DefinitionError, InputFileError, LakeError, intraday_regimes

    if grid is None or market.intraday is None:
        return None, None, ""
    rows = market.regime.rows
    try:
        found = intraday_regimes(rows.lake, rows.job or rows.spec, market.intraday.frame).frame
    except (DefinitionError, InputFileError, LakeError) as error:
        return None, None, str(error)
    return *_place(found, market.calendar, grid), ""


def _place(
    found: pd.DataFrame, calendar: TradingCalendar, grid: IntradayGrid
) -> tuple[Floats, Floats]:
    day = pd.DatetimeIndex(found["session"]).to_numpy().astype("datetime64[D]")
    opened = calendar.opens[np.searchsorted(calendar.sessions, day)]
    ends = pd.DatetimeIndex(found["close_ts"]).tz_convert("UTC").tz_localize(None)
    offset = (ends.as_unit("ns").to_numpy() - opened) / np.timedelta64(grid.minutes, "m")
    column = np.rint(offset).astype(np.int64)
    row = np.searchsorted(grid.sessions, day)
    inside = (column >= 0) & (column < grid.log_prices.shape[1])
    # a chain that is published during the session, or after it, is no book until then
    known = pd.DatetimeIndex(found["known_at"]).tz_convert("UTC").tz_localize(None)
    inside &= np.asarray(known.as_unit("ns").to_numpy() <= ends.as_unit("ns").to_numpy())
    out: list[Floats] = []
    for name in ("morning_net_to_gross", "net_to_gross"):
        cells = np.full(grid.log_prices.shape, np.nan)
        values = found[name].to_numpy(dtype=np.float64)
        cells[row[inside], column[inside]] = values[inside]
        out.append(cells)
    return out[0], out[1]
