"""Search for look-ahead in data, filters and rules.

Three kinds of evidence: stamps (an input used before it was known, or claimed to be known before
it existed), recomputation (the same decisions from data cut off at a session), and traces in the
numbers (values that belong to a later session than they are dated).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...data import EarlyBarsError
from ...strategies import is_own
from ..grid.section import covering
from ..run.backtest import strategies_asked_for, strategies_of
from ..run.config import Config
from ..run.context import open_run
from ..run.lake_of import as_of_version
from ..run.load_config import load_config
from .bars import daily_bars, intraday_bars
from .found import Check, Leak, LeakResult
from .outside import reached_outside
from .recomputation import CUTS, recomputed
from .stamps import chain_stamps, order_stamps, session_stamps, spot_stamps
from .traces import decision_traces, value_traces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...strategies import Strategy
    from ..run.market import Market

__all__ = ["Leak", "LeakResult", "component_leaks", "leakcheck", "market_leaks"]


def leakcheck(
    config: Config | str | Path,
    *,
    cuts: int = CUTS,
    as_of: int | str | datetime | None = None,
) -> LeakResult:
    """Look for look-ahead in data, filters, rules and sizings of a configuration.

    Of a grid, every distinct component is checked.

    Parameters
    ----------
    config : Config, str or Path
    cuts : int
        Sessions after which the data are cut off and the decisions recomputed.
    as_of : int, str or datetime, optional
        A version of the lake, or a moment at which it was in force; the newest where left out.

    Returns
    -------
    LeakResult

    Raises
    ------
    ConfigError, InputFileError, LakeError, DefinitionError, UnknownNameError, NotEnoughDataError
        As `backtest`; an order that knew too much is a leak here, not an error.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    settings = as_of_version(settings, as_of)
    asked = settings.strategies or settings.grid
    chosen = strategies_asked_for(settings) if asked else strategies_of(settings)
    if settings.grid:  # its distinct components, not its trials
        chosen = (*chosen, *covering(settings.grid, settings.folder))
    try:
        with open_run(settings, within=any(s.intraday for s in chosen)) as run:
            return market_leaks(settings, run.market, chosen, cuts)
    except EarlyBarsError as error:
        if error.first is None:
            raise
        return LeakResult(1, (Leak("intraday", error.first, "bars_stamped_early", str(error)),))


def market_leaks(
    config: Config, market: Market, strategies: Sequence[Strategy], cuts: int = CUTS
) -> LeakResult:
    """Return the look-ahead in loaded inputs and strategies."""
    checks: list[Check] = [
        session_stamps(market),
        spot_stamps(market),
        daily_bars(config, market),
        intraday_bars(market),
        value_traces(config, market, strategies),
    ]
    if config.regime.source == "lake":
        checks.append(chain_stamps(config, market))
    for strategy in strategies:
        checks.append(order_stamps(config, market, strategy))
        checks.append(recomputed(config, market, strategy, cuts))
        checks.append((1, reached_outside(strategy, market.sessions[0].date())))
    found = {(leak.input, leak.kind): leak for _, leaks in reversed(checks) for leak in leaks}
    leaks = sorted(found.values(), key=lambda leak: (leak.session, leak.kind, leak.input))
    definition_id = market.regime.definition_id
    return LeakResult(sum(count for count, _ in checks), tuple(leaks), definition_id)


def component_leaks(
    config: Config, market: Market, strategies: Sequence[Strategy], cuts: int
) -> tuple[Leak, ...]:
    """Return the look-ahead of users' own components; the built-in ones are held to it by tests."""
    own = [strategy for strategy in strategies if is_own(strategy)]
    leaks = [leak for s in own for leak in recomputed(config, market, s, cuts)[1]]
    first = market.sessions[0].date()
    leaks += [leak for s in own for leak in reached_outside(s, first)]
    return (*leaks, *decision_traces(config, market, own)[1])
