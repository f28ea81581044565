"""Documents are outputs: what they state can be false, and something has to notice.

``docs/statements.md`` lists statements with the tests that hold them. Tables of defaults and limits
are compared here row by row with what they are the tables of.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from gexlab.backtest.hypotheses.cross_section import CROSS_SECTION_FORMS
from gexlab.backtest.hypotheses.evidence import COMPATIBLE
from gexlab.backtest.hypotheses.features import WINDOW
from gexlab.backtest.hypotheses.registry import BUILT_IN, hypothesis
from gexlab.backtest.hypotheses.test import _FEWEST as _FEWEST_BOOKS
from gexlab.backtest.hypotheses.test import SIMULATIONS, SURROGATES
from gexlab.backtest.leaks import association
from gexlab.backtest.leaks.recomputation import CUTS
from gexlab.backtest.leaks.traces import LEVEL
from gexlab.backtest.run import config_sections as configuration
from gexlab.backtest.run import notices
from gexlab.backtest.run.execution_section import ExecutionConfig
from gexlab.backtest.run.results import Metrics, VolatilityCell
from gexlab.backtest.run.tournament_section import TournamentConfig
from gexlab.backtest.statistics import intervals
from gexlab.backtest.surrogates.cloud import TRIED
from gexlab.backtest.surrogates.customers import CUSTOMERS
from gexlab.backtest.surrogates.parameters import PARAMETERS
from gexlab.backtest.surrogates.returns import _BLOCK, Observed, fitted_makes
from gexlab.data.base.errors import ConfigError
from gexlab.data.exposure import quality_gate as gate
from gexlab.data.exposure.definition import Definition
from gexlab.data.quality.catalogue import CHECKS
from gexlab.data.quality.thresholds import Thresholds
from gexlab.data.regimes import query
from gexlab.data.simulate.worlds.parameters import MarketParameters, Mechanism
from gexlab.strategies.component import Component, Kind
from gexlab.strategies.components import built_in

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every table row of a document; an escaped bar is a character."""
    for line in text.splitlines():
        if line.startswith("| ") and not set(line) <= set("|- "):
            yield [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


STATED = [row for row in _rows(_text("docs/statements.md")) if "::" in row[-1]]


def test_there_are_many() -> None:
    prose = [row for row in STATED if not row[0].isdigit()]
    assert len(prose) >= 440
    assert len({(row[0], row[1]) for row in STATED}) == len(STATED)


@pytest.mark.parametrize("document", sorted({row[1] for row in STATED}))
def test_statements_stand_in_their_document(document: str) -> None:
    text = " ".join(_text(document).split())
    gone = [
        row[0]
        for row in STATED
        if row[1] == document and not row[0].isdigit() and row[0] not in text
    ]
    assert not gone


# Sentences that are not listed


def _exempt() -> list[tuple[str, str, str]]:
    """Return sentence, document and reason of what needs no test."""
    part = _text("docs/statements.md").partition("## Sentences without a test")[2]
    rows = [row for row in _rows(part.partition("\n## ")[0]) if row[0] != "sentence"]
    return [(row[0], row[1], row[2]) for row in rows]


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a document and the rows of its tables, without blocks of code."""
    paragraph: list[str] = []
    for line in [*re.sub(r"^```.*?^```", "", text, flags=re.M | re.S).splitlines(), ""]:
        alone = line.startswith(("|", "#"))
        if alone or not line.strip() or re.match(r"\s*([-*]|\d+\.) ", line):
            joined = " ".join(" ".join(paragraph).split())
            yield from re.split(r"(?<=[.!?:;])\s+(?=[A-Z`*\[])", joined)
            paragraph = []
        if line.startswith("|"):  # a heading is a name
            yield line.replace("\\|", "|")
        elif not alone:
            paragraph.append(line)


_ABSOLUTE = re.compile(r"\b(never|always|only|every)\b", re.IGNORECASE)
_NAMES = re.compile(r"`[^`]*`|\]\([^)]*\)")  # code and the targets of links
#: `docs/cli.md` is generated; a decision is a record of its day.
_SWEPT = [
    path.relative_to(ROOT).as_posix()
    for path in DOCUMENTS
    if path.name not in ("statements.md", "cli.md") and path.parent.name != "decisions"
]


def _unlisted(text: str, listed: list[str]) -> list[str]:
    """Return the sentences with never, always, only or every that no listed statement is of."""
    return [
        sentence
        for sentence in _sentences(text)
        if _ABSOLUTE.search(_NAMES.sub("", sentence))
        and not any(words in sentence or sentence in words for words in listed)
    ]


@pytest.mark.parametrize("document", _SWEPT)
def test_absolute_sentences_are_listed(document: str) -> None:
    listed = [row[0] for row in STATED if row[1] == document and not row[0].isdigit()]
    listed += [words for words, where, _ in _exempt() if where == document]
    assert not _unlisted(_text(document), listed)


def test_an_unlisted_sentence_is_found() -> None:
    text = """# Only a title
A sum. It is **never** 0, unless
`always` says so. Every
row counts: Yes.

- only here
| `x` | always |
```
every
```
"""
    rest = ["It is **never** 0, unless `always` says so.", "- only here", "| `x` | always |"]
    assert _unlisted(text, ["row counts", "a title"]) == rest


def test_what_needs_no_test_stands_in_its_document() -> None:
    found = _exempt()
    texts = {where: " ".join(_text(where).split()) for _, where, _ in found}
    assert not [words for words, where, _ in found if words not in texts[where]]
    kinds = {"definition", "description", "measured", "outside"}
    assert {reason.partition(":")[0] for _, _, reason in found} <= kinds
    assert all(reason.partition(": ")[2] for _, _, reason in found)


def test_every_named_test_exists() -> None:
    lost = []
    for row in STATED:
        path, _, name = row[-1].strip("`").partition("::")
        file = TESTS / path
        source = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not re.search(rf"^def {name}\(", source, re.MULTILINE):
            lost.append(row[-1])
    assert not lost


def test_rows_counted() -> None:
    """The second table of the document counts rows that a test compares one by one."""
    counted = {(row[1], row[-1]): int(row[0]) for row in STATED if row[0].isdigit()}
    settings = [field for field in fields(Definition) if field.init]
    here = {
        ("docs/configuration.md", "test_defaults_of_the_configuration"): len(_defaults()),
        ("docs/quality.md", "test_limits_of_the_checks"): len(_limits()),
        ("docs/components.md", "test_defaults_of_components"): len(_components()),
        ("docs/worlds.md", "test_parameters_of_simulated_markets"): len(_parameters()),
    }
    held = {(d, f"`test_statements.py::{t}`"): n for (d, t), n in here.items()}
    columns = "`data/exposure/test_documented_columns.py::test_settings_have_their_defaults`"
    assert counted == held | {("docs/regime-table.md", columns): len(settings)}


# Tables of defaults


MODELS: dict[str, type[BaseModel]] = {
    "[data]": configuration.DataConfig, "[regime]": configuration.RegimeConfig,
    "[series.NAME]": configuration.SeriesConfig, "[execution]": ExecutionConfig,
    "[inference]": configuration.InferenceConfig, "[nightly]": configuration.NightlyConfig,
}  # fmt: skip


def _defaults() -> list[tuple[str, str, str]]:
    """Return section, key and default of every key of the configuration's document."""
    found = []
    for part in _text("docs/configuration.md").split("\n## ")[1:]:
        section = part.partition("`")[2].partition("`")[0]
        if section not in MODELS:
            continue
        for row in _rows(part):
            keys = re.findall(r"`(\w+)`", row[0])
            found += [(section, key, row[1]) for key in keys]
    return found


@pytest.mark.parametrize(("section", "key", "stated"), _defaults())
def test_defaults_of_the_configuration(section: str, key: str, stated: str) -> None:
    field = MODELS[section].model_fields[key]
    if stated == "required":
        assert field.is_required()
        return
    assert not field.is_required()
    literal = re.fullmatch(r"`?\"?([\w.]+)\"?`?", stated)
    default = field.default
    if default is None or default == () or default == {}:
        # in words, or a value that the market gives
        assert literal is None or stated == "none" or key in ("out", "fill"), (stated, default)
    else:
        assert literal is not None, stated
        said = literal[1]
        assert (float(said) if isinstance(default, float | int) and said != "false" else said) == (
            default if default is not False else "false"
        )


def _limits() -> list[tuple[str, str, str]]:
    """Return name, severity and limit of every check in the document of the quality."""
    names = {field.name for field in fields(Thresholds)}
    return [
        (row[0].strip("`"), row[1], row[2])
        for row in _rows(_text("docs/quality.md"))
        if row[0].strip("`") in names
    ]


@pytest.mark.parametrize(("name", "severity", "limit"), _limits())
def test_limits_of_the_checks(name: str, severity: str, limit: str) -> None:
    assert float(limit) == Thresholds().limit(name)
    assert severity == CHECKS[name].severity


def test_every_limit_is_documented() -> None:
    assert {name for name, _, _ in _limits()} == {field.name for field in fields(Thresholds)}


KINDS: tuple[Kind, ...] = ("filter", "rule", "sizing")


def _components() -> list[tuple[type[Component], str, str]]:
    """Return every component with its row's parameters and name."""
    cells = {row[0]: row for row in _rows(_text("docs/components.md")) if len(row) == 4}
    return [
        (made, cells[f"`{name}`"][2], name)
        for kind in KINDS
        for name, made in built_in(kind).items()
    ]


@pytest.mark.parametrize(("made", "stated", "name"), _components(), ids=lambda x: str(x)[:20])
def test_defaults_of_components(made: type[Component], stated: str, name: str) -> None:
    said = dict(re.findall(r"`(\w+)` \(([^)]*)\)", stated))
    own = made().parameters()
    assert set(said) == set(own), name
    for key, default in own.items():
        assert said[key] == _shown(default), (name, key)


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(_shown(item) for item in default)
    return str(getattr(default, "name", default))


def _parameters() -> list[tuple[str, str, str]]:
    """Return name, range and default of every parameter of simulated markets."""
    part = _text("docs/worlds.md").partition("## Parameters")[2].partition("\n## ")[0]
    return [(row[0].strip("`"), row[1], row[3]) for row in _rows(part) if row[0].startswith("`")]


def test_parameters_of_simulated_markets() -> None:
    made = MarketParameters(), Mechanism()
    own = {field.name: getattr(part, field.name) for part in made for field in fields(part)}
    assert {name: said for name, _, said in _parameters()} == {
        name: default if isinstance(default, str) else f"{default:.4g}"
        for name, default in own.items()
    }
    for name, stated, _ in _parameters():
        if name == "dynamics":
            continue
        kind = MarketParameters if name in {f.name for f in fields(MarketParameters)} else Mechanism
        low, _, high = stated.removeprefix("at least ").partition(" to ")
        span = f"between {low} and {float(high):g}" if high else f"of at least {low}"
        wrong: Any = {name: -1e9}
        with pytest.raises(ConfigError) as caught:
            kind(**wrong)
        assert f"parameter {name}: expected a number {span} (" in str(caught.value)


def test_defaults_of_tournaments() -> None:
    part = _text("docs/configuration.md").partition("## `[tournament]`")[2]
    said = {row[0]: row[1] for row in _rows(part.partition("\n## ")[0])}
    asked = TournamentConfig()
    assert said["`placebos`"] == str(asked.placebos)
    assert said["`folds.kind`"] == f"`{asked.folds.kind}`"
    assert said["`folds.groups`, `folds.tested`"] == f"{asked.folds.groups}, {asked.folds.tested}"
    assert said["`folds.embargo`"] == str(asked.folds.embargo)
    assert said["`eras`"] == said["`lockbox`"] == "none"
    assert (asked.eras, asked.lockbox) == ((), None)


def test_notices_are_those_that_are_raised() -> None:
    part = _text("docs/backtest.md").partition("## Notices")[2].partition("\n## ")[0]
    stated = {code for row in _rows(part) for code in re.findall(r"`(\w+)`", row[0])}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "backtest").rglob("*.py")]
    raised = {
        code for text in sources for code in re.findall(r"\bNotice\(\s*(?:code=)?\"(\w+)\"", text)
    }
    apart = {"few_long_sessions", "few_short_sessions", "late_within", "undefined_within"}
    assert stated - apart == raised
    everything = "\n".join(sources)
    assert all(f'"{code}"' in everything for code in apart if "within" in code)
    assert f"fewer than {notices._FEW} sessions of a label" in part


# Single numbers


def test_the_gate_of_the_checks() -> None:
    names = [name for name, check in CHECKS.items() if check.gates and check.about == "chain"]
    assert len(names) == 4
    assert "Four checks are a gate" in _text("docs/guide.md")
    row = next(r for r in _rows(_text("docs/quality.md")) if r[0] == "`error`")
    assert all(f"`{name}`" in row[1] for name in names)


def test_limits_of_the_gate() -> None:
    stated = " ".join(_text("docs/regime-table.md").split())
    for words in (
        f"({100 * gate.COPY_SHARE:g} % of the common contracts unchanged",
        f"{100 * gate.FROZEN_SHARE:g} % of {gate.FEWEST_FROZEN} or more common contracts",
        f"`open_interest_rejected` (above {100 * gate.REJECTED_SHARE:g} %)",
    ):
        assert words in stated


def test_bounds_of_a_statement() -> None:
    rows = {row[0].partition(",")[0]: row[1] for row in _rows(_text("docs/sql.md"))}
    assert rows["time"] == f"{query.SECONDS:g} s"


def test_numbers_of_the_nulls() -> None:
    markets = set(fitted_makes(_seen()))
    stated = _text("docs/hypotheses.md")
    for number, words in (
        (len(PARAMETERS), "{} parameters, each with its range"),
        (SURROGATES, "{} books of customers' trades"),
        (SIMULATIONS, "Per member {} markets"),
        (f"{SURROGATES * TRIED:,}", "{} are drawn"),
        (_BLOCK, "your own sessions in blocks of {}"),
        (f"{COMPATIBLE:g}", "is at most {} passes for yours"),
        (_FEWEST_BOOKS, "({} books at least)"),
        (WINDOW, "ranks within the last {} values"),
    ):
        assert words.format(number) in stated
    assert len(markets) == 5  # two GARCH, stochastic volatility, two states, blocks
    assert "books by six rules of customers" in " ".join(stated.split())
    assert len(CUSTOMERS) == 6


def _seen() -> Observed:
    rng = np.random.default_rng(0)
    log_vol = np.log(0.01) + 0.3 * np.cumsum(rng.standard_normal(600)) / np.sqrt(600)
    ret = np.exp(log_vol) * rng.standard_normal(600)
    return Observed(ret, log_vol, np.log(100.0 * np.sqrt(252.0)) + log_vol)


def test_numbers_of_the_leak_check() -> None:
    stated = " ".join(_text("docs/leaks.md").split())
    within = [association.TOLERATED, association._TOLERATED_ON_AVERAGE, association.SUDDEN,
              association._UNAIDED]  # fmt: skip
    # "rank correlation of .05 ..., .10 ..., .25 ... and .15"
    found = re.search(r"rank correlation of (.*?), its own forecasts", stated)
    assert found
    assert [float(x) for x in re.findall(r"\.\d\d", found[1])] == within
    means = ", ".join(str(h) for h in association._HORIZONS[:-1])
    last = association._HORIZONS[-1]
    assert f"of 1 to {association.LAGS} sessions later and their means over {means} and {last}" in (
        stated
    )
    assert f"Fewer than {association._FEWEST} values are not traced." in stated
    assert f"the level is {100 * LEVEL:g} % for all series and strategies" in stated
    assert f"permutations of blocks of {association._BLOCK} sessions" in stated
    assert f"data that end at {CUTS} sessions" in stated


def test_numbers_of_intervals() -> None:
    stated = " ".join(_text("docs/volatility.md").split())
    mean, slow = intervals.MEANS, intervals.VARIANCES
    assert f"n^(2/3) / {1 / mean.per_root:g}, at least {mean.fewest}" in stated
    assert f"n / {1 / slow.per_session:g}, at least {slow.fewest}: no period under a year" in stated
    assert f"{intervals.COEFFICIENTS.per_root:g} n^(2/3), at least 6; one degree" in stated
    assert [m.lost for m in (slow, intervals.COEFFICIENTS, intervals.CORRELATIONS)] == [1, 1, 1]
    assert f"for fewer than {intervals.FEWEST} sessions in a group" in stated
    common, group = intervals.FEWEST_WINDOWS
    assert f"fewer than {common:g} windows without a common session, or {group:g} in" in stated
    # no level of volatility has an interval, of a strategy or a regime
    named = [f.name for made in (Metrics, VolatilityCell) for f in fields(made)]
    assert not [name for name in named if re.search("volatility_(low|high)|^low$|^high$", name)]


def test_vectorbt_is_behind_one_module() -> None:
    files = [p for room in ("data", "backtest", "strategies", "reports")
             for p in (ROOT / room).rglob("*.py")]  # fmt: skip
    using = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if re.search(r"^\s*(import|from) vectorbt", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert using == {"backtest/execution/engine.py"}


def test_the_oldest_python_is_the_one_stated() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    stated = re.search(r"Python (3\.\d+) or newer", _text("README.md"))
    assert stated
    assert project["requires-python"] == f">={stated[1]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.stem)
def test_files_that_a_document_names_exist(document: Path) -> None:
    """Of the project, or below its tests; NAME stands for the reader's own."""
    rooms = r"(?<![\w/.-])((?:tests|docs|data|backtest|reports|strategies)/[\w./-]+\.(?:py|md|sql))"
    named = re.findall(rooms, document.read_text(encoding="utf-8"))
    gone = [
        name
        for name in named
        if "NAME" not in name and not (ROOT / name).exists() and not (TESTS / name).exists()
    ]
    assert not gone


def test_no_room_imports_what_lies_behind_it() -> None:
    rooms = ["data", "strategies", "backtest", "reports"]
    wrong = []
    for place, room in enumerate(rooms[:-1]):
        later = "|".join(rooms[place + 1 :])
        imports = re.compile(rf"^\s*(?:from|import) gexlab\.(?:{later})\b", re.MULTILINE)
        wrong += [
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / room).rglob("*.py")
            if imports.search(path.read_text(encoding="utf-8"))
        ]
    assert not wrong


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "era-split"])
def test_kill_conditions_have_the_bounds_of_the_card(name: str) -> None:
    """Those that are numbers; 0 is said in words, the level of p is one for all."""
    row = next(row for row in _rows(_text("docs/hypotheses.md")) if row[0] == f"`{name}`")
    said = {abs(float(number)) for number in re.findall(r"-?\d*\.?\d+", row[3])}
    bounds = {abs(r.bound) for r in hypothesis(name).card.requires if not isinstance(r.bound, str)}
    assert bounds - {0.0} <= said


def test_published_numbers_are_first_hand() -> None:
    read = {p.how_read for name in BUILT_IN for p in hypothesis(name).card.published}
    assert read <= {"full text", "abstract", "own computation", "authors' readme"}
    assert not [
        form for form in CROSS_SECTION_FORMS if re.search(r"\d.*second hand", form.published)
    ]


def test_three_commands_read_the_grid() -> None:
    reading = {
        path.parent.relative_to(ROOT).as_posix()
        for room in ("backtest", "data", "reports", "strategies")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"\b(config|settings)\.grid\b", path.read_text(encoding="utf-8"))
    }
    assert reading == {"backtest/grid", "backtest/leaks", "backtest/tournament"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.stem)
def test_tests_that_a_document_names_exist(document: Path) -> None:
    named = set(re.findall(r"([\w/]+\.py)::(test_\w+)", document.read_text(encoding="utf-8")))
    folders = (TESTS, ROOT, ROOT / "tests" / "backtest")
    lost = []
    for path, name in sorted(named):
        files = [folder / path for folder in folders if (folder / path).is_file()]
        if not any(f"def {name}(" in file.read_text(encoding="utf-8") for file in files):
            lost.append(f"{path}::{name}")
    assert not lost
