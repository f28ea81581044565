"""What the lake says of its market counts everywhere; who contradicts it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.market import load_market
from gexlab.backtest.run.market_choice import market_of
from gexlab.data.base.errors import CalendarError, ConfigError
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.quality.check import findings
from gexlab.data.regimes.explain import explain, profile
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
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
calendar = "{calendar}"
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
{more}
"""


def write_lake(
    folder: Path, calendar: str, *, first: str = "2025-01-02", sessions: int = 40, more: str = ""
) -> pd.DataFrame:
    """Write and rebuild a lake of one market, its bars beside it; return the bars."""
    known = trading_calendar(calendar)
    start = known.position(pd.Timestamp(first).date(), at_or_before=True)
    days = known.sessions[start : start + sessions]
    rng = np.random.default_rng(4)
    spot = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, sessions)))
    rows = []
    for day, price in zip(days.tolist(), spot, strict=True):
        months = pd.period_range(pd.Timestamp(day), periods=3, freq="M")
        monthly = [known.monthly_expiration(m.year, m.month) for m in months]
        weekly = known.shift(day, 4)
        for expiry in sorted({*monthly, weekly} - {d for d in monthly if d < day}):
            for strike in range(80, 125, 5):
                for right in ("C", "P"):
                    oi = int(rng.integers(10, 500))
                    rows.append((day, expiry, strike, right, oi, 0.2, price))
    names = ["session", "expiry", "strike", "right", "oi", "iv", "spot"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "chains.csv", index=False)
    (folder / "map.toml").write_text(MAP.format(calendar=calendar, more=more), encoding="utf-8")
    ingest(
        [str(folder / "chains.csv")], vendor="columns", underlying="MKT", lake=folder / "lake",
        mapping=folder / "map.toml",
    )  # fmt: skip
    rebuild(folder / "lake", "MKT")
    opened = np.append(spot[0], spot[:-1])
    bars = pd.DataFrame(
        {
            "session": days.astype("datetime64[ns]"), "open": opened,
            "high": np.maximum(opened, spot) * 1.002, "low": np.minimum(opened, spot) * 0.998,
            "close": spot, "volume": 1e6,
        }
    )  # fmt: skip
    bars.to_parquet(folder / "bars.parquet", index=False)
    return bars


def config_of(folder: Path, **data: Any) -> Any:
    document = {
        "data": {
            "lake": "lake", "underlying": "MKT", "instrument": "future", "bars": "bars.parquet",
            **data,
        },
        "inference": {"bootstrap": 100},
    }  # fmt: skip
    return parse_config(document, folder)


CALENDARS = ["24/7", "XTAI", "XLON", "XBOM"]


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_configuration_without_a_calendar_takes_the_lakes(
    calendar: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_lake(tmp_path, calendar)
    result = backtest(config_of(tmp_path))
    assert result.data.calendar == calendar
    assert result.data.sessions == len(bars)
    assert result.data.bars_missing == 0
    assert not [n for n in result.notices if n.code in ("late_regime", "bars_not_sessions")]
    year = 365 if calendar == "24/7" else 252
    hold = result.strategies["buy-and-hold"].returns
    own = hold.mean() / hold.std(ddof=1) * np.sqrt(year)
    assert result.strategies["buy-and-hold"].metrics.sharpe == pytest.approx(own)
    shares = regimes(tmp_path / "lake", "MKT", book="post_expiry")["gex_next_opex_share"]
    assert shares.notna().all()
    (tmp_path / "run.toml").write_text(
        '[data]\nlake = "lake"\nunderlying = "MKT"\ninstrument = "future"\n'
        'bars = "bars.parquet"\n[inference]\nbootstrap = 100\n',
        encoding="utf-8",
    )
    capsys.readouterr()
    assert cli.run(["leakcheck", str(tmp_path / "run.toml"), "--json"]) == 0
    out = str(tmp_path / "table.csv")
    lake, file = str(tmp_path / "lake"), str(tmp_path / "bars.parquet")
    unit = ["--unit", "share_of_adv", "--bars", file, "--out", out]
    assert cli.run(["regimes", "--lake", lake, "--book", "post_expiry", *unit]) == 0
    shares = pd.read_csv(out)["net_gex_share_of_adv"]
    assert shares.isna().tolist() == [i < 20 for i in range(len(bars))]
    for name, rate in (("a", 0.0), ("b", 0.1)):
        (tmp_path / f"{name}.toml").write_text(f"rate = {rate}\n", encoding="utf-8")
    pair = [str(tmp_path / "a.toml"), str(tmp_path / "b.toml")]
    assert cli.run(["diff", *pair, "--lake", lake, "--bars", file, "--json"]) == 0
    assert cli.run(["backtest", str(tmp_path / "run.toml"), "--out", str(tmp_path / "out")]) == 0


def test_a_calendar_that_contradicts_the_lake_is_refused_everywhere(tmp_path: Path) -> None:
    write_lake(tmp_path, "XLON", sessions=8)
    with pytest.raises(ConfigError, match="XLON"):
        load_market(config_of(tmp_path, calendar="XNYS"))
    lake, day = tmp_path / "lake", pd.Timestamp("2025-01-06").date()
    for call in (
        lambda: rebuild(lake, "MKT", calendar="24/7"),
        lambda: profile(lake, "MKT", day, calendar="XNYS"),
        lambda: explain(lake, "MKT", day, calendar="XNYS"),
        lambda: findings(open_lake(lake), "MKT", calendar="XNYS"),
    ):
        with pytest.raises(CalendarError, match="contradicts"):
            call()
    assert rebuild(lake, "MKT", calendar="LSE").rebuilt == 0  # an alias is no contradiction
    assert market_of(config_of(tmp_path, calendar="LSE")).calendar == "XLON"


@pytest.mark.parametrize(("key", "value"), [("monthly", "last_friday"), ("currency", "USD")])
def test_other_contradictions(key: str, value: str, tmp_path: Path) -> None:
    write_lake(tmp_path, "XLON", sessions=6, more='currency = "EUR"')
    with pytest.raises(ConfigError, match=value):
        load_market(config_of(tmp_path, **{key: value}))
    assert market_of(config_of(tmp_path, currency="EUR", monthly="third_friday")).sign == "€"


def test_a_series_has_a_calendar_too(tmp_path: Path) -> None:
    bars = write_lake(tmp_path, "XLON", sessions=10)
    gex = bars[["session"]].assign(value=1.0)
    gex.to_parquet(tmp_path / "gex.parquet", index=False)
    document: dict[str, Any] = {
        "data": {"underlying": "MKT", "instrument": "etf", "bars": "bars.parquet"},
        "regime": {
            "source": "series",
            "series": {"path": "gex.parquet", "known": "next_open", "calendar": "XLON"},
        },
    }
    assert market_of(parse_config(document, tmp_path)).calendar == "XLON"
    document["data"]["calendar"] = "XTAI"
    with pytest.raises(ConfigError, match=r"data\.calendar.*XTAI.*regime\.series.*XLON"):
        market_of(parse_config(document, tmp_path))


def test_lakes_made_under_two_rules_are_refused(tmp_path: Path) -> None:
    write_lake(tmp_path, "XLON", sessions=6)
    again = (tmp_path / "map.toml").read_text() + 'currency = "EUR"\n'
    (tmp_path / "map.toml").write_text(again, encoding="utf-8")
    frame = pd.read_csv(tmp_path / "chains.csv").iloc[:18].assign(session="2025-02-03")
    frame.assign(expiry="2025-02-21").to_csv(tmp_path / "more.csv", index=False)
    ingest(
        [str(tmp_path / "more.csv")], vendor="columns", underlying="MKT", lake=tmp_path / "lake",
        mapping=tmp_path / "map.toml",
    )  # fmt: skip
    with pytest.raises(Exception, match="different rules"):
        open_lake(tmp_path / "lake").facts("MKT")
