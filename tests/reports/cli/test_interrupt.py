"""Ctrl-C ends a statement and whoever works on it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from make_lake import session_tables

from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions

#: Counts for minutes.
SLOW = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range = -1"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_an_interrupted_statement_leaves_no_process(tmp_path: Path) -> None:
    (chain,) = session_tables(1, 4, seed=1)
    write_sessions(open_lake(tmp_path / "lake", create=True), "SPX", chain)
    # a test run that is spread over processes ignores the signal, and children inherit that
    command = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gexlab.reports.cli.app import console; console()"
    )
    asked = subprocess.Popen(
        [sys.executable, "-c", command, "sql", SLOW, "--lake", str(tmp_path / "lake")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (workers := _children(asked.pid)) and time.monotonic() < end:
        assert asked.poll() is None
        time.sleep(0.05)
    time.sleep(1.0)
    asked.send_signal(signal.SIGINT)
    out, said = asked.communicate(timeout=300)
    assert asked.returncode not in (0, None)
    assert out == ""
    assert "Traceback" not in said
    assert workers
    end = time.monotonic() + 20
    while time.monotonic() < end and any(Path(f"/proc/{worker}").exists() for worker in workers):
        time.sleep(0.05)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit():
                state = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
                if int(state[1]) == parent:
                    found.append(int(folder.name))
    return found
