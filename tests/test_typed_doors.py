"""A user's script is checked by its editor: wrong names and arguments at the doors are errors."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import gexlab.data

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


PACKAGES = ("backtest", "data", "reports", "strategies")


def _links(folder: Path) -> Path:
    """Return a folder in which the packages lie under their import names."""
    links = folder / "links" / "gexlab"
    links.mkdir(parents=True)
    for package in PACKAGES:
        (links / package).symlink_to(ROOT / package)
    return links.parent


def test_pyright_sees_the_doors(tmp_path: Path) -> None:
    pytest.importorskip("pyright", reason="pyright is not installed (pip install --group dev)")
    _links(tmp_path)
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


@pytest.mark.parametrize("package", PACKAGES)
def test_tab_completion_offers_every_name_of_a_door(package: str, tmp_path: Path) -> None:
    jedi = pytest.importorskip("jedi", reason="jedi is not installed (it comes with IPython)")
    project = jedi.Project(tmp_path, added_sys_path=[str(_links(tmp_path))])
    code = f"import gexlab.{package}\ngexlab.{package}."
    offered = {found.name for found in jedi.Script(code, project=project).complete()}
    names = set(importlib.import_module(f"gexlab.{package}").__all__)
    assert names
    assert names <= offered


def test_an_editor_shows_the_signature_behind_a_door(tmp_path: Path) -> None:
    jedi = pytest.importorskip("jedi", reason="jedi is not installed (it comes with IPython)")
    project = jedi.Project(tmp_path, added_sys_path=[str(_links(tmp_path))])
    code = "import gexlab.data\ngexlab.data.rebuild("
    (signature,) = jedi.Script(code, project=project).get_signatures()
    expected = list(inspect.signature(gexlab.data.rebuild).parameters)
    assert [parameter.name for parameter in signature.params] == expected
    assert signature.docstring(raw=True).startswith("Rebuild the regime table")
