"""Workers that are copies of a process which has everything loaded, instead of new processes.

A new process imports numpy, Arrow, DuckDB, Numba and Dask before its first piece, and takes them
apart at its end; a copy (`fork`) has them, and ends at once. It has one thread, the one that made
it: what others held at that moment stays locked in it for ever. Copies are therefore made while a
process has no other thread; where it has one, there are none, and Dask starts workers anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .allocator import collect_new_only
from .parents import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import LocalCluster

__all__ = ["ForkedWorkers", "forked_workers"]

#: Bytes that tell one worker an address; whoever reads so many gets them undivided.
_LENGTH: Final = 64
#: Seconds that workers may take to come, and to go by themselves.
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.005
#: Threads that can be there: jemalloc, which Arrow brings, makes its own anew in a copy.
_HARMLESS: Final = ("jemalloc_bg_thd",)
_THREADS: Final = Path("/proc/self/task")


@dataclass(slots=True)
class ForkedWorkers:
    """Copies of this process that wait for the address of a scheduler.

    Attributes
    ----------
    pids : tuple of int
    tell : int
        File descriptor through which they are told; where it ends before that, so do they.
    """

    pids: tuple[int, ...]
    tell: int
    _watches: list[threading.Thread] = field(default_factory=list)
    _gone: set[int] = field(default_factory=set)
    _ending: bool = False

    @contextmanager
    def serving(self, cluster: LocalCluster) -> Iterator[None]:
        """Let them work for a cluster, and wait until they do.

        Within the block whichever is lost is replaced by a worker of the cluster's own, which Dask
        watches.

        Parameters
        ----------
        cluster : LocalCluster
            With no workers yet.

        Yields
        ------
        None

        Raises
        ------
        ConnectionError
            If they do not come.
        """
        scheduler: Any = cluster.scheduler  # it is there once the cluster is
        try:
            os.write(self.tell, cluster.scheduler_address.encode().ljust(_LENGTH) * len(self.pids))
            for pid in self.pids:
                watch = threading.Thread(target=self._watch, args=(pid, cluster), daemon=True)
                watch.start()
                self._watches.append(watch)
            latest = time.monotonic() + _PATIENCE
            while len(scheduler.workers) < len(self.pids):
                if time.monotonic() > latest:
                    raise ConnectionError("workers that were forked did not come")
                time.sleep(_PAUSE)
            yield
        finally:
            self._ending = True

    def end(self) -> None:
        """Wait until all are gone, as they are soon after their scheduler; kill what is not."""
        os.close(self.tell)
        for pid in self.pids if not self._watches else ():  # they were never told
            os.waitpid(pid, 0)
            self._gone.add(pid)
        latest = time.monotonic() + _PATIENCE
        for watch in self._watches:
            watch.join(max(0.0, latest - time.monotonic()))
        for pid in set(self.pids) - self._gone:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for watch in self._watches:
            watch.join()

    def _watch(self, pid: int, cluster: LocalCluster) -> None:
        os.waitpid(pid, 0)
        self._gone.add(pid)
        loop: Any = cluster.loop
        if not self._ending:
            with suppress(RuntimeError):  # it has ended
                loop.add_callback(self._replaced, cluster)

    async def _replaced(self, cluster: LocalCluster) -> None:
        while not self._ending:
            cluster.worker_spec.update(cluster.new_worker_spec())
            with suppress(RuntimeError):  # it was lost as well, while it started
                await cluster._correct_state()  # `scale` does not say whether it succeeds
                return


def forked_workers(number: int) -> ForkedWorkers | None:
    """Make copies of this process that are workers once they are told of whom.

    They compute as this process would: with what it has imported, read and been told.

    Parameters
    ----------
    number : int

    Returns
    -------
    ForkedWorkers or None
        None where this process has other threads, or runs on a system whose own libraries do not
        stand being copied.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return None
    hear, tell = os.pipe()
    parent, pids = os.getpid(), []
    with ExitStack() as stack:
        collect_new_only(stack)  # looking for garbage would copy the memory that is shared
        for _ in range(number):
            pid = os.fork()
            if pid == 0:
                os.close(tell)
                _work(hear, parent)
            pids.append(pid)
    os.close(hear)
    workers = ForkedWorkers(tuple(pids), tell)
    if _threads() > 1:  # OpenBLAS has ended its own before the fork: others are there
        workers.end()
        return None
    return workers


def _threads() -> int:
    """Return how many threads this process has, those that Python does not know included."""
    names = []
    for thread in _THREADS.iterdir():
        with suppress(OSError):  # it has ended
            names.append((thread / "comm").read_text().strip())
    return sum(name not in _HARMLESS for name in names)


def _work(hear: int, parent: int) -> NoReturn:
    """Work for the scheduler that is told, until it is gone; never return."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal asks the parent as well
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        address = os.read(hear, _LENGTH).decode().strip()
        if address:
            end_with_parent(parent)
            asyncio.run(_served(address))
        code = 0
    finally:
        os._exit(code)


async def _served(address: str) -> None:
    from distributed import Worker

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    async with Worker(
        address, nthreads=1, host="127.0.0.1", dashboard=False, name=f"forked-{os.getpid()}"
    ) as worker:
        await worker.finished()
