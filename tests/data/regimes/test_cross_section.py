"""Sums, shares and ranks over names, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.data import DefinitionError
from gexlab.data.regimes.cross_section import cross_section_of

DAYS = pd.to_datetime(["2026-07-01", "2026-07-02"])


def rows(*given: tuple[int, str, float, float, str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "underlying": name,
                "session": DAYS[day],
                "known_at": DAYS[day].tz_localize("UTC") + pd.Timedelta(hours=20 + i),
                "spot": 100.0,
                "regime": regime,
                "quality": quality,
                "net_gex": net,
                "gross_gex": gross,
                "net_to_gross": net / gross,
                "book": "post_expiry",
                "dealer_model": "naive",
                "definition_id": "d",
            }
            for i, (day, name, net, gross, regime, quality) in enumerate(given)
        ]
    )


FRAME = rows(
    (0, "A", 30.0, 100.0, "long", "ok"),
    (0, "B", -10.0, 40.0, "short", "ok"),
    (0, "C", 60.0, 60.0, "long", "ok"),
    (0, "D", 1000.0, 1000.0, "abstain", "unit_contradicted"),
    (1, "A", 5.0, 100.0, "long", "ok"),
    (1, "B", 5.0, 50.0, "long", "ok"),
)
ABOUT = pd.DataFrame(
    {"underlying": list("ABCD"), "sector": ["tech", "tech", None, "tech"],
     "market_value": [1000.0, None, None, None]}
)  # fmt: skip


def test_the_market_by_hand() -> None:
    market = cross_section_of(FRAME, book="post_expiry").market.set_index("session")
    day = market.loc[DAYS[0]]
    assert (day["names"], day["abstaining"], day["lacking"]) == (3, 1, 0)
    assert (day["net_gex"], day["gross_gex"], day["net_to_gross"]) == (80.0, 200.0, 0.4)
    assert day["share_short"] == pytest.approx(1 / 3)
    assert day["share_long"] == pytest.approx(2 / 3)
    assert day["concentration"] == pytest.approx((900 + 100 + 3600) / 100**2)
    assert (day["largest"], day["largest_share"]) == ("C", 0.6)
    assert day["dispersion"] == pytest.approx(np.std([0.3, -0.25, 1.0], ddof=1))
    entropy = -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)) / np.log(3)
    assert day["regime_entropy"] == pytest.approx(entropy)
    # known when the last name is, one that does not count included
    assert day["known_at"] == FRAME.loc[3, "known_at"]
    assert market.loc[DAYS[1], "lacking"] == 2


def test_names_by_hand() -> None:
    found = cross_section_of(FRAME, book="post_expiry", about=ABOUT).names
    day = found[found["session"] == DAYS[0]].set_index("underlying")
    assert day["share_of_absolute"].tolist()[:3] == [0.3, -0.1, 0.6]
    assert day["share_of_gross"].tolist()[:3] == [0.5, 0.2, 0.3]
    assert day["rank_net_gex"].tolist()[:3] == [0.5, 0.0, 1.0]
    assert day["rank_net_to_gross"].tolist()[:3] == [0.5, 0.0, 1.0]
    assert day.loc["A", "per_market_value"] == 0.03
    assert day.loc["D", ["share_of_absolute", "rank_net_gex"]].isna().all()
    assert not day.loc["D", "counts"]
    ties = found[found["session"] == DAYS[1]]
    assert ties["rank_net_gex"].tolist() == [0.5, 0.5]


def test_sectors_add_up_to_the_market() -> None:
    found = cross_section_of(FRAME, book="post_expiry", about=ABOUT)
    for name in ("names", "abstaining", "lacking", "net_gex", "gross_gex"):
        sums = found.sectors.groupby("session")[name].sum(min_count=1)
        assert sums.tolist() == found.market[name].tolist(), name
    first = found.sectors.iloc[0]
    assert (first["sector"], first["net_gex"], first["abstaining"]) == ("tech", 20.0, 1)
    assert found.sectors.iloc[1]["sector"] == "unknown"


def test_nothing_that_counts_is_undefined() -> None:
    bad = FRAME.assign(quality="empty_book")
    market = cross_section_of(bad, book="post_expiry").market
    assert market["names"].tolist() == [0, 0]
    undefined = ["net_gex", "net_to_gross", "share_short", "concentration", "dispersion"]
    assert market[undefined].isna().all(axis=None)


def test_share_of_dollar_volume_needs_a_month() -> None:
    days = pd.bdate_range("2026-06-01", "2026-07-02")
    volumes = pd.DataFrame({"underlying": "A", "session": days, "dollar_volume": 2.0})
    found = cross_section_of(FRAME, book="post_expiry", volumes=volumes).names
    mine = found[found["underlying"] == "A"]
    assert mine["per_dollar_volume"].tolist() == [15.0, 2.5]
    short = cross_section_of(FRAME, book="post_expiry", volumes=volumes.tail(20)).names
    assert short["per_dollar_volume"].isna().all()


def test_two_dealer_models_do_not_mix() -> None:
    both = pd.concat([FRAME, FRAME.assign(dealer_model="inverted")])
    with pytest.raises(DefinitionError, match="several rows a session"):
        cross_section_of(both, book="post_expiry")


def test_order_of_rows_does_not_matter() -> None:
    one: Any = cross_section_of(FRAME, book="post_expiry", about=ABOUT)
    other: Any = cross_section_of(FRAME.iloc[::-1], book="post_expiry", about=ABOUT.iloc[::-1])
    for name in ("names", "market", "sectors"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
