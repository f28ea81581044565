"""Compiled code on disk is used only as it was written, and has a place wherever gexlab runs."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gexlab.data.base import cache_folder

CALLEE = """
FACTOR = 2.0
from gexlab.data.base.compiling import compiled

@compiled(fastmath={"reassoc", "contract", "nsz", "arcp"})
def inner(x):
    return x * FACTOR
"""
CALLER = """
from callee import inner
from gexlab.data.base.compiling import compiled

@compiled()
def outer(x):
    return inner(x) + 1.0

if __name__ == "__main__":
    print(outer(3.0), sum(outer.stats.cache_hits.values()))
"""


def _run(folder: Path, **environment: str) -> tuple[float, int]:
    """Return the result of the caller, and how often it was found compiled."""
    code = "import caller; print(caller.outer(3.0), sum(caller.outer.stats.cache_hits.values()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )
    value, hits = done.stdout.split()
    return float(value), int(hits)


#: A process per line that comes in, forked from one that has loaded Numba and compiled nothing.
FORKED = """
import os, sys
import gexlab.data.base.compiled_cache
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        import caller
        print(caller.outer(3.0), sum(caller.outer.stats.cache_hits.values()), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@contextmanager
def _fresh_processes(folder: Path, **environment: str) -> Iterator[Callable[[], tuple[float, int]]]:
    """Give a function that returns what `_run` does, and loads Numba once for all its calls."""
    given = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    command = [sys.executable, "-c", FORKED]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=given
    ) as process:
        told, said = process.stdin, process.stdout
        assert told is not None
        assert said is not None

        def run() -> tuple[float, int]:
            told.write("\n")
            told.flush()
            value, hits = said.readline().split()
            return float(value), int(hits)

        yield run


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    (tmp_path / "callee.py").write_text(CALLEE, encoding="utf-8")
    (tmp_path / "caller.py").write_text(CALLER, encoding="utf-8")
    return tmp_path


def test_a_callee_that_changed_is_compiled_in_and_damage_is_noticed(kernels: Path) -> None:
    cache = kernels / "cache"
    assert _run(kernels, GEXLAB_CACHE_DIR=str(cache), PYTHONHASHSEED="1") == (7.0, 0)
    for seed in "23":  # the order of a set, as that of the options of `inner`, is another one
        assert _run(kernels, GEXLAB_CACHE_DIR=str(cache), PYTHONHASHSEED=seed) == (7.0, 1)
    # another constant in another file: Numba's own mark would not see it
    (kernels / "callee.py").write_text(CALLEE.replace("2.0", "5.0"), encoding="utf-8")
    with _fresh_processes(kernels, GEXLAB_CACHE_DIR=str(cache)) as run:
        assert run() == (16.0, 0)
        files = [p for p in cache.rglob("*") if p.suffix in {".nbi", ".nbc"}]
        assert len(files) >= 4
        for damage in (b"", b"not what was written", None):
            for path in files:
                content = bytearray(path.read_bytes())
                content[len(content) // 2] ^= 1
                path.write_bytes(bytes(content) if damage is None else damage)
            assert run() == (16.0, 0)
        assert run() == (16.0, 1)


def test_code_from_the_cache_is_compiled_into_what_is_new(kernels: Path) -> None:
    """Its intermediate code is looked at only now; the names of what it refers to are kept."""
    cache = {"GEXLAB_CACHE_DIR": str(kernels / "cache")}
    assert _run(kernels, **cache) == (7.0, 0)
    (kernels / "caller.py").write_text(CALLER.replace("+ 1.0", "- 1.0"), encoding="utf-8")
    hits = "*callee.inner.stats.cache_hits.values()"
    code = f"import caller, callee; print(caller.outer(3.0), {hits})"
    environment = {"PYTHONPATH": str(kernels), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment | cache,
    )
    assert done.stdout.split() == ["5.0", "1"]
    assert _run(kernels, **cache) == (5.0, 1)


def test_what_only_compiling_needs_is_not_imported(kernels: Path) -> None:
    code = (
        "import caller, sys; caller.outer(3.0); assert 'coverage' not in sys.modules;"
        "print(*sorted(name for name in sys.modules if name.startswith('numba.np.')));"
        "import coverage"
    )
    environment = {"PYTHONPATH": str(kernels), "GEXLAB_CACHE_DIR": str(kernels / "cache")}
    imported = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | environment,
        ).stdout.split()
        for _ in range(2)
    ]
    assert "numba.np.arrayobj" in imported[0]
    assert "numba.np.arrayobj" not in imported[1]


#: Calls `outer` where only loops of some modules are compiled; prints what lies in the cache then.
TOLD_APART = """
import sys
from gexlab.data.base.compiling import interpret_but, is_cached
import callee, caller
modules = sys.argv[1:]
before = is_cached(caller.outer)
interpret_but(modules)
value = caller.outer(3.0)
print(value, before, is_cached(caller.outer), is_cached(callee.inner))
"""


def test_loops_of_named_modules_are_compiled_and_others_run_as_they_are(kernels: Path) -> None:
    environment = {"PYTHONPATH": str(kernels), "PYTHONDONTWRITEBYTECODE": "1"}

    def told(cache: str, *modules: str) -> list[str]:
        given = os.environ | environment | {"GEXLAB_CACHE_DIR": str(kernels / cache)}
        return subprocess.run(
            [sys.executable, "-c", TOLD_APART, *modules],
            capture_output=True,
            text=True,
            check=True,
            env=given,
        ).stdout.split()

    assert told("none") == ["7.0", "False", "False", "False"]
    assert told("inner", "callee") == ["7.0", "False", "False", "True"]
    # what a compiled loop calls is compiled with it
    assert told("outer", "caller") == ["7.0", "False", "True", "True"]
    assert told("outer") == ["7.0", "True", "True", "True"]


def test_a_folder_that_cannot_be_written_is_named(kernels: Path) -> None:
    (kernels / "file").write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import caller"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(kernels), "GEXLAB_CACHE_DIR": str(kernels / "file")},
    )
    assert done.returncode == 1
    assert "ConfigError: GEXLAB_CACHE_DIR=" in done.stderr
    assert "name a folder that you may write to, or unset it" in done.stderr


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another user needs root"
)
def test_a_user_without_a_home_runs_from_a_read_only_installation(tmp_path: Path) -> None:
    """As ``nobody``: the folder of the source belongs to root, the home is no folder."""
    user = pwd.getpwnam("nobody")
    root = Path("/tmp") / f"gexlab-service-{os.getpid()}"  # tmp_path is closed to others
    temporary = root / "temporary"
    try:
        temporary.mkdir(parents=True)
        for name, text in (("callee.py", CALLEE), ("caller.py", CALLER)):
            (root / name).write_text(text, encoding="utf-8")
        root.chmod(0o755)
        temporary.chmod(0o777)
        said = [_as_user(user.pw_uid, root, temporary) for _ in range(2)]
        assert [text.stdout.split() for text in said] == [["7.0", "0"], ["7.0", "1"]]
        for done in said:
            assert done.stderr.count("compiled code is kept in") == 1
            assert "set GEXLAB_CACHE_DIR" in done.stderr
        kept = temporary / f"gexlab-cache-{user.pw_uid}"
        assert kept.stat().st_mode & 0o077 == 0
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _as_user(uid: int, root: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import os; os.setuid(UID)\n"
        "import caller\n"
        "print(caller.outer(3.0), sum(caller.outer.stats.cache_hits.values()))\n"
    ).replace("UID", str(uid))
    # what is imported before the change of user may lie where only root can read
    early = (
        "import sys; sys.dont_write_bytecode = True\n"
        "import gexlab.data.base.compiled_cache, numba, tempfile\n"
        "numba.njit(lambda x: x + 1.0)(1.0)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", early + code],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": str(root),
            "HOME": "/nonexistent",
            "TMPDIR": str(temporary),
            "PATH": os.environ["PATH"],
        },
    )


def test_compiled_code_lies_where_nobody_else_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    folder = cache_folder.temporary_folder()
    assert folder is not None
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)  # open to others: what lies there is never run
    other = cache_folder.temporary_folder()
    assert other is not None
    assert other != folder
    used: list[Path] = []
    monkeypatch.setattr(cache_folder, "_use", used.append)
    for found, words in ((None, "nowhere to keep compiled code"), (folder, "is kept in")):
        monkeypatch.setattr(cache_folder, "temporary_folder", lambda found=found: found)
        cache_folder.fall_back.__wrapped__()
        assert words in caplog.messages[-1]
    assert used == [folder]


def test_nothing_of_numba_is_loaded_before_a_loop_runs(kernels: Path) -> None:
    code = (
        "import caller, sys; assert 'numba' not in sys.modules;"
        "from gexlab.data.exposure import book, evaluation; assert 'numba' not in sys.modules;"
        "assert caller.outer(3.0) == 7.0; assert 'numba' in sys.modules;"
        "assert caller.outer.__name__ == 'outer'"
    )
    environment = os.environ | {"PYTHONPATH": str(kernels), "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.slow
def test_cached_code_finds_what_it_calls_outside_of_itself(tmp_path: Path) -> None:
    """What Numba loads only where it compiles: keys of hashes, threads, linear algebra, numbers."""
    (tmp_path / "caller.py").write_text(
        "import numba, numpy as np\n"
        "from gexlab.data.base.compiling import compiled\n"
        "@compiled(parallel=True)\n"
        "def spread(n):\n"
        "    total = 0.0\n"
        "    for i in numba.prange(n): total += i\n"
        "    return total\n"
        "@compiled()\n"
        "def outer(x):\n"
        "    found = {'three': x, 'four': 4.0}\n"
        "    solved = np.linalg.solve(2.0 * np.eye(2), np.ones(2)).sum()\n"
        "    return found['three'] + solved + spread(4) + len(str(int(x)))\n",
        encoding="utf-8",
    )
    cache = str(tmp_path / "cache")
    assert _run(tmp_path, GEXLAB_CACHE_DIR=cache) == (11.0, 0)
    assert _run(tmp_path, GEXLAB_CACHE_DIR=cache) == (11.0, 1)
