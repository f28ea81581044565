"""Everything that a configuration reads, loaded once and put on one calendar."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import (
    DEFAULT_CALENDAR,
    BarSet,
    IntradaySet,
    MarketFacts,
    NotEnoughDataError,
    Progress,
    TradingCalendar,
    file_fingerprint,
    load_bars,
    load_intraday,
    market_facts,
    silent,
    trading_calendar,
)
from .findings import promoted, promoted_chains
from .market_choice import market_of
from .regime_source import RegimeSource, load_named_series, load_regime, written_path
from .results import DataSummary, Notice, RunInput
from .soundness import of_other_instrument, sound_bars, sound_intraday

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from ...data import Book, Finding, Lake
    from .config import Config

__all__ = ["Market", "cut_market", "load_market", "summarise_data"]


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
        """Return the daily bars as read if they are those of a file, read as it is."""
        return self.whole_bars if self.plain_files.get("bars") == file.resolve() else None

    def intraday_of(self, file: Path) -> IntradaySet | None:
        """Return the intraday bars as read if they are those of a file, read as it is."""
        return self.whole_intraday if self.plain_files.get("intraday") == file.resolve() else None

    def table_of(self, name: str | None) -> pd.DataFrame:
        """Return the table that a filter reads: a named series, or the regime (None)."""
        return self.regime.table if name is None else self.series[name]


def load_market(
    config: Config,
    *,
    lake: Lake | None = None,
    books: tuple[Book, ...] | None = None,
    progress: Progress = silent,
) -> Market:
    """Load what a configuration names; regimes that the lake lacks are rebuilt first.

    Parameters
    ----------
    config : Config
    lake : Lake, optional
        The configured one where it is open already.
    books : tuple of {"as_of_close", "post_expiry"}, optional
        Books to bring up to date, the configured one among them; that one alone where left out.
    progress : Progress

    Raises
    ------
    InputFileError, LakeError, DefinitionError, UnknownNameError
        If an input cannot be read.
    NotEnoughDataError
        If fewer than three sessions have both a bar and a regime row.
    """
    data, facts = config.data, market_of(config, lake)
    calendar = trading_calendar(facts.calendar)
    bar_set = load_bars(
        data.bars,
        data.bars_columns,
        where=data.bars_where,
        calendar=calendar.name,
        timezone=data.bars_timezone,
    )
    regime = load_regime(config, calendar.name, lake=lake, books=books, progress=progress)
    sound, about_bars, bad_bars = sound_bars(bar_set.frame, config)
    first, last = _period(config, sound, regime.table)
    bars = sound.loc[:last]
    tables = {
        name: load_named_series(series, config, calendar.name)
        for name, series in config.series.items()
    }
    whole_intraday = _load_intraday(config, calendar.name)
    intraday, about_intraday, bad_intraday = sound_intraday(whole_intraday, config)
    if "spot" in regime.table:
        about_bars += of_other_instrument(bars.loc[first:], regime.table["spot"])
    about = (
        *about_bars,
        *about_intraday,
        *regime.findings,
        *(f for _, _, _, found in tables.values() for f in found),
    )
    tested_bars = bar_set.within(first, last, calendar)
    chains = promoted_chains(config, regime, tested_bars.frame, calendar.name)
    if config.regime.promote:
        regime = promoted(config, regime, about, chains)
    files = [regime.inputs, (_file(data.bars, config),), _intraday_file(config)]
    return Market(
        calendar=calendar,
        bars=bars,
        tested=np.asarray(bars.index >= first),
        regime=regime,
        series={name: table for name, (table, _, _, _) in tables.items()},
        bar_set=tested_bars,
        intraday=None if intraday is None else intraday.within(first, last, calendar),
        inputs=(*(f for group in files for f in group), *(f for _, f, _, _ in tables.values())),
        notices=(*regime.notices, *(n for _, _, left_out, _ in tables.values() for n in left_out)),
        simulated=data.simulated or _beside_truth(config),
        findings=about,
        chain_findings=chains,
        bad_bars=bad_bars,
        bad_intraday=bad_intraday,
        facts=facts,
        whole_bars=bar_set.frame,
        whole_intraday=whole_intraday,
        plain_files=dict(_plain_files(config, calendar)),
    )


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


def _period(
    config: Config, bars: pd.DataFrame, regime: pd.DataFrame
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last session with both a bar and a regime row, within the dates."""
    both = pd.DatetimeIndex(bars.index).intersection(pd.DatetimeIndex(regime.index))
    if config.data.start:
        both = both[both >= pd.Timestamp(config.data.start)]
    if config.data.end:
        both = both[both <= pd.Timestamp(config.data.end)]
    if len(both) < 3:
        raise NotEnoughDataError(
            f"only {len(both)} sessions have both a bar and a regime row: bars cover "
            f"{_span(bars)}, the regime {_span(regime)}{_asked(config)}; at least 3 are needed"
        )
    return both[0], both[-1]


def _span(frame: pd.DataFrame) -> str:
    days = pd.DatetimeIndex(frame.index)
    return f"{days[0].date()} to {days[-1].date()}" if len(days) else "nothing"


def _asked(config: Config) -> str:
    start, end = config.data.start, config.data.end
    return f", asked for {_day(start, 'the first')} to {_day(end, 'the last')}"


def _day(day: date | None, otherwise: str) -> str:
    return str(day) if day else otherwise


def _file(path: Path, config: Config) -> RunInput:
    return RunInput(written_path(path, config), file_fingerprint(path))


def _plain_files(config: Config, calendar: TradingCalendar) -> Iterator[tuple[str, Path]]:
    data = config.data
    if calendar.name != DEFAULT_CALENDAR:
        return
    if not (data.bars_columns or data.bars_where or data.bars_timezone):
        yield "bars", data.bars.resolve()
    asked = data.intraday_columns or data.intraday_where or data.intraday_timezone
    if data.intraday is not None and not asked and data.intraday_hours == "regular":
        yield "intraday", data.intraday.resolve()


def _intraday_file(config: Config) -> tuple[RunInput, ...]:
    return (_file(config.data.intraday, config),) if config.data.intraday else ()


def _load_intraday(config: Config, calendar: str) -> IntradaySet | None:
    data = config.data
    if data.intraday is None:
        return None
    return load_intraday(
        data.intraday,
        data.intraday_columns,
        where=data.intraday_where,
        calendar=calendar,
        timezone=data.intraday_timezone,
        hours=data.intraday_hours,
    )


def _beside_truth(config: Config) -> bool:
    """Return whether the bars or the lake lie beside the truth of a simulated market."""
    lake = config.data.lake
    folders = [config.data.bars.parent]
    if config.regime.source == "lake" and lake is not None:
        folders.append(Path(lake))
    return any((folder / "truth.json").is_file() for folder in folders)
