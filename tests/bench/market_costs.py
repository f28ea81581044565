"""What pieces of a universe cost this machine: processor time of workers and client, and requests.

Small universes of day files are ingested and rebuilt by the very code of workers, in this process:
each piece is timed alone, and what is left is the client's. Least squares without negative costs
then say what a piece, a name and year, a name and session, and a contract take.
"""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
import time
import tracemalloc
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "robustness"))

from make_universe import make_universe
from market_model import Costs, Machine
from s3_store import BUCKET, LATE, bad_way, store, surroundings
from scipy.optimize import nnls

from gexlab.data import Crew, Workers, ingest, open_lake, rebuild
from gexlab.data.ingest import spread
from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.regimes import many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

__all__ = ["Seen", "Universe", "fitted", "machine_measured"]


#: Many pieces that do nothing; prints processor seconds of this process and of the workers.
_NOTHING: Final = """
import resource, sys, time
from gexlab.data import Crew, Workers
workers, items = map(int, sys.argv[1:])
before = time.process_time()
with Crew(Workers(workers)) as crew:
    assert sum(crew.spread(abs, [0] * items)) == 0
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.process_time() - before, used.ru_utime + used.ru_stime)
"""


@dataclass(frozen=True, slots=True)
class Universe:
    """A small universe, and by how many workers' pieces it is read and rebuilt."""

    names: int
    sessions: int
    contracts: int
    workers: int

    @property
    def years(self) -> int:
        """Calendar years that its sessions reach into."""
        return 1 + (self.sessions - 1) // 252


UNIVERSES: Final = (
    Universe(8, 20, 50, 2), Universe(96, 10, 50, 2), Universe(6, 520, 20, 2),
    Universe(8, 20, 2000, 2), Universe(32, 20, 400, 3), Universe(48, 20, 200, 8),
    Universe(16, 20, 4000, 2),
)  # fmt: skip
#: Two whose results are weighed.
_WEIGHED: Final = (Universe(12, 5, 20, 2), Universe(12, 61, 20, 2))
#: Those that are read and written in a store.
_FAR: Final = (Universe(16, 3, 40, 2), Universe(36, 3, 40, 2), Universe(4, 260, 20, 2))
#: What a request is counted for, besides a piece or a command.
_OF: Final = ("", "_name", "_name_year")
HELD_OUT: Final = Universe(20, 60, 500, 2)


@dataclass(slots=True)
class Seen:
    """What one command took.

    Attributes
    ----------
    pieces : list of tuple
        Names, processor seconds, requests and requests in a row of each piece.
    client, publishing : float
        Processor seconds of the client, and those in which it published.
    requests : float
        Of the client.
    clock, client_clock : float
        Seconds of all pieces, and of the client, by the clock.
    results, memory : int
        Bytes of the results as they are sent, and as the client holds them.
    """

    pieces: list[tuple[int, float, float]] = field(default_factory=list)
    client: float = 0.0
    publishing: float = 0.0
    requests: float = 0.0
    clock: float = 0.0
    client_clock: float = 0.0
    results: int = 0
    memory: int = 0


def observed(
    folder: Path,
    universe: Universe,
    *,
    far: tuple[str, Callable[[], float]] | None = None,
    weigh: bool = False,
) -> dict[str, Seen]:
    """Ingest and rebuild a universe piece by piece; return what each command took.

    Parameters
    ----------
    folder : Path
    universe : Universe
    far : tuple, optional
        Address of a lake in a store, and what counts the requests to it.
    weigh : bool
        Whether the memory of results is measured, which takes time of its own.

    Returns
    -------
    dict of str to Seen
        By command.
    """
    file, mapping = make_universe(folder, universe.names, universe.sessions, universe.contracts)
    days = _by_day(file)
    place, counted = far or (str(folder / f"lake-{file.stem}-{universe.workers}"), lambda: 0.0)
    crew = Workers(universe.workers) if universe.workers > 1 else Workers(2)
    found = {}
    for name, function in (
        ("ingest", lambda: ingest([days], vendor="columns", underlying="*", lake=place,
                                  mapping=mapping, workers=crew)),
        ("rebuild", lambda: rebuild(place, "*", workers=crew)),
    ):  # fmt: skip
        seen = found[name] = Seen()
        began, before, asked = time.perf_counter(), time.process_time(), counted()
        with _timed(seen, counted, weigh=weigh):
            function()
        seen.client = time.process_time() - before - sum(p[1] for p in seen.pieces)
        seen.client_clock = time.perf_counter() - began - seen.clock
        seen.requests = counted() - asked - sum(p[2] for p in seen.pieces)
    return found


def _by_day(file: Path) -> Path:
    """Write each session of a file into one of its own, as vendors send them."""
    folder = file.with_suffix("")
    if not folder.exists():
        folder.mkdir()
        rows = pq.read_table(file)
        day = rows.column("quote_date")
        for one in pc.unique(day).to_pylist():
            pq.write_table(rows.filter(pc.equal(day, one)), folder / f"{one}.parquet")
    return folder


@contextmanager
def _timed(seen: Seen, counted: Callable[[], float], *, weigh: bool) -> Iterator[None]:
    """Do pieces here, one after the other, packed as on the way to and from a worker."""

    def here(_: Crew, function: Any, items: Sequence[Any], **__: Any) -> Iterator[Any]:
        for item in items:
            sent = pickle.dumps(item)
            began, before, asked = time.perf_counter(), time.process_time(), counted()
            done = pickle.dumps(function(pickle.loads(sent)))
            names = len(item.ones if hasattr(item, "ones") else item.pieces)
            seen.pieces.append((names, time.process_time() - before, counted() - asked))
            seen.clock += time.perf_counter() - began
            seen.results += len(done)
            if weigh:
                tracemalloc.start()
            result = pickle.loads(done)
            if weigh:
                seen.memory += tracemalloc.get_traced_memory()[0]
                tracemalloc.stop()
            yield result

    def publishing(plain: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **more: Any) -> Any:
            before = time.process_time()
            try:
                return plain(*args, **more)
            finally:
                seen.publishing += time.process_time() - before

        return told

    with ExitStack() as stack:
        for module, name in ((many, "commit_stores"), (_many_of_ingest(), "commit_together")):
            stack.enter_context(patch.object(module, name, publishing(getattr(module, name))))
        stack.enter_context(patch.object(Crew, "spread", here))
        stack.enter_context(patch.object(spread, "_LEAST_ROWS", 1))
        yield


def _many_of_ingest() -> Any:
    from gexlab.data.ingest import many as module

    return module


def _design(command: str, universe: Universe, pieces: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return what each piece is made of: 1, files, rows looked at, names and years, ..."""
    of = []
    for names in pieces:
        sessions = names * universe.sessions
        looked = [0.0, 0.0]
        if command == "ingest":
            whole = universe.names * universe.sessions * universe.contracts
            looked = [universe.sessions, (whole - sessions * universe.contracts) / 1e6]
        of.append(
            [
                1,
                *looked,
                names,
                names * universe.years,
                sessions,
                sessions * universe.contracts / 1e6,
            ]
        )
    return np.array(of, np.float64)


def _client(command: str, universe: Universe) -> list[float]:
    sessions = universe.names * universe.sessions
    rows = sessions * universe.contracts / 1e6 if command == "ingest" else 0.0
    return [1.0, universe.names, universe.names * universe.years, sessions, rows]


def _per_piece(command: str, costs: Costs, universe: Universe, pieces: Sequence[int]) -> float:
    """Return what costs say all pieces of a universe take."""
    return float((_design(command, universe, pieces) @ np.array(costs.of_workers)).sum())


def fitted(command: str, found: Sequence[tuple[Universe, Seen]]) -> Costs:
    """Return the costs that fit what was seen, each piece weighed by what it took."""
    rows, took, client, used = [], [], [], []
    for universe, seen in found:
        rows.append(_design(command, universe, [p[0] for p in seen.pieces]))
        took += [p[1] for p in seen.pieces]
        client.append(_client(command, universe))
        used.append(seen.client)
    return Costs(
        *_least(np.vstack(rows), np.array(took)), *_least(np.array(client), np.array(used))
    )


def _least(rows: npt.NDArray[np.float64], took: npt.NDArray[np.float64]) -> list[float]:
    """Return costs, none negative, whose relative errors are least in squares."""
    scale = np.where(rows.max(axis=0) > 0, rows.max(axis=0), 1.0)
    weight = np.maximum(took, 0.01 * took.max())
    found, _ = nnls(rows / scale / weight[:, None], took / weight)
    return [float(x) for x in found / scale]


def predicted(command: str, costs: Costs, universe: Universe, seen: Seen) -> tuple[float, float]:
    """Return what a command was to take by the costs, and what it took: workers and client."""
    said = _per_piece(command, costs, universe, [p[0] for p in seen.pieces])
    said += float(np.dot(_client(command, universe), costs.of_client))
    return said, sum(p[1] for p in seen.pieces) + seen.client


def requests(folder: Path) -> tuple[dict[str, dict[str, float]], float, float]:
    """Return what each command asks of a store, and how many requests go at a time.

    The latter by the clock, of a piece and of the client: a universe is rebuilt again with every
    answer late.
    """
    runs: list[tuple[Universe, dict[str, Seen]]] = []
    with store() as address:
        for number, universe in enumerate((*_FAR, _FAR[0])):
            late = float(number == len(_FAR))
            with bad_way(address, late, 1, ("late",)) as (way, told):
                more = surroundings(way, folder / f"cache-{number}")
                with patch.dict(os.environ, more):
                    far = (f"s3://{BUCKET}/{number}", lambda: float(told["requests"]))
                    runs.append((universe, observed(folder, universe, far=far)))
    said = {}
    for command in ("ingest", "rebuild"):
        seen = [(universe, found[command]) for universe, found in runs[:-1]]
        pieces = [(1.0, p[0], p[0] * u.years) for u, one in seen for p in one.pieces]
        asked = [p[2] for _, one in seen for p in one.pieces]
        client = [(1.0, u.names, u.names * u.years) for u, _ in seen]
        own = [one.requests for _, one in seen]
        each = (
            *_least(np.array(pieces), np.array(asked)),
            *_least(np.array(client), np.array(own)),
        )
        keys = (f"{who}requests{what}" for who in ("", "client_") for what in _OF)
        said[command] = dict(zip(keys, each, strict=True))
    plain, late_ones = runs[0][1]["rebuild"], runs[-1][1]["rebuild"]
    waited = late_ones.clock - plain.clock
    own_wait = late_ones.client_clock - plain.client_clock
    of_pieces = sum(p[2] for p in late_ones.pieces)
    return said, LATE * of_pieces / waited, LATE * late_ones.requests / own_wait


def tasks() -> tuple[float, float, float]:
    """Return processor seconds of the client's start, of its piece, and of a worker's start.

    In a program that imports nothing else: workers import what the program's own file does.
    """
    runs = []
    for workers, items in ((2, 100), (2, 1100), (4, 100)):
        command = [sys.executable, "-c", _NOTHING, str(workers), str(items)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(tuple(map(float, done.stdout.split())))
    (start, below), (more, _), (_, four) = runs
    piece = (more - start) / 1000
    return start - 100 * piece, piece, (four - below) / 2


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def publication(folder: Path) -> tuple[float, float]:
    """Return seconds of a version with four names: of a lake of few files, and per file held."""
    from bench_universe import make

    found = []
    for names in (10, 120):
        lake = folder / f"held-{names}"
        make(lake, names, 25)
        rebuild(lake, "N0000")
        seen = Seen()
        with _timed(seen, lambda: 0.0, weigh=False):
            rebuild(lake, "N000[1-4]", workers=Workers(2))
        files = sum(1 for _ in open_lake(lake).root.rglob("*.parquet"))
        found.append((files, seen.publishing))
    (few, short), (most, long) = found
    return short, max(0.0, (long - short) / (most - few))


def measured(folder: Path, say: Callable[[str], None]) -> dict[str, Costs]:
    """Fit costs on this machine and hold them against a universe that was not fitted."""
    observed(folder, Universe(2, 3, 20, 2))  # what is loaded and compiled once
    found: dict[str, list[tuple[Universe, Seen]]] = {"ingest": [], "rebuild": []}
    for universe in UNIVERSES:
        for command, seen in observed(folder, universe).items():
            found[command].append((universe, seen))
    costs = {command: fitted(command, runs) for command, runs in found.items()}
    for command, seen in observed(folder, HELD_OUT).items():
        said, took = predicted(command, costs[command], HELD_OUT, seen)
        say(
            f"{command} of {HELD_OUT.names} names, {HELD_OUT.sessions} sessions, "
            f"{HELD_OUT.contracts} contracts, not fitted: {said:.2f} s predicted, "
            f"{took:.2f} s taken ({said / took - 1:+.0%})"
        )
    return costs


def memory(folder: Path) -> dict[str, dict[str, float]]:
    """Return what the client holds of a name's year and session, and files of a name's year."""
    runs = [(one, observed(folder, one, weigh=True)) for one in _WEIGHED]
    said = {}
    for command in ("ingest", "rebuild"):
        made = np.array([(u.names * u.years, u.names * u.sessions) for u, _ in runs], np.float64)
        held = np.array([seen[command].memory / 1024 for _, seen in runs])
        year, session = _least(made, held)
        said[command] = {"kilobytes_name_year": year, "kilobytes_name_session": session}
    one = _WEIGHED[0]
    lake = folder / f"lake-universe-{one.names}x{one.sessions}x{one.contracts}-{one.workers}"
    files = [f for f in lake.rglob("*.parquet") if "_delta_log" not in f.parts]
    tables = [f for f in files if f.relative_to(lake).parts[0] in TABLES]
    said["rebuild"]["files_name_year"] = len(tables) / (one.names * one.years)
    return said


def first(folder: Path, start: float) -> float:
    """Return what a worker's first piece takes beyond its second."""
    file, mapping = make_universe(folder, 8, 3, 21)
    places = [folder / "first-here", folder / "first-there"]
    for place in places:
        ingest([file], vendor="columns", underlying="*", lake=place, mapping=mapping)
    seen = Seen()
    with _timed(seen, lambda: 0.0, weigh=False):
        rebuild(places[0], "*", workers=Workers(2))
    before = _children()
    rebuild(places[1], "*", workers=Workers(2))
    return (_children() - before - sum(p[1] for p in seen.pieces)) / 2 - start


def machine_measured(folder: Path, say: Callable[[str], None]) -> Machine:
    """Measure everything that the model needs on this machine."""
    costs = measured(folder, say)
    asked, at_once, client_at_once = requests(folder)
    held = memory(folder)
    client, task, start = tasks()
    version, held_file = publication(folder)
    say(f"client of local workers {client:.2f} s, version of a small lake {1000 * version:.1f} ms")
    whole = {
        name: replace(
            costs[name],
            **asked[name],
            **held[name],
        )
        for name in costs
    }  # fmt: skip
    return Machine(
        whole["ingest"],
        whole["rebuild"],
        task,
        start,
        first(folder, start),
        held_file,
        at_once,
        client_at_once,
    )
