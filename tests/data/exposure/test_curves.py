"""Rates and dividend yields from files: by hand, against numpy, and never from the future."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import lake_of
from scipy.interpolate import interp1d
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import Definition, load_definition, profile, rebuild, regimes, side_table
from gexlab.data.base.errors import DefinitionError, GexlabError, InputFileError
from gexlab.data.exposure.rate_curves import CurveRow, curve_of
from gexlab.data.regimes.regime_columns import REGIME_COLUMNS
from gexlab.data.tables.rates import curve_file, load_curve

MONDAY, TUESDAY, WEDNESDAY = date(2022, 3, 7), date(2022, 3, 8), date(2022, 3, 9)
FRIDAY = SESSIONS[2]  # 2022-03-11
NOON_US = 1_647_000_000_000_000  # 2022-03-11 12:00 UTC

nodes = st.dictionaries(
    st.integers(0, 4000), st.floats(-0.05, 0.5, allow_nan=False), min_size=1, max_size=8
)


def written(path: Path, rows: dict[str, list[Any]]) -> Path:
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


def usual(path: Path, rates: tuple[float, ...] = (0.04, 0.05, 0.03)) -> Path:
    """Three nodes of the day before the chain: a week, three months, two years."""
    return written(path, {"session": ["2022-03-10"] * 3, "days": [7, 91, 730], "rate": list(rates)})


def chain() -> pd.DataFrame:
    return random_chain(np.random.default_rng(8), FRIDAY, Oddities())


def days_of(chain: pd.DataFrame) -> list[tuple[date, str, float]]:
    """Expiry, settlement, and calendar days from the quotes to its moment."""
    series = chain.drop_duplicates(["expiry", "settlement"])
    days = (series["expiry_ts"] - series["quote_ts"]).dt.total_seconds() / 86400.0
    return list(zip(series["expiry"], series["settlement"], days, strict=True))


# -- the curve itself -----------------------------------------------------------------------------


def test_rates_between_nodes_are_linear_and_flat_beyond_them() -> None:
    """By hand: 60 lies half-way between 30 and 90 days, 135 between 90 and 180."""
    rows = [CurveRow(MONDAY, d, r) for d, r in ((90.0, 0.05), (30.0, 0.04), (180.0, 0.042))]
    found = curve_of("x", rows).rates(TUESDAY, 0, np.array([0.0, 30.0, 60.0, 135.0, 9999.0]))
    np.testing.assert_allclose(found, [0.04, 0.04, 0.045, 0.046, 0.042], rtol=1e-15)


@given(nodes, st.lists(st.floats(0.0, 5000.0), min_size=1, max_size=20))
def test_rates_agree_with_scipy(curve: dict[int, float], at: list[float]) -> None:
    days = np.array(sorted(curve), float)
    rates = np.array([curve[int(d)] for d in days])
    found = curve_of("x", [CurveRow(MONDAY, d, r) for d, r in zip(days, rates, strict=True)])
    if days.size == 1:
        wanted = np.full(len(at), rates[0])
    else:
        wanted = interp1d(days, rates, bounds_error=False, fill_value=(rates[0], rates[-1]))(at)
    np.testing.assert_allclose(found.rates(TUESDAY, 0, np.array(at)), wanted, atol=1e-15)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True), st.integers(0, 70))
def test_only_earlier_sessions_count_where_publication_is_not_stated(
    offsets: list[int], at: int
) -> None:
    start = date(2022, 1, 3).toordinal()
    rows = [CurveRow(date.fromordinal(start + o), 0.0, o / 100.0) for o in offsets]
    earlier = [o for o in offsets if o < at]
    session = date.fromordinal(start + at)
    if not earlier:
        with pytest.raises(InputFileError, match="add earlier rates"):
            curve_of("x", rows).as_of(session, 2**62)
        return
    assert curve_of("x", rows).rates(session, 0, np.array([1.0]))[0] == max(earlier) / 100.0


@pytest.mark.parametrize(
    ("session", "known_us", "expected"),
    [
        (TUESDAY, 2_000, 0.02),  # Tuesday's rate was public when the chain was
        (TUESDAY, 1_999, 0.01),  # one microsecond too late: Monday's
        (MONDAY, 5_000, 0.01),  # a later session's rate is not used, public or not
        (WEDNESDAY, 5_000, 0.03),
    ],
)
def test_a_rate_counts_from_its_publication_on(
    session: date, known_us: int, expected: float
) -> None:
    days = ((MONDAY, 0.01, 1_000), (TUESDAY, 0.02, 2_000), (WEDNESDAY, 0.03, 3_000))
    curve = curve_of("x", [CurveRow(day, 0.0, rate, us) for day, rate, us in days])
    assert curve.rates(session, known_us, np.array([30.0]))[0] == expected


def test_a_session_is_public_once_its_last_node_is() -> None:
    rows = [CurveRow(MONDAY, 30.0, 0.01, 10), CurveRow(MONDAY, 60.0, 0.02, 20)]
    earlier = CurveRow(date(2022, 3, 4), 0.0, 0.005, 1)
    assert curve_of("x", [*rows, earlier]).as_of(MONDAY, 19).session == earlier.session
    assert curve_of("x", [*rows, earlier]).as_of(MONDAY, 20).session == MONDAY


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rates.csv", "rates.parquet"])
def test_files_are_read(tmp_path: Path, name: str) -> None:
    stamps = ["2022-03-10 22:00", "2022-03-10T17:00-05:00", "2022-03-10 22:00+00:00"]
    if name.endswith(".csv"):
        stamps = ["2022-03-10T22:00Z"] * 3
    file = written(
        tmp_path / name,
        {
            "date": ["2022-03-10"] * 3,
            "days": [30, 1, 365],
            "value": [0.01, 0.02, 0.03],
            "known_at": pd.to_datetime(pd.Series(stamps), utc=True, format="ISO8601").tolist(),
        },
    )
    (day,) = load_curve(file).curves
    assert (day.session, day.days.tolist()) == (date(2022, 3, 10), [1.0, 30.0, 365.0])
    assert day.rate.tolist() == [0.02, 0.01, 0.03]
    assert day.known_us == pd.Timestamp("2022-03-10 22:00Z").value // 1000


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"session": ["2022-03-10"]}, r"no column 'rate'"),
        ({"rate": [0.01]}, r"no column 'session'"),
        ({"session": ["2022-03-10"], "rate": [4.5]}, r"'rate' holds '4.5' in row 1.*such as 0.045"),
        ({"session": ["2022-03-10"], "rate": ["x"]}, r"'rate' holds 'x' in row 1: expected a num"),
        ({"session": ["2022-03-10"] * 2, "rate": [0.1, None]}, r"'rate' holds nothing in row 2"),
        ({"session": ["2022-03-10"], "rate": [math.inf]}, r"'rate' holds 'inf' in row 1"),
        ({"session": ["someday"], "rate": [0.01]}, r"'session' holds 'someday' in row 1"),
        ({"session": [None, "2022-03-10"], "rate": [0.01, 0.01]}, r"'session' is empty in row 1"),
        (
            {"session": ["2022-03-10"], "rate": [0.01], "days": [-1]},
            r"'days' holds '-1' in row 1: expected a number of days from 0 on",
        ),
        (
            {"session": ["2022-03-10"] * 2, "rate": [0.01, 0.02], "days": [30, 30]},
            r"expected one rate per session and days, found two for 2022-03-10 and 30 days",
        ),
        (
            {"session": ["2022-03-10"] * 2, "rate": [0.01, 0.02]},
            r"found two for 2022-03-10 and 0 days: keep one",
        ),
        (
            {"session": ["2022-03-10"], "rate": [0.01], "known_at": ["soon"]},
            r"'known_at' holds 'soon' in row 1: expected time stamps",
        ),
        ({"session": [], "rate": []}, r"no rows"),
    ],
)
def test_what_is_no_curve_is_refused(
    tmp_path: Path, rows: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(InputFileError, match=message) as caught:
        load_curve(written(tmp_path / "rates.csv", rows))
    assert "\n" not in str(caught.value)
    assert "rates.csv" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x01", b"PAR1 broken"])
@pytest.mark.parametrize("name", ["rates.csv", "rates.parquet"])
def test_broken_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputFileError, match=name) as caught:
        load_curve(file)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputFileError, match="no such file"):
        load_curve(tmp_path / "absent.csv")


# -- definitions ----------------------------------------------------------------------------------


def test_equal_curves_are_one_definition(tmp_path: Path) -> None:
    """Whatever their name, folder and format, and the order of their rows."""
    (tmp_path / "deep").mkdir()
    here = usual(tmp_path / "rates.csv")
    there = usual(tmp_path / "deep" / "other.parquet")
    frame = pd.read_csv(here).iloc[::-1]
    frame.to_csv(tmp_path / "turned.csv", index=False)
    found = [Definition(rate_curve=curve_file(f)) for f in (here, there, tmp_path / "turned.csv")]
    assert found[0] == found[1] == found[2]
    assert len({d.definition_id for d in found}) == 1
    others = [Definition(), Definition(dividend_curve=curve_file(here))]
    assert len({d.definition_id for d in [found[0], *others]}) == 3
    changed = Definition(rate_curve=curve_file(usual(here, (0.04, 0.05, 0.031))))
    assert changed != found[0]  # other numbers, which are part of each session's mark
    assert changed.definition_id == found[0].definition_id


def test_paths_are_relative_to_the_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    usual(folder / "rates.csv")
    file = folder / "definition.toml"
    file.write_text('rate_curve = "rates.csv"\ndividend_curve = "rates.csv"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = load_definition(file)
    assert found.rate_curve == found.dividend_curve == curve_file(folder / "rates.csv")
    monkeypatch.chdir(folder)
    assert load_definition(Path("definition.toml")).definition_id == found.definition_id


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('rate_curve = "absent.csv"', InputFileError, "absent.csv: no such file"),
        ("rate_curve = 0.04", DefinitionError, "rate_curve: expected the path of a file"),
        ('rate = 0.04\nrate_curve = "rates.csv"', DefinitionError, "left out beside rate_curve"),
        (
            'dividend_yield = 0.04\ndividend_curve = "rates.csv"',
            DefinitionError,
            "dividend_yield must be left out beside dividend_curve",
        ),
    ],
)
def test_definitions_that_are_refused(
    tmp_path: Path, text: str, error: type[GexlabError], message: str
) -> None:
    usual(tmp_path / "rates.csv")
    file = tmp_path / "definition.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message) as caught:
        load_definition(file)
    assert "\n" not in str(caught.value)


# -- rebuilds -------------------------------------------------------------------------------------


def test_each_expiry_has_the_rate_of_its_days(tmp_path: Path) -> None:
    """Every series' row equals that of a rebuild with its own hand-interpolated constants."""
    rows = chain()
    lake = lake_of(tmp_path / "lake", "SPX", rows)
    rate, dividend = usual(tmp_path / "r.csv"), usual(tmp_path / "q.csv", (0.01, 0.02, 0.0))
    curves = Definition(rate_curve=curve_file(rate), dividend_curve=curve_file(dividend))
    rebuild(lake, "SPX", definition=curves)
    key = ["book", "expiry", "settlement"]
    found = side_table(lake, "exposure_by_expiry", "SPX").set_index(key)
    compared = 0
    for expiry, settlement, days in days_of(rows):
        r = interp1d([7, 91, 730], [0.04, 0.05, 0.03])(np.clip(days, 7, 730)).item()
        q = interp1d([7, 91, 730], [0.01, 0.02, 0.0])(np.clip(days, 7, 730)).item()
        constant = Definition(rate=float(r.real), dividend_yield=float(q.real))
        rebuild(lake, "SPX", definition=constant)
        found_now = side_table(lake, "exposure_by_expiry", "SPX", definition_id=constant)
        wanted = found_now.set_index(key)
        for book in ("as_of_close", "post_expiry"):
            at = (book, pd.Timestamp(expiry), settlement)
            if at in wanted.index:
                numbers = wanted.select_dtypes("number").columns
                np.testing.assert_allclose(
                    found.loc[at, numbers].astype(float),
                    wanted.loc[at, numbers].astype(float),
                    rtol=1e-9,
                )
                compared += 1
    assert compared >= 6


def test_a_flat_curve_is_the_constant(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", chain())
    flat = written(tmp_path / "flat.csv", {"session": ["2022-03-10"], "rate": [0.03]})
    definition = Definition(rate_curve=curve_file(flat))
    rebuild(lake, "SPX", definition=definition)
    found = regimes(lake, "SPX")
    rebuild(lake, "SPX", definition=Definition(rate=0.03))
    wanted = regimes(lake, "SPX", definition_id=Definition(rate=0.03))
    columns = [c for c in REGIME_COLUMNS if c != "definition_id"]
    pd.testing.assert_frame_equal(found[columns], wanted[columns], rtol=1e-12)


def test_later_rates_change_no_number(tmp_path: Path) -> None:
    """Rates of the chain's own session without a publication, and any later ones."""
    lake = lake_of(tmp_path / "lake", "SPX", chain())
    columns = [c for c in REGIME_COLUMNS if c != "definition_id"]
    tables = []
    for later in (0.01, 0.09):
        file = written(
            tmp_path / "rates.csv",
            {
                "session": ["2022-03-10", "2022-03-11", "2022-03-14"],
                "rate": [0.03, later, later],
            },
        )
        rebuild(lake, "SPX", definition=Definition(rate_curve=curve_file(file)))
        tables.append(regimes(lake, "SPX"))
    pd.testing.assert_frame_equal(tables[0][columns], tables[1][columns])
    assert tables[0]["definition_id"].iloc[0] == tables[1]["definition_id"].iloc[0]


def test_rates_that_begin_after_the_chain_are_refused(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", chain())
    file = written(tmp_path / "late.csv", {"session": ["2022-03-11"], "rate": [0.03]})
    with pytest.raises(InputFileError, match=r"chain of 2022-03-11, found none \(the first is of"):
        rebuild(lake, "SPX", definition=Definition(rate_curve=curve_file(file)))


def test_another_curve_gives_other_rows_and_an_old_one_is_not_mixed(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", chain())
    file = usual(tmp_path / "rates.csv")
    before = Definition(rate_curve=curve_file(file))
    assert rebuild(lake, "SPX", definition=before).rebuilt == 1
    assert rebuild(lake, "SPX", definition=before).rebuilt == 0
    usual(file, (0.01, 0.01, 0.01))
    # the definition holds the rates that it was made with; one read back knows their digest only
    assert rebuild(lake, "SPX", definition=before).rebuilt == 0
    assert before.rate_curve is not None
    stored = replace(before, rate_curve=replace(before.rate_curve, curve=None))
    with pytest.raises(DefinitionError, match="expected the rates that the definition was made"):
        rebuild(lake, "SPX", definition=stored)
    with pytest.raises(DefinitionError, match="rebuild with the file as it is now"):
        profile(lake, "SPX", FRIDAY)  # the only definition rebuilt, read back from the lake
    old = regimes(lake, "SPX", book="post_expiry", definition_id=before.definition_id)
    after = Definition(rate_curve=curve_file(file))
    assert rebuild(lake, "SPX", definition=after).rebuilt == 1
    row = profile(lake, "SPX", FRIDAY).row
    kept = regimes(lake, "SPX", book="post_expiry", definition_id=after.definition_id)
    assert row["net_gex"] == kept["net_gex"].item()
    assert old["net_gex"].item() != kept["net_gex"].item()


def test_outdated_rates_are_a_finding(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", "SPX", chain())
    for session, expected in (("2022-03-01", 0), ("2022-02-28", 1)):
        file = written(tmp_path / "rates.csv", {"session": [session], "rate": [0.03]})
        rebuild(lake, "SPX", definition=Definition(rate_curve=curve_file(file)))
        found = side_table(lake, "quality_findings", "SPX", book="post_expiry")
        hits = found[found["check"] == "rates_outdated"]
        assert len(hits) == expected
    assert "the latest rates are of 2022-02-28, 11 days before" in hits["detail"].item()


def test_a_curve_is_carry(tmp_path: Path) -> None:
    """Rates from a file spare the finding no_carry."""
    bare = chain().assign(bid=np.nan, ask=np.nan)
    lake = lake_of(tmp_path / "lake", "SPX", bare)
    for definition, expected in (
        (Definition(), True),
        (Definition(rate_curve=curve_file(usual(tmp_path / "r.csv"))), False),
    ):
        rebuild(lake, "SPX", definition=definition)
        found = side_table(lake, "quality_findings", "SPX", definition_id=definition)
        checks = set(found["check"])
        assert ("no_carry" in checks) == expected


# -- settings as a mapping ------------------------------------------------------------------------


def test_a_mapping_is_a_definition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual(tmp_path / "rates.csv")
    monkeypatch.chdir(tmp_path)
    assert load_definition({"rate": 0.04, "iv_source": "own"}) == Definition(
        rate=0.04, iv_source="own"
    )
    assert load_definition({"rate_curve": "rates.csv"}).rate_curve == curve_file("rates.csv")
    assert load_definition({}) == Definition()


@pytest.mark.parametrize("given", [{"rat": 0.04}, {1: 2}, {"rate": "much"}, 3, None, "rate = 0.04"])
def test_what_is_no_definition_is_refused_in_words(given: Any) -> None:
    with pytest.raises(GexlabError) as caught:
        load_definition(given)
    assert "\n" not in str(caught.value)
