"""A second process compiles what a rebuild calls late, and leaves nothing but the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gexlab.data.simulate.market import compile_ahead
from gexlab.data.simulate.market.compile_ahead import BACKWARDS, compiled_ahead

LATE = [f"gexlab.data.exposure.{name}" for names in BACKWARDS for name in names]


def test_each_module_has_loops_and_is_named_once() -> None:
    assert len(set(LATE)) == len(LATE)
    for name in LATE:
        loops = [x for x in vars(import_module(name)).values() if type(x).__name__ == "_Loop"]
        assert any(vars(loop).get("__module__") == name for loop in loops), name


#: Rows of the tiny market, by loops as they are written or compiled ones.
ROWS = """
import json, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from gexlab.data.base.compiling import interpret_but
from gexlab.data.simulate.market import compile_ahead as ahead
if sys.argv[2] == "plain":
    interpret_but(())
evaluate = ahead.tiny_market(Path(sys.argv[1]))
rows = [book.regime for session in evaluate() for book in session.books.values()]
print(json.dumps(rows, default=str))
"""


def rows_of(folder: Path, how: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", ROWS, str(folder), how], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_loops_as_they_are_written_give_the_same_rows(tmp_path: Path) -> None:
    """All loops of a rebuild at once, reading and simulating included."""
    plain, compiled = rows_of(tmp_path / "a", "plain"), rows_of(tmp_path / "b", "compiled")
    assert len(plain) == len(compiled) > 4
    for left, right in zip(plain, compiled, strict=True):
        assert len(left) == len(right) > 20
        for one, other in zip(left, right, strict=True):
            if isinstance(one, float):
                assert one == pytest.approx(other, rel=1e-9, nan_ok=True)
            else:
                assert one == other


class _Started:
    """Stands for a process."""

    asked: list[Any]
    ended: list[str]

    def __init__(self, command: list[str], **_: Any) -> None:
        self.asked.append(command)
        assert Path(command[-1]).is_dir()

    def kill(self) -> None:
        self.ended.append("killed")

    def wait(self) -> None:
        self.ended.append("waited for")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> type[_Started]:
    _Started.asked, _Started.ended = [], []
    monkeypatch.setattr(subprocess, "Popen", _Started)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return _Started


def test_nothing_is_started_where_code_is_kept(
    started: type[_Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_ahead, "is_cached", lambda loop: True)
    with compiled_ahead():
        pass
    assert started.asked == []


def test_nothing_is_started_on_one_core(
    started: type[_Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_ahead, "is_cached", lambda loop: False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with compiled_ahead():
        pass
    assert started.asked == []


def test_the_process_ends_with_the_work_and_leaves_no_folder(
    started: type[_Started], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compile_ahead, "is_cached", lambda loop: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), compiled_ahead():
        raise KeyboardInterrupt
    [command] = started.asked
    assert command[1:3] == ["-m", "gexlab.data.simulate.market.compile_ahead"]
    assert started.ended == ["killed", "waited for"]
    assert list(tmp_path.iterdir()) == []


#: How often a loop of each module was found in the cache, and how often not, in a rebuild.
FOUND = """
import json, sys
from importlib import import_module
from pathlib import Path
from gexlab.data.simulate.market import compile_ahead as ahead
ahead.tiny_market(Path(sys.argv[1]))()
found = {}
for name in [f"gexlab.data.exposure.{name}" for names in ahead.BACKWARDS for name in names]:
    for loop in list(vars(import_module(name)).values()):
        made = vars(loop).get("_made") if type(loop).__name__ == "_Loop" else None
        if made is not None and vars(loop).get("__module__") == name and made.signatures:
            found[f"{name}.{loop.__name__}"] = sum(made.stats.cache_misses.values())
print(json.dumps(found))
"""


@pytest.mark.slow
def test_what_it_compiles_is_what_a_rebuild_calls(tmp_path: Path) -> None:
    environment = os.environ | {"GEXLAB_CACHE_DIR": str(tmp_path / "cache")}
    (tmp_path / "cache").mkdir()
    (tmp_path / "made").mkdir()
    subprocess.run(
        [sys.executable, "-m", compile_ahead.__name__, tmp_path / "made"],
        check=True,
        env=environment,
    )
    done = subprocess.run(
        [sys.executable, "-c", FOUND, tmp_path / "again"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    misses = json.loads(done.stdout)
    assert len(misses) > 10
    assert set(misses.values()) == {0}, misses
