"""Colours, once for the page, the charts and the pictures.

Blue and orange stay apart for every common kind of colour blindness; position and words carry
the same information, so that nothing depends on colour alone.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "LIGHT", "SERIES", "css_variables", "token"]

LIGHT: Final[dict[str, str]] = {
    "paper": "#fcfcfa",
    "panel": "#f4f4f0",
    "ink": "#1c2024",
    "muted": "#5a626c",
    "rule": "#d9dbd8",
    "grid": "#e8e9e5",
    "long": "#1d6aa8",
    "long-soft": "rgba(29, 106, 168, 0.22)",
    "short": "#b84a06",
    "short-soft": "rgba(184, 74, 6, 0.22)",
    "neutral": "#8b9099",
    "abstain": "#c4c7cc",
    "warn": "#8a5a00",
    "series-1": "#1c2024",
    "series-2": "#1d6aa8",
    "series-3": "#b84a06",
    "series-4": "#35876a",
    "series-5": "#8e5a9b",
    "series-6": "#8b9099",
    "span-1": "#0f3b5f",
    "span-2": "#2f7fb8",
    "span-3": "#8cbcdc",
    "span-4": "#d3d8db",
}

DARK: Final[dict[str, str]] = {
    "paper": "#14171a",
    "panel": "#1c2024",
    "ink": "#e7e9ea",
    "muted": "#a0a8b1",
    "rule": "#343a41",
    "grid": "#262b30",
    "long": "#6db2e6",
    "long-soft": "rgba(109, 178, 230, 0.25)",
    "short": "#f0934e",
    "short-soft": "rgba(240, 147, 78, 0.25)",
    "neutral": "#8b929b",
    "abstain": "#555c65",
    "warn": "#e0b04c",
    "series-1": "#e7e9ea",
    "series-2": "#6db2e6",
    "series-3": "#f0934e",
    "series-4": "#6cc3a0",
    "series-5": "#c295cf",
    "series-6": "#8b929b",
    "span-1": "#d7ecfb",
    "span-2": "#6db2e6",
    "span-3": "#34729e",
    "span-4": "#3f4750",
}

#: Colours of lines in the order in which they are handed out.
SERIES: Final = tuple(f"series-{i}" for i in range(1, 7))


def token(name: str) -> str:
    """Return the placeholder that the page replaces by the colour of its current theme.

    Examples
    --------
    >>> token("long")
    'css:long'
    """
    if name not in LIGHT:
        raise KeyError(name)
    return f"css:{name}"


def css_variables(colours: dict[str, str]) -> str:
    """Return custom properties for a style sheet, one declaration per colour."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
