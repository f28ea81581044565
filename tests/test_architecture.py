"""Each place that the architecture names is there, and holds what is looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = re.findall(r"^\| ([^|]+) \| `([\w/.]+)` \| `([\w ]+)` \|$", TEXT, re.MULTILINE)
#: What is said in running text: rooms of `data`, `backtest` and `reports` without the package.
NAMED = sorted(set(re.findall(r"`([a-z_]+/[\w/]+\.py)`", TEXT)))


def test_twenty_questions_are_answered() -> None:
    assert len(PLACES) == 20


@pytest.mark.parametrize(("question", "place", "name"), PLACES, ids=[q for q, _, _ in PLACES])
def test_the_place_of_an_answer_holds_it(question: str, place: str, name: str) -> None:
    assert name in (ROOT / place).read_text(encoding="utf-8"), question


@pytest.mark.parametrize("name", NAMED)
def test_a_module_that_the_architecture_names_exists(name: str) -> None:
    assert any((ROOT / package / name).is_file() for package in ("", "data", "reports"))
