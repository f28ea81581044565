"""Long-short portfolios of the names of a lake, by their regimes: every combination as a trial.

A regime row is acted on at the first close after the session it belongs to, provided that it was
known by then; what is held from there earns the returns between the chains' own spots.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import EXCHANGE_SESSIONS, NotEnoughDataError, short_repr
from ..execution.costs import break_even_of_each
from ..statistics.metrics import turnover
from ..statistics.resampling import NORMAL_LEVEL
from ..statistics.sharpe_tests import expected_best
from ..tournament.ledger import Trial, record_trials
from .combined_book import CombinedBook, book_metrics, combined_book
from .long_short_legs import Ground, ground_of, tranche_weights
from .long_short_section import LongShortSection

if TYPE_CHECKING:
    from pathlib import Path

    from ...data import CrossSection, TradingCalendar

__all__ = ["LongShortResult", "long_short", "long_short_document", "record_long_short"]

Floats = npt.NDArray[np.float64]
_DIGITS: Final = 16
#: What the ledger calls the market of portfolios over many names.
_MARKET: Final = "cross-section"
_PARAMETERS: Final = ("signal", "side", "quantile", "weights", "hold", "fees_bps")


@dataclass(frozen=True, slots=True)
class LongShortResult:
    """Every long-short portfolio of a grid.

    Attributes
    ----------
    table : DataFrame
        One row a trial: ``trial_id``, parameters, metrics with intervals.
    returns : DataFrame
        Simple, net of costs; sessions by trial.
    book : CombinedBook
        All trials as one book of equal shares of the capital.
    trials : int
    best : str or None
        Trial with the highest Sharpe ratio.
    best_sharpe, best_by_luck : float
        Its ratio, and what the best of so many independent trials without skill would show.
    left_out : dict of str to int
        Rows of the regime table that led to no order, by reason: ``abstains, known_late,
        no_price``; and returns of names that count as 0: ``split_suspected``.
    names, sessions : int
    seconds : float
    level : float
        Coverage of the intervals.
    year : int
        Sessions a year.
    """

    table: pd.DataFrame
    returns: pd.DataFrame
    book: CombinedBook
    trials: int
    best: str | None
    best_sharpe: float
    best_by_luck: float
    left_out: dict[str, int]
    names: int
    sessions: int
    seconds: float
    level: float = NORMAL_LEVEL
    year: int = EXCHANGE_SESSIONS
    __repr__ = short_repr


def long_short(
    section: CrossSection,
    calendar: TradingCalendar,
    grid: LongShortSection | None = None,
    *,
    year: int = EXCHANGE_SESSIONS,
    level: float = NORMAL_LEVEL,
) -> LongShortResult:
    """Evaluate long-short portfolios of the names of a lake.

    Half of the capital is long, half of it short. The portfolio of a session is that of its signals
    and of those of the sessions before, as many as are held, in equal parts. Orders fill at the
    close of the session after the signal's, at the spot of that session's chain.

    Parameters
    ----------
    section : CrossSection
        From `gexlab.data.cross_section`.
    calendar : TradingCalendar
        Of all its underlyings.
    grid : LongShortSection, optional
        What spans the product; see `load_long_short`.
    year : int
        Sessions a year.
    level : float
        Coverage of the intervals.

    Returns
    -------
    LongShortResult

    Raises
    ------
    NotEnoughDataError
        If no portfolio can be formed in any session.
    """
    began = time.perf_counter()
    grid = grid or LongShortSection()
    ground = ground_of(section, calendar)
    rows: list[dict[str, Any]] = []
    columns: dict[str, Floats] = {}
    for chosen in _portfolios(grid, section):
        found = _account(ground, chosen)
        for fee in grid.fees_bps:
            said = chosen.parameters | {"fees_bps": float(fee)}
            name = _trial_id(said, section)
            net = (1.0 + found.gross) * (1.0 - 1e-4 * fee * found.traded) - 1.0
            columns[name] = net
            rows.append(
                {"trial_id": name, **said, **book_metrics(net, year, level)}
                | {
                    "turnover": turnover(found.traded, year),
                    "exposure": float(found.exposure.mean()),
                    "break_even_bps": float(break_even_of_each(found.gross, found.traded)),
                    "names_long": float(found.longs.mean()),
                    "names_short": float(found.shorts.mean()),
                }
            )
    table = pd.DataFrame(rows)
    table["n"] = table["n"].astype("int64")
    returns = pd.DataFrame(columns, index=pd.DatetimeIndex(ground.sessions[ground.first + 1 :]))
    returns = returns.rename_axis("session")
    ratios = table["sharpe"].to_numpy("float64")
    top = int(np.nanargmax(ratios)) if np.isfinite(ratios).any() else None
    return LongShortResult(
        table, returns, combined_book(returns, year=year, level=level), len(table),
        None if top is None else str(table["trial_id"].iloc[top]),
        float("nan") if top is None else float(ratios[top]),
        expected_best(len(table), year / len(returns)),
        ground.left_out, len(ground.names), len(returns), time.perf_counter() - began, level, year,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Portfolio:
    signal: str
    side: str
    quantile: float | None
    weights: str
    hold: int

    @property
    def parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def _portfolios(grid: LongShortSection, section: CrossSection) -> list[_Portfolio]:
    """Return every distinct portfolio; the regime's label knows no quantile."""
    found = [
        _Portfolio(signal, side, None if signal == "regime" else quantile, weights, hold)
        for signal, side, quantile, weights, hold in product(
            grid.signals, grid.sides, grid.quantiles, grid.weights, grid.holds
        )
    ]
    for signal in grid.signals:
        if not section.names[signal].notna().any():
            need = {"per_dollar_volume": "dollar volumes (--volumes)",
                    "per_market_value": "market values (--settings)"}  # fmt: skip
            raise NotEnoughDataError(f"{signal}: {need.get(signal, 'regimes that count')}")
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Account:
    """One portfolio before costs, on the sessions after the first possible fill."""

    gross: Floats
    traded: Floats
    exposure: Floats
    longs: Floats = field(repr=False)
    shorts: Floats = field(repr=False)


def _account(ground: Ground, chosen: _Portfolio) -> _Account:
    """Return what a portfolio earns and trades, as shares of its equity at each close.

    What is traded at a session's close is charged to the return that ends there; the first fill
    belongs to the first return.
    """
    held = tranche_weights(
        ground, chosen.signal, chosen.side, chosen.quantile, chosen.weights, chosen.hold
    )[ground.first :]
    own = ground.returns[ground.first :]
    gross = np.sum(held[:-1] * own[1:], axis=1)
    drifted = held[:-1] * (1.0 + own[1:]) / (1.0 + gross)[:, None]
    traded = np.abs(held[1:] - drifted).sum(axis=1)
    traded[0] += np.abs(held[0]).sum()
    # the last close needs no order for a session that is not there
    traded[-1] -= np.abs(held[-1] - drifted[-1]).sum()
    return _Account(
        gross, traded, np.abs(held[:-1]).sum(axis=1), (held[:-1] > 0).sum(axis=1) * 1.0,
        (held[:-1] < 0).sum(axis=1) * 1.0,
    )  # fmt: skip


def _trial_id(parameters: dict[str, Any], section: CrossSection) -> str:
    """Return a digest of everything that was chosen; neither dates nor data count."""
    said = parameters | {
        "book": section.book,
        "dealer_models": list(section.dealer_models),
        "definition_ids": list(section.definition_ids),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def record_long_short(result: LongShortResult, section: CrossSection, ledger: Path) -> None:
    """Count the trials of a result in a ledger, on the market "cross-section".

    Parameters
    ----------
    result : LongShortResult
    section : CrossSection
        That it was made of; its digest is the id of the data.
    ledger : Path
        Folder of the ledger.

    Raises
    ------
    LedgerError
        If the ledger cannot be written.
    """
    held = section.names[["underlying", "session", "spot", "net_gex", "gross_gex"]]
    digest = hashlib.sha256(pd.util.hash_pandas_object(held, index=False).to_numpy().tobytes())
    days = result.returns.index.to_numpy().astype("datetime64[D]")
    trials = [
        Trial(
            str(row["trial_id"]), " ".join(str(row[name]) for name in _PARAMETERS), "grid", _MARKET,
            digest.hexdigest(), days, result.returns[row["trial_id"]].to_numpy("float64"),
            {"sharpe": row["sharpe"]}, {name: row[name] for name in _PARAMETERS},
        )
        for row in result.table.to_dict("records")
    ]  # fmt: skip
    record_trials(ledger, trials)


def long_short_document(result: LongShortResult) -> dict[str, Any]:
    """Return what the command says of a result, without its tables.

    Parameters
    ----------
    result : LongShortResult

    Returns
    -------
    dict of str to object
        ``trials, best {trial_id, sharpe}, best_by_luck, sentence, book, left_out, names, sessions,
        level, seconds``.
    """
    tried = f"{result.trials:,} long-short portfolios of {result.names} names were tried"
    sentence = f"{tried}; none of them has a Sharpe ratio."
    if result.best is not None:
        beyond = result.best_sharpe > result.best_by_luck
        sentence = (
            f"{tried} on {result.sessions} sessions; the best of so many that know nothing would "
            f"show a Sharpe ratio of {result.best_by_luck:.2f} by luck, were they independent, and "
            f"the best here shows {result.best_sharpe:.2f}: "
            f"{'more' if beyond else 'no more'} than that."
        )
    return {
        "trials": result.trials,
        "best": {"trial_id": result.best, "sharpe": result.best_sharpe},
        "best_by_luck": result.best_by_luck,
        "sentence": sentence,
        "book": dict(result.book.metrics),
        "left_out": result.left_out,
        "names": result.names,
        "sessions": result.sessions,
        "level": result.level,
        "seconds": result.seconds,
    }
