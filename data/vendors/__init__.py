"""Vendors' chain formats, one module each; `vendor` returns a preset by its name.

An installed package offers a format of its own through an entry point of the group
``gexlab.vendors`` that names a `Preset`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from ..base.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .vendor_preset import Preset

__all__ = ["GROUP", "VENDORS", "vendor", "vendor_names"]

#: Entry points under which installed packages offer their own.
GROUP: Final = "gexlab.vendors"

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


def vendor_names() -> tuple[str, ...]:
    """Return every name: built-in ones, then installed packages' own."""
    own = {point.name for point in entry_points(group=GROUP)}
    return (*VENDORS, *sorted(own - set(VENDORS)))


def vendor(name: str) -> Preset:
    """Return a vendor's preset.

    Parameters
    ----------
    name : str

    Returns
    -------
    Preset

    Raises
    ------
    UnknownNameError
        If there is no vendor of that name.
    ConfigError
        If an installed package's own cannot be loaded, or is no preset.
    """
    if name in VENDORS:
        preset: Preset = import_module(f".{name}", __name__).PRESET
        return preset
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _loaded(point.value, point.load)
    raise UnknownNameError("vendor", name, vendor_names())


def _loaded(place: str, load: Callable[[], object]) -> Preset:
    from .vendor_preset import Preset

    try:
        found = load()
    except Exception as error:  # whatever the code of a stranger raises
        raise ConfigError(
            f"entry point {place!r} of group {GROUP} cannot be loaded: {error}; mend or remove it"
        ) from error
    if not isinstance(found, Preset):
        raise ConfigError(
            f"entry point {place!r} of group {GROUP} gives a {type(found).__name__}: give a "
            "gexlab.data.vendors.vendor_preset.Preset"
        )
    return found
