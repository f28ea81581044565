"""What exactly is computed: one frozen value, one id.

Two regime rows of different ids are different quantities and never mix.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from ..base.errors import DefinitionError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rate_curves import RateCurve

__all__ = [
    "CURVES",
    "DEFAULT",
    "DEFAULT_NAME",
    "CurveFile",
    "Definition",
    "stored_definition",
]

IvSource = Literal["otm", "own"]
IvDynamics = Literal["sticky_strike", "sticky_moneyness"]
ForwardSource = Literal["parity", "rates"]

#: Raised whenever the meaning of a number changes without any setting changing.
_GENERATION: Final = 1


#: Fields of `Definition` that hold a curve, and the constant that each replaces.
CURVES: Final = {"rate_curve": "rate", "dividend_curve": "dividend_yield"}


@dataclass(frozen=True, slots=True)
class CurveFile:
    """A curve that a definition uses, known by its numbers; made by `rate_files.curve_file`.

    Attributes
    ----------
    digest : str
        Of the numbers: two files that hold the same ones are the same curve.
    path : str
        Where they were read.
    curve : RateCurve or None
        The numbers as they were read; None where only their digest was stored.
    """

    digest: str
    path: str = field(compare=False)
    curve: RateCurve | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that decides what net gamma, flip and regime mean, except book and dealer model.

    Attributes
    ----------
    rate, dividend_yield : float
        Continuous, per year. The default of 0 raises the finding ``no_carry`` where no parity
        forward exists.
    rate_curve, dividend_curve : CurveFile or None
        Zero rates from a file, which replace the constants; see `rate_files.curve_file`.
    iv_source : {"otm", "own"}
        One volatility per expiry, settlement and strike from the out-of-the-money side, or each
        contract its own.
    iv_dynamics : {"sticky_strike", "sticky_moneyness"}
        What volatility does when the spot of the profile moves.
    forward_source : {"parity", "rates"}
        Parity forwards with rates as the fallback, or rates alone.
    floor_minutes : float
        Shortest time to expiry at which a living contract is valued.
    grid_width : float
        The profile spans this much log spot on either side.
    grid_points : int
        Number of levels of the profile, odd.
    band : float
        A book whose abs(net/gross) is below it is ``neutral``.

    Examples
    --------
    >>> Definition().definition_id == Definition(rate=0.0).definition_id
    True
    >>> Definition().definition_id == Definition(rate=0.04).definition_id
    False
    """

    rate: float = 0.0
    dividend_yield: float = 0.0
    rate_curve: CurveFile | None = None
    dividend_curve: CurveFile | None = None
    iv_source: IvSource = "otm"
    iv_dynamics: IvDynamics = "sticky_strike"
    forward_source: ForwardSource = "parity"
    floor_minutes: float = 30.0
    grid_width: float = 0.20
    grid_points: int = 401
    band: float = 0.02
    generation: int = field(default=_GENERATION, init=False)

    def __post_init__(self) -> None:
        _require_choice("iv_source", self.iv_source, ("otm", "own"))
        _require_choice("iv_dynamics", self.iv_dynamics, ("sticky_strike", "sticky_moneyness"))
        _require_choice("forward_source", self.forward_source, ("parity", "rates"))
        for name in ("rate", "dividend_yield", "floor_minutes", "grid_width", "band"):
            _require_number(name, getattr(self, name))
            # 0, 0.0 and -0.0 are one definition
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)
        for name in ("rate", "dividend_yield"):
            value = getattr(self, name)
            _require(math.isfinite(value), name, value, "a number")
            _require(abs(value) <= 1.0, name, value, "a decimal a year (0.045 for 4.5 %)")
        for curve, constant in CURVES.items():
            alone = getattr(self, curve) is None or getattr(self, constant) == 0.0
            _require(alone, constant, getattr(self, constant), f"left out beside {curve}")
        _require(0.0 <= self.band < 1.0, "band", self.band, "in [0, 1)")
        _require(self.floor_minutes > 0.0, "floor_minutes", self.floor_minutes, "positive")
        _require(0.0 < self.grid_width <= 2.0, "grid_width", self.grid_width, "in (0, 2]")
        _require(type(self.grid_points) is int, "grid_points", self.grid_points, "an integer")
        odd = self.grid_points >= 3 and self.grid_points % 2 == 1
        _require(odd, "grid_points", self.grid_points, "an odd number of at least 3")

    @property
    def definition_id(self) -> str:
        """Twelve hexadecimal digits that change with any setting.

        Of a curve it counts that there is one: its numbers are part of each session's mark, as
        positions are, so that a curve that grows by a day starts no new definition.
        """
        settings = self.settings
        for name in CURVES:
            settings[name] = settings[name] and "by session"
        text = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by name, as plain values; of a curve its digest and path."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in CURVES:
            if (curve := found[name]) is not None:
                found[name] = {"digest": curve.digest, "path": curve.path}
        return found


def _require(condition: bool, name: str, value: object, expected: str) -> None:
    if not condition:
        raise DefinitionError(f"{name} must be {expected}, found {value!r}: correct it")


def _require_number(name: str, value: object) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _require(number, name, value, "a number")


def _require_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UnknownNameError(name, value, known)


#: The definition of the conventions, with no rates configured.
DEFAULT: Final = Definition()
#: What it is called in configurations and on the command line.
DEFAULT_NAME: Final = "default"


def stored_definition(settings: Mapping[str, Any]) -> Definition:
    """Return the definition that a rebuild stored with its rows.

    Raises
    ------
    DefinitionError
        If they were computed by a peer's rule, or by another generation of gexlab.
    """
    if str(settings.get("kind", "")) == "peer rule":
        raise DefinitionError(
            f"the definition is the peer rule {settings['name']!r}, which has neither profile nor "
            "books: name one of gexlab's definitions, or rebuild with one"
        )
    given = {k: v for k, v in settings.items() if k != "generation"}
    try:
        curves = {name: CurveFile(**given[name]) for name in CURVES if given.get(name)}
        return Definition(**given | curves)
    except TypeError as error:
        raise DefinitionError(
            f"the stored definition was written by another version ({error}): rebuild"
        ) from error
