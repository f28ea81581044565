"""The small market that ``gexlab demo`` runs on."""

from __future__ import annotations

from pathlib import Path

from ...base.progress import Progress
from .simulate import SimulationResult, simulate

__all__ = ["demo_market"]


def demo_market(
    lake: str | Path, *, years: float = 2.0, seed: int = 7, progress: Progress | None = None
) -> SimulationResult:
    """Write two years of a small market whose dealers hedge at once and into the close.

    World S1S3 in the visible calibration: volatility is divided by ``1 + kappa`` and the last
    half hour carries ``-kappa / 2`` times the rest of the day, with kappa of about -0.4 ... 0.5.

    Parameters
    ----------
    lake : str or Path
        Folder that receives the lake, the bars and the truth.
    years : float
        Length.
    seed : int
        The same seed gives the same bytes.
    progress : Progress, optional
        Called after each month.

    Returns
    -------
    SimulationResult
        Paths and counts.
    """
    return simulate(
        "S1S3",
        years=years,
        seed=seed,
        lake=lake,
        contracts=600,
        calibration="visible",
        progress=progress,
    )
