"""The 2026 snapshots through ingest, against counts computed by an independent implementation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import Lake, open_lake


@pytest.fixture(scope="module")
def ingested(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, IngestResult]:
    root = tmp_path_factory.mktemp("snapshots") / "lake"
    sample = shared_data / "chains" / "spx_cboe_snapshots_2026"
    result = ingest(
        [sample.with_suffix(".parquet")],
        vendor="columns",
        underlying="SPX",
        lake=root,
        mapping=sample.with_suffix(".map.toml"),
    )
    return open_lake(root), result


def test_holidays_are_rejected_and_counted(ingested: tuple[Lake, IngestResult]) -> None:
    lake, result = ingested
    assert result.rows_read == 1_108_899
    assert result.rows_read == result.rows_written + result.rows_rejected
    assert set(result.rejects) == {"not_a_session"}
    days = {e.session for e in lake.sessions("SPX")}
    assert len(days) == result.sessions == 48
    assert not days & {date(2026, 6, 19), date(2026, 7, 3)}


def test_sessions_agree_with_the_independent_tables(
    ingested: tuple[Lake, IngestResult], shared_data: Path
) -> None:
    lake, _ = ingested
    query = """
        WITH found AS (
            SELECT
                session, count(*) AS n, max(known_at) AS known, median(spot) AS spot,
                max(quote_ts) AS quoted, count_if(expiry_ts <= quote_ts) AS dead
            FROM read_parquet($files, hive_partitioning = false) GROUP BY session
        ), expected AS (
            SELECT * FROM read_parquet($expected) WHERE book = 'as_of_close'
        )
        SELECT count(*), count_if(
            f.n = e.contracts_used + e.contracts_rejected + e.expired AND f.known = e.known_at
            AND f.spot = e.spot AND f.quoted = e.valuation_ts AND f.dead = e.expired
        )
        FROM found AS f FULL JOIN expected AS e ON f.session = CAST(e.session AS DATE)
    """
    files = [str(p) for p in lake.chain_files("SPX")]
    expected = str(shared_data / "expected" / "spx_2026.parquet")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        (counts,) = connection.execute(query, {"files": files, "expected": expected}).fetchall()
    assert counts[0] == counts[1] > 48


def test_stamps_before_their_quotes_enter_as_they_are(
    ingested: tuple[Lake, IngestResult],
) -> None:
    lake, _ = ingested
    query = """
        SELECT DISTINCT session FROM read_parquet($files) WHERE known_at < quote_ts ORDER BY 1
    """
    with duckdb.connect() as connection:
        files = [str(p) for p in lake.chain_files("SPX")]
        early = connection.execute(query, {"files": files}).fetchall()
    assert early == [(date(2026, 6, 23),), (date(2026, 8, 7),)]
