"""A lake's past gives the values that it gave: regimes and results, version by version."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from small_markets import config_of, write_lake

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.context import open_run
from gexlab.backtest.run.documents import results_document
from gexlab.data import open_lake, query, rebuild, regimes, versions
from gexlab.data.base.errors import ConfigError, LakeError
from gexlab.data.lake.lake import Lake
from gexlab.data.lake.versions import newest
from gexlab.data.lake.writer import write_sessions
from gexlab.reports.cli import app as cli

#: Sessions that the lake begins with: enough for a backtest.
BEGIN = 22


def results(config: Config, as_of: int | None = None) -> str:
    """Everything that a run says but its provenance, which states when it was made."""
    with open_run(config, as_of=as_of) as opened:
        found = results_document(backtest(config, market=opened.market))
    found.pop("provenance")
    return json.dumps(found, sort_keys=True)


def grow(folder: Path, changes: int, seed: int) -> dict[int, tuple[pd.DataFrame, str]]:
    """Add sessions one by one and replace some; return what was printed at each version.

    Each change makes two versions: one by the writer, whose regimes nobody has rebuilt yet, and
    one by the run. The values are those of the second.
    """
    write_lake(folder, "XNYS", sessions=BEGIN + changes)
    whole = open_lake(folder / "lake")
    rows = pa.concat_tables(
        [pq.ParquetFile(path).read() for path in whole.chain_files("MKT")]
    ).sort_by("session")
    days = sorted(set(rows["session"].to_pylist()))
    config = config_of(folder, lake="grown")
    lake = open_lake(folder / "grown", create=True)
    draw = random.Random(seed)
    found = {}
    for i in range(changes):
        if i % 3 == 2:  # open interest of a session is corrected
            chosen, factor = draw.choice(days[: BEGIN + i - 1]), draw.uniform(0.2, 3.0)
        else:
            chosen, factor = days[BEGIN + i], 1.0
        wanted = days[: BEGIN + 1] if i == 0 else [chosen]
        write_sessions(lake, "MKT", _of_days(rows, wanted, factor))
        written = newest(lake.root).number
        said = results(config)
        table = regimes(lake, "MKT", book="post_expiry")
        found[written] = found[newest(lake.root).number] = (table, said)
    return found


def _of_days(rows: pa.Table, days: list[Any], factor: float) -> pa.Table:
    kept = rows.filter(pc.is_in(rows["session"], value_set=pa.array(days, pa.date32())))
    place = kept.column_names.index("open_interest")
    return kept.set_column(place, "open_interest", pc.multiply(kept[place], factor))


@pytest.mark.parametrize("changes", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_each_version_gives_what_was_printed_then(tmp_path: Path, changes: int) -> None:
    printed = grow(tmp_path, changes, seed=11)
    config = config_of(tmp_path, lake="grown")
    root = tmp_path / "grown"
    before = len(versions(root))
    assert len(printed) == 2 * changes
    for number, (table, said) in printed.items():
        past = open_lake(root, as_of=number)
        last = number == max(n for n in printed if printed[n][1] == said)
        if not last or changes > 3:  # of the one before, nobody has rebuilt the rows yet
            assert results(config, as_of=number) == said, number
        if last:  # rebuilt by then
            again = regimes(past, "MKT", book="post_expiry")
            pd.testing.assert_frame_equal(again, table)
        at = versions(root)[number].at
        assert open_lake(root, as_of=at.isoformat()).version == number
    assert len(versions(root)) == before  # the past is not written to
    assert len({said for _, said in printed.values()}) == changes


def test_commands_read_the_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lake(tmp_path, "XNYS", sessions=6)
    root = tmp_path / "lake"
    rows = pa.concat_tables([pq.ParquetFile(p).read() for p in open_lake(root).chain_files("MKT")])
    first = rows["session"].to_pylist()[0]
    write_sessions(open_lake(root), "MKT", _of_days(rows, [first], 9.0))
    rebuild(root, "MKT")
    asked = "SELECT max(open_interest) AS m FROM chains"
    assert query(root, asked)["m"][0].as_py() > query(Lake(root, 1), asked)["m"][0].as_py()
    said = {}
    for words in (
        ["sql", asked], ["regimes"], ["profile", "--session", str(first)],
        ["explain", "--session", str(first)], ["check"],
    ):  # fmt: skip
        for as_of in ("1", "3"):
            code = cli.run([*words, "--lake", str(root), "--as-of", as_of, "--json"])
            printed = capsys.readouterr()
            assert code == 0, printed.err
            said[words[0], as_of] = printed.out
        assert cli.run([*words, "--lake", str(root), "--json"]) == 0
        assert capsys.readouterr().out == said[words[0], "3"]
    for name in ("sql", "regimes", "profile", "explain"):
        assert said[name, "1"] != said[name, "3"], name
    for wrong, message in (("99", "has versions 0 to 3, not 99"), ("1999-01-01", "was not there"),
                           ("soon", "expected the number of a version or a moment")):  # fmt: skip
        assert cli.run(["sql", "SELECT 1", "--lake", str(root), "--as-of", wrong]) == 1
        assert message in " ".join(capsys.readouterr().err.split())


def test_the_past_is_not_written_to(tmp_path: Path) -> None:
    write_lake(tmp_path, "XNYS", sessions=4)
    past = open_lake(tmp_path / "lake", as_of=0)
    rows = pa.concat_tables([pq.ParquetFile(p).read() for p in past.chain_files("MKT")])
    with pytest.raises(LakeError, match="only read"):
        write_sessions(past, "MKT", rows)
    config = config_of(tmp_path).model_copy(deep=True)
    series = config.model_copy(
        update={"regime": config.regime.model_copy(update={"source": "series"})}
    )
    with pytest.raises(ConfigError, match="a series has no versions"), open_run(series, as_of=0):
        pass


def test_every_command_that_runs_a_configuration_reads_the_past(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What each wrote at one version it says again of that version, once the lake has gone on."""
    write_lake(tmp_path, "XNYS", sessions=60)
    root, file = tmp_path / "lake", tmp_path / "config.toml"
    file.write_text(f"{CONFIG}\n[tournament]\nplacebos = 20\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("rate = 0.07\n", encoding="utf-8")
    jobs: dict[str, tuple[list[str], str]] = {
        "backtest": ([str(file)], "results.json"),
        "test": (["vol-damping", str(file), "--surrogates", "60", "--simulations", "0"],
                 "hypotheses.json"),
        "grid": ([str(file)], "grid.json"),
        "tournament": ([str(file)], "tournament.json"),
        "leakcheck": ([str(file), "--cuts", "2"], ""),
        "diff": (["default", str(tmp_path / "other.toml"), "--lake", str(root)], ""),
    }  # fmt: skip

    def said(name: str, *more: str) -> Any:
        words, written = jobs[name]
        out = ["--out", str(tmp_path / "out" / name)] if written else []
        code = cli.run([name, *words, *out, *more, "--json"])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return _timeless(json.loads(printed.out))

    rebuild(root, "MKT")
    then = {name: said(name) for name in jobs}
    written = newest(root).number
    rows = pa.concat_tables([pq.ParquetFile(p).read() for p in open_lake(root).chain_files("MKT")])
    days = sorted(set(rows["session"].to_pylist()))
    changed = rows.filter(pc.equal(rows["right"], "C"))
    write_sessions(open_lake(root), "MKT", _of_days(changed, days[20:45], 9.0))
    for name in jobs:
        assert said(name, "--as-of", str(written)) == then[name], name
    assert said("diff") != then["diff"]
    assert then["backtest"]["provenance"]["lake_version"] == 0
    assert said("backtest")["provenance"]["lake_version"] == written + 1


#: A configuration with everything that the commands ask for.
CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "future"
bars = "bars.parquet"

[inference]
bootstrap = 100

[grid]
filters = ["sign"]
rules = [{ long = "fade", short = "follow" }]
"""


#: What tells when, how fast and how often something was computed.
CLOCKS = {"seconds", "created_at", "computed", "reused", "report", "out", "trial_numbers"}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in CLOCKS}
    return [_timeless(v) for v in value] if isinstance(value, list) else value
