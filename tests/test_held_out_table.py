"""The page's tables of held-out markets are complete and true to their counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

from gexlab.backtest.hypotheses.registry import BUILT_IN

PAGE = Path(__file__).resolve().parents[1] / "docs" / "calibration.md"
CELL = r"([\d.]+) \(([\d.]+) to ([\d.]+)\)"
ROW = re.compile(rf"^\| `([\w-]+)` \| (.+?) \| (\d+) \| {CELL} \| {CELL} \|$", re.M)


Row = tuple[str, str, int, tuple[tuple[float, ...], tuple[float, ...]]]


def _rows() -> list[Row]:
    text = PAGE.read_text(encoding="utf-8")
    inside = text.split("<!-- held out: begin -->")[1].split("<!-- held out: end -->")[0]
    rows: list[Row] = []
    for m in ROW.finditer(inside):
        cells = tuple(float(m[i]) for i in range(4, 10))
        rows.append((m[1], m[2], int(m[3]), (cells[:3], cells[3:])))
    assert len(rows) == sum(line.startswith("| `") for line in inside.splitlines())
    return rows


def test_every_hypothesis_stands_in_the_tables_with_all_markets_together() -> None:
    together = {test: n for test, market, n, _ in _rows() if market == "**all held out**"}
    assert set(together) == set(BUILT_IN)
    assert min(together.values()) >= 100


@pytest.mark.parametrize("column", [0, 1])
def test_intervals_are_wilsons_of_the_counts(column: int) -> None:
    for _, _, n, cells in _rows():
        cell = cells[column]
        near = round(cell[0] / 100 * n)  # of 1,600 markets two counts round to one share
        counts = [k for k in (near - 1, near, near + 1) if abs(cell[0] - 100 * k / n) <= 0.0501]
        ends = [proportion_confint(k, n, method="wilson") for k in counts if 0 <= k <= n]
        assert any(
            cell[1:] == pytest.approx((100 * max(low, 0.0), 100 * high), abs=0.0501)
            for low, high in ends
        ), (cell, n)


def test_no_size_is_above_five_percent_within_limits_for_the_number_of_cells() -> None:
    """Of all makes together 5 % lies in or above the interval of each test and column."""
    for test, market, _, (low_p, supported) in _rows():
        if market == "**all held out**":
            assert low_p[1] <= 5.0, test
            assert supported[1] <= 5.0, test


def test_the_prose_quotes_the_power_of_the_tables() -> None:
    power = {(test, market): cells[0][0] for test, market, _, cells in _rows()}
    s2 = [power["autocorr-regime", f"S2 x {s}"] for s in (0.5, 0.25)]
    s3 = [power["momentum-interaction", f"S3 x {s}"] for s in (0.5, 0.25)]
    split = [power["momentum-split", f"S3 x {s}"] for s in (0.5, 0.25)]
    words = (
        f"`autocorr-regime` rejects in {s2[0]} % of the markets of S2 at half strength and in "
        f"{s2[1]} % at a quarter, `momentum-interaction` in {s3[0]} and {s3[1]} % of those of S3, "
        f"`momentum-split` in {split[0]} and {split[1]} %."
    )
    assert words in " ".join(PAGE.read_text(encoding="utf-8").split())
