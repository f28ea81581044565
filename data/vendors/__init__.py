"""Vendors' chain formats, one module each; `vendor` returns a preset by its name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ..base.errors import UnknownNameError

if TYPE_CHECKING:
    from .preset import Preset

__all__ = ["VENDORS", "vendor"]

#: Name on the command line, and of the module that holds it as ``PRESET``.
VENDORS: Final = (
    "canonical",
    "cboe_delayed_json",
    "cboe_quote_table",
    "columns",
    "deribit",
    "historicaloptiondata",
    "ivolatility",
    "nse_bhavcopy",
    "options_hist",
    "optionsdx",
    "orats",
    "yfinance",
)


def vendor(name: str) -> Preset:
    """Return a vendor's preset.

    Raises
    ------
    UnknownNameError
        If there is no vendor of that name.
    """
    if name not in VENDORS:
        raise UnknownNameError("vendor", name, VENDORS)
    preset: Preset = import_module(f".{name}", __name__).PRESET
    return preset
