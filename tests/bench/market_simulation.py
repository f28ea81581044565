"""What the whole options market of a country would take, on 1 to 256 workers: a simulation.

    python tests/bench/market_simulation.py [--measure] [--underlyings 6000] [--years 15]
        [--contracts 1500000] [--workers 1,4,16,64,256] [--seed 1]
        [--universe FILE.parquet --underlying-column underlying --session-column quote_date]

Names are drawn from the sizes of a real universe. They are cut into the pieces that the code would
cut, and these are handed out to workers, done, taken back and published by one client, as the code
does it; only time is simulated. What things take was measured once and stands below
(`STATED`); ``--measure`` takes it from this machine (a few minutes), predicts a universe that was
not fitted, and says how far off that is. Prices and the store's latency are parameters, and no
facts: change them with ``--price``, ``--latency``.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from market_model import Costs, Machine, Market, Prices, drawn, rate, simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market_model import Done

#: Contracts a session of the real universe: share of names, and what these do not exceed.
SIZES: Final = (
    (0.0, 35), (0.05, 153), (0.1, 239), (0.25, 446), (0.5, 832), (0.75, 1536), (0.9, 2808),
    (0.95, 3559), (0.98, 4969), (1.0, 9158),
)  # fmt: skip
#: As measured; docs/scaling.md has the same.
STATED: Final = Machine(
    ingest=Costs(
        piece=0.0536, file=0.000353, looked=0.0, name=0.0, name_year=0.00561, name_session=0.0,
        million=0.999, command=0.0876, client_name=0.00121, client_name_year=0.0,
        client_name_session=0.0000701, client_million=0.0113, requests=0.0, requests_name=0.0,
        requests_name_year=1.0, client_requests=20.0, client_requests_name=2.0,
        client_requests_name_year=0.0, kilobytes_name_year=3.44, kilobytes_name_session=0.566,
    ),
    rebuild=Costs(
        piece=0.0, file=0.0, looked=0.0, name=0.0, name_year=0.0106, name_session=0.00026,
        million=0.177, command=0.0342, client_name=0.0023, client_name_year=0.0,
        client_name_session=0.00000896, client_million=0.0, requests=3.15, requests_name=0.0,
        requests_name_year=9.85, client_requests=16.0, client_requests_name=1.0,
        client_requests_name_year=0.0, kilobytes_name_year=10.1, kilobytes_name_session=0.24,
        files_name_year=8.0,
    ),
    task=0.00167, start=0.451, first=0.492, held_file=5.64e-07, at_once=2.15, client_at_once=3.26,
)  # fmt: skip


def main() -> None:
    """Measure if asked to, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--underlyings", type=int, default=6000)
    parser.add_argument("--years", type=int, default=15)
    parser.add_argument("--contracts", type=float, help="of all names in a session; else as drawn")
    parser.add_argument("--workers", default="1,4,16,64,256")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--price", type=float, default=Prices().core_hour, help="of a core's hour")
    parser.add_argument("--latency", type=float, default=Prices().latency, help="of a request, s")
    parser.add_argument("--universe", type=Path, help="file whose sizes are drawn from")
    parser.add_argument("--underlying-column", default="underlying")
    parser.add_argument("--session-column", default="quote_date")
    asked = parser.parse_args()
    sizes: Sequence[tuple[float, float]] = SIZES
    if asked.universe:
        sizes = sizes_of(asked.universe, asked.underlying_column, asked.session_column)
        said = ", ".join(f"({share:g}, {size:.0f})" for share, size in sizes)
        print(f"contracts a session, by share of names: {said}")
    machine = STATED
    if asked.measure:
        from market_costs import machine_measured

        with tempfile.TemporaryDirectory(prefix="gexlab-market-") as made:
            machine = machine_measured(Path(made), lambda text: print(text, flush=True))
        told(machine)
    contracts = drawn(sizes, asked.underlyings, asked.seed, asked.contracts)
    market = Market(contracts, asked.years)
    print(
        f"{len(contracts)} underlyings, {market.sessions} sessions, {contracts.sum() / 1e6:.2f} "
        f"million contracts a session (largest name {contracts.max():.0f}), "
        f"{market.rows / 1e9:.1f} billion in all"
    )
    prices = Prices(core_hour=asked.price, latency=asked.latency)
    for command in ("ingest", "rebuild"):
        for workers in map(int, asked.workers.split(",")):
            print(line(command, simulated(command, market, machine, prices, workers)))


def line(command: str, done: Done) -> str:
    """Return a row of a table: what a command took on so many workers, and what held it up."""
    o = done.outcome
    busy = o.worked / (done.workers * o.seconds)
    return (
        f"| `{command}` | {done.workers} | {done.pieces} | {o.seconds / 3600:.2f} | {busy:.0%} | "
        f"{o.longest:.0f} | {o.client / o.seconds:.0%} | {rate(done):.0f} | {done.memory:.0f} | "
        f"{done.bill:.0f} | {o.bound} |"
    )


def told(machine: Machine) -> None:
    """Print what was measured, as it is to be stated."""
    for name in ("ingest", "rebuild"):
        costs: Costs = getattr(machine, name)
        said = ", ".join(
            f"{f.name}={v:.3g}" for f, v in zip(fields(costs), astuple(costs), strict=True)
        )
        print(f"{name}: {said}")
    print(
        f"task={machine.task:.3g}, start={machine.start:.3g}, first={machine.first:.3g}, "
        f"held_file={machine.held_file:.3g}, at_once={machine.at_once:.2f}, "
        f"client_at_once={machine.client_at_once:.2f}"
    )


def sizes_of(file: Path, name: str, session: str) -> Sequence[tuple[float, float]]:
    """Return quantiles of the mean contracts a session of the names of a file."""
    import pyarrow.parquet as pq

    rows = pq.read_table(file, columns=[name, session])
    each = rows.group_by([name, session]).aggregate([([], "count_all")])
    mean = each.group_by(name).aggregate([("count_all", "mean")]).column("count_all_mean")
    shares = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 1.0)
    return list(zip(shares, map(float, np.quantile(mean.to_numpy(), shares)), strict=True))


if __name__ == "__main__":
    main()
