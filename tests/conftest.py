"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import mpmath
import pytest
from property_search import register_profiles

_ROOT = Path(__file__).resolve().parents[1]
_DESELECTED = pytest.StashKey[int]()

#: Modules by processor time, those of five seconds and more. The first compiles what most others
#: need; its neighbour ingests and compiles nothing, so that no two workers compile the same loops.
LONG_FIRST = (
    "backtest/run/test_dependence.py",
    "data/ingest/test_ingest.py",
    "consistency/test_quantities.py",
    "robustness/test_break_ingest.py",
    "test_docs.py",
    "reports/nightly/test_nightly.py",
    "reports/nightly/test_replay.py",
    "backtest/leaks/test_leaks.py",
    "backtest/test_frames_and_figures.py",
    "backtest/leaks/test_planted_values.py",
    "reports/cli/test_hostile_sweep.py",
    "backtest/run/test_as_of.py",
    "data/base/test_compiling.py",
    "data/lake/test_derived.py",
    "data/quality/test_quality_sample.py",
    "backtest/run/test_market_choice.py",
    "test_suite.py",
    "backtest/run/test_truncation.py",
    "data/exposure/test_engine_against_expected.py",
    "data/exposure/test_reference_against_expected.py",
    "robustness/test_fuzz_vendors.py",
    "data/vendors/test_nse_bhavcopy.py",
    "data/vendors/test_deribit.py",
    "backtest/grid/test_own_components.py",
    "data/ingest/test_ingest_model.py",
    "backtest/grid/test_grid.py",
    "reports/cli/test_demo.py",
    "backtest/run/test_period.py",
    "reports/cli/test_commands.py",
    "test_typed_doors.py",
)

register_profiles()

# workers of a parallel run are told a width of 80: terminals' widths are a test's own to set
os.environ.pop("COLUMNS", None)

# threads of matrix products that wait for each other take the cores from the other worker: the
# tests took up to three times the processor time. Here before NumPy is loaded; workers inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder of its own for what is kept of lakes; workers inherit it."""
    if "GEXLAB_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="gexlab-tests-")
        os.environ["GEXLAB_CACHE"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on all cores; named files and `-n` are left as they are.

    A module stays on one worker, so that what its tests share is built once.
    """
    if _is_worker(config) or "PYTEST_XDIST_WORKER" in os.environ:
        return  # a worker, or a run that one of its tests started, starts no workers
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    option = config.option
    if whole and getattr(option, "numprocesses", 0) is None and not option.usepdb:
        option.numprocesses = "auto"
        option.dist = "loadscope"
        option.loadscopereorder = False  # by time, see below, not by number of tests


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Let workers keep the modules that pytest has rewritten: more than half of collecting.

    Where PYTHONDONTWRITEBYTECODE is set every worker of every run would rewrite them anew.
    """
    former = sys.dont_write_bytecode
    if _is_worker(session.config):
        sys.dont_write_bytecode = False
    try:
        return (yield)
    finally:
        sys.dont_write_bytecode = former


class _Backwards(pytest.Dir):  # type: ignore[misc]  # final by its word; a hook may return one
    """A folder whose last module is collected first."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        return reversed(list(super().collect()))


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Let every second worker begin with the last module: each finds what the other has rewritten.

    In a fresh clone both would rewrite all modules, half of what collecting takes.
    """
    if not _is_worker(parent.config) or int(os.environ["PYTEST_XDIST_WORKER"][2:]) % 2 == 0:
        return None
    backwards: pytest.Collector = _Backwards.from_parent(parent, path=path)
    return backwards


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, so that no core waits for the other's last one."""
    rank = {_ROOT / "tests" / name: number for number, name in enumerate(LONG_FIRST)}
    if _is_worker(config):  # the same order for all of them, wherever they began to collect
        items.sort(key=lambda item: item.path)
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave modules and collected tests alone: a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def pytest_unconfigure() -> None:
    """Let everything end as it does elsewhere: libraries report what is left at exit."""
    gc.unfreeze()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what was left out, to say so at the end."""
    if items:
        stash = items[0].config.stash
        stash[_DESELECTED] = stash.get(_DESELECTED, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's count to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["deselected"] = session.config.stash.get(_DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's count: every worker leaves out the same."""
    node.config.stash[_DESELECTED] = getattr(node, "workeroutput", {}).get("deselected", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what did not run and why: one line per reason."""
    reasons = Counter(str(r.longrepr[2]) for r in terminalreporter.stats.get("skipped", ()))
    lines = [f"{n} skipped: {reason.removeprefix('Skipped: ')}" for reason, n in reasons.items()]
    if left_out := config.stash.get(_DESELECTED, 0):
        chosen = config.option.markexpr or config.option.keyword
        lines.append(f"{left_out} not selected by {chosen!r}")
    if lines:
        terminalreporter.section("not run")
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of development data, or skip: it is not part of the project."""
    folder = Path(os.environ.get("GEXLAB_SHARED_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("development data not found; set GEXLAB_SHARED_DATA to its folder")
    return folder


@pytest.fixture(autouse=True)
def few_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold tests of claims against few books: sizes that users get are for the slow tests."""
    module = sys.modules.get("gexlab.backtest.hypotheses.test")
    if module is not None:
        monkeypatch.setattr(module, "SURROGATES", 60)
        monkeypatch.setattr(module, "SIMULATIONS", 0)


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    """Let mpmath work with fifty digits in every test: its precision is global, tests are not."""
    with mpmath.workdps(50):
        yield
