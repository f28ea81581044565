"""The main job on a market of a few weeks: what an installation is worth is what it can do."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import silent

if TYPE_CHECKING:
    from ...data import Progress

__all__ = ["main_job"]

_CONFIG = """\
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "market/bars.parquet"

[inference]
bootstrap = 100
"""
_STEPS = 4
#: Of the conventions, for independent implementations.
_LARGEST_ERROR = 1e-6


def main_job(*, progress: Progress = silent) -> str:
    """Simulate, ingest, rebuild and backtest in a temporary folder; return what came out.

    Raises
    ------
    Exception
        Whatever a step raises: something is wrong with this installation.
    """
    from ...backtest import backtest, compare_with_truth
    from ...data import ingest, rebuild
    from ...data.simulate import simulate

    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gexlab-doctor-") as name:
        folder = Path(name)
        progress(0, _STEPS, "simulating a market")
        market = simulate(
            "S1", years=0.12, seed=5, lake=folder / "market", contracts=200, intraday=None
        )
        progress(1, _STEPS, "ingesting its chains")
        files = sorted((market.lake / "chains").rglob("*.parquet"))
        ingest(files, vendor="canonical", underlying="SIM", lake=folder / "lake")
        progress(2, _STEPS, "rebuilding regimes")
        rebuild(folder / "lake", "SIM")
        rebuild(market.lake, "SIM")
        truth = compare_with_truth(market.lake)
        error = next(
            q.estimate for q in truth if q.name == "net GEX: largest error, share of gross"
        )
        if not 0.0 <= error < _LARGEST_ERROR:
            raise ArithmeticError(f"net GEX is {error:.1e} of gross away from the known truth")
        progress(3, _STEPS, "backtest")
        (folder / "config.toml").write_text(_CONFIG, encoding="utf-8")
        found = backtest(folder / "config.toml", out=folder / "out")
    seconds = time.perf_counter() - began
    return (
        f"simulated, ingested, rebuilt and backtested {found.data.sessions} sessions in "
        f"{seconds:.0f} s; net GEX within {error:.0e} of the truth"
    )
