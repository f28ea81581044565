"""The files of a grid: ``trials.parquet`` and ``grid.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ...data import plain
from ...strategies import RULED, Component
from .store import FOUND, KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from .result import GridResult
    from .space import Trial

__all__ = [
    "NEXT_BAR",
    "column_of",
    "grid_document",
    "luck_sentence",
    "parameters_of",
    "parameters_of_each",
    "trials_table",
    "write_grid",
]

#: Where decisions within the session fill, whatever the configuration says of the others.
NEXT_BAR: Final = "next_bar"
_ENDS: Final = ("trial_id", KEY, "_year")


def parameters_of(trial: Trial) -> dict[str, Any]:
    """Return every parameter of a trial under the name that a reader knows from the file."""
    return parameters_of_each([trial])[0]


def parameters_of_each(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return the parameters of each trial; what trials share is put in words once."""
    seen: dict[tuple[str, int], dict[str, Any]] = {}

    def once(place: str, thing: object, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        key = place, id(thing)
        if key not in seen:
            seen[key] = make()
        return seen[key]

    found = []
    for trial in trials:
        strategy, row = trial.strategy, dict[str, Any]()
        parts = ("filter", strategy.filter), *((label, strategy.rule(label)) for label in RULED)
        for place, part in (*parts, ("sizing", strategy.sizing)):
            row |= once(place, part, partial(_of_part, place, part))
        row |= once("", trial.execution, trial.execution.model_dump)
        if strategy.intraday:
            row["fill"] = NEXT_BAR
        found.append(row | once("", trial.variant, partial(_of_variant, trial)))
    return found


def _of_part(place: str, part: Component) -> dict[str, Any]:
    given = {f"{place}.{name}": _plain(value) for name, value in part.parameters().items()}
    return {place: part.name, **given}


def _of_variant(trial: Trial) -> dict[str, Any]:
    return {name: _plain(value) for name, value in trial.variant.parameters.items()}


def _plain(value: Any) -> Any:
    """Return a parameter as a number, a text or None; what has parts as a text of them."""
    if isinstance(value, Component):
        return value.describe()
    if isinstance(value, tuple | list):
        return ", ".join(str(_plain(part)) for part in value)
    if isinstance(value, Mapping):
        return json.dumps({str(k): _plain(v) for k, v in value.items()}, sort_keys=True)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def trials_table(rows: Sequence[Mapping[str, Any]]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return trials as a table, and which of its columns are parameters.

    A column that holds numbers for some trials and words for others is one of words.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    groups = list(dict.fromkeys(name.partition(".")[0] for name in names))
    parameters = tuple(
        name
        for name in sorted(names, key=lambda name: groups.index(name.partition(".")[0]))
        if name not in (*_ENDS, *FOUND)
    )
    columns = {
        name: column_of([row.get(name) for row in rows], word=name in parameters)
        for name in ("trial_id", *parameters, *FOUND, KEY, "_year")
    }
    return pd.DataFrame(columns), parameters


def column_of(values: list[Any], *, word: bool) -> pd.Series[Any]:
    kinds = {type(value) for value in values if value is not None}
    if not word or not kinds:
        return pd.Series(values, dtype=None if kinds else object)
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int}:
        return pd.Series(values, dtype="Int64")
    if kinds <= {int, float}:
        return pd.Series(values, dtype="float64")
    return pd.Series([None if v is None else str(v) for v in values], dtype="string")


def grid_document(result: GridResult) -> dict[str, Any]:
    """Return what ``grid.json`` says; undefined is None, never 0.

    Parameters
    ----------
    result : GridResult

    Returns
    -------
    dict of str to object
    """
    more: dict[str, Any] = {}
    if result.portfolios is not None:
        from .long_short import long_short_document

        told = long_short_document(result.portfolios)
        more = {"long_short": {k: told[k] for k in ("book", "left_out", "names", "sessions")}}
        more["long_short"]["not_in_it"] = dict(result.failed)
    return {
        "trials": result.trials,
        "computed": result.computed,
        "reused": result.reused,
        "duplicates": result.duplicates,
        "seconds": result.seconds,
        "best": {"trial_id": result.best.trial_id, "sharpe": _defined(result.best.sharpe)},
        "best_by_luck": _defined(result.best_by_luck),
        "sentence": luck_sentence(result),
        "unrecorded": result.unrecorded,
        "level": result.level,
        "simulated": result.simulated,
        "underlyings": list(result.underlyings),
        **more,
    }


def luck_sentence(result: GridResult) -> str:
    """Return how many trials there were, and what the best of so many would show by luck.

    Parameters
    ----------
    result : GridResult

    Returns
    -------
    str
    """
    tried = f"{result.trials:,} trials were tried" if result.trials > 1 else "One trial was made"
    if result.best.trial_id is None or not math.isfinite(result.best_by_luck):
        return f"{tried}; none of them has a Sharpe ratio."
    beyond = result.best.sharpe > result.best_by_luck
    verdict = "more than that" if beyond else "no more than that"
    return (
        f"{tried}; the best of so many that know nothing would show a Sharpe ratio of "
        f"{result.best_by_luck:.2f} by luck, were they independent, and the best here shows "
        f"{result.best.sharpe:.2f}: {verdict}."
    )


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_grid(result: GridResult, folder: Path) -> None:
    """Write ``trials.parquet`` and ``grid.json`` into a folder that exists.

    Of a universe also ``returns.parquet`` and ``correlation.parquet``.

    Parameters
    ----------
    result : GridResult
    folder : Path
    """
    result.table.to_parquet(folder / "trials.parquet", index=False)
    if result.portfolios is not None:
        result.portfolios.returns.to_parquet(folder / "returns.parquet")
        result.portfolios.book.correlation.to_parquet(folder / "correlation.parquet")
    text = json.dumps(plain(grid_document(result)), indent=2, allow_nan=False)
    (folder / "grid.json").write_text(text + "\n", encoding="utf-8")
