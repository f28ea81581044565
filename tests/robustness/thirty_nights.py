"""Thirty nights on real chains, one file a night, as a desk would have had them.

    python tests/robustness/thirty_nights.py CHAINS.parquet MAP.toml BARS.parquet --underlying SPX

Each session of the chains becomes a file of its own; those before the last thirty are there from
the first. Before each night one more file comes in; it begins when that file is public. Then
regimes are compared with those of a lake that is
rebuilt from nothing, every night is replayed and must give the same bytes, a revised file is
taken in and no file of the live record may change, and the median night is set against the start
of the program and a backtest alone. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from gexlab.backtest import load_config
from gexlab.data import ingest, rebuild, regimes
from gexlab.reports.nightly.nightly import nightly

CONFIG = """
[data]
lake = "lake"
underlying = "{underlying}"
bars = "bars.parquet"

[nightly]
paths = ["incoming/*.parquet"]
vendor = "columns"
map = "map.toml"
out = "nights"
"""


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file but ``run.json``."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink() and p.name != "run.json"
    }


def _prepared(folder: Path, given: argparse.Namespace) -> list[Path]:
    """Write configuration, bars and one file a session; return the files, the oldest first."""
    (folder / "incoming").mkdir()
    (folder / "waiting").mkdir()
    (folder / "config.toml").write_text(CONFIG.format(underlying=given.underlying))
    (folder / "map.toml").write_text(given.map.read_text(encoding="utf-8"))
    bars = pd.read_parquet(given.bars)
    names = {"date": "session", "o": "open", "h": "high", "l": "low", "c": "close"}
    bars.rename(columns=names).to_parquet(folder / "bars.parquet")
    chains = pq.read_table(given.chains).to_pandas()
    files = []
    for day, rows in chains.groupby(given.session):
        files.append(folder / "waiting" / f"{pd.Timestamp(str(day)):%Y-%m-%d}.parquet")
        rows.to_parquet(files[-1], index=False)
    for path in files[: -given.nights]:  # a history, before the first night
        path.rename(folder / "incoming" / path.name)
    return files[-given.nights :]


def _start_seconds() -> float:
    """Return how long the program takes to start, in a process of its own."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "gexlab.reports", "--help"], capture_output=True, check=True
    )
    return time.perf_counter() - begin


def _night(folder: Path, path: Path) -> tuple[float, Path]:
    """Take one more file in on the morning after its session; return seconds and the folder."""
    path.rename(folder / "incoming" / path.name)
    known = pq.read_table(folder / "incoming" / path.name, columns=["ts_utc"])["ts_utc"]
    public = pd.Timestamp(max(known.to_pylist())).to_pydatetime().replace(tzinfo=UTC)
    begin = time.process_time()
    made = nightly(folder / "config.toml", now=public + timedelta(minutes=10))
    assert made.session == path.stem, (made.session, path.stem, made.alerts)
    return time.process_time() - begin, made.folder


def _rebuilt_alike(folder: Path, given: argparse.Namespace) -> int:
    """Return the number of regime rows, which must be those of a lake made in one go."""
    whole = folder / "whole"
    files = sorted((folder / "incoming").glob("*.parquet"))
    ingest(files, vendor="columns", underlying=given.underlying, lake=whole,
           mapping=folder / "map.toml")  # fmt: skip
    rebuild(whole, given.underlying)
    rows = [regimes(lake, given.underlying) for lake in (folder / "lake", whole)]
    leave = ["source_fingerprint"]
    one, other = (r.drop(columns=leave).reset_index(drop=True) for r in rows)
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    return len(one)


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chains", type=Path)
    parser.add_argument("map", type=Path)
    parser.add_argument("bars", type=Path)
    parser.add_argument("--underlying", default="SPX")
    parser.add_argument("--session", default="quote_date", help="column of the session")
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--replays", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gexlab-thirty-") as name:
        folder = Path(name)
        said: dict[str, object] = {"start": _start_seconds()}
        made = [_night(folder, path) for path in _prepared(folder, given)]
        seconds = [took for took, _ in made]
        said |= {"nights": len(made), "first": seconds[0], "median": statistics.median(seconds)}
        sys.stderr.write(json.dumps(said) + "\n")
        record = digests(folder / "nights" / "record")
        said["regimes_equal"] = _rebuilt_alike(folder, given)
        sys.stderr.write(json.dumps(said) + "\n")
        before = {night.name: digests(night) for _, night in made}
        replays = [nightly(folder / "config.toml", as_of=n.name) for _, n in made[-given.replays :]]
        said["replayed"] = sum(r.replay is not None and r.replay.equal is True for r in replays)
        assert {night.name: digests(night) for _, night in made} == before
        assert digests(folder / "nights" / "record") == record, "a replay changed the record"
        sys.stderr.write(json.dumps(said) + "\n")
        said |= _revised(folder, record)
        begin = time.process_time()
        _backtest_alone(folder)
        said["backtest"] = time.process_time() - begin
    sys.stdout.write(json.dumps(said) + "\n")


def _backtest_alone(folder: Path) -> None:
    from gexlab.backtest import backtest

    backtest(load_config(folder / "config.toml"))


def _revised(folder: Path, record: dict[str, str]) -> dict[str, object]:
    """Revise open interest of an early session; no frozen file may change."""
    first = min((folder / "incoming").glob("*.parquet"))
    rows = pd.read_parquet(first)
    rows["oi"] = rows["oi"] * 2
    rows.to_parquet(folder / "incoming" / f"{first.stem}-revised.parquet", index=False)
    nightly(folder / "config.toml")
    after = digests(folder / "nights" / "record")
    kept = {k: v for k, v in record.items() if k != "last.json"}
    assert kept.items() <= after.items(), "a frozen file changed"
    return {"record_files": len(kept), "record_files_after": len(after) - 1}


if __name__ == "__main__":
    main()
