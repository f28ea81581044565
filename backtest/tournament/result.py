"""What a tournament found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import short_repr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ..run.results import Notice
    from .beyond import Pair
    from .breakdown import Breakdown
    from .clouds import Band
    from .haircut import Haircut
    from .overfitting import Overfitting
    from .selection import Selection

__all__ = ["EntryResult", "TournamentResult"]


@dataclass(frozen=True, slots=True, eq=False)
class EntryResult:
    """One trial of a tournament, on the sessions of the tests.

    Attributes
    ----------
    trial_id : str
    role : str
        ``entry``, ``control`` or ``competitor``; only entries can survive.
    arena, filter, rule, sizing : str
        Market and fill; what the filter is; the rules by label; the sizing.
    fees_bps, slippage_bps : float
    sharpe, sharpe_low, sharpe_high : float
        Annual, with the interval of this trial alone.
    sharpe_all : float
        On all sessions, those of the trainings included.
    sharpe_inverse : float
        Of the opposite positions before costs; NaN where undefined.
    n : int
    p_alone, p_spa, p_zero, p_rules, p_hold, p_placebo, p_placebo_alone : float
        See `Judgement`; `p_placebo` is corrected over entries.
    placebo_sharpe, placebo_deviation : float
        Mean and deviation of the placebos' annual Sharpe ratios.
    q_value, dsr : float
    min_track_record, false_discovery : float
        See `Skill`.
    survives, credited : bool
        `credited`: survives and adds to every filter without options; None where there is nothing
        to compare with.
    turnover, exposure, in_market, tilt, break_even_bps : float
        Notional a year, mean size of the position, share of sessions with one, mean position, cost
        of a side that eats the gross profit.
    long_leg, short_leg : float
        Sums of the returns earned by long and by short positions, decimal.
    ruined : bool
    late, undefined : int
    sentence : str
    parameters : mapping
    """

    trial_id: str
    role: str
    arena: str
    filter: str
    rule: str
    sizing: str
    fees_bps: float
    slippage_bps: float
    sharpe: float
    sharpe_low: float
    sharpe_high: float
    sharpe_all: float
    sharpe_inverse: float
    n: int
    p_alone: float
    p_spa: float
    p_zero: float
    p_rules: float
    p_hold: float
    p_placebo: float
    p_placebo_alone: float
    placebo_sharpe: float
    placebo_deviation: float
    q_value: float
    dsr: float
    min_track_record: float
    false_discovery: float
    survives: bool
    credited: bool | None
    turnover: float
    exposure: float
    in_market: float
    tilt: float
    break_even_bps: float
    long_leg: float
    short_leg: float
    ruined: bool
    late: int
    undefined: int
    sentence: str
    parameters: Mapping[str, Any]
    __repr__ = short_repr


@dataclass(frozen=True, slots=True, eq=False)
class TournamentResult:
    """What a tournament found.

    Attributes
    ----------
    entries, controls : tuple of EntryResult
        Trials of the configuration; those that they are held against (competitors included).
    trials : int
        Distinct trials evaluated here, controls included.
    ledger_trials, effective_trials : int
        Ever made on these data, and clusters of correlated returns among them.
    counted : bool
        Whether there is a ledger; without one only the trials of this tournament count.
    placebos, bootstrap : int
        Draws.
    block : float
        Mean block length of the bootstrap, sessions.
    level : float
        Coverage of intervals.
    p_spa_lower, p_spa, p_spa_upper : float
        Of the whole: Hansen's three; the upper one is the Reality Check.
    overfitting : Overfitting or None
    mcs : tuple of str
    winner : str or None
    sentence : str
    detectable_sharpe, best_by_luck : float
    first, last : date
        Sessions of the tests.
    rows : int
        Sessions that the median entry was judged on.
    selections : tuple of Selection
    pairs : tuple of Pair
    breakdowns : tuple of Breakdown
    bands : mapping of str to Band
        Of the trials in `breakdowns`.
    haircut : Haircut or None
        Of the best entry.
    lockbox : mapping or None
        ``start, opened_at`` of the sessions kept out.
    notices : tuple of Notice
    simulated : bool
    underlyings : tuple of str
    computed, reused : int
        Trials simulated now, and kept from a run that was cut short.
    seconds : float
    out : Path or None
    """

    entries: tuple[EntryResult, ...]
    controls: tuple[EntryResult, ...]
    trials: int
    ledger_trials: int
    effective_trials: int
    counted: bool
    placebos: int
    bootstrap: int
    block: float
    level: float
    p_spa_lower: float
    p_spa: float
    p_spa_upper: float
    overfitting: Overfitting | None
    mcs: tuple[str, ...]
    winner: str | None
    sentence: str
    detectable_sharpe: float
    best_by_luck: float
    first: date
    last: date
    rows: int
    selections: tuple[Selection, ...]
    pairs: tuple[Pair, ...]
    breakdowns: tuple[Breakdown, ...]
    bands: Mapping[str, Band]
    haircut: Haircut | None
    lockbox: Mapping[str, Any] | None
    notices: tuple[Notice, ...]
    simulated: bool
    underlyings: tuple[str, ...]
    computed: int
    reused: int
    seconds: float
    out: Path | None = None
    __repr__ = short_repr

    @property
    def survivors(self) -> tuple[EntryResult, ...]:
        """Entries that survive, the best first."""
        found = [entry for entry in self.entries if entry.survives]
        return tuple(sorted(found, key=lambda entry: -entry.sharpe))

    @property
    def best(self) -> EntryResult | None:
        """The entry with the highest Sharpe ratio, survivor or not; None where none has one."""
        defined = [entry for entry in self.entries if entry.sharpe == entry.sharpe]
        return max(defined, key=lambda entry: entry.sharpe, default=None)
