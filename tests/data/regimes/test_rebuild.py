"""What a rebuild computes anew, what it keeps, and that the future never reaches the past."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from make_lake import session_tables

from gexlab.data import Definition, cross_section, query, rebuild, regimes, side_table
from gexlab.data.base.errors import (
    DefinitionError,
    LakeError,
    NotRebuiltError,
    OutdatedRowsError,
    SeveralDefinitionsError,
    UnknownNameError,
)
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.peers.rules import PEER_RULES
from gexlab.data.regimes import peer_rebuild, plan
from gexlab.data.regimes.explain import explain, profile
from gexlab.data.regimes.table import export_regimes, require_one_definition
from gexlab.reports.cli import app as cli

CONTRACTS = 240
SESSIONS = 12


@pytest.fixture(scope="module")
def chains() -> list[pa.Table]:
    return list(session_tables(SESSIONS, CONTRACTS, seed=5))


def lake_of(folder: Path, tables: list[pa.Table]) -> Lake:
    lake = open_lake(folder, create=True)
    write_sessions(lake, "SPX", pa.concat_tables(tables))
    return lake


def days_of(tables: list[pa.Table]) -> list[date]:
    return [table["session"][0].as_py() for table in tables]


def test_second_rebuild_computes_nothing(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains)
    first, second = rebuild(lake, "SPX"), rebuild(lake, "SPX")
    assert (first.sessions, first.rebuilt, first.contracts) == (12, 12, 12 * CONTRACTS)
    assert (second.sessions, second.rebuilt, second.contracts) == (12, 0, 0)
    slow_to_load = ("numba", "pandas", "exchange_calendars", "scipy")
    code = (
        "import sys; from gexlab.data import rebuild;"
        f"assert rebuild({str(lake.root)!r}, 'SPX').rebuilt == 0;"
        f"print([name for name in {slow_to_load} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_changed_session_and_the_one_after_it_are_computed_anew(
    tmp_path: Path, chains: list[pa.Table]
) -> None:
    """The session after it depends on it: it could be its copy."""
    lake = lake_of(tmp_path, chains)
    rebuild(lake, "SPX")
    before = regimes(lake, "SPX", book="post_expiry")
    changed = chains[4]
    doubled = pa.array(2.0 * np.asarray(changed["open_interest"]))
    at = changed.schema.get_field_index("open_interest")
    write_sessions(lake, "SPX", changed.set_column(at, changed.schema.field(at), doubled))
    assert rebuild(lake, "SPX").rebuilt == 2
    after = regimes(lake, "SPX", book="post_expiry")
    assert list(after["session"]) == list(before["session"])
    np.testing.assert_allclose(after["net_gex"][4], 2.0 * before["net_gex"][4], rtol=1e-12)
    others = [i for i in range(SESSIONS) if i != 4]
    pd.testing.assert_series_equal(after["net_gex"][others], before["net_gex"][others])


def test_rows_of_former_chains_are_never_shown(
    tmp_path: Path, chains: list[pa.Table], caplog: pytest.LogCaptureFixture
) -> None:
    """A revised session, read by table, by side table, in SQL; then one that has no row yet."""
    lake = lake_of(tmp_path, chains[:8])
    rebuild(lake, "SPX")
    before = regimes(lake, "SPX")
    position = chains[4].column_names.index("open_interest")
    doubled = pa.array([2.0 * v.as_py() for v in chains[4]["open_interest"]], pa.float64())
    write_sessions(
        lake, "SPX", chains[4].set_column(position, chains[4].schema.field(position), doubled)
    )
    days = days_of(chains)
    said = f"2 sessions from {days[4]} to {days[5]} of SPX"
    readers: list[Callable[[], Any]] = [
        lambda: regimes(lake, "SPX"),
        lambda: regimes(lake, "*"),
        lambda: side_table(lake, "flip_roots", "SPX"),
        lambda: cross_section(lake),
        lambda: query(lake, "SELECT count(*) FROM regimes"),
    ]
    for read in readers:
        with pytest.raises(OutdatedRowsError, match=said) as refused:
            read()
    assert query(lake, "SELECT count(*) AS n FROM chains").to_pylist() == [{"n": 8 * CONTRACTS}]
    with pytest.raises(OutdatedRowsError, match="at version 2 they had not been rebuilt; name"):
        regimes(open_lake(tmp_path, as_of=2), "SPX")
    with pytest.raises(NotRebuiltError, match="had been rebuilt at version 0: name a later one"):
        regimes(open_lake(tmp_path, as_of=0), "SPX")
    with pytest.raises(NotRebuiltError, match="nothing was rebuilt at version 0; name a later"):
        query(open_lake(tmp_path, as_of=0), "SELECT 1 FROM regimes")
    # the version before the revision has what it had
    pd.testing.assert_frame_equal(regimes(open_lake(tmp_path, as_of=1), "SPX"), before)
    command = str(refused.value).partition("run gexlab ")[2]
    assert cli.run(command.split()) == 0
    assert len(regimes(lake, "SPX")) == len(before)
    caplog.clear()
    write_sessions(lake, "SPX", chains[8])
    assert len(regimes(lake, "SPX")) == len(before)
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"the session {days[8]} of SPX" in told
    assert "has no row yet: run gexlab rebuild" in told


def test_rows_of_a_peers_rule_are_of_todays_chains_too(
    tmp_path: Path, chains: list[pa.Table]
) -> None:
    """A revised session whose rows a peer's rule computed: its former numbers are not shown."""
    lake, rule = lake_of(tmp_path, chains[:3]), next(iter(PEER_RULES.values()))
    rebuild(lake, "SPX", definition=rule)
    before = regimes(lake, "SPX")["net_gex"].to_numpy()
    position = chains[1].column_names.index("open_interest")
    field = chains[1].schema.field(position)
    doubled = pa.array([2.0 * v.as_py() for v in chains[1]["open_interest"]], pa.float64())
    write_sessions(lake, "SPX", chains[1].set_column(position, field, doubled))
    with pytest.raises(OutdatedRowsError, match=r"2 sessions .* have rows of former") as said:
        regimes(lake, "SPX")
    assert cli.run(str(said.value).partition("run gexlab ")[2].split()) == 0
    after = regimes(lake, "SPX")["net_gex"].to_numpy()
    np.testing.assert_allclose(after, before * [1.0, 2.0, 1.0], rtol=1e-12)


def test_what_the_remedy_of_former_chains_says(tmp_path: Path, chains: list[pa.Table]) -> None:
    """Rates and dealers go into the command; a definition of its own is named by its file."""
    lake = lake_of(tmp_path, chains[:2])
    made: list[tuple[Definition, str, str]] = [
        (Definition(rate=0.05, iv_source="own"), "inverted", "--dealer inverted --rate 0.05"),
        (Definition(band=0.5), "naive", "--definition FILE.toml"),
    ]
    for definition, dealer, _ in made:
        rebuild(lake, "SPX", definition=definition, dealer=dealer)
    position = chains[1].column_names.index("open_interest")
    field = chains[1].schema.field(position)
    write_sessions(lake, "SPX", chains[1].set_column(position, field, pa.array([1.0] * CONTRACTS)))
    for definition, _, words in made:
        with pytest.raises(OutdatedRowsError, match=words):
            regimes(lake, "SPX", definition_id=definition)


@pytest.mark.parametrize("step", [-1, 1])
def test_rows_of_another_version_are_said_to_be_that(
    tmp_path: Path, chains: list[pa.Table], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """After an upgrade the chains are what they were: nobody need look for what changed in them."""
    lake, peer = lake_of(tmp_path, chains[:3]), next(iter(PEER_RULES.values()))
    days = days_of(chains)
    with monkeypatch.context() as other:
        other.setattr(plan, "_ROWS_GENERATION", plan._ROWS_GENERATION + step)
        other.setattr(peer_rebuild, "_GENERATION", peer_rebuild._GENERATION + step)
        rebuild(lake, "SPX")
        rebuild(lake, "SPX", definition=peer)
    computed = "rows that another version of gexlab computed .*: run gexlab rebuild --lake"
    for read in (
        lambda: query(lake, "SELECT * FROM regimes", definition=Definition()),
        lambda: regimes(lake, "SPX", definition_id=Definition()),
        lambda: regimes(lake, "SPX", definition_id=peer),
    ):
        with pytest.raises(OutdatedRowsError, match=f"3 sessions from {days[0]}.* have {computed}"):
            read()
    position = chains[2].column_names.index("open_interest")
    field = chains[2].schema.field(position)
    write_sessions(lake, "SPX", chains[2].set_column(position, field, pa.array([1.0] * CONTRACTS)))
    mixed = "have outdated rows, 1 of former chains, .*, 2 that another version of gexlab computed"
    with pytest.raises(OutdatedRowsError, match=mixed):
        regimes(lake, "SPX", definition_id=Definition())
    rebuild(lake, "SPX")
    assert len(regimes(lake, "SPX", definition_id=Definition())) == 6


def test_appended_session_changes_no_earlier_row(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:-1])
    rebuild(lake, "SPX")
    before = regimes(lake, "SPX")
    write_sessions(lake, "SPX", chains[-1])
    assert rebuild(lake, "SPX").rebuilt == 1
    after = regimes(lake, "SPX")
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)


@pytest.mark.parametrize("cut", range(1, SESSIONS))
def test_truncated_history_gives_the_same_rows(
    tmp_path: Path, chains: list[pa.Table], cut: int
) -> None:
    whole, part = lake_of(tmp_path / "whole", chains), lake_of(tmp_path / "part", chains[:cut])
    rebuild(whole, "SPX")
    rebuild(part, "SPX")
    expected = regimes(whole, "SPX")
    expected = expected[expected["session"] <= pd.Timestamp(days_of(chains)[cut - 1])]
    pd.testing.assert_frame_equal(regimes(part, "SPX"), expected.reset_index(drop=True))


def test_definitions_and_dealers_never_mix(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:3])
    ids = {
        rebuild(lake, "SPX").definition_id,
        rebuild(lake, "SPX", definition=Definition(band=0.5)).definition_id,
    }
    assert len(ids) == 2
    with pytest.raises(SeveralDefinitionsError, match=r"naive dealers, default.*band 0.5.*name"):
        regimes(lake, "SPX")
    last = regimes(lake, "SPX", definition_id=Definition(band=0.5))
    assert set(last["definition_id"]) == {Definition(band=0.5).definition_id}
    named = regimes(lake, "SPX", definition_id=Definition().definition_id)
    assert set(named["regime"]) <= {"long", "short", "neutral"}
    with pytest.raises(DefinitionError, match="2 definitions"):
        require_one_definition(pd.concat([last, named]))


def test_a_new_book_is_not_taken_for_done(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:2])
    assert rebuild(lake, "SPX", books=("post_expiry",)).rebuilt == 2
    assert rebuild(lake, "SPX").rebuilt == 2
    assert sorted(regimes(lake, "SPX")["book"].unique()) == ["as_of_close", "post_expiry"]


def test_one_book_leaves_the_rows_of_the_other(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:3])
    assert rebuild(lake, "SPX").rebuilt == 3
    whole = regimes(lake, "SPX")
    assert rebuild(lake, "SPX", books=("as_of_close",)).rebuilt == 0
    pd.testing.assert_frame_equal(regimes(lake, "SPX"), whole)
    other = lake_of(tmp_path / "other", chains[:3])
    for book in ("as_of_close", "post_expiry"):
        assert rebuild(other, "SPX", books=(book,)).rebuilt == 3
    pd.testing.assert_frame_equal(regimes(other, "SPX"), whole)


def test_dealer_models_flip_every_exposure(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:2])
    frames = {}
    for dealer in ("naive", "inverted", "all_long", "all_short"):
        rebuild(lake, "SPX", dealer=dealer)
        frames[dealer] = regimes(lake, "SPX", dealer_model=dealer)
    signed = ["net_gex", "net_dex", "net_vex", "net_cex"]
    for one, other in (("naive", "inverted"), ("all_long", "all_short")):
        np.testing.assert_allclose(
            frames[one][signed], -frames[other][signed].to_numpy(), rtol=1e-12
        )
    np.testing.assert_allclose(
        frames["all_long"]["net_gex"], frames["naive"]["gross_gex"], rtol=1e-12
    )


def test_latest_snapshot_of_a_session_counts(tmp_path: Path, chains: list[pa.Table]) -> None:
    """An earlier snapshot of the same session, with another spot, changes nothing."""
    late = chains[0]
    frame = late.to_pandas()
    early = frame.assign(
        quote_ts=frame["quote_ts"] - pd.Timedelta(hours=2), spot=frame["spot"] * 0.9
    )
    both = pa.Table.from_pandas(pd.concat([early, frame]), schema=late.schema, preserve_index=False)
    one, two = lake_of(tmp_path / "one", [late]), open_lake(tmp_path / "two", create=True)
    write_sessions(two, "SPX", both)
    rebuild(one, "SPX")
    rebuild(two, "SPX")
    columns = ["spot", "net_gex", "flip", "regime", "contracts_used", "valuation_ts"]
    pd.testing.assert_frame_equal(regimes(two, "SPX")[columns], regimes(one, "SPX")[columns])


def test_several_spots_are_a_finding_and_the_median_counts(
    tmp_path: Path, chains: list[pa.Table]
) -> None:
    frame = chains[0].to_pandas()
    middle = float(frame["spot"].iloc[0])
    frame.loc[: len(frame) // 4, "spot"] = middle * 1.01
    table = pa.Table.from_pandas(frame, schema=chains[0].schema, preserve_index=False)
    lake = lake_of(tmp_path, [table])
    rebuild(lake, "SPX")
    assert set(regimes(lake, "SPX")["spot"]) == {middle}
    assert "several_spots" in set(side_table(lake, "quality_findings", "SPX")["check"])


def test_unknown_open_interest_is_rejected_and_abstains(
    tmp_path: Path, chains: list[pa.Table]
) -> None:
    """All of it unknown: the book is empty, every contract counts, nothing is called a regime."""
    table = chains[0]
    at = table.schema.get_field_index("open_interest")
    unknown = pa.nulls(table.num_rows, pa.float64())
    lake = lake_of(tmp_path, [table.set_column(at, table.schema.field(at), unknown)])
    rebuild(lake, "SPX")
    rows = regimes(lake, "SPX", book="post_expiry")
    assert list(rows["regime"]) == ["abstain"]
    assert list(rows["quality"]) == ["empty_book"]
    assert (
        rows[["net_gex", "gross_gex", "flip", "call_wall", "concentration"]].isna().all(axis=None)
    )
    assert rows["contracts_used"].item() == 0
    assert rows["contracts_rejected"].item() > 0.9 * CONTRACTS


@pytest.mark.parametrize("source", ["otm", "own"])
def test_every_rejected_contract_is_in_a_finding(
    tmp_path: Path, chains: list[pa.Table], source: Literal["otm", "own"]
) -> None:
    """A contract without a price: a line of its own finds no volatility; a shared line may."""
    frame = chains[0].to_pandas()
    bare = frame.index % 5 == 0
    frame.loc[bare, ["iv", "bid", "ask"]] = np.nan
    frame.loc[frame.index % 30 == 0, "open_interest"] = 0.0
    both = (frame.index // 2) % 7 == 0  # call and put of a strike, so that the line is missing
    frame.loc[both, ["iv", "bid", "ask"]] = np.nan
    table = pa.Table.from_pandas(frame, schema=chains[0].schema, preserve_index=False)
    lake = lake_of(tmp_path, [table])
    rebuild(lake, "SPX", definition=Definition(iv_source=source), books=("as_of_close",))
    row = regimes(lake, "SPX").iloc[0]
    findings = side_table(lake, "quality_findings", "SPX").set_index("check")
    live = frame["expiry_ts"] > frame["quote_ts"]
    without = live & frame["iv"].isna() & (frame["open_interest"] > 0.0)
    if source == "otm":
        strike = frame.groupby(["expiry", "strike"])["iv"]
        without &= strike.transform("count") == 0
    assert findings.loc["no_price", "count"] == row["contracts_rejected"] == without.sum()
    rejected = frame.loc[without, "open_interest"].sum()
    assert findings.loc["no_price", "open_interest"] == rejected


def test_side_tables_add_up_to_the_row(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:2])
    rebuild(lake, "SPX")
    rows = regimes(lake, "SPX").set_index(["session", "book"])
    for name in ("exposure_by_expiry", "exposure_by_strike"):
        sums = side_table(lake, name, "SPX").groupby(["session", "book"])[["net_gex", "gross_gex"]]
        pd.testing.assert_frame_equal(sums.sum(), rows[["net_gex", "gross_gex"]], rtol=1e-12)
    curve = side_table(lake, "profile", "SPX")
    at_spot = curve[curve["log_move"].abs() < 1e-12].set_index(["session", "book"])
    error = (at_spot["net_gex"] - rows["net_gex"]).abs() / rows["gross_gex"]
    assert (error <= 1e-12).all()


def test_one_session_is_explained_as_it_was_rebuilt(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:3])
    rebuild(lake, "SPX", definition=Definition(rate=0.03))
    day = days_of(chains)[2]
    row = regimes(lake, "SPX", book="post_expiry").iloc[2]
    assert profile(lake, "SPX", day).row["net_gex"] == row["net_gex"]
    explained = explain(lake, "SPX", day)
    assert len(explained.verdicts) == 16
    shares = explained.contracts["share_of_gross"]
    assert shares.is_monotonic_decreasing
    assert 0.0 < shares.sum() <= 1.0


def test_what_was_never_rebuilt_is_an_error(tmp_path: Path, chains: list[pa.Table]) -> None:
    lake = lake_of(tmp_path, chains[:2])
    with pytest.raises(LakeError, match="gexlab rebuild"):
        regimes(lake, "SPX")
    rebuild(lake, "SPX")
    with pytest.raises(DefinitionError, match="0123456789ab"):
        regimes(lake, "SPX", definition_id="0123456789ab")
    with pytest.raises(UnknownNameError, match="post_expiry"):
        regimes(lake, "SPX", book=cast("Any", "post_expire"))
    with pytest.raises(UnknownNameError, match="naive"):
        rebuild(lake, "SPX", dealer="naiv")
    with pytest.raises(LakeError, match="ask for one"):
        profile(lake, "SPX", date(1999, 1, 4))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_export_keeps_undefined_undefined(
    tmp_path: Path, chains: list[pa.Table], ending: str
) -> None:
    lake = lake_of(tmp_path / "lake", chains[:2])
    rebuild(lake, "SPX", dealer="all_long")
    out = tmp_path / f"regimes.{ending}"
    export_regimes(regimes(lake, "SPX"), out)
    back = pd.read_parquet(out) if ending == "parquet" else pd.read_csv(out)
    assert back["flip"].isna().all()
    assert list(back["flip_status"]) == ["none_long"] * 4
