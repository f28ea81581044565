"""The demo's market: fast, repeatable, and rebuilt to its truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from gexlab.data import open_lake, rebuild, regimes
from gexlab.data.simulate import SimulationResult, demo_market


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SimulationResult:
    return demo_market(tmp_path_factory.mktemp("demo"), years=0.25)


def test_rebuild_recovers_the_true_net_gamma_and_flip(demo: SimulationResult) -> None:
    rebuild(demo.lake, demo.underlying)
    found = regimes(demo.lake, demo.underlying)
    found["session"] = pd.to_datetime(found["session"])
    found = found.set_index(["session", "book"]).sort_index()
    truth = pq.read_table(demo.truth).to_pandas()
    truth["session"] = pd.to_datetime(truth["session"])
    truth = truth.set_index(["session", "book"]).sort_index()
    assert len(truth) == 2 * demo.sessions
    assert found.index.equals(truth.index)
    assert (found["quality"] == "ok").all()
    error = (found["net_gex"] - truth["net_gex"]).abs() / found["gross_gex"]
    assert error.max() < 1e-6
    assert (found["flip"].isna() == truth["flip"].isna()).all()
    distance = ((found["flip"] - truth["flip"]).abs() / found["spot"]).dropna()
    assert len(distance) > 50
    assert distance.max() < 1e-6


def test_the_same_seed_gives_the_same_bytes(demo: SimulationResult, tmp_path: Path) -> None:
    again = demo_market(tmp_path, years=0.25)
    names = ["bars", "truth", "effects", "intraday", "truth_json"]
    for name in names:
        assert getattr(again, name).read_bytes() == getattr(demo, name).read_bytes()
    first, second = (open_lake(r.lake).sessions("SIM") for r in (demo, again))
    assert [e.fingerprint for e in first] == [e.fingerprint for e in second]
    assert [e.file.read_bytes() for e in first[:1]] == [e.file.read_bytes() for e in second[:1]]


def test_another_seed_gives_another_market(demo: SimulationResult, tmp_path: Path) -> None:
    other = demo_market(tmp_path, years=0.25, seed=8)
    assert other.bars.read_bytes() != demo.bars.read_bytes()
