"""A program whose local workers are copies of it: ``python forked_crew.py CASE``.

It is one of its own because the process of the tests has threads, and is not copied then.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from gexlab.data import Crew, Workers, WorkersError
from gexlab.data.base.forked_workers import forked_workers

COPY = multiprocessing.current_process().name


def loaded() -> None:
    """Load nothing: all is there."""


def traced(n: int) -> tuple[int, int, bool]:
    """Return a result, the process that it is of, and whether that is a copy."""
    time.sleep(0.02)
    return n * n, os.getpid(), multiprocessing.current_process().name == COPY


def dies_in_copies(n: int) -> tuple[int, int, bool]:
    """End the process where it is a copy."""
    if traced(n)[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return traced(n)


def always_dies(n: int) -> int:
    """End the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return n


def has_no_children() -> bool:
    """Return whether nothing that was started is left, dead or alive."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return not [
        p for p in listed if b"resource_tracker" not in Path(f"/proc/{p}/cmdline").read_bytes()
    ]


def work() -> None:
    """Two copies do all, the dashboard answers, and nothing is left."""
    said: list[str] = []
    with Crew(Workers(2), loaded) as crew:
        spread = crew.spread(traced, range(20), progress=lambda _, __, what="": said.append(what))
        first = next(spread)
        address = said[0].removeprefix("dashboard ")
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.status == 200
        found = [first, *spread]
        assert [result for result, _, _ in found] == [n * n for n in range(20)]
        assert len({pid for _, pid, _ in found} - {os.getpid()}) == 2
        assert all(is_copy for _, _, is_copy in found)
        # the same ones do other work
        assert {pid for _, pid, _ in crew.spread(traced, range(8))} == {pid for _, pid, _ in found}
    assert has_no_children()


def loss() -> None:
    """Copies that are lost are replaced by new processes."""
    with Crew(Workers(2), loaded) as crew:
        found = list(crew.spread(dies_in_copies, [3]))
        assert found[0][0] == 9
        assert not found[0][2]
        assert [result for result, _, _ in crew.spread(traced, range(9))] == [
            n * n for n in range(9)
        ]
    assert has_no_children()


def blame() -> None:
    """A piece that costs all their life is blamed."""
    lack = pytest.raises(WorkersError, match="most often they lack memory")
    with lack, Crew(Workers(2), loaded) as crew:
        list(crew.spread(always_dies, [1]))
    assert has_no_children()


def idle() -> None:
    """Copies that are not needed go."""
    with Crew(Workers(2), loaded):
        assert not has_no_children()
    assert has_no_children()


def threads() -> None:
    """Where there are threads, Python's or a library's, there are no copies."""
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    assert forked_workers(2) is None
    stop.set()
    other.join()
    import duckdb

    connection = duckdb.connect(config={"threads": 4})
    connection.sql("SELECT sum(range) FROM range(1000000)").fetchall()
    assert threading.active_count() == 1
    assert forked_workers(2) is None
    assert has_no_children()
    with Crew(Workers(2), loaded) as crew:
        assert not any(is_copy for _, _, is_copy in crew.spread(traced, [1, 2]))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
