"""What a backtest returns about each strategy: plain frozen values.

Everywhere here an undefined number is NaN and a session is a ``datetime.date``; frames are
indexed by session (``datetime64``, name ``session``) unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...data import short_repr

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = [
    "Estimate",
    "ExecutionSummary",
    "InputSpec",
    "Metrics",
    "Ratio",
    "RegimePerformance",
    "Role",
    "StrategyResult",
    "StrategySpec",
    "no_rows",
]

Role = Literal["main", "control", "custom"]


def no_rows() -> pd.DataFrame:
    """Return a table without rows or columns."""
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value, low, high : float
        The estimate and the ends of its interval; NaN where undefined.
    n : int
        Observations that it rests on.
    reason : str
        Why there is no interval, where the sample is too small for one that covers.
    """

    value: float
    low: float
    high: float
    n: int
    reason: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Ratio(Estimate):
    """A ratio of two groups of sessions, and how many each has.

    Attributes
    ----------
    n_short, n_long : int
        Sessions of each regime that this estimator can use at this horizon; they add up to `n`.
    """

    n_short: int = 0
    n_long: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """How targets became orders.

    Attributes
    ----------
    fill : str
        ``next_open``, ``next_close``, ``same_close``, or ``HH:MM``: an intraday bar.
    fees_bps, slippage_bps : float
        Per side, basis points of the notional.
    fixed_per_share : float
        Per side, currency per share or contract.
    half_spread : float or str
        Points, or the series that gives it.
    cash_rate, financing_rate, borrow_rate : float or str
        Yearly, decimal, or the series.
    dividends : str or None
        The series.
    lot : str, float or None
    stop_loss, take_profit : float or None
    max_holding : int or None
    max_leverage : float
    cash : float
        Initial capital.
    engine : str
        Library and kernel that simulated the orders, e.g. ``vectorbt 1.2.0 (rust)``.
    """

    fill: str
    fees_bps: float
    slippage_bps: float
    fixed_per_share: float
    cash: float
    engine: str
    half_spread: float | str = 0.0
    cash_rate: float | str = 0.0
    financing_rate: float | str = 0.0
    borrow_rate: float | str = 0.0
    dividends: str | None = None
    lot: str | float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    max_holding: int | None = None
    max_leverage: float = 1.0


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """A strategy as it was run, with every default filled in.

    Attributes
    ----------
    name, filter, long, short, neutral : str
        Name, filter, and the rule of each label. Abstaining sessions are always flat.
    parameters : mapping
        Parameters of filter, rules and sizing by name.
    description : str
        The same in one sentence.
    inputs : tuple of InputSpec
        What filter, rules and sizing read; the values are in ``inputs.parquet``.
    within : bool
        Whether it decides within the session, at intraday bars, and is flat at every close.
    """

    name: str
    filter: str
    long: str
    short: str
    neutral: str
    parameters: Mapping[str, float | int | str]
    description: str
    inputs: tuple[InputSpec, ...] = ()
    within: bool = False


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a component of a strategy reads.

    Attributes
    ----------
    part : {"filter", "long", "short", "neutral", "sizing"}
    component : str
        In words.
    column : str
    window : int or None
        Values, the latest included; None for everything so far.
    skip_missing : bool
        Whether missing values are passed over.
    """

    part: str
    component: str
    column: str
    window: int | None
    skip_missing: bool


@dataclass(frozen=True, slots=True)
class Metrics:
    """Performance of one strategy, net of costs; each metric is defined in ``metrics.py``.

    Attributes
    ----------
    sharpe, sharpe_low, sharpe_high, sharpe_error : float
        Annualised with the calendar's sessions a year, interval and standard error;
        NaN where undefined.
    cagr, cagr_low, cagr_high : float
        Compound annual growth, decimal.
    volatility : float
        Annualised standard deviation of returns, decimal. No interval of it covers.
    max_drawdown : float
        Largest loss from a peak, decimal, 0 or negative.
    turnover : float
        Traded notional per year as a multiple of equity.
    trades : int
        Round trips, open ones included.
    exposure : float
        Mean absolute position, 1 is fully invested.
    break_even_bps : float
        Per-side cost in basis points at which the gross profit would be gone, of the portfolio
        without costs; NaN where nothing was traded, there is no gross profit or its equity is
        gone.
    hit_rate : float
        Share of sessions with a position whose return is positive; rounding is no return.
    total_return : float
        Decimal.
    n : int
        Returns of one session: those over missing bars are left out of Sharpe ratio, volatility
        and hit rate, and count in growth and total return.
    """

    sharpe: float
    sharpe_low: float
    sharpe_high: float
    sharpe_error: float
    cagr: float
    cagr_low: float
    cagr_high: float
    volatility: float
    max_drawdown: float
    turnover: float
    trades: int
    exposure: float
    break_even_bps: float
    hit_rate: float
    total_return: float
    n: int


@dataclass(frozen=True, slots=True)
class RegimePerformance:
    """What a strategy did under one regime, whatever its own filter calls it.

    Attributes
    ----------
    sessions : int
        Sessions whose position was decided after a session of this regime; over all regimes they
        add up to the ``n`` of the metrics.
    exposure : float
        Mean absolute position over them.
    mean_bps : float
        Mean return per session, basis points, net.
    sharpe : float
        Annualised; NaN where undefined.
    total_return : float
        Compound return of these sessions, decimal, net; over all regimes they compound to the
        total return.
    """

    sessions: int
    exposure: float
    mean_bps: float
    sharpe: float
    total_return: float


@dataclass(frozen=True, slots=True, eq=False)
class StrategyResult:
    """One strategy: what it did and what came of it.

    Attributes
    ----------
    spec : StrategySpec
    role : {"main", "control", "custom"}
        ``main``: the one that the verdict is about; ``control``: what it is held against.
    metrics : Metrics
    by_regime : mapping of str to RegimePerformance
        By the regime of the session after which the position was decided.
    equity : Series of float
        Equity at each session's close, currency, net of costs.
    returns : Series of float
        Simple return of the equity per session, decimal.
    positions : Series of float
        Share of equity held after each session's fill; 1 is long 100 %.
    orders : DataFrame
        One row per fill: ``session`` (of the fill), ``decided`` (session of the decision),
        ``decision_ts`` and ``fill_ts`` (UTC), ``regime`` (of the session of the decision),
        ``label`` (of the strategy's filter on it), ``target``, ``size`` (signed shares),
        ``price``, ``fees``. Plain index.
    trades : DataFrame
        One row per round trip: ``opened``, ``closed`` (sessions; the last bar where still open),
        ``direction``, ``size``, ``entry_price``, ``exit_price``, ``fees``, ``pnl``, ``return``
        (decimal), ``regime`` (of the session of the decision to open), ``status``. Plain index.
    ledger : DataFrame
        One row per fill with all that it takes to compute it again: see ``docs/backtest.md``.
    """

    spec: StrategySpec
    role: Role
    metrics: Metrics
    by_regime: Mapping[str, RegimePerformance]
    equity: pd.Series[float]
    returns: pd.Series[float]
    positions: pd.Series[float]
    orders: pd.DataFrame
    trades: pd.DataFrame
    ledger: pd.DataFrame = field(default_factory=no_rows)
    __repr__ = short_repr
