"""Dealers' positions, expressions and curves through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lakes import lake_of
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data.regimes.regime_columns import REGIME_COLUMNS
from gexlab.reports.cli import app as cli

SESSION = SESSIONS[0]
MARKET = ("--lake", "lake", "--underlying", "SPX")


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Return the chain of a lake in the working folder."""
    rows = random_chain(np.random.default_rng(61), SESSION, Oddities())
    lake_of(tmp_path / "lake", "SPX", rows)
    monkeypatch.chdir(tmp_path)
    return rows


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert cli.run([*arguments, *MARKET, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert cli.run([*arguments, *MARKET]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def inverted_positions(chain: pd.DataFrame) -> None:
    """Write positions.csv: dealers short calls and long puts, public with the chain."""
    held = chain[chain["open_interest"].notna()]
    sign = np.where(held["right"] == "C", -1.0, 1.0)
    columns = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    held[columns].assign(position=sign * held["open_interest"]).to_csv("positions.csv", index=False)


def assert_same_numbers(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    columns = [c for c in REGIME_COLUMNS if c not in ("dealer_model", "definition_id")]
    left, right = pd.DataFrame(found)[columns], pd.DataFrame(wanted)[columns]
    pd.testing.assert_frame_equal(left, right, rtol=1e-12)


def test_positions_of_a_file_reach_every_command(
    chain: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    inverted_positions(chain)
    document(capsys, "rebuild", "--dealer", "inverted")
    wanted = document(capsys, "regimes", "--dealer", "inverted")
    signed = ("--dealer", "signed", "--positions", "positions.csv")
    assert document(capsys, "rebuild", *signed)["rebuilt"] == 1
    assert document(capsys, "rebuild", *signed)["rebuilt"] == 0
    found = document(capsys, "regimes", "--dealer", "signed")
    assert_same_numbers(found, wanted)
    at = ("--session", str(SESSION), *signed)
    for command in ("profile", "explain"):
        row = document(capsys, command, *at)["regime"]
        assert row["dealer_model"] == "signed"
        assert row["net_gex"] == pytest.approx(wanted[1]["net_gex"], rel=1e-12)
    Path("a.toml").write_text("", encoding="utf-8")
    assert document(capsys, "diff", "a.toml", "a.toml", *signed)["changed"] == 0
    without = error_of(capsys, "profile", "--session", str(SESSION))
    assert "dealer models 'inverted', 'signed': name the one that is meant" in without
    alone = document(capsys, "profile", "--session", str(SESSION), "--dealer", "signed")
    assert alone["regime"]["dealer_model"] == "signed"  # with the positions of its rebuild


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dealer", "signed"), "give their file (--positions)"),
        (("--positions", "positions.csv"), "'naive', which does not read them"),
        (("--dealer", "signed", "--positions", "absent.csv"), "absent.csv: no such file"),
        (("--dealer", "signed", "--positions", "lake"), "lake: no such file"),
        (("--instrument", "stock"), "unknown instrument 'stock'"),
        (("--rate-curve", "absent.csv"), "absent.csv: no such file"),
        (("--rate-curve", "late.csv"), "found none (the first is of 2030-01-02)"),
        (("--rate-curve", "late.csv", "--rate", "0.04"), "rate must be left out beside rate_curve"),
        (("--definition", "perfiliev", "--dealer", "inverted"), "has naive dealers"),
        (("--definition", "perfiliev", "--book", "post_expiry"), "the book as_of_close"),
    ],
)
def test_what_does_not_fit_is_refused(
    chain: pd.DataFrame,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    Path("late.csv").write_text("session,rate\n2030-01-02,0.04\n", encoding="utf-8")
    assert message in error_of(capsys, "rebuild", *options)
    assert "nothing rebuilt" in error_of(capsys, "regimes") or not Path("lake/rebuilds").exists()


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT max(strike) FROM read_parquet('lake/**/*.parquet'))",
        "1; COPY (SELECT 1) TO 'stolen.csv'",
        "1; ATTACH 'stolen.db'",
        "read_text('secret.txt')",
        "getenv('HOME')",
        "1; INSTALL httpfs",
        "1; SET enable_external_access = true",
        "1; PRAGMA database_list",
        "row_number() OVER ()",
        "sum(open_interest)",
        "1 /* */; DROP VIEW positioned_rows",
        "abs(" * 790 + "1" + ")" * 790,
        "1" + "*pow(strike, 99)" * 300,
        "CASE WHEN right = 'C' THEN",
        "delta_hedge",
        "",
    ],
)
def test_expressions_reach_nothing_but_the_row(
    chain: pd.DataFrame, capsys: pytest.CaptureFixture[str], expression: str
) -> None:
    Path("secret.txt").write_text("secret", encoding="utf-8")
    before = sorted(p.name for p in Path().iterdir())
    error = error_of(capsys, "rebuild", "--dealer", f"sql:{expression}")
    assert "dealer expression" in error
    assert sorted(p.name for p in Path().iterdir()) == before
    assert not Path("lake/rebuilds").exists()


def test_an_expression_is_a_dealer_model(
    chain: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = "sql:CASE WHEN right = 'C' THEN -1 ELSE 1 END"
    document(capsys, "rebuild", "--dealer", "inverted")
    wanted = document(capsys, "regimes", "--dealer", "inverted")
    document(capsys, "rebuild", "--dealer", rule)
    found = document(capsys, "regimes", "--dealer", rule)
    assert_same_numbers(found, wanted)
    assert found[0]["dealer_model"] == "sql: CASE WHEN right = 'C' THEN -1 ELSE 1 END"
    at = ("--session", str(SESSION), "--dealer", rule)
    row = document(capsys, "profile", *at)["regime"]
    assert row["dealer_model"] == found[0]["dealer_model"]


def test_naive_dealers_of_a_share_are_reported(
    chain: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    assert document(capsys, "rebuild")["rebuilt"] == 1
    assert document(capsys, "rebuild", "--instrument", "index")["rebuilt"] == 0
    assert document(capsys, "rebuild", "--instrument", "share")["rebuilt"] == 1
    findings = document(capsys, "explain", "--session", str(SESSION))["findings"]
    assert "naive_single_stock" in {f["check"] for f in findings}  # as it was rebuilt
    capsys.readouterr()
    query = 'SELECT DISTINCT "check" FROM quality_findings WHERE "check" = \'naive_single_stock\''
    assert cli.run(["sql", query, "--lake", "lake", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"check": "naive_single_stock"}]


def test_curves_by_flag_and_by_definition_are_one(
    chain: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("study").mkdir()
    table = "session,days,rate\n2022-04-12,30,0.01\n2022-04-12,365,0.02\n"
    for name in ("rates.csv", "study/rates.csv"):
        Path(name).write_text(table, encoding="utf-8")
    Path("study/definition.toml").write_text('rate_curve = "rates.csv"\n', encoding="utf-8")
    flag = document(capsys, "rebuild", "--rate-curve", "rates.csv")
    file = document(capsys, "rebuild", "--definition", "study/definition.toml")
    assert flag["definition_id"] == file["definition_id"]
    assert (flag["rebuilt"], file["rebuilt"]) == (1, 0)
    row = document(capsys, "profile", "--session", str(SESSION))["regime"]
    assert row["definition_id"] == flag["definition_id"]


def test_regimes_in_other_units(chain: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "rebuild", "--book", "post_expiry")
    (plain,) = document(capsys, "regimes")
    (row,) = document(capsys, "regimes", "--unit", "shares_per_point")
    wanted = plain["net_gex"] / (0.01 * plain["spot"] ** 2)
    assert row.pop("net_gex_shares_per_point") == pytest.approx(wanted, rel=1e-12)
    row.pop("gross_gex_shares_per_point")
    assert row == plain
    days = pd.bdate_range(end=str(SESSION), periods=40)
    step = 0.01 * np.arange(len(days))
    bars = pd.DataFrame({"session": days, "open": 9.0 + step, "high": 11.0 + step})
    bars = bars.assign(low=8.0 - step, close=10.0)
    bars.assign(volume=1e6).to_csv("bars.csv", index=False)
    options = ("--unit", "share_of_adv", "--bars", "bars.csv")
    (row,) = document(capsys, "regimes", *options)
    assert row["net_gex_share_of_adv"] == pytest.approx(plain["net_gex"] / 1e7, rel=1e-12)
    capsys.readouterr()
    assert cli.run(["regimes", *MARKET, *options]) == 0
    assert "share of adv" in capsys.readouterr().out
    bars.to_csv("bars.csv", index=False)
    assert "no column 'volume'" in error_of(capsys, "regimes", *options)
    assert "give dollar_volume" in error_of(capsys, "regimes", "--unit", "share_of_adv")
    assert "did you mean 'per_point'" in error_of(capsys, "regimes", "--unit", "per_points")
