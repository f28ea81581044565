"""Commands on many underlyings, from the file to the cross-section."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import MANY_NAMES_MAP as MAP
from small_markets import write_lake

from gexlab.backtest import load_configs
from gexlab.data import ConfigError, encoded_name, ingest, rebuild
from gexlab.reports.cli import app as cli

NAMES = ("ABT", "Abt", "BRK/B")


def said(*words: str, code: int = 0) -> Any:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert cli.run([*words]) == code, out.getvalue()
    return json.loads(out.getvalue()) if "--json" in words else out.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = ["date,name,expiry,strike,cp,oi,iv,spot"]
    for more, day in enumerate(("2022-12-12", "2022-12-13", "2022-12-14")):
        for i, name in enumerate(NAMES):
            for strike in range(80, 125, 5):
                for right, oi in (("C", 10 + i + strike % 7), ("P", 12 + strike % 5)):
                    size = oi + more * (1 + strike % 11)
                    lines.append(
                        f"{day},{name},2023-01-20,{strike},{right},{size},0.25,{100 + more}"
                    )
    (tmp_path / "chains.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "map.toml").write_text(MAP)
    (tmp_path / "settings.toml").write_text(
        '[default]\nsector = "health"\n[underlyings."BRK/B"]\nsector = "finance"\nrate = 0.03\n'
    )
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_from_one_file_to_the_cross_section() -> None:
    lake, settings = ("--lake", "lake"), ("--settings", "settings.toml")
    every = ("--underlying", "*", *lake, *settings)
    read = said("ingest", "chains.csv", "--vendor", "columns", "--map", "map.toml", *every,
                "--json")  # fmt: skip
    assert {k: v["rows_written"] for k, v in read["by_underlying"].items()} == dict.fromkeys(
        NAMES, 54
    )
    assert read["assumed"]["BRK/B"]["said_by"] == {"sector": "own", "rate": "own"}
    done = said("rebuild", *every, "--json")
    assert (done["rebuilt"], len(done["definition_id"].split(", "))) == (9, 2)
    rows = said("regimes", *every, "--json")
    assert sorted({row["underlying"] for row in rows}) == sorted(NAMES)
    section = said("cross-section", *lake, *settings, "--json")
    last = section["market"][-1]
    mine = [r for r in rows if r["session"] == last["session"] and r["book"] == "post_expiry"]
    assert last["net_gex"] == pytest.approx(sum(r["net_gex"] for r in mine))
    assert last["known_at"] == max(r["known_at"] for r in mine)
    assert [s["sector"] for s in section["sectors"][:2]] == ["finance", "health"]
    said("cross-section", *lake, *settings, "--out", "out", "--test")
    assert len(pd.read_parquet("out/names.parquet")) == 9
    found = said("check", *every, "--json")
    assert {entry["underlying"] for entry in found} == set(NAMES)
    assert said("verify", *lake, "--underlying", "A*", "--json")["sessions"] == 6
    text = said("ingest", "chains.csv", "--vendor", "columns", "--map", "map.toml",
                "--underlying", "A*", "--lake", "other", *settings)  # fmt: skip
    assert "Abt" in text
    assert "Assumed" in text


RUN = """
[data]
lake = "lake"
underlying = "{underlying}"
instrument = "future"
bars = "{bars}"

[inference]
bootstrap = 100
"""


def test_a_configuration_for_each(folder: Path) -> None:
    said("ingest", "chains.csv", "--vendor", "columns", "--map", "map.toml", "--underlying", "*",
         "--lake", "lake")  # fmt: skip
    file = folder / "run.toml"
    file.write_text(RUN.format(underlying="*", bars="bars/{underlying}.parquet"))
    configs = load_configs(file)
    assert {name: c.data.bars.name for name, c in configs.items()} == {
        "ABT": "ABT.parquet", "Abt": "A%62%74.parquet", "BRK/B": "BRK%2FB.parquet",
    }  # fmt: skip
    assert {name: c.data.underlying for name, c in configs.items()} == {n: n for n in NAMES}
    assert list(load_configs(file, "ABT,BRK/B")) == ["ABT", "BRK/B"]
    assert load_configs(file, "Abt")["Abt"].data.bars.parent == folder / "bars"
    columns = RUN.replace("[inference]", 'bars_where = {{ root = "{{underlying}}" }}\n[inference]')
    file.write_text(columns.format(underlying="A*", bars="bars.parquet"))
    assert [c.data.bars_where for c in load_configs(file).values()] == [
        {"root": "ABT"}, {"root": "Abt"},
    ]  # fmt: skip
    file.write_text(RUN.format(underlying="*", bars="bars.parquet"))
    with pytest.raises(ConfigError, match="3 underlyings would read the same bars"):
        load_configs(file)


@pytest.mark.slow
def test_a_backtest_of_each(folder: Path) -> None:
    bars = write_lake(folder, "XNYS", sessions=40)
    (folder / "bars").mkdir()
    for name in ("MKT", "BRK/B"):
        if name != "MKT":
            ingest([folder / "chains.csv"], vendor="columns", underlying=name,
                   lake=folder / "lake", mapping=folder / "map.toml")  # fmt: skip
            rebuild(folder / "lake", name)
        bars.to_parquet(folder / "bars" / f"{encoded_name(name)}.parquet", index=False)
    file = folder / "run.toml"
    file.write_text(RUN.format(underlying="*", bars="bars/{underlying}.parquet"))
    both = said("backtest", "run.toml", "--out", "out", "--json")
    assert sorted(both["underlyings"]) == ["BRK/B", "MKT"]
    alone = said("backtest", "run.toml", "--underlying", "MKT", "--out", "one", "--json")
    assert both["underlyings"]["MKT"]["strategies"] == alone["strategies"]
    assert both["combined"]["known"]["names"] == 2
    held = [pd.read_parquet(f"out/{encoded_name(name)}/equity.parquet")
            for name in ("MKT", "BRK/B")]  # fmt: skip
    first = [rows[rows["strategy"] == rows["strategy"].iloc[0]] for rows in held]
    book = sum(rows.set_index("session")["return"].fillna(0) / 2 for rows in first).iloc[1:]
    assert both["combined"]["cagr"] == pytest.approx((1 + book).prod() ** (252 / len(book)) - 1)
    assert (folder / "out" / "BRK%2FB" / "report.html").is_file()
    (folder / "bars" / "MKT.parquet").unlink()
    part = said("backtest", "run.toml", "--out", "out2", "--json", code=1)
    assert list(part["underlyings"]) == ["BRK/B"]
    assert "MKT.parquet" in part["failed"]["MKT"]
    # a book of one is its main strategy
    own = next(iter(part["underlyings"]["BRK/B"]["strategies"].values()))
    book_of_one = {k: part["combined"][k] for k in ("sharpe", "sharpe_low", "cagr", "max_drawdown")}
    assert book_of_one == {k: pytest.approx(own[k]) for k in book_of_one}
    assert part["combined"]["left_out"] == ["MKT"]
    verdicts = said("test", "vol-damping", "run.toml", "--underlying", "*", "--out", "t",
                    "--surrogates", "60", "--simulations", "0", "--json", code=1)  # fmt: skip
    assert [v["name"] for v in verdicts["underlyings"]["BRK/B"]] == ["vol-damping"]
    assert list(verdicts["failed"]) == ["MKT"]
