"""A folder of results is published whole, whatever runs or dies beside it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gexlab.data.base import publishing
from gexlab.data.base.errors import InputFileError
from gexlab.data.base.publishing import published, published_file

NAMES = ("a.txt", "b.txt", "c.txt")


def _publish(folder: Path, text: str) -> None:
    with published(folder) as stage:
        for name in NAMES:
            (stage / name).write_text(text, encoding="utf-8")


def _contents(folder: Path) -> set[str]:
    return {(folder / name).read_text(encoding="utf-8") for name in NAMES}


def _leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.parent.rglob("*") if ".gexlab-" in p.name]


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with published(out) as stage:
        (stage / "a.txt").write_text("1", encoding="utf-8")
        assert not out.exists()
    assert (out / "a.txt").read_text(encoding="utf-8") == "1"
    assert stat.S_IMODE(out.stat().st_mode) == 0o777 & ~_umask()
    assert _leftovers(out) == []


def test_what_else_lies_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _publish(out, "old")
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    out.chmod(0o750)
    _publish(out, "new")
    assert _contents(out) == {"new"}
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert stat.S_IMODE(out.stat().st_mode) == 0o750
    (out / "lake").mkdir()
    (out / "lake" / "part").write_text("rows", encoding="utf-8")
    _publish(out, "third")
    assert _contents(out) == {"third"}
    assert (out / "lake" / "part").read_text(encoding="utf-8") == "rows"
    assert sorted(p.name for p in out.iterdir()) == [*NAMES, "lake", "notes.txt"]
    assert _leftovers(out) == []


def test_a_sub_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "mine").mkdir(parents=True)
    for text in ("one", "two"):
        with published(out) as stage:
            (stage / "lake").mkdir()
            (stage / "lake" / text).write_text(text, encoding="utf-8")
    assert sorted(p.name for p in out.rglob("*")) == ["lake", "mine", "two"]


def test_an_error_leaves_the_old_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _publish(out, "old")

    def fail() -> None:
        with published(out) as stage:
            (stage / "a.txt").write_text("new", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert _contents(out) == {"old"}
    assert _leftovers(out) == []


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("subfolder", [True, False])
def test_of_many_at_once_one_wins_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool, subfolder: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(publishing, "_exchanged", lambda *_: False)
    out = tmp_path / "out"
    if subfolder:
        (out / "lake").mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: _publish(out, str(i)), range(64)))
    assert len(_contents(out)) == 1
    assert _leftovers(out) == []


def test_the_current_folder_stays_the_same_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    _publish(Path("."), "x")
    assert tmp_path.stat().st_ino == before
    assert {Path(name).read_text(encoding="utf-8") for name in NAMES} == {"x"}


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    _publish(tmp_path / "out", "x")
    assert (tmp_path / "out").is_symlink()
    assert _contents(tmp_path / "real") == {"x"}


_KILLED = """
import os, signal, sys
from pathlib import Path
from gexlab.data.base import publishing
out, moment = Path(sys.argv[1]), sys.argv[2]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
moves = []
replace = os.replace
def after_one(source, target):
    moves.append(target)
    if len(moves) == 4:  # the note, two results, and no more
        die()
    replace(source, target)
if moment == "moving":
    publishing._exchanged = lambda *_: False
    os.replace = after_one
with publishing.published(out) as stage:
    for name in ("a.txt", "b.txt", "c.txt"):
        (stage / name).write_text("new")
    if moment == "writing":
        die()
    if moment == "exchanged":
        publishing.shutil.rmtree = die
"""


@pytest.mark.parametrize(
    ("moment", "found", "after"),
    [("writing", {"old"}, {"old"}), ("exchanged", {"new"}, {"new"}), ("moving", None, {"new"})],
)
def test_what_a_kill_leaves_is_removed_by_the_next_run(
    tmp_path: Path, moment: str, found: set[str] | None, after: set[str]
) -> None:
    out = tmp_path / "out"
    _publish(out, "old")
    code = subprocess.run([sys.executable, "-c", _KILLED, str(out), moment], check=False).returncode
    assert code == -signal.SIGKILL
    assert _leftovers(out)
    if found is not None:
        assert _contents(out) == found
    with published(out):
        assert _contents(out) == after
    assert _contents(out) == after
    assert _leftovers(out) == []


def test_a_living_run_is_not_swept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with published(out) as first:
        (first / "a.txt").write_text("first", encoding="utf-8")
        _publish(out, "second")
        assert (first / "a.txt").is_file()
    assert (out / "a.txt").read_text(encoding="utf-8") == "first"


def test_results_within_results(tmp_path: Path) -> None:
    with published(tmp_path / "out") as stage:
        _publish(stage / "lake", "inner")
        (stage / "a.txt").write_text("outer", encoding="utf-8")
    assert _contents(tmp_path / "out" / "lake") == {"inner"}
    assert _leftovers(tmp_path / "out") == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(InputFileError, match="a file of that name is there"):
        _publish(tmp_path / "out", "x")


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with published_file(tmp_path / "x.html") as draft:
            draft.write_text("half", encoding="utf-8")
            raise OSError(28, "No space left on device")

    with pytest.raises(InputFileError, match=r"No space left.*free some space"):
        write()
    assert list(tmp_path.iterdir()) == []


def _publish_often(out: Path, times: int) -> None:
    for i in range(times):
        _publish(out, str(i))


def test_readers_never_see_a_mixture(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _publish(out, "0")
    end = time.monotonic() + 0.3
    seen = set()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(_publish_often, out, 60)
        while time.monotonic() < end and not writing.done():
            handle = os.open(out, os.O_RDONLY)  # a folder as it is at one moment
            try:
                names = [f"/proc/self/fd/{handle}/{name}" for name in NAMES]
                seen.add(len({Path(name).read_text(encoding="utf-8") for name in names}))
            except FileNotFoundError:  # the old folder was removed while it was read
                pass
            finally:
                os.close(handle)
        writing.result()
    assert seen <= {1}
