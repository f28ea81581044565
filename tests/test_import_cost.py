"""Light packages stay light."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("vectorbt", "numba", "plotly", "pandas", "duckdb", "arch", "statsmodels")


@pytest.mark.parametrize(
    "package", ["gexlab.data", "gexlab.strategies", "gexlab.backtest", "gexlab.reports.cli"]
)
def test_import_is_light(package: str) -> None:
    code = f"import {package}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
