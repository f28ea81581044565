"""Claims over many names on simulated ones: gamma imbalance, and what happens within a session.

    python tests/bench/simulated_names.py [--world S1] [--names 12] [--years 1] [--folder DIR]

Markets of one world, each with its own seed, are put into one lake with their intraday bars and a
dollar volume of their own; then `gexlab cross-section --test` is run on it. In S1 dealers hedge at
once: absolute returns and hourly volatility fall with the imbalance, and no momentum comes of it.
In S2 they hedge late, in S0 not at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from watched import gexlab

from gexlab.data import ingest, rebuild
from gexlab.data.simulate import simulate

CONTRACTS = 200


def make(folder: Path, world: str, names: int, years: float) -> None:
    """Write chains of all names, their intraday bars and their volumes."""
    volumes = []
    chains: list[pa.Table] = []
    for number in range(names):
        name, place = f"S{number:02}", folder / f"market-{number}"
        simulate(world, years=years, seed=100 + number, lake=place, contracts=CONTRACTS,
                 underlying=name, intraday=30)  # fmt: skip
        files = sorted((place / "chains").rglob("year=*/*.parquet"))
        chains += [pq.read_table(file, partitioning=None) for file in files]
        (place / "intraday.parquet").rename(folder / f"{name}.parquet")
        days = pd.read_parquet(place / "bars.parquet")["session"]
        volumes.append(
            pd.DataFrame({"underlying": name, "session": days, "dollar_volume": 1e9 * (1 + number)})
        )
    pq.write_table(pa.concat_tables(chains), folder / "chains.parquet")
    pd.concat(volumes).to_parquet(folder / "volumes.parquet", index=False)
    ingest([folder / "chains.parquet"], vendor="canonical", underlying="*", lake=folder / "lake")
    rebuild(folder / "lake", "*")


def main() -> None:
    """Simulate, test, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--world", default="S1")
    parser.add_argument("--names", type=int, default=12)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gexlab-names-") as made:
        folder = asked.folder or Path(made)
        if not (folder / "lake").exists():
            make(folder, asked.world, asked.names, asked.years)
        done = gexlab("cross-section", "--lake", folder / "lake", "--test", "--json",
                      "--volumes", folder / "volumes.parquet",
                      "--intraday", folder / "{underlying}.parquet")  # fmt: skip
    said = json.loads(done.out)
    for one in said["hypotheses"]:
        sys.stdout.write(
            f"{asked.world} {one['name']:27} {one['estimate']:.2f} per s.d., "
            f"t {one['t_stat']:.2f}, p {one['p_value']:.4f}, n {one['n']}: {one['verdict']}\n"
        )
    sys.stdout.write(f"left out: {said['left_out']}\n")


if __name__ == "__main__":
    main()
