"""The command line as a script sees it: exit codes, streams, JSON, start-up time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer

from gexlab.data.base.errors import LakeError
from gexlab.reports.cli import app as cli
from gexlab.reports.cli import main_job
from gexlab.reports.terminal.output import plain, to_json

HEAVY = ("vectorbt", "numba", "plotly", "pandas", "duckdb", "numpy", "pydantic", "jinja2")


def _fake(error: Exception) -> object:
    """Return a command module whose command raises."""

    @dataclass
    class Module:
        EXAMPLES: tuple[str, ...] = ("gexlab broken",)

        @staticmethod
        def command(
            as_json: bool = typer.Option(False, "--json"),
            debug: bool = typer.Option(False, "--debug"),
        ) -> None:
            """Break."""
            raise error

    return Module()


def test_help_is_fast_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, time\nfrom gexlab.reports.cli import run\nrun(['--help'])\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
        "print(time.process_time(), file=sys.stderr)"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        heavy, spent = done.stderr.splitlines()
        assert heavy == "[]"
        seconds.append(float(spent))
    # processor time since the interpreter's start: what else the machine does is not ours
    assert min(seconds) < 0.4


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example:" in text
    assert f"gexlab {name}" in text
    assert "--json" in text
    assert "--debug" in text


def test_module_is_the_command_line() -> None:
    code = [sys.executable, "-m", "gexlab.reports", "--version"]
    done = subprocess.run(code, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("gexlab 0.")


@pytest.mark.parametrize("arguments", [["nonsense"], ["doctor", "--nonsense"], []])
def test_wrong_usage_ends_in_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" or arguments == []


def test_a_known_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = LakeError("no lake in 'x':\n  create it with gexlab ingest")
    monkeypatch.setitem(cli.COMMANDS, "broken", _fake(error))
    assert cli.run(["broken"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: no lake in 'x': create it with gexlab ingest\n"


def test_an_unexpected_error_is_one_line_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "broken", _fake(KeyError("spot")))
    assert cli.run(["broken", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "KeyError" in captured.err
    assert "--debug" in captured.err
    assert json.loads(captured.out)["error"]["kind"] == "KeyError"


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "broken", _fake(LakeError("gone")))
    assert cli.run(["broken", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_doctor_prints_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["healthy"] is True
    checks = {c["name"]: c for c in document["checks"]}
    assert {"duckdb", "vectorbt", "calendar XNYS"} <= checks.keys()
    assert checks["main job"]["status"] == "ok"
    assert "backtested 3" in checks["main job"]["found"]  # 0.12 years: some 30 sessions


def test_doctor_does_the_main_job_and_says_what_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a wrong version of a library does: every import works, and no lake can be opened."""

    def broken(**_: object) -> str:
        raise RuntimeError("Unknown unit for memory: '%'")

    monkeypatch.setattr(main_job, "main_job", broken)
    assert cli.run(["doctor", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    failed = [c for c in document["checks"] if c["status"] == "failed"]
    assert [c["name"] for c in failed] == ["main job"]
    assert "Unknown unit for memory" in failed[0]["found"]
    assert "pip install -c constraints.txt" in failed[0]["remedy"]


def test_doctor_fails_on_a_missing_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--json", "--lake", str(tmp_path / "none")]) == 1
    failed = [c for c in json.loads(capsys.readouterr().out)["checks"] if c["status"] == "failed"]
    assert [c["name"] for c in failed] == ["lake"]
    assert failed[0]["remedy"]


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    script = tmp_path / "big.py"
    script.write_text(
        "import sys\n"
        "from gexlab.reports.cli import app as cli\n"
        "from gexlab.reports.terminal import output\n"
        "class Big:\n"
        "    EXAMPLES = ('gexlab big',)\n"
        "    @staticmethod\n"
        "    def command() -> None:\n"
        "        'Write much more than a pipe holds.'\n"
        "        output.emit(['x' * 100] * 20_000, True, lambda console: None)\n"
        "cli.COMMANDS['big'] = Big\n"
        "sys.argv = ['gexlab', 'big']\n"
        "cli.console()\n",
        encoding="utf-8",
    )
    command = f"{sys.executable} {script} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "["


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("sql", "--help")])
def test_a_full_disk_behind_standard_output_is_a_failure(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "gexlab.reports", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "error: No space left on device: free some, then run the same command again\n"
    )


def test_the_exit_code_is_that_of_the_work_whatever_comes_after() -> None:
    """Taking the process apart may fail; what was printed and the exit code stay."""
    code = (
        "import atexit, os, sys; sys.argv = ['gexlab', 'components', 'rules', '--json']\n"
        "atexit.register(os.abort)\n"
        "from gexlab.reports.cli import console; console()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert len(json.loads(done.stdout)) > 5


def test_a_poor_terminal_is_no_traceback() -> None:
    code = (
        "import sys; sys.argv = ['gexlab', 'doctor', '--nonsense−']\n"
        "from gexlab.reports.cli import main; main()"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_no_colour_in_a_pipe() -> None:
    code = (
        "from gexlab.reports.terminal.output import stdout_console; "
        "stdout_console().print('x', style='red')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "x\n"


@dataclass(frozen=True, slots=True)
class _Value:
    flip: float
    where: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float64("nan"), None),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.0, np.nan]), [1.0, None]),
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Timestamp("2026-07-01", tz="UTC"), "2026-07-01T00:00:00+00:00"),
        (pd.DataFrame({"session": pd.to_datetime(["2026-07-01"])}), [{"session": "2026-07-01"}]),
        (date(2026, 7, 1), "2026-07-01"),
        (_Value(float("nan"), Path("a/b")), {"flip": None, "where": "a/b"}),
        ({"a": {"b": (1, None)}}, {"a": {"b": [1, None]}}),
        (pd.DataFrame({"x": [1.0, np.nan]}), [{"x": 1.0}, {"x": None}]),
        (pd.Series({"x": np.nan}), {"x": None}),
    ],
    ids=str,
)
def test_undefined_becomes_null_never_zero(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert json.loads(to_json(value)) == expected
