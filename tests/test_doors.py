"""The packages' doors: what they offer exists, commands have functions, nobody goes past them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gexlab.reports.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("data", "strategies", "backtest", "reports")
DOORS: tuple[str, ...] = ("gexlab.data", "gexlab.data.simulate", "gexlab.strategies")
DOORS += ("gexlab.backtest", "gexlab.reports")
#: What only a command line needs.
WITHOUT_FUNCTION: tuple[str, ...] = ()


@pytest.mark.parametrize("door", DOORS)
def test_what_a_door_offers_exists(door: str) -> None:
    package = importlib.import_module(door)
    assert package.__all__ == sorted(set(package.__all__))
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = package.no_such_name


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - set(WITHOUT_FUNCTION)))
def test_every_command_has_a_function_of_its_name(command: str) -> None:
    name = command.replace("-", "_")
    found = [d for d in DOORS if name in importlib.import_module(d).__all__]
    assert found, command
    assert callable(getattr(importlib.import_module(found[0]), name))


def test_a_function_keeps_the_name_that_a_room_bears_too() -> None:
    data = importlib.import_module("gexlab.data")
    importlib.import_module("gexlab.data.ingest.files")
    importlib.import_module("gexlab.data.regimes.table")
    assert callable(data.ingest)
    assert callable(data.regimes)


def _imports_past_a_door(file: Path) -> Iterator[str]:
    parts = file.relative_to(ROOT).with_suffix("").parts
    package = parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            target = (*base, *(node.module or "").split("."))
            other = target[0] in PACKAGES and target[0] != parts[0]
            inner = tuple(p for p in target if p)
            if other and len(inner) > 1 and inner not in INNER:
                yield f"{file.relative_to(ROOT)}: {'.'.join(target)}"


#: Doors of their own within a package, and what the doors themselves are made of.
INNER = {("data", "simulate"), ("backtest", "hypotheses"), ("data", "base", "lazy")}


def test_packages_use_each_other_through_their_doors() -> None:
    files = [f for package in PACKAGES for f in sorted((ROOT / package).rglob("*.py"))]
    past = [line for file in files for line in _imports_past_a_door(file)]
    assert past == []
