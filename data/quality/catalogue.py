"""What can be wrong with a session's chain, how grave it is, and from which size on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import date

__all__ = ["CHECKS", "Check", "Finding", "Severity", "Thresholds"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a session's chain that a reader of its numbers should know.

    Attributes
    ----------
    session : date or None
        The session; None where the finding is about the underlying as a whole.
    check : str
        A name of `CHECKS`.
    severity : {"error", "warning", "note"}
        ``error``: the session does not show that session's market (the regime gate, or no session
        at all). ``warning``: numbers may be off. ``note``: expected with some vendors.
    count : int
        How many rows, contracts, expiries or sessions it concerns (the check says which).
    open_interest : float
        Contracts of open interest it touches; NaN where that has no meaning or is unknown.
    detail : str
        The measured value and its limit, in words.
    """

    session: date | None
    check: str
    severity: Severity
    count: int
    open_interest: float
    detail: str


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
    no_carry: float = 0.0
    several_sources: float = 0.0
    unknown_deliverable: float = 0.0
    several_multipliers: float = 0.0
    multiplier_change: float = 0.0
    naive_single_stock: float = 0.0

    def limit(self, check: str) -> float:
        """Return the limit of a check."""
        return float(getattr(self, check))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        How grave a finding of this check is.
    meaning : str
        What a finding says, in one sentence.
    value : str
        What the limit is held against; ``"1"`` where the thing is there or not.
    """

    severity: Severity
    meaning: str
    value: str


_SHARE: Final = "share of rows"

CHECKS: Final[dict[str, Check]] = {
    "known_before_quotes": Check(
        "error", "Rows claim to have been public before the moment of their quotes.", _SHARE
    ),
    "copy_of_previous_session": Check(
        "error",
        "Open interest, volatility, bid and ask are those of the session before; or, at the same "
        "spot, the open interest of at least 98 % of 50 or more contracts is.",
        "share of the contracts in both sessions (found at the limit, too)",
    ),
    "copy_of_earlier_session": Check(
        "error",
        "Quotes, volatility and open interest are those of a session further back (ten at most).",
        "share of the quoted contracts",
    ),
    "contradicting_duplicates": Check(
        "error",
        "Rows of one contract, its root known, differ in open interest, volatility or quotes.",
        _SHARE,
    ),
    "unit_contradicted": Check(
        "error",
        "Prices, strikes, spot, volatility or open interest are off by a factor: another unit.",
        "1",
    ),
    "not_a_session": Check("error", "The date is no session of the exchange.", "1"),
    "quotes_outside_session": Check(
        "warning", "The quotes are stamped outside their session's trading hours.", "1"
    ),
    "missing_sessions": Check(
        "warning", "Sessions of the exchange are absent before this one.", "number of sessions"
    ),
    "spot_off_close": Check(
        "warning", "The spot is not the official close.", "absolute log distance"
    ),
    "spot_off_parity": Check(
        "warning",
        "The forward of the shortest expiry is far from spot: quotes and spot are of different "
        "moments.",
        "absolute log distance less 2 % a year of the expiry's life",
    ),
    "parity_spread": Check(
        "warning",
        "Strikes of one expiry imply different forwards: calls and puts do not belong together.",
        "interquartile range as a share of spot, expiry with most open interest",
    ),
    "spot_unchanged": Check(
        "warning", "The spot is that of the session before, to the last digit.", "1"
    ),
    "spot_jump": Check("warning", "The spot jumps.", "absolute log change"),
    "several_spots": Check(
        "warning", "Rows of one snapshot carry different spots.", "largest log distance"
    ),
    "expired_today": Check(
        "note", "Contracts that had ended when the quotes were taken; they are not used.", _SHARE
    ),
    "expired_before": Check("warning", "Contracts that had ended before the session.", _SHARE),
    "duplicate_contracts": Check("warning", "The same contract occurs more than once.", _SHARE),
    "crossed_quotes": Check("warning", "Bids above asks.", "share of quoted rows"),
    "negative_quotes": Check("warning", "Prices below zero.", _SHARE),
    "one_sided_quotes": Check(
        "warning",
        "Contracts near the money have a bid or an ask, not both.",
        "share of the contracts near the money that are alive and have open interest",
    ),
    "missing_volatility": Check(
        "warning",
        "Contracts carry no volatility; it is solved from prices where that can be done.",
        "share of the open interest alive",
    ),
    "impossible_volatility": Check("warning", "Volatilities outside 0.01 ... 10.", _SHARE),
    "volatility_jump": Check(
        "warning",
        "The median volatility near the money jumps.",
        "absolute log change",
    ),
    "impossible_greeks": Check(
        "warning", "The vendor's delta or gamma has an impossible sign or size.", _SHARE
    ),
    "vertical_arbitrage": Check(
        "warning", "Quotes of neighbouring strikes are out of order.", "share of the pairs compared"
    ),
    "butterfly_arbitrage": Check(
        "warning", "Quotes are not convex in strike.", "share of the triples compared"
    ),
    "calendar_arbitrage": Check(
        "warning", "Total variance at one strike falls with time.", "share of the pairs compared"
    ),
    "unknown_open_interest": Check("warning", "Open interest is unknown.", _SHARE),
    "negative_open_interest": Check("warning", "Open interest is negative.", _SHARE),
    "no_open_interest": Check("warning", "No contract has open interest.", "1"),
    "frozen_open_interest": Check(
        "warning",
        "Open interest is that of the session before: it was not updated.",
        "share of the contracts in both sessions (50 or more)",
    ),
    "open_interest_collapse": Check(
        "warning",
        "The open interest of the contracts in both sessions falls.",
        "relative change",
    ),
    "open_interest_jump": Check(
        "warning", "The open interest of the contracts in both sessions rises.", "relative change"
    ),
    "open_interest_of_the_future": Check(
        "warning", "Open interest settled after a session later than the quotes'.", _SHARE
    ),
    "fewer_contracts": Check(
        "warning", "The chain is shorter than the session before.", "share of rows lost"
    ),
    "missing_expiries": Check(
        "warning",
        "Expiries of the session before, not yet over, are absent.",
        "share of the open interest that should have stayed",
    ),
    "missing_contracts": Check(
        "warning",
        "Contracts of the session before, not yet over, are absent.",
        "share of the open interest that should have stayed",
    ),
    "one_right_only": Check(
        "warning",
        "Calls or puts are missing.",
        "absolute difference of the shares of calls and puts",
    ),
    "strike_coverage": Check(
        "warning",
        "The strikes of a short expiry do not reach 5 % each side of spot.",
        "missing part, log distance",
    ),
    "strike_gap": Check(
        "warning", "Strikes around spot have a hole.", "widest gap as a share of spot"
    ),
    "no_parity": Check(
        "note",
        "Expiries whose quotes give no parity forward; the configured rates stand in.",
        "share of the open interest alive",
    ),
    "no_carry": Check(
        "warning",
        "No parity forward exists while rate and dividend yield are 0: the carry is missing.",
        "share of the open interest alive",
    ),
    "several_sources": Check("note", "One snapshot comes from several files.", "files beyond one"),
    "unknown_deliverable": Check(
        "warning",
        "What a contract of this root delivers is not known; it is not in the book. State the "
        "multiplier in the column map where it is a standard one.",
        _SHARE,
    ),
    "several_multipliers": Check(
        "note", "Contracts of one snapshot have different multipliers.", "multipliers beyond one"
    ),
    "multiplier_change": Check(
        "note", "The multiplier differs from the session before.", "absolute log change"
    ),
    "naive_single_stock": Check(
        "warning",
        "The naive dealer model is a rule for indices: end users are net short options on single "
        "stocks.",
        "1",
    ),
}
