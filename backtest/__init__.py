"""Fills, costs, metrics, inference and the tests of hypotheses.

Names below are imported when they are first used.
"""

from ..data._lazy import lazy_door

_EXPORTS = {
    "BacktestResult": "results",
    "Config": "config",
    "ESTIMATORS": "realised",
    "Estimate": "results",
    "HypothesesResult": "testing",
    "IntradayGrid": "intraday",
    "JumpTest": "intraday",
    "LeakResult": "leaks",
    "LogBars": "realised",
    "Market": "market",
    "Metrics": "results",
    "Notice": "results",
    "Resampling": "resampling",
    "StrategyResult": "results",
    "annualised": "realised",
    "autocorrelation_by_regime": "volatility",
    "backtest": "running",
    "bipower_variation": "intraday",
    "degenerate_bars": "realised",
    "garman_klass": "realised",
    "har_regressors": "realised",
    "hypotheses_document": "testing",
    "intraday_grid": "intraday",
    "jump_test": "intraday",
    "leakcheck": "leaks",
    "load_config": "config_reading",
    "load_dataset": "datasets",
    "load_market": "market",
    "log_bars": "realised",
    "log_volatility": "realised",
    "next_return_sd_by_quantile": "volatility",
    "parkinson": "realised",
    "parse_config": "config_reading",
    "realised_variance": "intraday",
    "results_document": "documents",
    "rogers_satchell": "realised",
    "rolling_variance": "realised",
    "sample_variance": "realised",
    "semivariances": "intraday",
    "strategies_of": "running",
    "test": "testing",
    "volatility_summary": "volatility",
    "write_results": "documents",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
