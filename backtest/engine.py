"""The one adapter to vectorbt."""

from __future__ import annotations

__all__ = ["engine_version"]


def engine_version() -> str:
    """Return the version of the engine that simulates orders."""
    import vectorbt

    return str(vectorbt.__version__)
