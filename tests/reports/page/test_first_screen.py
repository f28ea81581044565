"""The first screen answers what a desk asks first, and says it of the label that the run used."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.results import RegimePerformance
from gexlab.reports.page.backtest_page import backtest_page
from gexlab.reports.page.html import render_page
from gexlab.reports.page.sections.first_screen import today_section
from gexlab.reports.page.sections.performance import about_earned
from gexlab.reports.page.views import Fact
from gexlab.reports.session.morning import Morning, measures_of, run_length


def _facts(morning: Morning) -> dict[str, Fact]:
    return {fact.label: fact for fact in today_section(morning).facts}


def test_numbers_by_hand() -> None:
    values = [5.0, np.nan, 1.0, 4.0, 2.0, 3.0]
    history = pd.DataFrame({"value": values, "spot": [1.0] * 6})
    found = measures_of(history, year=5)
    # of the last five sessions four have a value, and two of them are at most 3
    assert (found["value"].now, found["value"].before) == (3.0, 2.0)
    assert (found["value"].percentile, found["value"].n) == (0.75, 4)
    assert found["spot"].percentile == 1.0


def test_an_undefined_number_has_no_percentile() -> None:
    found = measures_of(pd.DataFrame({"flip_distance": [0.1, np.nan]}), year=252)["flip_distance"]
    assert np.isnan(found.now)
    assert np.isnan(found.percentile)
    assert found.n == 1


def test_a_first_session_has_nothing_before_it() -> None:
    found = measures_of(pd.DataFrame({"spot": [7.0]}), year=252)["spot"]
    assert (found.now, found.percentile, found.n) == (7.0, 1.0, 1)
    assert np.isnan(found.before)
    assert run_length(pd.Series(["long"])) == 1


def test_what_the_first_screen_says(morning: Morning) -> None:
    page = backtest_page(morning.result, morning=morning)
    assert page.heading == "SPX: long gamma on 2025-12-31"
    facts = _facts(morning)
    assert facts["Regime"].tone == "long"
    unbroken = list(takewhile(lambda x: x == "long", morning.history["regime"].tolist()[::-1]))
    assert facts["Regime"].beside == f"before: long gamma; for {len(unbroken)} sessions"
    # 0.02 below the value of the table, whatever its sign
    ratio = float(morning.history["net_to_gross"].iloc[-1])
    assert facts["Beyond the neutral band"].value == f"+{abs(ratio) - 0.02:.3f}"
    assert facts["Flip"].value == "5,755.0"
    assert facts["30-day volatility"].beside.endswith("percentile 100 of 252")
    assert facts["Expected move"].beside == "straddle 5,900.0 to 2026-01-02: 71.2 points"
    # 5,755 exp(-1.96 x .002) and exp(+1.96 x .002)
    assert facts["Error band of net GEX"].beside == "flip 5,732.5 to 5,777.6"
    assert facts["Trials on these data"].note == "no ledger counts them"
    section = today_section(morning)
    assert [figure.id for figure in section.figures] == ["fig-profile", "fig-change"]
    following, worth = section.tables
    assert following.caption == "On 2026-01-05 30.0 % of gross gamma expires"
    assert [row.cells[3] for row in following.rows] == ["long gamma", "neutral"]
    assert [row.strong for row in worth.rows if row.cells[0] == "long gamma"] == [True]


def test_a_session_that_abstains_says_why(morning: Morning) -> None:
    assert morning.picture is not None
    history = morning.history.copy()
    history.loc[history.index[-1], "regime"] = "abstain"
    picture = morning.picture.abstaining(["strike_gap"])
    abstaining = replace(morning, history=history, picture=picture)
    section = today_section(abstaining)
    assert section.warnings[0] == "The quality gate failed (strike gap): no regime is claimed."
    assert {f.label: f.value for f in section.facts}["Data quality"] == "gate failed"


def test_a_published_series_has_no_walls(morning: Morning) -> None:
    result = replace(
        morning.result, regime=replace(morning.result.regime, source="series", definition_id=None)
    )
    series = Morning(result, morning.history[["value", "regime", "known_at"]], None)
    facts = _facts(series)
    assert "Call wall" not in facts
    html = render_page(backtest_page(result, morning=series), plotly="")
    assert "There is no chain behind it" in html


@pytest.mark.parametrize("alert", ["STALE: the last session is 2025-12-31, 4 sessions ago.", ""])
def test_an_alert_is_the_first_thing_on_the_page(morning: Morning, alert: str) -> None:
    html = render_page(backtest_page(morning.result, morning=morning, alert=alert), plotly="")
    body = html.partition("<body>")[2]
    if alert:
        assert body.index(alert) < body.index("<h1>")
    else:
        assert 'role="alert"' not in body


def test_what_a_flat_regime_earned_is_explained(morning: Morning) -> None:
    """A session without a position still has the night before its fill."""
    part = RegimePerformance(6, 0.0, -53.1, -10.25, -0.032)
    long = RegimePerformance(400, 1.0, -1.8, -0.33, -0.087)
    main = replace(morning.result.main, by_regime={"long": long, "neutral": part})
    changed = replace(morning.result, strategies={main.spec.name: main})
    note = about_earned(changed)
    assert "No position is taken after neutral sessions" in note
    assert "Too few to read a ratio from: neutral (6 sessions)." in note
    worth = today_section(replace(morning, result=changed)).tables[-1]
    assert worth.note.endswith(note)
    plain = replace(main, by_regime={"long": long})
    assert about_earned(replace(morning.result, strategies={main.spec.name: plain})) == ""
