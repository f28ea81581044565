"""Two nights of a lake of two names, and everything that is said of them and of the lake."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import pandas as pd
from small_markets import MAP, write_chains
from told_outputs import Page

from gexlab.reports.cli import app as cli

__all__ = ["Night", "Told", "told_of"]

SESSIONS = 30
NEW = 3
_CONFIG = """
[data]
lake = "lake"
underlying = "{underlying}"
instrument = "future"
bars = "bars/{bars}.parquet"
[inference]
bootstrap = 100
level = 0.9
[nightly]
paths = ["incoming/*.csv"]
vendor = "columns"
map = "map.toml"
out = "nights"
"""
_SETTINGS = """
[underlyings.MKT]
sector = "wide"
market_value = 5e9
[underlyings.OTH]
sector = "narrow"
market_value = 2e9
"""
#: Sessions by name; a lake that was never rebuilt has no view of regimes.
_HELD = "SELECT '{0}' AS t, underlying, count(DISTINCT session) AS n FROM {0} GROUP BY ALL"


@dataclass(frozen=True)
class Night:
    """What one night printed and wrote."""

    said: dict[str, Any]
    folder: Path
    run: dict[str, Any]
    own_run: dict[str, Any]
    note: dict[str, Any]
    targets: dict[str, Any]
    table: pd.DataFrame
    results: dict[str, Any]
    orders: pd.DataFrame
    summary: str
    page: Page
    entry: dict[str, Any]
    entry_file: Path


@dataclass(frozen=True)
class Told:
    """Everything that was said."""

    folder: Path
    bars: pd.DataFrame
    chains: pd.DataFrame
    documents: dict[str, Any]
    nights: tuple[Night, Night]
    held: list[dict[str, dict[str, int]]]
    files: int
    disk: list[dict[str, int]]
    terminal: dict[str, str]

    @property
    def rows(self) -> pd.DataFrame:
        """Return the regime rows of the book that nights and cross-sections use."""
        rows = pd.DataFrame(self.documents["regimes *"])
        rows["session"] = rows["session"].str[:10]
        return rows[rows["book"] == "post_expiry"].set_index(["underlying", "session"])

    @property
    def sessions(self) -> dict[str, int]:
        """Return the sessions of each name, by the files that went in."""
        return dict(self.chains.groupby("name")["session"].nunique())


def run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command; return what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = cli.run(list(words))
    assert ended in codes, (words, err.getvalue()[-2000:])
    return out.getvalue()


def said(*words: str, codes: tuple[int, ...] = (0,)) -> Any:
    """Run a command; return its document."""
    return json.loads(run(*words, "--json", codes=codes))


def _write_inputs(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write chains of two names, one of which comes later and ends sooner, and all beside them."""
    raw = folder / "raw"
    raw.mkdir()
    bars = write_chains(raw, "XNYS", sessions=SESSIONS)
    rows = pd.read_csv(raw / "chains.csv")
    days = sorted(rows["session"].unique())
    other = rows[(rows["session"] >= days[8]) & (rows["session"] < days[-NEW])]
    other = other.assign(oi=other["oi"] * 2 + (other["right"] == "P") * (other["strike"] % 15) * 40)
    both = pd.concat([rows.assign(name="MKT"), other.assign(name="OTH")], ignore_index=True)
    late = both["session"] >= days[-NEW]
    (folder / "incoming").mkdir()
    both[~late].to_csv(folder / "incoming" / "old.csv", index=False)
    both[late].to_csv(folder / "new.csv", index=False)
    text = MAP.format(calendar="XNYS", more="")
    (folder / "map.toml").write_text(
        text.replace("[columns]", '[columns]\nunderlying = "name"'), encoding="utf-8"
    )
    (folder / "bars").mkdir()
    for name in ("MKT", "OTH"):
        bars.to_parquet(folder / "bars" / f"{name}.parquet", index=False)
    for file, names in (("run", ("MKT", "MKT")), ("each", ("*", "{underlying}"))):
        config = _CONFIG.format(underlying=names[0], bars=names[1])
        (folder / f"{file}.toml").write_text(config, encoding="utf-8")
    (folder / "settings.toml").write_text(_SETTINGS, encoding="utf-8")
    volumes = pd.DataFrame({"underlying": "MKT", "session": days, "dollar_volume": 1e6})
    volumes["dollar_volume"] *= 1.0 + volumes.index
    volumes.to_csv(folder / "volumes.csv", index=False)
    return bars.assign(session=bars["session"].dt.strftime("%Y-%m-%d")).set_index("session"), both


def _night(folder: Path) -> Night:
    # as if each night had run in its own evening: late ones count for nothing
    with patch("gexlab.reports.nightly.nightly.late_night", return_value=False):
        told = said("nightly", str(folder / "run.toml"), codes=(0, 4))
    out, own = folder / "nights", Path(told["folder"])

    def read(path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))

    entry = max((out / "record").glob("0*.json"))
    return Night(
        said=told,
        folder=own,
        run=read(out / "run.json"),
        own_run=read(own / "run.json"),
        note=read(own / "nightly.json"),
        targets=read(own / "targets.json"),
        table=pd.read_csv(own / "targets.csv", keep_default_na=False),
        results=read(own / "results.json"),
        orders=pd.read_parquet(own / "orders.parquet"),
        summary=(own / "summary.md").read_text(encoding="utf-8"),
        page=Page.of((own / "report.html").read_text(encoding="utf-8")),
        entry=read(entry),
        entry_file=entry,
    )


def _disk(lake: Path) -> dict[str, int]:
    """Return the sizes of a lake's data files, by path."""
    return {
        path.relative_to(lake).as_posix(): path.stat().st_size
        for path in lake.rglob("*.parquet")
        if "_delta_log" not in path.parts
    }


def _named_files(lake: Path) -> int:
    """Return how many files a lake has, without those that no log names: a lost race's drafts."""
    named = {
        (log.parents[1] / unquote(json.loads(line)["add"]["path"])).as_posix()
        for log in lake.glob("*/_delta_log/*.json")
        for line in log.read_text(encoding="utf-8").splitlines()
        if line.startswith('{"add"')
    }
    every = [path for path in lake.rglob("*") if path.is_file()]
    return sum(path.suffix != ".parquet" or path.as_posix() in named for path in every)


def told_of(folder: Path) -> Told:
    """Let two nights pass, with new chains between them, and ask every command."""
    bars, chains = _write_inputs(folder)
    lake = ["--lake", str(folder / "lake")]
    every = ["--underlying", "*", *lake]
    each, out = str(folder / "each.toml"), folder / "out"
    documents = {
        "ingest *": said("ingest", str(folder / "incoming" / "old.csv"), "--vendor", "columns",
                         "--map", str(folder / "map.toml"), *every),
        "rebuild *": said("rebuild", *every),
    }  # fmt: skip
    first = _night(folder)
    (folder / "new.csv").rename(folder / "incoming" / "new.csv")
    second = _night(folder)
    named = ["--compare", first.folder.name, second.folder.name]
    section = ["cross-section", *lake, "--settings", str(folder / "settings.toml"),
               "--volumes", str(folder / "volumes.csv")]  # fmt: skip
    documents |= {
        "check *": said("check", *every),
        "verify *": said("verify", *every),
        "regimes *": said("regimes", *every),
        "cross-section": said(*section),
        "cross-section --out": said(*section, "--out", str(folder / "tables")),
        "runs": said("runs", str(folder / "nights")),
        "runs --compare": said("runs", str(folder / "run.toml"), *named),
        "backtest *": said("backtest", each, "--out", str(out)),
        "test *": said("test", "fade-follow", each, "--out", str(folder / "tests")),
        "explain": said("explain", *lake, "--underlying", "MKT", "--session",
                        second.run["session"], "--book", "post_expiry"),
        "versions": said("versions", *lake),
        "sql": said("sql", "SELECT * FROM regimes ORDER BY underlying, session, book", *lake),
    }  # fmt: skip
    terminal = {
        "versions": run("versions", *lake),
        "runs": run("runs", str(folder / "nights")),
        "cross-section": run(*section),
    }
    files = _named_files(folder / "lake")
    held = []
    known: tuple[str, ...] = ("chains",)  # no regimes can be asked for before there are some
    for version in documents["versions"]:
        number = version["version"]
        if version["operation"] == "rebuild":
            known = ("chains", "regimes")
        question = " UNION ALL ".join(_HELD.format(table) for table in known)
        found = said("sql", question, *lake, "--as-of", str(number))
        held.append({t: {r["underlying"]: r["n"] for r in found if r["t"] == t} for t in known})
    disk = [_disk(folder / "lake")]
    for command, more in (("compact", []), ("vacuum", ["--retention", "0"]), ("migrate", [])):
        documents[command] = said(command, *lake, *more)
        documents[f"versions after {command}"] = said("versions", *lake)
        disk.append(_disk(folder / "lake"))
    return Told(folder, bars, chains, documents, (first, second), held, files, disk, terminal)
