"""Pytest plugin: which tests run which lines, one coverage context per test.

`GEXLAB_REACH` names the data file; workers append their own suffix. Beside it lies how much
processor time each test took, fixtures included.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_FOLDERS = ("backtest", "data", "reports", "strategies")
_MEASURED = pytest.StashKey[coverage.Coverage]()


def pytest_configure(config: pytest.Config) -> None:
    """Start measuring, except in the process that only hands out tests."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return
    tree = Path(config.rootpath)
    measured = coverage.Coverage(
        data_file=os.environ["GEXLAB_REACH"],
        data_suffix=True,
        config_file=False,
        include=[str(tree / folder / "*") for folder in _FOLDERS],
    )
    measured.start()
    config.stash[_MEASURED] = measured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Attribute what runs, fixtures included, to the test."""
    if (measured := item.config.stash.get(_MEASURED, None)) is not None:
        measured.switch_context(item.nodeid)
    began = time.process_time()
    try:
        return (yield)
    finally:
        line = json.dumps([item.nodeid, round(time.process_time() - began, 3)])
        with open(f"{os.environ['GEXLAB_REACH']}-seconds.jsonl", "a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep what was measured."""
    if (measured := config.stash.get(_MEASURED, None)) is not None:
        measured.stop()
        measured.save()
