"""Instrument, multiplier, settlement and lag of the open interest come from the lake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import config_of, write_lake

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import parse_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.market_choice import market_of
from gexlab.data.base.errors import ConfigError, LakeError
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.records import manifest_at, record_changes, record_of
from gexlab.data.lake.session_facts import UNKNOWN
from gexlab.data.lake.versions import commit
from gexlab.data.quality.check import findings
from gexlab.data.regimes.rebuild import rebuild
from gexlab.reports.cli import app as cli

SESSIONS = 8


def _ingest(folder: Path, frame: pd.DataFrame, name: str, **replaced: str) -> Any:
    text = (folder / "map.toml").read_text(encoding="utf-8")
    for old, new in replaced.items():
        lines = [new if line.startswith(f"{old} =") else line for line in text.splitlines()]
        text = "\n".join(lines)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    frame.to_csv(folder / f"{name}.csv", index=False)
    return ingest(
        [str(folder / f"{name}.csv")], vendor="columns", underlying="MKT", lake=folder / "lake",
        mapping=folder / f"{name}.toml",
    )  # fmt: skip


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose column map says that it is a share's."""
    folder = tmp_path_factory.mktemp("share")
    write_lake(folder, "XNYS", sessions=SESSIONS, more='instrument = "share"')
    return folder


def _configured(folder: Path, **data: Any) -> Any:
    """Return a configuration that leaves the instrument to the lake."""
    document = {
        "data": {"lake": "lake", "underlying": "MKT", "bars": "bars.parquet", **data},
        "inference": {"bootstrap": 100},
    }
    return parse_config(document, folder)


def test_the_lake_says_what_it_holds(stated: Path) -> None:
    facts = open_lake(stated / "lake").facts("MKT")
    assert facts.instrument == "share"
    assert [s.value for s in facts.multiplier] == [100.0]
    assert [s.value for s in facts.oi_lag_sessions] == [1]
    assert facts.settlement == "PM"


def test_a_configuration_without_an_instrument_takes_the_lakes(stated: Path) -> None:
    config = _configured(stated)
    assert (config.data.instrument, config.fill) == ("share", "next_open")
    said = backtest(config)
    assert said.data.instrument == "share"
    assert "naive_single_stock" in {n.code for n in said.notices}
    assert backtest(_configured(stated, instrument="share")).provenance.config_sha256 == (
        said.provenance.config_sha256
    )


@pytest.mark.parametrize(
    ("key", "right", "wrong", "both"),
    [
        ("instrument", "share", "etf", r"'etf' contradicts the lake's MKT, 'share'"),
        ("multiplier", 100, 50, r"= 50 contradicts the lake's MKT, 100: .*\[constants\]"),
        ("settlement", "PM", "AM", r"'AM' contradicts the lake's MKT, PM: .*\[timing\]"),
        ("settlement", "PM", "third_friday", r"'third_friday' contradicts the lake's MKT, PM"),
        ("oi_lag_sessions", 1, 0, r"= 0 contradicts the lake's MKT, 1: .*\[timing\]"),
    ],
)
def test_a_configuration_may_repeat_it_and_not_contradict_it(
    key: str, right: Any, wrong: Any, both: str, stated: Path
) -> None:
    assert load_market(_configured(stated, **{key: right})).facts.instrument == "share"
    with pytest.raises(ConfigError, match=both):
        load_market(_configured(stated, **{key: wrong}))


@pytest.mark.parametrize("line", ['instrument = "index"', "multiplier = 10", "oi_lag_sessions = 0"])
def test_every_command_that_reads_a_configuration_refuses(
    line: str, stated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stated / "contradicting.toml"
    file.write_text(
        f'[data]\nlake = "lake"\nunderlying = "MKT"\nbars = "bars.parquet"\n{line}\n'
        '[inference]\nbootstrap = 100\n[nightly]\nout = "nights"\n'
        '[grid]\nfilters = ["sign"]\nrules = [{ long = "fade", short = "follow" }]\n',
        encoding="utf-8",
    )
    out = ["--out", str(tmp_path / "out")]
    for words in (
        ["backtest", str(file), *out],
        ["test", "fade-follow", str(file), *out],
        ["leakcheck", str(file)],
        ["nightly", str(file)],
        ["grid", str(file), *out],
    ):
        capsys.readouterr()
        assert cli.run(words) == 1, words
        said = " ".join(capsys.readouterr().err.split())
        assert "contradicts the lake's MKT" in said, said


def test_options_of_commands_are_held_against_it(stated: Path) -> None:
    lake = stated / "lake"
    with pytest.raises(ConfigError, match=r"instrument 'index' contradicts the lake's MKT"):
        rebuild(lake, "MKT", instrument="index")
    with pytest.raises(ConfigError, match=r"instrument 'etf' contradicts the lake's MKT"):
        findings(open_lake(lake), "MKT", instrument="etf")
    assert rebuild(lake, "MKT").rebuilt == rebuild(lake, "MKT", instrument="share").rebuilt == 0


def test_ingest_refuses_another_kind_and_says_what_changes(tmp_path: Path) -> None:
    write_lake(tmp_path, "XLON", sessions=SESSIONS, more='instrument = "etf"')
    chains = pd.read_csv(tmp_path / "chains.csv")
    later = chains[chains["session"] == chains["session"].max()].assign(session="2025-01-20")
    with pytest.raises(LakeError, match=r"instrument 'etf', those of vendor columns 'share'"):
        _ingest(tmp_path, later, "other", instrument='instrument = "share"')
    told = _ingest(tmp_path, later, "more", multiplier="multiplier = 10")
    assert told.changes == ("multiplier: 100 from 2025-01-02, 10 from 2025-01-20",)
    assert market_of(_configured(tmp_path)).multiplier[-1].value == 10.0
    with pytest.raises(ConfigError, match=r"= 10 contradicts.*100 from 2025-01-02, 10 from"):
        load_market(_configured(tmp_path, multiplier=10))


def test_stating_the_kind_reads_no_file_again(tmp_path: Path) -> None:
    """It changes no row: the record of sources takes it, and rows stay what they are."""
    write_lake(tmp_path, "XLON", sessions=SESSIONS, more="# nothing stated")
    before = open_lake(tmp_path / "lake").sessions("MKT")
    chains = pd.read_csv(tmp_path / "chains.csv")
    with_kind = (tmp_path / "map.toml").read_text(encoding="utf-8") + 'instrument = "etf"\n'
    (tmp_path / "map.toml").write_text(with_kind, encoding="utf-8")
    told = _ingest(tmp_path, chains, "chains")
    assert (told.files, told.files_unchanged) == (0, 1)
    assert open_lake(tmp_path / "lake").facts("MKT").instrument == "etf"
    assert open_lake(tmp_path / "lake").sessions("MKT") == before


def test_a_lake_without_the_facts_goes_on_working(tmp_path: Path) -> None:
    write_lake(tmp_path, "XNYS", sessions=SESSIONS)
    root = tmp_path / "lake"
    version = open_lake(root).at()
    held = manifest_at(root, "MKT", version)
    bare = replace(held, sessions=tuple(replace(e, facts=UNKNOWN) for e in held.sessions))
    changes = record_changes(root, version, record_of(root, "MKT", version), bare)
    commit(root, version, changes, operation="migrate", underlying="MKT", sessions=0)
    assert open_lake(tmp_path / "lake").facts("MKT").multiplier == ()
    result = backtest(config_of(tmp_path, multiplier=50, settlement="AM", oi_lag_sessions=0))
    assert result.data.sessions == SESSIONS
