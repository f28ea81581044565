"""Metrics, intervals, resampling, estimators of volatility and diagnostics."""
