"""What it costs to open a lake, beside opening one Delta table, and how many files it has.

    python tests/bench/bench_lake.py [--sessions 2520] [--names 2000] [--days 12]

Ratios and times of one run, best of five: an up-to-date rebuild, kernels loaded, over opening
the table of chains with the library `deltalake`, for the first time in a process and again; opening
a lake of many underlyings and finding one; files of a lake that grew by a session a day, before and
after `compact`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_universe import make
from deltalake import DeltaTable
from make_lake import session_tables

from gexlab.data import compact, open_lake, rebuild, write_sessions
from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.lake.records import CHAINS
from gexlab.data.lake.versions import table_files
from gexlab.data.lake.writer import lake_writer

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACTS = 40


def best(work: Callable[[], Any], times: int = 5) -> dict[str, float]:
    """Return the least seconds of some runs, by the clock and of the processor."""
    found = []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - began, time.process_time() - used))
    return {"clock": min(f[0] for f in found), "processor": min(f[1] for f in found)}


def up_to_date(lake: Path, sessions: int) -> dict[str, Any]:
    """Return what a rebuild with nothing to do takes, and what one Delta table does."""
    with lake_writer(open_lake(lake, create=True), "SPX") as writer:
        for rows in session_tables(sessions, CONTRACTS):
            writer.add(rows)
        writer.commit()
    assert rebuild(lake, "SPX", books=("post_expiry",)).rebuilt == sessions

    def again() -> None:
        assert rebuild(lake, "SPX", books=("post_expiry",)).rebuilt == 0

    def one_table() -> None:
        DeltaTable(str(lake / CHAINS)).file_uris()

    ours = best(again)
    first, table = best(one_table, 1), best(one_table)
    return {
        "sessions": sessions,
        "rebuild": ours,
        "one Delta table, first": first,
        "one Delta table": table,
        "over the first": ours["clock"] / first["clock"],
        "over the others": ours["clock"] / table["clock"],
    }


_OPEN = """
import json, sys, time
from gexlab.data import open_lake
began, used = time.perf_counter(), time.process_time()
lake = open_lake(sys.argv[1])
names = lake.underlyings()
held = lake.held(names[len(names) // 2]).sessions
print(json.dumps({"names": len(names), "clock": time.perf_counter() - began,
                  "processor": time.process_time() - used}))
"""


def opened(lake: Path, names: int) -> dict[str, Any]:
    """Return what opening a lake of many underlyings takes in a process that never saw it."""
    make(lake, names, 1)
    found = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", _OPEN, str(lake)], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout))
    assert found[0]["names"] == names
    return min(found, key=lambda one: one["clock"])


def _most(lake: Path) -> dict[str, int]:
    """Return the most files that a table has of one underlying, year and store."""
    opened, version = open_lake(lake), open_lake(lake).at()
    found = {}
    for table in (CHAINS, *TABLES):
        files = table_files(opened.root, version, table).values()
        counts = Counter(tuple(sorted(f.partition.items())) for f in files)
        found[table] = max(counts.values(), default=0)
    return found


def files(lake: Path, days: int) -> dict[str, Any]:
    """Return how many files a lake has that grew by a session a day."""
    for rows in session_tables(days, CONTRACTS):
        write_sessions(open_lake(lake, create=True), "SPX", rows)
        rebuild(lake, "SPX")
    before = _most(lake)
    compact(lake)
    return {"days": days, "before": before, "after": _most(lake)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sessions", type=int, default=2520)
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--days", type=int, default=12)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gexlab-lake-") as made:
        folder = Path(made)
        for name, found in (
            ("up to date", up_to_date(folder / "one", asked.sessions)),
            ("files", files(folder / "grown", asked.days)),
            ("open", opened(folder / "many", asked.names)),
        ):
            print(f"{name}: {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main()
