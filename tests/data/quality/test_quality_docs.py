"""The guides name every vendor and every check with its present limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexlab.data.quality.messages import CHECKS
from gexlab.data.quality.thresholds import Thresholds
from gexlab.data.vendors import VENDORS, vendor

_DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_are_documented(name: str) -> None:
    assert f"| `{name}` |" in (_DOCS / "vendors.md").read_text(encoding="utf-8")
    preset = vendor(name)
    assert preset.name == name
    assert preset.doc.endswith(".")
    assert preset.cites.endswith(".") or name in ("canonical", "columns")


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_checks_are_documented_with_their_limits(name: str) -> None:
    row = f"| `{name}` | {CHECKS[name].severity} | {Thresholds().limit(name):g} |"
    assert row in (_DOCS / "quality.md").read_text(encoding="utf-8")
