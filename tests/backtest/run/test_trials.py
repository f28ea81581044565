"""A run's strategies in the ledger of trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.documents import results_document
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.tournament.counting import ledger
from gexlab.backtest.tournament.ledger_store import ledger_place

MakeMarket = Callable[..., Path]


def _with_ledger(config: Path) -> Path:
    text = config.read_text(encoding="utf-8")
    config.write_text(f'{text}\n[ledger]\npath = "ledger"\n', encoding="utf-8")
    return config


def test_a_run_records_its_trials_and_says_their_numbers(
    make_market: MakeMarket, tmp_path: Path
) -> None:
    config = _with_ledger(make_market())
    first = backtest(config)
    names = list(first.strategies)
    assert first.provenance.trial_numbers == {name: k for k, name in enumerate(names, 1)}
    assert backtest(config).provenance.trial_numbers == first.provenance.trial_numbers
    document = results_document(first)
    assert document["provenance"]["trial_numbers"][names[0]] == 1
    found = ledger(tmp_path / "ledger")
    assert (found.trials, len(found.entries)) == (len(names), len(names))
    assert found.entries[0]["metrics"]["sharpe"] == pytest.approx(first.main.metrics.sharpe)
    assert found.entries[0]["source"] == "backtest"


def test_costs_are_another_trial_and_a_grown_file_is_not(
    make_market: MakeMarket, tmp_path: Path
) -> None:
    config = _with_ledger(make_market())
    number = len(backtest(config).strategies)
    bars = pd.read_parquet(tmp_path / "bars.parquet")
    bars.iloc[:-1].to_parquet(tmp_path / "bars.parquet", index=False)
    shorter = backtest(config)
    assert max(shorter.provenance.trial_numbers.values()) == number
    assert ledger(tmp_path / "ledger").trials == number
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[execution]", "[execution]\nfees_bps = 7.0"), encoding="utf-8")
    assert min(backtest(config).provenance.trial_numbers.values()) == number + 1
    assert ledger(tmp_path / "ledger").trials == 2 * number


def test_a_ledger_that_cannot_be_written_is_a_notice(
    make_market: MakeMarket, tmp_path: Path
) -> None:
    config = make_market()
    plain = backtest(config)
    assert plain.provenance.trial_numbers == {}  # no lake, no ledger
    (tmp_path / "ledger").write_text("a file where a folder should be")
    found = backtest(_with_ledger(config))
    assert found.provenance.trial_numbers == {}
    notice = next(n for n in found.notices if n.code == "trials_not_recorded")
    assert notice.count == len(found.strategies)
    assert "[ledger] path" in notice.detail
    assert found.main.returns.equals(plain.main.returns)


def test_where_the_ledger_lies(
    make_market: MakeMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "mirror"))
    settings = load_config(make_market())
    assert settings.ledger_path is None
    data = settings.data.model_copy(update={"lake": str(tmp_path / "lake")})
    assert settings.model_copy(update={"data": data}).ledger_path == tmp_path / "ledger"
    data = settings.data.model_copy(update={"lake": "s3://bucket/lake"})
    far = settings.model_copy(update={"data": data}).ledger_path
    assert far is not None
    assert str(ledger_place(far)) == "s3://bucket/lake/trials"
    data = settings.data.model_copy(update={"lake": "gs://bucket/lake"})
    assert settings.model_copy(update={"data": data}).ledger_path is None
    named = load_config(_with_ledger(tmp_path / "run.toml"))
    assert named.ledger_path == tmp_path / "ledger"
    shared = tmp_path / "shared.toml"
    text = (tmp_path / "run.toml").read_text(encoding="utf-8")
    shared.write_text(text.replace('path = "ledger"', 'path = "s3://bucket/team"'), "utf-8")
    team = load_config(shared).ledger_path
    assert team is not None
    assert str(ledger_place(team)) == "s3://bucket/team/trials"
    assert load_config(shared).sha256 == settings.sha256
    assert named.sha256 == settings.sha256  # where trials are recorded changes no result
