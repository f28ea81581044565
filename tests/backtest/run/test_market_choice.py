"""What the lake says of its market counts everywhere; who contradicts it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import config_of, write_lake

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market_choice import market_of
from gexlab.data.base.errors import CalendarError, ConfigError, LakeError
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import lake_writer
from gexlab.data.quality.check import findings
from gexlab.data.regimes.explain import explain, profile
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.reports.cli import app as cli

CALENDARS = ["24/7", "XTAI", "XLON", "XBOM"]


@pytest.mark.parametrize(
    "calendar", ["24/7", "XTAI", *(pytest.param(c, marks=pytest.mark.slow) for c in CALENDARS[2:])]
)
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
    assert cli.run(["leakcheck", str(tmp_path / "run.toml"), "--cuts", "3", "--json"]) == 0
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
    with pytest.raises(LakeError, match=r"currency 'GBP'.*'EUR'.*ingest all files again"):
        ingest(
            [str(tmp_path / "more.csv")], vendor="columns", underlying="MKT",
            lake=tmp_path / "lake", mapping=tmp_path / "map.toml",
        )  # fmt: skip
    # one that an older version let in is refused by whoever reads it
    with lake_writer(open_lake(tmp_path / "lake"), "MKT") as writer:
        (held,) = writer.before.sources
        writer.commit((held, replace(held, source="columns:0", currency="EUR")))
    with pytest.raises(LakeError, match="different rules"):
        open_lake(tmp_path / "lake").facts("MKT")


def test_nightly_speaks_of_the_period(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its headline is the last session of the period, as it is where the files end there."""
    bars = write_lake(tmp_path, "XTAI", sessions=24)
    end = bars["session"].iloc[-6]
    text = (
        '[data]\nlake = "lake"\nunderlying = "MKT"\ninstrument = "future"\n'
        'bars = "bars.parquet"\n{end}[inference]\nbootstrap = 100\n[nightly]\nout = "{out}"\n'
    )
    (tmp_path / "whole.toml").write_text(
        text.format(end=f"end = {end:%Y-%m-%d}\n", out="whole"), encoding="utf-8"
    )
    other = tmp_path / "cut"
    other.mkdir()
    write_lake(other, "XTAI", sessions=19)
    (other / "cut.toml").write_text(text.format(end="", out="cut"), encoding="utf-8")
    found = []
    for file in (tmp_path / "whole.toml", other / "cut.toml"):
        capsys.readouterr()
        assert cli.run(["nightly", str(file), "--json"]) in (0, 4)
        told = json.loads(capsys.readouterr().out)
        found.append((told["last_session"], told["regime"], told["quality"]))
    assert found[0][0] == f"{end:%Y-%m-%d}"
    assert found[0] == found[1]
