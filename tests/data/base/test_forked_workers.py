"""Local workers that are copies of the process give what new ones do, whatever becomes of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("forked_crew.py")


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux alone")
@pytest.mark.parametrize("case", ["work", "loss", "blame", "idle", "threads"])
def test_workers_are_copies_of_the_process(case: str) -> None:
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), case], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
