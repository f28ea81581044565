"""Reads a report's figures as its own script does: columns put back where the specs name them."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, timedelta
from typing import Any

import numpy as np


def figures_of(markup: str) -> dict[str, dict[str, Any]]:
    """Return the figures of a page by id, every column a list."""
    held = re.search(r'<script [^>]*id="columns">(.*?)</script>', markup, re.DOTALL)
    columns = [_column(c) for c in json.loads(held[1])] if held else []
    found = re.findall(r'<script [^>]*data-figure="([^"]+)">(.*?)</script>', markup, re.DOTALL)
    return {name: _put_back(json.loads(text), columns) for name, text in found}


def _put_back(value: Any, columns: list[Any]) -> Any:
    if isinstance(value, dict):
        if list(value) == ["#"]:
            return columns[value["#"]]
        return {key: _put_back(item, columns) for key, item in value.items()}
    return [_put_back(item, columns) for item in value] if isinstance(value, list) else value


def _column(packed: dict[str, Any]) -> list[Any]:
    if "days" in packed:
        steps = base64.b64decode(packed["days"])
        day, days = date.fromisoformat(packed["first"]), [packed["first"]]
        for step in steps:
            day += timedelta(days=step)
            days.append(day.isoformat())
        return days
    if "words" in packed:
        return [packed["words"][i] for i in base64.b64decode(packed["at"])]
    (kind, text), *_ = packed.items()
    numbers = np.frombuffer(base64.b64decode(text), dtype=f"<{kind}").tolist()
    if kind == "f4":
        numbers = [float(f"{v:.6g}") for v in numbers]
    return [None if v != v else v for v in numbers]
