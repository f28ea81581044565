"""Numbers in the documents are those of the code that they speak of.

Each line below is a document's words with the constants of the code in them; ``docs/statements.md``
lists the same words with this test.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import property_search
import pytest
from golden_peers import ROWS
from planted_bars import BAR_DEFECTS, SERIES_DEFECTS
from planted_defects import DEFECTS

from gexlab.backtest import VARIANTS
from gexlab.backtest.calibration import hypotheses as calibrated
from gexlab.backtest.calibration import intervals as coverage
from gexlab.backtest.calibration import return_kinds
from gexlab.backtest.calibration import worlds as calibrated_worlds
from gexlab.backtest.execution import terms
from gexlab.backtest.hypotheses import (
    cross_section,
    datasets,
    era_split,
    evidence,
    few,
    kill_conditions,
    pin_distance,
    vendor_parity,
)
from gexlab.backtest.hypotheses import run as hypotheses_run
from gexlab.backtest.hypotheses import test as hypothesis_test
from gexlab.backtest.hypotheses.registry import hypothesis
from gexlab.backtest.leaks import association, recomputation
from gexlab.backtest.run import fragility, soundness, trials
from gexlab.backtest.run.config_sections import InferenceConfig
from gexlab.backtest.run.execution_section import ExecutionConfig
from gexlab.backtest.run.nightly_section import NightlyConfig
from gexlab.backtest.run.tournament_section import TournamentConfig
from gexlab.backtest.statistics import intervals
from gexlab.backtest.statistics.diagnostics import magnitude, measures
from gexlab.backtest.surrogates import cloud, moments, returns
from gexlab.backtest.tournament import breakdown, contest, counting, judgement, verdicts
from gexlab.backtest.tournament import rows as tournament_rows
from gexlab.data.base.schema import BOOKS
from gexlab.data.exposure import (
    chain_volatility,
    definition_agreement,
    forwards,
    variance_swap,
)
from gexlab.data.exposure import implied_volatility as solving
from gexlab.data.exposure.definition import Definition
from gexlab.data.ingest import files, read_rows
from gexlab.data.lake import data_files, parts, s3_client, sql_worker
from gexlab.data.lake.connection import connect
from gexlab.data.peers.rules import PEER_RULES
from gexlab.data.quality import bar_checks, series_checks
from gexlab.data.quality.messages import CHECKS
from gexlab.data.regimes import query, session_blocks
from gexlab.data.simulate.worlds.registry import world_named
from gexlab.data.tables import dealer_expressions, rates
from gexlab.reports.cli.commands import sql as sql_command
from gexlab.reports.terminal import output
from gexlab.strategies.lateness import _TOLERATED
from gexlab.strategies.rules import returns as rules

ROOT = Path(__file__).resolve().parents[1]
#: Rounds of `robustness/test_planted_defects.py`.
ROUNDS = int(
    re.findall(
        r"^ROUNDS = (\d+)", (ROOT / "tests/robustness/test_planted_defects.py").read_text(), re.M
    )[0]
)
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
_WORDS = f"zero one two three four five six seven eight nine ten eleven twelve {_TEENS}".split()


def _w(number: float) -> str:
    """Return a number in words."""
    return _WORDS[int(number)]


def _h(share: float) -> str:
    """Return "half" where it is one."""
    return "half" if share == 0.5 else "?"


def _p(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:g}"


def _d(number: float) -> str:
    """Return a decimal without the 0 before its point."""
    return f"{number:g}".lstrip("0")


def _of_guides() -> Iterator[tuple[str, str]]:
    for line in (
        f"one-session returns of the last {rules.VOLATILITY_WINDOW} sessions",
        f"fewer than {_w(fragility._FEW)} observations decide",
        f"public too late in more than {_h(_TOLERATED)} of the sessions tested",
    ):
        yield "docs/backtest.md", line
    default = Definition()
    for line in (
        f"at most {dealer_expressions._LONGEST:,} characters and "
        f"{dealer_expressions._DEEPEST} levels",
        f"beyond +-{rates._LARGEST_RATE:g} it is taken for a percentage and refused",
        f"continuous, decimal a year, {default.rate:g} unless given",
    ):
        yield "docs/exposure.md", line
    per = {name: rule.levels for name, rule in PEER_RULES.items()}
    published = [row[1][0] for row in ROWS if row[1][0] is not None]
    for line in (
        f"on {per['perfiliev']:,}, {per['perfiliev-60']} or {per['perfiliev-30']} levels",
        f"{per['jensolson']} levels, monotone interpolation",
        f"contracts weighted by min(1, days / {PEER_RULES['zerogex'].weight_days:g})",
        f"published methods range from {min(published):.1f} to {max(published):.1f} $bn",
    ):
        yield "docs/peer-definitions.md", line
    chain = [name for name, check in CHECKS.items() if check.about == "chain"]
    tens = {30: "thirty", 40: "forty", 50: "fifty"}
    yield "docs/guide.md", f"and some {tens[round(len(chain) - 5, -1)]} more"
    yield "docs/guide.md", f"There are {_w(len(BOOKS))} books:"
    yield "README.md", f"move net GEX from {min(published):.0f} to {max(published):.0f} $bn"


def _of_the_lake() -> Iterator[tuple[str, str]]:
    limit = inspect.signature(connect).parameters["memory_limit"].default
    yield "docs/lake.md", f"DuckDB may use {'half' if limit == '50%' else limit} of it"
    yield "docs/lake.md", f"for {_w(s3_client._PATIENCE / 60)} minutes at most."
    half = "half a million" if 5e5 <= parts.PART_ROWS < 6e5 else "?"
    for line in (
        f"(about {round(parts._GROUP_ROWS, -4):,} rows)",
        f"about {half} rows, and is named by",
        f"outside {solving.LOWEST_VOLATILITY:g} ... {solving.HIGHEST_VOLATILITY:g}, kept",
        f"more than {files._MAX_GROWTH} times its size (and {files._ALLOWANCE >> 20} MB)",
        f"one piece of about {round(read_rows._PIECE_ROWS, -4):,} rows",
    ):
        yield "docs/lake.md", line
    for line in (
        f"| {query.SECONDS:g} s | `--timeout SECONDS` |",
        f"{query.MEMORY >> 30} GB for DuckDB, {sql_worker._BESIDE >> 30} GB more",
        f"{sql_command._MOST_JSON / 1e9:g} GB of text",
    ):
        yield "docs/sql.md", line
    most = NightlyConfig().compact_after
    yield "docs/nightly.md", f"lie in more than {most} files (`compact_after`)"
    yield "docs/outputs.md", f"where that is a number, else {output._USUAL}."
    blocks = "half a million" if 5e5 <= session_blocks._MOST_ROWS < 6e5 else "?"
    yield "docs/performance.md", f"blocks of up to {blocks} rows"
    yield "docs/verification.md", f"on {property_search.TIMES} times as many random ones"
    (mutants,) = re.findall(
        r"\"--number\", type=int, default=(\d+)",
        (ROOT / "tests" / "mutation" / "mutants.py").read_text(encoding="utf-8"),
    )
    yield "docs/verification.md", f"`make mutants` puts {mutants} wrong operators"
    yield "docs/regime-table.md", f"{_w(data_files.DIGITS)} digits of everything below"


def _of_the_regime_table() -> Iterator[tuple[str, str]]:
    default = Definition()
    furthest, narrow = chain_volatility._FURTHEST_DAYS, variance_swap._NARROWEST
    coarse, fewest = variance_swap._COARSEST, variance_swap._FEWEST

    # of a normal law's variance, beyond so many deviations on one side
    beyond = (1 + narrow**2) * math.erfc(narrow / math.sqrt(2)) / 2 - narrow * math.exp(
        -(narrow**2) / 2
    ) / math.sqrt(2 * math.pi)
    agreeing = 2 * 2 * len(definition_agreement._FLOORS) * len(definition_agreement._SOURCES)
    shorter, longer = definition_agreement._FLOORS
    for line in (
        f"over the {forwards._MOST_STRIKES} strikes nearest to spot, within "
        f"{_p(forwards._WIDEST_LOG_DISTANCE)} % of it in logs",
        f"at least {forwards._FEWEST_STRIKES}.",
        f"further than {forwards._GUARD_CONSTANT:g} + {forwards._GUARD_PER_YEAR:g} T_q (in logs)",
        f"lies in {solving.LOWEST_VOLATILITY:g} ... {solving.HIGHEST_VOLATILITY:g}, else solved",
        f"repriced at {default.grid_points} levels, even in logs, from "
        f"{_p(default.grid_width)} % below spot to {_p(default.grid_width)} % above",
        f"is below the band, {default.band:g}",
        f"share of {agreeing} definitions",
        f"a floor of {shorter:g} minutes or {longer / 1440:g} day",
        f"volatility of a {chain_volatility.DAYS:g}-day variance swap",
        f"volatility at the forward, {chain_volatility.DAYS:g} days ahead",
        f"over those of {chain_volatility._YEAR_DAYS:g} days",
        f"**{chain_volatility.DAYS:g} days.** Total variance is linear in time between the last "
        f"expiration up to {chain_volatility.DAYS:g} days and the first one after it, of at most "
        f"{furthest:g} days",
        f"fewer than {_w(fewest)} quotes count on a side; where they reach less than {narrow:g} "
        f"standard deviations ({100 * beyond:.0f} % of the variance lies beyond)",
        f"more than {coarse:g} standard deviations apart, which overstates the volatility by a "
        f"twelfth of the distance squared, {100 * coarse**2 / 12:g} %",
        f"fewer than {_w(5 * datasets._ENOUGH)} sessions in five have it",
    ):
        yield "docs/regime-table.md", line
    yield "docs/performance.md", f"the {agreeing} definitions of `definition_agreement`"


def _of_hypotheses() -> Iterator[tuple[str, str]]:
    count = hypothesis_test.SURROGATES
    trends, card = moments._TRENDS, hypothesis("close-reversal").card
    usual = max(set(moments.SCALES), key=list(moments.SCALES).count)
    several = ", ".join(map(str, trends[:-1]))
    lags = [name.split()[-1] for name in moments.MOMENTS if name.startswith("autocorrelation")]
    for line in (
        f"fewer than {_w(few._FEW)} sessions, the most influential first",
        f"below {pin_distance._FEWEST} expirations: attraction t of at most "
        f"{kill_conditions.CRITICAL_T:g}",
        f"may reach {_d(era_split._MARGIN)} (half of the published one)",
        f"lies within {_d(era_split._MARGIN)}, or the weakest era's slope",
        f"of a kappa above {_d(vendor_parity._LEAST)}",
        f"fewer than {hypotheses_run._FEWEST_SESSIONS} sessions of scores",
        f"{count} books of customers' trades",
        f"({count} books, {hypothesis_test.SIMULATIONS} markets of each make):",
        f"{count * cloud.TRIED:,} are drawn, {_h(1 / cloud._ROUNDS)} of them anywhere",
        f"in stated units ({_d(usual)}0 of a correlation, say)",
        f"correlation with volatility and with the return of {several} and {trends[-1]} sessions",
        f"autocorrelation over {lags[0]}, {lags[1]} and {lags[2]} sessions",
        "the same, of three slopes jointly" if "t + 1 ... t + 3" in card.specification else "?",
        f"your own sessions in blocks of {returns._BLOCK}",
        f"(a median distance above {evidence.COMPATIBLE:g}, say)",
        f"fewer than {cross_section._FEW_DATES} sessions or {cross_section._FEW_NAMES} names",
        f"fewer markets than one over the level ({1 / 0.05:g} at 5 %)",
    ):
        yield "docs/hypotheses.md", line


def _of_leaks() -> Iterator[tuple[str, str]]:
    five, ten, month = association._HORIZONS
    for line in (
        f"the series' last {_w(len(association._WEEK))} values taken out",
        f"of 1 to {association.LAGS} sessions later and their means over {five}, {ten} and {month}",
        f"against volume of the next {_w(five)}",
        f"permutations of blocks of {association._BLOCK} sessions",
        f"decisions recomputed on data that end at {recomputation.CUTS} sessions, half of them",
        f"too late in more than {_h(_TOLERATED)} of the sessions tested",
    ):
        yield "docs/leaks.md", line


def _of_tournaments() -> Iterator[tuple[str, str]]:
    asked = TournamentConfig()
    for line in (
        f"(nested regression), both at {_p(verdicts.LEVEL)} %",
        "with a power of 80 %, what the best of as many trials without skill shows in one draw "
        f"of {_w(1 / judgement._LEVEL)}",
        f"A series is known by its first {trials._HEAD} values",
        f"correlation of one {_h(counting._ALIKE)};",
    ):
        yield "docs/tournament.md", line
    assert round(0.5 * math.erfc(-judgement._POWER_QUANTILE / math.sqrt(2)), 12) == 0.8
    for line in (
        f"with less than {_w(contest._LONG_SAMPLE)} years of data a third of the sessions, and six "
        "tests",
        f"as a multiple of equity, up to {terms_limit():g}; above 1 money is borrowed",
        f"an ES contract is {terms.LOTS['ES'].units:g} units, MES {terms.LOTS['MES'].units:g}, a "
        f"SPY share {terms._SPY_ON_INDEX:g}",
    ):
        yield "docs/configuration.md", line
    yield "docs/outputs.md", "found with a power of 80 %"
    assert breakdown._BEST == tournament_rows._SHOWN
    yield "docs/outputs.md", f"survivors and the {_w(tournament_rows._SHOWN)} best: by era"
    yield "docs/outputs.md", f"without each year and the {_w(breakdown._BEST)} best sessions"
    yield "docs/backtest.md", f"a tournament with fewer than {asked.placebos} placebos"


def terms_limit() -> float:
    """Return the largest leverage that the configuration allows."""
    (limit,) = [
        m.le for m in ExecutionConfig.model_fields["max_leverage"].metadata if hasattr(m, "le")
    ]
    return float(limit)


def _of_bars() -> Iterator[tuple[str, str]]:
    b, s = bar_checks, series_checks
    half = "half" if b._OUTSIDE == soundness._OFF_CLOSE == 0.5 else "?"
    for line in (
        f"more than {b._SHADOW:g} (intraday {b._SHADOW_INTRADAY:g}) usual ranges beyond open and "
        "close; open or close lie outside low ... high by more than "
        f"{_h(b._OUTSIDE)} of one; up to {_w(b._LONGEST)} bars lie between a "
        f"jump and the jump back; all four prices are those of the bar before (intraday: "
        f"{_w(b._STUCK)} bars in a row)",
        f"more than {b._SHADOW_AROUND:g} usual ranges (of the {b._FEW} bars on both sides) beyond "
        f"open and close; a flat bar among the first {b._SOME}; a jump of more than "
        f"{_w(b._JUMP)} usual ranges among the last {_w(b._LONGEST)} bars",
        f"Such a jump is of more than {_w(b._JUMP)} usual ranges, intraday also of more than "
        f"{_w(b._JUMP_TYPICAL)} ranges typical of all bars so far, and of "
        f"{_d(100 * b._JUMP_LEAST)} %",
        f"an overnight factor of {math.exp(b._SCALE):g} or more (and {_w(b._STAYS)} usual ranges)",
        f"at most {_p(b._USUAL)} % of the {b._YEAR} bars up to it do ({b._SOME} at least)",
        f"for longer than one file in {1 / b._CHANCE:,.0f} would have it",
        f"volume 0, where at most {_p(b._USUAL)} % of the bars have it",
        f"by less than {half} a usual range",
        f"more than {half} a usual daily range from the daily close",
        f"(rank correlation below {soundness._ALIKE:g}, {soundness._FEWEST_MOVES} sessions or "
        "more)",
        "more than 20 % of the opens are the close before",
        f"{len(DEFECTS)} kinds of defect, {_w(ROUNDS)} of each, planted at random into clean "
        f"sessions: all {len(DEFECTS) * ROUNDS} caught; 40 clean markets of six sessions stay "
        "under 2 % false alarms",
        f"{_w(len(BAR_DEFECTS))} kinds of defect (single digits, lost digits, decimal shifts, "
        "swapped fields, splits of twelve ratios, stale runs, duplicated and missing sessions, "
        f"other instruments, flat bars), twenty of each, planted at random into a year of bars: "
        f"all {20 * len(BAR_DEFECTS)} are found",
        f"{_w(len(SERIES_DEFECTS))} kinds, 34 of each ({34 * len(SERIES_DEFECTS)})",
        f"more than {s._SPIKE:g} usual changes from both neighbours, on one side ({s._SHIFTED:g} "
        "where it is about ten, a hundred or a thousand times them)",
        f"sizes change by a factor of {s._UNIT:g} and stay",
        f"the median range of the {b._FEW} bars up to it",
    ):
        yield "docs/quality.md", line


def _of_statistics() -> Iterator[tuple[str, str]]:
    assumed = magnitude.ImpactAssumptions()
    share, again = return_kinds._SHORT, return_kinds._REDRAWN
    for line in (
        f"share of breaks of the {measures.BREAKOUT_WINDOW}-session range",
        f"With ${assumed.dollar_volume / 1e9:.0f}bn a day, {_p(assumed.daily_volatility)} % a day "
        f"and Y = {assumed.coefficient:g}",
    ):
        yield "docs/volatility.md", line
    for line in (
        f"{calibrated._SESSIONS:,} sessions each from 2018-01-02 on",
        f"come in spells of {1 / again / (1 - share):.0f} and {1 / again / share:.0f} sessions on "
        "average",
        f"{_p(return_kinds._SHORT)} % of sessions are short. {_p(coverage.REQUIRED)} % is required",
        f"Sharpe ratio of a strategy, true value {return_kinds._SHARPE:g} a year.",
    ):
        yield "docs/calibration.md", line
    decay = 100 * (1 - intervals.COEFFICIENTS.decay)
    yield (
        "docs/volatility.md",
        f"decays by {decay:.0f} % a session; it is put right, never below 1.",
    )
    yield "docs/guide.md", f"the interval ({_p(InferenceConfig().level)} % unless"
    # one over the root of ten years
    yield "docs/backtest.md", f"ratio over ten years is about {np.sqrt(1 / 10):.1f}:"


STATED = [
    *_of_guides(), *_of_the_lake(), *_of_the_regime_table(), *_of_hypotheses(), *_of_leaks(),
    *_of_tournaments(), *_of_bars(), *_of_statistics(),
]  # fmt: skip


@pytest.mark.parametrize("document", sorted({document for document, _ in STATED}))
def test_numbers_are_those_of_the_code(document: str) -> None:
    text = " ".join((ROOT / document).read_text(encoding="utf-8").split())
    assert not [words for where, words in STATED if where == document and words not in text]


def test_these_are_the_ones_that_are_listed() -> None:
    rows = [row for row in _rows("docs/statements.md") if "::" in row[-1]]
    name = f"`{Path(__file__).name}::{test_numbers_are_those_of_the_code.__name__}`"
    listed = {(row[1], row[0]) for row in rows if row[-1] == name}
    assert listed == {(where, words.replace("|", "\\|")) for where, words in STATED}


# One document quotes another


def _text(name: str) -> str:
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def _rows(name: str) -> list[list[str]]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [
        [c.strip() for c in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in lines
        if line[:1] == "|"
    ]


def test_one_document_quotes_another_rightly() -> None:
    """Sizes and powers that prose repeats are those of the tables of calibration.md."""
    rows = _rows("docs/calibration.md")
    size = {r[0].strip("`"): r for r in rows if len(r) == 8 and r[1].isdigit() and "**" in r[2]}
    split, product = size["momentum-split"], size["momentum-interaction"]
    damping = size["vol-damping"]
    assert split[1] == product[1] == damping[1]

    def share(cell: str) -> str:
        return cell.strip("*").partition(" ")[0]

    stated = _text("docs/hypotheses.md")
    for words in (
        f"Of {split[1]} markets without dealers Newey-West's t of it exceeds 1.96 in "
        f"{share(split[3])} % (`momentum-split`) and {share(product[3])} %",
        f"rejects in {share(split[2])} and {share(product[2])} %, whose intervals hold 5",
        f"beyond 1.96 in size in {float(share(damping[3])):g} % of {damping[1]} samples",
    ):
        assert words in stated
    for cell in (split[2], product[2]):
        low, high = re.findall(r"[\d.]+", cell.partition("(")[2])
        assert float(low) <= 5.0 <= float(high)
    (wins,) = [r for r in rows if "does the true strategy win?" in r[0]]
    (needed,) = [r[-1] for r in rows if r[0] == "1.00" and len(r) == 7]
    population = 0.118 * math.sqrt(2 / math.pi) * math.sqrt(252)
    stated = _text("docs/tournament.md")
    for words in (
        f"wins in {float(share(wins[2])):.0f} % of {wins[1]} markets; a Sharpe ratio of 1.00 would "
        f"need {needed} years for 80 %",
        f"has a population Sharpe ratio of {population:.2f}",
        "selection among sixty entries included, on ten years of a simulated market",
    ):
        assert words in stated
    powers = [
        [
            share(r[4]).removesuffix(".0")
            for r in rows
            if len(r) == 9 and r[:2] == ["S1", f"`{name}`"]
        ]
        for name in (
            "vol-damping",
            "beyond-leverage",
            "fragility-tail",
            "sign-audit",
            "flip-placebo",
        )
    ]
    assert all(len(power) == 3 for power in powers)
    first, *others = (
        f"{a}, {b} and {c}{' %' if i == 0 else ''} for" for i, (a, b, c) in enumerate(powers)
    )
    stated = _text("docs/calibration.md").partition("(S1 in the tables above: ")[2]
    assert stated.startswith(f"{first} `vol-damping`, {others[0]} `beyond-leverage`")
    assert all(words in stated[:260] for words in others)
    assert "sixty entries, selection included, 300 placebos, 1,000 draws, ten years" in _text(
        "docs/calibration.md"
    )


def test_power_of_the_tournament_is_the_stated_formula() -> None:
    """N(a t - b), t normal around ratio x root of the years judged: one less than there are."""
    text = _text("docs/calibration.md")
    found = re.search(r"N\(([\d.]+) t - ([\d.]+)\)", text)
    assert found
    slope, shift = float(found[1]), float(found[2])
    wide = math.sqrt(1 + slope**2)
    rows = [r for r in _rows("docs/calibration.md") if len(r) == 7 and re.match(r"\d\.\d\d$", r[0])]
    assert len(rows) == 5
    for row in rows:
        ratio = 1.4946 if row[0] == "1.49" else float(row[0])
        for years, cell in zip((5, 10, 15, 20, 30), row[1:6], strict=True):
            mean = (slope * ratio * math.sqrt(years - 1) - shift) / wide
            assert float(cell) == pytest.approx(50 * math.erfc(-mean / math.sqrt(2)), abs=1.0)
        needed = 1 + ((0.8416212 * wide + shift) / slope / ratio) ** 2
        assert float(row[6]) == pytest.approx(needed, abs=1.0)


_SHARE = re.compile(r"(?<![\d.])(-?[\d.]+) \((-?[\d.]+) to ([\d.]+)\)")


def _wilson(hits: int, count: int) -> tuple[float, float, float]:
    z, p = 1.959963984540054, hits / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2) / (1 + z * z / count)
    return 100 * p, 100 * (centre - half), 100 * (centre + half)


def _counts(row: list[str], cell: str) -> list[int]:
    """Return how many markets a share may be of: its row or the document's words say so."""
    samples, of = re.search(r" x[\d.]+", cell), re.search(r" of (\d+)", cell)
    if samples and of:  # of 1,000, the percentage that has an interval
        return list(range(10 * int(of[1]) - 5, 10 * int(of[1]) + 6))
    if samples:
        return list(range(995, 1001))
    stated = [int(c) for c in row[1:3] if c.isdigit() and int(c) > 4]
    return stated[:1] or [100, 400]


def test_shares_of_calibration_are_counts_with_their_wilson_intervals() -> None:
    """Every share of every table is a whole number of its markets, and its interval Wilson's."""
    wrong, counted = [], 0
    for row in _rows("docs/calibration.md"):
        for cell in row:
            for said in _SHARE.findall(cell):
                unit = 0.51 * 10.0 ** -len(said[0].partition(".")[2]) + 1e-9
                shares = [
                    _wilson(hits, n)
                    for n in _counts(row, cell)
                    for near in [round(float(said[0]) * n / 100)]
                    for hits in range(max(near - 1, 0), min(near + 1, n) + 1)
                ]
                alike = [
                    all(abs(a - float(b)) <= unit for a, b in zip(one, said, strict=True))
                    for one in shares
                ]
                counted += 1
                if not any(alike):
                    wrong.append((row[:2], cell))
    assert not wrong
    assert counted > 500


def test_prose_of_performance_quotes_its_table() -> None:
    figures = {r[0]: r[1] for r in _rows("docs/performance.md") if len(r) == 3}
    text = _text("docs/performance.md")
    scan = figures["numpy repricing over the plain scan"]
    assert text.count(f" {scan} times ") == 2
    kernel = figures["numpy repricing over our profile kernel, one thread each"]
    whole = figures["numpy repricing over the whole regime table, reading included"]
    assert f"The kernel alone is {kernel} times faster; the whole table" in text
    assert f"included, {whole} times." in text


def test_variants_are_described_as_they_are() -> None:
    """Each in the words that the page is written with, and with the numbers in them."""
    text = _text("docs/calibration.md")
    for name, variant in VARIANTS.items():
        assert f"- **{name}**: {variant.meaning}." in text
    strong, wait = VARIANTS["S1-strong"], VARIANTS["S3-transient"]
    assert (strong.impact, strong.parameters["call_share"]) == (1.4, 0.4)
    assert (wait.impact, dict(wait.parameters)) == (1.4, {"close_share": 1.0, "permanent": 0.0})
    plain = world_named("S3").visible[1]
    assert (plain.close_share, round(1 - plain.permanent, 9)) == (0.5, 0.6)
    funds = VARIANTS["S7-varying"].parameters["close_share"]
    assert (calibrated_worlds._FUNDS_SWING, calibrated_worlds._FUNDS_MEMORY) == (0.5, 0.97)
    assert funds * 0.15 == pytest.approx(0.10)


def test_kinds_of_returns_are_described_as_they_are() -> None:
    text = _text("docs/calibration.md")
    for name, kind in return_kinds.KINDS.items():
        assert f"- `{name}`: {kind.meaning}" in text
    clustered, wild = return_kinds.KINDS["garch"], return_kinds.KINDS["gjr-t"]
    assert (clustered.news, clustered.memory) == (0.08, 0.90)
    assert (wild.news, wild.losses, wild.memory) == (0.0, 0.28, 0.83)
    assert return_kinds.KINDS["autocorrelated"].lag == 0.3


#: What verification.md says of the tolerances, and where each stands in a test.
_TOLERANCES = (
    ("mpmath at 50 digits", "1e-11 relative", "data/exposure/test_greeks.py", "< 1e-11"),
    ("the price at 50 digits", "1e-9;", "data/exposure/test_greeks.py", "wanted, rel=1e-9"),
    ("the price at 50 digits", "1e-10;", "data/exposure/test_greeks.py", "theirs, rel=1e-10"),
    ("strikes from half to 1.6", "1e-10", "regressions/test_peer_bugs.py", "sigma, rel=1e-10"),
    ("another implementation", "1e-9 of gross", "twin/expected_tables.py", "1e-9 if engine"),
    ("a readable twin", "roots 1e-8", "data/exposure/test_engine_against_twin.py", "rel=1e-8"),
    ("the twin, at each of", "1e-12", "data/exposure/test_engine_against_twin.py", "1e-12 * gross"),
    ("18 methods", "digit", "data/peers/test_golden_peers.py", "round(row.net_gex / 1e9, 3)"),
)


@pytest.mark.parametrize(("against", "to", "file", "source"), _TOLERANCES)
def test_tolerances_are_those_of_the_tests(against: str, to: str, file: str, source: str) -> None:
    rows = [r for r in _rows("docs/verification.md") if len(r) == 3 and against in r[1]]
    assert rows
    assert all(to in row[2] for row in rows)
    assert source in (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert len(ROWS) == 18
