"""Long-short portfolios of a universe as the trials of a grid."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ...data import (
    HERE,
    LedgerError,
    NotEnoughDataError,
    UnderlyingSettings,
    code_digest,
    cross_section,
    load_underlying_settings,
    open_lake,
    rebuild,
    silent,
    trading_calendar,
)
from ..statistics.sharpe_tests import expected_best
from .combined_book import combined_book
from .documents import trials_table
from .long_short import LongShortResult, long_short, record_long_short
from .result import Best, GridResult
from .store import FOUND, KEY

if TYPE_CHECKING:
    from ...data import CrossSection, Lake, Progress, Workers
    from ..run.universe import UniverseConfig, UniverseRegime

__all__ = ["PARAMETERS", "run_universe_grid"]

#: Columns of `trials.parquet` that say what a trial is.
PARAMETERS: Final = (
    "signal", "side", "quantile", "weights", "hold", "fees_bps", "dealer_model", "book",
    "definition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """The portfolios by one regime, and the names that could not be rebuilt, with the reason."""

    regime: UniverseRegime
    section: CrossSection
    result: LongShortResult
    failed: dict[str, str]


def run_universe_grid(
    config: UniverseConfig, *, workers: Workers = HERE, progress: Progress | None = None
) -> GridResult:
    """Evaluate every long-short portfolio that a configuration spans; writes nothing.

    What the lake lacks of the regimes is rebuilt first, unless a past version is read.

    Parameters
    ----------
    config : UniverseConfig
    workers : Workers, optional
        They rebuild what lacks; the portfolios are computed here.
    progress : Progress, optional

    Returns
    -------
    GridResult
        With `portfolios`.

    Raises
    ------
    LakeError, DefinitionError, InputFileError, NotEnoughDataError
        If an input is absent, cannot be read or is too short.
    """
    began = time.perf_counter()
    report = progress or silent
    lake = open_lake(config.data.lake, as_of=config.lake_version)
    found = [_by(config, regime, lake, workers, report) for regime in config.regimes]
    whole = _together([each.result for each in found])
    rows = [row for each in found for row in _rows(each)]
    names = [row["trial_id"] for row in rows]
    distinct = {row["trial_id"]: row for row in reversed(rows)}
    table, parameters = trials_table([distinct[name] for name in dict.fromkeys(names)])
    table.pop("_year")
    sharpe = table["sharpe"].to_numpy("float64")
    top = int(np.nanargmax(sharpe)) if np.isfinite(sharpe).any() else None
    best = Best(None, float("nan"))
    if top is not None:
        best = Best(str(table["trial_id"].iloc[top]), float(sharpe[top]))
    year = max(row["_year"] for row in rows)
    luck = expected_best(len(table), year / len(whole.returns))
    return GridResult(
        table=table,
        parameters=parameters,
        trials=len(table),
        computed=len(table),
        reused=0,
        duplicates=len(rows) - len(table),
        seconds=time.perf_counter() - began,
        best=best,
        best_by_luck=luck,
        simulated=config.data.simulated,
        underlyings=tuple(sorted({n for f in found for n in f.section.names["underlying"]})),
        unrecorded=sum(_unrecorded(each, config) for each in found),
        level=config.inference.level,
        portfolios=replace(
            whole,
            trials=len(table),
            best=best.trial_id,
            best_sharpe=best.sharpe,
            best_by_luck=luck,
            seconds=time.perf_counter() - began,
        ),
        failed={name: why for each in found for name, why in each.failed.items()},
    )


def _by(
    config: UniverseConfig,
    regime: UniverseRegime,
    lake: Lake,
    workers: Workers,
    progress: Progress,
) -> _Found:
    """Return the portfolios by one regime."""
    data = config.data
    settings = UnderlyingSettings()
    if data.settings is not None:
        settings = load_underlying_settings(data.settings)
    settings = replace(settings, default={"dealer": regime.dealer_model, **settings.default})
    definition = config.definition_of(regime)
    failed: dict[str, str] = {}
    if config.lake_version is None:
        done = rebuild(
            lake, data.underlying, definition=definition, books=(regime.book,),
            settings=settings, workers=workers, progress=progress,
        )  # fmt: skip
        failed = done.failed
    section = cross_section(
        open_lake(data.lake, as_of=config.lake_version), data.underlying, book=regime.book,
        definition_id=definition, settings=settings, volumes=data.volumes,
    )  # fmt: skip
    days = section.names["session"]
    inside = pd.Series(data=True, index=days.index)
    if data.start is not None:
        inside &= days >= pd.Timestamp(data.start)
    if data.end is not None:
        inside &= days <= pd.Timestamp(data.end)
    if not inside.any():
        raise NotEnoughDataError(
            f"regimes between {data.start or 'the first'} and {data.end or 'the last'} session: "
            f"the lake's are of {days.min().date()} to {days.max().date()}"
        )
    section = replace(section, names=section.names[inside].reset_index(drop=True))
    first = str(section.names["underlying"].iloc[0])
    result = long_short(
        section, trading_calendar(lake.calendar(first)), config.portfolios,
        year=lake.facts(first).sessions_per_year, level=config.inference.level,
    )  # fmt: skip
    failed |= {n: "not rebuilt" for n in section.not_rebuilt if n not in failed}
    return _Found(regime, section, result, failed)


def _rows(found: _Found) -> list[dict[str, Any]]:
    """Return each portfolio as a row of a grid; what a portfolio does not have is undefined."""
    data = found.section.names[["underlying", "session", "spot", "net_gex", "gross_gex"]]
    held = pd.util.hash_pandas_object(data, index=False).to_numpy().tobytes()
    origin = hashlib.sha256(held + code_digest().encode()).hexdigest()
    said = found.regime.definition
    regime = {
        "dealer_model": ", ".join(found.section.dealer_models),
        "book": found.regime.book,
        "definition": said if isinstance(said, str) else ", ".join(found.section.definition_ids),
    }
    return [
        {
            "trial_id": row["trial_id"],
            **{name: row[name] for name in PARAMETERS if name in row},
            **regime,
            **{name: row.get(name) for name in FOUND},
            KEY: hashlib.sha256(f"{row['trial_id']}\n{origin}".encode()).hexdigest()[:24],
            "_year": found.result.year,
        }
        for row in found.result.table.to_dict("records")
    ]


def _together(found: list[LongShortResult]) -> LongShortResult:
    """Return the portfolios by several regimes as one result."""
    if len(found) == 1:
        return found[0]
    returns = pd.concat([each.returns for each in found], axis=1)
    returns = returns.loc[:, ~returns.columns.duplicated()].sort_index()
    table = pd.concat([each.table for each in found], ignore_index=True)
    table = table.drop_duplicates("trial_id", ignore_index=True)
    year = max(each.year for each in found)
    left: dict[str, int] = {}
    for each in found:
        for reason, count in each.left_out.items():
            left[reason] = left.get(reason, 0) + count
    return replace(
        found[0], table=table, returns=returns, left_out=left, names=max(e.names for e in found),
        book=combined_book(returns, year=year, level=found[0].level), sessions=len(returns),
    )  # fmt: skip


def _unrecorded(found: _Found, config: UniverseConfig) -> int:
    """Count the portfolios of a regime in the ledger; return how many could not be."""
    path = config.ledger_path
    if path is None:
        return 0
    try:
        record_long_short(found.result, found.section, path)
    except LedgerError:
        return found.result.trials
    return 0
