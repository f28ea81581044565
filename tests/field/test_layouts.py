"""Every layout that a documented map or a preset reads goes from the file to the regime."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import LAYOUTS, Layout

from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes

MAPS = Path(__file__).resolve().parents[2] / "docs" / "maps"
#: Their example is a year of real files.
ELSEWHERE = {"taifex_txo"}


def test_every_documented_map_has_an_example() -> None:
    assert {p.stem for p in MAPS.glob("*.toml")} - ELSEWHERE == {
        layout.mapping for layout in LAYOUTS if layout.mapping is not None
    }


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_becomes_a_regime(layout: Layout, tmp_path: Path) -> None:
    for name, body in layout.write(layout.truth()).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
    mapping = None
    if layout.mapping is not None:
        mapping = tmp_path / "map.toml"
        mapping.write_bytes((MAPS / f"{layout.mapping}.toml").read_bytes())
    lake = tmp_path / "lake"
    result = ingest(
        [tmp_path / "in"], vendor=layout.vendor, underlying=layout.underlying, lake=lake,
        mapping=mapping,
    )  # fmt: skip
    assert result.rejects == {}
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
