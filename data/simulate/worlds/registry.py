"""The registry of simulated worlds: what each one is, and how it is calibrated by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from ...base.errors import UnknownNameError
from .parameters import Calibration, MarketParameters, Mechanism

__all__ = ["World", "world_named", "worlds"]

_MODULES = {
    "S0": "s0_null",
    "S1": "s1_instantaneous",
    "S2": "s2_lagged",
    "S3": "s3_close",
    "S4": "s4_pin",
    "S5": "s5_sign",
    "S6": "s6_noise",
    "S7": "s7_leveraged",
    "S8": "s8_agents",
    "S9": "s9_regime_pays",
    "S10": "s10_echo",
    "S1S3": "s1s3_demo",
}
_CALIBRATIONS: tuple[Calibration, ...] = ("visible", "realistic")


@dataclass(frozen=True, slots=True)
class World:
    """A kind of market whose truth is known.

    Attributes
    ----------
    name : str
        S0 ... S10, or S1S3 (the demo's).
    title : str
        In a few words.
    equation : str
        What moves prices.
    truth : str
        What an estimate on this market must recover.
    parameters : tuple of str
        Fields of `MarketParameters` and `Mechanism` that make the world.
    visible, realistic : tuple of (Market, Mechanism)
        Default calibrations: effects large enough for tests (kappa of about 0.3), and effects of
        the size that published estimates allow (kappa of about 0.03).
    effects : callable
        The true numbers that a mechanism implies, by name.
    """

    name: str
    title: str
    equation: str
    truth: str
    parameters: tuple[str, ...]
    visible: tuple[MarketParameters, Mechanism]
    realistic: tuple[MarketParameters, Mechanism]
    effects: Callable[[Mechanism], dict[str, float]]

    def calibration(self, name: str) -> tuple[MarketParameters, Mechanism]:
        """Return the market and the mechanism of a calibration.

        Parameters
        ----------
        name : str

        Returns
        -------
        MarketParameters
        Mechanism

        Raises
        ------
        UnknownNameError
            If there is no such calibration.
        """
        if name not in _CALIBRATIONS:
            raise UnknownNameError("calibration", name, _CALIBRATIONS)
        return self.visible if name == "visible" else self.realistic


def worlds() -> Mapping[str, World]:
    """Return all worlds by name.

    Returns
    -------
    mapping of str to World

    Examples
    --------
    >>> worlds()["S1"].title
    'instantaneous hedging'
    """
    return {name: world_named(name) for name in _MODULES}


def world_named(name: str) -> World:
    """Return the world of that name.

    Parameters
    ----------
    name : str

    Returns
    -------
    World

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in _MODULES:
        raise UnknownNameError("world", name, _MODULES)
    found = import_module(f".{_MODULES[name]}", __package__).WORLD
    assert isinstance(found, World)
    return found
