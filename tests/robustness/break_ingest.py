"""Break an ingest in the middle, many times, and look at what is left of the lake.

    python tests/robustness/break_ingest.py kill --points 200 --seed 1
    python tests/robustness/break_ingest.py disk --points 50 --seed 1
    python tests/robustness/break_ingest.py full --points 20 --seed 1

``kill`` sends SIGKILL: to every other child after a random time, to the others at a random one of
the file operations that the interpreter reports. ``disk`` lets no file grow beyond a random size.
``full`` works on a small tmpfs that runs full (needs the right to mount). Each time the lake must
hold the state before or the state after, every row readable and every fingerprint right; the next
ingest must succeed and leave nothing behind. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from forked import fork, waited, watched

from gexlab.data.base.errors import LakeError
from gexlab.data.ingest.calendar_tables import calendar_tables
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.housekeeping import vacuum, versions
from gexlab.data.lake.lake import Lake
from gexlab.data.lake.parts import part_rows, split_sessions
from gexlab.data.lake.verify import verify
from gexlab.data.lake.versions import table_files, version_at
from gexlab.data.vendors import vendor

State = tuple[tuple[object, ...], ...]

BEFORE = ("2022-12-28", "2022-12-29", "2022-12-30")
AFTER = ("2022-12-29", "2022-12-30", "2023-01-03", "2023-01-04")
MAP = """
[columns]
session = "session"
expiry = "expiry"
strike = "strike"
right = "right"
open_interest = "oi"
iv = "iv"
spot = "spot"
[timing]
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""


def write_chain(path: Path, days: tuple[str, ...], rows: int, oi: float) -> None:
    """Write a vendor's file: so many rows for each of the days."""
    count = rows * len(days)
    columns = {
        "session": [day for day in days for _ in range(rows)],
        "expiry": ["2023-03-17"] * count,
        "strike": [1000.0 + i // 2 for _ in days for i in range(rows)],
        "right": ["C" if i % 2 else "P" for _ in days for i in range(rows)],
        "oi": [oi + i % 7 for _ in days for i in range(rows)],
        "iv": [0.1 + (i % 89) / 100 for _ in days for i in range(rows)],
        "spot": [4000.0] * count,
    }
    pq.write_table(pa.table(columns), path)


def run(folder: Path, lake: Path, name: str) -> None:
    """Ingest one of the prepared files."""
    ingest(
        [folder / name], vendor="columns", underlying="SPX", lake=lake, mapping=folder / "map.toml"
    )


def state_of(root: Path) -> State:
    """Return what a reader sees, having checked every row against its fingerprint."""
    seen = []
    for entry in Lake(root).manifest("SPX").sessions:
        (found,) = split_sessions(part_rows(entry.file, [entry.session]))
        assert (found.fingerprint, found.rows.num_rows) == (entry.fingerprint, entry.rows)
        seen.append((entry.session, entry.rows, entry.fingerprint, entry.sources))
    return tuple(seen)


def leftovers(root: Path) -> set[Path]:
    """Return the files in a lake that belong to none of its versions, after its housekeeping."""
    vacuum(root, grace=0.0)
    known: set[Path] = set()
    for version in versions(root):
        at = version_at(root, version.version)
        for name in at.tables:
            known |= {root / name / path for path in table_files(root, at, name)}
    found = {path for path in root.rglob("*") if path.is_file()} - known
    return {
        path for path in found if "_delta_log" not in path.parts and path.parts[-2] != "versions"
    }


def warm_up() -> None:
    """Load here what every child would have to load, so that points fall on the ingest itself."""
    calendar_tables(vendor("columns").timing)


@contextmanager
def world(rows: int) -> Iterator[tuple[Path, State, State]]:
    """Give a folder with files, a filled lake ``base``, and the two states that are allowed."""
    warm_up()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "map.toml").write_text(MAP)
        write_chain(folder / "before.parquet", BEFORE, rows, 10.0)
        write_chain(folder / "after.parquet", AFTER, rows, 20.0)
        # in a child, so that this process stays free of threads and can be forked
        for lake, files in {"base": ("before",), "done": ("before", "after")}.items():
            for file in files:
                assert waited(fork(_task(folder, folder / lake, f"{file}.parquet"))) == 0
        yield folder, state_of(folder / "base"), state_of(folder / "done")


def _task(folder: Path, lake: Path, name: str) -> Callable[[], int]:
    def work() -> int:
        run(folder, lake, name)
        return 0

    return work


def _killed_after(seconds: float, work: Callable[[], int]) -> int:
    pid = fork(work)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return waited(pid)


def _killed_at(operation: int, work: Callable[[], int]) -> int:
    return waited(fork(lambda: watched(operation, signal.SIGKILL, work)[0]))


def _measured(folder: Path, scratch: Path) -> tuple[float, int]:
    """Return how long an undisturbed ingest takes and how many file operations it reports."""
    shutil.copytree(folder / "base", scratch)
    count = folder / "operations"

    def counted() -> int:
        code, operations = watched(0, signal.SIGKILL, _task(folder, scratch, "after.parquet"))
        count.write_text(str(operations))
        return code

    start = time.monotonic()
    assert waited(fork(counted)) == 0
    took = time.monotonic() - start
    shutil.rmtree(scratch)
    return took, int(count.read_text())


def check(root: Path, before: State, after: State, folder: Path) -> str:
    """Return which of the two states is left, having ingested again on top of it."""
    left = state_of(root)
    assert left in (before, after), "half a state"
    assert waited(fork(_task(folder, root, "after.parquet"))) == 0, "the next ingest failed"
    assert state_of(root) == after, "the next ingest does not complete the state"
    assert not leftovers(root), f"left behind: {leftovers(root)}"
    assert not verify(root).damaged, "damaged"
    return "before" if left == before else "after"


def kill(points: int, seed: int, rows: int) -> Counter[str]:
    """Kill ingests at random points; return how often which state was left."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world(rows) as (folder, before, after):
        took, operations = _measured(folder, folder / "scratch")
        for i in range(points):
            root = folder / f"lake{i}"
            shutil.copytree(folder / "base", root)
            work = _task(folder, root, "after.parquet")
            if i % 2:
                code = _killed_after(draw.uniform(0, took * 1.05), work)
            else:
                code = _killed_at(draw.randint(1, operations), work)
            found["killed" if code == -signal.SIGKILL else "finished"] += 1
            found[check(root, before, after, folder)] += 1
            shutil.rmtree(root)
    return found


def disk(points: int, seed: int, rows: int) -> Counter[str]:
    """Let no file grow beyond a random size; return how often which state was left."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world(rows) as (folder, before, after):
        largest = max(p.stat().st_size for p in (folder / "done").rglob("*") if p.is_file())
        for i in range(points):
            root = folder / f"lake{i}"
            shutil.copytree(folder / "base", root)
            limit = draw.randint(0, int(largest * 1.2))
            code = waited(fork(_limited(limit, _task(folder, root, "after.parquet"))))
            assert code in (0, 3), f"exit code {code} at {limit} bytes"
            found["failed" if code else "finished"] += 1
            found[check(root, before, after, folder)] += 1
            shutil.rmtree(root)
    return found


def _limited(limit: int, work: Callable[[], int]) -> Callable[[], int]:
    def limited() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return _expecting_lake_error(work)

    return limited


def _expecting_lake_error(work: Callable[[], int]) -> int:
    """Return 3 where the ingest failed with the error that it should fail with."""
    try:
        return work()
    except LakeError as error:
        told = str(error)
        return 3 if "\n" not in told and "free some space" in told else 71


def full(points: int, seed: int, rows: int) -> Counter[str]:
    """Run a file system full; return how often which state was left."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world(rows) as (folder, before, after):
        need = sum(p.stat().st_size for p in (folder / "done").rglob("*") if p.is_file())
        mount = folder / "mount"
        mount.mkdir()
        for _ in range(points):
            with _tmpfs(mount, 4 * need + (1 << 20)):
                root = mount / "lake"
                shutil.copytree(folder / "base", root)
                filler = _fill(mount / "filler", draw.randint(0, 3 * need))
                work = _task(folder, root, "after.parquet")
                code = waited(fork(lambda work=work: _expecting_lake_error(work)))  # type: ignore[misc]
                assert code in (0, 3), f"exit code {code}"
                filler.unlink()
                found["failed" if code else "finished"] += 1
                found[check(root, before, after, folder)] += 1
    return found


def _fill(path: Path, leave: int) -> Path:
    free = shutil.disk_usage(path.parent).free
    path.write_bytes(bytes(max(free - leave, 0)))
    return path


@contextmanager
def _tmpfs(mount: Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("kill", "disk", "full"))
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=20_000, help="per session")
    given = parser.parse_args()
    how = {"kill": kill, "disk": disk, "full": full}[given.what]
    found = how(given.points, given.seed, given.rows)
    sys.stdout.write(json.dumps({"what": given.what, "points": given.points, **found}) + "\n")


if __name__ == "__main__":
    main()
