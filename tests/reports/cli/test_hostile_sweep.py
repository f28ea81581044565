"""A hundred hostile names through every command and every output: shown as text, or refused."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from hostile_names import NAMES, as_file, as_toml, problems_of_file, problems_of_json
from hostile_names import problems_of_text as problems

from gexlab.backtest.statistics.rejection import RejectionRate, SimulationCheck, wilson
from gexlab.data.simulate import simulate
from gexlab.reports.cli import app as cli
from gexlab.reports.page.calibration_markdown import calibration_page

PLAIN = "unmarked"
#: Commands that ask for something of that name, which is not there.
NEVER_KNOWN = {"components", "calibrate name", "test name", "doctor"}
CONFIG = """\
[data]
lake = {lake}
underlying = "SIM"
instrument = "etf"
bars = {bars}
bars_columns = {{ close = {name} }}

[regime]
definition = {definition}

[[strategies]]
name = {name}
filter = {{ name = "level", on = {series}, level = 100.0 }}
long = "hold"
short = "flat"

[[strategies]]
name = {second}
filter = {own}
long = "hold"

[series.{name}]
path = {values}
columns = {{ value = {name} }}
known = "close"

[grid]
filters = ["sign", {own}]
rules = [{{ long = "hold", short = "flat" }}]

[nightly]
paths = []
out = {nights}

[inference]
bootstrap = 100
"""
OWN = """\
from gexlab.strategies import Filter, View

class Above(Filter):
    def labels(self, view):
        raise NotImplementedError
"""


@dataclass(slots=True)
class Sweep:
    """What one name did in every command.

    Attributes
    ----------
    folder : Path
        Current folder of the commands.
    refused : dict of str to str
        Commands that ended with an error, and what they said.
    found : list of str
        What should not be.
    """

    folder: Path
    refused: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)


def _files(folder: Path, name: str) -> dict[str, str]:
    """Write a user's files under a name; return what the configuration calls them."""
    file = as_file(name)
    bars = pd.read_parquet(folder / "lake" / "bars.parquet").rename(columns={"close": name})
    bars.to_csv(folder / f"{file}.csv", index=False)
    bars[["session", name]].to_csv(folder / f"{file}.values.csv", index=False)
    (folder / "lake").rename(folder / file)
    (folder / f"{file}.toml").write_text("rate = 0.01\n", encoding="utf-8")
    (folder / f"{file}.py").write_text(OWN, encoding="utf-8")
    said = {
        "lake": file,
        "bars": f"{file}.csv",
        "values": f"{file}.values.csv",
        "name": name,
        "second": f"{name}2",
        "series": f"series.{name}",
        "definition": f"{file}.toml",
        "own": "always",
        "nights": f"{file}.nights",
    }
    return {key: as_toml(value) for key, value in said.items()}


def _commands(file: str, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield every command under the name, those that later ones need first."""
    lake, config = ["--lake", f"./{file}"], f"./{file}.run.toml"
    definition = ["--definition", f"./{file}.toml"]
    yield "rebuild --json", ["rebuild", *lake, *definition, "--json"]
    yield "check", ["check", *lake, "--bars", f"./{file}.csv", "--bars-columns", f"close={name}"]
    for ending in ("csv", "parquet"):
        yield f"regimes {ending}", ["regimes", *lake, "--out", f"./{file}.regimes.{ending}"]
    for ending in ("html", "png"):
        yield f"profile {ending}", ["profile", *lake, "--out", f"./{file}.profile.{ending}"]
    yield "backtest", ["backtest", config, "--out", f"./{file}.out"]
    yield "backtest --json", ["backtest", config, "--out", f"./{file}.out", "--json"]
    explain = ["explain", *lake, "--run", f"./{file}.out"]
    yield "explain", [*explain, "--out", f"./{file}.explain.html"]
    yield "explain --json", [*explain, "--json"]
    yield "leakcheck", ["leakcheck", config, "--cuts", "2"]
    yield "grid", ["grid", config, "--out", f"./{file}.grid"]
    yield (
        "test",
        ["test", "momentum-split", config, "--out", f"./{file}.test", "--simulations", "0"],
    )
    yield "nightly", ["nightly", config]
    diff = ["diff", f"./{file}.toml", f"./{file}.toml", *lake, "--bars", f"./{file}.csv"]
    columns = ["--bars-columns", f"close={name}"]
    yield "diff", [*diff, *columns, "--out", f"./{file}.diff.html"]
    literal = "'" + name.replace("'", "''") + "'"
    quoted = '"' + name.replace('"', '""') + '"'
    sql = ["sql", f"SELECT {literal} AS {quoted}, 1 AS n", *lake]
    yield "sql", sql
    yield "sql --json", [*sql, "--json"]
    for ending in ("csv", "json", "parquet"):
        yield f"sql {ending}", [*sql, "--out", f"./{file}.sql.{ending}"]
    yield "inspect", ["inspect", f"./{file}.csv", "--map-out", f"./{file}.map.toml"]
    ingest = ["ingest", f"./{file}.chain.parquet", "--vendor", "canonical", "--underlying", name]
    yield "ingest --json", [*ingest, "--lake", f"./{file}.new", "--json"]
    yield "ledger", ["ledger", *lake]
    yield "doctor", ["doctor", *lake]
    yield "components", ["components", name]
    out = [word for end in ("md", "html", "json") for word in ("--out", f"./{file}.cal.{end}")]
    few = ["--seeds", "2", "--sessions", "80", "--processes", "1"]
    yield "calibrate", ["calibrate", "momentum-split", *few, *out]
    world = ["--years", "0.02", "--seed", "1", "--contracts", "200", "--underlying", name]
    yield "simulate", ["simulate", "--world", "S1", *world, "--lake", f"./{file}.sim"]
    yield "calibrate name", ["calibrate", name]
    yield "test name", ["test", name, config, "--out", f"./{file}.test"]


def sweep(base: Path, folder: Path, name: str, plain: Sweep | None = None) -> Sweep:
    """Run every command under a name, and look at all that it prints and writes."""
    file = as_file(name)
    shutil.copytree(base, folder)
    words = _files(folder, name)
    (folder / f"{file}.run.toml").write_text(CONFIG.format(**words), encoding="utf-8")
    chain = pd.read_parquet(folder / "chain.parquet")
    chain["underlying"] = name.encode("utf-8", "backslashreplace").decode()
    chain.to_parquet(folder / f"{file}.chain.parquet", index=False)
    done = Sweep(folder)
    with chdir(folder):
        for title, command in _commands(file, name):
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = cli.run(command)
            _looked_at(done, title, code, out.getvalue(), err.getvalue())
    if plain is not None:
        done.found += _files_compared(done, plain, file)
    return done


def _looked_at(done: Sweep, title: str, code: int, out: str, err: str) -> None:
    """Note what is wrong with the answer to a command."""
    done.found += [f"{title}: {p}" for p in problems(out + err)]
    if code not in (0, 3, 4):
        done.refused[title] = err
        if code == 1 and err.count("\n") - err.count("ingest: rows read\n") > 1:
            done.found.append(f"{title}: {err!r}")
    elif title.endswith("--json"):
        done.found += [f"{title}: {p}" for p in problems_of_json(out)]


def _files_compared(done: Sweep, plain: Sweep, file: str) -> Iterator[str]:
    """Yield what is wrong with each file that was written, and files that are missing."""
    for path in sorted(plain.folder.rglob("*")):
        relative = str(path.relative_to(plain.folder)).replace(PLAIN, file)
        own = relative in (f"{file}.csv", f"{file}.values.csv")  # what the user wrote
        inside = own or "lake" in path.parts
        if not path.is_file() or inside or path.suffix in (".toml", ".py"):
            continue
        mine = done.folder / relative
        if mine.is_file():
            yield from (f"{relative}: {p}" for p in problems_of_file(mine, path))
        elif not done.refused:
            yield f"{relative}: not written"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small market and a file of chains."""
    folder = tmp_path_factory.mktemp("hostile") / "base"
    simulate("S1", years=0.15, seed=3, lake=folder / "lake", contracts=200, intraday=None)
    chain = sorted((folder / "lake" / "chains").rglob("*.parquet"))[0]
    shutil.copy(chain, folder / "chain.parquet")
    return folder


@pytest.fixture(scope="module")
def plain(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Return what a name does that means nothing to anybody."""
    done = sweep(base, tmp_path_factory.mktemp("plain") / "x", PLAIN)
    assert (done.found, set(done.refused)) == ([], NEVER_KNOWN)
    return done


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(NAMES)))
def test_every_command_and_output(number: int, base: Path, plain: Sweep, tmp_path: Path) -> None:
    done = sweep(base, tmp_path / "x", NAMES[number], plain)
    assert done.found == []
    if NAMES[number].encode("utf-8", "replace").decode() != NAMES[number]:
        assert all("UTF-8" in said or title in NEVER_KNOWN for title, said in done.refused.items())
        return
    assert set(done.refused) - NEVER_KNOWN - {"simulate", "ingest --json"} == set()
    for command in {"simulate", "ingest --json"} & set(done.refused):
        assert "is not a usable name: use up to 32 letters" in done.refused[command]


ALL = """\
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "lake/bars.parquet"

[inference]
bootstrap = 100
"""


def _every(names: list[str], folder: Path) -> dict[str, str]:
    """Run what takes many names at once; return what each command said."""
    strategies = [
        f'[[strategies]]\nname = {as_toml(n)}\nfilter = "always"\nlong = "hold"' for n in names
    ]
    series = [f'[series.{as_toml(n)}]\npath = "x.csv"\nknown = "close"' for n in names]
    (folder / "run.toml").write_text("\n".join([ALL, *strategies, *series]), encoding="utf-8")
    bars = pd.read_parquet(folder / "lake" / "bars.parquet")
    bars[["session", "close"]].set_axis(["date", "value"], axis=1).to_csv(
        folder / "x.csv", index=False
    )
    said = [n.encode("utf-8", "backslashreplace").decode() for n in names]
    headings = [n for n in said if not {"\r", "\n"} & set(n)]
    pd.DataFrame({n: [n, "1"] for n in headings}).to_csv(folder / "columns.csv", index=False)
    cells = ", ".join(
        "'" + n.replace("'", "''") + "' AS " + '"' + n.replace('"', '""') + '"' for n in said
    )
    sql = ["sql", f"SELECT {cells}", "--lake", "lake"]
    commands = {
        "backtest": ["backtest", "run.toml", "--out", "out"],
        "backtest --json": ["backtest", "run.toml", "--out", "again", "--json"],
        "inspect": ["inspect", "columns.csv", "--map-out", "map.toml"],
        "sql": sql,
        "sql --json": [*sql, "--json"],
        "sql csv": [*sql, "--out", "sql.csv"],
    }
    told = {}
    with chdir(folder):
        for title, words in commands.items():
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                assert cli.run(words) == 0, (title, err.getvalue())
            told[title] = out.getvalue() + err.getvalue() * ("json" not in title)
    return told


@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_many_names_at_once(step: int, base: Path, tmp_path: Path) -> None:
    """As strategies, series, columns and cells: terminal, JSON, page, CSV."""
    chosen = dict.fromkeys([*NAMES[::step], "=1+1"])
    hostile = [n for n in chosen if n.encode("utf-8", "replace").decode() == n]
    for title, names in (("x", hostile), ("plain", [f"n{i}" for i in range(len(hostile))])):
        told = _every(names, Path(shutil.copytree(base, tmp_path / title)))
        for command, text in told.items():
            assert problems(text) == [], (title, command)
            if command.endswith("--json"):
                assert problems_of_json(text) == [], (title, command)
    for name in ("out/report.html", "out/results.json", "sql.csv", "out/ledger.csv"):
        assert problems_of_file(tmp_path / "x" / name, tmp_path / "plain" / name) == [], name


def test_a_heading_of_two_lines_is_one_line_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for end in ("\r", "\n"):
        (tmp_path / "x.csv").write_text(f'"a{end}b",c\n"d{end}e",1\n1,2\n', encoding="utf-8")
        code = cli.run(["inspect", str(tmp_path / "x.csv")])
        found = capsys.readouterr()
        assert code in (0, 1)
        assert problems(found.out + found.err) == []


def test_calibration_tables_show_names_as_text() -> None:
    share = wilson(20, 400)
    shares = (share, share, share, share, share)
    rates = {
        name: RejectionRate(name, name, "visible", 1.0, 0.18, "-", 400, 0, *shares, 0.1, 1.0)
        for name in (*NAMES, PLAIN)
    }
    pages = {
        name: calibration_page(SimulationCheck(0.05, 400, 1_500, {name: -3.5}, (rate,)))
        for name, rate in rates.items()
    }
    shape = [line.count("|") - line.count("\\|") for line in pages[PLAIN].splitlines()]
    for name, page in pages.items():
        assert [x.count("|") - x.count("\\|") for x in page.splitlines()] == shape, name
        assert problems(page) == [], name
        page.encode()


MANY = """\
[data]
lake = {lake}
underlying = "SIM"
instrument = "etf"
bars = {bars}
bars_columns = {{ close = {column} }}

[regime]
definition = {definition}

{strategies}
{series}

[grid]
filters = ["sign", {levels}]
rules = [{{ long = "hold", short = "flat" }}]

[tournament]
placebos = 5
folds = {{ train = 12, test = 8 }}

[ledger]
path = {ledger}

[nightly]
paths = []
out = {nights}

[inference]
bootstrap = 100
"""


def _batch(folder: Path, names: list[str]) -> tuple[str, str]:
    """Write a user's files under many names; return the path of their folder, and the first name.

    Folders have the names one within the other, so that each stands in every path that is shown.
    """
    readable = (name for name in names if name == name.encode("utf-8", "replace").decode())
    place = "/".join(as_file(name) for name in readable)
    home = folder / place
    home.mkdir(parents=True)
    bars = pd.read_parquet(folder / "lake" / "bars.parquet")
    (folder / "lake").rename(home / "lake")
    # what can be said on a command line between commas
    said_plainly = (n for n in names if n == n.strip() and not {",", "="} & set(n))
    column = next(n for n in said_plainly if n.encode("utf-8", "replace").decode() == n)
    bars = bars.rename(columns={"close": column})
    others = [n for n in names if n != column and n.encode("utf-8", "replace").decode() == n]
    inside = [n for n in others if not {"\r", "\n"} & set(n)]
    bars.assign(**dict.fromkeys(inside, 1.0)).to_csv(home / "bars.csv", index=False)
    bars[["session", column]].to_csv(home / "values.csv", index=False)
    (home / "def.toml").write_text("rate = 0.01\n", encoding="utf-8")
    level = '{{ name = "level", on = {0}, level = 100.0 }}'.format
    on = [as_toml(f"series.{name}") for name in names]
    strategies = "\n".join(
        f'[[strategies]]\nname = {as_toml(n)}\nfilter = {level(s)}\nlong = "hold"\nshort = "flat"\n'
        for n, s in zip(names, on, strict=True)
    )
    series = "\n".join(
        f"[series.{as_toml(n)}]\npath = {as_toml(f'{place}/values.csv')}\n"
        f'columns = {{ value = {as_toml(column)} }}\nknown = "close"\n'
        for n in names
    )
    said = {
        key: as_toml(f"{place}/{file}")
        for key, file in {
            "lake": "lake",
            "bars": "bars.csv",
            "definition": "def.toml",
            "ledger": "ledger",
            "nights": "nights",
        }.items()
    }
    said |= {"column": as_toml(column), "strategies": strategies, "series": series}
    said["levels"] = ", ".join(level(s) for s in on)
    (folder / "run.toml").write_text(MANY.format(**said), encoding="utf-8")
    shutil.copy(folder / "run.toml", home / "run.toml")
    return place, column


def _commands_on(place: str, column: str, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield every command on what `_batch` wrote, and those that take one name for each of them."""
    lake, config = ["--lake", f"./{place}/lake"], "run.toml"
    out = f"./{place}/out"
    columns = ["--bars", f"./{place}/bars.csv", "--bars-columns", f"close={column}"]
    definition = f"./{place}/def.toml"
    yield "rebuild --json", ["rebuild", *lake, "--definition", definition, "--json"]
    yield "check", ["check", *lake, *columns]
    yield "check --json", ["check", *lake, *columns, "--json"]
    yield "verify", ["verify", *lake]
    yield "verify --json", ["verify", *lake, "--json"]
    for ending in ("csv", "parquet"):
        yield f"regimes {ending}", ["regimes", *lake, "--out", f"{out}.regimes.{ending}"]
    for ending in ("html", "png"):
        yield f"profile {ending}", ["profile", *lake, "--out", f"{out}.profile.{ending}"]
    yield "backtest", ["backtest", config, "--out", out]
    yield "backtest --json", ["backtest", config, "--out", out, "--json"]
    explain = ["explain", *lake, "--run", out]
    yield "explain", [*explain, "--out", f"{out}.explain.html"]
    yield "explain --json", [*explain, "--json"]
    yield "leakcheck --json", ["leakcheck", config, "--cuts", "2", "--json"]
    yield "grid", ["grid", config, "--out", f"{out}.grid"]
    yield "grid --json", ["grid", config, "--out", f"{out}.grid", "--json"]
    yield "tournament", ["tournament", config, "--out", f"{out}.tournament"]
    yield "tournament --json", ["tournament", config, "--out", f"{out}.tournament", "--json"]
    yield "lockbox", ["lockbox", config]
    yield "ledger", ["ledger", config]
    yield "ledger --json", ["ledger", config, "--json"]
    test = ["test", "momentum-split", config, "--out", f"{out}.test", "--simulations", "0"]
    yield "test", test
    yield "nightly", ["nightly", config]
    yield "nightly --json", ["nightly", config, "--json"]
    diff = ["diff", definition, definition, *lake, *columns, "--out", f"{out}.diff.html"]
    yield "diff", diff
    said = [n.encode("utf-8", "backslashreplace").decode() for n in names]
    cells = ", ".join(
        "'" + n.replace("'", "''") + "' AS " + '"' + n.replace('"', '""') + '"' for n in said
    )
    sql = ["sql", f"SELECT {cells}", *lake]
    yield "sql", sql
    yield "sql --json", [*sql, "--json"]
    for ending in ("csv", "json", "parquet"):
        yield f"sql {ending}", [*sql, "--out", f"{out}.sql.{ending}"]
    yield "inspect", ["inspect", f"./{place}/bars.csv", "--map-out", f"{out}.map.toml"]
    yield "inspect --json", ["inspect", f"./{place}/bars.csv", "--json"]
    yield "doctor", ["doctor", *lake]
    yield "components", ["components", "filter"]
    for i, name in enumerate(names):
        named = ["--lake", f"./{place}/new", "--underlying", name]
        yield f"ingest {i} --json", ["ingest", "chain.parquet", "--vendor", "canonical", *named]
        world = ["--years", "0.02", "--seed", "1", "--contracts", "200"]
        yield f"simulate {i}", ["simulate", "--world", "S1", *world, *named]
        yield f"components {i}", ["components", name]
        yield f"calibrate {i}", ["calibrate", name]
        yield f"test {i}", ["test", name, config, "--out", f"{out}.none"]
        yield f"regimes {i}", ["regimes", *lake, "--underlying", name, "--out", f"{out}.x.csv"]
        yield f"open {i}", ["lockbox", config, "--open", name]


def together(base: Path, folder: Path, names: list[str]) -> tuple[Sweep, str]:
    """Run every command under many names at once, and look at all that is printed and written."""
    shutil.copytree(base, folder)
    place, column = _batch(folder, names)
    done = Sweep(folder)
    with chdir(folder):
        for title, command in _commands_on(place, column, names):
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = cli.run(command)
            _looked_at(done, title, code, out.getvalue(), err.getvalue())
    return done, place


#: Names at a time; a path has room for as many.
_AT_A_TIME = 11


@pytest.fixture(scope="module")
def plain_together(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, str]:
    """Return what names do that mean nothing to anybody."""
    names = [f"{PLAIN}{i}" for i in range(_AT_A_TIME)]
    done, place = together(base, tmp_path_factory.mktemp("plain") / "x", names)
    assert done.found == []
    return done, place


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(NAMES), _AT_A_TIME))
def test_every_command_and_output_under_many_names(
    first: int, base: Path, plain_together: tuple[Sweep, str], tmp_path: Path
) -> None:
    names = [*NAMES[first : first + _AT_A_TIME]]
    names += [f"{PLAIN}{i}" for i in range(_AT_A_TIME - len(names))]
    done, place = together(base, tmp_path / "x", names)
    plain, ground = plain_together
    assert done.found == []
    known = {t for t in plain.refused if not t.startswith(("ingest", "simulate"))}
    for title in set(done.refused) - known:
        assert title.startswith(("ingest", "simulate")), (title, done.refused[title])
        said = done.refused[title]  # a good name that the file does not hold is refused as well
        assert "is not a usable name: use up to 32 letters" in said or "holds no rows of" in said
    assert known <= set(done.refused)
    found = []
    for path in sorted((plain.folder / ground).rglob("*")):
        relative = path.relative_to(plain.folder / ground)
        mine = done.folder / place / relative
        if not path.is_file() or relative.parts[0] in ("lake", "new", "bars.csv", "values.csv"):
            continue
        if path.suffix in (".toml", ".py") or "sim" in relative.parts:
            continue
        if mine.is_file():
            found += [f"{relative}: {p}" for p in problems_of_file(mine, path)]
        elif "ledger" not in relative.parts and not relative.name.startswith("."):
            found.append(f"{relative}: not written")
    assert found == []


def test_a_lake_whose_path_is_not_utf8_is_refused_in_a_line(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(base / "lake", "caf\udce9/lake")
    lake = ["--lake", "./caf\udce9/lake"]
    for command in (
        ["rebuild", *lake],
        ["verify", *lake],
        ["check", *lake],
        ["sql", "SELECT 1", *lake],
        ["regimes", *lake, "--out", "x.csv"],
        ["profile", *lake, "--out", "x.html"],
        ["simulate", "--world", "S1", "--years", "0.02", "--seed", "1", "--lake", "./n\udcff/new"],
        ["check", "--lake", str(base / "lake"), "--bars", "./caf\udce9/lake/bars.parquet"],
        ["diff", "default", "default", *lake],
    ):
        assert cli.run(command) == 1, command
        said = capsys.readouterr().err
        assert "not UTF-8" in said, (command, said)
        assert problems(said) == []
        assert said.count("error: ") == 1


def test_a_folder_named_like_the_home_is_itself(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shutil.copytree(base / "lake", "~/lake")
    assert cli.run(["verify", "--lake", "./~/lake"]) == 0
    assert cli.run(["verify", "--lake=./~/lake"]) == 0
    capsys.readouterr()
    assert cli.run(["verify", "--lake", "~/lake"]) == 1
    assert "home/lake does not exist" in capsys.readouterr().err
    assert cli.run(["sql", "SELECT './~' AS x", "--lake", "./~/lake"]) == 0
    assert "./~" in capsys.readouterr().out
