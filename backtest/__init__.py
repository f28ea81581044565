"""Fills, costs, metrics, inference and the tests of hypotheses.

Names below are imported when they are first used.
"""

from ..data._lazy import lazy_door

_EXPORTS = {
    "BacktestResult": "results",
    "Config": "config",
    "Estimate": "results",
    "Metrics": "results",
    "Notice": "results",
    "StrategyResult": "results",
    "load_config": "config",
    "parse_config": "config",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
