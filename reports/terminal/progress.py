"""Progress on standard error: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...data.base.progress import silent
from .output import stderr_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from ...data.base.progress import Progress

__all__ = ["progress_on_stderr"]


@contextmanager
def progress_on_stderr(label: str) -> Iterator[Progress]:
    """Yield a progress callback that draws a bar named ``label`` while the block runs."""
    console = stderr_console()
    if not console.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _update(bar, bar.add_task(label, total=None), label)


def _update(bar: Bar, task: TaskID, label: str) -> Progress:
    def update(done: int, total: int | None, what: str = "") -> None:
        text = f"{label} {what}".rstrip()
        bar.update(task, completed=done, total=total, description=text)

    return update
