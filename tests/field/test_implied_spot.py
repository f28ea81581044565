"""A spot that no file states is implied by put-call parity, and every output says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from layouts import LAYOUTS, SPOT

from gexlab.backtest.run.chain_findings import spot_notice
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.quality.check import findings
from gexlab.reports.cli import app as cli

SENTENCE = "spot of 1 of 1 session implied by put-call parity: its files state none"


def _written(folder: Path, *, spot: bool) -> Path:
    [layout] = [layout for layout in LAYOUTS if layout.name == "options_hist"]
    [(_, body)] = layout.write(layout.truth()).items()
    assert isinstance(body, str)
    lines = body.splitlines()
    kept = lines if spot else [line.rpartition(",")[0] for line in lines]
    path = folder / f"options{spot}.csv"
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return path


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert cli.run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_output_says_that_the_spot_is_implied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = str(tmp_path / "lake")
    file = _written(tmp_path, spot=False)
    where = ("--lake", lake, "--underlying", "SPY")
    words = ("ingest", str(file), "--vendor", "options_hist", *where)
    assert _run(capsys, *words, "--dry-run")["spots_implied"] == 1
    assert cli.run(list(words)) == 0
    assert SENTENCE in " ".join(capsys.readouterr().out.split())
    # a file that the lake holds is not read again, and stays what it was
    assert _run(capsys, *words)["files_unchanged"] == 1
    checks = _run(capsys, "check", *where)
    [checked] = [f for f in checks if f["finding"] == "spot_implied"]
    assert (checked["severity"], checked["session"]) == ("info", "2024-01-12")
    _run(capsys, "rebuild", *where, "--instrument", "etf")
    rows = _run(capsys, "regimes", *where)
    # calls and puts of one volatility without rates: the forward is the spot
    assert {(row["spot_implied"], round(row["spot"], 6)) for row in rows} == {(True, SPOT)}
    assert _run(capsys, "regimes", *where, "--out", str(tmp_path / "r.csv"))["spots_implied"] == 1
    assert cli.run(["regimes", *where]) == 0
    assert SENTENCE in " ".join(capsys.readouterr().out.split())
    for command in ("explain", "profile"):
        told = _run(capsys, command, *where, "--session", "2024-01-12")["findings"]
        assert "spot_implied" in [finding["check"] for finding in told]
    opened = open_lake(lake)
    notice = spot_notice(findings(opened, "SPY"), 1)
    assert notice is not None
    assert (notice.code, notice.severity, notice.detail) == ("spot_implied", "info", SENTENCE)


def test_a_stated_spot_is_not_said_to_be_implied(tmp_path: Path) -> None:
    file = _written(tmp_path, spot=True)
    result = ingest([file], vendor="options_hist", underlying="SPY", lake=tmp_path / "lake")
    assert result.spots_implied == 0
    found = findings(open_lake(tmp_path / "lake"), "SPY")
    assert "spot_implied" not in {f.check for f in found}
    assert spot_notice(found, 1) is None


@pytest.mark.parametrize("stated", [True, False])
def test_a_map_that_asks_for_parity(stated: bool, tmp_path: Path) -> None:
    """Rows that state a spot keep it; those that do not are marked."""
    file = _written(tmp_path, spot=True)
    lines = file.read_text(encoding="utf-8").splitlines()
    empty = [line if stated else f"{line.rpartition(',')[0]}," for line in lines[1:]]
    file.write_text("\n".join([lines[0], *empty]) + "\n", encoding="utf-8")
    (tmp_path / "map.toml").write_text(
        'spot = "parity"\n[columns]\nsession = "date"\nexpiry = "expiration"\nstrike = "strike"\n'
        'right = "type"\nbid = "bid"\nask = "ask"\nopen_interest = "open_interest"\n'
        'iv = "implied_volatility"\nspot = "spot"\n[timing]\nquote_time = "close"\n'
        'known_at = "next_open"\noi_lag_sessions = 1\nsettlement = "PM"\n',
        encoding="utf-8",
    )
    lake = tmp_path / "lake"
    result = ingest(
        [file], vendor="columns", underlying="SPY", lake=lake, mapping=tmp_path / "map.toml"
    )
    assert result.spots_implied == (0 if stated else 1)
    assert len(open_lake(lake).manifest("SPY").implied_spots) == result.spots_implied
