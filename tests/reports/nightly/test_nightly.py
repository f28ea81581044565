"""The nightly job does nothing twice, goes on after a kill, and takes in what is new."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli
from gexlab.reports.nightly import standing
from gexlab.reports.nightly.standing import stands

CONFIG = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "source/bars.parquet"

[inference]
bootstrap = 100

[nightly]
paths = ["incoming/*.parquet"]
out = "results"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a configuration, bars, and the chains of all but the last sessions."""
    tmp_path = tmp_path_factory.mktemp("made")
    made = simulate(
        "S1", years=0.12, seed=5, lake=tmp_path / "source", contracts=200, intraday=None
    )
    (tmp_path / "incoming").mkdir()
    chains = pq.read_table(sorted((tmp_path / "source" / "chains").rglob("*.parquet"))[0])
    days = chains["session"].to_pylist()
    cut = sorted(set(days))[-3]
    for name, keep in (("old", [d < cut for d in days]), ("new", [d >= cut for d in days])):
        pq.write_table(chains.filter(keep), tmp_path / f"{name}.parquet")
    (tmp_path / "old.parquet").rename(tmp_path / "incoming" / "old.parquet")
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    assert made.sessions > 25
    return tmp_path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, in which no night has run."""
    return Path(shutil.copytree(made, tmp_path / "nights"))


@pytest.fixture(scope="module")
def first_night(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return a copy after one night, and what that night said."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("first") / "nights"))
    printed = StringIO()
    with redirect_stdout(printed):
        assert cli.run(["nightly", str(folder / "config.toml"), "--json"]) == 0
    return folder, json.loads(printed.getvalue())


@pytest.fixture
def after(first_night: tuple[Path, Any], tmp_path: Path) -> tuple[Path, Any]:
    """Return a copy of the folder after one night, and what that night said."""
    return Path(shutil.copytree(first_night[0], tmp_path / "nights")), first_night[1]


def _night(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert cli.run(["nightly", str(folder / "config.toml"), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_is_done_twice(after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder, first = after
    assert first["ran"] is True
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"] > 20
    report = folder / "results" / "report.html"
    before = report.stat().st_mtime_ns
    second = _night(folder, capsys)
    assert second["ran"] is False
    assert second["ingested"]["rows_written"] == 0
    assert second["ingested"]["files_unchanged"] == 1
    assert second["rebuilt"]["rebuilt"] == 0
    assert report.stat().st_mtime_ns == before
    assert second["last_session"] == first["last_session"]


def test_what_is_new_comes_in(after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder, first = after
    (folder / "new.parquet").rename(folder / "incoming" / "new.parquet")
    second = _night(folder, capsys)
    assert second["ran"] is True
    assert second["ingested"]["sessions"] == 3
    assert second["rebuilt"]["rebuilt"] == 3
    assert date.fromisoformat(second["last_session"]) > date.fromisoformat(first["last_session"])


@pytest.mark.parametrize("lost", ["nightly.json", "report.html"])
def test_a_killed_run_is_started_again(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    folder, _ = after
    # what a run leaves that was killed before its last step
    (folder / "results" / lost).unlink()
    again = _night(folder, capsys)
    assert again["ran"] is True
    assert again["rebuilt"]["rebuilt"] == 0
    assert (folder / "results" / "report.html").is_file()
    assert _night(folder, capsys)["ran"] is False


def test_a_changed_configuration_runs_again(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = after
    changed = CONFIG.replace("[inference]", "[execution]\nfees_bps = 2.0\n\n[inference]")
    (folder / "config.toml").write_text(changed, encoding="utf-8")
    assert _night(folder, capsys)["ran"] is True


@pytest.mark.parametrize("key", ["rate = 0.04", 'definition = "d.toml"'])
def test_only_the_regime_states_a_definition(
    folder: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    (folder / "config.toml").write_text(f"{CONFIG}{key}\n", encoding="utf-8")
    assert cli.run(["nightly", str(folder / "config.toml")]) == 1
    name = key.partition(" ")[0]
    said = capsys.readouterr().err
    assert f"unknown key 'nightly.{name}'" in said
    assert "[regime] definition" in said


def test_positions_of_a_file_are_rebuilt_and_reported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = pq.read_table(folder / "incoming" / "old.parquet").to_pandas()
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -1.0})
    chains[key].assign(position=sign * chains["open_interest"]).to_parquet(
        folder / "positions.parquet"
    )
    regime = '[regime]\ndealer_model = "signed"\npositions = "positions.parquet"\n'
    (folder / "config.toml").write_text(regime + CONFIG, encoding="utf-8")
    first = _night(folder, capsys)
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"]
    assert first["quality"] == "ok"
    assert _night(folder, capsys)["ran"] is False


FILES = ("report.html", "results.json", "trades.parquet", "orders.parquet", "equity.parquet")


def _delete(path: Path) -> None:
    path.unlink()


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _of_another_run(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"\n\n")


def test_nothing_has_changed_is_never_said_over_a_stale_report(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """One folder, one good run, and then every way in which its results can cease to stand."""
    folder, first = after
    results = folder / "results"
    key = _key_of(folder)
    for spoil in (_delete, _cut_short, _of_another_run):
        for name in FILES:
            whole = (results / name).read_bytes()
            spoil(results / name)
            assert not stands(results, key), (spoil.__name__, name)
            (results / name).write_bytes(whole)
            assert stands(results, key)
    note = json.loads((results / "nightly.json").read_text(encoding="utf-8"))
    assert note["session"] == first["last_session"]
    del note["files"]["trades.parquet"]
    (results / "nightly.json").write_text(json.dumps(note), encoding="utf-8")
    assert not stands(results, key)
    (results / "nightly.json").write_text("[]", encoding="utf-8")
    assert not stands(results, key)
    assert _night(folder, capsys)["ran"] is True
    assert stands(results, key)


def _key_of(folder: Path) -> str:
    config = load_config(folder / "config.toml")
    return standing.depends_on(config, load_market(config))


def test_everything_that_a_report_depends_on_is_in_its_key(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = after
    config = load_config(folder / "config.toml")
    market = load_market(config)
    key = standing.depends_on(config, market)
    assert standing.depends_on(config, market) == key

    def other_key(**changes: Any) -> str:
        return standing.depends_on(config, replace(market, **changes))

    # the definition
    regime = replace(market.regime, definition_id="0" * 12)
    assert other_key(regime=regime) != key
    # the rows of the regime, wherever they came from: positions revised, another definition
    table = market.regime.table.copy()
    table.loc[table.index[3], "value"] *= 1.0 + 1e-12
    assert other_key(regime=replace(market.regime, table=table)) != key
    # an input
    inputs = (replace(market.inputs[0], sha256="0" * 64), *market.inputs[1:])
    assert other_key(inputs=inputs) != key
    # a configuration changed in Python, whose text is the same
    execution = config.execution.model_copy(update={"fees_bps": 3.0})
    assert standing.depends_on(config.model_copy(update={"execution": execution}), market) != key
    # a library, and gexlab's own files
    monkeypatch.setattr(standing, "_versions", lambda: {"numpy": "0.0"})
    assert standing.depends_on(config, market) != key
    monkeypatch.undo()
    monkeypatch.setattr(standing, "_code", lambda: "upgraded")
    assert standing.depends_on(config, market) != key


def test_revised_positions_run_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chains = pq.read_table(folder / "incoming" / "old.parquet").to_pandas()
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -1.0})
    made = chains[key].assign(position=sign * chains["open_interest"])
    made.to_parquet(folder / "positions.parquet")
    regime = '[regime]\ndealer_model = "signed"\npositions = "positions.parquet"\n'
    (folder / "config.toml").write_text(regime + CONFIG, encoding="utf-8")
    assert _night(folder, capsys)["ran"] is True
    made.assign(position=-made["position"]).to_parquet(folder / "positions.parquet")
    assert _night(folder, capsys)["ran"] is True


def test_another_configuration_in_the_same_folder_is_noticed(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = after
    other = CONFIG.replace("[inference]", "[execution]\nfees_bps = 9.0\n\n[inference]")
    (folder / "other.toml").write_text(other, encoding="utf-8")
    assert cli.run(["backtest", str(folder / "other.toml"), "--out", str(folder / "results")]) == 0
    assert _night(folder, capsys)["ran"] is True
