"""What a lake of many underlyings costs beyond its rows: starts of commands, and thin rebuilds.

    python tests/bench/bench_universe.py [--names 2000] [--years 25] [--rebuild 40] [--night]
        [--folder DIR]
    python tests/bench/bench_universe.py --growth 20,200 [--sessions 60] [--contracts 200]

Two lakes are made of thin chains, one session of 20 contracts a year: one of a single underlying,
one of many. On each the same commands are started for that one underlying, and with ``--night`` a
night with nothing new of a simulated market that is added to both; printed are medians of
processor and wall seconds of three starts, and their ratio. Then ``--rebuild`` further underlyings
are rebuilt together: seconds of processor time a name and session.

With ``--growth`` universes of so many names each are ingested and rebuilt, in one process and by
two workers, and read. Printed are processor seconds per million contracts and the peak memory of
the client and of its largest worker, beside their budgets; the exit code is 1 above one of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from make_lake import session_tables
from universe_growth import grown

from gexlab.data import open_lake, rebuild
from gexlab.data.lake.joint_commit import commit_together
from gexlab.data.lake.writer import lake_writers

CONTRACTS, FIRST_YEAR = 20, 2000
COMMANDS = (
    ("regimes",),
    ("sql", "SELECT count(*) FROM regimes WHERE underlying = 'N0000'"),
    ("verify", "--quick"),
)


NIGHT = """
[data]
lake = "{lake}"
underlying = "SIM"
instrument = "etf"
bars = "{source}/bars.parquet"

[nightly]
paths = ["{source}/chains.parquet"]
out = "nights"
"""


def _moved(table: Any, year: int) -> Any:
    """Return a session moved to another year, to the first Monday of its June."""
    day = next(d for d in (date(year, 6, n) for n in range(1, 8)) if d.weekday() == 0)
    days = (day - table.column("session")[0].as_py()).days
    micro = pa.scalar(days * 86_400_000_000, pa.duration("us"))
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if field.type == pa.date32():
            column = pc.add(column.cast(pa.int32()), pa.scalar(days, pa.int32())).cast(pa.date32())
        elif pa.types.is_timestamp(field.type):
            column = pc.add(column, micro)
        table = table.set_column(place, field, column)
    return table


def make(folder: Path, names: int, years: int) -> None:
    """Write a lake of thin chains, in one version; a disk's patience is not what is measured."""
    [table] = session_tables(1, CONTRACTS)
    sessions = [_moved(table, FIRST_YEAR + n) for n in range(years)]
    with lake_writers(open_lake(folder, create=True)) as (writer_of, _):
        writers = []
        for number in range(names):
            writer = writer_of(f"N{number:04}")
            word = pa.array([f"N{number:04}"]).take(pa.array(np.zeros(CONTRACTS, np.int32)))
            for rows in sessions:
                writer.add(rows.set_column(0, rows.schema.field(0), word))
            writer.finish()
            writers.append((writer, None))
        commit_together(writers)


def _started(arguments: list[str], code: int | None = 0) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    status = subprocess.run(
        [Path(sys.executable).with_name("gexlab"), *arguments],
        check=False,
        stdout=subprocess.DEVNULL,
    ).returncode
    if code is not None and status != code:
        raise SystemExit(f"gexlab {' '.join(arguments)}: exit code {status}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - began


def starts(one: Path, many: Path) -> None:
    """Print what each command takes on both lakes, in turn."""
    for name, *more in COMMANDS:
        found: dict[Path, list[tuple[float, float]]] = {one: [], many: []}
        for _ in range(3):
            for lake in (one, many):
                asked = [] if name == "sql" else ["--underlying", "N0000"]
                found[lake].append(_started([name, *more, "--lake", str(lake), *asked]))
        _told(name, found[one], found[many])


def _told(name: str, one: list[tuple[float, float]], many: list[tuple[float, float]]) -> None:
    """Print medians of both, and their ratio."""
    (a, b), (c, d) = ([median(x[i] for x in runs) for runs in (one, many)] for i in (0, 1))
    print(
        f"{name:8} processor {a:.2f} and {b:.2f} s ({b / a:.2f}), wall {c:.2f} and {d:.2f} s "
        f"({d / c:.2f})",
        flush=True,
    )


def nights(folder: Path, one: Path, many: Path) -> None:
    """Print what a night with nothing new takes of a simulated market that both lakes hold."""
    source = folder / "source"
    if not source.exists():
        _started(["simulate", "--world", "S1", "--years", "1", "--seed", "5", "--lake",
                  str(source), "--contracts", "200"])  # fmt: skip
        files = sorted((source / "chains").rglob("year=*/*.parquet"))
        rows = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
        pq.write_table(rows, source / "chains.parquet")
    configs: dict[Path, Path] = {}
    for lake in (one, many):
        configs[lake] = folder / f"night-{lake.name}" / "night.toml"
        if not configs[lake].exists():
            configs[lake].parent.mkdir()
            configs[lake].write_text(NIGHT.format(lake=lake, source=source))
        _started(["nightly", str(configs[lake])], code=None)
    found: dict[Path, list[tuple[float, float]]] = {one: [], many: []}
    for _ in range(3):
        for lake in (one, many):
            found[lake].append(_started(["nightly", str(configs[lake])], code=3))
    _told("nightly", found[one], found[many])


def _nothing(fd: object) -> None:
    """Force nothing to disk: a simulated lake need not survive a power cut."""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--years", type=int, default=25)
    parser.add_argument("--rebuild", type=int, default=40)
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--growth", help="names of each universe, with commas")
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--contracts", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gexlab-universe-") as made:
        folder = asked.folder or Path(made)
        if asked.growth:
            sizes = [int(word) for word in asked.growth.split(",")]
            raise SystemExit(not grown(folder, sizes, asked.sessions, asked.contracts))
        one, many = folder / "one", folder / "many"
        for lake, names in ((one, 1), (many, asked.names)):
            os.fsync = _nothing
            began = time.process_time()
            if not lake.exists():
                make(lake, names, asked.years)
                print(f"{names} underlyings: {time.process_time() - began:.1f} s", flush=True)
            rebuild(lake, "N0000")
        starts(one, many)
        if asked.night:
            nights(folder, one, many)
        if asked.rebuild:
            chosen = ",".join(f"N{n:04}" for n in range(1, 1 + asked.rebuild))
            began = time.process_time()
            done = rebuild(many, chosen)
            used = time.process_time() - began
            print(
                f"rebuild of {asked.rebuild} names: {used:.2f} s, {1000 * used / asked.rebuild:.1f}"
                f" ms a name, {1000 * used / max(done.rebuilt, 1):.2f} ms a name and session",
                flush=True,
            )


if __name__ == "__main__":
    main()
