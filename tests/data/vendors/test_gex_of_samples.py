"""Net gamma exposure of one session of every real sample, against the readable twin."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import reference_calendar
from reference import regime_row
from reference_book import Settings

from gexlab.data.base.schema import CHAIN_COLUMNS
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes

SAMPLES = [
    ("cboe_quote_table", "RUT", "cboe_quote_table_rut_20221212.csv", Settings()),
    ("cboe_delayed_json", "RUT", "cboe_delayed_rut.json", Settings()),
    ("yfinance", "IWM", "yfinance_spy_qqq_iwm_2026.parquet", Settings()),
    ("ivolatility", "SPX", "ivolatility_spx_2011.parquet", Settings()),
    ("historicaloptiondata", "SPY", "historicaloptiondata_spy_2021.parquet", Settings()),
    (
        "nse_bhavcopy",
        "NIFTY",
        "nse_bhavcopy_nifty.parquet",
        Settings(calendar="XBOM", last_is_settlement=True),
    ),
    ("deribit", "BTC", "deribit_btc_2026.parquet", Settings(calendar="24/7")),
]


@pytest.mark.parametrize(
    ("vendor", "underlying", "name", "settings"), SAMPLES, ids=[s[0] for s in SAMPLES]
)
def test_net_exposure(
    tmp_path: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    underlying: str,
    name: str,
    settings: Settings,
) -> None:
    ingest([shared_data / "raw" / name], vendor=vendor, underlying=underlying, lake=tmp_path)
    lake = open_lake(tmp_path)
    day = lake.sessions(underlying)[-1].session
    chain = last_session(lake, underlying, day)
    if vendor == "nse_bhavcopy":
        monkeypatch.setattr(reference_calendar, "schedule", lru_cache(_schedule))
    twin = regime_row(chain, "as_of_close", settings=settings, agreement=False)
    rebuild(lake, underlying, books=("as_of_close",), side_tables=False)
    rows = regimes(lake, underlying, book="as_of_close")
    [engine] = rows[rows.session == pd.Timestamp(day)].to_dict("records")
    assert engine["net_gex"] == pytest.approx(twin["net_gex"], abs=1e-8 * twin["gross_gex"])
    assert engine["gross_gex"] == pytest.approx(twin["gross_gex"], rel=1e-8)
    assert engine["regime"] == twin["regime"]
    assert engine["contracts_used"] == twin["contracts_used"] > 0
    assert engine["contracts_rejected"] == twin["contracts_rejected"]
    assert engine["quality"] == "ok"


def last_session(lake: Lake, underlying: str, day: date) -> pd.DataFrame:
    """Return the canonical rows of a session, NaN where numbers are unknown."""
    query = "SELECT * FROM read_parquet($files, hive_partitioning = false) WHERE session = $day"
    files = [str(path) for path in lake.chain_files(underlying, day, day)]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.sql(query, params={"files": files, "day": day}).to_arrow_table()
    numbers = [name for name, kind in CHAIN_COLUMNS.items() if kind == "DOUBLE"]
    frame: pd.DataFrame = rows.to_pandas()
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _schedule(name: str) -> pd.DataFrame:
    """Return a schedule that reaches further than the holidays that exchange_calendars knows."""
    known = trading_calendar(name)
    return pd.DataFrame(
        {
            "open": pd.DatetimeIndex(known.opens).tz_localize("UTC"),
            "close": pd.DatetimeIndex(known.closes).tz_localize("UTC"),
        },
        index=pd.Index([day.item() for day in known.sessions], name="session"),
    )
