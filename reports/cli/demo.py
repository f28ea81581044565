"""The whole main job on a small simulated market whose truth is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import silent

if TYPE_CHECKING:
    from ...backtest import BacktestResult, Quantity
    from ...data import Progress, RebuildResult
    from ...data.simulate import SimulationResult

__all__ = ["CONFIG", "DemoResult", "demo"]

#: What the demo runs; written beside its results, so that it can be changed and run again.
CONFIG = """\
# What `gexlab demo` runs. Change it and run: gexlab backtest config.toml --out again
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "lake/bars.parquet"
intraday = "lake/intraday.parquet"

[regime]
source = "lake"
dealer_model = "naive"
book = "post_expiry"

[execution]
fees_bps = 0.5
slippage_bps = 0.5
"""


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What the demo made.

    Attributes
    ----------
    market : SimulationResult
    rebuilt : RebuildResult
    result : BacktestResult
    truth : tuple of Quantity
        Truth next to estimate.
    config, report : Path
        The configuration, to be changed and run again, and the report.
    seconds : float
        Wall-clock time of everything.
    """

    market: SimulationResult
    rebuilt: RebuildResult
    result: BacktestResult
    truth: tuple[Quantity, ...]
    config: Path
    report: Path
    seconds: float


def demo(out: str | Path, *, progress: Progress = silent) -> DemoResult:
    """Simulate a market, rebuild its regimes, backtest on them and write the report.

    Parameters
    ----------
    out : str or Path
        Folder for lake, configuration, results and report, which appear there all at once.
    progress : Progress
        Called within each step.

    Returns
    -------
    DemoResult

    Raises
    ------
    InputFileError
        If the folder cannot be written to.
    """
    from ...backtest import backtest, compare_with_truth, load_config, open_run, write_result_files
    from ...data import published
    from ...data.simulate import compiled_ahead, demo_market
    from ..page.report import REPORT_FILE, write_report

    began = time.perf_counter()
    folder = Path(out)
    with compiled_ahead(), published(folder) as stage:
        lake, config = stage / "lake", stage / "config.toml"
        config.write_text(CONFIG, encoding="utf-8")
        market = demo_market(lake, progress=progress)
        settings = load_config(config)
        with open_run(settings, progress=progress) as run:
            result = backtest(settings, market=run.market, progress=progress)
            write_result_files(result, stage)
            truth = compare_with_truth(lake, market=run.market)
            write_report(result, settings, stage, market=run.market, progress=progress)
            rebuilt = run.market.regime.rows.done
    return DemoResult(
        market=market.moved(folder / "lake"),
        rebuilt=rebuilt,
        result=replace(result, out=folder),
        truth=truth,
        config=folder / "config.toml",
        report=folder / REPORT_FILE,
        seconds=time.perf_counter() - began,
    )
