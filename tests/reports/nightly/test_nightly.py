"""The nightly job does nothing twice, goes on after a kill, and takes in what is new."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gexlab.backtest.run.backtest import trade_config
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.targets import next_targets
from gexlab.data import InputFileError, ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli
from gexlab.reports.nightly import run_log, standing, stored
from gexlab.reports.nightly.alerts import alerts_of, late_night
from gexlab.reports.nightly.live_record import Record, read_record
from gexlab.reports.nightly.reasons import LOST
from gexlab.reports.nightly.run_log import EXIT_CODES
from gexlab.reports.nightly.standing import stands
from gexlab.reports.nightly.turn import one_night

from .servers import mail_server, web_server

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
    return Path(shutil.copytree(first_night[0], tmp_path / "nights", symlinks=True)), first_night[1]


@pytest.fixture(scope="module")
def second_night(
    first_night: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Any]:
    """Return a copy after another night, in which the last sessions came in, and what it said."""
    target = tmp_path_factory.mktemp("second") / "nights"
    folder = Path(shutil.copytree(first_night[0], target, symlinks=True))
    (folder / "new.parquet").rename(folder / "incoming" / "new.parquet")
    printed = StringIO()
    with redirect_stdout(printed):
        assert cli.run(["nightly", str(folder / "config.toml"), "--json"]) == 0
    return folder, json.loads(printed.getvalue())


@pytest.fixture
def after_two(
    first_night: tuple[Path, Any], second_night: tuple[Path, Any], tmp_path: Path
) -> tuple[Path, Any, Any]:
    """Return a copy of the folder after two nights, and what each of them said."""
    folder = shutil.copytree(second_night[0], tmp_path / "nights", symlinks=True)
    return Path(folder), first_night[1], second_night[1]


def _night(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    code = cli.run(["nightly", str(folder / "config.toml"), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == said["exit_code"] == EXIT_CODES[said["status"]]
    written = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    for key in ("status", "session", "regime", "spot", "flip", "content_id", "put_aside"):
        assert written[key] == said[key]
    return said


def test_nothing_is_done_twice(after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder, first = after
    assert first["ran"] is True
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"] > 20
    report = folder / "results" / "report.html"
    before = report.stat().st_mtime_ns
    second = _night(folder, capsys)
    assert second["ran"] is False
    assert (second["status"], second["exit_code"]) == ("unchanged", 3)
    steps = {step["name"]: step["status"] for step in second["steps"]}
    for name in ("snapshot", "grid", "tournament", "test", "webhook", "mail"):
        assert steps.pop(name) == "skipped"
    assert set(steps) == {"ingest", "rebuild", "backtest", "store", "record", "lake", "publish"}
    assert set(steps.values()) == {"unchanged"}
    assert second["ingested"]["rows_written"] == 0
    assert second["ingested"]["files_unchanged"] == 1
    assert second["rebuilt"]["rebuilt"] == 0
    assert report.stat().st_mtime_ns == before
    assert second["last_session"] == first["last_session"]


def test_grid_and_tournament_are_steps_of_a_night(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The grid is made; a market of a month is too short for a tournament: the night stands."""
    folder, _ = after
    asked = 'out = "results"\ngrid = "weekly"\ntournament = "daily"\n'
    grid = '[grid]\nfilters = ["sign"]\nfees_bps = [0.0, 1.0]\n'
    (folder / "config.toml").write_text(CONFIG.replace('out = "results"\n', asked) + grid)
    said = _night(folder, capsys)
    assert (said["status"], said["ran"]) == ("degraded", False)  # the report depends on neither
    steps = {step["name"]: step["status"] for step in said["steps"]}
    assert (steps["grid"], steps["tournament"], steps["test"]) == ("done", "failed", "skipped")
    assert [alert.partition(":")[0] for alert in said["alerts"]] == ["TOURNAMENT FAILED"]
    told = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    made, failed = told["beside"]
    trials = json.loads((folder / "results" / made["folder"] / "grid.json").read_text())["trials"]
    assert trials == 2
    assert failed["reason"] in said["alerts"][0]
    index = (folder / "results" / "index.html").read_text(encoding="utf-8")
    assert f'<a href="{made["page"]}">grid of {said["session"]}</a>' in index


def test_what_is_new_comes_in(
    first_night: tuple[Path, Any], second_night: tuple[Path, Any]
) -> None:
    first, second = first_night[1], second_night[1]
    assert second["ran"] is True
    assert second["ingested"]["sessions"] == 3
    assert second["rebuilt"]["rebuilt"] == 3
    assert date.fromisoformat(second["last_session"]) > date.fromisoformat(first["last_session"])


def _bytes_of(night: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in night.iterdir() if f.name != "run.json"}


@pytest.mark.parametrize("lost", ["nightly.json", "report.html"])
def test_a_killed_run_is_started_again(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    folder, _ = after
    # what a run leaves that was killed before its last step
    (folder / "results" / "latest" / lost).unlink()
    before = _bytes_of(folder / "results" / "latest")
    again = _night(folder, capsys)
    assert again["ran"] is True
    assert again["made_again"] == LOST
    assert again["rebuilt"]["rebuilt"] == 0
    # an undisturbed night's files, byte for byte
    assert before.items() <= _bytes_of(folder / "results" / "latest").items()
    assert (folder / "results" / "report.html").is_file()
    assert _night(folder, capsys)["ran"] is False


def test_why_a_session_has_another_night(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that changed is a fresh night, exit code 0, and the terminal says why."""
    folder, first = after
    assert first["made_again"] == ""
    for module in (standing, stored):
        monkeypatch.setattr(module, "code_digest", lambda: "upgraded")
    assert cli.run(["nightly", str(folder / "config.toml")]) == 0
    assert "\nmade again: gexlab's own code has changed\n" in capsys.readouterr().out
    third = _night(folder, capsys)
    assert (third["made_again"], third["exit_code"]) == ("", 3)
    changed = CONFIG.replace("[inference]", "[execution]\nfees_bps = 2.0\n\n[inference]")
    (folder / "config.toml").write_text(changed, encoding="utf-8")
    other = _night(folder, capsys)
    assert (other["ran"], other["status"]) == (True, "fresh")
    assert other["made_again"] == "the configuration has changed"


def test_an_older_night_that_was_damaged_is_told(
    after_two: tuple[Path, Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file for another of it: nothing is new, and the list of nights would lie."""
    folder, first, second = after_two
    out = folder / "results"
    assert second["exit_code"] == 0
    older = f"{first['session']}-{out.joinpath(first['folder']).name.rpartition('-')[2]}"
    whole = _bytes_of(out / older)
    (out / older / "results.json").write_bytes(whole["targets.json"])
    said = _night(folder, capsys)
    assert (said["ran"], said["status"], said["exit_code"]) == (False, "degraded", 4)
    (alert,) = said["alerts"]
    assert alert.startswith(f"ARCHIVE DAMAGED: results.json of {older} is not what was written: ")
    assert said["summary"].startswith(alert)
    assert "DAMAGED: results.json" in (out / "index.html").read_text(encoding="utf-8")
    (out / older / "report.html").unlink()  # `runs` looks at every file, a night at what it lists
    (out / older / "results.json").write_bytes(whole["results.json"])
    assert _night(folder, capsys)["exit_code"] == 0  # the list is made again
    assert cli.run(["runs", str(out)]) == 1
    assert cli.run(["nightly", str(folder / "config.toml"), "--as-of", older]) == 0
    assert _bytes_of(out / older) == whole


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


def test_positions_of_a_file_are_rebuilt_and_revised_ones_run_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = pq.read_table(folder / "incoming" / "old.parquet").to_pandas()
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = chains["right"].map({"C": 1.0, "P": -1.0})
    made = chains[key].assign(position=sign * chains["open_interest"])
    made.to_parquet(folder / "positions.parquet")
    regime = '[regime]\ndealer_model = "signed"\npositions = "positions.parquet"\n'
    (folder / "config.toml").write_text(regime + CONFIG, encoding="utf-8")
    first = _night(folder, capsys)
    assert first["rebuilt"]["rebuilt"] == first["rebuilt"]["sessions"]
    assert (first["ran"], first["quality"]) == (True, "ok")
    assert _night(folder, capsys)["ran"] is False
    made.assign(position=-made["position"]).to_parquet(folder / "positions.parquet")
    assert _night(folder, capsys)["ran"] is True


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
    key = json.loads((results / "nightly.json").read_text(encoding="utf-8"))["key"]
    for spoil in (_delete, _cut_short, _of_another_run):
        for name in FILES:
            whole = (results / name).read_bytes()
            spoil(results / name)
            assert not stands(results, key), (spoil.__name__, name)
            (results / name).write_bytes(whole)
            assert stands(results, key)
    note = json.loads((results / "nightly.json").read_text(encoding="utf-8"))
    assert note["facts"]["session"] == first["last_session"]
    regime = note["facts"].pop("regime")
    for told in ({}, {"regime": "short" if regime == "long" else "long"}):
        wrong = json.dumps({**note, "facts": note["facts"] | told})
        (results / "nightly.json").write_text(wrong, encoding="utf-8")
        assert not stands(results, key)
    note["facts"]["regime"] = regime
    del note["files"]["trades.parquet"]
    (results / "nightly.json").write_text(json.dumps(note), encoding="utf-8")
    assert not stands(results, key)
    (results / "nightly.json").write_text("[]", encoding="utf-8")
    assert not stands(results, key)
    assert _night(folder, capsys)["ran"] is True
    assert stands(results, key)


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
    monkeypatch.setattr(standing, "code_digest", lambda: "upgraded")
    assert standing.depends_on(config, market) != key


def test_another_configuration_in_the_same_folder_is_noticed(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = after
    other = CONFIG.replace("[inference]", "[execution]\nfees_bps = 9.0\n\n[inference]")
    (folder / "other.toml").write_text(other, encoding="utf-8")
    results = folder / "results"
    assert cli.run(["backtest", str(folder / "other.toml"), "--out", str(results)]) == 0
    again = _night(folder, capsys)
    # the night itself stands; what lies in its place gives way to it
    assert (again["ran"], again["status"]) == (False, "fresh")
    assert (results / "report.html").resolve() == (results / "latest" / "report.html").resolve()


def test_what_is_new_is_scored_by_the_night_that_knows(
    first_night: tuple[Path, Any],
    after_two: tuple[Path, Any, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A night of three more sessions, then revised bars: nothing frozen changes."""
    folder, first, second = after_two
    before = first_night[0] / "results" / "record"
    frozen = {path.name: path.read_bytes() for path in before.glob("0*.json")}
    assert list(frozen) == [f"000001-{first['session']}.json"]
    told = json.loads(frozen[f"000001-{first['session']}.json"])
    assert told["scores"] == []
    record = folder / "results" / "record"
    assert (record / f"000001-{first['session']}.json").read_bytes() == next(iter(frozen.values()))
    added = json.loads((record / f"000002-{second['session']}.json").read_text(encoding="utf-8"))
    bars = pd.read_parquet(folder / "source" / "bars.parquet")
    at = [str(day)[:10] for day in bars["session"]].index(first["session"])
    following, next_one = bars.iloc[at + 1], bars.iloc[at + 2]
    scores = {(s["kind"], s["name"]): s for s in added["scores"]}
    held = scores["target", "fade-long-follow-short"]
    moved = next_one["open"] / following["open"] - 1.0
    wanted = {f["name"]: f["value"] for f in told["forecasts"] if f["kind"] == "target"}
    assert held["realised"] == pytest.approx(moved, rel=1e-12)
    assert held["pnl"] == pytest.approx(wanted["fade-long-follow-short"] * moved, rel=1e-12)
    realised = np.log(following["high"] / following["low"]) * np.sqrt(252 / (4 * np.log(2)))
    assert scores["volatility", "parkinson"]["realised"] == pytest.approx(realised, rel=1e-12)
    assert "tab-live" in (folder / "results" / "report.html").read_text(encoding="utf-8")
    # the last bar is revised: the session's targets are said anew beside the old ones
    bars["close"] = [*bars["close"][:-1], 1.001 * float(bars["close"].iloc[-1])]
    bars.to_parquet(folder / "source" / "bars.parquet")
    assert _night(folder, capsys)["ran"] is True
    after_all = {path.name: path.read_bytes() for path in record.glob("0*.json")}
    assert len(after_all) == 3
    assert frozen.items() <= after_all.items()
    assert read_record(folder / "results").broken == ""


def test_targets_are_what_the_backtest_fills(folder: Path) -> None:
    """Cut the market off a session earlier: what is wanted then is what fills on the last bar."""
    config = load_config(folder / "config.toml")
    ingest([folder / "incoming"], vendor="canonical", underlying="SIM", lake=folder / "lake")
    days = [entry.session for entry in open_lake(folder / "lake").sessions("SIM")]
    cut = config.model_copy(update={"data": config.data.model_copy(update={"end": days[-2]})})
    whole = config.model_copy(update={"data": config.data.model_copy(update={"end": days[-1]})})
    wanted = next_targets(cut, load_market(cut))
    market = load_market(whole)
    trading = trade_config(whole, market)
    assert {t.strategy for t in wanted} == {s.name for s in trading.strategies}
    for strategy, plan in zip(trading.strategies, trading.plans, strict=True):
        told = next(t for t in wanted if t.strategy == strategy.name)
        assert told.abstains == ""
        assert told.target == plan.wanted[-1]
        assert told.label == plan.label[-1]
        assert told.session == days[-2]
        assert f"{told.fill_at:%Y-%m-%d}" == str(days[-1])


def test_what_cannot_be_read_is_put_aside(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, first = after
    (folder / "incoming" / "=cmd.parquet").write_bytes(b"no table at all")
    second = _night(folder, capsys)
    assert (second["status"], second["exit_code"]) == ("degraded", 4)
    assert [file["file"] for file in second["put_aside"]] == ["incoming/=cmd.parquet"]
    assert str(folder) not in second["put_aside"][0]["reason"]
    assert second["alerts"][0].startswith("PUT ASIDE: incoming/=cmd.parquet cannot be read")
    assert second["summary"].startswith("PUT ASIDE")
    assert second["session"] == first["session"]
    page = (folder / "results" / "report.html").read_text(encoding="utf-8")
    assert page.index('role="alert"') < page.index("<h1>")
    # nothing new and still degraded: 4 wins over 3
    again = _night(folder, capsys)
    assert (again["ran"], again["exit_code"]) == (False, 4)


def test_a_night_that_fails_calls_nothing_current(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = after
    shutil.rmtree(folder / "lake")
    (folder / "incoming" / "old.parquet").unlink()
    assert cli.run(["nightly", str(folder / "config.toml")]) == 1
    said = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    assert said["status"] == "failed"
    assert said["session"] is None
    assert said["reason"] in capsys.readouterr().err.replace("\n", " ")
    assert [s["status"] for s in said["steps"] if s["name"] == "rebuild"] == ["failed"]


@pytest.mark.slow
def test_a_start_by_configuration_is_the_one_by_hand(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chains and bars cut the session before it: results, targets and what the night says."""
    for file in ("old", "new"):
        if (folder / f"{file}.parquet").exists():
            (folder / f"{file}.parquet").rename(folder / "incoming" / f"{file}.parquet")
    bars = pd.read_parquet(folder / "source" / "bars.parquet")
    first, start = (day.date() for day in pd.to_datetime(bars["session"]).iloc[11:13])
    text = (folder / "config.toml").read_text(encoding="utf-8")
    text = text.replace('instrument = "etf"', f'instrument = "etf"\nstart = {start}')
    (folder / "config.toml").write_text(text, encoding="utf-8")
    cut = Path(shutil.copytree(folder, tmp_path / "cut"))
    for path in (cut / "incoming").glob("*.parquet"):
        rows = pq.read_table(path)
        keep = [day >= first for day in rows["session"].to_pylist()]
        pq.write_table(rows.filter(keep), path)
    kept = bars[pd.to_datetime(bars["session"]).dt.date >= first]
    kept.to_parquet(cut / "source" / "bars.parquet", index=False)
    told = []
    for where in (folder, cut):
        said = _night(where, capsys)
        assert said["rebuilt"]["sessions"] == (len(bars) if where is folder else len(kept))
        files = [
            json.loads((where / "results" / name).read_text(encoding="utf-8"))
            for name in ("results.json", "targets.json", "nightly.json")
        ]
        results, targets, night = files
        told.append(
            (
                {k: v for k, v in results.items() if k != "provenance"},
                {k: v for k, v in targets.items() if k != "content_id"},
                {k: v for k, v in night["facts"].items() if k != "content_id"},
                {k: said[k] for k in ("session", "regime", "spot", "flip", "alerts", "status")},
            )
        )
    assert told[0] == told[1]


def test_two_nights_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results"
    with one_night(out):
        assert cli.run(["nightly", str(folder / "config.toml")]) == 1
        assert f"another night is running (process {os.getpid()})" in capsys.readouterr().err
        assert not (out / "run.json").exists()
    with one_night(out):
        pass


def test_stale_refused_and_missing_data_are_said_first(after: tuple[Path, Any]) -> None:
    folder, _ = after
    config = load_config(folder / "config.toml")
    market = load_market(config)
    real = replace(market, simulated=False)
    last = market.regime.table.index[-1].date()
    calendar = market.calendar
    morning = calendar.open_of(calendar.shift(last, 1))
    evening = calendar.close_of(calendar.shift(last, 2))
    assert alerts_of(config, real, Record(), morning) == ()
    (stale,) = alerts_of(config, real, Record(), evening)
    assert stale == f"STALE: no chain since {last}, more than 1 session ago"
    assert alerts_of(config, market, Record(), evening) == ()  # a simulated market has no today
    assert late_night(real, evening)
    assert not late_night(real, morning)
    assert not late_night(market, evening)
    table = market.regime.table.copy()
    table.loc[table.index[-1], "regime"] = "abstain"
    regime = replace(market.regime, table=table, promoted={table.index[-1]: ("no_carry",)})
    (refused,) = alerts_of(config, replace(real, regime=regime), Record(), morning)
    assert refused == f"DEGRADED: the chain of {last} has no regime (no carry)"
    late = replace(real, bars=market.bars.iloc[:-1], tested=market.tested[:-1])
    (missing,) = alerts_of(config, late, Record(), morning)
    assert missing.startswith(f"MISSING: no bar of {last}")
    for target in next_targets(config, late):
        assert np.isnan(target.target)
        assert target.abstains.startswith(f"the bar of {last} is missing")
    (changed,) = alerts_of(config, real, Record(broken="000002 is gone"), morning)
    assert changed.startswith("RECORD CHANGED: 000002 is gone")


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(days=1)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_clock_that_is_off_changes_no_night(
    after: tuple[Path, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    off: timedelta,
    sign: int,
) -> None:
    folder, first = after

    class Off(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + sign * off

    monkeypatch.setattr(run_log, "datetime", Off)
    second = _night(folder, capsys)
    assert second["exit_code"] == 3
    assert (second["content_id"], second["session"]) == (first["content_id"], first["session"])
    written = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    wrong_by = datetime.fromisoformat(written["created_at"]) - datetime.now(UTC)
    assert abs(wrong_by - sign * off) < timedelta(minutes=2)


def test_by_the_clock_of_a_real_market(after: tuple[Path, Any]) -> None:
    """An hour or a day before the chain was public says CLOCK; after it, late or not, nothing."""
    folder, _ = after
    config = load_config(folder / "config.toml")
    market = replace(load_market(config), simulated=False)
    last = market.regime.table.iloc[-1]
    known = pd.Timestamp(last["known_at"]).to_pydatetime()
    for off in (timedelta(hours=1), timedelta(days=1)):
        (said,) = alerts_of(config, market, Record(), known - off)
        assert said.startswith(f"CLOCK: the chain of {market.regime.table.index[-1].date()}")
    assert alerts_of(config, market, Record(), known + timedelta(hours=1)) == ()


def test_a_lake_that_cannot_be_read_fails_the_night_and_says_which(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, first = after
    page = (folder / "results" / "report.html").read_bytes()
    (broken,) = sorted((folder / "lake" / "chains").rglob("*.parquet"))[:1]
    broken.write_bytes(broken.read_bytes()[:100])
    shutil.copy(folder / "new.parquet", folder / "incoming" / "new.parquet")
    assert cli.run(["nightly", str(folder / "config.toml")]) == 1
    said = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    assert (said["status"], said["session"]) == ("failed", None)
    assert "failed" in {step["status"] for step in said["steps"]}
    assert broken.name in said["reason"]
    assert said["reason"] in capsys.readouterr().err.replace("\n", " ")
    assert (folder / "results" / "report.html").read_bytes() == page  # of the night before
    assert first["status"] == "fresh"


def test_a_dead_network_degrades_the_night_and_the_next_one_recovers(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, first = after
    path = folder / "config.toml"
    before = path.read_text(encoding="utf-8")

    def dead(*words: Any, **more: Any) -> Any:
        raise InputFileError("cannot reach cdn.cboe.com: no route to host")

    monkeypatch.setattr(import_module("gexlab.data.ingest.snapshot"), "download", dead)
    path.write_text(before + "snapshot = true\n", encoding="utf-8")
    second = _night(folder, capsys)
    assert (second["status"], second["exit_code"]) == ("degraded", 4)
    (alert,) = second["alerts"]
    assert alert == "SNAPSHOT FAILED: cannot reach cdn.cboe.com: no route to host"
    assert second["summary"].startswith("SNAPSHOT FAILED")
    assert [s["status"] for s in second["steps"] if s["name"] == "snapshot"] == ["failed"]
    assert (second["session"], second["regime"]) == (first["session"], first["regime"])
    path.write_text(before, encoding="utf-8")
    third = _night(folder, capsys)
    assert third["alerts"] == []
    assert third["content_id"] == first["content_id"]


def test_a_night_is_told_once(
    after: tuple[Path, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, first = after
    monkeypatch.setenv("HOOK_KEY", "s3cret-of-the-hook")
    with web_server() as web, mail_server() as post:
        more = f"""
[nightly.webhook]
url = "http://127.0.0.1:{web.port}/h"
secret_env = "HOOK_KEY"
[nightly.mail]
host = "127.0.0.1"
port = {post.port}
security = "none"
sender = "gexlab@example.org"
to = ["desk@example.org"]
"""
        (folder / "config.toml").write_text(CONFIG + more, encoding="utf-8")
        told = _night(folder, capsys)
        assert told["content_id"] == first["content_id"]  # whom it is told changes no result
        assert [way["status"] for way in told["deliveries"]] == ["sent", "sent"]
        said = json.loads(web.bodies[0])
        assert said["report"] == f"{told['folder'].rpartition('/')[2]}/report.html"
        assert {t["strategy"] for t in said["targets"]} > {"buy-and-hold"}
        assert b"Content-ID: <last-session>" in post.bodies[0]
        again = _night(folder, capsys)
        assert [way["status"] for way in again["deliveries"]] == ["unchanged", "unchanged"]
        web.status = 503
        (folder / "incoming" / "torn.parquet").write_bytes(b"no table")
        assert _night(folder, capsys)["alerts"][-1].startswith("WEBHOOK FAILED: 127.0.0.1 answered")
        (folder / "config.toml").write_text(CONFIG.replace("etf", "index") + more, encoding="utf-8")
        shutil.rmtree(folder / "lake")
        (folder / "incoming" / "old.parquet").unlink()
        web.status = 200
        assert cli.run(["nightly", str(folder / "config.toml")]) == 1
        assert json.loads(web.bodies[-1])["status"] == "failed"
        assert b"Subject: FAILED: gexlab nightly" in post.bodies[-1]
    everything = [p.read_bytes() for p in (folder / "results").rglob("*") if p.is_file()]
    assert not any(b"s3cret-of-the-hook" in content for content in everything)
