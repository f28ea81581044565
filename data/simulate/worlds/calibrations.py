"""Default calibrations that the worlds share.

The customers' demand swings between calls sold and puts bought, so that the dealers' gamma changes
sign for reasons that have nothing to do with prices. The standard deviation of the dollar gamma is
about $1tn of delta per 100 % move ($10bn per 1 %), so that kappa's is 0.2 in the visible
calibration (nine tenths of the sessions between -0.22 and 0.45) and 0.022 in the realistic one
(between -0.02 and 0.05, one in a hundred below -0.03: the span that published estimates allow).
"""

from __future__ import annotations

from .parameters import MarketParameters

__all__ = ["IMPACT_REALISTIC", "IMPACT_VISIBLE", "NOISE_SD", "REALISTIC", "VISIBLE"]

VISIBLE = MarketParameters(dynamics="constant", call_share=0.48, demand_swing=0.8)
REALISTIC = MarketParameters(dynamics="gjr", call_share=0.48, demand_swing=0.8)

#: Return per dollar.
IMPACT_VISIBLE = 2.0e-13
IMPACT_REALISTIC = 1.6e-14

#: Unseen position as a share of the open interest that gives S6 its correlation of 0.74.
NOISE_SD = 0.17
