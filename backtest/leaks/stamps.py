"""Look-ahead by stamps: what was used before it was known, or claims an impossible moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import chain_times
from ...strategies import late_inputs
from ..execution.timing import make_schedule, plan_orders, session_rows
from ..run.lake_of import lake_of
from ..run.panel import evaluation_of
from .found import Check, Leak, first_of
from .recomputation import decided
from .within_session import early_orders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...strategies import LateInput, Strategy
    from ..run.config import Config
    from ..run.market import Market

__all__ = ["chain_stamps", "order_stamps", "session_stamps", "spot_stamps"]

#: A spot that misses its own close by more than this, but hits the next one, is misdated.
_FAR: Final = 1e-3
_NEAR: Final = 5e-5
#: A stamp this long before the close whose spot is the close was taken at the close.
_WELL_BEFORE: Final = np.timedelta64(15, "m")


def session_stamps(market: Market) -> Check:
    """Compare each value's publication with the session that it describes."""
    tables = {"regime": market.regime.table, **market.series}
    leaks: list[Leak] = []
    count = 0
    for name, table in tables.items():
        used = table[_usable(table)]
        sessions = pd.DatetimeIndex(used.index)
        opened = market.calendar.opens[session_rows(market.calendar, sessions)]
        early = _utc(used["known_at"]) < opened
        count += len(used)
        leaks += first_of(
            name,
            sessions[early],
            "known_before_session",
            "the value is stamped as known before its session opened",
        )
    return count, leaks


def _usable(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows a strategy may read: what the quality gate refused is no input."""
    usable: npt.NDArray[np.bool_] = np.isfinite(np.asarray(table["value"], dtype=float))
    if "regime" in table:
        usable &= np.asarray(table["regime"] != "abstain")
    return usable


def _utc(moments: pd.Series[pd.Timestamp]) -> npt.NDArray[np.datetime64]:
    return np.asarray(moments.dt.tz_convert(None), dtype="datetime64[ns]")


def chain_stamps(config: Config, market: Market) -> Check:
    """Compare the regime's publication with the chains that it was rebuilt from."""
    rebuilt, lake = market.regime.rows, lake_of(config)
    if rebuilt is not None and rebuilt.lake.root == lake.root:
        lake = rebuilt.lake  # as of the moment at which the run began
    chains = chain_times(lake, config.data.underlying)
    table = market.regime.table
    both = pd.DatetimeIndex(table.index).intersection(pd.DatetimeIndex(chains.index))
    regime_known = _utc(table.loc[both, "known_at"])
    chain_known = _utc(chains.loc[both, "known_at"])
    settled = pd.DatetimeIndex(chains.loc[both, "oi_asof"])
    stated = np.asarray(settled.notna())
    rows = session_rows(market.calendar, pd.DatetimeIndex(settled.where(stated, both)))
    claimed = stated & (chain_known <= market.calendar.closes[rows])
    leaks = first_of(
        "regime",
        both[regime_known < chain_known],
        "regime_before_chain",
        "the regime is stamped as known before the chain that it was rebuilt from",
    )
    leaks += first_of(
        "open interest",
        both[claimed],
        "open_interest_before_settlement",
        "the chain is stamped as known before its open interest was settled",
    )
    return 2 * len(both), leaks


def order_stamps(config: Config, market: Market, strategy: Strategy) -> Check:
    """Compare each order's inputs with the moment at which it had to be out."""
    if strategy.intraday:
        return _bar_stamps(market, strategy)
    schedule = make_schedule(market.calendar, pd.DatetimeIndex(market.bars.index), config.fill)
    late = late_inputs(strategy, evaluation_of(market, schedule), market.sessions)
    plan = plan_orders(strategy.name, decided(market, strategy, schedule), schedule)
    ordered = plan.decided >= 0
    due = np.full(len(plan.target), np.datetime64("NaT", "ns"))
    due[ordered] = schedule.due[plan.decided[ordered]]
    leaks, count = list(_late_leaks(config, strategy, late)), len(market.sessions)
    for title, known in plan.inputs.items():
        early = known >= due if schedule.strict else known > due
        count += int((~np.isnat(known)).sum())
        leaks += first_of(
            _sources(strategy) if title == "regime" else title,
            schedule.sessions[plan.decided[early]],
            "used_before_known",
            f"{strategy.name} fills at {config.fill} with it before it was public",
        )
    return count, leaks


def _bar_stamps(market: Market, strategy: Strategy) -> Check:
    count, early = early_orders(market, strategy)
    leaks: list[Leak] = []
    for title, sessions in early.items():
        detail = f"{strategy.name} fills at a bar with it before it was public"
        leaks += first_of(title, sessions, "used_before_known", detail)
    return count, leaks


def _late_leaks(config: Config, strategy: Strategy, late: Sequence[LateInput]) -> Iterator[Leak]:
    """Yield a leak for each input that is too late in most of the sessions tested."""
    for each in late:
        detail = (
            f"{strategy.name} fills at {config.fill} with it before it was public "
            f"({each.late} of {each.values} sessions)"
        )
        yield Leak(each.title, each.session.date(), "used_before_known", detail)


def _sources(strategy: Strategy) -> str:
    """Return the prefixes of the columns that a filter reads: ``regime``, a series' name."""
    read = {str(past.of).removeprefix("series.") for past in strategy.filter.inputs().values()}
    return ", ".join(sorted({name.partition(".")[0] for name in read})) or "nothing"


def spot_stamps(market: Market) -> Check:
    """Look for rows whose spot is a close that was still to come by their own stamps.

    That of the session after the one they are dated, or that of their own session where they
    claim to have been known well before it.
    """
    table = market.regime.table
    if "spot" not in table:
        return 0, []
    sessions = pd.DatetimeIndex(table.index)
    spot = np.asarray(table["spot"], dtype=float)
    own = np.abs(np.log(spot / np.asarray(market.closes.reindex(sessions))))
    later = np.abs(np.log(spot / np.asarray(market.closes.shift(-1).reindex(sessions))))
    closes = market.calendar.closes[session_rows(market.calendar, sessions)]
    early = (_utc(table["known_at"]) < closes - _WELL_BEFORE) & (own < _NEAR)
    leaks = _beyond_coincidence(
        sessions,
        (own > _FAR) & (later < _NEAR),
        "spot_of_a_later_session",
        "its spot is the next session's close: the rows are dated too early",
    )
    leaks += _beyond_coincidence(
        sessions,
        early,
        "stamped_before_its_price",
        "its spot is the session's close, but it is stamped as known well before",
    )
    return len(table), leaks


def _beyond_coincidence(
    sessions: pd.DatetimeIndex, hit: npt.NDArray[np.bool_], kind: str, detail: str
) -> list[Leak]:
    # one coincidence is nothing: neighbouring closes do meet now and then
    many = hit.sum() > max(1, 0.02 * len(hit))
    return first_of("regime", sessions[hit], kind, detail) if many else []
