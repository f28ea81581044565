"""Values as JSON knows them: one rule for every document that is written."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: undefined numbers as None, moments as ISO text.

    Parameters
    ----------
    value : object
        Mappings (keys become text), lists and tuples are walked through.

    Returns
    -------
    object
        None, bool, int, float, str, list or dict.

    Examples
    --------
    >>> plain({2024: (1.5, float("nan")), "n": 3})
    {'2024': [1.5, None], 'n': 3}
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
