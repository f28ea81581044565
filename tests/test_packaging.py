"""What the package ships, and how it is pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from lowest_versions import lowest_versions
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("backtest", "data", "reports", "strategies")


def _packages_on_disk() -> set[str]:
    inits = [path for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py")]
    return {"gexlab." + ".".join(path.parent.relative_to(ROOT).parts) for path in inits}


def test_every_package_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["setuptools"]["packages"]) == _packages_on_disk()


def test_constraints_are_plain_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", line)] == []


def test_every_bound_has_a_lowest_version_that_the_pins_keep() -> None:
    """`make lowest` tries them; here: none is above what everybody installs."""
    pins = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    )
    lowest = lowest_versions(ROOT / "pyproject.toml")
    assert len(lowest) > 10
    for pin in lowest:
        name, version = pin.lower().split("==")
        assert Version(version) <= Version(pins[name.split("[")[0]]), name
