"""Workers do not outlive whoever started them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress

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


def _alive(process: int) -> bool:
    with suppress(OSError), open(f"/proc/{process}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False
