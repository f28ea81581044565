"""The suite itself: the same examples everywhere, all cores, and a word on what did not run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

TESTS = Path(__file__).parent
DRAWS = """
import sys
sys.path[:0] = sys.argv[2:]
from property_search import examples, register_profiles
register_profiles()
{loaded}
from hypothesis import given, strategies as st
found = []

@examples(int(sys.argv[1]))
@given(st.floats(-1e6, 1e6), st.integers(0, 10**6), st.text())
def draw(number, count, text):
    found.append((number, count, text))

draw()
print(len(found), ascii(found))
"""


def _drawn(folder: Path, loaded: str = "", **environment: str) -> str:
    folder.mkdir(parents=True)
    numbers = [f"N{i} = ({i + 1001}, {i + 0.123}, 'word{i}')" for i in range(300)]
    (folder / "local_numbers.py").write_text("\n".join(numbers))
    (folder / "draws.py").write_text(DRAWS.format(loaded=loaded))
    command = [sys.executable, "draws.py", "200", str(TESTS / "search"), str(folder)]
    return subprocess.run(
        command,
        cwd=folder,
        env=dict(os.environ) | environment,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout


def test_the_default_examples_are_the_same_everywhere(tmp_path: Path) -> None:
    """Whatever is imported, and whatever folder, clock zone and language there is."""
    here = _drawn(tmp_path / "here")
    there = _drawn(tmp_path / "there", "import local_numbers", TZ="Asia/Tokyo", LC_ALL="C")
    assert here == there
    assert here.startswith("200 ")


def test_every_property_draws_from_the_profile() -> None:
    """A number of examples, a seed or a database of its own would escape `make random`."""
    own = re.compile(r"max_examples|derandomize|hypothesis\.seed|@settings|@seed")
    escaped = [
        str(path.relative_to(TESTS))
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "property_search.py" and path != Path(__file__)
        if own.search(path.read_text(encoding="utf-8"))
    ]
    assert escaped == []


def test_modules_that_begin_are_there(request: pytest.FixtureRequest) -> None:
    """Each is run before the rest, in the order of the list; a name that is gone orders nothing."""
    (conftest,) = (
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", None) == str(TESTS / "conftest.py")
    )
    names = conftest.LONG_FIRST
    assert [name for name in names if not (TESTS / name).is_file()] == []
    some = [SimpleNamespace(path=TESTS / name) for name in ("test_doors.py", *reversed(names))]
    conftest.pytest_collection_modifyitems(request.config, some)
    assert [item.path for item in some] == [TESTS / name for name in (*names, "test_doors.py")]


def test_the_whole_suite_uses_all_cores_and_says_what_did_not_run(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    for name in ("conftest.py", "search/property_search.py"):
        shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "pytest.ini").write_text(
        '[pytest]\naddopts = -m "not slow"\nmarkers = slow: slow\npythonpath = .\ntestpaths = .\n'
    )
    (tmp_path / "test_some.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_a(n):\n    if n:\n        pytest.skip('no data: get some')\n\n"
        "def test_b():\n    pytest.skip('no data: get some')\n\n"
        "@pytest.mark.slow\ndef test_c():\n    pass\n"
    )
    # a folder of its own: at its end a run without one deletes what other users' runs have left
    # behind in the common one, which may be gigabytes
    own = f"--basetemp={tmp_path / 'own'}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", own]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTEST_XDIST_AUTO_NUM_WORKERS"] = "2"
    for more, workers in (([], True), (["test_some.py"], False)):
        run = subprocess.run(
            command + more,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        assert ("2 workers" in run.stdout) == workers
        assert "\n3 skipped: no data: get some\n" in run.stdout
        assert "\n1 not selected by 'not slow'\n" in run.stdout
