"""The quality queries against plain pandas on the same spoilt chains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from synthetic_chains import clean_market, table

from gexlab.data.base.sql import load_sql

KEY = ["expiry", "settlement", "root", "strike", "right"]
Measured = dict[tuple[Any, str], tuple[int, float | None, float]]


def spoilt(rng: np.random.Generator) -> pd.DataFrame:
    """Return three sessions with a little of everything wrong in them."""
    chains, _ = clean_market(rng, sessions=3)
    chains = chains[(chains.strike >= 4600) & (chains.strike <= 5400)].reset_index(drop=True)
    n = len(chains)

    def some(share: float) -> np.ndarray:
        return np.asarray(rng.random(n) < share)

    chains.loc[some(0.02), "iv"] = np.nan
    chains.loc[some(0.02), "open_interest"] = np.nan
    chains.loc[some(0.02), "bid"] = 0.0
    chains.loc[some(0.01), "bid"] = -1.0
    chains.loc[some(0.02), "ask"] = np.nan
    chains.loc[some(0.02), "delta"] *= -1
    crossed = some(0.03)
    chains.loc[crossed, "bid"] = chains.loc[crossed, "ask"] + 1
    dear = some(0.05)
    chains.loc[dear, ["bid", "ask"]] *= 1.6
    low = some(0.05)
    chains.loc[low, "iv"] *= 0.6
    return chains[~some(0.03)].reset_index(drop=True)


@pytest.fixture(scope="module")
def chains() -> pd.DataFrame:
    return spoilt(np.random.default_rng(17))


@pytest.fixture(scope="module")
def connection(
    chains: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    path: Path = tmp_path_factory.mktemp("queries") / "chains.parquet"
    pq.write_table(table(chains), path)
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        days = {"first": min(chains.session), "last": max(chains.session)}
        opened.execute(load_sql("quality/load"), {"files": [str(path)], "settled": [], **days})
        yield opened


def measured(connection: duckdb.DuckDBPyConnection, query: str, first: Any) -> Measured:
    rates = {"rate": 0.0, "dividend_yield": 0.0} if query == "quality/parity" else {}
    rows = connection.execute(load_sql(query), {"first": first, **rates}).fetchall()
    return {(session, check): (count, oi, value) for session, check, count, oi, value in rows}


def sessions(chains: pd.DataFrame) -> list[tuple[Any, pd.DataFrame, pd.DataFrame | None]]:
    """Return each session with its rows and the rows of the one before."""
    parts: dict[Any, pd.DataFrame] = {d: x.copy() for d, x in chains.groupby("session")}
    days = sorted(parts)
    found: list[tuple[Any, pd.DataFrame, pd.DataFrame | None]] = []
    for i, day in enumerate(days):
        part = parts[day]
        part["t"] = (part.expiry_ts - part.quote_ts).dt.total_seconds() / (365 * 86400)
        part["two_sided"] = (part.bid > 0) & (part.ask >= part.bid)
        found.append((day, part, parts[days[i - 1]] if i else None))
    return found


def agrees(found: tuple[int, float | None, float], rows: pd.DataFrame, share_of: float) -> None:
    assert found[0] == len(rows)
    assert found[1] == pytest.approx(rows.open_interest.sum(), rel=1e-12)
    assert found[2] == pytest.approx(len(rows) / share_of, rel=1e-12)


def test_rows(connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame) -> None:
    found = measured(connection, "quality/rows", min(chains.session))
    for day, x, _ in sessions(chains):
        live, held = x.t > 0, x.open_interest > 0
        quoted = x.bid.notna() & x.ask.notna()
        agrees(found[day, "crossed_quotes"], x[x.bid > x.ask], quoted.sum())
        agrees(found[day, "negative_quotes"], x[(x.bid < 0) | (x.ask < 0)], len(x))
        agrees(found[day, "expired_today"], x[~live], len(x)) if (~live).any() else None
        reach = np.minimum(0.10, 0.3 * np.sqrt(x.t.clip(lower=0)))
        near = live & held & ((x.strike / x.spot).map(np.log).abs() <= reach)
        bid_only = (x.bid.fillna(0) > 0) != (x.ask.fillna(0) > 0)
        agrees(found[day, "one_sided_quotes"], x[near & bid_only], near.sum())
        wrong = ((x.right == "C") & (x.delta < 0)) | ((x.right == "P") & (x.delta > 0))
        agrees(found[day, "impossible_greeks"], x[wrong], len(x))
        count, touched, value = found[day, "missing_volatility"]
        missing = x[live & x.iv.isna()]
        assert count == (missing.open_interest > 0).sum()
        assert touched == missing.open_interest.sum()
        assert value == pytest.approx(touched / x.open_interest[live].sum(), rel=1e-12)
        assert found[day, "unknown_open_interest"][0] == x.open_interest.isna().sum()
        calls = (x.right[live] == "C").mean()
        assert found[day, "one_right_only"][2] == pytest.approx(abs(2 * calls - 1), abs=1e-12)


def test_against_the_session_before(
    connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame
) -> None:
    found = measured(connection, "quality/previous", min(chains.session))
    for day, x, before in sessions(chains):
        if before is None:
            assert not [key for key in found if key[0] == day]
            continue
        both = x.merge(before, on=KEY, suffixes=("", "_b"))
        same = pd.Series(True, index=both.index)
        for name in ("open_interest", "iv", "bid", "ask"):
            a, b = both[name], both[f"{name}_b"]
            same &= (a == b) | (a.isna() & b.isna())
        if same.any():
            assert found[day, "copy_of_previous_session"][2] == pytest.approx(same.mean())
        frozen = both.open_interest == both.open_interest_b
        assert found[day, "frozen_open_interest"][2] == pytest.approx(frozen.mean())
        change = both.open_interest.sum() / both.open_interest_b.sum() - 1
        name = "open_interest_jump" if change > 0 else "open_interest_collapse"
        assert found[day, name][2] == pytest.approx(abs(change), rel=1e-9)


def test_what_is_missing(connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame) -> None:
    found = measured(connection, "quality/missing", min(chains.session))
    for day, x, before in sessions(chains):
        if before is None:
            continue
        due = before[(before.open_interest > 0) & (before.expiry_ts > x.quote_ts.iloc[0])]
        due = due.groupby(["expiry", "strike", "right"]).open_interest.sum()
        there = pd.MultiIndex.from_frame(x[["expiry", "strike", "right"]])
        gone = due[~due.index.isin(there)]
        gone = gone[gone.index.get_level_values(0).isin(set(x.expiry))]
        count, touched, value = found[day, "missing_contracts"]
        assert (count, touched) == (len(gone), gone.sum())
        assert value == pytest.approx(gone.sum() / due.sum(), rel=1e-12)


def test_levels(connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame) -> None:
    found = measured(connection, "quality/level", min(chains.session))

    def level(x: pd.DataFrame) -> float:
        t = (x.expiry_ts - x.quote_ts).dt.total_seconds() / (365 * 86400)
        near = (x.strike / x.spot).map(np.log).abs() <= 0.05
        return float(x.iv[(t >= 0.02) & (t <= 0.5) & near].median())

    for day, x, before in sessions(chains):
        if before is not None:
            jump = abs(np.log(x.spot.iloc[0] / before.spot.iloc[0]))
            assert found[day, "spot_jump"][2] == pytest.approx(jump, rel=1e-9)
            change = abs(np.log(level(x) / level(before)))
            assert found[day, "volatility_jump"][2] == pytest.approx(change, rel=1e-9)


def test_parity(connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame) -> None:
    found = measured(connection, "quality/parity", min(chains.session))
    for day, x, _ in sessions(chains):
        spot = x.spot.iloc[0]
        near = x[(x.t > 0) & ((x.strike / spot).map(np.log).abs() <= 0.10) & x.two_sided]
        forwards = {}
        for _, group in near.groupby(["expiry", "settlement"]):
            mid = group.assign(mid=(group.bid + group.ask) / 2)
            pairs = mid.pivot_table(index="strike", columns="right", values="mid").dropna()
            order = sorted(pairs.index, key=lambda k: (abs(k - spot), k))[:10]
            if len(order) >= 3:
                pairs = pairs.loc[order]
                f = pairs.index.to_numpy() + pairs.C.to_numpy() - pairs.P.to_numpy()
                forwards[float(group.t.iloc[0])] = float(np.median(f))
        shortest = min(forwards)
        want = abs(np.log(forwards[shortest] / spot)) - 0.02 * shortest
        value = found.get((day, "spot_off_parity"), (1, None, 0.0))[2]
        assert value == pytest.approx(max(want, 0), abs=1e-12)


def test_arbitrage(connection: duckdb.DuckDBPyConnection, chains: pd.DataFrame) -> None:
    found = measured(connection, "quality/arbitrage", min(chains.session))
    for day, x, _ in sessions(chains):
        vertical = butterfly = pairs = triples = 0
        quoted = x[(x.t > 0) & x.two_sided]
        for (*_, right), group in quoted.groupby(["expiry", "settlement", "root", "right"]):
            rows = group.sort_values("strike")[["strike", "bid", "ask"]].to_numpy()
            pairs += max(len(rows) - 1, 0)
            triples += max(len(rows) - 2, 0)
            for i, (k, bid, ask) in enumerate(rows):
                if i:
                    low = rows[i - 1]
                    vertical += bid > low[2] if right == "C" else low[1] > ask
                if 0 < i < len(rows) - 1:
                    low, high = rows[i - 1], rows[i + 1]
                    share = (high[0] - k) / (high[0] - low[0])
                    butterfly += bid > share * low[2] + (1 - share) * high[2] + 1e-12
        assert found[day, "vertical_arbitrage"][0] == vertical
        assert found[day, "butterfly_arbitrage"][0] == butterfly
        assert found[day, "vertical_arbitrage"][2] == pytest.approx(vertical / pairs)
        assert found[day, "butterfly_arbitrage"][2] == pytest.approx(butterfly / triples)
        otm = x[(x.t > 0.01) & x.iv.notna() & ((x.strike / x.spot).map(np.log).abs() <= 0.10)]
        otm = otm[(otm.right == "C") == (otm.strike >= otm.spot)]
        w = otm.assign(w=otm.iv**2 * otm.t).sort_values("t")
        before = w.groupby(["settlement", "root", "strike"]).w.shift()
        falls = (w.w < 0.9 * before).sum()
        assert found[day, "calendar_arbitrage"][0] == falls
        assert found[day, "calendar_arbitrage"][2] == pytest.approx(falls / before.notna().sum())
