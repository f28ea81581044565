"""The files of a tournament: ``tournament.json`` and ``trials.parquet``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ...data import plain
from ..grid.documents import column_of
from .result import EntryResult
from .verdicts import tournament_luck

if TYPE_CHECKING:
    from pathlib import Path

    from .breakdown import Breakdown
    from .overfitting import Overfitting
    from .result import TournamentResult
    from .selection import Selection

__all__ = ["tournament_document", "trials_frame", "write_tournament"]

_NUMBERS: Final = tuple(f.name for f in fields(EntryResult) if f.name != "parameters")


def tournament_document(result: TournamentResult) -> dict[str, Any]:
    """Return what ``tournament.json`` says; undefined is None, never 0.

    Parameters
    ----------
    result : TournamentResult

    Returns
    -------
    dict of str to object
    """
    document = {
        "trials": result.trials,
        "ledger_trials": result.ledger_trials,
        "effective_trials": result.effective_trials,
        "in_ledger": result.counted,
        "entries": [_entry(entry) for entry in result.entries],
        "controls": [_entry(entry) for entry in result.controls],
        "pbo": None if result.overfitting is None else result.overfitting.pbo,
        "overfitting": _overfitting(result.overfitting),
        "mcs": list(result.mcs),
        "winner": result.winner,
        "sentence": result.sentence,
        "luck": tournament_luck(
            result.ledger_trials, result.effective_trials, in_ledger=result.counted
        ),
        "detectable_sharpe": result.detectable_sharpe,
        "best_by_luck": result.best_by_luck,
        "p_spa": result.p_spa,
        "p_spa_lower": result.p_spa_lower,
        "p_reality_check": result.p_spa_upper,
        "haircut": None if result.haircut is None else asdict(result.haircut),
        "first_session": result.first,
        "last_session": result.last,
        "sessions": result.rows,
        "placebos": result.placebos,
        "bootstrap": result.bootstrap,
        "block": result.block,
        "level": result.level,
        "selections": [_selection(one) for one in result.selections],
        "pairs": [{**asdict(pair), "credited": pair.credited} for pair in result.pairs],
        "breakdowns": [_breakdown(one) for one in result.breakdowns],
        "lockbox": result.lockbox,
        "notices": [asdict(notice) for notice in result.notices],
        "simulated": result.simulated,
        "underlyings": list(result.underlyings),
        "computed": result.computed,
        "reused": result.reused,
        "seconds": result.seconds,
    }
    found: dict[str, Any] = plain(document)
    return found


def _entry(entry: EntryResult) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _NUMBERS} | {
        "parameters": dict(entry.parameters)
    }


def _overfitting(found: Overfitting | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("pbo", "slope", "intercept", "adjusted_r2", "p_loss", "splits", "blocks", "trials")
    return {name: getattr(found, name) for name in (*names, "left_out")}


def _selection(one: Selection) -> dict[str, Any]:
    return {
        "title": one.title,
        "sharpe": one.sharpe,
        "kept": one.kept,
        "distinct": one.distinct,
        "rank_correlation": one.rank_correlation,
        "choices": [asdict(choice) for choice in one.choices],
        "paths": list(one.paths),
    }


def _breakdown(one: Breakdown) -> dict[str, Any]:
    return {
        "trial_id": one.trial_id,
        "groups": list(one.groups),
        "without": list(one.without),
        "tail": dict(one.tail),
        "interval_plain": list(one.interval_plain),
        "interval_by_regime": list(one.interval_by_regime),
        "capacity": asdict(one.capacity),
    }


def trials_frame(result: TournamentResult) -> pd.DataFrame:
    """Return one row per trial: what it is, every parameter, and what was found of it.

    Parameters
    ----------
    result : TournamentResult

    Returns
    -------
    DataFrame
    """
    rows = [*result.entries, *result.controls]
    columns: dict[str, Any] = {
        name: column_of([getattr(row, name) for row in rows], word=False) for name in _NUMBERS
    }
    names = dict.fromkeys(name for row in rows for name in row.parameters)
    for name in names:
        key = name if name not in columns else f"parameter.{name}"
        columns[key] = column_of([row.parameters.get(name) for row in rows], word=True)
    return pd.DataFrame(columns)


def write_tournament(result: TournamentResult, folder: Path) -> None:
    """Write ``trials.parquet`` and ``tournament.json`` into a folder that exists.

    Parameters
    ----------
    result : TournamentResult
    folder : Path
    """
    trials_frame(result).to_parquet(folder / "trials.parquet", index=False)
    text = json.dumps(tournament_document(result), indent=2, allow_nan=False)
    (folder / "tournament.json").write_text(text + "\n", encoding="utf-8")
