"""Whether a rebuild of a simulated lake gives the dealers' true net gamma and flip back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import InputFileError
from ...regimes.rebuild import rebuild
from ...regimes.table import regimes
from ..market.simulate import simulate
from ..market.truth import Truth, read_truth
from .records import WorldCheck

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RECOVERED", "check_lake", "check_small_lake"]

#: Largest error, relative, with which a rebuild counts as the truth.
RECOVERED = 1e-6

_UNIT = "rows"
_SMALL_YEARS, _SMALL_CONTRACTS = 0.1, 400


def check_small_lake(world: str, seed: int) -> tuple[WorldCheck, ...]:
    """Write a few weeks of a world with small chains, rebuild them and return their checks."""
    with TemporaryDirectory(prefix="gexlab-check-") as folder:
        simulate(world, years=_SMALL_YEARS, seed=seed, lake=folder, contracts=_SMALL_CONTRACTS)
        return check_lake(folder)


def check_lake(lake: str | Path) -> tuple[WorldCheck, ...]:
    """Rebuild a simulated lake, with the dealers' true model and with the naive one.

    The definition is the default one. Where dealers do not follow the naive rule, their true
    positions are those of ``positions.parquet``, as for the dealer model ``signed``. What the
    naive model makes of the market is rebuilt last and stays the lake's latest regime table.

    Parameters
    ----------
    lake : str or Path
        Folder that `simulate` has written.

    Returns
    -------
    tuple of Check
        Largest relative errors of net GEX and of the flip over sessions and books, and how often
        the naive sign is the true one (theory: always, where dealers follow the naive rule).

    Raises
    ------
    InputFileError
        If the folder holds no simulated market.
    """
    folder = Path(lake)
    truth = read_truth(folder)
    hidden = truth.dealer_model != "naive"
    found = _compared(folder, truth, "signed", _positions(folder)) if hidden else None
    naive = _compared(folder, truth, "naive", None)
    return (*_recovery(truth, naive if found is None else found), _agreement(truth, naive))


def _positions(folder: Path) -> Path:
    path = folder / "positions.parquet"
    if not path.is_file():
        raise InputFileError(
            f"{path}: expected the dealers' true positions of this world, found no file: simulate "
            "the market again"
        )
    return path


def _compared(folder: Path, truth: Truth, dealer: str, positions: Path | None) -> pd.DataFrame:
    done = rebuild(folder, truth.underlying, dealer=dealer, positions=positions)
    found = regimes(folder, truth.underlying, dealer_model=dealer, definition_id=done.definition_id)
    return found.merge(
        truth.table, on=["session", "book"], suffixes=("", "_true"), validate="one_to_one"
    )


def _recovery(truth: Truth, both: pd.DataFrame) -> tuple[WorldCheck, ...]:
    n, model = len(both), truth.dealer_model
    net = ((both["net_gex"] - both["net_gex_true"]) / both["net_gex_true"]).abs()
    flip = (both["flip"] / both["flip_true"] - 1).abs()
    lonely = len(truth.table) - n + int((both["flip"].isna() != both["flip_true"].isna()).sum())
    found: tuple[tuple[str, Any, int], ...] = (
        (f"net GEX, largest error, {model}", net.max(), n),
        (f"flip, largest error, {model}", flip.max(), int(flip.count())),
        ("rows or flips only on one side", lonely, len(truth.table)),
    )
    return tuple(
        WorldCheck(truth.world, name, 0.0, float(value), 0.0, count, _UNIT, tolerance=RECOVERED)
        for name, value, count in found
    )


def _agreement(truth: Truth, naive: pd.DataFrame) -> WorldCheck:
    """Return how often the naive sign is right; reported only where dealers do otherwise."""
    agrees = np.sign(naive["net_gex"]) == np.sign(naive["net_gex_true"])
    name = "naive signs that are right"
    share, n = float(agrees.mean()), len(naive)
    if truth.dealer_model == "naive":
        return WorldCheck(truth.world, name, 1.0, share, 0.0, n, _UNIT)
    return WorldCheck(truth.world, name, np.nan, share, 0.0, n, _UNIT, "reported")
