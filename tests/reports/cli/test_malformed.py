"""Malformed inputs from the command line: one line that names file, place and remedy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gexlab.reports.cli import app as cli

MAP = """
[columns]
session = "session"
expiry = "expiry"
strike = "strike"
right = "right"
open_interest = "oi"
iv = "iv"
spot = "spot"
[timing]
calendar = "XNYS"
timezone = "America/New_York"
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""

GOOD = "session,expiry,strike,right,oi,iv,spot\n2026-07-01,2026-07-17,100,C,5,0.2,100\n"


def _missing_column(folder: Path) -> list[str]:
    (folder / "bad.csv").write_text("session,expiry,right,oi,iv,spot\n2026-07-01,,C,5,0.2,100\n")
    return ["bad.csv", "strike"]


def _text_in_a_number(folder: Path) -> list[str]:
    (folder / "bad.csv").write_text(GOOD + "2026-07-01,2026-07-17,one hundred,P,5,0.2,100\n")
    return ["bad.csv", "strike"]


def _wrong_type(folder: Path) -> list[str]:
    frame = pd.DataFrame({"session": [True], "expiry": [1.5], "strike": ["x"], "right": [7]})
    frame.assign(oi=1.0, iv=0.2, spot=100.0).to_parquet(folder / "bad.parquet")
    return ["bad.parquet"]


def _empty_file(folder: Path) -> list[str]:
    (folder / "bad.csv").write_text("")
    return ["bad.csv", "empty"]


def _truncated_parquet(folder: Path) -> list[str]:
    pd.DataFrame({"session": ["2026-07-01"] * 50}).to_parquet(folder / "whole.parquet")
    content = (folder / "whole.parquet").read_bytes()
    (folder / "whole.parquet").unlink()
    (folder / "bad.parquet").write_bytes(content[: len(content) // 2])
    return ["bad.parquet"]


def _no_such_file(folder: Path) -> list[str]:
    assert not (folder / "bad.csv").exists()
    return ["bad.csv"]


def _state(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Return a lake that holds one good file."""
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    assert cli.run(_ingest(tmp_path / "good.csv", tmp_path / "lake", tmp_path)) == 0
    return tmp_path / "lake"


def _ingest(source: Path, lake: Path, folder: Path, vendor: str = "columns") -> list[str]:
    arguments = ["ingest", str(source), "--vendor", vendor, "--underlying", "SPX"]
    return [*arguments, "--lake", str(lake), "--map", str(folder / "map.toml")]


@pytest.mark.parametrize(
    "plant",
    [
        _missing_column,
        _text_in_a_number,
        _wrong_type,
        _empty_file,
        _truncated_parquet,
        _no_such_file,
    ],
)
def test_a_bad_file_is_one_line_and_no_change(
    plant: Callable[[Path], list[str]],
    lake: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = _state(lake)
    named = plant(tmp_path)
    capsys.readouterr()
    assert cli.run(_ingest(tmp_path / named[0], lake, tmp_path)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert "unexpected" not in captured.err
    for word in named:
        assert word in captured.err
    assert _state(lake) == before


def test_an_unknown_vendor(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _state(lake)
    capsys.readouterr()
    assert cli.run(_ingest(tmp_path / "good.csv", lake, tmp_path, vendor="cboe_table")) == 1
    error = capsys.readouterr().err
    assert "did you mean 'cboe_quote_table'?" in error
    assert error.count("\n") == 1
    assert _state(lake) == before


def test_an_unwritable_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    # a file where the lake's folder should be: not even root can write there
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert cli.run(_ingest(tmp_path / "good.csv", tmp_path / "taken" / "lake", tmp_path)) == 1
    error = capsys.readouterr().err
    assert "taken" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "data"),
        ("[data]\nunderlying = 'SPX'\n", "bars"),
        ("[data]\nunderlying = 'SPX'\nbars = 'none.csv'\nlake = 'none'\n", "none"),
        ("[dta]\n", "did you mean 'data'?"),
        ("[data\n", "TOML"),
    ],
    ids=["empty", "no bars", "absent bars", "misspelt", "no toml"],
)
@pytest.mark.parametrize("command", ["backtest", "leakcheck", "nightly"])
def test_a_bad_configuration_is_one_line(
    command: str, text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    arguments = [command, str(file)]
    arguments += ["--out", str(tmp_path / "out")] if command == "backtest" else []
    assert cli.run(arguments) == 1
    error = capsys.readouterr().err
    assert expected in error
    *steps, last = error.splitlines()
    assert last.startswith("error: ")
    assert not any("error" in step for step in steps)
    assert "unexpected" not in error
