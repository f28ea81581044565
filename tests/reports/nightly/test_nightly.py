"""The nightly job does nothing twice, goes on after a kill, and takes in what is new."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli

CONFIG = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "source/bars.parquet"

[inference]
bootstrap = 100

[nightly]
paths = ["incoming/*.parquet"]
out = "results"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration, bars, and the chains of all but the last sessions."""
    made = simulate(
        "S1", years=0.12, seed=5, lake=tmp_path / "source", contracts=200, intraday=None
    )
    (tmp_path / "incoming").mkdir()
    chains = pq.read_table(sorted((tmp_path / "source" / "chains").rglob("*.parquet"))[0])
    days = chains["session"].to_pylist()
    cut = sorted(set(days))[-3]
    for name, keep in (("old", [d < cut for d in days]), ("new", [d >= cut for d in days])):
        pq.write_table(chains.filter(keep), tmp_path / f"{name}.parquet")
    (tmp_path / "old.parquet").rename(tmp_path / "incoming" / "old.parquet")
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    assert made.sessions > 25
    return tmp_path


def _night(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert cli.run(["nightly", str(folder / "config.toml"), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_is_done_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = _night(folder, capsys)
    assert first["ran"] is True
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"] > 20
    report = folder / "results" / "report.html"
    before = report.stat().st_mtime_ns
    second = _night(folder, capsys)
    assert second["ran"] is False
    assert second["ingested"]["rows_written"] == 0
    assert second["ingested"]["files_unchanged"] == 1
    assert second["rebuilt"]["rebuilt"] == 0
    assert report.stat().st_mtime_ns == before
    assert second["last_session"] == first["last_session"]


def test_what_is_new_comes_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = _night(folder, capsys)
    (folder / "new.parquet").rename(folder / "incoming" / "new.parquet")
    second = _night(folder, capsys)
    assert second["ran"] is True
    assert second["ingested"]["sessions"] == 3
    assert second["rebuilt"]["rebuilt"] == 3
    assert date.fromisoformat(second["last_session"]) > date.fromisoformat(first["last_session"])


@pytest.mark.parametrize("lost", ["nightly.json", "report.html"])
def test_a_killed_run_is_started_again(
    folder: Path, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    _night(folder, capsys)
    # what a run leaves that was killed before its last step
    (folder / "results" / lost).unlink()
    again = _night(folder, capsys)
    assert again["ran"] is True
    assert again["rebuilt"]["rebuilt"] == 0
    assert (folder / "results" / "report.html").is_file()
    assert _night(folder, capsys)["ran"] is False


def test_a_changed_configuration_runs_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _night(folder, capsys)
    changed = CONFIG.replace("[inference]", "[execution]\nfees_bps = 2.0\n\n[inference]")
    (folder / "config.toml").write_text(changed, encoding="utf-8")
    assert _night(folder, capsys)["ran"] is True


@pytest.mark.parametrize("key", ["rate = 0.04", 'definition = "d.toml"'])
def test_only_the_regime_states_a_definition(
    folder: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    (folder / "config.toml").write_text(f"{CONFIG}{key}\n", encoding="utf-8")
    assert cli.run(["nightly", str(folder / "config.toml")]) == 1
    name = key.partition(" ")[0]
    said = capsys.readouterr().err
    assert f"unknown key 'nightly.{name}'" in said
    assert "[regime] definition" in said


def test_positions_of_a_file_are_rebuilt_and_reported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = pq.read_table(folder / "incoming" / "old.parquet").to_pandas()
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -1.0})
    chains[key].assign(position=sign * chains["open_interest"]).to_parquet(
        folder / "positions.parquet"
    )
    regime = '[regime]\ndealer_model = "signed"\npositions = "positions.parquet"\n'
    (folder / "config.toml").write_text(regime + CONFIG, encoding="utf-8")
    first = _night(folder, capsys)
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"]
    assert first["quality"] == "ok"
    assert _night(folder, capsys)["ran"] is False
