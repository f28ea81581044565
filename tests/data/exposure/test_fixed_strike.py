"""Changes of volatility at fixed strikes against plain sums over the twin's books."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_rows import definition_of
from lakes import lake_of
from reference_book import Settings, quoted_contracts, value_book
from reference_calendar import next_session, session_close
from reference_greeks import d1, normal_density, vanna
from reference_profile import contract_exposures, dealer_positions
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import rebuild, side_table
from gexlab.data.base.schema import Book
from gexlab.data.lake.lake import Lake, open_lake

SETTINGS = Settings(rate=0.03, dividend_yield=0.01)
NUMBERS = ("change_by_vega", "change_by_exposure", "vega_dollars", "delta_dollars")


def later(rng: np.random.Generator, before: pd.DataFrame) -> pd.DataFrame:
    """The chain a session later: volatilities moved, some contracts new, some gone."""
    session = next_session(before["session"].iloc[0])
    close = session_close(session)
    after = before[(before["expiry_ts"] > close) & (rng.random(len(before)) < 0.85)].copy()
    after["iv"] = after["iv"] * rng.uniform(0.8, 1.2, len(after))
    return after.assign(
        session=session,
        quote_ts=close,
        known_at=close + pd.Timedelta(hours=5),
        spot=before["spot"] * 0.985,
    )


def sums(before: pd.DataFrame, after: pd.DataFrame, book: str, by_right: bool) -> pd.DataFrame:
    """The same table, contract by contract, from the twin's valued books."""
    settings = Settings(
        rate=SETTINGS.rate,
        dividend_yield=SETTINGS.dividend_yield,
        iv_source="own" if by_right else "otm",
    )
    key = ["expiry", "settlement", "strike"] + (["right"] if by_right else [])
    valued = value_book(after, book, settings)
    used = valued.contracts[valued.contracts["used"]]
    then = quoted_contracts(before, settings)
    then = then[(then["open_interest"] > 0) & then["volatility"].notna()]
    former = then.groupby(key)["volatility"].mean()
    columns = ("forward", "strike", "years", "volatility")
    forward, strike, years, sigma = (used[c].to_numpy(dtype=np.float64) for c in columns)
    spot, rate = valued.spot, settings.rate
    density = normal_density(d1(forward, strike, years, sigma))
    per_contract = np.exp(-rate * years) * forward * density * np.sqrt(years)
    amount = dealer_positions(used, "naive")
    change = used.join(former.rename("former"), on=key)["former"]
    frame = used[key].assign(
        change=sigma - change.to_numpy(),
        vega=per_contract,
        gross=np.abs(amount) * contract_exposures(valued, used),
        amount=amount,
        vanna=vanna(spot, forward, strike, years, sigma, rate) * spot,
    )
    lines = frame.groupby(key, as_index=False).agg(
        change=("change", "first"),
        vega=("vega", "first"),
        gross=("gross", "sum"),
        amount=("amount", "sum"),
        vanna=("vanna", "first"),
    )
    return lines.assign(matched=lines["change"].notna(), change=lines["change"].fillna(0.0))


def totals(lines: pd.DataFrame) -> dict[str, float]:
    met = lines[lines["matched"]]
    return {
        "strikes": len(met),
        "unmatched": len(lines) - len(met),
        "change_by_vega": float((met["vega"] * met["change"]).sum() / met["vega"].sum()),
        "change_by_exposure": float((met["gross"] * met["change"]).sum() / met["gross"].sum()),
        "vega_dollars": float((met["amount"] * met["vega"] * met["change"]).sum()),
        "delta_dollars": float((met["amount"] * met["vanna"] * met["change"]).sum()),
    }


def table_of(lake: Lake, settings: Settings, book: Book) -> pd.DataFrame:
    definition = definition_of(settings)
    rebuild(lake, "SPX", definition=definition)
    frame: pd.DataFrame = side_table(
        lake, "fixed_strike_vol", "SPX", book=book, definition_id=definition.definition_id
    )
    return frame


def assert_same(found: dict[Any, Any], wanted: dict[str, float]) -> None:
    assert (found["strikes"], found["unmatched"]) == (wanted["strikes"], wanted["unmatched"])
    for name in NUMBERS:
        assert found[name] == pytest.approx(wanted[name], rel=1e-7, abs=1e-12), name


@pytest.mark.parametrize("session", SESSIONS[:3])
@pytest.mark.parametrize("source", ["otm", "own"])
def test_table_equals_plain_sums(tmp_path: Path, session: date, source: str) -> None:
    rng = np.random.default_rng(29)
    before = random_chain(rng, session, Oddities())
    after = later(rng, before)
    lake = lake_of(tmp_path, "SPX", before, after)
    chosen = Settings(rate=0.03, dividend_yield=0.01, iv_source=source)
    for book in ("as_of_close", "post_expiry"):
        lines = sums(before, after, book, by_right=source == "own")
        table = table_of(lake, chosen, book)
        assert set(table["session"]) == {pd.Timestamp(after["session"].iloc[0])}
        whole = table[table["settlement"] == "all"]
        assert whole["expiry"].isna().all()
        assert len(whole) == 1
        assert not table.duplicated(["session", "book", "expiry", "settlement"]).any()
        assert_same(whole.to_dict("records")[0], totals(lines))
        by_expiry = table[table["settlement"] != "all"]
        for row in by_expiry.to_dict("records"):
            mine = (lines["expiry"] == row["expiry"].date()) & (
                lines["settlement"] == row["settlement"]
            )
            if lines[mine]["matched"].any():
                assert_same(row, totals(lines[mine]))


def test_one_call(tmp_path: Path) -> None:
    """Volatility up by two points at the money; vega and vanna by hand."""
    expiry, before, after = date(2023, 9, 29), date(2023, 7, 10), date(2023, 7, 11)
    row = {"underlying": "SPX", "expiry": [expiry], "settlement": "PM", "strike": 100.0}
    row |= {"right": "C", "open_interest": 10.0, "bid": math.nan, "ask": math.nan, "spot": 100.0}
    chains = [
        pd.DataFrame(row).assign(
            multiplier=100.0,
            session=day,
            quote_ts=session_close(day),
            expiry_ts=session_close(expiry),
            known_at=session_close(day),
            iv=volatility,
        )
        for day, volatility in ((before, 0.20), (after, 0.22))
    ]
    table = table_of(lake_of(tmp_path, "SPX", *chains), Settings(), "as_of_close")
    time = 80 / 365  # eighty days, close to close
    v = 0.22 * math.sqrt(time)
    density = math.exp(-v * v / 8) / math.sqrt(2 * math.pi)
    (row_all,) = table[table["settlement"] == "all"].to_dict("records")
    assert row_all["change_by_vega"] == pytest.approx(0.02)
    assert row_all["change_by_exposure"] == pytest.approx(0.02)
    assert row_all["vega_dollars"] == pytest.approx(
        1000 * 100 * density * math.sqrt(time) * 0.02, rel=1e-12
    )
    # d2 = -v / 2, so that delta rises by phi(d1) v / (2 sigma) per unit of volatility
    assert row_all["delta_dollars"] == pytest.approx(
        1000 * 100 * density * math.sqrt(time) / 2 * 0.02, rel=1e-12
    )


def test_a_session_computed_alone_gives_the_same_rows(tmp_path: Path) -> None:
    """After one session changed, only it and the next one are computed: same table as anew."""
    rng = np.random.default_rng(31)
    first = random_chain(rng, SESSIONS[0], Oddities())
    chains = [first]
    for _ in range(4):
        chains.append(later(rng, chains[-1]))
    lake = lake_of(tmp_path / "grown", "SPX", *chains)
    table_of(lake, SETTINGS, "post_expiry")
    changed = chains[2].assign(iv=chains[2]["iv"] * 1.1)
    lake_of(tmp_path / "grown", "SPX", changed)
    definition = definition_of(SETTINGS)
    assert rebuild(open_lake(tmp_path / "grown"), "SPX", definition=definition).rebuilt == 2
    grown = table_of(open_lake(tmp_path / "grown"), SETTINGS, "post_expiry")
    anew = lake_of(tmp_path / "anew", "SPX", *chains[:2], changed, *chains[3:])
    expected = table_of(anew, SETTINGS, "post_expiry")
    pd.testing.assert_frame_equal(grown, expected)
    assert len(grown["session"].unique()) == 4
