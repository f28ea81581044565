"""What a configuration file may say, and what is said about one that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gexlab.backtest.run.config import default_fill
from gexlab.backtest.run.load_config import load_config, parse_config
from gexlab.backtest.run.regime_source import written_path
from gexlab.data.base.errors import ConfigError

EXAMPLE = """
[data]
lake = "lake"
underlying = "SPX"
instrument = "index"
bars = "spx_daily.parquet"
bars_columns = { session = "date", open = "o", high = "h", low = "l", close = "c" }
bars_where = { root = "SPX" }
intraday = "spx_5min.parquet"
start = 2011-05-01
end = 2017-12-31

[regime]
source = "series"
dealer_model = "naive"
book = "post_expiry"
band = 0.02

[regime.series]
path = "published_gex.parquet"
columns = { session = "date", value = "gex" }
known = "next_open"

[[strategies]]
name = "fade-long-follow-short"
filter = "sign"
long = "fade"
short = "follow"
neutral = "flat"
lookback = 1

[execution]
fill = "next_close"
fees_bps = 0.0
slippage_bps = 0.0

[series]
vix = { path = "vix.parquet", columns = { session = "date", value = "value" }, known = "close" }

[inference]
seed = 7
bootstrap = 2000
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _minimal(**data: Any) -> dict[str, Any]:
    return {"data": {"underlying": "SPX", "bars": "b.csv", "lake": "lake", **data}}


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, EXAMPLE))
    assert config.data.bars == tmp_path / "spx_daily.parquet"
    assert config.data.lake == str(tmp_path / "lake")
    assert config.series["vix"].path == tmp_path / "vix.parquet"
    assert config.data.bars_where == {"root": "SPX"}
    assert config.strategies[0].lookback == 1
    assert config.fill == "next_close"
    assert config.folder == tmp_path


def test_addresses_are_kept_as_they_are() -> None:
    assert parse_config(_minimal(lake="s3://bucket/lake")).data.lake == "s3://bucket/lake"


def test_paths_do_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _write(tmp_path, EXAMPLE)
    monkeypatch.chdir(tmp_path.parent)
    relative = load_config(file.relative_to(tmp_path.parent))
    assert relative.data.bars == tmp_path / "spx_daily.parquet"


def test_defaults_are_the_documented_ones() -> None:
    config = parse_config(_minimal())
    assert (config.regime.source, config.regime.book) == ("lake", "post_expiry")
    assert (config.inference.seed, config.inference.bootstrap) == (7, 2000)
    assert config.strategies == ()


@pytest.mark.parametrize(
    ("instrument", "fill"),
    [
        ("index", "next_close"),
        ("etf", "next_open"),
        ("future", "next_open"),
        ("share", "next_open"),
    ],
)
def test_default_fill_by_instrument(instrument: Any, fill: str) -> None:
    assert default_fill(instrument) == fill


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lookback", "lokback", "unknown key 'strategies[0].lokback': did you mean 'lookback'?"),
        ("[series]", "[serie]", "unknown key 'serie': did you mean 'series'?"),
        ('known = "close"', 'knwon = "close"', "unknown key 'series.vix.knwon': did you mean"),
        ("[regime.series]", "[regime.sries]", "unknown key 'regime.sries': did you mean 'series'?"),
        ("dealer_model", "zzz", "unknown key 'regime.zzz': known are band, book"),
        ('source = "series"', 'source = "laek"', "regime.source = 'laek'"),
        ("seed = 7", "seed = -1", "inference.seed = -1"),
        ("seed = 7", "seed = nan", "inference.seed"),
        ("seed = 7", 'seed = "7"', "inference.seed: expected a number, found the text '7': write"),
        ("fees_bps = 0.0", "fees_bps = true", "execution.fees_bps: expected a number, found true"),
        ("lookback = 1", "lookback = true", "lookback: expected a number, found true"),
        ("2011-05-01", "1304208000", "data.start: expected a date, found a number"),
        ("start =", "trusted = [1304208000]\nstart =", "data.trusted: expected a date, found a"),
        ("start =", "simulated = 1\nstart =", "data.simulated: expected true or false, found a"),
        ("start =", 'total_return = "no"\nstart =', "total_return: expected true or false, found"),
        ("fees_bps = 0.0", "fees_bps = -1.0", "execution.fees_bps = -1.0"),
        ("end = 2017", "end = 2010", "start 2011-05-01 lies after end 2010-12-31"),
        ("[data]", "[data", "not a TOML file"),
        ('"sign"', '"sine"', "strategies[0]: unknown filter 'sine': did you mean 'sign'?"),
        ('"fade"', '"fad"', "strategies[0]: unknown rule 'fad': did you mean 'fade'?"),
        ("lookback = 1", "enter = 0.6\nexit = 0.9", "exit 0.9 lies above enter 0.6"),
        ("[[strategies]]", "[strategies]", "strategies: expected a list: write [[strategies]]"),
        ("[regime.series]", "[regime]\nseries = 3\n[x]", "not a TOML file"),
        ("vix = {", "vixx = 3\nvix = {", "series.vixx = 3: expected a table of keys"),
        ("bars_where = {", "bars_columns2 = {", "did you mean 'bars_columns'?"),
        ('{ root = "SPX" }', "4", "data.bars_where = 4: expected a table of keys"),
        ('known = "next_open"', 'known = "9:30"', "'9:30' is no publication time"),
        ('bars = "spx_daily.parquet"', "", "key 'data.bars' is missing"),
        ('"SPX"\ninstrument = "index"', '"ABC"', "instrument of 'ABC' is not known"),
        ("filter =", 'on = "vxx"\nfilter =', "reads series 'vxx', which [series] does not define"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in EXAMPLE
    file = _write(tmp_path, EXAMPLE.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_series_regime_needs_its_series() -> None:
    with pytest.raises(ConfigError, match=r"there is no \[regime.series\]"):
        parse_config({**_minimal(), "regime": {"source": "series"}})


def test_a_lake_regime_needs_a_lake() -> None:
    with pytest.raises(ConfigError, match=r"data.lake is missing"):
        parse_config({"data": {"underlying": "SPX", "bars": "b.csv"}})


def test_a_strategy_is_not_defined_twice() -> None:
    twice = [{"name": "a", "long": "hold"}, {"name": "a", "long": "flat"}]
    with pytest.raises(ConfigError, match="'a' is defined twice"):
        parse_config({**_minimal(), "strategies": twice})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        load_config(tmp_path / "absent.toml")


def test_the_digest_is_that_of_the_configuration_as_it_acts(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, EXAMPLE))
    commented = load_config(_write(tmp_path, "# a comment\n" + EXAMPLE))
    assert commented.sha256 == config.sha256
    (tmp_path / "elsewhere").mkdir()
    moved = load_config(_write(tmp_path / "elsewhere", EXAMPLE))
    assert moved.sha256 == config.sha256
    execution = config.execution.model_copy(update={"fees_bps": config.execution.fees_bps + 1.0})
    changed = config.model_copy(update={"execution": execution})
    assert changed.sha256 != config.sha256
    assert config.model_copy(update={"execution": config.execution}).sha256 == config.sha256


def test_a_file_far_away_is_named_without_the_way_to_it(tmp_path: Path) -> None:
    bars = {"underlying": "SPX", "bars": "spx.csv", "lake": "lake"}
    config = parse_config({"data": bars}, tmp_path / "a" / "b" / "c")
    assert written_path(tmp_path / "a" / "b" / "c" / "in" / "x.csv", config) == "in/x.csv"
    assert written_path(tmp_path / "a" / "b" / "x.csv", config) == "../x.csv"
    assert written_path(tmp_path / "home" / "jane" / "x.csv", config) == "x.csv"
