"""The process of `sql_worker`, as whoever asks sees it: started, asked once, ended.

Little is imported here: the worker starts while the one who asks is still importing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SqlProcess", "started_worker"]

_WORKER: Final = f"{__package__}.sql_worker"


@dataclass(slots=True, eq=False)
class SqlProcess:
    """A worker that waits for its one request.

    Attributes
    ----------
    process : Popen
    late : Event
        Set once it has been killed for being late.
    """

    process: subprocess.Popen[bytes]
    late: threading.Event = field(default_factory=threading.Event)
    _clock: threading.Timer | None = None

    @property
    def answers(self) -> IO[bytes]:
        """Its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def errors(self) -> IO[bytes]:
        """Its standard error."""
        assert self.process.stderr is not None
        return self.process.stderr

    def ask(self, request: Mapping[str, Any], seconds: float) -> None:
        """Hand over the request; a worker that takes longer than so many seconds is killed."""
        self._clock = threading.Timer(seconds, self._kill)
        self._clock.daemon = True
        self._clock.start()
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # its end is reported when the answer is read
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Kill the worker, whatever it is doing, and close what led to it."""
        if self._clock is not None:
            self._clock.cancel()
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _kill(self) -> None:
        self.late.set()
        self.process.kill()


@contextmanager
def started_worker() -> Iterator[SqlProcess]:
    """Start the process that answers, and end it with the block.

    Yields
    ------
    SqlProcess
    """
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C reaches the one who asked, who ends the worker
    ) as process:
        worker = SqlProcess(process)
        try:
            yield worker
        finally:
            worker.end()
