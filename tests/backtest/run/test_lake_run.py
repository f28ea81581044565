"""From a lake of chains to fills: labels, publication and the unchanged past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from s3_store import BUCKET, surroundings
from small_store import small_store

from gexlab.backtest.leaks.leakcheck import leakcheck, market_leaks
from gexlab.backtest.run import chain_findings as chain_room
from gexlab.backtest.run.backtest import backtest, strategies_of
from gexlab.backtest.run.chain_findings import findings_notice
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market import Market
from gexlab.backtest.run.panel import market_panel
from gexlab.backtest.run.provenance import content_id
from gexlab.data.base.errors import ConfigError, LakeError
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.s3_client import bucket_of
from gexlab.data.lake.writer import write_sessions
from gexlab.data.quality.check import findings
from gexlab.data.quality.finding import Finding
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes, side_table
from gexlab.data.simulate import simulate
from gexlab.reports.page.report import write_report
from gexlab.reports.page.sections.verdict import data_verdict
from gexlab.strategies.component import Kind
from gexlab.strategies.components import built_in

KINDS: tuple[Kind, ...] = ("filter", "rule", "sizing")


@dataclass(frozen=True)
class World:
    """A small simulated market and what was rebuilt from it."""

    folder: Path
    definition_id: str

    def config(self, **changes: Any) -> Config:
        regime = {"source": "lake", **changes.pop("regime", {})}
        data = {"lake": ".", "underlying": "SIM", "instrument": "future", "bars": "bars.parquet"}
        return parse_config(
            {"data": {**data, **changes.pop("data", {})}, "regime": regime, **changes}, self.folder
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    simulate("S1", years=0.2, seed=5, lake=folder, contracts=200, intraday=None)
    return World(folder, rebuild(folder, "SIM").definition_id)


def test_the_regime_is_that_of_the_table(world: World) -> None:
    result = backtest(world.config(inference={"bootstrap": 100}))
    table = regimes(world.folder, "SIM", book="post_expiry").set_index("session")
    assert result.regime.table["regime"].tolist() == table["regime"].tolist()
    assert result.regime.table["value"].tolist() == table["net_gex"].tolist()
    assert result.regime.definition_id == world.definition_id
    assert result.provenance.definition_id == world.definition_id
    assert result.data.simulated
    assert result.provenance.inputs[0].path == "."
    orders = result.main.orders
    known = table["known_at"].loc[orders["decided"]].to_numpy()
    assert (orders["fill_ts"].to_numpy() >= known).all()


def test_a_market_of_a_lake_has_every_column_that_a_component_reads(world: World) -> None:
    panel = market_panel(load_market(world.config()))
    read = {
        past.of
        for kind in KINDS
        for made in built_in(kind).values()
        for past in made().inputs().values()
        if isinstance(past.of, str)
    }
    # named series are the user's to add
    read = {name.removeprefix("day.") for name in read if not name.startswith("series.")}
    assert {name for name in read if not name.startswith("bar.")} - set(panel.columns) == set()
    ratio = panel.column("regime.net_to_gross").values
    table = regimes(world.folder, "SIM", book="post_expiry").set_index("session")
    wanted = table["net_vex"].reindex(panel.sessions).to_numpy()
    np.testing.assert_array_equal(panel.column("regime.net_vex").values, wanted)
    assert np.isfinite(ratio).any()


def test_the_verdict_on_the_data_is_that_of_their_table(world: World) -> None:
    days = sorted(entry.session for entry in open_lake(world.folder).sessions("SIM"))
    config = world.config(
        data={"start": days[5], "end": days[-5]},
        inference={"bootstrap": 100},
        regime={"book": "post_expiry"},
    )
    result = backtest(config)
    found = findings(
        open_lake(world.folder), "SIM", bars=pd.read_parquet(world.folder / "bars.parquet")
        .set_index("session"), dealer_model="naive", instrument="future",
    )  # fmt: skip
    inside = [f for f in found if f.session is None or days[5] <= f.session <= days[-5]]
    assert result.findings == tuple(inside)
    grave = [f for f in inside if f.severity in ("error", "warning")]
    notices = {n.code: n for n in result.notices}
    assert ("chain_findings" in notices) == bool(grave)
    answer = data_verdict(replace(result, notices=())).answer
    assert answer == "No objection found"
    told = findings_notice([*inside, Finding(days[6], "strike_gap", "warning", 3, 1.0, "wide")])
    assert told is not None
    assert told.count == len(grave) + 1
    objected = data_verdict(replace(result, notices=(told,)))
    assert objected.answer == "With reservations"
    quiet = Finding(days[6], "strike_gap", "info", 3, 1.0, "wide")
    assert findings_notice([quiet]) is None


def test_a_simulated_lake_is_known_wherever_the_bars_lie(world: World, tmp_path: Path) -> None:
    bars = tmp_path / "bars.parquet"
    bars.write_bytes((world.folder / "bars.parquet").read_bytes())
    assert load_market(world.config(data={"bars": str(bars)})).simulated


def test_books_differ_and_are_chosen(world: World) -> None:
    tables = {
        book: load_market(world.config(regime={"book": book})).regime.table
        for book in ("as_of_close", "post_expiry")
    }
    assert (tables["as_of_close"]["value"] != tables["post_expiry"]["value"]).any()


def test_another_band_relabels(world: World) -> None:
    wide = load_market(world.config(regime={"band": 0.3})).regime.table
    inside = wide["net_to_gross"].abs() < 0.3
    assert inside.any()
    assert set(wide["regime"][inside]) == {"neutral"}
    none = load_market(world.config(regime={"band": 0.0})).regime.table
    assert (none["regime"] == np.where(none["value"] > 0, "long", "short")).all()


def test_promoted_findings_abstain(world: World) -> None:
    findings = side_table(world.folder, "quality_findings", "SIM", book="post_expiry")
    if findings.empty:
        pytest.skip("the simulated lake has no finding to promote")
    check = str(findings["check"].iloc[0])
    sessions = set(findings["session"][findings["check"] == check])
    market = load_market(world.config(regime={"promote": [check]}))
    abstaining = market.regime.table["regime"] == "abstain"
    assert set(market.regime.table.index[abstaining]) == sessions
    assert [n.code for n in market.regime.notices] == ["promoted_findings"]


def test_an_unknown_definition_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match=r"unknown definition .*'000000000000'.*default"):
        world.config(regime={"definition": "000000000000"})
    with pytest.raises(ConfigError, match=r"regime.definition_id.*write \[regime\] definition"):
        world.config(regime={"definition_id": "000000000000"})


def test_a_remote_lake_without_keys_is_refused_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LakeError, match="nobody to ask as: set AWS_ACCESS_KEY_ID and"):
        backtest(world.config(data={"lake": "s3://bucket/lake"}))


def test_a_remote_lake_is_named_by_its_address(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever its mirror lies: the content id of a run would be another on each machine."""
    here, ids = load_market(world.config()), set()
    with small_store() as served:
        for mirror in ("one", "two"):
            for name, value in surroundings(served.address, tmp_path / mirror).items():
                monkeypatch.setenv(name, value)
            bucket = bucket_of(BUCKET)
            for file in (f for f in world.folder.rglob("*") if f.is_file()):
                bucket.put(f"a/lake/{file.relative_to(world.folder).as_posix()}", file.read_bytes())
            config = world.config(data={"lake": f"s3://{BUCKET}/a/lake"})
            far = load_market(config)
            assert far.inputs[0].path == f"s3://{BUCKET}/a/lake"
            assert [f.sha256 for f in far.inputs] == [f.sha256 for f in here.inputs]
            assert far.regime.table.equals(here.regime.table)
            ids.add(content_id(config, far))
    assert len(ids) == 1


def test_a_lake_run_has_no_leak(world: World) -> None:
    assert leakcheck(world.config(), cuts=5).leaks == ()


def _kinds(config: Config, market: Market) -> list[tuple[str, str]]:
    found = market_leaks(config, market, strategies_of(config), cuts=2).leaks
    return [(leak.input, leak.kind) for leak in found]


def test_a_regime_stamped_before_its_chain(world: World) -> None:
    market = load_market(world.config())
    table = market.regime.table.copy()
    table.loc[table.index[9], "known_at"] -= pd.Timedelta("1min")
    planted = replace(market, regime=replace(market.regime, table=table))
    assert _kinds(world.config(), planted) == [("regime", "regime_before_chain")]


def test_open_interest_stamped_before_its_settlement(world: World, tmp_path: Path) -> None:
    files = open_lake(world.folder).chain_files("SIM")
    chains = pq.ParquetDataset([str(f) for f in files], partitioning=None).read()
    place = chains.schema.get_field_index("oi_asof")
    same_day = chains.set_column(place, chains.schema.field(place), chains["session"])
    quoted = same_day.schema.get_field_index("known_at")
    planted = same_day.set_column(quoted, same_day.schema.field(quoted), same_day["quote_ts"])
    write_sessions(open_lake(tmp_path, create=True), "SIM", planted)
    config = world.config(data={"lake": str(tmp_path)})
    found = _kinds(config, load_market(world.config()))
    assert found == [("open interest", "open_interest_before_settlement")]


def test_a_cut_lake_gives_the_same_past(world: World, tmp_path: Path) -> None:
    whole = backtest(world.config(inference={"bootstrap": 100}))
    files = open_lake(world.folder).chain_files("SIM")
    chains = pq.ParquetDataset([str(f) for f in files], partitioning=None).read()
    bars = pd.read_parquet(world.folder / "bars.parquet")
    sessions = whole.regime.table.index
    for cut in (12, 30, 41):
        folder = tmp_path / str(cut)
        last = sessions[cut]
        kept = chains.filter(_until(chains, last))
        write_sessions(open_lake(folder, create=True), "SIM", kept)
        bars[pd.to_datetime(bars["session"]) <= last].to_parquet(folder / "bars.parquet")
        rebuild(folder, "SIM")
        part = backtest(World(folder, "").config(inference={"bootstrap": 100}))
        pd.testing.assert_frame_equal(whole.regime.table.iloc[: cut + 1], part.regime.table)
        for name, strategy in part.strategies.items():
            before = whole.strategies[name]
            pd.testing.assert_series_equal(before.equity.iloc[: cut + 1], strategy.equity)
            pd.testing.assert_series_equal(before.positions.iloc[: cut + 1], strategy.positions)


def _until(chains: Any, last: pd.Timestamp) -> Any:
    import pyarrow.compute as pc

    return pc.less_equal(chains["session"], last.date())


@pytest.mark.parametrize("promote", [(), ("strike_gap",)])
def test_a_run_looks_at_its_chains_once(
    promote: tuple[str, ...], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promotion, the run's own notice and the report share what was found."""
    looked = []

    def counted(*given: Any, **named: Any) -> list[Finding]:
        looked.append(given)
        return findings(*given, **named)

    monkeypatch.setattr(chain_room, "findings", counted)
    config = world.config(inference={"bootstrap": 100}, regime={"promote": promote})
    market = load_market(config)
    result = backtest(config, market=market)
    write_report(result, config, tmp_path, market=market)
    assert len(looked) == 1
    assert result.findings
