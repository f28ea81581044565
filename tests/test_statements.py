"""Documents are outputs: what they state can be false, and something has to notice.

``docs/statements.md`` lists statements with the tests that hold them. Tables of defaults and limits
are compared here row by row with what they are the tables of.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import market_simulation as market
import numpy as np
import pytest
from market_model import Costs, Market, Prices, drawn, simulated
from pydantic import BaseModel
from universe_growth import BUDGETS

from gexlab.backtest import components
from gexlab.backtest.grid.section import strategies_in
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
from gexlab.backtest.run.nightly_section import MailConfig, NightlyConfig, WebhookConfig
from gexlab.backtest.run.results import Metrics, VolatilityCell
from gexlab.backtest.run.tournament_section import LedgerConfig, TournamentConfig
from gexlab.backtest.statistics import intervals
from gexlab.backtest.surrogates.cloud import TRIED
from gexlab.backtest.surrogates.customers import CUSTOMERS
from gexlab.backtest.surrogates.parameters import PARAMETERS
from gexlab.backtest.surrogates.returns import _BLOCK, Observed, fitted_makes
from gexlab.data.base.errors import ConfigError
from gexlab.data.exposure import quality_gate as gate
from gexlab.data.quality.messages import CHECKS
from gexlab.data.quality.thresholds import Thresholds
from gexlab.data.regimes import query
from gexlab.data.simulate.worlds.parameters import MarketParameters, Mechanism
from gexlab.strategies import Strategy, make_component
from gexlab.strategies.component import Kind
from gexlab.strategies.filters.ranks import Percentile
from gexlab.strategies.filters.sign import Sign
from gexlab.strategies.rules.returns import Fade, Flat, Follow
from gexlab.strategies.sizings.basic import Fixed

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


def _part(heading: str) -> list[list[str]]:
    """Return the rows of a section of the list, without the head of its table."""
    part = _text("docs/statements.md").partition(f"## {heading}\n")[2]
    return list(_rows(part.partition("\n## ")[0]))[1:]


STATED = _part("Sentences")


def test_there_are_many() -> None:
    """Prints how many are listed, held in tables, and excused by reason (``-rP`` shows it)."""
    assert len(STATED) >= 750
    assert len({(row[0], row[1]) for row in STATED}) == len(STATED)
    tables = _part("Tables")
    excused = Counter(why.partition(":")[0] for _, _, why in _exempt())
    print(  # noqa: T201
        f"{len(STATED)} statements with their tests, {len(tables)} tables of "
        f"{sum(int(row[0]) for row in tables)} rows; excused: "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(excused.items()))
        + f", {len(_part('Measured tables'))} measured tables"
    )


@pytest.mark.parametrize("document", sorted({row[1] for row in STATED}))
def test_statements_stand_in_their_document(document: str) -> None:
    text = " ".join(_text(document).split())
    assert not [row[0] for row in STATED if row[1] == document and row[0] not in text]


# Sentences that are not listed

#: Why a sentence needs no test; the document says what each kind asks of its reason.
_KINDS = ("definition", "description", "measured", "outside")


def _exempt() -> list[tuple[str, str, str]]:
    """Return sentence, document and reason of what needs no test."""
    return [(row[0], row[1], row[2]) for row in _part("Sentences without a test")]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that is held or measured as a whole; ``columns`` are those that its test reads.

    ``rows`` is 0 where they are not counted: those of a measurement that may go on.
    """

    rows: int
    document: str
    head: str
    columns: tuple[str, ...]
    why: str


def _columns(head: str, stated: str) -> tuple[str, ...]:
    """Return the columns of a head that are stated; what else is stated stays as it is."""
    found = [name for name in head.split(" / ") if f", {name}, " in f", {stated}, "]
    return tuple(found) if ", ".join(found) == stated else (stated,)


def _whole_tables() -> list[_Table]:
    rows = [*_part("Tables"), *(["0", *row] for row in _part("Measured tables"))]
    return [_Table(int(r[0]), r[1], r[2], _columns(r[2], r[3]), r[4]) for r in rows]


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Yield the sentences of a document and the rows of its tables, without blocks of code.

    A row comes with the head of its table, a sentence with "".
    """
    paragraph: list[str] = []
    head = ""
    for line in [*re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S).splitlines(), ""]:
        alone = line.startswith(("|", "#"))
        if alone or not line.strip() or re.match(r"\s*([-*]|\d+\.) ", line):
            joined = " ".join(" ".join(paragraph).split())
            for sentence in re.split(r"(?<=[.!?:;])\s+(?=[A-Z`*\[])", joined):
                yield sentence, ""
            paragraph = []
        if line.startswith("|"):  # a heading is a name
            row = line.replace("\\|", "|")
            head = head or row
            yield row, head
        elif not alone:
            paragraph.append(line)
        if not line.startswith("|"):
            head = ""


_WORDS = (
    "never|always|only|every|defaults?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|"
    "seventy|eighty|ninety|hundreds?|thousands?|million|half|twice|dozens?"
)
_TOKEN = re.compile(
    rf"\b(?:{_WORDS})\b|(?<![A-Za-z_\d.,])[-+]?(?:\d+(?:,\d{{3}})*(?:\.\d+)?|\.\d+)(?:e-?\d+)?(?!DTE|[\d_])",
    re.IGNORECASE,
)
#: Code, the targets of links, numbers of lists, and names and units that have a number in them.
_NAMES = re.compile(
    r"`[^`]*`|\]\([^)]*\)|\[decision \d+|^\d+\.(?= |$)|S&P 500|KOSPI 200|Nikkei 225|UTF-8|SHA-256|"
    r"\bper 1 %|\+1 %|\b[Hh]alf[ -]hours?\b|\bhalf of bid to ask\b"
)
#: `docs/cli.md` is generated; a decision is a record of its day, as is the changelog.
_SWEPT = [
    path.relative_to(ROOT).as_posix()
    for path in DOCUMENTS
    if path.name not in ("statements.md", "cli.md") and path.parent.name != "decisions"
]


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _uncovered(sentence: str, listed: list[str]) -> list[str]:
    """Return absolute words, numbers and defaults of a sentence outside every listed part."""
    tokens = list(_TOKEN.finditer(_NAMES.sub(_blank, sentence)))
    if not tokens or any(sentence in words for words in listed):
        return []
    covered: set[int] = set()
    for words in listed:
        start = sentence.find(words)
        while start >= 0:
            covered.update(range(start, start + len(words)))
            start = sentence.find(words, start + 1)
    return [found[0] for found in tokens if not covered.issuperset(range(*found.span()))]


def _without_columns(row: str, head: str, columns: set[str]) -> str:
    """Return a row without the cells that the test of its table reads."""
    names = [cell.strip() for cell in head.split("|")]
    cells = re.split(r"(?<= )\|(?= )|^\||\|$", row)
    kept = [
        "" if place < len(names) and names[place] in columns else cell
        for place, cell in enumerate(cells)
    ]
    return "|".join(kept)


def _unlisted(text: str, listed: list[str], tables: Sequence[_Table] = ()) -> list[str]:
    """Return the sentences with a word or number that no listed statement holds."""
    rest = []
    for sentence, head in _sentences(text):
        columns = {name for table in tables if _is(table, head) for name in table.columns}
        if columns and sentence == head:
            continue
        words = _without_columns(sentence, head, columns) if columns else sentence
        if _uncovered(words, listed):
            rest.append(words)
    return rest


def _is(table: _Table, head: str) -> bool:
    return bool(head) and table.head == _heading(head)


def _heading(head: str) -> str:
    return " / ".join(cell.strip() for cell in head.strip("|").split("|")).strip()


@pytest.mark.parametrize("document", _SWEPT)
def test_sentences_that_can_be_false_are_listed(document: str) -> None:
    """Absolute words, numbers and defaults: each stands in a part that is listed or excused."""
    listed = [row[0] for row in STATED if row[1] == document]
    listed += [words for words, where, _ in _exempt() if where == document]
    tables = [table for table in _whole_tables() if table.document == document]
    assert not _unlisted(_text(document), listed, tables)


def test_an_unlisted_sentence_is_found() -> None:
    text = """# Only a title
A sum. It is **never** 0, unless
`always` says so. Every
row counts: Yes.

- only here
- a third, 5 % of it, per 1 %
1. `b` is 2 unless given; a share of .05
| `x` | always |
```
every
```

| key | default | says |
|---|---|---|
| `y` | 3 | no |
| `z` | 4 | 7 of them |
"""
    table = _Table(2, "", "key / default / says", ("default",), "")
    assert _unlisted(text, ["row counts", "Every row", "a title", "is 2 unless"], [table]) == [
        "It is **never** 0, unless `always` says so.",
        "- only here",
        "- a third, 5 % of it, per 1 %",
        "`b` is 2 unless given; a share of .05",
        "| `x` | always |",
        "| `z` || 7 of them |",
    ]


def test_what_needs_no_test_stands_in_its_document() -> None:
    found = _exempt()
    texts = {where: " ".join(_text(where).split()) for _, where, _ in found}
    assert not [words for words, where, _ in found if words not in texts[where]]
    assert {reason.partition(":")[0] for _, _, reason in found} <= set(_KINDS)
    assert all(reason.partition(": ")[2] for _, _, reason in found)
    assert len({found[:2] for found in found}) == len(found)


_COMMAND = re.compile(r"`((?:gexlab|pytest|python|make) [^`]+)`")


def test_measurements_name_the_command_that_makes_them() -> None:
    """And when it ran: nothing measured is excused without either."""
    reasons = [why for _, _, why in _exempt() if why.startswith("measured:")]
    reasons += [row[3] for row in _part("Measured tables")]
    assert not [why for why in reasons if not _COMMAND.search(why)]
    assert not [why for why in reasons if not re.search(r"\b20\d\d-\d\d(-\d\d)?\b", why)]
    makefile = _text("Makefile")
    for why in reasons:
        for command in _COMMAND.findall(why):
            first, *rest = command.split()
            if first == "make":
                assert re.search(rf"^{rest[0]}:", makefile, re.MULTILINE), command
            for word in rest:
                if word.endswith(".py"):
                    assert (ROOT / word).is_file(), command
            if first == "gexlab":
                assert f"\n## gexlab {rest[0]}\n" in _text("docs/cli.md"), command


def test_tables_held_as_a_whole_stand_in_their_document() -> None:
    for table in _whole_tables():
        rows = [
            row
            for row, head in _sentences(_text(table.document))
            if _is(table, head) and row != head and not set(row) <= set("|- ")
        ]
        assert rows, (table.document, table.head)
        assert len(rows) == table.rows or not table.rows, (table.document, table.head)
        assert set(table.columns) <= set(table.head.split(" / ")), table.head


def test_every_named_test_exists() -> None:
    lost = []
    for row in [*STATED, *_part("Tables")]:
        path, _, name = row[-1].strip("`").partition("::")
        file = TESTS / path
        source = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not re.search(rf"^def {name}\(", source, re.MULTILINE):
            lost.append(row[-1])
    assert not lost


# Tables of defaults


MODELS: dict[str, type[BaseModel]] = {
    "[data]": configuration.DataConfig, "[regime]": configuration.RegimeConfig,
    "[series.NAME]": configuration.SeriesConfig, "[execution]": ExecutionConfig,
    "[inference]": configuration.InferenceConfig, "[nightly]": NightlyConfig,
    "[nightly.webhook]": WebhookConfig, "[nightly.mail]": MailConfig,
    "[ledger]": LedgerConfig, "[tournament]": TournamentConfig,
}  # fmt: skip


def _defaults() -> Iterator[tuple[str, str, str]]:
    """Yield section, key and default of every key of the configuration's document."""
    for part in _text("docs/configuration.md").split("\n## ")[1:]:
        section = part.partition("`")[2].partition("`")[0]
        for row in _rows(part):
            keys = re.findall(r"`([\w.]+)`", row[0])
            values = (
                row[1].split(", ") if len(keys) > 1 and ", " in row[1] else [row[1]] * len(keys)
            )
            yield from ((section, key, said) for key, said in zip(keys, values, strict=True))


def _stands_for(default: Any, stated: str) -> bool:
    """Return whether a cell says a default; one in words, or of the market, says none."""
    literal = re.fullmatch(r"`?\"?([\w.]+)\"?`?", stated)
    if default is None or default in ((), {}):
        return literal is None or stated in ("none", "`out`", "by instrument")
    said = literal[1] if literal else ""
    if isinstance(default, bool):
        return said == str(default).lower()
    return float(said) == default if isinstance(default, int | float) else said == default


def test_defaults_of_the_configuration() -> None:
    """Of every key of every table: models of the sections, strategies, grids, folds."""
    strategy, rank = Strategy("s"), Percentile()
    assert isinstance(strategy.long, Fade)
    assert isinstance(strategy.sizing, Fixed)
    assert (strategy.long.__class__, strategy.short.__class__, strategy.neutral.__class__) == (
        Fade, Follow, Flat,
    )  # fmt: skip
    folds, none = TournamentConfig().folds, object()
    told: dict[tuple[str, str], Any] = {
        ("[[strategies]]", key): value
        for key, value in {
            "name": none,
            "filter": "sign",
            "long": "fade",
            "short": "follow",
            "neutral": "flat",
            "on": "regime",
            "sizing": "fixed",
            "lookback": strategy.long.lookback,
            "scale": strategy.long.scale,
            "window": rank.window,
            "enter": rank.enter,
            "exit": rank.exit,
            "size": strategy.sizing.size,
        }.items()
    }
    for name in ("kind", "groups", "tested", "embargo"):
        told["[tournament]", f"folds.{name}"] = getattr(folds, name)
    assert isinstance(strategy.filter, Sign)
    assert strategy.filter.on == "regime"
    seen = set()
    for section, key, stated in _defaults():
        where = (section, key)
        seen.add(where)
        if section == "[grid]" or key in ("folds", "folds.train", "folds.test"):
            continue  # what is left open is the main strategy's, below; lengths are no defaults
        if where in told:
            assert stated == "required" if told[where] is none else _stands_for(told[where], stated)
        else:
            field = MODELS[section].model_fields[key]
            required = field.is_required()
            assert (stated == "required") == required, where
            assert required or _stands_for(field.default, stated), (where, stated)
    assert set(told) <= seen
    (alone,) = strategies_in({"fees_bps": 0.0}, ROOT)
    for place in ("filter", "long", "short", "neutral", "sizing"):
        assert getattr(alone, place) == getattr(strategy, place)


def test_the_example_of_a_grid_spans_what_it_says() -> None:
    part = _text("docs/configuration.md").partition("## `[grid]`")[2]
    section = tomllib.loads(part.partition("```toml\n")[2].partition("```")[0])["grid"]
    made = len(strategies_in(section, ROOT)) * len(section["fees_bps"])
    assert f"(1 + 2 + 3) filters x (1 + 2) rules x 3 costs: {made} trials." in part


def _limits() -> list[tuple[str, str, str, str]]:
    """Return name, severity, limit and words of every check in the document of the quality."""
    names = {field.name for field in fields(Thresholds)}
    return [
        (row[0].strip("`"), row[1], row[2], row[3])
        for row in _rows(_text("docs/quality.md"))
        if row[0].strip("`") in names
    ]


def test_budgets_of_a_universe() -> None:
    """Those that `bench_universe.py --growth` holds commands against."""
    rows = _rows(_text("docs/scaling.md").partition("## Memory\n")[2].partition("\n## ")[0])
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for command, alone, client, worker in list(rows)[1:]:
        name = command.split("`")[1]
        found[name, 1] = int(alone), 0
        if client:
            found[name, 2] = int(client), int(worker)
    assert found == BUDGETS


def test_a_market_is_simulated_as_stated() -> None:
    """What things cost is what `make scaling` reckons with, and the tables are what it prints."""
    rows = [row for row in _rows(_text("docs/scaling.md")) if row]
    stated = {row[0].strip("`"): row[1:] for row in rows if len(row) in (2, 3)}
    for key in ("task", "start", "first", "held_file", "at_once", "client_at_once"):
        assert float(stated[key][0]) == getattr(market.STATED, key), key
    for field in fields(Costs):
        both = [
            getattr(market.STATED.ingest, field.name),
            getattr(market.STATED.rebuild, field.name),
        ]
        assert [float(cell) for cell in stated[field.name]] == both, field.name
    printed = [
        market.line(
            command,
            simulated(
                command, Market(drawn(market.SIZES, 6000, 1, total)), market.STATED, Prices(), n
            ),
        )
        for total in (None, 1.5e6)
        for command in ("ingest", "rebuild")
        for n in (1, 4, 16, 64, 256)
    ]
    said = re.findall(
        r"^\| `(?:ingest|rebuild)` \| \d+ \| \d+ \| \d+\..*$", _text("docs/scaling.md"), re.M
    )
    assert said == printed


def test_limits_of_the_checks() -> None:
    assert {name for name, *_ in _limits()} == {field.name for field in fields(Thresholds)}
    for name, severity, limit, words in _limits():
        check = CHECKS[name]
        value = "there or not" if check.value == "1" else check.value
        assert float(limit) == Thresholds().limit(name), name
        assert severity == check.severity, name
        assert words == f"{check.meaning} ({value})", name


def test_components_are_those_that_the_command_lists() -> None:
    """With what each does and reads, and its parameters with their defaults."""
    listed = {e.name: e for kind in ("filters", "rules", "sizings") for e in components(kind)}
    rows = {r[0].strip("`"): r for r in _rows(_text("docs/components.md")) if len(r) == 4}
    assert set(listed) == set(rows) - {"name"}
    for name, entry in listed.items():
        _, does, stated, reads = rows[name]
        said = dict(re.findall(r"`(\w+)` \(([^)]*)\)", stated))
        own = make_component(_KINDS_OF[entry.kind], name).parameters()
        assert said == {key: _shown(default) for key, default in own.items()}, name
        assert does == entry.does
        if "of" in own:
            assert reads == "the filters named"
        else:
            assert reads == (", ".join(sorted(entry.inputs)) or "–"), name


_KINDS_OF: dict[str, Kind] = {"filters": "filter", "rules": "rule", "sizings": "sizing"}


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
