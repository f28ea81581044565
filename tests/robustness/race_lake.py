"""Let readers work while a writer replaces what they read: none may fail, nothing may be left.

    python tests/robustness/race_lake.py --seconds 45

Five processes share a lake for so many seconds: one replaces all sessions or the later ones over
and over and vacuums, the others rebuild, ask in SQL (every answer must be one state, never two),
look for findings, and read what was there more than ten commits ago. Prints one JSON document; exit
code 1 where somebody failed or a file was left behind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from gexlab.data import rebuild, vacuum, verify
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.parts import CHAIN_SCHEMA, part_rows, split_sessions
from gexlab.data.lake.writer import write_sessions
from gexlab.data.quality.check import findings
from gexlab.data.regimes.query import query

DAYS = (date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4))
ROLES = ("write", "rebuild", "ask", "check", "last")


def chain(days: tuple[date, ...], open_interest: float) -> Any:
    """Return six contracts a session, all with the same open interest."""
    rows = []
    for day in days:
        close = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
        row: dict[str, Any] = dict.fromkeys(CHAIN_SCHEMA.names)
        row |= {"underlying": "SPX", "session": day, "quote_ts": close, "settlement": "PM"}
        row |= {"expiry": day + timedelta(days=30), "expiry_ts": close + timedelta(days=30)}
        row |= {"open_interest": open_interest, "bid": 1.0, "ask": 1.5, "iv": 0.2, "spot": 100.0}
        row |= {"multiplier": 100.0, "known_at": close, "source": "made:1"}
        rows += [row | {"strike": 100.0 + k, "right": right} for k in range(3) for right in "CP"]
    return pa.Table.from_pylist(rows, schema=CHAIN_SCHEMA)


def turn(role: str, lake: Lake, number: int) -> None:
    """Do once what a process does."""
    if role == "write":
        write_sessions(lake, "SPX", chain(DAYS[number % 3 :], 10.0 + number % 50))
        if number % 5 == 4:
            vacuum(lake, grace=0.01)
    elif role == "rebuild":
        rebuild(lake, "SPX", side_tables=False)
    elif role == "ask":
        asked = "SELECT session, count(*) AS n, max(open_interest) - min(open_interest) AS spread"
        found = query(lake, f"{asked} FROM chains GROUP BY session ORDER BY session").to_pylist()
        assert found == [{"session": day, "n": 6, "spread": 0.0} for day in DAYS], found
    elif role == "last":
        last_longer(lake)
    else:
        findings(lake, "SPX")


def last_longer(lake: Lake) -> None:
    """Begin to read, wait for more than ten commits, and find what was there."""
    pinned, first = lake.as_of_now("SPX"), lake.at().number
    last, since = first, time.monotonic()
    while last <= first + 10 and time.monotonic() - since < 10.0:  # else the others have ended
        time.sleep(0.05)
        if lake.at().number > last:
            last, since = lake.at().number, time.monotonic()
    for entry in pinned.sessions("SPX"):
        (rows,) = split_sessions(part_rows(entry.file, [entry.session]))
        assert rows.fingerprint == entry.fingerprint, "rows of another state"


def race(root: Path, seconds: float) -> dict[str, Any]:
    """Let all work; return how often each did, who failed, and what is left behind."""
    lake = open_lake(root, create=True)
    write_sessions(lake, "SPX", chain(DAYS, 10.0))
    command = [sys.executable, __file__, "--root", str(root), "--seconds", str(seconds)]
    workers = {
        role: subprocess.Popen([*command, "--role", role], stdout=subprocess.PIPE, text=True)
        for role in ROLES
    }
    turns = {role: worker.communicate()[0].strip() for role, worker in workers.items()}
    vacuum(lake, retention=0.0, grace=0.0)
    left = set(root.glob("chains/**/*.parquet")) - set(lake.chain_files("SPX"))
    return {
        "turns": turns,
        "failed": [role for role, worker in workers.items() if worker.returncode],
        "left_behind": sorted(path.name for path in left),
        "damaged": len(verify(lake).damaged),
    }


def main() -> int:
    """Run the race, or one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role is None:
        with tempfile.TemporaryDirectory() as name:
            found = race(Path(name) / "lake", given.seconds)
        sys.stdout.write(json.dumps(found) + "\n")
        return 1 if found["failed"] or found["left_behind"] or found["damaged"] else 0
    lake, number, end = Lake(given.root), 0, time.monotonic() + given.seconds
    while time.monotonic() < end:
        turn(given.role, lake, number)
        number += 1
    sys.stdout.write(f"{number}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
