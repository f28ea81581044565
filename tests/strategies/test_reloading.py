"""Components from a fresh run of their module: a user's own, and none of the built-in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.data.base.errors import ConfigError
from gexlab.strategies.components import make_component, reloaded
from gexlab.strategies.filters.combine import All, Not
from gexlab.strategies.filters.price import _garch
from gexlab.strategies.filters.sign import Sign
from gexlab.strategies.panel import panel_of
from gexlab.strategies.registry import make_strategy

OWN = """\
from gexlab.strategies import Filter

seen = []

class Mine(Filter):
    level: float = 1.0

    def labels(self):
        seen.append(self.level)
        return 1.0
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    (tmp_path / "own_reloaded.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    module = importlib.import_module("own_reloaded")
    monkeypatch.setitem(sys.modules, "own_reloaded", module)
    made: type = module.Mine
    return made


def test_built_in_components_are_not_run_again() -> None:
    assert reloaded(Sign()) is None
    assert reloaded(All((Sign(), Not(Sign())))) is None


def test_a_users_own_component_is_made_anew_wherever_it_stands(own: type) -> None:
    mine = own(level=3.0)
    sys.modules["own_reloaded"].seen.append("left behind")
    fresh = reloaded(mine)
    assert fresh is not None
    assert type(fresh).__name__ == "Mine"
    assert type(fresh) is not own
    assert fresh.parameters() == {"level": 3.0}
    assert sys.modules[own.__module__].seen == ["left behind"]
    assert sys.modules.get("own_reloaded_afresh") is None
    inside = reloaded(All((Sign(), own(level=2.0))))
    assert isinstance(inside, All)
    first, second = inside.of
    assert first == Sign()
    assert type(second) is not own
    assert second.parameters() == {"level": 2.0}


def test_a_file_is_run_again_as_it_was_read(tmp_path: Path) -> None:
    """An edit, or the same text in another folder, is no memory of earlier calls."""
    text = OWN.replace(
        "seen = []",
        "from pathlib import Path\nseen = [Path(__file__).with_name('beside.txt').read_text()]",
    )
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text(text, encoding="utf-8")
        (tmp_path / name / "beside.txt").write_text(name, encoding="utf-8")
    one = make_component("filter", "own.py:Mine", tmp_path / "one")
    assert sys.modules[type(one).__module__].seen == ["one"]
    assert make_component("filter", "own.py:Mine", tmp_path / "one") == one
    two = make_component("filter", "own.py:Mine", tmp_path / "two")
    assert sys.modules[type(two).__module__].seen == ["two"]
    (tmp_path / "two" / "own.py").write_text(OWN.replace("1.0", "2.0"), encoding="utf-8")
    again = reloaded(two)
    assert again is not None
    assert again.parameters() == {"level": 1.0}


def test_the_first_forecast_is_that_of_arch() -> None:
    """`arch` forecasts the variance after its sample; a mean of 5 tells its sign."""
    from arch import arch_model

    rng = np.random.default_rng(3)
    returns = 5.0 + rng.standard_normal(260) * np.repeat([0.5, 1.5], 130)
    returns[249] += 3.0
    fit = arch_model(returns[:250], mean="Constant", vol="GARCH", rescale=False).fit(
        disp="off", show_warning=False
    )
    mean, omega, alpha, beta = fit.params
    assert alpha > 0.01
    ahead = float(fit.forecast(horizon=1).variance.to_numpy()[-1, 0])
    wanted = omega + alpha * (returns[250] - mean) ** 2 + beta * ahead
    assert _garch(returns, 250)[0] == pytest.approx(np.sqrt(wanted), rel=1e-9)


def test_a_made_component_can_be_made_again() -> None:
    assert make_component("filter", "sign") == Sign()


def test_a_label_may_be_left_where_it_is_entered() -> None:
    made = make_strategy("own", filter="percentile", enter=0.7, exit=0.7)
    assert made.filter.parameters()["exit"] == 0.7
    with pytest.raises(ConfigError, match=r"exit 0\.71 lies above enter 0\.7"):
        make_strategy("own", filter="percentile", enter=0.7, exit=0.71)


def test_a_panel_has_the_prices_that_bars_have() -> None:
    days = pd.bdate_range("2026-01-05", periods=3, name="session")
    bars = pd.DataFrame({"open": [1.0, 2.0, 3.0], "close": [1.5, 2.5, 3.5]}, index=days)
    closes = (days + pd.Timedelta("21:00:00")).to_numpy().astype("datetime64[ns]")
    panel = panel_of(bars, closes, {})
    assert set(panel.columns) == {"open", "close"}
    assert panel.columns["close"].values.tolist() == [1.5, 2.5, 3.5]
    assert (panel.columns["close"].known_at == closes).all()
