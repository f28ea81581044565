"""The page of rejection rates, from a check written by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gexlab.backtest.statistics.rejection import RejectionRate, SimulationCheck, wilson
from gexlab.reports.cli import app as cli
from gexlab.reports.cli.commands.calibrate import _kept
from gexlab.reports.page.calibration_markdown import calibration_page
from gexlab.reports.page.sections.calibration import calibration_html_page


def rate(test: str, world: str, strength: float, rejected: int) -> RejectionRate:
    share, none = wilson(rejected, 400), wilson(0, 0)
    return RejectionRate(
        test, world, "visible", strength, 0.18, "-", 400, 0, share, share, share, none,
        wilson(60, 400), 0.1, 1.0,
    )  # fmt: skip


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
    assert "| `vol-damping` | 400 | **5.0 (3.3 to 7.6)** | 15.0 (11.8 to 18.8) |" in page
    assert "| – | -3.50 |" in page
    assert "| S1 | `other` | 0.5 | 0.18 | **100.0 (99.0 to 100.0)** |" in page
    assert page.endswith("|\n")


def test_the_command_writes_page_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, chart, values = (tmp_path / name for name in ("page.md", "page.html", "values.json"))
    arguments = ["calibrate", "fade-follow", "--seeds", "3", "--sessions", "300"]
    arguments += [word for path in (out, chart, values) for word in ("--out", str(path))]
    assert cli.run([*arguments, "--processes", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert json.loads(values.read_text(encoding="utf-8")) == document
    assert 'data-figure="fig-size"' in chart.read_text(encoding="utf-8")
    assert document["seeds"] == 3
    (row,) = document["rates"]
    assert (row["test"], row["world"], row["markets"]) == ("fade-follow", "S0", 3)
    assert "`fade-follow`" in out.read_text(encoding="utf-8")


def test_an_unknown_hypothesis_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["calibrate", "fade-folow", "--processes", "1"]) == 1
    assert "did you mean 'fade-follow'" in capsys.readouterr().err


def test_the_charts_show_every_share_with_its_interval() -> None:
    check = SimulationCheck(
        0.05,
        400,
        1_500,
        {"a": -3.5},
        (rate("a", "S0", 0.0, 20), rate("a", "S1", 0.5, 200), rate("a", "S1", 1.0, 400)),
    )
    size, power = calibration_html_page(check).sections
    reported, normal, _ = size.figures[0].spec["data"]
    # Wilson 20/400, by hand: 3.26 to 7.60 %
    assert reported["x"] == [5.0]
    assert normal["x"] == [15.0]
    assert reported["error_x"]["array"] == [pytest.approx(2.60, abs=0.01)]
    assert reported["error_x"]["arrayminus"] == [pytest.approx(1.74, abs=0.01)]
    (curve,) = power.figures[0].spec["data"]
    assert (curve["name"], curve["x"], curve["y"]) == ("S1 a", [0.5, 1.0], [50.0, 100.0])
    assert size.tables[0].rows[0].cells[-1] == "−3.50"


@pytest.mark.parametrize("name", ["page.txt", "absent/page.html"])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calibrate", "fade-follow", "--seeds", "100000", "--out", str(tmp_path / name)]
    assert cli.run(arguments) == 1
    assert name in capsys.readouterr().err


def test_variants_are_explained_where_they_are_used() -> None:
    rates = (rate("vol-damping", "S0", 0.0, 20), rate("close-reversal", "S3-transient", 1.0, 380))
    page = calibration_page(SimulationCheck(0.05, 400, 1_500, {"vol-damping": -3.5}, rates))
    assert "- **S3-transient**: the whole hedge waits" in page
    assert "S7-varying" not in page


@pytest.mark.parametrize(
    "option", [("--world", "S3"), ("--strength", "2"), ("--calibration", "realistic")]
)
def test_what_the_whole_plan_would_pass_over_is_refused(
    option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["calibrate", *option]) == 2
    assert "go with hypotheses: name one" in " ".join(capsys.readouterr().err.split())


def test_what_other_markets_filled_stays_when_the_page_is_written_again(tmp_path: Path) -> None:
    page = tmp_path / "calibration.md"
    assert _kept(page) == ""
    page.write_text("# Old\n\n## Size\n\nold\n\n## Held out: others\n\n| a |\n", encoding="utf-8")
    assert _kept(page) == "\n## Held out: others\n\n| a |\n"
