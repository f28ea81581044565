"""The readable twin against tables computed elsewhere: whoever checks the engine is checked first.

The whole tables were compared once (docs/decisions/0040-reference-twin.md has the figures); the
default suite repeats a bounded part of it, the slow one all.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from expected_tables import CBOE, SNAPSHOTS, assert_equals_expected, expected_table
from reference import regime_row
from reference_book import Settings
from reference_data import cboe_quote_table, spx_2026, spx_2026_sessions


@lru_cache(maxsize=4)
def snapshot_of(shared_data: Path, session: date) -> pd.DataFrame:
    return spx_2026(shared_data, session)


@lru_cache(maxsize=4)
def quote_table_of(shared_data: Path, underlying: str) -> pd.DataFrame:
    return cboe_quote_table(shared_data, underlying)


def check_snapshots(shared_data: Path, session: date, *, agreement: bool) -> None:
    """All rows that the expected table holds for one session of 2026."""
    name, rate, dividend_yield = SNAPSHOTS
    expected = expected_table(shared_data, name)
    sessions = spx_2026_sessions(shared_data)
    i = sessions.index(session)
    previous = snapshot_of(shared_data, sessions[i - 1]) if i else None
    rows = expected[expected["session"] == pd.Timestamp(session)]
    assert not rows.empty
    for _, wanted in rows.iterrows():
        valued = agreement and not np.isnan(wanted["definition_agreement"])
        row = regime_row(
            snapshot_of(shared_data, session),
            wanted["book"],
            wanted["dealer_model"],
            settings=Settings(rate, dividend_yield, iv_source=wanted["iv_source"]),
            previous=previous,
            agreement=valued,
        )
        row.setdefault("definition_agreement", wanted["definition_agreement"])
        assert_equals_expected(row, wanted)


def check_quote_table(shared_data: Path, wanted: pd.Series, *, agreement: bool) -> None:
    _, rate, dividend_yield = CBOE
    row = regime_row(
        quote_table_of(shared_data, wanted["underlying"]),
        wanted["book"],
        wanted["dealer_model"],
        settings=Settings(rate, dividend_yield, iv_source=wanted["iv_source"]),
        agreement=agreement and not np.isnan(wanted["definition_agreement"]),
    )
    row.setdefault("definition_agreement", wanted["definition_agreement"])
    assert_equals_expected(row, wanted)


def test_smallest_quote_table(shared_data: Path) -> None:
    expected = expected_table(shared_data, CBOE[0])
    rows = expected[(expected["underlying"] == "RUT") & (expected["dealer_model"] == "naive")]
    assert len(rows) == 4
    for _, wanted in rows.iterrows():
        check_quote_table(shared_data, wanted, agreement=False)


def test_snapshot_before_a_triple_expiration(shared_data: Path) -> None:
    check_snapshots(shared_data, date(2026, 6, 17), agreement=False)


@pytest.mark.slow
def test_every_snapshot(shared_data: Path) -> None:
    expected = expected_table(shared_data, SNAPSHOTS[0])
    sessions = spx_2026_sessions(shared_data)
    assert [stamp.date() for stamp in sorted(expected["session"].unique())] == sessions
    for session in sessions:
        check_snapshots(shared_data, session, agreement=True)


@pytest.mark.slow
def test_every_quote_table(shared_data: Path) -> None:
    for _, wanted in expected_table(shared_data, CBOE[0]).iterrows():
        check_quote_table(shared_data, wanted, agreement=True)
