"""What the SPX chains of 2026 say of 30 days, held against VIX: prints how alike the two are."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from gexlab.data import ingest, rebuild, side_table


def main() -> None:
    """Print correlation, mean difference and its standard deviation, in volatility points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the development data")
    data = parser.parse_args().data
    chains = data / "chains" / "spx_cboe_snapshots_2026.parquet"
    with tempfile.TemporaryDirectory() as place:
        lake = Path(place) / "lake"
        mapping = chains.with_suffix(".map.toml")
        ingest([chains], vendor="columns", underlying="SPX", lake=lake, mapping=mapping)
        rebuild(lake, "SPX", books=("as_of_close",))
        own = side_table(lake, "implied_volatility", "SPX").set_index("session")
    vix = pd.read_parquet(data / "series" / "vix_daily.parquet")
    own["vix"] = vix.set_index(pd.to_datetime(vix["date"]))["value"].reindex(own.index)
    for column in ("swap_30d", "atm_30d"):
        both = own[[column, "vix"]].dropna()
        gap = 100.0 * both[column] - both["vix"]
        correlation = float(np.corrcoef(both.to_numpy().T)[0, 1])
        print(
            f"{column}: {len(both)} of {len(own)} sessions, correlation {correlation:.3f}, "
            f"mean difference {gap.mean():+.2f} points (s.d. {gap.std():.2f})"
        )


if __name__ == "__main__":
    main()
