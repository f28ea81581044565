"""A user's script is checked by its editor: wrong names and arguments at the doors are errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """\
import gexlab.backtest
import gexlab.data

result = gexlab.backtest.backtest("run.toml")
gexlab.data.rebuild("lake", "SPX")
reveal_type(result)
gexlab.data.rebuilt
gexlab.data.rebuild("lake", "SPX", definitoin=None)
result.strategy
gexlab.backtest.backtest(3)
"""


def test_pyright_sees_the_doors(tmp_path: Path) -> None:
    pytest.importorskip("pyright", reason="pyright is not installed (pip install --group dev)")
    links = tmp_path / "links" / "gexlab"
    links.mkdir(parents=True)
    for package in ("backtest", "data", "reports", "strategies"):
        (links / package).symlink_to(ROOT / package)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": ["links"]}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run(
        [*command, "script.py"], cwd=tmp_path, capture_output=True, check=False, encoding="utf-8"
    )
    found = json.loads(run.stdout)["generalDiagnostics"]
    lines = {d["range"]["start"]["line"] + 1 for d in found if d["severity"] == "error"}
    assert lines == {7, 8, 9, 10}
    (revealed,) = [d["message"] for d in found if d["severity"] == "information"]
    assert revealed == 'Type of "result" is "BacktestResult"'
