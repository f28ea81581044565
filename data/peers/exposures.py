"""Net exposure and flips as other projects compute them, for comparison only.

Each number follows a `PeerRule`; nothing here feeds a regime of gexlab's own definitions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..calendar.monthly_rules import third_friday

if TYPE_CHECKING:
    from .rules import PeerRule

__all__ = ["PeerRow", "peer_row"]

Floats: TypeAlias = npt.NDArray[np.float64]

_ZONE: Final = "America/New_York"
_SECONDS_PER_YEAR: Final = 365.0 * 86_400.0
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
_MINIMUM_PARITY_STRIKES: Final = 3


@dataclass(frozen=True, slots=True)
class PeerRow:
    """What a peer would show for one chain.

    Attributes
    ----------
    rule : str
        Name of the rule.
    spot : float
    contracts : int
        Contracts that the rule uses.
    net_gex, gross_gex : float
        Dollars per 1 % at spot. The net is read off the rule's own profile, as the peers do; NaN
        where the rule keeps no contract.
    roots : tuple of float
        Levels, ascending, at which the rule sees a change of sign.
    directions : tuple of str
        For each of them ``up`` (negative below, positive above) or ``down``.
    flip : float
        The one it calls the flip; NaN where it sees none.
    per_point : bool
        Whether the peer itself shows dollars per point.
    """

    rule: str
    spot: float
    contracts: int
    net_gex: float
    gross_gex: float
    roots: tuple[float, ...]
    directions: tuple[str, ...]
    flip: float
    per_point: bool = False

    @property
    def shown(self) -> float:
        """The net exposure in the peer's own unit."""
        return self.net_gex / (0.01 * self.spot) if self.per_point else self.net_gex

    @property
    def direction(self) -> str | None:
        """Of the flip; None where there is none."""
        at = [d for level, d in zip(self.roots, self.directions, strict=True) if level == self.flip]
        return at[0] if at else None


def peer_row(chain: pd.DataFrame, rule: PeerRule) -> PeerRow:
    """Compute one chain by a peer's rule.

    Parameters
    ----------
    chain : DataFrame
        Canonical rows of one underlying and one session; the latest snapshot counts. Where ``iv``
        is NULL, ``iv_outside`` stands in: the peers take whatever is positive. A column
        ``iv_quoted`` takes the place of both.
    rule : PeerRule

    Returns
    -------
    PeerRow
        Known when the chain is.
    """
    rows = _latest(chain)
    spot = float(rows["spot"].median())
    if rule.vendor_gamma:
        return _vendor_row(rows, spot, rule)
    used = _contracts(rows, spot, rule)
    if used.empty:
        return PeerRow(rule.name, spot, 0, math.nan, math.nan, (), (), math.nan)
    levels = _levels(spot, rule)
    profile = _profile(used, levels, spot, rule)
    roots, directions = _roots(used, levels, profile, spot, rule)
    return PeerRow(
        rule=rule.name,
        spot=spot,
        contracts=len(used),
        net_gex=float(np.interp(spot, levels, profile)),
        gross_gex=float(np.abs(_at_spot(used, spot)).sum()),
        roots=roots,
        directions=directions,
        flip=_flip(roots, spot, rule),
        per_point=rule.per_point,
    )


def _latest(chain: pd.DataFrame) -> pd.DataFrame:
    """Rows of the latest snapshot; roots that the vendor drops are distinguished by settlement."""
    rows: pd.DataFrame = chain[chain["quote_ts"] == chain["quote_ts"].max()]
    root = rows["root"].astype("object")
    return rows.assign(
        iv=_quoted_volatility(rows),
        expiry=pd.to_datetime(rows["expiry"]),
        session=pd.to_datetime(rows["session"]),
        root=root.where(root.notna(), rows["settlement"]),
    ).reset_index(drop=True)


def _quoted_volatility(rows: pd.DataFrame) -> pd.Series:
    """Return the vendor's volatility, whatever its size."""
    if "iv_quoted" in rows:
        return rows["iv_quoted"]
    return rows["iv"].fillna(rows["iv_outside"]) if "iv_outside" in rows else rows["iv"]


def _contracts(rows: pd.DataFrame, spot: float, rule: PeerRule) -> pd.DataFrame:
    """Rows that a rule uses, with `years`, `forward`, `volatility` and signed `size`."""
    timed = rows.assign(years=_years(rows, rule))
    timed = timed[timed["years"] > 0.0]
    used = timed[(timed["iv"] > 0.0) & (timed["open_interest"] > 0.0)]
    used = _without(used, rule)
    used = used.assign(forward=_forwards(used, timed, spot, rule), volatility=used["iv"])
    if rule.spot_side:
        used = used.assign(volatility=_spot_side(used, spot))
    used = used[used["forward"].notna() & used["volatility"].notna()]
    return used.assign(size=_signed_size(used, rule), carry=_carry(used, spot, rule))


def _years(rows: pd.DataFrame, rule: PeerRule) -> Floats:
    """Years to expiry by the rule's day count; not positive where the contract is out."""
    if rule.day_count == "weekdays_262":
        sessions = rows["session"].to_numpy().astype("datetime64[D]")
        days = np.busday_count(sessions, rows["expiry"].to_numpy().astype("datetime64[D]"))
        today = 1 if rule.keep_expiring_today else 0
        return np.asarray(np.where(days == 0, today, days) / 262.0, dtype=np.float64)
    wall_clock = rows["quote_ts"].dt.tz_convert(_ZONE).dt.tz_localize(None)
    hours = np.where(_morning(rows) & rule.am_settlement, 9.5, 16.0)
    dies = rows["expiry"] + pd.to_timedelta(hours, unit="h")
    seconds = (dies - wall_clock).dt.total_seconds()
    return _floats(seconds) / _SECONDS_PER_YEAR


def _third_friday(expiry: pd.Series) -> pd.Series:
    """Peers know no holiday: the third Friday itself."""
    days = {day: day.date() == third_friday(day.year, day.month) for day in expiry.unique()}
    return expiry.map(days).astype(bool)


def _morning(rows: pd.DataFrame) -> pd.Series:
    return _third_friday(rows["expiry"]) & (rows["settlement"] == "AM")


def _without(used: pd.DataFrame, rule: PeerRule) -> pd.DataFrame:
    expiry = used["expiry"]
    if not rule.without:
        return used
    left_out = expiry.min() if rule.without == "next_expiry" else _first_monthly(expiry)
    kept: pd.DataFrame = used[expiry != left_out]
    return kept


def _first_monthly(expiry: pd.Series) -> pd.Timestamp:
    first: pd.Timestamp = expiry[_third_friday(expiry)].min()
    return first


def _forwards(
    used: pd.DataFrame, living: pd.DataFrame, spot: float, rule: PeerRule
) -> pd.Series | Floats:
    """Forward of each contract: spot carry, or parity per expiry and root."""
    if not rule.parity_forwards:
        growth = (rule.rate - rule.dividend_yield) * used["years"].to_numpy(dtype=np.float64)
        return np.asarray(spot * np.exp(growth), dtype=np.float64)
    quoted = living[living["bid"] > 0.0]
    forwards = {key: _parity(group, rule) for key, group in quoted.groupby(["expiry", "root"])}
    keys = zip(used["expiry"], used["root"], strict=True)
    return np.array([forwards.get(key, math.nan) for key in keys], dtype=np.float64)


def _parity(group: pd.DataFrame, rule: PeerRule) -> float:
    """Median parity forward of the five strikes where call and put cost most nearly the same."""
    mids = group.assign(mid=(group["bid"] + group["ask"]) / 2.0)
    table = mids.pivot_table(index="strike", columns="right", values="mid")
    if not {"C", "P"} <= set(table.columns):
        return math.nan
    gap = (table["C"] - table["P"]).dropna()
    if len(gap) < _MINIMUM_PARITY_STRIKES:
        return math.nan
    nearest = gap.iloc[np.argsort(np.abs(gap.to_numpy()), kind="stable")[:5]]
    growth = math.exp(rule.rate * float(group["years"].iloc[0]))
    return float(np.median(nearest.index.to_numpy() + growth * nearest.to_numpy()))


def _spot_side(used: pd.DataFrame, spot: float) -> Floats:
    """Volatility of the out-of-the-money side as seen from spot; NaN where it has none."""
    means = used.groupby(["expiry", "strike", "right"])["iv"].mean().to_dict()
    keys = zip(used["expiry"], used["strike"], strict=True)
    found = [means.get((e, k, "C" if k >= spot else "P"), math.nan) for e, k in keys]
    return np.array(found, dtype=np.float64)


def _signed_size(used: pd.DataFrame, rule: PeerRule) -> Floats:
    """Dealer sign x open interest x multiplier x weight."""
    sign = np.where(used["right"] == "C", 1.0, -1.0)
    size = sign * (used["open_interest"] * used["multiplier"]).to_numpy(dtype=np.float64)
    if rule.weight_days:
        days = 365.0 * used["years"].to_numpy(dtype=np.float64)
        size = size * np.minimum(1.0, days / rule.weight_days)
    return np.asarray(size, dtype=np.float64)


def _carry(used: pd.DataFrame, spot: float, rule: PeerRule) -> Floats:
    """D F / S of each contract."""
    discounted = np.exp(-rule.rate * used["years"]) * used["forward"] / spot
    return _floats(discounted)


def _levels(spot: float, rule: PeerRule) -> Floats:
    reach = rule.reach * spot if rule.reach <= 1.0 else rule.reach
    return np.linspace(spot - reach, spot + reach, rule.levels)


def _profile(used: pd.DataFrame, levels: Floats, spot: float, rule: PeerRule) -> Floats:
    """Net dollars per 1 % at each level, smile by smile so that memory stays small."""
    total = np.zeros(len(levels))
    for _, smile in used.groupby(["expiry", "root", "right"]):
        total += _smile_profile(smile, levels, spot, rule)
    return total


def _smile_profile(smile: pd.DataFrame, levels: Floats, spot: float, rule: PeerRule) -> Floats:
    strike, volatility, years = (
        smile[name].to_numpy(dtype=np.float64) for name in ("strike", "volatility", "years")
    )
    moves = np.log(levels / spot)[:, None]
    total = volatility * np.sqrt(years)
    if rule.sticky_moneyness:
        total = _moved(strike, volatility, moves) * np.sqrt(years)
    log_moneyness = np.log(smile["forward"].to_numpy(dtype=np.float64) / strike)
    d1 = (log_moneyness + moves) / total + total / 2.0
    weights = (smile["size"] * smile["carry"]).to_numpy(dtype=np.float64)
    density = np.exp(-0.5 * d1 * d1) / total
    return np.asarray(density @ weights * levels * (0.01 / _SQRT_2PI), dtype=np.float64)


def _moved(strike: Floats, volatility: Floats, moves: Floats) -> Floats:
    """Volatilities at the strikes' moneyness once spot has moved: one row per move."""
    order = np.argsort(strike, kind="stable")
    known = np.log(strike[order])
    return np.asarray(np.interp(np.log(strike) - moves, known, volatility[order]), dtype=np.float64)


def _at_spot(used: pd.DataFrame, spot: float) -> Floats:
    """Signed dollars per 1 % of each contract at the unmoved spot."""
    total = used["volatility"] * np.sqrt(used["years"])
    d1 = np.log(used["forward"] / used["strike"]) / total + total / 2.0
    density = np.exp(-0.5 * d1 * d1) / (_SQRT_2PI * total)
    signed = used["size"] * used["carry"] * density * spot * 0.01
    return _floats(signed)


def _roots(
    used: pd.DataFrame, levels: Floats, profile: Floats, spot: float, rule: PeerRule
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    if rule.flip_method == "profile":
        return _crossings(levels, profile)
    if rule.flip_method == "profile_clipped":
        return (float(np.interp(0.0, profile, levels)),), ("up",)
    by_strike = pd.Series(_at_spot(used, spot)).groupby(used["strike"].to_numpy()).sum()
    strikes = by_strike.index.to_numpy(dtype=np.float64)
    if rule.flip_method == "cumulative":
        by_strike = by_strike.cumsum()
    return _crossings(strikes, _floats(by_strike))


def _crossings(levels: Floats, values: Floats) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Zeros of the broken line through neighbours of strictly opposite sign."""
    i = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    step = (levels[i + 1] - levels[i]) / (values[i + 1] - values[i])
    roots = levels[i] - values[i] * step
    directions = tuple("up" if value < 0.0 else "down" for value in values[i])
    return tuple(float(level) for level in roots), directions


def _flip(roots: tuple[float, ...], spot: float, rule: PeerRule) -> float:
    if not roots:
        return math.nan
    return roots[0] if rule.flip_choice == "first" else min(roots, key=lambda x: abs(x - spot))


def _vendor_row(rows: pd.DataFrame, spot: float, rule: PeerRule) -> PeerRow:
    """Every row with the vendor's gamma, expired ones included."""
    size = (rows["open_interest"] * rows["multiplier"] * rows["gamma"]).fillna(0.0)
    dollars = size.to_numpy(dtype=np.float64) * spot * spot * 0.01
    net = float(np.where(rows["right"] == "C", dollars, -dollars).sum())
    gross = float(np.abs(dollars).sum())
    return PeerRow(rule.name, spot, len(rows), net, gross, (), (), math.nan)


def _floats(values: pd.Series) -> Floats:
    return np.asarray(values, dtype=np.float64)
