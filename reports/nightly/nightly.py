"""The nightly job: whatever is new comes in, whatever changed is rebuilt, and a report comes out.

Every step can be repeated: files already in the lake are skipped, sessions up to date are not
rebuilt, and nothing is run again where no input changed. A job that was killed is simply started
again and goes on where the last complete step ended.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ConfigError, silent
from .standing import NOTE_FILE

if TYPE_CHECKING:
    import pandas as pd

    from ...backtest import Config, Market
    from ...data import IngestResult, Progress, RebuildResult, SnapshotResult

__all__ = ["NightlyResult", "nightly"]


@dataclass(frozen=True, slots=True)
class NightlyResult:
    """What the night brought.

    Attributes
    ----------
    ran : bool
        False: no input had changed since the last complete run, whose report stands.
    last_session : str
        Last session with a regime, YYYY-MM-DD.
    regime, quality : str
        Of that session; where the quality gate failed, the regime is ``abstain`` and `quality`
        says why.
    carry : tuple of str
        What the last session's net GEX lacks of carry, in a sentence each; empty where nothing.
    snapshot : SnapshotResult or None
    ingested : IngestResult or None
        None where the configuration asks for none.
    rebuilt : RebuildResult or None
        None where the regime is a series.
    report : Path
    seconds : float
    """

    ran: bool
    last_session: str
    regime: str
    quality: str
    snapshot: SnapshotResult | None
    ingested: IngestResult | None
    rebuilt: RebuildResult | None
    report: Path
    seconds: float
    carry: tuple[str, ...] = ()


def nightly(config: str | Path, *, progress: Progress = silent) -> NightlyResult:
    """Ingest what is new, rebuild what changed, backtest and report.

    Parameters
    ----------
    config : str or Path
        A configuration; its section ``[nightly]`` says what is ingested and where results go.
    progress : Progress
        Called within each step.

    Returns
    -------
    NightlyResult

    Raises
    ------
    GexlabError
        Whatever a step raises; the steps before it stay done.
    """
    from ...backtest import load_config

    began = time.perf_counter()
    settings = load_config(config)
    out = settings.nightly.out or settings.folder / "out"
    snapshot = _snapshot(settings)
    ingested = _ingest(settings, progress)
    ran, latest, rebuilt = _backtest(settings, out, progress)
    return NightlyResult(
        ran=ran,
        last_session=latest["session"],
        regime=latest["regime"],
        quality=latest["quality"],
        snapshot=snapshot,
        ingested=ingested,
        rebuilt=rebuilt,
        report=out / "report.html",
        seconds=time.perf_counter() - began,
        carry=tuple(latest["carry"]),
    )


def _lake(settings: Config) -> Path:
    if settings.data.lake is None:
        raise ConfigError("[nightly] ingests or rebuilds, but data.lake is missing: name a folder")
    return Path(settings.data.lake)


def _snapshot(settings: Config) -> SnapshotResult | None:
    if not settings.nightly.snapshot:
        return None
    from ...data import open_lake, snapshot

    return snapshot(settings.data.underlying, open_lake(_lake(settings), create=True))


def _ingest(settings: Config, progress: Progress) -> IngestResult | None:
    night = settings.nightly
    if not night.paths:
        return None
    from ...data import ingest

    return ingest(
        night.paths,
        vendor=night.vendor,
        underlying=settings.data.underlying,
        lake=_lake(settings),
        mapping=night.map,
        progress=progress,
    )


def _backtest(
    settings: Config, out: Path, progress: Progress
) -> tuple[bool, dict[str, Any], RebuildResult | None]:
    """Rebuild what changed, then run and report, unless the last complete run had these inputs.

    Returns whether it ran, its last session, and what was rebuilt.
    """
    from ...backtest import backtest, open_run, write_result_files
    from ...data import BOOKS, published
    from ..page.report import write_report
    from .standing import depends_on, note_of, stands

    progress(0, None, "reading data")
    if settings.regime.source == "lake":
        _lake(settings)
    with open_run(settings, books=BOOKS, progress=progress) as run:
        market = run.market
        rebuilt = None if market.regime.rebuilt is None else market.regime.rebuilt.done
        latest = _latest(settings, market)
        key = depends_on(settings, market)
        if stands(out, key):
            return False, latest, rebuilt
        with published(out) as stage:
            result = backtest(settings, progress=progress, market=market)
            write_result_files(result, stage)
            write_report(result, settings, stage, market=market, progress=progress)
            note = json.dumps(latest | note_of(stage, key), indent=2) + "\n"
            (stage / NOTE_FILE).write_text(note, encoding="utf-8")
    return True, latest, rebuilt


def _latest(settings: Config, market: Market) -> dict[str, Any]:
    table = market.regime.table
    return {
        "session": f"{table.index[-1]:%Y-%m-%d}",
        "regime": str(table["regime"].iloc[-1]),
        "quality": _quality(settings, market, table.index[-1]),
        "carry": _carry(settings, market, table.index[-1]),
    }


def _carry(settings: Config, market: Market, session: pd.Timestamp) -> list[str]:
    """Return what the net GEX of a session lacks of carry."""
    from ...backtest import rebuilt_findings
    from ...data import CARRY_FINDINGS, carry_sentence

    if market.regime.rebuilt is None:
        return []
    found = rebuilt_findings(settings, market.regime.rows)
    here = [f for f in found if f.session == session.date() and f.check in CARRY_FINDINGS]
    return [carry_sentence(f.check, f.detail) for f in here]


def _quality(settings: Config, market: Market, session: pd.Timestamp) -> str:
    """Return what the quality gate says of a session; ``ok`` of a series, which has none."""
    if market.regime.rebuilt is None:
        return "ok"
    rows = market.regime.rows.table("regimes", settings.regime.book)
    return str(rows.set_index("session")["quality"].loc[session])
