"""What two independent routes say of a test where nobody hedges, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["COMPATIBLE", "Evidence", "Family", "Member", "Place"]

#: Largest distance of moments at which a simulated market of some make passes for the user's.
COMPATIBLE = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statistic lies among books made by rules on the user's own path.

    Attributes
    ----------
    statistic : float
    p : float
        (1 + E s) / (1 + E), s the weighted share of books that do as well, E their effective
        number.
    draws, tried : int
        Books that the test can be made of, and those drawn to find them.
    effective : float
    nearest, median : float
        Distance of books from the real series, in the units of the moments.
    stretch : float
        sqrt(1 + median^2 / 2): factor on the books' deviations from their mean, for what no book
        of the family does.
    control : str
        What volatility the books follow.
    mean, sd : float
        Of the statistic over books, weighted, as they are.
    quantiles : tuple of float
        5, 25, 50, 75 and 95 %, weighted, stretched.
    upper : bool
        Whether large values speak for the claim.
    values, weights : tuple of float
        By book, nearest first; values are stretched.
    """

    statistic: float
    p: float
    draws: int
    tried: int
    effective: float
    nearest: float
    median: float
    stretch: float
    control: str
    mean: float
    sd: float
    quantiles: tuple[float, ...]
    upper: bool
    values: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def critical(self) -> float:
        """The weighted 5 % quantile on the claim's side."""
        return self.quantiles[-1] if self.upper else self.quantiles[0]

    @property
    def enough(self) -> bool:
        """Whether the effective number is two fifths of the books, or 200."""
        return self.effective >= min(200.0, 0.4 * self.draws)


@dataclass(frozen=True, slots=True)
class Member:
    """One make of simulated market without dealers.

    Attributes
    ----------
    returns, customers : str
        How returns are made, and by which rule customers trade.
    distance : float
        Median distance of its moments from the real ones.
    compatible : bool
    markets : int
        Markets in which the test gave a number.
    mean, sd, p : float
        Of the statistic; p counts the statistic itself as one of the markets'.
    """

    returns: str
    customers: str
    distance: float
    compatible: bool
    markets: int
    mean: float
    sd: float
    p: float

    @property
    def name(self) -> str:
        """Both in words."""
        return f"{self.returns}, {self.customers}"


@dataclass(frozen=True, slots=True)
class Family:
    """Simulated markets of several makes.

    Attributes
    ----------
    members : tuple of Member
    worst : Member
        Of those compatible with the data the one with the largest p; where none is, the nearest.
    """

    members: tuple[Member, ...]
    worst: Member


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both routes.

    Attributes
    ----------
    place : Place
    family : Family or None
        None where no markets were simulated, or the test needs bars within the session.
    alpha : float
    """

    place: Place
    family: Family | None
    alpha: float

    @property
    def p(self) -> float:
        """The larger p of both routes: both must reject."""
        other = math.nan if self.family is None else self.family.worst.p
        return max(self.place.p, other) if math.isfinite(other) else self.place.p

    @property
    def p_family(self) -> float:
        """P of the worst compatible member; NaN where there is no family."""
        return math.nan if self.family is None else self.family.worst.p

    @property
    def critical(self) -> float:
        """What the statistic has to lie beyond among books made by rules."""
        return self.place.critical

    def sentence(self) -> str:
        """Return both p's, and where the statistic lies, in words.

        Returns
        -------
        str
        """
        place = self.place
        text = (
            f"books made by rules on the same prices have t {place.mean:.1f} on average "
            f"(s.d. {place.sd:.1f}, stretched by {place.stretch:.2f} for their distance): "
            f"p {place.p:.3f} of {place.draws} books, effective number "
            f"{place.effective:.0f}, median distance {place.median:.2f}"
        )
        if self.family is not None:
            worst = self.family.worst
            text += (
                f"; simulated markets without dealers, worst that fits ({worst.name}, distance "
                f"{worst.distance:.2f}): p {worst.p:.3f}"
            )
        return text

    def document(self) -> dict[str, Any]:
        """Return the keys of ``hypotheses.json``.

        Returns
        -------
        dict of str to object
        """
        place, family = self.place, self.family
        below = sum(
            w for v, w in zip(place.values, place.weights, strict=True) if v < place.statistic
        )
        total = sum(place.weights)
        return {
            "surrogates": {
                "p": place.p,
                "draws": place.draws,
                "tried": place.tried,
                "effective": place.effective,
                "enough": place.enough,
                "nearest": place.nearest,
                "median_distance": place.median,
                "stretch": place.stretch,
                "control": place.control,
                "statistic": place.statistic,
                "mean": place.mean,
                "sd": place.sd,
                "quantiles": dict(zip(("5", "25", "50", "75", "95"), place.quantiles,
                                      strict=True)),
                "share_below": below / total if total > 0.0 else math.nan,
            },
            "family": None if family is None else {
                "p": family.worst.p,
                "worst": family.worst.name,
                "distance": family.worst.distance,
                "limit": COMPATIBLE,
                "compatible": sum(m.compatible for m in family.members),
                "members": [
                    {
                        "returns": m.returns, "customers": m.customers, "distance": m.distance,
                        "compatible": m.compatible, "markets": m.markets, "mean": m.mean,
                        "sd": m.sd, "p": m.p,
                    }
                    for m in family.members
                ],
            },
        }  # fmt: skip
