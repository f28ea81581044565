"""The table of verification names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([a-z_/]+\.py)::(test_[a-z0-9_]+)`", TABLE)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_named_test_exists(file: str, name: str) -> None:
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE)


def test_every_defect_has_a_row() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, flags=re.MULTILINE)]
    assert rows == [n for n in range(1, 36) if n not in (31, 34)]
