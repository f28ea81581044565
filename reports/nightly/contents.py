"""What a night's folder holds, and what it adds to the live record."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...data import encodable
from ..terminal.output import plain
from .alerts import quality_of
from .live_record import Forecast, appended, scores_of
from .standing import NOTE_FILE, note_of
from .summary import SUMMARY_FILE, facts_of_night, markdown_of
from .target_files import write_targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...backtest import BacktestResult, Config, Market, Target
    from ...data import Progress
    from .live_record import Entry, Record, Score

__all__ = ["Counted", "Written", "keep_record", "live_scores", "write_night"]

#: The estimator that volatility is forecast and scored with: a range needs no intraday bars.
_ESTIMATOR = "parkinson"


@dataclass(frozen=True, slots=True)
class Counted:
    """How a night's trials stood in the ledger, for a replay: it adds none.

    Attributes
    ----------
    numbers : mapping of str to int
    notices : sequence of mapping
        What was said where they could not be recorded.
    """

    numbers: Mapping[str, int]
    notices: Sequence[Mapping[str, Any]]

    def stated(self, result: BacktestResult) -> BacktestResult:
        """Return a result that states these numbers."""
        from ...backtest import Notice, sorted_notices

        told = [Notice(**notice) for notice in self.notices]
        kept = [n for n in result.notices if n.code != "trials_not_recorded"]
        return replace(
            result,
            notices=sorted_notices((*kept, *told)),
            provenance=replace(result.provenance, trial_numbers=dict(self.numbers)),
        )


@dataclass(frozen=True, slots=True)
class Written:
    """Where a night goes, and what stands on its report beside the backtest.

    Attributes
    ----------
    folder : Path
    key : str
        Digest of everything that the folder depends on.
    alerts : tuple of str
    earlier : tuple of Entry
        What earlier nights said.
    scores : list of Score
        What came of it.
    counted : Counted or None
        None: the ledger counts the trials.
    """

    folder: Path
    key: str
    alerts: tuple[str, ...]
    earlier: tuple[Entry, ...]
    scores: list[Score]
    counted: Counted | None = None


def write_night(settings: Config, market: Market, written: Written, progress: Progress) -> None:
    """Backtest, report, decide tomorrow's orders, and publish them as one folder."""
    from ...backtest import backtest, next_targets, write_result_files
    from ...data import published
    from ..page.report import morning_of, write_report
    from ..page.sections.live import live_section

    with published(written.folder) as stage:
        result = backtest(settings, progress=progress, market=market)
        if written.counted is not None:
            result = written.counted.stated(result)
        # when it was, and how long it took, stand in run.json: equal nights are equal files
        told = replace(result.provenance, created_at=None, seconds=float("nan"))
        write_result_files(replace(result, provenance=told), stage)
        morning = morning_of(result, settings, market)
        targets = next_targets(settings, market)
        content = result.provenance.content_id
        write_targets(targets, content, result.data.underlying, stage)
        live = live_section(result, written.earlier, written.scores)
        write_report(
            result,
            settings,
            stage,
            market=market,
            progress=progress,
            alert=". ".join(written.alerts),
            morning=morning,
            beside=() if live is None else (live,),
        )
        last = market.regime.table.index[-1]
        facts = facts_of_night(morning) | {
            "quality": quality_of(settings, market, last),
            "carry": _carry(settings, market, last),
            "alerts": list(written.alerts),
            "forecasts": [asdict(f) for f in _forecasts(result, morning.regime, targets)],
        }
        text = markdown_of(facts, written.alerts, targets)
        (stage / SUMMARY_FILE).write_text(encodable(text), encoding="utf-8")
        told = plain(facts)
        note = {"facts": told, **note_of(stage, written.key, told)}
        text = json.dumps(plain(note), indent=2) + "\n"
        (stage / NOTE_FILE).write_text(text, encoding="utf-8")


def _carry(settings: Config, market: Market, session: pd.Timestamp) -> list[str]:
    """Return what the net GEX of a session lacks of carry."""
    from ...backtest import rebuilt_findings
    from ...data import CARRY_FINDINGS, carry_sentence

    if market.regime.rebuilt is None:
        return []
    found = rebuilt_findings(settings, market.regime.rows)
    here = [f for f in found if f.session == session.date() and f.check in CARRY_FINDINGS]
    return [carry_sentence(f.check, f.detail) for f in here]


def _forecasts(result: BacktestResult, regime: str, targets: Sequence[Target]) -> list[Forecast]:
    """Return what the night says of the sessions ahead; what it cannot say is None."""
    cell = result.volatility.by_regime.get(_ESTIMATOR, {}).get(regime)
    ahead = None if cell is None or cell.next_1 != cell.next_1 else cell.next_1
    found = [
        Forecast("regime", result.regime.name, regime),
        Forecast("volatility", _ESTIMATOR, ahead),
    ]
    for target in targets:
        wanted = None if target.target != target.target else target.target
        times = (target.fill, target.fill_at.isoformat(), target.valid_until.isoformat())
        if target.role == "main":
            side = None if wanted is None else float((wanted > 0) - (wanted < 0))
            found.append(Forecast("direction", target.strategy, side, *times))
        found.append(Forecast("target", target.strategy, wanted, *times))
    return found


def live_scores(earlier: Sequence[Entry], market: Market) -> list[Score]:
    """Return what came of earlier nights' forecasts, by today's data."""
    bars = market.bars
    days = market.calendar.sessions
    first, last = (pd.Timestamp(bars.index[i]).to_datetime64() for i in (0, -1))
    inside = days[(days >= first.astype("datetime64[D]")) & (days <= last.astype("datetime64[D]"))]
    whole = bars.reindex(pd.DatetimeIndex(inside.astype("datetime64[ns]")))
    return scores_of(earlier, market.regime.table["regime"], whole, market.facts.sessions_per_year)


def keep_record(
    out: Path, record: Record, facts: dict[str, Any], scores: Sequence[Score], *, late: bool
) -> bool:
    """Freeze a night's forecasts and the scores that it brought; return whether it added any."""
    forecasts = [Forecast(**told) for told in facts["forecasts"]]
    definition = str(facts["definition_id"])
    session, content = facts["session"], facts["content_id"]
    return appended(out, record, session, content, definition, forecasts, scores, late=late)
