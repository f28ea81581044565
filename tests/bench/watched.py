"""Run a command and say what it took: by the clock, in processor time, and memory of each process.

A command's own process is the client; whatever it starts and that starts work of its own (Dask's
workers) is told apart from it. Peaks are the kernel's own high-water marks, read while each lives.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Watched", "gexlab", "watched"]

_LOOKS: Final = 0.05
_PAGE: Final = 1024


@dataclass(frozen=True, slots=True)
class Watched:
    """What a command took.

    Attributes
    ----------
    seconds, processor : float
        By the clock; user and system, of the process and all that it started.
    client : float
        Peak resident memory of the process, MB.
    workers : tuple of float
        The same of each process below it, the largest first.
    out : str
        What it printed.
    """

    seconds: float
    processor: float
    client: float
    workers: tuple[float, ...]
    out: str

    @property
    def worker(self) -> float:
        """Peak of the largest process below the client; 0 where there is none."""
        return max(self.workers, default=0.0)


def watched(command: Sequence[str], more: Mapping[str, str] | None = None) -> Watched:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str
    more : mapping of str to str, optional
        Laid over the environment.

    Raises
    ------
    SystemExit
        If it fails; says what it said.
    """
    peaks: dict[int, float] = {}
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdout=out, stderr=said, env={**os.environ, **(more or {})}
        )
        code, usage = 0, None
        while usage is None:
            for pid in (process.pid, *_below(process.pid)):
                with suppress(OSError):
                    peaks[pid] = max(peaks.get(pid, 0.0), _peak(pid))
            time.sleep(_LOOKS)
            pid, code, found = os.wait4(process.pid, os.WNOHANG)
            usage = found if pid else None
        process.returncode = os.waitstatus_to_exitcode(code)
        taken = time.perf_counter() - began
        out.seek(0)
        said.seek(0)
        if process.returncode:
            text = said.read().decode(errors="replace")
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{text[-3000:]}")
        client = peaks.pop(process.pid, 0.0)
        return Watched(
            taken, usage.ru_utime + usage.ru_stime, client,
            tuple(sorted(peaks.values(), reverse=True)), out.read().decode(),
        )  # fmt: skip


def gexlab(*arguments: object, more: Mapping[str, str] | None = None) -> Watched:
    """Run a command of the package to its end; see `watched`."""
    command = [str(Path(sys.executable).with_name("gexlab")), *map(str, arguments)]
    return watched(command, more)


def _below(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += [int(child), *_below(int(child))]
    return found


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _PAGE
    return 0.0
