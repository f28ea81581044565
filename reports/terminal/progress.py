"""Progress on standard error: a bar on a terminal, a line a step in a pipe."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ...data import shown
from .output import stderr_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from ...data import Progress

__all__ = ["progress_on_stderr"]

#: Seconds between two lines about one step.
_PAUSE: Final = 10.0


@contextmanager
def progress_on_stderr(label: str) -> Iterator[Progress]:
    """Yield a progress callback that shows what ``label`` is doing while the block runs."""
    console = stderr_console()
    if not console.is_terminal:
        with _notes_on(console):
            yield _lines(console, label)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    described = TextColumn("{task.description}", markup=False)
    columns = (described, BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=console, transient=True) as bar, _notes_on(console):
        yield _update(bar, bar.add_task(label, total=None), label)


def _update(bar: Bar, task: TaskID, label: str) -> Progress:
    def update(done: int, total: int | None, what: str = "") -> None:
        text = shown(f"{label} {what}".rstrip())
        bar.update(task, completed=done, total=total, description=text)

    return update


def _lines(console: Console, label: str) -> Progress:
    """Print a line where a step begins, and every ten seconds while it lasts."""
    step, at = "", float("-inf")
    begun, first = at, 0

    def update(done: int, total: int | None, what: str = "") -> None:
        nonlocal step, at, begun, first
        now = time.monotonic()
        if what == step and now - at < _PAUSE:
            return
        if what != step:
            begun, first = now, done
        step, at = what, now
        left = "" if total is None else _left(done, first, now - begun, total)
        count = "" if total is None else f" ({done:,} of {total:,}{left})"
        console.print(f"{label}: {what}{count}", markup=False, soft_wrap=True)

    return update


def _left(done: int, first: int, seconds: float, total: int) -> str:
    """Return how long a step still takes at its own pace so far; nothing before it is known.

    Examples
    --------
    >>> _left(300, 100, 20.0, 1_000), _left(100, 100, 0.0, 1_000)
    (', about 70 s left', '')
    """
    if done <= first or seconds <= 0.0:
        return ""
    return f", about {seconds / (done - first) * (total - done):.0f} s left"


@contextmanager
def _notes_on(console: Console) -> Iterator[None]:
    """Show what the package itself has to say meanwhile, e.g. that it compiles."""
    log, handler = logging.getLogger("gexlab"), _Notes(console)
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class _Notes(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(record.getMessage(), markup=False, soft_wrap=True)
