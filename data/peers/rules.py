"""Named rules that reproduce how other projects compute gamma exposure and its flip.

They are for comparison only: gexlab's own numbers follow `gexlab.data.exposure.definition`. A rule
states everything that its number depends on, because on one real chain day count, carry and
settlement alone move the S&P 500's net exposure by a factor of four.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal

from ..base.errors import UnknownNameError

__all__ = ["PEER_RULES", "PeerRule", "peer_rule"]

DayCount = Literal["actual_365", "weekdays_262"]
FlipMethod = Literal["profile", "profile_clipped", "per_strike", "cumulative", "none"]


@dataclass(frozen=True, slots=True)
class PeerRule:
    """How a peer turns one chain into a net exposure and its zeros.

    All rules keep contracts with a vendor volatility and positive open interest, use each
    contract's vendor volatility, count calls as +1 and puts as -1, and apply no floor to time.

    Attributes
    ----------
    name, source : str
        The rule's name, and whose method it is.
    day_count : {"actual_365", "weekdays_262"}
        Seconds from the quotes to the expiry over 365 days, New York wall clock without daylight
        saving in the difference; or weekdays from session to expiry (no holidays) over 262, where
        an option that expires today counts as one day.
    keep_expiring_today : bool
        With ``weekdays_262``: whether contracts that expire on the session stay. With
        ``actual_365`` they are gone at the close in any case.
    am_settlement : bool
        With ``actual_365``: third-Friday contracts of AM-settled roots die at 09:30; else
        everything dies at 16:00.
    rate, dividend_yield : float
        Continuous, per year.
    parity_forwards : bool
        Forward per expiry and root from put-call parity (bids positive on both sides, the five
        strikes where call and put mids are nearest, median, at least three; contracts of other
        expiries are dropped) instead of spot carry.
    spot_side : bool
        Volatility of the call where strike >= spot, else of the put: mean over roots by expiry and
        strike; contracts without it are dropped.
    sticky_moneyness : bool
        Volatility stays with K/S when the profile moves the spot: linear in ln(K/S) per expiry,
        root and right, flat beyond the ends. Else it stays with the strike.
    weight_days : float
        Each contract weighs min(1, days to expiry / weight_days); 0: all weigh 1.
    without : {"", "next_expiry", "monthly"}
        Leaves out the earliest expiry, or the earliest third Friday.
    vendor_gamma : bool
        The vendor's printed gamma at the unmoved spot, all rows, no profile.
    levels : int
        Number of levels of the profile, evenly spaced in points.
    reach : float
        The profile spans the spot +- this: a share of spot, or points where it exceeds 1.
    flip_method : {"profile", "profile_clipped", "per_strike", "cumulative", "none"}
        Linear interpolation between levels of opposite sign; ``numpy.interp(0, exposure, levels)``
        (monotone exposure assumed, clipped to the ends); sign changes of the exposure by strike, or
        of its sum from the lowest strike; or none.
    flip_choice : {"nearest", "first"}
        Which of several zeros is called the flip.
    per_point : bool
        The peer shows dollars per point instead of dollars per 1 %.

    Examples
    --------
    >>> peer_rule("perfiliev").day_count
    'weekdays_262'
    """

    name: str
    source: str
    day_count: DayCount = "actual_365"
    keep_expiring_today: bool = False
    am_settlement: bool = True
    rate: float = 0.0
    dividend_yield: float = 0.0
    parity_forwards: bool = False
    spot_side: bool = False
    sticky_moneyness: bool = False
    weight_days: float = 0.0
    without: Literal["", "next_expiry", "monthly"] = ""
    vendor_gamma: bool = False
    levels: int = 2001
    reach: float = 0.20
    flip_method: FlipMethod = "profile"
    flip_choice: Literal["nearest", "first"] = "nearest"
    per_point: bool = False

    @property
    def definition_id(self) -> str:
        """Identifier that changes with any setting; never that of one of gexlab's definitions."""
        text = json.dumps(asdict(self), sort_keys=True)
        return "peer-" + hashlib.sha256(text.encode()).hexdigest()[:12]


_PERFILIEV = PeerRule(
    "perfiliev",
    "perfiliev's tutorial, on a finer grid",
    day_count="weekdays_262",
    keep_expiring_today=True,
)
_CALENDAR = PeerRule(
    "calendar-carry", "calendar time, AM and PM settlement, carry", rate=0.045, dividend_yield=0.016
)


def _rules() -> tuple[PeerRule, ...]:
    perfiliev, base = _PERFILIEV, _CALENDAR
    coarse = replace(perfiliev, name="perfiliev-60", source="perfiliev's tutorial", levels=60)
    today = replace(perfiliev, name="perfiliev-without-0dte", keep_expiring_today=False)
    return (
        perfiliev,
        coarse,
        replace(coarse, name="perfiliev-first", flip_choice="first"),
        replace(coarse, name="perfiliev-30", source="copies of the tutorial", levels=30),
        today,
        replace(today, name="weekdays-carry", rate=0.045, dividend_yield=0.016),
        replace(base, name="calendar", rate=0.0, dividend_yield=0.0),
        base,
        replace(base, name="all-pm", am_settlement=False),
        replace(base, name="sticky-moneyness", sticky_moneyness=True),
        replace(base, name="spot-side", spot_side=True),
        replace(base, name="zerogex", source="zerogex-oa: 0DTE weighted down", weight_days=5.0),
        replace(base, name="without-next-expiry", without="next_expiry"),
        replace(base, name="without-monthly", without="monthly"),
        replace(base, name="parity-five", parity_forwards=True),
        PeerRule(
            "vendor-gamma", "gex-tracker: vendor gamma", vendor_gamma=True, flip_method="none"
        ),
        replace(base, name="per-strike", source="AlphaGEX and others", flip_method="per_strike"),
        replace(base, name="cumulative", source="options-helper, puneet", flip_method="cumulative"),
        replace(
            base,
            name="jensolson",
            source="jensolson/SPX-Gamma-Exposure",
            rate=0.02,
            dividend_yield=0.02,
            levels=20,
            reach=100.0,
            flip_method="profile_clipped",
            per_point=True,
        ),
    )


#: Every named rule, by name.
PEER_RULES: Final[dict[str, PeerRule]] = {rule.name: rule for rule in _rules()}


def peer_rule(name: str) -> PeerRule:
    """Return a named rule.

    Raises
    ------
    UnknownNameError
        If there is no rule of that name.
    """
    if name not in PEER_RULES:
        raise UnknownNameError("peer definition", name, PEER_RULES)
    return PEER_RULES[name]
