"""The engine's own portfolio of a strategy, for further work in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import UnknownNameError
from ..execution.engine import portfolio as portfolio_of_plan
from .backtest import strategies_of, trade_config
from .config import Config
from .load_config import load_config
from .load_market import load_market

if TYPE_CHECKING:
    from .market import Market

__all__ = ["portfolio"]


def portfolio(
    config: Config | str | Path, strategy: str | None = None, *, market: Market | None = None
) -> Any:
    """Return the ``vectorbt.Portfolio`` of a strategy, with the fills of `backtest`.

    Parameters
    ----------
    config : Config, str or Path
    strategy : str, optional
        Name of a configured strategy or a control; the first where left out.
    market : Market, optional
        The configuration's inputs, where they are loaded already.

    Returns
    -------
    vectorbt.Portfolio
        Fills, prices and costs are those of the results. It knows nothing of interest, borrowing
        and dividends: where a configuration has them its value is that of the fills alone. With
        stops it has three rows a session, within the session one row a bar.

    Raises
    ------
    UnknownNameError
        If there is no strategy of that name.
    LookAheadError, ConfigError, InputFileError, LakeError
        As `backtest`.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    chosen = {s.name: s for s in strategies_of(settings)}
    name = next(iter(chosen)) if strategy is None else strategy
    if name not in chosen:
        raise UnknownNameError("strategy", name, tuple(chosen))
    there = load_market(settings) if market is None else market
    one = chosen[name]
    # strategies within the session stand beside those of the close, of which one is needed
    beside = () if not one.intraday else tuple(s for s in chosen.values() if not s.intraday)[:1]
    trading = trade_config(settings, there, (one, *beside))
    if trading.within is not None:
        within = trading.within
        ground = within.ground
        return portfolio_of_plan(
            within.plans[0], ground.bars, ground.schedule, within.costs, within.cash, within.terms
        )
    return portfolio_of_plan(
        trading.plans[0], trading.bars, trading.schedule, trading.costs, trading.cash, trading.terms
    )
