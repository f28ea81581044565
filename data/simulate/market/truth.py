"""Reading back what a simulated market knows about itself."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import InputFileError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Truth", "read_truth"]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The truth about a simulated market.

    Attributes
    ----------
    world, title, underlying, dealer_model : str
    effects : dict of str to float
        True slopes and moments by name.
    impact : float
        Of the mechanism: kappa per dollar of net gamma per unit of return.
    table : DataFrame
        ``session, book, net_gex, flip`` of the dealers' true positions; $ per 1 %, points.
    bars, intraday : Path
        Daily and intraday bars; `intraday` may be absent.
    """

    world: str
    title: str
    underlying: str
    dealer_model: str
    effects: dict[str, float]
    impact: float
    table: pd.DataFrame
    bars: Path
    intraday: Path


def read_truth(lake: str | Path) -> Truth:
    """Read the truth that lies in the folder of a simulated lake.

    Parameters
    ----------
    lake : str or Path
        Folder of the simulated lake.

    Returns
    -------
    Truth
        Per session and book: net GEX ($ per 1 %) and flip (points) of the true positions.

    Raises
    ------
    InputFileError
        If there is none: the market is not a simulated one.
    """
    import pandas as pd

    folder = Path(lake)
    try:
        about: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        table = pd.read_parquet(folder / "truth.parquet")
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{folder}: no readable truth of a simulated market ({error}): make one with "
            "gexlab simulate"
        ) from error
    return Truth(
        world=about["world"],
        title=about["title"],
        underlying=about["underlying"],
        dealer_model=about["dealer_model"],
        effects={
            name: math.nan if value is None else float(value)
            for name, value in about["effects"].items()
        },
        impact=float(about["parameters"]["mechanism"]["impact"]),
        table=table.assign(session=pd.to_datetime(table["session"])),
        bars=folder / "bars.parquet",
        intraday=folder / "intraday.parquet",
    )
