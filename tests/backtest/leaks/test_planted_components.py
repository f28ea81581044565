"""Thirty components that look ahead are found, and ten honest ones raise no alarm.

Each is what a user might write in a file of their own. What public checkers of look-ahead miss, and
take for look-ahead, are cases too.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from gjr_market import gjr, write

from gexlab.backtest.grid.grid import grid
from gexlab.backtest.leaks.leakcheck import leakcheck
from gexlab.backtest.leaks.outside import reached_outside
from gexlab.backtest.run.backtest import strategies_asked_for
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.tournament.counting import ledger
from gexlab.backtest.tournament.tournament import tournament
from gexlab.data.base.errors import LookAheadError
from gexlab.strategies.registry import make_strategy

HEAD = """
import numpy as np
import pandas as pd
from gexlab.strategies import Filter, Past, Rule, Sizing

BARS = {bars!r}

def sign(x):
    return np.where(np.isfinite(x), np.where(x > 0.0, 1.0, 2.0), 0.0)

class OnGex(Filter):
    def inputs(self):
        return {{"value": Past("regime")}}

class OnPast(Filter):
    def inputs(self):
        return {{"value": Past("regime", None)}}

class OnClose(Rule):
    def inputs(self):
        return {{"close": Past("close", None)}}
"""

#: Body of the class ``Mine``: a filter, or a rule where it says so.
PLANTED = {
    "median of the whole sample": """
class Mine(OnGex):
    def labels(self, value):
        return sign(value[:, -1] - np.nanmedian(value))
""",
    "quantile of the whole sample": """
class Mine(OnGex):
    def labels(self, value):
        return sign(value[:, -1] - np.nanquantile(value, 0.7))
""",
    "z-score of the whole sample": """
class Mine(OnGex):
    def labels(self, value):
        x = value[:, -1]
        return np.where((x - np.nanmean(x)) / np.nanstd(x) > 0.5, 1.0, 2.0)
""",
    "scaler between the smallest and the largest": """
class Mine(OnGex):
    def labels(self, value):
        x = value[:, -1]
        return sign((x - np.nanmin(x)) / (np.nanmax(x) - np.nanmin(x)) - 0.5)
""",
    "rank within the whole sample": """
class Mine(OnGex):
    def labels(self, value):
        return sign(pd.Series(value[:, -1]).rank(pct=True).to_numpy() - 0.6)
""",
    "best threshold of the whole sample": """
class Mine(Filter):
    def inputs(self):
        return {"value": Past("regime"), "close": Past("close")}
    def labels(self, value, close):
        x, r = value[:, -1], np.append(np.diff(np.log(close[:, -1])), 0.0)
        levels = np.nanquantile(x, np.linspace(0.1, 0.9, 17))
        best = max(levels, key=lambda q: np.nansum(np.where(x > q, r, -r)))
        return sign(x - best)
""",
    "best lookback of the whole sample": """
class Mine(OnClose):
    def targets(self, close):
        p = pd.Series(np.log(close))
        r = p.diff().shift(-1)
        found = {k: np.sign(p.diff(k)) for k in range(1, 30)}
        return max(found.values(), key=lambda s: (s * r).sum()).fillna(0.0).to_numpy()
""",
    "shift(-1)": """
class Mine(OnPast):
    def labels(self, value):
        return sign(pd.Series(value).shift(-1).ffill().to_numpy())
""",
    "shift(-1) behind a rolling window": """
class Mine(OnPast):
    def labels(self, value):
        return sign(pd.Series(value).rolling(10, min_periods=1).mean().shift(-1).ffill().to_numpy())
""",
    "centred window": """
class Mine(OnPast):
    def labels(self, value):
        return sign(pd.Series(value).rolling(5, center=True, min_periods=1).mean().to_numpy())
""",
    "np.roll": """
class Mine(OnPast):
    def labels(self, value):
        return sign(np.roll(value, -1))
""",
    "gradient over both neighbours": """
class Mine(OnPast):
    def labels(self, value):
        return sign(np.gradient(np.nan_to_num(value)))
""",
    "convolution in the middle": """
class Mine(OnPast):
    def labels(self, value):
        return sign(np.convolve(np.nan_to_num(value), np.ones(5) / 5, mode="same"))
""",
    "filter run forwards and backwards": """
class Mine(OnPast):
    def labels(self, value):
        x = pd.Series(value).ffill().fillna(0.0)
        return sign(x.ewm(halflife=3).mean()[::-1].ewm(halflife=3).mean()[::-1].to_numpy())
""",
    "smoothed states of a hidden Markov model": """
class Mine(OnPast):
    def labels(self, value):
        x = np.nan_to_num(value) / np.nanstd(value[:100])
        like = np.exp(-0.5 * np.column_stack([(x - 0.8) ** 2, (x + 0.8) ** 2])) + 1e-12
        stay = np.array([[0.9, 0.1], [0.1, 0.9]])
        n = len(x)
        forward, back = np.empty((n, 2)), np.ones((n, 2))
        state = np.array([0.5, 0.5])
        for t in range(n):
            state = state @ stay * like[t]
            state /= state.sum()
            forward[t] = state
        for t in range(n - 2, -1, -1):
            back[t] = stay @ (like[t + 1] * back[t + 1])
            back[t] /= back[t].sum()
        both = forward * back
        return np.where(both[:, 0] > both[:, 1], 1.0, 2.0)
""",
    "trend of the whole sample taken out": """
class Mine(OnPast):
    def labels(self, value):
        x = np.nan_to_num(value)
        t = np.arange(len(x))
        return sign(x - np.polyval(np.polyfit(t, x, 3), t))
""",
    "regression of the whole sample": """
class Mine(Filter):
    def inputs(self):
        return {"value": Past("regime"), "close": Past("close")}
    def labels(self, value, close):
        r = np.append(np.diff(np.log(close[:, -1])), 0.0)
        ok = np.isfinite(value[:, -1])
        slope, level = np.polyfit(value[ok, -1], np.abs(r[ok]), 1)
        return sign(level + slope * value[:, -1] - np.median(np.abs(r)))
""",
    "backfilled": """
class Mine(OnPast):
    def labels(self, value):
        weekly = np.where(np.arange(len(value)) % 5 == 4, value, np.nan)
        return sign(pd.Series(weekly).bfill().ffill().to_numpy())
""",
    "interpolated": """
class Mine(OnPast):
    def labels(self, value):
        weekly = np.where(np.arange(len(value)) % 5 == 0, value, np.nan)
        return sign(pd.Series(weekly).interpolate(limit_direction="both").to_numpy())
""",
    # what a checker misses that looks at closed trades, two candles back: freqtrade 11346
    "one session ahead, in the last decision alone": """
class Mine(OnClose):
    def targets(self, close):
        return np.append(np.sign(np.diff(close)), 0.0)
""",
    "a week's close on each of its days": """
class Mine(OnClose):
    def targets(self, close):
        week = np.arange(len(close)) // 5
        last = pd.Series(close).groupby(week).transform("last").to_numpy()
        return np.sign(last - close)
""",
    "a week's high on each of its days": """
class Mine(OnClose):
    def targets(self, close):
        week = np.arange(len(close)) // 5
        high = pd.Series(close).groupby(week).transform("max").to_numpy()
        return np.where(close >= high, -1.0, 1.0)
""",
    "next open known": """
class Mine(Rule):
    def inputs(self):
        return {"open": Past("open", None), "close": Past("close", None)}
    def targets(self, open, close):
        return np.append(np.sign(open[1:] - close[:-1]), 0.0)
""",
    "turning points": """
class Mine(OnClose):
    def targets(self, close):
        p = np.pad(close, 3, mode="edge")
        low = np.lib.stride_tricks.sliding_window_view(p, 7).min(axis=1)
        return np.where(close <= low, 1.0, -1.0)
""",
    "position by the largest return of all": """
class Mine(OnClose):
    def targets(self, close):
        r = np.append(0.0, np.diff(np.log(close)))
        return r / np.max(np.abs(r))
""",
    "volatility target by that of the whole sample": """
class Mine(OnClose):
    def targets(self, close):
        r = np.append(0.0, np.diff(np.log(close)))
        scale = min(1.0, 0.004 / np.std(r))
        return scale * np.sign(r)
""",
    # inputs that are not declared, and memory from call to call
    "a file that is read without being declared": """
class Mine(OnClose):
    def targets(self, close):
        bars = pd.read_parquet(BARS)["close"].to_numpy()
        return np.sign(np.append(np.diff(bars), 0.0))[: len(close)]
""",
    "a file whose next volatility is known": """
class Mine(OnClose):
    def targets(self, close):
        bars = pd.read_parquet(BARS)
        size = np.log(bars["high"] / bars["low"]).shift(-1).fillna(0.01).to_numpy()[: len(close)]
        return np.clip(0.005 / size, 0.0, 1.0)
""",
    "a threshold that the first call leaves behind": """
LEVEL = []
class Mine(OnGex):
    def labels(self, value):
        if not LEVEL:
            LEVEL.append(np.nanmedian(value))
        return sign(value[:, -1] - LEVEL[0])
""",
    "a mean over all calls": """
SEEN = []
class Mine(OnGex):
    def labels(self, value):
        SEEN.extend(value[np.isfinite(value)].tolist())
        return sign(value[:, -1] - np.mean(SEEN))
""",
}

#: Found every time; the rest with the slow tests.
SAMPLE = (
    "quantile of the whole sample",
    "smoothed states of a hidden Markov model",
    "one session ahead, in the last decision alone",
    "a file that is read without being declared",
    "a threshold that the first call leaves behind",
)

HONEST = {
    "sign": "class Mine(OnGex):\n    def label(self, value):\n"
    "        return 'long' if value[-1] > 0 else 'short'\n",
    "expanding median": """
class Mine(OnPast):
    def labels(self, value):
        return sign(value - pd.Series(value).expanding().median().to_numpy())
""",
    "rolling rank": """
class Mine(OnPast):
    def labels(self, value):
        return sign(pd.Series(value).rolling(63, min_periods=20).rank(pct=True).to_numpy() - 0.5)
""",
    "exponential mean": """
class Mine(OnPast):
    def labels(self, value):
        return sign(pd.Series(value).ewm(halflife=5).mean().to_numpy())
""",
    "filtered states": """
class Mine(OnPast):
    recursive = True
    def labels(self, value):
        out, state = np.empty(len(value)), 0.5
        for t, x in enumerate(np.nan_to_num(value) / 1e9):
            state = 0.9 * state + 0.1 * (1 - state)
            up, down = state * np.exp(-((x - 1) ** 2)), (1 - state) * np.exp(-((x + 1) ** 2))
            state = up / (up + down)
            out[t] = 1.0 if state > 0.5 else 2.0
        return out
""",
    "momentum": """
class Mine(OnClose):
    def targets(self, close):
        return np.sign(pd.Series(close).diff(10).fillna(0.0)).to_numpy()
""",
    "inverse volatility": """
class Mine(OnClose):
    def targets(self, close):
        r = pd.Series(close).pct_change()
        return (0.003 / r.rolling(21).std()).clip(0.0, 1.0).to_numpy()
""",
    "remembers the label before": """
class Mine(OnGex):
    def label(self, value, previous):
        return previous if previous in ("long", "short") and abs(value[-1]) < 2e8 else (
            "long" if value[-1] > 0 else "short")
""",
    # what a checker that changes more than the future takes for look-ahead: freqtrade 13547
    "decides by what kind of market it is": """
class Mine(Filter):
    def inputs(self):
        return {"value": Past("regime"), "year": Past("calendar.sessions_a_year")}
    def labels(self, value, year):
        return np.where(value[:, -1] * np.where(year[:, -1] > 300, -1.0, 1.0) > 0.0, 1.0, 2.0)
""",
    "sums that round otherwise over fewer rows": """
class Mine(OnClose):
    def targets(self, close):
        r = np.append(0.0, np.diff(np.log(close)))
        total = np.fft.irfft(np.fft.rfft(r, 4096) * np.fft.rfft(np.ones(5), 4096), 4096)[: len(r)]
        return np.clip(20.0 * total, -1.0, 1.0)
""",
}


CONFIG = """
[data]
underlying = "SPY"
instrument = "etf"
bars = "bars.parquet"
[regime]
source = "series"
[regime.series]
path = "gex.parquet"
known = "close"
[inference]
bootstrap = 100
[[strategies]]
name = "mine"
{part}
"""


def _config(folder: Path, body: str, sessions: int = 420) -> Path:
    """Write a market and a strategy of the component ``Mine``; return the configuration's file."""
    write(gjr(sessions, 5), folder)
    head = HEAD.format(bars=str(folder / "bars.parquet"))
    (folder / "mine.py").write_text(head + dedent(body), encoding="utf-8")
    is_rule = "OnClose" in body or "(Rule)" in body
    part = 'filter = "always"\nlong = "mine.py:Mine"' if is_rule else 'filter = "mine.py:Mine"'
    file = folder / "run.toml"
    file.write_text(CONFIG.format(part=part), encoding="utf-8")
    return file


def _found(folder: Path, body: str, cuts: int) -> list[str]:
    result = leakcheck(_config(folder, body), cuts=cuts)
    return [f"{leak.input}: {leak.kind}" for leak in result.leaks]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_component_that_looks_ahead(name: str, tmp_path: Path) -> None:
    found = _found(tmp_path, PLANTED[name], 6)
    assert any("mine" in each for each in found), found


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PLANTED))
def test_thirty_components_that_look_ahead(name: str, tmp_path: Path) -> None:
    assert len(PLANTED) == 30
    found = _found(tmp_path, PLANTED[name], 25)
    assert any("mine" in each for each in found), found


@pytest.mark.parametrize("name", ["filtered states", "sums that round otherwise over fewer rows"])
def test_an_honest_component(name: str, tmp_path: Path) -> None:
    assert _found(tmp_path, HONEST[name], 6) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", list(HONEST))
def test_ten_honest_components(name: str, tmp_path: Path) -> None:
    assert len(HONEST) == 10
    assert _found(tmp_path, HONEST[name], 25) == []


@pytest.mark.parametrize(
    ("name", "section"),
    [
        pytest.param("quantile of the whole sample", "", id="strategies"),
        pytest.param(
            "best lookback of the whole sample",
            '[grid]\nfilters = ["sign", "always"]\nrules = [{ long = "mine.py:Mine" }]\n',
            id="rule",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "best threshold of the whole sample",
            '[grid]\nfilters = ["sign", "mine.py:Mine"]\nfees_bps = [0, 1]\n',
            id="filter",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_tournament_refuses_a_selection_that_peeks(
    name: str, section: str, tmp_path: Path
) -> None:
    """With a grid, and without one: nothing is simulated, nothing recorded."""
    file = _config(tmp_path, PLANTED[name])
    text = file.read_text(encoding="utf-8") + '[ledger]\npath = "ledger"\n'
    if section:
        first, last = text.index("[[strategies]]"), text.index("[ledger]")
        text = text[:first] + section + text[last:]
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LookAheadError, match="mine"):
        tournament(file, out=tmp_path / "out")
    assert not (tmp_path / "out" / "tournament.json").exists()
    assert ledger(tmp_path / "ledger").trials == 0


def test_a_grid_refuses_what_reads_an_undeclared_future(tmp_path: Path) -> None:
    file = _config(tmp_path, PLANTED["a file that is read without being declared"])
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text[: text.index("[[strategies]]")]
        + '[grid]\nfilters = ["always"]\nrules = [{ long = "mine.py:Mine" }]\n',
        encoding="utf-8",
    )
    with pytest.raises(LookAheadError, match="mine"):
        grid(file)


DAY = date(2020, 1, 2)

#: Bodies of ``Mine``; kinds that are named. None of them changes with later data.
SILENT = {
    "state in another module": (
        """
class Mine(OnGex):
    def labels(self, value):
        if not hasattr(np, "_level"):
            np._level = float(np.nanmedian(value))
        return sign(value[:, -1] - np._level)
""",
        {"keeps_state_elsewhere"},
    ),
    "the same by setattr": (
        """
def keep(value):
    setattr(np, "_kept", float(np.nanmedian(value)))
class Mine(OnGex):
    def labels(self, value):
        keep(value)
        return sign(value[:, -1])
""",
        {"keeps_state_elsewhere"},
    ),
    "state in a file": (
        """
from pathlib import Path as P
class Mine(OnGex):
    def labels(self, value):
        kept = P(BARS).with_name("kept.txt")
        if not kept.exists():
            kept.write_text(str(float(np.nanmedian(value))))
        return sign(value[:, -1] - float(kept.read_text()))
""",
        {"keeps_state_elsewhere", "reads_undeclared"},
    ),
    "state in the environment": (
        """
from os import environ as kept
class Mine(OnGex):
    def labels(self, value):
        kept.setdefault("MINE", str(float(np.nanmedian(value))))
        return sign(value[:, -1] - float(kept["MINE"]))
""",
        {"keeps_state_elsewhere", "reads_undeclared"},
    ),
    "one number of a file": (
        """
LEVEL = pd.read_parquet(BARS)["close"].median()
class Mine(OnClose):
    def targets(self, close):
        return np.sign(close - LEVEL)
""",
        {"reads_undeclared"},
    ),
    "a reader under another name": (
        """
reader = pd.read_parquet
class Mine(OnClose):
    def targets(self, close):
        return np.sign(close - reader(BARS)["close"].median())
""",
        {"reads_undeclared"},
    ),
    "a reader by a name that is made up": (
        """
class Mine(OnClose):
    def targets(self, close):
        return np.sign(close - getattr(pd, "read_" + "parquet")(BARS)["close"].median())
""",
        {"reads_undeclared"},
    ),
    "a reader of this project": (
        """
from gexlab.data import read_bars
class Mine(OnClose):
    def targets(self, close):
        return np.sign(close - read_bars(BARS)["close"].median())
""",
        {"reads_undeclared"},
    ),
    "what lies in a folder": (
        """
import os
class Mine(OnClose):
    def targets(self, close):
        return np.full(len(close), 1.0 / len(os.listdir(".")))
""",
        {"reads_undeclared"},
    ),
    "state in the table of modules": (
        """
import sys
class Mine(OnGex):
    def labels(self, value):
        return sign(value[:, -1] - sys.modules.setdefault("mine_kept", float(np.nanmedian(value))))
""",
        {"keeps_state_elsewhere"},
    ),
    "the day": (
        """
import datetime as dt
class Mine(OnClose):
    def targets(self, close):
        return np.full(len(close), dt.date.today().day / 31.0)
""",
        {"reads_the_clock"},
    ),
    "the day, as a word": (
        """
class Mine(OnClose):
    def targets(self, close):
        return np.full(len(close), pd.Timestamp("now").day / 31.0)
""",
        {"reads_the_clock"},
    ),
    "the time, inherited": (
        """
from time import time as seconds
class Base(OnClose):
    def level(self):
        return 0.0 * seconds()
class Mine(Base):
    def targets(self, close):
        return np.full(len(close), self.level())
""",
        {"reads_the_clock"},
    ),
}

#: A vendor in the same file reads files; values of a component's own are its own.
BESIDE = """
import datetime
class Vendor:
    def read(self, path):
        self.at = datetime.datetime.now()
        return pd.read_parquet(path)
from pathlib import PurePath as helper
class Mine(OnClose):
    how = "median"
    def targets(self, close):
        out = np.zeros(len(close))
        out[0] = 0.0 * getattr(np, self.how)(close[:1])
        helper("of another file")
        kept = []
        kept.append(out)
        out[1:] = np.sign(np.diff(close))
        return out
"""


@pytest.mark.parametrize("name", list(SILENT))
def test_what_a_component_reaches_for_is_named(name: str, tmp_path: Path) -> None:
    body, kinds = SILENT[name]
    (strategy,) = strategies_asked_for(load_config(_config(tmp_path, body, 60)))
    found = reached_outside(strategy, DAY)
    assert {leak.kind for leak in found} == kinds
    assert {leak.input for leak in found} == {"mine"}


@pytest.mark.parametrize("body", [*HONEST.values(), BESIDE], ids=[*HONEST, "beside a vendor"])
def test_no_alarm(body: str, tmp_path: Path) -> None:
    (strategy,) = strategies_asked_for(load_config(_config(tmp_path, body, 60)))
    assert reached_outside(strategy, DAY) == []


HELPER = """
import numpy as np

KEPT = {}

def level(value):
    KEPT.setdefault("level", float(np.nanmedian(value)))
    return KEPT["level"]

def stated(file):
    return float(np.loadtxt(file))

def honest(value):
    seen = [value]
    seen.append(value)
    return value
"""
USES = """
import numpy as np
from gexlab.strategies import Filter, Past
from . import helper
from .helper import honest, stated

class On(Filter):
    def inputs(self):
        return {"value": Past("regime")}

class Keeps(On):
    def labels(self, value):
        return np.where(value[:, -1] > helper.level(value), 1.0, 2.0)

class Reads(On):
    def labels(self, value):
        return np.where(value[:, -1] > stated("level.txt"), 1.0, 2.0)

class Honest(On):
    def labels(self, value):
        return np.where(honest(value)[:, -1] > 0.0, 1.0, 2.0)
"""


def test_helpers_of_the_same_package_are_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "leaking_package"
    package.mkdir()
    for name, text in (("__init__", ""), ("helper", HELPER), ("uses", USES)):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def found(name: str) -> list[tuple[str, str]]:
        strategy = make_strategy("own", filter=f"leaking_package.uses:{name}")
        return [(leak.kind, leak.detail) for leak in reached_outside(strategy, DAY)]

    assert found("Honest") == []
    ((kind, detail),) = found("Keeps")
    assert kind == "keeps_state_elsewhere"
    assert "helper.py, line 7 uses KEPT.setdefault" in detail
    ((kind, detail),) = found("Reads")
    assert kind == "reads_undeclared"
    assert "helper.py, line 11 uses np.loadtxt" in detail


def test_numbers_drawn_without_a_seed_are_called_by_their_name(tmp_path: Path) -> None:
    body = """
class Mine(OnClose):
    def targets(self, close):
        return np.random.default_rng().uniform(-1, 1, len(close))
"""
    (leak,) = leakcheck(_config(tmp_path, body), cuts=1).leaks
    assert leak.kind == "depends_on_earlier_calls"
    assert "without a seed" in leak.detail


def test_a_leak_on_one_day_in_five_is_not_left_to_chance(tmp_path: Path) -> None:
    body = """
class Mine(OnPast):
    def labels(self, value):
        lacking = np.where(np.arange(len(value)) % 5 != 3, value, np.nan)
        return sign(pd.Series(lacking).bfill(limit=1).to_numpy())
"""
    assert _found(tmp_path, body, 1) == ["filter mine: changes_with_later_data"]


def test_leakcheck_says_it(tmp_path: Path) -> None:
    leaks = leakcheck(_config(tmp_path, SILENT["one number of a file"][0]), cuts=2).leaks
    (leak,) = [each for each in leaks if each.kind == "reads_undeclared"]
    assert leak.input == "mine"
    assert "line" in leak.detail
    assert "read_parquet" in leak.detail
