"""Pieces of work spread over processes, here or on other machines, with the results of one process.

In this process is the default and needs nothing. Local processes and an existing cluster are
Dask's (`distributed`, the extra ``dask``). A piece is a function of one item that depends on
nothing else, so that it may be run again anywhere: a worker that is lost, or a scheduler that
is started anew, costs time and nothing more.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .code_versions import versions_here
from .errors import ConfigError, WorkersError
from .progress import Progress, silent

if TYPE_CHECKING:
    from distributed import Client, Future

    from .forked_workers import ForkedWorkers

__all__ = ["AHEAD", "HERE", "Crew", "Workers", "one_thread_each"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds that a scheduler may take to answer.
_PATIENCE: Final = 10
#: Connections to a scheduler, one after the other, before it counts as gone.
_CONNECTIONS: Final = 6
#: Freed memory that glibc keeps in a worker. Dask has it keep 64 KiB: each page of each large array
#: is then asked of the system anew, which takes two fifths of the time of a grid.
_ALLOCATOR: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
}
#: Dask's own setting of the first.
_DASKS_TRIM: Final = "65536"
#: Where Dask says what is in the environment of a worker before it starts.
_BEFORE_START: Final = "distributed.nanny.pre-spawn-environ"
#: What Dask watches its own processes by, as it is set and as it is enough here: stacks every 10 ms
#: and loops 50 times a second, in every process, are processor time of the work.
_WATCH: Final = {
    "distributed.worker.profile.enabled": (True, False),
    "distributed.admin.tick.interval": ("20ms", "1s"),
    "distributed.admin.system-monitor.interval": ("500ms", "5s"),
}
#: Pieces handed out for each worker at a time: enough to keep it busy, few enough to hold.
AHEAD: Final = 4
#: Workers that are reckoned with at least where a scheduler has the say.
_ELSEWHERE: Final = 8


@dataclass(frozen=True, slots=True)
class Workers:
    """Where pieces of work run.

    Attributes
    ----------
    number : int
        Processes of a cluster on this machine; 1 works in this process.
    scheduler : str, optional
        Address of an existing one, e.g. ``"tcp://10.0.0.7:8786"``; its workers do all.

    Raises
    ------
    ConfigError
        If there are fewer than one, or both several processes and a scheduler.
    """

    number: int = 1
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ConfigError(f"workers: expected at least 1, found {self.number}")
        if self.scheduler is not None and self.number > 1:
            raise ConfigError(
                f"workers: expected a number ({self.number}) or the address of a scheduler "
                f"({self.scheduler}), found both: a scheduler has workers of its own"
            )

    @property
    def here(self) -> bool:
        """Whether all is done in this process."""
        return self.number == 1 and self.scheduler is None


HERE: Final = Workers()


class Crew:
    """Workers that are at hand: one connection for several kinds of work.

    A context: leaving it ends a local cluster and whatever still runs.

    Parameters
    ----------
    workers : Workers
    ready : callable, optional
        Loads what pieces need. Local workers are copies of this process then, made at once, where
        it has no other thread (see `forked_workers`).
    """

    def __init__(self, workers: Workers = HERE, ready: Callable[[], None] | None = None) -> None:
        self.workers = workers
        self._ready = ready
        self._stack = ExitStack()
        self._forked: ForkedWorkers | None = None
        self._client: Client | None = None
        self._failures = 0

    def __enter__(self) -> Crew:
        """Return the crew; workers that are not copies are started when there is work."""
        if self._ready is not None and self.workers.number > 1:
            self._forked = _copies(self.workers.number, self._ready)
        return self

    def __exit__(self, *_: object) -> None:
        """End a local cluster."""
        self.end()

    def size(self, progress: Progress = silent) -> int:
        """Return how many pieces can be worked on at a time.

        Parameters
        ----------
        progress : Progress, optional
            As for `spread`, whose workers start now.

        Returns
        -------
        int
            Of a scheduler at least 8: more workers may come to it.
        """
        if self.workers.scheduler is None:
            return self.workers.number
        try:
            threads = self._connected(progress, None).nthreads()
        except _lost_connections():
            self.end()
            return _ELSEWHERE
        return max(_ELSEWHERE, int(sum(threads.values())))

    def spread(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        progress: Progress = silent,
        named: Callable[[Item], str] = lambda _: "",
    ) -> Iterator[Result]:
        """Yield a function's result for each item, in the order of the items.

        Parameters
        ----------
        function : callable
            Must be picklable, and depend on its item alone, unless all is done in this process.
        items : sequence
        progress : Progress, optional
            Called after each piece, and with the address of the dashboard when workers start.
        named : callable, optional
            What progress calls an item.

        Yields
        ------
        object
            The same whatever the workers are.

        Raises
        ------
        ConfigError
            If Dask is not installed, or the workers run another version than this process.
        WorkersError
            If the scheduler cannot be reached, or a piece has cost several workers their life.
        """
        total = len(items)
        if self.workers.here:
            for i, item in enumerate(items):
                result = function(item)
                progress(i + 1, total, named(item))
                yield result
            return
        found: dict[int, Result] = {}
        given = 0
        finished = self._finished(function, items, progress)
        for done, (i, result) in enumerate(finished, start=1):
            found[i] = result
            progress(done, total, named(items[i]))
            while given in found:
                yield found.pop(given)
                given += 1

    def _finished(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress
    ) -> Iterator[tuple[int, Result]]:
        """Yield number and result of each item as it is finished, connecting anew where lost."""
        left = dict.fromkeys(range(len(items)))
        while left:
            try:
                client = self._connected(progress, len(items))
                for i, result in _round(client, function, items, tuple(left)):
                    del left[i]
                    self._failures = 0
                    yield i, result
            except _lost_connections() as error:
                self.end()
                self._failures += 1
                if self._failures >= _CONNECTIONS:
                    raise WorkersError(
                        f"{self.workers.scheduler or 'the local cluster'} was lost "
                        f"{self._failures} times in a row ({error}): {len(left)} of {len(items)} "
                        "pieces are left; start it again, then the command"
                    ) from None
                time.sleep(min(0.25 * 2**self._failures, 10.0))

    def _connected(self, progress: Progress, total: int | None) -> Client:
        if self._client is None:
            client = self._stack.enter_context(_client(self.workers, self._forked))
            if self._forked is None:  # copies have what this process has
                _require_same_version(client)
            progress(0, total, f"dashboard {client.dashboard_link}")
            self._client = client
        return self._client

    def end(self) -> None:
        """End a local cluster, and whatever still runs there; more work starts a new one."""
        self._client = None
        stack, self._stack = self._stack, ExitStack()
        if self.workers.here:
            return
        with suppress(*_lost_connections()):  # what is gone need not be closed
            stack.close()
        if self._forked is not None:
            self._forked.end()
            self._forked = None


def _round(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item], left: Sequence[int]
) -> Iterator[tuple[int, Result]]:
    """Hand out what is left, a few pieces a worker at a time, and yield what comes back."""
    from distributed import as_completed

    waiting = iter(tuple(left))
    running: dict[Future[Any], int] = {}

    def submitted(number: int) -> Iterator[Future[Any]]:
        for i in islice(waiting, number):
            future = client.submit(function, items[i], pure=False)
            running[future] = i
            yield future

    first = list(submitted(AHEAD * max(1, sum(client.nthreads().values()))))
    finished = as_completed(first, loop=client.loop)
    try:
        for future in finished:
            if future.status in ("cancelled", "lost"):
                raise TimeoutError("the scheduler forgot a piece")
            yield running.pop(future), _result_of(future)
            finished.update(submitted(1))
    finally:
        if running and client.status == "running":
            client.cancel(list(running), force=True)


def _result_of(future: Future[Any]) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise WorkersError(
            f"a piece of work has cost {error.allowed_failures + 1} workers their life, the last "
            f"at {error.last_worker.address}: most often they lack memory; use fewer workers, or "
            "give each more"
        ) from None


def _lost_connections() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError

    from distributed.comm.core import CommClosedError

    return (CommClosedError, ConnectionError, TimeoutError, CancelledError)


def _copies(number: int, ready: Callable[[], None]) -> ForkedWorkers | None:
    _require_dask()
    from .forked_workers import forked_workers

    ready()
    with _little_watching():
        return forked_workers(number)


def _require_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ConfigError(
            "several workers need Dask, which is not installed: pip install 'gexlab[dask]', or "
            "leave --workers and --scheduler out"
        ) from None


@contextmanager
def _client(workers: Workers, forked: ForkedWorkers | None) -> Iterator[Client]:
    _require_dask()
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        address: Any = workers.scheduler
        if workers.scheduler is None:
            stack.enter_context(one_thread_each())
            stack.enter_context(_roomy_allocator())
            stack.enter_context(_little_watching())
            try:
                cluster = LocalCluster(
                    n_workers=workers.number if forked is None else 0,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
            except RuntimeError as error:  # a worker that was killed while it started
                raise ConnectionError(
                    f"a worker did not start: {error} A script of your own needs if __name__ == "
                    '"__main__": above what it does, since each worker imports it'
                ) from error
            address = stack.enter_context(cluster)
            if forked is not None:
                stack.enter_context(forked.serving(cluster))
        try:
            client = stack.enter_context(Client(address, timeout=_PATIENCE, set_as_default=False))
        except ValueError as error:
            raise ConfigError(
                f"{workers.scheduler!r} is no address of a scheduler ({error}): expected one like "
                "tcp://10.0.0.7:8786"
            ) from None
        except OSError as error:
            if workers.scheduler is None:
                raise
            raise WorkersError(
                f"no scheduler answers at {workers.scheduler} ({error}): correct the address, "
                "start one there (dask scheduler), or leave --scheduler out"
            ) from error
        yield client


@contextmanager
def _roomy_allocator() -> Iterator[None]:
    """Let workers that start within the block keep freed memory, unless Dask is told otherwise."""
    import dask

    said = dict(dask.config.get(_BEFORE_START))
    theirs = str(said.get("MALLOC_TRIM_THRESHOLD_", _DASKS_TRIM)) != _DASKS_TRIM
    with dask.config.set({_BEFORE_START: said if theirs else said | _ALLOCATOR}):
        yield


@contextmanager
def _little_watching() -> Iterator[None]:
    """Let Dask watch the cluster that starts within the block less, unless it is told otherwise."""
    import dask
    import distributed  # noqa: F401  # its settings are known once it is imported

    ours = {k: ours for k, (said, ours) in _WATCH.items() if dask.config.get(k, said) == said}
    with dask.config.set(ours):
        yield


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep the linear algebra of new processes to one thread: they share the processors.

    Yields
    ------
    None
        Processes started within the block inherit the limit.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _require_same_version(client: Client) -> None:
    mine = versions_here()
    for worker, theirs in client.run(versions_here).items():
        for name, found in theirs.items():
            if found != mine[name]:
                raise ConfigError(
                    f"the worker at {worker} has {name} {found}, this process {mine[name]}: "
                    "results would not be those of one program; install the same versions on both"
                )
