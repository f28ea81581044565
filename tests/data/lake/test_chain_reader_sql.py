"""The scans that a rebuild reads state their common columns in the same words."""

from __future__ import annotations

import re

from gexlab.data.base.sql import load_sql


def _columns(query: str) -> list[str]:
    """Return the expressions of a query's columns, without comments and white space."""
    text = re.sub(r"--[^\n]*", "", load_sql(query))
    body = text[text.index("SELECT") + len("SELECT") : text.index("FROM")]
    depth, found = 0, [""]
    for character in body:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [" ".join(column.split()) for column in found]


def test_positions_add_two_columns_to_the_scan_and_change_none() -> None:
    plain = _columns("lake/rebuild_scan")
    positioned = _columns("lake/rebuild_scan_positions")
    assert len(plain) == 16
    assert positioned[: len(plain)] == plain
    assert [column.split()[-1] for column in positioned[len(plain) :]] == [
        "position",
        "position_known_us",
    ]


def test_peers_scan_differs_only_where_their_rules_do() -> None:
    plain = set(_columns("lake/rebuild_scan"))
    own = [column.split()[-1] for column in _columns("peers/scan") if column not in plain]
    assert own == ["root", "iv_quoted", "gamma"]
