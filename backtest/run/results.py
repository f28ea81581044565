"""What a backtest returns: plain frozen values, without the code that computes them.

The terminal, the HTML report and ``results.json`` are all drawn from `BacktestResult`. Everywhere
here an undefined number is NaN and a session is a ``datetime.date``; frames are indexed by
session (``datetime64``, name ``session``) unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...data import EXCHANGE_SESSIONS, short_repr
from ..statistics.resampling import NORMAL_LEVEL
from .strategy_results import (
    Estimate,
    ExecutionSummary,
    Metrics,
    Ratio,
    RegimePerformance,
    StrategyResult,
    StrategySpec,
    no_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    import pandas as pd

    from ...data import Finding

__all__ = [
    "BacktestResult",
    "DataSummary",
    "Estimate",
    "ExecutionSummary",
    "Fragile",
    "Metrics",
    "Notice",
    "Provenance",
    "Ratio",
    "RegimePerformance",
    "RegimeSummary",
    "RunInput",
    "StrategyResult",
    "StrategySpec",
    "VolatilityCell",
    "VolatilitySummary",
]

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader of the result must know.

    Attributes
    ----------
    code : str
        Short stable name, e.g. ``stale_index_open``.
    severity : {"info", "warning", "error"}
    detail : str
        One sentence: what was found and what to do about it.
    count : int
        How many rows or sessions it concerns.
    left_out : bool
        Whether what it concerns is in no answer: a session without a regime, a bar or value that
        counts as missing.
    """

    code: str
    severity: Severity
    detail: str
    count: int = 1
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class DataSummary:
    """Which data were tested.

    Attributes
    ----------
    underlying, instrument, calendar, currency : str
        Name, kind, exchange calendar, and ISO code of the prices (empty: unknown).
    sessions_per_year : int
        What annual figures are annualised with.
    first_session, last_session : date
        Of the sessions with a bar and a regime row.
    sessions : int
        Sessions with a bar and a regime row.
    simulated : bool
        Whether the market is a simulated one; reports must say so in their title.
    bars : int
        Daily bars of the period tested.
    bars_missing : int
        Sessions of the calendar, between the first and the last bar, that have no bar.
    bars_not_sessions : int
        Bars dated on a day that is no session; they were left out.
    intraday_sessions : int
        Sessions with intraday bars; 0 where none were given.
    bars_bad : int
        Sessions of the period whose daily bar contradicts itself or its neighbours: they count as
        missing.
    intraday_bad_sessions : int
        Sessions of the period whose intraday bars were left out for a bad one among them.
    """

    underlying: str
    instrument: str
    calendar: str
    first_session: date
    last_session: date
    sessions: int
    simulated: bool
    bars: int
    bars_missing: int
    bars_not_sessions: int
    intraday_sessions: int
    currency: str = ""
    sessions_per_year: int = EXCHANGE_SESSIONS
    bars_bad: int = 0
    intraday_bad_sessions: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class RegimeSummary:
    """The regime that the strategies were given.

    Attributes
    ----------
    source : {"lake", "series"}
    name : str
        In words: the dealer model and book, or the series' file and column.
    known : str
        When a row may be used: ``known_at`` of the regime table, or the series' own rule.
    dealer_model, book, definition_id : str or None
        None where the regime is a series from outside.
    band : float or None
        Neutral band on net/gross; None where it does not apply.
    counts : mapping of str to int
        Sessions by regime: long, short, neutral, abstain.
    negative_share_by_year : mapping of int to float
        Share of a year's sessions whose value is below 0, of those that have a value.
    table : DataFrame
        One row per session: ``value`` ($ per 1 % from a lake, the series' own unit otherwise),
        ``regime``, ``known_at`` (UTC), ``close`` (of that session's bar); from a lake also
        ``spot, net_to_gross, flip, flip_status, call_wall, put_wall, definition_agreement``.
    promoted : mapping of str to tuple of str
        Sessions, YYYY-MM-DD, that abstain because of promoted findings, with the checks.
    """

    source: Literal["lake", "series"]
    name: str
    known: str
    dealer_model: str | None
    book: str | None
    definition_id: str | None
    band: float | None
    counts: Mapping[str, int]
    negative_share_by_year: Mapping[int, float]
    table: pd.DataFrame
    promoted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    __repr__ = short_repr


@dataclass(frozen=True, slots=True)
class VolatilityCell:
    """Realised volatility under one label or in one quantile; annualised, decimal.

    Attributes
    ----------
    today, next_1, next_5, next_21 : float
        Of the session itself, of the next one, of the next five, of the next 21.
    n : int
        Sessions with a value of this estimator of their own (`today`).
    n_next_1, n_next_5, n_next_21 : int
        Sessions that the other horizons rest on: those whose whole horizon has values.
    """

    today: float
    next_1: float
    next_5: float
    n: int
    next_21: float = float("nan")
    n_next_1: int = 0
    n_next_5: int = 0
    n_next_21: int = 0


@dataclass(frozen=True, slots=True)
class VolatilitySummary:
    """Realised volatility by regime and by quantile of the regime's value.

    Attributes
    ----------
    by_regime : mapping of estimator to mapping of regime to VolatilityCell
    by_quantile : mapping of estimator to tuple of VolatilityCell
        Quartiles of the regime's value, lowest first, in-sample.
    ratio : mapping of estimator to mapping of horizon to Ratio
        Volatility in short over that in long gamma; horizons ``today, next_1, next_5,
        next_21``.
    range_efficiency : mapping of regime to Estimate
        Mean of abs(close - open) / (high - low), in logs.
    """

    by_regime: Mapping[str, Mapping[str, VolatilityCell]]
    by_quantile: Mapping[str, tuple[VolatilityCell, ...]]
    ratio: Mapping[str, Mapping[str, Ratio]]
    range_efficiency: Mapping[str, Estimate]
    __repr__ = short_repr


@dataclass(frozen=True, slots=True)
class Fragile:
    """An answer that fewer than five observations decide.

    Attributes
    ----------
    question : {"direction", "volatility"}
        The verdict it belongs to.
    sessions : tuple of date
        Observations without which the answer is another, the most influential first.
    answer, without : str
        In words, with all observations and without those: ``yes``, ``no``, ``undecided``.
    """

    question: Literal["direction", "volatility"]
    sessions: tuple[date, ...]
    answer: str
    without: str


@dataclass(frozen=True, slots=True)
class RunInput:
    """A file that was read.

    Attributes
    ----------
    path : str
        Relative to the configuration, the same on every machine; of a file far away its name.
    sha256 : str
        Of its bytes; for a lake, of the manifest that names its files.
    """

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to repeat the run.

    Attributes
    ----------
    gexlab : str
        Version.
    versions : mapping of str to str
        Of Python and of the libraries that produced numbers.
    config_sha256 : str
        Of the configuration as it acts, changes made in Python included.
    inputs : tuple of InputFile
    definition_id : str or None
        Of the regime; None where it is a series from outside.
    trials : int
        Strategies evaluated by this run.
    seed, bootstrap : int
        Of the intervals: seed and number of resamples.
    block : int
        Mean block length of the stationary bootstrap, sessions.
    level : float
        Coverage of the intervals.
    created_at : datetime or None
        UTC; with `seconds` the only values that differ between two identical runs. None where
        another file says it.
    seconds : float
        Wall-clock time of the run; NaN likewise.
    content_id : str
        Of everything that the results depend on: configuration, inputs, versions.
    trial_numbers : mapping of str to int
        By strategy: as which different trial on these data (market and span) the ledger has it;
        empty where there is no ledger.
    lake_version : int or None
        The version of the lake that wrote the chains: ``--as-of`` reads it again. None where the
        regime is a series.
    """

    gexlab: str
    versions: Mapping[str, str]
    config_sha256: str
    inputs: tuple[RunInput, ...]
    definition_id: str | None
    trials: int
    seed: int
    bootstrap: int
    block: int
    created_at: datetime | None
    seconds: float
    content_id: str = ""
    level: float = NORMAL_LEVEL
    trial_numbers: Mapping[str, int] = field(default_factory=dict)
    lake_version: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """Everything that a backtest found.

    Attributes
    ----------
    data, regime, execution, volatility, provenance
        See their classes.
    strategies : mapping of str to StrategyResult
        In the order in which they were configured; the main one first.
    next_return_sd_by_quantile : tuple of float
        Daily, in percent: standard deviation of the log return from t to t + 1 by quartile of
        the regime's value at t, lowest first. In-sample: a description, never an input.
    vix_return_sd_by_quantile : tuple of float or None
        The same by quartile of the series named ``vix``, where there is one.
    autocorrelation : mapping of regime to Estimate
        First-order, of the return from t to t + 1 on the one from t - 1 to t, by the label at t.
    notices : tuple of Notice
        Warnings and remarks, most severe first.
    input_findings : tuple of Finding
        Everything that was found in bars and series of the period, one by one; the notices count
        them by kind.
    fragile : tuple of Fragile
        Answers that hang on fewer than five observations.
    inputs : DataFrame
        What the strategies may have read: ``clock, row, column, value, known_at``.
    bars : DataFrame
        Daily bars used: ``open, high, low, close``.
    findings : tuple of Finding or None
        What the checks of the chains found in the period; None where they were not made, as for
        a series.
    out : Path or None
        Folder that the files were written to.
    """

    data: DataSummary
    regime: RegimeSummary
    execution: ExecutionSummary
    strategies: Mapping[str, StrategyResult]
    volatility: VolatilitySummary
    next_return_sd_by_quantile: tuple[float, ...]
    vix_return_sd_by_quantile: tuple[float, ...] | None
    autocorrelation: Mapping[str, Estimate]
    notices: tuple[Notice, ...]
    provenance: Provenance
    bars: pd.DataFrame = field(repr=False)
    findings: tuple[Finding, ...] | None = field(default=None, repr=False)
    out: Path | None = None
    input_findings: tuple[Finding, ...] = ()
    fragile: tuple[Fragile, ...] = ()
    inputs: pd.DataFrame = field(default_factory=no_rows, repr=False)
    __repr__ = short_repr

    @property
    def main(self) -> StrategyResult:
        """The strategy that the verdict is about: the first configured."""
        return next(iter(self.strategies.values()))
