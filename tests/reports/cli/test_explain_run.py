"""A run is explained by what it traded on, not by what the lake happens to hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.spec import RegimeSpec, definition_named
from gexlab.data.regimes.table import regimes
from gexlab.data.regimes.what_if import what_if
from gexlab.reports.cli import app as cli

CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "etf"
bars = "bars.parquet"

[regime]
dealer_model = "inverted"
book = "as_of_close"
band = 0.3
definition = { rate = 0.03, forward_source = "rates" }

[inference]
bootstrap = 100
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small market, a run on it, and the rebuilds of two other people."""
    folder = tmp_path_factory.mktemp("market")
    write_lake(folder, "XNYS", sessions=30)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    assert cli.run(["backtest", str(folder / "config.toml"), "--out", str(folder / "out")]) == 0
    for dealer, rate in (("all_long", 0.01), ("inverted", 0.05)):
        definition = f"rate = {rate}\nforward_source = 'rates'\n"
        (folder / f"{dealer}.toml").write_text(definition, encoding="utf-8")
        spec = RegimeSpec("MKT", definition_named(folder / f"{dealer}.toml"), dealer)
        rebuild(folder / "lake", spec)
    return folder


def _run(folder: Path, *words: str) -> list[str]:
    return ["explain", "--lake", str(folder / "lake"), "--run", str(folder / "out"), *words]


def _json(capsys: pytest.CaptureFixture[str], words: list[str]) -> Any:
    capsys.readouterr()
    assert cli.run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def _error(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    capsys.readouterr()
    assert cli.run(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_definition_dealer_book_and_label_are_the_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    regime = results["regime"]
    orders = pd.read_parquet(folder / "out" / "orders.parquet")
    main = orders[orders["strategy"] == "fade-long-follow-short"].iloc[-1]
    found = _json(capsys, _run(folder, "--session", f"{main['decided']:%Y-%m-%d}"))
    for key in ("dealer_model", "book", "definition_id"):
        assert found["regime"][key] == regime[key]
        assert found["run"][key] == regime[key]
    assert found["regime"]["regime"] == main["regime"]
    assert found["run"]["same_rows"] is True
    assert found["decisions"]
    # unless a session is named: the run's last
    assert _json(capsys, _run(folder))["regime"]["session"] == results["data"]["last_session"]


def test_the_runs_band_decides_the_label(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = open_lake(folder / "lake")
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    rows = regimes(
        lake, "MKT", book="as_of_close", dealer_model="inverted",
        definition_id=results["regime"]["definition_id"],
    )  # fmt: skip
    ratio = rows["net_to_gross"].abs()
    inside = rows[(ratio > 0.02) & (ratio < 0.3)].iloc[0]
    assert inside["regime"] in ("long", "short")
    found = _json(capsys, _run(folder, "--session", f"{inside['session']:%Y-%m-%d}"))
    assert found["regime"]["regime"] == "neutral"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dealer", "naive"), "that run is of dealer inverted, --dealer says naive"),
        (("--book", "post_expiry"), "that run is of book as_of_close"),
        (("--definition", "default"), "that run is of definition"),
        (("--underlying", "SPX"), "that run is of underlying MKT, --underlying says SPX"),
    ],
)
def test_what_contradicts_the_run_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in _error(capsys, _run(folder, *words))


def test_what_agrees_with_the_run_is_accepted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--dealer", "inverted", "--book", "as_of_close", "--underlying", "MKT")
    assert _json(capsys, _run(folder, *words)) == _json(capsys, _run(folder))


def test_a_run_of_another_underlying_or_lake_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    results["data"]["underlying"] = "OTHER"
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    lake = str(folder / "lake")
    words = ["explain", "--lake", lake, "--run", str(tmp_path)]
    assert "that run is of OTHER, of which" in _error(capsys, words)
    results["data"]["underlying"] = "MKT"
    results["regime"]["definition_id"] = "0" * 12
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert "give the run's own lake" in _error(capsys, words)


def test_a_run_on_a_series_has_no_chains_to_be_explained_by(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    results["regime"] |= {"source": "series", "name": "gex.csv, column value"}
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    words = ["explain", "--lake", str(folder / "lake"), "--run", str(tmp_path)]
    assert "published series (gex.csv, column value)" in _error(capsys, words)
    assert "gexlab backtest" in _error(capsys, [*words[:-1], str(tmp_path / "absent")])


def test_rows_that_are_no_longer_the_runs_are_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    results["provenance"]["inputs"][0]["sha256"] = "0" * 64
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (tmp_path / "orders.parquet").write_bytes((folder / "out" / "orders.parquet").read_bytes())
    words = ["explain", "--lake", str(folder / "lake"), "--run", str(tmp_path)]
    assert _json(capsys, words)["run"]["same_rows"] is False
    capsys.readouterr()
    assert cli.run(words) == 0
    assert "no longer those that the run read" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("dealer", ["naive", "all_long", "inverted"])
def test_one_dealer_model_is_one_thing_everywhere(
    folder: Path, capsys: pytest.CaptureFixture[str], dealer: str
) -> None:
    """Whatever `regimes` shows of a dealer model, `profile` and `explain` show, or all refuse."""
    lake, words = str(folder / "lake"), ["--dealer", dealer]
    shared = ["--lake", lake, *words]
    if dealer == "inverted":  # rebuilt by two definitions
        for command in ("regimes", "profile", "explain"):
            assert "several definitions" in _error(capsys, [command, *shared])
        return
    shown = _json(capsys, ["regimes", *shared, "--book", "post_expiry"])[-1]
    for command in ("profile", "explain"):
        row = _json(capsys, [command, *shared])["regime"]
        assert row["session"] == shown["session"][:10]
        for key in ("definition_id", "dealer_model", "book", "net_gex", "regime"):
            assert row[key] == shown[key], (command, key)


def test_a_dealer_model_that_nobody_rebuilt_is_refused_everywhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["--lake", str(folder / "lake"), "--dealer", "all_short"]
    for command in ("regimes", "profile", "explain"):
        assert "nothing rebuilt of MKT" in _error(capsys, [command, *shared])


def test_sessions_that_abstain_by_promotion_are_explained_as_the_run_saw_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lake's own row has a label: only the run's results say that it counted for none."""
    told = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert told["regime"]["promoted"] == {}
    text = CONFIG.replace("band = 0.3", 'promote = ["expired_today"]').replace(
        '"lake"', f'"{folder}/lake"'
    )
    text = text.replace('"bars.parquet"', f'"{folder}/bars.parquet"\nstart = 2025-01-15')
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    assert cli.run(["backtest", str(tmp_path / "config.toml"), "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    promoted = told["regime"]["promoted"]
    # the third Friday's own contracts; that of the months after lie beyond the sessions
    assert promoted == {"2025-01-17": ["expired_today"]}
    assert told["regime"]["counts"]["abstain"] == 1
    notice = next(n for n in told["notices"] if n["code"] == "promoted_findings")
    assert notice["count"] == len(promoted)
    day = min(promoted)
    words = ["explain", "--lake", str(folder / "lake"), "--run", str(tmp_path / "out")]
    found = _json(capsys, [*words, "--session", day])
    assert found["regime"]["regime"] == "abstain"
    assert found["regime"]["quality"] == "expired_today"
    assert found["run"]["promoted"] == promoted[day]


def test_a_profile_elsewhere_is_what_the_function_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = str(folder / "lake")
    words = ["profile", "--lake", lake, "--dealer", "all_long", "--definition"]
    words += [str(folder / "all_long.toml"), "--what-if"]
    said = _json(capsys, words)["what_if"]
    spec = RegimeSpec("MKT", definition_named(folder / "all_long.toml"), "all_long")
    last = regimes(folder / "lake", "MKT", dealer_model="all_long")["session"].max().date()
    found = what_if(folder / "lake", spec, last)
    assert len(said) == len(found) == 135
    for key in ("net_gex", "flow_dollars", "spot", "gross_gex"):
        assert [row[key] for row in said] == found[key].tolist()
    assert cli.run(words) == 0
    printed = capsys.readouterr().out
    for title in ("Net GEX per 1 %", "Flip, points", "Hedge flow from now"):
        assert f"{title}, by sessions ahead" in printed
