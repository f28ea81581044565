"""Everything that a configuration reads, loaded once and put on one calendar."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import (
    BarSet,
    IntradaySet,
    MarketFacts,
    TradingCalendar,
    market_facts,
)
from .regime_source import RegimeSource
from .results import DataSummary, Notice, RunInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ...data import Finding
    from .config import Config

__all__ = ["Market", "cut_market", "summarise_data"]


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The inputs of a backtest.

    Attributes
    ----------
    calendar : TradingCalendar
    bars : DataFrame
        All daily bars up to the last session tested: those before the first one warm up rules.
    tested : ndarray of bool, shape (len(bars),)
        Bars of the period tested: from the first to the last session with a regime row, within
        the configured dates.
    regime : RegimeSource
    series : mapping of str to DataFrame
        Named series by session: ``value``, ``known_at``.
    bar_set : BarSet
        Of the period tested, with counts of what was left out of it.
    intraday : IntradaySet or None
        Of the period tested.
    inputs : tuple of InputFile
    notices : tuple of Notice
    simulated : bool
    findings : tuple of Finding
        What is wrong with bars and series, those before the period included.
    bad_bars, bad_intraday : tuple of date
        Sessions that lost their daily, or their intraday, bars for it.
    facts : MarketFacts
        Calendar, monthly expirations, currency, sessions a year.
    chain_findings : tuple of Finding or None
        What loading found in chains because the configuration promotes it; None: nobody looked.
    whole_bars : DataFrame
        All daily bars as read, whatever period is tested: what chains are checked against.
    whole_intraday : IntradaySet or None
        Likewise all intraday bars.
    plain_files : mapping of str to Path
        The files of ``bars`` and ``intraday`` where they were read as they are, without a map of
        columns, a selection of rows or another calendar.
    """

    calendar: TradingCalendar
    bars: pd.DataFrame
    tested: npt.NDArray[np.bool_]
    regime: RegimeSource
    series: Mapping[str, pd.DataFrame]
    bar_set: BarSet
    intraday: IntradaySet | None
    inputs: tuple[RunInput, ...]
    notices: tuple[Notice, ...]
    simulated: bool
    findings: tuple[Finding, ...] = ()
    chain_findings: tuple[Finding, ...] | None = None
    bad_bars: tuple[date, ...] = ()
    bad_intraday: tuple[date, ...] = ()
    facts: MarketFacts = field(default_factory=market_facts)
    whole_bars: pd.DataFrame = field(default_factory=pd.DataFrame)
    whole_intraday: IntradaySet | None = None
    plain_files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions tested: those with a bar, within the period."""
        return pd.DatetimeIndex(self.bars.index[self.tested])

    @property
    def closes(self) -> pd.Series[float]:
        """Close of every bar."""
        return self.bars["close"]

    def bars_of(self, file: Path) -> pd.DataFrame | None:
        """Return the daily bars as read if they are those of a file, read as it is.

        Parameters
        ----------
        file : Path

        Returns
        -------
        DataFrame or None
            None where they are those of another file.
        """
        return self.whole_bars if self.plain_files.get("bars") == file.resolve() else None

    def intraday_of(self, file: Path) -> IntradaySet | None:
        """Return the intraday bars as read if they are those of a file, read as it is.

        Parameters
        ----------
        file : Path

        Returns
        -------
        IntradaySet or None
            None where they are those of another file.
        """
        return self.whole_intraday if self.plain_files.get("intraday") == file.resolve() else None

    def table_of(self, name: str | None) -> pd.DataFrame:
        """Return the table that a filter reads: a named series, or the regime (None).

        Parameters
        ----------
        name : str, optional
            Of a series; None for the regime.

        Returns
        -------
        DataFrame
            ``value`` (or ``regime``) and ``known_at`` by session.
        """
        return self.regime.table if name is None else self.series[name]


def cut_market(market: Market, last: pd.Timestamp) -> Market:
    """Return the market as it was known to be after session `last`: nothing later exists.

    For the tests that nothing looks ahead: recomputed on it, every earlier label, position and
    fill must be the same.
    """
    from dataclasses import replace

    kept = np.asarray(market.bars.index <= last)
    table = market.regime.table
    return replace(
        market,
        bars=market.bars[kept],
        tested=market.tested[kept],
        regime=replace(market.regime, table=table[table.index <= last]),
        series={name: s[s.index <= last] for name, s in market.series.items()},
    )


def summarise_data(config: Config, market: Market) -> DataSummary:
    """Return which data were tested."""
    both = market.sessions.intersection(pd.DatetimeIndex(market.regime.table.index))
    intraday = 0 if market.intraday is None else int(market.intraday.frame["session"].nunique())
    return DataSummary(
        underlying=config.data.underlying,
        instrument=config.data.instrument_kind,
        calendar=market.facts.calendar,
        first_session=both[0].date(),
        last_session=both[-1].date(),
        sessions=len(both),
        simulated=market.simulated,
        bars=len(market.bar_set.frame),
        bars_missing=market.bar_set.missing,
        bars_not_sessions=market.bar_set.not_sessions,
        intraday_sessions=intraday,
        bars_bad=_bad_sessions(market, intraday=False),
        intraday_bad_sessions=_bad_sessions(market, intraday=True),
        currency=market.facts.currency,
        sessions_per_year=market.facts.sessions_per_year,
    )


def _bad_sessions(market: Market, *, intraday: bool) -> int:
    """Return how many sessions of the period lost their daily, or their intraday, bars."""
    first, last = market.sessions[0], market.sessions[-1]
    days = market.bad_intraday if intraday else market.bad_bars
    return sum(first <= pd.Timestamp(day) <= last for day in days)
