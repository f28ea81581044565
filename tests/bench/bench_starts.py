"""What people wait for: the first run, every command's start, one more session, a second night.

    python tests/bench/bench_starts.py [--times 5] [--folder DIR] [--without-first-run]

Every figure is a process of its own, as a user starts it: medians of seconds by the clock and of
processor time (user and system, children included). The first run has an empty folder for
everything that gexlab keeps on disk; the libraries' own bytecode is there.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from bench_rebuild import add_one_session
from make_lake import forget_rebuilt, make_lake

SESSIONS, CONTRACTS = 250, 2000
NIGHT = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "source/bars.parquet"

[nightly]
paths = ["incoming/*.parquet"]
out = "nights"
"""
Run = tuple[float, float]


def run(arguments: list[str], cache: Path | None = None, code: int = 0) -> Run:
    """Run one command; return seconds and processor seconds."""
    environment = os.environ | ({} if cache is None else {"GEXLAB_CACHE_DIR": str(cache)})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(Path(sys.executable).with_name("gexlab")), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    status = child.wait()
    seconds = time.perf_counter() - began
    assert status == code, (arguments, status)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, spent


def repeated(
    times: int, arguments: list[str], prepare: Callable[[], object] = lambda: None
) -> list[Run]:
    """Return several runs of one command, each after its preparation, without the first."""
    runs = []
    for _ in range(times + 1):
        prepare()
        runs.append(run(arguments))
    return runs[1:]


def told(name: str, runs: list[Run]) -> None:
    """Print one row."""
    wall, spent = (median(column) for column in zip(*runs, strict=True))
    sys.stdout.write(f"{name:52s} {wall:8.2f} {spent:8.2f}\n")
    sys.stdout.flush()


def first_runs(folder: Path, times: int) -> None:
    """Print what the demo takes with nothing kept."""
    runs = []
    for i in range(times):
        cache = folder / f"cache-{i}"
        runs.append(run(["demo", "--out", str(folder / "demo")], cache))
        shutil.rmtree(cache)
    told("demo, nothing cached", runs)


def commands(folder: Path, times: int) -> None:
    """Print what each command takes on a rebuilt lake."""
    lake = make_lake(folder / "lake", SESSIONS, CONTRACTS)
    of = ["--lake", str(lake), "--underlying", "SPX"]
    run(["rebuild", *of])
    told("--help", repeated(times, ["--help"]))
    told("versions", repeated(times, ["versions", "--lake", str(lake)]))
    told("regimes", repeated(times, ["regimes", *of]))
    told("sql", repeated(times, ["sql", "--lake", str(lake), "SELECT count(*) FROM regimes"]))
    told("profile", repeated(times, ["profile", *of]))
    told("rebuild, nothing new", repeated(times, ["rebuild", *of]))
    grown, more = folder / "grown", folder / "more"
    shutil.copytree(lake, grown)
    add_one_session(grown, SESSIONS, CONTRACTS)

    def again() -> None:
        shutil.rmtree(more, ignore_errors=True)
        shutil.copytree(grown, more)

    named = ["--lake", str(more), "--underlying", "SPX"]
    told("rebuild, one session more", repeated(times, ["rebuild", *named], again))
    tiny = make_lake(folder / "tiny", 1, 100)
    start = ["rebuild", "--lake", str(tiny), "--underlying", "SPX"]
    told(
        "rebuild, one session of 100 contracts",
        repeated(times, start, lambda: forget_rebuilt(tiny)),
    )


def nights(folder: Path, times: int) -> None:
    """Print what a second night with one new session takes, beside the backtest that it makes."""
    made = folder / "made"
    (made / "incoming").mkdir(parents=True)
    market = ["simulate", "--world", "S1", "--years", "2", "--seed", "5", "--lake"]
    run([*market, str(made / "source"), "--contracts", "300"])
    (made / "config.toml").write_text(NIGHT, encoding="utf-8")
    files = sorted((made / "source" / "chains").rglob("*.parquet"))
    rows = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
    last = pc.max(rows["session"])
    new = pc.equal(rows["session"], last)
    pq.write_table(rows.filter(pc.invert(new)), made / "incoming" / "old.parquet")
    pq.write_table(rows.filter(new), made / "new.parquet")
    run(["nightly", str(made / "config.toml")])
    night = folder / "night"

    def evening() -> None:
        shutil.rmtree(night, ignore_errors=True)
        shutil.copytree(made, night, symlinks=True)
        shutil.copy(night / "new.parquet", night / "incoming" / "new.parquet")

    told(
        "nightly, one session more",
        repeated(times, ["nightly", str(night / "config.toml")], evening),
    )
    unchanged = [run(["nightly", str(night / "config.toml")], code=3) for _ in range(times)]
    told("nightly, nothing new", unchanged)
    again = ["backtest", str(night / "config.toml"), "--out", str(folder / "backtest")]
    told("backtest of the same", repeated(times, again))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where everything is put for the time being")
    parser.add_argument("--without-first-run", action="store_true")
    asked = parser.parse_args()
    sys.stdout.write(f"{'median of ' + str(asked.times):52s} {'seconds':>8s} {'cpu':>8s}\n")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        if not asked.without_first_run:
            first_runs(folder, asked.times)
        told("demo", repeated(asked.times, ["demo", "--out", str(folder / "demo")]))
        commands(folder, asked.times)
        nights(folder, asked.times)


if __name__ == "__main__":
    main()
