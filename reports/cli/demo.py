"""The whole main job on a small simulated market whose truth is known."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.base.errors import InputFileError
from ...data.base.progress import silent

if TYPE_CHECKING:
    from ...backtest.run.results import BacktestResult
    from ...backtest.run.truth import Quantity
    from ...data.base.progress import Progress
    from ...data.regimes.rebuild import RebuildResult
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
        Folder for lake, configuration, results and report; made where absent.
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
    from ...backtest.run.backtest import backtest
    from ...backtest.run.load_config import load_config
    from ...backtest.run.truth import compare_with_truth
    from ...data.regimes.rebuild import rebuild
    from ...data.simulate import demo_market
    from ..page.report import write_report

    began = time.perf_counter()
    folder = Path(out)
    config = _write_config(folder)
    lake = folder / "lake"
    market = demo_market(lake, progress=progress)
    rebuilt = rebuild(lake, market.underlying, progress=progress)
    settings = load_config(config)
    result = backtest(settings, out=folder, progress=progress)
    truth = compare_with_truth(lake)
    report = write_report(result, settings, folder)
    seconds = time.perf_counter() - began
    return DemoResult(market, rebuilt, result, truth, config, report, seconds)


def _write_config(folder: Path) -> Path:
    config = folder / "config.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(CONFIG, encoding="utf-8")
    except OSError as error:
        raise InputFileError(
            f"{folder}: cannot be written to ({error.strerror}): choose another folder with --out"
        ) from error
    return config
