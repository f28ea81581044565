"""Two hundred defects of every kind in clean sessions: all caught, and no false alarms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planted_defects import DEFECTS
from synthetic_chains import clean_market, table

from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.quality.check import findings

ROUNDS = 6


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DEFECTS))
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_planted(tmp_path: Path, name: str, seed: int) -> None:
    rng = np.random.default_rng([seed, *name.encode()])
    chains, bars = clean_market(rng)
    days = sorted(chains.session.unique())
    i = int(rng.integers(2, len(days) - 1))
    defect = DEFECTS[name]
    lake = open_lake(tmp_path, create=True)
    write_sessions(lake, "SPX", table(defect.plant(chains, days[i], rng)))
    found = findings(lake, "SPX", bars=bars, calendar="XNYS")
    on = {f.session for f in found if f.check == defect.check}
    assert days[i + defect.day_after] in on or (name == "holiday" and on)


@pytest.mark.slow
def test_false_alarms_on_clean_sessions(tmp_path: Path) -> None:
    flagged, seen = 0, 0
    for seed in range(40):
        chains, bars = clean_market(np.random.default_rng(1000 + seed))
        lake = open_lake(tmp_path / str(seed), create=True)
        write_sessions(lake, "SPX", table(chains))
        found = findings(lake, "SPX", bars=bars, calendar="XNYS")
        flagged += len({f.session for f in found if f.severity != "info"})
        seen += chains.session.nunique()
    assert flagged <= 0.02 * seen


def test_there_are_enough_kinds() -> None:
    assert len(DEFECTS) >= 15
    assert len(DEFECTS) * ROUNDS >= 200
