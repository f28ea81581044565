"""Small panels for tests of components."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from gexlab.strategies import Column, Evaluation, Panel, make_component, panel_of
from gexlab.strategies.component import Filter, Rule
from gexlab.strategies.evaluation import Outcome
from gexlab.strategies.panel import LABELS

HOUR: Final = pd.Timedelta(hours=1)
NEVER: Final = np.datetime64("NaT", "ns")


def table_of(values: list[float], regimes: list[str] | None = None) -> pd.DataFrame:
    """Return rows of a regime that are public 30 hours after their date."""
    index = pd.date_range("2024-01-01", periods=len(values), name="session")
    known = pd.Series(index + 30 * HOUR, index=index).dt.tz_localize("UTC")
    table = pd.DataFrame({"value": values, "known_at": known}, index=index)
    if regimes is None:
        cases: list[Any] = [np.isnan(values), np.array(values) > 0, np.array(values) < 0]
        regimes = np.select(cases, ["abstain", "long", "short"], "neutral").tolist()
    return table.assign(regime=np.array(regimes, dtype=object))


def panel_from(table: pd.DataFrame) -> Panel:
    """Return a panel of a regime and of closes that rise by one a session."""
    bars = pd.DataFrame({"close": 100.0 + np.arange(len(table))}, index=table.index)
    known = (pd.DatetimeIndex(table.index) + 21 * HOUR).to_numpy().astype("datetime64[ns]")
    return panel_of(bars, known, {"regime": table})


def outcome_of(name: str, table: pd.DataFrame, **parameters: Any) -> Outcome:
    """Return what a built-in filter says of a table."""
    made = make_component("filter", {"name": name, **parameters})
    assert isinstance(made, Filter)
    panel = panel_from(table)
    return Evaluation(panel, np.full(len(table), NEVER)).labels(made)


def labels_of(name: str, table: pd.DataFrame, **parameters: Any) -> list[str]:
    """Return the labels of a built-in filter."""
    return [LABELS[int(code)] for code in outcome_of(name, table, **parameters).values]


def targets_of(
    name: str, closes: npt.NDArray[np.float64] | list[float], **parameters: Any
) -> npt.NDArray[np.float64]:
    """Return the targets of a built-in rule that reads closes alone."""
    made = make_component("rule", {"name": name, **parameters})
    assert isinstance(made, Rule)
    prices = np.asarray(closes, dtype=np.float64)
    sessions = pd.date_range("2024-01-01", periods=len(prices), name="session")
    known = sessions.to_numpy().astype("datetime64[ns]")
    panel = Panel(sessions, {"close": Column("close", prices, known, "price")})
    return Evaluation(panel, np.full(len(prices), NEVER)).targets(made).values
