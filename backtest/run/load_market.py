"""Loading everything that a configuration reads, put on one calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data import (
    DEFAULT_CALENDAR,
    IntradaySet,
    NotEnoughDataError,
    Progress,
    TradingCalendar,
    file_fingerprint,
    load_bars,
    load_intraday,
    silent,
    trading_calendar,
)
from .findings import promoted, promoted_chains
from .locked import beside_truth, closed_lockbox, lockbox_notice, without_locked
from .market import Market
from .market_choice import market_of
from .regime_source import (
    read_named_series,
    read_regime,
    regime_in_period,
    series_in_period,
    written_path,
)
from .results import RunInput
from .soundness import of_other_instrument, off_daily_bars, sound_bars, sound_intraday

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ...data import BarSet, Book, Finding, Lake, MarketFacts
    from .config import Config
    from .regime_source import RegimeInput, RegimeSource
    from .results import Notice

__all__ = ["load_market"]


def load_market(
    config: Config,
    *,
    lake: Lake | None = None,
    books: tuple[Book, ...] | None = None,
    progress: Progress = silent,
    locked: bool = True,
    within: bool | None = None,
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
    locked : bool
        Whether sessions of a closed lockbox stay out; False is for opening it.
    within : bool, optional
        Whether something is traded at intraday bars, so that the period is that of these; left out:
        what the configuration's strategies do.

    Returns
    -------
    Market

    Raises
    ------
    InputFileError, LakeError, DefinitionError, UnknownNameError
        If an input cannot be read.
    NotEnoughDataError
        If fewer than three sessions have both a bar and a regime row.
    """
    within = config.decides_within if within is None else within
    inputs = _read_inputs(config, lake, books, progress)
    sound = _sound_inputs(config, inputs, within=within)
    simulated = beside_truth(config)
    kept_out: tuple[Notice, ...] = ()
    box = closed_lockbox(config, sound.last.date(), simulated=simulated) if locked else None
    if box is not None and sound.last.date() >= box.first:
        inside = int((inputs.bars.frame.index >= pd.Timestamp(box.first)).sum())
        kept_out = (lockbox_notice(box, inside),)
        config = without_locked(config, box)
        sound = _sound_inputs(config, inputs, within=within)
    market = _market(config, inputs, sound, simulated=simulated)
    return replace(market, notices=(*market.notices, *kept_out))


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """What decides a configuration's period, as its files hold it: each read once, whole."""

    facts: MarketFacts
    calendar: TradingCalendar
    bars: BarSet
    intraday: IntradaySet | None
    regime: RegimeInput


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    """The inputs up to a configuration's end, checked, and the first and last session tested."""

    bars: pd.DataFrame
    intraday: IntradaySet | None
    regime: RegimeSource
    findings: tuple[Finding, ...]
    bad_bars: tuple[date, ...]
    bad_intraday: tuple[date, ...]
    first: pd.Timestamp
    last: pd.Timestamp


def _read_inputs(
    config: Config, lake: Lake | None, books: tuple[Book, ...] | None, progress: Progress
) -> _Inputs:
    data, facts = config.data, market_of(config, lake)
    calendar = trading_calendar(facts.calendar)
    bars = load_bars(
        data.bars,
        data.bars_columns,
        where=data.bars_where,
        calendar=calendar.name,
        timezone=data.bars_timezone,
    )
    regime = read_regime(config, calendar.name, lake=lake, books=books, progress=progress)
    return _Inputs(facts, calendar, bars, _load_intraday(config, calendar.name), regime)


def _sound_inputs(config: Config, inputs: _Inputs, *, within: bool) -> _Sound:
    regime = regime_in_period(inputs.regime, config)
    bars, about_bars, bad_bars = sound_bars(inputs.bars.frame, config)
    intraday, about_intraday, bad_intraday = sound_intraday(inputs.intraday, config)
    traded = intraday if within else None
    first, last = _period(config, bars, regime.table, traded, len(bad_bars))
    bars = bars.loc[:last]
    if "spot" in regime.table:
        about_bars += of_other_instrument(bars.loc[first:], regime.table["spot"])
    found = (*about_bars, *about_intraday, *off_daily_bars(bars.loc[first:], intraday))
    return _Sound(bars, intraday, regime, found, bad_bars, bad_intraday, first, last)


def _market(config: Config, inputs: _Inputs, sound: _Sound, *, simulated: bool) -> Market:
    data, calendar = config.data, inputs.calendar
    regime, bars, first, last = sound.regime, sound.bars, sound.first, sound.last
    series, files, left_out, about_series = _named_series(config, calendar.name)
    about = (*sound.findings, *regime.findings, *about_series)
    tested_bars = inputs.bars.within(first, last, calendar)
    chains = promoted_chains(config, regime, tested_bars.frame, calendar.name)
    if config.regime.promote:
        tested = bars.loc[first:].index.intersection(regime.table.index)
        regime = promoted(config, regime, about, chains, tested)
    intraday = sound.intraday
    return Market(
        calendar=calendar,
        bars=bars,
        tested=np.asarray(bars.index >= first),
        regime=regime,
        series=series,
        bar_set=tested_bars,
        intraday=None if intraday is None else intraday.within(first, last, calendar),
        inputs=(*regime.inputs, _file(data.bars, config), *_intraday_file(config), *files),
        notices=(*regime.notices, *left_out),
        simulated=simulated,
        findings=about,
        chain_findings=chains,
        bad_bars=sound.bad_bars,
        bad_intraday=sound.bad_intraday,
        facts=inputs.facts,
        whole_bars=inputs.bars.frame,
        whole_intraday=inputs.intraday,
        plain_files=dict(_plain_files(config, calendar)),
    )


def _named_series(
    config: Config, calendar: str
) -> tuple[dict[str, pd.DataFrame], tuple[RunInput, ...], tuple[Notice, ...], tuple[Finding, ...]]:
    """Return the series beside the regime, their files, what was left out and what was found."""
    tables: dict[str, pd.DataFrame] = {}
    files: list[RunInput] = []
    left_out: list[Notice] = []
    findings: list[Finding] = []
    for name, series in config.series.items():
        read = read_named_series(series, config, calendar)
        tables[name], notices, found = series_in_period(read, config)
        files.append(read.file)
        left_out += notices
        findings += found
    return tables, tuple(files), tuple(left_out), tuple(findings)


def _period(
    config: Config,
    bars: pd.DataFrame,
    regime: pd.DataFrame,
    traded: IntradaySet | None,
    taken_out: int,
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last session with both a bar and a regime row, within the dates.

    Where a strategy trades on intraday bars, within these too: so all are of one period.
    """
    both = pd.DatetimeIndex(bars.index).intersection(pd.DatetimeIndex(regime.index))
    if traded is not None:
        there = traded.frame["session"]
        both = both[(both >= there.min()) & (both <= there.max())]
    if config.data.start:
        both = both[both >= pd.Timestamp(config.data.start)]
    if config.data.end:
        both = both[both <= pd.Timestamp(config.data.end)]
    if len(both) < 3:
        count = f"{len(both)} session has" if len(both) == 1 else f"{len(both)} sessions have"
        bad = (
            f"; {taken_out} bars are wrong or stand still and count as missing (data.trusted "
            "takes those that are right)"
        )
        raise NotEnoughDataError(
            f"only {count} both a bar and a regime row: bars cover {_span(bars)}, the regime "
            f"{_span(regime)}{_asked(config)}; at least 3 are needed{bad if taken_out else ''}"
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
