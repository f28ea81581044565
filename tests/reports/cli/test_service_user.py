"""Where nobody watches: read-only lakes, closed folders, full disks, little memory.

Every failure is one line that says what to do. As root everything may be written, so a child
process becomes ``nobody`` before it starts.
"""

from __future__ import annotations

import errno
import os
import pwd
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from make_lake import forget_rebuilt, session_tables

from gexlab.data import Definition, rebuild, verify, versions
from gexlab.data.base.errors import LakeError
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app
from gexlab.reports.cli.failures import reason_of

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another user needs root"
)

CONFIG = """\
[data]
lake = "lake"
underlying = "SIM"
instrument = "future"
bars = "lake/bars.parquet"
[inference]
bootstrap = 100
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a folder that anybody may read, with a rebuilt lake, and one for temporary files."""
    root = Path("/tmp") / f"gexlab-user-{os.getpid()}"  # tmp_path is closed to others
    try:
        (root / "temporary").mkdir(parents=True)
        (root / "temporary").chmod(0o1777)
        simulate("S1", years=0.1, seed=1, lake=root / "lake", contracts=200, intraday=None)
        assert app.run(["rebuild", "--lake", str(root / "lake")]) == 0
        (root / "config.toml").write_text(CONFIG, encoding="utf-8")
        _load(root)
        root.chmod(0o755)
        (root / "lake").chmod(0o755)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _load(root: Path) -> None:
    """Load what commands load late: another user may not read where this Python lies."""
    for name in ("concurrent.futures.process", "multiprocessing.context"):
        import_module(name)
    lake = ("--lake", str(root / "lake"))
    for command, file in (("profile", "p.html"), ("profile", "p.png"), ("explain", "e.html"),
                          ("regimes", "r.parquet"), ("regimes", "r.csv")):  # fmt: skip
        assert app.run([command, *lake, "--out", str(root / "temporary" / file)]) == 0
    assert app.run(["rebuild", *lake, "--rate", "0.02"]) == 0
    forget_rebuilt(root / "lake")
    assert app.run(["rebuild", *lake]) == 0


def _child(place: Path, before: Callable[[], None], *words: str) -> tuple[int, str, str]:
    """Run a command in a fork of this process, after `before`: its code, output and errors.

    The fork has the package loaded, which may lie where only root can read.
    """
    out, err = place / "temporary" / "out.txt", place / "temporary" / "err.txt"
    for file in (out, err):
        file.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 70
        try:
            for number, file in ((1, out), (2, err)):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o666), number)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            os.chdir(place)
            os.environ |= {"HOME": "/nonexistent", "TMPDIR": str(place / "temporary")}
            before()
            code = app.run(words)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _nobody() -> None:
    os.setgid(pwd.getpwnam("nobody").pw_gid)
    os.setuid(pwd.getpwnam("nobody").pw_uid)


def _one_line(found: tuple[int, str, str]) -> str:
    code, _, said = found
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert code == 1, said
    assert len(errors) == 1, said
    assert "unexpected" not in said
    assert "Traceback" not in said
    return errors[0]


def test_an_up_to_date_lake_may_be_read_only(place: Path) -> None:
    for command in ("rebuild", "regimes", "check", "profile"):
        code, said, errors = _child(place, _nobody, command, "--lake", "lake")
        assert code == 0, errors
        assert said
    assert "0 sessions of" in _child(place, _nobody, "rebuild", "--lake", "lake")[1]


def test_what_a_read_only_lake_lacks_is_said(place: Path) -> None:
    said = _one_line(_child(place, _nobody, "rebuild", "--lake", "lake", "--rate", "0.04"))
    assert "rebuild as a user who may write to" in said


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "config.toml", "--out", "results"),
        ("regimes", "--lake", "lake", "--out", "r.parquet"),
        ("regimes", "--lake", "lake", "--out", "r.csv"),
        ("profile", "--lake", "lake", "--out", "p.html"),
        ("profile", "--lake", "lake", "--out", "p.png"),
        ("explain", "--lake", "lake", "--out", "p.html"),
        ("sql", "SELECT 1 AS n", "--lake", "lake", "--out", "n.csv"),
        ("simulate", "--world", "S1", "--years", "0.05", "--seed", "1", "--lake", "new"),
        ("calibrate", "momentum-split", "--out", "c.md"),
    ],
)
def test_a_folder_that_may_not_be_written(place: Path, words: tuple[str, ...]) -> None:
    said = _one_line(_child(place, _nobody, *words))
    assert any(word in said for word in ("choose", "name another", "give this user"))
    assert sorted(p.name for p in place.iterdir()) == ["config.toml", "lake", "temporary"]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Return a file system with 64 kB left, or skip where mounting is refused."""
    there = tmp_path / "full"
    there.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(there)]
    with suppress(FileNotFoundError):
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            try:
                (there / "filler").write_bytes(bytes(64 * 1024))
                yield there
            finally:
                subprocess.run(["umount", str(there)], check=True)
            return
    pytest.skip("mounting a small file system is refused")


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "config.toml", "--out", "{}/results"),
        ("profile", "--lake", "lake", "--out", "{}/p.html"),
        ("sql", "SELECT i, random() AS x FROM range(100000) AS t(i)", "--lake", "lake", "--out",
         "{}/n.csv"),
        ("simulate", "--world", "S1", "--years", "0.05", "--seed", "1", "--lake", "{}/lake"),
    ],
)  # fmt: skip
def test_a_full_disk(place: Path, full: Path, words: tuple[str, ...]) -> None:
    said = _one_line(_child(place, lambda: None, *(word.format(full) for word in words)))
    assert "free some" in said
    assert os.strerror(errno.ENOSPC) in said
    assert [p.name for p in full.iterdir()] == ["filler"]


SMALL = [250, 500, 700, 900, 1_600, 2_000, 2_400]
RUNS = {
    "backtest": ("backtest", "config.toml", "--out", "temporary/results"),
    "rebuild": ("rebuild", "--lake", "lake", "--rate", "0.0123"),
}


@pytest.mark.parametrize(
    ("command", "megabytes"),
    [
        ("backtest", 1_200),
        *(pytest.param(c, m, marks=pytest.mark.slow) for c in RUNS for m in SMALL),
    ],
)
def test_too_little_address_space(place: Path, command: str, megabytes: int) -> None:
    """Wherever it runs out: in Python, in a library that says so, in one that aborts."""
    limit = megabytes << 20
    code = "from gexlab.reports.cli.app import console; console()"
    done = subprocess.run(
        [sys.executable, "-c", code, *RUNS[command]],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    said = _one_line((done.returncode, done.stdout, done.stderr))
    assert "memory" in said
    assert "ulimit" in said
    assert not (place / "temporary" / "results").exists()


@pytest.mark.parametrize("value", ["0", "-1", "abc", ""])
def test_a_wrong_number_of_threads(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ValueError("Number of threads specified must be > 0.")
    monkeypatch.setenv("NUMBA_NUM_THREADS", value)
    assert "NUMBA_NUM_THREADS" in reason_of(error)
    assert "mend it or unset it" in reason_of(error)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    said = reason_of(error)
    assert said.startswith("unexpected ValueError")
    assert "without" in said
    assert "NUMBA_NUM_THREADS" in said


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("NUMBA_DISABLE_JIT", "1", NotImplementedError("<intrinsic> is not usable in pure-python")),
        ("MPLBACKEND", "none", ValueError("Key backend: 'none' is not a valid value for backend")),
    ],
)
def test_variables_that_libraries_stumble_over(
    name: str, value: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    said = reason_of(error)
    assert said.startswith(name)
    assert said.endswith("mend it or unset it")


def test_a_file_is_not_called_damaged_for_want_of_memory() -> None:
    error = LakeError("cannot be read: delete that file")
    error.__cause__ = MemoryError()
    assert reason_of(error).startswith("the memory ran out")
    error.__cause__ = None
    assert reason_of(error) == "cannot be read: delete that file"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "the memory ran out"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "the memory ran out"),
        (RuntimeError("can't start new thread"), "no more threads"),
        (OSError("Failed to launch worker thread: Resource temporarily unavailable"), "no more th"),
    ],
)
def test_memory_that_runs_out(error: Exception, says: str) -> None:
    """As libraries put it under a limit of the address space."""
    said = reason_of(error)
    assert says in said
    assert "close other programs" in said


WATCHED = """\
import os, resource, signal
limit = 64 << 30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from gexlab.reports.cli.little_memory import watched
tell = watched()
if {good_order}:
    os.write(tell, b"1")
    os._exit(3)
os.kill(os.getpid(), signal.{name})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space")
@pytest.mark.parametrize(
    ("good_order", "name", "code", "said"),
    [
        (True, "SIGABRT", 3, ""),
        (False, "SIGABRT", 1, "limited to 64.0 GB"),
        (False, "SIGTERM", 143, ""),
        (False, "SIGKILL", 137, ""),
    ],
)
def test_whoever_watches_says_why_the_work_ended(
    good_order: bool, name: str, code: int, said: str
) -> None:
    """In good order: its own code; aborted: out of memory; asked to end: 128 and the signal."""
    text = WATCHED.format(good_order=good_order, name=name)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code
    assert (said in done.stderr) if said else done.stderr == ""


@pytest.mark.parametrize("command", ["check", "regimes", "rebuild", "profile", "verify"])
def test_a_name_that_no_file_can_have_is_answered_in_a_line(
    command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run([command, "--lake", str(place / "lake"), "--underlying", "x" * 300]) == 1
    said = capsys.readouterr().err
    assert "unexpected" not in said
    assert "ingest again" not in said
    assert said.count("\n") == 1


def test_a_path_that_is_too_long_is_shown_by_its_ends() -> None:
    error = OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "/a/" + "x" * 4096)
    said = reason_of(error)
    assert said.startswith("/a/xxx")
    assert said.endswith("File name too long: choose a shorter name or folder")
    assert len(said) < 300


LIMITED = """\
import resource, sys
from gexlab.reports.cli.app import run
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for words in ("rebuild --rate 0.03", "compact", "vacuum --retention 0"):
    command, *more = words.split()
    print(command, run([command, "--lake", sys.argv[2], *more]), file=sys.stderr, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the size of files")
def test_files_that_may_not_grow_are_one_line_and_the_lake_is_as_it_was(tmp_path: Path) -> None:
    lake = open_lake(tmp_path / "lake", create=True)
    for rows in session_tables(3, 30, seed=4):
        write_sessions(lake, "SPX", rows)
    rebuild(lake, "SPX")
    before = [v.version for v in versions(lake)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "900", str(lake.root)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if not line.startswith("rebuild:")]
    for command in ("rebuild", "compact", "vacuum"):
        at = told.index(f"{command} 1")
        assert told[at - 1].startswith(f"error: cannot write to the lake {lake.root}: ")
        assert told[at - 1].endswith("the lake is as it was")
    assert [v.version for v in versions(lake)] == before
    assert not verify(lake).damaged
    assert rebuild(lake, "SPX", definition=Definition(rate=0.03)).rebuilt == 3
