"""Mistakes that users make: what was expected, what was found, and a remedy that works.

Every case follows the remedy literally: what the message proposes is put in the place of the
mistake (``{fix}`` is what `pattern` finds in the message), and the command must then succeed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from make_lake import forget_rebuilt

from gexlab.backtest.run.config import Config
from gexlab.backtest.run.load_config import load_config
from gexlab.data.lake.versions import newest, table_files
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli

CONFIG = """\
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "lake/bars.parquet"

[execution]
fees_bps = 1.0

[inference]
bootstrap = 100
"""
NEAR = r"(?i)did you mean '([^']+)'"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong word, what the message must say, and where its remedy goes.

    Attributes
    ----------
    right, wrong : str
        Text of the configuration, or an argument of the command, and what was written instead.
    says : tuple of str
        Fragments of the message.
    fix : str
        What to write instead of `wrong`; ``{fix}`` stands for what `pattern` finds.
    pattern : str
    """

    right: str
    wrong: str
    says: tuple[str, ...]
    fix: str
    pattern: str = NEAR


def _more(text: str) -> str:
    return f"bootstrap = 100\n{text}\n"


#: In a configuration: what is replaced, by what, and what the message says.
IN_CONFIG = {
    "a key": Mistake("underlying", "underling", ("unknown key", "underling"), "{fix}"),
    "a key of bars": Mistake("bars =", "bar =", ("unknown key", "data.bar"), "{fix} ="),
    "a key of costs": Mistake("fees_bps", "fee_bps", ("execution.fee_bps",), "{fix}"),
    "a key of inference": Mistake("bootstrap", "bootstraps", ("inference.bootstraps",), "{fix}"),
    "a section": Mistake("[execution]", "[exection]", ("unknown key 'exection'",), "[{fix}]"),
    "an instrument": Mistake(
        '"etf"', '"stock"', ("data.instrument", "known are"), '"{fix}"', r"known are (\w+)"
    ),
    "an instrument left out": Mistake(
        'instrument = "etf"\n', "", ("instrument of 'SIM' is not known",),
        'underlying = "SIM"\ninstrument = "{fix}"', r"set data.instrument to one of (\w+)",
    ),
    "costs in percent": Mistake(
        "fees_bps = 1.0", 'fees_bps = "1%"', ("expected a valid number", "'1%'"),
        "fees_bps = 100", "",
    ),
    "negative costs": Mistake(
        "fees_bps = 1.0", "fees_bps = -1.0", ("-1.0", "expected"),
        "fees_bps = {fix}", r"greater than or equal to (\d+)",
    ),
    "a comma in a number": Mistake(
        "fees_bps = 1.0", "fees_bps = 1,0", ("not a TOML file", "line 8"), "fees_bps = 1.0", ""
    ),
    "too few resamples": Mistake(
        "bootstrap = 100", "bootstrap = 5", ("inference.bootstrap = 5",), "bootstrap = {fix}",
        r"greater than or equal to (\d+)",
    ),
    "a fill": Mistake(
        "fees_bps = 1.0",
        'fill = "nextopen"',
        ("execution.fill", "found 'nextopen'"),
        'fill = "{fix}"',
    ),
    "a book": Mistake(
        "bootstrap = 100", _more('[regime]\nbook = "post_expire"'), ("regime.book",),
        _more('[regime]\nbook = "{fix}"'),
    ),
    "a dealer model": Mistake(
        "bootstrap = 100", _more('[regime]\ndealer_model = "naiv"'), ("dealer model 'naiv'",),
        _more('[regime]\ndealer_model = "{fix}"'),
    ),
    "a source": Mistake(
        "bootstrap = 100", _more('[regime]\nsource = "lakes"'), ("regime.source = 'lakes'",),
        _more('[regime]\nsource = "{fix}"'),
    ),
    "a band in percent": Mistake(
        "bootstrap = 100", _more("[regime]\nband = 2"), ("regime.band = 2",),
        _more("[regime]\nband = {fix}"), r"less than or equal to (\d+)",
    ),
    "a filter": Mistake(
        "bootstrap = 100", _more('[[strategies]]\nname = "mine"\nfilter = "sing"\nlong = "fade"'),
        ("unknown filter 'sing'",),
        _more('[[strategies]]\nname = "mine"\nfilter = "{fix}"\nlong = "fade"'),
    ),
    "a rule": Mistake(
        "bootstrap = 100", _more('[[strategies]]\nname = "mine"\nfilter = "sign"\nlong = "fad"'),
        ("unknown rule 'fad'",),
        _more('[[strategies]]\nname = "mine"\nfilter = "sign"\nlong = "{fix}"'),
    ),
    "a size in percent": Mistake(
        "bootstrap = 100", _more('[[strategies]]\nname = "always-fade"\nsize = 100'),
        ("strategies[0].size = 100",), _more('[[strategies]]\nname = "always-fade"\nsize = {fix}'),
        r"less than or equal to (\d+)",
    ),
    "a zone": Mistake(
        "bars =", 'bars_timezone = "America/NewYork"\nbars =',
        ("expected a time zone's IANA name", "America/NewYork"),
        'bars_timezone = "{fix}"\nbars =',
    ),
    "dates exchanged": Mistake(
        "bars =", "start = 2015-02-20\nend = 2015-01-05\nbars =", ("lies after", "exchange them"),
        "start = 2015-01-05\nend = 2015-02-20\nbars =", "",
    ),
    "a German date": Mistake(
        "bars =", 'start = "05.01.2015"\nbars =', ("data.start", "expected a valid date"),
        "start = 2015-01-05\nbars =", "",
    ),
    "a lake left out": Mistake(
        'lake = "lake"\n', "", ("data.lake is missing", "name the lake's folder"),
        '[data]\nlake = "lake"', "",
    ),
    "a lake": Mistake(
        'lake = "lake"', 'lake = "lak"', ("the lake", "does not exist", "correct the path"),
        'lake = "lake"', "",
    ),
    "a file of bars": Mistake(
        "lake/bars.parquet", "lake/bar.parquet", ("no such file",), "lake/{fix}"
    ),
    "a column of bars": Mistake(
        "bars =", 'bars_columns = {{ close = "adj" }}\nbars =', ("no column 'adj'", "bars_columns"),
        'bars_columns = {{ close = "{fix}" }}\nbars =', r"the file has .*(close)",
    ),
    "a time of publication": Mistake(
        "bootstrap = 100",
        _more('[series.x]\npath = "x.csv"\nknown = "4pm"'),
        ("'4pm' is no publication time", "HH:MM"),
        _more('[series.x]\npath = "x.csv"\nknown = "16:00"'), "",
    ),
    "a series' file": Mistake(
        "bootstrap = 100", _more('[series.x]\npath = "y.csv"\nknown = "close"'), ("no such file",),
        _more('[series.x]\npath = "{fix}"\nknown = "close"'),
    ),
    "a series' column": Mistake(
        "bootstrap = 100", _more('[series.x]\npath = "closes.csv"\nknown = "close"'),
        ("no column 'value'", "columns"),
        _more(
            '[series.x]\npath = "closes.csv"\nknown = "close"\ncolumns = {{ value = "{fix}" }}'
        ),
        r"the file has date, (\w+)",
    ),
    "a key of nights": Mistake(
        "bootstrap = 100", _more('[nightly]\npath = ["in"]'), ("unknown key 'nightly.path'",),
        _more('[nightly]\n{fix} = ["in"]'),
    ),
    "one path for several": Mistake(
        "bootstrap = 100", _more('[nightly]\npaths = "in"'), ("nightly.paths: expected a list",),
        _more('[nightly]\npaths = ["in"]'), r"write .*(\[\.\.\.\]) for values",
    ),
    "staleness in words": Mistake(
        "bootstrap = 100", _more('[nightly]\nstale_after = "1 day"'),
        ("nightly.stale_after = '1 day'", "expected a valid integer"),
        _more("[nightly]\nstale_after = 1"), "",
    ),
    "staleness below zero": Mistake(
        "bootstrap = 100", _more("[nightly]\nstale_after = -1"), ("nightly.stale_after = -1",),
        _more("[nightly]\nstale_after = {fix}"), r"greater than or equal to (\d+)",
    ),
}  # fmt: skip

#: On the command line: arguments with the wrong word marked, what is said, and the remedy.
IN_COMMANDS = {
    "a command": ("backtst", "backtest config.toml --out out", NEAR, ("No such command",)),
    "an option": (
        "--outp", "backtest config.toml --out out", r"Possible options: (--out)", ("--outp",),
    ),
    "a configuration's path": (
        "confi.toml", "leakcheck config.toml --cuts 1", "", ("confi.toml", "give the path"),
    ),
    "a lake's path": ("lakes", "check --lake lake", "", ("does not exist", "correct the path")),
    "an underlying": (
        "SPX", "rebuild --lake lake --underlying SIM", r"Known: (\w+)", ("unknown underlying",),
    ),
    "a dealer model": ("naiv", "rebuild --lake lake --dealer naive", NEAR, ("dealer model",)),
    "a book": ("post_expire", "rebuild --lake lake --book post_expiry", NEAR, ("book",)),
    "an IV source": ("otmm", "rebuild --lake lake --iv-source otm", NEAR, ("iv_source",)),
    "a rate in percent": (
        "4.5", "rebuild --lake lake --rate 0.045", r"\((0\.045) for 4\.5 %\)", ("found 4.5",),
    ),
    "a rate with a percent sign": (
        "4.5%", "rebuild --lake lake --rate 0.045", "", ("'--rate'", "valid number"),
    ),
    "a definition's file": (
        "no.toml", "rebuild --lake lake --definition good.toml", "", ("correct its path",),
    ),
    "a session's form": (
        "15.01.2015", "profile --lake lake --session 2015-01-15", "", ("write it as YYYY-MM-DD",),
    ),
    "a weekend": (
        "2015-01-17", "profile --lake lake --session 2015-01-16", r"e\.g\. ([\d-]+)",
        ("holds no session 2015-01-17",),
    ),
    "a year": (
        "2027-01-15", "explain --lake lake --session 2015-02-25", r"e\.g\. ([\d-]+)",
        ("is known from 2015-01-02 to 2015-02-25",),
    ),
    "a picture's format": (
        "p.pdf", "profile --lake lake --out p.html", r"a picture is (\.html)", ("p.pdf",),
    ),
    "a table's format": (
        "r.xlsx", "regimes --lake lake --out r.parquet", r"ends in (\.parquet)", ("r.xlsx",),
    ),
    "a unit": ("percent", "regimes --lake lake --unit per_percent", NEAR, ("unknown unit",)),
    "a vendor": (
        "canonica", "ingest chain.parquet --vendor canonical --underlying SIM --lake new", NEAR,
        ("unknown vendor",),
    ),
    "a file of chains": (
        "chains.parquet", "ingest chain.parquet --vendor canonical --underlying SIM --lake new", "",
        ("no such file", "correct the path"),
    ),
    "bars for chains": (
        "bars.csv", "ingest chain.parquet --vendor canonical --underlying SIM --lake new", "",
        ("is missing", "the file has"),
    ),
    "a hypothesis": ("vol-dampin", "test vol-damping config.toml --out out", NEAR, ("hypothesis",)),
    "a table in SQL": (
        "chain", "sql SELECT|count(*)|FROM|chains --lake lake", r"there are (\w+)", ("chain",),
    ),
    "a write in SQL": (
        "DELETE|FROM|chains", "sql SELECT|count(*)|FROM|chains --lake lake", "",
        ("expected one SELECT", "found DELETE"),
    ),
    "a world": (
        "S11", "simulate --world S1 --years 0.05 --seed 1 --contracts 200 --lake s", NEAR,
        ("unknown world",),
    ),
    "a parameter": (
        "impct=0", "simulate --world S1 --years 0.05 --seed 1 --contracts 200 --lake s --set "
        "impact=0", NEAR, ("unknown parameter",),
    ),
    "no years": (
        "0", "simulate --world S1 --years 0.05 --seed 1 --contracts 200 --lake s", "",
        ("expected more than 0 and at most 50", "found 0"),
    ),
    "a calibration's format": (
        "c.csv", "calibrate momentum-split --seeds 2 --sessions 80 --processes 1 --out c.md",
        r"written as (\.md)", ("c.csv",),
    ),
    "a file of closes": (
        "close.csv", "check --lake lake --bars closes.csv", NEAR, ("no such file",),
    ),
    "pairs of columns": (
        "close:close", "check --lake lake --bars closes.csv --bars-columns close=close", "",
        ("expected NAME=COLUMN pairs", "close:close"),
    ),
    "a name in pairs": (
        "clos=close", "check --lake lake --bars closes.csv --bars-columns close=close", NEAR,
        ("unknown name in --bars-columns",),
    ),
    "no backtest yet": (
        "nowhere", "explain --lake lake --session 2015-01-15 --run done", "",
        ("no readable results.json there", "gexlab backtest"),
    ),
    "a lake's name": ("lak", "versions --lake lake", "", ("does not exist", "correct the path")),
    "a version": (
        "99", "regimes --lake lake --as-of 1", "",
        ("has versions 0 to", "not 99"),
    ),
    "a moment in words": (
        "yesterday", "regimes --lake lake --as-of 1", "",
        ("'yesterday'", "expected the number of a version or a moment such as"),
    ),
    "a session for a version": (
        "2015-01-15", "profile --lake lake --session 2015-01-16 --as-of 1", "",
        ("was not there at 2015-01-15", "gexlab versions --lake lists them"),
    ),
    "a moment to come": (
        "2099-01-01", "check --lake lake --as-of 1", "",
        ("that moment has not come", "name an earlier one, or a version"),
    ),
    "a version before the rebuild": (
        "0|2", "sql SELECT|count(*)|FROM|regimes --lake lake --as-of 1", "",
        ("nothing was rebuilt at version 0", "name a later one"),
    ),
    "a retention with its unit": (
        "30d", "vacuum --lake lake --retention 30", r"found '(30)d'", ("should be a valid number",),
    ),
    "a retention below zero": (
        "-1", "vacuum --lake lake --retention 30", "",
        ("should be greater than or equal to 0", "found '-1'"),
    ),
    "an underlying to compact": (
        "SIMM", "compact --lake lake --underlying SIM", NEAR, ("unknown underlying",),
    ),
    "an underlying to verify": (
        "SPY", "verify --lake lake --underlying SIM", r"Known: (\w+)", ("unknown underlying",),
    ),
    "a lake to migrate": (
        "lace", "migrate --lake lake", "", ("does not exist", "correct the path"),
    ),
    "a file of settings": (
        "setings.toml", "cross-section --lake lake --settings settings.toml", NEAR,
        ("no such file",),
    ),
    "a configuration for settings": (
        "config.toml", "cross-section --lake lake --settings settings.toml", "",
        ("unknown table", "Known: default, kinds, underlyings"),
    ),
    "a file of volumes": (
        "volume.csv", "cross-section --lake lake --volumes volumes.csv", NEAR, ("no such file",),
    ),
    "closes for volumes": (
        "closes.csv", "cross-section --lake lake --volumes volumes.csv", "",
        ("lack the column 'underlying'", "expected underlying, session, dollar_volume"),
    ),
    "a folder of nights": (
        "night", "runs nights", "", ("no such folder of nights", "name the one of [nightly] out"),
    ),
    "a file for a folder": (
        "config.toml|2", "backtest config.toml --out out", "", ("a file of that name is there",),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that a user may have: a rebuilt lake, files, a finished run."""
    root = tmp_path_factory.mktemp("mistakes")
    made = simulate("S1", years=0.15, seed=3, lake=root / "lake", contracts=200, intraday=None)
    assert cli.run(["rebuild", "--lake", str(root / "lake")]) == 0
    bars = pd.read_parquet(made.bars)
    dates = pd.to_datetime(bars["session"]).dt.strftime("%Y-%m-%d")
    closes = pd.DataFrame({"date": dates, "close": bars["close"]})
    closes.to_csv(root / "closes.csv", index=False)
    closes.rename(columns={"close": "value"}).to_csv(root / "x.csv", index=False)
    bars.to_csv(root / "bars.csv", index=False)
    chain = sorted((root / "lake" / "chains").rglob("*.parquet"))[0]
    (root / "chain.parquet").write_bytes(chain.read_bytes())
    volumes = bars.assign(session=dates, underlying="SIM", dollar_volume=1e9)
    volumes[["underlying", "session", "dollar_volume"]].to_csv(root / "volumes.csv", index=False)
    (root / "settings.toml").write_text('[underlyings.SIM]\nsector = "x"\n', encoding="utf-8")
    (root / "nights").mkdir()
    (root / "archive" / "nights" / "latest").mkdir(parents=True)
    (root / "archive" / "nights" / "index.html").touch()
    (root / "good.toml").write_text("rate = 0.01\n", encoding="utf-8")
    (root / "config.toml").write_text(CONFIG, encoding="utf-8")
    assert cli.run(["backtest", str(root / "config.toml"), "--out", str(root / "done")]) == 0
    return root


@pytest.fixture(scope="module")
def seen_to_run() -> list[Config]:
    """Return the configurations with which the command has succeeded."""
    return []


def _said(capsys: pytest.CaptureFixture[str], arguments: list[str], codes: set[int]) -> str:
    capsys.readouterr()
    code = cli.run(arguments)
    found = capsys.readouterr().err
    assert code in codes, found
    assert "unexpected" not in found
    assert "Traceback" not in found
    return " ".join(found.split())


@pytest.mark.parametrize("name", IN_CONFIG)
def test_a_mistake_in_a_configuration(
    folder: Path, seen_to_run: list[Config], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    case = IN_CONFIG[name]
    assert case.right in CONFIG
    wrong = CONFIG.replace(case.right, case.wrong.replace("{{", "{").replace("}}", "}"))
    (folder / "wrong.toml").write_text(wrong, encoding="utf-8")
    said = _said(capsys, ["leakcheck", str(folder / "wrong.toml"), "--cuts", "1"], {1})
    for fragment in case.says:
        assert fragment in said
    fix = _fix(case.pattern, said)
    place = case.wrong.replace("{{", "{").replace("}}", "}") or _before(case.fix)
    right = wrong.replace(place, case.fix.format(fix=fix), 1)
    (folder / "right.toml").write_text(right, encoding="utf-8")
    config = load_config(folder / "right.toml")
    if config not in seen_to_run:  # most remedies lead to the configuration that was meant
        _said(capsys, ["leakcheck", str(folder / "right.toml"), "--cuts", "1"], {0})
        seen_to_run.append(config)


def _before(fix: str) -> str:
    """Return the line after which something that was left out is added."""
    return fix.split("\n")[0]


def _fix(pattern: str, said: str) -> str:
    if not pattern:
        return ""
    found = re.search(pattern, said)
    assert found is not None, said
    return found[1]


@pytest.mark.parametrize("name", IN_COMMANDS)
def test_a_mistake_on_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    wrong, command, pattern, says = IN_COMMANDS[name]
    right = command.split()
    position = _place(wrong, right)
    written = wrong.removesuffix("|2").replace("|", " ")
    if "SELECT" in right[position] and wrong == "chain":
        written = "SELECT count(*) FROM chain"
    words = [w.replace("|", " ") for w in right]
    said = _said(capsys, [*words[:position], written, *words[position + 1 :]], {1, 2})
    for fragment in says:
        assert fragment in said
    fix = _fix(pattern, said)
    assert fix in words[position]
    known = _rebuilt(folder / "lake")
    _said(capsys, words, {0})
    if _rebuilt(folder / "lake") != known:  # with several definitions others would name theirs
        forget_rebuilt(folder / "lake")
        _said(capsys, ["rebuild", "--lake", "lake"], {0})


def _rebuilt(lake: Path) -> set[str]:
    return set(table_files(lake, newest(lake), "rebuilds"))


def _place(wrong: str, right: list[str]) -> int:
    """Return which word of the right command stands where the wrong one was written."""
    from difflib import SequenceMatcher

    places = {
        "SPX": "SIM", "4.5": "0.045", "4.5%": "0.045", "no.toml": "good.toml", "nowhere": "done",
        "0": "0.05", "bars.csv": "chain.parquet", "config.toml|2": "out", "--outp": "--out",
        "percent": "per_percent", "DELETE|FROM|chains": "SELECT|count(*)|FROM|chains",
        "chain": "SELECT|count(*)|FROM|chains", "lakes": "lake", "r.xlsx": "r.parquet",
        "99": "1", "0|2": "1", "yesterday": "1", "2015-01-15": "1", "2099-01-01": "1",
        "30d": "30", "-1": "30", "SPY": "SIM", "config.toml": "settings.toml",
        "closes.csv": "volumes.csv",
    }  # fmt: skip
    if wrong in places:
        return right.index(places[wrong])
    near = [SequenceMatcher(None, wrong, word).ratio() for word in right]
    return near.index(max(near))


def test_there_are_eighty() -> None:
    assert len(IN_CONFIG) + len(IN_COMMANDS) >= 80
