"""A rebuild of a simulated lake is held against its truth, and told where it misses it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gexlab.data import GexlabError, regimes
from gexlab.data.simulate import SimulationResult, check_lake, simulate, worlds
from gexlab.reports.cli import app as cli


def make(world: str, folder: Path) -> SimulationResult:
    return simulate(
        world, years=0.06, seed=3, contracts=300, start=date(2019, 11, 1), lake=folder, intraday=30
    )


@pytest.mark.parametrize("world", sorted(worlds()))
def test_every_world_is_recovered_to_a_millionth(world: str, tmp_path: Path) -> None:
    result = make(world, tmp_path)
    checks = {c.quantity.split(",")[0]: c for c in check_lake(tmp_path)}
    assert not [c for c in checks.values() if not c.holds(3.0)]
    assert checks["net GEX"].measured < 1e-6
    assert checks["flip"].measured < 1e-6
    assert checks["net GEX"].n == 2 * result.sessions
    hidden = world in {"S5", "S6"}
    assert checks["net GEX"].quantity.endswith("signed" if hidden else "naive")
    agreement = checks["naive signs that are right"]
    assert (agreement.relation == "reported") is hidden
    assert (agreement.measured == 1.0) is not hidden
    # what stays is the naive table, as the command line's default would make it
    assert set(regimes(tmp_path, "SIM")["dealer_model"]) >= {"naive"}


def test_a_truth_that_is_off_by_more_than_a_millionth_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make("S1", tmp_path)
    arguments = ["simulate", "--check", "--lake", str(tmp_path), "--json"]
    assert cli.run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
    truth = pd.read_parquet(result.truth)
    truth["net_gex"] = [x * (1 + 2e-6 * (i == 4)) for i, x in enumerate(truth["net_gex"])]
    truth["flip"] = [float("nan") if i == 7 else x for i, x in enumerate(truth["flip"])]
    truth.to_parquet(result.truth)
    assert cli.run(arguments) == 1
    document = json.loads(capsys.readouterr().out)
    failed = [c["quantity"] for c in document["checks"] if not c["holds"]]
    assert failed == ["net GEX, largest error, naive", "rows or flips only on one side"]


def test_positions_are_read_as_the_dealer_model_signed(tmp_path: Path) -> None:
    result = make("S5", tmp_path)
    assert result.positions is not None
    positions = pd.read_parquet(result.positions)
    assert (
        positions["known_at"]
        .dt.tz_convert("America/New_York")
        .dt.strftime("%H:%M")
        .isin(["16:30", "13:30"])
    ).all()
    result.positions.unlink()
    with pytest.raises(GexlabError, match="expected the dealers' true positions"):
        check_lake(tmp_path)


def test_a_lake_without_truth_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", "--check", "--lake", str(tmp_path)]) == 1
    assert "gexlab simulate" in capsys.readouterr().err


def test_the_command_prints_theory_measured_value_and_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert cli.run(["simulate", "--check", "S7"]) == 0
    printed = capsys.readouterr().out
    assert "theory" in printed
    assert "measured" in printed
    assert "error" in printed
    assert "S7 leveraged funds" in printed
    row = next(line for line in printed.splitlines() if "GEX < 0" in line)
    assert row.split()[-1] == "yes"
    assert "0.1000" in row
    assert "all 7 hold" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--check", "S99"], 1, "unknown world 'S99'"),
        (["--check", "S1", "--lake", "x"], 2, "not both"),
        (["S1", "--years", "1"], 2, "name the world with --world"),
        (["--world", "S1", "--seed", "1", "--lake", "x"], 2, "'--years'"),
    ],
)
def test_wrong_usage_says_what_is_meant(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", *arguments]) == code
    assert message in capsys.readouterr().err
