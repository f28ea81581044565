"""Workers do not outlive whoever started them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from gexlab.data.base.parents import end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),)
    )
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_a_killed_parent_leaves_no_workers(tmp_path: object) -> None:
    script = f"{tmp_path}/pool.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while time.monotonic() < end and _alive(worker):
        time.sleep(0.05)
    assert not _alive(worker)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_killed_calibration_leaves_no_workers() -> None:
    words = ("calibrate", "momentum-split", "--seeds", "400", "--sessions", "60")
    command = "import sys; from gexlab.reports.cli.app import console; console()"
    parent = subprocess.Popen(
        [sys.executable, "-c", command, *words, "--processes", "2"], stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 60
    while len(workers := _workers_of(parent.pid)) < 2 and time.monotonic() < end:
        assert parent.poll() is None
        time.sleep(0.1)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert len(workers) == 2
    end = time.monotonic() + 60
    while time.monotonic() < end and any(map(_alive, workers)):
        time.sleep(0.1)
    assert not any(map(_alive, workers))


def _workers_of(parent: int) -> list[int]:
    """Return the processes that a process started to share its work."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit():
                state = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
                words = (folder / "cmdline").read_bytes()
                if int(state[1]) == parent and b"spawn_main" in words:
                    found.append(int(folder.name))
    return found


def _alive(process: int) -> bool:
    with suppress(OSError), open(f"/proc/{process}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False
