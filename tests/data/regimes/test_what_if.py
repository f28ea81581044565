"""A book elsewhere: one option by hand, and the book's own numbers where nothing moves."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lakes import lake_of
from reference_calendar import session_close, session_open

from gexlab.data import ConfigError, RegimeSpec, profile, time_structure, what_if

DAY = date(2023, 7, 10)
NEXT, AFTER = date(2023, 7, 11), date(2023, 7, 12)
EXPIRY = date(2023, 9, 29)


def _chain(*rights: str) -> pd.DataFrame:
    rows = {
        "underlying": "SPX", "session": DAY, "quote_ts": session_close(DAY),
        "expiry": EXPIRY, "settlement": "PM", "expiry_ts": session_close(EXPIRY),
        "strike": [100.0 + 5 * i for i in range(len(rights))], "right": list(rights),
        "open_interest": 10.0, "iv": 0.2, "bid": math.nan, "ask": math.nan,
        "spot": 100.0, "multiplier": 100.0, "known_at": session_close(DAY),
    }  # fmt: skip
    return pd.DataFrame(rows)


def _by_hand(spot: float, moment: pd.Timestamp, volatility: float) -> tuple[float, float]:
    """Return net GEX and delta of ten calls of strike 100 that dealers hold, without rates."""
    years = (session_close(EXPIRY) - moment).total_seconds() / (365 * 86400)
    v = volatility * math.sqrt(years)
    d1 = math.log(spot / 100.0) / v + v / 2
    gamma = math.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi) / (spot * v)
    delta = 0.5 * (1 + math.erf(d1 / math.sqrt(2)))
    return 1000 * gamma * spot**2 * 0.01, 1000 * delta


def test_one_option_by_hand(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", _chain("C"))
    found = what_if(
        lake, RegimeSpec("SPX"), DAY, moves=(-0.02, 0.0, 0.03), sessions_ahead=(0, 1),
        volatility_shifts=(-0.05, 0.0, 0.01),
    )  # fmt: skip
    assert len(found) == 18
    start = _by_hand(100.0, session_open(NEXT), 0.2)[1]
    for row in found.to_dict("records"):
        moment = session_open(AFTER if row["sessions_ahead"] else NEXT)
        assert row["moment"] == moment
        net, delta = _by_hand(row["spot"], moment, 0.2 + row["volatility_shift"])
        assert row["net_gex"] == pytest.approx(net, rel=1e-9)
        # dealers long a call are short the underlying against it: they sell as its delta grows
        assert row["flow_dollars"] == pytest.approx((start - delta) * row["spot"], abs=1e-6)
    assert found["net_to_gross"].eq(1.0).all()
    assert found["flip"].isna().all()


def test_where_nothing_moves_it_is_the_book_itself(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", _chain("P", "C", "C"))
    spec = RegimeSpec("SPX")
    found = what_if(lake, spec, DAY, moves=(0.0,), volatility_shifts=(0.0,))
    row = profile(lake, spec, DAY).row
    assert found["net_gex"].iloc[0] == pytest.approx(row["net_gex"], rel=1e-12)
    assert found["flip"].iloc[0] == pytest.approx(row["flip"], rel=1e-9)
    assert found["flow_dollars"].iloc[0] == 0.0
    ahead = time_structure(lake, spec, DAY).decay
    assert found["net_gex"].iloc[1] == pytest.approx(ahead[0].net_gex, rel=1e-12)
    np.testing.assert_array_equal(found["sessions_ahead"], [0, 1, 2, 5, 10])


@pytest.mark.parametrize("wrong", [{"moves": (-1.0,)}, {"sessions_ahead": (-1,)}])
def test_what_cannot_be_is_refused(wrong: dict[str, tuple[float, ...]], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="what-if"):
        what_if(tmp_path, RegimeSpec("SPX"), DAY, **wrong)  # type: ignore[arg-type]
