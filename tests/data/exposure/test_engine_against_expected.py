"""The engine against tables computed elsewhere, through a lake."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from engine_rows import engine_rows, engine_side
from expected_tables import CBOE, SNAPSHOTS, assert_equals_expected, expected_table
from lakes import lake_of
from reference_book import Settings
from reference_data import cboe_quote_table, spx_2026, spx_2026_sessions

#: A quarterly expiration, and the pre-open and the stale snapshot, each with the day before.
SESSIONS = (
    date(2026, 6, 17),
    date(2026, 6, 18),
    date(2026, 6, 22),
    date(2026, 6, 23),
    date(2026, 8, 5),
    date(2026, 8, 7),
)


def check_rows(
    lake_root: Path,
    underlying: str,
    rates: tuple[float, float],
    chains: list[pd.DataFrame],
    expected: pd.DataFrame,
) -> int:
    """Compare every expected row of the sessions in the lake; return how many there were."""
    lake = lake_of(lake_root, underlying, *chains)
    compared = 0
    for (source, model), wanted in expected.groupby(["iv_source", "dealer_model"]):
        chosen = Settings(*rates, iv_source=str(source))
        found = engine_rows(lake, underlying, chosen, str(model)).set_index(["session", "book"])
        roots = engine_side(lake, "flip_roots", underlying, chosen, str(model))
        findings = engine_side(lake, "quality_findings", underlying, chosen, str(model))
        dead = findings[findings["check"] == "expired"].set_index(["session", "book"])["count"]
        for _, row in wanted.iterrows():
            key = (row["session"], row["book"])
            mine = found.loc[key]
            same = (roots["session"] == row["session"]) & (roots["book"] == row["book"])
            levels = roots.loc[same, "level"].tolist()
            assert_equals_expected(
                dict(mine) | {"roots": levels, "expired": dead.loc[key]}, row, engine=True
            )
            compared += 1
    return compared


@pytest.mark.parametrize("underlying", ["SPX", "NDX", "RUT"])
def test_quote_tables(shared_data: Path, tmp_path: Path, underlying: str) -> None:
    name, *rates = CBOE
    expected = expected_table(shared_data, name)
    expected = expected[expected["underlying"] == underlying]
    if underlying == "SPX":  # the largest: two models stand for six
        expected = expected[expected["dealer_model"].isin(["naive", "calls_only"])]
    chain = cboe_quote_table(shared_data, underlying)
    assert check_rows(tmp_path, underlying, (rates[0], rates[1]), [chain], expected) == len(
        expected
    )


def test_snapshots(shared_data: Path, tmp_path: Path) -> None:
    name, *rates = SNAPSHOTS
    expected = expected_table(shared_data, name)
    expected = expected[expected["session"].isin([pd.Timestamp(day) for day in SESSIONS])]
    chains = [spx_2026(shared_data, day) for day in SESSIONS]
    compared = check_rows(tmp_path, "SPX", (rates[0], rates[1]), chains, expected)
    assert compared == len(expected)
    assert compared >= 2 * len(SESSIONS)


@pytest.mark.slow
def test_every_snapshot(shared_data: Path, tmp_path: Path) -> None:
    name, *rates = SNAPSHOTS
    chains = [spx_2026(shared_data, day) for day in spx_2026_sessions(shared_data)]
    expected = expected_table(shared_data, name)
    assert check_rows(tmp_path, "SPX", (rates[0], rates[1]), chains, expected) == len(expected)
