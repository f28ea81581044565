"""What the checks of the chains find in the sessions tested, once for every place that tells it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from ...data import CARRY_FINDINGS, Definition, Finding, findings, implied_spot_sentence
from .results import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import PeerRule, RebuiltRows
    from .config import Config
    from .market import Market
    from .results import BacktestResult

__all__ = ["chain_findings", "findings_notice", "spot_notice", "with_findings"]


def with_findings(result: BacktestResult, config: Config, market: Market) -> BacktestResult:
    """Return the result with what was found in its chains, and the notice that says so.

    A result whose regime is a series has no chains and stays as it is. Chains that were looked at
    when the market was loaded are not looked at again.
    """
    if result.regime.source != "lake":
        return result
    found = market.chain_findings
    if found is None:
        found = chain_findings(
            config, market.regime.rows, market.bar_set.frame, result.data.calendar
        )
    said = (findings_notice(found), spot_notice(found, result.data.sessions))
    notices = (*result.notices, *(notice for notice in said if notice is not None))
    order = {"error": 0, "warning": 1, "info": 2}
    return replace(
        result, findings=found, notices=tuple(sorted(notices, key=lambda n: order[n.severity]))
    )


def chain_findings(
    config: Config, rows: RebuiltRows, bars: pd.DataFrame, calendar: str | None
) -> tuple[Finding, ...]:
    """Return the findings of a configuration's lake within its period.

    Parameters
    ----------
    config : Config
    rows : RebuiltRows
        Of the configuration's regime: the lake and the definition, as they were read.
    bars : DataFrame
        Daily bars by session, whose closes the chains' spots are held against.
    calendar : str or None
        None: the lake's own.

    Returns
    -------
    tuple of Finding

    Notes
    -----
    The configured definition's rates decide whether forwards and carry are found missing.
    """
    rates = _rates(rows.spec.definition)
    found = findings(
        rows.lake,
        config.data.underlying,
        bars=bars,
        calendar=calendar,
        rate=0.0 if rates is None else rates[0],
        dividend_yield=0.0 if rates is None else rates[1],
        dealer_model=config.regime.dealer_model,
        instrument=config.data.instrument,
    )
    if rates is None:  # the checks know no curves
        found = [f for f in found if f.check not in CARRY_FINDINGS]
    return tuple(f for f in found if f.session is None or config.data.covers(f.session))


def rebuilt_findings(config: Config, rows: RebuiltRows) -> list[Finding]:
    """Return what the rebuild noticed about the evaluation of every session.

    Parameters
    ----------
    config : Config
    rows : RebuiltRows
        Of the configuration's regime.

    Returns
    -------
    list of Finding
    """
    if not isinstance(rows.spec.definition, Definition):  # a peer's rule notices nothing
        return []
    table = rows.table("quality_findings", config.regime.book)
    return [
        Finding(
            pd.Timestamp(row["session"]).date(),
            str(row["check"]),
            row["severity"],
            int(row["count"]),
            math.nan if pd.isna(row["open_interest"]) else float(row["open_interest"]),
            str(row["detail"]),
        )
        for row in table.to_dict("records")
    ]


def _rates(stated: Definition | PeerRule) -> tuple[float, float] | None:
    """Return rate and dividend yield of a definition; None where they are curves."""
    if isinstance(stated, Definition) and (stated.rate_curve or stated.dividend_curve):
        return None
    return stated.rate, stated.dividend_yield


def findings_notice(found: Sequence[Finding]) -> Notice | None:
    """Return the notice of errors and warnings in chains; None where there are none."""
    # the model has a notice of its own, and no place in a list of the chains' findings
    grave = [f for f in found if f.severity != "info" and f.check != "naive_single_stock"]
    if not grave:
        return None
    sessions = len({f.session for f in grave if f.session is not None})
    often = ", ".join(f"{name} {n}" for name, n in Counter(f.check for f in grave).most_common(3))
    detail = (
        f"the checks of the chains found {len(grave)} errors and warnings in {sessions} sessions, "
        f"most often {often}: gexlab check lists them"
    )
    return Notice("chain_findings", "warning", detail, len(grave))


def spot_notice(found: Sequence[Finding], sessions: int) -> Notice | None:
    """Return the notice of spots that put-call parity implies; None where files state them all."""
    implied = sum(f.check == "spot_implied" for f in found)
    if not implied:
        return None
    return Notice("spot_implied", "info", implied_spot_sentence(implied, sessions), implied)
