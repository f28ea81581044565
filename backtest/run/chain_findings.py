"""What the checks of the chains find in the sessions tested, once for every place that tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ...data.lake.lake import open_lake
from ...data.quality.check import findings
from .results import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from ...data.quality.catalogue import Finding
    from .config import Config
    from .results import BacktestResult

__all__ = ["chain_findings", "findings_notice", "with_findings"]


def with_findings(result: BacktestResult, config: Config, bars: pd.DataFrame) -> BacktestResult:
    """Return the result with what was found in its chains, and the notice that says so.

    A result whose regime is a series has no chains and stays as it is.
    """
    if result.regime.source != "lake":
        return result
    found = chain_findings(config, bars, result.data.calendar)
    told = findings_notice(found)
    notices = result.notices if told is None else (*result.notices, told)
    order = {"error": 0, "warning": 1, "info": 2}
    return replace(
        result, findings=found, notices=tuple(sorted(notices, key=lambda n: order[n.severity]))
    )


def chain_findings(config: Config, bars: pd.DataFrame, calendar: str) -> tuple[Finding, ...]:
    """Return the findings of a configuration's lake within its period.

    Parameters
    ----------
    config : Config
    bars : DataFrame
        Daily bars by session, whose closes the chains' spots are held against.
    calendar : str
    """
    assert config.data.lake is not None
    found = findings(
        open_lake(config.data.lake),
        config.data.underlying,
        bars=bars,
        calendar=calendar,
        dealer_model=config.regime.dealer_model,
        instrument=config.data.instrument,
    )
    return tuple(f for f in found if f.session is None or _in_period(config, f.session))


def _in_period(config: Config, session: date) -> bool:
    start, end = config.data.start, config.data.end
    return (start is None or session >= start) and (end is None or session <= end)


def findings_notice(found: Sequence[Finding]) -> Notice | None:
    """Return the notice of errors and warnings in chains; None where there are none."""
    grave = [f for f in found if f.severity != "note"]
    if not grave:
        return None
    sessions = len({f.session for f in grave if f.session is not None})
    often = ", ".join(f"{name} {n}" for name, n in Counter(f.check for f in grave).most_common(3))
    detail = (
        f"the checks of the chains found {len(grave)} errors and warnings in {sessions} sessions, "
        f"most often {often}: gexlab check lists them"
    )
    return Notice("chain_findings", "warning", detail, len(grave))
