"""The page of rejection rates, from a check written by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gexlab.backtest.rejection import RejectionRate, SimulationCheck, wilson
from gexlab.reports import cli
from gexlab.reports.calibration_page import calibration_page


def rate(test: str, world: str, strength: float, rejected: int) -> RejectionRate:
    share, none = wilson(rejected, 400), wilson(0, 0)
    return RejectionRate(
        test, world, "visible", strength, 0.18, "-", 400, 0, share, share, share, none, 0.1, 1.0
    )


def test_the_page_shows_size_and_power_with_intervals() -> None:
    check = SimulationCheck(
        0.05,
        400,
        1_500,
        {"vol-damping": -3.5, "other": math.nan},
        (rate("vol-damping", "S0", 0.0, 20), rate("other", "S1", 0.5, 400)),
    )
    page = calibration_page(check)
    # Wilson 20/400, by hand: 3.3 to 7.6
    assert "| `vol-damping` | 400 | 5.0 (3.3 to 7.6) |" in page
    assert "| – | -3.50 |" in page
    assert "| S1 | `other` | 0.5 | 0.18 | 100.0 (99.0 to 100.0) |" in page
    assert page.endswith("|\n")


def test_the_command_writes_page_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.md"
    arguments = ["calibrate", "fade-follow", "--seeds", "3", "--sessions", "300"]
    assert cli.run([*arguments, "--processes", "1", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["seeds"] == 3
    (row,) = document["rates"]
    assert (row["test"], row["world"], row["markets"]) == ("fade-follow", "S0", 3)
    assert "`fade-follow`" in out.read_text(encoding="utf-8")


def test_an_unknown_hypothesis_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["calibrate", "fade-folow", "--processes", "1"]) == 1
    assert "did you mean 'fade-follow'" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "absent" / "page.md"
    arguments = ["calibrate", "fade-follow", "--seeds", "2", "--sessions", "60"]
    assert cli.run([*arguments, "--processes", "1", "--out", str(target)]) == 1
    assert "page.md" in capsys.readouterr().err
