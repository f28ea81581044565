"""Break a night in the middle, many times, and look at what the next night makes of it.

    python tests/robustness/break_night.py kill --points 300 --seed 1
    python tests/robustness/break_night.py term --points 100 --seed 1
    python tests/robustness/break_night.py disk --points 50 --seed 1

A night ingests new sessions, rebuilds, backtests, reports, archives and publishes. ``kill`` sends
SIGKILL: to every other night after a random time, to the others at a random one of the file
operations that the interpreter reports. ``term`` sends SIGTERM likewise. ``disk`` lets no file grow
beyond a random size. After each the folder of nights is looked at as a reader would: what is
called the latest is whole. Then the next night runs, and what stands must be, byte for byte, what
an undisturbed night leaves, but for times in ``run.json`` and in the ledger of trials. Prints one
JSON document.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from forked import fork, waited, watched

from gexlab.data.base.errors import GexlabError
from gexlab.data.simulate import simulate
from gexlab.reports.nightly.nightly import nightly
from gexlab.reports.nightly.nights import nights_of

#: What says when it was and how long it took, and the lock's own file.
_TIMES = ("run.json", ".night")

CONFIG = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "source/bars.parquet"

[inference]
bootstrap = 100

[nightly]
paths = ["incoming/*.parquet"]
out = "nights"
"""


def _night(folder: Path) -> Callable[[], int]:
    return lambda: nightly(folder / "config.toml").exit_code


def made(folder: Path) -> Path:
    """Return a folder in which one night has run and new chains have come."""

    def make() -> int:
        simulate("S1", years=0.12, seed=5, lake=folder / "source", contracts=200, intraday=None)
        (folder / "incoming").mkdir()
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
        chains = pq.read_table(sorted((folder / "source" / "chains").rglob("*.parquet"))[0])
        days = chains["session"].to_pylist()
        cut = sorted(set(days))[-2]
        pq.write_table(chains.filter([d < cut for d in days]), folder / "incoming" / "old.parquet")
        assert nightly(folder / "config.toml").exit_code == 0
        pq.write_table(chains.filter([d >= cut for d in days]), folder / "incoming" / "new.parquet")
        return 0

    assert waited(fork(make)) == 0
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """Return the digest of every file of the nights, links by where they lead."""
    out = folder / "nights"
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif name.startswith("inputs/nights/"):
            note = json.loads(path.read_text(encoding="utf-8"))
            note = {k: v for k, v in note.items() if k not in ("created_at", "sha256")}
            found[name] = json.dumps(note, sort_keys=True)
        elif path.is_file() and path.name not in _TIMES:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def looked_at(folder: Path) -> str:
    """Return what a reader finds in between; what is called the latest must be whole."""
    out = folder / "nights"
    latest = out / "latest"
    nights = {night.name: night for night in nights_of(out)}
    assert latest.resolve().name in nights, "the latest is no night"
    assert not nights[latest.resolve().name].damaged, "the latest is not as it was written"
    said = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert said["status"] in ("fresh", "failed"), said["status"]
    return f"{len(nights)} nights, run.json {said['status']}"


@contextmanager
def world() -> Iterator[tuple[Path, dict[str, str], float, int]]:
    """Give a folder before the night, what an undisturbed night leaves, its time and operations."""
    with tempfile.TemporaryDirectory(prefix="gexlab-break-") as name:
        base = made(Path(name) / "base")
        copy = Path(name) / "undisturbed"
        shutil.copytree(base, copy, symlinks=True)
        count = Path(name) / "operations"

        def counted() -> int:
            code, operations = watched(0, signal.SIGKILL, _night(copy))
            count.write_text(str(operations))
            return code

        start = time.monotonic()
        assert waited(fork(counted)) == 0
        took = time.monotonic() - start
        yield base, outputs(copy), took, int(count.read_text())


def check(folder: Path, wanted: dict[str, str], signum_code: int) -> str:
    """Return what was left, having run the next night on top of it."""
    left = looked_at(folder)
    code = waited(fork(_night(folder)))
    assert code in (0, 3), f"the next night ended with {code} after {signum_code}"
    found = outputs(folder)
    moved = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
    if moved:
        told = "; ".join(f"{k}: {found.get(k)} for {wanted.get(k)}" for k in moved)
        raise AssertionError(f"not what an undisturbed night leaves: {told}")
    return left


def signalled(signum: int, points: int, seed: int) -> Counter[str]:
    """Send a signal to nights at random points."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, took, operations):
        for i in range(points):
            folder = base.parent / f"n{i}"
            shutil.copytree(base, folder, symlinks=True)
            if i % 2:
                pid = fork(_night(folder))
                time.sleep(draw.uniform(0, took * 1.05))
                os.kill(pid, signum)
                code = waited(pid)
            else:
                at = draw.randint(1, operations)
                code = waited(fork(lambda: watched(at, signum, _night(folder))[0]))  # noqa: B023
            found["ended by it" if code == -signum else f"exit code {code}"] += 1
            found[check(folder, wanted, code)] += 1
            shutil.rmtree(folder)
    return found


def disk(points: int, seed: int) -> Counter[str]:
    """Let no file grow beyond a random size."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, _, _):
        sizes = [p.stat().st_size for p in base.rglob("*") if p.is_file()]
        for i in range(points):
            folder = base.parent / f"n{i}"
            shutil.copytree(base, folder, symlinks=True)
            # as often below as above every size that files have
            limit = round(draw.choice(sizes) * draw.choice((0.5, 0.9, 1.1, 2.0)))
            code = waited(fork(_limited(limit, _night(folder))))
            assert code in (0, 1), f"exit code {code} at {limit} bytes"
            found["failed" if code else "finished"] += 1
            found[check(folder, wanted, code)] += 1
            shutil.rmtree(folder)
    return found


def _limited(limit: int, work: Callable[[], int]) -> Callable[[], int]:
    def limited() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            return work()
        except GexlabError as error:
            return 1 if "\n" not in str(error) else 71

    return limited


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("kill", "term", "disk"))
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    how = {"kill": signal.SIGKILL, "term": signal.SIGTERM}
    if given.what == "disk":
        found = disk(given.points, given.seed)
    else:
        found = signalled(how[given.what], given.points, given.seed)
    sys.stdout.write(json.dumps({"what": given.what, "points": given.points, **found}) + "\n")


if __name__ == "__main__":
    main()
