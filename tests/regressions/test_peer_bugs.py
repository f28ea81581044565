"""Defects found in other projects, by number of the list of peers: gexlab has none of them.

Each test reproduces the situation in which a peer went wrong, through gexlab's public functions.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from exact_greeks import Option, exact_price
from lakes import lake_of
from plain_chains import (
    FRIDAY,
    SESSION,
    Contract,
    by_expiry,
    by_strike,
    one_row,
    plain_chain,
    rebuilt,
)
from reference_calendar import session_open
from reference_data import cboe_quote_table

from gexlab.data import (
    Definition,
    findings,
    from_unit,
    hedge_flows,
    ingest,
    look_alike_flips,
    open_lake,
    query,
    rebuild,
    regimes,
    side_table,
    to_unit,
    trading_calendar,
)
from gexlab.data.base.errors import DefinitionError, GexlabError
from gexlab.data.exposure.implied_volatility import implied_volatility
from gexlab.data.exposure.units import UNITS, Unit
from gexlab.data.peers.rules import peer_rule
from gexlab.data.regimes.table import require_one_definition
from gexlab.reports.cli import app as cli

NEW_YORK = "America/New_York"
EXPOSURES = ["net_gex", "net_dex", "net_vex", "net_cex"]
MAP = """
[columns]
session = "day"
expiry = "expiry"
strike = "strike"
right = "side"
open_interest = "oi"
iv = "iv"
spot = "spot"

[timing]
calendar = "XNYS"
timezone = "America/New_York"
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""
HEADER = "day,expiry,strike,side,oi,iv,spot"


def at(day: date, clock: str) -> pd.Timestamp:
    """A moment of New York's wall clock, UTC."""
    return pd.Timestamp(f"{day} {clock}", tz=NEW_YORK).tz_convert("UTC")


def written(folder: Path, *lines: str) -> tuple[Path, Path]:
    """A CSV file and the map that reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    (folder / "map.toml").write_text(MAP, encoding="utf-8")
    return folder / "chain.csv", folder / "map.toml"


def ingested(folder: Path, *lines: str) -> Path:
    """A lake filled from those lines."""
    file, mapping = written(folder, *lines)
    ingest([file], vendor="columns", mapping=mapping, underlying="SPY", lake=folder / "lake")
    return folder / "lake"


def test_01_half_dollar_strikes_survive(tmp_path: Path) -> None:
    """A pattern for strikes cut 402.5 to 402."""
    lake = ingested(
        tmp_path,
        "2022-12-12,2022-12-16,402.5,C,1000,0.2,400",
        "2022-12-12,2022-12-16,397.5,P,500,0.2,400",
    )
    rebuild(lake, "SPY")
    row = regimes(lake, "SPY", book="as_of_close").iloc[0]
    assert (row["call_wall"], row["put_wall"], row["pin_strike"]) == (402.5, 397.5, 402.5)
    strikes = query(lake, "SELECT DISTINCT strike FROM chains ORDER BY strike").to_pydict()
    assert strikes == {"strike": [397.5, 402.5]}


def test_02_changed_files_replace_their_rows(tmp_path: Path) -> None:
    """A file once cached was never read again."""
    lake = ingested(tmp_path, "2022-12-12,2022-12-16,400,C,1000,0.2,400")
    rebuild(lake, "SPY")
    before = regimes(lake, "SPY", book="as_of_close").iloc[0]
    ingested(tmp_path, "2022-12-12,2022-12-16,400,C,3000,0.2,400")
    assert rebuild(lake, "SPY").rebuilt == 1
    after = regimes(lake, "SPY", book="as_of_close").iloc[0]
    assert after["source_fingerprint"] != before["source_fingerprint"]
    assert after["net_gex"] == pytest.approx(3.0 * before["net_gex"], rel=1e-14)


def test_03_expired_contracts_leave_and_roots_keep_their_settlement(tmp_path: Path) -> None:
    """Dead contracts stayed in the sum; SPX and SPXW were thrown together."""
    live = (
        Contract("C", 4000.0, root="SPX", settlement="AM"),
        Contract("C", 4000.0, root="SPXW", settlement="PM"),
    )
    dead = Contract("C", 4000.0, 1e6, expiry=SESSION)
    plain = one_row(tmp_path / "plain", plain_chain(*live))
    lake = rebuilt(tmp_path / "dead", plain_chain(*live, dead))
    row = regimes(lake, "SPX", book="as_of_close").iloc[0]
    assert row["net_gex"] == plain["net_gex"]
    assert row["contracts_used"] == 2
    found = side_table(lake, "quality_findings", "SPX", book="as_of_close")
    expired = found[found["check"] == "expired"].iloc[0]
    assert (expired["count"], expired["open_interest"]) == (1, 1e6)
    table = by_expiry(lake).set_index("settlement")
    days = (FRIDAY - SESSION).days
    assert table.loc["AM", "time"] == pytest.approx((days - 6.5 / 24) / 365, rel=1e-14)
    assert table.loc["PM", "time"] == pytest.approx(days / 365, rel=1e-14)


def three_peaks(distance: float) -> pd.DataFrame:
    """Narrow peaks of gamma: long, short, long at strikes `distance` apart around 4000."""
    return plain_chain(
        Contract("C", 4000.0 - distance, iv=0.05),
        Contract("P", 4000.0, 1900.0, iv=0.05),
        Contract("C", 4000.0 + distance, iv=0.05),
        spot=4003.0,
    )


def test_04_profiles_need_not_be_monotone(tmp_path: Path) -> None:
    """``interp(0, exposure, levels)`` assumed a rising profile."""
    lake = rebuilt(tmp_path / "peaks", three_peaks(40.0))
    roots = side_table(lake, "flip_roots", "SPX", book="as_of_close")
    assert roots["direction"].tolist() == ["down", "up"]
    assert 3960.0 < roots["level"][0] < 4000.0 < roots["level"][1] < 4040.0
    # equal wings: the two roots lie symmetrically in logs, up to the 4 / 4000 of skew of a strike
    assert roots["level"].prod() == pytest.approx(4000.0**2, rel=2e-3)
    lone = one_row(tmp_path / "lone", plain_chain(Contract("C", 4000.0)))
    assert lone["n_roots"] == 0


def test_05_zero_dte_is_in_the_book_until_the_close(tmp_path: Path) -> None:
    """Options that expire today were dropped at any hour."""
    today = Contract("C", 4000.0, expiry=SESSION)
    later = Contract("C", 4000.0)
    chain = plain_chain(today, later, quote_ts=at(SESSION, "15:00"))
    row = one_row(tmp_path, chain)
    assert row["contracts_used"] == 2
    assert row["gex_0dte_share"] > 0.5
    assert one_row(tmp_path, chain, book="post_expiry")["contracts_used"] == 1


@pytest.mark.parametrize("unit", UNITS)
def test_05_units_are_conversions_that_invert(tmp_path: Path, unit: Unit) -> None:
    """A per-point number was scaled by hand to resemble another one."""
    row = one_row(tmp_path, plain_chain(Contract("C", 4000.0), Contract("P", 3900.0)))
    for name in ("net_gex", "gross_gex"):
        there = to_unit(row[name], unit, spot=row["spot"], dollar_volume=3e10)
        back = from_unit(there, unit, spot=row["spot"], dollar_volume=3e10)
        assert float(back) == pytest.approx(row[name], rel=4e-16)


def test_06_the_nearest_of_several_roots_and_null_without_any(tmp_path: Path) -> None:
    """``[0]`` took the lowest crossing, and crashed where there was none."""
    lake = rebuilt(tmp_path / "several", three_peaks(40.0))
    row = regimes(lake, "SPX", book="as_of_close").iloc[0]
    levels = side_table(lake, "flip_roots", "SPX", book="as_of_close")["level"]
    assert row["flip_status"] == "multiple"
    assert row["flip"] == min(levels, key=lambda level: abs(math.log(level / 4003.0)))
    assert row["flip"] == levels.max()
    for dealer, status in (("all_long", "none_long"), ("all_short", "none_short")):
        none = one_row(tmp_path / dealer, plain_chain(Contract("C", 4000.0)), dealer=dealer)
        assert none["flip_status"] == status
        assert pd.isna(none["flip"])
        assert pd.isna(none["flip_distance"])
        assert none["n_roots"] == 0


def test_07_close_pairs_of_roots_are_found(tmp_path: Path) -> None:
    """60 levels are 27 points apart: pairs in between were missed."""
    chain = plain_chain(
        Contract("C", 3985.0, iv=0.02, expiry=date(2022, 12, 13)),
        Contract("P", 4000.0, 1500.0, iv=0.02, expiry=date(2022, 12, 13)),
        Contract("C", 4015.0, iv=0.02, expiry=date(2022, 12, 13)),
    )
    lake = rebuilt(tmp_path, chain)
    assert regimes(lake, "SPX", book="as_of_close").iloc[0]["n_roots"] == 2
    rebuild(lake, "SPX", definition=peer_rule("perfiliev-60"))
    assert regimes(lake, "SPX", definition_id="perfiliev-60").iloc[0]["n_roots"] == 0


@pytest.mark.parametrize(
    ("clock", "hours"), [("09:30", 6.5), ("15:00", 1.0), ("15:30", 0.5), ("15:59", 0.5)]
)
def test_08_zero_dte_has_hours_not_a_day(tmp_path: Path, clock: str, hours: float) -> None:
    """An option that dies today was given a whole day at any hour."""
    today = Contract("C", 4000.0, expiry=SESSION)
    lake = rebuilt(tmp_path, plain_chain(today, quote_ts=at(SESSION, clock)))
    assert by_expiry(lake)["time"][0] == pytest.approx(hours / 8760.0, rel=1e-14)


def test_09_a_missing_row_moves_no_other(tmp_path: Path) -> None:
    """Calls and puts were paired by row parity."""
    contracts = [
        Contract(right, strike, 100.0 * i + 100.0)
        for i, strike in enumerate((3900.0, 4000.0, 4100.0))
        for right in ("C", "P")
    ]
    whole = by_strike(rebuilt(tmp_path / "whole", plain_chain(*contracts)))
    for i, left_out in enumerate(contracts):
        rest = contracts[:i] + contracts[i + 1 :]
        part = by_strike(rebuilt(tmp_path / str(i), plain_chain(*rest)))
        others = [k for k in whole.index if k != left_out.strike]
        same = ["call_gex", "put_gex", "net_gex", "gross_gex"]
        pd.testing.assert_frame_equal(part.loc[others, same], whole.loc[others, same])
        kept, gone = ("put_gex", "call_gex") if left_out.right == "C" else ("call_gex", "put_gex")
        assert part[kept].loc[left_out.strike] == whole[kept].loc[left_out.strike]
        assert part[gone].loc[left_out.strike] == 0.0


@pytest.mark.parametrize("source", ["otm", "own"])
@pytest.mark.parametrize("dynamics", ["sticky_strike", "sticky_moneyness"])
def test_10_profile_at_spot_is_the_net(
    tmp_path: Path,
    source: Literal["otm", "own"],
    dynamics: Literal["sticky_strike", "sticky_moneyness"],
) -> None:
    """The table showed the vendor's gamma, the curve a recomputed one."""
    chain = plain_chain(
        Contract("C", 3990.0, 700.0, iv=0.21),
        Contract("P", 3990.0, 900.0, iv=0.23),
        Contract("C", 4100.0, 1500.0, iv=0.18),
        Contract("P", 3800.0, 1100.0, iv=0.27),
    )
    definition = Definition(rate=0.04, iv_source=source, iv_dynamics=dynamics)
    lake = rebuilt(tmp_path, chain, definition=definition)
    for book in ("as_of_close", "post_expiry"):
        row = regimes(lake, "SPX", book=book).iloc[0]
        profile = side_table(lake, "profile", "SPX", book=book)
        middle = profile.iloc[int(profile["log_move"].abs().to_numpy().argmin())]
        assert middle["level"] == pytest.approx(4000.0, rel=1e-15)
        assert middle["net_gex"] == pytest.approx(row["net_gex"], abs=1e-12 * row["gross_gex"])


@pytest.fixture
def rootless(tmp_path: Path) -> Path:
    """A lake whose only session has no root."""
    return rebuilt(tmp_path / "lake", plain_chain(Contract("C", 4000.0))).root


def test_11_no_flip_is_null_everywhere(
    rootless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No flip was shown as 0."""
    in_sql = query(rootless, "SELECT flip, flip IS NULL AS none FROM regimes").to_pylist()
    assert in_sql == [{"flip": None, "none": True}] * 2
    frame = regimes(rootless, "SPX")
    assert frame["flip"].isna().all()
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        out = tmp_path / f"regimes{ending}"
        arguments = ["--lake", str(rootless), "--underlying", "SPX", "--out", str(out)]
        assert cli.run(["regimes", *arguments]) == 0
        assert read(out)["flip"].isna().all()
    capsys.readouterr()
    assert cli.run(["profile", "--lake", str(rootless), "--underlying", "SPX",
                    "--session", str(SESSION), "--json"]) == 0  # fmt: skip
    shown = json.loads(capsys.readouterr().out)
    assert find_key(shown, "flip") == [None]


def find_key(document: object, key: str) -> list[object]:
    """All values of a key, at any depth."""
    if isinstance(document, dict):
        here = [document[key]] if key in document else []
        return here + [v for value in document.values() for v in find_key(value, key)]
    if isinstance(document, list):
        return [v for value in document for v in find_key(value, key)]
    return []


def test_12_definitions_do_not_mix(tmp_path: Path) -> None:
    """A definition changed in mid-history; distances doubled and nobody saw."""
    lake = rebuilt(tmp_path, plain_chain(Contract("C", 4000.0)))
    rebuild(lake, "SPX", definition=Definition(rate=0.04))
    ids = [Definition().definition_id, Definition(rate=0.04).definition_id]
    frames = [regimes(lake, "SPX", definition_id=one) for one in ids]
    assert [f["definition_id"].unique().tolist() for f in frames] == [[one] for one in ids]
    with pytest.raises(DefinitionError, match="2 definitions"):
        require_one_definition(pd.concat(frames))
    asked = "SELECT DISTINCT definition_id FROM regimes"
    with pytest.raises(DefinitionError, match="name the one that is meant"):
        query(lake, asked)
    assert query(lake, asked, definition=ids[1]).to_pydict() == {"definition_id": [ids[1]]}


def test_13_one_dealer_model_for_all_greeks(tmp_path: Path) -> None:
    """Vanna and charm used another sign than gamma."""
    chain = plain_chain(
        Contract("C", 4050.0, 900.0, iv=0.18),
        Contract("P", 3900.0, 1300.0, iv=0.24),
        Contract("P", 4050.0, 70.0, iv=0.19),
    )
    rows = {
        dealer: one_row(tmp_path / dealer, chain, dealer=dealer)
        for dealer in ("naive", "inverted", "all_long", "all_short", "calls_only", "puts_only")
    }
    for one, other in (("naive", "inverted"), ("all_long", "all_short")):
        for name in EXPOSURES:
            assert rows[one][name] == -rows[other][name] != 0.0
    for name in EXPOSURES:
        parts = rows["calls_only"][name] + rows["puts_only"][name]
        assert rows["naive"][name] == pytest.approx(parts, rel=1e-12)


@pytest.mark.parametrize(("year", "friday"), [(2019, 19), (2022, 15)])
def test_14_good_friday_shifts_the_monthly(tmp_path: Path, year: int, friday: int) -> None:
    """The third-Friday rule did not see the holiday."""
    listed, thursday = date(year, 4, friday), date(year, 4, friday - 1)
    calendar = trading_calendar()
    assert calendar.monthly_expiration(year, 4) == thursday
    assert calendar.expiry_ts(listed, "AM") == session_open(thursday)
    wednesday = date(year, 4, friday - 2)
    monthly = Contract("C", 4000.0, expiry=listed, root="SPX", settlement="AM")
    row = one_row(tmp_path, plain_chain(monthly, session=wednesday))
    assert row["gex_next_opex_share"] == 1.0
    # dead at the next open: only contracts that live on are in the later book
    weekly = replace(monthly, expiry=date(year, 4, 26), root="SPXW", settlement="PM")
    later = one_row(tmp_path, plain_chain(monthly, weekly, session=wednesday), book="post_expiry")
    assert later["contracts_used"] == 1
    assert pd.isna(later["gex_next_opex_share"])


def test_14_early_closes_shorten_time(tmp_path: Path) -> None:
    """The day after Thanksgiving ends at 13:00."""
    wednesday, friday = date(2022, 11, 23), date(2022, 11, 25)
    chain = plain_chain(Contract("C", 4000.0, expiry=friday), session=wednesday)
    assert by_expiry(rebuilt(tmp_path, chain))["time"][0] == pytest.approx(45.0 / 8760.0, rel=1e-14)


@pytest.mark.parametrize("right", ["C", "P"])
@pytest.mark.parametrize(("dealer", "sign"), [("all_long", 1.0), ("all_short", -1.0)])
def test_15_hedge_flow_of_an_up_day(tmp_path: Path, right: str, dealer: str, sign: float) -> None:
    """The same four cases through the hedge flow of the next session: short gamma buys."""
    lake = rebuilt(tmp_path, plain_chain(Contract(right, 4000.0, expiry=date(2023, 3, 17))))
    bars = pd.DataFrame({"close": [4040.0]}, index=pd.DatetimeIndex(["2022-12-13"], name="session"))
    flow = hedge_flows(lake, "SPX", bars, dealer=dealer)
    assert np.sign(flow["flow_dollars"].iloc[0]) == -sign


@pytest.mark.parametrize("right", ["C", "P"])
@pytest.mark.parametrize(("dealer", "sign"), [("all_long", 1.0), ("all_short", -1.0)])
def test_15_signs_of_a_hedger(tmp_path: Path, right: str, dealer: str, sign: float) -> None:
    """Comments contradicted the code: a dealer short an option buys into an up move."""
    one = Contract(right, 4000.0, 1.0)
    rows = [
        one_row(tmp_path / str(spot), plain_chain(one, spot=spot), dealer=dealer)
        for spot in (4000.0, 4040.0)
    ]
    assert np.sign(rows[0]["net_gex"]) == sign
    shares = [row["net_dex"] / row["spot"] for row in rows]
    hedge_trade = -(shares[1] - shares[0])  # what keeps the total delta where it was
    assert np.sign(hedge_trade) == -sign
    # and before the move: long a call or short a put is long delta
    assert np.sign(shares[0]) == sign * (1.0 if right == "C" else -1.0)


def test_16_sign_change_by_strike_is_not_the_flip(tmp_path: Path) -> None:
    """A change of sign between strikes was called the flip."""
    chain = plain_chain(
        Contract("P", 3000.0, 10.0, iv=0.5),
        Contract("C", 3100.0, 10.0, iv=0.5),
        Contract("P", 3950.0, 2000.0),
        Contract("C", 4050.0, 2500.0),
    )
    lake = rebuilt(tmp_path, chain)
    row = look_alike_flips(lake, "SPX", book="as_of_close").iloc[0]
    assert 3000.0 < row["flip_per_strike"] < 3100.0
    assert 3800.0 < row["flip"] < 4050.0
    assert regimes(lake, "SPX", book="as_of_close").iloc[0]["flip"] == row["flip"]


def test_17_no_fallback_to_a_strike(rootless: Path) -> None:
    """Without a crossing the nearest strike was returned."""
    assert regimes(rootless, "SPX")["flip"].isna().all()
    assert side_table(rootless, "flip_roots", "SPX").empty


def test_18_cumulative_sums_are_not_the_flip(tmp_path: Path) -> None:
    """Sums from the lowest strike cross zero far from spot, where there is hardly any gamma."""
    chain = plain_chain(
        Contract("P", 3000.0, 10.0, iv=0.5),
        Contract("C", 3100.0, 20.0, iv=0.5),
        Contract("P", 3950.0, 2000.0),
        Contract("C", 4050.0, 2500.0),
    )
    lake = rebuilt(tmp_path, chain)
    row = look_alike_flips(lake, "SPX", book="as_of_close").iloc[0]
    assert 3000.0 < row["flip_cumulative"] < 3100.0
    assert 3800.0 < row["flip"] < 4050.0


def test_06_the_lowest_root_is_a_look_alike(tmp_path: Path) -> None:
    """The lowest of several roots is kept, under its own name."""
    row = look_alike_flips(rebuilt(tmp_path, three_peaks(40.0)), "SPX", book="as_of_close").iloc[0]
    assert 3960.0 < row["flip_first_root"] < 4000.0 < row["flip"]


@pytest.mark.parametrize(
    ("underlying", "name", "level"),
    [
        ("SPX", "flip_per_strike", 1088.5),
        ("RUT", "flip_cumulative", 401.0),
    ],
)
def test_16_18_look_alikes_of_the_published_chains(
    shared_data: Path, tmp_path: Path, underlying: str, name: str, level: float
) -> None:
    """One chain each on which the look-alike lies where nobody trades."""
    lake = lake_of(tmp_path, underlying, cboe_quote_table(shared_data, underlying))
    definition = Definition(rate=0.045, dividend_yield=0.016, iv_source="own")
    rebuild(lake, underlying, definition=definition)
    row = look_alike_flips(lake, underlying, book="as_of_close").iloc[0]
    assert row[name] == pytest.approx(level, abs=1.0)
    assert abs(row["flip"] / row["spot"] - 1.0) < 0.05


def test_19_missing_volatility_is_solved_or_rejected(tmp_path: Path) -> None:
    """20 % was put in where there was no volatility."""
    years = (FRIDAY - SESSION).days / 365.0
    value = float(exact_price(Option(4000, 4000, 4100, years, 0.31, 0, 0, is_call=True)))
    quoted = Contract("C", 4100.0, iv=math.nan, bid=value - 0.05, ask=value + 0.05)
    known = replace(quoted, iv=0.31, bid=math.nan, ask=math.nan)
    solved = one_row(tmp_path / "solved", plain_chain(quoted))
    given = one_row(tmp_path / "given", plain_chain(known))
    assert solved["net_gex"] == pytest.approx(given["net_gex"], rel=1e-10)
    unknown = Contract("C", 4200.0, 30.0, iv=math.nan)
    lake = rebuilt(tmp_path / "rejected", plain_chain(known, unknown))
    row = regimes(lake, "SPX", book="as_of_close").iloc[0]
    assert row["net_gex"] == given["net_gex"]
    assert row["contracts_rejected"] == 1
    assert row["oi_rejected_share"] == pytest.approx(30.0 / 1030.0, rel=1e-14)
    found = side_table(lake, "quality_findings", "SPX", book="as_of_close")
    rejected = found[found["detail"].str.startswith("rejected")]
    assert rejected["open_interest"].tolist() == [30.0]


def test_19_walls_need_the_right_sign(tmp_path: Path) -> None:
    """A call wall was drawn where call exposure was negative."""
    chain = plain_chain(Contract("C", 4050.0), Contract("P", 3950.0))
    inverted = one_row(tmp_path, chain, dealer="inverted")
    assert pd.isna(inverted["call_wall"])
    assert pd.isna(inverted["put_wall"])
    assert one_row(tmp_path, chain)["call_wall"] == 4050.0


def test_20_prices_are_taken_as_they_are_and_multipliers_count(tmp_path: Path) -> None:
    """Prices of 100,000 and more were divided by 100; the multiplier was missing."""
    high = Contract("C", 120_000.0, 10.0)
    row = one_row(tmp_path / "high", plain_chain(high, spot=120_000.0))
    assert row["spot"] == 120_000.0
    years = (FRIDAY - SESSION).days / 365.0
    v = 0.2 * math.sqrt(years)
    density = math.exp(-(v**2) / 8.0) / math.sqrt(2.0 * math.pi)
    assert row["net_gex"] == pytest.approx(10.0 * 100.0 * density / v * 120_000.0 * 0.01, rel=1e-12)
    small = one_row(tmp_path / "small", plain_chain(replace(high, multiplier=1.0), spot=120_000.0))
    for name in [*EXPOSURES, "gross_gex"]:
        assert row[name] == pytest.approx(100.0 * small[name], rel=1e-14)


def test_21_implied_volatility_at_deep_strikes() -> None:
    """A formula for the money was used at every strike."""
    years = 60.0 / 365.0
    for strike in (2000.0, 2600.0, 3300.0, 3900.0, 4000.0, 4200.0, 5000.0, 6500.0):
        for sigma in (0.15, 0.45, 1.2):
            call = strike >= 4000.0
            option = Option(4000.0, 4010.0, strike, years, sigma, 0.04, 0.0, is_call=call)
            value = float(exact_price(option))
            if value < 1e-250:
                continue
            found, _ = implied_volatility(value, 4010.0, strike, years, 0.04, is_call=call)
            assert float(found) == pytest.approx(sigma, rel=1e-10)


@pytest.mark.parametrize("clock", ["09:31", "12:00", "15:00", "15:29", "15:31", "15:59:59"])
def test_22_zero_dte_gamma_is_never_zero(tmp_path: Path, clock: str) -> None:
    """Today's expiry was said to have no gamma."""
    today = Contract("C", 4000.0, expiry=SESSION)
    row = one_row(tmp_path, plain_chain(today, quote_ts=at(SESSION, clock)))
    assert math.isfinite(row["net_gex"])
    assert row["net_gex"] > 0.0
    assert row["gex_0dte_share"] == 1.0


def test_23_net_is_less_than_gross_in_a_mixed_book(tmp_path: Path) -> None:
    """Net equalled gross on every date: the sign was lost."""
    chain = plain_chain(Contract("C", 4000.0), Contract("P", 3980.0, 600.0))
    row = one_row(tmp_path, chain)
    assert 0.0 < abs(row["net_gex"]) < row["gross_gex"]
    assert abs(row["net_to_gross"]) < 1.0


def test_24_later_sessions_change_no_earlier_row(tmp_path: Path) -> None:
    """A median over the whole sample set the regime of its first day."""
    days = [date(2022, 12, day) for day in (12, 13, 14, 15)]
    chains = [
        plain_chain(
            Contract("C", 4050.0, 1000.0 + 100.0 * i),
            Contract("P", 3950.0, 1500.0 - 200.0 * i),
            session=day,
            spot=4000.0 + 20.0 * i,
        )
        for i, day in enumerate(days)
    ]
    whole = regimes(rebuilt(tmp_path / "whole", *chains), "SPX")
    for n in range(1, len(chains)):
        part = regimes(rebuilt(tmp_path / str(n), *chains[:n]), "SPX")
        earlier = whole[whole["session"] <= pd.Timestamp(days[n - 1])].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, earlier)


def test_25_the_band_has_no_unit(tmp_path: Path) -> None:
    """A threshold in dollars without the 0.01 was off by a factor of 100."""
    chain = plain_chain(Contract("C", 4000.0, 1010.0), Contract("P", 4000.0, 990.0))
    assert one_row(tmp_path / "one", chain)["regime"] == "neutral"
    big = chain.assign(open_interest=chain["open_interest"] * 1e5, multiplier=1000.0)
    assert one_row(tmp_path / "big", big)["regime"] == "neutral"
    narrow = Definition(band=0.005)
    assert one_row(tmp_path / "narrow", chain, definition=narrow)["regime"] == "long"


def test_27_unknown_open_interest_is_not_invented(tmp_path: Path) -> None:
    """A thousand contracts were put in where open interest was unknown."""
    known = Contract("C", 4000.0, 500.0)
    unknown = Contract("P", 4000.0, math.nan)
    row = one_row(tmp_path / "some", plain_chain(known, unknown))
    assert row["net_to_gross"] == 1.0
    assert (row["contracts_used"], row["contracts_rejected"]) == (1, 1)
    nothing = one_row(tmp_path / "none", plain_chain(unknown))
    assert (nothing["regime"], nothing["quality"]) == ("abstain", "empty_book")
    assert nothing[["net_gex", "gross_gex", "net_to_gross", "flip"]].isna().all()


def test_27_unknown_columns_fail_loudly(tmp_path: Path) -> None:
    """A renamed field gave 8,576 contracts and no exposure."""
    file, mapping = written(tmp_path, "2022-12-12,2022-12-16,400,C,1000,0.2,400")
    file.write_text(file.read_text(encoding="utf-8").replace("oi", "openInt"), encoding="utf-8")
    lake = tmp_path / "lake"
    with pytest.raises(GexlabError, match="oi"):
        ingest([file], vendor="columns", mapping=mapping, underlying="SPY", lake=lake)
    with pytest.raises(GexlabError):
        open_lake(lake).sessions("SPY")


def test_28_a_root_above_spot_is_found(tmp_path: Path) -> None:
    """Crossings above spot were dropped: no flip on 96 to 100 % of ticks."""
    chain = plain_chain(Contract("P", 3950.0, 3000.0), Contract("C", 4150.0, 3000.0), spot=3980.0)
    row = one_row(tmp_path, chain)
    assert row["regime"] == "short"
    assert row["flip"] > row["spot"]
    assert (row["flip_status"], row["flip_direction"]) == ("ok", "up")
    assert row["flip_distance"] < 0.0


def test_29_a_vendors_zero_is_missing(tmp_path: Path) -> None:
    """Zeros for what was never measured went into averages."""
    lake = ingested(
        tmp_path,
        "2022-12-12,2022-12-16,400,C,1000,0,400",
        "2022-12-12,2022-12-16,410,C,1000,0.2,400",
        "2022-12-12,2022-12-16,420,C,,0.2,400",
    )
    held = query(lake, "SELECT iv, open_interest FROM chains ORDER BY strike").to_pydict()
    assert held == {"iv": [None, 0.2, 0.2], "open_interest": [1000.0, 1000.0, None]}
    counts = {one.check: one.count for one in findings(open_lake(lake), "SPY")}
    assert counts["missing_volatility"] == 1
    assert counts["unknown_open_interest"] == 1
