"""From which measured value on a check of a chain becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Thresholds"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which measured value on a check becomes a finding: reported where value > limit.

    Shares are of 0 ... 1. Limits of 0 mean that the thing must not occur at all. Except for
    `copy_of_previous_session`, which the conventions fix (a share of *at least* 0.95), the
    defaults were chosen on full index chains of 2026, where they leave the clean sessions quiet.
    """

    known_before_quotes: float = 0.0
    copy_of_previous_session: float = 0.95
    copy_of_earlier_session: float = 0.90
    contradicting_duplicates: float = 0.0
    unit_contradicted: float = 0.0
    not_a_session: float = 0.0
    quotes_outside_session: float = 0.0
    missing_sessions: float = 0.0
    spot_off_close: float = 0.002
    spot_off_parity: float = 0.0075
    parity_spread: float = 0.004
    spot_unchanged: float = 0.0
    spot_jump: float = 0.25
    several_spots: float = 0.0
    expired_today: float = 0.0
    expired_before: float = 0.0
    duplicate_contracts: float = 0.0
    crossed_quotes: float = 0.005
    negative_quotes: float = 0.0
    one_sided_quotes: float = 0.10
    missing_volatility: float = 0.10
    impossible_volatility: float = 0.0
    volatility_jump: float = 0.60
    impossible_greeks: float = 0.0
    vertical_arbitrage: float = 0.01
    butterfly_arbitrage: float = 0.005
    calendar_arbitrage: float = 0.01
    unknown_open_interest: float = 0.05
    negative_open_interest: float = 0.0
    no_open_interest: float = 0.0
    frozen_open_interest: float = 0.98
    open_interest_collapse: float = 0.25
    open_interest_jump: float = 0.50
    open_interest_of_the_future: float = 0.0
    fewer_contracts: float = 0.40
    missing_expiries: float = 0.002
    missing_contracts: float = 0.05
    one_right_only: float = 0.60
    strike_coverage: float = 0.01
    strike_gap: float = 0.02
    no_parity: float = 0.05
    no_carry: float = 0.05
    parity_outside_guard: float = 0.05
    several_sources: float = 0.0
    unknown_deliverable: float = 0.0
    spot_implied: float = 0.0
    several_multipliers: float = 0.0
    multiplier_change: float = 0.0
    naive_single_stock: float = 0.0

    def limit(self, check: str) -> float:
        """Return the limit of a check.

        Parameters
        ----------
        check : str
            A name of `CHECKS`.

        Returns
        -------
        float
            The check is a finding where its measured value is larger.
        """
        return float(getattr(self, check))
