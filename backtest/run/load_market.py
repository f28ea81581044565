"""Loading everything that a configuration reads, put on one calendar."""

from __future__ import annotations

from dataclasses import replace
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
from .regime_source import load_named_series, load_regime, written_path
from .results import RunInput
from .soundness import of_other_instrument, off_daily_bars, sound_bars, sound_intraday

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ...data import Book, Lake
    from .config import Config

__all__ = ["load_market"]


def load_market(
    config: Config,
    *,
    lake: Lake | None = None,
    books: tuple[Book, ...] | None = None,
    progress: Progress = silent,
    locked: bool = True,
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
    whole_intraday = _load_intraday(config, calendar.name)
    intraday, about_intraday, bad_intraday = sound_intraday(whole_intraday, config)
    traded = intraday if config.decides_within else None
    first, last = _period(config, sound, regime.table, traded, len(bad_bars))
    simulated = beside_truth(config)
    box = closed_lockbox(config, last.date(), simulated=simulated) if locked else None
    if box is not None and last.date() >= box.first:
        kept_out = int((bar_set.frame.index >= pd.Timestamp(box.first)).sum())
        cut = without_locked(config, box)
        found = load_market(cut, lake=lake, books=books, progress=progress)
        return replace(found, notices=(*found.notices, lockbox_notice(box, kept_out)))
    bars = sound.loc[:last]
    tables = {
        name: load_named_series(series, config, calendar.name)
        for name, series in config.series.items()
    }
    if "spot" in regime.table:
        about_bars += of_other_instrument(bars.loc[first:], regime.table["spot"])
    about = (
        *about_bars,
        *about_intraday,
        *off_daily_bars(bars.loc[first:], intraday),
        *regime.findings,
        *(f for _, _, _, found in tables.values() for f in found),
    )
    tested_bars = bar_set.within(first, last, calendar)
    chains = promoted_chains(config, regime, tested_bars.frame, calendar.name)
    if config.regime.promote:
        tested = bars.loc[first:].index.intersection(regime.table.index)
        regime = promoted(config, regime, about, chains, tested)
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
        simulated=simulated,
        findings=about,
        chain_findings=chains,
        bad_bars=bad_bars,
        bad_intraday=bad_intraday,
        facts=facts,
        whole_bars=bar_set.frame,
        whole_intraday=whole_intraday,
        plain_files=dict(_plain_files(config, calendar)),
    )


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
