"""What commands assume where nothing is said, and what they print: text, without colours."""

from __future__ import annotations

import inspect
import io
import json
from importlib import import_module
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from gexlab.backtest.run.backtest import _negative_shares
from gexlab.backtest.run.regime_source import _left_out
from gexlab.backtest.run.results import Ratio
from gexlab.backtest.run.truth import Quantity
from gexlab.reports.cli import app as cli
from gexlab.reports.cli import commands
from gexlab.reports.cli.commands import ingest, verify
from gexlab.reports.page.sections import diagnostics
from gexlab.reports.page.sections.hypotheses import _p
from gexlab.reports.page.sections.truth import truth_section
from gexlab.reports.page.sections.verdict import _found, _has_interval, _too_short

NAN = float("nan")
COMMANDS = sorted(m.name for m in iter_modules(commands.__path__))


@pytest.mark.parametrize("name", COMMANDS)
def test_nobody_gets_a_traceback_or_json_without_asking(name: str) -> None:
    module = import_module(f"{commands.__name__}.{name}")
    asked = inspect.signature(module.command).parameters
    assert asked["debug"].default is False
    assert "as_json" not in asked or asked["as_json"].default is False


def _said(show: Any, result: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=200)
    show(console, result)
    return out.getvalue()


def test_what_was_verified_is_said_without_colours() -> None:
    result = SimpleNamespace(damaged=(), files=12, sessions=3, unrecorded=2)
    said = _said(verify._show, result)
    assert said.startswith("12 files, 3 sessions, 2 of an earlier version without a digest: ")
    assert "\x1b" not in said


def test_first_rows_are_shown_as_text_without_what_is_missing() -> None:
    row = {"underlying": "[bold]x[/bold]", "strike": 100.0, "bid": None, "source": "f"}
    result = SimpleNamespace(
        dry_run=True, rows_read=1, rows_written=1, sessions=1, rows_rejected=0, rejects={},
        first_rows=[row], files_unchanged=0,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "_left_out", lambda _: ["[red]left[/red] out 3"])
        lines = _said(ingest._show, result).splitlines()
    assert lines[1:] == ["[red]left[/red] out 3", "  underlying [bold]x[/bold], strike 100.0"]


def test_a_calibration_is_of_the_effect_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--seeds", "2", "--sessions", "80", "--processes", "1"]
    assert cli.run(["calibrate", "momentum-split", "--world", "S1", *few, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {rate["strength"] for rate in told["rates"]} == {1.0}


def test_small_p_values() -> None:
    assert [_p(x) for x in (0.0009, 0.001, 0.0012, NAN)] == ["< 0.001", "0.001", "0.001", "–"]


def test_a_quantity_and_its_interval_have_three_decimals() -> None:
    section = truth_section([Quantity("slope", 0.5, 0.51234, 0.41234, 0.61234, 100)])
    (table,) = section.tables
    assert table.rows[0].cells == ("slope", "0.500", "0.512", "[0.412, 0.612]", "yes", "100")


def test_without_magnitudes_there_is_no_table_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "diagnostics_table", lambda *_: "groups")
    monkeypatch.setattr(diagnostics, "magnitude_table", lambda *_: "magnitudes")
    nothing: Any = SimpleNamespace()
    made: Any
    for made in ((), ("one",)):
        section = diagnostics.diagnostics_section(nothing, made, nothing, level=0.95, sign="$")
        assert len(section.tables) == 1 + len(made)


def test_an_interval_that_ends_at_one_holds_it() -> None:
    for low, high, short in ((0.8, 1.0, False), (1.0, 1.2, False), (0.8, 0.99, True)):
        assert bool(_too_short(Ratio(0.9, low, high, 100, 50, 50))) is short


def test_an_interval_has_two_ends() -> None:
    nothing = _found(None)
    assert nothing.n == 0
    assert not _has_interval(nothing)
    for low, high in ((0.1, NAN), (NAN, 0.1)):
        estimate: Any = SimpleNamespace(low=low, high=high)
        assert not _has_interval(estimate)


def test_zero_is_no_negative_value() -> None:
    days = pd.to_datetime(["2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07", "2026-01-02"])
    shares = _negative_shares(pd.Series([0.0, -1.0, 1.0, NAN, -2.0], days))
    assert shares == {2025: pytest.approx(1 / 3), 2026: 1.0}


def test_only_rows_that_were_left_out_are_told() -> None:
    assert _left_out("vix", 0) == ()
    (notice,) = _left_out("vix", 3)
    assert (notice.code, notice.count) == ("series_not_sessions", 3)
