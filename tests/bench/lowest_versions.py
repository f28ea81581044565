"""Print the lowest version of every declared dependency as pins that pip takes."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

__all__ = ["lowest_versions"]

_BOUND = re.compile(r"(?P<name>[A-Za-z0-9_.-]+(\[[a-z,]+\])?)>=(?P<version>[\w.]+)(,<[\w.]+)?")


def lowest_versions(pyproject: Path) -> list[str]:
    """Return ``name==version`` per dependency; one without a lower bound is an error."""
    declared = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]
    pins = []
    for text in declared:
        found = _BOUND.fullmatch(text.replace(" ", ""))
        if found is None:
            raise ValueError(f"{text!r}: expected NAME>=VERSION[,<VERSION]: state what was tested")
        pins.append(f"{found['name']}=={found['version']}")
    return pins


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.stdout.write("\n".join(lowest_versions(root / "pyproject.toml")) + "\n")
