"""Constants of one market stand in one module; all others take them from the market's facts."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: The one place that defines them.
PLACE = "data/calendar/market_defaults.py"
FORBIDDEN = {
    "a calendar": re.compile(r"\bXNYS\b"),
    "sessions a year": re.compile(r"(?<![\w.])252(\.0)?\b"),
    "value traded": re.compile(r"\b400e9\b|\b4e11\b"),
    "a level of intervals": re.compile(r"\b95 ?%"),
    "a currency": re.compile(r"\$(?:bn|mm|\d|\{|,| )|\"\$\"|'\$'"),
    "a rule of expirations": re.compile(
        r"weekday\(\) == 4|day_of_week == 4|between\(15, 21\)|range\(15, 22\)"
    ),
    "a level of intervals, as a quantile": re.compile(r"(?<![\w.])1\.9(6|59964)\d*\b|\b1\.645\b"),
    "a volatility index": re.compile(r"\bVIX\b"),
}
#: Where the same characters mean something else.
ALLOWED = {
    ("a volatility index", "backtest/run/config_sections.py"),  # an underlying
    ("a volatility index", "data/ingest/snapshot.py"),  # an underlying
    ("a volatility index", "data/vendors/roots.py"),  # a root
    ("a volatility index", "data/vendors/layout.py"),  # a root
    ("a level of intervals", "reports/page/sections/null_routes.py"),  # quantiles
    ("a level of intervals", "reports/page/sections/first_screen.py"),  # of noise in the inputs
    ("a level of intervals", "reports/page/sections/returns.py"),  # a quantile of returns
    ("a level of intervals, as a quantile", "reports/page/sections/first_screen.py"),  # the same
    # the condition of the claims' own tests, stated on their cards
    ("a level of intervals, as a quantile", "backtest/hypotheses/kill_conditions.py"),
    ("a level of intervals, as a quantile", "backtest/tournament/placebos.py"),  # stretch of clouds
    ("a level of intervals, as a quantile", "reports/page/sections/hypotheses.py"),  # a drawn t
    ("a currency", "reports/page/templates/grid.js"),  # template literals
    ("a currency", "reports/page/templates/tables.js"),  # template literals
    ("a currency", "reports/page/templates/page.js"),  # key of a shared column
    ("a currency", "reports/page/packed.py"),  # the same
    ("a currency", "data/vendors/projection.py"),  # JSON path
    ("a currency", "data/simulate/worlds/s5_sign.py"),  # Gamma$, dollar gamma
    ("a currency", "reports/page/profile_picture.py"),  # escapes it for matplotlib
    ("a currency", "data/lake/naming.py"),  # letters of a name
}
FILES = sorted(
    path
    for folder in ("data", "backtest", "strategies", "reports")
    for kind in ("*.py", "*.sql", "*.j2", "*.js")
    for path in (ROOT / folder).rglob(kind)
)


@cache
def _code(path: Path) -> str:
    """Return a module's code without docstrings and comments; other files as they are."""
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                part
                for part in body
                if not (
                    isinstance(part, ast.Expr)
                    and isinstance(part.value, ast.Constant)
                    and isinstance(part.value.value, str)
                )
            ] or [ast.Pass()]
    return ast.unparse(tree)


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 200
    assert FORBIDDEN["a calendar"].search(_code(ROOT / PLACE))


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_constants_have_one_place(kind: str) -> None:
    found = []
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if name != PLACE and (kind, name) not in ALLOWED:
            hit = FORBIDDEN[kind].search(_code(path))
            if hit:
                found.append(f"{name}: {hit.group(0)}")
    assert not found
