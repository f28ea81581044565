"""A grid of strategies that decide within the session: plain steps, backtest, page, ledger."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from half_hours import write_half_hours

from gexlab.backtest.grid.grid import grid
from gexlab.backtest.grid.pieces import Piece, computed_elsewhere
from gexlab.backtest.leaks.leakcheck import leakcheck
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.tournament.counting import counted_returns
from gexlab.backtest.tournament.tournament import tournament
from gexlab.data import ConfigError, Crew, LookAheadError, Workers
from gexlab.reports.cli.app import run

COUNT = 40
TERMS = {
    "fees_bps": 1.0, "slippage_bps": 0.5, "half_spread": 0.01, "cash_rate": 0.04,
    "borrow_rate": 0.02, "lot": "share", "stop_loss": 0.006, "take_profit": 0.008,
    "max_holding": 7, "cash": 50_000.0,
}  # fmt: skip
PEEKING = """
import numpy as np
from gexlab.strategies import Past, Rule

class Peek(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None)}
    def targets(self, close):
        return np.nan_to_num(np.sign(np.append(close[1:], np.nan) - close))
"""
FILE = """
[data]
underlying = "SPY"
bars = "bars.parquet"
intraday = "intraday.parquet"
[regime]
source = "series"
[regime.series]
path = "gex.csv"
known = "next_open"
[ledger]
path = "ledger"
[grid]
filters = ["sign", "always"]
rules = [
  { long = { name = "first-hour-fade", minutes = [30, 60, 90] }, short = "flat" },
  { long = "opening-range", short = "gap-fade" },
  { long = "fade", short = "follow" },
]
fees_bps = [0, 2]
fill = ["next_open", "next_close"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    days = write_half_hours(tmp_path, "2024-06-03", COUNT)["session"]  # an early close on 3 July
    gex = np.where(np.arange(COUNT) % 3 == 0, -1.0, 1.0)
    pd.DataFrame({"session": days, "value": gex}).to_csv(tmp_path / "gex.csv", index=False)
    return tmp_path


def _config(folder: Path, **more: Any) -> Config:
    data = {"underlying": "SPY", "bars": "bars.parquet", "intraday": "intraday.parquet"}
    series = {"path": "gex.csv", "known": "next_open"}
    document = {"data": data, "regime": {"source": "series", "series": series}}
    return parse_config(document | {"inference": {"bootstrap": 100}} | more, folder)


def _faded(folder: Path, minutes: int, fee: float) -> np.ndarray[Any, Any]:
    """Return what fading the first `minutes` of sessions after a positive value earns."""
    bars = pd.read_parquet(folder / "intraday.parquet")
    local = bars["timestamp"].dt.tz_convert("America/New_York")
    equity, out = 1.0, []
    for number, (_, mine) in enumerate(bars.groupby(local.dt.date)):
        prices = mine.reset_index(drop=True)
        last = minutes // 30 - 1  # the bar that ends so many minutes after the open
        before, money, shares = equity, equity, 0.0
        calls = number > 0 and (number - 1) % 3 != 0  # the sign of the session before
        if calls:
            side = -np.sign(prices["close"][last] / prices["open"][0] - 1.0)
            price = prices["open"][last + 1]
            # long: as much as the cash pays for with its fee; short: the whole equity
            shares = side * equity / (price * (1.0 + fee) if side > 0 else price)
            money -= shares * price + abs(shares) * price * fee
        close = prices["close"].iloc[-1]
        equity = money + shares * close - abs(shares) * close * fee
        out.append(equity / before - 1.0)
    return np.array(out[1:])


def test_in_plain_steps(folder: Path) -> None:
    """Sign of the day before, against the first hour's move, flat at the close."""
    config = _config(
        folder,
        grid={
            "filters": ["sign"],
            "rules": [{"long": {"name": "first-hour-fade", "minutes": [30, 60, 90]},
                       "short": "flat"}],
            "fees_bps": [0, 2],
        },
        ledger={"path": str(folder / "ledger")},
    )  # fmt: skip
    table = {str(row["trial_id"]): row for row in grid(config).table.to_dict("records")}
    first, last = pd.Timestamp("2024-06-01").date(), pd.Timestamp("2024-12-31").date()
    kept = counted_returns(folder / "ledger", "SPY", first, last)
    assert len(kept) == len(table) == 6
    for trial_id, days, returns in kept:
        row = table[trial_id]
        plain = _faded(folder, int(row["long.minutes"]), row["fees_bps"] / 1e4)
        assert len(days) == COUNT
        found = returns[np.isfinite(returns)]
        np.testing.assert_allclose(found, plain, atol=1e-6)  # kept as float32
        sharpe = plain.mean() / plain.std(ddof=1) * np.sqrt(252)
        assert row["sharpe"] == pytest.approx(sharpe, rel=1e-9)
        assert row["total_return"] == pytest.approx(np.prod(1.0 + plain) - 1.0, rel=1e-9)
        assert row["n"] == COUNT - 1
        assert row["fill"] == "next_bar"


@pytest.mark.parametrize("execution", [{"fees_bps": 1.0}, TERMS], ids=["fees", "every term"])
def test_every_trial_is_the_backtest_of_its_strategy(
    folder: Path, execution: dict[str, Any]
) -> None:
    rules = [
        {"long": "last-half-hour", "short": "opening-range"},
        {"long": "first-hour-fade", "short": "gap-fade"},
        {"long": "fade", "short": "follow"},
    ]
    named = [{"name": f"s{i}", "filter": "sign", **rule} for i, rule in enumerate(rules)]
    one = backtest(_config(folder, strategies=named, execution=execution))
    table = grid(
        _config(folder, grid={"filters": ["sign"], "rules": rules}, execution=execution)
    ).table
    assert len(table) == 3
    for i, row in enumerate(table.to_dict("records")):
        for name, value in asdict(one.strategies[f"s{i}"].metrics).items():
            assert row[name] == pytest.approx(value, rel=1e-10, nan_ok=True), (i, name)


def test_from_the_command_to_page_and_ledger(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "run.toml"
    file.write_text(FILE, encoding="utf-8")
    assert run(["grid", str(file), "--out", str(folder / "out"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    # 2 filters x 4 sets of rules within the session x 2 fees, whatever the fill, and the daily ones
    assert shown["trials"] == 2 * 4 * 2 + 2 * 2 * 2
    table = pd.read_parquet(folder / "out" / "trials.parquet")
    assert table["fill"].value_counts().to_dict() == {
        "next_bar": 16, "next_open": 4, "next_close": 4
    }  # fmt: skip
    page = (folder / "out" / "grid.html").read_text(encoding="utf-8")
    assert "first-hour-fade" in page
    assert "next_bar" in page
    assert run(["ledger", "--json", str(file)]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert counted["trials"] == len(table)
    # again: nothing is computed, nothing counted twice
    again = grid(file, out=folder / "out")
    assert (again.computed, again.reused) == (0, len(table))
    # other intraday bars are other data for those who read them, and for nobody else
    bars = pd.read_parquet(folder / "intraday.parquet")
    bars["high"] *= np.where(bars.index == 20, 1.0001, 1.0)
    bars.to_parquet(folder / "intraday.parquet", index=False)
    assert grid(file, out=folder / "out").computed == 16
    whole = grid(file)
    seen: list[Piece] = []

    def spread(_: object, __: object, given: list[Piece], **___: object) -> object:
        seen.extend(given)
        return (computed_elsewhere(pickle.loads(pickle.dumps(piece))) for piece in given)

    monkeypatch.setattr(Crew, "spread", spread)
    apart = grid(file, workers=Workers(2))
    pd.testing.assert_frame_equal(apart.table, whole.table, check_exact=True)
    assert {piece.within for piece in seen} == {True, False}


def test_the_leak_check_looks_at_them_too(folder: Path) -> None:
    rules = [{"long": "first-hour-fade", "short": "gap-fade"}]
    found = leakcheck(_config(folder, grid={"filters": ["sign"], "rules": rules}), cuts=5)
    assert found.leaks == ()
    (folder / "own.py").write_text(PEEKING, encoding="utf-8")
    config = _config(
        folder, grid={"filters": ["always"], "rules": [{"long": "own.py:Peek"}, {"long": "fade"}]}
    )
    (leak,) = (one for one in leakcheck(config, cuts=5).leaks if "peek" in one.input)
    assert leak.kind == "changes_with_later_data"
    with pytest.raises(LookAheadError, match="peek"):
        grid(config)


def test_a_tournament_says_that_its_placebos_decide_once_a_session(folder: Path) -> None:
    config = _config(folder, grid={"filters": ["sign"], "rules": [{"long": "gap-fade"}]})
    with pytest.raises(ConfigError, match="placebos of a tournament decide once a session"):
        tournament(config)
    named = [{"name": "gap", "filter": "sign", "long": "gap-fade"}]
    with pytest.raises(ConfigError, match="placebos of a tournament decide once a session"):
        tournament(_config(folder, strategies=named))
