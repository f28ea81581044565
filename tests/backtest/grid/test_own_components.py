"""Components of a user's own, written by following the guide only: a package, and a file."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gexlab.backtest.grid.grid import grid
from gexlab.backtest.leaks.leakcheck import leakcheck
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config
from gexlab.data.base.errors import ConfigError, LookAheadError
from gexlab.reports.cli.app import run

MakeMarket = Callable[..., Path]
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "components.md"

FILTER = '''
from gexlab.strategies import Filter, Past

class CalmMonth(Filter):
    """Long where the last `window` closes lie within `width` of each other."""
    window: int = 21
    width: float = 0.05

    def inputs(self):
        return {"close": Past("close", self.window)}

    def label(self, close):
        return "long" if close.max() / close.min() - 1 <= self.width else "short"
'''
RULE = '''
from gexlab.strategies import Past, Rule

class TwoDown(Rule):
    """Long after two falls in a row."""

    def inputs(self):
        return {"close": Past("close", 3)}

    def target(self, close):
        return 1.0 if close[0] > close[1] > close[2] else 0.0
'''
SIZING = '''
from gexlab.strategies import Past, Sizing

class Careful(Sizing):
    """Half of the target where VIX is above `level`."""
    level: float = 20.0

    def inputs(self):
        return {"vix": Past("series.vix")}

    def position(self, target, vix):
        return target / 2 if vix[-1] > self.level else target
'''
VENDOR = """
from gexlab.data.vendors.optionsdx import PRESET
"""
POINTS = """
[gexlab.filters]
calm-month = scratch_filters:CalmMonth
[gexlab.rules]
two-down = scratch_rules:TwoDown
[gexlab.sizings]
careful = scratch_sizings:Careful
[gexlab.vendors]
our-files = scratch_vendor:PRESET
"""
OWN = {
    "scratch_filters": FILTER,
    "scratch_rules": RULE,
    "scratch_sizings": SIZING,
    "scratch_vendor": VENDOR,
}
GRID = """
[[strategies]]
name = "mine"
filter = "calm-month"
long = "two-down"
sizing = "careful"

[grid]
filters = [{ name = "calm-month", window = [10, 21], width = [0.03, 0.05] }, "sign"]
rules = [{ long = "two-down", short = "follow" }]
sizings = ["careful", "fixed"]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an installed package that offers one component of each kind."""
    site = tmp_path / "site"
    information = site / "scratch-1.0.dist-info"
    information.mkdir(parents=True)
    for name, text in OWN.items():
        assert len([line for line in text.splitlines() if line.strip()]) < 15
        (site / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: scratch\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(site))
    return site


def test_a_scratch_package_is_listed(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["components", "--json"]) == 0
    listed = {
        (entry["kind"], entry["name"]): entry for entry in json.loads(capsys.readouterr().out)
    }
    mine = listed["filters", "calm-month"]
    assert mine["source"] == "scratch 1.0: scratch_filters:CalmMonth"
    assert mine["parameters"] == {
        "window": {"type": "int", "default": 21},
        "width": {"type": "float", "default": 0.05},
    }
    assert (mine["inputs"], mine["decides"]) == (["close"], "close")
    assert listed["rules", "two-down"]["does"] == "Long after two falls in a row."
    assert listed["sizings", "careful"]["inputs"] == ["series.vix"]
    assert ("vendors", "our-files") in listed
    assert listed["filters", "sign"]["source"] == "gexlab"


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('filter = "calm-moth"', "did you mean 'calm-month'?"),
        ('filter = { name = "calm-month", windw = 3 }', "did you mean 'window'?"),
        ('long = "two-dwn"', "did you mean 'two-down'?"),
        ('sizing = "carefull"', "did you mean 'careful'?"),
    ],
)
def test_errors_name_the_nearest(make_market: MakeMarket, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_config(make_market(strategies=f'[[strategies]]\nname = "mine"\n{wrong}\n'))


@pytest.mark.usefixtures("package")
def test_a_scratch_package_in_grid_report_and_leak_check(make_market: MakeMarket) -> None:
    config = make_market(strategies=GRID, sessions=200)
    result = grid(config)
    assert result.trials == (4 + 1) * 2
    assert set(result.table["filter"]) == {"calm-month", "sign"}
    found = backtest(config).strategies["mine"]
    assert (found.spec.filter, found.spec.long) == ("calm-month", "two-down")
    assert leakcheck(config, cuts=4).leaks == ()


def test_an_entry_point_that_fails_is_listed_with_the_reason(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "scratch_rules.py").write_text("1 / 0\n", encoding="utf-8")
    assert run(["components", "rules", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert "ZeroDivisionError" in next(e for e in entries if e["name"] == "two-down")["problem"]


def test_a_file_that_changed_is_computed_again(make_market: MakeMarket, tmp_path: Path) -> None:
    config = make_market(
        strategies='[grid]\nfilters = ["own.py:CalmMonth", "sign"]\n', sessions=120
    )
    own = config.parent / "own.py"
    own.write_text(FILTER, encoding="utf-8")
    out = tmp_path / "out"
    first = grid(config, out=out)
    assert grid(config, out=out).reused == 2
    own.write_text(FILTER.replace("<=", ">"), encoding="utf-8")
    changed = grid(config, out=out)
    assert (changed.computed, changed.reused) == (1, 1)
    assert changed.table["exposure"].iloc[0] != first.table["exposure"].iloc[0]


def test_a_filter_that_looks_ahead_is_caught_in_a_grid(make_market: MakeMarket) -> None:
    config = make_market(strategies='[grid]\nfilters = ["own.py:Ahead", "sign"]\n', sessions=150)
    (config.parent / "own.py").write_text(
        '''
import numpy as np
from gexlab.strategies import Filter, Past

class Ahead(Filter):
    """Long where the close lies below the median of the whole sample."""

    def inputs(self):
        return {"close": Past("close")}

    def labels(self, close):
        return np.where(close[:, -1] < np.median(close[:, -1]), 1, 2)
''',
        encoding="utf-8",
    )
    leaks = leakcheck(config, cuts=5).leaks
    assert [leak.kind for leak in leaks] == ["changes_with_later_data"]
    assert "ahead" in leaks[0].input
    with pytest.raises(LookAheadError, match="filter ahead on 2019"):
        grid(config)


def test_the_guides_own_filter_runs(make_market: MakeMarket) -> None:
    code = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)[0]
    config = make_market(strategies='[grid]\nfilters = ["own.py:AboveMean"]\n', sessions=120)
    (config.parent / "own.py").write_text(code, encoding="utf-8")
    assert grid(config).trials == 1
