"""Colours, once for the page, the charts and the pictures.

A colour means one thing. Blue is long gamma and orange short gamma, and nothing else is; calls and
puts, gains and losses, increases and decreases have colours of their own. The two of a pair differ
in luminance by a factor of 2.5 or more, so that they stay apart in grey print and for every common
kind of colour blindness; position and words carry the same information.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DARK", "LIGHT", "SERIES", "css_variables", "in_style", "token"]

LIGHT: Final[dict[str, str]] = {
    "paper": "#fcfcfa",
    "panel": "#f4f4f0",
    "ink": "#1c2024",
    "muted": "#555d66",
    "rule": "#d9dbd8",
    "grid": "#e8e9e5",
    "focus": "#1c2024",
    "soft": "rgba(85, 93, 102, 0.22)",
    "long": "#08244f",
    "long-soft": "rgba(8, 36, 79, 0.34)",
    "short": "#bb5400",
    "short-soft": "rgba(187, 84, 0, 0.24)",
    "neutral": "#a3a8af",
    "abstain": "#d3d6da",
    "warn": "#805300",
    "good": "#1f6b45",
    "bad": "#9b2335",
    "call": "#2a9a8c",
    "put": "#641d6d",
    "more": "#39424d",
    "less": "#868e97",
    "series-1": "#1c2024",
    "series-2": "#2b6f8f",
    "series-3": "#9a3d63",
    "series-4": "#55731f",
    "series-5": "#6a4fb0",
    "series-6": "#7a6a53",
    "minus-2": "#8c3b00",
    "minus-1": "#e08a3c",
    "zero": "#f4f4f4",
    "plus-1": "#6a9fd4",
    "plus-2": "#0b3c6f",
    "span-1": "#3f2f1c",
    "span-2": "#86683f",
    "span-3": "#c3a97f",
    "span-4": "#e6dac3",
}

DARK: Final[dict[str, str]] = {
    "paper": "#14171a",
    "panel": "#1c2024",
    "ink": "#e7e9ea",
    "muted": "#a6aeb7",
    "rule": "#343a41",
    "grid": "#262b30",
    "focus": "#e7e9ea",
    "soft": "rgba(166, 174, 183, 0.25)",
    "long": "#dceeff",
    "long-soft": "rgba(220, 238, 255, 0.4)",
    "short": "#cd681a",
    "short-soft": "rgba(205, 104, 26, 0.3)",
    "neutral": "#5d646c",
    "abstain": "#363c43",
    "warn": "#e0b04c",
    "good": "#6cc79a",
    "bad": "#f08a96",
    "call": "#83dfd4",
    "put": "#a468b2",
    "more": "#dfe3e7",
    "less": "#7f8790",
    "series-1": "#e7e9ea",
    "series-2": "#7cc0e0",
    "series-3": "#eb94b5",
    "series-4": "#b4cf6f",
    "series-5": "#b7a3f0",
    "series-6": "#cbb994",
    "minus-2": "#ff9c4d",
    "minus-1": "#86501f",
    "zero": "#262b30",
    "plus-1": "#33618f",
    "plus-2": "#9ccdff",
    "span-1": "#f0e3cb",
    "span-2": "#c3a97f",
    "span-3": "#86683f",
    "span-4": "#4a3d2a",
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


_TOKEN: Final = re.compile(r"css:([a-z0-9-]+)")
_MIXED: Final = re.compile(r"css:([a-z0-9-]+) (\d+) css:([a-z0-9-]+)")
_PLAIN: Final = re.compile(r"#[0-9a-fA-F]{3,8}|rgba?\([0-9., ]+\)")


def in_style(colour: str) -> str:
    """Return a chart's colour as a style sheet has it: by name, so that it follows the theme.

    Examples
    --------
    >>> in_style("css:long"), in_style("css:zero 40 css:plus-1")
    ('var(--long)', 'color-mix(in srgb,var(--zero) 40%,var(--plus-1))')
    """
    if found := _TOKEN.fullmatch(colour):
        return f"var(--{found[1]})"
    if found := _MIXED.fullmatch(colour):
        return f"color-mix(in srgb,var(--{found[1]}) {found[2]}%,var(--{found[3]}))"
    return colour if _PLAIN.fullmatch(colour) else "currentColor"
