"""What was found in the inputs of a run within its period: chains, bars and series."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from ...data.quality.catalogue import CATALOGUE, Finding
from .results import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .config import Config
    from .market import Market
    from .regime_source import RegimeSource
    from .results import Fragile

__all__ = ["chain_findings", "fragile_notices", "promoted", "run_findings"]


def run_findings(config: Config, market: Market) -> tuple[Finding, ...]:
    """Return everything that was found within the period, in order of session and name.

    Findings about a file as a whole have no session and are kept.
    """
    found = [*market.findings]
    if config.regime.source == "lake":
        found += chain_findings(
            config, market.regime.definition_id, bars=market.bars, calendar=market.calendar.name
        )
    first, last = market.sessions[0].date(), market.sessions[-1].date()
    inside = [f for f in found if f.session is None or first <= f.session <= last]
    return tuple(sorted(inside, key=lambda f: (str(f.session or ""), f.check)))


def chain_findings(
    config: Config,
    definition_id: str | None,
    *,
    bars: pd.DataFrame | None = None,
    calendar: str | None = None,
) -> list[Finding]:
    """Return what `check` and the rebuild found in the chains of a configuration's regime.

    Both name the same thing alike; where both report it, the rebuild's stands, which knows the
    definition.

    Parameters
    ----------
    config : Config
    definition_id : str or None
        Of the regime.
    bars : DataFrame, optional
        Daily bars, whose closes the spots are held against.
    calendar : str, optional
        The lake's own where not given.
    """
    from ...data.lake.lake import open_lake
    from ...data.quality.check import findings

    assert config.data.lake is not None
    rebuilt = _rebuilt(config, definition_id)
    measured = findings(
        open_lake(config.data.lake),
        config.data.underlying,
        bars=bars,
        calendar=calendar,
        dealer_model=config.regime.dealer_model,
        instrument=config.data.instrument_kind,
    )
    known = {(f.session, f.check) for f in rebuilt}
    return [*rebuilt, *(f for f in measured if (f.session, f.check) not in known)]


def _rebuilt(config: Config, definition_id: str | None) -> list[Finding]:
    from ...data.regimes.table import side_table

    assert config.data.lake is not None
    table = side_table(
        config.data.lake,
        "quality_findings",
        config.data.underlying,
        book=config.regime.book,
        dealer_model=config.regime.dealer_model,
        definition_id=definition_id,
    )
    return [
        Finding(
            pd.Timestamp(row["session"]).date(),
            str(row["check"]),
            CATALOGUE[str(row["check"])].severity,
            int(row["count"]),
            math.nan if pd.isna(row["open_interest"]) else float(row["open_interest"]),
            str(row["detail"]),
        )
        for row in table.to_dict("records")
    ]


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


def promoted(
    config: Config, regime: RegimeSource, findings: Iterable[Finding], bars: pd.DataFrame
) -> RegimeSource:
    """Return the regime, abstaining on the sessions of promoted findings.

    A finding about the underlying or a file as a whole concerns every session.

    Parameters
    ----------
    config : Config
    regime : RegimeSource
    findings : iterable of Finding
        About bars and series; those about chains are looked for where one is promoted.
    bars : DataFrame
        Daily bars.
    """
    wanted = set(config.regime.promote)
    found = [f for f in findings if f.check in wanted]
    chains = {name for name in wanted if CATALOGUE[name].about in ("chain", "rebuild")}
    if chains and config.regime.source == "lake":
        known = chain_findings(config, regime.definition_id, bars=bars)
        found += [f for f in known if f.check in chains]
    if not found:
        return regime
    table = regime.table.copy()
    days = pd.DatetimeIndex([f.session for f in found if f.session is not None])
    hit = table.index.isin(days) | any(f.session is None for f in found)
    hit &= (table["regime"] != "abstain").to_numpy()
    if not hit.any():
        return regime
    table.loc[hit, "regime"] = "abstain"
    count = int(hit.sum())
    detail = f"sessions that abstain because of findings promoted by the configuration: {count}"
    notice = Notice("promoted_findings", "info", detail, count)
    return replace(regime, table=table, notices=(*regime.notices, notice))
