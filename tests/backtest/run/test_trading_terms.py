"""What a configuration says of interest, spreads, dividends, lots and stated bars, in its run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from half_hours import write_half_hours
from reference_account import PlainAccount

from gexlab.backtest.execution.performance import Trading
from gexlab.backtest.grid.grid import grid
from gexlab.backtest.run.backtest import backtest, strategies_of, trade_config
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.notices import notices_of
from gexlab.data.base.errors import ConfigError, InputFileError
from gexlab.reports.page.sections.performance import performance_section

SESSIONS = 60
TERMS: dict[str, Any] = {
    "fees_bps": 1.0, "slippage_bps": 2.0, "half_spread": "spread", "cash_rate": 0.04,
    "financing_rate": "money", "borrow_rate": 0.01, "dividends": "paid", "lot": "share",
    "stop_loss": 0.008, "take_profit": 0.012, "max_holding": 4, "max_leverage": 1.5,
    "cash": 50_000.0,
}  # fmt: skip
STRATEGY = {"name": "mine", "filter": "sign", "long": "hold", "short": "fade", "size": 1.4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a market with bars, half-hour bars that agree with them, and series."""
    place = tmp_path_factory.mktemp("terms")
    daily = write_half_hours(place, "2024-06-03", SESSIONS)  # an early close on 3 July
    rng = np.random.default_rng(9)
    days = daily["session"]
    for name, values in (
        ("gex", rng.normal(0.2, 1.0, SESSIONS)),
        ("spread", rng.uniform(0.005, 0.02, SESSIONS)),
        ("money", np.full(SESSIONS, 0.07)),
    ):
        pd.DataFrame({"session": days, "value": values}).to_csv(place / f"{name}.csv", index=False)
    paid = pd.DataFrame({"session": days.iloc[[10, 40]], "value": [0.5, 0.6]})
    paid.to_csv(place / "paid.csv", index=False)
    return place


def _document(execution: dict[str, Any] | None = None, **data: Any) -> dict[str, Any]:
    series = {n: {"path": f"{n}.csv", "known": "close"} for n in ("spread", "money", "paid")}
    return {
        "data": {
            "underlying": "SPY",
            "bars": "bars.parquet",
            "intraday": "intraday.parquet",
            **data,
        },
        "regime": {"source": "series", "series": {"path": "gex.csv", "known": "close"}},
        "series": series,
        "strategies": [STRATEGY],
        "execution": TERMS if execution is None else execution,
        "inference": {"bootstrap": 100},
    }


def _trading(folder: Path, execution: dict[str, Any]) -> Trading:
    config = parse_config(_document(execution), folder)
    return trade_config(config, load_market(config), strategies_of(config)[:2])


@pytest.mark.parametrize(
    "fill", ["next_open", pytest.param("next_close", marks=pytest.mark.slow), "11:30"]
)
def test_the_terms_of_a_configuration_are_those_of_its_run(folder: Path, fill: str) -> None:
    trading = _trading(folder, {**TERMS, "fill": fill})
    bars = pd.read_parquet(folder / "bars.parquet")
    bars["days"] = bars["session"].diff().dt.days.fillna(0)
    bars["half_spread"] = pd.read_csv(folder / "spread.csv")["value"]
    bars["dividend"] = 0.0
    bars.loc[[10, 40], "dividend"] = [0.5, 0.6]
    if fill == "11:30":
        bars = bars.join(_around(folder, bars))
    for i, plan in enumerate(trading.plans[:2]):
        plain = PlainAccount(
            where={"next_open": "open", "next_close": "close"}.get(fill, "middle"),
            fees_bps=1.0, slippage_bps=2.0, cash=50_000.0, cash_rate=0.04, financing_rate=0.07,
            borrow_rate=0.01, lot=1.0, stop_loss=0.008, take_profit=0.012, max_holding=4,
            max_leverage=1.5,
        )  # fmt: skip
        rows: Any = bars.drop(columns="session").to_dict("records")
        plain.run(rows, plan.wanted.tolist())
        wanted = pd.DataFrame(plain.closes)
        found = trading.net.equity.iloc[:, i].to_numpy()
        np.testing.assert_allclose(found, wanted["equity"], rtol=1e-10)
        mine = trading.net.orders[trading.net.orders["strategy"] == i]
        fills = pd.DataFrame(plain.fills)
        assert len(fills) > 10
        assert {1, 2} <= set(fills["why"])  # stops and profits were reached
        for name in ("row", "size", "price", "fees"):
            np.testing.assert_allclose(mine[name].to_numpy(dtype=float), fills[name], rtol=1e-10)


def _around(folder: Path, bars: pd.DataFrame) -> pd.DataFrame:
    """Return the price at 11:30 in New York and the ranges before and after it."""
    found = pd.read_parquet(folder / "intraday.parquet")
    local = found["timestamp"].dt.tz_convert("America/New_York")
    rows = []
    for day in bars["session"]:
        mine = found[local.dt.date == day.date()]
        clock = local[mine.index].dt.strftime("%H:%M")
        before, after = mine[clock < "11:30"], mine[clock >= "11:30"]
        rows.append(
            {
                "at": after["open"].iloc[0],
                "high_before": before["high"].max(),
                "low_before": before["low"].min(),
                "high_after": after["high"].max(),
                "low_after": after["low"].min(),
            }
        )
    return pd.DataFrame(rows)


def test_a_stated_bar_that_a_session_lacks_is_its_close(folder: Path) -> None:
    half = {"name": "half", "filter": "always", "long": "hold", "size": 0.5}  # an order a session
    result = backtest(parse_config({**_document({"fill": "15:00"}), "strategies": [half]}, folder))
    (notice,) = [n for n in result.notices if n.code == "stated_bar_missing"]
    assert notice.count == 1  # 3 July 2024 closed at 13:00
    orders: Any = result.main.orders.set_index("session")
    bars: Any = pd.read_parquet(folder / "bars.parquet").set_index("session")
    early = pd.Timestamp("2024-07-03")
    assert orders.loc[early, "price"] == bars.loc[early, "close"]
    assert f"{orders.loc[early, 'fill_ts']:%H:%M}" == "17:00"
    assert f"{orders.loc[pd.Timestamp('2024-07-02'), 'fill_ts']:%H:%M}" == "19:00"


def test_the_page_says_what_accrues_and_when_orders_fill(folder: Path) -> None:
    config = parse_config(_document({**TERMS, "fill": "11:30"}), folder)
    text = " ".join(performance_section(backtest(config)).text)
    for said in (
        "11:30 of the next session", "half-spread series spread", "cash earns 4.00 %",
        "borrowed money costs series money", "whole lots of share", "a stop 0.80 %",
        "positions end after 4 bars", "leverage up to 1.50",
    ):  # fmt: skip
        assert said in text
    assert "Beyond the fills" not in " ".join(
        performance_section(backtest(parse_config(_document({}), folder))).text
    )


def test_a_grid_under_terms_is_the_backtest(folder: Path) -> None:
    changes = {"max_holding": [1, 4], "stop_loss": 0.008}
    document = _document({"lot": "share", "fees_bps": 1.0, "cash_rate": 0.04})
    found = grid(parse_config({**document, "grid": changes}, folder)).table
    assert found["max_holding"].tolist() == [1, 4]
    for row in found.to_dict("records"):
        execution = {
            **document["execution"], "max_holding": row["max_holding"], "stop_loss": 0.008,
        }  # fmt: skip
        alone = backtest(
            parse_config({**document, "strategies": [], "execution": execution}, folder)
        )
        for name in ("sharpe", "total_return", "turnover", "trades", "break_even_bps"):
            expected = getattr(alone.main.metrics, name)
            assert row[name] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_missing_dividends_are_said_until_they_are_there(folder: Path) -> None:
    said = []
    for execution, data in (
        ({}, {}), ({"dividends": "paid"}, {}), ({}, {"total_return": True}),
        ({}, {"instrument": "future"}), ({}, {"simulated": True}),
    ):  # fmt: skip
        config = parse_config(_document(execution, **data), folder)
        market = load_market(config)
        trading = trade_config(config, market, strategies_of(config)[:1])
        said.append("dividends_missing" in {n.code for n in notices_of(config, market, trading)})
    assert said == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("execution", "data", "said"),
    [
        ({"fill": "nextopen"}, {}, "did you mean 'next_open'"),
        ({"fill": "25:00"}, {}, "HH:MM"),
        ({"fill": "10:00"}, {"intraday": None}, "name them in data.intraday"),
        ({"cash_rate": 4.0}, {}, "a decimal"),
        ({"cash_rate": "rates"}, {}, "'rates', which .series. does not define"),
        ({"half_spread": -1.0}, {}, "half_spread"),
        ({"lot": "lots"}, {}, "expected one of share, SPY, ES, MES"),
        ({"lot": 0.0}, {}, "expected one of share"),
        ({"lot": "MES"}, {}, "expected bars of SPX or ES, found those of 'SPY'"),
        ({"stop_loss": 5.0}, {}, "stop_loss"),
        ({"max_holding": 0}, {}, "max_holding"),
        ({"max_leverage": 0.0}, {}, "max_leverage"),
        ({"dividends": "paid"}, {"total_return": True}, "twice"),
        ({"borrow_rate": 0.01}, {"instrument": "future"}, "a future is neither paid for"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(
    folder: Path, execution: dict[str, Any], data: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_config(_document(execution, **data), folder)
    assert "\n" not in str(caught.value)
    if "lot" not in execution:  # a grid says the same
        with pytest.raises(ConfigError, match=said):
            grid(parse_config({**_document({}, **data), "grid": execution}, folder))


@pytest.mark.parametrize(
    ("execution", "said"),
    [
        ({"half_spread": "paid"}, "series 'paid' has no value for 2024-06-03"),
        ({"cash_rate": "bad"}, "expected yearly rates as decimals .0.05 is 5 %., found 7"),
        ({"fill": "10:10"}, "no session has an intraday bar that starts then"),
    ],
)
def test_inputs_that_cannot_be_terms_are_refused(
    folder: Path, execution: dict[str, Any], said: str
) -> None:
    document = _document(execution)
    days = pd.read_csv(folder / "money.csv")
    days.assign(value=7.0).to_csv(folder / "bad.csv", index=False)
    document["series"]["bad"] = {"path": "bad.csv", "known": "close"}
    with pytest.raises((InputFileError, ConfigError), match=said):
        backtest(parse_config(document, folder))
