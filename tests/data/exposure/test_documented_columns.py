"""The document of the regime table names every column, status, regime, book and setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from gexlab.data.base.schema import BOOKS, SIDE_TABLES, Regime
from gexlab.data.exposure.dealers import BUILT_IN
from gexlab.data.exposure.definition import Definition
from gexlab.data.exposure.flips import FlipStatus
from gexlab.data.exposure.side_columns import SIDE_COLUMNS
from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.regimes.regime_columns import REGIME_COLUMNS

FOLDER = Path(__file__).resolve().parents[3] / "docs"
TEXT = (FOLDER / "regime-table.md").read_text(encoding="utf-8")
SETTINGS = [field for field in fields(Definition) if field.init]
NAMES = [
    *REGIME_COLUMNS,
    *BOOKS,
    *get_args(Regime),
    *get_args(FlipStatus),
    *(table for table in TABLES if table != "regimes"),
]


@pytest.mark.parametrize("name", NAMES)
def test_name_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_every_side_table_has_its_columns() -> None:
    assert tuple(SIDE_COLUMNS) == SIDE_TABLES


@pytest.mark.parametrize("field", SETTINGS, ids=lambda field: field.name)
def test_settings_have_their_defaults(field: object) -> None:
    name, default = field.name, field.default  # type: ignore[attr-defined]
    row = next(line for line in TEXT.splitlines() if re.match(r"\| .*`" + name + "`", line))
    shown = row.split("|")[2].strip().strip("`")
    if isinstance(default, float | int):
        assert float(shown) == default
    else:
        assert shown == ("none" if default is None else default)


@pytest.mark.parametrize("name", [*BUILT_IN, "signed", "sql:EXPRESSION"])
def test_dealer_models_are_explained(name: str) -> None:
    assert f"`{name}`" in (FOLDER / "exposure.md").read_text(encoding="utf-8")
