"""``gexlab ledger`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gexlab.backtest.tournament.ledger import Trial, record_trials
from gexlab.reports.cli import app as cli

DAYS = np.arange("2020-01-01", "2020-06-01", dtype="datetime64[D]")


def _recorded(folder: Path) -> None:
    for k, (trial_id, data_id) in enumerate((("aa", "d1"), ("aa", "d2"), ("[red]b", "d1"))):
        returns = np.random.default_rng(k).standard_normal(len(DAYS))
        trial = Trial(trial_id, trial_id, "test", "SPX", data_id, DAYS, returns, {"sharpe": 1.25})
        record_trials(folder / "ledger", [trial])


def test_counts_by_market_and_by_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _recorded(tmp_path)
    lake = str(tmp_path / "lake")
    assert cli.run(["ledger", "--lake", lake, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["trials"] == 2
    assert document["markets"][0]["underlyings"] == ["SPX"]
    assert {d["data_id"]: d["trials"] for d in document["data"]} == {"d1": 2, "d2": 1}
    assert [e["trial_id"] for e in document["entries"]] == ["aa", "aa", "[red]b"]
    assert cli.run(["ledger", "--lake", lake]) == 0
    shown = capsys.readouterr().out
    assert "[red]b" in shown
    assert "1.25" in shown


def test_deleting_needs_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _recorded(tmp_path)
    lake = str(tmp_path / "lake")
    assert cli.run(["ledger", "--lake", lake, "--delete", "aa"]) == 2
    arguments = ["ledger", "--lake", lake, "--delete", "aa", "--reason", "wrong prices", "--json"]
    capsys.readouterr()
    assert cli.run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["trials"], len(document["entries"])) == (2, 1)
    assert document["deleted"][0]["reason"] == "wrong prices"


def test_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ledger"]) == 2
    assert cli.run(["ledger", "--lake", str(tmp_path / "lake")]) == 0
    assert "no trial has been recorded" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    config = tmp_path / "run.toml"
    config.write_text(
        '[data]\nunderlying = "SPY"\nbars = "b.csv"\n'
        '[regime]\nsource = "series"\n[regime.series]\npath = "g.csv"\nknown = "next_open"\n'
    )
    assert cli.run(["ledger", str(config)]) == 1
    assert "[ledger] path" in capsys.readouterr().err
