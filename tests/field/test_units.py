"""Columns in another unit: the quotes contradict them, and the session gets no label."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from layouts import CLOSE, EXPIRIES, NEW_YORK, SPOT, Contract

from gexlab.data.lake.lake import open_lake
from gexlab.data.quality.check import findings
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.reports.cli import app as cli

YEAR = timedelta(days=365)
#: Column that is off by a factor, and what is written instead.
UNITS: dict[str, Callable[[Contract], dict[str, float]]] = {
    "volatility in percent": lambda c: {"iv": 60 * c.iv},
    "volatility a week": lambda c: {"iv": c.iv / 52**0.5},
    "strikes in 1/1000": lambda c: {"strike": 1000 * c.strike},
    "prices in cents": lambda c: {"bid": 100 * c.bid, "ask": 100 * c.ask},
    "spot in cents": lambda c: {"spot": 100 * SPOT},
    "spot of a tenth of the index": lambda c: {"spot": SPOT / 10},
}


def _chain() -> list[Contract]:
    """Return calls and puts of many strikes: a few rows decide nothing."""
    return [
        Contract(e, SPOT + 4.0 * i, right, 1000 + 37 * i, 0.15, years, SPOT)
        for e in EXPIRIES
        for years in [(datetime(e.year, e.month, e.day, 16, tzinfo=NEW_YORK) - CLOSE) / YEAR]
        for i in range(-7, 8)
        for right in "CP"
    ]


def _ingested(change: Callable[[Contract], dict[str, float]], folder: Path) -> Path:
    lines = ["date,expiration,strike,type,bid,ask,oi,iv,spot"]
    for c in _chain():
        plain = {"strike": c.strike, "bid": c.bid, "ask": c.ask, "iv": c.iv, "spot": SPOT}
        row = plain | change(c)
        lines.append(
            f"2024-01-12,{c.expiry},{row['strike']!r},{c.right},{row['bid']!r},{row['ask']!r},"
            f"{c.open_interest},{row['iv']!r},{row['spot']!r}"
        )
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "map.toml").write_text(
        '[columns]\nsession = "date"\nexpiry = "expiration"\nstrike = "strike"\nright = "type"\n'
        'bid = "bid"\nask = "ask"\nopen_interest = "oi"\niv = "iv"\nspot = "spot"\n[timing]\n'
        'quote_time = "close"\nknown_at = "next_open"\noi_lag_sessions = 1\nsettlement = "PM"\n',
        encoding="utf-8",
    )
    lake = folder / "lake"
    words = ["--vendor", "columns", "--map", str(folder / "map.toml"), "--underlying", "SPY"]
    assert cli.run(["ingest", str(folder / "a.csv"), *words, "--lake", str(lake)]) == 0
    return lake


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_another_unit_closes_the_gate(unit: str, tmp_path: Path) -> None:
    lake = open_lake(_ingested(UNITS[unit], tmp_path))
    assert "unit_contradicted" in {f.check for f in findings(lake, "SPY")}
    rebuild(lake, "SPY", instrument="etf", side_tables=False, books=("as_of_close",))
    [row] = regimes(lake, "SPY").to_dict("records")
    assert row["regime"] == "abstain"
    assert "unit_contradicted" in row["quality"]


def test_the_right_units_do_not(tmp_path: Path) -> None:
    found = findings(open_lake(_ingested(lambda c: {}, tmp_path)), "SPY")
    assert "unit_contradicted" not in {f.check for f in found}


@pytest.mark.parametrize("factor", [100.0, 1 / 365**0.5])
def test_volatilities_that_can_be_none(
    factor: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are unknown, solved from prices, and the remedy is named."""
    lake = open_lake(_ingested(lambda c: {"iv": factor * c.iv}, tmp_path))
    said = " ".join(capsys.readouterr().out.split())
    assert "volatilities outside 0.01 ... 10, taken as unknown: 60" in said
    assert "[scale] iv = 0.01" in said
    rebuild(lake, "SPY", instrument="etf", side_tables=False, books=("as_of_close",))
    [row] = regimes(lake, "SPY").to_dict("records")
    assert row["quality"] == "ok"
    unit = 100.0 * SPOT**2 * 0.01
    gross = sum(c.open_interest * c.gamma * unit for c in _chain())
    assert row["gross_gex"] == pytest.approx(gross, rel=0.01)  # bid and ask a cent off
