"""How long work tells whoever started it how far it has come."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """What a long function calls after each step, if it was given one.

    The callee decides what to show; the caller never prints.
    """

    def __call__(self, done: int, total: int | None, what: str = "") -> None:
        """Report that ``done`` of ``total`` steps (None: unknown) are finished.

        ``what`` names the step in a few words, e.g. ``"SPX 2026"``.
        """


def silent(done: int, total: int | None, what: str = "") -> None:
    """Show nothing: the progress of a function called from other code."""
