"""What `gexlab explain --run` prints of an order is enough to compute it again by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.reports.cli import app as cli

CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "etf"
bars = "bars.parquet"

[execution]
{execution}

[inference]
bootstrap = 100
"""
EXECUTIONS = {
    "free": "",
    "costs": "fees_bps = 1.5\nslippage_bps = 0.7\nfixed_per_share = 0.005",
    "terms": (
        "fees_bps = 1.0\nslippage_bps = 0.5\nhalf_spread = 0.02\nlot = 'share'\n"
        "cash_rate = 0.04\nstop_loss = 0.01\nmax_leverage = 1.0"
    ),
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    write_lake(folder, "XNYS", sessions=20)
    return folder


def _told(market: Path, name: str, capsys: pytest.CaptureFixture[str]) -> tuple[Path, list[str]]:
    """Return the results and the printed lines of some sessions with decisions."""
    file, out = market / f"{name}.toml", market / name
    file.write_text(CONFIG.format(execution=EXECUTIONS[name]), encoding="utf-8")
    assert cli.run(["backtest", str(file), "--out", str(out)]) == 0
    lines: list[str] = []
    ledger = pd.read_parquet(out / "ledger.parquet")
    for day in sorted(set(ledger["decided"]))[2:5]:
        capsys.readouterr()
        words = ["explain", "--lake", str(market / "lake"), "--run", str(out)]
        assert cli.run([*words, "--session", f"{day:%Y-%m-%d}"]) == 0
        lines += capsys.readouterr().out.splitlines()
    return out, lines


def _orders(lines: list[str]) -> dict[tuple[str, int], dict[str, tuple[str, float]]]:
    """Return each fill's sums, as formula and result, by strategy and number."""
    found: dict[tuple[str, int], dict[str, tuple[str, float]]] = {}
    mine: dict[str, tuple[str, float]] = {}
    for line in lines:
        head = re.match(r"([\w-]+), fill (\d+): (.*)", line)
        if head:
            mine = found.setdefault((head[1], int(head[2])), {})
            continue
        step = re.match(r"  (\S.{25,}?) +(?:(.+) = )?(-?[\d.e+-]+)$", line)
        if step:
            mine[step[1].strip()] = (step[2] or "", float(step[3]))
    return found


def _computed(formula: str) -> float:
    """Return what a pocket calculator makes of a formula."""
    assert re.fullmatch(r"[\d.e+\-x/(), min]+", formula), formula
    return float(eval(formula.replace("x", "*"), {"__builtins__": {}, "min": min}))


@pytest.mark.parametrize("name", [pytest.param("free", marks=pytest.mark.slow), "costs", "terms"])
def test_every_sum_can_be_done_again(
    market: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out, lines = _told(market, name, capsys)
    told = _orders(lines)
    ledger = pd.read_parquet(out / "ledger.parquet").set_index(["strategy", "order"])
    assert len(told) > 8
    for key, steps in told.items():
        row: Any = ledger.loc[key]
        for what, (formula, value) in steps.items():
            if formula:
                assert _computed(formula) == pytest.approx(value, rel=1e-9, abs=1e-6), (key, what)
        size = next(v for k, (_, v) in steps.items() if k.startswith("units traded"))
        price = next(v for k, (_, v) in steps.items() if k in ("price paid", "price got"))
        wanted = steps["change wanted"][1]
        most = steps.get("in whole lots", steps.get("units that money buys", ("", wanted)))[1]
        assert size == pytest.approx(min(wanted, most) if wanted > 0 else wanted, rel=1e-9)
        for value, column in (
            (size, "size"), (price, "price"), (steps["fees"][1], "fees"),
            (steps["cash after"][1], "cash_after"), (steps["shares after"][1], "shares_after"),
        ):  # fmt: skip
            assert value == pytest.approx(row[column], rel=1e-12, abs=1e-9)
    orders = pd.read_parquet(out / "orders.parquet")
    main = orders[orders["strategy"] == "fade-long-follow-short"]
    mine = ledger.loc["fade-long-follow-short"]
    for column in ("size", "price", "fees"):
        assert main[column].tolist() == mine[column].tolist()


def test_cash_runs_from_order_to_order(market: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = _told(market, "terms", capsys)
    kept = pd.read_parquet(out / "ledger.parquet")
    for _, mine in kept.groupby("strategy"):
        carried = mine["cash_after"].shift(1, fill_value=1_000_000.0)
        accrued = mine[["interest", "borrowing", "dividends"]].sum(axis=1)
        pd.testing.assert_series_equal(
            carried + accrued, mine["cash_before"], check_names=False, rtol=1e-12
        )
    csv = pd.read_csv(out / "ledger.csv")
    assert csv["cash_after"].tolist() == kept["cash_after"].tolist()


def test_what_was_read_decides_what_was_wanted(
    market: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = _told(market, "costs", capsys)
    ledger = pd.read_parquet(out / "ledger.parquet")
    main = ledger[(ledger["strategy"] == "fade-long-follow-short") & (ledger["target"] != 0.0)]
    day = main["decided"].iloc[3]
    capsys.readouterr()
    words = ["explain", "--lake", str(market / "lake"), "--run", str(out), "--json"]
    assert cli.run([*words, "--session", f"{day:%Y-%m-%d}"]) == 0
    document: Any = json.loads(capsys.readouterr().out)
    fill = next(f for f in document["fills"] if f["strategy"] == "fade-long-follow-short")
    reads = {read["part"]: read for read in fill["inputs"]}
    label = ("abstain", "long", "short", "neutral")[int(reads["filter"]["values"][-1][1])]
    assert label == fill["label"] == document["regime"]["regime"]
    # fade goes against the last of the two moves, follow with it
    (_, before, _), (when, last, public) = reads[label]["values"]
    assert when == f"{day:%Y-%m-%d}"
    assert public.startswith(when)
    bars: Any = pd.read_parquet(market / "bars.parquet").set_index("session")["close"]
    assert last == bars[day]
    move = 1.0 if last > before else -1.0
    target = next(step["value"] for step in fill["steps"] if step["what"] == "target")
    assert target == (move if label == "short" else -move)
