"""How long work tells whoever started it how far it has come."""

from __future__ import annotations

import sys
import time
from typing import Final, Protocol

__all__ = ["Progress", "in_notebook", "shown_in_notebook", "silent"]

#: Seconds between two states of a line.
_PAUSE: Final = 0.5


class Progress(Protocol):
    """What a long function calls after each step, if it was given one.

    The callee decides what to show; the caller never prints.
    """

    def __call__(self, done: int, total: int | None, what: str = "") -> None:
        """Report that ``done`` of ``total`` steps (None: unknown) are finished.

        ``what`` names the step in a few words, e.g. ``"SPX 2026"``.
        """


def silent(done: int, total: int | None, what: str = "") -> None:
    """Show nothing: the progress of a function called from other code.

    Parameters
    ----------
    done : int
        Steps done.
    total : int, optional
        Steps in all; None where unknown.
    what : str
        What is counted.
    """


def in_notebook() -> bool:
    """Return whether a notebook's kernel runs this, whose user sees nothing but what is printed."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else getattr(ipython, "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def shown_in_notebook(progress: Progress, label: str) -> Progress:
    """Return the progress given, or where none was given in a notebook, one line of plain text."""
    if progress is not silent or not in_notebook():
        return progress
    at = float("-inf")

    def update(done: int, total: int | None, what: str = "") -> None:
        nonlocal at
        now, last = time.monotonic(), done == total
        if last or now - at >= _PAUSE:
            at = now
            count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
            sys.stdout.write(f"\r{label} {what}: {count}" + ("\n" if last else ""))
            sys.stdout.flush()

    return update
