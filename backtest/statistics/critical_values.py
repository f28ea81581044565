"""Critical values that a calibration run wrote, for tests on real data.

`gexlab calibrate --out FILE.json` measures how a test's statistic is spread over markets without
dealers; `gexlab test --critical FILE.json` holds a test against the quantile found there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from ...data import ConfigError, InputFileError

if TYPE_CHECKING:
    from .rejection import Direction

__all__ = ["CriticalValues", "is_beyond", "load_critical_values"]


@dataclass(frozen=True, slots=True)
class CriticalValues:
    """Quantiles of tests' statistics on markets without dealers.

    Attributes
    ----------
    level : float
        Of the tests.
    seeds : int
        Markets behind each value.
    sessions : int
        Length of each market.
    values : mapping of str to float
        By test, in the direction of its claim (absolute where the claim has none).
    """

    level: float
    seeds: int
    sessions: int
    values: Mapping[str, float]

    def at(self, name: str, direction: Direction, sessions: int) -> float:
        """Return a test's critical value for a sample of that many sessions; NaN: none is known.

        The excess over the normal quantile is bias; it is rescaled by sqrt(n).

        Examples
        --------
        >>> CriticalValues(0.05, 400, 1600, {"a": -3.645}).at("a", "-", 400)
        -2.645
        """
        value = self.values.get(name, math.nan)
        edge = NormalDist().inv_cdf(1 - (self.level / 2 if direction == "0" else self.level))
        bias = max(abs(value) - edge, 0.0) if value * (-1 if direction == "-" else 1) > 0 else 0.0
        stretched = bias * (math.sqrt(sessions / self.sessions) - 1)
        return round(value + math.copysign(1.0, value) * stretched, 3)


def is_beyond(statistic: float, critical: float, direction: Direction) -> bool:
    """Return whether a statistic lies beyond a critical value in the direction of the claim.

    Examples
    --------
    >>> is_beyond(-3.0, -2.5, "-"), is_beyond(-3.0, 2.5, "0"), is_beyond(-3.0, 2.5, "+")
    (True, True, False)
    """
    if direction == "-":
        return statistic < critical
    return (abs(statistic) if direction == "0" else statistic) > critical


def load_critical_values(path: str | Path) -> CriticalValues:
    """Read the document that ``gexlab calibrate`` writes as JSON.

    Raises
    ------
    InputFileError
        If the file cannot be read or is no such document.
    ConfigError
        If it holds no critical value, or rests on too few markets for its level.
    """
    file = Path(path)
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found = {k: float(v) for k, v in document["critical"].items() if v is not None}
        level, seeds = float(document["level"]), int(document["seeds"])
        values = CriticalValues(level, seeds, int(document["sessions"]), found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(
            f"{file}: expected the JSON document of a calibration run, found {error!r}: write one "
            "with gexlab calibrate NAME --out FILE.json"
        ) from error
    if not found:
        raise ConfigError(
            f"{file}: expected critical values, found none: calibrate with --world S0 among the "
            "worlds"
        )
    if values.seeds * values.level < 1:
        raise ConfigError(
            f"{file}: expected at least {math.ceil(1 / values.level)} markets for a level of "
            f"{values.level:g}, found {values.seeds}: calibrate with more --seeds"
        )
    return values
