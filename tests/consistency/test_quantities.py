"""One question, one answer: each quantity at every place that states it, and done again in pandas.

A quantity is an entry of `QUANTITIES`: places, and what the rawest tables give by pandas alone. All
places of one market must agree with that. New keys of ``results.json`` need an entry in `KEYS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import write_lake

from gexlab.data.calendar.trading import trading_calendar
from gexlab.reports.cli import app as cli

CALENDARS = ["XNYS", "24/7", "XTAI", "XLON"]
SESSIONS = 30
_TEXT = (
    '[data]\nlake = "lake"\nunderlying = "MKT"\ninstrument = "future"\nbars = "bars.parquet"\n'
    "end = {end}\n[inference]\nbootstrap = 100\nlevel = 0.8\n[execution]\nfees_bps = 1.0\n"
)


@dataclass(frozen=True)
class Told:
    """What the commands of one market say, and the tables they rest on."""

    calendar: str
    bars: pd.DataFrame
    document: dict[str, Any]
    printed: dict[str, Any]
    page: str
    equity: pd.DataFrame
    regimes: pd.DataFrame
    by_sql: list[dict[str, Any]]
    profile: dict[str, Any]
    explained: dict[str, Any]
    tested: list[dict[str, Any]]

    @property
    def year(self) -> int:
        return 365 if self.calendar == "24/7" else 252

    @property
    def hold(self) -> pd.Series[float]:
        own = self.equity[self.equity["strategy"] == "buy-and-hold"]
        return own.set_index("session")["equity"].pct_change().dropna()

    @property
    def last(self) -> pd.Series[Any]:
        return self.regimes[self.regimes["book"] == "post_expiry"].iloc[-1]


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert cli.run([*words, "--json"]) == 0, words
    return json.loads(capsys.readouterr().out)


@pytest.fixture(params=CALENDARS)
def told(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Told:
    bars = write_lake(tmp_path, request.param, sessions=SESSIONS)
    end = f"{bars['session'].iloc[-1]:%Y-%m-%d}"
    file, lake, out = tmp_path / "run.toml", str(tmp_path / "lake"), tmp_path / "out"
    file.write_text(_TEXT.format(end=end), encoding="utf-8")
    printed = _json(capsys, "backtest", str(file), "--out", str(out))
    question = (
        "SELECT session, book, net_gex, gross_gex, regime FROM regimes "
        "WHERE book = 'post_expiry' ORDER BY session"
    )
    table = tmp_path / "table.parquet"
    assert cli.run(["regimes", "--lake", lake, "--out", str(table)]) == 0
    return Told(
        calendar=request.param,
        bars=bars,
        document=json.loads((out / "results.json").read_text(encoding="utf-8")),
        printed=printed,
        page=(out / "report.html").read_text(encoding="utf-8"),
        equity=pd.read_parquet(out / "equity.parquet"),
        regimes=pd.read_parquet(table),
        by_sql=_json(capsys, "sql", question, "--lake", lake),
        profile=_json(capsys, "profile", "--lake", lake)["regime"],
        explained=_json(capsys, "explain", "--lake", lake)["regime"],
        tested=_json(capsys, "test", "vol-damping", str(file), "--out", str(out)),
    )


def _main(t: Told, name: str, of: str = "buy-and-hold") -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["strategies"][of][name]


def _fact(t: Told, label: str) -> float:
    """Return the number of a fact or cell that follows a label on the page."""
    found = re.search(rf"{label}.*?(\u2212?[\d,.]+)", t.page, re.DOTALL)
    assert found, label
    return float(found.group(1).replace("\u2212", "-").replace(",", ""))


#: Quantity to (its places, its recomputation).
QUANTITIES: dict[str, tuple[dict[str, Callable[[Told], Any]], Callable[[Told], Any]]] = {
    "sessions": (
        {
            "results.json": lambda t: t.document["data"]["sessions"],
            "terminal": lambda t: t.printed["data"]["sessions"],
            "report, daily bars": lambda t: int(_fact(t, "Daily bars")),
            "equity.parquet": lambda t: t.equity["session"].nunique(),
            "regimes": lambda t: t.regimes["session"].nunique(),
            "sql": lambda t: len(t.by_sql),
            "regime counts": lambda t: sum(t.document["regime"]["counts"].values()),
        },
        lambda t: len(t.bars),
    ),
    "calendar": (
        {
            "results.json": lambda t: t.document["data"]["calendar"],
            "report": lambda t: re.findall(r"([\w/]+) calendar", t.page)[0].replace("\\", ""),
        },
        lambda t: t.calendar,
    ),
    "last session": (
        {
            "results.json": lambda t: t.document["data"]["last_session"],
            "profile": lambda t: t.profile["session"][:10],
            "explain": lambda t: t.explained["session"][:10],
            "sql": lambda t: t.by_sql[-1]["session"][:10],
        },
        lambda t: f"{t.bars['session'].iloc[-1]:%Y-%m-%d}",
    ),
    "net GEX of the last session": (
        {
            "profile": lambda t: t.profile["net_gex"],
            "explain": lambda t: t.explained["net_gex"],
            "sql": lambda t: t.by_sql[-1]["net_gex"],
        },
        lambda t: float(t.last["net_gex"]),
    ),
    "regime of the last session": (
        {
            "profile": lambda t: t.profile["regime"],
            "explain": lambda t: t.explained["regime"],
            "sql": lambda t: t.by_sql[-1]["regime"],
        },
        lambda t: t.last["regime"],
    ),
    "sessions by regime": (
        {"results.json": lambda t: {k: v for k, v in t.document["regime"]["counts"].items() if v}},
        lambda t: t.regimes[t.regimes["book"] == "post_expiry"]["regime"].value_counts().to_dict(),
    ),
    "Sharpe ratio of buy-and-hold": (
        {
            "results.json": lambda t: _main(t, "sharpe")(t.document),
            "terminal": lambda t: _main(t, "sharpe")(t.printed),
        },
        lambda t: float(t.hold.mean() / t.hold.std(ddof=1) * np.sqrt(t.year)),
    ),
    "growth of buy-and-hold": (
        {
            "results.json": lambda t: _main(t, "cagr")(t.document),
            "terminal": lambda t: _main(t, "cagr")(t.printed),
        },
        lambda t: float(np.prod(1.0 + t.hold.to_numpy()) ** (t.year / len(t.hold)) - 1.0),
    ),
    "volatility of buy-and-hold": (
        {"results.json": lambda t: _main(t, "volatility")(t.document)},
        lambda t: float(t.hold.std(ddof=1) * np.sqrt(t.year)),
    ),
    "sessions a year": (
        {
            "results.json": lambda t: t.document["data"]["sessions_per_year"],
            "report": lambda t: int(_fact(t, "annualised with")),
        },
        lambda t: t.year,
    ),
    "level of the intervals": (
        {
            "results.json": lambda t: t.document["provenance"]["level"],
            "report": lambda t: float(re.findall(r"([\d.]+) % interval", t.page)[0]) / 100.0,
        },
        lambda t: 0.8,
    ),
    "monthly expirations": (
        {"regimes": lambda t: bool(t.regimes["gex_next_opex_share"].notna().all())},
        lambda t: True,
    ),
    "missing bars": (
        {"results.json": lambda t: t.document["data"]["bars_missing"]},
        lambda t: int(
            np.isin(
                trading_calendar(t.calendar).sessions,
                pd.date_range(t.bars["session"].iloc[0], t.bars["session"].iloc[-1]).to_numpy(
                    "datetime64[D]"
                ),
            ).sum()
            - len(t.bars)
        ),
    ),
}


def test_every_place_says_the_same(told: Told) -> None:
    wrong = []
    for name, (places, recomputed) in QUANTITIES.items():
        expected = recomputed(told)
        for place, read in places.items():
            found = read(told)
            same = (
                found == pytest.approx(expected, rel=1e-9)
                if isinstance(expected, float)
                else found == expected
            )
            if not same:
                wrong.append(f"{name}, {place}: {found!r}, recomputed {expected!r}")
    assert not wrong
    assert set(told.document) == KEYS
    assert set(told.document["data"]) == DATA_KEYS


def test_the_terminals_document_is_the_file(told: Told) -> None:
    whole = {k: v for k, v in told.printed.items() if k in KEYS and k != "provenance"}
    assert whole == {k: v for k, v in told.document.items() if k != "provenance"}


#: A new key needs a line here, and its quantity an entry above.
KEYS = {
    "data", "regime", "execution", "strategies", "volatility", "volatility_by_quantile",
    "volatility_ratio", "range_efficiency", "next_return_sd_by_quantile",
    "vix_return_sd_by_quantile", "autocorrelation", "notices", "provenance",
}  # fmt: skip
DATA_KEYS = {
    "underlying", "instrument", "calendar", "first_session", "last_session", "sessions",
    "simulated", "bars", "bars_missing", "bars_not_sessions", "intraday_sessions", "currency",
    "sessions_per_year", "bars_bad", "intraday_bad_sessions",
}  # fmt: skip
