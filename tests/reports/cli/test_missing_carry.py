"""Carry that is missing is said wherever a net GEX is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic_chains import clean_market, table

from gexlab.data import rebuild
from gexlab.data.exposure.definition import Definition
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.table import carry_findings
from gexlab.reports.cli import app

SAYS = "Carry is missing (no_carry)"
CONFIG = """\
[data]
lake = "lake"
underlying = "SPX"
bars = "bars.csv"
[inference]
bootstrap = 100
"""
#: Rate 30 %: the parity forward of expiries of more than a week lies 0.3 T off the spot carried at
#: zero, the guard allows 0.002 + 0.02 T.
DEAR = 0.30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a lake of eight sessions without quotes, rebuilt at rate 0, and bars."""
    root = tmp_path_factory.mktemp("carry")
    chains, bars = clean_market(np.random.default_rng(1), sessions=8)
    chains[["bid", "ask"]] = np.nan
    lake = open_lake(root / "lake", create=True)
    write_sessions(lake, "SPX", table(chains))
    rebuild(lake, "SPX")
    close = bars["close"]
    ohlc = pd.DataFrame(
        {"open": close, "high": close * 1.004, "low": close * 0.996, "close": close}
    )
    ohlc.to_csv(root / "bars.csv")
    (root / "config.toml").write_text(CONFIG, encoding="utf-8")
    return root


def _out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert app.run(arguments) == (4 if arguments[0] == "nightly" else 0)  # these chains are old
    return " ".join(capsys.readouterr().out.split())


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(_out(capsys, *arguments, "--json"))


def test_regimes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = ("--lake", str(folder / "lake"))
    assert f"{SAYS} in 8 of 8 sessions, 2024-03-11 to 2024-03-20" in _out(capsys, "regimes", *lake)
    rows = _json(capsys, "regimes", *lake)
    assert len(rows) == 16
    assert all(row["carry_findings"] == ["no_carry"] for row in rows)
    out = ("--out", str(folder / "r.csv"))
    assert SAYS in _out(capsys, "regimes", *lake, *out)
    assert SAYS in _json(capsys, "regimes", *lake, *out)["carry"][0]


@pytest.mark.parametrize("command", ["profile", "explain"])
def test_one_session(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = ("--lake", str(folder / "lake"))
    page = folder / "page.html"
    assert f"{SAYS}: 100.0% of the open interest" in _out(capsys, command, *lake)
    found = _json(capsys, command, *lake, "--out", str(page))["findings"]
    assert "no_carry" in {f["check"] for f in found}
    assert SAYS in page.read_text(encoding="utf-8")


def test_runs_and_nights(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert "warning: Rate and dividend yield are 0" in _out(
        capsys, "backtest", "config.toml", "--out", "out"
    )
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert "no_carry" in json.dumps(results["notices"])
    (folder / "night.toml").write_text(CONFIG + '[nightly]\nout = "nights"\n', encoding="utf-8")
    assert SAYS in _out(capsys, "nightly", "night.toml")
    assert SAYS in _json(capsys, "nightly", "night.toml")["carry"][0]  # nothing new: said again


def test_with_rates_nothing_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = folder / "rates.toml"
    name.write_text("rate = 0.04\ndividend_yield = 0.01\n", encoding="utf-8")
    rebuild(folder / "lake", "SPX", definition=Definition(rate=0.04, dividend_yield=0.01))
    said = ("--lake", str(folder / "lake"), "--definition", str(name))
    for command in ("regimes", "profile"):
        assert "no_carry" not in _out(capsys, command, *said)
    assert carry_findings(folder / "lake", "SPX", definition_id=name).empty


def test_quotes_that_contradict_the_rates(tmp_path: Path) -> None:
    """Parity forwards outside the guard are named with their share, whatever the rates are."""
    chains, _ = clean_market(np.random.default_rng(1), sessions=1)
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(chains))
    rebuild(lake, "SPX", definition=Definition(rate=DEAR))
    found = carry_findings(lake, "SPX", book="post_expiry", definition_id=Definition(rate=DEAR))
    assert list(found["check"]) == ["parity_outside_guard"]
    held = chains[chains["open_interest"].notna()]
    whole = held[held["expiry"] > chains["session"].iloc[0]]["open_interest"].sum()
    later = (pd.to_datetime(held["expiry"]) - pd.Timestamp(chains["session"].iloc[0])).dt.days > 7
    share = held[later]["open_interest"].sum() / whole
    assert found["detail"].iloc[0].startswith(f"{share:.1%} of the open interest")
    assert f"rate {DEAR:g}" in found["detail"].iloc[0]
