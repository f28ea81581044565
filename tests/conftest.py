"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import mpmath
import pytest

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of development data, or skip: it is not part of the project."""
    folder = Path(os.environ.get("GEXLAB_SHARED_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("development data not found; set GEXLAB_SHARED_DATA to its folder")
    return folder


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    """Let mpmath work with fifty digits in every test: its precision is global, tests are not."""
    with mpmath.workdps(50):
        yield
