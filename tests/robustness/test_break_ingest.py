"""A bounded, seeded part of the harnesses that break ingests; their scripts do many more points."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gexlab.data.lake.lake import open_lake

SCRIPTS = Path(__file__).parent


def _run(script: str, *arguments: str) -> dict[str, object]:
    """Run a harness in a process of its own: it forks, which a process with threads must not."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("what", ["kill", "disk"])
def test_a_broken_ingest_leaves_the_state_before_or_after(what: str) -> None:
    found = _run("break_ingest.py", what, "--points", "4", "--rows", "500", "--seed", "3")
    left = [found.get("before", 0), found.get("after", 0)]
    assert sum(int(str(n)) for n in left) == 4


def test_mutated_inputs_end_in_a_result_or_one_line() -> None:
    found = _run("fuzz_ingest.py", "--inputs", "2000", "--seed", "7")
    assert int(str(found["inputs"])) >= 2000
    for parser in ("cells", "maps", "logs", "archives", "files"):
        outcome = found[parser]
        assert isinstance(outcome, dict)
        assert outcome["refused"] > 0, f"no mutation of {parser} was ever refused"


def test_writers_that_meet_all_count(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from gexlab.data.ingest.ingest import ingest\n"
        "ingest([sys.argv[1]], vendor='columns', underlying='SPX', lake=sys.argv[2],\n"
        "       mapping=sys.argv[3])\n"
    )
    (tmp_path / "map.toml").write_text(
        '[columns]\nsession = "d"\nexpiry = "e"\nstrike = "k"\nright = "r"\nspot = "s"\n'
        '[timing]\nquote_time = "close"\nknown_at = "quote"\nsettlement = "PM"\n'
    )
    children = []
    for day in ("2022-12-12", "2022-12-13", "2022-12-14"):
        path = tmp_path / f"{day}.csv"
        path.write_text(f"d,e,k,r,s\n{day},2022-12-30,4000,C,3990\n")
        arguments = [str(path), str(tmp_path / "lake"), str(tmp_path / "map.toml")]
        children.append(subprocess.Popen([sys.executable, "-c", script, *arguments]))
    assert [child.wait() for child in children] == [0, 0, 0]
    assert [str(e.session) for e in open_lake(tmp_path / "lake").sessions("SPX")] == [
        "2022-12-12",
        "2022-12-13",
        "2022-12-14",
    ]


@pytest.mark.parametrize(
    ("processes", "rounds"), [(2, 3), pytest.param(4, 200, marks=pytest.mark.slow)]
)
def test_writers_at_once_lose_and_double_nothing(processes: int, rounds: int) -> None:
    found = _run("break_lake.py", "writers", "--processes", f"{processes}", "--rounds", f"{rounds}")
    assert (found["failed"], found["damaged"]) == ([], 0)
    assert int(str(found["versions"])) >= processes * rounds / 2  # what changes nothing makes none


@pytest.mark.parametrize("count", [4, pytest.param(500, marks=pytest.mark.slow)])
def test_changed_bytes_are_found_and_never_become_numbers(count: int) -> None:
    """So many bytes are flipped, a fifth as many files cut, zeroed, deleted and exchanged each."""
    found = _run("break_lake.py", "bytes", "--count", f"{count}")
    harmed = count + 4 * max(1, count // 5)
    assert (found["harmed"], found["verified"], found["unseen"]) == (harmed, harmed, [])
    assert sorted(found["joint"]) == ["chains", "rebuilt"]  # type: ignore[call-overload]
