"""``--bars`` of commands: bars that cannot be right are named and left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.data.simulate import simulate
from gexlab.reports.cli import app

#: A session in mid-sample whose bar is spoiled in every file.
SPOILED = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a rebuilt lake beside bars of one bad close, whole and as closes and volumes alone."""
    root = tmp_path_factory.mktemp("bars")
    made = simulate("S1", years=0.15, seed=3, lake=root / "lake", contracts=200, intraday=None)
    assert app.run(["rebuild", "--lake", str(root / "lake")]) == 0
    bars = pd.read_parquet(made.bars)[["session", "open", "high", "low", "close"]]
    bars["volume"] = 1e6
    bars.to_csv(root / "right.csv", index=False)
    row = bars.index[SPOILED]
    prices = ["open", "high", "low", "close"]
    bars.loc[row, prices] = bars.loc[row, prices] / 10.0  # a digit lost in the whole bar
    bars.to_csv(root / "whole.csv", index=False)
    bars[["session", "close", "volume"]].to_csv(root / "closes.csv", index=False)
    (root / "other.toml").write_text("band = 0.9\n", encoding="utf-8")
    return root


def _run(
    capsys: pytest.CaptureFixture[str], folder: Path, command: str, *more: str
) -> tuple[Any, str]:
    arguments = [command, *more, "--lake", str(folder / "lake"), "--underlying", "SIM"]
    capsys.readouterr()
    assert app.run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert app.run(arguments) == 0
    return document, " ".join(capsys.readouterr().out.split())


def _day(folder: Path) -> str:
    return str(pd.read_csv(folder / "right.csv")["session"].iloc[SPOILED])[:10]


@pytest.mark.parametrize(("file", "check"), [("whole", "bad_bar"), ("closes", "bad_value")])
def test_check_compares_no_spot_with_a_bad_close(
    file: str, check: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, said = _run(capsys, folder, "check", "--bars", str(folder / f"{file}.csv"))
    found = {(f["session"], f["finding"]) for f in document}
    assert (_day(folder), check) in found
    assert (_day(folder), "spot_off_close") not in found
    assert check in said


@pytest.mark.parametrize("file", ["whole", "closes"])
def test_diff_prices_nothing_with_a_bad_close(
    file: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definitions = ("default", str(folder / "other.toml"))
    right, _ = _run(capsys, folder, "diff", *definitions, "--bars", str(folder / "right.csv"))
    page = folder / "diff.html"
    more = ("--bars", str(folder / f"{file}.csv"), "--out", str(page))
    spoiled, said = _run(capsys, folder, "diff", *definitions, *more)
    assert right["bars"] == []
    assert spoiled["unpriced"] > right["unpriced"]
    assert abs(spoiled["return_a"]) < 0.5  # a close a tenth of its neighbours would give -0.9
    assert _day(folder) in said
    assert "counts as missing" in said
    assert "counts as missing" in page.read_text(encoding="utf-8")
    alike = {r["session"]: r["return_a"] for r in right["rows"]}
    for row in spoiled["rows"]:
        assert row["return_a"] is None or np.isclose(row["return_a"], alike[row["session"]])


@pytest.mark.parametrize("file", ["whole", "closes"])
def test_average_volume_spans_no_bad_bar(
    file: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = ("--unit", "share_of_adv", "--book", "post_expiry", "--bars")
    right, _ = _run(capsys, folder, "regimes", *unit, str(folder / "right.csv"))
    assert right[-1]["net_gex_share_of_adv"] is not None
    spoiled, said = _run(capsys, folder, "regimes", *unit, str(folder / f"{file}.csv"))
    # 21 bars that end at sessions 20 ... 36: each holds the bad one
    assert all(row["net_gex_share_of_adv"] is None for row in spoiled)
    assert _day(folder) in said
    out = ("--out", str(folder / "r.csv"))
    written, _ = _run(capsys, folder, "regimes", *unit, str(folder / f"{file}.csv"), *out)
    assert [f["session"] for f in written["bars"]] == [_day(folder)]
