"""Promoted findings: each name works, an unknown one is refused with the nearest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from gexlab.backtest.run import findings as room
from gexlab.backtest.run.config_sections import RegimeConfig
from gexlab.backtest.run.findings import promoted
from gexlab.backtest.run.regime_source import RegimeSource
from gexlab.data.quality.finding import Finding
from gexlab.data.quality.messages import CATALOGUE, CHECKS, promotable

DAYS = pd.bdate_range("2026-01-05", periods=4, name="session")


def source() -> RegimeSource:
    table = pd.DataFrame({"value": 1.0, "regime": "long"}, index=DAYS)
    rows: Any = object()  # asked for nothing: `rebuilt_findings` is replaced
    labels = table.astype({"regime": object})
    return RegimeSource("lake", "x", "close", labels, "d", (), (), rebuilt=rows)


class _Config:
    def __init__(self, name: str) -> None:
        self.regime: Any = RegimeConfig(promote=(name,))


def _told(finding: Finding) -> tuple[list[Finding], list[Finding] | None]:
    """Return a finding as one about inputs or one about chains."""
    about_chains = CATALOGUE[finding.check].about in ("chain", "rebuild")
    return ([], [finding]) if about_chains else ([finding], None)


@pytest.mark.parametrize("name", promotable())
def test_every_name_makes_its_sessions_abstain(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(date(2026, 1, 6), name, CATALOGUE[name].severity, 1, 0.0, "")
    monkeypatch.setattr(room, "rebuilt_findings", lambda *_: [])
    config: Any = _Config(name)
    found = promoted(config, source(), *_told(finding))
    assert found.table["regime"].tolist() == ["long", "abstain", "long", "long"]
    assert [n.code for n in found.notices] == ["promoted_findings"]
    every = replace(finding, session=None)
    found = promoted(config, source(), *_told(every))
    assert set(found.table["regime"]) == {"abstain"}


def test_a_promoted_finding_of_hindsight_says_that_it_looks_ahead() -> None:
    for name, word in (("bad_value", "warning"), ("bad_bar", "info")):
        finding = Finding(date(2026, 1, 6), name, "error", 1, 0.0, "")
        config: Any = _Config(name)
        (notice,) = promoted(config, source(), [finding], None).notices
        assert notice.severity == word
        assert ("look ahead" in notice.detail) == (word == "warning")


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="strike_gap"):
        RegimeConfig(promote=("strike_gab",))
    with pytest.raises(ValueError, match="finding to promote"):
        RegimeConfig(promote=("late_regime",))  # concerns a run, no session


def test_one_catalogue() -> None:
    assert set(CHECKS) < set(CATALOGUE)
    assert {c.severity for c in CATALOGUE.values()} == {"error", "warning", "info"}
    gates = {name for name, c in CATALOGUE.items() if c.gates and c.about in ("chain", "rebuild")}
    assert gates == {
        "known_before_quotes",
        "copy_of_previous_session",
        "open_interest_rejected",
        "empty_book",
        "contradicting_duplicates",
        "unit_contradicted",
    }
