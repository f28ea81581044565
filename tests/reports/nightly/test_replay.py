"""A night of the past is made again, byte for byte, whatever came after it."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pyarrow.parquet as pq
import pytest

from gexlab.data import file_fingerprint, versions
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli
from gexlab.reports.nightly import laid_out as layout
from gexlab.reports.nightly import replay as made_again
from gexlab.reports.nightly import standing
from gexlab.reports.nightly.nightly import nightly
from gexlab.reports.nightly.nights import nights_of
from gexlab.reports.nightly.runs import runs
from gexlab.reports.nightly.stored import (
    StoredFile,
    StoredInputError,
    StoredNight,
    stored_copy,
    stored_nights,
)

#: Every kind of file that a run reads beside the lake, and paths from the root on.
CONFIG = """
[data]
lake = "{lake}"
underlying = "SIM"
instrument = "etf"
bars = "{folder}/source/bars.parquet"

[regime]
dealer_model = "signed"
positions = "positions.parquet"
definition = {{ rate_curve = "curves/rate.csv" }}

[[strategies]]
name = "own"
filter = "own.py:Above"

[series]
vix = {{ path = "vix.csv", columns = {{ session = "day", value = "v" }}, known = "close" }}

[inference]
bootstrap = 100

[ledger]
path = "{folder}/counted"

[nightly]
paths = ["incoming/*.parquet"]
out = "{folder}/nights"
"""
OWN = """
from gexlab.strategies import Filter, Past


class Above(Filter):
    name = "above"

    def inputs(self):
        return {"value": Past("regime.value", 1)}

    def label(self, value):
        return "long" if value[-1] > 0 else "short"
"""


def _made(folder: Path) -> Path:
    """Write a market whose last three sessions have not come in yet."""
    source = folder / "source"
    simulate("S1", years=0.12, seed=5, lake=source, contracts=200, intraday=None)
    (folder / "incoming").mkdir()
    chains = pq.read_table(sorted((source / "chains").rglob("*.parquet"))[0])
    days = chains["session"].to_pylist()
    cut = sorted(set(days))[-3]
    old = [day < cut for day in days]
    pq.write_table(chains.filter(old), folder / "incoming" / "old.parquet")
    pq.write_table(chains.filter([not is_old for is_old in old]), folder / "new.parquet")
    frame = chains.to_pandas()
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    sign = frame["right"].map({"C": 1.0, "P": -1.0})
    frame[key].assign(position=sign * frame["open_interest"]).to_parquet(
        folder / "positions.parquet"
    )
    sessions = sorted(set(days))
    (folder / "curves").mkdir()
    rows = ["2014-12-01,0.03", *(f"{d},0.03" for d in sessions)]
    (folder / "curves" / "rate.csv").write_text("\n".join(["session,rate", *rows]) + "\n")
    rows = [f"{d},{20 + i % 5}" for i, d in enumerate(sessions)]
    (folder / "vix.csv").write_text("\n".join(["day,v", *rows]) + "\n")
    (folder / "own.py").write_text(OWN)
    (folder / "config.toml").write_text(CONFIG.format(folder=folder, lake="lake"))
    return folder


def _run(*words: str) -> tuple[int, Any]:
    printed = StringIO()
    with redirect_stdout(printed):
        code = cli.run([*words, "--json"])
    return code, json.loads(printed.getvalue())


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, bytes]]:
    """Return a folder after two nights between which everything changed, and the first night."""
    folder = _made(tmp_path_factory.mktemp("replay"))
    code, first = _run("nightly", str(folder / "config.toml"))
    assert code in (0, 4)
    name = os.readlink(folder / "nights" / "latest")
    written = _bytes(folder / "nights" / name)
    # later data, and whatever else a night reads in another form
    (folder / "new.parquet").rename(folder / "incoming" / "new.parquet")
    bars = pd.read_parquet(folder / "source" / "bars.parquet")
    bars["close"] *= 1.0001
    bars.to_parquet(folder / "source" / "bars.parquet")
    positions = pd.read_parquet(folder / "positions.parquet")
    positions.assign(position=-positions["position"]).to_parquet(folder / "positions.parquet")
    for path, old, new in (
        ("curves/rate.csv", "0.03", "0.05"), ("vix.csv", ",2", ",3"), ("own.py", "> 0", "> 1e9"),
    ):  # fmt: skip
        text = (folder / path).read_text()
        (folder / path).write_text(text.replace(old, new))
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(f"[execution]\nfees_bps = 5.0\n{text}")
    (folder / "source" / "truth.json").unlink()
    code, second = _run("nightly", str(folder / "config.toml"))
    assert code in (0, 4)
    assert second["session"] > first["session"]
    return folder, name, written


def test_a_replay_gives_the_same_bytes(nights: tuple[Path, str, dict[str, bytes]]) -> None:
    folder, name, written = nights
    out = folder / "nights"
    config = folder / "config.toml"
    session = name.rpartition("-")[0]
    # where the night stands, and where it was lost
    shutil.rmtree(out / name)
    before = _bytes(out)
    lake = [v.version for v in versions(folder / "lake")]
    ledger = _bytes(folder / "counted")
    code, said = _run("nightly", str(config), "--as-of", session)
    told = json.loads(written["run.json"])
    assert code == told["exit_code"]
    assert (said["session"], said["content_id"]) == (session, told["content_id"])
    assert said["replay"]["equal"] is True
    assert said["replay"]["lake_version"] == told["lake_version"]
    assert "nothing was ingested" in said["replay"]["told"]
    after = _bytes(out)
    night = {k.removeprefix(f"{name}/"): v for k, v in after.items() if k.startswith(f"{name}/")}
    stamp = night.pop("run.json")
    assert night == {k: v for k, v in written.items() if k != "run.json"}
    again = json.loads(stamp)
    for key in ("created_at", "status", "alerts", "summary", "inputs", "trials", "lake_version"):
        assert again[key] == told[key]
    # newer nights, the live record and `latest` stay; so do lake and ledger
    kept = {k: v for k, v in after.items() if not k.startswith(name) and k != "index.html"}
    assert kept == {k: v for k, v in before.items() if k != "index.html"}
    assert [v.version for v in versions(folder / "lake")] == lake
    assert _bytes(folder / "counted") == ledger
    assert {file["path"] for file in told["inputs"]} >= {
        "config.toml", "source/bars.parquet", "positions.parquet", "curves/rate.csv", "vix.csv",
        "own.py", "source/truth.json",
    }  # fmt: skip


def test_a_night_of_another_configuration_is_not_taken_for_ones_own(
    nights: tuple[Path, str, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, name, _ = nights
    session = name.rpartition("-")[0]
    now = (folder / "config.toml").read_text()
    (folder / "other.toml").write_text(now.replace("fees_bps = 5.0", "fees_bps = 7.0"))
    assert cli.run(["nightly", str(folder / "other.toml"), "--as-of", session]) == 1
    assert f"it was not there at {session}" in capsys.readouterr().err  # made from the lake of then
    assert cli.run(["nightly", str(folder / "other.toml"), "--as-of", name]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"was made by {folder / 'config.toml'}, not by" in said
    # a copy of the text of then is that configuration, wherever it lies
    (folder / "same.toml").write_text(now.removeprefix("[execution]\nfees_bps = 5.0\n"))
    found = made_again._asked_for(folder / "same.toml", folder / "nights", session)
    assert found is not None
    assert found.night == name


def _copied(night: Path, folder: Path) -> None:
    shutil.copytree(night, folder)
    (folder / "run.json").unlink()


def test_a_run_is_made_again(
    nights: tuple[Path, str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, name, _ = nights
    out = folder / "nights"
    before = _bytes(out)
    monkeypatch.chdir(folder)
    code, said = _run("runs", "--again", name.rpartition("-")[2])  # the only archive below
    assert (code, said["again"]["equal"], said["again"]["differences"]) == (0, True, [])
    assert said["again"]["files"] == len(json.loads(before[f"{name}/nightly.json"])["files"])
    # the same versions and other bytes: somebody changed what was noted of it
    noted = stored_nights(out, name)[0]
    other = replace(noted, files={**noted.files, "results.json": "0" * 64})
    monkeypatch.setattr(made_again, "stored_nights", lambda *_: (other,))
    monkeypatch.setattr(made_again, "write_night", lambda *a: _copied(out / name, a[2].folder))
    code, said = _run("runs", str(out), "--again", name)
    told = [(d["kind"], d["name"], d["first"]) for d in said["again"]["differences"]]
    assert (code, told) == (1, [("file", "results.json", "0" * 64)])
    assert cli.run(["nightly", str(folder / "config.toml"), "--as-of", name]) == 1
    assert "differs from what was written" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    # under another library what moved is named
    monkeypatch.setattr(standing, "_versions", lambda: {"numpy": "0.0"})
    code, said = _run("runs", str(out), "--again", name)
    assert (code, said["again"]["equal"]) == (1, False)
    assert [d["kind"] for d in said["again"]["differences"]] == ["key"]
    assert _bytes(out) == before


@pytest.mark.parametrize("lost", [True, False])
def test_an_input_that_is_gone_or_changed_is_named(
    nights: tuple[Path, str, dict[str, bytes]], tmp_path: Path, lost: bool
) -> None:
    folder, name, _ = nights
    out = tmp_path / "nights"
    shutil.copytree(folder / "nights", out, symlinks=True)
    noted = json.loads((out / "inputs" / "nights" / f"{name}.json").read_text())
    file = next(StoredFile(**f) for f in noted["inputs"] if f["path"] == "vix.csv")
    copy = out / "inputs" / file.sha256
    assert file_fingerprint(copy) == file.sha256
    assert all(night.damaged == () for night in runs(out).nights)
    copy.unlink()
    if not lost:
        copy.write_text("day,v\n")
    said = f"inputs/{file.sha256[:10]} (vix.csv)"
    assert {n.name: n.damaged for n in runs(out).nights}[name] == (said,)
    assert all(night.damaged == () for night in nights_of(out, verified=False))
    with pytest.raises(StoredInputError, match=r"vix\.csv.*expected SHA-256 [0-9a-f]{64}") as found:
        stored_copy(out, file, name)
    assert ("it is gone" if lost else f"found {file_fingerprint(copy)}") in str(found.value)


def test_a_note_that_was_changed_is_refused(
    nights: tuple[Path, str, dict[str, bytes]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, name, _ = nights
    out = tmp_path / "nights"
    shutil.copytree(folder / "nights", out, symlinks=True)
    note = out / "inputs" / "nights" / f"{name}.json"
    note.write_text(note.read_text().replace('"record": 0', '"record": 1'))
    assert cli.run(["runs", str(out)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"{name}: DAMAGED: inputs/nights/{name}.json" in said
    assert cli.run(["runs", str(out), "--again", name]) == 1
    assert f"{name}.json is not what was written" in capsys.readouterr().err
    note.unlink()  # the night's own run.json says that there was one
    assert {n.name: n.damaged for n in runs(out).nights}[name] == (f"inputs/nights/{name}.json",)
    [other] = stored_nights(out, os.readlink(out / "latest"))  # others can be replayed
    assert other.night != name


def test_a_date_without_a_night_says_what_it_was_made_from(
    nights: tuple[Path, str, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, _ = nights
    out, config = folder / "nights", folder / "config.toml"
    assert cli.run(["nightly", str(config), "--as-of", "2015-01-02"]) == 1
    assert "it was not there at 2015-01-02" in capsys.readouterr().err
    assert cli.run(["nightly", str(config), "--as-of", "yesterday"]) == 1
    assert "expected a date (YYYY-MM-DD) or a night" in capsys.readouterr().err
    before = _bytes(out)
    newest = versions(folder / "lake")[-1].version
    today = datetime.now(UTC).date()
    made = nightly(config, as_of=today)
    assert made.replay is not None
    assert (made.replay.archived, made.replay.equal) == (False, None)
    assert made.replay.lake_version == newest
    assert f"version {newest} " in made.replay.told
    assert date.fromisoformat(made.session) <= today
    report = (made.folder / "report.html").read_text(encoding="utf-8")
    assert f"no night of {today} was archived" in report
    after = _bytes(out)
    kept = {k: v for k, v in before.items() if k != "index.html"}
    assert kept.items() <= after.items()
    assert made.replay.night == made.folder.name


@pytest.mark.slow
def test_every_night_of_a_fortnight_replays(tmp_path: Path) -> None:
    """One session a night, ten nights; then each is made again."""
    folder = _made(tmp_path)
    chains = pq.read_table(sorted((folder / "source" / "chains").rglob("*.parquet"))[0])
    days = chains["session"].to_pylist()
    last = sorted(set(days))[-10:]
    (folder / "incoming" / "old.parquet").unlink()
    pq.write_table(chains.filter([d < last[0] for d in days]), folder / "incoming" / "old.parquet")
    names = []
    for day in last:
        pq.write_table(
            chains.filter([d == day for d in days]), folder / "incoming" / f"{day}.parquet"
        )
        names.append(nightly(folder / "config.toml").folder.name)
    assert [name.rpartition("-")[0] for name in names] == [str(day) for day in last]
    before = _bytes(folder / "nights")
    for name in names:
        found = runs(folder / "nights", again=name).again
        assert found is not None
        assert (found.equal, found.differences) == (True, ())
    assert _bytes(folder / "nights") == before


def test_a_replay_counts_nothing_where_a_lake_far_away_counts(tmp_path: Path) -> None:
    """The ledger of a lake in an object store lies in it: a replay has one of its own."""
    text = """
    data = { lake = "s3://bucket/lake", underlying = "SPX", bars = "bars.parquet" }
    regime = { source = "lake" }
    """
    stored = SimpleNamespace(
        configuration=None, night="2026-07-01", instrument="etf", end=None,
        lake="s3://bucket/lake", lockbox=None,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patched:
        kept = tmp_path / "kept.toml"
        kept.write_text(text, encoding="utf-8")
        patched.setenv("GEXLAB_CACHE", str(tmp_path / "mirror"))
        patched.setattr(layout, "stored_copy", lambda *_: kept)
        config = layout._configuration(
            tmp_path, cast("StoredNight", stored), tmp_path / "root", tmp_path
        )
        assert config.lake_place == "s3://bucket/lake"
        assert config.ledger_path == tmp_path / "root" / "ledger"
