"""The demo does the whole job, knows its truth, and its configuration runs again."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gexlab.data.simulate import demo_market
from gexlab.reports.cli import app as cli


@dataclass(frozen=True, slots=True)
class Demo:
    folder: Path
    document: dict[str, Any]
    seconds: float


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Return a demo that was run once."""
    from contextlib import redirect_stdout
    from io import StringIO

    folder = tmp_path_factory.mktemp("demo") / "out"
    printed = StringIO()
    began = time.perf_counter()
    shorter = partial(demo_market, years=0.75)  # two years say the same, in three times the time
    with redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setattr("gexlab.data.simulate.demo_market", shorter)
        assert cli.run(["demo", "--out", str(folder), "--json"]) == 0
    return Demo(folder, json.loads(printed.getvalue()), time.perf_counter() - began)


def test_it_leaves_lake_configuration_results_and_report(demo: Demo) -> None:
    names = {path.name for path in demo.folder.iterdir()}
    assert {
        "lake",
        "config.toml",
        "results.json",
        "trades.parquet",
        "orders.parquet",
        "equity.parquet",
        "report.html",
    } <= names
    assert Path(demo.document["report"]) == demo.folder / "report.html"


def test_it_says_how_long_it_took(demo: Demo) -> None:
    assert 0.0 < demo.document["seconds"] <= demo.seconds


def test_rebuilding_recovers_the_dealers_book(demo: Demo) -> None:
    found = {q["name"]: q for q in demo.document["truth"]}
    # the bounds are those of the conventions for independent implementations
    assert found["net GEX: largest error, share of gross"]["estimate"] < 1e-6
    assert found["flip: largest relative error"]["estimate"] < 1e-5
    assert found["net GEX: share with the true sign"]["estimate"] == 1.0
    assert found["flip: share found where there is one"]["estimate"] == 1.0


@pytest.mark.parametrize("slope", ["log volatility", "the last half hour"])
def test_slopes_are_estimated_near_their_truth(demo: Demo, slope: str) -> None:
    q = next(q for q in demo.document["truth"] if q["name"].startswith(f"slope of {slope}"))
    error = (q["high"] - q["low"]) / (2 * 1.96)
    # one seed: the truth may lie outside a 95 % interval, not four standard errors away
    assert abs(q["estimate"] - q["truth"]) < 4 * error


def test_the_report_says_simulated_and_shows_the_truth(demo: Demo) -> None:
    text = (demo.folder / "report.html").read_text(encoding="utf-8")
    assert re.search(r"<title>SIMULATED: SIM", text)
    for section in ("verdict", "regime", "today", "truth", "equity", "volatility", "trades"):
        assert f'<section id="{section}"' in text
    for section in ("diagnostics", "quality", "coverage", "definitions", "provenance"):
        assert f'<section id="{section}"' in text


def test_results_have_the_promised_keys(demo: Demo) -> None:
    results = json.loads((demo.folder / "results.json").read_text(encoding="utf-8"))
    assert {"data", "regime", "strategies", "volatility", "provenance"} <= set(results)
    assert results["data"]["simulated"] is True


def test_its_configuration_runs_again_to_the_same_report(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = demo.folder / "config.toml"
    assert cli.run(["backtest", str(config), "--out", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["data"]["simulated"] is True
    assert (tmp_path / "report.html").read_bytes() == (demo.folder / "report.html").read_bytes()


def test_an_order_is_explained_back_to_its_contracts(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = pd.read_parquet(demo.folder / "orders.parquet")
    decided = f"{orders['decided'].iloc[-1]:%Y-%m-%d}"
    arguments = ["explain", "--lake", str(demo.folder / "lake"), "--underlying", "SIM"]
    arguments += ["--session", decided, "--run", str(demo.folder), "--json"]
    assert cli.run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["contracts"]
    same = orders[orders["decided"] == orders["decided"].iloc[-1]]
    assert len(document["decisions"]) == len(same)
    for decision in document["decisions"]:
        assert decision["decided"] == decided
        assert decision["fill_ts"] > decision["decision_ts"]
        assert decision["regime"] == document["regime"]["regime"]


def test_an_unwritable_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "not-a-folder"
    file.write_text("", encoding="utf-8")
    assert cli.run(["demo", "--out", str(file / "x")]) == 1
    assert "--out" in capsys.readouterr().err
