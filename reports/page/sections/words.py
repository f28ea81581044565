"""Words that several sections share: names of estimators, regimes, fills, roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..views import Tone

__all__ = ["BOOKS", "ESTIMATORS", "REGIMES", "estimator", "fill", "regime", "tone"]

ESTIMATORS = {
    "close_to_close": "close to close",
    "parkinson": "Parkinson",
    "garman_klass": "Garman-Klass",
    "rogers_satchell": "Rogers-Satchell",
    "yang_zhang": "Yang-Zhang",
    "realised_variance": "realised (intraday)",
    "bipower": "bipower (intraday)",
}

_FILLS = {
    "next_open": "the next open",
    "next_close": "the next close",
    "same_close": "the same close",
}

REGIMES: dict[str, str] = {
    "long": "long gamma",
    "short": "short gamma",
    "neutral": "neutral",
    "abstain": "abstain",
}


BOOKS = {
    "as_of_close": "everything live at the close (as_of_close)",
    "post_expiry": "what is left after the next open (post_expiry)",
}


def fill(name: str) -> str:
    """Return when orders fill.

    Examples
    --------
    >>> fill("next_open"), fill("10:30")
    ('the next open', '10:30 of the next session')
    """
    return _FILLS.get(name, f"{name} of the next session")


def estimator(name: str) -> str:
    """Return an estimator's name as it is written in prose."""
    return ESTIMATORS.get(name, name.replace("_", " "))


def regime(name: str) -> str:
    """Return a label as it is written in prose; ``all`` stays."""
    return REGIMES.get(name, name.replace("_", " "))


def tone(name: str) -> Tone:
    """Return the tone in which a label is set."""
    if name == "long":
        return "long"
    return "short" if name == "short" else ""
