"""What a hypothesis is, what it is run on and what it returns.

A hypothesis is a `Card` (what is claimed, by whom, what would refute it) and a function from
`Dataset` and `Settings` to an `Outcome`. Built-in and users' own ones are the same kind of
object; users' are found through the entry point group ``gexlab.hypotheses``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ...data import MarketFacts, Progress, market_facts, silent
from ..statistics.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from ..statistics.critical_values import CriticalValues
    from ..statistics.intraday import IntradayGrid
    from .evidence import Evidence
    from .kill_conditions import Requirement

__all__ = [
    "Card",
    "Dataset",
    "Hypothesis",
    "HypothesisLike",
    "MissingDataError",
    "Outcome",
    "Published",
    "ResultTable",
    "Settings",
    "Traded",
]

Floats = npt.NDArray[np.float64]
HowRead = Literal["full text", "abstract", "own computation", "authors' readme", "not published"]
Sign = Literal["+", "-", "0"]


class MissingDataError(Exception):
    """Raised by a hypothesis on a dataset that lacks something; the message names what."""


@dataclass(frozen=True, slots=True)
class Published:
    """A number from the literature, shown beside ours.

    Attributes
    ----------
    value : float
        In the unit of the hypothesis' own estimate where `comparable`, else as printed there.
    label : str
        What the number is, with its unit.
    source : str
    how_read : str
        ``full text``, ``abstract``, ``own computation`` or ``authors' readme``. Numbers known
        only at second hand are never given.
    t_stat : float
        NaN where none was printed.
    comparable : bool
        Whether unit and definition are those of our estimate.
    """

    value: float
    label: str
    source: str
    how_read: HowRead
    t_stat: float = float("nan")
    comparable: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What a hypothesis claims and what would refute it.

    Attributes
    ----------
    name : str
    claim : str
        One sentence in plain words.
    source : str
        Who says so.
    how_read : str
        How well that source was read.
    specification : str
        The regression or statistic, in one line.
    tier : str
        Data it needs: D daily bars and a GEX series; C chains; M intraday bars of at most 30
        minutes; S signed open-close data.
    expected_sign : {"+", "-", "0"}
        Of the estimate, under the claim.
    kill : str
        When the verdict must be "not supported".
    estimate : str
        What the estimate is, with its unit.
    published : tuple of Published
        The first one is the headline.
    effect : float
        Size of the effect whose detection the power refers to, in the estimate's unit; NaN where
        no comparable size is known.
    requires : tuple of Requirement
        What `kill` says, as data: the verdict is "supported" where all of it holds.
    """

    name: str
    claim: str
    source: str
    how_read: HowRead
    specification: str
    tier: str
    expected_sign: Sign
    kill: str
    estimate: str
    published: tuple[Published, ...] = ()
    effect: float = float("nan")
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """What the main strategy earned when it was traded.

    Attributes
    ----------
    returns : Series of float
        Simple returns per session after the first, net of costs; NaN once the equity is gone.
    spans : ndarray of int
        Sessions of the calendar that each return spans: more than 1 where bars are missing.
    year : int
        Sessions a year.
    description : str
        The strategy in one sentence.
    fill : str
        ``next_open``, ``next_close`` or ``same_close``.
    costs : str
        In words.
    trials : int
        Strategies that the run tries, this one included.
    """

    returns: pd.Series[float]
    spans: npt.NDArray[np.int64]
    year: int
    description: str
    fill: str
    costs: str
    trials: int


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One market, ready for tests. Everything is indexed by session (``datetime64``).

    Attributes
    ----------
    bars : DataFrame
        ``open, high, low, close``; a missing bar is a row of NaN.
    gex : Series of float
        Net GEX of session t as known before the open of t + 1; NaN where unknown. Any unit.
    regime : Series of str or None
        Label of the same instant; None: the sign of `gex`.
    vix : Series of float or None
        Implied volatility index at the close of t, percent.
    vix_note : str
        What it is, where it is not a series that was named.
    intraday : IntradayGrid or None
    tradable : DataFrame or None
        Bars of an instrument whose opens are real (an ETF or a future); None where `bars` are.
    stale_opens : bool
        Whether the opens of `bars` are those of a cash index.
    table : DataFrame or None
        Columns of the regime table (flip, pin_strike, pin_strength, ...), where chains are known.
    legs : DataFrame or None
        ``call`` and ``put``: dollar gamma of calls and of puts, each positive, by session.
    other_gex : Series of float or None
        Another vendor's GEX of the same underlying.
    letf : Series of float or None
        Rebalancing demand of leveraged funds per unit return, any unit, known before the close.
    frozen, dynamic : ndarray or None, shape (intraday sessions, columns of the grid)
        Net GEX of the morning's book as it was, and repriced at each bar.
    unchecked : str
        Why the book could not be repriced, where it was tried.
    expirations : Series of bool or None
        Sessions at whose close contracts expire, for pinning; None: the monthly ones.
    strike_step : float
        Distance of neighbouring strikes near spot; NaN where unknown.
    simulated : bool
    traded : Traded or None
        The main strategy as the configuration's backtest trades it; None where no configuration
        stands behind the dataset.
    untraded : str
        Why the configuration's backtest refuses it, where it does.
    facts : MarketFacts or None
        Monthly expirations, currency and sessions a year; None: those of the default calendar.
    first : Timestamp or None
        First session that counts; those before it warm up ranks and lookbacks. None: all count.
    history : Series of float or None
        `gex` with the sessions before `first`, which `gex` leaves out. None: `gex` itself.
    traded_value : float
        Value of the underlying traded a day, in the currency of `gex`; NaN where unknown.
    memo : dict
        What several tests of this dataset share: books and markets without dealers. A replaced
        dataset begins with none.
    """

    bars: pd.DataFrame
    gex: pd.Series[float]
    regime: pd.Series[str] | None = None
    vix: pd.Series[float] | None = None
    vix_note: str = ""
    intraday: IntradayGrid | None = None
    tradable: pd.DataFrame | None = None
    stale_opens: bool = False
    table: pd.DataFrame | None = None
    legs: pd.DataFrame | None = None
    other_gex: pd.Series[float] | None = None
    letf: pd.Series[float] | None = None
    frozen: Floats | None = None
    dynamic: Floats | None = None
    unchecked: str = ""
    expirations: pd.Series[bool] | None = None
    strike_step: float = float("nan")
    simulated: bool = False
    traded: Traded | None = None
    untraded: str = ""
    facts: MarketFacts | None = None
    first: pd.Timestamp | None = None
    history: pd.Series[float] | None = None
    traded_value: float = float("nan")
    memo: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    @property
    def market(self) -> MarketFacts:
        """The market's facts."""
        return self.facts or market_facts()

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which sessions of the bars count, shape (n,)."""
        index = self.bars.index
        return np.asarray(index >= (index[0] if self.first is None else self.first))

    @property
    def warmed(self) -> pd.Series[float]:
        """GEX with the sessions before the first that counts, for ranks and lookbacks."""
        return self.gex if self.history is None else self.history


@dataclass(frozen=True, slots=True)
class Settings:
    """How tests are run.

    Attributes
    ----------
    resampling : Resampling
        Of resamples; its level is the coverage of intervals.
    alpha : float
        Level of the tests.
    surrogates : int
        Books made by rules on the user's own path that tests of volatility, sign, flip and tail
        are held against.
    simulations : int
        Simulated markets without dealers of each make of returns for the same tests; 0: none,
        the books alone decide.
    store : Path or None
        Folder that keeps drawn books by what they depend on; None keeps nothing.
    progress : callable
        Called after each round of drawing.
    costs_bps : float
        Per side, basis points, that a trading rule has to earn.
    trials : int
        Configurations ever evaluated, for the deflated Sharpe ratio.
    critical : CriticalValues or None
        Of a calibration run: t must lie beyond them too, besides the test's own condition.
    """

    resampling: Resampling = field(default_factory=lambda: Resampling(replications=999))
    alpha: float = 0.05
    surrogates: int = 99
    simulations: int = 0
    store: Path | None = None
    progress: Progress = silent
    costs_bps: float = 1.0
    trials: int = 10
    critical: CriticalValues | None = None


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table in the form of the paper's.

    Attributes
    ----------
    title : str
    columns : tuple of str
        The first names the rows; a column ``published`` holds the literature's values.
    rows : tuple of tuple
        Cells: str, int, float (NaN: no value).
    note : str
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a test found on one dataset.

    Attributes
    ----------
    estimate, std_error, t_stat : float
    p_value : float
        The test's own, in the direction of the claim: by the wild bootstrap or from markets
        without dealers where the normal one rejects too often.
    n : int
        Observations behind the estimate.
    low, high : float
        Interval of the estimate; NaN where the sample is too small for one that covers.
    supported : bool
        Whether the data pass the kill condition.
    reason : str
        Why, in one sentence with the numbers that decided.
    p_simulated : float
        Of the worst compatible make of simulated markets without dealers; NaN where none were
        asked for.
    evidence : Evidence or None
        What books made by rules and simulated markets say; None for tests of another kind.
    critical : float
        Value that the t statistic was held against; NaN where another criterion decided.
    needed : float
        t that the other criterion asks for, about; NaN: that of a one-sided test of the level.
    null : float
        Value of the estimate that the claim is held against.
    margin : float
        Of a test of equivalence: the difference that would matter; NaN for other tests.
    scores : Series of float or None
        By session: their mean is what is tested, so that several tests can be resampled
        together; None where the statistic is no smooth function of means.
    tables : tuple of Table
    """

    estimate: float
    std_error: float
    t_stat: float
    p_value: float
    n: int
    low: float
    high: float
    supported: bool
    reason: str
    p_simulated: float = float("nan")
    critical: float = float("nan")
    scores: pd.Series[float] | None = None
    tables: tuple[ResultTable, ...] = ()
    evidence: Evidence | None = None
    needed: float = float("nan")
    null: float = 0.0
    margin: float = float("nan")

    @property
    def p_asymptotic(self) -> float:
        """Two-sided p-value of the t statistic if it were standard normal, for comparison."""
        return math.erfc(abs(self.t_stat) / math.sqrt(2.0))


@runtime_checkable
class HypothesisLike(Protocol):
    """What the registry accepts: anything with a card that can be run on a dataset."""

    @property
    def card(self) -> Card:
        """Claim, source, data needed, kill condition."""
        ...

    def run(self, dataset: Dataset, settings: Settings) -> Outcome:
        """Run the test; raise `MissingDataError` where the dataset lacks something.

        Parameters
        ----------
        dataset : Dataset
        settings : Settings
            Seed, level, draws.

        Returns
        -------
        Outcome
        """
        ...


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A card and the function that tests it: the plain way to write a hypothesis.

    Attributes
    ----------
    card : Card
        Claim, source, data needed, kill condition.
    evaluate : callable
        Takes a dataset and settings, returns an `Outcome`; raises `MissingDataError` where the
        dataset lacks something.

    Examples
    --------
    >>> card = Card("null", "Nothing happens.", "nobody", "not published", "none", "D", "0",
    ...             "always", "none")
    >>> isinstance(Hypothesis(card, lambda dataset, settings: None), HypothesisLike)
    True
    """

    card: Card
    evaluate: Callable[[Dataset, Settings], Outcome]

    def run(self, dataset: Dataset, settings: Settings) -> Outcome:
        """Run the test on a dataset.

        Parameters
        ----------
        dataset : Dataset
        settings : Settings
            Seed, level, draws.

        Returns
        -------
        Outcome

        Raises
        ------
        MissingDataError
            If the dataset lacks something that the test needs.
        """
        return self.evaluate(dataset, settings)
