"""Years of another country's options go from the files to regimes by one documented map."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes

MAP = "taifex_txo"
#: Third Wednesdays; 2015-02-18 and the like would move to the session after a holiday.
EXPIRIES = {
    "2014": ["2014-03-19", "2014-06-18", "2014-09-17", "2014-12-17"],
    "2017": ["2017-03-15", "2017-06-21", "2017-09-20", "2017-12-20"],
}


@pytest.mark.parametrize("year", sorted(EXPIRIES))
def test_a_year_of_taiwan(year: str, shared_data: Path, tmp_path: Path) -> None:
    result = ingest(
        [shared_data / "raw" / f"taifex_txo_{year}.csv"],
        vendor="columns",
        underlying="TXO",
        lake=tmp_path / "lake",
        mapping=MAP,
    )
    # no row is thrown out as "not a session": make-up Saturdays are sessions
    assert set(result.rejects) <= {"spot_missing"}
    assert result.rows_rejected < 0.01 * result.rows_read
    assert result.sessions >= 236
    lake = open_lake(tmp_path / "lake")
    rebuild(lake, "TXO", instrument="index", side_tables=False, books=("as_of_close",))
    table = regimes(lake, "TXO")
    assert set(table["quality"]) == {"ok"}
    # the index stood between 8,000 and 10,900 in these years
    assert table["spot"].between(8000, 10_900).all()
    assert set(table["regime"]) == {"long", "short", "neutral"}
