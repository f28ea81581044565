"""Two definitions side by side: what changes, and what it was worth by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.diff import diff
from gexlab.data import rebuild, regimes
from gexlab.data.base.errors import LakeError
from gexlab.data.exposure.definition import Definition
from gexlab.data.simulate import simulate

NARROW, WIDE = Definition(band=0.0), Definition(band=0.3)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diff")
    simulate("S1", years=0.2, seed=2, lake=folder, contracts=200, intraday=None)
    rebuild(folder, "SIM", definition=NARROW, books=("post_expiry",))
    return folder


def test_only_the_band_changes_labels(lake: Path) -> None:
    result = diff(lake, "SIM", NARROW, WIDE)
    rows = regimes(lake, "SIM", book="post_expiry", definition_id=NARROW.definition_id)
    inside = rows["net_to_gross"].abs() < 0.3
    assert result.sessions == len(rows)
    assert result.changed == inside.sum() > 0
    assert set(result.rows["regime_b"]) == {"neutral"}
    assert sum(result.transitions.values()) == result.changed


def test_returns_are_those_of_a_plain_loop(lake: Path) -> None:
    result = diff(lake, "SIM", NARROW, WIDE)
    rows = regimes(lake, "SIM", book="post_expiry", definition_id=NARROW.definition_id)
    spot, label = rows["spot"].to_numpy(float), rows["regime"].tolist()
    earned = []
    for t in range(1, len(spot) - 2):
        if abs(rows["net_to_gross"].iloc[t]) >= 0.3:
            continue
        moved = np.sign(spot[t] / spot[t - 1] - 1)
        target = -moved if label[t] == "long" else moved
        earned.append(target * (spot[t + 2] / spot[t + 1] - 1))
    assert result.return_a == pytest.approx(sum(earned), abs=1e-12)
    assert result.return_b == 0.0
    assert result.priced_with == "spot"


def test_the_same_definition_changes_nothing(lake: Path) -> None:
    result = diff(lake, "SIM", NARROW, NARROW)
    assert (result.changed, result.transitions) == (0, {})
    assert np.isnan(result.return_a)


def test_closes_may_come_from_bars(lake: Path) -> None:
    days = regimes(lake, "SIM", book="post_expiry")["session"]
    flat = pd.Series(100.0, index=pd.DatetimeIndex(days))
    result = diff(lake, "SIM", NARROW, WIDE, closes=flat)
    assert result.priced_with == "bars"
    assert result.return_a == 0.0


def files_of(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_comparison_changes_nothing_that_others_read(lake: Path) -> None:
    """Neither the definition read by default, nor the books or dealer models beside it."""
    before, every = regimes(lake, "SIM"), files_of(lake)
    diff(lake, "SIM", Definition(band=0.1), WIDE, book="as_of_close", dealers=("naive", "inverted"))
    pd.testing.assert_frame_equal(regimes(lake, "SIM"), before)
    assert set(before["book"]) == {"post_expiry"}
    assert files_of(lake) == every


def test_a_comparison_is_no_rebuild(tmp_path: Path) -> None:
    simulate("S1", years=0.05, seed=2, lake=tmp_path, contracts=200, intraday=None)
    diff(tmp_path, "SIM", NARROW, WIDE)
    with pytest.raises(LakeError, match="no regimes of SIM have been rebuilt"):
        regimes(tmp_path, "SIM")


def test_dealer_models_can_be_compared(lake: Path) -> None:
    inverted = "sql:case right when 'C' then -1 else 1 end"
    result = diff(lake, "SIM", NARROW, NARROW, dealers=("naive", inverted))
    assert result.changed == result.sessions > 0
    assert (result.rows["net_to_gross_a"] == -result.rows["net_to_gross_b"]).all()
