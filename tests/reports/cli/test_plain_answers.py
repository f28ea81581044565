"""What commands assume where nothing is said, and what they print: text, without colours."""

from __future__ import annotations

import inspect
import io
import json
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

from gexlab.backtest.hypotheses.datasets import _strike_step
from gexlab.backtest.run.backtest import _negative_shares
from gexlab.backtest.run.config_sections import DataConfig
from gexlab.backtest.run.regime_source import _left_out
from gexlab.backtest.run.results import Ratio
from gexlab.backtest.run.truth import Quantity
from gexlab.data import ConfigError, Finding, definition_named, trading_calendar
from gexlab.data.simulate.market.prices import expected_effects
from gexlab.data.tables.clock import _share
from gexlab.reports.cli import app as cli
from gexlab.reports.cli import commands
from gexlab.reports.cli.arguments import thresholds_from
from gexlab.reports.cli.commands import ingest, verify
from gexlab.reports.nightly import standing
from gexlab.reports.page.sections import diagnostics
from gexlab.reports.page.sections.coverage import lake_findings_table
from gexlab.reports.page.sections.hypotheses import _p
from gexlab.reports.page.sections.profile import profile_figure
from gexlab.reports.page.sections.truth import truth_section
from gexlab.reports.page.sections.verdict import _found, _has_interval, _too_short
from gexlab.reports.session.picture import SessionPicture
from gexlab.reports.session.run_facts import _id_of
from gexlab.reports.terminal.answers import _text

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


class _Empty(SimpleNamespace):
    """A result with nothing in whatever it is not given."""

    rejects: ClassVar[dict[str, int]] = {}

    def __getattr__(self, name: str) -> tuple[()]:
        return ()


def test_what_was_verified_is_said_without_colours() -> None:
    said = _said(verify._show, SimpleNamespace(damaged=(), files=12, sessions=3))
    assert said == "12 files, 3 sessions: nothing is damaged\n"
    assert "\x1b" not in said


def test_first_rows_are_shown_as_text_without_what_is_missing() -> None:
    row = {"underlying": "[bold]x[/bold]", "strike": 100.0, "bid": None, "source": "f"}
    result = _Empty(
        dry_run=True, rows_read=1, rows_written=1, sessions=1, rows_rejected=0, first_rows=[row]
    )
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


def test_infinite_dates_are_words() -> None:
    """DuckDB writes them as the largest number of days that 32 bits hold."""
    for number, word in ((2**31 - 1, "infinity"), (1 - 2**31, "-infinity")):
        assert _text(pa.scalar(number, pa.date32())) == word
    assert _text(pa.scalar(2**63 - 1, pa.timestamp("us"))) == "infinity"


def test_twelve_letters_are_an_id_only_if_all_are_hexadecimal() -> None:
    assert _id_of("0123456789ab") == "0123456789ab"
    assert _id_of("0123456789ab@2") == "0123456789ab"
    named = _id_of("vendor-gamma")
    assert named == definition_named("vendor-gamma").definition_id
    assert named != "vendor-gamma"


def test_a_folder_stands_while_every_file_is_what_was_left(tmp_path: Path) -> None:
    for name in (*standing._NEEDED, "more.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    note = json.dumps(standing.note_of(tmp_path, "key") | {"facts": None})
    (tmp_path / standing.NOTE_FILE).write_text(note, encoding="utf-8")
    assert standing.stands(tmp_path, "key")
    assert not standing.stands(tmp_path, "another")
    (tmp_path / "more.txt").write_text("changed", encoding="utf-8")
    assert not standing.stands(tmp_path, "key")


def test_strikes_of_the_last_session_say_how_far_apart_they_are() -> None:
    """5 points on the session before, 10 on the last one, 1 on one after the bars."""
    days = pd.to_datetime(["2026-01-05", "2026-01-06", "2026-01-07"])
    grids = [(day, step) for day, step in zip(days, (5.0, 10.0, 1.0), strict=True)]
    strikes = pd.DataFrame(
        [(day, 100.0 * 10 + step * k) for day, step in grids for k in range(-2, 3)],
        columns=["session", "strike"],
    )
    known = days.tz_localize("UTC") + pd.Timedelta("21:05:00")
    tables = {
        "exposure_by_strike": strikes,
        "regimes": pd.DataFrame({"session": days, "known_at": known}),
    }
    rows = SimpleNamespace(table=lambda name, book: tables[name])
    market: Any = SimpleNamespace(
        regime=SimpleNamespace(rows=rows), calendar=trading_calendar("XNYS")
    )
    config: Any = SimpleNamespace(regime=SimpleNamespace(book="post_expiry"))
    bars = pd.DataFrame({"close": [1_000.0, 1_000.0]}, days[:2])
    assert _strike_step(config, market, bars) == 10.0


def test_damping_divides_what_news_does_to_prices() -> None:
    none = dict.fromkeys(("lag", "rebalancing", "close_share", "transient", "echo"), 0.0)
    mechanism: Any = SimpleNamespace(
        impact=0.02, damping=1.0, reversed_from=0.5, reliability=1.0, **none
    )
    setting: Any = SimpleNamespace(
        mechanism=mechanism,
        first=0,
        last=9,
        calendar=SimpleNamespace(sessions=list(range(10))),
        market=SimpleNamespace(iv_ratio=1.0, iv_premium=0.0),
    )
    still = dict.fromkeys(("give_back", "unseen", "last_return"), 0.0)
    state: Any = SimpleNamespace(net=0.25, variance=0.04, seen_variance=0.04, **still)
    found = expected_effects(setting, state, 2)
    assert (found.kappa, found.fundamental_sd) == (0.5, 0.2)
    assert found.volatility_multiplier == pytest.approx(1.0 / 1.5)


def test_thresholds_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("crossed_quotes = 0.02\n", encoding="utf-8")
    limits = thresholds_from(file)
    assert limits is not None
    assert limits.crossed_quotes == 0.02
    for wrong in ('"0.02"', "true"):
        file.write_text(f"crossed_quotes = {wrong}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="crossed_quotes must be a number"):
            thresholds_from(file)


def test_a_starting_map_is_written_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "date,expiration,strike,type,open_interest\n2026-01-05,2026-01-16,100,C,5\n"
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert cli.run(["inspect", "x.csv"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert cli.run(["inspect", "x.csv", "--map-out", "x.toml"]) == 0
    assert "[columns]" in (tmp_path / "x.toml").read_text(encoding="utf-8")
    capsys.readouterr()


def test_bars_that_span_each_session_are_of_its_hours() -> None:
    calendar = trading_calendar("XNYS")
    first = calendar.position(pd.Timestamp("2026-01-05").date())
    length = np.timedelta64(30, "m")
    rows = range(first, first + 40)
    starts = np.concatenate(
        [np.arange(calendar.opens[k], calendar.closes[k], length) for k in rows]
    )
    assert _share(starts, length, calendar) == 1.0
    assert _share(starts[np.arange(len(starts)) % 13 < 12], length, calendar) == 0.0


def test_worlds_are_checked_on_the_seed_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def noted(*_: Any, seed: int, **__: Any) -> None:
        asked.append(seed)
        raise ConfigError("enough")

    monkeypatch.setattr("gexlab.data.simulate.check_worlds", noted)
    for more in ([], ["--seed", "7"]):
        assert cli.run(["simulate", "--check", "--world", "S1", *more]) == 1
    assert asked == [1, 7]


def test_the_profile_is_drawn_in_its_own_unit() -> None:
    """Strikes in millions, the profile in billions: -2.5e9 is -2.5 there, 4e6 is 4."""
    strikes = pd.DataFrame(
        {"strike": [95.0, 105.0], "call_gex": [4e6, 1e6], "put_gex": [-2e6, -1e6]}
    )
    profile = pd.DataFrame({"level": [90.0, 100.0, 110.0], "net_gex": [-2.5e9, 5e8, 1.5e9]})
    roots = pd.DataFrame({"level": [98.0], "direction": ["up"], "slope": [1.0]})
    empty = pd.DataFrame()
    row = dict.fromkeys(("flip", "call_wall", "put_wall", "pin_strike"), 100.0) | {"spot": 100.0}
    picture = SessionPicture(row, strikes, empty, profile, roots, empty, empty, empty, "$", {})
    drawn = profile_figure(picture).spec["data"]
    values = [y for trace in drawn for y in trace["y"] if y is not None]
    assert (min(values), max(values)) == pytest.approx((-2.5, 4.0))


def test_findings_are_told_from_the_first_session_to_the_last() -> None:
    days = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 8)]
    found = [Finding(day, "crossed_quotes", "warning", 1, NAN, f"on {day}") for day in days[::-1]]
    (row,) = lake_findings_table([*found, replace(found[0], detail="again")]).rows
    told = ("crossed quotes", "warning", "3", "2026-01-05", "2026-01-08", "on 2026-01-08")
    assert tuple(row.cells) == told


def test_a_period_holds_its_first_and_its_last_session() -> None:
    days = [date(2026, 1, d) for d in (5, 6, 7, 8, 9)]
    period = DataConfig(
        underlying="SPX", lake="lake", bars=Path("b.csv"), start=days[1], end=days[3]
    )
    assert [period.covers(day) for day in days] == [False, True, True, True, False]
    whole = DataConfig(underlying="SPX", lake="lake", bars=Path("b.csv"))
    assert all(whole.covers(day) for day in days)
