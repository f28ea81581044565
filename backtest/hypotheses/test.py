"""Named tests of the claims about dealer hedging, from a configuration to ``hypotheses.json``."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ConfigError, is_mirror, plain, published, short_repr
from ..run.backtest import strategies_of
from ..run.config import Config
from ..run.lake_of import as_of_version
from ..run.load_config import load_config
from ..run.provenance import content_id
from ..statistics.critical_values import load_critical_values
from ..statistics.resampling import NORMAL_LEVEL, Resampling
from .protocol import Settings
from .registry import hypothesis_names
from .run import HypothesisResult, run_hypotheses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...data import Progress
    from ..run.market import Market
    from .protocol import Dataset, Outcome, Published, ResultTable

#: Books and markets of each make, where a caller asks for no other number.
SURROGATES = 500
SIMULATIONS = 20
_FEWEST = 60  # books: their effective number lets p reach 5 %

__all__ = ["HypothesesResult", "hypotheses_document", "test", "write_hypotheses"]


@dataclass(frozen=True, slots=True, eq=False)
class HypothesesResult:
    """What a run of hypotheses found.

    Attributes
    ----------
    results : tuple of HypothesisResult
        In the order of the names.
    corrected : bool
        Whether corrections across the tests were made.
    surrogates : int
        Books made by rules on the user's own prices.
    simulations : int
        Simulated markets without dealers of each make of returns; 0: none.
    underlying : str
    sessions : int
        Sessions with GEX.
    simulated : bool
        Whether the market is a simulated one.
    level : float
        Coverage of the intervals.
    seconds : float
        Wall-clock time, reading included.
    definition_id : str or None
        Of the regime; None where it is a series from outside.
    content_id : str
        Of everything that the results depend on.
    lake_version : int or None
        The version of the lake that wrote the chains; None where the regime is a series.
    out : Path or None
        Folder that received ``hypotheses.json``.
    """

    results: tuple[HypothesisResult, ...]
    corrected: bool
    surrogates: int
    simulations: int
    underlying: str
    sessions: int
    simulated: bool
    seconds: float
    definition_id: str | None = None
    content_id: str = ""
    lake_version: int | None = None
    out: Path | None = None
    level: float = NORMAL_LEVEL
    __repr__ = short_repr

    @property
    def counts(self) -> dict[str, int]:
        """Number of results by verdict: supported, not supported, needs data, failed."""
        kinds = ("supported", "not supported", "needs data", "failed")
        heads = [r.verdict.split(":")[0] for r in self.results]
        return {kind: heads.count(kind) for kind in kinds}


def test(
    names: Sequence[str] | None,
    config: Config | str | Path,
    *,
    out: str | Path | None = None,
    surrogates: int | None = None,
    simulations: int | None = None,
    critical: str | Path | None = None,
    as_of: int | str | datetime | None = None,
    progress: Progress | None = None,
) -> HypothesesResult:
    """Test hypotheses on the data that a configuration names.

    Parameters
    ----------
    names : sequence of str or None
        Hypotheses; None: all of them, with corrections across them.
    config : Config, str or Path
        A configuration or the path of its file. Series named ``vix``, ``other_gex`` and ``letf``
        are used where they are defined.
    out : str or Path, optional
        Folder that receives ``hypotheses.json``; None writes nothing.
    surrogates : int, optional
        Books made by rules on the user's own prices that tests of volatility, sign, flip and tail
        on gamma are held against; 500 by default.
    simulations : int, optional
        Markets without dealers of each make of returns for the same tests, 20 by default; 0: none,
        the books alone decide.
    critical : str or Path, optional
        What ``gexlab calibrate --out FILE.json`` wrote: t must lie beyond its critical values too.
    as_of : int, str or datetime, optional
        A version of the lake, or a moment at which it was in force; the newest where left out.
    progress : Progress, optional
        Called after each hypothesis.

    Returns
    -------
    HypothesesResult

    Raises
    ------
    UnknownNameError
        If a name is not known.
    ConfigError
        If the configuration is not valid or no name is given.
    InputFileError, LakeError, DefinitionError, NotEnoughDataError
        If an input is absent, cannot be read or is too short.
    """
    from ..run.context import open_run
    from .datasets import dataset_of
    from .main_strategy import record_traded

    started = time.perf_counter()
    setting = config if isinstance(config, Config) else load_config(config)
    setting = as_of_version(setting, as_of)
    chosen = tuple(hypothesis_names() if names is None else names)
    if not chosen:
        raise ConfigError(f"no hypothesis named: give some of {', '.join(hypothesis_names())}")
    _require_known(chosen)
    how = _settings(
        setting,
        SURROGATES if surrogates is None else surrogates,
        SIMULATIONS if simulations is None else simulations,
        critical,
    )
    with open_run(setting) as run:
        dataset = dataset_of(
            setting,
            run.market,
            recheck="screenshot-vs-dynamic" in chosen,
            traded="fade-follow" in chosen,
        )
        if dataset.traded is not None:
            # counted before anybody can see what it earned
            record_traded(setting, run.market, dataset.traded)
        results = run_hypotheses(chosen, dataset, how, correct=names is None, progress=progress)
        described = _described(setting, run.market, dataset, names is None, how)
    result = replace(described, results=results, seconds=time.perf_counter() - started)
    if out is None:
        return result
    with published(out) as stage:
        write_hypotheses(result, stage)
    return replace(result, out=Path(out))


def _described(
    config: Config, market: Market, dataset: Dataset, corrected: bool, how: Settings
) -> HypothesesResult:
    """Return a result without its tests."""
    return HypothesesResult(
        results=(),
        corrected=corrected,
        surrogates=how.surrogates,
        simulations=how.simulations,
        underlying=config.data.underlying,
        sessions=int(dataset.gex.notna().sum()),
        simulated=dataset.simulated,
        seconds=0.0,
        definition_id=market.regime.definition_id,
        content_id=content_id(config, market),
        lake_version=market.regime.lake_version,
        level=config.inference.level,
    )


def _require_known(names: Sequence[str]) -> None:
    from .registry import hypothesis

    for name in names:
        hypothesis(name)


def _settings(
    config: Config,
    surrogates: int,
    simulations: int,
    critical: str | Path | None,
) -> Settings:
    inference, execution = config.inference, config.execution
    if surrogates < _FEWEST or simulations < 0:
        raise ConfigError(
            f"surrogates: expected at least {_FEWEST} books and no negative number of markets, "
            f"found {surrogates} and {simulations}"
        )
    return Settings(
        resampling=Resampling(
            inference.seed, inference.bootstrap, inference.block, inference.level
        ),
        surrogates=surrogates,
        simulations=simulations,
        store=kept_books(config),
        costs_bps=execution.fees_bps + execution.slippage_bps,
        trials=len(strategies_of(config)),
        critical=None if critical is None else load_critical_values(critical),
    )


def kept_books(config: Config) -> Path | None:
    """Return the folder that keeps books made by rules; None without a lake on a disk."""
    ledger = config.ledger_path
    return None if ledger is None or is_mirror(ledger) else ledger.parent / "surrogates"


def hypotheses_document(result: HypothesesResult) -> list[dict[str, Any]]:
    """Return what ``hypotheses.json`` says: one object per hypothesis; undefined is None.

    Parameters
    ----------
    result : HypothesesResult

    Returns
    -------
    list of dict
    """
    ids = {
        "definition_id": result.definition_id,
        "content_id": result.content_id,
        "lake_version": result.lake_version,
    }
    return [_entry(r) | ids for r in result.results]


def _entry(result: HypothesisResult) -> dict[str, Any]:
    card, outcome = result.card, result.outcome
    nan = float("nan")
    entry: dict[str, Any] = {
        "name": card.name,
        "estimate": outcome.estimate if outcome else nan,
        "std_error": outcome.std_error if outcome else nan,
        "t_stat": outcome.t_stat if outcome else nan,
        "p_value": outcome.p_value if outcome else nan,
        "n": outcome.n if outcome else 0,
        "expected_sign": card.expected_sign,
        "verdict": result.verdict,
        "reason": result.reason,
        "data_tier": card.tier,
        "published": _published(card.published[0]) if card.published else None,
        "low": outcome.low if outcome else nan,
        "high": outcome.high if outcome else nan,
        "p_simulated": outcome.p_simulated if outcome else nan,
        "p_asymptotic": outcome.p_asymptotic if outcome else nan,
        "critical_value": outcome.critical if outcome else nan,
        "power": result.power,
        "detectable_effect": result.detectable,
        "q_value": result.q_value,
        "romano_wolf": result.romano_wolf,
        "p_stepdown": result.p_stepdown,
        "claim": card.claim,
        "source": card.source,
        "how_read": card.how_read,
        "specification": card.specification,
        "estimate_meaning": card.estimate,
        "kill_condition": card.kill,
        "also_published": [_published(p) for p in card.published[1:]],
        "tables": [_table(t) for t in outcome.tables] if outcome else [],
        **_nulls(outcome),
        "seconds": result.seconds,
    }
    found: dict[str, Any] = plain(entry)
    return found


def _nulls(outcome: Outcome | None) -> dict[str, Any]:
    """Return what both routes without dealers say; None for tests of another kind."""
    if outcome is None or outcome.evidence is None:
        return {"surrogates": None, "family": None}
    return outcome.evidence.document()


def _published(published: Published) -> dict[str, Any]:
    return {
        "value": published.value,
        "source": published.source,
        "how_read": published.how_read,
        "t_stat": published.t_stat,
        "label": published.label,
        "comparable": published.comparable,
    }


def _table(table: ResultTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [list(row) for row in table.rows],
        "note": table.note,
    }


def write_hypotheses(result: HypothesesResult, folder: Path) -> None:
    """Write ``hypotheses.json`` into a folder.

    Parameters
    ----------
    result : HypothesesResult
    folder : Path
    """
    text = json.dumps(hypotheses_document(result), indent=2, allow_nan=False) + "\n"
    (folder / "hypotheses.json").write_text(text, encoding="utf-8")
