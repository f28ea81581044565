"""Commands on a small simulated market: what they print, write and refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.regime_columns import REGIME_COLUMNS
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli
from gexlab.reports.page.sections.story import PARTS

SESSION = "2015-01-15"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two rebuilt months of a small simulated market."""
    folder = tmp_path_factory.mktemp("market") / "lake"
    simulate("S1", years=0.15, seed=3, lake=folder, contracts=300, intraday=30)
    assert cli.run(["rebuild", "--lake", str(folder), "--underlying", "SIM"]) == 0
    return folder


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """Return the JSON document that a command prints."""
    capsys.readouterr()
    assert cli.run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def _text(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run([*arguments]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def _market(lake: Path) -> tuple[str, ...]:
    return ("--lake", str(lake), "--underlying", "SIM")


def test_simulate_prints_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("simulate", "--world", "S0", "--years", "0.05", "--seed", "1", "--contracts", "200")
    document = _json(capsys, *common, "--lake", str(tmp_path / "s0"))
    assert Path(document["bars"]).is_file()
    assert document["world"] == "S0"
    assert "world S0" in _text(capsys, *common, "--lake", str(tmp_path / "again"))


def test_simulate_refuses_an_unknown_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("simulate", "--world", "S99", "--years", "1", "--seed", "1")
    error = _text(capsys, *arguments, "--lake", str(tmp_path / "x"), code=1)
    assert error.startswith("error: ")
    assert "S99" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("option", [("--years", "2"), ("--set", "impact=0")])
def test_a_check_refuses_what_it_would_pass_over(
    option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    error = _text(capsys, "simulate", "--check", "S4", *option, code=2)
    assert "--check has lengths and parameters of its own" in error


def test_rebuild_is_incremental(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _json(capsys, "rebuild", *_market(lake))
    assert document["rebuilt"] == 0
    assert {"sessions", "rebuilt", "contracts", "seconds", "definition_id"} <= set(document)
    assert "0 sessions of" in _text(capsys, "rebuild", *_market(lake))


def test_the_only_underlying_and_its_last_session_need_no_names(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = ("--lake", str(lake))
    last = str(open_lake(lake).sessions("SIM")[-1].session)
    for command in ("profile", "explain"):
        named = _text(capsys, command, *_market(lake), "--session", last)
        assert _text(capsys, command, *alone) == named
    assert _text(capsys, "regimes", *alone) == _text(capsys, "regimes", *_market(lake))
    assert _json(capsys, "rebuild", *alone)["rebuilt"] == 0


def test_several_underlyings_need_a_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SIM", "TWO"):
        simulate(
            "S1", years=0.01, seed=3, lake=tmp_path, contracts=200, intraday=None, underlying=name
        )
    for command in ("rebuild", "regimes", "profile", "explain"):
        assert _text(capsys, command, "--lake", str(tmp_path), code=1) == (
            f"error: the lake {tmp_path} holds SIM, TWO: name one underlying (--underlying)\n"
        )


def test_rebuild_takes_a_definition_file(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "lake"
    shutil.copytree(lake, copy)
    lake = copy
    file = tmp_path / "wide.toml"
    file.write_text("band = 0.5\n", encoding="utf-8")
    other = _json(capsys, "rebuild", *_market(lake), "--definition", str(file))
    same = _json(capsys, "rebuild", *_market(lake))
    assert other["rebuilt"] == same["sessions"]
    assert other["definition_id"] != same["definition_id"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--book", "post_expire"], "did you mean 'post_expiry'?"),
        (["--dealer", "naiv"], "did you mean 'naive'?"),
        (["--iv-source", "both"], "otm"),
        (["--definition", "absent.toml"], "absent.toml"),
    ],
)
def test_rebuild_names_what_is_wrong(
    lake: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: str
) -> None:
    error = _text(capsys, "rebuild", *_market(lake), *options, code=1)
    assert expected in error
    assert error.count("\n") == 1


def test_regimes_are_exported_with_every_column(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _json(capsys, "regimes", *_market(lake), "--book", "post_expiry")
    for name in ("regimes.parquet", "regimes.csv"):
        summary = _json(
            capsys,
            "regimes",
            *_market(lake),
            "--book",
            "post_expiry",
            "--out",
            str(tmp_path / name),
        )
        assert summary["rows"] == len(rows)
    written = pd.read_parquet(tmp_path / "regimes.parquet")
    assert list(written.columns) == list(REGIME_COLUMNS)
    assert len(pd.read_csv(tmp_path / "regimes.csv")) == len(rows)
    assert set(rows[0]) == {*REGIME_COLUMNS, "carry_findings", "spot_implied"}
    assert all(set(row["carry_findings"]) <= {"no_carry"} for row in rows)  # 300 contracts


def test_regimes_in_the_terminal_are_short(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _text(capsys, "regimes", *_market(lake)).splitlines()
    assert lines[16].startswith("last 15 of")
    assert " ".join(lines[17:]).startswith("Carry is missing (no_carry) in ")  # 300 contracts


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (("regimes",), {"pandas", "numba", "pyarrow.compute", "gexlab.data.regimes.rebuild"}),
        (("sql", "SELECT known_at, flip FROM regimes"), {"pandas", "numba", "duckdb"}),
    ],
)
def test_commands_that_read_load_little(
    lake: Path, words: tuple[str, ...], heavy: set[str]
) -> None:
    arguments = [*words, "--lake", str(lake)]
    code = f"from gexlab.reports.cli.app import run; assert run({arguments!r}) == 0; import sys"
    tell = f"sys.stderr.write(str([name for name in {sorted(heavy)!r} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {tell}"], capture_output=True, text=True, check=True
    )
    assert done.stderr.rpartition("\n")[2] == "[]"


def test_profile_agrees_with_the_regime_table(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _json(capsys, "regimes", *_market(lake), "--book", "post_expiry")
    row = next(r for r in rows if r["session"].startswith(SESSION))
    document = _json(capsys, "profile", *_market(lake), "--session", SESSION)
    assert document["regime"]["net_gex"] == pytest.approx(row["net_gex"], rel=1e-12)
    assert document["regime"]["flip"] == row["flip"]
    assert len(document["profile"]) == 401
    total = sum(strike["net_gex"] for strike in document["strikes"])
    assert total == pytest.approx(row["net_gex"], abs=1e-9 * row["gross_gex"])
    by_expiry = sum(expiry["net_gex"] for expiry in document["expiries"])
    assert by_expiry == pytest.approx(row["net_gex"], abs=1e-9 * row["gross_gex"])


@pytest.mark.parametrize("name", ["profile.html", "profile.png"])
def test_profile_is_drawn(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / name
    text = _text(capsys, "profile", *_market(lake), "--session", SESSION, "--out", str(out))
    assert "spot" in text
    first = out.read_bytes()
    _text(capsys, "profile", *_market(lake), "--session", SESSION, "--out", str(out))
    assert out.read_bytes() == first
    if name.endswith(".html"):
        assert b"<title>SIMULATED: SIM on 2015-01-15" in first
    else:
        assert first.startswith(b"\x89PNG")


def test_profile_refuses_another_picture(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("profile", *_market(lake), "--session", SESSION, "--out", "x.gif")
    assert ".html or .png" in _text(capsys, *arguments, code=1)


@pytest.mark.parametrize("session", ["2015-01-19", "2099-01-01"])
def test_profile_of_an_absent_session(
    lake: Path, capsys: pytest.CaptureFixture[str], session: str
) -> None:
    # 2015-01-19 is a holiday
    error = _text(capsys, "profile", *_market(lake), "--session", session, code=1)
    assert session in error
    assert error.count("\n") == 1


def test_session_must_be_a_date(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = _text(capsys, "profile", *_market(lake), "--session", "yesterday", code=1)
    assert "YYYY-MM-DD" in error


def test_explain_leads_to_contracts_and_definitions(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "why.html"
    arguments = ("explain", *_market(lake), "--session", SESSION)
    document = _json(capsys, *arguments, "--out", str(out))
    assert len(document["definitions"]) == 16
    shares = [line["share_of_gross"] for line in document["contracts"]]
    assert shares == sorted(shares, reverse=True)
    # all lines, not the largest alone: they add up to the row
    for key in ("net_gex", "gross_gex"):
        total = sum(line[key] for line in document["contracts"])
        assert total == pytest.approx(document["regime"][key], rel=1e-9)
    assert document["decisions"] == []
    assert out.read_text(encoding="utf-8").count('data-figure="fig-') == 5
    change = document["change"]
    parts = [change[part] for part in PARTS]
    # the parts of the change add up to it
    assert sum(parts) == pytest.approx(
        change["after"] - change["before"], abs=1e-9 * change["gross"]
    )
    assert change["after"] == pytest.approx(document["regime"]["net_gex"], rel=1e-12)
    today = document["time_structure"]["today"]
    assert today["net_gex"] == pytest.approx(document["regime"]["net_gex"], rel=1e-9)
    lines = len(document["contracts"])
    assert f"Largest lines of the book, 10 of {lines:,}" in _text(capsys, *arguments)


def test_explain_needs_a_backtest_for_decisions(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("explain", *_market(lake), "--session", SESSION, "--run", str(tmp_path))
    assert "gexlab backtest" in _text(capsys, *arguments, code=1)


def test_check_lists_findings(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _json(capsys, "check", *_market(lake))
    first = ["finding", "severity", "underlying", "session", "count", "example"]
    assert all(list(entry)[:6] == first for entry in document)
    assert {entry["underlying"] for entry in document} == {"SIM"}
    assert len({entry["session"] for entry in document}) > 20
    thresholds = tmp_path / "thresholds.toml"
    thresholds.write_text("expired_today = 1.0\nno_parity = 1.0\n", encoding="utf-8")
    quieter = _json(capsys, "check", *_market(lake), "--thresholds", str(thresholds))
    assert 0 < len(quieter) < len(document)
    assert {entry["finding"] for entry in document} - {entry["finding"] for entry in quieter} == {
        "expired_today", "no_parity",
    }  # fmt: skip
    thresholds.write_text("expired_todai = 1.0\n", encoding="utf-8")
    error = _text(capsys, "check", *_market(lake), "--thresholds", str(thresholds), code=1)
    assert "did you mean 'expired_today'?" in error


def test_check_holds_spots_against_closes(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One close of the bars is moved by 1 %: that session's spot is off it, and no other."""
    spots = _json(
        capsys, "sql", "SELECT session, max(spot) AS spot FROM chains GROUP BY 1 ORDER BY 1",
        "--lake", str(lake),
    )  # fmt: skip
    days = [row["session"][:10] for row in spots]
    closes = [row["spot"] for row in spots]
    closes[7] *= 1.01
    bars = pd.DataFrame({"day": days, "o": closes, "h": closes, "l": closes, "c": closes})
    bars.to_csv(tmp_path / "bars.csv", index=False)
    names = "session=day,open=o,high=h,low=l,close=c"
    named = ("--bars", str(tmp_path / "bars.csv"), "--bars-columns", names)
    found = _json(capsys, "check", *_market(lake), *named)
    off = [finding["session"] for finding in found if finding["finding"] == "spot_off_close"]
    assert off == [days[7]]
    without = _json(capsys, "check", *_market(lake))
    assert not [finding for finding in without if finding["finding"] == "spot_off_close"]
    alone = _text(capsys, "check", *_market(lake), "--bars-columns", names, code=1)
    assert "add --bars" in alone
    wrong = (*named[:3], "close")
    assert "expected NAME=COLUMN" in _text(capsys, "check", *_market(lake), *wrong, code=1)


def test_sql_answers(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statement = "SELECT regime, count(*) AS n FROM regimes WHERE book = 'post_expiry' GROUP BY 1"
    rows = _json(capsys, "sql", statement, "--lake", str(lake))
    regimes = _json(capsys, "regimes", *_market(lake), "--book", "post_expiry")
    assert sum(row["n"] for row in rows) == len(regimes)
    assert "regime" in _text(capsys, "sql", statement, "--lake", str(lake))


def test_sql_refuses_to_write(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = _text(capsys, "sql", "DROP VIEW chains", "--lake", str(lake), code=1)
    assert "only read" in error


def test_a_missing_lake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("rebuild", "regimes"):
        error = _text(capsys, command, *_market(tmp_path / "none"), code=1)
        assert "gexlab ingest" in error
        assert error.count("\n") == 1


def test_ingest_counts_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "chain.csv"
    header = "session,expiry,strike,right,open_interest,iv,spot\n"
    rows = "2026-07-01,2026-07-17,100,C,5,0.2,100\n2026-07-04,2026-07-17,100,P,5,0.2,100\n"
    source.write_text(header + rows, encoding="utf-8")
    mapping = tmp_path / "map.toml"
    timing = (
        '[timing]\ncalendar = "XNYS"\ntimezone = "America/New_York"\nquote_time = "close"\n'
        'known_at = "quote"\noi_lag_sessions = 1\nsettlement = "PM"\n'
    )
    names = ("session", "expiry", "strike", "right", "open_interest", "iv", "spot")
    columns = "[columns]\n" + "".join(f'{name} = "{name}"\n' for name in names)
    mapping.write_text(columns + timing, encoding="utf-8")
    arguments = ["ingest", str(source), "--vendor", "columns", "--map", str(mapping)]
    arguments += ["--underlying", "SPX", "--lake", str(tmp_path / "lake")]
    document = _json(capsys, *arguments)
    # the fourth of July 2026 is a Saturday
    assert document["rows_read"] == 2
    assert document["rows_written"] == 1
    assert document["rejects"] == {"not_a_session": 1}
    assert "already in the lake" in _text(capsys, *arguments)


def test_ingest_of_an_unknown_vendor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "x.csv"
    source.write_text("a\n1\n", encoding="utf-8")
    arguments = ("ingest", str(source), "--vendor", "colums", "--underlying", "SPX")
    error = _text(capsys, *arguments, "--lake", str(tmp_path / "lake"), code=1)
    assert "did you mean 'columns'?" in error


def test_diff_lists_sessions_and_returns(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("band = 0.0\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("band = 0.4\n", encoding="utf-8")
    out = tmp_path / "diff.html"
    files = (str(tmp_path / "a.toml"), str(tmp_path / "b.toml"))
    document = _json(capsys, "diff", *files, *_market(lake), "--out", str(out))
    assert document["changed"] == len(document["rows"]) > 0
    assert "a against b" in out.read_text(encoding="utf-8")
    assert "regime differs on" in _text(capsys, "diff", *files, *_market(lake))
    error = _text(capsys, "diff", files[0], "absent.toml", *_market(lake), code=1)
    assert "absent.toml" in error


def test_leakcheck_ends_in_1_where_there_is_a_leak(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = trading_calendar("XNYS").sessions[-2000:-1800]
    steps = np.random.default_rng(4).normal(0.0, 0.01, len(days))
    close = pd.Series(100.0 * np.exp(np.cumsum(steps)))
    frame = pd.DataFrame({"session": days, "open": close, "high": close, "low": close})
    frame.assign(close=close).to_csv(tmp_path / "bars.csv", index=False)
    for name, value in (("today", close), ("tomorrow", close.shift(-1))):
        dated = pd.DataFrame({"session": days, "value": value - close.mean()}).dropna()
        dated.to_csv(tmp_path / f"{name}.csv", index=False)
        text = (
            '[data]\nunderlying = "X"\ninstrument = "etf"\nbars = "bars.csv"\n'
            '[regime]\nsource = "series"\n[regime.series]\n'
            f'path = "{name}.csv"\nknown = "close"\n'
        )
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    clean = _json(capsys, "leakcheck", str(tmp_path / "today.toml"), "--cuts", "3")
    assert clean["leaks"] == []
    assert clean["checked"] > 0
    arguments = ("leakcheck", str(tmp_path / "tomorrow.toml"), "--cuts", "3")
    found = _json(capsys, *arguments, code=1)
    assert found["leaks"]
    assert {"input", "session", "kind"} <= set(found["leaks"][0])
    assert cli.run(list(arguments)) == 1
    assert "1 leak in" in capsys.readouterr().out


def test_a_table_cut_short_says_so() -> None:
    """Rows are left out on a terminal alone, and its title counts them."""
    from gexlab.reports.page.views import Row, Table, text_column
    from gexlab.reports.terminal.tables import table_of

    rows = tuple(Row((f"row {i}",)) for i in range(12))
    view = Table("tab-x", "Rows", (text_column("Name"),), rows, "")
    assert table_of(view, most=10).title == "Rows, the first 10 of 12"
    assert table_of(view, most=12).title == table_of(view).title == "Rows"
