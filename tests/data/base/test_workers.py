"""Work that is spread gives the results of one process, whatever becomes of workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from gexlab.data import ConfigError, Crew, InputFileError, Workers, WorkersError
from gexlab.data.base import workers


def squared(n: int) -> int:
    return n * n


def refused(n: int) -> int:
    if n == 3:
        raise InputFileError("a.csv: line 3: no number")
    return n


def dies_once(job: tuple[str, int]) -> int:
    """End the process that works on the first item, the first time that it is tried."""
    mark, n = job
    if n == 0 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def always_dies(n: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return n


def test_in_this_process_nothing_is_needed() -> None:
    seen: list[tuple[int, int | None, str]] = []
    with Crew() as crew:
        found = crew.spread(
            lambda n: n * n, range(4), progress=lambda *a: seen.append(a), named="item {}".format
        )
        assert list(found) == [0, 1, 4, 9]
    assert seen == [(i + 1, 4, f"item {i}") for i in range(4)]


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ConfigError, match="workers: expected at least 1, found 0"):
        Workers(0)
    with pytest.raises(ConfigError, match="a scheduler has workers of its own"):
        Workers(2, "tcp://127.0.0.1:8786")


def test_two_workers_give_the_same_and_a_lost_one_costs_nothing(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    said: list[str] = []
    with Crew(Workers(2)) as crew:
        jobs = [(str(tmp_path / "mark"), n) for n in range(40)]
        found = crew.spread(dies_once, jobs, progress=lambda _, __, what="": said.append(what))
        assert list(found) == [n * n for n in range(40)]
        assert (tmp_path / "mark").exists()
        # the same workers do other work; an error of a piece is that of the program
        assert list(crew.spread(squared, range(3))) == [0, 1, 4]
        with pytest.raises(InputFileError, match=r"a\.csv: line 3: no number"):
            list(crew.spread(refused, range(6)))
    assert said[0].startswith("dashboard http://127.0.0.1:")
    assert len(said) == 41


@pytest.mark.parametrize(("there", "reckoned"), [((1, 1), 8), ((2,) * 64, 128)])
def test_as_many_workers_are_reckoned_with_as_a_scheduler_has(
    there: tuple[int, ...], reckoned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with eight where it has few or is lost just then: more may come."""
    pytest.importorskip("distributed")
    threads = {f"tcp://{i}": n for i, n in enumerate(there)}
    client = SimpleNamespace(nthreads=lambda: threads, dashboard_link="", run=lambda _: {})
    monkeypatch.setattr(workers, "_client", lambda *_: nullcontext(client))
    crew = Crew(Workers(scheduler="tcp://127.0.0.1:1"))
    assert crew.size() == reckoned
    monkeypatch.setattr(client, "nthreads", lambda: (_ for _ in ()).throw(TimeoutError))
    assert crew.size() == 8
    assert Crew(Workers(3)).size() == 3


def test_a_piece_that_kills_its_workers_is_blamed() -> None:
    pytest.importorskip("distributed")
    with Crew(Workers(2)) as crew, pytest.raises(WorkersError, match="most often they lack memory"):
        list(crew.spread(always_dies, [1]))


def slow_square(n: int) -> int:
    time.sleep(0.05)
    return n * n


@pytest.mark.slow
def test_a_scheduler_that_is_started_again_costs_nothing_but_time(tmp_path: Path) -> None:
    """Nothing is lost and nothing given twice; the workers come back on their own."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    boss, hand = _scheduler(address), _worker(address)
    kills = 0
    try:
        with Crew(Workers(scheduler=address)) as crew:
            found = []
            for result in crew.spread(slow_square, range(120)):
                found.append(result)
                if len(found) % 40 == 20 and kills < 3:
                    kills += 1
                    for process in (boss, hand):
                        process.kill()
                        process.wait()
                    boss, hand = _scheduler(address), _worker(address)
        assert found == [n * n for n in range(120)]
        assert kills == 3
    finally:
        for process in (boss, hand):
            process.kill()
            process.wait()


def _scheduler(address: str) -> subprocess.Popen[bytes]:
    code = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--no-dashboard",
        "--no-jupyter",
    ]
    return subprocess.Popen(
        [*code, "--port", address.rpartition(":")[2]], stderr=subprocess.DEVNULL
    )


def _worker(address: str) -> subprocess.Popen[bytes]:
    code = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny"]
    return subprocess.Popen([*code, "--nthreads", "1", "--no-dashboard"], stderr=subprocess.DEVNULL)


def test_workers_are_watched_less_unless_dask_is_told_otherwise() -> None:
    dask = pytest.importorskip("dask")
    key, tick = "distributed.worker.profile.enabled", "distributed.admin.tick.interval"
    with workers._little_watching():
        assert dask.config.get(key) is False
        assert dask.config.get(tick) == "1s"
    assert dask.config.get(key) is True
    with dask.config.set({tick: "100ms"}), workers._little_watching():
        assert dask.config.get(tick) == "100ms"


def test_workers_keep_freed_memory_unless_dask_is_told_otherwise() -> None:
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    key = "distributed.nanny.pre-spawn-environ"
    before = dict(dask.config.get(key))
    with workers._roomy_allocator():
        # what docs/performance.md has workers of a standing cluster started with
        assert dask.config.get(key)["MALLOC_TRIM_THRESHOLD_"] == "268435456"
        assert dask.config.get(key)["MALLOC_MMAP_THRESHOLD_"] == "33554432"
        assert dask.config.get(key)["OMP_NUM_THREADS"] == before["OMP_NUM_THREADS"]
    assert dask.config.get(key) == before
    said = {**before, "MALLOC_TRIM_THRESHOLD_": 1_000_000}
    with dask.config.set({key: said}), workers._roomy_allocator():
        assert dask.config.get(key) == said


def test_a_worker_that_is_lost_while_it_starts_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The local cluster cannot be made while one of its workers is killed: Dask's RuntimeError."""
    distributed = pytest.importorskip("distributed")
    tries: list[int] = []

    def failing(n_workers: int, **_: object) -> None:
        tries.append(n_workers)
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", failing)
    monkeypatch.setattr("gexlab.data.base.workers.time.sleep", lambda _: None)
    with (
        Crew(Workers(2)) as crew,
        pytest.raises(
            WorkersError, match=r"local cluster was lost 6 times .*did not start: Nanny .*__main__"
        ),
    ):
        list(crew.spread(len, [[1]]))
    assert tries == [2] * 6
