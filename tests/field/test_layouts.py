"""Every layout that a shipped map or a preset reads goes from the file to the regime."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import LAYOUTS, Layout

from gexlab.data.ingest.ingest import ingest
from gexlab.data.ingest.inspect import inspect
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.data.vendors.shipped_maps import shipped_maps

#: Their example is a year of real files.
ELSEWHERE = {"taifex_txo"}


def test_every_shipped_map_has_an_example() -> None:
    assert set(shipped_maps()) - ELSEWHERE == {
        layout.mapping for layout in LAYOUTS if layout.mapping is not None
    }


#: Those that differ most from each other; the others take as long and are read the same way.
ALWAYS = {
    "Polygon, flat files", "Databento", "Tradier", "Schwab", "Alpaca", "Tardis", "Korea", "JPX",
    "NSE before July 2024", "Taiwan, daily file", "ORATS, one minute",
}  # fmt: skip


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(layout, marks=() if layout.name in ALWAYS else pytest.mark.slow)
        for layout in LAYOUTS
    ],
    ids=lambda layout: layout.name,
)
def test_a_layout_becomes_a_regime(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in layout.write(layout.truth()).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
    monkeypatch.chdir(tmp_path)  # files of joins are looked for in the working folder
    lake = tmp_path / "lake"
    result = ingest(
        [tmp_path / "in"], vendor=layout.vendor, underlying=layout.underlying, lake=lake,
        mapping=layout.mapping,
    )  # fmt: skip
    assert result.rows_rejected == layout.rejected
    [file] = (tmp_path / "in").iterdir()
    seen = inspect(file)
    assert (seen.vendor or "columns") == layout.vendor
    assert layout.mapping is None or f"map {layout.mapping} fits" in seen.map
    assert seen.sessions in ((), (layout.session.isoformat(),))
    opened = open_lake(lake)
    [entry] = opened.sessions(layout.underlying)
    assert entry.session == layout.session
    rebuild(
        opened, layout.underlying, instrument=layout.instrument, side_tables=False,
        books=("as_of_close",),
    )  # fmt: skip
    [row] = regimes(opened, layout.underlying).to_dict("records")
    assert row["contracts_used"] == len(layout.truth())
    gross = layout.gross_gex()
    assert row["gross_gex"] == pytest.approx(gross, rel=1e-6)
    assert row["net_gex"] == pytest.approx(layout.net_gex(), abs=1e-6 * gross)
