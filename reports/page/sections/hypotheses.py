"""Tested claims as a page: the verdicts first, then every claim with its source and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..charts import axis, dots, figure, layout, rounded
from ..formats import DASH, count, fixed, interval, interval_heading, is_defined, joined, plural
from ..palette import token
from ..views import Column, Fact, Figure, Page, Row, Section, Table, text_column
from .null_routes import cloud_figure, family_table, routes_table

if TYPE_CHECKING:
    from ....backtest import HypothesesResult, HypothesisResult, Outcome, Published
    from ....backtest import ResultTable as Tested
    from ..views import Tone

__all__ = ["hypotheses_page", "number", "verdicts_table"]

_TIERS = {
    "D": "daily bars and GEX",
    "C": "option chains",
    "M": "intraday bars",
    "S": "signed open-close data",
}


def hypotheses_page(result: HypothesesResult) -> Page:
    """Return the page of a run of hypotheses."""
    mark = "SIMULATED: " if result.simulated else ""
    counts = joined(f"{n} {name}" for name, n in result.counts.items() if n)
    tests = plural(len(result.results), "claim")
    return Page(
        title=f"{mark}{result.underlying}: claims about dealer hedging",
        heading=f"{result.underlying}: {tests} about dealer hedging",
        summary=f"{counts[:1].upper()}{counts[1:]}, on {plural(result.sessions, 'session')} with "
        "GEX.",
        simulated=result.simulated,
        sections=(_overview(result), *(_claim(found) for found in result.results)),
    )


def _overview(result: HypothesesResult) -> Section:
    text = [
        "Supported means that the data pass the claim's own kill condition, stated below before "
        "the numbers; not supported is an answer, not a failure. t statistics use "
        "autocorrelation-robust errors; an estimate without an interval has too few sessions for "
        "one.",
    ]
    if result.corrected:
        text.append(
            "q is the p-value adjusted for the number of claims (Benjamini and Hochberg); the "
            "stepdown (Romano and Wolf) keeps the chance of a single false claim at 5 %."
        )
    figures = (_figure(result),) if any(r.outcome for r in result.results) else ()
    return Section("verdicts", "Verdicts", tuple(text), (), figures, (verdicts_table(result),))


def _figure(result: HypothesesResult) -> Figure:
    """Return the t statistics of all tested claims, signed by what each claim expects."""
    tested = [r for r in result.results if r.outcome is not None][::-1]
    names = [r.card.name for r in tested]
    data = []
    for word, colour, symbol in (("supported", "good", "circle"), _NOT):
        x = [_oriented(r) if r.verdict == word else None for r in tested]
        hover = {"hovertemplate": "%{y}: t = %{x:.2f}<extra></extra>"}
        data.append(dots(rounded(x), names, word, colour, symbol) | hover)
    critical = [
        {
            "type": "line",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": token("muted"), "width": 1, "dash": dash},
        }
        for x, dash in ((0.0, "solid"), (1.96, "dot"))
    ]
    shape = layout(
        xaxis=axis("t statistic in the claimed direction"),
        yaxis=axis(type="category"),
        shapes=critical,
        hovermode="closest",
    )
    caption = (
        "To the right: in the claimed direction. The dotted line is 1.96; some claims are held "
        "against a larger, simulated value."
    )
    height = 110 + 26 * len(names)
    supported = sum(r.verdict == "supported" for r in tested)
    title = f"{count(supported)} of {plural(len(tested), 'tested claim')} supported."
    return Figure("fig-claims", title, caption, figure(data, shape), height)


_NOT = ("not supported", "series-6", "diamond")


def _oriented(result: HypothesisResult) -> float | None:
    if result.outcome is None or not is_defined(result.outcome.t_stat):
        return None
    return -result.outcome.t_stat if result.card.expected_sign == "-" else result.outcome.t_stat


def verdicts_table(result: HypothesesResult) -> Table:
    """Return one row per claim: verdict, estimate, interval, p-value and the published number."""
    columns = [
        text_column("Claim"),
        text_column("Verdict"),
        Column("Estimate"),
        Column(interval_heading(result.level)),
        Column("t"),
        Column("p"),
        Column("n"),
        Column("Published"),
    ]
    if result.corrected:
        columns[6:6] = [Column("q"), text_column("Stepdown")]
    rows = tuple(_verdict_row(r, corrected=result.corrected) for r in result.results)
    return Table("tab-claims", "Claims and verdicts", tuple(columns), rows)


def _verdict_row(found: HypothesisResult, *, corrected: bool) -> Row:
    card, outcome = found.card, found.outcome
    published = number(card.published[0].value) if card.published else DASH
    if outcome is None:
        middle = [DASH] * (7 if corrected else 5)
        return Row((card.name, found.verdict.split(":")[0], *middle, published), "muted")
    adjusted = [_p(found.q_value), _stepdown(found.romano_wolf)] if corrected else []
    cells = (
        card.name,
        found.verdict,
        number(outcome.estimate),
        interval(outcome.low, outcome.high, _digits(outcome.estimate)),
        fixed(outcome.t_stat),
        _p(outcome.p_value),
        *adjusted,
        count(outcome.n),
        published,
    )
    return Row(cells, "good" if found.verdict == "supported" else "")


def _stepdown(survives: bool | None) -> str:
    return {True: "survives", False: "no", None: DASH}[survives]


def _p(value: float) -> str:
    return "< 0.001" if is_defined(value) and value < 0.001 else fixed(value, 3)


def number(value: Any) -> str:
    """Return a number with three significant digits or so, whatever its size; text as it is.

    Examples
    --------
    >>> number(0.01234), number(-12.3), number(1234), number("Q1"), number(float("nan"))
    ('0.0123', '−12.3', '1,234', 'Q1', '–')
    """
    if isinstance(value, str):
        return value
    if value is None or not is_defined(value):
        return DASH
    return fixed(value, 0 if isinstance(value, int) else _digits(value))


def _digits(value: float) -> int:
    size = abs(value)
    if size >= 100:
        return 0
    return 1 if size >= 10 else 2 if size >= 1 or size == 0 else 3 if size >= 0.1 else 4


def _claim(found: HypothesisResult) -> Section:
    card = found.card
    text = (
        card.claim,
        f"{found.verdict[:1].upper()}{found.verdict[1:]}"
        + (f". {found.reason}" if found.outcome is not None else ""),
    )
    evidence = None if found.outcome is None else found.outcome.evidence
    nulls: tuple[Table, ...] = ()
    if evidence is not None:
        nulls = (routes_table(card.name, evidence), *family_table(card.name, evidence))
    tables = (
        _card_table(found),
        *_published_table(card.name, card.published),
        *nulls,
        *_paper_tables(found),
    )
    figures = () if evidence is None else cloud_figure(card.name, evidence)
    return Section(card.name, card.name, text, _facts(found), figures, tables, folded=True)


def _facts(found: HypothesisResult) -> tuple[Fact, ...]:
    outcome = found.outcome
    if outcome is None:
        return ()
    tone: Tone = "good" if found.verdict == "supported" else ""
    bounds = interval(outcome.low, outcome.high, _digits(outcome.estimate))
    return (
        Fact("Estimate", number(outcome.estimate), f"{bounds}", tone),
        Fact("p", _p(outcome.p_value), "of the test itself"),
        Fact("t", fixed(outcome.t_stat), f"if it were normal: p {_p(outcome.p_asymptotic)}"),
        Fact("Held against", fixed(outcome.critical), "critical value"),
        Fact("Books' p", _p(_surrogates_p(outcome)), "books made by rules on the same prices"),
        Fact("Simulated p", _p(outcome.p_simulated), "worst market without dealers that fits"),
        Fact("Power", fixed(found.power), "at the published size"),
        Fact("Detectable", number(found.detectable), "with probability 0.8"),
        Fact("n", count(outcome.n)),
    )


def _surrogates_p(outcome: Outcome) -> float:
    return float("nan") if outcome.evidence is None else outcome.evidence.place.p


def _card_table(found: HypothesisResult) -> Table:
    card = found.card
    tiers = ", ".join(_TIERS.get(letter, letter) for letter in card.tier)
    rows = (
        Row(("Source", f"{card.source} (read: {card.how_read})")),
        Row(("Specification", card.specification)),
        Row(("Estimate", card.estimate)),
        Row(("Expected sign", card.expected_sign.replace("-", "−"))),
        Row(("Not supported if", card.kill)),
        Row(("Needs", tiers)),
    )
    columns = (text_column("Card"), text_column(""))
    return Table(
        f"tab-{card.name}-card", "What is claimed, and what would refute it", columns, rows
    )


def _published_table(name: str, published: tuple[Published, ...]) -> tuple[Table, ...]:
    if not published:
        return ()
    columns = (
        text_column("Published"),
        Column("Value"),
        Column("t"),
        text_column("Source"),
        text_column("Read"),
        text_column("Same unit as ours"),
    )
    rows = tuple(
        Row(
            (
                p.label,
                number(p.value),
                fixed(p.t_stat),
                p.source,
                p.how_read,
                "yes" if p.comparable else "no",
            )
        )
        for p in published
    )
    return (Table(f"tab-{name}-published", "Published numbers", columns, rows),)


def _paper_tables(found: HypothesisResult) -> tuple[Table, ...]:
    if found.outcome is None:
        return ()
    name = found.card.name
    return tuple(
        _paper_table(table, f"tab-{name}-{i}") for i, table in enumerate(found.outcome.tables)
    )


def _paper_table(table: Tested, own: str) -> Table:
    first, *others = table.columns
    columns = (text_column(first), *(Column(name) for name in others))
    rows = tuple(Row(tuple(number(cell) for cell in row)) for row in table.rows)
    return Table(own, table.title, columns, rows, table.note)
