"""Promoted findings: each name works, an unknown one is refused with the nearest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from gexlab.backtest.run import findings as room
from gexlab.backtest.run.config import RegimeConfig
from gexlab.backtest.run.findings import promoted
from gexlab.backtest.run.regime_source import RegimeSource
from gexlab.data.quality.catalogue import CATALOGUE, CHECKS, Finding, promotable

DAYS = pd.bdate_range("2026-01-05", periods=4, name="session")


def source() -> RegimeSource:
    table = pd.DataFrame({"value": 1.0, "regime": "long"}, index=DAYS)
    rows: Any = object()  # findings of rebuilt rows are stubbed
    table = table.astype({"regime": object})
    return RegimeSource("lake", "x", "close", table, "d", (), (), rebuilt=rows)


class _Config:
    def __init__(self, name: str) -> None:
        self.regime: Any = RegimeConfig(promote=(name,))


@pytest.mark.parametrize("name", promotable())
def test_every_name_makes_its_sessions_abstain(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(date(2026, 1, 6), name, CATALOGUE[name].severity, 1, 0.0, "")
    about_chains = CATALOGUE[name].about in ("chain", "rebuild")
    monkeypatch.setattr(room, "rebuilt_findings", lambda *_: [])
    monkeypatch.setattr(room, "chain_findings", lambda *_: [finding] if about_chains else [])
    config: Any = _Config(name)
    found = promoted(config, source(), [] if about_chains else [finding], pd.DataFrame())
    assert found.table["regime"].tolist() == ["long", "abstain", "long", "long"]
    assert [n.code for n in found.notices] == ["promoted_findings"]
    every = replace(finding, session=None)
    monkeypatch.setattr(room, "chain_findings", lambda *_: [every] if about_chains else [])
    found = promoted(config, source(), [] if about_chains else [every], pd.DataFrame())
    assert set(found.table["regime"]) == {"abstain"}


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
