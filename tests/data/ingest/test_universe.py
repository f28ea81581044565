"""A real file of many underlyings against the readable twin, from the file's own rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from reference import regime_row
from reference_calendar import session_close
from reference_data import COLUMNS, usable_volatility, with_moments

from gexlab.data import ingest, open_lake, rebuild, regimes

FILE = "us_universe_2026"
#: Large and small, one pair that differs in case alone, one whose spots are missing on some days.
NAMES = ("ABT", "Abt", "SLF", "iwm", "PSQ", "QID", "IDXX", "TME", "bce", "ROP")
LAST = "2026-07-14"
#: One dealer model for these names, naive for the others.
MODELS = {"ABT": "all_long", "Abt": "inverted", "iwm": "puts_only", "TME": "calls_only"}


@pytest.fixture(scope="module")
def part(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ten names and some weeks of the real file, sorted by day."""
    path = tmp_path_factory.mktemp("universe") / "part.parquet"
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(shared_data / "chains" / f"{FILE}.parquet"))
        names = ", ".join(f"'{name}'" for name in NAMES)
        days = f"quote_date BETWEEN DATE '2026-07-01' AND DATE '{LAST}'"
        chosen = rows.filter(f"underlying IN ({names}) AND {days}")
        chosen.order("quote_date, underlying, expiry, strike, cp").write_parquet(str(path))
    return path


def chain_of(raw: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return one session as the conventions have it, from the file's rows."""
    session = day.date()
    frame = pd.DataFrame(
        {
            "underlying": raw["underlying"],
            "session": session,
            "quote_ts": session_close(session),
            "root": None,
            "expiry": pd.to_datetime(raw["expiry"]).dt.date,
            "settlement": "PM",
            "strike": raw["strike"],
            "right": raw["cp"],
            "open_interest": raw["oi"].astype("float64"),
            "bid": math.nan,
            "ask": math.nan,
            "iv": usable_volatility(raw["iv_pct"] / 100),
            "iv_quoted": raw["iv_pct"] / 100,
            "gamma": math.nan,
            "spot": raw["spot"],
            "multiplier": 100.0,
            "known_at": pd.Timestamp(f"{session} 20:00", tz="America/New_York").tz_convert("UTC"),
        }
    )
    return with_moments(frame)[COLUMNS].reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize("models", [{}, MODELS], ids=["naive", "by name"])
def test_ten_names_against_the_twin(
    part: Path, shared_data: Path, tmp_path: Path, models: dict[str, str]
) -> None:
    mapping = shared_data / "chains" / f"{FILE}.map.toml"
    result = ingest(
        [part], vendor="columns", underlying="*", lake=tmp_path / "lake", mapping=mapping
    )
    raw = pd.read_parquet(part)
    raw["quote_date"] = pd.to_datetime(raw["quote_date"])
    assert sorted(result.by_underlying) == sorted(raw["underlying"].unique())
    assert result.rows_read == len(raw)
    assert result.rows_written + result.rows_rejected + result.rows_repeated == len(raw)
    lake = open_lake(tmp_path / "lake")
    settings = tmp_path / "settings.toml"
    settings.write_text(
        "\n".join(f'[underlyings.{name}]\ndealer = "{model}"' for name, model in models.items())
    )
    rebuild(lake, "*", side_tables=False, settings=settings)
    rows = regimes(lake, "*", settings=settings)
    compared = 0
    for name in result.by_underlying:
        held = [entry.session for entry in lake.sessions(name)]
        mine = raw[(raw["underlying"] == name) & raw["spot"].notna()]
        by_day = {pd.Timestamp(str(day)).date(): part for day, part in mine.groupby("quote_date")}
        previous: Any = None
        for session in held[-2:]:
            chain = chain_of(by_day[session], pd.Timestamp(session))
            for book in ("as_of_close", "post_expiry"):
                model = models.get(name, "naive")
                twin = regime_row(chain, book, model, previous=previous, agreement=False)
                engine = rows[
                    (rows["underlying"] == name)
                    & (rows["session"] == pd.Timestamp(session))
                    & (rows["book"] == book)
                ].to_dict("records")[0]
                if session == held[-1]:
                    gross = twin["gross_gex"]
                    assert engine["dealer_model"] == model
                    assert engine["gross_gex"] == pytest.approx(gross, rel=1e-6)
                    assert abs(engine["net_gex"] - twin["net_gex"]) <= 1e-6 * gross
                    assert engine["contracts_used"] == twin["contracts_used"]
                    assert (engine["flip_status"], engine["regime"]) == (
                        twin["flip_status"], twin["regime"],
                    )  # fmt: skip
                    assert engine["flip"] == pytest.approx(twin["flip"], rel=1e-5, nan_ok=True)
                    compared += 1
            previous = chain
    assert compared == 2 * len(result.by_underlying)
