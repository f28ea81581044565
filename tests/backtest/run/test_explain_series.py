"""Orders of a run on a published series, explained without a lake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gexlab.reports.cli.app import run


def test_orders_of_a_run_on_a_series_are_explained_without_a_lake(
    make_market: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert run(["backtest", str(make_market(sessions=60)), "--out", out, "--json"]) == 0
    ledger = pd.read_parquet(tmp_path / "out" / "ledger.parquet")
    decided = pd.to_datetime(ledger["decided"])
    chosen = decided[ledger["strategy"] == "always-fade"].iloc[-1]  # whose rule reads closes
    day = f"{chosen:%Y-%m-%d}"
    words = ["explain", "--run", out, "--session", day]
    capsys.readouterr()
    assert run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["fills"]) == (decided == chosen).sum()
    assert any(fill["inputs"] for fill in found["fills"])
    assert found["fills"][0]["steps"]
    assert run(words) == 0
    assert found["fills"][0]["strategy"] in capsys.readouterr().out
    for wrong, said in (
        ([*words[:-1], "1999-01-04"], "that run is of"),
        ([*words, "--book", "post_expiry"], "--lake is missing"),
    ):
        assert run(wrong) == 1
        assert said in capsys.readouterr().err
    assert run(["explain"]) == 2
