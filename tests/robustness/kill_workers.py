"""Kill workers, or the process that holds the scheduler, at random while a lake is rebuilt.

    python tests/robustness/kill_workers.py [--workers 100] [--scheduler 10] [--seed 1]
        [--store] [--share 0.05]

A lake of a dozen thin names is rebuilt by two local workers, again and again from the same state.
``--workers``: so many workers are killed in all, at random moments of as many runs as that takes;
each run must end with the rows of an undisturbed process, in one version of the lake.
``--scheduler``: the command itself, whose process holds the scheduler, is killed; the lake must be
the one before or the one after, and complete once the command is run again. Everything is verified
byte by byte. Exit code 1 where anything differs.

With ``--store`` the lake lies in an object store (moto's server), and ``--share`` of the requests
of command and workers fail: refused with 503, carried out and answered with 500, cut off in the
middle of the answer, or late. What is left is then looked at by a good way, and without a cache.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from make_lake import session_tables
from s3_store import BUCKET, bad_way, store, surroundings

from gexlab.data import open_lake, rebuild, regimes, verify, versions
from gexlab.data.lake.joint_commit import commit_together
from gexlab.data.lake.s3_client import bucket_of
from gexlab.data.lake.writer import lake_writers

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES, SESSIONS, CONTRACTS = 12, 20, 200


def told(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def make(folder: Path) -> None:
    """Write the lake."""
    with lake_writers(open_lake(folder, create=True)) as (writer_of, _):
        writers = []
        for number in range(NAMES):
            name = f"N{number:02}"
            writer = writer_of(name)
            for rows in session_tables(SESSIONS, CONTRACTS, seed=number):
                word = pa.array([name]).take(pa.array(np.zeros(len(rows), np.int32)))
                writer.add(rows.set_column(0, rows.schema.field(0), word))
            writer.finish()
            writers.append((writer, None))
        commit_together(writers)


@dataclass(slots=True)
class Ground:
    """Where lakes are hit.

    Attributes
    ----------
    folder : Path
        Of the lake as it is before, `base`, and of everything else.
    store, way : str
        Addresses of an object store, and of the bad way to it; empty: a disk.
    laid : int
        Lakes that were laid there.
    """

    folder: Path
    store: str = ""
    way: str = ""
    laid: int = 0

    @property
    def base(self) -> Path:
        """The lake before."""
        return self.folder / "base"

    def lay(self) -> Path | str:
        """Lay the lake before anew; return where."""
        self.laid += 1
        if not self.store:
            lake = self.folder / "hit"
            shutil.rmtree(lake, ignore_errors=True)
            shutil.copytree(self.base, lake)
            return lake
        with patch.dict(os.environ, self.surroundings(self.store)):
            bucket = bucket_of(BUCKET)
            for path in sorted(p for p in self.base.rglob("*") if p.is_file()):
                key = f"{self.laid}/{path.relative_to(self.base).as_posix()}"
                bucket.put(key, path.read_bytes())
        return f"s3://{BUCKET}/{self.laid}"

    def surroundings(self, address: str) -> dict[str, str]:
        """Return the environment of whoever goes to the lake by an address."""
        return surroundings(address, self.folder / f"cache-{self.laid}") if self.store else {}

    def started(self, lake: Path | str) -> subprocess.Popen[bytes]:
        """Start the command."""
        command = [str(Path(sys.executable).with_name("gexlab")), "rebuild", "--lake", str(lake)]
        with (self.folder / "said").open("wb") as said:
            return subprocess.Popen(
                [*command, "--underlying", "*", "--workers", "2", "--debug"],
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
                env={**os.environ, **self.surroundings(self.way)},
            )

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Let this process see what lies there, and not what a cache has of it."""
        more = self.surroundings(self.store)
        if more:
            more["GEXLAB_CACHE"] = str(self.folder / "looked-at")
            shutil.rmtree(self.folder / "looked-at", ignore_errors=True)
        with patch.dict(os.environ, more):
            yield


def workers_of(pid: int) -> list[int]:
    """Return the worker processes below a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                text = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(text[1])
    below, last = set(), {pid}
    while last:
        last = {child for child, parent in parents.items() if parent in last}
        below |= last
    found = []
    for child in below:
        with suppress(OSError):
            said = Path(f"/proc/{child}/cmdline").read_bytes()
            if said and b"resource_tracker" not in said:  # copies of the command, or new processes
                found.append(child)
    return sorted(found)


def differs(lake: Path | str, whole: pd.DataFrame, before: int) -> str | None:
    """Return what is wrong with a lake that has been rebuilt, None where nothing is."""
    if len(versions(lake)) != before + 1:
        return f"{len(versions(lake)) - before} versions were made instead of one"
    damaged = verify(lake).damaged
    if damaged:
        return str(damaged[0])
    try:
        pd.testing.assert_frame_equal(regimes(lake, "*"), whole, check_exact=True)
    except AssertionError as error:
        return str(error)
    return None


def kill_workers(ground: Ground, whole: pd.DataFrame, count: int, rng: random.Random) -> int:
    """Kill workers until there are enough of them; return how many runs failed."""
    killed = runs = wrong = 0
    before = len(versions(ground.base))
    while killed < count:
        lake = ground.lay()
        command, runs = ground.started(lake), runs + 1
        mine = rng.randint(1, min(3, count - killed))
        while command.poll() is None:
            time.sleep(rng.uniform(0.2, 1.5))
            there = workers_of(command.pid)
            if mine and there:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(there), signal.SIGKILL)
                    killed, mine = killed + 1, mine - 1
        if command.returncode:
            said = (ground.folder / "said").read_text(errors="replace")
            what: str | None = f"exit code {command.returncode}: {said[-3000:]}"
        else:
            with ground.looked_at():
                what = differs(lake, whole, before)
        wrong += what is not None
        told(f"run {runs}: {killed} workers killed, {what or 'identical'}")
    return wrong


def kill_scheduler(ground: Ground, whole: pd.DataFrame, count: int, rng: random.Random) -> int:
    """Kill the command so many times; return how often what it left was wrong."""
    wrong = 0
    before = len(versions(ground.base))
    for number in range(count):
        lake = ground.lay()
        command = ground.started(lake)
        with suppress(subprocess.TimeoutExpired):
            command.wait(rng.uniform(0.3, 3.0))
        with suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
        command.wait()
        with ground.looked_at():
            left = len(versions(lake)) - before
            harmed = verify(lake).damaged
        again = ground.started(lake)
        again.wait()
        with ground.looked_at():
            what = f"left {left} versions" if left not in (0, 1) else differs(lake, whole, before)
        what = str(harmed[0]) if harmed else what
        wrong += what is not None
        told(f"kill {number + 1}: {left} versions left, {what or 'identical'}")
    return wrong


def main() -> None:
    """Kill, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--scheduler", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", action="store_true", help="in an object store")
    parser.add_argument("--share", type=float, default=0.05, help="of its requests that fail")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="gexlab-kills-") as made, ExitStack() as stack:
        ground, alone = Ground(Path(made)), Path(made) / "alone"
        make(ground.base)
        shutil.copytree(ground.base, alone)
        rebuild(alone, "*")
        whole = regimes(alone, "*")
        counts: dict[str, int] = {}
        if asked.store:
            ground.store = stack.enter_context(store())
            way = bad_way(ground.store, asked.share, asked.seed)
            ground.way, counts = stack.enter_context(way)
        wrong = kill_workers(ground, whole, asked.workers, rng)
        wrong += kill_scheduler(ground, whole, asked.scheduler, rng)
        if counts:
            told(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    told(f"{wrong} wrong")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
