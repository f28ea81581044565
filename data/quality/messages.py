"""The message of each finding in chains, bars, series and runs, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from .finding import Severity

__all__ = ["CATALOGUE", "CHECKS", "About", "Check", "promotable"]

#: What a finding is about: a session's chain as `check` measures it, its evaluation by a rebuild,
#: a bar, a value of a series, or a run as a whole.
About = Literal["chain", "rebuild", "bar", "series", "run"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for.

    Attributes
    ----------
    severity : {"error", "warning", "info"}
        How grave a finding of this check is.
    meaning : str
        What a finding says, in one sentence.
    value : str
        What the limit is held against; ``"1"`` where the thing is there or not.
    about : {"chain", "rebuild", "bar", "series", "run"}
        What it is about. All but ``run`` concern a session, so that they can be promoted.
    gates : bool
        Whether a finding takes the session out: its chain has no regime, its bar or value counts
        as missing.
    hindsight : bool
        Whether only what came after a session tells: a decision of that session cannot have known.
    """

    severity: Severity
    meaning: str
    value: str
    about: About = "chain"
    gates: bool = False
    hindsight: bool = False


_SHARE: Final = "share of rows"

CHECKS: Final[dict[str, Check]] = {
    "known_before_quotes": Check(
        "error",
        "Rows claim to have been public before the moment of their quotes.",
        _SHARE,
        gates=True,
    ),
    "copy_of_previous_session": Check(
        "error",
        "Open interest, volatility, bid and ask are those of the previous session; or, at the same "
        "spot, the open interest of at least 98 % of 50 or more contracts is.",
        "share of the contracts in both sessions (found at the limit, too)",
        gates=True,
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
        gates=True,
    ),
    "unit_contradicted": Check(
        "error",
        "Prices, strikes, spot, volatility or open interest are off by a factor: another unit; or "
        "calls and puts are exchanged.",
        "1",
        gates=True,
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
        "warning", "The spot is that of the previous session, to the last digit.", "1"
    ),
    "spot_jump": Check("warning", "The spot jumps.", "absolute log change"),
    "several_spots": Check(
        "warning", "Rows of one snapshot carry different spots.", "largest log distance"
    ),
    "expired_today": Check(
        "info", "Contracts that had ended when the quotes were taken; they are not used.", _SHARE
    ),
    "expired_before": Check("warning", "Contracts that had ended before the session.", _SHARE),
    "duplicate_contracts": Check("warning", "The same contract occurs more than once.", _SHARE),
    "crossed_quotes": Check("warning", "Bids above asks.", "share of quoted rows"),
    "negative_quotes": Check("warning", "Prices below zero.", _SHARE),
    "one_sided_quotes": Check(
        "warning",
        "Contracts near the money have a bid or an ask, not both.",
        "share of the contracts near the money that are live and have open interest",
    ),
    "missing_volatility": Check(
        "warning",
        "Contracts carry no volatility; it is solved from prices where that can be done.",
        "share of the live open interest",
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
        "Open interest is that of the previous session: it was not updated.",
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
        "warning", "The chain is shorter than the previous session.", "share of rows lost"
    ),
    "missing_expiries": Check(
        "warning",
        "Expiries of the previous session, not yet over, are absent.",
        "share of the open interest that should have stayed",
    ),
    "missing_contracts": Check(
        "warning",
        "Contracts of the previous session, not yet over, are absent.",
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
        "info",
        "Expiries whose quotes give no parity forward; the configured rates stand in.",
        "share of the live open interest",
    ),
    "no_carry": Check(
        "warning",
        "Rate and dividend yield are 0 where no usable parity forward exists: F = S, the carry is "
        "missing. Configure rate and dividend yield.",
        "share of the live open interest, expiries of more than a week (all, where none has one)",
    ),
    "parity_outside_guard": Check(
        "warning",
        "Parity forwards lie outside the guard (0.002 + 2 % a year from the carried spot) and are "
        "not used: rates are missing, or quotes and spot are of different moments.",
        "share of the live open interest, expiries of more than a week",
    ),
    "several_sources": Check("info", "One snapshot comes from several files.", "files beyond one"),
    "unknown_deliverable": Check(
        "warning",
        "What a contract of this root delivers is not known; it is not in the book. State the "
        "multiplier in the column map where it is a standard one.",
        _SHARE,
    ),
    "spot_implied": Check(
        "info",
        "No file states the spot: put-call parity implies it, as the undiscounted forward of the "
        "nearest expiry.",
        "1",
    ),
    "several_multipliers": Check(
        "info", "Contracts of one snapshot have different multipliers.", "multipliers beyond one"
    ),
    "multiplier_change": Check(
        "info", "The multiplier differs from the previous session.", "absolute log change"
    ),
    "naive_single_stock": Check(
        "warning",
        "The naive dealer model is a rule for indices: end users are net short options on single "
        "stocks.",
        "1",
    ),
}

#: What a rebuild notices about the evaluation of a session, and `check` cannot.
_REBUILD: Final[dict[str, Check]] = {
    "open_interest_rejected": Check(
        "error",
        "More than 5 % of the open interest was rejected.",
        "share of the open interest rejected or used",
        gates=True,
    ),
    "empty_book": Check("error", "No contract of the book carries gamma.", "1", gates=True),
    "expired": Check("info", "Contracts that have ended by the book's valuation.", "contracts"),
    "no_price": Check(
        "warning", "Contracts with open interest have neither volatility nor price.", "contracts"
    ),
    "at_or_below_intrinsic": Check(
        "warning", "Prices at or below intrinsic value give no volatility.", "contracts"
    ),
    "at_or_above_upper_bound": Check(
        "warning", "Prices at or above their upper bound give no volatility.", "contracts"
    ),
    "volatility_out_of_range": Check(
        "warning", "The solved volatility lies outside 0.01 ... 10.", "contracts"
    ),
    "rates_outdated": Check("warning", "The latest rates of a curve are older than ten days.", "1"),
    "position_missing": Check(
        "warning", "Contracts with open interest lack the dealers' position.", "contracts"
    ),
    "position_without_open_interest": Check(
        "warning", "The dealers have positions where open interest is zero or unknown.", "contracts"
    ),
    "position_exceeds_open_interest": Check(
        "warning", "The dealers' position is larger than the open interest.", "contracts"
    ),
    "position_unmatched": Check(
        "warning", "Positions of the session fit no contract of its chain.", "positions"
    ),
}

#: What is wrong with bars.
_BARS: Final[dict[str, Check]] = {
    "bad_bar": Check(
        "error",
        "The bar contradicts itself or its neighbours; it counts as missing.",
        "usual ranges",
        gates=True,
    ),
    "bar_in_doubt": Check(
        "warning",
        "The bar stands out against the bars on both sides of it, or will if prices come back; it "
        "is kept, since nobody could tell at its close.",
        "usual ranges around it",
        hindsight=True,
    ),
    "price_scale_changed": Check(
        "error",
        "Prices jump overnight by a factor of 1.4 or more and stay there: an unadjusted split "
        "(map bars_columns.adjusted_close), another unit, or a true move (name the session in "
        "data.trusted).",
        "factor",
        gates=True,
    ),
    "bar_outside_range": Check(
        "info", "Open or close lies a little outside low ... high.", "usual ranges around it"
    ),
    "repeated_price": Check(
        "warning",
        "A price stands still for longer than chance has it.",
        "bars in a row",
        hindsight=True,
    ),
    "flat_bar": Check(
        "warning",
        "High equals low, after a year of bars that have a range; counts as missing.",
        "1",
        gates=True,
    ),
    "no_volume": Check(
        "warning", "Volume is 0, in a file whose bars have some.", "1", hindsight=True
    ),
    "fields_exchanged": Check("error", "Open and close look exchanged in the whole file.", "1"),
    "opens_are_closes": Check(
        "info", "Opens are the close before: stale, no price to trade at.", "share of bars"
    ),
    "intraday_off_close": Check(
        "warning",
        "The last intraday price of the session is not its daily close.",
        "usual daily ranges",
    ),
    "intraday_of_other_prices": Check(
        "error",
        "Intraday bars are not those of the daily bars: adjusted, split or another instrument's.",
        "usual daily ranges",
    ),
    "other_instrument": Check(
        "error",
        "The bars do not move with the spots of the chains: another instrument's.",
        "correlation",
    ),
}

#: What is wrong with series.
_SERIES: Final[dict[str, Check]] = {
    "bad_value": Check(
        "error",
        "The value contradicts its neighbours; as a close to compare with it counts as missing.",
        "usual changes around it",
        gates=True,
        hindsight=True,
    ),
    "repeated_value": Check(
        "warning",
        "A value stands still for longer than chance has it.",
        "values in a row",
        hindsight=True,
    ),
    "series_scale_changed": Check(
        "error",
        "Values change by a factor of 20 or more and stay there: another unit.",
        "factor",
        hindsight=True,
    ),
    "series_missing": Check(
        "info", "Sessions between the first and the last have no value.", "sessions"
    ),
}

#: What a reader of a run must know about its settings and samples.
_RUN: Final[dict[str, Check]] = {
    "abstaining_sessions": Check("info", "Sessions without a regime.", "sessions"),
    "band_without_effect": Check("info", "A band on a series that has no net/gross.", "1"),
    "chain_findings": Check("warning", "The checks of the chains found something.", "findings"),
    "bars_missing": Check("warning", "Sessions without a daily bar.", "sessions"),
    "bars_missing_for_regime": Check("warning", "Regime rows without a bar.", "sessions"),
    "bars_not_sessions": Check("info", "Bars dated on days that are no sessions.", "bars"),
    "few_long_sessions": Check("warning", "Few sessions of long gamma.", "sessions"),
    "few_short_sessions": Check("warning", "Few sessions of short gamma.", "sessions"),
    "hangs_on_few": Check(
        "warning", "The answer to a question hangs on fewer than five observations.", "observations"
    ),
    "index_proxy": Check("info", "A cash index cannot be traded itself.", "1"),
    "intraday_missing": Check("info", "Intraday bars are missing.", "bars"),
    "intraday_too_thin": Check("warning", "No session has two intraday bars.", "1"),
    "late_regime": Check("warning", "Regime rows published after their order.", "sessions"),
    "promoted_findings": Check("info", "Sessions that abstain by promotion.", "sessions"),
    "regime_constant": Check("warning", "The regime's value does not vary.", "sessions"),
    "regime_missing": Check("warning", "Bars without a regime row.", "sessions"),
    "ruined": Check("error", "The equity of a strategy is gone.", "strategies"),
    "rule_undefined": Check("info", "Sessions flat for want of earlier bars.", "sessions"),
    "series_not_sessions": Check("info", "Values dated on days that are no sessions.", "values"),
    "stale_index_open": Check("warning", "Fills at the stale open of a cash index.", "1"),
}

#: Everything that can be found, by its one name.
CATALOGUE: Final[dict[str, Check]] = {
    **CHECKS,
    **{name: replace(check, about="rebuild") for name, check in _REBUILD.items()},
    **{name: replace(check, about="bar") for name, check in _BARS.items()},
    **{name: replace(check, about="series") for name, check in _SERIES.items()},
    **{name: replace(check, about="run") for name, check in _RUN.items()},
}


def promotable() -> tuple[str, ...]:
    """Return the names of the findings that concern a session and can make it abstain.

    Returns
    -------
    tuple of str
    """
    return tuple(name for name, check in CATALOGUE.items() if check.about != "run")
