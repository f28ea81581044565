"""The page and the terminal of a grid: one file, nothing but text in it, and the same answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from gexlab.backtest.grid.documents import luck_sentence, trials_table
from gexlab.backtest.grid.result import Best, GridResult
from gexlab.backtest.grid.store import FOUND
from gexlab.reports.page.grid_page import extremes, varying, write_grid_page
from gexlab.reports.terminal.grid import grid_text

HOSTILE = "</script><img src=x onerror=alert(1)>"


def _result(sharpes: list[float], **parameters: list[Any]) -> GridResult:
    rows = [
        {
            "trial_id": f"trial{i}",
            **{name: values[i] for name, values in parameters.items()},
            **dict.fromkeys(FOUND, 0.5),
            "sharpe": sharpe,
            "computed_from": "x",
            "_year": 252,
        }
        for i, sharpe in enumerate(sharpes)
    ]
    table, names = trials_table(rows)
    return GridResult(
        table=table,
        parameters=names,
        trials=len(rows),
        computed=len(rows),
        reused=0,
        duplicates=0,
        seconds=1.0,
        best=Best("trial0", max(sharpes)),
        best_by_luck=1.5,
        simulated=True,
        underlyings=("SPX",),
    )


def test_the_page_is_one_file_whose_names_are_text(tmp_path: Path) -> None:
    result = _result([1.0, float("nan")], filter=[HOSTILE, "sign"], fees_bps=[0.0, 1.0])
    text = write_grid_page(result, tmp_path / "grid.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert not re.search(r"(src|href)=[\"']?https?:", text)
    assert "SIMULATED" in text
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found is not None
    data = json.loads(found.group(1))
    names = [column["name"] for column in data["columns"]]
    assert data["rows"][0][names.index("filter")] == HOSTILE
    assert data["rows"][1][names.index("sharpe")] is None  # undefined is no 0
    # the map of two parameters offers those that vary, and its cells the others
    assert [c["name"] for c in data["columns"] if c["parameter"]] == ["filter", "fees_bps"]


def test_the_best_and_the_worst_are_each_named_once() -> None:
    result = _result([0.1, 0.3, float("nan"), 0.2], filter=["a", "b", "c", "d"], book=[None] * 4)
    assert varying(result) == ("filter",)
    best = extremes(result, 2)
    assert [(title, [row["trial_id"] for row in rows]) for title, rows in best] == [
        ("The best", ["trial1", "trial3"]),
        ("The worst", ["trial0"]),
    ]
    assert [title for title, _ in extremes(result, 10)] == ["The best"]


@pytest.mark.parametrize(
    ("best", "verdict"), [(1.4, "1.40: no more than that."), (1.6, "1.60: more than that.")]
)
def test_the_sentence_holds_the_best_against_luck(best: float, verdict: str) -> None:
    result = _result([best, 0.0], filter=["a", "b"])
    assert luck_sentence(result).startswith("2 trials were tried; the best of so many")
    assert luck_sentence(result).endswith(verdict)
    console = Console(width=200, record=True, force_terminal=False)
    console.print(grid_text(result))
    assert verdict in console.export_text()


def test_words_and_numbers_share_no_column() -> None:
    table, _ = trials_table(
        [
            {"trial_id": "a", "filter.on": "regime", "long.lookback": 1, "sizing.cap": 1, "n": 3},
            {"trial_id": "b", "filter.on": 2, "long.lookback": None, "sizing.cap": 0.5, "n": 3},
        ]
    )
    assert table["filter.on"].tolist() == ["regime", "2"]
    assert str(table["long.lookback"].dtype) == "Int64"
    assert pd.isna(table["long.lookback"].iloc[1])
    np.testing.assert_array_equal(table["sizing.cap"].to_numpy(), [1.0, 0.5])
