"""What was found in the inputs of a run within its period: chains, bars and series."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from ...data import CARRY_FINDINGS, CATALOGUE, Finding
from .chain_findings import chain_findings, rebuilt_findings
from .results import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .config import Config
    from .market import Market
    from .regime_source import RegimeSource
    from .results import Fragile

__all__ = ["fragile_notices", "promoted", "promoted_chains", "run_findings"]


def run_findings(config: Config, market: Market) -> tuple[Finding, ...]:
    """Return what was found in bars and series within the period, and what carry lacks.

    In order of session and name; findings about a file as a whole have no session and are kept.
    `chain_findings` reports what else was found in chains.
    """
    found = [*market.findings]
    if config.regime.source == "lake":
        rebuilt = rebuilt_findings(config, market.regime.rows)
        found += [f for f in rebuilt if f.check in CARRY_FINDINGS]
    first, last = market.sessions[0].date(), market.sessions[-1].date()
    inside = [f for f in found if f.session is None or first <= f.session <= last]
    return tuple(sorted(inside, key=lambda f: (str(f.session or ""), f.check)))


def fragile_notices(fragile: Iterable[Fragile]) -> Iterator[Notice]:
    """Yield a notice for each answer that hangs on few observations."""
    names = {
        "direction": "whether the main strategy earns money",
        "volatility": "whether short gamma is followed by more volatility",
    }
    for each in fragile:
        days = ", ".join(str(day) for day in each.sessions)
        detail = (
            f"{names[each.question]} hangs on {len(each.sessions)} of the observations ({days}): "
            f"the answer is {each.answer} with them and {each.without} without"
        )
        yield Notice("hangs_on_few", CATALOGUE["hangs_on_few"].severity, detail, len(each.sessions))


def promoted_chains(
    config: Config, regime: RegimeSource, bars: pd.DataFrame, calendar: str
) -> tuple[Finding, ...] | None:
    """Return the findings of the chains where one of them is promoted; None: nobody looked.

    A run that has looked does not look again; see `chain_findings.with_findings`.
    """
    about_chains = any(CATALOGUE[name].about in _CHAINS for name in config.regime.promote)
    if not about_chains or config.regime.source != "lake":
        return None
    return chain_findings(config, regime.rows, bars, calendar)


_CHAINS: Final = ("chain", "rebuild")


def promoted(
    config: Config,
    regime: RegimeSource,
    findings: Iterable[Finding],
    chains: Iterable[Finding] | None,
    sessions: pd.Index | None = None,
) -> RegimeSource:
    """Return the regime, abstaining on the sessions of promoted findings.

    A finding about the underlying or a file as a whole concerns every session.

    Parameters
    ----------
    config : Config
    regime : RegimeSource
    findings : iterable of Finding
        About bars and series.
    chains : iterable of Finding or None
        About chains, see `promoted_chains`.
    sessions : Index, optional
        Those that are tested: the notice counts no others. All where left out.
    """
    wanted = set(config.regime.promote)
    found = [f for f in findings if f.check in wanted]
    if chains is not None:
        known = [*rebuilt_findings(config, regime.rows), *chains]
        about_chains = {name for name in wanted if CATALOGUE[name].about in _CHAINS}
        found += [f for f in known if f.check in about_chains]
    if not found:
        return regime
    table = regime.table.copy()
    days = pd.DatetimeIndex([f.session for f in found if f.session is not None])
    hit = table.index.isin(days) | any(f.session is None for f in found)
    hit &= (table["regime"] != "abstain").to_numpy()
    if not hit.any():
        return regime
    table.loc[hit, "regime"] = "abstain"
    because = {day: _checks_on(day, found) for day in table.index[hit]}
    count = len(because) if sessions is None else sum(day in sessions for day in because)
    detail = f"sessions that abstain because of findings promoted by the configuration: {count}"
    late = sorted({f.check for f in found if CATALOGUE[f.check].hindsight})
    if late:
        detail += (
            f"; {', '.join(late)}: found with later sessions alone, so that these labels look "
            "ahead and no live decision has them"
        )
    notice = Notice("promoted_findings", "warning" if late else "info", detail, count)
    notices = (*regime.notices, notice) if count else regime.notices
    return replace(regime, table=table, notices=notices, promoted=because)


def _checks_on(day: pd.Timestamp, found: Iterable[Finding]) -> tuple[str, ...]:
    """Return the checks that found something on a session, or on all of them."""
    return tuple(sorted({f.check for f in found if f.session in (None, day.date())}))
