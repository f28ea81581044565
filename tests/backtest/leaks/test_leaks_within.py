"""Look-ahead within the session is found, and built-in rules have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from half_hours import write_half_hours

from gexlab.backtest.leaks.leakcheck import LeakResult, leakcheck
from gexlab.backtest.run.load_config import parse_config

OWN = """
import numpy as np
from gexlab.strategies import Past, Rule

class NextBar(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None)}
    def targets(self, close):
        return np.nan_to_num(np.sign(np.append(close[1:], np.nan) - close))

class WholeSession(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None), "left": Past("bar.left", None)}
    def targets(self, close, left):
        number = np.cumsum(np.append(True, np.diff(np.nan_to_num(left, nan=-1.0)) > 0.0))
        top = np.array([np.nanmax(close[number == k]) for k in number])
        return np.where(close == top, -1.0, 0.0)

class FirstHourTooSoon(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None), "gone": Past("bar.elapsed", None)}
    def targets(self, close, gone):
        later = np.append(close[1:], close[-1:])
        return np.where(gone == 120.0, np.sign(later - close), 0.0)

SEEN = []
class Remembers(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None)}
    def targets(self, close):
        if not SEEN:
            SEEN.append(np.nanmedian(close))
        return np.sign(close - SEEN[0])

class Draws(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", None)}
    def targets(self, close):
        return np.random.default_rng().uniform(-1.0, 1.0, len(close))

class Honest(Rule):
    decides = "bar"
    def inputs(self):
        return {"close": Past("bar.close", 3)}
    def targets(self, close):
        return np.sign(close[:, -1] - close[:, 0])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("within")
    days = write_half_hours(place, "2024-06-03", 25)["session"]
    gex = np.where(np.arange(25) % 3 == 0, -1.0, 1.0)
    pd.DataFrame({"session": days, "value": gex}).to_csv(place / "gex.csv", index=False)
    (place / "own.py").write_text(OWN, encoding="utf-8")
    return place


def _checked(folder: Path, *rules: str) -> LeakResult:
    document = {
        "data": {"underlying": "SPY", "bars": "bars.parquet", "intraday": "intraday.parquet"},
        "regime": {"source": "series", "series": {"path": "gex.csv", "known": "next_open"}},
        "strategies": [
            {"name": rule, "filter": "sign", "long": rule, "short": "flat"} for rule in rules
        ],
    }
    return leakcheck(parse_config(document, folder), cuts=6)


@pytest.mark.parametrize("name", ["NextBar", "WholeSession"])
def test_a_rule_that_reads_later_bars_is_named(folder: Path, name: str) -> None:
    (leak,) = _checked(folder, f"own.py:{name}").leaks
    assert leak.kind == "changes_with_later_data"
    made = "next-bar" if name == "NextBar" else "whole-session"
    assert made in leak.input


def test_a_leak_at_one_time_of_day_is_not_left_to_chance(folder: Path) -> None:
    (leak,) = _checked(folder, "own.py:FirstHourTooSoon").leaks
    assert (leak.kind, "first-hour-too-soon" in leak.input) == ("changes_with_later_data", True)


@pytest.mark.parametrize("name", ["Remembers", "Draws"])
def test_what_is_kept_from_call_to_call_is_named(folder: Path, name: str) -> None:
    (leak,) = _checked(folder, f"own.py:{name}").leaks
    assert leak.kind == "depends_on_earlier_calls"


def test_honest_rules_have_no_leak(folder: Path) -> None:
    found = _checked(
        folder, "own.py:Honest", "last-half-hour", "opening-range", "first-hour-fade", "gap-fade"
    )
    assert found.leaks == ()
    assert found.checked > 5 * 6 * 2
