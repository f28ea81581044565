"""Everything that can be configured, chosen or read is named in the documentation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gexlab.backtest.leaks.leakcheck import Leak
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.results import Metrics, Provenance
from gexlab.strategies.component import Kind
from gexlab.strategies.components import built_in
from gexlab.strategies.registry import STRATEGIES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for section in _sections(field.annotation):
            yield from _keys(section)


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("key", sorted(set(_keys(Config))))
def test_every_key(key: str) -> None:
    assert re.search(rf"[`\[.]{key}\b", _text("configuration.md"))


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy(name: str) -> None:
    assert f"| `{name}`" in _text("backtest.md")


@pytest.mark.parametrize("kind", ["filter", "rule", "sizing"])
def test_every_component_with_its_parameters(kind: Kind) -> None:
    lines = _text("components.md").splitlines()
    for name, made in built_in(kind).items():
        line = next((x for x in lines if x.startswith(f"| `{name}`")), "")
        assert [p for p in made().parameters() if f"`{p}`" not in line] == [], name
        assert line, name


@pytest.mark.parametrize("metric", [f.name for f in (*fields(Metrics), *fields(Provenance))])
def test_every_metric(metric: str) -> None:
    assert re.search(rf"\b{metric}\b", _text("backtest.md"))


def test_every_notice() -> None:
    folder = DOCS.parent / "backtest" / "run"
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    codes = set(re.findall(r'Notice\(\s*"(\w+)"', source))
    assert len(codes) > 10
    assert [code for code in codes if f"`{code}`" not in _text("backtest.md")] == []


def test_every_kind_of_leak() -> None:
    kinds = re.findall(r"``(\w+)``", str(Leak.__doc__))
    assert len(kinds) == 18
    table = "".join(line for line in _text("leaks.md").splitlines() if line.startswith("| `"))
    assert [kind for kind in kinds if f"`{kind}`" not in table] == []


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    example = _text("configuration.md").split("```toml\n")[1].split("```")[0]
    file = tmp_path / "run.toml"
    file.write_text(example, encoding="utf-8")
    config = load_config(file)
    assert tomllib.loads(example)["data"]["underlying"] == config.data.underlying
    assert config.fill == "next_open"
